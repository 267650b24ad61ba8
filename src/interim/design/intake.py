"""Reading the rows of a dose-escalation history: what is refused, what is only listed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from interim.errors import DataError, Finding

REQUIRED = (
    "participant",
    "order",
    "level",
    "assigned",
    "window_start",
    "window_end",
    "status",
    "dlt",
    "trigger",
)
_DAYS = ("assigned", "window_start", "window_end", "status_known", "dlt_known", "trigger_known")
_STATUSES = ("evaluable", "pending", "not_evaluable")
_ONSETS = ("dlt_onset", "trigger_onset")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")
_YES = {"Y": True, "N": False, True: True, False: False}


def read_rows(frame: pd.DataFrame, *, levels: int) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
    """Read the rows of a history.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns as `interim.design.history.History.from_frame` says.
    levels : int
        Number of dose levels.

    Returns
    -------
    rows : list of dict
        Fields of a participant, in order of assignment.
    findings : tuple of Finding
        What is listed and does not stop: unknown status, missing flags, missing dates of knowledge.

    Raises
    ------
    DataError
        If rows cannot be used; every one is listed.
    """
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        text = f"the history needs the columns {', '.join(REQUIRED)}; {', '.join(missing)} missing"
        raise DataError([Finding("DOSE-HISTORY", "stop", "DOSE", text)])
    records = [(place, row) for place, row in enumerate(frame.to_dict("records"), 1)]
    wrong = [finding for place, row in records for finding in _refused(row, place, levels)]
    wrong += _repeated([row for _, row in records])
    if wrong:
        raise DataError(wrong)
    listed: list[Finding] = []
    rows = [_fields(row, listed) for _, row in records]
    return sorted(rows, key=lambda row: row["order"]), tuple(sorted(listed, key=lambda item: item.order))


def _refused(row: Mapping[Any, Any], place: int, levels: int) -> Iterator[Finding]:
    who = None if _absent(row["participant"]) else str(row["participant"]).strip() or None
    for variable, expected in (*_unusable(row, who, levels), *_impossible(row)):
        text = f"{variable} must be {expected}, found {row.get(variable)!r}; correct the assignment record"
        yield Finding("DOSE-HISTORY", "stop", "DOSE", text, subject=who, variable=variable, row=place)


def _unusable(row: Mapping[Any, Any], who: str | None, levels: int) -> Iterator[tuple[str, str]]:
    """Yield the values that cannot be read, with what is expected."""
    if who is None:
        yield "participant", "given"
    if not _whole(row["order"]):
        yield "order", "a whole number that gives the order of assignment"
    if not _whole(row["level"]) or not 1 <= int(row["level"]) <= levels:
        yield "level", f"one of 1..{levels}"
    for name in (*_DAYS, *_ONSETS):
        if not _readable(row.get(name)):
            yield name, "a complete date (YYYY-MM-DD)"
    for name, kind, usable in _NUMBERS:
        value: Any = row.get(name)
        if not (_absent(value) or (usable(value) and value >= 0)):
            yield name, f"{kind} >= 0"


def _impossible(row: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield the values that contradict each other, with what is expected."""
    first, last = (
        _day(row[name]) if _readable(row[name]) else None for name in ("window_start", "window_end")
    )
    if first is not None and last is not None and last < first:
        yield "window_end", f"on or after the start of the window, {first:%Y-%m-%d}"
    if _flag(row["dlt"]) and _whole(row.get("infusions")) and int(row["infusions"]) == 0:
        yield "dlt", "absent for a participant who was never treated (infusions 0)"


def _repeated(records: Sequence[Mapping[Any, Any]]) -> list[Finding]:
    found = []
    for name, rows in _shared(records, "participant"):
        places = sorted({str(row["level"]) for row in rows})
        text = f"one row per participant expected, found {len(rows)} (levels {', '.join(places)})"
        found.append(Finding("DOSE-HISTORY", "stop", "DOSE", text, subject=str(name), variable="level"))
    placed = [row for row in records if _whole(row["order"])]
    for order, rows in _shared(placed, "order"):
        who = ", ".join(sorted(str(row["participant"]) for row in rows))
        text = f"order {order} is given to {who}; equal dates need an explicit order of assignment"
        found.append(Finding("DOSE-HISTORY", "stop", "DOSE", text, key=(str(order),), variable="order"))
    return found


def _shared(records: Sequence[Mapping[Any, Any]], variable: str) -> list[tuple[Any, list[Mapping[Any, Any]]]]:
    """Return the values that more than one row has, with these rows."""
    groups: dict[Any, list[Mapping[Any, Any]]] = {}
    for row in records:
        if not _absent(row[variable]):
            groups.setdefault(row[variable], []).append(row)
    shared = [(value, rows) for value, rows in groups.items() if len(rows) > 1]
    return sorted(shared, key=lambda item: (str(type(item[0])), item[0]))


def _fields(row: Mapping[Any, Any], listed: list[Finding]) -> dict[str, Any]:
    who = str(row["participant"])
    dlt, status = _outcome(row, who, listed)
    trigger = _flag(row["trigger"])
    if trigger is None:
        _list(listed, who, "trigger", "an open query; taken as a trigger until it is answered")
    days = {name: _day(row.get(name)) for name in _DAYS}
    for name, present in (("dlt", dlt), ("trigger", trigger is not False and not dlt)):
        known = f"{name}_known"
        if present and days[known] is None:
            days[known] = _day(row.get(f"{name}_onset"))
            text = "the date on which the event became known is missing; its onset date stands in where it is given"
            if days[known] is not None or name == "dlt" or trigger:
                listed.append(Finding("DOSE-KNOWN", "warn", "DOSE", text, subject=who, variable=known))
    return {
        "id": who,
        "order": int(row["order"]),
        "level": int(row["level"]),
        "status": status,
        "dlt": dlt,
        "trigger": dlt or trigger is not False,
        "trigger_open": trigger is None and not dlt,
        "infusions": int(row["infusions"]) if _whole(row.get("infusions")) else None,
        "planned_dose": _number(row.get("planned_dose")),
        "actual_dose": _number(row.get("actual_dose")),
        **days,
    }


def _outcome(row: Mapping[Any, Any], who: str, listed: list[Finding]) -> tuple[bool, str]:
    """Return DLT and status: a DLT always counts, what is unknown is pending."""
    dlt, status = _flag(row["dlt"]), row["status"]
    if dlt:
        return True, "evaluable"
    if status not in _STATUSES:
        _list(listed, who, "status", f"{status!r} is none of {', '.join(_STATUSES)}; counted as pending")
        return False, "pending"
    if dlt is None and status == "evaluable":
        _list(listed, who, "dlt", "missing though the window is closed; counted as pending")
        return False, "pending"
    return False, str(status)


def _list(listed: list[Finding], who: str, variable: str, text: str) -> None:
    listed.append(
        Finding("DOSE-STATUS", "warn", "DOSE", f"{variable}: {text}", subject=who, variable=variable)
    )


def _absent(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _whole(value: Any) -> bool:
    return _numeric(value) and float(value).is_integer()


def _numeric(value: Any) -> bool:
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return real and not _absent(value)


_NUMBERS = (
    ("infusions", "a whole number", _whole),
    ("planned_dose", "a number", _numeric),
    ("actual_dose", "a number", _numeric),
)


def _readable(value: Any) -> bool:
    """Tell whether a date is absent or complete; the missing part of a date is never filled in."""
    if _absent(value) or isinstance(value, date | np.datetime64):
        return True
    if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
        return False
    try:
        pd.Timestamp(value)
    except ValueError:
        return False
    return True


def _number(value: Any) -> float | None:
    return None if _absent(value) else float(value)


def _flag(value: Any) -> bool | None:
    return None if _absent(value) else _YES.get(value)


def _day(value: Any) -> pd.Timestamp | None:
    return None if _absent(value) else pd.Timestamp(value).tz_localize(None)
