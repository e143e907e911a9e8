"""What vectors of an item's texts bring: on items that nobody clicked, and on all.

The vectors are those of a public word embedding (WordLlama, 256 components, its file comes with the package). Items that
nobody clicked: every tenth item, by a hash, loses all its rows to the test part; the question is whether users find them in
the whole catalogue. All items: the split of `pagoda init`. What is done is kept in build/experiments/given-vectors.
"""

import csv
import gzip
import json
import subprocess
import sys
import zlib

import numpy as np
from wordllama import WordLlama

from _lab import LABS
from _page import PROGRAM, table, write_block
from _sets import DATA

METRICS = ("recall@20", "recall@100")
TEXTS = {"wikispeedia": ("title", "categories", "text400"), "mtg_decks": ("name", "type_line", "oracle_text")}
FOLDER = LABS / "given-vectors"
IDS_OFF = ("--set", "item.id.enabled=false")
NO_VECTORS, VECTORS_ALONE = (), ("--set", "item.features=[{column='texts', kind='vector'}]")
# Name, whether vectors are given, and settings over what `init` writes.
DROPOUT = ("--set", "item.id.dropout=0.2")
VARIANTS = [("ids, texts as words", False, ()), ("ids, words and vectors", True, ()),
            ("ids with dropout 0.2, words", False, DROPOUT), ("ids with dropout 0.2, words and vectors", True, DROPOUT),
            ("words", False, IDS_OFF), ("words and vectors", True, IDS_OFF), ("vectors", True, (*IDS_OFF, *VECTORS_ALONE))]


def prepare(name):
    """texts.npy, and the log cut at items: known.csv and cold.csv."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "cold.csv").exists():
        return folder
    with gzip.open(DATA / name / "items.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    texts = ["\n".join(row[c].replace("_", " ").replace("|", " ") for c in TEXTS[name])[:4000] for row in rows]
    np.save(folder / "texts.npy", np.asarray(WordLlama.load(dim=256).embed(texts, norm=True), np.float16))
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


def judge(folder, task, n, words, settings):
    bundle, config, result = (folder / f"{task}-{n}.{end}" for end in ("pagoda", "toml", "json"))
    if not result.exists():
        config.unlink(missing_ok=True)
        subprocess.run(list(map(str, [PROGRAM, "init", *words, "-o", config])), check=True)
        subprocess.run(list(map(str, [PROGRAM, "train", "-c", config, "--set", "train.refit='validation'", *settings, "-o", bundle])), check=True)
        subprocess.run(list(map(str, [PROGRAM, "evaluate", bundle, "--json", result])), check=True)
    return json.loads(result.read_text())


def main():
    for task in ("cold", "all"):
        rows = []
        for name in sys.argv[1:] or TEXTS:
            folder = prepare(name)
            log = [folder / "known.csv", "--set", f"data.split={{kind='given', test_files=['{folder}/cold.csv']}}"] if task == "cold" \
                else [DATA / name / "interactions.csv.gz"]
            for n, (variant, given, settings) in enumerate(VARIANTS):
                if task == "all" and IDS_OFF[1] in settings:
                    continue
                words = [*log, "--items", DATA / name / "items.csv.gz", *(["--item-vectors", folder / "texts.npy"] if given else [])]
                found = judge(folder, task, n, words, settings)
                rows.append([name, variant, f"{found['users']:,}", *(f"{found['metrics'][m]:.4f}" for m in METRICS)])
        write_block("given-vectors.md", task, table(["set", "item tower reads", "users", *METRICS], rows))


main()
