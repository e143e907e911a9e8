"""Ids that one side has and the other lacks: of tables, of other data, of users who ask."""

import json

import pytest

INPUT = 3

LOG = "user_id,item_id,ts\n" + "".join(
    f"u{u},{(u * 7 + n * n) % 30:06d},{1700000000 + 86400 * n + u}\n" for u in range(40) for n in range(8))
FLAGS = ["--user", "user_id", "--item", "item_id", "--time", "ts", "--set", "data.split.kind=leave_last", "--set",
         "train.epochs=1", "--set", "train.batch=64"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "log.csv").write_text(LOG)
    return folder


@pytest.fixture(scope="module")
def train(cli, folder):
    def run(*words, **options):
        return cli("train", "--interactions", folder / "log.csv", *FLAGS, *words, "-o", folder / "m.pagoda", **options)

    return run


def table(folder, name, header, ids):
    (folder / name).write_text(header + "\n" + "".join(f"{i},Title {n}\n" for n, i in enumerate(ids)))
    return folder / name


def test_a_table_that_meets_the_log_says_so(folder, train):
    items = table(folder, "items.csv", "item_id,title", [f"{i:06d}" for i in range(30)] + ["new"])
    done = train("--items", items, says="items.csv: 30 of 30 items of the log are there (100.0%)")
    assert "not '" not in done.stderr


def test_a_table_without_the_leading_zeros_is_refused(folder, train):
    items = table(folder, "items.csv", "item_id,title", range(30))
    train("--items", items, code=INPUT,
          says=["items.csv: none of the 30 items of the log is there", "'000000'", "where it has '0', '1', '2'",
                "without leading zeros, 30 of them would be", "leave data.items out"])
    users = table(folder, "users.csv", "user_id,title", [f"user_{u}" for u in range(40)])
    train("--users", users, code=INPUT, says=["users.csv: none of the 40 users of the log", "without the prefix"])


def test_init_and_diagnose_say_in_which_spelling_a_table_would_meet(cli, folder):
    items = table(folder, "items.csv", "item_id,title", range(30))
    for words in (["init", folder / "log.csv", "-o", folder / "c.toml"], ["diagnose", folder / "log.csv"]):
        cli(*words, "--items", items, code=INPUT,
            says="such as '000000'; in column 'item_id', without leading zeros, 30 of them would be ('000000' is '0' there)")


def test_the_column_that_has_the_ids_is_named_and_works(folder, train):
    (folder / "two.csv").write_text("item_id,sku\n" + "".join(f"{i},{i:06d}\n" for i in range(30)))
    train("--items", folder / "two.csv", code=INPUT, says="its column 'sku' has 30 of them: set data.items_id = \"sku\"")
    train("--items", folder / "two.csv", "--set", 'data.items_id="sku"', says="30 of 30 items")


def test_a_table_that_has_few_of_them_is_a_warning(folder, train):
    items = table(folder, "few.csv", "item_id,title", [f"{i:06d}" for i in range(10)])
    train("--items", items, says="warning: " + str(items) + ": 10 of 30 items of the log are there (33.3%), not '0000")
    first = json.loads((folder / "m.pagoda.run" / "metrics.jsonl").read_text().splitlines()[0])
    assert any("10 of 30 items" in text for text in first["warnings"])


def test_other_data_to_test_with(folder, train):
    split = ["--set", f"data.split={{kind='given',test_files=['{folder}/june.csv']}}"]
    (folder / "june.csv").write_text("user_id,item_id,ts\nu1,3,1750000000\nu2,4,1750000001\n")
    train(*split, code=INPUT, says=["the catalogue: none of the 2 items of", "june.csv", "without leading zeros, 2 of"])
    (folder / "june.csv").write_text("user_id,item_id,ts\n1,000003,1750000000\n2,000004,1750000001\n")
    train(*split, says=["warning: the training part: none of the 2 users of", "'u1'", "without the prefix 'u'"])


def test_impressions_of_another_world(folder, train):
    source = ["--set", f"data.impressions=['{folder}/shown.csv']"]
    (folder / "shown.csv").write_text("user_id,item_id,ts\nu1,3,1700000000\n")
    train(*source, code=INPUT, says=["the catalogue: none of the 1 items of", "shown.csv", "leave data.impressions out"])


@pytest.fixture(scope="module")
def model(train, folder):
    train()
    return folder / "m.pagoda"


def test_a_model_judged_by_other_data(cli, model, folder):
    (folder / "june.csv").write_text("user_id,item_id,ts\nu1,3,1750000000\nu2,4,1750000001\n")
    cli("evaluate", model, "--data", folder / "june.csv", code=INPUT,
        says=["m.pagoda: none of the 2 items to judge by is there", "without leading zeros, 2 of them would be"])
    (folder / "june.csv").write_text("user_id,item_id,ts\nx1,000003,1750000000\n")
    done = cli("evaluate", model, "--data", folder / "june.csv", "--json", "-",
               says="warning: " + str(model) + ": none of the 1 users to judge")
    assert any("none of the 1 users to judge" in text for text in json.loads(done.stdout)["warnings"])


def test_unknown_users_are_counted(cli, model):
    users = "u1\nnobody\n" + '{"user": "u2"}\n' + '{"user": "new", "history": ["000001", "gone"]}\n' + "u3\n"
    done = cli("retrieve", model, "--users", "-", "--k", 3, stdin=users,
               says=["warning: 2 of 5 users are unknown to the model: 'nobody', 'new'; the answers of 1 use their lines, "
                     "the others get the answer for an unknown user",
                     "warning: 1 of 2 items of histories are not in the catalogue and are ignored: 'gone'"])
    assert [len(json.loads(line)["items"]) for line in done.stdout.splitlines()] == [3] * 5
    assert "unknown" not in cli("retrieve", model, "--users", "-", "--k", 3, stdin="u1\nu2\n").stderr
    cli("encode", model, "users", "--input", "-", "-o", str(model) + ".npy", stdin=users, says="2 of 5 users are unknown")


def test_max_unknown_fails_before_anything_is_written(cli, model, folder):
    out = folder / "c.jsonl"
    users = "u1\nx1\nx2\nu2\n"
    cli("retrieve", model, "--users", "-", "--max-unknown", 0.4, "-o", out, stdin=users, code=INPUT,
        says=["2 of 4 users are unknown to the model: 'x1', 'x2'", "--max-unknown 0.4 allows 1"])
    assert not out.exists()
    cli("retrieve", model, "--users", "-", "--max-unknown", 0.5, "-o", out, stdin=users)
    cli("retrieve", model, "--users", "-", "--most-unknown", 0.5, "-o", out, stdin=users)  # its former name
    assert out.exists()
    cli("retrieve", model, "--users", "-", "--max-unknown", 0, stdin="u1\n")
    cli("retrieve", model, "--users", "-", "--max-unknown", 7, stdin="u1\n", code=2)


def test_many_lines_of_nobody_are_an_error_of_their_own_accord(cli, model, folder):
    known, out = "".join(f"u{n}\n" for n in range(1, 9)), folder / "many.jsonl"
    cli("retrieve", model, "--users", "-", "-o", out, stdin=known + "x1\n")  # of fewer than ten lines anybody may be meant
    out.unlink()
    cli("retrieve", model, "--users", "-", "-o", out, stdin=known + "x1\nx2\n", code=INPUT,
        says=["2 of 10 users are unknown to the model: 'x1', 'x2'", "--max-unknown 0.1 allows 1", "--max-unknown 1 answers all of them"])
    assert not out.exists()
    told = known + 'x1\n{"user": "x2", "history": ["000001"]}\n{"user": "x3", "recent": ["000001"]}\n'
    cli("retrieve", model, "--users", "-", "-o", out, stdin=told, says="3 of 11 users are unknown to the model")
    cli("retrieve", model, "--users", "-", "-o", out, stdin=told + '{"user": "x4", "history": ["gone"]}\n', code=INPUT,
        says=["4 of 12 users are unknown to the model", "the lines of 2 say nothing else of them"])
    cli("retrieve", model, "--users", "-", "--max-unknown", 1, "-o", out, stdin=known + "x1\nx2\n")


def test_the_spelling_in_which_they_would_be_known_is_said(cli, model, folder):
    cli("retrieve", model, "--users", "-", stdin='1\n2\n{"user": "u3", "history": ["7"]}\n',
        says=["2 of 3 users are unknown to the model: '1', '2'; they get the answer for an unknown user; without the prefix 'u', 2 of "
              "them would be ('1' is 'u1' there)",
              "1 of 1 items of histories are not in the catalogue and are ignored: '7'; without leading zeros, 1 of "
              "them would be ('7' is '000007' there)"])
    cli("similar", model, "--items", "-", stdin="7\n", code=INPUT,
        says="item '7' is not in the catalogue of " + str(model) + "; without leading zeros, 1 of them would be")


def test_exclusions_and_empty_answers(cli, model, folder):
    (folder / "gone.txt").write_text("000001\nx\n")
    cli("retrieve", model, "--users", "-", "--exclude", folder / "gone.txt", stdin="u1\n",
        says="gone.txt: 1 of its 2 items are not in the catalogue and exclude nothing: 'x'")
    (folder / "all.txt").write_text("".join(f"{i:06d}\n" for i in range(30)))
    cli("retrieve", model, "--users", "-", "--exclude", folder / "all.txt", stdin="u1\nu2\n",
        says="warning: 2 of 2 answers are empty")


def test_nobody_to_answer_is_said(cli, model, folder):
    (folder / "empty.txt").write_text("\n")
    cli("retrieve", model, "--users", folder / "empty.txt", says="warning: " + str(folder / "empty.txt") + ": has no user")
    cli("similar", model, "--items", "-", stdin="", says="warning: stdin: has no item")
    cli("encode", model, "users", "--input", "-", "-o", folder / "e.npy", stdin="", says="warning: stdin: has no user, so no vector")


def test_values_that_training_has_not_seen(cli, world, config, tmp_path):
    cli("train", "-c", config, "--set", "train.epochs=1", "-o", tmp_path / "m.pagoda")
    cli("retrieve", tmp_path / "m.pagoda", "--users", "-", "--k", 3,
        stdin='{"user": "u1", "context": {"device": "toaster"}, "features": {"country": "Atlantis"}}\n',
        says="warning: 2 values are unknown to the model and are encoded as one rare value: 'device = toaster', "
             "'country = Atlantis'")


def test_an_unknown_letter_is_answered_with_the_known_ones(cli):
    cli("train", "-v", code=2, says="pagoda train has no option '-v'; known: -c, -h, -o, -q; see `pagoda train --help`")


def test_quiet_behind_the_command(cli, folder, train):
    for word in ("-q", "--quiet"):
        assert all(line.startswith("warning: ") for line in train(word).stderr.splitlines())
    cli("simulate", "world", "-q", "--interactions", 1000, "-o", folder / "world")


def test_blanks_around_ids_are_kept_and_said(cli, folder):
    (folder / "blanks.csv").write_text(LOG + 'u1 ,000001,1700000000\n" u2",000002,1700000001\n"new\u00a0",000003,1700000002\n')
    cli("train", "--interactions", folder / "blanks.csv", *FLAGS, "-o", folder / "b.pagoda",
        says=["blanks.csv: column 'user_id': 3 ids have blanks around them and are kept as they are: 'u1 ' is not 'u1'; "
              "2 of them also occur without blanks"])
