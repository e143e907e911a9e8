#!/usr/bin/env bash
# hnswlib 0.8.0: an index by cosine gives other vectors back than it was given.
#
# get_items() says it returns the vectors of ids. In the space "cosine" they come back at unit length: what was added is
# gone, so an index cannot be the store from which another one, by inner product, is made.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install hnswlib==0.8.0 numpy==2.4.6  # built from its source
venv/bin/python -W ignore - >seen <<'PYTHON'
import hnswlib
import numpy

vectors = numpy.array([[3, 4], [30, 40]], dtype="float32")
for space in ("ip", "l2", "cosine"):
    index = hnswlib.Index(space, 2)
    index.init_index(2)
    index.add_items(vectors, [0, 1])
    print(space, [[round(float(x), 4) for x in row] for row in index.get_items([0, 1])])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/hnswlib_cosine: it is otherwise now" >&2; exit 1; }
ip [[3.0, 4.0], [30.0, 40.0]]
l2 [[3.0, 4.0], [30.0, 40.0]]
cosine [[0.6, 0.8], [0.6, 0.8]]
SEEN
