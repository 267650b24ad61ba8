"""Every denominator of the safety chapter is a number of participants that its Result states."""

from __future__ import annotations

from importlib import import_module
from inspect import signature

import pytest

from interim.analysis.denominators import set_sizes, wrong_denominators, wrong_sizes
from interim.report.registry import registry
from interim.result import Rows
from tests.analysis import safety_case as case

ROOMS = (
    "conduct",
    "conduct_listing",
    "courses",
    "disposition",
    "infusions",
    "laboratory",
    "patient",
    "safety",
    "safety_listing",
    "safety_period",
    "special_interest",
    "toxicity",
)
QUESTIONS = sorted({tlf.analysis for tlf in registry() if tlf.analysis.split(".")[0] in ROOMS})


def answer(name, adam, study):
    module, _, function = name.partition(".")
    question = getattr(import_module(f"interim.analysis.{module}"), function)
    more = (case.sdtm(),) if "sdtm" in signature(question).parameters else ()
    return question(adam, study, *more)


@pytest.mark.rule("SAF-32", source="checked by machine over every question of the safety chapter")
@pytest.mark.parametrize("name", QUESTIONS)
def test_every_denominator_is_a_population_count(study, name):
    adam = case.adam(ADAE=case.adae().assign(APHASE="CART_C1", CRSGR=float("nan"), ICANSGR=float("nan")))
    adam = type(adam)({**adam.datasets, "ADLB": _full_results(), "ADTOX": _full_episodes()}, adam.cut)
    result = answer(name, adam, study)
    assert list(wrong_denominators(result)) == []
    assert list(wrong_sizes(result, adam)) == []


def _full_results():
    frame = case.adlb()
    visits = frame.assign(
        VISITNUM=1.0, VISIT="V", CHG=frame["AVAL"] - frame["BASE"], WORSTLFL=None, WORSTHFL=None
    )
    return visits.assign(BTOXGRL=frame["ATOXGRL"], BTOXGRH=frame["ATOXGRH"])


def _full_episodes():
    frame = case.adtox()
    return frame.assign(MINICE=float("nan"), DERGRC=frame["CTCLO"], DERGRA=frame["ASTLO"])


def made(**changed):
    """Return a Result with one column of three and one count, changed as given."""
    rows = Rows("x.y", "Title", population="NK safety set")
    people = ["A1", "B2", "C3"]
    size = {"n": 3, "N": 3, "subjects": people}
    count = {"n": 1, "N": 3, "subjects": ["A1"]} | changed
    rows.add("N", 3, variable="population", **size)
    rows.add("n", count["n"], variable="feature", **count)
    return rows.build()


@pytest.mark.rule("SAF-32", source="one change at a time")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, None),
        ({"N": 4}, "denominator 4 is no number of participants of its column"),
        ({"N": 2}, "denominator 2 is no number of participants of its column"),
        ({"n": 5}, "5 of 3"),
    ],
)
def test_a_wrong_denominator_is_found(changed, words):
    found = list(wrong_denominators(made(**changed)))
    assert found == [] if words is None else len(found) == 1 and words in found[0]


@pytest.mark.rule("SAF-32", source="a narrower base is a row of its own")
def test_a_narrower_base_must_be_stated():
    rows = Rows("x.y", "Title")
    rows.add("N", 3, variable="population", n=3, N=3, subjects=["A1", "B2", "C3"])
    rows.add("n", 1, variable="feature", n=1, N=2, subjects=["A1"])
    assert len(list(wrong_denominators(rows.build()))) == 1
    rows.add("n", 2, variable="reached", n=2, N=3, subjects=["A1", "B2"])
    assert list(wrong_denominators(rows.build())) == []


def test_results_about_other_things_than_participants_are_passed_over():
    rows = Rows("x.y", "Title")
    rows.add("n", 5, variable="decisions", n=5, N=13)
    assert list(wrong_denominators(rows.build())) == []


@pytest.mark.rule("SAF-32", source="the members of a set")
@pytest.mark.parametrize(
    ("members", "size", "words"),
    [
        (["A1", "B2", "C3", "D4"], 4, None),
        (["A1", "B2", "C3"], 3, None),
        (["A1", "B2", "C3", "D4", "E5"], 5, None),
        (["A1", "B2", "C3", "D4"], 5, "N=5, but 4 participants behind it"),
        (["A1", "E5"], 2, "are the members of no analysis set"),
    ],
)
def test_a_size_must_be_a_set(members, size, words):
    rows = Rows("x.y", "Title")
    rows.add("N", size, variable="population", n=size, N=size, subjects=members)
    found = list(wrong_sizes(rows.build(), case.adam()))
    assert found == [] if words is None else len(found) == 1 and words in found[0]


def test_a_column_lies_within_the_total():
    rows = Rows("x.y", "Title")
    rows.add("N", 1, group="DL1", variable="population", n=1, N=1, subjects=["E5"])
    rows.add("N", 3, variable="population", n=3, N=3, subjects=["A1", "B2", "C3"])
    assert list(wrong_sizes(rows.build(), case.adam())) == [
        "x.y/dl1/population/-/n: E5 in column DL1 and not in the total"
    ]


def test_sets_come_from_the_flags():
    sizes = {code: len(ids) for code, ids in set_sizes(case.adam()).items()}
    assert sizes == {"ENR": 5, "NK-SAF": 4, "CART-SAF": 3, "DLT-EV": 3, "FAS": 4, "RE": 2, "RESP": 0}
