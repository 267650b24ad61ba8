"""Benefit and risk, dose finding, concordance, regions, periods, deaths and censoring on participants counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from interim.analysis import (
    benefit_risk,
    censoring,
    concordance,
    data_quality,
    depth,
    disposition,
    escalation,
    infusions,
    regional,
    safety_period,
    toxicity,
)
from interim.analysis.layout import printed_rows
from interim.analysis.regional import regions
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import adsl, build, uid
from tests.analysis.safety_frames import (
    safety_adex,
    safety_adsl,
    safety_adtox,
    safety_sets,
    start_of,
)
from tests.analysis.test_question_parameters import changed


@pytest.fixture(scope="module")
def safe(study):
    """Return the hand-made study with its safety datasets."""
    return build(study, **safety_sets())


def people(*numbers):
    return {uid(n) for n in numbers}


# Actual level: DL3 has 5 to 10 and 12, DL4 has 11 and 13; one DLT (7); one response (5), unconfirmed also 11.
@pytest.mark.parametrize(
    ("confirmed", "group", "n", "toxic", "active"),
    [
        (True, "DL1", 1, 0, 0),
        (True, "DL2", 3, 0, 0),
        (True, "DL3", 7, 1, 1),
        (True, "DL4", 2, 0, 0),
        (False, "DL3", 7, 1, 1),
        (False, "DL4", 2, 0, 1),
    ],
)
def test_benefit_and_risk_of_a_dose(adam, study, confirmed, group, n, toxic, active):
    study = changed(study, {"response": {"confirmation_required": confirmed}})
    found = benefit_risk.by_dose(adam, study)
    place = {"group": group}
    assert (row(found, "dlt", "rate", **place)["n"], row(found, "dlt", "rate", **place)["N"]) == (toxic, n)
    assert row(found, "orr", "rate", **place)["n"] == active
    fine = beta.cdf(study.dose.limit, 1 + toxic, 1 + n - toxic)
    works = beta.sf(study.benefit_risk.p_act, 1 + active, 1 + n - active)
    assert value(found, "posterior", "p_tox_ok", **place) == pytest.approx(fine, abs=1e-12)
    assert value(found, "posterior", "p_active", **place) == pytest.approx(works, abs=1e-12)
    assert value(found, "posterior", "joint", **place) == pytest.approx(fine * works, abs=1e-12)
    assert value(found, "posterior", "tox_mean", **place) == pytest.approx((1 + toxic) / (2 + n))
    assert status(found, "posterior", "joint", **place)[0] == ("FLAG" if n < 3 else "OK")
    limits = [value(found, "region", f"act_{end}", level="90", **place) for end in ("lower", "upper")]
    assert limits == pytest.approx(beta.ppf([0.05, 0.95], 1 + active, 1 + n - active).tolist(), abs=1e-9)


def test_doses_are_not_pooled(adam, study):
    found = benefit_risk.by_dose(adam, study)
    assert status(found, "posterior", "joint") == ("NA", "not pooled across dose levels")
    assert row(found, "dlt", "rate")["N"] == 13


@pytest.mark.parametrize(
    ("cells", "scores"),
    [((0, 0, 0, 0), (100, 60, 40, 0)), ((2, 1, 3, 1), (100, 60, 40, 0)), ((5, 0, 0, 0), (1, 1, 1, 1))],
)
def test_moments_of_the_utility_are_those_of_a_dirichlet(study, cells, scores):
    prior = (0.25, 0.25, 0.25, 0.25)
    study = changed(study, {"benefit_risk": {"utility": scores, "prior_ess": 2.0, "prior_cells": prior}})
    mean, sd = benefit_risk.utility_moments(cells, study)
    shapes = np.array([0.5 + x for x in cells])
    share = shapes / shapes.sum()
    cover = (np.diag(share) - np.outer(share, share)) / (shapes.sum() + 1)
    assert mean == pytest.approx(float(share @ scores))
    assert sd == pytest.approx(float(np.array(scores) @ cover @ np.array(scores)) ** 0.5, abs=1e-6)


# Assigned level: 12 belongs to DL4.
@pytest.mark.parametrize(("group", "n", "x"), [("DL1", 1, 0), ("DL2", 3, 0), ("DL3", 6, 1), ("DL4", 3, 0)])
def test_toxicity_of_a_dose_level(adam, study, group, n, x):
    found = escalation.dlt_by_dose(adam, study)
    place = {"group": group}
    assert row(found, "dlt", "rate", **place)["N"] == n and value(found, "dlt", "rate", **place) == x / n
    layout = printed_rows()["dlt"]
    high = beta.ppf(layout["one_sided_level"], x + 1, n - x)
    assert value(found, "dlt", "upper_one_sided", **place) == pytest.approx(high, abs=1e-9)
    a, b = layout["prior"]
    assert value(found, "posterior", "mean", **place) == pytest.approx((a + x) / (a + b + n))
    tail = beta.sf(study.dose.limit, a + x, b + n - x)
    assert value(found, "posterior", "p_above", **place) == pytest.approx(tail, abs=1e-10)


@pytest.mark.parametrize(
    ("gone", "n", "reasons"),
    [
        ({}, 13, {}),
        ({5: "PENDING"}, 12, {"PENDING": {5}}),
        ({5: None, 6: None}, 11, {"Missing": {5, 6}}),
        ({1: "WITHDRAWN", 5: "PENDING"}, 11, {"PENDING": {5}, "WITHDRAWN": {1}}),
    ],
)
def test_who_is_not_evaluable_for_toxicity(make_adam, study, gone, n, reasons):
    base = adsl()
    for number, reason in gone.items():
        base.loc[base["USUBJID"] == uid(number), ["DLTEVFL", "DLTEVRS"]] = ["N", reason]
    found = escalation.dlt_by_dose(make_adam(ADSL=base), study)
    assert value(found, "evaluable") == n and value(found, "not_evaluable") == 13 - n
    for reason, numbers in reasons.items():
        assert subjects(found, "not_evaluable", "n", level=reason) == people(*numbers)
    if 1 in gone:
        assert status(found, "dlt", "rate", group="DL1") == ("NE", "NO_DATA")
        assert status(found, "posterior", "mean", group="DL1") == ("NA", "no evaluable participant")


def responses(pairs, study, parameter="CBOR"):
    """Return ADRS of two evaluators: participant -> value by the first, value by the second, days of progression."""
    rows = []
    for number, (one, two, *days) in pairs.items():
        for place, (who, best) in enumerate(((study.response.evaluator, one), ("READER 1", two))):
            if best is None:
                continue
            day = start_of(number) + pd.Timedelta(days=days[place] if days else 42)
            common = {"USUBJID": uid(number), "PARCAT2": who, "ADT": day}
            rows.append({**common, "PARAMCD": "OVR", "AVALC": best})
            rows.append({**common, "PARAMCD": parameter, "AVALC": best})
            rows.append({**common, "PARAMCD": "PD", "AVALC": "Y" if best == "PD" else "N"})
    frame = pd.DataFrame(rows)
    return frame.assign(PARCAT3="RECIST 1.1", AVISITN=1.0, ANL01FL="Y", SRCDOM="TR", RSNCD=None, RSNTXT=None)


TEN = dict(enumerate([("PR", "PR")] * 5 + [("SD", "SD")] * 3 + [("PR", "SD")] * 2, 1))


@pytest.mark.parametrize(
    ("pairs", "agreed", "n", "kappa"),
    [
        (TEN, 8, 10, 0.6),
        ({k: v for k, v in TEN.items() if k > 1}, 7, 9, "PAIRS_LT_10"),
        (dict.fromkeys(range(1, 11), ("SD", "SD")), 10, 10, "ONE_CATEGORY"),
        ({1: ("PR", "PD"), 2: ("SD", None), 3: (None, "SD")}, 0, 1, "PAIRS_LT_10"),
        # 16 was never treated.
        ({1: ("PR", "PR"), 2: ("SD", "SD"), 3: ("PD", "SD")}, 2, 3, "PAIRS_LT_10"),
    ],
)
def test_agreement_of_two_evaluators(make_adam, study, pairs, agreed, n, kappa):
    study = changed(study, {"response": {"confirmation_required": True}})
    found = concordance.evaluators(make_adam(ADRS=responses(pairs, study)), study)
    rate = row(found, "bor", "rate", level="READER 1")
    assert (rate["n"], rate["N"]) == (agreed, n)
    if isinstance(kappa, str):
        assert status(found, "bor", "kappa", level="READER 1") == ("NE", kappa)
    else:
        assert value(found, "bor", "kappa", level="READER 1") == pytest.approx(kappa)
    assert len(found.where(variable="pair", stat="primary")) == n - agreed


def test_dates_of_progression_of_two_evaluators(make_adam, study):
    pairs = {
        1: ("PD", "PD", 42, 35),
        2: ("PD", "PD", 42, 42),
        3: ("PD", "PD", 42, 84),
        4: ("PD", "SD", 42, 1),
    }
    found = concordance.evaluators(make_adam(ADRS=responses(pairs, study)), study)
    for number, name in ((1, "earlier"), (2, "same"), (3, "later")):
        assert subjects(found, "pd_date", "n", level=f"READER 1 {name}") == people(number)
        assert row(found, "pd_date", "n", level=f"READER 1 {name}")["N"] == 3
    assert (
        row(found, "pd", "rate", level="READER 1")["n"],
        row(found, "pd", "rate", level="READER 1")["N"],
    ) == (3, 4)


@pytest.mark.parametrize(
    ("values", "orr", "dcr", "both", "discordant", "opposed"),
    [
        (({1: "PR", 2: "SD", 3: "PD"}, {1: "PD", 2: "SD", 4: "PR"}), (1, 1), (2, 2), {1, 2}, {1}, {1}),
        (({1: "CR"}, {1: "PR"}), (1, 1), (1, 1), {1}, set(), set()),
        (({1: "NE", 2: "PD"}, {1: "PR", 2: "PD"}), (0, 1), (0, 1), {1, 2}, {1}, set()),
        (({1: "SD"}, {2: "SD"}), (0, 0), (1, 1), set(), set(), set()),
        # A participant who was never treated is in no set.
        (({16: "PR", 1: "SD"}, {16: "PD", 1: "SD"}), (0, 0), (1, 1), {1}, set(), set()),
    ],
)
def test_liver_and_elsewhere(make_adam, study, values, orr, dcr, both, discordant, opposed):
    confirmed = study.response.confirmation_required
    rows = [
        (uid(n), study.response.evaluator, region.confirmed if confirmed else region.best, answer)
        for region, part in zip(regions(), values, strict=True)
        for n, answer in part.items()
    ]
    frame = pd.DataFrame(rows, columns=["USUBJID", "PARCAT2", "PARAMCD", "AVALC"]).assign(ADT=pd.NaT)
    found = regional.responses(make_adam(ADRS=frame), study)
    for place, region in enumerate(regions()):
        inside = [n for n in values[place] if n <= 15]
        assert value(found, f"population_{region.name}", "N") == len(inside)
        for name, expected in (("orr", orr), ("dcr", dcr)):
            hit = row(found, f"{region.name}_{name}", "rate")
            assert (hit["n"], hit["N"]) == (expected[place], len(inside))
    for name, who in (
        ("both", both),
        ("discordant_response", discordant),
        ("discordant_progression", opposed),
    ):
        assert subjects(found, name, "n") == people(*who)
    assert row(found, "discordant_response", "n")["N"] == len(both)


# The first infusion is day 0, cells on days 0, 1, 10, 11, 24, 25.
@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({"DTHDT": 12}, {"NK": 10, "CART_C1": 3}),
        ({"DTHDT": 10}, {"NK": 10, "CART_C1": 1}),
        ({"DTHDT": 9}, {"NK": 10}),
        ({"EOSDT": 30}, {"NK": 10, "CART_C1": 14, "CART_C2": 7}),
        ({"DCUTDT": 5}, {"NK": 6}),
        ({"DCUTDT": 0}, {"NK": 1}),
        ({"DTHDT": 26, "EOSDT": 20, "DCUTDT": 23}, {"NK": 10, "CART_C1": 11}),
        ({"DCUTDT": 53}, {"NK": 10, "CART_C1": 14, "CART_C2": 30}),
        ({"DCUTDT": 54}, {"NK": 10, "CART_C1": 14, "CART_C2": 30, "POST": 1}),
    ],
)
def test_person_time_of_one_participant(make_adam, study, ends, expected):
    base = safety_adsl()[lambda f: f["USUBJID"] == uid(1)]
    dates = {name: start_of(1) + pd.Timedelta(days=day) for name, day in ends.items()}
    doses = safety_adex()[lambda f: f["USUBJID"] == uid(1)]
    study = changed(study, {"safety": {"teae_end_days": 28}})
    time = safety_period.person_time(make_adam(ADSL=base.assign(**dates), ADEX=doses), study)
    assert dict(zip(time["APHASE"], time["DAYS"], strict=True)) == expected


# 15 dies 28 days after the last infusion, 4 dies 184 days after it.
@pytest.mark.parametrize(
    ("window", "early", "late"),
    [(27, (), (4, 15)), (28, (15,), (4,)), (183, (15,), (4,)), (184, (4, 15), ())],
)
def test_window_of_early_deaths(safe, study, window, early, late):
    study = changed(study, {"safety": {"death_window_days": window}})
    found = safety_period.deaths(safe, study)
    assert subjects(found, "early", "n") == people(*early)
    assert subjects(found, "late", "n") == people(*late)


def test_a_death_without_date_is_neither_early_nor_late(make_adam, study):
    base = safety_adsl()
    base.loc[base["USUBJID"] == uid(4), "DTHDT"] = pd.NaT
    found = safety_period.deaths(make_adam(**{**safety_sets(), "ADSL": base}), study)
    assert [value(found, name) for name in ("all", "early", "late", "undated")] == [2, 1, 0, 1]


@pytest.mark.parametrize(
    ("variable", "stat", "level", "expected"),
    [
        ("PFS", "n", "", range(1, 16)),
        ("PFS", "events", "", (2, 3, 4, 6, 7, 9, 10, 14, 15)),
        ("PFS", "censored", "", (1, 5, 8, 11, 12, 13)),
        ("PFS administrative", "n", "K-CUT", (1, 5, 11, 12)),
        ("new_therapy", "n", "", (8,)),
        ("OS", "events", "", (4, 15)),
        ("OS", "censored", "", [n for n in range(1, 16) if n not in (4, 15)]),
    ],
)
def test_who_is_censored_and_why(adam, study, variable, stat, level, expected):
    found = censoring.reasons(adam, study)
    assert subjects(found, variable, stat, level=level) == people(*expected)
    assert value(found, variable, stat, level=level) == len(list(expected))


@pytest.mark.parametrize(
    ("variable", "level", "expected"),
    [
        ("enrolled", "", range(1, 17)),
        ("screening", "", range(1, 22)),
        ("screen_failure", "", range(17, 22)),
        ("screen_failure", "NO-CONSENT", (17,)),
        ("screen_failure", "SCREEN-FAIL", (18, 19, 20, 21)),
        ("infusion", "NK 2", range(1, 16)),
        ("infusion", "CART_C1 1", range(1, 14)),
        ("infusion", "CART_C2 2", range(1, 14)),
        ("status", "DISCONTINUED", (4, 15, 16)),
        ("status", "COMPLETED", ()),
        ("discontinuation", "DEATH", (4, 15)),
        ("new_therapy", "", (8,)),
        ("death", "", (4, 15)),
    ],
)
def test_flow_of_participants(adam, study, variable, level, expected):
    found = disposition.participant_flow(adam, study)
    assert subjects(found, variable, "n", level=level) == people(*expected)


@pytest.mark.parametrize(
    ("number", "kept", "level"), [(1, 1, "1"), (1, 2, "2"), (1, 3, "3"), (1, 4, "4"), (2, 3, "3")]
)
def test_number_of_infusions(make_adam, study, number, kept, level):
    doses = safety_adex()
    mine = doses["USUBJID"].eq(uid(number)) & doses["PRODUCT"].eq("CART")
    frame = pd.concat([doses[~mine], doses[mine].head(kept)])
    found = infusions.cart_exposure(make_adam(**{**safety_sets(), "ADEX": frame}), study)
    assert value(found, "infusions", level="4") == (13 if kept == 4 else 12)
    assert uid(number) in subjects(found, "infusions", "n", level=level)
    assert value(found, "cells") == 13 * 4 - (4 - kept)
    assert value(found, "cells_total", "min") == kept * 3e9


@pytest.mark.parametrize(
    ("scale", "level", "expected"),
    [
        ("any", "", (2, 7, 8)),
        ("ctcae", "2", (2, 8)),
        ("ctcae", "3", (7,)),
        ("ctcae", "1", ()),
        ("astct", "2", (2, 7)),
        ("astct", "1", (8,)),
        ("astct", "missing", ()),
        ("phase", "NK", (8,)),
        ("phase", "CART_C2", (7,)),
        ("tocilizumab", "", (2,)),
    ],
)
def test_cytokine_release_by_its_highest_grade(safe, study, scale, level, expected):
    found = toxicity.crs(safe, study)
    assert subjects(found, scale, "n", level=level) == people(*expected)


def test_an_episode_without_grade_is_missing_and_the_worst_known_one_counts(make_adam, study):
    frame = safety_adtox()
    frame.loc[(frame["PARAMCD"] == "CRS") & frame["N"].isin([2]), "REPGRA"] = np.nan
    frame.loc[(frame["PARAMCD"] == "CRS") & (frame["REPGRA"] == 2), "REPGRA"] = np.nan
    found = toxicity.crs(make_adam(**{**safety_sets(), "ADTOX": frame}), study)
    assert subjects(found, "astct", "n", level="missing") == people(2)
    assert subjects(found, "astct", "n", level="1") == people(7, 8)


def test_findings_are_grouped_and_counted(adam, study):
    found = data_quality.findings(adam, study)
    assert value(found, "TU-WINDOW warn", "hits", level="TU") == 2
    assert value(found, "XD-KEY stop", "hits", level="LB") == 1
    assert value(found, "Total", "hits") == 4
    assert subjects(found, "TU-WINDOW warn", "hits", level="TU") == people(3, 6)
    assert found.frame["variable"].iloc[0] == "XD-KEY stop"


# Lowest complete sum of each participant up to progression and before a new therapy.
@pytest.mark.parametrize(
    ("group", "n", "low", "high"),
    [
        ("DL1", 1, -5, -5),
        ("DL2", 3, -12, 22.5),
        ("DL3", 6, -48, 31),
        ("DL4", 2, -33, -10),
        ("NK only", 1, 40, 40),
    ],
)
def test_depth_of_each_cohort(adam, study, group, n, low, high):
    found = depth.summary(adam, study)
    assert value(found, "depth", group=group) == n
    assert (value(found, "depth", "min", group=group), value(found, "depth", "max", group=group)) == (
        low,
        high,
    )
    assert status(found, "marker", "rate", level="CEA", group=group)[0] == "NA"
