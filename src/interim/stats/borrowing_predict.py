"""What all baskets together say about new participants: the joint predictive law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from scipy.special import betaln

from interim.stats.answers import Floats
from interim.stats.borrowing_laws import RateLaw, log_ways

JointLaw = Callable[[tuple[int, ...]], Floats]
"""New participants per basket -> probability of every outcome, shape (m_1 + 1, ..., m_k + 1)."""
Chance = Callable[[int, int], Floats]
"""Basket and new participants -> probability of 0..m responses given each component, shape (m + 1, components)."""
MOST_OUTCOMES = 2_000_000
MASS_SLACK = 1e-9


def checked_pmf(law: JointLaw, counts: Sequence[int], *, size: int) -> Floats:
    """Return the joint predictive probabilities of new participants.

    Parameters
    ----------
    law : callable
        Joint law.
    counts : sequence of int
        New participants per basket.
    size : int
        Number of baskets.

    Returns
    -------
    ndarray of float, shape (m_1 + 1, ..., m_k + 1)
        They sum to 1.

    Raises
    ------
    ValueError
        If there are not as many counts as baskets, one is negative, or there are too many outcomes.
    ArithmeticError
        If the probabilities do not sum to 1.
    """
    wanted = tuple(int(m) for m in counts)
    if len(wanted) != size or any(m < 0 for m in wanted):
        raise ValueError(f"counts must hold {size} whole numbers >= 0; found {list(counts)}")
    rows = int(np.prod([m + 1.0 for m in wanted]))
    if rows > MOST_OUTCOMES:
        raise ValueError(
            f"{rows} outcomes exceed the permitted {MOST_OUTCOMES}; the counts are {list(wanted)}"
        )
    found = law(wanted)
    if abs(found.sum() - 1.0) > MASS_SLACK:
        raise ArithmeticError(f"the joint predictive probabilities sum to {found.sum()!r}")
    return found


def separate_law(laws: Sequence[RateLaw]) -> JointLaw:
    """Return the joint law of baskets that do not borrow.

    Parameters
    ----------
    laws : sequence of RateLaw
        Posterior law of each rate.

    Returns
    -------
    callable
        Joint law: the product of the predictive laws.

    Raises
    ------
    None
    """

    def chance(k: int, m: int) -> Floats:
        y = np.arange(m + 1)
        moments = np.array([laws[k].moment(int(one), m - int(one)) for one in y])
        found: Floats = (moments * np.exp(log_ways(m, y)))[:, None]
        return found

    return mixed_law(np.ones(1), chance)


def mixed_law(weight: Floats, chance: Chance) -> JointLaw:
    """Return the joint law of baskets that are independent given a component.

    Parameters
    ----------
    weight : ndarray of float, shape (components,)
        Posterior weights; they sum to 1.
    chance : callable
        Probabilities of each basket given the component.

    Returns
    -------
    callable
        Joint law.

    Raises
    ------
    None
    """

    def law(counts: tuple[int, ...]) -> Floats:
        tables = [chance(k, m) for k, m in enumerate(counts)]
        half = (len(tables) + 1) // 2
        left, right = (
            reduce(crossed, part, np.ones((1, len(weight)))) for part in (tables[:half], tables[half:])
        )
        found: Floats = ((left * weight) @ right.T).reshape([m + 1 for m in counts])
        return found

    return law


def crossed(left: Floats, right: Floats) -> Floats:
    """Return the products of all rows of two tables.

    Parameters
    ----------
    left, right : ndarray of float, shape (rows, components)
        Tables over the same components.

    Returns
    -------
    ndarray of float, shape (rows of left x rows of right, components)
        The rows of the second run fastest.

    Raises
    ------
    None
    """
    found: Floats = (left[:, None] * right[None]).reshape(-1, left.shape[1])
    return found


def block_law(weight: Floats, member: Floats, *, a: Floats, b: Floats) -> JointLaw:
    """Return the joint law of baskets that share a rate within the blocks of a partition.

    Parameters
    ----------
    weight : ndarray of float, shape (partitions,)
        Posterior weights.
    member : ndarray of float, shape (partitions, blocks, baskets)
        1 where a basket lies in a block.
    a, b : ndarray of float, shape (partitions, blocks)
        Beta posterior of each block.

    Returns
    -------
    callable
        Joint law.

    Raises
    ------
    None
    """

    def law(counts: tuple[int, ...]) -> Floats:
        grids = np.meshgrid(*(np.arange(m + 1.0) for m in counts), indexing="ij")
        ways = sum(log_ways(m, grid) for m, grid in zip(counts, grids, strict=True))
        found = np.zeros([m + 1 for m in counts])
        for place, one in enumerate(weight):
            logs = np.array(ways, dtype=float)
            for block in np.flatnonzero(member[place].any(axis=1)):
                hits = sum(grids[k] for k in np.flatnonzero(member[place, block]))
                total = float(member[place, block] @ np.array(counts))
                shapes = a[place, block], b[place, block]
                logs += betaln(shapes[0] + hits, shapes[1] + total - hits) - betaln(*shapes)
            found += one * np.exp(logs)
        return found

    return law


def composed_law(parts: Sequence[tuple[Sequence[int], JointLaw]]) -> JointLaw:
    """Return the joint law of groups of baskets that know nothing of each other.

    Parameters
    ----------
    parts : sequence of tuple
        Places of the baskets of a group, and their joint law.

    Returns
    -------
    callable
        Joint law of all baskets in the order of their places.

    Raises
    ------
    None
    """
    order = [place for places, _ in parts for place in places]

    def law(counts: tuple[int, ...]) -> Floats:
        tables = [one(tuple(counts[k] for k in places)) for places, one in parts]
        found: Floats = np.transpose(reduce(np.multiply.outer, tables), np.argsort(order))
        return found

    return law
