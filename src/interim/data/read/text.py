"""Text files: CSV and TSV, read line by line, everything as text first."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

import numpy as np
import pandas as pd

from interim.data.read.columns import Growing, Pool, framed
from interim.data.read.raw import (
    LARGEST_LINE,
    RaggedError,
    RawTable,
    ReadOptions,
    UnreadableError,
    escaped,
    undecodable,
)
from interim.errors import Finding

_CHUNK = 20_000
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_FOREIGN_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class _Lines:
    """The lines of a file one by one; only CR LF, LF and CR end a line."""

    def __init__(self, handle: BinaryIO, declared: str | None) -> None:
        self.encoding = _encoding(handle, declared)
        codec = self.encoding.split()[0]
        try:
            codec = "utf-8-sig" if codecs.lookup(codec).name == "utf-8" else self.encoding
            self._text = io.TextIOWrapper(handle, encoding=codec, errors="surrogateescape")
        except LookupError as error:
            raise self._unusable(error) from error
        self.foreign = False
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(LARGEST_LINE)
        except UnicodeDecodeError as error:
            raise self._unusable(error) from error
        if not line:
            raise StopIteration
        self._number += 1
        if len(line) >= LARGEST_LINE:
            raise UnreadableError(
                f"the line has {LARGEST_LINE} characters or more; correct the row or deliver the file as Parquet",
                row=self._number,
            )
        if not line.isascii():
            self.foreign = True
        if "\0" in line:
            raise UnreadableError(
                "a NUL byte is no text; declare the encoding of the file or export it again", row=self._number
            )
        return line

    def close(self) -> None:
        """Leave the file open: it belongs to the caller."""
        self._text.detach()

    def _unusable(self, error: Exception) -> UnreadableError:
        return UnreadableError(f"encoding {self.encoding!r} cannot be used: {error}")


def read_text(handle: BinaryIO, options: ReadOptions) -> RawTable:
    """Read a delimited text file.

    Parameters
    ----------
    handle : binary file
        The file, at its begin.
    options : ReadOptions
        Declared encoding and separator.

    Returns
    -------
    RawTable
        Text columns only; an empty cell is missing; rows are line numbers, the header included.

    Raises
    ------
    UnreadableError
        If the file holds a NUL byte or has no header, a column without a name or with a name used twice, an open quotation mark, or rows that
        do not fit the header.
    """
    lines = _Lines(handle, options.encoding)
    try:
        header, records, delimiter = _open(lines, options.delimiter)
        columns, rows = _columns(records, header)
    finally:
        lines.close()
    frame = framed(dict(zip(header, columns, strict=True)), len(rows))
    encoding = lines.encoding
    findings = _undecodable(frame, rows, encoding) if lines.foreign else []
    note = f"{_DELIMITERS[delimiter]}, {encoding}"
    return RawTable(frame, rows, format="csv", note=note, findings=tuple(findings))


def _undecodable(frame: pd.DataFrame, rows: np.ndarray, encoding: str) -> list[Finding]:
    """Return a finding for each cell with a byte that the encoding does not know, and blank the cell."""
    findings = []
    for name in frame.columns:
        cells = frame[name].to_numpy()
        bad = np.flatnonzero(frame[name].map(escaped).to_numpy(dtype=bool))
        findings += [
            undecodable(str(name), cells[i], row=int(rows[i]), encoding=encoding.split()[0]) for i in bad
        ]
        if len(bad):
            frame.loc[bad, name] = None
    return findings


def _encoding(handle: BinaryIO, declared: str | None) -> str:
    head = handle.read(len(codecs.BOM_UTF8))
    handle.seek(0)
    for mark, name in _FOREIGN_MARKS.items():
        if head.startswith(mark) and declared is None:
            raise UnreadableError(
                f"the file begins with a {name} mark; declare encoding = {name!r} in the mapping"
            )
    return declared or ("utf-8 with byte order mark" if head.startswith(codecs.BOM_UTF8) else "utf-8")


def _open(lines: Iterator[str], declared: str) -> tuple[list[str], Iterator[tuple[int, list[str]]], str]:
    """Return the header, the further records with their lines, and the separator."""
    first = next(lines, "")
    delimiter = _delimiter(first) if declared == "auto" else declared
    records = _records(chain([first], lines) if first else lines, delimiter)
    header = next(records, (0, []))[1]
    if not any(name.strip() for name in header):
        raise UnreadableError("the file has no header line")
    twice = sorted({name for name in header if header.count(name) > 1})
    if "" in header or twice:
        raise UnreadableError(
            f"every column needs a name of its own; found {'an empty name' if '' in header else twice}"
        )
    return header, records, delimiter


def _delimiter(text: str) -> str:
    """Return the separator that splits the header line into most names; a comma if none does."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    return max(_DELIMITERS, key=lambda mark: _names(first, mark))


def _names(header: str, delimiter: str) -> int:
    """Return the number of names into which a separator splits the header line; 0 if the quotation marks do not fit."""
    try:
        return len(next(csv.reader([header], delimiter=delimiter, strict=True), []))
    except csv.Error:
        return 0


def _records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins; lines without any character are passed over."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"not a delimited text file: {error}; look for a quotation mark that is not closed, or export again"
        raise UnreadableError(message, row=line) from error


def _columns(
    records: Iterator[tuple[int, list[str]]], header: list[str]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the columns as arrays that share equal texts, and the line of every record."""
    pools = [Pool(("",)) for _ in header]
    columns, lines = [Growing() for _ in header], Growing(np.int64)
    ragged: list[tuple[int, int]] = []
    width = len(header)
    while chunk := list(islice(records, _CHUNK)):
        ragged += [(line, len(record)) for line, record in chunk if len(record) != width]
        if ragged:
            continue
        lines.add(np.array([line for line, _ in chunk], dtype=np.int64))
        cells = zip(*(record for _, record in chunk), strict=True)
        for column, pool, values in zip(columns, pools, cells, strict=True):
            column.add(pool.shared(values))
    if ragged:
        raise RaggedError(width, ragged)
    return [column.whole() for column in columns], lines.whole()
