"""The wheel, installed where nothing else is: five lines from a frame to candidates, beside other libraries, and the command."""

import pathlib
import subprocess
import venv
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_MB = 60

FIVE_LINES = """
import numpy as np
clicks = {"user_id": np.arange(3000) % 300, "item_id": (np.arange(3000) * 7) % 90, "ts": 1_700_000_000 + np.arange(3000)}
import pagoda
model = pagoda.train(clicks, epochs=2)
ids, scores = model.recommend([1, 2, 3], k=20)
assert ids.shape == (3, 20) and ids.dtype == np.int64
import sys
assert "pyarrow" not in sys.modules and "pandas" not in sys.modules
print(pagoda.__version__, pagoda.__file__)
"""

# Each brings an Arrow, an OpenMP or a protobuf of its own; the package must not meet them, whoever comes first.
BESIDE = """
import numpy as np
{imports}
import polars, pandas, pyarrow as pa, pyarrow.parquet, faiss, sklearn.linear_model
frame = polars.DataFrame({{"user_id": np.arange(3000) % 300, "item_id": (np.arange(3000) * 7) % 90}})
pa.parquet.write_table(frame.to_arrow(), "clicks.parquet")
import pagoda
model = pagoda.train("clicks.parquet", epochs=1)
assert pa.table(model.recommend([1], k=5)).num_rows == 5
assert pa.parquet.read_table("clicks.parquet").num_rows == 3000
vectors = np.random.default_rng(1).standard_normal((5000, 16)).astype(np.float32)
flat = faiss.IndexFlatIP(16)
flat.add(vectors)
_, theirs = flat.search(vectors[:20], 10)
assert (pagoda.Index(vectors).search(vectors[:20], k=10).ids == theirs).all()
sklearn.linear_model.LogisticRegression(max_iter=5).fit(vectors, np.arange(5000) % 2)
print("well")
"""


@pytest.fixture(scope="module")
def wheels():
    subprocess.run([ROOT / "run", "wheel"], check=True, stdin=subprocess.DEVNULL)
    return sorted((ROOT / "dist").glob("*.whl"))


def environment(folder, *packages):
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
                    "--find-links", ROOT / "dist", *packages], check=True)
    return python


@pytest.mark.slow
def test_it_is_small_and_complete(wheels):
    assert wheels
    for wheel in wheels:
        assert "manylinux" in wheel.name and wheel.stat().st_size < MOST_MB * 1e6, wheel
        names = zipfile.ZipFile(wheel).namelist()
        assert ("pagoda/_core.abi3.so" in names) == ("-abi3-" in wheel.name), names
        assert {"pagoda/_program/pagoda", "pagoda/py.typed", "pagoda/_core.pyi"} <= set(names)


@pytest.mark.slow
def test_five_lines_in_an_environment_of_numpy_alone(wheels, tmp_path):
    python = environment(tmp_path / "env", "pagoda-retrieval")
    done = subprocess.run([python, "-c", FIVE_LINES], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
    said = subprocess.run([tmp_path / "env" / "bin" / "pagoda", "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 0 and said.stdout.startswith("pagoda "), said.stderr


@pytest.mark.slow
@pytest.mark.parametrize("pandas", ["pandas<3", "pandas>=3"])
def test_beside_other_libraries_whoever_comes_first(wheels, tmp_path, pandas):
    python = environment(tmp_path / "env", "pagoda-retrieval", pandas, "polars", "pyarrow==24.0.0", "faiss-cpu", "scikit-learn")
    for first in ("import pagoda", ""):
        done = subprocess.run([python, "-c", BESIDE.format(imports=first)], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.endswith("well\n"), done.stderr
