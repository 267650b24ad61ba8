"""Interval-censored times: the nonparametric maximum likelihood estimate on Turnbull's innermost intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from interim.stats.answers import Flags, Floats, Status, frozen
from interim.stats.inputs import check_between, check_numbers, check_same_length

_ROUNDS = 500


@dataclass(frozen=True, eq=False)
class Turnbull:
    """Mass on innermost intervals (left, right].

    Attributes
    ----------
    left, right : ndarray of float, shape (k,)
        Innermost intervals; the last may end at infinity.
    mass : ndarray of float, shape (k,)
        Probability of each; sums to 1. Where it lies inside an interval is undefined.
    gradient : float
        Largest gradient of the likelihood; 1 at the maximum.
    status, reason : str
        NE with NO_DATA or NOT_CONVERGED.
    """

    left: Floats
    right: Floats
    mass: Floats
    gradient: float
    status: Status = "OK"
    reason: str = ""

    def at(self, t: float) -> tuple[float, float]:
        """Return the smallest and the largest value that the curve S can have at a time.

        Parameters
        ----------
        t : float
            Time >= 0.

        Returns
        -------
        tuple of float
            Equal where the curve is defined.

        Raises
        ------
        ValueError
            If the time is illegal.
        """
        t = check_between(t, "t", low=0.0, high=math.inf, closed=True)
        least = float(self.mass[self.left >= t].sum())
        return least, least + float(self.mass[(self.left < t) & (t < self.right)].sum())


def turnbull(left: ArrayLike, right: ArrayLike, *, tol: float = 1e-9) -> Turnbull:
    """Return the nonparametric estimate from times known to lie in (left, right].

    Parameters
    ----------
    left, right : array_like of float, shape (n,)
        0 <= left < right; right infinite for right censoring.
    tol : float
        The estimate counts as found when no gradient exceeds 1 by more.

    Returns
    -------
    Turnbull
        Masses.

    Raises
    ------
    ValueError
        If an interval is illegal.

    Notes
    -----
    Active sets: a quadratic model of the likelihood is maximised over the masses, then the step is halved until the likelihood
    rises; the EM algorithm alone is too slow.

    References
    ----------
    Turnbull 1976; Gentleman and Geyer 1994; Wang 2007.

    Examples
    --------
    >>> found = turnbull([0, 1], [1, 2])
    >>> found.left.tolist(), found.mass.round(6).tolist()
    ([0.0, 1.0], [0.5, 0.5])
    """
    low, high = (
        np.atleast_1d(check_numbers(v, name).astype(np.float64))
        for v, name in ((left, "left"), (right, "right"))
    )
    check_same_length(low, high, ("left", "right"))
    wrong = np.isnan(low) | np.isnan(high) | (low < 0.0) | ~(low < high)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"left must be >= 0 and < right; place {place} holds ({low[place]}, {high[place]}]")
    if not len(low):
        nothing = np.empty(0)
        return Turnbull(nothing, nothing, nothing, math.nan, "NE", "NO_DATA")
    starts, ends = _innermost(low, high)
    covers = (low[:, None] <= starts) & (ends <= high[:, None])
    mass, gradient = _maximum(covers, tol)
    frozen(starts, ends, mass)
    done = gradient <= 1.0 + tol
    return Turnbull(starts, ends, mass, gradient, "OK" if done else "NE", "" if done else "NOT_CONVERGED")


def _innermost(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Pairs of a left end directly followed by a right end."""
    ends = sorted({(float(v), 1) for v in low} | {(float(v), 0) for v in high})
    pairs = [(a[0], b[0]) for a, b in pairwise(ends) if a[1] == 1 and b[1] == 0]
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def _maximum(covers: Flags, tol: float) -> tuple[Floats, float]:
    a = covers.astype(np.float64)
    n, k = a.shape
    mass = np.full(k, 1.0 / k)
    for _ in range(_ROUNDS):
        fitted = a @ mass
        gradient = (a / fitted[:, None]).sum(axis=0) / n
        if gradient.max() <= 1.0 + tol / 2.0:
            break
        mass = _step(a, mass, fitted)
    return mass, float(((a / (a @ mass)[:, None]).sum(axis=0) / n).max())


def _step(a: Floats, mass: Floats, fitted: Floats) -> Floats:
    """Constrained Newton step: least squares of the scaled rows with masses >= 0 that sum to 1."""
    scaled = a / fitted[:, None]
    weight = 1e4 * math.sqrt(len(a))
    system = np.vstack([scaled, np.full((1, a.shape[1]), weight)])
    target = np.append(np.full(len(a), 2.0), weight)
    wanted = nnls(system, target)[0]
    wanted = wanted / wanted.sum()
    value, factor = float(np.log(fitted).sum()), 1.0
    for _ in range(60):
        candidate = mass + factor * (wanted - mass)
        if np.all(a @ candidate > 0.0) and float(np.log(a @ candidate).sum()) >= value:
            return np.asarray(candidate)
        factor /= 2.0
    moved: Floats = mass * (scaled.sum(axis=0) / len(a))
    return moved
