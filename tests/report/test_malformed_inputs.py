"""Notebooks, Markdown and blocks that another program damaged: a problem with its place, never an accident."""

from __future__ import annotations

import copy
import json
import math

import pytest

from interim import cli
from interim.errors import ReportError
from interim.report import notebook as nb
from interim.report.blocks import read_block
from interim.report.content import ListBlock, Paragraph, Span
from interim.report.document import collect
from interim.report.prose import Heading, read_prose
from tests.report.test_blocks import FIGURE, TABLE, TEXT, changed
from tests.report.test_notebook import good
from tests.report.writers_sample import front

CELL = {"cell_type": "code", "id": "c", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
BOOK = {"cells": [*good(), CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


def write(folder, book, name="01_a.ipynb"):
    path = folder / name
    path.write_text(book if isinstance(book, str) else json.dumps(book), encoding="utf-8")
    return path


DAMAGED = {
    "no JSON": "{",
    "a list": [],
    "a number": 5,
    "nothing": None,
    "no cells": without(BOOK, "cells"),
    "no metadata": without(BOOK, "metadata"),
    "no format": without(BOOK, "nbformat"),
    "metadata a list": {**BOOK, "metadata": []},
    "cells empty": {**BOOK, "cells": []},
    "cells an object": {**BOOK, "cells": {"a": 1}},
    "cells a text": {**BOOK, "cells": "abc"},
    "cells null": {**BOOK, "cells": None},
    "cell a number": {**BOOK, "cells": [CELL, 5]},
    "cell null": {**BOOK, "cells": [CELL, None]},
    "cell without type": {**BOOK, "cells": [without(CELL, "cell_type")]},
    "cell without source": {**BOOK, "cells": [without(CELL, "source")]},
    "cell without metadata": {**BOOK, "cells": [without(CELL, "metadata")]},
    "source a number": {**BOOK, "cells": [{**CELL, "source": 5}]},
    "source of numbers": {**BOOK, "cells": [{**CELL, "source": ["a", 5]}]},
    "metadata null": {**BOOK, "cells": [{**CELL, "metadata": None}]},
    "format a word": {**BOOK, "nbformat": "four"},
    "format null": {**BOOK, "nbformat_minor": None},
}


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize("read", [nb.read_notebook, nb.parameters, nb.strip], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", list(DAMAGED))
def test_a_damaged_notebook_is_named_and_left_as_it_is(name, read, tmp_path):
    path = write(tmp_path, DAMAGED[name])
    before = path.read_bytes()
    with pytest.raises(ReportError, match=r"^01_a\.ipynb: not a readable notebook"):
        read(path)
    assert path.read_bytes() == before


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize("name", list(DAMAGED))
def test_the_command_names_a_damaged_notebook_without_traceback(name, tmp_path, capsys):
    write(tmp_path, DAMAGED[name])
    for fix in ([], ["--fix"]):
        assert cli.main(["check", "notebooks", "--notebooks", str(tmp_path), *fix]) == 1
        printed = "".join(capsys.readouterr())
        assert "01_a.ipynb" in printed and "Traceback" not in printed and "defect" not in printed


@pytest.mark.rule("NB-02")
@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ({**CELL, "id": None}, "cell ?: needs a readable id"),
        ({**CELL, "id": 5}, "cell ?: needs a readable id"),
        ({**CELL, "id": ["a"]}, "cell ?: needs a readable id"),
        (without(CELL, "id"), "cell ?: needs a readable id"),
        ({**CELL, "id": "parameters"}, "cell parameters: needs a readable id of its own"),
        ({**CELL, "source": "a\0b"}, "cell c: is no Python"),
        ({**CELL, "source": "(" * 300 + ")" * 300}, "cell c: is no Python"),
        ({**CELL, "source": "await x ="}, "cell c: is no Python"),
        ({**CELL, "execution_count": 0}, "cell c: is not stripped"),
        ({**CELL, "outputs": [{}]}, "cell c: is not stripped"),
    ],
)
def test_odd_cells_are_violations(cell, words, tmp_path):
    write(tmp_path, {**BOOK, "cells": [*good(), cell]})
    assert [line for line in nb.check_notebooks(tmp_path) if words in line]


def test_null_tags_are_no_tags_and_a_cell_of_an_unknown_kind_is_not_judged(tmp_path):
    write(
        tmp_path, {**BOOK, "cells": [*good(), {**CELL, "metadata": {"tags": None}}, {**CELL, "id": "r", "cell_type": "raw", "source": "for 5"}]}
    )  # fmt: skip
    assert nb.check_notebooks(tmp_path) == []


@pytest.mark.rule("DOC-14")
@pytest.mark.parametrize("name", [name for name in DAMAGED if not name.startswith(("format", "no format"))])
def test_a_damaged_notebook_among_executed_ones_has_its_lines(name, tmp_path):
    with pytest.raises(ReportError) as caught:
        collect([write(tmp_path, DAMAGED[name])], front=front())
    first, *lines = str(caught.value).splitlines()
    assert first.endswith("in the document:") and lines
    assert all(line.startswith("01_a.ipynb") for line in lines)


@pytest.mark.rule("DOC-15")
@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |", "line 1: table is not possible"),
        ("text\n\n| a |\n|---|\n", "line 3: table is not possible"),
        ("~~gone~~", "line 1: s is not possible in text"),
        ("* * *", "line 1: hr is not possible"),
        ("___", "line 1: hr is not possible"),
        ("    four blanks", "line 1: code block is not possible"),
        ("\ta tab", "line 1: code block is not possible"),
        ("~~~\nx\n~~~", "line 1: fence is not possible"),
        ("<https://example.org>", "line 1: link is not possible"),
        ("[a]\n\n[a]: x", "line 1: link is not possible"),
        ("<!-- note -->", "line 1: html block is not possible"),
        ("a\\\nb", "line 1: hardbreak is not possible"),
        ("a\n\n- x\n- ~~y~~", "line 3: s is not possible"),
        ("1. a\n\n   # b", "heading is not possible"),
        ("-", "line 1: a list item is empty"),
        ("# [x](y)", "line 1: link is not possible"),
        ("# a `b`", "line 1: a heading holds plain text only"),
        ("\ud800", "U+D800"),
        ("x\x1b[0m", "U+001B"),
        ("######", "line 1: a heading holds plain text only"),
    ],
)
def test_marks_that_a_document_cannot_hold(source, problem):
    _, problems = read_prose(source)
    assert len(problems) == 1 and problem in problems[0]


@pytest.mark.rule("DOC-15")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Title\n=====", [Heading(1, "Title")]),
        ("Title\n---", [Heading(2, "Title")]),
        ("# closed #", [Heading(1, "closed")]),
        ("# a\n# b", [Heading(1, "a"), Heading(1, "b")]),
        ("a\\*b", [Paragraph((Span("a*b"),))]),
        ("&lt;b&gt; &amp;", [Paragraph((Span("<b> &"),))]),
        ("`a|b`", [Paragraph((Span("a|b", code=True),))]),
        ("a | b", [Paragraph((Span("a | b"),))]),
        ("a ~ b ~ c", [Paragraph((Span("a ~ b ~ c"),))]),
        ("**a*b***", [Paragraph((Span("a", strong=True), Span("b", emphasis=True, strong=True)))]),
        ("**a**b", [Paragraph((Span("a", strong=True), Span("b")))]),
        ("\u05d0\u05d1 abc \u0627", [Paragraph((Span("\u05d0\u05d1 abc \u0627"),))]),
        ("9) x", [ListBlock(True, 9, ((Paragraph((Span("x"),)),),))]),
        ("0. x", [ListBlock(True, 0, ((Paragraph((Span("x"),)),),))]),
        ("\n\n \n", []),
    ],
)
def test_what_is_read(source, expected):
    assert read_prose(source) == (expected, [])


def places(value, path=()):
    """Yield the path of every part of a nested value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


OTHERS = (None, True, -1, 0, 1.5, math.nan, math.inf, 10**400, "", " ", "x\x07", "\ud800", [], {}, [None], [[]], {"text": None}, [{"x": 1}], ...)  # fmt: skip


@pytest.mark.rule("DOC-14")
@pytest.mark.parametrize("block", [TABLE, FIGURE, TEXT], ids=lambda block: block["kind"])
def test_any_part_replaced_by_any_other_value_is_refused_or_harmless(block):
    """Never an accident, and either a block or problems, not both and not neither."""
    outcomes = []
    for path in places(block):
        for other in OTHERS:
            if not path and other is ...:
                continue
            made = changed(block, path, other) if path else other
            given = copy.deepcopy(made)
            found, problems = read_block(made)
            assert (found is None) == bool(problems), (path, other)
            assert repr(made) == repr(given)
            assert all(isinstance(line, str) and "\n" not in line for line in problems)
            outcomes.append(bool(problems))
    assert sum(outcomes) > 0.6 * len(outcomes)
