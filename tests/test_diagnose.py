"""`pagoda diagnose` measures a log, says which negatives it needs, and what it prints can be pasted into a config."""

import gzip
import json
import random
import re

import pytest

USAGE, INPUT = 2, 3


def write_log(path, rows):
    path.write_text("user_id,item_id,ts\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows))


@pytest.fixture(scope="module")
def skewed():
    """3,000 clicks of 100 users on 200 items, item n about as often as 1/n; the last 20 items appear in the last tenth."""
    rng = random.Random(1)
    items = list(range(180))
    weights = [1 / (n + 1) for n in items]
    rows = []
    for n in range(3000):
        late = n >= 2700 and rng.random() < 0.3
        item = rng.randrange(180, 200) if late else rng.choices(items, weights)[0]
        rows.append((f"u{rng.randrange(100)}", f"i{item}", 1_700_000_000 + 3600 * n))
    return rows


@pytest.fixture
def log(tmp_path, skewed):
    write_log(tmp_path / "clicks.csv", skewed)
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},The story {n}\n" for n in range(260)))
    return tmp_path


def figures(cli, folder, *words):
    return json.loads(cli("diagnose", *words, "--json", "-", cwd=folder).stdout)


def test_figures_are_those_of_the_log(cli, log, skewed):
    seen = figures(cli, log, "clicks.csv", "--items", "items.csv", "--batch", 100)
    counts = sorted((sum(1 for _, i, _ in skewed if i == f"i{n}") for n in range(260)), reverse=True)
    assert (seen["rows"], seen["users"], seen["items"]) == (3000, 100, 260)
    assert seen["items_never_clicked"] == counts.count(0)
    assert seen["items_below_5_clicks"] == sum(1 for c in counts if c < 5)
    assert seen["popularity"]["top_1_percent"] == pytest.approx(sum(counts[:3]) / 3000)
    assert seen["popularity"]["top_20_percent"] == pytest.approx(sum(counts[:52]) / 3000)
    assert seen["effective_negatives"]["in_batch"]["items"] == pytest.approx(3000**2 / sum(c * c for c in counts))
    assert seen["items_absent_from_epoch"] == pytest.approx(counts.count(0))  # 30 whole batches
    buckets = seen["popularity"]["by_item_popularity"]
    assert [b["items"] for b in buckets] == [3, 10, 39, 78, 130]
    assert sum(b["clicks"] for b in buckets) == 3000
    assert 0.05 < seen["drift"]["unseen_items_click_share"][-1] < 0.5
    assert len(seen["drift"]["total_variation_to_next"]) == 9


def test_expectations_agree_with_shuffled_epochs(cli, log, skewed):
    seen = figures(cli, log, "clicks.csv", "--batch", 150)
    rng = random.Random(2)
    rows = [(u, i) for u, i, _ in skewed]
    hits = different = absent = batches = 0
    epochs = 12
    for _ in range(epochs):
        rng.shuffle(rows)
        epoch = set()
        for at in range(0, 3000, 150):
            batch = rows[at:at + 150]
            positives = {}
            for user, item in batch:
                positives.setdefault(user, set()).add(item)
            hits += sum(item in positives[user] for user, _ in batch for _, item in batch) - len(batch)
            different += len({i for _, i in batch})
            batches += 1
    assert seen["accidental_hits"] == pytest.approx(hits / batches / (150 * 149), rel=0.03)
    assert seen["items_in_batch"] == pytest.approx(different / batches, rel=0.02)


def test_the_table_shows_the_figures_and_advice_that_names_them(cli, log):
    done = cli("diagnose", "clicks.csv", "--items", "items.csv", cwd=log)
    seen = figures(cli, log, "clicks.csv", "--items", "items.csv")
    for words in ("3,000", "260", "top 20%", "bottom 50%", "█", "accidental hits", "by chance alone", "negatives to take",
                  "negatives to leave out", "start with"):
        assert words in done.stdout
    assert "users by 'user_id', items by 'item_id', times by 'ts'" in done.stderr
    share = f"{100 * seen['popularity']['top_20_percent']:.0f}%"
    [correction] = [a["text"] for a in seen["advice"] if a["subject"] == "correction"]
    assert f"hot items hold {share} of the clicks" in correction
    [uniform] = [a["text"] for a in seen["advice"] if a["subject"] == "uniform"]
    assert f"{seen['items_never_clicked']} of 260 items were never clicked" in uniform


def test_blocks_are_sections_of_a_config_that_trains(cli, log):
    seen = figures(cli, log, "clicks.csv", "--items", "items.csv")
    assert [b["title"] for b in seen["blocks"]] == ["the exact softmax", "sampled negatives"]
    for block in seen["blocks"]:
        (log / "pagoda.toml").write_text('[data]\ninteractions = ["clicks.csv"]\nitems = "items.csv"\ntime = "ts"\n'
                                         'split = { kind = "time", validation = "5d", test = "5d" }\n\n' + block["toml"] +
                                         "\n[train]\nepochs = 1\nbatch = 64\n[model]\ndim = 8\n")
        cli("train", "-c", "pagoda.toml", "-o", "m.pagoda", cwd=log)
        (log / "m.pagoda").unlink()


def test_a_config_says_what_to_read_and_its_test_part_is_not_looked_at(cli, log, skewed):
    (log / "pagoda.toml").write_text('[data]\ninteractions = ["clicks.csv"]\ntime = "ts"\n'
                                     'split = { kind = "time", validation = "5d", test = "5d" }\n[train]\nbatch = 77\n')
    seen = figures(cli, log, "-c", "pagoda.toml")
    last = max(t for _, _, t in skewed)
    assert seen["rows"] == sum(t <= last - 5 * 86400 for _, _, t in skewed)
    assert seen["batch"] == 77
    assert figures(cli, log, "-c", "pagoda.toml", "--batch", 50)["batch"] == 50


def test_with_rows_of_users_a_batch_is_measured_by_its_targets(cli, log):
    (log / "pagoda.toml").write_text('[data]\ninteractions = ["clicks.csv"]\nsplit = { kind = "random", validation = "0.1", test = "0.1" }\n'
                                     '[train]\nrows = "user"\nbatch = 10\n')
    seen = figures(cli, log, "-c", "pagoda.toml")
    assert seen["batch"] == int(10 * seen["rows"] / seen["users"] / 2)


def test_columns_by_name_and_every_format(cli, tmp_path, skewed):
    (tmp_path / "x.csv").write_text("when,what,who\n" + "".join(f"{t},{i},{u}\n" for u, i, t in skewed))
    named = figures(cli, tmp_path, "x.csv", "--user", "who", "--item", "what", "--time", "when")
    lines = {}
    for user, item, _ in skewed:
        lines.setdefault(user, []).append(item)
    with gzip.open(tmp_path / "train.txt.gz", "wt") as file:
        file.writelines(" ".join([user, *items]) + "\n" for user, items in lines.items())
    listed = figures(cli, tmp_path, "train.txt.gz")
    (tmp_path / "log.data").write_text((tmp_path / "x.csv").read_text())
    formatted = figures(cli, tmp_path, "log.data", "--format", "csv", "--user", "who", "--item", "what", "--time", "when")
    assert listed["drift"] is None and listed["accidental_hits_in_time_order"] is None
    for key in ("rows", "users", "items", "popularity", "accidental_hits", "effective_negatives"):
        assert named[key] == listed[key] == formatted[key]
    assert named["drift"] == formatted["drift"]


def test_a_json_file_stands_beside_the_table(cli, log):
    done = cli("diagnose", "clicks.csv", "--json", "d.json", cwd=log)
    assert "accidental hits" in done.stdout
    assert json.loads((log / "d.json").read_text())["rows"] == 3000


def test_the_same_log_gives_the_same_bytes(cli, log):
    assert cli("diagnose", "clicks.csv", cwd=log).stdout == cli("diagnose", "clicks.csv", cwd=log).stdout


# ---- logs at the edge


def test_a_catalogue_smaller_than_the_batch(cli, tmp_path):
    write_log(tmp_path / "c.csv", [(f"u{n % 50}", f"i{n * n % 7}", n) for n in range(600)])
    seen = figures(cli, tmp_path, "c.csv", "--batch", 300)
    assert seen["items"] < seen["batch"] == 300
    assert seen["uniform_count"] <= seen["items"] // 2
    assert seen["blocks"][0]["title"] == "the exact softmax"


def test_a_batch_longer_than_the_log_is_the_log_and_says_so(cli, tmp_path, skewed):
    write_log(tmp_path / "c.csv", skewed[:200])
    done = cli("diagnose", "c.csv", "--batch", 5000, cwd=tmp_path, says=["longer than the log", "200 rows"])
    assert re.search(r"batch of 200 ", done.stdout)


def test_one_user_has_hits_and_no_in_batch_negatives(cli, tmp_path):
    write_log(tmp_path / "c.csv", [("u", f"i{n}", n) for n in range(90)])
    seen = figures(cli, tmp_path, "c.csv")
    assert seen["accidental_hits"] == 1
    assert {a["subject"]: a["verdict"] for a in seen["advice"]}["in_batch"] == "leave_out"


def test_two_rows_are_enough(cli, tmp_path):
    write_log(tmp_path / "c.csv", [("u", "i", 1), ("v", "j", 2)])
    seen = figures(cli, tmp_path, "c.csv")
    absent = [key for key, value in seen.items() if value is None]  # a figure that is no number would be null too
    assert absent == ["accidental_hits_in_time_order", "drift"] and "null" not in json.dumps(seen["popularity"])


def test_a_single_item_is_refused(cli, tmp_path):
    write_log(tmp_path / "c.csv", [(f"u{n}", "i", n) for n in range(9)])
    cli("diagnose", "c.csv", cwd=tmp_path, code=INPUT, says="one item")


def test_a_single_row_is_refused(cli, tmp_path):
    write_log(tmp_path / "c.csv", [("u", "i", 1)])
    cli("diagnose", "c.csv", cwd=tmp_path, code=INPUT, says="one row")


def test_an_empty_file_and_a_header_only(cli, tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("user_id,item_id,ts\n")
    cli("diagnose", "empty.csv", cwd=tmp_path, code=INPUT, says="empty.csv")
    cli("diagnose", "header.csv", cwd=tmp_path, code=INPUT, says=["header.csv", "no rows"])


def test_a_missing_file_suggests_the_one_beside_it(cli, log):
    cli("diagnose", "click.csv", cwd=log, code=INPUT, says=["no such file", "did you mean 'clicks.csv'"])


def test_an_unknown_column_suggests_the_nearest(cli, log):
    cli("diagnose", "clicks.csv", "--item", "itm_id", cwd=log, code=INPUT, says=["no column 'itm_id'", "did you mean 'item_id'?"])
    cli("diagnose", "clicks.csv", "--time", "tss", cwd=log, code=INPUT, says=["no column 'tss'", "did you mean 'ts'?"])


def test_a_log_without_ids_names_its_columns_and_the_flags(cli, tmp_path):
    (tmp_path / "x.csv").write_text("temperature,pressure\n" + "".join(f"{n}.5,{n / 7:.4f}\n" for n in range(50)))
    cli("diagnose", "x.csv", cwd=tmp_path, code=INPUT, says=["temperature, pressure", "--user COLUMN --item COLUMN"])


def test_an_item_table_of_another_log_is_refused(cli, log):
    (log / "others.csv").write_text("item_id,title\n" + "".join(f"z{n},The story {n}\n" for n in range(9)))
    cli("diagnose", "clicks.csv", "--items", "others.csv", cwd=log, code=INPUT, says=["others.csv", "item_id, title"])


def test_bad_rows_are_counted_and_left_out(cli, log):
    with (log / "clicks.csv").open("a") as file:
        file.write("u1,,1700000000\nu1,i1,yesterday\n")
    done = cli("diagnose", "clicks.csv", "--json", "-", cwd=log, says=["clicks.csv:3002", "yesterday"])
    assert json.loads(done.stdout)["rows"] == 3000


@pytest.mark.parametrize("words, says", [
    ([], ["pagoda diagnose clicks.csv", "-c"]),
    (["clicks.csv", "--batch", "0"], ["--batch"]),
    (["clicks.csv", "--batch", "many"], ["--batch"]),
    (["clicks.csv", "--format", "cvs"], ["cvs", "csv"]),
    (["clicks.csv", "--itms", "items.csv"], ["--itms", "did you mean '--items'?"]),
])
def test_wrong_usage(cli, log, words, says):
    cli("diagnose", *words, cwd=log, code=USAGE, says=says)


def test_help_shows_examples(cli):
    text = cli("diagnose", "--help").stdout
    for words in ("Examples:", "pagoda diagnose clicks.csv.gz --items items.csv", "--batch", "--json", "--format"):
        assert words in text
