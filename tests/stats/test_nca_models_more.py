"""Censored half-life, power model, exposure-response, cytokines and expansion against other ways to the same number."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from interim.stats.nca_cytokine import cytokine
from interim.stats.nca_expansion import ExpansionCurve, expansion, fit_expansion, persistence
from interim.stats.nca_profile import profiles
from interim.stats.nca_response import auroc, exposure_response, likelihood_slope
from interim.stats.nca_summary import power_model, quantile, summary
from interim.stats.nca_tobit import tobit

NAN = float("nan")


def one(times, values, lloq=10.0, **more):
    return profiles([0] * len(times), times, value=values, lloq=lloq, **more)


def censored(theta, t, v, limit):
    """Log likelihood of the plain form: intercept, slope, ln sigma."""
    mean, sigma = theta[0] - theta[1] * t, math.exp(theta[2])
    seen = np.isfinite(v)
    logs = np.log(np.where(seen, v, limit))
    parts = np.where(seen, stats.norm.logpdf(logs, mean, sigma), stats.norm.logcdf(logs, mean, sigma))
    return float(parts.sum())


def course(seed, limit):
    rng = np.random.default_rng(seed)
    t = np.concatenate([[0.0], np.cumsum(rng.uniform(2, 9, 8))])
    c = np.exp(8 - 0.09 * t + rng.normal(0, 0.4, len(t)))
    c[0] = 1e5
    return t, np.where(c < limit, NAN, c)


@pytest.mark.rule("KIN-09", source="scipy minimize from a grid of starts")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", [60.0, 150.0])
def test_no_start_of_a_general_optimiser_finds_a_higher_likelihood(seed, limit):
    t, v = course(seed, limit)
    fit = tobit(one(t, v, limit))
    assert fit.reason[0] == ""
    late_t, late_v = t[1:], v[1:]
    own = (fit.intercept[0], fit.lambda_z[0], math.log(fit.sigma[0]))
    assert fit.loglik[0] == pytest.approx(censored(own, late_t, late_v, limit), rel=1e-9)
    starts = itertools.product([6.0, 9.0], [0.02, 0.2], [-1.0, 0.5])
    found = [
        optimize.minimize(lambda p: -censored(p, late_t, late_v, limit), start, method="Nelder-Mead")
        for start in starts
    ]
    best = max(-one_fit.fun for one_fit in found)
    assert fit.loglik[0] == pytest.approx(best, abs=1e-5)
    assert fit.loglik[0] >= best - 1e-9


@pytest.mark.rule("KIN-09")
@pytest.mark.parametrize("seed", range(3))
def test_the_likelihood_falls_in_every_direction_of_a_grid(seed):
    t, v = course(seed, 100.0)
    fit = tobit(one(t, v, 100.0))
    own = np.array([fit.intercept[0], fit.lambda_z[0], math.log(fit.sigma[0])])
    for step in itertools.product([-1, 0, 1], repeat=3):
        if any(step):
            other = own + np.array(step) * np.array([0.1, 0.003, 0.05])
            assert censored(other, t[1:], v[1:], 100.0) < fit.loglik[0]


@pytest.mark.rule("KIN-09", source="numerical second derivatives")
def test_standard_error_is_that_of_the_observed_information():
    t, v = course(1, 100.0)
    fit = tobit(one(t, v, 100.0))
    own = np.array([fit.intercept[0], fit.lambda_z[0], math.log(fit.sigma[0])])
    h = np.array([1e-3, 1e-4, 1e-3])
    hessian = np.zeros((3, 3))
    for i, j in itertools.product(range(3), repeat=2):
        for a, b in itertools.product((-1, 1), repeat=2):
            place = own.copy()
            place[i] += a * h[i]
            place[j] += b * h[j]
            hessian[i, j] += a * b * censored(place, t[1:], v[1:], 100.0) / (4 * h[i] * h[j])
    assert fit.se[0] == pytest.approx(math.sqrt(np.linalg.inv(-hessian)[1, 1]), rel=1e-3)


@pytest.mark.rule("KIN-09", source="least squares")
def test_without_censored_samples_it_is_least_squares():
    t, v = course(2, 1e-6)
    fit = tobit(one(t, v, 1e-6))
    slope, level = np.polyfit(t[1:], np.log(v[1:]), 1)
    rest = np.log(v[1:]) - slope * t[1:] - level
    assert fit.lambda_z[0] == pytest.approx(-slope, rel=1e-9)
    assert fit.sigma[0] == pytest.approx(math.sqrt(float(np.mean(rest**2))), rel=1e-7)
    assert (fit.n_points[0], fit.n_blq[0]) == (8, 0)


@pytest.mark.rule("KIN-09")
def test_quantified_samples_at_one_time_give_no_slope():
    fit = tobit(one([0, 7, 7, 7, 14], [900.0, 50, 60, 40, NAN]))
    assert fit.reason[0] == "TOBIT_FEW_QUANT"
    assert np.isnan([fit.lambda_z[0], fit.half_life[0], fit.se[0]]).all()


@pytest.mark.rule("KIN-16")
def test_censored_fits_of_a_batch_are_those_of_each_profile():
    many = [course(seed, 80.0) for seed in range(5)]
    many.insert(2, (np.array([0.0, 1.0]), np.array([5e4, 400.0])))
    alone = [tobit(one(t, v, 80.0)) for t, v in many]
    row = np.concatenate([np.full(len(t), i) for i, (t, _) in enumerate(many)])
    time, value = (np.concatenate([part[i] for part in many]) for i in (0, 1))
    order = np.random.default_rng(3).permutation(len(row))
    batch = tobit(profiles(row[order], time[order], value=value[order], lloq=80.0))
    for i, single in enumerate(alone):
        assert batch.reason[i] == single.reason[0]
        for name in ("lambda_z", "intercept", "sigma", "loglik", "se", "half_life", "n_points", "n_blq"):
            wanted = getattr(single, name)[0]
            assert getattr(batch, name)[i] == pytest.approx(wanted, rel=1e-7, nan_ok=True), name


@pytest.mark.rule("KIN-09")
def test_detected_samples_between_the_limits_say_more_than_below_the_limit():
    t = [0, 7, 14, 21, 28, 35]
    v = [900.0, 400, 90, 160, NAN, NAN]
    detected = [True, True, True, True, True, False]
    below = tobit(one(t, v, 60.0, detected=detected))
    between = tobit(one(t, v, 60.0, detected=detected), below="interval", llod=40.0)
    unknown = tobit(one(t, v, 60.0, detected=detected), below="interval", llod=NAN)
    assert unknown.loglik[0] == below.loglik[0]
    assert between.loglik[0] < below.loglik[0]
    nearly = tobit(one(t, v, 60.0, detected=detected), below="interval", llod=1e-12)
    assert nearly.lambda_z[0] == pytest.approx(below.lambda_z[0], rel=1e-6)


@pytest.mark.rule("KIN-13", source="numpy lstsq and scipy t")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_power_model_is_least_squares(seed, level):
    rng = np.random.default_rng(seed)
    dose = rng.choice([1.5, 3.0, 5.0, 7.0], 9)
    value = np.exp(2 + 1.2 * np.log(dose) + rng.normal(0, 0.5, 9))
    found = power_model(dose, value, level=level)
    design = np.column_stack([np.ones(9), np.log(dose)])
    coefficients, rest, _, _ = np.linalg.lstsq(design, np.log(value), rcond=None)
    sigma = math.sqrt(float(rest[0]) / 7)
    se = sigma * math.sqrt(float(np.linalg.inv(design.T @ design)[1, 1]))
    half = stats.t.ppf((1 + level) / 2, 7) * se
    numbers = (found.intercept, found.slope, found.sigma, found.se, found.lower, found.upper)
    wanted = (*coefficients, sigma, se, coefficients[1] - half, coefficients[1] + half)
    assert numbers == pytest.approx(wanted, rel=1e-9)
    assert found.r2 == pytest.approx(float(np.corrcoef(np.log(dose), np.log(value))[0, 1]) ** 2, rel=1e-9)
    ratio = dose.max() / dose.min()
    assert found.dose_ratio == pytest.approx(ratio)
    assert found.ratio == pytest.approx(ratio ** (coefficients[1] - 1), rel=1e-9)
    assert found.critical_low == pytest.approx(1 + math.log(0.8) / math.log(ratio))
    assert found.critical_high == pytest.approx(1 + math.log(1.25) / math.log(ratio))


@pytest.mark.rule("KIN-13")
def test_units_of_dose_and_exposure_leave_the_slope():
    dose, value = np.array([1, 1, 2, 4, 4.0]), np.array([3, 2.5, 7, 11, 13.0])
    base, scaled = power_model(dose, value), power_model(dose * 1e7, value / 24)
    for name in ("slope", "se", "p_value", "lower", "upper", "r2", "critical_low", "ratio"):
        assert getattr(scaled, name) == pytest.approx(getattr(base, name), rel=1e-7), name
    assert scaled.verdict == base.verdict


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, NAN])
def test_power_model_refuses_an_illegal_level(level):
    with pytest.raises(ValueError, match="level"):
        power_model([1, 2, 3], [1, 2, 3], level=level)


outcomes = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=2, max_size=12)


@pytest.mark.rule("KIN-14", source="counting of pairs")
@settings(max_examples=50, deadline=None)
@given(outcomes)
def test_area_under_the_curve_counts_pairs(rows):
    x, y = [float(v) for v, _ in rows], [int(e) for _, e in rows]
    pairs = [(a > b) + 0.5 * (a == b) for a, e in rows if e for b, f in rows if not f]
    wanted = sum(pairs) / len(pairs) if pairs else NAN
    assert auroc(x, y) == pytest.approx(wanted, nan_ok=True)
    reverse = auroc([-v for v in x], y)
    assert reverse == pytest.approx(1 - wanted, nan_ok=True)


@pytest.mark.rule("KIN-14", source="enumeration of all allocations")
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_rank_test_by_enumeration(tied, seed):
    rng = np.random.default_rng(seed)
    n, events = 9, int(rng.integers(2, 7))
    x = rng.integers(1, 6, n).astype(float) if tied else rng.permutation(n) + 1.0
    y = np.zeros(n, dtype=int)
    y[rng.choice(n, events, replace=False)] = 1
    ranks = stats.rankdata(x)
    centre = events * (n + 1) / 2
    seen = abs(ranks[y == 1].sum() - centre)
    sums = [ranks[list(chosen)].sum() for chosen in itertools.combinations(range(n), events)]
    wanted = np.mean([abs(s - centre) >= seen - 1e-9 for s in sums])
    found = exposure_response(x, y, floor=0.5, draws=50)
    assert found.test.exact
    assert found.test.p_value == pytest.approx(wanted, rel=1e-12)
    assert found.statistic == pytest.approx(ranks[y == 1].sum() - events * (events + 1) / 2)


@pytest.mark.rule("KIN-14")
def test_two_groups_by_hand_with_a_floor():
    found = exposure_response([0.0, 4, 16, 1, 2, 8], [1, 1, 1, 0, 0, 0], floor=0.5, draws=50)
    assert (found.median_event, found.median_other) == (4, 2)
    assert found.geo_ratio == pytest.approx(2 ** ((-1 + 2 + 4) / 3 - (0 + 1 + 3) / 3))
    assert found.shift.estimate == pytest.approx(np.median([a - b for a in (-1, 2, 4) for b in (0, 1, 3)]))
    assert found.statistic == 0 + 2 + 3


@pytest.mark.rule("KIN-14", source="scipy minimize")
@pytest.mark.parametrize("seed", range(3))
def test_logistic_slope_is_the_maximum_of_the_likelihood(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(10, 2, 30)
    y = (rng.uniform(size=30) < 1 / (1 + np.exp(10 - x))).astype(int)

    def loss(b):
        eta = b[0] + b[1] * (x - 10)
        return float((np.logaddexp(0, eta) - y * eta).sum())

    wanted = optimize.minimize(loss, [0.0, 0.0], options={"gtol": 1e-9})
    found = likelihood_slope(x, y)
    assert found.slope == pytest.approx(wanted.x[1], rel=1e-5)
    assert found.intercept == pytest.approx(wanted.x[0] - 10 * wanted.x[1], rel=1e-5)


@pytest.mark.rule("KIN-19", source="statistics in plain Python")
@pytest.mark.parametrize("values", [[3.0], [1.0, 9.0], [0.0, 0.0], [2.0, 8.0, 4.0, 0.0, 64.0], [5.0] * 4])
def test_summary_by_hand(values):
    found = summary(values)
    n, mean = len(values), sum(values) / len(values)
    sd = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1)) if n > 1 else NAN
    positive = [math.log(v) for v in values if v > 0]
    geo = math.exp(sum(positive) / len(positive)) if positive else NAN
    assert (found.n, found.n_positive) == (n, len(positive))
    numbers = (found.mean, found.sd, found.geo_mean, found.low, found.high)
    assert numbers == pytest.approx((mean, sd, geo, min(values), max(values)), nan_ok=True)
    assert found.cv == pytest.approx(100 * sd / mean if mean else NAN, nan_ok=True)


@pytest.mark.rule("KIN-19")
@pytest.mark.parametrize("n", range(1, 10))
@pytest.mark.parametrize("p", [0.25, 0.5, 0.75])
def test_both_types_of_quantile_from_their_definition(n, p):
    values = [float(v * v) for v in range(1, n + 1)]
    place = (n - 1) * p
    low, high = values[math.floor(place)], values[math.ceil(place)]
    assert quantile(values[::-1], p) == pytest.approx(low + (place - math.floor(place)) * (high - low))
    jump = n * p
    if jump == int(jump):
        wanted = (values[int(jump) - 1] + values[int(jump)]) / 2
    else:
        wanted = values[math.ceil(jump) - 1]
    assert quantile(values[::-1], p, kind=2) == wanted


@pytest.mark.rule("KIN-15")
@pytest.mark.parametrize("end", [3.0, 7.0, 6.9, 100.0])
def test_last_cytokine_value_and_area_respect_the_end(end):
    t, c = np.array([1, 3, 7, 14.0]), np.array([20.0, 80.0, 40.0, 10.0])
    found = cytokine(one([0, *t], [10.0, *c], 1.0), end=end)
    inside = t <= end
    assert (found.last[0], found.tlast[0]) == (c[inside][-1], t[inside][-1])
    assert found.auc[0] == pytest.approx(np.trapezoid([10.0, *c[inside]], [0.0, *t[inside]]))
    assert (found.peak[0], found.tpeak[0], found.fold[0]) == (80, 3, 8)
    assert found.t_back[0] == 14


@pytest.mark.rule("KIN-15")
def test_cytokine_that_never_comes_back_and_a_course_below_the_limit():
    found = cytokine(
        profiles([0] * 3 + [1] * 3, [0, 1, 5] * 2, value=[10.0, 90, 50, NAN, NAN, NAN], lloq=4.0)
    )
    assert np.isnan(found.t_back[0])
    assert (found.peak[1], found.fold[1], found.log2_fold[1], found.auc_above[1]) == (2, 1, 0, 0)
    assert found.n_blq.tolist() == [0, 3]
    assert not found.capped.any()


@pytest.mark.rule("KIN-12")
@pytest.mark.parametrize(
    ("times", "values", "fold", "rate", "start"),
    [
        ([-1, 2, 4, 6], [5000.0, 20, 80, 160], 8, math.log(8) / 4, 2),
        ([0, 1, 2, 3], [5000.0, NAN, 30, 60], 2, math.log(2), 2),
        ([0, 1, 2, 3], [10.0, 50, 50, 50], NAN, NAN, NAN),
        ([0, 1, 2, 3], [10.0, 50, 40, 60], 1.2, math.log(1.2) / 2, 1),
    ],
)
def test_expansion_counts_only_samples_after_the_infusion(times, values, fold, rate, start):
    found = expansion(one(times, values))
    assert (found.fold[0], found.rate[0], found.start[0]) == pytest.approx((fold, rate, start), nan_ok=True)
    assert found.reason[0] == ("TMAX_FIRST" if math.isnan(fold) else "")
    with pytest.raises(ValueError, match="baseline"):
        expansion(one(times, values), baseline="zero")


@pytest.mark.rule("KIN-12")
def test_persistence_of_a_batch_on_padded_rows():
    found = persistence(
        profiles([0, 0, 0, 1, 2], [1, 2, 3, 1, 1], value=[20.0, NAN, NAN, 30, NAN], lloq=10.0, size=4)
    )
    assert found.tlast.tolist() == pytest.approx([1, 1, NAN, NAN], nan_ok=True)
    assert found.lost_after.tolist() == pytest.approx([1, 1, NAN, NAN], nan_ok=True)
    assert found.lost_by.tolist() == pytest.approx([2, math.inf, NAN, NAN], nan_ok=True)


@pytest.mark.rule("KIN-11")
@pytest.mark.parametrize(("quantified", "least"), [(5, 6), (6, 7), (0, 6)])
def test_too_few_quantified_samples_are_not_fitted(quantified, least):
    values = np.array([5.0, 40, 300, 5000, 900, 100, 60, 20])
    values[np.argsort(values)[: len(values) - quantified]] = NAN
    fit = fit_expansion([1, 3, 5, 7, 10, 14, 28, 56], values, lloq=1.0, least=least)
    assert (fit.curve, fit.reason) == (None, "TOO_FEW_POINTS")
    assert math.isnan(fit.sigma) and math.isnan(fit.loglik)


@pytest.mark.rule("KIN-11")
@pytest.mark.parametrize("level", [4999.0, 800.0, 100.0, 3.0])
def test_the_curve_crosses_a_level_where_it_says(level):
    curve = ExpansionCurve(0.5, 100.0, 7.0, 5000.0, 0.3, 0.05, 0.01)
    when = curve.falls_to(level)
    assert curve.at([when - 1e-6, when + 1e-6]).tolist() == pytest.approx([level, level], rel=1e-5)
    assert curve.at(when - 1e-6) > level > curve.at(when + 1e-6)


@pytest.mark.rule("KIN-05")
@pytest.mark.parametrize("size", [0, 2])
def test_profiles_without_samples_have_reasons_everywhere(size):
    empty = profiles([], [], value=[], size=size)
    assert cytokine(empty).reason.tolist() == ["NO_BASELINE"] * size
    assert expansion(empty).reason.tolist() == ["ALL_BLQ"] * size
    assert tobit(empty).reason.tolist() == ["TOBIT_FEW_QUANT"] * size
    assert np.isnan(persistence(empty).tlast).tolist() == [True] * size
    assert np.isnan(cytokine(empty).auc).tolist() == [True] * size


@pytest.mark.rule("KIN-14")
def test_exposures_that_are_all_alike_show_nothing():
    found = exposure_response([5.0] * 4, [0, 1, 0, 1], floor=0.5, draws=20)
    assert (found.auroc, found.geo_ratio, found.statistic, found.test.p_value) == (0.5, 1.0, 2.0, 1.0)
    assert (found.interval.lower, found.interval.upper) == (0.5, 0.5)
    assert (found.approximate.status, found.approximate.reason) == ("NE", "ONE_LEVEL")
    assert found.likelihood.reason == found.firth.reason == "NOT_APPLICABLE"
