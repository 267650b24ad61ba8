"""ADLB: one row per laboratory result and base type, with canonical unit, baseline, change, range indicator and grade."""

from __future__ import annotations

import pandas as pd

from interim.adam.adae_phase import phase_of, phase_starts
from interim.adam.adlb_derived import derived_parameters
from interim.adam.adlb_grade import GRADE_COLUMNS, flag_worst, grade_results
from interim.adam.adlb_value import laboratory_values
from interim.adam.derived import Derived
from interim.adam.source import by_subject, ordered, shipped_data, text_missing
from interim.data.model import Sdtm
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
    "ONTRTFL",
    "APHASE",
    *GRADE_COLUMNS,
    "LBORRES",
    "LBORRESU",
    "LBORNRLO",
    "LBORNRHI",
    "SRCDOM",
    "SRCSEQ",
]
_KEYS = ("USUBJID", "PARAMCD", "BASETYPE")
_STARTS = {"nk": ("TRTSNK", "TRTSNKM"), "t": ("TRTSCT", "TRTSCTM"), "other": ("TRTSDT", "TRTSDTM")}


def derive_adlb(sdtm: Sdtm, adsl: pd.DataFrame, *, study: Study, adex: pd.DataFrame | None = None) -> Derived:
    """Derive the laboratory results.

    Parameters
    ----------
    sdtm : Sdtm
        LB.
    adsl : pandas.DataFrame
        Core of ADSL: first and last infusions, age, sex.
    study : Study
        Products, ``[labs]``, ``safety.teae_end_days``.
    adex : pandas.DataFrame, optional
        ADEX; without it APHASE is missing.

    Returns
    -------
    Derived
        Key USUBJID, PARAMCD, BASETYPE, SRCSEQ; AVAL in the canonical unit AVALU; ANRLO and ANRHI by the same factor; ABLFL
        marks the baseline of the base type (before the first infusion of that product); ratios and scores as PARAMTYP
        DERIVED; ONTRTFL from the first infusion of the base type to the end of the window; APHASE; grades as
        `interim.adam.adlb_grade.grade_results` gives them; the result as collected; findings LB-FACTOR, SUB-RATIO.

    Raises
    ------
    None

    Notes
    -----
    Baseline is the last result before the first infusion, by date-time where both are timed. On the day of the infusion a
    result without a time counts only if its time point says pre-dose.
    """
    values, findings = laboratory_values(sdtm, adsl)
    more, of_ratios = derived_parameters(values, adsl)
    rows = pd.concat([values, more], ignore_index=True) if len(more) else values
    rows = rows.assign(APHASE=phase_of_results(rows, adex, study))
    parts = [
        on_treatment(with_base(rows, adsl, name, role=role), adsl, role, study=study)
        for role, name in base_types(study).items()
    ]
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    frame = frame.join(grade_results(frame, sdtm, study=study))
    frame = ordered(frame, ["USUBJID", "PARAMCD", "BASETYPE", "ADT", "ADTM", "SRCSEQ"])
    frame = frame.join(flag_worst(frame)).rename(columns={"LBORRESN": "LBORRES"})
    rules = (("LB-FACTOR", "warn", "run"), ("SUB-RATIO", "warn", "run"))
    return Derived(text_missing(frame[COLUMNS]), (*findings, *of_ratios), rules)


def phase_of_results(rows: pd.DataFrame, adex: pd.DataFrame | None, study: Study) -> pd.Series:
    """Return the phase in which each result was obtained.

    Parameters
    ----------
    rows : pandas.DataFrame
        USUBJID, ADT, ADTM.
    adex : pandas.DataFrame or None
        ADEX.
    study : Study
        ``safety.teae_end_days``, ``toxicity.same_day_phase``.

    Returns
    -------
    pandas.Series of object
        Same index; None before the first phase, and without exposure.

    Raises
    ------
    None
    """
    if adex is None or adex.empty:
        return pd.Series(None, index=rows.index, dtype=object)
    events = rows[["USUBJID"]].assign(ASTDT=rows["ADT"], ASTDTM=rows["ADTM"])
    return phase_of(events, phase_starts(adex, study), same_day=study.toxicity.same_day_phase)["APHASE"]


def on_treatment(frame: pd.DataFrame, adsl: pd.DataFrame, role: str, *, study: Study) -> pd.DataFrame:
    """Flag the results from the first infusion of the base type to the end of the window after the last infusion.

    Parameters
    ----------
    frame : pandas.DataFrame
        USUBJID, ADT, ADTM, PREDOSE.
    adsl : pandas.DataFrame
        First infusions, TRTEDT.
    role : str
        Role of the product of the base type.
    study : Study
        ``safety.teae_end_days``.

    Returns
    -------
    pandas.DataFrame
        With ONTRTFL: Y or None.

    Raises
    ------
    None
    """
    start, moment = _STARTS[role]
    day, instant = by_subject(frame, adsl, start), by_subject(frame, adsl, moment)
    after = day.notna() & frame["ADT"].notna() & ~before_first_dose(frame, day, instant)
    days = study.safety.teae_end_days
    if days != "none":
        last = by_subject(frame, adsl, "TRTEDT") + pd.Timedelta(days, unit="D")
        after &= ~(frame["ADT"] > last)
    flag = pd.Series("Y", index=frame.index, dtype=object).where(after, None)
    return frame.assign(ONTRTFL=flag)


def first_base_type(study: Study) -> str:
    """Return the base type whose reference is the first infusion of the study.

    Parameters
    ----------
    study : Study
        Products.

    Returns
    -------
    str
        NK, or the base type of the only product.

    Raises
    ------
    None
    """
    return next(iter(base_types(study).values()))


def base_types(study: Study) -> dict[str, str]:
    """Return the base types of a study.

    Parameters
    ----------
    study : Study
        Products.

    Returns
    -------
    dict of str to str
        Role of the product -> base type, in the order of treatment.

    Raises
    ------
    None
    """
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


def with_base(
    rows: pd.DataFrame, adsl: pd.DataFrame, name: str, *, role: str, keys: tuple[str, ...] = _KEYS
) -> pd.DataFrame:
    """Return the rows of one base type with baseline and change; a later base type only for those who reached it.

    Parameters
    ----------
    rows : pandas.DataFrame
        ADT, ADTM, PREDOSE, AVAL, AVALC, ANRIND, SRCSEQ and the keys.
    adsl : pandas.DataFrame
        First infusions.
    name, role : str
        Base type, role of its product.
    keys : tuple of str
        What has a baseline of its own, BASETYPE included.

    Returns
    -------
    pandas.DataFrame
        With BASETYPE, ABLFL, BASE, BNRIND, CHG, PCHG.

    Raises
    ------
    None
    """
    start, moment = _STARTS[role]
    day, instant = by_subject(rows, adsl, start), by_subject(rows, adsl, moment)
    keep = day.notna() if role == "t" else pd.Series(True, index=rows.index)
    frame = rows[keep].assign(BASETYPE=name)
    usable = before_first_dose(rows, day, instant)[keep] & (frame["AVAL"].notna() | frame["AVALC"].notna())
    candidates = ordered(
        frame[usable].rename_axis("ROW").reset_index(), ["USUBJID", "PARAMCD", "ADT", "ADTM", "SRCSEQ"]
    )
    chosen = candidates.drop_duplicates(list(keys), keep="last")
    is_base = pd.Series(frame.index.isin(chosen["ROW"]), index=frame.index)
    frame["ABLFL"] = is_base.map({True: "Y", False: None}).astype(object)
    base = chosen[[*keys, "AVAL", "ANRIND"]].rename(columns={"AVAL": "BASE", "ANRIND": "BNRIND"})
    frame = frame.merge(base, on=list(keys), how="left", validate="m:1")
    change = frame["AVAL"] - frame["BASE"]
    return frame.assign(CHG=change, PCHG=(100 * change / frame["BASE"]).where(frame["BASE"] != 0))
