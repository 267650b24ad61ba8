from __future__ import annotations

import json
from pathlib import Path

import pytest

from interim.errors import ReportError
from interim.report import notebook as nb

PARAMETERS = 'study: str = "params/example.toml"  # study file\ncut_date: str = ""  # ISO date'


def cell(kind, source, name, tags=None, **more):
    base = {"cell_type": kind, "id": name, "metadata": {"tags": tags} if tags else {}, "source": source}
    return base | ({"outputs": [], "execution_count": None} if kind == "code" else {}) | more


def book(folder, cells, name="01_a.ipynb", minor=5):
    content = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": minor,
    }
    path = Path(folder) / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def good(source=PARAMETERS):
    return [
        cell("code", source, "parameters", ["parameters"]),
        cell("code", "chapter.table('T 14.1.1.1')", "flow"),
    ]


@pytest.mark.rule("NB-01")
def test_undeclared_and_mistyped_parameters_are_listed_at_once(tmp_path):
    books = (book(tmp_path, good()), book(tmp_path, good("study: str = 'x'"), "02_b.ipynb"))
    with pytest.raises(ReportError) as caught:
        nb.check_parameters(books, {"studdy": "x", "cut_date": 5})
    lines = str(caught.value).splitlines()
    assert lines[0] == "no notebook was run:"
    assert "did you mean 'study'" in lines[1]
    assert "cut_date must be str" in lines[2]
    assert "02_b.ipynb: unknown parameter 'cut_date'" in lines[4]
    nb.check_parameters(books, {"study": "y"})


@pytest.mark.rule("NB-01")
@pytest.mark.parametrize(
    "source", ["study = 'x'", "study: str = 1", "study: str = str(1)", "study: list = []", "import os"]
)
def test_a_parameter_is_an_annotated_literal(tmp_path, source):
    with pytest.raises(ReportError, match=r"01_a\.ipynb, cell parameters"):
        nb.parameters(book(tmp_path, good(source)))


@pytest.mark.rule("NB-01")
def test_one_parameters_cell(tmp_path):
    with pytest.raises(ReportError, match="found 0"):
        nb.parameters(book(tmp_path, [cell("code", "1", "a")]))


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (cell("code", "def f(): return 1", "x"), "holds logic (FunctionDef)"),
        (cell("code", "for i in []: pass", "x"), "holds logic (For)"),
        (cell("code", "pd.DataFrame()", "x"), "uses pd"),
        (cell("code", "!ls", "x"), "shell or magic"),
        (cell("code", "1", "x", outputs=[{"output_type": "stream"}]), "not stripped"),
        (cell("code", "1", "x", execution_count=3), "not stripped"),
        (cell("code", "1", "flow"), "id of its own"),
        (cell("code", "1", "Bad Id"), "id of its own"),
        (cell("markdown", "ORR was 13 %.", "x"), "typed number '13'"),
    ],
)
def test_violations(tmp_path, bad, word):
    book(tmp_path, [*good(), bad])
    assert any(word in line for line in nb.check_notebooks(tmp_path))


@pytest.mark.rule("NB-02")
def test_a_good_notebook_has_no_violation(tmp_path):
    text = "NCT07021534, see T 14.1.1.1 and AMB-3; RECIST 1.1 and CTCAE v5.0; Phase IA; Day 0"
    book(tmp_path, [*good(), cell("markdown", text, "prose")])
    assert nb.check_notebooks(tmp_path) == []


@pytest.mark.rule("NB-03")
def test_strip_removes_outputs_and_volatile_metadata(tmp_path):
    dirty = cell("code", "1", "x", outputs=[{"output_type": "stream"}], execution_count=4)
    dirty["metadata"] = {"execution": {"start": "now"}, "tags": ["keep"]}
    path = book(tmp_path, [*good(), dirty])
    assert nb.strip(path) and not nb.strip(path)
    last = json.loads(path.read_text())["cells"][-1]
    assert (last["outputs"], last["execution_count"], last["metadata"]) == ([], None, {"tags": ["keep"]})


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"nbformat": 4, "nbformat_minor": 4, "cells": [1]}'])
def test_unreadable(tmp_path, text):
    path = tmp_path / "01_a.ipynb"
    path.write_text(text)
    with pytest.raises(ReportError, match=r"01_a\.ipynb"):
        nb.read_notebook(path)


def test_no_notebook(tmp_path):
    with pytest.raises(ReportError, match="no notebook"):
        nb.notebooks(tmp_path)
