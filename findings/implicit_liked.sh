#!/usr/bin/env bash
# implicit 0.7.3: recommend() fills up the list with what it was told to leave out.
#
# With filter_already_liked_items=True and N above what is left, the liked items follow, with a score of -3.4e38. Who drops the
# scores recommends them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: implicit==0.7.3 numpy==2.4.6 scipy==1.17.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
import scipy.sparse
from implicit.als import AlternatingLeastSquares

clicks = scipy.sparse.csr_matrix(numpy.array([[1, 1, 0, 0], [0, 1, 1, 1]], "float32"))
model = AlternatingLeastSquares(factors=2, iterations=3, random_state=0, num_threads=1)
model.fit(clicks, show_progress=False)
items, scores = model.recommend(0, clicks[0], N=4, filter_already_liked_items=True)
print(sorted(items[:2].tolist()), sorted(items[2:].tolist()), scores[2:].tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/implicit_liked: it is otherwise now" >&2; exit 1; }
[2, 3] [0, 1] [-3.4028234663852886e+38, -3.4028234663852886e+38]
SEEN
