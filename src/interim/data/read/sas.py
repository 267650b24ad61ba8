"""SAS7BDAT files, read through pyreadstat."""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from interim.data.read.raw import RawTable, ReadOptions, UnreadableError


def read_sas7bdat(data: bytes, options: ReadOptions) -> RawTable:
    """Read a SAS7BDAT file; value formats are not applied.

    Parameters
    ----------
    data : bytes
        The file.
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
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "table.sas7bdat"
        copy.write_bytes(data)
        try:
            frame, meta = pyreadstat.read_sas7bdat(str(copy), encoding=options.encoding)
        except (pyreadstat.ReadstatError, UnicodeDecodeError, ValueError) as error:
            raise UnreadableError(f"not a readable SAS7BDAT file: {error}") from error
    return plain_table(frame, dict(meta.column_names_to_labels), f"encoding {meta.file_encoding}")


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
