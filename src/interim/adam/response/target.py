"""Target lesions: sums, nadir and target response of every visit of one participant by one evaluator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from interim.adam.response.lesions import NO_ROW, Contribution
from interim.study.efficacy import ResponseTable

TOLERANCE_MM = 1e-9
# One visit (bool, float) or an array of visits (numpy.ndarray); numpy's own types cannot say so in one word.
Truth = Any
Length = Any


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
class Situation:
    """All that a rule may look at: one visit, or an array of visits of many participants.

    Attributes
    ----------
    no_target, no_baseline : bool or numpy.ndarray of bool
        No target lesion was chosen; a target has no baseline.
    incomplete, normal, regrown : bool or numpy.ndarray of bool
        A lesion is missing; every assessed one is gone (a node: small), none merged or split; one that is no node is seen.
    after_cr : bool or numpy.ndarray of bool
        Whether an earlier visit was a complete response.
    total, baseline, nadir : float or numpy.ndarray of float
        Millimetres; NaN if unknown.
    rules : ResponseTable
        Thresholds.
    """

    no_target: Truth
    no_baseline: Truth
    incomplete: Truth
    normal: Truth
    regrown: Truth
    after_cr: Truth
    total: Length
    baseline: Length
    nadir: Length
    rules: ResponseTable

    @property
    def complete(self) -> Truth:
        """Whether no lesion is missing."""
        return np.logical_not(self.incomplete)


def _sum_progressed(now: Situation) -> Truth:
    counts = now.complete | now.rules.partial_sum_pd
    return counts & progressed(now.total, now.nadir, rules=now.rules)


def _partial_response(now: Situation) -> Truth:
    return now.total <= now.baseline * (1 - now.rules.pr_pct / 100) + TOLERANCE_MM


TARGET_RULES: tuple[tuple[str, str, Callable[[Situation], Truth]], ...] = (
    ("NONE", "T-NONE", lambda now: now.no_target),
    ("NE", "T-NOBASE", lambda now: now.no_baseline),
    ("CR", "T-CR", lambda now: now.complete & now.normal),
    ("PD", "T-PD-REAPP", lambda now: now.after_cr & now.regrown & now.rules.reappearance_is_pd),
    ("PD", "T-PD-SUM", _sum_progressed),
    ("NE", "T-NE", lambda now: now.incomplete),
    ("PR", "T-PR", _partial_response),
    ("SD", "T-SD", lambda now: True),
)
"""Target response: the first rule that holds decides; a condition reads one visit or an array of them."""


def progressed(total: Length, nadir: Length, *, rules: ResponseTable) -> Truth:
    """Tell whether a sum is progression against a nadir: the absolute and the relative increase are both reached.

    Parameters
    ----------
    total, nadir : float or numpy.ndarray of float
        Millimetres.
    rules : ResponseTable
        ``pd_abs_mm`` and ``pd_pct``.

    Returns
    -------
    bool or numpy.ndarray of bool
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
    return absolute & (total > nadir) & (total >= nadir * (1 + rules.pd_pct / 100) - TOLERANCE_MM)


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
        seen = {name: visit.get(name, NO_ROW) for name in names}
        now = _situation(roster, seen, nadir, after_cr, rules)
        response, code = next((value, code) for value, code, holds in TARGET_RULES if holds(now))
        missing = tuple(name for name, lesion in seen.items() if lesion.missing)
        total = None if len(missing) == len(seen) else float(now.total)
        course.append(TargetVisit(total, bool(now.complete), nadir, response, code, missing))
        after_cr = after_cr or code == "T-CR"
        if now.complete and nadir is not None:
            nadir = min(nadir, float(now.total))
    return tuple(course)


def _situation(
    roster: Roster,
    seen: Mapping[str, Contribution],
    nadir: float | None,
    after_cr: bool,
    rules: ResponseTable,
) -> Situation:
    grown = (name for name, lesion in seen.items() if lesion.mm and name not in roster.nodal)
    baseline = roster.total
    return Situation(
        no_target=not roster.lesions,
        no_baseline=baseline is None,
        incomplete=not seen or any(lesion.missing for lesion in seen.values()),
        normal=all(_normal(name, lesion, roster, rules) for name, lesion in seen.items()),
        regrown=next(grown, None) is not None,
        after_cr=after_cr,
        total=math.fsum(lesion.mm for lesion in seen.values() if lesion.mm is not None),
        baseline=math.nan if baseline is None else baseline,
        nadir=math.nan if nadir is None else nadir,
        rules=rules,
    )


def _normal(name: str, lesion: Contribution, roster: Roster, rules: ResponseTable) -> bool:
    if lesion.blocks_cr or lesion.mm is None:
        return False
    return lesion.mm < rules.nodal_cr_mm if name in roster.nodal else lesion.gone
