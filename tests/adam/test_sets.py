from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.conditions import all_hold, holds
from interim.adam.sets import flag_sets
from interim.errors import StudyError
from interim.study import Condition


def adsl(**changes):
    row = {
        "USUBJID": "S1",
        "CONSNTFL": "Y",
        "SCRNFFL": "N",
        "ENREVTFL": "Y",
        "NINFREF": 2.0,
        "NINFCT": 2.0,
        "NOCTRS": None,
        "DLTSTAT": "EVALUABLE",
        "DLTSTRS": None,
        "BASDISFL": "Y",
        "MEASFL": "Y",
        "POSTFL": "Y",
        "RESPONFL": "Y",
    } | changes
    return pd.DataFrame([row]).astype({"NOCTRS": object, "DLTSTRS": object})


SETS = ("ENRL", "SAFNK", "SAFCT", "DLTEV", "FAS", "RES", "RESP")


@pytest.mark.rule("ADSL-02")
@pytest.mark.parametrize(
    ("changes", "out"),
    [
        ({}, {}),
        ({"CONSNTFL": "N", "SCRNFFL": "Y"}, {"ENRL": "NO-CONSENT"}),
        ({"SCRNFFL": "Y", "ENREVTFL": "N"}, {"ENRL": "SCREEN-FAIL"}),
        ({"ENREVTFL": "N"}, {"ENRL": "WITHDRAWN-BEFORE"}),
        (
            {"NINFCT": 0.0, "DLTSTAT": "PENDING", "DLTSTRS": "PENDING"},
            {"SAFCT": "NO-CART", "DLTEV": "PENDING"},
        ),
        ({"NINFCT": 0.0, "NOCTRS": "MANUFACTURING"}, {"SAFCT": "NO-CART: MANUFACTURING"}),
        ({"DLTSTAT": "NOT EVALUABLE", "DLTSTRS": "MIN-INFUSIONS"}, {"DLTEV": "MIN-INFUSIONS"}),
        (
            {"NINFREF": 0.0, "NINFCT": 0.0},
            {"SAFNK": "NO-NK", "SAFCT": "NO-CART", "FAS": "NO-NK", "RES": "NO-NK"},
        ),
        ({"BASDISFL": "N", "MEASFL": "N"}, {"RES": "NO-BASELINE"}),
        ({"MEASFL": "N", "POSTFL": "N"}, {"RES": "NO-MEASURABLE"}),
        ({"POSTFL": "N", "RESPONFL": "N"}, {"RES": "NO-POST", "RESP": "NO-RESPONSE"}),
    ],
)
def test_the_first_condition_that_fails_is_the_reason(mini_study, changes, out):
    frame, _ = flag_sets(adsl(**changes), mini_study)
    found = {name: frame.loc[0, f"{name}RS"] for name in SETS if frame.loc[0, f"{name}FL"] != "Y"}
    assert found == out
    assert all(frame.loc[0, f"{name}RS"] is None for name in SETS if frame.loc[0, f"{name}FL"] == "Y")


@pytest.mark.rule("ADSL-02")
def test_measurable_disease_is_asked_only_if_the_study_says_so(study_with):
    study = study_with("[sets]\nre_requires_measurable = false\n")
    frame, _ = flag_sets(adsl(MEASFL="N"), study)
    assert frame.loc[0, "RESFL"] == "Y"


@pytest.mark.rule("ADSL-03")
@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"NINFREF": 0.0, "DLTSTAT": "PENDING", "RESPONFL": "N"}, {"SAFCTFL"}),
        ({"SCRNFFL": "Y", "NINFCT": 0.0, "DLTSTAT": "PENDING", "RESPONFL": "N"}, {"SAFNKFL", "FASFL"}),
        ({}, set()),
    ],
)
def test_a_member_outside_the_holding_set_stops(mini_study, changes, flags):
    _, findings = flag_sets(adsl(**changes), mini_study)
    assert {f.variable for f in findings} == flags
    assert {(f.rule, f.severity) for f in findings} <= {("DM-SET", "stop")}


@pytest.mark.rule("ADSL-05")
def test_without_an_nk_product_the_reason_is_not_treated(study_with):
    study = study_with(
        '[[products]]\nid = "PATCH"\nextrt = ["PATCH"]\nrole = "other"\n[cohort]\nvariable = "ARMCD"\n'
    )
    frame, _ = flag_sets(adsl(NINFREF=0.0), study, flags=("SAFNKFL",))
    assert frame.loc[0, "SAFNKRS"] == "NOT-TREATED"
    assert "FASFL" not in frame


@pytest.mark.rule("ADSL-09")
def test_the_per_protocol_set_exists_only_where_the_study_defines_it(mini_study, study_with):
    assert "PPROTFL" not in flag_sets(adsl(), mini_study)[0]
    study = study_with('[[sets.per_protocol_rule]]\nvar = "NINFCT"\nop = ">="\nvalue = 4\n')
    low, high = flag_sets(adsl(), study)[0], flag_sets(adsl(NINFCT=4.0), study)[0]
    assert (low.loc[0, "PPROTFL"], low.loc[0, "PPROTRS"]) == ("N", "not NINFCT >= 4.0")
    assert (high.loc[0, "PPROTFL"], high.loc[0, "PPROTRS"]) == ("Y", None)


VALUES = pd.DataFrame({"A": [1.0, 2.0, None], "T": pd.Series(["x", "y", None], dtype=object)})


@pytest.mark.parametrize(
    ("var", "op", "value", "expected"),
    [
        ("A", "==", 2.0, [False, True, False]),
        ("A", "!=", 2.0, [True, False, False]),
        ("A", ">=", 2.0, [False, True, False]),
        ("A", "<=", 1.0, [True, False, False]),
        ("A", ">", 1.0, [False, True, False]),
        ("A", "<", 2.0, [True, False, False]),
        ("T", "in", ("x", "z"), [True, False, False]),
        ("T", "not_in", ("x",), [False, True, False]),
        ("T", "missing", None, [False, False, True]),
        ("T", "present", None, [True, True, False]),
    ],
)
def test_a_missing_value_fulfils_nothing_but_missing(var, op, value, expected):
    assert holds(VALUES, Condition(var=var, op=op, value=value), path="x").tolist() == expected


def test_all_conditions_must_hold_and_an_unknown_variable_is_named():
    both = [Condition(var="A", op=">=", value=1.0), Condition(var="T", op="==", value="x")]
    assert all_hold(VALUES, both, path="x").tolist() == [True, False, False]
    with pytest.raises(
        StudyError, match=r"dose\.dlt_rules\[0\]: there is no variable 'B'; variables are A, T"
    ):
        holds(VALUES, Condition(var="B", op="missing"), path="dose.dlt_rules[0]")
