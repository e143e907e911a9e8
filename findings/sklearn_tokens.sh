#!/usr/bin/env bash
# scikit-learn 1.9.1: words of one character are no words.
#
# A history of items or a list of genres as a text, split at blanks: CountVectorizer and TfidfVectorizer drop the item 7 and the
# genre C, cut Sci-Fi in two and make everything lower case. Items 1 to 9 are in no vector.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: scikit-learn==1.9.1
venv/bin/python -W ignore - >seen <<'PYTHON'
from sklearn.feature_extraction.text import CountVectorizer

print(CountVectorizer().fit(["7 12 C Sci-Fi"]).get_feature_names_out().tolist())
print(CountVectorizer(token_pattern=r"\S+", lowercase=False).fit(["7 12 C Sci-Fi"]).get_feature_names_out().tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/sklearn_tokens: it is otherwise now" >&2; exit 1; }
['12', 'fi', 'sci']
['12', '7', 'C', 'Sci-Fi']
SEEN
