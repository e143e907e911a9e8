"""What events beside the positives add: books with stars, and a synthetic shop with likes, views and dislikes.

Towers alone, what `pagoda init` proposes but for the kinds of events, two seeds. Each variant is trained and judged on
the same positives; the epochs are chosen on validation. What is done is kept in build/experiments/events-*; delete it to
begin anew. Half an hour on 2 cores.
"""

import subprocess

from _lab import LABS, Lab
from _page import PAGES, PROGRAM, line_chart, simulate, write_block
from _sets import DATA

SETTINGS = """base = "{base}"
set = {{ "neighbours.kind" = "none", "loss.temperature_ratio" = 1.2, "train.keep_state" = false, "train.refit" = false }}
seeds = [1, 2]
k = [20, 100]
metrics = ["recall@20", "recall@100", "ndcg@20"]
keep_models = false
"""
METRICS = ["recall@20", "recall@100", "ndcg@20"]
BOOKS = {
    "liked": {"when": "weight >= 4"},
    "so-so": {"role": "history", "when": "weight == 3"},
    "disliked": {"role": "negative", "history": True, "when": "weight <= 2"},
}
SHOP = {
    "like": {},
    "view": {"role": "history"},
    "dislike": {"role": "negative", "history": True},
}


def tables(name, kinds, negatives=False):
    """A variant with these kinds of events."""
    lines = ["[[variant]]", f'name = "{name}"']
    for kind, keys in kinds.items():
        lines += ["[[variant.data.events]]", f'name = "{kind}"']
        lines += [f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in keys.items()]
    if negatives:
        for source in ('"in_batch"', '"uniform"\ncount = 1024', '"impressions"'):
            lines += ["[[variant.sampling.negatives]]", f"source = {source}"]
    return "\n".join(lines) + "\n"


def variants(kinds):
    positive, known, negative = kinds
    unread = {positive: kinds[positive], known: kinds[known], negative: {**kinds[negative], "history": False}}
    return "\n".join([
        tables("positives alone", {positive: kinds[positive]}),
        tables(f"with {known}", {k: kinds[k] for k in (positive, known)}),
        tables(f"with {known}, {negative}", kinds),
        tables(f"with {known}, {negative} as hard negatives", unread, True),
    ])


def judge(name, log, flags, kinds):
    folder = LABS / f"events-{name}"
    plans = LABS / "events"
    plans.mkdir(parents=True, exist_ok=True)
    base, plan = plans / f"{name}.toml", plans / f"{name}-lab.toml"
    if not plan.exists():
        subprocess.run(list(map(str, [PROGRAM, "init", log, *flags, "-o", base])), check=True)
        text = base.read_text()
        first, last = text.find("\n[[data.events]]"), text.rfind("\n[[data.events]]")
        if first >= 0:  # the variants have their own
            end = text.find("\n[", last + 2)
            base.write_text(text[:first] + text[end:])
        plan.write_text(SETTINGS.format(base=base) + "\n" + variants(kinds))
    return Lab(folder.name, plan)


def main():
    world = LABS / "events-world"
    if not (world / "interactions.parquet").exists():
        simulate("world", "--interactions", "200000", "--seed", "11", "--events", "-o", world)
    labs = {
        "goodbooks": judge("goodbooks", DATA / "goodbooks/interactions.csv.gz",
                           ["--items", DATA / "goodbooks/items.csv.gz", "--weight", "", "--positive", "weight >= 1"], BOOKS),
        "shop": judge("shop", world / "interactions.parquet",
                      ["--items", world / "items.parquet", "--events", "like=positive,view=history,dislike=negative"], SHOP),
    }
    for name, lab in labs.items():
        unknown = lab.variants["positives alone"]["runs"][0]["evaluation"].get("unknown_users", {}).get("users", 0)
        more = [(f"recall@20 of {unknown:,} without a positive", lambda v: f"{lab.evaluation(v, ['unknown_users', 'recall@20']):.4f}")]
        write_block("events.md", name, lab.table(METRICS, more if unknown >= 100 else ()) + "\n\n" + lab.judged())
    series = []
    for name, lab in labs.items():
        first = lab.mean("positives alone", "recall@100")
        series.append((name, f"c{len(series)}", [(n, lab.mean(v, "recall@100") / first) for n, v in enumerate(lab.variants)]))
    names = ["positives", "+ history", "+ dislikes read", "+ as hard negatives"]
    line_chart(PAGES / "events.svg", "recall@100 against positives alone", "what is read beside them", "times",
               series, x_names=dict(enumerate(names)), y_range=(0.95, 1.15))


if __name__ == "__main__":
    main()
