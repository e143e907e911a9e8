"""Training from frames and files."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from . import _core
from ._errors import UsageError
from ._events import Events
from ._frames import Tables
from ._model import Model
from ._settings import assignments, negatives_of

# Keyword arguments that are short for a key of the config.
SHORTCUTS = {
    "epochs": "train.epochs",
    "batch": "train.batch",
    "learning_rate": "train.learning_rate",
    "seed": "train.seed",
    "threads": "train.threads",
    "refit": "train.refit",
    "half_life": "train.half_life",
    "dim": "model.dim",
    "split": "data.split",
}


def settings_of(settings: Mapping[str, Any] | None, negatives: Any = None, loss: Mapping[str, Any] | None = None,
                **shortcuts: Any) -> list[str]:
    """All of them as `a.b=v`; what stands in `settings` comes last."""
    keys: dict[str, Any] = {SHORTCUTS[name]: value for name, value in shortcuts.items() if value is not None}
    if isinstance(keys.get("data.split"), str):
        keys["data.split"] = {"kind": keys["data.split"]}
    if negatives is not None:
        keys["sampling.negatives"] = negatives_of(negatives)
    if loss is not None:
        keys |= {f"loss.{key}": value for key, value in loss.items()}
    return assignments(keys) + assignments(settings or {})


class Source:
    """A log with its tables, and what is said of them; `train` and its kin make one of their arguments."""

    def __init__(self, clicks: Any, *, items: Any, users: Any, user: str | None, item: str | None,
                 time: str | bool | None, weight: str | None = None, clicked: str | None = None,
                 event: str | None = None, events: Mapping[str, str] | None = None, positive: str | None = None,
                 where: str | None = None, context: Sequence[str] | None = None,
                 config: str | os.PathLike | None = None, set: Sequence[str] = (), folder: str = ".",
                 start: str | None = None):
        self.tables = Tables()
        given: dict[str, Any] = {"set": list(set), "folder": folder}
        given["interactions"] = self.tables.add_log(
            "interactions", clicks, user=user or "user_id", item=item or "item_id", weight=weight)
        given["items"] = self.tables.add("items", items)
        given["users"] = self.tables.add("users", users)
        if not given["interactions"] and config is None:
            raise UsageError("give a log: a frame, a sparse matrix, or the path of a file")
        for name, value in (("user", user), ("item", item), ("weight", weight), ("clicked", clicked),
                            ("event", event), ("positive", positive), ("where", where)):
            if value is not None:
                given[name] = value
        if time is not None and time is not True:
            given["time"] = time or ""  # False: there is none
        if events is not None:
            given["events"] = [f"{kind}={role}" for kind, role in events.items()]
        if context is not None:
            given["context"] = list(context) or [""]
        if config is not None:
            given["config"] = os.fspath(config)
        if start is not None:
            given["from"] = start
        self.plan = _core.Plan(given)


def train(clicks: Any = None, *, items: Any = None, users: Any = None, user: str | None = None,
          item: str | None = None, time: str | bool | None = None, weight: str | None = None,
          clicked: str | None = None, event: str | None = None, events: Mapping[str, str] | None = None,
          positive: str | None = None, where: str | None = None, context: Sequence[str] | None = None,
          negatives: Any = None, loss: Mapping[str, Any] | None = None,
          epochs: int | None = None, batch: int | None = None, dim: int | None = None,
          learning_rate: float | None = None, split: Any = None, refit: str | bool | None = None,
          half_life: str | None = None, seed: int | None = None, threads: int | None = None,
          settings: Mapping[str, Any] | None = None, config: str | os.PathLike | None = None,
          output: str | os.PathLike | None = None, resume: bool = False,
          callbacks: Iterable[Callable[[dict], Any]] = (), progress: bool | None = None) -> Model:
    """Trains a user tower and an item tower, and gives the model that answers with them.

    Args:
        clicks: the log, a row an interaction: a frame of polars, pandas, pyarrow or DuckDB, anything else with
            ``__arrow_c_stream__``, a dict of columns, a sparse matrix [users, items], or paths of files as the command
            line reads them.
        items, users: tables with a row an item or a user, likewise. Their columns become features.
        user, item, time, weight: names of columns of the log; what is not said is found by names and values.
            ``time=False``: there is none. Of a sparse matrix, ``weight="weight"`` takes the values as weights.
        clicked, positive, where: which rows are positives: a column of 0 and 1, an expression such as
            ``"rating >= 4"``, and an expression that keeps rows.
        events: what the rows of each kind of event are, as ``{"buy": "positive", "view": "history", "skip":
            "negative"}``: learnt and judged; known of a user, and no more; disliked, and known of a user, too.
        event: the column of the kinds; it is found by name and values otherwise.
        context: columns of the log that are known when a request comes, such as the device.
        negatives: a list of sources: names, ``pagoda.uniform(1024)``, ``pagoda.source(...)``.
        loss: keys of the section [loss], such as ``dict(temperature=0.07)``.
        split: ``dict(kind="time", test="7d", validation="7d")``, or a kind alone: "none" trains on all and judges
            nothing.
        settings: any other keys of a config, as ``{"user.history.last": 50}``; they stand over all else.
        config: the path of a config, in place of what is proposed for the data (as by ``pagoda init``).
        output: where to write the bundle; its run folder, with checkpoints and curves, lies beside it as OUTPUT.run.
            Otherwise both are temporary, and ``model.save(path)`` keeps the bundle.
        resume: go on from the checkpoint of ``output``, to the same bits.
        callbacks: each is called after an epoch with its record, a dict with "phase", "epoch", "loss",
            "validation", ... One that raises ends the training, and its exception goes on.
        progress: a bar by tqdm. By default where there is a terminal or a notebook.

    The same data, settings and seed give the same bits as ``pagoda init`` and ``pagoda train`` of a file.

    Raises:
        UsageError: a wrong argument or key. InputError: wrong data. FailedError: a full disk.
        KeyboardInterrupt: Ctrl-C; with ``output`` a checkpoint is kept.
    """
    if output is None and resume:
        raise UsageError("resume=True needs the output whose training is to go on")
    output, folder = _output_of(output)
    chosen = settings_of(settings, negatives, loss, epochs=epochs, batch=batch, dim=dim, learning_rate=learning_rate,
                         split=split, refit=refit, half_life=half_life, seed=seed, threads=threads)
    source = Source(clicks, items=items, users=users, user=user, item=item, time=time, weight=weight, clicked=clicked,
                    event=event, events=events, positive=positive, where=where, context=context, config=config,
                    set=chosen,
                    folder=folder.name if folder else os.path.dirname(output) or ".")
    with Events(callbacks, progress) as events:
        _core.train(source.tables.memory, source.plan, output, resume, events)
    return Model(output, threads=threads or 0, _tables=source.tables, _folder=folder)


def go_on(model: Model, clicks: Any, *, items: Any, users: Any, settings: Mapping[str, Any] | None,
          output: str | os.PathLike | None, callbacks: Iterable[Callable[[dict], Any]], progress: bool | None) -> Model:
    """``Model.partial_fit``."""
    if clicks is None:
        raise UsageError("give the new rows: a frame, a sparse matrix, or the path of a file")
    output, folder = _output_of(output)
    columns = _columns_of(model.config)
    source = Source(clicks, items=items, users=users, user=columns["user"], item=columns["item"], time=None,
                    weight=columns["weight"] or None, set=assignments(settings or {}), start=model.path)
    with Events(callbacks, progress) as events:
        _core.train(source.tables.memory, source.plan, output, False, events)
    return Model(output, threads=model._threads, _tables=source.tables, _folder=folder)


def _columns_of(config: str) -> dict[str, str]:
    """The names of the columns in the record of a config: "user", "item", "weight" ("" where there is none)."""
    section = config.split("[data]\n", 1)[1].split("\n[", 1)[0]
    return {key: json.loads(text) for key, text in re.findall(r'^(user|item|weight) = (".*")$', section, re.MULTILINE)}


def _output_of(output: str | os.PathLike | None) -> tuple[str, Any]:
    """The path of the bundle, and the temporary folder that holds it if none was named."""
    if output is not None:
        return os.fspath(output), None
    folder = tempfile.TemporaryDirectory(prefix="pagoda-")
    return os.path.join(folder.name, "model.pagoda"), folder
