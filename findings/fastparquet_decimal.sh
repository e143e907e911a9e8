#!/usr/bin/env bash
# fastparquet 2026.9.0: a DECIMAL(38,0) is read as float64.
#
# Databases write large ids as DECIMAL(38,0). Four of them, 1700000000123456000 to ...003, are one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: fastparquet==2026.9.0 pyarrow==26.0.1 pandas==3.1.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import decimal

import fastparquet
import pyarrow
import pyarrow.parquet

ids = [decimal.Decimal(1700000000123456000 + i) for i in range(4)]
pyarrow.parquet.write_table(pyarrow.table({"user": pyarrow.array(ids, pyarrow.decimal128(38, 0))}), "log.parquet")
users = fastparquet.ParquetFile("log.parquet").to_pandas()["user"]
print(users.dtype, users.nunique(), pyarrow.parquet.read_table("log.parquet")["user"].to_pandas().nunique())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/fastparquet_decimal: it is otherwise now" >&2; exit 1; }
float64 1 4
SEEN
