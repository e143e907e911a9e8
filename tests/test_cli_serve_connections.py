"""What clients do to the connections of the server: slow, gone, too large, too many."""

import contextlib
import json
import re
import signal
import socket
import threading
import time

import pytest

from serving import raw, read_all


def test_a_connection_is_kept_and_requests_may_follow_each_other_unasked(server):
    connection = server.connection()
    for k in range(1, 40):
        assert len(server.post("/v1/retrieve", {"k": k}, connection=connection)["items"]) == k
    assert server.call("POST", "/v1/retrieve", "{", connection=connection)[0] == 400
    assert server.call("GET", "/nowhere", connection=connection)[0] == 404
    assert server.metric("pagoda_connections") == 2
    connection.close()
    with server.socket() as s:
        s.sendall(raw('{"k": 1}') + raw('{"k": 2}') + raw('{"k": 3}', "Connection: close"))
        answers = re.findall(r'"items": \[([^]]*)\]', read_all(s).decode())
    assert [len(a.split(",")) for a in answers] == [1, 2, 3]


def test_a_client_that_is_slow_or_gone_is_dropped_and_others_do_not_notice(serve, model):
    with serve(model, settings=["serve.read_timeout_ms=400", "serve.idle_timeout_ms=800"]) as server:
        half = [server.socket() for _ in range(20)]
        for s in half[:10]:
            s.sendall(b"POST /v1/retrieve HTTP/1.1\r\nHost: x\r\nContent-Le")
        for s in half[10:]:
            s.sendall(b"POST /v1/retrieve HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        silent = server.socket()
        began = time.monotonic()
        dripping = threading.Thread(target=lambda: drip(half[0]))
        dripping.start()
        assert server.post("/v1/retrieve", {"k": 3})["items"]
        for s in half:
            assert read_all(s) == b""
        assert 0.3 < time.monotonic() - began < 3
        assert read_all(silent) == b"" and time.monotonic() - began > 0.7
        dripping.join()
        server.wait_until(lambda: server.metric("pagoda_connections") == 1)


def drip(connection):
    """A byte now and then does not buy more time."""
    with contextlib.suppress(OSError):
        for byte in b"ngth: 5\r\n\r\n{   }":
            connection.sendall(bytes([byte]))
            time.sleep(0.1)


def test_a_client_that_says_no_more_still_gets_its_answer(server):
    with server.socket() as s:
        s.sendall(raw('{"k": 2}'))
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).startswith(b"HTTP/1.1 200 OK")


def test_what_is_too_large_is_refused_before_it_has_come(serve, model):
    with serve(model, settings=["serve.max_body_kb=8"]) as server:
        with server.socket() as s:
            s.sendall(b"POST /v1/retrieve HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n")
            reply = read_all(s)
            assert reply.startswith(b"HTTP/1.1 413 ") and b"larger than 8 kB" in reply
        with server.socket() as s:  # no length said
            s.sendall(b"POST /v1/retrieve HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(9):
                s.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
            assert read_all(s).startswith(b"HTTP/1.1 413 ")
        with server.socket() as s:
            s.sendall(b"GET /livez HTTP/1.1\r\nX: " + b"x" * 100000 + b"\r\n\r\n")
            reply = read_all(s)
            assert reply.startswith(b"HTTP/1.1 400 ") and b"header is larger" in reply
        with server.socket() as s:
            s.sendall(b"\x16\x03\x01 what is this\r\n\r\n")
            assert read_all(s).startswith(b"HTTP/1.1 400 ")
        assert server.call("POST", "/v1/retrieve", " " * 8000 + "{}")[0] == 200
        assert server.call("POST", "/v1/retrieve", " " * 10000 + "{}")[0] == 413
        assert server.call("POST", "/nowhere", " " * 10000)[0] == 404


def test_a_search_that_is_turned_away_need_not_have_come(serve, model):
    flood = raw(json.dumps({"requests": [{"k": 300}] * 64, "timeout_ms": 60000}), path="/v1/retrieve_batch")
    with serve(model, settings=["serve.queue=64", "serve.max_requests=64", "serve.batch=1", "serve.threads=1"]) as server:
        stop = threading.Event()

        def ask():
            with server.socket() as s:
                while not stop.is_set():
                    s.sendall(flood)
                    read_answer(s)

        flooding = [threading.Thread(target=ask) for _ in range(4)]
        for thread in flooding:
            thread.start()
        try:
            whole = raw('{"k": 1}' + " " * 5000)
            for _ in range(200):
                with server.socket(0.1) as s:
                    s.sendall(whole[:2500])
                    with contextlib.suppress(TimeoutError):
                        answer = read_answer(s)
                        break
            assert answer.startswith(b"HTTP/1.1 429 ") and b"Retry-After: 1\r\n" in answer and b"resource_exhausted" in answer
            with server.socket() as s:  # the rest of the body is no request
                for _ in range(20):
                    s.sendall(whole[:2500])
                    time.sleep(0.01)
                    s.sendall(whole[2500:] + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert read_answer(s)[:12] in (b"HTTP/1.1 429", b"HTTP/1.1 200") and read_answer(s).startswith(b"HTTP/1.1 200 ")
        finally:
            stop.set()
            for thread in flooding:
                thread.join()
        assert server.post("/v1/retrieve", {"k": 1})["items"], "and it is well again"


def read_answer(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1)
    length = int(re.search(rb"Content-Length: (\d+)", data)[1])
    while length > 0:
        part = connection.recv(length)
        data += part
        length -= len(part)
    return data


def test_a_client_that_asks_whether_to_go_on_is_told(server):
    with server.socket(5) as s:
        s.sendall(b"POST /v1/retrieve HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert s.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(b'{"k": 1}')
        assert read_all(s).startswith(b"HTTP/1.1 200 OK")
    for header in (b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"POST /v1/retrieve HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"):
        with server.socket(5) as s:  # there is nothing to go on with
            s.sendall(header + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
            assert read_all(s)[:12] in (b"HTTP/1.1 200", b"HTTP/1.1 400")
    with server.socket(5) as s:
        s.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n")
        assert read_all(s).startswith(b"HTTP/1.1 404 ")


def test_the_frame_of_a_chunk_is_bounded(server):
    head = b"POST /v1/retrieve HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for frame in (b"1;" + b"a" * 40_000, b"2;b=c\r\n{}\r\n0\r\nTrailer: " + b"a" * 40_000):
        with server.socket(5) as s:
            s.sendall(head)
            with contextlib.suppress(ConnectionError):
                s.sendall(frame)
            with contextlib.suppress(ConnectionError):
                assert read_all(s)[:12] in (b"HTTP/1.1 400", b"")
    with server.socket(5) as s:
        s.sendall(head + b"8;b=c\r\n{\"k\": 1}\r\n0\r\nTrailer: x\r\n\r\n")
        assert read_answer(s).startswith(b"HTTP/1.1 200 ")


def test_more_connections_than_may_be_open_wait(serve, model):
    with serve(model, settings=["serve.connections=2"]) as server:
        first, second = server.connection(), server.connection()
        for connection in (first, second):
            server.post("/v1/retrieve", {"k": 1}, connection=connection)
        third = server.connection(0.5)
        with pytest.raises(TimeoutError):
            server.post("/v1/retrieve", {"k": 1}, connection=third)
        third.close()
        first.close()
        assert server.post("/v1/retrieve", {"k": 1})["items"]
        second.close()


def test_it_ends_when_everything_is_due_at_once(serve, model):
    for _ in range(2):  # it depends on when the timers began
        with serve(model, settings=["serve.drain_ms=300"]) as server:
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.25)
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(0.6)
            server.process.send_signal(signal.SIGCONT)
            assert server.process.wait(20) == 0


def test_methods_and_routes(server):
    status, answer, headers = server.call("GET", "/v1/retrieve")
    assert status == 405 and headers["Allow"] == "POST" and answer["error"]["kind"] == "method_not_allowed"
    assert server.call("DELETE", "/livez")[0] == 405
    assert "did you mean '/v1/retrieve'?" in server.call("POST", "/v1/retreive", "{}")[1]["error"]["message"]
    assert server.call("GET", "/livez?verbose=1")[0] == 200
    connection = server.connection()
    for _ in range(3):
        connection.request("HEAD", "/readyz")
        reply = connection.getresponse()
        assert reply.status == 200 and int(reply.headers["Content-Length"]) > 10 and reply.read() == b""
    connection.close()
    assert server.call("GET", "/../../etc/passwd")[0] == 404
