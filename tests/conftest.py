"""What the scripts of tests/ share: `--all` and the mark of a slow test, and the binary under test."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

pytest.register_assert_rewrite("serving")  # its assertions say as much as a test's

from broker import Broker  # noqa: E402
from serving import Server  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the tests marked slow too")


def pytest_configure(config):
    # Tests write hundreds of bundles and checkpoints, each flushed: in memory that costs nothing, on a busy disk minutes.
    memory = "/dev/shm"
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 29:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)
    config.addinivalue_line("markers", "slow: takes more than a few seconds; runs with --all only")
    config.addinivalue_line("markers", "not_under(preset, ..., reason): does not run in a build of such a preset")


def pytest_collection_modifyitems(config, items):
    left_out = set()
    if not config.getoption("--all"):
        left_out |= {item for item in items if item.get_closest_marker("slow")}
    build = pathlib.Path(os.environ.get("PAGODA_BUILD", "release")).name
    left_out |= {item for item in items for mark in item.iter_markers("not_under") if build in mark.args}
    if left_out:
        config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def pagoda():
    """The path of the built binary: $PAGODA_BIN, or pagoda in the folder $PAGODA_BUILD."""
    path = pathlib.Path(os.environ.get("PAGODA_BIN")
                        or pathlib.Path(os.environ.get("PAGODA_BUILD", ROOT / "build" / "release")) / "pagoda")
    if not path.is_file():
        pytest.fail(f"{path}: not built; run ./run build")
    return str(path)


class Cli:
    """Runs the program; whatever it is asked, it must end by itself, with the expected status and a message."""

    TIMEOUT_S = 120

    def __init__(self, binary):
        self.binary = binary

    def __call__(self, *words, code=0, stdin="", cwd=None, says=(), text=True, **options):
        command = [self.binary, *map(str, words)]
        stdin = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=self.TIMEOUT_S, **options)
        stderr = done.stderr.decode(errors="replace")
        shown = f"{' '.join(command)}\nexit status {done.returncode}\n{stderr}"
        assert done.returncode == code, shown
        assert not re.search(r"terminate called|Sanitizer|json\.exception|std::|#0 0x", stderr), shown
        if code not in (0, 130):
            errors = [line for line in stderr.splitlines() if line.startswith("error: ")]
            assert len(errors) == 1, f"one line says what is wrong\n{shown}"
        for part in [says] if isinstance(says, str) else says:
            assert part in stderr, f"'{part}' is not said\n{shown}"
        done.stderr = stderr
        if text:
            done.stdout = done.stdout.decode()
        return done

    def sections(self, model):
        """{name: (bytes, checksum)} of a section file, as `pagoda inspect` tells them."""
        return {s["name"]: (s["bytes"], s["checksum"]) for s in json.loads(self("inspect", model, "--json").stdout)["sections"]}


@pytest.fixture(scope="session")
def cli(pagoda):
    return Cli(pagoda)


@pytest.fixture(scope="session")
def world(cli, tmp_path_factory):
    """A folder with a small synthetic world: interactions, items, users as Parquet."""
    folder = tmp_path_factory.mktemp("world") / "world"
    cli("simulate", "world", "--interactions", 6000, "--users", 250, "--items", 300, "--seed", 3, "-o", folder)
    return folder


@pytest.fixture(scope="session")
def config(world):
    """The path of a config over that world, with features of every side."""
    path = world.parent / "pagoda.toml"
    path.write_text(f"""
[data]
interactions = ["{world}/interactions.parquet"]
time = "ts"
context = ["device"]
items = "{world}/items.parquet"
users = "{world}/users.parquet"
split = {{ kind = "time", validation = "30d", test = "30d" }}
[model]
dim = 16
[user.history]
last = 30
[[user.features]]
column = "device"
dim = 4
[[user.features]]
column = "country"
dim = 4
[[item.features]]
column = "title"
kind = "text"
dim = 8
hash_buckets = 256
[[item.features]]
column = "genres"
kind = "multi"
dim = 8
[[item.features]]
column = "minutes"
kind = "numeric"
[[sampling.negatives]]
source = "in_batch"
[[sampling.negatives]]
source = "uniform"
count = 128
[train]
batch = 256
epochs = 3
learning_rate = 0.1
choose_by = "recall@20"
refit = "validation"  # so that a test may judge the bundle by its test part; tests/test_cli_refit.py has the default
[evaluate]
k = [5, 20, 100]
""")
    return path


@pytest.fixture(scope="session")
def model(cli, config, tmp_path_factory):
    """A bundle trained by that config, evaluated once. Borrowed: a test that writes to it takes a copy."""
    path = tmp_path_factory.mktemp("model") / "m.pagoda"
    cli("train", "-c", config, "-o", path)
    cli("evaluate", path)
    return path


@pytest.fixture
def bundle(model, tmp_path):
    """A copy of the model, with no journals beside it."""
    path = tmp_path / "m.pagoda"
    shutil.copy(model, path)
    return path


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """A real broker of Kafka."""
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    broker.process.kill()
    broker.process.wait()


@pytest.fixture(scope="session")
def second(cli, config, tmp_path_factory):
    """A bundle of other towers over the same catalogue. Borrowed."""
    path = tmp_path_factory.mktemp("second") / "second.pagoda"
    cli("train", "-c", config, "--set", "model.dim=8", "--set", "user.id.enabled=true", "--set", "item.hidden=[12]", "--set", "train.seed=4",
        "--set", "train.epochs=2", "-o", path)
    return path


@pytest.fixture(scope="session")
def ensemble(cli, model, second, tmp_path_factory):
    """Both of them as one bundle. Borrowed."""
    path = tmp_path_factory.mktemp("ensemble") / "e.pagoda"
    cli("ensemble", model, second, "--weights", "0.7,0.3", "-o", path)
    return path


@pytest.fixture(scope="module")
def serve(pagoda):
    """serve(bundle, ...): starts a server for a with block, and ends it in good order."""

    @contextlib.contextmanager
    def start(bundle, *words, settings=()):
        server = Server(pagoda, bundle, *words, settings=("serve.drain_ms=0", "serve.timeout_ms=0", *settings))
        try:
            yield server
            if server.process.poll() is None:
                server.stop()
        finally:
            if server.process.poll() is None:
                server.process.kill()
            server.process.wait()
            server.reader.join()

    return start


@pytest.fixture(scope="module")
def server(serve, model):
    with serve(model) as running:
        yield running
