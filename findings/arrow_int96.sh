#!/usr/bin/env bash
# pyarrow 26.0.1: a time of INT96 beyond 2262 wraps around.
#
# Spark and Impala write INT96, and 9999-12-31 for "never". pyarrow reads INT96 as nanoseconds in 64 bits, where it becomes
# 1816-03-30: the newest row is the oldest. polars and DuckDB read what was written; so does pyarrow with
# coerce_int96_timestamp_unit="us".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1 pandas==3.1.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import duckdb
import polars
import pyarrow
import pyarrow.parquet

never = pyarrow.table({"at": pyarrow.array([253402214400], pyarrow.timestamp("s"))})
pyarrow.parquet.write_table(never, "log.parquet", use_deprecated_int96_timestamps=True)
print("pyarrow", pyarrow.parquet.read_table("log.parquet")["at"][0])
print("pyarrow, us", pyarrow.parquet.read_table("log.parquet", coerce_int96_timestamp_unit="us")["at"][0])
print("polars", polars.read_parquet("log.parquet")["at"][0])
print("duckdb", duckdb.sql("select * from 'log.parquet'").fetchall()[0][0])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/arrow_int96: it is otherwise now" >&2; exit 1; }
pyarrow 1816-03-29 05:56:08.066277376
pyarrow, us 9999-12-31 00:00:00
polars 9999-12-31 00:00:00
duckdb 9999-12-31 00:00:00
SEEN
