#!/usr/bin/env bash
# gensim 4.4.0: the vector of an item that is not there is the vector of another one.
#
# KeyedVectors takes whole numbers for keys. One that it does not hold is taken for a place in the table, if there is
# such a place: 1 is the second item. A word2vec file holds texts, so after saving and loading no number is a key, all
# are places, and the item 0 has the vector of the item 10. One would guess a KeyError, which a number beyond the table
# gets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: gensim==4.4.0 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import numpy
from gensim.models import KeyedVectors

items = KeyedVectors(2)
items.add_vectors([10, 0, 5], numpy.array([[10, 10], [0, 0], [5, 5]], dtype="float32"))
print("as added:", {item: items[item].tolist() for item in (10, 0, 5)})
print("not there:", {item: items[item].tolist() for item in (1, 2)})
items.save_word2vec_format("items.txt")
loaded = KeyedVectors.load_word2vec_format("items.txt")
print("after saving and loading:", {item: loaded[item].tolist() for item in (0, 1, 2)})
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/gensim_ids: it is otherwise now" >&2; exit 1; }
as added: {10: [10.0, 10.0], 0: [0.0, 0.0], 5: [5.0, 5.0]}
not there: {1: [0.0, 0.0], 2: [5.0, 5.0]}
after saving and loading: {0: [10.0, 10.0], 1: [0.0, 0.0], 2: [5.0, 5.0]}
SEEN
