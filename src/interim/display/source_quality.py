"""Source data: missing results by variable and visit."""

from __future__ import annotations

from interim.display.labels import sentence_case, word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_STATS = ("expected", "observed", "missing", "blq", "not_done")
_UNMAPPED = "unmapped"


def table_missing_data(result: Result, study: Study) -> Table:
    """Show the missing results.

    Parameters
    ----------
    result : Result
        ``source_quality.missing_data``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A heading per variable, a row per visit; at the end the cells that a mapping could not read.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    empty = [Cell(DASH)] * len(_STATS)
    for variable in numbers.variables(stat="expected"):
        rows.append(Row((Cell(word("missing_data", variable)),), 0, "section"))
        visits = numbers.levels(variable, stat="expected")
        rows += [Row((Cell(sentence_case(visit)), *_cells(numbers, variable, visit)), 1) for visit in visits]
    rows.append(Row((Cell("Cells that the mapping could not read"),), 0, "section"))
    for column in numbers.levels(_UNMAPPED, stat="cells"):
        found = numbers.plain(TOTAL, _UNMAPPED, level=column, stat="cells")
        text = "All columns" if column == "total" else column
        rows.append(Row((Cell(text), *empty[:2], found, *empty[3:]), 1))
    return plain_table(
        numbers,
        header=("Variable and visit", "Expected", "Observed", "Missing", "Below the limit", "Not done"),
        rows=rows,
        widths=(2.6, 1.0, 1.3, 1.3, 1.3, 1.3),
        align=("left", *["right"] * len(_STATS)),
    )


def _cells(numbers: Numbers, variable: str, visit: str) -> list[Cell]:
    return [
        numbers.plain(TOTAL, variable, level=visit, stat=stat)
        if stat == "expected"
        else numbers.count(TOTAL, variable, level=visit, stat=stat)
        for stat in _STATS
    ]
