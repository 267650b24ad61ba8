"""Participant flow: who is at each step, why the others are not, and the decisions between the cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.conduct import treatment_ends
from interim.analysis.population import MISSING, SETS, Population, by_value
from interim.data.dates import DAYS_PER_MONTH
from interim.data.model import Sdtm
from interim.result import TOTAL, Rows
from interim.study import Study

_SET_OF = {
    "enrolled": "ENR",
    "nk": "NK-SAF",
    "cart_c1": "CART-SAF",
    "dlt_evaluable": "DLT-EV",
    "response_evaluable": "RE",
}


@dataclass(frozen=True)
class Step:
    """One step of the flow.

    Attributes
    ----------
    name : str
        Variable of its rows.
    members, before : frozenset of str
        USUBJIDs at the step, and at the step that its arrow comes from.
    """

    name: str
    members: frozenset[str]
    before: frozenset[str]


def flow_steps(adam: Adam, study: Study, who: Population) -> tuple[Step, ...]:
    """Return the steps behind enrolment in their order; the evaluable are counted of those with an NK infusion.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX.
    study : Study
        Products.
    who : Population
        The enrolled.

    Returns
    -------
    tuple of Step
        The first is that of the enrolled.

    Raises
    ------
    None
    """
    adsl = adam["ADSL"].set_index("USUBJID")
    adex = adam["ADEX"] if adam.has("ADEX") else pd.DataFrame(columns=["USUBJID", "APHASE"])

    def infused(phase: str) -> frozenset[str]:
        return frozenset(adex.loc[adex["APHASE"] == phase, "USUBJID"]) & who.everyone

    def flagged(name: str) -> frozenset[str]:
        return frozenset(adsl.index[adsl[name] == "Y"]) & who.everyone

    nk = flagged("SAFNKFL")
    steps = [Step("enrolled", who.everyone, who.everyone), Step("nk", nk, who.everyone)]
    if study.with_role("t"):
        first, second = infused("CART_C1"), infused("CART_C2")
        steps += [Step("cart_c1", first, nk), Step("cart_c2", second, first)]
        steps.append(Step("dlt_evaluable", flagged("DLTEVFL"), nk))
    return (*steps, Step("response_evaluable", flagged("RESFL"), nk))


def reasons_of(
    step: str, lost: frozenset[str], *, adam: Adam, sdtm: Sdtm | None
) -> dict[str, frozenset[str]]:
    """Return why participants did not reach a step; everyone has one reason.

    Parameters
    ----------
    step : str
        Name of the step.
    lost : frozenset of str
        USUBJIDs of those who did not reach it.
    adam : Adam
        ADSL.
    sdtm : Sdtm, optional
        DS: end of treatment, why there was no second cycle.

    Returns
    -------
    dict of str to frozenset of str
        Reason -> USUBJIDs, reasons sorted.

    Raises
    ------
    None
    """
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(lost)]
    if step in _SET_OF:
        column = SETS[_SET_OF[step]].reason
        return by_value(adsl.fillna({column: MISSING}), column)
    ends = pd.Series(dtype=object)
    if sdtm is not None:
        ended = treatment_ends(sdtm)
        ends = ended[~ended["DONE"].astype(bool)].set_index("USUBJID")["HOW"]
    return by_value(adsl.assign(HOW=adsl["USUBJID"].map(ends).fillna(MISSING)), "HOW")


def add_decision_nodes(rows: Rows, decisions: pd.DataFrame, zero: pd.Timestamp) -> None:
    """Add the recorded decisions about dose levels, each at the cohort that it opens or continues.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    decisions : pandas.DataFrame
        As `interim.analysis.escalation_state.recorded_decisions` returns them, by date.
    zero : pandas.Timestamp
        Day of the first consent.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Variable decision, level = place; group = dose level of a decision of kind dose, the total otherwise. Stats month (text: start,
    escalate, stay or de_escalate beside the decision before; otherwise the kind), planned (participants), dose and role (texts).
    """
    before = 0
    known = decisions.dropna(subset=["date", "level"])
    for place, item in enumerate(known.to_dict("records"), 1):
        level, dose = int(item["level"]), item["kind"] == "dose"
        action = _action(level, before) if dose else str(item["kind"])
        where: dict[str, Any] = {
            "group": f"DL{level}" if dose else TOTAL,
            "variable": "decision",
            "level": str(place),
        }
        months = (item["date"] - zero).days / DAYS_PER_MONTH
        rows.add("month", months, text=action, unit="months", **where)
        rows.add("dose", None, text=f"DL{level}", **where)
        rows.add("role", None, text=str(item["role"]), **where)
        if item["n"] == item["n"]:
            rows.add("planned", float(item["n"]), unit="participants", **where)
        before = level if dose else before


def _action(level: int, before: int) -> str:
    """Return what a decision does to the dose of the decision before it (0: none)."""
    if not before:
        return "start"
    if level == before:
        return "stay"
    return "escalate" if level > before else "de_escalate"
