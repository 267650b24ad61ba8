"""Exact tests of tables beyond the conditional 2 x 2: Freeman-Halton for r x c, unconditional tests for two rates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, gammaln

from interim.stats.answers import Definition, Flags, Floats, TestResult
from interim.stats.association import TIE, fisher_test
from interim.stats.differences import binomial_masses
from interim.stats.inputs import check_choice, check_counts, check_pair

ORDERINGS = ("z_pooled", "z_unpooled", "boschloo")
LEAST_EXPECTED = 5.0
_SLACK = 1e-9
_NEAR, _FLAT, _PEAKS = 1e-4, 1e-14, 8
_FINER, _ZOOMS = np.linspace(-1.0, 1.0, 21), 3


def freeman_halton(table: ArrayLike) -> TestResult:
    """Return the exact test of an r x c table that conditions on both margins.

    Parameters
    ----------
    table : array_like of int, shape (r, c)
        Counts.

    Returns
    -------
    TestResult
        p_value: probability of all tables at most as likely as the observed one; statistic: probability of the observed
        table; NE with ONE_LEVEL if fewer than two rows or columns hold anybody.

    Raises
    ------
    ValueError
        If a count is illegal or the table has no two dimensions.

    Notes
    -----
    Every table with the same margins is counted, column by column; equal partial columns are merged.

    References
    ----------
    Freeman and Halton 1951.

    Examples
    --------
    >>> round(freeman_halton([[6, 3, 5], [6, 12, 3]]).p_value, 6)
    0.100887
    """
    counts = _counts(table)
    if min(counts.shape, default=0) < 2:
        return _one_level("minlike", exact=True)
    if counts.shape[0] > counts.shape[1]:
        counts = counts.T
    logs = _table_log_masses(counts)
    probabilities = np.exp(logs - logs.max())
    probabilities /= probabilities.sum()
    observed = math.exp(_log_weight(counts) - float(logs.max()))
    total = float(np.exp(logs - logs.max()).sum())
    observed /= total
    p = float(probabilities[probabilities <= observed * (1.0 + TIE)].sum())
    least = float(probabilities[probabilities <= probabilities.min() * (1.0 + TIE)].sum())
    return TestResult(observed, min(1.0, p), math.nan, math.nan, least, "minlike", True, len(probabilities))


def _counts(table: ArrayLike) -> NDArray[np.int64]:
    """Checked counts without empty rows and columns."""
    counts = np.asarray(table)
    if counts.ndim != 2:
        raise ValueError(f"table must have rows and columns; its shape is {counts.shape}")
    counts = check_counts(counts.ravel(), "table", least=0).reshape(counts.shape).astype(np.int64)
    held: NDArray[np.int64] = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    return held


def _one_level(definition: Definition, *, exact: bool) -> TestResult:
    nan = math.nan
    return TestResult(nan, nan, nan, nan, nan, definition, exact, 0, status="NE", reason="ONE_LEVEL")


def chi_square(table: ArrayLike, *, correction: bool = False) -> TestResult:
    """Return Pearson's chi-square test of an r x c table: a companion of the exact test, never its substitute.

    Parameters
    ----------
    table : array_like of int, shape (r, c)
        Counts.
    correction : bool
        Yates' continuity correction, for 2 x 2 tables only.

    Returns
    -------
    TestResult
        statistic: chi-square; FLAG with EXPECTED_LT_5 if an expected count is below 5 (then it is not for display), NE with
        ONE_LEVEL if fewer than two rows or columns hold anybody.

    Raises
    ------
    ValueError
        If a count is illegal, or a correction is asked for a table other than 2 x 2.

    Examples
    --------
    >>> round(chi_square([[6, 3, 5], [6, 12, 3]]).p_value, 6)
    0.095967
    """
    counts = _counts(table)
    if min(counts.shape, default=0) < 2:
        return _one_level("greater", exact=False)
    if correction and counts.shape != (2, 2):
        raise ValueError(
            f"correction must be False for a table other than 2 x 2; the shape is {counts.shape}"
        )
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    gaps = np.abs(counts - expected)
    gaps -= min(0.5, float(gaps.min())) if correction else 0.0
    statistic = float((gaps**2 / expected).sum())
    p = float(chdtrc((counts.shape[0] - 1) * (counts.shape[1] - 1), statistic))
    few = bool(expected.min() < LEAST_EXPECTED)
    return TestResult(
        statistic,
        p,
        math.nan,
        p,
        0.0,
        "greater",
        False,
        0,
        status="FLAG" if few else "OK",
        reason="EXPECTED_LT_5" if few else "",
    )


def _log_weight(counts: NDArray[np.int64]) -> float:
    return -float(gammaln(counts + 1.0).sum())


def _table_log_masses(counts: NDArray[np.int64]) -> Floats:
    """Log probabilities, up to a constant, of every table with the margins of ``counts``."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    states: dict[tuple[int, ...], Floats] = {tuple(int(r) for r in rows): np.zeros(1)}
    for column in columns[:-1]:
        grown: dict[tuple[int, ...], list[Floats]] = {}
        for left, logs in states.items():
            for filling, weight in _fillings(left, int(column)):
                rest = tuple(a - b for a, b in zip(left, filling, strict=True))
                grown.setdefault(rest, []).append(logs + weight)
        states = {rest: np.concatenate(parts) for rest, parts in grown.items()}
    last = [logs - float(gammaln(np.array(left) + 1.0).sum()) for left, logs in states.items()]
    return np.concatenate(last)


def _fillings(left: tuple[int, ...], total: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield every column with this total that the row margins allow, with its log weight."""
    if len(left) == 1:
        if total <= left[0]:
            yield (total,), -math.lgamma(total + 1)
        return
    for k in range(max(0, total - sum(left[1:])), min(left[0], total) + 1):
        for rest, weight in _fillings(left[1:], total - k):
            yield (k, *rest), weight - math.lgamma(k + 1)


def unconditional_test(
    x: ArrayLike, n: ArrayLike, *, ordering: str = "z_pooled", grid: int = 4001
) -> TestResult:
    """Return the exact unconditional test of two rates.

    Parameters
    ----------
    x, n : array_like of int, shape (2,)
        Events and participants of the first and second group.
    ordering : {"z_pooled", "z_unpooled", "boschloo"}
        What makes an outcome extreme: the z statistic with pooled or own variances, or Fisher's minlike p-value.
    grid : int
        Points at which the common rate is tried before the best one is refined.

    Returns
    -------
    TestResult
        statistic: z, or Fisher's p-value for boschloo; p_value is the largest probability over the common rate; p_less and
        p_greater are NaN (two-sided definition only).

    Raises
    ------
    ValueError
        If counts or ordering are illegal.

    References
    ----------
    Barnard 1945; Boschloo 1970.
    """
    x1, x0, n1, n0 = check_pair(x, n)
    check_choice(ordering, "ordering", ORDERINGS)
    rank, statistic = _ranks(n1, n0, ordering)
    shared = _Masses.of(n1, n0, np.linspace(0.0, 1.0, grid))
    p, p_min = (
        _largest(rank >= least - _SLACK * (1.0 + abs(least)), shared)
        for least in (float(rank[x1, x0]), float(rank.max()))
    )
    definition = "minlike" if ordering == "boschloo" else "abs"
    return TestResult(
        float(statistic[x1, x0]),
        p,
        math.nan,
        math.nan,
        p_min,
        definition,  # type: ignore[arg-type]
        True,
        (n1 + 1) * (n0 + 1),
    )


def _ranks(n1: int, n0: int, ordering: str) -> tuple[Floats, Floats]:
    """How extreme each outcome is (larger is more), and the statistic to report; both of shape (n1 + 1, n0 + 1)."""
    a, b = np.meshgrid(np.arange(n1 + 1.0), np.arange(n0 + 1.0), indexing="ij")
    if ordering == "boschloo":
        p = np.array([[fisher_test((i, j), (n1, n0)).p_value for j in range(n0 + 1)] for i in range(n1 + 1)])
        return -np.log(p), p
    p1, p0 = a / n1, b / n0
    if ordering == "z_pooled":
        pooled = (a + b) / (n1 + n0)
        variance = pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n0)
    else:
        variance = p1 * (1.0 - p1) / n1 + p0 * (1.0 - p0) / n0
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (p1 - p0) / np.sqrt(variance)
    z = np.where(p1 == p0, 0.0, z)
    return np.minimum(np.abs(z), 1e12), z


@dataclass(frozen=True, eq=False)
class _Masses:
    """Probabilities of all counts of two groups at common rates."""

    rates: Floats
    first: Floats
    second: Floats

    @classmethod
    def of(cls, n1: int, n0: int, rates: Floats) -> _Masses:
        return cls(rates, binomial_masses(n1, rates), binomial_masses(n0, rates))

    def probability(self, outcomes: Floats) -> Floats:
        """Probability of a set of outcomes at each rate."""
        value: Floats = np.einsum("rk,rk->r", self.first @ outcomes, self.second)
        return value


def _largest(extreme: Flags, masses: _Masses) -> float:
    """Largest probability of the extreme outcomes over the common rate."""
    outcomes, rates = extreme.astype(np.float64), masses.rates
    values = masses.probability(outcomes)
    best = float(values.max())
    before, here, after = values[:-2], values[1:-1], values[2:]
    peaks = (here >= before) & (here >= after) & (here > np.minimum(before, after) + _FLAT)
    places = np.flatnonzero(peaks & (here >= best - _NEAR)) + 1
    centres = rates[places[np.argsort(-values[places], kind="stable")[:_PEAKS]]]
    width = float(rates[1])
    sizes = outcomes.shape[0] - 1, outcomes.shape[1] - 1
    for _ in range(_ZOOMS if len(centres) else 0):
        around = centres[:, None] + width * _FINER
        found = _Masses.of(*sizes, around.ravel()).probability(outcomes).reshape(around.shape)
        best = max(best, float(found.max()))
        centres = np.take_along_axis(around, found.argmax(axis=1)[:, None], axis=1)[:, 0]
        width *= float(_FINER[1] - _FINER[0])
    return min(best, 1.0)
