"""Listings of response and time to event: a row per time point, a row per participant and endpoint."""

from __future__ import annotations

from interim.display.labels import participant_label, word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_VALUES = ("target", "nontarget", "new", "overall", "other", "irecist", "best", "used")
_YES_NO = {"Y": "yes", "N": "no"}


def table_time_points(result: Result, study: Study) -> Table:
    """List the response of every time point with its reasons.

    Parameters
    ----------
    result : Result
        ``response_listing.time_points``.
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
    for level in numbers.levels("point", stat="participant"):
        subject = numbers.words(TOTAL, "point", "participant", level=level)
        values = [numbers.words(TOTAL, "point", stat, level=level) for stat in _VALUES]
        rows.append(
            Row(
                (
                    Cell(participant_label(subject.text, study), subject.keys),
                    numbers.value(TOTAL, "point", "day", level=level, digits=0),
                    _cased(numbers.words(TOTAL, "point", "evaluator", level=level)),
                    *(_answer(value) for value in values),
                    numbers.words(TOTAL, "point", "reason", level=level),
                )
            )
        )
    header = (
        "Participant",
        "Day",
        "Evaluator",
        "Target",
        "Non-target",
        "New lesion",
        "Overall",
        "Other route",
        "iRECIST",
        "Best",
        "Used",
        "Reason",
    )
    return plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, "points", len(header))],
        widths=(1.3, 0.7, 1.4, 0.8, 1.3, 0.8, 1.1, 1.0, 1.2, 0.9, 0.7, 3.8),
        align=("left", "right", *["left"] * (len(header) - 2)),
        landscape=True,
    )


def _answer(cell: Cell) -> Cell:
    return Cell(_YES_NO.get(cell.text, DASH if cell.text == "-" else cell.text), cell.keys)


def _cased(cell: Cell) -> Cell:
    return Cell(cell.text.capitalize(), cell.keys)


def _none(numbers: Numbers, variable: str, columns: int) -> Row:
    row = numbers.row("n", variable=variable)
    reason = str(row["reason"]) if row is not None and row["reason"] else "no record"
    return Row((Cell(reason[:1].upper() + reason[1:]), *[Cell(DASH)] * (columns - 1)))


def table_derivations(result: Result, study: Study) -> Table:
    """List how every progression-free survival, overall survival and duration of response was derived.

    Parameters
    ----------
    result : Result
        ``response_listing.derivations``.
    study : Study
        Participant labels.

    Returns
    -------
    Table
        Days from the first infusion.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = []
    for level in numbers.levels("row", stat="participant"):
        subject, endpoint, reason = (
            numbers.words(TOTAL, "row", stat, level=level) for stat in ("participant", "endpoint", "reason")
        )
        rows.append(
            Row(
                (
                    Cell(participant_label(subject.text, study), subject.keys),
                    endpoint,
                    *(
                        numbers.value(TOTAL, "row", stat, level=level, digits=0)
                        for stat in ("start", "end", "days")
                    ),
                    Cell(word("tte", reason.text), reason.keys),
                    numbers.words(TOTAL, "row", "rule", level=level),
                    numbers.words(TOTAL, "row", "source", level=level),
                    numbers.value(TOTAL, "row", "free", level=level, digits=0),
                )
            )
        )
    header = (
        "Participant",
        "Endpoint",
        "Start",
        "End",
        "Days",
        "Reason",
        "Rule",
        "Source",
        "End without rules",
    )
    return plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, "rows", len(header))],
        widths=(1.3, 1.0, 0.7, 0.7, 0.7, 2.6, 1.4, 1.6, 1.0),
        align=("left", "left", "right", "right", "right", "left", "left", "left", "right"),
        landscape=True,
    )
