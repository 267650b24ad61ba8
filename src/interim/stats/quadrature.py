"""Gauss-Legendre quadrature on one interval and on many adjacent ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Floats


@lru_cache(maxsize=64)
def _rule(count: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return nodes, weights


def gauss_legendre(count: int, *, low: float, high: float) -> tuple[Floats, Floats]:
    """Return nodes and weights for an integral over an interval.

    Parameters
    ----------
    count : int
        Number of nodes, >= 1.
    low, high : float
        Ends of the interval.

    Returns
    -------
    nodes, weights : ndarray of float, shape (count,)
        The integral of f is ``weights @ f(nodes)``.

    Raises
    ------
    None

    Examples
    --------
    >>> nodes, weights = gauss_legendre(5, low=0, high=2)
    >>> round(float(weights @ nodes**3), 12)
    4.0
    """
    nodes, weights = _rule(count)
    half = (high - low) / 2
    return low + half * (nodes + 1), half * weights


def gauss_legendre_pieces(breaks: ArrayLike, *, count: int) -> tuple[Floats, Floats]:
    """Return nodes and weights for integrals over adjacent pieces, so that kinks stand at their ends.

    Parameters
    ----------
    breaks : array_like of float, shape (..., pieces + 1)
        Ends of the pieces, not decreasing.
    count : int
        Number of nodes per piece.

    Returns
    -------
    nodes, weights : ndarray of float, shape (..., pieces * count)
        Nodes in rising order.

    Raises
    ------
    None

    Examples
    --------
    >>> nodes, weights = gauss_legendre_pieces([-1, 0, 1], count=4)
    >>> round(float(weights @ abs(nodes)), 12)
    1.0
    """
    ends = np.asarray(breaks, dtype=float)
    rule, weights = _rule(count)
    low, half = ends[..., :-1, None], np.diff(ends, axis=-1)[..., None] / 2
    shape = (*ends.shape[:-1], -1)
    return (low + half * (rule + 1)).reshape(shape), (half * weights).reshape(shape)
