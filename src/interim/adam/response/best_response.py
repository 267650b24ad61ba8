"""Best overall response, unconfirmed and confirmed, and the endpoints that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from interim.adam.response.assessments import (
    BEST_FIRST,
    CR,
    MISSING,
    ND,
    NE,
    NED,
    NON,
    PD,
    PR,
    SD,
    UPD,
    Assessment,
    BestRules,
)

RESPONSES = (CR, PR)
CONTROL = (CR, PR, SD, NON)


@dataclass(frozen=True)
class Best:
    """A category with its day and reason.

    Attributes
    ----------
    value : str
        Category, or Y / N for an endpoint.
    day : int or None
        Day of the first assessment with the category.
    codes : tuple of str
        Reasons; the first is the one that decided.
    key : int
        Time point that gave the day; -1 if none.
    confirmed_by : int
        Time point that confirmed; -1 if none.
    """

    value: str
    day: int | None
    codes: tuple[str, ...] = ()
    key: int = -1
    confirmed_by: int = -1


@dataclass(frozen=True)
class _Vote:
    """What one assessment says."""

    value: str
    code: str
    of: Assessment
    confirmed_by: int = -1


@dataclass(frozen=True)
class Case:
    """One assessment as the rules see it, or an array of them.

    Attributes
    ----------
    response : str or numpy.ndarray of int
        Overall response; in an array its place in BEST_FIRST.
    confirmed, late : bool or numpy.ndarray of bool
        Whether a later scan confirms it; whether it lies on or after the day from which stable disease counts.
    rules : BestRules
        Rules of the best overall response.
    """

    response: Any
    confirmed: Any
    late: Any
    rules: BestRules

    def says(self, *values: str) -> Any:
        """Tell whether the response is one of some values.

        Parameters
        ----------
        *values : str
            Overall responses.

        Returns
        -------
        bool or numpy.ndarray of bool
            True if it is.

        Raises
        ------
        None
        """
        if isinstance(self.response, str):
            return self.response in values
        return np.isin(self.response, [BEST_FIRST.index(value) for value in values])


UNCONFIRMED: tuple[tuple[str, str, Callable[[Case], Any]], ...] = (
    (CR, "B-CR", lambda case: case.says(CR)),
    (PR, "B-PR", lambda case: case.says(PR)),
    (PD, "B-PD", lambda case: case.says(PD)),
    (UPD, "B-UPD", lambda case: case.says(UPD)),
    (SD, "B-SD", lambda case: case.says(SD) & case.late),
    (NON, "B-NON", lambda case: case.says(NON) & case.late),
    (NED, "B-NED", lambda case: case.says(NED) & case.late & case.rules.accept_ned),
    (ND, "B-ND", lambda case: case.says(ND)),
    (NE, "B-NE-EARLY", lambda case: case.says(SD, NON, NED)),
    (NE, "B-NE-ALL", lambda case: True),
)
"""Vote of one assessment for the best overall response: the first rule that holds decides."""

CONFIRMED: tuple[tuple[str, str, Callable[[Case], Any]], ...] = (
    (CR, "C-CR", lambda case: case.says(CR) & case.confirmed),
    (PR, "C-PR", lambda case: case.says(PR) & case.confirmed),
    (SD, "C-SD-UNCONF", lambda case: case.says(CR, PR) & case.late),
    (SD, "C-SD", lambda case: case.says(SD) & case.late),
    (NON, "C-NON", lambda case: case.says(NON) & case.late),
    (NED, "C-NED", lambda case: case.says(NED) & case.late & case.rules.accept_ned),
    (PD, "C-PD", lambda case: case.says(PD)),
    (UPD, "C-UPD", lambda case: case.says(UPD)),
    (ND, "B-ND", lambda case: case.says(ND)),
    (NE, "B-NE-EARLY", lambda case: case.says(CR, PR, SD, NON, NED)),
    (NE, "B-NE-ALL", lambda case: True),
)
"""The same where complete and partial response must be confirmed."""


def best_overall_response(
    assessments: Sequence[Assessment],
    *,
    rules: BestRules,
    confirmed: bool,
    early_death: bool = False,
) -> Best:
    """Return the best overall response.

    Parameters
    ----------
    assessments : sequence of Assessment
        Those that count (`used`), in the order of time.
    rules : BestRules
        Minimum day of stable disease and rules of confirmation.
    confirmed : bool
        Whether complete and partial response must be confirmed.
    early_death : bool
        Whether the participant died before any assessment.

    Returns
    -------
    Best
        Category, day of its first assessment, reason.

    Raises
    ------
    None

    Examples
    --------
    >>> from interim.study.efficacy import ResponseTable
    >>> scans = [Assessment(56, "PR"), Assessment(83, "PR")]
    >>> rules = BestRules.of(ResponseTable())
    >>> [best_overall_response(scans, rules=rules, confirmed=yes).value for yes in (False, True)]
    ['PR', 'SD']
    """
    if not assessments:
        return _without_assessment(rules, early_death)
    votes = [_vote(assessments, place, rules, confirmed=confirmed) for place in range(len(assessments))]
    best = min(votes, key=lambda vote: (_rank(vote.value), vote.of.dated))
    same = [vote for vote in votes if vote.value == best.value]
    codes = [vote.code for vote in same] if best.value == NE else [best.code]
    code = min(codes, key=lambda name: name != "B-NE-EARLY")
    return Best(best.value, best.of.dated, (code,), best.of.key, best.confirmed_by)


def _rank(value: str) -> int:
    """Return the place in the best-first order; a record not done ranks with NE."""
    return BEST_FIRST.index(NE if value == ND else value)


def _without_assessment(rules: BestRules, early_death: bool) -> Best:
    if early_death:
        return Best(NE, None, ("B-NE-DEATH",))
    return Best(NE if rules.missing_as_ne else MISSING, None, ("B-MISSING",))


def _vote(assessments: Sequence[Assessment], place: int, rules: BestRules, *, confirmed: bool) -> _Vote:
    it = assessments[place]
    confirming = confirming_scan(assessments, place, rules=rules) if confirmed else None
    case = Case(it.response, confirming is not None, it.day >= rules.sd_min_day, rules)
    table = CONFIRMED if confirmed else UNCONFIRMED
    value, code = next((value, code) for value, code, holds in table if holds(case))
    return _Vote(value, code, it, confirming.key if confirming else -1)


def confirming_scan(assessments: Sequence[Assessment], place: int, *, rules: BestRules) -> Assessment | None:
    """Return the assessment that confirms a complete or partial response.

    Parameters
    ----------
    assessments : sequence of Assessment
        Those that count, in the order of time.
    place : int
        Which of them is to be confirmed.
    rules : BestRules
        Days to the confirming scan, NE and SD permitted between.

    Returns
    -------
    Assessment or None
        The first later assessment, far enough away, with an equal or better response, if nothing between forbids it.

    Raises
    ------
    None

    Notes
    -----
    There is no second try: if the window up to the first qualifying scan fails, the response is not confirmed.
    """
    it = assessments[place]
    if it.response not in RESPONSES:
        return None
    good = (CR,) if it.response == CR else RESPONSES
    window: list[Assessment] = []
    for later in assessments[place + 1 :]:
        window.append(later)
        if later.response in good and later.day - it.day >= rules.confirm_min_days:
            return later if _window_holds(it.response, [a.response for a in window], rules) else None
    return None


def _window_holds(response: str, window: Sequence[str], rules: BestRules) -> bool:
    """Tell whether nothing in the window forbids the confirmation."""
    missing = sum(value in (NE, ND) for value in window)
    stable = window.count(SD)
    if missing > rules.max_ne_between:
        return False
    if response == CR:
        return all(value in (CR, NE, ND) for value in window)
    if stable > (1 if rules.accept_one_sd_for_pr else 0):
        return False
    after_cr = window[window.index(CR) :] if CR in window else []
    return all(value in (CR, PR, NE, ND, SD) for value in window) and PR not in after_cr


def pending(assessments: Sequence[Assessment], *, rules: BestRules, closed: bool = False) -> bool:
    """Tell whether a better confirmed response can still come.

    Parameters
    ----------
    assessments : sequence of Assessment
        Those that count, in the order of time.
    rules : BestRules
        Rules of confirmation.
    closed : bool
        True if no further assessment can count (death, new anticancer therapy).

    Returns
    -------
    bool
        True if a complete or partial response is unconfirmed, better than what is confirmed, and its confirming scan is still
        to come.

    Raises
    ------
    None
    """
    if closed or any(a.response == PD for a in assessments):
        return False
    reached = best_overall_response(assessments, rules=rules, confirmed=True).value
    return any(
        _rank(it.response) < _rank(reached) and _can_still_be_confirmed(assessments, place, rules)
        for place, it in enumerate(assessments)
        if it.response in RESPONSES and reached != MISSING
    )


def _can_still_be_confirmed(assessments: Sequence[Assessment], place: int, rules: BestRules) -> bool:
    it = assessments[place]
    later = assessments[place + 1 :]
    due = any(a.response not in (NE, ND) and a.day - it.day >= rules.confirm_min_days for a in later)
    return not due and _window_holds(it.response, [a.response for a in later], rules)


def first_response(assessments: Sequence[Assessment], *, rules: BestRules, confirmed: bool) -> Best:
    """Return the first complete or partial response.

    Parameters
    ----------
    assessments : sequence of Assessment
        Those that count, in the order of time.
    rules : BestRules
        Rules of confirmation.
    confirmed : bool
        Whether it must be confirmed.

    Returns
    -------
    Best
        Y with the day of the response (not of the confirming scan), or N.

    Raises
    ------
    None
    """
    for place, it in enumerate(assessments):
        by = confirming_scan(assessments, place, rules=rules)
        if it.response in RESPONSES and (by is not None or not confirmed):
            return Best("Y", it.day, (), it.key, by.key if by and confirmed else -1)
    return Best("N", None)


def first_of(assessments: Iterable[Assessment], value: str) -> Best:
    """Return the first assessment with a value.

    Parameters
    ----------
    assessments : iterable of Assessment
        In the order of time.
    value : str
        Overall response.

    Returns
    -------
    Best
        Y with its day, or N.

    Raises
    ------
    None
    """
    it = next((a for a in assessments if a.response == value), None)
    return Best("N", None) if it is None else Best("Y", it.dated, (), it.key)


def clinical_benefit(
    assessments: Sequence[Assessment],
    *,
    rules: BestRules,
    response: Best,
    progression: int | None,
) -> Best:
    """Return whether there was clinical benefit.

    Parameters
    ----------
    assessments : sequence of Assessment
        All within the limits, in the order of time, without truncation at progression.
    rules : BestRules
        Values that count, minimum day, what progression does.
    response : Best
        Response (confirmed or not) that counts at any day.
    progression : int or None
        Day of the first progression.

    Returns
    -------
    Best
        Y with the earlier of the day of the response and of the first value that counts, or N.

    Raises
    ------
    None
    """
    end = progression if rules.cbr_stop_at_pd else None
    found = [
        Best("Y", a.day, (), a.key)
        for a in assessments
        if a.response in rules.cbr_values and a.day >= rules.cbr_min_day and (end is None or a.day < end)
    ]
    if response.value == "Y":
        found.append(response)
    if rules.cbr_pd_after_window and progression is not None and progression > rules.cbr_min_day:
        found += [Best("Y", a.day, (), a.key) for a in assessments if a.day == progression][:1]
    return min(found, key=lambda best: best.day or 0) if found else Best("N", None)


def disease_control(best: Best) -> Best:
    """Return whether a best response is disease control.

    Parameters
    ----------
    best : Best
        Best overall response, confirmed or not.

    Returns
    -------
    Best
        Y with the day of the best response for CR, PR, SD and NON-CR/NON-PD; else N.

    Raises
    ------
    None
    """
    return _among(best, CONTROL)


def best_is_response(best: Best) -> Best:
    """Return whether a best response is a complete or partial response.

    Parameters
    ----------
    best : Best
        Best overall response, confirmed or not.

    Returns
    -------
    Best
        Y with the day of the best response, or N.

    Raises
    ------
    None
    """
    return _among(best, RESPONSES)


def _among(best: Best, values: tuple[str, ...]) -> Best:
    return Best("Y", best.day, (), best.key) if best.value in values else Best("N", None)
