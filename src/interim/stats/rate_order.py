"""Which of two rates is larger, under independent beta posteriors."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln


def probability_larger(x: tuple[int, int], n: tuple[int, int], *, prior: tuple[int, int] = (1, 1)) -> float:
    """Return the posterior probability that the first rate is larger than the second.

    Parameters
    ----------
    x, n : tuple of int
        Events and participants of the first and of the second group; a group without participants is legal.
    prior : tuple of int
        Whole parameters of the beta prior of both rates, >= 1.

    Returns
    -------
    float
        P(first > second), exact.

    Raises
    ------
    ValueError
        If a count is illegal.

    Notes
    -----
    With whole parameters the tail of the beta law is a finite sum.

    Examples
    --------
    >>> probability_larger((0, 0), (0, 0))
    0.5
    >>> round(probability_larger((1, 0), (1, 1)), 6)
    0.833333
    """
    for events, size in zip(x, n, strict=True):
        if not 0 <= events <= size:
            raise ValueError(f"x must be within 0 to n; found {events} of {size}")
    (a1, a2), (b1, b2) = (
        tuple(prior[0] + e for e in x),
        tuple(prior[1] + m - e for e, m in zip(x, n, strict=True)),
    )
    i = np.arange(a1)
    logs = betaln(a2 + i, b1 + b2) - np.log(b1 + i) - betaln(1.0 + i, b1) - betaln(a2, b2)
    return float(np.exp(logs).sum())
