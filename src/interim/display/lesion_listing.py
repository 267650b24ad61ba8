"""Listings of lesions: a row per measurement of a target, a row per status of a non-target or new lesion."""

from __future__ import annotations

from dataclasses import replace

from interim.display.labels import participant_label, word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_TARGETS = (
    ("Participant", 1.3),
    ("Evaluator", 1.5),
    ("Lesion", 0.9),
    ("Site", 1.6),
    ("Day", 0.7),
    ("Diameter, mm", 1.1),
    ("Status", 1.7),
    ("Sum, mm", 1.0),
    ("Complete", 1.0),
    ("From baseline, %", 1.1),
    ("From nadir, %", 1.1),
    ("Record", 1.1),
)
_OTHERS = (
    ("Participant", 1.3),
    ("Evaluator", 1.5),
    ("Lesion", 1.0),
    ("Kind", 1.0),
    ("Site", 1.8),
    ("Day", 0.7),
    ("Status", 2.2),
    ("Record", 1.2),
)
_PARTIAL = (
    "A sum that is not complete lacks a lesion: its change may count as progression, but enters no nadir, no best change and no figure. "
    "At baseline there is no change."
)
_NUMERIC = ("Day", "Diameter, mm", "Sum, mm", "From baseline, %", "From nadir, %")


def table_target_lesions(result: Result, study: Study) -> Table:
    """List every target lesion at every time point.

    Parameters
    ----------
    result : Result
        ``lesion_listing.targets``.
    study : Study
        Participant labels, rounding.

    Returns
    -------
    Table
        Landscape; days from the first infusion.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = [_target(numbers, level) for level in numbers.levels("record", stat="participant")]
    table = _listing(numbers, _TARGETS, rows)
    return replace(table, footnotes=(_PARTIAL, *table.footnotes))


def _target(numbers: Numbers, level: str) -> Row:
    status = numbers.words(TOTAL, "record", "status", level=level)
    return Row(
        (
            *_who(numbers, level),
            numbers.words(TOTAL, "record", "lesion", level=level),
            _dashed(numbers.words(TOTAL, "record", "site", level=level)),
            numbers.value(TOTAL, "record", "day", level=level, digits=0),
            numbers.value(TOTAL, "record", "mm", level=level, digits=1),
            Cell(word("lesion_status", status.text), status.keys),
            numbers.value(TOTAL, "record", "sum", level=level, digits=1),
            numbers.words(TOTAL, "record", "complete", level=level),
            numbers.value(TOTAL, "record", "pchg_base", level=level, digits=1),
            numbers.value(TOTAL, "record", "pchg_nadir", level=level, digits=1),
            numbers.words(TOTAL, "record", "source", level=level),
        )
    )


def table_other_lesions(result: Result, study: Study) -> Table:
    """List the status of every non-target and every new lesion at every time point.

    Parameters
    ----------
    result : Result
        ``lesion_listing.others``.
    study : Study
        Participant labels.

    Returns
    -------
    Table
        Landscape; days from the first infusion.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = []
    for level in numbers.levels("record", stat="participant"):
        lesion, role, site, status, source = (
            numbers.words(TOTAL, "record", stat, level=level)
            for stat in ("lesion", "role", "site", "status", "source")
        )
        day = numbers.value(TOTAL, "record", "day", level=level, digits=0)
        said = "Not evaluable" if status.text == "NE" else status.text.capitalize()
        cells = (lesion, role, _dashed(site), day, Cell(said, status.keys), source)
        rows.append(Row((*_who(numbers, level), *cells)))
    return _listing(numbers, _OTHERS, rows)


def _who(numbers: Numbers, level: str) -> tuple[Cell, Cell]:
    subject, evaluator = (
        numbers.words(TOTAL, "record", stat, level=level) for stat in ("participant", "evaluator")
    )
    label = participant_label(subject.text, numbers.study)
    return Cell(label, subject.keys), Cell(evaluator.text.capitalize(), evaluator.keys)


def _dashed(cell: Cell) -> Cell:
    return Cell(DASH if cell.text == "-" else cell.text.capitalize(), cell.keys)


def _listing(numbers: Numbers, columns: tuple[tuple[str, float], ...], rows: list[Row]) -> Table:
    heads = tuple(head for head, _ in columns)
    if not rows:
        row = numbers.row("n", variable="records")
        reason = str(row["reason"]) if row is not None and row["reason"] else "no record"
        rows = [Row((Cell(reason[:1].upper() + reason[1:]), *[Cell(DASH)] * (len(columns) - 1)))]
    return plain_table(
        numbers,
        header=heads,
        rows=rows,
        widths=tuple(width for _, width in columns),
        align=tuple("right" if head in _NUMERIC else "left" for head in heads),
        landscape=True,
    )
