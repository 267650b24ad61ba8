"""Response by analysis set, length of follow-up, and change inside against outside the liver."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_CASES = (
    ("", "not evaluated is no response (primary)"),
    ("_best", "best case: not evaluated is response"),
    ("_known", "only those evaluated"),
)


def table_response_by_set(result: Result, study: Study) -> Table:
    """Show the response and disease control rates in every analysis set.

    Parameters
    ----------
    result : Result
        ``response_sets.denominators``.
    study : Study
        Rounding, level.

    Returns
    -------
    Table
        One column per analysis set.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    sets = numbers.levels("set")
    rows = list(_set_rows(numbers, sets)) if sets else [_absent(numbers)]
    heads = [numbers.words(TOTAL, "set", "label", level=code).text for code in sets] or [" "]
    return plain_table(
        numbers,
        header=("Analysis set", *heads),
        rows=rows,
        widths=(3.2, *[1.5] * len(heads)),
        align=("left", *["right"] * len(heads)),
        landscape=len(heads) > 3,
    )


def _absent(numbers: Numbers) -> Row:
    row = numbers.need("rate", variable="orr")
    reason = str(row["reason"])
    return Row((Cell(reason[:1].upper() + reason[1:]), Cell(DASH, (str(row["result_id"]),))))


def _set_rows(numbers: Numbers, sets: tuple[str, ...]) -> Iterator[Row]:
    def line(text: str, cell: partial[Cell], indent: int = 0) -> Row:
        return Row((Cell(text), *(cell(level=code) for code in sets)), indent)

    yield line("Participants", partial(numbers.plain, TOTAL, "set", stat="N"))
    yield line("Not evaluated (NE or no assessment)", partial(numbers.count, TOTAL, "not_evaluated"))
    percent = f"{100 * numbers.study.stats.level:g}% CI, %"
    for name in ("orr", "dcr"):
        yield Row((Cell(word("rates", name)),), kind="section")
        for suffix, text in _CASES:
            variable = f"{name}{suffix}"
            yield line(text[:1].upper() + text[1:], partial(numbers.rate, TOTAL, variable), 1)
            yield line(percent, partial(numbers.interval, TOTAL, variable), 2)


def table_follow_up(result: Result, study: Study) -> Table:
    """Show the length of follow-up.

    Parameters
    ----------
    result : Result
        ``follow_up.length``.
    study : Study
        Column labels, rounding, level.

    Returns
    -------
    Table
        One column per assigned cohort.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    absent = absent_line(numbers, "Follow-up", "FUP", stat="median")
    lines = [absent] if absent else list(_length_lines(numbers, study))
    note = (
        "Reversed Kaplan-Meier: being alive at the last contact is the event, death censors. "
        "Potential follow-up: from the start to the data cut-off."
    )
    return cohort_table(numbers, lines, footnotes=(note,))


def _length_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    yield Line("Participants", partial(numbers.plain, variable="FUP"))
    yield Line("Alive at the last contact", partial(numbers.count, variable="FUP", stat="events"), 1)
    yield Line("Died", partial(numbers.count, variable="FUP", stat="censored"), 1)
    yield Line("Median, months", partial(numbers.value, variable="FUP", stat="median"))
    yield Line(f"{100 * study.stats.level:g}% CI", partial(numbers.interval, variable="FUP", factor=1.0), 1)
    for stat, text in (("min", "Shortest, months"), ("max", "Longest, months")):
        yield Line(text, partial(numbers.value, variable="FUP", stat=stat))
    absent = absent_line(numbers, "Potential follow-up", "potential")
    if absent:
        yield absent
        return
    yield Line("Potential follow-up")
    for month in numbers.levels("potential"):
        text = f"At least {month} months"
        yield Line(text, partial(numbers.count, variable="potential", level=month), 1)
