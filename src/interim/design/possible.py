"""Histories that cannot be: refused with participant and rule, so that no recommendation rests on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from interim.design.history import History
from interim.errors import DesignError


def refuse_impossible(
    history: History, *, start_level: int = 1, most: int | None = None, may_skip: bool = False
) -> None:
    """Refuse a stated history that no conduct of the design can lead to.

    Parameters
    ----------
    history : History
        What is stated. A recorded history is a fact: its deviations are findings of the replay, and the rule goes on from them.
    start_level : int
        First level of the design.
    most : int, optional
        Largest number of participants who are evaluable or pending at a level.
    may_skip : bool
        True for a design that may skip levels.

    Returns
    -------
    None

    Raises
    ------
    DesignError
        If a level is skipped, a level holds too many, a participant has a DLT without treatment, or an escalation precedes the end of a window
        at a lower level; names every participant and rule.
    """
    if history.recorded:
        return
    wrong = [
        *(() if may_skip else _skipped(history, start_level)),
        *_too_many(history, most),
        *_untreated(history),
        *_early(history),
    ]
    if wrong:
        way_out = "correct the history; deviations that happened are read as recorded (History.from_frame, or recorded=True)"
        raise DesignError(f"impossible history: {'; '.join(wrong)}; {way_out}")


def _skipped(history: History, start_level: int) -> Iterator[str]:
    highest = start_level - 1
    for subject in history.subjects:
        if subject.level > highest + 1:
            what = f"starts at level {subject.level}" if highest < start_level else f"follows level {highest}"
            yield f"{subject.id} at level {subject.level} {what}, a level is skipped (DOSE-SKIP)"
        highest = max(highest, subject.level)


def _too_many(history: History, most: int | None) -> Iterator[str]:
    counts: Counter[int] = Counter()
    for subject in history.subjects:
        if most is not None and subject.outcome != "X":
            counts[subject.level] += 1
            if counts[subject.level] > most:
                place = f"is number {counts[subject.level]} at level {subject.level}"
                yield f"{subject.id} {place}, the rule treats {most} (DOSE-FULL)"


def _untreated(history: History) -> Iterator[str]:
    for subject in history.subjects:
        if subject.dlt and not subject.treated:
            yield f"{subject.id} has a DLT and was never treated (DOSE-UNTREATED)"


def _early(history: History) -> Iterator[str]:
    """Yield the escalations to a new level while an outcome at a lower level is open."""
    open_at: dict[int, str] = {}
    highest = 0
    for subject in history.subjects:
        waiting = [name for level, name in open_at.items() if level < subject.level]
        if subject.level > highest and waiting:
            yield f"{subject.id} was escalated to level {subject.level} before the window of {waiting[0]} had closed (DOSE-EARLY)"
        highest = max(highest, subject.level)
        if subject.status == "pending":
            open_at.setdefault(subject.level, subject.id)
