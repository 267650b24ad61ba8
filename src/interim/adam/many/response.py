"""Best response of many participants: the ordered rules of the one derivation, read for whole columns of time points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from interim.adam.many.points import Points
from interim.adam.response.assessments import BEST_FIRST, CR, NE, NON, PD, PR, SD, BestRules
from interim.adam.response.best_response import CONFIRMED, UNCONFIRMED, Case
from interim.adam.response.target import TARGET_RULES, Situation
from interim.adam.response.timepoint import NONE, overall_response
from interim.study.efficacy import ResponseTable

NO_SCAN = len(BEST_FIRST)
"""Stands for a time point that does not exist."""
_TARGET_VALUES = (CR, PR, SD, PD, NE, NONE)
_NONTARGET_VALUES = (CR, NON, PD, NE, NONE)
_OVERALL = np.array(
    [
        [[BEST_FIRST.index(overall_response(t, n, new).value) for new in "NY"] for n in _NONTARGET_VALUES]
        for t in _TARGET_VALUES
    ]
)
"""Overall response by target, non-target and new lesion: the table of the one derivation, looked up."""
_CODE = {value: BEST_FIRST.index(value) for value in BEST_FIRST}


@dataclass(frozen=True)
class Scored:
    """Overall responses after baseline.

    Attributes
    ----------
    day : numpy.ndarray of float, shape (n, m)
        Days since 1970-01-01.
    response : numpy.ndarray of int, shape (n, m)
        Place in BEST_FIRST; NO_SCAN before baseline and beyond the last time point.
    baseline : numpy.ndarray of bool, shape (n,)
        Whether there is a scan on or before the first dose.
    """

    day: np.ndarray
    response: np.ndarray
    baseline: np.ndarray


def first_rule(rules: Sequence[tuple[Any, ...]], now: Any, size: int) -> np.ndarray:
    """Return the place of the first rule that holds, for each element.

    Parameters
    ----------
    rules : sequence of tuple
        The last part of each is a condition: situation -> truth or array of truths.
    now : Situation or Case
        With arrays of one length.
    size : int
        That length.

    Returns
    -------
    numpy.ndarray of int
        Places in ``rules``.

    Raises
    ------
    None
    """
    place = np.full(size, -1)
    for number, (*_, holds) in enumerate(rules):
        place[(place < 0) & holds(now)] = number
    return place


def score(points: Points, dose: np.ndarray, *, rules: ResponseTable) -> Scored:
    """Return the overall response of each time point after baseline.

    Parameters
    ----------
    points : Points
        Time points.
    dose : numpy.ndarray of float, shape (n,)
        First dose in days since 1970-01-01.
    rules : ResponseTable
        Thresholds.

    Returns
    -------
    Scored
        Overall responses.

    Raises
    ------
    None

    Notes
    -----
    Baseline is the last complete scan on or before the first dose, else the last of them.
    """
    count, columns = points.day.shape
    if not columns:
        return Scored(points.day, np.zeros((count, 0), dtype=int), np.zeros(count, dtype=bool))
    place = np.arange(columns)
    complete = points.assessed == points.targets[:, None]
    before = points.day <= dose[:, None]
    last_complete = np.where(before & complete, place, -1).max(axis=1)
    baseline = np.where(last_complete >= 0, last_complete, np.where(before, place, -1).max(axis=1))
    later = ~before & (place > baseline[:, None]) & ~np.isnan(points.day)
    target = _targets(points, later, baseline, complete, rules)
    response = _OVERALL[target, _nontargets(points), (points.new > 0).astype(int)]
    return Scored(points.day, np.where(later, response, NO_SCAN), baseline >= 0)


def _targets(
    points: Points, later: np.ndarray, baseline: np.ndarray, complete: np.ndarray, rules: ResponseTable
) -> np.ndarray:
    """Return the target response of each time point as a place in _TARGET_VALUES."""
    count, columns = later.shape
    everyone = np.arange(count)
    has_sum = (baseline >= 0) & complete[everyone, baseline]
    base = np.where(has_sum, points.total[everyone, baseline], np.nan)
    nadir, after_cr = base.copy(), np.zeros(count, dtype=bool)
    values = np.array([_TARGET_VALUES.index(value) for value, _, _ in TARGET_RULES])
    complete_response = [code for _, code, _ in TARGET_RULES].index("T-CR")
    answer = np.zeros(later.shape, dtype=int)
    for column in range(columns):
        total = points.total[:, column]
        now = Situation(
            no_target=points.targets == 0,
            no_baseline=~has_sum,
            incomplete=~complete[:, column],
            normal=points.normal[:, column] == points.targets,
            regrown=points.regrown[:, column] > 0,
            after_cr=after_cr,
            total=total,
            baseline=base,
            nadir=nadir,
            rules=rules,
        )
        place = first_rule(TARGET_RULES, now, count)
        answer[:, column] = values[place]
        after_cr = after_cr | (later[:, column] & (place == complete_response))
        nadir = np.where(later[:, column] & complete[:, column], np.fmin(nadir, total), nadir)
    return answer


def _nontargets(points: Points) -> np.ndarray:
    """Return the non-target response of each time point as a place in _NONTARGET_VALUES."""
    listed = points.nontargets[:, None]
    conditions = [listed == 0, points.progressed > 0, points.known < listed, points.absent == listed]
    values = [_NONTARGET_VALUES.index(value) for value in (NONE, PD, NE, CR)]
    return np.select(conditions, values, _NONTARGET_VALUES.index(NON))


@dataclass(frozen=True)
class Bests:
    """Best response of each participant.

    Attributes
    ----------
    value : numpy.ndarray of int, shape (n,)
        Place in BEST_FIRST; NO_SCAN without an assessment that counts.
    day : numpy.ndarray of float, shape (n,)
        Days from the reference date; NaN without an assessment.
    code : numpy.ndarray of str, shape (n,)
        Reason; empty without an assessment.
    """

    value: np.ndarray
    day: np.ndarray
    code: np.ndarray


def used_responses(
    scored: Scored, reference: np.ndarray, *, before: np.ndarray, last: np.ndarray, rules: BestRules
) -> tuple[np.ndarray, np.ndarray]:
    """Return days from the reference date and the responses that count for the best response.

    Parameters
    ----------
    scored : Scored
        Overall responses.
    reference, before, last : numpy.ndarray of float, shape (n,)
        Reference date, new therapy, and the last day that counts, in days since 1970-01-01; NaN if none.
    rules : BestRules
        Partial response after a complete one.

    Returns
    -------
    tuple of numpy.ndarray, shape (n, m)
        Days, and responses (NO_SCAN where none counts): up to and including the first progression.

    Raises
    ------
    None
    """
    day = scored.day - reference[:, None]
    counts = (scored.response != NO_SCAN) & (day >= 0)
    counts &= ~(scored.day > last[:, None]) & ~(scored.day >= before[:, None])
    response = np.where(counts, scored.response, NO_SCAN)
    if rules.cr_then_pr == "pd":
        after = np.logical_or.accumulate(response == _CODE[CR], axis=1)
        response = np.where(after & (response == _CODE[PR]), _CODE[PD], response)
    ended = np.cumsum(response == _CODE[PD], axis=1) - (response == _CODE[PD])
    return day, np.where(ended > 0, NO_SCAN, response)


def best_responses(day: np.ndarray, response: np.ndarray, *, rules: BestRules, confirmed: bool) -> Bests:
    """Return the best response of each participant.

    Parameters
    ----------
    day, response : numpy.ndarray, shape (n, m)
        From `used_responses`.
    rules : BestRules
        Minimum day, rules of confirmation.
    confirmed : bool
        Whether complete and partial response must be confirmed.

    Returns
    -------
    Bests
        Value, day of its first vote, reason.

    Raises
    ------
    None
    """
    count, columns = response.shape
    table = CONFIRMED if confirmed else UNCONFIRMED
    values = np.array([BEST_FIRST.index(value) for value, _, _ in table])
    codes = np.array([code for _, code, _ in table])
    best = np.full(count, NO_SCAN)
    when, why = np.full(count, np.nan), np.full(count, "", dtype=codes.dtype)
    for column in range(columns):
        said = response[:, column]
        held = _confirmed(day, response, column, rules) if confirmed else np.zeros(count, dtype=bool)
        case = Case(said, held, day[:, column] >= rules.sd_min_day, rules)
        place = first_rule(table, case, count)
        vote = np.where(said == NO_SCAN, NO_SCAN, values[place])
        better = vote < best
        early = (vote == best) & (vote == _CODE[NE]) & (codes[place] == "B-NE-EARLY")
        why = np.where(better | early, codes[place], why)
        when = np.where(better, day[:, column], when)
        best = np.where(better, vote, best)
    return Bests(best, when, why)


def _confirmed(day: np.ndarray, response: np.ndarray, column: int, rules: BestRules) -> np.ndarray:
    """Tell for each participant whether a later scan confirms the response of a time point."""
    it = response[:, column]
    complete = it == _CODE[CR]
    open_window = complete | (it == _CODE[PR])
    answer = np.zeros(len(it), dtype=bool)
    missing, stable = np.zeros(len(it)), np.zeros(len(it))
    spoilt, seen_cr = np.zeros(len(it), dtype=bool), np.zeros(len(it), dtype=bool)
    permitted = np.where(complete, 0, int(rules.accept_one_sd_for_pr))
    for later in range(column + 1, response.shape[1]):
        said = response[:, later]
        cr, pr, sd, ne = (said == _CODE[value] for value in (CR, PR, SD, NE))
        missing, stable = missing + ne, stable + sd
        spoilt = spoilt | ~(cr | pr | sd | ne | (said == NO_SCAN)) | (pr & (complete | seen_cr))
        seen_cr = seen_cr | cr
        far = day[:, later] - day[:, column] >= rules.confirm_min_days
        decides = open_window & far & (cr | (pr & ~complete))
        answer |= decides & ~spoilt & (missing <= rules.max_ne_between) & (stable <= permitted)
        open_window = open_window & ~decides
    return answer
