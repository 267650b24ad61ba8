"""Partial, penalised and profile likelihoods of small samples written out by hand; separation; shrinkage; masses."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from interim.stats.covariates import risk_sets, scaled_columns
from interim.stats.firth import firth_cox, firth_logistic, separation
from interim.stats.interval_censored import turnbull
from interim.stats.proportional import cox, monotone_likelihood
from interim.stats.shrinkage import shrink_binomial, shrink_normal

FOURFOLD = [
    (1, 1, 1, 1),
    (0, 1, 1, 0),
    (1, 0, 0, 1),
    (0, 3, 2, 1),
    (2, 1, 0, 3),
    (0, 4, 4, 0),
    (4, 0, 0, 4),
    (0, 9, 3, 6),
    (3, 6, 0, 9),
    (1, 5, 4, 2),
    (5, 1, 2, 4),
    (2, 2, 2, 2),
    (6, 1, 6, 1),
    (7, 3, 1, 9),
    (10, 2, 0, 1),
    (1, 12, 1, 1),
    (3, 8, 9, 2),
    (12, 6, 6, 12),
]


def spread_out(table):
    """Covariate and outcome of the counts: events and others without, then with the covariate."""
    a, b, c, d = table
    return [0] * (a + b) + [1] * (c + d), [1] * a + [0] * b + [1] * c + [0] * d


@pytest.mark.parametrize("table", FOURFOLD)
def test_one_binary_covariate_adds_a_half_to_every_cell(table):
    x, y = spread_out(table)
    fit = firth_logistic(x, y)
    a, b, c, d = (Fraction(2 * n + 1, 2) for n in table)
    assert fit.coef[0] == pytest.approx(math.log(a / b), abs=1e-7)
    assert fit.coef[1] == pytest.approx(math.log(c * b / (d * a)), abs=1e-7)
    assert fit.lower[1] < fit.coef[1] < fit.upper[1]
    turned = firth_logistic([1 - v for v in x], y)
    assert turned.coef[1] == pytest.approx(-fit.coef[1], abs=1e-7)
    assert (turned.lower[1], turned.upper[1]) == pytest.approx((-fit.upper[1], -fit.lower[1]), abs=1e-5)
    other = firth_logistic(x, [1 - v for v in y])
    assert other.coef == pytest.approx(-fit.coef, abs=1e-7)


def penalised(table, intercept, slope):
    """Log likelihood with half the log determinant of its information, for counts."""
    a, b, c, d = table
    p, q = (1 / (1 + math.exp(-eta)) for eta in (intercept, intercept + slope))
    loglik = a * math.log(p) + b * math.log(1 - p) + c * math.log(q) + d * math.log(1 - q)
    return loglik + math.log((a + b) * p * (1 - p) * (c + d) * q * (1 - q)) / 2


def profiled(table, slope):
    found = minimize_scalar(
        lambda i: -penalised(table, i, slope), bounds=(-12, 12), method="bounded", options={"xatol": 1e-10}
    )
    return -found.fun


@pytest.mark.parametrize("table", FOURFOLD)
def test_limits_and_test_of_one_binary_covariate_by_its_profile(table):
    x, y = spread_out(table)
    fit = firth_logistic(x, y, terms=[1])
    best = penalised(table, fit.coef[0], fit.coef[1])
    assert fit.loglik[1] == pytest.approx(best, abs=1e-8)
    drop = 2 * (best - profiled(table, 0.0))
    assert fit.p_value[1] == pytest.approx(math.erfc(math.sqrt(max(drop, 0.0) / 2)), abs=1e-5)
    for limit in (fit.lower[1], fit.upper[1]):
        assert 2 * (best - profiled(table, limit)) == pytest.approx(3.841458820694124, abs=1e-5)
    assert math.isnan(fit.p_value[0]) and math.isnan(fit.lower[0])


@pytest.mark.parametrize(
    ("x", "y", "kind"),
    [
        ([0, 1], [0, 1], "complete"),
        ([0, 1], [1, 0], "complete"),
        ([1, 2, 3, 4], [0, 0, 1, 1], "complete"),
        ([1, 2, 3, 4], [1, 1, 1, 0], "complete"),
        ([1, 2, 3, 4], [0, 1, 0, 1], "none"),
        ([1, 2, 3, 4], [0, 1, 1, 0], "none"),
        ([1, 2, 2, 3], [0, 0, 1, 1], "quasi-complete"),
        ([1, 2, 2, 3], [1, 0, 1, 0], "quasi-complete"),
        ([0, 0, 1, 1], [0, 1, 1, 1], "quasi-complete"),
        ([0, 0, 1, 1], [0, 1, 0, 1], "none"),
        ([0, 0, 1, 1], [0, 0, 0, 1], "quasi-complete"),
        ([1, 2, 3, 4], [1, 1, 1, 1], "complete"),
        ([1, 2, 3, 4], [0, 0, 0, 0], "complete"),
        ([[0, 0], [1, 0], [0, 1], [1, 1]], [0, 0, 0, 1], "complete"),
        ([[0, 0], [1, 0], [0, 1], [1, 1]], [0, 1, 1, 0], "none"),
        ([[0, 0], [1, 0], [0, 1], [1, 1]], [0, 1, 1, 1], "complete"),
        ([[0, 0], [1, 0], [0, 1], [1, 1], [1, 1]], [0, 0, 0, 1, 0], "quasi-complete"),
        ([[0, 5], [1, 2], [2, 7], [3, 1]], [0, 0, 1, 1], "complete"),
    ],
)
def test_kinds_of_separation(x, y, kind):
    found = separation(x, y)
    assert found.kind == kind
    assert found.exists == (kind == "none")
    if not found.exists:
        matrix = np.array(x, dtype=float).reshape(len(y), -1)
        centred = np.column_stack([np.ones(len(y)), matrix - matrix.mean(axis=0)])
        sides = (2 * np.array(y) - 1) * (centred @ found.direction)
        assert sides.max() > 1e-9 and sides.min() >= -1e-9
        assert (sides.min() > 1e-12) == (kind == "complete")


THREE = [
    ((1, 2, 3), (1, 1, 1), (0, 1, 0)),
    ((1, 2, 3), (1, 1, 0), (0, 1, 0)),
    ((1, 2, 3), (1, 1, 1), (1, 3, 2)),
    ((1, 2, 3), (1, 1, 1), (2, 1, 4)),
    ((1, 2, 3), (1, 1, 0), (2, 1, 4)),
    ((1, 2, 3), (1, 0, 0), (2, 1, 4)),
    ((2, 1, 3), (0, 1, 1), (0, 1, 2)),
    ((1, 2, 3, 4), (1, 1, 1, 1), (0, 1, 1, 0)),
    ((1, 2, 3, 4), (1, 1, 0, 1), (1, 0, 1, 1)),
    ((1, 2, 3, 4), (1, 1, 1, 0), (1, 2, 0, 1)),
    ((4, 3, 2, 1), (1, 1, 1, 0), (1, 2, 0, 1)),
    ((1, 2, 3, 4, 5), (1, 1, 1, 1, 0), (1, 0, 1, 0, 1)),
    ((1, 2, 3, 4, 5), (1, 0, 1, 1, 1), (3, 1, 4, 1, 5)),
]
TIED = [
    ((1, 1, 2), (1, 1, 0), (0, 1, 1)),
    ((1, 1, 2), (1, 1, 1), (0, 1, 0)),
    ((1, 1, 2, 3), (1, 1, 1, 0), (0, 1, 0, 1)),
    ((1, 1, 1, 3), (1, 1, 0, 1), (2, 0, 1, 1)),
    ((1, 2, 2, 3), (1, 1, 1, 1), (1, 0, 2, 1)),
    ((1, 2, 2, 2, 3), (1, 1, 1, 0, 1), (1, 0, 2, 0, 1)),
    ((2, 2, 2, 5, 5), (1, 1, 1, 1, 0), (1, 2, 3, 2, 2)),
]


def partial(sample, beta, ties="breslow"):
    """Log partial likelihood, its first and minus its second derivative, event time by event time."""
    time, event, x = sample
    value = slope = bend = 0.0
    for t in sorted({u for u, e in zip(time, event, strict=True) if e}):
        dying = [v for u, e, v in zip(time, event, x, strict=True) if u == t and e]
        risk = [v for u, v in zip(time, x, strict=True) if u >= t]
        for step, mine in enumerate(dying):
            left = step / len(dying) if ties == "efron" else 0.0
            sums = [
                sum(v**k * math.exp(beta * v) for v in risk)
                - left * sum(v**k * math.exp(beta * v) for v in dying)
                for k in range(3)
            ]
            mean = sums[1] / sums[0]
            value, slope = value + beta * mine - math.log(sums[0]), slope + mine - mean
            bend += sums[2] / sums[0] - mean**2
    return value, slope, bend


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("sample", THREE + TIED)
def test_null_likelihood_and_score_test_by_hand(sample, ties):
    time, event, x = sample
    value, slope, bend = partial(sample, 0.0, ties)
    fit = cox(time, event, X=x, ties=ties)
    assert fit.loglik[0] == pytest.approx(value, abs=1e-12)
    assert fit.score == pytest.approx(slope**2 / bend, rel=1e-9, abs=1e-12)
    assert fit.score_p == pytest.approx(math.erfc(math.sqrt(slope**2 / bend / 2)), rel=1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("sample", THREE + TIED)
def test_the_estimate_is_the_root_of_the_score_or_has_none(sample, ties):
    time, event, x = sample
    fit = cox(time, event, X=x, ties=ties)
    ends = [partial(sample, b, ties)[1] for b in (-30.0, 30.0)]
    if ends[0] < 1e-6 or ends[1] > -1e-6:
        assert (fit.status, fit.reason) == ("NE", "MONOTONE_LIKELIHOOD")
        assert not monotone_likelihood(time, event, X=x).exists
        return
    root = brentq(lambda b: partial(sample, b, ties)[1], -30.0, 30.0, xtol=1e-13)
    value, _, bend = partial(sample, root, ties)
    assert fit.status == "OK"
    assert fit.coef[0] == pytest.approx(root, abs=1e-7)
    assert fit.se[0] == pytest.approx(1 / math.sqrt(bend), rel=1e-6)
    assert fit.loglik[1] == pytest.approx(value, abs=1e-10)
    assert fit.lrt == pytest.approx(2 * (value - partial(sample, 0.0, ties)[0]), abs=1e-9)
    assert fit.upper[0] - fit.lower[0] == pytest.approx(2 * 1.959963984540054 / math.sqrt(bend), rel=1e-6)
    halves = cox(time, event, X=[v / 2 for v in x], ties=ties)
    assert halves.coef[0] == pytest.approx(2 * root, abs=1e-6)


@pytest.mark.parametrize(
    ("event", "x", "sign"),
    [((1, 1), (1, 0), 1), ((1, 0), (1, 0), 1), ((1, 1), (0, 1), -1), ((1, 0), (0, 3), -1)],
)
def test_two_participants_have_a_penalised_closed_form(event, x, sign):
    """PL = log p + log(p (1 - p)) / 2, so that p = 3/4 and the coefficient times the distance is log 3."""
    fit = firth_cox([1, 2], event, X=x)
    assert fit.coef[0] == pytest.approx(sign * math.log(3) / abs(x[0] - x[1]), abs=1e-8)
    plain = cox([1, 2], event, X=x)
    assert (plain.status, plain.reason) == ("NE", "MONOTONE_LIKELIHOOD")
    assert plain.loglik == pytest.approx((-math.log(2), 0.0), abs=1e-6)
    assert plain.lrt == pytest.approx(2 * math.log(2), abs=1e-6)
    assert plain.score == pytest.approx(1.0)


@pytest.mark.parametrize("sample", THREE + TIED)
def test_the_penalised_estimate_maximises_the_penalised_likelihood(sample):
    time, event, x = sample
    fit = firth_cox(time, event, X=x)

    def penalised_at(beta):
        value, _, bend = partial(sample, beta)
        return value + math.log(bend) / 2

    best = penalised_at(fit.coef[0])
    assert fit.loglik[1] == pytest.approx(best, abs=1e-8)
    assert fit.loglik[0] == pytest.approx(penalised_at(0.0), abs=1e-8)
    assert all(penalised_at(b) <= best + 1e-10 for b in np.linspace(-6, 6, 241))
    for limit in (low_high for pair in fit.limits for low_high in pair if low_high.status == "OK"):
        assert 2 * (best - penalised_at(limit.value)) == pytest.approx(3.841458820694124, abs=1e-5)


@pytest.mark.parametrize("fit", [cox, firth_cox])
@pytest.mark.parametrize(
    ("time", "event", "reason"), [((), (), "NO_DATA"), ((1, 2, 3), (0, 0, 0), "NO_EVENTS")]
)
def test_fits_without_anything_to_fit(fit, time, event, reason):
    found = fit(time, event, X=[0.0, 1.0, 3.0][: len(time)])
    assert (found.status, found.reason) == ("NE", reason)
    assert np.isnan(found.coef).all() and np.isnan(found.loglik).all()


@pytest.mark.parametrize(
    "columns", [[[1, 2, 3]], [[0, 0, 1]], [[1, 2, 4], [5, 0, 1]], [[1e6, 1e6 + 1, 1e6 + 2]]]
)
def test_scaled_columns_come_back(columns):
    matrix = np.array(columns, dtype=float).T
    scaled, middle, scale = scaled_columns(matrix)
    assert scaled.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert (scaled**2).mean(axis=0) == pytest.approx(1)
    assert scaled * scale + middle == pytest.approx(matrix)
    assert risk_sets([1, 2, 3], [1, 1, 0], X=matrix, strata=None)[1] == pytest.approx(matrix.std(axis=0))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([[1, 1, 1]], "constant; column 0"),
        ([[1, 2, 3], [4, 4, 4]], "constant; column 1"),
        ([[1, 2, 3], [2, 4, 6]], "linearly dependent"),
        ([[1, 2, 3], [3, 2, 1]], "linearly dependent"),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], "linearly dependent"),
    ],
)
def test_columns_that_cannot_be_told_apart(columns, message):
    with pytest.raises(ValueError, match=message):
        firth_logistic(np.array(columns).T, [0, 1, 1])
    with pytest.raises(ValueError, match=message):
        cox([1, 2, 3], [1, 1, 0], X=np.array(columns).T)


PAIRS = [((0, 1), (1, 1)), ((0, 2), (1, 1)), ((0, 4), (1, 1)), ((-3, 3), (1, 2)), ((1, 5), (0.5, 1.5))]


@pytest.mark.parametrize("method", ["paule_mandel", "dersimonian_laird"])
@pytest.mark.parametrize(("y", "s"), PAIRS)
def test_two_estimates_and_their_spread_in_closed_form(y, s, method):
    """Q(t) = gap^2 / (v1 + v2 + 2 t) = 1 has the root t = (gap^2 - v1 - v2) / 2, which both methods find."""
    found = shrink_normal(y, s, tau2=method)
    v = [e * e for e in s]
    tau2 = max(0.0, ((y[1] - y[0]) ** 2 - sum(v)) / 2)
    assert found.tau**2 == pytest.approx(tau2, abs=1e-9)
    w = [1 / (e + tau2) for e in v]
    centre = sum(a * b for a, b in zip(w, y, strict=True)) / sum(w)
    for place in range(2):
        own = tau2 / (tau2 + v[place])
        mean = own * y[place] + (1 - own) * centre
        half = 1.959963984540054 * math.sqrt(own * v[place] + (1 - own) ** 2 / sum(w))
        assert found.weight[place] == pytest.approx(own, abs=1e-9)
        assert found.mean[place] == pytest.approx(mean)
        assert (found.lower[place], found.upper[place]) == pytest.approx((mean - half, mean + half))


@pytest.mark.parametrize(("x", "n"), [((0, 0), (4, 4)), ((4, 4), (4, 4)), ((1, 1), (4, 4)), ((0, 3), (4, 4))])
def test_rates_move_towards_each_other_and_mirror(x, n):
    found, mirror = (
        shrink_binomial(x, n, mu0=0.5),
        shrink_binomial([b - a for a, b in zip(x, n, strict=True)], n, mu0=0.5),
    )
    assert found.mean == pytest.approx(1 - mirror.mean, abs=1e-9)
    assert found.lower == pytest.approx(1 - mirror.upper, abs=1e-7)
    assert found.reason == {0: "NO_EVENTS", 8: "ALL_EVENTS"}.get(sum(x), "")
    assert np.all((found.lower < found.mean) & (found.mean < found.upper))
    assert found.mean[1] - found.mean[0] <= (x[1] - x[0]) / 4 + 1e-12
    assert (found.mean[0] == pytest.approx(found.mean[1], abs=1e-9)) == (x[0] == x[1])


INF = math.inf


@pytest.mark.parametrize(
    ("left", "right", "pieces"),
    [
        ([0], [1], [(0, 1, "1")]),
        ([0, 1], [1, 2], [(0, 1, "1/2"), (1, 2, "1/2")]),
        ([0, 0], [1, 2], [(0, 1, "1")]),
        ([0, 1], [2, 3], [(1, 2, "1")]),
        ([0, 2], [1, INF], [(0, 1, "1/2"), (2, INF, "1/2")]),
        ([0, 0, 1], [1, 1, 2], [(0, 1, "2/3"), (1, 2, "1/3")]),
        ([0, 1, 2], [1, 2, 3], [(0, 1, "1/3"), (1, 2, "1/3"), (2, 3, "1/3")]),
        ([0, 1, 0], [1, 2, 2], [(0, 1, "1/2"), (1, 2, "1/2")]),
        ([0, 1, 1], [1, INF, 3], [(0, 1, "1/3"), (1, 3, "2/3")]),
        ([0, 0, 0, 3], [1, 1, 1, 4], [(0, 1, "3/4"), (3, 4, "1/4")]),
        ([0, 0, 2, 2], [1, 9, 3, 9], [(0, 1, "1/3"), (2, 3, "2/3")]),
        ([5, 6, 7], [INF, INF, INF], [(7, INF, "1")]),
    ],
)
def test_masses_of_interval_censored_times(left, right, pieces):
    found = turnbull(left, right)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [(a, b) for a, b, _ in pieces]
    masses = [float(Fraction(m)) for *_, m in pieces]
    assert found.mass == pytest.approx(masses, abs=1e-6)
    assert found.status == "OK" and found.gradient == pytest.approx(1.0, abs=1e-8)
    for place, (start, end, _) in enumerate(pieces):
        least = sum(masses[place + 1 :])
        assert found.at(start) == pytest.approx((least + masses[place],) * 2, abs=1e-6)
        if end < INF:
            assert found.at((start + end) / 2) == pytest.approx((least, least + masses[place]), abs=1e-6)
            assert found.at(end) == pytest.approx((least,) * 2, abs=1e-6)
