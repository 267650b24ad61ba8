"""Immune toxicity: cytokine release and neurotoxicity by grade, phase and treatment; agreement of the scales."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import complete_sums
from interim.adam.toxicity.support import concurrent
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    open_rows,
    population,
)
from interim.analysis.spread import add_spread
from interim.result import TOTAL, Result, Rows
from interim.study import Study

GRADES = (1, 2, 3, 4, 5)
UNKNOWN = "missing"
_SCALES = {"astct": "REPGRA", "ctcae": "REPGRC"}
_NO_CM = "not available: no CM"
#: Row -> (flag of ADTOX, why it may be missing).
_TREATMENTS = {
    "tocilizumab": ("TOCIFL", _NO_CM),
    "steroid": ("STERFL", _NO_CM),
    "vasopressor": ("VASOFL", _NO_CM),
    "oxygen": ("OXYFL", "not collected: oxygen"),
    "icu": ("ICUFL", "not collected: stays in intensive care"),
}
#: Treatment -> amounts over the treated: row -> (number of ADTOX, unit).
_AMOUNTS = {
    "tocilizumab": {"toci_doses": ("TOCIN", "doses")},
    "steroid": {"steroid_days": ("STERDY", "days"), "dexamethasone": ("DEXEQ", "mg")},
}
_OTHER = {"CRS": "ICANS", "ICANS": "CRS"}
_DIRECTIONS = ("AGREE", "LOWER", "HIGHER", "UNREPORTED", "UNDOCUMENTED")


def crs(adam: Adam, study: Study) -> Result:
    """Summarise cytokine release syndrome.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX and ADTOX.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``toxicity.crs``; variable any, astct and ctcae (level: highest grade), phase (level; of those who received the
        product of the phase), onset, duration (spread in days), ongoing, with_icans, tocilizumab, steroid, vasopressor, oxygen, icu,
        and the spread over the treated of toci_doses, steroid_days and dexamethasone (mg).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _summary(adam, study, "CRS", ("toxicity.crs", "Cytokine release syndrome"))


def icans(adam: Adam, study: Study) -> Result:
    """Summarise neurotoxicity.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX and ADTOX.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``toxicity.icans``; rows as in `crs`, and the lowest ICE score (variable ice).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _summary(adam, study, "ICANS", ("toxicity.icans", "ICANS and ICE score"))


def _summary(adam: Adam, study: Study, kind: str, names: tuple[str, str]) -> Result:
    who, rows, reason = _opened(adam, study, names)
    if reason:
        add_not_available(rows, who.groups, variable="any", reason=reason)
        return rows.build()
    events = _events(adam, who, kind)
    add_counts(rows, who, variable="any", subjects=events["USUBJID"])
    for scale, column in _SCALES.items():
        _add_grades(rows, who, events, scale=scale, column=column)
    _add_phases(rows, who, events, adam)
    by_event = events.set_index("USUBJID")
    add_spread(rows, who, by_event["AONSINF"], variable="onset", unit="days")
    add_spread(rows, who, by_event["ADURN"], variable="duration", unit="days")
    add_counts(rows, who, variable="ongoing", subjects=events.loc[events["AENDT"].isna(), "USUBJID"])
    if kind == "ICANS":
        add_spread(rows, who, by_event["MINICE"], variable="ice", unit="points")
    others = concurrent(events, _events(adam, who, _OTHER[kind]))
    add_counts(rows, who, variable=f"with_{_OTHER[kind].lower()}", subjects=events.loc[others, "USUBJID"])
    _add_treatment(rows, who, events, adam["ADTOX"])
    return rows.build()


def _add_treatment(rows: Rows, who: Population, events: pd.DataFrame, recorded: pd.DataFrame) -> None:
    """Count who was treated during an episode, each treatment with the amounts of those over all their episodes.

    A treatment that no episode of the kind, or without one no episode of any kind, says anything of was not collected.
    """
    for variable, (column, reason) in _TREATMENTS.items():
        told = events if len(events) else recorded
        if len(told) and told[column].isna().all():
            add_not_available(rows, who.groups, variable=variable, reason=reason)
            continue
        treated = events[events[column] == "Y"]
        add_counts(rows, who, variable=variable, subjects=treated["USUBJID"])
        if events[column].isna().any():
            open_still = events.loc[events[column].isna(), "USUBJID"]
            add_counts(rows, who, variable=variable, level=UNKNOWN, subjects=open_still)
        for name, (amount, unit) in _AMOUNTS.get(variable, {}).items():
            sums = complete_sums(treated[amount], treated["USUBJID"])
            add_spread(rows, who, sums, variable=name, unit=unit)
            if amount == "DEXEQ":
                unknown = sums.index[sums.isna()]
                add_counts(rows, who, variable="dexamethasone_unknown", subjects=unknown)


def _opened(adam: Adam, study: Study, names: tuple[str, str]) -> tuple[Population, Rows, str]:
    """Return the population, the rows, and why the question cannot be answered."""
    code = "CART-SAF" if study.with_role("t") else "NK-SAF"
    who = population(adam, study, code)
    rows = open_rows(names[0], names[1], who)
    if not study.with_role("t"):
        return who, rows, "not applicable: the study has no such product"
    reason = "" if adam.has("ADTOX") else f"not available: {adam.missing.get('ADTOX', 'no events')}"
    return who, rows, reason


def _events(adam: Adam, who: Population, kind: str) -> pd.DataFrame:
    """Return the reported events after the first infusion."""
    adtox = adam["ADTOX"]
    keep = (adtox["PARAMCD"] == kind) & (adtox["REPFL"] == "Y") & adtox["USUBJID"].isin(who.everyone)
    return adtox[keep & (adtox["APHASE"].notna() | adtox["ASTDT"].isna())]


def _add_grades(rows: Rows, who: Population, events: pd.DataFrame, *, scale: str, column: str) -> None:
    worst = events.groupby("USUBJID")[column].max()
    for grade in GRADES:
        add_counts(rows, who, variable=scale, level=str(grade), subjects=worst.index[worst == grade])
    add_counts(rows, who, variable=scale, level=UNKNOWN, subjects=worst.index[worst.isna()])


def _add_phases(rows: Rows, who: Population, events: pd.DataFrame, adam: Adam) -> None:
    """Count by phase of onset, of those who were infused in the phase."""
    if not adam.has("ADEX"):
        return
    adex = adam["ADEX"]
    for phase in ("NK", "CART_C1", "CART_C2"):
        infused = adex.loc[adex["APHASE"] == phase, "USUBJID"]
        if len(infused):
            subjects: Iterable[str] = events.loc[events["APHASE"] == phase, "USUBJID"]
            base = who.narrow(infused)
            for group, ids in base.members.items():
                place = {"group": group, "variable": "population_infused", "level": phase}
                rows.add("N", len(ids), n=len(ids), N=len(ids), subjects=sorted(ids), **place)
            add_counts(rows, base, variable="phase", level=phase, subjects=subjects)


def crs_concordance(adam: Adam, study: Study) -> Result:
    """Cross the reported CTCAE grade of cytokine release with the ASTCT grade, and both with the derived grades.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTOX.
    study : Study
        ``titration_trigger.crs_min_grade``.

    Returns
    -------
    Result
        ``toxicity.crs_concordance``; the total only; variable reported and derived, level = CTCAE grade (0 to 5, missing),
        stat = ``astct <grade>``: episodes; variable direction_ctcae and direction_astct, level = direction; variable
        trigger_differs: episodes on different sides of the trigger grade.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("toxicity.crs_concordance", "Cytokine release syndrome: CTCAE v5.0 against ASTCT grade")
    who, rows, reason = _opened(adam, study, names)
    if reason:
        add_not_available(rows, [TOTAL], variable="reported", level="1", stat="astct 1", reason=reason)
        return rows.build()
    adtox = adam["ADTOX"]
    episodes = adtox[(adtox["PARAMCD"] == "CRS") & adtox["USUBJID"].isin(who.everyone)]
    for variable, ctcae, astct in (("reported", "REPGRC", "REPGRA"), ("derived", "DERGRC", "DERGRA")):
        chosen = episodes[episodes["REPFL"] == "Y"] if variable == "reported" else episodes
        _add_cross(rows, chosen, variable=variable, columns=(ctcae, astct))
    for variable, column in (("direction_ctcae", "DIRC"), ("direction_astct", "DIRA")):
        for direction in _DIRECTIONS:
            part = episodes[episodes[column] == direction]
            _add_episodes(rows, part, len(episodes), variable=variable, level=direction)
    lowest = study.titration_trigger.crs_min_grade
    both = episodes[episodes["REPGRC"].notna() & episodes["REPGRA"].notna()]
    differs = both[(both["REPGRC"] >= lowest) != (both["REPGRA"] >= lowest)]
    _add_episodes(rows, differs, len(both), variable="trigger_differs", level="")
    return rows.build()


def _add_cross(rows: Rows, episodes: pd.DataFrame, *, variable: str, columns: tuple[str, str]) -> None:
    names = [str(grade) for grade in (0, *GRADES)] + [UNKNOWN]
    ctcae, astct = (
        episodes[column].map(lambda grade: f"{grade:g}", na_action="ignore").astype(object).fillna(UNKNOWN)
        for column in columns
    )
    for level in names:
        for stat in names:
            part = episodes[(ctcae == level) & (astct == stat)]
            _add_episodes(rows, part, len(episodes), variable=variable, level=level, stat=f"astct {stat}")


def _add_episodes(
    rows: Rows, part: pd.DataFrame, size: int, *, variable: str, level: str, stat: str = "n"
) -> None:
    sources = [
        (str(row.USUBJID), row.SRCDOM, row.SRCSEQ)
        for row in part[["USUBJID", "SRCDOM", "SRCSEQ"]].itertuples()
    ]
    rows.add(
        stat, len(part), variable=variable, level=level, unit="episodes", n=len(part), N=size, sources=sources
    )


def crs_by_cytokine(adam: Adam, study: Study) -> Result:
    """Summarise the peak of each cytokine after the first CAR-T infusion by the highest grade of cytokine release.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTOX, ADCY.
    study : Study
        Products.

    Returns
    -------
    Result
        ``toxicity.crs_by_cytokine``; columns = highest reported CTCAE grade (Grade 0 to 5); variable = cytokine, spread of peaks.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("toxicity.crs_by_cytokine", "Peak of cytokines by highest grade of cytokine release")
    who, _, reason = _opened(adam, study, names)
    grades = pd.Series(0.0, index=sorted(who.everyone))
    if not reason:
        grades.update(_events(adam, who, "CRS").groupby("USUBJID")["REPGRC"].max())
    columns = {f"Grade {grade}": frozenset(grades.index[grades == grade]) for grade in (0, *GRADES)}
    kept = {name: ids for name, ids in columns.items() if ids or name == "Grade 0"}
    split = Population(who.code, who.label, "CRSGRADE", {**kept, TOTAL: who.everyone})
    rows = open_rows(names[0], names[1], split)
    if reason or not adam.has("ADCY"):
        add_not_available(rows, split.groups, variable="IL6", reason=reason or "not available: no cytokines")
        return rows.build()
    start = adam["ADSL"].set_index("USUBJID")["TRTSCT"]
    after = adam["ADCY"].loc[lambda f: f["AVAL"].notna() & (f["ADT"] >= f["USUBJID"].map(start))]
    for code, part in after.groupby("PARAMCD", sort=True):
        unit = str(part["AVALU"].iloc[0]) if "AVALU" in part else ""
        add_spread(rows, split, part.groupby("USUBJID")["AVAL"].max(), variable=str(code), unit=unit)
    return rows.build()
