"""The Chinese typeface: our own subset, in every format, and never a box."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from lxml import html

from interim.display.figure import drawn
from interim.display.language import speaking
from interim.display.typeface import CHINESE, SHARED_MARKS, chinese_letters, font_file, font_folder
from interim.errors import ReportError
from interim.report.columns import fit
from interim.report.content import WORDS, Cell, Document, Paragraph, Row, Section, Span
from interim.report.html import html_text
from interim.report.pdf import pdf_bytes
from interim.report.rtf import rtf_text
from interim.report.typefaces import chinese_in, small_font
from interim.report.word import docx_bytes
from interim.report.word_fonts import hidden
from interim.study import read_study
from tests.display.test_catalogue import speaker
from tests.report import pdf_reading as reading
from tests.report.writers_sample import front, spans, table

ROOT = Path(__file__).parents[2]
TITLE = "剂量限制性毒性"
TEXT = "“细胞因子释放综合征”——按 ASTCT 2019 分级，共 3 例（23%）。"


@pytest.fixture(scope="module")
def study():
    return read_study(ROOT / "params" / "example.toml")


def paper(*blocks, language: str = "zh-CN", **changes) -> Document:
    facts = {"title": TITLE, "subtitle": "I期", "labels": ()} | changes
    return Document(
        front(language=language, **facts), (Section(1, "1", "安全性", "s-1"), spans(TEXT), *blocks)
    )


def tool():
    found = importlib.util.spec_from_file_location("subset_font", ROOT / "tools" / "subset_font.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.rule("DOC-35")
@pytest.mark.parametrize("weight", ["Regular", "Bold"])
def test_the_shipped_font_has_our_name_its_licence_and_the_letters_of_gb_2312(weight):
    font = TTFont(font_file(weight))
    names = {entry.nameID: str(entry) for entry in font["name"].names}
    assert (names[1], names[4]) == (CHINESE, f"{CHINESE} {weight}")
    assert not [
        names[number] for number in (1, 2, 3, 4, 6) if re.search("noto|source", names[number], re.IGNORECASE)
    ]
    assert "Adobe" in names[0] and "SIL Open Font License" in names[13]
    wanted = tool().repertoire()
    assert len(wanted) > 7000 and wanted <= set(font.getBestCmap())
    ideographs = {
        bytes((row, cell)).decode("gb2312", "ignore")
        for row in range(0xB0, 0xF8)
        for cell in range(0xA1, 0xFF)
    }
    assert len(ideographs - {""}) == 6763 and {ord(letter) for letter in ideographs if letter} <= wanted
    assert not set("0123456789abcXYZ") & set(map(chr, wanted))
    assert font["OS/2"].fsType == 0 and font["head"].created == font["head"].modified
    assert "SIL OPEN FONT LICENSE" in (font_folder() / "OFL.txt").read_text(encoding="utf-8")


@pytest.mark.rule("DOC-35")
def test_the_tool_makes_the_shipped_font_again(tmp_path):
    made = tool()
    if not (made.SOURCE / made.WEIGHTS["Bold"]).is_file():
        pytest.skip("the distribution's package fonts-noto-cjk is not installed")
    letters = sorted(map(ord, "剂量限制性毒性，。"))
    source = made.read(made.SOURCE / made.WEIGHTS["Bold"])
    font = made.renamed(made.quadratic(made.subset(source, letters)), "Bold")
    stream = io.BytesIO()
    font.save(stream)
    again, shipped = TTFont(io.BytesIO(stream.getvalue())), TTFont(font_file("Bold"))
    for letter in letters:
        new, old = again.getBestCmap()[letter], shipped.getBestCmap()[letter]
        assert again["glyf"][new] == shipped["glyf"][old] and again["hmtx"][new] == shipped["hmtx"][old]


@pytest.mark.rule("DOC-35")
@pytest.mark.parametrize("weight", ["Regular", "Bold"])
def test_the_font_file_is_the_one_that_was_built(weight):
    stated = (font_folder() / "SHA256SUMS").read_text(encoding="utf-8")
    assert f"{hashlib.sha256(font_file(weight).read_bytes()).hexdigest()}  {font_file(weight).name}" in stated


@pytest.mark.rule("DOC-36")
def test_a_page_carries_a_small_font_with_its_own_letters():
    page = html_text(paper())
    assert html.fromstring(page).get("lang") == "zh-CN"
    fonts = [base64.b64decode(data) for data in re.findall(r"data:font/woff;base64,([^)]+)\)", page)]
    assert len(fonts) == 2 and all(len(font) < 60_000 for font in fonts)
    letters = {
        letter
        for text in (TITLE, TEXT, "安全性目录正文跳至数据截止日期")
        for letter in text
        if ord(letter) > 0x2E80
    }
    for font in fonts:
        held = set(map(chr, TTFont(io.BytesIO(font)).getBestCmap()))
        assert letters | SHARED_MARKS <= held
        assert held <= letters | SHARED_MARKS | set("".join(WORDS["zh-CN"].values()))
    assert page == html_text(paper())
    assert "font-face" not in html_text(Document(front(), (spans("plain"),)))


@pytest.mark.rule("DOC-36")
def test_the_pdf_embeds_the_typeface_and_has_no_empty_letter():
    reader = reading.open_pdf(pdf_bytes(paper(table(title="最佳疗效", rows=2))))
    text = "".join("".join(page.extract_text().split()) for page in reader.pages)
    assert all(part in text for part in (TITLE, "安全性", "最佳疗效", "第2页，共"))
    fonts = {
        str(font["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"]["/Font"].get_object().values()
        for font in [font.get_object()]
    }
    assert {name.rpartition("+")[2] for name in fonts} >= {"InterimCJKSC-Regular", "InterimCJKSC-Bold"}
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"


@pytest.mark.rule("DOC-36")
def test_word_embeds_the_typeface_hidden_as_the_format_demands():
    data = docx_bytes(paper())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listing = archive.read("word/fontTable.xml").decode()
        keys = re.findall(r'w:embed(\w+) r:id="rId(\d)" w:fontKey="\{([^}]+)\}"', listing)
        assert [(weight, number) for weight, number, _ in keys] == [("Regular", "1"), ("Bold", "2")]
        for weight, number, key in keys:
            font = hidden(archive.read(f"word/fonts/font{number}.odttf"), bytes.fromhex(key.replace("-", "")))
            assert str(TTFont(io.BytesIO(font))["name"].getName(4, 3, 1)) == f"{CHINESE} {weight}"
        assert "obfuscatedFont" in archive.read("[Content_Types].xml").decode()
        styles = archive.read("word/styles.xml").decode()
        assert f'w:eastAsia="{CHINESE}"' in styles and '<w:lang w:val="en" w:eastAsia="zh-CN"' in styles
    assert data == docx_bytes(paper())
    with zipfile.ZipFile(io.BytesIO(docx_bytes(Document(front(), (spans("plain"),))))) as archive:
        assert not [name for name in archive.namelist() if "font" in name]


@pytest.mark.rule("DOC-36")
@pytest.mark.parametrize("write", [html_text, docx_bytes, rtf_text, pdf_bytes])
def test_a_letter_that_the_typeface_lacks_is_named_with_its_place(write):
    odd = table("T 14.5.7", rows=2)
    odd = replace(odd, rows=(*odd.rows[:1], replace(odd.rows[1], cells=(Cell("龘"), *odd.rows[1].cells[1:]))))
    with pytest.raises(ReportError, match=r"U\+9F98 '龘' in T 14\.5\.7"):
        write(paper(odd))


@pytest.mark.rule("DOC-36")
def test_an_english_document_keeps_its_own_quotation_marks():
    quoted = Document(front(title="t", labels=()), (spans("“x” — 剂量"),))
    assert chinese_in(quoted) == frozenset("剂量")
    assert chinese_in(paper()) >= SHARED_MARKS


@pytest.mark.rule("DOC-36")
def test_foreign_text_names_its_language_in_the_page():
    page = html.fromstring(html_text(paper(Paragraph((Span("Nausea", language="en"), Span("。"))))))
    assert [(one.tag, one.text) for one in page.xpath("//main//*[@lang='en']")] == [("span", "Nausea")]


@pytest.mark.rule("DOC-05")
def test_chinese_columns_break_between_ideographs_and_not_before_a_comma():
    long = "细胞因子释放综合征的最高分级，按照共识标准由研究者报告并由程序核对"
    rows = (Row("data", 0, (Cell(long), Cell("1", ("k",)))),)
    grid = replace(table(), header=table().header[1:], rows=rows, align=("left", "right"), widths=(1.0, 1.0))
    grid = replace(grid, header=((grid.header[0][0], grid.header[0][1]),))
    assert fit(grid, 60.0).size == 9.0 and not fit(grid, 30.0).broken


@pytest.mark.rule("DOC-34")
def test_a_drawing_speaks_chinese_breaks_its_lines_anew_and_names_what_it_lacks(study):
    def paint(sheet):
        axes = sheet.add_axes((0.3, 0.3, 0.6, 0.6))
        axes.set_yticks([0, 1], ["Death", "Nausea"])
        axes.set_title("Grade 3\nor higher")
        axes.set_xlabel("Enrolled")

    plain = drawn(paint, size_mm=(60, 40), study=study)
    words = speaker(Death="死亡", Enrolled="入组", **{"grade {1} or higher": "{1}级及以上"})
    with speaking(words, "F 1") as voice:
        made = drawn(paint, size_mm=(60, 40), study=study)
    assert set(voice.missing) == {"Nausea"}
    assert made[0] != plain[0] and "InterimCJKSC" not in plain[0]
    assert len(set(re.findall(r"InterimCJKSC-Regular-(\w+)", made[0]))) == len(set("死亡入组级及以上"))
    assert drawn(paint, size_mm=(60, 40), study=study) == plain


@pytest.mark.rule("DOC-36")
def test_a_drawing_with_a_letter_that_no_typeface_has_is_refused_by_name(study):
    with speaking(None, "F 14.2.1"), pytest.raises(ReportError, match=r"F 14\.2\.1: .*U\+9F98 '龘'"):
        drawn(lambda sheet: sheet.text(0.5, 0.5, "龘"), size_mm=(40, 30), study=study)


def test_small_fonts_hold_what_was_asked_for():
    assert set(TTFont(io.BytesIO(small_font("Regular", frozenset("剂量")))).getBestCmap()) == set(
        map(ord, "剂量")
    )
    assert ord("剂") in chinese_letters() and ord("a") not in chinese_letters()
