"""Selection between two doses or cohorts by the higher number of responses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interim.errors import DesignError
from interim.stats.binomial import binomial_mass

_SLACK = 1e-12


@dataclass(frozen=True)
class Selection:
    """Exact probabilities of the choice between two arms.

    Attributes
    ----------
    p_correct, p_wrong, p_tie : float
        The better arm leads by the minimum difference or more; the worse one does; neither. They sum to 1.
    """

    p_correct: float
    p_wrong: float
    p_tie: float


def select_arm(n: int, rates: tuple[float, float], *, min_diff: int = 1) -> Selection:
    """Return how often the better of two arms is selected by its number of responses.

    Parameters
    ----------
    n : int
        Participants per arm.
    rates : tuple of float
        True rates of the worse and of the better arm.
    min_diff : int
        Smallest lead, >= 1.

    Returns
    -------
    Selection
        The probabilities.

    Raises
    ------
    DesignError
        If a number is illegal.

    References
    ----------
    Simon, Wittes and Ellenberg 1985.

    Examples
    --------
    >>> found = select_arm(18, (0.10, 0.30))
    >>> round(found.p_correct, 6), round(found.p_wrong, 6), round(found.p_tie, 6)
    (0.911122, 0.037022, 0.051856)
    """
    if n < 1 or min_diff < 1 or not 0.0 <= rates[0] <= rates[1] <= 1.0:
        raise DesignError(
            f"n and min_diff must be >= 1 and rates rise within 0 to 1; found {n}, {min_diff}, {rates}"
        )
    counts = np.arange(n + 1)
    joint = np.outer(binomial_mass(counts, n, rates[0]), binomial_mass(counts, n, rates[1]))
    lead = counts[None, :] - counts[:, None]
    correct, wrong = float(joint[lead >= min_diff].sum()), float(joint[lead <= -min_diff].sum())
    tie = float(joint[np.abs(lead) < min_diff].sum())
    if abs(correct + wrong + tie - 1.0) > _SLACK:
        raise ArithmeticError(f"the probabilities of selection sum to {correct + wrong + tie!r}")
    return Selection(correct, wrong, tie)
