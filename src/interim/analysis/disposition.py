"""Disposition: what happened to the participants, and who is in which analysis set."""

from __future__ import annotations

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import ordered, shipped_data
from interim.analysis.conduct import plain, step_records, treatment_ends
from interim.analysis.population import (
    FURTHER_SETS,
    MISSING,
    SETS,
    AnalysisSet,
    Population,
    add_counts,
    add_not_available,
    by_value,
    open_rows,
    population,
    set_label,
)
from interim.data.model import Sdtm
from interim.result import TOTAL, Result, Rows
from interim.study import Study

_PHASE_ROLES = (("NK", "nk"), ("CART_C1", "t"), ("CART_C2", "t"))
_STEPS = ("apheresis", "released", "failed", "out_of_specification")
_OUTSIDE = {
    "manufacture": "not available: no manufacturing records of a T-cell product",
    "PP": "not defined in the study parameters (OP-8)",
    "CK": "not available: no samples of cellular kinetics",
    "CK-NK": "not available: no samples of cellular kinetics",
    "BX": "not available: no biopsies",
    "BX-PAIR": "not available: no biopsies",
}


def participant_flow(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """Count participants from screening to the cut-off.

    Parameters
    ----------
    adam : Adam
        ADSL and ADEX.
    study : Study
        Products and columns.
    sdtm : Sdtm, optional
        BE: leukapheresis, release and failure of the T-cell product; DS: end of treatment.

    Returns
    -------
    Result
        ``disposition.participant_flow``; variables screening, screen_failure, enrolled, manufacture, infusion, treatment, status,
        discontinuation, death, new_therapy; stat n; columns by assigned cohort of the enrolled, screening in the total only.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "ENR")
    rows = open_rows("disposition.participant_flow", "Participant disposition", who)
    adsl = adam["ADSL"]
    _screening(rows, who, adsl)
    add_counts(rows, who, variable="enrolled", subjects=who.everyone)
    _manufacture(rows, who, study, sdtm)
    _infusions(rows, who, adam, study)
    if sdtm is not None:
        _treatment(rows, who, sdtm)
    _status(rows, who, adsl[adsl["USUBJID"].isin(who.everyone)], adam.lacks("ADSL.NACTDT"))
    return rows.build()


def _screening(rows: Rows, who: Population, adsl: pd.DataFrame) -> None:
    failed = adsl[adsl["ENRLFL"] != "Y"]
    screened = sorted(adsl["USUBJID"])
    rows.add(
        "n", len(screened), variable="screening", n=len(screened), unit="participants", subjects=screened
    )
    for reason, ids in {
        "": frozenset(failed["USUBJID"]),
        **by_value(failed.fillna({"ENRLRS": MISSING}), "ENRLRS"),
    }.items():
        rows.add(
            "n",
            len(ids),
            variable="screen_failure",
            level=reason,
            n=len(ids),
            N=len(screened),
            subjects=sorted(ids),
        )
    groups = [g for g in who.groups if g != TOTAL]
    for variable in ("screening", "screen_failure"):
        add_not_available(rows, groups, variable=variable, reason="cohorts are assigned after screening")


def _manufacture(rows: Rows, who: Population, study: Study, sdtm: Sdtm | None) -> None:
    """Add who had leukapheresis, and whose T-cell product was released, failed or was out of specification."""
    products = {plain(product.id) for product in study.products if product.role == "t"}
    if not products or sdtm is None or not sdtm.has("BE"):
        add_not_available(rows, who.groups, variable="manufacture", reason=_OUTSIDE["manufacture"])
        return
    records = step_records(sdtm)
    mine = records[records["PRODUCT"].isin(list(products))]
    for step in _STEPS:
        texts = list(shipped_data("exposure")["manufacturing"][step])
        subjects = mine.loc[mine["STEP"].isin(texts), "USUBJID"]
        add_counts(rows, who, variable="manufacture", level=step, subjects=subjects)


def _infusions(rows: Rows, who: Population, adam: Adam, study: Study) -> None:
    """Add who received the first, second ... infusion of each phase, or of each product where there are no phases."""
    if not adam.has("ADEX"):
        reason = f"not available: {adam.missing.get('ADEX', 'no exposure dataset')}"
        add_not_available(rows, who.groups, variable="infusion", reason=reason)
        return
    adex = ordered(adam["ADEX"], ["USUBJID", "ASTDT", "SRCSEQ"])
    roles = {product.role for product in study.treated()}
    steps: list[tuple[str, pd.DataFrame]] = [
        (phase, adex[adex["APHASE"] == phase]) for phase, role in _PHASE_ROLES if role in roles
    ]
    steps += [(p.id, adex[adex["PRODUCT"] == p.id]) for p in study.treated() if p.role == "other"]
    for name, given in steps:
        ordinal = given.groupby("USUBJID").cumcount() + 1
        last = 1 if study.with_role("other") else max(int(ordinal.max()) if len(given) else 1, 1)
        for number in range(1, last + 1):
            ids = given.loc[ordinal == number, "USUBJID"]
            add_counts(rows, who, variable="infusion", level=f"{name} {number}", subjects=ids)


def _treatment(rows: Rows, who: Population, sdtm: Sdtm) -> None:
    """Add who completed the study treatment, and who ended it early by reason."""
    ends = treatment_ends(sdtm)
    if ends.empty:
        add_not_available(rows, who.groups, variable="treatment", reason="not collected: end of treatment")
        return
    for _, part in ends.groupby(~ends["DONE"], sort=True):
        for how, same in part.groupby("HOW", sort=True):
            add_counts(rows, who, variable="treatment", level=str(how), subjects=same["USUBJID"])


def _status(rows: Rows, who: Population, enrolled: pd.DataFrame, no_dates: str) -> None:
    filled = enrolled.fillna({"EOSSTT": MISSING})
    states = by_value(filled, "EOSSTT")
    for level in ("ONGOING", "COMPLETED", "DISCONTINUED", *([MISSING] if MISSING in states else [])):
        add_counts(rows, who, variable="status", level=level, subjects=states.get(level, ()))
    left = enrolled[enrolled["EOSSTT"] == "DISCONTINUED"].fillna({"DCSREAS": MISSING})
    for reason, ids in by_value(left, "DCSREAS").items():
        add_counts(rows, who, variable="discontinuation", level=reason, subjects=ids)
    if no_dates:
        add_not_available(rows, who.groups, variable="new_therapy", reason=f"not available: {no_dates}")
    else:
        add_counts(
            rows, who, variable="new_therapy", subjects=enrolled.loc[enrolled["NACTDT"].notna(), "USUBJID"]
        )
    add_counts(rows, who, variable="death", subjects=enrolled.loc[enrolled["DTHFL"] == "Y", "USUBJID"])


def analysis_sets(adam: Adam, study: Study) -> Result:
    """Count the members of each analysis set, and the excluded by reason.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Products and columns.

    Returns
    -------
    Result
        ``disposition.analysis_sets``; variable = set code with stat n; variable ``<code> excluded`` with one level per
        reason; sets that the data cannot give are NA with the reason.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "ENR")
    rows = open_rows("disposition.analysis_sets", "Analysis sets and reasons for exclusion", who)
    enrolled = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(who.everyone)]
    for item in SETS.values():
        _add_set(rows, who, item, enrolled=enrolled, reason=_no_set(item, adam, study))
    for code, (flag, reason_of) in FURTHER_SETS.items():
        if flag not in enrolled:
            add_not_available(rows, who.groups, variable=code, reason=_OUTSIDE[code])
            continue
        member = enrolled[flag] == "Y"
        add_counts(rows, who, variable=code, subjects=enrolled.loc[member, "USUBJID"])
        for reason, ids in by_value(enrolled[~member], reason_of).items():
            add_counts(rows, who, variable=f"{code} excluded", level=reason, subjects=ids)
    return rows.build()


def _no_set(item: AnalysisSet, adam: Adam, study: Study) -> str:
    """Return why a set does not exist; empty if it does."""
    if item.role and item.role not in {product.role for product in study.products}:
        return f"not applicable: the study has no product for the {set_label(item.code, study)}"
    gone = adam.lacks(f"ADSL.{item.flag}")
    return f"not available: {gone}" if gone else ""


def _add_set(rows: Rows, who: Population, item: AnalysisSet, *, enrolled: pd.DataFrame, reason: str) -> None:
    """Add the members of a set and the excluded by reason."""
    if reason:
        add_not_available(rows, who.groups, variable=item.code, reason=reason)
        return
    member = enrolled[item.flag] == "Y"
    add_counts(rows, who, variable=item.code, subjects=enrolled.loc[member, "USUBJID"])
    if item.code == "ENR":
        return
    excluded = enrolled[~member].fillna({item.reason: MISSING})
    for text, ids in by_value(excluded, item.reason).items():
        add_counts(rows, who, variable=f"{item.code} excluded", level=text, subjects=ids)
