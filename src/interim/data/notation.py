"""How dates are written: their notation, and one sentence about a column that holds several."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ISO = re.compile(r"(\d{4}|-)(-(\d{2}|-)(-(\d{2}|-))?)?(T[\d:.-]*(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_WORDS = re.compile(r"[^\W\d_]+")
_NAMED, _LISTED = 3, 6


def notation(text: str) -> str:
    """Return how a date is written: every digit as ``#``, every word as ``text``.

    Parameters
    ----------
    text : str
        A date as collected.

    Returns
    -------
    str
        Equal for two dates that are written alike.

    Raises
    ------
    None

    Examples
    --------
    >>> notation("04/03/2026"), notation("March 4 2026")
    ('##/##/####', 'text # ####')
    """
    return _WORDS.sub("text", re.sub(r"\d", "#", text.strip()))


def looks_iso(text: str) -> bool:
    """Tell whether a text is written like an ISO 8601 date, whether or not the day exists.

    Parameters
    ----------
    text : str
        A date as collected.

    Returns
    -------
    bool
        True for ``2026-02-30``, False for ``30/02/2026`` and ``20260230``.

    Raises
    ------
    None

    Examples
    --------
    >>> looks_iso("2026-02-30"), looks_iso("20260230")
    (True, False)
    """
    return _ISO.fullmatch(text.strip()) is not None


def notations(texts: Sequence[str], rows: Sequence[str], subjects: Sequence[str]) -> str:
    """Return one sentence part about dates in several notations: how many cells, in which notations, where.

    Parameters
    ----------
    texts, rows, subjects : sequence of str
        Of each cell: text found, row in its file, participant ("" if none).

    Returns
    -------
    str
        The most frequent notation first, each with its number of cells and its first row; then the first participants.

    Raises
    ------
    None

    Examples
    --------
    >>> notations(["04/03/2026", "4.3.2026"], ["3", "4"], ["S1", "S2"])
    '2 dates in 2 notations: ##/##/#### (1, first in row 3), #.#.#### (1, first in row 4); participants S1, S2'
    """
    kinds: dict[str, list[str]] = {}
    for text, row in zip(texts, rows, strict=True):
        kinds.setdefault(notation(text), []).append(row)
    order = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))
    told = ", ".join(f"{k} ({len(kinds[k])}, first in row {_first(kinds[k])})" for k in order[:_LISTED])
    told += f" and {len(order) - _LISTED} more" if len(order) > _LISTED else ""
    people = sorted({subject for subject in subjects if subject})
    more = f" and {len(people) - _NAMED} more" if len(people) > _NAMED else ""
    who = f"; participants {', '.join(people[:_NAMED])}{more}" if people else ""
    s = "s" if len(kinds) > 1 else ""
    return f"{len(texts)} dates in {len(kinds)} notation{s}: {told}{who}"


def _first(rows: Sequence[str]) -> str:
    return min(rows, key=lambda row: (not row.isdigit(), int(row) if row.isdigit() else 0, row))
