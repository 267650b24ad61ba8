"""The state of a dose escalation as counts: all that a rule-based decision depends on."""

from __future__ import annotations

from typing import NamedTuple

from interim.design.history import History, Subject
from interim.design.options import Conduct, Titration

Counts = tuple[int, ...]


class Facts(NamedTuple):
    """Counts per level and the place of the trial; entry j of a tuple belongs to level j + 1.

    Attributes
    ----------
    n, y, pending : tuple of int
        Evaluable participants, those with a DLT, participants whose outcome is open.
    lost : tuple of int
        Slots of participants who are not evaluable and not replaced.
    quiet, triggered : tuple of int
        Titration participants without DLT: without any event, with a trigger.
    current, highest : int
        Level of the last assignment and highest level ever assigned, 0 if there is none.
    triggers : int
        Triggers that are no DLT.
    unevaluable : int
        Participants treated and not evaluable.
    excluded_from : int
        Lowest level that a standing decision excludes, 0 if none.
    left : bool
        True if a standing decision left titration.
    stopped : bool
        True if a stop is recorded.
    """

    n: Counts
    y: Counts
    pending: Counts
    lost: Counts
    quiet: Counts
    triggered: Counts
    current: int = 0
    highest: int = 0
    triggers: int = 0
    unevaluable: int = 0
    excluded_from: int = 0
    left: bool = False
    stopped: bool = False


def no_facts(levels: int) -> Facts:
    """Return the state before the first participant.

    Parameters
    ----------
    levels : int
        Number of dose levels.

    Returns
    -------
    Facts
        All counts zero.

    Raises
    ------
    None
    """
    zero = (0,) * levels
    return Facts(zero, zero, zero, zero, zero, zero)


def facts_of(
    history: History, *, titration: Titration, conduct: Conduct | None = None, start_level: int = 1
) -> Facts:
    """Count a history.

    Parameters
    ----------
    history : History
        What is known.
    titration : Titration
        Tells who is a titration participant and whose trigger counts.
    conduct : Conduct, optional
        Replacement and lifting of exclusions.
    start_level : int
        First level.

    Returns
    -------
    Facts
        The state.

    Raises
    ------
    None
    """
    conduct = conduct or Conduct()
    counts = _Counts(history.levels, titration, start_level, conduct.max_replacements)
    for subject in history.subjects:
        counts.add(subject)
    held = conduct.exclusion_lift == "recorded_only"
    return counts.facts()._replace(
        current=history.subjects[-1].level if history.subjects else 0,
        excluded_from=(history.record.excluded_from or 0) if held else 0,
        left=history.record.titration_left and held,
        stopped=history.record.stop is not None,
    )


class _Counts:
    """Counts participants one by one, in order of assignment."""

    def __init__(self, levels: int, titration: Titration, start_level: int, replaced: int | None) -> None:
        self.rows = {name: [0] * levels for name in Facts._fields[:6]}
        self.titration, self.start_level, self.replaced = titration, start_level, replaced
        self.highest = self.triggers = self.dlts = self.unevaluable = self.dropped = 0

    def facts(self) -> Facts:
        n, y, pending, lost, quiet, triggered = (tuple(row) for row in self.rows.values())
        return Facts(
            n,
            y,
            pending,
            lost,
            quiet,
            triggered,
            highest=self.highest,
            triggers=self.triggers,
            unevaluable=self.unevaluable,
        )

    def add(self, subject: Subject) -> None:
        place = subject.level - 1
        alone = self._titrating(subject.level) and self.rows["n"][place] == 0
        self.highest = max(self.highest, subject.level)
        trigger = subject.trigger and not subject.dlt
        if trigger and (self.titration.from_not_evaluable or subject.status != "not_evaluable"):
            self.triggers += 1
        if subject.status == "not_evaluable":
            self._drop(subject, place)
        elif subject.status == "pending":
            self.rows["pending"][place] += 1
        else:
            self._evaluate(subject, place, alone)

    def _titrating(self, level: int) -> bool:
        limit = self.titration.last_level
        early = self.start_level <= limit and max(level, self.highest) <= limit
        return early and not self.dlts and self.triggers < self.titration.n_events

    def _evaluate(self, subject: Subject, place: int, alone: bool) -> None:
        self.rows["n"][place] += 1
        if subject.dlt:
            self.rows["y"][place] += 1
            self.dlts += 1
        elif alone:
            self.rows["triggered" if subject.trigger else "quiet"][place] += 1

    def _drop(self, subject: Subject, place: int) -> None:
        self.unevaluable += subject.treated
        if self.replaced is not None and self.dropped >= self.replaced:
            self.rows["lost"][place] += 1
        self.dropped += 1
