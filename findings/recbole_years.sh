#!/usr/bin/env bash
# recbole 1.2.1: the films of MovieLens 100K that its wheel holds have a year that is a 'V', and one that is misspelt.
#
# `release_year` is cut out of the title's last brackets. One title of the publisher's file ends in two of them, the year
# and (V) for video: its year stays in the title, and the column holds the other. Where the publisher's file says
# "unknown", both title and year are "unkonwn" here, though the film's class is spelt "unknown", so that a list of words for
# "missing" that fits one column misses the others. One would guess 1682 years, or empty cells.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip -q --disable-pip-version-check download --no-deps recbole==1.2.1
python3 - <<'PYTHON' >seen
import zipfile

wheel = zipfile.ZipFile("recbole-1.2.1-py3-none-any.whl")
lines = wheel.read("recbole/dataset_example/ml-100k/ml-100k.item").decode().splitlines()
print(lines[0].split("\t"))
films = [line.split("\t") for line in lines[1:]]
print(len(films), "films,", sum(year.isdigit() for _, _, year, _ in films), "years")
for film in films:
    if not film[2].isdigit():
        print(film)
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/recbole_years: it is otherwise now" >&2; exit 1; }
['item_id:token', 'movie_title:token_seq', 'release_year:token', 'class:token_seq']
1682 films, 1680 years
['267', 'unkonwn', 'unkonwn', 'unknown']
['1412', 'Land Before Time III: The Time of the Great Giving (1995)', 'V', "Animation Children's"]
SEEN
