"""Tables with one column per dose whose rows are described in ``by_dose.toml``: counts, events, spreads, rates."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, partial
from importlib.resources import files
from typing import Any

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import DASH, NO_VALUE, Numbers
from interim.display.table import Cell, Table
from interim.result import TOTAL, Result
from interim.study import Study


@cache
def layouts() -> dict[str, Any]:
    """Return the content of ``by_dose.toml``.

    Parameters
    ----------
    None

    Returns
    -------
    dict
        Analysis id -> rows, levels, notes and so on.

    Raises
    ------
    None

    Examples
    --------
    >>> layouts()["conduct.delays"]["rows"]["no_cart"]
    'No CAR-T infusion'
    """
    return tomllib.loads(files("interim.display").joinpath("by_dose.toml").read_text(encoding="utf-8"))


def table_by_dose(result: Result, study: Study) -> Table:
    """Show counts and spreads by dose.

    Parameters
    ----------
    result : Result
        Any Result by column whose analysis id is described in ``by_dose.toml``.
    study : Study
        Column labels, rounding, level.

    Returns
    -------
    Table
        A line per variable and level: participants with percentage, events in brackets, or number; median (range); an interval
        follows where the Result has one.

    Raises
    ------
    KeyError
        If the table is not described.
    """
    numbers = Numbers(result, study)
    layout = layouts()[result.analysis_id]
    lines = [line for variable in numbers.variables() for line in _of_variable(numbers, layout, variable)]
    return cohort_table(numbers, lines, footnotes=tuple(layout.get("notes", ())))


def _of_variable(numbers: Numbers, layout: Mapping[str, Any], variable: str) -> Iterator[Line]:
    text = layout["rows"].get(variable, word("measures", variable))
    absent = absent_line(numbers, text, variable)
    if layout.get("units"):
        text += _unit(numbers, variable)
    levels = numbers.levels(variable)
    if absent:
        yield absent
        return
    named = [level for level in levels if level]
    if "" in levels:
        yield from _lines(numbers, layout, variable, "", text)
    elif named:
        yield Line(text)
    words = layout.get("levels", {})
    for level in named:
        yield from _lines(numbers, layout, variable, level, words.get(level, word("terms", level)))


def _unit(numbers: Numbers, variable: str) -> str:
    """Return a comma and the unit of the numbers of a variable; empty without one."""
    frame = numbers.result.frame
    units = frame.loc[(frame["variable"] == variable) & (frame["stat"] == "median"), "unit"].dropna()
    found = next((str(unit) for unit in units if unit), "")
    return f", {found}" if found else ""


def _lines(
    numbers: Numbers, layout: Mapping[str, Any], variable: str, level: str, text: str
) -> Iterator[Line]:
    indent = 1 if level or variable in layout.get("inside", ()) else 0
    place = {"variable": variable, "level": level}
    if _has(numbers, "median", place):
        digits = layout.get("digits", {}).get(variable, 0)
        cell = _recovery if _has(numbers, "recovered", place) else _spread
        yield Line(text, partial(cell, numbers, variable, level, digits), indent)
    elif _has(numbers, "events", place):
        yield Line(text, partial(numbers.counted, variable=variable, level=level), indent)
    else:
        yield Line(text, partial(numbers.count, variable=variable, level=level), indent)
    if _has(numbers, "lower", place):
        yield Line(f"{100 * numbers.study.stats.level:g}% CI", partial(_interval, numbers, place), indent + 1)
    if _has(numbers, "one_sided", place):
        percent = str(numbers.need("one_sided", **place)["method"]).rpartition(" ")[2]
        upper = f"{percent}% {word('dlt', 'upper')}"
        yield Line(upper, partial(_one_sided, numbers, place), indent + 1)


def _has(numbers: Numbers, stat: str, place: Mapping[str, str]) -> bool:
    """Tell whether the Result has the number in any column."""
    return place["level"] in numbers.levels(place["variable"], stat=stat)


def _spread(numbers: Numbers, variable: str, level: str, digits: int, group: str) -> Cell:
    """Return number, median and range."""
    count = numbers.plain(group, variable, level=level)
    if count.text == DASH:
        return count
    if count.text == "0":
        return Cell(NO_VALUE, count.keys)
    cells = [
        numbers.value(group, variable, stat, level=level, digits=digits) for stat in ("median", "min", "max")
    ]
    text = f"{count.text}; {cells[0].text} ({cells[1].text}, {cells[2].text})"
    return Cell(text, (*count.keys, *(key for cell in cells for key in cell.keys)))


def _recovery(numbers: Numbers, variable: str, level: str, digits: int, group: str) -> Cell:
    """Return recovered of all with the event and a later result, and the median of their times."""
    count = numbers.plain(group, variable, level=level)
    if count.text == DASH:
        return count
    if count.text == "0":
        return Cell(NO_VALUE, count.keys)
    cells = [
        numbers.value(group, variable, stat, level=level, digits=digits)
        for stat in ("recovered", "followed", "median")
    ]
    text = f"{cells[0].text}/{cells[1].text}; {cells[2].text}"
    return Cell(text, tuple(key for cell in cells for key in cell.keys))


def _interval(numbers: Numbers, place: Mapping[str, str], group: str) -> Cell:
    if group != TOTAL and numbers.row("lower", group=group, **place) is None:
        return Cell(DASH)
    if _has(numbers, "recovered", place):
        return numbers.interval(group, place["variable"], level=place["level"], digits=0, factor=1.0)
    return numbers.interval(group, place["variable"], level=place["level"])


def _one_sided(numbers: Numbers, place: Mapping[str, str], group: str) -> Cell:
    if numbers.row("one_sided", group=group, **place) is None:
        return Cell(DASH)
    return numbers.value(group, place["variable"], "one_sided", level=place["level"], digits=1, factor=100.0)
