"""Training two towers of a million users and a million items, layers 128-64, sparse Adam, from a file: whole runs against torch's bare step."""

import json
import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from _bench import BUILD, Result, WORK, available_gb, median, peer, profile

N = 1_000_000
QUICK_SHARE = 0.125  # of an epoch, in a quick run
CONFIG = """
[data]
interactions = ["{log}"]
split = {{ kind = "random", validation = "0.0005", test = "0.0005" }}
[model]
precision = "{precision}"
[user]
hidden = [128]
[user.id]
enabled = true
[user.history]
last = 0
[item]
hidden = [128]
[sampling]
downsample_positives = {keep}
[[sampling.negatives]]
source = "in_batch"
[train]
history = "others"
batch = {batch}
epochs = 1
optimizer = "adam"
learning_rate = 0.001
refit = false
threads = 2
"""


def run(quick):
    rows = 1_000_000
    WORK.mkdir(parents=True, exist_ok=True)
    log = WORK / f"steps-{rows}.parquet"
    if not log.exists():
        rng = np.random.default_rng(1)
        # Every user and item at least about once, so that the tables have their million rows.
        columns = {c: np.concatenate([rng.permutation(N), rng.integers(0, N, rows - N)]) for c in ("user_id", "item_id")}
        pa.parquet.write_table(pa.table(columns), log)
    results = []
    for batch in (1024, 8192, 32768):
        ours, theirs = {p: [] for p in ("f32", "bf16") if not quick or batch == 8192 or p == "f32"}, []
        for _ in range(1 if quick or batch > 8192 else 2):
            for precision, rates in ours.items():
                rate, of_stages = our_run(log, batch, precision, QUICK_SHARE if quick else 1)
                rates.append(rate)
                if precision == "f32":
                    stages = of_stages
            if batch <= 8192:
                theirs += peer("step", N, batch, 3 if quick else 20, 1, threads=2)
            elif available_gb() > 20:  # torch holds the logits: 18 GB
                theirs += peer("step", N, batch, 1 if quick else 2, 0, threads=2)
        for precision, rates in ours.items():
            value = median(rates)
            for name in sorted({line["peer"] for line in theirs}) or [None]:
                ratio = value / median([line["examples_per_s"] for line in theirs if line["peer"] == name]) if name else None
                results.append(Result(f"step_{precision}_b{batch}", value, "examples/s", 2, ratio_to_peer=ratio, peer=name))
        if batch == 8192:
            results += [Result(f"step_f32_b{batch}: {stage}", ms, "ms a step", 2) for stage, ms in stages.items() if stage not in ("all", "between")]
    return results


def our_run(log, batch, precision, share):
    """Examples a second of a whole run, evaluation and checkpoints left out; milliseconds a step of each stage.

    share: of the log's rows that are trained on; the tables have all their rows all the same.
    """
    config, model = WORK / "step.toml", WORK / "step.pagoda"
    config.write_text(CONFIG.format(log=log, batch=batch, precision=precision, keep=share**2 / N if share < 1 else 0))
    done = subprocess.run([BUILD / "pagoda", "train", "-c", config, "-o", model, "--profile"], check=True, capture_output=True, text=True)
    log_lines = (WORK / "step.pagoda.run" / "metrics.jsonl").read_text().splitlines()
    shutil.rmtree(WORK / "step.pagoda.run"), model.unlink()
    return json.loads(log_lines[-1])["examples_per_second"], profile(done.stderr)
