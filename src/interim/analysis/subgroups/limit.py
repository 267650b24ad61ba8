"""Limits of interpretation: what these labels and this number of responses can show at best, before any result."""

from __future__ import annotations

from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_not_available, open_rows
from interim.analysis.subgroups.associated import STRONG, confounders
from interim.analysis.subgroups.chance import Chance, attainable, chance_of_gap
from interim.analysis.subgroups.model import Factor, Panel, level_counts
from interim.analysis.subgroups.panel import open_panel
from interim.result import TOTAL, Result, Rows
from interim.stats import binomial_interval
from interim.study import Study

SUMMARY = "limits"


def limits(adam: Adam, study: Study) -> Result:
    """State for each primary factor what can be seen at best, and what chance alone shows.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, ADRS.
    study : Study
        ``subgroup.gap_pp``, ``subgroup.min_ci_n``, ``stats.max_exact``.

    Returns
    -------
    Result
        ``subgroups.limits``; group = entry id, group_var = dimension, variable ``orr``: smallest_n, p_min (smallest attainable
        two-sided p), half_width (of the interval of the smallest level that has one), chance_gap, and cramer_v or spearman
        with level = the entry it goes with most. Group Total: chance_gap for at least one factor, and variable ``limits`` with
        the numbers of the sentence under every forest.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    StudyError
        If there are too many assignments to count and the study states no seed.

    Notes
    -----
    The labels stay as they are, so that the factors keep their associations; the responses are assigned in every possible way.
    """
    panel, who = open_panel(adam, study, endpoints=("orr",))
    rows = open_rows("subgroups.limits", "Limits of interpretation", who)
    for factor in panel.primary:
        rows.group_var = factor.entry.dimension
        rows.add("label", None, group=factor.id, variable="entry", text=factor.entry.label)
    add_limits(rows, panel, study)
    return rows.build()


def add_limits(rows: Rows, panel: Panel, study: Study) -> None:
    """Add the limits of a panel.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    panel : Panel
        Factors and the endpoint ``orr``.
    study : Study
        Settings.

    Returns
    -------
    None

    Raises
    ------
    StudyError
        If there are too many assignments to count and the study states no seed.
    """
    outcome = panel.outcomes["orr"]
    if outcome.reason:
        add_not_available(rows, [TOTAL], variable="orr", stat="chance_gap", reason=outcome.reason)
        return
    found = chance_of_gap(panel.primary, outcome, study, analysis_id=rows.analysis_id)
    for factor, chance in zip(panel.primary, found.single, strict=True):
        rows.group_var = factor.entry.dimension
        _add_factor(rows, factor, panel, study)
        _add_chance(rows, chance, found, group=factor.id)
    rows.group_var = panel.column
    _add_chance(rows, found.any, found, group=TOTAL)
    add_summary(rows, panel, study, found=found)


def _add_chance(rows: Rows, value: float, found: Chance, *, group: str) -> None:
    drawn = found.error > 0
    rows.add(
        "chance_gap",
        value,
        group=group,
        variable="orr",
        unit="probability",
        method=f"{'Monte Carlo' if drawn else 'exact'}, {found.arrangements} assignments",
        status="FLAG" if drawn else "OK",
        reason=f"MC_ONLY, standard error {found.error:.2g}" if drawn else "",
    )


def _add_factor(rows: Rows, factor: Factor, panel: Panel, study: Study) -> None:
    outcome = panel.outcomes["orr"]
    x, n = level_counts(factor, outcome)
    place: dict[str, Any] = {"group": factor.id, "variable": "orr"}
    filled = n[n > 0]
    if len(filled):
        smallest = int(filled.min())
        rows.add("smallest_n", smallest, n=smallest, unit="participants", **place)
    else:
        rows.add("smallest_n", None, status="NE", reason="NO_DATA", **place)
    one = len(filled) < 2
    rows.add(
        "p_min",
        attainable(factor, outcome),
        unit="probability",
        method="Freeman-Halton, smallest attainable with these margins",
        status="FLAG" if one else "OK",
        reason="ONE_LEVEL" if one else "",
        **place,
    )
    _add_half_width(rows, x, n, study=study, place=place)
    _add_companion(rows, factor, panel, place)


def _add_half_width(rows: Rows, x: Any, n: Any, *, study: Study, place: dict[str, Any]) -> None:
    use = np.flatnonzero(n >= study.subgroup.min_ci_n)
    if not len(use):
        rows.add("half_width", None, status="NE", reason="LEVEL_N_LT_3", **place)
        return
    smallest = use[np.argmin(n[use])]
    interval = binomial_interval(
        int(x[smallest]), int(n[smallest]), method=study.stats.binomial_interval, level=study.stats.level
    )
    half = (float(interval.upper) - float(interval.lower)) / 2
    rows.add("half_width", half, unit="probability", n=int(x[smallest]), N=int(n[smallest]), **place)


def _add_companion(rows: Rows, factor: Factor, panel: Panel, place: dict[str, Any]) -> None:
    found = confounders(factor, panel)
    if not found:
        rows.add("cramer_v", None, status="NE", reason="ONE_LEVEL", **place)
        return
    other, stat, value, n = found[0]
    strong = abs(value) >= STRONG - 1e-12
    rows.add(
        stat,
        value,
        level=other,
        n=n,
        status="FLAG" if strong else "OK",
        reason="CONFOUNDED" if strong else "",
        **place,
    )


def add_summary(rows: Rows, panel: Panel, study: Study, *, found: Chance | None = None) -> None:
    """Add the numbers of the sentence that stands under every forest.

    Parameters
    ----------
    rows : Rows
        Where the rows go; variable ``limits``.
    panel : Panel
        Factors and the endpoint ``orr``.
    study : Study
        Settings.
    found : Chance, optional
        The chances, if they are known already.

    Returns
    -------
    None

    Raises
    ------
    StudyError
        If there are too many assignments to count and the study states no seed.
    """
    outcome = panel.outcomes["orr"]
    chances = found or chance_of_gap(panel.primary, outcome, study, analysis_id="subgroups.limits")
    smallest = [attainable(factor, outcome) for factor in panel.primary] or [1.0]
    filled = sum(int(factor.members.any(axis=0).sum()) for factor in panel.primary)
    responded = int(np.nansum(outcome.values))
    counts = {"n": int(outcome.known.sum()), "r": responded, "k": len(panel.primary), "m": filled}
    for stat, number in counts.items():
        subjects = panel.names(outcome.values == 1) if stat == "r" else ()
        rows.add(stat, number, variable=SUMMARY, n=number, subjects=subjects)
    values = {
        "gap_pp": study.subgroup.gap_pp,
        "p_any": chances.any,
        "p_min_lo": min(smallest),
        "p_min_hi": max(smallest),
    }
    for stat, value in values.items():
        rows.add(stat, value, variable=SUMMARY)
