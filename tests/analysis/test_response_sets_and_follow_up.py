"""Response by analysis set, length of follow-up, durations and regions: counted by hand in small studies."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import duration, follow_up, regional_change, response_sets
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import CUT, adsl, uid
from tests.analysis.tumour_study import build

MONTH = 30.4375


@pytest.fixture(scope="module")
def sets(adam, study):
    return response_sets.denominators(adam, study)


# Set: participants, not evaluated, responders, with disease control. 13 and 15 are NE, 16 is enrolled and not treated.
SETS = {
    "FAS": (15, {13, 15}, {5}, {1, 2, 3, 5, 6, 8, 9, 11, 12}),
    "ENR": (16, {13, 15, 16}, {5}, {1, 2, 3, 5, 6, 8, 9, 11, 12}),
    "NK-SAF": (15, {13, 15}, {5}, {1, 2, 3, 5, 6, 8, 9, 11, 12}),
    "CART-SAF": (13, {13}, {5}, {1, 2, 3, 5, 6, 8, 9, 11, 12}),
    "RE": (14, {15}, {5}, {1, 2, 3, 5, 6, 8, 9, 11, 12}),
}


def ids(numbers) -> set[str]:
    return {uid(number) for number in numbers}


@pytest.mark.rule("RECIST-32")
@pytest.mark.parametrize(("code", "expected"), SETS.items())
def test_who_is_not_evaluated_in_each_set(sets, code, expected):
    size, unknown, _, _ = expected
    assert value(sets, "set", "N", level=code) == size
    assert value(sets, "not_evaluated", level=code) == len(unknown)
    assert subjects(sets, "not_evaluated", "n", level=code) == ids(unknown)


@pytest.mark.rule("RECIST-32")
@pytest.mark.parametrize("name", ["orr", "dcr"])
@pytest.mark.parametrize(("code", "expected"), SETS.items())
def test_three_readings_of_who_was_not_evaluated(sets, code, expected, name):
    size, unknown, responded, controlled = expected
    found = responded if name == "orr" else controlled
    for suffix, hit, base in (
        ("", len(found), size),
        ("_best", len(found | unknown), size),
        ("_known", len(found), size - len(unknown)),
    ):
        place = row(sets, f"{name}{suffix}", "rate", level=code)
        assert (place["n"], place["N"]) == (hit, base)
        assert place["value"] == pytest.approx(hit / base)
        assert value(sets, f"{name}{suffix}", "lower", level=code) <= hit / base


@pytest.mark.rule("RECIST-32")
def test_the_primary_set_comes_first_and_a_study_without_a_t_cell_product_lacks_its_set(adam, study, arms):
    order = list(
        dict.fromkeys(response_sets.denominators(adam, study).frame.query("variable == 'set'")["level"])
    )
    assert order == ["FAS", "ENR", "NK-SAF", "CART-SAF", "RE"]
    other = study.model_copy(update={"sets": study.sets.model_copy(update={"efficacy_default": "RE"})})
    assert (
        response_sets.denominators(adam, other)
        .frame.query("variable == 'set' and stat == 'N'")["level"]
        .iloc[0]
        == "RE"
    )
    levels = response_sets.denominators(adam, arms.model_copy(update={"cohort": study.cohort})).frame["level"]
    assert "CART-SAF" not in set(levels)


@pytest.mark.rule("RECIST-32")
@pytest.mark.parametrize(
    ("code", "label"),
    [("FAS", "Full analysis set"), ("NK-SAF", "Safety set"), ("RE", "Response-evaluable set")],
)
def test_a_study_without_an_nk_product_has_a_safety_set(adam, study, arms, code, label):
    found = response_sets.denominators(adam, arms.model_copy(update={"cohort": study.cohort}))
    assert row(found, "set", "label", level=code)["text"] == label


@pytest.mark.rule("RECIST-32")
def test_unconfirmed_response_counts_where_no_confirmation_is_required(adam, study):
    table = study.response.model_copy(update={"confirmation_required": False})
    found = response_sets.denominators(adam, study.model_copy(update={"response": table}))
    assert subjects(found, "orr", "rate", level="FAS") == ids({5, 11})
    assert subjects(found, "orr_best", "rate", level="CART-SAF") == ids({5, 11, 13})


def test_without_responses_no_set_has_a_rate(make_adam, study):
    found = response_sets.denominators(make_adam(ADRS=None), study)
    assert status(found, "orr", "rate")[0] == "NA"
    assert value(found, "population", "N") == 16


# Participant: days, whether the participant died.
FOLLOWED = {1: (300, False), 2: (200, False), 3: (100, True), 4: (250, False), 5: (50, True), 6: (91, False)}


def follow(adam, make_adam, **more):
    rows = [
        {
            "USUBJID": uid(number),
            "PARAMCD": "FUP",
            "AVAL": float(days),
            "CNSR": 8.0 if died else 0.0,
            "RSNCD": "K-OTHER" if died else "E-ALIVE",
            "STARTDT": CUT - pd.Timedelta(days=days + 9),
        }
        for number, (days, died) in FOLLOWED.items()
    ]
    frame = pd.DataFrame(rows)
    return make_adam(ADTTE=frame.drop(columns=more.get("without", [])))


@pytest.mark.rule("TTE-22")
def test_follow_up_by_reversed_kaplan_meier(adam, study, make_adam):
    found = follow_up.length(follow(adam, make_adam), study)
    assert value(found, "FUP") == 6
    assert subjects(found, "FUP", "events") == ids({1, 2, 4, 6})
    assert subjects(found, "FUP", "censored") == ids({3, 5})
    # Deaths at 50 and 100 censor. At risk 5 at day 91 (0.8), 3 at day 200 (0.533), 2 at day 250 (0.267): median day 250.
    assert value(found, "FUP", "median") == pytest.approx(250 / MONTH)
    assert value(found, "FUP", "min") == pytest.approx(50 / MONTH)
    assert value(found, "FUP", "max") == pytest.approx(300 / MONTH)
    assert row(found, "FUP", "median")["method"].startswith("reversed Kaplan-Meier")
    assert status(found, "FUP", "median", group="DL4") == ("NE", "NO_DATA")


@pytest.mark.rule("TTE-22")
@pytest.mark.parametrize(
    ("month", "expected"),
    [("3", {1, 2, 3, 4, 6}), ("6", {1, 2, 4}), ("12", set())],
)
def test_potential_follow_up_runs_to_the_cut_whoever_died(adam, study, make_adam, month, expected):
    # From the start to the cut: 310, 210, 110, 260, 60 and 101 days; 91.3, 182.6 and 365.25 are wanted.
    found = follow_up.length(follow(adam, make_adam), study)
    assert subjects(found, "potential", "n", level=month) == ids(expected)
    assert row(found, "potential", "n", level=month)["N"] == 15


@pytest.mark.rule("TTE-22")
def test_follow_up_says_what_is_missing(adam, study, make_adam):
    assert status(follow_up.length(make_adam(ADTTE=None), study), "FUP", "median")[0] == "NA"
    assert status(follow_up.length(adam, study), "FUP", "median") == (
        "NA",
        "not available: ADTTE holds no FUP",
    )
    bare = follow_up.length(follow(adam, make_adam, without=["STARTDT"]), study)
    assert status(bare, "potential", "n") == ("NA", "not available: no start dates")


def lasting(make_adam, endpoint: str, times: dict[int, tuple[int, bool]], **more):
    rows = [
        (uid(number), endpoint, float(days), 1.0 if running else 0.0, "K-CUT" if running else "E-PD")
        for number, (days, running) in times.items()
    ]
    frame = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "AVAL", "CNSR", "RSNCD"])
    return make_adam(ADTTE=frame, **more)


FEW = {2: (60, False), 3: (90, True), 5: (30, False)}
MANY = {2: (40, False), 3: (60, False), 5: (80, False), 6: (100, False), 8: (120, False), 9: (140, True)}


@pytest.mark.rule("TTE-23")
@pytest.mark.parametrize("endpoint", ["DDC", "DSD"])
def test_few_durations_of_control_are_values(study, make_adam, endpoint):
    found = duration.of_response(lasting(make_adam, endpoint, FEW), study)
    assert (value(found, endpoint), value(found, endpoint, "events")) == (3, 2)
    assert status(found, endpoint, "median") == ("NE", "EVENTS_LT_5")
    assert value(found, endpoint, "min") == pytest.approx(30 / MONTH)
    assert row(found, endpoint, "min_ongoing")["text"] == "no"
    assert row(found, endpoint, "max_ongoing")["text"] == "yes"
    values = found.frame[found.frame["variable"] == f"{endpoint} value"]
    assert set(values["level"]) == ids(FEW)
    assert row(found, f"{endpoint} value", "ongoing", level=uid(3), group="DL2")["text"] == "yes"


@pytest.mark.rule("TTE-23")
@pytest.mark.parametrize("endpoint", ["DDC", "DSD"])
def test_many_durations_of_control_have_a_median_and_no_values(study, make_adam, endpoint):
    found = duration.of_response(lasting(make_adam, endpoint, MANY), study)
    # Five events of six: S = 5/6, 4/6, 1/2 at day 80: the median lies between day 80 and day 100.
    assert value(found, endpoint, "median") == pytest.approx((80 + 100) / 2 / MONTH)
    assert found.frame[found.frame["variable"] == f"{endpoint} value"].empty
    assert status(found, endpoint, "median", group="DL2") == ("NE", "EVENTS_LT_5")
    assert value(found, endpoint, group="DL2") == 2


@pytest.mark.rule("TTE-23")
def test_many_durations_of_response_have_a_curve_landmarks_and_values(study, make_adam):
    people = adsl()
    responded = people["USUBJID"].isin(ids(MANY))
    more = {"ADSL": people.assign(RESPFL=["Y" if yes else "N" for yes in responded])}
    found = duration.of_response(lasting(make_adam, "DOR", MANY, **more), study)
    # Day 91.3: four of six are left, and of those at 80 one more has ended: S = 1/2 with three at risk.
    assert value(found, "DOR landmark", "rate", level="3") == pytest.approx(0.5)
    assert value(found, "DOR landmark", "n_risk", level="3") == 3
    assert status(found, "DOR landmark", "rate", level="6")[0] == "NE"
    steps = found.frame[(found.frame["variable"] == "DOR curve") & (found.frame["stat"] == "surv")]
    assert steps["value"].tolist() == pytest.approx([5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 1 / 6])
    assert set(found.frame[found.frame["variable"] == "DOR curve"]["group"]) == {"Total"}
    assert value(found, "DOR risk", "n_risk", level="0") == 6
    assert set(found.frame[found.frame["variable"] == "value"]["level"]) == ids(MANY)


@pytest.mark.rule("TTE-23")
def test_few_durations_of_response_have_no_curve(adam, study):
    found = duration.of_response(adam, study)
    assert found.frame[found.frame["variable"].str.startswith("DOR curve")].empty
    assert found.frame[found.frame["variable"].str.startswith("DOR landmark")].empty
    assert status(found, "DDC", "median") == ("NA", "not available: ADTTE holds no DDC")


@pytest.fixture(scope="module")
def data():
    return build()


# Sub-sums by hand: S1 liver 100 -> 50, elsewhere 50 -> 30; S2 liver 60 -> 30, elsewhere 60, then 80 at its progression.
@pytest.mark.rule("RECIST-33")
@pytest.mark.parametrize(
    ("subject", "region", "expected"),
    [
        ("S1", "liver", -50.0),
        ("S1", "extrahepatic", -40.0),
        ("S2", "liver", -50.0),
        ("S2", "extrahepatic", 0.0),
        ("S3", "liver", 0.0),
    ],
)
def test_best_change_of_each_region(data, subject, region, expected):
    found = regional_change.best_changes(data.adam, data.study)
    assert value(found, "change", region, level=subject, group="DL1") == pytest.approx(expected)


@pytest.mark.rule("RECIST-33")
@pytest.mark.parametrize(
    ("subject", "region", "reason"),
    [
        ("S3", "extrahepatic", "NO_TARGET"),
        ("S4", "liver", "NO_COMPLETE_SUM"),
        ("S4", "extrahepatic", "NO_TARGET"),
    ],
)
def test_a_region_without_a_value_says_why(data, subject, region, reason):
    found = regional_change.best_changes(data.adam, data.study)
    assert status(found, "change", region, level=subject, group="DL1") == ("NE", reason)
    assert subjects(found, "change", region, level=subject, group="DL1") == {subject}


@pytest.mark.rule("RECIST-33")
def test_who_has_both_regions(data):
    found = regional_change.best_changes(data.adam, data.study)
    assert subjects(found, "summary", "n") == {"S1", "S2"}
    bare = regional_change.best_changes(Adam({"ADSL": data.adam["ADSL"]}, data.study.cut), data.study)
    assert status(bare, "summary", "n")[0] == "NA"
