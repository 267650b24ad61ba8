"""Text files: CSV and TSV, everything read as text first."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd

from interim.data.read.raw import RaggedError, RawTable, ReadOptions, UnreadableError, escaped, undecodable

_CHUNK = 20_000
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_FOREIGN_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(data: bytes, options: ReadOptions) -> RawTable:
    """Read a delimited text file.

    Parameters
    ----------
    data : bytes
        The file.
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
    text, encoding = _decode(data, options.encoding)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableError(
            "a NUL byte is no text; declare the encoding of the file or export it again", row=line
        )
    header, lines, delimiter = _open(text, options.delimiter)
    columns, rows = _columns(lines, header)
    frame = pd.DataFrame(dict(zip(header, columns, strict=True)), dtype=object)
    findings = []
    if not text.isascii():
        for name in header:
            bad = np.flatnonzero(frame[name].map(escaped).to_numpy(dtype=bool))
            findings += [
                undecodable(name, frame[name].iloc[i], row=int(rows[i]), encoding=encoding.split()[0])
                for i in bad
            ]
            frame.loc[bad, name] = None
    note = f"{_DELIMITERS[delimiter]}, {encoding}"
    return RawTable(frame, rows, format="csv", note=note, findings=tuple(findings))


def _decode(data: bytes, declared: str | None) -> tuple[str, str]:
    for mark, name in _FOREIGN_MARKS.items():
        if data.startswith(mark) and declared is None:
            raise UnreadableError(
                f"the file begins with a {name} mark; declare encoding = {name!r} in the mapping"
            )
    name = declared or ("utf-8 with byte order mark" if data.startswith(codecs.BOM_UTF8) else "utf-8")
    try:
        codec = "utf-8-sig" if codecs.lookup(name.split()[0]).name == "utf-8" else name
        return data.decode(codec, "surrogateescape"), name
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableError(f"encoding {name!r} cannot be used: {error}") from error


def _open(text: str, declared: str) -> tuple[list[str], Iterator[tuple[int, list[str]]], str]:
    """Return the header, the further records with their lines, and the separator."""
    delimiter = _delimiter(text) if declared == "auto" else declared
    records = _records(text, delimiter)
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


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins; lines without any character are passed over."""
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableError(f"not a delimited text file: {error}", row=line) from error


def _lines(text: str) -> Iterator[str]:
    """Yield the lines one by one; only CR LF, LF and CR end a line."""
    start = 0
    text = text if "\r" not in text else text.replace("\r\n", "\n").replace("\r", "\n")
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _columns(
    records: Iterator[tuple[int, list[str]]], header: list[str]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the columns as arrays that share equal texts, and the line of every record."""
    pools: list[dict[str, str | None]] = [{"": None} for _ in header]
    parts: list[list[np.ndarray]] = [[] for _ in header]
    lines: list[int] = []
    ragged: list[tuple[int, int]] = []
    width = len(header)
    while chunk := list(islice(records, _CHUNK)):
        ragged += [(line, len(record)) for line, record in chunk if len(record) != width]
        if ragged:
            continue
        lines += [line for line, _ in chunk]
        for part, pool, values in zip(parts, pools, zip(*(r for _, r in chunk), strict=True), strict=True):
            part.append(_shared(values, pool))
    if ragged:
        raise RaggedError(width, ragged)
    empty = np.empty(0, dtype=object)
    return [np.concatenate([empty, *part]) for part in parts], np.array(lines, dtype=np.int64)


def _shared(values: tuple[str, ...], pool: dict[str, str | None]) -> np.ndarray:
    """Return the texts as an array in which equal texts are one object, the empty one None."""
    array = np.empty(len(values), dtype=object)
    array[:] = [pool.setdefault(value, value) for value in values]
    return array
