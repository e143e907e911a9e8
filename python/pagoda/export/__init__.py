"""A model, its vectors and its towers in the forms of other programs. See docs/export.md.

>>> model.export("out", format="onnx")
"""

from __future__ import annotations

import difflib
import os
from typing import Any

from .._errors import UsageError
from . import _onnx

_WRITERS = {"onnx": _onnx.write_onnx, "triton": _onnx.write_triton}
FORMATS = tuple(_WRITERS)


def write(model: Any, path: str | os.PathLike, format: str) -> None:
    """``Model.export`` and ``Index.export``."""
    if format not in _WRITERS:
        near = difflib.get_close_matches(str(format), FORMATS, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"format = {format!r}: there is no such format{hint}; known: {', '.join(FORMATS)}", "format")
    _WRITERS[format](model, os.fspath(path))
