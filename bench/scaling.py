"""What a machine beyond this one would need, computed from the figures that a full run of the other benchmarks has left in docs/benchmarks."""

import json
import sys

from _bench import PAGES, markdown, write_between

ROWS, ITEMS, USERS, DIM, CORES = 1e9, 1e8, 1e8, 64, 64
BATCH = 8192
HERE = 2  # cores behind the measured figures
SERIAL = ("sample", "encode")  # stages of a step that one thread does


def figures(name):
    path = PAGES / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"{path}: not there; run ./run bench {name} first (the whole, not --quick)")
    return {r["bench"]: r for r in json.loads(path.read_text())["results"]}


def run(quick):
    if quick:
        return []
    step, tables, read = figures("step"), figures("tables"), figures("read")
    stages = {name.split(": ")[1]: r["value"] for name, r in step.items() if ": " in name}
    serial = sum(stages.get(s, 0.0) for s in SERIAL)
    parallel = sum(v for s, v in stages.items() if s != "read") - serial
    bytes_a_row = 4 * DIM
    # A row of the log reads a user's and an item's row once, and updates both: the values, and with Adam two sums of the same size.
    traffic = 2 * bytes_a_row * (1 + 2) + 2 * 2 * 2 * bytes_a_row
    bandwidth = tables["update_8gb"]["value"]

    rows = []
    for cores in (HERE, 8, 16, CORES):
        compute_ms = serial + parallel * HERE / cores
        memory_ms = BATCH * traffic / (bandwidth * 1e9 * cores / HERE) * 1e3
        per_s = BATCH / compute_ms * 1e3
        rows.append([cores, f"{compute_ms:.1f}", f"{serial / compute_ms:.0%}", f"{memory_ms:.2f}", f"{per_s / 1e3:,.0f}k",
                     f"{ROWS / per_s / 3600:.1f}"])
    time = markdown(["cores", "ms a step", "of it on one thread", "ms of memory traffic", "rows/s", "hours for 1e9 rows"], rows)

    gb = 1e-9
    memory = [
        ["item table, f32", f"{ITEMS * bytes_a_row * gb:.1f}"],
        ["item table, bf16", f"{ITEMS * bytes_a_row / 2 * gb:.1f}"],
        ["user table, f32 (none where users are their history)", f"{USERS * bytes_a_row * gb:.1f}"],
        ["Adam's sums of the item table", f"{2 * ITEMS * bytes_a_row * gb:.1f}"],
        ["row_adagrad's of the item table", f"{4 * ITEMS * gb:.1f}"],
        ["the log in memory: user, item, time (16 bytes a row)", f"{ROWS * 16 * gb:.1f}"],
        ["loss workspace, B = 32,768", f"{figures('loss')['fused_loss_f32_b32768'].get('workspace_mb', 0) / 1e3:.2f}"],
    ]
    reading = {name: r["value"] for name, r in read.items() if name.startswith("read_")}
    read_rows = [[name.removeprefix("read_"), f"{v / 1e6:.1f}M", f"{ROWS / v / 60:.0f}"] for name, v in reading.items()]
    text = "\n\n".join([
        f"For {ROWS:.0e} rows, {ITEMS:.0e} items and as many users, D = {DIM}, batches of {BATCH:,}, layers 128-64, Adam, f32.",
        "## Time of an epoch", time,
        f"Stages on one thread here: {', '.join(SERIAL)}, {serial:.1f} ms a step. The others are cut into tasks and taken to scale with the cores, as the loss does from "
        f"one to two. Random rows move at {bandwidth:.0f} GB/s on {HERE} cores; memory channels do not come with cores, so the column is a lower bound.",
        "## Memory", markdown(["", "GB"], memory),
        "## Reading", markdown(["", "rows/s here", "minutes for 1e9 rows"], read_rows),
    ])
    write_between(PAGES / "scaling.md", text)
    print(text, file=sys.stderr)
    return []
