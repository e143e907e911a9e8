"""The Python package: training from a frame beside the command line, lists beside implicit's, an index beside faiss and ScaNN."""

import json
import os
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from _bench import BUILD, ROOT, Result, WORK, environment, median, train

ROWS, USERS, ITEMS = 4_000_000, 200_000, 50_000
CONFIG = """
[data]
interactions = ["{log}"]
user = "user_id"
item = "item_id"
time = "ts"
[data.split]
kind = "none"
[model]
dim = 32
[user.history]
last = 20
[train]
epochs = 1
batch = 4096
refit = false
threads = 2
"""


def log_of(rows):
    """Users and items as popular as they are in logs, in order of time; ids are integers."""
    path = WORK / f"python-{rows}.parquet"
    if not path.exists():
        rng = np.random.default_rng(1)
        columns = {"user_id": rng.integers(0, USERS, rows), "item_id": (rng.pareto(0.8, rows) * 20).astype(np.int64) % ITEMS,
                   "ts": 1_700_000_000 + np.arange(rows, dtype=np.int64)}
        pa.parquet.write_table(pa.table(columns), path)
    return path


def ask(python, *words):
    """The JSON line that a part of bench/peers/python_package.py ends with."""
    env = os.environ | {"PYTHONPATH": f"{BUILD / 'python'}:{ROOT / 'bench'}", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([python, ROOT / "bench" / "peers" / "python_package.py", *map(str, words)], env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(quick):
    WORK.mkdir(parents=True, exist_ok=True)
    python = environment(WORK / "python-venv", "python_requirements.txt", "--only-binary", ":all:")
    rows, rounds = (ROWS // 4, 1) if quick else (ROWS, 2)
    log, config = log_of(rows), WORK / "python.toml"
    config.write_text(CONFIG.format(log=log))
    results = []
    seconds = {"command line": [], "polars": [], "pandas": []}
    memory = {}
    for _ in range(rounds):  # in turns
        for kind in seconds:
            if kind == "command line":
                begin = os.times()
                _, memory[kind] = train("-c", config)
                seconds[kind].append(os.times().elapsed - begin.elapsed)
            else:
                told = ask(python, "train", log, config, kind, WORK / "python.pagoda")
                seconds[kind].append(told["seconds"])
                memory[kind] = told["peak_rss_mb"]
                memory[f"{kind} frame"] = told["frame_mb"]
    whole = median(seconds["command line"])
    results.append(Result("train_command_line", whole, "s", 2, peak_rss_mb=memory["command line"]))
    for kind in ("polars", "pandas"):
        results.append(Result(f"train_{kind}", median(seconds[kind]), "s", 2, ratio_to_peer=whole / median(seconds[kind]), peer="pagoda train of the same Parquet",
                              peak_rss_mb=memory[kind], workspace_mb=memory[f"{kind} frame"]))
    told = ask(python, "recommend", WORK / "python.pagoda", 20_000 if quick else 100_000, 1000, 1 if quick else 3)
    results.append(Result("recommend_k1000", told["ours"], "users/s", 2, ratio_to_peer=told["ours"] / told["implicit"], peer="implicit, equal factors"))
    told = ask(python, "index", WORK, 100_000 if quick else 1_000_000, 2000, 2 if quick else 5)
    for peer in ("faiss", "scann"):
        results.append(Result("index_batch256_k2000_r95", told["ours"]["qps"], "queries/s", 1, ratio_to_peer=told["ours"]["qps"] / told[peer]["qps"],
                              peer=f"{peer}, recall {told[peer]['recall']:.3f} (ours {told['ours']['recall']:.3f})"))
    return results
