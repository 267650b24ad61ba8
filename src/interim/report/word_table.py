"""Tables of the Word file: header rows that repeat, rows that do not split, widths and letter size fitted to the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from interim.report.columns import INDENT_MM, Fit, fit
from interim.report.content import HeaderCell, Row, Table
from interim.report.heights import Heights, heights, last_rows
from interim.report.word_xml import node, paragraph, text_run, twips

_STYLE_SIZE = 9.0
_SHORT, _SHORT_PART = 15, 0.6  # rows, and of a page as it is told
_LAST_ROWS = 2


def table_xml(table: Table, width_mm: float, high_mm: float) -> str:
    """Return a table.

    Parameters
    ----------
    table : Table
        The table.
    width_mm : float
        Width of the page between its margins.
    high_mm : float
        Its height.

    Returns
    -------
    str
        ``w:tbl``.

    Raises
    ------
    None

    Notes
    -----
    A short table is kept on one page by keeping each row with the next one; the last rows of a longer one stay together and
    with its notes.
    """
    fitted = fit(table, width_mm)
    widths = [twips(width) for width in fitted.widths]
    kept = _kept(table, heights(table, fitted), high_mm)
    heads = [_head(row, table, widths, fitted, last=row is table.header[-1]) for row in table.header]
    body = [_row(row, table, widths, fitted, keep=number in kept) for number, row in enumerate(table.rows, 1)]
    grid = node("tblGrid", *(node("gridCol", w=width) for width in widths))
    return node("tbl", _properties(table, sum(widths)), grid, *heads, *body)


def _kept(table: Table, found: Heights, high_mm: float) -> range:
    """Return the numbers of the rows that are kept with what follows: all of a short table, else the last ones."""
    notes = bool(table.footnotes or table.labels)
    count = len(table.rows)
    short = count <= _SHORT and found.whole < high_mm * _SHORT_PART
    first = 1 if short else max(1, count + 1 - max(_LAST_ROWS, last_rows(table, found, high_mm)))
    return range(first, count + 1 if notes else count)


def _properties(table: Table, width: int) -> str:
    return node(
        "tblPr",
        node("tblStyle", val="InterimTable"),
        node("tblW", w=width, type="dxa"),
        node("tblLayout", type="fixed"),
        node(
            "tblLook",
            val="0420",
            firstRow="1",
            lastRow="0",
            firstColumn="0",
            lastColumn="0",
            noHBand="0",
            noVBand="1",
        ),
        node("tblCaption", val=f"{table.label} {table.title}"),
    )


def _head(row: Sequence[HeaderCell], table: Table, widths: Sequence[int], fitted: Fit, *, last: bool) -> str:
    cells = []
    column = 0
    for head in row:
        side = "center" if head.span > 1 else table.align[column]
        lined = last or (head.span > 1 and head.text.strip())
        content = paragraph("TableHead", _text(head.text, fitted), properties=[node("jc", val=side)])
        cells.append(
            _cell(
                content,
                sum(widths[column : column + head.span]),
                head.span,
                foot="4" if lined else None,
                place="bottom",
            )
        )
        column += head.span
    return node("tr", node("trPr", node("cantSplit"), node("tblHeader")), *cells)


def _row(row: Row, table: Table, widths: Sequence[int], fitted: Fit, *, keep: bool) -> str:
    cells = list(_cells(row, table, widths, fitted, keep=keep))
    return node("tr", node("trPr", node("cantSplit")), *cells)


def _cells(row: Row, table: Table, widths: Sequence[int], fitted: Fit, *, keep: bool) -> Iterator[str]:
    if row.kind == "section":
        content = paragraph("TableHead", _text(row.cells[0].text, fitted))
        yield _cell(content, sum(widths), len(widths))
        return
    for column, cell in enumerate(row.cells):
        properties = _text_properties(keep, row.indent if column == 0 else 0, table.align[column])
        yield _cell(paragraph("TableText", _text(cell.text, fitted), properties=properties), widths[column])


@lru_cache(maxsize=4096)
def _text_properties(keep: bool, indent: int, align: str) -> tuple[str, ...]:
    kept = (node("keepNext"),) if keep else ()
    indented = (node("ind", left=twips(indent * INDENT_MM)),) if indent else ()
    return (*kept, *indented, node("jc", val=align))


def _cell(
    content: str, width: int, span: int = 1, *, foot: str | None = None, place: str | None = None
) -> str:
    return f"<w:tc>{_cell_properties(width, span, foot, place)}{content}</w:tc>"


@lru_cache(maxsize=4096)
def _cell_properties(width: int, span: int, foot: str | None, place: str | None) -> str:
    properties = [node("tcW", w=width, type="dxa")]
    if span > 1:
        properties.append(node("gridSpan", val=span))
    if foot:
        properties.append(node("tcBorders", node("bottom", val="single", sz=foot, space="0", color="1B2430")))
    if place:
        properties.append(node("vAlign", val=place))
    return node("tcPr", *properties)


def _text(text: str, fitted: Fit) -> str:
    if fitted.size == _STYLE_SIZE:
        return text_run(text)
    return text_run(text, *_size(round(fitted.size * 2)))


@lru_cache(maxsize=64)
def _size(half_points: int) -> tuple[str, str]:
    return node("sz", val=half_points), node("szCs", val=half_points)
