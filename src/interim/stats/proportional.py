"""Cox regression whose maximum likelihood estimate is shown only where it exists."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri

from interim.stats.answers import Floats, Status, frozen
from interim.stats.covariates import risk_sets
from interim.stats.inputs import check_between, check_choice
from interim.stats.riskset import RiskSets

TIES = ("efron", "breslow")
_MAX_STEPS = 200
_WIDEST = 300.0
_QUICK = 8

Evaluated: TypeAlias = tuple[float, Floats, Floats]


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    coef, se, lower, upper, wald_p : ndarray of float, shape (p,)
        Log hazard ratios per unit, standard errors, Wald limits on the log scale and p-values; NaN beside NE.
    loglik : tuple of float
        Null model and full model (the supremum where the maximum does not exist).
    lrt, lrt_p, score, score_p : float
        Likelihood ratio and score test of all coefficients.
    level, ties : float, str
        Confidence level; handling of ties.
    status, reason : str
        NE: NO_DATA, NO_EVENTS, MONOTONE_LIKELIHOOD, NOT_CONVERGED.
    """

    coef: Floats
    se: Floats
    lower: Floats
    upper: Floats
    wald_p: Floats
    loglik: tuple[float, float]
    lrt: float
    lrt_p: float
    score: float
    score_p: float
    level: float
    ties: str
    status: Status = "OK"
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Separation:
    """Whether covariates separate the outcomes, so that no maximum likelihood estimate exists.

    Attributes
    ----------
    kind : {"none", "quasi-complete", "complete", "monotone"}
        What was found.
    direction : ndarray of float, shape (p,), or None
        Direction along which the likelihood rises for ever.
    """

    kind: str
    direction: Floats | None = None

    @property
    def exists(self) -> bool:
        """Whether the maximum likelihood estimate exists."""
        return self.direction is None


def monotone_likelihood(
    time: ArrayLike, event: ArrayLike, *, X: ArrayLike, strata: ArrayLike | None = None
) -> Separation:
    """Decide before any fit whether a Cox model has a maximum likelihood estimate.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    X : array_like of float, shape (n,) or (n, p)
        Covariates.
    strata : array_like of int, shape (n,), optional
        Strata.

    Returns
    -------
    Separation
        ``monotone`` with a direction, or ``none``.

    Raises
    ------
    ValueError
        If an input is illegal.
    """
    sets, _ = risk_sets(time, event, X=X, strata=strata)
    direction = sets.monotone()
    return Separation("none" if direction is None else "monotone", direction)


def cox(
    time: ArrayLike,
    event: ArrayLike,
    *,
    X: ArrayLike,
    strata: ArrayLike | None = None,
    ties: str = "efron",
    level: float = 0.95,
) -> CoxFit:
    """Return the Cox regression of right-censored times.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    X : array_like of float, shape (n,) or (n, p)
        Covariates; neither constant nor linearly dependent.
    strata : array_like of int, shape (n,), optional
        Strata with baseline hazards of their own.
    ties : {"efron", "breslow"}
        Handling of tied events.
    level : float
        Confidence level of the Wald limits, 0 to 1, both excluded.

    Returns
    -------
    CoxFit
        Where the likelihood rises for ever: NE with MONOTONE_LIKELIHOOD; only the likelihood ratio test to the supremum is
        given.

    Raises
    ------
    ValueError
        If an input is illegal, or X is constant or rank-deficient.

    References
    ----------
    Cox 1972; Efron 1977; Breslow 1974.

    Examples
    --------
    >>> fit = cox([1, 2, 3, 4, 5], [1, 1, 1, 1, 0], X=[1, 0, 1, 0, 1])
    >>> fit.status, round(float(fit.coef[0]), 4)
    ('OK', -0.2739)
    """
    check_choice(ties, "ties", TIES)
    level = check_between(level, "level", low=0.0, high=1.0)
    sets, scale = risk_sets(time, event, X=X, strata=strata)
    p = len(scale)
    if not sets.events:
        return _without(p, level, ties, "NO_EVENTS" if len(sets.x) else "NO_DATA")
    efron = ties == "efron"
    start = sets.likelihood(np.zeros(p), efron=efron)
    score = float(start[1] @ _solved(start[2], start[1]))
    monotone = sets.monotone() is not None
    beta, (full, _, information), converged = _maximum(sets, start, efron=efron)
    null, lrt = start[0], 2.0 * (full - start[0])
    tests = (lrt, float(chdtrc(p, max(lrt, 0.0))), score, float(chdtrc(p, score)))
    if monotone or not converged:
        gone = np.full(p, math.nan)
        reason = "MONOTONE_LIKELIHOOD" if monotone else "NOT_CONVERGED"
        return CoxFit(gone, gone, gone, gone, gone, (null, full), *tests, level, ties, "NE", reason)
    variance = np.diag(np.linalg.inv(information)) if p > 1 else 1.0 / information[0]
    coef, se = beta / scale, np.sqrt(variance) / scale
    half = float(ndtri((1.0 + level) / 2.0)) * se
    wald = 2.0 * ndtr(-np.abs(coef / se))
    lower, upper = coef - half, coef + half
    frozen(coef, se, lower, upper, wald)
    return CoxFit(coef, se, lower, upper, wald, (null, full), *tests, level, ties)


def _solved(information: Floats, gradient: Floats) -> Floats:
    """Solution of information @ step = gradient; the shortest one where the information is singular."""
    if len(gradient) > 1:
        return np.asarray(np.linalg.lstsq(information, gradient, rcond=None)[0], dtype=np.float64)
    return gradient / information[0, 0] if information[0, 0] > 0.0 else np.zeros(1)


def _maximum(sets: RiskSets, at: Evaluated, *, efron: bool) -> tuple[Floats, Evaluated, bool]:
    """Newton's method with step halving from 0; the third answer tells whether it converged."""
    beta = np.zeros(sets.x.shape[1])
    for rounds in range(_MAX_STEPS):
        step = _solved(at[2], at[1])
        length = max(map(abs, step.tolist()))
        if length < 1e-9:
            return beta + step, at, True
        factor = min(1.0, 5.0 / length)
        for _ in range(40):
            candidate = sets.likelihood(beta + factor * step, efron=efron)
            if candidate[0] >= at[0] - 1e-12 * abs(at[0]):
                break
            factor /= 2.0
        beta, at = beta + factor * step, candidate
        if factor * length < 1e-9:
            return beta, at, True
        if rounds >= _QUICK and float(np.ptp(sets.x @ beta)) > _WIDEST:
            return beta, at, False
    return beta, at, False


def _without(p: int, level: float, ties: str, reason: str) -> CoxFit:
    gone = np.full(p, math.nan)
    nan = math.nan
    return CoxFit(gone, gone, gone, gone, gone, (nan, nan), nan, nan, nan, nan, level, ties, "NE", reason)
