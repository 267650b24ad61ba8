"""Trace of the dose-limiting toxicities of one participant: window, evaluability, events, records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import ordered

_STEP = "  "
Records = Callable[[object, object], list[Mapping[str, Any]]]


def dlt_lines(adam: Adam, subject: str, *, records: Records) -> Iterator[str]:
    """Yield how the DLT status of one participant follows from the events.

    Parameters
    ----------
    adam : Adam
        ADDLT, ADAE.
    subject : str
        USUBJID.
    records : callable
        (domain, sequence numbers) -> source records of the participant.

    Yields
    ------
    str
        Lines.

    Raises
    ------
    None
    """
    yield f"DLT of {subject}"
    if not adam.has("ADDLT"):
        yield f"{_STEP}not available: {adam.missing.get('ADDLT', 'no DLT dataset')}"
        return
    addlt = adam["ADDLT"]
    rows = addlt[addlt["USUBJID"] == subject]
    if rows.empty:
        yield f"{_STEP}no row: neither a dose level nor an infusion"
        return
    row = rows.iloc[0].to_dict()
    yield f"Dose level {row['COHORT']}"
    if pd.isna(row["DLTWSDT"]):
        yield f"{_STEP}no window"
    else:
        yield f"{_STEP}window {row['DLTWSDT']:%Y-%m-%d} to {row['DLTWEDT']:%Y-%m-%d}"
    yield "Events"
    yield from _events(adam, subject, row, records)
    yield "Endpoint"
    reason = f" [{row['DLTSTRS']}]" if row["DLTSTRS"] else ""
    yield f"{_STEP}{row['DLTSTAT']}{reason}"
    when = "" if pd.isna(row["DLTDT"]) else f" on {row['DLTDT']:%Y-%m-%d}"
    yield f"{_STEP}DLT {row['DLTFL']}{when}"


def _events(adam: Adam, subject: str, row: Mapping[Any, Any], records: Records) -> Iterator[str]:
    if not adam.has("ADAE"):
        yield f"{_STEP}not available: no adverse events"
        return
    adae = adam["ADAE"]
    inside = adae[adae["USUBJID"] == subject]
    counted = inside["DLTFL"] == "Y"
    if "DLTWINFL" in inside:
        counted |= inside["DLTWINFL"] == "Y"
    events = ordered(inside[counted], ["ASTDT", "SRCSEQ"])
    if events.empty:
        yield f"{_STEP}none in the window"
    for event in events.to_dict("records"):
        found = records(event["SRCDOM"], event["SRCSEQ"])
        places = "; ".join(f"{r['SRCFILE']} row {r['SRCROW']}" for r in found) or "no record"
        rule = event.get("DLTRULE")
        text = f" [{rule}]" if isinstance(rule, str) and rule else ""
        grade = event.get("AETOXGRN")
        degree = "" if grade is None or pd.isna(grade) else f", grade {grade:g}"
        start = "no date" if pd.isna(event["ASTDT"]) else f"{event['ASTDT']:%Y-%m-%d}"
        yield f"{_STEP}{start} {event['AEDECOD']}{degree}: DLT {event['DLTFL']}{text} <- {places}"
