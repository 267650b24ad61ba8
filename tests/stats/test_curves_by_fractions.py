"""Curves of tiny samples in exact fractions: steps, quantiles, landmarks, areas, reverse, incidence, log-rank, contrasts."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from interim.stats.competing import cumulative_incidence
from interim.stats.contrasts import rmst_contrast
from interim.stats.logranks import logrank, logrank_scores
from interim.stats.survival import kaplan_meier

SAMPLES = [
    ((1,), (1,)),
    ((1,), (0,)),
    ((0, 2), (1, 1)),
    ((0, 2), (0, 1)),
    ((1, 2), (1, 0)),
    ((1, 2), (0, 1)),
    ((2, 2), (1, 0)),
    ((2, 2), (1, 1)),
    ((3, 1, 2), (1, 1, 1)),
    ((3, 1, 2), (0, 1, 1)),
    ((3, 1, 2), (1, 0, 1)),
    ((3, 1, 2), (1, 1, 0)),
    ((3, 1, 2), (0, 0, 0)),
    ((4, 4, 9), (1, 0, 1)),
    ((4, 4, 9), (1, 1, 0)),
    ((4, 9, 9), (1, 1, 0)),
    ((1, 2, 3, 4), (1, 1, 1, 1)),
    ((1, 2, 3, 4), (1, 0, 1, 0)),
    ((1, 2, 3, 4), (0, 1, 0, 1)),
    ((1, 2, 3, 4), (1, 1, 0, 0)),
    ((1, 2, 3, 4), (0, 0, 1, 1)),
    ((1, 1, 3, 3), (1, 0, 1, 0)),
    ((1, 1, 3, 3), (1, 1, 1, 1)),
    ((5, 5, 5, 5), (1, 0, 1, 0)),
    ((2, 4, 6, 8, 10), (1, 1, 1, 1, 0)),
    ((2, 4, 6, 8, 10), (1, 0, 1, 0, 1)),
    ((2, 4, 6, 8, 10), (0, 1, 1, 0, 1)),
    ((2, 4, 4, 8, 10), (1, 1, 0, 1, 0)),
    ((10, 8, 4, 4, 2), (1, 1, 1, 1, 0)),
    ((7, 7, 7, 1, 9), (1, 1, 0, 0, 1)),
    ((11, 13, 110, 229, 329, 356), (1, 1, 0, 1, 1, 0)),
    ((1, 2, 2, 3, 5, 8), (1, 1, 1, 0, 1, 1)),
    ((1, 2, 2, 3, 5, 8), (0, 1, 0, 1, 0, 1)),
    ((6, 6, 6, 6, 7, 7), (1, 1, 1, 0, 1, 0)),
    ((1, 2, 3, 4, 5, 6, 7), (1, 0, 1, 1, 0, 1, 0)),
    ((1, 1, 2, 2, 3, 3, 4, 4), (1, 0, 1, 0, 1, 0, 1, 0)),
]
LANDMARKS = [0, 1, 2, 3, 4, 5, 7, 9, 110, 300, 400]
SHARES = [Fraction(1, 4), Fraction(2, 5), Fraction(1, 2), Fraction(3, 4), Fraction(9, 10)]


def steps(time, event):
    """Distinct times with numbers at risk, events, and the curve after them."""
    surv, rows = Fraction(1), []
    for t in sorted(set(time)):
        n = sum(u >= t for u in time)
        d = sum(u == t and bool(e) for u, e in zip(time, event, strict=True))
        surv *= Fraction(n - d, n)
        rows.append((t, n, d, surv))
    return rows


def value(rows, t):
    return ([Fraction(1)] + [s for u, _, _, s in rows if u <= t])[-1]


def area(rows, start, end):
    """Area under the curve from start to end, cut at every step."""
    marks = [start, *(t for t, _, _, _ in rows if start < t < end), end]
    return sum(((b - a) * value(rows, a) for a, b in pairwise(marks)), Fraction(0))


def greenwood(rows, t):
    return sum((Fraction(d, n * (n - d)) for u, n, d, _ in rows if u <= t and d < n), Fraction(0))


@pytest.mark.parametrize(("time", "event"), SAMPLES)
def test_steps_hazards_and_greenwood_errors(time, event):
    rows, curve = steps(time, event), kaplan_meier(time, event)
    assert curve.time.tolist() == [t for t, *_ in rows]
    assert curve.n_risk.tolist() == [n for _, n, _, _ in rows]
    assert curve.n_event.tolist() == [d for _, _, d, _ in rows]
    assert int(curve.n_event.sum() + curve.n_censor.sum()) == len(time) == curve.n
    assert curve.surv == pytest.approx([float(s) for *_, s in rows], abs=1e-14)
    hazard = np.cumsum([float(Fraction(d, n)) for _, n, d, _ in rows])
    assert curve.cumhaz == pytest.approx(hazard, abs=1e-14)
    for place, (t, _, _, s) in enumerate(rows):
        if s > 0:
            assert curve.se_surv[place] == pytest.approx(float(s) * math.sqrt(greenwood(rows, t)), abs=1e-14)
        else:
            assert math.isnan(curve.se_surv[place])


@pytest.mark.parametrize(("time", "event"), SAMPLES)
@pytest.mark.parametrize("t", LANDMARKS)
def test_landmarks(time, event, t):
    rows = steps(time, event)
    found = kaplan_meier(time, event).at(t)
    at_risk = sum(u >= t for u in time)
    assert found.n_risk == at_risk
    if t > max(time) and rows[-1][3] > 0:
        assert (found.status, found.reason, math.isnan(found.value)) == ("NE", "BEYOND_FOLLOWUP", True)
        return
    assert found.value == pytest.approx(float(value(rows, t)), abs=1e-14)
    assert (found.status, found.reason) == (("FLAG", "AT_RISK_LT_3") if at_risk < 3 else ("OK", ""))
    if value(rows, t) in (0, 1):
        assert found.limits_reason == ("CI_AT_ONE" if value(rows, t) else "CI_AT_ZERO")
    else:
        assert 0 <= found.lower <= found.value <= found.upper <= 1


@pytest.mark.parametrize(("time", "event"), SAMPLES)
@pytest.mark.parametrize("share", SHARES)
def test_quantiles_are_midpoints_of_flat_stretches(time, event, share):
    rows = steps(time, event)
    found = kaplan_meier(time, event).quantile(float(share))
    reached = [t for t, _, _, s in rows if 1 - s >= share]
    if not reached:
        assert (found.status, found.reason, math.isnan(found.value)) == ("NR", "MEDIAN_NOT_REACHED", True)
        return
    beyond = [t for t, _, _, s in rows if 1 - s > share]
    flat = value(rows, reached[0]) == 1 - share
    end = (beyond[0] if beyond else rows[-1][0]) if flat else reached[0]
    assert found.value == pytest.approx((reached[0] + end) / 2, abs=1e-12)
    assert found.status == "OK"
    assert math.isnan(found.lower) or found.lower <= found.value
    assert math.isnan(found.upper) or found.upper >= found.value


@pytest.mark.parametrize(("time", "event"), SAMPLES)
@pytest.mark.parametrize("cut", [Fraction(1, 4), Fraction(1, 2), Fraction(9, 10), Fraction(1)])
def test_restricted_means_are_areas(time, event, cut):
    tau, rows = max(time) * cut, steps(time, event)
    found = kaplan_meier(time, event).rmst(float(tau))
    assert found.value == pytest.approx(float(area(rows, Fraction(0), tau)), rel=1e-12)
    terms = (area(rows, t, tau) ** 2 * Fraction(d, n * (n - d)) for t, n, d, _ in rows if t <= tau and d < n)
    assert found.se == pytest.approx(math.sqrt(sum(terms, Fraction(0))), abs=1e-10)
    assert found.upper + found.lower == pytest.approx(2 * found.value)
    anybody = any(d for t, _, d, _ in rows if t <= tau)
    assert (found.status, found.reason) == (("OK", "") if anybody else ("FLAG", "NO_EVENTS"))
    beyond = kaplan_meier(time, event).rmst(float(max(time)) + 0.5)
    assert (beyond.status, beyond.reason) == ("NE", "TAU_BEYOND_FOLLOWUP")


@pytest.mark.parametrize(("time", "event"), SAMPLES)
def test_the_reverse_curve_takes_censored_participants_out_after_the_events(time, event):
    surv, expected = Fraction(1), []
    for t, n, d, _ in steps(time, event):
        gone = sum(u == t for u in time) - d
        surv *= Fraction(n - gone, n)
        expected.append(float(surv))
    curve = kaplan_meier(time, event)
    assert curve.reverse().surv == pytest.approx(expected, abs=1e-14)
    assert curve.reverse().n_event.tolist() == curve.n_censor.tolist()


@pytest.mark.parametrize(
    ("time", "event", "reason"),
    [
        ((1, 2), (0, 0), "NO_EVENTS"),
        ((1, 2), (1, 1), "ALL_EVENTS"),
        ((0, 2, 3), (0, 1, 0), "ZERO_FOLLOWUP"),
        ((0, 2), (1, 1), "ALL_EVENTS;ZERO_FOLLOWUP"),
        ((0, 2), (0, 0), "NO_EVENTS;ZERO_FOLLOWUP"),
        ((4, 4, 4, 5), (1, 1, 1, 0), "TIES_HEAVY"),
        ((4, 4, 5, 6), (1, 1, 0, 0), ""),
        ((4, 4, 4), (1, 1, 1), "ALL_EVENTS;TIES_HEAVY"),
        ((), (), "NO_DATA"),
    ],
)
def test_what_a_reader_of_the_curve_should_know(time, event, reason):
    curve = kaplan_meier(time, event)
    assert curve.reason == reason
    assert curve.status == ("NE" if reason == "NO_DATA" else "FLAG" if reason else "OK")


GROUPED = [
    ((1, 2, 3, 4), (1, 1, 1, 1), (0, 0, 1, 1)),
    ((1, 2, 3, 4), (1, 1, 1, 1), (0, 1, 0, 1)),
    ((1, 2, 3, 4), (1, 0, 1, 0), (1, 0, 0, 1)),
    ((1, 1, 2, 2), (1, 1, 1, 0), (0, 1, 1, 0)),
    ((1, 1, 1, 5), (1, 1, 0, 1), (0, 1, 1, 0)),
    ((3, 3, 3, 3), (1, 0, 1, 0), (0, 0, 1, 1)),
    ((1, 2, 3, 4, 5), (1, 1, 0, 1, 1), (0, 0, 0, 1, 1)),
    ((1, 2, 3, 4, 5), (1, 1, 1, 1, 0), (1, 1, 0, 0, 0)),
    ((2, 2, 4, 4, 6), (1, 0, 1, 1, 1), (0, 1, 0, 1, 1)),
    ((2, 2, 2, 9, 9), (1, 1, 0, 1, 1), (1, 0, 0, 0, 1)),
    ((1, 3, 5, 7, 9, 11), (1, 1, 1, 0, 0, 1), (0, 1, 0, 1, 0, 1)),
    ((1, 3, 3, 3, 9, 11), (1, 1, 1, 0, 0, 1), (0, 1, 0, 1, 0, 1)),
    ((1, 2, 3, 4, 5, 6), (1, 1, 1, 1, 1, 1), (0, 0, 1, 1, 2, 2)),
    ((1, 2, 3, 4, 5, 6), (1, 0, 1, 1, 0, 1), (2, 1, 0, 0, 1, 2)),
    ((2, 2, 2, 4, 4, 4), (1, 1, 0, 1, 0, 1), (0, 1, 2, 0, 1, 2)),
    ((6, 5, 4, 3, 2, 1), (1, 1, 1, 0, 1, 1), (0, 0, 0, 1, 1, 1)),
    ((1, 1, 2, 3, 5, 8, 8), (1, 1, 1, 1, 0, 1, 0), (0, 1, 0, 1, 0, 1, 0)),
    ((1, 1, 2, 3, 5, 8, 8), (1, 1, 1, 1, 0, 1, 0), (0, 0, 0, 1, 1, 1, 1)),
]


def counted(time, event, group):
    """Observed, expected and the covariance of every pair of groups, in fractions."""
    k, people = max(group) + 1, list(zip(time, event, group, strict=True))
    observed, expected = [Fraction(0)] * k, [Fraction(0)] * k
    spread = [[Fraction(0)] * k for _ in range(k)]
    for t in sorted({u for u, e, _ in people if e}):
        risk = [sum(u >= t and h == g for u, _, h in people) for g in range(k)]
        fail = [sum(u == t and e and h == g for u, e, h in people) for g in range(k)]
        n, d = sum(risk), sum(fail)
        for g in range(k):
            observed[g] += fail[g]
            expected[g] += Fraction(risk[g] * d, n)
            for h in range(k):
                own = (n if g == h else 0) - risk[h]
                spread[g][h] += Fraction(risk[g] * own * d * (n - d), n * n * (n - 1)) if n > 1 else 0
    return observed, expected, spread


@pytest.mark.parametrize(("time", "event", "group"), GROUPED)
def test_log_rank_observed_expected_and_hypergeometric_covariance(time, event, group):
    observed, expected, spread = counted(time, event, group)
    found = logrank(time, event, group=group)
    assert found.observed.tolist() == [float(o) for o in observed]
    assert found.expected == pytest.approx([float(e) for e in expected], abs=1e-13)
    assert found.variance == pytest.approx(np.array(spread, dtype=float), abs=1e-13)
    if len(observed) == 2 and spread[0][0] > 0:
        square = (observed[0] - expected[0]) ** 2 / spread[0][0]
        assert found.chisq == pytest.approx(float(square), rel=1e-12)
        assert found.p_value == pytest.approx(math.erfc(math.sqrt(square / 2)), rel=1e-10)


@pytest.mark.parametrize(("time", "event", "group"), GROUPED)
def test_log_rank_scores_add_up_to_observed_minus_expected(time, event, group):
    observed, expected, _ = counted(time, event, group)
    scores = logrank_scores(time, event)
    for g in range(len(observed)):
        mine = sum(s for s, h in zip(scores, group, strict=True) if h == g)
        assert mine == pytest.approx(float(observed[g] - expected[g]), abs=1e-13)


@pytest.mark.parametrize(("time", "event", "group"), GROUPED)
def test_two_equal_strata_double_every_log_rank_sum(time, event, group):
    one = logrank(time, event, group=group)
    strata = [0] * len(time) + [1] * len(time)
    two = logrank(time * 2, event * 2, group=group * 2, strata=strata)
    assert two.observed == pytest.approx(2 * one.observed)
    assert two.expected == pytest.approx(2 * one.expected)
    assert two.variance == pytest.approx(2 * one.variance)


@pytest.mark.parametrize(("time", "event", "group"), [row for row in GROUPED if max(row[2]) == 1])
def test_contrast_of_restricted_means(time, event, group):
    parts = [
        tuple(zip(*[(t, e) for t, e, h in zip(time, event, group, strict=True) if h == g], strict=True))
        for g in (0, 1)
    ]
    tau = min(max(part[0]) for part in parts)
    low, high = (area(steps(*part), Fraction(0), Fraction(tau)) for part in parts)
    found = rmst_contrast(time, event, group=group)
    assert found.tau == tau
    assert found.difference == pytest.approx(float(high - low), abs=1e-12)
    assert found.ratio == pytest.approx(float(high / low), rel=1e-12)
    ends = found.difference_interval
    assert (ends.lower + ends.upper) / 2 == pytest.approx(float(high - low), abs=1e-12)
    ends = found.ratio_interval
    assert math.sqrt(ends.lower * ends.upper) == pytest.approx(float(high / low), rel=1e-12)
    errors = [kaplan_meier(*part).rmst(float(tau)).se for part in parts]
    relative = math.hypot(errors[0] / low, errors[1] / high)
    assert math.log(ends.upper / ends.lower) == pytest.approx(2 * 1.959963984540054 * relative, abs=1e-10)
    wide = found.difference_interval
    assert wide.upper - wide.lower == pytest.approx(2 * 1.959963984540054 * math.hypot(*errors), abs=1e-10)
    turned = rmst_contrast(time, event, group=[1 - g for g in group])
    assert turned.difference == pytest.approx(-found.difference, abs=1e-12)
    assert turned.ratio == pytest.approx(1 / found.ratio)


@pytest.mark.parametrize(
    ("time", "group", "tau", "reason"),
    [
        ((), (), None, "NO_DATA"),
        ((1, 2), (0, 0), None, "ONE_LEVEL"),
        ((1, 2), (1, 1), 1.0, "ONE_LEVEL"),
        ((0, 2), (0, 1), None, "NO_DATA"),
        ((1, 2), (0, 1), 1.5, "TAU_BEYOND_FOLLOWUP"),
        ((2, 1), (0, 1), 1.5, "TAU_BEYOND_FOLLOWUP"),
    ],
)
def test_contrasts_that_do_not_exist(time, group, tau, reason):
    found = rmst_contrast(time, [1] * len(time), group=group, tau=tau)
    assert (found.status, found.reason) == ("NE", reason)
    assert math.isnan(found.difference) and math.isnan(found.ratio) and math.isnan(found.ratio_p)
    assert found.difference_interval.reason == found.ratio_interval.reason == reason


CAUSES = [
    ((1, 2), (1, 2)),
    ((1, 2), (2, 1)),
    ((1, 1), (1, 2)),
    ((1, 1, 2), (1, 2, 1)),
    ((1, 1, 1, 2, 3), (1, 2, 2, 1, 2)),
    ((1, 1, 2, 2, 2, 4), (1, 2, 1, 2, 2, 1)),
    ((1, 2, 3), (1, 0, 2)),
    ((1, 2, 3), (0, 1, 2)),
    ((1, 2, 3), (2, 2, 1)),
    ((2, 2, 3), (1, 2, 0)),
    ((2, 2, 2), (1, 2, 0)),
    ((1, 2, 3, 4), (1, 2, 0, 1)),
    ((1, 2, 3, 4), (2, 0, 0, 1)),
    ((1, 2, 3, 4), (3, 2, 1, 0)),
    ((1, 1, 4, 4), (1, 0, 2, 1)),
    ((1, 2, 2, 3, 5), (1, 2, 1, 0, 2)),
    ((1, 2, 2, 3, 5), (2, 2, 0, 1, 1)),
    ((5, 3, 2, 2, 1), (3, 1, 0, 2, 1)),
    ((1, 1, 2, 2, 3, 3), (1, 2, 0, 1, 2, 0)),
]


@pytest.mark.parametrize(("time", "cause"), CAUSES)
def test_incidences_by_hand_and_their_sum_with_the_curve(time, cause):
    free, total = Fraction(1), [Fraction(0)] * max(cause)
    found = cumulative_incidence(time, cause)
    for place, t in enumerate(sorted(set(time))):
        n = sum(u >= t for u in time)
        gone = [
            sum(u == t and c == k + 1 for u, c in zip(time, cause, strict=True)) for k in range(len(total))
        ]
        total = [part + free * Fraction(d, n) for part, d in zip(total, gone, strict=True)]
        free *= Fraction(n - sum(gone), n)
        assert found.cif[place] == pytest.approx([float(part) for part in total], abs=1e-14)
        assert found.surv[place] == pytest.approx(float(free), abs=1e-14)
        assert found.at(t, 1)[0] == pytest.approx(float(total[0]), abs=1e-14)
        later = found.at(t + 0.25, 1)[0]
        if t == max(time) and free > 0:
            assert math.isnan(later)
        else:
            assert later == pytest.approx(float(total[0]), abs=1e-14)
        assert sum(total) + free == 1


@pytest.mark.parametrize(("time", "event"), [row for row in SAMPLES if any(row[1])])
def test_one_cause_is_the_complement_of_the_curve(time, event):
    found, curve = cumulative_incidence(time, event), kaplan_meier(time, event)
    assert found.cif[:, 0] == pytest.approx(1 - curve.surv, abs=1e-14)
    alive = curve.surv > 0
    assert found.se[alive, 0] == pytest.approx(curve.se_surv[alive], abs=1e-12)


@pytest.mark.parametrize(("time", "cause"), [row for row in CAUSES if 0 not in row[1]])
def test_without_censoring_the_error_is_binomial(time, cause):
    found, n = cumulative_incidence(time, cause), len(time)
    for place, t in enumerate(sorted(set(time))):
        for k in range(1, max(cause) + 1):
            p = Fraction(sum(u <= t and c == k for u, c in zip(time, cause, strict=True)), n)
            assert found.se[place, k - 1] == pytest.approx(math.sqrt(p * (1 - p) / n), abs=1e-12)
