"""The real sets on which experiments train what `pagoda init` proposes: the words that `init` is given, by name."""

from _page import ROOT

DATA = ROOT.parent / "shared" / "data"
_WORDS = {
    "movietweetings-100k": ["movietweetings-100k/interactions.csv.gz", "--items", "movietweetings-100k/items.csv.gz"],
    "wikispeedia": ["wikispeedia/interactions.csv.gz", "--items", "wikispeedia/items.csv.gz"],
    "goodbooks": ["goodbooks/interactions.csv.gz", "--items", "goodbooks/items.csv.gz"],
    "gowalla": ["gowalla/train.txt.gz"],
    "mtg_decks": ["mtg_decks/interactions.csv.gz", "--items", "mtg_decks/items.csv.gz"],
}
SETS = {name: [word if word.startswith("--") else DATA / word for word in words] for name, words in _WORDS.items()}
