"""Benefit and risk of the hand-made study: components, utility, other scores, draws, and why not a lower dose.

CAR-T safety set by actual dose: DL1 {1}, DL2 {2, 3, 4}, DL3 {5 to 10, 12}, DL4 {11, 13}. DLT 7; confirmed response 5.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from interim.analysis import benefit_risk as by
from interim.analysis import benefit_risk_components as parts
from interim.analysis import benefit_risk_rationale as why
from interim.analysis import benefit_risk_utility as use
from interim.analysis import escalation_stop as stop
from interim.result import TOTAL
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import adsl, uid
from tests.analysis.test_expansion import SDTM, study_with
from tests.analysis.test_expansion_support import adpp
from tests.analysis.test_question_parameters import changed

DOSES = ("DL1", "DL2", "DL3", "DL4")


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    text = "[benefit_risk]\nutility = [100, 60, 40, 0]\n"
    study = study_with(tmp_path_factory.mktemp("scores"), text)
    return changed(study, {"study": {"seed": 11}, "stats": {"draws": 4000}})


def people(*numbers):
    return {uid(n) for n in numbers}


def adlb():
    names = ("USUBJID", "PARAMCD", "ATOXGRH", "ONTRTFL")
    rows = [
        (uid(5), "ALT", 3.0, "Y"),
        (uid(6), "ALT", 2.0, "Y"),
        (uid(7), "BILI", 4.0, None),
        (uid(8), "GLUC", 4.0, "Y"),
        (uid(2), "AST", 4.0, "Y"),
        (uid(2), "AST", math.nan, "Y"),
    ]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture(scope="module")
def whole(make_adam):
    base = adsl()
    base["NINFCT"] = [4.0 if n % 2 else 2.0 for n in range(1, 22)]
    base["CEAFALL"] = [None if n == 6 else ("Y" if n in (5, 2) else "N") for n in range(1, 22)]
    return make_adam(ADSL=base, ADLB=adlb(), ADPP=adpp())


@pytest.fixture(scope="module")
def table(whole, scored):
    return by.by_dose(whole, scored)


@pytest.mark.rule("IB-17", source="counted by eye")
@pytest.mark.parametrize(
    ("variable", "hits", "n"),
    [
        ("dlt", {7}, 7),
        ("related_g3", {5, 7}, 7),
        ("crs_g2", {7}, 7),
        ("monitored", {7}, 7),
        ("hepatic", {5}, 7),
        ("completed", {5, 7, 9}, 7),
        ("marker_fall", {5}, 6),
        ("orr", {5}, 7),
        ("dcr", {5, 6, 8, 9, 12}, 7),
    ],
)
def test_components_at_the_third_level(table, variable, hits, n):
    found = row(table, variable, "rate", group="DL3")
    assert (found["n"], found["N"]) == (len(hits), n)
    assert subjects(table, variable, "rate", group="DL3") == people(*hits)
    assert row(table, variable, "rate")["N"] == (12 if variable == "marker_fall" else 13)


@pytest.mark.rule("IB-17")
def test_kinetics_of_a_level_are_median_and_range(table):
    """5 to 10 have 500 to 1000; participant 12 has no sample."""
    assert value(table, "exposure", "median", level="CARTG", group="DL3") == 750
    assert value(table, "exposure", "min", level="CARTG", group="DL3") == 500
    assert value(table, "exposure", level="CARTG", group="DL3") == 6
    assert value(table, "persistence", "max", level="CARTG", group="DL2") == 40
    assert value(table, "exposure", "median", level="CARTG", group="DL4") == 1100


@pytest.mark.rule("IB-17")
@pytest.mark.parametrize(
    ("variable", "stat"),
    [
        ("hepatic", "rate"),
        ("completed", "rate"),
        ("marker_fall", "rate"),
        ("exposure", "median"),
        ("persistence", "median"),
    ],
)
def test_what_is_not_in_the_data_is_said(adam, scored, variable, stat):
    assert status(by.by_dose(adam, scored), variable, stat, group="DL3")[0] == "NA"


@pytest.mark.rule("IB-17")
def test_grades_and_limits_are_data():
    assert parts.printed()["event"]["related_g3"] == {"column": "AETOXGRN", "grade": 3, "related": "RELCART"}
    assert parts.printed()["event"]["crs_g2"] == {"column": "CRSGR", "grade": 2}
    assert parts.printed()["fewest"] == 3


@pytest.mark.rule("IB-17")
@pytest.mark.parametrize("least", [2, 3, 8])
def test_few_participants_are_flagged(adam, scored, monkeypatch, least):
    monkeypatch.setitem(parts.printed(), "fewest", least)
    table = by.by_dose(adam, scored)
    flagged = {g for g in DOSES if row(table, "posterior", "joint", group=g)["status"] == "FLAG"}
    sizes = {"DL1": 1, "DL2": 3, "DL3": 7, "DL4": 2}
    assert flagged == {g for g, n in sizes.items() if n < least}


@pytest.mark.rule("IB-17")
def test_the_index_is_that_of_the_record(adam, scored, monkeypatch):
    monkeypatch.setattr(by, "no_escalation", lambda *a: "")
    monkeypatch.setattr(by, "index_by_dose", lambda *a: {"DL1": "not declared", "DL3": "declared"})
    table = by.by_dose(adam, scored, SDTM)
    assert row(table, "index", "text", group="DL3")["text"] == "declared"
    assert "index" not in set(by.by_dose(adam, scored).frame["variable"])


# Utility


@pytest.fixture(scope="module")
def ranked(adam, scored):
    return use.ranking(adam, scored)


@pytest.mark.rule("IB-18", source="by hand: cells plus .07, .03, .63, .27 over n + 1")
@pytest.mark.parametrize(
    ("group", "cells"),
    [("DL1", (0, 0, 1, 0)), ("DL2", (0, 0, 3, 0)), ("DL3", (1, 0, 5, 1)), ("DL4", (0, 0, 2, 0))],
)
def test_utility_by_hand(ranked, group, cells):
    shapes = [x + p for x, p in zip(cells, (0.07, 0.03, 0.63, 0.27), strict=True)]
    total = sum(shapes)
    mean = sum(u * a for u, a in zip((100, 60, 40, 0), shapes, strict=True)) / total
    square = sum(u * u * a for u, a in zip((100, 60, 40, 0), shapes, strict=True)) / total
    assert value(ranked, "utility", "mean", group=group) == pytest.approx(mean, abs=1e-12)
    sd = math.sqrt((square - mean**2) / (total + 1))
    assert value(ranked, "utility", "sd", group=group) == pytest.approx(sd, abs=1e-12)
    assert row(ranked, "utility", "mean", group=group)["status"] == ("OK" if sum(cells) >= 3 else "FLAG")


@pytest.mark.rule("IB-18", source="means of two eligible doses by hand")
@pytest.mark.parametrize("u2", [40, 60, 80])
@pytest.mark.parametrize("u3", [20, 40, 60])
def test_the_ranking_over_other_scores(ranked, u2, u3):
    means = {}
    for group, cells in (("DL2", (0, 0, 3, 0)), ("DL3", (1, 0, 5, 1))):
        shapes = [x + p for x, p in zip(cells, (0.07, 0.03, 0.63, 0.27), strict=True)]
        means[group] = sum(u * a for u, a in zip((100, u2, u3, 0), shapes, strict=True)) / sum(shapes)
    best = max(means, key=means.get)
    found = row(ranked, "ranking", "best", level=f"u2 {u2}, u3 {u3}")
    assert (found["text"], found["value"]) == (best, pytest.approx(means[best], abs=1e-12))


@pytest.mark.rule("IB-18")
def test_doses_with_few_participants_are_never_best(ranked):
    named = set(ranked.frame.loc[ranked.frame["variable"] == "ranking", "text"])
    assert named <= {"DL2", "DL3"}
    times = {g: value(ranked, "times_best", group=g) for g in ("DL2", "DL3")}
    assert sum(times.values()) == 25
    assert not len(ranked.frame[(ranked.frame["variable"] == "p_best") & (ranked.frame["group"] == "DL1")])


@pytest.mark.rule("IB-18", source="law of two Dirichlet utilities by 400000 other draws")
def test_the_chance_to_be_best_within_its_error(ranked):
    rng = np.random.default_rng(5)
    drawn = [
        rng.dirichlet(np.array(cells) + np.array((0.07, 0.03, 0.63, 0.27)), size=400_000) @ (100, 60, 40, 0)
        for cells in ((0, 0, 3, 0), (1, 0, 5, 1))
    ]
    first = float((drawn[0] > drawn[1]).mean())
    assert value(ranked, "p_best", "value", group="DL2") == pytest.approx(first, abs=0.04)
    total = sum(value(ranked, "p_best", "value", group=g) for g in ("DL2", "DL3"))
    assert total == pytest.approx(1, abs=1e-12)
    share = value(ranked, "p_best", "value", group="DL3")
    error = math.sqrt(share * (1 - share) / 4000)
    assert value(ranked, "p_best", "mcse", group="DL3") == pytest.approx(error, abs=1e-12)


@pytest.mark.rule("IB-18")
def test_the_same_seed_gives_the_same_draws(adam, scored, ranked):
    pd.testing.assert_frame_equal(use.ranking(adam, scored).frame, ranked.frame)
    other = use.ranking(adam, changed(scored, {"study": {"seed": 12}}))
    assert value(other, "p_best", "value", group="DL3") != value(ranked, "p_best", "value", group="DL3")


@pytest.mark.rule("IB-18")
@pytest.mark.parametrize(
    ("need", "words"), [(0.99, "do not separate the doses"), (0.01, "has the largest utility")]
)
def test_the_conclusion_follows_the_limit(adam, scored, need, words):
    study = changed(scored, {"benefit_risk": {"best_dose_prob": need}})
    assert words in row(use.ranking(adam, study), "conclusion", "text")["text"]


@pytest.mark.rule("IB-18")
def test_without_seed_scores_responses_or_ladder_there_is_a_reason(adam, make_adam, scored, arms):
    dull = use.ranking(adam, changed(scored, {"study": {"seed": None}}))
    assert status(dull, "p_best", "value") == ("NE", "no seed in the study: random draws are refused")
    plain = use.ranking(adam, changed(scored, {"benefit_risk": {"utility": None}}))
    assert status(plain, "p_best", "value")[1] == "no scores of response and event in the study"
    assert status(plain, "utility", "mean", group="DL3")[0] == "NE"
    assert value(plain, "joint", "value", group="DL3") > 0
    assert status(use.ranking(make_adam(ADRS=None), scored), "utility", "mean")[0] == "NA"
    assert status(use.ranking(adam, arms), "utility", "mean")[1].startswith("not applicable")


# Rationale


@pytest.fixture
def at_third_level(monkeypatch):
    monkeypatch.setattr(why, "proposed_dose", lambda *a: "DL3")


@pytest.mark.rule("IB-31", source="beta tails")
def test_every_lower_dose_is_compared(adam, scored, at_third_level):
    table = why.rationale(adam, scored, SDTM)
    assert row(table, "dose", "text")["text"] == "DL3: recommended dose, the MTD"
    for dose, n in (("DL1", 1), ("DL2", 3)):
        high, low = beta(2, 7), beta(1, 1 + n)
        points = (np.arange(4000) + 0.5) / 4000
        chance = float((high.pdf(points) * low.cdf(points)).mean())
        assert value(table, "lower", "p_more_active", level=dose) == pytest.approx(chance, abs=1e-4)
        assert value(table, "lower", "p_more_toxic", level=dose) == pytest.approx(chance, abs=1e-4)
        assert row(table, "lower", "reading", level=dose)["text"].startswith(
            "neutral: the data do not separate"
        )


@pytest.mark.rule("IB-31")
@pytest.mark.parametrize(
    ("need", "toxic", "active", "reading", "safety", "activity"),
    [
        (0.80, (), (5, 6, 7, 8, 9, 10, 12), "supports the higher dose", "neutral", "supports"),
        (0.80, (5, 6, 7, 8, 9, 10, 12), (), "against the higher dose", "against", "neutral"),
        (
            0.80,
            (5, 6, 7, 8, 9, 10, 12),
            (5, 6, 7, 8, 9, 10, 12),
            "neutral: more active and more toxic",
            "against",
            "supports",
        ),
        (0.80, (2, 3, 4), (), "neutral: the data do not separate", "supports", "neutral"),
        (0.999, (), (5, 6, 7, 8, 9, 10, 12), "neutral: the data do not separate", "neutral", "neutral"),
    ],
)
def test_readings_against_lower_doses(
    make_adam, scored, monkeypatch, at_third_level, need, toxic, active, reading, safety, activity
):
    base = adsl()
    base["DLTFL"] = ["Y" if n in toxic else "N" for n in range(1, 22)]
    monkeypatch.setattr(why, "responders", lambda *a, **k: frozenset(people(*active)))
    study = changed(scored, {"benefit_risk": {"best_dose_prob": need}})
    table = why.rationale(make_adam(ADSL=base), study, SDTM)
    assert row(table, "lower", "reading", level="DL2")["text"].startswith(reading)
    assert row(table, "criterion", "reading", level="safety")["text"] == safety
    assert row(table, "criterion", "reading", level="activity")["text"] == activity


@pytest.mark.rule("IB-31")
def test_all_eight_criteria_have_evidence_or_a_reason(whole, scored, at_third_level):
    table = why.rationale(whole, scored, SDTM)
    names = [
        "safety",
        "tolerability",
        "activity",
        "kinetics",
        "pd",
        "manufacturing",
        "burden",
        "alternatives",
    ]
    rows = table.frame[table.frame["variable"] == "criterion"]
    assert list(dict.fromkeys(rows["level"])) == names
    for name in names:
        assert row(table, "criterion", "evidence", level=name)["text"].startswith("T 14.")
    assert status(table, "criterion", "reading", level="burden")[0] == "NA"
    found = row(table, "manufactured", "rate")
    assert (found["n"], found["N"]) == (13, 15)


@pytest.mark.rule("IB-31")
def test_the_dose_is_the_recommended_one_else_that_of_a_declared_index(adam, scored, monkeypatch):
    monkeypatch.setattr(why, "proposed_dose", lambda *a: "")
    monkeypatch.setattr(why, "no_escalation", lambda *a: "no ladder")
    assert why.candidate(adam, scored, SDTM) == why.Candidate("", "no recommended dose")
    monkeypatch.setattr(why, "no_escalation", lambda *a: "")
    decisions = pd.DataFrame({"kind": ["dose", "favourable_index"], "level": [4.0, 3.0]})
    monkeypatch.setattr(why, "escalation_of", lambda *a: SimpleNamespace(decisions=decisions))
    found = why.candidate(adam, scored, SDTM)
    assert (found.dose, found.source) == ("DL3", "no recommended dose; favourable therapeutic index declared")
    none = decisions[decisions["kind"] == "dose"]
    monkeypatch.setattr(why, "escalation_of", lambda *a: SimpleNamespace(decisions=none))
    assert why.candidate(adam, scored, SDTM).dose == ""
    table = why.rationale(adam, scored, SDTM)
    assert status(table, "lower", "reading") == ("NA", "no recommended dose")
    assert row(table, "dose", "text")["text"] == "no recommended dose"


@pytest.mark.rule("IB-31")
def test_the_lowest_dose_has_no_lower_one(adam, scored, monkeypatch):
    monkeypatch.setattr(why, "proposed_dose", lambda *a: "DL1")
    table = why.rationale(adam, scored, SDTM)
    assert status(table, "lower", "reading") == ("NA", "no lower dose was given")
    assert row(table, "criterion", "reading", level="safety")["text"].startswith("read by the sponsor")


@pytest.mark.rule("IB-31")
def test_without_responses_or_ladder_the_rationale_says_so(make_adam, scored, arms, at_third_level):
    table = why.rationale(make_adam(ADRS=None), scored, SDTM)
    assert status(table, "lower", "p_more_active", level="DL2")[0] == "NA"
    assert status(table, "orr", "rate", group="DL3")[0] == "NA"
    assert status(why.rationale(make_adam(), arms, SDTM), "criterion", "n", group=TOTAL)[0] == "NA"


# Index by dose


@pytest.fixture
def declared(monkeypatch):
    decisions = pd.DataFrame(
        {
            "kind": ["dose", "favourable_index", "favourable_index"],
            "level": [4.0, 3.0, np.nan],
        }
    )
    state = SimpleNamespace(decisions=decisions, history=None)
    monkeypatch.setattr(stop, "escalation_of", lambda *a: state)


@pytest.mark.rule("IB-17")
def test_an_index_is_declared_at_the_level_of_its_record(adam, scored, declared):
    assert stop.index_by_dose(adam, scored, SDTM) == {
        "DL1": "not declared",
        "DL2": "not declared",
        "DL3": "declared",
        "DL4": "not declared",
    }


@pytest.mark.rule("IB-17")
def test_an_index_by_thresholds_is_that_of_the_rule(adam, scored, declared, monkeypatch):
    answers = [SimpleNamespace(level=1, index="met"), SimpleNamespace(level=2, index="not evaluable")]
    monkeypatch.setattr(stop, "favourable_index", lambda *a, **k: answers)
    monkeypatch.setattr(stop, "_completed", lambda *a: {})
    monkeypatch.setattr(stop, "_responses", lambda *a: {})
    study = changed(scored, {"therapeutic_index": {"rule": "threshold"}})
    assert stop.index_by_dose(adam, study, SDTM) == {"DL1": "met", "DL2": "not evaluable"}
