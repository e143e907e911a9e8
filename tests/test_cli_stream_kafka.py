"""A model that learns from Kafka: `pagoda stream` with a real broker."""

import json
import random
import signal
import time

import pytest

from test_cli_stream import BARE, BATCH, STREAM, learnt, lines, running, wait_for, whole  # noqa: F401


def words(config, output, broker, topic, *extra):
    return ["stream", "-c", config, "-o", output, *STREAM, *BARE, "--set", f"stream.topic='{topic}'", "--set",
            f"stream.kafka.bootstrap.servers='{broker.address}'", *extra]


def spread(lines, partitions, seed=1):
    """(partition, line) pairs: each partition in order of time."""
    chance = random.Random(seed)
    return [(chance.randrange(partitions), line) for line in lines]


def test_a_topic_is_one_pass_of_training_to_the_bit(cli, config, lines, whole, broker, tmp_path):  # noqa: F811
    broker("create", "clicks", 3)
    messages = spread(lines, 3)
    model = tmp_path / "live.pagoda"
    for at in range(0, len(messages), 2000):
        # The order within a partition holds, that between partitions does not.
        broker.produce("clicks", sorted(messages[at:at + 2000], key=lambda m: m[0]))
        cli(*words(config, model, broker, "clicks", "--once"))
    # A partition's last events may wait for those of the others.
    done = cli(*words(config, model, broker, "clicks", "--once"))
    assert learnt(cli, model) == whole(*BARE), done.stderr
    committed = dict(line.split() for line in broker("committed", "clicks", "pagoda-clicks").splitlines())
    assert sum(map(int, committed.values())) == len(lines), "lag tools see what was learnt"


def test_partitions_that_are_apart_in_time_are_read_in_its_order(cli, config, lines, whole, broker, tmp_path):  # noqa: F811
    broker("create", "apart", 2)
    middle = len(lines) // 2
    broker.produce("apart", [(int(n < middle), line) for n, line in enumerate(lines)])
    model = tmp_path / "live.pagoda"
    cli(*words(config, model, broker, "apart", "--once", "--set", "stream.segment_rows=64"))
    assert learnt(cli, model) == whole(*BARE)


def test_trainer_and_broker_are_killed_and_nothing_is_lost_or_doubled(cli, config, lines, whole, broker, tmp_path):  # noqa: F811
    broker("create", "kills", 2)
    broker.produce("kills", spread(lines, 2))
    chance = random.Random(3)
    model, kills = tmp_path / "live.pagoda", 0
    for trial in range(8):
        with running(cli, words(config, model, broker, "kills", "--set", "stream.segment_rows=64")) as process:
            time.sleep(chance.uniform(0.3, 0.9))
            if trial % 3 == 1:
                broker.kill()
                time.sleep(0.2)
                broker.start()
                time.sleep(chance.uniform(0.5, 2))
            kills += process.poll() is None
    assert kills == 8
    cli(*words(config, model, broker, "kills", "--once"))
    assert learnt(cli, model) == whole(*BARE)


def test_a_broker_that_is_away_is_waited_for(cli, config, lines, broker, tmp_path):  # noqa: F811
    broker("create", "away", 1)
    said, model = tmp_path / "said", tmp_path / "live.pagoda"
    broker.produce("away", [(0, line) for line in lines[:2 * BATCH]])
    with running(cli, words(config, model, broker, "away", "--set", "stream.idle='0s'"), said) as process:
        wait_for(lambda: "segment 1" in said.read_text())
        broker.stop()
        wait_for(lambda: "no broker answers; waiting" in said.read_text())
        broker.start()
        broker.produce("away", [(0, line) for line in lines[2 * BATCH:4 * BATCH]])
        wait_for(lambda: f"to {json.loads(lines[4 * BATCH - 1])['ts'][:19]}" in said.read_text())
        assert "the broker is back" in said.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_partitions_that_are_added_are_read_and_a_deleted_topic_is_said(cli, config, lines, broker, tmp_path):  # noqa: F811
    broker("create", "grows", 1)
    said, model = tmp_path / "said", tmp_path / "live.pagoda"
    broker.produce("grows", [(0, line) for line in lines[:2 * BATCH]])
    with running(cli, words(config, model, broker, "grows", "--set", "stream.idle='0s'"), said) as process:
        wait_for(lambda: "segment 1" in said.read_text())
        broker("grow", "grows", 2)
        broker.produce("grows", [(1, line) for line in lines[2 * BATCH:3 * BATCH]])
        wait_for(lambda: "has 2 partitions now" in said.read_text())
        wait_for(lambda: f"to {json.loads(lines[3 * BATCH - 1])['ts'][:19]}" in said.read_text())
        broker("delete", "grows")
        assert process.wait(60) == 1
    assert "topic 'grows' was deleted; what was learnt of it stands" in said.read_text()
    assert model.exists() or (tmp_path / "live.pagoda.stream" / "position").exists()


def test_where_it_begins_and_what_was_deleted(cli, config, lines, broker, tmp_path):  # noqa: F811
    broker("create", "starts", 1)
    broker.produce("starts", [(0, line) for line in lines[:BATCH]])
    time.sleep(1.1)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    broker.produce("starts", [(0, line) for line in lines[BATCH:3 * BATCH]])
    rows = {}
    for name in ("begin", "end", now):
        model = tmp_path / f"{len(rows)}.pagoda"
        cli(*words(config, model, broker, "starts", "--once", "--set", f"stream.start='{name}'"))
        rows[name] = json.loads(cli("inspect", model, "--json").stdout)["info"]["training_rows"] if model.exists() else 0
    assert rows == {"begin": 3 * BATCH, "end": 0, now: 2 * BATCH}
    # The end stays where it was when the stream began.
    broker.produce("starts", [(0, line) for line in lines[3 * BATCH:5 * BATCH]])
    cli(*words(config, tmp_path / "1.pagoda", broker, "starts", "--once"))
    assert json.loads(cli("inspect", tmp_path / "1.pagoda", "--json").stdout)["info"]["training_rows"] == 2 * BATCH
    broker("trim", "starts", 0, 4 * BATCH)
    done = cli(*words(config, tmp_path / "0.pagoda", broker, "starts", "--once"), code=1)
    assert f"goes on at offset {3 * BATCH}" in done.stderr and f"{BATCH} messages were deleted" in done.stderr
    cli(*words(config, tmp_path / "0.pagoda", broker, "starts", "--once", "--set", "stream.gaps='skip'"), says="are skipped")
    assert json.loads(cli("inspect", tmp_path / "0.pagoda", "--json").stdout)["info"]["training_rows"] == 4 * BATCH


def test_what_is_wrong_is_said_with_the_key(cli, config, lines, broker, tmp_path):  # noqa: F811
    broker("create", "words", 1)
    model = tmp_path / "live.pagoda"
    cli(*words(config, model, broker, "wrods", "--once"), code=3, says=("no topic 'wrods'", "did you mean 'words'"))
    cli(*words(config, model, broker, "words", "--once", "--set", "stream.kafka.fetch.wait.max.mss=5"), code=2, says="fetch.wait.max.mss")
    cli(*words(config, model, broker, "words", "--once", "--set", "stream.kafka.auto.offset.reset='earliest'"), code=2,
        says="auto.offset.reset is set by Pagoda")
    cli("stream", "-c", config, "-o", model, *STREAM, *BARE, "--set", "stream.topic='words'", code=2, says="bootstrap.servers")
    cli("stream", "-c", config, "-o", model, *STREAM, *BARE, "--set", "stream.topic='words'", "--once", "--set",
        "stream.kafka.bootstrap.servers='127.0.0.1:1'", code=1, says="no broker of [stream.kafka] bootstrap.servers answers")


def test_messages_that_cannot_be_learnt_go_to_a_topic_with_the_reason(cli, config, lines, whole, broker, tmp_path):  # noqa: F811
    broker("create", "mixed", 1)
    broker("create", "dead", 1)
    bad = ["no json", json.dumps({"user_id": "u", "item_id": "", "ts": 5})]
    broker.produce("mixed", [(0, line) for line in [*lines[:70], *bad, *lines[70:]]])
    model = tmp_path / "live.pagoda"
    settings = ("--set", "stream.dead_letters='dead'", "--once")
    cli(*words(config, model, broker, "mixed", *settings), says="2 bad")
    assert learnt(cli, model) == whole(*BARE)
    letters = [line.split("\t") for line in broker("consume", "dead").splitlines()]
    assert [letter[-1] for letter in letters] == bad
    assert letters[0][0] == "place=mixed-0, offset 70" and letters[1][0] == "place=mixed-0, offset 71"
    assert letters[1][1].startswith("reason=") and "item_id" in letters[1][1]
    cli(*words(config, model, broker, "mixed", "--set", "stream.dead_letters='nowhere'", "--once"), code=3, says="knows no topic 'nowhere'")
