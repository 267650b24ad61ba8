"""Response by other criteria: unconfirmed RECIST 1.1 and iRECIST side by side, with the shift between them."""

from __future__ import annotations

import pandas as pd

from interim.adam.model import Adam
from interim.adam.response.irecist_best import I_VALUES
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    add_rates,
    by_value,
    efficacy_set,
    open_rows,
    population,
)
from interim.analysis.response import CATEGORIES, chosen, responders
from interim.result import Result, Rows
from interim.study import Study

_MISSING = "MISSING"


def irecist(adam: Adam, study: Study) -> Result:
    """Count the unconfirmed best response and the best response by iRECIST, and how participants shift.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Efficacy set, evaluator, whether confirmation is required, interval.

    Returns
    -------
    Result
        ``response_criteria.irecist``; by assigned cohort: ``bor_unconfirmed`` and ``ibor`` (level = category) with rates
        ``orr_unconfirmed`` and ``orr_irecist``, ``irecist_pd`` (levels confirmed, open: progression confirmed, or unconfirmed
        at the end); ``shift`` (level = RECIST > iRECIST; both by the primary definition, confirmed or not); ``confirmation``
        (level = unconfirmed > confirmed best response by RECIST 1.1).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("response_criteria.irecist", "Unconfirmed RECIST 1.1 and iRECIST best response", who)
    if not adam.has("ADRS"):
        reason = f"not available: {adam.missing.get('ADRS', 'no response dataset')}"
        add_not_available(rows, who.groups, variable="orr_unconfirmed", stat="rate", reason=reason)
        return rows.build()
    if reason := adam.lacks("ADRS.BOR"):
        reason = f"not available: {reason}"
        add_not_available(rows, who.groups, variable="orr_unconfirmed", stat="rate", reason=reason)
        return rows.build()
    _add_best(rows, who, chosen(adam, study, "BOR"), variable="bor_unconfirmed")
    ids = responders(adam, study, confirmed=False)
    add_rates(rows, who, study=study, variable="orr_unconfirmed", subjects=ids)
    both = (chosen(adam, study, "BOR"), chosen(adam, study, "CBOR"))
    _add_shift(rows, who, both, variable="confirmation", order=CATEGORIES)
    prefix = "C" if study.response.confirmation_required else ""
    immune = chosen(adam, study, f"I{prefix}BOR")
    if immune.empty:
        reason = "not available: no iRECIST responses"
        add_not_available(rows, who.groups, variable="orr_irecist", stat="rate", reason=reason)
        return rows.build()
    _add_best(rows, who, immune, variable="ibor")
    responded = chosen(adam, study, f"I{prefix}RSP")
    ids = frozenset(responded.loc[responded["AVALC"] == "Y", "USUBJID"])
    add_rates(rows, who, study=study, variable="orr_irecist", subjects=ids)
    for level, parameter in (("confirmed", "ICPD"), ("open", "IUPD")):
        found = by_value(chosen(adam, study, parameter), "AVALC")
        add_counts(rows, who, variable="irecist_pd", level=level, subjects=found.get("Y", ()))
    both = (chosen(adam, study, f"{prefix}BOR"), immune)
    _add_shift(rows, who, both, variable="shift", order=_order("ibor"))
    return rows.build()


def _best(who: Population, rows: pd.DataFrame) -> dict[str, str]:
    known = dict(zip(rows["USUBJID"], rows["AVALC"], strict=True))
    return {subject: known.get(subject) or _MISSING for subject in sorted(who.everyone)}


def _order(variable: str) -> tuple[str, ...]:
    immune = tuple(v for v in I_VALUES if v.startswith(("i", "NON-i")))
    return (*immune, "NE", _MISSING) if variable == "ibor" else CATEGORIES


def _add_best(rows: Rows, who: Population, best: pd.DataFrame, *, variable: str) -> None:
    values = _best(who, best)
    for level in dict.fromkeys((*_order(variable), *sorted(set(values.values())))):
        ids = [subject for subject, value in values.items() if value == level]
        add_counts(rows, who, variable=variable, level=level, subjects=ids)


def _add_shift(
    rows: Rows,
    who: Population,
    bests: tuple[pd.DataFrame, pd.DataFrame],
    *,
    variable: str,
    order: tuple[str, ...],
) -> None:
    before, after = (_best(who, best) for best in bests)
    for one in CATEGORIES:
        for two in order:
            ids = [s for s in before if (before[s], after[s]) == (one, two)]
            if ids:
                add_counts(rows, who, variable=variable, level=f"{one} > {two}", subjects=ids)
