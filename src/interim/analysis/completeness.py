"""Completeness of the assessments: what was expected at each planned visit, what was done, and how far from the planned day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import by_subject, date_columns, number_column, text_column
from interim.analysis.population import Population, add_not_available, open_rows, population
from interim.analysis.records import PLACE, participant_rows, records_of
from interim.data.model import Sdtm
from interim.errors import Problem, StudyError
from interim.result import TOTAL, Result, Rows
from interim.study import Study
from interim.study.tables import ScheduledVisit

VISIT = "visit"
_END = ("DTHDT", "EOSDT", "DCUTDT")
_PROGRESSION = ("E-PD", "E-CLIN")


def by_visit(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count the assessments that each planned visit expected and those that were done.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX.
    study : Study
        ``schedule.visit``.
    sdtm : Sdtm
        SV and the domains of the assessments.

    Returns
    -------
    Result
        ``completeness.by_visit``; total only; variable = visit (it took place) or an assessment, level = label of the visit;
        stats expected, rate (done of expected), out (done outside the window), median, min, max (days off the planned day).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    StudyError
        If a visit expects an assessment that does not exist.

    Notes
    -----
    The planned day of a participant is the one recorded with the visit (SV: VISITDY), otherwise that of ``schedule.visit``
    from its anchor. A visit is expected of a participant if it took place, or if its window closed before the plan of the
    participant ended. Without the infusion of the anchor it is expected only if it took place.
    """
    who = population(adam, study, "NK-SAF")
    who = Population(who.code, who.label, who.column, {TOTAL: who.everyone})
    title = "Assessment completeness: expected vs performed by visit"
    rows = open_rows("completeness.by_visit", title, who)
    if not study.schedule.visit:
        reason = "not available: the study states no planned visits (schedule.visit)"
        add_not_available(rows, who.groups, variable=VISIT, stat="rate", reason=reason)
        return rows.build()
    known = {row["id"]: row for row in participant_rows()["assessments"]}
    _check(study, known)
    done = {name: _done(sdtm, row) for name, row in known.items() if sdtm.has(row["domain"])}
    taken = _first(records_of(sdtm, "SV"), "SV", number="VISITNUM")
    ends = plan_ends(adam, study, who.everyone)
    for visit in study.schedule.visit:
        plan = expected_of(adam, visit, taken, ends=ends)
        _add(rows, VISIT, visit, plan, taken if sdtm.has("SV") else "SV")
        for name in visit.expected:
            mine = plan[plan["ANCHORED"]] if known[name].get("anchored") else plan
            _add(rows, name, visit, mine, done.get(name, known[name]["domain"]))
    return rows.build()


def _check(study: Study, known: Mapping[str, Any]) -> None:
    problems = [
        Problem(
            f"schedule.visit[{place}].expected",
            f"there is no assessment {name!r}; assessments are {', '.join(known)}",
        )
        for place, visit in enumerate(study.schedule.visit)
        for name in visit.expected
        if name not in known
    ]
    if problems:
        raise StudyError(problems)


def plan_ends(adam: Adam, study: Study, subjects: frozenset[str]) -> pd.Series:
    """Return the last day on which a visit of the plan is expected.

    Parameters
    ----------
    adam : Adam
        ADSL; ADTTE: progression.
    study : Study
        ``safety.teae_end_days``.
    subjects : frozenset of str
        USUBJIDs.

    Returns
    -------
    pandas.Series of datetime64
        By USUBJID: the first of death, end of study and cut-off; and of progression and new anticancer therapy, but not before the
        window of emergent events closes after the last infusion.

    Raises
    ------
    None
    """
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(subjects)].set_index("USUBJID").sort_index()
    end = adsl[[name for name in _END if name in adsl]].min(axis=1)
    over = adsl["NACTDT"] if "NACTDT" in adsl else pd.Series(pd.NaT, index=adsl.index)
    if adam.has("ADTTE"):
        adtte = adam["ADTTE"]
        grown = adtte[(adtte["PARAMCD"] == "PFS") & adtte["RSNCD"].isin(list(_PROGRESSION))]
        dates = grown.groupby("USUBJID")["ADT"].min().reindex(adsl.index)
        over = pd.concat([pd.to_datetime(over), pd.to_datetime(dates)], axis=1).min(axis=1)
    days = study.safety.teae_end_days
    watched = adsl["TRTEDT"] + pd.Timedelta(0 if days == "none" else int(days), unit="D")
    treated = (
        pd.concat([pd.to_datetime(over), watched], axis=1).max(axis=1).where(pd.to_datetime(over).notna())
    )
    return pd.concat([end, treated], axis=1).min(axis=1)


def expected_of(adam: Adam, visit: ScheduledVisit, taken: pd.DataFrame, *, ends: pd.Series) -> pd.DataFrame:
    """Return of whom a visit is expected, and for when.

    Parameters
    ----------
    adam : Adam
        ADSL; ADEX for the second cycle.
    visit : ScheduledVisit
        The visit.
    taken : pandas.DataFrame
        Visits that took place: USUBJID, VISITNUM, ADT, PLANNED (recorded planned day, 1 = day of the first infusion).
    ends : pandas.Series
        Of the participants to look at, as `plan_ends` gives them.

    Returns
    -------
    pandas.DataFrame
        One row per participant: USUBJID, PLANDT, ANCHORED (had the infusion of the anchor).

    Raises
    ------
    None
    """
    adsl = adam["ADSL"].set_index("USUBJID").reindex(ends.index)
    start = _anchor(adam, adsl, visit.anchor)
    held = taken[taken["VISITNUM"] == visit.visitnum].set_index("USUBJID")
    day = held["PLANNED"].reindex(adsl.index)
    recorded = adsl["TRTSDT"] + pd.to_timedelta(day.where(day < 0, day - 1), unit="D")
    planned = recorded.fillna(start + pd.Timedelta(visit.day, unit="D"))
    closed = planned + pd.Timedelta(visit.window, unit="D") <= ends
    frame = pd.DataFrame({"PLANDT": planned, "ANCHORED": start.notna()})
    wanted = adsl.index.isin(held.index) | (closed & start.notna()).to_numpy()
    return frame[wanted].rename_axis("USUBJID").reset_index()


def _anchor(adam: Adam, adsl: pd.DataFrame, anchor: str) -> pd.Series:
    """Return the date from which a planned day counts; NaT for those who did not have the infusion."""
    if anchor == "second_cycle":
        adex = adam["ADEX"] if adam.has("ADEX") else pd.DataFrame(columns=["USUBJID", "APHASE", "ASTDT"])
        first = adex[adex["APHASE"] == "CART_C2"].groupby("USUBJID")["ASTDT"].min()
        return pd.to_datetime(first.reindex(adsl.index))
    name = "TRTSCT" if anchor == "first_cart" else "TRTSDT"
    return pd.to_datetime(adsl[name]) if name in adsl else pd.Series(pd.NaT, index=adsl.index)


def _done(sdtm: Sdtm, row: Mapping[str, Any]) -> pd.DataFrame:
    """Return the first record of each participant and visit of an assessment that was done."""
    domain = row["domain"]
    source = records_of(sdtm, domain)
    keep = text_column(source, f"{domain}STAT") != "NOT DONE"
    if "tests" in row:
        keep &= text_column(source, f"{domain}TESTCD").isin(list(row["tests"]))
    category = text_column(source, f"{domain}CAT")
    if "only" in row:
        keep &= category.isin(list(row["only"]))
    return _first(source[keep & ~category.isin(list(row.get("without", ())))], domain, number="VISITNUM")


def _first(source: pd.DataFrame, domain: str, *, number: str) -> pd.DataFrame:
    """Return USUBJID, VISITNUM, ADT, PLANNED and the source of the first record of each participant and visit."""
    date = "SVSTDTC" if domain == "SV" else f"{domain}DTC"
    frame = source[PLACE].assign(
        VISITNUM=number_column(source, number),
        ADT=date_columns(source, date)["DT"],
        PLANNED=number_column(source, "VISITDY"),
    )
    ranked = frame[frame["VISITNUM"].notna()].sort_values(["USUBJID", "VISITNUM", "ADT"], kind="stable")
    return ranked.drop_duplicates(["USUBJID", "VISITNUM"])


def _add(
    rows: Rows, variable: str, visit: ScheduledVisit, plan: pd.DataFrame, done: pd.DataFrame | str
) -> None:
    """Add the numbers of one assessment at one visit; a text instead of records names the domain that was not delivered."""
    if isinstance(done, str):
        reason = f"not available: no {done}"
        add_not_available(rows, [TOTAL], variable=variable, level=visit.label, stat="rate", reason=reason)
        return
    here = done[(done["VISITNUM"] == visit.visitnum) & done["USUBJID"].isin(plan["USUBJID"])]
    place: dict[str, Any] = {"variable": variable, "level": visit.label}
    size = len(plan)
    rows.add("expected", size, unit="participants", n=size, N=size, subjects=plan["USUBJID"], **place)
    if not size:
        rows.add("rate", None, n=0, N=0, status="NE", reason="NO_DATA", **place)
        return
    sources = list(here[PLACE].itertuples(index=False, name=None))
    rows.add("rate", len(here) / size, unit="assessments", n=len(here), N=size, sources=sources, **place)
    off = (here["ADT"] - by_subject(here, plan, "PLANDT")).dt.days.astype("float64")
    late = here[off.abs() > visit.window]
    sources = list(late[PLACE].itertuples(index=False, name=None))
    rows.add("out", len(late), unit="participants", n=len(late), N=size, sources=sources, **place)
    known = off.dropna()
    for stat, value in (("median", known.median()), ("min", known.min()), ("max", known.max())):
        if len(known):
            rows.add(stat, float(value), unit="days", n=len(known), **place)
        else:
            rows.add(stat, None, status="NE", reason="NO_DATA", **place)
