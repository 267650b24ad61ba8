"""Written parts: conditions, the study's own words, lists, tables and icon arrays, from a store made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from interim.display import icons
from interim.errors import ReportError
from interim.report import own_words as words_module
from interim.report.cache import Cache
from interim.report.content import Figure, ListBlock, Paragraph, Table
from interim.report.document import Heading, Placed
from interim.report.memo import Memo
from interim.report.own_words import own_words, words_file
from interim.report.package import Made, asked, put_together, read_plans
from interim.report.parts import applies, cell_of, written
from interim.report.traced import Sources
from interim.result import ResultStore, Rows
from interim.study import read_study
from tests.report import handmade
from tests.report.test_package import table as plain_table
from tests.report.writers_sample import front


def store() -> ResultStore:
    rows = Rows("made.up", "Made up")
    rows.add("n", 3, variable="some", n=3, N=13)
    rows.add("n", 0, variable="zero", n=0, N=13)
    rows.add("n", None, variable="none", status="NA", reason="not available: not delivered")
    rows.add("value", None, text="no", variable="refused")
    rows.add("value", None, text="yes", variable="agreed")
    rows.add("rate", 1 / 4, group="DL1", variable="dose", n=1, N=4)
    for group in ("DL2", "DL3", "DL4"):
        rows.add("rate", 0, group=group, variable="dose", n=0, N=2)
    return ResultStore({"made.up": rows.build()})


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(handmade.write_study(tmp_path_factory.mktemp("parts") / "params"))


@pytest.fixture
def made(study) -> Made:
    return Made(SimpleNamespace(study=study, store=store(), memo=None), "en", "confidential", {})


SOME, ZERO, NONE, ABSENT = (f"made.up/Total/{name}//n" for name in ("some", "zero", "none", "absent"))
NO, YES = (f"made.up/Total/{name}//value" for name in ("refused", "agreed"))


@pytest.mark.rule("PKG-05")
@pytest.mark.parametrize(
    ("key", "has", "when"),
    [
        (SOME, True, True),
        (ZERO, True, False),
        (NONE, False, False),
        (ABSENT, False, False),
        (NO, True, False),
        (YES, True, True),
    ],
)
def test_conditions_on_a_result(made, key, has, when):
    assert applies({"has": key}, made) is has
    assert applies({"lacks": key}, made) is not has
    assert applies({"when": key}, made) is when
    assert applies({"unless": key}, made) is not when
    assert applies({}, made)
    assert applies({"has": key, "when": key}, made) is (has and when)


@pytest.mark.rule("PKG-05")
def test_a_list_holds_the_sentences_that_apply(made):
    items = [
        "always",
        {"when": SOME, "say": f"{{{SOME}|n}} of {{{SOME}|N}} people"},
        {"when": ZERO, "say": "never"},
    ]
    (found,) = written({"bullets": items}, made)
    assert isinstance(found, ListBlock)
    assert ["".join(span.text for span in item[0].spans) for item in found.items] == [
        "always",
        "3 of 13 people",
    ]
    assert list(written({"bullets": [{"when": ZERO, "say": "never"}]}, made)) == []


@pytest.mark.rule("PKG-05")
def test_a_table_has_a_row_for_each_dose_and_the_ids_of_its_results(made, study):
    data = {
        "id": "t",
        "title": "made up",
        "head": ["Fact", "Result"],
        "row": [
            ["Some", f"{{{SOME}|x/n}}"],
            {"section": "By dose"},
            {"each": "dose", "cells": ["@label", "{made.up/@code/dose//rate|x/n}"]},
            {"when": ZERO, "cells": ["never", "never"]},
            ["Own", {"own": "synopsis.conclusion", "ask": "[To be written.]"}],
        ],
    }
    (found,) = written({"table": data}, made)
    assert isinstance(found, Table)
    cells = [tuple(cell.text for cell in row.cells) for row in found.rows]
    labels = [label for code, label in study.cohorts().items() if code != "NK only"]
    assert cells[0] == ("Some", "3/13") and found.rows[1].kind == "section"
    assert cells[2:6] == list(zip(labels, ["1/4", "0/2", "0/2", "0/2"], strict=True))
    assert cells[6:] == [("Own", "[To be written.]")]
    assert found.rows[0].cells[1].keys == ("made.up/total/some/-/n",)
    assert found.rows[2].cells[1].keys == ("made.up/dl1/dose/-/rate",)
    assert found.orientation == "portrait" and found.widths == (1.0, 1.0)


def test_a_cell_names_each_result_once(made):
    cell = cell_of(made.say(f"{{{SOME}|n}} of {{{SOME}|N}} and *more*"))
    assert (cell.text, cell.keys) == ("3 of 13 and more", ("made.up/total/some/-/n",))


@pytest.mark.rule("PKG-05")
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"say": "It was 3 of 13."}, "a number is typed"),
        ({"bullets": ["7 people"]}, "a number is typed"),
        ({"say": "{made.up/Total/absent//n|n}"}, "no result"),
        ({"text": "| a |\n|--|\n| b |"}, "table is not possible"),
    ],
)
def test_a_typed_number_and_an_unknown_result_are_refused(made, part, message):
    with pytest.raises(ReportError, match=message):
        list(written(part, made))


@pytest.mark.rule("LAY-04", source="spec/report-package.md section 10")
def test_an_icon_array_stands_below_its_sentence_and_says_the_same(made):
    data = {
        "key": SOME,
        "say": f"{{{SOME}|n}} of {{{SOME}|N}} people were counted.",
        "title": "People counted",
    }
    said, picture = written({"icons": data}, made)
    assert isinstance(said, Paragraph) and isinstance(picture, Figure)
    assert picture.alt == (
        "3 of 13 people were counted. Icon array: one icon for each person; 3 of 13 icons are filled."
    )
    assert picture.keys == ("made.up/total/some/-/n",) and picture.label == ""
    assert list(written({"icons": {**data, "key": NONE}}, made)) == []


# --- own words ----------------------------------------------------------------------------------------------------


def with_words(study, tmp_path, text: str):
    """The study as if its file lay in a folder with a file of words."""
    moved = study.model_copy()
    moved._file = tmp_path / "hand.toml"
    folder = tmp_path / words_module.FOLDER
    folder.mkdir()
    (folder / "HAND.toml").write_text(text, encoding="utf-8")
    return moved


@pytest.mark.rule("CACHE-05")
def test_icons_are_drawn_once_and_again_when_their_numbers_change(study, tmp_path, monkeypatch):
    drawn: list[tuple[int, int]] = []
    real = icons.icon_array
    monkeypatch.setattr(
        icons,
        "icon_array",
        lambda row, *given, **named: drawn.append((row["n"], row["N"])) or real(row, *given, **named),
    )

    def picture(results: ResultStore) -> Figure:
        cache = Cache(tmp_path)
        inputs = SimpleNamespace(
            study=study, store=results, memo=Memo(cache, Sources(study=study, store=results))
        )
        return Made(inputs, "en", "confidential", {}).icons(
            SOME, title="Who", alt="One icon for each person of this small study."
        )

    assert picture(store()) == picture(store())
    assert drawn == [(3, 13)]
    other = Rows("made.up", "Made up")
    other.add("n", 4, variable="some", n=4, N=13)
    changed = ResultStore({"made.up": other.build()})
    assert picture(changed).svg != picture(store()).svg
    assert drawn == [(3, 13), (4, 13)]


@pytest.mark.rule("PKG-13")
def test_what_people_have_not_written_is_asked_for_in_a_box(made):
    (found,) = written(
        {"own": "synopsis.conclusion", "ask": "[To be written by the investigator: why.]"}, made
    )
    assert found.style == "box"
    assert "".join(span.text for span in found.spans) == "[To be written by the investigator: why.]"


@pytest.mark.rule("PKG-13")
def test_own_words_replace_the_question_and_their_numbers_are_references(made, study, tmp_path):
    text = f'[synopsis]\nconclusion = "Among {{{SOME}|n}} of {{{SOME}|N}} people, see T 14.2.2.1."\n'
    own = with_words(study, tmp_path, text)
    assert words_file(own) == tmp_path / "texts" / "HAND.toml"
    at_hand = Made(SimpleNamespace(study=own, store=store()), "en", "confidential", {})
    (found,) = written({"own": "synopsis.conclusion", "ask": "[To be written.]"}, at_hand)
    assert found.style == "normal"
    assert "".join(span.text for span in found.spans) == "Among 3 of 13 people, see T 14.2.2.1."


@pytest.mark.rule("PKG-13")
def test_a_number_typed_into_own_words_is_refused(study, tmp_path):
    own = with_words(study, tmp_path, '[synopsis]\nconclusion = "It helped 3 people."\n')
    at_hand = Made(SimpleNamespace(study=own, store=store()), "en", "confidential", {})
    with pytest.raises(ReportError, match="a number is typed"):
        list(written({"own": "synopsis.conclusion", "ask": "[To be written.]"}, at_hand))


@pytest.mark.rule("PKG-13")
def test_wrong_words_are_refused_all_at_once(study, tmp_path):
    text = '[synopsis]\nconclusions = "x"\nbackground = 3\n[lay]\ntried = " "\n'
    with pytest.raises(ReportError) as caught:
        own_words(with_words(study, tmp_path, text), asked())
    told = str(caught.value)
    assert "synopsis.conclusions: no document asks for it" in told
    assert "synopsis.background: expected a text, found 3" in told
    assert "lay.tried: expected a text, found ' '" in told


@pytest.mark.rule("PKG-13")
def test_words_that_are_no_toml_are_refused_with_their_file(study, tmp_path):
    with pytest.raises(ReportError, match=r"HAND\.toml: the words of the study cannot be read"):
        own_words(with_words(study, tmp_path, "synopsis ="), asked())


def test_a_study_without_words_has_none(study):
    assert own_words(study, asked()) == {}
    assert {"synopsis.conclusion", "conclusions.supported", "lay.tried", "letter.contact"} <= asked()


# --- parts of notebooks -------------------------------------------------------------------------------------------


def chapter_of(*pieces) -> tuple[Placed, ...]:
    """Headings as (level, title), tables as ids."""
    return tuple(
        Placed("cell", Heading(*piece) if isinstance(piece, tuple) else plain_table(piece))
        for piece in pieces
    )


CHAPTER = chapter_of(
    (1, "Safety"), (2, "Exposure"), "T 14.1.5.1", (3, "Detail"), "T 14.1.5.2", (2, "Overview"), "T 14.3.1.1"
)


def shown(study, *parts) -> list[str]:
    (plan,) = read_plans([{"number": "20", "stem": "a", "title": "A", "part": list(parts)}])
    at_hand = Made(SimpleNamespace(study=study, store=store()), "en", "confidential", {"04_safety": CHAPTER})
    found = put_together(plan, at_hand, front())
    return [b.id if isinstance(b, Table) else f"{b.number} {b.title}" for b in found.blocks]


BOOK = {"notebook": "04_safety", "tiers": ["B"]}


@pytest.mark.rule("PKG-10")
def test_sections_of_a_notebook_can_stand_in_different_places(study):
    assert shown(
        study,
        {"heading": "Exposure of all"},
        {**BOOK, "sections": ["Exposure"]},
        {**BOOK, "without": ["Exposure"]},
    ) == [
        "1 Exposure of all",
        "1.1 Exposure",
        "T 14.1.5.1",
        "1.1.1 Detail",
        "T 14.1.5.2",
        "2 Safety",
        "2.1 Overview",
        "T 14.3.1.1",
    ]


@pytest.mark.rule("PKG-10")
def test_headings_of_a_notebook_can_be_lowered(study):
    lowered = shown(study, {"heading": "Conduct"}, {**BOOK, "shift": 1})
    assert lowered[:3] == ["1 Conduct", "1.1 Safety", "1.1.1 Exposure"]


@pytest.mark.rule("PKG-10")
def test_an_object_that_a_document_names_stands_there_only(study):
    found = shown(study, {"heading": "First"}, {"tlf": "T 14.3.1.1"}, BOOK)
    assert found[:2] == ["1 First", "T 14.3.1.1"] and found.count("T 14.3.1.1") == 1
    last = shown(study, BOOK, {"tlf": "T 14.3.1.1"})
    assert last[-1] == "T 14.3.1.1" and last.count("T 14.3.1.1") == 1


@pytest.mark.rule("PKG-05")
def test_a_document_that_needs_what_the_study_lacks_holds_one_sentence(study):
    row = {
        "number": "20",
        "stem": "a",
        "title": "A",
        "needs": {"when": ZERO},
        "otherwise": "Nothing to say.",
        "part": [{"heading": "H"}, {"say": "x"}],
    }
    (plan,) = read_plans([row])
    at_hand = Made(SimpleNamespace(study=study, store=store()), "en", "confidential", {})
    found = put_together(plan, at_hand, front())
    assert [b.kind for b in found.blocks] == ["section", "paragraph"]
    assert found.blocks[1].spans[0].text == "Nothing to say."
    (plan,) = read_plans([{**row, "needs": {"when": SOME}}])
    assert found.blocks != put_together(plan, at_hand, front()).blocks


def test_a_plain_head_has_no_hash_of_the_parameters(study):
    at_hand = Made(SimpleNamespace(study=study, store=store()), "en", "confidential", {})
    row = {"number": "20", "stem": "a", "title": "A", "part": [{"heading": "H"}, {"say": "x"}]}
    (plain,) = read_plans([{**row, "plain": True}])
    (full,) = read_plans([row])
    details = (("Parameters", "abc"),)
    head = front().__class__(title="T", study="S", timestamp=front().timestamp, details=details)
    assert put_together(plain, at_hand, head).front.details == (("Document", "20"),)
    assert put_together(full, at_hand, head).front.details == (("Document", "20"), ("Parameters", "abc"))
