#!/usr/bin/env bash
# confluent-kafka 2.12.2 (librdkafka 2.12.1): a partition that was paused stays paused when it is assigned anew, even after
# unassign().
#
# assign() gives the partition with an offset, and its messages are expected from there. None comes, and no call tells
# that the partition is paused: assignment() shows it like any other. A program that gives up its partitions and takes
# them again, as after a rebalance or when a topic got more partitions, waits for ever on those that it had paused for
# back-pressure. One would guess that a new assignment begins unpaused, as it begins at a new offset.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install confluent-kafka==2.12.2
venv/bin/python - <<'PYTHON' >seen 2>/dev/null
import time

from confluent_kafka import Consumer, Producer, TopicPartition, libversion, version

print("confluent-kafka", version(), "librdkafka", libversion()[0])
producer = Producer({"test.mock.num.brokers": 1})  # librdkafka's own broker, in this process
broker = next(iter(producer.list_topics(timeout=10).brokers.values()))
for click in range(10):
    producer.produce("clicks", str(click), partition=0)
producer.flush(10)
consumer = Consumer({"bootstrap.servers": f"{broker.host}:{broker.port}", "group.id": "g"})
first = TopicPartition("clicks", 0, 0)


def read(what, seconds=4):
    messages, end = 0, time.time() + seconds
    while time.time() < end and messages < 10:
        message = consumer.poll(0.2)
        messages += message is not None and not message.error()
    print(f"{what}: {messages} messages")


consumer.assign([first])
read("assigned at offset 0")
consumer.pause([first])
consumer.assign([first])
read("paused, then assigned at offset 0")
consumer.unassign()
consumer.assign([first])
read("unassigned, then assigned at offset 0")
consumer.resume([first])
read("resumed")
PYTHON
cat seen
diff seen - <<'SEEN' || { echo "findings/librdkafka_pause: it is otherwise now" >&2; exit 1; }
confluent-kafka 2.12.2 librdkafka 2.12.1
assigned at offset 0: 10 messages
paused, then assigned at offset 0: 0 messages
unassigned, then assigned at offset 0: 0 messages
resumed: 10 messages
SEEN
