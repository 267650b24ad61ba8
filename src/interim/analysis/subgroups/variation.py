"""Heterogeneity before levels: one test per factor and endpoint, for internal use; never printed in a package."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_not_available, open_rows
from interim.analysis.subgroups.associated import TYPE_DIMENSION
from interim.analysis.subgroups.chance import response_plan, seed_of
from interim.analysis.subgroups.model import Factor, Flags, Floats, Integers, Outcome, Panel, level_counts
from interim.analysis.subgroups.outcomes import ENDPOINTS
from interim.analysis.subgroups.panel import open_panel
from interim.result import TOTAL, Result, Rows
from interim.stats import (
    LinearStatistics,
    PermutationPlan,
    TestResult,
    cochran_armitage,
    freeman_halton,
    logrank_scores,
    max_t,
    min_p,
)
from interim.study import Study

TIE = 1e-9


@dataclass(frozen=True)
class Test:
    """The test of one factor against one endpoint.

    Attributes
    ----------
    p_value, p_min : float
        Two-sided p-value and the smallest one that could be reached; NaN beside NE.
    name : str
        Which test.
    error : float
        Monte Carlo standard error; 0 if exact.
    reason : str
        Why there is none; empty if there is.
    """

    __test__ = False

    p_value: float
    p_min: float
    name: str
    error: float = 0.0
    reason: str = ""


def heterogeneity(adam: Adam, study: Study, *, endpoints: Iterable[str] | None = None) -> Result:
    """Test each factor against each endpoint under one permutation plan, and adjust over the primary factors.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, and what the endpoints need.
    study : Study
        ``subgroup.adjust``, ``subgroup.permute_within``, ``stats.draws``, ``stats.max_exact``, seed.
    endpoints : iterable of str, optional
        Default: all.

    Returns
    -------
    Result
        ``subgroups.heterogeneity``, scope internal; group = entry id, variable = endpoint: p_heterogeneity, p_min, and for
        primary entries p_max_t (step-down over the primary entries of the endpoint). Variable ``tests``: planned, run, NE.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If an endpoint is unknown.
    StudyError
        If the study states no seed.

    Notes
    -----
    Binary: Freeman-Halton, Cochran-Armitage for ordered levels, the linear statistic for continuous factors. Time: log-rank
    scores. Ordinal and continuous endpoints: ranks. Missing factor values are left out of their own test and stay in the plan.
    """
    wanted = tuple(endpoints) if endpoints is not None else ENDPOINTS
    panel, who = open_panel(adam, study, endpoints=wanted)
    rows = open_rows("subgroups.heterogeneity", "Heterogeneity between levels (internal)", who)
    rows.scope = "internal"
    add_heterogeneity(rows, panel, study)
    return rows.build()


def add_heterogeneity(rows: Rows, panel: Panel, study: Study) -> None:
    """Add the tests of a panel.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    panel : Panel
        Factors and endpoints.
    study : Study
        Settings.

    Returns
    -------
    None

    Raises
    ------
    StudyError
        If the study states no seed.
    """
    if not panel.n:
        for name in panel.outcomes:
            reason = "not available: no participant in the set"
            add_not_available(rows, [TOTAL], variable=name, stat="p_heterogeneity", reason=reason)
        return
    plan = shared_plan(panel, study)
    factors = tuple(factor for factor in panel.factors if factor.eligible)
    for outcome in panel.outcomes.values():
        if outcome.reason:
            add_not_available(
                rows, [TOTAL], variable=outcome.id, stat="p_heterogeneity", reason=outcome.reason
            )
            continue
        tests = factor_tests(factors, outcome, plan=plan, study=study)
        _add_tests(rows, factors, tests, outcome)
        reasons = {factor.id: test.reason for factor, test in zip(factors, tests, strict=True)}
        _add_adjusted(rows, panel, outcome, (plan, study), reasons=reasons)


def shared_plan(panel: Panel, study: Study) -> PermutationPlan:
    """Return the plan that all tests of a panel share.

    Parameters
    ----------
    panel : Panel
        Participants, dose and tumour type.
    study : Study
        ``subgroup.permute_within``, ``stats.draws``, seed.

    Returns
    -------
    PermutationPlan
        Permutations of whole participants' outcomes, within strata where asked for.

    Raises
    ------
    StudyError
        If the study states no seed.
    """
    within = study.subgroup.permute_within
    kind = next((f for f in panel.primary if f.entry.dimension == TYPE_DIMENSION), None)
    layer = {"none": None, "dose": panel.dose, "tumour_type": kind}[within]
    strata = None
    if layer is not None:
        _, strata = np.unique(layer.codes, return_inverse=True)
    seed = seed_of(study, "subgroups.heterogeneity")
    return PermutationPlan.sample(panel.n, draws=study.stats.draws, seed=seed, strata=strata)


def outcome_scores(outcome: Outcome) -> Floats:
    """Return the scores of an outcome: 0/1, log-rank scores, or midranks; NaN without a value.

    Parameters
    ----------
    outcome : Outcome
        Any kind.

    Returns
    -------
    ndarray of float, shape (n,)
        Scores.

    Raises
    ------
    None
    """
    known = outcome.known
    scores: Floats = np.full(len(known), np.nan)
    if outcome.kind == "binary":
        scores[known] = outcome.values[known]
    elif outcome.kind == "time":
        if known.any():
            scores[known] = logrank_scores(outcome.values[known], outcome.events[known])
    else:
        scores[known] = midranks(outcome.values[known])
    return scores


def midranks(values: Floats) -> Floats:
    """Return ranks, ties sharing their mean.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        Not missing.

    Returns
    -------
    ndarray of float, shape (n,)
        1 to n.

    Raises
    ------
    None

    Examples
    --------
    >>> midranks(np.array([5.0, 7.0, 5.0])).tolist()
    [1.5, 3.0, 1.5]
    """
    ordered = np.sort(values)
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right")
    result: Floats = (low + high + 1) / 2.0
    return result


def feature(factor: Factor, outcome: Outcome) -> Floats:
    """Return the columns with which a factor enters a linear statistic.

    Parameters
    ----------
    factor : Factor
        The factor.
    outcome : Outcome
        Its kind decides between values and ranks.

    Returns
    -------
    ndarray of float, shape (n, columns)
        Scaled values of a continuous factor (midranks against ranks), level places of an ordinal one, else one indicator per
        level that someone has (one for two levels); NaN for missing.

    Raises
    ------
    None
    """
    if factor.entry.kind == "continuous" and not np.isnan(factor.scaled[factor.known]).any():
        column = np.where(factor.known, factor.scaled, np.nan)
        if outcome.kind in ("ordinal", "continuous"):
            use = ~np.isnan(column)
            column[use] = midranks(column[use])
        return column[:, None]
    if factor.entry.kind == "ordinal":
        return np.where(factor.known, factor.codes, np.nan).astype(np.float64)[:, None]
    filled = np.flatnonzero(factor.members.any(axis=0))
    if len(filled) == 2:
        filled = filled[1:]
    columns = factor.members[:, filled].astype(np.float64)
    result: Floats = np.where(factor.known[:, None], columns, np.nan)
    return result


def factor_tests(
    factors: tuple[Factor, ...], outcome: Outcome, *, plan: PermutationPlan, study: Study
) -> list[Test]:
    """Return the test of each factor.

    Parameters
    ----------
    factors : tuple of Factor
        Factors.
    outcome : Outcome
        One endpoint.
    plan : PermutationPlan
        Shared plan.
    study : Study
        Whether participants are permuted within strata.

    Returns
    -------
    list of Test
        One per factor.

    Raises
    ------
    None
    """
    plain = study.subgroup.permute_within == "none"
    found: list[Test | None] = [_without_plan(factor, outcome, exact=plain) for factor in factors]
    open_places = [place for place, test in enumerate(found) if test is None]
    columns = [feature(factors[place], outcome) for place in open_places]
    if columns:
        statistics = plan.linear(np.concatenate(columns, axis=1), outcome_scores(outcome))
        start = 0
        for place, part in zip(open_places, columns, strict=True):
            span = range(start, start + part.shape[1])
            found[place] = _from_plan(factors[place], outcome, statistics, span)
            start += part.shape[1]
    return [test for test in found if test is not None]


def _without_plan(factor: Factor, outcome: Outcome, *, exact: bool) -> Test | None:
    """Return why there is no test, or the exact test of a table; None if the plan is needed."""
    both = factor.known & outcome.known
    populated = int(factor.members[both].any(axis=0).sum())
    if populated < 2:
        return Test(math.nan, math.nan, "none", reason="ONE_LEVEL" if populated else "NO_DATA")
    values = outcome.values[both]
    if outcome.kind == "time":
        if not outcome.events[both].any():
            return Test(math.nan, math.nan, "none", reason="NO_EVENTS")
    elif values.min() == values.max():
        reason = "ALL_EVENTS" if outcome.kind == "binary" and values.min() == 1 else "NO_EVENTS"
        return Test(math.nan, math.nan, "none", reason=reason)
    if outcome.kind != "binary" or factor.entry.kind == "continuous" or not exact:
        return None
    x, n = level_counts(factor, outcome)
    x, n = x[n > 0], n[n > 0]
    if factor.entry.kind == "ordinal":
        return _named(cochran_armitage(x, n), "Cochran-Armitage, exact")
    return _named(freeman_halton(np.vstack([x, n - x])), "Freeman-Halton, exact")


def _named(found: TestResult, name: str) -> Test:
    return Test(found.p_value, found.p_min, name, found.mc_error)


def _from_plan(factor: Factor, outcome: Outcome, statistics: LinearStatistics, span: range) -> Test:
    columns = list(span)
    kind = {"binary": "response", "time": "log-rank scores"}.get(outcome.kind, "ranks")
    if len(columns) == 1:
        place = columns[0]
        name = f"permutation, linear statistic of {kind}"
        error = float(statistics.mc_error[place])
        return Test(float(statistics.p_values[place]), float(statistics.p_min[place]), name, error)
    sizes = factor.members[factor.known][:, factor.members.any(axis=0)].sum(axis=0)
    weights = 1.0 - sizes / sizes.sum()
    arranged = (statistics.arranged[:, columns] ** 2) @ weights
    observed = float((statistics.observed[columns] ** 2) @ weights)
    p = float((arranged >= observed - TIE).mean())
    least = float((arranged >= arranged.max() - TIE).mean())
    error = math.sqrt(p * (1 - p) / len(arranged))
    return Test(p, least, f"permutation, quadratic statistic of {kind}", error)


def _add_tests(rows: Rows, factors: tuple[Factor, ...], tests: list[Test], outcome: Outcome) -> None:
    for factor, test in zip(factors, tests, strict=True):
        rows.group_var = factor.entry.dimension
        place: dict[str, Any] = {"group": factor.id, "variable": outcome.id, "method": test.name}
        for stat, value in (("p_heterogeneity", test.p_value), ("p_min", test.p_min)):
            if test.reason:
                rows.add(stat, None, status="NE", reason=test.reason, **place)
            else:
                drawn = f"MC_ONLY, standard error {test.error:.2g}" if test.error > 0 else ""
                rows.add(stat, value, status="FLAG" if drawn else "OK", reason=drawn, **place)
    run = sum(not test.reason for test in tests)
    for stat, number in (("planned", len(tests)), ("run", run), ("not_evaluable", len(tests) - run)):
        rows.add(stat, number, variable=f"tests {outcome.id}", n=number)


def family_statistics(
    factors: tuple[Factor, ...], outcome: Outcome, plan: PermutationPlan
) -> tuple[LinearStatistics, Integers]:
    """Return the standardised statistics of a family of factors.

    Parameters
    ----------
    factors : tuple of Factor
        The family.
    outcome : Outcome
        One endpoint.
    plan : PermutationPlan
        Shared plan, or a complete one.

    Returns
    -------
    tuple of (LinearStatistics, ndarray of int)
        Statistics, and the factor of each column.

    Raises
    ------
    None
    """
    columns = [feature(factor, outcome) for factor in factors]
    owner = np.repeat(np.arange(len(factors)), [part.shape[1] for part in columns])
    return plan.linear(np.concatenate(columns, axis=1), outcome_scores(outcome)), owner.astype(np.int64)


def _add_adjusted(
    rows: Rows,
    panel: Panel,
    outcome: Outcome,
    how: tuple[PermutationPlan, Study],
    *,
    reasons: Mapping[str, str],
) -> None:
    """Adjust over the primary factors that have a test; the others keep the reason why they have none."""
    plan, study = how
    family = tuple(factor for factor in panel.primary if not reasons.get(factor.id, ""))
    method = study.subgroup.adjust
    known = outcome.known
    constant: Flags = known & (outcome.values == outcome.values[known][0]) if known.any() else known
    if method == "none" or not family or (outcome.kind == "binary" and bool((constant == known).all())):
        return
    if outcome.kind == "binary" and bool(known.all()) and study.subgroup.permute_within == "none":
        plan = response_plan(outcome.values, study, analysis_id=rows.analysis_id)
    statistics, owner = family_statistics(family, outcome, plan)
    adjusted = (max_t if method == "max_t" else min_p)(statistics, step_down=True)
    for place, factor in enumerate(family):
        own = adjusted.p_values[owner == place]
        own = own[~np.isnan(own)]
        rows.group_var = factor.entry.dimension
        spot: dict[str, Any] = {"group": factor.id, "variable": outcome.id, "method": adjusted.method}
        if len(own):
            rows.add("p_max_t", float(own.min()), **spot)
        else:
            rows.add("p_max_t", None, status="NE", reason="ONE_LEVEL", **spot)
    for factor in panel.primary:
        if reasons.get(factor.id, ""):
            rows.group_var = factor.entry.dimension
            absent: dict[str, Any] = {"group": factor.id, "variable": outcome.id, "method": adjusted.method}
            rows.add("p_max_t", None, status="NE", reason=reasons[factor.id], **absent)
