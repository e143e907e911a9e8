#!/usr/bin/env bash
# h5py 3.16.0: ids that are too large for a dataset become its largest number.
#
# NumPy wraps them around, or refuses. HDF5 puts in their place the nearest number that the type holds: all items above
# 2^31 are one item, 2147483647, in a dataset of int32, and all the ids of -1, for "none", are the item 0 in one of
# uint32. One would guess an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: h5py==3.16.0 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import h5py
import numpy

with h5py.File("clicks.h5", "w") as file:
    for kind, ids in (("int32", [3000000017, 3000000018, 5]), ("uint32", [-1, 0, 5])):
        file.create_dataset(kind, (3,), kind)[:] = numpy.array(ids)
        print(kind, ids, "->", file[kind][:].tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/h5py_ids: it is otherwise now" >&2; exit 1; }
int32 [3000000017, 3000000018, 5] -> [2147483647, 2147483647, 5]
uint32 [-1, 0, 5] -> [0, 0, 5]
SEEN
