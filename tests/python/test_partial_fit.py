"""Going on from a model: Model.partial_fit."""

import json
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from conftest import FAST, PROGRAM, make_log
from pagoda.sklearn import TwoTower
from scipy import sparse

import pagoda

HALF = 4000


def part(log, begin, end):
    return {name: column[begin:end] for name, column in log.items()}


def sections(path):
    told = json.loads(subprocess.run([PROGRAM, "inspect", path, "--json"], check=True, capture_output=True).stdout)
    return {s["name"]: s["checksum"] for s in told["sections"] if s["name"] not in ("config", "run_log", "info")}


@pytest.fixture(scope="module")
def first(log):
    return pagoda.train(part(log, 0, HALF), split="none", **FAST)


def test_new_users_and_items_join_and_the_old_ones_stay(first, log):
    fresh = {"user_id": ["new", "new", "u1"], "item_id": ["i1", "brand new", "brand new"], "ts": np.array([1_720_000_000] * 3)}
    more = first.partial_fit(fresh)
    old, new = first.info["items"], more.info["items"]
    assert new == old + 1 and "brand new" in list(more.item_ids) and "brand new" not in list(first.item_ids)
    assert list(more.item_ids)[:old] == list(first.item_ids)
    ids, _ = more.recommend(["new"], k=5)
    assert "i1" not in ids[0] and "brand new" not in ids[0] and len(ids[0]) == 5
    assert more.info["training_rows"] == first.info["training_rows"] + 3
    with pytest.raises(pagoda.UsageError, match="model.dim"):
        first.partial_fit(fresh, settings={"model.dim": 32})
    with pytest.raises(pagoda.UsageError, match="rows"):
        first.partial_fit(None)


def test_the_bits_are_those_of_the_command(first, log, tmp_path):
    first.save(tmp_path / "first.pagoda")
    assert (tmp_path / "first.pagoda.state").is_file()
    later = pa.table(part(log, HALF, 8000))
    pyarrow.csv.write_csv(later, tmp_path / "later.csv")
    subprocess.run([PROGRAM, "train", "--from", tmp_path / "first.pagoda", "--interactions", tmp_path / "later.csv", "-o",
                    tmp_path / "told.pagoda"], check=True, capture_output=True)
    pagoda.load(tmp_path / "first.pagoda").partial_fit(later, output=tmp_path / "framed.pagoda")
    assert sections(tmp_path / "framed.pagoda") == sections(tmp_path / "told.pagoda")


def test_a_sparse_matrix_and_an_estimator_go_on(tmp_path):
    rng = np.random.default_rng(1)
    seen = sparse.csr_matrix((rng.random((60, 40)) < 0.2).astype(np.float32))
    estimator = TwoTower(**FAST)
    rows = estimator.partial_fit(seen).model_.info["training_rows"]
    more = sparse.csr_matrix((rng.random((70, 45)) < 0.1).astype(np.float32))
    assert estimator.partial_fit(more).model_.info["training_rows"] == rows + more.nnz
    assert len(estimator.recommend([65], k=3).ids[0]) == 3


def test_a_daily_loop(log):
    model = pagoda.train(part(log, 0, 2000), split="none", **FAST)
    recalls = []
    for begin in range(2000, 8000, 2000):
        day = part(log, begin, begin + 2000)
        recalls.append(model.evaluate(day, k=20, baselines=False)["recall@20"])
        model = model.partial_fit(day)
    assert recalls[-1] > 0.15, "better than the sixth of a catalogue that chance would find"
    assert recalls[-1] > recalls[0] - 0.02
    assert make_log()["ts"][0] == log["ts"][0]
