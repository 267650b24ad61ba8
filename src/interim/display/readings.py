"""The readings of the registered text: the tipping table and the register."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from interim.display.escalation_listing import layouts, listing, summary_row
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_AMB, _OP = "AMB-", "OP-"
_TITLE = "Register of protocol ambiguities and the reading applied"


def table_readings(result: Result, study: Study) -> Table:
    """Show what every reading leads to.

    Parameters
    ----------
    result : Result
        ``readings.tipping``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per reading or combination; those that cannot be evaluated stay, with the reason.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    sizes = numbers.row("n", variable="flips")
    more = []
    if sizes is not None:
        share = Cell(f"{int(sizes['n'])}/{int(sizes['N'])}", (str(sizes["result_id"]),))
        columns = len(layouts()["tipping"]["columns"])
        more = [summary_row(columns, text="Readings that flip", cell=share)]
    notes = (
        "Flip: another MTD, next action, or number of DLT or evaluable participants than under the readings in force.",
    )
    return listing(numbers, "tipping", more=more, notes=notes)


def table_ambiguities(result: Result, study: Study) -> Table:
    """Show the register of ambiguities and open points.

    Parameters
    ----------
    result : Result
        ``readings.tipping``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per ambiguity with its readings below, then the open points.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    names = [name for name in numbers.variables() if name.startswith((_AMB, _OP))]
    rows = [row for name in names for row in _entry(numbers, name)]
    table = plain_table(
        numbers,
        header=("Point", "Text or reading", "Reading used", "Effect on results", "Basis", "Asked of"),
        rows=rows,
        widths=(1.5, 3.2, 2.4, 2.4, 1.6, 0.9),
        align=("left",) * 6,
        landscape=True,
    )
    return replace(table, title=_TITLE, population="")


def _entry(numbers: Numbers, name: str) -> Iterator[Row]:
    title = numbers.words(TOTAL, name, "title")
    point, used, basis, asked = (
        numbers.words(TOTAL, name, stat) for stat in ("point", "used", "basis", "asked_of")
    )
    yield Row((Cell(f"{name} {title.text}", title.keys), point, used, Cell(DASH), basis, asked))
    for level in filter(None, numbers.levels(name)):
        text, effect = (numbers.words(TOTAL, name, stat, level=level) for stat in ("text", "effect"))
        yield Row((Cell(level), text, Cell(DASH), effect, Cell(DASH), Cell(DASH)), indent=1)
