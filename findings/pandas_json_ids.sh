#!/usr/bin/env bash
# pandas 3.1.1: read_json makes numbers of texts.
#
# JSON says whether 000012 is a text. It is one here, in quotes, and arrives as the number 12: the ids 000012 and 12 are one.
# dtype=False keeps them; one would guess that to be the default where the format has types.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pandas==3.1.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import io

import pandas

log = '{"user": "000012"}\n{"user": "12"}\n'
print(pandas.read_json(io.StringIO(log), lines=True)["user"].tolist())
print(pandas.read_json(io.StringIO(log), lines=True, dtype=False)["user"].tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/pandas_json_ids: it is otherwise now" >&2; exit 1; }
[12, 12]
['000012', '12']
SEEN
