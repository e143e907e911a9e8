"""A model that learns from files that grow: `pagoda stream` and `pagoda publish`."""

import contextlib
import http.client
import json
import os
import random
import re
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest

from serving import Server

BATCH = 64
# Nothing that looks at rows to come, and a small streaming frequency.
STREAM = ("--set", "train.order='time'", "--set", f"train.batch={BATCH}", "--set", "sampling.frequency.kind='streaming'",
          "--set", "sampling.frequency.clock='example'", "--set", "sampling.frequency.buckets=4096", "--set", "train.final_rate=1",
          "--set", "train.epochs=1", "--set", "data.split.kind='none'", "--set", "stream.segment='0s'", "--set", "stream.idle='0s'")
BARE = ("--set", "data.items=''", "--set", "data.users=''", "--set", "item.features=[]", "--set", "item.hidden=[]", "--set",
        "user.features=[{column='device', dim=4}]")
DEEP = ("--set", "user.hidden=[24]", "--set", "model.dropout=0.2", "--set", "train.optimizer='adam'", "--set", "train.learning_rate=0.003",
        "--set", "loss.temperature='learned'", "--set", "user.id.enabled=true", "--set",
        "sampling.negatives=[{source='in_batch'}, {source='uniform', count=50}, {source='cross_batch', count=300, start=0},"
        " {source='mined', count=2, start=0}]")
NEW_ONLY = ("--set", "train.repeats='skip'")


def learnt(cli, model):
    """All sections but those that name files, the run and its times."""
    return {name: value for name, value in cli.sections(model).items() if name not in {"config", "run_log", "info"}}


@pytest.fixture(scope="module")
def lines(world):
    """The world's log in order of time, whole batches of it, as lines of JSON."""
    rows = pq.read_table(world / "interactions.parquet").sort_by("ts").to_pylist()
    rows = rows[:len(rows) // BATCH * BATCH]
    return [json.dumps({k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()}) for row in rows]


def write(path, lines):
    with open(path, "a") as out:
        out.writelines(line + "\n" for line in lines)


def stream(cli, config, output, files, *extra, **options):
    return cli(*words(config, output, files, *extra, "--once"), **options)


@pytest.fixture(scope="module")
def whole(cli, config, lines, tmp_path_factory):
    """What one pass of `pagoda train` over all of them learns, by the settings beside STREAM."""
    folder, models = tmp_path_factory.mktemp("whole"), {}
    write(folder / "log.jsonl", lines)

    def of(*extra):
        if extra not in models:
            model = folder / f"{len(models)}.pagoda"
            cli("train", "-c", config, "-o", model, "--interactions", folder / "log.jsonl", *STREAM, *extra)
            models[extra] = learnt(cli, model)
        return models[extra]
    return of


@pytest.mark.parametrize("extra", [BARE, (), (*BARE, *DEEP)], ids=["ids", "tables", "deep"])
def test_a_stream_in_pieces_is_one_pass_of_training_to_the_bit(cli, config, lines, whole, tmp_path, extra):
    model, log = tmp_path / "live.pagoda", tmp_path / "log.jsonl"
    chance = random.Random(5)
    at, begun = 0, False
    while at < len(lines):
        n = chance.choice([1, 40, 500, 2500])
        write(log, lines[at:at + n])
        at += n
        done = stream(cli, config, model, log, *extra, "--set", f"stream.segment_rows={chance.choice([1, 300, 5000])}")
        assert ("goes on after" in done.stderr) == begun
        begun |= "segment" in done.stderr
    assert learnt(cli, model) == whole(*extra)
    told = json.loads(cli("inspect", model, "--json").stdout)["info"]
    assert told["training_rows"] == len(lines) and told["all_rows"]


def test_partitions_are_merged_by_time_however_they_arrive(cli, config, lines, whole, tmp_path):
    """Several files, out of order within the lateness: the order of time decides, and nothing else."""
    chance = random.Random(6)
    partitions = [[] for _ in range(3)]
    for line in lines:
        partitions[chance.randrange(3)].append(line)
    models = []
    for trial in range(2):
        folder = tmp_path / f"trial{trial}"
        folder.mkdir()
        events = folder / "events"
        events.mkdir()
        at = [0, 0, 0]
        for p in range(3):
            write(events / f"{p}.jsonl", partitions[p][:1])
            at[p] = 1
        while any(at[p] < len(partitions[p]) for p in range(3)):
            p = chance.randrange(3)
            n = chance.choice([30, 400])
            write(events / f"{p}.jsonl", partitions[p][at[p]:at[p] + n])
            at[p] += n
        # All at once, or with small segments: the files are read in pieces by the program itself.
        stream(cli, config, folder / "live.pagoda", events, *BARE, "--set", f"stream.segment_rows={(1, 10000)[trial]}")
        models.append(learnt(cli, folder / "live.pagoda"))
    assert models[0] == models[1] == whole(*BARE)


def test_a_partition_that_is_far_ahead_in_time_waits_and_holds_up_nobody(cli, config, lines, whole, tmp_path):
    model, old, new = tmp_path / "live.pagoda", tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    write(old, lines[:len(lines) // 2])
    write(new, lines[len(lines) // 2:])
    # Far more is in each of them than may wait: two segments.
    cli(*words(config, model, new, *BARE, "--once", "--set", f"stream.files=['{new}', '{old}']", "--set", "stream.segment_rows=64"))
    assert learnt(cli, model) == whole(*BARE)


def test_a_user_latest_events_are_kept_and_all_are_counted(cli, config, lines, tmp_path):
    model, log = tmp_path / "live.pagoda", tmp_path / "log.jsonl"
    write(log, lines)
    stream(cli, config, model, log, *BARE, "--set", "stream.latest_events=30", "--set", "stream.segment_rows=640")
    told = json.loads(cli("inspect", model, "--json").stdout)["info"]
    assert told["training_rows"] == len(lines)
    user = max({json.loads(line)["user_id"] for line in lines}, key=lambda u: sum(json.loads(line)["user_id"] == u for line in lines))
    own = [json.loads(line)["item_id"] for line in lines if json.loads(line)["user_id"] == user]
    assert len(own) > 30
    (tmp_path / "users.txt").write_text(f"{user}\n")
    listed = json.loads(cli("retrieve", model, "--users", tmp_path / "users.txt", "--k", 300).stdout)["items"]
    assert not set(own[-30:]) & {one["id"] if isinstance(one, dict) else one for one in listed}


def test_rows_of_items_that_a_user_had_are_no_examples_where_the_config_says_so(cli, config, lines, tmp_path):
    models = []
    for rows in (64, 3000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        write(folder / "log.jsonl", lines)
        done = stream(cli, config, folder / "live.pagoda", folder / "log.jsonl", *BARE, *NEW_ONLY, "--set", f"stream.segment_rows={rows}")
        models.append(learnt(cli, folder / "live.pagoda"))
    assert models[0] == models[1], "batches are of examples, wherever segments are cut"


def test_it_goes_on_from_a_trained_model(cli, config, lines, whole, tmp_path):
    half = len(lines) // BATCH // 2 * BATCH
    write(tmp_path / "first.jsonl", lines[:half])
    write(tmp_path / "second.jsonl", lines[half:])
    cli("train", "-c", config, "-o", tmp_path / "first.pagoda", "--interactions", tmp_path / "first.jsonl", *STREAM, *BARE)
    model = tmp_path / "live.pagoda"
    done = stream(cli, config, model, tmp_path / "second.jsonl", *BARE, "--from", tmp_path / "first.pagoda")
    assert learnt(cli, model) == whole(*BARE)
    assert "recall@5" in done.stderr and "popularity" in done.stderr, "judged before it is learnt"


def words(config, output, files, *extra):
    return ["stream", "-c", config, "-o", output, "--set", f"stream.files={json.dumps([str(files)])}", *STREAM, *extra]


@contextlib.contextmanager
def running(cli, words, said=os.devnull):
    """The program with what it says in a file; killed at the end, if it lives still."""
    with open(said, "w") as err:
        process = subprocess.Popen([cli.binary, *map(str, words)], stderr=err)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_killed_at_random_it_loses_nothing_and_learns_nothing_twice(cli, config, lines, whole, tmp_path):
    chance = random.Random(8)
    model, events = tmp_path / "live.pagoda", tmp_path / "events"
    events.mkdir()
    for p in range(2):
        write(events / f"{p}.jsonl", lines[p::2])
    kills = 0
    for _ in range(12):
        with running(cli, words(config, model, events, *BARE, "--set", "stream.segment_rows=64", "--set", "stream.publish='0s'")) as process:
            time.sleep(chance.uniform(0.05, 0.6))
            kills += process.poll() is None
    assert kills > 6
    done = stream(cli, config, model, events, *BARE)
    assert "goes on after" in done.stderr
    assert learnt(cli, model) == whole(*BARE)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_it_learns_as_events_come_publishes_and_ends_well(cli, config, lines, tmp_path):
    model, log, said = tmp_path / "live.pagoda", tmp_path / "log.jsonl", tmp_path / "said"
    settings = ("--set", "stream.publish='0s'", "--set", "stream.keep=3", "--set", "stream.http='127.0.0.1:0'")
    with running(cli, words(config, model, log, *BARE, *settings), said) as process:
        time.sleep(0.3)
        assert process.poll() is None, "it waits for the file"
        for at in range(0, 40 * BATCH, 4 * BATCH):
            write(log, lines[at:at + 4 * BATCH])
            wait_for(lambda: f"to {json.loads(lines[at + 4 * BATCH - 1])['ts'][:19]}" in said.read_text())
        wait_for(lambda: "version 10 is published" in said.read_text() or "version 9 is published" in said.read_text())
        port = re.search(r"/livez at port (\d+)", said.read_text())[1]
        metrics = dict(line.rsplit(" ", 1) for line in get(port, "/metrics")[1].splitlines() if line[0] != "#")
        assert float(metrics["pagoda_stream_events"]) == 40 * BATCH
        assert float(metrics["pagoda_stream_waiting_events"]) == 0 == float(metrics["pagoda_stream_lag_messages"])
        assert 0 <= float(metrics['pagoda_stream_recall{k="5"}']) <= 1
        assert get(port, "/livez") == (200, "ok\n")
        assert get(port, "/else")[0] == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, said.read_text()
    kept = cli("publish", model).stdout.split()
    assert len(kept) == 4 and kept[-1] == "served"
    last, before = kept[2], kept[1]
    cli("publish", model, "--rollback", says=f"serves version {before}")
    assert cli("publish", model).stdout.split() == [kept[0], before, "served", last]
    cli("publish", model, "--version", last)
    cli("publish", model, "--version", 999, code=2, says=("999 is not kept", last))
    records = [json.loads(line) for line in (tmp_path / "live.pagoda.stream" / "metrics.jsonl").read_text().splitlines()]
    assert all(record["phase"] == "stream" for record in records)
    assert sum("recall@5" in record.get("validation", {}) for record in records) >= 5
    assert any(name.startswith("events.out.tfevents") for name in os.listdir(tmp_path / "live.pagoda.stream"))


def test_late_bad_and_unwanted_messages_are_counted(cli, config, lines, tmp_path):
    log = tmp_path / "log.jsonl"
    late = json.loads(lines[0]) | {"ts": "2001-01-01T00:00:00"}
    write(log, [*lines[:BATCH], "{\"user_id\": ", "[1, 2]", json.dumps({"user_id": "", "item_id": "i", "ts": 5}), json.dumps(late), *lines[BATCH:3 * BATCH]])
    skip = ("--set", "data.on_bad_row='skip'")
    done = stream(cli, config, tmp_path / "a.pagoda", log, *BARE, *skip)
    assert done.stderr.count("the row is skipped") == 3 and "log.jsonl, byte" in done.stderr
    assert "1 late" in done.stderr and "3 bad" in done.stderr
    stream(cli, config, tmp_path / "b.pagoda", log, *BARE, code=3, says=("log.jsonl, byte", "on_bad_row"))
    stream(cli, config, tmp_path / "c.pagoda", log, *BARE, *skip, "--set", "data.bad_row_limit=2", code=3, says="more than the 2 bad row(s)")
    told = [json.loads(cli("inspect", tmp_path / "a.pagoda", "--json").stdout)["info"]["training_rows"]]
    stream(cli, config, tmp_path / "d.pagoda", log, *BARE, *skip, "--set", "stream.late='move'", "--set", "stream.max_wait='0s'")
    told.append(json.loads(cli("inspect", tmp_path / "d.pagoda", "--json").stdout)["info"]["training_rows"])
    assert told == [3 * BATCH, 3 * BATCH + 1]


def test_what_cannot_be_streamed_is_refused_with_a_remedy(cli, config, lines, tmp_path):
    log, model = tmp_path / "log.jsonl", tmp_path / "live.pagoda"
    write(log, lines[:2 * BATCH])
    base = ("stream", "-c", config, "-o", model, "--once", *STREAM, *BARE)
    cli(*base, code=2, says="stream.topic of Kafka, or stream.files")
    files = ("--set", f"stream.files=['{log}']")
    cli(*base, *files, "--set", "stream.topic='clicks'", code=2, says="a stream has one source")
    cli(*base, *files, "--set", "stream.segment='often'", code=2, says="stream.segment is \"often\", expected a duration")
    cli(*base, *files, "--set", "stream.segmentt='1s'", code=2, says="did you mean 'segment'")
    cli(*base, *files, "--set", "data.time=''", code=2, says="set data.time")
    cli(*base, "--set", "stream.files=['none.jsonl']", says=("no file matches '", "none.jsonl' yet", "0 events learnt"))
    cli(*base, *files)
    cli(*base, *files, "--set", "model.dim=24", code=2, says="model.dim is 24, was 16")
    os.truncate(log, 100)
    cli(*base, *files, code=1, says=("log.jsonl: has 100 bytes", "only grow"))
    position = tmp_path / "live.pagoda.stream" / "position"
    data = bytearray(position.read_bytes())
    data[5000] ^= 1
    position.write_bytes(data)
    cli(*base, *files, code=1, says="position")


def test_a_running_server_takes_up_what_the_stream_publishes(cli, pagoda, config, lines, tmp_path):
    model, log, said = tmp_path / "live.pagoda", tmp_path / "log.jsonl", tmp_path / "said"
    write(log, lines[:4 * BATCH])
    stream(cli, config, model, log, *BARE)
    server = Server(pagoda, model)
    try:
        before = server.call("GET", "/v1/model")[1]["fingerprint"]
        with running(cli, words(config, model, log, *BARE, "--set", "stream.publish='0s'"), said):
            write(log, lines[4 * BATCH:20 * BATCH])
            rows = 20 * BATCH
            server.wait_until(lambda: server.call("GET", "/v1/model")[1]["info"]["training_rows"] == rows, 60)
        served = server.call("GET", "/v1/model")[1]["fingerprint"]
        assert served != before
        assert served == json.loads(cli("inspect", model, "--json").stdout)["fingerprint"]
        event = json.loads(lines[20 * BATCH - 1])
        answer = server.post("/v1/retrieve", {"user": event["user_id"], "k": 300})
        assert answer["user_known"] and event["item_id"] not in answer["items"], "the newest event counts"
    finally:
        server.stop()


def test_a_model_that_got_worse_is_not_published(cli, config, lines, tmp_path):
    model, log = tmp_path / "live.pagoda", tmp_path / "log.jsonl"
    settings = (*BARE, "--set", f"stream.segment_rows={10 * BATCH}", "--set", "evaluate.k=[20]")
    half = len(lines) // BATCH // 2 * BATCH
    write(log, lines[:half])
    assert "not published" not in stream(cli, config, model, log, *settings, "--set", "train.learning_rate=0.3").stderr
    served = cli("publish", model).stdout
    # From here on, anybody takes anything: what was learnt foretells nothing.
    events = [json.loads(line) for line in lines[half:]]
    items = sorted({json.loads(line)["item_id"] for line in lines})
    chance = random.Random(9)
    write(log, [json.dumps(event | {"item_id": chance.choice(items)}) for event in events])
    done = stream(cli, config, model, log, *settings, "--set", "train.learning_rate=0.3")
    assert re.search(r"not published: recall@20 of the last segment is 0\.\d+, and was 0\.\d+ over the \d+ before; stream.guard = 0.2", done.stderr)
    assert cli("publish", model).stdout == served, "what is served stays"
    stream(cli, config, model, log, *settings, "--set", "train.learning_rate=0.3", "--set", "stream.guard=1")
    assert cli("publish", model).stdout != served


def test_messages_that_cannot_be_learnt_are_kept_in_a_file_with_the_reason(cli, config, lines, whole, tmp_path):
    log, dead, model = tmp_path / "log.jsonl", tmp_path / "dead.jsonl", tmp_path / "live.pagoda"
    bad = ['{"user_id": ', json.dumps({"user_id": "", "item_id": "i", "ts": 5}), json.dumps(json.loads(lines[0]) | {"ts": "soon"})]
    write(log, [*lines[:100], *bad, *lines[100:]])
    with open(log, "ab") as out:
        out.write(b'{"user_id": "\xff\xfe"\n')
    settings = ("--set", f"stream.dead_letters='{dead}'")
    # Neither data.on_bad_row = "fail" nor the limit stops it: nothing is lost.
    stream(cli, config, model, log, *BARE, *settings, "--set", "data.bad_row_limit=0", says="4 bad")
    assert learnt(cli, model) == whole(*BARE)
    letters = [json.loads(line) for line in dead.read_text().splitlines()]
    assert [letter.get("message") for letter in letters] == [*bad, None]
    assert letters[3]["hex"] == b'{"user_id": "\xff\xfe"'.hex()
    assert all("log.jsonl, byte" in letter["place"] for letter in letters)
    assert "user_id" in letters[1]["reason"] and "empty" in letters[1]["reason"] and "'soon'" in letters[2]["reason"]
    stream(cli, config, model, log, *BARE, *settings, says="4 bad")
    assert len(dead.read_text().splitlines()) == 4, "each once"
    stream(cli, config, tmp_path / "no.pagoda", log, *BARE, "--set", f"stream.dead_letters='{tmp_path}'", code=1, says="cannot be kept there")


def test_each_way_in_which_a_message_may_change_has_its_rule(cli, config, lines, tmp_path):
    log, dead, model = tmp_path / "log.jsonl", tmp_path / "dead.jsonl", tmp_path / "live.pagoda"
    first = [json.loads(line) for line in lines[:2 * BATCH]]
    last = first[-1]["ts"]
    told = {"user_id": "new", "item_id": "7", "ts": last, "device": "tv"}
    good = [told | {"colour": "red"}, {k: v for k, v in told.items() if k != "device"}, told | {"item_id": 7}, told | {"user_id": 12}]
    bad = [{k: v for k, v in told.items() if k != "ts"}, told | {"item_id": ["7"]}, told | {"ts": "noon"}]
    write(log, [json.dumps(one) for one in [*first, *good, *bad, *first[:BATCH - len(good)]]])
    done = stream(cli, config, model, log, *BARE, "--set", f"stream.dead_letters='{dead}'", "--set", "stream.lateness='9000d'")
    assert "3 bad" in done.stderr, done.stderr
    assert [json.loads(json.loads(line)["message"]) for line in dead.read_text().splitlines()] == bad
    told = json.loads(cli("inspect", model, "--json").stdout)["info"]
    assert told["training_rows"] == 3 * BATCH
