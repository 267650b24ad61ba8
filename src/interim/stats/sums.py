"""Permutation distribution of a sum of scores over one group: complete, by joining two halves, or by draws."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import ArrayLike

from interim.stats.answers import Flags, Floats, Integers, TestResult
from interim.stats.inputs import check_groups, check_numbers

TIE = 1e-9
HALVES_UP_TO = 36
DRAWS = 20_000
TABLE_CELLS = 20_000_000


def linear_exact(
    scores: ArrayLike, group: ArrayLike, *, max_exact: int = 200_000, seed: int | None = None
) -> TestResult:
    """Return the permutation test of the sum of scores in group 1.

    Parameters
    ----------
    scores : array_like of float, shape (n,)
        Any scores: ranks, 0/1 responses, log-rank scores, values.
    group : array_like of int, shape (n,)
        0 or 1.
    max_exact : int
        Most arrangements that are counted one by one.
    seed : int, optional
        Seed of the draws where no exact count is possible.

    Returns
    -------
    TestResult
        statistic: sum in group 1 minus its permutation mean; definition ``abs``.

    Raises
    ------
    ValueError
        If an input is illegal, or draws are needed and no seed is given.

    Examples
    --------
    >>> linear_exact([1, 2, 3, 4], [0, 0, 1, 1]).p_value
    0.3333333333333333
    """
    values = check_numbers(scores, "scores").astype(np.float64)
    if not np.all(np.isfinite(values)):
        place = int(np.argmax(~np.isfinite(values)))
        raise ValueError(f"scores must be finite; scores[{place}] is {values[place]}")
    codes = check_groups(group, "group", rows=len(values), binary=True)
    return two_sample_permutation(values, codes, max_exact=max_exact, seed=seed)


def two_sample_permutation(
    scores: Floats, codes: Integers, *, max_exact: int, seed: int | None
) -> TestResult:
    """Return the permutation test of a sum of scores; the inputs are already checked.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        Scores.
    codes : ndarray of int, shape (n,)
        0 or 1.
    max_exact : int
        Most arrangements that are counted one by one.
    seed : int or None
        Seed of the draws where no exact count is possible.

    Returns
    -------
    TestResult
        As in `linear_exact`.

    Raises
    ------
    ValueError
        If draws are needed and no seed is given.
    """
    n, n1 = len(scores), int(codes.sum())
    nan = math.nan
    if n1 in (0, n):
        return TestResult(
            nan, nan, nan, nan, nan, "abs", True, 0, status="NE", reason="ONE_LEVEL" if n else "NO_DATA"
        )
    count = math.comb(n, n1)
    whole = None if count <= max_exact else _whole(scores)
    if whole is not None:
        return _counted(whole, scores, codes)
    centred = scores - scores.mean()
    scale = math.sqrt(float(centred @ centred)) or 1.0
    standard = centred / scale
    observed = float(standard[codes == 1].sum())
    if count > max_exact and n > HALVES_UP_TO:
        return _drawn(standard, n1, observed, scale, seed)
    shares = _halves(standard, n1, observed) if count > 4096 else _all(standard, n1, observed)
    less, greater, both, least = (min(1.0, value / count) for value in shares)
    return TestResult(observed * scale, both, less, greater, least, "abs", True, count)


def _all(scores: Floats, n1: int, observed: float) -> tuple[float, float, float, float]:
    """Numbers of arrangements with a sum <=, >=, as far from 0, and as far as the farthest."""
    index = np.array(list(combinations(range(len(scores)), n1)), dtype=np.intp)
    sums = scores[index].sum(axis=1)
    far = np.abs(sums)
    return (
        float(np.count_nonzero(sums <= observed + TIE)),
        float(np.count_nonzero(sums >= observed - TIE)),
        float(np.count_nonzero(far >= abs(observed) - TIE)),
        float(np.count_nonzero(far >= far.max() - TIE)),
    )


def _subset_sums(scores: Floats) -> list[Floats]:
    """Sorted sums of all subsets, by size."""
    sums = np.zeros(1)
    sizes = np.zeros(1, dtype=np.int64)
    for score in scores:
        sums, sizes = np.concatenate((sums, sums + score)), np.concatenate((sizes, sizes + 1))
    return [np.sort(sums[sizes == k]) for k in range(len(scores) + 1)]


def _halves(scores: Floats, n1: int, observed: float) -> tuple[float, float, float, float]:
    """As `_all`, joining the sorted sums of the two halves of the sample."""
    middle = len(scores) // 2
    first, second = _subset_sums(scores[:middle]), _subset_sums(scores[middle:])
    pairs = [(first[k], second[n1 - k]) for k in range(len(first)) if 0 <= n1 - k < len(second)]
    ordered = np.sort(scores)
    farthest = max(abs(float(ordered[:n1].sum())), abs(float(ordered[-n1:].sum())))

    def at_most(limit: float) -> float:
        return float(sum(np.searchsorted(b, limit - a, side="right").sum() for a, b in pairs))

    def at_least(limit: float) -> float:
        return float(sum((len(b) - np.searchsorted(b, limit - a, side="left")).sum() for a, b in pairs))

    size = abs(observed)
    both = at_most(-size + TIE) + at_least(size - TIE)
    total = at_most(math.inf)
    return (
        at_most(observed + TIE),
        at_least(observed - TIE),
        total if size <= TIE else both,
        at_most(-farthest + TIE) + at_least(farthest - TIE),
    )


def _whole(scores: Floats) -> Integers | None:
    """Twice the scores as whole numbers from 0 on, if they are such and the table of sums is not too large."""
    doubled = 2.0 * scores
    rounded = np.rint(doubled)
    if not np.allclose(doubled, rounded, rtol=0.0, atol=1e-9):
        return None
    shifted = (rounded - rounded.min()).astype(np.int64)
    return shifted if int(shifted.sum()) * len(scores) <= TABLE_CELLS else None


def _counted(whole: Integers, scores: Floats, codes: Integers) -> TestResult:
    """Exact distribution of the sum by counting on whole numbers."""
    n, n1 = len(whole), int(codes.sum())
    table = np.zeros((n1 + 1, int(whole.sum()) + 1))
    table[0, 0] = 1.0
    for placed, value in enumerate(whole, 1):
        top = min(placed, n1)
        for k in range(top, 0, -1):
            table[k, value:] += table[k - 1, : table.shape[1] - value]
    masses = table[n1] / table[n1].sum()
    sums = np.arange(len(masses), dtype=np.float64)
    place, mean = float(whole[codes == 1].sum()), n1 * float(whole.mean())
    far, size = np.abs(sums - mean), abs(place - mean)
    reached = masses > 0.0
    least = float(masses[far >= far[reached].max() - TIE].sum())
    shares = (
        masses[far >= size - TIE].sum(),
        masses[sums <= place + TIE].sum(),
        masses[sums >= place - TIE].sum(),
    )
    both, less, greater = (min(1.0, float(share)) for share in shares)
    statistic = float(scores[codes == 1].sum() - n1 * scores.mean())
    return TestResult(statistic, both, less, greater, least, "abs", True, math.comb(n, n1))


def _drawn(scores: Floats, n1: int, observed: float, scale: float, seed: int | None) -> TestResult:
    if seed is None:
        raise ValueError(f"seed must be given: {len(scores)} participants are too many for a complete count")
    rng = Generator(Philox(seed))
    sums = np.array([rng.permutation(scores)[:n1].sum() for _ in range(DRAWS)])

    def share(hits: Flags) -> float:
        return (1.0 + float(hits.sum())) / (DRAWS + 1.0)

    p = share(np.abs(sums) >= abs(observed) - TIE)
    error = math.sqrt(p * (1.0 - p) / DRAWS)
    less, greater = share(sums <= observed + TIE), share(sums >= observed - TIE)
    return TestResult(
        observed * scale, p, less, greater, 1.0 / (DRAWS + 1.0), "abs", False, DRAWS, error, "FLAG", "MC_ONLY"
    )
