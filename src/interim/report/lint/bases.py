"""What the denominator of a result row must be: the size of its column, or the count that is declared for it."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from interim.report.lint.model import Value
from interim.result import slug

Declared = Mapping[str, str]


@cache
def declarations() -> Mapping[str, Sequence[Declared]]:
    """Return the declarations of bases.toml.

    Returns
    -------
    mapping of str to sequence of mapping
        ``base``, ``denominator``, ``other``, ``set``, ``interval``: entries with row (pattern of ``analysis/variable``), the
        base and the reason.

    Raises
    ------
    None
    """
    text = files("interim.report.lint").joinpath("bases.toml").read_text(encoding="utf-8")
    read: Mapping[str, Any] = tomllib.loads(text)
    return {name: tuple(entries) for name, entries in read.items()}


def declared(kind: str, row: Value) -> Iterator[Declared]:
    """Yield the entries of a kind that hold for a row.

    Parameters
    ----------
    kind : str
        Table of bases.toml.
    row : Value
        The row.

    Yields
    ------
    mapping
        In the order of the file.

    Raises
    ------
    None
    """
    yield from _declared(kind, f"{row.analysis}/{row.variable}", row.stat)


@cache
def _declared(kind: str, place: str, stat: str) -> tuple[Declared, ...]:
    return tuple(
        entry
        for entry, row, of in _patterns(kind)
        if row.fullmatch(place) and (of is None or of.fullmatch(stat))
    )


@cache
def _patterns(kind: str) -> tuple[tuple[Declared, re.Pattern[str], re.Pattern[str] | None], ...]:
    """Return the entries of a kind with the patterns of their rows and statistics."""
    return tuple(
        (entry, re.compile(entry["row"]), re.compile(entry["stat"]) if "stat" in entry else None)
        for entry in declarations().get(kind, ())
    )


def filled(template: str, row: Value) -> str:
    """Return a result id, or a pattern of ids, with the parts of a row.

    Parameters
    ----------
    template : str
        With {analysis}, {group}, {variable} and {level}.
    row : Value
        The row.

    Returns
    -------
    str
        The parts as they stand in result ids; a missing level is ``-``.

    Raises
    ------
    None
    """
    parts = ("analysis", "group", "variable", "level")
    return template.format(**{name: slug(getattr(row, name)) or "-" for name in parts})


class Bases:
    """The numbers that denominators must equal.

    Attributes
    ----------
    rows : mapping of str to Value
        Every result row, by its id.
    """

    def __init__(self, rows: Mapping[str, Value]) -> None:
        """Read the sizes of all columns."""
        self.rows = rows
        self._sizes = {
            (row.analysis, row.group): row.n
            for row in rows.values()
            if row.variable == "population" and row.stat == "N"
        }
        self._keys: dict[str, list[str]] = defaultdict(list)
        for key in rows:
            self._keys[key.partition("/")[0]].append(key)
        self._found: dict[str, list[Value]] = {}

    def of(self, row: Value) -> tuple[int | None, str]:
        """Return the number that the denominator of a row must equal, and what it is.

        Parameters
        ----------
        row : Value
            The row.

        Returns
        -------
        tuple of (int or None, str)
            The first declared base whose results exist, else the size of the row's column; None if nothing states it.

        Raises
        ------
        None
        """
        size = self._sizes.get((row.analysis, row.group))
        for entry in declared("denominator", row):
            base = filled(entry["base"], row)
            number = self._number(entry, base, row)
            if number is not None and not (self.rows.get(base) is row and size == row.N):
                return number, base
        return size, "the size of the column"

    def _number(self, entry: Declared, base: str, row: Value) -> int | None:
        match entry.get("take", "n"):
            case "sum":
                parts = self._matching(base)
                return sum(part.n or 0 for part in parts) if parts else None
            case "count":
                return len(self._matching(base)) or None
            case "one":
                numbers = {part.n for part in self._matching(base) if part.n is not None}
                return row.N if row.N in numbers else min(numbers, default=None)
            case "rest":
                return self._rest(base, filled(entry["without"], row))
            case _:
                found = self.rows.get(base)
                return None if found is None else found.n

    def _rest(self, base: str, without: str) -> int | None:
        """Return a count without another one; of a rate its denominator is the other one."""
        whole, other = self.rows.get(base), self.rows.get(without)
        if whole is None or whole.n is None or other is None:
            return None
        away = other.N if other.stat == "rate" else other.n
        return None if away is None else whole.n - away

    def _matching(self, pattern: str) -> list[Value]:
        if pattern not in self._found:
            keys = self._keys[pattern.partition("/")[0].replace("\\", "")]
            self._found[pattern] = [self.rows[key] for key in keys if re.fullmatch(pattern, key)]
        return self._found[pattern]
