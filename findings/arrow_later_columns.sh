#!/usr/bin/env bash
# pyarrow 26.0.1, DuckDB 2.0.1: the columns of a folder are those of its first file.
#
# A column that the log has had since its second file is not there, and not a word is said. polars refuses. (Both have a way to
# ask: a unified schema, union_by_name.)
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

pathlib.Path("log").mkdir()
pyarrow.parquet.write_table(pyarrow.table({"user": [1]}), "log/1.parquet")
pyarrow.parquet.write_table(pyarrow.table({"user": [2], "device": ["phone"]}), "log/2.parquet")
print("pyarrow", pyarrow.parquet.read_table("log").schema.names)
print("duckdb", duckdb.sql("select * from 'log/*.parquet'").columns)
try:
    print("polars", polars.read_parquet("log/*.parquet").columns)
except polars.exceptions.SchemaError as error:
    print("polars", str(error).split(",")[0])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/arrow_later_columns: it is otherwise now" >&2; exit 1; }
pyarrow ['user']
duckdb ['user']
polars extra column in file outside of expected schema: device
SEEN
