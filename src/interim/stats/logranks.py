"""Log-rank: asymptotic, weighted, stratified, for several groups; scores; exact and Monte Carlo permutation of scores."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from interim.stats.answers import Flags, Floats, Integers, Status, TestResult, frozen
from interim.stats.inputs import check_choice, check_events, check_groups, check_same_length, check_times
from interim.stats.permutation import PermutationPlan, plan_test
from interim.stats.sums import two_sample_permutation
from interim.stats.tally import at_risk, tally

SCORES = ("nelson_aalen", "hothorn_lausen")
_FLAT = 1e-12


@dataclass(frozen=True, eq=False)
class LogRank:
    """Log-rank comparison of two or more groups.

    Attributes
    ----------
    observed, expected : ndarray of float, shape (k,)
        Events and expected events per group, in the order of the sorted labels (weighted if rho is not 0).
    variance : ndarray of float, shape (k, k)
        Covariance of observed minus expected.
    chisq, df, p_value : float, int, float
        Quadratic form, its degrees of freedom and the asymptotic p-value; NaN beside status NE.
    status, reason : str
        NE: NO_EVENTS, ONE_LEVEL, or no variance (NO_DATA).
    """

    observed: Floats
    expected: Floats
    variance: Floats
    chisq: float
    df: int
    p_value: float
    status: Status = "OK"
    reason: str = ""


def logrank(
    time: ArrayLike,
    event: ArrayLike,
    *,
    group: ArrayLike,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Return the log-rank test of two or more groups.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    group : array_like of int, shape (n,)
        Group of each participant.
    strata : array_like of int, shape (n,), optional
        Stratum of each participant.
    rho : float
        Weights S(t-) ** rho of the pooled curve; 0 is the log-rank test.

    Returns
    -------
    LogRank
        Events before censorings at one time; hypergeometric variance.

    Raises
    ------
    ValueError
        If an input is illegal or lengths differ.

    References
    ----------
    Mantel 1966; Harrington and Fleming 1982.

    Examples
    --------
    >>> round(logrank([1, 2, 3, 4], [1, 1, 1, 1], group=[0, 0, 1, 1]).chisq, 4)
    2.8824
    """
    times, events = _sample(time, event)
    codes = check_groups(group, "group", rows=len(times))
    k = int(np.maximum.reduce(codes)) + 1 if len(codes) else 0
    if strata is None:
        observed, expected, variance = _layer(times, events, codes, k, rho)
    else:
        parts = zip(*(_layer(*part, k, rho) for part in _parts(times, events, codes, strata)), strict=True)
        observed, expected, variance = (np.sum(part, axis=0) for part in parts)
    frozen(observed, expected, variance)
    reason = (
        "NO_DATA"
        if not len(times)
        else "ONE_LEVEL"
        if k < 2
        else ""
        if np.count_nonzero(events)
        else "NO_EVENTS"
    )
    return _judged(observed, expected, variance, reason)


def _parts(
    times: Floats, events: Flags, codes: Integers, strata: ArrayLike
) -> Iterator[tuple[Floats, Flags, Integers]]:
    """The sample stratum by stratum."""
    layers = check_groups(strata, "strata", rows=len(times))
    for layer in range(int(layers.max(initial=0)) + 1):
        inside = layers == layer
        yield times[inside], events[inside], codes[inside]


def _judged(observed: Floats, expected: Floats, variance: Floats, reason: str) -> LogRank:
    df = max(len(observed) - 1, 0)
    gap, spread = (observed - expected)[:-1], variance[:-1, :-1]
    if not reason and _rank(spread) < df:
        reason = "NO_DATA"
    if reason:
        return LogRank(observed, expected, variance, math.nan, df, math.nan, "NE", reason)
    chisq = float(gap @ np.linalg.solve(spread, gap)) if df > 1 else float(gap[0] ** 2 / spread[0, 0])
    return LogRank(observed, expected, variance, chisq, df, float(chdtrc(df, chisq)))


def _rank(spread: Floats) -> int:
    return int(np.linalg.matrix_rank(spread, tol=_FLAT) if len(spread) > 1 else spread[0, 0] > _FLAT)


def _sample(time: ArrayLike, event: ArrayLike) -> tuple[Floats, Flags]:
    times, events = check_times(time, "time"), check_events(event, "event")
    check_same_length(times, events, ("time", "event"))
    return times, events


def _layer(
    times: Floats, events: Flags, codes: Integers, k: int, rho: float
) -> tuple[Floats, Floats, Floats]:
    """Observed, expected and covariance of one stratum."""
    if not len(times):
        return np.zeros(k), np.zeros(k), np.zeros((k, k))
    counts = tally(times, 2 * codes + events, k=2 * k)[1]
    risk = at_risk(counts[::2] + counts[1::2])
    fail = counts[1::2].astype(np.float64)
    d, n = np.add.reduce(fail), np.add.reduce(risk)
    share = risk / n
    spread = d * (n - d) / np.maximum(n - 1.0, 1.0)
    if rho:
        weight = np.concatenate(([1.0], np.cumprod(1.0 - d / n)[:-1])) ** rho
        fail, d, spread = fail * weight, d * weight, spread * weight**2
    scaled = share * spread
    variance = -(scaled @ share.T)
    variance.reshape(-1)[:: k + 1] += np.add.reduce(scaled, axis=1)
    return np.add.reduce(fail, axis=1), share @ d, variance


def _at_risk(times: Floats, moments: Floats) -> Floats:
    """How many times are at or after each moment."""
    before = np.searchsorted(np.sort(times), moments, side="left")
    count: Floats = (len(times) - before).astype(np.float64)
    return count


def _at(times: Floats, moments: Floats) -> Floats:
    """How many times are equal to each moment."""
    ordered = np.sort(times)
    count = np.searchsorted(ordered, moments, side="right") - np.searchsorted(ordered, moments, side="left")
    return count.astype(np.float64)


def logrank_scores(time: ArrayLike, event: ArrayLike, *, ties: str = "nelson_aalen") -> Floats:
    """Return the log-rank score of each participant.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    ties : {"nelson_aalen", "hothorn_lausen"}
        nelson_aalen: event minus the cumulative hazard at the participant's time, so that the sum over a group is O - E.
        hothorn_lausen: event minus the sum over events at or before that time of 1/(participants with a later time + 1).

    Returns
    -------
    ndarray of float, shape (n,)
        Scores; they sum to 0 for nelson_aalen.

    Raises
    ------
    ValueError
        If an input is illegal.

    Examples
    --------
    >>> logrank_scores([1, 2], [1, 1]).tolist()
    [0.5, -0.5]
    """
    check_choice(ties, "ties", SCORES)
    times, events = _sample(time, event)
    if ties == "nelson_aalen":
        distinct = np.unique(times[events])
        jumps, ends = _at(times[events], distinct) / _at_risk(times, distinct), distinct
    else:
        ends = np.sort(times[events])
        later = len(times) - np.searchsorted(np.sort(times), ends, side="right")
        jumps = np.asarray(1.0 / (later + 1.0), dtype=np.float64)
    hazard = np.concatenate(([0.0], np.cumsum(jumps)))
    passed = hazard[np.searchsorted(ends, times, side="right")]
    return np.asarray(events - passed, dtype=np.float64)


def logrank_permutation(
    time: ArrayLike,
    event: ArrayLike,
    *,
    group: ArrayLike,
    plan: PermutationPlan | None = None,
    max_exact: int = 200_000,
    seed: int | None = None,
) -> TestResult:
    """Return the permutation log-rank test of two groups.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    group : array_like of int, shape (n,)
        0 or 1.
    plan : PermutationPlan, optional
        Arrangements shared with other tests; without it the test counts or draws its own.
    max_exact : int
        Most arrangements that are counted one by one; up to 36 participants the count is exact by joining two halves.
    seed : int, optional
        Seed of the draws where no exact count is possible.

    Returns
    -------
    TestResult
        statistic: O - E of group 1; definition ``abs``.

    Raises
    ------
    ValueError
        If an input is illegal, or draws are needed and no seed is given.

    Notes
    -----
    The fixed Nelson-Aalen scores are permuted, not the chi-square, whose variance would change.
    """
    times, events = _sample(time, event)
    codes = check_groups(group, "group", rows=len(times), binary=True)
    scores = logrank_scores(times, events)
    if plan is not None:
        return plan_test(plan, codes, scores)
    return two_sample_permutation(scores, codes, max_exact=max_exact, seed=seed)
