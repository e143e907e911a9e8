"""Files of vectors from the command line: which column holds what, ids of every type, numbers at the ends of floats."""

import decimal
import json
import pathlib
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

USAGE, INPUT = 2, 3

UUIDS = [str(uuid.UUID(int=(7 << 100) + i)) for i in range(4)]
BIG = [2**64 - 1 - i for i in range(4)]

# The type, the values as they are written, and the ids that they are.
IDS = {
    "text": (pa.string(), ["a", " b", "000012", "12"], ["a", " b", "000012", "12"]),
    "large text": (pa.large_string(), list("abcd"), list("abcd")),
    "int8": (pa.int8(), [-128, 0, 1, 127], ["-128", "0", "1", "127"]),
    "uint64": (pa.uint64(), BIG, [str(i) for i in BIG]),
    "int64 beyond doubles": (pa.int64(), [2**53 + i for i in range(4)], [str(2**53 + i) for i in range(4)]),
    "decimal of 38 digits": (pa.decimal128(38, 0), [decimal.Decimal(10**37 + i) for i in range(4)], [str(10**37 + i) for i in range(4)]),
    "decimal with a point": (pa.decimal128(10, 2), [decimal.Decimal(t) for t in ("0.35", "1.00", "9.99", "-0.10")], ["0.35", "1", "9.99", "-0.1"]),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), list("abcd"), list("abcd")),
    "double": (pa.float64(), [1.0, 2.5, 3.0, -4.0], ["1", "2.5", "3", "-4"]),
}


def write(path, columns):
    pq.write_table(pa.table(columns), path)
    return path


def vectors(n, dim=8, seed=1):
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def lists(array, kind=pa.list_, element=pa.float32()):
    return pa.array([[v for v in row] for row in array.astype(np.float16 if element == pa.float16() else np.float64)], kind(element))


def ids_of(cli, bundle, query, k):
    np.save(bundle.parent / "query.npy", np.atleast_2d(query).astype(np.float32))
    done = cli("retrieve", bundle, "--vectors", bundle.parent / "query.npy", "--k", k)
    return json.loads(done.stdout)["items"]


@pytest.mark.parametrize("kind", IDS)
def test_ids_are_taken_by_name_and_exactly_whatever_their_type(cli, tmp_path, kind):
    of_type, values, ids = IDS[kind]
    v = vectors(4)
    write(tmp_path / "v.parquet", {"year": pa.array([1990, 1990, 1991, 1992]), "item_id": pa.array(values, of_type), "vector": lists(v)})
    cli("index", "--vectors", tmp_path / "v.parquet", "-o", tmp_path / "v.pagoda", says="the ids are those of column 'item_id'")
    for row in range(4):
        # The vector itself is its own best match among vectors of one length.
        unit = v[row] / np.linalg.norm(v[row])
        order = np.argsort(-(v @ unit), kind="stable")
        assert ids_of(cli, tmp_path / "v.pagoda", unit, 4) == [ids[i] for i in order]


def test_uuids_are_their_usual_text(cli, tmp_path):
    v = vectors(4)
    column = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid.UUID(u).bytes for u in UUIDS], pa.binary(16)))
    write(tmp_path / "v.parquet", {"item_id": column, "vector": lists(v)})
    cli("index", "--vectors", tmp_path / "v.parquet", "-o", tmp_path / "v.pagoda")
    assert sorted(ids_of(cli, tmp_path / "v.pagoda", v[0], 4)) == sorted(UUIDS)


def test_a_column_of_a_type_that_arrow_does_not_know_is_in_nobodys_way(cli, tmp_path):
    """Of item_id, count (128-bit integers) and vector, an array of two floats, as polars 2.1 writes it."""
    cli("index", "--vectors", pathlib.Path(__file__).parent / "data" / "formats" / "polars_vectors.parquet", "-o", tmp_path / "v.pagoda")
    assert ids_of(cli, tmp_path / "v.pagoda", [3, 1], 4) == list("abdc")


def test_what_is_not_clear_is_asked_for(cli, tmp_path):
    v = vectors(4)
    path = write(tmp_path / "v.parquet", {"year": pa.array([1, 2, 3, 4]), "name": pa.array(list("abcd")), "vector": lists(v)})
    out = ["-o", tmp_path / "v.pagoda"]
    cli("index", "--vectors", path, *out, code=INPUT, says="which column holds the ids is not clear: 'year', 'name'; name it with --id")
    cli("index", "--vectors", path, "--id", "name", *out, says="column 'name'")
    assert sorted(ids_of(cli, tmp_path / "v.pagoda", v[0], 4)) == list("abcd")
    cli("index", "--vectors", path, "--id", "nam", *out, code=USAGE, says="no column 'nam'; did you mean 'name'?")
    (tmp_path / "ids.txt").write_text("p\nq\nr\ns\n")
    cli("index", "--vectors", path, "--ids", tmp_path / "ids.txt", *out)
    assert sorted(ids_of(cli, tmp_path / "v.pagoda", v[0], 4)) == list("pqrs")
    path = write(tmp_path / "v.parquet", {"id": pa.array([1, 2, 3, 4]), "a": lists(v), "b": lists(v[:, :3])})
    cli("index", "--vectors", path, *out, code=INPUT, says="which column holds the vectors is not clear: 'a', 'b'; name it with --vector")
    cli("index", "--vectors", path, "--vector", "b", *out, says="vectors of 3 components")
    cli("index", "--vectors", path, "--vector", "id", *out, code=INPUT, says="column 'id' does not hold lists of floats")
    np.save(tmp_path / "v.npy", v)
    cli("index", "--vectors", tmp_path / "v.npy", "--id", "id", *out, code=USAGE, says="has no columns")


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, lambda t: pa.list_(t, 8)])
@pytest.mark.parametrize("element", [pa.float16(), pa.float32(), pa.float64()])
def test_vectors_of_every_width(cli, tmp_path, kind, element):
    v = vectors(4).astype(np.float16).astype(np.float32)
    path = write(tmp_path / "v.parquet", {"item_id": pa.array(list("abcd")), "vector": lists(v, kind, element)})
    cli("index", "--vectors", path, "-o", tmp_path / "v.pagoda")
    order = np.argsort(-(v @ v[2]), kind="stable")
    assert ids_of(cli, tmp_path / "v.pagoda", v[2], 4) == ["abcd"[i] for i in order]


@pytest.mark.parametrize("array, says", [
    (vectors(4).astype("<c8"), "'<c8'"),
    (vectors(4).astype(">f4"), "'>f4'"),
    ((vectors(4) * 9).astype(np.int8), "'|i1'"),
    (np.asfortranarray(vectors(4)), "Fortran order"),
    (vectors(4)[0], "1 dimensions"),
    (vectors(0), "holds no vectors"),
    (np.array([[1, np.nan]], np.float32), "component 1 of row 0"),
    (np.array([[1, np.inf]], np.float32), "component 1 of row 0"),
    (np.array([[1, 1e300]]), "component 1 of row 0"),
])
def test_an_npy_that_is_no_array_of_floats_is_refused_with_a_way_out(cli, tmp_path, array, says):
    np.save(tmp_path / "v.npy", array)
    cli("index", "--vectors", tmp_path / "v.npy", "-o", tmp_path / "v.pagoda", code=INPUT, says=["v.npy", says])


def test_the_remedies_for_an_npy_work(cli, tmp_path):
    v = vectors(4)
    for array in (v.astype("<f2").astype("<f4"), v.astype(">f4").astype("<f4"), np.ascontiguousarray(np.asfortranarray(v))):
        np.save(tmp_path / "v.npy", array)
        cli("index", "--vectors", tmp_path / "v.npy", "-o", tmp_path / "v.pagoda")
        order = np.argsort(-(v @ v[2]), kind="stable")
        assert ids_of(cli, tmp_path / "v.pagoda", v[2], 4) == [str(i) for i in order]


def test_ids_twice_empty_or_missing_are_refused(cli, tmp_path):
    v = vectors(3)
    for ids, says in ((["a", "b", "a"], "rows 0 and 2 (from 0) have the same id 'a'"), (["a", "", "c"], "row 1 (from 0) has no id"),
                      (["a", "b", None], "row 2 (from 0) has no id")):
        path = write(tmp_path / "v.parquet", {"item_id": pa.array(ids, pa.string()), "vector": lists(v)})
        cli("index", "--vectors", path, "-o", tmp_path / "v.pagoda", code=INPUT, says=["v.parquet", says])
    np.save(tmp_path / "v.npy", v)
    (tmp_path / "ids.txt").write_text("a\nb\n")
    cli("index", "--vectors", tmp_path / "v.npy", "--ids", tmp_path / "ids.txt", "-o", tmp_path / "v.pagoda", code=INPUT, says=["ids.txt: 2 ids for the 3 vectors of"])


def test_ids_that_may_have_been_rounded_and_ids_with_blanks_are_said(cli, tmp_path):
    path = write(tmp_path / "v.parquet", {"item_id": pa.array([2.0**53, 2.0**53 + 2, 1.0]), "vector": lists(vectors(3))})
    cli("index", "--vectors", path, "-o", tmp_path / "v.pagoda", says=["warning: column 'item_id': 2 ", "rounded", "row 1"])
    path = write(tmp_path / "v.parquet", {"item_id": pa.array(["a ", "a", "b"]), "vector": lists(vectors(3))})
    cli("index", "--vectors", path, "-o", tmp_path / "v.pagoda", says="v.parquet: column 'item_id': 1 ids have blanks around them and are kept as they are: 'a ' is not 'a'")


def test_an_index_keeps_the_ids_that_encode_writes(cli, model, tmp_path):
    cli("encode", model, "items", "-o", tmp_path / "v.parquet")
    ids = pq.read_table(tmp_path / "v.parquet")["item"].to_pylist()
    for form in ("npy", "fbin", "parquet"):
        cli("encode", model, "items", "-o", tmp_path / f"v.{form}")
        cli("index", "--vectors", tmp_path / f"v.{form}", "-o", tmp_path / "v.pagoda", says="column 'item'" if form == "parquet" else f"v.{form}.ids.txt")
        done = cli("similar", tmp_path / "v.pagoda", "--items", "-", "--k", 2, stdin=f"{ids[7]}\n")
        same = cli("similar", model, "--items", "-", "--k", 2, stdin=f"{ids[7]}\n")
        assert json.loads(done.stdout)["items"] == json.loads(same.stdout)["items"]
    (tmp_path / "v.npy.ids.txt").write_text("a\nb\n")
    cli("index", "--vectors", tmp_path / "v.npy", "-o", tmp_path / "v.pagoda", code=INPUT, says=["v.npy.ids.txt: 2 ids, but", "has 300 vectors"])


def test_attributes_of_other_items_than_the_vectors(cli, tmp_path):
    path = write(tmp_path / "v.parquet", {"item_id": pa.array([f"{i:06d}" for i in range(30)]), "vector": lists(vectors(30))})
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"{i},Title {i}\n" for i in range(30)))
    cli("index", "--vectors", path, "--attributes", tmp_path / "items.csv", "-o", tmp_path / "v.pagoda", code=INPUT,
        says=["items.csv: none of the 30 items of", "without leading zeros, 30 of them"])


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e15, 1e25])
def test_a_partitioned_index_keeps_its_recall_at_any_scale(cli, tmp_path, scale):
    """The queries are of other lengths than the items, so that none of them is told from its scores."""
    items = (np.random.default_rng(1).normal(size=(3000, 16)) * scale).astype(np.float32)
    queries = np.random.default_rng(2).normal(size=(40, 16)).astype(np.float32)
    np.save(tmp_path / "v.npy", items)
    np.save(tmp_path / "q.npy", queries)
    cli("index", "--vectors", tmp_path / "v.npy", "--kind", "partitioned", "--recall", 0.95, "--k", 100, "-o", tmp_path / "v.pagoda")
    done = cli("retrieve", tmp_path / "v.pagoda", "--vectors", tmp_path / "q.npy", "--k", 100)
    scores = queries.astype(np.float64) @ items.astype(np.float64).T
    found = [[int(i) for i in json.loads(line)["items"]] for line in done.stdout.splitlines()]
    best = [set(np.argsort(-row, kind="stable")[:100].tolist()) for row in scores]
    assert np.mean([len(best[q] & set(found[q])) / 100 for q in range(40)]) > 0.92
    told = np.array([json.loads(line)["scores"] for line in done.stdout.splitlines()])
    assert np.allclose(told, np.take_along_axis(scores, np.array(found), 1), rtol=1e-5, atol=1e-5 * scale)


def test_vectors_of_zeros_are_said(cli, tmp_path):
    v = vectors(5)
    v[3] = 0
    np.save(tmp_path / "v.npy", v)
    cli("index", "--vectors", tmp_path / "v.npy", "--kind", "partitioned", "-o", tmp_path / "v.pagoda", says="v.npy: 1 of 5 vectors are all zeros")
    assert len(ids_of(cli, tmp_path / "v.pagoda", v[0], 5)) == 5


def test_vectors_that_no_index_holds_are_refused(cli, tmp_path):
    np.save(tmp_path / "v.npy", np.full((3, 4), 1e31, np.float32))
    cli("index", "--vectors", tmp_path / "v.npy", "-o", tmp_path / "v.pagoda", code=INPUT, says=["row 0 (from 0) has the length 2e+31", "multiply all vectors by one number"])
    cli("index", "--vectors", tmp_path / "v.npy", "--metric", "cosine", "-o", tmp_path / "v.pagoda")
    np.save(tmp_path / "v.npy", np.full((3, 4), 1e-9, np.float32))
    cli("index", "--vectors", tmp_path / "v.npy", "--precision", "f16", "-o", tmp_path / "v.pagoda", code=INPUT, says=["row 0 (from 0) are below", "--precision f32"])
