"""Vital signs, electrocardiogram and performance status: tables of outliers and of the shift."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.numbers import Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_DAY_H = 24
_LONGEST_IN_HOURS = 72
_GRADES = ("0", "1", "2", "3", "4", "5")
_BASES = (*_GRADES, "missing")


def table_outliers(result: Result, study: Study) -> Table:
    """Show who was beyond the limits of vital signs or of the electrocardiogram, by dose.

    Parameters
    ----------
    result : Result
        ``vital_signs.marked`` or ``vital_signs.electrocardiogram``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per actual dose; under a limit the participants beyond it within hours and days after an infusion.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    lines = [line for code in numbers.variables() for line in _lines(numbers, code)]
    return cohort_table(numbers, lines)


def _lines(numbers: Numbers, code: str) -> Iterator[Line]:
    text = word("parameters", code)
    absent = absent_line(numbers, text, code)
    if absent:
        yield absent
        return
    yield Line(text)
    for level in numbers.levels(code):
        yield Line(_limit(level), partial(numbers.count, variable=code, level=level), 1)
        for stat in _windows(numbers, code, level):
            cell = partial(numbers.count, variable=code, level=level, stat=stat)
            yield Line(_window(int(stat.partition("_")[2])), cell, 2)


def _limit(level: str) -> str:
    """Return the words of a limit; a level without limit has words of its own."""
    side, limit, unit = (*level.split(" ", 2), "", "")[:3]
    return word("limits", side).format(limit=limit, unit=unit).strip()


def _windows(numbers: Numbers, code: str, level: str) -> list[str]:
    stats = (str(name) for name in numbers.result.frame["stat"].unique())
    return [s for s in stats if s.startswith("n_") and level in numbers.levels(code, stat=s)]


def _window(hours: int) -> str:
    if hours % _DAY_H or hours <= _LONGEST_IN_HOURS:
        return word("limits", "hours").format(number=hours)
    return word("limits", "days").format(number=hours // _DAY_H)


def table_ecog_shift(result: Result, study: Study) -> Table:
    """Show performance status at baseline against the worst and the last one.

    Parameters
    ----------
    result : Result
        ``vital_signs.ecog_shift``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        Two blocks, rows by grade at baseline, columns by grade after the first infusion.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    reason = numbers.absence("assessed", stat="n")
    rows = (
        [Row((Cell(reason[:1].upper() + reason[1:]),), kind="section")] if reason else list(_shift(numbers))
    )
    return plain_table(
        numbers,
        header=(word("performance", "baseline"), *(f"ECOG {grade}" for grade in _GRADES)),
        rows=rows,
        widths=(3.0, *[1.0] * len(_GRADES)),
        align=("left", *["right"] * len(_GRADES)),
    )


def _shift(numbers: Numbers) -> Iterator[Row]:
    counts = {stat: numbers.count(TOTAL, "assessed", stat=stat) for stat in ("n", "without", "rise")}
    text = word("performance", "assessed").format(**{stat: cell.text for stat, cell in counts.items()})
    yield Row((Cell(text, tuple(key for cell in counts.values() for key in cell.keys)),), kind="section")
    for variable in ("worst", "last"):
        yield Row((Cell(word("performance", variable)),), kind="section")
        for base in _BASES:
            cells = [numbers.count(TOTAL, variable, level=base, stat=f"to {grade}") for grade in _GRADES]
            if any(numbers.need(f"to {g}", variable=variable, level=base)["n"] for g in _GRADES):
                name = word("lab_grade", base) if base == "missing" else base
                yield Row((Cell(name), *cells), 1)
