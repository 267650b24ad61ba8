"""Credibility of what the subgroups show: twelve items per dimension, a grade that is never more than suggestive."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_not_available, open_rows
from interim.analysis.subgroups.associated import STRONG, TYPE_DIMENSION, associated
from interim.analysis.subgroups.model import Factor, Flags, Outcome, Panel, level_counts
from interim.analysis.subgroups.panel import open_panel
from interim.analysis.subgroups.stability import is_fragile
from interim.analysis.survival import DAYS_PER_MONTH
from interim.result import TOTAL, Result
from interim.stats import kaplan_meier
from interim.study import Study

ITEMS = tuple(range(1, 13))
GRADED = (1, 2, 3, 6, 7, 8, 9, 10, 11)
MIN_LEVEL_N, MIN_EVENTS, MEASURED = 4, 5, 0.8
_ALONGSIDE = ("orr", "dcr", "depth", "pfs")


@dataclass(frozen=True)
class Answer:
    """The answer to one item.

    Attributes
    ----------
    holds : bool
        Whether the item holds.
    text : str
        Why, in words; for items 11 and 12 the text that a person gave.
    """

    holds: bool
    text: str


def credibility(adam: Adam, study: Study) -> Result:
    """Answer the twelve items for each dimension.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, ADRS, ADTR, ADTTE as far as they exist.
    study : Study
        Origin, direction, rationale and source of the entries.

    Returns
    -------
    Result
        ``subgroups.credibility``; group = primary entry, group_var = dimension; variable ``item``, level = number: holds (text
        yes, no or given), why (text); variable ``grade``: suggestive or unknown. No score is added up.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    ``suggestive`` needs items 1 to 3 and 6 to 11. Nothing can be supported within one single-arm study. The parameters alone
    do not prove when they were written, so that item 1 does not hold until a dated hash of the registry exists.
    """
    panel, who = open_panel(adam, study, endpoints=_ALONGSIDE)
    rows = open_rows("subgroups.credibility", "Credibility of subgroup differences", who)
    if panel.outcomes["orr"].reason:
        reason = panel.outcomes["orr"].reason
        add_not_available(rows, [TOTAL], variable="grade", stat="grade", reason=reason)
        return rows.build()
    for factor in panel.primary:
        rows.group_var = factor.entry.dimension
        answers = checklist(factor, panel, study)
        rows.add("label", None, group=factor.id, variable="entry", text=factor.entry.label)
        for number, answer in answers.items():
            holds = (
                ("given" if answer.holds else "not given") if number > 10 else "yes" if answer.holds else "no"
            )
            rows.add("holds", None, group=factor.id, variable="item", level=f"{number}", text=holds)
            rows.add("why", None, group=factor.id, variable="item", level=f"{number}", text=answer.text)
        grade = "suggestive" if all(answers[number].holds for number in GRADED) else "unknown"
        rows.add("grade", None, group=factor.id, variable="grade", text=grade)
    return rows.build()


def checklist(factor: Factor, panel: Panel, study: Study) -> dict[int, Answer]:
    """Return the answers for one factor.

    Parameters
    ----------
    factor : Factor
        A primary entry.
    panel : Panel
        The other factors; endpoints orr, dcr, depth, pfs.
    study : Study
        Settings.

    Returns
    -------
    dict of int to Answer
        Items 1 to 12.

    Raises
    ------
    None
    """
    entry, outcome = factor.entry, panel.outcomes["orr"]
    signs = {name: direction(factor, panel.outcomes[name], study) for name in _ALONGSIDE}
    seen = [sign for sign in signs.values() if sign]
    wanted = {"higher_better": 1, "lower_better": -1}.get(entry.direction, 0)
    x, n = level_counts(factor, outcome)
    sizes, events = n[n > 0], int(x.sum())
    large = len(sizes) > 1 and int(sizes.min()) >= MIN_LEVEL_N and events >= MIN_EVENTS
    fragile = is_fragile(factor, outcome, study)
    strong = _goes_with(factor, panel)
    share = float(factor.known.mean()) if panel.n else 0.0
    measured = share >= MEASURED and entry.timing == "baseline"
    along = len(seen) == len(_ALONGSIDE) and len(set(seen)) == 1
    return {
        1: Answer(False, "the registry carries no dated hash that precedes the first efficacy result"),
        2: Answer(entry.origin in ("protocol", "literature"), f"origin of the cut: {entry.origin}"),
        3: Answer(
            bool(wanted) and signs["orr"] == wanted,
            f"stated: {entry.direction}; seen: {_words(signs['orr'])}",
        ),
        4: Answer(True, f"{len(panel.primary)} dimensions, {len(panel.factors)} entries"),
        5: Answer(True, "limits and spread stand before the levels"),
        6: Answer(large, f"smallest level {int(sizes.min()) if len(sizes) else 0}, responders {events}"),
        7: Answer(along, ", ".join(f"{name} {_words(sign)}" for name, sign in signs.items())),
        8: Answer(
            not fragile, "one participant decides the picture" if fragile else "stable when one is left out"
        ),
        9: Answer(not strong, f"goes with {strong}" if strong else "weak association with dose and type"),
        10: Answer(measured, f"measured in {int(factor.known.sum())} of {panel.n}, {entry.timing}"),
        11: Answer(bool(entry.rationale), entry.rationale or "not given"),
        12: Answer(bool(entry.source), entry.source or "not given"),
    }


def _words(sign: int) -> str:
    return {1: "higher is better", -1: "lower is better", 0: "no direction"}[sign]


def _goes_with(factor: Factor, panel: Panel) -> str:
    """Return the dose or tumour type entry with which a factor goes strongly; empty if none."""
    others = [panel.dose, *(f for f in panel.primary if f.entry.dimension == TYPE_DIMENSION)]
    for other in others:
        if other.id != factor.id:
            value = associated(factor, other)[1]
            if not math.isnan(value) and abs(value) >= STRONG - 1e-12:
                return other.id
    return ""


def direction(factor: Factor, outcome: Outcome, study: Study) -> int:
    """Return the direction of an endpoint between the outer levels of a factor.

    Parameters
    ----------
    factor : Factor
        Ordered levels, or a flag (Y counts as the higher level).
    outcome : Outcome
        Binary, continuous (a deeper fall is better) or a time (its landmark).
    study : Study
        Landmark.

    Returns
    -------
    int
        1: better at the higher level; -1: worse; 0: no order, no difference or no value.

    Raises
    ------
    None
    """
    filled = np.flatnonzero(factor.members.any(axis=0))
    if len(filled) < 2 or factor.entry.kind == "nominal" or outcome.reason:
        return 0
    ends = [filled[0], filled[-1]]
    if factor.entry.kind == "flag" and factor.levels[ends[0]] == "Y":
        ends.reverse()
    low, high = (_worth(outcome, factor.members[:, place] & outcome.known, study) for place in ends)
    if math.isnan(low) or math.isnan(high) or math.isclose(low, high, abs_tol=1e-12):
        return 0
    return 1 if high > low else -1


def _worth(outcome: Outcome, here: Flags, study: Study) -> float:
    """Return a number that is larger where the endpoint is better."""
    if not here.any():
        return math.nan
    if outcome.kind == "binary":
        return float(outcome.values[here].mean())
    if outcome.kind == "continuous":
        return -float(np.median(outcome.values[here]))
    day = study.subgroup.pfs_landmark_months * DAYS_PER_MONTH
    return float(kaplan_meier(outcome.values[here], outcome.events[here]).at(day).value)
