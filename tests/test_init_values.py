"""`pagoda init` tells by values what a column of a log means, asks what it is not sure of, and its config trains."""

import csv
import datetime
import json
import random
import shlex
import tomllib

import pytest
from test_init import init, run, trains

USERS, ITEMS, ROWS, START, DAY = 60, 40, 1500, 1_500_000_000, 86400


def log_of(**columns):
    """Rows of a log: for each column a function of (n, user, item, random)."""
    rng = random.Random(3)
    rows = []
    for n in range(ROWS):
        user, item = rng.randrange(USERS), rng.randrange(ITEMS)
        rows.append({name: cell(n, user, item, rng) for name, cell in columns.items()})
    return rows


def write(path, rows, separator=",", header=True):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=separator)
        if header:
            writer.writeheader()
        writer.writerows(rows)


def seconds(n, *_):
    return START + 100 * DAY * n // ROWS


def user(n, user, *_):
    return f"u{user}"


def item(n, user, item, *_):
    return f"i{item}"


def questions(said):
    return [line for line in said.splitlines() if line.removeprefix("pagoda: ").startswith("? ")]


def features(config, side):
    return {f["column"]: f["kind"] for f in config[side].get("features", [])}


def test_retailrocket_asks_which_event_is_a_positive(pagoda, tmp_path):
    event = lambda n, u, i, rng: rng.choices(["view", "addtocart", "transaction"], [90, 7, 3])[0]  # noqa: E731
    write(tmp_path / "events.csv", log_of(timestamp=lambda n, *_: seconds(n) * 1000 + 99, visitorid=lambda n, u, *_: u,
                                          event=event, itemid=lambda n, u, i, _: i,
                                          transactionid=lambda n, u, i, rng: n if n % 30 == 0 else ""))
    text, config, said = init(pagoda, tmp_path, "events.csv")
    data = config["data"]
    assert (data["user"], data["item"], data["time"], data["context"]) == ("visitorid", "itemid", "timestamp", [])
    [question] = questions(said)
    assert said.splitlines()[0] == question  # first
    assert "'event' says what happened (view 9" in question
    assert "--positive 'event in (\"transaction\", \"addtocart\")'" in question
    assert text.splitlines()[2].startswith("# ? 'event' says what happened")
    trains(pagoda, tmp_path)


@pytest.mark.parametrize("name", ["click", "is_click", "label", "target", "converted", "purchase"])
@pytest.mark.parametrize("words", [("0", "1"), ("false", "true")])
def test_a_column_of_0_and_1_is_the_answer(pagoda, tmp_path, name, words):
    write(tmp_path / "log.csv", log_of(user_id=user, item_id=item, ts=seconds, **{
        name: lambda n, u, i, rng: words[rng.random() < 0.4]}))
    _, config, said = init(pagoda, tmp_path, "log.csv")
    assert config["data"]["clicked"] == name
    assert config["data"]["context"] == [] and config["user"].get("features", []) == []
    assert f"'{name}' is taken for the answer" in questions(said)[0]
    if name == "label":
        trains(pagoda, tmp_path)
        (tmp_path / "pagoda.toml").unlink()
        _, config, said = init(pagoda, tmp_path, "log.csv", "--clicked", "")
        assert config["data"]["clicked"] == "" and "1500 rows" in said


def test_taobao_without_a_header_and_its_categories(pagoda, tmp_path):
    write(tmp_path / "UserBehavior.csv", log_of(
        user=lambda n, u, *_: 1 + u, item=lambda n, u, i, _: 2268318 + i, category=lambda n, u, i, _: 2520377 + i % 7,
        behavior=lambda n, u, i, rng: rng.choices(["pv", "cart", "fav", "buy"], [90, 5, 3, 2])[0], ts=seconds), header=False)
    _, config, said = init(pagoda, tmp_path, "UserBehavior.csv", "--no-header", "--columns",
                           "user_id,item_id,category_id,behavior_type,timestamp")
    assert config["data"]["items"] == "pagoda.items.csv"
    assert features(config, "item") == {"category_id": "categorical"}
    table = (tmp_path / "pagoda.items.csv").read_text().splitlines()
    assert table[0] == "item_id,category_id" and len(table) == 1 + ITEMS
    assert "pv 9" in questions(said)[0] and "--positive" in questions(said)[0]
    trains(pagoda, tmp_path)


def test_a_shop_with_attributes_of_items_and_users_and_a_context(pagoda, tmp_path):
    write(tmp_path / "log.csv", log_of(
        event_time=lambda n, *_: datetime.datetime.fromtimestamp(seconds(n), datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
        event_type=lambda n, u, i, rng: rng.choice(["view", "cart", "purchase"]), product_id=item,
        brand=lambda n, u, i, _: f"brand {i % 5}", price=lambda n, u, i, _: 1.5 * i,
        tags=lambda n, u, i, _: f"['a{i % 3}', 'b{i % 4}']", user_id=user, country=lambda n, u, *_: ["DE", "FR"][u % 2],
        device=lambda n, u, i, rng: rng.choice(["phone", "web"])))
    _, config, said = init(pagoda, tmp_path, "log.csv")
    assert features(config, "item") == {"brand": "categorical", "price": "numeric", "tags": "multi"}
    assert features(config, "user") == {"device": "categorical", "country": "categorical"}
    assert config["data"]["context"] == ["device"]
    assert (config["data"]["items"], config["data"]["users"]) == ("pagoda.items.csv", "pagoda.users.csv")
    assert "'device' is taken as context" in "\n".join(questions(said))
    trains(pagoda, tmp_path)
    # What is there is not written over, be it the config or a table.
    done = run(pagoda, tmp_path, "init", "log.csv", "-o", "pagoda.toml")
    assert done.returncode == 2
    (tmp_path / "pagoda.toml").unlink()
    done = run(pagoda, tmp_path, "init", "log.csv")
    assert done.returncode == 2 and "pagoda.items.csv exists" in done.stderr
    # A table of one's own takes the place of what the log holds.
    (tmp_path / "items.csv").write_text("product_id,brand\n" + "".join(f"i{n},b{n % 3}\n" for n in range(ITEMS)))
    (tmp_path / "pagoda.items.csv").unlink()
    (tmp_path / "pagoda.users.csv").unlink()
    _, config, said = init(pagoda, tmp_path, "log.csv", "--items", "items.csv", "--context", "")
    assert config["data"]["items"] == "items.csv" and config["data"]["context"] == []
    assert features(config, "item") == {"brand": "categorical"}
    assert not (tmp_path / "pagoda.items.csv").exists()
    assert "'brand', 'price', 'tags' of the log are the same in all rows of an item" in said


def test_amazon_reviews_give_stars_and_leave_out_what_came_after(pagoda, tmp_path):
    rows = log_of(
        overall=lambda n, u, i, rng: float(rng.randint(1, 5)), verified=lambda n, u, i, rng: rng.random() < 0.8,
        reviewerID=lambda n, u, *_: f"A{u:05}", asin=lambda n, u, i, _: f"B{i:06}",
        reviewText=lambda n, u, i, rng: "I like it " * rng.randint(1, 9), summary=lambda n, u, i, rng: rng.choice(["Good", "Bad"]),
        unixReviewTime=lambda n, *_: seconds(n) // DAY * DAY, vote=lambda n, u, i, rng: rng.choice([None, "2", "3"]))
    (tmp_path / "reviews.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text, config, said = init(pagoda, tmp_path, "reviews.json")
    data = config["data"]
    assert (data["user"], data["item"], data["time"], data["context"]) == ("reviewerID", "asin", "unixReviewTime", [])
    [question] = questions(said)
    assert "'overall' holds stars from 1 to 5" in question and "--positive 'overall >= 4'" in question
    assert text.count("known only after the click") >= 4
    trains(pagoda, tmp_path)


def test_a_clock_of_its_own_keeps_the_order_and_dislikes_are_asked_of(pagoda, tmp_path):
    write(tmp_path / "yambda.csv", log_of(
        uid=lambda n, u, *_: u, timestamp=lambda n, *_: (seconds(n) - START) // 5 * 5, item_id=lambda n, u, i, _: i,
        is_organic=lambda n, u, i, rng: rng.randint(0, 1), played_ratio_pct=lambda n, u, i, rng: rng.randint(0, 100),
        event_type=lambda n, u, i, rng: rng.choices(["listen", "like", "dislike"], [90, 5, 5])[0]))
    _, config, said = init(pagoda, tmp_path, "yambda.csv")
    assert (config["data"]["time"], config["data"]["time_unit"], config["data"]["weight"]) == ("timestamp", "s", "")
    assert config["data"]["split"]["kind"] == "time"
    asked = "\n".join(questions(said))
    assert config["data"]["positive"] == 'event_type != "dislike"'
    for words in ("--time ''", "All rows but those of dislike count alike now. --positive 'event_type = \"like\"'"):
        assert words in asked
    trains(pagoda, tmp_path)


def test_the_flags_that_answer_are_written_and_the_figures_go_by_them(pagoda, tmp_path):
    stars = lambda n, u, i, rng: 1 + n % 5  # noqa: E731
    write(tmp_path / "log.csv", log_of(user_id=user, item_id=item, ts=seconds, rating=stars,
                                       country=lambda n, u, i, rng: "DE" if n % 3 else "FR"))
    _, config, said = init(pagoda, tmp_path, "log.csv", "--positive", "rating >= 4", "--where", 'country = "DE"')
    data = config["data"]
    assert (data["positive"], data["where"], data["weight"]) == ("rating >= 4", 'country = "DE"', "")
    assert not any("rating" in question for question in questions(said))
    assert "log.csv: 400 rows" in said
    assert "600 rows are no positives, and count as shown" in said and "500 rows are left out by data.where" in said
    trains(pagoda, tmp_path)
    done = run(pagoda, tmp_path, "init", "log.csv", "--positive", "ratng >= 4", "-o", "x.toml")
    assert done.returncode != 0 and "ratng" in done.stderr and not (tmp_path / "x.toml").exists()
    done = run(pagoda, tmp_path, "init", "log.csv", "--positive", "rating >= 9", "-o", "x.toml")
    assert done.returncode == 3 and "no row is a positive" in done.stderr


@pytest.mark.parametrize("name, cell, kept", [
    ("event", lambda n, u, i, rng: ["view", "add to cart", 'buy "now"', "purchase"][n % 4], 750),
    ("Book-Rating", lambda n, u, i, rng: n % 11, 408), ("behavior_type", lambda n, u, i, rng: 1 + n % 4, 375),
    ("watch_ratio", lambda n, u, i, rng: n % 3 / 2, 1000)])
def test_the_flag_of_a_question_works_as_it_stands(pagoda, tmp_path, name, cell, kept):
    write(tmp_path / "log.csv", log_of(user_id=user, item_id=item, ts=seconds, **{name: cell}))
    _, config, said = init(pagoda, tmp_path, "log.csv")
    [question] = questions(said)
    flag = question[question.index("--positive"):question.index(" keeps")]
    _, config, said = init(pagoda, tmp_path, "log.csv", *shlex.split(flag), "-o", "answered.toml")
    config = tomllib.loads((tmp_path / "answered.toml").read_text())
    assert config["data"]["positive"] == shlex.split(flag)[1]
    assert f"log.csv: {kept} rows" in said and not questions(said)


def test_without_telling_names_it_asks_who_is_who(pagoda, tmp_path):
    write(tmp_path / "log.csv", log_of(a=user, b=item, c=seconds))
    _, config, said = init(pagoda, tmp_path, "log.csv")
    assert (config["data"]["user"], config["data"]["item"], config["data"]["time"]) == ("a", "b", "c")
    asked = "\n".join(questions(said))
    assert "users by 'a' and items by 'b'" in asked and "--user COLUMN and --item COLUMN" in asked
    assert "'c' is taken as time" in asked and "--time ''" in asked
    (tmp_path / "pagoda.toml").unlink()
    _, config, said = init(pagoda, tmp_path, "log.csv", "--user", "a", "--item", "b", "--time", "")
    assert config["data"]["time"] == "" and not questions(said)
