"""Toxicity boundaries, and the exact characteristics of response and toxicity rules together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from interim.design.expansion import NO_STOP, Monitored
from interim.errors import DesignError
from interim.stats.answers import Floats
from interim.stats.binomial import binomial_above
from interim.stats.posterior import beta_tail

Looks = Literal["every"] | tuple[int, ...]
Boundary = tuple[int | None, ...]
_TIE = 1e-12


@dataclass(frozen=True)
class BayesToxicity:
    """Pause if the posterior probability that the event rate exceeds a limit is greater than a cut.

    Attributes
    ----------
    limit, cut : float
        Rate; probability, strictly exceeded.
    prior : tuple of float
        Beta prior.
    min_n : int
        No boundary below so many participants.
    looks : "every" or tuple of int
        Sizes at which the rule is asked.
    """

    limit: float
    cut: float
    prior: tuple[float, float]
    min_n: int = 3
    looks: Looks = "every"

    def boundary(self, n_max: int) -> Boundary:
        """Return the boundary.

        Parameters
        ----------
        n_max : int
            Largest number of participants.

        Returns
        -------
        tuple of int or None
            Smallest number of events that pauses, for n = 1..n_max.

        Raises
        ------
        None

        Examples
        --------
        >>> BayesToxicity(0.30, 0.80, (0.6, 1.4)).boundary(6)
        (None, None, 2, 3, 3, 3)
        """
        return tuple(self._at(n) for n in range(1, n_max + 1))

    def _at(self, n: int) -> int | None:
        return None if n < self.min_n or not _asked(self.looks, n) else _first_crossed(self, n)


@lru_cache(maxsize=1024)
def _first_crossed(rule: BayesToxicity, n: int) -> int | None:
    """Return the smallest number of events whose tail is above the cut."""
    crossed = beta_tail(np.arange(n + 1), n, limit=rule.limit, prior=rule.prior) > rule.cut
    return int(np.argmax(crossed)) if crossed.any() else None


@dataclass(frozen=True)
class PocockToxicity:
    """Pause with the same tail probability at every look; crossing has at most a given probability at a rate.

    Attributes
    ----------
    rate, alpha : float
        Tolerable rate; largest probability of crossing at it.
    n_max : int
        Participants for which the boundary is computed.
    looks : "every" or tuple of int
        Sizes at which the rule is asked.
    """

    rate: float
    alpha: float
    n_max: int
    looks: Looks = "every"

    @property
    def phi(self) -> float:
        """The tail probability that is used at every look; 0 if none is permitted."""
        return _pocock(self)[0]

    def boundary(self, n_max: int) -> Boundary:
        """Return the boundary.

        Parameters
        ----------
        n_max : int
            Largest number of participants; not more than the design's own.

        Returns
        -------
        tuple of int or None
            Smallest number of events that pauses, for n = 1..n_max.

        Raises
        ------
        DesignError
            If the boundary was computed for fewer participants.

        References
        ----------
        Ivanova, Qaqish and Schell 2005.
        """
        if n_max > self.n_max:
            raise DesignError(f"the boundary ends at n = {self.n_max}, asked for n = {n_max}")
        return _pocock(self)[1][:n_max]


Monitor = BayesToxicity | PocockToxicity
"""A rule that pauses a cohort for toxicity."""


def continued(boundary: Boundary, *, n: int, events: int) -> Boundary:
    """Return the boundary for new participants if earlier ones count as the first.

    Parameters
    ----------
    boundary : tuple of int or None
        Smallest number of events that pauses, for 1, 2, ... participants in all.
    n, events : int
        Earlier participants, and those with an event among them.

    Returns
    -------
    tuple of int or None
        Smallest number of new events that pauses, for 1, 2, ... new participants; 0: it pauses without a new event.

    Raises
    ------
    DesignError
        If there are more events than participants, or the boundary ends before the earlier participants do.

    Examples
    --------
    >>> continued((None, None, 2, 3, 3, 3), n=3, events=1)
    (2, 2, 2)
    """
    if not 0 <= events <= n <= len(boundary):
        raise DesignError(f"{events} events in {n} earlier participants, boundary for {len(boundary)}")
    return tuple(None if limit is None else max(0, limit - events) for limit in boundary[n:])


@lru_cache(maxsize=64)
def _pocock(design: PocockToxicity) -> tuple[float, Boundary]:
    """Largest attainable tail whose crossing probability is within the limit: the probability rises with the tail."""
    tails = [binomial_above(np.arange(n + 1), n, design.rate) for n in range(1, design.n_max + 1)]
    asked = [tail for n, tail in enumerate(tails, 1) if _asked(design.looks, n)]
    candidates = np.unique(np.concatenate(asked)) if asked else np.empty(0)
    low, high = -1, len(candidates) - 1
    while low < high:
        middle = (low + high + 1) // 2
        bound = _by_tail(tails, float(candidates[middle]), design.looks)
        crossing = toxicity_characteristics(bound, [design.rate]).p_cross[0]
        low, high = (middle, high) if crossing <= design.alpha else (low, middle - 1)
    phi = float(candidates[low]) if low >= 0 else 0.0
    return phi, _by_tail(tails, phi, design.looks)


def _by_tail(tails: Sequence[Floats], phi: float, looks: Looks) -> Boundary:
    found: list[int | None] = []
    for n, tail in enumerate(tails, 1):
        within = tail <= phi * (1.0 + _TIE)
        found.append(int(np.argmax(within)) if within.any() and _asked(looks, n) else None)
    return tuple(found)


def _asked(looks: Looks, n: int) -> bool:
    return looks == "every" or n in looks


@dataclass(frozen=True, eq=False)
class Characteristics:
    """Exact characteristics of one cohort, one row per pair of true rates.

    Attributes
    ----------
    rates, tox_rates : ndarray of float, shape (s,)
        True response rates and event rates.
    p_go, p_no_go, p_futility, p_cross : ndarray of float, shape (s,)
        Probability of each end: go or no go at the full size, early stop for futility, crossing of the toxicity boundary
        (it comes before the others at the same number of participants). They sum to 1.
    n_dist : ndarray of float, shape (s, n_max + 1)
        Distribution of the number of participants.
    """

    rates: Floats
    tox_rates: Floats
    p_go: Floats
    p_no_go: Floats
    p_futility: Floats
    p_cross: Floats
    n_dist: Floats

    @property
    def expected_n(self) -> Floats:
        """Expected number of participants."""
        return self.n_dist @ np.arange(self.n_dist.shape[1])

    def any_go(self, cohorts: int) -> Floats:
        """Return the probability of a go in at least one of several independent cohorts.

        Parameters
        ----------
        cohorts : int
            Number of cohorts with the same rates.

        Returns
        -------
        ndarray of float
            1 - (1 - P(go))^cohorts.

        Raises
        ------
        None
        """
        found: Floats = 1.0 - (1.0 - self.p_go) ** cohorts
        return found


def characteristics(
    design: Monitored,
    rates: Sequence[float] | Floats,
    *,
    toxicity: Monitor | None = None,
    tox_rates: Sequence[float] | Floats | None = None,
    odds_ratio: float = 1.0,
) -> Characteristics:
    """Return the exact characteristics of a response design, with or without a toxicity rule.

    Parameters
    ----------
    design : Monitored
        Response design.
    rates : sequence of float
        True response rates.
    toxicity : Monitor, optional
        Toxicity rule.
    tox_rates : sequence of float, optional
        True event rates, one per response rate; needed with a toxicity rule.
    odds_ratio : float
        Association of response and event within a participant, > 0.

    Returns
    -------
    Characteristics
        By recursion over participants, responses and events.

    Raises
    ------
    DesignError
        If a rate is outside 0 to 1, or rates are missing or of another number.

    Examples
    --------
    >>> from interim.design.expansion import two_stages
    >>> found = characteristics(two_stages(9, 0, n=17, r=2), [0.05])
    >>> round(float(found.p_go[0]), 6), round(float(found.expected_n[0]), 4)
    (0.046605, 11.958)
    """
    p = _checked(rates, "response rates")
    if toxicity is None:
        bound: Boundary = (None,) * design.n_max
        q = np.zeros(len(p))
    else:
        bound = toxicity.boundary(design.n_max)
        q = _checked(tox_rates if tox_rates is not None else (), "event rates")
    if len(q) != len(p) or odds_ratio <= 0:
        raise DesignError(
            f"{len(p)} response rates need as many event rates and an odds ratio > 0; found {len(q)}, {odds_ratio:g}"
        )
    return _recursion(design, bound, (p, q), odds_ratio)


def toxicity_characteristics(boundary: Boundary, rates: Sequence[float] | Floats) -> Characteristics:
    """Return the exact characteristics of a toxicity boundary alone.

    Parameters
    ----------
    boundary : tuple of int or None
        Smallest number of events that pauses, for n = 1, 2, ...
    rates : sequence of float
        True event rates.

    Returns
    -------
    Characteristics
        ``p_cross`` and ``expected_n`` are of interest.

    Raises
    ------
    DesignError
        If a rate is outside 0 to 1.
    """
    q = _checked(rates, "event rates")
    design = Monitored(len(boundary), (), (), 0)
    return _recursion(design, boundary, (np.zeros(len(q)), q), 1.0)


def _checked(rates: Sequence[float] | Floats, name: str) -> Floats:
    found = np.asarray(rates, dtype=float)
    if not np.all((found >= 0.0) & (found <= 1.0)):
        raise DesignError(f"{name} must be between 0 and 1; found {found.tolist()}")
    return found


def _recursion(
    design: Monitored, boundary: Boundary, rates: tuple[Floats, Floats], odds_ratio: float
) -> Characteristics:
    p, q = rates
    both = joint_cell(p, q, odds_ratio)
    cells = np.stack([1.0 - p - q + both, q - both, p - both, both])[:, :, None, None]
    responses = design.n_max + 1 if np.any(p > 0) else 1
    events = design.n_max + 1 if any(bound is not None for bound in boundary) else 1
    state = np.zeros((len(p), responses, events))
    state[:, 0, 0] = 1.0
    cross, futile = np.zeros(len(p)), np.zeros(len(p))
    sizes = np.zeros((len(p), design.n_max + 1))
    for n in range(1, design.n_max + 1):
        state = _step(state, cells)
        limit, least = boundary[n - 1], design.boundary(n)
        if limit is not None:
            sizes[:, n] += (gone := state[:, :, limit:].sum(axis=(1, 2)))
            cross += gone
            state[:, :, limit:] = 0.0
        if least > NO_STOP and n < design.n_max:
            sizes[:, n] += (gone := state[:, : least + 1].sum(axis=(1, 2)))
            futile += gone
            state[:, : least + 1] = 0.0
    go = state[:, design.go :].sum(axis=(1, 2))
    no_go = state[:, : design.go].sum(axis=(1, 2))
    sizes[:, design.n_max] += go + no_go
    total = go + no_go + cross + futile
    if np.any(np.abs(total - 1.0) > _TIE):
        raise ArithmeticError(f"the probabilities of the ends sum to {total.tolist()}")
    return Characteristics(p, q, go, no_go, futile, cross, sizes)


def _step(state: Floats, cells: Floats) -> Floats:
    """Add one participant: neither, event only, response only, both; a dimension of size 1 is not counted."""
    found = np.zeros_like(state)
    for cell, response, event in zip(cells, (0, 0, 1, 1), (0, 1, 0, 1), strict=True):
        i, j = min(response, state.shape[1] - 1), min(event, state.shape[2] - 1)
        found[:, i:, j:] += cell * state[:, : state.shape[1] - i, : state.shape[2] - j]
    return found


def joint_cell(p: Floats, q: Floats, odds_ratio: float) -> Floats:
    """Return the probability of response and event together.

    Parameters
    ----------
    p, q : ndarray of float
        Rates of response and event.
    odds_ratio : float
        Association, > 0; 1 = independent.

    Returns
    -------
    ndarray of float
        Probability of both.

    Raises
    ------
    None

    Notes
    -----
    The bivariate law of Plackett.
    """
    if odds_ratio == 1.0:
        found: Floats = p * q
        return found
    middle = 1.0 + (p + q) * (odds_ratio - 1.0)
    root = np.sqrt(middle**2 - 4.0 * odds_ratio * (odds_ratio - 1.0) * p * q)
    # Of the two forms of the root the one that subtracts nothing close: near 1 the other loses every digit.
    least = np.maximum(middle + root, np.finfo(float).tiny)
    plain = (middle - root) / (2.0 * (odds_ratio - 1.0))
    answer: Floats = np.where(middle > 0, 2.0 * odds_ratio * p * q / least, plain)
    return answer
