"""Cost curves on log-log axes: the loss over the batch and the dimension, random rows over the size of the table, ours and torch's."""

import sys

from _bench import PAGES, ROOT, Peer, Result, peer, program

sys.path.append(str(ROOT / "experiments"))
from _page import line_chart  # noqa: E402  the charts of the experiments' pages

DIM, BATCH = 64, 4096


def run(quick):
    results, charts = [], []
    batches = [1 << n for n in (range(8, 15, 2) if quick else range(8, 18, 1))]
    if not quick:
        batches.append(1 << 18)
    loss = {(p, t): [] for p in ("f32", "bf16") for t in (1, 2)}
    torch = []
    for rows in batches:
        for (precision, threads), points in loss.items():
            if rows <= 16384 or (threads == 2 and (rows <= 65536 or precision == "bf16")):
                points.append((rows, us_an_example(rows, DIM, threads, precision)))
        if rows <= 8192:
            torch.append((rows, torch_us_an_example(rows, DIM)))
    named = [(f"{p}, {t} thread{'s' * (t > 1)}", f"c{c} {'dash' * (t == 1)}", points) for c, p in enumerate(("f32", "bf16"))
             for (q, t), points in loss.items() if p == q]
    charts.append(("loss-batch", f"Softmax loss, forward and backward, D = {DIM}", "batch B (rows and columns)", "us an example",
                   named + [("torch, 2 threads", "c2", torch)]))
    for name, _, points in charts[-1][4]:
        results += [Result(f"curve_loss_b{x} ({name})", y, "us an example", 1 if "1 thread" in name else 2) for x, y in points]

    dims = (16, 64, 256, 512) if quick else (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
    over_dim = {p: [(d, us_an_example(BATCH, d, 2, p)) for d in dims] for p in ("f32", "bf16")}
    torch = [(d, torch_us_an_example(BATCH, d)) for d in dims]
    charts.append(("loss-dim", f"Softmax loss, forward and backward, B = {BATCH:,}, 2 threads", "dimension D", "us an example",
                   [("f32", "c0", over_dim["f32"]), ("bf16", "c1", over_dim["bf16"]), ("torch", "c2", torch)]))
    for name, _, points in charts[-1][4]:
        results += [Result(f"curve_loss_d{x} ({name})", y, "us an example", 2) for x, y in points]

    sizes = (10**5, 10**6, 10**7) if quick else (10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7, 3 * 10**7, 10**8)
    series = {name: [] for name in ("gather", "update", "bare gather", "torch gather")}
    for rows in sizes:
        for line in program("tables", rows, 16, 2, 2):
            series[line["what"]].append((rows, line["gb_per_s"]))
            if line["what"] == "gather":
                series["bare gather"].append((rows, line["bare_gb_per_s"]))
        series["torch gather"].append((rows, peer("tables", rows, 16, 20, threads=2)[0]["gb_per_s"]))
    charts.append(("tables", "Random rows of 64 bytes, 2 threads", "rows of the table", "GB/s",
                   [(name, c, points) for (name, points), c in zip(series.items(), ("c0", "c1", "n dash", "c2"))]))
    for name, _, points in charts[-1][4]:
        results += [Result(f"curve_tables_{x} ({name})", y, "GB/s", 2) for x, y in points]
    if not quick:
        for name, title, x_label, y_label, lines in charts:
            line_chart(PAGES / f"curves-{name}.svg", title, x_label, y_label, lines, log_x=True, log_y=True)
    return results


def torch_us_an_example(rows, dim):
    with Peer("loss", threads=2) as torch:
        return 1e3 * torch.ask(rows, dim, 2.0, 2)[0]["ms"] / rows


def us_an_example(rows, dim, threads, precision):
    [line] = program("fused_loss", rows, dim, threads, precision, max(0 if rows > 32768 else 1, min(50, int(1e9 / rows**2))))
    return 1e3 * line["ms"] / rows
