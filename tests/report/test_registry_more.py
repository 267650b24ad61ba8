"""Every table and figure of the registry for a study in which nobody has any record yet."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from interim.errors import ReportError
from interim.report import chapter as c
from interim.report import registry as r
from interim.report.registry import registry
from interim.result import ResultStore

LOST = re.compile(r"\b(?:nan|NaN|<NA>|inf)\b")


@pytest.fixture(scope="module")
def nobody(hand_inputs):
    """The hand-made study before the first participant: every dataset without a row."""
    adam = hand_inputs.adam
    frames = {name: frame.iloc[:0] for name, frame in adam.datasets.items()}
    empty = replace(adam, datasets=frames, findings=())
    sdtm = replace(
        hand_inputs.sdtm,
        domains={name: frame.iloc[:0] for name, frame in hand_inputs.sdtm.domains.items()},
        findings=(),
    )
    return empty, sdtm


@pytest.fixture(scope="module")
def answered():
    """Answers by question, each asked once."""
    return {}


def chapter_of(tlf, nobody, answered, study):
    """A chapter that has the answer of one question."""
    empty, sdtm = nobody
    if tlf.analysis not in answered:
        answered[tlf.analysis] = c._answer(tlf.analysis, empty, study, sdtm)
    return c.Chapter(c.Inputs(study, sdtm, empty, ResultStore(answered)))


@pytest.mark.rule("TLF-01")
@pytest.mark.parametrize("tlf", registry(), ids=lambda tlf: tlf.id)
def test_every_entry_shows_before_the_first_participant(nobody, answered, hand_inputs, tlf):
    chapter = chapter_of(tlf, nobody, answered, hand_inputs.study)
    shown = getattr(chapter, tlf.kind)(tlf.id)
    if tlf.kind in ("figures", "story"):
        assert not LOST.search(shown.text())
        return
    block = shown.block()
    texts = [cell["text"] for row in block.get("rows", ()) for cell in row["cells"]] + [block.get("alt", "")]
    assert not [text for text in texts if LOST.search(text)]
    assert block["title"] == r.title_of(tlf, chapter.study) and block["footnotes"]


@pytest.mark.parametrize("tlf", registry(), ids=lambda tlf: tlf.id)
def test_footnotes_have_no_open_place(tlf, hand_inputs):
    for note in r.footnotes_of(tlf, hand_inputs.study, hand_inputs.sdtm):
        assert note.strip() and not re.search(r"[{}]", note), note


@pytest.mark.rule("AE-10", source="a table that counts joined records says so")
@pytest.mark.parametrize(
    ("name", "join", "said"), [("T 14.3.1.1", True, 1), ("T 14.3.1.1", False, 0), ("T 14.3.2.1", True, 0)]
)
def test_joined_records_have_a_footnote(name, join, said, hand_inputs):
    tlf = next(item for item in registry() if item.id == name)
    safety = hand_inputs.study.safety.model_copy(update={"collapse_overlap": join})
    study = hand_inputs.study.model_copy(update={"safety": safety})
    notes = r.footnotes_of(tlf, study, hand_inputs.sdtm)
    assert sum("count as one event" in note for note in notes) == said


@pytest.mark.rule("SAF-31", source="the grade of titration_trigger.crs_min_grade")
@pytest.mark.parametrize("grade", [1, 2, 3])
def test_a_title_takes_the_grade_from_the_study(grade, hand_inputs):
    trigger = hand_inputs.study.titration_trigger.model_copy(update={"crs_min_grade": grade})
    study = hand_inputs.study.model_copy(update={"titration_trigger": trigger})
    titles = {tlf.id: r.title_of(tlf, study) for tlf in registry()}
    assert titles.pop("F 14.3.1.3") == f"Cumulative incidence of first G>={grade} CRS"
    shells = {
        tlf.id: tlf.title for tlf in registry() if not tlf.id.startswith("L") and tlf.id != "F 14.3.1.3"
    }
    assert {name: title for name, title in titles.items() if name in shells} == shells


@pytest.mark.rule("DOC-09", source="the shells; the label before a title says what it is")
def test_a_listing_is_not_called_listing_twice(hand_inputs):
    titles = {
        tlf.id: (tlf.title, r.title_of(tlf, hand_inputs.study)) for tlf in registry() if tlf.id[0] == "L"
    }
    assert len(titles) > 20
    assert titles["L 14.3.2.2"] == ("Listing: deaths", "Deaths")
    assert titles["L 16.2.6.4"] == ("Listing: PFS, OS, DOR derivation", "PFS, OS, DOR derivation")
    for shell, shown in titles.values():
        assert "Listing" not in shown and shell.removeprefix("Listing: ").lower() == shown.lower()


@pytest.mark.parametrize(
    ("route", "records", "words"),
    [("auto", 1, "derived from the lesions"), ("auto", 0, "taken as reported (RS)"), ("lesion", 0, "derived from the lesions"),
     ("reported", 1, "taken as reported (RS)")],
)  # fmt: skip
def test_the_route_of_the_response_in_words(route, records, words, hand_inputs):
    study = SimpleNamespace(response=SimpleNamespace(route=route))
    sdtm = SimpleNamespace(domain=lambda name: {"TR": [0] * records}[name])
    assert r._route(study, sdtm) == words


def test_all_problems_of_a_registry_come_at_once():
    row = {"id": "T 14.1.1.1", "analysis": "a.b", "display": "table_c"}
    with pytest.raises(ReportError) as caught:
        r.read_entries(
            [row, row, {**row, "id": "X"}, {**row, "id": "T 14.1.1.1b", "footnotes": ["Q"]}], known=set()
        )
    lines = str(caught.value).splitlines()
    assert lines[0] == "the registry of tables and figures is wrong:" and len(lines) == 5


def test_a_continued_table_keeps_title_footnotes_and_options_of_its_own():
    row = {
        "id": "T 14.1.1.1a",
        "title": "More",
        "analysis": "a.b",
        "display": "table_c",
        "footnotes": ["N"],
        "options": {"x": 1},
    }
    (entry,) = r.read_entries([row], known={"N"})
    assert (entry.title, entry.footnotes, entry.options) == ("More", ("N",), {"x": 1})


def test_entries_of_one_question_agree_on_the_kind_and_name_of_the_display():
    for tlf in registry():
        letters = {"table": "TL", "figure": "F", "figures": "L", "story": "N"}
        assert tlf.id[0] in letters[tlf.kind], tlf.id
        assert re.fullmatch(r"[a-z_]+\.[a-z_0-9]+", tlf.analysis), tlf.id


def test_shells_have_one_title_each():
    assert len(r.shells()) > 30 and all(shell.title.strip() for shell in r.shells().values())
