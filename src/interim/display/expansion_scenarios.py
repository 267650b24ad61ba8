"""Phase IB: all cohorts together, selection between two doses, Phase IA participants counted once."""

from __future__ import annotations

from collections.abc import Iterator

from interim.display.expansion import not_run_table
from interim.display.labels import word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_OVERALL = ("any_false", "any_active", "all_active", "correct", "inactive_n", "total_n")
_LOOK = "look by "


def table_cohorts_together(result: Result, study: Study) -> Table:
    """Show the exact characteristics of every design for all cohorts together.

    Parameters
    ----------
    result : Result
        ``expansion_scenarios.together``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        A section per design, a row per scenario.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    types = study.expansion.type
    header = (
        "Scenario",
        *(f"P(go) {entry.label}" for entry in types),
        *(word("expansion", name) for name in _OVERALL),
    )
    absent = not_run_table(numbers, "together", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for name in numbers.variables(stat="any_false"):
        rows.append(Row((_design(numbers, name),), kind="section"))
        scenarios = [
            g
            for g in dict.fromkeys(result.frame["group"])
            if numbers.row("p_go", group=g, variable=name, level=types[0].id)
        ]
        rows.extend(_scenario_row(numbers, scenario, name, study) for scenario in scenarios)
        if scenarios and name.startswith(_LOOK):
            rows.append(_error_row(numbers, scenarios, name, study))
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(2.0, *(1.0 for _ in header[1:])),
        align=("left", *("right" for _ in header[1:])),
        landscape=True,
    )


def _design(numbers: Numbers, name: str) -> Cell:
    label = word("expansion", name.removeprefix(_LOOK))
    if name.startswith(_LOOK):
        label = f"{word('expansion', 'look')} {label}"
    row = numbers.row("any_false", variable=name)
    return Cell(label) if row is None else Cell(f"{label}: {row['reason']}", (row["result_id"],))


def _scenario_row(numbers: Numbers, scenario: str, name: str, study: Study) -> Row:
    go = (numbers.value(scenario, name, "p_go", level=entry.id, digits=3) for entry in study.expansion.type)
    digits = {"correct": 2, "inactive_n": 1, "total_n": 1}
    overall = (numbers.value(scenario, name, stat, digits=digits.get(stat, 3)) for stat in _OVERALL)
    return Row((Cell(scenario), *go, *overall), 1)


def _error_row(numbers: Numbers, scenarios: list[str], name: str, study: Study) -> Row:
    """Bias and root of the mean squared error of the posterior mean, in the first and in the last scenario."""
    cells = []
    for entry in study.expansion.type:
        ends = [
            numbers.value(scenario, name, stat, level=entry.id, digits=digits)
            for scenario in (scenarios[0], scenarios[-1])
            for stat, digits in (("bias", 3), ("mse", 4))
        ]
        text = f"{ends[0].text}, {ends[1].text}; {ends[2].text}, {ends[3].text}"
        cells.append(Cell(text, tuple(key for cell in ends for key in cell.keys)))
    return Row((Cell(word("expansion", "bias_mse")), *cells, *[Cell(DASH)] * len(_OVERALL)), 1)


def table_choices(result: Result, study: Study) -> Table:
    """Show what selecting between two doses, and counting Phase IA participants, would do.

    Parameters
    ----------
    result : Result
        ``expansion_scenarios.choices``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        Two sections, a row per type and lead, and per type and rate.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    header = ("Tumour type", "Participants", "First", "Second", "Third")
    absent = not_run_table(numbers, "choices", header)
    if absent is not None:
        return absent
    rows = [*_selection_rows(numbers, study), *_counted_rows(numbers, study)]
    return plain_table(
        numbers, header=header, rows=rows, widths=(3.4, 1.0, 1.2, 1.2, 1.2), align=("left", *["right"] * 4)
    )


def _selection_rows(numbers: Numbers, study: Study) -> Iterator[Row]:
    yield Row((Cell(word("expansion", "selection")),), kind="section")
    for entry in study.expansion.type:
        for lead in numbers.levels("selection", group=entry.id):
            row = numbers.need("p_correct", group=entry.id, variable="selection", level=lead)
            cells = (
                numbers.value(entry.id, "selection", stat, level=lead, digits=3)
                for stat in ("p_correct", "p_wrong", "p_tie")
            )
            label = f"{entry.label}, {word('expansion', 'lead')} {lead}"
            yield Row((Cell(label), Cell(f"2 x {int(row['n'])}", (row["result_id"],)), *cells), 1)


def _counted_rows(numbers: Numbers, study: Study) -> Iterator[Row]:
    force = numbers.words(TOTAL, "counted", "in_force")
    yield Row((Cell(f"{word('expansion', 'counted')} ({force.text})", force.keys),), kind="section")
    for entry in study.expansion.type:
        absent = numbers.row("p_go", group=entry.id, variable="counted")
        if absent is not None:
            label = f"{entry.label} {DASH} {absent['reason']}"
            yield Row((Cell(label, (absent["result_id"],)), *[Cell(DASH)] * 4), 1)
            continue
        for level in numbers.levels("counted", group=entry.id):
            row = numbers.need("p_go", group=entry.id, variable="counted", level=level)
            cells = (
                numbers.value(entry.id, "counted", stat, level=level, digits=3)
                for stat in ("p_go", "p_go_selected")
            )
            size = Cell(f"{int(row['n'])}", (row["result_id"],))
            yield Row((Cell(f"{entry.label}, {level}"), size, *cells, Cell(DASH)), 1)
