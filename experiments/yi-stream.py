"""One pass in order of time over mtg_decks: plain against corrected by a streaming frequency, learning rate and batch turned (Yi et al. 2019)."""

from _lab import Lab
from _page import PAGES, line_chart, table, write_block

BATCHES = [256, 1024, 4096]
RATES = [0.001, 0.01, 0.1]


def main():
    lab = Lab("yi-stream")
    corrected = {(a, b): next(v for v in lab.variants if f"learning_rate={a}" in v and f"batch={b}" in v) for a in RATES for b in BATCHES}
    plain = {b: "plain" if b == 1024 else next(v for v in lab.variants if v.startswith("plain,") and v.endswith(f"batch={b}")) for b in BATCHES}
    rows = [[f"B = {b}", *(f"{lab.mean(v, m):.4f}" for m in ("recall@100", "recall@20") for v in (plain[b], *(corrected[a, b] for a in RATES)))]
            for b in BATCHES]
    head = ["", *(f"{m}, {side}" for m in ("recall@100", "recall@20") for side in ("plain", *(f"a = {a}" for a in RATES)))]
    write_block("yi-stream.md", "sweep", table(head, rows))
    others = ["plain", corrected[0.01, 1024], "corrected, clock by step", "corrected, exact counts", "corrected, shuffled", "plain, shuffled"]
    rows = [["corrected, a = 0.01" if v == corrected[0.01, 1024] else v, *(f"{lab.mean(v, m):.4f}" for m in ("recall@100", "recall@20")),
             lab.difference(v, "recall@100"), lab.figure(v, "average popularity@100")] for v in others]
    head = ["B = 1024", "recall@100", "recall@20", "recall@100 against plain", "average popularity@100"]
    write_block("yi-stream.md", "others", table(head, rows) + "\n\n" + lab.judged())
    line_chart(PAGES / "yi-stream.svg", "Recall@100 after one pass in order of time", "batch", "recall@100",
               [("plain", "c1", [(k, lab.mean(plain[b], "recall@100")) for k, b in enumerate(BATCHES)])]
               + [(f"a = {a}", f"c{(0, 2, 3)[n]}", [(k, lab.mean(corrected[a, b], "recall@100")) for k, b in enumerate(BATCHES)]) for n, a in enumerate(RATES)],
               x_names={k: str(b) for k, b in enumerate(BATCHES)})


if __name__ == "__main__":
    main()
