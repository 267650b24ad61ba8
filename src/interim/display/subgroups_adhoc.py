"""Ad-hoc subgroups: levels of any factors, and, only on request, the tests with their family and method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interim.display.labels import word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.rounding import decimal_text
from interim.display.subgroups import entries_of
from interim.display.subgroups_rules import check_rows
from interim.display.subgroups_words import flag_notes, level_word, marked
from interim.display.table import Cell, Row, Table
from interim.errors import ReportError
from interim.result import TOTAL, Result
from interim.study import Study

ENDPOINTS = ("orr", "pfs", "depth")
_LEAST = 0.0001


def adhoc_endpoint(result: Result) -> str:
    """Return which kind of endpoint an ad-hoc analysis has.

    Parameters
    ----------
    result : Result
        ``subgroups.adhoc``.

    Returns
    -------
    {"orr", "pfs", "depth"}
        A rate, a time, or a number.

    Raises
    ------
    ReportError
        If it is no ad-hoc analysis.
    """
    variables = set(result.frame["variable"])
    for name in ENDPOINTS:
        if name in variables:
            return name
    raise ReportError(f"{result.analysis_id} is no ad-hoc subgroup analysis: it has no endpoint")


def table_adhoc(result: Result, study: Study, *, endpoint: str) -> Table:
    """Show an endpoint within every level of the factors of an ad-hoc analysis.

    Parameters
    ----------
    result : Result
        ``subgroups.adhoc``.
    study : Study
        Its entries are the factors.
    endpoint : str
        How the endpoint is called.

    Returns
    -------
    Table
        The first row holds all participants; missing is the last level of a factor.

    Raises
    ------
    ReportError
        If a row must not be shown, or it is no ad-hoc analysis.
    """
    check_rows(result)
    numbers, kind = Numbers(result, study), adhoc_endpoint(result)
    rows = [_row(numbers, kind, (TOTAL, ""), "All participants", 0)]
    for entry in entries_of(numbers, "size"):
        rows.append(Row((Cell(marked(numbers, entry)),), kind="section"))
        rows += [
            _row(numbers, kind, (entry, level), level_word(entry, level, study), 1)
            for level in numbers.levels("size", group=entry)
        ]
    months = f"{study.subgroup.pfs_landmark_months:g}"
    heads = {
        "orr": (f"{endpoint}: x/n (%)",),
        "pfs": (f"{endpoint}: rate at {months} months [at risk]", "Median, months"),
        "depth": (f"{endpoint}: median (range)",),
    }
    return plain_table(
        numbers,
        header=("Factor and level", "N", *heads[kind]),
        rows=rows,
        widths=(3.4, 0.8, *[3.0] * len(heads[kind])),
        align=("left", *["right"] * (1 + len(heads[kind]))),
    ).with_id(
        "",
        title=result.title,
        footnotes=flag_notes(numbers, entries_of(numbers, "entry")),
    )


def _row(numbers: Numbers, kind: str, place: tuple[str, str], text: str, indent: int) -> Row:
    group, level = place
    size = (
        numbers.plain(TOTAL, "population", stat="N")
        if group == TOTAL
        else numbers.plain(group, "size", level=level, stat="n")
    )
    cells = {"orr": _rate, "pfs": _time, "depth": _spread}[kind](numbers, group, level)
    return Row((Cell(text), size, *cells), indent)


def _rate(numbers: Numbers, group: str, level: str) -> tuple[Cell, ...]:
    return (
        _with_limits(numbers.rate(group, "orr", level=level), numbers.interval(group, "orr", level=level)),
    )


def _with_limits(value: Cell, limits: Cell) -> Cell:
    bare = limits.text in (DASH, "NE", "NA", "NR")
    return Cell(value.text if bare else f"{value.text} {limits.text}", (*value.keys, *limits.keys))


def _time(numbers: Numbers, group: str, level: str) -> tuple[Cell, ...]:
    share = numbers.value(group, "pfs", "landmark", level=level, factor=100.0)
    at_risk = numbers.value(group, "pfs", "n_risk", level=level, digits=0)
    landmark = _with_limits(share, numbers.interval(group, "pfs", level=level))
    median = [
        numbers.value(group, "pfs median", stat, level=level, digits=1)
        for stat in ("median", "lower", "upper")
    ]
    return (
        Cell(f"{landmark.text} [{at_risk.text}]", (*landmark.keys, *at_risk.keys)),
        Cell(
            f"{median[0].text} ({median[1].text}, {median[2].text})",
            tuple(key for cell in median for key in cell.keys),
        ),
    )


def _spread(numbers: Numbers, group: str, level: str) -> tuple[Cell, ...]:
    cells = [numbers.value(group, "depth", stat, level=level) for stat in ("median", "min", "max")]
    keys = tuple(key for cell in cells for key in cell.keys)
    there = cells[0].text[-1:].isdigit()
    return (Cell(f"{cells[0].text} ({cells[1].text}, {cells[2].text})" if there else cells[0].text, keys),)


def table_adhoc_tests(result: Result, study: Study) -> Table:
    """Show the tests of an ad-hoc analysis, where the study asks for p-values.

    Parameters
    ----------
    result : Result
        ``subgroups.adhoc``.
    study : Study
        ``stats.show_p_values`` must be true; its entries are the factors.

    Returns
    -------
    Table
        One row per factor: the test, its p-value, the smallest it could be, and the one adjusted over the family.

    Raises
    ------
    ReportError
        If p-values were not asked for.
    """
    if not study.stats.show_p_values:
        raise ReportError("p-values of data are shown on request only: set stats.show_p_values = true")
    numbers = Numbers(result, study)
    tested = f"test {adhoc_endpoint(result)}"
    counts = {
        stat: numbers.need(stat, variable=f"tests {tested}") for stat in ("planned", "run", "not_evaluable")
    }
    rows, methods = [], set()
    for entry in (item.id for item in study.subgroups):
        test, least, adjusted = (
            numbers.row(stat, group=entry, variable=tested)
            for stat in ("p_heterogeneity", "p_min", "p_max_t")
        )
        if test is None:
            continue
        methods |= {str(adjusted["method"])} if adjusted is not None else set()
        method = Cell(str(test["method"]), (str(test["result_id"]),))
        label = next(item.label for item in study.subgroups if item.id == entry)
        rows.append(Row((Cell(label), method, *(_p(row, study) for row in (test, least, adjusted)))))
    family = ", ".join(f"{stat.replace('_', ' ')} {int(row['value'])}" for stat, row in counts.items())
    return plain_table(
        numbers,
        header=("Factor", "Test", "p", "Smallest attainable p", "Adjusted p"),
        rows=rows,
        widths=(2.6, 3.6, 1.2, 1.4, 1.2),
        align=("left", "left", "right", "right", "right"),
    ).with_id(
        "",
        title="Tests of this ad-hoc analysis",
        footnotes=(
            f"Family: all factors of this call against one endpoint; tests {family}. Adjusted by "
            f"{', '.join(sorted(methods)).replace('_', ' ') or 'nothing'} under one permutation plan. Two-sided. Exploratory: chosen "
            "after results were known, in one arm; a small p-value is no finding.",
        ),
    )


def _p(row: Mapping[str, Any] | None, study: Study) -> Cell:
    if row is None:
        return Cell(DASH)
    keys = (str(row["result_id"]),)
    if row["status"] not in ("OK", "FLAG"):
        return Cell(word("status", str(row["status"])), keys)
    value = float(row["value"])
    if value < _LEAST:
        return Cell(f"< {_LEAST}", keys)
    guard = study.rounding.guard_digits
    return Cell(decimal_text(value, digits=4, mode=study.rounding.mode, guard_digits=guard), keys)
