"""The log of `pagoda serve`: its forms, a line for each request, and a reader that is stuck."""

import datetime
import json
import os
import re
import socket
import subprocess
import time

JSON = "serve.log_format=json"
REQUESTS = "serve.log_requests=true"


def request_lines(log):
    return [line for line in map(json.loads, log) if line["message"] == "request"]


def test_each_line_is_an_object_with_its_time_and_level(serve, model, tmp_path):
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    with serve(model, settings=[JSON]) as server:
        server.post("/v1/retrieve", {"k": 3})
        server.stop()
    lines = [json.loads(line) for line in server.log]
    assert all(list(line) == ["time", "level", "message"] for line in lines), "requests are logged on demand alone"
    assert "serving at http://127.0.0.1" in lines[0]["message"] and lines[-1]["message"].endswith("drained")
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) and line["level"] == "info"
        assert began <= datetime.datetime.fromisoformat(line["time"]) <= datetime.datetime.now(datetime.UTC)


def test_timed_lines_begin_with_time_and_level(serve, model):
    with serve(model, settings=["serve.log_format=timed", REQUESTS]) as server:
        server.call("GET", "/v1/modle", headers={"X-Request-Id": "r-1"})
        server.stop()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning): ", line) for line in server.log)
    requests = [line for line in server.log if " info: request " in line]
    assert len(requests) == 1
    assert re.search(r"request protocol=http method=GET path=/v1/modle status=404 ms=\d+\.\d{3} request_id=r-1\n", requests[0])


def test_an_error_has_the_form_of_the_log(pagoda, model, tmp_path):
    """What ends the program is a line of the log as well."""
    def last_line(*settings):
        command = [pagoda, "serve", tmp_path / "none.pagoda", "--http", "127.0.0.1:0", *settings]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 3
        return done.stderr.splitlines()[-1]
    error = json.loads(last_line("--set", JSON))
    assert error["level"] == "error" and "none.pagoda" in error["message"]
    assert last_line().startswith("error: ")


def test_a_line_for_each_request(serve, model):
    with serve(model, settings=[JSON, REQUESTS, "serve.max_body_kb=1"]) as server:
        asked = [("POST", "/v1/retrieve", {"user": "a-secret-user", "k": 7}, {"X-Request-Id": "shop-1"}, 200, 7),
                 ("POST", "/v1/retrieve_batch", {"requests": [{"k": 3}, {"k": 4}]}, {}, 200, 7),
                 ("POST", "/v1/similar", {"item": "i7", "k": 5}, {}, 200, 5),
                 ("POST", "/v1/encode", {"users": [{}]}, {}, 200, None),
                 ("POST", "/v1/retrieve", {"k": 0}, {"X-Request-Id": "two words"}, 400, None),
                 ("POST", "/v1/retrieve", {"exclude": ["x" * 2000]}, {}, 413, None),
                 ("GET", "/v1/retrieve?token=a-secret-token", None, {}, 405, None),
                 ("GET", "/no\x1bthing", None, {}, 400, None),
                 ("GET", "/livez", None, {}, 200, None)]
        ids = []
        for method, path, body, headers, status, _ in asked:
            if "\x1b" in path:
                with server.socket() as s:
                    s.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    assert b" 400 " in s.recv(4096)
                ids.append("")
                continue
            got, _, answer = server.call(method, path, body, headers)
            assert got == status
            ids.append(answer["X-Request-Id"])
        server.stop()
    lines = request_lines(server.log)
    assert len(lines) == len(asked) and "secret" not in "".join(server.log)
    for (method, path, _, headers, status, items), line, given in zip(asked, lines, ids):
        keys = ["time", "level", "message", "protocol", "method", "path", "status", "ms", *(["items"] if items is not None else []), "request_id"]
        assert list(line) == keys
        if status != 400 or "retrieve" in path:
            assert (line["method"], line["path"]) == (method, path.split("?")[0])
        assert (line["protocol"], line["status"], line.get("items")) == ("http", status, items) and 0 <= line["ms"] < 60000
        assert line["request_id"] == given
    assert ids[0] == "shop-1" and ids[4] != "two words"
    made = [i for n, i in enumerate(ids) if n != 0 and i]
    assert all(re.fullmatch("[0-9a-f]{16}", i) for i in made) and len({*made}) == len(made)


def test_without_the_key_there_is_neither_line_nor_id(serve, model):
    with serve(model) as server:
        assert server.call("POST", "/v1/retrieve", {"k": 3}, {"X-Request-Id": "x"})[2]["X-Request-Id"] is None
        server.stop()
    assert not any("request" in line for line in server.log)


def test_a_log_that_nobody_reads_delays_no_answer(pagoda, model):
    """The pipe of stderr is full and stays so: all requests are answered, and the log then tells how many lines it lacks."""
    reading, writing = os.pipe()
    command = [pagoda, "serve", str(model), "--http", "127.0.0.1:0"]
    for setting in (JSON, REQUESTS, "serve.drain_ms=0"):
        command += ["--set", setting]
    process = subprocess.Popen(command, stderr=writing)
    os.close(writing)
    try:
        log = b""
        while not (found := re.search(rb"serving at http://127\.0\.0\.1:(\d+)", log)):
            log += os.read(reading, 4096)
        one = f"GET /{'x' * 190} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {'y' * 128}\r\n\r\n".encode()
        requests = 6000  # lines of 400 bytes: more than the pipe and the megabyte that may wait
        answered = 0
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=60) as s:
            for _ in range(requests // 100):
                s.sendall(100 * one)
                answers = b""
                while answers.count(b"HTTP/1.1 404") < 100 or not answers.endswith(b"}}"):
                    answers += s.recv(1 << 20)
                answered += answers.count(b"HTTP/1.1 404")
        assert answered == requests
        os.set_blocking(reading, False)
        end = time.monotonic() + 30
        while b"were dropped" not in log:
            assert time.monotonic() < end, log[-500:]
            try:
                log += os.read(reading, 1 << 20)
            except BlockingIOError:
                time.sleep(0.01)
        process.terminate()
        assert process.wait(30) == 0
        os.set_blocking(reading, True)
        while part := os.read(reading, 1 << 20):
            log += part
        lines = [json.loads(line) for line in log.decode().splitlines()]
        gaps = [line for line in lines if "were dropped" in line["message"]]
        dropped = sum(int(line["message"].split()[0]) for line in gaps)
        assert dropped > 0 and all(line["level"] == "warning" for line in gaps)
        assert sum(line["message"] == "request" for line in lines) + dropped == requests
    finally:
        process.kill()
        process.wait()
        os.close(reading)
