"""Dose finding: the events behind the decisions, and the course of the escalation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from interim.adam.adtox import trigger_events
from interim.adam.dlt import dlt_windows
from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.analysis.escalation_state import (
    add_absent,
    add_texts,
    escalation_of,
    no_escalation,
    printed,
)
from interim.analysis.population import MISSING, set_label
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.study import Study
from interim.study.ambiguity import register
from interim.study.reread import with_readings

_NEEDED = {"AETOXGRN", "RELNK", "RELCART", "RELPROC", "RELMISFL", "CRSFL", "APHASE", "ASTDT", "DLTFL"}
_CAUSES = {
    "RELNK": "CAR-NK",
    "RELCART": "CAR-T",
    "RELPROC": "procedure",
    "RELLYMPHODEP": "lymphodepletion",
    "RELOTH": "other",
}
NO_ADJUDICATION = "the data hold no adjudication of the events"
NO_EVENTS = "not derived: adverse events with grade, relation and phase are not available"


def no_events(adam: Adam, study: Study) -> str:
    """Return why the events behind the decisions cannot be listed.

    Parameters
    ----------
    adam : Adam
        ADAE, ADDLT.
    study : Study
        Products and cohorts.

    Returns
    -------
    str
        Empty if they can.

    Raises
    ------
    None
    """
    reason = no_escalation(adam, study)
    if reason:
        return reason
    return "" if adam.has("ADAE") and set(adam["ADAE"].columns) >= _NEEDED else NO_EVENTS


def dlt_details(adam: Adam, study: Study) -> Result:
    """List the dose-limiting toxicities, and the definition by which they are found.

    Parameters
    ----------
    adam : Adam
        ADAE, ADSL, ADDLT.
    study : Study
        ``dose.dlt_rules``.

    Returns
    -------
    Result
        ``escalation_events.dlt_details``; variable event, one level per event by participant and onset; stats participant, dose, term, grade, day_nk,
        day_cart, duration, action, outcome, window, basis, adjudication; variable adjudication with the reason why there is none; variable definition, one
        level per rule (stat text).

    Raises
    ------
    None
    """
    title = "Details of dose-limiting toxicities"
    rows = Rows("escalation_events.dlt_details", title, set_label("DLT-EV", study))
    for rule in study.dose.dlt_rules:
        rows.add("text", None, text=rule.text, variable="definition", level=rule.id)
    reason = no_events(adam, study)
    if reason:
        return add_absent(rows, reason, variable="event").build()
    rows.add("n", None, variable="adjudication", status="NA", reason=NO_ADJUDICATION)
    facts = _by_subject(adam["ADDLT"])
    starts = _by_subject(adam["ADSL"][["USUBJID", "TRTSDT", "TRTSCT", "DCUTDT"]])
    events = [row for row in _chosen(adam, adam["ADAE"]["DLTFL"] == "Y") if not row["NONE"]]
    rows.add("n", len(events), variable="event", n=len(events))
    for place, row in enumerate(events, 1):
        who = str(row["USUBJID"])
        texts = _dlt(row, facts[who], starts[who])
        add_texts(
            rows, {"variable": "event", "level": str(place)}, texts, sources=[(who, "AE", row["SRCSEQ"])]
        )
    return rows.build()


def _by_subject(frame: pd.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Return the rows of a dataset by participant."""
    return {str(row["USUBJID"]): row for row in frame.to_dict("records")}  # type: ignore[misc]


def _chosen(adam: Adam, where: pd.Series) -> list[dict[str, Any]]:
    """Return the chosen events by order of assignment and onset; participants without a dose level stand last."""
    facts = adam["ADDLT"].set_index("USUBJID")
    frame = adam["ADAE"][where]
    who = frame["USUBJID"]
    frame = frame.assign(ORDER=who.map(facts["ORDER"]), NONE=who.map(facts["LEVEL"]).isna())
    frame = frame[frame["ORDER"].notna()]
    found: list[dict[str, Any]] = ordered(frame, ["NONE", "ORDER", "ASTDT", "SRCSEQ"]).to_dict("records")  # type: ignore[assignment]
    return found


def _dlt(row: Mapping[str, Any], fact: Mapping[str, Any], start: Mapping[str, Any]) -> dict[str, str]:
    open_window = pd.notna(fact["DLTWEDT"]) and fact["DLTWEDT"] > start["DCUTDT"]
    reported = row.get("DLTREPFL") == "Y"
    both = filter(None, (row.get("DLTRULE"), "reported" if reported else None))
    return {
        "participant": str(row["USUBJID"]),
        "dose": str(fact["COHORT"]),
        "term": _text(row, "AEDECOD") or _text(row, "AETERM"),
        "grade": _whole(row["AETOXGRN"]),
        "day_nk": _day(row["ASTDT"], start["TRTSDT"]),
        "day_cart": _day(row["ASTDT"], start["TRTSCT"]),
        "duration": _whole(row.get("ADURN")) + ("+" if row.get("AONGOFL") == "Y" else ""),
        "action": _text(row, "AEACN").capitalize(),
        "outcome": _text(row, "AEOUT").capitalize(),
        "window": "open" if open_window else "closed",
        "basis": "; ".join(both),
        "adjudication": "not available",
    }


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None or value != value else str(value)


def _whole(value: Any) -> str:
    return MISSING if value is None or pd.isna(value) else f"{float(value):.0f}"


def _day(date: Any, start: Any) -> str:
    return MISSING if pd.isna(date) or pd.isna(start) else f"{(date - start).days}"


def trigger_candidates(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List every event that is a titration trigger under at least one reading.

    Parameters
    ----------
    adam : Adam
        ADAE, ADSL, ADEX, ADDLT.
    study : Study
        ``[titration_trigger]``.
    sdtm : Sdtm
        AE.

    Returns
    -------
    Result
        ``escalation_events.trigger_candidates``; variable event, one level per event; stats participant, dose, term, day_nk, ctcae, astct, related, applies, and one stat per
        ambiguity with the letters of the readings under which it is a trigger; variable count, level per reading (stat n: participants with a dose level
        and a trigger).

    Raises
    ------
    None
    """
    title = "Accelerated-titration trigger events"
    rows = Rows("escalation_events.trigger_candidates", title, set_label("NK-SAF", study))
    reason = no_events(adam, study)
    if reason:
        return add_absent(rows, reason, variable="event").build()
    status = triggers_by_reading(adam, study, sdtm)
    some = pd.concat([flags != "N" for flags in status.values()], axis=1).any(axis=1)
    assigned = set(adam["ADDLT"].loc[adam["ADDLT"]["LEVEL"].notna(), "USUBJID"])
    for (amb, letter), flags in status.items():
        hit = sorted(assigned & set(adam["ADAE"].loc[flags != "N", "USUBJID"]))
        rows.add("n", len(hit), variable="count", level=f"{amb} {letter}", n=len(hit), subjects=hit)
    facts, starts = _by_subject(adam["ADDLT"]), _by_subject(adam["ADSL"])
    marked = {f"{amb} {letter}": flags for (amb, letter), flags in status.items()}
    events = _chosen(Adam({**adam.datasets, "ADAE": adam["ADAE"].assign(**marked)}, adam.cut), some)
    for place, row in enumerate(events, 1):
        who = str(row["USUBJID"])
        texts = _candidate(row, facts[who], starts[who])
        add_texts(
            rows, {"variable": "event", "level": str(place)}, texts, sources=[(who, "AE", row["SRCSEQ"])]
        )
    return rows.build()


def triggers_by_reading(adam: Adam, study: Study, sdtm: Sdtm) -> dict[tuple[str, str], pd.Series]:
    """Tell for every reading of the trigger which events are one.

    Parameters
    ----------
    adam : Adam
        ADAE, ADSL, ADEX.
    study : Study
        The other parameters of the trigger.
    sdtm : Sdtm
        AE.

    Returns
    -------
    dict of (str, str) to pandas.Series
        (AMB id, reading) -> Y, N or None on the index of ADAE.

    Raises
    ------
    None
    """
    windows = dlt_windows(sdtm, adam["ADSL"], adex=adam["ADEX"], study=study)
    return {
        (amb, letter): trigger_events(
            adam["ADAE"], windows, with_readings(study, {amb: letter}).titration_trigger
        )
        for amb in printed()["trigger"]["ambiguities"]
        for letter in _letters(amb)
    }


def _letters(amb: str) -> Iterator[str]:
    return (letter for letter, entry in register()[amb].items() if isinstance(entry, Mapping))


def _candidate(row: Mapping[str, Any], fact: Mapping[str, Any], start: Mapping[str, Any]) -> dict[str, str]:
    causes = [label for name, label in _CAUSES.items() if row.get(name) == "Y"]
    texts = {
        "participant": str(row["USUBJID"]),
        "dose": str(fact["COHORT"]),
        "term": _text(row, "AEDECOD") or _text(row, "AETERM"),
        "day_nk": _day(row["ASTDT"], start["TRTSDT"]),
        "ctcae": _whole(row["AETOXGRN"]),
        "astct": _whole(row.get("ASTCTGRN")) if row["CRSFL"] == "Y" else "",
        "related": ", ".join(causes) or "none",
        "applies": {"Y": "yes", "N": "no"}.get(row["TRIGFL"], "open query"),
    }
    for amb in printed()["trigger"]["ambiguities"]:
        marks = {"Y": "", "N": None}
        found = (f"{letter}{marks.get(row[f'{amb} {letter}'], '?')}" for letter in _letters(amb)
                 if row[f"{amb} {letter}"] != "N")  # fmt: skip
        texts[amb] = " ".join(found)
    return texts


def course(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Follow the escalation participant by participant.

    Parameters
    ----------
    adam : Adam
        ADDLT, ADSL.
    study : Study
        Dose levels.
    sdtm : Sdtm
        Source data.

    Returns
    -------
    Result
        ``escalation_events.course``; variable participant, one level per place in the order of assignment; stats level (value), outcome (text: none, trigger, dlt,
        pending, not_evaluable), tumour (text).

    Raises
    ------
    None
    """
    rows = Rows("escalation_events.course", "Course of dose escalation", set_label("CART-SAF", study))
    reason = no_escalation(adam, study)
    if reason:
        return add_absent(rows, reason, variable="participant").build()
    history = escalation_of(adam, study, sdtm).history
    adsl = adam["ADSL"].set_index("USUBJID")
    words = {"N": "none", "G": "trigger", "T": "dlt", "P": "pending", "X": "not_evaluable"}
    for place, subject in enumerate(history.subjects, 1):
        tumour = adsl["TUMTYPE"].get(subject.id) if "TUMTYPE" in adsl else None
        where = {"variable": "participant", "level": str(place)}
        rows.add("level", subject.level, **where, subjects=[subject.id])
        add_texts(rows, where, {"outcome": words[subject.outcome], "tumour": str(tumour or MISSING)})
    return rows.build()
