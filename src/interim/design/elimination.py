"""Elimination of toxic levels, and the choice of a dose by isotonic fit: shared by the designs with fixed cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interim.design.characteristics import Floats
from interim.errors import DesignError
from interim.stats import beta_tail, isotonic_fit

Integers = NDArray[np.int64]
_EVENT, _TOTAL, _RANK = 0.05, 0.1, 1e-10


@dataclass(frozen=True)
class Elimination:
    """When a level and all above it are eliminated.

    Attributes
    ----------
    cut : float
        Eliminated if P(rate > target) under Beta(1 + y, 1 + n - y) is greater.
    min_n : int
        Participants needed before a level can be eliminated.
    lowest_offset : float
        The lowest level is eliminated at ``cut`` minus this already.
    """

    cut: float = 0.95
    min_n: int = 3
    lowest_offset: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a cut that is no probability."""
        if not 0 <= self.lowest_offset < self.cut < 1:
            raise DesignError(
                f"cut must lie between lowest_offset ({self.lowest_offset:g}) and 1, found {self.cut:g}"
            )

    def toxic(self, n: ArrayLike, y: ArrayLike, *, target: float, offset: float = 0.0) -> NDArray[np.bool_]:
        """Tell for counts of one level whether it is eliminated.

        Parameters
        ----------
        n, y : array_like of int
            Participants and DLT.
        target : float
            Target rate.
        offset : float
            Subtracted from the cut.

        Returns
        -------
        ndarray of bool
            True where the level is eliminated.

        Raises
        ------
        None
        """
        counts, events = np.asarray(n), np.asarray(y)
        tail = beta_tail(events, counts, limit=target)
        return np.asarray((counts >= self.min_n) & (tail > self.cut - offset))

    def lowest(self, n: Integers, y: Integers, *, target: float) -> Integers:
        """Return the lowest eliminated level.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.
        target : float
            Target rate.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based; the number of levels plus 1 where none is eliminated.

        Raises
        ------
        None
        """
        top, levels = int(n.max(initial=0)), n.shape[1]
        first: Integers = np.full(n.shape[0], levels + 1, dtype=np.int64)
        for level in range(levels, 0, -1):
            offset = self.lowest_offset if level == 1 else 0.0
            out = _toxic_table(self, target, offset, top)[n[:, level - 1], y[:, level - 1]]
            first[out] = level
        return first


@lru_cache(maxsize=256)
def _toxic_table(safety: Elimination, target: float, offset: float, top: int) -> NDArray[np.bool_]:
    """Return for every n and y whether a level is eliminated, so that a batch of states is one look-up."""
    n = np.arange(top + 1)[:, None]
    y = np.minimum(np.arange(top + 1)[None, :], n)
    found = safety.toxic(n, y, target=target, offset=offset)
    found.setflags(write=False)
    return found


def isotonic_rates(n: Integers, y: Integers) -> Floats:
    """Return the isotonic fit of the DLT rates.

    Parameters
    ----------
    n, y : ndarray of int, shape (states, levels)
        Participants and DLT; levels without participants are left out.

    Returns
    -------
    ndarray of float, shape (states, levels)
        Fit of (y + 0.05) / (n + 0.1), weighted by the inverse variance; NaN for levels without participants.

    Raises
    ------
    None
    """
    rate = (y + _EVENT) / (n + _TOTAL)
    variance = (y + _EVENT) * (n - y + _EVENT) / ((n + _TOTAL) ** 2 * (n + _TOTAL + 1))
    return isotonic_fit(rate, np.where(n > 0, 1 / variance, 0.0))


def select_isotonic(
    n: Integers, y: Integers, *, target: float, safety: Elimination, bound: float | None = None
) -> Integers:
    """Return the level whose isotonic rate is closest to the target.

    Parameters
    ----------
    n, y : ndarray of int, shape (states, levels)
        Participants and DLT.
    target : float
        Target rate.
    safety : Elimination
        Eliminated levels are not selected.
    bound : float, optional
        Only levels with a fit up to this rate are selected.

    Returns
    -------
    ndarray of int, shape (states,)
        1-based level, 0 for no dose.

    Raises
    ------
    None
    """
    levels = np.arange(1, n.shape[1] + 1)
    open_level = levels < safety.lowest(n, y, target=target)[:, None]
    kept = np.where(open_level, n, 0)
    fit = isotonic_rates(kept, np.where(open_level, y, 0)) + _RANK * levels
    if bound is not None:
        fit = np.where(fit <= bound, fit, np.nan)
    distance = np.where(np.isnan(fit), np.inf, np.abs(fit - target))
    best = distance.argmin(axis=1)
    chosen: Integers = np.where(np.isfinite(distance.min(axis=1)), best + 1, 0)
    return chosen
