"""Layout of tables with one column per cohort: header with sizes, lines, alignment and page orientation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from interim.display.labels import column_label
from interim.display.numbers import Numbers
from interim.display.table import Cell, Head, Row, Table

MOST_PORTRAIT_COLUMNS = 7
STUB_WIDTH = 3.0


@dataclass(frozen=True)
class Line:
    """One row to be: its stub and how the cell of each column is made.

    Attributes
    ----------
    text : str
        Stub.
    cell : callable, optional
        Column code -> Cell; None makes a section heading.
    indent : int
        Depth of the stub.
    """

    text: str
    cell: Callable[[str], Cell] | None = None
    indent: int = 0


def cohort_table(
    numbers: Numbers,
    lines: Iterable[Line],
    *,
    stub: str = " ",
    footnotes: Sequence[str] = (),
    groups: Sequence[str] | None = None,
) -> Table:
    """Return a table with one column per cohort and the total.

    Parameters
    ----------
    numbers : Numbers
        The Result; its sizes stand in the header.
    lines : iterable of Line
        Rows in order.
    stub : str
        Head of the first column.
    footnotes : sequence of str
        Notes of its own, before those of the Result.
    groups : sequence of str, optional
        Columns; default all for which the Result states a size.

    Returns
    -------
    Table
        Landscape if it has more columns than a portrait page carries.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    columns = tuple(groups or numbers.groups)
    sizes = [numbers.size(group) for group in columns]
    heads = [
        Head(f"{column_label(group, numbers.study)}\n{size.text}", keys=size.keys)
        for group, size in zip(columns, sizes, strict=True)
    ]
    rows = tuple(made(line, columns) for line in lines)
    return Table(
        title=numbers.result.title,
        population=numbers.result.population,
        header=((Head(stub), *heads),),
        rows=rows,
        widths=(STUB_WIDTH, *(1.0 for _ in columns)),
        align=("left", *("right" for _ in columns)),
        footnotes=notes(numbers, *footnotes),
        orientation=orientation(len(columns)),
    )


def notes(numbers: Numbers, *own: str) -> tuple[str, ...]:
    """Return the footnotes of a table by cohort.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    *own : str
        Notes of the table itself.

    Returns
    -------
    tuple of str
        The table's own, a note if assigned and actual dose differ for someone, those of the Result.

    Raises
    ------
    None
    """
    moved = numbers.row("n", variable="population_moved")
    if moved is None:
        return (*own, *numbers.result.footnotes)
    columns = "actual" if moved["group_var"] == "COHORTA" else "assigned"
    text = f"Participants whose assigned and actual dose level differ: {int(moved['n'])} of {int(moved['N'])}; columns by {columns} dose."
    return (*own, text, *numbers.result.footnotes)


def made(line: Line, columns: Sequence[str]) -> Row:
    """Return the row of a line.

    Parameters
    ----------
    line : Line
        Stub and cells.
    columns : sequence of str
        Column codes.

    Returns
    -------
    Row
        A section if the line has no cells.

    Raises
    ------
    None
    """
    if line.cell is None:
        return Row((Cell(line.text),), line.indent, "section")
    return Row((Cell(line.text), *(line.cell(group) for group in columns)), line.indent)


def orientation(columns: int) -> Literal["portrait", "landscape"]:
    """Return the page orientation for a number of columns beside the stub.

    Parameters
    ----------
    columns : int
        Number of columns.

    Returns
    -------
    {"portrait", "landscape"}
        Of the page.

    Raises
    ------
    None
    """
    return "portrait" if columns < MOST_PORTRAIT_COLUMNS else "landscape"


def absent_line(
    numbers: Numbers, text: str, variable: str, *, stat: str = "n", indent: int = 0
) -> Line | None:
    """Return the line of a number that is not available in any column: the reason stands in the stub.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    text : str
        Stub without the reason.
    variable, stat : str
        Place of the rows.
    indent : int
        Depth of the stub.

    Returns
    -------
    Line or None
        None if the number is available.

    Raises
    ------
    None
    """
    reason = numbers.absence(variable, stat=stat)
    if not reason:
        return None
    return Line(f"{text} – {reason}", lambda group: numbers.count(group, variable, stat=stat), indent)


def plain_table(
    numbers: Numbers,
    *,
    header: Sequence[str],
    rows: Sequence[Row],
    widths: Sequence[float],
    align: Sequence[str],
    landscape: bool = False,
) -> Table:
    """Return a table whose columns are not cohorts.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    header : sequence of str
        Column heads.
    rows : sequence of Row
        Body.
    widths, align : sequence
        Of the columns.
    landscape : bool
        Orientation of the page.

    Returns
    -------
    Table
        With title, population and footnotes of the Result.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    return Table(
        title=numbers.result.title,
        population=numbers.result.population,
        header=(tuple(Head(text) for text in header),),
        rows=tuple(rows),
        widths=tuple(widths),
        align=tuple(align),
        footnotes=numbers.result.footnotes,
        orientation="landscape" if landscape else "portrait",
    )
