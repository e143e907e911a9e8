"""The best 2000 of a million vectors, all of them looked at, on one core, against faiss."""

import numpy as np

from _bench import Asked, BUILD, Result, WORK, peer, program

ITEMS, DIM, K, BATCH = 1_000_000, 64, 2000, 64


def vectors(count, seed):
    """Unit vectors whose variance falls along the axes as that of trained ones does."""
    x = np.random.default_rng(seed).standard_normal((count, DIM), dtype=np.float32) * (np.arange(1, DIM + 1, dtype=np.float32) ** -0.5)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def run(quick):
    WORK.mkdir(parents=True, exist_ok=True)
    queries = 128 if quick else 1024
    items_path, queries_path, truth_path = WORK / "items.npy", WORK / f"queries-{queries}.npy", WORK / f"truth-{queries}.npy"
    if not truth_path.exists():  # written last
        items, asked = vectors(ITEMS, 1), vectors(queries, 2)
        np.save(items_path, items), np.save(queries_path, asked)
        truth = np.empty((queries, K), np.int64)
        for at in range(0, queries, 64):
            scores = asked[at:at + 64] @ items.T
            truth[at:at + 64] = np.argpartition(-scores, K, axis=1)[:, :K]
        np.save(truth_path, truth)
    truth = np.load(truth_path)
    [peak] = program("fused_loss", 64, DIM, 1, "f32", 1)
    with Asked(BUILD / "bench_index", items_path, queries_path, WORK / "index", 1) as index:
        [figures] = index.ask("exact", K, 0, queries, BATCH, 1)
    found = np.fromfile(WORK / "index.rows", np.uint32).reshape(queries, K)
    recall = np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(found, truth)])
    if recall < 0.999:
        raise SystemExit(f"the exact index finds {recall:.4f} of what numpy finds")
    # Looking at every row with every query takes so many multiply-adds; reading the rows once a batch takes far less.
    bound = peak["peak_gflops"] * 1e9 / (2 * ITEMS * DIM)
    results = []
    for line in peer("exact", items_path, queries_path, K, BATCH, truth_path, threads=1):
        results.append(Result("exact_top2000_1m", figures["qps"], "queries/s", 1, ratio_to_peak=figures["qps"] / bound, ratio_to_peer=figures["qps"] / line["qps"],
                              peer=f"{line['peer']}, recall {line['recall']:.3f}", peak_rss_mb=figures["peak_rss_mb"]))
    return results
