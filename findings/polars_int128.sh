#!/usr/bin/env bash
# polars 2.1.0 and pyarrow 26.0.1: one Int128 column, and pyarrow cannot open the file at all.
#
# polars infers Int128 by itself, of integers beyond 64 bits in CSV. It writes the type into the Arrow schema inside the Parquet
# file, and pyarrow fails over that schema: not even the names of the other columns can be had.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: polars==2.1.0 pyarrow==26.0.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import io

import polars
import pyarrow.parquet

frame = polars.read_csv(io.StringIO("user,big\n7,18446744073709551620\n"))
print(frame.schema)
frame.write_parquet("log.parquet")
try:
    print(pyarrow.parquet.read_table("log.parquet", columns=["user"]))
except pyarrow.ArrowNotImplementedError as error:
    print(error)
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/polars_int128: it is otherwise now" >&2; exit 1; }
Schema([('user', Int64), ('big', Int128)])
Integers with more than 64 bits not implemented
SEEN
