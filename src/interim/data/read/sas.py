"""SAS7BDAT files, read through pyreadstat."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from interim.data.read.columns import framed
from interim.data.read.raw import RawTable, ReadOptions, UnreadableError

_CHUNK = 100_000


def read_sas7bdat(handle: BinaryIO, options: ReadOptions) -> RawTable:
    """Read a SAS7BDAT file in chunks; value formats are not applied.

    Parameters
    ----------
    handle : binary file
        The file, at its begin.
    options : ReadOptions
        Declared encoding, else the one that the file states.

    Returns
    -------
    RawTable
        Numbers as float64, dates and times as ISO 8601 text.

    Raises
    ------
    UnreadableError
        If the bytes are no such file or cannot be decoded.
    """
    import pyreadstat  # only here: it takes its time, and most studies have no such file

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "table.sas7bdat"
        with copy.open("wb") as target:
            shutil.copyfileobj(handle, target)
        try:
            return _in_chunks(copy, options)
        except (pyreadstat.ReadstatError, UnicodeDecodeError, ValueError) as error:
            raise UnreadableError(f"not a readable SAS7BDAT file: {error}") from error


def _in_chunks(file: Path, options: ReadOptions) -> RawTable:
    """Return the whole table; only one chunk of it is ever held as the library returns it."""
    import pyreadstat

    tables: list[RawTable] = []
    while not tables or len(tables[-1].frame) == _CHUNK:
        frame, meta = pyreadstat.read_sas7bdat(
            str(file), encoding=options.encoding, row_offset=_CHUNK * len(tables), row_limit=_CHUNK
        )
        note = f"encoding {meta.file_encoding}"
        tables.append(plain_table(frame, dict(meta.column_names_to_labels), note))
    filled = [table for table in tables if len(table.frame)] or tables[:1]
    columns = {name: _whole([table.frame[name] for table in filled]) for name in filled[0].frame.columns}
    rows = sum(len(table.frame) for table in filled)
    return replace(filled[0], frame=framed(columns, rows), rows=np.arange(1, rows + 1, dtype=np.int64))


def _whole(parts: list[pd.Series[Any]]) -> np.ndarray:
    """Return a column of several chunks; one that is text in any of them is text in all."""
    if len({part.dtype for part in parts}) > 1:
        parts = [part.astype(object).where(part.notna(), None) for part in parts]
    return np.concatenate([part.to_numpy() for part in parts])


def plain_table(frame: pd.DataFrame, labels: dict[str, str | None], note: str) -> RawTable:
    """Return a frame of a reader library with plain text and numbers.

    Parameters
    ----------
    frame : pandas.DataFrame
        As the library returned it.
    labels : dict of str to str or None
        Column labels.
    note : str
        What the reader found out.

    Returns
    -------
    RawTable
        Numbers as float64, everything else as text.

    Raises
    ------
    None
    """
    columns = {str(name): _plain(frame[name]) for name in frame.columns}
    plain = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    kept = {name: label for name, label in labels.items() if label}
    return RawTable(plain, rows, kept, "sas7bdat", note)


def _plain(series: pd.Series[Any]) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(dtype=float)
    array = np.empty(len(series), dtype=object)
    array[:] = [_text(value) for value in series]
    return array


def _text(value: Any) -> str | None:
    if value is None or value == "" or pd.isna(value):
        return None
    return str(value.isoformat()) if isinstance(value, (date, datetime)) else str(value)
