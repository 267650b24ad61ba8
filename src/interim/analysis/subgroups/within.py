"""Endpoints within each level of each factor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import MISSING, add_not_available, add_rate, open_rows
from interim.analysis.subgroups.associated import is_confounded
from interim.analysis.subgroups.contrast import add_differences, add_gap
from interim.analysis.subgroups.definitions import FLAG_MISSING, is_often_missing
from interim.analysis.subgroups.limit import add_summary
from interim.analysis.subgroups.model import Factor, Flags, Outcome, Panel, joined
from interim.analysis.subgroups.outcomes import ENDPOINTS
from interim.analysis.subgroups.panel import open_panel
from interim.analysis.subgroups.stability import is_fragile
from interim.analysis.survival import DAYS_PER_MONTH, MIN_AT_RISK
from interim.result import TOTAL, Result, Rows
from interim.stats import kaplan_meier
from interim.study import Study

CONTRASTED = ("orr", "dcr")
ALL = ""
_BOR = {4.0: "CR", 3.0: "PR", 2.0: "SD", 1.0: "PD"}
_PRINTED_MARKS = ("LIGAND_PARTIAL", "CUT_AT_LLOQ", "NOT_COLLECTED")


def levels(
    adam: Adam, study: Study, *, dimension: str | None = None, endpoints: Iterable[str] | None = None
) -> Result:
    """Give the endpoints within each level of each subgroup factor.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, and what the endpoints need.
    study : Study
        ``[[subgroups]]``, ``[subgroup]``, intervals.
    dimension : str, optional
        Only the entries of this dimension.
    endpoints : iterable of str, optional
        Only these of orr, dcr, bor, pfs, os, depth, dlt, crs2, g3rel, cmax.

    Returns
    -------
    Result
        ``subgroups.levels``; group = entry id (Total: all participants), group_var = dimension, variable = endpoint, level
        (missing last). Binary: rate, lower, upper with n = x and N = n of the level. Time: landmark, lower, upper, n_risk;
        variable ``<endpoint> median``: median, lower, upper. Continuous: median, min, max. bor: variable ``bor <category>``,
        stat n. Response and disease control also have ``<endpoint> difference`` and ``<endpoint> gap``. Variable ``entry``:
        label, primary, flags. Variable ``limits``: the numbers of the sentence under every forest. Factors measured after
        baseline or cut by the data are left out.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If an endpoint is unknown.
    StudyError
        If the limits need draws and the study states no seed.
    """
    wanted = tuple(endpoints) if endpoints is not None else ENDPOINTS
    panel, who = open_panel(adam, study, endpoints=dict.fromkeys((*wanted, *CONTRASTED)))
    rows = open_rows("subgroups.levels", "Response by subgroup", who)
    add_levels(rows, panel, study, dimension=dimension, endpoints=wanted)
    if not panel.outcomes["orr"].reason and panel.primary:
        add_summary(rows, panel, study)
    return rows.build()


def add_levels(
    rows: Rows, panel: Panel, study: Study, *, dimension: str | None, endpoints: Iterable[str]
) -> None:
    """Add the endpoints of a panel, in all participants and within each level.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    panel : Panel
        Factors and endpoints.
    study : Study
        Settings.
    dimension : str or None
        Only the entries of this dimension.
    endpoints : iterable of str
        Which.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    factors = [f for f in panel.shown if dimension in (None, f.entry.dimension)]
    everyone = np.ones(panel.n, dtype=np.bool_)
    wanted = [panel.outcomes[name] for name in endpoints]
    for outcome in wanted:
        if outcome.reason:
            stat = {"binary": "rate", "time": "landmark", "ordinal": "n"}.get(outcome.kind, "median")
            add_not_available(rows, [TOTAL], variable=outcome.id, stat=stat, reason=outcome.reason)
        else:
            _ADD[outcome.kind](rows, panel, (TOTAL, ALL, everyone), outcome, study)
    for factor in factors:
        rows.group_var = factor.entry.dimension
        _add_entry(rows, panel, factor, study)
        for outcome in wanted:
            if not outcome.reason:
                _add_outcome(rows, panel, factor, outcome, study=study)
    rows.group_var = panel.column


def _add_entry(rows: Rows, panel: Panel, factor: Factor, study: Study) -> None:
    place: dict[str, Any] = {"group": factor.id, "variable": "entry"}
    rows.add("label", None, text=factor.entry.label, **place)
    rows.add("primary", None, text="Y" if factor.entry.primary else "N", **place)
    rows.add("origin", None, text=factor.entry.origin, **place)
    rows.add("timing", None, text=factor.entry.timing, **place)
    rows.add("flags", None, text=flags_of(factor, panel, study) or "-", **place)
    for level, inside in _groups(factor):
        names = panel.names(inside)
        where = {"group": factor.id, "variable": "size", "level": level, "unit": "participants"}
        rows.add("n", len(names), n=len(names), N=panel.n, subjects=names, **where)


def _groups(factor: Factor) -> list[tuple[str, Flags]]:
    """Return every level with its participants; missing last, and only if someone is."""
    groups = [(level, factor.members[:, place]) for place, level in enumerate(factor.levels)]
    return groups if factor.known.all() else [*groups, (MISSING, ~factor.known)]


def flags_of(factor: Factor, panel: Panel, study: Study) -> str:
    """Return the codes that are printed under a factor.

    Parameters
    ----------
    factor : Factor
        The factor.
    panel : Panel
        The other factors and the endpoint ``orr``.
    study : Study
        Limits.

    Returns
    -------
    str
        Separated by semicolons; empty for none.

    Raises
    ------
    None
    """
    outcome = panel.outcomes.get("orr")
    judged = factor.entry.dimension != "dose"
    populated = int(factor.members.any(axis=0).sum())
    return joined(
        [
            "ONE_LEVEL" if populated == 1 else "",
            FLAG_MISSING if is_often_missing(factor, study) else "",
            "CONFOUNDED" if judged and is_confounded(factor, panel) else "",
            "FRAGILE"
            if judged and outcome and not outcome.reason and is_fragile(factor, outcome, study)
            else "",
            *(code for code in _PRINTED_MARKS if code in factor.marks),
            "POST_BASELINE" if factor.entry.timing != "baseline" else "",
            "DATA_DRIVEN_CUT" if factor.entry.origin == "data_driven" else "",
        ]
    )


def _add_outcome(rows: Rows, panel: Panel, factor: Factor, outcome: Outcome, *, study: Study) -> None:
    for level, inside in _groups(factor):
        _ADD[outcome.kind](rows, panel, (factor.id, level, inside), outcome, study)
    if outcome.id in CONTRASTED and factor.entry.dimension != "dose":
        add_differences(rows, factor, outcome=outcome, study=study)
        add_gap(rows, factor, outcome=outcome, study=study, bounds=is_often_missing(factor, study))


Place = tuple[str, str, Flags]


def _add_binary(rows: Rows, panel: Panel, where: Place, outcome: Outcome, study: Study) -> None:
    group, level, inside = where
    here = inside & outcome.known
    hit = panel.names(here & (outcome.values == 1))
    add_rate(
        rows,
        (len(hit), int(here.sum())),
        study=study,
        where=(group, outcome.id, level),
        subjects=hit,
        min_n=1 if group == TOTAL else study.subgroup.min_ci_n,
    )
    base = panel.names(here)
    if len(base) != int(inside.sum()):
        place = {"group": group, "variable": outcome.id, "level": level, "unit": "participants"}
        rows.add("N", len(base), n=len(base), subjects=base, **place)


def _add_ordinal(rows: Rows, panel: Panel, where: Place, outcome: Outcome, study: Study) -> None:
    group, level, inside = where
    size = int(inside.sum())
    for rank, category in _BOR.items():
        names = panel.names(inside & (outcome.values == rank))
        rows.add(
            "n",
            len(names),
            group=group,
            variable=f"bor {category}",
            level=level,
            n=len(names),
            N=size,
            subjects=names,
        )
    names = panel.names(inside & ~outcome.known)
    rows.add(
        "n", len(names), group=group, variable="bor NE", level=level, n=len(names), N=size, subjects=names
    )


def _add_continuous(rows: Rows, panel: Panel, where: Place, outcome: Outcome, study: Study) -> None:
    group, level, inside = where
    here = inside & outcome.known
    values = outcome.values[here]
    place: dict[str, Any] = {
        "group": group,
        "variable": outcome.id,
        "level": level,
        "n": len(values),
        "N": int(inside.sum()),
        "unit": outcome.unit,
    }
    for stat, function in (("median", np.median), ("min", np.min), ("max", np.max)):
        if len(values):
            names = panel.names(here) if stat == "median" else ()
            rows.add(stat, float(function(values)), subjects=names, **place)
        else:
            rows.add(stat, None, status="NE", reason="NO_DATA", **place)


def _add_time(rows: Rows, panel: Panel, where: Place, outcome: Outcome, study: Study) -> None:
    group, level, inside = where
    here = inside & outcome.known
    method = f"Kaplan-Meier, {study.stats.km_interval} interval, level {study.stats.level:g}"
    size = int(here.sum())
    place: dict[str, Any] = {
        "group": group,
        "variable": outcome.id,
        "level": level,
        "method": method,
        "n": int(outcome.events[here].sum()),
        "N": size,
    }
    late: dict[str, Any] = {**place, "variable": f"{outcome.id} median", "unit": "months"}
    least = study.subgroup.min_ci_n if group != TOTAL else 1
    if size < least:
        reason = "NO_DATA" if size == 0 else "LEVEL_N_LT_3"
        for stat in ("landmark", "lower", "upper"):
            rows.add(stat, None, status="NE", reason=reason, **place)
        rows.add("n_risk", 0 if size == 0 else _at_risk(outcome, here, study), **place)
        for stat in ("median", "lower", "upper"):
            rows.add(stat, None, status="NE", reason=reason, **late)
        return
    curve = kaplan_meier(
        outcome.values[here],
        outcome.events[here],
        level=study.stats.level,
        interval=study.stats.km_interval,
    )
    _add_landmark(rows, curve, place, (outcome, here), study)
    _add_median(rows, curve, late)


def _at_risk(outcome: Outcome, here: Flags, study: Study) -> int:
    day = study.subgroup.pfs_landmark_months * DAYS_PER_MONTH
    return int((outcome.values[here] >= day).sum())


def _add_landmark(
    rows: Rows, curve: Any, place: dict[str, Any], who: tuple[Outcome, Flags], study: Study
) -> None:
    outcome, here = who
    at_risk = _at_risk(outcome, here, study)
    rows.add("n_risk", at_risk, **place)
    point = curve.at(study.subgroup.pfs_landmark_months * DAYS_PER_MONTH)
    found = {"landmark": float(point.value), "lower": float(point.lower), "upper": float(point.upper)}
    withheld = ""
    if not math.isfinite(found["landmark"]):
        withheld = "BEYOND_FOLLOWUP"
    elif at_risk < MIN_AT_RISK:
        withheld = "AT_RISK_LT_3"
    for stat, value in found.items():
        if withheld or not math.isfinite(value):
            limit = "CI_AT_ZERO" if found["landmark"] == 0 else "CI_AT_ONE"
            rows.add(stat, None, status="NE", reason=withheld or limit, **place)
        else:
            rows.add(stat, value, unit="probability", **place)


def _add_median(rows: Rows, curve: Any, place: dict[str, Any]) -> None:
    median = curve.quantile(0.5)
    absent = {
        "median": ("NR", "MEDIAN_NOT_REACHED"),
        "lower": ("NE", "CI_LOWER_NE"),
        "upper": ("NR", "CI_UPPER_NR"),
    }
    found = {"median": median.value, "lower": median.lower, "upper": median.upper}
    for stat, value in found.items():
        if math.isfinite(float(value)):
            rows.add(stat, float(value) / DAYS_PER_MONTH, **place)
        else:
            rows.add(stat, None, status=absent[stat][0], reason=absent[stat][1], **place)


_ADD = {
    "binary": _add_binary,
    "ordinal": _add_ordinal,
    "continuous": _add_continuous,
    "time": _add_time,
}


def post_baseline(adam: Adam, study: Study) -> Result:
    """Give time to event from a landmark day within levels that are known after baseline only.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, ADTTE.
    study : Study
        ``kinetics.landmark_day``; entries with ``timing = "post_baseline"``.

    Returns
    -------
    Result
        ``subgroups.post_baseline``; as `levels` for pfs and os, with days counted from the landmark and the number of those observed on it; variable
        ``<endpoint> left_out``: participants with an event, censored or not observed by then.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    panel, who = open_panel(adam, study, endpoints=("pfs", "os"))
    day = study.kinetics.landmark_day
    rows = open_rows("subgroups.post_baseline", f"Time to event from day {day:g} by later factors", who)
    factors = [f for f in panel.factors if f.entry.timing == "post_baseline"]
    rows.add("day", day, variable="landmark", unit="days")
    for outcome in panel.outcomes.values():
        if outcome.reason:
            add_not_available(rows, [TOTAL], variable=outcome.id, stat="landmark", reason=outcome.reason)
            continue
        late = _from_day(outcome, float(day))
        for factor in factors:
            rows.group_var = factor.entry.dimension
            if outcome.id == "pfs":
                _add_entry(rows, panel, factor, study)
            _add_outcome(rows, panel, factor, late, study=study)
            _add_observed(rows, panel, factor, late)
            gone = panel.names(~late.known)
            rows.add(
                "n",
                len(gone),
                group=factor.id,
                variable=f"{outcome.id} left_out",
                n=len(gone),
                N=panel.n,
                subjects=gone,
            )
    rows.group_var = panel.column
    return rows.build()


def _add_observed(rows: Rows, panel: Panel, factor: Factor, late: Outcome) -> None:
    """Add the number of participants of each level who are observed on the landmark day."""
    for level, inside in _groups(factor):
        names = panel.names(inside & late.known)
        place = {"group": factor.id, "variable": late.id, "level": level, "unit": "participants"}
        rows.add("N", len(names), n=len(names), subjects=names, **place)


def _from_day(outcome: Outcome, day: float) -> Outcome:
    stays = outcome.known & (np.nan_to_num(outcome.values) > day)
    values = np.where(stays, outcome.values - day, np.nan)
    return Outcome(outcome.id, outcome.kind, values, outcome.events & stays, outcome.population)
