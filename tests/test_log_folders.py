"""A log in many files: folders, `**`, partitions, and files that are not what their names say."""

import gzip
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

USAGE, INPUT = 2, 3
SMALL = ["--set", "data.split.kind=leave_last", "--set", "train.epochs=1", "--set", "train.batch=64", "--set", "model.dim=8",
         "--set", "sampling.negatives.1.count=16"]
RANDOM = random.Random(1)
ROWS = [(f"u{u}", f"i{RANDOM.randrange(40)}", 1_700_000_000 + u * 1000 + n * 86_400) for u in range(30) for n in range(10)]


def csv(rows, names="user_id,item_id,ts\n"):
    return names + "".join(",".join(map(str, row)) + "\n" for row in rows)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def rows_of(cli, folder, *words, says=()):
    """How many rows `init` finds."""
    (folder / "o.toml").unlink(missing_ok=True)
    done = cli("init", *words, "-o", "o.toml", cwd=folder, says=says)
    return int(done.stderr.split(" rows, ")[0].split()[-1] if " rows, " in done.stderr else done.stdout.split(" rows, ")[0].split()[-1])


@pytest.fixture
def tree(tmp_path):
    write(tmp_path / "log/0.csv", csv(ROWS[:100]))
    write(tmp_path / "log/a/1.csv", csv(ROWS[100:200]))
    write(tmp_path / "log/a/b/2.csv", csv(ROWS[200:]))
    write(tmp_path / "log/_SUCCESS", "")
    write(tmp_path / "log/a/.1.csv.crc", "crc")
    return tmp_path


@pytest.mark.parametrize("name, rows", [("log/**/*.csv", 300), ("log", 300), ("log/**", 300), ("log/a/**/*.csv", 200), ("log/*/*.csv", 100)])
def test_globs_and_folders_of_all_levels(cli, tree, name, rows):
    assert rows_of(cli, tree, name, says="from log/" if rows > 100 else ()) == rows


def test_a_file_named_twice_is_read_once(cli, tree):
    assert rows_of(cli, tree, "log", "log/0.csv", says="log/0.csv: is named twice; it is read once") == 300


def test_partitions_are_columns_that_train_and_answer(cli, tmp_path):
    for part, device in enumerate(["tv", "a%2Fb", "__HIVE_DEFAULT_PARTITION__"]):
        write(tmp_path / f"log/device={device}/part-{part}.csv", csv(ROWS[part * 100:part * 100 + 100]))
    cli("train", "--interactions", "log", "--time", "ts", *SMALL, "--set", 'data.context=["device"]', "--set",
        'user.features=[{column="device", kind="categorical", min_count=1}]', "-o", "m.pagoda", cwd=tmp_path, says="reading 3 files, from log/")
    ask = "".join(json.dumps({"user": "new", "context": {"device": device}}) + "\n" for device in ("tv", "a/b"))
    cli("retrieve", "m.pagoda", "--users", "-", "--k", 3, cwd=tmp_path, stdin=ask)


def test_a_column_of_later_files_is_read_and_the_rows_without_it_counted(cli, tmp_path):
    table = pa.table(dict(zip(["user_id", "item_id", "ts"], map(list, zip(*ROWS)))))
    pq.write_table(table.slice(0, 100), tmp_path / "1.parquet")
    pq.write_table(table.slice(100).append_column("device", pa.array(["tv", "pc"] * 100)), tmp_path / "2.parquet")
    lacking = "column 'device': 100 rows come from files without it, and were read as empty"
    done = cli("init", "*.parquet", "-o", "o.toml", cwd=tmp_path)
    assert lacking in done.stdout + done.stderr
    cli("train", "--interactions", "1.parquet", "--interactions", "2.parquet", "--time", "ts", *SMALL, "--set", 'data.context=["device"]',
        "-o", "m.pagoda", cwd=tmp_path, says=lacking)
    pq.write_table(table.slice(0, 100).drop(["ts"]), tmp_path / "3.parquet")
    cli("train", "--interactions", "*.parquet", "--time", "ts", *SMALL, "-o", "n.pagoda", cwd=tmp_path, code=INPUT,
        says="3.parquet: no column 'ts', which '1.parquet' has")


def test_content_decides_over_the_name(cli, tmp_path):
    pq.write_table(pa.table(dict(zip(["user_id", "item_id", "ts"], map(list, zip(*ROWS))))), tmp_path / "p.csv")
    (tmp_path / "gz.csv").write_bytes(gzip.compress(csv(ROWS).encode()))
    lines = "".join(json.dumps(dict(zip(["user_id", "item_id", "ts"], row))) + "\n" for row in ROWS)
    for name in ("lines.json", "lines.txt", "lines.csv", "lines"):
        write(tmp_path / name, lines)
    for name in ("p.csv", "gz.csv", "lines.json", "lines.txt", "lines.csv", "lines"):
        assert rows_of(cli, tmp_path, name) == 300, name


def test_a_folder_of_parquet_needs_no_word(cli, tmp_path):
    table = pa.table(dict(zip(["user_id", "item_id", "ts"], map(list, zip(*ROWS)))))
    for part in range(3):
        (tmp_path / f"log/dt=2024-05-0{part + 1}").mkdir(parents=True)
        pq.write_table(table.slice(part * 100, 100), tmp_path / f"log/dt=2024-05-0{part + 1}/part-{part}.parquet")
    for name in ("log", "log/", "log/**", "log/dt=*"):
        assert rows_of(cli, tmp_path, name if name != "log/dt=*" else "log/dt=*/*") == 300


def test_what_is_not_read_is_named_with_a_remedy(cli, tmp_path):
    write(tmp_path / "a.json", json.dumps([dict(zip(["user_id", "item_id", "ts"], row)) for row in ROWS]))
    write(tmp_path / "delta/_delta_log/0.json", "{}"), write(tmp_path / "delta/part-0.csv", csv(ROWS))
    write(tmp_path / "u.txt", csv([(u, i, 5, t) for u, i, t in ROWS], "").replace(",", " "))
    write(tmp_path / "mixed/a.csv", csv(ROWS)), write(tmp_path / "mixed/b.jsonl", '{"user_id": "u1", "item_id": "i1", "ts": 1}\n')
    (tmp_path / "raw.csv").write_bytes(bytes(range(128, 256)) * 9)
    for name, code, what in [("a.json", INPUT, "jq -c .[]"), ("delta", INPUT, "delta_scan('delta')"),
                             ("delta/*.csv", INPUT, "delta_scan('delta')"), ("s3://b/log/", INPUT, "aws s3 cp --recursive"),
                             ("mixed", INPUT, "files of several formats")]:
        cli("init", name, "-o", "o.toml", cwd=tmp_path, code=code, says=what)
    done = cli("train", "--interactions", "raw.csv", "-o", "m.pagoda", cwd=tmp_path, code=INPUT)
    assert all(c == "\n" or c.isprintable() for c in done.stderr), "no raw bytes on a terminal"
    # Where init guesses and asks, train refuses, and the remedy works.
    cli("train", "--interactions", "u.txt", "-o", "m.pagoda", cwd=tmp_path, code=USAGE, says="are they rows of a table?")
    columns = ["--no-header", "--columns", "user_id,item_id,rating,ts"]
    assert rows_of(cli, tmp_path, "u.txt", "--format", "csv", "--separator", " ", *columns) == 300
