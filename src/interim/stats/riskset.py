"""Sums over risk sets: the partial likelihood of Cox regression with its derivatives, and whether its maximum exists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from interim.stats.answers import Flags, Floats, Integers

_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Participants sorted by stratum and falling time, and the tied events of each event time.

    Attributes
    ----------
    x : ndarray of float, shape (n, p)
        Covariates in this order.
    last : ndarray of int, shape (g,)
        Per event time: last row of its risk set (rows of the stratum from ``first`` on).
    first : ndarray of int, shape (g,)
        Per event time: first row of its stratum.
    deaths : tuple of ndarray
        Per event time: rows of the events.
    """

    x: Floats
    last: Integers
    first: Integers
    deaths: tuple[Integers, ...]

    @classmethod
    def of(cls, time: Floats, event: Flags, *, x: Floats, strata: Integers) -> RiskSets:
        """Return the risk sets of a sample.

        Parameters
        ----------
        time, event, strata : ndarray, shape (n,)
            Checked times, events and strata.
        x : ndarray of float, shape (n, p)
            Covariates.

        Returns
        -------
        RiskSets
            One entry per stratum and event time.

        Raises
        ------
        None
        """
        order = np.lexsort((-time, strata))
        t, e, layer = time[order], event[order], strata[order]
        first, last, deaths = [], [], []
        for stratum in np.unique(layer):
            rows = np.flatnonzero(layer == stratum)
            for moment in np.unique(t[rows][e[rows]])[::-1]:
                first.append(rows[0])
                last.append(rows[t[rows] >= moment][-1])
                deaths.append(rows[(t[rows] == moment) & e[rows]])
        return cls(x[order], np.array(last, dtype=np.int64), np.array(first, dtype=np.int64), tuple(deaths))

    @property
    def events(self) -> int:
        """Number of events."""
        return sum(len(rows) for rows in self.deaths)

    def likelihood(self, beta: Floats, *, efron: bool) -> tuple[float, Floats, Floats]:
        """Return log partial likelihood, score and information.

        Parameters
        ----------
        beta : ndarray of float, shape (p,)
            Coefficients.
        efron : bool
            Efron's handling of ties, else Breslow's.

        Returns
        -------
        tuple of (float, ndarray (p,), ndarray (p, p))
            Value and derivatives.

        Raises
        ------
        None
        """
        eta = self._predictor(beta)
        weight = np.exp(eta)
        s0, s1, s2 = self._sums(weight)
        value, score, information = 0.0, np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
        for place, rows in enumerate(self.deaths):
            value += float(eta[rows].sum())
            score += self.x[rows].sum(axis=0)
            share = np.arange(len(rows)) / len(rows) if efron else np.zeros(len(rows))
            d = weight[rows]
            d0, d1 = d.sum(), d @ self.x[rows]
            d2 = (self.x[rows] * d[:, None]).T @ self.x[rows]
            total = s0[place] - share * d0
            mean = (s1[place] - share[:, None] * d1) / total[:, None]
            value -= float(np.log(total).sum())
            score -= mean.sum(axis=0)
            information += (s2[place] - share[:, None, None] * d2).T @ (1.0 / total) - mean.T @ mean
        return value, score, information

    def _sums(self, weight: Floats) -> tuple[Floats, Floats, Floats]:
        """Sums of weight, weight x and weight x x' over each risk set; summed stratum by stratum, so that nothing cancels."""

        def inside(values: Floats) -> Floats:
            running = np.concatenate([np.cumsum(part, axis=0) for part in np.split(values, self._starts[1:])])
            part: Floats = running[self.last]
            return part

        first = self.x * weight[:, None]
        return inside(weight), inside(first), inside(first[:, :, None] * self.x[:, None, :])

    @property
    def _starts(self) -> Integers:
        starts: Integers = np.unique(np.append(self.first, 0))
        return starts

    def _predictor(self, beta: Floats) -> Floats:
        """Linear predictor, shifted to a largest value of 0 in every stratum."""
        eta = self.x @ beta
        parts = np.split(eta, self._starts[1:])
        shifted: Floats = np.concatenate(
            [part - part.max(initial=-np.inf) if len(part) else part for part in parts]
        )
        return shifted

    def monotone(self) -> Floats | None:
        """Return a direction along which the partial likelihood rises for ever, or None if its maximum exists.

        Returns
        -------
        ndarray of float, shape (p,), or None
            Direction c with c'(x_i - x_j) >= 0 for every event i and every j at risk, not all 0.

        Raises
        ------
        None
        """
        gaps = []
        for place, rows in enumerate(self.deaths):
            inside = self.x[self.first[place] : self.last[place] + 1]
            gaps.append((self.x[rows][:, None, :] - inside[None, :, :]).reshape(-1, self.x.shape[1]))
        if not gaps:
            return None
        matrix: Floats = np.unique(np.round(np.concatenate(gaps), 12).astype(np.float64), axis=0)
        return rising_direction(matrix)


def rising_direction(matrix: Floats) -> Floats | None:
    """Return a direction c with matrix @ c >= 0 and not all 0, or None if there is none.

    Parameters
    ----------
    matrix : ndarray of float, shape (m, p)
        Inequalities.

    Returns
    -------
    ndarray of float, shape (p,), or None
        The direction that maximises the sum of matrix @ c within the unit cube.

    Raises
    ------
    None
    """
    scale = np.abs(matrix).max(axis=0, initial=0.0)
    scaled = matrix / np.where(scale > 0.0, scale, 1.0)
    if scaled.shape[1] == 1:
        column = scaled[:, 0]
        sign = 1.0 if np.all(column >= 0.0) else -1.0 if np.all(column <= 0.0) else 0.0
        return np.array([sign]) if sign and np.any(column != 0.0) else None
    found = linprog(
        -scaled.sum(axis=0), A_ub=-scaled, b_ub=np.zeros(len(scaled)), bounds=[(-1.0, 1.0)] * scaled.shape[1]
    )
    if found.status != 0 or -float(found.fun or 0.0) <= _SLACK:
        return None
    direction: Floats = found.x / np.where(scale > 0.0, scale, 1.0)
    return direction
