#!/usr/bin/env python3
"""Cases for src/loss/loss_cases_test.cpp, in float64, from the formulas in src/loss/loss.h.

    make_loss_cases.py > tests/data/loss_cases.json          (needs numpy)

The forward pass is written row by row in the words of the formulas; gradients are complex-step derivatives of it,
exact to rounding and derived by nobody.
A case: U [B][D], V [N][D]; positives, weights, masked: a list per row; log_count [N] or [B][N]; log_multiplicity [N] or
null; form, beta, ratio, tau, draws; expected: loss, dU, dV, d_log_temperature.
"""
import json

import numpy as np

STEP = 1e-40


def log_sum_exp(z):
    if len(z) == 0:
        return None
    m = max(x.real for x in z)
    return m + np.log(sum(np.exp(x - m) for x in z))


def forward(c, U, V, log_tau):
    """The loss; every operation is analytic, so a complex input gives the derivative."""
    total, B, N = 0, len(U), len(V)
    for i in range(B):
        s = (V @ U[i]) * np.exp(-log_tau)
        count = np.asarray(c["log_count"][i] if isinstance(c["log_count"][0], list) else c["log_count"])
        multiplicity = np.zeros(N) if c["log_multiplicity"] is None else np.asarray(c["log_multiplicity"])
        own = c["positives"][i]
        negatives = [j for j in range(N) if j not in own and j not in c["masked"][i]]
        if c["form"] == "leave_one_out":
            (p,), (r,) = own, c["weights"][i]
            q = np.exp(count) / c["draws"]
            lse = log_sum_exp([s[j] + multiplicity[j] - np.log(q[j] / (1 - q[p])) for j in negatives])
            if lse is not None:
                probability = 1 / (1 + np.exp(lse.real - np.log(c["draws"]) - s[p].real))
                total += r * (1 - probability) * (lse - s[p])
            continue
        beta = 0 if c["form"] == "none" else c["beta"]
        z = s + multiplicity - beta * count
        if c["form"] == "negatives":
            z[own] = s[own]
        lse = log_sum_exp([z[j] for j in negatives + sorted(set(own))])
        for p, r in zip(own, c["weights"][i]):
            total += r * (c["ratio"] * lse - z[p])
    return total / B


def derivatives(c, X, f):
    d = np.zeros(X.shape)
    for at in np.ndindex(X.shape):
        moved = X.astype(complex)
        moved[at] += 1j * STEP
        d[at] = f(moved).imag / STEP
    return d


def case(seed, B, N, D, form, beta=1.0, tau=0.1, ratio=1.0, per_row=False, weights=False, positives=1, multiplicity=False,
         all_masked_row=None, length=1.0):
    r = np.random.default_rng(seed)
    U, V = r.normal(size=(B, D)), r.normal(size=(N, D))
    U *= length / np.linalg.norm(U, axis=1, keepdims=True)
    V /= np.linalg.norm(V, axis=1, keepdims=True)
    own, masked = [], []
    for i in range(B):
        mine = r.choice(N, size=min(N, int(r.integers(1, positives + 1))), replace=False).tolist()
        rest = [j for j in range(N) if j not in mine]
        share = 1.0 if i == all_masked_row else 0.25
        own.append(mine)
        masked.append([j for j in rest if r.uniform() < share])
    c = dict(form=form, beta=beta, ratio=ratio, tau=tau, draws=N + 3, positives=own, masked=masked,
             weights=[r.uniform(.1, 3, len(p)).tolist() if weights else [1.0] * len(p) for p in own],
             log_count=np.log(r.uniform(.01, .9, size=(B, N) if per_row else N)).tolist(),
             log_multiplicity=r.normal(size=N).tolist() if multiplicity else None)
    log_tau = np.log(tau)
    c["name"] = (f"{form} beta {beta} ratio {ratio} tau {tau} B {B} N {N} D {D}" + " per row" * per_row +
                 " weights" * weights + f" up to {positives} positives" * (positives > 1) + " multiplicity" * multiplicity +
                 " a row of masked" * (all_masked_row is not None))
    c.update(U=U.tolist(), V=V.tolist(), loss=float(forward(c, U, V, log_tau).real),
             dU=derivatives(c, U, lambda X: forward(c, X, V, log_tau)).tolist(),
             dV=derivatives(c, V, lambda X: forward(c, U, X, log_tau)).tolist(),
             d_log_temperature=float(forward(c, U, V, log_tau + 1j * STEP).imag / STEP))
    return c


CASES = [
    case(1, 4, 4, 3, "none"),
    case(2, 5, 9, 4, "none", tau=.2, weights=True, multiplicity=True),
    case(3, 5, 5, 3, "standard"),
    case(4, 6, 12, 4, "standard", beta=.5, weights=True),
    case(5, 6, 12, 4, "standard", beta=0., tau=.07),
    case(6, 6, 12, 4, "standard", beta=1.25, per_row=True),
    case(7, 5, 11, 4, "standard", positives=4, weights=True, ratio=1.2),
    case(8, 5, 11, 4, "standard", positives=4, multiplicity=True, per_row=True, weights=True),
    case(9, 5, 6, 3, "standard", positives=2, all_masked_row=2),
    case(10, 6, 9, 5, "negatives", tau=.07),
    case(11, 6, 9, 5, "negatives", beta=.3, per_row=True, weights=True, ratio=.8),
    case(12, 5, 10, 4, "negatives", positives=3, multiplicity=True),
    case(13, 6, 10, 4, "leave_one_out"),
    case(14, 7, 13, 6, "leave_one_out", tau=.05, weights=True, multiplicity=True),
    case(15, 5, 8, 4, "leave_one_out", per_row=True, all_masked_row=1),
    case(16, 3, 7, 2, "standard", tau=.01),
    case(17, 3, 7, 2, "leave_one_out", tau=.01),
    case(18, 1, 1, 2, "standard"),
    case(19, 1, 1, 2, "leave_one_out"),
    case(20, 4, 300, 3, "standard", positives=5, weights=True, per_row=False, ratio=1.1),
    case(21, 3, 290, 3, "leave_one_out", length=2.0),
]
print("[" + ",\n".join(json.dumps(c) for c in CASES) + "]")
