#!/usr/bin/env bash
# implicit 0.7.3: the K neighbours of an item begin with the item itself.
#
# CosineRecommender(K=1) knows no other item: it recommends the user's own items, at scores of 0. With K = 20 an item
# has 19 neighbours. One would guess K other items.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: implicit==0.7.3 scipy==1.17.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
from implicit.nearest_neighbours import CosineRecommender
import numpy
from scipy.sparse import csr_matrix

clicks = csr_matrix(numpy.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=numpy.float32))
for k in (1, 2, 3):
    model = CosineRecommender(K=k)
    model.fit(clicks, show_progress=False)
    similar = [int(i) for i in model.similar_items(0, N=4)[0]]
    print(f"K = {k}: like item 0:", similar, " for user 0:", [round(float(s), 2) for s in model.recommend(0, clicks[0], N=2)[1]])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/implicit_itself: it is otherwise now" >&2; exit 1; }
K = 1: like item 0: [0]  for user 0: [0.0, 0.0]
K = 2: like item 0: [0, 1]  for user 0: [0.0, 0.0]
K = 3: like item 0: [0, 1, 2]  for user 0: [1.07, 0.0]
SEEN
