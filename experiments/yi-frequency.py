"""The simulation of Yi et al. 2019, section 6.1, against a replication here and another's: docs/experiments/yi-frequency.md."""

import argparse
import json
import pathlib

import numpy as np
from _page import PAGES, ROOT, line_chart, simulate, table, write_block

RATES = [0.1, 0.02, 0.01, 0.005]
STEPS = [1000, 2000, 10000, 10500, 12000, 20000]
# Another's replication: one seed, m = 1, H = 5000, the algorithm as printed.
OTHERS = {
    0.1: [0.164, 0.164, 0.161, 0.254, 0.203, 0.185],
    0.02: [0.173, 0.131, 0.124, 0.442, 0.169, 0.130],
    0.01: [0.317, 0.179, 0.122, 0.549, 0.222, 0.143],
    0.005: [0.421, 0.324, 0.111, 0.636, 0.398, 0.144],
}
OTHERS_HASHES = {5000: {1: 0.106, 2: 0.063, 4: 0.048}, 2000: {2: 0.161, 4: 0.197}}  # a = 0.01, step 10000
OTHERS_EXACT, ROOMY = 0.035, 1 << 22  # the same without a hash; here with so many buckets that none is shared
COLORS = ["c1", "c2", "c0", "c3"]
M, BATCH, TURN = 1000, 128, 10000


def run(folder, seeds, *arguments):
    simulate("frequency", "--seeds", seeds, "--every", 100, "-o", folder, *arguments)
    points = [json.loads(line) for line in (folder / "frequency.jsonl").open()]
    return {(p["as_printed"], p["learning_rate"], p["hashes"], p["step"]): p for p in points}


def replicate(seed, buckets=5000):
    """The printed algorithm, m = 1, in a few lines that share nothing with the program: error [rate, step] of one seed."""
    rng = np.random.default_rng(seed)
    bucket = rng.integers(buckets, size=M)
    last, gap = np.zeros(buckets), np.full((len(RATES), buckets), 100.0)
    a = np.array(RATES)[:, None]
    index = np.arange(M)
    errors = np.zeros((len(RATES), len(STEPS)))
    for t in range(1, max(STEPS) + 1):
        weight = (index if t <= TURN else M - 1 - index) ** 2.0
        q = weight / weight.sum()
        with np.errstate(divide="ignore"):
            batch = np.argpartition(rng.exponential(size=M) / q, BATCH)[:BATCH]  # without replacement, one by one
        seen = np.unique(bucket[batch])
        gap[:, seen] = (1 - a) * gap[:, seen] + a * (t - last[seen])
        last[seen] = t
        if t in STEPS:
            errors[:, STEPS.index(t)] = abs(1 / gap[:, bucket] - BATCH * q).sum(axis=1) / (2 * BATCH)
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "experiments" / "yi-frequency")
    args = parser.parse_args()

    output, seeds = args.output, args.seeds
    rates = run(output / "rates", seeds, "--learning-rates", ",".join(map(str, RATES)))
    hashes = {
        buckets: run(output / f"hashes-{buckets}", seeds, "--learning-rates", 0.01, "--hashes", "1,2,4", "--buckets", buckets)
        for buckets in (5000, 2000)
    }
    exact = run(output / "exact", seeds, "--learning-rates", 0.01, "--buckets", ROOMY)
    replicated = np.array([replicate(seed) for seed in range(seeds)])  # [seed, rate, step]
    np.savetxt(output / "replicated.csv", replicated.mean(axis=0), delimiter=",")

    def text(point):
        return f"{point['error']:.3f} ± {point['deviation']:.3f}"

    rows, within, within_other, apart = [], 0, 0, []
    for i, a in enumerate(RATES):
        for j, step in enumerate(STEPS):
            point, here, other = rates[True, a, 1, step], replicated[:, i, j], OTHERS[a][j]
            mean, deviation = here.mean(), here.std(ddof=1)
            # Difference of two means over as many seeds; difference of one seed from such a mean.
            z = (point["error"] - mean) / np.hypot(point["deviation"], deviation) * seeds**0.5
            z_other = (other - point["error"]) / (point["deviation"] * (1 + 1 / seeds) ** 0.5)
            within += abs(z) <= 2
            within_other += abs(z_other) <= 2
            apart.append((abs(other - point["error"]), abs(point["error"] - mean), abs(z_other), abs(z)))
            rows.append([a, f"{step:,}", text(point), f"{mean:.3f} ± {deviation:.3f}", f"{point['error'] - mean:+.4f}", f"{z:+.1f}",
                         f"{other:.3f}", f"{point['error'] - other:+.3f}", f"{-z_other:+.1f}"])
    most = np.max(apart, axis=0)
    parts = [f"As printed (A = 0, B = 100), m = 1, 5000 buckets: mean ± standard deviation over {seeds} seeds (draws and hashes). z: the",
             "difference over its standard error; of another's single seed, over the deviation of one seed.", ""]
    parts += [table(["a", "t", "as printed", "numpy, here", "difference", "z", "another's", "difference", "z"], rows), ""]
    parts += [f"Against numpy: at most {most[1]:.4f} apart, |z| <= 2 at {within} of 24 points, {most[3]:.1f} at most. Against another's seed: at most",
              f"{most[0]:.3f} apart, |z| <= 2 at {within_other} of 24 points, {most[2]:.1f} at most.", ""]
    head = ["a"] + [f"t = {step}" for step in STEPS]
    parts += ["Pagoda's, with the errata (`sampling/frequency.h`), on the same draws:", ""]
    parts.append(table(head, [[a] + [text(rates[False, a, 1, s]) for s in STEPS] for a in RATES]))
    parts += ["", "More hashes at the same number of buckets in all, a = 0.01, t = 10000:", ""]
    rows = []
    for buckets, points in hashes.items():
        for m in (1, 2, 4):
            other = OTHERS_HASHES[buckets].get(m)
            printed = points[True, 0.01, m, TURN]
            rows.append([f"{buckets}", m, text(printed), f"{other:.3f}" if other else "", f"{printed['error'] - other:+.3f}" if other else "",
                         text(points[False, 0.01, m, TURN]), text(points[False, 0.01, m, 20000])])
    printed = exact[True, 0.01, 1, TURN]
    rows.append(["none shared", 1, text(printed), f"{OTHERS_EXACT:.3f}", f"{printed['error'] - OTHERS_EXACT:+.3f}",
                 text(exact[False, 0.01, 1, TURN]), text(exact[False, 0.01, 1, 20000])])
    parts.append(table(["buckets in all", "m", "as printed", "another's", "difference", "Pagoda's", "Pagoda's, t = 20000"], rows))
    write_block("yi-frequency.md", "figures", "\n".join(parts))

    steps = sorted({key[3] for key in rates})
    label = "step t; popularity turns over at 10,000"
    for printed, name, words in ((True, "printed", "as printed"), (False, "pagoda", "with the errata")):
        line_chart(
            PAGES / f"yi-frequency-rates-{name}.svg", f"Error by learning rate, {words} (m = 1, H = 5000)", label, "error",
            [(f"a = {a}", c, [(s, rates[printed, a, 1, s]["error"]) for s in steps]) for a, c in zip(RATES, COLORS)],
            y_range=(0, 0.8),
        )
        line_chart(
            PAGES / f"yi-frequency-hashes-{name}.svg", f"Error by number of hashes, {words} (a = 0.01; broken: 2000 buckets in all)", label,
            "error",
            [(f"{buckets}, m = {m}", c + dash, [(s, points[printed, 0.01, m, s]["error"]) for s in steps])
             for (buckets, points), dash in zip(hashes.items(), ("", " dash")) for m, c in zip((1, 2, 4), COLORS)],
            y_range=(0, 0.8),
        )


if __name__ == "__main__":
    main()
