"""A disk that fails at any write, flush or rename: the old file or the new one is there, whole, and a word is said."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tomllib

import numpy
import pyarrow.parquet
import pytest

OLD = b"the old file\n"


pytestmark = pytest.mark.not_under("asan", "tsan", reason="a sanitizer's library must come first among the preloaded ones")


@pytest.fixture(scope="module")
def library(pagoda):
    path = pathlib.Path(pagoda).parent / "libio_faults.so"
    assert path.is_file(), f"{path}: not built; run ./run build"
    return path


def lines_of_json(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def html(path):
    assert path.read_text().rstrip().endswith("</html>")


def bundle(cli, path):
    cli("inspect", path)  # reads every section and compares its checksum


def npy(path):
    vectors, ids = numpy.load(path), pathlib.Path(f"{path}.ids.txt")
    if ids.read_bytes() != OLD:
        assert len(vectors) == len(ids.read_text().splitlines())


# name: words (OUT is the folder), the files that are written, how a whole one is told from others
COMMANDS = {
    "init": (["init", "{interactions}", "-o", "OUT/pagoda.toml"], {"pagoda.toml": lambda cli, p: tomllib.loads(p.read_text())}),
    "train": (["train", "-c", "{config}", "--set", "train.epochs=2", "--set", "train.checkpoint_seconds=0", "-o", "OUT/m.pagoda"],
              {"m.pagoda": bundle}),
    "evaluate": (["evaluate", "OUT/model.pagoda", "--json", "OUT/e.json"],
                 {"e.json": lambda cli, p: json.loads(p.read_text()), "model.pagoda": bundle}),
    "index": (["index", "OUT/model.pagoda", "-o", "OUT/i.pagoda"], {"i.pagoda": bundle}),
    "ensemble": (["ensemble", "{model}", "{second}", "--weights", "0.5,0.5", "-o", "OUT/both.pagoda"], {"both.pagoda": bundle}),
    "encode": (["encode", "{model}", "items", "-o", "OUT/v.npy"], {"v.npy": lambda cli, p: npy(p), "v.npy.ids.txt": None}),
    "encode parquet": (["encode", "{model}", "items", "-o", "OUT/v.parquet"],
                       {"v.parquet": lambda cli, p: pyarrow.parquet.read_table(p)}),
    "retrieve": (["retrieve", "{model}", "--users", "{users}", "--max-unknown", "1", "--k", "30", "-o", "OUT/r.jsonl"],
                 {"r.jsonl": lambda cli, p: lines_of_json(p)}),
    "retrieve tsv": (["retrieve", "{model}", "--users", "{users}", "--max-unknown", "1", "--k", "30", "-o", "OUT/r.tsv"], {"r.tsv": None}),
    "retrieve parquet": (["retrieve", "{model}", "--users", "{users}", "--max-unknown", "1", "--k", "30", "-o", "OUT/r.parquet"],
                         {"r.parquet": lambda cli, p: pyarrow.parquet.read_table(p)}),
    "simulate": (["simulate", "world", "--interactions", "2000", "--users", "200", "--items", "300", "-o", "OUT"],
                 {name: lambda cli, p: pyarrow.parquet.read_table(p)
                  for name in ("interactions.parquet", "items.parquet", "users.parquet")}),
    "report": (["report", "{model}", "-o", "OUT/r.html"], {"r.html": lambda cli, p: html(p)}),
    "diagnose": (["diagnose", "-c", "{config}", "--json", "OUT/d.json"], {"d.json": lambda cli, p: json.loads(p.read_text())}),
}


class Faulty:
    """Runs a command on a disk that fails."""

    def __init__(self, cli, library, words, files, folder, inputs):
        self.cli, self.library, self.files, self.folder, self.inputs = cli, library, files, folder, inputs
        self.words = [str(w).replace("OUT", str(folder)).format(**inputs) for w in words]
        self.good = {}

    def clean(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        shutil.copy(self.inputs["model"], self.folder / "model.pagoda")
        for name in self.files:
            if name not in ("model.pagoda", "pagoda.toml"):  # init writes over no config
                (self.folder / name).write_bytes(OLD)

    def run(self, faults):
        self.clean()
        count = self.folder.parent / "count"
        count.unlink(missing_ok=True)
        environment = os.environ | {"LD_PRELOAD": str(self.library), "IO_FAULTS_FOLDER": str(self.folder), "IO_FAULTS": faults,
                                    "IO_FAULTS_COUNT": str(count)}
        done = subprocess.run([self.cli.binary, *self.words], capture_output=True, text=True, timeout=120, env=environment)
        made = dict(zip(("write", "sync", "rename"), map(int, re.findall(r"\d+", count.read_text()))))
        return done, made

    def is_whole(self, name):
        """The old file, or a new one that reads well."""
        path = self.folder / name
        if name == "pagoda.toml" and not path.exists():
            return
        data = path.read_bytes()
        if data == (OLD if name != "model.pagoda" else pathlib.Path(self.inputs["model"]).read_bytes()):
            return
        if check := self.files[name]:
            check(self.cli, path)
        else:
            assert data == self.good[name]

    def check(self, faults):
        done, _ = self.run(faults)
        shown = f"{faults}: exit status {done.returncode}\n{done.stderr}"
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        if faults.endswith("short"):
            assert done.returncode == 0 and not errors, shown
        elif done.returncode == 0:  # what is no part of the answer may be missing, with a word
            assert "warning: " in done.stderr, shown
        else:
            assert done.returncode == 1 and len(errors) == 1, shown
            assert re.search(r"No space left on device|Input/output error", errors[0]) and str(self.folder) in errors[0], shown
        for name in self.files:
            self.is_whole(name)
            assert done.returncode != 0 or name == "model.pagoda" or (self.folder / name).read_bytes() != OLD, shown
        assert not list(self.folder.glob(".*.tmp-*")), shown


@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_fails_leaves_old_or_new_and_a_word(cli, library, world, config, model, second, tmp_path, request, command):
    users = tmp_path / "users.txt"
    users.write_text("".join(f"{i:06d}\n" for i in range(40)))
    words, files = COMMANDS[command]
    inputs = {"interactions": world / "interactions.parquet", "config": config, "model": model, "second": second, "users": users}
    faulty = Faulty(cli, library, words, files, tmp_path / "out", inputs)
    done, made = faulty.run("write:0:EIO")
    assert done.returncode == 0, done.stderr
    assert made["write"] and made["sync"] and made["rename"], "the library sees what is written"
    faulty.good = {name: (faulty.folder / name).read_bytes() for name in files}
    for name in files:
        faulty.is_whole(name)
    everything = request.config.getoption("--all")
    for call, faults in {"write": ["ENOSPC", "EIO", "short"], "sync": ["EIO"], "rename": ["EIO"]}.items():
        for fault in faults:
            chosen = range(1, made[call] + 1) if everything else {"ENOSPC": {1, made[call]}, "EIO": {1, made[call]},
                                                                  "short": {1 + made[call] // 2}}[fault]
            for n in chosen:
                faulty.check(f"{call}:{n}:{fault}")


@pytest.mark.parametrize("fault", ["write:1:ENOSPC", "write:1:EIO", "sync:1:EIO", "sync:2:EIO"])
def test_a_change_that_the_journal_cannot_hold_is_refused_and_made_when_it_can(pagoda, cli, library, model, tmp_path, monkeypatch,
                                                                                serve, fault):
    served = tmp_path / "m.pagoda"
    shutil.copy(model, served)
    with monkeypatch.context() as preloaded:
        for name, value in {"LD_PRELOAD": library, "IO_FAULTS_FOLDER": tmp_path, "IO_FAULTS": fault}.items():
            preloaded.setenv(name, str(value))
        with serve(served) as server:
            change = {"items": [{"item": "new", "attributes": {"title": "a b"}}]}
            statuses = [server.call("POST", "/v1/items:upsert", change)[0] for _ in range(3)]
            assert statuses[0] != 200, "it is not on disk"
            if fault.endswith("ENOSPC"):
                assert 200 not in statuses
            else:
                assert statuses[1:] == [200, 200]
            assert any("cannot be" in line or "flushed" in line for line in server.log)
    lines = lines_of_json(pathlib.Path(f"{served}.items"))
    assert len(lines) == statuses.count(200)
