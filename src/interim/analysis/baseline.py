"""Baseline: who the participants were before treatment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.levels import cut_level, cut_levels
from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    MISSING,
    Population,
    add_counts,
    add_not_available,
    by_value,
    open_rows,
    population,
)
from interim.result import Result, Rows
from interim.study import Study

STATISTICS: Mapping[str, Callable[[np.ndarray[Any, Any]], float]] = {
    "mean": lambda values: float(values.mean()),
    "sd": lambda values: float(values.std(ddof=1)),
    "median": lambda values: _quantile(values, 0.5),
    "q1": lambda values: _quantile(values, 0.25),
    "q3": lambda values: _quantile(values, 0.75),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
}


def demography(adam: Adam, study: Study) -> Result:
    """Summarise age, sex, weight and performance status.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``baseline.demography``; columns by actual dose; continuous: n, mean, sd, median, q1, q3, min, max; otherwise
        one level per row with stat n; a variable that was not collected is NA.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _baseline(adam, study, "demography", "Demography")


def disease(adam: Adam, study: Study) -> Result:
    """Summarise tumour type, histology, prior lines, burden, site, ligand expression and blood markers.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``baseline.disease``, as `demography`.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _baseline(adam, study, "disease", "Baseline disease characteristics")


def _baseline(adam: Adam, study: Study, name: str, title: str) -> Result:
    who = population(adam, study, "NK-SAF")
    rows = open_rows(f"baseline.{name}", title, who)
    for spec in printed_rows()[name]:
        add_variable(rows, who, adam=adam, spec=spec)
    return rows.build()


def add_variable(rows: Rows, who: Population, *, adam: Adam, spec: Mapping[str, Any]) -> None:
    """Add the rows of one variable of ADSL: summary, levels, or levels by cut-points.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The set.
    adam : Adam
        ADSL.
    spec : mapping
        variable; kind: continuous (unit), levels (levels), cuts (cuts, closed).

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    A variable that was not collected is NA; its cuts, which stand below it, are left out.
    """
    variable, kind = spec["variable"], spec["kind"]
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(who.everyone)]
    if variable not in adsl or adam["ADSL"][variable].isna().all():
        if kind != "cuts" or spec.get("alone"):
            stat = "median" if kind == "continuous" else "n"
            add_not_available(rows, who.groups, variable=variable, stat=stat, reason="not collected")
    elif kind == "continuous":
        add_summary(rows, who, adsl, variable=variable, unit=spec["unit"])
    else:
        _add_levels(rows, who, adsl, spec)


def add_summary(rows: Rows, who: Population, frame: pd.DataFrame, *, variable: str, unit: str) -> None:
    """Add n, missing, mean, SD, median, quartiles and range of a continuous variable, by column.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The set.
    frame : pandas.DataFrame
        One row per participant: USUBJID and the variable.
    variable : str
        Name of the column; also the variable of the rows.
    unit : str
        Unit of the values.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Quantiles average the two neighbours at a jump of the empirical distribution (SAS PCTLDEF=5, R type 2).
    """
    values = pd.Series(
        pd.to_numeric(frame[variable]).to_numpy(dtype=float), index=frame["USUBJID"].to_numpy()
    ).dropna()
    known = frozenset(values.index)
    add_counts(rows, who, variable=variable, subjects=known)
    for group, ids in who.members.items():
        here = values.loc[sorted(ids & known)].to_numpy()
        for stat, function in STATISTICS.items():
            place: dict[str, Any] = {
                "group": group,
                "variable": variable,
                "unit": unit,
                "n": len(here),
                "N": who.n(group),
            }
            if len(here) < (2 if stat == "sd" else 1):
                reason = "ONE_VALUE" if len(here) else "NO_DATA"
                rows.add(stat, None, status="NE", reason=reason, **place)
            else:
                rows.add(stat, function(here), **place)


def _quantile(values: np.ndarray[Any, Any], p: float) -> float:
    return float(np.quantile(values, p, method="averaged_inverted_cdf"))


def _add_levels(rows: Rows, who: Population, frame: pd.DataFrame, spec: Mapping[str, Any]) -> None:
    variable = spec["variable"]
    if spec["kind"] == "cuts":
        cuts, closed = spec["cuts"], spec.get("closed", "left")
        levels = cut_levels(cuts, closed=closed)
        texts = frame[variable].map(
            lambda v: None if pd.isna(v) else cut_level(float(v), cuts, closed=closed)
        )
    else:
        texts = frame[variable].map(_level_text)
        levels = [*spec["levels"], *sorted(set(texts.dropna()) - set(spec["levels"]))]
    found = by_value(pd.DataFrame({"USUBJID": frame["USUBJID"], variable: texts}), variable)
    for level in levels:
        add_counts(rows, who, variable=variable, level=level, subjects=found.get(level, ()))
    missing = frame.loc[texts.isna(), "USUBJID"]
    if len(missing):
        add_counts(rows, who, variable=variable, level=MISSING, subjects=missing)


def _level_text(value: object) -> str | None:
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
