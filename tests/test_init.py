"""`pagoda init` proposes a config that says what it saw, reads back as TOML, and trains."""

import gzip
import os
import random
import subprocess
import tomllib

import pyarrow
import pyarrow.parquet
import pytest

USERS, ITEMS, ROWS, DAY = 60, 40, 1500, 86400
START = 1_700_000_000


def run(pagoda, folder, *arguments):
    return subprocess.run([os.path.abspath(pagoda), *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=120)


def init(pagoda, folder, *arguments):
    """The text of the config that init writes, and what it says."""
    done = run(pagoda, folder, "init", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    text = (folder / "pagoda.toml").read_text()
    return text, tomllib.loads(text), done.stderr


def trains(pagoda, folder):
    done = run(pagoda, folder, "train", "-c", "pagoda.toml", "--set", "train.epochs=1", "--set", "model.dim=8", "-o", "m.pagoda")
    assert done.returncode == 0, done.stderr
    assert (folder / "m.pagoda").is_file()


def log_rows(days=100):
    rng = random.Random(1)
    return [{"user_id": f"u{rng.randrange(USERS)}", "item_id": f"i{rng.randrange(ITEMS)}",
             "ts": START + days * DAY * n // ROWS, "device": rng.choice(["phone", "desktop"])} for n in range(ROWS)]


def write_csv(path, rows):
    lines = [",".join(rows[0])] + [",".join(str(v) for v in row.values()) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def write_items(path):
    path.write_text("item_id,title,genres,price,released,play_count\n" + "".join(
        f"i{n},A story of {n} things,{['Crime|Drama', 'Comedy', 'Drama|Comedy'][n % 3]},{n * 1.5},20{n % 20:02}-05-01,{n * 7}\n"
        for n in range(ITEMS)))


@pytest.fixture
def shop(tmp_path):
    write_csv(tmp_path / "clicks.csv", log_rows())
    write_items(tmp_path / "items.csv")
    return tmp_path


def test_a_log_with_times_context_and_an_item_table_becomes_a_config_that_trains(pagoda, shop):
    text, config, said = init(pagoda, shop, "clicks.csv", "--items", "items.csv")
    data = config["data"]
    assert data["interactions"] == ["clicks.csv"]
    assert (data["user"], data["item"], data["time"], data["weight"]) == ("user_id", "item_id", "ts", "")
    assert (data["context"], data["items"], data["items_id"]) == (["device"], "items.csv", "")
    assert [(n["source"], n.get("items")) for n in config["sampling"]["negatives"]] == [("in_batch", None), ("uniform", None)]
    assert 'write items = "clicked" beside "uniform"' in text
    assert data["split"]["kind"] == "time"
    # Of a hundred days: as many users as a tenth of the rows has.
    assert data["split"]["validation"] == data["split"]["test"] == "14d"
    features = {f["column"]: f for f in config["item"]["features"]}
    assert {c: f["kind"] for c, f in features.items()} == {
        "title": "text", "genres": "multi", "price": "numeric", "released": "time"}
    assert features["genres"]["separator"] == "|"
    assert features["released"]["part"] == "age"
    assert [(f["column"], f["kind"]) for f in config["user"]["features"]] == [("device", "categorical")]
    assert config["item"]["hidden"] == config["user"]["hidden"] == [128]
    assert config["user"]["history"]["last"] > 0
    assert config["train"]["history"] == "others"
    # What suits a log that nobody tuned for, which is not what a config without these keys means.
    model, train = config["model"], config["train"]
    assert (model["combine"], model["dim"], config["user"]["history"]["table"]) == ("sum", 128, "shared")
    assert (train["optimizer"], train["final_rate"], train["half_life"]) == ("adam", 0.1, "auto")
    assert (train["repeats"], train["mask_history_items"]) == ("auto", True)

    # A person reads what was seen, why a column was left out, and what to do next, in the file and on the screen.
    for words in ("1500 rows, 60 users, 40 items", "joined by 'item_id', which holds 40 of the log's 40 items",
                  "'play_count' of items.csv is left out", "pagoda train -c pagoda.toml -o model.pagoda"):
        assert words in text
        assert words in said
    trains(pagoda, shop)


def test_a_short_log_is_cut_where_most_users_can_be_judged(pagoda, tmp_path):
    write_csv(tmp_path / "clicks.csv", log_rows(days=20))
    _, config, _ = init(pagoda, tmp_path, "clicks.csv")
    assert config["data"]["split"]["test"] == "3d"
    assert config["item"]["hidden"] == []  # a context alone needs no layers
    trains(pagoda, tmp_path)


def test_the_span_is_that_of_the_whole_log_not_of_the_sample(pagoda, tmp_path):
    rows = log_rows()
    filler = [{**rows[n % ROWS], "ts": START + n % DAY} for n in range(200_000)]
    write_csv(tmp_path / "clicks.csv", filler + rows * 10)
    text, config, _ = init(pagoda, tmp_path, "clicks.csv")
    assert config["data"]["split"]["kind"] == "time"
    assert "from 2023-11-14T22:13:20Z to 2024-02-2" in text


def test_lines_of_items_are_an_adjacency_file_and_its_test_file_is_the_test_part(pagoda, tmp_path):
    rng = random.Random(2)
    for name, n in (("train.txt.gz", 12), ("test.txt.gz", 3)):
        with gzip.open(tmp_path / name, "wt") as file:
            for user in range(USERS):
                file.write(" ".join(map(str, [user, *rng.sample(range(ITEMS), n)])) + "\n")
    _, config, _ = init(pagoda, tmp_path, "train.txt.gz")
    assert config["data"]["format"] == "adjacency"
    assert config["data"]["split"]["kind"] == "given"
    assert config["data"]["split"]["test_files"] == ["test.txt.gz"]
    assert config["train"]["history"] == "others"
    trains(pagoda, tmp_path)


def test_parquet_with_names_of_its_own_and_ratings_as_weights(pagoda, tmp_path):
    rows = log_rows()
    pyarrow.parquet.write_table(pyarrow.table({
        "customer": [r["user_id"] for r in rows], "product": [r["item_id"] for r in rows],
        "rating": [1 + n % 5 for n in range(ROWS)]}), tmp_path / "ratings.parquet")
    pyarrow.parquet.write_table(pyarrow.table({
        "sku": [f"i{n}" for n in range(ITEMS)], "tags": [["red", "blue"][: 1 + n % 2] for n in range(ITEMS)]}),
        tmp_path / "products.parquet")
    _, config, _ = init(pagoda, tmp_path, "ratings.parquet", "--items", "products.parquet")
    data = config["data"]
    assert (data["user"], data["item"], data["weight"], data["time"]) == ("customer", "product", "rating", "")
    assert (data["items"], data["items_id"]) == ("products.parquet", "sku")
    assert data["split"]["kind"] == "random"
    assert [(f["column"], f["kind"]) for f in config["item"]["features"]] == [("tags", "multi")]
    trains(pagoda, tmp_path)


def test_a_weight_of_zero_past_the_sample_is_no_weight(pagoda, tmp_path):
    rows = log_rows()
    good = [{**rows[n % ROWS], "rating": 1 + n % 5} for n in range(200_000)]
    write_csv(tmp_path / "clicks.csv", good + [{**rows[0], "rating": 0}])
    text, config, _ = init(pagoda, tmp_path, "clicks.csv")
    assert config["data"]["weight"] == ""
    assert "'rating' is no weight: 1 rows" in text


def test_a_config_that_is_there_is_not_overwritten(pagoda, shop):
    (shop / "pagoda.toml").write_text("# mine\n")
    done = run(pagoda, shop, "init", "clicks.csv")
    assert done.returncode == 2
    assert "pagoda.toml exists" in done.stderr and "-o" in done.stderr
    assert (shop / "pagoda.toml").read_text() == "# mine\n"


def test_a_log_without_ids_names_its_columns_and_the_way_out(pagoda, tmp_path):
    (tmp_path / "x.csv").write_text("temperature,pressure\n" + "".join(f"{n}.5,{n / 7:.4f}\n" for n in range(50)))
    done = run(pagoda, tmp_path, "init", "x.csv")
    assert done.returncode == 3
    for words in ("temperature, pressure", "--user", "data.item"):
        assert words in done.stderr
    assert not (tmp_path / "pagoda.toml").exists()


def test_an_item_table_of_another_log_is_refused(pagoda, shop):
    (shop / "others.csv").write_text("item_id,title\n" + "".join(f"z{n},The story {n}\n" for n in range(9)))
    done = run(pagoda, shop, "init", "clicks.csv", "--items", "others.csv")
    assert done.returncode == 3
    assert "others.csv" in done.stderr and "item_id, title" in done.stderr


def test_a_column_that_repeats_ids_is_not_what_a_table_is_joined_by(pagoda, tmp_path):
    write_csv(tmp_path / "clicks.csv", [{"user_id": n % USERS, "item_id": 1900 + n % ITEMS} for n in range(ROWS)])
    (tmp_path / "items.csv").write_text("code,year\n" + "".join(f"x{n},{1900 + n % ITEMS}\n" for n in range(200)))
    done = run(pagoda, tmp_path, "init", "clicks.csv", "--items", "items.csv")
    assert done.returncode == 3
    assert "code, year" in done.stderr


def write_ratings(path, separator="\t", header=None, rows=300):
    """Ratings as MovieLens has them: user, item, rating, seconds, and no header."""
    lines = [separator.join(map(str, (1 + n % 40, 100 + n * 7 % 30, 1 + n % 5, START + 9000 * n))) for n in range(rows)]
    path.write_text("\n".join(([header] if header else []) + lines) + "\n")


def test_a_log_without_a_header_is_named_by_its_values_and_otherwise_refused_with_a_remedy(pagoda, tmp_path):
    write_ratings(tmp_path / "u.tsv")
    text, config, said = init(pagoda, tmp_path, "u.tsv")
    assert config["data"]["columns"] == ["user_id", "item_id", "rating", "timestamp"]
    assert said.startswith("? u.tsv: its first line holds values and no names")
    (tmp_path / "pagoda.toml").unlink()
    done = run(pagoda, tmp_path, "train", "--interactions", "u.tsv", "-o", "m.pagoda")
    assert done.returncode == 3
    assert "u.tsv: its first line ('1', '100', '1', '1700000000') looks like data" in done.stderr
    settings = done.stderr.split("set ")[1].split(", or data.header")[0].split(" and ")
    assert settings == ["data.header = false", 'data.columns = ["user_id", "item_id", "rating", "timestamp"]']
    # In the words of the message, and by flags.
    for way in ([f"--set={setting}" for setting in settings],
                ["--no-header", "--columns", "user_id,item_id,rating,timestamp"]):
        (tmp_path / "pagoda.toml").unlink(missing_ok=True)
        text, config, _ = init(pagoda, tmp_path, *way, "u.tsv")
        data = config["data"]
        assert (data["header"], data["columns"]) == (False, ["user_id", "item_id", "rating", "timestamp"])
        assert (data["user"], data["item"], data["time"], data["weight"]) == ("user_id", "item_id", "timestamp", "rating")
        assert "300 rows, 40 users, 30 items" in text
    trains(pagoda, tmp_path)
    done = run(pagoda, tmp_path, "train", "--interactions", "u.tsv", "--user", "1", "--item", "100", "-o", "n.pagoda")
    assert done.returncode == 3 and "looks like data" in done.stderr


@pytest.mark.parametrize("separator", [";", "|", "::", "\t", "\x01"])
def test_a_log_with_another_separator_is_read_and_it_is_said(pagoda, tmp_path, separator):
    write_ratings(tmp_path / "log.csv", separator, header=separator.join(("user_id", "item_id", "rating", "ts")))
    text, config, said = init(pagoda, tmp_path, "log.csv")
    assert "300 rows, 40 users, 30 items" in text
    assert config["data"]["time"] == "ts"
    assert "between the cells" in said
    trains(pagoda, tmp_path)


def test_a_quoted_file_of_semicolons_and_a_table_of_its_own_form(pagoda, tmp_path):
    write_ratings(tmp_path / "log.csv", ";", header='"user_id";"item_id";"rating";"ts"')
    (tmp_path / "items.csv").write_text("".join(f"{100 + n}~Film {n} of many~-\n" if n % 9 == 0 else
                                                f"{100 + n}~Film {n} of many~{n}\n" for n in range(30)))
    form = ["--set=data.items_form.separator=~", "--set=data.items_form.header=false",
            '--set=data.items_form.columns=["item_id", "title", "minutes"]', "--set=data.items_form.null_values=[\"-\"]"]
    _, config, _ = init(pagoda, tmp_path, "log.csv", "--items", "items.csv", *form)
    told = {"separator": "~", "header": False, "columns": ["item_id", "title", "minutes"], "null_values": ["-"]}
    assert {key: config["data"]["items_form"][key] for key in told} == told
    assert {f["column"]: f["kind"] for f in config["item"]["features"]} == {"title": "text", "minutes": "numeric"}
    trains(pagoda, tmp_path)


def test_words_that_mean_missing_are_said_and_proposed(pagoda, tmp_path):
    rows = log_rows()
    for n, row in enumerate(rows):
        if n % 3 == 0:
            row["user_id"] = "nan"
        if n % 5 == 0:
            row["device"] = "N/A"
    write_csv(tmp_path / "log.csv", rows)
    text, config, said = init(pagoda, tmp_path, "log.csv", "--set", "data.on_bad_row=skip")
    assert config["data"]["null_values"] == ["nan"]
    assert "'nan' stands in 33.3% of 'user_id'" in said
    assert "'N/A' stands in 20.0% of 'device'" in said
    assert "500 rows have no user or no item" in said
    trains(pagoda, tmp_path)
    done = run(pagoda, tmp_path, "train", "--interactions", "log.csv", "--user", "user_id", "--item", "item_id",
               "--set", "train.epochs=1", "--set", "model.dim=8", "-o", "n.pagoda")
    assert done.returncode == 0
    assert "500 of 1500 rows (33.3%) hold 'nan', which usually means missing" in done.stderr
    assert 'set data.null_values = ["nan"]' in done.stderr


def test_flags_name_the_columns_and_a_wrong_one_is_named(pagoda, tmp_path):
    write_csv(tmp_path / "log.csv", [{"a": r["user_id"], "b": r["item_id"], "c": r["ts"]} for r in log_rows()])
    _, config, _ = init(pagoda, tmp_path, "log.csv", "--user", "b", "--item", "a", "--time", "c")
    assert (config["data"]["user"], config["data"]["item"], config["data"]["time"]) == ("b", "a", "c")
    done = run(pagoda, tmp_path, "init", "log.csv", "--user", "d", "-o", "other.toml")
    assert done.returncode == 2
    assert "--user d: log.csv has no such column" in done.stderr


def test_lists_in_cells_are_lists_and_no_ids(pagoda, tmp_path):
    write_csv(tmp_path / "log.csv", log_rows())
    (tmp_path / "items.csv").write_text("item_id,cast,vector\n" + "".join(
        f'i{n},"[{6285 + n % 7}, {194 + n % 3}]","[{", ".join(str(0.1 * (n + d)) for d in range(16))}]"\n' for n in range(ITEMS)))
    text, config, _ = init(pagoda, tmp_path, "log.csv", "--items", "items.csv")
    assert [(f["column"], f["kind"], f.get("separator", "")) for f in config["item"]["features"]] == [("cast", "multi", ""), ("vector", "vector", "")]
    assert "each cell is a vector of 16 numbers" in text
    trains(pagoda, tmp_path)
    (tmp_path / "lists.csv").write_text("user_id,item_id\n" + "".join(f'u{n},"[{n}, {n + 1}]"\n' for n in range(50)))
    for command in (["init", "lists.csv", "-o", "l.toml"],
                    ["train", "--interactions", "lists.csv", "--user", "user_id", "--item", "item_id", "-o", "l.pagoda"]):
        done = run(pagoda, tmp_path, *command)
        assert done.returncode == 3
        assert "explode('item_id')" in done.stderr


def test_what_is_said_of_a_file_is_said_once(pagoda, tmp_path):
    (tmp_path / "log.csv").write_text(",user_id,item_id,ts\n" + "".join(f"{n},u{n % 20},i{n % 13},{1700000000 + n}\n" for n in range(100)))
    text, _, _ = init(pagoda, tmp_path, "log.csv")
    assert text.count("header has no name for the column, which is named by its position") == 1
