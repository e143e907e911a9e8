"""What bf16 costs in quality: Gowalla and mtg_decks with the same seeds in f32 and in bf16."""

from _lab import Lab
from _page import table, write_block


def main():
    for name, choose in (("gowalla", "recall@20"), ("mtg", "recall@100")):
        lab = Lab(f"precision-{name}")
        metrics = ["recall@20", "ndcg@20", "recall@100"] if name == "gowalla" else ["recall@100", "ndcg@100", "recall@20"]
        rows = []
        for variant, figures in lab.variants.items():
            seeds = ", ".join(f"{x:.4f}" for x in figures["metrics"][choose]["seeds"])
            rows.append([variant, *(f"{lab.mean(variant, m):.4f}" for m in metrics), seeds, lab.difference(variant, choose)])
        head = ["", *metrics, f"{choose} of each seed", f"{choose} against f32"]
        write_block("precision.md", name, table(head, rows) + f"\n\n{lab.judged()}")


if __name__ == "__main__":
    main()
