"""IEC-HS over time: the findings of each day with a ferritin value, screened, and the day that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.source import shipped_data
from interim.adam.toxicity.iechs import CONCURRENT, IecHsFindings, IecHsScreen, iechs_screen
from interim.study.toxicity import ToxicityTable

FERRITIN, FIBRINOGEN = "FERRITIN", "FIBRINO"
_READ = ["PARAMCD", "ADT", "AVAL", "AVALU", "ANRLO", "ANRHI", "BASE", "BNRIND", "ATOXGRL", "BTOXGRL"]
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
    timed = results[_READ].assign(AT=moments).sort_values("AT", kind="stable")
    ferritin = timed[(timed["PARAMCD"] == FERRITIN) & timed["AVAL"].notna()]
    values = _Timed.of(ferritin["AT"], ferritin["AVAL"])
    supporting = _Supporting.of(timed)
    onsets = pd.Series(dtype="datetime64[ns]") if crs is None else crs
    window = rules.iechs_rise_h * _HOUR
    screened: list[tuple[int, IecHsScreen, pd.Timestamp]] = []
    for row in ferritin.to_dict("records"):
        end = row["AT"].normalize() + 24 * _HOUR
        before = values.between(row["AT"] - window, row["AT"], first=True)
        known = onsets[onsets <= row["AT"]]
        findings = IecHsFindings(
            ferritin_x_uln=_ratio(row["AVAL"], row["ANRHI"]),
            ferritin_x_base=_ratio(row["AVAL"], row["BASE"]),
            ferritin_rise=_ratio(row["AVAL"], before.min() if len(before) else row["AVAL"]),
            haemophagocytosis=haemophagocytosis,
            hours_after_crs=(row["AT"] - known.max()) / _HOUR if len(known) else None,
            **supporting.between(end - window - 24 * _HOUR, end),
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


@dataclass(frozen=True)
class _Timed:
    """Values with their moments, as arrays: each day with a ferritin value looks at them."""

    moments: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, moments: pd.Series, values: pd.Series | pd.DataFrame) -> _Timed:
        return cls(moments.to_numpy(dtype="datetime64[ns]"), values.to_numpy(dtype="float64"))

    def between(self, start: pd.Timestamp, end: pd.Timestamp, *, first: bool = False) -> np.ndarray:
        """Return the values between two moments, without the end; ``first``: with the start."""
        since = self.moments >= start.to_datetime64() if first else self.moments > start.to_datetime64()
        return self.values[since & (self.moments < end.to_datetime64())]


@dataclass(frozen=True)
class _Supporting:
    """The results that support the finding."""

    multiples: _Timed
    grades: _Timed
    fibrinogen: _Timed

    @classmethod
    def of(cls, timed: pd.DataFrame) -> _Supporting:
        words = shipped_data("toxicity")["iechs"]
        enzymes = timed[timed["PARAMCD"].isin(words["aminotransferases"])]
        multiples = _multiples(enzymes)
        known = multiples.notna()
        cells = timed[timed["PARAMCD"].isin(words["cytopenias"]) & timed["ATOXGRL"].notna()]
        worse = cells["ATOXGRL"].where(~(cells["ATOXGRL"] <= cells["BTOXGRL"]), 0)
        measured = (timed["PARAMCD"] == FIBRINOGEN) & timed["AVAL"].notna()
        fibrinogen = timed[measured & (timed["AVALU"] == words["fibrinogen_unit"])]
        return cls(
            _Timed.of(enzymes.loc[known, "AT"], multiples[known]),
            _Timed.of(cells["AT"], worse),
            _Timed.of(fibrinogen["AT"], fibrinogen[["AVAL", "ANRLO"]]),
        )

    def between(self, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, Any]:
        """Return the worst of each: highest multiple, highest new or worse grade (0 if none is), lowest fibrinogen with its limit."""
        multiples, grades = self.multiples.between(start, end), self.grades.between(start, end)
        fibrinogen = self.fibrinogen.between(start, end)
        lowest, limit = fibrinogen[fibrinogen[:, 0].argmin()] if len(fibrinogen) else (None, None)
        return {
            "aminotransferase": float(multiples.max()) if len(multiples) else None,
            "cytopenia_grade": int(grades.max()) if len(grades) else None,
            "fibrinogen": None if lowest is None else float(lowest),
            "fibrinogen_lln": None if limit is None or np.isnan(limit) else float(limit),
        }


def _multiples(enzymes: pd.DataFrame) -> pd.Series:
    """Return multiples of the limit, or of the baseline where that was above its limit."""
    high = enzymes["BNRIND"].isin(["HIGH", "HIGH HIGH"])
    below = enzymes["BASE"].where(high, enzymes["ANRHI"])
    return enzymes["AVAL"] / below.where(below > 0)
