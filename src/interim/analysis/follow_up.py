"""Length of follow-up: reversed Kaplan-Meier, and for how long participants could have been followed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    efficacy_set,
    open_rows,
    population,
)
from interim.analysis.survival import DAYS_PER_MONTH, add_median, add_status, times_of
from interim.result import Result, Rows
from interim.stats import kaplan_meier
from interim.study import Study

ENDPOINT = "FUP"


def length(adam: Adam, study: Study) -> Result:
    """Give the length of follow-up by reversed Kaplan-Meier: death censors, being alive at the last contact is the event.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTTE.
    study : Study
        Efficacy set, level and type of the interval.

    Returns
    -------
    Result
        ``follow_up.length``; by assigned cohort: FUP with stats n, events (alive at the last contact), censored (died), median,
        lower, upper, min, max (months); ``potential`` with level = month: n, the participants whose start lies at least so
        long before the cut-off.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("follow_up.length", "Length of follow-up", who)
    times, reason = times_of(adam, ENDPOINT)
    if times is None:
        add_not_available(rows, who.groups, variable=ENDPOINT, stat="median", reason=reason)
        return rows.build()
    here = times[times["USUBJID"].isin(who.everyone)]
    add_status(rows, who, times=here, endpoint=ENDPOINT)
    for group, ids in who.members.items():
        _add_length(rows, here[here["USUBJID"].isin(ids)], group=group, study=study)
    _add_potential(rows, who, here, adam)
    return rows.build()


def _add_length(rows: Rows, times: pd.DataFrame, *, group: str, study: Study) -> None:
    place: dict[str, Any] = {
        "group": group,
        "variable": ENDPOINT,
        "unit": "months",
        "n": len(times),
        "method": f"reversed Kaplan-Meier, {study.stats.km_interval} interval, level {study.stats.level:g}",
    }
    if times.empty:
        for stat in ("median", "lower", "upper", "min", "max"):
            rows.add(stat, None, status="NE", reason="NO_DATA", **place)
        return
    days = times["AVAL"].to_numpy(dtype=float)
    alive = (times["CNSR"] == 0).to_numpy(dtype=int)
    add_median(
        rows,
        kaplan_meier(days, alive, level=study.stats.level, interval=study.stats.km_interval),
        times,
        place=place,
    )
    for stat, value in (("min", np.min(days)), ("max", np.max(days))):
        rows.add(stat, float(value) / DAYS_PER_MONTH, **place)


def _add_potential(rows: Rows, who: Population, times: pd.DataFrame, adam: Adam) -> None:
    if "STARTDT" not in times:
        add_not_available(rows, who.groups, variable="potential", reason="not available: no start dates")
        return
    cut = times["USUBJID"].map(adam["ADSL"].set_index("USUBJID")["DCUTDT"])
    days = (cut - times["STARTDT"]).dt.days + 1
    for month in printed_rows()["survival"]["landmark_months"]["OS"]:
        long_enough = times.loc[days >= month * DAYS_PER_MONTH, "USUBJID"]
        add_counts(rows, who, variable="potential", level=f"{month}", subjects=long_enough)
