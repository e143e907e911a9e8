"""Plain softmax against corrected on wikispeedia, at several temperatures (Yi et al. 2019, table 1)."""

from _lab import Lab
from _page import PAGES, line_chart, table, write_block

TEMPERATURES = [0.05, 0.07, 0.1, 0.14]
PUBLISHED = {"recall@10": 0.1065 / 0.0643, "recall@100": 0.4664 / 0.3746}


def name(side, t):
    return side if t == 0.07 else f"{side} {t}"


def main():
    lab = Lab("yi-wikipedia")
    names = {(side, t): next(n for n in lab.variants if n == name(side, t) or (n.startswith(side) and n.endswith(str(t))))
             for side in ("plain", "corrected") for t in TEMPERATURES}
    rows = []
    for t in TEMPERATURES:
        row = [t]
        for metric in PUBLISHED:
            plain, corrected = (lab.mean(names[side, t], metric) for side in ("plain", "corrected"))
            row += [f"{plain:.4f}", f"{corrected:.4f}", f"x{corrected / plain:.2f}"]
        rows.append(row)
    head = ["temperature", *(f"{m}, {what}" for m in PUBLISHED for what in ("plain", "corrected", "ratio"))]
    text = table(head, rows) + "\n\nPublished ratios at .07: " + ", ".join(f"{m} x{r:.2f}" for m, r in PUBLISHED.items()) + "."
    write_block("yi-wikipedia.md", "figures", text)
    for metric in PUBLISHED:
        line_chart(PAGES / f"yi-wikipedia-{metric.split('@')[1]}.svg", f"{metric} on wikispeedia", "temperature", metric,
                   [(side, c, [(t, lab.mean(names[side, t], metric)) for t in TEMPERATURES])
                    for side, c in (("plain", "c1"), ("corrected", "c0"))],
                   x_names={t: str(t) for t in TEMPERATURES})


if __name__ == "__main__":
    main()
