"""Keys of a config from Python's values: what `--set section.key=value` is to the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._errors import UsageError


def toml(value: Any) -> str:
    """The value as TOML, on one line."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        text = repr(float(value))
        return text if any(c in text for c in ".e") else text + ".0"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    raise UsageError(f"{value!r} cannot stand in a config: give a text, a number, True, False, a list or a dict")


def assignments(settings: Mapping[str, Any]) -> list[str]:
    """`a.b=v` of dotted keys, and of sections that are dicts themselves."""
    found: list[str] = []
    for key, value in settings.items():
        if isinstance(value, Mapping) and "." not in key:
            found += assignments({f"{key}.{k}": v for k, v in value.items()})
        else:
            found.append(f"{key}={toml(value)}")
    return found


def source(kind: str, count: int | None = None, **keys: Any) -> dict:
    """A source of negatives, an element of `negatives`: the keys of [[sampling.negatives]] in a config.

    >>> pagoda.source("mined", count=8, mining="offline")
    """
    made: dict[str, Any] = {"source": kind}
    if count is not None:
        made["count"] = count
    return made | keys


def in_batch(**keys: Any) -> dict:
    """The positives of the other rows of a batch, which cost nothing."""
    return source("in_batch", **keys)


def uniform(count: int, **keys: Any) -> dict:
    """`count` items a step, each as likely: pushes away what nobody clicked."""
    return source("uniform", count, **keys)


def popularity(count: int, **keys: Any) -> dict:
    """`count` items a step, as likely as their clicks to the power 0.75."""
    return source("popularity", count, **keys)


def negatives_of(given: Any) -> list[dict]:
    sources = [given] if isinstance(given, (str, Mapping)) else list(given)
    return [source(s) if isinstance(s, str) else dict(s) for s in sources]
