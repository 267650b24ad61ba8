"""Immune toxicity: tables of cytokine release and neurotoxicity, and the agreement of the scales."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interim.display.infusions import spread_cell
from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.numbers import Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_SPREAD = ("onset", "duration", "ice", "toci_doses", "steroid_days", "dexamethasone")
_INSIDE = ("toci_doses", "steroid_days", "dexamethasone", "dexamethasone_unknown")
_GRADES = ("0", "1", "2", "3", "4", "5", "missing")


def table_immune_toxicity(result: Result, study: Study) -> Table:
    """Show cytokine release syndrome or neurotoxicity by dose.

    Parameters
    ----------
    result : Result
        ``toxicity.crs`` or ``toxicity.icans``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per actual dose.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    lines = [line for variable in numbers.variables() for line in _lines(numbers, variable)]
    return cohort_table(
        numbers, lines, footnotes=(word("immune_notes", "table"), word("immune_notes", "treatment"))
    )


def _lines(numbers: Numbers, variable: str) -> Iterator[Line]:
    text = word("immune", variable)
    absent = absent_line(numbers, text, variable)
    if absent:
        yield absent
        return
    if variable in _SPREAD:
        yield Line(text, partial(spread_cell, numbers, variable), int(variable in _INSIDE))
        return
    whole = "" in numbers.levels(variable)
    cell = partial(numbers.count, variable=variable) if whole else None
    yield Line(text, cell, int(variable in _INSIDE))
    for level in filter(None, numbers.levels(variable)):
        name = word("infusion", level) if variable == "phase" else word("lab_grade", level)
        yield Line(name, partial(numbers.count, variable=variable, level=level), 1)


def table_crs_concordance(result: Result, study: Study) -> Table:
    """Show CTCAE against ASTCT grade of cytokine release, reported and derived.

    Parameters
    ----------
    result : Result
        ``toxicity.crs_concordance``.
    study : Study
        Rounding, trigger grade.

    Returns
    -------
    Table
        Rows by CTCAE grade, columns by ASTCT grade, in episodes.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    for variable in ("reported", "derived"):
        row = numbers.row("astct 1", variable=variable, level="1")
        if row is None:
            continue
        reason = f" – {row['reason']}" if row["status"] == "NA" else ""
        rows.append(Row((Cell(f"{word('concordance', variable)}{reason}"),), kind="section"))
        rows += [] if reason else [_grade_row(numbers, variable, grade) for grade in _GRADES]
    return plain_table(
        numbers,
        header=("CTCAE v5.0 grade", *(f"ASTCT {word('lab_grade', grade)}" for grade in _GRADES)),
        rows=[*rows, *_direction_rows(numbers)],
        widths=(3.0, *[1.0] * len(_GRADES)),
        align=("left", *["right"] * len(_GRADES)),
    )


def _grade_row(numbers: Numbers, variable: str, grade: str) -> Row:
    cells = [numbers.plain(TOTAL, variable, level=grade, stat=f"astct {column}") for column in _GRADES]
    return Row((Cell(word("lab_grade", grade)), *cells), 1)


def _direction_rows(numbers: Numbers) -> Iterator[Row]:
    """Yield one line per scale with the episodes by direction, and one with those that the trigger depends on."""
    for variable in ("direction_ctcae", "direction_astct"):
        cells = {level: numbers.plain(TOTAL, variable, level=level) for level in numbers.levels(variable)}
        if cells:
            text = "; ".join(f"{word('direction_grade', level)} {cell.text}" for level, cell in cells.items())
            keys = tuple(key for cell in cells.values() for key in cell.keys)
            yield Row((Cell(f"{word('concordance', variable)}: {text}", keys),), kind="section")
    if numbers.row("n", variable="trigger_differs") is not None:
        cell = numbers.plain(TOTAL, "trigger_differs")
        yield Row(
            (Cell(f"{word('concordance', 'trigger_differs')}: {cell.text}", cell.keys),), kind="section"
        )
