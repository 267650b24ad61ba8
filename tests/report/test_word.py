from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from functools import cache

import docx
import pytest
from docx.oxml.ns import qn

from interim.report.content import Cell, Document, Row, Section
from interim.report.page import room_mm
from interim.report.word import docx_bytes, write_docx
from interim.report.word_xml import twips
from tests.report import pdf_reading as reading
from tests.report.writers_sample import BLOCKS, bare, body_text, crowded, front, single, spans, table, whole


@cache
def made():
    return docx.Document(io.BytesIO(docx_bytes(whole())))


def shown(element) -> str:
    """Return the text of an element without hidden runs and the instructions of its fields."""
    runs = (run for run in element.iter(qn("w:r")) if run.find(f"{qn('w:rPr')}/{qn('w:vanish')}") is None)
    return "".join(part.text or "" for run in runs for part in run.iter(qn("w:t")))


def after_the_lists(book) -> list:
    """Return the body after the section of the title page and the contents."""
    children = list(book.element.body)
    first = next(
        i for i, child in enumerate(children) if child.find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is not None
    )
    return children[first + 1 :]


@pytest.mark.rule("DOC-01")
@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("name", BLOCKS)
def test_each_block_is_read_once_and_in_order(name):
    book = docx.Document(io.BytesIO(docx_bytes(single(name))))
    assert bare("".join(map(shown, after_the_lists(book)))) == body_text(single(name))


@pytest.mark.rule("DOC-01")
def test_a_whole_document_is_read_once_and_in_order():
    assert bare("".join(map(shown, after_the_lists(made())))) == body_text(whole())
    facts = whole().front
    title = [
        facts.study,
        facts.title,
        facts.subtitle,
        *facts.labels,
        *(part for line in facts.lines() for part in line),
    ]
    assert bare(shown(made().element.body)).startswith(bare("".join(title)) + "Contents")


@pytest.mark.rule("DOC-02")
def test_equal_documents_give_equal_bytes(tmp_path, monkeypatch):
    write_docx(whole(), tmp_path / "one.docx")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.time", lambda: 4e9)
    write_docx(whole(), tmp_path / "two.docx")
    assert (tmp_path / "one.docx").read_bytes() == (tmp_path / "two.docx").read_bytes()


@pytest.mark.rule("DOC-02")
def test_the_package_is_pinned():
    with zipfile.ZipFile(io.BytesIO(docx_bytes(whole()))) as archive:
        entries = archive.infolist()
        assert archive.testzip() is None
    assert {entry.date_time for entry in entries} == {(2026, 1, 31, 12, 30, 58)}
    assert [entry.filename for entry in entries][1:] == sorted(entry.filename for entry in entries[1:])
    assert entries[0].filename == "[Content_Types].xml"
    assert not any(entry.extra or entry.comment for entry in entries)
    assert not any("thumbnail" in entry.filename for entry in entries)


@pytest.mark.rule("DOC-10")
def test_properties_come_from_the_document():
    facts, found = whole().front, made().core_properties
    assert (found.title, found.subject, found.category) == (facts.title, facts.subtitle, facts.study)
    assert (found.author, found.last_modified_by, found.version, found.language) == (
        "interim",
        "interim",
        "0.1.0",
        "en",
    )
    assert found.created == found.modified == facts.timestamp
    assert found.keywords == "SYNTHETIC - NOT PATIENT DATA, DRAFT"
    assert made().styles.element.find(f".//{qn('w:lang')}").get(qn("w:val")) == "en"


@pytest.mark.rule("DOC-10")
def test_headings_have_built_in_styles():
    found = [(p.style.name, p.text) for p in made().paragraphs if p.style.name.startswith("Heading")]
    assert found == [(f"Heading {s.level}", f"{s.number} {s.title}") for s in whole().sections]


@pytest.mark.rule("DOC-10")
def test_captions_have_a_field_and_stay_with_their_table():
    captions = [p for p in made().paragraphs if p.style.style_id == "Caption"]
    codes = ["".join(code.text for code in p._p.iter(qn("w:instrText"))).split() for p in captions]
    tlfs = [block for block in whole().blocks if hasattr(block, "label")]
    assert codes == [["SEQ", "Figure" if block.id[0] == "F" else "Table", "\\h"] for block in tlfs]
    assert [shown(p._p) for p in captions] == [f"{b.label} {b.title} — {b.population}" for b in tlfs]
    assert made().styles["Caption"].paragraph_format.keep_with_next


@pytest.mark.rule("DOC-10")
def test_lists_are_filled_and_marked():
    body = made().element.body
    dirty = [mark for mark in body.iter(qn("w:fldChar")) if mark.get(qn("w:dirty"))]
    assert len(dirty) == 3
    codes = [
        code.text.strip() for code in body.iter(qn("w:instrText")) if code.text.strip().startswith("TOC")
    ]
    assert codes == ['TOC \\o "1-4" \\h \\z \\u', 'TOC \\h \\z \\c "Table"', 'TOC \\h \\z \\c "Figure"']
    links = {link.get(qn("w:anchor")): shown(link) for link in body.iter(qn("w:hyperlink"))}
    names = [mark.get(qn("w:name")) for mark in body.iter(qn("w:bookmarkStart"))]
    assert sorted(links) == sorted(names) and len(set(names)) == len(names)
    assert links["s_3_1_1_1"] == "3.1.1.1 Deeper" and links["f_14_2_1"].startswith("Figure 14.2.1 Change")


@pytest.mark.rule("DOC-10")
def test_fields_are_balanced():
    for part in (made().element.body, *(s.footer._element for s in made().sections)):
        depth = 0
        for mark in part.iter(qn("w:fldChar")):
            depth += {"begin": 1, "separate": 0, "end": -1}[mark.get(qn("w:fldCharType"))]
            assert depth >= 0
        assert depth == 0


@pytest.mark.rule("DOC-04")
@pytest.mark.rule("DOC-10")
def test_header_rows_repeat_and_rows_do_not_split():
    for block, found in zip(whole().tables, made().tables, strict=True):
        rows = list(found._tbl.iter(qn("w:tr")))
        repeated = [row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in rows]
        assert repeated == [True] * len(block.header) + [False] * len(block.rows)
        assert all(row.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in rows)


@pytest.mark.rule("DOC-05")
def test_columns_fill_the_page_and_cells_agree_with_the_grid():
    for block, found in zip(whole().tables, made().tables, strict=True):
        grid = [int(column.get(qn("w:w"))) for column in found._tbl.iter(qn("w:gridCol"))]
        assert abs(sum(grid) - twips(room_mm("a4", block.orientation)[0])) <= len(grid)
        for row in found._tbl.iter(qn("w:tr")):
            assert sum(int(cell.get(qn("w:w"))) for cell in row.iter(qn("w:tcW"))) == sum(grid)


@pytest.mark.rule("DOC-09")
@pytest.mark.rule("DOC-10")
def test_a_section_per_orientation_with_own_header_and_footer():
    runs, sections = whole().runs(), made().sections
    assert [s.page_width > s.page_height for s in sections] == [
        False,
        *(run.orientation == "landscape" for run in runs),
    ]
    assert not any(s.header.is_linked_to_previous or s.footer.is_linked_to_previous for s in sections)
    assert len({s.footer.part.partname for s in sections}) == len(sections)


@pytest.mark.rule("DOC-08")
def test_header_and_footer_carry_study_labels_and_origin():
    facts = whole().front
    for section in made().sections:
        assert section.header.paragraphs[0].text == f"{facts.study}\tSYNTHETIC - NOT PATIENT DATA · DRAFT"
        assert section.footer.paragraphs[0].text == f"{facts.footer()}\tPage 1 of 1"
        codes = [code.text.strip() for code in section.footer._element.iter(qn("w:instrText"))]
        assert codes == ["PAGE", "NUMPAGES"]


@pytest.mark.rule("DOC-10")
def test_pictures_have_alternatives_unique_ids_and_fit_the_page():
    pictures = list(made().element.body.iter(qn("wp:docPr")))
    assert [picture.get("descr") for picture in pictures] == [figure.alt for figure in whole().figures]
    assert len({picture.get("id") for picture in pictures}) == len(pictures)
    for extent, figure in zip(made().element.body.iter(qn("wp:extent")), whole().figures, strict=True):
        width, height = (int(extent.get(side)) / 36000 for side in ("cx", "cy"))
        room = room_mm("a4", figure.orientation)
        assert width <= min(figure.width_mm, room[0]) + 0.1 and height < room[1]
        wide, high = {"F 14.2.3": (30, 90)}.get(figure.id, (60, 30))
        assert width / height == pytest.approx(wide / high, rel=0.01)


@pytest.mark.rule("DOC-10")
def test_lists_start_where_they_should():
    numbering = made().part.numbering_part.element
    starts = {
        num.get(qn("w:numId")): num.find(f".//{qn('w:startOverride')}")
        for num in numbering.findall(qn("w:num"))
    }
    found = []
    for paragraph in made().element.body.iter(qn("w:p")):
        place = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        if place is not None:
            start = starts[place.find(qn("w:numId")).get(qn("w:val"))]
            found.append(
                (
                    shown(paragraph)[:6],
                    place.find(qn("w:ilvl")).get(qn("w:val")),
                    None if start is None else start.get(qn("w:val")),
                )
            )
    assert found == [
        ("first ", "0", None),
        ("third", "1", "3"),
        ("fourth", "1", "3"),
        ("second", "0", None),
        ("five", "0", "5"),
        ("six", "0", "5"),
    ]


@pytest.mark.rule("DOC-10")
def test_every_style_that_is_used_exists():
    known = {style.style_id for style in made().styles}
    used = {
        mark.get(qn("w:val"))
        for tag in ("w:pStyle", "w:rStyle", "w:tblStyle")
        for mark in made().element.body.iter(qn(tag))
    }
    assert used <= known


def test_the_paper_can_be_letter():
    section = docx.Document(io.BytesIO(docx_bytes(single("paragraph"), paper="us-letter"))).sections[0]
    assert (round(section.page_width.inches, 2), round(section.page_height.inches, 2)) == (8.5, 11.0)


def test_a_plain_document_has_no_lists_of_tables():
    plain = Document(front(labels=(), subtitle=""), (Section(1, "1", "Only", "s-1"), spans("Text.")))
    book = docx.Document(io.BytesIO(docx_bytes(plain)))
    assert [p.text for p in book.paragraphs if p.style.style_id == "TOCHeading"] == ["Contents"]
    assert len(docx.Document(io.BytesIO(docx_bytes(Document(front(), ())))).sections) == 1


@pytest.mark.rule("DOC-04")
@pytest.mark.parametrize(
    "rows, notes, kept",
    [
        (15, True, range(15)),
        (15, False, range(14)),
        (16, True, range(11, 16)),
        (16, False, range(11, 15)),
        (1, True, range(1)),
    ],
)
def test_a_short_table_stays_together_and_notes_stay_with_the_last_rows(rows, notes, kept):
    block = table(rows=40)
    block = replace(block, rows=block.rows[1 : rows + 1], footnotes=("Note.",) if notes else (), labels=())
    book = docx.Document(io.BytesIO(docx_bytes(Document(front(), (Section(1, "1", "Only", "s-1"), block)))))
    lines = [row for row in book.tables[0]._tbl.iter(qn("w:tr"))][len(block.header) :]
    found = [number for number, row in enumerate(lines) if row.find(f".//{qn('w:keepNext')}") is not None]
    assert found == list(kept)


@pytest.mark.rule("DOC-04")
def test_a_table_of_few_high_rows_may_be_torn_between_them():
    """Kept together it would leave its heading and caption alone on the page before it."""
    high = Row("data", 0, (Cell("Evidence. " * 60), *(Cell("1/2"),) * 4))
    block = replace(table(), rows=(high,) * 8, footnotes=(), labels=())
    book = docx.Document(io.BytesIO(docx_bytes(Document(front(), (Section(1, "1", "Only", "s-1"), block)))))
    lines = [row for row in book.tables[0]._tbl.iter(qn("w:tr"))][len(block.header) :]
    found = [number for number, row in enumerate(lines) if row.find(f".//{qn('w:keepNext')}") is not None]
    assert found == [6]


def test_word_elements_stand_in_the_order_of_the_schema():
    order = ["pStyle", "keepNext", "keepLines", "pageBreakBefore", "numPr", "tabs", "ind", "jc", "sectPr"]
    for properties in made().element.body.iter(qn("w:pPr")):
        names = [order.index(child.tag.rpartition("}")[2]) for child in properties]
        assert names == sorted(names)
    order = ["rStyle", "b", "i", "vanish", "color", "sz", "szCs"]
    for properties in made().element.body.iter(qn("w:rPr")):
        names = [order.index(child.tag.rpartition("}")[2]) for child in properties]
        assert names == sorted(names)


@pytest.mark.rule("DOC-04")
@pytest.mark.rule("DOC-10")
def test_an_office_suite_opens_it(tmp_path):
    office = shutil.which("libreoffice")
    if office is None:
        pytest.skip("no office suite to read the file with")
    write_docx(whole(), tmp_path / "r.docx")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [
        office,
        profile,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        os.fspath(tmp_path),
        os.fspath(tmp_path / "r.docx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pages = [bare(page.extract_text()) for page in reading.open_pdf((tmp_path / "r.pdf").read_bytes()).pages]
    for number, page in enumerate(pages, 1):
        assert bare(f"Page {number} of {len(pages)}") in page and "SYNTHETIC" in page
    text = "".join(pages)
    assert all(f"Row{number}{number}/" in text for number in range(4, 200))
    assert sum("ItemofT14.1.2" in page for page in pages) >= 4
    assert bare(crowded().rows[-1].cells[-1].text)[-6:] in text


@pytest.mark.rule("PKG-03")
@pytest.mark.parametrize(("form", "room"), [("sheet", [0]), ("report", [])])
def test_the_title_of_a_sheet_stands_at_the_head_of_its_page(form, room):
    first = docx.Document(io.BytesIO(docx_bytes(replace(whole(), form=form)))).paragraphs[0]
    assert first.style.name == "Study"
    own = first._p.pPr.findall(qn("w:spacing"))
    assert [int(one.get(qn("w:before"))) for one in own] == room
