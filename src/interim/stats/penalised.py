"""Maximisation of penalised likelihoods from several starts at once, judged by the penalised score."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import chdtri

from interim.stats.answers import Flags, Floats

SCORE_LIMIT = 1e-8
_SCORE_GOAL = 1e-10
_ROUNDS = 300
_SPREAD = 2.0
_LONGEST = 3.0
_FACTOR = 2.0**-50
_APART = 1e-3
_MANY = 16


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A penalised log likelihood and its derivatives at several points.

    Attributes
    ----------
    value : ndarray of float, shape (m,)
        Penalised log likelihood; -inf where the information is singular.
    score : ndarray of float, shape (m, p)
        First derivatives.
    curvature : ndarray of float, shape (m, p, p)
        Minus the second derivatives.
    """

    value: Floats
    score: Floats
    curvature: Floats


@dataclass(frozen=True, eq=False)
class Maximum:
    """A local maximum of a penalised likelihood, some coefficients perhaps fixed.

    Attributes
    ----------
    beta : ndarray of float, shape (p,)
        Coefficients.
    value, size : float
        Penalised log likelihood; largest absolute score of the free coefficients.
    score, curvature : ndarray of float, shape (p,) and (p, p)
        Derivatives, those of the fixed coefficients too.
    """

    beta: Floats
    value: float
    size: float
    score: Floats
    curvature: Floats

    @property
    def converged(self) -> bool:
        """Whether the penalised score vanishes."""
        return self.size < SCORE_LIMIT


class PenalisedModel(ABC):
    """A log likelihood plus half the log determinant of its information, on centred and scaled covariates."""

    size: int

    @abstractmethod
    def evaluate(self, points: Floats) -> Evaluated:
        """Return value, penalised score and curvature at several points.

        Parameters
        ----------
        points : ndarray of float, shape (m, p)
            Coefficients.

        Returns
        -------
        Evaluated
            One entry per point.

        Raises
        ------
        None
        """

    @abstractmethod
    def covariance(self, beta: Floats) -> Floats:
        """Return the covariance behind the standard errors.

        Parameters
        ----------
        beta : ndarray of float, shape (p,)
            Coefficients.

        Returns
        -------
        ndarray of float, shape (p, p)
            Covariance.

        Raises
        ------
        None
        """

    @abstractmethod
    def turned(self, axes: Floats) -> Self:
        """Return the model on other axes.

        Parameters
        ----------
        axes : ndarray of float, shape (p, p)
            Coefficients of this model = axes @ coefficients of the answer.

        Returns
        -------
        PenalisedModel
            Of the same kind, without the constant that the penalty gains.

        Raises
        ------
        None
        """

    def starts(self, free: Flags) -> Floats:
        """Return the origin and the points at +-2 on every free axis.

        Parameters
        ----------
        free : ndarray of bool, shape (p,)
            Which coefficients may move.

        Returns
        -------
        ndarray of float, shape (1 + 2 f, p)
            Starting points of a cold search.

        Raises
        ------
        None
        """
        axes = _SPREAD * np.eye(self.size)[free]
        return np.concatenate([np.zeros((1, self.size)), axes, -axes])

    def maxima(self) -> tuple[Maximum, Maximum | None]:
        """Return the global maximum, and the second best local maximum if there is one.

        Returns
        -------
        tuple of (Maximum, Maximum or None)
            From the deterministic starts.

        Raises
        ------
        None
        """
        free = np.ones(self.size, dtype=bool)
        found = climb(self, self.starts(free), free)
        found.sort(key=lambda m: (not m.converged, -m.value))
        best = found[0]
        others = [m for m in found[1:] if m.converged and np.max(np.abs(m.beta - best.beta)) > _APART]
        return best, others[0] if others else None

    def constrained(self, fixed: Mapping[int, float], *, start: Floats | None = None) -> Maximum:
        """Return the global maximum with some coefficients fixed, under the penalty of the full model.

        Parameters
        ----------
        fixed : mapping of int to float
            Place -> value.
        start : ndarray, optional
            One more starting point beside the cold ones.

        Returns
        -------
        Maximum
            Over the other coefficients.

        Raises
        ------
        None
        """
        free = np.array([place not in fixed for place in range(self.size)])
        points = self.starts(free)
        if start is not None:
            points = np.concatenate([points, start[None, :]])
        for place, value in fixed.items():
            points[:, place] = value
        return highest(climb(self, points, free))


def near(best: Maximum, second: Maximum, level: float) -> bool:
    """Tell whether a second maximum is as good within the chi-square quantile.

    Parameters
    ----------
    best, second : Maximum
        The two.
    level : float
        Confidence level.

    Returns
    -------
    bool
        True if twice the difference is below the quantile.

    Raises
    ------
    None
    """
    return 2.0 * (best.value - second.value) < float(chdtri(1, 1.0 - level))


def highest(found: list[Maximum]) -> Maximum:
    """Return the best converged maximum, or the best of all if none converged.

    Parameters
    ----------
    found : list of Maximum
        At least one.

    Returns
    -------
    Maximum
        The best.

    Raises
    ------
    None
    """
    return max(found, key=lambda m: (m.converged, m.value))


def climb(model: PenalisedModel, starts: Floats, free: Flags) -> list[Maximum]:
    """Run Newton's method from all starts side by side, each with its own step halving.

    Parameters
    ----------
    model : PenalisedModel
        What is maximised.
    starts : ndarray of float, shape (m, p)
        Starting points.
    free : ndarray of bool, shape (p,)
        Which coefficients may move.

    Returns
    -------
    list of Maximum
        One per start, in their order.

    Raises
    ------
    None

    Notes
    -----
    One evaluation of all unfinished points per round: a point whose step did not rise halves it in the next round.
    """
    climbers = _Climbers(model, starts.copy(), np.flatnonzero(free))
    for _ in range(_ROUNDS):
        if not climbers.active.any():
            break
        climbers.move()
    return climbers.answers()


class _Climbers:
    """Several points on their way up; those that have arrived stay where they are."""

    def __init__(
        self, model: PenalisedModel, beta: Floats, places: np.ndarray[tuple[int], np.dtype[np.intp]]
    ) -> None:
        self.model, self.beta, self.places = model, beta, places
        at = model.evaluate(beta)
        self.value, self.score, self.curvature = at.value, at.score, at.curvature
        self.factor = np.ones(len(beta))
        self.step = np.zeros_like(beta)
        self.active = np.isfinite(self.value) & (len(places) > 0)
        self._aim()

    def move(self) -> None:
        """Try the next step of every point that is on its way."""
        if len(self.active) > _MANY:
            self._move_some(np.flatnonzero(self.active))
        else:
            self._move(self.beta + self.factor[:, None] * self.step)
        self._aim()

    def _move(self, points: Floats) -> None:
        """Evaluate all points and keep what rose."""
        at = self.model.evaluate(points)
        good = self._risen(at.value, self.value)
        if good.all():
            self.beta, self.value, self.score, self.curvature = points, at.value, at.score, at.curvature
            self.factor[:] = 1.0
            return
        self._keep(np.arange(len(points)), points, at, good)

    def _move_some(self, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> None:
        """Evaluate only those on their way."""
        points = self.beta[rows] + self.factor[rows, None] * self.step[rows]
        at = self.model.evaluate(points)
        self._keep(rows, points, at, self._risen(at.value, self.value[rows]))

    def _keep(
        self, rows: np.ndarray[tuple[int], np.dtype[np.intp]], points: Floats, at: Evaluated, good: Flags
    ) -> None:
        won, lost = rows[good], rows[~good]
        self.beta[won], self.value[won] = points[good], at.value[good]
        self.score[won], self.curvature[won] = at.score[good], at.curvature[good]
        self.factor[won] = 1.0
        self.factor[lost] /= 2.0
        self.active[lost] &= self.factor[lost] > _FACTOR

    @staticmethod
    def _risen(value: Floats, before: Floats) -> Flags:
        risen: Flags = np.isfinite(value) & (value >= before - 1e-13 * (1.0 + np.abs(before)))
        return risen

    def _aim(self) -> None:
        """Set the next step of the points; those whose score vanishes rest."""
        if not len(self.places):
            return
        score, curvature = self.score, self.curvature
        if len(self.places) < self.beta.shape[1]:
            score = score[:, self.places]
            curvature = curvature[:, self.places[:, None], self.places]
        if not self.active.all():
            curvature = np.where(self.active[:, None, None], curvature, np.eye(len(self.places)))
            score = np.where(self.active[:, None], score, 0.0)
        step = newton_step(score, curvature)
        farthest = np.maximum.reduce(np.abs(self.beta), axis=1)
        moving = np.maximum.reduce(np.abs(step), axis=1) > 1e-14 * (1.0 + farthest)
        self.active &= moving & (np.maximum.reduce(np.abs(score), axis=1) >= _SCORE_GOAL)
        self.step[:, self.places] = step * self.active[:, None]

    def answers(self) -> list[Maximum]:
        """The points as maxima."""
        sizes = np.abs(self.score[:, self.places]).max(axis=1, initial=0.0)
        sizes[~np.isfinite(self.value)] = math.inf
        columns = zip(self.beta, self.value.tolist(), sizes.tolist(), self.score, self.curvature, strict=True)
        return [Maximum(*column) for column in columns]


def newton_step(score: Floats, curvature: Floats) -> Floats:
    """Return Newton's step with the absolute eigenvalues of the curvature, so that it always leads up.

    Parameters
    ----------
    score : ndarray of float, shape (m, f)
        First derivatives.
    curvature : ndarray of float, shape (m, f, f)
        Minus the second derivatives.

    Returns
    -------
    ndarray of float, shape (m, f)
        No coordinate is longer than 3.

    Raises
    ------
    None
    """
    if score.shape[1] == 1:
        steepness = np.maximum(np.abs(curvature[:, 0]), 1e-300)
        step: Floats = score / steepness
    else:
        values, axes = np.linalg.eigh(curvature)
        steep = np.abs(values)
        steep = np.maximum(steep, np.maximum(1e-13 * steep.max(axis=1, keepdims=True), 1e-300))
        along = np.matmul(score[:, None, :], axes)[:, 0, :] / steep
        step = np.matmul(axes, along[:, :, None])[:, :, 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    shortened: Floats = step * np.minimum(1.0, _LONGEST / np.maximum(longest, 1e-300))
    return shortened
