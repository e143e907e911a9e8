"""The parts of `pagoda evaluate --json` that look at groups of items, at the lists as a whole and at the vectors, against Python."""

import json
import math
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

DAY = 86400.0
K = 20
AGES = [(-math.inf, 0, "not born yet"), (0, 7, "under 7 d"), (7, 30, "7-30 d"), (30, 180, "30-180 d"), (180, 730, "180-730 d"),
        (730, math.inf, "over 730 d")]


class Judged:
    """A model's own lists of 20, judged here."""

    def __init__(self, cli, model, world, folder):
        shutil.copy(model, folder / "m.pagoda")
        self.figures = json.loads(cli("evaluate", folder / "m.pagoda", "--k", f"{K},100", "--json", "-").stdout)
        log = pq.read_table(world / "interactions.parquet").to_pydict()
        times = [t.timestamp() for t in log["ts"]]
        cut = max(times) - 30 * DAY
        self.moment = max(t for t in times if t <= cut)
        test, before = {}, {}
        self.count = dict.fromkeys(pq.read_table(world / "items.parquet")["item_id"].to_pylist(), 0)
        self.first_seen = {}
        for user, item, time in zip(log["user_id"], log["item_id"], times):
            if time > cut:
                test.setdefault(user, set()).add(item)
                continue
            before.setdefault(user, set()).add(item)
            self.count[item] += 1
            self.first_seen[item] = min(time, self.first_seen.get(item, math.inf))
        self.users = [user for user in test if user in before]
        (folder / "users.txt").write_text("\n".join(self.users) + "\n")
        cli("retrieve", model, "--users", folder / "users.txt", "--k", K, "-o", folder / "lists.tsv")
        self.places = [tuple(line.split("\t")[:2]) for line in (folder / "lists.tsv").read_text().splitlines()]
        self.tested = [(user, item) for user in self.users for item in test[user]]
        self.hits = set(self.tested) & set(self.places)
        cli("encode", model, "items", "-o", folder / "items.npy")
        cli("encode", model, "users", "--input", folder / "users.txt", "-o", folder / "users.npy")
        self.item_vectors, self.user_vectors = np.load(folder / "items.npy"), np.load(folder / "users.npy")
        self.rows = (folder / "items.npy.ids.txt").read_text().splitlines()  # the catalogue's order

    def agrees(self, bucket, members):
        members = set(members)
        tested = [pair for pair in self.tested if pair[1] in members]
        assert bucket["items"] == len(members) and bucket["test_positives"] == len(tested)
        assert bucket["train_positives"] == sum(self.count[item] for item in members)
        hits = sum(pair in self.hits for pair in tested)
        assert bucket[f"recall@{K}"] == (pytest.approx(hits / len(tested), abs=1e-12) if tested else None)
        assert bucket[f"recommended@{K}"] == pytest.approx(sum(i in members for _, i in self.places) / len(self.places), abs=1e-12)

    def ages_agree(self, born):
        found = {bucket["age"]: bucket for bucket in self.figures["by_item_age"]}
        for low, high, name in AGES:
            members = [item for item in self.count if item in born and low <= (self.moment - born[item]) / DAY < high]
            assert (name in found) == bool(members)
            if members:
                self.agrees(found.pop(name), members)
        unknown = [item for item in self.count if item not in born]
        if unknown:
            self.agrees(found.pop("unknown"), unknown)
        assert not found


@pytest.fixture(scope="module")
def judged(cli, model, world, tmp_path_factory):
    return Judged(cli, model, world, tmp_path_factory.mktemp("judged"))


def test_deciles_hold_a_tenth_of_the_training_rows_each(judged):
    order = sorted(judged.rows, key=lambda item: -judged.count[item])  # stable: ties by row
    total, before, members = sum(judged.count.values()), 0, [[] for _ in range(10)]
    for item in order:
        if judged.count[item]:
            members[int(10 * (before + judged.count[item] / 2) / total)].append(item)
        before += judged.count[item]
    assert [b["decile"] for b in judged.figures["by_popularity_decile"]] == [str(d) for d in range(1, 11)]
    for bucket, items in zip(judged.figures["by_popularity_decile"], members):
        judged.agrees(bucket, items)
    largest = max(judged.count.values())
    assert all(abs(b["train_positives"] - total / 10) <= largest for b in judged.figures["by_popularity_decile"])


def test_items_without_training_rows_are_judged_apart(judged):
    zero = dict(judged.figures["zero_train_positives"], train_positives=0)
    judged.agrees(zero, [item for item, n in judged.count.items() if n == 0])


def test_without_a_column_of_its_own_an_item_is_as_old_as_its_first_row(judged):
    assert judged.figures["item_age_source"] == "first seen"
    judged.ages_agree(judged.first_seen)


def test_a_feature_that_reads_an_age_says_how_old_an_item_is(cli, config, world, tmp_path):
    text = config.read_text().replace("[train]", '[[item.features]]\ncolumn = "released"\nkind = "time"\npart = "age"\n[train]')
    (tmp_path / "c.toml").write_text(text)
    cli("train", "-c", tmp_path / "c.toml", "--set", "train.epochs=1", "-o", tmp_path / "aged.pagoda")
    judged = Judged(cli, tmp_path / "aged.pagoda", world, tmp_path)
    assert judged.figures["item_age_source"] == "released"
    items = pq.read_table(world / "items.parquet").to_pydict()
    judged.ages_agree({i: t.timestamp() for i, t in zip(items["item_id"], items["released"]) if t is not None})


def test_the_lists_as_a_whole(judged):
    shown = [item for _, item in judged.places]
    exposure = np.sort([shown.count(item) for item in judged.count])
    n = len(exposure)
    differences = np.abs(exposure[:, None] - exposure[None, :]).sum()
    figures = judged.figures
    assert figures[f"coverage@{K}"] == pytest.approx(len(set(shown)) / n, abs=1e-12)
    assert figures[f"gini@{K}"] == pytest.approx(differences / (2 * n * exposure.sum()), abs=1e-12)
    assert figures[f"average_popularity@{K}"] == pytest.approx(np.mean([judged.count[item] for item in shown]), abs=1e-9)
    head = set(sorted(judged.rows, key=lambda item: -judged.count[item])[: math.ceil(n / 5)])
    assert figures[f"long_tail_share@{K}"] == pytest.approx(np.mean([item not in head for item in shown]), abs=1e-12)


def test_health(judged):
    health = judged.figures["health"]
    for name, vectors in (("items", judged.item_vectors), ("users", judged.user_vectors)):
        unit = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
        cosines = unit @ unit.T
        n = len(unit)
        assert health[f"mean_cosine_{name}"] == pytest.approx((cosines.sum() - np.trace(cosines)) / (n * (n - 1)), abs=1e-6)
    assert health["columns"] == 256 + 128, "a batch and the uniform draws"
    assert 1 < health["effective_negatives"] < health["columns"]
    assert 0 < health["accidental_hit_rate"] < 0.1
    for k in (K, 100):
        assert 0 < health[f"catalogue_recall@{k}"] <= health[f"batch_recall@{k}"] <= 1


def test_other_data_than_the_trainings_has_no_health_of_training(cli, model, tmp_path):
    (tmp_path / "june.csv").write_text("user_id,item_id,ts,device\nu1,i1,2024-06-01,phone\nu1,i2,2024-06-01,phone\n")
    figures = json.loads(cli("evaluate", model, "--data", tmp_path / "june.csv", "--json", "-").stdout)
    assert set(figures["health"]) == {"mean_cosine_items"}, "one user has no pair"
    assert figures["by_item_age"] == [] and figures["item_age_source"] == ""


def test_the_table_shows_what_the_json_says(cli, model, tmp_path):
    shutil.copy(model, tmp_path / "m.pagoda")
    figures = json.loads(cli("evaluate", tmp_path / "m.pagoda", "--json", "-").stdout)
    table = cli("evaluate", tmp_path / "m.pagoda").stdout
    for bucket in figures["by_popularity_decile"]:
        assert f"{bucket['decile']:>12} {bucket['recall@5']:10.4f}  of {bucket['test_positives']} test rows; {bucket['items']} items\n" in table
    assert "recall@5 by age of the item (first seen)\n" in table
    health = figures["health"]
    assert f"worth {health['effective_negatives']:.0f} different items; accidental hits {100 * health['accidental_hit_rate']:.4f}%" in table
