"""Manual pages and completions say what --help says."""

import re
import shutil
import subprocess

import pytest


@pytest.fixture(scope="module")
def pages(cli, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    cli("pages", folder)
    return folder


@pytest.fixture(scope="module")
def commands(cli):
    """{("simulate", "world"): its flags}, () for the program itself, as --help tells them."""
    found = {}

    def look(path):
        text = cli(*path, "--help").stdout
        options = text.split("Options:")[1].split("Subcommands:")[0].split("Examples:")[0]
        flags = set()
        for line in re.findall(r"^  (-\S+)", options, re.M):
            flags |= set(line.split(","))
        found[path] = flags
        if "Subcommands:" in text:
            for name in re.findall(r"^  (\w+)  ", text.split("Subcommands:")[1], re.M):
                look((*path, name))

    look(())
    return found


def manual_text(path):
    text = re.sub(r"\\f[BIR]", "", path.read_text())
    return text.replace("\\-", "-").replace("\\(aq", "'").replace("\\(ga", "`").replace("\\e", "\\")


def test_there_are_the_commands_that_help_lists(commands):
    assert {("train",), ("retrieve",), ("simulate", "world"), ("doctor",)} <= set(commands)
    assert not {("completion",), ("pages",)} & set(commands)


def test_a_page_for_each_command_with_all_its_flags(pages, commands):
    written = {path.name for path in (pages / "man1").iterdir()}
    assert written == {"-".join(("pagoda", *path)) + ".1" for path in commands}
    for path, flags in commands.items():
        text = manual_text(pages / "man1" / ("-".join(("pagoda", *path)) + ".1"))
        for flag in flags:
            assert re.search(rf"(^|[ ,]){re.escape(flag)}([ ,]|$)", text, re.M), f"{path} {flag}"
        for below in commands:
            if below[:-1] == path and below:
                assert f"pagoda-{'-'.join(below)} (1)" in text


def test_the_pages_are_right_for_man(pages):
    groff = shutil.which("groff") or pytest.skip("groff is not there")
    for page in sorted((pages / "man1").iterdir()):
        done = subprocess.run([groff, "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", f"{page.name}: {done.stderr}"
        if shutil.which("mandoc"):
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
            told = [line for line in lint.stdout.splitlines() if "missing date" not in line]
            assert told == [], page.name


def complete_in_bash(script, *words):
    """The answers of bash when the last word is completed."""
    line = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(["bash", "-c", f"source '{script}'; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
                                         '_pagoda; printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return set(done.stdout.split())


def test_bash_completes_every_command_and_flag(pages, commands):
    script = pages / "pagoda.bash"
    for path, flags in commands.items():
        assert complete_in_bash(script, "pagoda", *path, "-") == flags, path
        below = {other[-1] for other in commands if other and other[:-1] == path}
        assert complete_in_bash(script, "pagoda", *path, "") == below, "without commands below: files"
    assert complete_in_bash(script, "pagoda", "tra") == {"train"}
    assert complete_in_bash(script, "pagoda", "-q", "train", "--re") == {"--resume"}
    assert complete_in_bash(script, "pagoda", "retrieve", "model.pagoda", "--k", "") == set()


def test_fish_completes_every_command_and_flag(pages, commands):
    fish = shutil.which("fish") or pytest.skip("fish is not there")
    for path, flags in commands.items():
        line = " ".join(("pagoda", *path))
        script = f"source '{pages}/pagoda.fish'" + "".join(f"; complete -C '{line} {word}'" for word in ("-", "--", ""))
        done = subprocess.run([fish, "--no-config", "-c", script], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        found = {answer.split("\t")[0] for answer in done.stdout.splitlines()}
        assert {flag for flag in flags if flag.startswith("--")} <= found, path
        assert {other[-1] for other in commands if other and other[:-1] == path} <= found, path


def test_zsh_takes_the_script_and_it_has_every_flag(pages, commands):
    text = (pages / "_pagoda").read_text()
    for path, flags in commands.items():
        body = re.search(rf"^{'_'.join(('_pagoda', *path))}\(\) \{{\n(.*?)^\}}", text, re.M | re.S)[1]
        assert set(re.findall(r"'\*?(--?[\w-]+)\[", body)) == flags, path
        below = {other[-1] for other in commands if other and other[:-1] == path}
        assert set(re.findall(r"^        '(\w+):", body, re.M)) == below, path
    zsh = shutil.which("zsh") or pytest.skip("zsh is not there")
    done = subprocess.run([zsh, "-n", pages / "_pagoda"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_completion_prints_what_is_installed(cli, pages):
    for shell, name in (("bash", "pagoda.bash"), ("zsh", "_pagoda"), ("fish", "pagoda.fish")):
        assert cli("completion", shell).stdout == (pages / name).read_text()
    cli("completion", "csh", code=2, says="bash, zsh or fish")
