"""A real Kafka broker of one process, for tests and experiments."""

import os
import pathlib
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
JARS = ROOT / "build" / "kafka"
JAVA = ["java", "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true", "-cp", f"{JARS}/*"]


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Broker:
    """One broker on a port of its own; its log lies in `folder` and outlives a stop or a kill. start() begins it again."""

    def __init__(self, folder, tool=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        build = pathlib.Path(os.environ.get("PAGODA_BUILD", ROOT / "build" / "release"))
        self.tool = str(tool or build / "kafka_tool")
        self.port, controller = free_ports(2)
        self.address = f"127.0.0.1:{self.port}"
        self.properties = self.folder / "server.properties"
        settings = {
            "process.roles": "broker,controller", "node.id": 1, "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}", "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT", "log.dirs": self.folder / "log",
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.num.partitions": 1,
            "transaction.state.log.min.isr": 1, "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1, "group.initial.rebalance.delay.ms": 0,
            "log.cleaner.dedupe.buffer.size": 2097152, "num.network.threads": 1, "num.io.threads": 2, "background.threads": 1,
            "auto.create.topics.enable": "false",
            # Otherwise a broker that was killed is taken for a second one when it begins again.
            "broker.session.timeout.ms": 1500, "broker.heartbeat.interval.ms": 300,
            "controller.quorum.election.timeout.ms": 300, "controller.quorum.fetch.timeout.ms": 1000}
        self.properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self.run("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(self.properties))
        self.process = None

    def run(self, *words):
        subprocess.run([*JAVA, *words], check=True, capture_output=True, timeout=60)

    def start(self):
        with open(self.folder / "said", "a") as said:
            self.process = subprocess.Popen([*JAVA, "kafka.Kafka", str(self.properties)], stdout=said, stderr=said)
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, (self.folder / "said").read_text()[-2000:]
                time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __call__(self, *words, stdin="", errors="strict"):
        """Runs tests/tools/kafka_tool."""
        done = subprocess.run([self.tool, self.address, *map(str, words)], input=stdin, capture_output=True, text=True, errors=errors, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def produce(self, topic, messages, rate=0):
        """messages: (partition, text) pairs; or (partition, bytes) pairs, at no rate."""
        if messages and isinstance(messages[0][1], bytes):
            self("produce_hex", topic, stdin="".join(f"{partition}\t{message.hex()}\n" for partition, message in messages))
            return
        self("produce", topic, rate, stdin="".join(f"{partition}\t{text}\n" for partition, text in messages))
