"""A real Redis, for tests and benchmarks."""

import socket
import subprocess
import time

from broker import free_ports


class Redis:
    """A Redis on a port of its own; what it has lies in `folder` and outlives a kill. start() begins it again."""

    def __init__(self, folder, password=""):
        self.folder, self.password = folder, password
        self.port, = free_ports(1)
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", "", "--appendonly", "yes",
                   "--appendfsync", "always", *(["--requirepass", self.password] if self.password else [])]
        # Debian's redis-tools has the program under this name; under the other, it comes with a service.
        self.process = subprocess.Popen(command, executable="/usr/bin/redis-check-rdb", stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end
                time.sleep(0.02)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
