"""The terminal slope: every candidate window, the choice among them, and why each was not chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interim.stats.answers import Flags, Floats, Integers, Texts
from interim.stats.inputs import check_choice
from interim.stats.nca_area import Points
from interim.stats.nca_profile import Series

COMPETE = ("negative_only", "all_windows")
_LN2 = float(np.log(2.0))


@dataclass(frozen=True, eq=False)
class Candidates:
    """All windows of the last 3, 4, ... points: column j holds the window of j + 1 points.

    Attributes
    ----------
    n : ndarray of int, shape (m,)
        Points of the window.
    exists, candidate : ndarray of bool, shape (k, m)
        The profile has so many points; the window has enough points and its concentrations vary.
    first, last, slope, level, r2, adj_r2, span : ndarray of float, shape (k, m)
        Times, slope of ln concentration, fitted ln concentration at the last point, fit, half-lives covered.
    chosen : ndarray of int, shape (k,)
        Column of the chosen window, -1 if none.
    eligible : ndarray of bool, shape (k, points)
        Samples that a window may use, in the order of the series.
    """

    n: Integers
    exists: Flags
    candidate: Flags
    first: Floats
    last: Floats
    slope: Floats
    level: Floats
    r2: Floats
    adj_r2: Floats
    span: Floats
    chosen: Integers
    eligible: Flags

    def why_not(self, tolerance: float, compete: str = "negative_only") -> Texts:
        """Return for every window CHOSEN, or why it is not.

        Parameters
        ----------
        tolerance : float
            Tolerance of the adjusted R2 with which the choice was made.
        compete : {"negative_only", "all_windows"}
            Windows that competed when the choice was made.

        Returns
        -------
        ndarray of str, shape (k, m)
            Empty where the window does not exist.

        Raises
        ------
        None
        """
        column = np.arange(len(self.n))[None, :]
        competing = self.candidate & ((self.slope < 0) | (compete == "all_windows"))
        best = np.where(competing, self.adj_r2, -np.inf).max(axis=1, initial=-np.inf)[:, None]
        choices = [
            (~self.exists, ""),
            (column == self.chosen[:, None], "CHOSEN"),
            (~self.candidate & (self.n < 3)[None, :], "TOO_FEW_POINTS"),
            (~self.candidate, "FLAT_TAIL"),
            (self.slope >= 0, "NOT_FALLING"),
            (self.adj_r2 <= best - tolerance, "WORSE_FIT"),
        ]
        answer: Texts = np.select(
            [flag for flag, _ in choices], [text for _, text in choices], "FEWER_POINTS"
        )
        return answer


@dataclass(frozen=True, eq=False)
class Terminal:
    """The terminal phase of each profile.

    Attributes
    ----------
    lambda_z, half_life, clast_pred, r2, adj_r2, span, first, last : ndarray of float, shape (k,)
        NaN where the slope cannot be estimated.
    n_points : ndarray of float, shape (k,)
        Points of the chosen window; NaN likewise.
    reason : ndarray of str, shape (k,)
        Why not: TOO_FEW_POINTS, NO_NEGATIVE_SLOPE, FLAT_TAIL, ALL_BLQ, NO_SAMPLES; empty where estimated.
    used : ndarray of bool, shape (k, m)
        Samples of the chosen window, in the order of the series.
    candidates : Candidates
        All windows.
    """

    lambda_z: Floats
    half_life: Floats
    clast_pred: Floats
    r2: Floats
    adj_r2: Floats
    span: Floats
    first: Floats
    last: Floats
    n_points: Floats
    reason: Texts
    used: Flags
    candidates: Candidates


def terminal(
    series: Series,
    found: Points,
    *,
    min_points: int = 3,
    tolerance: float = 1e-4,
    compete: str = "negative_only",
    with_tmax: bool = False,
    after: Floats | float = -np.inf,
) -> Terminal:
    """Return the terminal slope by the best adjusted R2.

    Parameters
    ----------
    series, found : Series, Points
        Profiles and their point parameters.
    min_points : int
        Smallest window.
    tolerance : float
        A window whose adjusted R2 is less than this below the best may win by having more points.
    compete : {"negative_only", "all_windows"}
        Whether a rising window may set the best.
    with_tmax : bool
        Whether the point at Tmax may be used.
    after : array_like of float, shape (k,) or one number
        Only points strictly later: the end of the last infusion.

    Returns
    -------
    Terminal
        Semi-logarithmic least squares on windows of the last points; among those near the best the longest that falls.

    Raises
    ------
    ValueError
        If ``compete`` is unknown.

    Notes
    -----
    Sums are taken around the last point, so that late times lose no digits.
    """
    check_choice(compete, "compete", COMPETE)
    start = found.tmax[:, None]
    late = (series.time >= start) if with_tmax else (series.time > start)
    limit = np.broadcast_to(np.asarray(after, dtype=np.float64), found.tmax.shape)[:, None]
    eligible = series.valid & (series.conc > 0) & late & (series.time > limit)
    windows = _windows(series, eligible, min_points)
    chosen = _choose(windows, tolerance=tolerance, compete=compete)
    return _terminal(series, found, _with_choice(windows, chosen), min_points)


def _windows(series: Series, eligible: Flags, min_points: int) -> Candidates:
    """Fit every window of the last points by running sums from the last point backwards."""
    reverse = eligible[:, ::-1]
    order = np.argsort(~reverse, axis=1, kind="stable")
    exists = np.take_along_axis(reverse, order, axis=1)
    time = np.take_along_axis(series.time[:, ::-1], order, axis=1)
    conc = np.take_along_axis(series.conc[:, ::-1], order, axis=1)
    y = np.log(np.where(exists, conc, 1.0))
    x = np.where(exists, time - time[:, :1], 0.0)
    y = np.where(exists, y - y[:, :1], 0.0)
    n = np.arange(1, exists.shape[1] + 1)
    sx, sy, sxx, sxy, syy = (np.cumsum(part, axis=1) for part in (x, y, x * x, x * y, y * y))
    vx, vy, vxy = sxx - sx * sx / n, syy - sy * sy / n, sxy - sx * sy / n
    varies = np.maximum.accumulate(y, axis=1) > np.minimum.accumulate(y, axis=1)
    candidate = exists & (n >= min_points) & varies & (vx > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(candidate, vxy / vx, np.nan)
        r2 = np.where(candidate, np.minimum(1.0, vxy * vxy / (vx * vy)), np.nan)
        adjusted = 1.0 - (1.0 - r2) * (n - 1) / (n - 2)
    level = np.log(np.where(exists[:, :1], conc[:, :1], 1.0)) + (sy - slope * sx) / n
    first = np.where(exists, time, np.nan)
    last = np.where(exists, time[:, :1], np.nan)
    span = (last - first) * np.abs(slope) / _LN2
    none = np.full(len(exists), -1)
    return Candidates(n, exists, candidate, first, last, slope, level, r2, adjusted, span, none, eligible)


def _choose(windows: Candidates, *, tolerance: float, compete: str) -> Integers:
    falls = windows.candidate & (windows.slope < 0)
    competing = falls if compete == "negative_only" else windows.candidate
    best = np.where(competing, windows.adj_r2, -np.inf).max(axis=1, initial=-np.inf)
    near = falls & (windows.adj_r2 > best[:, None] - tolerance)
    longest = near.shape[1] - 1 - near[:, ::-1].argmax(axis=1)
    answer: Integers = np.where(near.any(axis=1), longest, -1)
    return answer


def _with_choice(windows: Candidates, chosen: Integers) -> Candidates:
    fields = {name: getattr(windows, name) for name in Candidates.__dataclass_fields__}
    return Candidates(**{**fields, "chosen": chosen})


def _terminal(series: Series, found: Points, windows: Candidates, min_points: int) -> Terminal:
    chosen = windows.chosen
    row, column, some = np.arange(len(chosen)), np.maximum(chosen, 0), chosen >= 0

    def pick(values: Floats) -> Floats:
        answer: Floats = np.where(some, values[row, column], np.nan)
        return answer

    slope = -pick(windows.slope)
    first = pick(windows.first)
    count = windows.exists.sum(axis=1)
    flat = (count >= min_points) & ~windows.candidate.any(axis=1)
    choices = [
        (some, ""),
        (series.n_collected == 0, "NO_SAMPLES"),
        (np.isnan(found.tlast) | (series.n_quantified == 0), "ALL_BLQ"),
        (count < min_points, "TOO_FEW_POINTS"),
        (flat, "FLAT_TAIL"),
    ]
    reason = np.select([f for f, _ in choices], [t for _, t in choices], "NO_NEGATIVE_SLOPE")
    return Terminal(
        slope,
        _LN2 / slope,
        np.exp(pick(windows.level)),
        pick(windows.r2),
        pick(windows.adj_r2),
        pick(windows.span),
        first,
        pick(windows.last),
        np.where(some, column + 1.0, np.nan),
        reason,
        windows.eligible & (series.time >= first[:, None]),
        windows,
    )


@dataclass(frozen=True, eq=False)
class TwoPhase:
    """Half-lives of an early and a late phase of each profile.

    Attributes
    ----------
    early, late, break_time : ndarray of float, shape (k,)
        NaN where a phase has fewer than three points or does not fall.
    early_reason, late_reason : ndarray of str, shape (k,)
        TOO_FEW_POINTS, NO_NEGATIVE_SLOPE; empty otherwise.
    """

    early: Floats
    late: Floats
    break_time: Floats
    early_reason: Texts
    late_reason: Texts


def two_phase(series: Series, found: Points, *, break_time: float | None) -> TwoPhase:
    """Return the half-lives before and after a break.

    Parameters
    ----------
    series, found : Series, Points
        Profiles and their point parameters.
    break_time : float or None
        End of the early phase, which starts at Tmax; None takes the sample that leaves the smallest sum of squares.

    Returns
    -------
    TwoPhase
        Each phase needs three points.

    Raises
    ------
    None
    """
    usable = series.valid & (series.conc > 0) & (series.time >= found.tmax[:, None])
    if break_time is not None:
        moment = np.full(len(found.tmax), float(break_time))
    else:
        moment = _best_break(series, usable)
    early = _line(series, usable & (series.time <= moment[:, None]))
    late = _line(series, usable & (series.time > moment[:, None]))
    sides = [_half_life(*side) for side in (early, late)]
    return TwoPhase(sides[0][0], sides[1][0], moment, sides[0][1], sides[1][1])


def _best_break(series: Series, usable: Flags) -> Floats:
    best, moment = np.full(len(usable), np.inf), np.full(len(usable), np.nan)
    for column in range(usable.shape[1]):
        time = series.time[:, column][:, None]
        early, late = (
            _line(series, usable & (series.time <= time)),
            _line(series, usable & (series.time > time)),
        )
        total = np.where((early[1] >= 3) & (late[1] >= 3), early[2] + late[2], np.inf)
        better = total < best
        best, moment = np.where(better, total, best), np.where(better, time[:, 0], moment)
    return moment


def _line(series: Series, use: Flags) -> tuple[Floats, Integers, Floats]:
    """Return slope, number of points and residual sum of squares of ln concentration on time."""
    n = use.sum(axis=1)
    safe = np.maximum(n, 1)
    x = np.where(use, series.time, 0.0)
    y = np.log(np.where(use, series.conc, 1.0))
    dx = np.where(use, x - (x.sum(axis=1) / safe)[:, None], 0.0)
    dy = np.where(use, y - (y.sum(axis=1) / safe)[:, None], 0.0)
    sxx = (dx * dx).sum(axis=1)
    slope = np.where(sxx > 0, (dx * dy).sum(axis=1) / np.where(sxx > 0, sxx, 1.0), np.nan)
    rest = np.where(use, dy - slope[:, None] * dx, 0.0)
    return slope, n, (rest**2).sum(axis=1)


def _half_life(slope: Floats, n: Integers, _rest: Floats) -> tuple[Floats, Texts]:
    falls = (n >= 3) & (slope < 0)
    half = np.where(falls, _LN2 / np.where(falls, -slope, 1.0), np.nan)
    return half, np.select([falls, n < 3], ["", "TOO_FEW_POINTS"], "NO_NEGATIVE_SLOPE")
