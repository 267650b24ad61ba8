"""Exploratory subgroups: what they are, and the response rate within each level."""

from __future__ import annotations

import pandas as pd

from interim.adam.levels import cut_levels
from interim.adam.model import Adam
from interim.analysis.population import (
    MISSING,
    Population,
    add_not_available,
    add_rate,
    efficacy_set,
    open_rows,
    population,
)
from interim.analysis.response import disease_control, responders
from interim.result import TOTAL, Result, Rows
from interim.study import Study, SubgroupEntry

ENDPOINTS = ("orr", "dcr")
_FLAG_MISSING = "MISSING_GT_20"


def registry(adam: Adam, study: Study) -> Result:
    """List the subgroup factors with definition, cut-point, origin, and participants per level.

    Parameters
    ----------
    adam : Adam
        ADSL and ADSUB.
    study : Study
        ``[[subgroups]]``.

    Returns
    -------
    Result
        ``subgroups.registry``; group = entry id, group_var = dimension; texts (variable ``definition``) label, dimension,
        variable, cut, origin, primary, direction, timing; variable ``level`` with one row per level, missing last, stat n.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("subgroups.registry", "Subgroup registry", who)
    for entry in study.subgroups:
        rows.group_var = entry.dimension
        part = _members(adam, who, entry)
        _add_definition(rows, entry, part)
        for level, subjects in _levels(entry, part, who).items():
            flag = level == MISSING and 100 * len(subjects) > study.subgroup.missing_flag_pct * max(
                who.n(), 1
            )
            rows.add(
                "n",
                len(subjects),
                group=entry.id,
                variable="level",
                level=level,
                unit="participants",
                n=len(subjects),
                N=who.n(),
                subjects=sorted(subjects),
                status="FLAG" if flag else "OK",
                reason=_FLAG_MISSING if flag else "",
            )
    rows.group_var = who.column
    rows.add("entries", len(study.subgroups), variable="registry", n=len(study.subgroups))
    return rows.build()


def levels(adam: Adam, study: Study) -> Result:
    """Give response and disease control within each level of each subgroup factor.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS, ADSUB.
    study : Study
        ``[[subgroups]]``, ``subgroup.min_ci_n``, interval.

    Returns
    -------
    Result
        ``subgroups.levels``; group = entry id (Total: all participants), group_var = dimension, variable = endpoint (orr,
        dcr), level; stats rate, lower, upper with n = x and N = n of the level. Levels smaller than ``subgroup.min_ci_n``
        have no interval (LEVEL_N_LT_3). Factors measured after baseline or cut by the data are left out.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("subgroups.levels", "Response by subgroup", who)
    if not adam.has("ADRS"):
        reason = f"not available: {adam.missing.get('ADRS', 'no response dataset')}"
        for endpoint in ENDPOINTS:
            add_not_available(rows, [TOTAL], variable=endpoint, stat="rate", reason=reason)
        return rows.build()
    confirmed = study.response.confirmation_required
    hits = {
        "orr": responders(adam, study, confirmed=confirmed) & who.everyone,
        "dcr": disease_control(adam, study, confirmed=confirmed) & who.everyone,
    }
    for endpoint, found in hits.items():
        add_rate(
            rows, (len(found), who.n()), study=study, where=(TOTAL, endpoint, ""), subjects=sorted(found)
        )
    for entry in study.subgroups:
        if entry.timing != "baseline" or entry.origin == "data_driven":
            continue
        rows.group_var = entry.dimension
        _add_entry(
            rows, who, _levels(entry, _members(adam, who, entry), who), study=study, entry=entry, hits=hits
        )
    return rows.build()


def _add_entry(
    rows: Rows,
    who: Population,
    by_level: dict[str, frozenset[str]],
    *,
    study: Study,
    entry: SubgroupEntry,
    hits: dict[str, frozenset[str]],
) -> None:
    rows.add("label", None, group=entry.id, variable="entry", text=entry.label)
    rows.add("primary", None, group=entry.id, variable="entry", text="Y" if entry.primary else "N")
    for endpoint, found in hits.items():
        for level, subjects in by_level.items():
            hit = sorted(found & subjects)
            add_rate(
                rows,
                (len(hit), len(subjects)),
                study=study,
                where=(entry.id, endpoint, level),
                subjects=hit,
                min_n=study.subgroup.min_ci_n,
            )


def _members(adam: Adam, who: Population, entry: SubgroupEntry) -> pd.DataFrame:
    columns = ["USUBJID", "AVALC", "AVALN", "CUT"]
    if not adam.has("ADSUB"):
        return pd.DataFrame(columns=columns)
    adsub = adam["ADSUB"]
    return adsub.loc[(adsub["ENTRY"] == entry.id) & adsub["USUBJID"].isin(who.everyone), columns]


def _levels(entry: SubgroupEntry, part: pd.DataFrame, who: Population) -> dict[str, frozenset[str]]:
    """Return level -> participants: empty levels of the definition included, missing last and only if someone is."""
    known = part.dropna(subset=["AVALC"])
    found = {str(level): frozenset(rows["USUBJID"]) for level, rows in known.groupby("AVALC", sort=True)}
    ranks = known.groupby("AVALC")["AVALN"].min().to_dict()
    observed = sorted(found, key=lambda level: (ranks[level], level))
    defined = _defined(entry, part)
    order = [*defined, *(level for level in observed if level not in defined)]
    if not set(observed) & set(defined) and observed:
        order = observed
    ordered = {level: found.get(level, frozenset()) for level in order}
    unknown = who.everyone - frozenset().union(*found.values())
    if unknown:
        ordered[MISSING] = unknown
    return ordered


def _defined(entry: SubgroupEntry, part: pd.DataFrame) -> list[str]:
    if entry.levels is not None:
        return list(entry.levels)
    cuts = entry.cuts if isinstance(entry.cuts, tuple) else None
    if entry.cuts == "median":
        used = [float(cut) for cut in part["CUT"].dropna().unique()]
        cuts = (used[0],) if len(used) == 1 else None
    return cut_levels(cuts, closed=entry.closed) if cuts else []


def _add_definition(rows: Rows, entry: SubgroupEntry, part: pd.DataFrame) -> None:
    used = sorted({str(cut) for cut in part["CUT"].dropna()})
    if entry.cuts == "median":
        cut = f"median: {', '.join(used)}" if used else "median: no value"
    else:
        cut = ", ".join(f"{value:g}" for value in entry.cuts) if entry.cuts else "none"
    texts = {
        "label": entry.label,
        "dimension": entry.dimension,
        "variable": entry.variable,
        "cut": cut,
        "origin": entry.origin,
        "primary": "Y" if entry.primary else "N",
        "direction": entry.direction,
        "timing": entry.timing,
        "source": entry.source or "-",
    }
    for stat, text in texts.items():
        rows.add(stat, None, group=entry.id, variable="definition", text=text)
