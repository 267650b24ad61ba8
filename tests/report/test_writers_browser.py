"""The HTML document in a real browser; with INTERIM_REQUIRE_BROWSER=1 a missing browser is a failure."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from interim.report.html import write_html
from tests.browser.chromium import browser, required
from tests.report import pdf_reading as reading
from tests.report.writers_sample import whole


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    write_html(whole(), folder / "report.html")
    with browser(folder / "profile") as tab:
        tab.file = folder / "report.html"
        yield tab


@pytest.mark.rule("DOC-13")
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_no_violation(page, width):
    page.open(page.file, width=width)
    assert page.violations() == []


@pytest.mark.rule("DOC-11")
def test_nothing_is_requested_and_nothing_is_refused(page):
    page.requests.clear()
    page.open(page.file)
    assert [address for address in page.requests if not address.startswith("data:")] == [page.file.as_uri()]
    assert page.console == []


@pytest.mark.rule("DOC-13")
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_is_not_wider_than_the_window(page, width):
    page.open(page.file, width=width)
    assert page.value("document.documentElement.scrollWidth") == width
    outside = """[...document.querySelectorAll('main p, main h2, main h3, main h4, main img, caption, figcaption')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 80))"""
    assert page.value(outside) == []


@pytest.mark.rule("DOC-04")
def test_cells_do_not_overlap(page):
    page.open(page.file, width=1200)
    clash = """(() => { const bad = []; for (const row of document.querySelectorAll('tr')) { let right = -1e9;
        for (const cell of row.cells) { const range = document.createRange(); range.selectNodeContents(cell);
            const box = range.getBoundingClientRect(); if (!box.width) continue;
            if (box.left < right - 0.5) bad.push(cell.textContent); right = box.right; } } return bad; })()"""
    assert page.value(clash) == []


@pytest.mark.rule("DOC-04")
@pytest.mark.rule("DOC-08")
@pytest.mark.rule("DOC-09")
def test_printed_pages_carry_the_labels_repeat_headers_and_keep_inside_the_paper(page):
    page.open(page.file)
    answer = page.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
    reader = reading.open_pdf(base64.b64decode(answer["data"]))
    texts = ["".join(sheet.extract_text().split()) for sheet in reader.pages]
    assert all(
        "SYNTHETIC-NOTPATIENTDATA" in text and f"Page{number}of{len(texts)}" in text
        for number, text in enumerate(texts, 1)
    )
    assert sum("ItemofT14.1.2" in text for text in texts) >= 4
    assert {sheet.mediabox[2] > sheet.mediabox[3] for sheet in reader.pages} == {True, False}
    assert all(
        "".join(["Item", "of", "L", "16.2.1"]) not in text or sheet.mediabox[2] > sheet.mediabox[3]
        for sheet, text in zip(reader.pages, texts, strict=True)
    )


@pytest.mark.parametrize(
    "thing, demanded, outcome", [("x", "1", None), (None, "1", "Failed"), (None, "0", "Skipped")]
)
def test_a_missing_browser_fails_only_where_it_is_demanded(monkeypatch, thing, demanded, outcome):
    monkeypatch.setenv("INTERIM_REQUIRE_BROWSER", demanded)
    if outcome is None:
        assert required(thing, "chromium") == "x"
        return
    with pytest.raises(BaseException) as caught:
        required(thing, "chromium")
    assert type(caught.value).__name__ == outcome


@pytest.mark.rule("DOC-13")
@pytest.mark.rule("DOC-36")
def test_a_chinese_page_has_no_violation_no_request_and_draws_every_letter_with_its_own_font(page, tmp_path):
    from interim.report.content import Cell, Document, Row, Section
    from tests.report.writers_sample import front, spans, table

    grid = table("T 14.5.7", title="拟议的方案修改", rows=2)
    rows = (
        *grid.rows[:1],
        Row("data", 0, (Cell("恶心", (), None), *(Cell("Nausea", (), "en") for _ in grid.align[1:]))),
    )
    document = Document(
        front(language="zh-CN", title="期中统计分析报告", subtitle="“I期”——安全性", labels=("合成数据",)),
        (Section(1, "1", "安全性", "s-1"), spans("剂量限制性毒性，按级别。"), replace(grid, rows=rows)),
    )
    file = tmp_path / "zh.html"
    write_html(document, file)
    page.requests.clear()
    page.open(file)
    assert page.violations() == []
    assert [address for address in page.requests if not address.startswith("data:")] == [file.as_uri()]
    assert page.value("document.documentElement.lang") == "zh-CN"
    assert page.value("document.fonts.check('16px \"Interim CJK SC\"', '剂')") is True
    assert page.value("[...document.fonts].filter(f => f.status === 'loaded').length") >= 1
