"""Source data: corrections by patch, dates that were imputed, results that are missing."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.model import Adam
from interim.analysis.listing import add_records
from interim.analysis.population import set_label
from interim.analysis.relative_dates import before_cut, first_days, in_days, span
from interim.data.check.records import each
from interim.data.check.values import shown
from interim.data.dates import parse_dates
from interim.data.model import Sdtm
from interim.data.patch import PATCHES, RULE, Patch, read_patches
from interim.result import Result, Rows
from interim.study import Study

_ALL = "All records"
_UNMAPPED = "MAP-VALUE"
_DATES = ("USUBJID", "SRCSEQ", "AESTDTC", "ASTDT", "ASTDTF", "AEENDTC", "AENDT", "AENDTF")


@cache
def settings() -> dict[str, Any]:
    """Return the shipped settings of the tables about the source data.

    Returns
    -------
    dict
        Contents of ``source_quality.toml``.

    Raises
    ------
    None
    """
    text = files("interim.analysis").joinpath("source_quality.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def patches(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the corrections by patch, and whether each was applied.

    Parameters
    ----------
    adam : Adam
        First infusions and the cut-off.
    study : Study
        Not used.
    sdtm : Sdtm
        PATCHES and the findings about them.

    Returns
    -------
    Result
        ``source_quality.patches``; a record per patch: domain, key, variable, old, new, reason, name, date, state (APPLIED or REFUSED).

    Raises
    ------
    None
    """
    rows = Rows(
        "source_quality.patches", "Corrections of the source data by patch", population=_ALL, group_var=""
    )
    applied = {(f.file, f.row) for f in sdtm.findings if f.rule == RULE}
    starts = first_days(adam)

    def told(patch: Patch, text: str) -> str:
        return in_days(text, starts.get(patch.subject))

    made = [
        {
            "USUBJID": patch.subject,
            "domain": patch.domain,
            "key": told(patch, patch.key),
            "variable": patch.variable,
            "old": told(patch, shown(patch.variable, patch.old)),
            "new": told(patch, shown(patch.variable, patch.new)),
            "reason": told(patch, patch.reason),
            "name": patch.name,
            "date": before_cut(patch.date, pd.Timestamp(adam.cut)),
            "state": "APPLIED" if (patch.file, patch.row) in applied else "REFUSED",
        }
        for patch in read_patches(sdtm.domains.get(PATCHES))
    ]
    names = ["USUBJID", "domain", "key", "variable", "old", "new", "reason", "name", "date", "state"]
    add_records(rows, pd.DataFrame(made, columns=names, dtype=object))
    return rows.build()


def imputed_dates(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the partial dates, what was used instead, and what the missing part can move.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Not used.
    sdtm : Sdtm
        Dates of new therapies and tumour assessments.

    Returns
    -------
    Result
        ``source_quality.imputed_dates``; a record per date: domain, key, variable, raw and imputed (study days), rule (code), moves (codes
        joined by a semicolon: TEAE, DLT, OS, PFS or NOTHING: both ends of the possible range were tried).

    Raises
    ------
    None
    """
    rows = Rows("source_quality.imputed_dates", "Partial and imputed dates", population=_ALL, group_var="")
    parts = [_events(adam), _deaths(adam, sdtm), _therapies(adam, sdtm), *_scans(sdtm)]
    table = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=_DATE_COLUMNS)])
    table = table.sort_values(["USUBJID", "domain", "variable", "key"], kind="stable", ignore_index=True)
    starts = first_days(adam)
    for name in ("raw", "imputed"):
        dates = zip(table[name], table["USUBJID"], strict=True)
        table[name] = [span(date, starts.get(subject)) if date else "" for date, subject in dates]
    add_records(rows, table)
    return rows.build()


_DATE_COLUMNS = ["USUBJID", "domain", "key", "variable", "raw", "imputed", "rule", "moves"]


def _line(
    subject: str, source: tuple[str, str, str, str], day: Any, rule: str, moves: list[str]
) -> dict[str, Any]:
    domain, key, variable, raw = source
    return {
        "USUBJID": subject,
        "SRCDOM": domain,
        "SRCSEQ": key,
        "domain": domain,
        "key": key,
        "variable": variable,
        "raw": raw,
        "imputed": "" if pd.isna(day) else f"{day:%Y-%m-%d}",
        "rule": rule,
        "moves": ";".join(moves) or "NOTHING",
    }


def _events(adam: Adam) -> pd.DataFrame:
    """Return the onsets and ends of adverse events that were completed."""
    if not adam.has("ADAE", "ADSL") or "ASTDTF" not in adam["ADAE"] or "DLTWSDT" not in adam["ADSL"]:
        return pd.DataFrame()
    events = adam["ADAE"][[name for name in _DATES if name in adam["ADAE"]]].merge(
        adam["ADSL"][["USUBJID", "TRTSDT", "DLTWSDT", "DLTWEDT"]], on="USUBJID", how="left", validate="m:1"
    )
    found = []
    for row in each(events[events["ASTDTF"].notna()]):
        low, high = _range(row.AESTDTC)
        source = ("AE", str(row.SRCSEQ), "AESTDTC", str(row.AESTDTC))
        found.append(_line(row.USUBJID, source, row.ASTDT, "START", _moved(row, low, high)))
    for row in each(events[events["AENDTF"].notna()]):
        source = ("AE", str(row.SRCSEQ), "AEENDTC", str(row.AEENDTC))
        found.append(_line(row.USUBJID, source, row.AENDT, "END", []))
    return pd.DataFrame(found)


def _range(text: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    parsed = parse_dates(pd.Series([text], dtype=object)).iloc[0]
    return parsed["FIRST"], parsed["LAST"]


def _moved(row: Any, low: pd.Timestamp, high: pd.Timestamp) -> list[str]:
    """Return what differs between the first and the last possible day of an onset, or between two days within."""
    if pd.isna(low) or pd.isna(high):
        return ["TEAE"] if pd.notna(row.TRTSDT) else []
    found = ["TEAE"] if pd.notna(row.TRTSDT) and low < row.TRTSDT <= high else []
    start, end = row.DLTWSDT, row.DLTWEDT
    if (
        pd.notna(start)
        and pd.notna(end)
        and low <= end
        and high >= start
        and not (start <= low and high <= end)
    ):
        found.append("DLT")
    return found


def _deaths(adam: Adam, sdtm: Sdtm) -> pd.DataFrame:
    adsl = adam["ADSL"] if adam.has("ADSL") else pd.DataFrame()
    if "DTHDTF" not in adsl:
        return pd.DataFrame()
    dm = sdtm.domain("DM").drop_duplicates("USUBJID")
    raw = dict(zip(dm["USUBJID"], dm.get("DTHDTC", pd.Series(None, index=dm.index)), strict=True))
    found = [
        _line(row.USUBJID, ("DM", "", "DTHDTC", str(raw.get(row.USUBJID) or "")), row.DTHDT, "DEATH", ["OS"])
        for row in each(adsl[adsl["DTHDTF"].notna()])
    ]
    return pd.DataFrame(found)


def _therapies(adam: Adam, sdtm: Sdtm) -> pd.DataFrame:
    """Return the start of the new anticancer therapy where it was completed."""
    adsl = adam["ADSL"] if adam.has("ADSL") else pd.DataFrame()
    if "NACTDTF" not in adsl:
        return pd.DataFrame()
    found = []
    for row in each(adsl[adsl["NACTDTF"].notna()]):
        source = next(_therapy_records(sdtm, row.USUBJID, row.NACTDT), ("CM", "", "CMSTDTC", ""))
        found.append(_line(row.USUBJID, source, row.NACTDT, "THERAPY", ["PFS"]))
    return pd.DataFrame(found)


def _therapy_records(sdtm: Sdtm, subject: str, day: pd.Timestamp) -> Iterator[tuple[str, str, str, str]]:
    """Yield the records of therapies whose partial start can be a day."""
    for name in ("CM", "PR"):
        variable = f"{name}STDTC"
        frame = sdtm.domain(name)
        mine = frame[frame["USUBJID"] == subject] if variable in frame else frame.iloc[:0]
        dates = parse_dates(mine[variable]) if len(mine) else pd.DataFrame()
        for place in range(len(mine)):
            low, high = dates["FIRST"].iloc[place], dates["LAST"].iloc[place]
            if low < high and low <= day <= high:
                yield name, _sequence(mine.iloc[place], name), variable, str(mine[variable].iloc[place])


def _scans(sdtm: Sdtm) -> Iterator[pd.DataFrame]:
    """Yield the partial dates of tumour assessments: the last possible day, or none, is used."""
    for name in ("TU", "TR", "RS"):
        frame, variable = sdtm.domain(name), f"{name}DTC"
        if variable not in frame:
            continue
        dates = parse_dates(frame[variable])
        partial = (dates["VALID"] & dates["DT"].isna() & frame[variable].notna()).to_numpy(dtype=bool)
        lines = []
        for place in np.flatnonzero(partial):
            row, last = frame.iloc[place], dates["LAST"].iloc[place]
            known = len(str(row[variable])) == len("2026-03")
            source = (name, _sequence(row, name), variable, str(row[variable]))
            lines.append(_line(str(row["USUBJID"]), source, last if known else pd.NaT, "SCAN", ["PFS"]))
        yield pd.DataFrame(lines)


def _sequence(row: pd.Series, name: str) -> str:
    value = row.get(f"{name}SEQ")
    return "" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)


def missing_data(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count the results that were expected, observed, below the limit, not done and missing, by variable and visit.

    Parameters
    ----------
    adam : Adam
        ADSL: treated participants.
    study : Study
        Not used.
    sdtm : Sdtm
        SV and the domains of the variables.

    Returns
    -------
    Result
        ``source_quality.missing_data``; variable = domain and test, level = visit: expected, observed, blq, not_done, missing;
        variable ``unmapped``, level = domain and column: cells that a mapping could not read.

    Raises
    ------
    None

    Notes
    -----
    Expected are the participants who attended a scheduled visit (a whole VISITNUM) at which the test is planned: more than
    half of them have a record of it. The level of a cell product is expected of those who received the product. Nothing is imputed.
    """
    rows = Rows(
        "source_quality.missing_data",
        "Missing data by variable and visit",
        population=set_label("ENR", study),
        group_var="",
    )
    attended = _attended(adam, sdtm)
    for entry in settings()["missing"]["variable"]:
        asked = attended[attended["USUBJID"].isin(_asked(adam, study, entry, attended["USUBJID"]))]
        _count_variable(rows, sdtm.domain(entry["domain"]), entry, asked)
    unmapped = Counter(f"{domain}.{variable}" for domain, variable in _unmapped(sdtm))
    for column, number in (*sorted(unmapped.items()), ("total", unmapped.total())):
        rows.add("cells", number, variable="unmapped", level=column, n=number)
    return rows.build()


def _asked(adam: Adam, study: Study, entry: Mapping[str, str], everyone: Iterable[str]) -> Iterable[str]:
    """Return whom a variable is expected of: with a ``role``, those who received a product of it."""
    products = [product.id for product in study.with_role(entry.get("role", ""))]
    if not products or not adam.has("ADEX"):
        return everyone
    adex = adam["ADEX"]
    return frozenset(adex.loc[adex["PRODUCT"].isin(products), "USUBJID"])


def _unmapped(sdtm: Sdtm) -> Iterator[tuple[str, str | None]]:
    """Yield domain and variable of each cell that a mapping could not read: those of dates stand in the ledger."""
    dates = {(line.domain, line.variable) for line in sdtm.ledger if line.rule == _UNMAPPED}
    yield from ((line.domain, line.variable) for line in sdtm.ledger if line.rule == _UNMAPPED)
    found = ((f.domain, f.variable) for f in sdtm.findings if f.rule == _UNMAPPED)
    yield from (place for place in found if place not in dates)


def _attended(adam: Adam, sdtm: Sdtm) -> pd.DataFrame:
    """Return USUBJID, VISITNUM and VISIT of the visits of enrolled participants."""
    names = ["USUBJID", "VISITNUM", "VISIT", "SVSTDTC"]
    visits = sdtm.domain("SV").reindex(columns=names)
    enrolled: set[str] = set()
    if adam.has("ADSL"):
        enrolled = set(adam["ADSL"].loc[adam["ADSL"]["ENRLFL"] == "Y", "USUBJID"])
    scheduled = pd.to_numeric(visits["VISITNUM"], errors="coerce") % 1 == 0
    came = visits[visits["SVSTDTC"].notna() & scheduled & visits["USUBJID"].isin(enrolled)]
    return came.drop_duplicates(["USUBJID", "VISITNUM"])


def _count_variable(rows: Rows, frame: pd.DataFrame, entry: dict[str, str], attended: pd.DataFrame) -> None:
    name = entry["domain"]
    code = f"{name}TESTCD"
    if code not in frame or "VISITNUM" not in frame:
        return
    mine = frame[(frame[code] == entry["test"]).to_numpy()]
    state = pd.DataFrame(
        {"USUBJID": mine["USUBJID"], "VISITNUM": mine["VISITNUM"], "STATE": _states(mine, name)}
    )
    best = state.sort_values("STATE", kind="stable").drop_duplicates(["USUBJID", "VISITNUM"])
    joined = attended.merge(best, on=["USUBJID", "VISITNUM"], how="left", validate="1:1")
    for (_, visit), part in joined.groupby(["VISITNUM", "VISIT"], sort=True):
        if part["STATE"].notna().mean() > settings()["missing"]["planned"]:
            _count_visit(rows, part, variable=f"{name} {entry['test']}", level=str(visit))


_STATES = {1: "observed", 2: "blq", 3: "not_done"}


def _states(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return 1 for a result, 2 for one below the limit of quantification, 3 for not done, NaN for a record that says nothing."""
    empty = pd.Series(None, index=frame.index, dtype=object)
    texts = [frame.get(f"{name}{suffix}", empty) for suffix in ("ORRES", "STRESC", "STRESN")]
    text = texts[0].where(texts[0].notna(), texts[1].where(texts[1].notna(), texts[2]))
    below = text.astype(str).str.startswith("<")
    not_done = (frame.get(f"{name}STAT", empty) == "NOT DONE").to_numpy()
    found = np.where(text.isna(), np.nan, np.where(below, 2.0, 1.0))
    return np.where(not_done, 3.0, found)


def _count_visit(rows: Rows, part: pd.DataFrame, *, variable: str, level: str) -> None:
    size = len(part)
    for code, stat in _STATES.items():
        who = part.loc[part["STATE"] == code, "USUBJID"]
        rows.add(stat, len(who), variable=variable, level=level, n=len(who), N=size, subjects=sorted(who))
    absent = part.loc[part["STATE"].isna(), "USUBJID"]
    rows.add("expected", size, variable=variable, level=level, n=size, subjects=sorted(part["USUBJID"]))
    rows.add(
        "missing", len(absent), variable=variable, level=level, n=len(absent), N=size, subjects=sorted(absent)
    )
