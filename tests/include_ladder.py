"""The house rules that a compiler does not check.

    python tests/include_ladder.py [SRC]

- Includes go down the ladder only, and never between rooms of one step: core, math, data, {features, nn, sampling, loss,
  index}, model, {train, simulate, serve}, {cli, python}.
- An include names a file that is there, as "room/file.h".
- The headers of heavy libraries stay in .cpp files (and precompiled test headers), so that a header costs what it says.
- No file has more than 600 lines.

Prints `file:line: what, and what to do instead` and exits with 1 when there is any.
"""

import pathlib
import re
import sys

LADDER = [
    ["core"],
    ["math"],
    ["data"],
    ["features", "nn", "sampling", "loss", "index"],
    ["model"],
    ["train", "simulate", "serve"],
    ["cli", "python"],
]
HEAVY = ("arrow/", "parquet/", "toml++/", "nlohmann/", "spdlog/", "CLI/")
MAX_LINES = 600

STEP = {room: step for step, rooms in enumerate(LADDER) for room in rooms}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def violations(src):
    """Every broken rule below the folder `src`, as `file:line: ...`, in order of file and line."""
    src = pathlib.Path(src)
    found = []
    for path in sorted(p for p in src.rglob("*") if p.suffix in (".h", ".cpp")):
        relative = path.relative_to(src)
        room = relative.parts[0]
        if room not in STEP or len(relative.parts) < 2:
            found.append(f"{path}:1: '{room}' is no room of the ladder; place it in LADDER of tests/include_ladder.py")
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_LINES:
            found.append(f"{path}:{MAX_LINES + 1}: {len(lines)} lines, at most {MAX_LINES}; a file is one noun: find the second")
        for number, line in enumerate(lines, 1):
            include = INCLUDE.match(line)
            if include:
                found += [f"{path}:{number}: {what}" for what in broken_by(src, path, room, *include.groups())]
    return found


def broken_by(src, path, room, quoted, bracketed):
    """What one include of a file of `room` breaks: "quoted" or <bracketed>, the other None."""
    name = quoted or bracketed
    if path.suffix == ".h" and name.startswith(HEAVY):
        yield f"<{name}> in a header; include it in the .cpp file"
    target = name.split("/")[0]
    if bracketed:
        if target in STEP and (src / name).is_file():
            yield f'<{name}> is ours; write "{name}"'
    elif name.startswith(HEAVY):
        pass
    elif target not in STEP or "/" not in name:
        yield f'"{name}" does not start with a room; write "room/file.h"'
    elif not (src / name).is_file():
        yield f'"{name}" is not there'
    elif target != room and STEP[target] == STEP[room]:
        yield f"'{room}' and '{target}' stand on one step and do not know each other; let a room above hand it in"
    elif STEP[target] > STEP[room]:
        yield f"'{room}' includes '{target}', which stands above it; let '{target}' hand it in"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    found = violations(sys.argv[1] if len(sys.argv) > 1 else root / "src")
    for line in found:
        print(line.removeprefix(f"{root}/"), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
