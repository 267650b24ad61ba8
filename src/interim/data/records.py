"""Records: how findings and ledger lines name them, and the one text form of a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from interim.data import spec
from interim.data.model import ORIGIN, LedgerLine
from interim.errors import Finding, Severity

_WHOLE = 1e15
Places = Sequence[int] | np.ndarray
Values = Sequence[Any] | np.ndarray


class Rule(NamedTuple):
    """What a finding says whatever the record.

    Attributes
    ----------
    id : str
        Rule id.
    severity : {"stop", "warn", "info"}
        Severity.
    message : str
        What is wrong and what to do.
    expected : str or None
        What was expected.
    """

    id: str
    severity: Severity
    message: str
    expected: str | None = None


def value_text(value: Any) -> str:
    """Return a value as text.

    Parameters
    ----------
    value : object
        Text, number or missing.

    Returns
    -------
    str
        "" for missing; a whole number without a point; any other number in its shortest exact form.

    Raises
    ------
    None

    Examples
    --------
    >>> value_text(3.0), value_text(0.1), value_text(None), value_text("3.0")
    ('3', '0.1', '', '3.0')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(float(value))
    return str(value)


def record_keys(frame: pd.DataFrame, domain: str, places: Places) -> list[tuple[str, tuple[str, ...]]]:
    """Return participant and key of records.

    Parameters
    ----------
    frame : pandas.DataFrame
        Domain frame.
    domain : str
        Its name.
    places : sequence of int
        Row positions.

    Returns
    -------
    list of (str, tuple of str)
        USUBJID ("" if none), and the sequence number, else the natural key without USUBJID.

    Raises
    ------
    None
    """
    known = spec.domain(domain)
    names: list[str] = []
    if known is not None:
        has_seq = known.seq in frame and known.subject
        names = [known.seq] if has_seq else [n for n in known.key if n in frame and n != "USUBJID"]
    part = frame.iloc[list(places)]
    empty = pd.Series([""] * len(part), dtype=object)
    subjects = part.get("USUBJID", empty)
    columns = [part[name] for name in names]
    keys = zip(*columns, strict=True) if columns else [()] * len(part)
    return [
        (value_text(who), tuple(value_text(k) for k in key)) for who, key in zip(subjects, keys, strict=True)
    ]


def findings_at(
    frame: pd.DataFrame,
    domain: str,
    places: Places,
    *,
    rule: Rule,
    variable: str,
    values: Values,
) -> list[Finding]:
    """Return one finding per record.

    Parameters
    ----------
    frame : pandas.DataFrame
        Domain frame with the origin columns.
    domain : str
        Its name.
    places : sequence of int
        Row positions.
    rule : Rule
        What the findings say.
    variable : str
        Column.
    values : sequence
        Value found, one per place.

    Returns
    -------
    list of Finding
        In the order of the places.

    Raises
    ------
    None
    """
    if not len(places):
        return []
    keys = record_keys(frame, domain, places)
    part = frame.iloc[list(places)]
    files, rows = (part.get(name, [None] * len(part)) for name in ORIGIN)
    return [
        Finding(
            rule.id,
            rule.severity,
            domain,
            rule.message,
            subject=who or None,
            key=key,
            variable=variable,
            value=value_text(value),
            expected=rule.expected,
            file=None if file is None else str(file),
            row=None if row is None else int(row),
        )
        for (who, key), value, file, row in zip(keys, values, files, rows, strict=True)
    ]


def ledger_at(
    frame: pd.DataFrame,
    domain: str,
    places: Places,
    *,
    rules: Sequence[str],
    variable: str,
    before: Values,
    after: Values,
) -> list[LedgerLine]:
    """Return one ledger line per changed cell.

    Parameters
    ----------
    frame : pandas.DataFrame
        Domain frame.
    domain : str
        Its name.
    places : sequence of int
        Row positions.
    rules : sequence of str
        Rule that permits the change, one per place.
    variable : str
        Column.
    before, after : sequence
        Value found and value used, one per place.

    Returns
    -------
    list of LedgerLine
        In the order of the places.

    Raises
    ------
    None
    """
    if not len(places):
        return []
    keys = record_keys(frame, domain, places)
    return [
        LedgerLine(rule, domain, who, "; ".join(key), variable, value_text(old), value_text(new))
        for rule, (who, key), old, new in zip(rules, keys, before, after, strict=True)
    ]
