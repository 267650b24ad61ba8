"""Isotonic regression of short rows: the increasing sequence that fits best, for many rows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Floats


def isotonic_fit(values: ArrayLike, weights: ArrayLike) -> Floats:
    """Return the weighted least-squares fit that never decreases along the last axis.

    Parameters
    ----------
    values : array_like of float, shape (..., k)
        Observed values.
    weights : array_like of float, shape (..., k)
        Weights >= 0; a value of weight 0 is left out.

    Returns
    -------
    ndarray of float, shape (..., k)
        The fit, NaN where the weight is 0.

    Raises
    ------
    None

    Notes
    -----
    Uses the max-min formula: the fit at i is the maximum over a <= i of the minimum over b >= i of the weighted mean of
    a..b. It equals pooling adjacent violators and needs no loop over rows.

    References
    ----------
    Barlow, Bartholomew, Bremner, Brunk (1972), Statistical Inference under Order Restrictions.

    Examples
    --------
    >>> isotonic_fit([0.2, 0.1, 0.4], [1, 1, 1]).round(2).tolist()
    [0.15, 0.15, 0.4]
    """
    y, w = np.broadcast_arrays(np.asarray(values, dtype=float), np.asarray(weights, dtype=float))
    size, shape = y.shape[-1], y.shape
    columns, weight = y.reshape(-1, size).T, w.reshape(-1, size).T
    total = _from_zero(weight)
    summed = _from_zero(np.where(weight > 0, weight * columns, 0.0))
    fit = np.full(columns.shape, -np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        for a in range(size):
            smallest = np.full(columns.shape[1], np.inf)
            for b in range(size - 1, a - 1, -1):
                mean = (summed[b + 1] - summed[a]) / (total[b + 1] - total[a])
                smallest = np.minimum(smallest, mean)
                fit[b] = np.maximum(fit[b], smallest)
    return np.where(weight > 0, fit, np.nan).T.reshape(shape)


def _from_zero(columns: Floats) -> Floats:
    """Return the running sums of the columns, the first one zero."""
    return np.concatenate([np.zeros_like(columns[:1]), np.cumsum(columns, axis=0)])
