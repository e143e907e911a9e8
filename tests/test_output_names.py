"""What a command writes is what its name and its format say: compressed, of that format, and readable again."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

USAGE, INPUT = 2, 3
SMALL = ["--set", "data.split.kind=leave_last", "--set", "train.epochs=1", "--set", "train.batch=64", "--set", "model.dim=8",
         "--set", "sampling.negatives.1.count=16"]
USERS = [4, -7, 9007199254740993, 12]


def train(cli, folder, user, item, name="m.pagoda"):
    """A model of a log with these columns of ids."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table({"user_id": user, "item_id": item, "ts": pa.array(range(len(user)), pa.int64())}), folder / "log.parquet")
    cli("train", "--interactions", folder / "log.parquet", "--time", "ts", *SMALL, "-o", folder / name)
    return folder / name


def columns(users, items, n=12):
    rows = [(user, items[(u * 5 + k * k) % len(items)]) for u, user in enumerate(users) for k in range(n)]
    return [row[0] for row in rows], [row[1] for row in rows]


@pytest.fixture(scope="module")
def model(cli, tmp_path_factory):
    users, items = columns(USERS, list(range(100, 117)))
    return train(cli, tmp_path_factory.mktemp("m"), pa.array(users, pa.int64()), pa.array(items, pa.int32()))


def lines(cli, model, *more):
    return cli("retrieve", model, "--users", "-", "--k", 3, *more, stdin="4\n-7\n")


def unpack(path):
    """The text of a compressed file."""
    with pa.input_stream(path, compression="zstd" if path.suffix == ".zst" else "gzip") as stream:
        return stream.read()


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_name_is_compressed_content(cli, model, tmp_path, ending):
    for form in ("tsv", "jsonl"):
        path = tmp_path / f"c.{form}{ending}"
        lines(cli, model, "-o", path)
        assert unpack(path).decode() == lines(cli, model, "--format", form).stdout
    cli("similar", model, "--items", "-", "--k", 2, "-o", tmp_path / f"s.tsv{ending}", stdin="100\n")
    assert unpack(tmp_path / f"s.tsv{ending}").startswith(b"100\t")
    cli("evaluate", model, "--json", tmp_path / f"e.json{ending}")
    assert "metrics" in json.loads(unpack(tmp_path / f"e.json{ending}"))
    cli("diagnose", model.parent / "log.parquet", "--json", tmp_path / f"d.json{ending}")
    assert json.loads(unpack(tmp_path / f"d.json{ending}"))["rows"] == 48
    cli("report", model, "-o", tmp_path / f"r.html{ending}")
    assert unpack(tmp_path / f"r.html{ending}").lower().startswith(b"<!doctype html")


@pytest.mark.parametrize("ending", [".bz2", ".xz", ".zip", ".lz4", ".7z"])
def test_other_compressions_are_refused_before_any_work(cli, model, tmp_path, ending):
    remedy = "text is compressed into .gz or .zst"
    lines_of = lambda *words: cli(*words, code=USAGE, says=remedy, stdin="4\n")  # noqa: E731
    lines_of("retrieve", model, "--users", "-", "-o", tmp_path / f"c.tsv{ending}")
    lines_of("retrieve", model, "--users", "-", "--format", "tsv", "-o", tmp_path / f"c{ending}")
    lines_of("evaluate", model, "--json", tmp_path / f"e.json{ending}")
    lines_of("diagnose", model.parent / "log.parquet", "--json", tmp_path / f"d.json{ending}")
    lines_of("report", model, "-o", tmp_path / f"r.html{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".gz", ".zst", ".zip"])
def test_what_is_never_compressed_is_refused_under_such_a_name(cli, model, tmp_path, ending):
    log = model.parent / "log.parquet"
    remedy = f"leave {ending} out of its name"
    cli("train", "--interactions", log, "--time", "ts", *SMALL, "-o", tmp_path / f"m.pagoda{ending}", code=USAGE, says=remedy)
    cli("index", model, "-o", tmp_path / f"m.pagoda{ending}", code=USAGE, says=remedy)
    cli("ensemble", model, model, "-o", tmp_path / f"m.pagoda{ending}", code=USAGE, says=remedy)
    cli("init", log, "-o", tmp_path / f"pagoda.toml{ending}", code=USAGE, says=remedy)
    cli("encode", model, "items", "-o", tmp_path / f"v.npy{ending}", code=USAGE, says=".npy, .fbin or .parquet")
    assert not list(tmp_path.iterdir())


def test_a_format_that_the_name_denies_is_refused(cli, model, tmp_path):
    for form, name in [("tsv", "c.parquet"), ("parquet", "c.tsv"), ("jsonl", "c.tsv.gz"), ("parquet", "c.jsonl")]:
        cli("retrieve", model, "--users", "-", "--format", form, "-o", tmp_path / name, stdin="4\n", code=USAGE,
            says="its name says another format than --format")
    cli("retrieve", model, "--users", "-", "-o", tmp_path / "c.parquet.gz", stdin="4\n", code=USAGE, says="leave .gz and .zst out")
    assert not list(tmp_path.iterdir())
    lines(cli, model, "--format", "tsv", "-o", tmp_path / "c.txt")
    lines(cli, model, "--format", "tsv", "-o", tmp_path / "c.dat")
    assert (tmp_path / "c.txt").read_text() == (tmp_path / "c.dat").read_text() == lines(cli, model, "--format", "tsv").stdout


def test_integers_come_out_as_integers(cli, model, tmp_path):
    info = json.loads(cli("inspect", model, "--json").stdout)["info"]
    assert (info["user_id_type"], info["item_id_type"]) == ("integer", "integer")
    assert "ids          of users integers, of items integers" in cli("inspect", model).stdout
    stdin = '9007199254740993\n{"history": ["100"]}\n'
    cli("retrieve", model, "--users", "-", "--k", 2, "-o", tmp_path / "c.parquet", stdin=stdin)
    table = pq.read_table(tmp_path / "c.parquet")
    assert table.schema.field("user").type == table.schema.field("item").type == pa.int64()
    assert table["user"].to_pylist() == [9007199254740993] * 2 + [None] * 2
    cli("similar", model, "--items", "-", "--k", 2, "-o", tmp_path / "s.parquet", stdin="100\n")
    similar = pq.read_table(tmp_path / "s.parquet")
    assert similar["item"].to_pylist() == [100, 100] and similar.schema.field("similar").type == pa.int64()
    cli("encode", model, "users", "-o", tmp_path / "u.parquet"), cli("encode", model, "items", "-o", tmp_path / "i.parquet")
    assert sorted(pq.read_table(tmp_path / "u.parquet")["user"].to_pylist()) == sorted(USERS)
    assert pq.read_table(tmp_path / "i.parquet").schema.field("item").type == pa.int64()


def test_ids_that_were_text_stay_text(cli, tmp_path):
    users, items = columns(["1", "2", "03"], [f"{i}" for i in range(17)])
    model = train(cli, tmp_path / "t", pa.array(users), pa.array(items))
    cli("retrieve", model, "--users", "-", "--k", 2, "-o", tmp_path / "c.parquet", stdin="1\n")
    assert pq.read_table(tmp_path / "c.parquet").schema.field("user").type == pa.string()


@pytest.mark.parametrize("name, text, kinds", [
    ("numbers.csv", lambda u, i: f"{u},{i}\n", ("integer", "integer")),
    ("quoted.csv", lambda u, i: f'"{u}","{i}"\n', ("integer", "integer")),
    ("zeros.csv", lambda u, i: f"{u},{i:04d}\n", ("integer", "text")),
    ("huge.csv", lambda u, i: f"{u + 2**63},{i}\n", ("text", "integer")),
    ("numbers.jsonl", lambda u, i: f'{{"user_id": {u}, "item_id": {i}}}\n', ("integer", "integer")),
    ("texts.jsonl", lambda u, i: f'{{"user_id": "{u}", "item_id": {i}}}\n', ("text", "integer"))])
def test_ids_of_lines_are_integers_where_all_are(cli, tmp_path, name, text, kinds):
    """CSV does not say what is a number: ids are, if each is written as one. JSON says it."""
    users, items = columns([4, 7, 9, 12], range(1, 18))
    head = "user_id,item_id\n" if name.endswith(".csv") else ""
    (tmp_path / name).write_text(head + "".join(text(u, i) for u, i in zip(users, items)))
    cli("train", "--interactions", tmp_path / name, "--user", "user_id", "--item", "item_id", *SMALL, "-o", tmp_path / "m.pagoda")
    info = json.loads(cli("inspect", tmp_path / "m.pagoda", "--json").stdout)["info"]
    assert (info["user_id_type"], info["item_id_type"]) == kinds
    cli("encode", tmp_path / "m.pagoda", "users", "-o", tmp_path / "u.parquet")
    cli("encode", tmp_path / "m.pagoda", "items", "-o", tmp_path / "i.parquet")
    cli("retrieve", tmp_path / "m.pagoda", "--users", "all", "--k", 2, "-o", tmp_path / "c.parquet")
    table = pq.read_table(tmp_path / "c.parquet").schema
    (tmp_path / "c.toml").write_text(f'[data]\ninteractions = ["{name}"]\nsplit = {{ kind = "leave_last" }}\n')
    cli("split", "-c", tmp_path / "c.toml", "--format", "jsonl", "-o", tmp_path / "parts")
    row = json.loads((tmp_path / "parts/train.jsonl").read_text().splitlines()[0])
    for side, kind, file in (("user", kinds[0], "u"), ("item", kinds[1], "i")):
        wanted = pa.int64() if kind == "integer" else pa.string()
        assert table.field(side).type == pq.read_table(tmp_path / f"{file}.parquet").schema.field(side).type == wanted
        assert isinstance(row[f"{side}_id"], int if kind == "integer" else str)


def test_a_stranger_with_another_id_makes_text_of_integers(cli, model, tmp_path):
    cli("retrieve", model, "--users", "-", "--k", 2, "-o", tmp_path / "c.parquet", stdin="4\nabc\n",
        says="user ids are integers, but 'abc' is none: written as text")
    assert pq.read_table(tmp_path / "c.parquet")["user"].to_pylist() == ["4", "4", "abc", "abc"]


@pytest.mark.parametrize("bad, what", [("a\tb", "has a tab in it"), ("a\nb", "has a line end in it"), ("a\0b", "has a NUL byte"),
                                       ('"q', "begins with a double quote"), ('"q"', "begins with a double quote")])
def test_an_id_that_breaks_a_line_is_refused_by_name(cli, tmp_path, bad, what):
    shown = bad.replace("\t", "\\t").replace("\n", "\\n").replace("\0", "\\x00")
    users, items = columns([bad, "u2", "u3"], [f"i{i}" for i in range(16)] + [bad])
    model = train(cli, tmp_path / "t", pa.array(users), pa.array(items))
    ask = json.dumps({"user": bad}) + "\n"
    for words in (["retrieve", model, "--users", "-"], ["similar", model, "--items", "-"]):
        stdin = ask if words[0] == "retrieve" else "i1\n"
        for more in (["--format", "tsv"], ["-o", tmp_path / "c.tsv"]):
            done = cli(*words, *more, stdin=stdin, code=INPUT, says=[f"'{shown}'", what, "write --format jsonl, or Parquet"])
            assert done.stdout == "" and not (tmp_path / "c.tsv").exists()
        cli(*words, "--format", "jsonl", stdin=stdin), cli(*words, "-o", tmp_path / "c.parquet", stdin=stdin)
    if "\t" in bad or bad == '"q':  # a line of its own can hold these
        cli("encode", model, "items", "-o", tmp_path / "v.npy")
        assert bad in (tmp_path / "v.npy.ids.txt").read_text().splitlines()
        cli("index", "--vectors", tmp_path / "v.npy", "-o", tmp_path / "v.pagoda")
        cli("similar", tmp_path / "v.pagoda", "--items", "-", stdin=bad + "\n")
    else:
        what = what if bad != '"q"' else "stands in double quotes"
        cli("encode", model, "items", "-o", tmp_path / "v.npy", code=INPUT, says=[f"'{shown}'", what, "write .parquet"])
        assert not (tmp_path / "v.npy").exists() and not (tmp_path / "v.npy.ids.txt").exists()
    cli("encode", model, "items", "-o", tmp_path / "v.parquet")
    assert bad in pq.read_table(tmp_path / "v.parquet")["item"].to_pylist()


def test_a_link_stays_a_link(cli, model, tmp_path):
    (tmp_path / "real.tsv").write_text("old")
    (tmp_path / "c.tsv").symlink_to(tmp_path / "real.tsv")
    lines(cli, model, "-o", tmp_path / "c.tsv")
    assert (tmp_path / "c.tsv").is_symlink() and (tmp_path / "real.tsv").read_text() == lines(cli, model, "--format", "tsv").stdout
