"""The DLT curve, what ended Phase IA, and the characteristics of the rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.analysis.escalation_design import characteristics, characteristics_lines, rules_by_scope
from interim.analysis.escalation_model import dlt_curve
from interim.analysis.escalation_state import escalation_of
from interim.analysis.escalation_stop import stopping_triggers
from interim.analysis.expansion_types import proposed_dose_safety
from interim.cli import main
from interim.design import Cap, compile_design
from interim.design.planning import planning_scenarios, truth
from interim.errors import DesignError
from tests.analysis.answers import row, status, value
from tests.analysis.dose_finding.conftest import ROOT, listed, with_decisions, with_frame

STUDY = str(ROOT / "params" / "example.toml")


@pytest.mark.rule("DOSEQ-11")
def test_the_curve_of_main13(main13):
    found = dlt_curve(main13.adam, main13.study, main13.sdtm)
    assert [row(found, "dlt", "rate", group=f"DL{n}")["N"] for n in range(1, 5)] == [1, 3, 6, 3]
    # Beta(1,1): (1 + x) / (2 + n), by hand.
    means = [value(found, "beta", "mean", group=f"DL{n}") for n in range(1, 5)]
    assert means == pytest.approx([1 / 3, 1 / 5, 2 / 8, 1 / 5], abs=1e-12)
    fits = [value(found, "isotonic", "mean", group=f"DL{n}") for n in range(1, 5)]
    # 0/1, 0/3, 1/6, 0/3: the last two levels are pooled to 1/9, by hand.
    assert fits == pytest.approx([0, 0, 1 / 9, 1 / 9], abs=1e-12)


@pytest.mark.rule("DOSEQ-11", source="path of the example studies")
def test_what_the_rule_makes_of_the_levels_stands_beside_the_models(main13, full18):
    for case, standing in (
        (main13, ["open", "cleared", "cleared", "cleared"]),
        (full18, ["cleared", "cleared", "MTD", "excluded"]),
    ):
        found = dlt_curve(case.adam, case.study, case.sdtm)
        assert [row(found, "rule", "decision", group=f"DL{n}")["text"] for n in range(1, 5)] == standing


@pytest.mark.rule("DOSEQ-13")
def test_what_would_change_the_next_action_stands_below_it(main13):
    def said(case):
        return row(stopping_triggers(case.adam, case.study, case.sdtm), "outcome", "would_change")["text"]

    assert said(main13) == "nothing is open: only a correction of the data or a recorded decision"
    addlt = main13.adam["ADDLT"].copy()
    last = addlt["LEVEL"].notna() & (addlt["ORDER"] == addlt.loc[addlt["LEVEL"].notna(), "ORDER"].max())
    addlt.loc[last, ["DLTSTAT", "STATKNDT", "DLTFL"]] = ["PENDING", pd.NaT, "N"]
    who = addlt.loc[last, "USUBJID"].item()
    text = said(with_frame(main13, "ADDLT", addlt))
    assert text == f"{who} at level 4 with any outcome: enrol 3 at level 4"


@pytest.mark.rule("DOSEQ-11")
def test_the_logistic_model_is_a_distribution_that_rises_with_the_dose(main13):
    found = dlt_curve(main13.adam, main13.study, main13.sdtm)
    stats = ("lower95", "lower50", "mean", "upper50", "upper95", "under", "target", "over")
    table = {s: [value(found, "blrm", s, group=f"DL{n}") for n in range(1, 5)] for s in stats}
    total = np.array(table["under"]) + np.array(table["target"]) + np.array(table["over"])
    assert total == pytest.approx(1.0, abs=1e-9)
    for stat in stats[:5]:
        assert all(np.diff(table[stat]) > 0), stat
    for low, high in zip(stats[:2], stats[4:2:-1], strict=True):
        assert all(a < b for a, b in zip(table[low], table[high], strict=True))
    assert all(np.array(table["lower95"]) < np.array(table["mean"]))
    assert {row(found, "blrm", "ewoc", group=f"DL{n}")["text"] for n in range(1, 5)} == {"yes"}


@pytest.mark.rule("DOSEQ-11")
def test_limits_agree_with_the_interval_probabilities(full18):
    """P(rate <= cut) from the intervals lies between the probabilities of quantiles on both sides of the cut."""
    from interim.design import Blrm

    model = Blrm.from_study(full18.study, n_max=18, dref=5e7)
    n, y = (3, 6, 6, 3), (0, 1, 1, 2)
    under = model.posterior_of(n, y).interval_probs[:, 0]
    low = full18.study.dose.tox_band[0]
    for place, share in enumerate(under):
        below, above = model.quantiles_of(n, y, [max(share - 0.02, 0), min(share + 0.02, 1)])[place]
        assert below <= low <= above


@pytest.mark.rule("DOSEQ-11", source="published tables: 2/3 de-escalate, 0/3 escalate")
def test_tables_of_other_designs(full18, main13):
    found = dlt_curve(full18.adam, full18.study, full18.sdtm)
    assert row(found, "boin", "decision", group="DL4")["text"] in ("D", "DU")
    assert row(found, "mtpi2", "decision", group="DL4")["text"] in ("D", "DU")
    other = dlt_curve(main13.adam, main13.study, main13.sdtm)
    assert row(other, "boin", "decision", group="DL4")["text"] == "E"


@pytest.mark.rule("DOSEQ-11")
def test_a_level_without_participants_has_no_estimate_of_its_own(main13):
    below = main13.adam["ADDLT"][lambda frame: frame["LEVEL"] != 4]
    case = with_frame(main13, "ADDLT", below)
    found = dlt_curve(case.adam, case.study, case.sdtm)
    assert status(found, "dlt", "rate", group="DL4") == ("NA", "no evaluable participant")
    assert 0 < value(found, "blrm", "mean", group="DL4") < 1


@pytest.mark.rule("DOSEQ-13", source="main13 and tiny10: the recommended dose is not met by rule")
def test_the_trigger_that_ended_phase_ia_is_named(main13, tiny10):
    for case in (main13, tiny10):
        found = stopping_triggers(case.adam, case.study, case.sdtm)
        table = listed(found, "trigger")
        assert table.loc["rp2d", "met"] == "no, by rule"
        assert "6 evaluable participants are needed" in table.loc["rp2d", "data"]
        assert table.loc["favourable_index", "met"] == "yes, declared"
        assert row(found, "outcome", "ended_by")["text"] == "favourable index, recorded"
        assert row(found, "outcome", "next_action")["text"] == "enrol 3 at DL4 [U2]"
        assert row(found, "outcome", "rp2d")["text"] == "none"


@pytest.mark.rule("DOSEQ-13", source="full18: MTD level 3")
def test_full18_has_its_dose_by_rule(full18):
    found = stopping_triggers(full18.adam, full18.study, full18.sdtm)
    assert listed(found, "trigger").loc["rp2d", "met"] == "yes"
    assert row(found, "outcome", "rp2d")["text"] == "DL3 (the MTD)"
    assert "18 of 18" in listed(found, "trigger").loc["cap", "data"]


@pytest.mark.rule("DOSEQ-13")
def test_without_a_record_the_rule_speaks(main13, full18):
    bare = with_decisions(main13, None)
    found = stopping_triggers(bare.adam, bare.study, bare.sdtm)
    assert row(found, "outcome", "ended_by")["text"] == "none: the escalation goes on"
    table = listed(found, "trigger")
    assert (table.loc["favourable_index", "met"], table.loc["safety_halt", "met"]) == ("not declared", "no")
    done = with_decisions(full18, None)
    ended = stopping_triggers(done.adam, done.study, done.sdtm)
    assert row(ended, "outcome", "ended_by")["text"] == "recommended dose, by rule"


@pytest.mark.rule("DOSEQ-13")
@pytest.mark.parametrize(
    ("kind", "level", "words"),
    [("safety_halt", None, "safety halt, recorded"), ("rp2d", "DL3", "recommended dose, recorded")],
)
def test_other_recorded_stops(main13, kind, level, words):
    frame = main13.sdtm.domain("DECISIONS").copy()
    last = frame["kind"] == "favourable_index"
    frame.loc[last, ["kind", "level"]] = [kind, level]
    case = with_decisions(main13, frame)
    found = stopping_triggers(case.adam, case.study, case.sdtm)
    assert row(found, "outcome", "ended_by")["text"] == words
    assert listed(found, "trigger").loc[kind, "met"] == "yes, recorded"


@pytest.mark.rule("DOSEQ-13")
def test_a_recorded_dose_above_the_mtd_is_printed_and_named(full18):
    frame = full18.sdtm.domain("DECISIONS").copy()
    frame.loc[frame["kind"] == "rp2d", "level"] = "DL4"
    dose = full18.study.dose.model_copy(update={"rp2d_rule": "recorded"})
    study = full18.study.model_copy(update={"dose": dose})
    case = with_decisions(full18, frame)
    found = stopping_triggers(case.adam, study, case.sdtm)
    assert row(found, "outcome", "rp2d")["text"] == "DL4 (as recorded)"
    assert "level 4" in row(found, "outcome", "warnings")["text"]


@pytest.mark.rule("DOSEQ-13")
@pytest.mark.parametrize(("tox_max", "met"), [(0.9, "yes: "), (0.01, "no")])
def test_thresholds_report_and_never_stop(main13, tox_max, met):
    table = main13.study.therapeutic_index.model_copy(
        update={
            "rule": "threshold",
            "ti_tox_max": tox_max,
            "ti_prob_tox": 0.5,
            "ti_orr_min": 0.01,
            "ti_prob_orr": 0.5,
            "ti_completion_min": 0.1,
        }
    )
    study = main13.study.model_copy(update={"therapeutic_index": table})
    case = with_decisions(main13, None)
    found = stopping_triggers(case.adam, study, case.sdtm)
    shown = listed(found, "trigger").loc["favourable_index"]
    assert shown["met"].startswith(met) and shown["data"].count("met") + shown["data"].count("evaluable") >= 4
    assert f"<= {tox_max:g}" in shown["definition"]
    assert row(found, "outcome", "next_action")["text"].startswith("enrol 3")


@pytest.mark.rule("DOSEQ-12", source="registered trial, AMB-2: 0.832 for 0.2 to 0.5, exact")
def test_the_chance_to_leave_titration(main13):
    found = characteristics(main13.adam, main13.study, main13.sdtm)
    assert value(found, "A", "left", group="target_at_3") == pytest.approx(0.832, abs=1e-12)
    assert value(found, "B", "left", group="target_at_3") == pytest.approx(0.2, abs=1e-12)


@pytest.mark.rule("DOSEQ-12")
def test_probabilities_add_up_and_the_present_state_stays(main13):
    found = characteristics(main13.adam, main13.study, main13.sdtm)
    stats = ["none", "mtd1", "mtd2", "mtd3", "mtd4"]
    for scenario in planning_scenarios(4):
        for name in ("A", "B", "present"):
            total = sum(value(found, name, stat, group=scenario) for stat in stats)
            assert total == pytest.approx(1.0, abs=1e-12)
        assert value(found, "present", "n", group=scenario) == pytest.approx(16.0)
        p = planning_scenarios(4)[scenario]["p_dlt"][3]
        none_or_one = (1 - p) ** 3 + 3 * p * (1 - p) ** 2
        assert value(found, "present", "mtd4", group=scenario) == pytest.approx(none_or_one, abs=1e-12)


@pytest.mark.rule("DOSEQ-12")
def test_a_finished_escalation_has_no_present_column(full18):
    found = characteristics(full18.adam, full18.study, full18.sdtm)
    assert set(found.frame["variable"]) == {"A", "B"}


@pytest.mark.rule("DOSEQ-12")
def test_scenarios_of_another_ladder(main13):
    short = main13.study.dose.model_copy(update={"levels": (1e7, 2e7)})
    study = main13.study.model_copy(update={"dose": short})
    assert (
        "another number of levels"
        in status(characteristics(main13.adam, study, main13.sdtm), "scenario", "n")[1]
    )
    assert planning_scenarios(3) == {}


@pytest.mark.parametrize(
    ("p", "trigger", "words"),
    [((0.1, 0.2), (0.1,), "2 values and p_trigger 1"), ((0.1, 0.3), (0.2, 0.2), r"levels \[2\] are")],
)
def test_scenarios_that_contradict_themselves(p, trigger, words):
    with pytest.raises(DesignError, match=words):
        truth(p, trigger)


@pytest.mark.rule("DOSEQ-14")
def test_without_facts_the_reason_stands(main13, adam, study, arms):
    assert status(dlt_curve(adam, study, main13.sdtm), "dlt", "n")[0] == "NA"
    assert status(stopping_triggers(adam, arms, main13.sdtm), "trigger", "n")[0] == "NA"
    assert status(characteristics(adam, arms, main13.sdtm), "scenario", "n")[0] == "NA"
    with pytest.raises(DesignError, match="no dose ladder"):
        next(characteristics_lines(arms))


@pytest.mark.rule("DOSEQ-15")
def test_simulate_prints_both_readings(capsys, main13):
    rates = ["--p", "0.05,0.1,0.2,0.3", "--trigger", "0.2,0.3,0.4,0.5"]
    assert main(["simulate", STUDY, *rates]) == 0
    head, first, second, note = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["scenario", "reading", "P(none)"] and "AMB-1" in note
    for line, name, left in ((first, "A", 0.832), (second, "B", 0.2)):
        label, reading, *numbers = line.split()
        assert (label, reading) == ("scenario", name)
        values = [float(number) for number in numbers]
        assert sum(values[:5]) == pytest.approx(1.0, abs=3e-4) and values[6] == pytest.approx(left)
        rule = rules_by_scope(main13.study)[name]
        exact = compile_design(rule).evaluate((0.05, 0.1, 0.2, 0.3), (0.15, 0.2, 0.2, 0.2))
        assert values[7] == pytest.approx(exact.total_n, abs=1e-4)


@pytest.mark.rule("DOSEQ-15")
def test_simulate_marks_its_own_scenarios_as_a_proposal(capsys):
    assert main(["simulate", STUDY]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 * len(planning_scenarios(4))
    assert all("[P]" in line for line in lines[1:])


@pytest.mark.rule("DOSEQ-15")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--p", "0.1,0.2"], "needs 4 values"),
        (["--trigger", "0.1,0.2,0.3,0.4"], "--trigger needs --p"),
        (["--p", "0.1,0.2,0.3,1.4"], "must lie in 0..1"),
    ],
)
def test_simulate_refuses_scenarios_that_do_not_fit(capsys, options, words):
    assert main(["simulate", STUDY, *options]) == 1
    captured = capsys.readouterr()
    assert words in captured.err and captured.out == ""


def test_simulate_wants_numbers(capsys):
    with pytest.raises(SystemExit):
        main(["simulate", STUDY, "--p", "a,b"])
    assert "numbers joined by commas" in capsys.readouterr().err


def test_the_cap_of_the_study_reaches_both_readings(main13):
    rules = rules_by_scope(main13.study)
    assert [rule.titration.last_level for rule in rules.values()] == [4, 1]
    assert {rule.cap for rule in rules.values()} == {Cap(18)}


@pytest.mark.rule("DOSE-29", source="one recommended dose in all chapters")
@pytest.mark.parametrize(
    ("rule", "named", "level", "source"),
    [
        ("mtd", None, None, "none"),
        ("mtd", "DL3", None, "none"),
        ("recorded", None, None, "none"),
        ("recorded", "DL3", 3, "recorded"),
        ("recorded", "DL2", 2, "recorded"),
    ],
)
def test_the_chapters_of_dose_finding_and_phase_ib_have_one_recommended_dose(
    main13, rule, named, level, source
):
    """The rule of main13 has no MTD at the cut-off; a recorded dose counts where the study says so, everywhere."""
    dose = main13.study.dose.model_copy(update={"rp2d_rule": rule})
    study = main13.study.model_copy(update={"dose": dose})
    decisions = main13.sdtm.domain("DECISIONS")
    last = decisions.iloc[[-1]].assign(kind="rp2d", level=named)
    changed = decisions if named is None else pd.concat([decisions, last], ignore_index=True)
    case = with_decisions(main13, changed)
    state = escalation_of(case.adam, study, case.sdtm)
    assert (state.recommended.level, state.recommended.source) == (level, source)
    shown = (
        stopping_triggers(case.adam, study, case.sdtm).where(variable="outcome", stat="rp2d")["text"].iloc[0]
    )
    assert shown == ("none" if level is None else f"DL{level} (as recorded)")
    safety = proposed_dose_safety(case.adam, study, case.sdtm)
    assert safety.dose == ("" if level is None else f"DL{level}")
