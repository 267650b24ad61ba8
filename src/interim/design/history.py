"""The dose-escalation history: who was assigned to which level, what is known of them, and when it became known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, TypeAlias

import pandas as pd

from interim.design.intake import read_rows
from interim.errors import DataError, DesignError, Finding

Status: TypeAlias = Literal["evaluable", "pending", "not_evaluable"]
Day: TypeAlias = date | datetime | pd.Timestamp | str

_TOKEN = re.compile(r"(\d+)([NGTPX]+)")
_OUTCOMES: Mapping[str, tuple[Status, bool, bool]] = {
    "N": ("evaluable", False, False),
    "G": ("evaluable", False, True),
    "T": ("evaluable", True, True),
    "P": ("pending", False, False),
    "X": ("not_evaluable", False, False),
}
# Letters of those who count at a dose: no event, trigger without DLT, DLT.
EVALUABLE = "NGT"


@dataclass(frozen=True)
class Cohort:
    """The participants of one dose level, counted.

    Attributes
    ----------
    level : int
        Dose level, 1-based.
    n, n_dlt : int
        Evaluable participants, and those with a dose-limiting toxicity.
    n_trigger : int
        Participants with a titration trigger; every dose-limiting toxicity is one.
    n_pending, n_not_evaluable : int
        Participants whose window is open, and those who are replaced.
    """

    level: int
    n: int
    n_dlt: int
    n_trigger: int
    n_pending: int = 0
    n_not_evaluable: int = 0


@dataclass(frozen=True)
class Subject:
    """What is known of one participant of the dose escalation.

    Attributes
    ----------
    id : str
        USUBJID.
    order : int
        Place in the order of assignment.
    level : int
        Assigned level, 1-based.
    status : {"evaluable", "pending", "not_evaluable"}
        Evaluability for dose-limiting toxicity.
    dlt, trigger : bool
        A dose-limiting toxicity in the window; a titration trigger (every DLT is one).
    trigger_open : bool
        True if the trigger is an open query that is taken as a trigger.
    assigned, window_start, window_end : pandas.Timestamp or None
        Dates of the assignment and of the window, whose ends are included.
    status_known, dlt_known, trigger_known : pandas.Timestamp or None
        Dates on which the facts became known.
    infusions : int or None
        Infusions given; 0 means never treated.
    planned_dose, actual_dose : float or None
        Cells per kg.
    """

    id: str
    order: int
    level: int
    status: Status
    dlt: bool = False
    trigger: bool = False
    trigger_open: bool = False
    assigned: pd.Timestamp | None = None
    window_start: pd.Timestamp | None = None
    window_end: pd.Timestamp | None = None
    status_known: pd.Timestamp | None = None
    dlt_known: pd.Timestamp | None = None
    trigger_known: pd.Timestamp | None = None
    infusions: int | None = None
    planned_dose: float | None = None
    actual_dose: float | None = None

    @property
    def treated(self) -> bool:
        """True unless it is known that no infusion was given."""
        return self.infusions is None or self.infusions > 0

    @property
    def outcome(self) -> str:
        """Letter of the outcome: T, P, X, G or N."""
        if self.dlt:
            return "T"
        if self.status != "evaluable":
            return "P" if self.status == "pending" else "X"
        return "G" if self.trigger else "N"


@dataclass(frozen=True)
class Stop:
    """A recorded stop of the dose escalation by investigator or sponsor.

    Attributes
    ----------
    date, role, name : str
        When and who.
    level : int or None
        Dose level that the stop names.
    rationale, evidence : str
        Why, and the tables that were looked at.
    kind : {"rp2d", "favourable_index", "safety_halt"}
        What was decided.
    """

    date: str
    role: str
    name: str
    level: int | None
    rationale: str
    evidence: str
    kind: str

    def __post_init__(self) -> None:
        """Refuse a record with a missing field."""
        wanted = ("date", "role", "name", "rationale", "evidence")
        missing = [field for field in wanted if not str(getattr(self, field) or "").strip()]
        if self.kind not in STOP_KINDS:
            missing.append(f"kind (one of {', '.join(STOP_KINDS)}, found {self.kind!r})")
        if self.level is None and self.kind != "safety_halt":
            missing.append("level")
        if missing:
            text = f"a recorded stop needs {', '.join(missing)}; complete the record"
            raise DataError([Finding("DOSE-X1", "stop", "DOSE", text)])


STOP_KINDS = ("rp2d", "favourable_index", "safety_halt")


@dataclass(frozen=True)
class Record:
    """What was decided and stays decided, whatever a later correction of the data says.

    Attributes
    ----------
    stop : Stop or None
        Recorded stop.
    excluded_from : int or None
        Lowest level that an earlier decision excluded and no recorded decision has lifted.
    titration_left : bool
        True if an earlier decision left titration and no recorded decision has returned to it.
    """

    stop: Stop | None = None
    excluded_from: int | None = None
    titration_left: bool = False


@dataclass(frozen=True)
class History:
    """All participants of the dose escalation in order of assignment.

    Attributes
    ----------
    levels : int
        Number of dose levels, D.
    subjects : tuple of Subject
        In order of assignment.
    record : Record
        Decisions that stay in force.
    findings : tuple of Finding
        What was found while the history was read.
    recorded : bool
        True for a record of what happened: deviations from the design are facts. A stated history must be possible.
    """

    levels: int
    subjects: tuple[Subject, ...] = ()
    record: Record = Record()
    findings: tuple[Finding, ...] = ()
    recorded: bool = False

    @classmethod
    def parse(cls, text: str, *, levels: int | None = None, recorded: bool = False) -> History:
        """Read a history from its short notation.

        Parameters
        ----------
        text : str
            Tokens in order of assignment, each a level and outcomes: N none, G trigger that is no DLT, T DLT, P pending,
            X not evaluable.
        levels : int, optional
            Number of dose levels; the highest level in the text if absent.
        recorded : bool
            True if it happened so, whatever the design says.

        Returns
        -------
        History
            Participants named by their place: S01, S02, ...

        Raises
        ------
        DesignError
            If a token cannot be read or a level does not exist.

        Examples
        --------
        >>> History.parse("1N 2G 2NN", levels=4).cohorts()[1]
        Cohort(level=2, n=3, n_dlt=0, n_trigger=1, n_pending=0, n_not_evaluable=0)
        """
        pairs = _tokens(text)
        top = max((level for level, _ in pairs), default=1) if levels is None else levels
        wrong = sorted({level for level, _ in pairs if not 1 <= level <= top})
        if wrong:
            raise DesignError(f"levels are 1..{top}; the history {text!r} names {wrong}")
        subjects = []
        for place, (level, letter) in enumerate(pairs, 1):
            status, dlt, trigger = _OUTCOMES[letter]
            subjects.append(Subject(f"S{place:02d}", place, level, status, dlt, trigger))
        return cls(top, tuple(subjects), recorded=recorded)

    from_text = parse

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, levels: int, record: Record | None = None) -> History:
        """Read a history from a frame, one row per assigned participant.

        Parameters
        ----------
        frame : pandas.DataFrame
            Columns participant, order, level, assigned, window_start, window_end, status, dlt, trigger; optional
            status_known, dlt_known, trigger_known, dlt_onset, trigger_onset, infusions, planned_dose, actual_dose.
        levels : int
            Number of dose levels.
        record : Record, optional
            Decisions that stay in force.

        Returns
        -------
        History
            In order of assignment, with the findings of the reading.

        Raises
        ------
        DataError
            If a column or an order key is missing or given twice, a level is unknown, a participant stands twice, a window
            ends before it starts, or a participant who was never treated has a DLT; every row is listed.
        """
        rows, findings = read_rows(frame, levels=levels)
        subjects = tuple(Subject(**row) for row in rows)
        return cls(levels, subjects, record or Record(), findings, recorded=True)

    def cohorts(self) -> tuple[Cohort, ...]:
        """Count the participants of every level.

        Returns
        -------
        tuple of Cohort
            One per level, also for levels without a participant.

        Raises
        ------
        None
        """
        return tuple(_count(level, self.subjects) for level in range(1, self.levels + 1))

    def text(self) -> str:
        """Return the short notation, consecutive assignments to a level in one token.

        Returns
        -------
        str
            As `parse` reads it.

        Raises
        ------
        None

        Examples
        --------
        >>> History.parse("1N 2N 2NT", levels=4).text()
        '1N 2NNT'
        """
        words: list[str] = []
        last = 0
        for subject in self.subjects:
            if subject.level != last:
                words.append(str(subject.level))
            words[-1] += subject.outcome
            last = subject.level
        return " ".join(words)

    def before(self, order: int, *, strictly_before: Day) -> History:
        """Return what was known when a participant was assigned.

        Parameters
        ----------
        order : int
            Place of that assignment; only earlier ones are kept.
        strictly_before : date
            Facts that became known on this day or later are not known yet.

        Returns
        -------
        History
            Earlier participants, pending where nothing was known yet.

        Raises
        ------
        DataError
            If the date of a fact cannot be told.
        """
        day = pd.Timestamp(strictly_before).normalize()
        kept = [subject for subject in self.subjects if subject.order < order]
        return replace(self, subjects=_as_known(kept, day, inclusive=False))

    def as_of(self, day: Day) -> History:
        """Return what was known at the end of a day.

        Parameters
        ----------
        day : date
            Facts that became known on this day or earlier are known.

        Returns
        -------
        History
            Participants assigned until then, pending where nothing was known yet.

        Raises
        ------
        DataError
            If the date of an assignment or of a fact cannot be told.
        """
        moment = pd.Timestamp(day).normalize()
        missing = [subject.id for subject in self.subjects if subject.assigned is None]
        if missing:
            raise DataError([_undated(name, "assigned") for name in missing])
        kept = [s for s in self.subjects if s.assigned is not None and s.assigned.normalize() <= moment]
        return replace(self, subjects=_as_known(kept, moment, inclusive=True))


def _tokens(text: str) -> list[tuple[int, str]]:
    pairs: list[tuple[int, str]] = []
    for token in text.split():
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise DesignError(
                f"a token is a level and outcomes out of N, G, T, P, X, for example 2NNT; found {token!r}"
            )
        pairs.extend((int(match[1]), letter) for letter in match[2])
    return pairs


def _count(level: int, subjects: Sequence[Subject]) -> Cohort:
    here = [subject for subject in subjects if subject.level == level]
    letters = [subject.outcome for subject in here]
    return Cohort(
        level,
        n=sum(letter in EVALUABLE for letter in letters),
        n_dlt=letters.count("T"),
        n_trigger=sum(subject.trigger or subject.dlt for subject in here),
        n_pending=letters.count("P"),
        n_not_evaluable=letters.count("X"),
    )


def _as_known(subjects: Sequence[Subject], day: pd.Timestamp, *, inclusive: bool) -> tuple[Subject, ...]:
    """Return the participants with what was known at a day; every fact without a date is listed."""
    undated: list[Finding] = []
    known = []
    for subject in subjects:
        dlt = subject.dlt and _passed(subject, "dlt_known", day, inclusive, undated)
        trigger = subject.trigger and _passed(subject, "trigger_known", day, inclusive, undated)
        closed = not dlt and _closed(subject, day, inclusive, undated)
        status: Status = "evaluable" if dlt else subject.status if closed else "pending"
        known.append(replace(subject, status=status, dlt=dlt, trigger=trigger or dlt))
    if undated:
        raise DataError(undated)
    return tuple(known)


def _closed(subject: Subject, day: pd.Timestamp, inclusive: bool, undated: list[Finding]) -> bool:
    """Tell whether the status was known; with a DLT still to come, the closed window already counted as evaluable."""
    if subject.status == "pending":
        return False
    if subject.dlt and subject.status_known is None and subject.window_end is None:
        return False
    return _passed(subject, "status_known", day, inclusive, undated)


def _passed(subject: Subject, fact: str, day: pd.Timestamp, inclusive: bool, undated: list[Finding]) -> bool:
    """Tell whether a fact was known; a status without a date is known when its window has ended."""
    moment: pd.Timestamp | None = getattr(subject, fact)
    if moment is None and fact == "trigger_known" and subject.dlt:
        moment = subject.dlt_known
    if moment is None and fact == "status_known":
        moment = subject.window_end
    if moment is None:
        undated.append(_undated(subject.id, fact))
        return False
    known = moment.normalize()
    return bool(known <= day if inclusive else known < day)


def _undated(name: str, fact: str) -> Finding:
    text = "the date on which it became known is missing; enter the entry or report date, known dates are not imputed"
    return Finding("DOSE-KNOWN", "stop", "DOSE", text, subject=name, variable=fact)
