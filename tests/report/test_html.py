from __future__ import annotations

import base64
import itertools
import re
from functools import cache

import pytest
from lxml import html

from interim.report.content import Document, ListBlock, Paragraph, Section, Span, Table, block_texts
from interim.report.html import html_text, write_html
from tests.report.writers_sample import BLOCKS, bare, crowded, front, single, spans, table, whole


@cache
def page():
    return html.fromstring(html_text(whole()))


def main_text(document) -> str:
    return bare(html.fromstring(html_text(document)).find(".//main").text_content())


def expected(document) -> str:
    return bare("".join(text for block in document.blocks for text in block_texts(block)))


@pytest.mark.rule("DOC-01")
@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize("name", BLOCKS)
def test_each_block_is_read_once_and_in_order(name):
    assert main_text(single(name)) == expected(single(name))


@pytest.mark.rule("DOC-01")
def test_a_whole_document_is_read_once_and_in_order():
    assert main_text(whole()) == expected(whole())
    head, facts = page().find(".//header"), whole().front
    parts = [
        *facts.labels,
        facts.study,
        facts.title,
        facts.subtitle,
        *(part for line in facts.lines() for part in line),
    ]
    assert bare(head.text_content()) == bare("".join(parts))


@pytest.mark.rule("DOC-02")
def test_equal_documents_give_equal_bytes(tmp_path):
    write_html(whole(), tmp_path / "one.html")
    write_html(whole(), tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.rule("DOC-11")
def test_it_needs_nothing_else():
    text = html_text(whole())
    assert not page().xpath("//script | //link | //iframe | //object | //form | //*[@onclick or @onload]")
    addresses = page().xpath("//@src | //@href | //@srcset | //@action")
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in addresses)
    style = page().find(".//style").text_content()
    assert not re.search(r"url\(|@import|expression", style)
    assert "default-src 'none'" in text


@pytest.mark.rule("DOC-11")
def test_every_link_has_a_place_and_ids_are_unique():
    ids = page().xpath("//@id")
    assert len(set(ids)) == len(ids)
    assert {address[1:] for address in page().xpath("//a/@href")} <= set(ids)
    entries = [link.text_content() for link in page().xpath("//nav//a")]
    tlfs = [*whole().tables, *whole().figures]
    assert entries == [f"{s.number} {s.title}" for s in whole().sections] + [
        f"{t.label} {t.title}" for t in tlfs
    ]


@pytest.mark.rule("DOC-11")
def test_language_title_headings_and_landmarks():
    assert page().get("lang") == "en" and page().findtext(".//title") == whole().front.title
    levels = [int(heading.tag[1]) for heading in page().xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert [len(page().xpath(f"//{mark}")) for mark in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert page().xpath("//body/*[1]")[0].get("href") == "#content" and page().xpath("//main/@id") == [
        "content"
    ]


@pytest.mark.rule("DOC-11")
def test_tables_have_captions_scopes_and_no_empty_header_cell():
    for found, block in zip(page().xpath("//table"), whole().tables, strict=True):
        assert found[0].tag == "caption" and found[0].text_content().startswith(
            f"{block.label} {block.title}"
        )
        heads = found.xpath(".//th")
        assert all(head.text_content().strip() for head in heads)
        assert {head.get("scope") for head in heads} <= {"col", "colgroup", "row", "rowgroup"}
        assert all(
            cell.get("scope") == "row" for cell in found.xpath(".//tbody/tr[not(@class)]/*[1][self::th]")
        )
        width = len(block.widths)
        for row in found.xpath(".//tr"):
            assert sum(int(cell.get("colspan", 1)) for cell in row) == width


@pytest.mark.rule("DOC-11")
def test_figures_have_their_alternative_and_image():
    for found, block in zip(page().xpath("//figure"), whole().figures, strict=True):
        image = found.find("img")
        assert image.get("alt") == block.alt and found[0].tag == "figcaption"
        assert base64.b64decode(image.get("src").partition(",")[2]).decode() == block.svg


@pytest.mark.rule("DOC-12")
def test_every_number_leads_to_its_results():
    found = [(cell.text_content(), cell.get("data-key")) for cell in page().xpath("//table//*[@data-key]")]
    model = []
    for block in whole().tables:
        model += [
            (head.text.replace("\n", ""), " ".join(head.keys))
            for row in block.header
            for head in row
            if head.keys
        ]
        model += [(cell.text, " ".join(cell.keys)) for row in block.rows for cell in row.cells if cell.keys]
    assert found == model and len(model) > 1000
    spans_found = [
        (span.text_content(), span.get("data-key")) for span in page().xpath("//p/span[@data-key]")
    ]
    assert spans_found == [
        (" 3/18 (16.7%)", "response/total/orr/-/rate"),
        ("DL3", "escalation/total/next/-/value"),
    ]
    assert page().xpath("//img/@data-key") == [" ".join(figure.keys) for figure in whole().figures]


@pytest.mark.rule("DOC-08")
def test_labels_and_origin_are_shown_and_printed_on_every_page():
    style = page().find(".//style").text_content()
    facts = whole().front
    assert all(label in page().find(".//footer").text_content() for label in facts.labels)
    assert facts.footer() in page().find(".//footer").text_content()
    for text in (
        "SYNTHETIC - NOT PATIENT DATA",
        "Data cut-off 2026-01-31",
        "counter(page)",
        "counter(pages)",
    ):
        assert text in style


@pytest.mark.rule("DOC-03")
@pytest.mark.parametrize(
    "text", ['"}</style><script>x</script>', "a\\b", "50 % \"quoted\" 'x'", "</title><b>"]
)
def test_hostile_titles_stay_text(text):
    document = Document(
        front(title=text, study=text, labels=(text,)), (Section(1, "1", text, "s-1"), spans(text))
    )
    made = html.fromstring(html_text(document))
    assert made.findtext(".//title") == text and made.find(".//h1").text_content() == text
    assert not made.xpath("//script") and not made.xpath("//b")
    assert "</style>" not in html_text(document).partition("<style>")[2].partition("</style></head>")[0]


def test_nested_contents_follow_the_levels():
    made = html.fromstring(html_text(whole()))
    deep = made.xpath("//nav/ul/li/ul/li/ul/li/ul/li/a")
    assert [link.get("href") for link in deep] == ["#s-3.1.1.1"]


def test_numbered_lists_start_where_they_should():
    made = html.fromstring(html_text(single("numbers")))
    assert made.xpath("//ol/@start") == ["5"]
    plain = ListBlock(True, 1, ((spans("one"),),))
    assert not html.fromstring(html_text(Document(front(), (Section(1, "1", "A", "s-1"), plain)))).xpath(
        "//ol/@start"
    )


def test_a_document_without_labels_tables_and_facts():
    bare_front = front(labels=(), subtitle="", cut_off="", snapshot="", revision="", details=())
    made = html.fromstring(
        html_text(Document(bare_front, (Section(1, "1", "A", "s-1"), Paragraph((Span("x"),)))))
    )
    assert not made.xpath("//*[@class='banner' or @class='facts' or @class='subtitle']") and not made.xpath(
        "//details"
    )
    assert html.fromstring(html_text(Document(bare_front, ()))).find(".//main").text_content().strip() == ""


@pytest.mark.rule("DOC-05")
@pytest.mark.parametrize("block, size, broken", [(table(), "9pt", False), (crowded(), "6pt", True)])
def test_tables_carry_their_size_on_paper(block: Table, size, broken):
    made = html.fromstring(html_text(Document(front(), (Section(1, "1", "A", "s-1"), block)))).find(
        ".//table"
    )
    assert made.get("style") == f"--size:{size}" and (made.get("class") == "broken") is broken
    widths = [float(column.get("style").partition(":")[2].rstrip("%")) for column in made.iter("col")]
    assert sum(widths) == pytest.approx(100, abs=0.1)
