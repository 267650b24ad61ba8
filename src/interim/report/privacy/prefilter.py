"""Which lines of a text may hold what is sought: one pass of an automaton over all lines, before any single expression is tried."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

# Digits, punctuation and blanks that look like those of ASCII count as these; one letter stays one letter.
_BLANKS = {**dict.fromkeys("\u00a0\u2007\u202f\u3000", " "), **dict.fromkeys("\u2010\u2011", "-")}
_FULL = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) not in "：（），；"}
_WIDE = re.compile(f"[{''.join(_FULL)}]")


class Sought(NamedTuple):
    """A pattern made ready: its number, the expression, and what a line must hold before it is tried."""

    number: int
    regex: re.Pattern[str]
    words: tuple[str, ...]
    seek: re.Pattern[str] | None


def plain(text: str) -> str:
    r"""Return a text in which letters count as they are read.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        As long as the text: full-width letters and digits, blanks and hyphens of other widths as those of ASCII, halves of
        letters as question marks.

    Raises
    ------
    None

    Examples
    --------
    >>> plain("１３８\u00a0００")
    '138 00'
    """
    return text if text.isascii() else _coded(text).decode()


def _coded(text: str) -> bytes:
    """Return a text in UTF-8 as ``plain`` gives it."""
    if text.isascii():
        return text.encode()
    for letter, same in _BLANKS.items():
        text = text.replace(letter, same)
    try:
        coded = text.encode()
    except UnicodeEncodeError:
        coded = text.encode("utf-8", "replace")
    wide = b"\xef" in coded and (b"\xef\xbc" in coded or b"\xef\xbd" in coded)
    return _WIDE.sub(lambda letter: _FULL[letter[0]], coded.decode()).encode() if wide else coded


def suspects(text: str, sought: Collection[Sought]) -> list[str]:
    """Return the lines of a text that may hold something.

    Parameters
    ----------
    text : str
        Lines.
    sought : collection of Sought
        What is looked for.

    Returns
    -------
    list of str
        In their order, as ``plain`` gives them: every line that holds a word or short expression of one of the patterns, and
        perhaps others.

    Raises
    ------
    None

    Notes
    -----
    The short expressions of all patterns are one expression of RE2, which reads each byte once. Digits and small letters
    are those of Unicode, as in Python. What RE2 cannot read makes every line a suspect.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    digit = "[0-9]" if text.isascii() else r"\p{Nd}"  # the long list of all digits takes its time
    branches = tuple(branch for one in sought for branch in _branches(one, digit))
    data = _coded(text)
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    places = np.zeros(len(ends) + 2, np.int64)
    places[1:-1] = ends + 1
    places[-1] = len(data)
    if not branches or not _readable("|".join(branches)):
        return data.decode().split("\n") if branches else []
    lines = pa.LargeStringArray.from_buffers(len(places) - 1, pa.py_buffer(places), pa.py_buffer(data))
    found = np.flatnonzero(pc.match_substring_regex(lines, "|".join(branches)).to_numpy(zero_copy_only=False))
    return [
        data[begin:end].decode().removesuffix("\n")
        for begin, end in zip(places[found].tolist(), places[found + 1].tolist(), strict=True)
    ]


def _branches(sought: Sought, digit: str) -> Iterator[str]:
    """Yield what a line must hold, in the notation of RE2."""
    yield from (f"(?i:{re.escape(word)})" for word in sought.words)
    if sought.seek is not None:
        digits = {r"\d": digit}
        yield re.sub(r"\\.", lambda found: digits.get(found[0], found[0]), sought.seek.pattern)
    elif not sought.words:
        yield ""


@lru_cache(maxsize=64)
def _readable(expression: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), expression)
    except pa.ArrowInvalid:
        return False
    return True


def lines_with(text: str, low: str, sought: Sought) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the lines that may hold what one pattern looks for, each once.

    Parameters
    ----------
    text, low : str
        Lines, and the same in lower case.
    sought : Sought
        The pattern.

    Yields
    ------
    tuple of int
        Places in the text; the whole text if the pattern asks nothing of a line.

    Raises
    ------
    None
    """
    found: dict[int, int] = {}
    for word in sought.words:
        place = low.find(word)
        while place >= 0:
            begin, end = _line(low, place)
            found[begin] = end
            place = low.find(word, end)
    if sought.seek is not None:
        place, end = 0, -1
        for hit in sought.seek.finditer(text):
            if hit.start() >= end:
                begin, end = _line(text, hit.start())
                found[begin] = end
    if not sought.words and sought.seek is None:
        found[0] = len(text)
    yield from sorted(found.items())


def _line(text: str, place: int) -> tuple[int, int]:
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, len(text) if end < 0 else end
