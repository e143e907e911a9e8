"""Tests of the Python package, in an environment of their own (.venv-frames)."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

BUILD = pathlib.Path(os.environ.get("PAGODA_BUILD", pathlib.Path(__file__).parents[2] / "build" / "release"))
sys.path.insert(0, str(BUILD / "python"))
PROGRAM = BUILD / "pagoda"
os.environ.setdefault("PAGODA_PROGRAM", str(PROGRAM))

USERS, ITEMS, ROWS = 400, 120, 8000
FAST = {"epochs": 2, "dim": 16, "batch": 256, "threads": 1, "seed": 3}


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the tests marked slow too")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; runs with --all only")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--all"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("slow")])
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


def make_log(rows=ROWS, text=True):
    """Users like items of their own third of the catalogue; times rise."""
    rng = np.random.default_rng(5)
    user = rng.integers(0, USERS, rows)
    item = (rng.integers(0, ITEMS // 3, rows) + (user % 3) * (ITEMS // 3)) % ITEMS
    ts = 1_700_000_000 + np.arange(rows) * 60
    if text:
        return {"user_id": [f"u{u}" for u in user], "item_id": [f"i{i}" for i in item], "ts": ts}
    return {"user_id": user.astype(np.int64), "item_id": item.astype(np.int64), "ts": ts}


def make_items(text=True):
    ids = np.arange(ITEMS)
    return {"item_id": [f"i{i}" for i in ids] if text else ids, "year": 1960 + ids % 60,
            "genre": [("drama", "war", "noir")[i % 3] for i in ids]}


@pytest.fixture(scope="session")
def log():
    return make_log()


@pytest.fixture(scope="session")
def items():
    return make_items()


@pytest.fixture(scope="session")
def model(log, items):
    import pagoda

    return pagoda.train(log, items=items, **FAST)


@pytest.fixture(scope="session")
def bundle(model, tmp_path_factory):
    """The path of the model's file."""
    path = tmp_path_factory.mktemp("bundle") / "model.pagoda"
    model.save(path)
    return path


@pytest.fixture(scope="session")
def number_model():
    import pagoda

    return pagoda.train(make_log(text=False), **FAST)


def run(*words, check=True, **how):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, **how)
    assert not check or done.returncode == 0, done.stderr
    return done
