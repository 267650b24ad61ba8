"""Draft: the frames of a study while defects are planted in them, with a ledger of every record that was touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from interim.errors import StudyError

Record = tuple[str, str, str]


@dataclass(frozen=True)
class Touched:
    """One change of one record.

    Attributes
    ----------
    defect : str
        Id of the defect.
    domain, subject, key : str
        The record: domain, USUBJID and sequence number (supplemental records: parent's number and QNAM; queries: key and field).
    variable : str
        Variable changed; "" for a record that was added or removed.
    before, after : str
        Value before and after; "" is missing.
    """

    defect: str
    domain: str
    subject: str
    key: str
    variable: str
    before: str
    after: str

    @property
    def record(self) -> Record:
        """Domain, subject and key."""
        return self.domain, self.subject, self.key


class Draft:
    """The frames of a study while defects are planted in them.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Domains by name; never changed.

    Attributes
    ----------
    frames : dict of str to pandas.DataFrame
        The domains as they stand.
    ledger : list of Touched
        Every change in its order.
    defect : str
        Defect that is being planted.
    rng : numpy.random.Generator
        Its random stream.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self.frames = dict(frames)
        self.ledger: list[Touched] = []
        self.defect = ""
        self.rng = np.random.default_rng(0)

    def pick(self, domain: str, where: Any) -> int:
        """Draw one record that no defect has touched.

        Parameters
        ----------
        domain : str
            Domain.
        where : array-like of bool
            Records that suit.

        Returns
        -------
        int
            Position of the record.

        Raises
        ------
        StudyError
            If no record suits.
        """
        taken = {line.record for line in self.ledger}
        frame = self.frames[domain]
        free = [
            p
            for p in np.flatnonzero(np.asarray(where, dtype=bool)).tolist()
            if record_of(domain, frame, p) not in taken
        ]
        if not free:
            raise StudyError(f"defect {self.defect} needs a record of {domain} that this study does not have")
        return int(self.rng.choice(free))

    def set(self, domain: str, place: int, **values: Any) -> None:
        """Change cells of one record.

        Parameters
        ----------
        domain : str
            Domain.
        place : int
            Position of the record.
        **values : object
            New value by variable; None is missing. A variable that the domain lacks is added.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        frame = self.frames[domain].copy()
        record = record_of(domain, frame, place)
        for name, value in values.items():
            before = cell_text(frame[name].to_numpy()[place]) if name in frame else ""
            frame[name] = _with(frame, name, place, value)
            self.ledger.append(Touched(self.defect, *record, name, before, cell_text(value)))
        self.frames[domain] = frame

    def add(self, domain: str, row: Mapping[str, Any]) -> None:
        """Add a record at the end of its domain.

        Parameters
        ----------
        domain : str
            Domain.
        row : mapping
            Cells by variable; without a sequence number the participant's next one is given.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        frame, seq = self.frames[domain], f"{domain}SEQ"
        new = dict(row)
        if seq in frame and seq not in new:
            mine = frame.loc[frame["USUBJID"] == new["USUBJID"], seq]
            new[seq] = int(numeric(mine).max()) + 1 if len(mine) else 1
        cells = {str(name): [*frame[name], new.get(str(name))] for name in frame.columns}
        joined = pd.DataFrame({name: _column(frame[name], values) for name, values in cells.items()})
        self.frames[domain] = joined
        self.ledger.append(Touched(self.defect, *record_of(domain, joined, len(joined) - 1), "", "", "added"))

    def copy(self, domain: str, place: int, **values: Any) -> None:
        """Add a copy of a record with other values; it gets a new sequence number unless one is given.

        Parameters
        ----------
        domain : str
            Domain.
        place : int
            Position of the record.
        **values : object
            Cells that differ.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        row = self.row(domain, place)
        self.note(domain, place, "copied")
        if f"{domain}SEQ" not in values:
            row.pop(f"{domain}SEQ", None)
        self.add(domain, {**row, **values})

    def remove(self, domain: str, where: Any) -> None:
        """Remove records, and the supplemental records that belong to them.

        Parameters
        ----------
        domain : str
            Domain.
        where : array-like of bool
            Records that go.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        frame, gone = self.frames[domain], np.asarray(where, dtype=bool)
        if not gone.any():
            return
        for place in np.flatnonzero(gone).tolist():
            self.note(domain, place, "removed")
        supp = f"SUPP{domain}"
        if supp in self.frames:
            keys = {record_of(domain, frame, place)[1:] for place in np.flatnonzero(gone).tolist()}
            children = self.frames[supp]
            mine = [key in keys for key in zip(children["USUBJID"], children["IDVARVAL"], strict=True)]
            if any(mine):
                self.remove(supp, mine)
        self.frames[domain] = frame[~gone].reset_index(drop=True)

    def note(self, domain: str, place: int, what: str) -> None:
        """Write a record into the ledger without changing it.

        Parameters
        ----------
        domain : str
            Domain.
        place : int
            Position of the record.
        what : str
            What became of it.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        self.ledger.append(Touched(self.defect, *record_of(domain, self.frames[domain], place), "", "", what))

    def row(self, domain: str, place: int) -> dict[str, Any]:
        """Return one record.

        Parameters
        ----------
        domain : str
            Domain.
        place : int
            Position of the record.

        Returns
        -------
        dict
            Cells by variable.

        Raises
        ------
        None
        """
        return {str(name): value for name, value in self.frames[domain].iloc[place].items()}

    def person(self, subject: str) -> dict[str, Any]:
        """Return the record of DM of a participant.

        Parameters
        ----------
        subject : str
            USUBJID.

        Returns
        -------
        dict
            Cells by variable.

        Raises
        ------
        None
        """
        return self.row("DM", self.place("DM", USUBJID=subject))

    def place(self, domain: str, **values: Any) -> int:
        """Return the first record with these values.

        Parameters
        ----------
        domain : str
            Domain.
        **values : object
            Value by variable.

        Returns
        -------
        int
            Position of the record.

        Raises
        ------
        StudyError
            If there is none.
        """
        frame = self.frames[domain]
        where = np.ones(len(frame), dtype=bool)
        for name, value in values.items():
            where &= (frame[name] == value).to_numpy(dtype=bool)
        if not where.any():
            raise StudyError(f"defect {self.defect} needs a record of {domain} that this study does not have")
        return int(np.flatnonzero(where)[0])

    def supplemental(self, domain: str, qname: str) -> pd.Series:
        """Return a supplemental qualifier beside the records of its parent.

        Parameters
        ----------
        domain : str
            Parent domain.
        qname : str
            QNAM.

        Returns
        -------
        pandas.Series of object
            None where a record has none.

        Raises
        ------
        None
        """
        frame, supp = self.frames[domain], self.frames.get(f"SUPP{domain}")
        values: dict[tuple[str, str], Any] = {}
        if supp is not None:
            mine = supp[supp["QNAM"] == qname]
            keys = zip(mine["USUBJID"], mine["IDVARVAL"], strict=True)
            values = dict(zip(keys, mine["QVAL"], strict=True))
        records = [record_of(domain, frame, place)[1:] for place in range(len(frame))]
        return pd.Series([values.get(key) for key in records], index=frame.index, dtype=object)


def record_of(domain: str, frame: pd.DataFrame, place: int) -> Record:
    """Return domain, participant and key of a record.

    Parameters
    ----------
    domain : str
        Domain.
    frame : pandas.DataFrame
        Its records.
    place : int
        Position.

    Returns
    -------
    tuple of str
        Domain, USUBJID, key.

    Raises
    ------
    None
    """
    names = [f"{domain}SEQ"]
    if domain.startswith("SUPP"):
        names = ["IDVARVAL", "QNAM"]
    elif domain in ("QUERY", "DECISIONS"):
        names = ["QKEY", "QFIELD", "date", "kind"]
    key = [cell_text(frame[name].to_numpy()[place]) for name in names if name in frame]
    return domain, cell_text(frame["USUBJID"].to_numpy()[place]) if "USUBJID" in frame else "", " ".join(key)


def cell_text(value: Any) -> str:
    """Return a cell as the files of the example hold it.

    Parameters
    ----------
    value : object
        Text, number or missing.

    Returns
    -------
    str
        "" for missing.

    Raises
    ------
    None

    Examples
    --------
    >>> cell_text(3.0), cell_text(0.25), cell_text(None), cell_text("PR ")
    ('3', '0.25', '', 'PR ')
    """
    if value is None or value != value:
        return ""
    return f"{value:.10g}" if isinstance(value, (float, np.floating)) else str(value)


def _with(frame: pd.DataFrame, name: str, place: int, value: Any) -> Any:
    old = list(frame[name]) if name in frame else [None] * len(frame)
    old[place] = value
    return _column(frame[name] if name in frame else pd.Series(dtype=object), old)


def _column(like: pd.Series, values: list[Any]) -> Any:
    """Return cells as a column: numbers if it was one of numbers and still is, else text."""
    if like.dtype != object and not any(isinstance(value, str) for value in values):
        return pd.Series(pd.to_numeric(pd.Series(values, dtype=object)))
    if like.dtype != object:
        values = [cell_text(value) or None for value in values]
    return pd.Series([None if value is None or value != value else value for value in values], dtype=object)


def numeric(column: pd.Series) -> pd.Series:
    """Return a column as numbers.

    Parameters
    ----------
    column : pandas.Series
        Text or numbers.

    Returns
    -------
    pandas.Series of float64
        NaN where a cell is missing or no number.

    Raises
    ------
    None
    """
    return pd.Series(pd.to_numeric(column, errors="coerce"))


def moved(text: str, days: int) -> str:
    """Return an ISO 8601 date or date-time some days later.

    Parameters
    ----------
    text : str
        Complete date, with or without time.
    days : int
        May be negative.

    Returns
    -------
    str
        The time stays as it is.

    Raises
    ------
    ValueError
        If the text begins with no complete date.

    Examples
    --------
    >>> moved("2026-02-28T10:00+08:00", 1)
    '2026-03-01T10:00+08:00'
    """
    return (date.fromisoformat(text[:10]) + timedelta(days=days)).isoformat() + text[10:]


def days_between(first: str, second: str) -> int:
    """Return the days from one ISO 8601 date to another.

    Parameters
    ----------
    first, second : str
        Complete dates, with or without time.

    Returns
    -------
    int
        Negative if the second lies before the first.

    Raises
    ------
    ValueError
        If a text begins with no complete date.
    """
    return (date.fromisoformat(second[:10]) - date.fromisoformat(first[:10])).days
