"""The include ladder holds in src/, and its checker catches what it is there to catch."""

import pathlib

import pytest
from house_style import comma_statements, prose_violations, style_violations
from include_ladder import drawn_ladder, house_violations, violations, wrong_links

ROOT = pathlib.Path(__file__).resolve().parent.parent


def make_tree(folder, **files):
    """files: room__name__suffix = text; core/error.h, loss/loss.h and train/trainer.h are always there."""
    files = {"core__error__h": "", "loss__loss__h": "", "train__trainer__h": "", **files}
    folder.mkdir(exist_ok=True)
    (folder / "rooms.txt").write_text("# the ladder\ncore\nmath\ndata\nnn loss index\nsimulate train\n")
    for key, text in files.items():
        room, name, suffix = key.split("__")
        path = folder / room / f"{name}.{suffix}"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return folder


def test_the_sources_keep_the_ladder():
    assert violations(ROOT / "src") == []
    assert house_violations(ROOT) == []
    assert style_violations(ROOT) == []


def test_an_include_downwards_is_fine(tmp_path):
    tree = make_tree(tmp_path, train__a__cpp='#include "train/trainer.h"\n#include <vector>\n#include "loss/loss.h"\n')
    assert violations(tree) == []


def test_an_upward_include_is_caught_with_file_and_line(tmp_path):
    tree = make_tree(tmp_path, loss__a__h='#include "core/error.h"\n\n  #  include "train/trainer.h"\n')
    [message] = violations(tree)
    assert message.startswith(f"{tree}/loss/a.h:3: 'loss' includes 'train'")


@pytest.mark.parametrize("room, sibling", [("nn", "loss"), ("simulate", "train"), ("index", "loss")])
def test_an_include_between_siblings_is_caught(tmp_path, room, sibling):
    header = {"loss": "loss/loss.h", "train": "train/trainer.h"}[sibling]
    [message] = violations(make_tree(tmp_path, **{f"{room}__a__cpp": f'#include "{header}"\n'}))
    assert f"'{room}' and '{sibling}' stand on one step" in message


@pytest.mark.parametrize(
    "header", ["arrow/api.h", "toml++/toml.h", "nlohmann/json.hpp", "spdlog/spdlog.h", "CLI/CLI.hpp"])
def test_a_heavy_library_reaches_other_headers_and_rooms_through_no_header(tmp_path, header):
    for include in (f"<{header}>", f'"{header}"'):
        tree = make_tree(tmp_path, data__heavy__h=f"#include {include}\n", data__a__cpp=f"#include {include}\n",
                         data__in_its_room__cpp='#include "data/heavy.h"\n')
        assert violations(tree) == []
    make_tree(tmp_path, data__public__h='#include "data/heavy.h"\n', loss__a__cpp='\n#include "data/heavy.h"\n')
    [message] = violations(tmp_path)
    assert message.startswith(f'{tmp_path}/data/public.h:1: "data/heavy.h" includes <{header}>')


@pytest.mark.parametrize("what", ["double mean(int x) {\n", "constexpr int mean = 2;\n", "struct mean {\n",
                                  "[[noreturn]] void mean(int x) {\n", "template <class T>\nT mean(T x) {\n"])
def test_a_name_of_two_anonymous_namespaces_of_a_room_is_caught(tmp_path, what):
    inside = f"namespace pagoda {{\nnamespace {{\n\n{what}\n}}  // namespace\n"
    files = {"a": "namespace {\nfloat mean(float x);\n}  // namespace\n", "b": inside}
    together = {f"train__{name}__cpp": text for name, text in files.items()}
    [message] = violations(make_tree(tmp_path / "one", **together))
    assert message.startswith(f"{tmp_path}/one/train/b.cpp:{4 + what.startswith('template')}: ") and "'mean'" in message
    apart = {"train__a__cpp": files["a"], "data__b__cpp": inside}
    apart |= {"loss__a__cpp": files["a"], "loss__b__cpp": inside}
    assert violations(make_tree(tmp_path / "two", **apart)) == [], "other rooms, and files that are compiled alone"


def test_a_file_that_is_missing_or_named_without_its_room_is_caught(tmp_path):
    tree = make_tree(tmp_path, core__a__cpp='#include "core/nothing.h"\n#include "error.h"\n#include <core/error.h>\n')
    messages = violations(tree)
    assert [m.split(": ", 1)[1].split('"')[0] for m in messages] == ["", "", "<core/error.h> is ours; write "]
    assert "not there" in messages[0] and "does not start with a room" in messages[1]


def test_a_room_that_is_not_on_the_ladder_is_caught(tmp_path):
    [message] = violations(make_tree(tmp_path, helpers__a__h=""))
    assert "'helpers' is no room of the ladder" in message


def test_600_lines_are_allowed_and_601_are_not(tmp_path):
    assert violations(make_tree(tmp_path, core__a__cpp="\n" * 600)) == []
    [message] = violations(make_tree(tmp_path, core__a__cpp="\n" * 601))
    assert "601 lines, at most 600" in message


def test_a_folder_holds_4000_lines_without_its_tests(tmp_path):
    files = {f"core__file{n}__cpp": "\n" * 500 for n in range(8)}
    assert violations(make_tree(tmp_path, **files, core__file0_test__cpp="\n" * 500)) == []
    [message] = violations(make_tree(tmp_path, core__more__h="\n"))
    assert message.startswith(f"{tmp_path}/core:1: 4001 lines")


def test_a_link_that_goes_up_or_to_an_unknown_room_is_caught():
    ladder = [["core"], ["nn", "loss"], ["train"]]
    assert wrong_links(ladder, "pagoda_room(core fmt::fmt)\npagoda_room(train pagoda_nn\n  pagoda_loss)\n") == []
    assert wrong_links(ladder, "pagoda_room(core)\n\n  pagoda_room(nn pagoda_core\n pagoda_loss)\n") == [
        "CMakeLists.txt:3: 'nn' links 'loss', which is not below it in src/rooms.txt"]
    assert wrong_links(ladder, "pagoda_room(attic)\n") == ["CMakeLists.txt:1: 'attic' is no room of src/rooms.txt"]
    assert drawn_ladder(ladder) == "core -> { nn, loss } -> train"


@pytest.mark.parametrize("code", [
    "void f() { a = 1, b = 2; }",
    "void f() {\n  if (x) a.push_back(1), b += 2;\n  else return;\n}",
    "void f() { else ++i, --j; }",
    "int f() { return g(), 1; }",
    "void f() { for (int i = 0; i < n; ++i) a[i] = 0, c->d(2); }",
    "void f() { each([&](int x) { a.b<int, 2>(x), c(x); }); }",
    "void f() { switch (x) { case A::b: a = 1, b = 2; } }",
    'void f() { text += ",", n = 1; }',
    "void f() { delete a, delete b; }",
])
def test_a_comma_between_statements_is_caught(code):
    [(line, statement)] = comma_statements(code)
    assert "," in statement and line <= 2


@pytest.mark.parametrize("code", [
    "void f() { int a = 1, b = 2; }",
    "struct S { std::vector<int> a, b; const T *c, *d; unsigned e, f; };",
    "void f() { std::map<int, int> m; a = std::pair<int, int>(1, 2); }",
    "void f() { for (int i = 0, j = 1; i < n; ++i, ++j) g(i, j); }",
    "auto f = [a, &b](int c, int d) { return g(a, c); };",
    'void f() { // a = 1, b = 2;\n  g("a = 1, b = 2;", {1, 2}); }',
    "enum class E { a, b };",
    "S::S() : a_(1), b_(2) { c(); }",
    "#define F(x) a = x, b = x;\nvoid f();",
    "template <class A, class B>\nvoid f(A a, B b);",
    "x = a < b ? c : d;",
])
def test_a_comma_that_separates_no_statements_is_fine(code):
    assert list(comma_statements(code)) == []


def test_a_long_line_and_cannot_in_two_words_are_caught():
    path, long = pathlib.Path("page.md"), "x" * 121
    assert [m.split(": ", 1)[1] for m in prose_violations(path, f"{long}\nit can not\n")] == [
        "121 columns, at most 120", '"can not"; write "cannot"']
    assert list(prose_violations(path, f"| {long} |\n```\n{long}\n```\nhttps://{long}\n`it can not`\n")) == []
    assert len(list(prose_violations(pathlib.Path("a.h"), f"// | {long}\n// it can not\n"))) == 2


@pytest.mark.parametrize("name", ["src/server/http/a.cpp", "src/cli/a.h", "fuzz/a.cpp", "web/src/a.ts", "web/src/a.css",
                                  "proto/pagoda/v1/a.proto", "docs/serve.md"])
def test_style_is_checked_in_every_folder_that_keeps_it(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("x" * 121 + "\n")
    assert style_violations(tmp_path) == [f"{path}:1: 121 columns, at most 120"]
