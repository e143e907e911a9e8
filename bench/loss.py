"""The fused sampled softmax, forward and backward, in f32 and bf16, against this machine's multiply-add peak and torch."""

from _bench import Peer, Result, median, program

ROUNDS = 3  # ours and the peer's take turns


def run(quick):
    results = []
    sizes = [(8192, 1), (8192, 2), (32768, 2)] + ([] if quick else [(1024, 1), (1024, 2), (4096, 2), (32768, 1), (262144, 2)])
    with Peer("loss", threads=2) as torch:
        for rows, threads in sizes:
            required = rows == 8192 and threads == 2
            rounds = 1 if quick or rows > 32768 else ROUNDS
            repeats = max(0 if rows > 32768 else 2, min(8 if quick else 20, int(2e9 / rows**2)))
            ours, theirs = {p: [] for p in ("f32", "bf16") if not quick or p == "f32" or required}, []
            for _ in range(rounds):
                for precision, lines in ours.items():
                    lines += program("fused_loss", rows, 64, threads, precision, repeats)
                if rows <= 8192 and (required or not quick):  # torch holds the logits: 32768 take it 18 GB
                    theirs += torch.ask(rows, 64, 1.5 if quick else 3.0, threads)
            for precision, lines in ours.items():
                ms = median([line["ms"] for line in lines])
                name = f"fused_loss_{precision}_b{rows}" + ("" if threads == 2 else "_1_thread")
                results.append(Result(name, ms, "ms", threads, ratio_to_peak=median([line["ratio_to_peak"] for line in lines]) or None,
                                      ratio_to_peer=median([line["ms"] for line in theirs]) / ms if theirs else None,
                                      peer="torch, f32" if theirs else None, peak_rss_mb=max(line["peak_rss_mb"] for line in lines),
                                      # It is what the process's peak grows by, and a small one hides below what came before it.
                                      workspace_mb=max(line["workspace_mb"] for line in lines) if rows == 32768 else None))
            if "bf16" in ours:  # the least of each, in turns: whatever else the machine does can only add to them
                f32, bf16 = (min(line["least_ms"] for line in ours[p]) for p in ("f32", "bf16"))
                results.append(Result(f"fused_loss_bf16_against_f32_b{rows}" + ("" if threads == 2 else "_1_thread"), f32 / bf16, "times as fast",
                                      threads))
    return results
