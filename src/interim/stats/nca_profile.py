"""Concentration profiles on padded matrices, and the four rules for samples below the quantification limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interim.stats.answers import Flags, Floats, Integers
from interim.stats.inputs import check_choice

BLQ_RULES = ("zero", "pknca", "pre0_post_drop", "half_lloq")
COLLECTED, ZERO, HALF_LLOQ, CARRIED = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class Profiles:
    """Collected samples of many profiles, one row per profile, in the order of time.

    Attributes
    ----------
    time : ndarray of float, shape (k, m)
        Sample times; NaN fills a row behind its last sample.
    value : ndarray of float, shape (k, m)
        Quantified values; NaN where a sample is below the quantification limit.
    lloq : ndarray of float, shape (k, m)
        Quantification limit of each sample.
    detected : ndarray of bool, shape (k, m)
        Signal seen, quantified or not.
    place : ndarray of int, shape (k, m)
        Position of the sample in the arrays that were given, -1 behind the last and for a computed one.
    """

    time: Floats
    value: Floats
    lloq: Floats
    detected: Flags
    place: Integers

    def take(self, rows: ArrayLike) -> Profiles:
        """Return some of the profiles, also several times, for example those of bootstrap samples.

        Parameters
        ----------
        rows : array_like of int, shape (n,)
            Rows.

        Returns
        -------
        Profiles
            With n rows.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        return Profiles(
            self.time[chosen],
            self.value[chosen],
            self.lloq[chosen],
            self.detected[chosen],
            self.place[chosen],
        )

    @property
    def valid(self) -> Flags:
        """Which cells hold a sample."""
        answer: Flags = ~np.isnan(self.time)
        return answer

    @property
    def quantified(self) -> Flags:
        """Which cells hold a quantified sample."""
        answer: Flags = np.isfinite(self.value)
        return answer


@dataclass(frozen=True, eq=False)
class Series:
    """Profiles after a rule for samples below the limit: every cell up to ``n`` holds a number.

    Attributes
    ----------
    time, conc : ndarray of float, shape (k, m)
        NaN behind the last sample.
    place : ndarray of int, shape (k, m)
        Position of the sample in the arrays that were given, -1 behind the last.
    origin : ndarray of int, shape (k, m)
        COLLECTED, ZERO, HALF_LLOQ or CARRIED.
    n_collected, n_quantified, n_post : ndarray of int, shape (k,)
        Samples, quantified samples and samples after time 0, before the rule.
    last_sample : ndarray of float, shape (k,)
        Time of the last sample of any state; NaN if there is none.
    """

    time: Floats
    conc: Floats
    place: Integers
    origin: Integers
    n_collected: Integers
    n_quantified: Integers
    n_post: Integers
    last_sample: Floats

    @property
    def valid(self) -> Flags:
        """Which cells hold a sample."""
        answer: Flags = ~np.isnan(self.time)
        return answer


def profiles(
    profile: ArrayLike,
    time: ArrayLike,
    *,
    value: ArrayLike,
    lloq: ArrayLike = 0.0,
    detected: ArrayLike | None = None,
    size: int | None = None,
) -> Profiles:
    """Arrange samples in long form as padded rows.

    Parameters
    ----------
    profile : array_like of int, shape (n,)
        Row of each sample, 0 to ``size`` - 1; any order.
    time, value : array_like of float, shape (n,)
        Sample time; quantified value, NaN below the quantification limit.
    lloq : array_like of float
        Quantification limit of each sample, or one for all.
    detected : array_like of bool, optional
        Signal seen; default: quantified.
    size : int, optional
        Number of rows; default: up to the largest ``profile``.

    Returns
    -------
    Profiles
        Rows sorted by time; of equal times the order given.

    Raises
    ------
    ValueError
        If a time is not finite, or a value is negative or infinite.
    """
    row = np.asarray(profile, dtype=np.int64)
    times, values = np.asarray(time, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if not np.isfinite(times).all():
        raise ValueError("time must be finite; leave out samples without a time")
    if bool(np.any(values < 0) or np.any(np.isinf(values))):
        raise ValueError(
            "value must be finite and not negative; NaN stands for below the quantification limit"
        )
    seen = ~np.isnan(values) if detected is None else np.asarray(detected, dtype=bool)
    order = np.lexsort((times, row))
    k = int(row.max(initial=-1)) + 1 if size is None else size
    counts = np.bincount(row, minlength=k)
    column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    where = (row[order], column)
    shape = (k, max(1, int(counts.max(initial=0))))
    limits = np.broadcast_to(np.asarray(lloq, dtype=np.float64), times.shape)
    return Profiles(
        _filled(shape, where, times[order], np.nan),
        _filled(shape, where, values[order], np.nan),
        _filled(shape, where, limits[order], np.nan),
        _filled(shape, where, seen[order], False),
        _filled(shape, where, order, -1),
    )


def _filled(
    shape: tuple[int, int], where: tuple[Integers, Integers], values: NDArray[np.generic], empty: float
) -> Any:
    answer = np.full(shape, empty, dtype=values.dtype)
    answer[where] = values
    return answer


def first_true(flags: Flags) -> Integers:
    """Return the first true column of each row.

    Parameters
    ----------
    flags : ndarray of bool, shape (k, m)
        Flags.

    Returns
    -------
    ndarray of int, shape (k,)
        Column; m where no flag is true.

    Raises
    ------
    None
    """
    answer: Integers = np.where(flags.any(axis=1), flags.argmax(axis=1), flags.shape[1])
    return answer


def last_true(flags: Flags) -> Integers:
    """Return the last true column of each row.

    Parameters
    ----------
    flags : ndarray of bool, shape (k, m)
        Flags.

    Returns
    -------
    ndarray of int, shape (k,)
        Column; -1 where no flag is true.

    Raises
    ------
    None
    """
    answer: Integers = flags.shape[1] - 1 - first_true(flags[:, ::-1])
    return answer


def at(values: Floats, column: Integers) -> Floats:
    """Return one value of each row.

    Parameters
    ----------
    values : ndarray of float, shape (k, m)
        Matrix.
    column : ndarray of int, shape (k,)
        Column of each row; outside 0 to m - 1 gives NaN.

    Returns
    -------
    ndarray of float, shape (k,)
        Values.

    Raises
    ------
    None
    """
    inside = (column >= 0) & (column < values.shape[1])
    picked = values[np.arange(len(values)), np.where(inside, column, 0)]
    answer: Floats = np.where(inside, picked, np.nan)
    return answer


def apply_blq_rule(samples: Profiles, rule: str) -> Series:
    """Give every sample below the quantification limit a value, or drop it.

    Parameters
    ----------
    samples : Profiles
        Collected samples.
    rule : {"zero", "pknca", "pre0_post_drop", "half_lloq"}
        Leading, embedded (between the first and the last quantified sample) and trailing samples: 0, 0, 0; 0, dropped, 0;
        0 up to the first maximum and dropped after it; 0, LLOQ/2, LLOQ/2.

    Returns
    -------
    Series
        Compacted to the left. Without any quantified sample every sample is 0, or LLOQ/2 under ``half_lloq``; a sample whose
        limit is not known (NaN) is 0 under every rule.

    Raises
    ------
    ValueError
        If the rule is unknown.

    Examples
    --------
    >>> one = profiles([0, 0, 0], [0, 1, 2], value=[float("nan"), 8, float("nan")], lloq=4)
    >>> apply_blq_rule(one, "half_lloq").conc.tolist()
    [[0.0, 8.0, 2.0]]
    """
    check_choice(rule, "rule", BLQ_RULES)
    quant, valid = samples.quantified, samples.valid
    below = valid & ~quant
    column = np.arange(valid.shape[1])[None, :]
    first, last = first_true(quant), last_true(quant)
    none = (last < 0)[:, None]
    conc = np.where(below, 0.0, samples.value)
    origin = np.where(below, ZERO, COLLECTED).astype(np.int64)
    keep = valid
    if rule == "half_lloq":
        half = below & ((column >= first[:, None]) | none)
        half = half & ~np.isnan(samples.lloq)
        conc, origin = np.where(half, samples.lloq / 2.0, conc), np.where(half, HALF_LLOQ, origin)
    elif rule == "pknca":
        keep = valid & ~(below & (column > first[:, None]) & (column < last[:, None]))
    elif rule == "pre0_post_drop":
        top = np.where(quant, samples.value, -np.inf).argmax(axis=1)[:, None]
        keep = valid & ~(below & (column > top) & ~none)
    last_sample = at(samples.time, last_true(valid))
    return _compact(samples, conc, origin, keep=keep, last_sample=last_sample)


def _compact(
    samples: Profiles, conc: Floats, origin: Integers, *, keep: Flags, last_sample: Floats
) -> Series:
    """Move the kept cells of each row to its left."""
    post = samples.valid & (samples.time > 0)
    counts = (samples.valid.sum(axis=1), samples.quantified.sum(axis=1), post.sum(axis=1))
    if bool(np.array_equal(keep, samples.valid)):
        return Series(samples.time, conc, samples.place, origin, *counts, last_sample)
    order = np.argsort(~keep, axis=1, kind="stable")
    kept = np.take_along_axis(keep, order, axis=1)
    time = np.where(kept, np.take_along_axis(samples.time, order, axis=1), np.nan)
    moved = np.where(kept, np.take_along_axis(conc, order, axis=1), np.nan)
    place = np.where(kept, np.take_along_axis(samples.place, order, axis=1), -1)
    return Series(time, moved, place, np.take_along_axis(origin, order, axis=1), *counts, last_sample)
