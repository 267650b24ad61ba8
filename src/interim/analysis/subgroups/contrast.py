"""Differences between levels, and what missing values could hide."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from interim.analysis.subgroups.model import Factor, Integers, Outcome, gap, level_counts
from interim.result import Rows
from interim.stats import difference_interval
from interim.study import Study

_MOST_ASSIGNMENTS = 2_000_000


def add_differences(rows: Rows, factor: Factor, *, outcome: Outcome, study: Study) -> None:
    """Add the difference of two levels, or of each level against all others.

    Parameters
    ----------
    rows : Rows
        Where the rows go; variable ``<endpoint> difference``: diff, diff_lower, diff_upper.
    factor : Factor
        Levels; missing is left out.
    outcome : Outcome
        Binary.
    study : Study
        ``subgroup.min_contrast_n``, ``stats.difference_interval``.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    x, n = level_counts(factor, outcome)
    filled = np.flatnonzero(n > 0)
    if len(filled) < 2:
        _add_difference(rows, (factor, outcome), ("all levels", ((0, 0), (0, 0))), study)
        return
    if len(filled) == 2:
        a, b = (int(place) for place in filled)
        sides = ((int(x[a]), int(n[a])), (int(x[b]), int(n[b])))
        _add_difference(
            rows, (factor, outcome), (f"{factor.levels[a]} minus {factor.levels[b]}", sides), study
        )
        return
    for place in filled:
        one = (int(x[place]), int(n[place]))
        rest = (int(x.sum() - one[0]), int(n.sum() - one[1]))
        text = f"{factor.levels[place]} minus all others"
        _add_difference(rows, (factor, outcome), (text, (one, rest)), study)


def _add_difference(
    rows: Rows,
    what: tuple[Factor, Outcome],
    contrast: tuple[str, tuple[tuple[int, int], tuple[int, int]]],
    study: Study,
) -> None:
    factor, outcome = what
    level, ((x1, n1), (x0, n0)) = contrast
    method = f"{study.stats.difference_interval}, level {study.stats.level:g}"
    place: dict[str, Any] = {
        "group": factor.id,
        "variable": f"{outcome.id} difference",
        "level": level,
        "method": method,
        "unit": "proportion",
    }
    reason = "ONE_LEVEL" if n1 + n0 == 0 else ""
    if not reason and min(n1, n0) < study.subgroup.min_contrast_n:
        reason = "CONTRAST_N_LT_4"
    if reason:
        for stat in ("diff", "diff_lower", "diff_upper"):
            rows.add(stat, None, status="NE", reason=reason, **place)
        return
    lower, upper = _interval(x1, n1, x0, n0, study.stats.difference_interval, study.stats.level)
    rows.add("diff", x1 / n1 - x0 / n0, **place)
    rows.add("diff_lower", lower, **place)
    rows.add("diff_upper", upper, **place)


@lru_cache(maxsize=4096)
def _interval(x1: int, n1: int, x0: int, n0: int, method: str, level: float) -> tuple[float, float]:
    found = difference_interval((x1, x0), (n1, n0), method=method, level=level)
    return float(found.lower), float(found.upper)


def add_gap(rows: Rows, factor: Factor, *, outcome: Outcome, study: Study, bounds: bool) -> None:
    """Add the gap between levels, and its range over all assignments of the missing participants.

    Parameters
    ----------
    rows : Rows
        Where the rows go; variable ``<endpoint> gap``: gap, gap_lower, gap_upper; variable ``<endpoint> bounds``: lower and
        upper rate of each level.
    factor : Factor
        Levels.
    outcome : Outcome
        Binary.
    study : Study
        ``subgroup.min_ci_n``.
    bounds : bool
        Whether the missing participants are assigned.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    x, n = level_counts(factor, outcome)
    place: dict[str, Any] = {
        "group": factor.id,
        "variable": f"{outcome.id} gap",
        "unit": "proportion",
        "method": "largest minus smallest rate",
    }
    if (n >= study.subgroup.min_ci_n).sum() < 2:
        reason = "ONE_LEVEL" if (n > 0).sum() < 2 else "LEVEL_N_LT_3"
        rows.add("gap", None, status="NE", reason=reason, **place)
    else:
        rows.add("gap", float(gap(x, n, least=study.subgroup.min_ci_n)[()]), **place)
    if not bounds or not len(n):
        return
    missing = ~factor.known & outcome.known
    events = int((outcome.values[missing] == 1).sum())
    rest = int(missing.sum()) - events
    low, high = gap_range((x, n), (events, rest), least=study.subgroup.min_ci_n)
    for stat, value in (("gap_lower", low), ("gap_upper", high)):
        if math.isnan(value):
            rows.add(stat, None, status="NE", reason="TOO_MANY_ASSIGNMENTS", **place)
        else:
            rows.add(stat, value, **place)
    for code, level in enumerate(factor.levels):
        spot: dict[str, Any] = {
            "group": factor.id,
            "variable": f"{outcome.id} bounds",
            "level": level,
            "unit": "proportion",
        }
        if n[code] + events + rest > 0:
            rows.add("lower", float(x[code] / max(n[code] + rest, 1)), **spot)
            rows.add("upper", float((x[code] + events) / max(n[code] + events, 1)), **spot)


def gap_range(
    counts: tuple[Integers, Integers], missing: tuple[int, int], *, least: int
) -> tuple[float, float]:
    """Return the smallest and the largest gap over all assignments of the missing participants to levels.

    Parameters
    ----------
    counts : tuple of ndarray of int
        Events and participants per level.
    missing : tuple of int
        Missing participants with and without the event.
    least : int
        Smaller levels do not count.

    Returns
    -------
    tuple of float
        NaN if there are too many assignments to search.

    Raises
    ------
    None

    Notes
    -----
    Participants with the same outcome are alike, so that only their numbers per level are assigned.

    Examples
    --------
    >>> low, high = gap_range((np.array([1, 0]), np.array([3, 3])), (0, 1), least=3)
    >>> round(low, 4), round(high, 4)
    (0.25, 0.3333)
    """
    x, n = counts
    events, rest = missing
    k = len(n)
    if math.comb(events + k - 1, k - 1) * math.comb(rest + k - 1, k - 1) > _MOST_ASSIGNMENTS:
        return math.nan, math.nan
    more, fewer = compositions(events, k), compositions(rest, k)
    xs = x + more
    sizes = (n + more)[:, None, :] + fewer[None, :, :]
    gaps = gap(np.broadcast_to(xs[:, None, :], sizes.shape), sizes, least=least)
    return float(gaps.min()), float(gaps.max())


def compositions(total: int, parts: int) -> Integers:
    """Return all ways to divide a number of alike participants over levels.

    Parameters
    ----------
    total : int
        Participants.
    parts : int
        Levels, >= 1.

    Returns
    -------
    ndarray of int, shape (ways, parts)
        Rows add up to ``total``.

    Raises
    ------
    None

    Examples
    --------
    >>> compositions(2, 2).tolist()
    [[0, 2], [1, 1], [2, 0]]
    """
    bars = np.array(list(combinations(range(total + parts - 1), parts - 1)), dtype=np.int64)
    bars = bars.reshape(math.comb(total + parts - 1, parts - 1), parts - 1)
    edges = np.concatenate(
        [np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), total + parts - 1)], axis=1
    )
    result: Integers = np.diff(edges, axis=1) - 1
    return result
