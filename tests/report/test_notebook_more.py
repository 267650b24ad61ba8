"""What the check of notebooks finds, cell by cell, and what it lets pass."""

from __future__ import annotations

import json

import pytest

from interim.errors import ReportError
from interim.report import notebook as nb
from tests.report.test_notebook import PARAMETERS, book, cell, good


def violations(tmp_path, *cells) -> list[str]:
    book(tmp_path, [*good(), *cells])
    return nb.check_notebooks(tmp_path)


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import pandas", "imports pandas"),
        ("import numpy as anything", "imports numpy"),
        ("import pandas.api.types as t", "imports pandas"),
        ("from pandas import DataFrame", "imports pandas"),
        ("from numpy.random import default_rng", "imports numpy"),
        ("x = np.zeros(3)", "uses np"),
        ("class A: pass", "logic (ClassDef)"),
        ("async def f(): pass", "logic (AsyncFunctionDef)"),
        ("while False: pass", "logic (While)"),
        ("f = lambda: 1", "logic (Lambda)"),
        ("if True:\n    for x in (): pass", "logic (For)"),
        ("%matplotlib inline", "shell or magic"),
        ("  !rm x", "shell or magic"),
        ("x = (", "is no Python"),
        ("def f(:", "is no Python"),
    ],
)
def test_each_violation_names_file_and_cell(tmp_path, source, words):
    (line,) = violations(tmp_path, cell("code", source, "bad-cell"))
    assert line.startswith("01_a.ipynb, cell bad-cell: ") and words in line


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize(
    "source",
    [
        "chapter.figure('F 14.2.2.1')",
        "from interim.report import open_chapter",
        "import interim",
        "from . import x",
        "chapter = open_chapter(study=study, cut_date=cut_date)",
        "if chapter.study.subgroup: chapter.table('T 14.1.1.1')",
        "",
        "# %time is only a comment",
        "pdx = 1",
    ],
)
def test_what_a_cell_may_do(tmp_path, source):
    assert violations(tmp_path, cell("code", source, "fine")) == []


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize("text", ["Table 3", "about 12%", "3 events", "x=1", "2026-01-01", "DL1"])
def test_a_number_in_prose(tmp_path, text):
    (line,) = violations(tmp_path, cell("markdown", text, "prose"))
    assert "typed number" in line


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize(
    "text",
    ["", "no digit", "ICH E9(R1) and ICH E3", "1. first\n2. second", "NKG2D ligands; ASTCT 2019", "L 16.2.7"],
)
def test_names_with_digits_are_no_numbers(tmp_path, text):
    assert violations(tmp_path, cell("markdown", text, "prose")) == []


@pytest.mark.rule("NB-02")
def test_several_violations_are_listed_at_once_in_order(tmp_path):
    lines = violations(
        tmp_path,
        cell("code", "import numpy\nfor x in (): pass", "one", execution_count=1),
        cell("markdown", "5 of 6", "two"),
        cell("raw", "5 of 6", "three"),
        cell("code", "1", ""),
    )
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["one"] * 3 + ["two"] * 2 + ["?"]


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize("name", ["A", "-a", "a_b", "a b", "a" * 65, "ä"])
def test_ids_that_cannot_be_read_aloud(tmp_path, name):
    assert any("readable id" in line for line in violations(tmp_path, cell("code", "1", name)))


@pytest.mark.rule("NB-02")
def test_a_source_of_several_lines_is_one_text(tmp_path):
    assert violations(tmp_path, cell("code", ["x = (\n", "1)\n"], "lines")) == []


@pytest.mark.rule("NB-01")
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (True, "must be str, found True"),
        (1, "must be str, found 1"),
        (None, "must be str, found None"),
        ("", ""),
    ],
)
def test_the_type_of_a_parameter_is_exact(tmp_path, value, problem):
    books = (book(tmp_path, good()),)
    if not problem:
        nb.check_parameters(books, {"study": value})
        return
    with pytest.raises(ReportError, match=problem):
        nb.check_parameters(books, {"study": value})


@pytest.mark.rule("NB-01")
@pytest.mark.parametrize(
    ("line", "kind", "default"),
    [
        ("n: int = 3", "int", 3),
        ("n: int = -3", "int", -3),
        ("x: float = 0.5", "float", 0.5),
        ("b: bool = False", "bool", False),
    ],
)
def test_declared_types(tmp_path, line, kind, default):
    (found,) = nb.parameters(book(tmp_path, good(line)))
    assert (found.type, found.default, type(found.default).__name__) == (kind, default, kind)


@pytest.mark.rule("NB-01")
@pytest.mark.parametrize(
    "line", ["n: int = True", "x: float = 1", "b: bool = 0", "n: int", "a.b: int = 1", "n: int = 'x'"]
)
def test_wrong_declarations(tmp_path, line):
    with pytest.raises(ReportError, match=r"line 1|declared"):
        nb.parameters(book(tmp_path, good(line)))


@pytest.mark.rule("NB-01")
def test_a_value_outside_the_permitted_ones(tmp_path):
    books = (book(tmp_path, good()),)
    with pytest.raises(ReportError, match=r"study = 'z' is not available; permitted: a, b"):
        nb.check_parameters(books, {"study": "z"}, permitted={"study": ("a", "b"), "other": ("c",)})
    nb.check_parameters(books, {"study": "a"}, permitted={"study": ("a", "b")})


@pytest.mark.rule("NB-01")
def test_an_unreadable_notebook_does_not_hide_the_others(tmp_path):
    (tmp_path / "00_x.ipynb").write_text("{")
    books = (tmp_path / "00_x.ipynb", book(tmp_path, good()))
    with pytest.raises(ReportError) as caught:
        nb.check_parameters(books, {"nothing": 1})
    assert "00_x.ipynb: not a readable notebook" in str(caught.value)
    assert "01_a.ipynb: unknown parameter 'nothing'; declared: study, cut_date" in str(caught.value)


def test_only_numbered_notebooks_in_order(tmp_path):
    for name in ("10_b.ipynb", "02_a.ipynb", "notes.ipynb", "1_x.ipynb", "03_c.txt"):
        (tmp_path / name).write_text("{}")
    assert [path.name for path in nb.notebooks(tmp_path)] == ["02_a.ipynb", "10_b.ipynb"]


@pytest.mark.parametrize("minor", [4, 5])
def test_cells_without_ids_are_an_old_format(tmp_path, minor):
    path = book(tmp_path, good(), minor=minor)
    if minor == 5:
        assert nb.read_notebook(path)["nbformat_minor"] == 5
        return
    with pytest.raises(ReportError, match=r"notebook format 4\.4; 4\.5 is needed"):
        nb.read_notebook(path)


@pytest.mark.rule("NB-03")
def test_stripping_keeps_sources_ids_and_known_metadata(tmp_path):
    path = book(tmp_path, [*good(), cell("markdown", "ä ≥", "text", x=1)])
    content = json.loads(path.read_text())
    content["metadata"] |= {"widgets": {"a": 1}, "interim": {"chapter": 1}}
    path.write_text(json.dumps(content))
    assert nb.strip(path)
    stripped = json.loads(path.read_text(encoding="utf-8"))
    assert set(stripped["metadata"]) == {"kernelspec", "interim"}
    assert [c["id"] for c in stripped["cells"]] == ["parameters", "flow", "text"]
    assert stripped["cells"][0]["source"] == PARAMETERS and "ä ≥" in path.read_text(encoding="utf-8")
