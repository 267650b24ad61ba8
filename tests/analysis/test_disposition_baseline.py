"""Flow of participants, analysis sets, baseline."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from interim.adam.levels import cut_level, cut_levels
from interim.analysis import baseline, disposition
from tests.analysis.answers import row, status, subjects, value


@pytest.mark.rule("FLOW-01")
def test_flow_from_screening_to_the_cut(adam, study):
    flow = disposition.participant_flow(adam, study)
    assert value(flow, "screening") == 21 and value(flow, "screen_failure") == 5
    reasons = {level: value(flow, "screen_failure", level=level) for level in ("SCREEN-FAIL", "NO-CONSENT")}
    assert reasons == {"SCREEN-FAIL": 4, "NO-CONSENT": 1} and sum(reasons.values()) == value(
        flow, "screen_failure"
    )
    assert value(flow, "enrolled") == 16
    infused = {
        level: value(flow, "infusion", level=level) for level in ("NK 1", "NK 2", "CART_C1 1", "CART_C2 2")
    }
    assert infused == {"NK 1": 15, "NK 2": 15, "CART_C1 1": 13, "CART_C2 2": 13}
    states = [value(flow, "status", level=level) for level in ("ONGOING", "COMPLETED", "DISCONTINUED")]
    assert states == [13, 0, 3] and sum(states) == value(flow, "enrolled")
    assert value(flow, "discontinuation", level="DEATH") == 2 and value(flow, "death") == 2
    assert value(flow, "new_therapy") == 1


@pytest.mark.rule("QUEST-04")
def test_each_count_leads_to_its_participants(adam, study):
    flow = disposition.participant_flow(adam, study)
    assert subjects(flow, "death", "n") == {"SYN-04", "SYN-15"}
    counts = flow.frame[(flow.frame["stat"] == "n") & flow.frame["status"].eq("OK")]
    linked = flow.links.groupby("result_id")["USUBJID"].nunique()
    assert (counts["result_id"].map(linked).fillna(0) == counts["value"]).all()


@pytest.mark.rule("QUEST-03")
def test_what_is_not_there_is_said(adam, study, make_adam):
    flow = disposition.participant_flow(make_adam(ADEX=None), study)
    assert (
        status(flow, "infusion", "n")[0] == "NA" and "no source for ADEX" in status(flow, "infusion", "n")[1]
    )
    assert status(flow, "screening", "n", group="DL1") == ("NA", "cohorts are assigned after screening")


@pytest.mark.rule("FLOW-01")
def test_arms_instead_of_doses(adam, arms, make_adam):
    adsl = adam["ADSL"].assign(COHORT=["Pbo", "Hi"] * 10 + ["Pbo"], COHORTA=["Pbo", "Hi"] * 10 + ["Pbo"])
    adex = adam["ADEX"].assign(PRODUCT="PATCH")
    other = make_adam(ADSL=adsl, ADEX=adex)
    flow = disposition.participant_flow(other, arms)
    assert value(flow, "infusion", level="PATCH 1") == 15
    sets = disposition.analysis_sets(other, arms)
    assert status(sets, "CART-SAF", "n")[0] == "NA" and value(sets, "NK-SAF") == 15


@pytest.mark.rule("FLOW-01")
def test_reasons_add_up_to_the_excluded(adam, study):
    sets = disposition.analysis_sets(adam, study)
    assert (value(sets, "ENR"), value(sets, "NK-SAF"), value(sets, "CART-SAF"), value(sets, "RE")) == (
        16,
        15,
        13,
        14,
    )
    for code in ("NK-SAF", "CART-SAF", "DLT-EV", "FAS", "RE", "RESP"):
        reasons = sets.frame[
            (sets.frame["variable"] == f"{code} excluded") & (sets.frame["group"] == "Total")
        ]
        assert reasons["value"].sum() == value(sets, "ENR") - value(sets, code), code
    assert value(sets, "CART-SAF excluded", level="NO-CART: MANUFACTURING") == 1
    assert status(sets, "PP", "n") == ("NA", "not defined in the study parameters (OP-8)")


@pytest.mark.rule("ADSL-09", source="counted by hand: 3 of 16 fail the first condition, 1 the second")
def test_the_per_protocol_and_the_biopsy_sets_are_shown_with_their_reasons(adam, study, make_adam):
    adsl = adam["ADSL"]
    number = adsl["SUBJID"].astype(int)
    why = pd.Series(None, index=adsl.index, dtype=object)
    why = why.where(number > 3, "not NINFCT >= 2.0").where(number != 9, "not NINFNK >= 2.0")
    flag = pd.Series("N", index=adsl.index, dtype=object).where(why.notna(), "Y")
    both = {
        "PPROTFL": flag,
        "PPROTRS": why,
        "BXFL": flag,
        "BXRS": why.map({"not NINFCT >= 2.0": "NO-BIOPSY"}),
    }
    sets = disposition.analysis_sets(make_adam(ADSL=adsl.assign(**both)), study)
    assert value(sets, "PP") == 12 and value(sets, "PP", group="DL1") == 0
    assert value(sets, "PP excluded", level="not NINFCT >= 2.0") == 3
    assert value(sets, "PP excluded", level="not NINFNK >= 2.0") == 1
    assert value(sets, "BX") == 12 and value(sets, "BX excluded", level="NO-BIOPSY") == 3
    assert status(sets, "BX-PAIR", "n") == ("NA", "not available: no biopsies")


@pytest.mark.rule("BASE-01")
def test_summary_of_a_continuous_variable(adam, study):
    table = baseline.demography(adam, study)
    ages = pd.Series([40.0 + 2 * n for n in range(1, 16)])
    assert value(table, "AGE") == 15 and value(table, "AGE", "mean") == ages.mean()
    assert (
        value(table, "AGE", "sd") == pytest.approx(ages.std())
        and value(table, "AGE", "median") == ages.median()
    )
    assert status(table, "AGE", "sd", group="DL1") == ("NE", "ONE_VALUE")
    assert value(table, "AGE", "median", group="DL1") == 42
    assert value(table, "SEX", level="F") == 8 and value(table, "ECOGBL", level="2") == 0
    assert value(table, "AGE", level=">=65") == 3


# R 4.2.2: quantile(x, c(.25, .5, .75), type = 2)
QUARTILES = [
    ([1, 2, 3, 4], (1.5, 2.5, 3.5)),
    ([1, 2, 3, 4, 5], (2, 3, 4)),
    ([7], (7, 7, 7)),
    ([1, 10], (1, 5.5, 10)),
]


@pytest.mark.rule("BASE-01", source="R 4.2.2 quantile type 2")
@pytest.mark.parametrize(("values", "expected"), QUARTILES)
def test_quartiles_average_at_a_jump(values, expected):
    import numpy as np

    found = [baseline.STATISTICS[name](np.array(values, dtype=float)) for name in ("q1", "median", "q3")]
    assert found == list(expected)


@pytest.mark.rule("QUEST-03")
def test_a_variable_that_nobody_has_is_not_collected(adam, study):
    table = baseline.disease(adam, study)
    assert status(table, "CEAULN", "median") == ("NA", "not collected")
    assert status(table, "LIGHMAX", "median", group="DL2") == ("NA", "not collected")


@pytest.mark.rule("BASE-01")
def test_missing_is_a_level(adam, study):
    table = baseline.disease(adam, study)
    assert value(table, "TUMTYPE", level="Missing") == 2 and value(table, "TUMTYPE", level="OESOPHAGEAL") == 0
    levels = table.frame.query("variable == 'TUMTYPE' and group == 'Total'")
    assert levels["value"].sum() == row(table, "population", "N")["value"]
    assert not math.isnan(value(table, "NLRBL", "median"))


@pytest.mark.rule("BASE-02")
@pytest.mark.parametrize(
    ("number", "cuts", "closed", "level"),
    [
        (5, [5], "left", ">=5"),
        (5, [5], "right", "<=5"),
        (4.9, [3, 5], "left", ">=3 to <5"),
        (3, [3, 5], "right", "<=3"),
        (5.1, [3, 5], "right", ">5"),
    ],
)
def test_who_owns_the_cut(number, cuts, closed, level):
    assert cut_level(number, cuts, closed=closed) == level
    assert level in cut_levels(cuts, closed=closed)
