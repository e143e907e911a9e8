"""POST /v1/events: what a user does counts in the next answer, on disk through every kill, once."""

import contextlib
import http.client
import itertools
import json
import random
import shutil
import signal
import threading

import pytest

LATER = "2031-01-01T00:00:00Z"  # than the whole log


def event(user, item, time=LATER, **more):
    return {"user": user, "item": item, "time": time, **more}


def add(server, *events):
    return server.post("/v1/events", {"events": list(events)})


def bits(answer):
    """An answer without its times."""
    return {key: value for key, value in answer.items() if key != "explain"}


def test_an_event_counts_as_it_would_in_the_request(serve, bundle):
    with serve(bundle) as server:
        for user in ("u3", "u7", "nobody before"):
            ask = {"user": user, "k": 50}
            before = server.post("/v1/retrieve", ask)
            recent = [before["items"][0], "i7", before["items"][4]]
            expected = server.post("/v1/retrieve", {**ask, "recent": recent})
            vector = server.post("/v1/encode", {"users": [{"user": user, "recent": recent}]})["vectors"]
            assert add(server, *(event(user, item) for item in recent)) == {"events": 3}
            after = server.post("/v1/retrieve", {**ask, "explain": True})
            assert bits(after) == expected != before
            assert after["explain"]["live_events"] == 3
            assert not set(recent) & set(after["items"]), "what was just clicked does not come back"
            assert server.post("/v1/retrieve_batch", {"requests": [ask, {"k": 50}]})["answers"][0] == expected
            assert server.post("/v1/encode", {"users": [{"user": user}]})["vectors"] == vector
            own = server.post("/v1/retrieve", {**ask, "history": ["i1"], "explain": True})
            assert own["explain"]["live_events"] == 0, "a request's own history is the whole history"
        assert server.post("/v1/retrieve", {"user": "u9", "explain": True})["explain"]["live_events"] == 0
        assert server.metric("pagoda_live_events") == server.metric("pagoda_events_total") == 9
        assert server.metric("pagoda_live_users") == 3


def test_times_order_events_and_the_latest_tells_the_context(serve, bundle):
    with serve(bundle) as server:
        expected = server.post("/v1/retrieve", {"user": "u3", "recent": ["i5", "i7", "i9"], "context": {"device": "tv"}, "k": 30})
        add(server, event("u3", "i9", "2031-01-03"), event("u3", "i5", "2031-01-01", context={"device": "phone"}))
        add(server, event("u3", "i7", "2031-01-02", context={"device": "tv"}))
        assert server.post("/v1/retrieve", {"user": "u3", "k": 30}) == expected
        phone = server.post("/v1/retrieve", {"user": "u3", "context": {"device": "phone"}, "k": 30})
        assert phone["scores"] != expected["scores"], "the request's own context comes first"


def test_an_id_makes_an_event_count_once(serve, bundle):
    with serve(bundle) as server:
        assert add(server, event("u3", "i5", id="e-1"), event("u3", "i9", id="e-2")) == {"events": 2}
        once = server.post("/v1/retrieve", {"user": "u3", "k": 30})
        assert add(server, event("u3", "i5", id="e-1"), event("u3", "i9", id="e-2")) == {"events": 2, "repeated": 2}
        assert add(server, event("u3", "i11", id="e-3"), event("u3", "i11", id="e-3")) == {"events": 2, "repeated": 1}
        assert server.metric('pagoda_events_total{outcome="repeated"}') == 3
        assert add(server, event("u4", "an item of tomorrow")) == {"events": 1, "unknown_items": 1}
    with serve(bundle) as server:
        assert add(server, event("u3", "i5", id="e-1")) == {"events": 1, "repeated": 1}, "a restart forgets no id"
        assert server.metric("pagoda_live_events") == 4
        assert server.post("/v1/retrieve", {"user": "u3", "k": 30}) != once
        lines = [json.loads(line) for line in (bundle.parent / "m.pagoda.events").read_text().splitlines()]
        assert [line["id"] for line in lines[:3]] == ["e-1", "e-2", "e-3"]


def test_an_item_that_comes_later_is_seen_and_shapes_the_history(serve, bundle):
    with serve(bundle) as server:
        users = ("u3", "nobody before")
        before = {user: server.post("/v1/encode", {"users": [{"user": user}]})["vectors"] for user in users}
        for user in users:
            add(server, event(user, "new"))
            assert server.post("/v1/encode", {"users": [{"user": user}]})["vectors"] == before[user], "nothing is known of it yet"
        server.post("/v1/items:upsert", {"items": [{"item": "new", "attributes": {"title": "Number 1"}}]})
        assert "new" not in server.post("/v1/retrieve", {"user": "u3", "k": 1000})["items"]
        for user in users:
            live = server.post("/v1/encode", {"users": [{"user": user}]})["vectors"]
            assert live != before[user]
        whole = server.post("/v1/encode", {"users": [{"history": ["new"]}]})["vectors"]
        assert live == whole, "a live user has the bits of a request with the whole history"
        assert "new" in server.post("/v1/retrieve", {"user": "u4", "k": 1000})["items"]


def test_the_page_shows_them_and_the_compared_model_has_them_too(serve, bundle, second):
    with serve(bundle, "--ui", "--compare", second) as server:
        before = server.post("/compare/v1/retrieve", {"user": "u3", "k": 30})
        seen = server.post("/v1/users:find", {"users": ["u3"], "history": 2})["seen"][0]
        add(server, event("u3", "i7"))
        server.post("/compare/v1/events", {"events": [event("u3", "i9")]})
        found = server.post("/v1/users:find", {"users": ["u3"], "history": 2})
        assert (found["seen"], found["histories"]) == ([seen + 2], [["i7", "i9"]])
        after = server.post("/compare/v1/retrieve", {"user": "u3", "k": 30, "explain": True})
        assert after["explain"]["live_events"] == 2
        assert after["items"] != before["items"]


def test_a_bundle_that_was_trained_with_an_event_has_it_once(cli, serve, config, world, bundle, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq
    log = pq.read_table(world / "interactions.parquet")
    more = log.slice(0, 2).to_pylist()
    last = max(log["ts"].to_pylist())
    known = set(log.filter(pa.compute.equal(log["user_id"], "u3"))["item_id"].to_pylist())
    first, second = itertools.islice((f"i{i}" for i in range(300) if f"i{i}" not in known), 2)
    at = last.replace(year=last.year + 1)
    more = [{**more[0], "user_id": "u3", "item_id": first, "ts": at}, {**more[1], "user_id": "u4", "item_id": "i9", "ts": at}]
    pq.write_table(pa.concat_tables([log, pa.Table.from_pylist(more, schema=log.schema)]), tmp_path / "more.parquet")
    with serve(bundle) as server:
        add(server, event("u3", first, at.isoformat() + "Z"), event("u3", second, at.replace(year=at.year + 1).isoformat() + "Z"))
        cli("train", "-c", config, "--set", f'data.interactions=["{tmp_path}/more.parquet"]', "--set", 'data.split={kind="none"}',
            "--set", "train.epochs=1", "--set", "train.refit=false", "-o", tmp_path / "next.pagoda")
        (tmp_path / "next.pagoda").rename(bundle)
        server.wait_until(lambda: server.metric('pagoda_reloads_total{outcome="taken"}') == 1)
        got = server.post("/v1/retrieve", {"user": "u3", "k": 30, "explain": True})
        assert got["explain"]["live_events"] == 1
    shutil.copy(bundle, tmp_path / "plain.pagoda")
    with serve(tmp_path / "plain.pagoda") as server:
        assert bits(got) == server.post("/v1/retrieve", {"user": "u3", "k": 30, "recent": [second]})


def test_memory_is_bounded_and_the_journal_kept_short(serve, bundle):
    bounds = ["serve.max_events=300", "serve.max_events_of_user=5"]
    journal = bundle.parent / "m.pagoda.events"
    with serve(bundle, settings=bounds) as server:
        for i in range(0, 12000, 200):
            add(server, *(event(f"v{j % 97}", f"i{j % 300}", id=f"e{j}") for j in range(i, i + 200)))
        assert server.metric("pagoda_live_events") <= 300
        assert server.metric("pagoda_live_users_let_go") > 0
        server.wait_until(lambda: len(journal.read_text().splitlines()) < 12000)
        state = [server.post("/v1/retrieve", {"user": f"v{i}", "k": 20}) for i in range(97)]
        held = server.metric("pagoda_live_events")
    with serve(bundle, settings=bounds) as server:
        assert server.metric("pagoda_live_events") == held
        assert [server.post("/v1/retrieve", {"user": f"v{i}", "k": 20}) for i in range(97)] == state


@pytest.mark.parametrize("body, field, message", [
    ({}, "events", "'events' is missing, expected a list of one or more events"),
    ({"events": []}, "events", "'events' is a list, expected a list of one or more events"),
    ({"evnts": []}, "evnts", "unknown key 'evnts'; did you mean 'events'?"),
    ({"events": [{}]}, "events[0].user", "'user' is missing"),
    ({"events": [{"user": "u3", "item": "i5"}, 3]}, "events[1]", "'events[1]' is 3, expected an object"),
    ({"events": [{"user": "u3"}]}, "events[0].item", "'item' is missing"),
    ({"events": [{"user": "", "item": "i5"}]}, "events[0].user", "'user' is empty"),
    ({"events": [{"user": "u3", "item": 2.5}]}, "events[0].item", "'item' has the wrong type"),
    ({"events": [{"user": "u3", "item": "i5", "itme": 1}]}, "events[0].itme", "unknown key 'itme'; did you mean 'item'?"),
    ({"events": [{"user": "u3", "item": "i5", "time": "noon"}]}, "events[0].time", "'time' is \"noon\", expected a time such as 2024-05-01T10:00:00Z"),
    ({"events": [{"user": "u3", "item": "i5", "context": {"devise": "tv"}}]}, "events[0].context",
     "the model reads no context 'devise'; did you mean 'device'?"),
    ({"events": [{"user": "u3", "item": "i" * 1025}]}, "events[0].item", "'item' has a text of 1025 bytes, at most 1024"),
    ({"events": [{"user": "u3", "item": "i5", "context": {"device": "x" * 2000}}]}, "events[0].context", "'context' has a text of 2000 bytes, at most 1024"),
    ({"events": [{"user": "u3", "item": "i5"}] * 257}, "events", "'events' holds 257, at most 256"),
])
def test_a_wrong_event_is_told_its_place_and_none_is_taken(server, body, field, message):
    status, answer, _ = server.call("POST", "/v1/events", body)
    assert (status, answer["error"]["field"], answer["error"]["message"]) == (400, field, message)
    assert server.metric("pagoda_live_events ") == 0


def test_one_process_writes_and_another_takes_over(serve, bundle):
    with serve(bundle) as first:
        add(first, event("u3", "i5"))
        with serve(bundle) as second:
            asked = {"user": "u3", "k": 30}
            assert second.post("/v1/retrieve", asked) == first.post("/v1/retrieve", asked), "it reads what was there"
            status, answer, _ = second.call("POST", "/v1/events", {"events": [event("u3", "i9")]})
            assert (status, answer["error"]["kind"]) == (503, "unavailable")
            add(first, event("u3", "i11"))
            first.stop()
            add(second, event("u3", "i9"))
            got = second.post("/v1/retrieve", {**asked, "explain": True})
            assert got["explain"]["live_events"] == 3, "of the first, too"
            with serve(bundle) as third:
                assert third.post("/v1/retrieve", asked) == bits(got)


def test_a_journal_that_cannot_be_written_takes_nothing(serve, bundle):
    (bundle.parent / "m.pagoda.events").mkdir()
    with pytest.raises(pytest.fail.Exception, match="m.pagoda.events"):
        with serve(bundle):
            pass
    (bundle.parent / "m.pagoda.events").rmdir()
    with serve(bundle) as server:
        (bundle.parent / "m.pagoda.events").mkdir()
        before = server.post("/v1/retrieve", {"user": "u3"})
        status, answer, _ = server.call("POST", "/v1/events", {"events": [event("u3", "i5")]})
        assert (status, answer["error"]["message"]) == (500, "the events cannot be taken; the server's log says why")
        assert server.post("/v1/retrieve", {"user": "u3"}) == before
        (bundle.parent / "m.pagoda.events").rmdir()
        add(server, event("u3", "i5"))


@pytest.mark.parametrize("bounds", [["serve.max_events=10000000", "serve.max_events_of_user=1000000"], ["serve.max_events=200", "serve.max_events_of_user=5"]],
                         ids=["all are held", "the journal is compacted"])
def test_every_kill_leaves_what_was_answered_once(serve, bundle, pytestconfig, bounds):
    rng = random.Random(7)
    journal = bundle.parent / "m.pagoda.events"
    sent, answered, compacted = itertools.count(), set(), 0
    small = "200" in bounds[0]

    def events(ids):
        return [event(f"v{rng.randrange(3000)}", f"i{rng.randrange(300)}", id=one) for one in ids]

    for _ in range(100 if pytestconfig.getoption("--all") else 5):
        with serve(bundle, settings=bounds) as server:
            lines = [json.loads(line)["id"] for line in journal.read_text().splitlines()] if answered else []
            assert len(lines) == len(set(lines))
            held = server.metric("pagoda_live_events ")
            if small:
                compacted += len(lines) < len(answered)
                assert held == min(len(answered), 200) or held > 150
            else:
                assert answered <= set(lines) and held == len(lines)
            timer = threading.Timer(rng.uniform(0.1, 0.6), lambda process=server.process: process.send_signal(signal.SIGKILL))
            timer.start()
            last = []
            with contextlib.suppress(OSError, http.client.HTTPException):
                while True:
                    last = [f"e{next(sent)}" for _ in range(rng.randint(100, 150) if small else rng.randint(1, 40))]
                    assert server.post("/v1/events", {"events": events(last)}, connection=None)["events"] == len(last)
                    answered.update(last)
            timer.join()
            server.process.wait()
        with serve(bundle, settings=bounds) as server:  # a client sends again what was not answered
            assert add(server, *events(last))["events"] == len(last)
            answered.update(last)
    assert len(answered) > 50
    assert compacted > 0 or not small
