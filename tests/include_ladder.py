"""The house rules that a compiler does not check.

    python tests/include_ladder.py [SRC]

- Includes go down the ladder of SRC/rooms.txt only, and never between rooms of one line.
- CMakeLists.txt links a room with rooms below it alone, and the ladder that ARCHITECTURE.md shows is the same.
- An include names a file that is there, as "room/file.h".
- The headers of heavy libraries stay in .cpp files, so that a header costs what it says. A header that needs one is
  included by .cpp files alone.
- A name in an anonymous namespace is met once in a room whose files are compiled together (PAGODA_UNITY): an overload
  of another file would be taken without a word.
- No file has more than 600 lines, and no folder more than 4,000 (tests aside).
- Style: what house_style.py says, in the folders that it lists.

Prints `file:line: what, and what to do instead` and exits with 1 when there is any.
"""

import collections
import pathlib
import re
import sys

from house_style import style_violations

HEAVY = ("arrow/", "parquet/", "toml++/", "nlohmann/", "spdlog/", "CLI/", "boost/", "prometheus/",
         "openssl/", "grpcpp/", "google/protobuf/", "pagoda/v1/")
MAX_LINES = 600
ALONE = ("math", "nn", "sampling", "loss", "index", "cli", "python")  # rooms whose files are compiled each alone
MAX_FOLDER_LINES = 4000

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


# What a line at the margin defines: a function, a type, a constant.
DEFINED = (re.compile(r"^(?:template.*> )?(?:\[\[\w+\]\] )?[A-Za-z_][\w:<>,&*\s\[\]]*?[\s&*](\w+)\("),
           re.compile(r"^(?:struct|class|enum class) (\w+)"),
           re.compile(r"^(?:constexpr|const|static)\b[^(=;{]*?\b(\w+)(?:\[\])?\s*[={]"))


def anonymous_names(path):
    """(line, name) of what the anonymous namespaces of a file define."""
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("namespace {"):
            inside = True
        elif line.startswith("}  // namespace"):
            inside = False
        elif inside and not line.startswith(("using", "return", "extern")):
            match = next((m for m in (form.match(line) for form in DEFINED) if m), None)
            if match:
                yield number, match[1]


def read_ladder(src):
    """The rooms of each line of SRC/rooms.txt, from the bottom."""
    lines = (pathlib.Path(src) / "rooms.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def steps_of(ladder):
    return {room: step for step, rooms in enumerate(ladder) for room in rooms}


def violations(src):
    """Every broken rule below the folder `src`, as `file:line: ...`, in order of file and line."""
    src = pathlib.Path(src)
    steps = steps_of(read_ladder(src))
    found = []
    paths = sorted(p for p in src.rglob("*") if p.suffix in (".h", ".cpp"))
    heavy_headers = {}  # "room/file.h" -> the heavy header it includes
    lines_of = collections.Counter()
    anonymous = {}  # (room, name) -> the first file that has it
    for path in paths:
        heavy = [name for _, name, _ in includes(path) if name.startswith(HEAVY)] if path.suffix == ".h" else []
        if heavy:
            heavy_headers[path.relative_to(src).as_posix()] = heavy[0]
    for path in paths:
        relative = path.relative_to(src)
        room = relative.parts[0]
        if room not in steps or len(relative.parts) < 2:
            found.append(f"{path}:1: '{room}' is no room of the ladder; place it in {src}/rooms.txt")
            continue
        lines = path.read_text(encoding="utf-8").count("\n")
        if not path.stem.endswith("_test"):
            lines_of[path.parent] += lines
        if lines > MAX_LINES:
            found.append(f"{path}:{MAX_LINES + 1}: {lines} lines, at most {MAX_LINES}; a file is one noun: "
                         "find the second")
        for line, name in anonymous_names(path) if room not in ALONE and not path.stem.endswith("_test") else ():
            other = anonymous.setdefault((room, name), path)
            if other != path:
                found.append(f"{path}:{line}: the anonymous namespace of {other} has '{name}', too, and they may be "
                             "compiled together; give one another name")
        for line, name, quoted in includes(path):
            found += [f"{path}:{line}: {what}" for what in broken_by(src, steps, room, name, quoted)]
            if name in heavy_headers and path.suffix == ".h":
                found.append(f'{path}:{line}: "{name}" includes <{heavy_headers[name]}>; only .cpp may include it')
    for folder, lines in sorted(lines_of.items()):
        if lines > MAX_FOLDER_LINES:
            found.append(f"{folder}:1: {lines} lines without tests, at most {MAX_FOLDER_LINES}; a room holds one "
                         "thing: find the second")
    return found


def wrong_links(ladder, cmake, name="CMakeLists.txt"):
    """Rooms that the build links with a room that is not below them, or that one of the two does not know."""
    steps = steps_of(ladder)
    found = []
    for match in re.finditer(r"^\s*pagoda_room\((\w+)([^)]*)\)", cmake, re.MULTILINE):
        room, links = match[1], re.findall(r"\bpagoda_(\w+)", match[2])
        at = f"{name}:{cmake[:match.start(1)].count(chr(10)) + 1}"
        if room not in steps:
            found.append(f"{at}: '{room}' is no room of src/rooms.txt")
            continue
        found += [f"{at}: '{room}' links '{link}', which is not below it in src/rooms.txt"
                  for link in links if link in steps and steps[link] >= steps[room]]
    return found


def drawn_ladder(ladder):
    """The ladder as ARCHITECTURE.md shows it."""
    return " -> ".join(rooms[0] if len(rooms) == 1 else "{ " + ", ".join(rooms) + " }" for rooms in ladder)


def house_violations(root):
    """What CMake's files and ARCHITECTURE.md say otherwise than src/rooms.txt."""
    root = pathlib.Path(root)
    ladder = read_ladder(root / "src")
    found = []
    for path in [root / "CMakeLists.txt", *sorted((root / "cmake").glob("*.cmake"))]:
        found += wrong_links(ladder, path.read_text(encoding="utf-8"), path.relative_to(root).as_posix())
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    if drawn_ladder(ladder) not in " ".join(text.split()):
        found.append(f"ARCHITECTURE.md:1: its ladder is not that of src/rooms.txt: {drawn_ladder(ladder)}")
    described = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    rooms = [room for rooms in ladder for room in rooms]
    if described != rooms:
        found.append(f"ARCHITECTURE.md:1: its table has the rooms {' '.join(described)}; "
                     f"src/rooms.txt has {' '.join(rooms)}")
    return found


def includes(path):
    """(line number, name, whether it is "quoted" and not <bracketed>) of each include of a file."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            found.append((number, include[1] or include[2], include[1] is not None))
    return found


def broken_by(src, steps, room, name, quoted):
    """What one include of a file of `room` breaks."""
    target = name.split("/")[0]
    if not quoted:
        if target in steps and (src / name).is_file():
            yield f'<{name}> is ours; write "{name}"'
    elif name.startswith(HEAVY):
        pass
    elif target not in steps or "/" not in name:
        yield f'"{name}" does not start with a room; write "room/file.h"'
    elif not (src / name).is_file():
        yield f'"{name}" is not there'
    elif target != room and steps[target] == steps[room]:
        yield f"'{room}' and '{target}' stand on one step and do not know each other; let a room above hand it in"
    elif steps[target] > steps[room]:
        yield f"'{room}' includes '{target}', which stands above it; let '{target}' hand it in"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    if len(sys.argv) > 1:
        found = violations(sys.argv[1])
    else:
        found = violations(root / "src") + house_violations(root) + style_violations(root)
    for line in found:
        print(line.removeprefix(f"{root}/"), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
