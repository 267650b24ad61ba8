"""Sums, nadir and target response."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.response.lesions import Contribution, Measure, contribution
from interim.adam.response.target import Roster, progressed, target_course
from interim.study.efficacy import ResponseTable

REFERENCE = Path(__file__).parents[2] / "reference" / "recist"
RULES = ResponseTable()


def roster(**baseline: float) -> Roster:
    nodal = frozenset(name for name in baseline if name.startswith("N"))
    return Roster(tuple(baseline), nodal, {k: v for k, v in baseline.items() if v is not None})


def course(base: Roster, *visits: dict, rules: ResponseTable = RULES):
    return target_course(
        base, [{k: part(v, rules) for k, v in visit.items()} for visit in visits], rules=rules
    )


def part(value, rules=RULES) -> Contribution:
    if isinstance(value, str):
        return contribution(Measure(state=value), rules=rules)
    return contribution(None if value is None else Measure(float(value)), rules=rules)


def responses(base, *visits, rules=RULES):
    return [visit.response for visit in course(base, *visits, rules=rules)]


TRAPS = [
    # why, baseline, visits, expected
    ("CR is not sum 0: a node of 7 mm", {"A": 20, "N": 18}, [{"A": 0, "N": 7}], ["CR"]),
    ("nadir 0, 5 mm is PD", {"A": 20}, [{"A": 0}, {"A": 5}], ["CR", "PD"]),
    (
        "partial sum above nadir is PD",
        {"A": 50, "B": 44},
        [{"A": 50, "B": 41}, {"A": 110, "B": None}],
        ["SD", "PD"],
    ),
    (
        "an incomplete low visit sets no nadir",
        {"A": 50, "B": 50},
        [{"A": 10, "B": None}, {"A": 40, "B": 40}],
        ["NE", "SD"],
    ),
    ("baseline belongs to the nadir", {"A": 100}, [{"A": 110}, {"A": 119}], ["SD", "SD"]),
    ("+20 % below 5 mm is SD", {"A": 20}, [{"A": 24}], ["SD"]),
    ("PR is not sticky", {"A": 100}, [{"A": 68}, {"A": 75}], ["PR", "SD"]),
    ("a merge never makes a CR", {"A": 20, "B": 20}, [{"A": 0, "B": "MERGED"}], ["PR"]),
    ("exactly -30 % is PR", {"A": 10.1, "B": 20.2}, [{"A": 7.07, "B": 14.14}], ["PR"]),
    (
        "reappearance of a non-nodal lesion after CR",
        {"A": 20, "B": 20},
        [{"A": 0, "B": 0}, {"A": 2, "B": 0}],
        ["CR", "PD"],
    ),
    (
        "a regrown node is judged by the sum",
        {"A": 20, "N": 18},
        [{"A": 0, "N": 8}, {"A": 0, "N": 12}],
        ["CR", "PR"],
    ),
    ("no row is a missing lesion", {"A": 50, "B": 50}, [{"A": 50}], ["NE"]),
    ("a lesion without a list is missing", {"A": 50}, [{"A": 50, "X": "NOT EVALUABLE"}], ["NE"]),
]


@pytest.mark.rule("RECIST-03")
@pytest.mark.rule("RECIST-04")
@pytest.mark.parametrize(("why", "baseline", "visits", "expected"), TRAPS, ids=[row[0] for row in TRAPS])
def test_traps(why, baseline, visits, expected):
    assert responses(roster(**baseline), *visits) == expected


@pytest.mark.rule("RECIST-04", source="tl_traps_own.json")
def test_reference_traps():
    cases = json.loads((REFERENCE / "tl_traps_own.json").read_text())["cases"]
    assert len(cases) == 14
    for case in cases:
        base = Roster(
            tuple(case["baseline"]),
            frozenset(k for k, v in case["baseline"].items() if v["nodal"]),
            {k: float(v["mm"]) for k, v in case["baseline"].items()},
        )
        visits = [{k: _reference(v) for k, v in visit.items()} for visit in case["visits"]]
        found = [visit.response for visit in target_course(base, visits, rules=RULES)]
        assert found == case["expected_target"], case["id"]


def _reference(value):
    if value is None:
        return part("NOT EVALUABLE")
    if value == "TSTM":
        return part("TOO SMALL TO MEASURE")
    if isinstance(value, dict):
        if "split" in value:
            return contribution(Measure(state="SPLIT", fragments=tuple(value["split"])), rules=RULES)
        return part("MERGED")
    return part(value)


@pytest.mark.rule("RECIST-04")
def test_rules_that_can_be_switched_off():
    base = roster(A=50, B=44)
    partial = [{"A": 50, "B": 41}, {"A": 110, "B": None}]
    assert responses(base, *partial, rules=ResponseTable(partial_sum_pd=False)) == ["SD", "NE"]
    again = [{"A": 0, "B": 0}, {"A": 2, "B": 0}]
    assert responses(base, *again, rules=ResponseTable(reappearance_is_pd=False)) == ["CR", "PR"]


@pytest.mark.rule("RECIST-02")
def test_without_target_or_baseline():
    assert [v.code for v in course(Roster((), frozenset(), {}), {})] == ["T-NONE"]
    assert [v.code for v in course(Roster(("A",), frozenset(), {}), {"A": 200})] == ["T-NOBASE"]


@pytest.mark.rule("RECIST-03")
def test_sum_nadir_and_missing_lesions_are_stored():
    visits = course(roster(A=50, B=50), {"A": 30, "B": 30}, {"A": 20, "B": None}, {"A": None, "B": None})
    assert [(v.total, v.complete, v.nadir, v.missing) for v in visits] == [
        (60.0, True, 100.0, ()),
        (20.0, False, 60.0, ("B",)),
        (None, False, 60.0, ("A", "B")),
    ]


def test_progression_needs_growth():
    assert not progressed(0.0, 0.0, rules=ResponseTable(pd_abs_mm=0))
    assert progressed(0.1 + 0.2 + 5, 0.3, rules=RULES)


sizes = st.lists(st.integers(0, 60), min_size=2, max_size=2)


@pytest.mark.rule("RECIST-16")
@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(10, 60), min_size=2, max_size=2), st.lists(sizes, min_size=1, max_size=5))
def test_relabelling_and_unit_change_nothing(base, visits):
    one = responses(
        Roster(("A", "B"), frozenset(), dict(zip("AB", base, strict=True))),
        *[dict(zip("AB", v, strict=True)) for v in visits],
    )
    two = responses(
        Roster(("Z", "Y"), frozenset(), dict(zip("YZ", base, strict=True))),
        *[dict(zip("YZ", v, strict=True)) for v in visits],
    )
    in_cm = ResponseTable(pd_abs_mm=0.5, nodal_cr_mm=1, tstm_mm=0.5)
    three = responses(
        Roster(("A", "B"), frozenset(), {k: v / 10 for k, v in zip("AB", base, strict=True)}),
        *[{k: x / 10 for k, x in zip("AB", v, strict=True)} for v in visits],
        rules=in_cm,
    )
    assert one == two == three


@pytest.mark.rule("RECIST-03")
@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 120), min_size=1, max_size=8))
def test_nadir_never_rises_and_excludes_the_visit(sums):
    visits = course(roster(A=60), *[{"A": s} for s in sums])
    nadirs = [v.nadir for v in visits]
    assert nadirs == [min([60.0, *map(float, sums[:i])]) for i in range(len(sums))]
