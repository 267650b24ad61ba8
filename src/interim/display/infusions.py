"""Infusions: tables of infusions and amounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import DASH, NO_VALUE, Numbers
from interim.display.rounding import decimal_text
from interim.display.table import Cell, Table
from interim.result import Result
from interim.study import Study

_RATIOS = ("ratio_planned", "ratio_of", "ratio_total")
_SCIENTIFIC = ("cells", "cells_kg", "cells_total", "cells_kg_total", "cells_of")
_DIGITS = dict.fromkeys((*_RATIOS, *_SCIENTIFIC), 2) | {"dexamethasone": 1, "dwell": 1, "weight": 1}


def spread_cell(numbers: Numbers, variable: str, group: str, *, level: str = "") -> Cell:
    """Return number, median and range of a variable.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    variable : str
        Variable of the rows.
    group : str
        Column.
    level : str
        Level of the rows.

    Returns
    -------
    Cell
        ``n; median (min, max)``; ``n=0`` for an empty column, so that nobody reads a value of zero.

    Raises
    ------
    None
    """
    count = numbers.plain(group, variable, level=level)
    if count.text == DASH:
        return count
    if count.text == "0":
        return Cell(NO_VALUE, count.keys)
    cells = [_value(numbers, (group, variable, level), stat) for stat in ("median", "min", "max")]
    text = f"{count.text}; {cells[0].text} ({cells[1].text}, {cells[2].text})"
    return Cell(text, (*count.keys, *(key for cell in cells for key in cell.keys)))


def _value(numbers: Numbers, place: tuple[str, str, str], stat: str) -> Cell:
    group, variable, level = place
    if variable in _SCIENTIFIC:
        row = numbers.need(stat, group=group, variable=variable, level=level)
        if row["status"] not in ("OK", "FLAG"):
            return numbers.value(group, variable, stat, level=level)
        return Cell(_scientific(numbers, float(row["value"])), (row["result_id"],))
    return numbers.value(group, variable, stat, level=level, digits=_DIGITS.get(variable, 0))


def _scientific(numbers: Numbers, value: float) -> str:
    """Return an amount as mantissa and exponent, the mantissa rounded as every other number."""
    mantissa, _, exponent = f"{value:.15e}".partition("e")
    guard = numbers.study.rounding.guard_digits
    text = decimal_text(float(mantissa), digits=2, mode=numbers.mode, guard_digits=guard)
    return f"1.00e{int(exponent) + 1}" if text == "10.00" else f"{text}e{int(exponent)}"


def table_exposure(result: Result, study: Study) -> Table:
    """Show the exposure to one product.

    Parameters
    ----------
    result : Result
        ``infusions.nk_exposure`` or ``infusions.cart_exposure``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per actual dose, on a landscape page: amounts need room.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    lines = [line for variable in numbers.variables() for line in _lines(numbers, variable)]
    table = cohort_table(numbers, lines, footnotes=("Amounts: number of values; median (range).",))
    return replace(table, orientation="landscape")


def _lines(numbers: Numbers, variable: str) -> Iterator[Line]:
    text = word("infusions", variable)
    absent = absent_line(numbers, text, variable)
    levels = [level for level in numbers.levels(variable) if level]
    if absent:
        yield absent
    elif not levels:
        amount = numbers.row("median", variable=variable) is not None
        count = partial(numbers.count, variable=variable)
        yield Line(text, partial(spread_cell, numbers, variable) if amount else count)
    else:
        yield Line(text)
        for level in levels:
            amount = numbers.row("median", variable=variable, level=level) is not None
            spread = partial(spread_cell, numbers, variable, level=level)
            count = partial(numbers.count, variable=variable, level=level)
            yield Line(_level(variable, level), spread if amount else count, 1)


def _level(variable: str, level: str) -> str:
    if variable == "within_planned":
        return f"within {100 * float(level):g} % of the planned dose"
    codelist = {"phase": "infusion", "source": "nk_source", "given": "infusion"}.get(variable)
    return word(codelist, level) if codelist else level
