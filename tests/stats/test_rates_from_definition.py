"""Intervals of one rate and of two rates from their definitions: sums of probabilities and maximised likelihoods."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize, stats

from interim.stats.binomial import BINOMIAL_INTERVALS, beta_posterior, binomial_interval, binomial_test
from interim.stats.differences import (
    binomial_masses,
    constrained_rates,
    difference_interval,
    ratio_interval,
)

COUNTS = [(0, 1), (1, 1), (0, 6), (1, 6), (3, 9), (5, 12), (17, 18), (18, 18)]
PAIRS = [((7, 2), (12, 14)), ((1, 3), (5, 9)), ((4, 4), (6, 11)), ((2, 6), (10, 7)), ((3, 3), (8, 8))]


def mass(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def tail(ks, n, p) -> float:
    return sum(mass(k, n, p) for k in ks)


@pytest.mark.rule("STAT-02", source="sums of binomial probabilities")
@pytest.mark.parametrize(("x", "n"), COUNTS)
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_exact_limits_leave_half_the_error_on_each_side(x, n, level):
    half = (1 - level) / 2
    found = binomial_interval(x, n, level=level)
    if x > 0:
        assert tail(range(x, n + 1), n, found.lower) == pytest.approx(half, rel=1e-8)
    if x < n:
        assert tail(range(x + 1), n, found.upper) == pytest.approx(half, rel=1e-8)
    middle = binomial_interval(x, n, level=level, method="midp")
    if x > 0:
        lower = middle.lower
        assert tail(range(x + 1, n + 1), n, lower) + mass(x, n, lower) / 2 == pytest.approx(half, rel=1e-6)
    if x < n:
        upper = middle.upper
        assert tail(range(x), n, upper) + mass(x, n, upper) / 2 == pytest.approx(half, rel=1e-6)


@pytest.mark.rule("STAT-02", source="score equation and closed forms")
@pytest.mark.parametrize(("x", "n"), COUNTS)
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_approximate_limits_solve_their_equations(x, n, level):
    z, p = stats.norm.ppf((1 + level) / 2), x / n
    wilson = binomial_interval(x, n, level=level, method="wilson")
    for limit in (wilson.lower, wilson.upper):
        assert (p - limit) ** 2 == pytest.approx(z * z * limit * (1 - limit) / n, abs=1e-12)
    centre, size = (x + z * z / 2) / (n + z * z), n + z * z
    half = z * math.sqrt(centre * (1 - centre) / size)
    found = binomial_interval(x, n, level=level, method="agresti_coull")
    assert found.lower == pytest.approx(centre - half, abs=1e-12)
    assert found.upper == pytest.approx(centre + half, abs=1e-12)
    corrected = binomial_interval(x, n, level=level, method="wilson_cc")
    if x > 0:
        gap = p - corrected.lower - 1 / (2 * n)
        assert gap**2 == pytest.approx(z * z * corrected.lower * (1 - corrected.lower) / n, abs=1e-10)
    jeffreys = binomial_interval(x, n, level=level, method="jeffreys")
    law = stats.beta(x + 0.5, n - x + 0.5)
    if x > 0:
        assert law.cdf(jeffreys.lower) == pytest.approx((1 - level) / 2, rel=1e-8)
    if x < n:
        assert law.sf(jeffreys.upper) == pytest.approx((1 - level) / 2, rel=1e-8)


def blaker_p(x, n, p) -> float:
    smaller = min(tail(range(x + 1), n, p), tail(range(x, n + 1), n, p))
    total = 0.0
    for k in range(n + 1):
        other = min(tail(range(k + 1), n, p), tail(range(k, n + 1), n, p))
        total += mass(k, n, p) if other <= smaller * (1 + 1e-9) else 0.0
    return total


def minlike_p(x, n, p) -> float:
    own = mass(x, n, p)
    return sum(mass(k, n, p) for k in range(n + 1) if mass(k, n, p) <= own * (1 + 1e-9))


@pytest.mark.rule("STAT-02", source="enumeration on a grid of rates")
@pytest.mark.parametrize(("method", "p_value"), [("blaker", blaker_p), ("minlike", minlike_p)])
@pytest.mark.parametrize(("x", "n"), [(0, 6), (1, 6), (3, 9), (6, 7)])
def test_two_sided_limits_enclose_every_accepted_rate(method, p_value, x, n):
    found = binomial_interval(x, n, method=method)
    grid = np.linspace(0.001, 0.999, 999)
    accepted = [p for p in grid if p_value(x, n, p) > 0.05]
    assert found.lower <= min(accepted) + 1e-6 and max(accepted) - 1e-6 <= found.upper
    assert min(accepted) - found.lower < 0.0011 and found.upper - max(accepted) < 0.0011


@pytest.mark.rule("STAT-03")
@pytest.mark.parametrize("method", sorted(BINOMIAL_INTERVALS))
def test_a_higher_level_gives_a_wider_interval(method):
    wide = [binomial_interval(3, 11, level=level, method=method) for level in (0.5, 0.8, 0.9, 0.95, 0.99)]
    for inner, outer in pairwise(wide):
        assert outer.lower < inner.lower < inner.upper < outer.upper


@pytest.mark.rule("STAT-04", source="rational arithmetic")
@pytest.mark.parametrize(("x", "n"), COUNTS)
@pytest.mark.parametrize("p0", [Fraction(1, 20), Fraction(1, 3), Fraction(1, 2)])
def test_one_sided_tests_and_the_smallest_p_value(x, n, p0):
    law = [math.comb(n, k) * p0**k * (1 - p0) ** (n - k) for k in range(n + 1)]
    less, greater = sum(law[: x + 1]), sum(law[x:])
    for alternative, wanted, least in (
        ("less", less, law[0]),
        ("greater", greater, law[n]),
        ("two-sided", sum(q for q in law if q <= law[x]), min(law)),
    ):
        found = binomial_test(x, n, p0=float(p0), alternative=alternative)
        assert found.p_value == pytest.approx(float(wanted), rel=1e-10)
        assert (found.p_less, found.p_greater) == pytest.approx((float(less), float(greater)), rel=1e-10)
        if alternative != "two-sided":
            assert found.p_min == pytest.approx(float(least), rel=1e-10)


@pytest.mark.rule("STAT-10", source="scipy beta")
@pytest.mark.parametrize(("x", "n"), COUNTS)
def test_posterior_is_a_beta_law(x, n):
    found = beta_posterior(x, n, limit=0.3, level=0.9)
    law = stats.beta(1 + x, 1 + n - x)
    assert found.mean == pytest.approx(law.mean(), rel=1e-12)
    assert found.p_above == pytest.approx(law.sf(0.3), rel=1e-9)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(law.ppf([0.05, 0.95]), rel=1e-9)
    assert (found.a, found.b, found.limit) == (1 + x, 1 + n - x, 0.3)
    assert beta_posterior(x, n).p_above is None


def log_likelihood(x, n, p1, p0) -> float:
    total = 0.0
    for events, size, p in ((x[0], n[0], p1), (x[1], n[1], p0)):
        p = min(max(p, 1e-12), 1 - 1e-12)
        total += events * math.log(p) + (size - events) * math.log(1 - p)
    return total


@pytest.mark.rule("STAT-13", source="scipy minimize_scalar")
@pytest.mark.parametrize(("x", "n"), PAIRS)
@pytest.mark.parametrize("d", [-0.6, -0.1, 0.0, 0.25, 0.7])
def test_rates_at_a_difference_maximise_the_likelihood(x, n, d):
    low, high = max(0.0, -d), min(1.0, 1 - d)
    best = optimize.minimize_scalar(
        lambda p: -log_likelihood(x, n, p + d, p),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10},
    )
    p1, p0 = constrained_rates((*x, *n), np.array(d))
    assert float(p0) == pytest.approx(best.x, abs=1e-5)
    assert float(p1 - p0) == pytest.approx(d, abs=1e-12)


@pytest.mark.rule("STAT-13", source="score statistic from numerically maximised rates")
@pytest.mark.parametrize(("x", "n"), PAIRS)
@pytest.mark.parametrize(("method", "corrected"), [("miettinen_nurminen", True), ("mee", False)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_score_limits_have_the_score_of_the_quantile(x, n, method, corrected, level):
    found = difference_interval(x, n, method=method, level=level)
    factor = sum(n) / (sum(n) - 1) if corrected else 1.0
    for limit in (found.lower, found.upper):
        p1, p0 = (float(p) for p in constrained_rates((*x, *n), np.array(limit)))
        variance = factor * (p1 * (1 - p1) / n[0] + p0 * (1 - p0) / n[1])
        score = (x[0] / n[0] - x[1] / n[1] - limit) ** 2 / variance
        assert score == pytest.approx(stats.chi2.ppf(level, 1), rel=1e-6)
    turned = difference_interval(x[::-1], n[::-1], method=method, level=level)
    assert (turned.lower, turned.upper) == pytest.approx((-found.upper, -found.lower), abs=1e-9)


@pytest.mark.rule("STAT-13")
@pytest.mark.parametrize(("x", "n"), [*PAIRS, ((0, 5), (5, 5)), ((0, 0), (4, 8))])
def test_newcombe_joins_two_wilson_intervals(x, n):
    first, second = (binomial_interval(a, b, method="wilson") for a, b in zip(x, n, strict=True))
    p1, p0 = x[0] / n[0], x[1] / n[1]
    found = difference_interval(x, n, method="newcombe")
    assert found.lower == pytest.approx(p1 - p0 - math.hypot(p1 - first.lower, second.upper - p0))
    assert found.upper == pytest.approx(p1 - p0 + math.hypot(first.upper - p1, p0 - second.lower))
    assert -1 <= found.lower <= p1 - p0 <= found.upper <= 1


@pytest.mark.rule("STAT-13", source="rates maximised by scipy")
@pytest.mark.parametrize(("x", "n"), PAIRS)
@pytest.mark.parametrize("scale", ["risk", "odds"])
def test_ratio_limits_have_the_score_of_the_quantile(x, n, scale):
    found = ratio_interval(x, n, scale=scale)
    z2, factor = stats.norm.ppf(0.975) ** 2, sum(n) / (sum(n) - 1)

    def first(p, ratio):
        return ratio * p if scale == "risk" else ratio * p / (1 - p + ratio * p)

    for ratio in (found.lower, found.upper):
        high = min(1.0, 1 / ratio) if scale == "risk" else 1.0
        best = optimize.minimize_scalar(
            lambda p, r=ratio: -log_likelihood(x, n, first(p, r), p),
            bounds=(0, high),
            method="bounded",
            options={"xatol": 1e-12},
        )
        p0, p1 = float(best.x), float(first(best.x, ratio))
        if scale == "risk":
            gap = x[0] / n[0] - ratio * x[1] / n[1]
            variance = factor * (p1 * (1 - p1) / n[0] + ratio**2 * p0 * (1 - p0) / n[1])
            score = gap**2 / variance
        else:
            v1, v0 = n[0] * p1 * (1 - p1), n[1] * p0 * (1 - p0)
            score = (x[0] - n[0] * p1) ** 2 * (1 / v1 + 1 / v0) / factor
        assert score == pytest.approx(z2, rel=1e-3)


@pytest.mark.rule("STAT-13")
@pytest.mark.parametrize("n", [1, 5, 12])
def test_masses_are_binomial_also_at_the_ends(n):
    rates = np.array([0.0, 0.2, 0.5, 1.0, 1.1])
    wanted = [[mass(k, n, min(p, 1.0)) for k in range(n + 1)] for p in rates]
    assert binomial_masses(n, rates) == pytest.approx(np.array(wanted), abs=1e-12)
