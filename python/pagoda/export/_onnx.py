"""The towers as ONNX graphs, and as the model repository of a Triton server.

Everything from the embedding tables on lies in a graph: tables, pooling, layers, unit length, the vector of a user of
whom nothing is known. Its inputs are rows of the tables and plain numbers, which ``Model.user_inputs`` and
``Model.item_inputs`` prepare: no standard operator hashes a text as the encoders do, or knows that 2.0 and 2 are one
value."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from .._errors import UsageError
from ._libraries import library

OPSET, IR_VERSION = 17, 8  # which ONNX Runtime reads since 1.12
EXTERNAL_FROM = 1 << 30  # bytes of weights; protobuf ends at 2 GiB
TOWERS = ("user", "item")


class _Graph:
    """Nodes and constants, named as they come."""

    def __init__(self, onnx: Any):
        self._helper, self._numpy = onnx.helper, onnx.numpy_helper
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, value: np.ndarray) -> str:
        name = f"{value.dtype}_{value.tolist()}"
        if name not in self.constants:
            self.constants[name] = self._numpy.from_array(value, name)
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def scalar(self, value: int) -> str:
        return self.constant(np.array(value, np.int64))

    def whole(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))


def _attention(graph: _Graph, bag: dict, shape: dict, table: str, there: str, age: str, read: str) -> str:
    """[n, dim]: the attention over a history (src/nn/history_attention.h) of table [n, items, dim]; there, age and read
    [n, items]: whether there is an item, its age, and whether it is young enough."""
    heads, width = shape["heads"], bag["dim"]
    valid = graph.node("Mul", there, read)
    newest = graph.node("Mul", valid, graph.node("Cast", graph.node("Equal", age, graph.number(0)), to=1))
    first = graph.node("Squeeze", graph.node("MatMul", graph.node("Unsqueeze", newest, graph.whole(1)), table),
                       graph.whole(1))
    query = graph.node("Add", graph.node("MatMul", first, "history.queries"), "history.constants")
    query = graph.node("Reshape", query, graph.whole(0, heads, width))
    scores = graph.node("MatMul", query, graph.node("Transpose", table, perm=[0, 2, 1]))
    scores = graph.node("Mul", scores, graph.number(width**-0.5))
    place = graph.node("Cast", graph.node("Min", age, graph.number(shape["history"] - 1)), to=7)
    by_age = graph.node("Gather", graph.node("Transpose", "history.ages", perm=[1, 0]), place, axis=0)
    scores = graph.node("Add", scores, graph.node("Transpose", by_age, perm=[0, 2, 1]))
    mask = graph.node("Unsqueeze", valid, graph.whole(1))
    scores = graph.node("Where", graph.node("Cast", mask, to=9), scores, graph.number(-1e30))
    weights = graph.node("Mul", graph.node("Softmax", scores, axis=2), mask)
    pooled = graph.node("Reshape", graph.node("MatMul", weights, table), graph.whole(0, heads * width))
    return graph.node("Add", graph.node("MatMul", pooled, "history.values"),
                      graph.node("MatMul", first, "history.latest"))


def _ages(graph: _Graph, rows: str, shape: dict) -> tuple[str, str, str]:
    """[n, items] each, of a history: whether there is an item, its age, and whether it is young enough."""
    there = graph.node("Cast", graph.node("GreaterOrEqual", rows, graph.whole(0)), to=1)
    age = graph.node("CumSum", there, graph.scalar(1), exclusive=1)  # of those that are there
    return there, age, graph.node("Cast", graph.node("Less", age, graph.number(shape["history"])), to=1)


def _fading(graph: _Graph, rows: str, shape: dict) -> str:
    """[n, items]: the weights of a history before they are divided by those of all of a user's histories."""
    there, age, read = _ages(graph, rows, shape)
    fading = graph.node("Pow", graph.node("Add", age, graph.number(1)), graph.number(-shape["recency"]))
    return graph.node("Mul", there, graph.node("Mul", fading, read))


def _pooled(graph: _Graph, bag: dict, shape: dict) -> str:
    """[n, dim]: the weighted sum of a table's rows; a row of -1 weighs nothing."""
    rows = bag["name"]
    table = graph.node("Gather", f"table:{bag['table']}", graph.node("Max", rows, graph.whole(0)), axis=0)
    if bag["pooling"] == "attention":
        return _attention(graph, bag, shape, table, *_ages(graph, rows, shape))
    if bag["pooling"] == "recency":
        weights = _fading(graph, rows, shape)
        summed = [weights] + [_fading(graph, other["name"], shape) for other in shape["bags"]
                              if other is not bag and other["pooling"] in ("recency", "attention")]
    else:
        weights = graph.node("Cast", graph.node("GreaterOrEqual", rows, graph.whole(0)), to=1)
        summed = [weights]
    if bag["pooling"] != "one":
        totals = [graph.node("ReduceSum", one, graph.whole(1), keepdims=1) for one in summed]
        total = totals[0] if len(totals) == 1 else graph.node("Sum", *totals)
        total = graph.node("Max", total, graph.number(1e-12))
        weights = graph.node("Div", weights, graph.node("Sqrt", total) if bag["pooling"] == "root" else total)
    pooled = graph.node("MatMul", graph.node("Unsqueeze", weights, graph.whole(1)), table)
    return graph.node("Squeeze", pooled, graph.whole(1))


def _vector(graph: _Graph, shape: dict, numbers: str) -> str:
    """[n, dim] before unit length."""
    read = [_pooled(graph, bag, shape) for bag in shape["bags"] if not bag["added"]]
    read += [numbers] if shape["dense"] else []
    added = [_pooled(graph, bag, shape) for bag in shape["bags"] if bag["added"]]
    vector = ""
    if read:
        vector = read[0] if len(read) == 1 else graph.node("Concat", *read, axis=1)
        for layer in range(1, shape["layers"] + 1):
            vector = graph.node("Add", graph.node("MatMul", vector, f"layer{layer}.weights"), f"layer{layer}.biases")
            if layer < shape["layers"]:
                vector = graph.node("Relu", vector)
    elif added:  # a bias alone
        vector = f"layer{shape['layers']}.biases"
    else:
        raise UsageError("the tower reads nothing, so there is nothing to export: give it an id or a feature", "format")
    for one in added:
        vector = graph.node("Add", vector, one)
    return vector


def _unit_length(graph: _Graph, vector: str) -> str:
    squares = graph.node("ReduceSum", graph.node("Mul", vector, vector), graph.whole(1), keepdims=1)
    length = graph.node("Sqrt", squares)
    scaled = graph.node("Div", vector, graph.node("Max", length, graph.number(1e-12)))
    return graph.node("Where", graph.node("Greater", length, graph.number(1e-12)), scaled, graph.number(0))


def inputs_of(tower: str, shape: dict, weights: dict) -> list[dict]:
    """What remains to be prepared for a tower."""
    said = {"one": "at most one row of the table; -1: none",
            "mean": "rows of the table, which are averaged; -1 is none",
            "root": "rows of the table, whose sum is divided by the root of their number; -1 is none",
            "recency": f"rows of the user's items (of its events of that kind) in the table, the latest first; the first "
                       f"{shape['history']} count; -1 is no item"}
    said["attention"] = said["recency"]
    inputs: list[dict] = []
    for bag in shape["bags"]:
        length = 1 if bag["pooling"] == "one" else f"length of {bag['name']}"
        inputs.append({"name": bag["name"], "dtype": "int64", "shape": ["batch", length], "table": bag["table"],
                       "rows": bag["rows"], "holds": said[bag["pooling"]]})
    if shape["dense"]:
        inputs.append({"name": f"{tower}.numbers", "dtype": "float32", "shape": ["batch", len(shape["dense"])],
                       "columns": shape["dense"],
                       "holds": "numbers, standardised as the encoder does; 0 for a missing one"})
    if "unknown_user" in weights:
        inputs.append({"name": "nothing_known", "dtype": "bool", "shape": ["batch", 1],
                       "holds": "true for a user without id, history and context"})
    return inputs


def _write(path: str, tower: str, shape: dict, weights: dict, inputs: list[dict], fingerprint: str) -> None:
    onnx = library("onnx")
    types = {"int64": onnx.TensorProto.INT64, "float32": onnx.TensorProto.FLOAT, "bool": onnx.TensorProto.BOOL}
    graph, output = _Graph(onnx), f"{tower}_vector"
    vector = _vector(graph, shape, f"{tower}.numbers")
    if shape["normalise"]:
        vector = _unit_length(graph, vector)
    if "unknown_user" in weights:
        most = graph.node("ReduceMax", graph.node("Abs", vector), axes=[1], keepdims=1)
        unknown = graph.node("Or", "nothing_known", graph.node("Equal", most, graph.number(0)))
        vector = graph.node("Where", unknown, "unknown_user", vector)
    graph.node("Identity", vector, output=output)
    read = {name for node in graph.nodes for name in node.input}
    held = _weights(onnx, {name: values for name, values in weights.items() if name in read}, path)
    given = [onnx.helper.make_tensor_value_info(i["name"], types[i["dtype"]], i["shape"]) for i in inputs]
    found = [onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, ["batch", shape["dim"]])]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, f"{tower}_tower", given, found, [*graph.constants.values(), *held]),
        producer_name="pagoda", opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.helper.set_model_props(model, {"fingerprint": fingerprint})
    onnx.save_model(model, path)


def _weights(onnx: Any, weights: dict, path: str) -> list[Any]:
    """As tensors. Many lie in a file beside the graph, written from where they are: protobuf copies, and has a limit."""
    beside = path.removesuffix(".onnx") + ".weights"
    if sum(values.nbytes for values in weights.values()) < EXTERNAL_FROM:
        if os.path.exists(beside):
            os.remove(beside)
        return [onnx.numpy_helper.from_array(values, name) for name, values in weights.items()]
    tensors = []
    with open(beside, "wb") as file:
        for name, values in weights.items():
            file.seek(-file.tell() % 4096, os.SEEK_CUR)  # so that it can be mapped
            place = {"location": os.path.basename(beside), "offset": file.tell(), "length": values.nbytes}
            values.tofile(file)
            tensor = onnx.TensorProto(name=name, data_type=onnx.TensorProto.FLOAT, dims=values.shape,
                                      data_location=onnx.TensorProto.EXTERNAL)
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            tensors.append(tensor)
    return tensors


def _towers(model: Any) -> list[tuple[str, dict, dict, list[dict]]]:
    found = []
    for tower in TOWERS:
        described, weights = model._loaded.tower(tower)
        shape = json.loads(described)
        found.append((tower, shape, weights, inputs_of(tower, shape, weights)))
    return found


def write_onnx(model: Any, folder: str) -> None:
    """user_tower.onnx, item_tower.onnx, and inputs.json, which says what they want."""
    towers = _towers(model)
    told: dict[str, Any] = {"fingerprint": model.fingerprint, "opset": OPSET}
    os.makedirs(folder, exist_ok=True)
    for tower, shape, weights, inputs in towers:
        path = os.path.join(folder, f"{tower}_tower.onnx")
        _write(path, tower, shape, weights, inputs, model.fingerprint)
        told[f"{tower}_tower"] = {
            "prepared_by": f"pagoda.Model.{tower}_inputs", "inputs": inputs,
            "output": {"name": f"{tower}_vector", "dtype": "float32", "shape": ["batch", shape["dim"]]}}
    with open(os.path.join(folder, "inputs.json"), "w") as file:
        file.write(json.dumps(told, indent=1) + "\n")


_TRITON_TYPES = {"int64": "TYPE_INT64", "float32": "TYPE_FP32", "bool": "TYPE_BOOL"}


def _triton_config(tower: str, shape: dict, inputs: list[dict]) -> str:
    """The first dimension, the batch, is left out where max_batch_size is above 0."""
    lines = [f'name: "{tower}_tower"', 'backend: "onnxruntime"', "max_batch_size: 1024", "input ["]
    entries = []
    for one in inputs:
        length = one["shape"][1] if isinstance(one["shape"][1], int) else -1
        entries.append(f'  {{\n    name: {json.dumps(one["name"])}\n    data_type: {_TRITON_TYPES[one["dtype"]]}\n'
                       f"    dims: [ {length} ]\n  }}")
    lines += [",\n".join(entries), "]", "output [",
              f'  {{\n    name: "{tower}_vector"\n    data_type: TYPE_FP32\n    dims: [ {shape["dim"]} ]\n  }}', "]",
              "dynamic_batching { }"]
    return "\n".join(lines) + "\n"


def write_triton(model: Any, folder: str) -> None:
    """user_tower/config.pbtxt, user_tower/1/model.onnx, and the same for items."""
    for tower, shape, weights, inputs in _towers(model):
        version = os.path.join(folder, f"{tower}_tower", "1")
        os.makedirs(version, exist_ok=True)
        _write(os.path.join(version, "model.onnx"), tower, shape, weights, inputs, model.fingerprint)
        with open(os.path.join(folder, f"{tower}_tower", "config.pbtxt"), "w") as file:
            file.write(_triton_config(tower, shape, inputs))
