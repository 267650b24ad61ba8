"""Competing risks: cumulative incidence with the Aalen-Johansen variance, ties resolved exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from interim.stats.answers import Floats, Integers, Status, frozen
from interim.stats.inputs import check_between, check_choice, check_numbers, check_same_length, check_times

CIF_INTERVALS = ("log-log", "log")


@dataclass(frozen=True, eq=False)
class CumulativeIncidence:
    """Cumulative incidence of each cause, one row per distinct time.

    Attributes
    ----------
    time : ndarray of float, shape (k,)
        Distinct times.
    n_risk : ndarray of int, shape (k,)
        At risk just before.
    surv : ndarray of float, shape (k,)
        Free of every cause.
    cif, se, lower, upper : ndarray of float, shape (k, c)
        Per cause 1, 2, ...; limits NaN where the incidence is 0.
    level, interval : float, str
        Confidence level and type of the limits.
    status, reason : str
        FLAG with NO_EVENTS; NE with NO_DATA.
    """

    time: Floats
    n_risk: Integers
    surv: Floats
    cif: Floats
    se: Floats
    lower: Floats
    upper: Floats
    level: float
    interval: str
    status: Status = "OK"
    reason: str = ""

    def at(self, t: float, cause: int) -> tuple[float, float, float, float]:
        """Return incidence, standard error and limits of a cause at a time.

        Parameters
        ----------
        t : float
            Time >= 0; the curve is a step function and is 0 before the first time.
        cause : int
            1, 2, ...

        Returns
        -------
        tuple of float
            cif, se, lower, upper; NaN beyond the last time unless everybody has had an event, and for limits at 0.

        Raises
        ------
        ValueError
            If the time is illegal or there is no such cause.
        """
        t = check_between(t, "t", low=0.0, high=math.inf, closed=True)
        if not 1 <= cause <= self.cif.shape[1]:
            raise ValueError(f"cause must be 1..{self.cif.shape[1]}; it is {cause}")
        row = int(np.searchsorted(self.time, t, side="right")) - 1
        if row < 0:
            return 0.0, 0.0, math.nan, math.nan
        if t > self.time[-1] and self.surv[-1] > 0.0:
            return math.nan, math.nan, math.nan, math.nan
        return tuple(float(part[row, cause - 1]) for part in (self.cif, self.se, self.lower, self.upper))  # type: ignore[return-value]


def cumulative_incidence(
    time: ArrayLike, cause: ArrayLike, *, level: float = 0.95, interval: str = "log-log"
) -> CumulativeIncidence:
    """Return the cumulative incidence of competing causes.

    Parameters
    ----------
    time : array_like of float, shape (n,)
        Time from start to the first event or censoring, >= 0.
    cause : array_like of int, shape (n,)
        0 = censored, 1, 2, ... = cause.
    level : float
        Confidence level, 0 to 1, both excluded.
    interval : {"log-log", "log"}
        Type of the limits.

    Returns
    -------
    CumulativeIncidence
        The incidences and the curve of those free of events sum to 1.

    Raises
    ------
    ValueError
        If an input is illegal.

    References
    ----------
    Aalen and Johansen 1978.

    Examples
    --------
    >>> found = cumulative_incidence([1, 2, 3, 4], [1, 2, 0, 1])
    >>> found.cif[-1].tolist(), float(found.surv[-1])
    ([0.75, 0.25], 0.0)
    """
    level = check_between(level, "level", low=0.0, high=1.0)
    check_choice(interval, "interval", CIF_INTERVALS)
    times = check_times(time, "time")
    codes = check_numbers(cause, "cause").astype(np.float64)
    check_same_length(times, codes, ("time", "cause"))
    wrong = ~np.isfinite(codes) | (codes < 0) | (codes != np.floor(codes))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"cause must be 0 (censored), 1, 2, ...; cause[{place}] is {codes[place]}")
    causes = max(int(codes.max(initial=0)), 1)
    distinct = np.unique(times)
    n = np.array([(times >= t).sum() for t in distinct], dtype=np.int64)
    d = np.array(
        [[((times == t) & (codes == c)).sum() for c in range(1, causes + 1)] for t in distinct],
        dtype=np.float64,
    )
    d = d.reshape(len(distinct), causes)
    surv = np.cumprod(1.0 - d.sum(axis=1) / np.maximum(n, 1))
    before = np.concatenate(([1.0], surv[:-1])) if len(surv) else surv
    cif = np.cumsum(before[:, None] * d / np.maximum(n, 1)[:, None], axis=0)
    se = np.sqrt(_variances(n.astype(np.float64), d, before, cif))
    lower, upper = _limits(cif, se, level, interval)
    frozen(distinct, n, surv, cif, se, lower, upper)
    status: Status = "NE" if not len(times) else "FLAG" if not d.any() else "OK"
    reason = {"NE": "NO_DATA", "FLAG": "NO_EVENTS", "OK": ""}[status]
    return CumulativeIncidence(distinct, n, surv, cif, se, lower, upper, level, interval, status, reason)


def _variances(n: Floats, d: Floats, before: Floats, cif: Floats) -> Floats:
    """Aalen-Johansen variance of each incidence at each time; multinomial jumps at tied times."""
    variance = np.zeros_like(cif)
    total = d.sum(axis=1) / np.maximum(n, 1.0)
    for k in range(d.shape[1]):
        p1 = d[:, k] / np.maximum(n, 1.0)
        p2 = total - p1
        for row in range(len(n)):
            rest = np.maximum(1.0 - total[: row + 1], 0.0)
            gained = cif[row, k] - cif[: row + 1, k]
            r = np.divide(gained, rest, out=np.zeros_like(gained), where=rest > 0.0)
            e1, e2 = before[: row + 1] - r, -r
            q1, q2 = p1[: row + 1], p2[: row + 1]
            jump = q1 * (1.0 - q1) * e1**2 + q2 * (1.0 - q2) * e2**2 - 2.0 * q1 * q2 * e1 * e2
            variance[row, k] = float((jump / n[: row + 1]).sum())
    return variance


def _limits(cif: Floats, se: Floats, level: float, interval: str) -> tuple[Floats, Floats]:
    z = float(ndtri((1.0 + level) / 2.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(cif)
        if interval == "log":
            half = z * se / cif
            lower, upper = cif * np.exp(-half), cif * np.exp(half)
        else:
            half = z * se / (cif * log)
            middle = np.log(-log)
            ends = np.exp(-np.exp(middle - half)), np.exp(-np.exp(middle + half))
            lower, upper = np.minimum(*ends), np.maximum(*ends)
    nothing = cif <= 0.0
    return np.where(nothing, np.nan, lower), np.where(nothing, np.nan, np.minimum(upper, 1.0))
