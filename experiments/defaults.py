"""`pagoda init` and `pagoda train` with nothing changed, against ALS tuned on validation, item-kNN and popularity.

For each set: init writes the config, `pagoda split` the same rows for the peers, train chooses its epochs on validation and
trains on train and validation (refit = "validation"), and the test part is read once. ALS is implicit's, the best of 27
(factors, alpha, regularisation; of 18 above 2 million rows) by recall@20 on validation, then trained on train and validation, too. Users without a
history are judged apart, and left out of every column. What is done is kept in build/experiments/defaults; delete it to
begin anew. The table is written after each set. About two hours on 2 cores, most of it ALS.
"""

import json
import pathlib
import subprocess
import sys
import zipfile

from _lab import LABS
from _page import PROGRAM, ROOT, table, write_block
from _sets import SETS

METRICS = ["recall@20", "recall@100"]
WORLDS = {
    "simulated: 300,000 rows": ["--interactions", 300000, "--seed", 3],
    "simulated: MovieLens 1M's shape": ["--interactions", 800000, "--users", 6040, "--items", 3700, "--seed", 5],
    "simulated: a wide shop": ["--interactions", 400000, "--users", 60000, "--items", 40000, "--seed", 7],
}


def run(*words):
    subprocess.run([PROGRAM, *map(str, words)], check=True)


def movielens_100k(folder):
    """MovieLens 100K as RecBole's package brings it."""
    if not (folder / "ml-100k.inter").exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "recbole==1.2.1", "-d", folder], check=True)
        with zipfile.ZipFile(next(folder.glob("recbole-*.whl"))) as wheel:
            for kind in ("inter", "item", "user"):
                (folder / f"ml-100k.{kind}").write_bytes(wheel.read(f"recbole/dataset_example/ml-100k/ml-100k.{kind}"))
    return [folder / "ml-100k.inter", "--items", folder / "ml-100k.item", "--users", folder / "ml-100k.user"]


def world(words, folder):
    files = folder / "world"
    if not files.exists():
        run("simulate", "world", *words, "-o", files)
    return [files / "interactions.parquet", "--items", files / "items.parquet"]


def config_of(files, folder):
    config = folder / "pagoda.toml"
    if not config.exists():
        run("init", *files, "-o", config)
    return config


def pagoda(config, folder):
    """The judged figures of the model and of what `evaluate` holds it against."""
    result = folder / "evaluation.json"
    if not result.exists():
        bundle = folder / "model.pagoda"
        run("train", "-c", config, "--set", "train.refit=validation", "-o", bundle)
        run("evaluate", bundle, "--json", result)
    return json.loads(result.read_text())


def als(config, folder):
    """{metric: value} of the best ALS, and what it was."""
    result = folder / "als.json"
    if not result.exists():
        parts = folder / "parts"
        if not parts.exists():
            run("split", "-c", config, "-o", parts)
        python = LABS / "defaults" / "venv" / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
            requirements = ROOT / "experiments" / "defaults_requirements.txt"
            subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        text = subprocess.run([python, ROOT / "experiments" / "_als.py", parts], check=True, stdout=subprocess.PIPE, text=True).stdout
        result.write_text(text)
    return json.loads(result.read_text())


def main():
    head = ["recall@20, recall@100", "users", "pagoda", "ALS", "item-kNN", "popularity", "against the best of them", "the best ALS"]
    rows = []
    sets = {"MovieLens 100K": movielens_100k}
    sets |= {name: lambda folder, words=words: world(words, folder) for name, words in WORLDS.items()}
    sets |= {name: lambda folder, files=files: files for name, files in SETS.items()}
    for name, files_in in sets.items():
        folder = LABS / "defaults" / "".join(c if c.isalnum() else "-" for c in name)
        folder.mkdir(parents=True, exist_ok=True)
        config = config_of(files_in(folder), folder)
        judged, peer = pagoda(config, folder), als(config, folder)
        own = [judged["metrics"][m] for m in METRICS]
        others = {b["name"]: [b["metrics"][m] for m in METRICS] for b in judged["baselines"]}
        others["ALS"] = [peer[m] for m in METRICS]
        best = [max(values[k] for label, values in others.items() if label in {"ALS", "item_knn", "popularity"}) for k in range(2)]
        cells = [", ".join(f"{v:.4f}" for v in values) for values in (own, others["ALS"], others["item_knn"], others["popularity"])]
        rows.append([name, f"{judged['users']:,}", *cells, ", ".join(f"{a / b - 1:+.1%}" for a, b in zip(own, best, strict=True)), peer["settings"]])
        write_block("defaults.md", "figures", table(head, rows))


main()
