"""`pagoda init` and `pagoda train` with nothing changed, against ALS tuned on validation, item-kNN and popularity.

For each set: init writes the config, `pagoda split` the same rows for the peers, train chooses its epochs on validation and
trains on train and validation (refit = "validation"), and the test part is read once. ALS is implicit's, the best of 27
(factors, alpha, regularisation) by recall@20 on validation, then trained on train and validation, too. Users without a
history are judged apart, and left out of every column. What is done is kept in build/experiments/defaults; delete it to
begin anew. About an hour on 2 cores, most of it ALS.
"""

import json
import pathlib
import subprocess
import sys

from _lab import LABS
from _page import PROGRAM, ROOT, table, write_block
from _sets import SETS

METRICS = ["recall@20", "recall@100"]


def run(*words):
    subprocess.run([PROGRAM, *map(str, words)], check=True)


def config_of(name, files, folder):
    if not files:
        world = folder / "world"
        if not world.exists():
            run("simulate", "world", "--interactions", 300000, "--seed", 3, "-o", world)
        files = [world / "interactions.parquet", "--items", world / "items.parquet"]
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
    rows = []
    for name, files in {**SETS, "simulate world": []}.items():
        folder = LABS / "defaults" / name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        config = config_of(name, files, folder)
        judged, peer = pagoda(config, folder), als(config, folder)
        own = [judged["metrics"][m] for m in METRICS]
        others = {b["name"]: [b["metrics"][m] for m in METRICS] for b in judged["baselines"]}
        others["ALS"] = [peer[m] for m in METRICS]
        best = [max(values[k] for label, values in others.items() if label != "recent_popularity") for k in range(2)]
        cells = [", ".join(f"{v:.4f}" for v in values) for values in (own, others["ALS"], others["item_knn"], others["popularity"])]
        rows.append([name, f"{judged['users']:,}", *cells, ", ".join(f"{a / b - 1:+.1%}" for a, b in zip(own, best, strict=True)), peer["settings"]])
    head = ["recall@20, recall@100", "users", "pagoda", "ALS", "item-kNN", "popularity", "against the best of them", "the best ALS"]
    write_block("defaults.md", "figures", table(head, rows))


main()
