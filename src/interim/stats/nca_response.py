"""Exposure against a yes-or-no outcome: ranks, area under the ROC curve, slope per doubling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtri

from interim.stats.answers import Flags, Floats, Interval, TestResult
from interim.stats.firth import firth_logistic, separation
from interim.stats.inputs import check_choice, check_events, check_same_length
from interim.stats.nca_summary import summary
from interim.stats.ranks import Shift, average_ranks, hodges_lehmann, wilcoxon, wilcoxon_asymptotic

AUROC_INTERVALS = ("bootstrap", "delong")
_EXACT_WITH_TIES = 20
_NO_FIT = (math.nan, math.nan)


@dataclass(frozen=True)
class Slope:
    """Logistic slope per doubling of the exposure.

    Attributes
    ----------
    slope, se, intercept : float
        NaN where the reason stands.
    reason : str
        SEPARATION or NOT_APPLICABLE; empty otherwise.
    """

    slope: float
    se: float
    intercept: float
    reason: str = ""


@dataclass(frozen=True)
class ExposureResponse:
    """Exposure of participants with and without an event.

    Attributes
    ----------
    n_event, n_other : int
        Participants.
    median_event, median_other, geo_ratio : float
        Medians; ratio of the geometric means, an exposure of 0 counting as its floor.
    shift : Shift or None
        Hodges-Lehmann shift of log2 exposure.
    statistic : float
        Mann-Whitney count of the event group.
    test, approximate : TestResult or None
        Rank test as chosen; normal approximation with continuity correction.
    auroc : float
        Chance that an exposure with event is the larger one.
    interval : Interval
        Interval of ``auroc``.
    likelihood, firth : Slope
        Slope per doubling by maximum likelihood and with Firth's penalty.
    reason : str
        NOT_APPLICABLE with fewer than two events or non-events.
    """

    n_event: int
    n_other: int
    median_event: float
    median_other: float
    geo_ratio: float
    shift: Shift | None
    statistic: float
    test: TestResult | None
    approximate: TestResult | None
    auroc: float
    interval: Interval
    likelihood: Slope
    firth: Slope
    reason: str = ""


def exposure_response(
    exposure: ArrayLike,
    event: ArrayLike,
    *,
    floor: ArrayLike,
    level: float = 0.95,
    interval: str = "bootstrap",
    draws: int = 2000,
    seed: int = 0,
) -> ExposureResponse:
    """Return how exposure differs between participants with and without an event.

    Parameters
    ----------
    exposure : array_like of float, shape (n,)
        Exposures, not missing.
    event : array_like of int or bool, shape (n,)
        1 = event.
    floor : array_like of float
        What stands for an exposure of 0 where logarithms are taken: half the quantification limit.
    level : float
        Confidence level.
    interval : {"bootstrap", "delong"}
        Interval of the area under the ROC curve.
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    ExposureResponse
        Descriptive; no cut-point is searched for.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    check_choice(interval, "interval", AUROC_INTERVALS)
    x, y = np.asarray(exposure, dtype=np.float64), check_events(event, "event")
    check_same_length(x, y, ("exposure", "event"))
    logs = np.log2(np.where(x > 0, x, np.asarray(floor, dtype=np.float64)))
    n1, n0 = int(y.sum()), int((~y).sum())
    ones, others = summary(x[y]), summary(x[~y])
    gap = float(logs[y].mean() - logs[~y].mean()) if n1 and n0 else math.nan
    few = min(n1, n0) < 2
    roc = _Roc.of(x, y) if n1 and n0 else None
    reason = "NOT_APPLICABLE" if few else ""
    return ExposureResponse(
        n1,
        n0,
        ones.median,
        others.median,
        2.0**gap,
        None if few else hodges_lehmann(logs, y.astype(int), level=level),
        roc.count if roc else math.nan,
        None if few else _rank_test(x, y),
        None if few else wilcoxon_asymptotic(x, y.astype(int)),
        roc.area if roc else math.nan,
        _interval(roc, few, interval=interval, level=level, draws=draws, seed=seed),
        likelihood_slope(logs, y),
        _firth(logs, y),
        reason,
    )


def _rank_test(x: Floats, y: Flags) -> TestResult:
    tied = len(np.unique(x)) < len(x)
    if tied and len(x) > _EXACT_WITH_TIES:
        return wilcoxon_asymptotic(x, y.astype(int))
    return wilcoxon(x, y.astype(int), seed=0)


@dataclass(frozen=True)
class _Roc:
    """Comparisons of every event with every other participant."""

    wins: Floats

    @classmethod
    def of(cls, x: Floats, y: Flags) -> _Roc:
        # Sorted: which participant a draw takes must not depend on how participants are named.
        gaps = np.sort(x[y])[:, None] - np.sort(x[~y])[None, :]
        return cls((gaps > 0) + 0.5 * (gaps == 0))

    @property
    def count(self) -> float:
        return float(self.wins.sum())

    @property
    def area(self) -> float:
        return float(self.wins.mean())


def _interval(roc: _Roc | None, few: bool, *, interval: str, level: float, draws: int, seed: int) -> Interval:
    if roc is None or few:
        return Interval(math.nan, math.nan, level, interval, "NE", "NOT_APPLICABLE")
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    if interval == "delong":
        n1, n0 = roc.wins.shape
        variance = (
            float(np.var(roc.wins.mean(axis=1), ddof=1)) / n1
            + float(np.var(roc.wins.mean(axis=0), ddof=1)) / n0
        )
        half = float(ndtri(tails[1])) * math.sqrt(variance)
        return Interval(max(0.0, roc.area - half), min(1.0, roc.area + half), level, interval)
    rng = np.random.default_rng(seed)
    n1, n0 = roc.wins.shape
    rows = rng.multinomial(n1, np.full(n1, 1.0 / n1), size=draws) / n1
    columns = rng.multinomial(n0, np.full(n0, 1.0 / n0), size=draws) / n0
    areas = np.einsum("di,ij,dj->d", rows, roc.wins, columns, optimize=True)
    lower, upper = np.quantile(areas, tails)
    return Interval(float(lower), float(upper), level, interval)


def auroc(exposure: ArrayLike, event: ArrayLike) -> float:
    """Return the chance that an exposure with event is larger than one without; ties count one half.

    Parameters
    ----------
    exposure, event : array_like, shape (n,)
        As in `exposure_response`.

    Returns
    -------
    float
        NaN without events or without non-events.

    Raises
    ------
    ValueError
        If ``event`` is illegal.

    Examples
    --------
    >>> auroc([1, 2, 3, 4], [0, 1, 0, 1])
    0.75
    """
    x, y = np.asarray(exposure, dtype=np.float64), check_events(event, "event")
    n1, n0 = int(y.sum()), int((~y).sum())
    if not n1 or not n0:
        return math.nan
    return (float(average_ranks(x)[y].sum()) - n1 * (n1 + 1) / 2.0) / (n1 * n0)


def likelihood_slope(x: ArrayLike, event: ArrayLike) -> Slope:
    """Return the logistic slope by maximum likelihood.

    Parameters
    ----------
    x : array_like of float, shape (n,)
        Covariate, for example log2 exposure.
    event : array_like of int or bool, shape (n,)
        1 = event.

    Returns
    -------
    Slope
        SEPARATION where the maximum does not exist; NOT_APPLICABLE with fewer than two events or non-events, or a constant
        covariate.

    Raises
    ------
    ValueError
        If ``event`` is illegal.
    """
    values, y = np.asarray(x, dtype=np.float64), check_events(event, "event")
    if not _estimable(values, y):
        return Slope(*_NO_FIT, math.nan, "NOT_APPLICABLE")
    if separation(values, y.astype(int)).kind != "none":
        return Slope(*_NO_FIT, math.nan, "SEPARATION")
    centre, scale = float(values.mean()), float(values.std())
    design = np.column_stack([np.ones(len(y)), (values - centre) / scale])
    beta = np.zeros(2)
    for _ in range(100):
        step = np.linalg.solve(_information(design, beta), design.T @ (y - expit(design @ beta)))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-13:
            break
    se = math.sqrt(float(np.linalg.inv(_information(design, beta))[1, 1]))
    slope = float(beta[1]) / scale
    return Slope(slope, se / scale, float(beta[0]) - slope * centre)


def _estimable(x: Floats, y: Flags) -> bool:
    return bool(min(int(y.sum()), int((~y).sum())) >= 2 and np.ptp(x) > 0)


def _information(design: Floats, beta: Floats) -> Floats:
    p = expit(design @ beta)
    answer: Floats = design.T @ (design * (p * (1.0 - p))[:, None])
    return answer


def _firth(x: Floats, y: Flags) -> Slope:
    """Firth's slope; its standard error from the unpenalised information at the penalised estimate."""
    if not _estimable(x, y):
        return Slope(*_NO_FIT, math.nan, "NOT_APPLICABLE")
    fit = firth_logistic(x, y.astype(int), terms=())
    design = np.column_stack([np.ones(len(x)), x])
    se = math.sqrt(float(np.linalg.inv(_information(design, fit.coef))[1, 1]))
    return Slope(float(fit.coef[1]), se, float(fit.coef[0]))
