"""./run bench [NAME...] [--quick] [--json OUT]"""

import argparse
import importlib
import json
import pathlib
import subprocess
import sys

import _bench


def main():
    here = pathlib.Path(__file__).parent
    known = sorted((p.stem for p in here.glob("*.py") if not p.stem.startswith("_")), key=lambda name: (name == "scaling", name))  # reads the others' figures
    alone = ["events", "index", "index-100m", "python", "serve", "stream", "upsert"]  # only where they are named: peers take long to install or to build, loads want the machine to themselves
    known = [name for name in known if name not in alone]
    long = {"curves", "mtg", "scaling"}  # in a quick run only where they are named
    parser = argparse.ArgumentParser(prog="./run bench", description="Benchmarks, each beside its peer and this machine's own peak.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known + alone)}; when none is named, all but the last {len(alone)}, in half an hour")
    parser.add_argument("--quick", action="store_true", help=f"smaller files and fewer rounds, three minutes in all; without {', '.join(sorted(long))}, unless named")
    parser.add_argument("--json", metavar="OUT", help="all results as one list")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in known + alone:
            parser.error(f"bench/ has no '{name}'; it has: {', '.join(known + alone)}")
    results = []
    for name in arguments.names or [name for name in known if not (arguments.quick and name in long)]:
        print(f"\n{name}", file=sys.stderr)
        if name in ("index", "index-100m"):  # many peers in an environment of their own, and tables of its own
            words = ["--items", "1e8", "--k", "2000", "--peers", "none"] if name == "index-100m" else []
            subprocess.run([sys.executable, here / "index.py", *words, *(["--quick"] if arguments.quick else [])], check=True)
            results += [_bench.Result(**r) for r in json.loads((_bench.WORK / "index" / "results.json").read_text())]
            continue
        of_this = importlib.import_module(name).run(arguments.quick)
        _bench.write_page(name, of_this, arguments.quick or name in ("serve", "upsert"))  # docs/reliability.md tells of these
        results += of_this
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps([r.as_json() for r in results], indent=1) + "\n")


if __name__ == "__main__":
    main()
