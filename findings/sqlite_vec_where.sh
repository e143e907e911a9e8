#!/usr/bin/env bash
# sqlite-vec 0.1.9: of five ways to write one filter, two look for neighbours among all items, and find none.
#
# The 50 nearest of 100 items are of another shop. A condition on the shop or on the distance, or "item IN (...)", is
# applied before the five nearest are taken. "item > 49", on the primary key, and a join are applied to the five that
# were taken. One would guess the same rows from the same condition, as SQL has it, or an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: sqlite-vec==0.1.9 apsw==3.54.1.0 numpy==2.4.6
venv/bin/python -W ignore - >seen <<'PYTHON'
import apsw
import numpy
import sqlite_vec

base = apsw.Connection(":memory:")
base.enable_load_extension(True)
base.load_extension(sqlite_vec.loadable_path())
base.execute("CREATE VIRTUAL TABLE vectors USING vec0(item INTEGER PRIMARY KEY, vector FLOAT[1], shop INTEGER)")
base.execute("CREATE TABLE items(item INTEGER PRIMARY KEY, store INTEGER)")
for item in range(100):
    base.execute("INSERT INTO vectors VALUES(?, ?, ?)", (item, numpy.float32([item]).tobytes(), item // 50))
    base.execute("INSERT INTO items VALUES(?, ?)", (item, item // 50))
near = "vector MATCH ? AND k = 5"
for query in (f"SELECT item FROM vectors WHERE {near} AND shop = 1",
              f"SELECT item FROM vectors WHERE {near} AND item IN (SELECT item FROM items WHERE store = 1)",
              f"SELECT item FROM vectors WHERE {near} AND distance > 49",
              f"SELECT item FROM vectors WHERE {near} AND item > 49",
              f"SELECT item FROM vectors JOIN items USING(item) WHERE {near} AND store = 1"):
    print(query.split(near + " AND ")[1], [row[0] for row in base.execute(query, (numpy.float32([0]).tobytes(),))])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/sqlite_vec_where: it is otherwise now" >&2; exit 1; }
shop = 1 [50, 51, 52, 53, 54]
item IN (SELECT item FROM items WHERE store = 1) [50, 51, 52, 53, 54]
distance > 49 [50, 51, 52, 53, 54]
item > 49 []
store = 1 []
SEEN
