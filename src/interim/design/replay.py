"""Replay of real decisions: what the rule would have said on each day, beside what was done and what is known today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import pandas as pd

from interim.design.decision import Decision, Design
from interim.design.history import History, Subject
from interim.errors import DataError, Finding

Kind: TypeAlias = Literal["same", "lower", "higher", "early", "after_stop", "excluded"]


@dataclass(frozen=True)
class Change:
    """A fact that differs between the day of a decision and today.

    Attributes
    ----------
    participant : str
        Whose fact.
    then, now : str
        Outcome letters.
    known : pandas.Timestamp or None
        Day on which today's fact became known.
    cause : str
        late report, correction, regrading or changed evaluability.
    """

    participant: str
    then: str
    now: str
    known: pd.Timestamp | None
    cause: str


@dataclass(frozen=True)
class ReplayRow:
    """One assignment beside the decision of the rule on that day.

    Attributes
    ----------
    participant : str
        Who was assigned.
    assigned : pandas.Timestamp
        When.
    level : int
        Assigned level.
    decision : Decision
        What the rule said on what was known strictly before.
    kind : str
        same, lower, higher, early, after_stop or excluded.
    group : int
        Number of the decision that the assignment belongs to.
    reason : str
        Recorded reason, empty if there is none.
    today : Decision
        What the rule says with the facts of today.
    changes : tuple of Change
        Facts that became known or changed later.
    """

    participant: str
    assigned: pd.Timestamp
    level: int
    decision: Decision
    kind: Kind
    group: int
    reason: str
    today: Decision
    changes: tuple[Change, ...]

    @property
    def would_differ(self) -> bool:
        """True if the facts of today lead to another action or level."""
        then, now = self.decision, self.today
        return (then.action, then.target_level) != (now.action, now.target_level)


@dataclass(frozen=True)
class Replay:
    """All assignments beside the rule.

    Attributes
    ----------
    rows : tuple of ReplayRow
        In order of assignment.
    findings : tuple of Finding
        Deviations.
    """

    rows: tuple[ReplayRow, ...]
    findings: tuple[Finding, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Class of every decision: that of its first assignment that is not the same, else same."""
        found: dict[int, Kind] = {}
        for row in self.rows:
            if found.get(row.group, "same") == "same":
                found[row.group] = row.kind
        return tuple(found.values())

    @property
    def n_decisions(self) -> int:
        """Number of decisions."""
        return len(self.kinds)

    @property
    def concordant(self) -> int:
        """Decisions that agree with the rule; a lower level is not counted as agreement."""
        return self.kinds.count("same")

    @property
    def lower(self) -> int:
        """Decisions more cautious than the rule."""
        return self.kinds.count("lower")

    @property
    def first_discordant(self) -> ReplayRow | None:
        """First assignment that differs from the rule."""
        return next((row for row in self.rows if row.kind != "same"), None)

    @property
    def late_changes(self) -> tuple[ReplayRow, ...]:
        """Assignments whose decision would differ with the facts of today."""
        return tuple(row for row in self.rows if row.would_differ)

    def frame(self) -> pd.DataFrame:
        """Return the replay as rows.

        Returns
        -------
        pandas.DataFrame
            Columns decision, participant, assigned, level, rule_said, rule_id, kind, reason, today, would_differ, changes.

        Raises
        ------
        None
        """
        names = (
            "decision",
            "participant",
            "assigned",
            "level",
            "rule_said",
            "rule_id",
            "kind",
            "reason",
            "today",
            "would_differ",
            "changes",
        )
        return pd.DataFrame([_printed(row) for row in self.rows], columns=list(names))


def replay(
    design: Design,
    history: History,
    *,
    decisions: pd.DataFrame | None = None,
    dose_deviation: float | None = None,
    min_treated: int | None = None,
) -> Replay:
    """Decide again on every day of an assignment, on what was known strictly before it.

    Parameters
    ----------
    design : Design
        The rule.
    history : History
        All participants with the dates on which facts became known.
    decisions : pandas.DataFrame, optional
        Recorded decisions: columns date, level, optional n (participants to enrol) and reason. Without it, consecutive assignments under the same level and size form
        one decision.
    dose_deviation : float, optional
        Relative deviation of the actual from the planned dose that is listed.
    min_treated : int, optional
        Registered minimum; fewer treated participants at the end of the escalation are listed.

    Returns
    -------
    Replay
        Rows, concordance, later changes, findings.

    Raises
    ------
    DataError
        If an assignment or a fact has no date, or the dates contradict the order of assignment.
    """
    _check_dates(history.subjects)
    rows: list[ReplayRow] = []
    last: object = None
    records = _records(decisions)
    offer = _Offer(0, 0, 0)
    for subject in history.subjects:
        row = _row(design, history, subject)
        offer, kind = offer.judge(row)
        row = replace(row, kind=kind)
        record = _recorded(records, row)
        mark = (subject.level, row.decision.level, row.decision.fill_to) if record is None else record.mark
        group = (rows[-1].group if rows else 0) + (mark != last)
        if record is not None:
            row = replace(row, reason=record.reason, kind=_sized(row, record, mark != last))
        rows.append(replace(row, group=group))
        last = mark
    found = [
        *_deviations(rows, history),
        *_doses(history, dose_deviation),
        *_size(design, history, min_treated),
    ]
    return Replay(tuple(rows), tuple(sorted(found, key=lambda item: item.order)))


def _check_dates(subjects: Sequence[Subject]) -> None:
    wrong = [
        _dated(subject, "the date of assignment is missing")
        for subject in subjects
        if subject.assigned is None
    ]
    for before, after in pairwise(subjects):
        if before.assigned is not None and after.assigned is not None and after.assigned < before.assigned:
            wrong.append(
                _dated(after, f"assigned before {before.id}, who precedes in order; correct the order")
            )
    if wrong:
        raise DataError(wrong)


def _dated(subject: Subject, text: str) -> Finding:
    return Finding("DOSE-HISTORY", "stop", "DOSE", text, subject=subject.id, variable="assigned")


def _row(design: Design, history: History, subject: Subject) -> ReplayRow:
    day = subject.assigned
    if day is None:
        raise DataError([_dated(subject, "the date of assignment is missing")])
    then = history.before(subject.order, strictly_before=day)
    earlier = [item for item in history.subjects if item.order < subject.order]
    pairs = list(zip(then.subjects, earlier, strict=True))
    now = tuple(_today(old, new, day) for old, new in pairs)
    decision = design.decide(then)
    return ReplayRow(
        participant=subject.id,
        assigned=day,
        level=subject.level,
        decision=decision,
        kind=_kind(decision, subject.level),
        group=0,
        reason="",
        today=design.decide(replace(then, subjects=now)),
        changes=tuple(_change(old, new) for old, new in zip(then.subjects, now, strict=True) if old != new),
    )


def _kind(decision: Decision, level: int) -> Kind:
    if decision.excluded_from is not None and level >= decision.excluded_from:
        return "excluded"
    if decision.action == "STOP":
        return "after_stop"
    if decision.action == "WAIT":
        return "early"
    if decision.level is None or level == decision.level:
        return "same"
    return "lower" if level < decision.level else "higher"


def _today(then: Subject, now: Subject, day: pd.Timestamp) -> Subject:
    """Return the facts of today for a participant whose outcome was closed, or should have been."""
    overdue = then.window_end is not None and then.window_end < day
    return now if then.status != "pending" or overdue else then


def _change(then: Subject, now: Subject) -> Change:
    letters = (then.outcome, now.outcome)
    known = now.dlt_known if now.dlt else now.trigger_known if now.trigger else now.status_known
    if now.dlt or (now.trigger and not then.trigger):
        cause = "regrading" if then.trigger else "late report"
    elif then.status != now.status:
        cause = "changed evaluability"
    else:
        cause = "correction"
    return Change(now.id, letters[0], letters[1], known, cause)


class _Offer(NamedTuple):
    """Places that an earlier decision opened and nobody has taken yet."""

    level: int
    fill_to: int
    places: int

    def judge(self, row: ReplayRow) -> tuple[_Offer, Kind]:
        """Return what is left after an assignment, and its class; a place that is open is not taken early."""
        decision = row.decision
        if decision.action == "ENROL" and decision.level is not None:
            places = decision.n_to_enrol - (row.kind == "same")
            return _Offer(decision.level, decision.fill_to, places), row.kind
        same_goal = (self.level, self.fill_to) == (decision.level, decision.fill_to)
        if row.kind == "early" and self.places > 0 and same_goal and row.level == self.level:
            return self._replace(places=self.places - 1), "same"
        return self, row.kind


class _Record(NamedTuple):
    """A recorded decision: its day and level, its reason, how many participants it enrols."""

    day: pd.Timestamp
    level: int
    reason: str
    n: int | None

    @property
    def mark(self) -> tuple[str, int]:
        """Which decision it is."""
        return str(self.day), self.level


def _records(decisions: pd.DataFrame | None) -> list[_Record]:
    """Return the recorded decisions about a level, by day."""
    if decisions is None or decisions.empty:
        return []
    days = pd.to_datetime(decisions["date"])
    absent = pd.Series(None, index=decisions.index, dtype=object)
    columns = (days, decisions["level"], decisions.get("reason", absent), decisions.get("n", absent))
    found = [
        _Record(
            day,
            int(level),
            "" if reason is None or pd.isna(reason) else str(reason),
            None if n is None or pd.isna(n) else int(n),
        )
        for day, level, reason, n in zip(*columns, strict=True)
        if not pd.isna(level)
    ]
    return sorted(found, key=lambda record: record.day)


def _recorded(records: Sequence[_Record], row: ReplayRow) -> _Record | None:
    """Return the recorded decision that an assignment follows: the latest one for its level."""
    fits = [record for record in records if record.day <= row.assigned and record.level == row.level]
    return fits[-1] if fits else None


def _sized(row: ReplayRow, record: _Record, first: bool) -> Kind:
    """Return the class of an assignment; a decision to enrol fewer than the rule is lower, more is higher."""
    if row.kind != "same" or not first or record.n in (None, row.decision.n_to_enrol):
        return row.kind
    return "lower" if int(record.n or 0) < row.decision.n_to_enrol else "higher"


def _deviations(rows: Sequence[ReplayRow], history: History) -> Iterator[Finding]:
    highest = 0
    for row in rows:
        if row.kind != "same" and not row.reason:
            text = f"assigned to level {row.level}, the rule said {row.decision.brief} ({row.decision.rule_id}); record the reason"
            yield _about(row, "DOSE-DEV", text)
        if row.kind == "excluded":
            yield _about(
                row, "DOSE-EXCL", f"level {row.level} is excluded from {row.decision.excluded_from} on"
            )
        if highest and row.level > highest + 1:
            yield _about(row, "DOSE-SKIP", f"level {row.level} follows level {highest}; a level was skipped")
        highest = max(highest, row.level)
    yield from history.findings


def _about(row: ReplayRow, rule: str, text: str) -> Finding:
    return Finding(
        rule, "warn", "DOSE", text, subject=row.participant, variable="level", value=str(row.level)
    )


def _doses(history: History, limit: float | None) -> Iterator[Finding]:
    for subject in history.subjects:
        planned, actual = subject.planned_dose, subject.actual_dose
        if limit is None or not planned or actual is None or abs(actual / planned - 1) <= limit:
            continue
        text = f"actual dose {actual:g} is off the planned {planned:g} cells/kg by more than {limit:.0%}; the level is unchanged"
        yield Finding("DOSE-DOSE", "warn", "DOSE", text, subject=subject.id, variable="actual_dose")


def _size(design: Design, history: History, least: int | None) -> Iterator[Finding]:
    limit = getattr(getattr(design, "cap", None), "n_max", None)
    counted = sum(subject.status != "not_evaluable" for subject in history.subjects)
    if limit is not None and counted > limit:
        text = f"{counted} evaluable or pending participants, the largest number is {limit}"
        yield Finding("DOSE-CAP", "warn", "DOSE", text)
    treated = sum(subject.treated for subject in history.subjects)
    if least is not None and treated < least and design.decide(history).action == "STOP":
        text = (
            f"{treated} participants treated at the end of the escalation, the registered minimum is {least}"
        )
        yield Finding("DOSE-MIN", "warn", "DOSE", text)


def _printed(row: ReplayRow) -> tuple[object, ...]:
    changes = "; ".join(
        f"{item.participant} {item.then} -> {item.now} ({item.cause})" for item in row.changes
    )
    return (
        row.group,
        row.participant,
        row.assigned,
        row.level,
        row.decision.brief,
        row.decision.rule_id,
        row.kind,
        row.reason,
        row.today.brief,
        row.would_differ,
        changes,
    )
