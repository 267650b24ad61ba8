from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.report.columns import PADDING_MM, SIZES, breakable, fit
from interim.report.content import Cell, Document, HeaderCell, Row
from interim.report.heights import heights
from interim.report.page import PAPER_MM, page_mm, room_mm
from interim.report.pdf import pdf_bytes
from tests.report import pdf_reading as reading
from tests.report.writers_sample import crowded, front, table

POINT = 25.4 / 72


def made(*columns: str, widths=None, head=None):
    """Return a table of one row."""
    heads = tuple(HeaderCell(text) for text in (head or ["x"] * len(columns)))
    return replace(
        table(),
        header=(heads,),
        rows=(Row("data", 0, tuple(map(Cell, columns))),),
        align=("left",) * len(columns),
        widths=tuple(widths or [1.0] * len(columns)),
    )


@pytest.mark.rule("DOC-05")
def test_relative_widths_hold_where_there_is_room():
    assert fit(made("a", "b", "c", widths=[3, 2, 1]), 180).widths == pytest.approx((90, 60, 30))
    assert fit(made("a", "b"), 180).size == 9.0


@pytest.mark.rule("DOC-05")
def test_a_narrow_column_takes_what_its_longest_word_needs():
    word = "n" * 20
    widths = fit(made(word, "b", widths=[1, 9]), 170).widths
    assert widths[0] == pytest.approx(20 * 0.56 * 9 * POINT + 2 * PADDING_MM)
    assert sum(widths) == pytest.approx(170)


@pytest.mark.rule("DOC-05")
@pytest.mark.parametrize("word, size", [("n" * 8, 9.0), ("n" * 9, 8.0), ("n" * 10, 7.0), ("n" * 11, 6.5)])
def test_the_size_falls_only_as_far_as_needed(word, size):
    found = fit(made(*[word] * 10), 170)
    assert found.size == size and not found.broken
    larger = [other for other in SIZES if other > size]
    assert all(10 * (len(word) * 0.56 * other * POINT + 2 * PADDING_MM) > 170 for other in larger)


@pytest.mark.rule("DOC-05")
def test_short_cells_stay_on_one_line_while_letters_are_large_enough():
    kept = fit(made(*["12/34 (56.7%)"] * 6), 170)
    assert kept.size == 9.0 and min(kept.widths) > 13 * 0.45 * 9 * POINT
    wrapped = fit(made(*["12/34 (56.7%)"] * 12), 170)
    assert wrapped.size == 9.0 and not wrapped.broken


@pytest.mark.rule("DOC-05")
def test_words_of_a_spanning_header_and_the_indent_count():
    spanned = replace(made("a", "b", "c"), header=((HeaderCell("x"), HeaderCell("n" * 40, 2)),))
    assert sum(fit(spanned, 170).widths[1:]) > 40 * 0.56 * 9 * POINT
    flat, deep = (
        replace(made("n" * 30, "b", widths=[1, 99]), rows=(Row("data", indent, (Cell("n" * 30), Cell("b"))),))
        for indent in (0, 3)
    )
    assert fit(deep, 170).widths[0] > fit(flat, 170).widths[0] + 9


@pytest.mark.rule("DOC-05")
def test_words_are_broken_only_if_the_smallest_letters_do_not_fit():
    found = fit(crowded(), 170)
    assert found.broken and found.size == 6.0 and sum(found.widths) == pytest.approx(170)
    text = breakable("Unbreakable1word1 and x", found, 0)
    assert text.replace("\u200b", "") == "Unbreakable1word1 and x"
    assert "\u200b" in text and text.endswith(" x")
    assert breakable("Unbreakable1word1", fit(made("a"), 170), 0) == "Unbreakable1word1"


@pytest.mark.rule("DOC-05", source="the rule: an interval that fits its column stays on one line")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2/12 (17%) (2.1, 48.4)", ["(2.1, 48.4)"]),
        ("5.2 (1.1, NR), then [-3.0; 4.0]", ["(1.1, NR)", "[-3.0; 4.0]"]),
        ("Fatigue (grade 3, serious)", []),
    ],
)
def test_an_interval_stays_on_one_line_where_its_column_is_as_wide(text, kept):
    wide = fit(made("a" * 20, "b"), 170)
    shown = breakable(text, wide, 0)
    assert all(one.replace(" ", "\u00a0") in shown for one in kept)
    assert shown.count("\u00a0") == len(kept) and shown.replace("\u00a0", " ") == text
    narrow = replace(wide, widths=(4.0, 166.0))
    assert "\u00a0" not in breakable(text, narrow, 0)


@pytest.mark.rule("DOC-05")
@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("abW1/ .(漢-\n", min_size=1, max_size=25), st.floats(0.5, 9)),
        min_size=1,
        max_size=14,
    ),
    st.sampled_from([170.0, 257.0]),
)
def test_widths_always_fill_the_page(columns, width):
    found = fit(made(*(text for text, _ in columns), widths=[share for _, share in columns]), width)
    assert sum(found.widths) == pytest.approx(width)
    assert min(found.widths) > 0 and found.size in SIZES


def test_a_narrower_face_leaves_larger_letters():
    block = made(*["n" * 9] * 10)
    assert fit(block, 170, face=0.8).size > fit(block, 170).size


@pytest.mark.parametrize("paper", PAPER_MM)
def test_pages_turn(paper):
    assert page_mm(paper, "landscape") == page_mm(paper, "portrait")[::-1]
    assert room_mm(paper, "portrait")[0] == page_mm(paper, "portrait")[0] - 40


def listed(rows: int, text: str = "word", notes: tuple[str, ...] = ()):
    """Return a table of equal rows."""
    row = Row("data", 0, (Cell("a"), Cell(text)))
    return replace(made("a", text), rows=(row,) * rows, footnotes=notes, labels=())


def high(table, width: float = 170.0) -> float:
    return heights(table, fit(table, width)).whole


@pytest.mark.rule("DOC-20")
@given(st.integers(1, 60), st.text(alphabet="ab 7", min_size=1, max_size=90))
@settings(max_examples=60, deadline=None)
def test_every_further_row_needs_the_same_height(rows, text):
    one, two = high(listed(rows, text)), high(listed(rows + 1, text))
    assert two - one == pytest.approx(high(listed(rows + 2, text)) - two)
    assert two - one >= 9.0 * 0.6 * POINT + 4.8 * POINT


@pytest.mark.rule("DOC-20")
@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({"text": "word\nword\nword"}, 2),
        ({"text": "words " * 40}, 1),
    ],
    ids=["line breaks", "a text wider than its column"],
)
def test_a_row_is_as_high_as_its_highest_cell(change, lines):
    plain = (high(listed(11)) - high(listed(10))) / POINT
    more = (high(listed(11, **change)) - high(listed(10, **change))) / POINT
    assert more >= plain + lines * 0.9 * 9.0


@pytest.mark.rule("DOC-20")
def test_notes_and_labels_count_and_a_wider_page_needs_less():
    note = "A note of many words that says what the numbers of this table are and what they are not. " * 4
    assert high(listed(5, notes=(note,))) > high(listed(5, notes=(note[:40],))) > high(listed(5))
    assert high(listed(5, note), 257.0) < high(listed(5, note), 170.0)


@pytest.mark.rule("DOC-20")
@pytest.mark.parametrize("rows", [12, 20, 34])
def test_the_height_is_that_of_the_printed_table(rows):
    """The first and the last row of a table of the PDF are as far apart as their number says."""
    texts = tuple(Row("data", 0, (Cell(f"stub{n:02}"), Cell("1"))) for n in range(rows))
    block = replace(listed(rows), rows=texts, orientation="portrait")
    reader = reading.open_pdf(pdf_bytes(Document(front(), (block,))))
    places = {piece.text.strip(): piece.y for piece in reading.pieces(reader) if "stub" in piece.text}
    printed = (places["stub00"] - places[f"stub{rows - 1:02}"]) / (rows - 1)
    fitted = fit(block, 170.0, face=0.87)
    told = (high(replace(block, rows=texts * 2)) - high(block)) / rows / POINT
    assert fitted.size == 9.0 and told == pytest.approx(printed, rel=0.03)
