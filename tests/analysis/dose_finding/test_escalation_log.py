"""The decision log, the audit of every assignment, and what would change the next decision."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from interim.analysis.escalation_log import conformance, decision_log, sensitivity
from interim.analysis.escalation_state import (
    NO_LADDER,
    decision_text,
    escalation_of,
    no_escalation,
    recorded_decisions,
)
from interim.design import Cap, History, TitratedThreePlusThree, compile_design
from interim.design.planning import planning_scenarios
from interim.errors import DataError
from interim.study.reread import with_readings
from tests.analysis.answers import row, status, value
from tests.analysis.dose_finding.conftest import listed, with_decisions, with_frame


@pytest.mark.rule("DOSEQ-02", source="path of the example study: 1 + 3 + 6 + 3")
def test_main13_follows_reading_a(main13):
    found = decision_log(main13.adam, main13.study, main13.sdtm)
    log = listed(found, "decision")
    assert log.loc[["1", "2", "3", "4", "5", "6"], "dose"].tolist() == [
        "DL1",
        "DL2",
        "DL2",
        "DL3",
        "DL3",
        "DL4",
    ]
    assert log.loc[["1", "2", "3", "4", "5", "6"], "cohort"].tolist() == [
        "1/1",
        "1/1",
        "2/2",
        "3/3",
        "3/3",
        "3/3",
    ]
    assert log["planned"].tolist()[:6] == ["1", "1", "2", "3", "3", "3"]
    assert log.loc["4", "dlt"] == "1" and set(log.loc[["1", "2", "3", "5", "6"], "dlt"]) == {"0"}
    assert set(log["same"].dropna()) == {"yes"}
    assert (row(found, "concordance", "rate")["n"], row(found, "concordance", "rate")["N"]) == (6, 6)
    assert row(found, "concordance", "first")["text"] == "none"


@pytest.mark.rule("DOSEQ-02", source="path of the example study: MTD needs six")
def test_main13_the_next_action_is_three_more_at_level_4(main13):
    log = listed(decision_log(main13.adam, main13.study, main13.sdtm), "decision")
    assert log.loc["cut", "rule"] == "enrol 3 at DL4 [U2]"
    assert "MTD" not in log.loc["cut", "rule"]
    assert log.loc["cut", "committee"] == "favourable index, DL3"


@pytest.mark.rule("DOSEQ-02")
def test_the_part_of_the_rule_in_force_changes_once(main13, full18):
    main = listed(decision_log(main13.adam, main13.study, main13.sdtm), "decision")["mode"].tolist()
    assert main == ["titration", "titration", "titration -> 3+3", "3+3", "3+3", "3+3", "3+3"]
    full = listed(decision_log(full18.adam, full18.study, full18.sdtm), "decision")["mode"].tolist()
    assert full[:2] == ["titration", "titration -> 3+3"] and set(full[2:]) == {"3+3"}


@pytest.mark.rule("DOSEQ-02", source="path of the example study under the literal reading")
def test_main13_is_discordant_at_level_2_under_reading_b(main13):
    study = with_readings(main13.study, {"AMB-1": "B"})
    found = decision_log(main13.adam, study, main13.sdtm)
    log = listed(found, "decision")
    assert log.loc["2", "rule"].startswith("enrol 3 at DL2") and log.loc["2", "committee"] == "enrol 1 at DL2"
    assert log.loc["2", "same"] == "no: lower"
    assert (row(found, "concordance", "rate")["n"], row(found, "concordance", "rate")["N"]) == (5, 6)
    assert value(found, "concordance", "lower_dose") == 1
    assert row(found, "concordance", "first")["text"].startswith("lower at DL2: the rule said enrol 3")


@pytest.mark.rule("DOSEQ-02", source="path of the example study: literal reading, no DLT")
def test_tiny10_follows_reading_b(tiny10):
    found = decision_log(tiny10.adam, tiny10.study, tiny10.sdtm)
    log = listed(found, "decision")
    assert log["cohort"].iloc[:-1].tolist() == ["1/1", "3/3", "3/3", "3/3"]
    assert (row(found, "concordance", "rate")["n"], row(found, "concordance", "rate")["N"]) == (4, 4)
    assert log.loc["cut", "rule"] == "enrol 3 at DL4 [U2]"


@pytest.mark.rule("DOSEQ-02")
def test_tiny10_reports_the_first_difference_under_reading_a(tiny10):
    study = with_readings(tiny10.study, {"AMB-1": "A"})
    found = decision_log(tiny10.adam, study, tiny10.sdtm)
    assert "at DL2" in row(found, "concordance", "first")["text"]
    assert row(found, "concordance", "rate")["n"] < 4


@pytest.mark.rule("DOSEQ-02", source="path of the example study: 3 + 6 + 6 + 3, MTD level 3")
def test_full18_ends_with_the_mtd_at_level_3(full18):
    found = decision_log(full18.adam, full18.study, full18.sdtm)
    log = listed(found, "decision")
    assert log.loc["cut", "rule"] == "stop, MTD DL3 (established) [C2c>D3]"
    assert log["dlt"].iloc[:-1].tolist() == ["0", "0", "1", "0", "1", "0", "2"]
    assert (row(found, "concordance", "rate")["n"], row(found, "concordance", "rate")["N"]) == (7, 7)


@pytest.mark.rule("DOSEQ-02")
def test_without_a_record_assignments_form_the_decisions(main13):
    bare = with_decisions(main13, None)
    found = decision_log(bare.adam, bare.study, bare.sdtm)
    log = listed(found, "decision")
    assert log.loc["1", "committee"] == "1 enrolled at DL1, no record" and log.loc["1", "planned"] == "–"
    assert log.loc["1", "reference"] == "–" and log.loc["cut", "committee"] == "none recorded"
    assert row(found, "concordance", "rate")["N"] == 6


@pytest.mark.rule("DOSEQ-02")
def test_a_larger_recorded_cohort_is_higher(main13):
    frame = main13.sdtm.domain("DECISIONS").copy()
    frame.loc[frame["level"] == "DL4", "n"] = 6
    other = with_decisions(main13, frame)
    log = listed(decision_log(other.adam, other.study, other.sdtm), "decision")
    assert log.loc["6", "same"] == "no: higher"


@pytest.mark.rule("DOSEQ-03")
def test_every_assignment_is_decided_on_the_facts_of_its_day(main13):
    found = conformance(main13.adam, main13.study, main13.sdtm)
    audit = listed(found, "assignment")
    assert len(audit) == 13
    assert audit.loc["1", "known"] == "nobody" and audit.loc["1", "day"] == "1"
    assert audit.loc["3", "known"] == "1N 2G"
    assert audit.loc["8", "known"].count("T") == 1 and audit.loc["7", "known"].count("T") == 0
    assert audit["day"].astype(int).is_monotonic_increasing
    assert set(audit["today"]) == {"unchanged"} and set(audit["cause"]) == {"–"}
    assert row(found, "match", "rate")["n"] == 13


@pytest.mark.rule("DOSEQ-03")
def test_a_dlt_that_became_known_later_is_starred_and_past_rows_stay(main13):
    addlt = main13.adam["ADDLT"].copy()
    place = addlt.index[addlt["DLTFL"] == "Y"][0]
    addlt.loc[place, ["DLTKNDT", "TRIGKNDT"]] = pd.Timestamp("2026-02-01")
    late = with_frame(main13, "ADDLT", addlt)
    audit = listed(conformance(late.adam, late.study, late.sdtm), "assignment")
    assert audit.loc["8", "today"].endswith("*") and "late report" in audit.loc["8", "cause"]
    assert "T" not in audit.loc["8", "known"]
    log = decision_log(late.adam, late.study, late.sdtm)
    assert value(log, "concordance", "late") == 1
    assert listed(log, "decision").loc["5", "rule"].endswith("*")


@pytest.mark.rule("DOSEQ-03")
def test_an_event_that_was_only_a_trigger_on_that_day_is_a_regrading(main13):
    addlt = main13.adam["ADDLT"].copy()
    addlt.loc[addlt["DLTFL"] == "Y", "DLTKNDT"] = pd.Timestamp("2026-02-01")
    late = with_frame(main13, "ADDLT", addlt)
    audit = listed(conformance(late.adam, late.study, late.sdtm), "assignment")
    assert audit.loc["8", "cause"] == "G -> T (regrading)"


@pytest.mark.rule("DOSEQ-03")
def test_a_dlt_without_any_date_of_knowledge_or_onset_stops(main13):
    addlt = main13.adam["ADDLT"].copy()
    addlt.loc[addlt["DLTFL"] == "Y", ["DLTKNDT", "DLTDT"]] = pd.NaT
    undated = with_frame(main13, "ADDLT", addlt)
    with pytest.raises(DataError, match="DOSE-KNOWN"):
        conformance(undated.adam, undated.study, undated.sdtm)


@pytest.mark.rule("DOSEQ-03")
@pytest.mark.parametrize("question", [decision_log, conformance])
def test_the_order_of_the_rows_changes_nothing(main13, question):
    shuffled = with_frame(main13, "ADDLT", main13.adam["ADDLT"].sample(frac=1, random_state=3))
    turned = with_decisions(shuffled, main13.sdtm.domain("DECISIONS").iloc[::-1])
    first = question(main13.adam, main13.study, main13.sdtm).frame
    second = question(turned.adam, turned.study, turned.sdtm).frame
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.rule("DOSEQ-01")
def test_recorded_decisions_come_by_date_with_levels_as_numbers(main13):
    found = recorded_decisions(main13.sdtm, main13.study)
    assert found["date"].is_monotonic_increasing
    assert found["level"].tolist() == [1, 2, 2, 3, 3, 4, 3]
    assert found["n"].fillna(-1).tolist() == [1, 1, 2, 3, 3, 3, -1]
    assert found["kind"].tolist()[-1] == "favourable_index"
    assert recorded_decisions(with_decisions(main13, None).sdtm, main13.study).empty


@pytest.mark.rule("DOSEQ-01")
def test_a_stop_without_rationale_is_refused(main13):
    frame = main13.sdtm.domain("DECISIONS").copy()
    frame.loc[frame["kind"] == "favourable_index", "rationale"] = None
    bare = with_decisions(main13, frame)
    with pytest.raises(DataError, match="rationale"):
        decision_log(bare.adam, bare.study, bare.sdtm)


@pytest.mark.rule("DOSEQ-02")
def test_a_recorded_stop_holds_beside_the_rule(main13):
    state = escalation_of(main13.adam, main13.study, main13.sdtm)
    assert state.by_rule.action == "ENROL" and state.present.action == "STOP"
    assert state.present.rule_id.startswith("X1")
    bare = with_decisions(main13, None)
    assert escalation_of(bare.adam, bare.study, bare.sdtm).present.action == "ENROL"


@pytest.mark.rule("DOSEQ-02")
@pytest.mark.parametrize(
    ("history", "text"),
    [
        ("", "enrol 1 at DL1"),
        ("1P", "wait for open outcomes"),
        ("1N 2NNN 3NNN 4NNN 4NNN", "stop, MTD DL4 (not reached)"),
        ("1T 1NT", "stop, no MTD (below the lowest level)"),
    ],
)
def test_words_of_a_decision(history, text):
    rule = TitratedThreePlusThree((1.5e7, 3e7, 5e7, 7e7))
    assert decision_text(rule.decide(History.parse(history, levels=4))) == text


def test_options_of_the_rule_that_reach_another_conclusion(main13):
    found = listed(sensitivity(main13.adam, main13.study, main13.sdtm), "option")
    assert found.iloc[0]["flips"] == "no"
    assert found.index[found["flips"] == "yes"].tolist() == ["mtd_rule = deesc_min6_top3"]
    assert found.loc["mtd_rule = deesc_min6_top3", "decision"] == "stop, MTD DL4 (not reached)"


@pytest.mark.rule("DOSEQ-19", source="words of the rules U2 and C1")
def test_the_rules_passed_are_words_with_their_ids(main13):
    found = listed(sensitivity(main13.adam, main13.study, main13.sdtm), "option")["rule"]
    more = "cleared and nothing higher is open, but more participants are needed for an MTD [U2]"
    assert found["base"] == more
    assert found["min_infusions = 3"] == "fill the level to 3 [C1]"
    assert not [text for text in found if not text.endswith("]") or text.startswith("[")]


@pytest.mark.rule(
    "DOSEQ-19", source="infusions of the example study: two of three at level 4 had the second cycle"
)
def test_the_infusions_that_make_evaluable_move_the_facts_and_not_the_rule(main13):
    result = sensitivity(main13.adam, main13.study, main13.sdtm)
    found = listed(result, "option")
    given = main13.adam["ADDLT"].set_index("USUBJID")
    assert sorted(given.loc[given["LEVEL"] == 4, "NINFCT"]) == [2, 4, 4]
    options = [name for name in found.index if name.startswith("min_infusions")]
    assert options == ["min_infusions = 1", "min_infusions = 3", "min_infusions = 4"]
    said = found.loc[options, "decision"].tolist()
    assert said == ["enrol 3 at DL4", "enrol 1 at DL4", "enrol 1 at DL4"]
    assert value(result, "option", "n_toxic", level=options[1]) == value(
        result, "option", "n_toxic", level="base"
    )


@pytest.mark.rule("DOSEQ-19", source="expected participants of the compiled rule")
def test_every_option_has_its_expected_participants(main13):
    result = sensitivity(main13.adam, main13.study, main13.sdtm)
    rule = TitratedThreePlusThree.from_study(main13.study)
    truths = planning_scenarios(4)
    for option, design in (("base", rule), ("n_max = none", replace(rule, cap=Cap(None)))):
        for name in ("low", "target_at_3", "toxic"):
            expected = compile_design(design).evaluate(**truths[name]).total_n
            assert value(result, "option", f"n_{name}", level=option) == pytest.approx(expected, abs=1e-12)
    capped, free = (value(result, "option", "n_target_at_3", level=x) for x in ("base", "n_max = none"))
    assert capped < free


def test_open_facts_best_and_worst(main13):
    addlt = main13.adam["ADDLT"].copy()
    last = addlt.index.isin(addlt[addlt["LEVEL"] == 4].nlargest(2, "ORDER").index)
    addlt.loc[last, ["DLTSTAT", "TRIGFL"]] = ["PENDING", "N"]
    addlt.loc[last, ["TRIGKNDT", "TRIGDT", "STATKNDT"]] = pd.NaT
    waiting = with_frame(main13, "ADDLT", addlt)
    found = listed(sensitivity(waiting.adam, waiting.study, waiting.sdtm), "open")
    assert found.loc["worst", "decision"] == "stop, MTD DL3 (established)"
    assert found.loc["worst", "flips"] == "yes"
    assert found.loc["smallest", "decision"] == "2"
    none = listed(sensitivity(main13.adam, main13.study, main13.sdtm), "open")
    assert none.loc["smallest", "decision"] == "no open fact"


def test_options_can_be_switched_off(main13):
    table = main13.study.tipping.model_copy(update={"engine": False})
    study = main13.study.model_copy(update={"tipping": table})
    assert status(sensitivity(main13.adam, study, main13.sdtm), "option", "n") == (
        "NA",
        "switched off: tipping.engine",
    )


@pytest.mark.rule("DOSEQ-14")
@pytest.mark.parametrize(
    ("question", "variable"),
    [(decision_log, "decision"), (conformance, "assignment"), (sensitivity, "option")],
)
def test_without_facts_the_reason_stands(main13, adam, study, arms, question, variable):
    assert status(question(adam, study, main13.sdtm), variable, "n")[1].startswith("not derived")
    assert status(question(adam, arms, main13.sdtm), variable, "n") == ("NA", NO_LADDER)
    nobody = with_frame(main13, "ADDLT", main13.adam["ADDLT"].assign(LEVEL=float("nan")))
    assert no_escalation(nobody.adam, nobody.study) == "no participant has been assigned to a dose level"
