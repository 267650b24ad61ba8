"""Priors of the borrowing models, the fineness of their quadrature, and the checks of what is handed to them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Floats
from interim.stats.inputs import check_between, check_counts, check_numbers, check_same_length


@dataclass(frozen=True)
class HierarchicalPrior:
    """Normal common mean, half-normal spread, both on the logit scale.

    Attributes
    ----------
    mu_mean, mu_sd : float
        Mean and standard deviation (> 0) of the common mean.
    tau_scale : float
        Scale of the half-normal spread, > 0.
    """

    mu_mean: float = 0.0
    mu_sd: float = 2.0
    tau_scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a mean that is not finite and scales that are not positive."""
        check_between(self.mu_mean, "mu_mean", low=-math.inf, high=math.inf)
        check_between(self.mu_sd, "mu_sd", low=0.0, high=math.inf)
        check_between(self.tau_scale, "tau_scale", low=0.0, high=math.inf)


@dataclass(frozen=True)
class ExnexPrior:
    """With probability ``weight`` exchangeable with the others, else a prior of one's own.

    Attributes
    ----------
    weight : float or tuple of float
        Prior probability of exchangeability, 0 to 1; one for all or one per basket.
    nex_mean, nex_sd : float
        Normal prior of a basket that is not exchangeable.
    shared : HierarchicalPrior
        Prior of the exchangeable ones.
    """

    weight: float | tuple[float, ...] = 0.5
    nex_mean: float = 0.0
    nex_sd: float = 2.5
    shared: HierarchicalPrior = field(default_factory=HierarchicalPrior)

    def __post_init__(self) -> None:
        """Refuse weights outside 0 to 1 and a standard deviation that is not positive."""
        for weight in np.atleast_1d(self.weight):
            check_between(float(weight), "weight", low=0.0, high=1.0, closed=True)
        check_between(self.nex_mean, "nex_mean", low=-math.inf, high=math.inf)
        check_between(self.nex_sd, "nex_sd", low=0.0, high=math.inf)


@dataclass(frozen=True)
class PartitionPrior:
    """Beta prior of each block of equal rates; a partition weighs (number of blocks) to the power given.

    Attributes
    ----------
    a, b : float
        Beta prior of a block, > 0.
    block_power : float
        Power of the number of blocks, >= 0.
    """

    a: float = 0.5
    b: float = 0.5
    block_power: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shapes that are not positive and a negative power."""
        check_between(self.a, "a", low=0.0, high=math.inf)
        check_between(self.b, "b", low=0.0, high=math.inf)
        check_between(self.block_power, "block_power", low=0.0, high=1e6, closed=True)


@dataclass(frozen=True)
class Grid:
    """Fineness of the quadrature over common mean and spread.

    Attributes
    ----------
    n_tau : int
        Gauss-Legendre nodes of the spread.
    panel_width : float
        Usual width of a panel of the common mean.
    panel_nodes : int
        Nodes per panel.
    """

    n_tau: int = 40
    panel_width: float = 0.6
    panel_nodes: int = 8

    @classmethod
    def fine(cls) -> Grid:
        """Return the default.

        Returns
        -------
        Grid
            40 nodes of the spread, panels of 0.6 with 8 nodes.

        Raises
        ------
        None
        """
        return cls()

    @classmethod
    def normal(cls) -> Grid:
        """Return the grid for tables over all outcomes.

        Returns
        -------
        Grid
            24 nodes of the spread, panels of 0.8 with 6 nodes.

        Raises
        ------
        None
        """
        return cls(24, 0.8, 6)

    @classmethod
    def coarse(cls) -> Grid:
        """Return the grid for quick looks.

        Returns
        -------
        Grid
            18 nodes of the spread, panels of 1.2 with 6 nodes.

        Raises
        ------
        None
        """
        return cls(18, 1.2, 6)


def checked_baskets(r: ArrayLike, n: ArrayLike, p0: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return responses, participants and null rates as arrays of one length.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants per basket; an empty basket is legal.
    p0 : float or array_like of float, shape (k,)
        Null rates, 0 to 1.

    Returns
    -------
    tuple of ndarray
        Responses, participants, null rates.

    Raises
    ------
    ValueError
        If there is no basket, r > n, a count is not whole or negative, or a rate is not between 0 and 1.
    """
    counts = np.atleast_1d(check_counts(r, "r", least=0))
    sizes = np.atleast_1d(check_counts(n, "n", least=0))
    if not len(sizes):
        raise ValueError("at least one basket is needed; n is empty")
    counts, sizes = np.broadcast_arrays(counts, sizes) if len(counts) == 1 else (counts, sizes)
    check_same_length(counts, sizes, ("r", "n"))
    if np.any(counts > sizes):
        place = int(np.argmax(counts > sizes))
        raise ValueError(
            f"r must be <= n; r[{place}] is {counts[place]:g} and n[{place}] is {sizes[place]:g}"
        )
    return counts, sizes, checked_rates(p0, "p0", size=len(sizes))


def checked_rates(values: ArrayLike, name: str, *, size: int) -> Floats:
    """Return rates strictly between 0 and 1, one per basket.

    Parameters
    ----------
    values : float or array_like of float
        One for all baskets, or one per basket.
    name : str
        Name of the argument in messages.
    size : int
        Number of baskets.

    Returns
    -------
    ndarray of float, shape (size,)
        The rates.

    Raises
    ------
    ValueError
        If there are as many rates as neither 1 nor `size`, or one is not between 0 and 1.
    """
    rates: Floats = np.atleast_1d(check_numbers(values, name)).astype(np.float64)
    if len(rates) not in (1, size):
        raise ValueError(f"{name} must hold one rate or {size}; it holds {len(rates)}")
    for place, rate in enumerate(rates):
        check_between(float(rate), f"{name}[{place}]", low=0.0, high=1.0)
    return np.broadcast_to(rates, (size,)).copy()
