"""Time to recovery from a severe laboratory grade, with those who have not recovered censored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from interim.analysis.population import Population
from interim.analysis.survival import add_median
from interim.result import Rows
from interim.stats import kaplan_meier
from interim.study import Study


def recovery_times(part: pd.DataFrame, *, severe: int) -> pd.DataFrame:
    """Return the time from the first severe result of one parameter to the first later one below.

    Parameters
    ----------
    part : pandas.DataFrame
        Graded results of one parameter (ADLB), sorted by participant and day: USUBJID, ADT, ATOXGRL.
    severe : int
        Least severe grade.

    Returns
    -------
    pandas.DataFrame
        One row per participant with a severe result: USUBJID, AVAL (days), CNSR (0 recovered, 1 censored at the last result: 0
        days where none followed).

    Raises
    ------
    None
    """
    worst = part[part["ATOXGRL"] >= severe].drop_duplicates("USUBJID").set_index("USUBJID")["ADT"]
    begun = part["USUBJID"].map(worst)
    back = part[(part["ADT"] > begun) & (part["ATOXGRL"] < severe)]
    ended = back.drop_duplicates("USUBJID").set_index("USUBJID")["ADT"].reindex(worst.index)
    last = part.groupby("USUBJID")["ADT"].max().reindex(worst.index)
    days = (ended.fillna(last) - worst).dt.days
    return pd.DataFrame(
        {"USUBJID": worst.index, "AVAL": days.to_numpy(dtype=float), "CNSR": ended.isna().to_numpy(dtype=int)}
    )


def add_recovery(rows: Rows, who: Population, times: pd.DataFrame, *, variable: str, study: Study) -> None:
    """Add the participants with a severe result, those who recovered, and the Kaplan-Meier median with its limits.

    Parameters
    ----------
    rows : Rows
        Where the rows go: stats n (with a severe result), followed (with a later one), recovered (of those), median, lower,
        upper (days).
    who : Population
        The columns.
    times : pandas.DataFrame
        As `recovery_times` gives them.
    variable : str
        Variable of the rows.
    study : Study
        ``stats.km_interval``, ``stats.level``.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    method = f"Kaplan-Meier, {study.stats.km_interval} interval, level {study.stats.level:g}"
    for group, ids in who.members.items():
        mine = times[times["USUBJID"].isin(ids)]
        followed = mine[(mine["CNSR"] == 0) | (mine["AVAL"] > 0)]
        back = mine[mine["CNSR"] == 0]
        place: dict[str, Any] = {"group": group, "variable": variable}
        for stat, people, of in (
            ("n", mine, None),
            ("followed", followed, len(mine)),
            ("recovered", back, len(followed)),
        ):
            subjects = sorted(people["USUBJID"])
            rows.add(stat, len(people), unit="participants", n=len(people), N=of, subjects=subjects, **place)
        place |= {"method": method, "n": len(followed), "unit": "days"}
        if followed.empty:
            for stat in ("median", "lower", "upper"):
                rows.add(stat, None, status="NE", reason="NO_DATA", **place)
            continue
        curve = kaplan_meier(
            followed["AVAL"].to_numpy(dtype=float),
            np.asarray(followed["CNSR"] == 0, dtype=int),
            level=study.stats.level,
            interval=study.stats.km_interval,
        )
        add_median(rows, curve, followed, place=place, days=1.0)
