"""A model, its vectors and its towers in the forms of other programs. See docs/export.md.

>>> model.export("out", format="onnx")
"""

from __future__ import annotations

import difflib
import os
from typing import Any

from .._errors import Error, FailedError, UsageError
from .._events import logger
from . import _engines, _onnx, _vectors
from ._catalogue import Catalogue, remove_ids

TOWERS = {"onnx": _onnx.write_onnx, "triton": _onnx.write_triton}  # write(model, folder)
FILES = {"parquet": _vectors.write_parquet, "safetensors": _vectors.write_safetensors}  # write(catalogue, file)
INDEXES = {"faiss": _vectors.write_faiss, "hnswlib": _vectors.write_hnswlib, "usearch": _vectors.write_usearch}
FOLDERS = {"npy": _vectors.write_npy, "milvus": _engines.write_milvus, "qdrant": _engines.write_qdrant,
           "lancedb": _engines.write_lancedb}
FORMATS = (*TOWERS, "npy", *FILES, *INDEXES, "milvus", "qdrant", "lancedb")


def write(model: Any, path: str | os.PathLike, format: str) -> None:
    """``Model.export`` and ``Index.export``."""
    if format not in FORMATS:
        near = difflib.get_close_matches(str(format), FORMATS, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"format = {format!r}: there is no such format{hint}; known: {', '.join(FORMATS)}", "format")
    path, is_file = os.fspath(path), format in FILES or format in INDEXES
    if os.path.isdir(path) if is_file else os.path.isfile(path):
        have, want = ("folder", "file") if is_file else ("file", "folder")
        raise UsageError(f"{path} is a {have}, and {format} is a {want}: give another path", "path")
    if getattr(model, "info", {}).get("neighbours"):
        logger.warning("%s: holds vectors alone; the lists of recommend() have the model's neighbours besides", path)
    try:
        if is_file:
            _write_file(Catalogue(model), path, format)
        elif format in TOWERS:
            TOWERS[format](model, path)
        else:
            FOLDERS[format](Catalogue(model), path)
    except OSError as error:
        raise FailedError(f"{error.filename or path}: {error.strerror or error}", "path") from error
    except Exception as error:
        if isinstance(error, Error):
            raise
        # What the libraries raise has no base in common.
        raise FailedError(f"{path}: {format} could not be written: {type(error).__name__}: {error}", "path") from error


def _write_file(items: Catalogue, path: str, format: str) -> None:
    """Under a temporary name first. Keys of an index that are no ids are row numbers: the ids lie beside it."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        {**FILES, **INDEXES}[format](items, temporary)
        if format in INDEXES:
            remove_ids(f"{path}.ids") if items.natural else items.write_ids(f"{path}.ids")
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
