#!/usr/bin/env bash
# pytrec_eval-terrier 0.5.11: users for whom nothing was recommended are left out, and the mean is too good.
#
# Two users are to be judged, and the run has a list for one of them. The evaluator gives figures of that one alone, so a
# mean over what it gives is 1 in place of 0.5: the fewer users a recommender serves, the better it looks. One would guess
# a recall of 0, or an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pytrec_eval-terrier==0.5.11
venv/bin/python -W ignore - >seen <<'PYTHON'
import pytrec_eval

relevant = {"ann": {"i1": 1}, "bob": {"i2": 1}}
lists = {"ann": {"i1": 2.0, "i3": 1.0}}
figures = pytrec_eval.RelevanceEvaluator(relevant, {"recall_5"}).evaluate(lists)
print(figures)
print("mean", sum(one["recall_5"] for one in figures.values()) / len(figures), "of", len(relevant), "users")
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/pytrec_missing: it is otherwise now" >&2; exit 1; }
{'ann': {'recall_5': 1.0}}
mean 1.0 of 2 users
SEEN
