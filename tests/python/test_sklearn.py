"""The face for scikit-learn."""

import pickle

import pytest
from conftest import FAST, make_log
from pagoda.sklearn import TwoTower
from sklearn.base import clone

import pagoda


def test_fit_clone_pickle(log):
    estimator = TwoTower(**FAST)
    assert clone(estimator).get_params() == estimator.get_params()
    with pytest.raises(pagoda.UsageError, match="fit"):
        estimator.recommend(["u1"])
    ids, _ = estimator.fit(log).recommend(["u1"], k=5)
    again = pickle.loads(pickle.dumps(estimator))
    assert list(again.recommend(["u1"], k=5).ids[0]) == list(ids[0])
    assert estimator.set_params(dim=8).fit(log).model_.info["dim"] == 8


def test_it_is_judged_on_other_rows(log):
    fitted = TwoTower(**FAST).fit(log)
    later = make_log(500)
    later["item_id"] = list(reversed(later["item_id"]))
    later["ts"] = later["ts"] + 10_000_000
    assert 0 <= fitted.score(later, k=20) <= 1
