from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.report.content import Document, Section, block_texts
from tests.report.writers_sample import NESTED, TEXT, figure, front, spans, table, whole


def way(*letters):
    """Return a document of S(ection), X (text), L(ong text), p(ortrait table), l(andscape table)."""
    made = []
    for number, letter in enumerate(letters, 1):
        if letter == "S":
            made.append(Section(1, str(number), f"Chapter {number}", f"s-{number}"))
        elif letter in "XL":
            made.append(spans(f"text {number}" + " word" * (200 if letter == "L" else 0)))
        else:
            made.append(
                table(
                    f"T {number}",
                    rows=16 if letter == "p" else 1,
                    orientation="landscape" if letter == "l" else "portrait",
                )
            )
    return Document(front(), tuple(made))


@pytest.mark.rule("DOC-09")
@pytest.mark.parametrize(
    "letters, expected",
    [
        ("", ""),
        ("SX", "pp"),
        ("Sl", "ll"),
        ("SSl", "lll"),
        ("SXl", "lll"),
        ("lXl", "lll"),
        ("lXSl", "llll"),
        ("lXp", "lpp"),
        ("lX", "ll"),
        ("lSX", "lll"),
        ("lSXXXX", "llllll"),
        ("lL", "lp"),
        ("lLXX", "lppp"),
        ("lStl", "llll"),
        ("lpl", "lpl"),
        ("lttl", "lppl"),
        ("lXStXl", "llllll"),
        ("tl", "pl"),
        ("ltSX", "lppp"),
        ("lSp", "lpp"),
        ("pSl", "pll"),
        ("SpSXlXlS", "ppll" + "llll"),
        ("SXSl", "ppll"),
        ("XSXl", "plll"),
        ("Xl", "pl"),
        ("SXpXl", "ppppl"),
        ("SLl", "ppl"),
        ("SXLl", "pppl"),
        ("SXXl", "llll"),
        ("lXXl", "llll"),
        ("pXp", "ppp"),
    ],
)
def test_pages_lie_as_their_content_needs(letters, expected):
    found = "".join(run.orientation[0] * len(run.blocks) for run in way(*letters).runs())
    assert found == expected


@pytest.mark.rule("PKG-03")
@pytest.mark.parametrize(
    "letters, places",
    [
        ("", ""),
        ("pp", " *"),
        ("pSp", " * "),
        ("pSSp", " *  "),
        ("pSXp", " *  "),
        ("pSSXXp", " *    "),
        ("pXp", "  *"),
        ("pXSXp", "  *  "),
        ("SXpp", "   *"),
        ("pSLp", " *  "),
        ("pSl", "   "),
        ("lSXl", " *  "),
    ],
)
def test_in_an_appendix_a_page_begins_with_the_headings_and_text_of_its_table(letters, places):
    document = replace(way(*letters), form="appendix")
    assert "".join(" *"[new] for new in document.fresh()) == places
    assert not any(way(*letters).fresh())


@pytest.mark.rule("DOC-09")
def test_in_an_appendix_a_short_table_lies_as_it_is_made():
    assert [run.orientation[0] for run in replace(way(*"ltl"), form="appendix").runs()] == ["l", "p", "l"]


@pytest.mark.rule("DOC-09")
@settings(max_examples=50, deadline=None)
@given(st.text("SXpl", max_size=12))
def test_runs_keep_every_block_and_alternate(letters):
    document = way(*letters)
    runs = document.runs()
    assert tuple(block for run in runs for block in run.blocks) == document.blocks
    assert all(one.orientation != other.orientation for one, other in itertools.pairwise(runs))
    for run in runs:
        assert {b.orientation for b in run.blocks if hasattr(b, "orientation")} <= {run.orientation}


@pytest.mark.rule("DOC-01")
def test_texts_of_a_block_stand_in_reading_order():
    assert list(block_texts(figure())) == [
        "Figure 14.2.1",
        "Change of the sum of diameters 1",
        "FAS",
        "One line per participant.",
        "DRAFT",
    ]
    assert list(block_texts(NESTED))[:4] == ["first bullet", "third", "fourth", "and more of it"]
    assert "".join(block_texts(TEXT)).endswith(" both 3/18 (16.7%).")
    small = table(rows=1, columns=2, footnotes=("Note.",))
    assert list(block_texts(small))[3:] == [
        "CAR-T dose level",
        "Item of T 14.1.1",
        "DL1\nN=11",
        "Part 0 of T 14.1.1",
        "Row 0",
        "0/1 (0.5%)",
        "Note.",
        "DRAFT",
    ]


def test_lists_of_a_document():
    document = whole()
    assert [s.number for s in document.sections] == ["1", "1.1", "1.2", "2", "3", "3.1", "3.1.1", "3.1.1.1"]
    assert [t.id for t in document.tables] == ["T 14.1.1", "T 14.1.2", "L 16.2.1", "T 14.9.9"]
    assert [f.id for f in document.figures] == ["F 14.2.2", "F 14.2.1", "F 14.2.3"]
    assert list(document.texts())[:2] == ["1", "Administrative"]


@pytest.mark.rule("DOC-08")
@pytest.mark.parametrize(
    "changes, footer, lines",
    [
        ({}, "Data cut-off 2026-01-31 · Data hash 0123456789ab · Revision 0.1.0", 4),
        ({"revision": ""}, "Data cut-off 2026-01-31 · Data hash 0123456789ab", 3),
        ({"cut_off": "", "snapshot": "", "revision": "", "details": (("Version", ""),)}, "", 0),
    ],
)
def test_origin_leaves_out_what_is_unknown(changes, footer, lines):
    assert front(**changes).footer() == footer and len(front(**changes).lines()) == lines


def test_an_unknown_language_has_no_words():
    with pytest.raises(KeyError):
        Document(front(language="tlh"), ())
