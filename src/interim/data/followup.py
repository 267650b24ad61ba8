"""Findings over cuts: what was answered stays answered; what is new, has changed or has gone is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from interim.data.model import Sdtm
from interim.data.records import value_text
from interim.errors import DataError, Finding

COLUMNS = (
    "id",
    "rule",
    "severity",
    "domain",
    "subject",
    "key",
    "variable",
    "value",
    "disposition",
    "reason",
    "name",
    "date",
    "tables",
)
_DOMAIN = "QUERIES"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Answer:
    """What was said about a finding at an earlier cut: one row of ``queries.csv``.

    Attributes
    ----------
    id : str
        Stable id of the finding.
    severity : str
        Its severity then.
    value : str
        Its value then.
    disposition : str
        OPEN, ACCEPTED or FIXED.
    reason, name, date : str
        Why, by whom, when.
    row : mapping of str to str
        The whole row.
    """

    id: str
    severity: str
    value: str
    disposition: str
    reason: str
    name: str
    date: str
    row: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """True if the answer says why, by whom and when."""
        return bool(self.reason and self.name and self.date)


def answers(sdtm: Sdtm) -> dict[str, Answer]:
    """Return the answers that were delivered with the data.

    Parameters
    ----------
    sdtm : Sdtm
        Domain QUERIES, the file ``queries.csv``.

    Returns
    -------
    dict of str to Answer
        By id of the finding; the last row counts where an id stands twice.

    Raises
    ------
    None
    """
    frame = sdtm.domain(_DOMAIN)
    if "id" not in frame:
        return {}
    found = {}
    for values in frame.reindex(columns=list(COLUMNS)).itertuples(index=False):
        row = {name: _plain(value) for name, value in zip(COLUMNS, values, strict=True)}
        said = (row[name] for name in ("id", "severity", "value", "disposition", "reason", "name", "date"))
        id, severity, value, disposition, reason, name, date = said
        found[id] = Answer(id, severity, value, disposition.upper() or "OPEN", reason, name, date, row)
    return found


def keep_queries(file: str | Path, findings: Iterable[Finding]) -> pd.DataFrame:
    """Write the findings and their answers to a file, keeping the answers that stand in it.

    Parameters
    ----------
    file : str or pathlib.Path
        ``queries.csv``; made if it does not exist.
    findings : iterable of Finding
        Of this cut.

    Returns
    -------
    pandas.DataFrame
        What was written.

    Raises
    ------
    DataError
        If the file cannot be read as such a table; nothing is written.
    """
    path = Path(file)
    known: dict[str, Answer] = {}
    if path.exists():
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        lacks = [name for name in ("id", "disposition") if name not in frame]
        if lacks:
            text = f"no file of answers: it has no column {', '.join(lacks)}; name another file"
            raise DataError([Finding("XD-FILE", "stop", _DOMAIN, text, file=path.name)])
        known = answers(Sdtm({_DOMAIN: frame}, datetime.min))
    table = queries_frame(findings, known)
    path.write_bytes(table.to_csv(index=False, lineterminator="\n").encode())
    return table


def followed(findings: Iterable[Finding], known: Mapping[str, Answer]) -> tuple[Finding, ...]:
    """Return the findings with their status.

    Parameters
    ----------
    findings : iterable of Finding
        Of this cut.
    known : mapping of str to Answer
        Of the cuts before; empty if nobody keeps them.

    Returns
    -------
    tuple of Finding
        In their order. Status: "" nothing is kept; new; changed (another value than then, no answer counts any more); accepted (a
        complete answer, never of a stop); fixed, still found; open.

    Raises
    ------
    None
    """
    return tuple(
        replace(finding, status=_status(finding, known)) if known else finding for finding in findings
    )


def _status(finding: Finding, known: Mapping[str, Answer]) -> str:
    answer = known.get(finding.id)
    if answer is None:
        return "new"
    if answer.value != (finding.value or ""):
        return "changed"
    if answer.disposition == "FIXED":
        return "fixed, still found"
    accepted = answer.disposition == "ACCEPTED" and answer.complete and finding.severity != "stop"
    return "accepted" if accepted else "open"


def resolved(findings: Iterable[Finding], known: Mapping[str, Answer]) -> tuple[Answer, ...]:
    """Return the answers whose finding has gone.

    Parameters
    ----------
    findings : iterable of Finding
        Of this cut.
    known : mapping of str to Answer
        Of the cuts before.

    Returns
    -------
    tuple of Answer
        Sorted by id.

    Raises
    ------
    None
    """
    here = {finding.id for finding in findings}
    return tuple(answer for id, answer in sorted(known.items()) if id not in here)


def queries_frame(findings: Iterable[Finding], known: Mapping[str, Answer]) -> pd.DataFrame:
    """Return the rows of ``queries.csv`` for the next cut.

    Parameters
    ----------
    findings : iterable of Finding
        Of this cut.
    known : mapping of str to Answer
        Of the cuts before.

    Returns
    -------
    pandas.DataFrame
        Text; one row per finding with the answer that still counts, then the answers whose finding has gone, as FIXED.

    Raises
    ------
    None

    Notes
    -----
    A cell never starts a formula: an apostrophe stands before it, and is taken away when the file is read.
    """
    found = list(findings)
    rows = [_row(finding, known.get(finding.id)) for finding in found]
    rows += [dict(answer.row) | {"disposition": "FIXED"} for answer in resolved(found, known)]
    safe = [[_safe(row.get(name, "")) for name in COLUMNS] for row in rows]
    return pd.DataFrame(safe, columns=list(COLUMNS), dtype=object)


def _row(finding: Finding, answer: Answer | None) -> dict[str, str]:
    counts = answer is not None and answer.value == (finding.value or "")
    kept = answer.row if answer is not None and counts else {}
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "domain": finding.domain,
        "subject": finding.subject or "",
        "key": " | ".join(finding.key),
        "variable": finding.variable or "",
        "value": finding.value or "",
        "disposition": kept.get("disposition") or "OPEN",
        "reason": kept.get("reason", ""),
        "name": kept.get("name", ""),
        "date": kept.get("date", ""),
        "tables": ", ".join(finding.effect),
    }


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(value: object) -> str:
    text = value_text(value)
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
