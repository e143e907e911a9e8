"""Recall and speed of the partitioned index beside its peers, on one thread.

    ./run bench index                                 1M x 64, k = 10, 100, 1000, 2000, 5000, and filters
    .bench/bin/python bench/index.py --k 2000         one length of list, once the programs are built

The vectors have the spectrum of a real catalogue (bench/_vectors.py); the truth is the exact index of this program. Each peer
is tried over its own parameters, ours over the wanted recall, one setting after another in turns, so that what the machine
does meanwhile meets all of them. Speeds are compared at equal recall, interpolated between the two settings around it.
Peers come from PyPI into an environment of their own (.bench). Results: build/bench/index/k*.json, and a table.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

from _bench import ROOT, cpu, environment

FOLDER = ROOT / "build/bench/index"
ENVIRONMENT = ROOT / ".bench"
RECALLS = [0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995]
AT = [0.9, 0.95, 0.99]
SHARES = [0.5, 0.1, 0.01, 1e-4]
NONE = 2**32 - 1


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=float, default=1e6)
    parser.add_argument("--k", default="10,100,1000,2000,5000")
    parser.add_argument("--noise", type=float, default=0.09, help="of the vectors; larger is harder")
    parser.add_argument("--peers", default="all", help="names with commas, or none")
    parser.add_argument("--queries", type=int, default=256)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for building alone")
    parser.add_argument("--interactions", type=pathlib.Path, help="Gowalla's train.txt.gz, which the vectors are made from",
                        default=ROOT.parent / "shared/data/gowalla/train.txt.gz")
    parser.add_argument("--table", action="store_true", help="print the table of what was measured before")
    return parser.parse_args()


def own_environment():
    """Runs this script again with the peers' packages."""
    python = environment(ENVIRONMENT, "index_requirements.txt")
    os.execv(python, [str(python), *sys.argv])


class Ours:
    """bench_index, asked line by line."""

    name = "pagoda"

    def __init__(self, folder, threads=1):
        self.rows = folder / "pagoda.rows"
        words = [ROOT / "build/release/bench_index", folder / "items.npy", folder / "queries.npy", folder / "pagoda", str(threads)]
        self.program = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.program.stdin, flush=True)
        line = self.program.stdout.readline()
        if not line:
            raise SystemExit(f"bench_index ended at: {words}")
        return json.loads(line)

    def found(self, k):
        return np.fromfile(self.rows, np.uint32).reshape(-1, k)

    def end(self):
        self.program.stdin.close()
        self.program.wait()


def recall(found, truth):
    hits = sum(len(np.intersect1d(a, b[b != NONE])) for a, b in zip(found, truth))
    return hits / max(1, (truth != NONE).sum())


def measure_peer(peer, queries, k, setting, truth):
    peer.search(queries[:8], k, setting)
    took, found = [], []
    for i in range(len(queries)):
        begin = time.perf_counter()
        found.append(peer.search(queries[i : i + 1], k, setting))
        took.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    peer.search(queries, k, setting)
    batch = len(queries) / (time.perf_counter() - begin)
    return {"setting": setting, "recall": recall(np.concatenate(found), truth), "p50_ms": 1e3 * float(np.median(took)),
            "p99_ms": 1e3 * float(np.quantile(took, 0.99)), "batch_qps": batch}


def measure_ours(ours, n, k, wanted, truth):
    ours.ask("search", k, wanted, 0, 8, 1)
    single = ours.ask("search", k, wanted, 0, n, 1)
    found = ours.found(k)
    batch = ours.ask("search", k, wanted, 0, n, 256)
    return {"setting": wanted, "recall": recall(found, truth), "p50_ms": single["p50_ms"], "p99_ms": single["p99_ms"],
            "batch_qps": batch["qps"], "scored": single["scored"], "reranked": single["reranked"]}


def measure_filters(ours, n, k, wanted):
    rows, plain = [], ours.ask("search", k, wanted, 0, n, 1)
    for share in [1, *SHARES]:
        ours.ask("exact", k, 0, n, 256, share)
        truth = ours.found(k).copy()
        ours.ask("search", k, wanted, 0, 8, 1, share)
        single = ours.ask("search", k, wanted, 0, n, 1, share)
        found = ours.found(k)
        filled = (found != NONE).sum() / max(1, (truth != NONE).sum())
        rows.append({"share": share, "plan": single["plan"], "recall": recall(found, truth), "filled": float(filled),
                     "p50_ms": single["p50_ms"], "p99_ms": single["p99_ms"], "qps": single["qps"],
                     "of_unfiltered": single["qps"] / plain["qps"], "scored": single["scored"]})
    return rows


def at_recall(points, wanted, key):
    """The value at that recall, between the two settings around it on the front; None when it was not reached."""
    better = max if key == "batch_qps" else min
    best = None
    points = sorted(points, key=lambda p: p["recall"])
    for a in points:
        if a["recall"] >= wanted:
            best = a[key] if best is None else better(best, a[key])
        for b in points:
            if a["recall"] < wanted <= b["recall"]:
                f = (wanted - a["recall"]) / (b["recall"] - a["recall"])
                value = float(np.exp((1 - f) * np.log(a[key]) + f * np.log(b[key])))
                # Between neighbours alone: a straight line between far points would promise what was not measured.
                if not any(a["recall"] < c["recall"] < b["recall"] for c in points):
                    best = value if best is None else better(best, value)
    return best


def table(results):
    def cell(value, digits):
        return "-" if value is None else f"{value:.{digits}f}"

    lines = []
    for r in sorted(results, key=lambda r: r["k"]):
        lines += [f"\nk = {r['k']}", "", "| | " + " | ".join(f"ms at recall {a}" for a in AT) + " | " +
                  " | ".join(f"batch QPS at {a}" for a in AT) + " |", "|---|" + "---|" * (2 * len(AT))]
        for name, points in r["systems"].items():
            lines.append(f"| {name} | " + " | ".join(cell(at_recall(points, a, "p50_ms"), 2) for a in AT) + " | " +
                         " | ".join(cell(at_recall(points, a, "batch_qps"), 0) for a in AT) + " |")
        lines += ["", f"Wanted and measured recall of ours: " +
                  ", ".join(f"{p['setting']} {p['recall']:.3f}" for p in r["systems"]["pagoda"] if p["setting"] >= 0.9)]
        lines += ["", "| matching | plan | recall | filled | p50 ms | p99 ms | QPS of unfiltered |", "|---|---|---|---|---|---|---|"]
        lines += [f"| {f['share']:g} | {f['plan']} | {f['recall']:.3f} | {f['filled']:.0%} | {f['p50_ms']:.2f} | {f['p99_ms']:.2f} | "
                  f"{f['of_unfiltered']:.2f} |" for f in r["filters"]]
    return "\n".join(lines)


def main():
    options = arguments()
    if options.table:
        print(table([json.loads(p.read_text()) for p in FOLDER.glob("k*.json")]))
        return
    subprocess.run(["ninja", "-C", ROOT / "build/release", "bench_index"], check=True, stdout=subprocess.DEVNULL)
    import _peers
    import _vectors

    items = int(options.items)
    folder = FOLDER / f"{items}-{options.noise:g}"
    vectors, queries = _vectors.make(options.interactions, items, 2000, options.noise, folder)
    queries = np.ascontiguousarray(queries[: options.queries])
    names = _peers.NAMES if options.peers == "all" else [p for p in options.peers.split(",") if p != "none"]
    if not (folder / "pagoda.json").exists():
        builder = Ours(folder, options.threads)
        (folder / "pagoda.json").write_text(json.dumps(builder.ask("build", 0.95, 2000, 0)))
        builder.end()
    peers = [_peers.make(name, vectors, folder, options.threads) for name in names]
    ours = Ours(folder)
    for k in map(int, options.k.split(",")):
        ours.ask("exact", k, 0, len(queries), 256)
        truth = ours.found(k).copy()
        settings = {peer.name: peer.settings(k) for peer in peers}
        points = {"pagoda": [], **{peer.name: [] for peer in peers}}
        for turn in range(max(len(RECALLS), *(len(s) for s in settings.values()), 0) if settings else len(RECALLS)):
            if turn < len(RECALLS):
                points["pagoda"].append(measure_ours(ours, len(queries), k, RECALLS[turn], truth))
            for peer in peers:
                if turn < len(settings[peer.name]):
                    points[peer.name].append(measure_peer(peer, queries, k, settings[peer.name][turn], truth))
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        result = {"k": k, "items": items, "dim": int(queries.shape[1]), "noise": options.noise, "queries": len(queries), "threads": 1,
                  "cpu": cpu(), "machine": platform.machine(), "commit": commit, "build": json.loads((folder / "pagoda.json").read_text()),
                  "systems": points, "filters": measure_filters(ours, len(queries), k, 0.95)}
        (FOLDER / f"k{k}.json").write_text(json.dumps(result, indent=1))
        print(table([result]), flush=True)
    ours.end()


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    try:
        import faiss  # noqa: F401
        import numpy as np
    except ImportError:
        own_environment()
    main()
