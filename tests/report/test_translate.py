"""A document in another language: the same numbers and result ids, and every text that has no translation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from interim.display.catalogue import read_catalogue
from interim.display.language import Translator
from interim.errors import ReportError
from interim.report.content import (
    Cell,
    Document,
    HeaderCell,
    ListBlock,
    Paragraph,
    Row,
    Section,
    Span,
    block_texts,
)
from interim.report.translate import Missing, quoted, refuse_missing, shown_missing, translate
from tests.report.writers_sample import figure, front, table, whole

TEXTS = {
    "Interim report": "期中分析报告",
    "Phase {1}": "{1}期",
    "Version": "版本",
    "Response": "疗效",
    "Best response": "最佳疗效",
    "Full analysis set": "全分析集",
    "An objective response was reached by {1} participants; *no* more than {2}.": "不超过{2}例，{1}例受试者*没有*达到客观缓解。",
    "Level": "水平",
    "Death": "死亡",
    "One line per participant": "每例受试者一条线",
    "A curve of {1} participants over months": "{1}例受试者随月份变化的曲线，共有若干月",
    "bullet": "要点",
    "not reached": "未达到",
    "after {1} months": "在 {1} 个月后",
}


def speaker(kept=()) -> Translator:
    lines = "\n".join(f'"{key}" = "{value}"' for key, value in TEXTS.items())
    return Translator(read_catalogue([("t.toml", f"same = []\n[messages]\n{lines}")]), kept)


def head(**changes):
    return front(**({"title": "Interim report", "subtitle": "Phase 1", "labels": ()} | changes))


def chinese(*blocks, kept=(), **changes):
    return translate(Document(head(**changes), blocks), "zh-CN", speaker(kept))


SAID = Paragraph(
    (
        Span("An objective response was reached by "),
        Span("3/13 (23%)", key="r/total/orr/-/rate"),
        Span(" participants; "),
        Span("no", emphasis=True),
        Span(" more than 5."),
    )
)


@pytest.mark.rule("DOC-32")
def test_a_sentence_is_translated_whole_and_keeps_its_numbers_their_ids_and_its_style():
    made, missing = chinese(SAID)
    assert missing == ()
    (block,) = made.blocks
    assert "".join(span.text for span in block.spans) == "不超过5例，3/13 (23%)例受试者没有达到客观缓解。"
    assert [(s.text, s.key) for s in block.spans if s.key] == [("3/13 (23%)", "r/total/orr/-/rate")]
    assert [s.text for s in block.spans if s.emphasis] == ["没有"]
    assert all(span.language is None for span in block.spans)


@pytest.mark.rule("DOC-32")
def test_a_result_that_is_a_word_is_translated_where_it_stands():
    words = Paragraph((Span("Death: "), Span("not reached", key="s/total/pfs/-/median")))
    made, missing = chinese(words)
    assert missing == ()
    assert [(s.text, s.key) for s in made.blocks[0].spans] == [
        ("死亡：", None),
        ("未达到", "s/total/pfs/-/median"),
    ]


@pytest.mark.rule("DISP-13")
@pytest.mark.parametrize(("shown", "said"), [("not reached", "在未达到个月后"), ("3", "在 3 个月后")])
def test_a_chinese_word_in_the_place_of_a_number_has_no_blanks_around_it(shown, said):
    made, missing = chinese(Paragraph((Span("after "), Span(shown, key="s/x/y/z/n"), Span(" months"))))
    assert missing == () and "".join(span.text for span in made.blocks[0].spans) == said
    assert [span.key for span in made.blocks[0].spans if span.key] == ["s/x/y/z/n"]


@pytest.mark.rule("DOC-32")
def test_every_text_of_a_table_is_translated_and_its_label_numbered_in_chinese():
    source = replace(
        table(),
        title="Best response",
        population="Full analysis set",
        header=((HeaderCell("Level"), HeaderCell("DL1\nN=3", 1, ("k",))),),
        rows=(
            Row("section", 0, (Cell("Response"),)),
            Row("data", 1, (Cell("Death"), Cell("1/3 (33%)", ("a",)))),
        ),
        align=("left", "right"),
        widths=(1.0, 1.0),
        footnotes=("One line per participant.",),
        labels=("Death",),
    )
    made, missing = chinese(source)
    assert missing == ()
    (block,) = made.blocks
    wanted = [
        "表 14.1.1",
        "最佳疗效",
        "全分析集",
        "水平",
        "DL1\nN=3",
        "疗效",
        "死亡",
        "1/3 (33%)",
        "每例受试者一条线。",
        "死亡",
    ]
    assert list(block_texts(block)) == wanted
    assert block.header[0][1].keys == ("k",)
    assert block.rows[1].cells[1].keys == ("a",)
    assert (block.id, block.anchor) == (source.id, source.anchor)


@pytest.mark.rule("DOC-30")
def test_the_title_page_speaks_the_language_and_names_it():
    made, missing = chinese()
    assert missing == ()
    assert made.front.language == "zh-CN"
    assert (made.front.title, made.front.subtitle) == ("期中分析报告", "1期")
    assert made.front.lines()[0] == ("数据截止日期", "2026-01-31")
    assert made.front.lines()[-1] == ("版本", "7")
    assert made.front.footer() == "数据截止日期 2026-01-31 · 数据哈希值 0123456789ab · 程序版本 0.1.0"


@pytest.mark.rule("DOC-30")
def test_english_is_the_source_and_stays():
    source = whole()
    assert translate(source, "en", None) == (source, ())


@pytest.mark.rule("DOC-33")
def test_a_text_without_translation_stays_marked_and_is_listed_once_for_its_place():
    rows = (
        Row("data", 0, (Cell("Nausea"), Cell("1 of 3 cats", ("a",)))),
        Row("data", 0, (Cell("Nausea"), Cell("2 of 4 cats", ("b",)))),
    )
    source = replace(
        table("T 14.5.7"),
        header=((HeaderCell("Level"), HeaderCell("Level")),),
        rows=rows,
        title="Response",
        population="",
    )
    source = replace(source, footnotes=(), labels=(), align=("left", "left"), widths=(1.0, 1.0))
    made, missing = chinese(
        Section(1, "2", "Response", "s-2"), source, Paragraph((Span("A dog.", strong=True),))
    )
    assert missing == (
        Missing("stub", "T 14.5.7", "Nausea"),
        Missing("cell", "T 14.5.7", "{1} of {2} cats"),
        Missing("text", "section 2", "**A dog.**"),
    )
    cells = made.blocks[1].rows[0].cells
    assert [(cell.text, cell.language) for cell in cells] == [("Nausea", "en"), ("1 of 3 cats", "en")]
    assert [(s.text, s.language, s.strong) for s in made.blocks[2].spans] == [("A dog.", "en", True)]
    again, missing = chinese(source, kept=["Nausea"])
    assert [one.kind for one in missing] == ["cell"]
    assert again.blocks[0].rows[0].cells[0].language == "en"


@pytest.mark.rule("DOC-33")
@pytest.mark.parametrize(
    ("place", "required", "refused"),
    [
        ("T 14.1.1", False, False),
        ("T 14.1.1", True, True),
        ("T 14.5.7", False, True),
        ("T 14.5.8", False, True),
    ],
)
def test_a_required_text_without_translation_stops_the_document(place, required, refused):
    missing = [Missing("cell", place, f"cat {number}") for number in "abcdefghijklmnopqrstuvwx"]
    if not refused:
        refuse_missing(missing, required=required)
        return
    with pytest.raises(ReportError) as caught:
        refuse_missing(missing, required=required)
    lines = str(caught.value).splitlines()
    assert lines[0] == "24 text(s) have no translation; add them to the catalogue:"
    assert lines[1] == f"{place}, cell: cat a" and lines[-1] == "and 4 more"


@pytest.mark.rule("DOC-34")
def test_a_figure_has_its_text_alternative_and_names_what_its_drawing_lacks():
    source = figure(
        title="Response", population="", footnotes=(), labels=(), alt="A curve of 7 participants over months"
    )
    source = replace(source, untranslated=("Cats of 3",))
    made, missing = chinese(source)
    assert made.blocks[0].alt == "7例受试者随月份变化的曲线，共有若干月"
    assert missing == (Missing("drawing", "F 14.2.1", "Cats of {1}"),)
    assert made.blocks[0].label == "图 14.2.1"


@pytest.mark.rule("DOC-34")
def test_a_text_alternative_that_is_too_short_is_listed():
    short = figure(title="Response", population="", footnotes=(), labels=(), alt="Death")
    assert chinese(short)[1] == (Missing("alt", "F 14.2.1", "shorter than 15 characters: 死亡"),)


def keys(document) -> Counter:
    found: Counter = Counter()
    for block in document.blocks:
        if isinstance(block, Paragraph):
            found.update(span.key for span in block.spans if span.key)
        for row in (*getattr(block, "header", ()), *(row.cells for row in getattr(block, "rows", ()))):
            found.update(key for cell in row for key in cell.keys)
        found.update(getattr(block, "keys", ()))
    return found


@pytest.mark.rule("DOC-32")
def test_both_languages_hold_the_same_multiset_of_result_ids():
    source = Document(head(), (*whole().blocks, SAID))
    made, _ = translate(source, "zh-CN", speaker())
    assert sum(keys(source).values()) > 100
    assert keys(made) == keys(source)


@pytest.mark.rule("DOC-32")
def test_lists_are_translated_at_every_depth():
    inner = ListBlock(True, 1, ((Paragraph((Span("bullet"),)),),))
    made, missing = chinese(ListBlock(False, 1, ((Paragraph((Span("bullet"),)), inner),)))
    assert missing == ()
    assert list(block_texts(made.blocks[0])) == ["要点", "要点"]


@pytest.mark.rule("DOC-33")
def test_terms_of_events_and_treatments_are_quoted_as_entered_and_as_a_sentence():
    class Derived:
        datasets = {"ADAE": pd.DataFrame({"AETERM": ["bad NAUSEA", None], "AEDECOD": ["NAUSEA", "NAUSEA"]})}

    class Delivered:
        domains = {"CM": pd.DataFrame({"CMTRT": ["dexamethasone", None], "CMINDC": [None, "ascites"]})}

    terms = {"bad NAUSEA", "Bad NAUSEA", "NAUSEA", "Nausea"}
    drugs = {"dexamethasone", "Dexamethasone", "ascites", "Ascites"}
    assert quoted(Derived(), Delivered()) == terms | drugs


@pytest.mark.rule("DOC-33")
def test_the_words_of_the_site_are_never_translated_although_the_catalogue_has_them():
    block = table()
    head, cell = block.header[-1][-1], block.rows[0].cells[-1]
    heads = (replace(head, text="Response", span=2), replace(head, text="Verbatim"))
    shown = [
        replace(block.rows[0], cells=(cell, cell, replace(cell, text=text)))
        for text in ("not reached", "恶心", "–")
    ]
    made, missing = chinese(replace(block, header=(heads,), rows=tuple(shown)))
    last = [row.cells[-1] for row in made.blocks[0].rows]
    assert [(cell.text, cell.language) for cell in last] == [
        ("not reached", "en"),
        ("恶心", None),
        ("–", None),
    ]
    assert {one.message for one in missing} >= {"Verbatim"}
    assert "not reached" not in {one.message for one in missing}


@pytest.mark.rule("DOC-33")
def test_a_cell_that_states_its_language_is_left_as_it_is():
    block = table()
    first = replace(block.rows[0].cells[0], text="Response", language="en")
    row = replace(block.rows[0], cells=(first, *block.rows[0].cells[1:]))
    made, missing = chinese(replace(block, rows=(row,)))
    assert made.blocks[0].rows[0].cells[0] == first
    assert all(one.message != "Response" for one in missing)


@pytest.mark.rule("DOC-33")
def test_what_stays_in_english_is_told_text_by_text_up_to_a_bound():
    lacking = [Missing("cell", f"T {n}", "ascites") for n in range(23)]
    assert shown_missing([]) == []
    assert shown_missing(lacking[:1]) == [
        "1 text(s) have no translation and stay in English:",
        "T 0, cell: ascites",
    ]
    assert shown_missing(lacking)[-2:] == ["T 19, cell: ascites", "and 3 more"]


@pytest.mark.rule("DOC-33")
def test_every_text_that_is_looked_up_can_be_counted():
    asked = []
    source = Document(head(), (Section(1, "1", "Response", "s-1"), SAID))
    translate(source, "zh-CN", speaker(), noted=asked.append)
    assert ("heading", "Response") in asked and ("front", "Phase {1}") in asked
    assert [kind for kind, _ in asked].count("text") == 1
