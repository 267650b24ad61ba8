"""Limits of a coefficient by its penalised profile: found along warm paths, accepted only if found again cold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri

from interim.stats.answers import Flags, Floats, Status
from interim.stats.penalised import SCORE_LIMIT, Maximum, PenalisedModel, climb, highest

ROOT_LIMIT = 1e-6
REACH = 200.0
_PATH_LIMIT = 1e-9
_STEP = 1.5
_GROWTH = 1.3
_TRIES = 80


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


@dataclass(frozen=True)
class Profile:
    """Limits and test of one coefficient; twice the loss of penalised log likelihood where it is 0."""

    limits: tuple[Limit, Limit]
    p_value: float
    drop: float


@dataclass(frozen=True, eq=False)
class _Axis:
    """A model on axes of which one is the coefficient itself; its maximum, the level's quantile, the step and the reach."""

    model: PenalisedModel
    best: Maximum
    place: int
    quantile: float
    step: float
    reach: float

    @property
    def centre(self) -> float:
        """The estimate."""
        return float(self.best.beta[self.place])

    @property
    def free(self) -> Flags:
        """All coefficients but this one."""
        free: Flags = np.arange(self.model.size) != self.place
        return free

    def cold(self, values: list[float]) -> list[Maximum]:
        """Global constrained maximum at each value, searched from the cold starts and the estimate, all at once."""
        starts = np.concatenate([self.model.starts(self.free), self.best.beta[None, :]])
        points = np.concatenate([starts] * len(values))
        points[:, self.place] = np.repeat(values, len(starts))
        found = climb(self.model, points, self.free)
        each = len(starts)
        return [highest(found[k * each : (k + 1) * each]) for k in range(len(values))]

    def drop(self, found: Maximum) -> float:
        """Twice the loss of penalised log likelihood."""
        return 2.0 * (self.best.value - found.value)


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
    A limit is a root of 2 (PL max - PL(v)) - quantile, where PL(v) is the global constrained maximum. It is sought outwards
    from the estimate in bounded steps, then inside a bracket. It counts only if the difference is found again from cold
    starts, with a vanishing penalised score; otherwise it is sought again with cold starts at every value.
    """
    axis = _turned(model, best, back, term=term, level=level, step=step)
    searches = [_Search(axis, sign) for sign in (-1.0, 1.0)]
    _follow(axis, searches)
    roots = [search for search in searches if search.state == "root"]
    zero, *again = axis.cold([0.0, *(search.value for search in roots)])
    drop = max(0.0, axis.drop(zero))
    checked = dict(zip((id(search) for search in roots), again, strict=True))
    low, high = (_limit(axis, search, checked.get(id(search))) for search in searches)
    return Profile((low, high), float(chdtrc(1, drop)), drop)


def _turned(
    model: PenalisedModel, best: Maximum, back: Floats, *, term: int, level: float, step: float
) -> _Axis:
    """The model on axes of which one is the own coefficient; the penalty's constant is kept out of the difference."""
    row = back[term]
    place = int(np.argmax(np.abs(row)))
    to = np.eye(model.size)
    to[place] = row
    fro = np.asarray(np.linalg.inv(to), dtype=np.float64)
    turned = model.turned(fro)
    beta = to @ best.beta
    at = turned.evaluate(beta[None, :])
    there = Maximum(beta, float(at.value[0]), best.size, at.score[0], at.curvature[0])
    reach = REACH * float(np.abs(row).max())
    return _Axis(turned, there, place, float(chdtri(1, 1.0 - level)), _STEP * step, reach)


@dataclass(eq=False)
class _Search:
    """The way from the estimate to one limit."""

    axis: _Axis
    direction: float
    state: str = "open"
    outer: float | None = None
    value: float = field(init=False)
    inner: float = field(init=False)
    start: Floats = field(init=False)
    step: float = field(init=False)

    def __post_init__(self) -> None:
        self.step = self.direction * self.axis.step
        self.inner, self.value = self.axis.centre, self.axis.centre + self.step
        self.start = self._predicted(self.axis.best, self.step)

    def take(self, found: Maximum) -> None:
        """Judge the constrained maximum at the present value and choose the next one."""
        if not found.converged:
            self.state = "lost"
            return
        excess = self.axis.drop(found) - self.axis.quantile
        if abs(excess) <= _PATH_LIMIT:
            self.state = "root"
            return
        if excess > 0.0:
            self.outer = self.value
        else:
            self.inner = self.value
        following = self._next(found)
        if self.outer is None and abs(self.value - self.axis.centre) > self.axis.reach:
            self.state = "unbounded"
        elif following == self.value or (self.outer is not None and abs(self.outer - self.inner) < 1e-12):
            self.state = "root"
        self.start = self._predicted(found, following - self.value)
        self.value = following if self.state == "open" else self.value

    def _next(self, found: Maximum) -> float:
        """Newton's step for the signed root of the drop, within the bracket or the longest step outwards."""
        drop, slope = self.axis.drop(found), -2.0 * float(found.score[self.axis.place])
        rising = slope * self.direction > 0.0 and drop > 0.0
        gap = (
            (math.sqrt(self.axis.quantile) - math.sqrt(drop)) * 2.0 * math.sqrt(drop) / slope
            if rising
            else math.nan
        )
        guess = self.value + gap
        if self.outer is None:
            if math.isfinite(gap) and gap * self.direction < abs(self.step):
                return guess
            outwards, self.step = self.value + self.step, self.step * _GROWTH
            return outwards
        low, high = sorted((self.inner, self.outer))
        return guess if low < guess < high else (low + high) / 2.0

    def _predicted(self, at: Maximum, change: float) -> Floats:
        """Where the constrained maximum moves to, to first order."""
        start = at.beta.copy()
        start[self.axis.place] += change
        free, place = self.axis.free, self.axis.place
        if free.any():
            moved = -change * _least(at.curvature[np.ix_(free, free)], at.curvature[free, place])
            start[free] += moved * min(1.0, 2.0 / max(float(np.abs(moved).max()), 1e-300))
        return start


def _least(matrix: Floats, right: Floats) -> Floats:
    """Solution of matrix @ x = right; the shortest where there are many."""
    if len(right) == 1 and matrix[0, 0] != 0.0:
        return np.asarray(right / matrix[0], dtype=np.float64)
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=1e-10)[0], dtype=np.float64)


def _follow(axis: _Axis, searches: list[_Search]) -> None:
    """Advance the searches side by side."""
    for _ in range(_TRIES):
        open_ = [search for search in searches if search.state == "open"]
        if not open_:
            return
        points = np.array([search.start for search in open_])
        points[:, axis.place] = [search.value for search in open_]
        for search, found in zip(open_, climb(axis.model, points, axis.free), strict=True):
            search.take(found)


def _limit(axis: _Axis, search: _Search, again: Maximum | None) -> Limit:
    """Accept a root that was found again; otherwise search once more with cold starts everywhere."""
    if again is not None:
        error = abs(axis.drop(again) - axis.quantile)
        if error <= ROOT_LIMIT and again.size < 10.0 * SCORE_LIMIT:
            return Limit(search.value, "OK", "", error)
    if search.state == "unbounded" and axis.drop(axis.cold([search.value])[0]) <= axis.quantile:
        return Limit(math.copysign(math.inf, search.direction), "INF", "CI_UNBOUNDED", 0.0)
    return _searched_cold(axis, search.direction * axis.step)


def _searched_cold(axis: _Axis, step: float) -> Limit:
    """Bracket and solve with the global constrained maximum at every value."""

    def excess(value: float) -> float:
        return axis.drop(axis.cold([value])[0]) - axis.quantile

    inner, outer = axis.centre, axis.centre + step
    while excess(outer) <= 0.0:
        if abs(outer - axis.centre) > axis.reach:
            return Limit(math.copysign(math.inf, step), "INF", "CI_UNBOUNDED", 0.0)
        inner, outer = outer, outer + step
        step *= _GROWTH
    root = float(brentq(excess, inner, outer, xtol=1e-11, rtol=1e-13))
    again = axis.cold([root])[0]
    error = abs(axis.drop(again) - axis.quantile)
    if error > ROOT_LIMIT or again.size >= 10.0 * SCORE_LIMIT:
        return Limit(math.nan, "NE", "CI_NOT_VERIFIED", error)
    return Limit(root, "OK", "", error)
