"""Safety by period of treatment with person-time, related events by cause, and deaths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from interim.adam.adae_phase import POST, phase_starts
from interim.adam.model import Adam
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    by_value,
    distinct,
    open_rows,
    population,
)
from interim.analysis.safety import GRADES, NOT_CODED, Condition, add_events, emergent, events_of, has_grades
from interim.result import Result, Rows
from interim.stats.poisson import poisson_interval
from interim.study import Study

PER_DAYS = 100
WHOLE = "TREATMENT"
PHASES = ("NK", "CART_C1", "CART_C2", POST)
_CAUSES: tuple[tuple[str, Condition], ...] = (
    ("related_nk", lambda e: (e["RELNK"] == "Y") & (e["RELCART"] != "Y")),
    ("related_cart", lambda e: (e["RELCART"] == "Y") & (e["RELNK"] != "Y")),
    ("related_both", lambda e: (e["RELNK"] == "Y") & (e["RELCART"] == "Y")),
    ("related_procedure", lambda e: e["RELPROC"] == "Y"),
    ("related_lymphodepletion", lambda e: e["RELLYMPHODEP"] == "Y"),
)
_NEEDS = ("RELNK", "RELCART", "RELPROC", "RELLYMPHODEP")


def person_time(adam: Adam, study: Study) -> pd.DataFrame:
    """Return the person-time of each participant in each period.

    Parameters
    ----------
    adam : Adam
        ADSL and ADEX.
    study : Study
        ``safety.teae_end_days``.

    Returns
    -------
    pandas.DataFrame
        USUBJID, APHASE, DAYS (>= 0): from the start of the period to the start of the next, at most to death, end of
        study or the cut-off; periods that a participant did not reach are absent.

    Raises
    ------
    None

    Notes
    -----
    Both the first and the last day count. The period after treatment begins when the window after the last infusion is over.
    """
    adsl, starts = adam["ADSL"], phase_starts(adam["ADEX"], study)
    last = adsl[["DTHDT", "EOSDT", "DCUTDT"]].min(axis=1)
    ends = pd.Series(last.to_numpy(), index=adsl["USUBJID"])
    rows = starts.sort_values(["USUBJID", "RANK"], kind="stable").reset_index(drop=True)
    following = rows.groupby("USUBJID")["PHSDT"].shift(-1)
    stop = ends.reindex(rows["USUBJID"]).set_axis(rows.index) + pd.Timedelta(1, unit="D")
    until = pd.concat([following, stop], axis=1).min(axis=1)
    days = (until - rows["PHSDT"]).dt.days.astype("float64")
    frame = rows[["USUBJID", "APHASE"]].assign(DAYS=days)
    return frame[frame["DAYS"] > 0].reset_index(drop=True)


def teae_by_period(adam: Adam, study: Study) -> Result:
    """Count emergent events by period of onset, with rates per person-time.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX, ADAE.
    study : Study
        ``safety.teae_end_days``, ``stats.level``.

    Returns
    -------
    Result
        ``safety_period.teae_by_period``; variable = period, before them TREATMENT (from the first infusion to the end of the
        window after the last); level = reached, any, grade3, aesi; stats n (of those who reached the period), events, rate
        (events per 100 person-days), lower, upper (exact Poisson), and for any: days (person-days).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("safety_period.teae_by_period", "Adverse events by treatment period", who)
    events = emergent(adam, who)
    if events is None or not adam.has("ADEX"):
        reason = f"not available: {adam.missing.get('ADAE') or adam.missing.get('ADEX', 'no exposure')}"
        add_not_available(rows, who.groups, variable="NK", level="any", reason=reason)
        return rows.build()
    if not {"ASTDTM", "AENDT"} <= set(adam["ADEX"].columns) or "APHASE" not in events:
        reason = "not available: times of infusion or phase of events"
        add_not_available(rows, who.groups, variable="NK", level="any", reason=reason)
        return rows.build()
    time = person_time(adam, study)
    known = set(time["APHASE"])
    treated = time[time["APHASE"] != POST]
    inside = events[events["APHASE"].isin(set(treated["APHASE"]))]
    whole = treated.groupby("USUBJID")["DAYS"].sum().reset_index()
    _add_period(rows, who, inside, phase=WHOLE, time=whole, study=study)
    for phase in (*PHASES[:-1], *sorted(known - set(PHASES)), POST):
        if phase not in known:
            continue
        inside = time[time["APHASE"] == phase]
        _add_period(rows, who, events[events["APHASE"] == phase], phase=phase, time=inside, study=study)
    return rows.build()


def _add_period(
    rows: Rows, who: Population, events: pd.DataFrame, *, phase: str, time: pd.DataFrame, study: Study
) -> None:
    base = who.narrow(time["USUBJID"])
    add_counts(rows, who, variable=phase, level="reached", subjects=time["USUBJID"])
    kinds: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
        "any": lambda e: e["USUBJID"].notna(),
        "grade3": lambda e: e["AETOXGRN"] >= GRADES[2],
        "aesi": lambda e: e["AESIFL"] == "Y",
    }
    for level, condition in kinds.items():
        if level == "grade3" and "AETOXGRN" not in events:
            continue
        chosen = events[condition(events)]
        add_events(rows, base, chosen, variable=phase, level=level)
        _add_rate(rows, base, chosen, place=(phase, level), time=time, study=study)


def _add_rate(
    rows: Rows,
    base: Population,
    events: pd.DataFrame,
    *,
    place: tuple[str, str],
    time: pd.DataFrame,
    study: Study,
) -> None:
    method = f"exact Poisson, level {study.stats.level:g}"
    episodes = events_of(events)
    for group, ids in base.members.items():
        days = float(time.loc[time["USUBJID"].isin(ids), "DAYS"].sum())
        count = sum(subject in ids for subject, _ in episodes)
        where: dict[str, Any] = {"group": group, "variable": place[0], "level": place[1]}
        if place[1] == "any":
            rows.add("days", days, unit="days", n=len(ids), **where)
        if not days:
            for stat in ("rate", "lower", "upper"):
                rows.add(stat, None, status="NE", reason="NO_DATA", **where)
            continue
        limits = poisson_interval(count, days / PER_DAYS, level=study.stats.level)
        rate = PER_DAYS * count / days
        for stat, value in (("rate", rate), ("lower", limits.lower), ("upper", limits.upper)):
            rows.add(stat, value, unit=f"per {PER_DAYS} person-days", n=count, method=method, **where)


def related_teae(adam: Adam, study: Study) -> Result:
    """Count related emergent events by cause and term.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety_period.related_teae``; variable = cause (related_nk and related_cart alone, related_both, related_procedure,
        related_lymphodepletion), level = term (empty: any); stats n, events, n_grade3, events_grade3.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("safety_period.related_teae", "Related adverse events by cause and term", who)
    events = emergent(adam, who)
    if events is None or not set(_NEEDS) <= set(events.columns):
        reason = "not collected: relation" if events is not None else "not available: no AE"
        add_not_available(rows, who.groups, variable="related_nk", reason=reason)
        return rows.build()
    terms = events["AEDECOD"].fillna(events["AETERM"]).fillna(NOT_CODED)
    graded = has_grades(events)
    names = distinct(terms)
    for cause, condition in _CAUSES:
        mine = events.assign(TERM=terms)[condition(events)]
        counts = mine.groupby("TERM")["USUBJID"].nunique()
        listed = sorted(counts.index, key=lambda term: (-int(counts[term]), str(term)))
        for term, part in [("", mine), *((term, mine[mine["TERM"] == term]) for term in listed)]:
            level = names[term] if term else ""
            add_events(rows, who, part, variable=cause, level=level)
            if graded:
                severe = part[part["AETOXGRN"] >= GRADES[2]]
                stats = ("n_grade3", "events_grade3")
                add_events(rows, who, severe, variable=cause, level=level, stats=stats)
    return rows.build()


def deaths(adam: Adam, study: Study) -> Result:
    """Count deaths by time from the last infusion and by cause.

    Parameters
    ----------
    adam : Adam
        ADSL: DTHDT, DTHFL, TRTEDT, DTHCAUS.
    study : Study
        ``safety.death_window_days``.

    Returns
    -------
    Result
        ``safety_period.deaths``; variable all, early (up to the window after the last infusion), late, cause (level), related (a
        fatal emergent event that is related to a cell product; NA without relations or grades).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("safety_period.deaths", "Deaths", who)
    adsl = adam["ADSL"]
    dead = adsl[(adsl["DTHFL"] == "Y") & adsl["USUBJID"].isin(who.everyone)]
    add_counts(rows, who, variable="all", subjects=dead["USUBJID"])
    if "TRTEDT" in dead:
        days = (dead["DTHDT"] - dead["TRTEDT"]).dt.days
        early = days <= study.safety.death_window_days
        add_counts(rows, who, variable="early", subjects=dead.loc[early, "USUBJID"])
        add_counts(rows, who, variable="late", subjects=dead.loc[days.notna() & ~early, "USUBJID"])
        add_counts(rows, who, variable="undated", subjects=dead.loc[days.isna(), "USUBJID"])
    if "DTHCAUS" in dead:
        causes = dead.assign(DTHCAUS=dead["DTHCAUS"].fillna("Missing"))
        for cause, subjects in by_value(causes, "DTHCAUS").items():
            add_counts(rows, who, variable="cause", level=cause, subjects=subjects)
    _add_related(rows, adam, who, dead)
    return rows.build()


def _add_related(rows: Rows, adam: Adam, who: Population, dead: pd.DataFrame) -> None:
    events = emergent(adam, who)
    if events is None or not {"AETOXGRN", "RELCELL"} <= set(events):
        reason = "not available: no grade or relation of events"
        add_not_available(rows, who.groups, variable="related", reason=reason)
        return
    fatal = events[(events["AETOXGRN"] == 5) & (events["RELCELL"] == "Y")]
    subjects = set(fatal["USUBJID"]) & set(dead["USUBJID"])
    add_counts(rows, who, variable="related", subjects=sorted(subjects))
