"""XLSX workbooks, read from their XML: one sheet is one table, every cell is text."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from interim.data.read.raw import LARGEST_PART, RawTable, ReadOptions, UnreadableError
from interim.data.records import value_text

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DATE_FORMATS = {
    14: "y-m-d",
    15: "y-m-d",
    16: "m-d",
    17: "y-m",
    18: "h:m",
    19: "h:m:s",
    20: "h:m",
    21: "h:m:s",
    22: "y-m-d h:m",
}
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_SECOND = 86400
# What a truncated, encrypted or damaged archive, part or cell raises.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ET.ParseError,
    EOFError,
    LookupError,
    OverflowError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class _Book:
    """What every sheet of the workbook needs."""

    archive: zipfile.ZipFile
    texts: list[str]
    formats: list[str]
    epoch: datetime


def read_workbook(handle: BinaryIO, options: ReadOptions) -> RawTable:
    """Read one sheet of an XLSX workbook.

    Parameters
    ----------
    handle : binary file
        The file, at its begin.
    options : ReadOptions
        Name of the sheet; the first one if none is named.

    Returns
    -------
    RawTable
        Text columns; a date cell is ISO 8601 text with the precision of its number format; rows are sheet rows.

    Raises
    ------
    UnreadableError
        If the file is no workbook, the sheet is absent, a name of the header is missing or used twice, or a data cell is
        merged, holds an error, or holds a formula without a stored value.
    """
    try:
        archive = zipfile.ZipFile(handle)
        book_xml = _part(archive, "xl/workbook.xml")
        book = _Book(archive, _texts(archive), _formats(archive), _epoch(book_xml))
        name, part, hidden = _sheet(archive, book_xml, options.sheet)
        return _table(_part(archive, part), book, name, hidden)
    except _DAMAGE as error:
        raise UnreadableError(f"not a readable XLSX workbook: {error}") from error


def _part(archive: zipfile.ZipFile, name: str) -> ET.Element:
    """Return one part of the workbook; what unpacks to more than a sheet can be, or declares entities, is not parsed."""
    with archive.open(name) as stream:
        text = stream.read(LARGEST_PART + 1)
    if len(text) > LARGEST_PART:
        raise UnreadableError(
            f"part {name} unpacks to more than {LARGEST_PART} bytes; deliver the sheet as CSV or Parquet"
        )
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise UnreadableError(f"part {name} declares a document type, which no workbook has; export it again")
    return ET.fromstring(text)


def _epoch(book: ET.Element) -> datetime:
    settings = book.find(f"{_MAIN}workbookPr")
    old = settings is not None and settings.get("date1904", "0") in ("1", "true")
    return _EPOCH_1904 if old else _EPOCH


def _texts(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    root = _part(archive, "xl/sharedStrings.xml")
    return [_plain(item) for item in root.findall(f"{_MAIN}si")]


def _plain(item: ET.Element) -> str:
    """Return the text of a string item without its phonetic readings."""
    runs = [item.find(f"{_MAIN}t"), *(run.find(f"{_MAIN}t") for run in item.findall(f"{_MAIN}r"))]
    return "".join(run.text or "" for run in runs if run is not None)


def _formats(archive: zipfile.ZipFile) -> list[str]:
    """Return the date pattern of every cell style, "" for a style that shows no date."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    root = _part(archive, "xl/styles.xml")
    own = {int(f.get("numFmtId", "0")): f.get("formatCode", "") for f in root.iter(f"{_MAIN}numFmt")}
    styles = root.find(f"{_MAIN}cellXfs")
    ids = [] if styles is None else [int(style.get("numFmtId", "0")) for style in styles]
    return [_date_pattern(own[i]) if i in own else _DATE_FORMATS.get(i, "") for i in ids]


def _date_pattern(code: str) -> str:
    plain = _LITERAL.sub("", code.split(";")[0]).lower()
    return plain if re.search("[ydhs]", plain) and "general" not in plain else ""


def _sheet(archive: zipfile.ZipFile, book: ET.Element, wanted: str | None) -> tuple[str, str, list[str]]:
    """Return name and part of the sheet, and the names of hidden sheets."""
    sheets = list(book.iter(f"{_MAIN}sheet"))
    names = [sheet.get("name", "") for sheet in sheets]
    if wanted is not None and wanted not in names:
        raise UnreadableError(f"no sheet {wanted!r}; the workbook has {', '.join(names)}")
    sheet = sheets[0 if wanted is None else names.index(wanted)]
    rels = _part(archive, "xl/_rels/workbook.xml.rels")
    target = {rel.get("Id"): rel.get("Target", "") for rel in rels}[sheet.get(f"{_REL}id")]
    part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    hidden = [s.get("name", "") for s in sheets if s.get("state", "visible") != "visible"]
    return sheet.get("name", ""), part, hidden


def _table(sheet: ET.Element, book: _Book, name: str, hidden: list[str]) -> RawTable:
    rows = list(sheet.iter(f"{_MAIN}row"))
    cells = [(int(row.get("r", i)), _cells(row, book)) for i, row in enumerate(rows, 1)]
    filled = [(number, row) for number, row in cells if any(row.values())]
    if not filled:
        raise UnreadableError(f"sheet {name!r} has no header row")
    header_row, header = filled[0]
    merged = [m.get("ref", "") for m in sheet.iter(f"{_MAIN}mergeCell")]
    if merged:
        raise UnreadableError(
            f"sheet {name!r} has merged cells {', '.join(merged)}; unmerge them", row=header_row
        )
    width = max(max(row, default=0) for _, row in filled) + 1
    names = [header.get(i) or "" for i in range(width)]
    if "" in names or len(set(names)) < width:
        raise UnreadableError(f"every column needs a name of its own; the header is {names}", row=header_row)
    frame = pd.DataFrame(
        {column: _column([row.get(i) for _, row in filled[1:]]) for i, column in enumerate(names)},
        index=pd.RangeIndex(len(filled) - 1),
    )
    numbers = np.array([number for number, _ in filled[1:]], dtype=np.int64)
    return RawTable(frame, numbers, format="xlsx", note=_note(sheet, rows, name, hidden))


def _column(values: list[str | None]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = [value or None for value in values]
    return array


def _note(sheet: ET.Element, rows: list[ET.Element], name: str, hidden: list[str]) -> str:
    lines = [row.get("r", "?") for row in rows if row.get("hidden") in ("1", "true")]
    columns = [c.get("min", "?") for c in sheet.iter(f"{_MAIN}col") if c.get("hidden") in ("1", "true")]
    found = {"hidden sheets": hidden, "hidden rows": lines, "hidden columns": columns}
    return "; ".join(
        [f"sheet {name}", *(f"{what} {', '.join(items)}" for what, items in found.items() if items)]
    )


def _cells(row: ET.Element, book: _Book) -> dict[int, str | None]:
    found: dict[int, str | None] = {}
    for place, cell in enumerate(row.findall(f"{_MAIN}c")):
        where = cell.get("r", "")
        found[_place(where) if where else place] = _value(cell, book, where)
    return found


def _place(reference: str) -> int:
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: ET.Element, book: _Book, where: str) -> str | None:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v")
    if kind == "e":
        raise UnreadableError(f"cell {where} holds the error {value}; correct it")
    if value is None and cell.find(f"{_MAIN}f") is not None:
        raise UnreadableError(f"cell {where} holds a formula without a stored value; save the workbook again")
    if kind == "inlineStr":
        inline = cell.find(f"{_MAIN}is")
        return None if inline is None else _plain(inline)
    if value is None:
        return None
    if kind == "s":
        return book.texts[int(value)]
    if kind == "b":
        return "Y" if value == "1" else "N"
    style = int(cell.get("s", "0"))
    pattern = book.formats[style] if kind == "n" and style < len(book.formats) else ""
    return _moment(float(value), pattern, book.epoch) if pattern else _shown(kind, value)


def _shown(kind: str, value: str) -> str:
    return value_text(float(value)) if kind == "n" else value


def _moment(serial: float, pattern: str, epoch: datetime) -> str:
    """Return a serial number as ISO 8601 text with the components that its format shows."""
    moment = epoch + timedelta(seconds=round(serial * _SECOND))
    if "y" not in pattern:
        return moment.strftime("%H:%M:%S" if "s" in pattern else "%H:%M")
    day = "%Y-%m-%d" if "d" in pattern else "%Y-%m" if "m" in pattern else "%Y"
    clock = "T%H:%M:%S" if "s" in pattern else "T%H:%M" if "h" in pattern else ""
    return moment.strftime(day + (clock if "d" in pattern else ""))
