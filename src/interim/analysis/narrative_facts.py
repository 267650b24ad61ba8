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


def histories(sdtm: Sdtm | None) -> pd.DataFrame | None:
    """Return the medical history as it is told.

    Parameters
    ----------
    sdtm : Sdtm, optional
        MH.

    Returns
    -------
    pandas.DataFrame or None
        USUBJID, SRCSEQ, TOLD (name of the condition, marked if it goes on); None where no history was collected.

    Raises
    ------
    None
    """
    if sdtm is None or not sdtm.has("MH"):
        return None
    layout = participant_rows()["history"]
    source = records_of(sdtm, "MH")
    source = source[~text_column(source, "MHCAT").isin(list(layout["not_counted"]))]
    names = own_text(source, ("MHDECOD", "MHTERM"), layout["not_coded"])
    still = first_text(source, layout["end"]).isin(list(layout["ongoing"]))
    told = [f"{name} (ongoing)" if on else str(name) for name, on in zip(names, still, strict=True)]
    return source[["USUBJID", "SRCSEQ"]].assign(TOLD=told)


def add_history(rows: Rows, place: Mapping[str, Any], *, subject: str, history: pd.DataFrame | None) -> None:
    """Add the medical history of a participant in one text, the conditions that go on marked.

    Parameters
    ----------
    rows : Rows
        Where the row goes.
    place : mapping
        Group, variable and level of the row.
    subject : str
        USUBJID.
    history : pandas.DataFrame or None
        As `histories` gives it.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    if history is None:
        rows.add("history", None, text=_UNKNOWN, subjects=[subject], **place)
        return
    mine = history[history["USUBJID"] == subject]
    sources = [(subject, "MH", str(key)) for key in mine["SRCSEQ"]]
    rows.add(
        "history",
        None,
        text="; ".join(mine["TOLD"]) or "none recorded",
        sources=sources or [(subject, None, None)],
        **place,
    )


def dose_decisions(sdtm: Sdtm | None, study: Study) -> pd.DataFrame:
    """Return the recorded decisions that name a dose level.

    Parameters
    ----------
    sdtm : Sdtm, optional
        DECISIONS.
    study : Study
        Dose levels.

    Returns
    -------
    pandas.DataFrame
        As `interim.analysis.escalation_state.recorded_decisions` gives them; without source data none.

    Raises
    ------
    None
    """
    if sdtm is None:
        return pd.DataFrame({"date": pd.Series(dtype="datetime64[ns]"), "level": pd.Series(dtype="float64")})
    decisions = recorded_decisions(sdtm, study)
    return decisions[(decisions["kind"] == "dose") & decisions["level"].notna()]


def add_judgement(
    rows: Rows,
    place: Mapping[str, Any],
    subject: str,
    *,
    adam: Adam,
    decisions: pd.DataFrame,
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
    decisions : pandas.DataFrame
        As `dose_decisions` gives them.
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
    later = decisions[decisions["date"] > since]
    if later.empty:
        rows.add("decision", None, text="none", subjects=[subject], **place)
        return
    first = later.iloc[0]
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
