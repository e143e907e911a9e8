#!/usr/bin/env bash
# usearch 2.26.6: the vector with the key -1 is taken and never found.
#
# Keys are unsigned; -1, which coders of categories give to a missing one, is the mark of an empty place. add() takes it, the index
# counts it, and no search answers it. Other negative keys come back as large numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: usearch==2.26.6 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
from usearch.index import Index

for key in (-1, -2):
    index = Index(ndim=2, dtype="f32")
    index.add(numpy.array([key]), numpy.ones((1, 2), "float32"))
    print(key, len(index), index.search(numpy.ones(2, "float32"), 1).keys.tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/usearch_key: it is otherwise now" >&2; exit 1; }
-1 1 []
-2 1 [18446744073709551614]
SEEN
