"""ADBM: immune phenotype, tumour markers, ligand staining and immunogenicity, one row per result with its baseline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interim.adam.adlb_value import unit_table
from interim.adam.kinetic_columns import code_column, flag_column
from interim.adam.source import (
    by_subject,
    date_columns,
    number_column,
    ordered,
    shipped_data,
    source_of,
    text_column,
    text_missing,
)
from interim.data.model import Sdtm

COLUMNS = [
    "USUBJID",
    "PARCAT1",
    "PARAMCD",
    "PARAM",
    "ASPEC",
    "ADT",
    "VISITNUM",
    "VISIT",
    "TIMING",
    "AVAL",
    "AVALC",
    "AVALU",
    "ANRHI",
    "ABLFL",
    "BASE",
    "BASEC",
    "CHG",
    "PCHG",
    "SRCDOM",
    "SRCSEQ",
]
_KEYS = ["USUBJID", "PARCAT1", "PARAMCD", "ASPEC"]


def derive_adbm(sdtm: Sdtm, adsl: pd.DataFrame) -> pd.DataFrame:
    """Derive the biomarkers.

    Parameters
    ----------
    sdtm : Sdtm
        CP, LB, MI, IS; absent domains give no rows.
    adsl : pandas.DataFrame
        First infusion of any product.

    Returns
    -------
    pandas.DataFrame
        Key PARCAT1, SRCDOM, SRCSEQ; TIMING PRE up to the day of the first infusion, else POST; the baseline is the last result
        that is PRE; PARAMCD of ligands is the test and the ligand. AVAL, ANRHI and AVALU of laboratory tests stand in the unit
        of ADLB where it has a factor for the delivered one; AVALC keeps the delivered text.

    Raises
    ------
    None
    """
    sources = shipped_data("biomarkers")["sources"]
    parts = [_rows(sdtm, adsl, row) for row in sources if sdtm.has(row["domain"])]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    frame = pd.concat(parts, ignore_index=True)
    start = by_subject(frame, adsl, "TRTSDT")
    timing = np.select([frame["ADT"] <= start, frame["ADT"] > start], ["PRE", "POST"], "")
    frame["TIMING"] = code_column(timing, frame.index)
    frame = ordered(frame, [*_KEYS, "ADT", "SRCDOM", "SRCSEQ"])
    return text_missing(_with_base(frame)[COLUMNS])


def _rows(sdtm: Sdtm, adsl: pd.DataFrame, row: Mapping[str, str]) -> pd.DataFrame:
    domain = row["domain"]
    source = sdtm.domain(domain)
    keep = source["USUBJID"].isin(adsl["USUBJID"]) & text_column(source, f"{domain}STAT").ne("NOT DONE")
    if "only" in row:
        keep &= text_column(source, f"{domain}CAT") == row["only"]
    source = source[keep].reset_index(drop=True)
    code = text_column(source, f"{domain}TESTCD")
    detail = text_column(source, f"{domain}TSTDTL")
    none = pd.Series(None, index=source.index, dtype=object)
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "PARCAT1": row["category"],
            "PARAMCD": code.where(detail.isna(), code.astype(str) + " " + detail.astype(str)).astype(object),
            "PARAM": source.get(f"{domain}TEST", code),
            "ASPEC": text_column(source, f"{domain}SPEC"),
            "ADT": date_columns(source, f"{domain}DTC")["DT"],
            "VISITNUM": number_column(source, "VISITNUM"),
            "VISIT": source.get("VISIT", none),
            "AVAL": number_column(source, f"{domain}STRESN"),
            "AVALC": source.get(f"{domain}STRESC", none),
            "AVALU": source.get(f"{domain}STRESU", none),
            "ANRHI": number_column(source, f"{domain}STNRHI"),
        }
    ).join(source_of(source, domain))
    return _in_one_unit(frame[frame["AVAL"].notna() | frame["AVALC"].notna()])


def _in_one_unit(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the results in the units of ADLB, so that one test has one unit in every table."""
    known = unit_table()
    parts = [
        known[code][1].get(str(unit).strip().upper()) if code in known else None
        for code, unit in zip(frame["PARAMCD"], frame["AVALU"], strict=True)
    ]
    factor = pd.Series(parts, index=frame.index, dtype="float64")
    unit = frame["PARAMCD"].map({code: unit for code, (unit, _) in known.items()})
    return frame.assign(
        AVAL=frame["AVAL"] * factor.fillna(1.0),
        ANRHI=frame["ANRHI"] * factor.fillna(1.0),
        AVALU=frame["AVALU"].where(factor.isna(), unit),
    )


def _with_base(frame: pd.DataFrame) -> pd.DataFrame:
    before = frame[frame["TIMING"] == "PRE"]
    chosen = before.groupby(_KEYS, dropna=False, sort=False).tail(1)
    frame = frame.assign(ABLFL=flag_column(frame.index.isin(chosen.index), frame.index))
    base = chosen[[*_KEYS, "AVAL", "AVALC"]].rename(columns={"AVAL": "BASE", "AVALC": "BASEC"})
    frame = frame.merge(base, on=_KEYS, how="left", validate="m:1")
    change = frame["AVAL"] - frame["BASE"]
    return frame.assign(CHG=change, PCHG=(100 * change / frame["BASE"]).where(frame["BASE"] != 0))
