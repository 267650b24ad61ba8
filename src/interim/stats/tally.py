"""Participants counted by class at each distinct time: what every curve and every comparison of times starts from."""

from __future__ import annotations

import numpy as np

from interim.stats.answers import Floats, Integers

_ROOM = 8


def tally(times: Floats, classes: Integers, *, k: int) -> tuple[Floats, Integers]:
    """Return the distinct times and how many participants of each class have them.

    Parameters
    ----------
    times : ndarray of float, shape (n,)
        Checked times, n >= 1.
    classes : ndarray of int, shape (n,)
        Class of each participant, 0..k-1.
    k : int
        Number of classes.

    Returns
    -------
    tuple of (ndarray of float, shape (m,), ndarray of int, shape (k, m))
        Times in rising order, counts per class.

    Raises
    ------
    None

    Notes
    -----
    Whole numbers in a small range, such as days, are counted without sorting; the answer is the same.
    """
    top = np.maximum.reduce(times)
    if top < _ROOM * len(times):
        whole = times.astype(np.int64)
        if np.array_equal(whole, times):
            return _by_day(whole, classes, k, width=int(top) + 1)
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    new = np.empty(len(times), dtype=np.bool_)
    new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    distinct = ordered[new]
    cell = classes[order] * len(distinct) + (new.cumsum() - 1)
    return distinct, np.bincount(cell, minlength=k * len(distinct)).reshape(k, len(distinct))


def _by_day(days: Integers, classes: Integers, k: int, *, width: int) -> tuple[Floats, Integers]:
    counts = np.bincount(classes * width + days, minlength=k * width).reshape(k, width)
    filled = np.flatnonzero(counts.any(axis=0))
    return filled.astype(np.float64), counts[:, filled]


def at_risk(counts: Integers) -> Integers:
    """Return how many participants have a time that is not earlier.

    Parameters
    ----------
    counts : ndarray of int, shape (..., m)
        Participants at each time, times in rising order.

    Returns
    -------
    ndarray of int, shape (..., m)
        Sums from each time on.

    Raises
    ------
    None
    """
    later: Integers = counts[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return later
