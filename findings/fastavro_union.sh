#!/usr/bin/env bash
# fastavro 1.13.1: in a union with a number of floating point, a whole id becomes another id.
#
# The schema takes an int or a float, as a tool writes it that met both. An id above 2^31 is no int, so it is written as
# a float of 32 bits, and comes back as the nearest one: 3000000017 is 3000000000.0 then, and so is 3000000018. Where a
# long stands behind the float, 16777217 becomes 16777216.0. One would guess an error, or the type that holds the number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: fastavro==1.13.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import io

import fastavro

for union, item in ((["int", "float"], 3000000017), (["int", "float"], 3000000018), (["float", "long"], 16777217),
                    (["long", "float"], 16777217)):
    schema = fastavro.parse_schema({"type": "record", "name": "Click", "fields": [{"name": "item", "type": ["null", *union]}]})
    bytes_of = io.BytesIO()
    fastavro.schemaless_writer(bytes_of, schema, {"item": item})
    bytes_of.seek(0)
    print(union, item, "->", fastavro.schemaless_reader(bytes_of, schema)["item"])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/fastavro_union: it is otherwise now" >&2; exit 1; }
['int', 'float'] 3000000017 -> 3000000000.0
['int', 'float'] 3000000018 -> 3000000000.0
['float', 'long'] 16777217 -> 16777216.0
['long', 'float'] 16777217 -> 16777217
SEEN
