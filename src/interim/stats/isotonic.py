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
    size = y.shape[-1]
    total = np.concatenate([np.zeros_like(w[..., :1]), np.cumsum(w, axis=-1)], axis=-1)
    product = np.where(w > 0, w * y, 0.0)
    summed = np.concatenate([np.zeros_like(w[..., :1]), np.cumsum(product, axis=-1)], axis=-1)
    fit = np.full(y.shape, np.nan)
    for i in range(size):
        best = np.full(y.shape[:-1], -np.inf)
        for a in range(i + 1):
            weight = total[..., i + 1 :] - total[..., a : a + 1]
            with np.errstate(invalid="ignore", divide="ignore"):
                means = (summed[..., i + 1 :] - summed[..., a : a + 1]) / weight
            best = np.maximum(best, means.min(axis=-1))
        fit[..., i] = np.where(w[..., i] > 0, best, np.nan)
    return fit
