"""Covariates made ready for a fit: centred, scaled, neither constant nor dependent; with the risk sets of a sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Floats
from interim.stats.inputs import check_events, check_groups, check_matrix, check_same_length, check_times
from interim.stats.riskset import RiskSets

_CONSTANT, _DEPENDENT = 1e-12, 1e-9


def scaled_columns(matrix: Floats) -> tuple[Floats, Floats, Floats]:
    """Return centred and scaled columns.

    Parameters
    ----------
    matrix : ndarray of float, shape (n, p)
        Checked covariates.

    Returns
    -------
    tuple of ndarray
        The columns with mean 0 and standard deviation 1, the means, the standard deviations.

    Raises
    ------
    ValueError
        If a column is constant or the columns are linearly dependent.
    """
    if not len(matrix):
        return matrix, np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
    middle = np.add.reduce(matrix) / len(matrix)
    centred = matrix - middle
    scale = np.sqrt(np.add.reduce(centred * centred) / len(matrix))
    flat = scale <= _CONSTANT * np.maximum(1.0, np.abs(middle))
    if np.count_nonzero(flat):
        raise ValueError(f"X must not be constant; column {int(np.argmax(flat))} is")
    scaled = centred / scale
    if matrix.shape[1] > 1 and np.linalg.matrix_rank(scaled, tol=_DEPENDENT) < matrix.shape[1]:
        raise ValueError("X must not be linearly dependent; drop a column")
    return scaled, middle, scale


def risk_sets(
    time: ArrayLike, event: ArrayLike, *, X: ArrayLike, strata: ArrayLike | None
) -> tuple[RiskSets, Floats]:
    """Return the risk sets of a sample with scaled covariates, and the scales.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    X : array_like of float, shape (n,) or (n, p)
        Covariates.
    strata : array_like of int, shape (n,), or None
        Strata.

    Returns
    -------
    tuple of (RiskSets, ndarray of float)
        Risk sets; standard deviations of the covariates.

    Raises
    ------
    ValueError
        If an input is illegal, or X is constant or rank-deficient.
    """
    times, events = check_times(time, "time"), check_events(event, "event")
    check_same_length(times, events, ("time", "event"))
    scaled, _, scale = scaled_columns(check_matrix(X, "X", rows=len(times)))
    layers = None if strata is None else check_groups(strata, "strata", rows=len(times))
    return RiskSets.of(times, events, x=scaled, strata=layers), scale
