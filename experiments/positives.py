"""Downsampling hot positives against extra hot negatives, on mtg_decks."""

from _lab import COLUMNS, Lab
from _page import PAGES, write_block


def main():
    lab = Lab("positives")
    figures = lab.columns(*COLUMNS)
    write_block("positives.md", "figures", lab.table(["recall@100", "recall@20"], figures) + "\n\n" + lab.judged())
    lab.bucket_chart(PAGES / "positives-buckets.svg", "Recall@100 by popularity of the item", "recall@100", lab.variants)


if __name__ == "__main__":
    main()
