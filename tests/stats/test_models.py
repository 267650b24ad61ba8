"""Cox, Firth, separation, competing risks, interval censoring."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from interim.stats import (
    cox,
    cumulative_incidence,
    firth_cox,
    firth_logistic,
    kaplan_meier,
    logrank,
    monotone_likelihood,
    separation,
    turnbull,
)
from interim.stats.covariates import risk_sets
from interim.stats.jeffreys import LogisticModel, PartialModel
from interim.stats.penalised import Maximum, climb, highest, near
from interim.stats.profile_limits import _Axis, _limit, _Search, _searched_cold

QUANTILE = 3.841458820694124
TIME = [5, 8, 12, 3, 15, 9, 20, 7, 11, 2, 14, 6]
EVENT = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1]
GROUP = [0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1]
AGE = [61, 54, 70, 66, 49, 58, 63, 72, 55, 68, 60, 57]
Y = [0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0]


def cauchy_binet(x: np.ndarray, weight: np.ndarray) -> float:
    """Log determinant of X'WX as a sum over all subsets of rows."""
    p = x.shape[1]
    return math.log(
        sum(np.prod(weight[list(s)]) * np.linalg.det(x[list(s)]) ** 2 for s in combinations(range(len(x)), p))
    )


def penalised_logistic(x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> float:
    eta = x @ beta
    rate = 1 / (1 + np.exp(-eta))
    return float(y @ eta - np.logaddexp(0, eta).sum()) + cauchy_binet(x, rate * (1 - rate)) / 2


def breslow(time, event, x, beta) -> float:
    time, event, eta = np.asarray(time), np.asarray(event, bool), x @ beta
    value, information = 0.0, np.zeros((x.shape[1],) * 2)
    for i in np.flatnonzero(event):
        inside = time >= time[i]
        share = np.exp(eta[inside] - eta[inside].max())
        value += eta[i] - eta[inside].max() - math.log(share.sum())
        share = share / share.sum()
        gap = x[inside] - share @ x[inside]
        information += (gap * share[:, None]).T @ gap
    return value + np.linalg.slogdet(information)[1] / 2


def slopes(function, beta, step=1e-5):
    units = np.eye(len(beta)) * step
    return np.array([(function(beta + u) - function(beta - u)) / (2 * step) for u in units])


@pytest.mark.rule("STAT-21", source="Cauchy-Binet, numeric differences")
@pytest.mark.parametrize("beta", [[0.0, 0.0, 0.0], [0.4, -0.8, 1.1], [-2.0, 1.5, 0.3]])
def test_derivatives_of_both_penalised_likelihoods(beta):
    beta = np.array(beta)
    x = np.column_stack([np.array(GROUP) - 0.5, (np.array(AGE) - 61) / 7, np.sin(np.arange(12))])
    partial = PartialModel(
        x,
        inside=np.array(TIME)[None, :] >= np.array(TIME)[:, None][np.array(EVENT) == 1],
        deaths=np.ones(sum(EVENT)),
        died=np.array(EVENT, float),
    )
    design = np.column_stack([np.ones(12), x[:, :2]])
    logistic = LogisticModel(design, np.array(Y, float))
    for model, function in (
        (partial, lambda b: breslow(TIME, EVENT, x, b)),
        (logistic, lambda b: penalised_logistic(design, np.array(Y), b)),
    ):
        at = model.evaluate(np.array([beta, beta + 1]))
        assert at.value[0] == pytest.approx(function(beta), abs=1e-10)
        assert at.score[0] == pytest.approx(slopes(function, beta), abs=1e-6)
        numeric = np.array(
            [
                slopes(lambda b, k=k, model=model: model.evaluate(b[None, :]).score[0, k], beta)
                for k in range(3)
            ]
        )
        assert at.curvature[0] == pytest.approx(-numeric, abs=1e-6)


@pytest.mark.rule("STAT-21")
@settings(max_examples=20, deadline=None)
@given(
    st.tuples(st.integers(2, 9), st.integers(2, 9)).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(0, n[0]), st.integers(0, n[1]))
    )
)
def test_one_binary_covariate_in_closed_form(case):
    (n0, n1), x0, x1 = case
    if x0 + x1 in (0, n0 + n1):
        return
    fit = firth_logistic(
        [0] * n0 + [1] * n1, [1] * x0 + [0] * (n0 - x0) + [1] * x1 + [0] * (n1 - x1), terms=[1]
    )
    assert fit.coef[1] == pytest.approx(
        math.log((x1 + 0.5) / (n1 - x1 + 0.5)) - math.log((x0 + 0.5) / (n0 - x0 + 0.5)), abs=1e-8
    )
    assert fit.root_error[1] <= 1e-6 and fit.lower[1] < fit.coef[1] < fit.upper[1]
    assert (fit.limits[0][0].status, math.isnan(fit.p_value[0])) == ("NE", True)


@pytest.mark.rule("STAT-22", source="independent optimiser")
def test_limits_and_tests_are_those_of_an_independent_optimiser():
    design = np.column_stack([np.ones(12), AGE])
    centre = np.array([1.0, 1 / 7])
    fit = firth_logistic(AGE, Y)

    def best(fixed):
        found = minimize(
            lambda a: (
                -penalised_logistic(
                    np.column_stack([np.ones(12), (np.array(AGE) - 61)]), np.array(Y), np.array([a[0], fixed])
                )
            ),
            [0.0],
            method="Nelder-Mead",
            options=dict(xatol=1e-9, fatol=1e-13),
        )
        return -found.fun

    top = penalised_logistic(design, np.array(Y), fit.coef)
    for limit in (fit.lower[1], fit.upper[1]):
        assert 2 * (top - best(limit)) == pytest.approx(QUANTILE, abs=1e-6)
    assert fit.loglik == pytest.approx((best(0.0), top), abs=1e-9)
    assert math.erfc(math.sqrt(top - best(0.0))) == pytest.approx(fit.p_value[1], abs=1e-9)
    assert slopes(
        lambda b: penalised_logistic(design, np.array(Y), b * centre), fit.coef / centre, 1e-5
    ) == pytest.approx([0, 0], abs=1e-5)


@pytest.mark.rule("STAT-22")
def test_limits_exist_under_separation_and_monotone_likelihood():
    x, y = [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1, 1, 1]
    fit = firth_logistic(x, y, terms=[1])
    assert fit.status == "OK" and math.isfinite(fit.coef[1]) and fit.root_error[1] <= 1e-6
    turned = firth_logistic([-v for v in x], y, terms=[1])
    assert (turned.lower[1], turned.upper[1]) == pytest.approx((-fit.upper[1], -fit.lower[1]), rel=1e-7)
    time, event, group = [1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0]
    assert monotone_likelihood(time, event, X=group).kind == "monotone"
    hazard = firth_cox(time, event, X=group)
    assert hazard.status == "OK" and hazard.lower[0] > 0 and hazard.root_error[0] <= 1e-6
    assert firth_cox(np.array(time) * 7, event, X=group).coef == pytest.approx(hazard.coef)
    assert firth_cox(time, event, X=1 - np.array(group)).upper == pytest.approx(-hazard.lower)


@pytest.mark.rule("STAT-22", source="independent optimiser")
def test_a_limit_that_other_software_gave_up_is_a_root():
    # five participants, all with an event: the reference has no upper limit for x
    time, x, age, ecog = [15, 18, 25, 24, 5], [0, 1, 1, 1, 0], [68, 70, 72, 51, 40], [0, 1, 1, 0, 1]
    matrix = np.column_stack([x, age, ecog]).astype(float)
    fit = firth_cox(time, [1] * 5, X=matrix)
    scaled = (matrix - matrix.mean(0)) / matrix.std(0)
    own = fit.coef * matrix.std(0)

    def drop(value):
        def minus(rest):
            return -breslow(time, [1] * 5, scaled, np.array([value * matrix.std(0)[0], *rest]))

        starts = [own[1:], np.zeros(2), *(2 * np.eye(2)), *(-2 * np.eye(2))]
        found = max(
            -minimize(minus, s, method="Nelder-Mead", options=dict(xatol=1e-9, fatol=1e-13, maxiter=4000)).fun
            for s in starts
        )
        return 2 * (breslow(time, [1] * 5, scaled, own) - found)

    assert fit.limits[0][1].status == "OK"
    assert drop(fit.upper[0]) == pytest.approx(QUANTILE, abs=1e-5)
    assert drop(fit.upper[0] + 3) > QUANTILE


@pytest.mark.rule("STAT-21")
def test_two_maxima_are_flagged():
    maxima = [Maximum(np.zeros(1), value, 0.0, np.zeros(1), np.eye(1)) for value in (-5.0, -5.5, -9.0)]
    assert near(maxima[0], maxima[1], 0.95) and not near(maxima[0], maxima[2], 0.95)
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = np.column_stack([rng.integers(0, 2, 9), rng.normal(size=9), rng.integers(0, 2, 9)])
        y = rng.integers(0, 2, 9)
        if min(x.std(0)) > 0 and 0 < y.sum() < 9 and np.linalg.matrix_rank(x - x.mean(0)) == 3:
            found.append(firth_logistic(x, y, terms=[]))
        if found and found[-1].reason == "MULTIMODAL":
            break
    assert (found[-1].status, found[-1].reason) == ("FLAG", "MULTIMODAL")


class Flat(LogisticModel):
    """A penalised likelihood in one coefficient that falls by less than the quantile, however far one goes."""

    def evaluate(self, points):
        at = super().evaluate(points)
        value = -(1 - np.exp(-(points[:, 0] ** 2)))
        score = (-2 * points[:, 0] * np.exp(-(points[:, 0] ** 2)))[:, None]
        return type(at)(value, score, np.full((len(points), 1, 1), 2.0))


@pytest.mark.rule("STAT-22")
def test_an_open_profile_is_an_open_limit_and_an_unverified_one_is_none():
    model = Flat(np.ones((4, 1)), np.array([0.0, 1.0, 0.0, 1.0]))
    top = Maximum(np.zeros(1), 0.0, 0.0, np.zeros(1), np.eye(1))
    axis = _Axis(model, top, 0, QUANTILE, 1.5, 200.0)
    search = _Search(axis, 1.0)
    for _ in range(60):
        if search.state == "open":
            points = np.array([[search.value]])
            search.take(climb(model, points, axis.free)[0])
    assert search.state == "unbounded"
    found = _limit(axis, search, None)
    assert (found.value, found.status, found.reason) == (math.inf, "INF", "CI_UNBOUNDED")
    assert _searched_cold(axis, -1.5).value == -math.inf
    search.take(Maximum(np.zeros(1), 0.0, 1.0, np.zeros(1), np.eye(1)))
    assert search.state == "lost"


class Jumping(Flat):
    """A profile with a jump over the quantile: no value has the quantile as its drop."""

    def evaluate(self, points):
        at = super().evaluate(points)
        return type(at)(np.where(np.abs(points[:, 0]) > 2.0, -10.0, 0.0), 0.0 * at.score, at.curvature)


@pytest.mark.rule("STAT-22")
def test_a_jump_is_not_verified():
    axis = _Axis(
        Jumping(np.ones((4, 1)), np.zeros(4)),
        Maximum(np.zeros(1), 0.0, 0.0, np.zeros(1), np.eye(1)),
        0,
        QUANTILE,
        1.5,
        200.0,
    )
    found = _searched_cold(axis, 1.5)
    assert (
        (found.status, found.reason) == ("NE", "CI_NOT_VERIFIED")
        and math.isnan(found.value)
        and found.root_error > 1
    )


@pytest.mark.rule("STAT-32")
def test_statuses_of_penalised_fits():
    assert firth_logistic(np.empty((0, 1)), []).reason == "NO_DATA"
    assert firth_cox([], [], X=np.empty((0, 1))).reason == "NO_DATA"
    none = firth_cox([1, 2, 3], [0, 0, 0], X=[0, 1, 0])
    assert (none.status, none.reason) == ("NE", "NO_EVENTS") and np.isnan(none.coef).all()
    for y, code, sign in (([0, 0, 0], "NO_EVENTS", 1), ([1, 1, 1], "ALL_EVENTS", -1)):
        flagged = firth_logistic([0, 1, 0], y, terms=[1])
        assert (flagged.status, flagged.reason) == ("FLAG", code)
        assert flagged.coef[1] == pytest.approx(sign * (math.log(0.5 / 1.5) - math.log(0.5 / 2.5)))
    far = [Maximum(np.zeros(1), v, s, np.zeros(1), np.eye(1)) for v, s in ((0.0, 1.0), (-3.0, 0.0))]
    assert highest(far) is far[1] and not far[0].converged


@pytest.mark.rule("STAT-19")
@pytest.mark.parametrize(
    ("x", "kind"),
    [([1, 0, 1, 0, 1, 0], "none"), ([1, 1, 1, 0, 0, 0], "monotone"), ([6, 5, 4, 3, 2, 1], "monotone")],
)
def test_existence_is_decided_before_the_fit(x, kind):
    time, event = [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0]
    found = monotone_likelihood(time, event, X=x)
    fit = cox(time, event, X=x)
    assert found.kind == kind and found.exists == (kind == "none")
    assert (fit.status == "OK") == found.exists
    if kind == "monotone":
        assert (
            fit.reason == "MONOTONE_LIKELIHOOD"
            and np.isnan(fit.coef).all()
            and np.isnan(fit.se).all()
            and np.isnan(fit.wald_p).all()
        )
        assert math.isfinite(fit.lrt) and 0 < fit.lrt_p < 1


@pytest.mark.rule("STAT-19")
def test_existence_with_two_covariates_is_a_linear_programme():
    # x1 + x2 always largest among those who fail, neither alone
    time, event = [1, 2, 3, 4], [1, 1, 1, 0]
    x = np.array([[3.0, 1.0], [0.0, 3.0], [1.0, 0.5], [0.5, 0.0]])
    found = monotone_likelihood(time, event, X=x)
    assert found.kind == "monotone"
    gaps = [(x[i] - x[j]) @ found.direction for i in range(3) for j in range(i, 4)]
    assert min(gaps) >= -1e-9 and max(gaps) > 0
    assert monotone_likelihood(TIME, EVENT, X=np.column_stack([GROUP, AGE])).exists


@pytest.mark.rule("STAT-20")
def test_cox_score_test_is_the_log_rank_test_and_units_do_not_matter():
    time = [1, 2, 3, 4, 5, 6, 7, 8]
    group = [0, 1, 0, 1, 1, 0, 1, 0]
    fit = cox(time, [1] * 8, X=group)
    assert fit.score == pytest.approx(logrank(time, [1] * 8, group=group).chisq)
    assert cox(np.array(time) * 30, [1] * 8, X=np.array(group) * 4 + 1).coef * 4 == pytest.approx(fit.coef)
    # one covariate, no ties: the partial likelihood written out
    direct = minimize(
        lambda b: (
            -sum(
                b[0] * group[i] - math.log(sum(math.exp(b[0] * group[j]) for j in range(i, 8)))
                for i in range(8)
            )
        ),
        [0.0],
        options=dict(gtol=1e-9),
    )
    assert fit.coef[0] == pytest.approx(direct.x[0], abs=1e-6)
    assert fit.loglik[1] == pytest.approx(-direct.fun, abs=1e-9)
    twice = cox(time * 2, [1] * 16, X=group * 2, strata=[0] * 8 + [1] * 8)
    assert (twice.coef[0], twice.se[0]) == pytest.approx((fit.coef[0], fit.se[0] / math.sqrt(2)), rel=1e-6)
    # all fail at once: Breslow's sets stay whole, Efron's shrink
    tied, x = [1, 1, 1, 2, 2, 2], [1, 1, 0, 0, 1, 0]
    efron, breslow_ = (cox(tied, [1] * 6, X=x, ties=name) for name in ("efron", "breslow"))
    assert breslow_.loglik[0] == pytest.approx(-3 * math.log(6) - 3 * math.log(3))
    assert efron.loglik[0] == pytest.approx(-math.log(6 * 5 * 4) - math.log(6))
    assert abs(breslow_.coef[0]) < abs(efron.coef[0])


@pytest.mark.rule("STAT-32")
def test_cox_without_data_or_events_and_illegal_covariates():
    assert cox([], [], X=np.empty((0, 1))).reason == "NO_DATA"
    assert cox([1, 2], [0, 0], X=[0, 1]).reason == "NO_EVENTS"
    for call, word in (
        (lambda: cox([1, 2], [1, 1], X=[1, 1]), "constant; column 0"),
        (lambda: cox([1, 2, 3], [1, 1, 1], X=[[1, 2], [2, 4], [3, 6]]), "linearly dependent"),
        (lambda: cox([1, 2], [1, 1], X=[1, math.nan]), r"X\[1, 0\]"),
        (lambda: cox([1, 2], [1, 1], X=[1, 2, 3]), "rows"),
        (lambda: cox([1, 2], [1, 1], X=[0, 1], ties="exact"), "ties"),
        (lambda: firth_logistic([0.1, 0.1, 0.1], [0, 1, 0]), "constant"),
        (lambda: firth_logistic([0, 1], [0, 2]), r"y\[1\]"),
    ):
        with pytest.raises(ValueError, match=word):
            call()


@pytest.mark.rule("STAT-20")
def test_a_fit_that_runs_out_of_steps_says_so(monkeypatch):
    monkeypatch.setattr("interim.stats.proportional._MAX_STEPS", 1)
    fit = cox(TIME, EVENT, X=AGE)
    assert (fit.status, fit.reason) == ("NE", "NOT_CONVERGED") and np.isnan(fit.coef).all()


@pytest.mark.rule("STAT-23")
@pytest.mark.parametrize(
    ("x", "y", "kind"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], "complete"),
        ([1, 2, 2, 3], [0, 0, 1, 1], "quasi-complete"),
        ([1, 2, 3, 4], [0, 1, 0, 1], "none"),
        ([], [], "none"),
        ([1, 2], [1, 1], "complete"),
    ],
)
def test_kinds_of_separation(x, y, kind):
    found = separation(x, y)
    assert found.kind == kind and found.exists == (kind == "none")
    if kind != "none":
        side = (np.array(y) * 2 - 1) * (
            np.column_stack([np.ones(len(x)), np.array(x) - np.mean(x)]) @ found.direction
        )
        assert side.min() >= -1e-9 and side.max() > 0


@pytest.mark.rule("STAT-24")
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=15))
def test_incidences_and_the_curve_sum_to_one(rows):
    time, cause = (np.array(c) for c in zip(*rows, strict=True))
    found = cumulative_incidence(time, cause)
    assert found.cif.sum(axis=1) + found.surv == pytest.approx(np.ones(len(found.time)))
    curve = kaplan_meier(time, cause > 0)
    assert found.surv == pytest.approx(curve.surv)
    single = cumulative_incidence(time, (cause > 0).astype(int))
    assert 1 - single.cif[:, 0] == pytest.approx(curve.surv)
    below = curve.surv > 0
    assert single.se[below, 0] == pytest.approx(curve.se_surv[below], abs=1e-9)
    assert np.isnan(found.lower[found.cif == 0]).all()


@pytest.mark.rule("STAT-24")
def test_incidence_at_a_time_and_statuses():
    found = cumulative_incidence([2, 4, 4, 6], [1, 1, 2, 0])
    assert found.at(1, 1) == (
        0.0,
        0.0,
        pytest.approx(math.nan, nan_ok=True),
        pytest.approx(math.nan, nan_ok=True),
    )
    # at 4 one of three each: 1/4 + 3/4 x 1/3
    assert found.at(5, 1)[0] == pytest.approx(0.5) and found.at(5, 2)[0] == pytest.approx(0.25)
    assert math.isnan(found.at(7, 1)[0])
    lower, upper = found.at(5, 1)[2:]
    assert 0 < lower < 0.5 < upper < 1
    assert cumulative_incidence([], []).reason == "NO_DATA"
    assert (cumulative_incidence([1], [0]).status, cumulative_incidence([1], [0]).reason) == (
        "FLAG",
        "NO_EVENTS",
    )
    for call, word in (
        (lambda: found.at(1, 3), "cause"),
        (lambda: cumulative_incidence([1], [0.5]), r"cause\[0\]"),
        (lambda: cumulative_incidence([1], [1], interval="plain"), "interval"),
    ):
        with pytest.raises(ValueError, match=word):
            call()


@pytest.mark.rule("STAT-25", source="gradient condition of the maximum")
def test_interval_censored_worked_case():
    left, right = [0, 0, 2, 3, 4, 5, 1, 6, 6], [2, 3, 5, 6, 8, math.inf, 4, 9, math.inf]
    found = turnbull(left, right)
    masses = {(a, b): m for a, b, m in zip(found.left, found.right, found.mass, strict=True) if m > 1e-9}
    assert masses == {
        (1, 2): pytest.approx(2 / 7),
        (3, 4): pytest.approx(3 / 14),
        (4, 5): pytest.approx(1 / 14),
        (6, 8): pytest.approx(3 / 7),
    }
    assert found.status == "OK" and found.gradient <= 1 + 1e-9
    assert found.at(7) == pytest.approx((0.0, 3 / 7), abs=1e-9) and found.at(2) == pytest.approx(
        (5 / 7, 5 / 7)
    )


@pytest.mark.rule("STAT-25")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6), st.booleans()), min_size=1, max_size=12))
def test_no_participant_can_gain_likelihood(rows):
    left = np.array([a for a, _, _ in rows], float)
    right = np.array([math.inf if open_ else a + b for a, b, open_ in rows])
    found = turnbull(left, right)
    assert found.status == "OK" and found.mass.sum() == pytest.approx(1) and found.mass.min() >= 0
    covers = (left[:, None] <= found.left) & (found.right <= right[:, None])
    gradient = (covers / (covers @ found.mass)[:, None]).sum(axis=0) / len(left)
    assert gradient.max() <= 1 + 1e-8


@pytest.mark.rule("STAT-32")
def test_interval_censored_statuses(monkeypatch):
    assert turnbull([], []).reason == "NO_DATA"
    for left, right, word in (([2], [1], "place 0"), ([-1], [1], "left"), ([1, 2], [2], "same length")):
        with pytest.raises(ValueError, match=word):
            turnbull(left, right)
    monkeypatch.setattr("interim.stats.interval_censored._ROUNDS", 1)
    stopped = turnbull([0, 0, 2, 3, 4, 5, 1, 6, 6], [2, 3, 5, 6, 8, math.inf, 4, 9, math.inf])
    assert (stopped.status, stopped.reason) == ("NE", "NOT_CONVERGED")


def test_risk_sets_of_strata():
    sets, scale = risk_sets([3, 1, 2, 1], [1, 1, 0, 1], X=[0, 1, 0, 1], strata=[1, 1, 2, 2])
    assert sets.events == 3 and scale == pytest.approx([0.5])
    assert sorted(len(rows) for rows in sets.deaths) == [1, 1, 1]
