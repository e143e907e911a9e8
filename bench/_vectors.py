"""Vectors with the spectrum of a real catalogue, as many as are wanted.

The items and users of Gowalla's training split are embedded by the truncated SVD of the normalised interaction matrix
(64 components, unit length). An item of the larger set lies between two items that share a user, at a random place, with
normal noise of a given size. Queries are users. All of the seed alone.
"""

import gzip
import pathlib

import numpy as np


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-12)).astype(np.float32)


def embedded(path, dim=64):
    """(item vectors, user vectors, pairs of items that share a user)"""
    import scipy.sparse as sp
    from scipy.sparse.linalg import svds

    users, items = [], []
    for line in gzip.open(path, "rt"):
        user, *rest = map(int, line.split())
        users += [user] * len(rest)
        items += rest
    r = sp.csr_matrix((np.ones(len(users)), (users, items)))
    user_degree, item_degree = (np.asarray(r.sum(axis)).ravel().clip(1) for axis in (1, 0))
    u, s, vt = svds(sp.diags(user_degree**-0.5) @ r @ sp.diags(item_degree**-0.5), k=dim + 1, random_state=0)
    kept = np.argsort(-s)[1:]  # the first is the popularity alone
    item_vectors = unit((vt[kept].T * s[kept] ** 0.5) * item_degree[:, None] ** -0.5)
    user_vectors = unit((u[:, kept] * s[kept] ** 0.5) * user_degree[:, None] ** -0.5)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, r.shape[0], 4_000_000)
    drawn = drawn[np.diff(r.indptr)[drawn] > 0]
    length = np.diff(r.indptr)[drawn]
    pairs = np.stack([r.indices[r.indptr[drawn] + (rng.random(len(drawn)) * length).astype(int)] for _ in range(2)], 1)
    return item_vectors, user_vectors, pairs


def make(path, items, queries, noise, folder):
    """folder/items.npy [items, 64] and folder/queries.npy, made once."""
    folder = pathlib.Path(folder)
    if (folder / "items.npy").exists() and (folder / "queries.npy").exists():
        return np.load(folder / "items.npy", mmap_mode="r"), np.load(folder / "queries.npy")
    folder.mkdir(parents=True, exist_ok=True)
    item_vectors, user_vectors, pairs = embedded(path)
    rng = np.random.default_rng(1)
    out = np.lib.format.open_memmap(folder / "items.partial.npy", "w+", np.float32, (items, item_vectors.shape[1]))
    for begin in range(0, items, 1 << 18):
        n = min(1 << 18, items - begin)
        a, b = item_vectors[pairs[rng.integers(0, len(pairs), n)].T]
        place = 0.25 + 0.75 * rng.random((n, 1), np.float32)
        out[begin : begin + n] = unit(place * a + (1 - place) * b + noise * rng.standard_normal(a.shape, np.float32))
    out.flush()
    np.save(folder / "queries.npy", user_vectors[rng.permutation(len(user_vectors))[:queries]])
    (folder / "items.partial.npy").rename(folder / "items.npy")
    return np.load(folder / "items.npy", mmap_mode="r"), np.load(folder / "queries.npy")
