from __future__ import annotations

import pytest
from lxml import html

from interim.display.figure import Figure
from interim.display.markup import figure_html, paragraph_html, table_html
from interim.display.table import Cell, Head, Row, Table
from interim.display.text import Paragraph, Span


def shown(**changes) -> Table:
    facts = {
        "title": "Response <by> dose",
        "population": "FAS",
        "id": "T 14.2.2.1",
        "header": (
            (Head(""), Head("Dose", 2)),
            (Head("Item"), Head("DL1\nN=3", 1, ("s/dl1/fas/-/n",)), Head("DL2")),
        ),
        "rows": (
            Row((Cell("All"), Cell("1/3", ("r/dl1/orr/-/rate",)), Cell("-"))),
            Row((Cell("Part <A>"),), kind="section"),
            Row((Cell("ORR & more"), Cell("2/3", ("a", "b")), Cell("x\ny")), indent=2),
        ),
        "widths": (2.0, 1.0, 1.0),
        "align": ("left", "right", "center"),
        "footnotes": ("CP <x>.",),
        "labels": ("DRAFT",),
    }
    return Table(**(facts | changes))


def parsed(text: str):
    return html.fromstring(f"<main>{text}</main>")


@pytest.mark.rule("PAT-02")
def test_a_paragraph_with_a_heading_shows_it_above():
    made = parsed(paragraph_html(Paragraph((Span("Text."),), heading="A & <B>").block()))
    assert [(part.tag, part.text_content()) for part in made] == [("h4", "A & <B>"), ("p", "Text.")]
    assert [part.tag for part in parsed(paragraph_html(Paragraph((Span("Text."),)).block()))] == ["p"]


@pytest.mark.rule("DOC-11")
def test_a_table_has_caption_scopes_and_groups():
    made = parsed(table_html(shown().block()))
    assert made.find(".//caption").text_content() == "Table 14.2.2.1 Response <by> dose FAS"
    assert [
        (c.tag, c.get("scope"), c.get("colspan"), c.text_content())
        for c in made.find(".//thead").iter("th", "td")
    ] == [
        ("td", None, None, ""),
        ("th", "colgroup", "2", "Dose"),
        ("th", "col", None, "Item"),
        ("th", "col", None, "DL1N=3"),
        ("th", "col", None, "DL2"),
    ]
    assert [len(body) for body in made.iter("tbody")] == [1, 2]
    head = made.xpath("//tr[@class='section']/th")[0]
    assert (head.get("scope"), head.get("colspan"), head.text_content()) == ("rowgroup", "3", "Part <A>")
    last = made.xpath("//tbody[2]/tr[2]")[0]
    assert [(c.tag, c.get("class")) for c in last] == [("th", "i2"), ("td", "right"), ("td", "center")]
    assert len(last.xpath(".//br")) == 1
    assert [p.text for p in made.xpath("//div[@class='notes']/p | //p[@class='mark']")] == [
        "CP <x>.",
        "DRAFT",
    ]


@pytest.mark.rule("DOC-12")
def test_numbers_carry_their_result_ids():
    made = parsed(table_html(shown().block()))
    assert made.xpath("//*[@data-key]/@data-key") == ["s/dl1/fas/-/n", "r/dl1/orr/-/rate", "a b"]
    assert made.xpath("//*[@data-key]/@title") == ["s/dl1/fas/-/n", "r/dl1/orr/-/rate", "a b"]
    text = Paragraph((Span("ORR "), Span("1/3", "r/dl1/orr/-/rate"), Span(" low", emphasis=True)), "note")
    assert paragraph_html(text.block()) == (
        '<p class="note">ORR <span data-key="r/dl1/orr/-/rate" title="r/dl1/orr/-/rate">1/3</span><em> low</em></p>'
    )


@pytest.mark.rule("DOC-11")
def test_the_region_that_scrolls_can_be_reached_and_is_named():
    made = parsed(table_html(shown().block()))
    region = made.xpath("//*[@role='region']")[0]
    assert region.get("tabindex") == "0"
    assert made.xpath("//caption/@id") == [region.get("aria-labelledby")] == ["t-14.2.2.1-caption"]


@pytest.mark.rule("DOC-05")
def test_letter_size_and_breaking_are_only_for_the_document():
    plain = parsed(table_html(shown().block())).find(".//table")
    assert plain.get("style") is None and plain.get("class") is None
    fitted = parsed(table_html(shown().block() | {"size": 6.5, "broken": True})).find(".//table")
    assert (fitted.get("style"), fitted.get("class")) == ("--size:6.5pt", "broken")


@pytest.mark.rule("DOC-11")
def test_a_blank_stub_is_no_header_cell():
    block = shown().block()
    block["rows"][0]["cells"][0]["text"] = " "
    assert [c.tag for c in parsed(table_html(block)).xpath("//tbody[1]/tr/*")] == ["td", "td", "td"]


@pytest.mark.rule("DOC-11")
def test_a_figure_has_alternative_caption_and_no_request():
    picture = Figure(
        "Waterfall",
        "",
        "<svg/>",
        b"x",
        'Bars of "n = 12" participants & more, 4 shrink.',
        170.0,
        ("w/total/n/-/N",),
        id="F 14.2.2.1",
        footnotes=("One line.",),
    )
    made = parsed(figure_html(picture.block()))
    image = made.find(".//img")
    assert image.get("alt") == picture.alt and image.get("src").startswith("data:image/svg+xml;base64,")
    assert (
        image.get("data-key") == "w/total/n/-/N"
        and image.get("title") is None
        and image.get("style") == "width:170.0mm"
    )
    assert made.find(".//figcaption").text_content() == "Figure 14.2.2.1 Waterfall"
    assert made.xpath("//figure/@class") == ["tlf portrait"]


def test_label_and_anchor_of_the_document_win():
    made = parsed(table_html(shown().block() | {"label": "Tableau 1", "anchor": "x"}))
    assert (
        made.find(".//caption").text_content().startswith("Tableau 1")
        and made.find(".//div").get("id") == "x"
    )


@pytest.mark.rule("DOC-03")
def test_text_is_escaped_everywhere():
    hostile = "<script>\"&'"
    block = shown(
        title=hostile,
        population=hostile,
        footnotes=(hostile,),
        labels=(hostile,),
        rows=(Row((Cell(hostile), Cell(hostile, (hostile,)), Cell(hostile))),),
    ).block()
    made = parsed(table_html(block))
    assert not made.xpath("//script")
    assert made.text_content().count(hostile) == 7 and made.xpath("//td/@data-key") == [hostile]


def test_a_figure_without_a_label_shows_its_title_alone():
    figure = Figure(
        title="People",
        population="",
        keys=("a",),
        svg="<svg/>",
        png=b"",
        alt="Icon array: one icon for each person; 3 of 13 icons are filled.",
        width_mm=100.0,
    )
    made = parsed(figure_html(figure.block() | {"id": "icons-people", "label": "", "anchor": "icons-people"}))
    assert made.find(".//figcaption").text_content() == "People"
