"""What bench/python.py measures in one process each: train LOG CONFIG KIND OUTPUT, recommend MODEL USERS K ROUNDS, index FOLDER ITEMS K ROUNDS."""

import json
import pathlib
import resource
import sys
import time

import numpy as np
import pagoda


def median(values):
    return sorted(values)[len(values) // 2]


def resident_mb():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


def train(log, config, kind, output):
    before = resident_mb()
    if kind == "polars":
        import polars

        frame = polars.read_parquet(log)
        size = frame.estimated_size() / 2**20
    else:
        import pandas
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(log)
        frame = pandas.DataFrame({name: table[name].to_numpy() for name in table.column_names})
        size = frame.memory_usage(deep=True).sum() / 2**20
        del table
    begin = time.perf_counter()
    pagoda.train(frame, config=config, output=output, progress=False)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_rss_mb": peak, "frame_mb": size, "before_mb": before}


def recommend(model, users, k, rounds):
    """The factors that implicit gets are the towers' own vectors, so the lists are the same, and are compared."""
    import scipy.sparse
    from implicit.cpu.als import AlternatingLeastSquares

    model = pagoda.load(model, threads=2)
    ids = model.user_ids[:users]
    row_of = {item: row for row, item in enumerate(model.item_ids.tolist())}
    seen = [[row_of[item] for item in model._loaded.history(str(user)).tolist()] for user in ids.tolist()]
    matrix = scipy.sparse.csr_matrix((np.ones(sum(map(len, seen)), np.float32), np.concatenate([np.asarray(s, np.int32) for s in seen]),
                                      np.cumsum([0] + [len(s) for s in seen])), shape=(len(ids), len(model)))
    matrix.sum_duplicates()
    peer = AlternatingLeastSquares(factors=model.info["dim"], num_threads=2)
    peer.user_factors = np.ascontiguousarray(model.user_vectors(ids))
    peer.item_factors = np.ascontiguousarray(model.item_vectors)
    ours, theirs = [], []
    for _ in range(rounds):
        begin = time.perf_counter()
        found, _ = model.recommend(ids, k=k, progress=False)
        ours.append(len(ids) / (time.perf_counter() - begin))
        begin = time.perf_counter()
        rows, _ = peer.recommend(np.arange(len(ids)), matrix, N=k, filter_already_liked_items=True)
        theirs.append(len(ids) / (time.perf_counter() - begin))
    same = np.mean([len(np.intersect1d(a, model.item_ids[b])) / k for a, b in zip(found[:200], rows[:200])])
    if same < 0.999:
        raise SystemExit(f"implicit's lists have {same:.4f} in common with ours")
    return {"ours": median(ours), "implicit": median(theirs)}


def index(folder, items, k, rounds):
    """Each of the three at the cheapest setting that reaches recall .95, one thread, batches of 256, in turns."""
    import _peers

    rng = np.random.default_rng(1)
    falling = np.arange(1, 65, dtype=np.float32) ** -0.5

    def vectors(count):
        x = rng.standard_normal((count, 64), dtype=np.float32) * falling
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    table, queries = vectors(items), vectors(256)
    truth = np.argpartition(-(queries @ table.T), k, axis=1)[:, :k]
    folder = pathlib.Path(folder) / f"python-index-{items}"
    folder.mkdir(parents=True, exist_ok=True)

    def recall(found):
        return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(found, truth)]))

    ours = pagoda.Index(table, kind="partitioned", recall=0.95, k=k, sample_queries=vectors(512), threads=1)
    asked = {"ours": lambda: ours.search(queries, k=k).ids}
    for peer in (_peers.Faiss("SQ8", table, folder, 2), _peers.Scann(table, folder, 2)):
        setting = next(s for s in peer.settings(k) if recall(peer.search(queries, k, s)) >= 0.95)
        asked[peer.name.split()[0]] = lambda peer=peer, setting=setting: peer.search(queries, k, setting)
    seconds = {name: [] for name in asked}
    for _ in range(rounds):
        for name, search in asked.items():
            begin = time.perf_counter()
            search()
            seconds[name].append(time.perf_counter() - begin)
    return {name: {"qps": 256 / median(seconds[name]), "recall": recall(search())} for name, search in asked.items()}


if __name__ == "__main__":
    words = sys.argv[2:]
    if sys.argv[1] == "train":
        told = train(*words)
    elif sys.argv[1] == "recommend":
        told = recommend(words[0], *map(int, words[1:]))
    else:
        told = index(words[0], *map(int, words[1:]))
    print(json.dumps(told))
