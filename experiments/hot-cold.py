"""Sources beside in_batch on mtg_decks and on a world whose truth is known: hot, cold_per_user, uniform, and their mixture under three counts."""

from _lab import COLUMNS, Lab, make_world
from _page import PAGES, write_block


def percent(value):
    return f"{100 * value:.1f}%"


def real():
    lab = Lab("hot-cold")
    write_block("hot-cold.md", "figures", lab.table(["recall@100", "recall@20"], lab.columns(*COLUMNS)) + "\n\n" + lab.judged())
    lab.bucket_chart(PAGES / "hot-cold-buckets.svg", "Recall@100 by popularity of the item", "recall@100", lab.variants)


def synthetic():
    make_world()
    lab = Lab("hot-cold-world")
    figures = [("true recall@100", lambda v: f"{lab.truth(v, 'recall@100'):.4f}"),
               ("of never shown", lambda v: f"{lab.truth(v, 'never_shown_recall@100'):.4f}"),
               ("rank of never shown", lambda v: f"{lab.truth(v, 'never_shown_rank'):.3f}"),
               ("intrusion@100", lambda v: percent(lab.truth(v, "intrusion@100"))),
               *lab.columns("average popularity@100", "coverage@100")]
    text = lab.table(["recall@100", "recall@20"], figures)
    text += f"\n\n{lab.judged()} By chance {percent(lab.truth('in_batch', 'intrusion_by_chance'))} of a list would be intruders."
    write_block("hot-cold.md", "world", text)
    lab.bucket_chart(PAGES / "hot-cold-world-buckets.svg", "Recall@100 by popularity of the item, synthetic world", "recall@100", lab.variants)


if __name__ == "__main__":
    real()
    synthetic()
