"""The options of the titrated 3+3 rule, on plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, Protocol

from interim.errors import DesignError
from interim.study.dosing import MTD_RULES

DownFill = Literal["three_then_six", "direct_six"]
Counts = Literal["evaluable", "treated"]
CapRule = Literal["evidence", "none"]
Late = Literal["return", "flag"]


def checked_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Return dose levels as numbers.

    Parameters
    ----------
    levels : sequence of float
        Planned doses.

    Returns
    -------
    tuple of float
        The same doses.

    Raises
    ------
    DesignError
        If there is none, one is no dose, or they do not increase.
    """
    doses = tuple(float(dose) for dose in levels)
    bad = not doses or not all(0.0 <= dose < math.inf for dose in doses)
    if bad or any(a >= b for a, b in pairwise(doses)):
        raise DesignError(f"levels must be increasing doses, found {doses}")
    return doses


@dataclass(frozen=True)
class Titration:
    """One participant per level until the first trigger.

    Attributes
    ----------
    last_level : int
        Last level with one participant, 0 for plain 3+3.
    n_events : int
        Triggers that are no DLT needed to leave titration; one DLT always suffices.
    count_participant : bool
        False leaves a titration participant without DLT out of the counts of the 3+3 rules.
    from_not_evaluable : bool
        True if the trigger of a participant who is replaced ends titration.
    """

    last_level: int = 1
    _: KW_ONLY
    n_events: int = 1
    count_participant: bool = True
    from_not_evaluable: bool = True


@dataclass(frozen=True)
class MtdRule:
    """What the maximum tolerated dose needs.

    Attributes
    ----------
    name : str
        esc_only, deesc_min6_top3, deesc_min6_top6 or custom.
    down_fill : {"three_then_six", "direct_six"}
        How a level is filled after de-escalation.
    parts : tuple of (bool, int, bool)
        De-escalation to a level that held fewer; participants needed at the MTD; that number also at the top level.
        Follows from the name unless it is custom.
    """

    name: str = "deesc_min6_top6"
    _: KW_ONLY
    down_fill: DownFill = "three_then_six"
    parts: tuple[bool, int, bool] | None = None

    def __post_init__(self) -> None:
        """Fill in the parts of a named rule, refuse a name without parts."""
        known = MTD_RULES.get(self.name)
        if known is None and (self.name != "custom" or self.parts is None):
            raise DesignError(
                f"mtd rule must be one of {', '.join(MTD_RULES)}, or custom with its parts; found {self.name!r}"
            )
        if known is not None and self.parts not in (None, known):
            raise DesignError(
                f"mtd rule {self.name!r} means {known}, found {self.parts}; use the name custom"
            )
        object.__setattr__(self, "parts", known or self.parts)

    @property
    def deescalate(self) -> bool:
        """True if a lower level is filled before it can be the MTD."""
        return bool(self.parts and self.parts[0])

    @property
    def min_n(self) -> int:
        """Evaluable participants needed at the MTD."""
        return self.parts[1] if self.parts else 0

    @property
    def expand_top(self) -> bool:
        """True if the top level needs them too."""
        return bool(self.parts and self.parts[2])


@dataclass(frozen=True)
class Cap:
    """The largest number of participants.

    Attributes
    ----------
    n_max : int or None
        The cap; None for no cap.
    counts : {"evaluable", "treated"}
        What it counts; pending participants always count.
    partial : bool
        True enrols the remaining participants before stopping.
    mtd_rule : {"evidence", "none"}
        At the cap: the highest cleared level that holds enough participants, or no MTD.
    """

    n_max: int | None = 18
    _: KW_ONLY
    counts: Counts = "evaluable"
    partial: bool = False
    mtd_rule: CapRule = "evidence"


@dataclass(frozen=True)
class Conduct:
    """How the rule meets what a real trial does.

    Attributes
    ----------
    late_dlt : {"return", "flag"}
        Return to a lower level when a DLT becomes known there, or only warn.
    overrun_max_rate : fractions.Fraction
        With more than 6 participants a level is excluded above this DLT rate.
    between_3_and_6 : {"fill_to_6", "escalate_if_zero"}
        What follows on 4 or 5 evaluable participants.
    exclusion_lift : {"recorded_only", "automatic"}
        Whether a correction lifts an exclusion by itself.
    max_replacements : int or None
        Participants replaced at most, 0 for no replacement; None for no limit.
    stagger_days : int
        Least number of days between participants of a cohort.
    """

    late_dlt: Late = "return"
    overrun_max_rate: Fraction = Fraction(1, 6)
    between_3_and_6: Literal["fill_to_6", "escalate_if_zero"] = "fill_to_6"
    exclusion_lift: Literal["recorded_only", "automatic"] = "recorded_only"
    max_replacements: int | None = None
    stagger_days: int = 0


class RuleOptions(Protocol):
    """What the steps of the titrated 3+3 rule read of it."""

    @property
    def levels(self) -> tuple[float, ...]:
        """Planned doses."""

    @property
    def start_level(self) -> int:
        """First level."""

    @property
    def titration(self) -> Titration:
        """How long one participant per level is treated."""

    @property
    def mtd(self) -> MtdRule:
        """What the maximum tolerated dose needs."""

    @property
    def cap(self) -> Cap:
        """Largest number of participants."""

    @property
    def conduct(self) -> Conduct:
        """Late events, overruns, replacement."""
