"""Censored half-life, expansion curve, persistence, cytokines, summaries, power model, exposure-response."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from interim.stats.nca_cytokine import cytokine
from interim.stats.nca_expansion import ExpansionCurve, expansion, fit_expansion, persistence
from interim.stats.nca_profile import profiles
from interim.stats.nca_response import auroc, exposure_response, likelihood_slope
from interim.stats.nca_summary import power_model, quantile, summary
from interim.stats.nca_tobit import tobit

NAN = float("nan")


def one(times, values, lloq=10.0, **more):
    return profiles([0] * len(times), times, value=values, lloq=lloq, **more)


TIMES = np.array([0, 3, 7, 10, 14, 21, 28, 42, 56, 84.0])
VALUES = np.array([NAN, 200, 5000, 3000, 900, 400, 120, 60, NAN, NAN])


def direct(lower=None):
    """Maximise the likelihood in its plain form by a general optimiser: the independent answer."""
    late = TIMES > 7
    t, v = TIMES[late], VALUES[late]
    seen = np.isfinite(v)

    def loss(theta):
        mean, sigma = theta[0] - theta[1] * t, math.exp(theta[2])
        top = stats.norm.cdf((math.log(50.0) - mean) / sigma)
        bottom = 0.0 if lower is None else stats.norm.cdf((math.log(lower) - mean) / sigma)
        parts = np.where(
            seen,
            stats.norm.logpdf(np.log(np.where(seen, v, 1.0)), mean, sigma),
            np.log(np.maximum(top - bottom, 1e-300)),
        )
        return -parts.sum()

    options = {"xatol": 1e-11, "fatol": 1e-13, "maxiter": 20_000, "maxfev": 20_000}
    return optimize.minimize(loss, [8.0, 0.06, -0.5], method="Nelder-Mead", options=options)


@pytest.mark.rule("KIN-09", source="plain likelihood, general optimiser")
@pytest.mark.parametrize("lower", [None, 5.0])
def test_censored_half_life_against_the_plain_likelihood(lower):
    wanted = direct(lower)
    detected = np.isfinite(VALUES) if lower is None else TIMES > 0
    samples = one(TIMES, VALUES, 50.0, detected=detected)
    fit = tobit(samples, below="lloq" if lower is None else "interval", llod=NAN if lower is None else lower)
    assert fit.lambda_z[0] == pytest.approx(wanted.x[1], rel=1e-5)
    assert fit.intercept[0] == pytest.approx(wanted.x[0], rel=1e-5)
    assert fit.sigma[0] == pytest.approx(math.exp(wanted.x[2]), rel=1e-5)
    assert fit.loglik[0] == pytest.approx(-wanted.fun, rel=1e-9)
    assert fit.half_life[0] == pytest.approx(math.log(2) / wanted.x[1], rel=1e-5)
    assert (fit.n_points[0], fit.n_blq[0]) == (7, 2)


@pytest.mark.rule("KIN-09")
@pytest.mark.parametrize(
    ("times", "values", "reason"),
    [
        ([0, 7, 14, 21], [NAN, 900, 100, 20], "TOBIT_FEW_QUANT"),
        ([0, 7, 14, 21, 28], [NAN, 800, 400, 200, 100], "TOBIT_DEGENERATE"),
        ([0, 7, 14, 21, 28], [NAN, 800, 100, 210, 340], "NOT_FALLING"),
    ],
)
def test_a_missing_censored_half_life_has_its_reason(times, values, reason):
    fit = tobit(one(times, values))
    assert fit.reason[0] == reason
    assert np.isnan(fit.half_life[0])
    assert np.isnan(fit.lambda_z[0]) == reason.startswith("TOBIT")


@pytest.mark.rule("KIN-09")
def test_scale_and_clock_move_the_censored_fit_as_they_must():
    base = tobit(one(TIMES, VALUES, 50.0))
    moved = tobit(one(TIMES * 24.0, VALUES * 1000.0, 50_000.0))
    assert moved.lambda_z[0] == pytest.approx(base.lambda_z[0] / 24, rel=1e-9)
    assert moved.se[0] == pytest.approx(base.se[0] / 24, rel=1e-8)
    assert moved.intercept[0] == pytest.approx(base.intercept[0] + math.log(1000), rel=1e-9)


def test_unknown_meaning_is_refused():
    with pytest.raises(ValueError, match="below"):
        tobit(one(TIMES, VALUES), below="zero")


CURVE = ExpansionCurve(1.5, 800.0, 9.0, 20_000.0, 0.2, 0.02, 0.004)


@pytest.mark.rule("KIN-11")
@pytest.mark.parametrize("end", [0.5, 1.5, 4.0, 9.0, 28.0, 84.0])
def test_area_of_the_curve_is_its_integral(end):
    breaks = [b for b in (1.5, 9.0) if b < end]
    found, _ = integrate.quad(CURVE.at, 0, end, points=breaks or None, limit=200)
    assert CURVE.area(end) == pytest.approx(found, rel=1e-8)


@pytest.mark.rule("KIN-11")
def test_the_curve_falls_to_a_level_once():
    when = CURVE.falls_to(50.0)
    assert CURVE.at(when) == pytest.approx(50.0)
    assert math.isnan(CURVE.falls_to(30_000.0))
    flat = ExpansionCurve(0.0, 10.0, 5.0, 100.0, 0.2, 0.5, 0.0)
    assert math.isinf(flat.falls_to(20.0))
    assert flat.area(10.0) == pytest.approx(integrate.quad(flat.at, 0, 10, points=[5])[0], rel=1e-8)
    assert CURVE.doubling_time == pytest.approx(math.log(2) / CURVE.rho)


@pytest.mark.rule("KIN-11")
def test_a_curve_without_noise_is_fitted_again():
    t = np.array([0.5, 1, 2, 4, 6, 8, 10, 14, 21, 28, 56, 84, 120.0])
    fit = fit_expansion(t, CURVE.at(t), lloq=1.0)
    assert fit.reason == ""
    assert fit.curve.cmax == pytest.approx(CURVE.cmax, rel=0.15)
    assert fit.curve.at(t) == pytest.approx(CURVE.at(t), rel=0.15)
    below = np.where(CURVE.at(t) < 100, NAN, CURVE.at(t))
    assert fit_expansion(t, below, lloq=100.0).curve.cmax == pytest.approx(CURVE.cmax, rel=0.15)


@pytest.mark.rule("KIN-11")
def test_five_samples_are_not_fitted():
    fit = fit_expansion([0, 1, 2, 3, 4], [1, 2, 3, 2, 1.0], lloq=0.1)
    assert (fit.curve, fit.reason) == (None, "TOO_FEW_POINTS")


@pytest.mark.rule("KIN-12")
def test_expansion_from_the_first_quantified_value():
    found = expansion(one([0, 1, 3, 7, 14], [NAN, NAN, 40, 640, 90]))
    assert (found.fold[0], found.start[0], found.reason[0]) == (16, 3, "")
    assert found.doubling_time[0] == pytest.approx(1.0)
    limit = expansion(one([0, 1, 3, 7, 14], [NAN, NAN, 40, 640, 90]), baseline="lloq")
    assert (limit.fold[0], limit.start[0]) == (64, 1)
    assert limit.doubling_time[0] == pytest.approx(1.0)


@pytest.mark.rule("KIN-12")
@pytest.mark.parametrize(
    ("values", "reason"), [([NAN, 900, 100, 50], "TMAX_FIRST"), ([NAN, NAN, NAN, NAN], "ALL_BLQ")]
)
def test_no_expansion_has_a_reason(values, reason):
    found = expansion(one([0, 1, 3, 7], values))
    assert found.reason[0] == reason
    assert np.isnan(found.doubling_time[0])


@pytest.mark.rule("KIN-12")
@pytest.mark.parametrize(
    ("values", "detected", "wanted"),
    [
        ([NAN, 90, 30, NAN], [False, True, True, True], (14, 28, 28)),
        ([NAN, 90, 30, 20], [False, True, True, True], (28, 28, math.inf)),
        ([NAN, NAN, NAN, NAN], [False, False, False, False], (NAN, NAN, NAN)),
    ],
)
def test_loss_lies_between_two_samples(values, detected, wanted):
    found = persistence(one([0, 7, 14, 28], values, detected=detected))
    assert (found.tlast[0], found.last_detected[0], found.lost_by[0]) == pytest.approx(wanted, nan_ok=True)


DAYS = [-1, 0, 1, 3, 7, 14, 28, 35]


@pytest.mark.rule("KIN-15")
def test_cytokine_course_by_hand():
    found = cytokine(one(DAYS, [3.0, NAN, 4.0, 5000.0, 60.0, 8.0, NAN, 7.0], 4.0), uloq=1000.0)
    assert (found.baseline[0], found.peak[0], found.tpeak[0]) == (2, 1000, 3)
    assert (found.fold[0], found.log2_fold[0]) == (500, pytest.approx(math.log2(500)))
    assert (found.last[0], found.tlast[0], found.n_post[0], found.n_blq[0]) == (2, 28, 6, 2)
    assert found.capped[0]
    assert found.t_back[0] == 28
    t, c = [0, 1, 3, 7, 14, 28], [2, 4, 1000, 60, 8, 2]
    assert found.auc[0] == pytest.approx(np.trapezoid(c, t))
    assert found.auc_above[0] == pytest.approx(np.trapezoid(np.array(c) - 2, t))


@pytest.mark.rule("KIN-15")
@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.5, 1e3), min_size=2, max_size=8))
def test_area_above_baseline_is_the_positive_part(values):
    t = np.arange(len(values), dtype=float)
    found = cytokine(one(t, values, 0.1))
    x = np.linspace(0, t[-1], 200_001)
    above = np.trapezoid(np.maximum(np.interp(x, t, values) - values[0], 0), x)
    assert found.auc_above[0] == pytest.approx(above, rel=1e-5, abs=1e-5)
    assert found.auc[0] == pytest.approx(np.trapezoid(values, t), rel=1e-12)


@pytest.mark.rule("KIN-15")
@pytest.mark.parametrize(
    ("days", "reason"), [([1, 2, 3], "NO_BASELINE"), ([-3, -2, 0], "NO_LATER_VALUE"), ([0, 1, 2], "")]
)
def test_a_cytokine_course_says_what_is_missing(days, reason):
    found = cytokine(one(days, [5.0, 6.0, 7.0]))
    assert found.reason[0] == reason
    assert np.isnan(found.fold[0]) == bool(reason)
    assert np.isnan(found.auc[0]) == bool(reason)


@pytest.mark.rule("KIN-15")
def test_a_value_reported_only_as_above_the_limit_counts_as_the_limit():
    samples = one([0, 1, 2], [5.0, NAN, 7.0])
    above = np.array([[False, True, False]])
    assert cytokine(samples, uloq=300.0, above=above).peak[0] == 300
    assert cytokine(samples, above=above).peak[0] == 7


@pytest.mark.rule("KIN-19")
def test_descriptive_numbers():
    found = summary([0.0, 1.0, 4.0, 16.0, NAN])
    assert (found.n, found.n_positive, found.mean, found.median) == (4, 3, 5.25, 2.5)
    assert found.geo_mean == pytest.approx(4)
    assert found.geo_cv == pytest.approx(100 * math.sqrt(math.exp(math.log(4) ** 2) - 1))
    assert (found.low, found.high, found.q1) == (0, 16, 0.75)
    assert summary([0.0, 1.0, 4.0, 16.0], kind=2).q1 == 0.5
    empty = summary([])
    assert empty.n == 0
    assert math.isnan(empty.mean) and math.isnan(empty.geo_cv) and math.isnan(empty.q3)
    assert math.isnan(summary([5.0]).sd)
    assert quantile([1, 2, 3], 0.5, kind=2) == 2


DOSES = np.repeat([1.5, 3.0, 5.0, 7.0], 4)


@pytest.mark.rule("KIN-13")
@pytest.mark.parametrize(
    ("slope", "noise", "verdict"),
    [(1.0, 0.01, "PROPORTIONAL"), (2.0, 0.01, "NOT_PROPORTIONAL"), (1.0, 0.9, "INCONCLUSIVE")],
)
def test_dose_proportionality(slope, noise, verdict):
    error = np.tile([-1, 1, 1, -1], 4) * noise
    found = power_model(DOSES, np.exp(slope * np.log(DOSES) + error))
    assert found.verdict == verdict
    assert found.slope == pytest.approx(slope, abs=1e-9)
    assert (found.critical_low, found.critical_high) == pytest.approx((0.8551, 1.1449), abs=1e-4)
    line = stats.linregress(np.log(DOSES), slope * np.log(DOSES) + error)
    assert found.se == pytest.approx(line.stderr, rel=1e-9)
    assert found.p_value == pytest.approx(line.pvalue, rel=1e-6)


@pytest.mark.rule("KIN-13")
def test_exposures_of_zero_leave_the_model_and_are_counted():
    found = power_model([1, 1, 2, 2, 3], [1.0, 0.0, 2.0, 2.2, NAN])
    assert (found.n, found.n_zero) == (3, 1)
    for doses, values in (([1, 1, 1], [1, 2, 3]), ([1, 2], [1, 2])):
        assert power_model(doses, values).verdict == "NOT_APPLICABLE"
        assert math.isnan(power_model(doses, values).slope)
    exact = power_model([1, 2, 4], [1, 2, 4])
    assert (exact.verdict, exact.p_value) == ("PROPORTIONAL", pytest.approx(0.0, abs=1e-6))


X = np.array([1.0, 2, 4, 8, 16, 32, 64, 128])
Y = np.array([0, 0, 1, 0, 1, 0, 1, 1])


@pytest.mark.rule("KIN-14", source="scipy mannwhitneyu")
def test_two_groups_of_exposures():
    found = exposure_response(X, Y, floor=0.5)
    exact = stats.mannwhitneyu(X[Y == 1], X[Y == 0], method="exact")
    assert found.statistic == exact.statistic
    assert found.test.p_value == pytest.approx(exact.pvalue)
    assert found.auroc == exact.statistic / 16 == auroc(X, Y)
    assert found.interval.lower <= found.auroc <= found.interval.upper
    assert found.shift.estimate == pytest.approx(
        np.median(np.log2(X[Y == 1])[:, None] - np.log2(X[Y == 0])[None, :])
    )
    delong = exposure_response(X, Y, floor=0.5, interval="delong").interval
    wins = (X[Y == 1][:, None] > X[Y == 0][None, :]).astype(float)
    se = math.sqrt(wins.mean(axis=1).var(ddof=1) / 4 + wins.mean(axis=0).var(ddof=1) / 4)
    assert delong.lower == pytest.approx(max(0.0, found.auroc - 1.959964 * se), rel=1e-5)


@pytest.mark.rule("KIN-14")
@pytest.mark.rule("PRV-03")
def test_the_bootstrap_does_not_depend_on_the_order_of_participants():
    order = np.random.default_rng(3).permutation(len(X))
    first = exposure_response(X, Y, floor=0.5, seed=7).interval
    assert exposure_response(X[order], Y[order], floor=0.5, seed=7).interval == first


def test_the_bootstrap_is_reproducible():
    first, again = (exposure_response(X, Y, floor=0.5, seed=7).interval for _ in range(2))
    assert first == again


@pytest.mark.rule("KIN-14")
def test_separated_groups_have_no_likelihood_slope_but_a_firth_slope():
    found = exposure_response(X, X > 10, floor=0.5)
    assert (found.likelihood.reason, found.firth.reason) == ("SEPARATION", "")
    assert math.isnan(found.likelihood.slope)
    assert found.firth.slope > 0


@pytest.mark.rule("KIN-14")
@pytest.mark.parametrize("events", [[0] * 8, [1] + [0] * 7, [1] * 8])
def test_fewer_than_two_events_or_others_are_not_analysed(events):
    found = exposure_response(X, events, floor=0.5)
    assert found.reason == "NOT_APPLICABLE"
    assert (found.test, found.shift) == (None, None)
    assert found.likelihood.reason == found.firth.reason == "NOT_APPLICABLE"
    assert found.interval.status == "NE"


@pytest.mark.rule("KIN-14")
def test_ties_use_midranks_up_to_twenty_then_the_approximation():
    tied = np.array([1.0, 1, 2, 2, 3, 3, 4, 4])
    assert exposure_response(tied, Y, floor=0.5).test.exact
    many = exposure_response(np.tile(tied, 3), np.tile(Y, 3), floor=0.5)
    assert many.test.p_value == many.approximate.p_value


def test_inputs_of_exposure_response_are_checked():
    with pytest.raises(ValueError, match="interval"):
        exposure_response(X, Y, floor=0.5, interval="wald")
    with pytest.raises(ValueError, match="event"):
        exposure_response(X, Y[:5], floor=0.5)
    assert likelihood_slope(np.ones(8), Y).reason == "NOT_APPLICABLE"
    assert math.isnan(auroc(X, np.zeros(8, dtype=int)))
