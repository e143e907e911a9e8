"""The best two-tower configs on Gowalla, with and without the order of the lists, three seeds."""

from _lab import Lab
from _page import table, write_block

METRICS = ["recall@20", "ndcg@20", "recall@1000"]
GOALS = {"without order": (0.182, 0.154), "with order": (0.189, 0.160)}


def main():
    search = Lab("gowalla")
    rows = [[v, f"{search.validation(v, 'recall@20'):.4f}", *(f"{search.mean(v, m):.4f}" for m in METRICS)] for v in search.variants]
    write_block("gowalla.md", "search", table(["one seed", "recall@20 on validation", *METRICS], rows))
    lab = Lab("gowalla-seeds")
    rows = []
    for v, goals in GOALS.items():
        metrics = lab.variants[v]["metrics"]
        row = [v]
        for m, goal in zip(METRICS, (*goals, None)):
            row.append(f"{metrics[m]['mean']:.4f} ± {metrics[m]['spread']:.4f}")
            if goal:
                row.append(f"{goal}")
        row.append(", ".join(f"{x:.4f}" for x in metrics["recall@20"]["seeds"]))
        row.append(", ".join(str(run["epochs"]) for run in lab.variants[v]["runs"]))
        rows.append(row)
    head = ["three seeds", "recall@20", "goal", "ndcg@20", "goal", "recall@1000", "recall@20 of each", "epochs"]
    write_block("gowalla.md", "seeds", table(head, rows) + f"\n\n{lab.json['users']:,} users judged; ± is the deviation over seeds.")


if __name__ == "__main__":
    main()
