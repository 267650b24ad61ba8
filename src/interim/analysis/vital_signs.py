"""Vital signs, electrocardiogram, echocardiogram and performance status: values, outliers, shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.analysis.by_visit import add_by_visit
from interim.analysis.layout import printed_rows
from interim.analysis.listing import built, listing, study_days
from interim.analysis.population import Population, add_counts, add_not_available, open_rows, population
from interim.result import TOTAL, Result, Rows
from interim.study import Study

MISSING = "missing"
PERFORMANCE = "ECOG"
#: Side of a limit -> (column of ADVS, whether a value lies beyond the limit).
_SIDES: Mapping[str, tuple[str, Callable[[pd.Series, float], pd.Series]]] = {
    "at_least": ("AVAL", lambda value, limit: value >= limit),
    "above": ("AVAL", lambda value, limit: value > limit),
    "below": ("AVAL", lambda value, limit: value < limit),
    "rise_above": ("CHG", lambda value, limit: value > limit),
    "fall_of": ("CHG", lambda value, limit: -value >= limit),
}
_OF_STUDY = {"low": "below", "high": "above"}


def limits_of(study: Study) -> dict[str, list[dict[str, Any]]]:
    """Return the limits of every parameter: those of the layout, those of value replaced where the study has its own.

    Parameters
    ----------
    study : Study
        ``safety.vs_limits``.

    Returns
    -------
    dict
        Parameter -> limits, each with ``side`` and ``limit``.

    Raises
    ------
    None
    """
    limits = {code: list(items) for code, items in printed_rows()["vital_signs"]["limits"].items()}
    for code, own in study.safety.vs_limits.items():
        changes = [item for item in limits.get(code, []) if _SIDES[item["side"]][0] == "CHG"]
        mine = [{"side": _OF_STUDY[end], "limit": own[end]} for end in ("low", "high") if end in own]
        limits[code] = [*mine, *changes]
    return limits


def _opened(adam: Adam, study: Study, names: tuple[str, str]) -> tuple[Population, Rows, str]:
    who = population(adam, study, "NK-SAF")
    rows = open_rows(names[0], names[1], who)
    reason = "" if adam.has("ADVS") else f"not available: {adam.missing.get('ADVS', 'no vital signs')}"
    return who, rows, reason


def _results(adam: Adam, who: Population, study: Study) -> pd.DataFrame:
    """Return the values of the members under the first base type, in order of time."""
    advs = adam["ADVS"]
    keep = (advs["BASETYPE"] == first_base_type(study)) & advs["USUBJID"].isin(who.everyone)
    rows = advs[keep & advs["AVAL"].notna()]
    return ordered(rows, ["USUBJID", "PARAMCD", "ADT", "ADTM", "SRCSEQ"])


def values_by_visit(adam: Adam, study: Study) -> Result:
    """Summarise vital signs and their change from baseline by visit.

    Parameters
    ----------
    adam : Adam
        ADSL and ADVS.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``vital_signs.values_by_visit``; rows as in `interim.analysis.laboratory.values_by_visit`; a parameter of the layout
        without a value is NA.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("vital_signs.values_by_visit", "Vital signs and change by visit")
    who, rows, reason = _opened(adam, study, names)
    codes = printed_rows()["vital_signs"]["by_visit"]
    frame = None if reason else _results(adam, who, study)
    for code in codes:
        if frame is None or not (frame["PARAMCD"] == code).any():
            add_not_available(rows, [TOTAL], variable=code, reason=reason or "not collected")
        else:
            add_by_visit(rows, frame, [code])
    return rows.build()


def marked(adam: Adam, study: Study) -> Result:
    """Count participants with markedly abnormal vital signs after the first infusion, and soon after any infusion.

    Parameters
    ----------
    adam : Adam
        ADSL and ADVS.
    study : Study
        ``safety.vs_limits``, ``safety.teae_end_days``.

    Returns
    -------
    Result
        ``vital_signs.marked``; variable = parameter; level measured (a value on treatment), and ``<side> <limit>`` with stats n
        (on treatment) and ``n_<hours>`` (within the hours after an infusion).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    apart = printed_rows()["vital_signs"]["ecg"]
    codes = [code for code in limits_of(study) if code not in apart]
    return _outliers(adam, study, ("vital_signs.marked", "Markedly abnormal vital signs"), codes)


def electrocardiogram(adam: Adam, study: Study) -> Result:
    """Count participants with a long QT interval, a rise of it, or a fall of the ejection fraction.

    Parameters
    ----------
    adam : Adam
        ADSL and ADVS.
    study : Study
        ``safety.vs_limits``, ``safety.teae_end_days``.

    Returns
    -------
    Result
        ``vital_signs.electrocardiogram``; rows as in `marked`, without hours; level measured_change: a value and a baseline.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("vital_signs.electrocardiogram", "ECG and echocardiography")
    return _outliers(adam, study, names, printed_rows()["vital_signs"]["ecg"])


def _outliers(adam: Adam, study: Study, names: tuple[str, str], codes: list[str]) -> Result:
    who, rows, reason = _opened(adam, study, names)
    frame = None if reason else _results(adam, who, study)
    hours = printed_rows()["vital_signs"]["windows_h"] if names[0].endswith("marked") else ()
    for code in codes:
        mine = None if frame is None else frame[(frame["PARAMCD"] == code)]
        if mine is None or mine.empty:
            add_not_available(rows, who.groups, variable=code, reason=reason or "not collected")
        else:
            treated = mine[mine["ONTRTFL"] == "Y"]
            _add_parameter(rows, who, treated, code=code, limits=limits_of(study)[code], hours=hours)
    return rows.build()


def _add_parameter(
    rows: Rows,
    who: Population,
    treated: pd.DataFrame,
    *,
    code: str,
    limits: list[dict[str, Any]],
    hours: list[int] | tuple[()],
) -> None:
    unit = str(treated["AVALU"].iloc[0] or "") if len(treated) else ""
    for kind, column in (("measured", "AVAL"), ("measured_change", "CHG")):
        if column in {_SIDES[item["side"]][0] for item in limits}:
            known = treated.loc[treated[column].notna(), "USUBJID"]
            add_counts(rows, who, variable=code, level=kind, subjects=known)
    for item in limits:
        column, beyond = _SIDES[item["side"]]
        hit = treated[beyond(treated[column].round(9), item["limit"])]
        level = f"{item['side']} {item['limit']:g} {unit}".strip()
        add_counts(rows, who, variable=code, level=level, subjects=hit["USUBJID"])
        for window in hours:
            soon = hit.loc[hit["AHRSINF"] <= window, "USUBJID"]
            add_counts(rows, who, variable=code, level=level, stat=f"n_{window}", subjects=soon)


def ecog_shift(adam: Adam, study: Study) -> Result:
    """Cross performance status at baseline with the worst and the last one after the first infusion.

    Parameters
    ----------
    adam : Adam
        ADSL and ADVS.
    study : Study
        Columns; ``safety.teae_end_days`` does not end it: every assessment up to the cut-off counts.

    Returns
    -------
    Result
        ``vital_signs.ecog_shift``; the total only; variable worst and last, level = grade at baseline (0 to 5, missing), stat =
        ``to <grade>``; variable assessed with stats n (assessed after the first infusion), without, and rise (worst above
        baseline).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who, rows, reason = _opened(adam, study, ("vital_signs.ecog_shift", "ECOG shift"))
    mine = None if reason else _results(adam, who, study).loc[lambda f: f["PARAMCD"] == PERFORMANCE]
    if mine is None or mine.empty:
        add_not_available(rows, [TOTAL], variable="assessed", reason=reason or "not collected")
        return rows.build()
    base = mine[mine["ABLFL"] == "Y"].set_index("USUBJID")["AVAL"]
    later = mine[mine["APHASE"].notna() & (mine["ABLFL"] != "Y")]
    found = {"worst": later.groupby("USUBJID")["AVAL"].max(), "last": later.groupby("USUBJID")["AVAL"].last()}
    assessed = sorted(set(later["USUBJID"]))
    without = sorted(who.everyone - set(assessed))
    worse = sorted(s for s in assessed if s in base.index and found["worst"][s] > base[s])
    for stat, people in (("n", assessed), ("without", without)):
        rows.add(stat, len(people), variable="assessed", n=len(people), N=who.n(), subjects=people)
    rows.add("rise", len(worse), variable="assessed", n=len(worse), N=len(assessed), subjects=worse)
    for variable, grade in found.items():
        _add_shift(rows, variable, base.reindex(grade.index), grade)
    return rows.build()


def _add_shift(rows: Rows, variable: str, base: pd.Series, grade: pd.Series) -> None:
    grades = printed_rows()["vital_signs"]["ecog_grades"]
    for start in (*grades, MISSING):
        row = base.isna() if start == MISSING else base == start
        for end in grades:
            hit = sorted(grade.index[row & (grade == end)])
            place: dict[str, Any] = {
                "variable": variable,
                "level": str(start),
                "n": len(hit),
                "N": len(grade),
            }
            rows.add(f"to {end}", len(hit), subjects=hit, **place)


def measurements(adam: Adam, study: Study) -> Result:
    """List vital signs, electrocardiogram and performance status by participant and moment.

    Parameters
    ----------
    adam : Adam
        ADSL and ADVS.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``vital_signs.measurements``; a record per participant, moment and position: day, clock, visit, position, and a column
        per parameter of ADVS in lower case; of several values of one moment the last record.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("vital_signs.measurements", "Listing: Vital signs, ECG, ECOG")
    who, rows, there = listing(adam, study, names, code="NK-SAF", needs=("ADVS",))
    if not there:
        return rows.build()
    mine = _results(adam, who, study)
    moment = ["USUBJID", "ADT", "ADTM", "APOS"]
    wide = mine.pivot_table(index=moment, columns="PARAMCD", values="AVAL", aggfunc="last", dropna=False)
    wide = wide.dropna(how="all")
    visits = mine.drop_duplicates(moment).set_index(moment)["VISIT"].reindex(wide.index)
    days = wide.index.to_frame(index=False)
    frame = pd.DataFrame(
        {
            "USUBJID": days["USUBJID"],
            "day": study_days(days, "ADT", adsl=adam["ADSL"]),
            "clock": days["ADTM"].dt.strftime("%H:%M").astype(object),
            "visit": visits.to_numpy(dtype=object),
            "position": days["APOS"].astype(object),
        }
    )
    values = wide.reset_index(drop=True).rename(columns=str.lower)
    return built(rows, frame.join(values.astype("float64")), who=who, order=["day", "clock", "position"])
