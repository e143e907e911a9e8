"""Sources of negatives through the program: each trains, and what cannot work is refused before anything is trained."""

import json
import math
import pathlib

import pytest

USAGE, INPUT = 2, 3

ROWS = [f"u{u},i{(u * 7 + n * n) % 23},{1 if n % 4 else 0}" for u in range(20) for n in range(12)]
CSV = "user_id,item_id,click\n" + "\n".join(ROWS) + "\n"
BASE = """
[data]
interactions = ["clicks.csv"]
{data}
split = {{ kind = "random", validation = "0.1", test = "0.1" }}
[model]
dim = 8
[sampling]
{sampling}
[[sampling.negatives]]
source = "in_batch"
{negatives}
[train]
epochs = 3
batch = 32
[evaluate]
k = [5]
[loss]
{loss}
"""


def epochs(model):
    """What the run's log has of each epoch."""
    return [json.loads(line) for line in pathlib.Path(f"{model}.run/metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def train(cli, tmp_path):
    def run(negatives="", data="", sampling="", loss="", csv=CSV, code=0, says=()):
        (tmp_path / "clicks.csv").write_text(csv)
        (tmp_path / "shown.csv").write_text("user_id,item_id\nu1,i3\nu2,i4\nu2,nowhere\n")
        (tmp_path / "c.toml").write_text(BASE.format(negatives=negatives, data=data, sampling=sampling, loss=loss))
        output = tmp_path / "m.pagoda"
        done = cli("train", "-c", "c.toml", "-o", output, cwd=tmp_path, code=code, says=says)
        assert output.exists() == (code == 0), done.stderr
        if code == 0:
            done.epochs = epochs(output)
            assert all(math.isfinite(e["loss"]) and e["loss"] > 0 for e in done.epochs), done.epochs
        return done

    return run


def source(name, **keys):
    return "[[sampling.negatives]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in {"source": name, **keys}.items())


@pytest.mark.parametrize("correction", ["standard", "negatives", "leave_one_out", "none"])
def test_all_sources_in_one_loss(train, cli, tmp_path, correction):
    done = train(
        source("uniform", count=8) + source("popularity", count=8) + source("hot", count=8, final_count=0)
        + source("cold_per_user", count=2) + source("cross_batch", count=64) + source("mined", start=0)
        + source("mined", mining="offline", first_rank=2, last_rank=6, shard=0.7, start=0) + source("impressions", count=2),
        data='clicked = "click"\nimpressions = ["shown.csv"]',
        sampling="downsample_positives = 0.02",
        loss=f'correction = "{correction}"',
    )
    assert min(e["loss"] for e in done.epochs[1:]) < done.epochs[0]["loss"], "it learns"
    (tmp_path / "users.txt").write_text("u1\nu2\n")
    answers = [json.loads(line) for line in cli("retrieve", tmp_path / "m.pagoda", "--users", tmp_path / "users.txt", "--k", 5).stdout.splitlines()]
    for answer in answers:
        assert len(set(answer["items"])) == 5 and all(math.isfinite(score) for score in answer["scores"])


def test_impressions_without_data(train):
    train(source("impressions"), code=USAGE, says=["impressions", "data.impressions", "data.clicked"])


def test_a_file_of_impressions_that_is_not_there(train):
    train(source("impressions"), data='impressions = ["shwn.csv"]', code=INPUT, says=["shwn.csv", "did you mean", "shown.csv"])


def test_impressions_of_items_outside_the_catalogue_are_counted(train):
    train(source("impressions"), data='impressions = ["shown.csv"]', says=["1 of 3 impressions", "outside the catalogue"])


def test_a_column_of_clicks_that_is_not_there(train):
    train(data='clicked = "clik"', code=INPUT, says=["clik", "did you mean 'click'"])


def test_a_memory_smaller_than_a_batch(train):
    train(source("cross_batch", count=31), code=USAGE, says=["cross_batch", "count = 31", "batch of 32"])


def test_more_columns_than_items_are_drawn_and_a_better_way_is_named(train):
    train(source("uniform", count=5000), says=["5000 columns of 23 items", "catalogue"])


def test_a_batch_larger_than_the_log(train, cli, tmp_path):
    small = train().epochs
    cli("train", "-c", "c.toml", "--set", "train.batch=100000", "-o", "big.pagoda", cwd=tmp_path)
    big = epochs(tmp_path / "big.pagoda")
    assert small[0]["step"] > 1 and [e["step"] for e in big] == list(range(1, len(big) + 1)), "an epoch is one step"
    assert all(math.isfinite(e["loss"]) for e in big)


def test_users_who_have_every_cold_item(train):
    cold = CSV + "".join(f"u{u},cold,1\n" for u in range(5))  # the rarest item, all of whose users are there
    done = train(source("cold_per_user", count=4, share=0.05), csv=cold)
    assert min(e["loss"] for e in done.epochs[1:]) < done.epochs[0]["loss"], "it learns"


def test_a_negative_logq_weight(train):
    train(loss="logq_weight = -0.5", code=USAGE, says=["logq_weight", "-0.5"])


def test_a_former_key_is_read_and_the_new_one_named(train, cli, tmp_path):
    train(loss="popularity_dial = 0.25", says=["c.toml:", "'popularity_dial' in [loss] is called 'logq_weight' now"])
    shown = cli("config", "-c", tmp_path / "c.toml", "--set", "train.mask_history=true", says="'mask_history_items' now").stdout
    assert "logq_weight = 0.25" in shown and "mask_history_items = true" in shown and "popularity_dial =" not in shown


def test_a_key_that_the_source_does_not_read(train):
    train(source("uniform", power=0.5), code=USAGE, says=["uniform", "power"])


def test_an_unknown_source(train):
    train(source("cold_per_usr"), code=USAGE, says=["did you mean 'cold_per_user'"])


def test_a_source_that_reaches_only_some_items_alone(cli, tmp_path):
    (tmp_path / "clicks.csv").write_text(CSV)
    text = BASE.format(negatives="", data="", sampling="", loss="").replace('"in_batch"', '"hot"')
    (tmp_path / "c.toml").write_text(text)
    cli("train", "-c", "c.toml", "-o", "m.pagoda", cwd=tmp_path, code=USAGE, says=["hot", "in_batch", "uniform"])
