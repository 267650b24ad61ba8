"""Lines of tables with summaries of measured values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Table
from interim.result import Result
from interim.study import Study

_LARGEST_DIGITS = 3
ABOVE_ZERO = "Geometric means and CV are of values above 0."


def digits_of(value: float) -> int:
    """Return the decimals that leave three significant digits.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    int
        0 to 3.

    Raises
    ------
    None

    Examples
    --------
    >>> digits_of(1234.5), digits_of(12.3), digits_of(0.0123)
    (0, 1, 3)
    """
    if not math.isfinite(value) or value == 0:
        return 0
    return max(0, min(_LARGEST_DIGITS, 2 - math.floor(math.log10(abs(value)))))


def number_cell(numbers: Numbers, group: str, *, variable: str, level: str, stat: str) -> Cell:
    """Return one number with three significant digits.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    group, variable, level, stat : str
        Place of the row.

    Returns
    -------
    Cell
        A dash without a row; the status where there is no value.

    Raises
    ------
    None
    """
    row = numbers.row(stat, group=group, variable=variable, level=level)
    if row is None:
        return Cell(DASH)
    text = row["text"] or numbers.number_text(row, digits=digits_of(float(row["value"])))
    return Cell(str(text), (str(row["result_id"]),))


def _joined(
    numbers: Numbers, group: str, *, variable: str, level: str, stats: tuple[str, ...], pattern: str
) -> Cell:
    """Return several numbers in one cell; the values themselves where a column is too small for a geometric mean."""
    cells = [number_cell(numbers, group, variable=variable, level=level, stat=stat) for stat in stats]
    if not cells[0].keys:
        return cells[0]
    few = numbers.row("values", group=group, variable=variable, level=level)
    row = numbers.row(stats[0], group=group, variable=variable, level=level)
    if row is not None and row["status"] == "NE":
        if few is not None and stats[0] in ("geo_mean", "median"):
            return Cell(str(few["text"]), (str(few["result_id"]),))
        return cells[0]
    return Cell(
        pattern.format(*(cell.text for cell in cells)), tuple(key for cell in cells for key in cell.keys)
    )


_COMBINED = (
    (("mean", "sd", "cv"), "{0} ({1}; {2})", "Mean (SD; CV, %)"),
    (("geo_mean", "geo_cv"), "{0} ({1})", "Geometric mean (CV, %)"),
    (("geo_lower", "geo_upper"), "{0}; {1}", "Interval of the geometric mean"),
    (("median", "min", "max"), "{0} ({1}; {2})", "Median (min; max)"),
)


def _some_not_positive(numbers: Numbers, variable: str, level: str) -> bool:
    """Tell whether a column has values that enter no geometric mean."""
    place = {"variable": variable, "level": level}
    rows = [numbers.row("n_positive", group=group, **place) for group in numbers.groups]
    return any(row is not None and row["value"] < row["N"] for row in rows)


def measure_lines(
    numbers: Numbers, variable: str, level: str, *, text: str, indent: int = 1
) -> Iterator[Line]:
    """Yield the lines of one measured value: n, means with CV, median with range.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    variable, level : str
        Place of the rows.
    text : str
        Stub.
    indent : int
        Depth of the stub.

    Yields
    ------
    Line
        Means and intervals only where the question gives them; the positive values where they are fewer than n.

    Raises
    ------
    None
    """
    yield Line(f"{text}, n", partial(numbers.plain, variable=variable, level=level), indent)
    if numbers.row("n_blq", variable=variable, level=level) is not None:
        below = partial(numbers.plain, variable=variable, level=level, stat="n_blq")
        yield Line("Below the limit of quantification, n", below, indent + 1)
    if _some_not_positive(numbers, variable, level):
        positive = partial(numbers.plain, variable=variable, level=level, stat="n_positive")
        yield Line("Above 0, n", positive, indent + 1)
    for stats, pattern, name in _COMBINED:
        given = any(numbers.row(stats[-1], group=g, variable=variable, level=level) for g in numbers.groups)
        if given or "median" in stats:
            cell = partial(_joined, numbers, variable=variable, level=level, stats=stats, pattern=pattern)
            yield Line(name, cell, indent + 1)
    out = [numbers.row("n_out", group=g, variable=variable, level=level) for g in numbers.groups]
    if any(row is not None and row["value"] > 0 for row in out):
        yield Line(
            "Not evaluable, left out, n",
            partial(numbers.plain, variable=variable, level=level, stat="n_out"),
            indent + 1,
        )


def measure_table(result: Result, study: Study, *, footnotes: tuple[str, ...] = ()) -> Table:
    """Show a Result that holds summaries of measured values: one section per variable, one block per level.

    Parameters
    ----------
    result : Result
        Made with `interim.analysis.measures.add_summary`.
    study : Study
        Column labels, rounding.
    footnotes : tuple of str
        Notes of the table.

    Returns
    -------
    Table
        One column per dose and the total.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    return cohort_table(numbers, list(_sections(numbers)), footnotes=(*_FOOT, *footnotes))


_FOOT = (
    "NE: no mean; fewer than three values (the individual values are given), no positive value, or most values below the limit of quantification.",
)


def _sections(numbers: Numbers) -> Iterator[Line]:
    units = {
        (str(r["variable"]), str(r["level"])): str(r["unit"] or "")
        for r in numbers.result.frame.to_dict("records")
        if r["unit"]
    }
    for variable in numbers.variables():
        absent = absent_line(numbers, word("measures", variable), variable)
        if absent:
            yield absent
            continue
        yield Line(_title(variable))
        for level in numbers.levels(variable):
            yield from _block(numbers, variable, level, units.get((variable, level), ""))


def _block(numbers: Numbers, variable: str, level: str, unit: str) -> Iterator[Line]:
    text = word("measures", level) + (f" ({unit})" if unit else "")
    if any(numbers.row(stat, variable=variable, level=level) is not None for stat in ("median", "n_out")):
        yield from measure_lines(numbers, variable, level, text=text)
    elif numbers.row("rate", variable=variable, level=level) is not None:
        yield Line(text, partial(numbers.rate, variable=variable, level=level), 1)
        name = f"{100 * numbers.study.stats.level:g}% {word('dlt', 'interval')}"
        yield Line(name, partial(numbers.interval, variable=variable, level=level), 2)
    elif numbers.row("n", variable=variable, level=level) is not None:
        name = text if level else _COUNTED.get(variable, "Participants with a value below the limit")
        yield Line(name, partial(numbers.count, variable=variable, level=level), 1)


_COUNTED = {"outside": "Participants"}


def _title(variable: str) -> str:
    head, _, rest = variable.partition(" ")
    name, part = word("measures", head), word("measures", rest)
    part = rest if part.lower() == rest.lower() else part
    return f"{name}, {part}" if rest else name
