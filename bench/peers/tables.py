"""Random rows of a table read by torch.nn.functional.embedding: ROWS D repeats threads."""

import json
import sys
import time

import torch
import torch.nn.functional as F

from _memory import peak_rss_mb

rows, dim, repeats, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
table = torch.zeros(rows, dim)
for begin in range(0, rows, 1 << 20):  # every page is the table's own
    table[begin:begin + (1 << 20)] = 1.0
ids = [torch.randint(rows, (1 << 16,)).sort().values for _ in range(16)]
times = []
with torch.no_grad():
    for k in range(repeats + 1):
        start = time.perf_counter()
        F.embedding(ids[k % 16], table)
        times.append(time.perf_counter() - start)
print(json.dumps({"gb_per_s": 4e-9 * dim * (1 << 16) / sorted(times[1:])[len(times[1:]) // 2], "peak_rss_mb": peak_rss_mb()}))
