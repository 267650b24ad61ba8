"""Terminal slopes on points that a person chose; the automatic value stands beside them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.adam.adpp_windows import Batch, CycleWindow
from interim.stats.answers import Floats
from interim.study import Study

METHOD = "MANUAL"
_SAME = 1e-3


def manual_slopes(found: Batch, windows: tuple[CycleWindow, ...], study: Study) -> Iterator[pd.DataFrame]:
    """Yield the rows of terminal slopes that ``kinetics.lambda_z_manual`` states.

    Parameters
    ----------
    found : Batch
        Profiles.
    windows : tuple of CycleWindow
        Their windows; the last of each profile is used.
    study : Study
        Participant, assay, times on the clock of the cycle, reason.

    Yields
    ------
    pandas.DataFrame
        LAMZ and LAMZHL with METHOD MANUAL and the stated reason in STATUS; missing with MANUAL_POINTS_NOT_FOUND if fewer than
        three of the times have a quantified sample, with NO_NEGATIVE_SLOPE if the line does not fall.

    Raises
    ------
    None
    """
    for entry in study.kinetics.lambda_z_manual:
        chosen = (found.keys["USUBJID"] == entry.subject) & (found.keys["PARAMCD"] == entry.parameter)
        for made in windows:
            for row in np.flatnonzero(chosen.to_numpy() & made.given & ~made.truncated):
                slope, reason = _slope(made, int(row), np.array(entry.points))
                yield _rows(found.keys.iloc[int(row)], slope, reason, made=made, why=entry.reason)


def _slope(made: CycleWindow, row: int, times: Floats) -> tuple[float, str | None]:
    series = made.found.series
    near = np.abs(series.time[row][:, None] - times[None, :]).min(axis=1) <= _SAME
    use = near & series.valid[row] & (series.conc[row] > 0)
    if use.sum() < 3:
        return float("nan"), "MANUAL_POINTS_NOT_FOUND"
    slope = -float(np.polyfit(series.time[row][use], np.log(series.conc[row][use]), 1)[0])
    return (slope, None) if slope > 0 else (float("nan"), "NO_NEGATIVE_SLOPE")


def _rows(keys: pd.Series, slope: float, reason: str | None, *, made: CycleWindow, why: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": keys["USUBJID"],
            "PRODUCT": keys["PRODUCT"],
            "ASSAY": keys["PARAMCD"],
            "ASPEC": keys["ASPEC"],
            "CLOCK": "CYCLE",
            "ACYCLE": float(made.number),
            "PARAMCD": ["LAMZ", "LAMZHL"],
            "AVAL": [slope, np.log(2.0) / slope],
            "AVALU": ["1/day", "day"],
            "METHOD": METHOD,
            "EVALFL": "N" if reason else "Y",
            "STATUS": why,
            "FLAGS": None,
            "REASON": reason,
        }
    )
