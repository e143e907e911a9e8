"""Libraries of others, imported when something is written with them."""

from __future__ import annotations

import importlib
from typing import Any

from .._errors import FailedError


def library(module: str, package: str | None = None) -> Any:
    """The module; FailedError names the package that brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        words = f"{module} cannot be imported ({error}): pip install {package or module}"
        raise FailedError(words, "format") from error
