"""Prose about a question without an answer: the words of the reason's status, never a typed number, never a mistake of a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from interim.display import sentence
from interim.errors import ReportError
from interim.result import ResultStore, Rows
from interim.study import read_study

STUDY = read_study(Path(__file__).resolve().parents[2] / "params" / "example.toml")


def store(*rows):
    made = Rows("response.best", "Best response", population="FAS", group_var="COHORT")
    made.add("N", 4, variable="population", n=4, N=4)
    for stat, variable, value in rows:
        if value is None:
            made.add(stat, None, variable=variable, status="NA", reason="not available: no ADRS")
        else:
            made.add(stat, value, variable=variable, n=1, N=4)
    return ResultStore({"response.best": made.build()})


def said(template, *rows):
    return "".join(span.text for span in sentence(template, store(*rows), STUDY).spans)


@pytest.mark.rule("DISP-10")
@pytest.mark.parametrize(
    ("template", "rows"),
    [
        ("{response.best/Total/dcr//rate|x/n (%)}", [("rate", "dcr", None)]),
        ("{response.best/Total/dcr//rate|ci}", [("rate", "dcr", None), ("rate", "orr", 0.25)]),
        ("{response.best/Total/phase/NK/n|n}", [("n", "infusions", None)]),
        ("{response.best/Total/phase/NK/n|ci}", [("n", "infusions", None)]),
    ],
)
def test_a_question_without_an_answer_is_said_in_words(template, rows):
    assert said(template, *rows) == "not available"


@pytest.mark.rule("DISP-10")
@pytest.mark.parametrize(
    "rows", [[("rate", "orr", 0.25)], [("rate", "orr", 0.25), ("n", "infusions", None)], []]
)
def test_a_wrong_key_of_an_answered_question_is_still_a_mistake(rows):
    with pytest.raises(ReportError, match="no result"):
        said("{response.best/Total/dcr//rate|x/n (%)}", *rows)


@pytest.mark.rule("DISP-10")
def test_both_limits_are_printed():
    rows = [("rate", "orr", 0.25), ("lower", "orr", 0.1), ("upper", "orr", 0.5)]
    assert said("{response.best/Total/orr//rate|ci}", *rows) == "10.0% to 50.0%"
