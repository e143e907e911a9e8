#!/usr/bin/env bash
# pandas 3.1.1: a merge of int64 with float64 joins ids that differ.
#
# One null makes a column of ids float64. Merged with int64 ids, 9007199254740993 finds the row of 9007199254740992. (pandas
# warns of floats that are no whole numbers; these are.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pandas==3.1.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import pandas

clicks = pandas.DataFrame({"item": [9007199254740992, 9007199254740993]})
items = pandas.DataFrame({"item": [9007199254740992, None], "title": ["right", "none"]})
print(clicks.merge(items, on="item").to_dict("records"))
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/pandas_merge: it is otherwise now" >&2; exit 1; }
[{'item': 9007199254740992, 'title': 'right'}, {'item': 9007199254740993, 'title': 'right'}]
SEEN
