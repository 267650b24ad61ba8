"""How high a table of the PDF is, told from the widths of its letters, and what follows for its pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from interim.report.columns import BOLD, INDENT_MM, PADDING_MM, POINT_MM, SIZES, Fit, ems_of
from interim.report.content import HeaderCell, Row, Table

# From line to line and between two lines in parts of the letter size; points above a heading in a table, of a caption, of a note.
_LINE, _LEADING, _SECTION_PT, _CAPTION_PT, _NOTE_PT = 1.1, 0.45, 3.6, 16.0, 8.0
_BLANK = ems_of(" ")
_LAST_ROWS, _LAST_PART = 5, 0.25  # of a page at most
_FEW = 0.4  # of a page: so little on a last page is worth a tighter setting
_DOUBT = 0.04  # of a page: about how far the estimate is off
_PAGES = 3
_TIGHT = (
    0.225  # of the letter size above and below a row: lines of two rows are as far apart as those of one cell
)
_STEPS = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Heights:
    """Heights of a table in mm.

    Attributes
    ----------
    rows : tuple of float
        Each row.
    head : float
        All header rows; they repeat on each page.
    around : float
        Caption and notes.
    """

    rows: tuple[float, ...]
    head: float
    around: float

    @property
    def whole(self) -> float:
        """The height of all."""
        return sum(self.rows) + self.head + self.around


def heights(table: Table, fitted: Fit, *, face: float = 1.0) -> Heights:
    """Return about how high a table and its rows are.

    Parameters
    ----------
    table : Table
        The table.
    fitted : Fit
        How it is set.
    face : float
        Width of the typeface.

    Returns
    -------
    Heights
        In mm; from the widths of the letters, without setting the table.

    Raises
    ------
    None
    """
    letter = face * fitted.size * POINT_MM
    rooms = [(width - 2 * PADDING_MM) / letter for width in fitted.widths]
    wide = sum(fitted.widths)
    rows = tuple(_row(row, rooms, letter, fitted) for row in table.rows)
    head = sum(_high(_lines_of(heads, rooms), fitted) for heads in table.header)
    room = wide / (face * _NOTE_PT * POINT_MM)
    notes = sum(_lines(text, room) for text in (*table.footnotes, *table.labels))
    return Heights(rows, head, (_CAPTION_PT + notes * _NOTE_PT * _LINE) * POINT_MM)


def _row(row: Row, rooms: Sequence[float], letter: float, fitted: Fit) -> float:
    if row.kind == "section":
        return (
            _high(_lines(row.cells[0].text, sum(fitted.widths) / letter / BOLD), fitted)
            + _SECTION_PT * POINT_MM
        )
    lines = max(_lines(cell.text, room) for cell, room in zip(row.cells, rooms, strict=True))
    if row.indent:
        lines = max(lines, _lines(row.cells[0].text, rooms[0] - row.indent * INDENT_MM / letter))
    return _high(lines, fitted)


def _high(lines: int, fitted: Fit) -> float:
    """Return the height of a row of so many lines."""
    return ((lines * _LINE - _LEADING) * fitted.size + 2 * fitted.above_pt) * POINT_MM


def _lines_of(heads: Sequence[HeaderCell], rooms: Sequence[float]) -> int:
    """Return the number of lines of a header row; a head over several columns stands on one."""
    if len(heads) < len(rooms):
        return 1
    return max(_lines(head.text, room / BOLD) for head, room in zip(heads, rooms, strict=True))


def _lines(text: str, room: float) -> int:
    """Return on how many lines a text of a cell stands."""
    return sum(1 if ems_of(line) <= room else _wrapped(line, room) for line in text.split("\n"))


def _wrapped(line: str, room: float) -> int:
    """Return on how many lines a line stands that is wider than its room; a word without blanks is broken anywhere."""
    count, used = 1, 0.0
    for word in line.split(" "):
        wide = ems_of(word)
        if used and used + wide > room:
            count, used = count + 1, 0.0
        used += wide
        if used > room:
            count, used = count + int(used / room), used % room
        used += _BLANK
    return count


def last_rows(table: Table, found: Heights, page: float) -> int:
    """Return how many of the last rows of a long table stand on one page.

    Parameters
    ----------
    table : Table
        The table.
    found : Heights
        Its heights.
    page : float
        Height of the page between its margins in mm.

    Returns
    -------
    int
        0, or from 2 to 5: rows below the last heading in the table, of which one stays with the heading.

    Raises
    ------
    None
    """
    number, high = 0, 0.0
    for row, one in zip(reversed(table.rows[1:]), reversed(found.rows), strict=False):
        high += one
        if row.kind == "section" or high > page * _LAST_PART or number == _LAST_ROWS + 1:
            break
        number += 1
    return number - 1 if number > 2 else 0


def squeezed(
    table: Table, fitted: Fit, found: Heights, *, rooms: tuple[float, float], face: float = 1.0
) -> Fit:
    """Return how a table is set that would leave little on its last page.

    Parameters
    ----------
    table : Table
        The table.
    fitted : Fit
        How it is set on its own.
    found : Heights
        Its heights then.
    rooms : tuple of float
        Height in mm on the page where it begins, and on each further page.
    face : float
        Width of the typeface.

    Returns
    -------
    Fit
        With less room between its rows, and letters smaller by one point at most, if that saves the last page; else as it was.

    Raises
    ------
    None
    """
    pages = _pages(found, rooms)
    most = math.floor(pages + _DOUBT)
    if not 0 < most < _PAGES or pages - most > _FEW:
        return fitted
    for tight in _tighter(fitted):
        if _pages(heights(table, tight, face=face), rooms) < most - _DOUBT / 2:
            return tight
    return fitted


def _pages(found: Heights, rooms: tuple[float, float]) -> float:
    """Return how many pages a table needs, the last one as a part."""
    first, further = rooms
    if found.whole <= first:
        return found.whole / first
    return 1 + (found.whole - first) / (further - found.head)


def _tighter(fitted: Fit) -> Iterator[Fit]:
    for step in _STEPS:
        size = fitted.size - step
        if size >= SIZES[-1]:
            yield replace(fitted, size=size, above_pt=min(fitted.above_pt, size * _TIGHT))
