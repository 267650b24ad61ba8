"""What every reader returns, and how it says that a file cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from interim.errors import Finding

FILE_RULES = (
    ("XD-FILE", "stop"),
    ("XD-ROW", "stop"),
    ("XD-ENC", "stop"),
    ("XD-DOMAIN", "stop"),
    ("XD-TYPE", "stop"),
)


# Bytes that a file, its decompressed form, and one part of a workbook may have: what is larger is no dataset of a trial, or a trap.
LARGEST_FILE = 2 * 1024**3
LARGEST_STREAM = 1024**3
LARGEST_PART = 160 * 1024**2
LARGEST_LINE = 16 * 1024**2


@dataclass(frozen=True)
class ReadOptions:
    """How a file is to be read.

    Attributes
    ----------
    encoding : str or None
        Declared encoding; None = UTF-8.
    delimiter : str
        "auto" or the separator of a text file.
    sheet : str or None
        Sheet of a workbook; None = the only or first one.
    """

    encoding: str | None = None
    delimiter: Literal["auto", ",", ";", "\t"] = "auto"
    sheet: str | None = None


@dataclass(frozen=True)
class RawTable:
    """One table as it stands in a file.

    Attributes
    ----------
    frame : pandas.DataFrame
        Text columns object with None for missing, numbers float64; RangeIndex.
    rows : numpy.ndarray of int64
        Line (text files) or record number of each row.
    labels : dict of str to str
        Column labels, where the format has them.
    format : str
        Name of the format.
    note : str
        What had to be found out: separator, encoding, version.
    findings : tuple of Finding
        Cells that could not be read; the cell is missing.
    reasons : tuple of (int, str, str)
        Row position, column and code of special missing values.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    labels: dict[str, str] = field(default_factory=dict)
    format: str = ""
    note: str = ""
    findings: tuple[Finding, ...] = ()
    reasons: tuple[tuple[int, str, str], ...] = ()


class UnreadableError(Exception):
    """A file cannot be read; `read_file` turns it into findings.

    Parameters
    ----------
    message : str
        Reason and what to do.
    rule : str
        Rule of the finding.
    row : int, optional
        Line or record number.
    """

    def __init__(self, message: str, *, rule: str = "XD-FILE", row: int | None = None) -> None:
        super().__init__(message)
        self.places: tuple[tuple[str, str, int | None], ...] = ((rule, message, row),)


class RaggedError(UnreadableError):
    """Rows of a text file have more or fewer values than its header.

    Parameters
    ----------
    expected : int
        Number of columns.
    rows : list of (int, int)
        Line and number of values of each such row.
    """

    def __init__(self, expected: int, rows: list[tuple[int, int]]) -> None:
        super().__init__("rows differ in the number of values")
        self.places = tuple(
            ("XD-ROW", f"expected {expected} values as in the header, found {n}; correct the row", line)
            for line, n in rows
        )


def undecodable(variable: str, text: str, *, row: int, encoding: str) -> Finding:
    """Return the finding of a cell with a byte that the encoding does not know.

    Parameters
    ----------
    variable : str
        Column.
    text : str
        The cell, decoded with ``surrogateescape``.
    row : int
        Line or record number.
    encoding : str
        Name of the encoding.

    Returns
    -------
    Finding
        XD-ENC, stop; it names the first such byte. `read_file` adds domain and file.

    Raises
    ------
    None
    """
    byte = next(ord(c) - 0xDC00 for c in text if "\udc80" <= c <= "\udcff")
    shown = "".join(f"<0x{ord(c) - 0xDC00:02x}>" if "\udc80" <= c <= "\udcff" else c for c in text)
    return Finding(
        "XD-ENC",
        "stop",
        "",
        f"byte 0x{byte:02x} is not {encoding}; declare the encoding of the file in its mapping or correct the cell",
        key=(str(row),),
        variable=variable,
        value=shown,
        expected=encoding,
        row=row,
    )


def escaped(text: object) -> bool:
    """Tell whether a decoded cell holds an undecodable byte.

    Parameters
    ----------
    text : object
        Cell decoded with ``surrogateescape``.

    Returns
    -------
    bool
        True if it does.

    Raises
    ------
    None
    """
    return isinstance(text, str) and not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text)
