"""Column widths and letter size of printed tables: no word is clipped, and the size falls only where it must."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from interim.report.content import Table

SIZES = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
_KEEP_SIZES = SIZES[:4]
PADDING_MM = 1.1
INDENT_MM = 3.2
_KEPT = 18
_TEXTS = 2**16  # texts of cells whose width is remembered
POINT_MM = 25.4 / 72
_IDEOGRAPH, _OPENING, _CLOSING = "\u2e80-\uffef", "（《【“", "，。；：、）！？》】”"
# A line ends at a blank, after a hyphen, and between two ideographs, but not before or after a mark that belongs to one.
_WORD = re.compile(
    rf"\s+|(?<=-)(?=[^\W\d])|(?<=[{_IDEOGRAPH}])(?<![{_OPENING}])(?=[^{_CLOSING}])"
    rf"|(?<=[^{_OPENING}])(?=[{_IDEOGRAPH}])(?![{_CLOSING}])"
)
_HASH = re.compile(r"[0-9a-f]{12}")  # stays whole, so that it can be entered last
_ZERO_WIDTH_SPACE = "\u200b"
_NO_BREAK = "\u00a0"
# Two limits in brackets: numbers, or words of capitals such as NE and NR.
_LIMIT = r"[<>]?[-−]?(?:\d[\d.]*|[A-Z]{2,3})%?"
_INTERVAL = re.compile(rf"\({_LIMIT}[,;] {_LIMIT}\)|\[{_LIMIT}[,;] {_LIMIT}\]")

# Advance widths of a common sans-serif face in parts of the letter size, rounded up by classes of letters.
_NARROW, _WIDE = frozenset("iljtf.,;:'!|()[]/ ·"), frozenset("mwMW@%&—")
_NARROW_EM, _WIDE_EM, _CAPITAL_EM, _EM = 0.334, 0.95, 0.75, 0.56
# An ideograph is one em wide in every typeface, also beside the narrowest Latin one.
_FULL_EM = 1.15
BOLD = 1.08
_IDEOGRAPHS = 0x2E80


@dataclass(frozen=True)
class Fit:
    """How a table is set.

    Attributes
    ----------
    size : float
        Letter size in points.
    widths : tuple of float
        Width of each column in mm.
    broken : bool
        True if even the smallest letters do not fit, so that long words must be broken.
    face : float
        Width of the typeface.
    above_pt : float
        Points above and below the text of a row.
    """

    size: float
    widths: tuple[float, ...]
    broken: bool = False
    face: float = 1.0
    above_pt: float = 2.4


def fit(table: Table, width_mm: float, *, face: float = 1.0) -> Fit:
    """Return letter size and column widths with which a table fits the page.

    Parameters
    ----------
    table : Table
        The table.
    width_mm : float
        Width of the page between its margins.
    face : float
        Width of the typeface; 1 is that of a common sans-serif face.

    Returns
    -------
    Fit
        The widths add up to the width of the page.

    Raises
    ------
    None

    Notes
    -----
    The relative widths of the table hold where every column is as wide as its longest word; a narrower column takes what
    it needs from the others. Short cells and header lines are kept on one line if that costs no more than four steps of the letter size.
    """
    for whole, sizes in ((True, _KEEP_SIZES), (False, SIZES)):
        needs = _needs(table, whole)
        for size in sizes:
            least = [em * face * size * POINT_MM + fixed for em, fixed in needs]
            if sum(least) <= width_mm:
                return Fit(size, _shared(table.widths, least, width_mm))
    scale = width_mm / sum(least)
    return Fit(SIZES[-1], tuple(need * scale for need in least), broken=True, face=face)


def breakable(text: str, fitted: Fit, column: int) -> str:
    """Return a text in which words that are wider than their column may be broken, but for hashes, and intervals that are narrower may not.

    Parameters
    ----------
    text : str
        Text of a cell.
    fitted : Fit
        How its table is set.
    column : int
        Its column.

    Returns
    -------
    str
        The text, with zero-width spaces inside words that are too long, and blanks that do not break inside intervals.

    Raises
    ------
    None
    """
    room = (fitted.widths[column] - 2 * PADDING_MM) / (fitted.size * fitted.face * POINT_MM)
    text = _INTERVAL.sub(lambda found: _together(found[0], room), text)
    if not fitted.broken:
        return text
    parts = re.split(r"(\s+)", text)
    words = [word for part in parts for word in ([part] if part.isspace() else _WORD.split(part))]
    return "".join(
        _ZERO_WIDTH_SPACE.join(word) if ems_of(word) > room and not _HASH.fullmatch(word) else word
        for word in words
    )


def _together(interval: str, room: float) -> str:
    """Return an interval that stays on one line if its column is as wide."""
    return interval.replace(" ", _NO_BREAK) if ems_of(interval) <= room else interval


class _Widths(dict[str, float]):
    """Letter -> its width; told once for each letter."""

    def __missing__(self, letter: str) -> float:
        self[letter] = width = _em(letter)
        return width


def _em(letter: str) -> float:
    if letter in _NARROW:
        return _NARROW_EM
    if letter in _WIDE:
        return _WIDE_EM
    if ord(letter) >= _IDEOGRAPHS:
        return _FULL_EM
    return _CAPITAL_EM if letter.isupper() else _EM


_width = _Widths().__getitem__


@lru_cache(maxsize=_TEXTS)
def ems_of(text: str) -> float:
    """Return how wide a text is.

    Parameters
    ----------
    text : str
        Text of one line.

    Returns
    -------
    float
        In parts of the letter size.

    Raises
    ------
    None
    """
    return sum(map(_width, text))


def _needs(table: Table, whole: bool) -> list[tuple[float, float]]:
    """Return what each column needs: parts of the letter size, and mm for padding and indent."""
    needs = [(0.0, 2 * PADDING_MM)] * len(table.widths)
    for row in table.rows:
        if row.kind == "data":
            for column, cell in enumerate(row.cells):
                indent = row.indent * INDENT_MM if column == 0 else 0.0
                needs[column] = _larger(needs[column], (_longest(cell.text, whole), 2 * PADDING_MM + indent))
    for heads in table.header:
        column = 0
        for head in heads:
            _widen(needs, column, head.span, _longest(head.text, whole) * BOLD)
            column += head.span
    return needs


def _larger(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return max(one[0], other[0]), max(one[1], other[1])


@lru_cache(maxsize=_TEXTS)
def _longest(text: str, whole: bool) -> float:
    lines = text.split("\n")
    pieces = [
        part
        for line in lines
        for part in ([line] if whole and _letters(line) <= _KEPT else _WORD.split(line))
    ]
    return max(map(ems_of, pieces))


def _letters(text: str) -> int:
    """Return the number of letters, an ideograph counted twice."""
    return len(text) if text.isascii() else sum(2 if ord(one) >= _IDEOGRAPHS else 1 for one in text)


def _widen(needs: list[tuple[float, float]], start: int, span: int, ems: float) -> None:
    """Give the columns under a header cell what its longest word needs."""
    lacking = (ems - sum(em for em, _ in needs[start : start + span])) / span
    if lacking > 0:
        needs[start : start + span] = [(em + lacking, fixed) for em, fixed in needs[start : start + span]]


def _shared(wishes: Sequence[float], least: Sequence[float], total: float) -> tuple[float, ...]:
    """Return widths in proportion to the wishes, none below its least width."""
    widths = list(least)
    free = list(range(len(wishes)))
    while free:
        left = total - sum(widths[i] for i in range(len(widths)) if i not in free)
        unit = left / sum(wishes[i] for i in free)
        narrow = [i for i in free if wishes[i] * unit < least[i]]
        if not narrow:
            for i in free:
                widths[i] = wishes[i] * unit
            break
        free = [i for i in free if i not in narrow]
    return tuple(widths)
