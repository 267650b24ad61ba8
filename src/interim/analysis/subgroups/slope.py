"""Slopes of continuous factors by penalised models with verified limits, for internal use; hazard ratios of two levels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_not_available, open_rows
from interim.analysis.subgroups.model import Factor, Flags, Floats, Outcome, Panel
from interim.analysis.subgroups.panel import open_panel
from interim.result import TOTAL, Result, Rows
from interim.stats import FirthFit, firth_cox, firth_logistic, monotone_likelihood, separation
from interim.study import Study

_EPV = 5
_UNITS = {"log2": "per doubling", "log1p": "per unit of log(1 + x)"}
_YEARS = {"AGE": 10.0}


def slopes(adam: Adam, study: Study, *, endpoint: str = "orr") -> Result:
    """Fit one model per continuous or ordinal factor: logistic for a binary endpoint, Cox for a time.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, and what the endpoint needs.
    study : Study
        ``subgroup.min_events``, ``stats.level``.
    endpoint : str
        A binary endpoint, or pfs, os.

    Returns
    -------
    Result
        ``subgroups.slopes``; group = entry id, variable = endpoint: slope, slope_lower, slope_upper (log odds or log hazard per
        unit, scope internal). For a time also ``<endpoint> hazard ratio`` of factors with two levels: hr, hr_lower, hr_upper,
        only with enough events in both. Row Total ``<endpoint> all factors``: a joint model is refused with EPV_LT_5.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If the endpoint is unknown or has no model.

    Notes
    -----
    One covariate per model. Firth's penalty with verified profile limits, never Wald. Where the maximum likelihood estimate
    does not exist the row says so and the penalised estimate is labelled.
    """
    panel, who = open_panel(adam, study, endpoints=(endpoint,))
    rows = open_rows("subgroups.slopes", f"Slopes of continuous factors: {endpoint}", who)
    rows.scope = "internal"
    outcome = panel.outcomes[endpoint]
    if outcome.kind not in ("binary", "time"):
        raise KeyError(f"{endpoint!r} has no model; binary endpoints, pfs and os have")
    if outcome.reason:
        add_not_available(rows, [TOTAL], variable=endpoint, stat="slope", reason=outcome.reason)
        return rows.build()
    add_slopes(rows, panel, study, outcome=outcome)
    return rows.build()


def add_slopes(rows: Rows, panel: Panel, study: Study, *, outcome: Outcome) -> None:
    """Add the slopes of a panel.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    panel : Panel
        Factors.
    study : Study
        Settings.
    outcome : Outcome
        Binary or time.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    for factor in panel.factors:
        if not factor.eligible:
            continue
        rows.group_var = factor.entry.dimension
        if factor.ordered:
            _add_slope(rows, factor, outcome, study)
        if outcome.kind == "time":
            _add_hazard_ratio(rows, factor, outcome, study)
    rows.group_var = panel.column
    events, _ = _events(outcome, outcome.known)
    covariates = max(len(panel.primary), 1)
    if events < _EPV * covariates and covariates > 1:
        place: dict[str, Any] = {"variable": f"{outcome.id} all factors", "n": events, "N": covariates}
        rows.add("slope", None, status="NE", reason="EPV_LT_5", **place)


def _events(outcome: Outcome, keep: Flags) -> tuple[int, int]:
    """Return events and non-events among some participants."""
    hit = outcome.events if outcome.kind == "time" else outcome.values == 1
    return int((hit & keep).sum()), int((~hit & keep).sum())


def unit_of(factor: Factor) -> tuple[str, float]:
    """Return the unit of a slope and the factor by which values are divided.

    Parameters
    ----------
    factor : Factor
        Scale and variable.

    Returns
    -------
    tuple of (str, float)
        For example ``per doubling``.

    Raises
    ------
    None
    """
    if factor.entry.scale in _UNITS:
        return _UNITS[factor.entry.scale], 1.0
    by = _YEARS.get(factor.entry.variable, 1.0)
    return ("per unit" if by == 1.0 else f"per {by:g} years"), by


def _add_slope(rows: Rows, factor: Factor, outcome: Outcome, study: Study) -> None:
    unit, by = unit_of(factor)
    values = factor.scaled / by
    keep = outcome.known & ~np.isnan(values)
    events, rest = _events(outcome, keep)
    place: dict[str, Any] = {
        "group": factor.id,
        "variable": outcome.id,
        "n": events,
        "N": events + rest,
        "unit": unit,
    }
    reason = "NO_DATA" if not keep.any() else "ONE_LEVEL" if np.ptp(values[keep]) == 0 else ""
    if not reason and min(events, rest) < study.subgroup.min_events:
        reason = "EVENTS_LT_5"
    if reason:
        for stat in ("slope", "slope_lower", "slope_upper"):
            rows.add(stat, None, status="NE", reason=reason, **place)
        return
    fit, code = _fit(values[keep], outcome.at(keep), study)
    _add_fit(rows, fit, code, place, stat="slope")


def _fit(x: Floats, outcome: Outcome, study: Study) -> tuple[FirthFit, str]:
    """Return the penalised fit and a code if the maximum likelihood estimate does not exist."""
    column = x[:, None]
    if outcome.kind == "time":
        apart = monotone_likelihood(outcome.values, outcome.events, X=column).kind != "none"
        fit = firth_cox(outcome.values, outcome.events, X=column, level=study.stats.level)
        return fit, "MONOTONE_LIKELIHOOD" if apart else ""
    y = outcome.values.astype(np.int64)
    apart = separation(column, y).kind != "none"
    return firth_logistic(column, y, level=study.stats.level), "SEPARATION" if apart else ""


def _add_fit(rows: Rows, fit: FirthFit, code: str, place: dict[str, Any], *, stat: str) -> None:
    ratio = stat == "hr"
    where = {**place, "method": "Firth, penalised" if code else "Firth"}
    last = len(fit.coef) - 1
    found = ((stat, fit.coef), (f"{stat}_lower", fit.lower), (f"{stat}_upper", fit.upper))
    for name, numbers in found:
        value = float(numbers[last])
        if math.isfinite(value):
            shown = math.exp(value) if ratio else value
            rows.add(name, shown, status="FLAG" if code else "OK", reason=code, **where)
        else:
            unbounded = math.isinf(value)
            status, reason = ("INF", "CI_UNBOUNDED") if unbounded else ("NE", "CI_NOT_VERIFIED")
            rows.add(name, None, status=status, reason=reason, **where)


def _add_hazard_ratio(rows: Rows, factor: Factor, outcome: Outcome, study: Study) -> None:
    keep = outcome.known & factor.known
    filled = np.flatnonzero(factor.members[keep].any(axis=0))
    if len(filled) != 2 or factor.entry.dimension == "dose":
        return
    upper = factor.codes == filled[1]
    events = [int((outcome.events & keep & side).sum()) for side in (~upper, upper)]
    place: dict[str, Any] = {
        "group": factor.id,
        "variable": f"{outcome.id} hazard ratio",
        "level": f"{factor.levels[filled[1]]} over {factor.levels[filled[0]]}",
        "n": min(events),
        "N": int(keep.sum()),
    }
    if min(events) < study.subgroup.min_events:
        for stat in ("hr", "hr_lower", "hr_upper"):
            rows.add(stat, None, status="NE", reason="LEVEL_EVENTS_LT_5", **place)
        return
    fit, code = _fit(upper[keep].astype(np.float64), outcome.at(keep), study)
    _add_fit(rows, fit, code, place, stat="hr")
