"""Maximally selected rank statistics: the whole path over all cut-points, and the permutation p-value of its maximum."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Floats, Status, frozen
from interim.stats.inputs import check_between, check_numbers, check_same_length
from interim.stats.permutation import PermutationPlan


@dataclass(frozen=True, eq=False)
class CutPath:
    """Two-sample statistics at every permitted cut-point.

    Attributes
    ----------
    cuts, statistics : ndarray of float, shape (k,)
        Cut-points (marker <= cut against marker > cut) and absolute standardised statistics.
    maximum, cut : float
        Largest statistic and its cut-point (the first of equals); NaN beside NE.
    p_value, mc_error : float
        Permutation p-value of the maximum and its Monte Carlo standard error (0 if the plan is complete).
    status, reason : str
        NE with ONE_LEVEL if no cut-point is permitted or the scores are constant.
    """

    cuts: Floats
    statistics: Floats
    maximum: float
    cut: float
    p_value: float
    mc_error: float
    status: Status = "OK"
    reason: str = ""


def maximally_selected(
    scores: ArrayLike,
    marker: ArrayLike,
    *,
    plan: PermutationPlan,
    minprop: float = 0.1,
    maxprop: float = 0.9,
) -> CutPath:
    """Return the statistics at all cut-points of a marker, and the p-value of the largest.

    Parameters
    ----------
    scores : array_like of float, shape (n,)
        Outcome scores: hothorn_lausen log-rank scores, 0/1 responses, or ranks.
    marker : array_like of float, shape (n,)
        Marker values.
    plan : PermutationPlan
        Arrangements of the outcome.
    minprop, maxprop : float
        Share of participants at or below a permitted cut-point.

    Returns
    -------
    CutPath
        The estimate at the selected cut is biased: show it only with the whole path and the p-value.

    Raises
    ------
    ValueError
        If an input is illegal.

    References
    ----------
    Lausen and Schumacher 1992; Hothorn and Lausen 2003.
    """
    values, markers = (
        check_numbers(v, name).astype(np.float64) for v, name in ((scores, "scores"), (marker, "marker"))
    )
    check_same_length(values, markers, ("scores", "marker"))
    if not np.all(np.isfinite(markers)):
        place = int(np.argmax(~np.isfinite(markers)))
        raise ValueError(f"marker must be finite; marker[{place}] is {markers[place]}")
    low = check_between(minprop, "minprop", low=0.0, high=1.0)
    high = check_between(maxprop, "maxprop", low=low, high=1.0)
    n = len(values)
    distinct = np.unique(markers)
    below = np.array([(markers <= c).sum() for c in distinct])
    cuts = distinct[
        (below >= math.floor(low * n)) & (below >= 1) & (below <= math.floor(high * n)) & (below < n)
    ]
    if not len(cuts) or np.ptp(values) == 0.0:
        nothing = np.empty(0)
        return CutPath(nothing, nothing, math.nan, math.nan, math.nan, 0.0, "NE", "ONE_LEVEL")
    found = plan.linear((markers[:, None] <= cuts).astype(np.float64), values)
    path = np.abs(found.observed)
    best = int(np.argmax(path >= path.max() - 1e-12))
    top = np.abs(found.arranged).max(axis=1)
    p = float((top >= path[best] - 1e-9).mean())
    error = 0.0 if plan.exact else math.sqrt(p * (1.0 - p) / len(top))
    frozen(cuts, path)
    return CutPath(cuts, path, float(path[best]), float(cuts[best]), p, error)
