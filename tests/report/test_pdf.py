from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import pytest

from interim.errors import ReportError
from interim.report.content import (
    Cell,
    Document,
    Figure,
    HeaderCell,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    block_texts,
)
from interim.report.page import BOTTOM_MM, MARGIN_MM, TOP_MM
from interim.report.pdf import pdf_bytes, write_pdf
from tests.report import pdf_reading as reading
from tests.report.writers_sample import (
    BLOCKS,
    bare,
    body_text,
    crowded,
    figure,
    front,
    single,
    spans,
    table,
    whole,
)

POINT = 72 / 25.4
HEAD = ((HeaderCell("Item"), HeaderCell("Value")),)


@cache
def made(paper="a4"):
    return reading.open_pdf(pdf_bytes(whole(), paper=paper))


@cache
def drawn(paper="a4"):
    return reading.pieces(made(paper))


def document(*blocks, **changes) -> Document:
    return Document(front(**changes), (Section(1, "1", "Only chapter", "s-1"), *blocks))


@pytest.mark.rule("DOC-01")
@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("name", BLOCKS)
def test_each_block_is_read_once_and_in_order(name):
    text = bare(reading.read_in_order(reading.open_pdf(pdf_bytes(single(name)))))
    assert text.count(body_text(single(name))) == 1
    assert text.endswith(body_text(single(name)))


@pytest.mark.rule("DOC-01")
def test_a_whole_document_is_read_once_and_in_order():
    text = bare(reading.read_in_order(made()))
    facts = whole().front
    title = [
        facts.study,
        facts.title,
        facts.subtitle,
        *facts.labels,
        *(part for line in facts.lines() for part in line),
    ]
    assert text == bare("".join(title)) + "ContentsTablesFigures" + body_text(whole())


@pytest.mark.rule("DOC-02")
def test_equal_documents_give_equal_bytes_from_any_folder(tmp_path, monkeypatch):
    write_pdf(whole(), tmp_path / "one.pdf")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    write_pdf(whole(), tmp_path / "two.pdf")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    assert made().metadata["/CreationDate"].startswith("D:20260131123059")


@pytest.mark.rule("DOC-06")
def test_tags_language_standards_fonts_and_title():
    root = made().trailer["/Root"]
    data = root["/Metadata"].get_object().get_data().decode()
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en"
    assert "<pdfaid:part>2<" in data and "<pdfaid:conformance>A<" in data and "<pdfuaid:part>1<" in data
    assert all(font.embedded for font in reading.fonts(made()))
    assert made().metadata["/Title"] == whole().front.title
    assert made().page_labels == [str(page) for page in range(1, len(made().pages) + 1)]


@pytest.mark.rule("DOC-06")
def test_another_standard_and_paper():
    reader = reading.open_pdf(pdf_bytes(single("paragraph"), standards=("a-3a", "ua-1"), paper="us-letter"))
    assert "<pdfaid:part>3<" in reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [612, 792]


@pytest.mark.rule("DOC-06")
def test_a_standard_that_does_not_exist_is_a_clear_error():
    with pytest.raises((ReportError, ValueError), match="a-9z"):
        pdf_bytes(single("paragraph"), standards=("a-9z",))


def titles(items, depth=0):
    for item in items:
        if isinstance(item, list):
            yield from titles(item, depth + 1)
        else:
            yield depth + 1, item.title


@pytest.mark.rule("DOC-06")
def test_a_bookmark_for_every_heading():
    expected = [(section.level, f"{section.number} {section.title}") for section in whole().sections]
    found = list(titles(made().outline))
    assert [title for _, title in found[:3]] == ["Contents", "Tables", "Figures"]
    assert [(level, bare(title)) for level, title in found[3:]] == [
        (level, bare(title)) for level, title in expected
    ]


@pytest.mark.rule("DOC-06")
def test_every_figure_has_its_text_alternative_and_tables_have_headers():
    tags = reading.tags(made())
    assert [tag["/Alt"] for kind, tag in tags if kind == "/Figure"] == [f.alt for f in whole().figures]
    kinds = Counter(kind for kind, _ in tags)
    tables = whole().tables
    assert kinds["/Table"] == len(tables)
    assert kinds["/TH"] == sum(len(row) for t in tables for row in t.header) + sum(
        r.kind == "section" for t in tables for r in t.rows
    )
    assert kinds["/TD"] == sum(len(row.cells) for t in tables for row in t.rows if row.kind == "data")
    assert [kinds[f"/H{level}"] for level in (1, 2, 3, 4)] == [3 + 3, 3, 1, 1]


@pytest.mark.rule("DOC-04")
def test_two_hundred_rows_have_two_hundred_places():
    places = {}
    for piece in drawn():
        word = piece.text.strip()
        if piece.mark is not None and word.startswith("Row "):
            places.setdefault(word.split(" #")[0], []).append((piece.page, round(piece.y, 1)))
    rows = [place for number in range(200) for place in places[f"Row {number}"]]
    assert len(rows) == 200 + 40 + 6
    assert len(set(rows)) == len(rows)


@pytest.mark.rule("DOC-04")
@pytest.mark.parametrize("paper", ["a4", "us-letter"])
def test_nothing_overlaps(paper):
    by_page: dict[int, list] = {}
    for piece in drawn(paper):
        if piece.text.strip():
            by_page.setdefault(piece.page, []).append(piece)
    for found in by_page.values():
        found.sort(key=lambda piece: piece.x)
        for place, one in enumerate(found):
            for other in found[place + 1 :]:
                if other.x > one.x + one.width - 0.5:
                    break
                assert abs(one.y - other.y) > 0.55 * min(one.size, other.size), (one, other)


@pytest.mark.rule("DOC-04")
@pytest.mark.parametrize("paper", ["a4", "us-letter"])
def test_nothing_leaves_the_margins(paper):
    sizes = [[float(side) for side in page.mediabox[2:]] for page in made(paper).pages]
    for piece in drawn(paper):
        width, height = sizes[piece.page]
        assert piece.x > MARGIN_MM * POINT - 0.5
        assert (
            piece.x + len(piece.text.rstrip()) / max(len(piece.text), 1) * piece.width
            < width - MARGIN_MM * POINT + 1
        ), piece
        if piece.mark is not None:
            assert BOTTOM_MM * POINT - 1 < piece.y < height - TOP_MM * POINT + 1, piece


@pytest.mark.rule("DOC-04")
def test_header_rows_repeat_on_every_page_of_a_long_table():
    long = [piece for piece in drawn() if "Item of T 14.1.2" in piece.text]
    rows = {
        p.page
        for p in drawn()
        if p.text.strip() in {f"Row {n}" for n in range(45, 200)} and made().pages[p.page].mediabox[2] < 600
    }
    assert len(rows) >= 3 and rows <= {piece.page for piece in long}
    assert [piece.mark is not None for piece in long] == [True] + [False] * (len(long) - 1)


@pytest.mark.rule("DOC-04")
def test_a_row_is_not_torn_apart_unless_it_is_very_long():
    """Rows of eight lines, which do not divide the page, then one of more than a page."""
    words = ["\n".join(f"r{n}{letter}" for letter in "abcdefgh") for n in range(24)]
    tall = "\n".join(f"z{n}" for n in range(120))
    rows = tuple(Row("data", 0, (Cell(text), Cell("-"))) for text in (*words, tall))
    long = replace(table(columns=2), header=HEAD, align=("left", "left"), rows=rows)
    found = reading.pieces(reading.open_pdf(pdf_bytes(document(long))))
    page = {piece.text.strip(): piece.page for piece in found if piece.mark is not None}
    assert all(len({page[f"r{n}{letter}"] for letter in "abcdefgh"}) == 1 for n in range(24))
    assert len({page[f"r{n}a"] for n in range(24)}) >= 3
    assert page["z119"] > page["z0"]


@pytest.mark.rule("DOC-04")
def test_a_short_table_is_not_torn_apart():
    filler = [spans("Filler. " * 110) for _ in range(3)]
    for lines in range(0, 14, 2):
        blocks = [*filler, *[spans("x")] * lines, table(rows=12)]
        found = reading.pieces(reading.open_pdf(pdf_bytes(document(*blocks))))
        pages = {
            piece.page
            for piece in found
            if piece.mark is not None and ("Row " in piece.text or "CP exact" in piece.text)
        }
        assert len(pages) == 1


@pytest.mark.rule("DOC-04")
@pytest.mark.parametrize("size", [50, 51, 52, 53, 54, 55])
def test_the_notes_of_a_long_table_are_not_alone_on_a_page(size):
    """Tables whose end comes down the page row by row, and over it: last row, rule and notes stand together, in this order."""
    notes = tuple(f"Note {n} of the table." for n in range(5))
    long = replace(table(rows=size), footnotes=notes)
    after = spans("Text behind the table.")
    reader = reading.open_pdf(pdf_bytes(document(long, after)))
    found = [piece for piece in reading.pieces(reader) if piece.mark is not None and piece.page > 1]
    last = next(p for p in found if p.text.strip() == f"Row {size - 1}")
    under = [next(p for p in found if p.text.strip() == note) for note in notes]
    assert {p.page for p in under} == {last.page}
    heights = [last.y, *(p.y for p in under)]
    assert heights == sorted(heights, reverse=True)
    assert last.y - under[0].y < 24, "nothing but the rule between the last row and the first note"
    behind = next(p for p in found if "Text behind" in p.text)
    assert (behind.page, -behind.y) > (under[-1].page, -under[-1].y), "nothing is drawn over the notes"


@pytest.mark.rule("DOC-04")
def test_notes_of_more_than_a_page_are_all_printed():
    notes = tuple(f"Note {n} of the table." for n in range(90))
    reader = reading.open_pdf(pdf_bytes(document(replace(table(rows=70), footnotes=notes))))
    found = [p for p in reading.pieces(reader) if p.mark is not None]
    assert [p.text.strip() for p in found if p.text.startswith("Note ")] == list(notes)
    assert min(p.y for p in found) > BOTTOM_MM * POINT - 1


@pytest.mark.rule("DOC-04")
@pytest.mark.parametrize("block", [table(rows=70), table(rows=5), figure()], ids=["long", "short", "figure"])
def test_heading_caption_and_first_row_stay_on_one_page(block):
    for lines in range(20, 46, 3):
        blocks = [*[spans("x")] * lines, Section(2, "1.1", "Heading", "s-1.1"), block]
        reader = reading.open_pdf(pdf_bytes(document(*blocks)))
        found = [p for p in reading.pieces(reader) if p.page > 1 and p.mark is not None]
        first = "Row 0" if isinstance(block, Table) else "One line per"
        pages = [
            next(p.page for p in found if p.text.startswith(start))
            for start in ("1.1 Heading", block.label, first)
        ]
        assert len(set(pages)) == 1, lines


@pytest.mark.rule("DOC-05")
def test_a_crowded_table_keeps_every_letter_inside():
    reader = reading.open_pdf(pdf_bytes(document(crowded())))
    assert bare(reading.read_in_order(reader)).endswith(body_text(document(crowded())))
    small = "".join(
        piece.text for piece in reading.pieces(reader) if piece.mark is not None and piece.size == 6.0
    )
    assert bare(small) == bare("".join(text for text in block_texts(crowded()) if text[:2] in ("Un", "Ch")))


@pytest.mark.rule("DOC-08")
def test_every_page_carries_study_labels_and_origin():
    facts, count = whole().front, len(made().pages)
    for number in range(count):
        text = bare("".join(piece.text for piece in drawn() if piece.page == number and piece.mark is None))
        for expected in (facts.study, *facts.labels, facts.footer(), f"Page {number + 1} of {count}"):
            assert bare(expected) in text


@pytest.mark.rule("DOC-09")
def test_pages_lie_as_their_content_needs():
    ways = [page.mediabox[2] > page.mediabox[3] for page in made().pages]
    expected = [run.orientation == "landscape" for run in whole().runs()]
    assert [way for way, after in pairwise([*ways, None]) if way != after] == expected
    wide = {piece.page for piece in drawn() if piece.mark is not None and "Item of L 16.2.1" in piece.text}
    assert all(ways[page] for page in wide)


@pytest.mark.rule("DOC-06")
def test_contents_name_the_page_of_each_heading():
    lines: dict[float, list] = {}
    for piece in sorted(
        (p for p in drawn() if p.page == 1 and p.mark is not None), key=lambda p: (-p.y, p.x)
    ):
        lines.setdefault(round(piece.y), []).append(piece.text)
    for section in (s for s in whole().sections if s.number in ("1.1", "2", "3.1.1.1")):
        name = f"{section.number} {section.title}"
        line = next(texts for texts in lines.values() if bare("".join(texts)).startswith(bare(name)))
        page = next(
            p.page for p in drawn() if p.page > 1 and bare(p.text).startswith(bare(name)[:20]) and p.size > 10
        )
        assert line[-1].strip() == str(page + 1)


@pytest.mark.rule("DOC-07")
def test_a_character_that_no_font_has_is_named_with_its_place():
    odd = replace(
        table(),
        rows=(
            *table().rows[:1],
            replace(
                table().rows[1],
                cells=(replace(table().rows[1].cells[0], text="龘"), *table().rows[1].cells[1:]),
            ),
        ),
    )
    with pytest.raises(ReportError, match=r"U\+9F98 '龘' in T 14\.1\.1, section 1\n"):
        pdf_bytes(document(odd, spans("龗 龘")))
    with pytest.raises(ReportError, match=r"U\+9F97 '龗' in section 1"):
        pdf_bytes(document(odd, spans("龗 龘")))


@pytest.mark.rule("DOC-07")
def test_a_missing_character_of_the_title_page():
    with pytest.raises(ReportError, match="in the title page"):
        pdf_bytes(document(spans("x"), title="龘"))


@pytest.mark.parametrize(
    "text", ["⅓ ½ ¼", "≥ ≤ ± × − ≈ → ∞ √", "é ü ł ñ", "α β γ Δ", "† ‡ § ¶", "H₂O m² 10⁻⁷", "✓", "‰ µ °"]
)
def test_characters_of_a_clinical_report_have_glyphs(text):
    reader = reading.open_pdf(pdf_bytes(document(spans(text))))
    assert bare(reading.read_in_order(reader)).endswith(bare(text))


def test_a_document_without_tables_figures_and_labels():
    plain = document(
        spans("Only text."), labels=(), subtitle="", cut_off="", snapshot="", revision="", details=()
    )
    reader = reading.open_pdf(pdf_bytes(plain))
    assert [title for _, title in titles(reader.outline)] == ["Contents", "1 Only chapter"]
    assert len(reader.pages) == 3


def test_an_empty_document_has_a_title_page():
    assert len(reading.open_pdf(pdf_bytes(Document(front(), ()))).pages) == 2


def test_a_picture_higher_than_the_page_is_made_smaller():
    reader = reading.open_pdf(pdf_bytes(document(replace(whole().figures[2], width_mm=170.0))))
    pages = {
        p.page
        for p in reading.pieces(reader)
        if p.mark is not None and ("Figure 14.2.3" in p.text or "per participant" in p.text)
    }
    assert pages - {1} and len(pages - {1}) == 1


def test_what_typst_says_is_passed_on(monkeypatch):
    broken = replace(whole().figures[0], svg="<svg")
    with pytest.raises(ReportError, match=r"the PDF cannot be made: .*SVG"):
        pdf_bytes(document(broken))
    warning = SimpleNamespace(message="layout did not converge")
    setter = SimpleNamespace(
        compile_with_warnings=lambda **_: (b"%PDF", [warning, warning]), query=lambda *_, **__: "[]"
    )
    monkeypatch.setattr("interim.report.pdf_set.compiler", lambda: setter)
    with pytest.raises(ReportError, match=r"cannot be made: layout did not converge$"):
        pdf_bytes(document(spans("x")))


def test_typst_markup_in_data_is_not_run():
    text = '#panic("x") $x$ *b* _i_ `c` <l> @r = h // c /* c */ - l + n \\ #{1+1} https://example.org'
    reader = reading.open_pdf(pdf_bytes(document(Paragraph((Span(text),)))))
    assert bare(reading.read_in_order(reader)).endswith(bare(text))


def test_no_file_is_left_when_the_pdf_cannot_be_made(tmp_path):
    with pytest.raises(ReportError):
        write_pdf(document(spans("龘")), tmp_path / "r.pdf")
    assert os.listdir(tmp_path) == []


def test_the_sample_has_every_kind_of_block():
    assert {type(block) for block in BLOCKS.values()} >= {Section, Paragraph, Table, Figure}
