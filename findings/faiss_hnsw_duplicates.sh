#!/usr/bin/env bash
# faiss-cpu 1.15.1: equal vectors hide the others from an HNSW graph.
#
# Items without data often share one vector. Behind 5,000 zero vectors, 5,000 distinct ones are added to IndexHNSWFlat(16, 32);
# asked for its own neighbour, most of the distinct ones are not found. Without the zero vectors, in the same order, all are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: faiss-cpu==1.15.1 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import faiss
import numpy

faiss.omp_set_num_threads(1)
distinct = numpy.random.default_rng(0).standard_normal((5000, 16)).astype("float32")
for before in (0, 5000):
    index = faiss.IndexHNSWFlat(16, 32)
    index.add(numpy.concatenate([numpy.zeros((before, 16), "float32"), distinct]))
    found = index.search(distinct[:200], 1)[1][:, 0] == before + numpy.arange(200)
    print(before, "equal ones before:", "all are found" if found.all() else f"under half found: {found.mean() < 0.5}")
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/faiss_hnsw_duplicates: it is otherwise now" >&2; exit 1; }
0 equal ones before: all are found
5000 equal ones before: under half found: True
SEEN
