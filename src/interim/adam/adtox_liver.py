"""Liver panel: values after the first infusion as multiples of the upper limit and of the baseline, per participant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.ctcae.grade import significant
from interim.adam.source import by_subject, text_missing
from interim.adam.toxicity.liver import hys_law, quadrant, r_ratio, window_after_infusion
from interim.study import Study

AMINOTRANSFERASES = ("ALT", "AST")
ANALYTES = (*AMINOTRANSFERASES, "ALP", "BILI")
_LATER = "CART"
_HEPATIC_ROUTE = "INTRA-ARTERIAL"


def liver_panel(
    adlb: pd.DataFrame,
    adsl: pd.DataFrame,
    *,
    study: Study,
    adex: pd.DataFrame | None = None,
    analytes: Sequence[str] = ANALYTES,
) -> pd.DataFrame:
    """Return the liver values after the first infusion.

    Parameters
    ----------
    adlb : pandas.DataFrame
        ADLB.
    adsl : pandas.DataFrame
        ADSL: first infusions.
    study : Study
        ``toxicity.liver_baseline``, ``toxicity.hai_windows``.
    adex : pandas.DataFrame, optional
        ADEX: hepatic-artery infusions.
    analytes : sequence of str
        Which; INR as well in the listing.

    Returns
    -------
    pandas.DataFrame
        USUBJID, PARAMCD, AVAL, AVALU, ADT, DAY (days from the first infusion), XULN, XBASE (NaN without limit or
        baseline), BNRIND, WINDOW (after the latest hepatic-artery infusion; None before or without one), SRCSEQ.

    Raises
    ------
    None
    """
    later = study.toxicity.liver_baseline == "cart"
    wanted = _LATER if later and (adlb["BASETYPE"] == _LATER).any() else first_base_type(study)
    rows = adlb[
        adlb["PARAMCD"].isin(list(analytes))
        & (adlb["BASETYPE"] == wanted)
        & adlb["ADT"].notna()
        & (adlb["ABLFL"] != "Y")
        & adlb["AVAL"].notna()
    ]
    day = (rows["ADT"] - by_subject(rows, adsl, "TRTSDT")).dt.days
    after = (day >= 0) & (rows["ONTRTFL"].notna() | (day > 0))
    frame = rows.assign(
        AVALU=rows.get("AVALU"),
        DAY=day,
        XULN=_multiple(rows, "ANRHI"),
        XBASE=_multiple(rows, "BASE"),
        WINDOW=_windows(rows, adex, study),
    )[after.fillna(False)]
    names = [
        "USUBJID",
        "PARAMCD",
        "AVAL",
        "AVALU",
        "ADT",
        "DAY",
        "XULN",
        "XBASE",
        "BNRIND",
        "WINDOW",
        "SRCSEQ",
    ]
    return text_missing(frame[names].astype({"DAY": int}).reset_index(drop=True))


def _multiple(rows: pd.DataFrame, limit: str) -> pd.Series:
    """Return multiples of a limit; rounded, for 0.3 / 0.1 is not 3 in binary numbers."""
    ratio = rows["AVAL"] / rows[limit].where(rows[limit] > 0)
    return pd.Series(significant(ratio.to_numpy(dtype=np.float64)), index=rows.index)


def _windows(rows: pd.DataFrame, adex: pd.DataFrame | None, study: Study) -> pd.Series:
    answer = pd.Series(None, index=rows.index, dtype=object)
    if adex is None or "ROUTE" not in adex:
        return answer
    given = adex.loc[adex["ROUTE"].astype(object) == _HEPATIC_ROUTE, ["USUBJID", "ASTDT"]]
    onset = rows[["USUBJID", "ADT"]].rename_axis("ROW").reset_index()
    pairs = onset.merge(given.drop_duplicates(), on="USUBJID", how="inner", validate="m:m")
    pairs = pairs[pairs["ASTDT"] <= pairs["ADT"]]
    days = (pairs["ADT"] - pairs["ASTDT"]).dt.days.groupby(pairs["ROW"]).min()
    ends = study.toxicity.hai_windows
    answer[days.index] = [window_after_infusion(int(value), ends) for value in days]
    return answer


def liver_summary(panel: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return peaks and Hy's law candidates of each participant.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `liver_panel` gives it.
    study : Study
        ``[toxicity]``.

    Returns
    -------
    pandas.DataFrame
        USUBJID, ATPEAK, BILIPEAK (x ULN), ATPEAKB, BILIPEAKB (x baseline), GAPDAYS (days between the peaks), QUADRANT, HYSFL,
        HYSRS, MHYSFL (with multiples of baseline), MHYSRS, RRATIO (at the first high aminotransferase); flags are None where a limit or baseline is missing that could
        make a candidate (ULN_MISSING, BASELINE_MISSING), peaks NaN without a value.

    Raises
    ------
    None
    """
    rows = []
    for subject, part in panel.groupby("USUBJID", sort=True):
        at, bilirubin = part[part["PARAMCD"].isin(AMINOTRANSFERASES)], part[part["PARAMCD"] == "BILI"]
        plain = hys_law(part, study.toxicity)
        adjusted = hys_law(part, study.toxicity, variant="baseline")
        peaks = at["XULN"].max(), bilirubin["XULN"].max()
        known = not np.isnan(peaks).any()
        rows.append(
            {
                "USUBJID": subject,
                "ATPEAK": peaks[0],
                "BILIPEAK": peaks[1],
                "ATPEAKB": at["XBASE"].max(),
                "BILIPEAKB": bilirubin["XBASE"].max(),
                "GAPDAYS": abs(_peak_day(at) - _peak_day(bilirubin)) if known else np.nan,
                "QUADRANT": quadrant(peaks[0], peaks[1], study.toxicity) if known else None,
                "HYSFL": plain.flag,
                "HYSRS": plain.reason,
                "MHYSFL": adjusted.flag,
                "MHYSRS": adjusted.reason,
                "RRATIO": _first_ratio(part, at[at["XULN"] >= study.toxicity.hys_at]),
            }
        )
    names = ["USUBJID", "ATPEAK", "BILIPEAK", "ATPEAKB", "BILIPEAKB", "GAPDAYS", "QUADRANT"]
    return pd.DataFrame(rows, columns=[*names, "HYSFL", "HYSRS", "MHYSFL", "MHYSRS", "RRATIO"])


def _first_ratio(part: pd.DataFrame, high: pd.DataFrame) -> float:
    """Return R on the day of the first high aminotransferase; NaN without one or without ALP."""
    ratio = None if high.empty else r_ratio(part, int(high["DAY"].min()))
    return np.nan if ratio is None else ratio


def _peak_day(rows: pd.DataFrame) -> int:
    return int(rows.sort_values(["XULN", "DAY"], ascending=[False, True], kind="stable")["DAY"].iloc[0])
