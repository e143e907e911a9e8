"""Experiments that compare trained models: `pagoda lab` on experiments/NAME.toml, and what its lab.json says."""

import json
import subprocess

from _page import PROGRAM, ROOT, line_chart, table

LABS = ROOT / "build" / "experiments"

# What `evaluate` says of the lists, by the title of its column: where it stands, and how it is written.
COLUMNS = {
    "average popularity@100": (["average_popularity@100"], "{:.0f}"),
    "coverage@100": (["coverage@100"], "{:.1%}"),
    "long tail@100": (["long_tail_share@100"], "{:.1%}"),
    "recall@100 of items never clicked": (["zero_train_positives", "recall@100"], "{:.4f}"),
}


def make_world():
    """The synthetic world of the experiments that ask for the truth or for impressions, in build/experiments/world; made once."""
    folder = LABS / "world"
    if not (folder / "truth.parquet").exists():
        size = ["--interactions", "300000", "--seed", "11", "--truth-users", "4000", "--truth-items", "400", "--impressions", "0.3"]
        subprocess.run([PROGRAM, "simulate", "world", *size, "-o", folder], check=True)


class Lab:
    """A finished lab. A killed experiment goes on where it stopped; delete its folder under build/experiments to begin anew."""

    def __init__(self, name, plan=None):
        """plan: experiments/NAME.toml, if it is not given."""
        folder = LABS / name
        plan = plan or ROOT / "experiments" / f"{name}.toml"
        subprocess.run([PROGRAM, "lab", "-c", plan, "-o", folder], check=True, cwd=ROOT)
        self.json = json.loads((folder / "lab.json").read_text())
        self.variants = {v["name"]: v for v in self.json["variants"]}

    def mean(self, variant, metric):
        return self.variants[variant]["metrics"][metric]["mean"]

    def evaluation(self, variant, path):
        """A figure of `evaluate --json`, averaged over the seeds; path: keys and positions."""
        values = []
        for run in self.variants[variant]["runs"]:
            value = run["evaluation"]
            for key in path:
                value = value[key]
            values.append(value)
        return sum(values) / len(values)

    def validation(self, variant, metric):
        """Of the epoch that was chosen, averaged over the seeds; a run without refit."""
        runs = self.variants[variant]["runs"]
        return sum(run["validation"][metric] for run in runs) / len(runs)

    def truth(self, variant, metric):
        return self.variants[variant]["truth"]["mean"][metric]

    def figure(self, variant, title):
        """One of COLUMNS, as it is written."""
        path, form = COLUMNS[title]
        return form.format(self.evaluation(variant, path))

    def columns(self, *titles):
        """Those of COLUMNS as columns of table()."""
        return [(title, lambda v, title=title: self.figure(v, title)) for title in titles]

    def judged(self):
        """How many users, and what the intervals are."""
        seeds, b = self.json["seeds"], self.json["bootstrap"]
        of_seeds = "one seed" if len(seeds) == 1 else f"means of {len(seeds)} seeds"
        return f"{self.json['users']:,} users judged, {of_seeds}; intervals: {b['resamples']} paired resamples over users, {b['confidence']:.0%}."

    def difference(self, variant, metric):
        """To the baseline, with the paired bootstrap's interval over users."""
        d = self.variants[variant]["metrics"][metric].get("difference")
        return "" if d is None else f"{d['mean']:+.4f} ({d['low']:+.4f}, {d['high']:+.4f})"

    def table(self, metrics, more=()):
        """Rows of variants: the metrics, the first one's difference to the baseline, and `more`: (title, function of a name)."""
        head = ["", *metrics, f"{metrics[0]} against {self.json['baseline']}", *(title for title, _ in more)]
        rows = [[name, *(f"{self.mean(name, m):.4f}" for m in metrics), self.difference(name, metrics[0]), *(f(name) for _, f in more)]
                for name in self.variants]
        return table(head, rows)

    def bucket_chart(self, path, title, metric, names):
        """Recall by popularity bucket of the item, a line a variant."""
        buckets = self.json["variants"][0]["runs"][0]["evaluation"]["by_item_popularity"]
        series = [(name, f"c{k % 5}" + (" dash" if k >= 5 else ""),
                   [(b, self.evaluation(name, ["by_item_popularity", b, metric])) for b in range(len(buckets))])
                  for k, name in enumerate(names)]
        line_chart(path, title, "items by popularity, hottest first", metric, series,
                   x_names={b: bucket["bucket"] for b, bucket in enumerate(buckets)})
