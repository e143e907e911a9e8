"""Training two towers of a million users and a million items, layers 128-64, sparse Adam, from a file: steps of whole runs, waits for the reader included, against torch's bare step."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from _bench import Peer, Result, WORK, available_gb, median, profile, train

N = 1_000_000
QUICK_SHARE, QUICK_STEPS = 0.1, 5  # of an epoch, in a quick run, or so many steps measured where these are more
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
    with Peer("step", N, 2, threads=2) as torch:
        for batch in (1024, 8192, 32768):
            ours, theirs = {p: [] for p in ("f32", "bf16") if not quick or batch == 8192 or p == "f32"}, []
            peaks = {}
            for _ in range(1 if quick or batch > 8192 else 2):
                for precision, rates in ours.items():
                    of_stages, peak = our_run(log, batch, precision, max(QUICK_SHARE, (2 + QUICK_STEPS) * batch / rows) if quick else 1)
                    peaks[precision] = max(peak, peaks.get(precision, 0))
                    rates.append(1e3 * batch / of_stages.pop("median"))
                    if precision == "f32":
                        stages = of_stages
                if batch <= 8192 or available_gb() > 16:  # torch holds the logits: 14 GB at 32768
                    theirs += torch.ask(batch, 1.5 if quick else 5.0, int(batch <= 8192))
            for precision, rates in ours.items():
                value = median(rates)
                for name in sorted({line["peer"] for line in theirs}) or [None]:
                    ratio = value / median([line["examples_per_s"] for line in theirs if line["peer"] == name]) if name else None
                    results.append(Result(f"step_{precision}_b{batch}", value, "examples/s", 2, ratio_to_peer=ratio, peer=name, peak_rss_mb=peaks[precision]))
            if batch == 8192:
                results += [Result(f"step_f32_b{batch}: {stage}", ms, "ms a step", 2) for stage, ms in stages.items() if stage not in ("all", "between")]
    return results


def our_run(log, batch, precision, share):
    """Milliseconds a step of each stage, and the median of whole steps, the first two left out as the peer's are; and the most memory in MB.

    share: of the log's rows that are trained on; the tables have all their rows all the same.
    """
    config = WORK / "step.toml"
    config.write_text(CONFIG.format(log=log, batch=batch, precision=precision, keep=share**2 / N if share < 1 else 0))
    said, peak = train("-c", config)
    return profile(said), peak
