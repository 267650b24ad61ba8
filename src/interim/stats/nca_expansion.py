"""Expansion and persistence: the piecewise exponential curve, its censored fit, and expansion seen in the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from interim.stats.answers import Flags, Floats, Texts
from interim.stats.inputs import check_choice
from interim.stats.nca_profile import Profiles, at, first_true, last_true

BASELINES = ("first_quantified", "lloq")
_LN2 = math.log(2.0)


@dataclass(frozen=True)
class ExpansionCurve:
    """A lag, exponential growth to a maximum, then a decline in two phases.

    Attributes
    ----------
    lag, tmax : float
        Start and end of the growth.
    foldx, cmax : float
        Maximum over the level before growth; the maximum.
    alpha, beta, fb : float
        Fast and slow rate of the decline; share of the slow part at the maximum, 0 to 1.
    """

    lag: float
    foldx: float
    tmax: float
    cmax: float
    alpha: float
    fb: float
    beta: float

    @property
    def rho(self) -> float:
        """Growth rate."""
        return math.log(self.foldx) / (self.tmax - self.lag)

    @property
    def doubling_time(self) -> float:
        """Time in which the growth doubles the level."""
        return _LN2 / self.rho

    def at(self, time: ArrayLike) -> Floats:
        """Return the curve.

        Parameters
        ----------
        time : array_like of float
            Times.

        Returns
        -------
        ndarray of float
            Concentrations.

        Raises
        ------
        None

        Examples
        --------
        >>> ExpansionCurve(0.0, 8.0, 3.0, 80.0, 1.0, 0.5, 0.1).at([0.0, 1.0, 3.0]).round(6).tolist()
        [10.0, 20.0, 80.0]
        """
        t = np.asarray(time, dtype=np.float64)
        rise = self.cmax / self.foldx * np.exp(self.rho * np.clip(t - self.lag, 0.0, self.tmax - self.lag))
        gone = np.maximum(t - self.tmax, 0.0)
        fall = (1.0 - self.fb) * np.exp(-self.alpha * gone) + self.fb * np.exp(-self.beta * gone)
        answer: Floats = np.where(t <= self.tmax, rise, self.cmax * fall)
        return answer

    def area(self, end: float) -> float:
        """Return the area from 0 to an end, in closed form.

        Parameters
        ----------
        end : float
            End; may be infinite.

        Returns
        -------
        float
            Area.

        Raises
        ------
        None
        """
        level = self.cmax / self.foldx
        grown = min(max(end - self.lag, 0.0), self.tmax - self.lag)
        total = level * min(end, self.lag) + level * math.expm1(self.rho * grown) / self.rho
        gone = max(end - self.tmax, 0.0)
        for share, rate in ((1.0 - self.fb, self.alpha), (self.fb, self.beta)):
            if share > 0.0 and gone > 0.0:
                total += self.cmax * share * (-math.expm1(-rate * gone) / rate if rate > 0 else gone)
        return total

    def falls_to(self, level: float) -> float:
        """Return when the decline reaches a level.

        Parameters
        ----------
        level : float
            Level, greater than 0.

        Returns
        -------
        float
            NaN if the maximum is not above the level; infinite if the curve never falls to it.

        Raises
        ------
        None
        """
        if self.cmax <= level:
            return math.nan
        if self.beta <= 0.0 and self.fb * self.cmax >= level:
            return math.inf
        low, high = self.tmax, self.tmax + 1.0
        while self.at(high) > level:
            low, high = high, self.tmax + 2.0 * (high - self.tmax)
        for _ in range(200):
            middle = (low + high) / 2.0
            if middle in (low, high):
                break
            low, high = (middle, high) if self.at(middle) > level else (low, middle)
        return (low + high) / 2.0


@dataclass(frozen=True)
class CurveFit:
    """A fitted curve of one profile.

    Attributes
    ----------
    curve : ExpansionCurve or None
        None where it cannot be fitted.
    sigma, loglik : float
        Error of ln concentration; log likelihood with censored samples.
    reason : str
        TOO_FEW_POINTS or NO_CONVERGENCE; empty if fitted.
    """

    curve: ExpansionCurve | None
    sigma: float
    loglik: float
    reason: str = ""


def fit_expansion(time: ArrayLike, value: ArrayLike, *, lloq: ArrayLike, least: int = 6) -> CurveFit:
    """Fit the curve to one profile by maximum likelihood, samples below the limit censored.

    Parameters
    ----------
    time, value : array_like of float, shape (n,)
        Samples; NaN below the limit.
    lloq : array_like of float
        Quantification limits.
    least : int
        Fewer quantified samples leave it unfitted.

    Returns
    -------
    CurveFit
        Exploratory: seven parameters of a handful of samples.

    Raises
    ------
    None

    Notes
    -----
    Parameters are fitted on scales that keep them legal: the lag as a share of Tmax, the slow rate as a share of the fast one.
    """
    t, v = np.asarray(time, dtype=np.float64), np.asarray(value, dtype=np.float64)
    limit = np.broadcast_to(np.asarray(lloq, dtype=np.float64), t.shape)
    known = np.isfinite(v) & (v > 0)
    if known.sum() < least:
        return CurveFit(None, math.nan, math.nan, "TOO_FEW_POINTS")
    y = np.log(np.where(known, v, np.where(limit > 0, limit, 1.0)))
    use = known | (limit > 0)
    data = (t[use], y[use], known[use])
    search: Any = scipy.optimize.minimize
    found = [
        search(
            lambda free: _loss(free, data), start, jac=True, method="L-BFGS-B", bounds=limits, options=_STOP
        )
        for limits in [_bounds(t, v)]
        for start in _starts(t, v)
    ]
    best = min(found, key=lambda fit: float(fit.fun))
    if not math.isfinite(float(best.fun)):
        return CurveFit(None, math.nan, math.nan, "NO_CONVERGENCE")
    curve, sigma = _curve(best.x)
    return CurveFit(curve, sigma, -float(best.fun))


_STEP = 1e-7
_STOP: Any = {"maxiter": 120}


def _loss(free: Floats, data: tuple[Floats, Floats, Flags]) -> tuple[float, Floats]:
    """Return minus the log likelihood and its gradient, by central differences in one sweep."""
    moves = _STEP * np.eye(len(free))
    values = _losses(np.concatenate([free[None, :], free + moves, free - moves]), *data)
    gradient = (values[1 : len(free) + 1] - values[len(free) + 1 :]) / (2.0 * _STEP)
    return float(values[0]), gradient


def _losses(free: Floats, t: Floats, y: Floats, known: Flags) -> Floats:
    """Return minus the log likelihood of each row of parameters."""
    lag, beta, fb = (1.0 / (1.0 + np.exp(-np.clip(free[:, i : i + 1], -30, 30))) for i in (0, 6, 5))
    fold, tmax, _, alpha = (np.exp(np.clip(free[:, i : i + 1], -40, 40)) for i in (1, 2, 3, 4))
    top, sigma = free[:, 3:4], np.exp(np.clip(free[:, 7:8], -12, 12))
    start, growth = lag * tmax, np.log1p(fold)
    share = np.clip((t - start) / (tmax - start), 0.0, 1.0)
    gone = np.maximum(t - tmax, 0.0)
    fall = np.logaddexp(np.log1p(-fb) - alpha * gone, np.log(fb) - beta * alpha * gone)
    z = (y - top - np.where(t <= tmax, growth * (share - 1.0), fall)) / sigma
    dense = -(z**2) / 2.0 - np.log(sigma) - math.log(2.0 * math.pi) / 2.0
    answer: Floats = -np.where(known, dense, scipy.special.log_ndtr(z)).sum(axis=1)
    return answer


def _bounds(t: Floats, v: Floats) -> list[tuple[float, float]]:
    """Return bounds of the unbounded parameters: a maximum inside the samples, within e^3 of the highest one."""
    seen = t[np.isfinite(v) & (v > 0)]
    first, last = max(float(seen.min()) / 2.0, 1e-3), max(float(seen.max()), 2e-3)
    top = math.log(float(np.nanmax(v)))
    return [
        (-8, 8),
        (-8, 20),
        (math.log(first), math.log(last)),
        (top - 3, top + 3),
        (-9, 4),
        (-12, 12),
        (-12, 12),
        (-8, 5),
    ]


def _curve(free: Floats) -> tuple[ExpansionCurve, float]:
    """Return legal parameters from unbounded ones."""
    share_lag, share_beta, fb = (1.0 / (1.0 + np.exp(-np.clip(free[i], -30, 30))) for i in (0, 6, 5))
    foldx, tmax, cmax, alpha = (float(np.exp(np.clip(free[i], -40, 40))) for i in (1, 2, 3, 4))
    sigma = float(np.exp(np.clip(free[7], -12, 12)))
    beta = float(share_beta) * alpha
    return ExpansionCurve(float(share_lag) * tmax, 1.0 + foldx, tmax, cmax, alpha, float(fb), beta), sigma


def _starts(t: Floats, v: Floats) -> list[Floats]:
    top = int(np.nanargmax(v))
    first = max(float(np.nanmin(np.where(v > 0, v, np.nan))), 1e-9)
    peak, when = float(v[top]), max(float(t[top]), 1e-3)
    fold = math.log(max(peak / first, 2.0))
    return [
        np.array([-2.0, fold, math.log(when), math.log(peak), math.log(rate), -3.0, -2.5, -1.0])
        for rate in (0.5, 0.15, 0.05)
    ]


@dataclass(frozen=True, eq=False)
class Expansion:
    """Expansion seen in each profile.

    Attributes
    ----------
    fold, rate, doubling_time, start : ndarray of float, shape (k,)
        Cmax over the first quantified value after time 0 and before Tmax (or over LLOQ); growth rate; doubling time; time of
        that value.
    reason : ndarray of str, shape (k,)
        ALL_BLQ, LLOQ_MISSING, or TMAX_FIRST where no value stands before the maximum; empty otherwise.
    """

    fold: Floats
    rate: Floats
    doubling_time: Floats
    start: Floats
    reason: Texts


def expansion(samples: Profiles, *, baseline: str = "first_quantified") -> Expansion:
    """Return fold expansion and doubling time.

    Parameters
    ----------
    samples : Profiles
        Collected samples; time 0 is the infusion.
    baseline : {"first_quantified", "lloq"}
        First quantified value, or the limit of the last sample before it, at that sample's time.

    Returns
    -------
    Expansion
        NaN where Tmax is the first quantified sample after the infusion.

    Raises
    ------
    ValueError
        If ``baseline`` is unknown.
    """
    check_choice(baseline, "baseline", BASELINES)
    post = samples.quantified & (samples.time > 0)
    top = np.where(post, samples.value, -np.inf).argmax(axis=1)
    first = first_true(post)
    cmax, tmax = at(samples.value, top), at(samples.time, top)
    if baseline == "lloq":
        before = samples.valid & (np.arange(post.shape[1])[None, :] < first[:, None])
        first = np.where(before.any(axis=1), last_true(before), post.shape[1])
        base, start = at(samples.lloq, first), at(samples.time, first)
    else:
        base, start = at(samples.value, first), at(samples.time, first)
    some = post.any(axis=1)
    grows = some & (start < tmax) & (base > 0)
    fold = np.where(grows, cmax / np.where(grows, base, 1.0), np.nan)
    rate = np.log(fold) / np.where(grows, tmax - start, 1.0)
    positive = rate > 0
    doubling = np.where(positive, _LN2 / np.where(positive, rate, 1.0), np.nan)
    unknown = np.isnan(base) & (start < tmax)
    reason = np.select([grows, ~some, unknown], ["", "ALL_BLQ", "LLOQ_MISSING"], "TMAX_FIRST")
    return Expansion(fold, rate, doubling, np.where(grows, start, np.nan), reason)


@dataclass(frozen=True, eq=False)
class Persistence:
    """How long each profile is seen.

    Attributes
    ----------
    tlast, last_detected : ndarray of float, shape (k,)
        Times of the last quantified and the last detected sample.
    lost_after, lost_by : ndarray of float, shape (k,)
        The loss lies after the first and not after the second; infinite where the last sample was still quantified.
    """

    tlast: Floats
    last_detected: Floats
    lost_after: Floats
    lost_by: Floats


def persistence(samples: Profiles) -> Persistence:
    """Return the last quantified and detected times and the interval in which the signal was lost.

    Parameters
    ----------
    samples : Profiles
        Collected samples.

    Returns
    -------
    Persistence
        NaN where nothing was ever quantified.

    Raises
    ------
    None
    """
    last = last_true(samples.quantified)
    tlast = at(samples.time, last)
    following = at(samples.time, np.where(last >= 0, last + 1, -1))
    seen = samples.valid & (samples.detected | samples.quantified)
    lost_by = np.where(np.isnan(tlast), np.nan, np.where(np.isnan(following), np.inf, following))
    return Persistence(tlast, at(samples.time, last_true(seen)), tlast, lost_by)
