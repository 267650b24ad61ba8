"""Maximisation of penalised likelihoods from several starts, and limits by their profile, each verified."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri

from interim.stats.answers import Floats, Status
from interim.stats.riskset import RiskSets

SCORE_LIMIT = 1e-8
ROOT_LIMIT = 1e-6
REACH = 200.0
_STEPS = 200
_SPREAD = 2.0
_DIFFERENCE = 1e-5


@dataclass(frozen=True)
class Limit:
    """One profile limit.

    Attributes
    ----------
    value : float
        The limit; NaN beside NE, infinite beside INF.
    status, reason : str
        OK; NE with CI_NOT_VERIFIED; INF with CI_UNBOUNDED.
    root_error : float
        Distance of twice the penalised log likelihood difference from the quantile, computed again from cold starts.
    """

    value: float
    status: Status
    reason: str
    root_error: float


@dataclass(frozen=True, eq=False)
class Maximum:
    """A local maximum of a penalised likelihood."""

    beta: Floats
    value: float
    score: float

    @property
    def converged(self) -> bool:
        """Whether the penalised score vanishes."""
        return self.score < SCORE_LIMIT


@dataclass(frozen=True)
class Profile:
    """Limits and test of one coefficient."""

    limits: tuple[Limit, Limit]
    p_value: float


class PenalisedModel(ABC):
    """A log likelihood plus half the log determinant of its information, on centred and scaled covariates."""

    size: int

    @abstractmethod
    def evaluate(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Return value, penalised score and information.

        Parameters
        ----------
        beta : ndarray of float, shape (p,)
            Coefficients.

        Returns
        -------
        tuple of (float, ndarray (p,), ndarray (p, p))
            The value is -inf where the information is singular.

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

    def starts(self) -> list[Floats]:
        """Return the origin and the points at +-2 on every axis.

        Returns
        -------
        list of ndarray
            Starting points of the search.

        Raises
        ------
        None
        """
        points = [np.zeros(self.size)]
        for axis, sign in product(range(self.size), (-_SPREAD, _SPREAD)):
            point = np.zeros(self.size)
            point[axis] = sign
            points.append(point)
        return points

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
        found = [self._climb(start, np.ones(self.size, dtype=bool)) for start in self.starts()]
        found.sort(key=lambda m: (not m.converged, -m.value))
        best = found[0]
        others = [m for m in found[1:] if m.converged and np.max(np.abs(m.beta - best.beta)) > 1e-3]
        return best, others[0] if others else None

    def near(self, best: Maximum, second: Maximum, level: float) -> bool:
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

    def constrained(self, fixed: Mapping[int, float], *, start: Floats | None = None) -> Maximum:
        """Return the global maximum with some scaled coefficients fixed.

        Parameters
        ----------
        fixed : mapping of int to float
            Place -> value.
        start : ndarray, optional
            One more starting point; without it the search starts cold.

        Returns
        -------
        Maximum
            Over the other coefficients, under the penalty of the full model.

        Raises
        ------
        None
        """
        free = np.array([place not in fixed for place in range(self.size)])
        points = self.starts() if start is None else [start, np.zeros(self.size)]
        found = []
        for point in points:
            begin = point.copy()
            for place, value in fixed.items():
                begin[place] = value
            found.append(self._climb(begin, free))
        return max(found, key=lambda m: (m.converged, m.value))

    def _climb(self, start: Floats, free: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Maximum:
        """Newton's method on the free coefficients, with halving; judged by the penalised score."""
        beta = start.copy()
        value, score, information = self.evaluate(beta)
        if not math.isfinite(value):
            return Maximum(beta, -math.inf, math.inf)
        for _ in range(_STEPS):
            size = float(np.abs(score[free]).max(initial=0.0))
            if size < SCORE_LIMIT * 1e-2:
                break
            step = self._direction(beta, score, information, free)
            factor = min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-300))
            for _ in range(50):
                candidate = self.evaluate(beta + factor * step)
                if math.isfinite(candidate[0]) and candidate[0] >= value - 1e-13 * (1.0 + abs(value)):
                    break
                factor /= 2.0
            else:
                break
            beta = beta + factor * step
            value, score, information = candidate
        return Maximum(beta, value, float(np.abs(score[free]).max(initial=0.0)))

    def _direction(
        self,
        beta: Floats,
        score: Floats,
        information: Floats,
        free: np.ndarray[tuple[int], np.dtype[np.bool_]],
    ) -> Floats:
        """Newton direction with the curvature of the penalised likelihood; its information where that is not concave."""
        places = np.flatnonzero(free)
        curvature = np.empty((len(places), len(places)))
        for column, place in enumerate(places):
            shift = np.zeros(self.size)
            shift[place] = _DIFFERENCE
            gap = self.evaluate(beta + shift)[1] - self.evaluate(beta - shift)[1]
            curvature[:, column] = -gap[places] / (2.0 * _DIFFERENCE)
        curvature = (curvature + curvature.T) / 2.0
        if not np.all(np.isfinite(curvature)) or np.linalg.eigvalsh(curvature).min(initial=1.0) <= 1e-10:
            curvature = information[np.ix_(places, places)]
        step = np.zeros(self.size)
        step[places] = np.linalg.lstsq(curvature, score[places], rcond=None)[0]
        return step


class LogisticModel(PenalisedModel):
    """Logistic likelihood with Jeffreys' penalty.

    Parameters
    ----------
    design : ndarray of float, shape (n, p)
        With intercept.
    y : ndarray of float, shape (n,)
        0 or 1.
    """

    def __init__(self, design: Floats, y: Floats) -> None:
        self.design, self.y = design, y
        self.size = design.shape[1]

    def _weighted(self, beta: Floats) -> tuple[Floats, Floats, Floats, float]:
        """Rates, orthogonal basis of the weighted design, its triangle, and the log of the largest weight."""
        eta = self.design @ beta
        log_weight = -np.abs(eta) - 2.0 * np.log1p(np.exp(-np.abs(eta)))
        top = float(log_weight.max())
        root = np.exp((log_weight - top) / 2.0)
        q, r = np.linalg.qr(root[:, None] * self.design)
        return eta, q, r, top

    def evaluate(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Return value, penalised score and information.

        Parameters
        ----------
        beta : ndarray of float, shape (p,)
            Coefficients.

        Returns
        -------
        tuple of (float, ndarray (p,), ndarray (p, p))
            As in `PenalisedModel.evaluate`.

        Raises
        ------
        None
        """
        eta, q, r, top = self._weighted(beta)
        diagonal = np.abs(np.diag(r))
        if diagonal.min() <= 1e-150:
            return -math.inf, np.zeros(self.size), np.eye(self.size)
        log_det = self.size * top + 2.0 * float(np.log(diagonal).sum())
        rate = 1.0 / (1.0 + np.exp(-np.clip(eta, -700.0, 700.0)))
        value = float(self.y @ eta - np.logaddexp(0.0, eta).sum()) + log_det / 2.0
        leverage = (q**2).sum(axis=1)
        score = self.design.T @ (self.y - rate + leverage * (0.5 - rate))
        return value, score, math.exp(top) * r.T @ r

    def covariance(self, beta: Floats) -> Floats:
        """Return the inverse of the information with weights w (1 + h).

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
        eta, q, _, _ = self._weighted(beta)
        weight = np.exp(-np.abs(eta) - 2.0 * np.log1p(np.exp(-np.abs(eta)))) * (1.0 + (q**2).sum(axis=1))
        inverse: Floats = np.linalg.inv((self.design * weight[:, None]).T @ self.design)
        return inverse


class PartialModel(PenalisedModel):
    """Breslow's partial likelihood with Jeffreys' penalty.

    Parameters
    ----------
    sets : RiskSets
        Risk sets.
    """

    def __init__(self, sets: RiskSets) -> None:
        self.sets = sets
        self.size = sets.x.shape[1]

    def evaluate(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Return value, penalised score and information.

        Parameters
        ----------
        beta : ndarray of float, shape (p,)
            Coefficients.

        Returns
        -------
        tuple of (float, ndarray (p,), ndarray (p, p))
            As in `PenalisedModel.evaluate`.

        Raises
        ------
        None
        """
        value, score, information = self.sets.likelihood(beta, efron=False)
        sign, log_det = np.linalg.slogdet(information)
        if sign <= 0.0:
            return -math.inf, score, information
        inverse = np.linalg.inv(information)
        slope = np.einsum("ab,bac->c", inverse, self.sets.information_slope(beta))
        return value + float(log_det) / 2.0, score + slope / 2.0, information

    def covariance(self, beta: Floats) -> Floats:
        """Return the inverse of the unpenalised information.

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
        inverse: Floats = np.linalg.inv(self.sets.likelihood(beta, efron=False)[2])
        return inverse


def profile(
    model: PenalisedModel, best: Maximum, back: Floats, *, term: int, level: float, step: float
) -> Profile:
    """Return the verified limits and the test of one own coefficient.

    Parameters
    ----------
    model : PenalisedModel
        The model on scaled axes.
    best : Maximum
        Its global maximum.
    back : ndarray of float, shape (p, p)
        Own coefficients = back @ scaled coefficients.
    term : int
        Place of the coefficient.
    level : float
        Confidence level.
    step : float
        Standard error; the search for the limits starts in steps of 1.5 times this.

    Returns
    -------
    Profile
        Limits with their root errors; p-value of the penalised likelihood ratio test.

    Raises
    ------
    None

    Notes
    -----
    A limit is a bracketed root of 2 (PL max - PL(v)) - quantile, where PL(v) is the global constrained maximum. It counts only
    if the difference is found again from cold starts, with a vanishing penalised score.
    """
    axis = _Axis(model, back, term)
    centre = float(back[term] @ best.beta)
    quantile = float(chdtri(1, 1.0 - level))
    zero = axis.constrained(0.0, None)
    p_value = float(chdtrc(1, max(0.0, 2.0 * (best.value - zero.value))))
    limits = tuple(_limit(axis, best, centre, quantile, direction * 1.5 * step) for direction in (-1.0, 1.0))
    return Profile((limits[0], limits[1]), p_value)


@dataclass(frozen=True, eq=False)
class _Axis:
    """One own coefficient as a constraint on the scaled ones."""

    model: PenalisedModel
    back: Floats
    term: int

    def constrained(self, value: float, start: Floats | None) -> Maximum:
        """Global maximum with the own coefficient at a value."""
        row = self.back[self.term]
        turned = _Turned(self.model, row)
        begin = None if start is None else turned.into(start)
        found = turned.constrained({turned.place: value}, start=begin)
        return Maximum(turned.out(found.beta), found.value, found.score)

    def followed(self, value: float, start: Floats) -> Maximum:
        """Local maximum with the own coefficient at a value, reached from one start."""
        turned = _Turned(self.model, self.back[self.term])
        begin = turned.into(start)
        begin[turned.place] = value
        free = np.arange(turned.size) != turned.place
        found = turned._climb(begin, free)
        return Maximum(turned.out(found.beta), found.value, found.score)


class _Turned(PenalisedModel):
    """The model on axes of which one is the own coefficient itself."""

    def __init__(self, model: PenalisedModel, row: Floats) -> None:
        self.model, self.size = model, model.size
        self.place = int(np.argmax(np.abs(row)))
        self.to = np.eye(self.size)
        self.to[self.place] = row
        self.fro = np.linalg.inv(self.to)

    def into(self, beta: Floats) -> Floats:
        """Turned coordinates of scaled coefficients."""
        turned: Floats = self.to @ beta
        return turned

    def out(self, gamma: Floats) -> Floats:
        """Scaled coefficients of turned coordinates."""
        beta: Floats = self.fro @ gamma
        return beta

    def evaluate(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Value and derivatives along the turned axes."""
        value, score, information = self.model.evaluate(self.fro @ beta)
        return value, self.fro.T @ score, self.fro.T @ information @ self.fro

    def covariance(self, beta: Floats) -> Floats:
        """Covariance along the turned axes."""
        covariance: Floats = self.to @ self.model.covariance(self.fro @ beta) @ self.to.T
        return covariance


def _limit(axis: _Axis, best: Maximum, centre: float, quantile: float, step: float) -> Limit:
    """Solve for a limit along the path of warm starts, verify it cold; where that fails, solve again with all starts."""
    quick = _solved(axis, best, centre, quantile, step, cold=False)
    if quick.status != "NE":
        return quick
    return _solved(axis, best, centre, quantile, step, cold=True)


def _solved(axis: _Axis, best: Maximum, centre: float, quantile: float, step: float, *, cold: bool) -> Limit:
    warm = best.beta

    def excess(value: float) -> float:
        nonlocal warm
        found = axis.constrained(value, None) if cold else axis.followed(value, warm)
        warm = found.beta if found.converged else warm
        return 2.0 * (best.value - found.value) - quantile

    reach = REACH * float(np.abs(axis.back[axis.term]).max())
    inner, outer = centre, centre + step
    while excess(outer) <= 0.0:
        if abs(outer - centre) > reach:
            return _open_end(axis, best, outer, quantile, step)
        inner, outer = outer, outer + step
        step *= 1.3
    root = float(brentq(excess, inner, outer, xtol=1e-11, rtol=1e-13))
    again = axis.constrained(root, None)
    error = abs(2.0 * (best.value - again.value) - quantile)
    if error > ROOT_LIMIT or again.score >= 10.0 * SCORE_LIMIT:
        return Limit(math.nan, "NE", "CI_NOT_VERIFIED", error)
    return Limit(root, "OK", "", error)


def _open_end(axis: _Axis, best: Maximum, outer: float, quantile: float, step: float) -> Limit:
    """No crossing as far as the search reaches; verified cold at its end."""
    far = axis.constrained(outer, None)
    if 2.0 * (best.value - far.value) > quantile:
        return Limit(math.nan, "NE", "CI_NOT_VERIFIED", math.nan)
    return Limit(math.copysign(math.inf, step), "INF", "CI_UNBOUNDED", 0.0)
