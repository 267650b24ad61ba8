"""Liver injury: Hy's law candidates, pattern, eDISH quadrants, windows after a hepatic-artery infusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from interim.adam.source import shipped_data
from interim.study.toxicity import ToxicityTable

Pattern = Literal["HEPATOCELLULAR", "CHOLESTATIC", "MIXED"]
Quadrant = Literal["NORMAL", "TEMPLES_COROLLARY", "HYPERBILIRUBINAEMIA", "HYS_LAW_RANGE"]
Variant = Literal["uln", "baseline"]
ULN_MISSING, BASELINE_MISSING = "ULN_MISSING", "BASELINE_MISSING"
_ALP_ORDER = (
    False,
    None,
    True,
)  # of several pairs the one whose ALP speaks for a candidate; unknown before too high


@dataclass(frozen=True)
class HysLaw:
    """Whether one participant is a candidate; adjudication stays with the investigator.

    Attributes
    ----------
    candidate : bool
        All criteria hold.
    at_day, bilirubin_day : int or None
        Days of the first qualifying pair.
    ratio : float or None
        (ALT / ULN) / (ALP / ULN) at the first qualifying aminotransferase.
    reason : str
        Why not: NO_AT, NO_BILIRUBIN, TOO_FAR, ALP; ULN_MISSING where a value without upper limit could make a candidate;
        BASELINE_MISSING where a missing baseline hides whether the version for an abnormal baseline holds; or ALP_MISSING
        of a candidate.
    """

    candidate: bool
    at_day: int | None = None
    bilirubin_day: int | None = None
    ratio: float | None = None
    reason: str = ""

    @property
    def flag(self) -> str | None:
        """Return Y, N, or None where a missing limit or baseline leaves it open."""
        if self.candidate:
            return "Y"
        return None if self.reason in (ULN_MISSING, BASELINE_MISSING) else "N"


def hys_law(panel: pd.DataFrame, rules: ToxicityTable, *, variant: Variant = "uln") -> HysLaw:
    """Look for a Hy's law candidate in the liver panel of one participant.

    Parameters
    ----------
    panel : pandas.DataFrame
        One row per analyte and day after the first infusion: DAY, PARAMCD (ALT, AST, BILI, ALP), XULN, XBASE (multiples).
    rules : ToxicityTable
        ``hys_*``, ``mhy_*``.
    variant : {"uln", "baseline"}
        baseline: aminotransferase and bilirubin must also reach their multiple of the baseline, and ALP is judged against
        the baseline where that was above ``hys_alp`` x ULN.

    Returns
    -------
    HysLaw
        With the first pair within the window whose ALP is not too high; if there is none, the first whose ALP is unknown,
        else the first: an early cholestatic pair does not hide a later one.

    Raises
    ------
    None

    Notes
    -----
    Without a baseline the version for an abnormal baseline is judged twice, as it is and with the baseline that speaks most for a
    candidate: where only the second finds one, the reason is BASELINE_MISSING.
    """
    found = _judge(panel, rules, variant)
    if variant == "uln" or found.candidate or found.reason == ULN_MISSING:
        return found
    best = _judge(_with_best_baseline(panel, rules), rules, variant)
    return replace(found, reason=BASELINE_MISSING) if best.candidate else found


def _with_best_baseline(panel: pd.DataFrame, rules: ToxicityTable) -> pd.DataFrame:
    """Complete each missing multiple of a baseline so that it speaks for a candidate: a great rise, and none of ALP."""
    great = (panel["PARAMCD"] == "ALP").map({True: min(1.0, rules.hys_alp), False: np.inf})
    return panel.assign(XBASE=panel["XBASE"].astype("float64").fillna(great))


def _judge(panel: pd.DataFrame, rules: ToxicityTable, variant: Variant) -> HysLaw:
    at = panel[panel["PARAMCD"].isin(["ALT", "AST"]) & _at_reached(panel, rules, variant)]
    bilirubin = panel[(panel["PARAMCD"] == "BILI") & _bilirubin_reached(panel, rules, variant)]
    if at.empty or bilirubin.empty:
        return HysLaw(False, reason=_why_none(panel, at, bilirubin))
    first = int(at["DAY"].min())
    ratio = r_ratio(panel, first)
    if rules.hys_order == "at_first":
        bilirubin = bilirubin[bilirubin["DAY"] >= first]
    pairs = [
        (a, b)
        for a in sorted(set(at["DAY"]))
        for b in sorted(set(bilirubin["DAY"]))
        if abs(a - b) <= rules.hys_window_days
    ]
    if not pairs:
        reason = ULN_MISSING if _without_limit(panel, ("ALT", "AST", "BILI")) else "TOO_FAR"
        return HysLaw(False, first, ratio=ratio, reason=reason)
    judged = {a: _alp(panel, int(a), rules, variant) for a, _ in pairs}
    cholestatic, (at_day, bilirubin_day) = min(
        ((judged[pair[0]], pair) for pair in pairs), key=lambda item: (_ALP_ORDER.index(item[0]), item[1])
    )
    reason = "ALP" if cholestatic else "ALP_MISSING" if cholestatic is None else ""
    return HysLaw(not cholestatic, int(at_day), int(bilirubin_day), ratio, reason)


def _why_none(panel: pd.DataFrame, at: pd.DataFrame, bilirubin: pd.DataFrame) -> str:
    """Tell what is wanting: a value that is too low, or the limit of one that might be high enough."""
    wanting = [
        _without_limit(panel, codes)
        for found, codes in ((at, ("ALT", "AST")), (bilirubin, ("BILI",)))
        if found.empty
    ]
    if all(wanting):
        return ULN_MISSING
    return "NO_AT" if at.empty else "NO_BILIRUBIN"


def _without_limit(panel: pd.DataFrame, codes: Sequence[str]) -> bool:
    return bool(panel.loc[panel["PARAMCD"].isin(list(codes)), "XULN"].isna().any())


def _at_reached(panel: pd.DataFrame, rules: ToxicityTable, variant: Variant) -> pd.Series:
    reached = panel["XULN"] >= rules.hys_at
    return reached & (panel["XBASE"] >= rules.mhy_at_x_bl) if variant == "baseline" else reached


def _bilirubin_reached(panel: pd.DataFrame, rules: ToxicityTable, variant: Variant) -> pd.Series:
    if variant == "baseline":
        return (panel["XULN"] >= rules.hys_bili) & (panel["XBASE"] >= rules.mhy_bili_x_bl)
    if rules.hys_bili_strict:
        return panel["XULN"] > rules.hys_bili
    return panel["XULN"] >= rules.hys_bili


def _alp(panel: pd.DataFrame, day: int, rules: ToxicityTable, variant: Variant) -> bool | None:
    """Tell whether alkaline phosphatase is too high, by the last value up to a day, else the first after it."""
    row = _nearest(panel[panel["PARAMCD"] == "ALP"], day)
    if row is None or np.isnan(row["XULN"]):
        return None
    if variant == "baseline" and row["XULN"] / row["XBASE"] > rules.hys_alp:
        return bool(row["XBASE"] > rules.hys_alp)
    return bool(row["XULN"] > rules.hys_alp)


def _nearest(rows: pd.DataFrame, day: int) -> pd.Series | None:
    ordered = rows.sort_values("DAY", kind="stable")
    before = ordered[ordered["DAY"] <= day]
    if len(before):
        return before.iloc[-1]
    return ordered.iloc[0] if len(ordered) else None


def r_ratio(panel: pd.DataFrame, day: int) -> float | None:
    """Return (ALT / ULN) / (ALP / ULN) at a day.

    Parameters
    ----------
    panel : pandas.DataFrame
        As in `hys_law`.
    day : int
        Day; the last values up to it.

    Returns
    -------
    float or None
        None if a value is missing.

    Raises
    ------
    None
    """
    alt, alp = (_nearest(panel[panel["PARAMCD"] == code], day) for code in ("ALT", "ALP"))
    if alt is None or alp is None or not alp["XULN"] > 0 or np.isnan(alt["XULN"]):
        return None
    return float(alt["XULN"] / alp["XULN"])


def pattern(ratio: float) -> Pattern:
    """Return the pattern of injury.

    Parameters
    ----------
    ratio : float
        As `r_ratio` gives it.

    Returns
    -------
    {"HEPATOCELLULAR", "CHOLESTATIC", "MIXED"}
        5 or more, 2 or less, between.

    Raises
    ------
    None

    Examples
    --------
    >>> pattern(5.0), pattern(2.0), pattern(3.0)
    ('HEPATOCELLULAR', 'CHOLESTATIC', 'MIXED')
    """
    limits = shipped_data("toxicity")["liver"]
    if ratio >= limits["hepatocellular"]:
        return "HEPATOCELLULAR"
    return "CHOLESTATIC" if ratio <= limits["cholestatic"] else "MIXED"


def quadrant(aminotransferase: float, bilirubin: float, rules: ToxicityTable) -> Quadrant:
    """Return the quadrant of the eDISH plot.

    Parameters
    ----------
    aminotransferase, bilirubin : float
        Peaks as multiples of the upper limit.
    rules : ToxicityTable
        ``hys_at``, ``hys_bili``.

    Returns
    -------
    {"NORMAL", "TEMPLES_COROLLARY", "HYPERBILIRUBINAEMIA", "HYS_LAW_RANGE"}
        A peak at the limit is in the upper quadrant.

    Raises
    ------
    None
    """
    at, bili = aminotransferase >= rules.hys_at, bilirubin >= rules.hys_bili
    if at and bili:
        return "HYS_LAW_RANGE"
    return "TEMPLES_COROLLARY" if at else "HYPERBILIRUBINAEMIA" if bili else "NORMAL"


def window_after_infusion(day: int, ends: Sequence[int]) -> str:
    """Return the window after the latest hepatic-artery infusion.

    Parameters
    ----------
    day : int
        Days from that infusion, 0 on its day.
    ends : sequence of int
        ``toxicity.hai_windows``.

    Returns
    -------
    str
        For example ``0-3``, ``4-14``, ``15+``.

    Raises
    ------
    None

    Examples
    --------
    >>> [window_after_infusion(day, (3, 14)) for day in (0, 3, 4, 15)]
    ['0-3', '0-3', '4-14', '15+']
    """
    start = 0
    for end in ends:
        if day <= end:
            return f"{start}-{end}"
        start = end + 1
    return f"{start}+"
