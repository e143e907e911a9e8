"""Night by night over the end of mtg_decks: one model for ever, a full retrain, and going on from the night before."""

import argparse
import collections
import csv
import datetime
import gzip
import json
import os
import pathlib
import subprocess
import time

from _page import PAGES, PROGRAM, ROOT, line_chart, table, write_block

LOG = ROOT.parent / "shared" / "data" / "mtg_decks" / "interactions.csv.gz"
METRICS = ("recall@20", "recall@100")
# Nothing is held out: each model is judged by the day after it.
SETTINGS = ("--set", "data.split.kind='none'", "--set", "evaluate.baselines=false")


def day_of(stamp):
    return datetime.datetime.fromtimestamp(int(stamp), datetime.timezone.utc).date() if stamp.isdigit() else datetime.date.fromisoformat(stamp[:10])


def write_days(folder, nights):
    """before.csv with all but the last days, and DAY.csv for each of these; their names, the oldest first."""
    with gzip.open(LOG, "rt", newline="") as file:
        rows = csv.reader(file)
        head = next(rows)
        when = head.index("timestamp")
        days = collections.defaultdict(list)
        for row in rows:
            days[day_of(row[when])].append(row)
    names = sorted(days)
    last = names[-nights - 1:]
    for name, part in (("before", [d for d in names if d not in last]), *((str(d), [d]) for d in last)):
        with open(folder / f"{name}.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(head)
            for day in part:
                out.writerows(days[day])
    return [str(d) for d in last]


def train(config, output, logs, *extra):
    """Seconds of the program's own time, of all threads, and of the clock."""
    command = [PROGRAM, "train", "-c", config, "-o", output, "--interactions", *logs, *SETTINGS, *extra]
    before, start = os.times(), time.monotonic()
    subprocess.run(list(map(str, command)), check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, time.monotonic() - start


def judge(model, log):
    """The figures of a model by a day, and how many users stand behind them."""
    figures = model.with_suffix(".json")
    subprocess.run(list(map(str, [PROGRAM, "evaluate", model, "--data", log, "--json", figures, "--no-baselines"])), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told = json.loads(figures.read_text())
    return {m: told["metrics"][m] for m in METRICS} | {"users": told["users"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--full-every", type=int, default=5, help="nights between two full retrains, which take nearly all of the time")
    parser.add_argument("--config", default=ROOT / "configs" / "mtg.toml")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "experiments" / "go-on")
    parser.add_argument("--more", action="append", default=[], help="a.b=v, for what goes on; the page stays as it is")
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    days = write_days(folder, arguments.nights)
    log = {day: folder / f"{day}.csv" for day in days}
    first = folder / "first.pagoda"
    seconds, _ = train(arguments.config, first, [folder / "before.csv"])
    print(f"the first model: {seconds:.0f} s of CPU time", flush=True)
    told, latest = [], first
    for n, (day, following) in enumerate(zip(days, days[1:])):
        night = {"day": day, "never": judge(first, log[following])}
        more = folder / f"on-{n % 2}.pagoda"
        settings = [word for setting in arguments.more for word in ("--set", setting)]
        cpu, clock = train(arguments.config, more, [log[day]], "--from", latest, *settings)
        latest = more
        night["on"] = judge(more, log[following]) | {"cpu": cpu, "clock": clock}
        if n % arguments.full_every == 0:
            full = folder / "full.pagoda"
            cpu, clock = train(arguments.config, full, [folder / "before.csv", *(log[d] for d in days[:n + 1])], "--set", "train.keep_state=false")
            night["full"] = judge(full, log[following]) | {"cpu": cpu, "clock": clock}
        told.append(night)
        print(json.dumps(night), flush=True)
        (folder / "nights.json").write_text(json.dumps(told, indent=1))
    for way in ("never", "on"):
        print(way, *(f"{m} {mean(told, way, m):.4f}" for m in METRICS))
    if not arguments.more:
        write_page(told)


def mean(nights, way, metric):
    users = sum(night[way]["users"] for night in nights)
    return sum(night[way][metric] * night[way]["users"] for night in nights) / users


def write_page(told):
    both = [night for night in told if "full" in night]
    rows = []
    for way, name in (("never", "the first model, never retrained"), ("full", "trained anew each night"), ("on", "`--from` the night before")):
        seconds = [night[way]["cpu"] for night in both if "cpu" in night[way]]
        rows.append([name, *(f"{mean(both, way, m):.4f}" for m in METRICS), f"{sum(seconds) / len(seconds):.1f}" if seconds else "-"])
    write_block("go-on.md", "nights", table(["", *METRICS, "CPU seconds a night"], rows))
    place = {night["day"]: k for k, night in enumerate(told)}
    line_chart(PAGES / "go-on.svg", "Recall@100 of the day after", "night", "recall@100",
               [(name, c, [(place[night["day"]], night[way]["recall@100"]) for night in told if way in night])
                for way, name, c in (("never", "never retrained", "n"), ("full", "anew each night", "c1"), ("on", "--from", "c0"))],
               x_names={k: night["day"][5:] for k, night in enumerate(told) if k % max(1, len(told) // 8) == 0})


if __name__ == "__main__":
    main()
