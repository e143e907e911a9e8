#!/usr/bin/env bash
# faiss-cpu 1.15.1: vectors beyond 65504 are infinite in a half-precision index, and nothing is said.
#
# IndexScalarQuantizer with QT_fp16 takes vectors of the size of 1e5. Every distance is then 3.4e38, and no vector is its own
# nearest neighbour. One would guess an error from train() or add().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: faiss-cpu==1.15.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import faiss
import numpy

vectors = (numpy.random.default_rng(0).standard_normal((1000, 16)) * 1e5).astype("float32")
for name, index in (("float32", faiss.IndexFlatL2(16)),
                    ("float16", faiss.IndexScalarQuantizer(16, faiss.ScalarQuantizer.QT_fp16))):
    index.train(vectors)
    index.add(vectors)
    found = index.search(vectors[:100], 1)[1][:, 0] == numpy.arange(100)
    print(name, found.mean())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/faiss_half: it is otherwise now" >&2; exit 1; }
float32 1.0
float16 0.0
SEEN
