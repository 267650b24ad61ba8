"""Event rates: exact Poisson limits of a rate per person-time (Garwood 1936)."""

from __future__ import annotations

from scipy.special import gammainccinv, gammaincinv

from interim.stats.answers import Interval


def poisson_interval(events: int, time: float, *, level: float = 0.95) -> Interval:
    """Return the exact limits of a rate.

    Parameters
    ----------
    events : int
        Number of events, >= 0.
    time : float
        Person-time, > 0; the limits are per unit of it.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Interval
        Garwood limits; the lower one is 0 without events.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437-442.

    Examples
    --------
    >>> limits = poisson_interval(10, 1.0)
    >>> round(limits.lower, 4), round(limits.upper, 4)
    (4.7954, 18.3904)
    """
    if events < 0 or not time > 0 or not 0 < level < 1:
        raise ValueError(
            f"events must be >= 0, time > 0 and level between 0 and 1, found {events!r}, {time!r}, {level!r}"
        )
    tail = (1 - level) / 2
    lower = float(gammaincinv(events, tail)) if events else 0.0
    upper = float(gammainccinv(events + 1, tail))
    return Interval(lower / time, upper / time, level, "exact Poisson (Garwood)")
