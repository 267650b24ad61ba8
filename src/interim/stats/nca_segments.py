"""Windows between doses: what belongs to each, the boundary samples, and carry-over from an earlier product."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Flags, Floats, Texts
from interim.stats.nca_profile import Profiles, at, last_true, profiles


@dataclass(frozen=True, eq=False)
class Window:
    """The samples of one window of each profile, on the clock of the window.

    Attributes
    ----------
    samples : Profiles
        Times from the start of the window; a carried boundary sample is a row of its own with the place of its original,
        a computed one has place -1.
    carried : ndarray of bool, shape (k, m)
        Which samples are copies that were moved to, or computed at, a boundary.
    opening, closing : ndarray of str, shape (k,)
        The boundary sample: EXACT, CARRIED, EXTRAPOLATED, MISSING; NONE where there is no dose.
    """

    samples: Profiles
    carried: Flags
    opening: Texts
    closing: Texts


def window(
    samples: Profiles,
    start: ArrayLike,
    end: ArrayLike,
    *,
    max_shift: tuple[ArrayLike, ArrayLike] = (0.0, 0.0),
    values: tuple[Floats | None, Floats | None] = (None, None),
    dosed: tuple[bool, bool] = (False, False),
) -> Window:
    """Return the samples of a window from a start up to an end, both included.

    Parameters
    ----------
    samples : Profiles
        Samples on one clock.
    start, end : array_like of float, shape (k,) or one number
        Ends of the window; ``end`` may be infinite.
    max_shift : tuple of two array_like of float
        How long before its start, and its end, a sample is still accepted and carried to it.
    values : tuple of two (ndarray of float, shape (k,) or None)
        Concentrations computed for a start, and an end, that has no sample; NaN or None leave it missing.
    dosed : tuple of two bool
        Whether a dose was given at the start after an earlier window, and at the end.

    Returns
    -------
    Window
        There is no interpolation across a dose.

    Raises
    ------
    None

    Examples
    --------
    >>> from interim.stats.nca_profile import profiles
    >>> one = profiles([0] * 4, [0, 5, 13.5, 15], value=[1, 9, 4, 8])
    >>> first = window(one, 0, 14, max_shift=(0, 0.7), dosed=(False, True))
    >>> first.samples.time.tolist(), first.closing.tolist()
    ([[0.0, 5.0, 13.5, 14.0]], ['CARRIED'])
    """
    rows = samples.time.shape[0]
    starts, ends = (np.broadcast_to(np.asarray(v, dtype=np.float64), (rows,)) for v in (start, end))
    inside = samples.valid & (samples.time >= starts[:, None]) & (samples.time <= ends[:, None])
    row, column = np.nonzero(inside)
    cells = (row, column)
    parts = [
        _Rows(
            row,
            samples.time[cells],
            samples.value[cells],
            samples.lloq[cells],
            samples.detected[cells],
            samples.place[cells],
            np.zeros(len(row), dtype=bool),
        )
    ]
    states = []
    for moment, shift, value, dose in zip((starts, ends), max_shift, values, dosed, strict=True):
        if dose:
            state, extra = _boundary(samples, moment, shift, value)
            parts.append(extra)
        else:
            state = np.full(rows, "NONE")
        states.append(state)
    joined = _Rows(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in _Rows.__dataclass_fields__)
    )
    return _arranged(joined, starts, states=(states[0], states[1]))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Samples in long form."""

    row: np.ndarray[tuple[int], np.dtype[np.int64]]
    time: Floats
    value: Floats
    lloq: Floats
    detected: Flags
    place: np.ndarray[tuple[int], np.dtype[np.int64]]
    carried: Flags


def _boundary(
    samples: Profiles, moment: Floats, shift: ArrayLike, value: Floats | None
) -> tuple[Texts, _Rows]:
    """Return how the boundary is known, and the row to add where it is carried or computed."""
    exact = (samples.valid & (samples.time == moment[:, None])).any(axis=1)
    earliest = (moment - np.asarray(shift, dtype=np.float64))[:, None]
    near = samples.valid & (samples.time >= earliest) & (samples.time < moment[:, None])
    carried = near.any(axis=1) & ~exact
    given = np.full(len(moment), np.nan) if value is None else value
    computed = ~exact & ~carried & np.isfinite(given) & np.isfinite(moment)
    state = np.select([exact, carried, computed], ["EXACT", "CARRIED", "EXTRAPOLATED"], "MISSING")
    column = last_true(near)
    row = np.flatnonzero(carried | computed)
    last = np.maximum(column[row], 0)
    moved = carried[row]
    limit = at(samples.lloq, last_true(samples.valid))[row]
    added = _Rows(
        row,
        moment[row],
        np.where(moved, samples.value[row, last], given[row]),
        np.where(moved, samples.lloq[row, last], limit),
        np.where(moved, samples.detected[row, last], True),
        np.where(moved, samples.place[row, last], -1),
        np.ones(len(row), dtype=bool),
    )
    return state, added


def _arranged(rows: _Rows, starts: Floats, *, states: tuple[Texts, Texts]) -> Window:
    time = rows.time - starts[rows.row]
    made = profiles(
        rows.row, time, value=rows.value, lloq=rows.lloq, detected=rows.detected, size=len(starts)
    )
    if not len(rows.row):
        return Window(made, made.detected, *states)
    index = np.maximum(made.place, 0)
    place = np.where(made.valid, rows.place[index], -1)
    return Window(replace(made, place=place), made.valid & rows.carried[index], *states)


def boundary_from_slope(level: Floats, slope: Floats, *, gap: Floats) -> Floats:
    """Return the concentration that a terminal slope gives at a boundary.

    Parameters
    ----------
    level : ndarray of float, shape (k,)
        Fitted concentration at the last point.
    slope : ndarray of float, shape (k,)
        Terminal slope of the window before the boundary.
    gap : ndarray of float, shape (k,)
        Time from the last point to the boundary.

    Returns
    -------
    ndarray of float, shape (k,)
        NaN where there is no slope.

    Raises
    ------
    None
    """
    answer: Floats = level * np.exp(-slope * gap)
    return answer


def subtract_exponential(samples: Profiles, level: Floats, *, slope: Floats) -> Profiles:
    """Subtract what an earlier product would have left, falling exponentially from time 0.

    Parameters
    ----------
    samples : Profiles
        Samples on the clock of the later product.
    level : ndarray of float, shape (k,)
        Level of the earlier product at time 0.
    slope : ndarray of float, shape (k,)
        Its terminal slope; NaN leaves the profile as it is.

    Returns
    -------
    Profiles
        From time 0 on; a difference below the quantification limit counts as below it, one that equals it is quantified.

    Raises
    ------
    None
    """
    rest = level[:, None] * np.exp(-slope[:, None] * samples.time)
    after = samples.valid & (samples.time >= 0) & np.isfinite(rest)
    less = np.where(after, samples.value - rest, samples.value)
    return replace(samples, value=np.where(after & ((less < samples.lloq) | (less <= 0)), np.nan, less))


def accumulation(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the ratio of a second to a first cycle.

    Parameters
    ----------
    first, second : array_like of float, shape (k,)
        The same parameter over equal lengths.

    Returns
    -------
    ndarray of float, shape (k,)
        NaN where either is missing or the first is not positive.

    Raises
    ------
    None

    Examples
    --------
    >>> accumulation([2.0, 0.0], [3.0, 1.0]).tolist()
    [1.5, nan]
    """
    below, above = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    answer: Floats = np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
    return answer
