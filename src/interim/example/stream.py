"""Random streams that depend on their name only, and the few distributions that the parameters use."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from math import exp, log

import numpy as np
from scipy.special import ndtr, ndtri


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """Return the random stream of one purpose.

    Parameters
    ----------
    seed : int
        Seed of the study, >= 0.
    *name : str or int
        Preset, participant, domain: streams of different names are independent, and one more name changes no other.

    Returns
    -------
    numpy.random.Generator
        At its start.

    Raises
    ------
    None

    Examples
    --------
    >>> stream(1, "main13", 2, "LB").integers(100) == stream(1, "main13", 2, "LB").integers(100)
    np.True_
    """
    words = [zlib.crc32(str(part).encode()) for part in name]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def lognormal(rng: np.random.Generator, median: float, gsd: float, *, score: float | None = None) -> float:
    """Draw from a lognormal distribution.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.
    median, gsd : float
        Median and geometric standard deviation, > 0.
    score : float, optional
        Standard normal score to use instead of a draw.

    Returns
    -------
    float
        The value.

    Raises
    ------
    None
    """
    z = rng.standard_normal() if score is None else score
    return median * exp(z * log(gsd))


def bounded_normal(rng: np.random.Generator, mean: float, sd: float, *, lo: float, hi: float) -> float:
    """Draw from a normal distribution truncated to an interval.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.
    mean, sd : float
        Of the normal distribution before truncation.
    lo, hi : float
        Ends of the interval.

    Returns
    -------
    float
        The value.

    Raises
    ------
    None
    """
    low, high = ndtr((lo - mean) / sd), ndtr((hi - mean) / sd)
    return float(mean + sd * ndtri(low + rng.random() * (high - low)))


def choose(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """Draw a category.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.
    shares : mapping of str to float
        Category to share; need not add to 1.

    Returns
    -------
    str
        The category.

    Raises
    ------
    None
    """
    weights = np.cumsum(list(shares.values()))
    return list(shares)[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]


def weibull_after(
    rng: np.random.Generator, median: float, shape: float, *, after: float = 0.0, score: float | None = None
) -> float:
    """Draw a Weibull time, given that it is later than a time.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.
    median, shape : float
        Of the unconditional distribution.
    after : float
        The time is greater than this, >= 0.
    score : float, optional
        Standard normal score to use instead of a draw.

    Returns
    -------
    float
        The time, unit of the median.

    Raises
    ------
    None
    """
    scale = median / log(2) ** (1 / shape)
    survival = 1 - float(ndtr(rng.standard_normal() if score is None else score))
    return float(scale * ((after / scale) ** shape - log(max(survival, 1e-12))) ** (1 / shape))
