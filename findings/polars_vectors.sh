#!/usr/bin/env bash
# polars 2.1.0: vectors lose their fractions where the first ones are of whole numbers.
#
# JSON writes the vector of an item without data as [0, 0]. A column of lists takes its type from the first list, a
# frame of rows from the first 100, and what comes later is cut to whole numbers. strict=True, the default, refuses the
# same in a column of numbers. One would guess that error, or floats, as NumPy, pandas and pyarrow have them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: polars==2.1.0
venv/bin/python -W ignore - >seen <<'PYTHON'
import polars

vectors = [[0, 0], [0.4, -1.9]]
print("Series         ", polars.Series(vectors).to_list())
print("DataFrame      ", polars.DataFrame({"vector": vectors})["vector"].to_list())
rows = [{"vector": vectors[0]}] * 100 + [{"vector": vectors[1]}]
print("frame of rows  ", polars.DataFrame(rows)["vector"].to_list()[-2:])
print("with its schema", polars.Series(vectors, dtype=polars.List(polars.Float32)).to_list()[0], "...")
try:
    polars.Series([0, 0.4])
except TypeError:
    print("numbers that are not in lists are refused")
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/polars_vectors: it is otherwise now" >&2; exit 1; }
Series          [[0, 0], [0, -1]]
DataFrame       [[0, 0], [0, -1]]
frame of rows   [[0, 0], [0, -1]]
with its schema [0.0, 0.0] ...
numbers that are not in lists are refused
SEEN
