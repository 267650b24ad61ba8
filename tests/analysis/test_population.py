"""Analysis sets by column, and the rows that every question adds."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis.population import (
    UNASSIGNED,
    add_rate,
    distinct,
    efficacy_set,
    open_rows,
    population,
    set_label,
)
from interim.errors import DerivationError
from interim.result import TOTAL


@pytest.mark.rule("QUEST-01")
def test_columns_are_the_cohorts_with_sizes(adam, study):
    who = population(adam, study, "FAS")
    assert {g: who.n(g) for g in who.groups} == {
        "DL1": 1,
        "DL2": 3,
        "DL3": 6,
        "DL4": 3,
        "NK only": 2,
        TOTAL: 15,
    }


@pytest.mark.rule("QUEST-01")
def test_safety_columns_go_by_actual_dose(adam, study):
    who = population(adam, study, "NK-SAF")
    assert (who.n("DL3"), who.n("DL4")) == (7, 2)
    assert who.moved == {"SYN-12"}


@pytest.mark.rule("QUEST-01")
def test_who_was_not_treated_has_no_actual_dose_that_differs(adam, study, make_adam):
    adsl = adam["ADSL"].set_index("USUBJID", drop=False)
    assert pd.isna(adsl["COHORTA"]).any() and (adsl["COHORT"] == "DL3").any()
    untreated = adsl.assign(COHORTA=None)
    assert population(make_adam(ADSL=untreated), study, "ENR").moved == frozenset()
    unassigned = adsl.assign(COHORT=adsl["COHORT"].where(adsl["USUBJID"] != "SYN-02", None))
    assert population(make_adam(ADSL=unassigned), study, "ENR").moved == {"SYN-02", "SYN-12"}
    assert population(adam, study, "ENR").moved == {"SYN-12"}


@pytest.mark.rule("QUEST-01")
def test_nobody_falls_between_the_columns(adam, study, make_adam):
    who = population(adam, study, "ENR")
    assert who.n(UNASSIGNED) == 1 and sum(who.n(g) for g in who.groups[:-1]) == who.n() == 16
    odd = adam["ADSL"].assign(COHORT=adam["ADSL"]["COHORT"].replace("DL2", "DL9"))
    columns = population(make_adam(ADSL=odd), study, "FAS")
    assert columns.n("DL2") == 0 and columns.n("DL9") == 3


@pytest.mark.rule("QUEST-01")
def test_empty_cohorts_print_and_nk_only_has_no_cart_column(adam, study, make_adam):
    few = adam["ADSL"].assign(SAFCTFL=adam["ADSL"]["COHORT"].eq("DL1").map({True: "Y", False: "N"}))
    who = population(make_adam(ADSL=few), study, "CART-SAF", column="COHORT")
    assert {g: who.n(g) for g in who.groups} == {"DL1": 1, "DL2": 0, "DL3": 0, "DL4": 0, TOTAL: 1}


@pytest.mark.rule("QUEST-01")
def test_row_order_changes_nothing(adam, study, make_adam):
    turned = make_adam(ADSL=adam["ADSL"].iloc[::-1])
    assert population(turned, study, "FAS") == population(adam, study, "FAS")


@pytest.mark.rule("QUEST-02")
def test_an_empty_column_has_no_rate(study, adam):
    rows = open_rows("x.y", "t", population(adam, study, "FAS"))
    add_rate(rows, (0, 0), study=study, where=("DL1", "orr", ""), subjects=())
    add_rate(rows, (0, 2), study=study, where=("DL2", "orr", ""), subjects=(), min_n=3)
    frame = rows.build().frame.query("variable == 'orr'").set_index(["group", "stat"])
    assert frame.loc[("DL1", "rate"), ["status", "reason"]].tolist() == ["NE", "NO_DATA"]
    assert frame.loc[("DL1", "upper"), "reason"] == "NO_DATA"
    assert (
        frame.loc[("DL2", "rate"), "value"] == 0 and frame.loc[("DL2", "lower"), "reason"] == "LEVEL_N_LT_3"
    )


@pytest.mark.rule("QUEST-01")
def test_a_missing_column_or_a_doubled_participant_is_an_error(adam, study, make_adam):
    with pytest.raises(DerivationError, match="FASFL"):
        population(make_adam(ADSL=adam["ADSL"].drop(columns="FASFL")), study, "FAS")
    twice = pd.concat([adam["ADSL"], adam["ADSL"].head(1)])
    with pytest.raises(DerivationError, match="SYN-01"):
        population(make_adam(ADSL=twice), study, "FAS")


@pytest.mark.rule("QUEST-01")
def test_names_of_the_sets(study, arms):
    assert efficacy_set(study) == "FAS"
    assert (set_label("NK-SAF", study), set_label("NK-SAF", arms)) == ("NK safety set", "Safety set")


@pytest.mark.rule("TEAE-03")
def test_terms_that_differ_by_case_only_stay_apart():
    assert distinct(["Rash", "rash", "RASH"]) == {"RASH": "RASH", "Rash": "Rash [2]", "rash": "rash [3]"}
