"""Tables of parts, classes and terms: deviations, medical history, medication; the words stand in ``by_dose.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from interim.display.by_dose import layouts
from interim.display.labels import sentence_case
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import Numbers
from interim.display.table import Table
from interim.result import Result
from interim.study import Study


def table_terms(result: Result, study: Study) -> Table:
    """Show participants by part, class and term.

    Parameters
    ----------
    result : Result
        Variables ``part`` and ``part: class``, levels terms.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per dose; a bracket holds the second number that the layout names, where the Result has it.

    Raises
    ------
    KeyError
        If the table is not described.
    """
    numbers = Numbers(result, study)
    layout = layouts()[result.analysis_id]
    lines = [line for variable in numbers.variables() for line in _of(numbers, layout, variable)]
    return cohort_table(numbers, lines, footnotes=tuple(layout.get("notes", ())))


def _of(numbers: Numbers, layout: Mapping[str, Any], variable: str) -> Iterator[Line]:
    part, colon, group = variable.partition(": ")
    text = layout.get("groups", {}).get(group, sentence_case(group)) if colon else layout["rows"][part]
    absent = absent_line(numbers, text, variable)
    if absent:
        yield absent
        return
    stats = ("n", layout.get("bracket", "events"))
    depth = 1 if colon else 0
    for level in numbers.levels(variable):
        cell = partial(numbers.counted, variable=variable, level=level, stats=stats)
        yield Line(sentence_case(level) if level else text, cell, depth + 1 if level else depth)
