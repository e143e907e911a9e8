"""Live events under load: how late an event counts, while the same server answers searches; by its journal, and by a Redis.

Two open-loop generators (bench/load.cpp): one sends events, one each call, the other asks for candidates. An event counts when
its call is answered, so the latency of the call is the time from the click to a changed answer. Both generators and the server
share the machine. Another client posts an event and asks at once, and checks that the answer knows of it.
"""

import http.client
import json
import shutil
import subprocess
import sys
import time

from _bench import BUILD, ROOT, WORK, Result
from serve import Server
from upsert import ITEMS, USERS, make

sys.path.append(str(ROOT / "tests"))
from redis_server import Redis  # noqa: E402

EVENTS, SEARCHES = 2000, 500  # a second
K = 100


def bodies(folder):
    events, searches = folder / "events.jsonl", folder / "searches.jsonl"
    events.write_text("".join(json.dumps({"events": [{"user": f"u{i * 7 % USERS}", "item": f"i{i * 13 % ITEMS}"}]}) + "\n" for i in range(20_000)))
    searches.write_text("".join(json.dumps({"user": f"u{i * 11 % USERS}", "k": K}) + "\n" for i in range(5_000)))
    return events, searches


def checked(port, seconds):
    """Milliseconds from the begin of a post until an answer that knows of it, each checked."""
    connection, took = http.client.HTTPConnection("127.0.0.1", port), []
    end = time.monotonic() + seconds

    def ask(path, body):
        connection.request("POST", path, json.dumps(body))
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise SystemExit(f"events: {path}: {reply.status} {text[:300]}")
        return json.loads(text)

    for i in range(10**9):
        if time.monotonic() > end:
            return sorted(took)
        begin = time.monotonic()
        ask("/v1/events", {"events": [{"user": f"a new one {i}", "item": "i7"}]})
        answer = ask("/v1/retrieve", {"user": f"a new one {i}", "k": K, "explain": True})
        took.append(1e3 * (time.monotonic() - begin))
        if answer["explain"]["live_events"] != 1:
            raise SystemExit("events: an event that was answered did not count")
        time.sleep(0.05)
    raise AssertionError


def measure(bundle, settings, seconds):
    for old in bundle.parent.glob("towers.pagoda.events*"):
        old.unlink()
    server = Server(bundle, settings=settings)
    try:
        loads = []
        for rate, connections, body, path in ((EVENTS, 200, "events.jsonl", "/v1/events"), (SEARCHES, 100, "searches.jsonl", "/v1/retrieve")):
            words = (BUILD / "bench_load", server.port, rate, seconds, connections, 1000, bundle.parent / body, path)
            loads.append(subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE, text=True))
        time.sleep(1)
        took = checked(server.port, seconds - 2)
        return [json.loads(load.communicate()[0]) for load in loads], took
    finally:
        server.stop()


def run(quick):
    folder = WORK / "upsert"  # its bundle
    bundle = make(folder)
    bodies(folder)
    seconds = 6 if quick else 30
    results = []
    data = folder / "redis"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    redis = Redis(data)
    redis.start()
    try:
        for name, settings in (("journal", ()), ("redis", (f"serve.redis={redis.url}",))):
            (events, searches), took = measure(bundle, settings, seconds)
            if events["lost"] or searches["lost"] or set(events["statuses"]) != {"200"} or set(searches["statuses"]) != {"200"}:
                raise SystemExit(f"events: {name}: not every call was answered: {events['statuses']} {searches['statuses']}")
            of, search = events["statuses"]["200"], searches["statuses"]["200"]
            what = f"ms, at {EVENTS:,} events/s and {SEARCHES} searches/s on the same 2 CPUs"
            results += [Result(f"events_{name}_p50", of["p50_ms"], what, 2), Result(f"events_{name}_p99", of["p99_ms"], what, 2),
                        Result(f"events_{name}_most", of["most_ms"], what, 2), Result(f"events_{name}_search_p99", search["p99_ms"], what, 2),
                        Result(f"events_{name}_then_answer_p99", took[int(0.99 * len(took))], f"ms from the event to an answer that knows of it, {len(took)} checked", 2)]
    finally:
        redis.kill()
    return results
