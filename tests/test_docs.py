"""The documentation does what it says: every sh block runs, every link leads somewhere, every command has a page."""

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDES = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/howto").glob("*.md")]
PAGES = sorted([*ROOT.glob("*.md"), *GUIDES])
FROM_DATA = {"README.md", "docs/init.md", "docs/tutorial.md"}  # they make the config; the other pages find one, and a model

USERS = """u17
u4
{"user": "new", "history": ["i7", "i9"], "context": {"device": "phone"}}
"""


def name(page):
    return str(page.relative_to(ROOT))


def markdown():
    """Every Markdown file of the repository."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(".") and f not in ("build", "node_modules")]
        yield from (pathlib.Path(folder) / f for f in files if f.endswith(".md"))


def blocks(page):
    """[(what stands behind the opening fence, text)]"""
    return re.findall(r"^```([^\n]*)\n(.*?)^```$", page.read_text(), re.M | re.S)


def sh_pages():
    return [page for page in PAGES if any(info == "sh" for info, _ in blocks(page))]


@pytest.fixture(scope="module")
def shell(pagoda):
    """Runs a script with the program in its PATH; a command that fails ends it."""
    folders = [pathlib.Path(pagoda).resolve().parent, pathlib.Path(sys.executable).parent]  # with the packages of requirements.txt
    environment = {**os.environ, "PATH": ":".join([*map(str, folders), os.environ["PATH"]])}

    def run(script, folder):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture(scope="module")
def data(shell, tmp_path_factory):
    """A folder with the files that the pages name."""
    folder = tmp_path_factory.mktemp("docs")
    shell("pagoda simulate world --interactions 3000 --users 120 --items 300 --seed 3 --format csv -o world", folder)
    (folder / "clicks.csv.gz").write_bytes(gzip.compress((folder / "world/interactions.csv").read_bytes()))
    (folder / "world/items.csv").rename(folder / "items.csv")
    (folder / "world/users.csv").rename(folder / "people.csv")
    shutil.rmtree(folder / "world")
    (folder / "users.txt").write_text(USERS)
    shutil.copytree(ROOT / "proto", folder / "proto")
    shutil.copy(ROOT / "examples/every_night.sh", folder)
    return folder


@pytest.fixture(scope="module")
def trained(shell, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "trained"
    shutil.copytree(data, folder)
    shell("pagoda init clicks.csv.gz --items items.csv --users people.csv\n"
          "pagoda train -c pagoda.toml --set train.epochs=2 -o model.pagoda\n"
          "pagoda evaluate model.pagoda", folder)
    return folder


@pytest.mark.parametrize("page", sh_pages(), ids=name)
def test_every_block_of_a_page_runs_in_its_order(page, shell, data, trained, tmp_path):
    folder = tmp_path / "page"
    shutil.copytree(data if name(page) in FROM_DATA else trained, folder)
    for info, text in blocks(page):
        if info == "sh":
            shell(text, folder)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_only_the_build_itself_is_left_unrun(page):
    for info, text in blocks(page):
        # Those of Python run in tests/python/test_docs.py, but for what needs Spark, Ray or an engine.
        assert info in ("", "text", "sh", "sh no-run", "json", "toml", "cpp", "nginx", "python",
                        "python no-run"), f"{name(page)}: a block of {info}"
        if info == "sh no-run" and page.name != "results.md":  # its figures are made on public data, and take minutes
            for line in text.splitlines():
                assert re.match(r"\./run |pip install |export PATH=", line), f"{name(page)}: '{line}' can be run"


def test_the_config_page_shows_every_key_as_the_program_prints_it(cli):
    toml = [text for info, text in blocks(ROOT / "docs/config.md") if info == "toml"]
    assert toml == [cli("config").stdout], "docs/config.md differs from `pagoda config`: paste it anew"


def test_a_config_printed_in_full_reads_back_as_itself(cli, data, trained, tmp_path):
    full = tmp_path / "full.toml"
    full.write_text(cli("config", "-c", trained / "pagoda.toml", "--set", "loss.temperature=0.07").stdout)
    assert "temperature = 0.07" in full.read_text()
    assert cli("config", "-c", full).stdout == full.read_text()


def test_every_command_has_a_page(cli):
    listing = cli("--help").stdout.split("Subcommands:")[1]
    commands = re.findall(r"^  (\w+)  ", listing, re.M)
    assert {"init", "train", "retrieve", "doctor"} <= set(commands)
    text = "\n".join(page.read_text() for page in GUIDES)
    assert [c for c in commands if not re.search(rf"pagoda {c}\b", text)] == []
    titles = [line for page in PAGES for line in page.read_text().splitlines() if line.startswith("# ")]
    for command in set(commands) - {"doctor", "config"}:
        assert any(re.search(rf"pagoda {command}\b", title) for title in titles), f"no page's title names pagoda {command}"


def test_every_flag_that_a_page_names_is_one(cli):
    commands = re.findall(r"^  (\w+)  ", cli("--help").stdout.split("Subcommands:")[1], re.M)
    helps = "".join(cli(c, "--help").stdout for c in commands)
    helps += "".join(cli("simulate", c, "--help").stdout for c in ("world", "frequency", "replay"))
    helps += re.search(r"<<'TEXT'\n(.*?)^TEXT", (ROOT / "run").read_text(), re.M | re.S)[1]
    known = set(re.findall(r"--[a-z][a-z-]*", helps)) | {"--version"}
    others = {"install.md": {"--install", "--prefix", "--from-file", "--cflags", "--libs"},  # of cmake, kubectl, pkg-config
              "python.md": {"--find-links"},  # of pip
              "export.md": {"--journal"}}  # of a command of the Python package
    for page in GUIDES:
        if page.name == "results.md":
            continue
        for flag in re.findall(r"(?<![-\w])--[a-z][a-z-]+(?!\w)", page.read_text()):
            assert flag in known | others.get(page.name, set()), f"{name(page)} names {flag}"


def anchors(page):
    """What a viewer makes of headings: a second one of the same words gets -1."""
    found = []
    for heading in re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.M):
        anchor = re.sub(r"[^\w -]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)).strip().lower().replace(" ", "-")
        found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
    return found


@pytest.mark.parametrize("page", sorted(markdown()), ids=name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.M | re.S)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{name(page)} links to {target}"
        assert not anchor or anchor in anchors(there), f"{name(page)} links to {target}"


def test_the_contents_page_has_every_page_and_the_site_has_its_order():
    contents, section = {}, None
    for line in (ROOT / "docs/README.md").read_text().splitlines():
        if line.startswith("## "):
            section = contents.setdefault(line[3:], [])
        elif link := re.match(r"- \[(.*?)\]\((.*?)\): .", line):
            section.append((link[1], os.path.normpath(f"docs/{link[2]}")))
    listed = {path for entries in contents.values() for _, path in entries}
    assert {name(page) for page in PAGES} - {"README.md", "docs/README.md"} <= listed

    site, entries = {}, None
    for line in (ROOT / "mkdocs.yml").read_text().split("\nnav:\n")[1].splitlines():
        if title := re.fullmatch(r"  - (.*):", line):
            entries = site.setdefault(title[1], [])
        elif entry := re.fullmatch(r"    - (.*): (\S+)", line):
            entries.append((entry[1], entry[2]))
    assert list(site.items()) == list(contents.items()), "nav of mkdocs.yml and docs/README.md differ"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_path_of_one_machine_or_a_host(page):
    text = page.read_text()
    found = re.findall(r"(?<![\w.$])/(?:work|home|root|tmp|mnt|Users|opt)/\S*|(?:localhost|\d+\.\d+\.\d+\.\d+):\d+|https?://\S+", text)
    assert [f for f in found if not re.match(r"https?://(github\.com/|arxiv\.org/|doi\.org/|pagoda;)|(https?://)?127\.0\.0\.1:(8080|8081|9090)", f)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_source_files_that_a_page_names_exist(page):
    for path in re.findall(r"`((?:src|tests|configs|bench|experiments|docs|proto)/[\w./-]+\.\w+)`", page.read_text()):
        assert (ROOT / path).exists(), f"{name(page)} names {path}"
