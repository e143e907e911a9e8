#!/usr/bin/env bash
# hnswlib 0.8.0: vectors that are added without ids take the places of vectors that were given theirs.
#
# An id that is not said is the number of vectors so far, whether or not that id is taken: what stood there is replaced, and the
# index holds fewer vectors than were added.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install hnswlib==0.8.0 numpy==2.4.6  # built from its source
venv/bin/python - >seen <<'PYTHON'
import hnswlib
import numpy

index = hnswlib.Index("ip", 4)
index.init_index(10)
vectors = numpy.eye(4, dtype="float32")
index.add_items(vectors[:2], [2, 3])
index.add_items(vectors[2:])
print("added 4, holds", index.get_current_count(), sorted(index.get_ids_list()))
print("vector of id 2:", [float(x) for x in index.get_items([2])[0]])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/hnswlib_ids: it is otherwise now" >&2; exit 1; }
added 4, holds 2 [2, 3]
vector of id 2: [0.0, 0.0, 1.0, 0.0]
SEEN
