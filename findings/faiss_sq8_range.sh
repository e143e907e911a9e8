#!/usr/bin/env bash
# faiss-cpu 1.15.1: an 8-bit index cuts vectors that are longer than those it was trained on, and nothing is said.
#
# QT_8bit learns the range of each component in train(). A vector that comes later and is ten times as long, as that of an
# item that became popular, is stored at the edge of the range, and its score by inner product is a sixth of what it was.
# One would guess a wider range, or an error from add().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: faiss-cpu==1.15.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import faiss
import numpy

vectors = numpy.random.default_rng(0).random((1000, 8), dtype="float32")
later = vectors[:1] * 10
index = faiss.IndexScalarQuantizer(8, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
index.train(vectors)
index.add(vectors)
index.add(later)
print("added ", [round(float(x), 1) for x in later[0]])
print("stored", [round(float(x), 1) for x in index.reconstruct(1000)])
exact, stored = float(later[0] @ later[0]), float(index.search(later, 1)[0][0, 0])
print(f"its score for itself: {exact:.0f}, by the index {stored:.0f}")
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/faiss_sq8_range: it is otherwise now" >&2; exit 1; }
added  [8.5, 6.4, 5.1, 2.7, 3.1, 0.4, 0.8, 0.2]
stored [1.0, 1.0, 1.0, 1.0, 1.0, 0.4, 0.8, 0.2]
its score for itself: 157, by the index 27
SEEN
