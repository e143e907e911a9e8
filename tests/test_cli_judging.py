"""What cannot be evaluated is reported and has no figure: no user to evaluate, repeats, another bundle, other test rows."""

import json
import random
import re
import shutil

import pytest

COLUMNS = ("--user", "user_id", "--item", "item_id", "--time", "ts")
QUICK = ("--set", "train.refit=validation", "--set", "train.epochs=2", "--set", "train.batch=64")
LAST = ("--set", "data.split.kind=leave_last")
START, DAY = 1700000000, 86400


def write_log(path, rows):
    path.write_text("user_id,item_id,ts\n" + "".join(f"{user},{item},{time}\n" for user, item, time in rows))
    return path


def train(cli, log, output, *more, **options):
    return cli("train", "--interactions", log, *COLUMNS, *QUICK, *more, "-o", output, **options)


def evaluate(cli, *words):
    done = cli("evaluate", *words, "--json", "-")
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def repeating(cli, tmp_path_factory):
    """300 rows of 4 users and 3 items: every last row is of an item that the user had before."""
    folder = tmp_path_factory.mktemp("repeating")
    log = write_log(folder / "log.csv", [(f"u{i % 4}", f"i{(i // 4) % 3}", START + i * 60) for i in range(300)])
    done = train(cli, log, folder / "m.pagoda", *LAST)
    return folder, done.stderr


@pytest.fixture(scope="module")
def ordinary(cli, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ordinary")
    draw = random.Random(1)
    rows = [(f"u{user}", f"i{item}", START + n * 3600) for user in range(60) for n, item in enumerate(draw.sample(range(80), 9))]
    train(cli, write_log(folder / "log.csv", rows), folder / "m.pagoda", *LAST)
    return folder


def test_where_nobody_can_be_judged_there_are_no_figures(cli, tmp_path):
    log = write_log(tmp_path / "log.csv", [(f"u{n}", f"i{n % 20}", START + n * DAY) for n in range(60)])
    by_time = ("--set", "data.split.kind=time", "--set", "data.split.validation=6d", "--set", "data.split.test=6d")
    said = train(cli, log, tmp_path / "m.pagoda", *by_time).stderr
    assert "0 users to validate with" in said
    assert "nobody can be judged on validation: none of the 6 users of the validation part has a row before it" in said
    assert "chosen: the last of 2 epochs, nobody could be judged" in said
    figures, said = evaluate(cli, tmp_path / "m.pagoda")
    assert "warning: nobody can be judged: none of the 6 user(s) of the test part has a row before it" in said
    assert figures["users"] == 0 and figures["unknown_users"]["users"] == 6 and figures["chosen_on"] == "fixed"
    assert figures["metrics"] and set(figures["metrics"].values()) == {None}
    for bucket in figures["by_item_popularity"] + [figures["zero_train_positives"]]:
        assert [value for name, value in bucket.items() if name.startswith("recall@")] == [None] * len(
            [name for name in bucket if name.startswith("recall@")])
    assert "0.0000" not in cli("evaluate", tmp_path / "m.pagoda").stdout
    assert re.search(r"recall@\d+ +-", cli("inspect", tmp_path / "m.pagoda").stdout)
    cli("report", tmp_path / "m.pagoda", "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert ">nan" not in page and ">0.0000<" not in page


def test_repeats_are_counted_and_said(cli, repeating):
    folder, said = repeating
    assert "nobody can be judged on validation: all validation items are items that their user had before" in said
    figures, said = evaluate(cli, folder / "m.pagoda")
    assert figures["repeats"] == "miss"
    assert {value for name, value in figures["metrics"].items() if name.startswith("recall")} == {0}
    assert figures["test_positives"] == figures["test_positives_in_history"] == 4
    assert "4 of 4 test items (100.0%) are items that their user had before" in said and "--repeats keep" in said


def test_repeats_can_be_kept(cli, repeating):
    folder, _ = repeating
    figures, said = evaluate(cli, folder / "m.pagoda", "--repeats", "keep", "--k", "1,3")
    assert figures["repeats"] == "keep" and figures["metrics"]["recall@3"] == 1, "three of three items are in each list"
    assert "count as misses" not in said
    by_config, _ = evaluate(cli, folder / "m.pagoda", "--set", "evaluate.repeats=keep", "--k", "1,3")
    assert by_config["metrics"] == figures["metrics"]
    said = train(cli, folder / "log.csv", folder / "kept.pagoda", *LAST, "--set", "evaluate.repeats=keep").stderr
    assert "nobody can be judged" not in said and "on validation); going on" in said
    assert evaluate(cli, folder / "kept.pagoda", "--k", "1,3")[0]["repeats"] == "keep"
    cli("evaluate", folder / "m.pagoda", "--repeats", "drop", code=2)


def test_lists_that_hold_most_of_the_catalogue_are_said_to_tell_little(cli, ordinary):
    said = evaluate(cli, ordinary / "m.pagoda", "--k", "1,100,1000")[1]
    items = json.loads(cli("inspect", ordinary / "m.pagoda", "--json").stdout)["info"]["items"]
    assert 2 < items < 200 and f"figures @100 and @1000 tell little: of {items} items such a list holds more than half" in said
    assert "tell little" not in evaluate(cli, ordinary / "m.pagoda", "--k", "1")[1]


def test_an_evaluation_leaves_the_bundle_alone(cli, ordinary, tmp_path):
    path = tmp_path / "m.pagoda"
    shutil.copy(ordinary / "m.pagoda", path)
    before = path.read_bytes()
    figures, _ = evaluate(cli, path)
    del figures["warnings"]  # of this command, not of the model
    assert path.read_bytes() == before
    assert json.loads((tmp_path / "m.pagoda.metrics").read_text()) == figures
    assert json.loads(cli("inspect", path, "--json").stdout)["metrics"] == figures
    # Of another model under the same name they are not shown.
    train(cli, ordinary / "log.csv", path, *LAST, "--set", "train.seed=2")
    assert "metrics" not in json.loads(cli("inspect", path, "--json").stdout)


def test_the_test_rows_have_a_fingerprint(cli, ordinary, tmp_path):
    figures, _ = evaluate(cli, ordinary / "m.pagoda")
    assert figures["test_rows"] == json.loads(cli("inspect", ordinary / "m.pagoda", "--json").stdout)["info"]["test_rows"]
    lines = (ordinary / "log.csv").read_text().splitlines()
    given = "\n".join([lines[0], *reversed(lines[9::9])]) + "\n"
    (tmp_path / "test.csv").write_text(given)
    assert evaluate(cli, ordinary / "m.pagoda", "--data", tmp_path / "test.csv")[0]["test_rows"] == figures["test_rows"]
    (tmp_path / "less.csv").write_text("\n".join(given.splitlines()[:-1]) + "\n")
    assert evaluate(cli, ordinary / "m.pagoda", "--data", tmp_path / "less.csv")[0]["test_rows"] != figures["test_rows"]


def test_a_weight_that_32_bits_do_not_hold_is_a_bad_row(cli, tmp_path):
    for weight in ("1e-60", "1e300", "0", "-1", "nan"):
        (tmp_path / "log.csv").write_text(f"user_id,item_id,w\nu1,i1,1\nu2,i2,{weight}\n")
        cli("train", "--interactions", tmp_path / "log.csv", "--user", "user_id", "--item", "item_id", "--weight", "w", "-o",
            tmp_path / "m.pagoda", code=3, says=["log.csv:3", "a finite number above 0 that 32 bits hold (1e-45 to 3.4e38)"])


def small_log(path, items=60):
    draw = random.Random(2)
    rows = []
    for user in range(300):
        taste = user % 6
        own = [f"i{taste * 10 + draw.randrange(10) if draw.random() < 0.8 else draw.randrange(items)}" for _ in range(10)]
        rows += [(f"u{user}", item, START + (user * 7 + n * 50) * 3600) for n, item in enumerate(own)]
    return write_log(path, rows)


def test_a_metric_that_can_not_tell_gives_way(cli, tmp_path):
    log = small_log(tmp_path / "log.csv")
    (tmp_path / "c.toml").write_text(f'[data]\ninteractions = ["{log}"]\ntime = "ts"\nsplit = {{ kind = "leave_last" }}\n')
    said = cli("train", "-c", tmp_path / "c.toml", *QUICK, "-o", tmp_path / "m.pagoda").stderr
    assert "recall@100 cannot tell models apart among 60 items" in said and "(recall@20 = " in said
    assert json.loads(cli("inspect", tmp_path / "m.pagoda", "--json").stdout)["info"]["chosen_by"] == "recall@20"


def test_train_by_flags_chooses_as_init_does(cli, tmp_path):
    log = small_log(tmp_path / "log.csv")
    cli("init", log, "-o", tmp_path / "p.toml")
    cli("train", "-c", tmp_path / "p.toml", "--set", "train.epochs=1", "-o", tmp_path / "a.pagoda")
    said = cli("train", "--interactions", log, *COLUMNS, "--set", "train.epochs=1", "-o", tmp_path / "b.pagoda").stderr
    assert "Split by each user's last row: the best cut in time leaves " in said
    a, b = (json.loads(cli("inspect", tmp_path / name, "--json").stdout)["config"] for name in ("a.pagoda", "b.pagoda"))
    assert a == b
    said = cli("train", "--interactions", log, *COLUMNS, *QUICK, "--set", "evaluate.k=[5]", "-o", tmp_path / "c.pagoda").stderr
    assert "recall@5 " in said and "batch = 64" not in said, "what is set stays"


def test_a_report_does_not_compare_figures_of_other_rows(cli, ordinary, tmp_path):
    for name, kind in (("a", "leave_last"), ("b", "random")):
        train(cli, ordinary / "log.csv", tmp_path / f"{name}.pagoda", "--set", f"data.split.kind={kind}")
        cli("evaluate", tmp_path / f"{name}.pagoda")
    both = (tmp_path / "a.pagoda", tmp_path / "b.pagoda")
    cli("report", *both, "-o", tmp_path / "r.html", says="not evaluated alike, so their figures cannot be compared. test rows")
    assert "change</th>" not in (tmp_path / "r.html").read_text()
    shutil.copy(both[0], tmp_path / "c.pagoda")
    cli("evaluate", tmp_path / "c.pagoda")
    assert "compared" not in cli("report", both[0], tmp_path / "c.pagoda", "-o", tmp_path / "r.html").stderr
    assert "change</th>" in (tmp_path / "r.html").read_text()


@pytest.fixture(scope="module")
def moody(cli, tmp_path_factory):
    """Each row is of an item of the mood of its moment, and a mood tells nothing about the next one."""
    folder = tmp_path_factory.mktemp("moody")
    draw = random.Random(7)
    rows = ["user_id,item_id,ts,mood"]
    for user in range(150):
        had = set()
        for n in range(12):
            mood = draw.randrange(2)
            item = draw.choice([i for i in range(40) if i not in had]) + 40 * mood
            had.add(item % 40)
            rows.append(f"u{user},i{item},{START + n * 3600 + user},{'low' if mood else 'high'}")
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    (folder / "c.toml").write_text("""
[data]
interactions = ["log.csv"]
time = "ts"
context = ["mood"]
split = { kind = "leave_last" }
[model]
dim = 8
[[user.features]]
column = "mood"
dim = 8
[train]
refit = "validation"
epochs = 12
batch = 64
rows = "interaction"
learning_rate = 0.1
""")
    cli("train", "-c", folder / "c.toml", "-o", folder / "m.pagoda")
    return folder


def test_a_user_is_judged_with_the_context_of_the_request(cli, moody):
    bundle = moody / "m.pagoda"
    last, _ = evaluate(cli, bundle, "--k", 20)
    request, _ = evaluate(cli, bundle, "--k", 20, "--context", "request")
    assert (last["context"], request["context"]) == ("last", "request") and last["test_rows"] == request["test_rows"]
    assert evaluate(cli, bundle, "--k", 20, "--context", "last")[0]["metrics"] == last["metrics"]
    assert evaluate(cli, bundle, "--k", 20, "--set", "evaluate.context=request")[0]["metrics"] == request["metrics"]
    assert request["metrics"]["recall@20"] > 1.3 * last["metrics"]["recall@20"], "the mood of the moment halves the catalogue"

    # What is judged is what a request with that context and time gets.
    cli("split", "-c", moody / "c.toml", "--format", "jsonl", "-o", moody / "parts")
    test = [json.loads(line) for line in (moody / "parts/test.jsonl").read_text().splitlines()]
    asked = "".join(json.dumps({"user": r["user_id"], "context": {"mood": r["mood"]}, "time": r["ts"]}) + "\n" for r in test)
    lists = map(json.loads, cli("retrieve", bundle, "--users", "-", "--k", 20, stdin=asked).stdout.splitlines())
    hits = sum(row["item_id"] in answer["items"] for row, answer in zip(test, lists))
    assert abs(request["metrics"]["recall@20"] - hits / len(test)) < 1e-12


def test_a_model_is_chosen_by_the_context_of_the_request(cli, moody):
    said = cli("train", "-c", moody / "c.toml", "--set", "evaluate.context=request", "--set", "train.epochs=2", "-o", moody / "r.pagoda")
    by_last = cli("train", "-c", moody / "c.toml", "--set", "train.epochs=2", "-o", moody / "l.pagoda")
    figures, _ = evaluate(cli, moody / "r.pagoda")
    assert figures["context"] == "request"
    logs = [[json.loads(line)["validation"] for line in (moody / f"{name}.pagoda.run/metrics.jsonl").read_text().splitlines()
             if "validation" in line] for name in "rl"]
    assert logs[0] and logs[0] != logs[1], (said.stderr, by_last.stderr)
    cli("evaluate", moody / "r.pagoda", "--json", moody / "r.json"), cli("evaluate", moody / "l.pagoda", "--json", moody / "l.json")
    cli("report", moody / "r.pagoda", moody / "l.pagoda", "-o", moody / "report.html")
    assert "were not evaluated alike" in (moody / "report.html").read_text()


def test_a_log_without_context_and_times_has_no_request_to_judge(cli, tmp_path):
    rows = [(f"u{u}", f"i{(u * 3 + n * n) % 20}") for u in range(30) for n in range(6)]
    (tmp_path / "log.csv").write_text("user_id,item_id\n" + "".join(f"{u},{i}\n" for u, i in rows))
    cli("train", "--interactions", tmp_path / "log.csv", "--user", "user_id", "--item", "item_id", *QUICK, *LAST, "-o", tmp_path / "m.pagoda")
    cli("evaluate", tmp_path / "m.pagoda", "--context", "request", says="neither times nor columns of data.context")
