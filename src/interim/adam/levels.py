"""Levels of a variable by cut-points: their texts, and the level of a value."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise


def cut_levels(cuts: Sequence[float], *, closed: str = "left") -> list[str]:
    """Return the texts of the levels that cut-points make, in order.

    Parameters
    ----------
    cuts : list of float
        Increasing cut-points.
    closed : {"left", "right"}
        left: the upper level holds the cut; right: the lower level holds it.

    Returns
    -------
    list of str
        One more than there are cuts.

    Raises
    ------
    None

    Examples
    --------
    >>> cut_levels([65]), cut_levels([5], closed="right")
    (['<65', '>=65'], ['<=5', '>5'])
    """
    below, above = ("<", ">=") if closed == "left" else ("<=", ">")
    between = [f"{above}{a:g} to {below}{b:g}" for a, b in pairwise(cuts)]
    return [f"{below}{cuts[0]:g}", *between, f"{above}{cuts[-1]:g}"]


def cut_level(value: float, cuts: Sequence[float], *, closed: str = "left") -> str:
    """Return the level of a value.

    Parameters
    ----------
    value : float
        Not missing.
    cuts : list of float
        Increasing cut-points.
    closed : {"left", "right"}
        As in `cut_levels`.

    Returns
    -------
    str
        One of `cut_levels`.

    Raises
    ------
    None

    Examples
    --------
    >>> cut_level(65, [65]), cut_level(64.9, [65]), cut_level(5, [5], closed="right")
    ('>=65', '<65', '<=5')
    """
    place = bisect_right(cuts, value) if closed == "left" else bisect_left(cuts, value)
    return cut_levels(cuts, closed=closed)[place]
