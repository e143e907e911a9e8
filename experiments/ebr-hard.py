"""EBR's hard negatives on mtg_decks: how many online ones, which ranks offline, how many easy ones beside (KDD 2020, section 6.1)."""

from _lab import Lab
from _page import PAGES, write_block


def main():
    lab = Lab("ebr-hard")
    figures = [("recall@1000", lambda v: f"{lab.evaluation(v, ['metrics', 'recall@1000']):.4f}"),
               ("average popularity@100", lambda v: f"{lab.evaluation(v, ['average_popularity@100']):.0f}"),
               ("seconds of training", lambda v: f"{lab.variants[v]['runs'][0]['seconds']:.0f}")]
    text = lab.table(["recall@100", "recall@20"], figures)
    text += f"\n\n{lab.json['users']:,} users judged; intervals: {lab.json['bootstrap']['resamples']} paired resamples over users, 95%."
    write_block("ebr-hard.md", "figures", text)
    lab.bucket_chart(PAGES / "ebr-hard-buckets.svg", "Recall@100 by popularity of the item", "recall@100", lab.variants)


if __name__ == "__main__":
    main()
