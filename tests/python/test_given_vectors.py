"""Columns of vectors in frames: a feature of the item tower, whatever library holds them."""

import json
import subprocess

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import FAST, ITEMS, PROGRAM

import pagoda

WIDTH = 6


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(4).normal(size=(ITEMS, WIDTH)).astype(np.float32)


def tables(ids, vectors):
    """The same table as each library holds it."""
    lists = pa.array(vectors.tolist(), pa.list_(pa.float32()))
    return {
        "pyarrow": pa.table({"item_id": ids, "emb": lists}),
        "pyarrow, fixed": pa.table({"item_id": ids, "emb": pa.FixedSizeListArray.from_arrays(vectors.ravel(), WIDTH)}),
        "polars": pl.DataFrame({"item_id": ids, "emb": vectors.tolist()}, schema={"item_id": pl.String, "emb": pl.List(pl.Float32)}),
        "polars, array": pl.DataFrame({"item_id": ids, "emb": vectors}, schema={"item_id": pl.String, "emb": pl.Array(pl.Float32, WIDTH)}),
        "pandas": pd.DataFrame({"item_id": ids, "emb": list(vectors)}),
    }


def learnt(model, path):
    model.save(path)
    told = json.loads(subprocess.run([PROGRAM, "inspect", path, "--json"], check=True, capture_output=True).stdout)
    return {s["name"]: s["checksum"] for s in told["sections"] if s["name"] not in ("config", "run_log", "info", "tower_options")}


def test_every_library_gives_the_same_model_which_reads_the_vectors(log, vectors, tmp_path):
    ids = [f"i{i}" for i in range(ITEMS)]
    models = {}
    for name, items in tables(ids, vectors).items():
        model = pagoda.train(log, items=items, split="none", **FAST)
        assert 'kind = "vector"' in model.config, name
        models[name] = learnt(model, tmp_path / "m.pagoda")
    assert all(sections == models["pyarrow"] for sections in models.values())
    other = pagoda.train(log, items=tables(ids, vectors + 1.5 * vectors[::-1])["pyarrow"], split="none", **FAST)
    assert learnt(other, tmp_path / "o.pagoda") != models["pyarrow"]


def test_new_items_bring_theirs(log, vectors):
    ids = [f"i{i}" for i in range(ITEMS)]
    model = pagoda.train(log, items=tables(ids, vectors)["polars"], split="none", **FAST)
    stored = model.item_vectors[list(model.item_ids).index("i5")]
    told = model.encode_items([{"item": "i5", "attributes": {"emb": vectors[5].tolist()}}, {"item": "new", "attributes": {"emb": vectors[5]}}])
    np.testing.assert_array_equal(told[0], stored)
    assert not np.array_equal(told[1], stored), "it has no id of its own"
    more = model.with_items([{"item": "new", "attributes": {"emb": vectors[5].tolist()}}])
    assert "new" in set(more.recommend(["u5"], k=ITEMS + 1, exclude_seen=False)[0][0])
    with pytest.raises(pagoda.Error, match="expected a vector of 6 numbers"):
        model.encode_items([{"item": "new", "attributes": {"emb": vectors[5][1:].tolist()}}])
