"""Assessments: dated overall responses, and which of them count for the best overall response."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from interim.study.efficacy import ResponseTable

CR, PR, SD, NON, NED, PD, UPD, NE, ND = "CR", "PR", "SD", "NON-CR/NON-PD", "NED", "PD", "iUPD", "NE", "ND"
MISSING = "MISSING"
BEST_FIRST = (CR, PR, SD, NON, NED, PD, UPD, NE, ND)
"""Order in which the best overall response is chosen; iUPD stands for itself in iRECIST, NED and ND only if kept."""
_WORST_LAST = (NE, ND, CR, PR, SD, NON, NED, UPD, PD)
DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Assessment:
    """One overall response.

    Attributes
    ----------
    day : int
        Days from the reference date; 0 is the same day.
    response : str
        Overall response.
    key : int
        Names the time point; the caller's.
    voted : int or None
        Day that is printed for the vote if it differs from the day of the assessment (first iUPD of an iCPD).
    """

    day: int
    response: str
    key: int = -1
    voted: int | None = None

    @property
    def dated(self) -> int:
        """Day that is printed for the vote."""
        return self.day if self.voted is None else self.voted


@dataclass(frozen=True)
class BestRules:
    """Rules of the best overall response, in days.

    Attributes
    ----------
    sd_min_day, cbr_min_day, confirm_min_days : float
        Day from which stable disease counts, from which clinical benefit counts; days to the confirming scan.
    max_ne_between : int
        NE permitted before the confirming scan.
    accept_one_sd_for_pr, missing_as_ne, accept_ned, cbr_pd_after_window, cbr_stop_at_pd : bool
        As in the table ``response`` of the study.
    not_done : {"as_ne", "drop", "keep"}
        Records not done.
    cr_then_pr : {"keep", "pd"}
        Partial response after a complete one.
    cbr_values : tuple of str
        Values that count for clinical benefit.
    stop_at_pd : bool
        Whether assessments after the first progression are left out.
    """

    sd_min_day: float
    cbr_min_day: float
    confirm_min_days: float
    max_ne_between: int
    accept_one_sd_for_pr: bool
    missing_as_ne: bool
    accept_ned: bool
    cbr_pd_after_window: bool
    cbr_stop_at_pd: bool
    not_done: Literal["as_ne", "drop", "keep"]
    cr_then_pr: Literal["keep", "pd"]
    cbr_values: tuple[str, ...]
    stop_at_pd: bool = True

    @classmethod
    def of(cls, response: ResponseTable) -> BestRules:
        """Return the rules of a study.

        Parameters
        ----------
        response : ResponseTable
            Table ``response`` of the study.

        Returns
        -------
        BestRules
            The same rules, weeks turned into days.

        Raises
        ------
        None
        """
        return cls(
            sd_min_day=response.sd_min_day,
            cbr_min_day=DAYS_PER_WEEK * response.cbr_weeks,
            confirm_min_days=response.confirm_min_days,
            max_ne_between=response.max_ne_between,
            accept_one_sd_for_pr=response.accept_one_sd_for_pr,
            missing_as_ne=response.missing_as_ne,
            accept_ned=response.accept_ned,
            cbr_pd_after_window=response.cbr_pd_after_window,
            cbr_stop_at_pd=response.cbr_stop_at_pd,
            not_done=response.not_done,
            cr_then_pr=response.cr_then_pr,
            cbr_values=response.cbr_values,
        )


@dataclass(frozen=True)
class Limits:
    """Days between which assessments count.

    Attributes
    ----------
    first : int or None
        First day that counts; None is no limit.
    last : int or None
        Last day that counts (data cut-off, or a progression from another source).
    before : int or None
        Day of a new anticancer therapy: only earlier assessments count.
    """

    first: int | None = 0
    last: int | None = None
    before: int | None = None

    def hold(self, day: int) -> bool:
        """Tell whether an assessment of this day counts.

        Parameters
        ----------
        day : int
            Days from the reference date.

        Returns
        -------
        bool
            True if it lies within all limits.

        Raises
        ------
        None
        """
        return (
            (self.first is None or day >= self.first)
            and (self.last is None or day <= self.last)
            and (self.before is None or day < self.before)
        )


def used(
    assessments: Iterable[Assessment], *, rules: BestRules, limits: Limits | None = None
) -> tuple[Assessment, ...]:
    """Return the assessments that count, one per day, in the order of time.

    Parameters
    ----------
    assessments : iterable of Assessment
        In any order; the baseline scan is not among them.
    rules : BestRules
        Rules of the best overall response.
    limits : Limits, optional
        Days between which assessments count; by default from the reference date on.

    Returns
    -------
    tuple of Assessment
        Up to and including the first progression; of one day the worst in the order NE, CR, PR, SD, NON-CR/NON-PD, PD.

    Raises
    ------
    None

    Notes
    -----
    A value outside the list counts as NE.
    """
    within = limits or Limits()
    kept = [_read(a, rules) for a in assessments if within.hold(a.day)]
    by_day: dict[int, Assessment] = {}
    for item in sorted(
        (a for a in kept if a is not None), key=lambda a: (a.day, -_WORST_LAST.index(a.response), a.key)
    ):
        by_day.setdefault(item.day, item)
    ordered = _after_complete(tuple(by_day.values()), rules)
    return up_to_first(ordered, PD) if rules.stop_at_pd else ordered


def _read(assessment: Assessment, rules: BestRules) -> Assessment | None:
    """Return the assessment with a value of the list, None if it is dropped."""
    value = assessment.response
    if value == ND:
        if rules.not_done == "drop":
            return None
        return assessment if rules.not_done == "keep" else replace(assessment, response=NE)
    return assessment if value in BEST_FIRST else replace(assessment, response=NE)


def _after_complete(assessments: tuple[Assessment, ...], rules: BestRules) -> tuple[Assessment, ...]:
    """Return the assessments with a partial response after a complete one read as progression, if the study says so."""
    if rules.cr_then_pr == "keep":
        return assessments
    answer, complete = [], False
    for item in assessments:
        answer.append(replace(item, response=PD) if complete and item.response == PR else item)
        complete = complete or item.response == CR
    return tuple(answer)


def up_to_first(assessments: Sequence[Assessment], value: str) -> tuple[Assessment, ...]:
    """Return the assessments up to and including the first with a value.

    Parameters
    ----------
    assessments : sequence of Assessment
        In the order of time.
    value : str
        Overall response.

    Returns
    -------
    tuple of Assessment
        All of them if none has the value.

    Raises
    ------
    None
    """
    end = next((place for place, item in enumerate(assessments) if item.response == value), len(assessments))
    return tuple(assessments[: end + 1])
