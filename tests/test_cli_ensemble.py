"""Several models at once: one bundle of them (ensemble), and one putting in order what another retrieves (cascade)."""

import json
import re
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

USERS = ["u1", "u2", "u100", "nobody", json.dumps({"history": ["i5", "i9"], "context": {"device": "phone"}}),
         json.dumps({"user": "u3", "features": {"country": "DE"}})]


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    path = tmp_path_factory.mktemp("users") / "users.txt"
    path.write_text("\n".join(USERS) + "\n")
    return path


def vectors(cli, bundle, what, folder, *more):
    """(ids, matrix in double) of `pagoda encode`."""
    out = folder / f"{what}.npy"
    cli("encode", bundle, what, "-o", out, *more)
    return (folder / f"{what}.npy.ids.txt").read_text().splitlines(), np.load(out).astype(np.float64)


def scores(cli, bundle, users, folder):
    """(item ids, users x items) of one bundle: the products of its vectors."""
    items, of_items = vectors(cli, bundle, "items", folder)
    return items, vectors(cli, bundle, "users", folder, "--input", users)[1] @ of_items.T


def lists(text):
    return [json.loads(line) for line in text.splitlines()]


def test_scores_are_the_weighted_sums_of_both_models(cli, model, second, ensemble, users, tmp_path):
    items, of_first = scores(cli, model, users, tmp_path)
    items_of_second, of_second = scores(cli, second, users, tmp_path)
    assert items == items_of_second
    expected = 0.7 * of_first + 0.3 * of_second
    got_items, got = scores(cli, ensemble, users, tmp_path)
    assert got_items == items and np.abs(got - expected).max() < 1e-6

    answers = lists(cli("retrieve", ensemble, "--users", users, "--k", 30, "--exclude", "none").stdout)
    for answer, row in zip(answers, expected):
        best = sorted(range(len(items)), key=lambda i: (-row[i], i))[:30]
        assert answer["items"] == [items[i] for i in best]
        assert np.allclose(answer["scores"], row[best], atol=1e-6)


def test_every_command_takes_an_ensemble(cli, model, ensemble, users, world, tmp_path):
    copy = tmp_path / "e.pagoda"
    shutil.copy(ensemble, copy)
    figures = json.loads(cli("evaluate", copy, "--json", "-").stdout)
    assert figures["metrics"]["recall@20"] > 2 * 20 / 300
    shown = json.loads(cli("inspect", copy, "--json").stdout)
    assert [m["weight"] for m in shown["members"]] == [0.7, 0.3] and shown["info"]["dim"] == 24
    assert shown["members"][0]["fingerprint"] == json.loads(cli("inspect", model, "--json").stdout)["fingerprint"]
    assert shown["metrics"]["metrics"] == figures["metrics"]
    assert "weight 0.7" in cli("inspect", copy).stdout
    cli("report", copy, model, "-o", tmp_path / "r.html")
    assert "recall@20" in (tmp_path / "r.html").read_text()

    near = lists(cli("similar", copy, "--items", "-", "--k", 5, stdin="i7\n").stdout)[0]
    items, matrix = vectors(cli, copy, "items", tmp_path)
    products = matrix @ matrix[items.index("i7")]
    products[items.index("i7")] = -np.inf
    assert near["items"] == [items[i] for i in np.argsort(-products, kind="stable")[:5]]

    asked = ("--users", users, "--k", 7)
    before = cli("retrieve", copy, *asked).stdout
    cli("index", copy)
    assert cli("retrieve", copy, *asked).stdout == before
    table = pq.read_table(world / "items.parquet").slice(0, 3)
    pq.write_table(table, tmp_path / "some.parquet")
    ids, some = vectors(cli, copy, "items", tmp_path, "--input", tmp_path / "some.parquet")
    assert np.array_equal(some, matrix[[items.index(i) for i in ids]])


def test_an_ensemble_of_one_answers_with_the_same_bits(cli, model, users, tmp_path):
    cli("ensemble", model, "-o", tmp_path / "one.pagoda")
    asked = ("--users", users, "--k", 300)
    assert cli("retrieve", tmp_path / "one.pagoda", *asked).stdout == cli("retrieve", model, *asked).stdout
    one, alone = (json.loads(cli("evaluate", b, "--data", data(tmp_path), "--json", "-").stdout) for b in (tmp_path / "one.pagoda", model))
    assert one["metrics"] == alone["metrics"]


def data(folder):
    path = folder / "june.csv"
    path.write_text("user_id,item_id,ts,device\nu1,i1,2024-06-01,phone\nu1,i2,2024-06-01,phone\nu2,i3,2024-06-02,tv\nnobody,i3,2024-06-02,tv\n")
    return path


def test_without_weights_all_count_alike(cli, model, second, tmp_path):
    cli("ensemble", model, second, "-o", tmp_path / "e.pagoda")
    cli("ensemble", model, second, "--weights", "0.5,0.5", "-o", tmp_path / "same.pagoda")
    assert (tmp_path / "e.pagoda").read_bytes() == (tmp_path / "same.pagoda").read_bytes()


def test_a_catalogue_in_another_order_is_joined_by_id(cli, model, config, world, users, tmp_path):
    table = pq.read_table(world / "items.parquet")
    pq.write_table(table.take(np.arange(table.num_rows)[::-1]), tmp_path / "items.parquet")
    cli("train", "-c", config, "--set", f"data.items={tmp_path / 'items.parquet'}", "--set", "model.dim=8", "--set", "train.epochs=1",
        "-o", tmp_path / "reversed.pagoda")
    done = cli("ensemble", model, tmp_path / "reversed.pagoda", "--weights", "1,2", "-o", tmp_path / "e.pagoda")
    assert "another [data]" in done.stderr
    items, of_first = scores(cli, model, users, tmp_path)
    other_items, of_second = scores(cli, tmp_path / "reversed.pagoda", users, tmp_path)
    assert other_items == items[::-1]
    got_items, got = scores(cli, tmp_path / "e.pagoda", users, tmp_path)
    assert got_items == items and np.abs(got - of_first - 2 * of_second[:, ::-1]).max() < 1e-6


def test_what_can_not_be_joined_is_told(cli, model, second, config, world, tmp_path):
    out = tmp_path / "e.pagoda"
    for weights, part in [("1", "1 weights for 2 bundles"), ("1,2,3", "3 weights for 2"), ("1,-2", "its weight is -2"),
                          ("1,nan", "its weight is nan"), ("inf,1", "its weight is inf"), ("0,0", "add up to 0"),
                          ("1,", "number a bundle"), ("a,b", "number a bundle"), ("1;2", "number a bundle")]:
        cli("ensemble", model, second, "--weights", weights, "-o", out, code=2, says=part)
    cli("ensemble", model, second, "--weights", "1,2", "--choose", "recall@20", "-o", out, code=2, says="one of the two")
    cli("ensemble", model, second, "--choose", "recal@20", "-o", out, code=2, says="did you mean 'recall'")
    cli("ensemble", "-o", out, code=2)
    cli("ensemble", model, second, code=2, says="--output")
    cli("ensemble", model, tmp_path / "none.pagoda", "-o", out, code=3, says="no such file")
    cli("ensemble", model, world / "items.parquet", "-o", out, code=1, says="items.parquet")

    cli("encode", model, "items", "-o", tmp_path / "items.npy")
    cli("index", "--vectors", tmp_path / "items.npy", "--ids", tmp_path / "items.npy.ids.txt", "-o", tmp_path / "bare.pagoda")
    cli("ensemble", model, tmp_path / "bare.pagoda", "-o", out, code=2, says=["bare.pagoda", "bare vectors"])
    cli("retrieve", model, "--rescore", tmp_path / "bare.pagoda", "--users", "-", stdin="u1\n", code=2, says="bare vectors")

    log = pq.read_table(world / "interactions.parquet")
    pq.write_table(log.filter(pa_not_item(log, "i7")), tmp_path / "log.parquet")
    items = pq.read_table(world / "items.parquet")
    pq.write_table(items.filter(pa_not_item(items, "i7")), tmp_path / "items.parquet")
    cli("train", "-c", config, "--set", f"data.interactions=['{tmp_path / 'log.parquet'}']", "--set",
        f"data.items={tmp_path / 'items.parquet'}", "--set", "train.epochs=1", "-o", tmp_path / "fewer.pagoda")
    for order in ([model, tmp_path / "fewer.pagoda"], [tmp_path / "fewer.pagoda", model]):
        cli("ensemble", *order, "-o", out, code=3, says=["fewer.pagoda: lacks the item 'i7'", "m.pagoda", "same item table"])
    assert not out.exists()
    # A cascade takes it: the item stands last.
    answer = lists(cli("retrieve", model, "--rescore", tmp_path / "fewer.pagoda", "--users", "-", "--exclude", "none", "--k", 300,
                       stdin="u1\n").stdout)[0]
    assert answer["items"][-1] == "i7" and answer["scores"] == sorted(answer["scores"], reverse=True)


def pa_not_item(table, item):
    import pyarrow.compute as pc

    return pc.not_equal(table["item_id"], item)


def test_a_cascade_puts_the_first_models_candidates_in_the_order_of_the_second(cli, model, second, users, tmp_path):
    items, of_second = scores(cli, second, users, tmp_path)
    for more in ([], ["--filter", "minutes < 90"], ["--exclude", "none"]):
        found = lists(cli("retrieve", model, "--users", users, "--k", 50, *more).stdout)
        answers = lists(cli("retrieve", model, "--rescore", second, "--rescore-from", 50, "--users", users, "--k", 20, *more).stdout)
        for answer, first, row in zip(answers, found, of_second):
            rows = sorted((items.index(i) for i in first["items"]), key=lambda i: (-row[i], i))[:20]
            assert answer["items"] == [items[i] for i in rows]
            assert np.allclose(answer["scores"], row[rows], atol=1e-6)
    # Of one candidate each there is nothing to put in order.
    one = ("--rescore", second, "--rescore-from", 1, "--users", users, "--k", 1)
    assert [a["items"] for a in lists(cli("retrieve", model, *one).stdout)] == \
        [a["items"] for a in lists(cli("retrieve", model, "--users", users, "--k", 1).stdout)]
    cli("retrieve", model, "--rescore", second, "--rescore-from", 10, "--users", users, "--k", 11, code=2, says=["k = 11", "rescore-from = 10"])
    cli("retrieve", model, "--rescore-from", 10, "--users", users, code=2, says="--rescore")
    cli("retrieve", model, "--rescore", second, "--vectors", users, code=2, says="give --users")
    cli("retrieve", model, "--rescore", tmp_path / "none.pagoda", "--users", users, code=3, says="no such file")


def test_evaluate_judges_a_cascade_by_the_lists_it_retrieves(cli, model, second, world, tmp_path):
    before = model.read_bytes()
    judged = json.loads(cli("evaluate", model, "--rescore", second, "--rescore-from", 40, "--k", "5,20", "--json", "-").stdout)
    assert model.read_bytes() == before, "a cascade's figures are not the first bundle's"
    assert judged["rescored_by"] == {"fingerprint": json.loads(cli("inspect", second, "--json").stdout)["fingerprint"], "from": 40}
    log = pq.read_table(world / "interactions.parquet").to_pydict()
    cut = max(log["ts"]).timestamp() - 30 * 86400
    test, seen = {}, set()
    for user, item, time in zip(log["user_id"], log["item_id"], log["ts"]):
        test.setdefault(user, set()).add(item) if time.timestamp() > cut else seen.add(user)
    users = [user for user in test if user in seen]
    answers = lists(cli("retrieve", model, "--rescore", second, "--rescore-from", 40, "--users", "-", "--k", 20,
                        stdin="\n".join(users)).stdout)
    for k in (5, 20):
        recall = np.mean([len(set(a["items"][:k]) & test[a["user"]]) / len(test[a["user"]]) for a in answers])
        assert abs(judged["metrics"][f"recall@{k}"] - recall) < 1e-9
    shutil.copy(model, tmp_path / "m.pagoda")
    alone = json.loads(cli("evaluate", tmp_path / "m.pagoda", "--k", "5,20", "--json", "-").stdout)
    same = json.loads(cli("evaluate", model, "--rescore", model, "--k", "5,20", "--json", "-").stdout)
    assert same["metrics"] == alone["metrics"] and same["metrics"] != judged["metrics"]
    cli("evaluate", model, "--rescore", second, "--rescore-from", 10, "--k", 20, code=2, says="rescore-from = 10")


def test_weights_are_chosen_on_validation_as_training_judges_it(cli, config, tmp_path):
    """Alone, a bundle has the very figure that training chose it by; no weights tried do better than the chosen."""
    bests = []
    for name, more in (("a", ["model.dim=16"]), ("b", ["model.dim=8", "train.seed=5", "user.history.last=0", "user.id.enabled=true"])):
        done = cli("train", "-c", config, "--set", "train.refit=false", *(w for m in more for w in ("--set", m)), "-o", tmp_path / name)
        bests.append(max(float(v) for v in re.findall(r"recall@20 ([\d.]+)", done.stderr)))
    done = cli("ensemble", tmp_path / "a", tmp_path / "b", "--choose", "recall@20", "-o", tmp_path / "e")
    tried = [tuple(map(float, line)) for line in re.findall(r"([\d.]+)  ([\d.]+)  recall@20 ([\d.]+)", done.stderr)]
    assert len(tried) == 22 and (tried[1][2], tried[2][2]) == tuple(bests)
    best = max(value for _, _, value in tried)
    assert f"recall@20 = {best:.4f} on validation; the best bundle alone {max(bests):.4f}" in done.stderr
    weights = [m["weight"] for m in json.loads(cli("inspect", tmp_path / "e", "--json").stdout)["members"]]
    assert abs(sum(weights) - 1) < 1e-9
    chosen = [value for a, b, value in tried if abs(a - weights[0]) < 1e-3]
    assert best in chosen

    # What was tried is what the bundle of those weights gives.
    cli("ensemble", tmp_path / "a", tmp_path / "b", "--weights", "0.5,0.5", "-o", tmp_path / "half")
    done = cli("ensemble", tmp_path / "half", "--choose", "recall@20", "-o", tmp_path / "same")
    assert f"recall@20 = {tried[0][2]:.4f} on validation" in done.stderr

    done = cli("ensemble", tmp_path / "a", tmp_path / "b", tmp_path / "a", "--choose", "ndcg@20", "-o", tmp_path / "three")
    assert len(json.loads(cli("inspect", tmp_path / "three", "--json").stdout)["members"]) == 3


def test_weights_are_not_chosen_on_what_a_model_was_trained_on(cli, model, second, tmp_path):
    cli("ensemble", model, second, "--choose", "recall@20", "-o", tmp_path / "e", code=2, says=["refit", "train.refit = false", "--weights"])
    assert not (tmp_path / "e").exists()
