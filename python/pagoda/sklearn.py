"""A face for those who think in scikit-learn: parameters in the constructor, ``fit``, ``clone``, ``pickle``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator

from ._errors import UsageError
from ._model import Model
from ._recommendations import Recommendations
from ._training import train


class TwoTower(BaseEstimator):
    """``TwoTower(epochs=10).fit(X).recommend(users, k=100)``

    Parameters are those of ``pagoda.train``; what is None is chosen for the data.

    Attributes:
        model_: the fitted ``pagoda.Model``.
    """

    def __init__(self, *, user: str | None = None, item: str | None = None, time: str | bool | None = None,
                 weight: str | None = None, negatives: Any = None, loss: Mapping[str, Any] | None = None,
                 epochs: int | None = None, batch: int | None = None, dim: int | None = None,
                 learning_rate: float | None = None, split: Any = "none", seed: int | None = None,
                 threads: int | None = None, settings: Mapping[str, Any] | None = None):
        self.user = user
        self.item = item
        self.time = time
        self.weight = weight
        self.negatives = negatives
        self.loss = loss
        self.epochs = epochs
        self.batch = batch
        self.dim = dim
        self.learning_rate = learning_rate
        self.split = split
        self.seed = seed
        self.threads = threads
        self.settings = settings

    def fit(self, X: Any, y: Any = None, *, items: Any = None, users: Any = None) -> TwoTower:
        """Trains on a log: a frame, a sparse matrix [users, items], or paths. ``y`` is ignored. All rows are learnt from
        unless ``split`` says what to hold out."""
        self.model_: Model = train(X, items=items, users=users, **self.get_params())
        return self

    def partial_fit(self, X: Any, y: Any = None, *, items: Any = None, users: Any = None) -> TwoTower:
        """Goes on with new rows (``pagoda.Model.partial_fit``); the first call is a ``fit``."""
        if not hasattr(self, "model_"):
            return self.fit(X, items=items, users=users)
        self.model_ = self.model_.partial_fit(X, items=items, users=users)
        return self

    def recommend(self, users: Any, k: int = 10, **how: Any) -> Recommendations:
        """The arguments of ``pagoda.Model.recommend``."""
        return self._fitted().recommend(users, k, **how)

    def similar(self, items: Any, k: int = 10) -> Recommendations:
        return self._fitted().similar(items, k)

    def score(self, X: Any, y: Any = None, *, k: int = 20) -> float:
        """recall@k of interactions that it has not seen."""
        evaluation = self._fitted().evaluate(X, k=k, baselines=False)
        return evaluation[f"recall@{k}"]

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise UsageError("this TwoTower is not fitted yet: call fit() first")
        return self.model_
