"""`[[data.events]]`: views say what will be bought, and answers are the same everywhere."""

import json
import random

import pytest

ITEMS, USERS, DAY = 40, 500, 86400


def rows_of(users, days):
    """Users who view an item and buy the one that goes with it a day later; what they bought before tells nothing."""
    rng = random.Random(5)
    goes_with = rng.sample(range(ITEMS), ITEMS)
    rows = []
    for user in users:
        for day in days:
            viewed, hated = rng.randrange(ITEMS), rng.randrange(ITEMS)
            at = 1700000000 + user * 7 + day * 2 * DAY
            rows.append((at, f"u{user},i{viewed},view,{at}"))
            rows.append((at + 5, f"u{user},i{hated},hate,{at + 5}"))
            rows.append((at + DAY, f"u{user},i{goes_with[viewed]},buy,{at + DAY}"))
    return "".join(row + "\n" for _, row in sorted(rows))


HEAD = "user_id,item_id,event,ts\n"
KINDS = """
[[data.events]]
name = "buy"
[[data.events]]
name = "view"
role = "history"
[[data.events]]
name = "hate"
role = "negative"
history = true
"""
REST = """
[model]
dim = 16
combine = "sum"
[user.history]
last = 10
recency = 1.0
[[sampling.negatives]]
source = "in_batch"
[train]
batch = 256
epochs = 10
learning_rate = 0.1
history = "before"
refit = "validation"
repeats = "learn"
choose_by = "recall@1"
[evaluate]
repeats = "keep"
k = [1, 5]
"""


def config(folder, name, data, kinds=KINDS):
    (folder / f"{name}.csv").write_text(HEAD + data)
    (folder / f"{name}.toml").write_text(f'[data]\ninteractions = ["{name}.csv"]\ntime = "ts"\nevent = "event"\n'
                                         f'split = {{ kind = "leave_last" }}\n{kinds}{REST}')
    return folder / f"{name}.toml"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    config(folder, "shop", rows_of(range(USERS), range(8)))
    return folder


@pytest.fixture(scope="module")
def model(cli, shop):
    said = cli("train", "-c", shop / "shop.toml", "-o", shop / "shop.pagoda").stderr
    assert "rows by [[data.events]]: buy 4000 (positive), view 4000 (history), hate 4000 (negative)" in said
    return shop / "shop.pagoda"


def recall(cli, model):
    return json.loads(cli("evaluate", model, "--json", "-").stdout)["metrics"]["recall@1"]


def test_views_tell_what_will_be_bought(cli, shop, model, tmp_path):
    alone = tmp_path / "alone.pagoda"
    cli("train", "-c", shop / "shop.toml", "--set", "data.where='event = \"buy\"'", "-o", alone)
    assert recall(cli, model) > 0.5
    assert recall(cli, alone) < 0.2


def histories(shop):
    """Of each user: items by kind of event, in order, as the model knows them: all but what came with or after the last row."""
    of = {}
    for line in (shop / "shop.csv").read_text().splitlines()[1:]:
        user, item, kind, _ = line.split(",")
        of.setdefault(user, {"buy": [], "view": [], "hate": []})[kind].append(item)
    return {user: {"buy": kinds["buy"][:-1], "view": kinds["view"], "hate": kinds["hate"]} for user, kinds in of.items()}


def asked(cli, model, request):
    line = json.dumps(request) if isinstance(request, dict) else request
    return json.loads(cli("retrieve", model, "--users", "-", "--k", 10, "--exclude", "none", "--max-unknown", 1, stdin=line).stdout)


def same(one, other):
    return (one["items"], one["scores"]) == (other["items"], other["scores"])


def test_a_request_that_tells_all_is_answered_like_the_known_user(cli, shop, model):
    known = histories(shop)["u7"]
    whole = {"history": known["buy"], "events": {"view": known["view"], "hate": known["hate"]}}
    assert same(asked(cli, model, "u7"), asked(cli, model, whole))
    less = {"history": known["buy"], "events": {"view": known["view"][:-1], "hate": known["hate"]}}
    assert not same(asked(cli, model, "u7"), asked(cli, model, less))
    more = {"user": "u7", "events": {"view": ["i3"], "hate": ["i4"], "buy": ["i5"]}}
    whole = {"history": known["buy"] + ["i5"], "events": {"view": known["view"] + ["i3"], "hate": known["hate"] + ["i4"]}}
    assert same(asked(cli, model, more), asked(cli, model, whole))
    assert same(asked(cli, model, {"history": [], "events": {"buy": ["i5"]}}), asked(cli, model, {"history": ["i5"]}))


def test_what_was_viewed_may_be_recommended_and_what_was_bought_not(cli, model):
    line = json.dumps({"history": [], "events": {"buy": ["i5"], "view": ["i3"]}})
    items = json.loads(cli("retrieve", model, "--users", "-", "--k", ITEMS, "--max-unknown", 1, stdin=line).stdout)["items"]
    assert "i5" not in items and "i3" in items


def test_a_new_user_with_events_is_known_by_them(cli, model):
    line = json.dumps({"user": "new", "events": {"view": ["i3", "nothing"]}})
    said = cli("retrieve", model, "--users", "-", "--k", 5, stdin=line).stderr
    assert "1 of 2 items of histories are not in the catalogue and are ignored: 'nothing'" in said
    assert "their answers use their lines alone" in said
    said = cli("retrieve", model, "--users", "-", "--k", 5, stdin=json.dumps({"user": "new", "events": {"view": []}})).stderr
    assert "they get the answer for an unknown user" in said


def test_live_events_count_as_they_would_in_the_request(cli, serve, shop, model):
    with serve(model) as server:
        assert server.call("GET", "/v1/model")[1]["events"] == ["buy", "view", "hate"]
        ask = {"user": "u9", "k": 20}
        expected = server.post("/v1/retrieve", {**ask, "recent": ["i1"], "events": {"view": ["i2", "i4"], "hate": ["i6"]}})
        later = [{"user": "u9", "item": item, "event": kind, "time": f"2031-01-0{day}"}
                 for day, (item, kind) in enumerate([("i2", "view"), ("i1", "buy"), ("i6", "hate"), ("i4", "view")], 1)]
        assert server.post("/v1/events", {"events": later}) == {"events": 4}
        assert server.post("/v1/retrieve", ask) == expected
        known = histories(shop)["u9"]
        first = server.post("/v1/retrieve", ask)  # the bundle has learnt from this view
        server.post("/v1/events", {"events": [{"user": "u9", "item": known["view"][0], "event": "view", "time": 1700000063}]})
        assert server.post("/v1/retrieve", ask) == first
        for path, body in (("/v1/retrieve", {"user": "u9", "events": {"vew": ["i1"]}}),
                           ("/v1/events", {"events": [{"user": "u9", "item": "i1", "event": "vew"}]})):
            status, answer = server.call("POST", path, body)[:2]
            assert status == 400 and "did you mean 'view'?" in answer["error"]["message"]
        assert server.call("POST", "/v1/retrieve", {"user": "u9", "events": ["view"]})[0] == 400
    with serve(model) as server:  # the journal has the kinds
        assert server.post("/v1/retrieve", ask) == expected


def test_events_that_the_model_knows_do_not_count_again(cli, serve, shop, tmp_path):
    short = tmp_path / "short.pagoda"  # of eight views it keeps three, the last of them later than all that it learnt
    cli("train", "-c", shop / "shop.toml", "--set", "user.history.last=3", "--set", "train.epochs=2", "-o", short)
    views = [line.split(",") for line in (shop / "shop.csv").read_text().splitlines() if line.startswith("u9,") and ",view," in line]
    with serve(short) as server:
        before = server.post("/v1/retrieve", {"user": "u9", "k": 20})
        for _, item, _, time in (views[0], views[-1]):
            server.post("/v1/events", {"events": [{"user": "u9", "item": item, "event": "view", "time": int(time)}]})
            assert server.post("/v1/retrieve", {"user": "u9", "k": 20}) == before
        server.post("/v1/events", {"events": [{"user": "u9", "item": views[0][1], "event": "view", "time": int(views[-1][3]) + 86400 * 30}]})
        assert server.post("/v1/retrieve", {"user": "u9", "k": 20}) != before


def test_ensembles_know_the_kinds_of_all_models(cli, shop, model, tmp_path):
    alone, both = tmp_path / "alone.pagoda", tmp_path / "both.pagoda"
    (tmp_path / "alone.csv").write_text("".join(line for line in (shop / "shop.csv").read_text().splitlines(keepends=True)
                                                if ",buy," in line or line.startswith("user_id")))
    text = (shop / "shop.toml").read_text()
    text = text.replace(KINDS, "\n").replace('event = "event"\n', "").replace('"shop.csv"', '"alone.csv"')
    (tmp_path / "alone.toml").write_text(text)
    cli("train", "-c", tmp_path / "alone.toml", "--set", "train.epochs=2", "-o", alone)
    cli("ensemble", alone, model, "--weights", "1,1", "-o", both)
    request = json.dumps({"history": ["i1"], "events": {"buy": ["i2"], "view": ["i3"]}})
    items = json.loads(cli("retrieve", both, "--users", "-", "--k", ITEMS, "--max-unknown", 1, stdin=request).stdout)["items"]
    assert "i2" not in items and "i3" in items


def test_going_on_knows_the_events_before(cli, shop, tmp_path):
    lines = (shop / "shop.csv").read_text().splitlines(keepends=True)[1:]
    first, then = "".join(lines[:6000]), "".join(lines[6000:])
    sets = ("--set", "data.split.kind='none'", "--set", "train.order='time'", "--set", "train.epochs=1",
            "--set", "sampling.frequency.kind='streaming'", "--set", "train.repeats='learn'")
    cli("train", "-c", config(tmp_path, "a", first), *sets, "-o", tmp_path / "a.pagoda")
    cli("train", "-c", config(tmp_path, "b", then), *sets, "--from", tmp_path / "a.pagoda", "-o", tmp_path / "b.pagoda")
    known = histories(shop)["u7"]
    bought = [line.split(",")[1] for line in lines if line.startswith("u7,") and ",buy," in line]
    whole = {"history": bought, "events": {"view": known["view"], "hate": known["hate"]}}
    assert same(asked(cli, tmp_path / "b.pagoda", "u7"), asked(cli, tmp_path / "b.pagoda", whole))
    other = KINDS.replace('role = "history"', 'role = "negative"\nhistory = true')
    cli("train", "-c", config(tmp_path, "c", then, other.replace('"hate"', '"love"')), *sets, "--from", tmp_path / "a.pagoda",
        "-o", tmp_path / "c.pagoda", code=2, says="data.events has other kinds")


@pytest.mark.parametrize("kinds, says", [
    ("", "needs to know what its values are"),
    (KINDS.replace('role = "history"', 'role = "histry"'), "did you mean 'history'?"),
    (KINDS.replace("history = true", ""), 'name = "hate" is negative, and nothing reads it'),
    (KINDS.replace('name = "hate"', 'name = "view"'), "is there twice"),
])
def test_what_cannot_be_meant_is_refused(cli, tmp_path, kinds, says):
    cli("train", "-c", config(tmp_path, "m", rows_of(range(5), range(3)), kinds), "-o", tmp_path / "m.pagoda", code=2, says=says)


def test_rows_of_other_kinds_are_counted(cli, tmp_path):
    data = rows_of(range(50), range(6)) + "u1,i1,refund,1700000000\n"
    said = cli("train", "-c", config(tmp_path, "m", data), "--set", "train.epochs=1", "-o", tmp_path / "m.pagoda").stderr
    assert "1 of 901 rows are of no kind of [[data.events]] and left out: event = 'refund'" in said


def test_inspect_names_the_kinds(cli, model):
    assert "events       buy; histories of their own: view, hate" in cli("inspect", model).stdout


def test_kinds_for_histories_need_histories(cli, shop, tmp_path):
    cli("train", "-c", shop / "shop.toml", "--set", "user.history.last=0", "--set", "user.id.enabled=true", "-o", tmp_path / "m.pagoda",
        code=2, says="user.history.last = 0 turns them off")


def test_init_takes_kinds(cli, shop, tmp_path):
    out = tmp_path / "init.toml"
    said = cli("init", shop / "shop.csv", "--events", "buy=positive,view=history,hate=negative", "-o", out).stderr
    assert "'event' says what a row was: buy (positive), view (history), hate (negative). 4000 rows are of positive kinds." in said
    assert '[[data.events]]\nname = "view"\nrole = "history"\n' in out.read_text().replace("# ", "")
    cli("train", "-c", out, "--set", "train.epochs=1", "--set", "loss.temperature_ratio=1.0", "-o", tmp_path / "m.pagoda")
    assert "--events 'buy=positive,hate=negative,view=history'" in cli("init", shop / "shop.csv", "-o", tmp_path / "n.toml").stderr
    cli("init", shop / "shop.csv", "--events", "buy=wanted", "-o", tmp_path / "o.toml", code=2, says="'wanted' is no role")
    cli("init", shop / "shop.csv", "--event", "evnt", "--events", "buy", "-o", tmp_path / "o.toml", code=2, says="no column 'evnt'")


def test_a_stream_refuses_what_it_does_not_read(cli, shop, tmp_path):
    cli("stream", "-c", shop / "shop.toml", "--set", f"stream.files=['{shop}/shop.csv']",
        "-o", tmp_path / "s.pagoda", code=2, says="a stream reads no histories of other events")
