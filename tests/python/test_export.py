"""What leaves a model is the model: towers in ONNX Runtime, vectors in the files of others, lists of other engines."""

import json
import os
import subprocess
import sys

import numpy as np
import pagoda.export
import pytest
from conftest import BUILD, run

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
KINDS = {"like": "positive", "view": "history", "hate": "negative"}
SHAPES = {
    "ids and history": {},
    **{kind: {"item.features": [one]} for kind, one in ITEM_KINDS.items()},
    **{kind: {"user.features": [one]} for kind, one in USER_KINDS.items()},
    "user ids": {"user.id.enabled": True, "user.id.min_count": 5},
    "no history": {"user.history.last": 0, "user.id.enabled": True},
    "no item ids": {"item.id.enabled": False, "item.features": list(ITEM_KINDS.values())},
    "shared": {"user.history.table": "shared", "user.history.recency": 0.5},
    "own": {"user.history.table": "own", "user.history.dim": 8, "user.history.recency": 1.5, "user.history.last": 7},
    "events": {"kinds": KINDS, "user.history.recency": 0.5, "user.history.last": 7},
    "events, attention, sum": {"kinds": KINDS, "user.history.encoder": "attention", "model.combine": "sum"},
    "attention": {"user.history.encoder": "attention", "user.history.recency": 0.5, "user.history.last": 7},
    "attention, own, hidden": {"user.history.encoder": "attention", "user.history.heads": 3, "user.history.table": "own", "user.history.dim": 8,
                               "user.hidden": [24], **EVERYTHING},
    "attention, shared, sum, bf16": {"user.history.encoder": "attention", "user.history.table": "shared", "model.combine": "sum",
                                     "model.table_precision": "bf16", "train.optimizer": "row_adagrad", **EVERYTHING},
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
           "device": [("tv", "phone", "desk")[d] for d in rng.integers(0, 3, ROWS)],
           "what": [("like", "like", "like", "view", "hate")[d] for d in rng.integers(0, 5, ROWS)]}
    ids = np.arange(ITEMS)
    items = {"item_id": [f"i{i}" for i in ids], "genre": [("drama", "war", "noir")[i % 3] for i in ids],
             "tags": ["|".join(rng.choice(words, i % 4, replace=False)) for i in ids],
             "price": [None if i % 11 == 0 else float(i * i) / 7 for i in ids],
             "title": [" ".join(rng.choice(words, i % 5)) for i in ids], "year": 1960 + ids % 60,
             "born": [f"20{10 + i % 12}-0{1 + i % 9}-11" for i in ids],
             "added": np.datetime64("2024-01-01T00:00:00.5", "us") + ids * np.timedelta64(1, "D").astype("m8[us]"),
             "promoted": [bool(i % 4 == 0) for i in ids], "cast": [["ann", "bob", "eve"][:i % 4] for i in ids]}
    who = np.arange(USERS - 20)  # some are in no table
    users = {"user_id": [f"u{u}" for u in who], "city": [("rome", "oslo", "wien")[u % 3] for u in who],
             "likes": ["|".join(rng.choice(words, u % 3, replace=False)) for u in who],
             "years": (18 + who % 50).astype(float)}
    return {"clicks": log, "items": items, "users": users}


def train(world, settings):
    chosen = {"model.combine": "concat", "user.history.table": "own", "item.features": [], "user.features": [],
              "user.history.last": 20, **settings}
    kinds = chosen.pop("kinds", None)
    return pagoda.train(world["clicks"], items=world["items"], users=world["users"], context=["device"],
                        event=kinds and "what", events=kinds, settings=chosen, **FAST)


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
        if info["events"] and i % 3 == 1:
            request["events"] = {"view": [f"i{k}" for k in range(i % 25)], "like": ["i2"]}
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
def test_gaps_in_a_list_are_no_items(world, tmp_path):
    pytest.importorskip("onnx")
    model = train(world, SHAPES["own"])
    model.export(tmp_path, format="onnx")
    inputs = model.user_inputs(history=[["i3", "i5", "i8"]])
    inputs["user.history"] = np.insert(inputs["user.history"], (0, 1, 3), -1, axis=1)
    found = session(tmp_path / "user_tower.onnx").run(None, inputs)[0]
    assert np.abs(found - model.user_vectors(history=[["i3", "i5", "i8"]])).max() < 1e-5


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
def test_many_weights_lie_beside_the_graph(whole, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setattr("pagoda.export._onnx.EXTERNAL_FROM", 1)
    for _ in range(2):  # over what is there
        whole.export(tmp_path, format="onnx")
        assert (tmp_path / "item_tower.weights").stat().st_size > (tmp_path / "item_tower.onnx").stat().st_size
        found = session(tmp_path / "item_tower.onnx").run(None, whole.item_inputs(NEW_ITEMS))[0]
        assert np.abs(found - whole.encode_items(NEW_ITEMS)).max() < 1e-5
    monkeypatch.undo()
    whole.export(tmp_path, format="onnx")
    assert not (tmp_path / "item_tower.weights").exists()


def test_an_ensemble_has_vectors_and_no_towers_of_its_own(model, tmp_path):
    model.save(tmp_path / "m.pagoda")
    run("ensemble", tmp_path / "m.pagoda", tmp_path / "m.pagoda", "-o", tmp_path / "both.pagoda")
    both = pagoda.load(tmp_path / "both.pagoda")
    with pytest.raises(pagoda.UsageError, match="ensemble"):
        both.export(tmp_path / "out", format="onnx")
    both.export(tmp_path / "out", format="npy")
    assert (np.load(tmp_path / "out" / "vectors.npy") == both.item_vectors).all()


def test_an_unknown_format_names_the_nearest(model, tmp_path):
    with pytest.raises(pagoda.UsageError, match="did you mean 'onnx'"):
        model.export(tmp_path, format="onxx")


def test_a_missing_library_is_named_with_its_package(model, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(pagoda.FailedError, match="pip install onnx"):
        model.export(tmp_path, format="onnx")


# ---- vectors in files and engines


@pytest.fixture(scope="module")
def numbers():
    """An index with ids that are whole numbers, and values of every type."""
    rng = np.random.default_rng(1)
    n = 2000
    return pagoda.Index(rng.standard_normal((n, 24)), ids=np.arange(n) * 7 + 3, attributes={
        "year": 1960 + np.arange(n) % 60, "genre": [("drama", "war", "noir")[i % 3] for i in range(n)],
        "price": [None if i % 9 == 0 else i / 7 for i in range(n)]})


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(2)
    n = 1000
    return pagoda.Index(rng.standard_normal((n, 24)), ids=[f"é{i}" for i in range(n)],
                        attributes={"item_id": [f"t{i % 5}" for i in range(n)], "a b": np.arange(n)})


@pytest.fixture(scope="module")
def negatives():
    rng = np.random.default_rng(3)
    return pagoda.Index(rng.standard_normal((500, 24)), ids=np.arange(500) - 250)


ALL = ["numbers", "texts", "negatives"]


@pytest.fixture(params=ALL)
def index(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def queries():
    return np.random.default_rng(9).standard_normal((20, 24)).astype(np.float32)


def same_lists(found, scores, wanted):
    """Ours, and theirs as lists of lists."""
    assert [list(row) for row in found] == [list(row) for row in wanted.ids]
    assert np.allclose(np.asarray(scores), wanted.scores, rtol=0, atol=1e-4)


def ids_beside(path, keys):
    """The ids of keys, which are row numbers where a file of ids lies beside the index."""
    if (numbers := path.with_name(path.name + ".ids.npy")).exists():
        return np.load(numbers)[keys].tolist()
    if (texts := path.with_name(path.name + ".ids.txt")).exists():
        return np.array(texts.read_text().splitlines(), dtype=object)[keys].tolist()
    return np.asarray(keys).tolist()


def test_npy_holds_vectors_and_ids(index, tmp_path):
    index.export(tmp_path / "out", format="npy")
    assert (np.load(tmp_path / "out" / "vectors.npy") == index.vectors).all()
    text = tmp_path / "out" / "ids.txt"
    ids = text.read_text().splitlines() if text.exists() else np.load(tmp_path / "out" / "ids.npy").tolist()
    assert ids == list(index.ids)


def test_items_added_and_removed_are_exported_as_they_are_now(model, tmp_path):
    new = {"item": "new", "attributes": {"year": 1999, "genre": "war"}}
    changed = model.with_items([new, {"item": "i0", "deleted": True}, {"item": "i5", "attributes": {"genre": "opera"}}])
    changed.export(tmp_path / "items.parquet", format="parquet")
    table = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "items.parquet").to_pydict()
    rows = {id: n for n, id in enumerate(table["item_id"])}
    assert len(rows) == len(changed) and "i0" not in rows
    assert table["genre"][rows["new"]] == "war" and table["year"][rows["new"]] == 1999
    assert table["genre"][rows["i5"]] == "opera" and table["year"][rows["i5"]] is None
    assert np.allclose(table["vector"][rows["new"]], model.encode_items([new])[0])


def test_parquet_has_a_list_of_fixed_size_and_the_attributes(index, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    index.export(tmp_path / "x.parquet", format="parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table["vector"].type == arrow.list_(arrow.float32(), 24)
    assert table["item_id"].to_pylist() == list(index.ids)
    assert (np.stack(table["vector"].to_pylist()) == index.vectors).all()
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]
    if "price" in table.column_names:
        assert table["price"].to_pylist()[:3] == [None, 1 / 7, 2 / 7] and table["year"].type == arrow.int64()
    if "a b" in table.column_names:
        assert table["item_id_"].to_pylist()[6] == "t1"  # an attribute that is called as the ids are


@pytest.mark.slow
def test_safetensors(index, tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    index.export(tmp_path / "x.safetensors", format="safetensors")
    found = numpy.load_file(tmp_path / "x.safetensors")
    assert (found["vectors"] == index.vectors).all()
    if "ids" in found:
        assert found["ids"].tolist() == list(index.ids)
    else:
        held, ends = found["ids.bytes"].tobytes(), found["ids.offsets"]
        assert [held[a:b].decode() for a, b in zip(ends, ends[1:])] == list(index.ids)


@pytest.mark.slow
def test_faiss_gives_our_lists(index, queries, tmp_path):
    faiss = pytest.importorskip("faiss")
    path = tmp_path / "x.faiss"
    index.export(path, format="faiss")
    scores, keys = faiss.read_index(str(path)).search(queries, 50)
    same_lists([ids_beside(path, row) for row in keys], scores, index.search(queries, k=50))


@pytest.mark.slow
def test_hnswlib_gives_our_lists(index, queries, tmp_path):
    hnswlib = pytest.importorskip("hnswlib")
    path = tmp_path / "x.hnsw"
    index.export(path, format="hnswlib")
    found = hnswlib.Index(space="ip", dim=24)
    found.load_index(str(path))
    found.set_ef(len(index))
    keys, distances = found.knn_query(queries, k=50)
    same_lists([ids_beside(path, row.astype(np.int64)) for row in keys], 1 - distances, index.search(queries, k=50))


@pytest.mark.slow
def test_usearch_gives_our_lists(index, queries, tmp_path):
    usearch = pytest.importorskip("usearch.index")
    path = tmp_path / "x.usearch"
    index.export(path, format="usearch")
    found = usearch.Index.restore(str(path)).search(queries, 50, exact=True)
    same_lists([ids_beside(path, row.astype(np.int64)) for row in found.keys], 1 - found.distances,
               index.search(queries, k=50))


FILTER = "year >= 1990 and genre = 'war'"


@pytest.mark.slow
def test_milvus_gives_our_lists(index, queries, tmp_path):
    pymilvus = pytest.importorskip("pymilvus")
    path = tmp_path / "x.db"
    for _ in range(2):  # the second takes the place of the first
        index.export(path, format="milvus")
    client = pymilvus.MilvusClient(str(path))

    def lists(k, **how):
        found = client.search("items", data=queries.tolist(), limit=k, **how)
        return [[hit["item_id"] for hit in row] for row in found], [[hit["distance"] for hit in row] for row in found]

    same_lists(*lists(50), index.search(queries, k=50))
    assert len(lists(len(index))[0][0]) == len(index)
    if "genre" in index._loaded.attributes_of([]):
        same_lists(*lists(50, filter='year >= 1990 and genre == "war"'), index.search(queries, k=50, filter=FILTER))
    if "a b" in index._loaded.attributes_of([]):
        same_lists(*lists(50, filter="a_b < 200"), index.search(queries, k=50, filter="`a b` < 200"))
    client.close()


@pytest.mark.slow
def test_qdrant_gives_our_lists(index, queries, tmp_path):
    qdrant = pytest.importorskip("qdrant_client")
    for _ in range(2):
        index.export(tmp_path / "q", format="qdrant")
    client = qdrant.QdrantClient(path=str(tmp_path / "q"))

    def lists(k, **how):
        found = [client.query_points("items", query=q, limit=k, **how).points for q in queries]
        return [[hit.payload["item_id"] for hit in row] for row in found], [[hit.score for hit in row] for row in found]

    same_lists(*lists(50), index.search(queries, k=50))
    assert len(lists(len(index))[0][0]) == len(index) == client.count("items").count
    if "genre" in index._loaded.attributes_of([]):
        models = qdrant.models
        wanted = models.Filter(must=[models.FieldCondition(key="year", range=models.Range(gte=1990)),
                                     models.FieldCondition(key="genre", match=models.MatchValue(value="war"))])
        same_lists(*lists(50, query_filter=wanted), index.search(queries, k=50, filter=FILTER))
    client.close()


@pytest.mark.slow
def test_lancedb_gives_our_lists(index, queries, tmp_path):
    lancedb = pytest.importorskip("lancedb")
    for _ in range(2):
        index.export(tmp_path / "l", format="lancedb")
    table = lancedb.connect(tmp_path / "l").open_table("items")

    def lists(k, where=None):
        searches = [table.search(q).distance_type("dot").limit(k) for q in queries]
        found = [(s.where(where) if where else s).to_arrow() for s in searches]
        return [f["item_id"].to_pylist() for f in found], [1 - f["_distance"].to_numpy() for f in found]

    same_lists(*lists(50), index.search(queries, k=50))
    assert len(lists(len(index))[0][0]) == len(index)
    if "genre" in index._loaded.attributes_of([]):
        same_lists(*lists(50, FILTER), index.search(queries, k=50, filter=FILTER))


# A condition on each type of an attribute: ours, and as each engine has it.
CONDITIONS = {
    "price < 60": ("price < 60", "price < 60", ("price", "range", {"lt": 60})),
    "added >= '2024-02-01'": (f"added >= {np.datetime64('2024-02-01', 'us').astype(int)}",
                              "added >= timestamp '2024-02-01 00:00:00'",
                              ("added", "range", {"gte": "2024-02-01T00:00:00Z"})),
    "promoted = true": ("promoted == true", "promoted = true", ("promoted", "match", {"value": True})),
    "cast = 'bob'": ("array_contains(cast, 'bob')", "array_has(\"cast\", 'bob')", ("cast", "match", {"value": "bob"})),
    "genre = 'war'": ("genre == 'war'", "genre = 'war'", ("genre", "match", {"value": "war"})),
}


@pytest.mark.slow
@pytest.mark.parametrize("condition", CONDITIONS)
def test_filters_of_every_type_give_our_lists(condition, engines, whole):
    milvus, qdrant, lance, models = engines
    theirs = CONDITIONS[condition]
    vectors = whole.user_vectors([f"u{n}" for n in range(20)])
    lists = [whole.search(vectors, k=20, filter=condition)[row][0].tolist() for row in range(20)]
    assert len(lists[0]) > 5 and lists[0] != whole.search(vectors, k=20)[0][0].tolist()
    found = milvus.search("items", data=vectors.tolist(), limit=20, filter=theirs[0])
    assert [[hit["item_id"] for hit in row] for row in found] == lists
    name, kind, how = theirs[2]
    range_ = models.DatetimeRange if isinstance(how.get("gte"), str) else models.Range
    value = {"range": range_(**how)} if kind == "range" else {"match": models.MatchValue(**how)}
    chosen = models.Filter(must=[models.FieldCondition(key=name, **value)])
    found = [qdrant.query_points("items", query=v, limit=20, query_filter=chosen).points for v in vectors]
    assert [[hit.payload["item_id"] for hit in row] for row in found] == lists
    found = [lance.search(v).distance_type("dot").where(theirs[1]).limit(20).to_arrow() for v in vectors]
    assert [f["item_id"].to_pylist() for f in found] == lists


@pytest.fixture(scope="module")
def engines(whole, tmp_path_factory):
    """The model in Milvus, Qdrant and LanceDB, with Qdrant's models."""
    pymilvus, qdrant, lancedb = map(pytest.importorskip, ("pymilvus", "qdrant_client", "lancedb"))
    folder = tmp_path_factory.mktemp("engines")
    for format in ("milvus", "qdrant", "lancedb"):
        whole.export(folder / f"{format}.db", format=format)
    milvus = pymilvus.MilvusClient(str(folder / "milvus.db"))
    local = qdrant.QdrantClient(path=str(folder / "qdrant.db"))
    yield milvus, local, lancedb.connect(folder / "lancedb.db").open_table("items"), qdrant.models
    milvus.close()
    local.close()


def test_a_path_of_another_kind_is_refused(numbers, tmp_path):
    with pytest.raises(pagoda.UsageError, match="is a folder, and parquet is a file"):
        numbers.export(tmp_path, format="parquet")
    (tmp_path / "file").write_text("")
    with pytest.raises(pagoda.UsageError, match="is a file, and npy is a folder"):
        numbers.export(tmp_path / "file", format="npy")
    with pytest.raises(pagoda.UsageError, match="without towers"):
        numbers.export(tmp_path / "out", format="onnx")


# ---- the command


def command(*words):
    script = "import sys; from pagoda._command import main; sys.argv[0] = 'pagoda'; main()"
    environment = {**os.environ, "PYTHONPATH": str(BUILD / "python")}
    return subprocess.run([sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True,
                          env=environment)


@pytest.fixture(scope="module")
def bundle(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "model.pagoda"
    model.save(path)
    return path


def test_the_command_exports(model, bundle, tmp_path):
    done = command("export", bundle, "--format", "npy", "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (0, "")
    assert ("neighbours besides" in done.stderr) == ("neighbours" in model.info), done.stderr
    assert (np.load(tmp_path / "out" / "vectors.npy") == model.item_vectors).all()
    help = command("export", "--help").stdout
    assert "pagoda export model.pagoda --format onnx -o towers" in help
    assert all(name in help for name in pagoda.export.FORMATS)


def test_every_other_command_is_the_programs(bundle, tmp_path):
    assert command("--version").stdout == run("--version").stdout
    assert command("encode", bundle, "items", "-o", tmp_path / "x.npy").returncode == 0
    assert (tmp_path / "x.npy").exists()


@pytest.mark.parametrize("words, status, said", [
    (["nowhere.pagoda", "--format", "npy", "-o", "x"], 3, "error: nowhere.pagoda: no such file"),
    (["nowhere.pagoda", "-o", "x"], 2, "see `pagoda export --help`"),
    ([__file__, "--format", "npy", "-o", "x"], 1, "error: "),
    (["MODEL", "--format", "onxx", "-o", "x"], 2, "did you mean 'onnx'"),
    (["MODEL", "--format", "npy", "-o", "/dev/null/x"], 1, "error: /dev/null/x: Not a directory"),
])
def test_errors_of_the_command_are_lines_with_a_status(words, status, said, bundle):
    done = command("export", *[bundle if word == "MODEL" else word for word in words])
    assert done.returncode == status and said in done.stderr and "Traceback" not in done.stderr
