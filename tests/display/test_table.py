from __future__ import annotations

import pytest

from interim.display.table import BLOCK, Cell, Head, Row, Table
from interim.errors import ReportError
from interim.report.blocks import opened, read_block
from tests.display.test_markup import shown


@pytest.mark.rule("DOC-18")
@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"align": ("left",)}, "1 alignments for 3 columns"),
        ({"header": ((Head("a"), Head("b")),)}, "header row 1 covers 2 of 3 columns"),
        ({"rows": (Row((Cell("a"), Cell("b"))),)}, "row 'a' has 2 cells, expected 3"),
        (
            {"rows": (Row((Cell("a"), Cell("b"), Cell("c")), kind="section"),)},
            "row 'a' has 3 cells, expected 1",
        ),
        ({"rows": (Row(()),)}, "row '' has 0 cells, expected 3"),
        ({"rows": (Row((Cell("a"), Cell(" "), Cell("c"))),)}, "row 'a' has an empty cell"),
        ({"rows": (Row((Cell("a"), Cell("1/3"), Cell("c"))),)}, "row 'a': '1/3' has no result id"),
    ],
)
def test_a_table_that_does_not_fit_or_hides_its_source_cannot_be_made(changes, problem):
    with pytest.raises(ReportError, match=r"table 'T 14\.2\.2\.1'") as caught:
        shown(**changes)
    assert problem in str(caught.value)


@pytest.mark.rule("DOC-18")
def test_a_stub_may_hold_digits_and_five_problems_are_enough():
    assert shown(rows=(Row((Cell("Grade 3"), Cell("x"), Cell("y"))),)).rows[0].cells[0].text == "Grade 3"
    with pytest.raises(ReportError) as caught:
        shown(id="", rows=tuple(Row((Cell(f"r{i}"),)) for i in range(9)))
    assert str(caught.value).count(";") == 4 and "table 'Response <by> dose'" in str(caught.value)


@pytest.mark.rule("DOC-12")
def test_keys_are_listed_once_in_printed_order():
    assert shown().keys == ("s/dl1/fas/-/n", "r/dl1/orr/-/rate", "a", "b")
    twice = shown(rows=(Row((Cell("x"), Cell("1", ("b",)), Cell("2", ("a", "b")))),))
    assert twice.keys == ("s/dl1/fas/-/n", "b", "a")


def test_plain_text_is_aligned():
    assert shown().text().splitlines() == [
        "T 14.2.2.1 Response <by> dose (FAS)",
        "                Dose",
        "Item            DL1 N=3  DL2",
        "All             1/3      -",
        "Part <A>",
        "    ORR & more  2/3      x y",
        "CP <x>.",
        "DRAFT",
    ]


def test_the_registry_completes_a_copy():
    done = shown(id="").with_id(
        "T 9", title="New", population="RE", footnotes=("SRC",), labels=("SYNTHETIC",)
    )
    assert (done.id, done.title, done.population) == ("T 9", "New", "RE")
    assert (done.footnotes, done.labels) == (("CP <x>.", "SRC"), ("DRAFT", "SYNTHETIC"))
    assert shown().with_id("T 9").title == shown().title


@pytest.mark.rule("DOC-14")
def test_what_a_notebook_stores_is_read_by_the_report():
    bundle = shown()._repr_mimebundle_()
    block, problems = read_block(opened(bundle[BLOCK]))
    assert problems == []
    assert [cell.text for row in block.rows for cell in row.cells] == [
        c.text for row in shown().rows for c in row.cells
    ]
    assert bundle["text/plain"] == shown().text() and bundle["text/html"].startswith(
        '<div class="tlf portrait"'
    )


def test_a_table_is_immutable():
    with pytest.raises(AttributeError):
        Table.__setattr__(shown(), "title", "x")
