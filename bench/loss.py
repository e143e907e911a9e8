"""The fused sampled softmax, forward and backward, against this machine's multiply-add peak and torch."""

from _bench import Result, median, peer, program

ROUNDS = 3  # ours and the peer's take turns


def run(quick):
    results = []
    sizes = [(8192, 1), (8192, 2), (32768, 2)] + ([] if quick else [(1024, 2), (4096, 2), (65536, 2), (262144, 2)])
    for rows, threads in sizes:
        ours, theirs = [], []
        for _ in range(1 if quick else ROUNDS):
            ours += program("fused_loss", rows, 64, threads, max(1, min(20, int(2e9 / rows**2))))
            if rows <= 8192:  # torch holds the logits: 32768 take it 18 GB
                theirs += peer("loss", rows, 64, 3, threads=threads)
        ms = median([o["ms"] for o in ours])
        name = f"fused_loss_f32_b{rows}" + ("" if threads == 2 else "_1_thread")
        results.append(Result(name, ms, "ms", threads, ratio_to_peak=median([o["ratio_to_peak"] for o in ours]),
                              ratio_to_peer=median([t["ms"] for t in theirs]) / ms if theirs else None, peer="torch" if theirs else None,
                              peak_rss_mb=max(o["peak_rss_mb"] for o in ours)))
    return results
