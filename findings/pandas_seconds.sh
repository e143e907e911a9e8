#!/usr/bin/env bash
# pandas 3.1.1: to_datetime takes a number for nanoseconds.
#
# Logs hold seconds since 1970. Without unit="s" every click of 2024 lies within the first two seconds of 1970, and nothing is
# said: a split by time still works, by the microsecond.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pandas==3.1.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import pandas

seconds = pandas.Series([1714557296, 1714643696])
print(pandas.to_datetime(seconds).astype(str).tolist())
print(pandas.to_datetime(seconds, unit="s").astype(str).tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/pandas_seconds: it is otherwise now" >&2; exit 1; }
['1970-01-01 00:00:01.714557296', '1970-01-01 00:00:01.714643696']
['2024-05-01 09:54:56', '2024-05-02 09:54:56']
SEEN
