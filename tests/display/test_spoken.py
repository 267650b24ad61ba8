"""Texts within figures: what is replaced when a drawing is finished, how lines break, and what is named as missing."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure as Sheet
from matplotlib.ticker import ScalarFormatter

from interim.display.figure import Figure
from interim.display.gallery import Gallery
from interim.display.language import Voice, speaking
from interim.display.spoken import every_letter, said, translate_sheet
from interim.display.text import Paragraph, Span
from interim.display.typeface import family, figure_letters, is_chinese, named
from interim.errors import ReportError
from interim.report.blocks import read_block
from tests.display.test_catalogue import speaker
from tests.display.test_gallery import figure

WORDS = {
    "Death": "死亡",
    "Months from the first infusion": "自首次输注起的月数",
    "Response by the committee of the whole study at every visit": "整个研究的委员会在每次访视时评定的疗效，按标准核对",
    "{1} of {2} events": "{2}例事件中的{1}例",
}


def voice() -> Voice:
    return Voice(speaker(**WORDS), "F 1")


@pytest.mark.rule("DOC-34")
@pytest.mark.parametrize(
    ("text", "expected", "missing"),
    [
        ("Death", "死亡", []),
        ("3/13 (23%)", "3/13 (23%)", []),
        ("Months from\nthe first infusion", "自首次输注起的月数", []),
        ("Death\n3 of 7 events", "死亡\n7例事件中的3例", []),
        ("Cats\nand dogs", "Cats\nand dogs", ["Cats\nand dogs"]),
        ("死亡", "死亡", []),
        ("", "", []),
        ("   Death", "   死亡", []),
        (r"$\mathdefault{10^{2}}$", r"$\mathdefault{10^{2}}$", []),
    ],
)
def test_a_text_is_said_line_by_line_or_as_a_whole_that_is_broken_anew(text, expected, missing):
    speaking_now = voice()
    assert said(text, speaking_now) == expected
    assert speaking_now.missing == missing


@pytest.mark.rule("DOC-34")
def test_no_line_is_wider_than_before_and_none_begins_with_a_comma():
    text = "Response by the\ncommittee of the\nwhole study at\nevery visit"
    lines = said(text, voice()).split("\n")
    assert "".join(lines) == WORDS["Response by the committee of the whole study at every visit"]
    assert all(sum(2 if is_chinese(letter) else 1 for letter in line) <= 18 for line in lines)
    assert not [line for line in lines if line[0] in "，。；"]


@pytest.mark.rule("DOC-34")
def test_titles_legends_and_named_ticks_are_replaced_and_numbered_ticks_are_not():
    sheet = Sheet()
    axes = sheet.add_subplot()
    axes.plot([0, 1], [0, 1], label="Death")
    axes.legend()
    axes.set_title("Death")
    axes.set_yticks([0, 1], ["Death", "3 of 7 events"])
    with speaking(speaker(**WORDS)) as one:
        translate_sheet(sheet)
        translate_sheet(sheet)
    assert one.missing == []
    assert axes.get_title() == "死亡"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["死亡"]
    assert axes.yaxis.get_major_formatter()(1.0, 1) == "7例事件中的3例"
    assert isinstance(axes.xaxis.get_major_formatter(), ScalarFormatter)


@pytest.mark.rule("DOC-34")
def test_without_another_language_nothing_is_touched():
    sheet = Sheet()
    sheet.add_subplot().set_title("Death")
    formatter = sheet.axes[0].yaxis.get_major_formatter()
    translate_sheet(sheet)
    assert sheet.axes[0].get_title() == "Death"
    assert sheet.axes[0].yaxis.get_major_formatter() is formatter


@pytest.mark.rule("DOC-34")
def test_a_figure_and_a_gallery_carry_what_their_drawings_lack_to_the_document():
    named_one = figure("01-001").with_id("F 14.2.1").with_missing(("Cats",))
    assert named_one.block()["untranslated"] == ["Cats"]
    shown = Gallery((figure("01-001"), Paragraph((Span("words"),)))).with_missing(("Cats", "Dogs"))
    assert isinstance(shown.items[0], Figure) and shown.items[0].untranslated == ("Cats", "Dogs")
    assert shown.items[1] == Paragraph((Span("words"),))
    assert "untranslated" not in figure("01-001").block()


@pytest.mark.rule("DOC-14")
@pytest.mark.parametrize(
    ("value", "problem"),
    [(["Cats"], None), ([" "], "untranslated must be texts that are not blank"), ("Cats", "has type str")],
)
def test_the_reader_of_blocks_takes_what_a_drawing_lacks_as_a_list_of_texts(value, problem):
    block = figure("01-001").with_id("F 14.2.1").block() | {"untranslated": value, "svg": "<svg/>"}
    found, problems = read_block(block)
    problems = [one for one in problems if "untranslated" in one]
    assert [problem in one for one in problems] == ([] if problem is None else [True])
    assert found is None or found.untranslated == ("Cats",)


@pytest.mark.rule("DOC-36")
def test_only_a_missing_letter_becomes_an_error_that_names_it():
    with every_letter():
        pass
    with pytest.raises(UserWarning, match="Glyph without number"), every_letter():
        raise UserWarning("Glyph without number")
    with pytest.raises(ReportError, match=r"a figure: the shipped fonts lack U\+9F98 '龘'"), every_letter():
        raise UserWarning("Glyph 40856 (name) missing from font(s) DejaVu Sans.")


@pytest.mark.rule("DOC-35")
def test_figures_have_two_families_and_all_their_letters():
    assert family() == ["DejaVu Sans", "Interim CJK SC"]
    assert {ord(letter) for letter in "aµ≥剂，"} <= figure_letters()
    assert named("龘龘a") == "U+9F98 '龘', U+0061 'a'"


@pytest.mark.rule("DOC-35")
@pytest.mark.parametrize(
    ("letter", "expected"),
    [("剂", True), ("。", True), ("Ａ", True), ("é", False), ("\U0001f9ec", False), ("𠀀", True)],
)
def test_letters_of_the_chinese_typeface(letter, expected):
    assert is_chinese(letter) is expected
