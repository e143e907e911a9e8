"""Splits that leave users to judge by, and what is said of few of them; the parts as files for other programs."""

import csv
import json
import random
import re

import pyarrow.parquet as pq
import pytest

START, HOUR, DAY = 1700000000, 3600, 86400
COLUMNS = ("--user", "user_id", "--item", "item_id", "--time", "ts")


def write_log(path, rows, header="user_id,item_id,ts"):
    path.write_text(header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def evening_log(path, users=300):
    """Users who rate a dozen items of their kind in one evening and never return, one after another."""
    draw = random.Random(3)
    rows = []
    for user in range(users):
        items = [user % 4 * 30 + n for n in draw.sample(range(30), 12)]
        rows += [(f"u{user}", f"i{item}", START + user * 6 * HOUR + n * 60) for n, item in enumerate(items)]
    return write_log(path, rows)


def test_users_who_never_return_are_judged_by_their_last_row(cli, tmp_path):
    log = evening_log(tmp_path / "log.csv")
    said = cli("init", log, "-o", tmp_path / "c.toml").stderr
    assert re.search(r"Split by each user's last row: the best cut in time leaves \d users to choose the model by and \d to "
                     r"judge it by, of 300: most do not come back later\. The last row of 300 users judges", said)
    assert 'kind = "leave_last"' in (tmp_path / "c.toml").read_text()
    said = cli("train", "--interactions", log, *COLUMNS, "--set", "train.epochs=1", "-o", tmp_path / "m.pagoda").stderr
    assert "Split by each user's last row" in said and "300 users to validate with" in said


def test_a_split_by_time_without_durations_is_sized_by_users(cli, tmp_path):
    rows = [(f"u{user}", f"i{(user * 7 + day) % 40}", START + day * DAY + user * 60) for day in range(0, 300, 3) for user in range(250)]
    write_log(tmp_path / "log.csv", rows)
    (tmp_path / "c.toml").write_text(
        f'[data]\ninteractions = ["{tmp_path}/log.csv"]\ntime = "ts"\nsplit = {{ kind = "time" }}\n[train]\nepochs = 1\n')
    said = cli("train", "-c", tmp_path / "c.toml", "-o", tmp_path / "m.pagoda").stderr
    found = re.search(r"split: the last (\d+d) are the test part, with 250 users to judge by, the (\d+d) before it validation, "
                      r"with 250 users", said)
    assert found
    again = cli("train", "-c", tmp_path / "c.toml", "--set", f"data.split.test={found[1]}", "--set",
                f"data.split.validation={found[2]}", "-o", tmp_path / "n.pagoda").stderr
    assert "split: the last" not in again
    rows_of = [json.loads(cli("inspect", tmp_path / name, "--json").stdout)["info"]["test_rows"] for name in ("m.pagoda", "n.pagoda")]
    assert rows_of[0] == rows_of[1]


def test_lists_sorted_by_plays_do_not_mislead(cli, tmp_path):
    """The file has each user's items from the most played; the test part was drawn at random."""
    draw = random.Random(9)
    train, test = [], []
    for user in range(300):
        items = sorted({min(int(draw.expovariate(0.02)), 199) for _ in range(40)})
        held = set(draw.sample(items, len(items) // 5))
        test += [(f"u{user}", item) for item in items if item in held]
        train += [(f"u{user}", item) for item in items if item not in held]
    write_log(tmp_path / "train.csv", train, "user_id,item_id")
    write_log(tmp_path / "test.csv", test, "user_id,item_id")
    (tmp_path / "c.toml").write_text(
        f'[data]\ninteractions = ["{tmp_path}/train.csv"]\nsplit = {{ kind = "given", test_files = ["{tmp_path}/test.csv"] }}\n')
    said = cli("split", "-c", tmp_path / "c.toml", "-o", tmp_path / "parts").stderr
    assert re.search(r"split: validation is drawn at random from each user's list, as the ends of the lists are not like the "
                     r"test part: by \w[\w ]+ they lie 0\.\d+ away from it, a random draw 0\.\d+", said)
    parts = {name: [tuple(row.values()) for row in csv.DictReader((tmp_path / "parts" / f"{name}.csv").open())]
             for name in ("train", "validation", "test")}
    assert sorted(parts["test"]) == sorted((u, str(i)) for u, i in test)
    assert sorted(parts["train"] + parts["validation"]) == sorted((u, str(i)) for u, i in train)
    mean = {name: sum(int(item) for _, item in rows) / len(rows) for name, rows in parts.items()}
    assert abs(mean["validation"] - mean["test"]) < 5, "drawn as the test part was"


def test_the_parts_are_written_for_other_programs(cli, tmp_path):
    rows = [(f"u{user}", 100 + (user * 3 + n * n) % 50, START + n * DAY + user, 0.5 + n, "app" if n % 2 else "web")
            for user in range(40) for n in range(10)]
    write_log(tmp_path / "log.csv", rows, "user_id,item_id,ts,w,device")
    (tmp_path / "c.toml").write_text(
        f'[data]\ninteractions = ["{tmp_path}/log.csv"]\ntime = "ts"\nweight = "w"\ncontext = ["device"]\n'
        'split = { kind = "time", validation = "1d", test = "2d" }\n')
    cli("split", "-c", tmp_path / "c.toml", "--format", "parquet", "-o", tmp_path / "parts", says="test.parquet: 80 rows")
    tables = {name: pq.read_table(tmp_path / "parts" / f"{name}.parquet").to_pylist() for name in ("train", "validation", "test")}
    assert [len(table) for table in tables.values()] == [280, 40, 80]
    row = tables["test"][0]
    assert list(row) == ["user_id", "item_id", "ts", "w", "device"]
    everything = sorted((r["user_id"], int(r["item_id"]), round(r["ts"].timestamp()), r["w"], r["device"])
                        for table in tables.values() for r in table)
    assert everything == sorted(rows)
    cli("split", "-c", tmp_path / "c.toml", "--set", 'data.split={kind="none"}', "-o", tmp_path / "no", code=2,
        says="holds nothing out")


@pytest.fixture(scope="module")
def few(cli, tmp_path_factory):
    """60 users to choose by."""
    folder = tmp_path_factory.mktemp("few")
    log = evening_log(folder / "log.csv", users=60)
    done = cli("train", "--interactions", log, *COLUMNS, "--set", "train.epochs=12", "--set", "train.patience=2", "--set",
               "data.split.kind=leave_last", "--set", "evaluate.k=[10]", "-o", folder / "m.pagoda")
    return folder, done.stderr


def test_few_users_to_choose_by_are_said_with_the_interval(few):
    _, said = few
    assert re.search(r"warning: 60 users are few to choose by: recall@10 = 0\.\d{4}, 95% interval 0\.\d{4} to \d\.\d{4}\. A "
                     r"longer data\.split\.validation has more", said)


def test_few_users_do_not_stop_at_what_may_be_chance(few):
    folder, said = few
    records = [json.loads(line) for line in (folder / "m.pagoda.run" / "metrics.jsonl").read_text().splitlines()]
    trainings = []  # epochs begin anew with each ratio of temperatures
    for r in records:
        if r["phase"] == "choose":
            trainings += [[]] if r["epoch"] == 1 else []
            trainings[-1].append(r["validation"]["recall@10"])
    assert len(trainings) == 2
    values = max(trainings, key=max)
    best = max(values)
    since = len(values) - 1 - values.index(best)
    assert len(values) == 12 or since > 2 or values[-1] < best - 1 / 60, "two evaluations alone do not end it"
    chosen = int(re.search(r"chosen: (\d+) epochs", said)[1])
    told = re.search(r"60 users cannot tell epochs (\d+) to (\d+) apart .*: the middle one of them is taken", said)
    assert chosen == values.index(best) + 1 or (told and int(told[1]) <= chosen <= int(told[2]))


def test_each_line_of_the_run_log_says_of_which_training_it_is(few):
    folder, said = few
    records = [json.loads(line) for line in (folder / "m.pagoda.run" / "metrics.jsonl").read_text().splitlines()]
    phases = [record["phase"] for record in records]
    refit = int(re.search(r"going on with the validation part for (\d+) epochs", said)[1])
    assert phases == ["choose"] * (len(phases) - 2 * refit) + ["judge"] * refit + ["ship"] * refit
    assert all(("validation" in record) == (record["phase"] == "choose") for record in records)


def test_the_last_epoch_being_the_best_is_said(cli, few, tmp_path):
    said = cli("train", "--interactions", few[0] / "log.csv", *COLUMNS, "--set", "train.epochs=2", "--set",
               "data.split.kind=leave_last", "--set", "train.learning_rate=0.003", "-o", tmp_path / "m.pagoda").stderr
    assert "was best at the last of 2 epochs: more train.epochs may be better" in said


def test_a_row_a_user(cli, few, tmp_path):
    cli("evaluate", few[0] / "m.pagoda", "--k", "5,10", "--json", tmp_path / "e.json", "--per-user", tmp_path / "users.parquet")
    figures = json.loads((tmp_path / "e.json").read_text())
    table = pq.read_table(tmp_path / "users.parquet").to_pydict()
    assert len(table["user_id"]) == len(set(table["user_id"])) == figures["users"] + figures["unknown_users"]["users"]
    assert list(table)[:5] == ["user_id", "history", "test_items", "hits@5", "hits@10"]
    known = [n for n, history in enumerate(table["history"]) if history > 0]
    assert len(known) == figures["users"]
    for name, value in figures["metrics"].items():
        assert sum(table[name][n] for n in known) / len(known) == pytest.approx(value), name
    for n in known:
        assert table["hits@10"][n] == pytest.approx(table["recall@10"][n] * table["test_items"][n])


def test_users_of_a_table_or_all_of_them(cli, few, tmp_path):
    folder = few[0]
    every = [json.loads(line)["user"] for line in
             cli("retrieve", folder / "m.pagoda", "--users", "all", "--k", 2).stdout.splitlines()]
    assert sorted(every) == sorted(f"u{n}" for n in range(60))
    of_log = [json.loads(line)["user"] for line in
              cli("retrieve", folder / "m.pagoda", "--users", f"{folder}/log.csv:user_id", "--k", 2).stdout.splitlines()]
    assert of_log == [f"u{n}" for n in range(60)], "each once"
    cli("retrieve", folder / "m.pagoda", "--users", f"{folder}/log.csv:customer", "--k", 2, code=3, says="customer")
    (tmp_path / "t.csv").write_text("who\nu1\nu2\nx1\n")
    cli("retrieve", folder / "m.pagoda", "--users", f"{tmp_path}/t.csv:who", "--k", 2, code=3,
        says=["1 of 3 users are unknown to the model: 'x1'", "--max-unknown 0.1 allows 0"])
    cli("retrieve", folder / "m.pagoda", "--users", f"{tmp_path}/t.csv:who", "--max-unknown", 0.5, "--k", 2,
        says="warning: 1 of 3 users are unknown")
    cli("retrieve", folder / "m.pagoda", "--users", "-", "--k", 2, stdin="x1\n", says="warning: 1 of 1 users are unknown")
