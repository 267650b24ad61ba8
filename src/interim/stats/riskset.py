"""Sums over risk sets: the partial likelihood of Cox regression with its derivatives, and whether its maximum exists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
        rows = np.flatnonzero(e)
        new = np.diff(t[rows], prepend=np.nan) != 0.0
        new |= np.diff(layer[rows], prepend=-1) != 0
        heads = rows[new]
        last = np.flatnonzero(np.append((np.diff(t) != 0.0) | (np.diff(layer) != 0), True))
        first = np.searchsorted(layer, layer[heads], side="left")
        deaths = tuple(np.split(rows, np.flatnonzero(new)[1:])) if len(rows) else ()
        return cls(x[order], last[np.searchsorted(last, heads)], first, deaths)

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
        rows, group, share = self._failing
        share = share if efron else np.zeros(len(rows))
        s0, s1, s2 = (part[group] for part in self._sums(weight))
        d0, d1, d2 = (part[group] for part in self._failing_sums(weight))
        total = s0 - share * d0
        mean = (s1 - share[:, None] * d1) / total[:, None]
        value = float((eta[rows] - np.log(total)).sum())
        score: Floats = self.x[rows].sum(axis=0) - mean.sum(axis=0)
        square = (s2 - share[:, None, None] * d2) / total[:, None, None]
        return value, score, square.sum(axis=0) - mean.T @ mean

    @cached_property
    def _failing(self) -> tuple[Integers, Integers, Floats]:
        """Rows of the events, the event time of each, and its share j/d of Efron's rule."""
        if not self.deaths:
            none = np.zeros(0, dtype=np.int64)
            return none, none, np.zeros(0)
        counts = np.array([len(rows) for rows in self.deaths])
        group = np.repeat(np.arange(len(counts)), counts)
        starts = np.cumsum(counts) - counts
        return np.concatenate(self.deaths), group, (np.arange(len(group)) - starts[group]) / counts[group]

    def _failing_sums(self, weight: Floats) -> tuple[Floats, Floats, Floats]:
        """Sums of weight, weight x and weight x x' over the events of each event time."""
        rows, group, _ = self._failing
        starts = np.searchsorted(group, np.arange(len(self.deaths)))
        x, w = self.x[rows], weight[rows]
        first = x * w[:, None]
        parts = (w, first, first[:, :, None] * x[:, None, :])
        d0, d1, d2 = (np.add.reduceat(part, starts, axis=0) for part in parts)
        return d0, d1, d2

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
        if self.x.shape[1] == 1:
            return self._one_way()
        gaps = []
        for place, rows in enumerate(self.deaths):
            inside = self.x[self.first[place] : self.last[place] + 1]
            gaps.append((self.x[rows][:, None, :] - inside[None, :, :]).reshape(-1, self.x.shape[1]))
        if not gaps:
            return None
        matrix: Floats = np.unique(np.round(np.concatenate(gaps), 12).astype(np.float64), axis=0)
        return rising_direction(matrix)

    def _one_way(self) -> Floats | None:
        """As `monotone` for one covariate: the failing value is always the largest, or always the smallest, at risk."""
        column = self.x[:, 0]
        rows, group, _ = self._failing
        parts = np.split(column, self._starts[1:])
        top, bottom = (
            np.concatenate([running.accumulate(part) for part in parts])[self.last][group]
            for running in (np.maximum, np.minimum)
        )
        if not len(rows) or np.all(top - bottom <= _SLACK):
            return None
        if np.all(column[rows] >= top - _SLACK):
            return np.array([1.0])
        return np.array([-1.0]) if np.all(column[rows] <= bottom + _SLACK) else None


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


def strict_direction(matrix: Floats) -> Floats | None:
    """Return a direction c with every entry of matrix @ c > 0, or None if there is none.

    Parameters
    ----------
    matrix : ndarray of float, shape (m, p)
        Inequalities.

    Returns
    -------
    ndarray of float, shape (p,), or None
        The direction with the widest margin within the unit cube of the scaled columns.

    Raises
    ------
    None
    """
    scale = np.abs(matrix).max(axis=0, initial=0.0)
    scale = np.where(scale > 0.0, scale, 1.0)
    width = matrix.shape[1]
    margins = np.column_stack([-matrix / scale, np.ones(len(matrix))])
    goal = np.append(np.zeros(width), -1.0)
    found = linprog(
        goal, A_ub=margins, b_ub=np.zeros(len(matrix)), bounds=[(-1.0, 1.0)] * width + [(0.0, 1.0)]
    )
    if found.x is None or float(found.x[-1]) <= _SLACK:
        return None
    direction: Floats = found.x[:-1] / scale
    return direction
