#!/usr/bin/env bash
# LightGBM 4.7.0: a model that was trained with a frame takes an array of the same items for other items.
#
# A column of categories is held as codes, and the frame's categories are kept to find them. A NumPy array has no
# categories, so its numbers are taken for codes: the item 10 for the eleventh category, which is not there. Nothing is
# said, and a frame of plain integers is refused. One would guess an error here too, or the prediction for the item.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: lightgbm==4.7.0 pandas==3.1.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import lightgbm
import numpy
import pandas

items = numpy.tile([10, 20, 0], 1000)
frame = pandas.DataFrame({"item": pandas.Categorical(items)})
data = lightgbm.Dataset(frame, items == 10)
model = lightgbm.train({"objective": "regression", "verbose": -1}, data, 100)
print("clicked:", dict(zip([10, 20, 0], [1, 0, 0])))
print("by the frame:", model.predict(frame[:3]).round(2).tolist())
print("by its array:", model.predict(frame[:3].to_numpy()).round(2).tolist())
try:
    model.predict(frame[:3].astype("int64"))
except ValueError as error:
    print("by a frame of integers:", error)
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/lightgbm_category: it is otherwise now" >&2; exit 1; }
clicked: {10: 1, 20: 0, 0: 0}
by the frame: [1.0, 0.0, 0.0]
by its array: [0.0, 0.0, 0.0]
by a frame of integers: train and valid dataset categorical_feature do not match.
SEEN
