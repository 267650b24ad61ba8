"""Odd texts, long words and tables of every size in all three formats: each printed once, as itself, with its numbers."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import pytest
from lxml import etree, html

from interim.errors import ReportError
from interim.report.blocks import read_block
from interim.report.content import Cell, Document, HeaderCell, ListBlock, Paragraph, Row, Section, Span
from interim.report.html import html_text
from interim.report.pdf import pdf_bytes
from interim.report.word import docx_bytes
from tests.report.test_blocks import TABLE, changed
from tests.report.writers_sample import bare, body_text, figure, front, table

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
ODD = {
    "markup": "# @ $ { \\ < > & _ * ` ~ [x] #let $x$ \\begin{a} {{x}} %s %(a)s ${HOME}",
    "code": '#read("/etc/passwd") #import "x" #panic() @label <label>',
    "comments": "// not a comment /* nor this */ <!-- nor this -->",
    "entities": "&lt; &amp;amp; &#65; &nbsp; ]]> <![CDATA[x",
    "quotes": "'a' \"b\" \u201cc\u201d \u2018d\u2019 `e`",
    "dashes": "a--b a---b a...b a~b 1-2 \u22125 \u20135",
    "shorthands": "-- --- -? ... = == + - / term: x \u00bd 1. 2)",
    "long word": "Pneumonoultramicroscopicsilicovolcanoconiosis" * 6,
    "no blanks": "A" * 400,
    "blanks": "a  b   c",
    "symbols": "\u2265 \u2264 \u00b1 \u00b5 \u00d7 \u00b2 \u03b1 \u2020 \u2021 \u00a7",
    "letters": "\u00e9 \u00fc \u00df \u00f1 \u0142 \u015f",
    "right to left": "\u05d0\u05d1\u05d2 abc 12",
    "hyphens": "soft\u00adhyphen non\u2011breaking",
}


def document(text: str) -> Document:
    """Return a document that has a text wherever a writer can print one."""
    blocks = (
        Section(1, "1", f"H {text}", "s-1"),
        Paragraph((Span(f"P {text}"), Span(f" C {text}", code=True), Span(" S", strong=True))),
        Paragraph((Span(f"B {text}", emphasis=True),), "box"),
        ListBlock(True, 3, ((Paragraph((Span(f"L {text}"),)),),)),
        replace(
            table(columns=2, title=f"T {text}", population="FAS", footnotes=(f"N {text}",)),
            header=((HeaderCell("item"), HeaderCell(f"K {text}", 1, ("a/b/c/-/N",))),),
            rows=(Row("section", 0, (Cell(f"R {text}"),)), Row("data", 3, (Cell(f"D {text}"), Cell("1/2", ("a/b/c/-/r",))))),
        ),
        figure(title=f"F {text}", footnotes=(f"M {text}",), alt=f"A {text} of 12 participants"),
    )  # fmt: skip
    return Document(front(title=f"Report {text}", subtitle="", details=((f"Q {text}", text),)), blocks)


def word_part(data: bytes, name: str = "word/document.xml"):
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        for part in package.namelist():
            if part.endswith((".xml", ".rels")):
                etree.fromstring(package.read(part))
        return etree.fromstring(package.read(name))


def word_text(data: bytes) -> str:
    return bare("".join(node.text or "" for node in word_part(data).iter(f"{W}t")))


@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("name", list(ODD))
def test_html_prints_an_odd_text_as_itself_and_once_per_place(name):
    text = ODD[name]
    page = html.fromstring(html_text(document(text)))
    body = bare(page.find(".//main").text_content())
    for letter in "HPCBLTNKRDFM":
        assert body.count(bare(f"{letter} {text}")) == 1, letter
    assert page.findtext(".//h1") == f"Report {text}"
    assert not page.xpath("//script | //main//a[@href and not(starts-with(@href, '#'))]")


@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("name", list(ODD))
def test_word_prints_an_odd_text_as_itself_and_once_per_place(name):
    text = ODD[name].replace("\u00ad", "").replace("\u2011", "-") if name == "hyphens" else ODD[name]
    body = word_text(docx_bytes(document(text)))
    for letter in "PCBLNKRDM":
        assert body.count(bare(f"{letter} {text}")) == 1, letter
    for letter in "HTF":
        assert body.count(bare(f"{letter} {text}")) >= 1, letter


@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("name", [name for name in ODD if name not in ("hyphens", "blanks")])
def test_the_pdf_is_made_of_an_odd_text_and_reads_no_file(name):
    data = pdf_bytes(document(ODD[name]))
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert b"root:x" not in data and not re.search(rb"/JavaScript|/Launch|/EmbeddedFile ", data)


@pytest.mark.rule("DOC-07")
@pytest.mark.parametrize("text", ["\U0001f9ec", "\u0e01"])
def test_scripts_without_a_font_stop_the_pdf_by_name_and_are_whole_elsewhere(text):
    paper = Document(front(), (Section(1, "1", "One", "s-1"), Paragraph((Span(f"x {text} y"),))))
    with pytest.raises(ReportError, match=f"U\\+{ord(text[0]):04X}"):
        pdf_bytes(paper)
    assert f"x {text} y" in html.fromstring(html_text(paper)).find(".//main").text_content()
    assert bare(f"x {text} y") in word_text(docx_bytes(paper))


@pytest.mark.rule("DOC-01")
@pytest.mark.parametrize("rows", [1, 2, 24, 25, 26, 200])
@pytest.mark.parametrize("columns", [2, 12])
def test_tables_of_every_size_keep_each_cell_once_and_in_order(rows, columns):
    paper = Document(front(), (Section(1, "1", "One", "s-1"), table(rows=rows, columns=columns)))
    page = html.fromstring(html_text(paper))
    cells = [bare(cell.text_content()) for cell in page.xpath("//main//tbody//td | //main//tbody//th")]
    wanted = [bare(cell.text) for row in paper.blocks[1].rows for cell in row.cells]
    assert cells == wanted
    word = word_part(docx_bytes(paper))
    (grid,) = [one for one in word.iter(f"{W}tbl")][-1:]
    found = [bare("".join(t.text or "" for t in cell.iter(f"{W}t"))) for cell in grid.iter(f"{W}tc")]
    assert [cell for cell in found if cell in set(wanted)] == wanted


@pytest.mark.rule("DOC-14")
@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (["rows"], [], "has no rows; say in a row that there is nothing to show"),
        (["header"], [], "has no header"),
        (["align"], [], "align needs left, center or right"),
        (["widths"], [1], "widths needs 2 numbers"),
        (["widths"], [1, 0], "widths needs 2 numbers"),
        (["widths"], [1, float("nan")], "widths needs 2 numbers"),
        (["widths"], [1, 10**400], "widths needs 2 numbers"),
        (["footnotes"], ["a\tb"], "U+0009"),
        (["title"], "\ufffe", "U+FFFE"),
    ],
)
def test_an_empty_or_impossible_table_is_refused_before_any_writer(path, value, problem):
    found, problems = read_block(changed(TABLE, path, value))
    assert found is None and any(problem in line for line in problems), problems


@pytest.mark.rule("DOC-01")
@pytest.mark.parametrize("cells", [("",), ("", ""), ("\u00a0", "-"), ("0", "NE")])
def test_cells_without_a_text_keep_their_place(cells):
    one = replace(
        table(columns=len(cells)),
        header=(tuple(HeaderCell(f"h{n}") for n in range(len(cells))),),
        rows=(Row("data", 0, tuple(map(Cell, cells))), Row("data", 0, tuple(Cell("x") for _ in cells))),
        align=("left",) * len(cells),
        widths=(1.0,) * len(cells),
    )
    paper = Document(front(), (Section(1, "1", "One", "s-1"), one))
    rows = html.fromstring(html_text(paper)).xpath("//main//tbody/tr")
    assert [len(row) for row in rows] == [len(cells)] * 2
    assert pdf_bytes(paper).startswith(b"%PDF-")
    (grid,) = [found for found in word_part(docx_bytes(paper)).iter(f"{W}tbl")][-1:]
    assert {len(row.findall(f"{W}tc")) for row in grid.iter(f"{W}tr")} >= {len(cells)}


@pytest.mark.rule("DOC-10")
@pytest.mark.parametrize(("length", "kept"), [(0, 0), (1, 1), (254, 254), (255, 255), (256, 255), (900, 255)])
def test_a_long_title_of_a_study_is_cut_in_the_properties_and_whole_on_its_page(length, kept):
    title = "x" * length
    data = docx_bytes(Document(front(subtitle=title, labels=(title,)), ()))
    core = word_part(data, "docProps/core.xml")
    subject = core.findtext("{http://purl.org/dc/elements/1.1/}subject") or ""
    assert len(subject) == kept and subject.endswith("\u2026") == (length > 255)
    assert title in word_text(data)


@pytest.mark.rule("DOC-02")
@pytest.mark.parametrize(
    "write", [lambda d: html_text(d).encode(), docx_bytes, pdf_bytes], ids=["html", "docx", "pdf"]
)
def test_odd_documents_repeat_to_the_byte(write):
    assert write(document(ODD["markup"])) == write(document(ODD["markup"]))


def test_the_body_of_the_sample_is_what_is_compared():
    assert bare("P " + ODD["markup"]) in body_text(document(ODD["markup"]))
