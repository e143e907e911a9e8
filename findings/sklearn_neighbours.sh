#!/usr/bin/env bash
# scikit-learn 1.9.1: brute-force neighbours of vectors far from 0 are arbitrary.
#
# Coordinates such as seconds since 1970 lie far from 0 and close together. algorithm="brute" takes |x|^2 - 2xy + |y|^2, which cancels
# in float64 too: few points are their own nearest neighbour. kd_tree finds them all. "auto" takes brute above 15 dimensions.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: scikit-learn==1.9.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
from sklearn.neighbors import NearestNeighbors

points = 1e6 + 0.01 * numpy.random.default_rng(0).standard_normal((1000, 32))
for algorithm in ("auto", "brute", "kd_tree"):
    nearest = NearestNeighbors(n_neighbors=1, algorithm=algorithm).fit(points).kneighbors(points)[1][:, 0]
    share = (nearest == numpy.arange(1000)).mean()
    print(algorithm, "all find themselves" if share == 1 else f"under a tenth do: {share < 0.1}")
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/sklearn_neighbours: it is otherwise now" >&2; exit 1; }
auto under a tenth do: True
brute under a tenth do: True
kd_tree all find themselves
SEEN
