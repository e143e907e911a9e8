"""A whole training step in torch: two tables of N rows x 64, layers 128-64, in-batch softmax, sparse Adam. Argument: N, threads. Questions: B seconds compiled."""

import sys

import torch
import torch.nn.functional as F

from _memory import peak_rss_mb
from _turns import answer, median_seconds

n, threads = map(int, sys.argv[1:])
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
optimizers = [torch.optim.SparseAdam([p for t in tables for p in t.parameters()], lr=1e-3), torch.optim.Adam(towers.parameters(), lr=1e-3)]


def measure(batch, seconds, compiled):
    ids = torch.randint(n, (8, 2, batch))
    bias = torch.randn(batch)
    for name, forward in (("torch", towers), ("torch.compile", torch.compile(towers, dynamic=False)))[:1 + compiled]:
        steps = iter(range(1 << 30))

        def step():
            k = next(steps) % 8
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
            forward(tables[0](ids[k, 0]), tables[1](ids[k, 1]), bias).backward()
            for optimizer in optimizers:
                optimizer.step()

        yield {"peer": name, "examples_per_s": batch / median_seconds(step, seconds), "peak_rss_mb": peak_rss_mb()}


answer(measure)
