"""The three forms of the log-q correction, and none, on three real logs; each form at its own best temperature, by validation."""

from _lab import Lab
from _page import PAGES, line_chart, table, write_block

SETS = {"gowalla": ("gowalla", [0.07, 0.1, 0.14]), "goodbooks": ("goodbooks", [0.1, 0.14]), "mtg": ("mtg_decks", [0.07, 0.1])}
LISTS = ["average popularity@100", "coverage@100"]
FORMS = ["none", "standard", "negatives", "leave_one_out"]


def main():
    for name, (title, temperatures) in SETS.items():
        lab = Lab(f"logq-forms-{name}")
        metrics = lab.json["metrics"]
        choose = lab.json["goal_metric"]
        grid = {(form, t): next(v for v in lab.variants if v.endswith(f"correction={form},temperature={t}")) for form in FORMS for t in temperatures}
        rows = []
        for form in FORMS:
            best = max(temperatures, key=lambda t: lab.validation(grid[form, t], choose))
            v = grid[form, best]
            rows.append([form, best, *(f"{lab.mean(v, m):.4f}" for m in metrics),
                         *(lab.figure(v, title) for title in LISTS),
                         *(f"{lab.validation(grid[form, t], choose):.4f}" for t in temperatures)])
        head = ["correction", "temperature", *metrics, *LISTS, *(f"{choose} on validation at {t}" for t in temperatures)]
        write_block("logq-forms.md", name, table(head, rows) + "\n\n" + lab.judged())
        line_chart(PAGES / f"logq-forms-{name}.svg", f"{choose} on {title}, test", "temperature", choose,
                   [(form, f"c{k}", [(t, lab.mean(grid[form, t], choose)) for t in temperatures]) for k, form in enumerate(FORMS)],
                   x_names={t: str(t) for t in temperatures})


if __name__ == "__main__":
    main()
