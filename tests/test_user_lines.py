"""Files of users, items and ids, a line each: however they were written, the same line says the same id."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

USAGE, INPUT = 2, 3
BRACES = "{00000000-0000-0000-0000-000000000000}"
TAB, QUOTED, BLANK = "t\tab", '"q"', " blank"
USERS = ["u1", "u2", BRACES, TAB, QUOTED, BLANK]
SMALL = ["--set", "data.split.kind=leave_last", "--set", "train.epochs=1", "--set", "train.batch=64", "--set", "model.dim=8",
         "--set", "sampling.negatives.1.count=16"]


@pytest.fixture(scope="module")
def model(cli, tmp_path_factory):
    """A model of a few users whose ids are hard to write on a line."""
    folder = tmp_path_factory.mktemp("model")
    rows = [(user, f"i{(u * 5 + n * n) % 17}", n * 86400) for u, user in enumerate(USERS) for n in range(10)]
    columns = zip(*rows)
    pq.write_table(pa.table(dict(zip(["user_id", "item_id", "ts"], map(list, columns)))), folder / "log.parquet")
    cli("train", "--interactions", folder / "log.parquet", "--time", "ts", *SMALL, "-o", folder / "m.pagoda")
    return folder / "m.pagoda"


def answers(cli, model, path, stdin="", says=()):
    done = cli("retrieve", model, "--users", path, "--k", 5, stdin=stdin, says=says)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def right(cli, model):
    """The answer of each user, asked for by JSON."""
    stdin = "".join(json.dumps({"user": user}) + "\n" for user in USERS)
    return dict(zip(USERS, answers(cli, model, "-", stdin), strict=True))


@pytest.mark.parametrize("content", [
    b"u1\nu2\n", b"\xef\xbb\xbfu1\nu2", b"u1\r\nu2\r\n", b"\n\nu1\n \t \r\nu2\n\n", b"u1\n\xef\xbb\xbfu2\n", b'"u1"\n"u\\u0032"\n',
])
def test_marks_and_line_ends_are_no_part_of_a_user(cli, model, right, tmp_path, content):
    expected = [right["u1"], right["u2"]]
    (tmp_path / "users.txt").write_bytes(content)
    (tmp_path / "users.txt.gz").write_bytes(gzip.compress(content))
    assert answers(cli, model, tmp_path / "users.txt") == expected
    assert answers(cli, model, tmp_path / "users.txt.gz") == expected
    assert answers(cli, model, "-", stdin=content) == expected


def test_blanks_around_a_user_are_said(cli, model, right, tmp_path):
    (tmp_path / "users.txt").write_text("u1 \n\tu2\n")
    said = answers(cli, model, tmp_path / "users.txt", says="2 lines have blanks around their value, which were dropped")
    assert said == [right["u1"], right["u2"]]


def test_a_known_id_is_taken_as_it_stands(cli, model, right):
    for user in (BRACES, QUOTED, BLANK, TAB):
        assert answers(cli, model, "-", stdin=user + "\n") == [right[user]], user
        assert answers(cli, model, "-", stdin=json.dumps(user) + "\n") == [right[user]], user


def test_an_unknown_id_in_braces_is_told_how_to_be_written(cli, model):
    line = "{11111111-0000-0000-0000-000000000000}"
    done = cli("retrieve", model, "--users", "-", stdin=line + "\n", code=INPUT, says="stdin:1: invalid JSON")
    assert """an id that begins with '{' in double quotes: "{...}\"""" in done.stderr
    assert answers(cli, model, "-", stdin=f'"{line}"\n')[0]["user"] == line


@pytest.mark.parametrize("content, what", [
    (b"u1\nu\x002\n", ":2: holds a NUL byte"), (b"u1\ru2\ru3", ":1: has a carriage return inside it"),
    (b"u1\nM\xfcller\n", "'M\\xfcller' is not UTF-8"), ("u1\n".encode("utf-16-le"), ":1: holds a NUL byte"),
])
def test_what_is_no_text_is_named(cli, model, tmp_path, content, what):
    (tmp_path / "users.txt").write_bytes(content)
    cli("retrieve", model, "--users", tmp_path / "users.txt", code=INPUT, says=["users.txt", what])
    cli("encode", model, "users", "--input", tmp_path / "users.txt", "-o", tmp_path / "v.npy", code=INPUT, says=what)
    cli("similar", model, "--items", tmp_path / "users.txt", code=INPUT, says=what)


def test_items_and_exclusions_are_lines_too(cli, model, tmp_path):
    plain = cli("similar", model, "--items", "-", "--k", 3, stdin="i1\ni2\n").stdout
    (tmp_path / "items.txt").write_bytes(b"\xef\xbb\xbfi1\r\n\r\n\"i2\"\r\n")
    assert cli("similar", model, "--items", tmp_path / "items.txt", "--k", 3).stdout == plain
    best = json.loads(cli("retrieve", model, "--users", "-", "--k", 1, "--exclude", "none", stdin="u1\n").stdout)["items"][0]
    (tmp_path / "no.txt").write_bytes(b"\xef\xbb\xbf" + best.encode() + b" \r\n")
    done = cli("retrieve", model, "--users", "-", "--k", 17, "--exclude", tmp_path / "no.txt", stdin="u1\n")
    assert best not in json.loads(done.stdout)["items"]


def test_ids_beside_vectors_are_lines_too(cli, tmp_path):
    np.save(tmp_path / "v.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbfa\r\n\r\n\"b\\tc\"\r\nd")
    cli("index", "--vectors", tmp_path / "v.npy", "--ids", tmp_path / "ids.txt", "-o", tmp_path / "v.pagoda")
    done = cli("retrieve", tmp_path / "v.pagoda", "--vectors", tmp_path / "v.npy", "--k", 1)
    assert [json.loads(line)["items"] for line in done.stdout.splitlines()] == [["a"], ["b\tc"], ["d"]]
