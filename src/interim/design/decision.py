"""What a design answers: the verdict on counts, the decision that a dose committee reads, the dose selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

import pandas as pd

from interim.design.history import History

Action: TypeAlias = Literal["ENROL", "WAIT", "STOP"]
MtdStatus: TypeAlias = Literal[
    "ongoing",
    "established",
    "not_reached",
    "at_cap",
    "below_lowest",
    "not_established_cap",
    "not_established_stop",
]


class Verdict(NamedTuple):
    """A decision on counts, without words.

    Attributes
    ----------
    action : {"ENROL", "WAIT", "STOP"}
        What to do.
    level : int or None
        Level of the action.
    k : int
        Participants to enrol.
    trace : tuple of str
        Ids of the rules passed.
    fill_to : int
        Number of evaluable participants that the level is filled to.
    target : int or None
        Level of interest before the cap is looked at; None for no dose.
    mtd : int or None
        Maximum tolerated dose.
    status : str
        Status of the maximum tolerated dose.
    titration : bool
        True if the participant is enrolled alone, in titration.
    short : bool
        True if a slot is lost, so that nobody is waited for.
    """

    action: Action
    level: int | None
    k: int
    trace: tuple[str, ...]
    fill_to: int = 0
    target: int | None = None
    mtd: int | None = None
    status: MtdStatus = "ongoing"
    titration: bool = False
    short: bool = False


@dataclass(frozen=True)
class Decision:
    """What the design says about the next step.

    Attributes
    ----------
    action : {"ENROL", "WAIT", "STOP"}
        What to do.
    level : int or None
        Level of the action.
    n_to_enrol : int
        Participants to enrol now.
    fill_to : int
        Number of evaluable participants that the level is filled to.
    target_level : int or None
        Level of interest before the cap is looked at; None if no dose is left.
    rule_id : str
        Ids of the rules passed, joined by ``>``.
    reason : str
        One sentence with counts, rule and dose.
    admissible : tuple of int
        Levels at which participants may be enrolled.
    excluded_from : int or None
        Lowest excluded level.
    pending : tuple of str
        Participants whose outcome is open.
    mtd : int or None
        Maximum tolerated dose; None while there is none.
    mtd_status : str
        ongoing, established, not_reached, at_cap, below_lowest, not_established_cap or not_established_stop.
    earliest : pandas.Timestamp or None
        Earliest date of the next assignment, if participants are staggered.
    warnings : tuple of str
        What the committee must know besides.
    passed : tuple of str
        The rules passed, in words.
    would_change : tuple of str
        What a fact that is still open would make of the decision; empty if no open fact changes it, or if the design does not say.
    """

    action: Action
    level: int | None
    n_to_enrol: int
    fill_to: int
    target_level: int | None
    rule_id: str
    reason: str
    admissible: tuple[int, ...]
    excluded_from: int | None
    pending: tuple[str, ...]
    mtd: int | None
    mtd_status: MtdStatus
    earliest: pd.Timestamp | None = None
    warnings: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()

    @property
    def essence(self) -> tuple[object, ...]:
        """What makes two decisions the same conclusion: MTD, its status, action, target level."""
        return self.mtd, self.mtd_status, self.action, self.target_level

    @property
    def brief(self) -> str:
        """The decision in a few words: ``ENROL 3 at 2``, ``WAIT``, ``STOP, MTD 3``."""
        if self.action == "ENROL":
            return f"ENROL {self.n_to_enrol} at {self.level}"
        if self.action == "WAIT":
            return "WAIT"
        dose = "no MTD" if self.mtd is None else f"MTD {self.mtd}"
        return f"STOP, {dose}, {self.mtd_status}"


@dataclass(frozen=True)
class Selection:
    """The dose that a design would select on the data so far.

    Attributes
    ----------
    level : int or None
        Selected level; None for no dose.
    estimates : tuple of float
        Estimated DLT rate per level, NaN where the design has none.
    status : str
        Status of the maximum tolerated dose.
    """

    level: int | None
    estimates: tuple[float, ...]
    status: MtdStatus


class Design(Protocol):
    """The protocol that every design answers."""

    @property
    def levels(self) -> tuple[float, ...]:
        """Planned doses, increasing."""
        ...

    def decide(self, history: History) -> Decision:
        """Return the next step.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Decision
            Exactly one recommendation.

        Raises
        ------
        DesignError
            If the history does not belong to the design.
        """
        ...
