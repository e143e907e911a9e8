"""What is served has learnt from every row of the log; what is judged has not seen the test part."""

import json
import random
import shutil
import signal
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ALL = ("--set", "train.refit=all", "--set", "train.epochs=3", "--set", "train.batch=512")
SPLITS = {
    "time": ("--set", "data.split.kind=time"),
    "random": ("--set", "data.split={kind='random', validation='0.1', test='0.1'}"),
    "leave_last": ("--set", "data.split={kind='leave_last'}"),
    "none": ("--set", "data.split={kind='none'}"),
}


def inspected(cli, model):
    return json.loads(cli("inspect", model, "--json").stdout)


def sections(cli, model, leave_out=()):
    return {s["name"]: (s["bytes"], s["checksum"]) for s in inspected(cli, model)["sections"] if s["name"] not in leave_out}


def judged_of(model):
    return model.parent / (model.name + ".run") / "judged.pagoda"


def pairs_of(*tables):
    pairs = set()
    for table in tables:
        log = table.to_pydict()
        pairs |= set(zip(map(str, log["user_id"]), map(str, log["item_id"])))
    return pairs


def served_pairs(cli, model, users, folder):
    (folder / "users.txt").write_text("".join(f"{user}\n" for user in users))
    cli("retrieve", model, "--users", folder / "users.txt", "--k", 20, "-o", folder / "lists.tsv")
    return {tuple(line.split("\t")[:2]) for line in (folder / "lists.tsv").read_text().splitlines()}


@pytest.fixture(scope="module")
def whole(cli, config, tmp_path_factory):
    """A bundle of all rows, with its judged model beside it. Borrowed."""
    path = tmp_path_factory.mktemp("whole") / "m.pagoda"
    done = cli("train", "-c", config, "-o", path, *ALL, says=["judged on the test part", "training on all"])
    assert "nobody" not in done.stderr
    return path


@pytest.mark.parametrize("split", [*SPLITS, "given"])
def test_no_candidate_was_seen_whatever_the_split(cli, config, world, tmp_path, split):
    log = pq.read_table(world / "interactions.parquet")
    words = SPLITS.get(split)
    if split == "given":
        chance = random.Random(1)
        held = [chance.random() < 0.2 for _ in range(log.num_rows)]
        pq.write_table(log.filter(pa.array([not h for h in held])), tmp_path / "log.parquet")
        pq.write_table(log.filter(pa.array(held)), tmp_path / "test.parquet")
        words = ("--set", f"data.interactions=['{tmp_path}/log.parquet']",
                 "--set", f"data.split={{kind='given', validation='0.1', test_files=['{tmp_path}/test.parquet']}}")
    model = tmp_path / "m.pagoda"
    done = cli("train", "-c", config, "-o", model, *ALL, *words, "--set", "train.refit_by=auto")
    assert done.stderr.count("going on with") == (2 if split in {"time", "leave_last"} else 0)
    seen = pairs_of(log)
    users = sorted({user for user, _ in seen})
    lists = served_pairs(cli, model, users, tmp_path)
    assert {user for user, _ in lists} == set(users), "every user of the log is known"
    assert not lists & seen
    info = inspected(cli, model)["info"]
    assert info["all_rows"] and info["training_rows"] == log.num_rows and info["users"] == len(users)
    assert info["items"] >= len({item for _, item in seen})
    assert ("judged" in inspected(cli, model)) == (split != "none")
    if split != "none":  # the same test can fail: the judged model does serve what its test part holds
        assert served_pairs(cli, judged_of(model), users, tmp_path) & seen


def test_the_figures_are_those_of_the_judged_model(cli, config, whole, tmp_path):
    judged = judged_of(whole)
    alone = tmp_path / "validation.pagoda"
    cli("train", "-c", config, "-o", alone, *ALL, "--set", "train.refit=validation")
    assert inspected(cli, judged)["fingerprint"] == inspected(cli, alone)["fingerprint"], "the judged model is that of \"validation\""
    figures = json.loads(cli("evaluate", alone, "--json", "-").stdout)
    of_judged = json.loads(cli("evaluate", judged, "--json", "-").stdout)
    kept = inspected(cli, whole)["metrics"]
    through = json.loads(cli("evaluate", whole, "--json", "-", says="has learnt from all").stdout)
    for json_of in (figures, of_judged, kept, through):
        json_of.pop("seconds", None)
        json_of.pop("warnings", None)
    assert figures == of_judged == kept == through
    info = inspected(cli, whole)["info"]
    assert inspected(cli, whole)["judged"] == {"fingerprint": figures["model"]["fingerprint"], "training_rows": inspected(cli, alone)["info"]["training_rows"]}
    assert info["test_rows"] == figures["test_rows"]
    said = cli("inspect", whole).stdout
    assert "then on all rows" in said and figures["model"]["fingerprint"] in said


def test_the_table_is_the_same_with_the_judged_model_and_without(cli, whole, tmp_path):
    alone = tmp_path / "m.pagoda"
    shutil.copy(whole, alone)
    table = cli("evaluate", alone, says=["judged.pagoda is not there", "kept when it was trained"]).stdout
    assert table == cli("evaluate", whole).stdout and "recall" in table
    kept = json.loads(cli("evaluate", alone, "--json", "-").stdout)
    assert kept["metrics"] == inspected(cli, alone)["metrics"]["metrics"]
    # What was not kept needs the judged model.
    for more in (("--k", 7), ("--repeats", "keep")):
        cli("evaluate", alone, *more, code=2, says=["judged.pagoda", "is not there", "--data"])
        cli("evaluate", whole, *more)
    # One of another training is not taken for it.
    judged_of(alone).parent.mkdir()
    shutil.copy(whole, judged_of(alone))
    cli("evaluate", alone, says="is of another training")


def test_new_rows_judge_it_and_rows_it_has_learnt_from_do_not(cli, whole, world, tmp_path):
    log = pq.read_table(world / "interactions.parquet")
    times = log["ts"].to_pylist()
    cut = sorted(times)[-1]
    cut = cut.replace() - __import__("datetime").timedelta(days=30)
    test = log.filter(pa.array([t > cut for t in times]))
    pq.write_table(test, tmp_path / "test.parquet")
    cli("evaluate", whole, "--data", tmp_path / "test.parquet", code=2, says=["is the test part", "has learnt from it"])
    pq.write_table(test.slice(0, test.num_rows // 2), tmp_path / "half.parquet")
    cli("evaluate", whole, "--data", tmp_path / "half.parquet", code=2, says=["learnt from each", "came later"])
    later = [t + __import__("datetime").timedelta(days=400) for t in test["ts"].to_pylist()]
    new = test.set_column(test.schema.get_field_index("ts"), test.schema.field("ts"), pa.array(later, test.schema.field("ts").type))
    pq.write_table(pa.concat_tables([new, test.slice(0, 5)]), tmp_path / "mixed.parquet")
    cli("evaluate", whole, "--set", "data.clock=trust", "--data", tmp_path / "mixed.parquet", says="5 of")


def test_nothing_held_out_trains_the_epochs_that_are_given(cli, config, world, tmp_path):
    model = tmp_path / "m.pagoda"
    done = cli("train", "-c", config, "-o", model, *ALL, *SPLITS["none"], says="nothing is held out")
    assert done.stderr.count("epoch 3/3") == 1 and "chosen" not in done.stderr
    info = inspected(cli, model)["info"]
    assert info["chosen_on"] == "fixed" and info["epochs"] == 3 and "judged" not in inspected(cli, model)
    cli("evaluate", model, code=2, says=["data.split.kind", "none", "train with a split", "--data"])
    assert not judged_of(model).exists()


@pytest.mark.parametrize("word, written", [("true", "validation"), ("validation", "validation"), ("false", "false"), ("all", "all")])
def test_the_former_words_keep_their_meaning(cli, word, written):
    text = cli("config", "--set", f"train.refit={word}").stdout
    quoted = written if written == "false" else f'"{written}"'
    assert f"\nrefit = {quoted}\n" in text


def test_an_ensemble_of_models_of_all_rows_is_not_judged_by_them(cli, whole, tmp_path):
    cli("ensemble", whole, whole, "--weights", "0.5,0.5", "-o", tmp_path / "e.pagoda")
    cli("evaluate", tmp_path / "e.pagoda", code=2, says=["ensemble of the judged models", "--data"])
    cli("ensemble", judged_of(whole), judged_of(whole), "--weights", "0.5,0.5", "-o", tmp_path / "j.pagoda")
    cli("evaluate", tmp_path / "j.pagoda")


def test_a_report_shows_the_judged_model(cli, whole, tmp_path):
    cli("report", whole, "-o", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert inspected(cli, whole)["judged"]["fingerprint"] in page and "without the test part" in page


IN_ONE_PASS = ("--set", "train.order=time", "--set", "sampling.frequency.kind=streaming", "--set", "sampling.frequency.buckets=4096")
OF_USERS = ("--set", "train.rows=user", "--set", "train.batch=64")
MINED = ("--set", "sampling.negatives=[{source='in_batch'}, {source='mined', count=2, refresh=1}, {source='cross_batch', count=2000}]",
         "--set", "sampling.frequency.kind=streaming", "--set", "sampling.frequency.buckets=4096")
THINNED = ("--set", "sampling.downsample_positives=0.01")


@pytest.mark.parametrize("extra, epochs", [((), 12), (IN_ONE_PASS, 1), (OF_USERS, 12), (MINED, 12), (THINNED, 12)],
                         ids=["interactions", "one pass", "users", "mined", "thinned"])
def test_refit_by_going_on_is_what_from_does_with_the_rows_that_were_held_out(cli, config, world, tmp_path, extra, epochs):
    log = pq.read_table(world / "interactions.parquet").sort_by("ts")
    pq.write_table(log, tmp_path / "log.parquet")
    words = ("-c", config, "--set", f"data.interactions=['{tmp_path}/log.parquet']", "--set", "train.batch=512", "--set", "train.epochs=1",
             "--set", "train.optimizer=adam", "--set", "train.final_rate=0.1", "--set", "train.refit=validation", *extra)
    whole, first, second = (tmp_path / f"{name}.pagoda" for name in ("whole", "first", "second"))
    cli("train", *words, "-o", whole, "--set", "train.refit_by=going_on", says=f"going on with the validation part for {epochs} epochs")
    cli("split", *words, "-o", tmp_path / "parts", "--format", "parquet")
    alone = ("--set", "data.split={kind='none'}")
    cli("train", *words, "-o", first, *alone, "--interactions", tmp_path / "parts" / "train.parquet")
    cli("train", *words, "-o", second, *alone, "--interactions", tmp_path / "parts" / "validation.parquet", "--from", first,
        "--set", f"train.epochs={epochs}")
    files = {"config", "run_log", "info"}
    assert sections(cli, second, files) == sections(cli, whole, files) != sections(cli, first, files)


def test_a_part_with_nothing_new_in_it_is_refit_anew(cli, config, world, tmp_path):
    log = pq.read_table(world / "interactions.parquet").sort_by("ts").to_pylist()
    end = log[-1]["ts"] - __import__("datetime").timedelta(days=30)
    had = {}
    for row in log:
        if row["ts"] > end:
            row["item_id"] = had.get(row["user_id"], row["item_id"])
        had.setdefault(row["user_id"], row["item_id"])
    log = [row for row in log if row["ts"] <= end or row["item_id"] == had[row["user_id"]]]
    pq.write_table(pa.Table.from_pylist(log), tmp_path / "log.parquet")
    cli("train", "-c", config, "-o", tmp_path / "m.pagoda", *ALL, "--set", f"data.interactions=['{tmp_path}/log.parquet']",
        "--set", "train.refit_by=going_on", "--set", "train.repeats=skip", says=["going on with the validation part", "training on all"])


@pytest.mark.parametrize("by, epochs", [("anew", 3), ("going_on", 12)])
def test_killed_in_any_phase_and_resumed_to_the_same_bits(cli, config, tmp_path, by, epochs):
    extra = (*ALL, "--set", "model.dropout=0.1", "--set", "train.checkpoint_seconds=0", "--set", f"train.refit_by={by}")
    whole = tmp_path / "whole.pagoda"
    cli("train", "-c", config, "-o", whole, *extra)
    lines = (tmp_path / "whole.pagoda.run" / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert len(steps) == 3 + 2 * epochs and steps == sorted(set(steps)), "three phases, counted on"
    model = tmp_path / "killed.pagoda"
    log = tmp_path / "killed.pagoda.run" / "metrics.jsonl"
    kills = 0
    for records in (1, 4, 3 + epochs - 1, 3 + epochs + 1, 3 + 2 * epochs - 1):  # of all phases
        process = subprocess.Popen([cli.binary, *map(str, ["train", "-c", config, "-o", model, *extra, "--resume"])],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (log.is_file() and log.read_bytes().count(b"\n") >= records):
            pass
        process.kill()
        process.wait()
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 4
    cli("train", "-c", config, "-o", model, *extra, "--resume")
    assert sections(cli, model, {"run_log"}) == sections(cli, whole, {"run_log"})
    assert sections(cli, judged_of(model), {"run_log"}) == sections(cli, judged_of(whole), {"run_log"})
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(r["step"], r["loss"]) for r in told] == [(r["step"], r["loss"]) for r in map(json.loads, lines)]


@pytest.fixture
def stopped(cli, config, world, tmp_path):
    """The words of a run that was stopped, on a log of its own."""
    log = tmp_path / "log.parquet"
    shutil.copy(world / "interactions.parquet", log)
    words = ["train", "-c", config, "-o", tmp_path / "m.pagoda", "--set", f"data.interactions=['{log}']", "--set", "train.epochs=500",
             "--set", "train.patience=500", "--set", "train.refit=all", "--resume"]
    process = subprocess.Popen([cli.binary, *map(str, words)], stderr=subprocess.PIPE)
    metrics = tmp_path / "m.pagoda.run" / "metrics.jsonl"
    while process.poll() is None and not (metrics.is_file() and metrics.read_bytes().count(b"\n") >= 1):
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    return words, log


def test_resume_says_what_of_the_data_changed(cli, stopped):
    words, log = stopped
    before = log.read_bytes()
    table = pq.read_table(log)
    pq.write_table(table.slice(0, table.num_rows - 7), log)
    cli(*words, code=2, says=[f"the log has {table.num_rows - 7} rows, had {table.num_rows}", "log.parquet is of", "without --resume"])
    pq.write_table(pa.concat_tables([table.slice(1), table.slice(0, 1)]), log)
    cli(*words, code=2, says=f"the log has as many rows, {table.num_rows}, but other ones")
    log.write_bytes(before)
    process = subprocess.Popen([cli.binary, *map(str, words)], stderr=subprocess.PIPE)  # as it was: it goes on
    first = process.stderr.readline()
    process.kill()
    said = first + process.communicate()[1]
    assert b"error" not in said


def test_resume_says_what_of_the_config_changed(cli, stopped):
    words, _ = stopped
    cli(*words, "--set", "train.learning_rate=0.05", "--set", "train.refit=validation", code=2,
        says=["train.learning_rate is 0.05, was 0.1", 'train.refit is true, was "all"', "without --resume"])
