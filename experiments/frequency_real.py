"""Streaming frequency estimation on a real log in order of time, against exact counts over a sliding window:
docs/experiments/frequency_real.md."""

import argparse
import csv
import datetime
import gzip
import json
import pathlib

import numpy as np
from _page import PAGES, ROOT, line_chart, simulate, table, write_block

RATES = [0.1, 0.02, 0.01, 0.005]
HASHES = [1, 2, 4]
# Of 14,511 items one in a hundred shares a bucket of 2^20: there the error is the estimator's alone, not the hash's.
ROOMY = 1 << 20
BUCKETS = [65536, 8192]
COLORS = ["c1", "c2", "c0", "c3"]
DECILES = range(1, 11)


class Replay:
    """The lines of one replay.jsonl; figures are means over the checkpoints after the first quarter of the log."""

    def __init__(self, path):
        self.points = [json.loads(line) for line in path.open()]
        self.rows = sorted({p["row"] for p in self.points})
        self.settled = [r for r in self.rows if r > self.rows[-1] / 4]

    def select(self, a, m, group, decile):
        return [p for p in self.points if (p["learning_rate"], p["hashes"], p["group"], p["decile"]) == (a, m, group, decile)]

    def mean(self, field, a, m, group, decile=0):
        return np.mean([p[field] for p in self.select(a, m, group, decile) if p["row"] in self.settled])

    def curve(self, field, a, m, group):
        return [(d, self.mean(field, a, m, group, d)) for d in DECILES]


def rows_in_time_order(data, time, context):
    """Items and context values."""
    with (gzip.open if str(data).endswith(".gz") else open)(data, "rt", newline="") as file:
        rows = csv.reader(file)
        head = next(rows)
        at = [head.index(name) for name in ("item_id", time, context)]
        triples = [(row[at[0]], int(row[at[1]]), row[at[2]]) for row in rows]
    order = np.argsort(np.array([t for _, t, _ in triples]), kind="stable")
    return [triples[k][0] for k in order], np.array([triples[k][2] for k in order])


def drift(context, row, window):
    """Total variation between the context of the last tenth of the window that ends at row and of the whole of it."""
    values, codes = np.unique(context[row - window : row], return_inverse=True)
    whole, last = (np.bincount(c, minlength=len(values)) / len(c) for c in (codes, codes[-(window // 10) :]))
    return abs(whole - last).sum() / 2, values[last.argmax()], last.max(), whole[last.argmax()]


def write_shuffled(items, block, path):
    """The control: the same rows, those of each block of the time order in an order of chance."""
    order = np.arange(len(items))
    rng = np.random.default_rng(1)
    for begin in range(0, len(order), block):
        rng.shuffle(order[begin : begin + block])
    with path.open("w") as file:
        file.write("user_id,item_id\n")
        file.writelines(f"u,{items[k]}\n" for k in order)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", default=ROOT.parent / "shared" / "data" / "mtg_decks" / "interactions.csv.gz")
    parser.add_argument("--time", default="timestamp", help="column")
    parser.add_argument("--context", default="format", help="column whose drift inside the window is told")
    parser.add_argument("--window", type=int, default=200000)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "experiments" / "frequency_real")
    args = parser.parse_args()

    replays = {}
    for buckets in [ROOMY, *BUCKETS]:
        folder = args.output / str(buckets)
        hashes = [1] if buckets == ROOMY else HASHES
        simulate("replay", args.data, "--time", args.time, "--window", args.window, "--buckets", buckets,
                 "--learning-rates", ",".join(map(str, RATES)), "--hashes", ",".join(map(str, hashes)), "-o", folder)
        replays[buckets] = Replay(folder / "replay.jsonl")
    roomy = replays[ROOMY]
    shuffled = {}
    items, context = rows_in_time_order(args.data, args.time, args.context)
    for block in (args.window // 10, args.window):
        folder = args.output / f"shuffled-{block}"
        folder.mkdir(exist_ok=True)
        write_shuffled(items, block, folder / "log.csv")
        simulate("replay", folder / "log.csv", "--window", args.window, "--buckets", ROOMY,
                 "--learning-rates", ",".join(map(str, RATES)), "--hashes", 1, "-o", folder)
        shuffled[block] = Replay(folder / "replay.jsonl")

    def percent(x):
        return f"{100 * x:.0f}%"

    def signed(x):
        return f"{x:+.2f}"

    def per_item(d):
        return roomy.mean("share", 0, 0, "items", d) * args.window / roomy.mean("items", 0, 0, "items", d)

    def by_decile(group, field, show):
        rows = []
        for d in DECILES:
            rows.append([d, f"{roomy.mean('items', 0, 0, group, d):.0f}",
                         f"{roomy.mean('share', 0, 0, group, d) * args.window / roomy.mean('items', 0, 0, group, d):.3g}",
                         *(show(roomy.mean(field, a, 1, group, d)) for a in RATES), show(roomy.mean(field, 0, 0, group, d))])
        return table(["decile", "items", "rows per item", *(f"a = {a}" for a in RATES), "counts so far"], rows)

    parts = [f"{len(roomy.rows)} checkpoints, one every {args.window:,} rows; the figures are means over the last {len(roomy.settled)}.", ""]
    parts += ["**Without collisions** (m = 1, 2^20 buckets), tenths of the items; median of |p / share - 1|:", ""]
    parts += [by_decile("items", "median_absolute", percent), "", "The same, mean of log(p / share):", ""]
    parts += [by_decile("items", "mean_log_error", signed), "", "The same, mean of p / share - 1:", ""]
    parts += [by_decile("items", "mean_error", percent), ""]
    parts += ["Tenths of the rows (what a row of the window meets); median of |p / share - 1|:", ""]
    parts += [by_decile("rows", "median_absolute", percent), "", "The same, mean of log(p / share):", ""]
    parts += [by_decile("rows", "mean_log_error", signed), ""]

    parts += ["**The control**: the same rows, those of each block in an order of chance, tenths of the items; median of |p / share - 1|:", ""]
    orders = [("as logged", roomy), *((f"blocks of {block:,}", shuffled[block]) for block in shuffled)]
    for field, show, title in (("median_absolute", percent, None), ("mean_log_error", signed, "The same, mean of log(p / share):")):
        if title:
            parts += [title, ""]
        rows = [[d, *(show(replay.mean(field, a, 1, "items", d)) for a in (0.1, 0.01) for _, replay in orders)] for d in DECILES]
        parts += [table(["decile", *(f"a = {a}, {order}" for a in (0.1, 0.01) for order, _ in orders)], rows), ""]

    drifts = {row: drift(context, row, args.window) for row in roomy.settled}
    row = max(drifts, key=lambda r: drifts[r][0])
    most, value, last, whole = drifts[row]
    parts += [f"Drift of `{args.context}`: the last tenth of a window differs from the whole of it by {np.mean([d[0] for d in drifts.values()]):.2f} on",
              f"average (total variation), by {most:.2f} at most, where {value} is {percent(last)} of the last tenth and {percent(whole)} of the window.", ""]

    parts += ["Items first seen inside the window, and items seen before but not in it:", ""]
    rows = []
    for name, a in [*((f"a = {a}", a) for a in RATES), ("counts so far", 0)]:
        m = 1 if a else 0
        rows.append([name, f"{roomy.mean('items', a, m, 'fresh'):.0f}", f"{100 * roomy.mean('share', a, m, 'fresh'):.2f}%",
                     f"{100 * roomy.mean('estimated', a, m, 'fresh'):.2f}%", signed(roomy.mean("mean_log_error", a, m, "fresh")),
                     f"{roomy.mean('items', a, m, 'gone'):.0f}", f"{100 * roomy.mean('estimated', a, m, 'gone'):.2f}%"])
    parts += [table(["", "fresh items", "their share", "sum of p", "mean log(p / share)", "gone items", "sum of p (share 0)"], rows), ""]

    parts += ["**Hashes at equal buckets in all**, a = 0.01, tenths of the items; median of |p / share - 1|:", ""]
    columns = [(b, m) for b in BUCKETS for m in HASHES]
    for field, show, title in (("median_absolute", percent, None), ("mean_log_error", signed, "The same, mean of log(p / share):")):
        if title:
            parts += [title, ""]
        rows = [[d, *(show(replays[b].mean(field, 0.01, m, "items", d)) for b, m in columns),
                 show(roomy.mean(field, 0.01, 1, "items", d))] for d in DECILES]
        parts += [table(["decile", *(f"{b}, m = {m}" for b, m in columns), "no collisions"], rows), ""]
    parts += ["All learning rates, median of |p / share - 1| over the rows' tenths (mean of the ten):", ""]
    rows = []
    for a in RATES:
        rows.append([f"a = {a}", *(percent(np.mean([y for _, y in replays[b].curve("median_absolute", a, m, "rows")])) for b, m in columns),
                     percent(np.mean([y for _, y in roomy.curve("median_absolute", a, 1, "rows")]))])
    parts += [table(["", *(f"{b}, m = {m}" for b, m in columns), "no collisions"], rows)]
    write_block("frequency_real.md", "figures", "\n".join(parts))

    names = {d: f"{d}: {per_item(d):.0f}" if per_item(d) >= 1.5 else f"{d}: 1" for d in DECILES}
    x_label = "decile of the items by rows in the window, hottest first: rows per item"
    # What is left when p is right and the window's count is a draw of it.
    noise = ("noise of the window", "n dash", [(d, 0.6745 / per_item(d) ** 0.5) for d in DECILES if per_item(d) >= 5])
    line_chart(
        PAGES / "frequency_real-deciles.svg", "Relative error of p by popularity of the item (no collisions)", x_label,
        "median |p / share - 1|",
        [*((f"a = {a}", c, roomy.curve("median_absolute", a, 1, "items")) for a, c in zip(RATES, COLORS)),
         ("counts so far", "n", roomy.curve("median_absolute", 0, 0, "items")), noise],
        x_names=names,
    )
    line_chart(
        PAGES / "frequency_real-hashes.svg", "What collisions do to the correction (a = 0.01)", x_label, "mean log(p / share)",
        [*((f"{b // 1024}k, m = {m}", c + (" dash" if b == BUCKETS[0] else ""), replays[b].curve("mean_log_error", 0.01, m, "items"))
           for b in BUCKETS for m, c in zip(HASHES, COLORS)),
         ("none", "n", roomy.curve("mean_log_error", 0.01, 1, "items"))],
        x_names=names,
    )
    line_chart(
        PAGES / "frequency_real-shuffled.svg", "What drift inside a window does: as logged, and shuffled in each window", x_label,
        "median |p / share - 1|",
        [*((f"a = {a}", c, roomy.curve("median_absolute", a, 1, "items")) for a, c in zip((0.1, 0.01), "c1 c0".split())),
         *((f"a = {a}, shuffled", f"{c} dash", shuffled[args.window].curve("median_absolute", a, 1, "items")) for a, c in zip((0.1, 0.01), "c1 c0".split())),
         noise],
        x_names=names,
    )
    dates = {p["row"]: datetime.datetime.fromtimestamp(p["time_us"] / 1e6, datetime.timezone.utc) for p in roomy.points}
    line_chart(
        PAGES / "frequency_real-time.svg", "The hottest tenth of the items, checkpoint by checkpoint (no collisions)",
        "end of the window", "median |p / share - 1|",
        [*((f"a = {a}", c, [(p["row"], p["median_absolute"]) for p in roomy.select(a, 1, "items", 1)]) for a, c in zip(RATES, COLORS)),
         ("counts so far", "n", [(p["row"], p["median_absolute"]) for p in roomy.select(0, 0, "items", 1)]),
         ("share of fresh", "c4 dash", [(p["row"], p["share"]) for p in roomy.select(0, 0, "fresh", 0)][1:])],
        x_names={r: f"{dates[r]:%b %Y}" for r in roomy.rows[1::3]},
    )


if __name__ == "__main__":
    main()
