from __future__ import annotations

from dataclasses import replace

import pytest

from interim.errors import Finding, ReportError
from interim.report import chapter as c
from interim.report.registry import cited, questions, registry, title_of
from tests.report import handmade


@pytest.fixture
def chapter(hand_inputs):
    return c.Chapter(hand_inputs)


# Tables about the rule and its text, not about participants: they have no population.
ABOUT_THE_PROTOCOL = {"T 14.2.1.5a", "T 14.2.1.7a", "T 14.5.3", "T 14.5.8"}


@pytest.mark.rule("TLF-01")
@pytest.mark.parametrize(
    "tlf", [tlf for tlf in registry() if tlf.kind in ("table", "figure")], ids=lambda tlf: tlf.id
)
def test_every_table_and_figure_can_be_shown(chapter, tlf):
    shown = getattr(chapter, tlf.kind)(tlf.id)
    block = shown.block()
    assert (block["id"], block["title"]) == (tlf.id, title_of(tlf, chapter.study))
    assert block["population"] or tlf.id in ABOUT_THE_PROTOCOL
    assert block["labels"] == ["SYNTHETIC - NOT PATIENT DATA"]
    assert block["footnotes"][-1].startswith("Source: ")


@pytest.mark.rule("PAT-01")
def test_a_figure_per_participant_carries_the_id_with_its_number(chapter):
    pages = chapter.figures("L 16.2.9.2").items
    assert len(pages) == 15
    for number, page in enumerate(pages, 1):
        block = page.block()
        assert block["id"] == f"L 16.2.9.2.{number}"
        assert block["title"].startswith("One-page participant profile: ")
        assert block["labels"] == ["SYNTHETIC - NOT PATIENT DATA"]


@pytest.mark.rule("PAT-02")
def test_the_narratives_are_paragraphs(chapter):
    told = chapter.story("N 14.3.3").items
    assert [paragraph.text()[:18] for paragraph in told[:2]] == ["Participant SYN-04", "Participant SYN-05"]
    assert all(paragraph.block()["kind"] == "paragraph" for paragraph in told)


@pytest.mark.parametrize(
    ("method", "tlf_id"),
    [
        ("table", "F 14.2.2.1"),
        ("figure", "T 14.1.1.1"),
        ("table", "T 0"),
        ("figures", "T 0"),
        ("story", "T 0"),
    ],
)
def test_an_unknown_id_lists_the_known_ones(chapter, method, tlf_id):
    with pytest.raises(ReportError, match=rf"{tlf_id}.* is no {method} of the registry; known: [TFLN] 1"):
        getattr(chapter, method)(tlf_id)


@pytest.mark.rule("NB-04")
def test_a_sentence_takes_its_numbers_from_results(chapter):
    said = chapter.say("{response.best_response/Total/orr//rate|x/n (%)} responded.", style="box")
    assert said.text() == "1/15 (6.7%) responded."
    assert said.style == "box"
    assert said.keys == ("response.best_response/total/orr/-/rate",)
    with pytest.raises(ReportError, match="a number is typed in prose"):
        chapter.say("1 responded.")


def test_a_draft_is_labelled(hand_inputs):
    stop = replace(handmade.hand().FINDINGS[0], severity="stop")
    draft = replace(hand_inputs, adam=replace(hand_inputs.adam, findings=(stop,)))
    assert c.labels_of(draft)[1] == "DRAFT - 1 finding(s) would stop a final report"
    assert c.Chapter(draft).table("T 14.1.1.1").labels == c.labels_of(draft)


def test_opening_a_chapter(hand_inputs, tmp_path, monkeypatch):
    import warnings

    file = handmade.write_study(tmp_path / "params")
    monkeypatch.setattr(c, "open_inputs", handmade.open_inputs)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    with warnings.catch_warnings():
        opened = c.open_chapter(study="params/hand.toml")
        assert opened.study.file == tmp_path / "params" / "hand.toml"
        assert opened.adam is opened.inputs.adam
        c.preload(opened.inputs, opened.study)
        assert c.open_chapter(study=str(file)).inputs is opened.inputs
        later = c.open_chapter(study=str(file), cut_date="2026-05-01")
        assert f"{later.study.cut:%Y-%m-%d}" == "2026-05-01"
    c._PRELOADED.clear()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"language": "xx"}, "language = 'xx'"),
        ({"copy": "secret"}, "copy = 'secret'"),
        ({}, "found neither in"),
    ],
)
def test_what_cannot_be_opened(values, words):
    with pytest.raises(ReportError, match=words):
        c.open_chapter(study="absent.toml", **values)


def test_a_question_that_does_not_exist(hand_inputs, monkeypatch):
    monkeypatch.setattr(c, "questions", lambda: ("disposition.absent",))
    with pytest.raises(ReportError, match=r"disposition\.absent"):
        c.answers(hand_inputs.adam, hand_inputs.study, hand_inputs.sdtm)


def test_open_inputs_joins_the_rooms(hand_inputs, monkeypatch):
    import interim.adam

    def open_adam(study, change, keep):
        change(hand_inputs.sdtm)
        return interim.adam.Opened(hand_inputs.sdtm, hand_inputs.adam)

    monkeypatch.setattr(interim.adam, "open_adam", open_adam)
    opened = c.open_inputs(hand_inputs.study)
    assert opened.adam is hand_inputs.adam
    assert set(opened.store) == {tlf.analysis for tlf in registry()} | set(cited())


@pytest.mark.rule("SDQ-06")
@pytest.mark.parametrize(
    ("severity", "status", "effect", "marked"),
    [
        ("warn", "", ("T 14.1.1.1",), True),
        ("warn", "open", ("T 14.9.9.9", "T 14.1.1.1"), True),
        ("warn", "new", ("T 14.1.1.1",), True),
        ("warn", "changed", ("T 14.1.1.1",), True),
        ("warn", "accepted", ("T 14.1.1.1",), False),
        ("stop", "open", ("T 14.1.1.1",), True),
        ("info", "", ("T 14.1.1.1",), False),
        ("warn", "open", ("T 14.3.1.1",), False),
        ("warn", "open", (), False),
    ],
)
def test_an_unanswered_finding_puts_a_dagger_under_what_it_can_move(
    hand_inputs, severity, status, effect, marked
):
    finding = Finding("X-1", severity, "AE", "m", effect=effect, status=status)
    asked = replace(hand_inputs, adam=replace(hand_inputs.adam, findings=(finding,)))
    shown = c.Chapter(asked).table("T 14.1.1.1")
    assert any(note.startswith("†") for note in shown.footnotes) is marked


@pytest.mark.rule("SDQ-06")
def test_two_findings_one_answered():
    from interim.report.registry import in_question

    answered = Finding("X-1", "warn", "AE", "m", effect=("T 1", "T 2"), status="accepted")
    standing = Finding("X-2", "warn", "AE", "m", effect=("T 2", "T 3"), status="open")
    assert in_question([answered, standing]) == {"T 2", "T 3"}
    assert in_question([]) == frozenset()


def shared_by(monkeypatch, fails: str = "") -> list[str]:
    """Let questions be shared with a double that answers at once; one of them fails there."""
    asked: list[str] = []

    def shared(task, names, *, workers, method):
        asked.extend(names)
        return [None if name == fails else task(name) for name in names]

    monkeypatch.setattr(c, "map_forked", shared)
    return asked


@pytest.mark.rule("WORK-04", source="decision 291")
@pytest.mark.parametrize("fails", ["", "disposition.participant_flow"])
def test_shared_questions_have_the_answers_of_one_process(fails, hand_inputs, monkeypatch):
    few = [name for name in questions() if name.startswith("disposition.")]
    monkeypatch.setattr(c, "questions", lambda: few)
    given = (hand_inputs.adam, hand_inputs.study, hand_inputs.sdtm)
    alone = c.answers(*given)
    asked = shared_by(monkeypatch, fails)
    shared = c.answers(*given, workers=2)
    assert set(asked) == set(shared) == set(few)
    assert list(shared) == list(alone) and shared.frame().equals(alone.frame())
    assert shared.links().equals(alone.links())


def test_a_shared_question_that_fails_tells_its_own_error(hand_inputs, monkeypatch):
    def broken(adam, study):
        raise ReportError("participant 01-003 has no date")

    monkeypatch.setattr(c, "_question", lambda name: broken)
    shared_by(monkeypatch)
    with pytest.raises(ReportError, match="participant 01-003 has no date"):
        c.answers(hand_inputs.adam, hand_inputs.study, hand_inputs.sdtm, workers=2)
