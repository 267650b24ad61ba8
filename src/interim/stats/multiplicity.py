"""Adjustment of p-values for the other tests of a family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Floats
from interim.stats.inputs import check_choice

P_METHODS = ("holm", "hochberg", "hommel", "bh", "by", "bonferroni")


def adjust_p(p: ArrayLike, method: str) -> Floats:
    """Return adjusted p-values.

    Parameters
    ----------
    p : array_like of float, shape (m,)
        Raw p-values within [0, 1]; NaN is a test that could not be run: it stays NaN and is not counted.
    method : {"holm", "hochberg", "hommel", "bh", "by", "bonferroni"}
        Rule.

    Returns
    -------
    ndarray of float, shape (m,)
        Adjusted, in the given order.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1] or the method is unknown.

    References
    ----------
    Holm 1979; Hochberg 1988; Hommel 1988; Benjamini and Hochberg 1995; Benjamini and Yekutieli 2001.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, 0.03], "holm").tolist()
    [0.03, 0.06, 0.06]
    """
    check_choice(method, "method", P_METHODS)
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"p must be one-dimensional; its shape is {values.shape}")
    run = ~np.isnan(values)
    wrong = run & ((values < 0.0) | (values > 1.0))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"p must lie in [0, 1]; p[{place}] is {values[place]}")
    adjusted = np.full(len(values), np.nan)
    if run.any():
        adjusted[run] = _RULES[method](values[run])
    return adjusted


def _bonferroni(p: Floats) -> Floats:
    return np.minimum(1.0, len(p) * p)


def _holm(p: Floats) -> Floats:
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    return _back(np.minimum(1.0, np.maximum.accumulate(factors * p[order])), order)


def _up(p: Floats, factors: Floats) -> Floats:
    """Step-up rule: factors belong to the p-values in descending order."""
    order = np.argsort(-p, kind="stable")
    return _back(np.minimum(1.0, np.minimum.accumulate(factors * p[order])), order)


def _hochberg(p: Floats) -> Floats:
    return _up(p, np.arange(1.0, len(p) + 1.0))


def _bh(p: Floats) -> Floats:
    m = len(p)
    return _up(p, m / np.arange(float(m), 0.0, -1.0))


def _by(p: Floats) -> Floats:
    m = len(p)
    return _up(p, float((1.0 / np.arange(1, m + 1)).sum()) * m / np.arange(float(m), 0.0, -1.0))


def _hommel(p: Floats) -> Floats:
    m = len(p)
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    best = np.full(m, float((m * ranked / np.arange(1, m + 1)).min()))
    answer = best.copy()
    for j in range(m - 1, 1, -1):
        head, tail = np.arange(m - j + 1), np.arange(m - j + 1, m)
        least = float((j * ranked[tail] / np.arange(2, j + 1)).min())
        best[head] = np.minimum(j * ranked[head], least)
        best[tail] = best[m - j]
        answer = np.maximum(answer, best)
    return _back(np.maximum(answer, ranked), order)


def _back(ordered: Floats, order: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Floats:
    values = np.empty(len(ordered))
    values[order] = ordered
    return values


_RULES: dict[str, Callable[[Floats], Floats]] = {
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "bh": _bh,
    "by": _by,
    "bonferroni": _bonferroni,
}
