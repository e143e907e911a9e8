"""Runs every test of a build: the GoogleTest binaries BUILD/test_*, the scripts tests/test_*.py, and where the build has
the Python package, tests/python, each script in the environment that it needs.

    python tests/run_tests.py build/release [--all] [NAME...]

Quiet about what passes, shows the output of what fails. The last line is `N passed, N failed[, N skipped]`; the exit
status is 1 when any failed. A binary that crashes, hangs or says nothing counts as a failure. Each skipped test is named
with its reason. With PAGODA_NO_SKIPS=1, as in CI, it counts as a failure, unless this CPU lacks what the test is about.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_S = 1200
# Scripts of tests/python whose slow tests need other libraries than .venv-frames holds.
ENVIRONMENTS = {"test_export.py": ".venv-export", "test_mlflow.py": ".venv-mlflow", "test_ray.py": ".venv-ray",
                "test_rectools.py": ".venv-rectools", "test_spark.py": ".venv-spark"}
CPU_LACKS = "this CPU has no "  # how the reason of a skip begins that even CI allows


class Tally:
    def __init__(self, passed=0, failed=0, skipped=0, skips=()):
        self.passed, self.failed, self.skipped = passed, failed, skipped
        self.skips = list(skips)  # (test, reason)

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.skips += other.skips
        return self

    def forbid_skips(self):
        """Skipped tests become failed ones, but for those that this CPU cannot run; gives the ones that failed."""
        forbidden = [(test, reason) for test, reason in self.skips if not reason.startswith(CPU_LACKS)]
        self.skipped -= len(forbidden)
        self.failed += len(forbidden)
        return forbidden

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def read_gtest(report, output=""):
    """The tally of a GoogleTest JSON report. Versions before 1.13 say why a test was skipped in their output alone."""
    tally = Tally()
    printed = printed_reasons(output)
    for suite in json.loads(report)["testsuites"]:
        for test in suite["testsuite"]:
            if test["status"] != "RUN":
                continue
            if test.get("failures"):
                tally.failed += 1
            elif test["result"] == "SKIPPED":
                tally.skipped += 1
                name = f"{suite.get('name', '')}.{test['name']}"
                tally.skips.append((name, skip_reason(test) or printed.get(name, "no reason is reported")))
            else:
                tally.passed += 1
    return tally


def skip_reason(test):
    """What GTEST_SKIP said: "file:line" and the text, a line each; "": the report does not tell."""
    said = "".join(part.get("message", "") for part in test.get("skipped", []))
    return said.strip().splitlines()[-1] if said.strip() else ""


def printed_reasons(output):
    """Of each skipped test the line after "file:line: Skipped"."""
    reasons, reason, before = {}, "", ""
    for line in output.splitlines():
        if line.startswith("[ RUN      ]"):
            reason = ""
        elif before.endswith(": Skipped"):
            reason = line.strip()
        elif line.startswith("[  SKIPPED ]") and reason:
            reasons.setdefault(line.removeprefix("[  SKIPPED ]").split(" (")[0].strip(), reason)
        before = line
    return reasons


def read_gtest_output(output):
    """What a binary that died had got through, from the lines it had printed."""
    return Tally(output.count("[       OK ]"), sum(line.startswith("[  FAILED  ]") and line.endswith("ms)")
                                                   for line in output.splitlines()))


def read_junit(report):
    """The tally of a JUnit XML report."""
    tally = Tally()
    for case in xml.fromstring(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed += 1
        elif (skipped := case.find("skipped")) is not None:
            tally.skipped += 1
            tally.skips.append((f"{case.get('classname', '')}::{case.get('name')}", skipped.get("message", "")))
        else:
            tally.passed += 1
    return tally


def run(command, environment):
    """(exit status, all output); the status of a command that hung is 'no end after N s'."""
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=TIMEOUT_S)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as hung:
        return f"no end after {TIMEOUT_S} s", (hung.stdout or b"").decode(errors="replace")


def run_binary(path, environment, prefix):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        status, output = run([*prefix, str(path), "--gtest_brief=0", f"--gtest_output=json:{report}"], environment)
        whole = report.is_file() and report.stat().st_size > 0
        tally = read_gtest(report.read_text(), output) if whole else read_gtest_output(output)
    if status != 0 and tally.failed == 0:  # it crashed, or a sanitizer spoke after the last test
        tally.failed += 1
    if status == 0 and not whole:
        tally.failed += 1
        output += f"\n{path.name} ended without a report\n"
    return tally, status, output


def run_pytest(scripts, everything, environment, python=sys.executable, words=()):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        # Folders of tests that passed go at once: they lie in memory, and those of one run are gigabytes.
        command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "tmp_path_retention_policy=failed",
                   f"--junitxml={report}", *words]
        status, output = run([*command, *(["--all"] if everything else []), *map(str, scripts)], environment)
        tally = read_junit(report.read_text()) if report.is_file() else Tally()
    if status not in (0, 5) and tally.failed == 0:  # 5: no test was collected
        tally.failed += 1
    return tally, status, output


def package_tests(everything):
    """(environment, scripts of tests/python) of each environment that is needed."""
    scripts = sorted((ROOT / "tests" / "python").glob("test_*.py"))
    yield ".venv-frames", [path for path in scripts if not (everything and path.name in ENVIRONMENTS)]
    for name, venv in ENVIRONMENTS.items() if everything else ():
        yield venv, [ROOT / "tests" / "python" / name]


def environment_of(build):
    environment = dict(os.environ, PAGODA_BUILD=str(build), PYTHONDONTWRITEBYTECODE="1")
    environment.setdefault("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    environment.setdefault("TSAN_OPTIONS", f"suppressions={ROOT}/tests/tsan.supp:halt_on_error=1:second_deadlock_stack=1")
    if build.name == "tsan":
        # g++'s OpenMP runtime is not instrumented: with one thread it has nothing to be misjudged.
        environment["OMP_NUM_THREADS"] = "1"
    return environment


def prefix_of(build):
    """g++ 12's thread sanitizer cannot work with the address randomisation of newer kernels."""
    prefix = ["setarch", "--addr-no-randomize"]
    if build.name != "tsan" or subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        return []
    return prefix


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="rooms (math) or scripts (include_ladder); none: all")
    parser.add_argument("--all", action="store_true", help="the slow ones too")
    options = parser.parse_intermixed_args(arguments)

    build = options.build.resolve()
    binaries = sorted(p for p in build.glob("test_*") if p.is_file() and os.access(p, os.X_OK))
    scripts = sorted((ROOT / "tests").glob("test_*.py"))
    package = (build / "python").is_dir()
    if options.names:
        known = {p.stem.removeprefix("test_") for p in binaries + scripts} | ({"python"} if package else set())
        unknown = [name for name in options.names if name not in known]
        if unknown:
            sys.exit(f"no test is named {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
        binaries = [p for p in binaries if p.name.removeprefix("test_") in options.names]
        scripts = [p for p in scripts if p.stem.removeprefix("test_") in options.names]
        package = package and "python" in options.names

    environment = environment_of(build)
    if options.all:
        environment["PAGODA_ALL_TESTS"] = "1"
    prefix = prefix_of(build)
    total = Tally()

    def report(name, begin, tally, status, output):
        nonlocal total
        total += tally
        if tally.failed:
            print(f"---- {name} (exit status {status}) ----\n{output.rstrip()}\n----")
        print(f"{name:<24} {str(tally):<36} {time.monotonic() - begin:6.1f} s", flush=True)

    for binary in binaries:
        begin = time.monotonic()
        report(binary.name, begin, *run_binary(binary, environment, prefix))
    if scripts:
        begin = time.monotonic()
        report("tests/*.py", begin, *run_pytest(scripts, options.all, environment))
    for venv, files in package_tests(options.all) if package else ():
        begin, folder = time.monotonic(), ROOT / "tests" / "python"
        words = [f"--rootdir={folder}", f"--confcutdir={folder}"]
        report(f"tests/python {venv[6:]}", begin,
               *run_pytest(files, options.all, environment, ROOT / venv / "bin" / "python", words))
    if not options.names and not (binaries or scripts):
        total.failed += 1
    forbidden = total.forbid_skips() if os.environ.get("PAGODA_NO_SKIPS") == "1" else []
    for test, reason in total.skips:
        print(f"skipped{', and so failed' if (test, reason) in forbidden else ''}: {test}: {reason}")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
