"""Candidates for the users of a Ray dataset, on Ray's own workers.

>>> lists = pagoda.ray.recommend(ray.data.read_parquet("users/"), "model.pagoda", k=1000, workers=8)
>>> lists.write_parquet("candidates/")
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from ._batches import answer, check, model_of
from ._model import load


class _Worker:
    def __init__(self, path: str, threads: int, user: str, how: dict):
        self.model = model_of(path, threads)
        self.user, self.how = user, how

    def __call__(self, batch: Any) -> Any:
        return answer(batch, self.model, self.user, self.how)


def recommend(dataset: Any, model: str | os.PathLike, k: int = 1000, *, user: str = "user", filter: str | None = None,
              exclude_seen: bool = True, exclude: Iterable[Any] | None = None, min_score: float | None = None,
              quota: tuple[str, int] | None = None, recall: float | None = None, threads: int = 1,
              workers: int | tuple[int, int] = 1, batch_size: int = 4096) -> Any:
    """A dataset with the columns ``user``, "items" and "scores" (lists, the best first), a row a row of ``dataset``.

    Args:
        dataset: with a column of user ids, and where there are such, columns of requests, as for ``pagoda.spark``.
        model: the path of a bundle, which every machine of the cluster sees. Each worker maps it once.
        threads: of a worker; as many CPUs are asked for it.
        workers: actors, or the least and the most of them. Leave CPUs to Ray's own tasks: where the actors take all of
            them, a step before this one waits for ever.
        batch_size: users of a batch; 4096 lists of 1000 are 50 MB.
    """
    from ray.data import ActorPoolStrategy

    path = os.path.abspath(os.fspath(model))
    how = dict(k=k, filter=filter, exclude_seen=exclude_seen, exclude=None if exclude is None else list(exclude),
               min_score=min_score, quota=quota, recall=recall)
    check(load(path), how)
    pool = (ActorPoolStrategy(min_size=workers[0], max_size=workers[1]) if isinstance(workers, tuple)
            else ActorPoolStrategy(size=workers))
    return dataset.map_batches(_Worker, fn_constructor_args=(path, threads, user, how), batch_format="pyarrow",
                               batch_size=batch_size, compute=pool, num_cpus=threads)
