"""Schemathesis, which makes requests of the server's own OpenAPI document, right ones and wrong ones."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "bench"))
from _bench import WORK, environment  # noqa: E402  an environment of its own, as the benchmarks' peers have

CONFIG = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "4xx", 503, 504]
"""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.slow
def test_requests_made_of_the_document_are_answered_as_it_says(serve, model, tmp_path):
    python = environment(WORK / "schemathesis", ROOT / "tests" / "schemathesis_requirements.txt")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    shutil.copy(model, tmp_path / "m.pagoda")  # beside which its changes and events are kept
    with serve(tmp_path / "m.pagoda") as server:
        done = subprocess.run([python.parent / "schemathesis", "--config-file", tmp_path / "schemathesis.toml", "run", f"http://127.0.0.1:{server.port}/openapi.json",
                               "--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "500", "--seed", "1", "--generation-database", "none", "--no-color"],
                              cwd=tmp_path, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        assert int(re.search(r"(\d+) generated", done.stdout)[1]) > 1000
        assert server.post("/v1/retrieve", {"user": "u1"})["items"]
