"""Checks of what is handed to a statistic: illegal input is refused with its name, place and value."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interim.stats.answers import Flags, Floats, Integers


def check_numbers(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return values as a numeric array without converting text, dates or masked entries.

    Parameters
    ----------
    values : array_like, scalar or shape (k,)
        Integers, floats or booleans; an object array may hold Python numbers.
    name : str
        Name of the argument in messages.

    Returns
    -------
    ndarray
        Shape () or (k,), boolean, integer or float; a missing or masked entry is NaN.

    Raises
    ------
    ValueError
        If an entry is no number or there is more than one dimension.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be one list of numbers; its entries have different lengths") from None
    if array.ndim > 1:
        raise ValueError(f"{name} must be a number or one-dimensional; it has shape {array.shape}")
    if array.dtype.kind == "O":
        _refuse(_not_numeric(array), array, name, "a number")
        return array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        _refuse(np.ones(array.shape, dtype=bool), array, name, f"a number, not {array.dtype}")
        return np.empty(0)
    return array


def check_counts(values: ArrayLike, name: str, *, least: int) -> Floats:
    """Return counts as floats.

    Parameters
    ----------
    values : array_like, scalar or shape (k,)
        Whole numbers.
    name : str
        Name of the argument in messages.
    least : int
        Smallest legal count.

    Returns
    -------
    ndarray of float, shape () or (k,)
        The counts.

    Raises
    ------
    ValueError
        If a count is NaN, infinite, not whole or below `least`.
    """
    counts: Floats = check_numbers(values, name).astype(np.float64)
    with np.errstate(invalid="ignore"):
        wrong = ~((counts >= least) & (np.floor(counts) == counts) & (counts < math.inf))
    if np.any(wrong):
        _refuse(wrong, counts, name, f"a whole number >= {least}")
    return counts


def check_same_length(first: NDArray[Any], second: NDArray[Any], names: tuple[str, str]) -> None:
    """Refuse two arrays of different length; a scalar goes with any length.

    Parameters
    ----------
    first, second : ndarray, shape () or (k,)
        The arrays.
    names : tuple of str
        Their names in messages.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    if first.ndim and second.ndim and len(first) != len(second):
        at = min(len(first), len(second))
        longer, values = (names[0], first) if len(first) > at else (names[1], second)
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same length; they have {len(first)} and {len(second)}, "
            f"and {longer}[{at}] = {values[at]} has no partner"
        )


def check_times(values: ArrayLike, name: str) -> Floats:
    """Return times as floats.

    Parameters
    ----------
    values : array_like, shape (k,)
        Times since the start, any one unit.
    name : str
        Name of the argument in messages.

    Returns
    -------
    ndarray of float, shape (k,)
        The times.

    Raises
    ------
    ValueError
        If a time is NaN, infinite or negative, or there is only a scalar.
    """
    times: Floats = check_numbers(values, name).astype(np.float64, copy=False)
    if times.ndim == 0:
        raise ValueError(f"{name} must be one-dimensional; it is the single number {times}")
    if len(times) and not (np.minimum.reduce(times) >= 0 and np.maximum.reduce(times) < math.inf):
        _refuse(~((times >= 0) & (times < math.inf)), times, name, "finite and >= 0")
    return times


def check_events(values: ArrayLike, name: str) -> Flags:
    """Return event indicators as booleans.

    Parameters
    ----------
    values : array_like, shape (k,)
        1 or True = event, 0 or False = censored.
    name : str
        Name of the argument in messages.

    Returns
    -------
    ndarray of bool, shape (k,)
        True where there was an event.

    Raises
    ------
    ValueError
        If an entry is neither 0 nor 1, or there is only a scalar.
    """
    array = check_numbers(values, name)
    if array.ndim == 0:
        raise ValueError(f"{name} must be one-dimensional; it is the single number {array}")
    if array.dtype == np.bool_:
        return array
    events: Flags = array == 1
    if np.count_nonzero(events) + np.count_nonzero(array == 0) != len(array):
        wrong = ~(events | (array == 0))
        _refuse(wrong, array, name, "0 (censored) or 1 (event), other codings are not guessed")
    return events


def check_between(value: float, name: str, *, low: float, high: float, closed: bool = False) -> float:
    """Return a number that lies between two bounds.

    Parameters
    ----------
    value : float
        The number.
    name : str
        Name of the argument in messages.
    low, high : float
        The bounds.
    closed : bool
        True if the bounds themselves are legal; an infinite bound never is.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ValueError
        If it is no single number, NaN, or not between the bounds.
    """
    array = check_numbers(value, name)
    if array.ndim:
        raise ValueError(f"{name} must be a single number; it has shape {array.shape}")
    number = float(array)
    inside = low <= number <= high if closed else low < number < high
    if not inside or math.isinf(number):
        bounds = f"[{low:g}, {high:g}]" if closed else f"({low:g}, {high:g})"
        raise ValueError(f"{name} must lie in {bounds}; it is {number}")
    return number


def check_choice(value: str, name: str, choices: Collection[str]) -> None:
    """Refuse an unknown name.

    Parameters
    ----------
    value : str
        The name.
    name : str
        Name of the argument in messages.
    choices : collection of str
        The known names.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If the name is not among the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; it is {value!r}")


def _not_numeric(array: NDArray[Any]) -> Flags:
    return np.array(
        [not (value is None or isinstance(value, (Real, np.bool_))) for value in array.ravel()], dtype=bool
    )


def _refuse(wrong: NDArray[Any], values: NDArray[Any], name: str, expected: str) -> None:
    """Raise for the first wrong entry, if there is any."""
    places = np.flatnonzero(wrong)
    if len(places):
        place = f"{name}[{places[0]}]" if values.ndim else name
        found = values.ravel()[places[0] : places[0] + 1].tolist()[0]
        raise ValueError(f"{name} must be {expected}; {place} is {found!r}")


def check_pair(x: ArrayLike, n: ArrayLike) -> tuple[int, int, int, int]:
    """Return the counts of two groups as whole numbers.

    Parameters
    ----------
    x, n : array_like of int, shape (2,)
        Events and participants; the first group is the one whose rate stands first.

    Returns
    -------
    tuple of int
        x1, x0, n1, n0.

    Raises
    ------
    ValueError
        If there are not two groups, a count is not whole, n < 1 or x > n.
    """
    counts, sizes = check_counts(x, "x", least=0), check_counts(n, "n", least=1)
    if counts.shape != (2,) or sizes.shape != (2,):
        raise ValueError(
            f"x and n must hold two groups (first, second); they have shapes {counts.shape} and {sizes.shape}"
        )
    if np.any(counts > sizes):
        place = int(np.argmax(counts > sizes))
        raise ValueError(
            f"x must be <= n; x[{place}] is {counts[place]:g} and n[{place}] is {sizes[place]:g}"
        )
    return int(counts[0]), int(counts[1]), int(sizes[0]), int(sizes[1])


def check_matrix(values: ArrayLike, name: str, *, rows: int) -> Floats:
    """Return covariates as a matrix of floats.

    Parameters
    ----------
    values : array_like, shape (n,) or (n, p)
        One column per covariate.
    name : str
        Name of the argument in messages.
    rows : int
        Number of rows that it must have.

    Returns
    -------
    ndarray of float, shape (n, p)
        The matrix.

    Raises
    ------
    ValueError
        If the shape is wrong, or an entry is NaN or infinite.
    """
    matrix = np.asarray(values, dtype=np.float64)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or len(matrix) != rows:
        raise ValueError(f"{name} must have {rows} rows, one per participant; its shape is {matrix.shape}")
    finite = np.isfinite(matrix)
    if np.count_nonzero(finite) < matrix.size:
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{name} must be finite; {name}[{row}, {column}] is {matrix[row, column]}")
    return matrix


def check_groups(values: ArrayLike, name: str, *, rows: int, binary: bool = False) -> Integers:
    """Return group labels as codes 0, 1, ... in the order of the sorted labels.

    Parameters
    ----------
    values : array_like, shape (n,)
        Labels: whole numbers or truth values.
    name : str
        Name of the argument in messages.
    rows : int
        Number of entries that it must have.
    binary : bool
        Whether only 0 and 1 are permitted.

    Returns
    -------
    ndarray of int, shape (n,)
        Codes.

    Raises
    ------
    ValueError
        If a label is missing or not whole, the length differs, or a label other than 0 and 1 is found with binary.
    """
    labels = check_numbers(values, name)
    if labels.shape != (rows,):
        raise ValueError(f"{name} must have one label per participant ({rows}); its shape is {labels.shape}")
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (labels == np.floor(labels))
        if not whole.all():
            _refuse(~whole, labels, name, "0 or 1" if binary else "a whole number")
    codes: Integers = labels.astype(np.int64)
    if not rows:
        return codes
    low, high = int(np.minimum.reduce(codes)), int(np.maximum.reduce(codes))
    if binary and (low < 0 or high > 1):
        _refuse((codes < 0) | (codes > 1), labels.astype(np.float64), name, "0 or 1")
    return codes if binary else _in_order(codes, low, high)


def _in_order(codes: Integers, low: int, high: int) -> Integers:
    """Number the labels by rank; a small range is counted, a wide one sorted."""
    if high - low <= 1:
        return codes - low
    if high - low > 4 * len(codes) + 64:
        ranks: Integers = np.unique(codes, return_inverse=True)[1].astype(np.int64)
        return ranks
    used = np.bincount(codes - low, minlength=high - low + 1) > 0
    return (np.cumsum(used) - 1)[codes - low]
