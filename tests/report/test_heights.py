"""The last page of a table: rows that stay together, and a tighter setting that saves a page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.report.columns import SIZES, fit
from interim.report.content import Cell, Document, Row, Section, Table
from interim.report.heights import Heights, heights, last_rows, squeezed
from interim.report.pdf import pdf_bytes
from tests.report import pdf_reading as reading
from tests.report.writers_sample import front, spans, table

WIDTH, HIGH = 170.0, 251.0
HEAD = Section(1, "1", "Only chapter", "s-1")


def plain(marks: str) -> Table:
    """Return a table with a heading for each ``s`` and a row for each other letter."""
    rows = tuple(
        Row("section", 0, (Cell(f"Part {n}"),))
        if mark == "s"
        else Row("data", 0, (Cell(f"Line {n}"), *(Cell("1/2"),) * 4))
        for n, mark in enumerate(marks)
    )
    return replace(table(), rows=rows, footnotes=("The only note.",), labels=())


def pages(*blocks, form="report") -> dict[int, list[reading.Piece]]:
    """Return the pieces of each page that holds a row of a table, in reading order."""
    reader = reading.open_pdf(pdf_bytes(Document(front(), (HEAD, *blocks), form=form)))
    found = defaultdict(list)
    for piece in reading.pieces(reader):
        if piece.mark is not None and piece.text.startswith(("Line ", "Part ", "The only note")):
            found[piece.page].append(piece)
    return found


def lines(pieces) -> list[str]:
    return [piece.text.strip() for piece in pieces if piece.text.startswith(("Line ", "Part "))]


@cache
def capacity() -> int:
    """How many rows the first page of an appendix holds as they are set without need."""
    found = heights(plain("r" * 50), fit(plain("r" * 50), WIDTH, face=0.87), face=0.84)
    return int((HIGH - 11.0 - found.head - found.around) / found.rows[0])


@pytest.mark.rule("DOC-21")
@pytest.mark.parametrize("more", range(6))
def test_the_last_page_holds_five_rows_and_the_notes(more):
    """The table begins anywhere on its page, so that nothing tells before where it ends; its end comes over the page row by row."""
    found = pages(*[spans("x")] * 8, plain("r" * (capacity() - 10 + more)))
    last = found[max(found)]
    assert len(lines(last)) >= 5
    assert last[-1].text.strip() == "The only note."
    assert sum(len(lines(page)) for page in found.values()) == capacity() - 10 + more


@pytest.mark.rule("DOC-21")
@pytest.mark.parametrize("under", [1, 2, 3, 6, 9])
@pytest.mark.parametrize("more", [0, 3])
def test_a_heading_in_the_table_is_never_the_last_line_of_a_page(under, more):
    found = pages(*[spans("x")] * 8, plain("r" * (capacity() - 14 + more) + "s" + "r" * under))
    for page in found.values():
        assert not lines(page)[-1].startswith("Part ")
    last = lines(found[max(found)])
    assert len(last) >= min(5, max(under - 1, 1))


@pytest.mark.rule("DOC-21")
@pytest.mark.parametrize(
    ("marks", "kept"),
    [
        ("r" * 30, 5),
        ("r" * 20 + "s" + "r" * 9, 5),
        ("r" * 20 + "s" + "r" * 6, 5),
        ("r" * 20 + "s" + "r" * 5, 4),
        ("r" * 20 + "s" + "r" * 3, 2),
        ("r" * 20 + "s" + "r" * 2, 0),
        ("r" * 20 + "s", 0),
        ("rrr", 0),
        ("rrrr", 2),
    ],
)
def test_a_row_stays_with_the_heading_above_it(marks, kept):
    block = plain(marks)
    assert last_rows(block, heights(block, fit(block, WIDTH)), HIGH) == kept


@pytest.mark.rule("DOC-21")
@given(st.lists(st.floats(3.0, 120.0), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_kept_rows_need_at_most_a_quarter_of_the_page(high):
    block = plain("r" * len(high))
    kept = last_rows(block, Heights(tuple(high), 12.0, 9.0), HIGH)
    assert 0 <= kept <= 5 and kept != 1
    assert sum(high[len(high) - kept :]) <= HIGH / 4


@pytest.mark.rule("DOC-04")
@pytest.mark.parametrize("words", [8, 150])
def test_a_short_text_stays_with_the_table_that_it_announces(words):
    """A heading with a text comes down the page until its table no longer fits below it."""
    parted = 0
    for lead in range(30, 46, 3):
        text = spans("Announced " + "word " * words)
        blocks = [*[spans("x")] * lead, Section(2, "1.1", "Heading", "s-1.1"), text, plain("r" * 12)]
        reader = reading.open_pdf(pdf_bytes(Document(front(), (HEAD, *blocks))))
        found = [p for p in reading.pieces(reader) if p.mark is not None and p.page > 1]
        starts = ("1.1 Heading", "Announced", "Line 0")
        pages = [next(p.page for p in found if p.text.startswith(start)) for start in starts]
        assert pages[0] == pages[1]
        parted += pages[1] != pages[2]
    assert bool(parted) == (words > 100)


@pytest.mark.rule("DOC-22")
@pytest.mark.parametrize("more", [1, 3, 5])
def test_a_table_that_is_a_few_rows_too_long_is_set_on_one_page(more):
    block = plain("r" * (capacity() + more))
    found = pages(block, form="appendix")
    assert len(found) == 1
    (page,) = found.values()
    rows = [piece for piece in page if piece.text.startswith("Line ")]
    assert min(piece.size for piece in rows) >= SIZES[-1]
    steps = [one.y - two.y for one, two in pairwise(rows)]
    assert min(steps) >= 1.05 * rows[0].size, "lines do not touch"


@pytest.mark.rule("DOC-22")
@pytest.mark.parametrize(
    ("share", "changed"),
    [(0.6, False), (0.9, False), (1.05, True), (1.5, False), (2.2, True), (4.05, False)],
)
def test_only_a_small_remainder_is_worth_a_tighter_setting(share, changed):
    block = plain("r" * round(capacity() * share))
    first = fit(block, WIDTH, face=0.87)
    found = heights(block, first, face=0.84)
    tight = squeezed(block, first, found, rooms=(HIGH - 11.0, HIGH), face=0.84)
    assert (tight != first) == changed
    assert tight.widths == first.widths
    assert max(first.size - 1, SIZES[-1]) <= tight.size <= first.size


@pytest.mark.rule("DOC-22")
def test_letters_are_never_smaller_than_the_smallest():
    words = tuple("n" * 13 for _ in range(13))
    rows = tuple(Row("data", 0, tuple(map(Cell, words))) for _ in range(70))
    wide = replace(plain(""), rows=rows, header=(), align=("left",) * 13, widths=(1.0,) * 13)
    first = fit(wide, WIDTH, face=0.87)
    assert first.size == SIZES[-1]
    found = heights(wide, first, face=0.84)
    tight = squeezed(wide, first, found, rooms=(found.whole * 0.97, HIGH), face=0.84)
    assert tight != first and tight.size == SIZES[-1]
    assert squeezed(wide, first, found, rooms=(found.whole * 0.8, HIGH), face=0.84) == first
