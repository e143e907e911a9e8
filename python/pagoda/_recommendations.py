"""Lists of candidates as they come back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import _core, _html


class Recommendations:
    """Candidates, a row a user (or item, or query), the best first.

    It unpacks like a tuple: ``ids, scores = model.recommend(users)``.

    Attributes:
        ids: [n, k], as the ids went in: int64, or objects (str). A masked array where a list is shorter than k.
        scores: [n, k] float32; minus infinity where a list has ended.
        counts: [n] int32, lengths of the lists.
        known: [n] bool, whether the model knows the user; a stranger is answered from history and features alone.
        users: who was asked for, in order.

    ``pl.DataFrame(recommendations)``, ``pa.table(recommendations)`` and ``pd.DataFrame.from_arrow(recommendations)``
    give a table with the columns user (or item), item (or similar), score and rank, from 1.
    """

    def __init__(self, lists: Any, catalogue: np.ndarray | None, users: Sequence[Any], names=("user", "item")):
        self.users = users
        self.counts: np.ndarray = lists.counts
        self.known: np.ndarray = lists.known.astype(bool)
        self.scores: np.ndarray = lists.scores
        self._names = names
        ids = lists.ids
        ended = None
        if ids.size and self.counts.size and int(self.counts.min()) < ids.shape[1]:
            ended = np.arange(ids.shape[1]) >= self.counts[:, None]
        if catalogue is not None:  # rows of the catalogue
            rows = ids
            ids = catalogue.take(np.maximum(rows, 0))
            if ended is not None:
                ids[ended] = None
        self.ids = ids if ended is None else np.ma.MaskedArray(ids, mask=ended)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.ids, self.scores))

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """(ids, scores) of one user, as long as the list is."""
        n = int(self.counts[row])
        return np.asarray(np.ma.getdata(self.ids)[row][:n]), self.scores[row][:n]

    def _table(self) -> _core.ArrowTable:
        counts = self.counts
        held = np.arange(self.scores.shape[1] if self.scores.ndim == 2 else 0) < counts[:, None]
        ids = np.ma.getdata(self.ids)[held]
        users = np.asarray(self.users)
        if users.dtype.kind not in "iu":
            users = np.asarray(list(self.users), dtype=object)
        repeated = np.repeat(users, counts)
        ranks = np.broadcast_to(np.arange(1, held.shape[1] + 1, dtype=np.int32), held.shape)[held]

        def column(values: np.ndarray):
            return values.tolist() if values.dtype.kind == "O" else (np.ascontiguousarray(values), "", None)

        return _core.ArrowTable.of_columns(
            [self._names[0], self._names[1], "score", "rank"],
            [column(repeated), column(ids), (np.ascontiguousarray(self.scores[held]), "", None), (ranks, "", None)],
            "recommendations")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table().__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """The table as a frame of pandas."""
        import pandas

        held = np.arange(self.scores.shape[1]) < self.counts[:, None]
        users = np.asarray(list(self.users)) if len(self.users) else np.empty(0, dtype=object)
        return pandas.DataFrame({
            self._names[0]: np.repeat(users, self.counts),
            self._names[1]: np.ma.getdata(self.ids)[held],
            "score": self.scores[held],
            "rank": np.broadcast_to(np.arange(1, held.shape[1] + 1), held.shape)[held],
        })

    def to_polars(self) -> Any:
        """The table as a frame of polars."""
        import polars

        return polars.DataFrame(self)

    def __repr__(self) -> str:
        k = self.scores.shape[1] if self.scores.ndim == 2 else 0
        lines = [f"Recommendations: {len(self)} lists of up to {k}"]
        for row in range(min(len(self), 5)):
            ids, _ = self[row]
            shown = ", ".join(str(i) for i in ids[:8])
            lines.append(f"  {self.users[row]}: {shown}{', ...' if len(ids) > 8 else ''}")
        if len(self) > 5:
            lines.append("  ...")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html.recommendations(self)
