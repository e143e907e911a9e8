"""The recall stage of a recommender: two towers, their index, and candidates in milliseconds.

>>> import pagoda
>>> model = pagoda.train(clicks, user="user_id", item="item_id", time="ts")     # any frame, or files
>>> ids, scores = model.recommend(["u7", "u9"], k=1000, filter="year >= 1990")
>>> model.save("model.pagoda"); model = pagoda.load("model.pagoda")

- ``train``, ``load``, ``Model``: train on a log of who clicked what; recommend, similar, explain, evaluate, vectors.
- ``Index``: top-k over vectors of your own, with filters inside the search.
- ``diagnose``, ``propose``, ``lab``, ``tune``: which negatives and settings your data needs.
- ``pagoda.sklearn.TwoTower``, ``pagoda.rectools.TwoTowerModel``, ``pagoda.spark``, ``pagoda.ray``, ``pagoda.mlflow``.

Messages go to ``logging`` under the name "pagoda". Errors are ``pagoda.Error``: UsageError, InputError, FailedError.
"""

import importlib
from typing import Any

from ._core import ArrowTable, __version__
from ._errors import Error, FailedError, InputError, Interrupted, UsageError
from ._evaluation import Evaluation
from ._index import Index
from ._model import Model, load
from ._recommendations import Recommendations
from ._settings import in_batch, popularity, source, uniform
from ._tools import diagnose, lab, propose, tune
from ._training import train

__all__ = [
    "ArrowTable", "Error", "Evaluation", "FailedError", "Index", "InputError", "Interrupted", "Model", "Recommendations",
    "UsageError", "__version__", "diagnose", "in_batch", "lab", "load", "popularity", "propose", "source", "train", "tune",
    "uniform",
]

_FACES = ("mlflow", "ray", "rectools", "sklearn", "spark")  # each needs the library of its name


def __getattr__(name: str) -> Any:
    if name in _FACES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_FACES])
