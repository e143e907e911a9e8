"""A model for RecTools, so that its cross-validation and metrics run Pagoda beside its own models.

>>> from pagoda.rectools import TwoTowerModel
>>> cross_validate(dataset, splitter, metrics, {"pagoda": TwoTowerModel(epochs=10), "als": ...}, k=10, filter_viewed=True)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from rectools import Columns
from rectools.models.base import ModelBase
from rectools.utils import fast_isin_for_sorted_test_elements

from ._model import Model
from ._training import train


class TwoTowerModel(ModelBase):
    """The two towers under RecTools' interface.

    Args:
        verbose: 0 for silence, 1 for a bar.
        weight: weigh rows by RecTools' column of weights.
        parameters: those of ``pagoda.train``, such as ``epochs``, ``negatives``, ``settings``. All rows are learnt from
            (``split="none"``) unless it is told otherwise: who judges here is RecTools.
    """

    recommends_for_warm = False
    recommends_for_cold = False

    def __init__(self, verbose: int = 0, weight: bool = False, **parameters: Any):
        super().__init__(verbose=verbose)
        self.weight = weight
        self.parameters = {"split": "none", **parameters}

    def _fit(self, dataset: Any, *args: Any, **kwargs: Any) -> None:
        frame = dataset.interactions.df
        columns = {Columns.User: frame[Columns.User].to_numpy(), Columns.Item: frame[Columns.Item].to_numpy(),
                   Columns.Datetime: frame[Columns.Datetime].to_numpy().astype("datetime64[us]")}
        if self.weight:
            columns[Columns.Weight] = frame[Columns.Weight].to_numpy()
        self.model_: Model = train(columns, user=Columns.User, item=Columns.Item, time=Columns.Datetime,
                                   weight=Columns.Weight if self.weight else None, progress=self.verbose > 0,
                                   **self.parameters)

    def _recommend_u2i(self, user_ids: np.ndarray, dataset: Any, k: int, filter_viewed: bool,
                       sorted_item_ids_to_recommend: np.ndarray | None) -> tuple:
        lists = self.model_.recommend(np.asarray(user_ids), k, exclude_seen=filter_viewed,
                                      exclude=self._others(sorted_item_ids_to_recommend), progress=self.verbose > 0)
        return self._triplet(lists)

    def _recommend_i2i(self, target_ids: np.ndarray, dataset: Any, k: int,
                       sorted_item_ids_to_recommend: np.ndarray | None) -> tuple:
        ids, vectors = self.model_.item_ids, self.model_.item_vectors
        row_of = pd.Series(np.arange(len(ids)), index=ids)
        queries = np.asarray(vectors, np.float32)[row_of.loc[np.asarray(target_ids)].to_numpy()]
        lists = self.model_.search(queries, k, exclude=self._others(sorted_item_ids_to_recommend))
        lists.users = np.asarray(target_ids)
        return self._triplet(lists)

    def _others(self, wanted: np.ndarray | None) -> np.ndarray | None:
        """What may not come back."""
        if wanted is None:
            return None
        ids = np.sort(self.model_.item_ids)
        return ids[~fast_isin_for_sorted_test_elements(ids, wanted)]

    @staticmethod
    def _triplet(lists: Any) -> tuple:
        held = np.arange(lists.scores.shape[1]) < lists.counts[:, None]
        return (np.repeat(np.asarray(lists.users), lists.counts), np.ma.getdata(lists.ids)[held], lists.scores[held])
