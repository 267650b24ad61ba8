"""How far participants can be told apart by a few attributes: classes of equal attributes, and the risk that follows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class ClassRisk:
    """Risk of being singled out among participants who share attributes.

    Attributes
    ----------
    n : int
        Participants.
    classes : int
        Classes of participants with equal attributes.
    unique : int
        Participants who are alone in their class.
    smallest : int
        Size k of the smallest class.
    """

    n: int
    classes: int
    unique: int
    smallest: int

    @property
    def share(self) -> float:
        """Share of unique participants, 0 to 1."""
        return self.unique / self.n

    @property
    def largest_risk(self) -> float:
        """Largest risk of a participant: 1/k."""
        return 1 / self.smallest

    @property
    def average_risk(self) -> float:
        """Mean over participants of one through the size of their class: classes/n."""
        return self.classes / self.n


def class_risk(attributes: Sequence[Hashable]) -> ClassRisk:
    """Count the classes of participants with equal attributes.

    Parameters
    ----------
    attributes : sequence of hashable
        One entry per participant: the tuple of the attributes by which one could be recognised.

    Returns
    -------
    ClassRisk
        Sizes and risks.

    Raises
    ------
    ValueError
        If there is no participant.

    References
    ----------
    El Emam K. Guide to the de-identification of personal health information, 2013: prosecutor risk.

    Examples
    --------
    >>> risk = class_risk([("F", "60-69"), ("M", "60-69"), ("M", "60-69")])
    >>> risk.unique, risk.smallest, risk.average_risk
    (1, 1, 0.6666666666666666)
    """
    if not attributes:
        raise ValueError("attributes must name at least one participant")
    sizes = Counter(attributes).values()
    return ClassRisk(len(attributes), len(sizes), sum(size == 1 for size in sizes), min(sizes))


def expected_unique_share(margins: Sequence[Sequence[float]], n: int) -> float:
    """Return the expected share of unique participants when attributes are drawn independently.

    Parameters
    ----------
    margins : sequence of sequence of float
        For each attribute the probabilities of its values, each summing to 1.
    n : int
        Participants, at least 1.

    Returns
    -------
    float
        Sum over all combinations of p (1 - p)^(n - 1): the probability that nobody else has the combination of a participant.

    Raises
    ------
    ValueError
        If n is below 1, or probabilities are negative or do not sum to 1.

    Examples
    --------
    >>> expected_unique_share([[0.5, 0.5]], 2)
    0.5
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; found {n}")
    for margin in margins:
        if min(margin) < 0 or not math.isclose(math.fsum(margin), 1.0, abs_tol=1e-9):
            raise ValueError(f"probabilities must be at least 0 and sum to 1; found {list(margin)}")
    cells = (math.prod(cell) for cell in product(*margins))
    return math.fsum(p * (1 - p) ** (n - 1) for p in cells)
