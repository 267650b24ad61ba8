"""SAS transport files, version 5 and 8: an exact reader of the published layout, IBM floats included."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from interim.data.read.columns import Growing, Pool, framed
from interim.data.read.raw import RawTable, ReadOptions, UnreadableError, escaped, undecodable
from interim.errors import Finding

_RECORD = 80
_PREFIX = b"HEADER RECORD*******"
_HEADERS = {
    5: {"library": b"LIBRARY", "member": b"MEMBER ", "names": b"NAMESTR", "rows": b"OBS    "},
    8: {"library": b"LIBV8  ", "member": b"MEMBV8 ", "names": b"NAMSTV8", "rows": b"OBSV8  "},
}
_LONG_LABELS = {b"LABELV8": 3, b"LABELV9": 5}
_NUMERIC = 1
_HEAD, _CHUNK = 1024**2, 50_000
_SEVERAL = "the transport file holds more than one dataset; deliver one file per dataset"
_NAME = struct.Struct(">hhhh8s40s8shhh2s8shhl")
_LONG_NAME = slice(88, 120)
_DATE_FORMATS = {"DATE", "YYMMDD", "YYMMDDD", "MMDDYY", "DDMMYY", "E8601DA", "IS8601DA", "B8601DA"}
_DATETIME_FORMATS = {"DATETIME", "E8601DT", "IS8601DT", "B8601DT"}
_SAS_EPOCH = np.datetime64("1960-01-01")


@dataclass(frozen=True)
class _Column:
    """One variable of the file: where its bytes stand in a record."""

    name: str
    label: str
    numeric: bool
    start: int
    width: int
    shown_as: str = ""


def read_xport(handle: BinaryIO, options: ReadOptions) -> RawTable:
    """Read a SAS transport file, its records in chunks.

    Parameters
    ----------
    handle : binary file
        The file, at its begin.
    options : ReadOptions
        Declared encoding (UTF-8 if none); a byte outside it makes the cell missing and is a finding.

    Returns
    -------
    RawTable
        Numbers as float64 (ISO 8601 text where the format of the variable shows a date), text without its padding; special missing values .A to .Z and ._ are in ``reasons``.

    Raises
    ------
    UnreadableError
        If the layout is not that of a transport file with one dataset, or the file is truncated.
    """
    head = _head(handle)
    version = 8 if head.startswith(_PREFIX + _HEADERS[8]["library"]) else 5
    if not head.startswith(_PREFIX + _HEADERS[version]["library"]):
        raise UnreadableError("no LIBRARY header record; not a transport file")
    columns, start = _layout(head, _HEADERS[version])
    width = sum(column.width for column in columns)
    count = _count(handle, start, width)
    stated = head[start - 32 : start].strip()
    if version == 8 and stated.isdigit() and int(stated):
        count = _stated(handle, start, width, rows=int(stated))
    encoding = options.encoding or "utf-8"
    made = [_Read(column, encoding) for column in columns]
    handle.seek(start)
    for first in range(0, count, _CHUNK):
        raw = handle.read(min(_CHUNK, count - first) * width)
        if _PREFIX + _HEADERS[version]["member"] in raw:
            raise UnreadableError(_SEVERAL)
        cells = np.frombuffer(raw, dtype=np.uint8).reshape(-1, width)
        for column in made:
            column.add(cells, first)
    rows = np.arange(1, count + 1, dtype=np.int64)
    findings = tuple(finding for column in made for finding in column.findings)
    reasons = tuple(reason for column in made for reason in column.reasons)
    labels = {column.name: column.label for column in columns if column.label}
    frame = framed({column.column.name: column.values.whole() for column in made}, count)
    return RawTable(frame, rows, labels, "xpt", f"version {version}, {encoding}", findings, reasons)


class _Read:
    """The values of one variable as far as they have been read."""

    def __init__(self, column: _Column, encoding: str) -> None:
        self.column, self.encoding = column, encoding
        self.values = Growing(float if self._plain else object)
        self.findings: list[Finding] = []
        self.reasons: list[tuple[int, str, str]] = []
        self._pool = Pool((None,))

    @property
    def _plain(self) -> bool:
        """True for a number that is shown as one."""
        return self.column.numeric and not _unit(self.column.shown_as)

    def add(self, cells: np.ndarray, first: int) -> None:
        """Add the values of further records, the first of which has this place in the file."""
        column = self.column
        part = np.ascontiguousarray(cells[:, column.start : column.start + column.width])
        if column.numeric:
            values, special = ibm_floats(part)
            self.values.add(_moments(values, column.shown_as))
            self.reasons += [(place + first, column.name, code) for place, code in special]
            return
        values, bad = _texts(part, self.encoding)
        self.values.add(self._pool.shared(values))
        self.findings += [
            undecodable(column.name, text, row=place + first + 1, encoding=self.encoding)
            for place, text in bad
        ]


def _head(handle: BinaryIO) -> bytes:
    """Return the bytes before the records, and some of those."""
    head = b""
    while part := handle.read(_HEAD):
        head += part
        if any(_PREFIX + words["rows"] in head for words in _HEADERS.values()):
            break
    return head + handle.read(2 * _RECORD)


def _layout(data: bytes, words: dict[str, bytes]) -> tuple[list[_Column], int]:
    """Return the variables and the place where the records begin."""
    member, _ = _header(data, words["member"])
    size = _number(data, member, 5)
    names, first = _header(data, words["names"])
    count = _number(data, names, 1)
    rows, start = _header(data, words["rows"])
    if size not in (136, 140) or not count or first + size * count > rows:
        raise UnreadableError("the variable descriptions of the transport file are damaged")
    if data.find(_PREFIX + words["member"], member + 1) >= 0:
        raise UnreadableError(_SEVERAL)
    long_names = words is _HEADERS[8]
    columns = [_column(data[first + size * i : first + size * (i + 1)], long_names) for i in range(count)]
    if len({column.name for column in columns}) < count:
        raise UnreadableError("a variable name is used twice")
    total = sum(column.width for column in columns)
    if not all(_fits(column, total) for column in columns):
        raise UnreadableError("the variable descriptions of the transport file are damaged")
    try:
        return _long_labels(data[first + size * count : rows], columns), start
    except (struct.error, IndexError) as error:
        raise UnreadableError("the long labels of the transport file are damaged") from error


def _fits(column: _Column, total: int) -> bool:
    """Tell whether a variable lies within the record; numbers have 2 to 8 bytes."""
    narrow, wide = (2, 8) if column.numeric else (1, total)
    return narrow <= column.width <= wide and 0 <= column.start <= total - column.width


def _header(data: bytes, word: bytes) -> tuple[int, int]:
    """Return the begin and the end of a header record."""
    place = data.find(_PREFIX + word)
    if place < 0 or place % _RECORD or len(data) < place + _RECORD:
        raise UnreadableError(f"no {word.decode().strip()} header record; not a complete transport file")
    return place, place + _RECORD


def _number(data: bytes, place: int, which: int) -> int:
    """Return one of the six five-digit numbers of a header record."""
    digits = data[place + 48 + 5 * which : place + 53 + 5 * which]
    if not digits.isdigit():
        raise UnreadableError(f"a header record holds {digits!r} instead of a number")
    return int(digits)


def _column(raw: bytes, long_names: bool) -> _Column:
    kind, _, width, _, name, label, shown, *_, start = _NAME.unpack_from(raw)
    long_name = raw[_LONG_NAME].rstrip(b"\0 ") if long_names else b""
    text = (long_name or name.rstrip(b"\0 ")).decode("ascii", "replace")
    title, form = (part.rstrip(b"\0 ").decode("utf-8", "replace") for part in (label, shown))
    return _Column(text, title, kind == _NUMERIC, start, width, form)


def _long_labels(raw: bytes, columns: list[_Column]) -> list[_Column]:
    """Return the columns with the labels of more than 40 characters that version 8 keeps apart."""
    place = raw.find(_PREFIX)
    fields = _LONG_LABELS.get(raw[place + len(_PREFIX) : place + len(_PREFIX) + 7]) if place >= 0 else None
    if fields is None:
        return columns
    found = list(columns)
    at = place + _RECORD
    count = raw[place + 48 : place + _RECORD].split()[:1]
    for _ in range(int(count[0]) if count and count[0].isdigit() else 0):
        number, *sizes = struct.unpack_from(f">{fields}h", raw, at)
        at += 2 * fields + sizes[0]
        label = raw[at : at + sizes[1]].decode("utf-8", "replace")
        found[number - 1] = replace(found[number - 1], label=label)
        at += sum(sizes[1:])
    return found


def _count(handle: BinaryIO, start: int, width: int) -> int:
    """Return the number of records, the blank padding of the last block left out."""
    end = handle.seek(0, 2)
    size = end - start
    if size % _RECORD:
        raise UnreadableError(
            f"the file ends at byte {end} within a block of {_RECORD} bytes; it is truncated"
        )
    count, rest = divmod(size, width)
    if rest and _at(handle, end - rest, rest).strip(b" "):
        raise UnreadableError(f"the last record ends at byte {end} before it is complete")
    blank = b" " * width
    floor = max(0, size - _RECORD)
    while count and (count - 1) * width >= floor and _at(handle, start + (count - 1) * width, width) == blank:
        count -= 1
    return count


def _at(handle: BinaryIO, place: int, size: int) -> bytes:
    handle.seek(place)
    return handle.read(size)


def _stated(handle: BinaryIO, start: int, width: int, *, rows: int) -> int:
    """Return the number of records that the header of version 8 states."""
    end = handle.seek(0, 2)
    if start + rows * width > end:
        raise UnreadableError(f"the header states {rows} records, the file ends at byte {end} before them")
    return rows


def ibm_floats(cells: np.ndarray) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Convert IBM floating-point numbers.

    Parameters
    ----------
    cells : numpy.ndarray of uint8, shape (n, 2..8)
        Big-endian bytes; missing low bytes are zero.

    Returns
    -------
    tuple of (numpy.ndarray of float64, list of (int, str))
        The values, NaN for missing, and place and code of the special missing values (``.A`` ... ``.Z``, ``._``).

    Raises
    ------
    None

    Notes
    -----
    The 56-bit fraction is rounded once, to the nearest double; the scaling by a power of two is exact.

    Examples
    --------
    >>> ibm_floats(np.array([[0x41, 0x10, 0, 0, 0, 0, 0, 0], [0x2E, 0, 0, 0, 0, 0, 0, 0]], dtype=np.uint8))[0]
    array([ 1., nan])
    """
    wide = np.zeros((len(cells), 8), dtype=np.uint8)
    wide[:, : cells.shape[1]] = cells
    bits = wide.view(">u8").ravel().astype(np.uint64)
    fraction = bits & np.uint64(0x00FFFFFFFFFFFFFF)
    exponent = ((bits >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int64)
    sign = np.where(bits >> np.uint64(63), -1.0, 1.0)
    values = np.ldexp(fraction.astype(np.float64), 4 * (exponent - 64) - 56) * sign
    lead = wide[:, 0]
    code = ((lead >= ord("A")) & (lead <= ord("Z"))) | (lead == ord("_"))
    missing = (fraction == 0) & (code | (lead == ord(".")))
    values[missing] = np.nan
    special = np.flatnonzero(missing & (lead != ord(".")))
    return values, [(int(i), f".{chr(lead[i])}") for i in special]


def _unit(shown_as: str) -> str:
    """Return the unit of numbers that are shown as dates (D) or date-times (s), "" for any other."""
    return "D" if shown_as in _DATE_FORMATS else "s" if shown_as in _DATETIME_FORMATS else ""


def _moments(values: np.ndarray, shown_as: str) -> np.ndarray:
    """Return numbers that are shown as dates or date-times as ISO 8601 text, any other as they are."""
    unit = _unit(shown_as)
    if not unit:
        return values
    texts = np.full(len(values), None, dtype=object)
    there = np.isfinite(values)
    moments = _SAS_EPOCH.astype(f"datetime64[{unit}]") + np.rint(values[there]).astype(f"timedelta64[{unit}]")
    texts[there] = np.datetime_as_string(moments)
    return texts


def _texts(cells: np.ndarray, encoding: str) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Return the texts (None for blank or undecodable) and the undecodable ones with their places."""
    width = cells.shape[1]
    codes, kinds = pd.factorize(cells.view(f"S{width}").ravel().astype(object))
    decoded = [kind.rstrip(b" \0").decode(encoding, "surrogateescape") for kind in kinds]
    wrong = [escaped(text) for text in decoded]
    pool = np.empty(len(decoded), dtype=object)
    pool[:] = [None if bad or not text else text for text, bad in zip(decoded, wrong, strict=True)]
    places: Any = np.flatnonzero(np.array(wrong, dtype=bool)[codes]) if any(wrong) else []
    return pool[codes], [(int(i), decoded[codes[i]]) for i in places]
