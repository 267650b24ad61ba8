"""Table: what is printed, cell by cell, each number with the ids of its results."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from interim.display.markup import table_html
from interim.errors import ReportError

FORMAT = 1
BLOCK = "application/vnd.interim.block+json"
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text : str
        As printed.
    keys : tuple of str
        Result ids of the numbers in it.
    """

    text: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """One header cell.

    Attributes
    ----------
    text : str
        As printed.
    span : int
        Number of columns.
    keys : tuple of str
        Result ids of the numbers in it.
    """

    text: str
    span: int = 1
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row: its first cell is the stub.

    Attributes
    ----------
    cells : tuple of Cell
        As many as there are columns; one for a section.
    indent : int
        Depth of the stub.
    kind : {"data", "section"}
        A section is a heading across all columns.
    """

    cells: tuple[Cell, ...]
    indent: int = 0
    kind: Literal["data", "section"] = "data"


@dataclass(frozen=True)
class Table:
    """A printed table; frozen, shown by Jupyter, carried to the report as a content block.

    Attributes
    ----------
    title, population : str
        Printed above it.
    header : tuple of tuple of Head
        Header rows; each covers all columns.
    rows : tuple of Row
        Body.
    widths : tuple of float
        Relative widths of the columns.
    align : tuple of str
        left, right or center of each column.
    footnotes, labels : tuple of str
        Notes below it, labels such as SYNTHETIC.
    orientation : {"portrait", "landscape"}
        Of its page.
    id : str
        Registry id such as ``T 14.2.2.1``; empty until the report gives it.

    Raises
    ------
    ReportError
        If a row or the header does not fit the columns, a cell is empty, or a number has no result id.
    """

    title: str
    population: str
    header: tuple[tuple[Head, ...], ...]
    rows: tuple[Row, ...]
    widths: tuple[float, ...]
    align: tuple[str, ...]
    footnotes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    orientation: Literal["portrait", "landscape"] = "portrait"
    id: str = ""

    def __post_init__(self) -> None:
        """Check the shape, and that every number leads to a result."""
        width = len(self.widths)
        problems = [f"{len(self.align)} alignments for {width} columns"] if len(self.align) != width else []
        problems += [
            f"header row {i} covers {sum(head.span for head in row)} of {width} columns"
            for i, row in enumerate(self.header, 1)
            if sum(head.span for head in row) != width
        ]
        for row in self.rows:
            problems += _row_problems(row, width)
        if problems:
            raise ReportError(f"table {self.id or self.title!r}: " + "; ".join(problems[:5]))

    def with_id(
        self,
        id: str,
        *,
        title: str | None = None,
        population: str | None = None,
        footnotes: Sequence[str] = (),
        labels: Sequence[str] = (),
    ) -> Table:
        """Return a copy with the id and texts of the registry.

        Parameters
        ----------
        id : str
            Registry id.
        title, population : str, optional
            Replace those of the question.
        footnotes, labels : sequence of str
            Follow those that the table has.

        Returns
        -------
        Table
            The completed copy; a table without rows says in one that there is no record.

        Raises
        ------
        None
        """
        return replace(
            self,
            id=id,
            title=self.title if title is None else title,
            population=self.population if population is None else population,
            footnotes=(*self.footnotes, *footnotes),
            labels=(*self.labels, *labels),
            rows=self.rows or (_no_record(len(self.widths)),),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """Result ids of all numbers, each once, in printed order."""
        heads = [key for row in self.header for head in row for key in head.keys]
        cells = [key for row in self.rows for cell in row.cells for key in cell.keys]
        return tuple(dict.fromkeys([*heads, *cells]))

    def block(self) -> dict[str, Any]:
        """Return the content block that the report's writers read.

        Returns
        -------
        dict
            JSON values only.

        Raises
        ------
        None
        """
        return {
            "format": FORMAT,
            "kind": "table",
            "id": self.id,
            "title": self.title,
            "population": self.population,
            "header": [
                [{"text": h.text, "span": h.span, "keys": list(h.keys)} for h in row] for row in self.header
            ],
            "rows": [
                {
                    "kind": row.kind,
                    "indent": row.indent,
                    "cells": [{"text": cell.text, "keys": list(cell.keys)} for cell in row.cells],
                }
                for row in self.rows
            ],
            "align": list(self.align),
            "widths": list(self.widths),
            "orientation": self.orientation,
            "footnotes": list(self.footnotes),
            "labels": list(self.labels),
        }

    def text(self) -> str:
        """Return the table as plain text.

        Returns
        -------
        str
            Columns padded with blanks.

        Raises
        ------
        None
        """
        body = [
            ["  " * row.indent + row.cells[0].text, *(c.text for c in row.cells[1:])] for row in self.rows
        ]
        heads = [
            [part for head in row for part in (head.text, *[""] * (head.span - 1))] for row in self.header
        ]
        flat = [[text.replace("\n", " ") for text in row] for row in (*heads, *body)]
        sizes = [
            max((len(row[i]) for row in flat if len(row) > i and len(row) > 1), default=0)
            for i in range(len(self.widths))
        ]
        lines = [
            "  ".join(text.ljust(size) for text, size in zip(row, sizes, strict=False)).rstrip()
            for row in flat
        ]
        head = " ".join(
            filter(None, [self.id, self.title, f"({self.population})" if self.population else ""])
        )
        return "\n".join([head, *lines, *self.footnotes, *self.labels])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return the representations that a notebook stores."""
        block = self.block()
        return {"text/plain": self.text(), "text/html": table_html(block), BLOCK: written(block)}


def written(block: Mapping[str, Any]) -> str:
    """Return a block as a notebook stores it: one JSON text, which papermill copies, checks and writes as a whole.

    Parameters
    ----------
    block : mapping
        What ``block()`` of a display object gives.

    Returns
    -------
    str
        On one line, keys sorted.

    Raises
    ------
    TypeError, ValueError
        If a value has no form in JSON.

    Examples
    --------
    >>> written({"kind": "table", "id": "T 14.1.1"})
    '{"id":"T 14.1.1","kind":"table"}'
    """
    return json.dumps(block, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _no_record(columns: int) -> Row:
    return Row((Cell("No record"), *[Cell("–")] * (columns - 1)))


def _row_problems(row: Row, width: int) -> list[str]:
    stub = row.cells[0].text if row.cells else ""
    expected = 1 if row.kind == "section" else width
    if len(row.cells) != expected:
        return [f"row {stub!r} has {len(row.cells)} cells, expected {expected}"]
    problems = [f"row {stub!r} has an empty cell" for cell in row.cells if not cell.text.strip()]
    loose = [cell.text for cell in row.cells[1:] if _DIGIT.search(cell.text) and not cell.keys]
    return problems + [f"row {stub!r}: {text!r} has no result id" for text in loose]
