"""Trend tests of ordered groups: Cochran-Armitage for rates, Jonckheere for values; both exact by counting."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, gammaln

from interim.stats.answers import Definition, Floats, Integers, TestResult
from interim.stats.inputs import check_counts, check_groups, check_numbers

_TIE = 1e-8
_TWO_SIDED = ("abs", "central")


def cochran_armitage(
    x: ArrayLike, n: ArrayLike, *, scores: ArrayLike | None = None, exact: bool = True
) -> TestResult:
    """Return the trend test of rates over ordered groups.

    Parameters
    ----------
    x, n : array_like of int, shape (k,)
        Events and participants per group, in order.
    scores : array_like of float, shape (k,), optional
        Scores of the groups; default 1, 2, ...
    exact : bool
        True: all tables with the same margins are counted. False: asymptotic, statistic chi-square.

    Returns
    -------
    TestResult
        statistic: sum of score x (x - n p), or the chi-square; p_greater: rates increase with the score. Definition
        ``abs`` around the mean.

    Raises
    ------
    ValueError
        If counts or scores are illegal.

    Examples
    --------
    >>> round(cochran_armitage([1, 1, 1], [9, 3, 3]).p_greater, 6)
    0.281319
    """
    counts, sizes, weights = _ordered(x, n, scores)
    total, events = float(sizes.sum()), float(counts.sum())
    rate = events / total
    observed = float(weights @ (counts - sizes * rate))
    spread = float(weights**2 @ sizes - (weights @ sizes) ** 2 / total)
    reason = (
        "NO_EVENTS"
        if events == 0
        else "ALL_EVENTS"
        if events == total
        else "ONE_LEVEL"
        if spread <= 0
        else ""
    )
    if reason:
        nan = math.nan
        return TestResult(observed, nan, nan, nan, nan, "abs", exact, 0, status="NE", reason=reason)
    if not exact:
        chisq = observed**2 / (rate * (1.0 - rate) * spread)
        p = float(chdtrc(1, chisq))
        up = p / 2.0 if observed >= 0 else 1.0 - p / 2.0
        return TestResult(chisq, p, 1.0 - up, up, 0.0, "abs", False, 0)
    values, masses = _trend_distribution(
        sizes.astype(np.int64), weights - weights @ sizes / total, int(events)
    )
    return _from_distribution(values, masses, observed)


def _ordered(x: ArrayLike, n: ArrayLike, scores: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    counts, sizes = check_counts(x, "x", least=0), check_counts(n, "n", least=0)
    if counts.shape != sizes.shape or counts.ndim != 1 or not len(counts):
        raise ValueError(
            f"x and n must hold one count per group; they have shapes {counts.shape} and {sizes.shape}"
        )
    if np.any(counts > sizes):
        place = int(np.argmax(counts > sizes))
        raise ValueError(
            f"x must be <= n; x[{place}] is {counts[place]:g} and n[{place}] is {sizes[place]:g}"
        )
    weights = (
        np.arange(1.0, len(counts) + 1.0)
        if scores is None
        else check_numbers(scores, "scores").astype(np.float64)
    )
    if weights.shape != counts.shape or not np.all(np.isfinite(weights)):
        raise ValueError(
            f"scores must be one finite number per group ({len(counts)}); found {weights.tolist()}"
        )
    if sizes.sum() < 1:
        raise ValueError("n must hold at least one participant; all groups are empty")
    return counts, sizes, weights


def _trend_distribution(sizes: Integers, weights: Floats, events: int) -> tuple[Floats, Floats]:
    """Values of the statistic over all tables with fixed margins, and their probabilities."""
    states: dict[tuple[int, float], float] = {(0, 0.0): 0.0}
    for size, weight in zip(sizes, weights, strict=True):
        k = np.arange(size + 1, dtype=np.float64)
        logs = gammaln(size + 1.0) - gammaln(k + 1.0) - gammaln(size - k + 1.0)
        grown: dict[tuple[int, float], list[float]] = {}
        for (used, value), log in states.items():
            for count in range(min(int(size), events - used) + 1):
                key = (used + count, round(value + count * float(weight), 9))
                grown.setdefault(key, []).append(log + float(logs[count]))
        states = {key: _log_sum(parts) for key, parts in grown.items()}
    kept = sorted((value, log) for (used, value), log in states.items() if used == events)
    logs = np.array([log for _, log in kept])
    masses = np.exp(logs - logs.max())
    return np.array([value for value, _ in kept]), masses / masses.sum()


def _log_sum(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs))


def _from_distribution(
    values: Floats, masses: Floats, observed: float, two_sided: str = "abs", centre: float = 0.0
) -> TestResult:
    less = float(masses[values <= observed + _TIE].sum())
    greater = float(masses[values >= observed - _TIE].sum())
    far = np.abs(values - centre)
    both = (
        float(masses[far >= abs(observed - centre) - _TIE].sum())
        if two_sided == "abs"
        else 2.0 * min(less, greater)
    )
    least = (
        float(masses[far >= far.max() - _TIE].sum())
        if two_sided == "abs"
        else 2.0 * min(float(masses[0]), float(masses[-1]))
    )
    both, less, greater, least = (min(1.0, share) for share in (both, less, greater, least))
    definition: Definition = "abs" if two_sided == "abs" else "central"
    return TestResult(observed, both, less, greater, least, definition, True, len(values))


def mid_p(x: ArrayLike, n: ArrayLike, *, scores: ArrayLike | None = None) -> float:
    """Return the exact mid-P value of an increasing trend of rates.

    Parameters
    ----------
    x, n, scores : array_like
        As in `cochran_armitage`.

    Returns
    -------
    float
        Probability of a larger statistic plus half that of the observed one; NaN where the trend test is NE.

    Raises
    ------
    ValueError
        If counts or scores are illegal.
    """
    test = cochran_armitage(x, n, scores=scores)
    return (test.p_greater + 1.0 - test.p_less) / 2.0


def jonckheere(y: ArrayLike, group: ArrayLike, *, two_sided: str = "abs") -> TestResult:
    """Return the exact trend test of values over ordered groups.

    Parameters
    ----------
    y : array_like of float, shape (n,)
        Values.
    group : array_like of int, shape (n,)
        Ordered group of each participant.
    two_sided : {"abs", "central"}
        Distance from the mean, or twice the smaller tail.

    Returns
    -------
    TestResult
        statistic: number of pairs of different groups in increasing order, ties one half; p_greater: values increase.

    Raises
    ------
    ValueError
        If an input is illegal.

    Notes
    -----
    The distribution over all assignments is counted tie block by tie block; the state is how many of each group are placed.

    References
    ----------
    Jonckheere 1954; Terpstra 1952.

    Examples
    --------
    >>> jonckheere([1, 2, 3, 4], [0, 0, 1, 1]).p_greater
    0.16666666666666666
    """
    if two_sided not in _TWO_SIDED:
        raise ValueError(f"two_sided must be one of {', '.join(_TWO_SIDED)}; it is {two_sided!r}")
    values = check_numbers(y, "y").astype(np.float64)
    if not np.all(np.isfinite(values)):
        place = int(np.argmax(~np.isfinite(values)))
        raise ValueError(f"y must be finite; y[{place}] is {values[place]}")
    codes = check_groups(group, "group", rows=len(values))
    sizes = tuple(int(s) for s in np.bincount(codes)) if len(codes) else ()
    if len(sizes) < 2:
        nan = math.nan
        reason = "ONE_LEVEL" if sizes else "NO_DATA"
        return TestResult(nan, nan, nan, nan, nan, two_sided, True, 0, status="NE", reason=reason)  # type: ignore[arg-type]
    blocks = [len(list(same)) for _, same in groupby(np.sort(values))]
    doubled, masses = _jonckheere_distribution(sizes, blocks)
    observed = _pairs(values, codes)
    mean = (sum(sizes) ** 2 - sum(s * s for s in sizes)) / 4.0
    return _from_distribution(doubled / 2.0, masses, observed, two_sided, mean)


def _pairs(values: Floats, codes: Integers) -> float:
    before = codes[:, None] < codes[None, :]
    gap = values[None, :] - values[:, None]
    return float((before & (gap > 0)).sum() + 0.5 * (before & (gap == 0)).sum())


def _jonckheere_distribution(sizes: tuple[int, ...], blocks: list[int]) -> tuple[Floats, Floats]:
    """Twice the statistic and its probabilities; blocks are the sizes of the groups of equal values, ascending."""
    states: dict[tuple[int, ...], dict[int, float]] = {(0,) * len(sizes): {0: 1.0}}
    for block in blocks:
        grown: dict[tuple[int, ...], dict[int, float]] = {}
        for placed, counts in states.items():
            room = tuple(s - p for s, p in zip(sizes, placed, strict=True))
            for chosen in _choices(room, block):
                step = _doubled_step(placed, chosen)
                ways = math.prod(math.comb(r, c) for r, c in zip(room, chosen, strict=True))
                target = grown.setdefault(tuple(p + c for p, c in zip(placed, chosen, strict=True)), {})
                for value, count in counts.items():
                    target[value + step] = target.get(value + step, 0.0) + count * ways
        states = grown
    final = sorted(states[sizes].items())
    masses = np.array([count for _, count in final])
    return np.array([value for value, _ in final], dtype=np.float64), masses / masses.sum()


def _doubled_step(placed: tuple[int, ...], chosen: tuple[int, ...]) -> int:
    """Twice the pairs that a block of equal values adds: against smaller values, and among itself as ties."""
    below, tied, smaller, equal = 0, 0, 0, 0
    for group, count in enumerate(chosen):
        below += count * smaller
        tied += count * equal
        smaller += placed[group]
        equal += count
    return 2 * below + tied


def _choices(room: tuple[int, ...], total: int) -> list[tuple[int, ...]]:
    """All ways to place a block in the groups."""
    if len(room) == 1:
        return [(total,)] if total <= room[0] else []
    return [
        (k, *rest)
        for k in range(max(0, total - sum(room[1:])), min(room[0], total) + 1)
        for rest in _choices(room[1:], total - k)
    ]
