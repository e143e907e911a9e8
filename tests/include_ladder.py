"""The house rules that a compiler does not check.

    python tests/include_ladder.py [SRC]

- Includes go down the ladder only, and never between rooms of one step: core, math, data, {features, nn, sampling, loss,
  index}, model, {train, simulate, serve, diagnose}, lab, {cli, python}.
- An include names a file that is there, as "room/file.h".
- The headers of heavy libraries stay in .cpp files, so that a header costs what it says. A header that needs one is
  private: only .cpp files of its own room may include it.
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
    ["train", "simulate", "serve", "diagnose"],
    ["lab"],
    ["cli", "python"],
]
HEAVY = ("arrow/", "parquet/", "toml++/", "nlohmann/", "spdlog/", "CLI/", "boost/", "prometheus/",
         "openssl/", "grpcpp/", "google/protobuf/", "pagoda/v1/")
MAX_LINES = 600

STEP = {room: step for step, rooms in enumerate(LADDER) for room in rooms}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def violations(src):
    """Every broken rule below the folder `src`, as `file:line: ...`, in order of file and line."""
    src = pathlib.Path(src)
    found = []
    paths = sorted(p for p in src.rglob("*") if p.suffix in (".h", ".cpp"))
    private = {}  # "room/file.h" -> the heavy header it includes
    for path in paths:
        heavy = [name for _, name, _ in includes(path) if name.startswith(HEAVY)] if path.suffix == ".h" else []
        if heavy:
            private[path.relative_to(src).as_posix()] = heavy[0]
    for path in paths:
        relative = path.relative_to(src)
        room = relative.parts[0]
        if room not in STEP or len(relative.parts) < 2:
            found.append(f"{path}:1: '{room}' is no room of the ladder; place it in LADDER of tests/include_ladder.py")
            continue
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > MAX_LINES:
            found.append(f"{path}:{MAX_LINES + 1}: {lines} lines, at most {MAX_LINES}; a file is one noun: find the second")
        for line, name, quoted in includes(path):
            found += [f"{path}:{line}: {what}" for what in broken_by(src, room, name, quoted)]
            if name in private and (path.suffix == ".h" or not name.startswith(f"{room}/")):
                found.append(f'{path}:{line}: "{name}" brings in <{private[name]}>; only .cpp files of its room may include it')
    return found


def includes(path):
    """(line number, name, whether it is "quoted" and not <bracketed>) of each include of a file."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            found.append((number, include[1] or include[2], include[1] is not None))
    return found


def broken_by(src, room, name, quoted):
    """What one include of a file of `room` breaks."""
    target = name.split("/")[0]
    if not quoted:
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
