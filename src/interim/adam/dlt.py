"""Dose-limiting toxicity: the window, the events that count, and the status of each participant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adae_emergence import before
from interim.adam.adex import received_dose
from interim.adam.conditions import all_hold
from interim.adam.source import by_subject, date_columns, ordered, shipped_data, text_column, text_missing
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

Facts = tuple[dict[str, dict[str, Any]], dict[str, Any]]
"""Facts by participant, and those of a participant who has none."""
WINDOW = ("USUBJID", "DLTWSDT", "DLTWSDTM", "DLTWEDT", "DLTWRS")
EVALUABLE, PENDING, NOT_EVALUABLE = "EVALUABLE", "PENDING", "NOT EVALUABLE"
_WITHDRAWN = "DRUG WITHDRAWN"
_ADVERSE_EVENT = "ADVERSE EVENT"


def has_dose_ladder(study: Study) -> bool:
    """Tell whether the study has dose levels of a T-cell product.

    Parameters
    ----------
    study : Study
        Products and ``cohort.variable``.

    Returns
    -------
    bool
        Without them no DLT facts are derived.

    Raises
    ------
    None
    """
    return study.cohort.variable is None and bool(study.with_role("t"))


def dlt_windows(sdtm: Sdtm, adsl: pd.DataFrame, *, adex: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Derive the DLT window of each participant (AMB-3).

    Parameters
    ----------
    sdtm : Sdtm
        AE: whether a second cycle was not given because of toxicity.
    adsl : pandas.DataFrame
        Core of ADSL.
    adex : pandas.DataFrame
        ADEX.
    study : Study
        ``dose.window_anchor``, ``dose.window_days``, ``dose.window_includes_nk_phase``.

    Returns
    -------
    pandas.DataFrame
        One row per participant with a window: USUBJID, DLTWSDT, DLTWSDTM (if timed), DLTWEDT (NaT: open), DLTWRS (None,
        WAIT-CYCLE2 or NO-CYCLE2: why there is no end yet).

    Raises
    ------
    None
    """
    if not has_dose_ladder(study):
        return pd.DataFrame(
            {n: pd.Series(dtype=object if n in ("USUBJID", "DLTWRS") else "datetime64[ns]") for n in WINDOW}
        )
    start, moment = ("TRTSNK", "TRTSNKM") if study.dose.window_includes_nk_phase else ("TRTSCT", "TRTSCTM")
    frame = adsl.loc[adsl[start].notna(), ["USUBJID", start, moment]].copy()
    frame.columns = ["USUBJID", "DLTWSDT", "DLTWSDTM"]
    anchors = _anchors(sdtm, adsl, adex, study)
    frame = frame.merge(anchors, on="USUBJID", how="left", validate="1:1")
    frame["DLTWEDT"] = frame["ANCHOR"] + pd.Timedelta(study.dose.window_days, unit="D")
    return text_missing(ordered(frame[list(WINDOW)], ["USUBJID"]))


def _anchors(sdtm: Sdtm, adsl: pd.DataFrame, adex: pd.DataFrame, study: Study) -> pd.DataFrame:
    cells = adex[adex["ROLE"] == "t"]
    frame = pd.DataFrame({"USUBJID": sorted(set(cells["USUBJID"]))}, dtype=object)
    first_cycle = cells[cells["ACYCLE"] == 1].groupby("USUBJID")["ASTDT"]
    how = study.dose.window_anchor
    pick = first_cycle.min() if how == "c1_first_infusion" else first_cycle.max()
    if how == "c2_last_infusion":
        pick = cells[cells["ACYCLE"] == 2].groupby("USUBJID")["ASTDT"].max()
    frame["ANCHOR"] = frame["USUBJID"].map(pick).astype("datetime64[ns]")
    frame["DLTWRS"] = pd.Series(None, index=frame.index, dtype=object)
    return frame if how != "c2_last_infusion" else _without_second_cycle(frame, sdtm, adsl, cells)


def _without_second_cycle(
    frame: pd.DataFrame, sdtm: Sdtm, adsl: pd.DataFrame, cells: pd.DataFrame
) -> pd.DataFrame:
    """Use the last infusion given where toxicity was the reason; otherwise there is no anchor."""
    last = frame["USUBJID"].map(cells.groupby("USUBJID")["ASTDT"].max()).astype("datetime64[ns]")
    reason, status = by_subject(frame, adsl, "DCSREAS"), by_subject(frame, adsl, "EOSSTT")
    source = sdtm.domain("AE")
    withdrawn = set(source.loc[text_column(source, "AEACN") == _WITHDRAWN, "USUBJID"])
    toxic = frame["USUBJID"].isin(withdrawn) | (reason == _ADVERSE_EVENT)
    waits = (by_subject(frame, adsl, "DCUTDT") - last).dt.days <= shipped_data("exposure")["cycle2_wait_days"]
    why = pd.Series(
        np.where(waits & (status == "ONGOING"), "WAIT-CYCLE2", "NO-CYCLE2"), index=frame.index, dtype=object
    )
    missing = frame["ANCHOR"].isna()
    return frame.assign(
        ANCHOR=frame["ANCHOR"].where(~(missing & toxic), last), DLTWRS=why.where(missing & ~toxic, None)
    )


def may_lie_inside(adae: pd.DataFrame, windows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Tell which events can have begun in the DLT window, and which have for certain.

    Parameters
    ----------
    adae : pandas.DataFrame
        USUBJID, ASTDT, ASTDTM, ASTDTF, ASTLODT, ASTHIDT, AENDT.
    windows : pandas.DataFrame
        As `dlt_windows` gives them.

    Returns
    -------
    tuple of pandas.Series of bool
        Possible, certain; both on the index of ``adae``.

    Raises
    ------
    None

    Notes
    -----
    Both ends of the window are included. An event without any start date can lie inside unless it ended before the window.
    """
    start, moment = by_subject(adae, windows, "DLTWSDT"), by_subject(adae, windows, "DLTWSDTM")
    end = by_subject(adae, windows, "DLTWEDT")
    exact = adae["ASTDTF"].isna() & adae["ASTDT"].notna()
    low = adae["ASTDT"].where(exact, adae["ASTLODT"])
    high = adae["ASTDT"].where(exact, adae["ASTHIDT"].fillna(adae["AENDT"]))
    first = {"reference": start, "reference_moment": moment}
    timed = adae["ASTDTM"].where(exact)
    early = before(high, timed, **first)
    late = low > end
    has = start.notna()
    certain = has & low.notna() & high.notna() & ~before(low, timed, **first)
    return has & ~early & ~late, certain & ~(high > end)


def flag_dlt(
    adae: pd.DataFrame, windows: pd.DataFrame, study: Study
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Flag the dose-limiting toxicities among the events.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE with everything that ``dose.dlt_rules`` names; DLTFL of SUPPAE, if collected, as column DLTREPFL.
    windows : pandas.DataFrame
        As `dlt_windows` gives them.
    study : Study
        ``dose.dlt_rules``, ``dose.partial_date_policy``.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        ``adae`` with DLTWINFL (onset in the window), DLTDRFL (derived), DLTRULE (ids of the rules that hold), DLTFL
        (derived or reported); findings DOSE-DLTDIFF where derived and reported differ.

    Raises
    ------
    StudyError
        If a rule names a variable that ADAE does not have.
    """
    possible, certain = may_lie_inside(adae, windows)
    inside = possible if study.dose.partial_date_policy == "worst_case" else certain
    matched = pd.DataFrame(index=adae.index)
    if has_dose_ladder(study):
        for place, rule in enumerate(study.dose.dlt_rules):
            matched[rule.id] = all_hold(adae, rule.all, path=f"dose.dlt_rules[{place}]") & inside
    names = _rule_names(matched)
    derived = matched.any(axis=1)
    reported = adae["DLTREPFL"] == "Y" if "DLTREPFL" in adae else pd.Series(False, index=adae.index)
    frame = adae.assign(
        DLTWINFL=_flag(inside),
        DLTDRFL=_flag(derived),
        DLTRULE=names,
        DLTFL=_flag(derived | reported),
    )
    different = (derived != reported) if "DLTREPFL" in adae and len(matched.columns) else derived & False
    return frame, tuple(_difference(row) for _, row in frame[different].iterrows()) if different.any() else ()


def _rule_names(matched: pd.DataFrame) -> pd.Series:
    """Return the ids of the rules that hold for each event, None for none."""
    rows = matched.to_numpy(dtype=bool)
    names = ["; ".join(str(name) for name in matched.columns[row]) or None for row in rows]
    return pd.Series(names, index=matched.index, dtype=object)


def _flag(holds: pd.Series) -> pd.Series:
    return holds.astype(bool).map({True: "Y", False: "N"}).astype(object)


def _difference(row: pd.Series) -> Finding:
    derived = row["DLTDRFL"] == "Y"
    what = (
        f"meets {row['DLTRULE']} in the window but was not reported"
        if derived
        else "was reported but meets no rule in the window"
    )
    return Finding(
        "DOSE-DLTDIFF",
        "warn",
        "AE",
        f"{row['AEDECOD'] or row['AETERM']} {what}; it counts as a DLT, confirm it",
        subject=str(row["USUBJID"]),
        key=(row["SRCSEQ"] or "",),
        variable="DLTFL",
        value="N" if derived else "Y",
        expected=row["DLTDRFL"],
        effect=("T 14.2.1.2", "T 14.2.1.3"),
    )


def derive_addlt(
    adsl: pd.DataFrame, adae: pd.DataFrame, *, windows: pd.DataFrame, adex: pd.DataFrame, study: Study
) -> pd.DataFrame:
    """Derive the DLT facts of each participant as of the cut-off.

    Parameters
    ----------
    adsl : pandas.DataFrame
        Core of ADSL.
    adae : pandas.DataFrame
        ADAE with DLTFL and TRIGFL.
    windows : pandas.DataFrame
        As `dlt_windows` gives them.
    adex : pandas.DataFrame
        ADEX.
    study : Study
        ``[dose]``.

    Returns
    -------
    pandas.DataFrame
        One row per enrolled participant with a dose level and per participant with an infusion, in the order of assignment: USUBJID, ORDER, COHORT, LEVEL,
        ASSIGNDT (first T-cell infusion, else first infusion, else enrolment, else consent), DLTWSDT, DLTWEDT, DLTSTAT (EVALUABLE, PENDING, NOT EVALUABLE),
        DLTSTRS, STATKNDT (when the status was known), DLTFL, DLTDT, DLTKNDT, TRIGFL (None: an open query), TRIGDT, TRIGKNDT, NINFNK, NINFCT, PLANDOSE,
        ACTDOSE (cells per kg).

    Raises
    ------
    None
    """
    planned = {f"DL{place}": (place, dose) for place, dose in enumerate(study.dose.levels, 1)}
    received = received_dose(adex, study)
    queried = set(adae.loc[adae["TRIGFL"].isna(), "USUBJID"])
    facts = [_of_windows(windows), _of_events(adae, "DLT"), _of_events(adae, "TRIG")]
    rows = []
    for row in _participants(adsl, planned):
        who = row["USUBJID"]
        for found, absent in facts:
            row |= found.get(who, absent)
        row["LEVEL"], row["PLANDOSE"] = planned.get(row["COHORT"], (None, None))
        row["ACTDOSE"] = received.get(who)
        row["TRIGFL"] = None if row["TRIGFL"] == "N" and who in queried else row["TRIGFL"]
        row["ASSIGNDT"] = _assigned(row)
        row["DLTSTAT"], row["DLTSTRS"], row["STATKNDT"] = _status(row, study)
        rows.append(row)
    rows = [row | {"ORDER": order} for order, row in enumerate(sorted(rows, key=_place), 1)]
    columns = {name: [row[name] for row in rows] for name in _ADDLT}
    return text_missing(pd.DataFrame({n: pd.Series(columns[n], dtype=kind) for n, kind in _ADDLT.items()}))


def _participants(adsl: pd.DataFrame, levels: Collection[str]) -> list[dict[str, Any]]:
    """Return who is assigned to a dose level or treated, with the dates on which a status can be known."""
    assigned = adsl["COHORT"].isin(list(levels)) & (adsl["ENRLFL"] == "Y")
    frame = adsl.loc[assigned | (adsl["NINFNK"] + adsl["NINFCT"] > 0), [n for n in _OF_ADSL if n in adsl]]
    left = _earlier(frame["EOSDT"], frame["DTHDT"])
    frame = frame.assign(LEFTDT=left, NOCYCLE2=no_second_cycle(frame["TRTECT"], left))
    found: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return found


def _of_windows(windows: pd.DataFrame) -> Facts:
    """Return the window of each participant, and what stands for one without a window."""
    absent = {"DLTWSDT": pd.NaT, "DLTWEDT": pd.NaT, "DLTWRS": None}
    columns = (windows[name].tolist() for name in absent)
    rows = (dict(zip(absent, row, strict=True)) for row in zip(*columns, strict=True))
    return dict(zip(windows["USUBJID"], rows, strict=True)), absent


def _of_events(adae: pd.DataFrame, name: str) -> Facts:
    """Return first onset and first date of knowledge of the flagged events; a partial date is not before the onset."""
    events = adae[adae[f"{name}FL"] == "Y"]
    reported = date_columns(events, "AERPTDTC")
    days: dict[str, list[tuple[Any, Any]]] = {}
    columns = (events["USUBJID"], events["ASTDT"], reported["DT"], reported["FIRST"])
    for who, onset, day, first in zip(*columns, strict=True):
        known = onset if pd.isna(day) and first < onset else first
        days.setdefault(who, []).append((onset, known))
    keys = (f"{name}DT", f"{name}KNDT", f"{name}FL")
    found = {who: (*map(_earliest, zip(*pairs, strict=True)), "Y") for who, pairs in days.items()}
    none = (pd.NaT, pd.NaT, "N")
    return {who: dict(zip(keys, fact, strict=True)) for who, fact in found.items()}, dict(
        zip(keys, none, strict=True)
    )


def _earliest(days: Iterable[Any]) -> Any:
    """Return the earliest day that is known."""
    return min((day for day in days if day is not pd.NaT), default=pd.NaT)


def _assigned(row: Mapping[str, Any]) -> Any:
    """Return the day on which the dose level took effect; before any infusion the day on which it could be given at the earliest."""
    days = (row.get(name, pd.NaT) for name in ("TRTSCT", "TRTSDT", "ENRLDT", "RFICDT"))
    return next((day for day in days if day is not pd.NaT), pd.NaT)


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what orders the assignments; who has no date of a kind comes after those who have one."""
    days = (row[name] for name in ("ASSIGNDT", "TRTSCTM", "TRTSDT", "TRTSDTM"))
    return (*((day is pd.NaT, day) for day in days), row["USUBJID"])


def _status(row: Mapping[str, Any], study: Study) -> tuple[str, str | None, Any]:
    """Return the status of a participant, its reason and the date on which it was known; the first case that applies decides."""
    left, end, no_cart = row["LEFTDT"], row["DLTWEDT"], row["NINFCT"] == 0
    why, decided = row["NOCTRS"], row["NOCTDT"]
    closed = not pd.isna(why) or row["EOSSTT"] != "ONGOING" or row["DTHFL"] == "Y"
    departed = "DEATH-IN-WINDOW" if row["DTHDT"] == left else "OFF-STUDY-IN-WINDOW"
    cases: tuple[tuple[bool, str, str | None, Any], ...] = (
        (row["DLTFL"] == "Y", EVALUABLE, None, row["DLTKNDT"]),
        (
            no_cart and closed,
            NOT_EVALUABLE,
            "NO-CART" if pd.isna(why) else f"NO-CART: {why}",
            left if decided is pd.NaT else decided,
        ),
        (no_cart or row["DLTWRS"] == "WAIT-CYCLE2", PENDING, PENDING, pd.NaT),
        (row["DLTWRS"] == "NO-CYCLE2", NOT_EVALUABLE, "NO-CYCLE2", row["NOCYCLE2"]),
        (left < end, NOT_EVALUABLE, departed, left),
        (end > row["DCUTDT"], PENDING, PENDING, pd.NaT),
        (row["NINFCT"] < study.dose.min_infusions, NOT_EVALUABLE, "MIN-INFUSIONS", end),
        (end is not pd.NaT, EVALUABLE, None, end),
        (True, PENDING, PENDING, pd.NaT),
    )
    return next((value, reason, known) for holds, value, reason, known in cases if holds)


_OF_ADSL = (
    "USUBJID",
    "COHORT",
    "ENRLDT",
    "RFICDT",
    "TRTSDT",
    "TRTSDTM",
    "TRTSCT",
    "TRTSCTM",
    "TRTECT",
    "NINFNK",
    "NINFCT",
    "NOCTRS",
    "NOCTDT",
    "EOSDT",
    "EOSSTT",
    "DTHDT",
    "DTHFL",
    "DCUTDT",
)
_TEXT, _NUMBER, _DATE = "object", "float64", "datetime64[ns]"
_ADDLT = {
    "USUBJID": _TEXT,
    "ORDER": _NUMBER,
    "COHORT": _TEXT,
    "LEVEL": _NUMBER,
    "ASSIGNDT": _DATE,
    "DLTWSDT": _DATE,
    "DLTWEDT": _DATE,
    "DLTSTAT": _TEXT,
    "DLTSTRS": _TEXT,
    "STATKNDT": _DATE,
    "DLTFL": _TEXT,
    "DLTDT": _DATE,
    "DLTKNDT": _DATE,
    "TRIGFL": _TEXT,
    "TRIGDT": _DATE,
    "TRIGKNDT": _DATE,
    "NINFNK": _NUMBER,
    "NINFCT": _NUMBER,
    "PLANDOSE": _NUMBER,
    "ACTDOSE": _NUMBER,
}


def _earlier(first: pd.Series, second: pd.Series) -> pd.Series:
    """Return the earlier of two dates, or the one that is known."""
    return pd.Series(np.fmin(first.to_numpy(), second.to_numpy()), index=first.index).astype("datetime64[ns]")


def no_second_cycle(last: pd.Series, left: pd.Series) -> pd.Series:
    """Return the day from which it is known that no second cycle follows, for participants without one.

    Parameters
    ----------
    last : pandas.Series of datetime64[ns]
        Date of the last infusion of T cells.
    left : pandas.Series of datetime64[ns]
        Date of death or end of study, on the same index; NaT for those who stay.

    Returns
    -------
    pandas.Series of datetime64[ns]
        The day after the longest wait (``cycle2_wait_days`` of exposure.toml), or leaving the study before it.

    Raises
    ------
    None
    """
    wait = pd.Timedelta(shipped_data("exposure")["cycle2_wait_days"] + 1, unit="D")
    return _earlier(left, last + wait)


def history_frame(addlt: pd.DataFrame) -> pd.DataFrame:
    """Return the participants with a dose level as the rows of a dose-escalation history.

    Parameters
    ----------
    addlt : pandas.DataFrame
        ADDLT.

    Returns
    -------
    pandas.DataFrame
        Columns participant, order, level, assigned, window_start, window_end, status, dlt, trigger, status_known, dlt_known,
        trigger_known, dlt_onset, trigger_onset, infusions (of T cells, else of NK cells), planned_dose, actual_dose.

    Raises
    ------
    None
    """
    rows = addlt[addlt["LEVEL"].notna()].reset_index(drop=True)
    triggers = {"Y": True, "N": False}
    return pd.DataFrame(
        {
            "participant": rows["USUBJID"],
            "order": rows["ORDER"].astype(int),
            "level": rows["LEVEL"].astype(int),
            "assigned": rows["ASSIGNDT"],
            "window_start": rows["DLTWSDT"],
            "window_end": rows["DLTWEDT"],
            "status": [None if pd.isna(text) else text.lower().replace(" ", "_") for text in rows["DLTSTAT"]],
            "dlt": rows["DLTFL"] == "Y",
            "trigger": pd.Series([triggers.get(flag) for flag in rows["TRIGFL"]], dtype=object),
            "status_known": rows["STATKNDT"],
            "dlt_known": rows["DLTKNDT"],
            "trigger_known": rows["TRIGKNDT"],
            "dlt_onset": rows["DLTDT"],
            "trigger_onset": rows["TRIGDT"],
            "infusions": rows["NINFCT"].where(rows["NINFCT"] > 0, rows["NINFNK"]).astype(int),
            "planned_dose": rows["PLANDOSE"],
            "actual_dose": rows["ACTDOSE"],
        }
    )
