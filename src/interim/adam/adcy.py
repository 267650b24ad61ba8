"""ADCY: cytokine values on the clocks of both products, and ADCYPP: what each course says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from interim.adam.kinetic_columns import code_column, days_from
from interim.adam.source import by_subject, date_columns, ordered, shipped_data, text_column, text_missing
from interim.stats.nca_cytokine import Cytokine, cytokine
from interim.stats.nca_profile import profiles

COURSE = ["USUBJID", "PARAMCD", "BASETYPE"]
VALUES = [
    *COURSE,
    "PARAM",
    "ADT",
    "ADTM",
    "DAY",
    "AVAL",
    "AVALU",
    "AVALC",
    "DTYPE",
    "BASE",
    "LOG2FOLD",
    "FLAGS",
    "SRCDOM",
    "SRCSEQ",
]
PARAMETERS = [*COURSE, "PARAM", "STAT", "AVAL", "AVALU", "REASON", "FLAGS", "NBLQ"]
_STARTS = {"NK": ("TRTSNKM", "TRTSNK"), "CART": ("TRTSCTM", "TRTSCT")}


@dataclass(frozen=True)
class Cytokines:
    """Values and parameters of the cytokine panel.

    Attributes
    ----------
    values : pandas.DataFrame
        ADCY: one row per result and base type; AVAL with half the lower limit, or the upper limit, where DTYPE says so.
    parameters : pandas.DataFrame
        ADCYPP: one row per course and statistic (BASE, PEAK, TPEAK, FOLD, LOG2FOLD, AUC, AUCABL, LAST, TLAST, TBACK, NPOST).
    """

    values: pd.DataFrame
    parameters: pd.DataFrame


def derive_adcy(adlb: pd.DataFrame, adsl: pd.DataFrame, *, cm: pd.DataFrame | None = None) -> Cytokines:
    """Derive the cytokine courses.

    Parameters
    ----------
    adlb : pandas.DataFrame
        ADLB.
    adsl : pandas.DataFrame
        First infusions of both products.
    cm : pandas.DataFrame, optional
        Medications: interleukin-6 after tocilizumab, C-reactive protein and ferritin after a corticosteroid are flagged.

    Returns
    -------
    Cytokines
        Two baselines, each the last value at or before the first infusion of its product.

    Raises
    ------
    None
    """
    words = shipped_data("kinetics")["cytokines"]
    chosen = adlb["PARAMCD"].isin(list(words["panel"])) & adlb["BASETYPE"].isin(list(_STARTS))
    rows = adlb[chosen & (adlb["AVAL"].notna() | adlb["ASIGN"].notna())].reset_index(drop=True)
    rows = rows.assign(DAY=_days(rows, adsl))
    rows = rows[rows["DAY"].notna()]
    rows = ordered(rows, [*COURSE, "DAY", "SRCSEQ"])
    if rows.empty:
        return Cytokines(pd.DataFrame(columns=VALUES), pd.DataFrame(columns=PARAMETERS))
    rows["COURSE"] = rows.groupby(COURSE, sort=True).ngroup()
    rows["FLAGS"] = _after_medicine(rows, cm)
    found = _analysed(rows, words)
    return Cytokines(_values(rows, found), _parameters(rows, found))


def _days(rows: pd.DataFrame, adsl: pd.DataFrame) -> pd.Series:
    """Return days from the first infusion of the base type's product; untimed results on its day are at day 0."""
    answer = pd.Series(np.nan, index=rows.index)
    for name, (moment, day) in _STARTS.items():
        if day not in adsl:
            continue
        date = by_subject(rows, adsl, day)
        instant = by_subject(rows, adsl, moment) if moment in adsl else date.where(date.isna())
        timed = days_from(rows["ADTM"], instant)
        whole = days_from(rows["ADT"], date)
        answer = answer.where(rows["BASETYPE"] != name, timed.fillna(whole).astype("float64"))
    return answer


def _after_medicine(rows: pd.DataFrame, cm: pd.DataFrame | None) -> pd.Series:
    """Return AFTER_<medicine> for results at or after a medicine that changes the analyte."""
    flags = pd.Series("", index=rows.index, dtype=object)
    if cm is None or not len(cm):
        return flags
    names = text_column(cm, "CMDECOD").fillna(text_column(cm, "CMTRT")).fillna("").astype(str)
    begins = date_columns(cm, "CMSTDTC")["START"]
    for medicine, analytes in shipped_data("kinetics")["cytokines"]["after"].items():
        hit = names.str.contains(rf"\b{medicine}\b") & begins.notna()
        first = pd.DataFrame({"USUBJID": cm["USUBJID"], "T": begins})[hit].groupby("USUBJID")["T"].min()
        when = pd.Series(first.reindex(rows["USUBJID"]).to_numpy(), index=rows.index)
        late = rows["PARAMCD"].isin(list(analytes)) & (rows["ADTM"].fillna(rows["ADT"]) >= when)
        flags = flags.where(~late, flags + ";AFTER_" + medicine)
    return flags.str.lstrip(";")


def _analysed(rows: pd.DataFrame, words: dict[str, float]) -> Cytokine:
    low, high = rows["ASIGN"].eq("<").to_numpy(), rows["ASIGN"].eq(">").to_numpy()
    limit = rows["ALIMIT"].to_numpy(dtype=np.float64)
    samples = profiles(
        rows["COURSE"].to_numpy(),
        rows["DAY"].to_numpy(),
        value=rows["AVAL"].where(~(low | high)).to_numpy(dtype=np.float64),
        lloq=np.where(low, limit, 0.0),
    )
    place = samples.place
    upper = np.where(place >= 0, np.where(high, limit, np.inf)[place], np.inf)
    above = np.where(place >= 0, high[place], False)
    return cytokine(samples, uloq=upper, above=above, end=words["end_day"], back=words["back"])


def _values(rows: pd.DataFrame, found: Cytokine) -> pd.DataFrame:
    low, high = rows["ASIGN"] == "<", rows["ASIGN"] == ">"
    value = rows["AVAL"].mask(low, rows["ALIMIT"] / 2.0).mask(high, rows["ALIMIT"])
    base = pd.Series(found.baseline[rows["COURSE"].to_numpy()], index=rows.index)
    usable = (value > 0) & (base > 0)
    ratio = (value / base.where(usable)).where(usable)
    kind = np.select([low, high], ["HALFLLOQ", "ULOQ"], "")
    frame = rows.assign(
        AVAL=value,
        BASE=base,
        LOG2FOLD=np.log2(ratio),
        DTYPE=code_column(kind, rows.index),
        FLAGS=rows["FLAGS"].where(rows["FLAGS"] != "", None).astype(object),
    )
    return text_missing(frame[VALUES])


def _parameters(rows: pd.DataFrame, found: Cytokine) -> pd.DataFrame:
    keys = rows.drop_duplicates("COURSE")[["COURSE", *COURSE, "PARAM", "AVALU"]].sort_values("COURSE")
    keys = keys.reset_index(drop=True)
    above = np.where(found.capped, "ABOVE_ULOQ", "")
    marks = rows.groupby("COURSE")["FLAGS"].agg(lambda texts: ";".join(sorted(set(filter(None, texts)))))
    flags = [";".join(filter(None, pair)) or None for pair in zip(above, marks, strict=True)]
    statistics = {
        "BASE": (found.baseline, ""),
        "PEAK": (found.peak, ""),
        "TPEAK": (found.tpeak, "day"),
        "FOLD": (found.fold, "ratio"),
        "LOG2FOLD": (found.log2_fold, "log2 ratio"),
        "AUC": (found.auc, "day*"),
        "AUCABL": (found.auc_above, "day*"),
        "LAST": (found.last, ""),
        "TLAST": (found.tlast, "day"),
        "TBACK": (found.t_back, "day"),
        "NPOST": (found.n_post.astype(float), "results"),
    }
    parts = []
    for name, (value, unit) in statistics.items():
        missing = np.where(found.reason == "", "NOT_REACHED" if name == "TBACK" else "NO_VALUE", found.reason)
        parts.append(
            keys.assign(
                STAT=name,
                AVAL=value,
                AVALU=keys["AVALU"].astype(str).radd(unit) if unit in ("", "day*") else unit,
                REASON=code_column(np.where(np.isnan(value), missing, ""), keys.index),
                FLAGS=pd.Series(flags, dtype=object),
                NBLQ=found.n_blq.astype(float),
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    return text_missing(ordered(frame, [*COURSE, "STAT"])[PARAMETERS])
