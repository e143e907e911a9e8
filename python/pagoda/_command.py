"""The command `pagoda`: `export` is Python, all else is the program that the package carries."""

from __future__ import annotations

import os
import shutil
import sys

from ._errors import FailedError


def program() -> list[str]:
    """The program's path, as the beginning of a command."""
    beside = os.path.join(os.path.dirname(__file__), "_program", "pagoda")
    found = beside if os.access(beside, os.X_OK) else os.environ.get("PAGODA_PROGRAM") or shutil.which("pagoda")
    if not found:
        raise FailedError("the program pagoda is not there: install the wheel, or put the program on the PATH")
    return [found]


def main() -> None:
    if sys.argv[1:2] == ["export"]:
        from .export._main import main as export

        sys.exit(export(sys.argv[2:]))
    command = program()
    os.execv(command[0], [*command, *sys.argv[1:]])
