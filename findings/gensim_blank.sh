#!/usr/bin/env bash
# gensim 4.4.0: an item whose name holds a blank spoils the binary word2vec file, its own vector and those behind it.
#
# The format ends a name at the first blank. save_word2vec_format(binary=True) writes "new york" all the same, and the
# reader takes "york" for the first numbers. Nothing is said: there are two items, as many as were written, with another
# name and with components of 1e+26. The text file is refused by the reader. One would guess that the writer refuses.
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
items.add_vectors(["new york", "paris"], numpy.array([[10, 10], [0, 1]], dtype="float32"))
items.save_word2vec_format("items.bin", binary=True)
loaded = KeyedVectors.load_word2vec_format("items.bin", binary=True)
for name in loaded.index_to_key:
    print(ascii(name), [f"{x:.1e}" for x in loaded[name]])
print("paris" in loaded)
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/gensim_blank: it is otherwise now" >&2; exit 1; }
'new' ['2.9e+26', '1.1e-19']
'A\x00\x00' ['4.5e+30', '3.0e-39']
False
SEEN
