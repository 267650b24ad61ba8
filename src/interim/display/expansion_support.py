"""Phase IB: open responses, sensitivity, dose and ligand, sources and limitations of the choice of tumour types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interim.display.escalation_listing import listing
from interim.display.expansion import not_run_table, said
from interim.display.labels import word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_READINGS = ("confirmed", "any", "all_respond", "all_fail", "left_out")
_STATES = ("confirmed", "unconfirmed", "pending", "non_responder", "not_evaluable")


def table_open_responses(result: Result, study: Study) -> Table:
    """Show every type's class under all readings of its open responses.

    Parameters
    ----------
    result : Result
        ``expansion_open.bounds``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        A section per type.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    header = ("Reading", "x/n", "P(p > p0)", "PPoS", "Class")
    absent = not_run_table(numbers, "bounds", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for entry in study.expansion.type:
        rows += _open_rows(numbers, entry.id, entry.label)
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(3.2, 0.8, 1.0, 1.0, 2.0),
        align=("left", "right", "right", "right", "left"),
    )


def _open_rows(numbers: Numbers, group: str, label: str) -> Iterator[Row]:
    yield Row((Cell(label),), kind="section")
    states = [
        (word("expansion", f"state_{state}"), numbers.plain(group, "state", level=state)) for state in _STATES
    ]
    yield said(word("expansion", "open_states"), states, columns=4)
    for name in _READINGS:
        row = numbers.need("class", group=group, variable="reading", level=name)
        yield Row(
            (
                Cell(word("expansion", name)),
                Cell(f"{int(row['n'])}/{int(row['N'])}", (row["result_id"],)),
                numbers.value(group, "reading", "prob_above", level=name, digits=3),
                numbers.value(group, "reading", "ppos", level=name, digits=3),
                numbers.words(group, "reading", "class", level=name),
            ),
            1,
        )
    robust = numbers.words(group, "robust", "text")
    yield Row((Cell(word("expansion", "robust")), *[Cell(DASH)] * 3, robust), 1)
    row = numbers.need("chance", group=group, variable="robust")
    reason = "" if row["status"] == "OK" else f" {DASH} {row['reason']}"
    chance = numbers.value(group, "robust", "chance", digits=3)
    yield Row((Cell(f"{word('expansion', 'chance')}{reason}"), *[Cell(DASH)] * 3, chance), 1)


def table_expansion_sensitivity(result: Result, study: Study) -> Table:
    """Show every type's class under other priors, rates and scopes.

    Parameters
    ----------
    result : Result
        ``expansion_sensitivity.sensitivity``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        A row per choice and model.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    types = study.expansion.type
    header = (
        "Choice and model",
        *(f"{entry.label}: P, PPoS, margin, class" for entry in types),
        "Types that flip",
    )
    absent = not_run_table(numbers, "sensitivity", header)
    if absent is not None:
        return absent
    rows = []
    for level in numbers.levels("row"):
        name, _, model = level.partition(" | ")
        flips = numbers.need("flips", variable="row", level=level)
        if flips["status"] == "NA":
            text = Cell(f"{name} {DASH} {flips['reason']}", (flips["result_id"],))
            rows.append(Row((text, *[Cell(DASH)] * (len(types) + 1))))
            continue
        cells = (_under(numbers, entry.id, level) for entry in types)
        share = numbers.count(TOTAL, "row", level=level, stat="flips")
        rows.append(Row((Cell(f"{name}: {word('expansion', model)}"), *cells, share)))
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(2.4, *(1.8 for _ in types), 0.9),
        align=("left", *("left" for _ in types), "right"),
        landscape=True,
    )


def _under(numbers: Numbers, group: str, level: str) -> Cell:
    row = numbers.need("class", group=group, variable="row", level=level)
    if row["status"] != "OK":
        return Cell(str(row["reason"]), (row["result_id"],))
    cells = [
        numbers.value(group, "row", stat, level=level, digits=2)
        for stat in ("prob_above", "ppos", "go_margin")
    ]
    cells.append(numbers.words(group, "row", "class", level=level))
    return Cell(", ".join(cell.text for cell in cells), tuple(key for cell in cells for key in cell.keys))


def table_expansion_covariates(result: Result, study: Study) -> Table:
    """Show responses by tumour type, dose and ligand, and what one model says about both.

    Parameters
    ----------
    result : Result
        ``expansion_covariates.covariates``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        One column per type; then the slopes.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    types = study.expansion.type
    header = ("Dose, ligand", *(entry.label for entry in types))
    absent = not_run_table(numbers, "covariates", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for variable in ("dose", "ligand"):
        rows.append(Row((Cell(word("expansion", f"by_{variable}")),), kind="section"))
        missing = numbers.row("n", variable=variable)
        if missing is not None:
            rows.append(said(word("expansion", f"by_{variable}"), [("", _why(missing))], columns=len(types)))
        rows.extend(
            _by_level(numbers, variable, level, study) for level in filter(None, numbers.levels(variable))
        )
    rows += _slope_rows(numbers, len(types))
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(3.4, *(1.2 for _ in types)),
        align=("left", *("right" for _ in types)),
        landscape=True,
    )


def _by_level(numbers: Numbers, variable: str, level: str, study: Study) -> Row:
    return Row(
        (Cell(level), *(numbers.rate(entry.id, variable, level=level) for entry in study.expansion.type)), 1
    )


def _why(row: Mapping[str, Any]) -> Cell:
    return Cell(str(row["reason"]), (row["result_id"],))


def _slope_rows(numbers: Numbers, columns: int) -> Iterator[Row]:
    yield Row((Cell(word("expansion", "slopes")),), kind="section")
    reference = numbers.words(TOTAL, "slope", "reference")
    if reference.keys:
        yield said(word("expansion", "reference"), [("", reference)], columns=columns)
    for name in filter(None, numbers.levels("slope")):
        row = numbers.need("informs", variable="slope", level=name)
        if row["status"] != "OK":
            yield said(word("expansion", f"slope_{name}"), [("", _why(row))], columns=columns)
            continue
        parts = [
            (word("expansion", f"slope_{stat}"), numbers.value(TOTAL, "slope", stat, level=name, digits=2))
            for stat in ("p_positive", "ratio", "overlap")
        ]
        parts.append(("", numbers.words(TOTAL, "slope", "informs", level=name)))
        yield said(word("expansion", f"slope_{name}"), parts, columns=columns)
    for reason in numbers.levels("left_out"):
        count = numbers.count(TOTAL, "left_out", level=reason)
        yield said(word("expansion", "left"), [(reason, count)], columns=columns)


def table_expansion_sources(result: Result, study: Study) -> Table:
    """Show sources of the rates, priors in words, checks of the models, and limitations.

    Parameters
    ----------
    result : Result
        ``expansion_sources.sources``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A section per kind of statement.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    header = ("Item", "Value", "Statement")
    absent = not_run_table(numbers, "sources", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for variable in ("source", "prior", "check", "limitation"):
        rows.append(Row((Cell(word("expansion", f"part_{variable}")),), kind="section"))
        rows += [_statement(numbers, variable, level) for level in numbers.levels(variable)]
    return plain_table(
        numbers, header=header, rows=rows, widths=(1.6, 0.9, 5.0), align=("left", "right", "left")
    )


def _statement(numbers: Numbers, variable: str, level: str) -> Row:
    stat = {"source": "rate", "check": "deviation"}.get(variable, "text")
    value = Cell(DASH)
    if variable == "source":
        rate = numbers.value(TOTAL, variable, stat, level=level, digits=0, factor=100)
        value = Cell(f"{rate.text}%", rate.keys)
    elif variable == "check":
        row = numbers.need(stat, variable=variable, level=level)
        value = Cell(f"{row['value']:.0e}", (row["result_id"],))
    label = word("expansion", level) if variable == "prior" else level
    return Row((Cell(label), value, numbers.words(TOTAL, variable, stat, level=level)), 1)


def table_protocol_changes(result: Result, study: Study) -> Table:
    """Show what the protocol must say before Phase IB.

    Parameters
    ----------
    result : Result
        ``protocol_changes.proposed``.
    study : Study
        Labels.

    Returns
    -------
    Table
        One row per change.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    return listing(Numbers(result, study), "protocol_changes")
