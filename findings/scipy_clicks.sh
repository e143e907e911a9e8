#!/usr/bin/env bash
# SciPy 1.17.1: 200 clicks of an int8 matrix add up to -56.
#
# coo_matrix adds up the entries of one place, in the type of the entries. A log of ones kept small as int8 wraps around at 128,
# and the most faithful user has the most negative weight. sum() of NumPy takes a wider type for the same ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: scipy==1.17.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
import scipy.sparse

ones = numpy.ones(200, numpy.int8)
place = numpy.zeros(200, numpy.int64)
print("scipy", scipy.sparse.coo_matrix((ones, (place, place))).tocsr()[0, 0])
print("numpy", ones.sum())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/scipy_clicks: it is otherwise now" >&2; exit 1; }
scipy -56
numpy 200
SEEN
