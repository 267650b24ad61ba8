"""From analysis datasets to the arrays of the subgroup questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.levels import cut_levels
from interim.adam.model import Adam
from interim.analysis.population import Population, efficacy_set, population
from interim.analysis.subgroups.model import Factor, Panel
from interim.analysis.subgroups.outcomes import outcomes
from interim.study import Study, SubgroupEntry

DOSE = "dose_level"
_NO_ROWS = pd.DataFrame({"USUBJID": pd.Series(dtype=object), "AVALC": pd.Series(dtype=object)})


def open_panel(adam: Adam, study: Study, *, endpoints: Iterable[str] = ()) -> tuple[Panel, Population]:
    """Return the participants of the efficacy set with their factors and endpoints.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, and what the endpoints need.
    study : Study
        ``[[subgroups]]``, efficacy set.
    endpoints : iterable of str
        Which.

    Returns
    -------
    tuple of (Panel, Population)
        The arrays, and the set by cohort.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If an endpoint is unknown.
    """
    who = population(adam, study, efficacy_set(study))
    subjects = tuple(sorted(who.everyone))
    rows = _rows_by_entry(adam, who)
    factors = tuple(_factor(entry, rows.get(entry.id, _NO_ROWS), subjects) for entry in study.subgroups)
    found = outcomes(adam, study, subjects, endpoints=endpoints)
    return Panel(subjects, who.label, who.column, factors, _dose(who, study, subjects), found), who


def _rows_by_entry(adam: Adam, who: Population) -> Mapping[str, pd.DataFrame]:
    if not adam.has("ADSUB"):
        return {}
    adsub = adam["ADSUB"]
    inside = adsub[adsub["USUBJID"].isin(who.everyone)]
    return {str(entry): part for entry, part in inside.groupby("ENTRY", sort=False)}


def _factor(entry: SubgroupEntry, part: pd.DataFrame, subjects: Sequence[str]) -> Factor:
    texts = dict(zip(part["USUBJID"], part["AVALC"], strict=True))
    known = {who: str(text) for who, text in texts.items() if isinstance(text, str)}
    cuts = _cuts(entry, part)
    levels = _levels(entry, cuts, known, _ranks(part))
    place = {level: code for code, level in enumerate(levels)}
    codes = np.array([place[known[who]] if who in known else -1 for who in subjects], dtype=np.int64)
    numbers = dict(zip(part["USUBJID"], part["AVAL"], strict=True)) if "AVAL" in part else {}
    values = np.array([numbers.get(who, np.nan) for who in subjects], dtype=np.float64)
    return Factor(entry, levels, codes, values, cuts, _marks(part))


def _ranks(part: pd.DataFrame) -> dict[str, float]:
    if "AVALN" not in part:
        return {}
    found: dict[str, float] = {}
    for level, rank in zip(part["AVALC"], part["AVALN"].astype(float), strict=True):
        if isinstance(level, str) and rank == rank:
            found[level] = min(rank, found.get(level, rank))
    return found


def _cuts(entry: SubgroupEntry, part: pd.DataFrame) -> tuple[float, ...]:
    if isinstance(entry.cuts, tuple):
        return entry.cuts
    used = sorted({float(cut) for cut in _stated(part, "CUT")})
    return tuple(used) if entry.cuts == "median" and len(used) == 1 else ()


def _levels(
    entry: SubgroupEntry, cuts: tuple[float, ...], known: Mapping[str, str], ranks: Mapping[str, float]
) -> tuple[str, ...]:
    """Return the levels of the definition, then levels that only the data have."""
    defined = list(entry.levels) if entry.levels is not None else []
    defined = defined or (cut_levels(cuts, closed=entry.closed) if cuts else [])
    observed = sorted(set(known.values()), key=lambda level: (ranks.get(level, 0.0), level))
    if observed and not set(observed) & set(defined):
        return tuple(observed)
    return (*defined, *(level for level in observed if level not in defined))


def _stated(part: pd.DataFrame, column: str) -> list[Any]:
    """Return the values of a column that are not missing."""
    return [value for value in part[column].tolist() if not pd.isna(value)] if column in part else []


def _marks(part: pd.DataFrame) -> frozenset[str]:
    texts = {code.strip() for text in _stated(part, "FLAGS") for code in str(text).split(";")}
    return frozenset(code.split(" ")[0] for code in texts if code)


def _dose(who: Population, study: Study, subjects: Sequence[str]) -> Factor:
    """Return the assigned cohort as a factor; it is context, not one of the dimensions."""
    codes = {subject: code for code, ids in list(who.members.items())[:-1] for subject in ids}
    levels = tuple(list(who.members)[:-1])
    settings: dict[str, Any] = {
        "id": DOSE,
        "dimension": "dose",
        "label": "Assigned dose level",
        "variable": "COHORT",
        "kind": "nominal",
        "levels": levels,
        "origin": "protocol",
    }
    places = {level: code for code, level in enumerate(levels)}
    values = np.array([places[codes[subject]] if subject in codes else -1 for subject in subjects])
    return Factor(
        SubgroupEntry.model_validate(settings),
        levels,
        values.astype(np.int64),
        np.where(values >= 0, values, np.nan).astype(np.float64),
    )
