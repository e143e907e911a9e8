"""HTTP/2 by hand, for what gRPC's own clients do not do: odd headers, requests that stay unfinished, answers that are not taken."""

import select
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
END_STREAM = ACK = 1
END_HEADERS = 4
INITIAL_WINDOW = 65535


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def text(s):
    return bytes([len(s)]) + s


def message(payload):
    """A whole message of gRPC."""
    return b"\0" + len(payload).to_bytes(4, "big") + payload


class Connection:
    """Of streams 1, 3, 5, ... A window of 0: answers may not be sent."""

    def __init__(self, port, window=INITIAL_WINDOW):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window)))
        self.last, self.came = -1, bytearray()
        self.window, self.of_stream = INITIAL_WINDOW, {}  # bytes that may be sent: of all streams, of each
        self.initial = INITIAL_WINDOW

    def close(self):
        self.socket.close()

    def begin(self, call, **more):
        """Begins a call; its number."""
        fields = {b":method": b"POST", b":scheme": b"http", b":path": b"/pagoda.v1.Retrieval/" + call, b":authority": b"x", b"te": b"trailers",
                  b"content-type": b"application/grpc", **{name.replace("_", "-").encode(): value for name, value in more.items()}}
        self.last += 2
        self.of_stream[self.last] = self.initial
        self.socket.sendall(frame(HEADERS, END_HEADERS, self.last, b"".join(b"\0" + text(name) + text(value) for name, value in fields.items())))
        return self.last

    def send(self, stream, payload, end=False):
        """As far as there is a window for it; what is left."""
        n = min(len(payload), self.window, self.of_stream[stream], 16384)
        self.window -= n
        self.of_stream[stream] -= n
        if n or not payload:
            self.socket.sendall(frame(DATA, END_STREAM if end and n == len(payload) else 0, stream, payload[:n]))
        return payload[n:]

    def ask(self, call, request, **more):
        stream = self.begin(call, **more)
        assert not self.send(stream, message(request), end=True)
        return stream

    def frames(self, seconds=0):
        """Those that have come, or come within the time: (kind, flags, stream, payload). Windows and pings are seen to."""
        found = []
        while select.select([self.socket], [], [], 0 if found else seconds)[0]:
            some = self.socket.recv(1 << 16)
            self.came += some
            while len(self.came) >= 9 and len(self.came) >= (whole := 9 + int.from_bytes(self.came[:3], "big")):
                kind, flags, stream = self.came[3], self.came[4], int.from_bytes(self.came[5:9], "big")
                payload = bytes(self.came[9:whole])
                del self.came[:whole]
                self.see_to(kind, flags, stream, payload)
                found.append((kind, flags, stream, payload))
            if not some:
                break
        return found

    def see_to(self, kind, flags, stream, payload):
        if kind == WINDOW_UPDATE and stream == 0:
            self.window += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE and stream in self.of_stream:
            self.of_stream[stream] += int.from_bytes(payload, "big")
        elif kind == SETTINGS and not flags & ACK:
            for key, value in struct.iter_unpack(">HI", payload):
                if key == 4:
                    self.of_stream = {s: n + value - self.initial for s, n in self.of_stream.items()}
                    self.initial = value
            self.socket.sendall(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.socket.sendall(frame(PING, ACK, 0, payload))
