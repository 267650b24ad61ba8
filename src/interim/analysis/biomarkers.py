"""Biomarkers: immune phenotype, tumour markers, ligand staining, immunogenicity."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import ordered, shipped_data
from interim.analysis.measures import Place, add_summary, by_subject, layout
from interim.analysis.population import Population, add_counts, add_not_available, open_rows, population
from interim.result import Result, Rows
from interim.study import Study

_PAIRED = "Paired biopsy set"


def immune_phenotype(adam: Adam, study: Study) -> Result:
    """Summarise lymphocyte subsets and immune phenotype by visit.

    Parameters
    ----------
    adam : Adam
        ADSL and ADBM.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``biomarkers.immune_phenotype``; variable = marker, level = visit.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "CART-SAF")
    rows = open_rows("biomarkers.immune_phenotype", "Lymphocyte subsets and immune phenotype", who)
    _add_visits(rows, who, _category(adam, "IMMUNE PHENOTYPE"), study=study)
    return rows.build()


def tumour_markers(adam: Adam, study: Study) -> Result:
    """Summarise tumour markers by visit: value, and percent change where the baseline is above normal.

    Parameters
    ----------
    adam : Adam
        ADSL and ADBM.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``biomarkers.tumour_markers``; variable = marker, and ``<marker> change`` for those with a baseline above the upper
        limit of normal; level = visit.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "FAS")
    rows = open_rows("biomarkers.tumour_markers", "Tumour markers over time", who)
    frame = _category(adam, "TUMOR MARKER")
    _add_visits(rows, who, frame, study=study)
    if len(frame):
        high = frame[(frame["BASE"] > frame["ANRHI"]) & (frame["TIMING"] == "POST")]
        changed = high.assign(PARAMCD=high["PARAMCD"] + " change", AVAL=high["PCHG"], AVALU="%")
        if len(changed):
            _add_visits(rows, who, changed, study=study)
    return rows.build()


def ligands(adam: Adam, study: Study) -> Result:
    """Compare ligand staining and soluble ligands before and after treatment in participants with both biopsies.

    Parameters
    ----------
    adam : Adam
        ADSL, ADBM and ADCY.
    study : Study
        Columns, products.

    Returns
    -------
    Result
        ``biomarkers.ligands``; variable = test and ligand, or soluble ligand; levels Pre, Post, Change.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "FAS")
    frame = _category(adam, "LIGAND")
    after = (
        frame[(frame["TIMING"] == "POST") & frame["BASE"].notna() & frame["AVAL"].notna()]
        if len(frame)
        else frame
    )
    paired = replace(who.narrow(after["USUBJID"] if len(after) else ()), label=_PAIRED)
    rows = open_rows("biomarkers.ligands", "NKG2D-ligand before and after treatment", paired)
    if after.empty:
        reason = "not available: no participant with a biopsy before and after treatment"
        add_not_available(rows, paired.groups, variable="ligand", reason=reason)
        return rows.build()
    for frame in (after, _soluble(adam, study)):
        for code, part in frame.groupby("PARAMCD", sort=True):
            last = ordered(part, ["USUBJID", "ADT", "SRCSEQ"]).drop_duplicates("USUBJID", keep="last")
            unit = str(part["AVALU"].iloc[0]) if frame is not after else ""
            for level, column in (("Pre", "BASE"), ("Post", "AVAL"), ("Change", "CHG")):
                place = Place(str(code), level, unit, times=level == "Change")
                add_summary(rows, paired, by_subject(last, column), place=place, study=study)
    return rows.build()


def _soluble(adam: Adam, study: Study) -> pd.DataFrame:
    """Return results of soluble ligands after the first infusion of any product, with the last one before it."""
    if not adam.has("ADCY"):
        return pd.DataFrame(columns=["PARAMCD"])
    frame = adam["ADCY"]
    base = "NK" if study.with_role("nk") else "CART"
    chosen = frame["PARAMCD"].isin(layout()["ligands"]["soluble"]) & (frame["BASETYPE"] == base)
    late = frame[chosen & (frame["DAY"] > 0) & frame["BASE"].notna() & frame["AVAL"].notna()]
    return late.assign(CHG=late["AVAL"] - late["BASE"])


def immunogenicity(adam: Adam, study: Study) -> Result:
    """Count participants with antibodies before and after treatment.

    Parameters
    ----------
    adam : Adam
        ADSL and ADBM.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``biomarkers.immunogenicity``; variable = test; levels tested, positive before, positive after, newly positive.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("biomarkers.immunogenicity", "Immunogenicity and alloreactivity", who)
    frame = _category(adam, "IMMUNOGENICITY")
    if frame.empty:
        add_not_available(
            rows, who.groups, variable="antibody", reason="not available: no immunogenicity results"
        )
        return rows.build()
    words = list(shipped_data("biomarkers")["positive"]["words"])
    for code, part in frame.groupby("PARAMCD", sort=True):
        found = part[part["AVALC"].astype(object).map(lambda text: str(text).upper() in words)]
        before, after = (set(found.loc[found["TIMING"] == time, "USUBJID"]) for time in ("PRE", "POST"))
        early, late = (set(part.loc[part["TIMING"] == time, "USUBJID"]) for time in ("PRE", "POST"))
        everyone = set(who.everyone)
        counts = {
            "Tested": (set(part["USUBJID"]), everyone),
            "Tested after treatment": (late, everyone),
            "Positive before treatment": (before, early),
            "Positive after treatment": (after, late),
            "Newly positive": (after - before, late),
        }
        for level, (subjects, asked) in counts.items():
            _add_positive(rows, who, subjects, asked, variable=str(code), level=level)
    return rows.build()


def _add_positive(
    rows: Rows, who: Population, subjects: set[str], asked: set[str], *, variable: str, level: str
) -> None:
    """Add a count by column; a column in which nobody was tested at that time has none."""
    untested = [group for group, ids in who.members.items() if ids and not ids & asked]
    there = {group: ids for group, ids in who.members.items() if group not in untested}
    add_counts(rows, replace(who, members=there), variable=variable, level=level, subjects=subjects)
    add_not_available(rows, untested, variable=variable, level=level, reason="nobody was tested")


def _category(adam: Adam, category: str) -> pd.DataFrame:
    if not adam.has("ADBM"):
        return pd.DataFrame()
    frame = adam["ADBM"]
    return frame[frame["PARCAT1"] == category]


def _add_visits(rows: Rows, who: Population, frame: pd.DataFrame, *, study: Study) -> None:
    """Add the summary of each marker at each visit; several results of a visit: the last."""
    if frame.empty:
        add_not_available(rows, who.groups, variable="marker", reason="not available: no results")
        return
    for code, part in frame.groupby("PARAMCD", sort=True):
        visits = (
            part.groupby("VISIT")["VISITNUM"]
            .min()
            .reset_index()
            .sort_values(["VISITNUM", "VISIT"], kind="stable")
        )
        for visit in visits["VISIT"]:
            there = ordered(part[part["VISIT"] == visit], ["USUBJID", "ADT", "SRCSEQ"])
            last = there.drop_duplicates("USUBJID", keep="last")
            unit, change = str(last["AVALU"].iloc[0] or ""), str(code).endswith(" change")
            place = Place(str(code), str(visit), unit, times=change)
            add_summary(rows, who, by_subject(last), place=place, study=study)
