"""Facts of a narrative beside the events: medical history, causality, and what the events meant for the decision on dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import text_column
from interim.analysis.escalation_state import recorded_decisions
from interim.analysis.records import first_text, own_text, participant_rows, records_of
from interim.data.model import Sdtm
from interim.result import Rows
from interim.study import Study

_UNKNOWN = "not recorded"


def add_history(rows: Rows, place: Mapping[str, Any], *, subject: str, sdtm: Sdtm | None) -> None:
    """Add the medical history of a participant in one text, the conditions that go on marked.

    Parameters
    ----------
    rows : Rows
        Where the row goes.
    place : mapping
        Group, variable and level of the row.
    subject : str
        USUBJID.
    sdtm : Sdtm, optional
        MH.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    if sdtm is None or not sdtm.has("MH"):
        rows.add("history", None, text=_UNKNOWN, subjects=[subject], **place)
        return
    layout = participant_rows()["history"]
    source = records_of(sdtm, "MH")
    counted = ~text_column(source, "MHCAT").isin(list(layout["not_counted"]))
    mine = source[counted & (source["USUBJID"] == subject)]
    names = own_text(mine, ("MHDECOD", "MHTERM"), layout["not_coded"])
    still = first_text(mine, layout["end"]).isin(list(layout["ongoing"]))
    told = [f"{name} (ongoing)" if on else str(name) for name, on in zip(names, still, strict=True)]
    sources = [(subject, "MH", str(key)) for key in mine["SRCSEQ"]]
    rows.add(
        "history",
        None,
        text="; ".join(told) or "none recorded",
        sources=sources or [(subject, None, None)],
        **place,
    )


def add_judgement(
    rows: Rows,
    place: Mapping[str, Any],
    subject: str,
    *,
    adam: Adam,
    study: Study,
    sdtm: Sdtm | None,
    since: pd.Timestamp,
) -> None:
    """Add what the events meant for the decision on dose, and the recorded decision that followed.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    place : mapping
        Group, variable and level of the rows.
    subject : str
        USUBJID.
    adam : Adam
        ADSL, ADDLT.
    study : Study
        Dose levels.
    sdtm : Sdtm, optional
        DECISIONS.
    since : pandas.Timestamp
        Onset of the first event that is told, or day of death.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Stats effect (text: DLT, TRIGGER, NONE, PENDING or NOT EVALUABLE), decision (text: dose level of the first decision after that day)
    and decided (days from the first infusion). The data contract has no variable for the causality by the sponsor: stat sponsor says so.
    """
    rows.add("sponsor", None, text=_UNKNOWN, subjects=[subject], **place)
    rows.add("effect", None, text=_effect(adam, subject), subjects=[subject], **place)
    decisions = recorded_decisions(sdtm, study) if sdtm is not None else pd.DataFrame()
    if len(decisions):
        later = (decisions["kind"] == "dose") & (decisions["date"] > since) & decisions["level"].notna()
        decisions = decisions[later]
    if decisions.empty:
        rows.add("decision", None, text="none", subjects=[subject], **place)
        return
    first = decisions.iloc[0]
    start = adam["ADSL"].set_index("USUBJID")["TRTSDT"][subject]
    rows.add("decision", None, text=f"DL{int(first['level'])}", subjects=[subject], **place)
    rows.add("decided", float((first["date"] - start).days), unit="days", subjects=[subject], **place)


def _effect(adam: Adam, subject: str) -> str:
    """Return how the participant counts in the decision on dose."""
    frame = adam["ADDLT"] if adam.has("ADDLT") else pd.DataFrame(columns=["USUBJID"])
    mine = frame[frame["USUBJID"] == subject]
    if mine.empty:
        return _UNKNOWN
    row = mine.iloc[0]
    if row.get("DLTFL") == "Y":
        return "DLT"
    if row.get("DLTSTAT") != "EVALUABLE":
        return "PENDING" if row.get("DLTSTAT") == "PENDING" else "NOT EVALUABLE"
    return "TRIGGER" if row.get("TRIGFL") == "Y" else "NONE"
