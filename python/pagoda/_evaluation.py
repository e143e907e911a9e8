"""Figures of a model, with those of what it has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _core, _html


class Evaluation(Mapping):
    """``evaluation["recall@20"]``; a mapping of the metrics' names to their values.

    Attributes:
        figures: all that ``pagoda evaluate --json`` writes: buckets of popularity, baselines, intervals, health.
        users: each user's figures, a dict of columns, "user_id" first; None where it was not asked for. NaN: not
            measured for that user.
    """

    def __init__(self, figures: dict, users: Mapping[str, Any] | None = None):
        self.figures = figures
        self.users = None if users is None else {
            name: np.asarray(column, dtype=object) if isinstance(column, list) else column
            for name, column in users.items()}

    @property
    def metrics(self) -> dict[str, float]:
        return dict(self.figures["metrics"])

    @property
    def baselines(self) -> dict[str, dict[str, float]]:
        """The metrics of popularity, recent popularity and item-kNN on the same users, where they were judged."""
        return {b["name"]: dict(b["metrics"]) for b in self.figures.get("baselines", [])}

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95% bootstrap intervals over users, by metric."""
        return {name: (of["low"], of["high"]) for name, of in self.figures.get("intervals", {}).items()}

    def __getitem__(self, name: str) -> float:
        return self.figures["metrics"][name]

    def __iter__(self):
        return iter(self.figures["metrics"])

    def __len__(self) -> int:
        return len(self.figures["metrics"])

    def users_table(self) -> _core.ArrowTable:
        """``users`` as a table of Arrow's."""
        if self.users is None:
            raise ValueError("evaluate(..., per_user=True) keeps each user's figures")
        columns = [c.tolist() if c.dtype.kind == "O" else (np.ascontiguousarray(c), "", np.isnan(c)) for c in self.users.values()]
        return _core.ArrowTable.of_columns(list(self.users), columns, "users")

    def __repr__(self) -> str:
        f = self.figures
        lines = [f"Evaluation: {f.get('users', 0)} users, {f.get('items', 0)} items, split {f.get('split', '')}"]
        lines += [f"  {name:<14} {value:.4f}" for name, value in self.items() if value is not None]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html.evaluation(self)
