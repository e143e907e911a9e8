"""Training on mtg_decks with histories, attributes and words, as configs/mtg.toml has it: rows a second, and the loss's share of the step.

The log lies beside the repository, not in it: without it there is nothing to measure.
"""

import re
import sys

from _bench import ROOT, Result, median, profile, train


def run(quick):
    if not (ROOT.parent / "shared" / "data" / "mtg_decks").exists():
        print("bench: no ../shared/data/mtg_decks, so no figures of it", file=sys.stderr)
        return []
    results = []
    for precision in ("f32", "bf16"):
        rates, shares = [], []
        for _ in range(1 if quick else 3):
            said, peak = train("-c", "configs/mtg.toml", "--set", f"model.precision={precision}", "--set", "train.epochs=1", "--set", "train.refit=false")
            ms = profile(said)
            step_ms = ms["all"] - ms["between"]
            steps = int(re.search(r"(\d+) steps$", said, re.M)[1])
            rows = re.search(r"([\d.]+)([kM]?) rows to train on", said)
            rates.append(float(rows[1]) * {"": 1, "k": 1e3, "M": 1e6}[rows[2]] / (steps * step_ms / 1e3))
            shares.append(ms["loss"] / step_ms)
        results.append(Result(f"train_mtg_{precision}", median(rates), "rows/s", 2, peak_rss_mb=peak))
        results.append(Result(f"train_mtg_{precision}_loss_share", median(shares), "of the step", 2))
    return results
