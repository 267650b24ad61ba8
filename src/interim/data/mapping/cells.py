"""One cell of a source column becomes one value of a target column: exactly, or it is an exception."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from interim.data.dates import read_iso
from interim.data.mapping.model import Column
from interim.data.records import value_text
from interim.data.typed import plain_width

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
_TOKENS = {
    "Y": r"(?P<Y>\d{4})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "b": r"(?P<b>[A-Za-z]{3})",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_TRUE, _FALSE = "1", "0"


@dataclass(frozen=True)
class Cell:
    """A mapped cell.

    Attributes
    ----------
    value : str, float or None
        The value; None is missing.
    rule : str
        "" taken as it is, MAP-CODE, MAP-DATE or MAP-NUMBER a declared change, MAP-VALUE it does not map, MAP-FORMAT two
        declared formats match and disagree.
    """

    value: str | float | None
    rule: str = ""


def map_cell(raw: str | float, rule: Column) -> Cell:
    """Map one cell that is not missing.

    Parameters
    ----------
    raw : str or float
        Value found.
    rule : Column
        How the target column is filled.

    Returns
    -------
    Cell
        The value with the rule that made it.

    Raises
    ------
    None

    Examples
    --------
    >>> map_cell("04/03/2026", Column(**{"from": "D", "type": "partial_date", "format": ("%d/%m/%Y",)})).value
    '2026-03-04'
    >>> map_cell("x", Column(**{"from": "G", "codes": {"1": "Y"}})).rule
    'MAP-VALUE'
    """
    text = plain_width(value_text(raw))
    text = text.strip() if rule.trim or rule.codes else text
    text = {"upper": text.upper(), "lower": text.lower(), None: text}[rule.case]
    if rule.codes:
        found = _codes(rule).get(text)
        return Cell(None, "MAP-VALUE") if found is None else _changed(raw, found, "MAP-CODE")
    if rule.type == "partial_date":
        return _date(text, rule.format)
    if rule.type in ("integer", "decimal"):
        return _number(raw, text, rule)
    return _changed(raw, text, "MAP-CASE")


def _changed(raw: str | float, value: str | float, rule: str) -> Cell:
    return Cell(value, "" if value == raw else rule)


def _codes(rule: Column) -> dict[str, str | float]:
    return {plain_width(code).strip(): value for code, value in rule.codes.items()}


def _number(raw: str | float, text: str, rule: Column) -> Cell:
    plain = text.strip().replace(",", ".", 1) if rule.decimal == "," else text.strip()
    good = _NUMBER.fullmatch(plain) and not (rule.decimal == "," and "." in text)
    if not good or (rule.type == "integer" and not float(plain).is_integer()):
        return Cell(None, "MAP-VALUE")
    return Cell(float(plain), "MAP-NUMBER" if isinstance(raw, str) and plain != raw else "")


def _date(text: str, formats: tuple[str, ...]) -> Cell:
    found = {iso for pattern in formats if (iso := _iso(text.strip(), pattern)) is not None}
    if len(found) != 1:
        return Cell(None, "MAP-FORMAT" if found else "MAP-VALUE")
    return _changed(text, found.pop(), "MAP-DATE")


def _iso(text: str, pattern: str) -> str | None:
    match = _pattern(pattern).fullmatch(text)
    parts = {} if match is None else match.groupdict()
    if "b" in parts:
        month = parts["b"].upper()
        parts["m"] = str(_MONTHS.index(month) + 1) if month in _MONTHS else "0"
    if "Y" not in parts:
        return None
    day = "-".join([parts["Y"], *(parts[p].zfill(2) for p in ("m", "d") if p in parts)])
    clock = ":".join(parts[p].zfill(2) for p in ("H", "M", "S") if p in parts)
    iso = f"{day}T{clock}" if clock else day
    return iso if read_iso(iso) is not None else None


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"%(.)", text)
    made = [
        re.escape(part) if i % 2 == 0 else _TOKENS.get(part, re.escape(part)) for i, part in enumerate(parts)
    ]
    return re.compile("".join(made))


def map_checkbox(cells: tuple[Any, ...], rule: Column) -> Cell:
    """Map the cells of one check-box field to a ``;`` list.

    Parameters
    ----------
    cells : tuple
        Values found, in the order of ``rule.sources``; 1 ticked, 0 not.
    rule : Column
        Its ``codes`` name the value of each source column.

    Returns
    -------
    Cell
        The list of the ticked values, None if nothing is ticked; MAP-VALUE if a cell is neither 0, 1 nor missing.

    Raises
    ------
    None
    """
    texts = [value_text(cell).strip() for cell in cells]
    if any(text not in (_TRUE, _FALSE, "") for text in texts):
        return Cell(None, "MAP-VALUE")
    ticked = [value_text(rule.codes[s]) for s, text in zip(rule.sources, texts, strict=True) if text == _TRUE]
    return Cell(";".join(ticked) or None, "MAP-CODE" if ticked else "")


def with_offset(text: str, zone: str) -> str:
    """Return a date-time with the offset of its time zone.

    Parameters
    ----------
    text : str
        ISO 8601 text.
    zone : str
        Time zone, for example ``Asia/Shanghai``.

    Returns
    -------
    str
        The text itself unless it is a complete date-time without offset.

    Raises
    ------
    None

    Examples
    --------
    >>> with_offset("2026-03-04T10:15", "Asia/Shanghai"), with_offset("2026-03-04", "Asia/Shanghai")
    ('2026-03-04T10:15+08:00', '2026-03-04')
    """
    if "T" not in text or read_iso(text) is None:
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        return text
    offset = moment.replace(tzinfo=ZoneInfo(zone)).strftime("%z")
    return f"{text}{offset[:3]}:{offset[3:5]}"


def other_offset(text: str, zone: str) -> bool:
    """Tell whether a date-time carries another offset than its time zone has at that moment.

    Parameters
    ----------
    text : str
        ISO 8601 text.
    zone : str
        Time zone, for example ``Asia/Shanghai``.

    Returns
    -------
    bool
        False for anything but a complete date-time with an offset.

    Raises
    ------
    None

    Examples
    --------
    >>> other_offset("2026-03-04T10:15Z", "Asia/Shanghai"), other_offset("2026-03-04T10:15", "Asia/Shanghai")
    (True, False)
    """
    if "T" not in text or read_iso(text) is None:
        return False
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    stated = moment.utcoffset()
    return stated is not None and stated != moment.replace(tzinfo=ZoneInfo(zone)).utcoffset()
