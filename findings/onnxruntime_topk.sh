#!/usr/bin/env bash
# ONNX Runtime 1.31.1: one score of NaN hides the best items from TopK.
#
# One would guess NaN first or last and the rest in order. A NaN among the scores stops better ones behind it from coming up: of
# 1, 2, NaN, 3, 9, 4 the three largest are said to be 2, 1 and NaN. A graph that ranks candidates should take NaN out before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install --only-binary :all: onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
venv/bin/python - >seen <<'PYTHON'
import numpy
import onnxruntime
from onnx import TensorProto, helper

graph = helper.make_graph(
    [helper.make_node("TopK", ["scores", "k"], ["best", "rows"])], "rank",
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [6])],
    [helper.make_tensor_value_info("best", TensorProto.FLOAT, [3]), helper.make_tensor_value_info("rows", TensorProto.INT64, [3])],
    [helper.make_tensor("k", TensorProto.INT64, [1], [3])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
session = onnxruntime.InferenceSession(model.SerializeToString())
for scores in ([1, 2, 0, 3, 9, 4], [1, 2, float("nan"), 3, 9, 4]):
    best, _ = session.run(None, {"scores": numpy.array(scores, "float32")})
    print(scores, "->", best.tolist())
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/onnxruntime_topk: it is otherwise now" >&2; exit 1; }
[1, 2, 0, 3, 9, 4] -> [9.0, 4.0, 3.0]
[1, 2, nan, 3, 9, 4] -> [2.0, 1.0, nan]
SEEN
