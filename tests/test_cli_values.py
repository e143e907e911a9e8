"""A value is one value, exactly, whatever format holds it: in the log, the item table, filters and requests."""

import csv
import decimal
import json

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

ITEMS = 12
BIG = [9007199254740990 + i for i in range(ITEMS)]  # around 2^53
HUGE = [2**64 - 1 - i for i in range(ITEMS)]
PRICE = [decimal.Decimal(n).scaleb(-2) for n in (35, 999, 10, 20, 70, 2000, 200, 1, 0, -35, 58, 29)]  # 0.58 and 0.29 are no doubles
TYPES = {"item_id": pa.string(), "big": pa.int64(), "huge": pa.uint64(), "price": pa.decimal128(10, 2), "weight": pa.float32(),
         "flag": pa.bool_()}
FORMATS = ["csv", "tsv", "jsonl", "parquet", "arrow"]


def write(path, rows, types):
    """Rows as a file of the path's format, its numbers as that format writes them."""
    names = list(rows[0])
    kind = path.suffix[1:]
    if kind in ("csv", "tsv"):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, names, delimiter="," if kind == "csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "jsonl":
        def text(value):
            return json.dumps(value) if isinstance(value, (str, bool)) or value is None else str(value)
        path.write_text("".join("{" + ", ".join(f'"{key}": {text(value)}' for key, value in row.items()) + "}\n" for row in rows))
    else:
        table = pa.table({name: pa.array([row[name] for row in rows], types[name]) for name in names})
        pq.write_table(table, path) if kind == "parquet" else pa.feather.write_feather(table, path)
    return path


def items():
    return [{"item_id": f"i{i}", "big": BIG[i], "huge": HUGE[i], "price": PRICE[i], "weight": (9.99, 0.1)[i % 2], "flag": i % 3 == 0}
            for i in range(ITEMS)]


def log(slot):
    """Whoever is in slot 2 takes even items, others odd ones."""
    rows = [{"user_id": f"u{u}", "item_id": f"i{(2 * (u + n) + (u % 3 == 2)) % ITEMS}", "ts": 1700000000 + 86400 * n + u, "slot": slot(u % 3)}
            for u in range(40) for n in range(5)]
    return rows


def train(cli, folder, interactions, table, *more):
    model = folder / "m.pagoda"
    cli("train", "--interactions", interactions, "--user", "user_id", "--item", "item_id", "--time", "ts", "--items", table,
        "--set", "data.split.kind=leave_last", "--set", "train.epochs=1", "--set", "train.batch=64", *more, "-o", model)
    return model


def found(cli, model, expression):
    done = cli("retrieve", model, "--users", "-", "--k", 100, "--filter", expression, stdin="stranger\n")
    return {int(item[1:]) for item in json.loads(done.stdout)["items"]}


@pytest.mark.parametrize("kind", FORMATS)
def test_filters_compare_numbers_exactly_whatever_the_format(cli, tmp_path, kind):
    write(tmp_path / "log.csv", log(str), {})
    model = train(cli, tmp_path, tmp_path / "log.csv", write(tmp_path / f"items.{kind}", items(), TYPES))
    rows = range(ITEMS)
    for expression, expected in [
            ("big = 9007199254740993", {3}), ("big = '9007199254740993'", {3}), ("big > 9007199254740992", set(rows) - {0, 1, 2}),
            ("big in (9007199254740993, 9007199254740995.0)", {3, 5}), ("big != 9007199254740992", set(rows) - {2}),
            ("huge = 18446744073709551615", {0}), ("huge >= 18446744073709551614", {0, 1}), ("huge in ('18446744073709551613')", {2}),
            ("price = 0.35", {0}), ("price <= 0.35", {i for i in rows if PRICE[i] <= decimal.Decimal("0.35")}),
            ("price > 0.35", {i for i in rows if PRICE[i] > decimal.Decimal("0.35")}), ("price in (0.58, 0.290)", {10, 11}),
            ("price = 20", {5}), ("price < 0", {9}), ("weight = 0.1", {i for i in rows if i % 2}),
            ("weight >= 9.99", {i for i in rows if not i % 2}), ("weight < 0.11", {i for i in rows if i % 2}),
            ("flag", {i for i in rows if i % 3 == 0}), ("flag = 'TRUE'", {i for i in rows if i % 3 == 0}), ("big is null", set())]:
        assert found(cli, model, expression) == expected, expression


# What a log may hold of the slot 2, and how its format spells it.
SLOTS = {"csv": lambda s: f"{s}.0", "tsv": lambda s: f"0{s}", "jsonl": lambda s: float(s), "parquet": lambda s: float(s), "arrow": lambda s: s}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_context_is_one_value_however_it_is_spelled(cli, tmp_path, kind):
    types = {"user_id": pa.string(), "item_id": pa.string(), "ts": pa.int64(),
             "slot": pa.decimal128(3, 1) if kind == "arrow" else pa.float64()}
    write(tmp_path / "items.csv", items(), {})
    (tmp_path / "c.toml").write_text('[data]\ncontext = ["slot"]\n[[user.features]]\ncolumn = "slot"\n')
    model = train(cli, tmp_path, write(tmp_path / f"log.{kind}", log(SLOTS[kind]), types), tmp_path / "items.csv",
                  "-c", tmp_path / "c.toml")

    def scores(slot):
        done = cli("retrieve", model, "--users", "-", "--k", 3, stdin=f'{{"user": "u1", "context": {{"slot": {slot}}}}}\n')
        return json.loads(done.stdout)["scores"]

    two = scores("2")
    for spelling in ("2.0", '"2"', '"2.0"', "2e0", '"02"'):
        assert scores(spelling) == two, spelling
    assert scores("1") != two and scores("17") != two


def test_requests_and_answers_carry_numbers_exactly(cli, serve, tmp_path):
    write(tmp_path / "log.csv", log(str), {})
    model = train(cli, tmp_path, tmp_path / "log.csv", write(tmp_path / "items.parquet", items(), TYPES))

    def upsert(server, attributes):
        return server.call("POST", "/v1/items:upsert", f'{{"items": [{{"item": "new", "attributes": {attributes}}}]}}')[1]

    with serve(model) as server:
        upsert(server, '{"flag": true, "big": 9007199254740993, "huge": 18446744073709551615, "price": 0.350, "weight": 0.10000000149011612}')
        connection = server.connection()
        connection.request("POST", "/v1/retrieve", json.dumps({"filter": "flag", "k": 100, "attributes": ["big", "huge", "price", "weight"]}))
        shown = connection.getresponse().read().decode()
        connection.close()
        assert '{"big": 9007199254740993, "huge": 18446744073709551615, "price": 0.35, "weight": 0.1}' in shown
        for expression in ("big = 9007199254740993", "huge = 18446744073709551615", "price = 0.35", "weight = 0.1"):
            assert "new" in server.post("/v1/retrieve", {"filter": expression, "k": 100})["items"], expression
        assert "a whole number of 64 bits" in upsert(server, '{"big": 9223372036854775808}')["error"]["message"]
        assert "'big' occurs twice" in upsert(server, '{"big": 1, "big": 2}')["error"]["message"]
    with serve(model) as server:  # from the journal
        assert "new" in server.post("/v1/retrieve", {"filter": "big = 9007199254740993 and huge = 18446744073709551615", "k": 100})["items"]
    done = cli("retrieve", model, "--users", "-", stdin='{"user": 18446744073709551620}\n{"user": "u1", "history": ["i1"], "history": []}\n', code=3)
    assert "<stdin>:2" in done.stderr or ":2" in done.stderr
    assert "the key 'history' occurs twice" in done.stderr
