#!/usr/bin/env bash
# DuckDB 2.0.1: integers beyond 64 bits are exact from CSV and merged from JSON.
#
# The same five ids, 18446744073709551620 and on: read from a CSV file they are HUGEINT and five; from JSON lines they are
# DOUBLE and one. One would guess one rule for both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: duckdb==2.0.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import duckdb

ids = range(18446744073709551620, 18446744073709551625)
open("ids.csv", "w").write("id\n" + "".join(f"{i}\n" for i in ids))
open("ids.jsonl", "w").write("".join(f'{{"id": {i}}}\n' for i in ids))
for file in ("ids.csv", "ids.jsonl"):
    print(file, *duckdb.sql(f"select any_value(typeof(id)), count(distinct id) from '{file}'").fetchall()[0])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/duckdb_json_ids: it is otherwise now" >&2; exit 1; }
ids.csv HUGEINT 5
ids.jsonl DOUBLE 1
SEEN
