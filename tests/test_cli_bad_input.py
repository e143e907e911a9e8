"""What goes wrong is said in one line: the thing, the place, the remedy; with the right exit status, and nothing half written."""

import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

FAILED, USAGE, INPUT = 1, 2, 3

ROWS = [f"u{u},i{(u * 7 + n * n) % 23},2024-01-{n + 1:02d}T0{u % 10}:00:00Z" for u in range(20) for n in range(12)]
CSV = "user_id,item_id,ts\n" + "\n".join(ROWS) + "\n"
SMALL = ["--set", "train.epochs=1", "--set", "model.dim=8", "--set", "sampling.negatives.1.count=16"]


@pytest.fixture
def train(cli, tmp_path):
    """Trains on a log of this text; where it should fail, sees to it that no bundle appears."""

    def run(log, *more, code=0, says=(), name="clicks.csv", time="ts"):
        data = tmp_path / name
        if log is not None:
            data.write_bytes(log if isinstance(log, bytes) else log.encode())
        output = tmp_path / "m.pagoda"
        split = [] if any("data.split" in str(m) for m in more) else ["--set", "data.split={kind='time',validation='2d',test='2d'}"]
        done = cli("train", "--interactions", data, *(["--time", time] if time else []), *split, *SMALL, *more, "-o", output,
                   code=code, says=says)
        assert output.exists() == (code == 0), done.stderr
        return done

    return run


def test_the_small_log_itself_is_good(train):
    train(CSV)


# ---- the data


def test_a_missing_file(train):
    train(None, code=INPUT, says=["clicks.csv", "no such file"])


def test_a_missing_file_suggests_the_one_beside_it(cli, tmp_path):
    (tmp_path / "clicks.csv").write_text(CSV)
    cli("train", "--interactions", tmp_path / "click.csv", "-o", tmp_path / "m.pagoda", code=INPUT, says=["did you mean", "clicks.csv"])


@pytest.mark.parametrize("name", ["clicks.csv", "clicks.jsonl", "clicks.parquet", "clicks.csv.gz"])
def test_an_empty_file(train, name):
    train("", name=name, code=INPUT, says=name)


def test_a_header_only(train):
    train("user_id,item_id,ts\n", code=INPUT, says=["clicks.csv", "header", "no rows"])


def test_a_wrong_column_name_suggests_the_nearest(train):
    train(CSV, "--user", "user_di", code=INPUT, says=["clicks.csv", "no column 'user_di'", "did you mean 'user_id'?"])
    train(CSV, "--weight", "zzzzzzz", code=INPUT, says=["no column 'zzzzzzz'", "known: user_id, item_id, ts"])


def test_an_id_that_is_not_utf8(train):
    train(CSV.encode() + b"u1,i\xff\xfe,2024-01-03\n", code=INPUT, says=["clicks.csv:242", "item_id", "UTF-8", "on_bad_row"])
    train(CSV.encode() + b"u1,i\xff\xfe,2024-01-03\n", "--set", "data.on_bad_row='skip'")


def test_a_user_with_no_items(train):
    train(CSV + "u21,,2024-01-03\n", code=INPUT, says=["clicks.csv:242", "item_id", "an id", "on_bad_row"])
    train("u1 1 2 3 4 5 6 7\nu2\n" + "".join(f"v{u} 4 5 6 7 8 9 1 2\n" for u in range(20)), "--set", "data.split={kind='random',validation='0.2',test='0.2'}", name="clicks.txt",
          time=None)


def test_one_item_in_all(train):
    train("user_id,item_id,ts\n" + "".join(f"u{n},i1,2024-01-{n + 1:02d}\n" for n in range(20)), code=INPUT, says=["one item", "'i1'"])


@pytest.mark.parametrize("weight", ["nan", "inf", "-1", "0", "", "much"])
def test_a_weight_that_is_no_number_above_zero(train, weight):
    log = CSV.replace("\n", ",1\n").replace("ts,1", "ts,w", 1) + f"u1,i2,2024-01-03,{weight}\n"
    train(log, "--weight", "w", code=INPUT, says=["clicks.csv:242", "'w'", "a finite number above 0", "on_bad_row"])


def test_a_time_in_the_future_of_the_split(train):
    train(CSV + "u1,i2,2999-01-01\n", code=INPUT, says=["in the future", "2999-01-01", "on_bad_row", "data.clock"])


def test_a_time_that_is_none(train):
    train(CSV + "u1,i2,yesterday\n", code=INPUT, says=["clicks.csv:242", "'ts'", "'yesterday'", "a time", "on_bad_row"])


def test_a_truncated_gz(train):
    whole = gzip.compress((CSV * 1).encode())
    for cut in (len(whole) // 2, len(whole) - 4, 12):
        train(whole[:cut], name="clicks.csv.gz", code=INPUT, says="clicks.csv.gz")


def test_a_short_log_leaves_a_part_of_the_split_empty(train):
    train(CSV, "--set", "data.split={kind='time',validation='90d',test='7d'}", code=INPUT, says=["part empty", "2024-01-01", "durations"])


def test_bad_item_and_user_tables(train, tmp_path):
    train(CSV, "--items", tmp_path / "items.csv", code=INPUT, says=["items.csv", "no such file"])
    (tmp_path / "items.csv").write_text("itemid,title\ni1,One\n")
    train(CSV, "--items", tmp_path / "items.csv", code=INPUT, says=["items.csv", "no column 'item_id'", "did you mean 'itemid'?"])
    (tmp_path / "items.csv").write_text("item_id,title\ni1,One\ni1,Two\n")
    train(CSV, "--items", tmp_path / "items.csv", code=INPUT, says=["items.csv:3", "i1", "on_bad_row"])
    (tmp_path / "items.csv").write_text("item_id,title\ni1,One\n")
    train(CSV, "--items", tmp_path / "items.csv", "--set", "item.features=[{column='titel',kind='text'}]", code=USAGE,
          says=["titel", "did you mean 'title'?"])


# ---- small worlds that are no error


def test_a_batch_larger_than_the_data(train):
    train(CSV, "--set", "train.batch=100000")


@pytest.mark.parametrize("split", ["random", "leave_last"])
def test_a_catalogue_smaller_than_the_batch(train, split):
    values = "validation='0.2',test='0.2'" if split == "random" else ""
    log = "user_id,item_id\n" + "".join(f"u{n % 30},i{(n * n + n // 7) % 2}\n" for n in range(200))
    train(log, "--set", f"data.split={{kind='{split}'{',' if values else ''}{values}}}", time=None)


def test_all_users_with_one_item(train, cli, tmp_path):
    log = "user_id,item_id\n" + "".join(f"u{n},i{n % 9}\n" for n in range(200))
    for split in ("{kind='random',validation='0.2',test='0.2'}",):
        for more in ([], ["--set", "sampling.negatives=[{source='catalogue'}]", "--set", "train.rows='user'"]):
            train(log, "--set", f"data.split={split}", *[m for m in more], time=None)
            figures = json.loads(cli("evaluate", tmp_path / "m.pagoda", "--json", "-").stdout)
            assert figures["users"] == 0 and figures["unknown_users"]["users"] > 0
            assert "nan" not in json.dumps(figures).lower()
            cli("report", tmp_path / "m.pagoda", "-o", tmp_path / "r.html")
            os.remove(tmp_path / "m.pagoda")


def test_leave_last_with_users_of_one_item_says_why_not(train):
    log = "user_id,item_id\n" + "".join(f"u{n},i{n % 9}\n" for n in range(50))
    train(log, "--set", "data.split={kind='leave_last'}", time=None, code=INPUT, says=["part empty", "leave_last"])


# ---- the command line and the config


def test_unknown_words_suggest_the_nearest(cli, tmp_path):
    cli("retrive", "m.pagoda", code=USAGE, says=["retrive", "did you mean 'retrieve'?"])
    cli("train", "--confg", "x", "-o", "m", code=USAGE, says=["--confg", "did you mean '--config'?"])
    cli("train", "--otput", "m.pagoda", code=USAGE, says=["--otput", "did you mean '--output'?", "pagoda train --help"])
    cli("simulate", "wrold", "-o", "x", code=USAGE, says=["wrold", "did you mean 'world'?"])
    cli("simulate", "world", "--interaction", "9", "-o", tmp_path / "x", code=USAGE, says=["--interaction", "did you mean '--interactions'?"])
    cli("inspect", "a.pagoda", "b.pagoda", code=USAGE, says="b.pagoda")
    cli(code=USAGE, says="subcommand is required")
    cli("train", "-c", "x.toml", code=USAGE, says=["--output is required"])
    cli("retrieve", "m.pagoda", "--users", "u", "--k", "many", code=USAGE, says=["--k", "many"])
    assert not (tmp_path / "x").exists()
    for words in (["--help"], ["train", "--help"], ["--version"]):
        assert "pagoda" in cli(*words).stdout


def test_train_without_data(cli, tmp_path):
    cli("train", "-o", tmp_path / "m.pagoda", code=USAGE, says=["-c pagoda.toml", "--interactions"])


def test_a_missing_config(cli, tmp_path):
    cli("train", "-c", tmp_path / "p.toml", "-o", tmp_path / "m.pagoda", code=USAGE, says=["p.toml", "no such file"])


@pytest.mark.parametrize("text, says", [
    ("[train]\nbatchh = 3\n", ["pagoda.toml:2", "batchh", "did you mean 'batch'?"]),
    ("[trian]\nbatch = 3\n", ["trian", "did you mean 'train'?"]),
    ("[train]\nbatch = 'many'\n", ["pagoda.toml:2", "'batch' in [train]", "an integer"]),
    ("[train]\nbatch = 1.5\n", ["pagoda.toml:2", "'batch' in [train]", "an integer"]),
    ("[train]\nbatch = -1\n", ["train.batch", "at least 1"]),
    ("train = 7\n", ["pagoda.toml:1", "train"]),
    ("[data]\ninteractions = 'clicks.csv'\n[data]\n", ["pagoda.toml"]),
    ("[train\n", ["pagoda.toml:1"]),
    ("[train]\norder = 'shufled'\n", ["pagoda.toml:2", "shufled", "shuffled"]),
    ("[loss]\ntemperature = 'lerned'\n", ["pagoda.toml:2", "temperature", "learned"]),
    ("[loss]\ntemperature = 0\n", ["temperature"]),
    ("[[sampling.negatives]]\nsource = 'unifrom'\n", ["unifrom", "did you mean 'uniform'?"]),
    ("[train]\nchoose_by = 'recal@20'\n", ["recal@20", "did you mean 'recall'?"]),
    ("[train]\nchoose_by = 'recall'\n", ["recall@100"]),
    ("[evaluate]\nk = []\n", ["evaluate.k"]),
    ("[model]\ndim = 0\n", ["dim"]),
    ("[data]\nformat = 'cvs'\n", ["cvs", "csv"]),
], ids=lambda value: value.replace("\n", ";") if isinstance(value, str) else "")
def test_a_wrong_config(cli, tmp_path, text, says):
    (tmp_path / "clicks.csv").write_text(CSV)
    if "interactions" not in text:
        text = text.replace("[data]\n", f"[data]\ninteractions = ['{tmp_path}/clicks.csv']\n") if "[data]" in text \
            else text + f"\n[data]\ninteractions = ['{tmp_path}/clicks.csv']\n"
        if text.startswith("train = 7"):
            text = "train = 7\n"
    (tmp_path / "pagoda.toml").write_text(text)
    cli("train", "-c", tmp_path / "pagoda.toml", "-o", tmp_path / "m.pagoda", code=USAGE, says=says)
    assert not (tmp_path / "m.pagoda").exists()


@pytest.mark.parametrize("assignment, says", [
    ("train.batch", ["train.batch", "section.key=value"]),
    ("=3", ["=3"]),
    ("train.bacth=3", ["bacth", "did you mean 'batch'?"]),
    ("train.batch=many", ["train.batch", "many"]),
    ("train.batch.x=3", ["train.batch"]),
    ("data.split.kind=tiem", ["tiem", "time"]),
    ("data.split.validation='2 dogs'", ["2 dogs"]),
    ("train.batch=0", ["train.batch", "at least 1"]),
    ("train.batch=99999999999999999999", ["train.batch"]),
])
def test_a_wrong_set(train, assignment, says):
    train(CSV, "--set", "data.split.kind=time", "--set", "data.split.validation=2d", "--set", "data.split.test=2d", "--set", assignment,
          code=USAGE, says=says)


# ---- asking a model


def test_bad_lists_of_users(cli, model, tmp_path):
    out = tmp_path / "out.tsv"

    def retrieve(users, *more, code, says):
        if users is not None:
            (tmp_path / "users.txt").write_bytes(users)
        cli("retrieve", model, "--users", tmp_path / "users.txt", *more, "-o", out, code=code, says=says)
        assert not out.exists()

    retrieve(None, code=INPUT, says=["users.txt", "no such file"])
    retrieve(b'u1\n\n{"user": "u2", \n', code=INPUT, says=["users.txt:3", "JSON"])
    retrieve(b'{"usr": "u2"}\n', code=INPUT, says=["users.txt:1", "'usr'", "did you mean 'user'?"])
    retrieve(b'{"user": ["u2"]}\n', code=INPUT, says=["users.txt:1", "'user'", "type"])
    retrieve(b'{"history": [["i1"], null]}\n', code=INPUT, says=["users.txt:1", "'history'"])
    retrieve(b'{"time": "noon"}\n', code=INPUT, says=["users.txt:1", "'time'", "noon"])
    retrieve(b'u\xff\xfe\n', code=INPUT, says=["users.txt:1", "UTF-8"])
    retrieve(b'{"user": "u\xff\xfe"}\n', code=INPUT, says=["users.txt:1"])
    retrieve(b'u1\n{"user": "u1", "context": {"devise": "tv"}}\n', code=INPUT, says=["users.txt:2", "devise", "did you mean 'device'?"])
    retrieve(b'{"user": "u1", "features": {"contry": "DE"}}\n', code=INPUT, says=["users.txt:1", "contry", "did you mean 'country'?"])
    retrieve(b'u1\n', "--k", 0, code=USAGE, says=["--k", "at least 1"])
    retrieve(b'u1\n', "--k", -5, code=USAGE, says=["--k", "at least 1"])
    retrieve(b'u1\n', "--exclude", tmp_path / "none.txt", code=INPUT, says=["none.txt", "no such file"])
    retrieve(b'u1\n', "--exclude", "sene", code=INPUT, says=["sene", "no such file"])
    retrieve(b'u1\n', "--format", "xml", code=USAGE, says=["xml", "jsonl"])
    retrieve(b'u1\n', "--vectors", "q.npy", code=USAGE, says=["--users", "--vectors"])
    (tmp_path / "folder").mkdir()
    cli("retrieve", model, "--users", tmp_path / "folder", code=INPUT, says="folder")
    cli("retrieve", model, "--users", "-", "--format", "parquet", stdin="u1\n", code=USAGE, says="-o FILE.parquet")
    cli("retrieve", model, "--users", "-", "-o", tmp_path / "no" / "out.tsv", stdin="u1\n", code=FAILED, says=["out.tsv", "folder"])
    cli("retrieve", model, code=USAGE, says=["--users", "--vectors"])


@pytest.mark.parametrize("filter, says", [
    ("minuts < 90", ["minuts", "did you mean 'minutes'?"]),
    ("minutes <", ["filter"]),
    ("minutes < 90 and", ["filter"]),
    ("(minutes < 90", ["filter"]),
    ("minutes < 'long'", ["minutes"]),
    ("title ~~ 3", ["filter"]),
])
def test_a_bad_filter(cli, model, filter, says):
    done = cli("retrieve", model, "--users", "-", "--filter", filter, stdin="u1\n", code=USAGE)
    assert any(part in done.stderr for part in says), done.stderr
    assert done.stdout == ""


def test_bad_query_vectors(cli, model, tmp_path):
    np.save(tmp_path / "narrow.npy", np.zeros((2, 3), np.float32))
    cli("retrieve", model, "--vectors", tmp_path / "narrow.npy", code=INPUT, says=["3 components", "16"])
    np.save(tmp_path / "nan.npy", np.full((2, 16), np.nan, np.float32))
    cli("retrieve", model, "--vectors", tmp_path / "nan.npy", code=INPUT, says=["nan.npy"])
    cli("retrieve", model, "--vectors", tmp_path / "q.npy", code=INPUT, says=["q.npy", "no such file"])


def test_a_bundle_of_bare_vectors_knows_no_users(cli, tmp_path):
    np.save(tmp_path / "v.npy", np.eye(4, dtype=np.float32))
    bundle = tmp_path / "v.pagoda"
    cli("index", "--vectors", tmp_path / "v.npy", code=USAGE, says="-o X.pagoda")
    cli("index", "--vectors", tmp_path / "v.npy", "--kind", "tree", "-o", bundle, code=USAGE, says=["tree", "exact"])
    (tmp_path / "ids.txt").write_text("a\nb\nc\n")
    cli("index", "--vectors", tmp_path / "v.npy", "--ids", tmp_path / "ids.txt", "-o", bundle, code=INPUT, says=["3 ids", "4 vectors"])
    (tmp_path / "ids.txt").write_text("a\nb\nc\na\n")
    cli("index", "--vectors", tmp_path / "v.npy", "--ids", tmp_path / "ids.txt", "-o", bundle, code=INPUT, says=["'a'", "rows 0 and 3"])
    (tmp_path / "ids.txt").write_bytes(b"a\nb\nc\n\xff\n")
    cli("index", "--vectors", tmp_path / "v.npy", "--ids", tmp_path / "ids.txt", "-o", bundle, code=INPUT, says=["ids.txt:4", "UTF-8"])
    assert not bundle.exists()
    cli("index", "--vectors", tmp_path / "v.npy", "-o", bundle)
    cli("retrieve", bundle, "--users", "-", stdin="u1\n", code=USAGE, says=["bare vectors", "--vectors"])
    cli("encode", bundle, "users", "-o", tmp_path / "u.npy", code=USAGE, says=["bare vectors"])
    cli("evaluate", bundle, code=USAGE, says=["bare vectors"])
    cli("inspect", bundle)
    assert not (tmp_path / "u.npy").exists()


def test_wrong_words_of_the_other_commands(cli, model, tmp_path):
    cli("encode", model, "cats", "-o", tmp_path / "c.npy", code=USAGE, says=["users or items", "cats"])
    cli("encode", model, "items", "-o", tmp_path / "c.xyz", code=USAGE, says=["c.xyz"])
    cli("evaluate", model, "--k", "20,x", code=USAGE, says=["--k", "20,100"])
    cli("evaluate", model, "--k", "0", code=USAGE, says=["--k"])
    cli("evaluate", model, "--data", tmp_path / "no.csv", code=INPUT, says=["no.csv", "no such file"])
    cli("evaluate", model, "--set", "train.bacth=3", code=USAGE, says=["bacth", "did you mean 'batch'?"])
    cli("similar", model, "--items", "-", "--k", "0", stdin="i1\n", code=USAGE, says=["--k", "at least 1"])
    assert list(tmp_path.iterdir()) == []


# ---- disks and signals


def limit_files_to(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_disk_that_is_full_leaves_the_old_file(cli, model, config, tmp_path):
    copy = tmp_path / "m.pagoda"
    shutil.copy(model, copy)
    good = copy.read_bytes()
    limit = limit_files_to(20_000)
    says = ["m.pagoda", "writing failed", "free some space"]
    cli("index", copy, code=FAILED, says=says, preexec_fn=limit)
    cli("train", "-c", config, "-o", copy, "--set", "train.epochs=1", "--set", "train.refit=false", code=FAILED, says="free some space",
        preexec_fn=limit)
    assert copy.read_bytes() == good
    done = cli("evaluate", copy, "--json", "-", preexec_fn=limit_files_to(100), says="free some space")
    assert json.loads(done.stdout)["users"] > 0, "the figures are told all the same"
    assert not (tmp_path / "m.pagoda.metrics").exists()
    assert copy.read_bytes() == good
    (tmp_path / "users.txt").write_text("\n".join(f"u{n}" for n in range(250)))
    for name in ("out.tsv", "out.jsonl", "out.parquet"):
        cli("retrieve", model, "--users", tmp_path / "users.txt", "--k", 300, "-o", tmp_path / name, code=FAILED, says=[name, "space"],
            preexec_fn=limit)
    for name in ("v.npy", "v.parquet"):
        cli("encode", model, "items", "-o", tmp_path / name, code=FAILED, says=[name, "space"], preexec_fn=limit_files_to(4000))
    cli("report", model, "-o", tmp_path / "r.html", code=FAILED, says=["r.html", "space"], preexec_fn=limit)
    cli("simulate", "world", "--interactions", 20000, "-o", tmp_path / "w", code=FAILED, says="space", preexec_fn=limit)
    left = {p.name for p in tmp_path.rglob("*") if p.is_file() and "m.pagoda.run" not in str(p)}
    assert left == {"m.pagoda", "users.txt"}


def test_a_small_disk_that_fills_up(cli, model, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = model.stat().st_size
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size + size // 2}", "tmpfs", disk], capture_output=True).returncode != 0:
        pytest.skip("no right to mount a disk")
    try:
        shutil.copy(model, disk / "m.pagoda")
        cli("index", disk / "m.pagoda", code=FAILED, says=["m.pagoda", "No space left", "free some space"])
        assert [p.name for p in disk.iterdir()] == ["m.pagoda"]
        assert (disk / "m.pagoda").read_bytes() == model.read_bytes()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_stdout_that_is_full_or_closed(cli, pagoda, model):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([pagoda, "retrieve", str(model), "--users", "-"], input=b"u1\n", stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == FAILED and b"stdout" in done.stderr
    process = subprocess.Popen([pagoda, "retrieve", str(model), "--users", "-", "--k", "300"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(b"\n".join(b"u%d" % n for n in range(250)))
    process.stdin.close()
    said = process.stderr.read()
    assert process.wait(timeout=60) == FAILED and b"terminate" not in said


def test_killed_while_saving_a_bundle_always_loads(cli, pagoda, model, tmp_path, pytestconfig):
    copy = tmp_path / "m.pagoda"
    shutil.copy(model, copy)
    shown = json.loads(cli("inspect", copy, "--json").stdout)["fingerprint"]
    begin = time.monotonic()
    cli("index", copy)
    seconds = time.monotonic() - begin
    kills, times = 0, 1000 if pytestconfig.getoption("--all") else 30
    for n in range(times):
        process = subprocess.Popen([pagoda, "index", str(copy)], stderr=subprocess.DEVNULL)
        time.sleep(seconds * n / times)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        assert json.loads(cli("inspect", copy, "--json").stdout)["fingerprint"] == shown
    assert kills > times / 10
    cli("index", copy)
    assert [p.name for p in tmp_path.iterdir()] == ["m.pagoda"], "what the killed ones left is cleared away"
