"""ADLB: one row per laboratory result and base type, with canonical unit, baseline, change and range indicator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from interim.adam.adlb_value import laboratory_values
from interim.adam.derived import Derived
from interim.adam.source import by_subject, ordered, shipped_data, text_missing
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

COLUMNS = [
    "USUBJID",
    "PARAMCD",
    "PARAM",
    "PARAMTYP",
    "BASETYPE",
    "ADT",
    "ADTM",
    "AVISITN",
    "AVISIT",
    "VISITNUM",
    "VISIT",
    "AVAL",
    "AVALC",
    "AVALU",
    "ASIGN",
    "ALIMIT",
    "ANRLO",
    "ANRHI",
    "ANRIND",
    "ABLFL",
    "BASE",
    "BNRIND",
    "CHG",
    "PCHG",
    "SRCDOM",
    "SRCSEQ",
]
_KEYS = ["USUBJID", "PARAMCD", "BASETYPE"]
_STARTS = {"nk": ("TRTSNK", "TRTSNKM"), "t": ("TRTSCT", "TRTSCTM"), "other": ("TRTSDT", "TRTSDTM")}


def derive_adlb(sdtm: Sdtm, adsl: pd.DataFrame, *, study: Study) -> Derived:
    """Derive the laboratory results.

    Parameters
    ----------
    sdtm : Sdtm
        LB.
    adsl : pandas.DataFrame
        Core of ADSL: first infusions.
    study : Study
        Products.

    Returns
    -------
    Derived
        Key USUBJID, PARAMCD, BASETYPE, SRCSEQ; AVAL in the canonical unit AVALU; ANRLO and ANRHI by the same factor; ABLFL
        marks the baseline of the base type (before the first infusion of that product); NLR and GLR as PARAMTYP DERIVED;
        findings LB-FACTOR, SUB-RATIO.

    Raises
    ------
    None

    Notes
    -----
    Baseline is the last result before the first infusion, by date-time where both are timed. On the day of the infusion a
    result without a time counts only if its time point says pre-dose.
    """
    values, findings = laboratory_values(sdtm, adsl)
    ratios, of_ratios = _ratios(values)
    rows = pd.concat([values, ratios], ignore_index=True) if len(ratios) else values
    parts = [_with_base(rows, adsl, name, role) for role, name in _base_types(study).items()]
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    frame = ordered(frame, ["USUBJID", "PARAMCD", "BASETYPE", "ADT", "ADTM", "SRCSEQ"])
    rules = (("LB-FACTOR", "warn", "run"), ("SUB-RATIO", "warn", "run"))
    return Derived(text_missing(frame[COLUMNS]), (*findings, *of_ratios), rules)


def _base_types(study: Study) -> dict[str, str]:
    names = shipped_data("laboratory")["base_types"]
    roles = [role for role in ("nk", "t") if study.with_role(role)] or ["other"]
    return {role: names[role] for role in roles}


def before_first_dose(rows: pd.DataFrame, day: pd.Series, moment: pd.Series) -> pd.Series:
    """Tell which results were obtained before a first infusion.

    Parameters
    ----------
    rows : pandas.DataFrame
        ADT, ADTM, PREDOSE (bool: the time point says so).
    day, moment : pandas.Series of datetime64
        The first infusion, on the index of ``rows``.

    Returns
    -------
    pandas.Series of bool
        False where a date is missing.

    Raises
    ------
    None
    """
    timed = rows["ADTM"].notna() & moment.notna()
    same_day = (rows["ADT"] == day) & rows["PREDOSE"]
    return (rows["ADTM"] < moment).where(timed, (rows["ADT"] < day) | same_day)


def _with_base(rows: pd.DataFrame, adsl: pd.DataFrame, name: str, role: str) -> pd.DataFrame:
    """Return the rows of one base type with baseline and change; a later base type only for those who reached it."""
    start, moment = _STARTS[role]
    day, instant = by_subject(rows, adsl, start), by_subject(rows, adsl, moment)
    keep = day.notna() if role == "t" else pd.Series(True, index=rows.index)
    frame = rows[keep].assign(BASETYPE=name)
    usable = before_first_dose(rows, day, instant)[keep] & (frame["AVAL"].notna() | frame["AVALC"].notna())
    candidates = ordered(
        frame[usable].rename_axis("ROW").reset_index(), ["USUBJID", "PARAMCD", "ADT", "ADTM", "SRCSEQ"]
    )
    chosen = candidates.drop_duplicates(_KEYS, keep="last")
    is_base = pd.Series(frame.index.isin(chosen["ROW"]), index=frame.index)
    frame["ABLFL"] = is_base.map({True: "Y", False: None}).astype(object)
    base = chosen[[*_KEYS, "AVAL", "ANRIND"]].rename(columns={"AVAL": "BASE", "ANRIND": "BNRIND"})
    frame = frame.merge(base, on=_KEYS, how="left", validate="m:1")
    change = frame["AVAL"] - frame["BASE"]
    return frame.assign(CHG=change, PCHG=(100 * change / frame["BASE"]).where(frame["BASE"] != 0))


def _ratios(values: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Return the ratios of each draw, and the draws whose lymphocytes are zero."""
    data = shipped_data("laboratory")
    draws = _draws(values, sorted({data["denominator"], *data["granulocytes"]}))
    below = draws[data["denominator"]]
    above = {
        "NLR": draws[data["numerator"]],
        "GLR": draws[list(data["granulocytes"])].sum(axis=1, min_count=len(data["granulocytes"])),
    }
    parts = []
    for code, numerator in above.items():
        usable = numerator.notna() & (below > 0)
        value = (numerator / below)[usable]
        parts.append(draws[usable].assign(PARAMCD=code, PARAM=data["ratios"][code], AVAL=value))
    frame = pd.concat(parts, ignore_index=True)
    columns = {"AVALU": "ratio", "PARAMTYP": "DERIVED", "ANRLO": np.nan, "ANRHI": np.nan, "ALIMIT": np.nan}
    frame = frame.assign(**columns, AVALC=None, ANRIND=None, ASIGN=None)
    zero = draws[(below == 0) & above["NLR"].notna()]
    return frame[values.columns], tuple(_zero(row) for _, row in zero.iterrows())


def _draws(values: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """Return one row per participant and draw with one column per count; of several results the last."""
    keys = ["USUBJID", "DRAW"]
    rows = values[values["PARAMCD"].isin(codes) & values["AVAL"].notna() & values["DRAW"].notna()]
    last = ordered(rows, [*keys, "PARAMCD", "SRCSEQ"]).drop_duplicates([*keys, "PARAMCD"], keep="last")
    wide = last.pivot(index=keys, columns="PARAMCD", values="AVAL").reindex(columns=list(codes))
    denominator = last[last["PARAMCD"] == shipped_data("laboratory")["denominator"]]
    about = denominator.drop(columns=["PARAMCD", "PARAM", "AVAL"])
    wide.columns.name = None
    draws: pd.DataFrame = about.merge(wide.reset_index(), on=keys, how="left", validate="1:1")
    return draws


def _zero(row: pd.Series) -> Finding:
    return Finding(
        "SUB-RATIO",
        "warn",
        "LB",
        "lymphocytes are 0, a ratio over them does not exist; check the count",
        subject=str(row["USUBJID"]),
        key=(row["SRCSEQ"] or "",),
        variable="LBSTRESN",
        value="0",
        expected="> 0",
        effect=("T 14.2.4.7",),
    )
