"""Every question under other parameters of the study, without a dose ladder, and on datasets without a row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.result import TOTAL
from tests.analysis import kinetic_case
from tests.analysis.answers import row, status, value
from tests.analysis.conftest import build, uid
from tests.analysis.safety_frames import safety_sets
from tests.analysis.test_question_invariants import HAND, KINETIC, ask, remade

OTHER = {
    "reader": {"response": {"evaluator": "READER 1"}},
    "unconfirmed": {"response": {"confirmation_required": False}},
    "interval": {"stats": {"binomial_interval": "wilson", "level": 0.9}},
    "evaluable": {"sets": {"efficacy_default": "RE"}},
    "windows": {"safety": {"teae_end_days": 5, "death_window_days": 1}},
}
EFFICACY = (
    "benefit_risk",
    "censoring",
    "concordance",
    "depth",
    "duration",
    "follow_up",
    "lesion_listing",
    "regional_change",
    "response_sets",
    "regional",
    "response",
    "response_criteria",
    "response_listing",
    "survival",
)


def changed(study, tables):
    parts = {name: getattr(study, name).model_copy(update=more) for name, more in tables.items()}
    return study.model_copy(update=parts)


@pytest.fixture(scope="module")
def whole(study):
    return build(study, **safety_sets())


def checked(frame):
    """Return the frame if its ids, counts and rates hold together."""
    assert frame["result_id"].is_unique
    both = frame[frame["n"].notna() & frame["N"].notna()]
    assert (both["n"].astype(float) <= both["N"].astype(float)).all()
    rates = frame[frame["status"].eq("OK")].set_index(["group", "variable", "level", "stat"])["value"]
    for (group, variable, level, stat), rate in rates.items():
        limits = [rates.get((group, variable, level, end), np.nan) for end in ("lower", "upper")]
        if stat == "rate" and not np.isnan(limits).any():
            assert limits[0] <= rate <= limits[1], (group, variable, level)
    return frame


TUMOUR = tuple(n for n in HAND if n.split(".")[0] in EFFICACY)
SAFETY = tuple(n for n in HAND if n.startswith(("safety", "toxicity", "laboratory")))
WHERE = {"reader": TUMOUR, "unconfirmed": TUMOUR, "evaluable": TUMOUR, "windows": SAFETY}
WHERE["interval"] = (
    "response.best_response",
    "regional.responses",
    "survival.time_to_event",
    "escalation.dlt_by_dose",
    "safety_period.teae_by_period",
)


@pytest.mark.parametrize(("other", "name"), [(other, name) for other in OTHER for name in WHERE[other]])
def test_other_parameters(name, other, whole, study):
    checked(ask(name, whole, changed(study, OTHER[other])).frame)


@pytest.mark.parametrize("name", HAND + KINETIC)
def test_datasets_without_a_row(name, whole, study):
    kinetic = name in KINETIC
    adam = kinetic_case.make_adam() if kinetic else whole
    bare = remade(adam, lambda f: f.iloc[:0], set(adam.datasets) - {"ADSL"})
    frame = checked(ask(name, bare, kinetic_case.STUDY if kinetic else study).frame)
    rates = frame[frame["stat"].eq("rate") & frame["status"].eq("OK")]
    assert (rates["value"] <= 1).all()


@pytest.mark.parametrize("name", HAND)
def test_a_study_of_arms(name, whole, arms):
    people = whole["ADSL"].assign(COHORT=lambda f: np.where(f["AGE"] > 60, "Hi", "Pbo"))
    people = people.assign(COHORTA=people["COHORT"]).drop(columns=["TRTSCT"])
    doses = whole["ADEX"].assign(PRODUCT="PATCH", APHASE="PATCH", ACYCLE=np.nan)
    adam = remade(whole, lambda f: f)
    adam = type(adam)({**adam.datasets, "ADSL": people, "ADEX": doses}, adam.cut, adam.findings)
    frame = checked(ask(name, adam, arms).frame)
    assert not set(frame["group"]) & {"DL1", "DL2", "DL3", "DL4", "NK only"}


@pytest.mark.parametrize("name", HAND)
def test_participants_without_a_cohort_have_a_column_of_their_own(name, whole, study):
    lost = lambda f: f.assign(  # noqa: E731
        **{c: f[c].where(f["USUBJID"] != uid(5), None) for c in ("COHORT", "COHORTA")}
    )
    frame = checked(ask(name, remade(whole, lost, ["ADSL"]), study).frame)
    sizes = frame[frame["variable"].eq("population") & frame["stat"].eq("N")].set_index("group")["value"]
    if len(sizes) > 1 and sizes[TOTAL]:
        assert sizes.get("Not assigned", 0) >= 1 and sizes.drop(TOTAL).sum() == sizes[TOTAL]


def marker(rows):
    """Return a laboratory dataset of CEA: participant, day, hour, value; the limit of normal is 5."""
    made = []
    for place, (number, day, hour, level) in enumerate(rows, 1):
        date = pd.Timestamp("2025-01-06") + pd.Timedelta(days=14 * number + day)
        made.append(
            {
                "USUBJID": uid(number),
                "PARAMCD": "CEA",
                "BASETYPE": "NK",
                "ADT": date,
                "ADTM": date + pd.Timedelta(hours=hour),
                "AVAL": float(level),
                "ANRHI": 5.0,
                "SRCDOM": "LB",
                "SRCSEQ": str(place),
            }
        )
    return pd.DataFrame(made)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("rows", "raised", "fallen"),
    [
        ([(1, -1, 8, 10), (1, 20, 8, 7)], 1, 1),
        ([(1, -1, 8, 10), (1, 20, 8, 7.01)], 1, 0),
        ([(1, -1, 8, 5), (1, 20, 8, 1)], 0, None),
        ([(1, -1, 8, 10), (1, 0, 8, 4), (1, 20, 8, 2)], 0, None),
        # The later of two results of one day is the baseline, whatever the order of the rows.
        ([(1, -1, 8, 4), (1, -1, 16, 10), (1, 20, 8, 7)], 1, 1),
        ([(1, -1, 8, 10), (1, -1, 16, 4), (1, 20, 8, 2)], 0, None),
        ([(1, -1, 8, 10), (2, -1, 8, 8), (2, 30, 8, 3), (3, 9, 8, 50)], 2, 1),
    ],
)
def test_fall_of_a_marker(study, whole, rows, raised, fallen, turned):
    frame = marker(rows)
    data = type(whole)({**whole.datasets, "ADLB": frame[::-1] if turned else frame}, whole.cut)
    found = ask("depth.summary", data, study)
    hit = row(found, "marker", "rate", level="CEA")
    assert hit["N"] == raised
    assert (hit["n"] if raised else None) == fallen
    if not raised:
        assert status(found, "marker", "rate", level="CEA") == ("NE", "NO_DATA")


@pytest.mark.parametrize(
    ("given", "planned", "inside"),
    [
        ((1.0, 1.0), (1.0, 1.0), True),
        ((0.5, 1.0), (1.0, 1.0), False),
        ((1.0, 2.0), (1.0, 1.0), False),
        # An infusion of which the plan or the amount is not known does not lie within a band.
        ((1.0, 1.0), (1.0, np.nan), False),
        ((np.nan, 1.0), (1.0, 1.0), False),
        ((1.0, 1.0), (0.0, 1.0), False),
        ((np.nan, np.nan), (1.0, 1.0), False),
    ],
)
def test_every_infusion_within_a_band(study, whole, given, planned, inside):
    doses = whole["ADEX"]
    one = doses[doses["USUBJID"].eq(uid(1)) & doses["PRODUCT"].eq("CART")].head(2)
    doses = one.assign(ADOSE=list(given), PLANDOSE=list(planned))
    adam = type(whole)({**whole.datasets, "ADEX": doses}, whole.cut)
    found = ask("infusions.cart_exposure", adam, study)
    for band in study.dose.dose_deviation_bands:
        assert value(found, "within_planned", level=f"{band:g}") == inside


def objects(frame):
    return frame.astype({name: object for name in frame if frame[name].dtype.kind not in "fMm"})


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("numbers", "expected"), [(("1", "2"), 30.0), (("9", "10"), 30.0), (("10", "9"), 20.0)]
)
def test_the_last_of_two_results_without_time_has_the_higher_number(study, whole, numbers, expected, turned):
    """Numbers of records are numbers: 10 comes after 9."""
    first = whole["ADLB"][lambda f: f["USUBJID"].eq(uid(1)) & f["PARAMCD"].eq("ALT") & f["VISITNUM"].eq(2)]
    two = pd.concat([first.assign(AVAL=20.0), first.assign(AVAL=30.0)]).assign(
        ADTM=first["ADT"].iloc[0], SRCSEQ=list(numbers)
    )
    frame = objects(two[::-1] if turned else two)
    found = ask(
        "laboratory.values_by_visit", type(whole)({**whole.datasets, "ADLB": frame}, whole.cut), study
    )
    assert value(found, "ALT", "mean", level="2 DAY 3") == expected


@pytest.mark.parametrize(
    ("numbers", "expected"), [(("1", "2"), 30.0), (("9", "10"), 30.0), (("10", "9"), 20.0)]
)
def test_the_last_marker_of_a_visit_has_the_higher_number(numbers, expected):
    adam = kinetic_case.make_adam()
    first = adam["ADBM"][lambda f: f["USUBJID"].eq("01") & f["PARAMCD"].eq("CD3") & f["TIMING"].eq("POST")]
    two = pd.concat([first.assign(AVAL=20.0), first.assign(AVAL=30.0)]).assign(SRCSEQ=list(numbers))
    changed_data = type(adam)({**adam.datasets, "ADBM": objects(two)}, adam.cut)
    found = ask("biomarkers.immune_phenotype", changed_data, kinetic_case.STUDY)
    assert value(found, "CD3", "median", level="DAY 14") == expected
