"""Who is counted: analysis sets, the columns of a table, and the rows for counts and rates in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.errors import DerivationError
from interim.result import TOTAL, Rows, slug
from interim.stats import binomial_interval
from interim.study import NK_ONLY, Study

UNASSIGNED = "Not assigned"
MISSING = "Missing"


@dataclass(frozen=True)
class AnalysisSet:
    """One analysis set.

    Attributes
    ----------
    code : str
        Short name, for example FAS.
    label : str
        Printed name.
    flag, reason : str
        ADSL columns: Y/N flag, reason for N.
    column : str
        ADSL variable behind the columns: COHORT (assigned) or COHORTA (actual).
    role : str
        Product role without which the set does not exist; empty if it always exists.
    """

    code: str
    label: str
    flag: str
    reason: str
    column: str = "COHORT"
    role: str = ""


SETS: Mapping[str, AnalysisSet] = {
    item.code: item
    for item in (
        AnalysisSet("ENR", "Enrolled participants", "ENRLFL", "ENRLRS"),
        AnalysisSet("NK-SAF", "NK safety set", "SAFNKFL", "SAFNKRS", "COHORTA"),
        AnalysisSet("CART-SAF", "CAR-T safety set", "SAFCTFL", "SAFCTRS", "COHORTA", "t"),
        AnalysisSet("DLT-EV", "DLT-evaluable set", "DLTEVFL", "DLTEVRS", "COHORT", "t"),
        AnalysisSet("FAS", "Full analysis set", "FASFL", "FASRS"),
        AnalysisSet("RE", "Response-evaluable set", "RESFL", "RESRS"),
        AnalysisSet("RESP", "Responders", "RESPFL", "RESPRS"),
    )
}
SAFETY_SET = "Safety set"
# Sets that are tables' denominators nowhere but are shown with their exclusions: flag and reason for N in ADSL.
FURTHER_SETS: Mapping[str, tuple[str, str]] = {
    "PP": ("PPROTFL", "PPROTRS"),
    "CK": ("CKFL", "CKRS"),
    "CK-NK": ("CKNKFL", "CKNKRS"),
    "BX": ("BXFL", "BXRS"),
    "BX-PAIR": ("BXPRFL", "BXPRRS"),
}


def set_label(code: str, study: Study) -> str:
    """Return the printed name of an analysis set.

    Parameters
    ----------
    code : str
        Key of `SETS`.
    study : Study
        Parameters; without an NK product the NK safety set is the safety set.

    Returns
    -------
    str
        For example "Full analysis set".

    Raises
    ------
    KeyError
        If there is no such set.
    """
    if code == "NK-SAF" and not study.with_role("nk"):
        return SAFETY_SET
    return SETS[code].label


def efficacy_set(study: Study) -> str:
    """Return the set in which efficacy is summarised (AMB-8).

    Parameters
    ----------
    study : Study
        Parameters.

    Returns
    -------
    str
        ``sets.efficacy_default``.

    Raises
    ------
    None
    """
    return study.sets.efficacy_default


@dataclass(frozen=True)
class Population:
    """The participants of a set, by column of the table.

    Attributes
    ----------
    code, label, column : str
        Set, printed name, ADSL variable behind the columns.
    members : mapping of str to frozenset of str
        Column code -> USUBJIDs; the last column is the total.
    moved : frozenset of str
        USUBJIDs of treated members whose assigned and actual dose level differ.
    """

    code: str
    label: str
    column: str
    members: Mapping[str, frozenset[str]]
    moved: frozenset[str] = frozenset()

    @property
    def groups(self) -> tuple[str, ...]:
        """Column codes in printed order; the last is the total."""
        return tuple(self.members)

    @property
    def everyone(self) -> frozenset[str]:
        """USUBJIDs of all members."""
        return self.members[TOTAL]

    def n(self, group: str = TOTAL) -> int:
        """Return the number of members of a column.

        Parameters
        ----------
        group : str
            Column code.

        Returns
        -------
        int
            Number of participants.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        return len(self.members[group])

    def narrow(self, subjects: Iterable[str]) -> Population:
        """Return the same columns with fewer participants, for example the responders as a denominator.

        Parameters
        ----------
        subjects : iterable of str
            USUBJIDs to keep.

        Returns
        -------
        Population
            Same code, label and columns.

        Raises
        ------
        None
        """
        keep = frozenset(subjects)
        kept = {group: ids & keep for group, ids in self.members.items()}
        return Population(self.code, self.label, self.column, kept, self.moved & keep)


def population(adam: Adam, study: Study, code: str, *, column: str | None = None) -> Population:
    """Return the members of a set by column of the table.

    Parameters
    ----------
    adam : Adam
        Analysis datasets; ADSL is read.
    study : Study
        Parameters; the columns are ``study.cohorts()`` in their order, empty ones included.
    code : str
        Key of `SETS`.
    column : str, optional
        ADSL variable behind the columns instead of the one of the set.

    Returns
    -------
    Population
        Values of the variable that are no column of the study, and members without a value, get columns of their own, so
        that the columns always add up to the total.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed, or has a participant twice.
    """
    item = SETS[code]
    by = column or item.column
    adsl = adam["ADSL"]
    absent = [name for name in ("USUBJID", item.flag, by) if name not in adsl]
    if absent:
        raise DerivationError(
            f"ADSL needs {', '.join(absent)} for the set {code}; columns found: {', '.join(adsl.columns)}"
        )
    if adsl["USUBJID"].duplicated().any():
        twice = adsl.loc[adsl["USUBJID"].duplicated(), "USUBJID"].tolist()
        raise DerivationError(f"ADSL must hold one row per participant; found twice: {', '.join(twice[:5])}")
    inside = (adsl[item.flag] == "Y").to_numpy()
    subjects, values = adsl["USUBJID"][inside].tolist(), adsl[by][inside].tolist()
    found: dict[Any, list[str]] = {}
    for who, value in zip(subjects, values, strict=True):
        found.setdefault(None if pd.isna(value) else value, []).append(who)
    unplaced = frozenset(found.pop(None, ()))
    placed = {str(value): frozenset(found[value]) for value in sorted(found)}
    codes = [c for c in study.cohorts() if c != NK_ONLY or item.role != "t" or c in placed]
    codes += [g for g in placed if g not in codes]
    members = {g: placed.get(g, frozenset()) for g in codes}
    if unplaced:
        members[UNASSIGNED] = unplaced
    members[TOTAL] = frozenset(subjects)
    return Population(code, set_label(code, study), by, members, _moved(adsl) & members[TOTAL])


def _moved(adsl: pd.DataFrame) -> frozenset[str]:
    """Return the participants whose assigned and actual dose level differ; one who was not treated has no actual level."""
    if "COHORT" not in adsl or "COHORTA" not in adsl:
        return frozenset()
    columns = (adsl[name].tolist() for name in ("USUBJID", "COHORT", "COHORTA"))
    return frozenset(
        who
        for who, assigned, actual in zip(*columns, strict=True)
        if not pd.isna(actual) and assigned != actual
    )


def open_rows(analysis_id: str, title: str, who: Population, *, method: str = "") -> Rows:
    """Start a Result for a population; its first rows are the sizes of the columns.

    Parameters
    ----------
    analysis_id, title : str
        As in `interim.result.Rows`.
    who : Population
        The set.
    method : str
        Default method of the rows.

    Returns
    -------
    Rows
        With one row ``N`` per column (variable ``population``), and one row ``population_moved`` if the assigned and the
        actual dose level of a member differ.

    Raises
    ------
    None
    """
    rows = Rows(analysis_id, title, population=who.label, method=method, group_var=who.column)
    add_sizes(rows, who)
    if who.moved:
        moved = sorted(who.moved)
        rows.add("n", len(moved), variable="population_moved", n=len(moved), N=who.n(), subjects=moved)
    return rows


def add_sizes(rows: Rows, who: Population, *, variable: str = "population") -> None:
    """Add the number of participants of each column.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The set.
    variable : str
        Variable of the rows.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    for group, ids in who.members.items():
        rows.add("N", len(ids), group=group, variable=variable, n=len(ids), N=len(ids), subjects=sorted(ids))


def add_counts(
    rows: Rows,
    who: Population,
    *,
    variable: str,
    subjects: Iterable[str],
    level: str = "",
    stat: str = "n",
    base: Population | None = None,
) -> None:
    """Add the number of participants with a feature, by column.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        Who can be counted.
    variable, level, stat : str
        As in `interim.result.Rows.add`.
    subjects : iterable of str
        USUBJIDs with the feature; those outside ``who`` are not counted.
    base : Population, optional
        Who is in the denominator; default ``who``.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    found = frozenset(subjects)
    below = base or who
    for group, ids in who.members.items():
        hit = sorted(found & ids)
        rows.add(
            stat,
            len(hit),
            group=group,
            variable=variable,
            level=level,
            unit="participants",
            n=len(hit),
            N=below.n(group),
            subjects=hit,
        )


def add_rates(
    rows: Rows,
    who: Population,
    *,
    study: Study,
    variable: str,
    subjects: Iterable[str],
    level: str = "",
    min_n: int = 1,
) -> None:
    """Add x/n, the rate and its exact interval, by column.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The denominator.
    study : Study
        ``stats.level`` and ``stats.binomial_interval``.
    variable, level : str
        As in `interim.result.Rows.add`.
    subjects : iterable of str
        USUBJIDs with the feature.
    min_n : int
        Smaller columns carry no interval (LEVEL_N_LT_3).

    Returns
    -------
    None

    Raises
    ------
    None
    """
    found = frozenset(subjects)
    for group, ids in who.members.items():
        hit = sorted(found & ids)
        add_rate(
            rows, (len(hit), len(ids)), study=study, where=(group, variable, level), subjects=hit, min_n=min_n
        )


def add_base(rows: Rows, who: Population, *, variable: str, level: str = "") -> None:
    """Add the number of participants that a rate refers to, by column, where it is no analysis set.

    Parameters
    ----------
    rows : Rows
        Where the rows go: stat ``N`` at the place of the rate.
    who : Population
        The denominator.
    variable, level : str
        As in `interim.result.Rows.add`.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    for group, ids in who.members.items():
        place = {"group": group, "variable": variable, "level": level, "unit": "participants"}
        rows.add("N", len(ids), n=len(ids), subjects=sorted(ids), **place)


def add_rate(
    rows: Rows,
    counts: tuple[int, int],
    *,
    study: Study,
    where: tuple[str, str, str],
    subjects: Iterable[str],
    min_n: int = 1,
) -> None:
    """Add one rate: stats ``rate``, ``lower``, ``upper``.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    counts : tuple of int
        x and n.
    study : Study
        ``stats.level`` and ``stats.binomial_interval``.
    where : tuple of str
        Group, variable, level.
    subjects : iterable of str
        USUBJIDs behind x.
    min_n : int
        Below it no interval is given.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    x, n = counts
    group, variable, level = where
    place: dict[str, Any] = {"group": group, "variable": variable, "level": level, "n": x, "N": n}
    method = f"{study.stats.binomial_interval}, level {study.stats.level:g}"
    if n == 0:
        rows.add("rate", None, status="NE", reason="NO_DATA", **place)
    else:
        rows.add("rate", x / n, subjects=subjects, **place)
    if n < max(1, min_n):
        reason = "NO_DATA" if n == 0 else "LEVEL_N_LT_3"
        for stat in ("lower", "upper"):
            rows.add(stat, None, status="NE", reason=reason, method=method, **place)
        return
    interval = binomial_interval(x, n, method=study.stats.binomial_interval, level=study.stats.level)
    for stat, value in (("lower", interval.lower), ("upper", interval.upper)):
        rows.add(stat, float(value), method=method, **place)


def add_not_available(
    rows: Rows, groups: Iterable[str], *, variable: str, reason: str, level: str = "", stat: str = "n"
) -> None:
    """Add rows that say why a number is not available.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    groups : iterable of str
        Columns.
    variable, level, stat : str
        As in `interim.result.Rows.add`.
    reason : str
        Why, in words.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    for group in groups:
        rows.add(stat, None, group=group, variable=variable, level=level, status="NA", reason=reason)


def distinct(levels: Iterable[str]) -> dict[str, str]:
    """Return each level with a name whose slug no other level has.

    Parameters
    ----------
    levels : iterable of str
        Terms as they stand in the data.

    Returns
    -------
    dict of str to str
        Term -> name: the term itself, with a number behind it where two terms differ by case or punctuation only.

    Raises
    ------
    None

    Examples
    --------
    >>> distinct(["Rash", "RASH", "Fever"])
    {'Fever': 'Fever', 'RASH': 'RASH', 'Rash': 'Rash [2]'}
    """
    seen: dict[str, int] = {}
    names = {}
    for level in sorted(set(levels)):
        key = slug(level)
        seen[key] = seen.get(key, 0) + 1
        names[level] = level if seen[key] == 1 else f"{level} [{seen[key]}]"
    return names


def by_value(frame: pd.DataFrame, column: str) -> dict[str, frozenset[str]]:
    """Return the participants of each value of a column.

    Parameters
    ----------
    frame : pandas.DataFrame
        Has USUBJID and the column.
    column : str
        Text column; missing values are not returned.

    Returns
    -------
    dict of str to frozenset of str
        Value -> USUBJIDs, values sorted.

    Raises
    ------
    None
    """
    return {str(v): frozenset(part["USUBJID"]) for v, part in frame.groupby(column, sort=True)}
