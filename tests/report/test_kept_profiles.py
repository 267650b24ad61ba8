"""Profiles of participants: each is kept on its own, and a changed record draws only the page of its participant again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from interim.analysis import patient
from interim.display import patient as drawing
from interim.display.gallery import Gallery, joined
from interim.display.patient import by_participant, figures_profile
from interim.report.cache import Cache
from interim.report.chapter import Chapter, Inputs
from interim.report.memo import Memo
from interim.report.traced import Sources, digest
from interim.result import ResultStore
from interim.study import read_study
from tests.analysis import safety_case as case

ROOT = Path(__file__).resolve().parents[2]
PROFILES = "L 16.2.9.2"


@pytest.fixture(scope="module")
def study():
    return read_study(ROOT / "params" / "example.toml")


@pytest.fixture(autouse=True)
def plain_pages(monkeypatch):
    """Pages that show a hash of all points of the participant: as good as the drawing for telling pages apart, and quick."""
    monkeypatch.setattr(
        drawing, "_paint", lambda sheet, person: sheet.text(0, 0.5, digest(person.points), fontsize=4)
    )


@pytest.fixture
def pages(monkeypatch):
    """The participants whose page is drawn."""
    seen: list[str] = []
    draw = drawing._figure

    def noted(person, result, study):
        seen.append(person.subject)
        return draw(person, result, study)

    monkeypatch.setattr(drawing, "_figure", noted)
    return seen


def chapter(folder, study, result, **kind):
    inputs = Inputs(study, None, case.adam(), ResultStore({"patient.profile": result}))
    sources = Sources(study=study, adam=inputs.adam, store=inputs.store)
    return Chapter(replace(inputs, memo=Memo(Cache(folder, **kind), sources)))


def shown(chapter) -> Gallery:
    return chapter._drawn(chapter.tlfs[PROFILES])


def raised(result, subject):
    """The result after one grade of a participant has become higher."""
    frame = result.frame.copy()
    place = frame.index[frame["level"].str.startswith(f"{subject} ") & (frame["stat"] == "grade")][0]
    frame.loc[place, "value"] = 5.0 if frame.loc[place, "value"] != 5.0 else 4.0
    return replace(result, frame=frame)


@pytest.mark.rule("CACHE-07")
def test_only_the_page_of_a_changed_record_is_drawn_again(tmp_path, study, pages):
    result = patient.profile(case.adam(), study)
    first = shown(chapter(tmp_path, study, result))
    everybody = [item.title.partition(",")[0] for item in first.items]
    assert pages == everybody and len(pages) == 4
    pages.clear()
    assert shown(chapter(tmp_path, study, result)) == first and pages == []
    changed = raised(result, "B2")
    warm = shown(chapter(tmp_path, study, changed))
    assert pages == ["B2"]
    assert [a == b for a, b in zip(first.items, warm.items, strict=True)] == [True, False, True, True]
    assert warm == shown(chapter(tmp_path / "other", study, changed))
    assert warm == shown(chapter(tmp_path, study, changed, fresh=True))


@pytest.mark.rule("CACHE-07")
@pytest.mark.parametrize("part", ["dpi", "programs", "options"])
def test_what_every_page_rests_on_draws_all_of_them_again(tmp_path, study, pages, part):
    result = patient.profile(case.adam(), study)
    shown(chapter(tmp_path, study, result))
    pages.clear()
    if part == "dpi":
        finer = study.model_copy(update={"figure": study.figure.model_copy(update={"dpi": 200})})
        shown(chapter(tmp_path, finer, result))
    elif part == "programs":
        shown(chapter(tmp_path, study, result, base="others"))
    else:
        shown(chapter(tmp_path, study, replace(result, population="another set")))
    assert len(pages) == 4


@pytest.mark.rule("CACHE-07")
def test_the_pages_are_those_of_the_whole_result(study):
    result = patient.profile(case.adam(), study)
    parts = by_participant(result)
    assert joined(figures_profile(part, study) for part in parts) == figures_profile(result, study)
    rows = [set(part.frame["result_id"]) for part in parts]
    shared = set.intersection(*rows)
    assert set.union(*rows) == set(result.frame["result_id"])
    assert sum(len(own - shared) for own in rows) == len(result.frame) - len(shared)
    for part in parts:
        assert set(part.links["result_id"]) <= set(part.frame["result_id"])


@pytest.mark.rule("CACHE-07")
def test_a_result_of_nobody_is_one_part(study):
    nobody = patient.profile(case.adam(ADSL=case.adsl().assign(SAFNKFL="N")), study)
    assert by_participant(nobody) == (nobody,)
    (none,) = joined(figures_profile(part, study) for part in by_participant(nobody)).items
    assert "Nothing to draw" in none.alt


def test_a_name_that_begins_another_one_has_its_own_rows(study):
    result = patient.profile(case.adam(), study)
    frame = result.frame.copy()
    frame["level"] = frame["level"].str.replace(r"^B2 ", "A1 2 ", regex=True)
    parts = by_participant(replace(result, frame=frame))
    assert len(parts) == 4
    subjects = [set(part.frame["level"].str.rpartition(" ")[0]) - {""} for part in parts]
    assert {"A1"} in subjects and {"A1 2"} in subjects
