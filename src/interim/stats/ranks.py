"""Rank tests and correlations with ties, exact where that is possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri, stdtr

from interim.stats.answers import Floats, Integers, Interval, Status, TestResult
from interim.stats.inputs import check_between, check_groups, check_numbers, check_same_length
from interim.stats.permutation import PermutationPlan, plan_test
from interim.stats.sums import two_sample_permutation

EXACT_UP_TO = 8
_TIE = 1e-9


@dataclass(frozen=True)
class Correlation:
    """A correlation with its p-value.

    Attributes
    ----------
    estimate, p_value : float
        Coefficient and two-sided p-value; NaN beside status NE (ONE_LEVEL: a variable is constant).
    interval : Interval or None
        Limits, where the method has them (Pearson: Fisher's z).
    exact : bool
        Whether all orders were counted.
    status, reason : str
        As in `Interval`.
    """

    estimate: float
    p_value: float
    interval: Interval | None = None
    exact: bool = False
    status: Status = "OK"
    reason: str = ""


@dataclass(frozen=True)
class Shift:
    """Hodges-Lehmann estimate of the difference of two locations, with exact limits."""

    estimate: float
    interval: Interval
    status: Status = "OK"
    reason: str = ""


def average_ranks(values: Floats) -> Floats:
    """Return the ranks of values, from 1.

    Parameters
    ----------
    values : array of float, shape (n,)
        Finite numbers.

    Returns
    -------
    array of float, shape (n,)
        Equal values have the mean of their ranks.

    Raises
    ------
    None

    Examples
    --------
    >>> average_ranks([3.0, 1.0, 3.0]).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(count) - (count - 1) / 2)[place]
    return ranks


def _two(y: ArrayLike, group: ArrayLike) -> tuple[Floats, Integers]:
    values = _finite(y, "y")
    return values, check_groups(group, "group", rows=len(values), binary=True)


def _finite(values: ArrayLike, name: str) -> Floats:
    array = np.atleast_1d(check_numbers(values, name).astype(np.float64))
    if not np.all(np.isfinite(array)):
        place = int(np.argmax(~np.isfinite(array)))
        raise ValueError(f"{name} must be finite; {name}[{place}] is {array[place]}")
    return array


def wilcoxon(
    y: ArrayLike, group: ArrayLike, *, max_exact: int = 200_000, seed: int | None = None
) -> TestResult:
    """Return the exact two-sample rank-sum test with midranks.

    Parameters
    ----------
    y : array_like of float, shape (n,)
        Values.
    group : array_like of int, shape (n,)
        0 or 1.
    max_exact, seed : int
        As in `interim.stats.linear_exact`.

    Returns
    -------
    TestResult
        statistic: rank sum of group 1 minus its mean; definition ``abs``.

    Raises
    ------
    ValueError
        If an input is illegal.

    Examples
    --------
    >>> wilcoxon([1, 2, 3, 4], [0, 0, 1, 1]).p_value
    0.3333333333333333
    """
    values, codes = _two(y, group)
    return two_sample_permutation(average_ranks(values), codes, max_exact=max_exact, seed=seed)


def wilcoxon_asymptotic(y: ArrayLike, group: ArrayLike, *, correction: bool = True) -> TestResult:
    """Return the rank-sum test by its normal approximation, variance corrected for ties.

    Parameters
    ----------
    y, group : array_like
        As in `wilcoxon`.
    correction : bool
        Whether the continuity correction is used.

    Returns
    -------
    TestResult
        statistic: Mann-Whitney count of group 0.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    values, codes = _two(y, group)
    n0, n1 = int((codes == 0).sum()), int(codes.sum())
    n = n0 + n1
    ranks = average_ranks(values) if n else np.zeros(0)
    w = float(ranks[codes == 0].sum()) - n0 * (n0 + 1) / 2.0
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    variance = n0 * n1 / 12.0 * (n + 1 - float((ties**3 - ties).sum()) / (n * (n - 1))) if n > 1 else 0.0
    nan = math.nan
    if variance <= 0.0:
        return TestResult(w, nan, nan, nan, nan, "abs", False, 0, status="NE", reason="ONE_LEVEL")
    gap = w - n0 * n1 / 2.0
    shift = math.copysign(min(0.5, abs(gap)), gap) if correction else 0.0
    z = (gap - shift) / math.sqrt(variance)
    return TestResult(
        w, min(1.0, 2.0 * float(ndtr(-abs(z)))), float(ndtr(z)), float(ndtr(-z)), 0.0, "abs", False, 0
    )


def kruskal_wallis(y: ArrayLike, group: ArrayLike) -> TestResult:
    """Return the Kruskal-Wallis test by its chi-square approximation, corrected for ties.

    Parameters
    ----------
    y : array_like of float, shape (n,)
        Values.
    group : array_like of int, shape (n,)
        Group of each participant.

    Returns
    -------
    TestResult
        statistic: H.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    values = _finite(y, "y")
    codes = check_groups(group, "group", rows=len(values))
    k, n = int(codes.max(initial=-1)) + 1, len(values)
    nan = math.nan
    centred = average_ranks(values) - (n + 1) / 2.0
    spread = float(centred @ centred)
    if k < 2 or spread <= 0.0:
        return TestResult(nan, nan, nan, nan, nan, "abs", False, 0, status="NE", reason="ONE_LEVEL")
    sums = np.array([centred[codes == g].sum() ** 2 / (codes == g).sum() for g in range(k)])
    h = float((n - 1) * sums.sum() / spread)
    p = float(chdtrc(k - 1, h))
    return TestResult(h, p, nan, p, 0.0, "abs", False, 0)


def hodges_lehmann(y: ArrayLike, group: ArrayLike, *, level: float = 0.95) -> Shift:
    """Return the shift of group 1 against group 0: median of all pairwise differences, exact limits.

    Parameters
    ----------
    y, group : array_like
        As in `wilcoxon`.
    level : float
        Confidence level, 0 to 1, both excluded.

    Returns
    -------
    Shift
        Limits are ordered pairwise differences; INF where the sample is too small for the level.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    values, codes = _two(y, group)
    level = check_between(level, "level", low=0.0, high=1.0)
    gaps = np.sort((values[codes == 1][:, None] - values[codes == 0][None, :]).ravel())
    if not len(gaps):
        empty = Interval(math.nan, math.nan, level, "wilcoxon", "NE", "ONE_LEVEL")
        return Shift(math.nan, empty, "NE", "ONE_LEVEL")
    cut = _mann_whitney_quantile(int((codes == 0).sum()), int(codes.sum()), (1.0 - level) / 2.0)
    if cut < 0:
        wide = Interval(-math.inf, math.inf, level, "wilcoxon", "INF", "CI_UNBOUNDED")
        return Shift(float(np.median(gaps)), wide)
    return Shift(float(np.median(gaps)), Interval(float(gaps[cut]), float(gaps[-1 - cut]), level, "wilcoxon"))


def _mann_whitney_quantile(n0: int, n1: int, tail: float) -> int:
    """Largest count c with P(U <= c) <= tail; -1 if there is none."""
    counts = np.zeros(n0 * n1 + 1)
    counts[0] = 1.0
    for i in range(1, n1 + 1):
        grown = counts.copy()
        grown[n0 + i :] -= counts[: len(counts) - n0 - i]
        for u in range(i, len(grown)):
            grown[u] += grown[u - i]
        counts = grown
    share = np.cumsum(counts) / math.comb(n0 + n1, n1)
    return int(np.searchsorted(share, tail * (1.0 + _TIE), side="right")) - 1


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    first, second = _finite(x, "x"), _finite(y, "y")
    check_same_length(first, second, ("x", "y"))
    return first, second


def _product(x: Floats, y: Floats) -> float:
    a, b = x - x.mean(), y - y.mean()
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


def _constant(*arrays: Floats) -> bool:
    return any(len(a) < 2 or bool(np.all(a == a[0])) for a in arrays)


def spearman(
    x: ArrayLike, y: ArrayLike, *, plan: PermutationPlan | None = None, exact: bool = True
) -> Correlation:
    """Return Spearman's correlation on midranks.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        Values.
    plan : PermutationPlan, optional
        Arrangements that give the p-value where there are more than 8 participants.
    exact : bool
        False: the t approximation, whatever the number of participants.

    Returns
    -------
    Correlation
        Exact p-value up to 8 participants, else that of the plan, else the t approximation.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    first, second = (average_ranks(v) for v in _pair(x, y))
    if _constant(first, second):
        return Correlation(math.nan, math.nan, status="NE", reason="ONE_LEVEL")
    rho = _product(first, second)
    n = len(first)
    if exact and n <= EXACT_UP_TO:
        orders = np.array(list(permutations(second)))
        a = first - first.mean()
        sums = np.abs((orders - second.mean()) @ a)
        limit = abs(float((second - second.mean()) @ a))
        return Correlation(rho, float(np.mean(sums >= limit - _TIE)), exact=True)
    if exact and plan is not None:
        test = plan_test(plan, first, second)
        return Correlation(rho, test.p_value, exact=test.exact, status=test.status, reason=test.reason)
    return Correlation(rho, _t_p(rho, n))


def spearman_interval(rho: float, n: int, *, level: float = 0.95) -> Interval:
    """Return an interval of Spearman's correlation.

    Parameters
    ----------
    rho : float
        Correlation.
    n : int
        Participants.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Fisher's z with the variance (1 + rho^2 / 2) / (n - 3); NE with TOO_FEW below four participants, with PERFECT_ORDER at 1
        and -1, where z has no limits.

    Raises
    ------
    ValueError
        If the level is illegal.

    References
    ----------
    Bonett and Wright 2000.

    Examples
    --------
    >>> found = spearman_interval(0.5, 28)
    >>> round(found.lower, 4), round(found.upper, 4)
    (0.1327, 0.7465)
    """
    check_between(level, "level", low=0.0, high=1.0)
    if n < 4 or not abs(rho) < 1.0:
        reason = "TOO_FEW" if n < 4 else "PERFECT_ORDER"
        return Interval(math.nan, math.nan, level, "fisher z", "NE", reason)
    half = float(ndtri((1.0 + level) / 2.0)) * math.sqrt((1.0 + rho * rho / 2.0) / (n - 3))
    z = math.atanh(rho)
    return Interval(math.tanh(z - half), math.tanh(z + half), level, "fisher z")


def _t_p(r: float, n: int) -> float:
    if abs(r) >= 1.0:
        return 0.0
    t = abs(r) * math.sqrt((n - 2) / (1.0 - r * r))
    return 2.0 * float(stdtr(n - 2, -t))


def pearson(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Correlation:
    """Return Pearson's correlation with limits by Fisher's z.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        Values.
    level : float
        Confidence level, 0 to 1, both excluded.

    Returns
    -------
    Correlation
        Limits need four participants.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    first, second = _pair(x, y)
    level = check_between(level, "level", low=0.0, high=1.0)
    if _constant(first, second) or len(first) < 3:
        return Correlation(math.nan, math.nan, status="NE", reason="ONE_LEVEL")
    r, n = max(-1.0, min(1.0, _product(first, second))), len(first)
    if n < 4 or abs(r) == 1.0:
        gone = Interval(math.nan, math.nan, level, "fisher_z", "NE", "NO_DATA")
        return Correlation(r, _t_p(r, n), gone)
    half = float(ndtri((1.0 + level) / 2.0)) / math.sqrt(n - 3)
    z = math.atanh(r)
    return Correlation(r, _t_p(r, n), Interval(math.tanh(z - half), math.tanh(z + half), level, "fisher_z"))


def kendall(x: ArrayLike, y: ArrayLike) -> Correlation:
    """Return Kendall's tau-b.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        Values.

    Returns
    -------
    Correlation
        Without ties and up to 50 participants the exact p-value, else the normal approximation with tie correction.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    first, second = _pair(x, y)
    if _constant(first, second):
        return Correlation(math.nan, math.nan, status="NE", reason="ONE_LEVEL")
    a, b = (np.sign(v[:, None] - v[None, :]) for v in (first, second))
    score = float((a * b).sum()) / 2.0
    tau = 2.0 * score / math.sqrt(float(np.abs(a).sum()) * float(np.abs(b).sum()))
    n = len(first)
    tied = len(np.unique(first)) < n or len(np.unique(second)) < n
    if not tied and n < 50:
        return Correlation(tau, _kendall_exact(n, score), exact=True)
    return Correlation(tau, _kendall_normal(first, second, score))


def _kendall_exact(n: int, score: float) -> float:
    """Two-sided p-value: twice the smaller tail of the number of concordant pairs."""
    counts = np.ones(1)
    for i in range(2, n + 1):
        counts = np.convolve(counts, np.ones(i))
    share = counts / counts.sum()
    concordant = round((score + n * (n - 1) / 2.0) / 2.0)
    lower, upper = float(share[: concordant + 1].sum()), float(share[concordant:].sum())
    return min(1.0, 2.0 * min(lower, upper))


def _kendall_normal(x: Floats, y: Floats, score: float) -> float:
    n = len(x)
    u, v = (np.unique(w, return_counts=True)[1].astype(np.float64) for w in (x, y))

    def sums(t: Floats) -> tuple[float, float, float]:
        return (
            float((t * (t - 1) * (2 * t + 5)).sum()),
            float((t * (t - 1)).sum()),
            float((t * (t - 1) * (t - 2)).sum()),
        )

    (a5, a2, a3), (b5, b2, b3) = sums(u), sums(v)
    variance = (n * (n - 1) * (2 * n + 5) - a5 - b5) / 18.0 + a2 * b2 / (2.0 * n * (n - 1))
    variance += a3 * b3 / (9.0 * n * (n - 1) * (n - 2)) if n > 2 else 0.0
    return 2.0 * float(ndtr(-abs(score) / math.sqrt(variance)))
