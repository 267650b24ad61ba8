"""Dose finding: table of dose-limiting toxicities."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import Numbers
from interim.display.table import Table
from interim.result import Result
from interim.study import Study


def table_dlt_by_dose(result: Result, study: Study) -> Table:
    """Show dose-limiting toxicities by dose level.

    Parameters
    ----------
    result : Result
        ``escalation.dlt_by_dose``.
    study : Study
        Column labels, rounding, levels, limit.

    Returns
    -------
    Table
        One column per dose level and the total.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    absent = absent_line(numbers, word("dlt", "dlt"), "dlt", stat="rate")
    return cohort_table(numbers, [absent] if absent else list(_lines(numbers, study)))


def _lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    percent = f"{100 * study.stats.level:g}"
    one_sided = numbers.need("upper_one_sided", variable="dlt")
    yield Line(word("dlt", "treated"), partial(numbers.plain, variable="treated"))
    yield Line(word("dlt", "not_evaluable"), partial(numbers.plain, variable="not_evaluable"))
    for reason in filter(None, numbers.levels("not_evaluable")):
        yield Line(word("reasons", reason), partial(numbers.plain, variable="not_evaluable", level=reason), 1)
    yield Line(word("dlt", "evaluable"), partial(numbers.plain, variable="evaluable"))
    yield Line(word("dlt", "dlt"), partial(numbers.rate, variable="dlt"))
    yield Line(f"{percent}% {word('dlt', 'interval')}", partial(numbers.interval, variable="dlt"), 1)
    upper = f"{str(one_sided['method']).rpartition(' ')[2]}% {word('dlt', 'upper')}"
    yield Line(upper, partial(numbers.value, variable="dlt", stat="upper_one_sided", factor=100.0), 1)
    yield Line(
        word("dlt", "posterior"), partial(numbers.value, variable="posterior", stat="mean", factor=100.0)
    )
    limit = f"P(true rate > {study.dose.tox_limit})"
    yield Line(limit, partial(numbers.value, variable="posterior", stat="p_above", digits=2), 1)
    trigger = absent_line(numbers, word("dlt", "trigger"), "trigger")
    yield trigger or Line(word("dlt", "trigger"), partial(numbers.plain, variable="trigger"))
