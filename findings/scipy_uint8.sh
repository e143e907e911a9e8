#!/usr/bin/env bash
# SciPy 1.17.1: euclidean() of two uint8 vectors is not the root of their sqeuclidean().
#
# Vectors are often kept in 8 bits. euclidean(), cityblock() and chebyshev() subtract in the type of the vectors, where
# 100 - 110 is 246; sqeuclidean() and cdist() take doubles. So the nearest item is another one, and nothing is said. One
# would guess the same distance, whichever function gives it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: scipy==1.17.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
from scipy.spatial import distance

query = numpy.array([100, 100], dtype="uint8")
items = numpy.array([[110, 110], [20, 20]], dtype="uint8")
for name in ("euclidean", "cityblock", "chebyshev"):
    alone = [float(getattr(distance, name)(query, item)) for item in items]
    both = distance.cdist([query], items, name)[0]
    print(f"{name:9}", [round(x, 1) for x in alone], " by cdist", both.round(1).tolist())
print("root of sqeuclidean", [round(float(distance.sqeuclidean(query, item)) ** 0.5, 1) for item in items])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/scipy_uint8: it is otherwise now" >&2; exit 1; }
euclidean [347.9, 113.1]  by cdist [14.1, 113.1]
cityblock [492.0, 160.0]  by cdist [20.0, 160.0]
chebyshev [246.0, 80.0]  by cdist [10.0, 80.0]
root of sqeuclidean [14.1, 113.1]
SEEN
