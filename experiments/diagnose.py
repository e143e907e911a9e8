"""What `pagoda diagnose` advises for wikispeedia, trained: does the advice hold?"""

from _lab import Lab
from _page import write_block


def main():
    lab = Lab("diagnose")
    figures = [("average popularity@100", lambda v: f"{lab.evaluation(v, ['average_popularity@100']):.0f}"),
               ("coverage@100", lambda v: f"{100 * lab.evaluation(v, ['coverage@100']):.1f}%"),
               ("recall@100 of items never clicked", lambda v: f"{lab.evaluation(v, ['zero_train_positives', 'recall@100']):.4f}")]
    write_block("diagnose.md", "wikispeedia", lab.table(["recall@100", "recall@10"], figures) + "\n\n" + lab.judged())


if __name__ == "__main__":
    main()
