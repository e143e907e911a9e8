"""Searches while items are added in bulk: how late a change can be found, and the longest that a search takes meanwhile.

One client asks a search every other millisecond, another sends items as fast as they are taken. What a search takes is what the
server says of it, in the queue and in the search, so that the clients, which run on the same machine, are not counted; they take
CPUs from it all the same, so the calm before stands beside. More items make every search longer: a pause is what one took beyond
the median of those around it.
"""

import http.client
import json
import multiprocessing
import os
import subprocess
import sys
import time

from _bench import BUILD, WORK, Result, median
from serve import Server

ITEMS, USERS, ROWS = 100_000, 5_000, 200_000
AT_ONCE = 256  # items of a call
GAP_S = 0.002
PAUSE_MS = 5  # longer than this no pause shall be
AROUND = 15  # searches on either side


def make(folder):
    """A bundle with towers, and calls that add items."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle, world = folder / "towers.pagoda", folder / "world"
    if not bundle.exists():
        say = dict(check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        subprocess.run([BUILD / "pagoda", "simulate", "world", "--interactions", str(ROWS), "--users", str(USERS), "--items", str(ITEMS), "--format", "parquet", "-o", world], **say)
        subprocess.run([BUILD / "pagoda", "init", world / "interactions.parquet", "--items", world / "items.parquet", "-o", folder / "pagoda.toml"], **say)
        subprocess.run([BUILD / "pagoda", "train", "-c", folder / "pagoda.toml", "--set", "train.epochs=1", "-o", bundle], **say)
    return bundle


def call(i, n):
    items = [{"item": f"new{j}", "attributes": {"title": f"The {j % 977} of {j % 31}", "genres": [f"genre {j % 19}"], "author": f"author {j % 5003}", "minutes": 60 + j % 90}}
             for j in range(i, min(i + AT_ONCE, n))]
    return json.dumps({"items": items})


def ask(connection, path, body):
    connection.request("POST", path, body)
    reply = connection.getresponse()
    text = reply.read()
    if reply.status != 200:
        raise SystemExit(f"upsert: {path}: {reply.status} {text[:300]}")
    return json.loads(text)


def search(port, stop, found):
    """Puts a list of (moment, milliseconds in the queue and the search) into `found` when stopped."""
    connection, took = http.client.HTTPConnection("127.0.0.1", port), []
    body = json.dumps({"user": "u1", "k": 100, "explain": True})
    while not stop.is_set():
        times = ask(connection, "/v1/retrieve", body)["explain"]["times_ms"]
        took.append((time.monotonic(), times["queue"] + times["encode"] + times["filter"] + times["search"]))
        time.sleep(GAP_S)
    found.put(took)


def add(port, n, go, done):
    """Puts the milliseconds that each call took into `done`."""
    bodies = [call(i, n) for i in range(0, n, AT_ONCE)]
    go.wait()
    os.nice(10)  # a client elsewhere would not take the server's CPUs
    connection, took = http.client.HTTPConnection("127.0.0.1", port), []
    for body in bodies:
        begin = time.monotonic()
        ask(connection, "/v1/items:upsert", body)
        took.append(1e3 * (time.monotonic() - begin))
    done.put(took)


def measure(bundle, n):
    """(milliseconds of searches in calm in their order, of searches while n items come and for a second more, of the calls that add, seconds of all)"""
    journal = bundle.parent / (bundle.name + ".items")
    journal.unlink(missing_ok=True)
    server = Server(bundle)
    try:
        go, stop, found, done = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Queue(), multiprocessing.Queue()
        adding = multiprocessing.Process(target=add, args=(server.port, n, go, done))
        adding.start()
        time.sleep(3)  # its calls are made
        searching = multiprocessing.Process(target=search, args=(server.port, stop, found))
        searching.start()
        time.sleep(3)
        begin = time.monotonic()
        go.set()
        calls = done.get()
        seconds = time.monotonic() - begin
        time.sleep(1)  # a merge may be under way
        stop.set()
        searches = found.get()
        searching.join(), adding.join()
    finally:
        server.stop()
        journal.unlink(missing_ok=True)
    calm = [ms for at, ms in searches if at < begin]
    busy = [ms for at, ms in searches if at >= begin]
    return calm, busy, sorted(calls), seconds


def pauses(took):
    """Sorted."""
    return sorted(ms - median(took[max(0, i - AROUND):i + AROUND + 1]) for i, ms in enumerate(took))


def run(quick):
    results = []
    bundle = make(WORK / "upsert")
    for n in (10_000,) if quick else (10_000, 100_000):
        calm, busy, calls, seconds = measure(bundle, n)
        paused, paused_in_calm = pauses(busy), pauses(calm)
        late = sum(ms > PAUSE_MS for ms in paused)
        print(f"upsert: {n:,} items in {seconds:.1f} s; {len(busy):,} searches meanwhile, {late} pauses over {PAUSE_MS} ms; the longest "
              f"{', '.join(f'{ms:.1f}' for ms in paused[-5:])} ms, in calm {', '.join(f'{ms:.1f}' for ms in paused_in_calm[-5:])} ms", file=sys.stderr)
        calm, busy = sorted(calm), sorted(busy)
        cpus = os.cpu_count()
        results += [Result(f"upsert_{n}_rate", n / seconds, "items/s", cpus),
                    Result(f"upsert_{n}_call_most", calls[-1], "ms until found", cpus),
                    Result(f"upsert_{n}_search_p50", busy[len(busy) // 2], f"ms, in calm {calm[len(calm) // 2]:.2f}", cpus),
                    Result(f"upsert_{n}_search_p999", busy[int(0.999 * len(busy))], f"ms, in calm {calm[int(0.999 * len(calm))]:.2f}", cpus),
                    Result(f"upsert_{n}_pause_most", paused[-1], f"ms, in calm {paused_in_calm[-1]:.2f}", cpus),
                    Result(f"upsert_{n}_pauses_over_{PAUSE_MS}ms", late, f"of {len(busy):,} searches, in calm {sum(ms > PAUSE_MS for ms in paused_in_calm)} of {len(calm):,}", cpus)]
    return results
