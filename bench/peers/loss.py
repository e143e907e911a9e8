"""In-batch sampled softmax with log-q correction in torch, forward and backward. Questions: B D seconds threads."""

import torch
import torch.nn.functional as F

from _memory import peak_rss_mb
from _turns import answer, median_seconds


def measure(rows, dim, seconds, threads):
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

    yield {"ms": 1e3 * median_seconds(step, seconds), "peak_rss_mb": peak_rss_mb()}


answer(measure)
