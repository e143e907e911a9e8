"""What `cmake --install` writes: a tree that needs neither the repository nor a virtual environment, and libpagoda."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("PAGODA_BUILD", ROOT / "build" / "release"))
HEADERS = sorted(path.name for path in (ROOT / "include/pagoda").glob("*.h"))
STD = {"atomic", "cstddef", "cstdint", "limits", "memory", "optional", "span", "stdexcept", "string", "string_view",
       "utility", "variant", "vector"}

cache = BUILD / "CMakeCache.txt"
sanitized = cache.is_file() and bool(re.search(r"^PAGODA_SANITIZER:\w+=.", cache.read_text(), re.M))
pytestmark = pytest.mark.skipif(sanitized, reason="programs would have to bring the sanitizer")


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The installed tree, moved to where it was not installed to."""
    folder = tmp_path_factory.mktemp("install")
    run("cmake", "--install", BUILD, "--prefix", folder / "first")
    (folder / "first").rename(folder / "moved")
    return folder / "moved"


def environment(**more):
    """Without what would let a program find libraries elsewhere."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith(("LD_", "PYTHON", "PAGODA"))}, **more}


def test_the_tree_is_whole(tree):
    version = re.search(r"project\(pagoda VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    minor = ".".join(version.split(".")[:2])
    files = {str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()}
    expected = {"bin/pagoda", "lib/libpagoda.so", f"lib/libpagoda.so.{minor}", f"lib/libpagoda.so.{version}",
                "lib/cmake/pagoda/pagodaConfig.cmake", "lib/cmake/pagoda/pagodaConfigVersion.cmake",
                "lib/cmake/pagoda/pagodaTargets.cmake", "lib/cmake/pagoda/pagodaTargets-release.cmake",
                "lib/pkgconfig/pagoda.pc", "share/bash-completion/completions/pagoda",
                "share/zsh/site-functions/_pagoda", "share/fish/vendor_completions.d/pagoda.fish",
                "share/doc/pagoda/LICENSE", "share/doc/pagoda/CHANGELOG.md", "share/doc/pagoda/LICENSE.arrow.txt",
                "share/doc/pagoda/NOTICE.arrow.txt", *(f"include/pagoda/{name}" for name in HEADERS)}
    assert expected <= files
    others = {path for path in files - expected if not path.startswith("share/man/man1/pagoda")}
    assert all(re.fullmatch(r"lib/pagoda/lib(arrow|parquet)\.so\.\d+", path) for path in others), others
    assert len(others) == 2
    assert f"Library soname: [libpagoda.so.{minor}]" in run("readelf", "-d", tree / "lib/libpagoda.so")


def test_no_file_names_the_repository_or_a_virtual_environment(tree):
    for path in tree.rglob("*"):
        if path.is_dir():
            continue
        data = path.read_bytes()
        for part in (str(ROOT), str(BUILD), ".venv", "site-packages/pyarrow"):
            at = data.find(part.encode())
            assert at < 0, f"{path.relative_to(tree)}: {data[max(0, at - 60):at + 80]}"


def test_libraries_are_found_beside_the_program(tree):
    for path in (tree / "bin/pagoda", tree / "lib/libpagoda.so"):
        libraries = dict(re.findall(r"^\t(\S+) => (\S.*?)(?: \(0x\w+\))?$",
                                    run("ldd", path, env=environment()), re.M))
        assert "not found" not in libraries.values(), libraries
        for name in libraries:
            if name.startswith(("libarrow", "libparquet")):
                assert pathlib.Path(libraries[name]).resolve().parent == tree / "lib/pagoda"
        assert not [where for where in libraries.values() if where.startswith(str(ROOT))]
    assert run(tree / "bin/pagoda", "--version", env=environment()).startswith("pagoda ")


def test_it_works_where_the_repository_is_not(tree, tmp_path):
    """In a mount namespace an empty folder lies over the repository."""
    hidden = f"mount -t tmpfs none {ROOT} 2>/dev/null || exit 77; [ ! -e {ROOT}/.venv ] || exit 78; cd {tmp_path}; "
    work = f"""set -e; PATH={tree}/bin:$PATH
        pagoda -q simulate world --interactions 2000 --users 80 --items 100 -o world
        pagoda -q init 'world/interactions.parquet' --items world/items.parquet -o pagoda.toml
        pagoda -q train -c pagoda.toml --set train.epochs=1 -o model.pagoda
        echo '{{"history": []}}' | pagoda -q retrieve model.pagoda --users - --k 3"""
    done = subprocess.run(["unshare", "--mount", "bash", "-c", hidden + work], capture_output=True, text=True, cwd="/",
                          env=environment(), timeout=120)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("no right to a mount namespace")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) >= 1


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_stands_alone_on_std(name, tree):
    includes = re.findall(r"^#include (\S+)", (tree / "include/pagoda" / name).read_text(), re.M)
    for include in includes:
        assert re.fullmatch(r"<pagoda/\w+\.h>", include) or include.strip("<>") in STD, f"{name} includes {include}"
    run("g++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c++",
        "-I", tree / "include", "-include", f"pagoda/{name}", "/dev/null")


def test_the_library_shows_what_the_headers_declare_and_nothing_else(tree):
    shown = run("nm", "-DC", "--defined-only", tree / "lib/libpagoda.so").splitlines()
    names = {re.sub(r"^\w+ \w ", "", line) for line in shown}
    ours = (r"(vtable for |typeinfo for |typeinfo name for )?"
            r"pagoda::(Error|Index|Retriever|version|train_model|train_model_from_text|set_messages)\b.*")
    assert not [name for name in names if not re.fullmatch(ours, name)]
    declared = "".join((tree / "include/pagoda" / name).read_text() for name in HEADERS if name != "export.h")
    exported = re.findall(r"PAGODA_EXPORT (?:[\w:]+ )?(\w+)(?:\(| \{| :)", declared)
    assert {"Error", "Index", "Retriever", "train_model", "version"} <= set(exported)
    for name in exported:
        assert any(re.match(rf"(typeinfo for )?pagoda::{name}\b", shown_one) for shown_one in names), name


@pytest.fixture(scope="module")
def examples(tree, tmp_path_factory):
    """examples/, built against the installed tree as their CMakeLists.txt says."""
    build = tmp_path_factory.mktemp("examples")
    run("cmake", "-G", "Ninja", "-S", ROOT / "examples", "-B", build, f"-DCMAKE_PREFIX_PATH={tree}",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    run("cmake", "--build", build)
    return build


def test_the_example_of_vectors_finds_ten_of_the_asked_years(examples, tmp_path, cli):
    lines = run(examples / "search_vectors", tmp_path / "v.pagoda", env=environment()).splitlines()
    assert len(lines) == 10
    scores = [float(line.split("\t")[1]) for line in lines]
    assert scores == sorted(scores, reverse=True)
    for line in lines:
        assert 1990 + int(line.split("\t")[0].split("-")[1]) % 35 >= 2020
    assert '"items": 20000' in re.sub(r":\s*", ": ", cli("inspect", tmp_path / "v.pagoda", "--json").stdout)


def test_the_example_of_serving_answers_as_the_program_does(examples, model, cli, tmp_path):
    known = cli("encode", model, "users", "-o", tmp_path / "u.npy") and (tmp_path / "u.npy.ids.txt").read_text().split()
    users = f"{known[0]}\n\n{known[1]}\nnobody\n"
    lines = run(examples / "serve_candidates", model, input=users, env=environment()).splitlines()
    assert len(lines) == 3
    (tmp_path / "users.txt").write_text("\n".join(known[:2]) + "\n")
    table = cli("retrieve", model, "--users", tmp_path / "users.txt", "--k", 5, "--format", "tsv").stdout
    for line, user in zip(lines, known[:2]):
        expected = [row.split("\t")[1] for row in table.splitlines() if row.split("\t")[0] == user]
        assert line.split() == [user, *expected]
    assert lines[2].startswith("nobody (unknown) ")


def test_the_example_of_training_writes_the_programs_bundle(examples, config, cli, tmp_path):
    lines = run(examples / "train_and_update", config, tmp_path / "m.pagoda", env=environment()).splitlines()
    assert lines[0].startswith("pagoda 0.") and len(lines) == 11
    cli("train", "-c", config, "--set", "train.epochs=2", "-o", tmp_path / "same.pagoda")
    fingerprints = [re.search(r'"fingerprint":\s*"(\w+)"', cli("inspect", tmp_path / name, "--json").stdout)[1]
                    for name in ("m.pagoda", "same.pagoda")]
    assert fingerprints[0] == fingerprints[1]


def test_an_error_of_the_library_is_caught_by_its_type(examples):
    done = subprocess.run([examples / "serve_candidates", "/nowhere.pagoda"], input="", capture_output=True, text=True,
                          env=environment())
    assert done.returncode == 1 and done.stderr.startswith("error: /nowhere.pagoda: "), done.stderr


def test_pkg_config_and_a_compiler_are_enough(tree, tmp_path):
    where = environment(PKG_CONFIG_PATH=f"{tree}/lib/pkgconfig")
    flags = run("pkg-config", "--cflags", "--libs", "pagoda", env=where).split()
    source = ROOT / "examples/search_vectors.cpp"
    run("g++", "-std=c++20", source, *flags, f"-Wl,-rpath,{tree}/lib", "-o", tmp_path / "search")
    assert len(run(tmp_path / "search", tmp_path / "v.pagoda", env=environment()).splitlines()) == 10


def test_another_minor_version_is_not_what_was_asked_for(tree, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(asks NONE)\n"
                                             "find_package(pagoda 0.1 REQUIRED)\n")
    done = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "b", f"-DCMAKE_PREFIX_PATH={tree}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "0.2" in done.stderr


def test_another_project_takes_it_in(tmp_path):
    python = re.search(r"^Python_EXECUTABLE:\w+=(.*)$", cache.read_text(), re.M)[1]
    run("cmake", "-G", "Ninja", "-S", ROOT / "tests/subproject", "-B", tmp_path, f"-DPAGODA_SOURCE={ROOT}",
        f"-DPython_EXECUTABLE={python}")
    planned = run("ninja", "-C", tmp_path, "-t", "commands", "search_vectors")
    assert "libpagoda.so" in planned
    assert "/src/library/retriever.cpp" in planned and "/src/cli/" not in planned and "/src/server/" not in planned
