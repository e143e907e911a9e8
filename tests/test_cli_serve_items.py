"""Items that change while the server answers: merged in the background, on disk through every kill, read by the commands, too."""

import contextlib
import http.client
import json
import random
import shutil
import threading

import numpy as np
import pytest

MERGES = "serve.merge_added=20"


def row(i, **more):
    return {"item": f"new{i}", "attributes": {"title": f"Number {i % 7}", "genres": ["Drama"], "minutes": 1000 + i % 50, **more}}


def state(server):
    """What a few different requests are answered, but for the order of equal scores."""
    asked = [{"k": 5000}, {"k": 5000, "user": "u3", "attributes": ["title", "minutes"]}, {"k": 60, "filter": "minutes >= 1000", "attributes": ["minutes"]},
             {"k": 40, "quota": {"attribute": "title", "max": 2}}]
    answers = [server.post("/v1/retrieve", body) for body in asked] + [server.post("/v1/similar", {"item": "i7", "k": 30})]
    return [{key: a[key] for key in ("items", "scores", "attributes") if key in a} for a in answers]


@pytest.mark.parametrize("kind", ["exact", "partitioned"])
def test_a_merge_and_a_restart_change_no_answer(cli, serve, model, kind, tmp_path):
    path = tmp_path / "m.pagoda"
    shutil.copy(model, path)
    if kind == "partitioned":
        cli("index", path, "--kind", "partitioned", "--lists", 20, "--k", 20, "--recall", 1)
    with serve(path, settings=["serve.merge_added=1000000"]) as server:
        server.post("/v1/items:upsert", {"items": [row(i) for i in range(90)]})
        server.post("/v1/items:delete", {"items": [f"new{i}" for i in range(0, 90, 9)] + ["i3", "i4"]})
        server.post("/v1/items:upsert", {"items": [row(5, minutes=7), {"item": "i10", "attributes": {"minutes": 1007}}]})
        assert server.metric("pagoda_fresh_items") == server.metric("pagoda_added_items") == 81
        expected = state(server)
    with serve(path, settings=[MERGES]) as server:
        assert server.metric("pagoda_fresh_items") == 0
        assert state(server) == expected
        model_told = server.call("GET", "/v1/model")[1]
        assert (model_told["added_items"], model_told["hidden_items"]) == (81, 3)
    shutil.copy(tmp_path / "m.pagoda.items", tmp_path / "all.items")
    (tmp_path / "m.pagoda.items").unlink()
    with serve(path, settings=[MERGES]) as server:
        for line in (tmp_path / "all.items").read_text().splitlines():
            change = json.loads(line)
            if change.get("deleted"):
                server.post("/v1/items:delete", {"items": [change["item"]]})
            else:
                server.post("/v1/items:upsert", {"items": [change]})
        server.wait_until(lambda: server.metric("pagoda_fresh_items") < 20)
        assert state(server) == expected, "one by one, with merges on the way"


def test_searches_go_on_and_see_each_item_once_while_it_merges(serve, model, tmp_path):
    path = tmp_path / "m.pagoda"
    shutil.copy(model, path)
    stop = threading.Event()
    confirmed, faults = [], []

    def search():
        connection = server.connection()
        while not stop.is_set():
            known = len(confirmed)
            items = server.post("/v1/retrieve", {"k": 9000, "exclude_seen": False}, connection=connection)["items"]
            if len(items) != len(set(items)) or not {f"i{i}" for i in range(5)} <= set(items) or not set(confirmed[:known]) <= set(items):
                faults.append(items)
        connection.close()

    with serve(path, settings=[MERGES]) as server:
        searching = [threading.Thread(target=search) for _ in range(2)]
        for thread in searching:
            thread.start()
        merges, before = 0, 0
        for i in range(0, 600, 3):
            server.post("/v1/items:upsert", {"items": [row(j) for j in range(i, i + 3)]})
            confirmed.extend(f"new{j}" for j in range(i, i + 3))
            fresh = server.metric("pagoda_fresh_items")
            merges += fresh < before
            before = fresh
        stop.set()
        for thread in searching:
            thread.join()
        assert not faults and merges >= 3
        assert server.metric("pagoda_added_items") == 600


def test_every_kill_leaves_what_was_confirmed(cli, serve, model, tmp_path, pytestconfig):
    path, journal = tmp_path / "m.pagoda", tmp_path / "m.pagoda.items"
    shutil.copy(model, path)
    rng = random.Random(5)
    sure = {}  # item: minutes, or None for a deleted one; of those whose last change was confirmed
    unsure = {}  # item: what it may be after a change that nobody was told of

    def check(found):
        for item, may_be in unsure.items():
            assert found.get(item) in may_be, item
            sure[item] = found.get(item)
        unsure.clear()
        for item, minutes in sure.items():
            assert found.get(item) == minutes, item
        assert not [item for item in found if item not in sure]

    def change(server, connection):
        items = [f"new{rng.randrange(60)}" for _ in range(rng.choice([1, 1, 5]))]
        items = list(dict.fromkeys(items))
        minutes = None if rng.random() < 0.2 else rng.randrange(1000, 9999)
        for item in items:
            unsure[item] = {sure.get(item), minutes}
        if minutes is None:
            server.post("/v1/items:delete", {"items": items}, connection=connection)
        else:
            server.post("/v1/items:upsert", {"items": [{"item": item, "attributes": {"minutes": minutes}} for item in items]}, connection=connection)
        for item in items:
            sure[item] = minutes
            del unsure[item]

    for n in range(1000 if pytestconfig.getoption("--all") else 20):
        with serve(path, settings=[MERGES]) as server:
            answer = server.post("/v1/retrieve", {"k": 9000, "filter": "minutes >= 1000", "attributes": ["minutes"]})
            check(dict(zip(answer["items"], (a["minutes"] for a in answer["attributes"]))))
            timer = threading.Timer(rng.uniform(0, 0.3), server.process.kill)
            timer.start()
            connection = server.connection()
            with contextlib.suppress(OSError, http.client.HTTPException):
                while True:
                    change(server, connection)
            timer.join()
            server.process.wait()
            connection.close()
    assert len(sure) > 30
    assert len(journal.read_text().splitlines()) < 1000 + 3 * 60 + 1000
    there = json.loads(cli("retrieve", path, "--users", "-", "--filter", "minutes >= 1000", "--k", 9000, stdin="nobody\n").stdout)["items"]
    maybe = set(unsure)
    assert set(there) - maybe == {item for item, minutes in sure.items() if minutes} - maybe


def test_the_journal_is_shortened_while_the_server_runs(serve, model, tmp_path):
    path, journal = tmp_path / "m.pagoda", tmp_path / "m.pagoda.items"
    shutil.copy(model, path)
    with serve(path) as server:
        longest = 0
        for n in range(40):
            server.post("/v1/items:upsert", {"items": [row(i, minutes=1000 + n) for i in range(50)]})
            longest = max(longest, len(journal.read_text().splitlines()))
        assert longest >= 1000
        server.wait_until(lambda: len(journal.read_text().splitlines()) < 1100)
        expected = state(server)
    with serve(path) as server:
        assert state(server) == expected
        assert len(journal.read_text().splitlines()) == 50


def test_retrieve_and_similar_read_the_journal_and_say_so(cli, serve, model, tmp_path):
    path = tmp_path / "m.pagoda"
    shutil.copy(model, path)
    with serve(path) as server:
        server.post("/v1/items:upsert", {"items": [row(i) for i in range(30)] + [{"item": "i7", "attributes": {"minutes": 1}}]})
        server.post("/v1/items:delete", {"items": ["i5", "new3"]})
        lists = {user: server.post("/v1/retrieve", {"user": user, "k": 400}) for user in ("u1", "u2", "nobody")}
        near = server.post("/v1/similar", {"item": "new4", "k": 9})
        cli_says = "32 items are added, replaced or deleted by it"
        with open(tmp_path / "m.pagoda.items", "a") as journal:
            journal.write('{"item": "being writ')
        done = cli("retrieve", path, "--users", "-", "--k", 400, stdin="\n".join(lists) + "\n", says=cli_says)
        for line in done.stdout.splitlines():
            told = json.loads(line)
            assert (told["items"], told["scores"]) == (lists[told["user"]]["items"], lists[told["user"]]["scores"])
        assert "new4" in told["items"] and "i5" not in told["items"]
        told = json.loads(cli("similar", path, "--items", "-", "--k", 9, stdin="new4\n", says=cli_says).stdout)
        assert (told["items"], told["scores"]) == (near["items"], near["scores"])
        cli("similar", path, "--items", "-", stdin="i5\n", code=3, says="item 'i5' is not in the catalogue")
        assert (tmp_path / "m.pagoda.items").read_text().endswith("writ"), "a reader mends nothing"
    cli("evaluate", path, says="m.pagoda.items is not read")
    cli("encode", path, "items", "-o", tmp_path / "i.npy")
    assert len(np.load(tmp_path / "i.npy")) == 300


def test_changes_while_another_process_has_the_journal_are_unavailable_and_not_a_mistake(serve, model, tmp_path):
    path = tmp_path / "m.pagoda"
    shutil.copy(model, path)
    with serve(path) as second:
        with serve(path) as first:
            first.post("/v1/items:upsert", {"items": [row(1)]})
            status, answer, _ = second.call("POST", "/v1/items:upsert", {"items": [row(2)]})
            assert status == 503 and answer["error"]["kind"] == "unavailable"
            assert "another process changes the items" in answer["error"]["message"]
        second.post("/v1/items:upsert", {"items": [row(2)]})
        assert second.metric("pagoda_added_items") == 2, "and those that the other made are there"
