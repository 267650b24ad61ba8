"""Cytokine courses by hand: areas in fractions, folds, caps, the way back; and boundaries carried between doses."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from interim.stats.nca_cytokine import cytokine
from interim.stats.nca_profile import profiles
from interim.stats.nca_segments import window

NAN = math.nan
COURSES = [
    ((0, 1, 2), (4, 8, 4)),
    ((0, 1, 2), (4, 2, 1)),
    ((0, 1, 3), (4, 8, 2)),
    ((0, 2, 3), (5, 1, 9)),
    ((0, 1, 2, 5), (2, 16, 8, 2)),
    ((0, 1, 2, 5), (2, 1, 4, 1)),
    ((0, 3, 7, 14, 28), (10, 100, 50, 20, 10)),
    ((0, 3, 7, 14, 28), (10, 5, 40, 8, 12)),
    ((-1, 0, 4, 8), (9, 3, 6, 12)),
    ((-2, 1, 4, 30), (6, 3, 9, 90)),
    ((-3, -1, 2, 28), (6, 3, 1, 7)),
]


def course(time, value, lloq=1.0):
    return profiles([0] * len(time), time, value=list(value), lloq=lloq)


def areas(points, base):
    """Area of the line through the points, and of its part above the base with exact crossings."""
    whole = above = Fraction(0)
    for (t, a), (u, b) in pairwise(points):
        whole += (u - t) * Fraction(a + b, 2)
        high, low = max(a, b) - base, min(a, b) - base
        if low >= 0:
            above += (u - t) * Fraction(high + low, 2)
        elif high > 0:
            above += (u - t) * Fraction(high * high, 2 * (high - low))
    return whole, above


@pytest.mark.parametrize(("time", "value"), COURSES)
@pytest.mark.parametrize("end", [4, 28])
@pytest.mark.parametrize("back", [1.0, 2.0])
def test_courses(time, value, end, back):
    points = list(zip(time, value, strict=True))
    base = [v for t, v in points if t <= 0][-1]
    later = [(t, v) for t, v in points if t > 0]
    peak = max(v for _, v in later)
    when = next(t for t, v in later if v == peak)
    found = cytokine(course(time, value), end=float(end), back=back)
    assert (found.baseline[0], found.peak[0], found.tpeak[0], found.n_post[0]) == (
        base,
        peak,
        when,
        len(later),
    )
    assert found.fold[0] == pytest.approx(peak / base)
    assert found.log2_fold[0] == pytest.approx(math.log2(peak / base))
    kept = [(0, base), *[(t, v) for t, v in later if t <= end]]
    whole, above = areas(kept, base)
    assert found.auc[0] == pytest.approx(float(whole))
    assert found.auc_above[0] == pytest.approx(float(above), abs=1e-12)
    if len(kept) > 1:
        assert (found.tlast[0], found.last[0]) == kept[-1]
    home = [t for t, v in later if t >= when and v <= back * base]
    assert found.t_back[0] == pytest.approx(home[0] if home else NAN, nan_ok=True)
    assert not found.capped[0] and found.n_blq[0] == 0 and found.reason[0] == ""


@pytest.mark.parametrize(
    ("time", "value", "base", "peak", "n_blq", "reason"),
    [
        ((0, 1), (NAN, 8), 0.5, 8, 1, ""),
        ((0, 1), (4, NAN), 4, 0.5, 1, ""),
        ((0, 1), (NAN, NAN), 0.5, 0.5, 2, ""),
        ((1, 2), (4, 8), NAN, 8, 0, "NO_BASELINE"),
        ((-1, 0), (4, 8), 8, NAN, 0, "NO_LATER_VALUE"),
    ],
)
def test_values_below_the_limit_and_courses_without_an_end(time, value, base, peak, n_blq, reason):
    found = cytokine(course(time, value))
    assert (found.baseline[0], found.peak[0]) == pytest.approx((base, peak), nan_ok=True)
    assert (found.n_blq[0], found.reason[0]) == (n_blq, reason)
    assert np.isnan(found.auc[0]) == np.isnan(found.fold[0]) == bool(reason)


@pytest.mark.parametrize(("limit", "peak", "capped"), [(5.0, 5, True), (8.0, 8, False), (NAN, 8, False)])
def test_a_value_above_the_upper_limit_counts_as_the_limit(limit, peak, capped):
    found = cytokine(course((0, 1, 2), (4, 8, 4)), uloq=limit)
    assert (found.peak[0], found.capped[0]) == (peak, capped)
    assert found.auc[0] == float(4 + peak)


@pytest.mark.parametrize(
    ("times", "shift", "state", "kept"),
    [
        ([0, 5, 14, 15], 0.0, "EXACT", [0, 5, 14]),
        ([0, 5, 14, 15], 1.0, "EXACT", [0, 5, 14]),
        ([0, 5, 13, 15], 1.0, "CARRIED", [0, 5, 13, 14]),
        ([0, 5, 13, 15], 0.5, "MISSING", [0, 5, 13]),
        ([0, 5, 15, 16], 9.0, "CARRIED", [0, 5, 14]),
        ([0, 15, 16, 17], 1.0, "MISSING", [0]),
    ],
)
def test_the_sample_before_a_dose_closes_the_window(times, shift, state, kept):
    part = window(course(times, [1, 9, 4, 8]), 0.0, 14.0, max_shift=(0.0, shift), dosed=(False, True))
    assert part.closing.tolist() == [state]
    assert part.samples.time[0][part.samples.valid[0]].tolist() == kept
