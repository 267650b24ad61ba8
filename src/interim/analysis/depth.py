"""Depth and time of response: best change, time to the nadir, fall of tumour markers, and the course of every sum."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.analysis.population import (
    Population,
    add_base,
    add_not_available,
    add_rates,
    efficacy_set,
    open_rows,
    population,
)
from interim.analysis.response import chosen, used_sums
from interim.analysis.survival import DAYS_PER_MONTH, times_of
from interim.result import Result, Rows
from interim.study import Study

DAYS_PER_WEEK = 7


@cache
def _settings() -> Mapping[str, Any]:
    text = files("interim.analysis").joinpath("depth.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def summary(adam: Adam, study: Study) -> Result:
    """Summarise time to response, depth, time to the nadir, and the fall of tumour markers.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTR, ADRS, ADTTE, ADLB.
    study : Study
        Efficacy set, evaluator, interval.

    Returns
    -------
    Result
        ``depth.summary``; by assigned cohort: ``time_to_response`` (months), ``depth`` (best change, %), ``time_to_nadir``
        (months from the first infusion to the lowest complete sum) with stats n, median, min, max; ``marker`` (level = marker:
        rate, lower, upper of a fall by the limit, among participants whose baseline was above normal), ``fall`` (level = marker:
        stat limit, %).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("depth.summary", "Time to response, depth of response, marker response", who)
    times, reason = times_of(adam, "TTR")
    if not adam.has("ADTTE") or adam.lacks("ADTTE.TTR"):
        add_not_available(rows, who.groups, variable="time_to_response", stat="median", reason=reason)
    else:
        first = pd.Series(dtype=float) if times is None else times.set_index("USUBJID")["AVAL"]
        _add_values(rows, who, first / DAYS_PER_MONTH, variable="time_to_response", unit="months")
    if adam.has("ADTR", "ADRS"):
        best = _lowest(adam, study)
        _add_values(rows, who, best["PCHG"], variable="depth", unit="%")
        start = adam["ADSL"].set_index("USUBJID")["TRTSDT"]
        days = (best["ADT"] - start.reindex(best.index)).dt.days
        _add_values(rows, who, days / DAYS_PER_MONTH, variable="time_to_nadir", unit="months")
    else:
        reason = f"not available: {adam.missing.get('ADTR', 'no tumour measurements')}"
        for variable in ("depth", "time_to_nadir"):
            add_not_available(rows, who.groups, variable=variable, stat="median", reason=reason)
    for code in _settings()["markers"]["codes"]:
        _add_marker(rows, who, code, adam=adam, study=study)
    return rows.build()


def _lowest(adam: Adam, study: Study) -> pd.DataFrame:
    """Return the lowest complete sum of each participant, the first of equal ones."""
    sums = used_sums(adam, study)
    ordered = sums.sort_values(["USUBJID", "PCHG", "ADT"], kind="stable")
    return ordered.drop_duplicates("USUBJID").set_index("USUBJID")


def _add_values(rows: Rows, who: Population, values: pd.Series[float], *, variable: str, unit: str) -> None:
    for group, ids in who.members.items():
        here = values[values.index.isin(ids)]
        place: dict[str, Any] = {"group": group, "variable": variable}
        subjects = sorted(map(str, here.index))
        rows.add("n", len(here), n=len(here), N=who.n(group), subjects=subjects, **place)
        for stat in ("median", "min", "max"):
            if len(here):
                rows.add(stat, float(here.agg(stat)), n=len(here), unit=unit, **place)
            else:
                rows.add(stat, None, status="NE", reason="NO_DATA", unit=unit, **place)


def _add_marker(rows: Rows, who: Population, code: str, *, adam: Adam, study: Study) -> None:
    results = adam["ADLB"][lambda f: f["PARAMCD"] == code] if adam.has("ADLB") else None
    if results is None or results.empty:
        reason = f"not available: no results of {code}"
        add_not_available(rows, who.groups, variable="marker", level=code, stat="rate", reason=reason)
        return
    start = results["USUBJID"].map(adam["ADSL"].set_index("USUBJID")["TRTSDT"])
    keys = [name for name in ("USUBJID", "ADT", "ADTM", "SRCSEQ") if name in results]
    before = ordered(results[results["ADT"] <= start], keys)
    base = before.drop_duplicates("USUBJID", keep="last")
    raised = base[base["AVAL"] > base["ANRHI"]].set_index("USUBJID")["AVAL"]
    later = results[results["ADT"] > start]
    limit = 1 - _settings()["markers"]["fall_pct"] / 100
    fallen = later[later["AVAL"] <= limit * later["USUBJID"].map(raised)]
    known = who.narrow(raised.index)
    rows.add("limit", _settings()["markers"]["fall_pct"], variable="fall", level=code, unit="%")
    add_rates(rows, known, study=study, variable="marker", level=code, subjects=fallen["USUBJID"])
    add_base(rows, known, variable="marker", level=code)


def spider(adam: Adam, study: Study) -> Result:
    """Give the percentage change of every complete sum of each participant over time.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTR, ADRS.
    study : Study
        Evaluator, whether values after a new therapy count.

    Returns
    -------
    Result
        ``depth.spider``; level = USUBJID, group = assigned cohort: ``sum`` with stats week1, pchg1, week2, ... (baseline is
        week 0), ``new_lesion`` with stats week1, ..., ``t_cell`` with stat week; ``summary`` with n and without.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    Weeks from the first infusion. Sums after progression are drawn, those on or after a new anticancer therapy are not
    (unless ``response.bor_stop_at_nact`` is false).
    """
    who = population(adam, study, "RE")
    rows = open_rows("depth.spider", "Percentage change of the target lesions over time", who)
    if not adam.has("ADTR", "ADRS"):
        reason = f"not available: {adam.missing.get('ADTR', 'no tumour measurements')}"
        rows.add("n", None, variable="summary", status="NA", reason=reason)
        return rows.build()
    sums = used_sums(adam, study, after_pd=True)
    new = chosen(adam, study, "NEWLPROG")
    new = new[new["AVALC"] == "Y"]
    dates: dict[Any, Any] = adam["ADSL"].set_index("USUBJID").to_dict("index")
    with_sums = frozenset(sums["USUBJID"])
    for group, ids in list(who.members.items())[:-1]:
        for subject in sorted(ids & with_sums):
            parts = (sums[sums["USUBJID"] == subject], new[new["USUBJID"] == subject])
            _add_course(rows, (group, subject), parts, dates[subject])
    drawn = sorted(who.everyone & with_sums)
    rows.add("n", len(drawn), variable="summary", n=len(drawn), N=who.n(), subjects=drawn)
    return rows.build()


def _add_course(
    rows: Rows,
    place: tuple[str, str],
    parts: tuple[pd.DataFrame, pd.DataFrame],
    dates: Mapping[str, Any],
) -> None:
    group, subject = place
    sums, new = parts
    start = dates["TRTSDT"]
    where: dict[str, Any] = {"group": group, "level": subject}
    for number, row in enumerate(sums.to_dict("records"), 1):
        source = (subject, str(row["SRCDOM"]), str(row["SRCSEQ"]))
        week = (row["ADT"] - start).days / DAYS_PER_WEEK
        rows.add(f"week{number}", week, variable="sum", unit="weeks", sources=[source], **where)
        rows.add(f"pchg{number}", float(row["PCHG"]), variable="sum", unit="%", sources=[source], **where)
    for number, day in enumerate(new["ADT"], 1):
        week = (day - start).days / DAYS_PER_WEEK
        rows.add(f"week{number}", week, variable="new_lesion", unit="weeks", subjects=[subject], **where)
    cart = dates.get("TRTSCT", pd.NaT)
    if not pd.isna(cart):
        week = (cart - start).days / DAYS_PER_WEEK
        rows.add("week", week, variable="t_cell", unit="weeks", subjects=[subject], **where)
