"""The titrated 3+3 rule: worked decisions, options, words."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from interim.design import (
    Cap,
    Conduct,
    History,
    MtdRule,
    Record,
    Stop,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
)
from interim.design.options import checked_levels
from interim.errors import DataError, DesignError

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
LITERAL = TitratedThreePlusThree(LEVELS)
ALL = TitratedThreePlusThree(LEVELS, titration=Titration(4))
PLAIN = ThreePlusThree(LEVELS)


def decide(text, rule=LITERAL, **changes):
    return replace(rule, **changes).decide(History.parse(text, levels=len(rule.levels), recorded=True))


WORKED = [
    # history, decision and trace for one participant at level 1, the same for one per level
    ("", "ENROL 1 at 1", "T0", None, None),
    ("1P", "WAIT", "T0", None, None),
    ("1X", "ENROL 1 at 1", "T0", None, None),
    ("1N", "ENROL 3 at 2", "T2>C1", "ENROL 1 at 2", "T1"),
    ("1G", "ENROL 2 at 1", "C1", None, None),
    ("1T", "ENROL 2 at 1", "C1", None, None),
    ("1GP", "ENROL 1 at 1", "C1", None, None),
    ("1T 1NN", "ENROL 3 at 1", "C2b", None, None),
    ("1T 1NT", "STOP, no MTD, below_lowest", "C2c>D1", None, None),
    ("1N 2NNN", "ENROL 3 at 3", "C2a>C1", "ENROL 1 at 3", "T1"),
    ("1N 2NTP", "WAIT", "C1>H1", None, None),
    ("1N 2TTP", "ENROL 2 at 1", "C2c>D4", None, None),
    ("1N 2NTT", "ENROL 2 at 1", "C2c>D4", None, None),
    ("1N 2NTT 1NN", "ENROL 3 at 1", "U2", None, None),
    ("1N 2NTT 1NN 1NNN", "STOP, MTD 1, established", "U3", None, None),
    ("1N 2NNN 3NNN 4NNN", "ENROL 3 at 4", "U2", "ENROL 3 at 4", "T3>U2"),
    ("1N 2NNN 3NNN 4NNN 4NNN", "STOP, MTD 4, not_reached", "U3", "STOP, MTD 4, not_reached", "T3>U3"),
    ("1N 2NNN 3NNN 4NTT", "ENROL 3 at 3", "C2c>D5", None, None),
    ("1N 2NNN 3NNN 4NTT 3NNT", "STOP, MTD 3, established", "U3", None, None),
    ("1N 2G 2NN 3NNT 3NNN 4NNN", "ENROL 3 at 4", "U2", None, None),
    ("1G 1NN 2NNT 2NNN 3NNT 3NNN 4NTT", "STOP, MTD 3, established", "C2c>D3", None, None),
    ("1N 2NNT 2NNN 3NNT 3NNN 4NNN", "STOP, MTD 3, at_cap", "U2>K1", None, None),
]


@pytest.mark.rule("DOSE-03", source="worked decisions of the design document")
@pytest.mark.parametrize(("history", "said", "trace", "said_all", "trace_all"), WORKED)
def test_worked_decisions(history, said, trace, said_all, trace_all):
    literal, all_levels = decide(history), decide(history, ALL)
    assert (literal.brief, literal.rule_id) == (said, trace)
    assert (all_levels.brief, all_levels.rule_id) == (said_all or said, trace_all or trace)


@pytest.mark.rule("DOSE-03")
def test_titration_of_every_level_ends_in_three_at_the_top():
    decision = decide("1N 2N 3N 4N", ALL)
    assert (decision.brief, decision.rule_id) == ("ENROL 2 at 4", "T3>C1")


@pytest.mark.rule("DOSE-03")
def test_without_a_cap_the_top_is_filled():
    assert decide("1N 2NNT 2NNN 3NNT 3NNN 4NNN", cap=Cap(None)).brief == "ENROL 3 at 4"


OPTIONS = [
    # what, rule, history, decision, trace
    ("plain 3+3", PLAIN, {}, "", "ENROL 3 at 1", "C1"),
    ("esc_only stops below the excluded level", PLAIN, {"mtd": MtdRule("esc_only")}, "1NNN 2NTT", "STOP, MTD 1, established", "C2c>D2"),
    ("esc_only accepts 3 at the top", PLAIN, {"mtd": MtdRule("esc_only")}, "1NNN 2NNN 3NNN 4NNN", "STOP, MTD 4, not_reached", "U3"),
    ("top3 accepts 3 at the top only", PLAIN, {"mtd": MtdRule("deesc_min6_top3")}, "1NNN 2NNN 3NNN 4NNN", "STOP, MTD 4, not_reached", "U3"),
    ("top3 needs 6 below an excluded level", PLAIN, {"mtd": MtdRule("deesc_min6_top3")}, "1NNN 2NTT", "ENROL 3 at 1", "C2c>D5"),
    ("custom with 3 at the MTD", PLAIN, {"mtd": MtdRule("custom", parts=(True, 3, False))}, "1NNN 2NTT", "STOP, MTD 1, established", "C2c>D3"),
    ("straight to 6 after going down", LITERAL, {"mtd": MtdRule(down_fill="direct_six")}, "1N 2NTT", "ENROL 5 at 1", "C2c>D4"),
    ("and again with 2 there", LITERAL, {"mtd": MtdRule(down_fill="direct_six")}, "1N 2NTT 1N", "ENROL 4 at 1", "C1"),
    ("but not at the top", LITERAL, {"mtd": MtdRule(down_fill="direct_six")}, "1N 2NNN 3NNN 4NN", "ENROL 1 at 4", "C1"),
    ("second trigger needed", ALL, {"titration": Titration(4, n_events=2)}, "1G", "ENROL 1 at 2", "T1"),
    ("one DLT suffices", ALL, {"titration": Titration(4, n_events=2)}, "1T", "ENROL 2 at 1", "C1"),
    ("second trigger", ALL, {"titration": Titration(4, n_events=2)}, "1G 2G", "ENROL 2 at 2", "C1"),
    ("titration participant not counted", LITERAL, {"titration": Titration(1, count_participant=False)}, "1G", "ENROL 3 at 1", "C1"),
    ("but a DLT is", LITERAL, {"titration": Titration(1, count_participant=False)}, "1T", "ENROL 2 at 1", "C1"),
    ("start at level 2", LITERAL, {"start_level": 2, "titration": Titration(2)}, "", "ENROL 1 at 2", "T0"),
    ("start above titration", LITERAL, {"start_level": 2}, "", "ENROL 3 at 2", "C1"),
    ("below the start for de-escalation", LITERAL, {"start_level": 2}, "2NTT", "ENROL 3 at 1", "C2c>D4"),
    ("late DLT below", LITERAL, {}, "1T 2NNN", "ENROL 2 at 1", "L1>C1"),
    ("late DLT only flagged", LITERAL, {"conduct": Conduct(late_dlt="flag")}, "1T 2NNN", "ENROL 3 at 3", "C2a>C1"),
    ("four evaluable", LITERAL, {}, "1N 2NNNN", "ENROL 2 at 2", "C3"),
    ("four evaluable without DLT may escalate", LITERAL, {"conduct": Conduct(between_3_and_6="escalate_if_zero")}, "1N 2NNNN", "ENROL 3 at 3", "C3>C1"),
    ("not at the top", LITERAL, {"conduct": Conduct(between_3_and_6="escalate_if_zero")}, "1N 2NNN 3NNN 4NNNN", "ENROL 2 at 4", "C3"),
    ("overrun, rate at the limit", LITERAL, {"cap": Cap(None)}, "1N 2" + 11 * "N" + "T", "ENROL 3 at 3", "C5>C1"),
    ("overrun, two in twelve are the limit", LITERAL, {"cap": Cap(None)}, "1N 2" + 10 * "N" + "TT", "ENROL 3 at 3", "C5>C1"),
    ("overrun, two in eleven are too many", LITERAL, {"cap": Cap(None)}, "1N 2" + 9 * "N" + "TT", "ENROL 2 at 1", "C5>D4"),
    ("overrun with another limit", LITERAL, {"cap": Cap(None), "conduct": Conduct(overrun_max_rate=Fraction(1, 5))}, "1N 2" + 8 * "N" + "TT", "ENROL 3 at 3", "C5>C1"),
    ("pending below holds escalation", LITERAL, {}, "1N 2NNNP", "WAIT", "C2a>H1"),
    ("pending holds the expansion of the MTD", LITERAL, {}, "1N 2NNN 3NNN 4NNNP", "WAIT", "U2>H1"),
    ("pending holds the end", LITERAL, {"cap": Cap(None)}, "1N 2NNNNNNP 3TT", "WAIT", "C2c>D3>H1"),
    ("cap waits for open outcomes", LITERAL, {"cap": Cap(5)}, "1NPP 2NTT", "WAIT", "C2c>D4>H1"),
    ("cap, somebody pending", LITERAL, {"cap": Cap(6)}, "1GNN 2NNP 2T", "WAIT", "C2b>K1"),
    ("cap reached without MTD", LITERAL, {"cap": Cap(4)}, "1N 2NNN", "STOP, no MTD, not_established_cap", "C2a>C1>K1"),
    ("cap without a dose by rule", LITERAL, {"cap": Cap(18, mtd_rule="none")}, "1N 2NNT 2NNN 3NNT 3NNN 4NNN", "STOP, no MTD, not_established_cap", "U2>K1"),
    ("cap filled up first", LITERAL, {"cap": Cap(18, partial=True)}, "1N 2NNT 2NNN 3NNT 3NNN 4NNN", "ENROL 2 at 4", "U2"),
    ("cap counts the treated", LITERAL, {"cap": Cap(5, counts="treated")}, "1XXX 1N", "STOP, no MTD, not_established_cap", "T2>C1>K1"),
    ("cap counts the evaluable", LITERAL, {"cap": Cap(5)}, "1XXX 1N", "ENROL 3 at 2", "T2>C1"),
    ("no replacement", LITERAL, {"conduct": Conduct(max_replacements=0)}, "1N 2NNX", "WAIT", "C1>H1"),
    ("one replacement", LITERAL, {"conduct": Conduct(max_replacements=1)}, "1N 2NNX", "ENROL 1 at 2", "C1"),
    ("no replacement in titration", LITERAL, {"conduct": Conduct(max_replacements=0)}, "1X", "WAIT", "T0>H1"),
]  # fmt: skip


@pytest.mark.rule("DOSE-04")
@pytest.mark.parametrize(
    ("what", "rule", "changes", "history", "said", "trace"), OPTIONS, ids=[row[0] for row in OPTIONS]
)
def test_options(what, rule, changes, history, said, trace):
    decision = decide(history, rule, **changes)
    assert (decision.brief, decision.rule_id) == (said, trace)


@pytest.mark.rule("DOSE-05")
def test_a_lost_slot_is_said():
    decision = decide("1N 2NNX", conduct=Conduct(max_replacements=0))
    assert any(text.startswith("R1") for text in decision.warnings)
    assert not decision.pending


@pytest.mark.rule("DOSE-02")
def test_the_trigger_of_a_replaced_participant():
    subjects = (replace(History.parse("1X", levels=4).subjects[0], trigger=True),)
    history = History(4, subjects)
    assert LITERAL.decide(history).brief == "ENROL 3 at 1"
    ignoring = replace(LITERAL, titration=Titration(1, from_not_evaluable=False))
    assert ignoring.decide(history).brief == "ENROL 1 at 1"


@pytest.mark.rule("DOSE-06")
def test_a_decision_says_what_and_why():
    decision = decide("1N 2NNT")
    assert decision.reason == "Level 2: 1 DLT in 3 evaluable; C2b 1 DLT in 3: treat 3 more at 3e7 cells/kg"
    assert (decision.action, decision.level, decision.n_to_enrol, decision.fill_to) == ("ENROL", 2, 3, 6)
    assert (decision.admissible, decision.excluded_from, decision.mtd, decision.mtd_status) == (
        (1, 2, 3),
        None,
        None,
        "ongoing",
    )
    down = decide("1N 2TTP")
    assert "level 2 with 2 DLT in 2 is excluded" in down.reason
    assert (down.excluded_from, down.admissible, down.pending) == (2, (1,), ("S04",))
    assert down.warnings == ("still followed: S04",)
    assert "MTD is level 3 (5e7 cells/kg)" in decide("1N 2NNN 3NNN 4NTT 3NNT").reason
    assert decide("1T 1NT").target_level is None


@pytest.mark.rule("DOSE-05")
def test_a_late_dlt_that_is_only_flagged_is_said():
    decision = decide("1T 2NNN", conduct=Conduct(late_dlt="flag"))
    assert any(text.startswith("L1") and "level 1" in text for text in decision.warnings)


@pytest.mark.rule("DOSE-05")
def test_staggered_participants(dated):
    history = History.from_frame(dated("1N"), levels=4)
    rule = replace(LITERAL, conduct=Conduct(stagger_days=7))
    assert str(rule.decide(history).earliest.date()) == "2025-01-13"
    assert LITERAL.decide(history).earliest is None
    assert rule.decide(History(4)).earliest is None


STOP = Stop("2025-06-01", "sponsor", "A. B.", 2, "activity", "T 14.5.1", "favourable_index")


@pytest.mark.rule("DOSE-07")
def test_a_recorded_stop_ends_the_escalation():
    history = replace(History.parse("1N 2NNN", levels=4), record=Record(stop=STOP))
    decision = LITERAL.decide(history)
    assert (decision.brief, decision.rule_id) == ("STOP, no MTD, not_established_stop", "X1")
    assert not any("DOSE-X1" in text for text in decision.warnings)


@pytest.mark.rule("DOSE-07")
@pytest.mark.parametrize(("history", "level"), [("1N 2NTT", 2), ("1N 2NTN", 2), ("1G", 1)])
def test_a_recorded_stop_that_breaks_a_rule_stands_and_is_named(history, level):
    record = Record(stop=replace(STOP, level=level))
    decision = LITERAL.decide(replace(History.parse(history, levels=4), record=record))
    assert decision.action == "STOP"
    assert any(f"level {level}" in text and "DOSE-X1" in text for text in decision.warnings)


@pytest.mark.rule("DOSE-07")
def test_a_recorded_stop_in_titration_without_dlt_breaks_no_rule():
    history = replace(History.parse("1N 2N", levels=4), record=Record(stop=STOP))
    assert ALL.decide(history).warnings == ()


@pytest.mark.rule("DOSE-07")
@pytest.mark.parametrize("field", ["date", "role", "name", "rationale", "evidence", "level", "kind"])
def test_an_incomplete_record_of_a_stop_is_refused(field):
    with pytest.raises(DataError, match=field):
        replace(STOP, **{field: None if field == "level" else ""})


@pytest.mark.rule("DOSE-08")
def test_a_correction_does_not_lift_an_exclusion():
    corrected = History.parse("1N 2NNN", levels=4)
    held = replace(corrected, record=Record(excluded_from=2))
    decision = LITERAL.decide(held)
    assert (decision.brief, decision.excluded_from) == ("ENROL 2 at 1", 2)
    assert any("DOSE-LIFT" in text for text in decision.warnings)
    automatic = replace(LITERAL, conduct=Conduct(exclusion_lift="automatic"))
    assert automatic.decide(held).brief == "ENROL 3 at 3"


@pytest.mark.rule("DOSE-08")
def test_a_correction_does_not_return_to_titration():
    held = replace(History.parse("1N", levels=4), record=Record(titration_left=True))
    decision = ALL.decide(held)
    assert decision.brief == "ENROL 2 at 1"
    assert any("DOSE-LIFT" in text for text in decision.warnings)


@pytest.mark.rule("DOSE-02")
def test_an_open_query_is_taken_as_a_trigger_and_said(dated):
    history = History.from_frame(dated("1N", edits={"S01": {"trigger": None}}), levels=4)
    decision = LITERAL.decide(history)
    assert decision.brief == "ENROL 2 at 1"
    assert any("S01" in text and "query" in text for text in decision.warnings)
    assert [finding.rule for finding in history.findings] == ["DOSE-STATUS"]


@pytest.mark.rule("DOSE-01")
@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: TitratedThreePlusThree((2, 1)), "increasing"),
        (lambda: TitratedThreePlusThree(()), "increasing"),
        (lambda: TitratedThreePlusThree(LEVELS, start_level=5), "start_level must be 1..4"),
        (lambda: TitratedThreePlusThree(LEVELS, titration=Titration(5)), "last_level 0..4"),
        (lambda: TitratedThreePlusThree(LEVELS, mtd=MtdRule("esc_only")), "one participant"),
        (lambda: MtdRule("other"), "esc_only"),
        (lambda: MtdRule("custom"), "custom"),
        (lambda: MtdRule("esc_only", parts=(True, 6, True)), "esc_only"),
        (lambda: LITERAL.decide(History(3)), "4 levels, the history 3"),
    ],
)
def test_what_cannot_be_run_is_refused(build, words):
    with pytest.raises(DesignError, match=words):
        build()


def test_levels_as_numbers():
    assert checked_levels([1, 2]) == (1.0, 2.0)


def test_the_selected_dose_and_the_observed_rates():
    selection = LITERAL.select(History.parse("1N 2NNN 3NNN 4NTT 3NNT", levels=4))
    assert (selection.level, selection.status) == (3, "established")
    assert selection.estimates == (0.0, 0.0, 1 / 6, 2 / 3)
    assert LITERAL.select(History.parse("1N", levels=4)).level is None
