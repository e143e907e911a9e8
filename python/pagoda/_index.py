"""Top-k search over vectors of one's own, with filters inside the search."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from . import _core, _html
from ._errors import InputError, UsageError
from ._events import Events
from ._frames import as_arrow, id_texts
from ._model import _changes, _plain
from ._recommendations import Recommendations
from ._searcher import Searcher, Seen, options_of, queries_of

PARTITIONED_FROM = 100_000  # items; below, looking at every vector is fast


class Index(Searcher):
    """An index over vectors [n, dim], by inner product or cosine.

    ``ids, scores = index.search(queries, k=2000, filter="year >= 1990")``

    Args:
        vectors: [n, dim], taken as float32 (float16 is kept as such with ``half_precision``).
        ids: one a vector, texts or whole numbers; by default 0, 1, 2, ...
        attributes: what filters may name, a frame or a dict of columns, a row a vector in their order.
        kind: "exact" looks at every vector, "partitioned" at those near the query; "auto" by the number of vectors.
        cosine: vectors to unit length. Make queries so, too, if scores are to be cosines.
        half_precision: store float16: half the space, rounded scores.
        recall: the share of the true best that a search of a partitioned index finds when it does not say.
        k: the length of list that this is measured for.
        sample_queries: [m, dim], queries like those to come, some hundreds; without any, items stand in.
        threads: of the build and of a search; 0: one a CPU.

    Any number of threads may search; ``upsert`` and ``remove`` replace what they see as a whole.

    Raises InputError for a component that is not finite and for an id that occurs twice.
    """

    def __init__(self, vectors: Any, ids: Any = None, attributes: Any = None, *, kind: str = "auto", cosine: bool = False,
                 half_precision: bool = False, recall: float = 0.95, k: int = 1000, seed: int = 1,
                 sample_queries: Any = None, threads: int = 0, progress: bool | None = None):
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2:
            raise InputError(f"vectors of {vectors.ndim} dimensions: give [n, dim]", "vectors")
        if kind not in ("auto", "exact", "partitioned"):
            raise UsageError(f"kind = {kind!r}: one of auto, exact, partitioned", "kind")
        integers = ids is None or _are_integers(ids)
        partitioned = kind == "partitioned" or (kind == "auto" and len(vectors) >= PARTITIONED_FROM)
        self._threads = threads
        self._folder: Any = tempfile.TemporaryDirectory(prefix="pagoda-")
        path = os.path.join(self._folder.name, "index.pagoda")
        columns = {} if attributes is None else _columns(attributes)
        with Events(progress=progress) as events:
            _core.build_index(vectors, path, [] if ids is None else id_texts(ids), columns, partitioned, cosine,
                              half_precision, recall, min(int(k), max(1, len(vectors))), seed, threads,
                              None if sample_queries is None else queries_of(sample_queries), events)
        self._cosine = cosine
        self._seen = Seen(_core.Loaded(path, threads, False, integers))

    @classmethod
    def load(cls, path: str | os.PathLike, *, integer_ids: bool | None = None, threads: int = 0) -> Index:
        """Opens what ``save``, ``pagoda index`` or a training has written. ``integer_ids``: ids come back as whole
        numbers; None: where the bundle says so."""
        index = cls.__new__(cls)
        index._threads, index._folder, index._cosine = threads, None, False
        index._seen = Seen(_core.Loaded(os.fspath(path), threads, False, integer_ids))
        return index

    def save(self, path: str | os.PathLike) -> None:
        """Writes a bundle, which every command and ``pagoda serve`` read. UsageError after ``upsert`` or ``remove``:
        what they changed lies in memory alone."""
        if self._changed():
            raise UsageError("the index was changed since it was built; build one of all vectors to save it")
        self._loaded.copy_to(os.fspath(path))

    def export(self, path: str | os.PathLike, format: str) -> None:
        """Writes vectors, ids and attributes in the form of another program; as ``Model.export``, without towers."""
        from . import export

        export.write(self, path, format)

    def _card(self) -> dict:
        return json.loads(self._loaded.card())

    def _changed(self) -> bool:
        card = self._card()
        return card["added_items"] > 0 or card["hidden_items"] > 0

    def search(self, queries: Any, k: int = 100, *, filter: str | None = None, recall: float | None = None,
               exclude: Iterable[Any] | None = None, min_score: float | None = None,
               quota: tuple[str, int] | None = None) -> Recommendations:
        """The best k for each of queries [n, dim]; the arguments are those of ``Model.recommend``."""
        return self._search(queries, options_of(k, filter, False, exclude, min_score, quota, recall))

    def upsert(self, ids: Any, vectors: Any, attributes: Any = None) -> None:
        """Adds items, or replaces those with these ids: vectors [n, dim], attributes as for the constructor. A search
        that runs goes on with what was there before. The changed items are searched exactly: after many of them (a
        tenth of the index), build it anew."""
        keys = id_texts(ids)
        vectors = queries_of(vectors)
        if self._cosine:
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(norms > 0, norms, 1)
        rows: list[dict] = [{} for _ in keys]
        for name, values in ({} if attributes is None else _columns(attributes)).items():
            if len(values) != len(keys):
                raise InputError(f"column '{name}' has {len(values)} values for {len(keys)} items", "attributes")
            for row, value in zip(rows, values):
                if value is not None and value == value and value != "":
                    row[name] = _plain(value)
        changes = _changes([{"item": key, "attributes": row} for key, row in zip(keys, rows)])
        self._seen = Seen(self._loaded.with_changes(changes, np.ascontiguousarray(vectors)))

    def remove(self, ids: Any) -> None:
        """Takes items out. Unknown ids are passed over."""
        self._seen = Seen(self._loaded.with_changes(_changes([{"item": key, "deleted": True} for key in id_texts(ids)])))

    @property
    def vectors(self) -> np.ndarray:
        """[n, dim], as they were when it was built: the mapped file, not copied, read only."""
        return self._loaded.item_vectors()

    @property
    def ids(self) -> np.ndarray:
        ids = self._loaded.item_ids()
        return ids if isinstance(ids, np.ndarray) else self._catalogue

    def __repr__(self) -> str:
        return f"<pagoda.Index: {len(self)} items, {self.vectors.shape[1]} dimensions, {self._card()['index']}>"

    def _repr_html_(self) -> str:
        return _html.index(self)


def _are_integers(ids: Any) -> bool:
    dtype = getattr(ids, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        return True
    values = ids.to_list() if hasattr(ids, "to_list") else list(ids)
    return bool(values) and all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values)


def _columns(table: Any) -> dict[str, list]:
    """Columns of texts, of whole numbers or of numbers; a missing text is empty, a missing number NaN."""
    if isinstance(table, Mapping):
        columns = {str(name): list(values) for name, values in table.items()}
    elif hasattr(table, "to_dict") and hasattr(table, "iloc"):  # pandas
        columns = {str(name): table[name].astype(object).where(table[name].notna(), None).tolist() for name in table.columns}
    elif hasattr(table, "to_pydict"):  # pyarrow
        columns = table.to_pydict()
    elif hasattr(table, "to_dict"):  # polars
        columns = table.to_dict(as_series=False)
    else:
        as_arrow(table, "attributes")  # says what it is
        raise InputError("attributes: give a frame of polars, pandas or pyarrow, or a dict of columns", "attributes")
    return {name: _attribute(name, values) for name, values in columns.items()}


def _attribute(name: str, values: list) -> list:
    held = [v.item() if isinstance(v, np.generic) else v for v in values]
    there = [v for v in held if v is not None and v == v]
    if there and all(isinstance(v, bool) for v in there):
        return ["" if v is None else str(v).lower() for v in held]
    if there and all(isinstance(v, int) for v in there):
        return held if len(there) == len(held) else [float("nan") if v is None else float(v) for v in held]
    if there and all(isinstance(v, (int, float)) for v in there):
        return [float("nan") if v is None else float(v) for v in held]
    if any(isinstance(v, (list, tuple, dict)) for v in there):
        raise InputError(f"column '{name}' holds lists; an index takes one value an item", "attributes")
    return ["" if v is None or v != v else str(v) for v in held]
