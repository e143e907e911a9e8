"""A peer that lives through a benchmark: a line of numbers on stdin is a question, its JSON lines and an empty one are the answer."""

import json
import sys
import time


def median_seconds(run, seconds):
    """Of runs after two that warm up, three at least and until so many seconds have passed. One of three seconds and more: once, after one."""

    def timed():
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    slow = timed() > 3
    if not slow:
        timed()
    times = [timed()]
    while sum(times) < seconds or (len(times) < 3 and not slow):
        times.append(timed())
    return sorted(times)[len(times) // 2]


def answer(question):
    """question(*numbers) yields dictionaries."""
    for line in sys.stdin:
        for result in question(*(float(word) if "." in word else int(word) for word in line.split())):
            print(json.dumps(result), flush=True)
        print(flush=True)
