"""Rates of levels beside rates that are shrunken towards their common mean."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_not_available, add_rate, open_rows
from interim.analysis.subgroups.model import Factor, Outcome, Panel, level_counts
from interim.analysis.subgroups.panel import open_panel
from interim.analysis.survival import DAYS_PER_MONTH
from interim.recall import computed
from interim.result import TOTAL, Result, Rows
from interim.stats import Shrunken, kaplan_meier, shrink_binomial, shrink_normal
from interim.study import Study


def shrinkage(adam: Adam, study: Study, *, endpoint: str = "orr") -> Result:
    """Give raw and shrunken rates of the levels of each primary factor side by side.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, and what the endpoint needs.
    study : Study
        ``subgroup.shrink_mu0``, ``shrink_mu_sd``, ``shrink_tau``.
    endpoint : {"orr", "dcr", "pfs", "os"}
        Which.

    Returns
    -------
    Result
        ``subgroups.shrinkage``; group = entry id, variable = endpoint, level: rate, lower, upper; variable
        ``<endpoint> tau <tau>``: shrunk, shrunk_lower, shrunk_upper, weight; variable ``prior``: mean, sd, tau. Times: landmarks
        on the complementary log-log scale, NE without a finite standard error.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If the endpoint is unknown or is not shrunken.

    Notes
    -----
    The levels of one entry share a mean; missing is left out. Shrunken values never replace the raw ones.
    """
    if endpoint not in ("orr", "dcr", "pfs", "os"):
        raise KeyError(f"{endpoint!r} is not shrunken; orr, dcr, pfs and os are")
    panel, who = open_panel(adam, study, endpoints=(endpoint,))
    rows = open_rows("subgroups.shrinkage", "Shrinkage estimates across subgroup levels", who)
    outcome = panel.outcomes[endpoint]
    if outcome.reason:
        add_not_available(rows, [TOTAL], variable=endpoint, stat="rate", reason=outcome.reason)
        return rows.build()
    if outcome.kind == "binary":
        _add_prior(rows, endpoint, study)
        hit = panel.names(outcome.values == 1)
        counts = (len(hit), int(outcome.known.sum()))
        add_rate(rows, counts, study=study, where=(TOTAL, endpoint, ""), subjects=hit)
    for factor in panel.primary:
        rows.group_var = factor.entry.dimension
        rows.add("label", None, group=factor.id, variable="entry", text=factor.entry.label)
        if outcome.kind == "binary":
            _add_rates(rows, panel, factor, outcome, study=study)
        else:
            _add_landmarks(rows, factor, outcome, study)
    return rows.build()


def _add_prior(rows: Rows, endpoint: str, study: Study) -> None:
    settings = study.subgroup
    rows.add("mean", mean_of(study, endpoint), variable="prior", unit="probability")
    rows.add("sd", settings.shrink_mu_sd, variable="prior", unit="logit")
    for place, tau in enumerate(settings.shrink_tau, 1):
        rows.add("tau", tau, variable="prior", level=f"{place}", unit="logit")


def mean_of(study: Study, endpoint: str) -> float:
    """Return the prior mean of an endpoint.

    Parameters
    ----------
    study : Study
        ``subgroup.shrink_mu0``.
    endpoint : str
        orr or dcr.

    Returns
    -------
    float
        Probability.

    Raises
    ------
    KeyError
        If the study states none.
    """
    return {str(name): float(value) for name, value in study.subgroup.shrink_mu0.items()}[endpoint]


@lru_cache(maxsize=512)
def shrunk(
    x: tuple[int, ...], n: tuple[int, ...], *, prior: tuple[float, float, float], level: float
) -> Shrunken:
    """Return shrunken rates; the same counts are computed once.

    Parameters
    ----------
    x, n : tuple of int
        Events and participants per level.
    prior : tuple of float
        Mean, sd on the logit scale, scale of the spread.
    level : float
        Credible level.

    Returns
    -------
    Shrunken
        By quadrature.

    Raises
    ------
    ValueError
        If counts are illegal.
    """
    return computed(shrink_binomial, x, n, mu0=prior[0], mu_sd=prior[1], tau_scale=prior[2], level=level)


def _add_rates(rows: Rows, panel: Panel, factor: Factor, outcome: Outcome, *, study: Study) -> None:
    x, n = level_counts(factor, outcome)
    filled = np.flatnonzero(n > 0)
    for place in filled:
        hit = panel.names(factor.members[:, place] & (outcome.values == 1))
        add_rate(
            rows,
            (int(x[place]), int(n[place])),
            study=study,
            where=(factor.id, outcome.id, factor.levels[place]),
            subjects=hit,
            min_n=study.subgroup.min_ci_n,
        )
    counts = tuple(int(v) for v in x[filled]), tuple(int(v) for v in n[filled])
    for tau in study.subgroup.shrink_tau:
        prior = (mean_of(study, outcome.id), study.subgroup.shrink_mu_sd, tau)
        found = shrunk(*counts, prior=prior, level=study.stats.level)
        for k, place in enumerate(filled):
            _add_shrunk(rows, found, k, (factor.id, f"{outcome.id} tau {tau:g}", factor.levels[place]))


def _add_shrunk(rows: Rows, found: Shrunken, k: int, where: tuple[str, str, str]) -> None:
    group, variable, level = where
    place: dict[str, Any] = {
        "group": group,
        "variable": variable,
        "level": level,
        "status": found.status,
        "reason": found.reason,
        "method": f"hierarchical normal model of logits, credible level {found.level:g}",
    }
    rows.add("shrunk", float(found.mean[k]), **place)
    rows.add("shrunk_lower", float(found.lower[k]), **place)
    rows.add("shrunk_upper", float(found.upper[k]), **place)
    rows.add("weight", float(found.weight[k]), **place)


def _add_landmarks(rows: Rows, factor: Factor, outcome: Outcome, study: Study) -> None:
    day = study.subgroup.pfs_landmark_months * DAYS_PER_MONTH
    estimates, errors, places = [], [], []
    for place, level in enumerate(factor.levels):
        here = factor.members[:, place] & outcome.known
        if not here.any():
            continue
        point = kaplan_meier(outcome.values[here], outcome.events[here]).at(day)
        value, se = float(point.value), float(point.se)
        if 0 < value < 1 and math.isfinite(se) and se > 0:
            estimates.append(math.log(-math.log(value)))
            errors.append(se / (value * -math.log(value)))
            places.append(level)
        else:
            where: dict[str, Any] = {
                "group": factor.id,
                "variable": f"{outcome.id} landmark",
                "level": level,
            }
            for stat in ("shrunk", "shrunk_lower", "shrunk_upper", "weight"):
                rows.add(stat, None, status="NE", reason="NO_STANDARD_ERROR", **where)
    if not places:
        return
    found = shrink_normal(np.array(estimates), np.array(errors), level=study.stats.level)
    for k, level in enumerate(places):
        numbers = (found.mean[k], found.upper[k], found.lower[k])
        where = {
            "group": factor.id,
            "variable": f"{outcome.id} landmark",
            "level": level,
            "unit": "probability",
            "method": "complementary log-log landmarks, Paule-Mandel",
        }
        for stat, number in zip(("shrunk", "shrunk_lower", "shrunk_upper"), numbers, strict=True):
            rows.add(stat, math.exp(-math.exp(float(number))), **where)
        rows.add("weight", float(found.weight[k]), **where)
