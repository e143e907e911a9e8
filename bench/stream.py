"""Learning from a stream beside `pagoda train` in order of time on the same rows: through a broker of Kafka, and from files that grow."""

import json
import os
import shutil
import subprocess
import sys

import pyarrow.parquet

from _bench import BUILD, ROOT, Result, WORK, median, train
import python

sys.path.insert(0, str(ROOT / "tests"))
from broker import Broker  # noqa: E402

PARTITIONS = 4
# The same model as of bench/python.py, learnt once in order of time.
CONFIG = python.CONFIG + """order = "time"
[sampling.frequency]
kind = "streaming"
clock = "example"
[stream]
publish = ""
idle = "5s"
"""


def stream(config, *words):
    """(seconds, peak memory in MB) of learning all that a source holds."""
    model = WORK / "stream" / "live.pagoda"
    shutil.rmtree(f"{model}.stream", ignore_errors=True)
    shutil.rmtree(f"{model}.versions", ignore_errors=True)
    words = [BUILD / "pagoda", "stream", "-c", config, "-o", model, "--once", *words]
    begin = os.times()
    process = subprocess.Popen(list(map(str, words)), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"bench: {said}")
    return os.times().elapsed - begin.elapsed, usage.ru_maxrss / 1024


def run(quick):
    folder = WORK / "stream"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows, rounds = (500_000, 1) if quick else (4_000_000, 3)
    log, config = python.log_of(rows), folder / "pagoda.toml"
    config.write_text(CONFIG.format(log=log))
    # Written piece by piece: what this process holds would count as memory of those that it starts.
    with open(folder / "log.jsonl", "w") as out, open(folder / "messages", "w") as messages:
        for batch in pyarrow.parquet.ParquetFile(log).iter_batches(65536):
            for i, row in enumerate(batch.to_pylist()):
                line = json.dumps(row)
                out.write(f"{line}\n")
                messages.write(f"{i % PARTITIONS}\t{line}\n")
    broker = Broker(folder / "broker", BUILD / "kafka_tool").start()
    try:
        broker("create", "clicks", PARTITIONS)
        with open(folder / "messages") as messages:
            subprocess.run([broker.tool, broker.address, "produce", "clicks"], stdin=messages, check=True)
        sources = {"kafka": ("--set", "stream.topic='clicks'", "--set", f"stream.kafka.bootstrap.servers='{broker.address}'"),
                   "files": ("--set", f"stream.files=['{folder}/log.jsonl']")}
        seconds, memory = {"train": [], "kafka": [], "files": []}, {}
        for _ in range(rounds):  # in turns
            begin = os.times()
            _, memory["train"] = train("-c", config)
            seconds["train"].append(os.times().elapsed - begin.elapsed)
            for name, words in sources.items():
                took, memory[name] = stream(config, *words)
                seconds[name].append(took)
    finally:
        broker.kill()
    whole = median(seconds["train"])
    results = [Result("train_in_order_of_time", rows / whole, "events/s", 2, peak_rss_mb=memory["train"])]
    for name in sources:
        took = median(seconds[name])
        results.append(Result(f"stream_{name}", rows / took, "events/s", 2, ratio_to_peer=whole / took, peer="pagoda train, order = \"time\", the same rows as Parquet",
                              peak_rss_mb=memory[name]))
    return results
