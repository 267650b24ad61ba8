"""Tails and interval masses of the beta posterior of a rate, for many rates at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincc

from interim.stats.answers import Floats

UNIFORM = (1.0, 1.0)


def beta_tail(x: ArrayLike, n: ArrayLike, *, limit: float, prior: tuple[float, float] = UNIFORM) -> Floats:
    """Return the posterior probability that a rate lies above a limit.

    Parameters
    ----------
    x, n : array_like of int
        Participants with the event and participants, broadcast against each other.
    limit : float
        Rate, 0 to 1.
    prior : tuple of float
        Parameters of the beta prior, both > 0.

    Returns
    -------
    ndarray of float
        P(rate > limit), to about 1e-14.

    Raises
    ------
    None

    Examples
    --------
    >>> round(float(beta_tail(2, 3, limit=0.2)), 4)
    0.9728
    """
    x, n = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    found: Floats = betaincc(prior[0] + x, prior[1] + n - x, limit)
    return found


def beta_mass(
    x: ArrayLike, n: ArrayLike, *, limits: tuple[float, float], prior: tuple[float, float] = UNIFORM
) -> Floats:
    """Return the posterior probability that a rate lies in an interval.

    Parameters
    ----------
    x, n : array_like of int
        Participants with the event and participants, broadcast against each other.
    limits : tuple of float
        Ends of the interval, 0 to 1.
    prior : tuple of float
        Parameters of the beta prior, both > 0.

    Returns
    -------
    ndarray of float
        P(lower < rate <= upper).

    Raises
    ------
    None

    Examples
    --------
    >>> float(beta_mass(0, 0, limits=(0.25, 0.5)))
    0.25
    """
    x, n = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    a, b = prior[0] + x, prior[1] + n - x
    found: Floats = betainc(a, b, limits[1]) - betainc(a, b, limits[0])
    return found
