"""Profiles whose parameters are known in closed form, and properties that hold for every profile."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from interim.stats.nca import Nca, NcaRules, nca
from interim.stats.nca_area import area_to, area_to_infinity, partial_area, points, segments
from interim.stats.nca_profile import BLQ_RULES, apply_blq_rule, profiles
from interim.stats.nca_segments import window
from interim.stats.nca_terminal import two_phase

NAN = float("nan")
METHODS = ("linear", "lin up/log down", "lin-log")
TIMELESS = ("NSAMP", "NQUANT", "LAMZNPT", "R2", "R2ADJ", "SPAN", "AUCPEO", "AUCPEP")


def one(times, values, lloq=1e-9, **more):
    return profiles([0] * len(times), times, value=values, lloq=lloq, **more)


def values(times, concentrations, **rules) -> dict[str, float]:
    found = nca(one(times, concentrations), NcaRules(**rules))
    return {name: float(value[0]) for name, value in found.values.items()}


@pytest.mark.rule("KIN-16", source="closed form of one exponential")
@pytest.mark.parametrize("rate", [0.01, 0.2, 3.0])
@pytest.mark.parametrize("level", [0.5, 4e6])
def test_every_parameter_of_one_exponential(rate, level):
    t = np.array([0.0, 0.4, 1.0, 1.7, 3.0, 4.0]) / rate
    end = t[-1]
    gone = math.exp(-rate * end)
    wanted = {
        "CMAX": level,
        "TMAX": 0.0,
        "CLST": level * gone,
        "CLSTP": level * gone,
        "TLST": end,
        "AUCLST": level / rate * (1 - gone),
        "AUCALL": level / rate * (1 - gone),
        "AUMCLST": level / rate**2 * (1 - gone * (1 + rate * end)),
        "LAMZ": rate,
        "LAMZHL": math.log(2) / rate,
        "LAMZNPT": 6,
        "LAMZLL": 0.0,
        "LAMZUL": end,
        "R2": 1.0,
        "R2ADJ": 1.0,
        "SPAN": 4.0 / math.log(2),
        "AUCIFO": level / rate,
        "AUCIFP": level / rate,
        "AUCPEO": 100 * gone,
        "AUCPEP": 100 * gone,
        "AUMCIFO": level / rate**2,
        "MRTIFO": 1 / rate,
        "NSAMP": 6,
        "NQUANT": 6,
    }
    found = values(t, level * np.exp(-rate * t), with_tmax=True)
    assert set(found) == set(wanted)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.rule("KIN-02", source="closed form of two exponentials")
def test_two_exponentials_on_a_fine_grid():
    a, alpha, b, beta = 900.0, 1.1, 100.0, 0.07
    t = np.concatenate([np.linspace(0, 10, 4001), np.linspace(10, 120, 2201)[1:]])
    c = a * np.exp(-alpha * t) + b * np.exp(-beta * t)
    found = values(t, c, with_tmax=True, tolerance=1e-13)
    assert found["AUCIFO"] == pytest.approx(a / alpha + b / beta, rel=1e-6)
    assert found["AUMCIFO"] == pytest.approx(a / alpha**2 + b / beta**2, rel=1e-5)
    assert found["LAMZ"] == pytest.approx(beta, rel=1e-6)


@pytest.mark.rule("KIN-02", source="closed form of two exponentials")
def test_linear_areas_of_a_convex_course_lie_above_the_truth_and_log_ones_are_nearer():
    t = np.array([0, 0.5, 1, 2, 4, 7, 14, 28.0])
    c = 900 * np.exp(-1.1 * t) + 100 * np.exp(-0.07 * t)
    truth = 900 / 1.1 * -math.expm1(-1.1 * 28) + 100 / 0.07 * -math.expm1(-0.07 * 28)
    linear, log = (values(t, c, auc_method=method)["AUCLST"] for method in METHODS[:2])
    assert truth < log < linear
    assert values(t, c, auc_method="lin-log")["AUCLST"] == pytest.approx(log, rel=1e-14)


@pytest.mark.rule("KIN-02", source="scipy quad")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("end", [0.3, 1.0, 2.6, 5.0, 6.5, 9.0, 30.0])
def test_partial_area_is_the_integral_of_the_interpolated_course(method, end):
    t, c = np.array([0, 1, 2, 5, 6, 9.0]), np.array([0.0, 4.0, 16.0, 16.0, 2.0, 3.0])

    def course(x):
        i = min(int(np.searchsorted(t, x, side="right")) - 1, len(t) - 2)
        share = (x - t[i]) / (t[i + 1] - t[i])
        falls = 0 < c[i + 1] < c[i]
        late = t[i] >= 2 and c[i] > 0
        if {"linear": False, "lin up/log down": falls, "lin-log": late}[method]:
            return c[i] * (c[i + 1] / c[i]) ** share
        return c[i] + share * (c[i + 1] - c[i])

    stop = min(end, 9.0)
    inner = [x for x in t if 0 < x < stop]
    wanted = integrate.quad(course, 0, stop, points=inner or None, limit=200)[0]
    found = nca(one(t, c), NcaRules(auc_method=method))
    assert found.partial(end)[0].area[0] == pytest.approx(wanted, rel=1e-9)
    assert found.area_until(np.array([end]))[0] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.rule("KIN-02")
@pytest.mark.parametrize("method", METHODS)
def test_nearly_equal_concentrations_have_the_area_of_a_trapezoid(method):
    c = [100.0, 100.0 * (1 - 1e-13), 100.0 * (1 - 2e-13)]
    found = nca(one([0, 5, 10], c), NcaRules(auc_method=method)).values["AUCLST"][0]
    assert found == pytest.approx(1000.0, rel=1e-12)


@pytest.mark.rule("KIN-02")
def test_extrapolated_area_by_hand_and_missing_slope():
    series = apply_blq_rule(one([0, 1, 2], [8.0, 4.0, 2.0]), "zero")
    found = points(series)
    area = partial_area(series, 4.0, method="linear", found=found)
    rate = math.log(2)
    wanted = 6 + 3 + 2 / rate * (1 - math.exp(-2 * rate))
    assert area_to_infinity(area, found, lambda_z=np.array([rate]))[0] == pytest.approx(wanted)
    assert math.isnan(area_to_infinity(area, found, lambda_z=np.array([NAN]))[0])
    short = partial_area(series, 2.0, method="linear", found=found)
    assert area_to_infinity(short, found, lambda_z=np.array([NAN]))[0] == 9.0


@pytest.mark.rule("KIN-08")
@pytest.mark.parametrize("method", ["linear", "lin up/log down"])
@pytest.mark.parametrize("seed", range(5))
def test_areas_of_cycles_add_up_to_twelve_digits(method, seed):
    rng = np.random.default_rng(seed)
    t = np.sort(np.concatenate([[0, 14, 28, 56.0], rng.uniform(0, 56, 12)]))
    c = np.exp(rng.normal(5, 2, len(t)))
    whole = nca(one(t, c), NcaRules(auc_method=method)).values["AUCLST"][0]
    total = 0.0
    for start, end in ((0, 14), (14, 28), (28, 56)):
        part = window(one(t, c), start, end, dosed=(start > 0, end < 56))
        assert "MISSING" not in (part.opening[0], part.closing[0])
        total += nca(part.samples, NcaRules(auc_method=method)).values["AUCLST"][0]
    assert total == pytest.approx(whole, rel=1e-12)


@pytest.mark.rule("KIN-04", source="numpy polyfit of every window")
@pytest.mark.parametrize("compete", ["negative_only", "all_windows"])
@pytest.mark.parametrize("with_tmax", [False, True])
@pytest.mark.parametrize("tolerance", [1e-4, 0.05, 0.5])
def test_the_choice_among_windows_by_brute_force(compete, with_tmax, tolerance):
    rng = np.random.default_rng(11)
    for _ in range(25):
        n = int(rng.integers(3, 12))
        t = np.cumsum(rng.uniform(0.5, 5, n))
        c = np.exp(6 - 0.1 * t + rng.normal(0, 0.6, n))
        found = nca(one(t, c), NcaRules(compete=compete, with_tmax=with_tmax, tolerance=tolerance))
        fits = brute_force(t, c, with_tmax)
        wanted = best_window(fits, compete, tolerance)
        assert found.values["LAMZNPT"][0] == pytest.approx(wanted or NAN, nan_ok=True)
        why = found.terminal.candidates.why_not(tolerance, compete)[0]
        assert (why == "CHOSEN").sum() == (wanted is not None)
        if wanted is None:
            assert found.reasons["LAMZ"][0] == ("NO_NEGATIVE_SLOPE" if fits else "TOO_FEW_POINTS")
            assert "FEWER_POINTS" not in why
        else:
            assert found.values["LAMZ"][0] == pytest.approx(-fits[wanted][0], rel=1e-9)
            assert found.values["R2ADJ"][0] == pytest.approx(fits[wanted][1], rel=1e-8)


def brute_force(t, c, with_tmax) -> dict[int, tuple[float, float]]:
    """Slope and adjusted R2 of every window of the last points, by number of points."""
    first = int(c.argmax()) + (not with_tmax)
    answer = {}
    for n in range(3, len(t) - first + 1):
        x, y = t[-n:], np.log(c[-n:])
        slope = float(np.polyfit(x, y, 1)[0])
        r2 = float(np.corrcoef(x, y)[0, 1]) ** 2
        answer[n] = (slope, 1 - (1 - r2) * (n - 1) / (n - 2))
    return answer


def best_window(fits, compete, tolerance) -> int | None:
    rivals = [r for slope, r in fits.values() if slope < 0 or compete == "all_windows"]
    near = [n for n, (slope, r) in fits.items() if slope < 0 and r > max(rivals) - tolerance]
    return max(near, default=None)


@pytest.mark.rule("KIN-04")
def test_a_falling_window_beaten_by_a_rising_one_is_a_worse_fit():
    t, c = np.arange(8.0), np.array([10_000, 900, 100, 800, 90, 10.0, 20.0, 40.0])
    rules = NcaRules(compete="all_windows")
    found = nca(one(t, c), rules)
    assert found.reasons["LAMZ"][0] == "NO_NEGATIVE_SLOPE"
    table = found.terminal.candidates
    why = table.why_not(rules.tolerance, rules.compete)[0]
    falls = table.candidate[0] & (table.slope[0] < 0)
    assert falls.any()
    assert set(why[falls].tolist()) == {"WORSE_FIT"}


@pytest.mark.rule("KIN-10", source="numpy polyfit of every break")
@pytest.mark.parametrize("seed", range(4))
def test_the_fitted_break_has_the_smallest_sum_of_squares(seed):
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.uniform(1, 5, 11))
    c = np.exp(np.where(t < 18, 8 - 0.3 * t, 3 - 0.02 * t) + rng.normal(0, 0.2, len(t)))
    c[0] = 1e6
    series = apply_blq_rule(one(t, c), "zero")

    def rest(use):
        line = np.polyfit(t[use], np.log(c[use]), 1)
        return float(((np.log(c[use]) - np.polyval(line, t[use])) ** 2).sum())

    sums = {i: rest(t <= t[i]) + rest(t > t[i]) for i in range(2, len(t) - 3)}
    best = min(sums, key=sums.__getitem__)
    found = two_phase(series, points(series), break_time=None)
    assert found.break_time[0] == t[best]
    late = -np.polyfit(t[best + 1 :], np.log(c[best + 1 :]), 1)[0]
    assert found.late[0] == pytest.approx(math.log(2) / late if late > 0 else NAN, rel=1e-8, nan_ok=True)


@pytest.mark.rule("KIN-10")
def test_no_break_leaves_both_phases_without_points():
    series = apply_blq_rule(one([0, 1, 2, 3, 4], [50.0, 40, 30, 20, 10]), "zero")
    found = two_phase(series, points(series), break_time=None)
    assert np.isnan([found.early[0], found.late[0], found.break_time[0]]).all()
    assert (found.early_reason[0], found.late_reason[0]) == ("TOO_FEW_POINTS",) * 2


courses = st.lists(
    st.tuples(st.floats(0.25, 9.0), st.one_of(st.none(), st.floats(1.0, 1e5))), min_size=1, max_size=10
)
QUICK = settings(max_examples=30, deadline=None)


def analysed(rows, rules, *, shift=0.0, size=None, extra=()) -> Nca:
    times = np.cumsum([gap for gap, _ in rows]) + shift
    held = [NAN if value is None else value for _, value in rows]
    row = [0] * len(rows) + [1] * len(extra)
    all_times, all_values = [*times, *range(len(extra))], [*held, *extra]
    return nca(profiles(row, all_times, value=all_values, lloq=1.0, size=size), rules)


@pytest.mark.rule("KIN-16")
@QUICK
@given(courses, st.sampled_from(BLQ_RULES), st.sampled_from(METHODS), st.sampled_from([-64.0, 0.5, 1024.0]))
def test_a_shifted_clock_moves_times_and_nothing_else(rows, rule, method, shift):
    rules = NcaRules(blq_rule=rule, auc_method=method)
    base, moved = analysed(rows, rules), analysed(rows, rules, shift=shift)
    for name in ("CMAX", "CLST", "AUCLST", "AUCALL", "LAMZ", "LAMZNPT", "R2ADJ", "AUCIFO"):
        wanted = base.values[name][0]
        assert moved.values[name][0] == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True), name
    for name in ("TMAX", "TLST", "LAMZLL", "LAMZUL"):
        wanted = base.values[name][0] + shift
        assert moved.values[name][0] == pytest.approx(wanted, abs=1e-9, nan_ok=True), name
    assert {k: str(v[0]) for k, v in base.reasons.items()} == {k: str(v[0]) for k, v in moved.reasons.items()}


@pytest.mark.rule("KIN-16")
@QUICK
@given(courses, st.sampled_from(BLQ_RULES), st.sampled_from(METHODS))
def test_a_wider_matrix_changes_no_digit(rows, rule, method):
    rules = NcaRules(blq_rule=rule, auc_method=method)
    base = analysed(rows, rules)
    wide = analysed(rows, rules, size=3, extra=tuple(float(i + 1) for i in range(17)))
    for name, found in base.values.items():
        assert wide.values[name][0] == pytest.approx(found[0], rel=1e-12, nan_ok=True), name
        assert wide.reasons[name][0] == base.reasons[name][0]
    for name, flag in base.flags.items():
        assert wide.flags[name][0] == flag[0], name
    for name, used in base.audit().items():
        assert wide.audit()[name][0, : used.shape[1]].tolist() == used[0].tolist()
        assert not wide.audit()[name][0, used.shape[1] :].any()


@pytest.mark.rule("KIN-05")
@QUICK
@given(courses, st.sampled_from(BLQ_RULES), st.sampled_from(METHODS))
def test_a_reason_stands_exactly_where_a_value_is_missing(rows, rule, method):
    found = analysed(rows, NcaRules(blq_rule=rule, auc_method=method))
    assert set(found.reasons) == set(found.values)
    for name, value in found.values.items():
        assert np.isnan(value[0]) == bool(found.reasons[name][0]), name
        assert not np.isinf(value[0]), name


@pytest.mark.rule("KIN-16")
@QUICK
@given(courses, st.sampled_from(METHODS), st.sampled_from([0.25, 7.0, 1e4]))
def test_scale_free_parameters_do_not_depend_on_the_unit(rows, method, factor):
    scaled = [(gap, None if value is None else value * factor) for gap, value in rows]
    base = analysed(rows, NcaRules(auc_method=method))
    found = analysed(scaled, NcaRules(auc_method=method))
    for name in TIMELESS:
        assert found.values[name][0] == pytest.approx(base.values[name][0], rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.rule("KIN-02")
@QUICK
@given(courses, st.sampled_from(BLQ_RULES), st.floats(0.1, 60.0), st.floats(0.1, 60.0))
def test_areas_to_two_ends_differ_by_what_lies_between(rows, rule, first, second):
    found = analysed(rows, NcaRules(blq_rule=rule))
    parts = segments(found.series, "lin up/log down", tmax=found.points.tmax)
    low, high = sorted((first, second))
    gap = area_to(parts, high)[0] - area_to(parts, low)[0]
    top = np.nanmax(found.series.conc)
    assert -1e-9 <= gap <= (high - low) * top * (1 + 1e-9) + 1e-6
