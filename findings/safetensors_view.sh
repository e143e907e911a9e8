#!/usr/bin/env bash
# safetensors 0.8.0: the vectors of a transposed NumPy array are written in the wrong order.
#
# A view such as vectors.T is no copy, and NumPy reads it right everywhere. save_file() takes the shape of the view and the bytes of
# the memory under it, so what is read back has the right shape and other numbers, without a word. numpy.ascontiguousarray() first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: safetensors==0.8.0 numpy==2.4.6
venv/bin/python - >seen <<'PYTHON'
import numpy
from safetensors.numpy import load_file, save_file

factors = numpy.arange(6, dtype="float32").reshape(2, 3)  # [dim, items], as some libraries keep them
save_file({"items": factors.T}, "items.safetensors")
print("written", factors.T.tolist())
print("read   ", load_file("items.safetensors")["items"].tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/safetensors_view: it is otherwise now" >&2; exit 1; }
written [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
read    [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
SEEN
