from __future__ import annotations

import pytest

from interim.report.content import ListBlock, Paragraph, Span
from interim.report.prose import Heading, read_prose


def texts(block) -> str:
    return "".join(span.text for span in block.spans)


@pytest.mark.rule("DOC-15")
def test_headings_paragraphs_emphasis_and_code():
    source = "# Activity\n\nBy *RECIST* and **iRECIST**, ***both***,\nin `ADRS`.\n\n#### Deep"
    blocks, problems = read_prose(source)
    assert problems == []
    assert blocks == [
        Heading(1, "Activity"),
        Paragraph(
            (
                Span("By "),
                Span("RECIST", emphasis=True),
                Span(" and "),
                Span("iRECIST", strong=True),
                Span(", "),
                Span("both", emphasis=True, strong=True),
                Span(", in "),
                Span("ADRS", code=True),
                Span("."),
            )
        ),
        Heading(4, "Deep"),
    ]


@pytest.mark.rule("DOC-15")
def test_lists_nest_and_keep_their_start():
    blocks, problems = read_prose("- one\n- two\n\n  more\n\n  3. three\n  4. four\n")
    assert problems == []
    (outer,) = blocks
    assert isinstance(outer, ListBlock) and not outer.ordered and len(outer.items) == 2
    more, inner = outer.items[1][1:]
    assert texts(outer.items[0][0]) == "one" and texts(more) == "more"
    assert isinstance(inner, ListBlock) and inner.ordered and inner.start == 3 and len(inner.items) == 2


@pytest.mark.rule("DOC-03")
@pytest.mark.rule("DOC-15")
@pytest.mark.parametrize("text", ["a # b @ c $ d { e", "3 < 4 & 5 > 2", "x = {y}", "50 % of ~ 3"])
def test_characters_that_mean_something_elsewhere_are_text(text):
    blocks, problems = read_prose(text)
    assert problems == [] and texts(blocks[0]) == text


@pytest.mark.rule("DOC-15")
@pytest.mark.parametrize(
    "source, problem",
    [
        ("text\n\n> quoted", "line 3: blockquote is not possible"),
        ("```\ncode\n```", "line 1: fence is not possible"),
        ("<b>x</b>", "html inline is not possible in text"),
        ("<div>x</div>", "html block is not possible"),
        ("[text](https://example.org)", "link is not possible in text"),
        ("![alt](x.png)", "image is not possible in text"),
        ("---", "hr is not possible"),
        ("a  \nb", "hardbreak is not possible in text"),
        ("##### too deep", "heading of level 5; the deepest is 4"),
        ("# with *emphasis*", "a heading holds plain text only"),
        ("#", "a heading holds plain text only"),
        ("- \n- x", "a list item is empty"),
        ("- > quoted", "blockquote is not possible"),
        ("a\x07b", "control or unprintable character U+0007"),
    ],
)
def test_everything_else_is_a_problem_with_its_line(source, problem):
    blocks, problems = read_prose(source)
    assert len(problems) == 1 and problem in problems[0] and problems[0].startswith("line ")
    assert all(not isinstance(block, Heading) for block in blocks)


@pytest.mark.rule("DOC-15")
def test_all_problems_of_a_cell_are_listed():
    _, problems = read_prose("> a\n\nfine\n\n> b\n")
    assert [problem.partition(":")[0] for problem in problems] == ["line 1", "line 5"]


def test_an_empty_cell_has_nothing():
    assert read_prose("") == ([], [])
