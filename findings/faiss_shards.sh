#!/usr/bin/env bash
# faiss-cpu 1.15.1: IndexShards gives other ids than those its shards hold.
#
# Each shard, an IndexIDMap, has ids of its own, and a search in it gives them. By default IndexShards takes them for
# places and adds the sizes of the shards before: the item 1005 is found as 1010, which may be an item too. One would
# guess the ids as they were given, or an error, as add_with_ids() has it. (successive_ids=False is the way.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: faiss-cpu==1.15.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import faiss
import numpy

vectors = numpy.eye(10, dtype="float32")
shards = []
for begin in (0, 5):
    shards.append(faiss.IndexIDMap(faiss.IndexFlatIP(10)))
    shards[-1].add_with_ids(vectors[begin:begin + 5], numpy.arange(1000 + begin, 1005 + begin))
print("in the second shard", shards[1].search(vectors[5:], 1)[1].ravel().tolist())
for options in ({}, {"successive_ids": False}):
    both = faiss.IndexShards(10, False, *options.values())
    for shard in shards:
        both.add_shard(shard)
    print("in both", options or "", both.search(vectors[5:], 1)[1].ravel().tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/faiss_shards: it is otherwise now" >&2; exit 1; }
in the second shard [1005, 1006, 1007, 1008, 1009]
in both  [1010, 1011, 1012, 1013, 1014]
in both {'successive_ids': False} [1005, 1006, 1007, 1008, 1009]
SEEN
