#!/usr/bin/env bash
# Every night: train on the log as it is, compare with what is served, publish or keep; and back again.
#
#   every_night.sh train CONFIG FOLDER [--set a.b=v ...]   a model of tonight, published unless it is worse
#   every_night.sh back FOLDER                             publish the model that was served before
#
# FOLDER/model.pagoda is the file for `pagoda serve`; FOLDER/nights has the models, FOLDER/published what was served,
# the latest last. METRIC decides, and tonight's figure may be below the served model's by the share SLACK of it. The
# last KEEP nights stay, and what may have to be served again. docs/howto/every-night.md explains each step.
set -euo pipefail

METRIC=${METRIC:-recall_at_100} SLACK=${SLACK:-0.02} KEEP=${KEEP:-7}

usage() {
  sed -n '4,5s/^# *//p' "$0" >&2
  exit 2
}

publish() { # NIGHT: by rename, so that the server sees the old file or the new one
  cp "$folder/nights/$1/model.pagoda" "$folder/model.pagoda.next"
  mv "$folder/model.pagoda.next" "$folder/model.pagoda"
}

judge() { # BUNDLE FIGURES: by the test part of the log as it is tonight
  pagoda -q evaluate "$1" --json "$2" > /dev/null
}

compare() { # TONIGHT SERVED: says both figures; status 3 where tonight's is too low
  python3 - "$@" "$METRIC" "$SLACK" << 'PYTHON'
import json, sys
tonight, served = (json.load(open(path)) for path in sys.argv[1:3])
metric, slack = sys.argv[3], float(sys.argv[4])
if tonight["test_rows"] != served["test_rows"]:
    sys.exit("the two models were judged by different rows")
now, before = (figures["mlflow"].get(metric) for figures in (tonight, served))
if now is None or before is None:
    sys.exit(f"there is no {metric}; known: {', '.join(tonight['mlflow'])}")
print(f"{metric}: {now:.4f} tonight, {before:.4f} of the served model, on {tonight['users']} users")
sys.exit(0 if now >= before * (1 - slack) else 3)
PYTHON
}

forget_old_nights() {
  local night
  for night in $(ls "$folder/nights" | head -n "-$KEEP"); do
    if ! tail -n 2 "$folder/published" | grep -qxF "$night"; then rm -r "${folder:?}/nights/$night"; fi
  done
}

train() {
  local config=$1 night here served beside worse
  shift 2
  night=$(date -u +%Y-%m-%dT%H-%M-%S)
  while [[ -e $folder/nights/$night ]]; do # a run of less than a second
    sleep 1
    night=$(date -u +%Y-%m-%dT%H-%M-%S)
  done
  here=$folder/nights/$night
  mkdir -p "$here"
  pagoda -q train -c "$config" "$@" -o "$here/model.pagoda"
  judge "$here/model.pagoda" "$here/figures.json"
  if [[ -s $folder/published ]]; then
    served=$folder/nights/$(tail -n 1 "$folder/published")/model.pagoda
    beside=$served.run/judged.pagoda # what is served has learnt the former test part, too; its twin has not
    if [[ ! -e $beside ]]; then beside=$served; fi
    cp "$beside" "$here/served.pagoda"
    judge "$here/served.pagoda" "$here/served.json"
    rm "$here/served.pagoda"*
    worse=0
    compare "$here/figures.json" "$here/served.json" || worse=$?
    if [[ $worse -ne 0 && $worse -ne 3 ]]; then exit 1; fi
    if [[ $worse -eq 3 ]]; then
      echo "kept: $(tail -n 1 "$folder/published") goes on being served"
      forget_old_nights
      return
    fi
  fi
  publish "$night"
  echo "$night" >> "$folder/published"
  echo "published: $night"
  forget_old_nights
}

back() {
  local before
  before=$(tail -n 2 "$folder/published" | head -n 1)
  if [[ $(wc -l < "$folder/published") -lt 2 || ! -e $folder/nights/$before/model.pagoda ]]; then
    echo "error: no model was served before" >&2
    exit 1
  fi
  publish "$before"
  sed -i '$d' "$folder/published"
  echo "back: $before is served again"
}

case ${1:-} in
  train) [[ $# -ge 3 ]] || usage; folder=$3 ;;
  back) [[ $# -eq 2 ]] || usage; folder=$2 ;;
  *) usage ;;
esac
mkdir -p "$folder/nights"
touch "$folder/published"
exec 9> "$folder/lock"
flock -n 9 || { echo "error: another night is under way" >&2; exit 1; }
case $1 in
  train) shift; train "$@" ;;
  back) back ;;
esac
