"""What leaves a model is the model: towers in ONNX Runtime, vectors in the files of others, lists of other engines."""

import json

import numpy as np
import pagoda
import pytest
from conftest import run

FAST = {"epochs": 2, "dim": 16, "batch": 256, "threads": 1, "seed": 3}
USERS, ITEMS, ROWS = 300, 90, 4000


def feature(column, kind="categorical", **keys):
    return {"column": column, "kind": kind, **keys}


ITEM_KINDS = {
    "categorical": feature("genre", hash_buckets=4),
    "multi": feature("tags", "multi", separator="|", hash_buckets=4),
    "standardised": feature("price", "numeric", form="standardise"),
    "log": feature("price", "numeric", form="log"),
    "bucket": feature("price", "numeric", form="bucket"),
    "text": feature("title", "text", hash_buckets=512),
    "age": feature("born", "time", part="age"),
}
USER_KINDS = {
    "user categorical": feature("city", hash_buckets=4),
    "user multi": feature("likes", "multi", separator="|", hash_buckets=4),
    "user numeric": feature("years", "numeric"),
    "context": feature("device", hash_buckets=4),
    "hour": {"kind": "time", "part": "hour"},
    "weekday": {"kind": "time", "part": "weekday"},
}
EVERYTHING = {"item.features": list(ITEM_KINDS.values()), "user.features": list(USER_KINDS.values())}
# What a model reads, beside a history and the ids of items: each once, and all together in every shape of towers.
SHAPES = {
    "ids and history": {},
    **{kind: {"item.features": [one]} for kind, one in ITEM_KINDS.items()},
    **{kind: {"user.features": [one]} for kind, one in USER_KINDS.items()},
    "user ids": {"user.id.enabled": True, "user.id.min_count": 5},
    "no history": {"user.history.last": 0, "user.id.enabled": True},
    "no item ids": {"item.id.enabled": False, "item.features": list(ITEM_KINDS.values())},
    "shared": {"user.history.table": "shared", "user.history.recency": 0.5},
    "own": {"user.history.table": "own", "user.history.dim": 8, "user.history.recency": 1.5, "user.history.last": 7},
    "not normalised": {"model.normalise": False, **EVERYTHING},
    "hidden": {"user.hidden": [24], "item.hidden": [32, 20], **EVERYTHING},
    "sum": {"model.combine": "sum", **EVERYTHING},
    "sum of ids alone": {"model.combine": "sum", "user.id.enabled": True},
    "sum, hidden": {"model.combine": "sum", "user.hidden": [24], "item.hidden": [24], **EVERYTHING},
    "bf16": {"model.table_precision": "bf16", "train.optimizer": "row_adagrad", **EVERYTHING},
}


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(5)
    user = rng.integers(0, USERS, ROWS)
    item = (rng.integers(0, ITEMS // 3, ROWS) + (user % 3) * (ITEMS // 3)) % ITEMS
    words = np.array("war art noir sea old new love ship".split())
    log = {"user_id": [f"u{u}" for u in user], "item_id": [f"i{i}" for i in item],
           "ts": 1_700_000_000 + np.arange(ROWS) * 600,
           "device": [("tv", "phone", "desk")[d] for d in rng.integers(0, 3, ROWS)]}
    ids = np.arange(ITEMS)
    items = {"item_id": [f"i{i}" for i in ids], "genre": [("drama", "war", "noir")[i % 3] for i in ids],
             "tags": ["|".join(rng.choice(words, i % 4, replace=False)) for i in ids],
             "price": [None if i % 11 == 0 else float(i * i) / 7 for i in ids],
             "title": [" ".join(rng.choice(words, i % 5)) for i in ids], "year": 1960 + ids % 60,
             "born": [f"20{10 + i % 12}-0{1 + i % 9}-11" for i in ids]}
    who = np.arange(USERS - 20)  # some are in no table
    users = {"user_id": [f"u{u}" for u in who], "city": [("rome", "oslo", "wien")[u % 3] for u in who],
             "likes": ["|".join(rng.choice(words, u % 3, replace=False)) for u in who],
             "years": (18 + who % 50).astype(float)}
    return {"clicks": log, "items": items, "users": users}


def train(world, settings):
    chosen = {"item.features": [], "user.features": [], "user.history.last": 20, **settings}
    return pagoda.train(world["clicks"], items=world["items"], users=world["users"], context=["device"],
                        settings=chosen, **FAST)


@pytest.fixture(scope="module")
def whole(world):
    return train(world, EVERYTHING)


def requests(model, n):
    """Known users and strangers, of whom something or nothing is known."""
    info = model._card
    made = []
    for i in range(n):
        request = {} if i % 5 == 4 else {"user": f"u{i % (USERS + 10)}"}
        if i % 4 == 1:
            request["history"] = [f"i{k}" for k in range(i % 30)]
        if i % 4 == 2:
            request["recent"] = [f"i{i % ITEMS}", "unknown"]
        if "device" in info["context"] and i % 3 == 0:
            request["context"] = {"device": ("tv", "toaster")[i % 2]}
        if "city" in info["features"] and i % 7 == 0:
            request["features"] = {"city": ("rome", "ur")[i % 2]}
        if i % 6 == 0:
            request["time"] = 1_700_000_000 + i * 12345
        made.append(request)
    return made


NEW_ITEMS = [
    {"item": "new", "attributes": {"genre": "opera", "tags": "sea|unheard", "price": 3.5, "title": "A ship, SHIP",
                                   "born": "2020-01-01"}},
    {"item": "bare", "attributes": {}},
    {"item": "i3", "attributes": {"genre": "war", "price": 1e9, "title": "old"}},
]


def some_items(world, n):
    table = world["items"]
    rows = [{c: values[i] for c, values in table.items() if values[i] not in (None, "")} for i in range(ITEMS)]
    known = [{"item": row.pop("item_id"), "attributes": row} for row in rows]
    return [dict(one, item=f"{one['item']}/{k}" if k > ITEMS else one["item"])
            for k, one in enumerate((NEW_ITEMS[:2] + known) * 3)][:n]


def session(path):
    return pytest.importorskip("onnxruntime").InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_towers_in_onnx_runtime_are_ours(shape, world, tmp_path, record_property):
    pytest.importorskip("onnx")
    model = train(world, SHAPES[shape])
    model.export(tmp_path, format="onnx")
    users, items = session(tmp_path / "user_tower.onnx"), session(tmp_path / "item_tower.onnx")
    asked, made = requests(model, 256), some_items(world, 256)
    deviations = []
    for n in (1, 256):
        for begin in range(0, 256, n)[:40]:
            some = asked[begin:begin + n]
            found = users.run(None, model.user_inputs(some))[0]
            assert found.shape == (n, 16)
            deviations.append(np.abs(found - model.user_vectors(some)).max())
            some = made[begin:begin + n]
            deviations.append(np.abs(items.run(None, model.item_inputs(some))[0] - model.encode_items(some)).max())
    record_property("deviation", float(max(deviations)))
    print(f"{shape}: {max(deviations):.1e}")
    assert max(deviations) < 1e-5


@pytest.mark.slow
def test_inputs_json_says_what_remains_to_be_prepared(whole, world, tmp_path):
    onnx = pytest.importorskip("onnx")
    whole.export(tmp_path, format="onnx")
    told = json.loads((tmp_path / "inputs.json").read_text())
    prepared = {"user": whole.user_inputs(requests(whole, 9)), "item": whole.item_inputs(NEW_ITEMS)}
    for tower, inputs in prepared.items():
        onnx.checker.check_model(str(tmp_path / f"{tower}_tower.onnx"), full_check=True)
        said = {one["name"]: one for one in told[f"{tower}_tower"]["inputs"]}
        assert {i.name for i in session(tmp_path / f"{tower}_tower.onnx").get_inputs()} == set(said) == set(inputs)
        for name, array in inputs.items():
            assert str(array.dtype) == said[name]["dtype"]
            assert isinstance(said[name]["shape"][1], str) or array.shape[1] == said[name]["shape"][1]
    assert told["fingerprint"] == whole.fingerprint


@pytest.mark.slow
def test_triton_gets_a_repository(whole, tmp_path):
    pytest.importorskip("onnx")
    whole.export(tmp_path, format="triton")
    config = (tmp_path / "user_tower" / "config.pbtxt").read_text()
    assert 'name: "user.history"\n    data_type: TYPE_INT64\n    dims: [ -1 ]' in config
    assert 'name: "user_vector"\n    data_type: TYPE_FP32\n    dims: [ 16 ]' in config
    found = session(tmp_path / "item_tower" / "1" / "model.onnx").run(None, whole.item_inputs(NEW_ITEMS))[0]
    assert np.abs(found - whole.encode_items(NEW_ITEMS)).max() < 1e-5


@pytest.mark.slow
def test_weights_beyond_what_protobuf_holds_lie_beside_the_graph(whole, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setattr(pagoda.export._onnx, "EXTERNAL_FROM", 1)
    whole.export(tmp_path, format="onnx")
    size = (tmp_path / "item_tower.weights").stat().st_size
    whole.export(tmp_path, format="onnx")  # over what is there
    assert (tmp_path / "item_tower.weights").stat().st_size == size > (tmp_path / "item_tower.onnx").stat().st_size
    found = session(tmp_path / "item_tower.onnx").run(None, whole.item_inputs(NEW_ITEMS))[0]
    assert np.abs(found - whole.encode_items(NEW_ITEMS)).max() < 1e-5


def test_towers_of_an_ensemble_are_refused(model, tmp_path):
    model.save(tmp_path / "m.pagoda")
    run("ensemble", tmp_path / "m.pagoda", tmp_path / "m.pagoda", "-o", tmp_path / "both.pagoda")
    with pytest.raises(pagoda.UsageError, match="ensemble"):
        pagoda.load(tmp_path / "both.pagoda").export(tmp_path / "out", format="onnx")


def test_an_unknown_format_names_the_nearest(model, tmp_path):
    with pytest.raises(pagoda.UsageError, match="did you mean 'onnx'"):
        model.export(tmp_path, format="onxx")


def test_a_missing_library_is_named_with_its_package(model, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(pagoda.FailedError, match="pip install onnx"):
        model.export(tmp_path, format="onnx")
