#!/usr/bin/env bash
# implicit 0.7.3: AlternatingLeastSquares recommends the items with the lowest numbers to a user without clicks.
#
# One would guess what is popular, as its other factor models give, or nothing, as its neighbours do. The factors of such a
# user are zero, so every item scores 0; there is no warning, and a recall over all users counts these lists.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: implicit==0.7.3 numpy==2.4.6 scipy==1.17.1
OPENBLAS_NUM_THREADS=1 venv/bin/python -W ignore - >seen <<'PYTHON'
import implicit
import numpy
import scipy.sparse

# Items 40 to 44 of 50 have most of the clicks; user 0 has none.
random = numpy.random.default_rng(1)
chances = numpy.ones(50)
chances[40:45] = 40
users, items = [], []
for user in range(1, 200):
    for item in sorted(set(random.choice(50, 8, p=chances / chances.sum()))):
        users.append(user)
        items.append(item)
clicks = scipy.sparse.csr_matrix((numpy.ones(len(users), numpy.float32), (users, items)), shape=(200, 50))
popular = set(range(40, 45))
for name, model in {
    "als": implicit.als.AlternatingLeastSquares(factors=16, random_state=1),
    "bpr": implicit.bpr.BayesianPersonalizedRanking(factors=16, random_state=1, num_threads=1),
    "logistic": implicit.lmf.LogisticMatrixFactorization(factors=16, random_state=1, num_threads=1),
    "neighbours": implicit.nearest_neighbours.CosineRecommender(),
}.items():
    model.fit(clicks, show_progress=False)
    ids, scores = model.recommend(0, clicks[0], N=5)
    print(name, "popular" if set(ids.tolist()) == popular else sorted(ids.tolist()),
          "scores all 0" if len(scores) and not scores.any() else "")
PYTHON
sed -i 's/ *$//' seen
cat seen
diff seen - <<'SEEN' || { echo "findings/implicit_empty_user: it is otherwise now" >&2; exit 1; }
als [0, 1, 2, 3, 4] scores all 0
bpr popular
logistic popular
neighbours []
SEEN
