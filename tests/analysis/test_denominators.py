"""Every denominator of the safety chapter is a number of participants that its Result states."""

from __future__ import annotations

from importlib import import_module
from inspect import signature

import pytest

from interim.report.registry import registry
from tests.analysis import safety_case as case
from tests.analysis.answers import denominators_not_stated

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


@pytest.fixture(scope="module")
def findings(study):
    """Return the findings of the hand-made study, by question; T 14.1.1.2 states its sets."""
    adam = case.adam(ADAE=case.adae().assign(APHASE="CART_C1", CRSGR=float("nan"), ICANSGR=float("nan")))
    adam = type(adam)({**adam.datasets, "ADLB": _full_results(), "ADTOX": _full_episodes()}, adam.cut)
    return {name: denominators_not_stated(answer(name, adam, study)) for name in QUESTIONS}


@pytest.mark.rule("SAF-32", source="checked by machine over every question of the safety chapter")
@pytest.mark.parametrize("name", QUESTIONS)
def test_every_denominator_is_a_population_count(findings, name):
    assert findings[name] == []


def _full_results():
    frame = case.adlb()
    visits = frame.assign(
        VISITNUM=1.0, VISIT="V", CHG=frame["AVAL"] - frame["BASE"], WORSTLFL=None, WORSTHFL=None
    )
    return visits.assign(BTOXGRL=frame["ATOXGRL"], BTOXGRH=frame["ATOXGRH"])


def _full_episodes():
    frame = case.adtox()
    return frame.assign(MINICE=float("nan"), DERGRC=frame["CTCLO"], DERGRA=frame["ASTLO"])
