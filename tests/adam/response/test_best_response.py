"""Best overall response, confirmation, endpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.response.assessments import BEST_FIRST, Assessment, BestRules, Limits, up_to_first, used
from interim.adam.response.best_response import best_overall_response, confirming_scan, first_of, pending
from interim.adam.response.endpoints import ENDPOINTS, response_endpoints
from interim.study.efficacy import ResponseTable

REFERENCE = Path(__file__).parents[2] / "reference" / "recist"
RULES = BestRules.of(ResponseTable())


def scans(text: str) -> list[Assessment]:
    """``56 PR, 84 CR`` -> assessments."""
    pairs = [part.split(maxsplit=1) for part in text.split(",")] if text else []
    return [Assessment(int(day), value.strip(), key=place) for place, (day, value) in enumerate(pairs)]


def endpoints(text: str, rules: BestRules = RULES, limits: Limits | None = None, **more):
    return response_endpoints(scans(text), rules=rules, limits=limits or Limits(), **more)


BEST = [
    # assessments, BOR with day and code, CBOR with day and code
    ("56 PR, 84 PR", ("PR", 56, "B-PR"), ("PR", 56, "C-PR")),
    ("56 PR, 83 PR", ("PR", 56, "B-PR"), ("SD", 56, "C-SD-UNCONF")),
    ("55 SD", ("NE", 55, "B-NE-EARLY"), ("NE", 55, "B-NE-EARLY")),
    ("56 SD", ("SD", 56, "B-SD"), ("SD", 56, "C-SD")),
    ("30 NE, 60 NE", ("NE", 30, "B-NE-ALL"), ("NE", 30, "B-NE-ALL")),
    ("30 NE, 40 SD", ("NE", 30, "B-NE-EARLY"), ("NE", 30, "B-NE-EARLY")),
    ("20 PR, 60 PD", ("PR", 20, "B-PR"), ("PD", 60, "C-PD")),
    ("60 PR, 90 PD", ("PR", 60, "B-PR"), ("SD", 60, "C-SD-UNCONF")),
    ("60 NON-CR/NON-PD, 100 PD", ("NON-CR/NON-PD", 60, "B-NON"), ("NON-CR/NON-PD", 60, "C-NON")),
    ("60 CR, 100 PR", ("CR", 60, "B-CR"), ("SD", 60, "C-SD-UNCONF")),
    ("60 CR, 90 NE, 120 CR", ("CR", 60, "B-CR"), ("CR", 60, "C-CR")),
    ("60 PR, 90 SD, 120 PR", ("PR", 60, "B-PR"), ("SD", 60, "C-SD-UNCONF")),
    ("60 PR, 90 CR, 120 CR", ("CR", 90, "B-CR"), ("CR", 90, "C-CR")),
    ("60 NED", ("NE", 60, "B-NE-EARLY"), ("NE", 60, "B-NE-EARLY")),
    ("", ("MISSING", None, "B-MISSING"), ("MISSING", None, "B-MISSING")),
]


@pytest.mark.rule("RECIST-10")
@pytest.mark.rule("RECIST-11")
@pytest.mark.parametrize(("text", "best", "confirmed"), BEST)
def test_best_response(text, best, confirmed):
    values = endpoints(text).values
    for name, expected in (("BOR", best), ("CBOR", confirmed)):
        assert (values[name].value, values[name].day, values[name].codes[0]) == expected


@pytest.mark.rule("RECIST-10", source="bor_traps_own.json")
def test_reference_traps():
    cases = json.loads((REFERENCE / "bor_traps_own.json").read_text())["cases"]
    assert len(cases) == 11
    for case in cases:
        rules = replace(RULES, **case["parameters"])
        found = response_endpoints(
            [Assessment(a["day"], a["response"]) for a in case["assessments"]], rules=rules, limits=Limits()
        ).values
        assert (found["BOR"].value, found["CBOR"].value) == (case["expected_BOR"], case["expected_CBOR"]), (
            case["id"]
        )


@pytest.mark.rule("RECIST-11", source="bor_random_admiralonco.json")
@pytest.mark.rule("RECIST-13", source="bor_random_admiralonco.json")
def test_six_hundred_random_participants():
    cases = json.loads((REFERENCE / "bor_random_admiralonco.json").read_text())["cases"]
    assert len(cases) == 600
    differ = 0
    for case in cases:
        given = dict(case["parameters"])
        rules = replace(
            RULES, stop_at_pd=given.pop("truncate_at_first_pd"), cbr_min_day=given["sd_min_day"], **given
        )
        found = response_endpoints(
            [Assessment(a["day"], a["response"]) for a in case["assessments"]],
            rules=rules,
            limits=Limits(first=None),
        ).values
        for name, expected in case["expected"].items():
            assert {"value": found[name].value, "day": found[name].day} == expected, (case["id"], name)
        differ += (found["BOR"].value, found["BOR"].day) != (found["CBOR"].value, found["CBOR"].day)
    assert differ == 224


@pytest.mark.rule("RECIST-09")
@pytest.mark.parametrize(
    ("text", "limits", "kept"),
    [
        ("60 CR, 60 NE", Limits(), "60 CR"),
        ("60 PR, 60 PD", Limits(), "60 PD"),
        ("60 SD, 60 CR", Limits(), "60 SD"),
        ("-5 PD, 0 SD", Limits(), "0 SD"),
        ("60 SD, 90 PD, 120 CR", Limits(), "60 SD, 90 PD"),
        ("60 SD, 90 PR", Limits(before=90), "60 SD"),
        ("60 SD, 90 PR", Limits(last=89), "60 SD"),
        ("60 SD, 90 PR", Limits(last=90), "60 SD, 90 PR"),
        ("60 CHECK", Limits(), "60 NE"),
        ("60 ND", Limits(), "60 NE"),
        ("90 PR, 60 SD", Limits(), "60 SD, 90 PR"),
    ],
)
def test_assessments_that_count(text, limits, kept):
    found = used(scans(text), rules=RULES, limits=limits)
    assert ", ".join(f"{a.day} {a.response}" for a in found) == kept


@pytest.mark.rule("RECIST-09")
def test_records_not_done_and_partial_response_after_complete():
    assert used(scans("60 ND"), rules=replace(RULES, not_done="drop")) == ()
    keep = replace(RULES, not_done="keep")
    assert used(scans("60 ND"), rules=keep)[0].response == "ND"
    best = endpoints("60 ND", keep).values["BOR"]
    assert (best.value, best.codes) == ("ND", ("B-ND",))
    after = used(scans("60 CR, 90 PR, 120 CR"), rules=replace(RULES, cr_then_pr="pd"))
    assert [a.response for a in after] == ["CR", "PD"]
    assert up_to_first(after, "CR") == after[:1]


@pytest.mark.rule("RECIST-10")
def test_options_of_the_best_response():
    assert endpoints("", replace(RULES, missing_as_ne=True)).values["BOR"].value == "NE"
    assert endpoints("60 NED", replace(RULES, accept_ned=True)).values["CBOR"].value == "NED"
    early = endpoints("", early_death=True).values["CBOR"]
    assert (early.value, early.codes) == ("NE", ("B-NE-DEATH",))


@pytest.mark.rule("RECIST-11")
@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("60 PR, 90 SD, 120 PR", {"accept_one_sd_for_pr": True}, 2),
        ("60 PR, 90 SD, 100 SD, 120 PR", {"accept_one_sd_for_pr": True}, None),
        ("60 CR, 90 SD, 120 CR", {"accept_one_sd_for_pr": True}, None),
        ("60 PR, 70 NE, 80 NE, 120 PR", {"max_ne_between": 2}, 3),
        ("60 PR, 70 NE, 80 NE, 120 PR", {}, None),
        ("60 PR, 70 CR, 90 PR", {}, None),
        ("60 PR, 70 PR, 88 PR", {}, 2),
        ("60 PR, 87 PR", {}, None),
        ("60 PR, 70 PD, 100 PR", {"stop_at_pd": False}, None),
        ("60 SD, 90 PR", {}, None),
    ],
)
def test_confirming_scan(text, changes, expected):
    found = confirming_scan(scans(text), 0, rules=replace(RULES, **changes))
    assert (None if found is None else found.key) == expected


@pytest.mark.rule("RECIST-12")
@pytest.mark.parametrize(
    ("text", "closed", "expected"),
    [
        ("60 PR", False, True),
        ("60 PR, 70 SD", False, False),
        ("60 PR, 70 NE", False, True),
        ("60 PR, 70 NE, 80 NE", False, False),
        ("60 PR, 90 PR", False, False),
        ("60 PR, 90 PR, 120 CR", False, True),
        ("60 PR, 80 PD", False, False),
        ("60 PR, 90 SD", False, False),
        ("60 PR", True, False),
        ("60 SD", False, False),
        ("", False, False),
    ],
)
def test_pending(text, closed, expected):
    assert pending(scans(text), rules=RULES, closed=closed) is expected
    codes = endpoints(text, closed=closed).values["CBOR"].codes
    assert ("C-PENDING" in codes) is expected


@pytest.mark.rule("RECIST-12")
def test_a_cut_between_response_and_confirmation_leaves_it_pending():
    whole = endpoints("60 PR, 90 PR")
    cut = endpoints("60 PR, 90 PR", limits=Limits(last=80))
    assert whole.values["CBOR"].value == "PR"
    assert (cut.values["CBOR"].value, cut.values["CBOR"].codes) == ("SD", ("C-SD-UNCONF", "C-PENDING"))


ENDPOINT_CASES = [
    # assessments, what is Y, days
    (
        "60 PR, 90 PR, 200 PD",
        {
            "RSP": 60,
            "CRSP": 60,
            "DCR": 60,
            "CDCR": 60,
            "CBR": 60,
            "CCBR": 60,
            "BCP": 60,
            "CBCP": 60,
            "PD": 200,
        },
    ),
    ("60 SD, 168 SD", {"DCR": 60, "CDCR": 60, "CBR": 168, "CCBR": 168}),
    ("60 SD, 167 SD, 170 PD", {"DCR": 60, "CDCR": 60, "PD": 170}),
    ("60 PR, 90 PD", {"RSP": 60, "DCR": 60, "CDCR": 60, "CBR": 60, "BCP": 60, "PD": 90}),
    ("30 PD", {"PD": 30}),
]


@pytest.mark.rule("RECIST-13")
@pytest.mark.parametrize(("text", "expected"), ENDPOINT_CASES)
def test_endpoints(text, expected):
    values = endpoints(text).values
    assert tuple(sorted(values)) == tuple(sorted(ENDPOINTS))
    yes = {name: best.day for name, best in values.items() if best.value == "Y"}
    assert yes == expected


@pytest.mark.rule("RECIST-13")
def test_clinical_benefit_variants():
    late = "60 SD, 200 PD"
    assert endpoints(late).values["CBR"].value == "N"
    assert endpoints(late, replace(RULES, cbr_pd_after_window=True)).values["CBR"].day == 200
    after = "60 PD, 200 SD"
    assert endpoints(after).values["CBR"].value == "N"
    assert endpoints(after, replace(RULES, cbr_stop_at_pd=False)).values["CBR"].day == 200


@pytest.mark.rule("RECIST-13")
def test_progression_is_known_beyond_a_new_therapy_and_last_assessment_beyond_progression():
    values = endpoints("60 SD, 90 PD, 120 SD", limits=Limits(before=80)).values
    assert values["PD"].day == 90
    assert values["LSTA"].day == 60
    assert endpoints("60 SD, 90 PD, 120 SD").values["LSTA"].day == 120
    assert first_of(scans("60 SD"), "PD").value == "N"


VALUES = st.sampled_from(["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"])
SEQUENCES = st.lists(st.tuples(st.integers(0, 300), VALUES), max_size=8)


@pytest.mark.rule("RECIST-16")
@settings(max_examples=50, deadline=None)
@given(SEQUENCES, st.randoms(), st.integers(301, 400), VALUES)
def test_order_and_records_after_the_cut_change_nothing(rows, random, late, value):
    one = [Assessment(day, response) for day, response in rows]
    two = [*one, Assessment(late, value)]
    random.shuffle(two)
    limits = Limits(last=300)
    assert response_endpoints(one, rules=RULES, limits=limits) == response_endpoints(
        two, rules=RULES, limits=limits
    )


@pytest.mark.rule("RECIST-11")
@settings(max_examples=50, deadline=None)
@given(SEQUENCES)
def test_confirmation_never_improves_a_response(rows):
    counted = used([Assessment(day, response) for day, response in rows], rules=RULES)
    best = [best_overall_response(counted, rules=RULES, confirmed=yes).value for yes in (False, True)]
    order = (*BEST_FIRST, "MISSING")
    assert order.index(best[0]) <= order.index(best[1])
