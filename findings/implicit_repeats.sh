#!/usr/bin/env bash
# implicit 0.7.3: an evaluation on repeats is 0.0, whatever the model.
#
# ranking_metrics_at_k leaves out what the user has in the training matrix. Where the test items are repeats (groceries, songs) none
# can be reached: all figures are 0.0, and the users count.
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
from implicit.evaluation import ranking_metrics_at_k

clicks = scipy.sparse.csr_matrix(numpy.eye(4, dtype="float32"))
model = AlternatingLeastSquares(factors=4, iterations=9, random_state=0, num_threads=1)
model.fit(clicks, show_progress=False)
best = model.recommend(numpy.arange(4), clicks, N=1, filter_already_liked_items=False)[0][:, 0]
figures = ranking_metrics_at_k(model, clicks, clicks, K=2, show_progress=False)
print(best.tolist(), {name: figures[name] for name in ("precision", "map", "ndcg")})
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/implicit_repeats: it is otherwise now" >&2; exit 1; }
[0, 1, 2, 3] {'precision': 0.0, 'map': 0.0, 'ndcg': 0.0}
SEEN
