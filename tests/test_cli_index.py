"""Partitioned indexes from the command line: of a trained model, and of anyone's vectors."""

import json
import re
import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

USAGE, INPUT, FAILED = 2, 3, 1


def answers(text):
    """{key: [(item, score), ...]} of TSV."""
    found = {}
    for line in text.splitlines():
        key, item, _, score = line.split("\t")
        found.setdefault(key, []).append((item, score))
    return found


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """A folder with 4,000 vectors of 24 components about 40 centres, as .npy, .fbin and .parquet, and 50 queries."""
    folder = tmp_path_factory.mktemp("vectors")
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((40, 24))
    make = lambda n: (centres[rng.integers(0, 40, n)] + 0.6 * rng.standard_normal((n, 24))).astype(np.float32)  # noqa: E731
    items, queries = make(4000), make(50)
    np.save(folder / "v.npy", items)
    (folder / "v.fbin").write_bytes(np.array(items.shape, np.uint32).tobytes() + items.tobytes())
    pq.write_table(pa.table({"item_id": [str(i) for i in range(4000)], "vector": list(items)}), folder / "v.parquet")
    np.save(folder / "q.npy", queries)
    (folder / "items.csv").write_text("item_id,author,year\n" + "".join(f"{i},a{i % 7},{1950 + i % 60}\n" for i in range(4000)))
    return folder


@pytest.mark.parametrize("form", ["npy", "fbin", "parquet"])
@pytest.mark.parametrize("metric", ["inner_product", "cosine"])
def test_recall_one_answers_as_the_exact_index_from_every_form_of_file(cli, vectors, tmp_path, form, metric):
    words = ["index", "--vectors", vectors / f"v.{form}", "--metric", metric, "--attributes", vectors / "items.csv"]
    cli(*words, "-o", tmp_path / "exact.pagoda")
    cli(*words, "--kind", "partitioned", "--recall", 1, "-o", tmp_path / "all.pagoda")
    for more in ([], ["--filter", "author = 'a3' and year >= 1980"]):
        ask = ["--vectors", vectors / "q.npy", "--k", 300, "--format", "tsv", *more]
        exact = cli("retrieve", tmp_path / "exact.pagoda", *ask).stdout
        assert exact and cli("retrieve", tmp_path / "all.pagoda", *ask).stdout == exact


def test_vectors_stored_in_half_are_those_of_their_rounded_floats(cli, vectors, tmp_path):
    np.save(tmp_path / "rounded.npy", np.load(vectors / "v.npy").astype(np.float16).astype(np.float32))
    cli("index", "--vectors", tmp_path / "rounded.npy", "-o", tmp_path / "f32.pagoda")
    words = ["index", "--vectors", vectors / "v.npy", "--precision", "f16"]
    cli(*words, "-o", tmp_path / "exact.pagoda")
    cli(*words, "--kind", "partitioned", "--recall", 1, "-o", tmp_path / "lists.pagoda")
    cli("index", tmp_path / "f32.pagoda", "--precision", "f16", "-o", tmp_path / "rewritten.pagoda")
    cli("index", tmp_path / "rewritten.pagoda", "--kind", "partitioned", "--recall", 1)
    ask = ["--vectors", vectors / "q.npy", "--k", 300, "--format", "tsv"]
    expected = cli("retrieve", tmp_path / "f32.pagoda", *ask).stdout
    for name in ("exact", "lists", "rewritten"):
        assert expected and cli("retrieve", tmp_path / f"{name}.pagoda", *ask).stdout == expected
    size = lambda name: (tmp_path / f"{name}.pagoda").stat().st_size  # noqa: E731
    assert size("f32") - size("exact") >= 4000 * 24 * 2 - 4096
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy", ".pagoda"}, "what was stored on the way is gone"
    wrong = cli("index", "--vectors", vectors / "v.npy", "--precision", "f8", "-o", tmp_path / "x.pagoda", code=USAGE)
    assert "f32 or f16" in wrong.stderr


def test_a_wanted_recall_is_reached_and_lists_are_full(cli, vectors, tmp_path):
    words = ["index", "--vectors", vectors / "v.npy", "--attributes", vectors / "items.csv"]
    cli(*words, "-o", tmp_path / "exact.pagoda")
    built = cli(*words, "--kind", "partitioned", "--recall", 0.95, "--k", 200, "--queries", vectors / "q.npy", "-o", tmp_path / "p.pagoda")
    assert "recall 0.95 at k = 200" in built.stderr
    for k, filter_ in [(200, None), (50, None), (200, "year >= 1980"), (200, "author in ('a1', 'a2')"), (10000, "year = 1999")]:
        ask = ["--vectors", vectors / "q.npy", "--k", k, "--format", "tsv", *(["--filter", filter_] if filter_ else [])]
        exact = answers(cli("retrieve", tmp_path / "exact.pagoda", *ask).stdout)
        found = answers(cli("retrieve", tmp_path / "p.pagoda", *ask).stdout)
        assert {q: len(a) for q, a in found.items()} == {q: len(a) for q, a in exact.items()}
        hits = sum(len(set(found[q]) & set(exact[q])) for q in exact)
        assert hits >= 0.93 * sum(map(len, exact.values())), (k, filter_)


def test_a_model_s_index_is_rebuilt_and_back(cli, model, tmp_path):
    copy = tmp_path / "m.pagoda"
    shutil.copy(model, copy)
    ask = ["--users", "-", "--k", 40, "--format", "tsv"]
    before = cli("retrieve", copy, *ask, stdin="u1\nu2\n").stdout
    cli("index", copy, "--kind", "partitioned", "--recall", 1)
    assert json.loads(cli("inspect", copy, "--json").stdout)["index"] == "partitioned"
    assert cli("retrieve", copy, *ask, stdin="u1\nu2\n").stdout == before
    cli("index", copy, "--kind", "partitioned", "--recall", 0.5)
    cli("evaluate", copy)  # exact all the same; rewrites the metrics and keeps the index
    shown, wanted = (json.loads(cli("inspect", m, "--json").stdout) for m in (copy, model))
    assert shown["index"] == "partitioned" and shown["fingerprint"] != wanted["fingerprint"]
    assert shown["metrics"]["metrics"] == wanted["metrics"]["metrics"]
    half = copy.read_bytes()
    cli("index", copy)
    assert copy.read_bytes() == half, "kind and recall are kept unless they are said"
    for flag in ("--recall", "--k", "--lists", "--seed"):  # which mean a partitioned one
        cli("index", copy, "--kind", "exact", flag, 1, code=USAGE, says=[flag, "partitioned"])
    cli("index", copy, "--metric", "cosine", code=USAGE, says=["--metric", "--vectors"])
    cli("index", copy, "--kind", "exact")
    cli("index", copy, "--recall", 0.5, "-o", tmp_path / "again.pagoda")
    assert (tmp_path / "again.pagoda").read_bytes() == half
    assert json.loads(cli("inspect", copy, "--json").stdout)["fingerprint"] == wanted["fingerprint"]
    assert cli("retrieve", copy, *ask, stdin="u1\nu2\n").stdout == before


def test_the_same_seed_makes_the_same_file(cli, vectors, tmp_path):
    words = ["index", "--vectors", vectors / "v.npy", "--kind", "partitioned"]
    cli(*words, "-o", tmp_path / "a.pagoda")
    cli(*words, "-o", tmp_path / "b.pagoda")
    cli(*words, "--seed", 2, "-o", tmp_path / "c.pagoda")
    assert (tmp_path / "a.pagoda").read_bytes() == (tmp_path / "b.pagoda").read_bytes()
    assert (tmp_path / "a.pagoda").read_bytes() != (tmp_path / "c.pagoda").read_bytes()


@pytest.mark.parametrize("kernels", ["portable", "avx2", "avx512"])
def test_every_instruction_set_finds_the_same(cli, vectors, tmp_path, kernels):
    cli("index", "--vectors", vectors / "v.npy", "--kind", "partitioned", "-o", tmp_path / "p.pagoda")
    ask = ["retrieve", tmp_path / "p.pagoda", "--vectors", vectors / "q.npy", "--k", 100, "--format", "tsv"]
    wanted = answers(cli(*ask).stdout)
    probe = subprocess.run([cli.binary, *map(str, ask)], env={"PAGODA_KERNELS": kernels}, capture_output=True, text=True)
    if probe.returncode == USAGE and "does not have these instructions" in probe.stderr:
        pytest.skip(f"this CPU has no {kernels}")
    assert probe.returncode == 0, probe.stderr
    found = answers(probe.stdout)
    for query, best in wanted.items():  # scores may differ in the last bits, so ties at the end may
        assert len(set(i for i, _ in best) & set(i for i, _ in found[query])) >= 99
        assert [float(s) for _, s in best] == pytest.approx([float(s) for _, s in found[query]], rel=1e-5)


@pytest.mark.parametrize("words, says", [
    (["--recall", "0"], "recall = 0"), (["--recall", "1.01"], "recall = 1.01"), (["--k", "0"], "k = 0"), (["--lists", "-3"], "lists = -3")])
def test_settings_that_can_not_be_are_refused(cli, vectors, tmp_path, words, says):
    cli("index", "--vectors", vectors / "v.npy", "--kind", "partitioned", *words, "-o", tmp_path / "p.pagoda", code=USAGE, says=says)
    assert not (tmp_path / "p.pagoda").exists()


def test_queries_of_another_width_are_refused(cli, vectors, tmp_path):
    np.save(tmp_path / "q.npy", np.ones((3, 5), np.float32))
    cli("index", "--vectors", vectors / "v.npy", "--kind", "partitioned", "--queries", tmp_path / "q.npy", "-o", tmp_path / "p.pagoda",
        code=INPUT, says=["5 components", "24"])


def test_an_unknown_instruction_set_is_refused(cli, vectors, tmp_path):
    cli("index", "--vectors", vectors / "v.npy", "--kind", "partitioned", "-o", tmp_path / "p.pagoda")
    done = subprocess.run([cli.binary, "retrieve", tmp_path / "p.pagoda", "--vectors", vectors / "q.npy"], env={"PAGODA_KERNELS": "mmx"},
                          capture_output=True, text=True)
    assert done.returncode == USAGE and "PAGODA_KERNELS=mmx" in done.stderr


def test_a_damaged_index_is_refused(cli, vectors, tmp_path):
    cli("index", "--vectors", vectors / "v.npy", "--kind", "partitioned", "-o", tmp_path / "p.pagoda")
    good = (tmp_path / "p.pagoda").read_bytes()
    sections = json.loads(cli("inspect", tmp_path / "p.pagoda", "--json").stdout)["sections"]
    at = 4096
    for section in sections:
        if section["name"].startswith("index/"):
            bad = bytearray(good)
            bad[at + section["bytes"] // 3] ^= 2
            (tmp_path / "bad.pagoda").write_bytes(bad)
            cli("retrieve", tmp_path / "bad.pagoda", "--vectors", vectors / "q.npy", code=FAILED, says=["damaged", f"section '{section['name']}'"])
        at += -(-section["bytes"] // 4096) * 4096


def test_explain_says_what_a_search_looked_at(cli, vectors, model, second, tmp_path):
    words = ["index", "--vectors", vectors / "v.npy", "--attributes", vectors / "items.csv"]
    cli(*words, "-o", tmp_path / "exact.pagoda")
    cli(*words, "--kind", "partitioned", "--lists", 60, "-o", tmp_path / "p.pagoda")
    ask = ["--vectors", vectors / "q.npy", "--k", 10]
    plain = cli("retrieve", tmp_path / "p.pagoda", *ask)
    told = cli("retrieve", tmp_path / "p.pagoda", *ask, "--explain")
    assert told.stdout == plain.stdout and "plan" not in plain.stderr
    figures = dict(re.findall(r"^(plan|selectivity|lists probed|vectors scored|vectors reranked) +(\S+)", told.stderr, re.M))
    assert figures["plan"] == "lists" and 1 <= int(figures["lists probed"]) < 60 and int(figures["vectors scored"]) < 4000
    assert "rerank" in told.stderr and "search " in told.stderr
    told = cli("retrieve", tmp_path / "exact.pagoda", *ask, "--filter", "year < 1960", "--explain")
    assert re.search(r"^selectivity +0\.1675 ", told.stderr, re.M) and re.search(r"^vectors scored +670 ", told.stderr, re.M)
    told = cli("retrieve", model, "--rescore", second, "--users", "-", "--k", 5, "--explain", stdin="u1\n")
    assert re.search(r"^vectors scored +\d", told.stderr, re.M)
