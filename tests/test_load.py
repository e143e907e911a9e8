"""The server under an open-loop load (bench/load.cpp), in short; bench/serve.py is the long form, with figures."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEARCHES = 64  # of a request
LIMIT_MS = 1000  # of an answer, and of being told to come again; a machine that is shared may be slow


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """load(server, rate, seconds): what came of it. A round in which the generator itself was late is made again."""
    program = pathlib.Path(os.environ.get("PAGODA_BUILD", ROOT / "build" / "release")) / "bench_load"
    if not program.is_file():
        pytest.fail(f"{program}: not built; run ./run build")
    bodies = tmp_path_factory.mktemp("load") / "bodies.jsonl"
    # Searches that cost far more than being told to come again.
    users = [[{"user": f"u{(i + n) % 250}", "k": 300} for n in range(SEARCHES)] for i in range(250)]
    bodies.write_text("".join(json.dumps({"requests": some, "timeout_ms": LIMIT_MS}) + "\n" for some in users))

    def run(server, rate, seconds):
        for _ in range(4):
            done = subprocess.run([program, *map(str, (server.port, rate, seconds, 1000, LIMIT_MS, bodies, "/v1/retrieve_batch"))], capture_output=True, text=True, timeout=120, check=True)
            found = json.loads(done.stdout)
            if found["lag_most_ms"] < 200:
                break
        found["counts"] = {int(status): s["count"] for status, s in found["statuses"].items()}
        return found

    return run


@pytest.mark.not_under("tsan", reason="it measures a pace, and gRPC is twenty times as slow there")
def test_latencies_count_from_the_planned_moment_and_nothing_is_lost(serve, model, load):
    with serve(model) as server:
        found = load(server, 30, 2)
        assert 20 < found["planned"] < 120 and found["lost"] == 0
        assert found["counts"] == {200: found["planned"]}
        answered = found["statuses"]["200"]
        assert 0 < answered["p50_ms"] <= answered["p99_ms"] <= answered["p999_ms"] <= answered["most_ms"]


def test_far_more_than_it_can_do_does_not_stop_it_from_doing_what_it_can(serve, model, load):
    with serve(model, settings=["serve.threads=1", "serve.batch=1", "serve.queue=512", "serve.max_requests=64"]) as server:
        goodput, rate = 0, 50
        while rate < 100_000:
            found = load(server, rate, 1)
            assert found["lost"] == 0 and set(found["counts"]) <= {200, 429, 504}, found
            now = found["good"] / found["seconds"]
            goodput = max(goodput, now)
            if now < 0.8 * rate:
                break
            rate *= 1.6
        found = load(server, 3 * goodput, 2)
        assert found["lost"] == 0 and set(found["counts"]) <= {200, 429, 504}, found
        assert found["counts"].get(429, 0) > 0
        assert found["statuses"]["429"]["p99_ms"] < LIMIT_MS, found
        assert found["good"] / found["seconds"] > 0.5 * goodput, (goodput, found)
        calm = load(server, 0.2 * goodput, 1)
        assert calm["counts"] == {200: calm["planned"]}, "and it is well again"
