#!/usr/bin/env bash
# LightGBM 4.7.0: the NDCG of a query without a relevant item is 1.
#
# A validation set in which nobody clicked has a perfect ndcg@5, and each such query lifts the mean of the others. scikit-learn's
# ndcg_score gives 0 for the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: lightgbm==4.7.0 scikit-learn==1.9.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import lightgbm
import numpy
from sklearn.metrics import ndcg_score

features = numpy.random.default_rng(0).standard_normal((20, 2))
clicked = numpy.eye(1, 20)[0]
train = lightgbm.Dataset(features, clicked, group=[10, 10])
nobody = lightgbm.Dataset(features, numpy.zeros(20), group=[10, 10], reference=train)
seen = {}
lightgbm.train({"objective": "lambdarank", "metric": "ndcg", "eval_at": [5], "verbose": -1}, train, 1, valid_sets=[nobody],
               callbacks=[lightgbm.record_evaluation(seen)])
print("lightgbm", float(seen["valid_0"]["ndcg@5"][0]))
print("scikit-learn", float(ndcg_score([[0, 0, 0]], [[3, 2, 1]])))
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/lightgbm_ndcg: it is otherwise now" >&2; exit 1; }
lightgbm 1.0
scikit-learn 0.0
SEEN
