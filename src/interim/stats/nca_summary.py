"""Descriptive numbers of a group of exposures, and the power model of dose proportionality."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from interim.stats.answers import Floats
from interim.stats.inputs import check_between, check_same_length


@dataclass(frozen=True)
class Summary:
    """Descriptive numbers; NaN where they do not exist.

    Attributes
    ----------
    n, n_positive : int
        Values; positive ones.
    mean, sd, cv, geo_mean, geo_cv, median, q1, q3, low, high : float
        Geometric numbers are of the positive values; ``cv`` and ``geo_cv`` in percent.
    """

    n: int
    n_positive: int
    mean: float
    sd: float
    cv: float
    geo_mean: float
    geo_cv: float
    median: float
    q1: float
    q3: float
    low: float
    high: float


def quantile(values: ArrayLike, p: float, *, kind: int = 7) -> float:
    """Return a quantile.

    Parameters
    ----------
    values : array_like of float
        At least one value.
    p : float
        0 to 1.
    kind : {7, 2}
        Interpolation between order statistics, or their mean at a jump.

    Returns
    -------
    float
        The quantile.

    Raises
    ------
    None

    Examples
    --------
    >>> quantile([1, 2, 3, 4], 0.25), quantile([1, 2, 3, 4], 0.25, kind=2)
    (1.75, 1.5)
    """
    method = {7: "linear", 2: "averaged_inverted_cdf"}[kind]
    return float(np.quantile(np.asarray(values, dtype=np.float64), p, method=method))  # type: ignore[call-overload]


def summary(values: ArrayLike, *, kind: int = 7) -> Summary:
    """Return the descriptive numbers of a group.

    Parameters
    ----------
    values : array_like of float
        NaN is left out.
    kind : {7, 2}
        Type of the quartiles.

    Returns
    -------
    Summary
        Standard deviations need two values.

    Raises
    ------
    None
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    positive = np.log(x[x > 0])
    nan = math.nan
    mean = float(x.mean()) if len(x) else nan
    sd = float(x.std(ddof=1)) if len(x) > 1 else nan
    spread = float(positive.var(ddof=1)) if len(positive) > 1 else nan
    half, q1, q3 = (quantile(x, p, kind=kind) if len(x) else nan for p in (0.5, 0.25, 0.75))
    return Summary(
        len(x),
        len(positive),
        mean,
        sd,
        100.0 * sd / mean if mean else nan,
        math.exp(float(positive.mean())) if len(positive) else nan,
        100.0 * math.sqrt(math.expm1(spread)) if len(positive) > 1 else nan,
        half,
        q1,
        q3,
        float(x.min()) if len(x) else nan,
        float(x.max()) if len(x) else nan,
    )


def geometric_interval(values: ArrayLike, *, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a geometric mean, by Student's t on the logarithms.

    Parameters
    ----------
    values : array_like of float
        Values that are not positive are left out.
    level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Lower and upper limit; NaN with fewer than two positive values.

    Raises
    ------
    ValueError
        If the level is illegal.

    Examples
    --------
    >>> [round(limit, 3) for limit in geometric_interval([1.0, 2.0, 4.0])]
    [0.357, 11.19]
    """
    check_between(level, "level", low=0.0, high=1.0)
    x = np.asarray(values, dtype=np.float64)
    logs = np.log(x[np.isfinite(x) & (x > 0)])
    if len(logs) < 2:
        return math.nan, math.nan
    half = float(stdtrit(len(logs) - 1, (1.0 + level) / 2.0)) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    mean = float(logs.mean())
    return math.exp(mean - half), math.exp(mean + half)


@dataclass(frozen=True)
class PowerModel:
    """ln exposure = intercept + slope ln dose.

    Attributes
    ----------
    n, n_zero : int
        Exposures used; left out because they are not positive.
    intercept, slope, se, p_value, sigma, r2 : float
        Least squares.
    lower, upper : float
        Interval of the slope.
    dose_ratio, critical_low, critical_high : float
        Highest over lowest dose; the interval of the slope that counts as proportional.
    ratio : float
        Ratio of the dose-normalised geometric means, highest to lowest dose.
    verdict : str
        PROPORTIONAL, NOT_PROPORTIONAL, INCONCLUSIVE; NOT_APPLICABLE with fewer than three exposures or one dose.
    """

    n: int
    n_zero: int
    intercept: float
    slope: float
    se: float
    p_value: float
    sigma: float
    r2: float
    lower: float
    upper: float
    dose_ratio: float
    critical_low: float
    critical_high: float
    ratio: float
    verdict: str


_NUMBERS = tuple(name for name in PowerModel.__dataclass_fields__ if name not in ("n", "n_zero", "verdict"))


def power_model(
    dose: ArrayLike, exposure: ArrayLike, *, level: float = 0.90, limits: Sequence[float] = (0.8, 1.25)
) -> PowerModel:
    """Return the power model of dose proportionality with the criterion of Smith.

    Parameters
    ----------
    dose, exposure : array_like of float, shape (n,)
        Doses, positive; exposures.
    level : float
        Confidence level of the slope's interval.
    limits : sequence of two float
        Permitted ratio of dose-normalised means over the whole dose range.

    Returns
    -------
    PowerModel
        Exposures that are not positive leave the model and are counted.

    Raises
    ------
    ValueError
        If the lengths differ or the level is illegal.

    References
    ----------
    Smith et al. 2000.
    """
    check_between(level, "level", low=0.0, high=1.0)
    doses, values = np.asarray(dose, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    check_same_length(doses, values, ("dose", "exposure"))
    known = np.isfinite(values) & np.isfinite(doses) & (doses > 0)
    use = known & (values > 0)
    n, zero = int(use.sum()), int((known & (values <= 0)).sum())
    x, y = np.log(doses[use]), np.log(values[use])
    if n < 3 or np.ptp(x) <= 0:
        return PowerModel(n, zero, **dict.fromkeys(_NUMBERS, math.nan), verdict="NOT_APPLICABLE")
    return _fitted(x, y, zero, level=level, limits=limits)


def _fitted(x: Floats, y: Floats, zero: int, *, level: float, limits: Sequence[float]) -> PowerModel:
    n, dx = len(x), x - x.mean()
    sxx = float(dx @ dx)
    slope = float(dx @ y) / sxx
    intercept = float(y.mean()) - slope * float(x.mean())
    rest = y - intercept - slope * x
    rss, total = float(rest @ rest), float(((y - y.mean()) ** 2).sum())
    sigma = math.sqrt(rss / (n - 2))
    se = sigma / math.sqrt(sxx)
    half = float(stdtrit(n - 2, (1.0 + level) / 2.0)) * se
    p = 2.0 * float(stdtr(n - 2, -abs(slope) / se)) if se > 0 else 0.0
    span = float(np.ptp(x))
    low, high = (1.0 + math.log(limit) / span for limit in limits)
    return PowerModel(
        n,
        zero,
        intercept,
        slope,
        se,
        p,
        sigma,
        1.0 - rss / total if total > 0 else math.nan,
        slope - half,
        slope + half,
        math.exp(span),
        low,
        high,
        math.exp((slope - 1.0) * span),
        _verdict((slope - half, slope + half), (low, high)),
    )


def _verdict(interval: tuple[float, float], critical: tuple[float, float]) -> str:
    if interval[0] >= critical[0] and interval[1] <= critical[1]:
        return "PROPORTIONAL"
    if interval[1] < critical[0] or interval[0] > critical[1]:
        return "NOT_PROPORTIONAL"
    return "INCONCLUSIVE"
