#!/usr/bin/env bash
# cornac 3.0.1: EASE leaves out what speaks against an item, unless it is told otherwise; its docstring says the opposite.
#
# The docstring has "posB: boolean, optional, default: False, remove negative weights", the signature has posB=True. The
# model of the paper has negative weights, and they matter: with ratings of a few users below, the item that comes first
# is another. A comparison with cornac's EASE as it comes is one with the model that the paper lists as a variant. One
# would guess the paper's model, or the docstring's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install cornac==3.0.1 numpy==2.2.6
venv/bin/python - <<'PYTHON' >seen 2>/dev/null
import inspect

import numpy as np
from cornac.data import Dataset
from cornac.models import EASE

print("docstring:", next(line.strip() for line in EASE.__doc__.splitlines() if "posB" in line))
print("signature: posB =", inspect.signature(EASE).parameters["posB"].default)
rng = np.random.default_rng(3)
taste = rng.integers(0, 3, 200)
clicks = {(user, item) for user in range(200) for item in range(12) if rng.random() < (0.6 if item % 3 == taste[user] else 0.1)}
data = Dataset.from_uir([(user, item, 1.0) for user, item in sorted(clicks)])
for name, model in (("as it comes", EASE(lamb=10, verbose=False)), ("posB=False", EASE(lamb=10, posB=False, verbose=False))):
    model.fit(data)
    first = [int(np.argmax(np.where([(user, item) in clicks for item in data.item_ids], -9, np.ravel(model.score(data.uid_map[user]))))) for user in data.uid_map]
    print(f"{name}: {int((model.B < 0).sum())} weights of {model.B.size} below 0; the first item of each user:", first[:8])
PYTHON
cat seen
