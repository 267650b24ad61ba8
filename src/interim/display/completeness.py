"""Completeness of the assessments: a row per planned visit, a column per assessment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from interim.display.labels import word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_VISIT = "visit"
_NOTES = (
    "Done of expected; in brackets: done outside the window of the visit. A dash: not planned at the visit.",
    "Days off: median (range) of the date of the visit from its planned day. Visits are rows because a page holds no column for each.",
)


def table_completeness(result: Result, study: Study) -> Table:
    """Show the assessments that were done of those expected, by planned visit.

    Parameters
    ----------
    result : Result
        ``completeness.by_visit``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A dash where the visit does not plan the assessment; the reason in a row if there are no planned visits.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    names = numbers.variables()
    visits = [level for level in numbers.levels(_VISIT) if level]
    heads = ["Visit", *(word("assessments", name) for name in names), "Days off"]
    rows = [Row((Cell(word("visits", visit)), *_cells(numbers, visit, names))) for visit in visits]
    table = plain_table(
        numbers,
        header=heads,
        rows=rows or [_absent(numbers, len(heads))],
        widths=[1.5, *[1.1] * (len(names) + 1)],
        align=["left", *["right"] * (len(names) + 1)],
        landscape=True,
    )
    return replace(table, footnotes=(*_NOTES, *_gone(numbers, names), *table.footnotes))


def _gone(numbers: Numbers, names: tuple[str, ...]) -> Iterator[str]:
    """Yield why an assessment has no numbers at all."""
    for name in names:
        levels = numbers.levels(name, stat="rate")
        reasons = {numbers.absence(name, stat="rate", level=level) for level in levels if level}
        if len(reasons) == 1 and "" not in reasons:
            yield f"{word('assessments', name)}: {reasons.pop()}."


def _cells(numbers: Numbers, visit: str, names: tuple[str, ...]) -> tuple[Cell, ...]:
    return (*(_done(numbers, name, visit) for name in names), _off(numbers, visit))


def _done(numbers: Numbers, name: str, visit: str) -> Cell:
    """Return done of expected, and in brackets how many of them were outside the window."""
    rate, expected = (
        numbers.rate(TOTAL, name, level=visit),
        numbers.row("expected", variable=name, level=visit),
    )
    done = rate if expected is None else Cell(rate.text, (*rate.keys, str(expected["result_id"])))
    out = numbers.row("out", variable=name, level=visit)
    if out is None or not out["value"]:
        return done
    return Cell(f"{done.text} [{int(out['value'])}]", (*done.keys, str(out["result_id"])))


def _off(numbers: Numbers, visit: str) -> Cell:
    stats = [numbers.value(TOTAL, _VISIT, stat, level=visit, digits=0) for stat in ("median", "min", "max")]
    if stats[0].text == DASH or not any(map(str.isdigit, stats[0].text)):
        return stats[0]
    median, low, high = (cell.text for cell in stats)
    return Cell(f"{median} ({low}, {high})", tuple(key for cell in stats for key in cell.keys))


def _absent(numbers: Numbers, columns: int) -> Row:
    row = numbers.need("rate", variable=_VISIT)
    reason = str(row["reason"])
    text = reason[:1].upper() + reason[1:]
    return Row((Cell(text, (str(row["result_id"]),)), *[Cell(DASH)] * (columns - 1)))
