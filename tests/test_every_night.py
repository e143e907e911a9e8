"""examples/every_night.sh: a model each night, compared with what is served, published or kept, and rolled back."""

import json
import os
import pathlib
import re
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "examples/every_night.sh"


@pytest.fixture(scope="module")
def shop(cli, tmp_path_factory):
    """A folder with a log of 40 days and its config; the first nights see less of it."""
    folder = tmp_path_factory.mktemp("shop")
    cli("simulate", "world", "--interactions", 6000, "--users", 250, "--items", 200, "--seed", 3, "--format", "csv", "-o", folder / "world")
    head, *rows = (folder / "world/interactions.csv").read_text().splitlines()
    at = head.split(",").index("ts")
    rows.sort(key=lambda row: row.split(",")[at])
    (folder / "pagoda.toml").write_text("""
[data]
interactions = ["log.csv"]
time = "ts"
split = { kind = "time", validation = "20d", test = "20d" }
[model]
dim = 16
[user.history]
last = 30
[train]
batch = 256
epochs = 4
learning_rate = 0.1
""")

    def rows_until(share):
        (folder / "log.csv").write_text("\n".join([head, *rows[:int(share * len(rows))]]) + "\n")

    return folder, rows_until


@pytest.fixture
def night(pagoda, shop):
    folder, _ = shop

    def run(*words, code=0, **environment):
        path = f"{pathlib.Path(pagoda).resolve().parent}:{os.environ['PATH']}"
        done = subprocess.run([SCRIPT, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=300,
                              env={**os.environ, "PATH": path, **environment})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def fingerprint(cli, bundle):
    return json.loads(cli("inspect", bundle, "--json").stdout)["fingerprint"]


def test_nights_are_published_kept_and_rolled_back_under_a_server(cli, serve, shop, night):
    folder, rows_until = shop
    served, models = folder / "live/model.pagoda", folder / "live/nights"

    rows_until(0.8)
    assert re.search(r"^published: ", night("train", "pagoda.toml", "live"), re.M)
    first = fingerprint(cli, served)
    with serve(served, settings=["serve.watch_ms=50"]) as server:
        def serves(model):
            server.wait_until(lambda: server.call("GET", "/v1/model")[1]["fingerprint"] == model)

        serves(first)
        # A night later the log has grown, and the model of it is published.
        rows_until(1)
        said = night("train", "pagoda.toml", "live", SLACK="0.5")
        assert re.search(r"recall_at_100: 0\.\d+ tonight, 0\.\d+ of the served model, on \d+ users\npublished: ", said), said
        second = fingerprint(cli, served)
        assert second != first
        serves(second)

        # A model that has learnt nothing is kept back.
        said = night("train", "pagoda.toml", "live", "--set", "train.learning_rate=0.000001", "--set", "train.epochs=1")
        assert re.search(r"tonight, .*\nkept: ", said) and fingerprint(cli, served) == second
        assert len(list(models.iterdir())) == 3 and len((folder / "live/published").read_text().splitlines()) == 2

        # Back to the night before, and there is none before that.
        assert "back: " in night("back", "live") and fingerprint(cli, served) == first
        serves(first)
        assert "no model was served before" in night("back", "live", code=1) and fingerprint(cli, served) == first
        assert server.metric('pagoda_reloads_total{outcome="refused"}') == 0

    # A night that fails changes nothing.
    assert "error: " in night("train", "pagoda.toml", "live", "--set", "data.item=sku", code=3)
    assert "error: there is no" not in night("train", "pagoda.toml", "live", "--set", "train.epochs=1", SLACK="1")
    last = fingerprint(cli, served)
    assert "there is no recall_at_7" in night("train", "pagoda.toml", "live", "--set", "train.epochs=1", code=1, METRIC="recall_at_7")
    assert fingerprint(cli, served) == last and not (folder / "live/model.pagoda.next").exists()


def test_old_nights_go_but_for_what_may_be_served_again(shop, night):
    folder, rows_until = shop
    rows_until(0.5)
    quick = ("--set", "train.epochs=1", "--set", "train.refit=false")
    for _ in range(2):
        night("train", "pagoda.toml", "small", *quick, SLACK="1", KEEP="1")
    worse = (*quick, "--set", "train.learning_rate=0.000001", "--set", "train.seed=5")
    for _ in range(2):
        night("train", "pagoda.toml", "small", *worse, SLACK="-9", KEEP="1")
    published = (folder / "small/published").read_text().split()
    nights = {path.name for path in (folder / "small/nights").iterdir()}
    assert len(published) == 2 and set(published) < nights and len(nights) == 3
    night("back", "small")


def test_how_to_call_it_is_said(night):
    assert "every_night.sh train CONFIG FOLDER" in night(code=2)
    assert "every_night.sh back FOLDER" in night("forward", "live", code=2)
