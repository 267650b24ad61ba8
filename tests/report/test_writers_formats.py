"""The formats of a study decide which files are written, in which order, and on which paper."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import docx
import pytest

from interim.report.writers import write_formats
from tests.report import pdf_reading as reading
from tests.report.writers_sample import single


def study(*formats: str, paper: str = "a4", standards=("a-2a", "ua-1")):
    """Return the part of a study that the writers read."""
    return SimpleNamespace(
        report=SimpleNamespace(formats=formats), pdf=SimpleNamespace(paper=paper, standards=standards)
    )


@pytest.mark.rule("RUN-01")
@pytest.mark.parametrize("formats", [("html",), ("rtf", "html"), ("docx",), ("html", "pdf", "docx", "rtf")])
def test_each_format_is_a_file_in_the_order_of_the_study(formats, tmp_path):
    paths = write_formats(single("table"), tmp_path, stem="x", study=study(*formats))
    assert [path.name for path in paths] == [f"x.{name}" for name in formats]
    assert {path.name for path in tmp_path.iterdir()} == {f"x.{name}" for name in formats}
    starts = {"html": b"<!DOCTYPE html>", "pdf": b"%PDF-1.7", "docx": b"PK\x03\x04", "rtf": b"{\\rtf1"}
    assert all(path.read_bytes().startswith(starts[path.suffix[1:]]) for path in paths)


@pytest.mark.rule("DOC-09")
@pytest.mark.parametrize(("paper", "width", "height"), [("a4", 210, 297), ("us-letter", 215.9, 279.4)])
def test_all_paged_formats_have_the_paper_of_the_study(paper, width, height, tmp_path):
    pdf, word, rtf = write_formats(
        single("table"), tmp_path, stem="x", study=study("pdf", "docx", "rtf", paper=paper)
    )
    box = reading.open_pdf(pdf.read_bytes()).pages[-1].mediabox
    assert float(box.width) == pytest.approx(width / 25.4 * 72, abs=0.1)
    assert float(box.height) == pytest.approx(height / 25.4 * 72, abs=0.1)
    section = docx.Document(io.BytesIO(word.read_bytes())).sections[-1]
    assert section.page_width.mm == pytest.approx(width, abs=0.1)
    assert section.page_height.mm == pytest.approx(height, abs=0.1)
    sizes = re.findall(r"\\pgwsxn(\d+)\\pghsxn(\d+)", rtf.read_text(encoding="ascii"))
    assert len(set(sizes)) == 1
    assert [int(n) / 1440 * 25.4 for n in sizes[0]] == pytest.approx([width, height], abs=0.02)


@pytest.mark.rule("DOC-06")
def test_the_standards_are_those_of_the_study(tmp_path):
    (path,) = write_formats(
        single("table"), tmp_path, stem="x", study=study("pdf", standards=("a-3a", "ua-1"))
    )
    data = path.read_bytes()
    assert b"<pdfaid:part>3</pdfaid:part>" in data
    assert b"<pdfuaid:part>1</pdfuaid:part>" in data
