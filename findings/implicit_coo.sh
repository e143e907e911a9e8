#!/usr/bin/env bash
# implicit 0.7.3: the weights of a log as a COO matrix are below 0, and others than as CSR.
#
# A COO matrix holds a click an entry, and its value is the sum of those. tfidf_weight() and bm25_weight() take such a
# matrix and count the entries: an item that one user clicked five times counts as clicked by five, so its idf is
# negative, and so is the weight of that item for this user. As CSR, where the clicks are added up, it is positive. One
# would guess the same figures of the same matrix.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: implicit==0.7.3 scipy==1.17.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
from implicit.nearest_neighbours import bm25_weight, tfidf_weight
from scipy.sparse import coo_matrix

rows, columns = [0, 0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 0, 0, 1, 0, 2]
clicks = coo_matrix((numpy.ones(8), (rows, columns)), shape=(4, 3))
print("one matrix:", (clicks.toarray() == clicks.tocsr().toarray()).all(), clicks.toarray().astype(int).tolist())
for weight in (tfidf_weight, bm25_weight):
    for matrix in (clicks, clicks.tocsr()):
        print(weight.__name__, matrix.format, weight(matrix).toarray().round(2).tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/implicit_coo: it is otherwise now" >&2; exit 1; }
one matrix: True [[5, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]]
tfidf_weight coo [[-2.8, 0.0, 0.0], [-0.56, 0.69, 0.0], [0.0, 0.0, 0.69], [0.0, 0.0, 0.0]]
tfidf_weight csr [[0.64, 0.0, 0.0], [0.29, 0.69, 0.0], [0.0, 0.0, 0.69], [0.0, 0.0, 0.0]]
bm25_weight coo [[-1.28, 0.0, 0.0], [-0.56, 0.69, 0.0], [0.0, 0.0, 1.15], [0.0, 0.0, 0.0]]
bm25_weight csr [[0.65, 0.0, 0.0], [0.29, 0.69, 0.0], [0.0, 0.0, 1.15], [0.0, 0.0, 0.0]]
SEEN
