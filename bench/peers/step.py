"""A whole training step in torch: two tables of N rows x 64, layers 128-64, in-batch softmax, sparse Adam: N B steps compiled threads."""

import json
import sys
import time

import torch
import torch.nn.functional as F

from _memory import peak_rss_mb

n, batch, steps, compiled, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(0)


class Towers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64)) for _ in range(2))

    def forward(self, users, items, bias):
        u, v = (F.normalize(layer(x)) for layer, x in zip(self.layers, (users, items)))
        return F.cross_entropy(torch.addmm(bias, u, v.T, alpha=10.0), torch.arange(len(u)))


tables = [torch.nn.Embedding(n, 64, sparse=True) for _ in range(2)]
towers = Towers()
ids = torch.randint(n, (8, 2, batch))
bias = torch.randn(batch)


def measure(forward, steps):
    optimizers = [torch.optim.SparseAdam([p for t in tables for p in t.parameters()], lr=1e-3), torch.optim.Adam(towers.parameters(), lr=1e-3)]

    def step(k):
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        forward(tables[0](ids[k % 8, 0]), tables[1](ids[k % 8, 1]), bias).backward()
        for optimizer in optimizers:
            optimizer.step()

    for k in range(min(2, steps - 1)):  # one step alone is the first
        step(k)
    times = []
    for k in range(steps):
        start = time.perf_counter()
        step(k)
        times.append(time.perf_counter() - start)
    return batch / sorted(times)[len(times) // 2]


for name, forward in (("torch", towers), ("torch.compile", torch.compile(towers)))[:1 + compiled]:
    print(json.dumps({"peer": name, "examples_per_s": measure(forward, steps),
                      "peak_rss_mb": peak_rss_mb()}), flush=True)
