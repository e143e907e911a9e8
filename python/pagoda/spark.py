"""Candidates for the users of a Spark frame, on Spark's own workers.

>>> lists = pagoda.spark.recommend(df, "model.pagoda", k=1000, filter="year >= 1990")
>>> lists.write.partitionBy("day").parquet("candidates/")

The package must be installed where the workers' Python is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from ._batches import REQUEST_COLUMNS, answer, check, model_of
from ._errors import InputError
from ._model import load


def recommend(df: Any, model: str | os.PathLike, k: int = 1000, *, user: str = "user", filter: str | None = None,
              exclude_seen: bool = True, exclude: Iterable[Any] | None = None, min_score: float | None = None,
              quota: tuple[str, int] | None = None, recall: float | None = None, threads: int = 1) -> Any:
    """A frame with the columns ``user``, "items" and "scores" (arrays, the best first), a row a row of ``df``: the lists
    of ``pagoda retrieve``.

    Args:
        df: a frame with a column of user ids, and where there are such, columns "history", "recent" (arrays of item ids),
            "events" (a map of such arrays), "context", "features" (maps) and "time" of the requests.
        model: the path of a bundle, which the driver sees. It is shipped to each executor once, and mapped there by each
            Python worker, not loaded by each task.
        user: the name of the column.
        threads: of one task; Spark runs a task a core.

    The other arguments are those of ``pagoda.Model.recommend``. It is a plan like any other: nothing is computed before an
    action, and what Spark writes is written once, however often a task is tried.
    """
    from pyspark.sql.types import ArrayType, FloatType, LongType, StringType, StructField, StructType

    path = os.path.abspath(os.fspath(model))
    opened = load(path)
    integers = opened.item_ids.dtype.kind == "i"
    name = _ship(df.sparkSession, path, opened.fingerprint)
    how = dict(k=k, filter=filter, exclude_seen=exclude_seen, exclude=None if exclude is None else list(exclude),
               min_score=min_score, quota=quota, recall=recall)
    check(opened, how)
    if user not in df.columns:
        raise InputError(f"the frame has no column '{user}'; it has: {', '.join(df.columns)}", "user")
    kept = [user] + [c for c in REQUEST_COLUMNS if c in df.columns and c != user]
    schema = StructType([df.schema[user],
                         StructField("items", ArrayType(LongType() if integers else StringType(), False), False),
                         StructField("scores", ArrayType(FloatType(), False), False)])

    def work(batches: Iterator[Any]) -> Iterator[Any]:
        from pyspark import SparkFiles

        here = model_of(SparkFiles.get(name), threads)
        for batch in batches:
            if batch.num_rows:
                yield from answer(batch, here, user, how).to_batches()

    return df.select(*kept).mapInArrow(work, schema)


_shipped: dict[tuple[str, str], tempfile.TemporaryDirectory] = {}  # by application and name; they end with the driver


def _ship(session: Any, path: str, fingerprint: str) -> str:
    """Adds the file to the session's files under a name of its content, so that another bundle is another file."""
    context = session.sparkContext
    name = f"pagoda-{fingerprint}.pagoda"
    if (context.applicationId, name) not in _shipped:
        folder = tempfile.TemporaryDirectory(prefix="pagoda-")
        named = os.path.join(folder.name, name)
        try:
            os.link(path, named)
        except OSError:  # on another file system
            shutil.copyfile(path, named)
        context.addFile(named)
        _shipped[context.applicationId, name] = folder
    return name
