"""Messages, progress and records of long work, as the engine gives them while it works."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

from . import _core

logger = logging.getLogger("pagoda")


def _bars_are_wanted() -> bool:
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class Events:
    """Takes ``on_event`` of the engine: messages go to ``logging``, progress to tqdm where it is installed, records of
    the training's log to the callbacks."""

    def __init__(self, callbacks: Iterable[Callable[[dict], Any]] = (), progress: bool | None = None):
        self._callbacks = list(callbacks)
        self._bar = None
        self._title = None
        self._tqdm = None
        if progress or (progress is None and _bars_are_wanted()):
            try:
                from tqdm.auto import tqdm
            except ImportError:
                if progress:
                    logger.warning("progress=True needs tqdm, which is not installed: pip install tqdm")
            else:
                self._tqdm = tqdm

    def __call__(self, kind: str, *values: Any) -> None:
        if kind == "log":
            logger.log(values[0], values[1])
        elif kind == "progress" and self._tqdm is not None:
            self._draw(*values)
        elif kind == "record":
            record = json.loads(values[0])
            for callback in self._callbacks:
                callback(record)

    def _draw(self, title: str, unit: str, note: str, done: int, total: int, ended: bool) -> None:
        if self._bar is None or self._title != title:
            self.close()
            self._bar = self._tqdm(desc=title, total=total or None, unit=" " + unit, leave=False)
            self._title = title
        self._bar.n = done
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.refresh()
        if ended:
            self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = self._title = None

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def pass_on() -> None:
    """Gives the messages of a short call to ``logging``."""
    if _core.anything_queued():
        _core.drain(Events(progress=False))
