"""Downsampling hot positives against extra hot negatives, on mtg_decks."""

from _lab import Lab
from _page import PAGES, write_block


def main():
    lab = Lab("positives")
    figures = [("average popularity@100", lambda v: f"{lab.evaluation(v, ['average_popularity@100']):.0f}"),
               ("coverage@100", lambda v: f"{100 * lab.evaluation(v, ['coverage@100']):.1f}%"),
               ("long tail@100", lambda v: f"{100 * lab.evaluation(v, ['long_tail_share@100']):.1f}%"),
               ("recall@100 of items never clicked", lambda v: f"{lab.evaluation(v, ['zero_train_positives', 'recall@100']):.4f}")]
    write_block("positives.md", "figures", lab.table(["recall@100", "recall@20"], figures) + "\n\n" + lab.judged())
    lab.bucket_chart(PAGES / "positives-buckets.svg", "Recall@100 by popularity of the item", "recall@100", lab.variants)


if __name__ == "__main__":
    main()
