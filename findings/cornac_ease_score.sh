#!/usr/bin/env bash
# cornac 3.0.1: EASE gives an item another score when it is asked for alone than among all items.
#
# score(user) multiplies the user's row by B, score(user, item) multiplies a row of B by the user's row: by the transpose,
# and B is not symmetric, since each column is divided by its own diagonal. Ratings that rate() predicts and rankings that
# rank() makes of chosen items then go by other weights than rank() over all items. One would guess the same number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install cornac==3.0.1 numpy==2.2.6
venv/bin/python - <<'PYTHON' >seen 2>/dev/null
import numpy as np
from cornac.data import Dataset
from cornac.models import EASE

clicks = [("ann", "tea"), ("ann", "cup"), ("bob", "tea"), ("bob", "cup"), ("cat", "tea"), ("dan", "tea"), ("dan", "pot")]
data = Dataset.from_uir([(user, item, 1.0) for user, item in clicks])
model = EASE(lamb=1, posB=False, verbose=False).fit(data)
items = list(data.iid_map)
x = np.array([[float((user, item) in clicks) for item in items] for user in data.uid_map])
inverse = np.linalg.inv(x.T @ x + np.eye(len(items)))
weights = -inverse / np.diag(inverse)
np.fill_diagonal(weights, 0)
cat = data.uid_map["cat"]
print("the paper  ", *(f"{item} {score:.3f}" for item, score in zip(items, x[cat] @ weights)))
print("all at once", *(f"{item} {score:.3f}" for item, score in zip(items, np.ravel(model.score(cat)))))
print("one by one ", *(f"{item} {np.ravel(model.score(cat, data.iid_map[item]))[0]:.3f}" for item in items))
PYTHON
cat seen
