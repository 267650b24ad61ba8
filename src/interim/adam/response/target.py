"""Target lesions: sums, nadir and target response of every visit of one participant by one evaluator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from interim.adam.response.lesions import NO_ROW, Contribution
from interim.study.efficacy import ResponseTable

TOLERANCE_MM = 1e-9


@dataclass(frozen=True)
class Roster:
    """The target lesions at baseline.

    Attributes
    ----------
    lesions : tuple of str
        Ids of the lesions that enter the sum.
    nodal : frozenset of str
        Those that are lymph nodes.
    baseline : mapping of str to float
        Diameter at baseline in mm; a lesion without one is absent.
    """

    lesions: tuple[str, ...]
    nodal: frozenset[str]
    baseline: Mapping[str, float]

    @property
    def total(self) -> float | None:
        """Baseline sum; None if a lesion has no baseline."""
        if any(lesion not in self.baseline for lesion in self.lesions):
            return None
        return math.fsum(self.baseline[lesion] for lesion in self.lesions)


@dataclass(frozen=True)
class TargetVisit:
    """Sum and target response of one visit.

    Attributes
    ----------
    total : float or None
        Sum of the assessed lesions in mm; None if no lesion was assessed.
    complete : bool
        True if no lesion is missing.
    nadir : float or None
        Smallest of the baseline sum and all earlier complete sums.
    response, code : str
        Target response and its reason.
    missing : tuple of str
        Lesions that could not be assessed.
    """

    total: float | None
    complete: bool
    nadir: float | None
    response: str
    code: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Situation:
    """All that a rule may look at."""

    roster: Roster
    seen: Mapping[str, Contribution]
    total: float
    complete: bool
    nadir: float | None
    after_cr: bool
    rules: ResponseTable


def _complete_response(now: _Situation) -> bool:
    return now.complete and not any(
        lesion.blocks_cr or not _normal(now, name, lesion) for name, lesion in now.seen.items()
    )


def _normal(now: _Situation, name: str, lesion: Contribution) -> bool:
    if name in now.roster.nodal:
        return lesion.mm is not None and lesion.mm < now.rules.nodal_cr_mm
    return lesion.gone


def _reappeared(now: _Situation) -> bool:
    grown = (name for name, lesion in now.seen.items() if lesion.mm and name not in now.roster.nodal)
    return now.rules.reappearance_is_pd and now.after_cr and next(grown, None) is not None


def _sum_progressed(now: _Situation) -> bool:
    if now.nadir is None or not (now.complete or now.rules.partial_sum_pd):
        return False
    return progressed(now.total, now.nadir, rules=now.rules)


def _partial_response(now: _Situation) -> bool:
    baseline = now.roster.total
    return baseline is not None and now.total <= baseline * (1 - now.rules.pr_pct / 100) + TOLERANCE_MM


_RULES: tuple[tuple[str, str, Callable[[_Situation], bool]], ...] = (
    ("NONE", "T-NONE", lambda now: not now.roster.lesions),
    ("NE", "T-NOBASE", lambda now: now.roster.total is None),
    ("CR", "T-CR", _complete_response),
    ("PD", "T-PD-REAPP", _reappeared),
    ("PD", "T-PD-SUM", _sum_progressed),
    ("NE", "T-NE", lambda now: not now.complete),
    ("PR", "T-PR", _partial_response),
    ("SD", "T-SD", lambda now: True),
)


def progressed(total: float, nadir: float, *, rules: ResponseTable) -> bool:
    """Tell whether a sum is progression against a nadir: the absolute and the relative increase are both reached.

    Parameters
    ----------
    total, nadir : float
        Millimetres.
    rules : ResponseTable
        ``pd_abs_mm`` and ``pd_pct``.

    Returns
    -------
    bool
        True for progression; with nadir 0 the absolute increase decides.

    Raises
    ------
    None

    Examples
    --------
    >>> progressed(119, 100, rules=ResponseTable()), progressed(120, 100, rules=ResponseTable())
    (False, True)
    """
    absolute = total - nadir >= rules.pd_abs_mm - TOLERANCE_MM
    return absolute and total > nadir and total >= nadir * (1 + rules.pd_pct / 100) - TOLERANCE_MM


def target_course(
    roster: Roster, visits: Sequence[Mapping[str, Contribution]], *, rules: ResponseTable
) -> tuple[TargetVisit, ...]:
    """Return sum, nadir and target response of each visit after baseline.

    Parameters
    ----------
    roster : Roster
        Target lesions and their baseline.
    visits : sequence of mapping of str to Contribution
        In the order of time: lesion id -> contribution; a lesion that is absent from the mapping has no row.
    rules : ResponseTable
        Thresholds.

    Returns
    -------
    tuple of TargetVisit
        One per visit.

    Raises
    ------
    None

    Notes
    -----
    The first rule that applies decides: no target lesion; no baseline; complete response; reappearance after a complete
    response; increase of the sum, even of an incomplete one; a missing lesion; partial response; stable disease. A visit
    never enters its own nadir, and an incomplete sum enters none. An id outside the roster is a missing lesion.
    """
    nadir, after_cr = roster.total, False
    course = []
    for visit in visits:
        names = (*roster.lesions, *(name for name in visit if name not in roster.lesions))
        now = _situation(roster, {name: visit.get(name, NO_ROW) for name in names}, nadir, after_cr, rules)
        response, code = next((value, code) for value, code, holds in _RULES if holds(now))
        missing = tuple(name for name, lesion in now.seen.items() if lesion.missing)
        total = None if len(missing) == len(now.seen) else now.total
        course.append(TargetVisit(total, now.complete, nadir, response, code, missing))
        after_cr = after_cr or code == "T-CR"
        if now.complete and nadir is not None:
            nadir = min(nadir, now.total)
    return tuple(course)


def _situation(
    roster: Roster,
    seen: Mapping[str, Contribution],
    nadir: float | None,
    after_cr: bool,
    rules: ResponseTable,
) -> _Situation:
    total = math.fsum(lesion.mm for lesion in seen.values() if lesion.mm is not None)
    complete = bool(seen) and not any(lesion.missing for lesion in seen.values())
    return _Situation(roster, seen, total, complete, nadir, after_cr, rules)
