"""The index over vectors of one's own, against NumPy."""

import numpy as np
import pagoda
import pytest

N, DIM = 3000, 24


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(1).standard_normal((N, DIM)).astype(np.float32)


@pytest.fixture(scope="module")
def queries():
    return np.random.default_rng(2).standard_normal((50, DIM)).astype(np.float32)


def best(queries, vectors, k, allowed=None):
    scores = queries @ vectors.T
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def test_exact_lists_are_numpys(vectors, queries):
    ids, scores = pagoda.Index(vectors).search(queries, k=20)
    assert ids.dtype == np.int64 and (ids == best(queries, vectors, 20)).all()
    assert np.allclose(scores, np.take_along_axis(queries @ vectors.T, ids, 1), atol=1e-4)


def test_filters_hold_inside_the_search(vectors, queries):
    year = np.arange(N) % 50 + 1970
    index = pagoda.Index(vectors, ids=[f"v{n}" for n in range(N)], attributes={"year": year, "kind": ["a", "b"] * (N // 2)})
    ids, _ = index.search(queries, k=20, filter="year >= 2015 and kind = 'a'")
    wanted = best(queries, vectors, 20, (year >= 2015) & (np.arange(N) % 2 == 0))
    assert [[int(i[1:]) for i in row] for row in ids] == wanted.tolist()


def test_a_partitioned_index_reaches_its_recall():
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((30_000, 32)).astype(np.float32)
    queries = rng.standard_normal((100, 32)).astype(np.float32)
    index = pagoda.Index(vectors, kind="partitioned", recall=0.9, k=100, sample_queries=queries[:50])
    wanted = best(queries, vectors, 100)
    ids, _ = index.search(queries, k=100)
    assert np.mean([len(set(a) & set(b)) / 100 for a, b in zip(ids, wanted)]) > 0.85
    exact, _ = index.search(queries, k=100, recall=1)
    assert (exact == wanted).all()


def test_upsert_and_remove(vectors, queries):
    index = pagoda.Index(vectors[:1000])
    before, _ = index.search(queries, k=5)
    index.upsert([7, 5000], np.stack([queries[0], queries[0] * 2]))
    ids, _ = index.search(queries[:1], k=2)
    assert ids[0].tolist() == [5000, 7] and len(index) == 1001 and 5000 in index
    index.remove([5000, 7])
    ids, _ = index.search(queries[:1], k=5)
    assert 5000 not in ids and len(index) == 999
    assert before.shape == (50, 5)
    with pytest.raises(pagoda.UsageError, match="changed"):
        index.save("/tmp/never")


def test_saved_and_loaded(vectors, queries, tmp_path):
    index = pagoda.Index(vectors, half_precision=True, cosine=True)
    index.save(tmp_path / "x.pagoda")
    again = pagoda.Index.load(tmp_path / "x.pagoda", integer_ids=True)
    assert (again.search(queries, k=9).ids == index.search(queries, k=9).ids).all()
    assert again.vectors.dtype == np.float16


@pytest.mark.parametrize("make, words", [
    (lambda v: pagoda.Index(v[0]), "dimensions"),
    (lambda v: pagoda.Index(np.full((2, 3), np.inf)), "finite"),
    (lambda v: pagoda.Index(v[:2], ids=["a", "a"]), "same id"),
    (lambda v: pagoda.Index(v[:2], ids=["a"]), "ids"),
    (lambda v: pagoda.Index(v[:2], kind="magic"), "kind"),
    (lambda v: pagoda.Index(v[:2], attributes={"a": [1]}), "values"),
    (lambda v: pagoda.Index(v[:0]), "no vector"),
    (lambda v: pagoda.Index(v[:5]).search(v[:1], filter="year > 3"), "year"),
    (lambda v: pagoda.Index(v[:5]).upsert([1], v[:2]), "one an item"),
])
def test_errors(vectors, make, words):
    with pytest.raises(pagoda.Error) as caught:
        make(vectors)
    assert words in str(caught.value)
