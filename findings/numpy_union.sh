#!/usr/bin/env bash
# NumPy 2.4.6: the union of uint64 ids and int64 ids is a float64.
#
# Neither type holds the other, so the common one is float64, which holds neither. Three ids become one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy

hashes = numpy.array([2**60 + 1, 2**60 + 2], numpy.uint64)
known = numpy.array([2**60 + 3], numpy.int64)
union = numpy.union1d(hashes, known)
print(union.dtype, len(union))
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/numpy_union: it is otherwise now" >&2; exit 1; }
float64 1
SEEN
