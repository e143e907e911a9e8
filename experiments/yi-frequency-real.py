"""Frequency estimation on a real log in order of time, at equal memory: the algorithms of Yi et al. 2019 as printed, Pagoda's, and a
decayed count-min sketch; against exact shares, and after a set of cards comes out: docs/experiments/yi-frequency-real.md."""

import argparse
import collections
import csv
import datetime
import gzip
import json
import pathlib

import numpy as np
from _page import PAGES, ROOT, line_chart, simulate, table, write_block

RATES = [0.1, 0.02, 0.01, 0.005]
HALF_LIVES = [25000, 50000, 100000, 200000]
HASHES = [1, 2, 4]
# Of 14,511 items one in a hundred shares a bucket of 2^20: there the error is the estimator's alone, not the hash's.
ROOMY = 1 << 20
BUCKETS = [65536, 8192]  # of 16 bytes: 1 MiB and 128 KiB
COLORS = ["c1", "c2", "c0", "c3"]
DECILES = range(1, 11)
COUNTS = ("counts", 0, 0)
DAY_US = 86_400_000_000
NAMES = {"printed": "as printed", "streaming": "Pagoda", "count_min": "count-min"}
NEXT = [20000, 200000]  # rows that follow a checkpoint: half a week, a month
SHORT = {"printed": "printed", "streaming": "Pagoda", "count_min": "sketch"}  # for a chart's legend
LAG_WINDOW, LAG_EVERY = 20000, 2500
LAG_RATES, LAG_HALF_LIVES = [0.1, 0.01], [25000, 100000]
OFFSETS = [5000, 10000, 20000, 40000, 80000, 160000]


class Replay:
    """The lines of one replay.jsonl by (estimator, learning rate or half-life, hashes); figures are means over the checkpoints after
    the first quarter of the log."""

    def __init__(self, path):
        self.points = collections.defaultdict(list)
        for line in path.open():
            p = json.loads(line)
            self.points[(p["estimator"], p["learning_rate"] or p["half_life"], p["hashes"])].append(p)
        self.rows = sorted({p["row"] for p in self.points[COUNTS]})
        self.settled = {r for r in self.rows if r > self.rows[-1] / 4}

    def select(self, of, group, decile):
        return [p for p in self.points[of] if (p["group"], p["decile"]) == (group, decile)]

    def mean(self, field, of, group, decile=0):
        return np.mean([p[field] for p in self.select(of, group, decile) if p["row"] in self.settled])

    def curve(self, field, of, group):
        return [(d, self.mean(field, of, group, d)) for d in DECILES]

    def overall(self, of, group="rows"):
        return np.mean([y for _, y in self.curve("median_absolute", of, group)])

    def best(self, estimator, m):
        return min((of for of in self.points if of[0] == estimator and of[2] == m), key=self.overall)


def joined(values):
    return ",".join(map(str, values))


def read_rows(data, time, context):
    """(item, seconds, context) in order of time."""
    with (gzip.open if str(data).endswith(".gz") else open)(data, "rt", newline="") as file:
        rows = csv.reader(file)
        head = next(rows)
        at = [head.index(name) for name in ("item_id", time, context)]
        triples = [(row[at[0]], int(row[at[1]]), row[at[2]]) for row in rows]
    return sorted(triples, key=lambda t: t[1])


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


def write_cohorts(rows, items, path):
    """The new cards of each set that came out well inside the log and has 3,000 rows; returns where each has its 100th row. New: not seen
    until a week before the date that the item table has (online play begins some days earlier)."""
    with gzip.open(items, "rt", newline="") as file:
        table_of = {row["item_id"]: row for row in csv.DictReader(file)}
    first = {}
    for item, seconds, _ in rows:
        first.setdefault(item, seconds)
    begin, end, day = rows[0][1], rows[-1][1], 86400
    cohort_of = {}
    for item, seconds in first.items():
        if released := table_of.get(item, {}).get("released"):
            out = datetime.datetime.fromisoformat(released).replace(tzinfo=datetime.timezone.utc).timestamp()
            if begin + 60 * day < out < end - 45 * day and seconds >= out - 7 * day:
                cohort_of[item] = table_of[item]["set"]
    size = collections.Counter(cohort_of[item] for item, _, _ in rows if item in cohort_of)
    seen, out_at = collections.Counter(), {}
    for k, (item, seconds, _) in enumerate(rows):
        cohort = cohort_of.get(item)
        if cohort and size[cohort] >= 3000:
            seen[cohort] += 1
            if seen[cohort] == 100:
                out_at[cohort] = (k, seconds * 1_000_000)
    with path.open("w") as file:
        file.write("item_id,cohort\n")
        file.writelines(f"{item},{cohort}\n" for item, cohort in cohort_of.items() if cohort in out_at)
    return out_at


def write_tenths(rows, path):
    """As cohorts: the items that make up each tenth of the whole log's rows, from the most frequent."""
    counts = collections.Counter(item for item, _, _ in rows)
    before = 0
    with path.open("w") as file:
        file.write("item_id,cohort\n")
        for item, n in counts.most_common():
            file.write(f"{item},{int(10 * (before + n / 2) / len(rows)) + 1}\n")
            before += n


class Following:
    """Readings of the tenths against the rows that follow, as means over the checkpoints after the first quarter of the log."""

    def __init__(self, path, rows):
        self.points = collections.defaultdict(list)
        for line in path.open():
            p = json.loads(line)
            if p["row"] > rows / 4:
                self.points[((p["estimator"], p["learning_rate"] or p["half_life"], p["hashes"]), int(p["cohort"]))].append(p)

    def mean(self, field, of, decile):
        return np.mean([p[field] for p in self.points[(of, decile)]])

    def overall(self, field, of):
        return np.mean([self.mean(field, of, d) for d in DECILES])

    def best(self, kind, m):
        return min((of for of, d in self.points if d == 1 and of[0] == kind and of[2] == m), key=lambda of: self.overall("median_absolute", of))


class Lag:
    """Readings of the cohorts: per (estimator, learning rate or half-life, hashes) and cohort, p / share of what follows, by row."""

    def __init__(self, path, out_at):
        self.out_at, self.readings = out_at, collections.defaultdict(dict)
        for line in path.open():
            p = json.loads(line)
            of = (p["estimator"], p["learning_rate"] or p["half_life"], p["hashes"])
            if p["row"] >= out_at[p["cohort"]][0]:
                self.readings[(of, p["cohort"])][p["row"]] = (p["median_ratio"], p["time_us"])

    def reached(self, of, part):
        """Median over the cohorts of the rows and the days until the ratio first is `part`."""
        rows, days = [], []
        for cohort, (row, time_us) in self.out_at.items():
            there = [(r, t) for r, (ratio, t) in sorted(self.readings[(of, cohort)].items()) if ratio >= part]
            rows.append(there[0][0] - row if there else np.inf)
            days.append((there[0][1] - time_us) / DAY_US if there else np.inf)
        return np.median(rows), np.median(days)

    def at(self, of, offset):
        """Median over the cohorts of the ratio at the checkpoint nearest to so many rows after the release."""
        values = []
        for cohort, (row, _) in self.out_at.items():
            readings = self.readings[(of, cohort)]
            if near := [r for r in readings if abs(r - row - offset) <= LAG_EVERY]:
                values.append(readings[min(near, key=lambda r: abs(r - row - offset))][0])
        return np.median(values)


def main():
    shared = ROOT.parent / "shared" / "data" / "mtg_decks"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", default=shared / "interactions.csv.gz")
    parser.add_argument("items", nargs="?", default=shared / "items.csv.gz")
    parser.add_argument("--time", default="timestamp", help="column")
    parser.add_argument("--context", default="format", help="column whose drift inside the window is told")
    parser.add_argument("--window", type=int, default=200000)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "experiments" / "yi-frequency-real")
    args = parser.parse_args()

    def replay(folder, log, *arguments):
        simulate("replay", log, "-o", folder, *arguments)
        return folder / "replay.jsonl"

    timed = ["--time", args.time]
    replays = {}
    for buckets in [ROOMY, *BUCKETS]:
        hashes = [1] if buckets == ROOMY else HASHES
        replays[buckets] = Replay(replay(args.output / str(buckets), args.data, *timed, "--window", args.window, "--buckets", buckets,
                                         "--learning-rates", joined(RATES), "--half-lives", joined(HALF_LIVES), "--hashes", joined(hashes)))
    roomy = replays[ROOMY]
    rows = read_rows(args.data, args.time, args.context)
    items, context = [row[0] for row in rows], np.array([row[2] for row in rows])
    shuffled = {}
    for block in (args.window // 10, args.window):
        folder = args.output / f"shuffled-{block}"
        folder.mkdir(parents=True, exist_ok=True)
        write_shuffled(items, block, folder / "log.csv")
        shuffled[block] = Replay(replay(folder, folder / "log.csv", "--window", args.window, "--buckets", ROOMY,
                                        "--learning-rates", joined(RATES), "--hashes", 1))
    out_at = write_cohorts(rows, args.items, args.output / "cohorts.csv")
    lags = {}
    for buckets in BUCKETS:
        lags[buckets] = Lag(replay(args.output / f"lag-{buckets}", args.data, *timed, "--window", LAG_WINDOW, "--every", LAG_EVERY,
                                   "--cohorts", args.output / "cohorts.csv", "--buckets", buckets, "--learning-rates", joined(LAG_RATES),
                                   "--half-lives", joined(LAG_HALF_LIVES), "--hashes", joined(HASHES)), out_at)

    write_tenths(rows, args.output / "tenths.csv")
    following = {}
    for buckets in BUCKETS:
        for window in NEXT:
            log = replay(args.output / f"next-{window}-{buckets}", args.data, *timed, "--window", window, "--every", 100000,
                         "--cohorts", args.output / "tenths.csv", "--buckets", buckets, "--learning-rates", joined(RATES),
                         "--half-lives", joined(HALF_LIVES), "--hashes", joined(HASHES))
            following[buckets, window] = Following(log, len(rows))

    def percent(x):
        return f"{100 * x:.0f}%"

    def signed(x):
        return f"{x:+.2f}"

    def title(of):
        if of == COUNTS:
            return "counts so far"
        kind, memory, m = of
        return f"{NAMES[kind]}, {f'half-life {memory:,.0f}' if kind == 'count_min' else f'a = {memory:g}'}, m = {m}"

    def per_item(d, group="items"):
        return roomy.mean("share", COUNTS, group, d) * args.window / roomy.mean("items", COUNTS, group, d)

    parts = [f"{len(roomy.rows)} checkpoints, one every {args.window:,} rows; the figures are means over the last {len(roomy.settled)}.", ""]

    parts += ["**Without collisions** (m = 1, 2^20 buckets), tenths of the items; median of |p / share - 1|:", ""]
    alone = [*(("streaming", a, 1) for a in RATES), *(("count_min", h, 1) for h in HALF_LIVES), COUNTS]
    heads = [*(f"a = {a}" for a in RATES), *(f"half-life {h // 1000}k" for h in HALF_LIVES), "counts so far"]
    for group, field, show, name in (("items", "median_absolute", percent, None), ("items", "mean_log_error", signed, "mean of log(p / share)"),
                                     ("rows", "median_absolute", percent, "tenths of the rows (what a row of the window meets), median"),
                                     ("rows", "mean_log_error", signed, "tenths of the rows, mean of log(p / share)")):
        if name:
            parts += [f"The same, {name}:", ""]
        body = [[d, f"{roomy.mean('items', COUNTS, group, d):.0f}", f"{per_item(d, group):.3g}", *(show(roomy.mean(field, of, group, d)) for of in alone)]
                for d in DECILES]
        parts += [table(["decile", "items", "rows per item", *heads], body), ""]

    for buckets in BUCKETS:
        r = replays[buckets]
        parts += [f"**At equal memory, {buckets * 16 // 1024:,} KiB** ({buckets:,} buckets of 16 bytes, or {buckets * 4:,} cells of 4, in all). Each at the setting that",
                  "is best over the tenths of the rows; tenths of the items, median of |p / share - 1|:", ""]
        best = [r.best(kind, m) for kind in NAMES for m in HASHES]
        for field, show, name in (("median_absolute", percent, None), ("mean_log_error", signed, "mean of log(p / share)")):
            if name:
                parts += [f"The same, {name}:", ""]
            body = [[title(of), *(show(r.mean(field, of, "items", d)) for d in DECILES)] for of in best]
            parts += [table(["", *DECILES], body), ""]
        parts += ["Every setting, median of |p / share - 1|, mean of the rows' ten tenths (of the items' ten in brackets):", ""]
        body = []
        for kind in NAMES:
            for memory in HALF_LIVES if kind == "count_min" else RATES:
                body.append([title((kind, memory, 1)).rsplit(",", 1)[0],
                             *(f"{percent(r.overall((kind, memory, m)))} ({percent(r.overall((kind, memory, m), 'items'))})" for m in HASHES)])
        parts += [table(["", *(f"m = {m}" for m in HASHES)], body), ""]

    parts += ["**Against what follows**: the window above holds rows that the estimators have seen, and a decayed count shares their chance with it. Here",
              "p is compared with the share in the NEXT rows, which no estimator has seen. Tenths of the rows of the whole log, each item weighted by its",
              "rows; median of |p / share - 1|, each at its best setting:", ""]
    for (buckets, window), f in following.items():
        best = [f.best(kind, m) for kind in NAMES for m in HASHES] + [COUNTS]
        body = [[title(of), *(percent(f.mean("median_absolute", of, d)) for d in DECILES), percent(f.overall("median_absolute", of)),
                 signed(f.overall("mean_log_error", of))] for of in best]
        parts += [table([f"{buckets * 16 // 1024:,} KiB, the next {window:,}", *DECILES, "mean", "mean log(p / share)"], body), ""]
    f = following[BUCKETS[0], NEXT[1]]
    g = following[BUCKETS[0], NEXT[0]]
    parts += [f"Every setting, {BUCKETS[0] * 16 // 1024:,} KiB, m = 2, mean of the ten tenths: the median of |p / share - 1| and the mean of log(p / share)", ""]
    body = [[title(of), *(show(x.overall(field, of)) for x in (g, f) for field, show in (("median_absolute", percent), ("mean_log_error", signed)))]
            for of in ((kind, memory, 2) for kind in NAMES for memory in (HALF_LIVES if kind == "count_min" else RATES))]
    parts += [table(["", *(f"next {w:,}: {what}" for w in NEXT for what in ("median", "log"))], body), ""]

    contenders = [(kind, memory, m) for kind in NAMES for memory in (LAG_HALF_LIVES if kind == "count_min" else LAG_RATES) for m in HASHES]
    parts += [f"**After a set comes out**: the new cards of {len(out_at)} sets ({', '.join(out_at)}). p of each card over its share of the next {LAG_WINDOW:,} rows,",
              "median weighted by these rows, then the median over the sets, so many rows after the set's 100th; and how long until it first reaches",
              f"a half and 90% (one checkpoint every {LAG_EVERY:,} rows).", ""]

    def lag_text(value):
        return "never" if np.isinf(value[0]) else f"{value[0]:,.0f} ({value[1]:.1f})"

    for buckets in BUCKETS:
        lag = lags[buckets]
        body = [[title(of), *(f"{lag.at(of, offset):.2f}" for offset in OFFSETS), lag_text(lag.reached(of, 0.5)), lag_text(lag.reached(of, 0.9))]
                for of in [*contenders, COUNTS]]
        parts += [table([f"{buckets * 16 // 1024:,} KiB", *(f"{o:,}" for o in OFFSETS), "half: rows (days)", "90%: rows (days)"], body), ""]

    parts += ["**The control**: the same rows, those of each block in an order of chance, no collisions, tenths of the items; median of |p / share - 1|:", ""]
    orders = [("as logged", roomy), *((f"blocks of {block:,}", shuffled[block]) for block in shuffled)]
    for field, show, name in (("median_absolute", percent, None), ("mean_log_error", signed, "mean of log(p / share)")):
        if name:
            parts += [f"The same, {name}:", ""]
        body = [[d, *(show(r.mean(field, ("streaming", a, 1), "items", d)) for a in (0.1, 0.01) for _, r in orders)] for d in DECILES]
        parts += [table(["decile", *(f"a = {a}, {order}" for a in (0.1, 0.01) for order, _ in orders)], body), ""]

    drifts = {row: drift(context, row, args.window) for row in roomy.settled}
    row = max(drifts, key=lambda r: drifts[r][0])
    most, value, last, whole = drifts[row]
    parts += [f"Drift of `{args.context}`: the last tenth of a window differs from the whole of it by {np.mean([d[0] for d in drifts.values()]):.2f} on",
              f"average (total variation), by {most:.2f} at most, where {value} is {percent(last)} of the last tenth and {percent(whole)} of the window.", ""]

    parts += ["Items first seen inside the window, and items seen before but not in it, no collisions:", ""]
    body = [[title(of), f"{roomy.mean('items', of, 'fresh'):.0f}", f"{100 * roomy.mean('share', of, 'fresh'):.2f}%",
             f"{100 * roomy.mean('estimated', of, 'fresh'):.2f}%", signed(roomy.mean("mean_log_error", of, "fresh")),
             f"{roomy.mean('items', of, 'gone'):.0f}", f"{100 * roomy.mean('estimated', of, 'gone'):.2f}%"] for of in alone]
    parts += [table(["", "fresh items", "their share", "sum of p", "mean log(p / share)", "gone items", "sum of p (share 0)"], body)]
    write_block("yi-frequency-real.md", "figures", "\n".join(parts))

    names = {d: f"{d}: {per_item(d):.0f}" if per_item(d) >= 1.5 else f"{d}: 1" for d in DECILES}
    x_label, y_label = "decile of the items by rows in the window, hottest first: rows per item", "median |p / share - 1|"
    # What is left when p is right and the window's count is a draw of it.
    noise = ("noise of the window", "n dash", [(d, 0.6745 / per_item(d) ** 0.5) for d in DECILES if per_item(d) >= 5])
    line_chart(
        PAGES / "yi-frequency-real-deciles.svg", "Relative error of p by popularity of the item (no collisions)", x_label, y_label,
        [*((f"a = {a}", c, roomy.curve("median_absolute", ("streaming", a, 1), "items")) for a, c in zip(RATES, COLORS)),
         ("counts so far", "n", roomy.curve("median_absolute", COUNTS, "items")), noise],
        x_names=names,
    )
    for buckets in BUCKETS:
        r = replays[buckets]
        line_chart(
            PAGES / f"yi-frequency-real-memory-{buckets * 16 // 1024}.svg",
            f"At equal memory, {buckets * 16 // 1024:,} KiB: each at its best setting (broken: m = 4)", x_label, y_label,
            [(f"{SHORT[kind]} m={m}", c + dash, r.curve("median_absolute", r.best(kind, m), "items"))
             for kind, c in zip(NAMES, ("n", "c0", "c1")) for m, dash in ((2, ""), (4, " dash"))],
            x_names=names, y_range=(0, 2),
        )
        line_chart(
            PAGES / f"yi-frequency-real-lag-{buckets * 16 // 1024}.svg", f"After a set of cards comes out, {buckets * 16 // 1024:,} KiB, m = 2",
            "rows since the set's 100th", "p / share of what follows",
            [(f"{SHORT[kind]} {f'{memory // 1000}k' if kind == 'count_min' else memory}", c,
              [(x, lags[buckets].at((kind, memory, 2), x)) for x in range(LAG_EVERY, 200001, 2 * LAG_EVERY)])
             for (kind, memory), c in zip([(k, v) for k in NAMES for v in (LAG_HALF_LIVES if k == "count_min" else LAG_RATES)],
                                          ("n", "n dash", "c0", "c0 dash", "c1", "c1 dash"))],
            y_range=(0, 1.5),
        )
    line_chart(
        PAGES / "yi-frequency-real-shuffled.svg", "What drift inside a window does: as logged, and shuffled in each window", x_label, y_label,
        [*((f"a = {a}", c, roomy.curve("median_absolute", ("streaming", a, 1), "items")) for a, c in zip((0.1, 0.01), "c1 c0".split())),
         *((f"a = {a}, shuffled", f"{c} dash", shuffled[args.window].curve("median_absolute", ("streaming", a, 1), "items"))
           for a, c in zip((0.1, 0.01), "c1 c0".split())),
         noise],
        x_names=names,
    )
    dates = {p["row"]: datetime.datetime.fromtimestamp(p["time_us"] / 1e6, datetime.timezone.utc) for p in roomy.points[COUNTS]}
    line_chart(
        PAGES / "yi-frequency-real-time.svg", "The hottest tenth of the items, checkpoint by checkpoint (no collisions)",
        "end of the window", y_label,
        [*((f"a = {a}", c, [(p["row"], p["median_absolute"]) for p in roomy.select(("streaming", a, 1), "items", 1)]) for a, c in zip(RATES, COLORS)),
         ("counts so far", "n", [(p["row"], p["median_absolute"]) for p in roomy.select(COUNTS, "items", 1)]),
         ("share of fresh", "c4 dash", [(p["row"], p["share"]) for p in roomy.select(COUNTS, "fresh", 0)][1:])],
        x_names={r: f"{dates[r]:%b %Y}" for r in roomy.rows[1::3]},
    )


if __name__ == "__main__":
    main()
