"""Tables of every library become the same log."""

import uuid

import duckdb
import numpy as np
import pagoda
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
import scipy.sparse
from conftest import FAST, make_log


def bits(model):
    return model.item_vectors.tobytes() + model.user_vectors(model.user_ids).tobytes()


@pytest.fixture(scope="module")
def wanted():
    return bits(pagoda.train(make_log(text=False), **FAST))


def pandas_frame(log):
    return pandas.DataFrame(log)


def arrow_table(log):
    return pyarrow.table(log)


def polars_frame(log):
    return polars.DataFrame(log)


def duckdb_relation(log):
    clicks = arrow_table(log)  # noqa: F841 DuckDB finds it by its name
    return duckdb.sql("SELECT * FROM clicks ORDER BY ts")


def one_shot_reader(log):
    return arrow_table(log).to_reader(max_chunksize=1000)


def pandas_nullable(log):
    return pandas_frame(log).convert_dtypes()


@pytest.mark.parametrize("make", [pandas_frame, arrow_table, polars_frame, duckdb_relation, one_shot_reader, pandas_nullable,
                                  lambda log: polars_frame(log).lazy()])
def test_every_frame_gives_the_same_bits(make, wanted):
    assert bits(pagoda.train(make(make_log(text=False)), **FAST)) == wanted


def test_a_file_gives_the_same_bits(tmp_path, wanted):
    path = tmp_path / "clicks.parquet"
    pyarrow.parquet.write_table(arrow_table(make_log(text=False)), path)
    assert bits(pagoda.train(path, **FAST)) == wanted
    assert bits(pagoda.train(str(tmp_path / "*.parquet"), **FAST)) == wanted


def test_pandas_without_pyarrow(monkeypatch, wanted):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "pyarrow" else real(name, *a))
    frame = pandas_frame(make_log(text=False))
    assert bits(pagoda.train(frame, **FAST)) == wanted
    frame["ts"] = frame["ts"].astype("datetime64[s]")
    frame["item_id"] = frame["item_id"].astype("Int64")
    assert bits(pagoda.train(frame, **FAST)) == wanted


def test_an_index_with_a_name_is_a_column(wanted):
    assert bits(pagoda.train(pandas_frame(make_log(text=False)).set_index("user_id"), **FAST)) == wanted


def test_a_sparse_matrix():
    log = make_log(text=False)
    matrix = scipy.sparse.coo_matrix((np.ones(len(log["ts"])), (log["user_id"], log["item_id"]))).tocsr()
    model = pagoda.train(matrix, split="none", **FAST)
    assert model.user_ids.dtype == np.int64 and model.item_ids.dtype == np.int64
    ids, _ = model.recommend([0, 1], k=5)
    assert ids.dtype == np.int64


def test_texts_stay_texts_and_categories_too():
    frame = pandas.DataFrame(make_log())
    frame["user_id"] = frame["user_id"].astype("category")
    model = pagoda.train(frame, **FAST)
    ids, _ = model.recommend(["u1"], k=3)
    assert isinstance(ids[0, 0], str) and ids[0, 0].startswith("i")
    assert set(model.user_ids) == {f"u{u}" for u in range(400)}


def test_texts_of_digits_stay_texts():
    log = make_log(text=False)
    log["item_id"] = [str(i) for i in log["item_id"]]
    model = pagoda.train(log, **FAST)
    assert isinstance(model.item_ids[0], str)
    assert model.user_ids.dtype == np.int64


def test_uuids_and_datetimes():
    log = make_log()
    names = {i: uuid.UUID(int=int(i[1:]) + 1) for i in log["item_id"]}
    log["item_id"] = [names[i] for i in log["item_id"]]
    log["ts"] = np.array(log["ts"]).astype("datetime64[s]")
    model = pagoda.train(log, **FAST)
    assert uuid.UUID(model.item_ids[0]) in names.values()
    assert model.info["moment_us"] == int(log["ts"][-1].astype(np.int64)) * 1_000_000


@pytest.mark.parametrize("table, words", [
    ({"user_id": [1, 2], "item_id": [1]}, "1"),
    (object(), "no table"),
    ({"user_id": ["a"], "thing": ["b"]}, "item"),
    ({"user_id": [{"a": 1}], "item_id": ["b"]}, "dict"),
    ({}, "no rows"),
    ([], "no table"),
    ("nowhere.csv", "no such file"),
])
def test_what_is_no_log_is_said(table, words):
    with pytest.raises(pagoda.Error) as caught:
        pagoda.train(table, **FAST)
    assert words in str(caught.value)


def test_nulls_are_counted_not_invented(caplog):
    log = make_log()
    log["item_id"] = [None if n % 100 == 0 else i for n, i in enumerate(log["item_id"])]
    with pytest.raises(pagoda.InputError, match="bad|empty|null"):
        pagoda.train(log, **FAST)
    with caplog.at_level("INFO", "pagoda"):
        model = pagoda.train(log, settings={"data.on_bad_row": "skip"}, **FAST)
    assert "None" not in set(model.item_ids)
    assert any("80" in r.message for r in caplog.records)


def test_an_arrow_table_goes_on_to_others():
    lists = pagoda.train(make_log(), **FAST).recommend(["u1", "u2"], k=4)
    frame = polars.DataFrame(lists)
    assert frame.columns == ["user", "item", "score", "rank"] and len(frame) == 8
    assert pyarrow.table(lists).num_rows == 8
    assert lists.to_pandas()["rank"].tolist() == [1, 2, 3, 4] * 2


def test_numbers_of_numpy_in_a_list_are_numbers():
    log = make_log(text=False)
    log["user_id"] = list(log["user_id"])
    log["liked"] = [np.bool_(n % 2 == 0) for n in range(len(log["ts"]))]
    model = pagoda.train(log, clicked="liked", **FAST)
    assert model.user_ids.dtype == np.int64 and model.info["training_rows"] == len(log["ts"]) / 2


def test_integers_of_128_bits():
    log = make_log(text=False)
    frame = polars.DataFrame(log).with_columns(polars.col("item_id").cast(polars.Int128))
    assert pagoda.train(frame, **FAST).item_ids.dtype == np.int64
    large = pagoda.train(frame.with_columns(polars.col("item_id") + 2**70), **FAST)
    assert int(large.item_ids[0]) >= 2**70


def test_arrays_of_another_byte_order(wanted):
    log = make_log(text=False)
    log["user_id"] = log["user_id"].astype(">i8")
    assert bits(pagoda.train(log, **FAST)) == wanted
    with pytest.raises(pagoda.InputError, match="float64"):
        pagoda.train({**log, "x": np.zeros(len(log["ts"]), dtype=np.longdouble)}, **FAST)


def test_two_columns_of_one_name():
    frame = pandas.DataFrame(make_log())
    with pytest.raises(pagoda.InputError, match="two columns are named 'ts'"):
        pagoda.train(pandas.concat([frame, frame[["ts"]]], axis=1), **FAST)
