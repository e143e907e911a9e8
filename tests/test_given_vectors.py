"""Given vectors as features: every way in, every door that reads them, and training that goes on."""

import json
import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest

WIDTH = 12
BATCH = 64
FEATURES = ("--set", "item.features=[{column='emb', kind='vector'}]", "--set", "item.hidden=[]", "--set", "user.features=[]")
ONE_PASS = ("--set", "data.split.kind='none'", "--set", "train.order='time'", "--set", "train.epochs=1", "--set", f"train.batch={BATCH}",
            "--set", "sampling.frequency.kind='streaming'", "--set", "sampling.frequency.buckets=4096", "--set", "train.final_rate=1")


@pytest.fixture(scope="module")
def items(world, tmp_path_factory):
    """A folder with vectors of the world's items, one item without, as a list column and as files; numbers that f16 holds."""
    folder = tmp_path_factory.mktemp("vectors")
    table = pq.read_table(world / "items.parquet")
    ids = table["item_id"].to_pylist()
    values = np.random.default_rng(5).normal(size=(len(ids), WIDTH)).astype("<f2").astype("<f4")
    lists = pa.array([None, *values[1:].tolist()], pa.list_(pa.float32()))
    pq.write_table(pa.table({"item_id": ids, "emb": lists}), folder / "lists.parquet")
    for name, kind in (("f2/emb.npy", "<f2"), ("f4/emb.npy", "<f4"), ("f8/emb.npy", "<f8")):
        (folder / name).parent.mkdir()
        np.save(folder / name, values[1:].astype(kind))
        (folder / f"{name}.ids.txt").write_text("".join(f"{i}\n" for i in ids[1:]))
    pq.write_table(pa.table({"item_id": ids[1:], "emb": pa.array(values[1:].astype("<f2").tolist(), pa.list_(pa.float16(), WIDTH))}),
                   folder / "file.parquet")
    (folder / "lines.jsonl").write_text("".join(
        json.dumps({"item_id": i, "emb": None if n == 0 else [float(x) for x in values[n]]}) + "\n" for n, i in enumerate(ids)))
    (folder / "table.csv").write_text("item_id,emb\n" + "".join(
        f"{i},{'' if n == 0 else json.dumps(json.dumps([float(x) for x in values[n]]))}\n".replace('\\"', '""') for n, i in enumerate(ids)))
    return folder, ids, values


def learnt(cli, model):
    """All sections but those that name files, the run and its times."""
    return {name: value for name, value in cli.sections(model).items() if name not in {"config", "run_log", "info"}}


def train(cli, config, output, *extra, **options):
    return cli("train", "-c", config, "-o", output, "--set", "train.epochs=2", *FEATURES, *extra, **options)


@pytest.fixture(scope="module")
def model(cli, config, items, tmp_path_factory):
    path = tmp_path_factory.mktemp("given") / "m.pagoda"
    done = train(cli, config, path, "--set", f"data.items='{items[0]}/lists.parquet'")
    assert "left out" not in done.stderr
    return path


@pytest.mark.parametrize("source", ["file.parquet", "f2/emb.npy", "f4/emb.npy", "f8/emb.npy", "lines.jsonl", "table.csv"])
def test_every_way_in_makes_the_same_model(cli, config, items, model, source, tmp_path):
    folder = items[0]
    table = f"data.items='{folder}/{source}'" if source in ("lines.jsonl", "table.csv") else f"data.items='{folder}/ids.csv'"
    (folder / "ids.csv").write_text("item_id\n" + "".join(f"{i}\n" for i in items[1]))
    files = [] if source in ("lines.jsonl", "table.csv") else ["--set", f"data.item_vectors=['{folder}/{source}']"]
    train(cli, config, tmp_path / "m.pagoda", "--set", table, *files)
    assert learnt(cli, tmp_path / "m.pagoda") == learnt(cli, model)


def test_a_file_of_vectors_alone_makes_the_catalogue(cli, config, items, tmp_path):
    done = train(cli, config, tmp_path / "m.pagoda", "--set", "data.items=''", "--set", f"data.item_vectors=['{items[0]}/f4/emb.npy']")
    assert "have no vector" not in done.stderr
    cli("encode", tmp_path / "m.pagoda", "items", "-o", tmp_path / "v.npy")
    assert set(items[1][1:]) <= set((tmp_path / "v.npy.ids.txt").read_text().split()) <= set(items[1])


def test_towers_of_vectors_alone_find_items_that_were_never_clicked(cli, config, world, items, tmp_path):
    """Vectors that tell an item's genre: an item of no row is found among those of its genre."""
    table = pq.read_table(world / "items.parquet").to_pydict()
    genres = sorted({g for row in table["genres"] for g in row})
    noise = np.random.default_rng(6)
    values = [[float(g in row) + 0.1 * noise.normal() for g in genres] for row in table["genres"]]
    pq.write_table(pa.table({"item_id": table["item_id"], "emb": pa.array(values, pa.list_(pa.float32()))}), tmp_path / "items.parquet")
    log = pq.read_table(world / "interactions.parquet")
    cold = set(table["item_id"][::7])
    pq.write_table(log.filter(pa.array([i not in cold for i in log["item_id"].to_pylist()])), tmp_path / "log.parquet")
    args = ("--set", f"data.interactions=['{tmp_path}/log.parquet']", "--set", f"data.items='{tmp_path}/items.parquet'",
            "--set", "item.id.enabled=false", "--set", "data.split.kind='none'", "--set", "train.epochs=10")
    train(cli, config, tmp_path / "m.pagoda", *args)
    of = dict(zip(table["item_id"], table["genres"]))
    alike = []
    for item in sorted(cold)[:20]:
        found = cli("similar", tmp_path / "m.pagoda", "--items", "-", "--k", 10, stdin=item).stdout
        alike += [bool(set(of[item]) & set(of[other])) for other in json.loads(found)["items"]]
    pairs = noise.choice(len(table["item_id"]), (2000, 2))
    chance = np.mean([bool(set(table["genres"][a]) & set(table["genres"][b])) for a, b in pairs])
    assert np.mean(alike) > min(0.95, 1.5 * chance), (np.mean(alike), chance)


def test_encode_upsert_and_call_agree_with_what_is_stored(cli, serve, items, model, tmp_path):
    folder, ids, values = items
    (folder / "ids.csv").write_text("item_id\n" + "".join(f"{i}\n" for i in ids))
    path = shutil.copy(model, tmp_path / "m.pagoda")
    cli("encode", path, "items", "-o", tmp_path / "stored.npy")
    cli("encode", path, "items", "--input", folder / "lists.parquet", "-o", tmp_path / "again.npy")
    cli("encode", path, "items", "--input", folder / "ids.csv", "-o", tmp_path / "none.npy", code=2, says="has no column 'emb'")
    stored = dict(zip((tmp_path / "stored.npy.ids.txt").read_text().split(), np.load(tmp_path / "stored.npy")))
    again = dict(zip((tmp_path / "again.npy.ids.txt").read_text().split(), np.load(tmp_path / "again.npy")))
    assert all(np.array_equal(stored[i], again[i]) for i in ids)
    with serve(path) as server:
        vector = [float(x) for x in values[5]]
        told = server.post("/v1/encode", {"items": [{"item": ids[5], "attributes": {"emb": vector}}, ids[5]]})["vectors"]
        assert told[0] == told[1], "the stored item, sent anew"
        status, answer, _ = server.call("POST", "/v1/items:upsert", {"items": [{"item": "new", "attributes": {"emb": vector[1:]}}]})
        assert (status, answer["error"]["message"]) == (400, "'emb' is a list of 11, expected a vector of 12 numbers")
        status, answer, _ = server.call("POST", "/v1/items:upsert", {"items": [{"item": "new", "attributes": {"amb": vector}}]})
        assert status == 400 and "did you mean 'emb'" in answer["error"]["message"]
        server.post("/v1/items:upsert", {"items": [{"item": "new", "attributes": {"emb": vector}}]})
        near = server.post("/v1/similar", {"item": "new", "k": 3})["items"]
        server.post("/v1/items:upsert", {"items": [{"item": "new", "attributes": {}}, {"item": "other", "attributes": {"emb": vector}}]})
        far = server.post("/v1/encode", {"items": ["new", "other"]})["vectors"]
        assert far[0] != far[1]
        assert server.post("/v1/similar", {"item": "other", "k": 3})["items"] != [] and len(near) == 3
    with serve(path) as server:  # from the journal
        assert server.post("/v1/encode", {"items": ["new", "other"]})["vectors"] == far


def test_users_have_vectors_too(cli, serve, config, world, items, tmp_path):
    users = pq.read_table(world / "users.parquet")["user_id"].to_pylist()
    values = np.random.default_rng(7).normal(size=(len(users), 5)).astype("<f4")
    np.save(tmp_path / "taste.npy", values)
    (tmp_path / "taste.npy.ids.txt").write_text("".join(f"{u}\n" for u in users))
    path = tmp_path / "m.pagoda"
    train(cli, config, path, "--set", "user.features=[{column='taste', kind='vector'}, {column='country'}]", "--set",
          f"data.items='{items[0]}/lists.parquet'", "--set", f"data.user_vectors=['{tmp_path}/taste.npy']")
    with serve(path) as server:
        known = server.post("/v1/retrieve", {"user": users[3], "k": 20})
        country = pq.read_table(world / "users.parquet")["country"].to_pylist()[3]
        sent = server.post("/v1/retrieve", {"user": users[3], "k": 20, "features": {"taste": [float(x) for x in values[3]], "country": country}})
        assert sent["scores"] == known["scores"]
        other = server.post("/v1/retrieve", {"user": users[3], "k": 20, "features": {"taste": [9.0, -9, 9, 9, 9], "country": country}})
        assert other["scores"] != known["scores"]
        status, answer, _ = server.call("POST", "/v1/retrieve", {"user": users[3], "features": {"taste": [1.0]}})
        assert status == 400 and "expected a vector of 5 numbers" in answer["error"]["message"]


def test_a_pass_over_two_days_is_a_pass_over_each_and_the_state_holds_the_vectors(cli, config, world, items, tmp_path):
    log = pq.read_table(world / "interactions.parquet").sort_by("ts")
    cut = 40 * BATCH
    for name, part in (("before", log.slice(0, cut)), ("after", log.slice(cut)), ("both", log)):
        pq.write_table(part, tmp_path / f"{name}.parquet")
    table = ("--set", f"data.items='{items[0]}/lists.parquet'")
    none = ("--set", "data.items=''")
    whole, first, second, other = (tmp_path / f"{name}.pagoda" for name in ("whole", "first", "second", "other"))
    train(cli, config, whole, *ONE_PASS, *table, "--interactions", tmp_path / "both.parquet")
    train(cli, config, first, *ONE_PASS, *table, "--interactions", tmp_path / "before.parquet")
    for path, given in ((second, table), (other, none)):
        train(cli, config, path, *ONE_PASS, *given, "--interactions", tmp_path / "after.parquet", "--from", first)
        assert learnt(cli, path) == learnt(cli, whole)
    # Vectors of new items alone, beside the table of all: the others keep theirs.
    np.save(tmp_path / "emb.npy", items[2][5:6])
    (tmp_path / "emb.npy.ids.txt").write_text(f"{items[1][5]}\n")
    (tmp_path / "ids.csv").write_text("item_id\n" + "".join(f"{i}\n" for i in items[1]))
    train(cli, config, other, *ONE_PASS, "--set", f"data.items='{tmp_path}/ids.csv'", "--item-vectors", tmp_path / "emb.npy", "--interactions",
          tmp_path / "after.parquet", "--from", first)
    assert learnt(cli, other) == learnt(cli, whole)
    shutil.copy(first, tmp_path / "bare.pagoda")
    train(cli, config, tmp_path / "no.pagoda", *ONE_PASS, *none, "--interactions", tmp_path / "after.parquet", "--from", tmp_path / "bare.pagoda",
          code=2, says="neither the item table nor data.item_vectors has such vectors")


def test_init_takes_a_list_of_floats_for_a_vector(cli, world, items, tmp_path):
    cli("init", world / "interactions.parquet", "--items", items[0] / "lists.parquet", "-o", tmp_path / "p.toml")
    text = (tmp_path / "p.toml").read_text()
    assert 'column = "emb"' in text and 'kind = "vector"' in text
    cli("train", "-c", tmp_path / "p.toml", "-o", tmp_path / "m.pagoda", "--set", "train.epochs=1", "--set", "neighbours.kind='none'")


def test_a_resumed_run_says_that_the_vectors_changed(cli, config, items, tmp_path):
    folder, ids, values = items
    np.save(tmp_path / "emb.npy", values)
    (tmp_path / "emb.npy.ids.txt").write_text("".join(f"{i}\n" for i in ids))
    files = ("--set", "data.items=''", "--set", f"data.item_vectors=['{tmp_path}/emb.npy']")
    words = ["train", "-c", config, "-o", tmp_path / "m.pagoda", "--set", "train.epochs=5000", "--set", "train.patience=5000", *FEATURES, *files]
    process = subprocess.Popen([cli.binary, *map(str, words)], stderr=subprocess.PIPE, text=True)
    while "epoch 2/" not in process.stderr.readline():
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 130
    np.save(tmp_path / "emb.npy", values + 1)
    cli(*words, "--resume", code=2, says="the item table has as many rows, 300, but other ones")


def test_items_without_a_row_are_pushed_away_only_where_they_are_negatives(cli, config, world, tmp_path):
    """The vectors tell the genre; a tenth of the items has no row in training, and the test part alone clicks them."""
    table = pq.read_table(world / "items.parquet").to_pydict()
    genres = sorted({g for row in table["genres"] for g in row})
    pq.write_table(pa.table({"item_id": table["item_id"], "emb": pa.array([[float(g in row) for g in genres] for row in table["genres"]])}),
                   tmp_path / "items.parquet")
    log = pq.read_table(world / "interactions.parquet")
    cold = pa.array([int(i[1:]) % 10 == 0 for i in log["item_id"].to_pylist()])
    pq.write_table(log.filter(pa.compute.invert(cold)), tmp_path / "log.parquet")
    pq.write_table(log.filter(cold), tmp_path / "test.parquet")
    found = {}
    for items in ("all", "clicked"):
        path = tmp_path / f"{items}.pagoda"
        train(cli, config, path, "--set", f"data.interactions=['{tmp_path}/log.parquet']", "--set", f"data.items='{tmp_path}/items.parquet'",
              "--set", f"data.split={{kind='given', validation='0.1', test_files=['{tmp_path}/test.parquet']}}", "--set", "train.epochs=12", "--set",
              "item.id.dropout=0.3", "--set", f"sampling.negatives=[{{source='in_batch'}}, {{source='uniform', count=256, items='{items}'}}]")
        cli("evaluate", path, "--json", tmp_path / f"{items}.json")
        found[items] = json.loads((tmp_path / f"{items}.json").read_text())["metrics"]["recall@20"]
    assert found["clicked"] > 2 * found["all"] + 0.02, found
    cli("train", "-c", config, "-o", tmp_path / "t.pagoda", "--set", "train.order='time'", "--set",
        "sampling.negatives=[{source='in_batch'}, {source='uniform', items='clicked'}]", code=2, says="looks at rows to come")


def test_an_ensemble_is_of_vectors_of_one_width(cli, config, items, model, tmp_path):
    table = pq.read_table(items[0] / "lists.parquet")
    short = pa.array([None if v is None else v[:5] for v in table["emb"].to_pylist()], pa.list_(pa.float32()))
    pq.write_table(pa.table({"item_id": table["item_id"], "emb": short}), tmp_path / "short.parquet")
    train(cli, config, tmp_path / "short.pagoda", "--set", f"data.items='{tmp_path}/short.parquet'")
    cli("ensemble", model, tmp_path / "short.pagoda", "-o", tmp_path / "e.pagoda", code=2, says="reads vectors 'emb' of 5 numbers, and another model those of 12")
    cli("ensemble", model, model, "-o", tmp_path / "e.pagoda")
