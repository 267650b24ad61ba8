"""Progression-free survival of many participants: the one derivation of time to event on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from interim.adam.many.response import NO_SCAN, Scored
from interim.adam.response.assessments import BEST_FIRST, PD
from interim.adam.tte.endpoints import ADEQUATE
from interim.adam.tte.specification import CNSR, Endpoint

_ADEQUATE = tuple(BEST_FIRST.index(value) for value in ADEQUATE)
_PD = BEST_FIRST.index(PD)


@dataclass(frozen=True)
class Dates:
    """Dates of each participant in days since 1970-01-01; NaN if none.

    Attributes
    ----------
    start, cut, nact, death : numpy.ndarray of float, shape (n,)
        Start, data cut-off, new anticancer therapy, death.
    ended, assessable : numpy.ndarray of bool, shape (n,)
        Whether the participant left the study; whether disease could be assessed at baseline.
    """

    start: np.ndarray
    cut: np.ndarray
    nact: np.ndarray
    death: np.ndarray
    ended: np.ndarray
    assessable: np.ndarray


@dataclass(frozen=True)
class Times:
    """Time to event of each participant.

    Attributes
    ----------
    at : numpy.ndarray of float, shape (n,)
        Date of event or censoring in days since 1970-01-01.
    days, cnsr : numpy.ndarray of float, shape (n,)
        Time (first day 1); 0 for an event, else the number of the reason. NaN without a start, or with a death before it.
    code : numpy.ndarray of str, shape (n,)
        Reason; empty without a time.
    """

    at: np.ndarray
    days: np.ndarray
    cnsr: np.ndarray
    code: np.ndarray


def progression_free(scored: Scored, dates: Dates, endpoint: Endpoint) -> Times:
    """Return progression-free survival.

    Parameters
    ----------
    scored : Scored
        Overall responses after baseline.
    dates : Dates
        Dates.
    endpoint : Endpoint
        Specification: events pd, nact and death, truncations, gap rule off or by days.

    Returns
    -------
    Times
        One time per participant.

    Raises
    ------
    None
    """
    inside = _inside(scored, dates, endpoint)
    progressed = inside & (scored.response == _PD)
    pd_day = _earliest(scored.day, progressed)
    adequate = inside & np.isin(scored.response, _ADEQUATE) & ~(scored.day > pd_day[:, None])
    event, kind, source = _event(pd_day, dates, endpoint)
    before = adequate & ~(scored.day >= event[:, None])
    previous = np.fmax(_latest(scored.day, before), dates.start)
    gap = _after_gap(event, previous, source, endpoint)
    happened = ~np.isnan(event) & ~gap
    last = np.fmax(_latest(scored.day, adequate), dates.start)
    reason = np.where(gap, "K-GAP", _reason(np.any(adequate, axis=1), dates, endpoint))
    censored = np.where(gap, previous, np.where(reason == "K-NOBASE", dates.start, last))
    valid = ~np.isnan(dates.start) & ~(dates.death < dates.start)
    at = np.where(valid, np.where(happened, event, censored), np.nan)
    code = np.where(happened, kind, reason)
    numbers: Mapping[str, int] = CNSR
    cnsr = np.array([numbers.get(name, 0) for name in np.unique(code)])[
        np.unique(code, return_inverse=True)[1]
    ]
    return Times(at, at - dates.start + 1, np.where(valid, cnsr, np.nan), np.where(valid, code, ""))


def _bounds(dates: Dates, endpoint: Endpoint) -> list[tuple[np.ndarray, bool]]:
    known = {"cut": dates.cut, "nact": dates.nact}
    return [(known[rule.source], rule.strict) for rule in endpoint.truncations]


def _outside(day: np.ndarray, dates: Dates, endpoint: Endpoint) -> np.ndarray:
    answer = np.zeros(day.shape, dtype=bool)
    for bound, strict in _bounds(dates, endpoint):
        limit = bound[:, None] if day.ndim > 1 else bound
        answer |= day >= limit if strict else day > limit
    return answer


def _inside(scored: Scored, dates: Dates, endpoint: Endpoint) -> np.ndarray:
    """Tell which assessments lie in the window of evidence, from the start to the death."""
    late = (scored.day < dates.start[:, None]) | (scored.day > dates.death[:, None])
    return np.asarray((scored.response != NO_SCAN) & ~late & ~_outside(scored.day, dates, endpoint))


def _earliest(day: np.ndarray, which: np.ndarray) -> np.ndarray:
    found = np.where(which, day, np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(found), found, np.nan)


def _latest(day: np.ndarray, which: np.ndarray) -> np.ndarray:
    found = np.where(which, day, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(found), found, np.nan)


def _event(pd_day: np.ndarray, dates: Dates, endpoint: Endpoint) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return day, reason and source of the earliest event; of two on a day the earlier entry of the list wins."""
    days = {"pd": pd_day, "nact": dates.nact, "death": dates.death}
    best = np.full(len(pd_day), np.inf)
    kind, source = np.full(len(pd_day), "", dtype="<U9"), np.full(len(pd_day), "", dtype="<U9")
    for rule in endpoint.events:
        day = days[rule.source]
        counts = (day >= dates.start) & ~_outside(day, dates, endpoint) & (day < best)
        best = np.where(counts, day, best)
        kind, source = np.where(counts, rule.code, kind), np.where(counts, rule.source, source)
    return np.where(np.isfinite(best), best, np.nan), kind, source


def _after_gap(event: np.ndarray, previous: np.ndarray, source: np.ndarray, endpoint: Endpoint) -> np.ndarray:
    if endpoint.gap.kind == "off":
        return np.zeros(len(event), dtype=bool)
    covered = np.isin(source, endpoint.gap.applies_to)
    return np.asarray(covered & (event - previous > endpoint.gap.days))


def _reason(assessed: np.ndarray, dates: Dates, endpoint: Endpoint) -> np.ndarray:
    """Return the reason of a censoring, the first that applies."""
    therapy = any(rule.source == "nact" for rule in endpoint.truncations)
    ends = therapy & ~np.isnan(dates.nact) & ~(dates.nact > dates.cut)
    left = dates.ended | ~np.isnan(dates.death)
    conditions = [~dates.assessable, ends, ~assessed, left]
    return np.select(conditions, ["K-NOBASE", "K-NACT", "K-NOPOST", "K-END"], "K-CUT")
