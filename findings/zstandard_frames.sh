#!/usr/bin/env bash
# zstandard 0.25.0 (Python): decompress() of a file of two frames gives the first.
#
# A .zst to which another was appended, or that pzstd wrote, holds several frames, and `zstd -d` gives them all. decompress() ends
# behind the first one without an error: the rest of the log is not there. stream_reader() and open() read on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: zstandard==0.25.0
venv/bin/python -W ignore - >seen <<'PYTHON'
import io

import zstandard

log = zstandard.compress(b"u1,i1\n") + zstandard.compress(b"u2,i2\n")
print("decompress", zstandard.decompress(log))
print("stream_reader", zstandard.ZstdDecompressor().stream_reader(io.BytesIO(log)).read())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/zstandard_frames: it is otherwise now" >&2; exit 1; }
decompress b'u1,i1\n'
stream_reader b'u1,i1\nu2,i2\n'
SEEN
