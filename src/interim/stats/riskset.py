"""Sums over risk sets: the partial likelihood of Cox regression with its derivatives, and whether its maximum exists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import linprog

from interim.stats.answers import Flags, Floats, Integers

_SLACK = 1e-9
_FEW = 64


@dataclass(frozen=True, eq=False)
class _Table:
    """Who is at risk at each event, participants with equal covariates taken together.

    Efron's rule takes a share of the tied deaths off the risk set: that share does not depend on the coefficients.
    """

    x: Floats
    products: Floats
    risk: Floats
    deaths: Floats
    x_deaths: Floats

    @classmethod
    def of(cls, x: Floats, *, risk: Floats, deaths: Floats) -> _Table:
        """Return the table with 1, x and x x' side by side."""
        rows, p = x.T, x.shape[1]
        products = np.ones((1 + p + p * p, len(x)))
        products[1 : 1 + p] = rows
        products[1 + p :] = (rows[:, None] * rows).reshape(p * p, -1)
        return cls(x, products, risk, deaths, deaths @ x)


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Participants sorted by stratum and falling time, and the tied events of each event time.

    Attributes
    ----------
    x : ndarray of float, shape (n, p)
        Covariates in this order.
    rows, group : ndarray of int, shape (e,)
        Row of each event, and the place of its event time.
    last : ndarray of int, shape (g,)
        Per event time: last row of its risk set (rows of the stratum from ``first`` on).
    first : ndarray of int, shape (g,)
        Per event time: first row of its stratum.
    """

    x: Floats
    rows: Integers
    group: Integers
    last: Integers
    first: Integers

    @classmethod
    def of(cls, time: Floats, event: Flags, *, x: Floats, strata: Integers | None) -> RiskSets:
        """Return the risk sets of a sample.

        Parameters
        ----------
        time, event : ndarray, shape (n,)
            Checked times and events.
        x : ndarray of float, shape (n, p)
            Covariates.
        strata : ndarray of int, shape (n,), or None
            Strata; None: one.

        Returns
        -------
        RiskSets
            One entry per stratum and event time.

        Raises
        ------
        None
        """
        backwards = -time
        if strata is None:
            order = backwards.argsort(kind="stable")
            layer, key = order[:0], backwards[order]
        else:
            order = np.lexsort((backwards, strata))
            layer, key = strata[order], _blocks(backwards[order], strata[order])
        rows = event[order].nonzero()[0]
        last, group = _numbered(key.searchsorted(key[rows], side="right") - 1)
        first = np.zeros_like(last) if strata is None else layer.searchsorted(layer[last], side="left")
        return cls(x[order], rows, group, last, first)

    @property
    def events(self) -> int:
        """Number of events."""
        return len(self.rows)

    @cached_property
    def counts(self) -> Integers:
        """Number of events at each event time."""
        counts: Integers = np.bincount(self.group, minlength=len(self.last))
        return counts

    @property
    def deaths(self) -> tuple[Integers, ...]:
        """Rows of the events of each event time."""
        return tuple(np.split(self.rows, np.cumsum(self.counts)[:-1])) if self.events else ()

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
        table = self._efron if efron else self._breslow
        if table is None:
            return self._running(beta, efron=efron)
        p = self.x.shape[1]
        eta = self._shifted(table.x @ beta)
        sums = (np.exp(eta) * table.products) @ table.risk
        total = sums[0]
        ratio = sums[1:] / total
        moments = np.add.reduce(ratio, axis=1)
        mean = ratio[:p]
        value = float(table.deaths @ eta - np.add.reduce(np.log(total)))
        return value, table.x_deaths - moments[:p], moments[p:].reshape(p, p) - mean @ mean.T

    @cached_property
    def _efron(self) -> _Table | None:
        return self._tabulated(tied=True) if len(self.last) < self.events else self._breslow

    @cached_property
    def _breslow(self) -> _Table | None:
        return self._tabulated(tied=False)

    @cached_property
    def _one_stratum(self) -> bool:
        return not np.count_nonzero(self.first)

    def _tabulated(self, *, tied: bool) -> _Table | None:
        """The table of a small sample or of two groups; None where running sums are shorter."""
        n = len(self.x)
        if n <= _FEW:
            row = np.arange(n)[:, None]
            inside = ((row >= self.first) & (row <= self.last)).astype(np.float64)
            died = np.zeros(inside.shape)
            died[self.rows, self.group] = 1.0
            x, deaths = self.x, np.bincount(self.rows, minlength=n).astype(np.float64)
        elif self.x.shape[1] == 1 and self._one_stratum and self.events:
            column = self.x[:, 0]
            x = np.array([[column.min()], [column.max()]])
            high = column == x[1, 0]
            if np.count_nonzero(high) + np.count_nonzero(column == x[0, 0]) != n:
                return None
            inside = _beside(np.cumsum(high)[self.last], self.last + 1)
            died = _beside(np.bincount(self.group, high[self.rows]), self.counts)
            deaths = np.add.reduce(died, axis=1)
        else:
            return None
        risk = inside.take(self.group, axis=1)
        if tied:
            risk -= self._share * died.take(self.group, axis=1)
        return _Table.of(x, risk=risk, deaths=deaths)

    @cached_property
    def _share(self) -> Floats:
        """Share j/d of Efron's rule for each event."""
        before = np.cumsum(self.counts) - self.counts
        return (np.arange(self.events) - before[self.group]) / self.counts[self.group]

    def _running(self, beta: Floats, *, efron: bool) -> tuple[float, Floats, Floats]:
        """As `likelihood`, by running sums over the sorted participants."""
        eta = self._shifted(self.x @ beta)
        weight = np.exp(eta)
        rows, group = self.rows, self.group
        share = self._share if efron else np.zeros(self.events)
        s0, s1, s2 = (part[group] for part in self._sums(weight))
        d0, d1, d2 = (part[group] for part in self._failing_sums(weight))
        total = s0 - share * d0
        mean = (s1 - share[:, None] * d1) / total[:, None]
        value = float((eta[rows] - np.log(total)).sum())
        score: Floats = self.x[rows].sum(axis=0) - mean.sum(axis=0)
        square = (s2 - share[:, None, None] * d2) / total[:, None, None]
        return value, score, square.sum(axis=0) - mean.T @ mean

    def _failing_sums(self, weight: Floats) -> tuple[Floats, Floats, Floats]:
        """Sums of weight, weight x and weight x x' over the events of each event time."""
        starts = np.cumsum(self.counts) - self.counts
        x, w = self.x[self.rows], weight[self.rows]
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

    @cached_property
    def _starts(self) -> Integers:
        starts: Integers = np.unique(np.append(self.first, 0))
        return starts

    def _shifted(self, eta: Floats) -> Floats:
        """Linear predictor, shifted to a largest value of 0 in every stratum."""
        if self._one_stratum:
            return eta - float(np.maximum.reduce(eta)) if len(eta) else eta
        parts = np.split(eta, self._starts[1:])
        return np.concatenate([part - part.max(initial=-np.inf) if len(part) else part for part in parts])

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
        at = self.last[self.group]
        parts = [column] if self._one_stratum else np.split(column, self._starts[1:])
        highest, lowest = (
            [running.accumulate(part) for part in parts] for running in (np.maximum, np.minimum)
        )
        top, bottom = (
            (found[0] if self._one_stratum else np.concatenate(found))[at] for found in (highest, lowest)
        )
        if not self.events or np.maximum.reduce(top - bottom) <= _SLACK:
            return None
        failing = column[self.rows]
        if np.maximum.reduce(top - failing) <= _SLACK:
            return np.array([1.0])
        return np.array([-1.0]) if np.maximum.reduce(failing - bottom) <= _SLACK else None


def _numbered(blocks: Integers) -> tuple[Integers, Integers]:
    """The distinct entries of a rising sequence, and the place of each entry among them."""
    new = np.ones(len(blocks), dtype=np.bool_)
    np.not_equal(blocks[1:], blocks[:-1], out=new[1:])
    return blocks[new], np.cumsum(new) - 1


def _blocks(time: Floats, strata: Integers) -> Floats:
    """Rising numbers of the runs of equal time within a stratum."""
    changed: Floats = np.cumsum(
        (np.diff(time, prepend=time[:1]) != 0.0) | (np.diff(strata, prepend=strata[:1]) != 0)
    )
    return changed


def _beside(high: Floats | Integers, both: Integers) -> Floats:
    """Counts of the lower and of the higher of two values."""
    return np.array([both - high, high], dtype=np.float64)


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
