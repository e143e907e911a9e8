"""Live events that several servers share in a real Redis: the same answers, and answers without them while it is away."""

import subprocess

import pytest
from redis_server import Redis

LATER = "2031-01-01T00:00:00Z"


@pytest.fixture
def redis(tmp_path):
    running = Redis(tmp_path)
    running.start()
    yield running
    running.kill()


def event(user, item, **more):
    return {"user": user, "item": item, "time": LATER, **more}


def is_live(server):
    return "live" not in server.post("/v1/retrieve", {"user": "u3"})


def settings(redis):
    return [f"serve.redis={redis.url}", "serve.redis_key=clicks"]


def test_servers_that_share_a_redis_give_the_same_answers(serve, bundle, redis):
    ask = {"user": "u3", "k": 40}
    with serve(bundle, settings=settings(redis)) as one, serve(bundle, settings=settings(redis)) as other:
        one.wait_until(lambda: is_live(one) and is_live(other))
        expected = one.post("/v1/retrieve", {**ask, "recent": ["i5", "i9", "i11"]})
        assert one.post("/v1/events", {"events": [event("u3", "i5", id="e-1"), event("u3", "i9", id="e-2")]}) == {"events": 2}
        assert one.post("/v1/retrieve", {**ask, "explain": True})["explain"]["live_events"] == 2, "at once where it was sent"
        other.wait_until(lambda: other.metric("pagoda_live_events ") == 2)
        assert other.post("/v1/events", {"events": [event("u3", "i9", id="e-2"), event("u3", "i11")]}) == {"events": 2, "repeated": 1}
        one.wait_until(lambda: one.metric("pagoda_live_events ") == 3)
        assert one.post("/v1/retrieve", ask) == other.post("/v1/retrieve", ask) == expected
    assert not (bundle.parent / "m.pagoda.events").exists()
    with serve(bundle, settings=settings(redis)) as again:
        again.wait_until(lambda: is_live(again))
        assert again.post("/v1/retrieve", ask) == expected


def test_while_redis_is_away_answers_go_on_and_say_so(serve, bundle, redis):
    body = {"events": [event("u3", "i5", id="e-1")]}
    with serve(bundle, settings=settings(redis)) as server:
        server.wait_until(lambda: is_live(server))
        server.post("/v1/events", body)
        told = server.post("/v1/retrieve", {"user": "u3", "k": 40})
        redis.kill()
        server.wait_until(lambda: not is_live(server))
        got = server.post("/v1/retrieve", {"user": "u3", "k": 40})
        assert got.pop("live") is False
        assert got == told, "what is known goes on to count"
        assert "live" not in server.post("/v1/retrieve", {"user": "u3", "history": ["i1"]}), "it needs no events"
        assert "live" not in server.post("/v1/retrieve", {})
        status, answer, _ = server.call("POST", "/v1/events", {"events": [event("u3", "i9", id="e-2")]})
        assert (status, answer["error"]["message"]) == (503, "the events' Redis cannot be reached: send the events again")
        redis.start()
        server.wait_until(lambda: is_live(server))
        assert server.post("/v1/events", {"events": [event("u3", "i9", id="e-2")]}) == {"events": 1}
        redis.kill()
        redis.start()
        server.wait_until(lambda: is_live(server))
        assert server.post("/v1/events", {"events": [event("u3", "i9", id="e-2")]}) == {"events": 1, "repeated": 1}
        assert server.post("/v1/events", {"events": [event("u3", "i11", id="e-3")]}) == {"events": 1}, "a new connection is made by itself"
        assert server.metric("pagoda_live_events ") == 3, "what was answered outlived the kills"
        assert any("answers go on without" in line for line in server.log)
        assert any("is read again" in line for line in server.log)


def test_a_server_starts_without_redis(serve, bundle, redis):
    redis.kill()
    with serve(bundle, settings=settings(redis)) as server:
        assert not is_live(server)
        redis.start()
        server.wait_until(lambda: is_live(server))


def test_a_stream_that_was_lost_is_read_from_its_begin(serve, bundle, redis):
    with serve(bundle, settings=settings(redis)) as server:
        server.wait_until(lambda: is_live(server))
        subprocess.run(["redis-cli", "-p", str(redis.port), "XADD", "clicks", "99999999999999-1", "event", '{"user": "u3", "item": "i5", "time_us": 1}'], check=True, stdout=subprocess.DEVNULL)
        server.wait_until(lambda: server.metric("pagoda_live_events ") == 1)
        subprocess.run(["redis-cli", "-p", str(redis.port), "DEL", "clicks"], check=True, stdout=subprocess.DEVNULL)
        server.post("/v1/events", {"events": [event("u4", "i9"), event("u4", "i11")]})  # of a smaller id than the one before
        server.wait_until(lambda: server.metric("pagoda_live_events ") == 2)


def test_what_others_write_to_the_key(serve, bundle, redis):
    def write(*words):
        subprocess.run(["redis-cli", "-p", str(redis.port), *words], check=True, stdout=subprocess.DEVNULL)

    with serve(bundle, settings=settings(redis)) as server:
        write("XADD", "clicks", "*", "event", '{"user": "u3", "item": "i5", "time_us": 1900000000000000}')
        write("XADD", "clicks", "*", "event", '{"user": "u3"}')
        write("XADD", "clicks", "*", "note", "not for us", "event", '{"user": "u4", "item": "i9", "time_us": 1900000000000000}')
        server.wait_until(lambda: server.metric("pagoda_live_events ") == 2)
        server.wait_until(lambda: any("of clicks is not an event" in line for line in server.log))
    write("SET", "a text", "x")
    with serve(bundle, settings=[f"serve.redis={redis.url}", "serve.redis_key='a text'"]) as server:
        server.wait_until(lambda: any("WRONGTYPE" in line for line in server.log))
        status, _, _ = server.call("POST", "/v1/events", {"events": [event("u3", "i5")]})
        assert status == 500
        assert not is_live(server)


def test_a_password_comes_from_the_environment(serve, cli, bundle, tmp_path, monkeypatch):
    (tmp_path / "locked").mkdir()
    redis = Redis(tmp_path / "locked", password="open sesame")
    redis.start()
    try:
        with serve(bundle, settings=settings(redis)) as server:
            server.wait_until(lambda: any("NOAUTH" in line for line in server.log))
        monkeypatch.setenv("REDISCLI_AUTH", "open sesame")
        with serve(bundle, settings=[f"serve.redis={redis.url}/3"]) as server:
            server.wait_until(lambda: is_live(server))
            server.post("/v1/events", {"events": [event("u3", "i5")]})
    finally:
        redis.kill()


@pytest.mark.parametrize("url, says", [
    ("127.0.0.1:6379", "does not begin with redis://"), ("redis://", "names no host"), ("redis://host:port", "has 'port' where a number belongs"),
    ("redis://host/db", "has 'db' where a number belongs"), ("redis://me:secret@host", "a password belongs into the environment's REDISCLI_AUTH"), ("rediss://me:secret@host", "a password belongs into the environment's REDISCLI_AUTH"),
])
def test_a_wrong_url_is_refused(cli, bundle, url, says):
    done = cli("serve", bundle, "--set", f"serve.redis={url}", code=2, says=says)
    assert "secret" not in done.stderr
