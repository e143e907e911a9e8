"""What the scripts of tests/ share: `--all` and the mark of a slow test, and the binary under test."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the tests marked slow too")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; runs with --all only")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--all"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow; runs with --all"))


@pytest.fixture(scope="session")
def pagoda():
    """The path of the built binary."""
    path = pathlib.Path(os.environ.get("PAGODA_BUILD", ROOT / "build" / "release")) / "pagoda"
    if not path.is_file():
        pytest.fail(f"{path}: not built; run ./run build")
    return str(path)
