"""Contrast of two curves: difference and ratio of restricted means."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from interim.stats.answers import Interval, Status
from interim.stats.inputs import check_between, check_events, check_groups, check_same_length, check_times
from interim.stats.survival import RestrictedMean, kaplan_meier


@dataclass(frozen=True)
class RestrictedContrast:
    """Restricted means of two groups and their contrast, group 1 against group 0.

    Attributes
    ----------
    tau : float
        The horizon.
    means : tuple of RestrictedMean
        Of group 0 and group 1; empty if a group is absent.
    difference, ratio : float
        Group 1 minus, and over, group 0; NaN beside NE.
    difference_interval, ratio_interval : Interval
        Normal limits; those of the ratio on the log scale.
    difference_p, ratio_p : float
        Two-sided normal p-values; NaN where nothing varies.
    status, reason : str
        NE: NO_DATA, ONE_LEVEL, TAU_BEYOND_FOLLOWUP; FLAG: NO_EVENTS in one of the groups.
    """

    tau: float
    means: tuple[RestrictedMean, ...]
    difference: float
    ratio: float
    difference_interval: Interval
    ratio_interval: Interval
    difference_p: float
    ratio_p: float
    status: Status = "OK"
    reason: str = ""


def rmst_contrast(
    time: ArrayLike, event: ArrayLike, *, group: ArrayLike, tau: float | None = None, level: float = 0.95
) -> RestrictedContrast:
    """Return the contrast of the restricted means of two groups.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    group : array_like of int, shape (n,)
        0 or 1.
    tau : float, optional
        Horizon > 0; default the smaller of the last times of the two groups.
    level : float
        Confidence level, 0 to 1, both excluded.

    Returns
    -------
    RestrictedContrast
        Difference with normal limits; ratio by the delta method on the log scale.

    Raises
    ------
    ValueError
        If an input is illegal.

    References
    ----------
    Royston and Parmar 2013; Uno et al. 2014.

    Examples
    --------
    >>> found = rmst_contrast([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 0], group=[0, 0, 0, 1, 1, 1], tau=3)
    >>> round(found.difference, 6), [round(mean.value, 6) for mean in found.means]
    (1.0, [2.0, 3.0])
    """
    times, events = check_times(time, "time"), check_events(event, "event")
    check_same_length(times, events, ("time", "event"))
    codes = check_groups(group, "group", rows=len(times), binary=True)
    level = check_between(level, "level", low=0.0, high=1.0)
    if tau is not None:
        tau = check_between(tau, "tau", low=0.0, high=math.inf)
    if len(np.unique(codes)) < 2:
        return _without(math.nan if tau is None else tau, (), level, "ONE_LEVEL" if len(codes) else "NO_DATA")
    horizon = min(float(times[codes == g].max()) for g in (0, 1)) if tau is None else tau
    if horizon <= 0.0:
        return _without(horizon, (), level, "NO_DATA")
    low, high = (
        kaplan_meier(times[codes == g], events[codes == g], level=level).rmst(horizon) for g in (0, 1)
    )
    if "NE" in (low.status, high.status):
        return _without(horizon, (low, high), level, "TAU_BEYOND_FOLLOWUP")
    return _contrasted(low, high, level)


def _contrasted(low: RestrictedMean, high: RestrictedMean, level: float) -> RestrictedContrast:
    z = float(ndtri((1.0 + level) / 2.0))
    difference, ratio = high.value - low.value, high.value / low.value
    se, log_se = math.hypot(low.se, high.se), math.hypot(low.se / low.value, high.se / high.value)
    flat = "NO_EVENTS" in (low.reason, high.reason)
    status: Status = "FLAG" if flat else "OK"
    reason = "NO_EVENTS" if flat else ""
    return RestrictedContrast(
        low.tau,
        (low, high),
        difference,
        ratio,
        Interval(difference - z * se, difference + z * se, level, "normal", status, reason),
        Interval(
            ratio * math.exp(-z * log_se), ratio * math.exp(z * log_se), level, "log_normal", status, reason
        ),
        _p(difference, se),
        _p(math.log(ratio), log_se),
        status,
        reason,
    )


def _p(estimate: float, se: float) -> float:
    return 2.0 * float(ndtr(-abs(estimate) / se)) if se > 0.0 else math.nan


def _without(tau: float, means: tuple[RestrictedMean, ...], level: float, reason: str) -> RestrictedContrast:
    nan = math.nan
    normal = Interval(nan, nan, level, "normal", "NE", reason)
    log_normal = Interval(nan, nan, level, "log_normal", "NE", reason)
    return RestrictedContrast(tau, means, nan, nan, normal, log_normal, nan, nan, "NE", reason)
