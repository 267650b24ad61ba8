"""The RTF file is read back by a reader of its own."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from functools import cache

import pytest

from interim.report.columns import fit
from interim.report.content import Cell, Document, HeaderCell, Row, Section, Table
from interim.report.rtf import escaped, rtf_text, write_rtf
from tests.report.rtf_reading import body
from tests.report.test_writers_odd_texts import ODD
from tests.report.test_writers_odd_texts import document as odd_document
from tests.report.writers_sample import BLOCKS, SPECIAL, bare, front, printed, single, table, whole


@cache
def made() -> str:
    return rtf_text(whole())


def after_title(text: str) -> str:
    return text.split(r"\sbkpage", 1)[1]


@pytest.mark.rule("DOC-19")
@pytest.mark.parametrize("name", [name for name, block in BLOCKS.items() if hasattr(block, "footnotes")])
def test_each_table_and_figure_is_read_once_and_in_order(name):
    assert bare(body("{" + after_title(rtf_text(single(name))))) == bare(printed(BLOCKS[name]))


@pytest.mark.rule("DOC-19")
def test_a_whole_document_gives_its_tables_and_figures_once_and_in_order():
    wanted = "".join(printed(block) for block in whole().blocks if hasattr(block, "footnotes"))
    assert bare(body("{" + after_title(made()))) == bare(wanted)


@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("text", [SPECIAL, "肝转移 2×10⁷", "𝛼 and 😀", "a\\b{c}d", "tab-free"])
def test_any_text_comes_back_as_it_was_and_the_file_is_ascii(text):
    made = escaped(text)
    assert made.isascii()
    assert body("{" + made + "}") == text


@pytest.mark.rule("DOC-19")
def test_known_escapes():
    assert escaped("≥") == r"\u8805?"
    assert escaped("肝") == r"\u-32611?"  # U+809D is 32,925; the format counts from -32,768
    assert escaped("😀") == r"\u-10179?\u-8704?"
    assert escaped("a\nb") == r"a\line b"


@pytest.mark.rule("DOC-19")
def test_header_rows_repeat_rows_do_not_split_and_cells_fill_the_page():
    text = rtf_text(single("long table"))
    block = BLOCKS["long table"]
    rows = re.findall(r"\\trowd.*?\\row", text, flags=re.DOTALL)
    assert len(rows) == len(block.header) + len(block.rows)
    assert [r"\trhdr" in row for row in rows] == [True] * len(block.header) + [False] * len(block.rows)
    assert all(r"\trkeep" in row for row in rows)
    below = [model.kind == "section" for model in block.rows]
    assert any(below) and [r"\keepn" in row for row in rows[len(block.header) :]] == below
    width = round(170 * 1440 / 25.4)
    assert all(abs(int(re.findall(r"\\cellx(\d+)", row)[-1]) - width) <= 1 for row in rows)
    for row, model in zip(rows[len(block.header) :], block.rows, strict=True):
        assert len(re.findall(r"\\cell ", row)) == len(re.findall(r"\\cellx", row)) == len(model.cells)


@pytest.mark.rule("DOC-19")
def test_a_spanning_header_is_one_wide_cell_with_a_line_below():
    head = ((HeaderCell("A"), HeaderCell("Dose", 2)), (HeaderCell("a"), HeaderCell("b"), HeaderCell("c")))
    rows = (Row("data", 0, (Cell("x"), Cell("1"), Cell("2"))),)
    block = replace(table(), header=head, rows=rows, align=("left", "right", "right"), widths=(1, 1, 1))
    text = rtf_text(Document(front(), (Section(1, "1", "One", "s-1"), block)))
    first = re.findall(r"\\trowd.*?\\row", text, flags=re.DOTALL)[0]
    third = 170 * 1440 / 25.4 / 3
    ends = [int(end) for end in re.findall(r"\\cellx(\d+)", first)]
    assert ends == [round(third), round(3 * third)]
    assert r"\clbrdrb\brdrs\brdrw10\cellx" + str(ends[1]) in first
    assert r"\clbrdrb" not in first.split(r"\cellx", 1)[0]


@pytest.mark.rule("DOC-08")
@pytest.mark.rule("DOC-09")
def test_each_table_and_figure_has_a_page_with_header_and_footer_of_its_own():
    text = made()
    blocks = [block for block in whole().blocks if hasattr(block, "footnotes")]
    sections = re.findall(r"\\sect\\sectd\\sbkpage(\\lndscpsxn)?\\pgwsxn(\d+)\\pghsxn(\d+)", text)
    assert [bool(turned) for turned, *_ in sections] == [b.orientation == "landscape" for b in blocks]
    for turned, width, height in sections:
        short, long = round(210 * 1440 / 25.4), round(297 * 1440 / 25.4)
        assert (int(width), int(height)) == ((long, short) if turned else (short, long))
    assert text.count(r"{\header ") == text.count(r"{\footer ") == len(blocks) + 1
    footers = re.findall(r"\{\\footer .*?\\par\}", text)
    wanted = escaped(whole().front.footer())
    assert all(wanted in foot and "PAGE}" in foot and "NUMPAGES}" in foot for foot in footers)


@pytest.mark.rule("DOC-19")
def test_a_figure_holds_its_picture_and_its_text_alternative():
    block = BLOCKS["figure"]
    text = rtf_text(single("figure"))
    assert rf"{{\sn wzDescription}}{{\sv {escaped(block.alt)}}}" in text
    data = re.search(r"\\pngblip\\picw60\\pich30\\picwgoal(\d+)\\pichgoal(\d+)\n([0-9a-f\n]+)\}", text)
    assert bytes.fromhex(data[3].replace("\n", "")) == base64.b64decode(block.png)
    assert int(data[1]) == round(170 * 1440 / 25.4)
    assert int(data[2]) == round(85 * 1440 / 25.4)


@pytest.mark.rule("DOC-02")
def test_equal_documents_give_equal_bytes_without_a_date(tmp_path):
    write_rtf(whole(), tmp_path / "a.rtf")
    assert (tmp_path / "a.rtf").read_bytes() == made().encode("ascii")
    assert "creatim" not in made()


def test_the_letter_size_is_that_of_the_other_writers():
    wide: Table = BLOCKS["listing"]
    sizes = set(re.findall(r"\\intbl\\dbch\\af1\\loch\\f0\\fs(\d+)", rtf_text(Document(front(), (wide,)))))
    assert sizes == {str(round(2 * fit(wide, 257.0).size))}


@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_texts_are_read_once_as_themselves(name):
    made = odd_document(ODD[name])
    wanted = "".join(printed(block) for block in made.blocks if hasattr(block, "footnotes"))
    text = rtf_text(made)
    assert text.isascii()
    assert bare(body("{" + after_title(text))) == bare(wanted)


@pytest.mark.rule("DOC-08")
@pytest.mark.parametrize("name", sorted(ODD))
def test_the_title_page_says_what_the_report_is(name):
    made = odd_document(ODD[name])
    title = rtf_text(made).split(r"\sbkpage", 1)[0].removesuffix(r"\sect\sectd") + "}"
    facts = made.front
    pairs = [f"{key}: {value}" for key, value in facts.lines()]
    wanted = "".join([facts.study, facts.title, facts.subtitle, *facts.labels, *pairs])
    assert bare(body(title)) == bare(wanted)
