"""Adverse events by participant, term and grade; dose-limiting toxicities by level."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

from interim.analysis import escalation, safety
from interim.errors import DerivationError
from interim.result import TOTAL
from tests.analysis.answers import row, status, subjects, value


@pytest.mark.rule("TEAE-01")
def test_summary_counts_participants_and_events(adam, study):
    table = safety.teae_summary(adam, study)
    assert (value(table, "teae"), value(table, "teae", "events")) == (9, 11)
    assert value(table, "grade3") == 3 and value(table, "grade3", "events") == 4
    assert (value(table, "grade5"), value(table, "grade_missing")) == (1, 1)
    assert (value(table, "related_nk"), value(table, "related_cart"), value(table, "related_other")) == (
        2,
        4,
        0,
    )
    assert (value(table, "serious"), value(table, "serious_related")) == (3, 2)
    assert (value(table, "crs"), value(table, "crs2"), value(table, "crs3")) == (2, 2, 1)
    assert (value(table, "discontinuation"), value(table, "delay"), value(table, "dlt")) == (1, 0, 1)
    assert subjects(table, "grade3", "n") == {"SYN-05", "SYN-07", "SYN-15"}


@pytest.mark.rule("TEAE-01")
def test_an_event_before_treatment_or_outside_the_set_does_not_count(adam, study):
    table = safety.teae_summary(adam, study)
    assert "SYN-09" not in subjects(table, "teae", "n")


@pytest.mark.rule("QUEST-04")
def test_events_lead_to_their_records(adam, study):
    table = safety.teae_summary(adam, study)
    key = row(table, "grade3", "events")["result_id"]
    links = table.links[table.links["result_id"] == key]
    assert set(links["SRCSEQ"]) == {"4", "5", "6", "10"} and set(links["SRCDOM"]) == {"AE"}


@pytest.mark.rule("TEAE-02")
def test_a_participant_counts_at_the_highest_grade(adam, study):
    table = safety.teae_by_max_grade(adam, study)
    place = {"level": "Pyrexia"}
    grades = {f"grade{g}": value(table, "General disorders", f"grade{g}", **place) for g in range(1, 6)}
    # 1 had grades 1 and 2, 5 had 3, 12 had 1.
    assert grades == {"grade1": 1, "grade2": 1, "grade3": 1, "grade4": 0, "grade5": 0}
    assert (
        value(table, "General disorders", "any", **place) == 3
        and value(table, "General disorders", "grade3_up", **place) == 1
    )
    assert value(table, "Gastrointestinal disorders", "missing", level="Nausea") == 1
    assert value(table, "Gastrointestinal disorders", "grade3_up", level="Nausea") == 0
    exclusive = [f"grade{g}" for g in range(1, 6)] + ["missing"]
    assert sum(value(table, "teae", stat) for stat in exclusive) == value(table, "teae", "any") == 9


@pytest.mark.rule("TEAE-03")
def test_order_of_classes_and_terms(adam, study):
    table = safety.teae_by_soc_pt(adam, study).frame
    order = list(
        dict.fromkeys(
            table.loc[
                table["variable"].ne("population") & table["variable"].ne("population_moved"), "variable"
            ]
        )
    )
    assert order == [
        "teae",
        "General disorders",
        "Immune system disorders",
        "Gastrointestinal disorders",
        "Infections and infestations",
        "Investigations",
        "Not coded",
    ]
    terms = list(dict.fromkeys(table.loc[table["variable"] == "General disorders", "level"]))
    assert terms == ["", "Pyrexia", "Fatigue"]
    assert "odd taste" in set(table.loc[table["variable"] == "Not coded", "level"])


@pytest.mark.rule("TEAE-03")
def test_columns_and_the_total_agree(adam, study):
    table = safety.teae_by_soc_pt(adam, study)
    for stat in ("n", "events", "n_grade3", "events_grade3"):
        frame = table.frame[(table.frame["stat"] == stat) & table.frame["variable"].ne("population_moved")]
        wide = frame.pivot_table(index=["variable", "level"], columns="group", values="value")
        assert (wide.drop(columns=TOTAL).sum(axis=1) == wide[TOTAL]).all(), stat


@pytest.mark.rule("TEAE-04")
def test_without_grades_severity_is_shown(adam, study, make_adam):
    bare = make_adam(ADAE=adam["ADAE"].drop(columns="AETOXGRN"))
    assert status(safety.teae_summary(bare, study), "grade3", "n") == ("NA", safety.NO_GRADES)
    table = safety.teae_by_max_grade(bare, study)
    assert status(table, "teae", "grade3_up")[0] == "NA"
    assert (
        value(table, "teae", "severe") + value(table, "teae", "moderate") + value(table, "teae", "mild") == 9
    )
    assert status(safety.teae_by_soc_pt(bare, study), "teae", "n_grade3") == ("NA", safety.NO_GRADES)
    neither = make_adam(ADAE=adam["ADAE"].drop(columns=["AETOXGRN", "AESEV"]))
    assert value(safety.teae_by_max_grade(neither, study), "teae", "missing") == 9


@pytest.mark.rule("QUEST-03")
def test_no_adverse_event_dataset(adam, study, make_adam, arms):
    none = make_adam(ADAE=None)
    for question in (safety.teae_summary, safety.teae_by_soc_pt, safety.teae_by_max_grade):
        answer = question(none, study).frame
        assert "no source for ADAE" in " ".join(answer["reason"])
    plain = make_adam(ADSL=adam["ADSL"].assign(COHORTA="Pbo", COHORT="Pbo"))
    assert (
        status(safety.teae_summary(plain, arms), "crs", "n")[1]
        == "not applicable: the study has no such product"
    )
    less = make_adam(ADAE=adam["ADAE"].drop(columns="AESIFL"))
    assert status(safety.teae_summary(less, study), "aesi", "n") == ("NA", "not collected: AESIFL")


@pytest.mark.rule("TEAE-01")
def test_no_event_at_all_gives_zeros(adam, study, make_adam):
    empty = make_adam(ADAE=adam["ADAE"].head(0))
    assert value(safety.teae_summary(empty, study), "teae") == 0
    assert value(safety.teae_by_max_grade(empty, study), "teae", "any") == 0


def beta_tail(x: int, n: int, p: Fraction) -> float:
    """P(rate > p) under Beta(1 + x, 1 + n - x), by the binomial relation."""
    return float(sum(comb(n + 1, k) * p**k * (1 - p) ** (n + 1 - k) for k in range(x + 1)))


@pytest.mark.rule("DLTQ-01")
def test_dlt_by_level(adam, study):
    table = escalation.dlt_by_dose(adam, study)
    shown = {
        g: (row(table, "dlt", "rate", group=g)["n"], row(table, "dlt", "rate", group=g)["N"])
        for g in ("DL1", "DL2", "DL3", "DL4", TOTAL)
    }
    assert shown == {"DL1": (0, 1), "DL2": (0, 3), "DL3": (1, 6), "DL4": (0, 3), TOTAL: (1, 13)}
    assert value(table, "dlt", "upper_one_sided", group="DL2") == pytest.approx(1 - 0.05 ** (1 / 3), abs=1e-9)
    assert value(table, "posterior", "mean", group="DL3") == pytest.approx(2 / 8, abs=1e-12)
    assert value(table, "posterior", "p_above", group="DL3") == pytest.approx(
        beta_tail(1, 6, Fraction(1, 3)), abs=1e-9
    )
    assert status(table, "posterior", "mean") == ("NA", "not pooled across dose levels")
    assert (value(table, "treated"), value(table, "evaluable"), value(table, "not_evaluable")) == (13, 13, 0)


@pytest.mark.rule("DLTQ-01")
def test_pending_participants_are_no_denominator(adam, study, make_adam):
    adsl = adam["ADSL"].copy()
    last = adsl["USUBJID"].isin(["SYN-11", "SYN-12", "SYN-13"])
    adsl.loc[last, ["DLTEVFL", "DLTEVRS"]] = ["N", "PENDING"]
    table = escalation.dlt_by_dose(make_adam(ADSL=adsl), study)
    assert value(table, "not_evaluable", level="PENDING", group="DL4") == 3
    assert status(table, "dlt", "rate", group="DL4") == ("NE", "NO_DATA")
    assert status(table, "posterior", "mean", group="DL4") == ("NA", "no evaluable participant")
    assert status(table, "dlt", "upper_one_sided", group="DL4") == ("NE", "NO_DATA")


@pytest.mark.rule("DLTQ-01")
def test_no_dose_ladder(adam, arms, make_adam):
    plain = make_adam(ADSL=adam["ADSL"].assign(COHORTA="Pbo", COHORT="Pbo"))
    assert status(escalation.dlt_by_dose(plain, arms), "dlt", "rate")[0] == "NA"


@pytest.mark.rule("DLTQ-01")
def test_flags_that_contradict_the_history_stop(adam, study, make_adam):
    adsl = adam["ADSL"].assign(
        COHORT=adam["ADSL"]["COHORT"].where(adam["ADSL"]["USUBJID"] != "SYN-07", "DL9")
    )
    with_nine = make_adam(ADSL=adsl)
    shown = escalation.dlt_by_dose(with_nine, study)
    assert row(shown, "dlt", "rate", group="DL9")["N"] == 1
    with pytest.raises(DerivationError, match="DL1: ADSL has"):
        escalation._check("DL1", (1, 2), escalation.Cohort(1, 2, 0, 0))
