"""_als.py PARTS: implicit's ALS, tuned on validation, judged on test; one JSON object. PARTS is what `pagoda split` writes.

A list is the catalogue of train and validation less what the user had in them; items that nobody had there count as
misses; users without a row in them are left out.
"""

import csv
import itertools
import json
import os
import pathlib
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import scipy.sparse as sparse
from implicit.als import AlternatingLeastSquares

FACTORS, ALPHAS, REGULARISATIONS = (64, 128, 256), (1.0, 5.0, 20.0), (0.01, 1.0, 10.0)
K = (20, 100)
CHOOSE_BY_USERS = 3000
MANY_ROWS = 2_000_000  # beyond, 256 factors take hours


def read(folder):
    users, items, parts = {}, {}, {}
    for part in ("train", "validation", "test"):
        with open(folder / f"{part}.csv", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            pairs = [(users.setdefault(row[0], len(users)), items.setdefault(row[1], len(items))) for row in rows]
        parts[part] = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return len(users), len(items), parts


def matrix(pairs, shape):
    cells = sparse.csr_matrix((np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape)
    cells.data[:] = 1
    return cells


def recalls(model, seen, asked, most_users=None):
    """The mean recall at each of K over the users of `asked` that have something in `seen`."""
    wanted = (asked - asked.multiply(seen)).tocsr()
    wanted.eliminate_zeros()
    users = np.flatnonzero((np.diff(wanted.indptr) > 0) & (np.diff(seen.indptr) > 0))
    if most_users and len(users) > most_users:
        users = np.random.default_rng(0).choice(users, most_users, replace=False)
    sums = np.zeros(len(K))
    for begin in range(0, len(users), 2000):
        chunk = users[begin : begin + 2000]
        lists, _ = model.recommend(chunk, seen[chunk], N=max(K), filter_already_liked_items=True)
        for user, items in zip(chunk, lists, strict=True):
            own = wanted.indices[wanted.indptr[user] : wanted.indptr[user + 1]]
            hit = np.isin(items, own)
            sums += [hit[:k].sum() / len(own) for k in K]
    return sums / max(1, len(users))


def fit(rows, factors, alpha, regularisation, iterations):
    model = AlternatingLeastSquares(factors=factors, alpha=alpha, regularization=regularisation, iterations=iterations, random_state=1)
    model.fit(rows, show_progress=False)
    return model


def main():
    users, items, parts = read(pathlib.Path(sys.argv[1]))
    shape = (users, items)
    train, validation = matrix(parts["train"], shape), matrix(parts["validation"], shape)
    both = matrix(np.concatenate([parts["train"], parts["validation"]]), shape)
    tried = {}
    for settings in itertools.product(FACTORS[: 2 if train.nnz > MANY_ROWS else 3], ALPHAS, REGULARISATIONS):
        tried[settings] = recalls(fit(train, *settings, 10), train, validation, CHOOSE_BY_USERS)[0]
        print(settings, f"{tried[settings]:.4f}", file=sys.stderr, flush=True)
    best = max(tried, key=tried.get)
    judged = recalls(fit(both, *best, 15), both, matrix(parts["test"], shape))
    named = "{} factors, alpha {:g}, regularisation {:g}".format(*best)
    print(json.dumps({f"recall@{k}": float(v) for k, v in zip(K, judged, strict=True)} | {"settings": named}))


main()
