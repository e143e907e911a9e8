#!/usr/bin/env bash
# DuckDB 2.0.1: sum() of BIGINT is a HUGEINT, and COPY TO writes a HUGEINT to Parquet as a DOUBLE.
#
# One would guess a DECIMAL(38,0), which holds it, or an error. The sum 9007199254740993 comes back as ...992, and ids
# that went through a sum or a ::HUGEINT are merged. A cast to DECIMAL(38,0) keeps them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: duckdb==2.0.1 pyarrow==26.0.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import duckdb
import pyarrow.parquet

duckdb.sql("copy (select sum(x) as total from (values (9007199254740992), (1)) t(x)) to 'sums.parquet'")
column = pyarrow.parquet.read_table("sums.parquet")["total"]
print(duckdb.sql("select sum(x) from (values (9007199254740992), (1)) t(x)").fetchall()[0][0])
print(column.type, f"{column[0].as_py():.0f}")
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/duckdb_sum: it is otherwise now" >&2; exit 1; }
9007199254740993
double 9007199254740992
SEEN
