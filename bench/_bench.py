"""What the benchmarks share: programs, peers in an environment of their own, results, the page of a benchmark."""

import dataclasses
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
WORK = ROOT / "build" / "bench"
PAGES = ROOT / "docs" / "benchmarks"


@dataclasses.dataclass
class Result:
    """A ratio above 1 always means: ours is faster."""

    bench: str
    value: float
    unit: str
    threads: int
    ratio_to_peak: float | None = None
    ratio_to_peer: float | None = None
    peer: str | None = None
    peak_rss_mb: float | None = None
    workspace_mb: float | None = None

    def as_json(self):
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in dataclasses.asdict(self).items() if v is not None}


def median(values):
    return sorted(values)[len(values) // 2]


def program(name, *arguments):
    """The JSON lines that a program of bench/ prints."""
    done = subprocess.run([BUILD / f"bench_{name}", *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def environment(folder, requirements, *how):
    """The Python of a virtual environment that holds a file of bench/; made anew when the file has changed. how: more words for pip."""
    python, wanted = folder / "bin" / "python", ROOT / "bench" / requirements
    stamp, text = folder / "stamp", hashlib.sha256(wanted.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != text:
        print(f"bench: installing the peers of bench/{requirements} into {folder.relative_to(ROOT)}", file=sys.stderr)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *how, "-r", wanted], check=True)
        stamp.write_text(text)
    return python


def peers():
    return environment(WORK / "venv", "requirements.txt", "--only-binary", ":all:")


def peer(script, *arguments, threads):
    """The JSON lines of a script of bench/peers."""
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run([peers(), ROOT / "bench" / "peers" / f"{script}.py", *map(str, arguments), str(threads)], stdout=subprocess.PIPE, text=True,
                          check=True, env=env)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Asked:
    """A program that lives through a benchmark: a line on its stdin is a question, JSON lines and an empty one are its answer."""

    def __init__(self, *words, env=None):
        self.process = subprocess.Popen([*map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, *words):
        """The JSON lines of an answer."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "\n":
            if not line:
                raise SystemExit(f"bench: {' '.join(self.process.args)} ended without an answer to: {' '.join(map(str, words))}")
            lines.append(json.loads(line))
        return lines

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class Peer(Asked):
    """A script of bench/peers, started once: starting torch takes longer than most answers."""

    def __init__(self, script, *arguments, threads):
        # What torch.compile makes is kept: it takes ten seconds a shape.
        env = os.environ | {"OMP_NUM_THREADS": str(threads), "TORCHINDUCTOR_CACHE_DIR": str(WORK / "inductor"), "TORCHINDUCTOR_FX_GRAPH_CACHE": "1"}
        super().__init__(peers(), ROOT / "bench" / "peers" / f"{script}.py", *arguments, env=env)


def train(*words):
    """What `pagoda train --profile` prints, and the most memory it had in MB. The model is not kept."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder, tempfile.TemporaryFile("w+", dir=folder) as said:
        words = [BUILD / "pagoda", "train", *words, "--profile", "-o", f"{folder}/model.pagoda"]
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
        said.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"bench: {' '.join(map(str, words))} ended with {process.returncode}: {said.read()}")
        return said.read(), usage.ru_maxrss / 1024


def profile(stderr):
    """Milliseconds a step of each stage, as `pagoda train --profile` prints them; "between" lies outside the steps. "median": of whole steps."""
    stages = {m[1]: float(m[2]) for m in re.finditer(r"^([a-z]+) +[\d.]+ +([\d.]+)", stderr, re.M)}
    return stages | {"median": float(m[1]) for m in re.finditer(r"^median +([\d.]+)", stderr, re.M)}


def available_gb():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) / 1e6
    return 0.0


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() or "no repository"


def write_page(name, results, quick):
    """A table on stdout; of a full run also docs/benchmarks/NAME.json, and the table between the marks of NAME.md. Nothing of no results."""
    if not results:
        return
    about = {"commit": commit(), "cpu": cpu(), "cpus": os.cpu_count()}
    head = ["", "value", "threads", "of the peak", "against the peer", "peer", "workspace, MB", "peak memory, MB"]
    rows = [[r.bench, f"{r.value:.4g} {r.unit}", r.threads, "" if r.ratio_to_peak is None else f"{100 * r.ratio_to_peak:.0f}%",
             "" if r.ratio_to_peer is None else f"x{r.ratio_to_peer:.2f}", r.peer or "", "" if r.workspace_mb is None else f"{r.workspace_mb:,.0f}", "" if r.peak_rss_mb is None else f"{r.peak_rss_mb:,.0f}"]
            for r in results]
    table = markdown(head, rows)
    print(table)
    if quick:
        return
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / f"{name}.json").write_text(json.dumps({"about": about, "results": [r.as_json() for r in results]}, indent=1) + "\n")
    write_between(PAGES / f"{name}.md", f"{table}\n\n{about['cpu']}, {about['cpus']} CPUs, commit {about['commit']}.")


def markdown(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write_between(page, text):
    """Puts text between the marks of a page; one that is not there yet begins with its name."""
    name = page.stem
    old = page.read_text() if page.exists() else f"# {name}\n\n    ./run bench {name}\n\n<!-- figures -->\n<!-- /figures -->\n"
    before, rest = old.split("<!-- figures -->")
    after = rest.split("<!-- /figures -->")[1]
    page.write_text(f"{before}<!-- figures -->\n{text}\n<!-- /figures -->{after}")
