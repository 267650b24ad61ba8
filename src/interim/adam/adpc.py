"""ADPC: one row per cellular-kinetics sample with actual and nominal times, state and use."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adex import product_of
from interim.adam.adpc_findings import RULES, empty_findings, profile_marks, sample_findings
from interim.adam.adpc_state import with_state
from interim.adam.derived import Derived
from interim.adam.kinetic_columns import code_column, days_from, flag_column
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
from interim.study import Study

PROFILE = ["USUBJID", "PARAMCD", "ASPEC", "AVALU"]
COLUMNS = [
    *PROFILE,
    "PARAM",
    "PRODUCT",
    "ROLE",
    "PCMETHOD",
    "ADT",
    "ADTM",
    "ACYCLE",
    "ATPT",
    "NTIME",
    "REFCYC",
    "AFRLT",
    "ARRLT",
    "NFRLT",
    "AVAL",
    "AVALC",
    "ALLOQ",
    "REPORTED",
    "DTYPE",
    "STATE",
    "BLQFL",
    "PREDFL",
    "TIMEFL",
    "WINFL",
    "ANL01FL",
    "EXCLRS",
    "PROFRS",
    "PROFFL",
    "VISITNUM",
    "VISIT",
    "SRCDOM",
    "SRCSEQ",
]
_DURATION = re.compile(
    r"(-?)P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+)M)?)?"
)
_CYCLE = r"C(\d+)\s*D"
_SAME = 1e-9


def duration_days_of(text: str | None) -> float:
    """Return an ISO 8601 duration in days.

    Parameters
    ----------
    text : str or None
        For example ``P7D`` or ``PT4H``.

    Returns
    -------
    float
        NaN if it is none.

    Raises
    ------
    None

    Examples
    --------
    >>> duration_days_of("P1W"), duration_days_of("PT6H"), duration_days_of("-PT30M")
    (7.0, 0.25, -0.020833333333333332)
    """
    match = _DURATION.fullmatch(text.strip()) if text else None
    if match is None or not any(match.groups()[1:]):
        return float("nan")
    week, day, hour, minute = (float(part) if part else 0.0 for part in match.groups()[1:])
    return (-1.0 if match[1] else 1.0) * (7 * week + day + hour / 24 + minute / 1440)


def derive_adpc(sdtm: Sdtm, adsl: pd.DataFrame, *, adex: pd.DataFrame, study: Study) -> Derived:
    """Derive the samples of cellular kinetics.

    Parameters
    ----------
    sdtm : Sdtm
        PC.
    adsl : pandas.DataFrame
        Who is kept; consent, death and cut-off dates.
    adex : pandas.DataFrame
        Infusions: the clocks.
    study : Study
        Table ``kinetics`` and products.

    Returns
    -------
    Derived
        Key SRCSEQ; PRODUCT, ACYCLE; times in days from the first infusion of the product (AFRLT) and of the cycle (ARRLT),
        nominal times (NTIME as collected, from the infusion of cycle REFCYC; NFRLT on the clock of AFRLT); STATE QUANT, BLQ, DNQ, NEG or NOT DONE; AVAL only
        where quantified (the upper limit where DTYPE is ULOQ), REPORTED the number beside a detected value, AVALC as
        collected; ANL01FL = Y enters profiles, else EXCLRS; PROFRS why a whole profile has no parameters, PROFFL what a
        reader should know of it; findings CK-*.

    Raises
    ------
    None

    Notes
    -----
    The collected value is never overwritten. A sample up to ``kinetics.predose_zero_h`` before the first infusion has time 0.
    """
    source = sdtm.domain("PC")
    source = source[source["USUBJID"].isin(adsl["USUBJID"])].reset_index(drop=True)
    rows = _values(source, study)
    rows = _with_times(rows, adex, study)
    rows = _with_use(rows, adsl, study)
    rows = ordered(rows, ["USUBJID", "PARAMCD", "ASPEC", "AVALU", "AFRLT", "SRCSEQ"])
    rows, doubled = _duplicates(rows, study)
    rows = _with_profile(rows, doubled)
    rows = rows.assign(PROFFL=profile_marks(rows, study))
    rules = tuple((rule, severity, "run") for rule, severity in RULES)
    found = (*sample_findings(rows, study), *empty_findings(rows, adex))
    return Derived(text_missing(rows[COLUMNS]), tuple(sorted(found, key=lambda f: f.order)), rules)


def _values(source: pd.DataFrame, study: Study) -> pd.DataFrame:
    words = shipped_data("kinetics")
    code, dates = text_column(source, "PCTESTCD"), date_columns(source, "PCDTC")
    collected = source.get("PCSTRESC", pd.Series(None, index=source.index, dtype=object))
    collected = collected.where(collected.notna(), source.get("PCORRES")).astype(object)
    product = _products(source, code, study)
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "PARAMCD": code,
            "PARAM": source.get("PCTEST", code),
            "PRODUCT": product.map(lambda p: p.id if p else None).astype(object),
            "ROLE": product.map(lambda p: p.role if p else None).astype(object),
            "ASPEC": text_column(source, "PCSPEC"),
            "PCMETHOD": text_column(source, "PCMETHOD"),
            "AVALU": source.get("PCSTRESU", source.get("PCORRESU")),
            "AVALC": collected,
            "ALLOQ": number_column(source, "PCLLOQ"),
            "LLOD": number_column(source, "PCLLOD"),
            "AULOQ": number_column(source, "PCULOQ"),
            "DILUTED": number_column(source, "DILUTION") > 1,
            "DELIVERED": np.arange(len(source)),
            "ADT": dates["DT"],
            "ADTM": dates["DTM"],
            "ATPT": source.get("PCTPT"),
            "NTIME": _nominal(source),
            "REFCYC": pd.to_numeric(_reference(source), errors="coerce").astype("float64"),
            "PREDFL": text_column(source, "PCTPT").isin(list(words["pre_dose"])),
            "NOTDONE": text_column(source, "PCSTAT").isin(list(words["not_done"])),
            "VISITNUM": number_column(source, "VISITNUM"),
            "VISIT": source.get("VISIT"),
            "NUMBER": number_column(source, "PCSTRESN"),
        },
        index=source.index,
    ).join(source_of(source, "PC"))
    return with_state(frame)


def _products(source: pd.DataFrame, code: pd.Series, study: Study) -> pd.Series:
    """Return the product of each sample: named in PCCAT, else by the test."""
    roles = shipped_data("kinetics")["tests"]
    named = text_column(source, "PCCAT").map(lambda text: product_of(text, study.products))
    answer = []
    for product, test in zip(named, code, strict=True):
        by_test = study.with_role(roles[test]) if test in roles else ()
        answer.append(product or next(iter(by_test), None))
    return pd.Series(answer, index=source.index, dtype=object)


def _nominal(source: pd.DataFrame) -> pd.Series:
    elapsed = text_column(source, "PCELTM").map(duration_days_of).astype("float64")
    return elapsed.fillna(number_column(source, "PCTPTNUM"))


def _reference(source: pd.DataFrame) -> pd.Series:
    return text_column(source, "PCTPTREF").fillna("").astype(str).str.extract(_CYCLE, expand=False)


def clocks(adex: pd.DataFrame) -> pd.DataFrame:
    """Return the clocks of each participant, product and cycle.

    Parameters
    ----------
    adex : pandas.DataFrame
        ADEX.

    Returns
    -------
    pandas.DataFrame
        USUBJID, PRODUCT, ACYCLE; START first infusion of the cycle, LASTINF end of its last, FIRST first infusion of the
        product (datetime64); TIMED whether all starts have a time; DOSE cells, DOSEKG cells per kg summed over the cycle.

    Raises
    ------
    None
    """
    moment = adex["ASTDTM"].fillna(adex["ASTDT"])
    end = adex["AENDTM"].fillna(moment)
    rows = adex.assign(START=moment, LASTINF=end, TIMED=adex["ASTDTM"].notna())
    grouped = rows.groupby(["USUBJID", "PRODUCT", "ACYCLE"], sort=True, dropna=True)
    answer = grouped.agg(
        START=("START", "min"),
        LASTINF=("LASTINF", "max"),
        TIMED=("TIMED", "all"),
        DOSE=("ADOSE", lambda v: v.sum(skipna=False)),
        DOSEKG=("DOSEKG", lambda v: v.sum(skipna=False)),
    ).reset_index()
    first = answer.groupby(["USUBJID", "PRODUCT"])["START"].transform("min")
    return answer.assign(FIRST=first)


def _with_times(rows: pd.DataFrame, adex: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Add AFRLT, ARRLT, NFRLT and the cycle by time."""
    table = clocks(adex)
    first = table.drop_duplicates(["USUBJID", "PRODUCT"])[["USUBJID", "PRODUCT", "FIRST", "TIMED"]]
    rows = rows.merge(first, on=["USUBJID", "PRODUCT"], how="left", validate="m:1")
    starts = table.rename(columns={"ACYCLE": "REFCYC", "START": "REFSTART"})
    keys = ["USUBJID", "PRODUCT", "REFCYC"]
    rows = rows.merge(starts[[*keys, "REFSTART"]], on=keys, how="left", validate="m:1")
    offset = days_from(rows["REFSTART"], rows["FIRST"]).fillna(0.0)
    nominal = rows["NTIME"] + offset
    timed = rows["ADTM"].notna() & rows["TIMED"].eq(True)
    actual = days_from(rows["ADTM"], rows["FIRST"])
    by_date = days_from(rows["ADT"], rows["FIRST"].dt.normalize())
    opens = rows["PREDFL"] & (rows["ADT"] == rows["REFSTART"].dt.normalize())
    by_date = by_date.mask(opens, np.minimum(by_date, offset))
    untimed = nominal.where(nominal.notna() & ~rows["PREDFL"], by_date)
    time = actual.where(timed, untimed).where(rows["ADT"].notna() & rows["FIRST"].notna())
    if study.kinetics.day0_predose:
        time = time.mask(~timed & (by_date == 0), 0.0)
    zero = (time < 0) & (time >= -study.kinetics.predose_zero_h / 24.0)
    rows = rows.assign(
        AFRLT=time.mask(zero, 0.0).astype("float64"),
        RAWTIME=time.astype("float64"),
        NFRLT=nominal.where(rows["FIRST"].notna()).astype("float64"),
        TIMEFL=_flag(~timed & time.notna()),
    )
    return _with_cycle(rows, table)


def _with_cycle(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Add the cycle in which a sample was drawn; one drawn before the first infusion belongs to the first cycle."""
    begins = table.assign(OFFSET=days_from(table["START"], table["FIRST"]))
    pairs = rows[["USUBJID", "PRODUCT", "AFRLT"]].rename_axis("ROW").reset_index()
    pairs = pairs.merge(
        begins[["USUBJID", "PRODUCT", "ACYCLE", "OFFSET"]], on=["USUBJID", "PRODUCT"], validate="m:m"
    )
    pairs = pairs[(pairs["OFFSET"] <= pairs["AFRLT"]) | (pairs["OFFSET"] == 0)]
    last = (
        pairs.sort_values(["ROW", "OFFSET"], kind="stable")
        .drop_duplicates("ROW", keep="last")
        .set_index("ROW")
    )
    cycle = last["ACYCLE"].reindex(rows.index).astype("float64")
    return rows.assign(
        ACYCLE=cycle, ARRLT=rows["AFRLT"] - last["OFFSET"].reindex(rows.index).astype("float64")
    )


def _flag(condition: pd.Series) -> pd.Series:
    return flag_column(condition, condition.index)


def tolerance(nominal: pd.Series, study: Study) -> pd.Series:
    """Return the permitted difference of actual and nominal time.

    Parameters
    ----------
    nominal : pandas.Series of float
        Nominal days.
    study : Study
        ``kinetics.visit_windows``; without it the shipped windows.

    Returns
    -------
    pandas.Series of float
        Days; NaN where the nominal time is missing.

    Raises
    ------
    None
    """
    own = study.kinetics.visit_windows
    shipped = shipped_data("kinetics")["visit_windows"]
    windows = (
        [(w.until, w.tolerance, 0.0) for w in own]
        if own
        else [(w["until"], w["tolerance"], w["share"]) for w in shipped]
    )
    answer = pd.Series(np.nan, index=nominal.index)
    for until, days, share in sorted(windows, reverse=True):
        answer = answer.mask(nominal < until, np.maximum(days, share * nominal.abs()))
    return answer


def _with_use(rows: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Add ANL01FL and, where it is not Y, the reason EXCLRS; samples outside their visit window are kept and flagged."""
    dates = {name: by_subject(rows, adsl, name) for name in ("RFICDT", "DTHDT", "DCUTDT") if name in adsl}
    early = rows["ADT"] < dates["RFICDT"] if "RFICDT" in dates else rows["ADT"].isna() & False
    late = rows["ADT"].isna() & False
    for name in ("DTHDT", "DCUTDT"):
        if name in dates:
            late = late | (rows["ADT"] > dates[name])
    blood = rows["ASPEC"].isin(list(shipped_data("kinetics")["blood"]))
    choices: list[tuple[Any, str]] = [
        (rows["STATE"] == "NOT DONE", "NOT_DONE"),
        (rows["PRODUCT"].isna() | rows["FIRST"].isna(), "NO_DOSE"),
        (rows["ADT"].isna(), "NO_DATE"),
        (early, "BEFORE_CONSENT"),
        (late, "AFTER_DEATH_OR_CUT"),
        (rows["AFRLT"] < 0, "PREDOSE_EARLY"),
        (~blood, "NOT_BLOOD"),
    ]
    reason = np.select([flag.to_numpy(dtype=bool) for flag, _ in choices], [text for _, text in choices], "")
    off = (rows["RAWTIME"] - rows["NFRLT"]).abs() > tolerance(rows["NFRLT"], study) + _SAME
    return rows.assign(
        WINFL=_flag(off & ~rows["PREDFL"]),
        EXCLRS=code_column(reason, rows.index),
        ANL01FL=flag_column(reason == "", rows.index, no="N"),
        PREDFL=_flag(rows["PREDFL"]),
    )


def _duplicates(rows: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, pd.Series]:
    """Resolve samples at the same time by ``kinetics.duplicate_rule``; return also which rows are doubled."""
    used = rows["ANL01FL"] == "Y"
    keys = [*PROFILE, "AFRLT"]
    doubled = used & rows[used].duplicated(keys, keep=False).reindex(rows.index, fill_value=False)
    if study.kinetics.duplicate_rule == "error" or not doubled.any():
        return rows.assign(DOUBLE=doubled), doubled & (study.kinetics.duplicate_rule == "error")
    later = doubled & rows[doubled].duplicated(keys, keep="first").reindex(rows.index, fill_value=False)
    if study.kinetics.duplicate_rule == "mean":
        mean = rows[doubled].groupby(keys, dropna=False)["AVAL"].transform("mean").reindex(rows.index)
        known = doubled & ~later & mean.notna() & rows["STATE"].ne("BAD")
        rows = rows.assign(
            AVAL=rows["AVAL"].mask(known, mean),
            STATE=rows["STATE"].mask(known, "QUANT"),
            BLQFL=rows["BLQFL"].mask(known, None),
        )
    rows = rows.assign(
        ANL01FL=rows["ANL01FL"].mask(later, "N"),
        EXCLRS=rows["EXCLRS"].mask(later, "DUPLICATE"),
        DOUBLE=doubled,
    )
    return rows, doubled & False


def _with_profile(rows: pd.DataFrame, doubled: pd.Series) -> pd.DataFrame:
    """Add why no parameter of the profile can be derived."""
    used = rows["ANL01FL"] == "Y"
    keys = [rows[name] for name in PROFILE]
    bad = (used & (rows["STATE"] == "BAD")).groupby(keys, dropna=False).transform("any")
    twice = doubled.groupby(keys, dropna=False).transform("any")
    known = rows.where(used)
    units = known.groupby([rows[name] for name in PROFILE[:3]], dropna=False)["AVALU"].transform("nunique")
    choices: list[tuple[Any, str]] = [
        (rows["EXCLRS"] == "NO_DOSE", "NO_DOSE"),
        (units > 1, "UNIT_MIXED"),
        (bad, "BAD_INPUT"),
        (twice, "DUPLICATE"),
    ]
    reason = np.select(
        [np.asarray(flag, dtype=bool) for flag, _ in choices], [text for _, text in choices], ""
    )
    return rows.assign(PROFRS=code_column(reason, rows.index))
