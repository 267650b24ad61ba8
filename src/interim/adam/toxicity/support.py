"""Supportive treatment by span of time: oxygen, intensive care, doses of a drug, corticosteroids as dexamethasone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.source import complete_sums, number_column, shipped_data, text_column
from interim.adam.toxicity.records import clinical_values, drug_spans, spans
from interim.data.model import Sdtm

_NAMES = ["USUBJID", "FROM", "TO"]
_DAY = pd.Timedelta(1, unit="D")


def _settings() -> Mapping[str, Any]:
    settings: Mapping[str, Any] = shipped_data("toxicity")["support"]
    return settings


def oxygen_spans(sdtm: Sdtm) -> pd.DataFrame | None:
    """Return when oxygen was given.

    Parameters
    ----------
    sdtm : Sdtm
        CE (device) and CM.

    Returns
    -------
    pandas.DataFrame or None
        USUBJID, FROM, TO; None if neither a device nor oxygen as a medication is on record for anybody.

    Raises
    ------
    None
    """
    devices = clinical_values(sdtm, ["O2DEV"])
    given = drug_spans(sdtm, _settings()["oxygen"])
    known = given if given is not None else devices.iloc[:0]
    if devices.empty and known.empty:
        return None
    used = devices[devices["VALUE"].notna() & (devices["VALUE"] != _settings()["no_device"])]
    spans_of_both: pd.DataFrame = pd.concat([used[_NAMES], known[_NAMES]], ignore_index=True)
    return spans_of_both


def oxygen_flag(rows: pd.DataFrame, sdtm: Sdtm) -> pd.Series:
    """Flag the rows during which oxygen was given.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `overlapping` takes them.
    sdtm : Sdtm
        CE (device) and CM.

    Returns
    -------
    pandas.Series of object
        Same index; Y, N (a record says that no device was used), or None: nothing is on record, which is not "none".

    Raises
    ------
    None
    """
    flag = pd.Series(None, index=rows.index, dtype=object)
    flag[during(rows, clinical_values(sdtm, ["O2DEV"])) == "Y"] = "N"
    given = oxygen_spans(sdtm)
    if given is not None:
        flag[during(rows, given) == "Y"] = "Y"
    return flag.where(flag.notna(), None)


def intensive_care_spans(sdtm: Sdtm) -> pd.DataFrame | None:
    """Return when a participant was in intensive care.

    Parameters
    ----------
    sdtm : Sdtm
        PR and CE.

    Returns
    -------
    pandas.DataFrame or None
        USUBJID, FROM, TO; None if no such stay is on record for anybody: then it was not collected.

    Raises
    ------
    None
    """
    events = clinical_values(sdtm, [_settings()["stay_code"]])
    parts = [events.loc[events["VALUE"] == "Y", _NAMES]]
    if sdtm.has("PR"):
        source = sdtm.domain("PR")
        name = text_column(source, "PRDECOD").fillna(text_column(source, "PRTRT"))
        stay = name.isin(list(_settings()["stays"]))
        rows = pd.DataFrame({"USUBJID": source["USUBJID"]}).join(spans(source, "PRSTDTC", "PRENDTC"))
        parts.append(rows[stay])
    found = [part for part in parts if len(part)]
    if not found and events.empty:
        return None
    return pd.concat(found or parts[:1], ignore_index=True)


def overlapping(rows: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Pair each row with the spans that share a day with it.

    Parameters
    ----------
    rows : pandas.DataFrame
        USUBJID, ASTDT, AENDT (dates; a missing end is open).
    given : pandas.DataFrame
        USUBJID, FROM, TO.

    Returns
    -------
    pandas.DataFrame
        The columns of both, and ROW: the index of the row; rows without a start have no pair.

    Raises
    ------
    None
    """
    left = rows[["USUBJID", "ASTDT", "AENDT"]].rename_axis("ROW").reset_index()
    pairs = left.merge(given, on="USUBJID", how="inner", validate="m:m")
    outside = (pairs["FROM"] >= pairs["AENDT"] + _DAY) | (pairs["TO"] < pairs["ASTDT"])
    return pairs[~outside & pairs["ASTDT"].notna()]


def during(rows: pd.DataFrame, given: pd.DataFrame) -> pd.Series:
    """Flag the rows during which something was given.

    Parameters
    ----------
    rows, given : pandas.DataFrame
        As `overlapping` takes them.

    Returns
    -------
    pandas.Series of object
        Same index; Y or N.

    Raises
    ------
    None
    """
    flag = pd.Series("N", index=rows.index, dtype=object)
    flag[overlapping(rows, given)["ROW"].unique()] = "Y"
    return flag


def number_of_doses(rows: pd.DataFrame, given: pd.DataFrame) -> pd.Series:
    """Count the administrations that began during each row.

    Parameters
    ----------
    rows, given : pandas.DataFrame
        As `overlapping` takes them.

    Returns
    -------
    pandas.Series of float64
        Same index.

    Raises
    ------
    None
    """
    pairs = overlapping(rows, given)
    begun = pairs[pairs["FROM"] >= pairs["ASTDT"]]
    return begun.groupby("ROW").size().reindex(rows.index, fill_value=0).astype("float64")


def steroid_use(rows: pd.DataFrame, sdtm: Sdtm) -> pd.DataFrame | None:
    """Return days and cumulative dose of systemic corticosteroids during each row.

    Parameters
    ----------
    rows : pandas.DataFrame
        USUBJID, ASTDT, AENDT; a missing end is open.
    sdtm : Sdtm
        CM: drug, dose, unit, frequency, route, dates.

    Returns
    -------
    pandas.DataFrame or None
        Same index: STERDY (different days), DEXEQ (mg of dexamethasone; 0 without steroid, NaN if the dose of one record is not
        known); None if CM was not delivered.

    Raises
    ------
    None

    Notes
    -----
    Dose times administrations per day times days within the row times the factor of the drug. A dose given once counts where it
    began. A record of one day without a frequency is one dose. Local routes do not count; a record without an end lasts to the
    end of the row, and without one its dose is not known.
    """
    if not sdtm.has("CM"):
        return None
    records = _daily_doses(sdtm)
    pairs = overlapping(rows, records)
    first = pairs[["FROM", "ASTDT"]].max(axis=1).dt.normalize()
    last = pairs[["TO", "AENDT"]].min(axis=1).dt.normalize()
    number = (last - first).dt.days.astype("float64") + 1
    once = pairs["ONCE"].astype(bool)
    amount = (pairs["DAILY"] * number).where(
        ~once, pairs["DAILY"].where(pairs["FROM"] >= pairs["ASTDT"], 0.0)
    )
    total = complete_sums(amount, pairs["ROW"])
    days = pd.DataFrame({"ROW": pairs["ROW"], "FIRST": first, "LAST": last.fillna(first)})
    return pd.DataFrame(
        {
            "STERDY": _different_days(days).reindex(rows.index, fill_value=0).astype("float64"),
            "DEXEQ": total.reindex(rows.index, fill_value=0.0).astype("float64"),
        }
    )


def _daily_doses(sdtm: Sdtm) -> pd.DataFrame:
    """Return the steroid records with the dose of a day in mg of dexamethasone; ONCE: one dose in all."""
    settings = _settings()
    source = sdtm.domain("CM")
    drug = text_column(source, "CMDECOD").fillna(text_column(source, "CMTRT"))
    frame = pd.DataFrame({"USUBJID": source["USUBJID"], "FACTOR": drug.map(dict(settings["dexamethasone"]))})
    frame = frame.join(spans(source, "CMSTDTC", "CMENDTC"))
    unit = text_column(source, "CMDOSU").map(dict(settings["milligrams"])).astype("float64")
    per_day = text_column(source, "CMDOSFRQ").map(dict(settings["per_day"])).astype("float64")
    one_day = frame["FROM"].dt.normalize() == frame["TO"].dt.normalize()
    once = (text_column(source, "CMDOSFRQ") == settings["once"]) | (per_day.isna() & one_day)
    dose = number_column(source, "CMDOSE") * unit * frame["FACTOR"].astype("float64")
    frame["DAILY"] = dose * per_day.where(~once, 1.0)
    frame["ONCE"] = once
    local = text_column(source, "CMROUTE").isin(list(settings["local_routes"]))
    prior = text_column(source, "CMCAT").fillna("").str.contains("ANTICANCER")
    return frame[frame["FACTOR"].notna() & frame["FROM"].notna() & ~local & ~prior].reset_index(drop=True)


def _different_days(spans_of_rows: pd.DataFrame) -> pd.Series:
    """Count the different days of the spans of each row."""
    days: dict[Any, set[pd.Timestamp]] = {}
    for row, first, last in zip(*(spans_of_rows[name] for name in ("ROW", "FIRST", "LAST")), strict=True):
        days.setdefault(row, set()).update(pd.date_range(first, last, freq="D"))
    return pd.Series({row: len(found) for row, found in days.items()}, dtype="float64")


def concurrent(rows: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Tell which episodes share a day with an episode of another kind.

    Parameters
    ----------
    rows, others : pandas.DataFrame
        USUBJID, ASTDT, AENDT.

    Returns
    -------
    pandas.Series of bool
        Index of ``rows``.

    Raises
    ------
    None
    """
    given = others.rename(columns={"ASTDT": "FROM", "AENDT": "TO"})[_NAMES]
    return during(rows, given[given["FROM"].notna()]) == "Y"
