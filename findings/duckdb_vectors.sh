#!/usr/bin/env bash
# DuckDB 2.0.1 and pandas 3.1.1: vectors of a frame are rounded to whole numbers.
#
# A column of lists is an object to pandas, and DuckDB looks at 1,000 of its rows, of 5,000 at every fifth, to find the
# type. Where those are vectors of whole numbers, as of items without data, the type is INTEGER[], and every other
# vector is rounded: [0.4, 0.6] is [0, 1]. One would guess the error that a text among numbers gets, or FLOAT[].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: duckdb==2.0.1 pandas==3.1.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import io
import json

import duckdb
import pandas

lines = [json.dumps({"item": item, "vector": [0.4, 0.6] if item == 1234 else [0, 0]}) for item in range(5000)]
frame = pandas.read_json(io.StringIO("\n".join(lines)), lines=True)
print("pandas", [round(x, 4) for x in frame.vector[1234]])
print("DuckDB", *duckdb.sql("SELECT typeof(vector), vector FROM frame WHERE item = 1234").fetchall())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/duckdb_vectors: it is otherwise now" >&2; exit 1; }
pandas [0.4, 0.6]
DuckDB ('INTEGER[]', [0, 1])
SEEN
