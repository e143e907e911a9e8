"""The command `pagoda export`, which is Python as the libraries are that it writes with."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import NoReturn

from .._errors import Error, FailedError, InputError, UsageError

EXAMPLES = """
Formats:
  towers                  onnx, triton (folders)
  vectors                 npy (a folder), parquet, safetensors (files)
  indexes                 faiss, hnswlib, usearch (files)
  engines, with filters   milvus (ends with .db), qdrant, lancedb (folders)

Examples:
  pagoda export model.pagoda --format onnx -o towers
  pagoda export model.pagoda --format triton -o model_repository
  pagoda export model.pagoda --format faiss -o items.faiss
  pagoda export vectors.pagoda --format parquet -o items.parquet
  pagoda export model.pagoda --format milvus -o items.db
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `pagoda export --help`")


def main(arguments: list[str]) -> int:
    """The exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.addLevelName(logging.WARNING, "warning")
    try:
        return _export(arguments)
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        return {UsageError: 2, InputError: 3, FailedError: 1}.get(type(error), 1)
    except KeyboardInterrupt:
        return 130


def _export(arguments: list[str]) -> int:
    parser = _Parser(prog="pagoda export", description="write a model, its vectors or its towers for another program",
                     formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLES, allow_abbrev=False)
    parser.add_argument("model", help="the bundle")
    parser.add_argument("--format", required=True, help="what to write, see below")
    parser.add_argument("-o", "--output", required=True, help="a file or a folder, as the format is")
    parser.add_argument("--journal", action="store_true",
                        help="with the items that a server has taken since, from MODEL.items")
    told = parser.parse_args(arguments)
    from .. import load

    load(told.model, journal=told.journal).export(told.output, format=told.format)
    return 0
