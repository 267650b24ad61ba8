"""Listings: tables of records whose columns are described in ``listings.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from interim.display.labels import column_label, participant_label, word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_RECORD, _RECORDS = "record", "records"


@cache
def _layouts() -> dict[str, Any]:
    return tomllib.loads(files("interim.display").joinpath("listings.toml").read_text(encoding="utf-8"))


def table_listing(result: Result, study: Study) -> Table:
    """Show a listing: one row per record.

    Parameters
    ----------
    result : Result
        Rows as `interim.analysis.listing.add_records` writes them.
    study : Study
        Labels of participants and doses, rounding.

    Returns
    -------
    Table
        Columns, heads, widths and the note below as ``listings.toml`` says; one row with the reason if there is no record. Where the listing
        has a note ``absent``, a column that no record fills is left out and named in it.

    Raises
    ------
    KeyError
        If the listing is not described.
    """
    numbers = Numbers(result, study)
    layout = _layouts()[result.analysis_id]
    levels = numbers.levels(_RECORD, stat="participant")
    columns, gone = _collected(result, layout) if levels else (layout["columns"], [])
    rows = [Row(tuple(_cell(numbers, column, level) for column in columns)) for level in levels]
    table = plain_table(
        numbers,
        header=[column["head"] for column in columns],
        rows=rows or [_nothing(numbers, len(columns))],
        widths=[column.get("width", 1.0) for column in columns],
        align=_alignment(columns),
        landscape=layout.get("landscape", True),
    )
    notes = (layout.get("note", ""), layout["absent"].format(heads="; ".join(gone)) if gone else "")
    return replace(table, footnotes=(*table.footnotes, *filter(None, notes)))


def _collected(result: Result, layout: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return the columns that are shown, and the heads of those that no record fills, where these are left out."""
    columns = list(layout["columns"])
    if "absent" not in layout:
        return columns, []
    rows = result.where(variable=_RECORD)
    said = rows["value"].notna() | (rows["text"].notna() & (rows["text"] != ""))
    there = set(rows.loc[said, "stat"])
    kept = [column for column in columns if column["stat"] in there]
    return kept, [column["head"] for column in columns if column["stat"] not in there]


def _alignment(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the alignment of the columns: numbers to the right, but centred where a text follows them closely."""
    numeric = ["digits" in column for column in columns]
    follows = [*numeric[1:], True]
    return [
        ("right" if after else "center") if number else "left"
        for number, after in zip(numeric, follows, strict=True)
    ]


def _cell(numbers: Numbers, column: Mapping[str, Any], level: str) -> Cell:
    stat = column["stat"]
    row = numbers.row(stat, variable=_RECORD, level=level)
    if row is None or row["status"] == "NA":
        return Cell(DASH, () if row is None else (row["result_id"],))
    if "digits" in column:
        return numbers.value(TOTAL, _RECORD, stat, level=level, digits=column["digits"])
    text = str(row["text"])
    return Cell(_word(numbers.study, column, text) or DASH, (row["result_id"],))


def _word(study: Study, column: Mapping[str, Any], text: str) -> str:
    if column["stat"] == "participant":
        return participant_label(text, study)
    if column["stat"] == "dose":
        return column_label(text, study)
    return word(column["words"], text) if text and "words" in column else text


def _nothing(numbers: Numbers, columns: int) -> Row:
    row = numbers.row("n", variable=_RECORDS)
    reason = str(row["reason"]) if row is not None and row["reason"] else "no record"
    key = () if row is None else (row["result_id"],)
    return Row((Cell(reason[:1].upper() + reason[1:], key), *[Cell(DASH)] * (columns - 1)))
