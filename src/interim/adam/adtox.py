"""The titration trigger: which events end the titration, under any reading of its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.adam.adae_attributes import scale_grade
from interim.adam.source import by_subject
from interim.study.dosing import TriggerTable

_RELATION = {
    "CARNK": "RELNK",
    "CART": "RELCART",
    "HAI_PROCEDURE": "RELPROC",
    "LYMPHODEPLETION": "RELLYMPHODEP",
}
_NOT_ON_TREATMENT = ("TE-NOTRT", "TE-BEFORE", "TE-PRE")


def trigger_events(adae: pd.DataFrame, windows: pd.DataFrame, trigger: TriggerTable) -> pd.Series:
    """Tell which events are a titration trigger.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE: APHASE, ASTDT, grades, relation flags, CRSFL, TRTEMRS, DLTFL; the bounds of the derived grades ASTLO, ASTHI,
        CTCLO, CTCHI where signs were assessed.
    windows : pandas.DataFrame
        As `interim.adam.dlt.dlt_windows` gives them.
    trigger : TriggerTable
        One reading of the trigger.

    Returns
    -------
    pandas.Series of object
        Same index: Y, N, or None where it depends on an answer to a query.

    Raises
    ------
    None

    Notes
    -----
    CRS needs no relation. With ``exclude_baseline_grade`` an event on or below its grade at the first dose is none. What is
    missing counts as ``missing_grade`` and ``missing_relatedness`` say. Every DLT is a trigger. ``grade_source`` max takes the
    higher of the reported grade and the upper bound of the derived one, derived the lower bound.
    """
    timely = _in_time(adae, windows, trigger)
    dlt = adae["DLTFL"] == "Y"
    yes = timely & _candidates(
        adae,
        trigger,
        related=trigger.missing_relatedness == "related",
        graded=trigger.missing_grade == "trigger",
    )
    possible = timely & _candidates(
        adae,
        trigger,
        related=trigger.missing_relatedness != "unrelated",
        graded=trigger.missing_grade != "no_trigger",
    )
    answer = (yes | dlt).map({True: "Y", False: "N"}).astype(object)
    return answer.where(~possible | yes | dlt, None)


def _in_time(adae: pd.DataFrame, windows: pd.DataFrame, trigger: TriggerTable) -> pd.Series:
    """Tell which events began on treatment, in one of the phases, and not after the end of the window."""
    ends = by_subject(adae, windows, "DLTWEDT")
    late = (adae["ASTDT"] > ends) & (trigger.window_end == "dlt_window_end")
    in_phase = adae["APHASE"].isin(list(trigger.phases)) | adae["ASTDT"].isna()
    return ~late & in_phase & ~adae["TRTEMRS"].isin(_NOT_ON_TREATMENT)


def _candidates(adae: pd.DataFrame, trigger: TriggerTable, *, related: bool, graded: bool) -> pd.Series:
    """Tell which events have the grade and the relation; ``related`` and ``graded`` say what a missing one counts as."""

    def reaches(grade: pd.Series, lowest: int) -> pd.Series:
        return (grade >= lowest) | (grade.isna() & graded)

    crs = adae["CRSFL"] == "Y"
    caused = pd.concat([adae[_RELATION[cause]] == "Y" for cause in trigger.related_to], axis=1).any(axis=1)
    caused = caused.where(adae["RELMISFL"] != "Y", related)
    hit = (crs & reaches(crs_grade(adae, trigger), trigger.crs_min_grade)) | (
        ~crs & caused & reaches(adae["AETOXGRN"], trigger.related_ae_min_grade)
    )
    at_baseline = (adae["AETOXGRN"] <= adae["AEITOXGN"]) & trigger.exclude_baseline_grade
    return hit & ~at_baseline


def crs_grade(adae: pd.DataFrame, trigger: TriggerTable) -> pd.Series:
    """Return the grade of cytokine release that decides about the trigger.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE with or without the bounds of the derived grades.
    trigger : TriggerTable
        ``crs_scale``, ``grade_source``.

    Returns
    -------
    pandas.Series of float64
        Same index; NaN if there is none.

    Raises
    ------
    None
    """
    reported = scale_grade(adae, trigger.crs_scale)
    if trigger.grade_source == "reported":
        return reported
    if trigger.grade_source == "derived":
        return _derived(adae, trigger.crs_scale, "LO")
    return pd.concat([reported, _derived(adae, trigger.crs_scale, "HI")], axis=1).max(axis=1)


def _derived(adae: pd.DataFrame, scale: str, bound: str) -> pd.Series:
    names = {"ctcae5": ["CTC"], "astct2019": ["AST"], "either": ["CTC", "AST"]}[scale]
    columns = [f"{name}{bound}" for name in names if f"{name}{bound}" in adae]
    if not columns:
        return pd.Series(np.nan, index=adae.index)
    return adae[columns].max(axis=1).astype("float64")
