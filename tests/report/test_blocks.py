from __future__ import annotations

import copy
import re

import pytest

from interim.display.table import Cell, Head, Row, Table, written
from interim.report.blocks import bad_characters, opened, read_block
from interim.report.content import Figure, HeaderCell, Paragraph
from tests.report.writers_sample import png, svg

TABLE = {
    "format": 1,
    "kind": "table",
    "id": "T 14.2.2.1",
    "title": "Response",
    "population": "FAS",
    "header": [
        [{"text": "", "span": 1, "keys": []}, {"text": "DL1\nN=3", "span": 1, "keys": ["sets/dl1/fas/-/n"]}]
    ],
    "rows": [
        {"kind": "section", "indent": 0, "cells": [{"text": "Part", "keys": []}]},
        {
            "kind": "data",
            "indent": 1,
            "cells": [{"text": "ORR", "keys": []}, {"text": "1/3", "keys": ["r/dl1/orr/-/rate"]}],
        },
    ],
    "align": ["left", "right"],
    "widths": [2, 1.5],
    "orientation": "portrait",
    "footnotes": ["CP."],
    "labels": [],
}
FIGURE = {
    "format": 1,
    "kind": "figure",
    "id": "F 14.2.2.1",
    "title": "Waterfall",
    "population": "",
    "svg": svg(),
    "png": png(),
    "alt": "Bars of n = 12 participants.",
    "width_mm": 170,
    "footnotes": [],
    "keys": ["w/total/n/-/N"],
    "labels": [],
    "orientation": "landscape",
}
TEXT = {
    "format": 1,
    "kind": "paragraph",
    "style": "box",
    "spans": [{"text": "ORR 1/3", "key": "r/dl1/orr/-/rate", "emphasis": False}],
}


def changed(block, path, value):
    """Return a copy of a block with another value at a place; value `...` removes it."""
    made = copy.deepcopy(block)
    target = made
    for step in path[:-1]:
        target = target[step]
    if value is ...:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return made


@pytest.mark.rule("DOC-12")
def test_a_table_of_the_display_room_is_read_with_its_result_ids():
    shown = Table(
        "Response",
        "FAS",
        ((Head("Item"), Head("DL1\nN=3", 1, ("sets/dl1/fas/-/n",))),),
        (Row((Cell("ORR"), Cell("1/3", ("r/dl1/orr/-/rate",)))),),
        (2.0, 1.0),
        ("left", "right"),
        id="T 14.2.2.1",
    )
    block, problems = read_block(shown.block())
    assert problems == []
    assert block.header[0][1] == HeaderCell("DL1\nN=3", 1, ("sets/dl1/fas/-/n",))
    assert block.rows[0].cells[1].keys == ("r/dl1/orr/-/rate",)
    assert (block.label, block.anchor, block.widths) == ("Table 14.2.2.1", "t-14.2.2.1", (2.0, 1.0))


@pytest.mark.rule("DOC-14")
def test_sound_blocks_have_no_problems():
    figure, problems = read_block(FIGURE)
    assert (
        problems == []
        and isinstance(figure, Figure)
        and figure.label == "Figure 14.2.2.1"
        and figure.width_mm == 170.0
    )
    text, problems = read_block(TEXT)
    assert problems == [] and isinstance(text, Paragraph) and text.spans[0].key == "r/dl1/orr/-/rate"
    listing, problems = read_block(TABLE | {"id": "L 16.2.1a"})
    assert problems == [] and listing.label == "Listing 16.2.1a"


@pytest.mark.rule("DOC-14")
@pytest.mark.parametrize(
    "block, problem",
    [
        ([], "a block must be a JSON object"),
        (TABLE | {"format": 2}, "T 14.2.2.1: block format 2; this version reads format 1"),
        (TABLE | {"kind": "chart"}, "T 14.2.2.1: unknown kind 'chart'"),
        (TABLE | {"kind": None}, "T 14.2.2.1: unknown kind None"),
        (TABLE | {"extra": 1}, "T 14.2.2.1: unknown field 'extra'"),
        (changed(TABLE, ["align"], ...), "T 14.2.2.1: field 'align' is missing"),
        (TABLE | {"title": 3}, "field 'title' has type int"),
        (FIGURE | {"width_mm": True}, "field 'width_mm' has type bool"),
        (TABLE | {"title": "a\x07b"}, r"title holds the control or unprintable character U+0007"),
        (TABLE | {"title": "a\nb"}, r"title holds the control or unprintable character U+000A"),
        (
            changed(TABLE, ["rows", 1, "cells", 0, "text"], "a\ue000"),
            "rows holds the control or unprintable character U+E000",
        ),
        (TABLE | {"id": "T14"}, "id 'T14' must be T or L and a number"),
        (TABLE | {"id": "F 14.1"}, "id 'F 14.1' must be T or L and a number"),
        (FIGURE | {"id": "T 14.1"}, "id 'T 14.1' must be F or L and a number"),
        (TABLE | {"title": " "}, "the title is blank"),
        (TABLE | {"orientation": "upright"}, "orientation 'upright'; permitted: portrait, landscape"),
        (TABLE | {"footnotes": [" "]}, "footnotes must be texts that are not blank"),
        (TABLE | {"labels": [1]}, "labels must be texts that are not blank"),
        (FIGURE | {"keys": [""]}, "keys must be texts that are not blank"),
        (TABLE | {"align": []}, "align needs left, center or right"),
        (TABLE | {"align": ["left", "up"]}, "align needs left, center or right"),
        (TABLE | {"widths": [1]}, "widths needs 2 numbers > 0"),
        (TABLE | {"widths": [1, 0]}, "widths needs 2 numbers > 0"),
        (TABLE | {"widths": [1, float("inf")]}, "widths needs 2 numbers > 0"),
        (TABLE | {"widths": [1, True]}, "widths needs 2 numbers > 0"),
        (TABLE | {"header": []}, "has no header"),
        (TABLE | {"header": ["x"]}, "header row 1 needs cells with text, span (>= 1) and keys"),
        (changed(TABLE, ["header", 0, 1, "span"], 0), "header row 1 needs cells"),
        (changed(TABLE, ["header", 0, 1, "keys"], ["", "b"]), "header row 1 needs cells"),
        (changed(TABLE, ["header", 0, 1, "keys"], ...), "header row 1 needs cells"),
        (changed(TABLE, ["header", 0, 1, "span"], 2), "is ragged: header row 1 spans 3 columns instead of 2"),
        (changed(TABLE, ["header", 0, 1, "text"], " "), "header row 1 is blank"),
        (TABLE | {"rows": []}, "has no rows"),
        (TABLE | {"rows": ["x"]}, "row 1 needs the fields kind, indent and cells"),
        (changed(TABLE, ["rows", 0, "kind"], "total"), "row 1 has kind 'total'"),
        (changed(TABLE, ["rows", 1, "indent"], 10), "row 2 has indent 10"),
        (changed(TABLE, ["rows", 1, "indent"], True), "row 2 has indent True"),
        (changed(TABLE, ["rows", 1, "cells"], "x"), "row 2 is ragged: 0 cells instead of 2"),
        (changed(TABLE, ["rows", 1, "cells", 1], ...), "row 2 is ragged: 1 cells instead of 2"),
        (changed(TABLE, ["rows", 1, "cells", 1], {"text": "x"}), "row 2 needs cells with text and keys"),
        (changed(TABLE, ["rows", 1, "cells", 1, "keys"], "k"), "row 2 needs cells with text and keys"),
        (changed(TABLE, ["rows", 0, "cells", 0, "text"], " "), "row 1 is a section without a text"),
        (FIGURE | {"alt": "  "}, "the text alternative (alt) is blank"),
        (FIGURE | {"alt": "Waterfall"}, "is only the caption or a file name"),
        (FIGURE | {"alt": "figure1.png"}, "is only the caption or a file name"),
        (FIGURE | {"width_mm": -1}, "width_mm must be > 0"),
        (FIGURE | {"svg": "<svg"}, "svg cannot be read"),
        (FIGURE | {"svg": "<html/>"}, "svg has root element 'html'"),
        (FIGURE | {"png": "%%"}, "png is no base64 PNG image"),
        (FIGURE | {"png": "QUJD"}, "png is no base64 PNG image"),
        (TEXT | {"style": "loud"}, "paragraph: style 'loud'"),
        (TEXT | {"spans": []}, "needs spans with text, key"),
        (changed(TEXT, ["spans", 0, "key"], 3), "needs spans with text, key"),
        (changed(TEXT, ["spans", 0, "emphasis"], 1), "needs spans with text, key"),
        (changed(TEXT, ["spans", 0, "text"], " "), "the text is blank"),
    ],
)
def test_a_faulty_block_is_refused_and_its_problem_named(block, problem):
    made, problems = read_block(block)
    assert made is None
    assert re.search(re.escape(problem), "\n".join(problems)), problems


@pytest.mark.rule("DOC-14")
def test_all_problems_of_a_block_are_listed_at_once():
    _, problems = read_block(TABLE | {"id": "x", "title": " ", "widths": [0, 0], "rows": []})
    assert len(problems) == 4 and all(problem.startswith("x: ") for problem in problems)


@pytest.mark.parametrize(
    "text, bad",
    [("é ≥ 漢 😀", []), ("a\tb\x00", ["U+0009", "U+0000"]), ("\ud800", ["U+D800"]), ("\u0378", ["U+0378"])],
)
def test_characters_that_no_document_can_hold(text, bad):
    assert bad_characters(text) == bad
    assert bad_characters("a\nb", newline=True) == [] and bad_characters("a\nb") == ["U+000A"]


@pytest.mark.rule("DOC-14", source="decision 290")
@pytest.mark.parametrize("block", [TABLE, FIGURE, TEXT])
def test_a_block_is_one_line_in_a_notebook_and_comes_back(block):
    text = written(block)
    assert "\n" not in text and opened(text) == block
    assert read_block(opened(text)) == read_block(block)


@pytest.mark.rule("DOC-14", source="decision 290")
@pytest.mark.parametrize("stored", ["", "no JSON", '{"kind": "table"', "[1, 2]", "7"])
def test_a_text_that_is_no_block_is_refused(stored):
    assert read_block(opened(stored)) == (None, ["a block must be a JSON object"])


def test_a_block_without_a_form_in_json_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        written(TABLE | {"widths": [float("nan")]})
