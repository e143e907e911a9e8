"""Messages of a stream that are not JSON: Arrow, Avro and Protobuf, with a real broker and a schema registry."""

import datetime
import io
import json
import os
import random
import signal
import subprocess
import sys
import time

import fastavro
import pyarrow as pa
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from schema_registry import Registry
from test_cli_events_stream import held, line as event_line
from test_cli_stream import BARE, BATCH, learnt, lines, running, wait_for, whole  # noqa: F401
from test_cli_stream_kafka import words as kafka_words

AVRO = {"type": "record", "name": "Click", "namespace": "shop", "fields": [
    {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "item_id", "type": "string"},
    {"name": "user_id", "type": ["null", "string"]},
    {"name": "device", "type": ["null", "string"], "default": None},
    {"name": "unread", "type": {"type": "map", "values": "double"}, "default": {}}]}
PROTO = """syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "shop/device.proto";
message Other {}
message Outer {
  message Unused {}
  message Click {
    reserved 4;
    string user_id = 1;
    string item_id = 2;
    google.protobuf.Timestamp ts = 3;
    optional string device = 5;
    Device unread = 6;
  }
}
"""
DEVICE = 'syntax = "proto3"; package shop; message Device { string name = 1; }'


def head(number):
    return b"\0" + number.to_bytes(4, "big")


def record(line):
    row = json.loads(line)
    time_ = datetime.datetime.fromisoformat(row["ts"])
    return {**row, "ts": time_ if time_.tzinfo else time_.replace(tzinfo=datetime.timezone.utc)}


def in_avro(row, number=1, schema=AVRO):
    out = io.BytesIO(head(number))
    out.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), {"unread": {}, **row})
    return out.getvalue()


@pytest.fixture(scope="module")
def click(tmp_path_factory):
    """The class of shop.Outer.Click."""
    folder = tmp_path_factory.mktemp("proto")
    (folder / "shop").mkdir()
    (folder / "shop/device.proto").write_text(DEVICE)
    (folder / "click.proto").write_text(PROTO)
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--descriptor_set_out={folder}/set", "--include_imports",
                    f"{folder}/click.proto"], check=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString((folder / "set").read_bytes()).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Outer.Click"))


def in_protobuf(click, row, number=1):
    message = click(user_id=row["user_id"], item_id=row["item_id"])
    message.ts.FromDatetime(row["ts"])
    if row.get("device") is not None:
        message.device = row["device"]
    return head(number) + bytes([4, 2, 2]) + message.SerializeToString()  # [1, 1], of either sign


def in_arrow(rows, cut=None):
    """One message; its record batches have `cut` rows at most."""
    schema = pa.schema({"user_id": pa.string(), "item_id": pa.string(), "ts": pa.timestamp("us", "UTC"), "device": pa.dictionary(pa.int32(), pa.string())})
    out = io.BytesIO()
    table = pa.table({name: pa.array([row.get(name) for row in rows], schema.field(name).type) for name in schema.names}, schema)
    with pa.ipc.new_stream(out, schema) as writer:
        writer.write_table(table, cut)
    return out.getvalue()


@pytest.fixture
def registry():
    registry = Registry()
    registry.add(1, json.dumps(AVRO))
    yield registry
    registry.stop()


def words(config, model, broker, topic, form, registry=None, *extra):
    url = ("--set", f"stream.registry='{registry if isinstance(registry, str) else registry.url()}'") if registry else ()
    return kafka_words(config, model, broker, topic, "--set", f"stream.messages='{form}'", *url, *extra)


def spread(messages, partitions=2):
    chance = random.Random(4)
    return [(chance.randrange(partitions), message) for message in messages]


def cut_up(rows):
    """Lists of one row or many."""
    chance = random.Random(9)
    at = 0
    while at < len(rows):
        n = chance.choice([1, 3, 100, 700])
        yield rows[at:at + n]
        at += n


@pytest.mark.parametrize("form", ["arrow", "avro", "protobuf"])
def test_a_form_gives_the_bits_of_the_same_events_as_json(cli, config, lines, whole, broker, registry, click, tmp_path, form):  # noqa: F811
    broker("create", form, 2)
    rows, model = [record(line) for line in lines], tmp_path / "live.pagoda"
    assert {type(row["user_id"]) for row in rows} == {str}
    if form == "protobuf":
        registry.add(2, DEVICE, "PROTOBUF", subject="shop/device")
        registry.add(1, PROTO, "PROTOBUF", [("shop/device.proto", "shop/device", 1)])
    middle = len(rows) // 3 // BATCH * BATCH + 17
    for part in (rows[:middle], rows[middle:]):
        messages = ([in_arrow(some, 40) for some in cut_up(part)] if form == "arrow" else
                    [in_avro(row) for row in part] if form == "avro" else [in_protobuf(click, row) for row in part])
        broker.produce(form, spread(messages))
        # The first run ends within messages of many rows: a whole batch is learnt, the rest of its rows is not.
        done = cli(*words(config, model, broker, form, form, None if form == "arrow" else registry, "--once", "--set", "stream.lateness='1000d'"))
        assert ("17 events were read and make no segment" in done.stderr) == (part[0] is rows[0])
    assert learnt(cli, model) == whole(*BARE), done.stderr
    assert f"{len(lines) / 1000:.1f}".rstrip("0").rstrip(".") + "k events learnt; 0 late, 0 bad" in done.stderr
    if form != "arrow":
        assert registry.asked["/schemas/ids/1"] == 2, "once in each run"


def test_killed_within_messages_of_many_rows_it_loses_none_and_learns_none_twice(cli, config, lines, whole, broker, tmp_path):  # noqa: F811
    broker("create", "many", 1)
    model, chance = tmp_path / "live.pagoda", random.Random(2)
    broker.produce("many", [(0, in_arrow(some)) for some in cut_up([record(line) for line in lines])])
    for _ in range(4):
        with running(cli, words(config, model, broker, "many", "arrow", None, "--set", "stream.segment_rows=64")):
            time.sleep(chance.uniform(0.3, 0.7))
    done = cli(*words(config, model, broker, "many", "arrow", None, "--once"))
    assert "goes on after" in done.stderr
    assert learnt(cli, model) == whole(*BARE)


def test_a_registry_that_is_away_is_waited_for_and_nothing_is_skipped(cli, config, lines, whole, broker, registry, tmp_path):  # noqa: F811
    broker("create", "waits", 1)
    said, model = tmp_path / "said", tmp_path / "live.pagoda"
    registry.add(2, json.dumps(AVRO))
    middle = len(lines) // 2
    broker.produce("waits", [(0, in_avro(record(line), 1 + (n >= middle))) for n, line in enumerate(lines)])
    registry.stop()
    with running(cli, words(config, model, broker, "waits", "avro", registry, "--once"), said) as process:
        wait_for(lambda: "waiting for schema 1 of waits-0, offset 0, and nothing is skipped" in said.read_text())
        registry.status = 503
        registry.start()
        wait_for(lambda: "it answers with status 503" in said.read_text())
        registry.status = None
        assert process.wait(60) == 0
    assert "the schema registry answers again" in said.read_text()
    assert learnt(cli, model) == whole(*BARE)
    # It ends while it waits, and goes on from there.
    registry.status = 500
    broker.produce("waits", [(0, in_avro(record(lines[-1])))])
    with running(cli, words(config, model, broker, "waits", "avro", registry), said) as process:
        wait_for(lambda: "waiting for schema 1" in said.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    # 404 of something that is no registry says nothing about a schema.
    registry.status = None
    with running(cli, words(config, model, broker, "waits", "avro", registry.url(path="/wrong")), said) as process:
        wait_for(lambda: "it answers with status 404, and not as a registry does" in said.read_text())


def test_bad_messages_are_told_with_place_and_reason_and_schemas_may_change(cli, config, lines, whole, broker, registry, tmp_path):  # noqa: F811
    broker("create", "bad", 1)
    broker("create", "letters", 1)
    rows, model = [record(line) for line in lines], tmp_path / "live.pagoda"
    fields = {field["name"]: field for field in AVRO["fields"]}

    def schema(number, *fields, kind="AVRO"):
        changed = {**AVRO, "fields": list(fields)}
        registry.add(number, json.dumps(changed), kind)
        return changed
    more = schema(2, {"name": "new", "type": "int"}, *AVRO["fields"])
    listed = schema(3, *(fields[name] for name in ("ts", "item_id")), {"name": "user_id", "type": {"type": "array", "items": "string"}})
    lacks = schema(4, fields["ts"], fields["user_id"])
    schema(5, *AVRO["fields"], kind="JSON")
    registry.add(6, '{"type": "record", "name": "r", "fields": [{"name": "a", "type": "Gone"}]}')
    bad = {b"{no avro": "begins with the byte 123",
           in_avro(rows[0], 77): "the registry knows no schema 77",
           in_avro(rows[0])[:-2]: "is cut off, or written by another schema",
           in_avro({**rows[0], "user_id": ["u"]}, 3, listed): "column 'user_id' holds lists",
           in_avro(rows[0], 4, lacks): "column 'item_id' is empty",
           in_avro(rows[0], 5): "schema 5 is of type JSON",
           in_avro(rows[0], 6): "names a type 'Gone'",
           in_avro({**rows[0], "user_id": None}): "column 'user_id' is empty",
           in_avro(rows[0]) + b"x": "goes on behind its record",
           b"\0\xff\xff\xff\xff": "is no positive 32-bit number"}
    good = [in_avro({**row, "new": 7}, 2, more) if n % 2 else in_avro(row) for n, row in enumerate(rows)]
    broker.produce("bad", [(0, message) for message in [*good[:70], *bad, *good[70:]]])
    cli(*words(config, model, broker, "bad", "avro", registry, "--once"), code=3, says=("bad-0, offset 70: begins with the byte 123", "on_bad_row"))
    settings = ("--set", "stream.dead_letters='letters'", "--once")
    done = cli(*words(config, model, broker, "bad", "avro", registry, *settings), says=f"{len(bad)} bad")
    assert learnt(cli, model) == whole(*BARE), done.stderr
    told = [line for line in broker("consume", "letters", errors="replace").split("place=bad-0, offset ")[1:]]
    assert len(told) == len(bad)
    for n, (letter, reason) in enumerate(zip(told, bad.values())):
        assert letter.startswith(f"{70 + n}\treason=") and reason in letter, letter
    model = tmp_path / "other.pagoda"
    cli(*words(config, model, broker, "bad", "avro", registry, "--once", "--set", "data.on_bad_row='skip'"), says=f"{len(bad)} bad")
    cli(*words(config, tmp_path / "few.pagoda", broker, "bad", "avro", registry, "--once", "--set", "data.on_bad_row='skip'", "--set",
               "data.bad_row_limit=3"), code=3, says="more than the 3 bad row(s) allowed")


def test_a_server_takes_each_row_of_a_message_once(serve, bundle, config, broker, tmp_path):
    broker("create", "live", 1)
    rows = [record(event_line(f"v{n % 50}", f"i{n % 300}", n)) for n in range(900)]
    broker.produce("live", [(0, in_arrow(rows[at:at + 300])) for at in range(0, 900, 300)])
    settings = ["serve.events=kafka", "stream.topic=live", "stream.messages=arrow", f"stream.kafka.bootstrap.servers='{broker.address}'",
                "serve.max_events_of_user=100000"]
    for _ in range(2):
        with serve(bundle, "-c", config, settings=settings) as server:
            server.wait_until(lambda: held(server) == 900, seconds=60)
            time.sleep(0.3)
            assert held(server) == 900
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
        (tmp_path / "m.pagoda.events.position").unlink()  # it reads all again


def test_user_and_password_go_to_the_registry_and_into_no_message(cli, config, lines, broker, tmp_path):  # noqa: F811
    broker("create", "secret", 1)
    broker.produce("secret", [(0, in_avro(record(line))) for line in lines[:2 * BATCH]])
    registry = Registry("ann:pa:ss/phrase")
    registry.add(1, json.dumps(AVRO))
    said, model = tmp_path / "said", tmp_path / "live.pagoda"
    try:
        with running(cli, words(config, model, broker, "secret", "avro", registry), said):
            wait_for(lambda: "refuses user and password (status 401)" in said.read_text())
        with running(cli, words(config, model, broker, "secret", "avro", registry.url("ann:hush")), said):
            wait_for(lambda: "refuses user and password" in said.read_text())
        assert "hush" not in said.read_text()
        done = cli(*words(config, model, broker, "secret", "avro", registry.url("ann:pa%3Ass%2Fphrase"), "--once"))
        assert "phrase" not in done.stderr and "128 events learnt" in done.stderr
        cli(*words(config, tmp_path / "env.pagoda", broker, "secret", "avro", registry, "--once"), says="128 events learnt",
            env={**os.environ, "SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO": "ann:pa:ss/phrase"})
    finally:
        registry.stop()


def test_over_tls_the_registry_must_be_who_it_says(cli, config, lines, broker, tmp_path):  # noqa: F811
    broker("create", "tls", 1)
    broker.produce("tls", [(0, in_avro(record(line))) for line in lines[:2 * BATCH]])
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                    "/CN=registry", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + certificate.read_text())
    registry = Registry(certificate=both)
    registry.add(1, json.dumps(AVRO))
    said, model = tmp_path / "said", tmp_path / "live.pagoda"
    trusts = {**os.environ, "SSL_CERT_FILE": str(certificate)}
    try:
        with running(cli, words(config, model, broker, "tls", "avro", registry.url(host="localhost")), said):
            wait_for(lambda: "certificate verify failed" in said.read_text())
        cli(*words(config, model, broker, "tls", "avro", registry.url(host="localhost"), "--once"), env=trusts, says="128 events learnt")
    finally:
        registry.stop()


def test_what_is_wrong_in_the_config_is_said_with_the_key(cli, config, broker, tmp_path):  # noqa: F811
    model = tmp_path / "live.pagoda"
    cli(*words(config, model, broker, "x", "avro"), code=2, says='stream.messages = "avro" needs stream.registry')
    cli(*words(config, model, broker, "x", "json", "http://r:1"), code=2, says="stream.registry holds schemas")
    cli(*words(config, model, broker, "x", "avr", "http://r:1"), code=2, says="stream.messages")
    cli("stream", "-c", config, "-o", model, "--set", "stream.files=['x']", "--set", "stream.messages='arrow'", code=2,
        says="files of a stream hold one JSON object a line")
    for url in ("registry:8081", "ftp://ann:hush@r", "http://ann:hush@r:99999", "http://ann:hush@", "http://ann:hush@r/?x=1"):
        done = cli(*words(config, model, broker, "x", "avro", url), code=2, says="stream.registry")
        assert "hush" not in done.stderr
