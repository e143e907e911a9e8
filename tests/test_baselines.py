"""Popularity, recent popularity and item-kNN of `pagoda evaluate`, against lists that other code makes from the files."""

import json
import math
import random
import re

import numpy
import pytest

START, DAY, SHRINKAGE, NEIGHBOURS = 1700000000, 86400, 30, 100
KS = (3, 10)


@pytest.fixture(scope="module")
def judged(cli, tmp_path_factory):
    """A log in which items of a kind go together, what is popular moves, and the last twelve days are the test part."""
    folder = tmp_path_factory.mktemp("baselines")
    draw = random.Random(5)
    rows = set()
    for user in range(150):
        kind = draw.randrange(6)
        for _ in range(draw.randrange(2, 25)):
            day = draw.randrange(120)
            item = kind * 20 + draw.randrange(20) if draw.random() < 0.7 else (day + draw.randrange(25)) % 120
            rows.add((f"u{user}", f"i{item}", START + day * DAY + draw.randrange(DAY)))
    rows = sorted(rows, key=lambda row: (row[2], row))
    (folder / "log.csv").write_text("user_id,item_id,ts\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows))
    (folder / "c.toml").write_text(
        f'[data]\ninteractions = ["{folder}/log.csv"]\ntime = "ts"\n'
        'split = { kind = "time", validation = "12d", test = "12d" }\n'
        f"[train]\nepochs = 1\nbatch = 64\nrefit = \"validation\"\nchoose_by = \"recall@10\"\n[evaluate]\nk = {list(KS)}\n")
    cli("train", "-c", folder / "c.toml", "-o", folder / "m.pagoda")
    done = cli("evaluate", folder / "m.pagoda", "--json", folder / "e.json")
    return folder, rows, json.loads((folder / "e.json").read_text()), done


def figures_of(lists, test):
    sums = {}
    for user, wanted in test.items():
        hits = [item in wanted for item in lists[user]]
        for k in KS:
            ranks = [rank for rank, hit in enumerate(hits[:k], 1) if hit]
            best = min(k, len(wanted))
            values = {"recall": len(ranks) / len(wanted), "hit_rate": float(bool(ranks)), "precision": len(ranks) / k,
                      "mrr": 1 / ranks[0] if ranks else 0,
                      "map": sum(n / rank for n, rank in enumerate(ranks, 1)) / best,
                      "ndcg": sum(1 / math.log2(rank + 1) for rank in ranks)
                      / sum(1 / math.log2(rank + 1) for rank in range(1, best + 1))}
            for name, value in values.items():
                sums[f"{name}@{k}"] = sums.get(f"{name}@{k}", 0) + value / len(test)
    return sums


def test_each_is_what_other_code_makes_of_the_log(judged):
    _, rows, figures, _ = judged
    cut = rows[-1][2] - 12 * DAY
    train = [row for row in rows if row[2] <= cut]
    items = list(dict.fromkeys(item for _, item, _ in train))  # the catalogue: in order of first sight
    users = list(dict.fromkeys(user for user, _, _ in train))
    had, test = {}, {}
    for user, item, _ in train:
        had.setdefault(user, set()).add(item)
    for user, item, time in rows:
        if time > cut and user in had:
            test.setdefault(user, set()).add(item)
    assert figures["users"] == len(test) > 50

    def lists(score):
        return {user: sorted((i for i in range(len(items)) if items[i] not in had[user]), key=lambda i: score(user, i))
                for user in test}

    def expect(name, score):
        found = next(one for one in figures["baselines"] if one["name"] == name)
        own = figures_of({user: [items[i] for i in order] for user, order in lists(score).items()}, test)
        assert set(own) == set(found["metrics"]) == set(found["intervals"]) == set(found["difference"])
        for key, value in own.items():
            assert found["metrics"][key] == pytest.approx(value, abs=1e-9), (name, key)
            interval, difference = found["intervals"][key], found["difference"][key]
            assert interval["low"] <= value <= interval["high"]
            assert difference["mean"] == pytest.approx(figures["metrics"][key] - value, abs=1e-9)
            assert difference["low"] <= difference["mean"] <= difference["high"]

    count = numpy.zeros(len(items))
    for _, item, _ in train:
        count[items.index(item)] += 1
    expect("popularity", lambda user, i: (-count[i], i))

    newest = sorted(time for _, _, time in train)[-(len(train) // 10)]
    recent = numpy.zeros(len(items))
    for _, item, time in train:
        recent[items.index(item)] += time >= newest
    expect("recent_popularity", lambda user, i: (-recent[i], i))

    has = numpy.array([[item in had[user] for item in items] for user in users], float)
    together = has.T @ has
    norm = numpy.sqrt(numpy.diag(together))
    near = (together / (numpy.outer(norm, norm) + SHRINKAGE)).astype(numpy.float32)
    numpy.fill_diagonal(near, 0)
    for item in range(len(items)):  # of each item its nearest alone
        near[item, numpy.argsort(-near[item], kind="stable")[NEIGHBOURS:]] = 0
    place = {i: n for n, i in enumerate(sorted(range(len(items)), key=lambda i: (-count[i], i)))}
    scores = {user: near.astype(float) @ has[users.index(user)] for user in test}
    expect("item_knn", lambda user, i: (-round(scores[user][i], 12), place[i]))


def test_the_model_stands_beside_them(judged):
    _, _, figures, done = judged
    assert [one["name"] for one in figures["baselines"]] == ["popularity", "recent_popularity", "item_knn"]
    assert figures["baselines_left_out"] == []
    for key, interval in figures["intervals"].items():
        assert interval["low"] <= figures["metrics"][key] <= interval["high"]
    value = f"{figures['metrics']['recall@3']:.4f}"
    assert re.search(rf"\n +model +{value}  \(0\.\d+ to 0\.\d+\)\n +popularity +0\.\d+  \(.*\)  model [+-]0\.\d+ \(", done.stdout)
    assert figures["mlflow"]["recall_at_3"] == figures["metrics"]["recall@3"]
    assert figures["mlflow"]["popularity/ndcg_at_10"] == figures["baselines"][0]["metrics"]["ndcg@10"]
    assert all(re.fullmatch(r"[\w\-. /]+", name) for name in figures["mlflow"]), "what MLflow takes"


def test_a_model_no_better_than_popularity_is_said_to_be_so(cli, judged, tmp_path):
    folder, rows, _, _ = judged
    # Everyone takes the same few items, one after another: nothing is to be learnt of anyone's taste.
    log = [(f"u{u}", f"i{min(int(random.Random(u * 40 + n).expovariate(0.2)), 59)}", START + (u % 5) + n * DAY)
           for u in range(300) for n in range(12)]
    (tmp_path / "log.csv").write_text("user_id,item_id,ts\n" + "".join(f"{u},{i},{t}\n" for u, i, t in log))
    (tmp_path / "c.toml").write_text(
        (folder / "c.toml").read_text().replace(str(folder), str(tmp_path)).replace("12d", "2d").replace(
            "epochs = 1", "epochs = 1\nlearning_rate = 0.000001"))
    cli("train", "-c", tmp_path / "c.toml", "-o", tmp_path / "m.pagoda")
    done = cli("evaluate", tmp_path / "m.pagoda", "--repeats", "keep")
    said = re.search(r"warning: recall@10 of the model is 0\.\d+ on 300 users: no better than (.*)", done.stderr)
    assert said and said[1].startswith("popularity (0.") and "to try: the negatives that `pagoda diagnose` advises" in said[1]
    assert "item-kNN" in said[1]
    cli("report", tmp_path / "m.pagoda", "-o", tmp_path / "r.html")
    assert "the model is not clearly better than popularity" in (tmp_path / "r.html").read_text()


def test_training_ends_with_the_comparison(cli, judged, tmp_path):
    folder = judged[0]
    done = cli("train", "-c", folder / "c.toml", "--set", "train.refit=all", "-o", tmp_path / "m.pagoda")
    assert re.search(r"\nrecall@3 beside what needs no training, on the same \d+ users.*\n +model .*\n +popularity ", done.stderr)
    kept = json.loads(cli("inspect", tmp_path / "m.pagoda", "--json").stdout)["metrics"]
    assert [one["name"] for one in kept["baselines"]] == ["popularity", "recent_popularity", "item_knn"]
    done = cli("train", "-c", folder / "c.toml", "--set", "train.refit=all", "--set", "evaluate.baselines=false", "-o",
               tmp_path / "bare.pagoda")
    assert "needs no training" not in done.stderr


def test_they_can_be_left_out_and_are_where_the_log_is_not_there(cli, judged, tmp_path):
    folder, rows, _, _ = judged
    figures = json.loads(cli("evaluate", folder / "m.pagoda", "--no-baselines", "--json", "-").stdout)
    assert "baselines" not in figures and "intervals" not in figures and figures["metrics"]
    by_config = json.loads(cli("evaluate", folder / "m.pagoda", "--set", "evaluate.baselines=false", "--json", "-").stdout)
    assert by_config["metrics"] == figures["metrics"] and "baselines" not in by_config
    later = [(u, i, t + 40 * DAY) for u, i, t in rows[-400:]]
    (tmp_path / "later.csv").write_text("user_id,item_id,ts\n" + "".join(f"{u},{i},{t}\n" for u, i, t in later))
    done = cli("evaluate", folder / "m.pagoda", "--data", tmp_path / "later.csv", "--json", tmp_path / "e.json")
    figures = json.loads((tmp_path / "e.json").read_text())
    assert [one["name"] for one in figures["baselines"]] == ["popularity", "item_knn"]
    assert figures["baselines_left_out"] == [
        {"name": "recent_popularity", "why": "the log that the model was trained on was not read"}]
    assert re.search(r"recent popularity +-  the log that the model", done.stdout)


def test_users_without_a_history_are_judged_apart(cli, judged, tmp_path):
    folder, rows, _, _ = judged
    strangers = [("new1", "i3", 0), ("new2", "i5", 0), ("u1", "i7", 0)]
    (tmp_path / "s.csv").write_text("user_id,item_id,ts\n" + "".join(f"{u},{i},{rows[-1][2] + 9}\n" for u, i, _ in strangers))
    done = cli("evaluate", folder / "m.pagoda", "--data", tmp_path / "s.csv", "--json", tmp_path / "e.json")
    unknown = json.loads((tmp_path / "e.json").read_text())["unknown_users"]
    assert unknown["users"] == 2
    for name in ("metrics", "popularity"):
        assert set(unknown[name]) == {f"{m}@{k}" for m in ("recall", "ndcg", "hit_rate", "mrr", "map", "precision") for k in KS}
    assert re.search(r"2 users without a history are judged apart: recall@3 \d\.\d+ of the model, \d\.\d+ of popularity", done.stdout)
