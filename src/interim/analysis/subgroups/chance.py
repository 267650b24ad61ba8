"""What chance alone can do to the real labels: the gap between levels, and the smallest p-value that could be reached."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from interim.analysis.subgroups.model import Factor, Flags, Floats, Integers, Outcome, gap, level_counts
from interim.errors import StudyError
from interim.stats import PermutationPlan, smallest_p
from interim.study import Study

SLACK = 1e-9


@dataclass(frozen=True)
class Chance:
    """The chance of a gap if no factor had anything to do with the response.

    Attributes
    ----------
    single : tuple of float
        Chance of a gap of the stated size, by factor.
    any : float
        Chance that at least one factor shows it.
    error : float
        Largest Monte Carlo standard error; 0 if every assignment was counted.
    arrangements : int
        Assignments that were counted.
    """

    single: tuple[float, ...]
    any: float
    error: float
    arrangements: int


def seed_of(study: Study, analysis_id: str) -> int:
    """Return the seed of an analysis that draws.

    Parameters
    ----------
    study : Study
        ``study.seed``.
    analysis_id : str
        Name of the question.

    Returns
    -------
    int
        A different one for each analysis of a study.

    Raises
    ------
    StudyError
        If the study states no seed.
    """
    if study.study.seed is None:
        raise StudyError(
            f"study.seed: {analysis_id} has too many assignments to count and must draw; state a seed"
        )
    digest = hashlib.sha256(f"{study.study.seed}/{analysis_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def response_plan(events: Floats, study: Study, *, analysis_id: str) -> PermutationPlan:
    """Return the plan of a binary outcome: all assignments where they can be counted, else draws.

    Parameters
    ----------
    events : ndarray of float, shape (n,)
        0 or 1.
    study : Study
        ``stats.max_exact``, ``stats.draws``, seed.
    analysis_id : str
        Name of the question.

    Returns
    -------
    PermutationPlan
        Binary and complete, or of whole records.

    Raises
    ------
    StudyError
        If draws are needed and the study states no seed.
    """
    n, r = len(events), int(events.sum())
    if math.comb(n, r) <= study.stats.max_exact:
        return PermutationPlan.binary(n, r, max_exact=study.stats.max_exact)
    return PermutationPlan.sample(n, draws=study.stats.draws, seed=seed_of(study, analysis_id))


def chance_of_gap(factors: tuple[Factor, ...], outcome: Outcome, study: Study, *, analysis_id: str) -> Chance:
    """Return how often chance alone shows a gap between levels.

    Parameters
    ----------
    factors : tuple of Factor
        Labels, which stay as they are.
    outcome : Outcome
        Binary.
    study : Study
        ``subgroup.gap_pp``, ``subgroup.min_ci_n``.
    analysis_id : str
        Name of the question.

    Returns
    -------
    Chance
        By complete enumeration up to ``stats.max_exact`` assignments.

    Raises
    ------
    StudyError
        If draws are needed and the study states no seed.
    """
    known = outcome.known
    r, n = int(np.nansum(outcome.values)), int(known.sum())
    if r in (0, n):
        return Chance((0.0,) * len(factors), 0.0, 0.0, 1)
    events = outcome.values[known]
    plan = response_plan(events, study, analysis_id=analysis_id)
    outcomes = plan.index if plan.exact else events[plan.index]
    hits = np.array([_hits(outcomes, factor.members[known], study) for factor in factors], dtype=np.bool_)
    single = tuple(float(hit.mean()) for hit in hits)
    some = float(hits.any(axis=0).mean()) if len(hits) else 0.0
    worst = max((p * (1 - p) for p in (*single, some)), default=0.0)
    return Chance(single, some, 0.0 if plan.exact else math.sqrt(worst / len(outcomes)), len(outcomes))


def _hits(outcomes: Integers | Floats, members: Flags, study: Study) -> Flags:
    """Tell in which assignments a factor shows a gap of the stated size; a matrix product of floats is exact here."""
    sizes = members.sum(axis=0).astype(np.int64)
    counts: Floats = outcomes.astype(np.float64) @ members.astype(np.float64)
    wide: Flags = gap(counts, sizes, least=study.subgroup.min_ci_n) >= study.subgroup.gap_pp / 100 - SLACK
    return wide & bool((sizes >= study.subgroup.min_ci_n).sum() >= 2)


def attainable(factor: Factor, outcome: Outcome) -> float:
    """Return the smallest two-sided p-value that the levels of a factor could reach with these margins.

    Parameters
    ----------
    factor : Factor
        Levels; missing left out.
    outcome : Outcome
        Binary.

    Returns
    -------
    float
        1 where nobody, everybody or one level only is there.

    Raises
    ------
    None
    """
    x, n = level_counts(factor, outcome)
    if (n > 0).sum() < 2 or x.sum() in (0, n.sum()):
        return 1.0
    return smallest_p(int(x.sum()), n[n > 0])
