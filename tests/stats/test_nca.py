"""Non-compartmental analysis: rules below the limit, areas, evaluability, terminal slope, invariances."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.stats.nca import NcaRules, analyse, nca, sensitivity
from interim.stats.nca_area import area_to, partial_area, points, segments, with_back_extrapolation
from interim.stats.nca_profile import BLQ_RULES, HALF_LLOQ, ZERO, apply_blq_rule, at, profiles
from interim.stats.nca_terminal import two_phase

NAN = float("nan")
METHODS = ("linear", "lin up/log down", "lin-log")


def one(times, values, lloq=10.0, **more):
    return profiles([0] * len(times), times, value=values, lloq=lloq, **more)


def series(times, values, lloq=10.0, rule="zero"):
    return apply_blq_rule(one(times, values, lloq), rule)


COURSE = ([0, 1, 3, 7, 14, 21, 28], [NAN, 20.0, NAN, 80.0, 40.0, NAN, NAN])


@pytest.mark.rule("KIN-01")
@pytest.mark.parametrize(
    ("rule", "times", "values"),
    [
        ("zero", [0, 1, 3, 7, 14, 21, 28], [0, 20, 0, 80, 40, 0, 0]),
        ("pknca", [0, 1, 7, 14, 21, 28], [0, 20, 80, 40, 0, 0]),
        ("pre0_post_drop", [0, 1, 3, 7, 14], [0, 20, 0, 80, 40]),
        ("half_lloq", [0, 1, 3, 7, 14, 21, 28], [0, 20, 5, 80, 40, 5, 5]),
    ],
)
def test_rule_below_the_limit(rule, times, values):
    found = series(*COURSE, rule=rule)
    assert found.time[0][found.valid[0]].tolist() == times
    assert found.conc[0][found.valid[0]].tolist() == values
    assert (found.n_collected[0], found.n_quantified[0], found.last_sample[0]) == (7, 3, 28)


@pytest.mark.rule("KIN-01")
@pytest.mark.parametrize(
    ("rule", "value"), [("zero", 0), ("pknca", 0), ("pre0_post_drop", 0), ("half_lloq", 5)]
)
def test_rule_without_any_quantified_sample(rule, value):
    found = series([0, 7, 14], [NAN] * 3, rule=rule)
    assert found.conc[0].tolist() == [value] * 3
    analysed = nca(one([0, 7, 14], [NAN] * 3), NcaRules(blq_rule=rule))
    assert analysed.flags["ALL_BLQ"][0]
    assert analysed.reasons["LAMZ"][0] == "ALL_BLQ"
    if rule != "half_lloq":
        assert (analysed.values["CMAX"][0], analysed.values["AUCLST"][0]) == (0, 0)
        assert {str(analysed.reasons[name][0]) for name in ("TMAX", "TLST", "CLST")} == {"ALL_BLQ"}


@pytest.mark.rule("KIN-01")
def test_origin_of_each_value_is_kept():
    found = series(*COURSE, rule="half_lloq")
    assert found.origin[0].tolist() == [ZERO, 0, HALF_LLOQ, 0, 0, HALF_LLOQ, HALF_LLOQ]
    dropped = series(*COURSE, rule="pknca")
    assert dropped.place[0].tolist() == [0, 1, 3, 4, 5, 6, -1]


@pytest.mark.parametrize(
    ("times", "values"),
    [([0, NAN], [1, 2]), ([0, 1], [1, -2]), ([0, 1], [1, math.inf]), ([0, math.inf], [1, 1])],
)
def test_illegal_samples_are_refused(times, values):
    with pytest.raises(ValueError, match="must be finite"):
        one(times, values)


def test_unknown_rules_are_refused():
    with pytest.raises(ValueError, match="rule"):
        series([0, 1], [1, 2], rule="drop")
    with pytest.raises(ValueError, match="method"):
        nca(one([0, 1], [1, 2]), NcaRules(auc_method="spline"))
    with pytest.raises(ValueError, match="compete"):
        nca(one([0, 1], [1, 2]), NcaRules(compete="some"))
    with pytest.raises(ValueError, match="end"):
        nca(one([0, 1], [1, 2]), NcaRules()).partial(0.0)


def trapezoid(t1, c1, t2, c2, log):
    return (t2 - t1) * (c2 - c1) / math.log(c2 / c1) if log else (t2 - t1) * (c1 + c2) / 2


@pytest.mark.rule("KIN-02")
@pytest.mark.parametrize("method", METHODS)
def test_areas_by_hand(method):
    t, c = [0, 2, 5, 9, 12], [0.0, 10.0, 40.0, 40.0, 8.0]
    tmax = 5
    total = 0.0
    for i in range(4):
        falls = c[i + 1] < c[i] and c[i + 1] > 0
        late = t[i] >= tmax and c[i] > 0 and c[i + 1] > 0 and c[i] != c[i + 1]
        log = {"linear": False, "lin up/log down": falls, "lin-log": late}[method]
        total += trapezoid(t[i], c[i], t[i + 1], c[i + 1], log)
    found = nca(one(t, c, 1.0), NcaRules(auc_method=method)).values
    assert found["AUCLST"][0] == pytest.approx(total, rel=1e-14)
    assert (found["CMAX"][0], found["TMAX"][0], found["TLST"][0], found["CLST"][0]) == (40, 5, 12, 8)


@pytest.mark.rule("KIN-02")
def test_moment_is_the_integral_of_time_times_concentration():
    t, c = [0, 3, 10], [0.0, 60.0, 6.0]
    found = nca(one(t, c, 1.0), NcaRules()).values["AUMCLST"][0]
    x = np.linspace(3, 10, 200_001)
    falling = np.trapezoid(x * 60 * (6 / 60) ** ((x - 3) / 7), x)
    rising = 3 * (0 * 0 + 3 * 60) / 2
    assert found == pytest.approx(falling + rising, rel=1e-9)


@pytest.mark.rule("KIN-02")
@pytest.mark.parametrize(
    ("end", "wanted"),
    [(1.0, 5.0), (2.0, 20.0), (4.0, 20 + trapezoid(2, 20, 4, 20 * (5 / 20) ** 0.5, True)), (50.0, None)],
)
def test_partial_area_is_interpolated_by_the_rule_of_its_segment(end, wanted):
    samples = one([0, 2, 6, 8], [0.0, 20.0, 5.0, NAN], 2.0)
    area, _ = nca(samples, NcaRules()).partial(end)
    expected = 20 + trapezoid(2, 20, 6, 5, True) if wanted is None else wanted
    assert area.area[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.rule("KIN-02")
def test_a_sample_below_the_limit_before_the_end_stays_inside():
    """A peer takes Tlast inside the interval and loses the area before the zero."""
    samples = one([0, 7, 14, 28, 56], [NAN, 100.0, 50.0, NAN, 20.0])
    area, _ = nca(samples, NcaRules(auc_method="linear")).partial(28.0)
    assert area.area[0] == 350 + 525 + 350


@pytest.mark.rule("KIN-02")
def test_area_to_the_end_is_extrapolated_only_after_the_last_sample():
    t = np.array([0.0, 1, 2, 4, 8])
    found = nca(one(t, 100 * np.exp(-0.2 * t), 0.1), NcaRules(with_tmax=True))
    _, early = found.partial(6.0)
    _, late = found.partial(20.0)
    assert early[0] == pytest.approx(100 / 0.2 * (1 - math.exp(-1.2)), rel=1e-9)
    assert late[0] == pytest.approx(100 / 0.2 * (1 - math.exp(-4.0)), rel=1e-9)


@pytest.mark.rule("KIN-02")
def test_the_tail_of_aucall_is_half_a_rectangle():
    found = nca(one([0, 7, 14, 21], [NAN, 90.0, 30.0, NAN]), NcaRules()).values
    assert found["AUCALL"][0] - found["AUCLST"][0] == pytest.approx(30 * 7 / 2)
    without = nca(one([0, 7, 14], [NAN, 90.0, 30.0]), NcaRules()).values
    assert without["AUCALL"][0] == without["AUCLST"][0]


@pytest.mark.rule("KIN-03")
@pytest.mark.parametrize(
    ("times", "values", "status", "evaluable"),
    [
        ([0, 7, 14, 28], [NAN, 90, 60, 30], "COMPLETE", True),
        ([0, 7, 14, 28], [NAN, 90, 60, NAN], "CLEARED", True),
        ([0, 7, 14, 26], [NAN, 90, 60, 30], "SHORT_TAIL", True),
        ([0, 7, 14, 21], [NAN, 90, 60, 30], "INCOMPLETE", False),
        ([0, 7, 14, 21], [NAN, 90, 60, NAN], "INCOMPLETE", False),
        ([0, 7, 28], [NAN, 90, 60], "SPARSE", False),
        ([0, 7, 14, 28], [NAN, NAN, NAN, NAN], "CLEARED", True),
        ([0, 3, 7, 14], [NAN, NAN, NAN, NAN], "INCOMPLETE", False),
    ],
)
@pytest.mark.parametrize("rule", ["zero", "pknca", "pre0_post_drop"])
def test_evaluability_of_the_area(times, values, status, evaluable, rule):
    area, _ = nca(one(times, values), NcaRules(blq_rule=rule)).partial(28.0)
    assert (area.status[0], bool(area.evaluable[0])) == (status, evaluable)
    assert np.isfinite(area.area[0])


@pytest.mark.rule("KIN-03")
def test_evaluability_limits_are_parameters():
    found = series([0, 7, 21], [NAN, 90, 60])
    area = partial_area(found, 28.0, method="linear", min_post_samples=2, min_last=20.0)
    assert area.status[0] == "SHORT_TAIL"
    assert partial_area(found, 28.0, method="linear", min_post_samples=2).status[0] == "INCOMPLETE"


def fitted(t, y):
    """Least squares and adjusted R2 of numpy for one window."""
    slope, level = np.polyfit(t, y, 1)
    rest = y - slope * t - level
    n, r2 = len(t), 1 - rest @ rest / ((y - y.mean()) @ (y - y.mean()))
    return slope, r2, 1 - (1 - r2) * (n - 1) / (n - 2)


@pytest.mark.rule("KIN-04")
def test_every_window_is_a_least_squares_fit():
    t = np.array([0, 2, 4, 7, 11, 16, 22.0])
    c = np.array([1, 900, 500, 350, 90, 60, 11.0])
    found = nca(one(t, c, 0.5), NcaRules())
    table = found.terminal.candidates
    for k in range(3, 6):
        slope, r2, adjusted = fitted(t[-k:], np.log(c[-k:]))
        assert table.slope[0, k - 1] == pytest.approx(slope, rel=1e-10)
        assert table.r2[0, k - 1] == pytest.approx(r2, rel=1e-10)
        assert table.adj_r2[0, k - 1] == pytest.approx(adjusted, rel=1e-10)
    best = max(range(3, 6), key=lambda k: fitted(t[-k:], np.log(c[-k:]))[2])
    assert found.values["LAMZNPT"][0] == best
    why = table.why_not(1e-4)[0]
    assert why[best - 1] == "CHOSEN"
    assert why[:2].tolist() == ["TOO_FEW_POINTS"] * 2
    assert "WORSE_FIT" in why.tolist()
    assert found.terminal.used[0].sum() == best
    assert found.audit()["LAMZ"][0].sum() == best
    assert found.audit()["CMAX"][0].tolist() == [False, True] + [False] * 5
    assert found.audit()["AUCLST"][0].all()


@pytest.mark.rule("KIN-04")
def test_among_equal_fits_the_longest_window_wins_with_strict_tolerance():
    t = np.arange(8.0)
    c = 1000 * np.exp(-0.3 * t)
    c[0] = 10.0
    found = nca(one(t, c, 0.5), NcaRules())
    assert found.values["LAMZNPT"][0] == 6
    assert found.terminal.candidates.why_not(1e-4)[0].tolist()[2:6] == ["FEWER_POINTS"] * 3 + ["CHOSEN"]
    assert math.isnan(nca(one(t, c, 0.5), NcaRules(tolerance=0.0, min_points=7)).values["LAMZ"][0])


@pytest.mark.rule("KIN-05")
@pytest.mark.parametrize(
    ("times", "values", "reason"),
    [
        ([0, 7, 14], [NAN, 90.0, 30.0], "TOO_FEW_POINTS"),
        ([0, 7, 14, 21, 28], [NAN, 90.0, 30.0, 35.0, 40.0], "NO_NEGATIVE_SLOPE"),
        ([0, 7, 14, 21, 28], [NAN, 90.0, 30.0, 30.0, 30.0], "FLAT_TAIL"),
        ([0, 7, 14], [NAN, NAN, NAN], "ALL_BLQ"),
    ],
)
def test_a_missing_slope_has_its_reason_and_hands_it_on(times, values, reason):
    found = nca(one(times, values), NcaRules())
    assert found.reasons["LAMZ"][0] == reason
    assert found.reasons["AUCIFO"][0] == "LZ_NOT_ESTIMABLE"
    assert np.isnan(found.values["MRTIFO"][0])


@pytest.mark.rule("KIN-05")
def test_an_empty_profile_has_reasons_too():
    empty = profiles([1, 1, 1, 1], [0, 1, 2, 3], value=[8.0, 4, 2, 1], size=3)
    found = nca(empty, NcaRules(with_tmax=True))
    for name, value in found.values.items():
        if name not in ("NSAMP", "NQUANT"):
            assert np.isnan(value[0]), name
            assert found.reasons[name][0] == "NO_SAMPLES", name
        assert found.reasons[name][1] == ""
    assert found.values["LAMZHL"][1] == pytest.approx(1.0)


@pytest.mark.rule("KIN-04")
def test_points_before_the_end_of_the_infusion_are_not_used():
    t, c = np.arange(7.0), np.array([1, 64, 32, 16, 8, 4, 2.0])
    assert nca(one(t, c, 0.5), NcaRules()).values["LAMZNPT"][0] == 5
    assert nca(one(t, c, 0.5), NcaRules(), after=3.0).values["LAMZNPT"][0] == 3
    assert nca(one(t, c, 0.5), NcaRules(), after=np.array([4.0])).reasons["LAMZ"][0] == "TOO_FEW_POINTS"


@pytest.mark.rule("KIN-06")
def test_weak_slopes_are_flagged_and_kept():
    strict = NcaRules(flag_extrap_pct=1.0)
    noisy = nca(one([0, 7, 14, 21, 28], [NAN, 900.0, 100.0, 160.0, 60.0]), strict)
    assert noisy.flags["LZ_R2"][0]
    assert noisy.flags["LZ_SPAN"][0]
    assert noisy.flags["AUC_EXTRAP"][0]
    assert np.isfinite(noisy.values["LAMZ"][0])
    lenient = NcaRules(flag_adj_r2=-5.0, flag_span=0.1, flag_extrap_pct=100.0)
    kept = nca(one([0, 7, 14, 21, 28], [NAN, 900.0, 100.0, 160.0, 60.0]), lenient)
    assert not any(kept.flags[name][0] for name in ("LZ_R2", "LZ_SPAN", "AUC_EXTRAP", "ALL_BLQ", "IMPUTED"))
    assert kept.values["LAMZ"][0] == noisy.values["LAMZ"][0]


@pytest.mark.rule("KIN-10")
def test_two_phases_are_found_again():
    t = np.array([0, 7, 10, 14, 21, 28, 42, 56, 84.0])
    c = np.where(t <= 28, 1e4 * np.exp(-0.2 * (t - 7)), 1e4 * np.exp(-0.2 * 21) * np.exp(-0.02 * (t - 28)))
    c[0] = 1.0
    found = series(t, c, 0.1)
    fixed = two_phase(found, points(found), break_time=28.0)
    free = two_phase(found, points(found), break_time=None)
    for phases in (fixed, free):
        assert phases.early[0] == pytest.approx(math.log(2) / 0.2, rel=1e-9)
        assert phases.late[0] == pytest.approx(math.log(2) / 0.02, rel=1e-9)
        assert phases.break_time[0] in (21, 28)
    short = two_phase(found, points(found), break_time=8.0)
    assert (short.early_reason[0], np.isnan(short.early[0])) == ("TOO_FEW_POINTS", True)
    rising = series([0, 7, 14, 21, 28, 35, 42], [1, 90, 50, 30, 30, 40, 50.0], 0.1)
    assert two_phase(rising, points(rising), break_time=21.0).late_reason[0] == "NO_NEGATIVE_SLOPE"


@pytest.mark.rule("KIN-18")
def test_bolus_concentration_at_time_zero():
    t = np.array([0.5, 1, 2, 4, 8])
    found = with_back_extrapolation(series(t, 50 * np.exp(-0.4 * t), 0.1), "logslope")
    assert found.conc[0, 0] == pytest.approx(50)
    parts = segments(found, "lin up/log down", tmax=points(found).tmax)
    assert area_to(parts, 8.0)[0] == pytest.approx(50 / 0.4 * (1 - math.exp(-3.2)))
    rises = with_back_extrapolation(series([0.5, 1], [10.0, 20.0], 0.1), "logslope")
    assert rises.conc[0].tolist() == [10, 10, 20]
    assert with_back_extrapolation(series([0.5, 1], [20.0, 10.0], 0.1), "first").conc[0, 0] == 20
    unchanged = with_back_extrapolation(series([0, 1], [20.0, 10.0], 0.1), "first")
    assert unchanged.conc[0, :2].tolist() == [20, 10]
    assert unchanged.valid[0].tolist() == [True, True, False]


def test_one_value_of_each_row_is_missing_outside():
    assert at(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([-1, 1])).tolist()[1] == 4
    assert np.isnan(at(np.array([[1.0]]), np.array([1]))[0])


def test_sensitivity_panel_holds_every_rule_and_method():
    panel = sensitivity(one(*COURSE), NcaRules())
    assert set(panel) == {(rule, method) for rule in BLQ_RULES for method in METHODS}
    areas = {key: float(found.values["AUCLST"][0]) for key, found in panel.items()}
    assert areas["half_lloq", "linear"] > areas["zero", "linear"]
    assert all(found.rules.blq_rule == rule for (rule, _), found in panel.items())


profile_lists = st.lists(
    st.tuples(st.floats(0.25, 20.0), st.one_of(st.none(), st.floats(10.0, 1e5))), min_size=2, max_size=12
)


def built(rows, scale=1.0, stretch=1.0):
    times = np.cumsum([gap for gap, _ in rows]) * stretch
    values = [NAN if value is None else value * scale for _, value in rows]
    return list(times), values


FAST = settings(max_examples=40, deadline=None)


@pytest.mark.rule("KIN-16")
@FAST
@given(profile_lists, st.sampled_from(BLQ_RULES), st.sampled_from(METHODS))
def test_units_of_concentration_and_time_scale_the_results(rows, rule, method):
    rules = NcaRules(blq_rule=rule, auc_method=method)
    base = nca(one(*built(rows)), rules).values
    bigger = nca(one(*built(rows, scale=8.0), 80.0), rules).values
    slower = nca(one(*built(rows, stretch=4.0)), rules).values
    assert bigger["AUCLST"][0] == pytest.approx(8 * base["AUCLST"][0], rel=1e-9)
    assert slower["AUCLST"][0] == pytest.approx(4 * base["AUCLST"][0], rel=1e-9)
    assert bigger["TMAX"][0] == pytest.approx(base["TMAX"][0], nan_ok=True)


@pytest.mark.rule("KIN-16")
@FAST
@given(profile_lists, st.sampled_from(["zero", "pknca", "pre0_post_drop"]), st.sampled_from(METHODS))
def test_trailing_samples_below_the_limit_change_nothing(rows, rule, method):
    times, values = built(rows)
    rules = NcaRules(blq_rule=rule, auc_method=method)
    base = nca(one(times, values), rules)
    longer = nca(one([*times, times[-1] + 5, times[-1] + 9], [*values, NAN, NAN]), rules)
    for name in ("AUCLST", "LAMZ", "CMAX", "TLST"):
        assert longer.values[name][0] == pytest.approx(base.values[name][0], rel=1e-12, nan_ok=True)
    assert longer.partial(28.0)[0].area[0] == pytest.approx(base.partial(28.0)[0].area[0], rel=1e-12)


@pytest.mark.rule("KIN-16")
@FAST
@given(profile_lists, st.sampled_from(METHODS))
def test_areas_grow_with_their_end_and_end_at_tlast(rows, method):
    times, values = built(rows)
    found = nca(one(times, values), NcaRules(auc_method=method))
    areas = [found.partial(end)[0].area[0] for end in (1.0, 5.0, 20.0, 80.0, 1000.0)]
    assert all(a <= b * (1 + 1e-12) + 1e-12 for a, b in pairwise(areas))
    assert areas[-1] == pytest.approx(found.values["AUCLST"][0], rel=1e-12)
    straight = nca(one(times, values), NcaRules(auc_method="linear")).values["AUCLST"][0]
    log_down = nca(one(times, values), NcaRules()).values["AUCLST"][0]
    assert straight >= log_down * (1 - 1e-12)


@pytest.mark.rule("KIN-16")
@FAST
@given(profile_lists, st.sampled_from(["linear", "lin up/log down"]), st.floats(0.05, 0.95))
def test_a_sample_on_the_curve_changes_no_area(rows, method, share):
    times, values = built([(gap, value or 10.0) for gap, value in rows])
    place = len(times) // 2
    t1, t2, c1, c2 = times[place - 1], times[place], values[place - 1], values[place]
    log = method != "linear" and c2 < c1
    middle = c1 * (c2 / c1) ** share if log else c1 + share * (c2 - c1)
    more = nca(one([*times, t1 + share * (t2 - t1)], [*values, middle]), NcaRules(auc_method=method)).values
    base = nca(one(times, values), NcaRules(auc_method=method)).values
    assert more["AUCLST"][0] == pytest.approx(base["AUCLST"][0], rel=1e-10)


@pytest.mark.rule("KIN-16")
@settings(max_examples=25, deadline=None)
@given(st.lists(profile_lists, min_size=2, max_size=6), st.sampled_from(BLQ_RULES), st.randoms())
def test_a_batch_gives_what_each_profile_gives_alone_in_any_order(many, rule, random):
    rules = NcaRules(blq_rule=rule)
    alone = [nca(one(*built(rows)), rules) for rows in many]
    long = [(i, t, v) for i, rows in enumerate(many) for t, v in zip(*built(rows), strict=True)]
    random.shuffle(long)
    row, time, value = zip(*long, strict=True)
    batch = nca(profiles(row, time, value=value, lloq=10.0), rules)
    for i, single in enumerate(alone):
        for name, found in single.values.items():
            assert batch.values[name][i] == pytest.approx(found[0], rel=1e-12, nan_ok=True), name
            assert batch.reasons[name][i] == single.reasons[name][0]
        assert batch.partial(28.0)[0].status[i] == single.partial(28.0)[0].status[0]


@pytest.mark.rule("KIN-16")
@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 2.0), st.floats(10.0, 1e6), st.integers(5, 12))
def test_one_exponential_is_recovered_exactly(rate, level, n):
    t = np.linspace(0, 3 / rate, n)
    rules = NcaRules(with_tmax=True)
    found = nca(one(t, level * np.exp(-rate * t), 1e-9), rules).values
    assert found["LAMZ"][0] == pytest.approx(rate, rel=1e-9)
    assert found["AUCIFO"][0] == pytest.approx(level / rate, rel=1e-9)
    assert found["MRTIFO"][0] == pytest.approx(1 / rate, rel=1e-8)
    assert found["SPAN"][0] == pytest.approx(3 / math.log(2), rel=1e-9)


def test_the_sample_before_a_later_dose_is_no_maximum():
    found = analyse(series([0, 1, 2, 3], [50.0, 20.0, 10.0, 5.0], 1.0), NcaRules(), later=True)
    assert (found.values["CMAX"][0], found.values["TMAX"][0]) == (20, 1)
    assert found.values["AUCLST"][0] > 50 * 0.5
