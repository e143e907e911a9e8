"""The notebooks of examples/ run from top to bottom, and show what they promise."""

import json
import pathlib

import pytest

NOTEBOOKS = sorted((pathlib.Path(__file__).resolve().parents[2] / "examples" / "notebooks").glob("*.ipynb"))


def run_notebook(path):
    """The value of the last line of each cell, where it is an expression: what a notebook would show."""
    import ast

    names, shown = {}, []
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(path), "exec"), names)
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), str(path), "eval"), names))
    return names, shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names, shown = run_notebook(path)
    said = capsys.readouterr().out
    for value in shown:
        if value is not None:
            assert value._repr_html_()
    if path.stem == "why_the_correction_matters":
        plain, corrected = names["figures"]["plain"], names["figures"]["corrected"]
        assert corrected["recall@20"] > 1.1 * plain["recall@20"]
    elif path.stem == "vectors_of_your_own":
        assert "each: True" in said and "[[120000" in said
    else:
        assert names["evaluation"]["recall@20"] > names["evaluation"].baselines["popularity"]["recall@20"]


def test_there_are_three():
    assert len(NOTEBOOKS) == 3
