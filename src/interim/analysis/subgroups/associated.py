"""How the factors hang together, with each other and with the dose."""

from __future__ import annotations

import math

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_counts, open_rows, population
from interim.analysis.response import disease_control, responders
from interim.analysis.subgroups.model import Factor, Panel, joined
from interim.analysis.subgroups.panel import open_panel
from interim.result import Result, Rows
from interim.stats import spearman
from interim.study import Study

STRONG = 0.5
TYPE_DIMENSION = "histology"


def association(adam: Adam, study: Study) -> Result:
    """Measure how the primary factors and the dose go together, and count who is in which combination.

    Parameters
    ----------
    adam : Adam
        ADSL and ADSUB.
    study : Study
        ``[[subgroups]]``.

    Returns
    -------
    Result
        ``subgroups.association``; variable ``association``, group and level = two entries: stat cramer_v, or spearman where
        both are ordered with values; n = participants with both; reason CONFOUNDED from 0.5. Variable ``overlap``, level =
        entries whose first level a participant is not in: n. No test.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    panel, who = open_panel(adam, study)
    rows = open_rows("subgroups.association", "Overlap and association among subgroup variables", who)
    factors = (*panel.primary, panel.dose)
    for place, first in enumerate(factors):
        rows.add("label", None, group=first.id, variable="entry", text=first.entry.label)
        for second in factors[place + 1 :]:
            _add_pair(rows, first, second)
    _add_overlap(rows, panel)
    return rows.build()


def _add_pair(rows: Rows, first: Factor, second: Factor) -> None:
    stat, value, n = associated(first, second)
    rows.group_var = first.entry.dimension
    place = {"group": first.id, "variable": "association", "level": second.id}
    if math.isnan(value):
        rows.add(stat, None, n=n, status="NE", reason="ONE_LEVEL", **place)
    else:
        strong = abs(value) >= STRONG - 1e-12
        rows.add(
            stat,
            value,
            n=n,
            status="FLAG" if strong else "OK",
            reason="CONFOUNDED" if strong else "",
            **place,
        )


def associated(first: Factor, second: Factor) -> tuple[str, float, int]:
    """Return the measure of association of two factors.

    Parameters
    ----------
    first, second : Factor
        Over the same participants.

    Returns
    -------
    tuple of (str, float, int)
        ``spearman`` if both are ordered and have values, else ``cramer_v``; the value, NaN if one of them is constant; the
        participants who have both.

    Raises
    ------
    None
    """
    both = first.known & second.known
    n = int(both.sum())
    if _has_values(first, both) and _has_values(second, both):
        if n < 2:
            return "spearman", math.nan, n
        return "spearman", spearman(first.values[both], second.values[both]).estimate, n
    table = first.members[both].astype(np.float64).T @ second.members[both].astype(np.float64)
    return "cramer_v", cramer_v(table), n


def _has_values(factor: Factor, both: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bool:
    return factor.ordered and bool(both.any()) and not bool(np.isnan(factor.values[both]).any())


def cramer_v(table: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    """Return Cramer's V of a table, without correction.

    Parameters
    ----------
    table : ndarray of float, shape (r, c)
        Counts.

    Returns
    -------
    float
        0 to 1; NaN if fewer than two rows or columns hold anybody.

    Raises
    ------
    None

    Examples
    --------
    >>> cramer_v(np.array([[3.0, 0.0], [0.0, 2.0]])), round(cramer_v(np.array([[4.0, 2.0], [2.0, 1.0]])), 6)
    (1.0, 0.0)
    """
    counts = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    least = min(counts.shape) - 1
    if least < 1:
        return math.nan
    n = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / (n * least)))


def confounders(factor: Factor, panel: Panel) -> tuple[tuple[str, str, float, int], ...]:
    """Return what a factor goes with, the strongest first.

    Parameters
    ----------
    factor : Factor
        The factor.
    panel : Panel
        Dose and the primary entries of the other dimensions.

    Returns
    -------
    tuple of (str, str, float, int)
        Entry id, measure, value, participants; constant factors are left out.

    Raises
    ------
    None
    """
    own = factor.entry
    others = [
        other
        for other in panel.primary
        if other.id != own.id and (own.primary or other.entry.dimension != own.dimension)
    ]
    if factor.entry.dimension != "dose":
        others.append(panel.dose)
    found = [(other.id, *associated(factor, other)) for other in others]
    known = [item for item in found if not math.isnan(item[2])]
    return tuple(sorted(known, key=lambda item: (-round(abs(item[2]), 12), item[0])))


def is_confounded(factor: Factor, panel: Panel) -> bool:
    """Tell whether a factor goes strongly with the dose, the tumour type or another primary entry.

    Parameters
    ----------
    factor : Factor
        The factor.
    panel : Panel
        The others.

    Returns
    -------
    bool
        True from an association of 0.5 on.

    Raises
    ------
    None
    """
    return any(abs(value) >= STRONG - 1e-12 for _, _, value, _ in confounders(factor, panel)[:1])


def _add_overlap(rows: Rows, panel: Panel) -> None:
    outside = {factor.id: factor.known & (factor.codes > 0) for factor in panel.primary}
    texts = [
        joined(name for name, hit in outside.items() if hit[place]) or "none" for place in range(panel.n)
    ]
    for text in sorted(set(texts), key=lambda item: (-texts.count(item), item)):
        inside = np.array([item == text for item in texts])
        names = panel.names(inside)
        rows.add("n", len(names), variable="overlap", level=text, n=len(names), N=panel.n, subjects=names)
    for name, hit in outside.items():
        names = panel.names(hit)
        rows.add("n", len(names), group=name, variable="overlap", n=len(names), N=panel.n, subjects=names)


def type_by_dose(adam: Adam, study: Study) -> Result:
    """Cross tumour type with the assigned dose level.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB; ADRS for responses.
    study : Study
        The primary entry of histology.

    Returns
    -------
    Result
        ``subgroups.type_by_dose``; group = cohort, level = tumour type (missing last); variables treated, evaluable,
        responders, control: n = participants, N = treated (responders and control: of the treated of that type and dose).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF", column="COHORT")
    rows = open_rows("subgroups.type_by_dose", "Tumour type by dose level cross-table", who)
    panel, _ = open_panel(adam, study)
    factor = next((f for f in panel.primary if f.entry.dimension == TYPE_DIMENSION), None)
    if factor is None:
        rows.add("n", None, variable="treated", status="NA", reason="not available: no entry of tumour type")
        return rows.build()
    types = {level: frozenset(panel.names(factor.members[:, k])) for k, level in enumerate(factor.levels)}
    rest = who.everyone - frozenset().union(*types.values())
    if rest:
        types["Missing"] = rest
    adsl = adam["ADSL"]
    features = {"treated": who.everyone, "evaluable": frozenset(adsl.loc[adsl["DLTEVFL"] == "Y", "USUBJID"])}
    if adam.has("ADRS"):
        confirmed = study.response.confirmation_required
        if not adam.lacks("ADRS.CRSP" if confirmed else "ADRS.RSP"):
            features["responders"] = responders(adam, study, confirmed=confirmed)
        if not adam.lacks("ADRS.CDCR" if confirmed else "ADRS.DCR"):
            features["control"] = disease_control(adam, study, confirmed=confirmed)
    for level, members in types.items():
        part = who.narrow(members)
        for variable, subjects in features.items():
            add_counts(rows, part, variable=variable, level=level, subjects=subjects)
    return rows.build()
