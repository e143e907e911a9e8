"""What neighbours add to the towers that `pagoda init` proposes: kind and weight by validation, the test part read once.

Towers, kind and weight are chosen on the validation part; then towers and lists are made of train and validation
(refit = "validation"), and `evaluate` judges the model, its towers alone and item-kNN on the same users. What is done is
kept in build/experiments/neighbours; delete it to begin anew. Name sets to run those alone. Half an hour on 2 cores.
"""

import json
import re
import subprocess
import sys

from _lab import LABS
from _page import PAGES, PROGRAM, line_chart, table, write_block
from _sets import SETS

METRICS = ("recall@20", "recall@100")
SHARES = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # of the towers' best scores: the weights that train tries


def judge(name, folder):
    """The figures of `evaluate`, and what training said of its choice."""
    folder.mkdir(parents=True, exist_ok=True)
    config, bundle, result, said = (folder / n for n in ("pagoda.toml", "model.pagoda", "evaluation.json", "said.txt"))
    if not result.exists():
        subprocess.run(list(map(str, [PROGRAM, "init", *SETS[name], "-o", config])), check=True)
        command = [PROGRAM, "train", "-c", config, "--set", "train.refit='validation'", "--set", "train.choose_by='recall@20'", "-o", bundle]
        with open(said, "w") as out:
            subprocess.run(list(map(str, command)), check=True, stderr=out)
        subprocess.run(list(map(str, [PROGRAM, "evaluate", bundle, "--json", result])), check=True)
    return json.loads(result.read_text()), said.read_text()


def main():
    rows, curves = [], {}
    for name in sys.argv[1:] or SETS:
        figures, said = judge(name, LABS / "neighbours" / name)
        baselines = {b["name"]: b for b in figures["baselines"]}
        own = [figures["metrics"][m] for m in METRICS]
        towers = [baselines["towers"]["metrics"][m] for m in METRICS] if "towers" in baselines else own
        knn = [baselines["item_knn"]["metrics"][m] for m in METRICS] if "item_knn" in baselines else None
        interval = baselines["towers"]["difference"]["recall@20"] if "towers" in baselines else None
        chosen = re.search(r"neighbours: ([\w. ]+), weight ([\d.e-]+)", said)
        write = lambda pair: ", ".join(f"{v:.4f}" for v in pair) if pair else "-"
        rows.append([name, f"{figures['users']:,}", write(knn), write(towers), write(own),
                     ", ".join(f"{a / b - 1:+.1%}" for a, b in zip(own, towers, strict=True)),
                     f"{interval['low']:+.4f} to {interval['high']:+.4f}" if interval else "-",
                     f"{chosen[1]}, {float(chosen[2]):.3g}" if chosen else "none"])
        for kind, alone, tried in re.findall(r"by weight of ([\w. ]+?) \([^:]*: 0: ([\d.]+)(.*)", said):
            values = [float(v) for v in re.findall(r": ([\d.]+)(?: \(|  |$)", tried)]  # heavier ones that could not win are left out
            if kind.startswith(("swing", "ease of shrinkage 0.5")):
                curves[name, kind.split()[0]] = [(share, value / float(alone)) for share, value in zip(SHARES, values, strict=False)]
    head = ["recall@20, recall@100", "users", "item-kNN", "towers alone", "with neighbours", "gain", "95% interval of the gain in recall@20", "chosen"]
    write_block("neighbours.md", "figures", table(head, rows))
    colours = {name: f"c{n}" for n, name in enumerate(SETS)}
    series = [(f"{name}, {kind}", colours[name] + (" dash" if kind == "ease" else ""), points) for (name, kind), points in curves.items()]
    line_chart(PAGES / "neighbours.svg", "recall@20 on validation, against the towers alone", "weight, as a share of the towers' best scores",
               "times the towers' own", series, log_x=True, y_range=(0.9, 1.15))


main()
