"""The page of every heading, table and figure, as the PDF has it."""

from __future__ import annotations

import pytest

from interim.errors import ReportError
from interim.report.content import Document, Paragraph, Section, Span
from interim.report.pdf import pages_of, pdf_bytes
from tests.report import pdf_reading as reading
from tests.report import writers_sample as sample


def document() -> Document:
    """Three sections; the second one begins with a table of a hundred rows, the third lies across."""
    text = Paragraph((Span("Text of the section."),))
    return Document(
        sample.front(),
        (
            Section(1, "1", "First part", "s-1"),
            text,
            Section(1, "2", "Second part", "s-2"),
            sample.table("T 14.1.1.1", rows=100),
            Section(2, "2.1", "Within the second", "s-2.1"),
            text,
            Section(1, "3", "Third part", "s-3"),
            sample.table("T 14.1.1.2", orientation="landscape"),
            sample.figure("F 14.2.1"),
        ),
    )


@pytest.mark.rule("CHK-05", source="read from the pages of the PDF by another library")
def test_pages_are_those_of_the_pdf():
    made = document()
    pages = pages_of(made)
    pdf = reading.open_pdf(pdf_bytes(made))
    texts = [page.extract_text() for page in pdf.pages]
    assert set(pages) == {
        "s-1",
        "s-2",
        "s-2.1",
        "s-3",
        *(block.anchor for block in (*made.tables, *made.figures)),
    }
    for section in made.sections:
        assert section.title in texts[pages[section.anchor] - 1].replace("\n", " ")
    for table in made.tables:
        assert table.label in texts[pages[table.anchor] - 1].replace("\n", " ")
    assert pages["s-1"] < pages["s-2.1"] < pages["s-3"] <= len(texts)
    assert pages["s-3"] == pages[made.tables[1].anchor]


@pytest.mark.rule("CHK-05")
def test_pages_depend_on_the_paper_only_where_the_room_does():
    made = document()
    assert pages_of(made, paper="us-letter").keys() == pages_of(made).keys()


@pytest.mark.rule("CHK-05")
def test_what_typst_says_is_passed_on(monkeypatch):
    assert pages_of(Document(sample.front(), ())) == {}
    monkeypatch.setattr("interim.report.pdf._template", lambda: b"#nonsense(")
    with pytest.raises(ReportError, match=r"the pages of the PDF cannot be told: .*unclosed"):
        pages_of(document())
