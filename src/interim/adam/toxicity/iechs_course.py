"""IEC-HS over time: the findings of each day with a ferritin value, screened, and the day that decides."""

from __future__ import annotations

from typing import Any

import pandas as pd

from interim.adam.source import shipped_data
from interim.adam.toxicity.iechs import CONCURRENT, IecHsFindings, IecHsScreen, iechs_screen
from interim.study.toxicity import ToxicityTable

FERRITIN, FIBRINOGEN = "FERRITIN", "FIBRINO"
_HOUR = pd.Timedelta(1, unit="h")


def iechs_course(
    results: pd.DataFrame, crs: pd.Series | None, *, haemophagocytosis: bool | None, rules: ToxicityTable
) -> tuple[IecHsScreen, pd.Timestamp] | None:
    """Screen every day with a ferritin value of one participant.

    Parameters
    ----------
    results : pandas.DataFrame
        Rows of ADLB after the first infusion: PARAMCD, ADT, ADTM, AVAL, ANRLO, ANRHI, BASE, BNRIND, grades.
    crs : pandas.Series of datetime64 or None
        Onsets of cytokine release.
    haemophagocytosis : bool or None
        Whether it was seen; None: not recorded.
    rules : ToxicityTable
        ``iechs_*``.

    Returns
    -------
    tuple of (IecHsScreen, pandas.Timestamp) or None
        The first positive day; else the first that is concurrent with cytokine release, else the first that cannot be
        evaluated, else the first negative one; None without a ferritin value.

    Raises
    ------
    None

    Notes
    -----
    The other results of a day are the worst of the ``iechs_rise_h`` hours up to its end.
    """
    moments = results["ADTM"].fillna(results["ADT"])
    timed = results.assign(AT=moments).sort_values("AT", kind="stable")
    ferritin = timed[(timed["PARAMCD"] == FERRITIN) & timed["AVAL"].notna()]
    window = rules.iechs_rise_h * _HOUR
    screened: list[tuple[int, IecHsScreen, pd.Timestamp]] = []
    for row in ferritin.to_dict("records"):
        end = row["AT"].normalize() + 24 * _HOUR
        near = timed[(timed["AT"] > end - window - 24 * _HOUR) & (timed["AT"] < end)]
        before = ferritin[(ferritin["AT"] < row["AT"]) & (ferritin["AT"] >= row["AT"] - window)]
        known = crs[crs <= row["AT"]] if crs is not None else pd.Series(dtype="datetime64[ns]")
        hours = (row["AT"] - known.max()) / _HOUR if len(known) else None
        findings = IecHsFindings(
            ferritin_x_uln=_ratio(row["AVAL"], row["ANRHI"]),
            ferritin_x_base=_ratio(row["AVAL"], row["BASE"]),
            ferritin_rise=_ratio(row["AVAL"], before["AVAL"].min() if len(before) else row["AVAL"]),
            aminotransferase=_aminotransferase(near),
            cytopenia_grade=_cytopenia(near),
            haemophagocytosis=haemophagocytosis,
            hours_after_crs=hours,
            **_fibrinogen(near),
        )
        screen = iechs_screen(findings, rules)
        screened.append((_rank(screen), screen, row["ADT"]))
    if not screened:
        return None
    _, best, day = min(screened, key=lambda item: (item[0], item[2]))
    return best, day


def _rank(screen: IecHsScreen) -> int:
    if screen.verdict == "SCREEN_POSITIVE":
        return 0
    if screen.reason == CONCURRENT:
        return 1
    return 2 if screen.verdict == "NOT_EVALUABLE" else 3


def _ratio(value: Any, base: Any) -> float | None:
    if pd.isna(value) or pd.isna(base) or base <= 0:
        return None
    return float(value) / float(base)


def _aminotransferase(near: pd.DataFrame) -> float | None:
    """Return the highest multiple: of the limit, or of the baseline where that was above its limit."""
    rows = near[near["PARAMCD"].isin(shipped_data("toxicity")["iechs"]["aminotransferases"])]
    high = rows["BNRIND"].isin(["HIGH", "HIGH HIGH"])
    below = rows["BASE"].where(high, rows["ANRHI"])
    ratios = (rows["AVAL"] / below.where(below > 0)).dropna()
    return float(ratios.max()) if len(ratios) else None


def _cytopenia(near: pd.DataFrame) -> int | None:
    """Return the highest grade of a cytopenia that is above its grade at baseline; 0 if none is."""
    rows = near[
        near["PARAMCD"].isin(shipped_data("toxicity")["iechs"]["cytopenias"]) & near["ATOXGRL"].notna()
    ]
    if rows.empty:
        return None
    worse = rows[~(rows["ATOXGRL"] <= rows["BTOXGRL"])]
    return int(worse["ATOXGRL"].max()) if len(worse) else 0


def _fibrinogen(near: pd.DataFrame) -> dict[str, float | None]:
    unit = shipped_data("toxicity")["iechs"]["fibrinogen_unit"]
    rows = near[(near["PARAMCD"] == FIBRINOGEN) & near["AVAL"].notna() & (near["AVALU"] == unit)]
    if rows.empty:
        return {"fibrinogen": None, "fibrinogen_lln": None}
    lowest = rows.loc[rows["AVAL"].idxmin()]
    limit = lowest["ANRLO"]
    return {"fibrinogen": float(lowest["AVAL"]), "fibrinogen_lln": None if pd.isna(limit) else float(limit)}
