"""Dose finding: listings, one row per decision, assignment, event, reading or trigger."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from interim.display.labels import participant_label
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study


@cache
def layouts() -> dict[str, Any]:
    """Return the content of ``escalation.toml``.

    Returns
    -------
    dict
        Columns of the listings, words of their levels.

    Raises
    ------
    None
    """
    text = files("interim.display").joinpath("escalation.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def listing(
    numbers: Numbers,
    name: str,
    *,
    more: Sequence[Row] = (),
    notes: Sequence[str] = (),
    variables: Sequence[str] = (),
) -> Table:
    """Return a listing laid out as ``escalation.toml`` says.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    name : str
        Table of the file.
    more : sequence of Row
        Rows behind the listed ones.
    notes : sequence of str
        Footnotes of its own, before those of the Result.
    variables : sequence of str
        Further variables whose levels are listed behind those of the layout.

    Returns
    -------
    Table
        One row per level; one row with the reason if there is nothing to list.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    layout = layouts()[name]
    columns = layout["columns"]
    stats = [stat for stat, _, _ in columns]
    absent = numbers.row("n", variable=layout["variable"])
    if absent is not None and absent["status"] == "NA":
        rows = [Row((Cell(f"Not available: {absent['reason']}"), *[Cell(DASH)] * len(columns)))]
    else:
        rows = [
            _row(numbers, variable, level, stats)
            for variable in (layout["variable"], *variables)
            for level in filter(None, numbers.levels(variable))
        ]
    none = [Row((Cell("None"), *[Cell(DASH)] * len(columns)))]
    table = plain_table(
        numbers,
        header=(layout["stub"], *(head for _, head, _ in columns)),
        rows=[*(rows or none), *more],
        widths=(1.6 if len(layout["stub"]) > 1 else 0.6, *(width for _, _, width in columns)),
        align=("left", *("left" for _ in columns)),
        landscape=len(columns) > 4,
    )
    return replace(table, footnotes=(*notes, *table.footnotes))


def _row(numbers: Numbers, variable: str, level: str, stats: Sequence[str]) -> Row:
    cells = [_cell(numbers, variable, level, stat) for stat in stats]
    return Row((Cell(layouts()["words"].get(level, level)), *cells))


def _cell(numbers: Numbers, variable: str, level: str, stat: str) -> Cell:
    row = numbers.row(stat, variable=variable, level=level)
    if row is None:
        return Cell(DASH)
    if row["status"] == "NA":
        return Cell("not evaluable" if stat != "flips" else str(row["reason"]), (row["result_id"],))
    if not row["text"] and row["value"] == row["value"] and row["value"] is not None:
        return numbers.value(TOTAL, variable, stat, level=level, digits=2)
    text = str(row["text"] or DASH)
    return Cell(
        participant_label(text, numbers.study) if stat == "participant" else text, (row["result_id"],)
    )


def summary_row(columns: int, *, text: str, cell: Cell) -> Row:
    """Return a row that carries one number behind its stub.

    Parameters
    ----------
    columns : int
        Columns beside the stub.
    text : str
        Stub.
    cell : Cell
        The number.

    Returns
    -------
    Row
        The other cells hold a dash.

    Raises
    ------
    None
    """
    return Row((Cell(text), cell, *[Cell(DASH)] * (columns - 1)))


def table_decision_log(result: Result, study: Study) -> Table:
    """Show every dose decision beside the rule.

    Parameters
    ----------
    result : Result
        ``escalation_log.decision_log``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per decision, the state at the cut-off, the concordance.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    more = _matches(numbers, "decision_log", "concordance", "Concordant decisions")
    notes = (
        "Week 1: week of the first assignment. Facts as known strictly before each day; * a fact that became known later would change the rule's output. "
        "A dose below that of the rule counts as no concordance.",
    )
    return listing(numbers, "decision_log", more=more, notes=notes)


def _matches(numbers: Numbers, name: str, variable: str, text: str) -> list[Row]:
    row = numbers.row("rate", variable=variable)
    if row is None or row["status"] == "NA":
        return []
    columns = len(layouts()[name]["columns"])
    return [summary_row(columns, text=text, cell=numbers.rate(TOTAL, variable))]


def table_conformance(result: Result, study: Study) -> Table:
    """Show every assignment beside the rule, on the facts of that day and of today.

    Parameters
    ----------
    result : Result
        ``escalation_log.conformance``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per assignment and the share that matches.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    more = _matches(numbers, "conformance", "match", "Match")
    notes = (
        "Day 1: first assignment. Outcomes: N none, G trigger without DLT, T DLT, P pending, X not evaluable; a level and its participants in order. "
        "* another output of the rule with the facts of today.",
    )
    return listing(numbers, "conformance", more=more, notes=notes)


def table_dlt_details(result: Result, study: Study) -> Table:
    """Show the dose-limiting toxicities and their definition.

    Parameters
    ----------
    result : Result
        ``escalation_events.dlt_details``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per event; the definition verbatim in the notes.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rules = [
        f"{level}: {numbers.words(TOTAL, 'definition', 'text', level=level).text}"
        for level in numbers.levels("definition")
    ]
    notes = [
        f"Definition, not from the registered text (OP-3): {'; '.join(rules)}. +: ongoing at the cut-off."
    ]
    absent = numbers.row("n", variable="adjudication")
    if absent is not None:
        notes.append(f"Adjudication not available: {absent['reason']}.")
    return listing(numbers, "dlt_details", notes=notes)


def table_trigger_candidates(result: Result, study: Study) -> Table:
    """Show the events that trigger 3+3 under at least one reading.

    Parameters
    ----------
    result : Result
        ``escalation_events.trigger_candidates``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per event.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    notes = (
        "Letters: readings under which the event is a trigger; ? depends on an open query. Every DLT is a trigger. "
        "Events of participants without a dose level stand last and change no cohort.",
    )
    return listing(numbers, "trigger_candidates", notes=notes)


def table_rule_options(result: Result, study: Study) -> Table:
    """Show the next action under the options of the rule and the open facts.

    Parameters
    ----------
    result : Result
        ``escalation_log.sensitivity``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per option, then the open facts.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    notes = (
        "E[N]: exact expected number of participants from the first on, under planning scenarios that are a proposal of this package; the number of infusions moves the facts, not the rule.",
    )
    return listing(Numbers(result, study), "sensitivity", variables=("open",), notes=notes)


def table_stopping_triggers(result: Result, study: Study) -> Table:
    """Show what can end Phase IA and what ended it.

    Parameters
    ----------
    result : Result
        ``escalation_stop.stopping_triggers``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per trigger, then the outcome.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    more = [
        Row((Cell(text), Cell(DASH), numbers.words(TOTAL, "outcome", stat), Cell(DASH), Cell(DASH)))
        for stat, text in layouts()["outcome"].items()
        if (row := numbers.row(stat, variable="outcome")) is not None and row["status"] == "OK"
    ]
    return listing(numbers, "stopping", more=more)
