"""Public data sets as their publishers ship them: `init` and `train` take them without an edit."""

import os
import pathlib
import re
import shlex
import subprocess
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "data" / "publishers"
# (name, what follows `pagoda init`, the columns of users, items and times)
SETS = [line.split("\t") for line in (FOLDER / "sets.tsv").read_text().splitlines() if not line.startswith("#")]
ROWS = {"Steam 200K": 1280, "MIND": 640, "Outbrain, clicks": 640, "Criteo attribution": None}  # positives


def run(pagoda, folder, *arguments):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([os.path.abspath(pagoda), *arguments], cwd=folder, capture_output=True, text=True, timeout=120,
                          env=environment)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder that holds the files, and what `init` writes beside its config."""
    folder = tmp_path_factory.mktemp("publishers")
    for path in FOLDER.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


@pytest.mark.parametrize(("name", "command", "columns"), SETS, ids=[name for name, _, _ in SETS])
def test_a_public_data_set_trains_as_it_ships(pagoda, here, name, command, columns):
    stem = re.sub(r"\W+", "-", name)
    said = run(pagoda, here, "init", *shlex.split(command), "-o", f"{stem}.toml")
    config = tomllib.loads((here / f"{stem}.toml").read_text())
    data = config["data"]
    assert [data["user"], data["item"], data["time"] or "-"] == columns.split()
    rows, users, items = map(int, re.search(r": (\d+) rows, (\d+) users, (\d+) items", said).groups())
    if (expected := ROWS.get(name, 640)) is not None:
        assert rows == expected
    assert items == 60
    assert users == (640 if name == "Outbrain, clicks" else 80)
    trained = run(pagoda, here, "train", "-c", f"{stem}.toml", "--set", "train.epochs=1", "--set", "train.threads=1",
                  "-o", f"{stem}.pagoda")
    assert (here / f"{stem}.pagoda").exists(), trained


def test_text_and_quotes_come_out_as_their_authors_meant_them(pagoda, here):
    for log, items, titles in (("ml-100k/u.data", "ml-100k/u.item", "latin-1"),
                               ("BX-CSV-Dump.zip/BX-Book-Ratings.csv", "BX-CSV-Dump.zip/BX-Books.csv", "latin-1")):
        (here / "forms.toml").unlink(missing_ok=True)
        run(pagoda, here, "init", log, "--items", items, "-o", "forms.toml")
        form = tomllib.loads((here / "forms.toml").read_text())["data"]["items_form"]
        assert form["encoding"] == titles
        assert form["quoting"] == ("backslash" if "BX" in items else "doubled")
    (here / "forms.toml").unlink()
    run(pagoda, here, "init", "MINDsmall_train.zip/behaviors.tsv", "--items", "MINDsmall_train.zip/news.tsv", "-o",
        "forms.toml")
    assert tomllib.loads((here / "forms.toml").read_text())["data"]["items_form"]["quoting"] == "none"


def test_the_page_of_data_sets_names_each_of_them():
    page = (ROOT / "docs" / "datasets.md").read_text()
    for name, command, columns in SETS:
        user, item, time = columns.split()
        row = next((line for line in page.splitlines() if line.startswith(f"| {name} |")), None)
        assert row, f"docs/datasets.md has no line for {name}"
        assert f"`pagoda init {command}`" in row, row
        assert f"`{user}`, `{item}`" in row, row
        assert (f"`{time}`" in row) == (time != "-"), row


def test_the_files_are_those_that_the_script_makes(tmp_path):
    import sys
    sys.path.insert(0, str(FOLDER))
    import make
    make.make(tmp_path)
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    kept = sorted(p.relative_to(FOLDER) for p in FOLDER.rglob("*")
                  if p.is_file() and p.name not in ("make.py", "sets.tsv") and "__pycache__" not in p.parts)
    assert made == kept
    for path in made:
        if path.suffix not in (".parquet", ".gz", ".zip", ".xz", ".bz2"):  # whose bytes depend on a library's version
            assert (tmp_path / path).read_bytes() == (FOLDER / path).read_bytes(), path
