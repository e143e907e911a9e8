"""Bundles, a journal and a checkpoint that version 0.1.0 wrote open for ever, and answer as they did."""

import json
import pathlib
import shutil

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parent / "data" / "v0.1"


def lists(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["model", "ensemble", "partitioned", "journal"])
def test_a_bundle_of_the_first_version_answers_as_it_did(cli, tmp_path, name):
    bundle = tmp_path / f"{name}.pagoda"
    shutil.copy(GOLDEN / ("model.pagoda" if name == "journal" else bundle.name), bundle)
    if name == "journal":
        shutil.copy(GOLDEN / "journal.pagoda.items", tmp_path)
    asked = ("--k", 100) if name == "journal" else ("--k", 10, "--filter", "minutes > 20")
    done = cli("retrieve", bundle, "--users", GOLDEN / "users.txt", *asked)
    answers, expected = lists(done.stdout), lists((GOLDEN / f"{name}.jsonl").read_text())
    assert [a["user"] for a in answers] == [e["user"] for e in expected]
    assert [a["items"] for a in answers] == [e["items"] for e in expected]
    for answer, old in zip(answers, expected):
        assert answer["scores"] == pytest.approx(old["scores"], abs=1e-5)
    if name == "journal":
        served = {item for answer in answers for item in answer["items"]}
        assert {"new1", "new2"} <= served and not {"i1", "i3"} & served


def test_a_training_that_the_first_version_began_is_gone_on_with(cli, tmp_path):
    for name in ("golden.toml", "interactions.csv", "items.csv"):
        shutil.copy(GOLDEN / name, tmp_path)
    shutil.copytree(GOLDEN / "stopped.pagoda.run", tmp_path / "stopped.pagoda.run")
    done = cli("train", "-c", "golden.toml", "--set", "train.epochs=60", "--set", "train.patience=60", "-o", "stopped.pagoda",
               "--resume", cwd=tmp_path)
    epochs = [json.loads(line)["epoch"] for line in (tmp_path / "stopped.pagoda.run" / "metrics.jsonl").read_text().splitlines()]
    before = len((GOLDEN / "stopped.pagoda.run" / "metrics.jsonl").read_text().splitlines())
    assert len(epochs) > before, "it goes on behind the lines that are there"
    assert "epoch 1/60" not in done.stderr, "and does not begin anew"
    assert lists(cli("retrieve", "stopped.pagoda", "--users", GOLDEN / "users.txt", "--k", 3, cwd=tmp_path).stdout)
