"""Kaplan-Meier curve: rows, limits, quantiles, landmarks, restricted mean, reverse curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from interim.stats.answers import Floats, Integers, Status, Texts, frozen
from interim.stats.curve_limits import CURVE_INTERVALS, CurveRows
from interim.stats.inputs import (
    check_between,
    check_choice,
    check_events,
    check_same_length,
    check_times,
)
from interim.stats.tally import at_risk, tally

TIE = 1.5e-8
FEW_AT_RISK = 3


@dataclass(frozen=True)
class CurveQuantile:
    """Time by which a share p of the participants had the event, with its limits.

    Attributes
    ----------
    p : float
        The share; 0.5 is the median.
    value, lower, upper : float
        Time and limits in the unit of the input; NaN only where the status beside it is not OK.
    level, method : float, str
        Confidence level; interval of the curve that gave the limits.
    status, reason : str
        Of the value: OK, NR (MEDIAN_NOT_REACHED, for any p), NE (NO_DATA).
    lower_status, lower_reason : str
        Of the lower limit: OK or NE (CI_LOWER_NE, NO_DATA).
    upper_status, upper_reason : str
        Of the upper limit: OK, NR (CI_UPPER_NR) or NE (NO_DATA).
    """

    p: float
    value: float
    lower: float
    upper: float
    level: float
    method: str
    status: Status = "OK"
    reason: str = ""
    lower_status: Status = "OK"
    lower_reason: str = ""
    upper_status: Status = "OK"
    upper_reason: str = ""


@dataclass(frozen=True)
class CurveValue:
    """The curve at one time.

    Attributes
    ----------
    time : float
        The time.
    value, se, lower, upper : float
        S(time), its Greenwood standard error, and the limits.
    n_risk : int
        Participants with a time >= this one.
    level, method : float, str
        Confidence level and interval.
    status, reason : str
        Of the value: OK, FLAG (AT_RISK_LT_3), NE (BEYOND_FOLLOWUP, NO_DATA).
    se_status, se_reason : str
        Of the standard error: OK or NE (CI_AT_ZERO, or as the value).
    limits_status, limits_reason : str
        Of both limits: OK, FLAG (as the value), NE (CI_AT_ONE, CI_AT_ZERO, or as the value).
    """

    time: float
    value: float
    se: float
    lower: float
    upper: float
    n_risk: int
    level: float
    method: str
    status: Status = "OK"
    reason: str = ""
    se_status: Status = "OK"
    se_reason: str = ""
    limits_status: Status = "OK"
    limits_reason: str = ""


@dataclass(frozen=True)
class RestrictedMean:
    """Area under the curve up to a horizon.

    Attributes
    ----------
    tau : float
        The horizon.
    value, se, lower, upper : float
        Restricted mean, its standard error, normal limits that are not clipped.
    level : float
        Confidence level.
    status, reason : str
        Of all four numbers: OK, FLAG (NO_EVENTS: the limits have no width), NE (TAU_BEYOND_FOLLOWUP, NO_DATA).
    """

    tau: float
    value: float
    se: float
    lower: float
    upper: float
    level: float
    status: Status = "OK"
    reason: str = ""


@dataclass(frozen=True, eq=False)
class KaplanMeier(CurveRows):
    """A Kaplan-Meier curve with pointwise limits, one row per distinct time.

    Attributes
    ----------
    time, n_risk, n_event, n_censor, surv, cumhaz, se_surv, se_log_surv : ndarray, shape (k,)
        As in `interim.stats.curve_limits.CurveRows`.
    lower, upper : ndarray of float, shape (k,)
        Limits of S; NaN where they do not exist.
    n : int
        Participants.
    level, interval : float, str
        Confidence level and name of the interval.
    status, reason : str
        Of the curve: OK, FLAG (NO_EVENTS, ALL_EVENTS, ZERO_FOLLOWUP, TIES_HEAVY; joined by ";"), NE (NO_DATA).
    """

    lower: Floats
    upper: Floats
    n: int
    level: float
    interval: str
    status: Status = "OK"
    reason: str = ""

    @property
    def limits_status(self) -> Texts:
        """Status of both limits per row: OK or NE."""
        return np.where(np.isnan(self.lower), "NE", "OK")

    @property
    def limits_reason(self) -> Texts:
        """Reason beside `limits_status`: CI_AT_ONE, CI_AT_ZERO or empty."""
        missing = np.where(self.surv > 0.0, "CI_AT_ONE", "CI_AT_ZERO")
        return np.where(np.isnan(self.lower), missing, "")

    def quantile(self, p: float) -> CurveQuantile:
        """Return the time by which a share p of the participants had the event.

        Parameters
        ----------
        p : float
            The share, 0 to 1, both excluded; 0.5 gives the median.

        Returns
        -------
        CurveQuantile
            Time with limits in the unit of the input, each with its status.

        Raises
        ------
        ValueError
            If p is not inside (0, 1).

        Notes
        -----
        The limits are the quantiles of the lower and of the upper limit curve. Where a curve equals 1 - p over an
        interval the quantile is its midpoint.

        References
        ----------
        Brookmeyer and Crowley 1982.
        """
        p = check_between(p, "p", low=0.0, high=1.0)
        if not self.n:
            gone = math.nan, math.nan, math.nan
            none: tuple[Status, str] = "NE", "NO_DATA"
            return CurveQuantile(p, *gone, self.level, self.interval, *none, *none, *none)
        value, lower, upper = (self._crossing(curve, p) for curve in (self.surv, self.lower, self.upper))
        return CurveQuantile(
            p,
            value,
            lower,
            upper,
            self.level,
            self.interval,
            *(("NR", "MEDIAN_NOT_REACHED") if math.isnan(value) else ("OK", "")),
            *(("NE", "CI_LOWER_NE") if math.isnan(lower) else ("OK", "")),
            *(("NR", "CI_UPPER_NR") if math.isnan(upper) else ("OK", "")),
        )

    def at(self, t: float) -> CurveValue:
        """Return the curve at a landmark.

        Parameters
        ----------
        t : float
            Time >= 0 in the unit of the input.

        Returns
        -------
        CurveValue
            S(t) with standard error, limits and the number at risk, each with its status.

        Raises
        ------
        ValueError
            If t is negative, infinite or NaN.
        """
        t = check_between(t, "t", low=0.0, high=math.inf, closed=True)
        n_risk = int(self.n_at_risk([t])[0])
        if not self.n or (t > self.time[-1] and self.surv[-1] > 0.0):
            reason = "BEYOND_FOLLOWUP" if self.n else "NO_DATA"
            gone = math.nan, math.nan, math.nan, math.nan
            return CurveValue(t, *gone, n_risk, self.level, self.interval, *("NE", reason) * 3)
        value, se, lower, upper = self._step(t)
        few: tuple[Status, str] = ("FLAG", "AT_RISK_LT_3") if n_risk < FEW_AT_RISK else ("OK", "")
        at_end = "CI_AT_ONE" if value > 0.0 else "CI_AT_ZERO"
        return CurveValue(
            t,
            value,
            se,
            lower,
            upper,
            n_risk,
            self.level,
            self.interval,
            *few,
            *(("NE", "CI_AT_ZERO") if math.isnan(se) else few),
            *(("NE", at_end) if math.isnan(lower) else few),
        )

    def n_at_risk(self, times: ArrayLike) -> Integers:
        """Return the numbers at risk for the line below a figure.

        Parameters
        ----------
        times : array_like of float, shape (m,)
            Times >= 0 in the unit of the input, any order.

        Returns
        -------
        ndarray of int, shape (m,)
            Participants whose time is >= each of the times.

        Raises
        ------
        ValueError
            If a time is negative, infinite or NaN.
        """
        row = np.searchsorted(self.time, check_times(times, "times"), side="left")
        return np.append(self.n_risk, 0)[row]

    def rmst(self, tau: float) -> RestrictedMean:
        """Return the restricted mean: the area under the curve up to tau.

        Parameters
        ----------
        tau : float
            Horizon > 0 in the unit of the input; not beyond the last time of the curve.

        Returns
        -------
        RestrictedMean
            Mean in the unit of the input, standard error and normal limits.

        Raises
        ------
        ValueError
            If tau is not positive, infinite or NaN.
        """
        tau = check_between(tau, "tau", low=0.0, high=math.inf)
        if not self.n or tau > self.time[-1]:
            reason = "TAU_BEYOND_FOLLOWUP" if self.n else "NO_DATA"
            return RestrictedMean(tau, math.nan, math.nan, math.nan, math.nan, self.level, "NE", reason)
        used = self.time <= tau
        n, d = self.n_risk[used].astype(np.float64), self.n_event[used].astype(np.float64)
        edges = np.concatenate(([0.0], self.time[used], [tau]))
        areas = np.diff(edges) * np.concatenate(([1.0], self.surv[used]))
        after = np.cumsum(areas[:0:-1])[::-1]
        counted = (d > 0.0) & (n > d)
        terms = after[counted] ** 2 * d[counted] / (n[counted] * (n[counted] - d[counted]))
        value, se = float(areas.sum()), math.sqrt(float(terms.sum()))
        half = float(ndtri((1.0 + self.level) / 2.0)) * se
        flag: tuple[Status, str] = ("OK", "") if d.any() else ("FLAG", "NO_EVENTS")
        return RestrictedMean(tau, value, se, value - half, value + half, self.level, *flag)

    def reverse(self) -> KaplanMeier:
        """Return the reverse curve, which describes the length of follow-up: censorings count as events.

        Returns
        -------
        KaplanMeier
            Curve of the same participants with events and censorings exchanged.

        Raises
        ------
        None
        """
        return _curve(self.time, self.n_risk, self.n_censor, self.level, self.interval)

    def _crossing(self, curve: Floats, p: float) -> float:
        """First time at which 1 - curve reaches p; NaN if it does not. Rows without a curve never count."""
        fallen = 1.0 - curve
        reached = fallen >= p - TIE
        first = int(reached.argmax())
        if not reached[first]:
            return math.nan
        if fallen[first] > p + TIE:
            return float(self.time[first])
        beyond = np.flatnonzero(fallen > p + TIE)
        end = beyond[0] if len(beyond) else -1
        return float(self.time[first] + self.time[end]) / 2.0

    def _step(self, t: float) -> tuple[float, float, float, float]:
        """S, se and limits on the last row that is not after t; S = 1 before the first row."""
        row = int(np.searchsorted(self.time, t, side="right")) - 1
        if row >= 0:
            return tuple(float(c[row]) for c in (self.surv, self.se_surv, self.lower, self.upper))  # type: ignore[return-value]
        none = np.zeros(1, dtype=np.int64)
        start = _rows(np.zeros(1), none + self.n, none)
        lower, upper = CURVE_INTERVALS[self.interval](start, self.level)
        return 1.0, 0.0, float(lower[0]), float(upper[0])


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, *, level: float = 0.95, interval: str = "log-log"
) -> KaplanMeier:
    """Return the Kaplan-Meier curve of right-censored times.

    Parameters
    ----------
    time : array_like of float, shape (n,)
        Time from start to event or censoring, >= 0, any one unit.
    event : array_like of int or bool, shape (n,)
        1 = event, 0 = censored. At one time events come before censorings.
    level : float
        Confidence level of the limits, 0 to 1, both excluded.
    interval : str
        A name in `interim.stats.CURVE_INTERVALS`.

    Returns
    -------
    KaplanMeier
        Rows (time, n_risk, n_event, n_censor, surv, cumhaz, se_surv, se_log_surv, lower, upper) and the methods
        quantile, at, n_at_risk, rmst, reverse.

    Raises
    ------
    ValueError
        If a time is NaN, infinite or negative, an event is not 0 or 1, the lengths differ, the level is not inside
        (0, 1), or the interval is unknown.

    Notes
    -----
    At S = 0 no interval but beta_product exists; at S = 1 only plain, log and beta_product do.

    References
    ----------
    Kaplan and Meier 1958; Greenwood 1926; Brookmeyer and Crowley 1982; Fay, Brittain and Proschan 2013.

    Examples
    --------
    >>> curve = kaplan_meier([11, 13, 110, 229, 329, 356], [1, 1, 0, 1, 1, 0])
    >>> curve.quantile(0.5).value, curve.quantile(0.5).upper_reason
    (229.0, 'CI_UPPER_NR')
    """
    level = check_between(level, "level", low=0.0, high=1.0)
    check_choice(interval, "interval", CURVE_INTERVALS)
    times, events = check_times(time, "time"), check_events(event, "event")
    check_same_length(times, events, ("time", "event"))
    if not len(times):
        nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
        rows = nothing, none, none, none, *(nothing,) * 6
        return KaplanMeier(*rows, 0, level, interval, "NE", "NO_DATA")
    distinct, counts = tally(times, events.astype(np.int64), k=2)
    return _curve(distinct, at_risk(counts[0] + counts[1]), counts[1], level, interval)


def _rows(time: Floats, n_risk: Integers, n_event: Integers) -> CurveRows:
    """Estimates on the rows, from the counts."""
    left = n_risk - n_event
    surv = np.cumprod(left / n_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        se_log: Floats = np.sqrt(np.cumsum(n_event / (n_risk * left.astype(np.float64))))
        se: Floats = surv * se_log
    n_censor = left - np.append(n_risk[1:], 0)
    return CurveRows(time, n_risk, n_event, n_censor, surv, np.cumsum(n_event / n_risk), se, se_log)


def _curve(time: Floats, n_risk: Integers, n_event: Integers, level: float, interval: str) -> KaplanMeier:
    rows = _rows(time, n_risk, n_event)
    lower, upper = CURVE_INTERVALS[interval](rows, level)
    estimates = rows.surv, rows.cumhaz, rows.se_surv, rows.se_log_surv
    arrays = rows.time, rows.n_risk, rows.n_event, rows.n_censor, *estimates, lower, upper
    frozen(*arrays)
    reason = _curve_reason(time, n_risk, n_event)
    return KaplanMeier(*arrays, int(n_risk[0]), level, interval, "FLAG" if reason else "OK", reason)


def _curve_reason(time: Floats, n_risk: Integers, n_event: Integers) -> str:
    """Codes of what a reader of the curve should know, joined by ";"."""
    events = int(n_event.sum())
    distinct = np.count_nonzero(n_event)
    codes = {
        "NO_EVENTS": events == 0,
        "ALL_EVENTS": events == n_risk[0],
        "ZERO_FOLLOWUP": time[0] == 0.0,
        "TIES_HEAVY": 2 * distinct < events,
    }
    return ";".join(code for code, holds in codes.items() if holds)
