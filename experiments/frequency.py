"""The simulation of Yi et al. 2019, section 6.1, against an independent replication: docs/experiments/frequency.md."""

import argparse
import json
import pathlib

from _page import PAGES, ROOT, line_chart, simulate, table, write_block

RATES = [0.1, 0.02, 0.01, 0.005]
STEPS = [1000, 2000, 10000, 10500, 12000, 20000]
# One seed each, m = 1, H = 5000, the algorithm as printed.
REPLICATION = {
    0.1: [0.164, 0.164, 0.161, 0.254, 0.203, 0.185],
    0.02: [0.173, 0.131, 0.124, 0.442, 0.169, 0.130],
    0.01: [0.317, 0.179, 0.122, 0.549, 0.222, 0.143],
    0.005: [0.421, 0.324, 0.111, 0.636, 0.398, 0.144],
}
REPLICATION_HASHES = {5000: {1: 0.106, 2: 0.063, 4: 0.048}, 2000: {2: 0.161, 4: 0.197}}  # a = 0.01, step 10000
COLORS = ["c1", "c2", "c0", "c3"]


def run(folder, seeds, *arguments):
    simulate("frequency", "--seeds", seeds, "--every", 100, "-o", folder, *arguments)
    points = [json.loads(line) for line in (folder / "frequency.jsonl").open()]
    return {(p["as_printed"], p["learning_rate"], p["hashes"], p["step"]): p for p in points}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "experiments" / "frequency")
    args = parser.parse_args()

    output = args.output
    rates = run(output / "rates", args.seeds, "--learning-rates", ",".join(map(str, RATES)))
    hashes = {
        buckets: run(output / f"hashes-{buckets}", args.seeds, "--learning-rates", 0.01, "--hashes", "1,2,4", "--buckets", buckets)
        for buckets in (5000, 2000)
    }

    def text(point):
        return f"{point['error']:.3f} ± {point['deviation']:.3f}"

    parts = ["As printed (A = 0, B = 100), m = 1, 5000 buckets; in brackets the replication, one seed:", ""]
    head = ["a"] + [f"t = {step}" for step in STEPS]
    parts.append(table(head, [[a] + [f"{text(rates[True, a, 1, s])} ({r:.3f})" for s, r in zip(STEPS, REPLICATION[a])] for a in RATES]))
    parts += ["", "Pagoda's, with the errata (`sampling/frequency.h`), on the same draws:", ""]
    parts.append(table(head, [[a] + [text(rates[False, a, 1, s]) for s in STEPS] for a in RATES]))
    parts += ["", "More hashes at the same number of buckets in all, a = 0.01, t = 10000:", ""]
    rows = []
    for buckets, points in hashes.items():
        for m in (1, 2, 4):
            replicated = REPLICATION_HASHES[buckets].get(m)
            rows.append([buckets, m, text(points[True, 0.01, m, 10000]), f"{replicated:.3f}" if replicated else "",
                         text(points[False, 0.01, m, 10000]), text(points[False, 0.01, m, 20000])])
    parts.append(table(["buckets in all", "m", "as printed", "replication", "Pagoda's", "Pagoda's, t = 20000"], rows))
    write_block("frequency.md", "figures", "\n".join(parts))

    steps = sorted({key[3] for key in rates})
    for printed, name in ((True, "printed"), (False, "pagoda")):
        line_chart(
            PAGES / f"frequency-rates-{name}.svg",
            f"Error by learning rate, {'as printed' if printed else 'with the errata'} (m = 1, H = 5000)",
            "step t; popularity turns over at 10,000", "error",
            [(f"a = {a}", c, [(s, rates[printed, a, 1, s]["error"]) for s in steps]) for a, c in zip(RATES, COLORS)],
            y_range=(0, 0.8),
        )
    for buckets, points in hashes.items():
        line_chart(
            PAGES / f"frequency-hashes-{buckets}.svg",
            f"Error by number of hashes, {buckets} buckets in all (a = 0.01)",
            "step t; popularity turns over at 10,000", "error",
            [(f"m = {m}", c, [(s, points[False, 0.01, m, s]["error"]) for s in steps]) for m, c in zip((1, 2, 4), COLORS)],
            y_range=(0, 0.8),
        )


if __name__ == "__main__":
    main()
