#!/usr/bin/env bash
# pyarrow 26.0.1: price == 0.1 finds no row of a float32 column that holds 0.1.
#
# The float32 is widened to a double and compared with the double 0.1. pandas, polars and DuckDB compare in float32 and find it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0 duckdb==2.0.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import duckdb
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

pyarrow.parquet.write_table(pyarrow.table({"price": pyarrow.array([0.1, 9.99], pyarrow.float32())}), "items.parquet")
price = pyarrow.dataset.field("price")
print("pyarrow", pyarrow.dataset.dataset("items.parquet").to_table(filter=price == 0.1).num_rows)
print("pandas", (pandas.read_parquet("items.parquet").price == 0.1).sum())
print("polars", polars.read_parquet("items.parquet").filter(polars.col("price") == 0.1).height)
print("duckdb", duckdb.sql("select count(*) from 'items.parquet' where price = 0.1").fetchall()[0][0])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/arrow_float_filter: it is otherwise now" >&2; exit 1; }
pyarrow 0
pandas 1
polars 1
duckdb 1
SEEN
