"""Whole courses from tumour records to the endpoints: one row per course, expectations by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adam.response.conftest import DOSE, adsl, make_study, tumour

from interim.adam.response.assessments import Assessment, BestRules, Limits
from interim.adam.response.endpoints import response_endpoints
from interim.adam.tte import derive_adtte
from interim.study.efficacy import ResponseTable

LIVER, NODE, LUNG = "LIVER", "LYMPH NODE ABDOMINAL", "LUNG"
NEXT = (-7, 42, 84, 126)


def course(days, targets=None, nontargets=None, new=None):
    return {"days": days, "targets": targets, "nontargets": nontargets, "new": new}


# what, course, overall responses, BOR, CBOR, CRSP, (PFS day, reason)
COURSES = [
    (
        "a response that is confirmed",
        course(NEXT, {"T01": (LIVER, [100, 70, 70, 70])}),
        ["PR", "PR", "PR"],
        ("PR", "PR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "just short of a response",
        course(NEXT, {"T01": (LIVER, [100, 70.1, 71, 72])}),
        ["SD", "SD", "SD"],
        ("SD", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "a response that is lost before it is confirmed",
        course(NEXT, {"T01": (LIVER, [100, 70, 75, 75])}),
        ["PR", "SD", "SD"],
        ("PR", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "confirmed after 28 days, not after 27",
        course((-7, 42, 69, 70), {"T01": (LIVER, [100, 70, 70, 70])}),
        ["PR", "PR", "PR"],
        ("PR", "PR", "Y"),
        (71, "K-CUT"),
    ),
    (
        "27 days are too few",
        course((-7, 60, 87), {"T01": (LIVER, [100, 70, 70])}),
        ["PR", "PR"],
        ("PR", "SD", "N"),
        (88, "K-CUT"),
    ),
    (
        "an early response that is not confirmed does not count as stable",
        course((-7, 42, 84), {"T01": (LIVER, [100, 60, 80])}),
        ["PR", "PD"],
        ("PR", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "progression against the nadir, not the baseline",
        course(NEXT, {"T01": (LIVER, [100, 50, 60, 60])}),
        ["PR", "PD", "PD"],
        ("PR", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "a fifth more, but less than 5 mm",
        course(NEXT, {"T01": (LIVER, [20, 20, 24, 24])}),
        ["SD", "SD", "SD"],
        ("SD", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "5 mm more, but less than a fifth",
        course(NEXT, {"T01": (LIVER, [100, 100, 119, 119])}),
        ["SD", "SD", "SD"],
        ("SD", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "a fifth more exactly",
        course(NEXT, {"T01": (LIVER, [100, 100, 120, 120])}),
        ["SD", "PD", "PD"],
        ("PD", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "baseline belongs to the nadir",
        course(NEXT, {"T01": (LIVER, [100, 110, 119, 119])}),
        ["SD", "SD", "SD"],
        ("SD", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "a growing visit does not move the nadir",
        course(NEXT, {"T01": (LIVER, [100, 115, 120, 120])}),
        ["SD", "PD", "PD"],
        ("PD", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "an incomplete low visit does not set the nadir",
        course(
            NEXT,
            {"T01": (LIVER, [50, 20, 50, 50]), "T02": (LUNG, [50, "NOT EVALUABLE", 50, 50])},
        ),
        ["NE", "SD", "SD"],
        ("SD", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "a partial sum can progress",
        course(
            NEXT,
            {"T01": (LIVER, [50, 50, 121, 121]), "T02": (LUNG, [50, 50, "NOT EVALUABLE", 50])},
        ),
        ["SD", "PD", "PD"],
        ("PD", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "a complete response with a small node",
        course(NEXT, {"T01": (LIVER, [30, 0, 0, 0]), "T02": (NODE, [20, 9, 7, 9])}),
        ["CR", "CR", "CR"],
        ("CR", "CR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "a node of 10 mm is not normal",
        course(NEXT, {"T01": (LIVER, [30, 0, 0, 0]), "T02": (NODE, [20, 10, 10, 10])}),
        ["PR", "PR", "PR"],
        ("PR", "PR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "too small to measure is 5 mm and not gone",
        course(NEXT, {"T01": (LIVER, [30, "TOO SMALL TO MEASURE", 0, 0])}),
        ["PR", "CR", "CR"],
        ("CR", "CR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "a lesion comes back after it was gone",
        course(NEXT, {"T01": (LIVER, [30, 0, 3, 3])}),
        ["CR", "PD", "PD"],
        ("CR", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "from nothing to 5 mm",
        course(NEXT, {"T01": (LIVER, [30, 0, 5, 5])}),
        ["CR", "PD", "PD"],
        ("CR", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "complete in the targets only",
        course(NEXT, {"T01": (LIVER, [30, 0, 0, 0])}, {"NT01": (LUNG, ["PRESENT"] * 4)}),
        ["PR", "PR", "PR"],
        ("PR", "PR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "complete in targets and non-targets",
        course(
            NEXT, {"T01": (LIVER, [30, 0, 0, 0])}, {"NT01": (LUNG, ["PRESENT", "ABSENT", "ABSENT", "ABSENT"])}
        ),
        ["CR", "CR", "CR"],
        ("CR", "CR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "a non-target that was not seen",
        course(
            NEXT,
            {"T01": (LIVER, [30, 0, 0, 0])},
            {"NT01": (LUNG, ["PRESENT", "NOT EVALUABLE", "ABSENT", "ABSENT"])},
        ),
        ["PR", "CR", "CR"],
        ("CR", "CR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "unequivocal progression of a non-target",
        course(
            NEXT,
            {"T01": (LIVER, [100, 60, 60, 60])},
            {"NT01": (LUNG, ["PRESENT", "PRESENT", "UNEQUIVOCAL PROGRESSION", "PRESENT"])},
        ),
        ["PR", "PD", "PR"],
        ("PR", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "a new lesion while the targets shrink",
        course(
            NEXT,
            {"T01": (LIVER, [100, 60, 50, 40])},
            None,
            {"NEW01": (LUNG, [None, None, "UNEQUIVOCAL", "UNEQUIVOCAL"])},
        ),
        ["PR", "PD", "PD"],
        ("PR", "PD", "N"),
        (85, "E-PD"),
    ),
    (
        "an equivocal lesion that is confirmed is dated back",
        course(
            NEXT,
            {"T01": (LIVER, [100, 100, 100, 100])},
            None,
            {"NEW01": (LUNG, [None, "EQUIVOCAL", "UNEQUIVOCAL", "UNEQUIVOCAL"])},
        ),
        ["PD", "PD", "PD"],
        ("PD", "PD", "N"),
        (43, "E-PD"),
    ),
    (
        "an equivocal lesion that stays so",
        course(
            NEXT,
            {"T01": (LIVER, [100, 100, 100, 100])},
            None,
            {"NEW01": (LUNG, [None, "EQUIVOCAL", "EQUIVOCAL", "EQUIVOCAL"])},
        ),
        ["SD", "SD", "SD"],
        ("SD", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "no target lesion",
        course(NEXT, None, {"NT01": (LUNG, ["PRESENT", "PRESENT", "PRESENT", "ABSENT"])}),
        ["NON-CR/NON-PD", "NON-CR/NON-PD", "CR"],
        ("CR", "SD", "N"),
        (127, "K-CUT"),
    ),
    (
        "one missed scan between response and confirmation",
        course(NEXT, {"T01": (LIVER, [100, 60, "NOT EVALUABLE", 60])}),
        ["PR", "NE", "PR"],
        ("PR", "PR", "Y"),
        (127, "K-CUT"),
    ),
    (
        "two missed scans are one too many",
        course(
            (-7, 42, 84, 126, 168),
            {"T01": (LIVER, [100, 60, "NOT EVALUABLE", "NOT EVALUABLE", 60])},
        ),
        ["PR", "NE", "NE", "PR"],
        ("PR", "SD", "N"),
        (169, "K-CUT"),
    ),
    (
        "stable before the minimum only",
        course((-7, 42), {"T01": (LIVER, [100, 100])}),
        ["SD"],
        ("NE", "NE", "N"),
        (43, "K-CUT"),
    ),
    (
        "never evaluable",
        course((-7, 42, 84), {"T01": (LIVER, [100, "NOT EVALUABLE", "NOT EVALUABLE"])}),
        ["NE", "NE"],
        ("NE", "NE", "N"),
        (1, "K-NOPOST"),
    ),
    (
        "a baseline scan only",
        course((-7,), {"T01": (LIVER, [100])}),
        [],
        ("MISSING", "MISSING", "N"),
        (1, "K-NOPOST"),
    ),
]


def people(**columns) -> pd.DataFrame:
    return adsl(FASFL="Y", SAFNKFL="Y", EOSSTT="ONGOING", **columns)


@pytest.mark.rule("RECIST-04")
@pytest.mark.rule("RECIST-07")
@pytest.mark.rule("RECIST-10")
@pytest.mark.rule("RECIST-11")
@pytest.mark.parametrize(
    ("given_course", "overall", "best", "pfs"), [row[1:] for row in COURSES], ids=[row[0] for row in COURSES]
)
def test_courses(derive, values, given_course, overall, best, pfs):
    tu, tr = tumour(**given_course)
    data = derive(tu, tr)
    assert values(data.adrs, "OVR") == overall
    assert tuple(values(data.adrs, name)[0] for name in ("BOR", "CBOR", "CRSP")) == best
    times = derive_adtte(people(), data.adrs, study=make_study(), names=("PFS",)).frame.iloc[0]
    assert (times["AVAL"], times["RSNCD"]) == pfs


PARAMETERS = [
    # course, parameters, parameter of ADRS, value under the default, value under the parameter
    (course(NEXT, {"T01": (LIVER, [100, 75, 75, 75])}), {"pr_pct": 25}, "BOR", "SD", "PR"),
    (course(NEXT, {"T01": (LIVER, [100, 100, 120, 120])}), {"pd_pct": 25}, "BOR", "PD", "SD"),
    (course(NEXT, {"T01": (LIVER, [20, 20, 24, 24])}), {"pd_abs_mm": 4}, "BOR", "SD", "PD"),
    (course((-7, 42), {"T01": (LIVER, [100, 100])}), {"sd_min_weeks": 6}, "BOR", "NE", "SD"),
    (course((-7, 60, 81), {"T01": (LIVER, [100, 70, 70])}), {"confirm_min_days": 21}, "CBOR", "SD", "PR"),
    (
        course((-7, 60, 90, 120), {"T01": (LIVER, [100, 70, 75, 70])}),
        {"accept_one_sd_for_pr": True},
        "CBOR",
        "SD",
        "PR",
    ),
    (
        course((-7, 60, 90, 120, 150), {"T01": (LIVER, [100, 70, "NE", "NE", 70])}),
        {"max_ne_between": 2},
        "CBOR",
        "SD",
        "PR",
    ),
    (course((-7,), {"T01": (LIVER, [100])}), {"missing_as_ne": True}, "BOR", "MISSING", "NE"),
    (
        course(NEXT, {"T01": (LIVER, [30, 0, 0, 0]), "T02": (NODE, [20, 11, 11, 11])}),
        {"nodal_cr_mm": 12},
        "CBOR",
        "PR",
        "CR",
    ),
    (
        course(NEXT, {"T01": (LIVER, [10, "TSTM", "TSTM", "TSTM"])}),
        {"tstm_mm": 8},
        "CBOR",
        "PR",
        "SD",
    ),
    (course(NEXT, {"T01": (LIVER, [30, 0, 3, 3])}), {"reappearance_is_pd": False}, "PD", "Y", "N"),
    (
        course(NEXT, {"T01": (LIVER, [50, 50, 121, 50]), "T02": (LUNG, [50, 50, "NE", 50])}),
        {"partial_sum_pd": False},
        "PD",
        "Y",
        "N",
    ),
    (
        course(
            NEXT,
            {"T01": (LIVER, [100, 100, 100, 100])},
            None,
            {"NEW01": (LUNG, [None, "EQUIVOCAL", "UNEQUIVOCAL", "UNEQUIVOCAL"])},
        ),
        {"equivocal_backdate": False},
        "BOR",
        "PD",
        "PD",
    ),
    (
        course(
            NEXT,
            {
                "T01": (LIVER, [50, 30, 30, 30]),
                "T02": (LIVER, [50, 30, 30, 30]),
                "T03": (LIVER, [50, 150, 150, 150]),
            },
        ),
        {"excess_targets": "all"},
        "BOR",
        "PR",
        "PD",
    ),
]


@pytest.mark.rule("RECIST-04")
@pytest.mark.rule("RECIST-10")
@pytest.mark.parametrize(("given_course", "changes", "name", "before", "after"), PARAMETERS)
def test_a_parameter_changes_what_it_names(derive, values, given_course, changes, name, before, after):
    tu, tr = tumour(**given_course)
    assert values(derive(tu, tr).adrs, name) == [before]
    assert values(derive(tu, tr, study=make_study(response=changes)).adrs, name) == [after]


@pytest.mark.rule("RECIST-06")
def test_dating_back_moves_the_progression(derive):
    tu, tr = tumour(
        NEXT,
        {"T01": (LIVER, [100, 100, 100, 100])},
        None,
        {"NEW01": (LUNG, [None, "EQUIVOCAL", "UNEQUIVOCAL", "UNEQUIVOCAL"])},
    )
    days = []
    for back in (True, False):
        adrs = derive(tu, tr, study=make_study(response={"equivocal_backdate": back})).adrs
        days.append((adrs.loc[adrs["PARAMCD"] == "PD", "ADT"].iloc[0] - DOSE).days)
    assert days == [42, 84]


RULES = BestRules.of(ResponseTable())
HISTORY = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(["CR", "PR", "SD", "NE", "PD", "NON-CR/NON-PD"])),
    max_size=7,
)


def assessments(history) -> list[Assessment]:
    days, answer = 0, []
    for place, (gap, response) in enumerate(history):
        days += gap
        answer.append(Assessment(days, response, key=place))
    return answer


ORDER = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "MISSING"]


@pytest.mark.rule("RECIST-11")
@settings(max_examples=50, deadline=None)
@given(HISTORY)
def test_confirmation_never_makes_a_response_better(history):
    found = response_endpoints(assessments(history), rules=RULES, limits=Limits()).values
    assert ORDER.index(found["CBOR"].value) >= ORDER.index(found["BOR"].value)
    if found["CRSP"].value == "Y":
        assert found["RSP"].value == "Y"
        assert found["CRSP"].day >= found["RSP"].day
        assert found["CBOR"].value in ("CR", "PR")


@pytest.mark.rule("RECIST-13")
@settings(max_examples=50, deadline=None)
@given(HISTORY)
def test_endpoints_agree_with_each_other(history):
    found = response_endpoints(assessments(history), rules=RULES, limits=Limits()).values
    assert (found["BCP"].value == "Y") == (found["BOR"].value in ("CR", "PR"))
    assert (found["CBCP"].value == "Y") == (found["CBOR"].value in ("CR", "PR"))
    assert (found["DCR"].value == "Y") == (found["BOR"].value in ("CR", "PR", "SD", "NON-CR/NON-PD"))
    assert (found["PD"].value == "Y") == any(response == "PD" for _, response in history)
    if not history:
        assert found["BOR"].value == "MISSING"


@pytest.mark.rule("RECIST-09")
@settings(max_examples=50, deadline=None)
@given(HISTORY, st.integers(1, 40))
def test_what_follows_the_first_progression_or_the_limit_changes_nothing(history, gap):
    given_scans = assessments(history)
    before = response_endpoints(given_scans, rules=RULES, limits=Limits()).values
    last = given_scans[-1].day if given_scans else 0
    later = [*given_scans, Assessment(last + gap, "CR", key=99)]
    limited = response_endpoints(later, rules=RULES, limits=Limits(last=last)).values
    assert {name: limited[name].value for name in before} == {name: b.value for name, b in before.items()}
    if any(response == "PD" for _, response in history):
        after = response_endpoints(later, rules=RULES, limits=Limits()).values
        for name in ("BOR", "CBOR", "RSP", "CRSP", "PD"):
            assert (after[name].value, after[name].day) == (before[name].value, before[name].day)


@pytest.mark.rule("RECIST-16")
@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=4))
def test_sub_sums_add_up_to_the_sum(seen):
    from interim.adam.response import derive_adtr

    days = [-7, *(42 * n for n in range(1, len(seen) + 1))]
    liver, other = zip(*seen, strict=True)
    tu, tr = tumour(days, {"T01": (LIVER, [50, *liver]), "T02": (LUNG, [40, *other])})
    frame = derive_adtr(tu, tr, adsl=adsl(), study=make_study()).frame
    sums = frame[frame["TRLNKID"].isna()].pivot(index="ADT", columns="PARAMCD", values="AVAL")
    assert (sums["LSDIAM"] + sums["ESDIAM"]).tolist() == sums["SDIAM"].tolist()
    nadir = frame[frame["TRLNKID"].isna()].pivot(index="ADT", columns="PARAMCD", values="NADIR").dropna()
    assert (nadir["LSDIAM"] + nadir["ESDIAM"] <= nadir["SDIAM"]).all()
