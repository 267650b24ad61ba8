"""Where printed numbers come from: what is looked up, what stands in the HTML file, and how a reader gets there and back."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from lxml import html as lxml_html

from interim.report import editions
from interim.report.content import Counted, Document, ListBlock, Origin, Section, Span, Table
from interim.report.html import html_text, write_html
from interim.report.origins import Origins, printed_keys, records_of
from interim.report.package import plans
from interim.result import ResultStore, Rows
from tests.browser.chromium import browser
from tests.report import writers_sample as sample
from tests.report.writers_sample import figure, front, spans


def table(id: str = "T 14.1.1", **changes) -> Table:
    """The table of the samples; its header counts participants."""
    made = sample.table(id, **changes)
    heads = (replace(head, keys=tuple(key.lower() for key in head.keys)) for head in made.header[1])
    return replace(made, header=(made.header[0], tuple(heads)))


def store() -> ResultStore:
    """A table of two rows and four dose levels, a figure, and a rate with a method of its own; participants behind some."""
    made = Rows("a", "Response", "Full analysis set", "as recorded")
    for dose in ("dl1", "dl2", "dl3", "dl4"):
        made.add("N", 6, n=6, N=6, group=dose, variable="n", subjects=("P-7QWX2M",))
        for row in range(2):
            made.add("rate", 0.5, n=row, N=6, group=dose, variable=f"v{row}", method="exact")
    curve = Rows("w", "Waterfall")
    curve.add("N", 12, variable="n", sources=[("P-7QWX2M", "TR", "1"), ("P-7QWX2M", "TR", "4")])
    rate = Rows("response", "Response", "Response set", "")
    sources = [("P-7QWX2M", "RS", "1"), ("P-7QWX2M", "RS", "1"), ("P-AAAAA2", "AE", "9")]
    rate.add("rate", 1 / 6, n=3, N=18, variable="orr", sources=sources, method="exact, level 0.95")
    rate.add("lower", 0.04, n=3, N=18, variable="orr", subjects=("P-BBBBB3",), method="exact, level 0.95")
    rate.add("events", 5, n=5, variable="orr")
    rate.add("<odd> & 'q'", 7, variable="> 3", level="é")
    return ResultStore({one.analysis_id: one.build() for one in (made, curve, rate)})


ORR = "response/total/orr/-"


def document(language: str = "en", **changes) -> Document:
    """Text, two tables that share their header, and a figure."""
    blocks = (
        Section(1, "1", "Response & more", "s-1"),
        sample.TEXT,
        table(rows=2),
        ListBlock(False, 1, ((sample.TEXT, sample.NESTED),)),
        table("T 14.1.2", rows=1),
        figure(keys=("w/total/n/-/n",)),
    )
    return Document(replace(front(), language=language), **{"blocks": blocks, **changes})


def sourced(depth="counts", language="en") -> Document:
    found = document(language)
    return replace(found, sources=Origins(store()).of(found, depth))


def page(depth="counts", language="en"):
    return lxml_html.fromstring(html_text(sourced(depth, language)))


def entry(found, link):
    (target,) = found.xpath(f"//*[@id='{link.get('href')[1:]}']")
    return target


@pytest.mark.rule("TRC-20")
def test_every_number_with_a_known_result_leads_to_the_entry_of_that_result():
    found = page()
    followed = 0
    for cell in found.xpath("//td[@data-key] | //th[@data-key] | //span[@data-key]"):
        stems = {key.rpartition("/")[0] for key in cell.get("data-key").split()}
        links = cell.xpath("./a")
        if stems == {"escalation/total/next/-"}:
            assert links == [] and cell.get("title")
            continue
        assert len(links) == 1 and links[0].text_content() == cell.text_content() and not cell.get("title")
        assert entry(found, links[0]).find("code").text in stems
        followed += 1
    assert followed == 2 * 4 + 2 * 4 + 4 + 2


@pytest.mark.rule("TRC-20")
def test_ids_with_signs_of_markup_are_followed_too():
    key = "response/total/>-3/é/<odd>-q"
    assert key in set(store()["response"].frame["result_id"])
    text = replace(spans("7"), spans=(Span("7", key=key),))
    plain = document(blocks=(text, replace(text, spans=(Span(" ", key=key),))))
    found = lxml_html.fromstring(html_text(replace(plain, sources=Origins(store()).of(plain, "counts"))))
    (link,) = found.xpath("//main//p/span/a")
    assert link.getparent().get("data-key") == key
    assert entry(found, link).find("code").text == "response/total/>-3/é"
    assert "<odd>-q" in entry(found, link).text_content()


@pytest.mark.rule("TRC-20")
def test_a_document_without_known_results_is_as_it_was():
    assert Origins(ResultStore({})).of(document(), "records") == ()
    assert html_text(document()).count('class="n"') == 0
    assert 'class="origins"' not in html_text(document()) and 'class="past"' not in html_text(document())


@pytest.mark.rule("TRC-21")
def test_the_origin_of_a_rate_has_question_population_method_and_every_printed_count():
    keys = (f"{ORR}/rate", f"{ORR}/lower", f"{ORR}/events", f"{ORR}/rate", f"{ORR}/unknown", "gone/x")
    plain = document(blocks=(figure(keys=keys),))
    (source,) = Origins(store()).of(plain, "counts")
    assert (source.anchor, source.name) == ("f-14.2.1", "Figure 14.2.1 Change of the sum of diameters 1")
    counted = (Counted(("rate", "lower"), 3, 18), Counted(("events",), 5, None))
    assert source.origins == (Origin(ORR, "response", "Response set", "exact, level 0.95", counted),)
    found = lxml_html.fromstring(html_text(replace(plain, sources=(source,))))
    (line,) = found.xpath("//section[@class='origins']//li")
    assert line.text_content() == f"{ORR} rate, lower (n = 3, N = 18); events (n = 5)"
    (facts,) = found.xpath("//section[@class='origins']//details/p[code]")
    assert facts.text_content() == "Question: response; Population: Response set; Method: exact, level 0.95"


@pytest.mark.rule("TRC-21")
def test_the_method_of_a_result_holds_where_a_row_names_none():
    methods = {o.stem: o.method for s in sourced().sources for o in s.origins if s.anchor == "t-14.1.1"}
    assert methods["a/dl1/n/-"] == "as recorded" and methods["a/dl1/v1/-"] == "exact"


@pytest.mark.rule("TRC-21")
def test_entries_stand_closed_under_each_place_that_prints_them_with_the_way_back():
    found = page()
    details = found.xpath("//main/section[@class='origins']/details")
    assert [one.find("summary").text for one in details] == [
        "1 Response & more",
        f"Table 14.1.1 {table().title}",
        f"Table 14.1.2 {table('T 14.1.2').title}",
        f"Figure 14.2.1 {figure().title}",
    ]
    assert all(one.get("open") is None for one in details)
    for one, anchor in zip(details, ("s-1", "t-14.1.1", "t-14.1.2", "f-14.2.1"), strict=True):
        (back,) = one.xpath("./p/a")
        assert back.get("href") == f"#{anchor}" and entry(found, back) is not None
        assert back.text == f"Back to {one.find('summary').text}"
    shared = [[code.text for code in one.xpath(".//li/code")].count("a/dl2/n/-") for one in details]
    assert shared == [0, 1, 1, 0]
    for link in found.xpath("//div[@class='tlf portrait']//a[@class='n']"):
        home = entry(found, link).xpath("ancestor::details/p/a")[0].get("href")[1:]
        assert link.xpath("ancestor::div[contains(@class, 'tlf')]")[0].get("id") == home
    (figure_link,) = found.xpath("//figure//a")
    assert entry(found, figure_link).getparent() is details[3]
    ids = found.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in found.xpath("//a/@href")} <= set(ids)
    assert found.xpath("//script | //*[@onclick]") == []


@pytest.mark.rule("TRC-21")
def test_printed_keys_are_in_reading_order_with_their_places():
    found = list(printed_keys(document()))
    assert found[0] == ("s-1", "1 Response & more", f"{ORR}/rate")
    places = [place for place, _, _ in found]
    assert list(dict.fromkeys(places)) == ["s-1", "t-14.1.1", "t-14.1.2", "f-14.2.1"]
    first = next(iter(printed_keys(document(blocks=(sample.TEXT,)))))
    assert first[:2] == ("content", front().title)


@pytest.mark.rule("TRC-22")
def test_records_are_named_by_participant_and_domain_each_once():
    found = records_of(store()["response"])
    assert found == {
        f"{ORR}/rate": ("P-7QWX2M (RS 1)", "P-AAAAA2 (AE 9)"),
        f"{ORR}/lower": ("P-BBBBB3",),
    }
    rows = Rows("q", "Q")
    rows.add("n", 1, sources=[("P-CCCCC4", "DM", None), ("P-CCCCC4", "DM", None)])
    assert records_of(rows.build()) == {"q/total/-/-/n": ("P-CCCCC4 (DM)",)}


@pytest.mark.rule("TRC-22")
def test_only_a_restricted_document_names_participants():
    text = html_text(sourced("records"))
    assert "Participants and source records: P-7QWX2M (TR 1, 4)" in text
    assert "Participants and source records: P-7QWX2M (RS 1); P-AAAAA2 (AE 9)" in text
    for depth in ("counts", "methods"):
        assert not re.search(r"\bP-[0-9A-Z]{6}\b|TR 1", html_text(sourced(depth)))


@pytest.mark.rule("TRC-23")
def test_a_public_document_tells_ids_population_and_method_and_no_number():
    for source in sourced("methods").sources:
        for origin in source.origins:
            assert all((part.n, part.N) == (None, None) for part in origin.counted)
            assert origin.records == () and origin.method in ("as recorded", "")
    found = page("methods")
    lines = [line.text_content() for line in found.xpath("//section[@class='origins']//li")]
    assert f"{ORR} rate" in lines and "a/dl1/v1/- rate" in lines
    assert not any("=" in line for line in lines)


@pytest.mark.rule("TRC-22")
@pytest.mark.rule("TRC-23")
@pytest.mark.rule("TRC-24")
def test_each_file_has_what_its_copy_may_tell(hand_inputs, tmp_path):
    class Masked:
        def document(self, whole):
            return whole

    class MadeOf:
        inputs, public, marks = hand_inputs, None, {}

    key = hand_inputs.store.frame()["result_id"].iloc[0]
    whole = document(blocks=(figure(keys=(key,)),))
    paths = [tmp_path / f"07_x.en.{form}" for form in ("pdf", "html", "docx")]
    origins = Origins(hand_inputs.store)
    chosen = {
        copy: next(plan for plan in plans() if plan.copy == copy) for copy in ("restricted", "confidential")
    }
    for copy, plan in chosen.items():
        tasks = list(editions._tasks(whole, paths, plan, MadeOf, origins))
        assert [task.origins is not None for task in tasks] == [False, True, False]
        depth = "records" if copy == "restricted" else "counts"
        told = tasks[1]._told(tasks[1].origins)
        assert told.document.sources == origins.of(whole, depth) != ()
        assert replace(told.document, sources=()) == whole and told.origins is None
    masked = type("P", (), {"inputs": hand_inputs, "public": Masked(), "marks": {}})
    for plan in chosen.values():
        (task,) = editions._tasks(whole, paths[1:2], plan, masked, origins)
        assert task._told(task.origins).document.sources == origins.of(whole, "methods")


@pytest.mark.rule("TRC-26")
def test_the_labels_are_in_the_language_of_the_document():
    text = html_text(sourced("records", "zh-CN"))
    for words in ("数字的来源", "问题：<code>response</code>", "受试者及源记录：", "跳过此表中的数字"):
        assert words in text, words
    assert '人群：<span lang="en">Response set</span>' in text
    assert '方法：<span lang="en">exact, level 0.95</span>' in text
    assert (
        "Where the numbers" not in text
        and "Back to" not in text
        and '<span lang="en"' not in html_text(sourced())
    )


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origins")
    write_html(sourced("records"), folder / "page.html")
    with browser(folder / "profile") as opened:
        opened.file = folder / "page.html"
        yield opened


@pytest.mark.rule("TRC-25")
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_and_targets_are_large_enough(tab, width):
    tab.open(tab.file, width=width)
    tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.violations() == []
    assert tab.value("document.documentElement.scrollWidth") == width
    small = """[...document.querySelectorAll('td > a.n')].map(a => a.getBoundingClientRect())
        .filter(b => b.width < 24 || b.height < 24).length"""
    assert tab.value(small) == 0 and tab.value("document.querySelectorAll('td > a.n').length") > 10


@pytest.mark.rule("TRC-25")
def test_following_a_number_opens_its_entry_and_the_way_back_leads_to_the_table(tab):
    tab.open(tab.file, width=1200)
    tab.value("document.querySelector('#t-14\\\\.1\\\\.2 td > a.n').focus()")
    tab.value("document.activeElement.click()")
    state = """new Promise(r => requestAnimationFrame(() => { const e = document.querySelector(location.hash);
        r([e.closest('details').open, e.getBoundingClientRect().top >= 0, e.getBoundingClientRect().bottom <= innerHeight,
           document.querySelectorAll('details[open]').length]); }))"""
    assert tab.value(state) == [True, True, True, 1]
    back = "document.querySelector('.origins details[open] p a')"
    assert tab.value(f"{back}.click(); location.hash") == "#t-14.1.2"


@pytest.mark.rule("TRC-25")
def test_a_keyboard_passes_the_numbers_of_a_table_with_one_key(tab):
    tab.open(tab.file, width=1200)
    tab.value("document.querySelector('#t-14\\\\.1\\\\.1 .past').focus()")
    assert tab.value("document.activeElement.getBoundingClientRect().left") >= 0
    tab.value("document.activeElement.click()")
    for kind in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    inside = "document.activeElement.closest('#t-14\\\\.1\\\\.1')"
    assert tab.value(f"document.activeElement.tagName + ({inside} === null)") == "Atrue"


@pytest.mark.rule("TRC-24")
def test_the_printed_page_has_no_origins(tab):
    tab.open(tab.file, width=1200)
    tab.call("Emulation.setEmulatedMedia", media="print")
    shown = "getComputedStyle(document.querySelector('{}')).display"
    assert [tab.value(shown.format(one)) for one in (".origins", ".past", ".origin")] == ["none"] * 3
    line = "getComputedStyle(document.querySelector('td > a.n')).textDecorationLine"
    assert tab.value(line) == "none"
    tab.call("Emulation.setEmulatedMedia", media="")
    assert tab.value(line) == "underline"
