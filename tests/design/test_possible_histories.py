"""Stated histories that cannot be are refused with participant and rule; recorded ones are facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interim.design import (
    Blrm,
    Boin,
    Crm,
    History,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
    compile_design,
)
from interim.errors import DesignError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
TITRATED = TitratedThreePlusThree(LEVELS)
DESIGNS = [
    TITRATED,
    ThreePlusThree(LEVELS),
    Boin(LEVELS, 0.25),
    Crm((0.06, 0.14, 0.25, 0.38), 0.25),
    Blrm(LEVELS, 5e7),
]

CASES = [
    # history, participant, rule
    ("1N 3NNN", "S02", "DOSE-SKIP"),
    ("2N", "S01", "DOSE-SKIP"),
    ("1N 2NNN 4N", "S05", "DOSE-SKIP"),
    ("1P 2N", "S02", "DOSE-EARLY"),
    ("1N 2NNP 3N", "S05", "DOSE-EARLY"),
]
FULL = [("1N 2NNNNNNN", "S08"), ("1NNN 1NNNX 1N 1P", "S08"), ("1TTTTTTT", "S07")]


@pytest.mark.rule(
    "DOSE-30", source="bad input of the specification: level skipped, decision before the window closed"
)
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: type(design).__name__)
@pytest.mark.parametrize(("text", "who", "rule"), CASES)
def test_an_impossible_history_gets_no_recommendation(design, text, who, rule):
    history = History.parse(text, levels=4)
    for ask in (design.decide, design.select, lambda past: compile_design(design, start=past)):
        with pytest.raises(DesignError, match=rf"impossible history: .*{who} .*\({rule}\)"):
            ask(history)
    fact = History.parse(text, levels=4, recorded=True)
    assert design.decide(fact).action in ("ENROL", "WAIT", "STOP")


@pytest.mark.rule("DOSE-30", source="bad input of the specification: seven at a level")
@pytest.mark.parametrize(("text", "who"), FULL)
def test_the_seventh_at_a_level_is_named(text, who):
    with pytest.raises(DesignError, match=rf"{who} is number 7 at level \d, the rule treats 6 \(DOSE-FULL\)"):
        TITRATED.decide(History.parse(text, levels=4))
    assert Boin(LEVELS, 0.25).decide(History.parse("1NNNNNNN", levels=4)).action == "ENROL"


@pytest.mark.rule("DOSE-30")
def test_a_titration_participant_who_is_not_counted_is_no_seventh():
    rule = TitratedThreePlusThree(LEVELS, titration=Titration(4, count_participant=False))
    seven = History.parse("1G 1NNN 1NNN", levels=4)
    assert rule.decide(seven).action in ("ENROL", "STOP")
    with pytest.raises(DesignError, match="S08 is number 8 at level 1, the rule treats 7"):
        rule.decide(History.parse("1G 1NNN 1NNNN", levels=4))


@pytest.mark.rule("DOSE-30", source="bad input of the specification: DLT without treatment")
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: type(design).__name__)
def test_a_dlt_without_treatment_is_refused(design):
    history = History.parse("1T", levels=4)
    untreated = replace(history, subjects=(replace(history.subjects[0], infusions=0),))
    with pytest.raises(DesignError, match=r"S01 has a DLT and was never treated \(DOSE-UNTREATED\)"):
        design.decide(untreated)
    assert design.decide(history).action in ("ENROL", "STOP")


@pytest.mark.rule("DOSE-30")
def test_every_fault_is_listed_with_the_way_out():
    with pytest.raises(DesignError) as caught:
        TITRATED.decide(History.parse("1P 3NNNNNNN", levels=4))
    text = str(caught.value)
    assert [text.count(rule) for rule in ("DOSE-SKIP", "DOSE-FULL", "DOSE-EARLY")] == [1, 1, 1]
    assert text.endswith("(History.from_frame, or recorded=True)")


@pytest.mark.rule("DOSE-30")
@pytest.mark.parametrize(
    "text", ["", "1P", "1X 1N", "1N 2NNN 3NTT 2NNN", "1N 2NTP 1NN", "1NX 2NNN", "1N 2NNT 2NNN 3NNN 4NPP"]
)
def test_possible_histories_pass(text):
    assert TITRATED.decide(History.parse(text, levels=4)).reason


@pytest.mark.rule("DOSE-30")
def test_a_design_that_may_skip_levels_is_not_held_to_the_ladder():
    free = Crm((0.06, 0.14, 0.25, 0.38), 0.25, no_skipping=False)
    assert free.decide(History.parse("1NNN 3NNN", levels=4)).action in ("ENROL", "STOP")
    start = TitratedThreePlusThree(LEVELS, start_level=2)
    assert start.decide(History.parse("2N", levels=4)).action == "ENROL"
    with pytest.raises(DesignError, match="S01 at level 3 starts at level 3"):
        start.decide(History.parse("3N", levels=4))
