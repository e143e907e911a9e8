"""What a model and an index share: lists for query vectors, items like an item."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from . import _core
from ._errors import InputError, UsageError
from ._events import Events, pass_on
from ._frames import id_text, id_texts
from ._recommendations import Recommendations


def options_of(k: int, filter: str | None, exclude_seen: bool, exclude: Iterable[Any] | None, min_score: float | None,
               quota: tuple[str, int] | None, recall: float | None) -> _core.RetrieveOptions:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise UsageError(f"k = {k!r}: give the length of the lists, at least 1", "k")
    return _core.RetrieveOptions(int(k), filter or "", exclude_seen, id_texts(exclude) if exclude is not None else [],
                                 None if min_score is None else float(min_score),
                                 None if quota is None else (quota[0], int(quota[1])), recall or 0.0)


def queries_of(vectors: Any) -> np.ndarray:
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim == 1:
        vectors = vectors[None, :]
    if vectors.ndim != 2:
        raise InputError(f"vectors of {vectors.ndim} dimensions: give [n, dim]", "vectors")
    return vectors


class Seen:
    """A loaded bundle with the ids of its rows: what one call works with, whatever replaces it meanwhile."""

    def __init__(self, loaded: _core.Loaded):
        self.loaded = loaded

    @cached_property
    def catalogue(self) -> np.ndarray | None:
        """The texts of the ids by row; None where ids are numbers, which the engine gives itself."""
        ids = self.loaded.item_ids()
        return None if isinstance(ids, np.ndarray) else np.asarray(ids, dtype=object)


class Searcher:
    """Over a bundle that is loaded; another one takes its place as a whole."""

    _seen: Seen

    @property
    def _loaded(self) -> _core.Loaded:
        return self._seen.loaded

    @property
    def _catalogue(self) -> np.ndarray | None:
        return self._seen.catalogue

    def __len__(self) -> int:
        """Items that can come back."""
        return self._loaded.items()

    def __contains__(self, item: Any) -> bool:
        return self._loaded.has_item(id_text(item))

    def _search(self, vectors: Any, options: _core.RetrieveOptions) -> Recommendations:
        vectors, seen = queries_of(vectors), self._seen
        with Events(progress=False) as events:
            lists = seen.loaded.search(vectors, options, events)
        pass_on()
        return Recommendations(lists, seen.catalogue, range(len(vectors)), ("query", "item"))

    def similar(self, items: Any, k: int = 20) -> Recommendations:
        """The k items most like each of these, by the inner product of their vectors, without itself.

        Raises InputError for an item that is not in the catalogue."""
        if isinstance(items, (str, int, np.integer)):
            raise UsageError(f"items = {items!r}: give a list of items, also of one", "items")
        keys, seen = list(items), self._seen
        lists = seen.loaded.similar(id_texts(keys), k)
        pass_on()
        return Recommendations(lists, seen.catalogue, keys, ("item", "similar"))
