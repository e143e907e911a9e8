"""What `pagoda diagnose` advises for wikispeedia, trained: does the advice hold?"""

from _lab import Lab
from _page import write_block


def main():
    lab = Lab("diagnose")
    figures = lab.columns("average popularity@100", "coverage@100", "recall@100 of items never clicked")
    write_block("diagnose.md", "wikispeedia", lab.table(["recall@100", "recall@10"], figures) + "\n\n" + lab.judged())


if __name__ == "__main__":
    main()
