"""Posterior laws of one rate: a mixture of beta laws, or masses on nodes of the logit scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincc, betaincinv, betaln, expit, gammaln, logit

from interim.stats.answers import Floats

_EDGE = 1e-12


@dataclass(frozen=True, eq=False)
class BetaMixture:
    """Mixture of beta laws.

    Attributes
    ----------
    weight, a, b : ndarray of float, shape (m,)
        Weights that sum to 1, and shapes.
    """

    weight: Floats
    a: Floats
    b: Floats

    def moment(self, s: int, f: int) -> float:
        """Return the mean of p^s (1 - p)^f.

        Parameters
        ----------
        s, f : int
            Powers.

        Returns
        -------
        float
            The mean.

        Raises
        ------
        None
        """
        return float(self.weight @ np.exp(betaln(self.a + s, self.b + f) - betaln(self.a, self.b)))

    def above(self, cut: float) -> float:
        """Return the probability above a rate.

        Parameters
        ----------
        cut : float
            Rate, 0 to 1.

        Returns
        -------
        float
            P(p > cut).

        Raises
        ------
        None
        """
        return float(self.weight @ betaincc(self.a, self.b, cut))

    def quantile(self, q: float) -> float:
        """Return a quantile.

        Parameters
        ----------
        q : float
            Probability, 0 to 1, both excluded.

        Returns
        -------
        float
            The rate below which the probability is q.

        Raises
        ------
        None
        """
        each = betaincinv(self.a, self.b, q)
        low, high = float(each.min()), float(each.max())
        if high - low <= _EDGE:
            return low
        return float(brentq(lambda x: 1.0 - self.above(x) - q, low, high, xtol=1e-14, rtol=1e-13))


@dataclass(frozen=True, eq=False)
class NodeLaw:
    """Smooth law given by its density on adjacent Gauss-Legendre panels of the logit scale.

    Attributes
    ----------
    edges : ndarray of float, shape (m + 1,)
        Ends of the panels.
    eta : ndarray of float, shape (m, c)
        Nodes.
    mass : ndarray of float, shape (m, c)
        Density x weight; sums to 1.
    """

    edges: Floats
    eta: Floats
    mass: Floats

    def moment(self, s: int, f: int) -> float:
        """Return the mean of p^s (1 - p)^f.

        Parameters
        ----------
        s, f : int
            Powers.

        Returns
        -------
        float
            The mean.

        Raises
        ------
        None
        """
        powers = np.exp(-s * np.logaddexp(0.0, -self.eta) - f * np.logaddexp(0.0, self.eta))
        return float((self.mass * powers).sum())

    def above(self, cut: float) -> float:
        """Return the probability above a rate.

        Parameters
        ----------
        cut : float
            Rate, 0 to 1, both excluded.

        Returns
        -------
        float
            P(p > cut).

        Raises
        ------
        None
        """
        return self._above(float(logit(cut)))

    def quantile(self, q: float) -> float:
        """Return a quantile.

        Parameters
        ----------
        q : float
            Probability, 0 to 1, both excluded.

        Returns
        -------
        float
            The rate below which the probability is q.

        Raises
        ------
        None
        """
        below = np.concatenate([[0.0], np.cumsum(self.mass.sum(axis=1))])
        place = int(np.clip(np.searchsorted(below, q) - 1, 0, len(self.edges) - 2))
        low, high = self.edges[place], self.edges[place + 1]
        root = brentq(lambda x: 1.0 - self._above(x) - q, low - _EDGE, high + _EDGE, xtol=1e-13)
        return float(expit(root))

    def _above(self, cut: float) -> float:
        """Whole panels above the cut, and the part of its own panel by integrating the interpolating polynomial."""
        if cut <= self.edges[0]:
            return 1.0
        if cut >= self.edges[-1]:
            return 0.0
        place = int(np.searchsorted(self.edges, cut, side="right")) - 1
        whole = float(self.mass[place + 1 :].sum())
        low, high = self.edges[place], self.edges[place + 1]
        count = self.mass.shape[1]
        series = (_values(count).T @ self.mass[place]) * (np.arange(count) + 0.5)
        integral = np.polynomial.legendre.legint(series)
        here = 2.0 * (cut - low) / (high - low) - 1.0
        ends = np.polynomial.legendre.legval(np.array([1.0, here]), integral)
        return whole + float(ends[0] - ends[1])


@lru_cache(maxsize=8)
def _values(count: int) -> Floats:
    """Legendre polynomials at the Gauss-Legendre nodes."""
    x, _ = np.polynomial.legendre.leggauss(count)
    found: Floats = np.polynomial.legendre.legvander(x, count - 1).astype(np.float64)
    return found


RateLaw = BetaMixture | NodeLaw
"""A posterior law of a rate."""


def log_ways(m: float, y: Floats | np.ndarray) -> Floats:
    """Return the logarithm of the binomial coefficient.

    Parameters
    ----------
    m : float
        Participants.
    y : ndarray
        Responses.

    Returns
    -------
    ndarray of float
        log C(m, y).

    Raises
    ------
    None
    """
    found: Floats = gammaln(m + 1.0) - gammaln(y + 1.0) - gammaln(m - y + 1.0)
    return found
