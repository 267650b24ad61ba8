"""Corners of the HTML writer: nothing in it, hostile texts, deep lists, widths, and running heads."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from lxml import html

from interim.report import columns
from interim.report.content import Cell, Document, HeaderCell, ListBlock, Paragraph, Row, Section, Span, Table
from interim.report.html import _css, html_text, write_html
from tests.report.writers_sample import figure, front, table

HOSTILE = ["<script>alert(1)</script>", "</style>", '" onload="x', "&amp;", "]]>", "<!-- x", "'", "\u202e"]


def parsed(*blocks, **facts):
    return html.fromstring(html_text(Document(front(**facts), blocks)))


def test_a_document_of_nothing_is_a_page():
    page = parsed(labels=(), subtitle="", cut_off="", snapshot="", revision="", details=())
    assert page.find(".//main").text_content().strip() == ""
    assert not page.xpath("//dl | //*[@class='banner'] | //nav//li | //details")
    assert page.find(".//h1") is not None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts_wherever_they_stand(text):
    blocks = (
        Section(1, "1", text, "s1"),
        Paragraph((Span(text), Span(text, code=True), Span(text, strong=True))),
        table(title=text, footnotes=(text,), labels=(text,), population=text),
        figure(title=text, alt=f"{text} {'x' * 50}", footnotes=(text,)),
    )
    page = parsed(*blocks, title=text, study=text, subtitle=text, labels=(text,), details=((text, text),))
    assert not page.xpath("//script | //*[@onload]")
    assert len(page.xpath("//style")) == 1 and len(page.xpath("//body")) == 1
    assert page.findtext(".//h1") == text and page.findtext(".//title") == text
    assert page.xpath("//h2/text()")[-1].strip() == text
    assert page.xpath("//img/@alt") == [f"{text} {'x' * 50}"]
    assert page.xpath("//main//p//text()").count(text) >= 3


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a b", '"a b"'),
        ('"', '"\\22 "'),
        ("\\", '"\\5c "'),
        ("</style>", '"\\3c /style\\3e "'),
        ("\n", '"\\a "'),
        ("é·", '"é·"'),
    ],
)
def test_texts_in_running_heads_are_quoted(text, quoted):
    assert _css(text) == quoted


@pytest.mark.parametrize(
    ("ordered", "start", "expected"), [(True, 1, None), (True, 4, "4"), (False, 4, None)]
)
def test_where_a_list_begins(ordered, start, expected):
    (found,) = parsed(ListBlock(ordered, start, ((Paragraph((Span("a"),)),),))).xpath("//main/ul | //main/ol")
    assert (found.tag, found.get("start")) == ("ol" if ordered else "ul", expected)


def test_lists_in_lists():
    block = ListBlock(False, 1, ((Paragraph((Span("end"),)),),))
    for depth in range(12):
        block = ListBlock(depth % 2 == 0, 1, ((Paragraph((Span(f"{depth}"),)), block),))
    page = parsed(block)
    assert len(page.xpath("//main//ul | //main//ol")) == 13
    assert page.xpath("//main//li//text()") == [*map(str, range(11, -1, -1)), "end"]


@pytest.mark.parametrize("levels", [(1,), (1, 1), (1, 2, 1), (1, 2, 3, 2, 1, 2), (1, 2, 3, 4, 1)])
def test_contents_are_nested_as_the_sections_are(levels):
    sections = [Section(level, f"{n}", f"Part {n}", f"p{n}") for n, level in enumerate(levels)]
    page = parsed(*sections)
    depths = [len(link.xpath("ancestor::ul")) for link in page.xpath("//nav//a")]
    assert depths == list(levels)
    assert [int(head.tag[1]) - 1 for head in page.xpath("//main/*")] == list(levels)
    assert [link.get("href") for link in page.xpath("//nav//a")] == [f"#p{n}" for n in range(len(levels))]


def test_a_list_of_figures_only_where_there_are_some():
    assert [d.findtext("summary") for d in parsed(table()).xpath("//nav//details")] == ["Tables"]
    assert [d.findtext("summary") for d in parsed(figure()).xpath("//nav//details")] == ["Figures"]
    assert len(parsed(table(), figure()).xpath("//nav//details")) == 2


def test_lines_end_the_same_on_every_system(tmp_path):
    write_html(Document(front(), (table(),)), tmp_path / "x.html")
    data = (tmp_path / "x.html").read_bytes()
    assert b"\r" not in data and data.endswith(b"</html>\n") and data.decode("utf-8")


def wide(texts, heads=None, indent=0) -> Table:
    heads = heads or ["h"] * len(texts)
    return replace(
        table(columns=len(texts)),
        align=("left",) * len(texts),
        header=(tuple(HeaderCell(head) for head in heads),),
        rows=(Row("data", indent, tuple(Cell(text) for text in texts)),),
        widths=(1.0,) * len(texts),
    )


@pytest.mark.parametrize("count", [1, 2, 7, 20])
@pytest.mark.parametrize("letters", [1, 12, 60])
def test_columns_fill_the_page_and_no_more(count, letters):
    fitted = columns.fit(wide(["m" * letters] * count), 165.0)
    assert sum(fitted.widths) == pytest.approx(165.0) and min(fitted.widths) > 0
    assert fitted.size in columns.SIZES
    if fitted.broken:
        assert fitted.size == columns.SIZES[-1]


def test_a_narrower_page_never_gets_larger_letters():
    sizes = [columns.fit(wide(["123456789"] * 8), width).size for width in range(60, 260, 10)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]


def test_a_word_that_fits_nowhere_may_break_at_each_letter():
    fitted = columns.fit(wide(["W" * 300, "1"]), 100.0)
    assert fitted.broken
    broken = columns.breakable("W" * 300 + " ok", fitted, 0)
    assert broken.replace("\u200b", "") == "W" * 300 + " ok" and broken.count("\u200b") == 299
    assert columns.breakable("x" * 300, columns.fit(wide(["1"]), 100.0), 0) == "x" * 300


def test_a_spanning_head_widens_all_its_columns():
    heads = ((HeaderCell("a"), HeaderCell("W" * 60, 2)),)
    one = replace(table(columns=3), header=heads, rows=(), widths=(1.0,) * 3)
    least = columns._needs(one, whole=False)
    assert least[1][0] == pytest.approx(least[2][0]) and least[1][0] > least[0][0]
    assert sum(em for em, _ in least[1:]) == pytest.approx(60 * 0.95 * 1.08)


def test_an_indent_needs_room():
    flat, deep = (columns._needs(wide(["abc", "1"], indent=depth), whole=True)[0] for depth in (0, 3))
    assert deep[1] - flat[1] == pytest.approx(3 * columns.INDENT_MM) and deep[0] == flat[0]


@pytest.mark.parametrize(
    "orientations", list(itertools.product(("portrait", "landscape"), repeat=3)), ids="-".join
)
def test_runs_keep_every_block_in_order_and_each_table_on_its_page(orientations):
    blocks = []
    for n, orientation in enumerate(orientations):
        blocks += [
            Section(1, f"{n}", "s", f"s{n}"),
            Paragraph((Span("t"),)),
            table(f"T 1.{n + 1}", rows=20, orientation=orientation),
        ]
    runs = Document(front(), tuple(blocks)).runs()
    assert [block for run in runs for block in run.blocks] == blocks
    assert all(a.orientation != b.orientation for a, b in itertools.pairwise(runs))
    for run in runs:
        assert {block.orientation for block in run.blocks if isinstance(block, Table)} <= {run.orientation}
