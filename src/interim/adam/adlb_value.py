"""Laboratory values: canonical unit, range by the same factor, values outside the assay range, range indicator."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from interim.adam.source import date_columns, number_column, shipped_data, source_of, text_column
from interim.data.model import Sdtm
from interim.errors import Finding

_SIGNED = r"^\s*([<>])=?\s*(\d+(?:\.\d+)?)\s*$"


@cache
def unit_table() -> dict[str, tuple[str, dict[str, float]]]:
    """Return the canonical unit and the factors of each analyte.

    Returns
    -------
    dict
        Analyte -> (canonical unit, unit in upper case -> factor).

    Raises
    ------
    None
    """
    groups = shipped_data("laboratory")["units"].values()
    return {code: (group["unit"], group["factors"]) for group in groups for code in group["analytes"]}


def laboratory_values(sdtm: Sdtm, adsl: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Return the results of LB in canonical units.

    Parameters
    ----------
    sdtm : Sdtm
        LB.
    adsl : pandas.DataFrame
        Who is kept.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        One row per record: USUBJID, PARAMCD, PARAM, PARAMTYP, ADT, ADTM, DRAW (collected date-time), PREDOSE, AVISITN,
        AVISIT, VISITNUM, VISIT, AVAL, AVALC, AVALU, ASIGN and ALIMIT (a value beyond the assay's range), ANRLO, ANRHI,
        ANRIND, SRCDOM, SRCSEQ; the collected and the standard form beside them (see `source_forms`) and UFACTOR, the factor
        from the standard unit; findings LB-FACTOR for units without a factor.

    Raises
    ------
    None

    Notes
    -----
    A result of urine or cerebrospinal fluid has a parameter of its own (``U_PH``), so that it is never read as one of blood.
    An analyte without canonical unit keeps its standard unit. A unit without a factor gives no value, never a guess.
    """
    source = sdtm.domain("LB")
    source = source[source["USUBJID"].isin(adsl["USUBJID"])].reset_index(drop=True)
    test, other = text_column(source, "LBTESTCD"), other_specimens(source)
    code = test.mask(other["prefix"].notna(), other["prefix"] + test.str[:6])
    label = source.get("LBTEST", test).astype(object)
    unit, factor, unknown = _factors(source, code)
    dates = date_columns(source, "LBDTC")
    signed = text_column(source, "LBSTRESC").fillna(text_column(source, "LBORRES")).astype(object)
    parts = signed.fillna("").astype(str).str.extract(_SIGNED)
    low, high = (number_column(source, name) * factor for name in ("LBSTNRLO", "LBSTNRHI"))
    value = (number_column(source, "LBSTRESN") * factor).where(parts[0].isna())
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "PARAMCD": code,
            "PARAM": label.mask(other["label"].notna(), label + " (" + other["label"] + ")"),
            "PARAMTYP": pd.Series(None, index=source.index, dtype=object),
            "ADT": dates["DT"],
            "ADTM": dates["DTM"],
            "DRAW": source.get("LBDTC", None),
            "PREDOSE": text_column(source, "LBTPT").isin(list(shipped_data("laboratory")["pre_dose"])),
            "AVISITN": number_column(source, "VISITNUM"),
            "AVISIT": source.get("VISIT", None),
            "VISITNUM": number_column(source, "VISITNUM"),
            "VISIT": source.get("VISIT", None),
            "AVAL": value,
            "AVALC": source.get("LBSTRESC", None),
            "AVALU": unit,
            "ASIGN": parts[0].astype(object).where(parts[0].notna(), None),
            "ALIMIT": pd.to_numeric(parts[1]) * factor,
            "ANRLO": low,
            "ANRHI": high,
            "ANRIND": range_indicator(value, low, high=high, given=text_column(source, "LBNRIND")),
        }
    ).join(source_of(source, "LB"))
    frame = frame.join(source_forms(source)).assign(UFACTOR=factor)
    return frame, tuple(_no_factor(code_, unit_, part) for (code_, unit_), part in unknown)


def other_specimens(source: pd.DataFrame) -> pd.DataFrame:
    """Return which results are not of blood.

    Parameters
    ----------
    source : pandas.DataFrame
        LB.

    Returns
    -------
    pandas.DataFrame
        Same index; prefix (of the parameter code) and label of the specimen; missing for blood. LBSPEC decides, without it LBCAT.

    Raises
    ------
    None
    """
    named = text_column(source, "LBSPEC").fillna(text_column(source, "LBCAT"))
    known = shipped_data("laboratory")["specimens"].items()
    prefixes = {name: entry["prefix"] for _, entry in known for name in entry["names"]}
    labels = {name: label for label, entry in known for name in entry["names"]}
    return pd.DataFrame({"prefix": named.map(prefixes), "label": named.map(labels)}, dtype=object)


def source_forms(source: pd.DataFrame) -> pd.DataFrame:
    """Return the results as they were delivered: collected and standard value, limit, unit and range.

    Parameters
    ----------
    source : pandas.DataFrame
        LB.

    Returns
    -------
    pandas.DataFrame
        Same index; for each of the prefixes LBOR (collected) and LBST (standard): RESN (number), LIM (limit of a value
        beyond the assay's range), RESU, NRLO, NRHI.

    Raises
    ------
    None
    """
    columns: dict[str, pd.Series] = {}
    for prefix, text in (("LBOR", "LBORRES"), ("LBST", "LBSTRESC")):
        written = text_column(source, text).fillna("").astype(str).str.extract(_SIGNED)
        number = number_column(source, "LBSTRESN" if prefix == "LBST" else text)
        columns[f"{prefix}RESN"] = number.where(written[0].isna())
        columns[f"{prefix}LIM"] = pd.to_numeric(written[1]).astype("float64")
        unit = source.get(f"{prefix}RESU", pd.Series(None, index=source.index, dtype=object))
        columns[f"{prefix}RESU"] = unit.astype(object).where(unit.notna(), None)
        columns[f"{prefix}NRLO"] = number_column(source, f"{prefix}NRLO")
        columns[f"{prefix}NRHI"] = number_column(source, f"{prefix}NRHI")
    return pd.DataFrame(columns)


def _factors(
    source: pd.DataFrame, code: pd.Series
) -> tuple[pd.Series, pd.Series, list[tuple[tuple[str, str], pd.DataFrame]]]:
    """Return unit and factor of each record, and the records whose unit has no factor for their analyte."""
    collected = text_column(source, "LBSTRESU")
    as_written = source.get("LBSTRESU", collected)
    pairs = pd.DataFrame({"CODE": code, "UNIT": collected})
    table = unit_table()
    known = code.isin(list(table))
    factor = pd.Series(1.0, index=source.index)
    unit = as_written.astype(object).where(~known, code.map(lambda c: table.get(c, (None,))[0]))
    for (name, text), part in pairs[known].groupby(["CODE", "UNIT"], dropna=False, sort=True):
        factor[part.index] = table[str(name)][1].get(str(text), np.nan)
    without = pairs[known & factor.isna() & collected.notna() & number_column(source, "LBSTRESN").notna()]
    grouped = without.groupby(["CODE", "UNIT"], sort=True)
    groups = [((str(name), str(text)), source.loc[part.index]) for (name, text), part in grouped]
    return unit, factor, groups


def range_indicator(value: pd.Series, low: pd.Series, *, high: pd.Series, given: pd.Series) -> pd.Series:
    """Return LOW, NORMAL or HIGH by the range of the record itself.

    Parameters
    ----------
    value, low, high : pandas.Series of float64
        Value and limits in one unit.
    given : pandas.Series of object
        LBNRIND, used where there is no range, and for LOW LOW and HIGH HIGH, which no range can tell.

    Returns
    -------
    pandas.Series of object
        Same index; None without value, or without range and given indicator.

    Raises
    ------
    None
    """
    derived = pd.Series(None, index=value.index, dtype=object)
    ranged = value.notna() & (low.notna() | high.notna())
    derived[ranged] = "NORMAL"
    derived[ranged & (value < low)] = "LOW"
    derived[ranged & (value > high)] = "HIGH"
    double = given.isin(list(shipped_data("laboratory")["double"]))
    answer = derived.where(~(double | derived.isna()), given)
    return answer.where(answer.notna() & value.notna(), None)


def _no_factor(code: str, unit: str, rows: pd.DataFrame) -> Finding:
    wanted = ", ".join(sorted(unit_table()[code][1]))
    people = rows["USUBJID"]
    first = f"{people.iloc[0]} LBSEQ {number_column(rows, 'LBSEQ').iloc[0]:g}"
    where = f"records: {len(rows)}, participants: {people.nunique()}, first: {first}"
    return Finding(
        "LB-FACTOR",
        "warn",
        "LB",
        f"{code} in {unit} ({where}) has no factor to {unit_table()[code][0]}; no value is derived, "
        "correct the unit or add the factor",
        key=(code, unit),
        variable="LBSTRESU",
        value=unit,
        expected=f"one of {wanted}",
        effect=("T 14.3.4.1",),
    )
