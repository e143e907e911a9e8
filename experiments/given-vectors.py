"""What vectors of an item's texts bring: on items that nobody clicked, and on all.

The vectors are those of a public word embedding (WordLlama, 256 components, its file comes with the package). Items that
nobody clicked: every tenth item, by a hash, loses all its rows to the test part; the question is whether users find them in
the whole catalogue. All items: the split of `pagoda init`. The figures are those of the towers alone. What is done is kept in build/experiments/given-vectors.
"""

import csv
import gzip
import json
import pathlib
import shutil
import subprocess
import sys
import zlib

import numpy as np
import wordllama

from _lab import LABS
from _page import PROGRAM, table, write_block
from _sets import DATA

METRICS = ("recall@20", "recall@100")
TEXTS = {"wikispeedia": ("title", "categories", "text400"), "mtg_decks": ("name", "type_line", "oracle_text")}
FOLDER = LABS / "given-vectors"
ALL = ("--set", "sampling.negatives=[{source='in_batch'}, {source='uniform', count=1024}]")
CLICKED = ("--set", "sampling.negatives=[{source='in_batch'}, {source='uniform', count=1024, items='clicked'}]")
IN_BATCH = ("--set", "sampling.negatives=[{source='in_batch'}]")
DROPOUT = ("--set", "item.id.dropout=0.2")
NO_IDS = ("--set", "item.id.enabled=false", "--set", "user.history.table='own'")
ALONE = ("--set", "item.features=[{column='texts', kind='vector'}]")
# Of the negatives: the tasks, a word for the files, what the tower reads, whether vectors are given, settings over `init`'s.
VARIANTS = {
    "in_batch, uniform over all items (`init`)": [
        (("cold", "all"), "ids-words-all", "ids, words", False, ALL),
        (("cold", "all"), "ids-words-vectors-all", "ids, words, vectors", True, ALL),
        (("cold",), "dropout-all", "ids with dropout 0.2, words, vectors", True, (*ALL, *DROPOUT))],
    "in_batch, uniform over items with a row": [
        (("cold", "all"), "ids-words", "ids, words", False, CLICKED),
        (("cold", "all"), "ids-words-vectors", "ids, words, vectors", True, CLICKED),
        (("cold", "all"), "dropout", "ids with dropout 0.2, words, vectors", True, (*CLICKED, *DROPOUT))],
    "in_batch": [
        (("cold",), "ids-words-in_batch", "ids, words", False, IN_BATCH),
        (("cold", "all"), "ids-words-vectors-in_batch", "ids, words, vectors", True, IN_BATCH),
        (("cold", "all"), "dropout-in_batch", "ids with dropout 0.2, words, vectors", True, (*IN_BATCH, *DROPOUT)),
        (("cold",), "words-in_batch", "words", False, (*IN_BATCH, *NO_IDS)),
        (("cold",), "vectors-in_batch", "vectors", True, (*IN_BATCH, *NO_IDS, *ALONE)),
        (("cold",), "words-vectors-in_batch", "words, vectors", True, (*IN_BATCH, *NO_IDS))],
}


def word_embedding():
    """From the package alone: it looks for its tokenizer in another folder than its own, and would fetch it."""
    cache = FOLDER / "wordllama"
    shutil.copytree(pathlib.Path(wordllama.__file__).parent / "tokenizers", cache / "tokenizers", dirs_exist_ok=True)
    return wordllama.WordLlama.load(dim=256, cache_dir=cache, disable_download=True)


def prepare(name):
    """texts.npy, and the log cut at items: known.csv and cold.csv."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "cold.csv").exists():
        return folder
    with gzip.open(DATA / name / "items.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    texts = ["\n".join(row[c].replace("_", " ").replace("|", " ") for c in TEXTS[name])[:4000] for row in rows]
    np.save(folder / "texts.npy", np.asarray(word_embedding().embed(texts, norm=True), np.float16))
    (folder / "texts.npy.ids.txt").write_text("".join(f"{row['item_id']}\n" for row in rows))
    with gzip.open(DATA / name / "interactions.csv.gz", "rt") as file, open(folder / "known.csv", "w") as known, \
            open(folder / "cold.part", "w") as cold:
        head = file.readline()
        item = head.rstrip("\n").split(",").index("item_id")
        known.write(head)
        cold.write(head)
        for line in file:
            (cold if zlib.crc32(line.rstrip("\n").split(",")[item].encode()) % 10 == 0 else known).write(line)
    (folder / "cold.part").rename(folder / "cold.csv")
    return folder


def judge(folder, task, file, words, settings):
    bundle, config, result = (folder / f"{task}-{file}.{end}" for end in ("pagoda", "toml", "json"))
    if not result.exists():
        config.unlink(missing_ok=True)
        subprocess.run(list(map(str, [PROGRAM, "init", *words, "-o", config])), check=True)
        subprocess.run(list(map(str, [PROGRAM, "train", "-c", config, "--set", "train.refit='validation'", *settings, "-o", bundle])), check=True)
        subprocess.run(list(map(str, [PROGRAM, "evaluate", bundle, "--json", result])), check=True)
    return json.loads(result.read_text())


def towers(found):
    """The figures of the towers alone: neighbours say nothing of an item that nobody had."""
    return next((b["metrics"] for b in found["baselines"] if b["name"] == "towers"), found["metrics"])


def main():
    for task in ("cold", "all"):
        rows = []
        for name in sys.argv[1:] or TEXTS:
            folder = prepare(name)
            log = [folder / "known.csv", "--set", f"data.split={{kind='given', test_files=['{folder}/cold.csv']}}"] if task == "cold" \
                else [DATA / name / "interactions.csv.gz"]
            for negatives, variants in VARIANTS.items():
                for tasks, file, variant, given, settings in variants:
                    if task in tasks:
                        words = [*log, "--items", DATA / name / "items.csv.gz", *(["--item-vectors", folder / "texts.npy"] if given else [])]
                        found = judge(folder, task, file, words, settings)
                        rows.append([name, negatives, variant, f"{found['users']:,}", *(f"{towers(found)[m]:.4f}" for m in METRICS)])
        write_block("given-vectors.md", task, table(["set", "negatives", "item tower reads", "users", *METRICS], rows))


main()
