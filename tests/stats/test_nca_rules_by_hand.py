"""Rules below the limit, ties, short profiles, boundaries, statuses and flags, each worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from interim.stats.nca import NcaRules, analyse, nca
from interim.stats.nca_area import partial_area, points, with_back_extrapolation
from interim.stats.nca_profile import (
    BLQ_RULES,
    CARRIED,
    COLLECTED,
    HALF_LLOQ,
    ZERO,
    apply_blq_rule,
    first_true,
    last_true,
    profiles,
)
from interim.stats.nca_segments import accumulation, boundary_from_slope, subtract_exponential, window

NAN = float("nan")
INF = math.inf


def one(times, values, lloq=10.0, **more):
    return profiles([0] * len(times), times, value=values, lloq=lloq, **more)


def series(times, values, rule="zero", lloq=10.0):
    return apply_blq_rule(one(times, values, lloq), rule)


# Leading (before and after the dose), two embedded ones before and after the maximum, two trailing; the limit varies.
TIMES = [-2, 1, 2, 3, 5, 7, 9, 11, 14, 21]
VALUES = [NAN, NAN, 40.0, NAN, 90.0, 70.0, NAN, 30.0, NAN, NAN]
LIMITS = [2.0, 4.0, 4.0, 6.0, 4.0, 4.0, 8.0, 4.0, 10.0, 12.0]
BY_RULE = {
    "zero": (TIMES, [0, 0, 40, 0, 90, 70, 0, 30, 0, 0]),
    "pknca": ([-2, 1, 2, 5, 7, 11, 14, 21], [0, 0, 40, 90, 70, 30, 0, 0]),
    "pre0_post_drop": ([-2, 1, 2, 3, 5, 7, 11], [0, 0, 40, 0, 90, 70, 30]),
    "half_lloq": (TIMES, [0, 0, 40, 3, 90, 70, 4, 30, 5, 6]),
}


@pytest.mark.rule("KIN-01")
@pytest.mark.parametrize("rule", BLQ_RULES)
def test_every_kind_of_sample_below_the_limit(rule):
    times, values = BY_RULE[rule]
    found = series(TIMES, VALUES, rule, LIMITS)
    assert found.time[0][found.valid[0]].tolist() == times
    assert found.conc[0][found.valid[0]].tolist() == values
    assert [TIMES[place] for place in found.place[0] if place >= 0] == times
    assert (found.n_collected[0], found.n_quantified[0], found.n_post[0], found.last_sample[0]) == (
        10,
        4,
        9,
        21,
    )


@pytest.mark.rule("KIN-01")
@pytest.mark.parametrize("rule", BLQ_RULES)
def test_linear_area_under_each_rule_by_hand(rule):
    times, values = BY_RULE[rule]
    last = times.index(11)
    wanted = sum(
        (times[i + 1] - times[i]) * (values[i] + values[i + 1]) / 2
        for i in range(last if rule != "half_lloq" else len(times) - 1)
    )
    rules = NcaRules(blq_rule=rule, auc_method="linear")
    found = nca(one(TIMES, VALUES, LIMITS), rules)
    assert found.values["AUCLST"][0] == pytest.approx(wanted, rel=1e-14)
    assert found.values["TLST"][0] == (21 if rule == "half_lloq" else 11)
    assert found.flags["IMPUTED"][0] == (rule == "half_lloq")
    assert (found.values["NSAMP"][0], found.values["NQUANT"][0]) == (
        len(times),
        sum(v > 0 for v in values),
    )


@pytest.mark.rule("KIN-01")
@pytest.mark.parametrize("rule", BLQ_RULES)
def test_origin_says_what_was_put_in(rule):
    found = series(TIMES, VALUES, rule, LIMITS)
    origin = {TIMES[p]: o for p, o in zip(found.place[0], found.origin[0], strict=True) if p >= 0}
    assert {origin[t] for t in (2, 5, 7, 11)} == {COLLECTED}
    put = {origin[t] for t in (3, 9, 14, 21) if t in origin}
    assert put == {"zero": {ZERO}, "pknca": {ZERO}, "pre0_post_drop": {ZERO}, "half_lloq": {HALF_LLOQ}}[rule]
    assert origin[-2] == origin[1] == ZERO


@pytest.mark.rule("KIN-01")
@pytest.mark.parametrize("pattern", list(itertools.product([False, True], repeat=5)))
def test_rules_on_every_pattern_of_five_samples(pattern):
    """Each sample is judged one by one from the definition of leading, embedded and trailing."""
    values = [float(20 + 7 * i) if seen else NAN for i, seen in enumerate(pattern)]
    seen = [i for i, flag in enumerate(pattern) if flag]
    for rule in BLQ_RULES:
        wanted = [by_definition(i, values, seen, rule) for i in range(5)]
        found = series(list(range(5)), values, rule)
        kept = [(i, v) for i, v in enumerate(wanted) if v is not None]
        assert found.time[0][found.valid[0]].tolist() == [i for i, _ in kept]
        assert found.conc[0][found.valid[0]].tolist() == [v for _, v in kept]


def by_definition(place, values, seen, rule):
    if place in seen:
        return values[place]
    if not seen:
        return 5.0 if rule == "half_lloq" else 0.0
    leading, trailing = place < seen[0], place > seen[-1]
    if rule == "zero" or leading:
        return 0.0
    if rule == "half_lloq":
        return 5.0
    if rule == "pknca":
        return 0.0 if trailing else None
    top = max(seen, key=lambda i: values[i])
    return None if place > top else 0.0


@pytest.mark.rule("KIN-03")
@pytest.mark.parametrize("rule", BLQ_RULES)
def test_a_dropped_sample_before_the_dose_is_no_sample_after_it(rule):
    found = series([-3, -1, 7, 14], [20.0, NAN, 40.0, 30.0], rule)
    area = partial_area(found, 14.0, method="linear")
    assert (area.status[0], bool(area.evaluable[0])) == ("SPARSE", False)
    enough = partial_area(found, 14.0, method="linear", min_post_samples=2)
    assert (enough.status[0], bool(enough.evaluable[0])) == ("COMPLETE", True)


@pytest.mark.rule("KIN-03")
@pytest.mark.parametrize(
    ("last", "value", "status"),
    [
        (28.0, 5.0, "COMPLETE"),
        (27.999, 5.0, "SHORT_TAIL"),
        (25.0, 5.0, "SHORT_TAIL"),
        (24.999, 5.0, "INCOMPLETE"),
        (25.0, NAN, "CLEARED"),
        (24.999, NAN, "INCOMPLETE"),
        (40.0, NAN, "CLEARED"),
    ],
)
def test_status_just_at_and_beside_each_limit(last, value, status):
    found = series([0, 3, 7, last], [NAN, 50.0, 90.0, value], lloq=1.0)
    assert partial_area(found, 28.0, method="linear").status[0] == status


@pytest.mark.rule("KIN-03")
def test_no_sample_is_sparse_and_has_no_area():
    empty = apply_blq_rule(profiles([1], [0.0], value=[5.0], size=3), "zero")
    area = partial_area(empty, 7.0, method="linear")
    assert area.status.tolist() == ["SPARSE"] * 3
    assert np.isnan(area.area).tolist() == [True, False, True]
    assert not area.evaluable.any()


@pytest.mark.parametrize("end", [0.0, -1.0, NAN])
def test_an_end_that_is_not_positive_is_refused(end):
    with pytest.raises(ValueError, match="end must be greater than 0"):
        partial_area(series([0, 1], [20.0, 30.0]), end, method="linear")


@pytest.mark.rule("KIN-05")
@pytest.mark.parametrize("rule", BLQ_RULES)
def test_one_sample_is_a_maximum_without_an_area_or_a_slope(rule):
    found = nca(one([5.0], [70.0]), NcaRules(blq_rule=rule))
    numbers = {name: float(value[0]) for name, value in found.values.items() if not np.isnan(value[0])}
    assert numbers == {
        "CMAX": 70.0,
        "TMAX": 5.0,
        "CLST": 70.0,
        "TLST": 5.0,
        "AUCLST": 0.0,
        "AUCALL": 0.0,
        "AUMCLST": 0.0,
        "NSAMP": 1.0,
        "NQUANT": 1.0,
    }
    assert found.reasons["LAMZHL"][0] == "TOO_FEW_POINTS"
    assert found.reasons["AUCIFP"][0] == "LZ_NOT_ESTIMABLE"


@pytest.mark.rule("KIN-02")
def test_of_equal_maxima_the_first_counts_and_the_slope_starts_after_it():
    found = nca(one([0, 2, 4, 6, 8], [20.0, 80.0, 80.0, 40.0, 20.0]), NcaRules())
    assert (found.values["TMAX"][0], found.points.top[0]) == (2, 1)
    assert found.values["LAMZLL"][0] >= 4


@pytest.mark.rule("KIN-16")
def test_two_samples_at_one_time_add_no_area():
    single = nca(one([0, 4, 8], [20.0, 80.0, 40.0]), NcaRules()).values
    double = nca(one([0, 4, 4, 8], [20.0, 80.0, 80.0, 40.0]), NcaRules()).values
    for name in ("AUCLST", "AUCALL", "AUMCLST", "CMAX", "TMAX", "TLST"):
        assert double[name][0] == pytest.approx(single[name][0], rel=1e-14), name
    step = nca(one([0, 4, 4, 8], [20.0, 80.0, 40.0, 40.0]), NcaRules(auc_method="linear")).values
    assert step["AUCLST"][0] == 4 * 50 + 4 * 40


@pytest.mark.rule("KIN-16")
def test_samples_of_equal_time_keep_the_order_given():
    found = one([4, 0, 4, 4], [1.0, 2.0, 3.0, 4.0])
    assert found.place[0].tolist() == [1, 0, 2, 3]
    assert found.value[0].tolist() == [2, 1, 3, 4]


@pytest.mark.rule("KIN-06")
@pytest.mark.parametrize(
    ("rules", "flag"),
    [
        ({"flag_adj_r2": 0.99}, "LZ_R2"),
        ({"flag_span": 50.0}, "LZ_SPAN"),
        ({"flag_extrap_pct": 0.01}, "AUC_EXTRAP"),
        ({"blq_rule": "half_lloq"}, "IMPUTED"),
    ],
)
def test_each_flag_is_raised_by_its_own_limit_only(rules, flag):
    samples = one([0, 7, 14, 21, 28, 35], [NAN, 900.0, 420.0, 230.0, 90.0, 50.0])
    quiet = {"flag_adj_r2": 0.9, "flag_span": 0.5, "flag_extrap_pct": 50.0}
    assert not any(f[0] for f in nca(samples, NcaRules(**quiet)).flags.values())
    late = one([0, 7, 14, 21, 28, 35, 42], [NAN, 900.0, 420.0, 230.0, 90.0, 50.0, NAN], 50.0)
    chosen = late if flag == "IMPUTED" else samples
    raised = nca(chosen, NcaRules(**{**quiet, **rules})).flags
    assert [name for name, value in raised.items() if value[0]] == [flag]


@pytest.mark.rule("KIN-06")
def test_all_below_the_limit_is_flagged_and_an_empty_profile_is_not():
    found = nca(profiles([1, 1], [0, 7], value=[NAN, NAN], lloq=10.0, size=2), NcaRules())
    assert found.flags["ALL_BLQ"].tolist() == [False, True]
    assert found.reasons["CMAX"].tolist() == ["NO_SAMPLES", ""]
    assert found.values["CMAX"][1] == found.values["AUCLST"][1] == found.values["AUCALL"][1] == 0


@pytest.mark.rule("KIN-07")
@pytest.mark.parametrize(
    ("sample", "state"),
    [(14.0, "EXACT"), (13.3, "CARRIED"), (13.29, "MISSING"), (14.01, "MISSING")],
)
def test_the_edge_of_the_permitted_shift(sample, state):
    part = window(one([0, 5, sample, 20], [20.0, 90, 40, 30]), 0, 14, max_shift=(0, 0.7), dosed=(False, True))
    assert (part.opening[0], part.closing[0]) == ("NONE", state)
    assert part.carried.sum() == (state == "CARRIED")


@pytest.mark.rule("KIN-07")
def test_the_nearest_of_several_earlier_samples_is_carried_even_below_the_limit():
    samples = one([0, 12, 13.5, 13.8, 16], [20.0, 90, 40, NAN, 30], [1.0, 1, 1, 7, 1])
    part = window(samples, 14, INF, max_shift=(2.0, 0), dosed=(True, False))
    assert part.samples.time[0].tolist() == [0, 2]
    assert math.isnan(part.samples.value[0, 0])
    assert (part.samples.lloq[0, 0], part.samples.place[0, 0]) == (7, 3)
    assert not part.samples.detected[0, 0]


@pytest.mark.rule("KIN-07")
def test_a_computed_boundary_belongs_to_no_collected_sample():
    samples = profiles([0, 0, 1, 1, 1], [0, 5, 0, 5, 20], value=[9.0, 80, 8, 90, 30], lloq=1.0)
    part = window(samples, 0, 14, values=(None, np.array([NAN, 12.5])), dosed=(False, True))
    assert part.closing.tolist() == ["MISSING", "EXTRAPOLATED"]
    assert part.samples.time[1].tolist() == [0, 5, 14]
    assert part.samples.value[1].tolist() == [8, 90, 12.5]
    assert part.samples.place.tolist() == [[0, 1, -1], [2, 3, -1]]
    assert part.samples.valid.tolist() == [[True, True, False], [True, True, True]]
    assert part.carried.tolist() == [[False] * 3, [False, False, True]]
    for rule in BLQ_RULES:
        found = analyse(apply_blq_rule(part.samples, rule), NcaRules(blq_rule=rule))
        assert found.values["TLST"].tolist() == [5, 14]
        assert found.series.place[1].tolist() == [2, 3, -1]


@pytest.mark.rule("KIN-07")
def test_collected_beats_carried_beats_computed():
    values = (np.array([1.0]), None)
    exact = window(one([14, 15], [20.0, 30]), 14, INF, max_shift=(9, 0), values=values, dosed=(True, False))
    carried = window(one([13, 15], [20.0, 30]), 14, INF, max_shift=(9, 0), values=values, dosed=(True, False))
    made = window(one([3, 15], [20.0, 30]), 14, INF, max_shift=(9, 0), values=values, dosed=(True, False))
    assert [w.opening[0] for w in (exact, carried, made)] == ["EXACT", "CARRIED", "EXTRAPOLATED"]
    assert [w.samples.value[0, 0] for w in (exact, carried, made)] == [20, 20, 1]


@pytest.mark.rule("KIN-07")
def test_an_empty_window_has_no_sample():
    part = window(one([0, 5], [20.0, 30]), 40, 50, dosed=(True, True))
    assert not part.samples.valid.any()
    assert (part.opening[0], part.closing[0]) == ("MISSING", "MISSING")


@pytest.mark.rule("KIN-07")
def test_carry_over_is_subtracted_from_time_zero_on_and_may_fall_below_the_limit():
    samples = one([-1, 0, 1, 2], [100.0, 100, 60, 29], 10.0)
    found = subtract_exponential(samples, np.array([80.0]), slope=np.array([math.log(2)]))
    assert found.value[0].tolist() == pytest.approx([100, 20, 20, NAN], nan_ok=True)
    kept = subtract_exponential(samples, np.array([80.0]), slope=np.array([NAN]))
    assert kept.value[0].tolist() == [100, 100, 60, 29]
    level = boundary_from_slope(np.array([8.0]), np.array([math.log(2)]), gap=np.array([3.0]))[0]
    assert level == pytest.approx(1)


@pytest.mark.rule("KIN-08")
@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [(2.0, 3.0, 1.5), (0.0, 3.0, NAN), (NAN, 3.0, NAN), (2.0, NAN, NAN), (2.0, 0.0, 0.0)],
)
def test_accumulation(first, second, ratio):
    assert accumulation([first], [second])[0] == pytest.approx(ratio, nan_ok=True)


@pytest.mark.rule("KIN-18")
@pytest.mark.parametrize(
    ("times", "values", "method", "wanted"),
    [
        ([1, 2, 4], [40.0, 20, 11], "logslope", 80.0),
        ([1, 2, 4], [40.0, 40, 11], "logslope", 40.0),
        ([1, 2, 4], [40.0, NAN, 11], "logslope", 40.0),
        ([1, 2, 4], [40.0, 20, 11], "first", 40.0),
        ([1], [40.0], "logslope", 40.0),
    ],
)
def test_bolus_at_time_zero(times, values, method, wanted):
    found = with_back_extrapolation(series(times, values), method)
    assert found.time[0, 0] == 0
    assert found.conc[0, 0] == pytest.approx(wanted)
    assert (found.origin[0, 0], found.place[0, 0]) == (CARRIED, -1)
    with pytest.raises(ValueError, match="method"):
        with_back_extrapolation(series(times, values), "spline")


def test_first_and_last_true():
    flags = np.array([[False, True, True], [False, False, False], [True, False, False]])
    assert first_true(flags).tolist() == [1, 3, 0]
    assert last_true(flags).tolist() == [2, -1, 0]


@pytest.mark.rule("KIN-07")
def test_only_the_sample_before_the_dose_leaves_no_maximum():
    found = points(series([0, 3], [50.0, NAN]), later=True)
    assert (found.cmax[0], found.top[0], math.isnan(found.tmax[0])) == (0, -1, True)
    assert (found.clast[0], found.tlast[0]) == (50, 0)
