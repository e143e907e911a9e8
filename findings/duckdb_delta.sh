#!/usr/bin/env bash
# DuckDB 2.0.1 and pyarrow 26.0.1: a Parquet file "of version 2" that one writes and the other cannot read.
#
# COPY TO with parquet_version v2 writes an INTEGER column as DELTA_BINARY_PACKED. Where two values lie more than 31 bits
# apart the deltas take over 32 bits; pyarrow takes that for a damaged file. polars reads it. With the version left as
# it is (v1) all read it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0
venv/bin/python -W ignore - >seen <<'PYTHON'
import duckdb
import polars
import pyarrow.parquet

values = "(values (1), (-2147483648), (2147483647), (0)) t(x)"
for version in ("v1", "v2"):
    duckdb.sql(f"copy (select x::integer as x from {values}) to '{version}.parquet' (parquet_version {version})")
    print(version, "polars", polars.read_parquet(f"{version}.parquet")["x"].to_list())
    try:
        print(version, "pyarrow", pyarrow.parquet.read_table(f"{version}.parquet")["x"].to_pylist())
    except OSError as error:
        print(version, "pyarrow", error)
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/duckdb_delta: it is otherwise now" >&2; exit 1; }
v1 polars [1, -2147483648, 2147483647, 0]
v1 pyarrow [1, -2147483648, 2147483647, 0]
v2 polars [1, -2147483648, 2147483647, 0]
v2 pyarrow Unexpected end of stream: InitBlock EOF
SEEN
