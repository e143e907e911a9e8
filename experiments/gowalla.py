"""The best two towers on Gowalla, with and without the order of the lists, and matrix factorisation, three seeds."""

from _lab import Lab
from _page import table, write_block

GOALS = {"without order": (0.182, 0.154), "with order": (0.189, 0.160), "user ids, with neighbours": (0.192, 0.161)}


def main():
    lab = Lab("gowalla")
    rows = []
    for variant, goals in GOALS.items():
        metrics = lab.variants[variant]["metrics"]
        row = [variant]
        for metric, goal in zip(("recall@20", "ndcg@20"), goals):
            row += [f"{metrics[metric]['mean']:.4f} ± {metrics[metric]['spread']:.4f}", goal]
        row += [f"{lab.mean(variant, 'recall@1000'):.4f}", ", ".join(f"{x:.4f}" for x in metrics["recall@20"]["seeds"]),
                f"{lab.validation(variant, 'recall@20'):.4f}"]
        rows.append(row)
    head = ["", "recall@20", "goal", "ndcg@20", "goal", "recall@1000", "recall@20 of each seed", "recall@20 on validation"]
    write_block("gowalla.md", "figures", table(head, rows) + f"\n\n{lab.json['users']:,} users judged; ± is the deviation over three seeds.")


if __name__ == "__main__":
    main()
