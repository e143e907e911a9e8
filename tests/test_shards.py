"""`pagoda retrieve --shards`: the lists of one file, in many; a run that was stopped goes on with the shard that is missing."""

import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

USERS = [f"u{n}" for n in range(103)]


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    path = tmp_path_factory.mktemp("users") / "users.txt"
    path.write_text("".join(f"{user}\n" for user in USERS))
    return path


def retrieve(cli, model, users, output, *more, **options):
    return cli("retrieve", model, "--users", users, "--k", 20, "-o", output, *more, **options)


def parts(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("_"))


@pytest.mark.parametrize("form", ["parquet", "jsonl", "tsv"])
def test_the_shards_are_the_one_file_in_pieces(cli, model, users, form, tmp_path):
    retrieve(cli, model, users, tmp_path / f"one.{form}")
    retrieve(cli, model, users, tmp_path / "out", "--shards", 8, *([] if form == "parquet" else ["--format", form]))
    assert parts(tmp_path / "out") == [f"part-{n:05}-of-00008.{form}" for n in range(8)]
    paths = [tmp_path / "out" / name for name in parts(tmp_path / "out")]
    if form == "parquet":
        assert pa.concat_tables(map(pq.read_table, paths)) == pq.read_table(tmp_path / "one.parquet")
    else:
        assert "".join(path.read_text() for path in paths) == (tmp_path / f"one.{form}").read_text()


def test_only_the_missing_shards_are_made_again(cli, model, users, tmp_path):
    retrieve(cli, model, users, tmp_path / "out", "--shards", 5)
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "part-00003-of-00005.parquet").unlink()
    retrieve(cli, model, users, tmp_path / "out", "--shards", 5)
    after = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "out").iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"part-00003-of-00005.parquet"}
    assert {name: data for name, (_, data) in before.items()} == {name: data for name, (_, data) in after.items()}


def test_a_killed_run_goes_on(cli, model, tmp_path):
    many = tmp_path / "many.txt"
    many.write_text("".join(f"u{n % 250}\n" for n in range(60_000)))
    retrieve(cli, model, many, tmp_path / "whole", "--shards", 12, "--format", "tsv")
    words = [cli.binary, "retrieve", model, "--users", many, "--k", 20, "-o", tmp_path / "killed", "--shards", 12, "--format", "tsv"]
    kills = 0
    while len(done := parts(tmp_path / "killed") if (tmp_path / "killed").exists() else []) < 12 and kills < 50:
        process = subprocess.Popen(list(map(str, words)), stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if (tmp_path / "killed").exists() and len([p for p in parts(tmp_path / "killed") if p.startswith("part-")]) > len(done) + 1:
                process.kill()
                kills += 1
                break
        process.wait()
    retrieve(cli, model, many, tmp_path / "killed", "--shards", 12, "--format", "tsv")
    for name in parts(tmp_path / "whole"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert kills > 1


def test_another_request_is_refused_with_what_differs(cli, model, users, tmp_path):
    out = tmp_path / "out"
    retrieve(cli, model, users, out, "--shards", 3)
    assert json.loads((out / "_request.json").read_text())["users"] == len(USERS)
    for more, says in ((["--k", 30], "k is 30, was 20"), (["--filter", "minutes > 5"], "filter is"), (["--exclude", "none"], "exclude_seen is false"),
                       (["--format", "jsonl"], 'format is "jsonl", was "parquet"')):
        cli("retrieve", model, "--users", users, *([] if "--k" in more else ["--k", 20]), *more, "-o", out, "--shards", 3, code=2,
            says=["another request", says])
    retrieve(cli, model, users, out, "--shards", 4, code=2, says="shards is 4, was 3")
    other = tmp_path / "other.txt"
    other.write_text("".join(f"{user}\n" for user in reversed(USERS)))
    retrieve(cli, model, other, out, "--shards", 3, code=2, says="users_checksum")
    retrieve(cli, model, users, tmp_path / "other.txt", "--shards", 3, code=2, says="names a folder")
    cli("retrieve", model, "--users", users, "--shards", 3, code=2, says="with -o")
    assert len(parts(out)) == 3


def test_the_types_of_ids_are_the_same_in_each_shard(cli, tmp_path):
    rows = [(u, (u * 5 + n * n) % 17, n) for u in range(20) for n in range(10)]
    (tmp_path / "log.csv").write_text("user_id,item_id,ts\n" + "".join(f"{u},{i},{1700000000 + 86400 * n}\n" for u, i, n in rows))
    cli("train", "--interactions", tmp_path / "log.csv", "--user", "user_id", "--item", "item_id", "--time", "ts", "--set", "train.epochs=1", "--set",
        "data.split.kind='leave_last'", "-o", tmp_path / "m.pagoda")
    users = tmp_path / "users.txt"
    users.write_text("".join(f"{u}\n" for u in range(20)) + "guest\n")
    for name, types in (("guest", {pa.string()}), ("known", {pa.int64()})):
        retrieve(cli, tmp_path / "m.pagoda", users, tmp_path / name, "--shards", 4)
        assert {pq.read_schema(tmp_path / name / part).field("user").type for part in parts(tmp_path / name)} == types
        users.write_text("".join(f"{u}\n" for u in range(20)))
