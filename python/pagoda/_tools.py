"""Looking at a log, comparing settings, searching for better ones."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import _core
from ._errors import UsageError
from ._events import Events
from ._frames import Tables
from ._settings import toml
from ._training import Source, settings_of


def diagnose(clicks: Any, *, items: Any = None, user: str | None = None, item: str | None = None,
             time: str | None = None, batch: int | None = None) -> dict:
    """What a log says about the negatives it needs: popularity, accidental hits, drift, and advice with its reasons.

    Gives what ``pagoda diagnose --json`` writes: ``["advice"]`` is a list of subjects, verdicts and reasons, ``["blocks"]``
    TOML to begin with."""
    tables = Tables()
    log = tables.add_log("interactions", clicks, user=user or "user_id", item=item or "item_id")
    with Events(progress=False) as events:
        return json.loads(_core.diagnose(tables.memory, log, tables.add("items", items), user or "", item or "",
                                         time or "", batch or 0, events))


def propose(clicks: Any, *, items: Any = None, users: Any = None, user: str | None = None, item: str | None = None,
            time: str | bool | None = None, settings: Mapping[str, Any] | None = None, **roles: Any) -> str:
    """The config that ``train`` would use for these tables, as TOML with comments: what ``pagoda init`` writes."""
    source = Source(clicks, items=items, users=users, user=user, item=item, time=time, set=settings_of(settings), **roles)
    with Events(progress=False) as events:
        return _core.propose(source.tables.memory, source.plan, events)


def tune(clicks: Any = None, *, output: str | os.PathLike, minutes: float | None = None, trials: int | None = None,
         items: Any = None, users: Any = None, user: str | None = None, item: str | None = None,
         time: str | bool | None = None, settings: Mapping[str, Any] | None = None,
         config: str | os.PathLike | None = None, progress: bool | None = None, **roles: Any) -> str:
    """Searches for better settings by the validation part: what ``pagoda tune`` does.

    ``output`` is a folder: best.toml, trials.tsv, tune.html and what is done, so that the same call goes on after Ctrl-C.
    Gives the path of best.toml: ``pagoda.train(clicks, config=path)``."""
    if minutes is not None and trials is not None:
        raise UsageError("give minutes or trials, not both")
    source = Source(clicks, items=items, users=users, user=user, item=item, time=time, config=config,
                    set=settings_of(settings), **roles)
    folder = os.fspath(output)
    with Events(progress=progress) as events:
        _core.tune(source.tables.memory, source.plan, folder, minutes, trials, events)
    return os.path.join(folder, "best.toml")


def lab(clicks: Any, variants: Mapping[str, Mapping[str, Any]], *, output: str | os.PathLike,
        seeds: Sequence[int] = (1, 2, 3), metrics: Sequence[str] = (), items: Any = None, users: Any = None,
        user: str | None = None, item: str | None = None, time: str | bool | None = None,
        settings: Mapping[str, Any] | None = None, config: str | os.PathLike | None = None,
        progress: bool | None = None, **roles: Any) -> dict:
    """Trains variants side by side, with several seeds each, and compares them on the test part: what ``pagoda lab`` does.

    >>> pagoda.lab(clicks, {"plain": {}, "corrected": {"loss.correction": "standard"}}, output="lab")

    ``variants``: names, and the settings of each over what is proposed (or ``config``). ``output`` is a folder: lab.json,
    which is returned, report.html, and the models; work that was done before is kept."""
    source = Source(clicks, items=items, users=users, user=user, item=item, time=time, config=config,
                    set=settings_of(settings), **roles)
    folder = os.fspath(output)
    os.makedirs(folder, exist_ok=True)
    with Events(progress=progress) as events:
        base = _core.propose(source.tables.memory, source.plan, events)
        with open(os.path.join(folder, "base.toml"), "w", encoding="utf-8") as file:
            file.write(base)
        lines = ['base = "base.toml"', f"seeds = {toml(list(seeds))}"]
        if metrics:
            lines.append(f"metrics = {toml(list(metrics))}")
        for name, keys in variants.items():
            told = ", ".join(f'"{key}" = {toml(value)}' for key, value in keys.items())
            lines += ["[[variant]]", f"name = {toml(name)}", f"set = {{ {told} }}"]
        plan = os.path.join(folder, "lab.toml")
        with open(plan, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        _core.lab(source.tables.memory, plan, [], folder, events)
    with open(os.path.join(folder, "lab.json"), encoding="utf-8") as file:
        return json.load(file)
