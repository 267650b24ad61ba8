"""The titration trigger: which events end the titration, under any reading of its definition."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pandas as pd

from interim.adam.adae_attributes import scale_grade
from interim.adam.source import by_subject
from interim.stats.answers import Flags, Floats
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
    timely, dlt = _in_time(adae, windows, trigger), _says(adae, "DLTFL")
    candidates = _Candidates(adae, trigger)
    yes = timely & candidates.hit(
        related=trigger.missing_relatedness == "related", graded=trigger.missing_grade == "trigger"
    )
    possible = timely & candidates.hit(
        related=trigger.missing_relatedness != "unrelated", graded=trigger.missing_grade != "no_trigger"
    )
    answer = np.where(possible, None, "N")  # type: ignore[call-overload]
    answer[yes | dlt] = "Y"
    return pd.Series(answer, index=adae.index, dtype=object)


def _says(adae: pd.DataFrame, flag: str) -> Flags:
    return (adae[flag] == "Y").to_numpy()


def _number(adae: pd.DataFrame, column: str) -> Floats:
    return adae[column].to_numpy(dtype=np.float64)


def _in_time(adae: pd.DataFrame, windows: pd.DataFrame, trigger: TriggerTable) -> Flags:
    """Tell which events began on treatment, in one of the phases, and not after the end of the window."""
    onset = adae["ASTDT"].to_numpy()
    late = (onset > by_subject(adae, windows, "DLTWEDT").to_numpy()) & (
        trigger.window_end == "dlt_window_end"
    )
    in_phase = adae["APHASE"].isin(list(trigger.phases)).to_numpy() | np.isnat(onset)
    found: Flags = ~late & in_phase & ~adae["TRTEMRS"].isin(_NOT_ON_TREATMENT).to_numpy()
    return found


class _Candidates:
    """Which events have the grade and the relation, whatever a missing one counts as."""

    def __init__(self, adae: pd.DataFrame, trigger: TriggerTable) -> None:
        self.trigger, self.crs = trigger, _says(adae, "CRSFL")
        self.caused = np.any([_says(adae, _RELATION[cause]) for cause in trigger.related_to], axis=0)
        self.unknown = _says(adae, "RELMISFL")
        self.crs_grade, self.grade = crs_grade(adae, trigger).to_numpy(), _number(adae, "AETOXGRN")
        self.at_baseline = (self.grade <= _number(adae, "AEITOXGN")) & trigger.exclude_baseline_grade

    def hit(self, *, related: bool, graded: bool) -> Flags:
        """Tell which they are; ``related`` and ``graded`` say what a missing relation and a missing grade count as."""

        def reaches(grade: Floats, lowest: int) -> Flags:
            enough: Flags = (grade >= lowest) | (np.isnan(grade) & graded)
            return enough

        caused = np.where(self.unknown, related, self.caused)
        by_crs = self.crs & reaches(self.crs_grade, self.trigger.crs_min_grade)
        by_cause = ~self.crs & caused & reaches(self.grade, self.trigger.related_ae_min_grade)
        found: Flags = (by_crs | by_cause) & ~self.at_baseline
        return found


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
    return pd.Series(np.fmax(reported, _derived(adae, trigger.crs_scale, "HI")), index=adae.index)


def _derived(adae: pd.DataFrame, scale: str, bound: str) -> pd.Series:
    names = {"ctcae5": ["CTC"], "astct2019": ["AST"], "either": ["CTC", "AST"]}[scale]
    columns = [_number(adae, f"{name}{bound}") for name in names if f"{name}{bound}" in adae]
    return pd.Series(reduce(np.fmax, columns, np.full(len(adae), np.nan)), index=adae.index)
