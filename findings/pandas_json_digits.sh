#!/usr/bin/env bash
# pandas 3.1.1: to_json rounds to ten digits behind the point.
#
# A weight of 1e-11 is written as 0.0. Two vectors or scores that differ may be equal in the file. double_precision=15 is the
# most that it takes, and a double needs 17. to_csv of the same frame is exact.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pandas==3.1.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import pandas

frame = pandas.DataFrame({"weight": [1e-11, 0.12345678901234567]})
print(frame.to_json(orient="values"))
print(frame.to_csv(index=False).split())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/pandas_json_digits: it is otherwise now" >&2; exit 1; }
[[0.0],[0.123456789]]
['weight', '1e-11', '0.12345678901234566']
SEEN
