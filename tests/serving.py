"""A running server, and what goes over a bare connection to it."""

import http.client
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest


class Server:
    """A running `pagoda serve` on a port of its own."""

    def __init__(self, pagoda, bundle, *words, settings=()):
        command = [pagoda, "serve", str(bundle), *map(str, words), *([] if "--http" in words else ["--http", "127.0.0.1:0"])]
        for setting in settings:
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"serving at https?://(?:127\.0\.0\.1|\[::1\]):(\d+)", line):
                self.port = int(found[1])
                found = re.search(r"gRPC at 127\.0\.0\.1:(\d+)", line)
                self.grpc_port = int(found[1]) if found else None
                break
        else:
            pytest.fail("".join(self.log))
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr))
        self.reader.start()

    def connection(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def socket(self, timeout=30):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def call(self, method, path, body=None, headers=None, connection=None):
        """(status, body as JSON where it is, headers)"""
        own = connection or self.connection()
        own.request(method, path, body if isinstance(body, (str, bytes, type(None))) else json.dumps(body), headers or {})
        reply = own.getresponse()
        text = reply.read()
        if not connection:
            own.close()
        return reply.status, json.loads(text) if reply.headers["Content-Type"] == "application/json" else text.decode(), reply.headers

    def post(self, path, body, **more):
        status, answer, _ = self.call("POST", path, body, **more)
        assert status == 200, answer
        return answer

    def metric(self, name):
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.call("GET", "/metrics")[1].splitlines() if line.startswith(name))

    def wait_until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None and time.monotonic() < end, "".join(self.log)
            time.sleep(0.02)

    def stop(self, code=0):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == code, "".join(self.log)
        self.reader.join()
        assert not re.search(r"terminate called|Sanitizer|std::", "".join(self.log)), "".join(self.log)


def raw(body, *headers, path="/v1/retrieve"):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", body]).encode()


def read_all(connection):
    data = b""
    while part := connection.recv(65536):
        data += part
    return data
