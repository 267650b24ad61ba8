"""What every subgroup question works with: participants, factors with levels, endpoints with values; arrays only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from interim.study import SubgroupEntry

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Kind: TypeAlias = Literal["binary", "time", "ordinal", "continuous"]


@dataclass(frozen=True, eq=False)
class Factor:
    """One entry of the registry with the level of every participant.

    Attributes
    ----------
    entry : SubgroupEntry
        Definition.
    levels : tuple of str
        Levels in printed order, empty ones included, without missing.
    codes : ndarray of int, shape (n,)
        Place of the participant's level in ``levels``; -1 is missing.
    values : ndarray of float, shape (n,)
        Value behind the level; NaN where there is none.
    cuts : tuple of float
        Cut-points that were used.
    marks : frozenset of str
        Codes that came with values: LIGAND_PARTIAL, CUT_AT_LLOQ, LLOQ, NOT_COLLECTED.
    """

    entry: SubgroupEntry
    levels: tuple[str, ...]
    codes: Integers
    values: Floats
    cuts: tuple[float, ...] = ()
    marks: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Id of the entry."""
        return self.entry.id

    @cached_property
    def known(self) -> Flags:
        """Who has a level."""
        found: Flags = self.codes >= 0
        return found

    @cached_property
    def members(self) -> Flags:
        """Who is in which level, shape (n, levels)."""
        found: Flags = self.codes[:, None] == np.arange(len(self.levels))
        return found

    @property
    def ordered(self) -> bool:
        """Whether the levels have an order."""
        return self.entry.kind in ("continuous", "ordinal")

    @property
    def eligible(self) -> bool:
        """Whether it may stand in a row of a forest: known at baseline, cut not taken from the data."""
        return self.entry.timing == "baseline" and self.entry.origin != "data_driven"

    @cached_property
    def scaled(self) -> Floats:
        """Values on the scale of the entry; NaN where the scale cannot take them."""
        if self.entry.scale == "identity":
            return self.values
        log = np.log2 if self.entry.scale == "log2" else np.log1p
        usable = self.values > (0.0 if self.entry.scale == "log2" else -1.0)
        result: Floats = np.full(len(self.values), np.nan)
        result[usable] = log(self.values[usable])
        return result

    def at(self, keep: Flags) -> Factor:
        """Return the factor of some participants.

        Parameters
        ----------
        keep : ndarray of bool, shape (n,)
            Who stays.

        Returns
        -------
        Factor
            Same levels.

        Raises
        ------
        None
        """
        return replace(self, codes=self.codes[keep], values=self.values[keep])


@dataclass(frozen=True, eq=False)
class Outcome:
    """One endpoint with the value of every participant.

    Attributes
    ----------
    id : str
        Name of section "Endpoints", for example ``orr``.
    kind : {"binary", "time", "ordinal", "continuous"}
        How it is summarised.
    values : ndarray of float, shape (n,)
        0 or 1, days, rank or number; NaN outside the set of the endpoint or without a value.
    events : ndarray of bool, shape (n,)
        Whether the time ends with an event; all False for other kinds.
    population : str
        Code of the analysis set.
    reason : str
        Why the endpoint is not available; empty if it is.
    unit : str
        Unit of the values; empty for counts.
    """

    id: str
    kind: Kind
    values: Floats
    events: Flags
    population: str = ""
    reason: str = ""
    unit: str = ""

    @cached_property
    def known(self) -> Flags:
        """Who is counted."""
        return ~np.isnan(self.values)

    def at(self, keep: Flags) -> Outcome:
        """Return the outcome of some participants.

        Parameters
        ----------
        keep : ndarray of bool, shape (n,)
            Who stays.

        Returns
        -------
        Outcome
            Same endpoint.

        Raises
        ------
        None
        """
        return replace(self, values=self.values[keep], events=self.events[keep])


@dataclass(frozen=True, eq=False)
class Panel:
    """Everything that the subgroup questions need of a study, as arrays over the same participants.

    Attributes
    ----------
    subjects : tuple of str
        USUBJIDs, sorted.
    label, column : str
        Printed name of the set; ADSL variable of the cohorts.
    factors : tuple of Factor
        In the order of the registry.
    dose : Factor
        Assigned dose level.
    outcomes : mapping of str to Outcome
        By endpoint.
    """

    subjects: tuple[str, ...]
    label: str
    column: str
    factors: tuple[Factor, ...]
    dose: Factor
    outcomes: Mapping[str, Outcome]

    @property
    def n(self) -> int:
        """Number of participants."""
        return len(self.subjects)

    @property
    def primary(self) -> tuple[Factor, ...]:
        """The test family: the primary entry of each dimension."""
        return tuple(
            f for f in self.factors if f.entry.primary and f.entry.dimension != "dose" and f.eligible
        )

    @property
    def shown(self) -> tuple[Factor, ...]:
        """The entries that may be tabulated against an endpoint, dose last."""
        own = tuple(f for f in self.factors if f.eligible)
        has_dose = not self.dose.levels or any(f.entry.dimension == "dose" for f in own)
        return own if has_dose else (*own, self.dose)

    def names(self, keep: Flags) -> list[str]:
        """Return the USUBJIDs of some participants.

        Parameters
        ----------
        keep : ndarray of bool, shape (n,)
            Who.

        Returns
        -------
        list of str
            Sorted.

        Raises
        ------
        None
        """
        return [self.subjects[place] for place in np.flatnonzero(keep)]

    def replaced(self, **more: Any) -> Panel:
        """Return a copy with other parts.

        Parameters
        ----------
        **more : object
            Attributes.

        Returns
        -------
        Panel
            The copy.

        Raises
        ------
        None
        """
        return replace(self, **more)


def gap(counts: Floats | Integers, sizes: Integers, *, least: int) -> Floats:
    """Return the largest minus the smallest rate over the levels that are large enough.

    Parameters
    ----------
    counts : ndarray, shape (b, k)
        Events per level, one row per arrangement.
    sizes : ndarray of int, shape (k,) or (b, k)
        Participants per level.
    least : int
        Smaller levels do not count.

    Returns
    -------
    ndarray of float, shape (b,)
        0 where fewer than two levels count.

    Raises
    ------
    None

    Examples
    --------
    >>> gap(np.array([[1, 2], [0, 4]]), np.array([4, 4]), least=3).tolist()
    [0.25, 1.0]
    """
    shape = np.broadcast_shapes(np.shape(counts), np.shape(sizes))
    size = np.broadcast_to(sizes, shape)
    use = size >= max(least, 1)
    rates = counts / np.maximum(size, 1)
    top = np.where(use, rates, -1.0).max(axis=-1, initial=-1.0)
    low = np.where(use, rates, 2.0).min(axis=-1, initial=2.0)
    result: Floats = np.where(use.sum(axis=-1) >= 2, top - low, 0.0)
    return result


def level_counts(factor: Factor, outcome: Outcome) -> tuple[Integers, Integers]:
    """Return events and participants per level of a binary endpoint.

    Parameters
    ----------
    factor : Factor
        Levels.
    outcome : Outcome
        Binary.

    Returns
    -------
    tuple of ndarray of int
        x and n, shape (levels,); missing left out.

    Raises
    ------
    None
    """
    inside = factor.members & outcome.known[:, None]
    x = (inside & (outcome.values[:, None] == 1)).sum(axis=0)
    return x.astype(np.int64), inside.sum(axis=0).astype(np.int64)


def joined(codes: Iterable[str]) -> str:
    """Return reason codes as one text.

    Parameters
    ----------
    codes : iterable of str
        Codes.

    Returns
    -------
    str
        Each once, separated by semicolons.

    Raises
    ------
    None

    Examples
    --------
    >>> joined(["FRAGILE", "", "CONFOUNDED", "FRAGILE"])
    'FRAGILE; CONFOUNDED'
    """
    return "; ".join(dict.fromkeys(code for code in codes if code))
