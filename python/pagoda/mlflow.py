"""A flavor for MLflow: ``log_model``, ``load_model``, and a callback that logs the curves of a training.

>>> model = pagoda.train(clicks, callbacks=[pagoda.mlflow.log_curves()])
>>> pagoda.mlflow.log_model(model, name="recall")
>>> mlflow.pyfunc.load_model(uri).predict(pandas.DataFrame({"user": ["u7"]}), params={"k": 100})
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from typing import Any

import mlflow
import mlflow.pyfunc
from mlflow.models import ModelSignature
from mlflow.types import ParamSchema, ParamSpec

from ._model import Model, load

_FILE = "model.pagoda"


class _PyFunc(mlflow.pyfunc.PythonModel):
    """Rows with "user" (and "history", "context", ...) in, rows with user, item, score and rank out."""

    def load_context(self, context: Any) -> None:
        self.model = load(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: Any, params: dict | None = None) -> Any:
        return self.model.recommend(model_input, **{"k": 100, **(params or {})}).to_pandas()


def log_model(model: Model, name: str = "model", **how: Any) -> Any:
    """Logs the bundle as a pyfunc model to the active run; ``how`` goes to ``mlflow.pyfunc.log_model``. ``predict`` knows
    the parameters k, filter and exclude_seen: MLflow passes none that a signature does not name."""
    from . import __version__

    how.setdefault("signature", ModelSignature(params=ParamSchema(
        [ParamSpec("k", "long", 100), ParamSpec("filter", "string", ""), ParamSpec("exclude_seen", "boolean", True)])))
    with tempfile.TemporaryDirectory(prefix="pagoda-") as folder:
        path = os.path.join(folder, _FILE)
        model.save(path)
        how.setdefault("pip_requirements", [f"pagoda-retrieval=={__version__}", "pandas"])
        return mlflow.pyfunc.log_model(name=name, python_model=_PyFunc(), artifacts={"bundle": path}, **how)


def load_model(uri: str) -> Model:
    """The ``pagoda.Model`` of a logged model."""
    folder = mlflow.artifacts.download_artifacts(uri)
    return load(os.path.join(folder, "artifacts", _FILE))


def metric_name(name: str) -> str:
    """``recall@20`` as ``recall_at_20``: MLflow takes no @."""
    return re.sub(r"[^\w./ -]", "_", name.replace("@", "_at_"))


def log_curves() -> Callable[[dict], None]:
    """A callback for ``pagoda.train``: loss, speed and validation figures by step, in the active run."""

    def log(record: dict) -> None:
        phase = record.get("phase") or "choose"
        metrics = {f"{phase}/{key}": record[key] for key in ("loss", "examples_per_second") if record.get(key) is not None}
        metrics |= {f"{phase}/{metric_name(key)}": value for key, value in record.get("validation", {}).items()
                    if value is not None}
        mlflow.log_metrics(metrics, step=int(record["step"]))

    return log
