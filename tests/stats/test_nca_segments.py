"""Windows between doses: boundary samples, additivity, carry-over, accumulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.stats.nca import NcaRules, analyse, nca
from interim.stats.nca_profile import apply_blq_rule, profiles
from interim.stats.nca_segments import (
    accumulation,
    boundary_from_slope,
    subtract_exponential,
    window,
)

NAN = float("nan")


def one(times, values, lloq=1.0):
    return profiles([0] * len(times), times, value=values, lloq=lloq)


def analysed(part, later, method="lin up/log down"):
    return analyse(apply_blq_rule(part.samples, "zero"), NcaRules(auc_method=method), later=later)


def two_cycles(times, values, shift=0.7):
    samples = one(times, values)
    first = window(samples, 0.0, 14.0, max_shift=(0.0, shift), dosed=(False, True))
    second = window(samples, 14.0, np.inf, max_shift=(shift, 0.0), dosed=(True, False))
    return first, second


@pytest.mark.rule("KIN-07")
@pytest.mark.parametrize(
    ("last", "state", "closing_rows", "opening_value"),
    [(14.0, "EXACT", 3, 40.0), (13.5, "CARRIED", 4, 40.0), (13.0, "MISSING", 3, None)],
)
def test_boundary_sample(last, state, closing_rows, opening_value):
    first, second = two_cycles([0, 7, last, 15, 21], [5, 90, 40, 80, 20])
    assert (first.closing[0], second.opening[0]) == (state, state)
    assert (first.opening[0], second.closing[0]) == ("NONE", "NONE")
    assert first.samples.valid.sum() == closing_rows
    start = second.samples.time[0] == 0
    assert second.samples.value[0][start].tolist() == ([] if opening_value is None else [opening_value])
    assert bool(second.carried.any()) == (state == "CARRIED")
    if state == "CARRIED":
        assert second.samples.place[0].tolist() == [2, 3, 4]


@pytest.mark.rule("KIN-07")
def test_the_sample_before_the_dose_is_no_maximum_of_the_later_window():
    _, second = two_cycles([0, 7, 14, 15, 21], [5, 90, 85, 80, 20])
    found = analysed(second, True)
    assert (found.values["CMAX"][0], found.values["TMAX"][0]) == (80, 1)


@pytest.mark.rule("KIN-07")
def test_a_missing_boundary_may_be_computed_from_the_slope():
    t = np.array([0, 2, 4, 6, 8.0])
    c = np.append(1.0, 100 * np.exp(-0.25 * t[1:]))
    earlier = nca(one(t, c), NcaRules())
    value = boundary_from_slope(
        earlier.terminal.clast_pred, earlier.terminal.lambda_z, gap=14.0 - earlier.points.tlast
    )
    assert value[0] == pytest.approx(100 * np.exp(-0.25 * 14), rel=1e-9)
    part = window(one(t, c), 0.0, 14.0, max_shift=(0, 0.7), dosed=(False, True), values=(None, value))
    assert part.closing[0] == "EXTRAPOLATED"
    assert part.samples.time[0, -1] == 14
    missing = window(one(t, c), 0.0, 14.0, dosed=(False, True), values=(None, np.array([NAN])))
    assert missing.closing[0] == "MISSING"


@pytest.mark.rule("KIN-07")
def test_a_window_without_samples_is_empty():
    part = window(one([0, 1], [5, 6]), 20.0, 30.0)
    assert not part.samples.valid.any()
    found = analysed(part, False)
    assert found.reasons["CMAX"][0] == "NO_SAMPLES"


@pytest.mark.rule("KIN-08")
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(1.0, 1e5), min_size=6, max_size=14),
    st.integers(2, 4),
    st.sampled_from(["linear", "lin up/log down"]),
)
def test_areas_of_windows_add_up_when_every_boundary_is_exact(values, at, method):
    times = np.arange(len(values), dtype=float)
    samples = one(times, values, 0.5)
    cut = float(times[at])
    first = window(samples, 0.0, cut, dosed=(False, True))
    second = window(samples, cut, np.inf, dosed=(True, False))
    parts = [
        analysed(part, later, method).values["AUCLST"][0] for part, later in ((first, False), (second, True))
    ]
    whole = nca(samples, NcaRules(auc_method=method)).values["AUCLST"][0]
    assert sum(parts) == pytest.approx(whole, rel=1e-12)


@pytest.mark.rule("KIN-07")
def test_windows_of_many_profiles_have_starts_of_their_own():
    samples = profiles([0, 0, 0, 1, 1, 1], [0, 7, 14, 0, 10, 20], value=[1, 2, 3, 4, 5, 6.0], lloq=0.5)
    part = window(samples, np.array([7.0, 10.0]), np.inf, dosed=(True, False))
    assert part.samples.time.tolist() == [[0, 7], [0, 10]]
    assert part.samples.value.tolist() == [[2, 3], [5, 6]]
    assert part.samples.place.tolist() == [[1, 2], [4, 5]]


@pytest.mark.rule("KIN-07")
def test_carry_over_is_subtracted_only_when_asked():
    samples = one([-1.0, 0.0, 5.0, 10.0], [90, 80, 60, 1.5])
    less = subtract_exponential(samples, np.array([80.0]), slope=np.array([0.1]))
    assert less.value[0, 0] == 90
    assert np.isnan(less.value[0, 1])
    assert less.value[0, 2] == pytest.approx(60 - 80 * np.exp(-0.5))
    assert np.isnan(less.value[0, 3])
    same = subtract_exponential(samples, np.array([80.0]), slope=np.array([NAN]))
    assert same.value.tolist() == samples.value.tolist()


@pytest.mark.rule("KIN-08")
def test_accumulation_needs_a_positive_first_cycle():
    found = accumulation([2.0, 0.0, NAN, 4.0], [3.0, 1.0, 1.0, NAN])
    assert found[0] == 1.5
    assert np.isnan(found[1:]).all()
