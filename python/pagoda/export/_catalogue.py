"""The items that a model or an index gives, as other programs want them."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np

from .._errors import InputError
from .._frames import id_texts


class Catalogue:
    """Those that can come back, changes of ``with_items`` and ``upsert`` included.

    Attributes:
        ids: int64, or objects (str).
        vectors: [n, dim] float32; the score of an item is the inner product.
        columns: {name: (type, values)}; types are those of ``Model.attributes``, a missing value is None, a time is
            microseconds since 1970.
    """

    def __init__(self, model: Any):
        loaded = model._loaded
        ids = loaded.catalogue()
        self.ids = ids if isinstance(ids, np.ndarray) else np.asarray(ids, dtype=object)
        texts = id_texts(ids)
        self.vectors: np.ndarray = loaded.vectors_of(texts)
        self.columns: dict[str, tuple[str, list]] = loaded.attributes_of(texts)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        return self.vectors.shape[1]

    @property
    def numbered(self) -> bool:
        """The ids are whole numbers."""
        return self.ids.dtype.kind == "i"

    @property
    def natural(self) -> bool:
        """They are such that an unsigned key can hold, and none is a mark for what is missing."""
        return self.numbered and (not len(self) or int(self.ids.min()) >= 0)

    def keys(self) -> np.ndarray:
        """int64: the ids where they are natural, else the numbers of the rows, for which ``write_ids`` has the ids."""
        return np.ascontiguousarray(self.ids) if self.natural else np.arange(len(self), dtype=np.int64)

    def write_ids(self, stem: str) -> None:
        """``stem``.npy of whole numbers, ``stem``.txt of texts, an id a line."""
        remove_ids(stem)
        if self.numbered:
            np.save(f"{stem}.npy", self.ids)
            return
        for text in self.ids:
            if "\n" in text or "\r" in text:
                raise InputError(f"item {text!r} has a line break in its id, and a line of ids has none: take "
                                 "format='parquet'", "format")
        with open(f"{stem}.txt", "w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in self.ids)


def remove_ids(stem: str) -> None:
    """Those of an earlier export, which are not those of the vectors that come."""
    for ending in (".npy", ".txt"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(stem + ending)
