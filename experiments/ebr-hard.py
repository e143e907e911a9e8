"""EBR's hard negatives (KDD 2020, section 6.1): how many online ones, which ranks offline, how many easy ones beside, impressions alone."""

from _lab import Lab, make_world
from _page import PAGES, write_block


LISTS = ["average popularity@100", "coverage@100"]


def decks():
    lab = Lab("ebr-hard")
    write_block("ebr-hard.md", "figures", lab.table(["recall@100", "recall@20", "recall@1000"], lab.columns(*LISTS)) + "\n\n" + lab.judged())
    lab.bucket_chart(PAGES / "ebr-hard-buckets.svg", "Recall@100 by popularity of the item", "recall@100", lab.variants)


def articles():
    lab = Lab("ebr-hard-wikispeedia")
    write_block("ebr-hard.md", "wikispeedia", lab.table(["recall@100", "recall@10"], lab.columns(*LISTS)) + "\n\n" + lab.judged())


def impressions():
    make_world()
    lab = Lab("ebr-hard-world")
    figures = [("true recall@100", lambda v: f"{lab.truth(v, 'recall@100'):.4f}"), *lab.columns(*LISTS)]
    write_block("ebr-hard.md", "world", lab.table(["recall@100", "recall@20"], figures) + "\n\n" + lab.judged())


if __name__ == "__main__":
    decks()
    articles()
    impressions()
