"""Kaplan-Meier curve and what is read off it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.stats import CURVE_INTERVALS, binomial_interval, kaplan_meier

PACK = Path(__file__).resolve().parents[1] / "reference" / "stats" / "km.json"
CASES = [case for case in json.loads(PACK.read_text(encoding="utf-8"))["cases"] if case["result"]]
TYPES = ("plain", "log", "log-log", "logit", "arcsin")
SOURCE = "R 4.2.2 survival 3.5-3, survRM2 1.0-4, bpcp 1.4.2"
samples = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=25)


def numbers(values: object) -> np.ndarray:
    listed = values if isinstance(values, list) else [values]
    return np.array([math.inf if v == "Inf" else math.nan if v is None else v for v in listed], dtype=float)


@pytest.mark.rule("STAT-05", source=SOURCE)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_curve_agrees_with_independent_software(case):
    for name in TYPES:
        curve = kaplan_meier(case["data"]["time"], case["data"]["event"], interval=name)
        for column in ("time", "n_risk", "n_event", "n_censor", "surv", "cumhaz", "se_surv", "se_log_surv"):
            assert getattr(curve, column) == pytest.approx(
                numbers(case["result"]["table"][column]), rel=1e-9, abs=1e-9, nan_ok=True
            )
        for side in ("lower", "upper"):
            expected = numbers(case["result"]["ci"][name][side])
            assert getattr(curve, side) == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), (
                name,
                side,
            )


@pytest.mark.rule("STAT-07", source=SOURCE)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_quantiles_are_exact(case):
    for name in TYPES:
        curve = kaplan_meier(case["data"]["time"], case["data"]["event"], interval=name)
        expected = case["result"]["quantiles"][name]
        for place, p in enumerate((0.25, 0.5, 0.75)):
            found = curve.quantile(p)
            for value, key in ((found.value, "est"), (found.lower, "lower"), (found.upper, "upper")):
                assert value == pytest.approx(numbers(expected[key])[place], abs=1e-12, nan_ok=True), (
                    name,
                    p,
                    key,
                )


@pytest.mark.rule("STAT-08", source=SOURCE)
@pytest.mark.parametrize("case", [c for c in CASES if c["result"].get("rmst_survfit")], ids=lambda c: c["id"])
def test_restricted_mean_agrees(case):
    expected = case["result"]["rmst_survfit"]
    found = kaplan_meier(case["data"]["time"], case["data"]["event"]).rmst(expected["tau"])
    assert found.value == pytest.approx(expected.get("rmean", expected.get("rmst")), rel=1e-9)
    assert found.se == pytest.approx(expected["se"], rel=1e-9, abs=1e-12)


@pytest.mark.rule("STAT-05")
def test_by_hand():
    # 5 participants: events at 2 and 4, censored at 2, 5, 6. At 2 the event precedes the censoring.
    curve = kaplan_meier([2, 2, 4, 5, 6], [1, 0, 1, 0, 0])
    assert curve.n_risk.tolist() == [5, 3, 2, 1]
    assert curve.surv == pytest.approx([4 / 5, 4 / 5 * 2 / 3, 8 / 15, 8 / 15])
    assert curve.se_surv[1] == pytest.approx(8 / 15 * math.sqrt(1 / (5 * 4) + 1 / (3 * 2)))


@pytest.mark.rule("STAT-06")
@pytest.mark.parametrize("name", sorted(CURVE_INTERVALS))
def test_limits_at_the_ends(name):
    curve = kaplan_meier([1, 2, 3], [0, 1, 1], interval=name)
    ends = curve.lower[0], curve.lower[-1]
    assert math.isnan(ends[0]) == (name in ("log-log", "logit", "arcsin"))
    assert math.isnan(ends[1]) == (name != "beta_product")
    assert [r for r in curve.limits_reason if r] == [
        r for r, e in zip(("CI_AT_ONE", "CI_AT_ZERO"), ends, strict=True) if math.isnan(e)
    ]
    assert set(curve.limits_status) <= {"OK", "NE"}


@pytest.mark.rule("STAT-06")
def test_a_missing_limit_leaves_the_median_open():
    # The curve ends at 0: a limit of 0 instead of none would make the upper limit of the median finite.
    median = kaplan_meier([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]).quantile(0.5)
    assert (median.value, median.upper_status, median.upper_reason) == (3.0, "NR", "CI_UPPER_NR")


@pytest.mark.rule("STAT-07")
def test_midpoint_and_not_reached():
    assert kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).quantile(0.5).value == 2.5
    assert kaplan_meier([1, 2, 3, 4], [1, 1, 0, 0]).quantile(0.5).value == 3.0
    open_end = kaplan_meier([1, 2, 3, 4], [1, 0, 0, 0]).quantile(0.5)
    assert (open_end.status, open_end.reason) == ("NR", "MEDIAN_NOT_REACHED")
    assert open_end.lower_status in ("OK", "NE") and math.isnan(open_end.value)


@pytest.mark.rule("STAT-07")
def test_landmarks():
    curve = kaplan_meier([2, 4, 6, 8], [1, 1, 0, 0])
    assert (curve.at(1).value, curve.at(1).limits_reason) == (1.0, "CI_AT_ONE")
    assert (curve.at(5).value, curve.at(5).status, curve.at(5).reason) == (0.5, "FLAG", "AT_RISK_LT_3")
    assert (curve.at(9).status, curve.at(9).reason) == ("NE", "BEYOND_FOLLOWUP")
    ended = kaplan_meier([2, 4], [1, 1]).at(9)
    assert (ended.value, ended.limits_status, ended.se_reason) == (0.0, "NE", "CI_AT_ZERO")
    assert curve.n_at_risk([0, 2, 2.5, 100]).tolist() == [4, 4, 3, 0]


@pytest.mark.rule("STAT-08")
def test_horizon_beyond_follow_up_and_no_event():
    curve = kaplan_meier([2, 4], [0, 0])
    assert (curve.rmst(5).status, curve.rmst(5).reason) == ("NE", "TAU_BEYOND_FOLLOWUP")
    flat = curve.rmst(3)
    assert (flat.value, flat.se, flat.status, flat.reason) == (3.0, 0.0, "FLAG", "NO_EVENTS")


@pytest.mark.rule("STAT-08")
@given(st.lists(st.integers(1, 12), min_size=1, max_size=20))
@settings(max_examples=40)
def test_without_censoring_the_curve_is_one_minus_the_distribution(times):
    curve = kaplan_meier(times, [1] * len(times), interval="beta_product")
    share = [np.mean(np.array(times) > t) for t in curve.time]
    assert curve.surv == pytest.approx(share, abs=1e-12)
    exact = binomial_interval([round(s * len(times)) for s in share], [len(times)] * len(share))
    inside = curve.surv > 0
    assert curve.lower[inside] == pytest.approx(exact.lower[inside], abs=1e-9)
    assert curve.upper[inside] == pytest.approx(exact.upper[inside], abs=1e-9)


@pytest.mark.rule("STAT-09")
@given(samples, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_order_coding_and_unit_change_nothing(sample, random):
    shuffled = sample[:]
    random.shuffle(shuffled)
    one = kaplan_meier([t for t, _ in sample], [int(e) for _, e in sample])
    two = kaplan_meier([7.0 * t for t, _ in shuffled], [e for _, e in shuffled])
    assert two.time == pytest.approx(7.0 * one.time)
    for column in ("surv", "lower", "upper", "n_risk"):
        assert getattr(one, column) == pytest.approx(getattr(two, column), nan_ok=True)
    assert two.quantile(0.5).value == pytest.approx(7.0 * one.quantile(0.5).value, nan_ok=True)


@pytest.mark.rule("STAT-09")
@given(samples)
@settings(max_examples=30)
def test_reverse_of_reverse_and_the_statuses(sample):
    time, event = [t for t, _ in sample], [int(e) for _, e in sample]
    curve = kaplan_meier(time, event)
    assert curve.reverse().n_event.sum() == len(time) - sum(event)
    assert np.all((curve.lower <= curve.surv + 1e-12) | np.isnan(curve.lower))
    wanted = {"NO_EVENTS": sum(event) == 0, "ALL_EVENTS": sum(event) == len(event)}
    assert all((code in curve.reason.split(";")) == holds for code, holds in wanted.items())


@pytest.mark.rule("STAT-07")
def test_nobody_is_not_an_error():
    empty = kaplan_meier([], [])
    assert (empty.status, empty.reason, empty.n) == ("NE", "NO_DATA", 0)
    assert empty.quantile(0.5).status == empty.at(1).status == empty.rmst(1).status == "NE"


@pytest.mark.rule("STAT-06")
def test_zero_follow_up_is_flagged():
    assert "ZERO_FOLLOWUP" in kaplan_meier([0, 2], [1, 1]).reason
    assert "TIES_HEAVY" in kaplan_meier([1, 1, 1], [1, 1, 1]).reason


BAD = [
    (dict(time=[1, -2], event=[1, 0]), r"time\[1\]"),
    (dict(time=[1, math.inf], event=[1, 0]), "time"),
    (dict(time=[1, math.nan], event=[1, 0]), "time"),
    (dict(time=[1, 2], event=[1, 2]), r"event\[1\]"),
    (dict(time=[1, 2], event=[1]), "same length"),
    (dict(time=3, event=[1]), "one-dimensional"),
    (dict(time=[3], event=1), "one-dimensional"),
    (dict(time=[1], event=[1], interval="wald"), "log-log"),
    (dict(time=[1], event=[1], level=0), "level"),
    (dict(time=[[1], [1, 2]], event=[1]), "different lengths"),
    (dict(time=["1"], event=[1]), "number"),
    (dict(time=[1], event=[None]), "event"),
]


@pytest.mark.rule("STAT-01")
@pytest.mark.parametrize(("arguments", "word"), BAD)
def test_illegal_input_is_refused_by_name(arguments, word):
    with pytest.raises(ValueError, match=word):
        kaplan_meier(**arguments)


@pytest.mark.rule("STAT-01")
def test_questions_outside_the_curve_are_refused():
    curve = kaplan_meier([1, 2], [1, 0])
    for question in (
        lambda: curve.quantile(1.0),
        lambda: curve.at(-1),
        lambda: curve.rmst(0),
        lambda: curve.n_at_risk([-1]),
    ):
        with pytest.raises(ValueError, match="must"):
            question()


@pytest.mark.rule("STAT-01")
def test_masked_entries_count_as_missing():
    with pytest.raises(ValueError, match="time"):
        kaplan_meier(np.ma.masked_array([1.0, 2.0], mask=[False, True]), [1, 0])


@pytest.mark.rule("STAT-09")
def test_python_numbers_in_object_arrays_are_taken():
    assert kaplan_meier(np.array([1, 2.0], dtype=object), [True, False]).n == 2
