"""Duration of response and of disease control: curves with enough events, else the values themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import add_not_available, efficacy_set, open_rows, population
from interim.analysis.survival import (
    DAYS_PER_MONTH,
    add_curve,
    add_landmark,
    add_median,
    add_status,
    ticks_of,
    times_of,
)
from interim.result import TOTAL, Result, Rows
from interim.stats import kaplan_meier
from interim.study import Study

CONTROL = ("DDC", "DSD")


def of_response(adam: Adam, study: Study) -> Result:
    """Summarise the duration of response and of disease control.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTTE (DOR, DDC and DSD: one row per participant with response, disease control, stable disease).
    study : Study
        Level and type of the interval.

    Returns
    -------
    Result
        ``duration.of_response``; variables DOR, DDC (disease control) and DSD (stable disease) with stats n, events,
        censored, min, max (months), the texts min_ongoing and max_ongoing (yes or no), and median, lower, upper (NE with
        EVENTS_LT_5 below ``survival.min_dor_events`` events); ``value`` (DOR), ``DDC value`` and ``DSD value``, level = USUBJID:
        ``months`` and ``ongoing`` (text yes or no), the latter two only with too few events; ``DOR landmark``, ``DOR curve`` and
        ``DOR risk`` of all participants with enough events.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "RESP")
    rows = open_rows("duration.of_response", "Duration of response and of disease control", who)
    for endpoint in ("DOR", *CONTROL):
        times, reason = times_of(adam, endpoint)
        if times is None:
            add_not_available(rows, who.groups, variable=endpoint, stat="median", reason=reason)
            continue
        base = who if endpoint == "DOR" else population(adam, study, efficacy_set(study))
        here = times[times["USUBJID"].isin(base.everyone)]
        base = base if endpoint == "DOR" else base.narrow(here["USUBJID"])
        add_status(rows, base, times=here, endpoint=endpoint)
        few = _events(here) < printed_rows()["survival"]["min_dor_events"]
        for group, ids in base.members.items():
            part = here[here["USUBJID"].isin(ids)]
            _add_duration(rows, part, where=(group, endpoint), study=study)
            if group != TOTAL and (few or endpoint == "DOR"):
                _add_values(rows, part, where=(group, endpoint))
    return rows.build()


def _events(times: pd.DataFrame) -> int:
    return int((times["CNSR"] == 0).sum())


def _add_values(rows: Rows, times: pd.DataFrame, *, where: tuple[str, str]) -> None:
    for row in times.to_dict("records"):
        place: dict[str, Any] = {
            "group": where[0],
            "variable": "value" if where[1] == "DOR" else f"{where[1]} value",
            "level": str(row["USUBJID"]),
            "subjects": [row["USUBJID"]],
        }
        rows.add("months", float(row["AVAL"]) / DAYS_PER_MONTH, unit="months", **place)
        rows.add("ongoing", None, text="no" if row["CNSR"] == 0 else "yes", **place)


def _add_duration(rows: Rows, times: pd.DataFrame, *, where: tuple[str, str], study: Study) -> None:
    group, endpoint = where
    place: dict[str, Any] = {
        "group": group,
        "variable": endpoint,
        "unit": "months",
        "n": len(times),
        "method": f"Kaplan-Meier, {study.stats.km_interval} interval, level {study.stats.level:g}",
    }
    _add_range(rows, times, place)
    if _events(times) < printed_rows()["survival"]["min_dor_events"]:
        for stat in ("median", "lower", "upper"):
            rows.add(stat, None, status="NE", reason="EVENTS_LT_5", **place)
        return
    event = (times["CNSR"] == 0).to_numpy(dtype=int)
    days = times["AVAL"].to_numpy(dtype=float)
    curve = kaplan_meier(days, event, level=study.stats.level, interval=study.stats.km_interval)
    add_median(rows, curve, times, place=place)
    if endpoint == "DOR" and group == TOTAL:
        for month in printed_rows()["survival"]["landmark_months"]["DOR"]:
            add_landmark(rows, curve, times, place=place, month=month)
        add_curve(rows, curve, place, times=times, ticks=ticks_of(times))


def _add_range(rows: Rows, times: pd.DataFrame, place: dict[str, Any]) -> None:
    """Add the shortest and the longest time, and whether it is still running."""
    months = times["AVAL"].to_numpy(dtype=float) / DAYS_PER_MONTH
    open_end = (times["CNSR"] != 0).to_numpy()
    for stat, function in (("min", np.min), ("max", np.max)):
        if not len(months):
            rows.add(stat, None, status="NE", reason="NO_DATA", **place)
            continue
        end = float(function(months))
        running = bool(open_end[months == end].any())
        rows.add(stat, end, **place)
        rows.add(f"{stat}_ongoing", None, text="yes" if running else "no", **place)
