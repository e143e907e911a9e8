"""Every block of Python in docs/python.md runs, in order."""

import pathlib
import re

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_blocks_of_the_page_run(log, items, tmp_path, monkeypatch):
    import polars

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    names = {"polars": polars, "clicks": polars.DataFrame(log), "items": polars.DataFrame(items),
             "vectors": rng.standard_normal((500, 8)), "queries": rng.standard_normal((3, 8)),
             "names": [f"v{n}" for n in range(500)], "years": [1980 + n % 40 for n in range(500)]}
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    assert names["evaluation"]["recall@20"] > names["evaluation"].baselines["popularity"]["recall@20"]
