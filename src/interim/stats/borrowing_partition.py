"""Independent rates, and the average over all partitions of the baskets into blocks of equal rate."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, logsumexp

from interim.stats.answers import Floats
from interim.stats.borrowing_fit import BasketFit
from interim.stats.borrowing_laws import BetaMixture, log_ways
from interim.stats.borrowing_predict import block_law
from interim.stats.borrowing_priors import PartitionPrior, checked_baskets
from interim.stats.inputs import check_between

MOST_BASKETS = 8
Blocks = tuple[tuple[int, ...], ...]


def independent(
    r: ArrayLike,
    n: ArrayLike,
    *,
    p0: ArrayLike,
    prior: tuple[float, float] | None = None,
    level: float = 0.95,
) -> BasketFit:
    """Return rates without any borrowing.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants per basket.
    p0 : float or array_like of float
        Null rates.
    prior : tuple of float, optional
        Beta prior of every rate; Beta(p0, 1 - p0), one participant's worth at the null, if absent.
    level : float
        Level of the credible intervals.

    Returns
    -------
    BasketFit
        The posterior.

    Raises
    ------
    ValueError
        If an input is illegal.

    Examples
    --------
    >>> independent([1], [6], p0=0.05).prob_above.round(6).tolist()
    [0.757543]
    """
    counts, sizes, rates = checked_baskets(r, n, p0)
    if prior is not None:
        for value in prior:
            check_between(value, "prior", low=0.0, high=np.inf)
    a = rates if prior is None else np.full(len(rates), prior[0])
    b = 1.0 - rates if prior is None else np.full(len(rates), prior[1])
    one = np.ones(1)
    laws = tuple(
        BetaMixture(one, np.array([a[k] + counts[k]]), np.array([b[k] + sizes[k] - counts[k]]))
        for k in range(len(rates))
    )
    each = betaln(a + counts, b + sizes - counts) - betaln(a, b) + log_ways_each(sizes, counts)
    return BasketFit("independent", counts, sizes, rates, laws, level=level, log_marginal=float(each.sum()))


def log_ways_each(n: Floats, r: Floats) -> Floats:
    """Return the logarithms of the binomial coefficients of several baskets.

    Parameters
    ----------
    n, r : ndarray of float
        Participants and responses.

    Returns
    -------
    ndarray of float
        log C(n, r).

    Raises
    ------
    None
    """
    return np.array([float(log_ways(size, count)) for size, count in zip(n, r, strict=True)])


def partition_average(
    r: ArrayLike,
    n: ArrayLike,
    *,
    p0: ArrayLike,
    prior: PartitionPrior | None = None,
    level: float = 0.95,
) -> BasketFit:
    """Return rates averaged over all partitions of the baskets into blocks of equal rate.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants per basket, at most eight baskets.
    p0 : float or array_like of float
        Null rates; they are compared with, not borrowed through.
    prior : PartitionPrior, optional
        Beta prior of a block and weight of a partition.
    level : float
        Level of the credible intervals.

    Returns
    -------
    BasketFit
        The posterior; ``share`` holds the probability that two baskets have one rate.

    Raises
    ------
    ValueError
        If an input is illegal or there are too many baskets.

    References
    ----------
    Psioda, Xu, Jiang, Ke, Yang and Ibrahim 2021.

    Examples
    --------
    >>> fit = partition_average([1, 1, 0, 0], [6, 3, 3, 2], p0=[0.05, 0.10, 0.10, 0.05])
    >>> fit.prob_above.round(6).tolist()
    [0.895152, 0.838954, 0.512637, 0.722661]
    """
    prior = prior or PartitionPrior()
    counts, sizes, rates = checked_baskets(r, n, p0)
    size = len(rates)
    checked_partitions(size)
    all_blocks = partitions(size)
    member = _membership(size)
    a = prior.a + member @ counts
    b = prior.b + member @ (sizes - counts)
    evidence = betaln(a, b) - betaln(prior.a, prior.b)
    # Empty blocks pad the shorter partitions; their evidence is 0 and they are no block.
    blocks = np.array([len(item) for item in all_blocks], dtype=float)
    prior_log = prior.block_power * np.log(blocks)
    prior_log -= logsumexp(prior_log)
    posterior_log = prior_log + evidence.sum(axis=1)
    total = float(logsumexp(posterior_log))
    weight = np.exp(posterior_log - total)
    own = np.argmax(member, axis=1)
    rows = np.arange(len(all_blocks))
    laws = tuple(BetaMixture(weight, a[rows, own[:, k]], b[rows, own[:, k]]) for k in range(size))
    share = np.einsum("p,pbi,pbj->ij", weight, member, member)
    ways = float(log_ways_each(sizes, counts).sum())
    return BasketFit(
        "partition",
        counts,
        sizes,
        rates,
        laws,
        level=level,
        share=share,
        log_marginal=total + ways,
        prior_mass=float(np.exp(prior_log).sum()),
        joint=block_law(weight, member, a=a, b=b),
    )


def checked_partitions(size: int) -> None:
    """Refuse more baskets than can be partitioned.

    Parameters
    ----------
    size : int
        Number of baskets.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If there are too many.
    """
    if size > MOST_BASKETS:
        raise ValueError(f"partition average takes at most {MOST_BASKETS} baskets; there are {size}")


@lru_cache(maxsize=MOST_BASKETS)
def partitions(size: int) -> tuple[Blocks, ...]:
    """Return all partitions of baskets into blocks.

    Parameters
    ----------
    size : int
        Number of baskets.

    Returns
    -------
    tuple of tuple of tuple of int
        Partitions; a block holds the places of its baskets.

    Raises
    ------
    None

    Examples
    --------
    >>> [len(partitions(k)) for k in (1, 2, 3, 4)]
    [1, 2, 5, 15]
    """
    return tuple(_grow((), 0, size))


def _grow(blocks: Blocks, place: int, size: int) -> Iterator[Blocks]:
    if place == size:
        yield blocks
        return
    for k, block in enumerate(blocks):
        yield from _grow((*blocks[:k], (*block, place), *blocks[k + 1 :]), place + 1, size)
    yield from _grow((*blocks, (place,)), place + 1, size)


@lru_cache(maxsize=MOST_BASKETS)
def _membership(size: int) -> Floats:
    """Indicator (partition, block, basket)."""
    found = np.zeros((len(partitions(size)), size, size))
    for row, blocks in enumerate(partitions(size)):
        for place, block in enumerate(blocks):
            found[row, place, list(block)] = 1.0
    found.setflags(write=False)
    return found
