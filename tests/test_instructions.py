"""A guard of speed that does not time: instructions of a training step (tables, negatives, loss, optimiser) and of a scan, counted by valgrind, against tests/instructions.json.

The counts are of the AVX2 kernels (valgrind knows no AVX-512) on one thread, and of the compiler that the file names. A change that raises one by
more than 5% must say why, and write the new figure down; one that lowers it so far does the same.
"""

import json
import os
import pathlib
import random
import re
import struct
import subprocess

import pytest

COUNTS = json.loads((pathlib.Path(__file__).parent / "instructions.json").read_text())
USERS, ITEMS, ROWS, BATCH = 300, 600, 2000, 128
VECTORS, DIM = 50000, 32

CONFIG = """
[data]
interactions = ["log.csv"]
user = "user"
item = "item"
split = {{ kind = "random", validation = "0.01", test = "0.01" }}
[user.id]
enabled = true
[model]
dim = 32
[[sampling.negatives]]
source = "in_batch"
[[sampling.negatives]]
source = "uniform"
count = 64
[train]
batch = {batch}
epochs = {epochs}
evaluate_every = 1000
refit = false
threads = 1
"""


def compiler():
    said = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True)
    return f"g++ {said.stdout.strip()}"


def instructions(command, **options):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)], capture_output=True, text=True,
                          env=os.environ | {"PAGODA_KERNELS": "avx2"}, check=True, **options)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def write_fbin(path, rows, seed):
    rng = random.Random(seed)
    path.write_bytes(struct.pack("<ii", rows, DIM) + struct.pack(f"<{rows * DIM}f", *(rng.gauss(0, 1) for _ in range(rows * DIM))))


@pytest.fixture(scope="module")
def counted(pagoda, tmp_path_factory):
    """Differences of whole runs, so that what comes once does not count: of a step, and of a scan for a query and an item."""
    folder = tmp_path_factory.mktemp("instructions")
    rng = random.Random(1)
    items = [f"i{int(ITEMS * rng.random() ** 2)}" for _ in range(ROWS)]
    (folder / "log.csv").write_text("user,item\n" + "".join(f"u{n % USERS},{item}\n" for n, item in enumerate(items)))
    runs = {}
    for epochs in (1, 3):
        (folder / "config.toml").write_text(CONFIG.format(batch=BATCH, epochs=epochs))
        runs[epochs] = instructions([pagoda, "train", "-c", "config.toml", "-o", f"{epochs}.pagoda"], cwd=folder)
    steps = ROWS * 98 // 100 // BATCH
    write_fbin(folder / "items.fbin", VECTORS, 1)
    instructions([pagoda, "index", "--vectors", "items.fbin", "-o", "items.pagoda"], cwd=folder)
    searches = {}
    for queries in (32, 96):
        write_fbin(folder / "queries.fbin", queries, 2)
        searches[queries] = instructions([pagoda, "retrieve", "items.pagoda", "--vectors", "queries.fbin", "--k", "20", "-o", "out.jsonl"], cwd=folder)
    return {"step": (runs[3] - runs[1]) / (2 * steps), "scan": (searches[96] - searches[32]) / (64 * VECTORS)}


@pytest.mark.parametrize("what", ["step", "scan"])
def test_counts_are_those_written_down(counted, what):
    if compiler() != COUNTS["compiler"]:
        pytest.skip(f"the counts are of {COUNTS['compiler']}, this is {compiler()}")
    now, before = counted[what], COUNTS[what]
    assert abs(now / before - 1) <= 0.05, (
        f"a {what} takes {now:.6g} instructions, {100 * (now / before - 1):+.1f}% of what tests/instructions.json has ({before:.6g}): "
        "if that is meant, write the new figure there and say why in the commit")
