"""A guard of speed that does not time: instructions of a training step (tables, negatives, loss, optimiser) and of a
scan, counted by valgrind, against what tests/instructions.json has of the compiler that built the program.

The counts are of the AVX2 kernels (valgrind knows no AVX-512 and no AMX) on one thread. A change that raises one by more than 5%
must say why, and write the new figure down; one that lowers it so far does the same. So does whoever builds with
another compiler, the first time:

    PAGODA_RECORD_INSTRUCTIONS=1 ./run test instructions
"""

import json
import os
import pathlib
import random
import re
import struct
import subprocess

import pytest

FILE = pathlib.Path(__file__).parent / "instructions.json"
RECORD = "PAGODA_RECORD_INSTRUCTIONS"
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


def cached(build, name):
    """What CMake keeps of a build under that name; empty where it keeps nothing."""
    found = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found[1] if found else ""


def compiler(build):
    """Name and version: `g++ 12.2.0`, `clang++ 19.1.7`."""
    command = cached(build, "CMAKE_CXX_COMPILER")
    first = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return f"{'clang++' if 'clang' in first else 'g++'} {re.findall(r'[0-9]+[.][0-9]+[.][0-9]+', first)[-1]}"


def instructions(command, **options):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)], capture_output=True, text=True,
                          env=os.environ | {"PAGODA_KERNELS": "avx2"}, check=True, **options)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def write_fbin(path, rows, seed):
    rng = random.Random(seed)
    path.write_bytes(struct.pack("<ii", rows, DIM) + struct.pack(f"<{rows * DIM}f", *(rng.gauss(0, 1) for _ in range(rows * DIM))))


@pytest.fixture(scope="module")
def counted(pagoda, tmp_path_factory):
    """The compiler, and differences of whole runs, so that what comes once does not count: of a step, and of a scan for
    a query and an item."""
    build = pathlib.Path(pagoda).parent
    if cached(build, "PAGODA_SANITIZER"):
        pytest.skip("a sanitizer has instructions of its own")
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
    counts = {"step": (runs[3] - runs[1]) / (2 * steps), "scan": (searches[96] - searches[32]) / (64 * VECTORS)}
    return compiler(build), counts


def judge(name, counts, what, kept):
    """None when the count is the one that is kept, else what is wrong, and what to do about it."""
    if name not in kept:
        return f"{FILE.name} has no counts of {name}; write them down with {RECORD}=1 ./run test instructions"
    now, before = counts[what], kept[name][what]
    if abs(now / before - 1) <= 0.05:
        return None
    return (f"a {what} takes {now:.6g} instructions, {100 * (now / before - 1):+.1f}% of what tests/instructions.json "
            f"has of {name} ({before:.6g}): if that is meant, write the new figure there and say why in the commit")


@pytest.mark.parametrize("what", ["step", "scan"])
def test_counts_are_those_written_down(counted, what):
    name, counts = counted
    kept = json.loads(FILE.read_text())
    if os.environ.get(RECORD):
        kept[name] = {key: float(f"{value:.4g}") for key, value in counts.items()}
        lines = [f"{json.dumps(key)}: {json.dumps(kept[key])}" for key in sorted(kept)]
        FILE.write_text("{" + ",\n ".join(lines) + "}\n")
    wrong = judge(name, counts, what, kept)
    assert wrong is None, wrong


def test_another_count_and_another_compiler_are_no_silent_matter():
    kept = {"g++ 12.2.0": {"step": 1000.0}}
    assert judge("g++ 12.2.0", {"step": 1040.0}, "step", kept) is None
    assert "+6.0%" in judge("g++ 12.2.0", {"step": 1060.0}, "step", kept)
    assert "-6.0%" in judge("g++ 12.2.0", {"step": 940.0}, "step", kept)
    unknown = judge("g++ 13.1.0", {"step": 1000.0}, "step", kept)
    assert f"no counts of g++ 13.1.0; write them down with {RECORD}=1" in unknown
