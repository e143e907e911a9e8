#!/usr/bin/env bash
# pytrec-eval-terrier 0.5.11: the order of close scores is that of the names.
#
# trec_eval holds scores in float32 and puts equal ones in the order of the document's name, from the last: with doubles that
# differ in the eighth digit the first is second. Name the relevant one otherwise, and the figure changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: pytrec-eval-terrier==0.5.11
venv/bin/python -W ignore - >seen <<'PYTHON'
import pytrec_eval

for relevant, other in (("a", "b"), ("b", "a")):
    judge = pytrec_eval.RelevanceEvaluator({"user": {relevant: 1}}, {"recip_rank"})
    print(relevant, judge.evaluate({"user": {relevant: 1.00000002, other: 1.00000001}})["user"]["recip_rank"])
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/trec_ties: it is otherwise now" >&2; exit 1; }
a 0.5
b 1.0
SEEN
