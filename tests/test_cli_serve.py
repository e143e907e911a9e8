"""The server: what it answers is what `pagoda retrieve` prints, and nothing a client does harms another."""

import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import ssl
import subprocess
import threading
import time

import numpy as np
import pytest

from serving import raw, read_all

LINES = ["u1", "u2", "u100", "nobody", json.dumps({"history": ["i5", "i9"], "context": {"device": "phone"}}),
         json.dumps({"user": "u3", "features": {"country": "DE"}}), json.dumps({"user": "u4", "history": ["i7"], "time": "2024-01-01"}),
         json.dumps({"user": "u6", "recent": ["i7", "i11"]}), json.dumps({"user": "new", "recent": ["i7"]})]


def request_of(line):
    return json.loads(line) if line.startswith("{") else {"user": line}


def lists(text):
    return [{key: value for key, value in json.loads(line).items() if key != "user"} for line in text.splitlines()]


def only_lists(answers):
    return [{"items": a["items"], "scores": a["scores"]} for a in answers]


# ---- answers ----

@pytest.mark.parametrize("kind", ["exact", "partitioned", "ensemble"])
def test_lists_are_those_of_retrieve_bit_for_bit(cli, serve, model, ensemble, kind, tmp_path):
    bundle = tmp_path / "m.pagoda"
    shutil.copy(ensemble if kind == "ensemble" else model, bundle)
    if kind == "partitioned":
        cli("index", bundle, "--kind", "partitioned", "--lists", 20, "--k", 20)
    lines = LINES + [f"u{i}" for i in range(5, 90)]
    cases = [({"k": 20}, ["--k", 20]), ({}, ["--k", 1000]), ({"k": 7, "exclude_seen": False}, ["--k", 7, "--exclude", "none"]),
             ({"k": 30, "filter": 'minutes < 100 and not seen'}, ["--k", 30, "--filter", "minutes < 100"])]
    with serve(bundle) as server, concurrent.futures.ThreadPoolExecutor(8) as threads:
        for options, words in cases:
            expected = lists(cli("retrieve", bundle, "--users", "-", *words, stdin="\n".join(lines) + "\n").stdout)
            requests = [{**request_of(line), **options} for line in lines]
            assert only_lists(threads.map(lambda r: server.post("/v1/retrieve", r), requests)) == expected
            assert only_lists(server.post("/v1/retrieve_batch", {"requests": requests})["answers"]) == expected
        assert server.metric("pagoda_batch_size_sum") > server.metric("pagoda_batch_size_count"), "some were answered together"


def test_vectors_and_neighbours_are_those_of_the_commands(cli, server, model, tmp_path):
    (tmp_path / "users.txt").write_text("\n".join(LINES) + "\n")
    cli("encode", model, "users", "--input", tmp_path / "users.txt", "-o", tmp_path / "u.npy")
    answer = server.post("/v1/encode", {"users": [request_of(line) for line in LINES]})
    assert np.array_equal(np.array(answer["vectors"], np.float32), np.load(tmp_path / "u.npy"))
    cli("encode", model, "items", "-o", tmp_path / "i.npy")
    ids = (tmp_path / "i.npy.ids.txt").read_text().splitlines()
    answer = server.post("/v1/encode", {"items": ids[:40]})
    assert np.array_equal(np.array(answer["vectors"], np.float32), np.load(tmp_path / "i.npy")[:40])
    expected = json.loads(cli("similar", model, "--items", "-", "--k", 5, stdin="i7\n").stdout)
    answer = server.post("/v1/similar", {"item": "i7", "k": 5})
    assert (answer["items"], answer["scores"]) == (expected["items"], expected["scores"])


def test_a_new_item_is_encoded_from_its_attributes(server, world):
    import pyarrow.parquet as pq
    row = pq.read_table(world / "items.parquet").slice(4, 1).to_pylist()[0]
    brought = {key: row[key] for key in ("title", "genres", "minutes")}
    new, known, bare = server.post("/v1/encode", {"items": [{"item": "brand-new", "attributes": brought}, row["item_id"], {"item": "bare"}]})["vectors"]
    cosine = lambda a, b: np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
    assert cosine(new, known) > cosine(bare, known)


def test_former_keys_and_flags_of_serve_still_work_and_name_the_new_ones(cli, serve, model, second, tmp_path):
    limits = ("k", "list", "requests", "filter_kb", "body_kb", "depth", "added")
    for limit in limits:
        shown = cli("config", "--set", f"serve.most_{limit}=7", says=f"'most_{limit}' in [serve] is called 'max_{limit}' now").stdout
        assert f"\nmax_{limit} = 7\n" in shown and "most_" not in shown.split("[serve]")[1]
    (tmp_path / "c.toml").write_text(f'[serve]\nmost_k = 5\nbeside = "{second}"\n')
    shown = cli("config", "-c", tmp_path / "c.toml", says=["c.toml:2: 'most_k'", "c.toml:3: 'beside' in [serve] is called 'compare' now"]).stdout
    assert "\nmax_k = 5\n" in shown and f'\ncompare = "{second}"\n' in shown
    assert "--beside" not in cli("serve", "--help").stdout
    cli("serve", model, "--beside", second, "--compare", second, code=2, says=["--beside", "--compare"])
    with serve(model, "--beside", second) as server:
        assert server.call("GET", "/compare/v1/model")[1] == server.call("GET", "/beside/v1/model")[1]
        assert server.call("GET", "/compare/v1/model")[1]["fingerprint"] != server.call("GET", "/v1/model")[1]["fingerprint"]
        server.stop()
        assert any("--beside is called --compare now" in line for line in server.log), server.log
        assert sum("/beside (in gRPC" in line for line in server.log) == 1, server.log


def test_own_vectors_are_served_too(cli, serve, tmp_path):
    rng = np.random.default_rng(1)
    items, queries = rng.normal(size=(500, 12)).astype(np.float32), rng.normal(size=(20, 12)).astype(np.float32)
    np.save(tmp_path / "items.npy", items)
    np.save(tmp_path / "queries.npy", queries)
    cli("index", "--vectors", tmp_path / "items.npy", "-o", tmp_path / "own.pagoda")
    expected = lists(cli("retrieve", tmp_path / "own.pagoda", "--vectors", tmp_path / "queries.npy", "--k", 9).stdout)
    with serve(tmp_path / "own.pagoda") as server:
        asked = [{"vector": query.tolist(), "k": 9} for query in queries]
        assert only_lists(server.post("/v1/retrieve_batch", {"requests": asked})["answers"]) == expected
        status, answer, _ = server.call("POST", "/v1/retrieve", {"user": "u1"})
        assert status == 400 and "bare vectors" in answer["error"]["message"] and answer["error"]["field"] == "vector"
        assert server.call("GET", "/v1/model")[1]["features"] == []


def test_the_document_names_what_the_server_takes(serve, model):
    with serve(model, "--ui") as server:
        check_document(server)


def check_document(server):
    document = server.call("GET", "/openapi.json")[1]
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            status, answer, _ = server.call(method.upper(), path, "{}" if method == "post" else None)
            assert str(status) in operation["responses"], path
            if method != "post":
                continue
            schema = schemas[operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]]
            for name in schema["properties"]:
                assert "unknown key" not in str(server.call("POST", path, {name: True})[1]), f"{path}: {name}"
            message = server.call("POST", path, {"!": 1})[1]["error"]["message"]
            assert message.startswith("unknown key"), message


# ---- changing items ----

def test_upserts_are_searchable_when_they_are_answered_and_outlive_a_kill(serve, model, tmp_path):
    """Killed while clients add items, it has, when it is back, all that it said yes to, and nothing by halves."""
    path = tmp_path / "m.pagoda"
    shutil.copy(model, path)
    asked, confirmed, doomed, deleted = set(), set(), set(), set()

    def client(n):
        connection = server.connection()
        with contextlib.suppress(OSError, http.client.HTTPException):
            for i in range(1000):
                item = f"new{n}-{time.monotonic_ns()}"
                brought = {"item": item, "attributes": {"title": f"Number {i}", "genres": ["Drama", "Crime"], "minutes": 5000 + n}}
                asked.add(item)
                server.post("/v1/items:upsert", {"items": [brought]}, connection=connection)
                confirmed.add(item)
                answer = server.post("/v1/retrieve", {"k": 5000, "filter": f"minutes = {5000 + n}", "attributes": ["title"]}, connection=connection)
                assert item in answer["items"] and {"title": f"Number {i}"} in answer["attributes"]
                if i % 3 == 0:
                    doomed.add(item)
                    server.post("/v1/items:delete", {"items": [item]}, connection=connection)
                    deleted.add(item)

    for _ in range(3):
        with serve(path) as server, concurrent.futures.ThreadPoolExecutor(3) as threads:
            clients = [threads.submit(client, n) for n in range(3)]
            server.wait_until(lambda: server.metric('pagoda_requests_total{call="items:upsert"') > 20)
            server.process.kill()
            server.process.wait()
            for c in clients:
                c.result()
        with serve(path) as server:
            there = set(server.post("/v1/retrieve", {"k": 9999, "filter": "minutes >= 5000"})["items"])
            assert confirmed - doomed <= there <= asked - deleted
            assert len(there - confirmed) <= 9 and confirmed, "of each client's last change nobody was told"


def test_changed_items_keep_lists_whole_and_stay_when_the_bundle_changes(cli, serve, model, second, tmp_path):
    path = tmp_path / "m.pagoda"
    put(model, path)
    cli("index", path, "--kind", "partitioned", "--lists", 20, "--k", 20)
    with serve(path, settings=["serve.watch_ms=0"]) as server:
        everything = server.post("/v1/retrieve", {"k": 1000})["items"]
        assert len(everything) == 300
        gone = everything[:40]
        server.post("/v1/items:delete", {"items": gone})
        server.post("/v1/items:upsert", {"items": [{"item": "extra", "attributes": {"minutes": 100}}, {"item": everything[50]}]})
        assert set(server.post("/v1/retrieve", {"k": 1000})["items"]) == set(everything) - set(gone) | {"extra"}
        assert len(server.post("/v1/retrieve", {"k": 20})["items"]) == 20
        put(second, path)
        server.process.send_signal(signal.SIGHUP)
        server.wait_until(lambda: server.metric("pagoda_reloads_total") == 1)
        assert set(server.post("/v1/retrieve", {"k": 1000})["items"]) == set(everything) - set(gone) | {"extra"}
        assert server.metric("pagoda_added_items") == 2
    assert len((tmp_path / "m.pagoda.items").read_text().splitlines()) == 42


# ---- load ----

def test_overload_is_turned_away_and_the_rest_is_answered(serve, model):
    with serve(model, settings=["serve.queue=8", "serve.max_requests=8", "serve.batch=1", "serve.threads=1"]) as server:
        body = json.dumps({"requests": [{"user": f"u{i}", "k": 300} for i in range(8)]})

        def client(_):
            connection = server.connection()
            replies = []
            while sum(status == 200 for status, _, _ in replies) < 5:  # whoever asks again is answered in the end
                assert len(replies) < 10_000
                replies.append(server.call("POST", "/v1/retrieve_batch", body, connection=connection))
            connection.close()
            return replies

        with concurrent.futures.ThreadPoolExecutor(12) as threads:
            replies = [reply for some in threads.map(client, range(12)) for reply in some]
        statuses = [status for status, _, _ in replies]
        assert set(statuses) == {200, 429}
        for status, answer, headers in replies:
            if status == 429:
                assert headers["Retry-After"] == "1" and answer["error"]["kind"] == "resource_exhausted"
        assert server.post("/v1/retrieve", {"k": 1})["items"], "and it is well again"


def test_a_deadline_is_kept(serve, model):
    requests = [{"user": f"u{i % 250}", "k": 300} for i in range(1000)]
    with serve(model, settings=["serve.max_requests=1000"]) as server:
        status, answer, _ = server.call("POST", "/v1/retrieve_batch", {"requests": requests, "timeout_ms": 1})
        assert status == 504 and answer["error"]["kind"] == "deadline_exceeded"
        assert len(server.post("/v1/retrieve_batch", {"requests": requests, "timeout_ms": 60000})["answers"]) == 1000


def put(bundle, path):
    """As a training run puts it there: whole, by rename."""
    shutil.copy(bundle, f"{path}.new")
    os.rename(f"{path}.new", path)


def test_reloads_under_load_disturb_nobody(cli, serve, model, second, tmp_path, pytestconfig):
    path = tmp_path / "m.pagoda"
    put(model, path)
    expected = {}
    for bundle in (model, second):
        fingerprint = json.loads(cli("inspect", bundle, "--json").stdout)["fingerprint"]
        expected[fingerprint] = lists(cli("retrieve", bundle, "--users", "-", "--k", 50, stdin="u1\n").stdout)[0]
    stop = threading.Event()

    def client(_):
        connection, seen = server.connection(), set()
        while not stop.is_set():
            answer = server.post("/v1/retrieve", {"user": "u1", "k": 50}, connection=connection)
            assert {key: answer[key] for key in ("items", "scores")} == expected[answer["model"]]
            seen.add(answer["model"])
        connection.close()
        return seen

    with serve(path, settings=["serve.watch_ms=10", "serve.io_threads=2"]) as server, concurrent.futures.ThreadPoolExecutor(4) as threads:
        clients = [threads.submit(client, n) for n in range(4)]
        try:
            for n in range(500 if pytestconfig.getoption("--all") else 30):
                before = server.metric("pagoda_reloads_total")
                put((second, model)[n % 2], path)
                if n % 3 == 0:
                    server.process.send_signal(signal.SIGHUP)
                server.wait_until(lambda: server.metric("pagoda_reloads_total") > before)
        finally:
            stop.set()
        assert all(c.result() == set(expected) for c in clients)
        assert server.metric('pagoda_reloads_total{outcome="refused"}') == 0


def test_a_bad_new_bundle_is_refused_and_the_old_one_serves_on(serve, model, second, tmp_path):
    path = tmp_path / "m.pagoda"
    put(model, path)
    damaged = bytearray(second.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged").write_bytes(damaged)
    (tmp_path / "text").write_text("no bundle")
    with serve(path, settings=["serve.watch_ms=10"]) as server:
        before = server.post("/v1/retrieve", {"user": "u1"})
        for n, bad in enumerate(["damaged", "text"], 1):
            put(tmp_path / bad, path)
            server.wait_until(lambda: server.metric('pagoda_reloads_total{outcome="refused"}') == n)
            assert server.post("/v1/retrieve", {"user": "u1"}) == before
        os.remove(path)
        server.process.send_signal(signal.SIGHUP)
        server.wait_until(lambda: server.metric('pagoda_reloads_total{outcome="refused"}') == 3)
        time.sleep(0.1)
        assert server.metric('pagoda_reloads_total{outcome="refused"}') == 3, "a file is tried once"
        assert server.post("/v1/retrieve", {"user": "u1"}) == before
        put(second, path)
        server.wait_until(lambda: server.post("/v1/retrieve", {"user": "u1"})["model"] != before["model"])
        server.stop()
        assert sum("serves on" in line and line.startswith("warning: ") for line in server.log) == 3


def test_sigterm_answers_what_has_come_and_says_that_it_goes(serve, model):
    requests = {"requests": [{"user": f"u{i % 250}", "k": 300} for i in range(200)]}

    def client(_):
        """Asks until it is told to go; each answer that it gets is a whole one."""
        connection, statuses = server.connection(), []
        while not statuses or statuses[-1] == 200:
            status, answer, headers = server.call("POST", "/v1/retrieve_batch", requests, connection=connection)
            statuses.append(status)
            assert len(answer["answers"]) == 200 if status == 200 else answer["error"]["kind"] == "unavailable"
        assert headers["Connection"] == "close" and headers["Retry-After"] == "1"
        return statuses

    with serve(model, settings=["serve.drain_ms=4000", "serve.batch=1"]) as server:
        idle = server.connection()
        server.call("GET", "/readyz", connection=idle)
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            clients = [threads.submit(client, n) for n in range(4)]
            server.wait_until(lambda: server.metric('pagoda_requests_total{call="retrieve_batch"') > 8)
            server.process.send_signal(signal.SIGTERM)
            server.wait_until(lambda: server.call("GET", "/readyz")[0] == 503)
            assert server.call("GET", "/livez")[0] == 200
            for statuses in (c.result() for c in clients):
                assert set(statuses) == {200, 503} and statuses.count(503) == 1
        assert server.process.wait(10) == 0
        idle.close()
        with pytest.raises(ConnectionRefusedError):
            server.socket()


def test_ctrl_c_ends_it_too_and_a_second_one_at_once(serve, model):
    with serve(model, settings=["serve.drain_ms=60000"]) as server:
        server.process.send_signal(signal.SIGINT)
        server.wait_until(lambda: server.call("GET", "/readyz")[0] == 503)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(10) == -signal.SIGINT


# ---- safety ----

def test_each_route_asks_for_its_role(serve, model, tmp_path):
    keys = {role: f"{role}-secret" for role in ("metrics", "read", "write", "admin")}
    (tmp_path / "keys").write_text("".join(f"{hashlib.sha256(key.encode()).hexdigest()} {role} a name\n" for role, key in keys.items()))
    needed = {("POST", "/v1/retrieve"): "read", ("POST", "/v1/retrieve_batch"): "read", ("POST", "/v1/similar"): "read",
              ("POST", "/v1/encode"): "read", ("POST", "/v1/items:upsert"): "write", ("POST", "/v1/items:delete"): "write", ("POST", "/v1/events"): "write", ("GET", "/v1/model"): "read", ("GET", "/openapi.json"): "read",
              ("GET", "/livez"): None, ("GET", "/readyz"): None, ("GET", "/metrics"): "metrics"}
    may = {None: {None}, "metrics": {None, "metrics"}, "read": {None, "read"}, "write": {None, "read", "write"},
           "admin": {None, "metrics", "read", "write"}}
    with serve(model, "--keys", tmp_path / "keys") as server:
        for (method, path), role in needed.items():
            for caller in may:
                for headers in ({"Authorization": f"Bearer {keys[caller]}"}, {"X-Api-Key": keys[caller]}) if caller else ({}, {"X-Api-Key": "?"}):
                    status, answer, reply = server.call(method, path, "{}" if method == "POST" else None, headers)
                    if role in may[caller]:
                        assert status in (200, 400), (path, caller, answer)
                    elif caller is None:
                        assert status == 401 and reply["WWW-Authenticate"] == "Bearer", (path, caller)
                    else:
                        assert status == 403, (path, caller)
    assert "secret" not in "".join(server.log)


def test_over_tls(serve, model, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    with serve(model, settings=[f"serve.tls_certificate={tmp_path}/cert.pem", f"serve.tls_key={tmp_path}/key.pem"]) as server:
        context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=30)
        for k in (1, 2, 3):
            assert len(server.post("/v1/retrieve", {"k": k}, connection=connection)["items"]) == k
        with server.socket() as s:
            s.sendall(raw("{}"))
            assert b"HTTP" not in read_all(s), "no plain answer"
        connection.close()


def test_over_ipv6(cli, serve, model):
    if not os.path.exists("/proc/net/if_inet6") or "00000000000000000000000000000001" not in open("/proc/net/if_inet6").read():
        cli("serve", model, "--http", "[::1]:0", code=1, says="::1")  # this machine has no IPv6 loopback
        return
    with serve(model, "--http", "[::1]:0") as server:
        connection = http.client.HTTPConnection("::1", server.port, timeout=30)
        assert server.post("/v1/retrieve", {"k": 3}, connection=connection)["items"]
        connection.close()


def test_what_can_not_be_served_is_said(cli, server, model, tmp_path):
    cli("serve", tmp_path / "none.pagoda", code=3, says="none.pagoda")
    (tmp_path / "text").write_text("no bundle")
    cli("serve", tmp_path / "text", code=1, says="not a pagoda file")
    cli("serve", model, "--http", f"127.0.0.1:{server.port}", code=1, says="Address already in use")
    cli("serve", model, "--http", "8080", code=2, says='serve.http = "8080" is not an address and port; write 127.0.0.1:8080')
    cli("serve", model, "--set", "serve.qeue=3", code=2, says="did you mean 'queue'?")
    cli("serve", model, "--set", "serve.batch=0", code=2, says="serve.batch = 0 must be between 1 and 65536")
    cli("serve", model, "--set", "serve.tls_key=k.pem", code=2, says="give both, or neither")
    cli("serve", model, "--set", f"serve.tls_key={tmp_path}/text", "--set", f"serve.tls_certificate={tmp_path}/text", code=1,
        says="cannot be used")
    twice = hashlib.sha256(b"secret").hexdigest()
    (tmp_path / "keys").write_text(f"{twice} metrics\n{twice} read\n")
    cli("serve", model, "--keys", tmp_path / "keys", code=2, says="keys:2: a line above gives this key another role")
    (tmp_path / "keys").write_text("secret read\n")
    cli("serve", model, "--keys", tmp_path / "keys", code=2, says="keys:1: a line must begin with the SHA-256 of a key")


REQUESTS = {
    "/v1/retrieve": [{"user": "u1", "history": ["i1", "i2"], "recent": ["i3"], "context": {"device": "phone"}, "features": {"country": "DE"}, "k": 20,
                      "filter": 'minutes >= 90 and genres in ("Drama", "Crime") and not seen', "exclude": ["i9"], "exclude_seen": True,
                      "quota": {"attribute": "author", "max": 5}, "min_score": 0.1, "attributes": ["title", "genres"], "explain": True,
                      "timeout_ms": 5000, "time": "2024-05-01"}, {"vector": [0.5] * 16, "k": 3}],
    "/v1/retrieve_batch": [{"requests": [{"user": "u1", "k": 3}, {"history": ["i3"], "k": 2}], "timeout_ms": 5000}],
    "/v1/similar": [{"item": "i7", "k": 5, "attributes": ["title"]}],
    "/v1/items:upsert": [{"items": [{"item": "n1", "attributes": {"title": "x", "minutes": 90, "genres": ["Drama"]}}, {"item": "n2"}]}],
    "/v1/items:delete": [{"items": ["n1", "n2", "n3"]}],
    "/v1/events": [{"events": [{"user": "u1", "item": "i7", "time": "2024-05-01T10:00:00Z", "context": {"device": "tv"}, "id": "e-1"}, {"user": "u2", "item": 9}]}],
    "/v1/encode": [{"users": [{"user": "u1"}, {}]}, {"items": ["i1", {"item": "new", "attributes": {"title": "x", "minutes": 90}}]}],
}
STRANGE = [None, True, -1, 0, 1e308, -1e-320, 2**63, 2**64, "", "\u0000", "\ud83d\ude00", "x" * 3000, [], {}, [[]], [None], {"": {}}, "NaN",
           "' or 1=1", "((((", "not not not seen", "year >= 1990 and", "`", [1.5], ["i1", "i1"], {"a": [1, [2]]}, [0.0] * 16, [3.5e38] * 16]


def mutated(rng, node):
    """A tree with one spot changed."""
    if isinstance(node, dict) and node and rng.random() < 0.8:
        key = rng.choice(list(node))
        out = dict(node)
        what = rng.random()
        if what < 0.1:
            del out[key]
        elif what < 0.2:
            out[key + rng.choice("aß \n")] = out.pop(key)
        else:
            out[key] = mutated(rng, node[key])
        return out
    if isinstance(node, list) and node and rng.random() < 0.7:
        at = rng.randrange(len(node))
        return rng.choice([node[:at], node + node, node[:at] + [mutated(rng, node[at])] + node[at + 1:]])
    if isinstance(node, str) and node and rng.random() < 0.5:
        at = rng.randrange(len(node))
        return node[:at] + rng.choice(["", "(", ")", '"', "\\", "and", "\u00e9", "\x00"]) + node[at + rng.randrange(3):]
    return rng.choice(STRANGE)


@pytest.mark.parametrize("kind", ["exact", "partitioned"])
def test_mutated_requests_neither_harm_nor_puzzle_it(cli, serve, model, kind, tmp_path, pytestconfig):
    bundle = tmp_path / "m.pagoda"
    shutil.copy(model, bundle)
    if kind == "partitioned":
        cli("index", bundle, "--kind", "partitioned", "--lists", 20, "--k", 20)
    rng = random.Random(7)
    count = 50000 if pytestconfig.getoption("--all") else 1500
    with serve(bundle) as server:
        named = {"user": "u1", "filter": "minutes < 100 and not seen"}
        server.post("/v1/items:upsert", {"items": [{"item": "n0", "attributes": {"minutes": 90}}]})
        connection, statuses = server.connection(), {}
        for _ in range(count):
            path = rng.choice(list(REQUESTS))
            tree = rng.choice(REQUESTS[path])
            for _ in range(rng.choice([1, 1, 2, 5])):
                tree = mutated(rng, tree)
            body = json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
            if rng.random() < 0.3 and body:
                at = rng.randrange(len(body))
                body = body[:at] + bytes([rng.randrange(256)]) * rng.randrange(4) + body[at + rng.randrange(3):]
            status, answer, _ = server.call("POST", path, body, connection=connection)
            assert status in (200, 400), (path, body, answer)
            if status == 400:
                assert set(answer["error"]) == {"kind", "message", "field"} and not re.search(r"\.cpp|/tmp|/dev|std::|nlohmann", answer["error"]["message"])
            statuses[status] = statuses.get(status, 0) + 1
        assert min(statuses.get(200, 0), statuses.get(400, 0)) > count / 20, statuses
        assert server.post("/v1/retrieve", named)["items"]
        connection.close()
