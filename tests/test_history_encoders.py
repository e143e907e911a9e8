"""`user.history.encoder = "attention"` and `"transformer"`: they learn what comes after what, which a mean cannot tell; and answers are the same everywhere."""

import json
import random

import pytest

ITEMS, NEXT = 60, 0.9
ENCODERS = {
    "attention": ("--set", "user.history.encoder='attention'"),
    "transformer": ("--set", "user.history.encoder='transformer'", "--set", "train.order='sequences'"),
}


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    """Users who walk on from the item they are at: to a fixed successor of it, or now and then to any item."""
    rng = random.Random(3)
    folder = tmp_path_factory.mktemp("walks")
    after = rng.sample(range(ITEMS), ITEMS)
    rows = []
    for user in range(400):
        at = rng.randrange(ITEMS)
        for step in range(30):
            rows.append(f"u{user},i{at},{1700000000 + user * 7 + step * 86400}")
            at = after[at] if rng.random() < NEXT else rng.randrange(ITEMS)
    (folder / "walks.csv").write_text("user_id,item_id,ts\n" + "\n".join(rows) + "\n")
    (folder / "pagoda.toml").write_text(f"""
[data]
interactions = ["{folder}/walks.csv"]
time = "ts"
split = {{ kind = "leave_last" }}
[model]
dim = 32
[user.history]
last = 20
[[sampling.negatives]]
source = "in_batch"
[train]
batch = 256
epochs = 8
learning_rate = 0.1
history = "before"
refit = "validation"
repeats = "learn"
choose_by = "recall@1"
[evaluate]
repeats = "keep"
k = [1, 5]
""")
    return folder


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request):
    return request.param


@pytest.fixture(scope="module")
def model(cli, walks, encoder):
    cli("train", "-c", walks / "pagoda.toml", *ENCODERS[encoder], "-o", walks / f"{encoder}.pagoda")
    return walks / f"{encoder}.pagoda"


@pytest.fixture(scope="module")
def recall_of_a_mean(cli, walks):
    cli("train", "-c", walks / "pagoda.toml", "-o", walks / "mean.pagoda")
    return recall(cli, walks / "mean.pagoda")


def recall(cli, model):
    return json.loads(cli("evaluate", model, "--json", "-").stdout)["metrics"]["recall@1"]


def test_it_learns_what_comes_after_what(cli, model, recall_of_a_mean):
    learnt = recall(cli, model)
    assert learnt > 0.8 * NEXT
    assert recall_of_a_mean < 0.6 * learnt


def test_the_server_and_the_command_give_the_same_answers(cli, serve, walks, model):
    lines = ["u1", '{"user": "u2", "recent": ["i5"]}', '{"history": ["i1", "i2", "i3"]}', '{"history": []}', "nobody"]
    asked = [json.loads(line) if line.startswith("{") else {"user": line} for line in lines]
    told = [json.loads(line) for line in cli("retrieve", model, "--users", "-", "--k", 20, "--max-unknown", 1, stdin="\n".join(lines)).stdout.splitlines()]
    alone = [json.loads(cli("retrieve", model, "--users", "-", "--k", 20, "--max-unknown", 1, stdin=line).stdout) for line in lines]
    assert told == alone, "the same bits in company"
    with serve(model) as server:
        for body, expected in zip(asked, told):
            got = server.post("/v1/retrieve", {**body, "k": 20})
            assert (got["items"], got["scores"]) == (expected["items"], expected["scores"])
    assert told[1]["items"] != told[0]["items"]
    assert json.loads(cli("inspect", model, "--json").stdout)["info"]["uses_order"] is True


@pytest.mark.parametrize("key, value, says", [
    ("encoder", "'atention'", "did you mean 'attention'?"), ("heads", "0", "user.history.heads = 0 is not in 1 .. 16"), ("heads", "17", "user.history.heads = 17 is not in 1 .. 16"),
    ("blocks", "0", "user.history.blocks = 0 is not in 1 .. 8"), ("encoder", "'transfomer'", "did you mean 'transformer'?"),
])
def test_wrong_values_are_told(cli, walks, tmp_path, key, value, says):
    cli("train", "-c", walks / "pagoda.toml", "--set", f"user.history.{key}={value}", "-o", tmp_path / "m.pagoda", code=2, says=says)


def test_going_on_takes_another_encoder_for_another_model(cli, walks, model, tmp_path):
    cli("train", "-c", walks / "pagoda.toml", "--from", model, "-o", tmp_path / "m.pagoda", code=2, says="user.history.encoder")


def test_heads_share_the_width(cli, walks, tmp_path):
    cli("train", "-c", walks / "pagoda.toml", *ENCODERS["transformer"], "--set", "user.history.heads=3", "-o", tmp_path / "m.pagoda", code=2,
        says="user.history.heads = 3 does not divide 32")


@pytest.mark.parametrize("setting", ["train.history='others'", "train.rows='user'"])
def test_sequences_are_rows_with_what_was_before_them(cli, walks, tmp_path, setting):
    cli("train", "-c", walks / "pagoda.toml", *ENCODERS["transformer"], "--set", setting, "-o", tmp_path / "m.pagoda", code=2, says="train.order = \"sequences\" is for rows")
