"""SAS transport files whose bytes depend on the table alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from interim.errors import ReportError

# Places of the four time stamps of a file with one dataset: made and changed, of the library and of the dataset.
_STAMPS = (144, 160, 464, 480)
_STAMP = "%d%b%y:%H:%M:%S"
_SEEN = re.compile(rb"\d\d[A-Z]{3}\d\d(:\d\d){3}")
_SHORT_NAME, _SHORT_LABEL, _SHORT_TEXT = 8, 40, 200


def write_xport(
    frame: pd.DataFrame,
    path: Path,
    *,
    name: str,
    label: str,
    labels: Mapping[str, str],
    moment: datetime,
) -> None:
    """Write a table as SAS transport file: version 5 where its names, labels and texts are short enough, else version 8.

    Parameters
    ----------
    frame : pandas.DataFrame
        Text, numbers and times.
    path : Path
        The file.
    name, label : str
        Name and label of the dataset.
    labels : mapping of str to str
        Variable -> label.
    moment : datetime
        Time that is written into the file in place of the clock.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If the file cannot be written.
    ReportError
        If the layout of the file is not the one whose time stamps are known.
    """
    import pyreadstat

    known: dict[str, str | None] = {c: labels[c] for c in map(str, frame.columns) if c in labels}
    pyreadstat.write_xport(
        frame,
        path,
        file_label=label,
        column_labels=known,
        table_name=name,
        file_format_version=5 if _short(frame, known.values()) else 8,
    )
    data = bytearray(path.read_bytes())
    stamp = moment.astimezone(UTC).strftime(_STAMP).upper().encode("ascii")
    for place in _STAMPS:
        if not _SEEN.fullmatch(data, place, place + len(stamp)):
            raise ReportError(f"{path.name}: no time stamp at byte {place}; the transport writer has changed")
        data[place : place + len(stamp)] = stamp
    path.write_bytes(bytes(data))


def _short(frame: pd.DataFrame, labels: Iterable[str | None]) -> bool:
    names = all(len(str(column)) <= _SHORT_NAME for column in frame.columns)
    fitting = all(len(label or "") <= _SHORT_LABEL for label in labels)
    return names and fitting and _longest(frame) <= _SHORT_TEXT


def _longest(frame: pd.DataFrame) -> int:
    """Return the number of bytes of the longest text."""
    texts = (frame[column].dropna() for column in frame.columns if frame[column].dtype == object)
    return max((len(str(value).encode()) for values in texts for value in values), default=0)
