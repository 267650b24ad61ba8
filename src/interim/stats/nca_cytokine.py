"""Cytokine courses: baseline, peak, fold change, areas above zero and above baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interim.stats.answers import Flags, Floats, Integers, Texts
from interim.stats.nca_profile import Profiles, at, first_true, last_true


@dataclass(frozen=True, eq=False)
class Cytokine:
    """Parameters of each course.

    Attributes
    ----------
    baseline, peak, tpeak, fold, log2_fold, auc, auc_above, last, tlast, t_back : ndarray of float, shape (k,)
        Last value at or before time 0; first largest later value and its time; ratio; areas to the end from (0, baseline);
        last value up to the end; first time after the peak at or below ``back`` times the baseline.
    n_post, n_blq : ndarray of int, shape (k,)
        Later values; samples below the limit.
    capped : ndarray of bool, shape (k,)
        A value lay above the upper limit and counts as that limit.
    reason : ndarray of str, shape (k,)
        NO_BASELINE or NO_LATER_VALUE; empty otherwise.
    """

    baseline: Floats
    peak: Floats
    tpeak: Floats
    fold: Floats
    log2_fold: Floats
    auc: Floats
    auc_above: Floats
    last: Floats
    tlast: Floats
    t_back: Floats
    n_post: Integers
    n_blq: Integers
    capped: Flags
    reason: Texts


def cytokine(
    samples: Profiles,
    *,
    uloq: Floats | float = np.inf,
    above: Flags | None = None,
    end: float = 28.0,
    back: float = 2.0,
) -> Cytokine:
    """Return the parameters of cytokine courses.

    Parameters
    ----------
    samples : Profiles
        Collected samples; time 0 is the infusion that the baseline belongs to; NaN below the limit.
    uloq : ndarray of float, shape (k, m) or one number
        Upper limits of quantification; NaN where there is none.
    above : ndarray of bool, shape (k, m), optional
        Samples reported only as above the upper limit; they must have one.
    end : float
        End of the areas and of the last value.
    back : float
        Multiple of the baseline to which a value has come back.

    Returns
    -------
    Cytokine
        Below the limit counts as half of it, above the upper limit as that limit.

    Raises
    ------
    None
    """
    upper = np.broadcast_to(np.asarray(uloq, dtype=np.float64), samples.value.shape)
    reported = np.zeros(upper.shape, dtype=bool) if above is None else above & np.isfinite(upper)
    value = np.where(samples.quantified, samples.value, samples.lloq / 2.0)
    over: Flags = samples.valid & (reported | (value > np.where(np.isnan(upper), np.inf, upper)))
    value = np.where(samples.valid, np.where(over, upper, value), np.nan)
    before, post = samples.valid & (samples.time <= 0), samples.valid & (samples.time > 0)
    baseline = at(value, last_true(before))
    top = np.where(post, value, -np.inf).argmax(axis=1)
    some = post.any(axis=1)
    good = some & np.isfinite(baseline)
    peak = np.where(some, at(value, top), np.nan)
    positive = good & (baseline > 0) & (peak > 0)
    fold = np.where(positive, peak / np.where(positive, baseline, 1.0), np.nan)
    area, excess = _areas(samples, value, baseline, end=end)
    window = post & (samples.time <= end)
    column = last_true(window)
    after_peak = post & (np.arange(value.shape[1])[None, :] >= top[:, None])
    returned = first_true(after_peak & (value <= back * baseline[:, None]))
    return Cytokine(
        baseline,
        peak,
        np.where(some, at(samples.time, top), np.nan),
        fold,
        np.log2(fold),
        np.where(good, area, np.nan),
        np.where(good, excess, np.nan),
        at(value, column),
        at(samples.time, column),
        np.where(good, at(samples.time, returned), np.nan),
        post.sum(axis=1),
        (samples.valid & ~samples.quantified & ~over).sum(axis=1),
        np.asarray(over.any(axis=1)),
        np.select([~np.isfinite(baseline), ~some], ["NO_BASELINE", "NO_LATER_VALUE"], ""),
    )


def _areas(samples: Profiles, value: Floats, baseline: Floats, *, end: float) -> tuple[Floats, Floats]:
    """Return the linear area from (0, baseline) to the last value up to the end, and its part above the baseline."""
    use = samples.valid & (samples.time > 0) & (samples.time <= end)
    order = np.argsort(~use, axis=1, kind="stable")
    kept = np.take_along_axis(use, order, axis=1)
    time = np.where(kept, np.take_along_axis(samples.time, order, axis=1), np.nan)
    conc = np.where(kept, np.take_along_axis(value, order, axis=1), np.nan)
    t = np.concatenate([np.zeros((len(value), 1)), time], axis=1)
    c = np.concatenate([baseline[:, None], conc], axis=1)
    width = np.diff(t, axis=1)
    area = np.nansum(width * (c[:, :-1] + c[:, 1:]) / 2.0, axis=1)
    return area, np.nansum(width * _positive_mean(c - baseline[:, None]), axis=1)


def _positive_mean(d: Floats) -> Floats:
    """Return the mean of the positive part of a line between neighbouring values; the crossing is exact."""
    d1, d2 = d[:, :-1], d[:, 1:]
    high, low = np.maximum(d1, d2), np.minimum(d1, d2)
    crosses = (high > 0) & (low < 0)
    triangle = high**2 / (2.0 * np.where(crosses, high - low, 1.0))
    answer: Floats = np.where(
        crosses, triangle, np.where(low >= 0, (d1 + d2) / 2.0, np.where(np.isnan(d1 + d2), np.nan, 0.0))
    )
    return answer
