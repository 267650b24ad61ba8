"""One row per participant with every primary factor and outcome, ordered by the best change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import open_rows
from interim.analysis.subgroups.model import Factor, Floats, Outcome, Panel
from interim.analysis.subgroups.panel import open_panel
from interim.result import Result, Rows
from interim.study import Study

ENDPOINTS = ("depth", "bor", "orr", "crs2", "cmax")
_BOR: Mapping[float, str] = {4.0: "CR", 3.0: "PR", 2.0: "SD", 1.0: "PD"}


def participant_map(adam: Adam, study: Study) -> Result:
    """Give each participant's dose, factors and outcomes, ordered by the best change.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, and what the endpoints need.
    study : Study
        ``subgroup.cluster`` orders by similarity instead.

    Returns
    -------
    Result
        ``subgroups.participant_map``; level = USUBJID in printed order; variable = entry id (texts of levels, and the value
        where there is one), ``depth``, ``bor``, ``orr``, ``crs2``, ``cmax``. No test, no cluster names.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    panel, who = open_panel(adam, study, endpoints=ENDPOINTS)
    rows = open_rows("subgroups.participant_map", "Participant-level covariate map", who)
    factors = (panel.dose, *panel.primary)
    for factor in factors:
        rows.add("label", None, group=factor.id, variable="entry", text=factor.entry.label)
    order = similar_order(panel) if study.subgroup.cluster else _by_change(panel.outcomes["depth"], panel)
    for place in order:
        _add_participant(rows, panel, int(place), factors)
    return rows.build()


def _by_change(outcome: Outcome, panel: Panel) -> list[int]:
    """Return the places by best change, the deepest fall first, those without a value last."""
    values = np.where(np.isnan(outcome.values), np.inf, outcome.values)
    return sorted(range(panel.n), key=lambda place: (values[place], panel.subjects[place]))


def similar_order(panel: Panel) -> list[int]:
    """Return the places by average linkage on Gower's distance over dose and primary factors.

    Parameters
    ----------
    panel : Panel
        Factors.

    Returns
    -------
    list of int
        Similar participants stand together; an order only.

    Raises
    ------
    None
    """
    if panel.n < 3:
        return list(range(panel.n))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = gower((panel.dose, *panel.primary), panel.n)
    return [int(place) for place in leaves_list(linkage(squareform(distance, checks=False), "average"))]


def gower(factors: tuple[Factor, ...], n: int) -> Floats:
    """Return Gower's distance between participants.

    Parameters
    ----------
    factors : tuple of Factor
        Ordered factors with values by their range, others by equality; missing is left out of a pair.
    n : int
        Participants.

    Returns
    -------
    ndarray of float, shape (n, n)
        0 to 1; 1 where a pair shares no factor.

    Raises
    ------
    None
    """
    total, shared = np.zeros((n, n)), np.zeros((n, n))
    for factor in factors:
        both = factor.known[:, None] & factor.known[None, :]
        values = factor.values
        numeric = factor.ordered and not np.isnan(values[factor.known]).any() and bool(factor.known.any())
        if numeric:
            filled = np.nan_to_num(values)
            span = float(np.ptp(values[factor.known])) or 1.0
            apart = np.abs(filled[:, None] - filled[None, :]) / span
        else:
            apart = (factor.codes[:, None] != factor.codes[None, :]).astype(np.float64)
        total += np.where(both, apart, 0.0)
        shared += both
    result: Floats = np.where(shared > 0, total / np.maximum(shared, 1), 1.0)
    np.fill_diagonal(result, 0.0)
    return result


def _add_participant(rows: Rows, panel: Panel, place: int, factors: tuple[Factor, ...]) -> None:
    subject = panel.subjects[place]
    spot: dict[str, Any] = {"level": subject, "subjects": [subject]}
    for factor in factors:
        code = int(factor.codes[place])
        text = factor.levels[code] if code >= 0 else "Missing"
        value = None if factor.entry.dimension == "dose" else float(factor.values[place])
        shown = None if value is None or np.isnan(value) else value
        rows.add("level", shown, variable=factor.id, text=text, **spot)
    for name in ENDPOINTS:
        outcome = panel.outcomes[name]
        if outcome.reason:
            rows.add("value", None, variable=name, status="NA", reason=outcome.reason, **spot)
        elif name == "bor":
            text = _BOR.get(float(outcome.values[place]), "NE")
            rows.add("value", None, variable=name, text=text, **spot)
        elif np.isnan(outcome.values[place]):
            rows.add("value", None, variable=name, status="NE", reason="NO_DATA", **spot)
        else:
            rows.add("value", float(outcome.values[place]), variable=name, unit=outcome.unit, **spot)
