"""Calendar dates in printed texts: they become study days, or what can be said without the calendar."""

from __future__ import annotations

import re

import pandas as pd

from interim.adam.model import Adam
from interim.data.dates import parse_dates

_ISO = re.compile(
    r"(?<![\w.-])(?P<day>(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)"
    r"(?:T\d\d(?::\d\d){0,2}(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])"
)
_OTHER = re.compile(
    r"(?<![\w./-])(?:\d{1,4}[./]\d{1,2}[./]\d{1,4}"
    r"|\d{1,2}[ -]?(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ,-]*\d{2,4})(?![\d/])"
    r"|(?<!\d)(?:19|20)\d\d ?年 ?\d{1,2} ?月(?: ?\d{1,2} ?[日号])?"
)
_UNKNOWN = "a date"


def first_days(adam: Adam) -> dict[str, pd.Timestamp]:
    """Return the day of the first infusion of each participant.

    Parameters
    ----------
    adam : Adam
        ADSL.

    Returns
    -------
    dict of str to pandas.Timestamp
        USUBJID -> day 0; empty without ADSL.

    Raises
    ------
    None
    """
    if not adam.has("ADSL") or "TRTSDT" not in adam["ADSL"]:
        return {}
    days = adam["ADSL"].set_index("USUBJID")["TRTSDT"].dropna()
    return {str(subject): pd.Timestamp(day) for subject, day in days.items()}


def in_days(text: str, start: pd.Timestamp | None) -> str:
    """Return a text whose calendar dates are study days.

    Parameters
    ----------
    text : str
        Any text of the data.
    start : pandas.Timestamp or None
        Day 0 of the participant.

    Returns
    -------
    str
        A date is ``day n`` (first infusion = 0), one without its day ``days a to b``, one of a participant who was not treated
        ``a date``; of a date in another notation only the notation is left, each digit and letter as ``#``.

    Raises
    ------
    None

    Examples
    --------
    >>> in_days("2026-01-18T09:30, then 05/02/2026", pd.Timestamp("2026-01-15"))
    'day 3, then ##/##/####'
    """
    told = _ISO.sub(lambda match: span(match["day"], start), text)
    return _OTHER.sub(lambda match: re.sub(r"\w", "#", match[0]), told)


def span(date: str, start: pd.Timestamp | None) -> str:
    """Return a complete or partial ISO date as study days.

    Parameters
    ----------
    date : str
        ``2026-01-18``, ``2026-01`` or ``2026``.
    start : pandas.Timestamp or None
        Day 0 of the participant.

    Returns
    -------
    str
        ``day n``, ``days a to b``, or ``a date`` without day 0 or if it is no date.

    Raises
    ------
    None
    """
    parsed = parse_dates(pd.Series([date], dtype=object)).iloc[0]
    if start is None or pd.isna(parsed["FIRST"]) or pd.isna(parsed["LAST"]):
        return _UNKNOWN
    first, last = ((parsed[name] - start).days for name in ("FIRST", "LAST"))
    return f"day {first}" if first == last else f"days {first} to {last}"


def before_cut(date: str, cut: pd.Timestamp) -> str:
    """Return the day of a step of the study's own work, counted from the data cut-off.

    Parameters
    ----------
    date : str
        ISO date.
    cut : pandas.Timestamp
        Data cut-off.

    Returns
    -------
    str
        ``cut-off - n d``, or ``cut-off + n d`` for a later one; blank for none.

    Raises
    ------
    None
    """
    if not date:
        return ""
    parsed = parse_dates(pd.Series([date], dtype=object)).iloc[0]["FIRST"]
    if pd.isna(parsed):
        return _UNKNOWN
    days = (parsed - pd.Timestamp(cut).normalize()).days
    return f"cut-off {'+' if days > 0 else '-'} {abs(days)} d"
