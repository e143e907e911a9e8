"""What Spark and Ray share: a batch of Arrow in, a batch of lists out."""

from __future__ import annotations

import threading
from typing import Any

from ._errors import InputError
from ._model import Model, load

_models: dict[str, Model] = {}
_lock = threading.Lock()

REQUEST_COLUMNS = ("history", "recent", "events", "context", "features", "time")


def model_of(path: str, threads: int) -> Model:
    """One a process: the file is mapped, so its pages are shared by the processes of a machine."""
    with _lock:
        if path not in _models:
            _models.clear()  # of a former job in a worker that is used again
            _models[path] = load(path, threads=threads)
        return _models[path]


def check(model: Model, how: dict) -> None:
    """Says what is wrong with the arguments where they were given, not on every worker."""
    model.recommend(history=[[]], progress=False, **how)


def answer(batch: Any, model: Model, user: str, how: dict) -> Any:
    """The table [user, items, scores] for a table or batch of pyarrow; its column `user` and, where there are such, the
    columns of a request are read."""
    import numpy as np
    import pyarrow as pa

    if user not in batch.schema.names:
        raise InputError(f"no column '{user}'; there are: {', '.join(batch.schema.names)}", "user")
    keys = batch.column(user)
    told = {name: batch.column(name).to_pylist() for name in REQUEST_COLUMNS if name in batch.schema.names}
    users = keys.to_pylist()
    found = model.recommend([{"user": u} for u in users] if told else users, progress=False, **told, **how)
    counts = found.counts
    held = np.arange(found.scores.shape[1]) < counts[:, None]
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    ids = np.ma.getdata(found.ids)[held]
    items = pa.array(ids if ids.dtype.kind == "i" else ids.tolist(), type=item_type(model))
    scores = pa.array(found.scores[held])
    if isinstance(keys, pa.ChunkedArray):
        keys = keys.combine_chunks()
    return pa.table([keys, pa.ListArray.from_arrays(offsets, items), pa.ListArray.from_arrays(offsets, scores)],
                    names=[user, "items", "scores"])


def item_type(model: Model) -> Any:
    import pyarrow as pa

    return pa.int64() if model.item_ids.dtype.kind == "i" else pa.string()
