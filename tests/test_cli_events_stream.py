"""Live events from a stream: files that grow, and Kafka with a real broker; each once, through every kill."""

import json
import random
import shutil
import signal
import time

import pytest


def line(user, item, second, **more):
    return json.dumps({"user_id": user, "item_id": item, "ts": f"2025-06-01T00:{second // 60:02}:{second % 60:02}Z", **more})


def held(server):
    return server.metric("pagoda_live_events ")


def test_lines_of_a_growing_file_count_like_events_of_calls(serve, bundle, config, tmp_path):
    log = tmp_path / "clicks.jsonl"
    log.write_text(line("u3", "i5", 1, device="phone") + "\n" + line("u3", "i9", 2, device="tv") + "\n")
    words = ("-c", config)
    settings = ["serve.events=files", f"stream.files=['{log}']"]
    with serve(bundle, *words, settings=settings) as server:
        server.wait_until(lambda: held(server) == 2)
        ask = {"user": "u3", "k": 40}
        assert server.post("/v1/retrieve", ask) == server.post("/v1/retrieve", {**ask, "recent": [], "context": {"device": "tv"}})
        with open(log, "a") as file:
            file.write(line("u3", "i11", 3) + "\nno event\n" + line("u4", "i5", 4) + "\n")
        server.wait_until(lambda: held(server) == 4)
        server.post("/v1/events", {"events": [{"user": "u4", "item": "i9", "time": "2025-06-01T00:00:05Z"}]})
        told = [server.post("/v1/retrieve", {"user": user, "k": 40}) for user in ("u3", "u4")]
        assert server.metric('pagoda_events_total{outcome="new"}') == 5
        assert any("no event" in one or "clicks.jsonl" in one for one in server.log), "a bad line is told"
    shutil.copy(bundle, tmp_path / "plain.pagoda")
    with serve(tmp_path / "plain.pagoda") as plain:
        for user, recent, context, expected in (("u3", ["i5", "i9", "i11"], {"device": "tv"}, told[0]), ("u4", ["i5", "i9"], {}, told[1])):
            got = plain.post("/v1/retrieve", {"user": user, "k": 40, "recent": recent, "context": context})
            assert (got["items"], got["scores"]) == (expected["items"], expected["scores"])
    with serve(bundle, *words, settings=settings) as again:
        time.sleep(0.5)
        assert held(again) == 5, "it goes on where it was, and reads nothing twice"
        with open(log, "a") as file:
            file.write(line("u5", "i5", 6) + "\n")
        again.wait_until(lambda: held(again) == 6)


def test_messages_of_kafka_count_once_through_kills_of_server_and_broker(serve, bundle, config, broker, tmp_path, pytestconfig):
    broker("create", "clicks", 3)
    rng = random.Random(5)
    settings = ["serve.events=kafka", "stream.topic=clicks", f"stream.kafka.bootstrap.servers='{broker.address}'", "serve.max_events_of_user=100000"]
    sent = 0
    for trial in range(30 if pytestconfig.getoption("--all") else 4):
        messages = [(rng.randrange(3), line(f"v{rng.randrange(200)}", f"i{rng.randrange(300)}", i % 3600)) for i in range(sent, sent + 500)]
        broker.produce("clicks", messages)
        sent += len(messages)
        with serve(bundle, "-c", config, settings=settings) as server:
            time.sleep(rng.uniform(0.02, 0.5))
            if trial % 2 == 1:
                broker.kill()
                time.sleep(0.2)
                assert server.post("/v1/retrieve", {"user": "u3"})["items"], "answers go on"
                broker.start()
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
    with serve(bundle, "-c", config, settings=settings) as server:
        server.wait_until(lambda: held(server) == sent, seconds=60)
        time.sleep(0.3)
        assert held(server) == sent
        broker.produce("clicks", [(0, line("u3", "i5", 1))])
        begin = time.monotonic()
        server.wait_until(lambda: server.post("/v1/retrieve", {"user": "u3", "explain": True})["explain"]["live_events"] == 1)
        assert time.monotonic() - begin < 5
    ids = [json.loads(one)["id"] for one in (tmp_path / "m.pagoda.events").read_text().splitlines()]
    assert len(ids) == len(set(ids)) == sent + 1


@pytest.mark.parametrize("settings, says", [
    (["serve.events=kafka"], "say where the stream comes from"), (["serve.events=kafka", "stream.files=['x.jsonl']"], 'serve.events = "kafka" needs stream.topic'),
    (["serve.events=kafak"], "did you mean 'kafka'?"),
])
def test_a_stream_that_is_not_named_is_told(cli, bundle, config, settings, says):
    words = [word for one in settings for word in ("--set", one)]
    cli("serve", bundle, "-c", config, "--http", "127.0.0.1:0", *words, code=2, says=says)


def test_a_damaged_position_is_told(cli, bundle, config, tmp_path):
    (tmp_path / "m.pagoda.events.position").write_text("{")
    cli("serve", bundle, "-c", config, "--http", "127.0.0.1:0", "--set", "serve.events=files", "--set", f"stream.files=['{tmp_path}/x.jsonl']", code=1,
        says="remove it to begin where stream.start says")
