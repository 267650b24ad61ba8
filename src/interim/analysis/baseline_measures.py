"""Baseline burden and biomarkers: variables of ADSL, parameters of the laboratory and of tissue, levels of the subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.model import Adam
from interim.analysis.baseline import add_summary, add_variable
from interim.analysis.population import (
    MISSING,
    Population,
    add_counts,
    add_not_available,
    by_value,
    open_rows,
    population,
)
from interim.analysis.records import add_people, participant_rows
from interim.result import Result, Rows
from interim.study import Study

_NOT_COLLECTED = "not collected"


def burden(adam: Adam, study: Study) -> Result:
    """Summarise the tumour burden and the sites of the tumours at baseline.

    Parameters
    ----------
    adam : Adam
        ADSL, ADLB.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``baseline_measures.burden``; rows as `interim.analysis.baseline.demography`; EXTRAHEP has a level per place.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _table(adam, study, "burden", "Baseline tumour burden and metastatic site")


def biomarkers(adam: Adam, study: Study) -> Result:
    """Summarise ligand expression, tumour markers and ratios at baseline.

    Parameters
    ----------
    adam : Adam
        ADSL, ADLB, ADBM, ADSUB.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``baseline_measures.biomarkers``; rows as `interim.analysis.baseline.demography`; of a parameter also n_blq, the participants
        whose baseline is below the limit of quantification; HIGH_<ligand> has the levels of the subgroup entry.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _table(adam, study, "biomarkers", "Baseline biomarkers and NKG2D-ligand expression")


def _table(adam: Adam, study: Study, name: str, title: str) -> Result:
    who = population(adam, study, "NK-SAF")
    rows = open_rows(f"baseline_measures.{name}", title, who)
    for spec in participant_rows()[name]:
        kind = spec["kind"]
        if kind == "parameter":
            records = baseline_records(adam, study, dataset=spec["dataset"], codes=spec["codes"])
            _parameter(rows, who, records, spec)
        elif kind == "entry":
            _entry(rows, who, adam, spec)
        elif kind == "flags":
            _flags(rows, who, adam, spec)
        else:
            add_variable(rows, who, adam=adam, spec=spec)
    return rows.build()


def baseline_records(adam: Adam, study: Study, *, dataset: str, codes: Sequence[str]) -> pd.DataFrame:
    """Return the baseline records of the first of the parameters that a dataset has.

    Parameters
    ----------
    adam : Adam
        Datasets.
    study : Study
        Products: the baseline is that before the first infusion of the study.
    dataset : str
        ADLB or ADBM.
    codes : sequence of str
        PARAMCD in order.

    Returns
    -------
    pandas.DataFrame
        Rows of the dataset, AVAL half of the limit below it and the limit above it, with BELOW (below the limit); empty if the
        dataset has none of the parameters.

    Raises
    ------
    None
    """
    if not adam.has(dataset):
        return pd.DataFrame()
    frame = adam[dataset]
    code = next((code for code in codes if (frame["PARAMCD"] == code).any()), "")
    frame = frame[(frame["PARAMCD"] == code) & (frame["ABLFL"] == "Y")]
    if "BASETYPE" in frame:
        frame = frame[frame["BASETYPE"] == first_base_type(study)]
    if "ASIGN" not in frame:
        return frame.assign(BELOW=False)
    below = frame["ASIGN"] == "<"
    value = frame["AVAL"].where(frame["ASIGN"].isna(), frame["ALIMIT"].where(~below, frame["ALIMIT"] / 2))
    return frame.assign(AVAL=value, BELOW=below)


def _parameter(rows: Rows, who: Population, records: pd.DataFrame, spec: Mapping[str, Any]) -> None:
    variable = spec["variable"]
    known = records[records["AVAL"].notna()] if len(records) else records
    if known.empty:
        add_not_available(rows, who.groups, variable=variable, stat="median", reason=_NOT_COLLECTED)
        return
    unit = next((str(text) for text in known["AVALU"] if isinstance(text, str)), "")
    frame = known[["USUBJID", "AVAL"]].rename(columns={"AVAL": variable}).drop_duplicates("USUBJID")
    add_summary(rows, who, frame, variable=variable, unit=unit)
    below = known[known["BELOW"].astype(bool)]
    if len(below):
        add_people(rows, who, below, variable=variable, stat="n_blq")


def _entry(rows: Rows, who: Population, adam: Adam, spec: Mapping[str, Any]) -> None:
    """Add the levels of a subgroup entry, in their order, and who has no value."""
    frame = (
        adam["ADSUB"] if adam.has("ADSUB") else pd.DataFrame(columns=["USUBJID", "ENTRY", "AVALC", "AVALN"])
    )
    mine = frame[(frame["ENTRY"] == spec["entry"]) & frame["USUBJID"].isin(who.everyone)]
    known = mine.dropna(subset=["AVALC"])
    if known.empty:
        add_not_available(rows, who.groups, variable=spec["variable"], reason=_NOT_COLLECTED)
        return
    order = known.groupby("AVALC")["AVALN"].min().sort_values(kind="stable").index
    found = by_value(known, "AVALC")
    for level in order:
        add_counts(rows, who, variable=spec["variable"], level=str(level), subjects=found[str(level)])
    without = who.everyone - set(known["USUBJID"])
    if without:
        add_counts(rows, who, variable=spec["variable"], level=MISSING, subjects=without)


def _flags(rows: Rows, who: Population, adam: Adam, spec: Mapping[str, Any]) -> None:
    """Add a level per variable that is Y; they overlap and are no partition."""
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(who.everyone)]
    there = {
        level: name for level, name in spec["flags"].items() if name in adsl and adsl[name].notna().any()
    }
    if not there:
        add_not_available(rows, who.groups, variable=spec["variable"], reason=_NOT_COLLECTED)
        return
    for level, name in there.items():
        subjects = adsl.loc[adsl[name] == "Y", "USUBJID"]
        add_counts(rows, who, variable=spec["variable"], level=level, subjects=subjects)
    first = adsl[next(iter(there.values()))]
    if first.isna().any():
        add_counts(
            rows, who, variable=spec["variable"], level=MISSING, subjects=adsl.loc[first.isna(), "USUBJID"]
        )
