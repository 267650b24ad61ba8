"""What the escalation ends in: evidence per level, the favourable therapeutic index, the recommended dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from interim.design.decision import Decision
from interim.design.elimination import isotonic_rates
from interim.design.history import History
from interim.errors import DesignError, Finding
from interim.stats import beta_tail

Met: TypeAlias = Literal["met", "not met", "not evaluable"]
_PRIOR = (1.0, 1.0)


@dataclass(frozen=True)
class LevelEvidence:
    """What is known of one level.

    Attributes
    ----------
    level, n, n_dlt : int
        Level, evaluable participants, those with a DLT.
    mean : float
        Posterior mean of the DLT rate under Beta(1, 1).
    p_above : float
        Posterior probability that the rate lies above the limit.
    isotonic : float
        Isotonic fit over the levels, NaN without participants.
    """

    level: int
    n: int
    n_dlt: int
    mean: float
    p_above: float
    isotonic: float


def level_evidence(history: History, *, limit: float) -> tuple[LevelEvidence, ...]:
    """Return what is known of every level.

    Parameters
    ----------
    history : History
        What is known.
    limit : float
        DLT rate above which a level is too toxic.

    Returns
    -------
    tuple of LevelEvidence
        One per level.

    Raises
    ------
    None

    Examples
    --------
    >>> level_evidence(History.parse("1NNT", levels=2), limit=1 / 3)[0].mean
    0.4
    """
    cohorts = history.cohorts()
    n = np.array([[cohort.n for cohort in cohorts]])
    y = np.array([[cohort.n_dlt for cohort in cohorts]])
    fit = isotonic_rates(n, y)[0]
    tails = beta_tail(y[0], n[0], limit=limit, prior=_PRIOR)
    return tuple(
        LevelEvidence(
            cohort.level,
            cohort.n,
            cohort.n_dlt,
            (cohort.n_dlt + _PRIOR[0]) / (cohort.n + sum(_PRIOR)),
            float(tail),
            float(rate),
        )
        for cohort, tail, rate in zip(cohorts, tails, fit, strict=True)
    )


@dataclass(frozen=True)
class IndexRule:
    """Thresholds of a favourable therapeutic index; all are set by the sponsor, none has a default.

    Attributes
    ----------
    tox_max, prob_tox : float
        P(DLT rate <= tox_max) must reach prob_tox.
    orr_min, prob_orr : float
        P(response rate >= orr_min) must reach prob_orr.
    completion_min : float
        Share of participants who completed the course.
    """

    tox_max: float
    prob_tox: float
    orr_min: float
    prob_orr: float
    completion_min: float


@dataclass(frozen=True)
class IndexAnswer:
    """The favourable therapeutic index of one level, its components first.

    Attributes
    ----------
    level : int
        Dose level.
    p_tox, p_orr, completion : float or None
        Posterior probabilities and share; None if not evaluable.
    index : {"met", "not met", "not evaluable"}
        All components together; the escalation never stops on it by itself.
    """

    level: int
    p_tox: float | None
    p_orr: float | None
    completion: float | None
    index: Met


def favourable_index(
    history: History,
    rule: IndexRule,
    *,
    responses: Mapping[int, tuple[int, int]],
    completed: Mapping[int, tuple[int, int]],
) -> tuple[IndexAnswer, ...]:
    """Report per level whether the thresholds of a favourable therapeutic index are met.

    Parameters
    ----------
    history : History
        What is known of DLT.
    rule : IndexRule
        Thresholds.
    responses, completed : mapping of int to tuple of int
        Level -> responders and participants; completers and participants.

    Returns
    -------
    tuple of IndexAnswer
        One per level; a level without participants in a component is not evaluable.

    Raises
    ------
    DesignError
        If a count exceeds its number of participants.
    """
    answers = []
    for cohort in history.cohorts():
        orr, done = (_pair(source, cohort.level) for source in (responses, completed))
        p_tox = 1 - float(beta_tail(cohort.n_dlt, cohort.n, limit=rule.tox_max)) if cohort.n else None
        p_orr = float(beta_tail(*orr, limit=rule.orr_min)) if orr[1] else None
        share = done[0] / done[1] if done[1] else None
        answers.append(IndexAnswer(cohort.level, p_tox, p_orr, share, _index(rule, p_tox, p_orr, share)))
    return tuple(answers)


def _pair(counts: Mapping[int, tuple[int, int]], level: int) -> tuple[int, int]:
    x, n = counts.get(level, (0, 0))
    if not 0 <= x <= n:
        raise DesignError(f"level {level}: {x} of {n} participants is impossible")
    return x, n


def _index(rule: IndexRule, p_tox: float | None, p_orr: float | None, share: float | None) -> Met:
    if p_tox is None or p_orr is None or share is None:
        return "not evaluable"
    enough = p_tox >= rule.prob_tox and p_orr >= rule.prob_orr and share >= rule.completion_min
    return "met" if enough else "not met"


@dataclass(frozen=True)
class RecommendedDose:
    """The recommended dose for the next phase.

    Attributes
    ----------
    level : int or None
        Level; None if there is none.
    source : str
        mtd, recorded or none.
    findings : tuple of Finding
        DOSE-RP2D if a recorded dose lies above the MTD or at an excluded level; it is printed, never corrected.
    """

    level: int | None
    source: str
    findings: tuple[Finding, ...] = ()


def recommended_dose(
    decision: Decision, history: History, *, rule: Literal["mtd", "recorded"], recorded: int | None = None
) -> RecommendedDose:
    """Return the recommended dose.

    Parameters
    ----------
    decision : Decision
        Last decision of the rule.
    history : History
        With the record of a stop.
    rule : {"mtd", "recorded"}
        Where the dose comes from.
    recorded : int, optional
        Level of a recorded decision; that of a recorded stop of kind ``rp2d`` if absent.

    Returns
    -------
    RecommendedDose
        Level, source, findings.

    Raises
    ------
    None
    """
    if rule == "mtd":
        return RecommendedDose(decision.mtd, "none" if decision.mtd is None else "mtd")
    stop = history.record.stop
    level = recorded if recorded is not None or stop is None or stop.kind != "rp2d" else stop.level
    if level is None:
        return RecommendedDose(None, "none")
    above = decision.mtd is not None and level > decision.mtd
    barred = decision.excluded_from is not None and level >= decision.excluded_from
    if not (above or barred):
        return RecommendedDose(level, "recorded")
    limit = (
        f"the MTD is level {decision.mtd}"
        if above
        else f"levels from {decision.excluded_from} on are excluded"
    )
    text = f"the recorded dose is level {level}, but {limit}; it is printed as recorded"
    return RecommendedDose(
        level, "recorded", (Finding("DOSE-RP2D", "warn", "DOSE", text, variable="level", value=str(level)),)
    )
