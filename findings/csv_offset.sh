#!/usr/bin/env bash
# polars 2.1.0 and pyarrow 26.0.1: a time of 1900 that went through CSV comes back ten seconds off.
#
# Until 1906 Kolkata was 5:21:10 ahead of UTC. Both write the local time with its seconds and the offset without, +0521. pandas writes
# +05:21:10. Times in UTC, and those of a zone's later years, are not touched.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pyarrow==26.0.1 polars==2.1.0 pandas==3.1.1
venv/bin/python -W ignore - >seen <<'PYTHON'
import datetime
import io

import pandas
import polars
import pyarrow.csv

zone, at = "Asia/Kolkata", datetime.datetime(1900, 1, 1, tzinfo=datetime.timezone.utc)
out = io.BytesIO()
pyarrow.csv.write_csv(pyarrow.table({"at": pyarrow.array([at], pyarrow.timestamp("s", zone))}), out)
print("pyarrow", out.getvalue().decode().split("\n")[1])
print("polars", polars.DataFrame({"at": [at]}).select(polars.col("at").dt.convert_time_zone(zone)).write_csv().split("\n")[1])
print("pandas", pandas.DataFrame({"at": [at]})["at"].dt.tz_convert(zone).to_csv(index=False).split("\n")[1])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/csv_offset: it is otherwise now" >&2; exit 1; }
pyarrow 1900-01-01 05:21:10+0521
polars 1900-01-01T05:21:10.000000+0521
pandas 1900-01-01 05:21:10+05:21:10
SEEN
