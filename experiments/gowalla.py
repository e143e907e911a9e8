"""The best two towers on Gowalla, with and without the order of the lists, and matrix factorisation, three seeds."""

from _lab import Lab
from _page import PAGES, table, write_block

GOALS = {"without order": (0.182, 0.154), "with order": (0.189, 0.160), "with order, and neighbours": (0.196, 0.166),
         "and SL@20": (0.1885, 0.159), "and neighbours": (0.192, 0.161)}


def figures(lab):
    rows = []
    for variant in lab.variants:
        metrics = lab.variants[variant]["metrics"]
        row = [variant]
        for metric, goal in zip(("recall@20", "ndcg@20"), GOALS.get(variant, ("", "")), strict=True):
            row += [f"{metrics[metric]['mean']:.4f} ± {metrics[metric]['spread']:.4f}", goal]
        row += [f"{lab.mean(variant, 'recall@1000'):.4f}", ", ".join(f"{x:.4f}" for x in metrics["recall@20"]["seeds"]),
                f"{lab.validation(variant, 'recall@20'):.4f}"]
        rows.append(row)
    head = ["", "recall@20", "goal", "ndcg@20", "goal", "recall@1000", "recall@20 of each seed", "recall@20 on validation"]
    return table(head, rows) + f"\n\n{lab.json['users']:,} users judged; ± is the deviation over three seeds."


def main():
    write_block("gowalla.md", "figures", figures(Lab("gowalla")))
    ids = Lab("gowalla-ids")
    write_block("gowalla.md", "ids", figures(ids))
    ids.bucket_chart(PAGES / "gowalla-buckets.svg", "Matrix factorisation: recall@20 by popularity of the item", "recall@20", ids.variants)


if __name__ == "__main__":
    main()
