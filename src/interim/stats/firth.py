"""Firth's penalised regression, logistic and Cox: global maximum, penalised likelihood ratio tests, verified limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from interim.stats.answers import Flags, Floats, Status, frozen
from interim.stats.covariates import risk_sets, scaled_columns
from interim.stats.inputs import check_between, check_events, check_matrix
from interim.stats.jeffreys import LogisticModel, PartialModel
from interim.stats.penalised import Maximum, PenalisedModel, near
from interim.stats.profile_limits import Limit, profile
from interim.stats.proportional import Separation
from interim.stats.riskset import rising_direction, strict_direction


@dataclass(frozen=True, eq=False)
class FirthFit:
    """A fitted penalised regression.

    Attributes
    ----------
    coef, se : ndarray of float, shape (p,)
        Coefficients per unit (logistic: the intercept first) and standard errors (companions only).
    lower, upper : ndarray of float, shape (p,)
        Verified profile limits; NaN or infinite beside their status.
    p_value : ndarray of float, shape (p,)
        Penalised likelihood ratio tests with the penalty of the full model; NaN where not asked for.
    limits : tuple of (Limit, Limit)
        Lower and upper limit of each coefficient with status and root error.
    loglik : tuple of float
        Penalised log likelihood (penalty in the units of the covariates) with every slope at 0, and at the maximum.
    level : float
        Confidence level.
    status, reason : str
        FLAG with MULTIMODAL, or where nobody or everybody has the event (logistic: NO_EVENTS, ALL_EVENTS); NE with NO_DATA,
        NO_EVENTS (Cox), NOT_CONVERGED.
    """

    coef: Floats
    se: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    limits: tuple[tuple[Limit, Limit], ...]
    loglik: tuple[float, float]
    level: float
    status: Status = "OK"
    reason: str = ""

    @property
    def root_error(self) -> Floats:
        """Largest distance of twice the penalised log likelihood difference from the quantile, at each coefficient's limits."""
        return np.array([max(low.root_error, high.root_error) for low, high in self.limits])


def firth_logistic(
    X: ArrayLike, y: ArrayLike, *, level: float = 0.95, terms: Sequence[int] | None = None
) -> FirthFit:
    """Return the logistic regression with Firth's penalty.

    Parameters
    ----------
    X : array_like of float, shape (n,) or (n, p)
        Covariates without intercept; neither constant nor linearly dependent.
    y : array_like of int or bool, shape (n,)
        1 = event.
    level : float
        Confidence level, 0 to 1, both excluded.
    terms : sequence of int, optional
        Coefficients (0 = intercept) that get limits and a test; default all.

    Returns
    -------
    FirthFit
        Exists also under separation; every limit is a root that was found again from cold starts, or says why it is none.

    Raises
    ------
    ValueError
        If an input is illegal, or X is constant or rank-deficient.

    Notes
    -----
    With one 0/1 covariate the slope is the log odds ratio with one half added to every cell.

    References
    ----------
    Firth 1993; Heinze and Schemper 2002.

    Examples
    --------
    >>> fit = firth_logistic([0] * 9 + [1] * 9, [0] * 9 + [1, 1, 1] + [0] * 6)
    >>> round(float(fit.coef[1]), 6)
    2.3254
    """
    level = check_between(level, "level", low=0.0, high=1.0)
    events = check_events(y, "y")
    matrix = check_matrix(X, "X", rows=len(events))
    scaled, middle, scale = scaled_columns(matrix)
    if not len(events):
        return _without(matrix.shape[1] + 1, level, "NO_DATA")
    design = np.column_stack([np.ones(len(events)), scaled])
    model = LogisticModel(design, events.astype(np.float64))
    back = np.eye(matrix.shape[1] + 1)
    back[0, 1:] = -middle / scale
    back[1:, 1:] = np.diag(1.0 / scale)
    fit = _fit(model, back, level, terms, slopes=range(1, matrix.shape[1] + 1))
    codes = [code for code in (_one_class(events), fit.reason) if code]
    return replace(fit, reason=";".join(codes), status="FLAG" if codes and fit.status == "OK" else fit.status)


def firth_cox(
    time: ArrayLike,
    event: ArrayLike,
    *,
    X: ArrayLike,
    level: float = 0.95,
    terms: Sequence[int] | None = None,
) -> FirthFit:
    """Return the Cox regression with Firth's penalty; Breslow's handling of ties.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As in `interim.stats.kaplan_meier`.
    X : array_like of float, shape (n,) or (n, p)
        Covariates; neither constant nor linearly dependent.
    level : float
        Confidence level, 0 to 1, both excluded.
    terms : sequence of int, optional
        Coefficients that get limits and a test; default all.

    Returns
    -------
    FirthFit
        Coefficients are log hazard ratios; exists also under monotone likelihood.

    Raises
    ------
    ValueError
        If an input is illegal, or X is constant or rank-deficient.

    References
    ----------
    Heinze and Schemper 2001.
    """
    level = check_between(level, "level", low=0.0, high=1.0)
    sets, scale = risk_sets(time, event, X=X, strata=None)
    if not sets.events:
        return _without(len(scale), level, "NO_EVENTS" if len(sets.x) else "NO_DATA")
    return _fit(PartialModel.of(sets), np.diag(1.0 / scale), level, terms, slopes=range(len(scale)))


def separation(X: ArrayLike, y: ArrayLike) -> Separation:
    """Decide whether covariates (with an intercept) separate events from non-events.

    Parameters
    ----------
    X : array_like of float, shape (n,) or (n, p)
        Covariates.
    y : array_like of int or bool, shape (n,)
        1 = event.

    Returns
    -------
    Separation
        ``complete`` if every participant lies strictly on its side, ``quasi-complete`` if some lie on the border.

    Raises
    ------
    ValueError
        If an input is illegal.

    References
    ----------
    Albert and Anderson 1984; Konis 2007.

    Examples
    --------
    >>> separation([1, 2, 3, 4], [0, 0, 1, 1]).kind, separation([1, 2, 3, 4], [0, 1, 0, 1]).kind
    ('complete', 'none')
    """
    events = check_events(y, "y")
    matrix = check_matrix(X, "X", rows=len(events))
    centred = matrix - matrix.mean(axis=0) if len(matrix) else matrix
    signed = np.where(events, 1.0, -1.0)[:, None] * np.column_stack([np.ones(len(events)), centred])
    strict = strict_direction(signed) if len(signed) else None
    if strict is not None:
        return Separation("complete", strict)
    direction = rising_direction(signed) if len(signed) else None
    return Separation("none" if direction is None else "quasi-complete", direction)


def _one_class(events: Flags) -> str:
    return "" if 0 < events.sum() < len(events) else "ALL_EVENTS" if events[0] else "NO_EVENTS"


def _fit(
    model: PenalisedModel, back: Floats, level: float, terms: Sequence[int] | None, *, slopes: Sequence[int]
) -> FirthFit:
    """Fit, test and profile on the scaled axes; ``back`` leads from scaled to own coefficients."""
    best, second = model.maxima()
    wanted = range(model.size) if terms is None else terms
    coef = back @ best.beta
    covariance = back @ model.covariance(best.beta) @ back.T
    se = np.sqrt(np.diag(covariance))
    limits, p, drops = [], np.full(model.size, math.nan), {}
    for term in range(model.size):
        if term not in wanted:
            skipped = Limit(math.nan, "NE", "NO_DATA", math.nan)
            limits.append((skipped, skipped))
            continue
        found = profile(model, best, back, term=term, level=level, step=float(se[term]))
        limits.append(found.limits)
        p[term], drops[term] = found.p_value, found.drop
    lower = np.array([low.value for low, _ in limits])
    upper = np.array([high.value for _, high in limits])
    frozen(coef, se, lower, upper, p)
    reason = (
        "NOT_CONVERGED"
        if not best.converged
        else "MULTIMODAL"
        if second is not None and near(best, second, level)
        else ""
    )
    status: Status = "NE" if reason == "NOT_CONVERGED" else "FLAG" if reason else "OK"
    unit = math.log(abs(float(np.linalg.det(back))))
    loglik = _null(model, best, slopes, drops) - unit, best.value - unit
    return FirthFit(coef, se, lower, upper, p, tuple(limits), loglik, level, status, reason)


def _null(model: PenalisedModel, best: Maximum, slopes: Sequence[int], drops: dict[int, float]) -> float:
    """Penalised log likelihood with every slope at 0; the test of the only slope knows it already."""
    if len(slopes) == 1 and slopes[0] in drops:
        return best.value - drops[slopes[0]] / 2.0
    return model.constrained({slope: 0.0 for slope in slopes}, start=best.beta).value


def _without(size: int, level: float, reason: str) -> FirthFit:
    gone = np.full(size, math.nan)
    nothing = Limit(math.nan, "NE", reason, math.nan)
    return FirthFit(
        gone, gone, gone, gone, gone, ((nothing, nothing),) * size, (math.nan, math.nan), level, "NE", reason
    )
