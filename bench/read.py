"""A log of four million rows read to what training needs, against what pyarrow takes to read the file alone."""

import gzip
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from _bench import Asked, BUILD, Result, WORK, median

ROWS = 4_000_000
WARM, ROUNDS = 4, 7  # on a virtual machine the first rounds wait for memory that its host has yet to find


def make_log(rows):
    """Users and items as popular as they are in logs, in order of time."""
    rng = np.random.default_rng(1)
    users = rng.integers(0, 50_000, rows)
    items = (rng.pareto(0.8, rows) * 20).astype(np.int64) % 15_000
    return pa.table({"user_id": pa.array(users).cast(pa.string()), "item_id": pa.array(items).cast(pa.string()),
                     "timestamp": 1_700_000_000 + np.arange(rows) * 63_000_000 // rows,
                     "format": pa.array(np.array(["Modern", "Legacy", "Standard", "Pioneer"])[rng.integers(0, 4, rows)])})


def run(quick):
    rows = ROWS // 2 if quick else ROWS
    WORK.mkdir(parents=True, exist_ok=True)
    csv, parquet = WORK / f"log-{rows}.csv.gz", WORK / f"log-{rows}.parquet"
    if not parquet.exists():
        log = make_log(rows)
        with gzip.open(csv, "wb", compresslevel=5) as out:
            pa.csv.write_csv(log, out)
        pa.parquet.write_table(log, parquet)
    results = []
    for name, path, read in (("read_csv_gz", csv, pa.csv.read_csv), ("read_parquet", parquet, pa.parquet.read_table)):
        ours, theirs = [], []
        with Asked(BUILD / "bench_read", path) as reader:
            for turn in range(WARM + ROUNDS):
                [line] = reader.ask()
                if line["rows"] != rows or line["users"] > 50_000:
                    raise SystemExit(f"{path}: {line['rows']} rows were read, not {rows}")
                start = time.perf_counter()
                read(path)
                if turn >= WARM:
                    ours.append(line["seconds"]), theirs.append(time.perf_counter() - start)
        results.append(Result(name, rows / median(ours), "rows/s", 2, ratio_to_peer=median(theirs) / median(ours), peer="pyarrow, reading alone",
                              peak_rss_mb=line["peak_rss_mb"]))
    return results
