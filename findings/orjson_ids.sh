#!/usr/bin/env bash
# orjson 3.13.0: an integer beyond 64 bits is read as a float.
#
# Python's own json gives the integer, of any length. orjson gives 1.8446744073709552e+19 for this id and for its neighbour.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: orjson==3.13.0
venv/bin/python -W ignore - >seen <<'PYTHON'
import json

import orjson

ids = "[18446744073709551620, 18446744073709551621]"
print("json", json.loads(ids))
print("orjson", orjson.loads(ids))
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/orjson_ids: it is otherwise now" >&2; exit 1; }
json [18446744073709551620, 18446744073709551621]
orjson [1.8446744073709552e+19, 1.8446744073709552e+19]
SEEN
