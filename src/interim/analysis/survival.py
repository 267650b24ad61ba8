"""Time to event: progression-free and overall survival, and the rows that every endpoint shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    MISSING,
    Population,
    add_counts,
    add_not_available,
    by_value,
    efficacy_set,
    open_rows,
    population,
)
from interim.result import TOTAL, Result, Rows
from interim.stats import kaplan_meier
from interim.study import Study

DAYS_PER_MONTH = 30.4375
MIN_AT_RISK = 3
ENDPOINTS = ("PFS", "OS")
_LIMIT_REASONS = {"lower": ("NE", "CI_LOWER_NE"), "upper": ("NR", "CI_UPPER_NR")}


def time_to_event(adam: Adam, study: Study) -> Result:
    """Summarise progression-free and overall survival.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTTE.
    study : Study
        Efficacy set, level and type of the interval.

    Returns
    -------
    Result
        ``survival.time_to_event``; variable = endpoint with stats n, events, censored, median, lower, upper (months);
        ``<endpoint> event`` and ``<endpoint> censored`` with one level per kind; ``<endpoint> landmark`` with level = month
        and stats rate, lower, upper, n_risk; ``<endpoint> curve`` with level = step and stats time, surv, lower, upper,
        n_risk, n_event, n_censor; ``<endpoint> risk`` with level = month and stats n_risk, n_censored. Curves by cohort only from
        ``survival.min_curve_n`` participants on.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("survival.time_to_event", "Progression-free and overall survival", who)
    for endpoint in ENDPOINTS:
        times, reason = times_of(adam, endpoint)
        if times is None:
            add_not_available(rows, who.groups, variable=endpoint, stat="median", reason=reason)
            continue
        here = times[times["USUBJID"].isin(who.everyone)]
        add_status(rows, who, times=here, endpoint=endpoint)
        ticks = ticks_of(here)
        for group, ids in who.members.items():
            part = here[here["USUBJID"].isin(ids)]
            _add_estimates(rows, part, study=study, where=(group, endpoint), ticks=ticks)
    return rows.build()


def times_of(adam: Adam, endpoint: str) -> tuple[pd.DataFrame | None, str]:
    """Return the rows of one endpoint.

    Parameters
    ----------
    adam : Adam
        ADTTE.
    endpoint : str
        PARAMCD.

    Returns
    -------
    tuple of (pandas.DataFrame or None, str)
        Rows of ADTTE, sorted by time; None with the reason if there are none.

    Raises
    ------
    None
    """
    if not adam.has("ADTTE"):
        return None, f"not available: {adam.missing.get('ADTTE', 'no time-to-event dataset')}"
    adtte = adam["ADTTE"]
    if reason := adam.lacks(f"ADTTE.{endpoint}"):
        return None, f"not available: {reason}"
    times = adtte[adtte["PARAMCD"] == endpoint].sort_values(["AVAL", "CNSR", "USUBJID"], kind="stable")
    if times.empty and endpoint != "DOR":
        return None, f"not available: ADTTE holds no {endpoint}"
    return times, ""


def add_status(rows: Rows, who: Population, *, times: pd.DataFrame, endpoint: str) -> None:
    """Add the numbers with a time, with an event and censored, and each kind of both.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The denominator.
    times : pandas.DataFrame
        Rows of ADTTE of one endpoint.
    endpoint : str
        Its PARAMCD, the variable of the rows.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    event = times["CNSR"] == 0
    add_counts(rows, who, variable=endpoint, subjects=times["USUBJID"])
    add_counts(rows, who, variable=endpoint, stat="events", subjects=times.loc[event, "USUBJID"])
    add_counts(rows, who, variable=endpoint, stat="censored", subjects=times.loc[~event, "USUBJID"])
    no_row = who.everyone - frozenset(times["USUBJID"])
    if no_row:
        add_counts(rows, who, variable=endpoint, stat="no_time", subjects=no_row)
    kinds = by_value(times[event].fillna({"RSNCD": MISSING}), "RSNCD")
    for kind, ids in kinds.items():
        add_counts(rows, who, variable=f"{endpoint} event", level=kind, subjects=ids)
    for kind, ids in by_value(times[~event].fillna({"RSNCD": MISSING}), "RSNCD").items():
        add_counts(rows, who, variable=f"{endpoint} censored", level=kind, subjects=ids)


def ticks_of(times: pd.DataFrame) -> list[int]:
    """Return the months at which the numbers at risk are printed.

    Parameters
    ----------
    times : pandas.DataFrame
        Rows of ADTTE.

    Returns
    -------
    list of int
        At most ``risk_ticks`` equal steps to the last time.

    Raises
    ------
    None
    """
    layout = printed_rows()["survival"]
    last = float(times["AVAL"].max()) / DAYS_PER_MONTH if len(times) else 0.0
    steps: list[int] = layout["tick_months"]
    step = next((s for s in steps if last / s < layout["risk_ticks"]), steps[-1])
    return list(range(0, int(last // step) * step + step + 1, step))


def _add_estimates(
    rows: Rows, times: pd.DataFrame, *, study: Study, where: tuple[str, str], ticks: list[int]
) -> None:
    group, endpoint = where
    layout = printed_rows()["survival"]
    landmarks = layout["landmark_months"][endpoint]
    method = f"Kaplan-Meier, {study.stats.km_interval} interval, level {study.stats.level:g}"
    place: dict[str, Any] = {
        "group": group,
        "variable": endpoint,
        "method": method,
        "n": len(times),
        "unit": "months",
    }
    if times.empty:
        for stat in ("median", "lower", "upper"):
            rows.add(stat, None, status="NE", reason="NO_DATA", **place)
        for month in landmarks:
            for stat in ("rate", "lower", "upper"):
                spot: dict[str, Any] = {
                    "group": group,
                    "variable": f"{endpoint} landmark",
                    "level": f"{month}",
                }
                rows.add(stat, None, status="NE", reason="NO_DATA", **spot)
            rows.add("n_risk", 0, group=group, variable=f"{endpoint} landmark", level=f"{month}")
        return
    curve = kaplan_meier(
        times["AVAL"].to_numpy(dtype=float),
        (times["CNSR"] == 0).to_numpy(dtype=int),
        level=study.stats.level,
        interval=study.stats.km_interval,
    )
    add_median(rows, curve, times, place=place)
    for month in landmarks:
        add_landmark(rows, curve, times, place=place, month=month)
    if group == TOTAL or len(times) >= layout["min_curve_n"]:
        add_curve(rows, curve, place, times=times, ticks=ticks)


def add_median(
    rows: Rows,
    curve: Any,
    times: pd.DataFrame,
    *,
    place: Mapping[str, Any],
    days: float = DAYS_PER_MONTH,
) -> None:
    """Add the median with its limits, in months unless said otherwise.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    curve : KaplanMeier
        Curve in days.
    times : pandas.DataFrame
        The participants behind it (USUBJID).
    place : mapping
        Columns of the rows: group, variable, method, n, unit.
    days : float
        Days of the unit: 1 for days.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    median = curve.quantile(0.5)
    subjects = sorted(times["USUBJID"])
    value = float(median.value) / days
    if math.isfinite(value):
        rows.add("median", value, subjects=subjects, **place)
    else:
        rows.add("median", None, status="NR", reason="MEDIAN_NOT_REACHED", subjects=subjects, **place)
    for stat, limit in (("lower", median.lower), ("upper", median.upper)):
        if math.isfinite(float(limit)):
            rows.add(stat, float(limit) / days, **place)
        else:
            status, reason = _LIMIT_REASONS[stat]
            rows.add(stat, None, status=status, reason=reason, **place)


def add_landmark(
    rows: Rows, curve: Any, times: pd.DataFrame, *, place: Mapping[str, Any], month: int
) -> None:
    """Add the rate at a landmark with its limits and the number at risk.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    curve : KaplanMeier
        Curve in days.
    times : pandas.DataFrame
        The participants behind it (USUBJID, AVAL).
    place : mapping
        Columns of the rows; the variable is extended by ``landmark``.
    month : int
        Landmark.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Withheld (NE) beyond the follow-up, and below three participants at risk unless the curve has reached zero.
    """
    day = month * DAYS_PER_MONTH
    point = curve.at(day)
    at_risk = times.loc[times["AVAL"] >= day, "USUBJID"]
    spot: dict[str, Any] = {
        **place,
        "variable": f"{place['variable']} landmark",
        "level": f"{month}",
        "unit": "probability",
    }
    rows.add("n_risk", len(at_risk), subjects=sorted(at_risk), **{**spot, "unit": "participants"})
    found = {"rate": float(point.value), "lower": float(point.lower), "upper": float(point.upper)}
    if not math.isfinite(found["rate"]):
        withheld = "BEYOND_FOLLOWUP"
    elif len(at_risk) < MIN_AT_RISK and found["rate"] > 0:
        withheld = "AT_RISK_LT_3"
    else:
        withheld = ""
    for stat, value in found.items():
        if withheld:
            rows.add(stat, None, status="NE", reason=withheld, **spot)
        elif math.isfinite(value):
            rows.add(stat, value, **spot)
        else:
            rows.add(
                stat, None, status="NE", reason="CI_AT_ZERO" if found["rate"] == 0 else "CI_AT_ONE", **spot
            )


def add_curve(
    rows: Rows, curve: Any, place: Mapping[str, Any], *, times: pd.DataFrame, ticks: list[int]
) -> None:
    """Add every step of a curve and the numbers at risk below it.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    curve : KaplanMeier
        Curve in days.
    place : mapping
        Columns of the rows; the variable is extended by ``curve`` and ``risk``.
    times : pandas.DataFrame
        The participants behind it.
    ticks : list of int
        Months of the numbers at risk.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    endpoint = place["variable"]
    base: dict[str, Any] = {
        "group": place["group"],
        "variable": f"{endpoint} curve",
        "method": place["method"],
    }
    columns = {
        "time": np.asarray(curve.time, dtype=float) / DAYS_PER_MONTH,
        "surv": np.asarray(curve.surv, dtype=float),
        "lower": np.asarray(curve.lower, dtype=float),
        "upper": np.asarray(curve.upper, dtype=float),
        "n_risk": np.asarray(curve.n_risk, dtype=float),
        "n_event": np.asarray(curve.n_event, dtype=float),
        "n_censor": np.asarray(curve.n_censor, dtype=float),
    }
    for step in range(len(columns["time"])):
        reason = "CI_AT_ONE" if columns["surv"][step] == 1 else "CI_AT_ZERO"
        for stat, values in columns.items():
            if math.isfinite(values[step]):
                rows.add(stat, float(values[step]), level=f"step {step + 1}", **base)
            else:
                rows.add(stat, None, level=f"step {step + 1}", status="NE", reason=reason, **base)
    days = times["AVAL"].to_numpy(dtype=float)
    censored = (times["CNSR"] != 0).to_numpy()
    for month in ticks:
        left = days >= month * DAYS_PER_MONTH
        for stat, number in (("n_risk", int(left.sum())), ("n_censored", int((censored & ~left).sum()))):
            rows.add(
                stat, number, group=place["group"], variable=f"{endpoint} risk", level=f"{month}", n=number
            )
