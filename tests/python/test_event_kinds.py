"""Several kinds of events: pagoda.train(events=...), requests with events, going on."""

import numpy as np
import pytest
from conftest import FAST

import pagoda

KINDS = {"buy": "positive", "view": "history", "hide": "negative"}


def shop(rows, seed):
    rng = np.random.default_rng(seed)
    return {"user_id": [f"u{u}" for u in rng.integers(0, 60, rows)], "item_id": [f"i{i}" for i in rng.integers(0, 40, rows)],
            "what": [("buy", "view", "view", "hide")[w] for w in rng.integers(0, 4, rows)],
            "ts": 1_700_000_000 + seed * 10_000_000 + np.arange(rows) * 600}


@pytest.fixture(scope="module")
def model():
    return pagoda.train(shop(4000, 0), event="what", events=KINDS, split="none", **FAST)


def test_requests_bring_events(model):
    assert model._card["events"] == ["buy", "view", "hide"]
    alone = model.recommend(["u1", "u2"], k=5).scores
    assert not np.array_equal(model.recommend(["u1", "u2"], k=5, events={"view": ["i1"]}).scores, alone)
    one = model.recommend(["u1", "u2"], k=5, events=[{"view": ["i1"]}, None]).scores
    assert not np.array_equal(one[0], alone[0]) and np.array_equal(one[1], alone[1])
    stranger = model.recommend([{"history": ["i3"], "events": {"view": ["i1", "i2"], "hide": ["i4"]}}], k=5)
    assert np.array_equal(stranger.scores, model.recommend([{"events": {"buy": ["i3"], "view": ["i1", "i2"], "hide": ["i4"]}}], k=5).scores)
    with pytest.raises(pagoda.InputError, match="did you mean 'view'"):
        model.recommend(["u1"], events={"veiw": ["i1"]})


def test_a_frame_of_requests_may_have_a_map(model):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"user": ["u1"], "events": pa.array([[("view", ["i1"])]], pa.map_(pa.string(), pa.list_(pa.string())))})
    assert np.array_equal(model.recommend(table, k=5).scores, model.recommend(["u1"], k=5, events={"view": ["i1"]}).scores)


def test_more_events_are_known_after_going_on(model):
    more = shop(400, 1)
    gone_on = model.partial_fit(more)
    viewed = [item for user, item, what in zip(more["user_id"], more["item_id"], more["what"]) if (user, what) == ("u1", "view")]
    bought = [item for user, item, what in zip(more["user_id"], more["item_id"], more["what"]) if (user, what) == ("u1", "buy")]
    assert viewed and gone_on.info["training_rows"] == model.info["training_rows"] + more["what"].count("buy")
    before = gone_on.recommend(["u1"], k=5, events={"view": ["i1"]}).scores
    assert not np.array_equal(before, gone_on.recommend(["u1"], k=5).scores)
    assert set(bought).isdisjoint(gone_on.recommend(["u1"], k=5).ids[0])


def test_wrong_kinds_are_told():
    with pytest.raises(pagoda.UsageError, match="'wanted' is no role"):
        pagoda.train(shop(100, 0), event="what", events={"buy": "wanted"}, **FAST)
    with pytest.raises(pagoda.UsageError, match="no kind is positive"):
        pagoda.train(shop(100, 0), event="what", events={"view": "history"}, **FAST)
