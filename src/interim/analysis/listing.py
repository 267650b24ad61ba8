"""Listings: one block of rows per record, texts and numbers under the names of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import Population, open_rows, population
from interim.result import TOTAL, Result, Rows
from interim.study import Study

RECORD, RECORDS = "record", "records"
NOTHING = "no record"
_PLACE = ("USUBJID", "SRCDOM", "SRCSEQ")


def add_records(rows: Rows, frame: pd.DataFrame) -> None:
    """Add the records of a listing in the order of the frame.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    frame : pandas.DataFrame
        USUBJID; SRCDOM and SRCSEQ where a record stands behind the row (a tuple of numbers: several records); every other column is one of the listing: numbers as
        float64, anything else as text.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Variable ``record``, level = participant and number; stat = column; a missing number is NA (not recorded), a missing text
    an empty one. Variable ``records`` has the number of records.
    """
    size = len(frame)
    rows.add("n", size, variable=RECORDS, n=size, subjects=sorted(set(frame["USUBJID"])))
    names = [name for name in frame.columns if name not in _PLACE]
    numeric = {name for name in names if pd.api.types.is_numeric_dtype(frame[name])}
    for number, item in enumerate(frame.to_dict("records"), 1):
        subject = str(item["USUBJID"])
        place: dict[str, Any] = {"variable": RECORD, "level": f"{subject} {number}"}
        rows.add("participant", None, text=subject, sources=_sources(item), **place)
        for name in names:
            _add_cell(rows, name, item[name], name in numeric, place)


def _sources(item: Mapping[Any, Any]) -> list[tuple[str, str | None, str | None]]:
    """Return the records behind a row: one, several (SRCSEQ a tuple), or the participant alone."""
    domain, key = item.get("SRCDOM"), item.get("SRCSEQ")
    known = isinstance(domain, str)
    keys = key if isinstance(key, tuple) else (key,)
    return [
        (str(item["USUBJID"]), domain if known else None, str(one) if known and one is not None else None)
        for one in keys
    ]


def _add_cell(rows: Rows, name: str, value: Any, numeric: bool, place: Mapping[str, Any]) -> None:
    if not numeric:
        rows.add(name, None, text="" if value is None or value != value else str(value), **place)
    elif pd.isna(value):
        rows.add(name, None, status="NA", reason="not recorded", **place)
    else:
        rows.add(name, float(value), **place)


def listing(
    adam: Adam, study: Study, names: tuple[str, str], *, code: str, needs: tuple[str, ...] = ()
) -> tuple[Population, Rows, bool]:
    """Open a listing of the members of a set.

    Parameters
    ----------
    adam : Adam
        Datasets.
    study : Study
        Columns.
    names : tuple of str
        Analysis id, title.
    code : str
        Analysis set.
    needs : tuple of str
        Datasets that are read.

    Returns
    -------
    tuple of (Population, Rows, bool)
        The set, the rows, and whether the datasets are there; if not, the rows say why.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, code)
    rows = open_rows(names[0], names[1], who)
    gone = [name for name in needs if (name in adam.missing if "." in name else not adam.has(name))]
    if gone:
        reason = f"not available: {adam.missing.get(gone[0], gone[0])}"
        rows.add("n", None, variable=RECORDS, status="NA", reason=reason)
    return who, rows, not gone


def study_days(frame: pd.DataFrame, date: str, *, adsl: pd.DataFrame, start: str = "TRTSDT") -> pd.Series:
    """Return days from the first infusion (day 0).

    Parameters
    ----------
    frame : pandas.DataFrame
        USUBJID and the date.
    date : str
        Column of the date.
    adsl : pandas.DataFrame
        ADSL.
    start : str
        Reference date in ADSL.

    Returns
    -------
    pandas.Series of float64
        Same index; NaN where a date is missing, or where one of the datasets does not have the column.

    Raises
    ------
    None
    """
    if date not in frame or start not in adsl:
        return pd.Series(float("nan"), index=frame.index)
    first = frame["USUBJID"].map(adsl.set_index("USUBJID")[start])
    return (pd.to_datetime(frame[date]) - pd.to_datetime(first)).dt.days.astype("float64")


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column; missing texts where the dataset does not have it.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any dataset.
    name : str
        Column.

    Returns
    -------
    pandas.Series of object
        Same index.

    Raises
    ------
    None
    """
    if name not in frame:
        return pd.Series(None, index=frame.index, dtype=object)
    return frame[name].astype(object)


def dose_of(who: Population) -> dict[str, str]:
    """Return the column of each member.

    Parameters
    ----------
    who : Population
        The set.

    Returns
    -------
    dict of str to str
        USUBJID -> column code, without the total.

    Raises
    ------
    None
    """
    return {subject: group for group, ids in who.members.items() if group != TOTAL for subject in sorted(ids)}


def built(rows: Rows, frame: pd.DataFrame, *, who: Population, order: list[str] | None) -> Result:
    """Return the listing with the dose column in front, in the order of doses, participants and the given columns.

    Parameters
    ----------
    rows : Rows
        Open rows.
    frame : pandas.DataFrame
        Records as `add_records` takes them.
    who : Population
        The set; records of others are left out.
    order : list of str or None
        Columns that order the records of a participant; None: as they come.

    Returns
    -------
    Result
        The listing.

    Raises
    ------
    None
    """
    doses = dose_of(who)
    kept = frame[frame["USUBJID"].isin(list(doses))]
    kept = kept.copy() if order is None else kept.sort_values(["USUBJID", *order], kind="stable")
    kept.insert(0, "dose", kept["USUBJID"].map(doses).astype(object))
    add_records(rows, kept)
    return rows.build()
