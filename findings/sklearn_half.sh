#!/usr/bin/env bash
# scikit-learn 1.9.1: normalize() makes zero vectors of long ones in half precision, and leaves short ones as they are.
#
# It keeps float16, and takes the length in it: the sum of squares is infinite beyond a length of 256 and 0 below
# 0.0001. The long vectors are divided by infinity, the short ones not at all. 4,000 components of 5 are enough. One
# would guess unit length, as cosine_similarity(), which takes doubles, has it, or an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize

vectors = numpy.array([[3, 4], [300, 400], [3e-5, 4e-5]], dtype="float16")
for kind in ("float32", "float16"):
    print(kind, [[round(float(x), 5) for x in row] for row in normalize(vectors.astype(kind))])
print("their cosines", cosine_similarity(vectors)[0].round(4))
print("4,000 times 5", normalize(numpy.full((1, 4000), 5, dtype="float16"))[0, :3])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/sklearn_half: it is otherwise now" >&2; exit 1; }
float32 [[0.6, 0.8], [0.6, 0.8], [0.59981, 0.80014]]
float16 [[0.6001, 0.7998], [0.0, 0.0], [3e-05, 4e-05]]
their cosines [1. 1. 1.]
4,000 times 5 [0. 0. 0.]
SEEN
