#!/usr/bin/env bash
# pyarrow 26.0.1, polars 2.1.0: the folder store=007 is the number 7.
#
# Keys in the names of folders are texts; what looks like a number becomes one, and the stores 007 and 7 are one. DuckDB, given
# the same folder, keeps 007.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import pathlib

import duckdb
import polars
import pyarrow
import pyarrow.parquet

for store in ("007", "7"):
    pathlib.Path(f"log/store={store}").mkdir(parents=True)
    pyarrow.parquet.write_table(pyarrow.table({"user": [1]}), f"log/store={store}/part.parquet")
print("pyarrow", pyarrow.parquet.read_table("log")["store"].to_pylist())
print("polars", polars.read_parquet("log")["store"].to_list())
print("duckdb", duckdb.sql("select store from 'log/*/*.parquet' order by store").fetchall())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/arrow_hive_zeros: it is otherwise now" >&2; exit 1; }
pyarrow [7, 7]
polars [7, 7]
duckdb [('007',), ('7',)]
SEEN
