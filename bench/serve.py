"""The server under load: latency over the rate, three times more than it can do, and new bundles meanwhile.

The generator (bench/load.cpp) is open-loop: requests leave when they are due, and latencies count from then. It runs on the
same machine, so a rate is that of the server beside its load, and at three times the rate the load takes more of the CPUs than
at the peak: so the overload is measured a second time with the server on one CPU and the generator on another ("apart"). A round
in which the generator itself was late is measured again. A machine's speed changes from minute to minute, so rounds at the peak
and beyond it take turns, and the medians are compared.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import numpy as np

from _bench import BUILD, PAGES, ROOT, WORK, Result, median, program

sys.path.append(str(ROOT / "experiments"))
from _page import line_chart  # noqa: E402  the charts of the experiments' pages

ITEMS, DIM, K = 100_000, 64, 100
TIMEOUT_MS = 200  # that requests say
GOOD_MS = 250  # an answer that comes later is worth nothing: a client waits a little longer than it says
CONNECTIONS = 3000
LAG_MS = 100  # of the generator, from which a round says nothing about the server
OVERLOAD = 3
LOAD = 0.7  # of the peak, while bundles change


def make(folder):
    """Two bundles of random vectors, and bodies that ask for the items nearest to others."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    bundles = [folder / f"{name}.pagoda" for name in "ab"]
    for bundle in bundles:
        vectors = random.standard_normal((ITEMS, DIM), dtype=np.float32)
        np.save(folder / "vectors.npy", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        subprocess.run([BUILD / "pagoda", "index", "--vectors", folder / "vectors.npy", "-o", bundle], check=True, stderr=subprocess.DEVNULL)
    queries = random.standard_normal((512, DIM)).round(4).tolist()
    bodies = folder / "bodies.jsonl"
    bodies.write_text("".join(json.dumps({"vector": q, "k": K, "timeout_ms": TIMEOUT_MS}) + "\n" for q in queries))
    return bundles, bodies


class Server:
    def __init__(self, bundle, bodies=None, settings=(), cpus=None):
        self.bodies = bodies
        settings = ["serve.watch_ms=0", "serve.drain_ms=0", *settings]
        self.process = subprocess.Popen([BUILD / "pagoda", "serve", bundle, "--http", "127.0.0.1:0", *(word for s in settings for word in ("--set", s))],
                                        stderr=subprocess.PIPE, text=True, preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
        self.port = next(int(found[1]) for line in self.process.stderr if (found := re.search(r"serving at http://127\.0\.0\.1:(\d+)", line)))
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def words(self, rate, seconds):
        return [self.port, rate, seconds, CONNECTIONS, GOOD_MS, self.bodies]

    def cpu_s(self):
        ticks = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def load(self, rate, seconds):
        for _ in range(5):
            before = self.cpu_s()
            [found] = program("load", *self.words(rate, seconds))
            found["server_cpu"], found["generator_cpu"] = ((t / found["seconds"]) for t in (self.cpu_s() - before, found["cpu_s"]))
            if found["lag_most_ms"] < LAG_MS:
                break
            print(f"serve: the generator was late by {found['lag_most_ms']:.0f} ms: once more", file=sys.stderr)
        found["goodput"] = found["good"] / found["seconds"]
        print(f"serve: {rate:,.0f}/s: {found['goodput']:,.0f} good, {became(found)}; "
              f"CPUs busy: {found['server_cpu']:.2f} server, {found['generator_cpu']:.2f} generator", file=sys.stderr)
        return found

    def reloads(self):
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics").read().decode()
        return {outcome: int(float(n)) for outcome, n in re.findall(r'pagoda_reloads_total\{outcome="(\w+)"\} (\S+)', text)}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() != 0:
            raise SystemExit(f"serve: the server ended with status {self.process.returncode}")


def of(found, status):
    return found["statuses"].get(str(status), {"count": 0, "p50_ms": 0.0, "p99_ms": 0.0, "p999_ms": 0.0, "most_ms": 0.0})


def others(found):
    """Requests that were neither answered nor told to come again."""
    return found["planned"] - of(found, 200)["count"] - of(found, 429)["count"]


def became(found):
    """What the requests were answered with, and how soon; lost: the connection closed, or no answer came."""
    words = [f"{s['count']:,} of {status} in {s['p50_ms']:.1f} ms (p99 {s['p99_ms']:.1f}, most {s['most_ms']:.1f})" for status, s in found["statuses"].items()]
    return ", ".join([*words, f"{found['lost']} lost"])


def find_peak(server, rate, step, seconds):
    """The points of the curve, up to a rate of which less than 80% are answered in time."""
    points = []
    while not points or points[-1]["goodput"] >= 0.8 * points[-1]["rate"]:
        points.append(server.load(rate, seconds))
        rate *= step
    return points


def overload(server, points, rounds, seconds):
    """(good answers a second at the best rate of the curve, rounds at three times that)"""
    best = max(points, key=lambda p: p["goodput"])
    calm, beyond = [], []
    for _ in range(rounds):
        calm.append(server.load(best["rate"], seconds)["goodput"])
        beyond.append(server.load(OVERLOAD * max(best["goodput"], *calm), seconds))
    return median(calm), beyond


def overload_results(name, peak, beyond):
    goodput, cpus = median([p["goodput"] for p in beyond]), os.cpu_count()
    return [Result(f"serve_peak{name}", peak, "good answers/s", cpus),
            Result(f"serve_overload_3x{name}", goodput, "good answers/s", cpus, ratio_to_peak=goodput / peak),
            Result(f"serve_overload_3x{name}_429_p99", max(of(p, 429)["p99_ms"] for p in beyond), f"ms, the most of {len(beyond)} rounds", cpus),
            Result(f"serve_overload_3x{name}_other", sum(map(others, beyond)), f"of {sum(p['planned'] for p in beyond):,} requests", cpus),
            Result(f"serve_overload_3x{name}_generator", median([p["generator_cpu"] for p in beyond]), "CPUs busy with the load", cpus)]


def apart(bundle, bodies, quick, seconds):
    """The overload with a CPU for the server and another for the generator."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        return []
    server = Server(bundle, bodies, ["serve.threads=1"], {cpus[0]})
    os.sched_setaffinity(0, {cpus[1]})  # of the generators to come
    try:
        server.load(500, 1)
        points = find_peak(server, 1000, 1.6 if quick else 1.25, seconds)
        return overload_results("_apart", *overload(server, points, 3 if quick else 5, seconds))
    finally:
        os.sched_setaffinity(0, cpus)
        server.stop()


def under_reloads(server, rate, current, bundles, count, pause):
    """(what the load saw, milliseconds a reload took) while `count` bundles come in the place of the current one."""
    generator = subprocess.Popen([BUILD / "bench_load", *map(str, server.words(rate, 3600))], stdout=subprocess.PIPE, text=True)
    took = []
    try:
        time.sleep(1)
        for n in range(count):
            done = server.reloads()
            os.link(bundles[(n + 1) % 2], f"{current}.new")
            os.replace(f"{current}.new", current)
            begin = time.perf_counter()
            server.process.send_signal(signal.SIGHUP)
            while server.reloads() == done:
                time.sleep(0.005)
            took.append(1e3 * (time.perf_counter() - begin))
            time.sleep(pause)
        if server.reloads().get("refused", 0):
            raise SystemExit("serve: a good bundle was refused")
    finally:
        generator.send_signal(signal.SIGTERM)
    found = json.loads(generator.communicate()[0])
    print(f"serve: {count} new bundles at {rate:,.0f}/s: {became(found)}; the generator was late by {found['lag_most_ms']:.0f} ms at most", file=sys.stderr)
    return found, sorted(took)


def run(quick):
    folder = WORK / "serve"
    seconds = 2 if quick else 6
    bundles, bodies = make(folder)
    current = folder / "current.pagoda"
    current.unlink(missing_ok=True)
    os.link(bundles[0], current)
    server = Server(current, bodies)
    try:
        server.load(500, 1)  # warm
        points = find_peak(server, 250, 1.6 if quick else 1.25, seconds)
        peak, beyond = overload(server, points, 3 if quick else 5, seconds)
        points += [server.load(factor * peak, seconds) for factor in (() if quick else (1.5, 2))] + beyond[-1:]
        calm = server.load(LOAD * peak, 5 if quick else 20)
        changing, took = under_reloads(server, LOAD * peak, current, bundles, 10 if quick else 500, 0.5)
    finally:
        server.stop()
    points.sort(key=lambda p: p["rate"])
    results = [
        *overload_results("", peak, beyond),
        *apart(bundles[0], bodies, quick, seconds),
        Result("serve_load_p99", of(calm, 200)["p99_ms"], "ms", os.cpu_count()),
        Result("serve_reloads_p99", of(changing, 200)["p99_ms"], "ms", os.cpu_count()),
        Result("serve_reloads_p99_ratio", of(changing, 200)["p99_ms"] / of(calm, 200)["p99_ms"], "of that without", os.cpu_count()),
        Result("serve_reloads_errors", changing["planned"] - of(changing, 200)["count"], f"of {changing['planned']:,} requests", os.cpu_count()),
        Result("serve_reload", took[len(took) // 2], f"ms, median of {len(took)}", os.cpu_count()),
    ]
    for point in points:
        results += [Result(f"serve_{name}_at_{point['rate']:.0f}", of(point, 200)[f"{name}_ms"], "ms", os.cpu_count()) for name in ("p50", "p99", "p999")]
    if not quick:
        lines = [(name, f"c{n}", [(p["rate"], of(p, 200)[f"{key}_ms"]) for p in points]) for n, (name, key) in enumerate((("p50", "p50"), ("p99", "p99"), ("p99.9", "p999")))]
        turned = [(p["rate"], of(p, 429)["p99_ms"]) for p in points if of(p, 429)["count"]]
        line_chart(PAGES / "serve-latency.svg", f"Latency over the rate; {peak:,.0f} good answers/s at the peak", "requests/s", "ms",
                   [*lines, *([("p99 of 429", "n dash", turned)] if turned else [])], log_x=True, log_y=True)
    return results
