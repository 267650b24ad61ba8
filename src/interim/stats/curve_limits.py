"""The rows of a survival curve and the six pointwise intervals of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from scipy.special import betaincinv, expit, ndtri

from interim.stats.answers import Flags, Floats, Integers

Limits: TypeAlias = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class CurveRows:
    """A survival curve, one row per distinct time.

    Attributes
    ----------
    time : ndarray of float, shape (k,)
        Distinct times, ascending, events and censorings.
    n_risk, n_event, n_censor : ndarray of int, shape (k,)
        Participants at risk just before the time; events and censorings at the time.
    surv, cumhaz : ndarray of float, shape (k,)
        Kaplan-Meier estimate and Nelson-Aalen cumulative hazard.
    se_surv, se_log_surv : ndarray of float, shape (k,)
        Greenwood standard errors of S (NaN at S = 0) and of log S (infinite at S = 0).
    """

    time: Floats
    n_risk: Integers
    n_event: Integers
    n_censor: Integers
    surv: Floats
    cumhaz: Floats
    se_surv: Floats
    se_log_surv: Floats


def plain(rows: CurveRows, level: float) -> Limits:
    """Return S -+ z se(S).

    Parameters
    ----------
    rows : CurveRows
        The curve.
    level : float
        Confidence level, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,); NaN at S = 0.

    Raises
    ------
    None
    """
    half = _z(level) * rows.se_surv
    return _clipped(rows.surv - half, rows.surv + half, rows.surv == 0.0)


def log(rows: CurveRows, level: float) -> Limits:
    """Return the limits that are symmetric for log S.

    Parameters
    ----------
    rows : CurveRows
        The curve.
    level : float
        Confidence level, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,); NaN at S = 0.

    Raises
    ------
    None
    """
    closed = rows.surv == 0.0
    half = _z(level) * np.where(closed, 0.0, rows.se_log_surv)
    with np.errstate(over="ignore"):
        return _clipped(rows.surv * np.exp(-half), rows.surv * np.exp(half), closed)


def log_log(rows: CurveRows, level: float) -> Limits:
    """Return the limits that are symmetric for log(-log S).

    Parameters
    ----------
    rows : CurveRows
        The curve.
    level : float
        Confidence level, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,); NaN at S = 0 and S = 1.

    Raises
    ------
    None
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        hazard = -np.log(rows.surv)
        factor = np.exp(_z(level) * rows.se_log_surv / hazard)
        lower, upper = np.exp(-hazard * factor), np.exp(-hazard / factor)
    return _clipped(lower, upper, _at_an_end(rows))


def logit(rows: CurveRows, level: float) -> Limits:
    """Return the limits that are symmetric for log(S/(1 - S)).

    Parameters
    ----------
    rows : CurveRows
        The curve.
    level : float
        Confidence level, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,); NaN at S = 0 and S = 1.

    Raises
    ------
    None
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(rows.surv / (1.0 - rows.surv))
        half = _z(level) * rows.se_log_surv / (1.0 - rows.surv)
        lower, upper = expit(odds - half), expit(odds + half)
    return _clipped(lower, upper, _at_an_end(rows))


def arcsin(rows: CurveRows, level: float) -> Limits:
    """Return the limits that are symmetric for the arcsine of the root of S.

    Parameters
    ----------
    rows : CurveRows
        The curve.
    level : float
        Confidence level, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,); NaN at S = 0 and S = 1.

    Raises
    ------
    None
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.arcsin(np.sqrt(rows.surv))
        half = _z(level) * rows.se_log_surv / 2.0 * np.sqrt(rows.surv / (1.0 - rows.surv))
        lower, upper = (np.sin(np.clip(a, 0.0, np.pi / 2.0)) ** 2 for a in (angle - half, angle + half))
    return _clipped(lower, upper, _at_an_end(rows))


def beta_product(rows: CurveRows, level: float) -> Limits:
    """Return the beta product limits (method of moments), which exist on every row.

    Parameters
    ----------
    rows : CurveRows
        The curve.
    level : float
        Confidence level, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limits, shape (k,).

    Raises
    ------
    None

    Notes
    -----
    The upper limit is a quantile of the product of Beta(n - d + 1, d) over the event times; the lower limit one of
    that product times Beta(Y, 1), Y = participants at risk after the time. Mean and variance of a product are those
    of one beta distribution. Without censoring the limits are those of Clopper and Pearson.

    References
    ----------
    Fay, Brittain and Proschan 2013.
    """
    tail = (1.0 - level) / 2.0
    n, d = rows.n_risk.astype(np.float64), rows.n_event.astype(np.float64)
    after = n - d - rows.n_censor
    log_mean = np.cumsum(np.log1p(-d / (n + 1.0)))
    log_ratio = np.cumsum(np.log1p(d / ((n - d + 1.0) * (n + 2.0))))
    upper = np.ones_like(n)
    fell = log_mean < 0.0
    a, b = _moments(log_mean[fell], log_ratio[fell])
    upper[fell] = 1.0 - betaincinv(b, a, tail)
    lower = np.zeros_like(n)
    left = after > 0.0
    y = after[left]
    a, b = _moments(log_mean[left] - np.log1p(1.0 / y), log_ratio[left] + np.log1p(1.0 / (y * (y + 2.0))))
    lower[left] = betaincinv(a, b, tail)
    return lower, upper


CURVE_INTERVALS: Mapping[str, Callable[[CurveRows, float], Limits]] = MappingProxyType(
    {
        "plain": plain,
        "log": log,
        "log-log": log_log,
        "logit": logit,
        "arcsin": arcsin,
        "beta_product": beta_product,
    }
)


def _z(level: float) -> float:
    return float(ndtri((1.0 + level) / 2.0))


def _at_an_end(rows: CurveRows) -> Flags:
    at_end: Flags = (rows.surv == 0.0) | (rows.surv == 1.0)
    return at_end


def _clipped(lower: Floats, upper: Floats, closed: Flags) -> Limits:
    """Clip both limits to [0, 1] and give none where the interval does not exist."""
    lower, upper = np.maximum(lower, 0.0), np.minimum(upper, 1.0)
    lower[closed] = upper[closed] = np.nan
    return lower, upper


def _moments(log_mean: Floats, log_ratio: Floats) -> Limits:
    """Parameters of the beta distribution with a mean and a ratio E[X^2]/E[X]^2, both as logarithms."""
    mean, rest = np.exp(log_mean), -np.expm1(log_mean)
    # variance = mean^2 (ratio - 1), without the cancellation of E[X^2] - E[X]^2
    size = rest / (mean * np.expm1(log_ratio)) - 1.0
    return mean * size, rest * size
