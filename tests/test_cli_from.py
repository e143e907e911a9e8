"""Going on from a model: `pagoda train --from MODEL`."""

import json
import shutil
import subprocess

import numpy
import pyarrow.parquet as pq
import pytest

BATCH = 64
BEFORE = 40 * BATCH  # rows of the first day: the cut lies between two batches

# One pass in order of time that looks at nothing to come (docs/howto/go-on.md).
ONE_PASS = ("--set", "data.split.kind='none'", "--set", "train.order='time'", "--set", "train.epochs=1", "--set", f"train.batch={BATCH}",
            "--set", "sampling.frequency.kind='streaming'", "--set", "sampling.frequency.buckets=4096", "--set", "train.final_rate=1")
BARE = ("--set", "data.items=''", "--set", "item.features=[]", "--set", "item.hidden=[]")
DEEP = ("--set", "item.hidden=[24]", "--set", "user.hidden=[24]", "--set", "model.dropout=0.2", "--set", "train.optimizer='adam'",
        "--set", "train.learning_rate=0.003", "--set", "loss.temperature='learned'", "--set", "user.id.enabled=true", "--set", "user.id.dropout=0.1", "--set", "item.id.dropout=0.2",
        "--set", "sampling.negatives=[{source='in_batch'}, {source='uniform', count=50}, {source='cross_batch', count=300, start=0},"
        " {source='mined', count=2, start=0}]")
CLIPPED = ("--set", "user.history.table='shared'", "--set", "train.optimizer='row_adagrad'", "--set", "train.clip_norm=0.5",
           "--set", "train.mask_history_items=true")
HALF = ("--set", "model.table_precision='bf16'", "--set", "sampling.frequency.learning_rate=0.05")


def learnt(cli, model):
    """All sections but those that name files, the run and its times."""
    return {name: value for name, value in cli.sections(model).items() if name not in {"config", "run_log", "info"}}


@pytest.fixture(scope="module")
def days(world, tmp_path_factory):
    """The world's log in order of time, cut in two: before.csv, after.csv, and both in one."""
    folder = tmp_path_factory.mktemp("days")
    log = pq.read_table(world / "interactions.parquet").sort_by("ts").to_pylist()
    names = list(log[0])
    lines = [",".join(str(row[n].isoformat() if hasattr(row[n], "isoformat") else row[n] if row[n] is not None else "") for n in names) for row in log]
    for name, part in (("before", lines[:BEFORE]), ("after", lines[BEFORE:]), ("both", lines)):
        (folder / f"{name}.csv").write_text("\n".join([",".join(names), *part]) + "\n")
    known = [{row[side] for row in log[:BEFORE]} for side in ("user_id", "item_id")]
    fresh = [{row[side] for row in log[BEFORE:]} for side in ("user_id", "item_id")]
    assert all(fresh[i] - known[i] and fresh[i] & known[i] for i in (0, 1)), "users and items, old and new ones"
    return folder


def train(cli, config, output, log, *extra, **options):
    return cli("train", "-c", config, "-o", output, "--interactions", log, *extra, **options)


@pytest.mark.parametrize("extra", [BARE, DEEP, CLIPPED, (*BARE, *DEEP, "--set", "item.hidden=[16]"), (*BARE, *HALF), (*BARE, "--set", "user.history.encoder='attention'"),
                                   (*BARE, "--set", "user.history.encoder='transformer'")],
                         ids=["ids", "deep", "clipped", "deep without a table", "bf16", "attention", "transformer"])
def test_one_pass_over_two_days_is_a_pass_over_each_to_the_bit(cli, config, days, tmp_path, extra):
    whole, first, second = (tmp_path / f"{name}.pagoda" for name in ("whole", "first", "second"))
    train(cli, config, whole, days / "both.csv", *ONE_PASS, *extra)
    train(cli, config, first, days / "before.csv", *ONE_PASS, *extra)
    assert learnt(cli, first) != learnt(cli, whole)
    done = train(cli, config, second, days / "after.csv", *ONE_PASS, *extra, "--from", first, says=("mean cosine", "gone on from 1 times"))
    assert "begin anew" not in done.stderr
    assert learnt(cli, second) == learnt(cli, whole)
    told = [json.loads(cli("inspect", model, "--json").stdout) for model in (second, whole)]
    for key in ("items", "users", "training_rows", "moment_us", "refit", "uses_order"):
        assert told[0]["info"][key] == told[1]["info"][key], key


def test_new_ids_get_rows_and_old_ones_keep_theirs(cli, config, days, tmp_path):
    first, second = tmp_path / "first.pagoda", tmp_path / "second.pagoda"
    train(cli, config, first, days / "before.csv", *ONE_PASS, *BARE)
    lines = (days / "after.csv").read_text().splitlines()
    columns = lines[0].split(",")
    fresh = dict(zip(columns, lines[1].split(","))) | {"user_id": "a new user", "item_id": "a new item", "device": "a new device"}
    (tmp_path / "day.csv").write_text("\n".join([lines[0], *[",".join(fresh[c] for c in columns)] * 3]) + "\n")
    cli("train", "--from", first, "--interactions", tmp_path / "day.csv", "-o", second)
    old, new = (cli("encode", m, "items", "-o", tmp_path / f"{m.name}.npy") and
                (tmp_path / f"{m.name}.npy.ids.txt").read_text().splitlines() for m in (first, second))
    assert new == [*old, "a new item"]
    (tmp_path / "users.jsonl").write_text('{"user": "a new user", "context": {"device": "a new device"}}\n')
    told = cli("retrieve", second, "--users", tmp_path / "users.jsonl", "--k", 5, "--max-unknown", 0)
    assert "a new device" not in told.stderr, "it has a row of its own"
    assert len(json.loads(told.stdout.splitlines()[0])["items"]) == 5


def test_what_makes_other_towers_is_refused_key_by_key(cli, config, days, tmp_path):
    first = tmp_path / "first.pagoda"
    train(cli, config, first, days / "before.csv", *ONE_PASS)
    extra = ("--set", "model.dim=24", "--set", "user.history.last=7", "--set", "item.id.min_count=2")
    done = train(cli, config, tmp_path / "second.pagoda", days / "after.csv", *ONE_PASS, *extra, "--from", first, code=2)
    for part in ("model.dim is 24, was 16", "user.history.last is 7, was 30", "item.id.min_count is 2, was 1", "without --from"):
        assert part in done.stderr
    assert not (tmp_path / "second.pagoda").exists()


def test_a_model_without_its_state_is_gone_on_from_and_what_begins_anew_is_said(cli, config, days, tmp_path):
    first, bare, other = tmp_path / "first.pagoda", tmp_path / "bare.pagoda", tmp_path / "other.pagoda"
    train(cli, config, first, days / "before.csv", *ONE_PASS)
    shutil.copy(first, bare)
    second = tmp_path / "second.pagoda"
    train(cli, config, second, days / "after.csv", *ONE_PASS, "--from", bare, says=("bare.pagoda.state: is not there", "begin anew"))
    train(cli, config, other, days / "before.csv", *ONE_PASS, "--set", "train.seed=2", "--set", "train.keep_state=false")
    assert not other.with_name("other.pagoda.state").exists()
    shutil.copy(f"{first}.state", f"{other}.state")
    train(cli, config, second, days / "after.csv", *ONE_PASS, "--from", other, says="other.pagoda.state: is of another model")
    cli("index", first, "--kind", "partitioned", "-o", tmp_path / "indexed.pagoda")
    shutil.copy(f"{first}.state", tmp_path / "indexed.pagoda.state")
    done = train(cli, config, second, days / "after.csv", *ONE_PASS, "--from", tmp_path / "indexed.pagoda")
    assert "begin anew" not in done.stderr, "another index is no other model"
    state = tmp_path / "first.pagoda.state"
    state.write_bytes(state.read_bytes()[:-5000])
    train(cli, config, second, days / "after.csv", *ONE_PASS, "--from", first, code=1, says="first.pagoda.state")


def test_a_run_that_goes_on_resumes_to_the_same_bits_and_from_that_model_alone(cli, config, days, tmp_path):
    first, whole, cut = (tmp_path / f"{name}.pagoda" for name in ("first", "whole", "cut"))
    train(cli, config, first, days / "before.csv", *ONE_PASS)
    more = (*ONE_PASS, "--set", "train.epochs=3", "--set", "train.order='shuffled'", "--from", first)
    train(cli, config, whole, days / "after.csv", *more)
    words = ["train", "-c", config, "-o", cut, "--interactions", days / "after.csv", *more, "--set", "train.checkpoint_seconds=0"]
    process = subprocess.Popen([cli.binary, *map(str, words)], stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "cut.pagoda.run" / "checkpoint"
    while not checkpoint.exists() and process.poll() is None:
        pass
    process.kill()
    process.wait()
    assert checkpoint.exists()
    without = [w for w in words if w != "--from" and w != first]
    cli(*without, "--resume", code=2, says="data")
    cli(*words, "--resume")
    assert learnt(cli, cut) == learnt(cli, whole)


def test_a_held_part_of_the_new_rows_judges(cli, config, days, tmp_path):
    first, second = tmp_path / "first.pagoda", tmp_path / "second.pagoda"
    train(cli, config, first, days / "before.csv", "--set", "data.split.kind='none'", "--set", "train.epochs=2")
    split = ("--set", "data.split.kind='random'", "--set", "data.split.validation='0.2'", "--set", "data.split.test='0.2'", "--set", "train.epochs=2",
             "--set", "train.refit='all'")
    done = train(cli, config, second, days / "after.csv", *split, "--from", first, says=("judged on the test part", "chosen"))
    assert "recall@" in done.stderr
    assert json.loads(cli("inspect", second, "--json").stdout)["info"]["all_rows"]
    cli("evaluate", second)


def test_an_ensemble_and_bare_vectors_are_no_models_to_go_on_from(cli, config, days, tmp_path):
    models = []
    for seed in (1, 2):
        models.append(tmp_path / f"{seed}.pagoda")
        train(cli, config, models[-1], days / "before.csv", *ONE_PASS, "--set", f"train.seed={seed}")
    cli("ensemble", *models, "-o", tmp_path / "both.pagoda", "--weights", "1,1")
    train(cli, config, tmp_path / "x.pagoda", days / "after.csv", "--from", tmp_path / "both.pagoda", code=2, says="ensemble")
    train(cli, config, tmp_path / "x.pagoda", days / "after.csv", "--from", tmp_path / "nothing.pagoda", code=3, says="nothing.pagoda")


def test_forgotten_ids_give_their_rows_to_new_ones_and_nothing_else_moves(cli, config, tmp_path):
    days = {"long ago": 1, "lately": 300, "today": 310}

    def log(name, *rows):
        lines = [f"u{u},i{i},{1_700_000_000 + days[day] * 86400 + n}" for n, (u, i, day) in enumerate(rows)]
        (tmp_path / name).write_text("\n".join(["user_id,item_id,ts", *lines]) + "\n")
        return tmp_path / name

    bare = (*BARE, "--set", "data.users=''", "--set", "data.context=[]", "--set", "user.features=[]", "--set", "user.id.enabled=true",
            "--set", "data.split.kind='none'", "--set", "train.batch=8", "--set", "user.history.last=0", "--set", "sampling.negatives=[{source='in_batch'}]", "--set", "item.id.hash_buckets=4")
    first, second = tmp_path / "first.pagoda", tmp_path / "second.pagoda"
    old = [(u, i, "long ago") for u in range(10) for i in range(8)] + [(u, i, "lately") for u in range(10, 20) for i in range(4, 12)]
    train(cli, config, first, log("first.csv", *old), *bare)
    new = [(u, i, "today") for u in (12, 20, 21) for i in (5, 20, 21)]
    train(cli, config, second, log("second.csv", *new), *bare, "--from", first, "--forget", "30d",
          says="4 items and 10 users have no event since")
    told = {m: {s["name"]: s["bytes"] for s in json.loads(cli("inspect", m, "--json").stdout)["sections"]} for m in (first, second)}
    for table in ("weights/item.id", "weights/user.id"):
        assert told[first][table] == told[second][table], "new ids took rows that were let go"
    vectors = {}
    for model in (first, second):
        cli("encode", model, "items", "-o", tmp_path / "v.npy")
        ids = (tmp_path / "v.npy.ids.txt").read_text().splitlines()
        vectors[model] = dict(zip(ids, numpy.load(tmp_path / "v.npy")))
    assert list(vectors[second])[:12] == list(vectors[first]), "the catalogue keeps all of them"
    assert numpy.array_equal(vectors[second]["i11"], vectors[first]["i11"]), "not touched, not moved"
    assert not numpy.array_equal(vectors[second]["i0"], vectors[first]["i0"]), "of a hash bucket now"
    train(cli, config, second, log("second.csv", *new), *bare, "--forget", "30d", code=2, says="--from")
    train(cli, config, second, log("second.csv", *new), *bare, "--from", first, "--forget", "soon", code=2, says="180d")


def test_a_full_training_is_due_when_more_was_learnt_going_on(cli, config, days, tmp_path):
    small, model = tmp_path / "day.csv", tmp_path / "first.pagoda"
    lines = (days / "before.csv").read_text().splitlines()
    small.write_text("\n".join(lines[:1 + 4 * BATCH]) + "\n")
    train(cli, config, model, small, *ONE_PASS)
    done = train(cli, config, tmp_path / "second.pagoda", days / "after.csv", *ONE_PASS, "--from", model, says="a full training is due")
    assert "gone on from 1 times" in done.stderr
    small.write_text("\n".join([lines[0], *lines[-2 * BATCH:]]) + "\n")
    done = train(cli, config, tmp_path / "third.pagoda", small, *ONE_PASS, "--from", tmp_path / "second.pagoda", says="gone on from 2 times")
    assert "trained anew on 256 rows" in done.stderr
