"""The page of every heading, table and figure, as the PDF has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interim.errors import ReportError
from interim.report import editions
from interim.report.cache import Cache
from interim.report.content import Document, Paragraph, Section, Span
from interim.report.editions import Task
from interim.report.pdf import pdf_and_pages, write_pdf
from interim.report.traced import digest
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
    content, pages = pdf_and_pages(made)
    pdf = reading.open_pdf(content)
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
def test_a_written_file_tells_its_pages_on_any_paper(tmp_path):
    made = document()
    for paper in ("a4", "us-letter"):
        pages = write_pdf(made, tmp_path / "made.pdf", paper=paper)
        assert ((tmp_path / "made.pdf").read_bytes(), pages) == pdf_and_pages(made, paper=paper)
        assert pages.keys() == pdf_and_pages(made)[1].keys()
    assert pdf_and_pages(Document(sample.front(), ()))[1] == {}


@pytest.mark.rule("CHK-05")
def test_what_typst_says_is_passed_on():
    broken = replace(sample.figure("F 14.2.1"), svg="<svg")
    with pytest.raises(ReportError, match=r"the PDF cannot be made: .*SVG"):
        pdf_and_pages(Document(sample.front(), (broken,)))


@pytest.mark.rule("CHK-05")
def test_the_pages_of_a_file_are_kept_with_its_bytes(tmp_path, hand_inputs):
    first = Task(
        document(), tmp_path / "one.pdf", hand_inputs.study, Cache(tmp_path / "kept"), digest(document())
    )
    again = replace(first, path=tmp_path / "two.pdf", document=None)
    pages = first.write().pages
    assert pages == pdf_and_pages(document())[1]
    assert again.write().pages == pages
    assert again.path.read_bytes() == first.path.read_bytes()
    assert replace(first, path=tmp_path / "one.html").write().pages == {}


@pytest.mark.rule("CHK-05")
@pytest.mark.parametrize("workers", [1, 2])
def test_documents_of_a_later_step_learn_the_pages_of_the_leading_language(tmp_path, hand_inputs, workers):
    tasks = [
        Task(replace(document(), blocks=blocks), tmp_path / name, hand_inputs.study)
        for name, blocks in (("05_a.en.pdf", document().blocks), ("05_a.en.html", ()), ("06_b.en.pdf", ()))
    ]
    found = editions._write(tasks, workers)
    assert found["05_a.en.pdf"].pages == pdf_and_pages(document())[1]
    assert found["05_a.en.html"].pages == found["06_b.en.pdf"].pages == {}
