"""Neighbours beside the towers: the lists of every door, against sums that numpy makes from the log."""

import csv
import json
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from serving import Server

KIND = ("--set", "neighbours.kind='cosine'")
OWN = (*KIND, "--set", "neighbours.count=20", "--set", "neighbours.history=15", "--set", "neighbours.shrinkage=3")
ALL_ROWS = ("--set", "data.split.kind='none'", "--set", "train.epochs=2")
WEIGHT = 0.4


def read(text):
    """{key: {item: score}} of a TSV of candidates."""
    found = {}
    for line in text.splitlines():
        key, item, _, score = line.split("\t")
        found.setdefault(key, {})[item] = float(score)
    return found


def vectors(cli, model, what, folder):
    cli("encode", model, what, "-o", folder / f"{what}.npy")
    return (folder / f"{what}.npy.ids.txt").read_text().splitlines(), np.load(folder / f"{what}.npy").astype(np.float64)


def histories_of(world):
    """{user: [items, the latest last]}"""
    table = pq.read_table(world / "interactions.parquet").to_pydict()
    rows = sorted(zip(table["ts"], range(len(table["ts"])), table["user_id"], table["item_id"]))
    found = {}
    for _, _, user, item in rows:
        found.setdefault(user, []).append(item)
    return found


def cosines(both, count=20, shrinkage=3):
    counts = np.diag(both)
    similar = (both / (np.sqrt(np.outer(counts, counts)) + shrinkage)).astype(np.float32)
    np.fill_diagonal(similar, 0)
    for item in range(len(both)):
        order = np.lexsort((np.arange(len(both)), -similar[item]))
        similar[item, order[count:]] = 0
    return similar


def regressions(both, shrinkage=0.5):
    """Of each item on all others, those without rows left out."""
    known = np.flatnonzero(np.diag(both))
    inverse = np.linalg.inv(both[np.ix_(known, known)] + shrinkage * np.diag(both)[known].mean() * np.eye(len(known)))
    similar = np.zeros_like(both)
    similar[np.ix_(known, known)] = -inverse / np.diag(inverse)
    np.fill_diagonal(similar, 0)
    return similar


def boosts(histories, ids, asked, similarities=cosines, latest=15, weight=WEIGHT):
    """[asked, items], by the formulas of src/model/nearest_items.h and src/model/neighbours.h."""
    row = {item: n for n, item in enumerate(ids)}
    had = np.zeros((len(histories), len(ids)))
    for n, items in enumerate(histories.values()):
        had[n, [row[i] for i in items]] = 1
    similar = similarities(had.T @ had)
    found = np.zeros((len(asked), len(ids)))
    for n, history in enumerate(asked):
        last = []
        for item in reversed(history):
            if row[item] not in last and len(last) < latest:
                last.append(row[item])
        sums = np.maximum(similar[last].astype(np.float64).sum(0), 0)
        outside = np.sort(np.delete(sums, last))[::-1]
        outside = outside[outside > 0][:20]
        if len(outside):
            found[n] = weight * sums / outside.mean()
    return found


@pytest.fixture(scope="module")
def model(cli, config, tmp_path_factory):
    path = tmp_path_factory.mktemp("neighbours") / "m.pagoda"
    cli("train", "-c", config, *ALL_ROWS, *OWN, "--set", f"neighbours.weight={WEIGHT}", "-o", path)
    return path


@pytest.mark.parametrize("similarities", [cosines, regressions])
def test_scores_are_those_of_the_towers_and_the_neighbours(cli, config, model, world, tmp_path, similarities):
    if similarities is regressions:
        model = tmp_path / "m.pagoda"
        words = [w for key in ("kind='ease'", "count=1000", "history=15", "shrinkage=0.5", f"weight={WEIGHT}") for w in ("--set", f"neighbours.{key}")]
        cli("train", "-c", config, *ALL_ROWS, *words, "-o", model)
    histories = histories_of(world)
    names, users = vectors(cli, model, "users", tmp_path)
    ids, items = vectors(cli, model, "items", tmp_path)
    expected = users @ items.T + boosts(histories, ids, [histories.get(u, []) for u in names], similarities)
    (tmp_path / "users.txt").write_text("\n".join(names) + "\n")
    lists = read(cli("retrieve", model, "--users", tmp_path / "users.txt", "--k", 300, "--exclude", "none", "--format", "tsv").stdout)
    for n, user in enumerate(names):
        scores = np.array([lists[user][item] for item in ids])
        assert scores == pytest.approx(expected[n], abs=2e-5)
        assert list(lists[user].values()) == sorted(lists[user].values(), reverse=True)
    # Of the first k alone, with filter and seen items left out, the same scores.
    some = read(cli("retrieve", model, "--users", tmp_path / "users.txt", "--k", 10, "--filter", "minutes < 110", "--format", "tsv").stdout)
    for user in names:
        assert len(some[user]) == 10 and some[user].items() <= lists[user].items()
        assert not set(some[user]) & set(histories.get(user, []))


def test_the_server_and_an_index_give_the_lists_of_retrieve(cli, pagoda, model, world, tmp_path):
    users = sorted(histories_of(world))[:40]
    (tmp_path / "users.txt").write_text("\n".join(users) + "\n")
    ask = ("--users", tmp_path / "users.txt", "--k", 25, "--format", "tsv")
    exact = read(cli("retrieve", model, *ask).stdout)
    indexed = tmp_path / "indexed.pagoda"
    cli("index", model, "--kind", "partitioned", "--lists", 20, "-o", indexed)
    near = read(cli("retrieve", indexed, *ask).stdout)
    found = [near[user].items() & exact[user].items() for user in users]
    assert sum(map(len, found)) > 0.9 * 25 * len(users), "the same scores, of nearly all of the same items"
    server = Server(pagoda, shutil.copy(model, tmp_path / "served.pagoda"))  # whose changes lie beside it
    try:
        for user in users:
            answer = server.post("/v1/retrieve", {"user": user, "k": 25, "explain": True})
            assert dict(zip(answer["items"], answer["scores"])) == pytest.approx(exact[user], abs=1e-6)
            assert answer["explain"]["boosted"] > 0
            known = histories_of(world)[user]
            told = server.post("/v1/retrieve", {"user": user, "history": known, "k": 25})
            assert told["items"] == answer["items"] and told["scores"] == answer["scores"]
        # An item that changes keeps its place among the neighbours; one that goes is in no list.
        first, second = answer["items"][:2]
        table = pq.read_table(world / "items.parquet").to_pylist()
        same = next(row for row in table if row["item_id"] == first)
        attributes = {key: value for key, value in same.items() if key not in ("item_id",) and value is not None}
        attributes = {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in attributes.items()}
        server.post("/v1/items:upsert", {"items": [{"item": first, "attributes": attributes}]})
        changed = server.post("/v1/retrieve", {"user": users[-1], "k": 25})
        assert first in changed["items"]
        assert dict(zip(changed["items"], changed["scores"]))[first] == pytest.approx(exact[users[-1]][first], abs=1e-5)
        server.post("/v1/items:delete", {"items": [second]})
        assert second not in server.post("/v1/retrieve", {"user": users[-1], "k": 25})["items"]
    finally:
        server.stop()


def tried(said, kind):
    """{weight: gain in percent} of what training said."""
    line = next(one for one in said.splitlines() if f"by weight of {kind} (" in one)
    return {weight: float(gain) for weight, gain in re.findall(r"([\d.e-]+): [\d.]+ \(([+-][\d.]+)%\)", line)}


def test_the_weight_is_chosen_on_validation_and_0_leaves_the_towers_alone(cli, config, tmp_path):
    said = cli("train", "-c", config, *OWN, "-o", tmp_path / "auto.pagoda").stderr
    gains = tried(said, "cosine")
    assert "(gain in recall and ndcg of 5, 20)" in said, "the shorter lists and the top of each have their say"
    auto = cli.sections(tmp_path / "auto.pagoda")
    assert ("neighbours" in auto) == (max(gains.values()) > 0)
    if max(gains.values()) > 0:
        weight = json.loads(cli("inspect", tmp_path / "auto.pagoda", "--json").stdout)["neighbours"]["weight"]
        assert weight == pytest.approx(float(max(gains, key=gains.get)), rel=5e-3)
    cli("train", "-c", config, *OWN, "--set", "neighbours.weight=0", "-o", tmp_path / "none.pagoda")
    cli("train", "-c", config, "-o", tmp_path / "plain.pagoda")
    none, plain = cli.sections(tmp_path / "none.pagoda"), cli.sections(tmp_path / "plain.pagoda")
    assert "neighbours" not in none
    own = {"run_log", "config", "judged"}
    assert {k: v for k, v in none.items() if k not in own} == {k: v for k, v in plain.items() if k not in own}


def test_auto_takes_the_better_kind_and_evaluate_shows_the_towers_alone(cli, config, tmp_path):
    model = tmp_path / "m.pagoda"
    words = ("-c", config, "--set", "neighbours.kind='auto'", "--set", "train.refit='validation'")
    said = cli("train", *words, "-o", model).stderr
    best = {kind: max(tried(said, kind).values()) for kind in ("swing", "cosine", "ease of shrinkage 0.5", "ease of shrinkage 2")}
    shown = json.loads(cli("inspect", model, "--json").stdout)["neighbours"]
    name = f"ease of shrinkage {shown['shrinkage']:g}" if shown["kind"] == "ease" else shown["kind"]
    assert best[name] == max(best.values()) and shown["weight"] > 0
    told = [f"neighbours.{key}={shown[key]!r}" for key in ("kind", "shrinkage", "weight")]
    cli("train", *words, *(word for key in told for word in ("--set", key)), "-o", tmp_path / "told.pagoda")
    assert cli.sections(tmp_path / "told.pagoda")["neighbours/of"] == cli.sections(model)["neighbours/of"]
    cli("train", *words, "--set", "neighbours.kind='none'", "-o", tmp_path / "towers.pagoda")
    own = json.loads(cli("evaluate", model, "--json", "-").stdout)
    alone = json.loads(cli("evaluate", tmp_path / "towers.pagoda", "--json", "-").stdout)
    towers = own["baselines"][0]
    assert towers["name"] == "towers" and towers["metrics"] == alone["metrics"] != own["metrics"]
    assert towers["difference"]["recall@20"]["mean"] == pytest.approx(own["metrics"]["recall@20"] - alone["metrics"]["recall@20"])
    assert "towers" not in [one["name"] for one in alone["baselines"]]


@pytest.mark.parametrize("told", [["shrinkage=0.7"], ["weight=0.3"], ["shrinkage=0.7", "weight=0.3"]])
def test_what_is_told_of_a_regression_stands_and_a_model_that_goes_on_keeps_it(cli, config, tmp_path, told):
    model, on = tmp_path / "m.pagoda", tmp_path / "on.pagoda"
    words = [word for key in ["kind='ease'", *told] for word in ("--set", f"neighbours.{key}")]
    said = cli("train", "-c", config, *words, "-o", model).stderr
    assert ("by weight of" in said) == (len(told) == 1)
    shown = json.loads(cli("inspect", model, "--json").stdout)["neighbours"]
    assert shown["kind"] == "ease" and shown["shrinkage"] in ((0.7,) if "shrinkage=0.7" in told else (0.5, 2))
    assert shown["weight"] == 0.3 or "weight=0.3" not in told
    more = tmp_path / "more.csv"
    more.write_text("user_id,item_id,ts,device\nu1,i1,2025-06-01T00:00:00Z,tv\nu1,new,2025-06-02T00:00:00Z,tv\n")
    cli("train", "--from", model, "--interactions", more, "-o", on)
    assert json.loads(cli("inspect", on, "--json").stdout)["neighbours"] == shown


def test_evaluate_judges_the_lists_that_retrieve_gives(cli, config, world, tmp_path):
    model = tmp_path / "m.pagoda"
    cli("train", "-c", config, *OWN, "--set", "neighbours.weight=0.4", "--set", "train.refit='validation'", "-o", model)
    figures = json.loads(cli("evaluate", model, "--k", "20", "--json", "-").stdout)
    cli("split", "-c", config, "-o", tmp_path / "parts")
    parts = {part: list(csv.DictReader((tmp_path / "parts" / f"{part}.csv").open())) for part in ("train", "validation", "test")}
    relevant = {}
    for row in parts["test"]:
        relevant.setdefault(row["user_id"], set()).add(row["item_id"])
    (tmp_path / "users.txt").write_text("\n".join(sorted(relevant)) + "\n")
    lists = read(cli("retrieve", model, "--users", tmp_path / "users.txt", "--k", 20, "--format", "tsv").stdout)
    known = {row["user_id"] for part in ("train", "validation") for row in parts[part]}
    recalls = [len(items & set(lists[user])) / len(items) for user, items in relevant.items() if user in known]
    assert figures["users"] == len(recalls)
    assert figures["metrics"]["recall@20"] == pytest.approx(np.mean(recalls), abs=1e-9)


def test_a_run_that_is_stopped_after_the_choice_resumes_to_the_same_bits(cli, config, tmp_path):
    whole, cut = tmp_path / "whole.pagoda", tmp_path / "cut.pagoda"
    words = ["-c", config, *OWN, "--set", "train.epochs=12", "--set", "train.batch=64"]
    cli("train", *words, "-o", whole)
    process = subprocess.Popen([cli.binary, "train", *map(str, words), "-o", str(cut)], stderr=subprocess.DEVNULL)
    log = tmp_path / "cut.pagoda.run" / "metrics.jsonl"
    while process.poll() is None and not (log.is_file() and '"phase": "judge"' in log.read_text().replace('":"', '": "')):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.wait()
    cli("train", *words, "-o", cut, "--resume")
    own = {"run_log", "judged"}
    of_whole, of_cut = cli.sections(whole), cli.sections(cut)
    assert {k: v for k, v in of_cut.items() if k not in own} == {k: v for k, v in of_whole.items() if k not in own}


def test_a_model_that_goes_on_keeps_the_weight_and_counts_all_rows(cli, config, model, world, tmp_path):
    more = tmp_path / "more.csv"
    more.write_text("user_id,item_id,ts,device\n" + "".join(f"u1,{item},2025-06-01T00:00:00Z,tv\n" for item in ("i1", "i2", "new")))
    on = tmp_path / "on.pagoda"
    cli("train", "--from", model, "--interactions", more, "-o", on)
    before, after = cli.sections(model), cli.sections(on)
    assert after["neighbours"] == before["neighbours"], "weight and history"
    assert after["neighbours/of"] != before["neighbours/of"]


def test_ensembles_of_the_same_lists_keep_them_and_others_leave_them_out(cli, config, model, tmp_path):
    cli("ensemble", model, "-o", tmp_path / "one.pagoda")
    assert cli.sections(tmp_path / "one.pagoda")["neighbours/of"] == cli.sections(model)["neighbours/of"]
    (tmp_path / "users.txt").write_text("u1\nu2\nu3\n")
    ask = ("--users", tmp_path / "users.txt", "--k", 30, "--format", "tsv")
    assert cli("retrieve", tmp_path / "one.pagoda", *ask).stdout == cli("retrieve", model, *ask).stdout
    seed = tmp_path / "seed.pagoda"
    cli("train", "-c", config, *ALL_ROWS, *OWN, "--set", "neighbours.weight=0.2", "--set", "train.seed=2", "-o", seed)
    cli("ensemble", model, seed, "--weights", "0.25,0.75", "-o", tmp_path / "two.pagoda")
    both = [read(cli("retrieve", path, *ask[:2], "--k", 300, "--exclude", "none", "--format", "tsv").stdout) for path in (model, seed, tmp_path / "two.pagoda")]
    for user in ("u1", "u2", "u3"):
        for item, score in both[2][user].items():
            assert score == pytest.approx(0.25 * both[0][user][item] + 0.75 * both[1][user][item], abs=1e-5)
    other = tmp_path / "other.pagoda"
    cli("train", "-c", config, *ALL_ROWS, *KIND, "--set", "neighbours.weight=0.2", "--set", "neighbours.count=5", "-o", other)
    cli("ensemble", model, other, "-o", tmp_path / "three.pagoda", says="left out")
    assert "neighbours" not in cli.sections(tmp_path / "three.pagoda")


def test_what_cannot_be_is_told(cli, config, model, tmp_path):
    for key, value in (("kind", "'swing!'"), ("count", 0), ("history", 0), ("shrinkage", -1), ("weight", -0.1), ("weight", "'much'")):
        cli("train", "-c", config, "--set", f"neighbours.{key}={value}", "-o", tmp_path / "no.pagoda", code=2, says=f"neighbours.{key}")
    cli("train", "-c", config, "--set", "neighbours.kind='ease'", "--set", "neighbours.shrinkage=0", "-o", tmp_path / "no.pagoda", code=2, says="needs 0.001 or more")
    cli("train", "-c", config, *ALL_ROWS, *KIND, "-o", tmp_path / "unjudged.pagoda", says="nobody can be judged")
    assert "neighbours" not in cli.sections(tmp_path / "unjudged.pagoda")
