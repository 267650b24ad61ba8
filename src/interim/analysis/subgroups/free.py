"""The same steps on any frame with one row per participant, for ad-hoc work in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.levels import cut_level, cut_levels
from interim.analysis.adhoc import adhoc_study
from interim.analysis.population import Population, open_rows
from interim.analysis.subgroups.limit import add_limits
from interim.analysis.subgroups.model import Factor, Integers, Kind, Outcome, Panel
from interim.analysis.subgroups.variation import add_heterogeneity
from interim.analysis.subgroups.within import add_levels
from interim.errors import DataError, Finding
from interim.result import TOTAL, Result
from interim.study import AD_HOC, Study, SubgroupEntry

LATE = "Factors and cuts of this ad-hoc analysis were defined after results were known."
_FLAG_LEVELS = ("Y", "N")


def adhoc(
    df: pd.DataFrame,
    *,
    endpoint: str | tuple[str, str],
    factors: Sequence[str | Mapping[str, Any] | SubgroupEntry],
    study: Study | None = None,
) -> Result:
    """Run limits, heterogeneity and levels on a tidy frame.

    Parameters
    ----------
    df : pandas.DataFrame
        One row per participant; a column USUBJID is optional.
    endpoint : str or tuple of str
        Column with 0/1 or True/False, or with any number; or the columns of time (days) and event (1/0).
    factors : sequence of str, mapping or SubgroupEntry
        Column names (text: its levels; number: cut at the median), or entries as in ``[[subgroups]]``.
    study : Study, optional
        Settings; default: those of the package, with a fixed seed.

    Returns
    -------
    Result
        ``subgroups.adhoc``: rows as in `interim.analysis.subgroups.limits`, ``heterogeneity`` (scope internal, variable
        ``test <endpoint>``) and ``levels``, each factor counted as a dimension of its own.

    Raises
    ------
    DataError
        If a participant stands twice (STAT-DUPSUBJ) or an event is not 0 or 1 (STAT-EVENT01).
    KeyError
        If a column does not exist.
    StudyError
        If a given study states no seed and draws are needed.

    Examples
    --------
    >>> frame = pd.DataFrame({"response": [1, 0, 0, 0, 1, 0, 0, 0], "site": list("AAAABBBB")})
    >>> found = adhoc(frame, endpoint="response", factors=["site"])
    >>> round(float(found.get("total/orr/-/chance_gap")["value"]), 4)
    0.4286
    """
    settings = subgroup_study(df, factors=factors, study=study)
    names = df["USUBJID"].astype(str) if "USUBJID" in df else pd.Series([f"{k + 1}" for k in range(len(df))])
    _refuse_twice(names)
    frame = df.assign(_WHO=names.to_numpy()).sort_values("_WHO", kind="stable").reset_index(drop=True)
    subjects = tuple(frame["_WHO"])
    outcome = _outcome(frame, endpoint)
    made = tuple(
        _factor(frame, entry, _column(item)) for entry, item in zip(settings.subgroups, factors, strict=True)
    )
    dose = _no_dose(len(frame))
    panel = Panel(subjects, "All participants", "COHORT", made, dose, {outcome.id: outcome})
    who = Population("ALL", "All participants", "COHORT", {TOTAL: frozenset(subjects)})
    rows = open_rows("subgroups.adhoc", "Ad-hoc subgroup analysis", who)
    rows.footnotes = (LATE,)
    if outcome.id == "orr":
        add_limits(rows, panel, settings)
    rows.scope = "internal"
    tested = panel.replaced(outcomes={"test": Outcome(f"test {outcome.id}", *_parts(outcome))})
    add_heterogeneity(rows, tested, settings)
    rows.scope = "package"
    add_levels(rows, panel, settings, dimension=None, endpoints=[outcome.id])
    return rows.build()


def subgroup_study(
    df: pd.DataFrame,
    *,
    factors: Sequence[str | Mapping[str, Any] | SubgroupEntry],
    study: Study | None = None,
) -> Study:
    """Return the settings of an ad-hoc analysis, whose entries are its factors.

    Parameters
    ----------
    df, factors, study
        As in `adhoc`.

    Returns
    -------
    Study
        A copy.

    Raises
    ------
    KeyError
        If a column does not exist.
    """
    entries = tuple(_entry(df, item, place) for place, item in enumerate(factors))
    return (study or adhoc_study()).model_copy(update={"subgroups": entries})


def _no_dose(n: int) -> Factor:
    settings = {"id": "dose", "dimension": "dose", "label": "-", "variable": AD_HOC, "kind": "nominal"}
    entry = SubgroupEntry.model_validate({**settings, "origin": "protocol"})
    return Factor(entry, (), np.full(n, -1, dtype=np.int64), np.full(n, np.nan))


def _parts(outcome: Outcome) -> tuple[Kind, Any, Any, str]:
    return outcome.kind, outcome.values, outcome.events, outcome.population


def _refuse_twice(names: pd.Series) -> None:
    twice = sorted(set(names[names.duplicated()]))
    if twice:
        text = "stands in more than one row; give one row per participant"
        raise DataError(Finding("STAT-DUPSUBJ", "stop", "frame", text, subject=name) for name in twice)


def _outcome(frame: pd.DataFrame, endpoint: str | tuple[str, str]) -> Outcome:
    nobody = np.zeros(len(frame), dtype=np.bool_)
    if isinstance(endpoint, tuple):
        time, event = (pd.to_numeric(frame[name]).to_numpy(dtype=np.float64) for name in endpoint)
        _refuse_events(frame, event, endpoint[1])
        _refuse_times(frame, time, endpoint[0])
        known = ~np.isnan(time) & ~np.isnan(event)
        return Outcome("pfs", "time", np.where(known, time, np.nan), known & (event == 1))
    values = pd.to_numeric(frame[endpoint]).to_numpy(dtype=np.float64)
    binary = bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())
    return Outcome("orr" if binary else "depth", "binary" if binary else "continuous", values, nobody)


def _refuse_times(frame: pd.DataFrame, time: Any, name: str) -> None:
    wrong = ~np.isnan(time) & ~((time >= 0) & (time < np.inf))
    text = "a time is finite and not negative, in days since the start"
    if wrong.any():
        raise DataError(
            _finding("TTE-NEG", frame, name, place, time, text) for place in np.flatnonzero(wrong).tolist()
        )


def _finding(rule: str, frame: pd.DataFrame, name: str, place: int, values: Any, text: str) -> Finding:
    who, value = str(frame["_WHO"][place]), f"{values[place]:g}"
    return Finding(rule, "stop", "frame", text, subject=who, variable=name, value=value)


def _refuse_events(frame: pd.DataFrame, event: Any, name: str) -> None:
    wrong = ~np.isnan(event) & ~np.isin(event, (0.0, 1.0))
    text = "an event is coded 0 (censored) or 1 (event); other codings and swapped columns are refused"
    if wrong.any():
        raise DataError(
            _finding("STAT-EVENT01", frame, name, place, event, text)
            for place in np.flatnonzero(wrong).tolist()
        )


def _factor(frame: pd.DataFrame, entry: SubgroupEntry, column: str) -> Factor:
    raw = frame[column]
    if entry.cuts is None:
        plain = [None if pd.isna(value) else str(value) for value in raw]
        levels = entry.levels or tuple(sorted({text for text in plain if text is not None}))
        return Factor(entry, levels, _codes(plain, levels), np.full(len(frame), np.nan))
    numbers = pd.to_numeric(raw).to_numpy(dtype=np.float64)
    if np.isnan(numbers).all():
        return Factor(entry, (), np.full(len(frame), -1, dtype=np.int64), numbers)
    cuts = entry.cuts if isinstance(entry.cuts, tuple) else (float(np.nanmedian(numbers)),)
    levels = tuple(cut_levels(cuts, closed=entry.closed))
    texts = [None if np.isnan(v) else cut_level(float(v), cuts, closed=entry.closed) for v in numbers]
    return Factor(entry, levels, _codes(texts, levels), numbers, cuts)


def _codes(texts: Sequence[str | None], levels: Sequence[str]) -> Integers:
    place = {level: code for code, level in enumerate(levels)}
    return np.array([place.get(text, -1) if text is not None else -1 for text in texts], dtype=np.int64)


def _column(item: str | Mapping[str, Any] | SubgroupEntry) -> str:
    """Return the column of a factor."""
    if isinstance(item, SubgroupEntry):
        return item.variable
    return str(item.get("column", item.get("variable", ""))) if isinstance(item, Mapping) else item


def _entry(frame: pd.DataFrame, item: str | Mapping[str, Any] | SubgroupEntry, place: int) -> SubgroupEntry:
    """Return the entry of a factor; a bare column name is a nominal factor, or a number cut at its median."""
    if isinstance(item, SubgroupEntry):
        return item.model_copy(update={"primary": True})
    settings = {k: v for k, v in item.items() if k != "column"} if isinstance(item, Mapping) else {}
    column = _column(item)
    values = frame[column]
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    known = {text for text in values.dropna().astype(str)}
    kind = "continuous" if numeric else "flag" if known <= set(_FLAG_LEVELS) else "nominal"
    base: dict[str, Any] = {
        "id": f"factor_{place + 1}",
        "dimension": "histology",
        "label": column,
        "variable": AD_HOC,
        "kind": kind,
        "origin": "median" if numeric else "protocol",
        **({"cuts": "median"} if numeric else {}),
    }
    return SubgroupEntry.model_validate({**base, **settings, "primary": True})
