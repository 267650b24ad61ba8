"""Safety: treatment-emergent adverse events by participant, term and grade."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.analysis.population import Population, add_not_available, distinct, open_rows, population
from interim.result import Result, Rows
from interim.study import Study

GRADES = (1, 2, 3, 4, 5)
SEVERITIES = ("MILD", "MODERATE", "SEVERE")
NO_GRADES = "not available: no toxicity grades"
NOT_CODED = "Not coded"
_NAMED = ("AEBODSYS", "AEDECOD", "AETERM")
DISCONTINUED = ("DRUG WITHDRAWN",)
DELAYED = ("DRUG INTERRUPTED", "DOSE DELAYED", "DOSE REDUCED", "DOSE NOT GIVEN")

Condition = Callable[[pd.DataFrame], "pd.Series[bool]"]


def teae_summary(adam: Adam, study: Study) -> Result:
    """Count participants and events by grade, relation, seriousness, action and special interest.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Products and columns.

    Returns
    -------
    Result
        ``safety.teae_summary``; one variable per row of the table; stats n (participants) and events, both the worst case; n_best
        and events_best without what is assumed, where that differs; a row whose information was not collected, or whose
        product the study does not have, is NA.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("safety.teae_summary", "Overall summary of treatment-emergent adverse events", who)
    events = emergent(adam, who)
    roles = {product.role for product in study.products}
    for variable, condition, needs, role in _SUMMARY:
        if events is None:
            reason = f"not available: {adam.missing.get('ADAE', 'no adverse-event dataset')}"
        elif role and role not in roles:
            reason = "not applicable: the study has no such product"
        else:
            reason = _absent(adam["ADAE"], needs)
        if reason or events is None:
            add_not_available(rows, who.groups, variable=variable, reason=reason)
        else:
            chosen = events[condition(events)]
            add_events(rows, who, chosen, variable=variable)
            sure = chosen[_certain(chosen, related="related" in variable)]
            if len(sure) < len(chosen):
                add_events(rows, who, sure, variable=variable, stats=("n_best", "events_best"))
    return rows.build()


def _certain(events: pd.DataFrame, *, related: bool) -> pd.Series:
    """Tell which events count without an assumption: about their start, and for related ones about their relation."""
    sure = pd.Series(True, index=events.index)
    if "TRTEMBFL" in events:
        sure &= events["TRTEMBFL"] != "N"
    if related and "RELIMPFL" in events:
        sure &= events["RELIMPFL"] != "Y"
    return sure


def _is(column: str, *values: str) -> Condition:
    return lambda events: events[column].isin(values)


def _grade(column: str, lowest: int) -> Condition:
    return lambda events: pd.to_numeric(events[column]) >= lowest


def _both(first: Condition, second: Condition) -> Condition:
    return lambda events: first(events) & second(events)


_SUMMARY: tuple[tuple[str, Condition, tuple[str, ...], str], ...] = (
    ("teae", lambda events: events["USUBJID"].notna(), (), ""),
    ("grade_missing", lambda events: events["AETOXGRN"].isna(), ("AETOXGRN",), ""),
    ("grade3", _grade("AETOXGRN", 3), ("AETOXGRN",), ""),
    ("grade5", _grade("AETOXGRN", 5), ("AETOXGRN",), ""),
    ("related_nk", _is("RELNK", "Y"), ("RELNK",), "nk"),
    ("related_cart", _is("RELCART", "Y"), ("RELCART",), "t"),
    ("related_procedure", _is("RELPROC", "Y"), ("RELPROC",), "nk"),
    ("related_lymphodepletion", _is("RELLYMPHODEP", "Y"), ("RELLYMPHODEP",), "t"),
    ("related_other", _is("RELOTH", "Y"), ("RELOTH",), ""),
    ("serious", _is("AESER", "Y"), ("AESER",), ""),
    ("serious_related", _both(_is("AESER", "Y"), _is("RELCELL", "Y")), ("AESER", "RELCELL"), ""),
    ("delay", _is("AEACN", *DELAYED), ("AEACN",), ""),
    ("discontinuation", _is("AEACN", *DISCONTINUED), ("AEACN",), ""),
    ("crs", _grade("CRSGR", 1), ("CRSGR",), "t"),
    ("crs2", _grade("CRSGR", 2), ("CRSGR",), "t"),
    ("crs3", _grade("CRSGR", 3), ("CRSGR",), "t"),
    ("icans", _grade("ICANSGR", 1), ("ICANSGR",), "t"),
    ("aesi", _is("AESIFL", "Y"), ("AESIFL",), ""),
    ("dlt", _is("DLTFL", "Y"), ("DLTFL",), "t"),
)


_COLLECTED = ("AEACN", "AESER")


def _absent(adae: pd.DataFrame, needs: Iterable[str]) -> str:
    """Return why a row cannot be counted; empty if it can. Derived flags exist even where they are all N or missing."""
    gone = [name for name in needs if name not in adae or (name in _COLLECTED and never_said(adae, name))]
    if gone == ["AETOXGRN"] or ("AETOXGRN" in needs and not has_grades(adae)):
        return NO_GRADES
    return f"not collected: {', '.join(gone)}" if gone else ""


def never_said(adae: pd.DataFrame, name: str) -> bool:
    """Tell whether a collected variable is missing in every one of the events.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE.
    name : str
        A variable that it has.

    Returns
    -------
    bool
        False without an event.

    Raises
    ------
    None
    """
    return bool(len(adae)) and bool(adae[name].isna().all())


def has_grades(adae: pd.DataFrame) -> bool:
    """Tell whether toxicity grades were collected.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE.

    Returns
    -------
    bool
        False if AETOXGRN is absent, or missing in every one of the events.

    Raises
    ------
    None
    """
    return "AETOXGRN" in adae and (adae.empty or bool(adae["AETOXGRN"].notna().any()))


def emergent(adam: Adam, who: Population) -> pd.DataFrame | None:
    """Return the treatment-emergent events of the members of a set.

    Parameters
    ----------
    adam : Adam
        ADAE.
    who : Population
        The set.

    Returns
    -------
    pandas.DataFrame or None
        Rows of ADAE, sorted by participant and record; None without ADAE.

    Raises
    ------
    None
    """
    if not adam.has("ADAE"):
        return None
    adae = adam["ADAE"]
    keep = (adae["TRTEMFL"] == "Y") & adae["USUBJID"].isin(who.everyone)
    return ordered(adae[keep], ["USUBJID", "SRCDOM", "SRCSEQ"])


def add_events(
    rows: Rows,
    who: Population,
    events: pd.DataFrame,
    *,
    variable: str,
    level: str = "",
    stats: tuple[str, str] = ("n", "events"),
) -> None:
    """Add the participants with an event and the number of events, by column.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The denominator.
    events : pandas.DataFrame
        Rows of ADAE.
    variable, level : str
        As in `interim.result.Rows.add`.
    stats : tuple of str
        Names of the two numbers.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    people, number = stats
    sources = list(zip(events["USUBJID"], events["SRCDOM"], events["SRCSEQ"].astype(str), strict=True))
    subjects, episodes = frozenset(events["USUBJID"]), events_of(events)
    for group, ids in who.members.items():
        hit = sorted(subjects & ids)
        place: dict[str, Any] = {"group": group, "variable": variable, "level": level}
        rows.add(people, len(hit), unit="participants", n=len(hit), N=len(ids), subjects=hit, **place)
        count = sum(subject in ids for subject, _ in episodes)
        here = [source for source in sources if source[0] in ids]
        rows.add(number, count, unit="events", n=count, sources=here, **place)


def events_of(records: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the different events of records: records of one event count once.

    Parameters
    ----------
    records : pandas.DataFrame
        Rows of ADAE.

    Returns
    -------
    set of (str, str)
        USUBJID and number of the first record of the event; the record's own number without AEPISSEQ.

    Raises
    ------
    None
    """
    first = records["AEPISSEQ"] if "AEPISSEQ" in records else records["SRCSEQ"]
    return set(zip(records["USUBJID"], first.astype(str), strict=True))


def teae_by_soc_pt(adam: Adam, study: Study) -> Result:
    """Count participants and events by system organ class and preferred term, any grade and grade 3 or higher.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety.teae_by_soc_pt``; variable = class (``teae`` for any event), level = term (empty for the class); stats n,
        events, n_grade3, events_grade3. Classes and terms by descending total, ties alphabetical; not coded terms last.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    title = "Adverse events by system organ class and preferred term"
    return _soc_pt(
        adam, study, ("safety.teae_by_soc_pt", title), lambda events: events["USUBJID"].notna(), ()
    )


def serious_teae(adam: Adam, study: Study) -> Result:
    """Count serious emergent events by class and term.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety.serious_teae``; rows as in `teae_by_soc_pt`; then related (to a cell product; with related_best, without what is
        assumed, where that differs) and outcome (level), of events; NA where not collected.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety.serious_teae", "Serious treatment-emergent adverse events")
    return _soc_pt(adam, study, names, _is("AESER", "Y"), ("AESER",), further=True)


def teae_with_action(adam: Adam, study: Study) -> Result:
    """Count emergent events that led to delay, reduction, omission or discontinuation, by class and term.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety.teae_with_action``; rows as in `teae_by_soc_pt`.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety.teae_with_action", "Adverse events leading to delay, omission or discontinuation")
    return _soc_pt(adam, study, names, _is("AEACN", *DELAYED, *DISCONTINUED), ("AEACN",))


def _soc_pt(
    adam: Adam,
    study: Study,
    names: tuple[str, str],
    condition: Condition,
    needs: tuple[str, ...],
    *,
    further: bool = False,
) -> Result:
    """Count the events of one kind by class and term."""
    who = population(adam, study, "NK-SAF")
    rows = open_rows(names[0], names[1], who)
    events = emergent(adam, who)
    reason = (
        f"not available: {adam.missing.get('ADAE', 'no adverse-event dataset')}"
        if events is None
        else _absent(events, needs)
    )
    if events is None or reason:
        add_not_available(rows, who.groups, variable="teae", reason=reason)
        return rows.build()
    graded = has_grades(adam["ADAE"])

    def add(part: pd.DataFrame, variable: str, level: str) -> None:
        add_events(rows, who, part, variable=variable, level=level)
        if graded:
            severe = part[part["AETOXGRN"] >= GRADES[2]]
            add_events(rows, who, severe, variable=variable, level=level, stats=("n_grade3", "events_grade3"))

    if not graded:
        add_not_available(rows, who.groups, variable="teae", stat="n_grade3", reason=NO_GRADES)
    chosen = events[condition(events)]
    _walk(chosen, add)
    if further:
        for name, column in (("related", "RELCELL"), ("outcome", "AEOUT")):
            if gone := _absent(events, (column,)):
                add_not_available(rows, who.groups, variable=name, reason=gone)
        _add_further(chosen, add)
    return rows.build()


def _add_further(events: pd.DataFrame, add: Callable[[pd.DataFrame, str, str], None]) -> None:
    """Add events related to a cell product, without what is assumed where that differs, and events by outcome."""
    if "RELCELL" in events:
        related = events[events["RELCELL"] == "Y"]
        sure = related[_certain(related, related=True)]
        add(related, "related", "")
        if len(sure) < len(related):
            add(sure, "related_best", "")
    if "AEOUT" in events:
        outcomes = events["AEOUT"].fillna("Missing")
        for outcome in sorted(set(outcomes)):
            add(events[outcomes == outcome], "outcome", outcome)


def _walk(events: pd.DataFrame, add: Callable[[pd.DataFrame, str, str], None]) -> None:
    """Call ``add(events, class, term)`` for any event, each class, and each term, in printed order."""
    add(events, "teae", "")
    named = events.assign(
        _soc=events["AEBODSYS"].fillna(NOT_CODED).where(events["AEDECOD"].notna(), NOT_CODED),
        _pt=events["AEDECOD"].fillna(events["AETERM"]).fillna(NOT_CODED),
    )
    classes = distinct(named["_soc"])
    for soc in _ordered(named, "_soc"):
        inside = named[named["_soc"] == soc]
        add(inside, classes[soc], "")
        terms = distinct(inside["_pt"])
        for term in _ordered(inside, "_pt"):
            add(inside[inside["_pt"] == term], classes[soc], terms[term])


def _ordered(events: pd.DataFrame, column: str) -> list[str]:
    counts = events.groupby(column)["USUBJID"].nunique()
    return sorted(counts.index, key=lambda name: (name == NOT_CODED, -int(counts[name]), str(name)))


def teae_by_max_grade(adam: Adam, study: Study) -> Result:
    """Count participants by term and their highest grade; by severity where no grades were collected.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety.teae_by_max_grade``; variable and level as in `teae_by_soc_pt`; stats grade1 to grade5 (exclusive),
        missing, any, grade3_up (3 or higher, cumulative). Without grades the grade stats of ``teae`` are NA and the stats
        are severity MILD, MODERATE, SEVERE, missing, any.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("safety.teae_by_max_grade", "Adverse events by preferred term and maximum grade", who)
    events = emergent(adam, who)
    if events is None:
        reason = f"not available: {adam.missing.get('ADAE', 'no adverse-event dataset')}"
        add_not_available(rows, who.groups, variable="teae", stat="any", reason=reason)
        return rows.build()
    graded = has_grades(adam["ADAE"])
    if graded:
        rank = pd.to_numeric(events["AETOXGRN"])
        names = {grade: f"grade{grade}" for grade in GRADES}
    else:
        for stat in (*(f"grade{grade}" for grade in GRADES), "grade3_up"):
            add_not_available(rows, who.groups, variable="teae", stat=stat, reason=NO_GRADES)
        severity = events["AESEV"] if "AESEV" in events else pd.Series(None, index=events.index, dtype=object)
        rank = severity.map({name: place for place, name in enumerate(SEVERITIES, 1)}).astype(float)
        names = {place: name.lower() for place, name in enumerate(SEVERITIES, 1)}
    ranked = events[["USUBJID", *_NAMED]].assign(_rank=rank)
    _walk(
        ranked,
        lambda part, soc, pt: _add_maxima(rows, who, part, place=(soc, pt), names=names, graded=graded),
    )
    return rows.build()


def _worst(events: pd.DataFrame) -> dict[str, float]:
    """Return the highest rank of each participant; NaN where no event has one."""
    worst: dict[str, float] = {}
    for subject, rank in zip(events["USUBJID"].tolist(), events["_rank"].tolist(), strict=True):
        known = worst.get(subject, math.nan)
        worst[subject] = known if rank <= known or math.isnan(rank) else rank
    return worst


def _add_maxima(
    rows: Rows,
    who: Population,
    events: pd.DataFrame,
    *,
    place: tuple[str, str],
    names: dict[int, str],
    graded: bool,
) -> None:
    worst = _worst(events)
    stats = {stat: {one for one, found in worst.items() if found == rank} for rank, stat in names.items()}
    stats["missing"] = {one for one, found in worst.items() if math.isnan(found)}
    stats["any"] = set(worst)
    if graded:
        stats["grade3_up"] = {one for one, found in worst.items() if found >= GRADES[2]}
    for group, ids in who.members.items():
        for stat, subjects in stats.items():
            hit = sorted(subjects & ids)
            rows.add(
                stat,
                len(hit),
                group=group,
                variable=place[0],
                level=place[1],
                unit="participants",
                n=len(hit),
                N=len(ids),
                subjects=hit,
            )
