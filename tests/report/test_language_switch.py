"""The language of a report: from the study file or the command line to the notebooks and the documents."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from interim.display.catalogue import SLOT, masked
from interim.display.language import translator
from interim.errors import ReportError
from interim.report import build, editions, run
from interim.report import chapter as chapters
from interim.report.chapter import Chapter, open_chapter
from interim.report.freshness import report_key
from interim.report.lint.wording import words
from interim.report.package import Made, plans
from interim.report.translate import REQUIRED_DOCUMENTS
from interim.study import read_study
from tests.report import handmade
from tests.report.test_package import made
from tests.report.writers_sample import front

ROOT = Path(__file__).resolve().parents[2]


def plan(study, **parameters):
    return run.Plan(study, parameters=parameters)


@pytest.mark.rule("DOC-30")
@pytest.mark.parametrize(
    ("languages", "given", "expected"),
    [
        ('["en"]', {}, ("en",)),
        ('["zh-CN", "en"]', {}, ("zh-CN", "en")),
        ('["en", "zh-CN"]', {"language": "zh-CN"}, ("zh-CN", "en")),
        ('["en"]', {"language": "zh-CN"}, ("zh-CN", "en")),
    ],
)
def test_the_leading_language_is_the_one_asked_for_else_the_first_of_the_study(
    tmp_path, languages, given, expected
):
    file = handmade.write_study(tmp_path / "params")
    file.write_text(file.read_text().replace('languages = ["en"]', f"languages = {languages}"))
    assert build._languages(read_study(file), plan(file, **given)) == expected


@pytest.mark.rule("DOC-30")
def test_an_unknown_language_is_refused_before_anything_is_opened(tmp_path):
    with pytest.raises(ReportError, match="language = 'fr' is not available; permitted: en, zh-CN"):
        open_chapter(study=str(tmp_path / "none.toml"), language="fr")


@pytest.mark.rule("DOC-31")
def test_a_report_in_chinese_depends_on_the_texts_of_its_study(tmp_path):
    file = handmade.write_study(tmp_path / "params")
    texts = file.parent / "zh-CN" / "own.toml"
    texts.parent.mkdir()
    texts.write_text('[messages]\n"x" = "某"\n', encoding="utf-8")
    study = read_study(file)
    books = tmp_path / "books"
    books.mkdir()
    english, chinese = (report_key(study, books, p) for p in ({}, {"language": "zh-CN"}))
    assert english["texts"] == {} and set(chinese["texts"]) == {"own.toml"}
    texts.write_text('[messages]\n"x" = "甲"\n', encoding="utf-8")
    assert report_key(study, books, {"language": "zh-CN"})["texts"] != chinese["texts"]
    assert report_key(study, books, {}) == english
    file.write_text(file.read_text().replace('languages = ["en"]', 'languages = ["en", "zh-CN"]'))
    assert set(report_key(read_study(file), books, {})["texts"]) == {"own.toml"}


@pytest.mark.rule("DOC-34")
def test_a_chapter_draws_its_figures_in_its_language(hand_inputs, monkeypatch):
    heard = []

    class Shown:
        def with_missing(self, texts):
            heard.append(texts)
            return self

        def with_id(self, id, **_):
            return id

    def draw(result, study, **options):
        from interim.display.language import voice

        heard.append(
            (voice().place, voice().say("Nonsense of a cat"), voice().say("Cytokine release syndrome"))
        )
        return Shown()

    monkeypatch.setattr("interim.display.figure_waterfall", draw, raising=False)
    monkeypatch.setattr(chapters, "quoted", lambda adam, sdtm: frozenset())
    found = Chapter(hand_inputs, language="zh-CN")
    tlf = next(tlf for tlf in found.tlfs.values() if tlf.display == "figure_waterfall")
    assert found.figure(tlf.id) == tlf.id
    assert heard == [(tlf.id, "Nonsense of a cat", "细胞因子释放综合征"), ("Nonsense of a cat",)]
    heard.clear()
    assert Chapter(hand_inputs).figure(tlf.id) == tlf.id
    assert heard == [(tlf.id, "Nonsense of a cat", "Cytokine release syndrome")]


@pytest.mark.rule("DOC-33")
def test_a_package_in_two_languages_has_both_editions_of_what_needs_them_or_says_what_is_missing(
    tmp_path, hand_inputs, monkeypatch
):
    at_hand = Made(hand_inputs, "en", "confidential", made("T 14.2.1.2", "L 16.2.1.1").chapters)
    said: list[str] = []

    def write(folder):
        folder.mkdir(parents=True)
        return editions.write_package(
            folder / "documents",
            at_hand,
            front=front(title="t"),
            languages=("en", "zh-CN"),
            workers=1,
            say=said.append,
        )

    asked = []
    real = editions.translated

    def whole(document, inputs, language):
        asked.append((document.front.title, language))
        translation, missing = real(document, inputs, language)
        assert not [one for one in missing if masked(SLOT.sub("", one.message))[1]], (
            "numbers are placeholders"
        )
        return translation, ()

    monkeypatch.setattr(editions, "translated", whole)
    outputs = write(tmp_path / "two")
    names = {name.partition("/")[2].rpartition(".")[0] for name in outputs}
    assert {"00_transmittal.en", "00_transmittal.zh-CN"} <= names
    assert not [name for name in names if name.endswith("zh-CN") and name[:2] not in REQUIRED_DOCUMENTS]
    page = next((tmp_path / "two" / "documents").glob("00*zh-CN.html")).read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page and "数据截止日期" in page
    monkeypatch.setattr(
        editions, "translated", lambda *a: (real(*a)[0], (editions_missing(),) if a[2] == "zh-CN" else ())
    )
    with pytest.raises(ReportError, match="title page, front: no such text"):
        write(tmp_path / "stopped")


def editions_missing():
    from interim.report.translate import Missing

    return Missing("front", "title page", "no such text")


AGREES = re.compile(r"\{[^{}]*[|][nN][?]([^|{}]+)[|]([^{}]+)\}")
FIXED = ("heading", "text", "say", "ask", "title", "label", "head", "footnotes", "row", "cells", "bullets")


def fixed(value, key=""):
    """Yield the texts of a part of a document that are written once and for all, results as a number."""
    if isinstance(value, str) and key in FIXED:
        for word in (r"\1", r"\2") if AGREES.search(value) else (r"\1",):  # of one, of many
            yield re.sub(r"\{[^}]*\}", "7", AGREES.sub(word, value)).replace("@label", "DL1 5e7")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from fixed(inner, name)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from fixed(inner, key)


@pytest.mark.rule("DOC-33")
@pytest.mark.parametrize("number", REQUIRED_DOCUMENTS)
def test_every_text_of_a_required_document_is_translated_under_whatever_condition_it_stands(number):
    found = next(plan for plan in plans() if plan.number == number)
    texts = [*fixed(found.part), found.title, found.otherwise]
    assert len(texts) > 10
    assert [text for text in texts if text and translator("zh-CN").text(text).state == "missing"] == []


def test_a_text_of_a_document_is_found_in_every_kind_of_part_and_its_results_are_numbers():
    part = {
        "say": "{a/Total/b//n|n} people",
        "make": "module.function",
        "table": {"row": [["x", {"own": "key", "ask": "y"}], {"each": "dose", "cells": ["z @label"]}]},
    }
    assert list(fixed([part])) == ["7 people", "x", "y", "z DL1 5e7"]
    assert list(fixed({"say": "{a/b|n} {a/b|n?person was|people were} ill"})) == [
        "7 person was ill",
        "7 people were ill",
    ]


@pytest.mark.rule("LNT-06", source="report-package.md section 6, wording")
def test_no_translation_holds_a_word_that_stops_a_package():
    sentences = {
        sentence
        for file in (ROOT / "src/interim/display/texts/zh-CN").glob("*.toml")
        for text in tomllib.loads(file.read_text(encoding="utf-8")).get("messages", {}).values()
        for sentence in re.split("(?<=[。！？])", text)
    }
    assert len(sentences) > 2000
    assert [
        (text, word.pattern.search(text)[0])
        for text in sorted(sentences)
        for word in words()
        if word.pattern.search(text) and not (word.unless and word.unless.search(text))
    ] == []


@pytest.mark.rule("DOC-32")
def test_a_count_out_of_others_does_not_turn_into_a_rate_of_participants():
    assert translator("zh-CN").text("7 of 17").text == "7（共 17）"
    assert translator("zh-CN").text("7/17 (41.2%)").text == "7/17 (41.2%)"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_name_of_a_language_in_a_list_of_files_stays(language):
    found = translator("zh-CN").text(language)
    assert (found.text, found.state) == (language, "same")
