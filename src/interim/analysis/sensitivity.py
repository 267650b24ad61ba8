"""Sensitivity of progression-free survival: every alternative rule, whom it changes and why."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import Population, efficacy_set, open_rows, population
from interim.analysis.sensitivity_variants import INTERVALS, PRIMARY, Setting, Variant, variants
from interim.analysis.survival import DAYS_PER_MONTH, add_landmark, add_median, times_of
from interim.data.model import Sdtm
from interim.result import TOTAL, Result, Rows
from interim.stats import kaplan_meier
from interim.stats.interval_censored import turnbull
from interim.study import Study

_STATS = ("n", "events", "censored", "median", "lower", "upper", "changed")


def pfs(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """Repeat progression-free survival under every alternative rule.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS, ADTTE.
    study : Study
        Primary rules.
    sdtm : Sdtm, optional
        Source records, for symptomatic deterioration and imputed dates.

    Returns
    -------
    Result
        ``sensitivity.pfs``; variable = row (S0 ... S17): texts label, why, state; n, events, censored (stats), one level per
        kind with stats event or censoring, median, lower, upper (months), ``changed`` (participants whose time or reason differs
        from S0); ``<row> landmark`` as in ``survival.time_to_event``; S8 has median_from, median_to, rate_from, rate_to
        instead. ``<row> change`` with level = USUBJID: day_before, day_after, and as texts reason_before, reason_after; of S8
        day_from too, the last day on which the participant is known to be free of the event.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    StudyError
        If the endpoint of a variant cannot be built.

    Notes
    -----
    The table holds every row; a row that could not be run says why, and one that changes nobody has ``changed`` 0.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("sensitivity.pfs", "Progression-free survival: sensitivity analyses", who)
    times, reason = times_of(adam, "PFS")
    if times is None or not adam.has("ADRS"):
        rows.add("n", None, variable=PRIMARY, status="NA", reason=reason or "not available: no responses")
        return rows.build()
    primary = times[times["USUBJID"].isin(who.everyone)]
    for variant in variants(Setting(adam, study, sdtm)):
        for stat in ("label", "why", "state"):
            rows.add(stat, None, text=getattr(variant, stat), variable=variant.id)
        if variant.times is None:
            for stat in _STATS:
                rows.add(stat, None, variable=variant.id, status="NA", reason=variant.state)
        else:
            here = variant.times[variant.times["USUBJID"].isin(who.everyone)]
            _add_row(rows, who, variant, here, primary=primary, study=study)
    return rows.build()


def _add_row(
    rows: Rows,
    who: Population,
    variant: Variant,
    times: pd.DataFrame,
    *,
    primary: pd.DataFrame,
    study: Study,
) -> None:
    event = times["CNSR"] == 0
    for stat, part in (("n", times), ("events", times[event]), ("censored", times[~event])):
        base = who.n() if stat == "n" else len(times)
        rows.add(stat, len(part), variable=variant.id, n=len(part), N=base, subjects=sorted(part["USUBJID"]))
    for stat, part in (("event", times[event]), ("censoring", times[~event])):
        for code, ids in part.groupby("RSNCD", sort=True)["USUBJID"]:
            place: dict[str, Any] = {"variable": variant.id, "level": str(code), "n": len(ids)}
            rows.add(stat, len(ids), subjects=sorted(ids), **place)
    if variant.id == INTERVALS:
        _add_interval_estimates(rows, times)
        changed = times[event & (times["AVAL"] - times["LEFT"] > 1)]
        _add_changed(rows, variant.id, sorted(changed["USUBJID"]), len(times))
        _add_intervals(rows, changed)
        return
    _add_estimates(rows, variant.id, times, study)
    _add_changes(rows, variant.id, primary, times)


def _add_estimates(rows: Rows, row: str, times: pd.DataFrame, study: Study) -> None:
    method = f"Kaplan-Meier, {study.stats.km_interval} interval, level {study.stats.level:g}"
    place: dict[str, Any] = {
        "group": TOTAL,
        "variable": row,
        "method": method,
        "n": len(times),
        "unit": "months",
    }
    if times.empty:
        for stat in ("median", "lower", "upper"):
            rows.add(stat, None, status="NE", reason="NO_DATA", **place)
        return
    curve = kaplan_meier(
        times["AVAL"].to_numpy(dtype=float),
        (times["CNSR"] == 0).to_numpy(dtype=int),
        level=study.stats.level,
        interval=study.stats.km_interval,
    )
    add_median(rows, curve, times, place=place)
    for month in printed_rows()["survival"]["landmark_months"]["PFS"]:
        add_landmark(rows, curve, times, place=place, month=month)


def _add_interval_estimates(rows: Rows, times: pd.DataFrame) -> None:
    """Add the range in which median and rates lie: inside an interval the curve is not defined."""
    event = (times["CNSR"] == 0).to_numpy()
    right = times["AVAL"].to_numpy(dtype=float)
    left = times["LEFT"].to_numpy(dtype=float)
    curve = turnbull(
        [a if e else b for a, b, e in zip(left, right, event, strict=True)],
        [b if e else math.inf for b, e in zip(right, event, strict=True)],
    )
    place: dict[str, Any] = {
        "variable": INTERVALS,
        "method": "Turnbull, no interval of confidence",
        "n": len(times),
    }
    if curve.status != "OK":
        rows.add("median_from", None, status="NE", reason=curve.reason, **place)
        return
    reached = next((k for k, mass in enumerate(curve.mass.cumsum()) if mass >= 0.5 - 1e-9), None)
    ends = (math.inf, math.inf) if reached is None else (curve.left[reached], curve.right[reached])
    for stat, value in zip(("median_from", "median_to"), ends, strict=True):
        if math.isfinite(value):
            rows.add(stat, float(value) / DAYS_PER_MONTH, unit="months", **place)
        else:
            rows.add(stat, None, status="NR", reason="MEDIAN_NOT_REACHED", unit="months", **place)
    for month in printed_rows()["survival"]["landmark_months"]["PFS"]:
        spot = {**place, "variable": f"{INTERVALS} landmark", "level": f"{month}", "unit": "probability"}
        for stat, value in zip(("rate_from", "rate_to"), curve.at(month * DAYS_PER_MONTH), strict=True):
            rows.add(stat, value, **spot)


def _add_intervals(rows: Rows, changed: pd.DataFrame) -> None:
    """Add the days between which the event of each participant lies."""
    for item in changed.sort_values("USUBJID", kind="stable").to_dict("records"):
        subject = str(item["USUBJID"])
        place: dict[str, Any] = {"variable": f"{INTERVALS} change", "level": subject, "subjects": [subject]}
        days = (("day_before", item["AVAL"]), ("day_after", item["AVAL"]), ("day_from", item["LEFT"]))
        for stat, value in days:
            rows.add(stat, float(value), unit="days", **place)
        for stat in ("reason_before", "reason_after"):
            rows.add(stat, None, text=str(item["RSNCD"]), **place)


def _add_changes(rows: Rows, row: str, primary: pd.DataFrame, times: pd.DataFrame) -> None:
    columns = ["USUBJID", "AVAL", "RSNCD"]
    both = primary[columns].merge(times[columns], on="USUBJID", validate="1:1", suffixes=("_0", ""))
    different = (both["AVAL_0"] != both["AVAL"]) | (both["RSNCD_0"] != both["RSNCD"])
    changed = both[different].sort_values("USUBJID", kind="stable")
    _add_changed(rows, row, changed["USUBJID"].tolist(), len(both))
    for item in changed.to_dict("records"):
        place: dict[str, Any] = {
            "variable": f"{row} change",
            "level": str(item["USUBJID"]),
            "subjects": [item["USUBJID"]],
        }
        for when, suffix in (("before", "_0"), ("after", "")):
            rows.add(f"day_{when}", float(item[f"AVAL{suffix}"]), unit="days", **place)
            rows.add(f"reason_{when}", None, text=str(item[f"RSNCD{suffix}"]), **place)


def _add_changed(rows: Rows, row: str, subjects: list[str], compared: int) -> None:
    number = len(subjects)
    rows.add("changed", number, variable=row, n=number, N=compared, subjects=subjects)
