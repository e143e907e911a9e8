"""RecTools' own cross-validation runs the towers beside its own models; implicit's tutorial with Pagoda in its place."""

import numpy as np
import pandas
import pytest
from conftest import FAST, make_log

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset():
    from rectools import Columns
    from rectools.dataset import Dataset

    log = make_log()
    frame = pandas.DataFrame({Columns.User: log["user_id"], Columns.Item: log["item_id"], Columns.Weight: 1.0,
                              Columns.Datetime: np.array(log["ts"]).astype("datetime64[s]")})
    return Dataset.construct(frame)


def models():
    from implicit.als import AlternatingLeastSquares
    from pagoda.rectools import TwoTowerModel
    from rectools.models import ImplicitALSWrapperModel, PopularModel

    return {"pagoda": TwoTowerModel(**{**FAST, "epochs": 10}), "popular": PopularModel(),
            "als": ImplicitALSWrapperModel(AlternatingLeastSquares(factors=16, iterations=5, num_threads=1, random_state=1))}


def test_cross_validation_judges_us_beside_its_own_models(dataset):
    from rectools.metrics import MAP, Recall
    from rectools.model_selection import TimeRangeSplitter, cross_validate

    splitter = TimeRangeSplitter("1D", n_splits=2, filter_already_seen=True, filter_cold_users=True, filter_cold_items=True)
    found = cross_validate(dataset, splitter, {"recall": Recall(10), "map": MAP(10)}, models(), k=10, filter_viewed=True)
    of = pandas.DataFrame(found["metrics"]).groupby("model")[["recall", "map"]].mean()
    assert of.loc["pagoda", "recall"] > 1.5 * of.loc["popular", "recall"], of
    assert of.loc["pagoda", "recall"] > 0.8 * of.loc["als", "recall"], of


def test_recommendations_are_those_of_the_model(dataset):
    from pagoda.rectools import TwoTowerModel
    from rectools import Columns

    model = TwoTowerModel(**FAST).fit(dataset)
    users = ["u1", "u2"]
    table = model.recommend(users, dataset, k=5, filter_viewed=True)
    assert table.groupby(Columns.User).size().to_dict() == {"u1": 5, "u2": 5}
    seen = dataset.get_raw_interactions()
    for user in users:
        mine = set(seen.loc[seen[Columns.User] == user, Columns.Item])
        assert not mine & set(table.loc[table[Columns.User] == user, Columns.Item])
    few = model.recommend(users, dataset, k=5, filter_viewed=False, items_to_recommend=["i1", "i2", "i3"])
    assert set(few[Columns.Item]) <= {"i1", "i2", "i3"}
    alike = model.recommend_to_items(["i1"], dataset, k=4)
    assert len(alike) == 4 and "i1" not in set(alike[Columns.Item])


def test_implicits_tutorial(dataset):
    """Its steps: a sparse matrix of artists' plays, fit, recommend without what is known, similar items, a frame."""
    from implicit.als import AlternatingLeastSquares
    from pagoda.sklearn import TwoTower

    plays = dataset.get_user_item_matrix().tocsr()
    ours = TwoTower(**FAST).fit(plays)
    theirs = AlternatingLeastSquares(factors=16, iterations=5, num_threads=1)
    theirs.fit(plays, show_progress=False)
    user = 12
    ids, scores = ours.recommend([user], k=10)
    their_ids, their_scores = theirs.recommend(user, plays[user], N=10, filter_already_liked_items=True)
    assert ids.shape[1] == len(their_ids) and scores.shape[1] == len(their_scores)
    assert not set(ids[0]) & set(plays[user].indices)
    frame = pandas.DataFrame({"item": ids[0], "score": scores[0], "already_liked": np.isin(ids[0], plays[user].indices)})
    assert len(frame) == 10 and not frame["already_liked"].any()
    assert ours.similar([3], k=5).ids.shape == (1, 5)
