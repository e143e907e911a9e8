"""The end of mtg_decks through a broker of Kafka: a stream beside one model for ever, a retrain each week, and going on each night.

Each hour in which something was played is judged by what the four know before it; then its rows go to the topic, and the
stream learns them. What is done is kept in build/experiments/stream; delete it to begin anew. Half an hour on 2 cores.
"""

import argparse
import collections
import csv
import datetime
import gzip
import json
import pathlib
import shutil
import subprocess
import sys
import time
import zlib

import pyarrow.parquet as pq

from _page import PAGES, PROGRAM, ROOT, line_chart, table, write_block

sys.path.insert(0, str(ROOT / "tests"))
from broker import Broker  # noqa: E402

LOG = ROOT.parent / "shared" / "data" / "mtg_decks" / "interactions.csv.gz"
CONFIG = ROOT / "configs" / "mtg.toml"
METRICS = ("recall@20", "recall@100")
WAYS = {"never": "the first model, never retrained", "weekly": "trained anew each week", "nightly": "`--from` each night", "stream": "`pagoda stream`, each hour"}
PARTITIONS = 4
# Nothing is held out: each model is judged by the hours after it.
SETTINGS = ("--set", "data.split.kind='none'", "--set", "evaluate.baselines=false")


def hour_of(row, when):
    return datetime.datetime.fromtimestamp(int(row[when]) // 3600 * 3600, datetime.timezone.utc)


def write_log(path, head, rows):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows(rows)
    return path


def run(*words):
    """Seconds of the clock."""
    start = time.monotonic()
    done = subprocess.run([PROGRAM, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return time.monotonic() - start


def judge(model, log, folder):
    """{user: its metrics} of those whom the model knows; nothing if it knows none."""
    result = folder / "users.parquet"
    result.unlink(missing_ok=True)
    done = subprocess.run(list(map(str, [PROGRAM, "evaluate", model, "--data", log, "--per-user", result, "--no-baselines"])), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return {row["user_id"]: [row[m] for m in METRICS] for row in pq.read_table(result).to_pylist() if row["history"] > 0 and row[METRICS[0]] is not None}


class Replay:
    def __init__(self, folder, days):
        self.folder = folder
        with gzip.open(LOG, "rt", newline="") as file:
            rows = csv.reader(file)
            self.head = next(rows)
            self.when = self.head.index("timestamp")
            rows = sorted(rows, key=lambda row: int(row[self.when]))
        last = hour_of(rows[-1], self.when).date()
        first = last - datetime.timedelta(days - 1)
        self.before = [row for row in rows if hour_of(row, self.when).date() < first]
        self.days = collections.defaultdict(lambda: collections.defaultdict(list))
        for row in rows[len(self.before):]:
            hour = hour_of(row, self.when)
            self.days[hour.date()][hour].append(row)
        self.first = folder / "first.pagoda"
        self.models = {way: self.first for way in WAYS}
        self.seconds = collections.defaultdict(list)

    def day(self, day, broker, topic):
        """What each way was worth, hour by hour; the stream goes on in between."""
        told = []
        for hour, rows in sorted(self.days[day].items()):
            log = write_log(self.folder / "hour.csv", self.head, rows)
            users = {way: judge(model, log, self.folder) for way, model in self.models.items()}
            both = set.intersection(*map(set, users.values()))
            if both:
                told.append({"hour": f"{hour:%Y-%m-%d %H:%M}", "users": len(both)} | {way: [sum(users[way][u][m] for u in both) / len(both) for m in range(len(METRICS))] for way in WAYS})
                print(json.dumps(told[-1]), flush=True)
            broker.produce(topic, [(zlib.crc32(row[0].encode()) % PARTITIONS, json.dumps(dict(zip(self.head, row)))) for row in rows])
            live = self.folder / "live.pagoda"
            begin = ("--from", self.first) if self.models["stream"] == self.first else ()
            self.seconds["stream"].append(run("stream", "-c", CONFIG, "-o", live, "--once", *begin, *SETTINGS[:2], "--set", f"stream.topic='{topic}'", "--set",
                                              f"stream.kafka.bootstrap.servers='{broker.address}'"))
            if live.exists():
                self.models["stream"] = live
        return told

    def night(self, day, number):
        """After the day: nightly goes on with it, weekly learns all that there is."""
        rows = [row for hour in sorted(self.days[day]) for row in self.days[day][hour]]
        log = write_log(self.folder / "day.csv", self.head, rows)
        model = self.folder / f"nightly-{number % 2}.pagoda"
        self.seconds["nightly"].append(run("train", "-c", CONFIG, "-o", model, "--interactions", log, "--from", self.models["nightly"], *SETTINGS))
        self.models["nightly"] = model
        if number % 7 == 6 and day < max(self.days):  # nothing judges what is made after the last day
            until = [row for d in sorted(self.days) if d <= day for hour in sorted(self.days[d]) for row in self.days[d][hour]]
            log, model = write_log(self.folder / "until.csv", self.head, self.before + until), self.folder / "weekly.pagoda"
            self.seconds["weekly"].append(run("train", "-c", CONFIG, "-o", model, "--interactions", log, *SETTINGS, "--set", "train.keep_state=false"))
            self.models["weekly"] = model


def mean(told, way, metric):
    users = sum(hour["users"] for hour in told)
    return sum(hour[way][metric] * hour["users"] for hour in told) / users


def write_page(told, seconds):
    rows = []
    for way, name in WAYS.items():
        took = seconds.get(way)
        rows.append([name, *(f"{mean(told, way, m):.4f}" for m in range(len(METRICS))), f"{sum(took) / len(took):.1f}" if took else "-"])
    said = f"{len(told)} hours from {told[0]['hour']} to {told[-1]['hour']}, {sum(hour['users'] for hour in told):,} lists judged: those of players whom all four know."
    write_block("stream.md", "figures", table(["", *METRICS, "seconds, each time"], rows) + "\n\n" + said)
    days = sorted({hour["hour"][:10] for hour in told})
    of_day = {day: [hour for hour in told if hour["hour"][:10] == day] for day in days}
    line_chart(PAGES / "stream.svg", "Recall@20 of each hour before it is learnt, by day", "day", METRICS[0],
               [(WAYS[way].replace("`", ""), c, [(n, mean(of_day[day], way, 0)) for n, day in enumerate(days)]) for way, c in (("never", "n"), ("weekly", "c1"), ("nightly", "c0"), ("stream", "c2"))],
               x_names={n: day[5:] for n, day in enumerate(days) if n % max(1, len(days) // 8) == 0})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "experiments" / "stream")
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    replay = Replay(folder, arguments.days)
    if not replay.first.exists():
        run("train", "-c", CONFIG, "-o", replay.first, "--interactions", write_log(folder / "before.csv", replay.head, replay.before), *SETTINGS)
    for old in ("live.pagoda.stream", "live.pagoda.versions", "broker"):
        shutil.rmtree(folder / old, ignore_errors=True)
    (folder / "live.pagoda").unlink(missing_ok=True)
    broker, told = Broker(folder / "broker").start(), []
    try:
        broker("create", "decks", PARTITIONS)
        for number, day in enumerate(sorted(replay.days)):
            told += replay.day(day, broker, "decks")
            replay.night(day, number)
            if number > 0:
                write_page(told, replay.seconds)
    finally:
        broker.kill()


if __name__ == "__main__":
    main()
