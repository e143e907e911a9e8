"""How Pagoda reads a table: the program dump_table of the build, asked over a pipe."""

import json
import os
import pathlib
import subprocess
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Dump:
    def __init__(self):
        build = pathlib.Path(os.environ.get("PAGODA_BUILD", ROOT / "build" / "release"))
        assert (build / "dump_table").is_file(), f"{build}/dump_table: not built; run ./run build"
        self.process = subprocess.Popen([build / "dump_table"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def __call__(self, *paths, **request):
        """An object with columns and notices, or with error and kind."""
        self.process.stdin.write(json.dumps({"paths": [str(p) for p in paths], **request}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"dump_table died over {paths}, {request}"
        return types.SimpleNamespace(**{"columns": {}, "notices": [], "error": None, "kind": None, **json.loads(line)})

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def differences(read, name, texts, us=None):
    """What was read of a column otherwise than it should be, as lines; none when all is right."""
    if read.error:
        return [f"{name}: {read.error}"]
    if name not in read.columns:
        return [f"{name}: left out"]
    column = read.columns[name]
    if len(column["cells"]) != len(texts):
        return [f"{name}: {len(column['cells'])} rows, expected {len(texts)}"]
    wrong = [f"{name}, row {row}: {seen!r:.90}, expected {right!r:.90}"
             for row, (seen, right) in enumerate(zip(column["cells"], texts)) if seen != right]
    if us:
        wrong += [f"{name}, row {row}: at {seen} us, expected {right}"
                  for row, (seen, right) in enumerate(zip(column["times"], us)) if seen != right]
    return wrong[:3]
