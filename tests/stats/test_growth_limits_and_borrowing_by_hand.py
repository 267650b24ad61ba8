"""Growth, persistence and carry-over of profiles; limits of a curve by their scale; borrowing of unlike baskets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interim.stats import borrowing as b
from interim.stats.nca_expansion import ExpansionCurve, expansion, persistence
from interim.stats.nca_profile import profiles
from interim.stats.nca_segments import accumulation, boundary_from_slope, subtract_exponential
from interim.stats.survival import kaplan_meier

NAN, INF, Z = math.nan, math.inf, 1.959963984540054


def course(value, time=None, lloq=1.0):
    time = range(len(value)) if time is None else time
    return profiles([0] * len(value), list(time), value=list(value), lloq=lloq)


@pytest.mark.parametrize(
    ("value", "baseline", "fold", "time", "reason"),
    [
        ((NAN, 2, 8), "first_quantified", 4, 1, ""),
        ((NAN, 2, 4, 16), "first_quantified", 8, 2, ""),
        ((NAN, 2, 4, 16, 3), "first_quantified", 8, 2, ""),
        ((5, 2, 4, 16, 3), "first_quantified", 8, 2, ""),
        ((NAN, NAN, 4, 16, 3), "first_quantified", 4, 1, ""),
        ((NAN, 8, 2), "first_quantified", NAN, NAN, "TMAX_FIRST"),
        ((NAN, 8, 8), "first_quantified", NAN, NAN, "TMAX_FIRST"),
        ((NAN, NAN, NAN), "first_quantified", NAN, NAN, "ALL_BLQ"),
        ((9, NAN, NAN), "first_quantified", NAN, NAN, "ALL_BLQ"),
        ((NAN, 2, 8), "lloq", 8, 2, ""),
        ((NAN, NAN, 8), "lloq", 8, 1, ""),
        ((NAN, 8, 2), "lloq", 8, 1, ""),
        ((NAN, NAN, 2, 16), "lloq", 16, 2, ""),
        ((NAN, NAN, NAN), "lloq", NAN, NAN, "ALL_BLQ"),
    ],
)
def test_fold_and_doubling_time(value, baseline, fold, time, reason):
    found = expansion(course(value), baseline=baseline)
    assert found.reason.tolist() == [reason]
    assert found.fold[0] == pytest.approx(fold, nan_ok=True)
    assert found.rate[0] == pytest.approx(math.log(fold) / time, nan_ok=True)
    assert found.doubling_time[0] == pytest.approx(time / math.log2(fold), nan_ok=True)


@pytest.mark.parametrize(
    ("value", "last", "lost_by"),
    [
        ((5, 4, 3), 2, INF),
        ((5, 4, NAN), 1, 2),
        ((5, NAN, NAN), 0, 1),
        ((NAN, 4, NAN), 1, 2),
        ((5, NAN, 3), 2, INF),
        ((NAN, NAN, NAN), NAN, NAN),
    ],
)
def test_the_loss_lies_after_the_last_quantified_sample(value, last, lost_by):
    found = persistence(course(value))
    assert (found.tlast[0], found.lost_after[0]) == pytest.approx((last, last), nan_ok=True)
    assert found.lost_by[0] == pytest.approx(lost_by, nan_ok=True)


@pytest.mark.parametrize(("lag", "foldx", "tmax"), [(0, 8, 3), (1, 2, 3), (2, 100, 9), (0.5, 1.5, 14)])
def test_a_curve_grows_from_its_start_and_declines_in_two_phases(lag, foldx, tmax):
    curve = ExpansionCurve(lag, foldx, tmax, 80.0, 1.0, 0.25, 0.1)
    assert curve.at([lag / 2, lag, tmax]) == pytest.approx([80 / foldx, 80 / foldx, 80])
    assert curve.at([(lag + tmax) / 2])[0] == pytest.approx(80 / math.sqrt(foldx))
    late = 80 * (0.75 * math.exp(-2) + 0.25 * math.exp(-0.2))
    assert curve.at([tmax + 2])[0] == pytest.approx(late)
    assert curve.rho * curve.doubling_time == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [(2, 3, 1.5), (4, 1, 0.25), (1, 0, 0), (0, 1, NAN), (-1, 1, NAN), (NAN, 1, NAN), (1, NAN, NAN)],
)
def test_accumulation(first, second, ratio):
    assert accumulation([first], [second])[0] == pytest.approx(ratio, nan_ok=True)


@pytest.mark.parametrize(
    ("level", "slope", "gap"), [(8, 1, 3), (100, 2, 0), (5, 0, 9), (7, 0.25, 4), (1, NAN, 2)]
)
def test_what_a_slope_leaves_at_a_boundary_is_subtracted_later(level, slope, gap):
    halving = slope * math.log(2)
    rest = boundary_from_slope(np.array([level]), np.array([halving]), gap=np.array([gap]))
    assert rest[0] == pytest.approx(level * 2 ** (-slope * gap), nan_ok=True)
    samples = course((50, 60, 1.5 + level))
    less = subtract_exponential(samples, np.array([float(level)]), slope=np.array([halving]))
    gone = [0 if math.isnan(slope) else level * 2 ** (-slope * t) for t in range(3)]
    wanted = [v - g for v, g in zip((50, 60, 1.5 + level), gone, strict=True)]
    expected = [v if v >= 1 else NAN for v in wanted]
    assert less.value[0] == pytest.approx(expected, nan_ok=True)


SCALES = {
    "plain": (lambda s: s, lambda v: v, lambda s: 1.0),
    "log": (math.log, math.exp, lambda s: 1 / s),
    "log-log": (
        lambda s: math.log(-math.log(s)),
        lambda v: math.exp(-math.exp(v)),
        lambda s: 1 / (s * math.log(s)),
    ),
    "logit": (lambda s: math.log(s / (1 - s)), lambda v: 1 / (1 + math.exp(-v)), lambda s: 1 / (s * (1 - s))),
    "arcsin": (
        lambda s: math.asin(math.sqrt(s)),
        lambda v: math.sin(min(max(v, 0.0), math.pi / 2)) ** 2,
        lambda s: 0.5 / math.sqrt(s * (1 - s)),
    ),
}


@pytest.mark.parametrize("interval", list(SCALES))
@pytest.mark.parametrize(("d", "n"), [(d, n) for n in (2, 3, 5, 12) for d in range(1, n)])
def test_limits_are_symmetric_on_their_scale(interval, d, n):
    """One event time: S = 1 - d/n with the binomial error; the delta method gives the error on the scale."""
    there, back, slope = SCALES[interval]
    s = 1 - d / n
    half = Z * abs(slope(s)) * math.sqrt(s * (1 - s) / n)
    ends = sorted(min(max(back(there(s) + sign * half), 0.0), 1.0) for sign in (-1, 1))
    curve = kaplan_meier([1] * d + [2] * (n - d), [1] * d + [0] * (n - d), interval=interval)
    assert (curve.lower[0], curve.upper[0]) == pytest.approx(tuple(ends), abs=1e-12)


SPLITS = [((0, 1, 2),), ((0, 1), (2,)), ((0, 2), (1,)), ((1, 2), (0,)), ((0,), (1,), (2,))]


@pytest.mark.parametrize(
    ("r", "n"),
    [((0, 0, 0), (1, 1, 1)), ((0, 3, 1), (3, 3, 3)), ((1, 2, 0), (4, 4, 0)), ((2, 5, 1), (9, 7, 2))],
)
@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_three_baskets_are_averaged_over_their_five_partitions(r, n, power):
    """Uniform rates: a block has the evidence r! (n - r)! / (n + 1)!; the number of blocks enters to the power."""

    def counts(block):
        return sum(r[i] for i in block), sum(n[i] for i in block)

    def evidence(x, m):
        return math.factorial(x) * math.factorial(m - x) / math.factorial(m + 1)

    weights = [
        len(split) ** power * math.prod(evidence(*counts(block)) for block in split) for split in SPLITS
    ]
    fit = b.partition_average(r, n, p0=0.2, prior=b.PartitionPrior(1.0, 1.0, power))
    for place in range(3):
        blocks = [next(counts(block) for block in split if place in block) for split in SPLITS]
        parts = [w * (x + 1) / (m + 2) for w, (x, m) in zip(weights, blocks, strict=True)]
        assert fit.mean[place] == pytest.approx(sum(parts) / sum(weights), rel=1e-10)
