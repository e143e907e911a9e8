"""Recall and speed of the partitioned index beside its peers, on one thread.

    ./run bench index                                       1M and 10M x 64, k = 10, 100, 1000, 2000, 5000, and filters
    .bench/bin/python bench/index.py --items 1e6 --k 2000   one size and one length of list, once the programs are built

The vectors have the spectrum of a real catalogue (bench/_vectors.py); the truth is the exact index of this program. Each peer
is tried over its own parameters, ours over the wanted recall, one setting after another in turns, so that what the machine
does meanwhile meets all of them. Speeds are compared at equal recall, interpolated between the two settings around it.
Times on one thread are of its CPU clock, which stands still while another program has the core.
Peers come from PyPI into an environment of their own (.bench). What was measured lies in build/bench/index/*/k*.json; a page
of all of it is docs/benchmarks/index.md.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

from _bench import Asked, BUILD, PAGES, ROOT, WORK, Result, commit, cpu, environment

FOLDER = WORK / "index"
ENVIRONMENT = ROOT / ".bench"
RECALLS = [0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995]
AT = [0.9, 0.95, 0.99]
SHARES = [0.5, 0.1, 0.01, 1e-4]
LENGTHS = [10, 100, 1000, 2000, 5000]
BATCH = 256
ROUNDS = 3  # of a batch, the best of which counts
LARGE = 5 * 10**7  # from so many items on the vectors are stored as f16: as f32 they would not stay in memory
NONE = 2**32 - 1


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=float, help="one size alone; otherwise 1e6 and 1e7")
    parser.add_argument("--k", default=",".join(map(str, LENGTHS)))
    parser.add_argument("--noise", type=float, default=0.09, help="of the vectors; larger is harder")
    parser.add_argument("--peers", default="all", help="names with commas, or none")
    parser.add_argument("--queries", type=int, default=BATCH)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for building alone")
    parser.add_argument("--interactions", type=pathlib.Path, help="Gowalla's train.txt.gz, which the vectors are made from",
                        default=ROOT.parent / "shared/data/gowalla/train.txt.gz")
    parser.add_argument("--quick", action="store_true", help="200,000 items, k = 2000, two peers, no page")
    parser.add_argument("--page", action="store_true", help="write the page of what was measured before")
    return parser.parse_args()


def own_megabytes(pid):
    """Of a process's memory what is its own: mapped files, which the system lets go when it wants to, are not."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(("RssAnon", "RssShmem")))


def build(folder, items, queries):
    """The bundle of `pagoda index`, with the queries' last quarter to measure its recall with; what it cost."""
    np.save(folder / "held.npy", queries[len(queries) * 3 // 4 :])
    words = ["--kind", "partitioned", "--recall", "0.95", "--k", "2000", "--precision", "f16" if items >= LARGE else "f32"]
    files = ["--vectors", folder / "items.npy", "--queries", folder / "held.npy", "-o", folder / "pagoda"]
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    program, own_mb = subprocess.Popen([BUILD / "pagoda", "index", *words, *files]), 0
    while program.poll() is None:
        own_mb = max(own_mb, own_megabytes(program.pid))
        time.sleep(0.1)
    if program.returncode != 0:
        raise SystemExit(f"pagoda index ended with {program.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": time.perf_counter() - begin, "cpu_seconds": spent, "peak_own_mb": own_mb, "peak_rss_mb": after.ru_maxrss / 1024}


class Ours(Asked):
    """bench_index, with one line for an answer."""

    def __init__(self, folder, threads=1):
        super().__init__(BUILD / "bench_index", folder / "items.npy", folder / "queries.npy", folder / "pagoda", threads)
        self.rows = folder / "pagoda.rows"

    def ask(self, *words):
        [line] = super().ask(*words)
        return line

    def found(self, k):
        return np.fromfile(self.rows, np.uint32).reshape(-1, k)


def recall(found, truth):
    hits = sum(len(np.intersect1d(a, b[b != NONE])) for a, b in zip(found, truth))
    return hits / max(1, (truth != NONE).sum())


def measure_peer(peer, queries, k, setting, truth):
    peer.search(queries, k, setting)  # the caches and the clock of the core are its own again
    took, found = [], []
    for i in range(len(queries)):
        begin = time.process_time()
        found.append(peer.search(queries[i : i + 1], k, setting))
        took.append(time.process_time() - begin)
    whole = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        peer.search(queries, k, setting)
        whole.append(time.process_time() - begin)
    batch = len(queries) / min(whole)
    return {"setting": setting, "recall": recall(np.concatenate(found), truth), "p50_ms": 1e3 * float(np.median(took)),
            "p99_ms": 1e3 * float(np.quantile(took, 0.99)), "batch_qps": batch}


def measure_ours(ours, n, k, wanted, truth):
    ours.ask("search", k, wanted, 0, n, 1)
    single = ours.ask("search", k, wanted, 0, n, 1)
    found = ours.found(k)
    batch = max(ours.ask("search", k, wanted, 0, n, BATCH)["qps"] for _ in range(ROUNDS))
    parts = {key: single[key] for key in ("wall_p50_ms", "scored", "reranked", "centres_ms", "scan_ms", "rerank_ms")}
    return {"setting": wanted, "recall": recall(found, truth), "p50_ms": single["p50_ms"], "p99_ms": single["p99_ms"],
            "batch_qps": batch, **parts}


def measure_two_cores(one, two, n, k, wanted=0.95):
    """Milliseconds a query on one core and on two, by the clock on the wall: the median and the mean of the queries, in turns."""
    for ours in (one, two):
        ours.ask("search", k, wanted, 0, n, 1)
    turns = [[ours.ask("search", k, wanted, 0, n, 1) for ours in (one, two)] for _ in range(2 * ROUNDS + 1)]
    return {key: [float(np.median([turn[i][key] for turn in turns])) for i in range(2)] for key in ("wall_p50_ms", "wall_mean_ms", "p99_ms")}


def measure_filters(ours, truths, n, k, wanted):
    rows, plain = [], ours.ask("search", k, wanted, 0, n, 1)
    for share in [1, *SHARES]:
        truth = truths[k, share]
        ours.ask("search", k, wanted, 0, 8, 1, share)
        single = ours.ask("search", k, wanted, 0, n, 1, share)
        found = ours.found(k)
        filled = (found != NONE).sum() / max(1, (truth != NONE).sum())
        rows.append({"share": share, "plan": single["plan"], "recall": recall(found, truth), "filled": float(filled),
                     "p50_ms": single["p50_ms"], "p99_ms": single["p99_ms"], "qps": single["qps"],
                     "of_unfiltered": single["qps"] / plain["qps"], "scored": single["scored"]})
    return rows


def exact_answers(folder, k_list, n, threads):
    """{(k, share that matches): rows}, kept in the folder. By a process of its own: what it reads is not to stand in the way."""
    paths = {(k, share): folder / f"exact-{n}-{k}-{share:g}.npy" for k in k_list for share in (1, *SHARES)}
    missing = {key: path for key, path in paths.items() if not path.exists()}
    if missing:
        with Ours(folder, threads) as scan:
            for (k, share), path in missing.items():
                scan.ask("exact", k, 0, n, BATCH, share)
                np.save(path, scan.found(k))
    return {key: np.load(path) for key, path in paths.items()}


def measure(items, k_list, names, options):
    """Results of one size, a file for each k."""
    import _peers
    import _vectors

    folder = FOLDER / f"{items}-{options.noise:g}"
    vectors, queries = _vectors.make(options.interactions, items, 2000, options.noise, folder)
    if not (folder / "pagoda.json").exists():
        (folder / "pagoda.json").write_text(json.dumps(build(folder, items, queries)))
    queries = np.ascontiguousarray(queries[: options.queries])
    truths = exact_answers(folder, k_list, len(queries), options.threads)
    peers = [_peers.make(name, vectors, folder, options.threads) for name in names]
    n, results = len(queries), []
    with Ours(folder) as ours, Ours(folder, 2) as both_cores:  # of the bundle's mapping, which both have
        for k in k_list:
            truth = truths[k, 1]
            settings = {peer.name: peer.settings(k) for peer in peers}
            recalls = RECALLS[4:] if options.quick else RECALLS
            points = {"pagoda": [], **{peer.name: [] for peer in peers}}
            for turn in range(max(len(recalls), *map(len, settings.values()), 0)):
                if turn < len(recalls):
                    points["pagoda"].append(measure_ours(ours, n, k, recalls[turn], truth))
                for peer in peers:
                    if turn < len(settings[peer.name]):
                        points[peer.name].append(measure_peer(peer, queries, k, settings[peer.name][turn], truth))
            builds = {"pagoda": json.loads((folder / "pagoda.json").read_text()) | ours.ask("about"), **{peer.name: peer.built for peer in peers}}
            results.append({"k": k, "items": items, "dim": int(queries.shape[1]), "noise": options.noise, "queries": n, "cpu": cpu(), "commit": commit(),
                            "build": builds, "systems": points, "exact_int8": ours.ask("search", k, 1, 0, 8 if items >= LARGE else min(n, 64), 1),
                            "filters": measure_filters(ours, truths, n, k, 0.95)})
        for result in results:
            result["two_cores"] = measure_two_cores(ours, both_cores, n, result["k"])
            if not options.quick:
                (folder / f"k{result['k']}.json").write_text(json.dumps(result, indent=1))
    return results


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


def best_peer(result, wanted, key):
    """(its value, its name) at that recall; (None, None) when no peer reached it."""
    pick = max if key == "batch_qps" else min
    values = [(at_recall(points, wanted, key), name) for name, points in result["systems"].items() if name != "pagoda"]
    return pick((v for v in values if v[0] is not None), default=(None, None))


def size_of(items):
    return f"{items // 10**6}m" if items >= 10**6 else f"{items // 1000}k"


def as_results(result):
    """What ./run bench tells of one k: each at equal recall beside the best peer."""
    name, ours, out = f"index_{size_of(result['items'])}_k{result['k']}", result["systems"]["pagoda"], []
    for key, unit, word in (("p50_ms", "ms", ""), ("batch_qps", "queries/s", f"_batch{min(BATCH, result['queries'])}")):
        for wanted in (0.95, 0.99):
            own, (theirs, peer) = at_recall(ours, wanted, key), best_peer(result, wanted, key)
            if own is None:
                continue
            ratio = None if theirs is None else theirs / own if key == "p50_ms" else own / theirs
            out.append(Result(f"{name}_recall{wanted}{word}", own, unit, 1, ratio_to_peer=ratio, peer=peer))
    return out


def markdown(head, rows):
    return ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1), *("| " + " | ".join(row) + " |" for row in rows)]


def cell(value, digits=2):
    return "-" if value is None else f"{value:,.{digits}f}"


def tables(result):
    ours, batch = result["systems"]["pagoda"], min(BATCH, result["queries"])
    lines = [f"### k = {result['k']}", ""]
    lines += markdown(["", *(f"ms at recall {a}" for a in AT), *(f"p99 ms at {a}" for a in AT), *(f"QPS in batches of {batch} at {a}" for a in AT)],
                      [[name, *(cell(at_recall(points, a, "p50_ms")) for a in AT), *(cell(at_recall(points, a, "p99_ms")) for a in AT),
                        *(cell(at_recall(points, a, "batch_qps"), 0) for a in AT)] for name, points in result["systems"].items()])
    ratios = []
    for key, word in (("p50_ms", "single queries"), ("batch_qps", f"batches of {batch}")):
        for wanted in (0.95, 0.99):
            own, (theirs, peer) = at_recall(ours, wanted, key), best_peer(result, wanted, key)
            if own is not None and theirs is not None:
                ratios.append(f"{word} at recall {wanted}: x{theirs / own if key == 'p50_ms' else own / theirs:.2f} of {peer}")
    exact, two, tail = result["exact_int8"], result["two_cores"], at_recall(ours, 0.95, "p99_ms")
    lines += ["", "; ".join(ratios) + "." if ratios else ""]
    if tail is not None:
        lines += [f"The scan of all rows' codes takes {exact['scan_ms']:.2f} ms: p99 at recall .95 is 1/{exact['scan_ms'] / tail:.1f} of it."]
    if two:
        (p50, p50_both), (mean, mean_both) = two["wall_p50_ms"], two["wall_mean_ms"]
        lines += [f"One query on two cores, by the clock on the wall: median {p50:.2f} ms on one core, {p50_both:.2f} on two, x{p50 / p50_both:.2f}; "
                  f"mean {mean:.2f} and {mean_both:.2f}, x{mean / mean_both:.2f}."]
    lines += ["Recall wanted and measured: " + ", ".join(f"{p['setting']} {p['recall']:.3f}" for p in ours if p["setting"] >= 0.9) + ".", ""]
    lines += markdown(["share that matches", "plan", "recall", "filled", "p50 ms", "p99 ms", "QPS of the unfiltered"],
                      [[f"{f['share']:g}", f["plan"], f"{f['recall']:.3f}", f"{f['filled']:.0%}", cell(f["p50_ms"]), cell(f["p99_ms"]),
                        cell(f["of_unfiltered"])] for f in result["filters"]])
    return lines + [""]


def write_page():
    sizes = {}
    for path in FOLDER.glob("*/k*.json"):
        result = json.loads(path.read_text())
        sizes.setdefault(result["items"], []).append(result)
    lines = []
    for items, results in sorted(sizes.items()):
        results.sort(key=lambda r: r["k"])
        last, builds = results[-1], {}
        for result in results:
            builds |= result["build"]
        lines += [f"## {items:,} x {last['dim']}", ""]
        lines += markdown(["", "build on two cores, s", "CPU time, s", "index, MB"],
                          [[name, cell(b["seconds"], 0), cell(b.get("cpu_seconds"), 0), cell(b["bytes"] / 1e6, 0)] for name, b in builds.items()])
        own = builds["pagoda"]
        without = f", {own['peak_own_mb']:,.0f} MB without" if "peak_own_mb" in own else ""
        lines += ["", f"Built from the file to the bundle by `pagoda index`, {own['peak_rss_mb']:,.0f} MB at most, mapped files included{without}. Serving: "
                  f"{own['own_mb']:,.0f} MB of ids and the like; of the mapped bundle, the codes and what goes with them, {own['bytes'] / 1e6:,.0f} MB, and rows as they are reranked."]
        lines += ["", *(line for r in results for line in tables(r)), f"{last['cpu']}, {last['queries']} queries, noise {last['noise']}, commit {last['commit']}.", ""]
    page = PAGES / "index.md"
    before, rest = page.read_text().split("<!-- figures -->")
    after = rest.split("<!-- /figures -->")[1]
    page.write_text(f"{before}<!-- figures -->\n" + "\n".join(lines) + f"<!-- /figures -->{after}")


def main():
    options = arguments()
    if options.page:
        return write_page()
    subprocess.run(["ninja", "-C", BUILD, "bench_index"], check=True, stdout=subprocess.DEVNULL)
    import _peers

    names = _peers.NAMES if options.peers == "all" else [p for p in options.peers.split(",") if p != "none"]
    k_list = [int(k) for k in options.k.split(",")]
    sizes = [int(options.items)] if options.items else [10**6, 10**7]
    if options.quick:
        options.queries, sizes, k_list, names = 128, [200_000], [2000], ["scann", "faiss SQ8"]
    results = []
    for items in sizes:
        for result in measure(items, k_list, names, options):
            print("\n".join(tables(result)), flush=True)
            results += [r.as_json() for r in as_results(result)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "results.json").write_text(json.dumps(results, indent=1))
    if not options.quick:
        write_page()


if __name__ == "__main__":
    if pathlib.Path(sys.prefix) != ENVIRONMENT:  # again, with the peers' packages
        python = environment(ENVIRONMENT, "index_requirements.txt")
        os.execv(python, [str(python), *sys.argv])
    import numpy as np

    main()
