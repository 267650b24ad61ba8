"""Censoring: reasons, early or administrative, and gaps before events."""

from __future__ import annotations

import pandas as pd

from interim.adam.model import Adam
from interim.adam.tte.specification import CNSR
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    efficacy_set,
    open_rows,
    population,
)
from interim.analysis.sensitivity_variants import last_adequate
from interim.analysis.survival import ENDPOINTS, times_of
from interim.result import Result, Rows
from interim.study import Study

EARLY = ("K-END", "K-NACT", "K-GAP", "K-NOPOST")
ADMINISTRATIVE = ("K-CUT", "K-ALIVE")


def reasons(adam: Adam, study: Study) -> Result:
    """Count why participants are censored, early and administrative censoring apart, and events after a gap.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS, ADTTE.
    study : Study
        Efficacy set, ``tte.gap_days``.

    Returns
    -------
    Result
        ``censoring.reasons``; by assigned cohort: variable = endpoint with stats n, events, censored; ``<endpoint> early``,
        ``<endpoint> administrative`` and ``<endpoint> other`` with one level per reason and the level empty for all;
        ``gap`` (progression or death more than ``tte.gap_days`` after the last adequate assessment) and ``new_therapy``
        (censored by a new anticancer therapy).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("censoring.reasons", "Censoring reasons and assessment gaps", who)
    for endpoint in ENDPOINTS:
        times, reason = times_of(adam, endpoint)
        if times is None:
            add_not_available(rows, who.groups, variable=endpoint, stat="censored", reason=reason)
            continue
        here = times[times["USUBJID"].isin(who.everyone)]
        _add_kinds(rows, who, here, endpoint)
        if endpoint == "PFS":
            _add_gaps(rows, who, here, adam=adam, study=study)
    return rows.build()


def _add_kinds(rows: Rows, who: Population, times: pd.DataFrame, endpoint: str) -> None:
    event = times["CNSR"] == 0
    for stat, part in (("n", times), ("events", times[event]), ("censored", times[~event])):
        add_counts(rows, who, variable=endpoint, stat=stat, subjects=part["USUBJID"])
    if not set(times.loc[~event, "RSNCD"]) <= {*CNSR}:
        reason = "not available: the reasons of censoring are not coded"
        for kind in ("early", "administrative", "other"):
            add_not_available(rows, who.groups, variable=f"{endpoint} {kind}", reason=reason)
        return
    other = tuple(code for code in CNSR if code not in (*EARLY, *ADMINISTRATIVE))
    for kind, codes in (("early", EARLY), ("administrative", ADMINISTRATIVE), ("other", other)):
        part = times[times["RSNCD"].isin(codes)]
        add_counts(rows, who, variable=f"{endpoint} {kind}", subjects=part["USUBJID"])
        for code in codes:
            ids = part.loc[part["RSNCD"] == code, "USUBJID"]
            if len(ids):
                add_counts(rows, who, variable=f"{endpoint} {kind}", level=code, subjects=ids)


def _add_gaps(rows: Rows, who: Population, times: pd.DataFrame, *, adam: Adam, study: Study) -> None:
    if reason := adam.lacks("SDTM"):
        for variable in ("new_therapy", "gap"):
            add_not_available(rows, who.groups, variable=variable, reason=f"not available: {reason}")
        return
    add_counts(rows, who, variable="new_therapy", subjects=times.loc[times["RSNCD"] == "K-NACT", "USUBJID"])
    if not adam.has("ADRS") or "STARTDT" not in times:
        add_not_available(rows, who.groups, variable="gap", reason="not available: no dates of assessments")
        return
    events = times[(times["CNSR"] == 0) | (times["RSNCD"] == "K-GAP")]
    last = events["USUBJID"].map(last_adequate(adam, study, events))
    gap = (events["UADT"] - last).dt.days
    add_counts(rows, who, variable="gap", subjects=events.loc[gap > study.tte.gap_days, "USUBJID"])
