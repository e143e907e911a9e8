#!/usr/bin/env bash
# fastavro 1.13.1: a weight of 1.9 is written into an int as 1, and a number of 41 bits as it is.
#
# The field is an int, which Avro says has 32 bits. The fraction goes without a word; 2^40 is written, and read again by
# this library and by the one of the Avro project (avro 1.12.2), though readers in other languages have no such int. One
# would guess an error in both cases, as for a text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install fastavro==1.13.1 avro==1.12.2
venv/bin/python -W ignore - >seen <<'PYTHON'
import io
import json

import avro.io
import avro.schema
import fastavro

said = {"type": "record", "name": "Click", "fields": [{"name": "weight", "type": "int"}]}
schema = fastavro.parse_schema(said)
for weight in (1.9, 2**40, "2"):
    written = io.BytesIO()
    try:
        fastavro.schemaless_writer(written, schema, {"weight": weight})
    except TypeError as error:
        print(repr(weight), "TypeError")
        continue
    read = [fastavro.schemaless_reader(io.BytesIO(written.getvalue()), schema)["weight"],
            avro.io.DatumReader(avro.schema.parse(json.dumps(said))).read(avro.io.BinaryDecoder(io.BytesIO(written.getvalue())))["weight"]]
    print(repr(weight), "->", *read)
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/fastavro_int: it is otherwise now" >&2; exit 1; }
1.9 -> 1 1
1099511627776 -> 1099511627776 1099511627776
'2' TypeError
SEEN
