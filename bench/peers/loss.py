"""In-batch sampled softmax with log-q correction in torch, forward and backward: B D repeats threads."""

import json
import sys
import time

import torch
import torch.nn.functional as F

from _memory import peak_rss_mb

rows, dim, repeats, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(0)
users = F.normalize(torch.randn(rows, dim)).requires_grad_()
items = F.normalize(torch.randn(rows, dim)).requires_grad_()
bias = torch.randn(rows)
target = torch.arange(rows)


def step():
    users.grad = items.grad = None
    logits = torch.addmm(bias, users, items.T, alpha=1 / 0.05)  # the correction rides along
    F.cross_entropy(logits, target).backward()


step()
times = []
for _ in range(repeats):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
print(json.dumps({"ms": 1e3 * sorted(times)[len(times) // 2], "peak_rss_mb": peak_rss_mb()}))
