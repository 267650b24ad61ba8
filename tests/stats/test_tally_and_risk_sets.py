"""Counting at each time, labels in order, and the partial likelihood by three routes against its definition."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from interim.stats.covariates import risk_sets
from interim.stats.inputs import check_groups
from interim.stats.logranks import logrank
from interim.stats.riskset import RiskSets
from interim.stats.survival import kaplan_meier
from interim.stats.tally import at_risk, tally

RNG = np.random.default_rng(7)
SAMPLES = [
    (np.array([5.0]), np.array([0])),
    (np.array([0.0, 0, 0]), np.array([0, 1, 1])),
    (np.array([3.0, 1, 2, 3, 1]), np.array([0, 1, 1, 1, 1])),
    (np.array([0.25, 900, 0.25, 17]), np.array([1, 0, 1, 1])),
    (RNG.integers(0, 30, 40).astype(float), RNG.integers(0, 3, 40)),
    (RNG.integers(0, 30, 40) / 7.0, RNG.integers(0, 3, 40)),
    (RNG.exponential(size=25), RNG.integers(0, 3, 25)),
]


@pytest.mark.rule("STAT-07", source="counting one by one")
@pytest.mark.parametrize(("times", "classes"), SAMPLES)
def test_counts_at_each_time(times, classes):
    distinct, counts = tally(times, classes, k=3)
    assert distinct.tolist() == sorted(set(times.tolist()))
    expected = Counter(zip(classes.tolist(), times.tolist(), strict=True))
    assert {(c, t): counts[c, j] for c in range(3) for j, t in enumerate(distinct)} == {
        (c, t): expected[c, t] for c in range(3) for t in distinct
    }
    assert at_risk(counts).tolist() == [
        [int(((classes == c) & (times >= t)).sum()) for t in distinct] for c in range(3)
    ]


@pytest.mark.rule("STAT-07")
@pytest.mark.parametrize("shift", [0.0, 0.5, 1e6])
def test_counted_days_and_sorted_times_give_the_same_curve(shift):
    days, event = RNG.integers(1, 40, 60).astype(float), RNG.integers(0, 2, 60)
    plain, moved = kaplan_meier(days, event), kaplan_meier(days + shift, event)
    assert np.array_equal(plain.surv, moved.surv) and np.array_equal(plain.lower, moved.lower, equal_nan=True)
    assert np.array_equal(plain.n_risk, moved.n_risk) and np.array_equal(plain.time + shift, moved.time)


@pytest.mark.rule("STAT-16", source="sum over event times")
@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_observed_expected_and_covariance_event_by_event(k, rho):
    time, event = RNG.integers(1, 25, 40).astype(float), RNG.integers(0, 2, 40)
    group = RNG.integers(0, k, 40)
    found = logrank(time, event, group=group, rho=rho)
    observed, expected, variance, curve = np.zeros(k), np.zeros(k), np.zeros((k, k)), 1.0
    for t in sorted(set(time[event == 1])):
        weight = curve**rho
        risk = np.array([((group == g) & (time >= t)).sum() for g in range(k)], dtype=float)
        dead = np.array([((group == g) & (time == t) & (event == 1)).sum() for g in range(k)], dtype=float)
        n, d = risk.sum(), dead.sum()
        observed, expected = observed + weight * dead, expected + weight * d * risk / n
        if n > 1:
            spread = d * (n - d) / (n - 1) * (np.diag(risk / n) - np.outer(risk, risk) / n**2)
            variance += weight**2 * spread
        curve *= 1.0 - d / n
    assert found.observed == pytest.approx(observed) and found.expected == pytest.approx(expected)
    assert found.variance == pytest.approx(variance)
    gap = (observed - expected)[:-1]
    assert found.chisq == pytest.approx(float(gap @ np.linalg.solve(variance[:-1, :-1], gap)))


@pytest.mark.rule("STAT-16")
def test_labels_far_apart_are_numbered_by_rank():
    for labels in ([7, -3, 7, 2], [10**9, 0, 10**9, 5], [4.0, 1.0, 4.0, 3.0], [9, 8, 9, 8]):
        assert check_groups(labels, "group", rows=4).tolist() == [
            sorted(set(labels)).index(x) for x in labels
        ]
    assert check_groups([True, False], "group", rows=2, binary=True).tolist() == [1, 0]
    assert check_groups([], "group", rows=0).tolist() == []


def by_definition(time, event, x, strata, beta, efron):
    """Log partial likelihood, term by term."""
    weight, total = np.exp(x @ beta), 0.0
    for layer in sorted(set(strata)):
        inside = strata == layer
        for t in sorted(set(time[(event == 1) & inside])):
            dead = (time == t) & (event == 1) & inside
            risk = weight[(time >= t) & inside].sum()
            tied = weight[dead].sum()
            d = int(dead.sum())
            total += float((x[dead] @ beta).sum())
            total -= sum(math.log(risk - (j / d if efron else 0.0) * tied) for j in range(d))
    return total


def sample(n, p, *, binary, strata):
    rng = np.random.default_rng(n + p)
    x = rng.integers(0, 2, (n, p)).astype(float) if binary else rng.normal(size=(n, p))
    layer = rng.integers(0, 3, n) if strata else np.zeros(n, dtype=int)
    return rng.integers(1, n // 2, n).astype(float), rng.integers(0, 2, n), x, layer


@pytest.mark.rule("STAT-20", source="definition of the partial likelihood")
@pytest.mark.parametrize("efron", [True, False])
@pytest.mark.parametrize(
    ("n", "p", "binary", "strata"),
    [
        (14, 1, True, False),
        (14, 2, False, False),
        (20, 1, False, True),
        (90, 1, True, False),
        (90, 1, False, False),
        (90, 2, False, False),
        (90, 1, True, True),
    ],
)
def test_the_partial_likelihood_and_its_derivatives(n, p, binary, strata, efron):
    time, event, x, layer = sample(n, p, binary=binary, strata=strata)
    sets = RiskSets.of(time, event == 1, x=x, strata=layer if strata else None)
    beta = np.linspace(0.7, -0.4, p)

    def value(at):
        return by_definition(time, event, x, layer, at, efron)

    found, score, information = sets.likelihood(beta, efron=efron)
    assert found == pytest.approx(value(beta), rel=1e-11)
    step = 1e-4 * np.eye(p)
    slopes = [(value(beta + s) - value(beta - s)) / 2e-4 for s in step]
    assert score == pytest.approx(slopes, abs=1e-5)
    bent = [
        [
            (value(beta + a + b) - value(beta + a - b) - value(beta - a + b) + value(beta - a - b)) / 4e-8
            for b in step
        ]
        for a in step
    ]
    assert information == pytest.approx(-np.array(bent), rel=1e-3, abs=1e-2)
    running = sets._running(beta, efron=efron)
    assert found == pytest.approx(running[0], rel=1e-12)
    assert score == pytest.approx(running[1], abs=1e-9) and information == pytest.approx(running[2], abs=1e-9)


@pytest.mark.rule("STAT-20")
def test_events_by_time_and_rows_at_risk():
    sets, _ = risk_sets([4, 2, 2, 1], [1, 1, 1, 0], X=[0, 1, 0, 1], strata=None)
    assert (sets.events, sets.counts.tolist(), sets.last.tolist()) == (3, [1, 2], [0, 2])
    assert [rows.tolist() for rows in sets.deaths] == [[0], [1, 2]]
    parted, _ = risk_sets([4, 2, 2, 1], [1, 1, 1, 0], X=[0, 1, 0, 1], strata=[0, 1, 0, 1])
    assert (parted.counts.tolist(), parted.first.tolist(), parted.last.tolist()) == (
        [1, 1, 1],
        [0, 0, 2],
        [0, 1, 2],
    )
    none, _ = risk_sets([1, 2], [0, 0], X=[0, 1], strata=None)
    assert (none.events, none.deaths) == (0, ())
