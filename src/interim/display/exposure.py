"""Exposure against outcomes, the sensitivity panel, evaluability, and the model of each participant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from interim.display.labels import participant_label, word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.measures import number_cell
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study


def table_exposure_response(result: Result, study: Study) -> Table:
    """Show exposure of participants with and without an event.

    Parameters
    ----------
    result : Result
        ``exposure.response``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        One row per exposure and outcome; no p-value.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = [
        Row(
            (
                *_named(numbers, variable, "events"),
                _split(numbers, variable),
                *(_number(numbers, variable, stat) for stat in ("median_event", "median_other", "geo_ratio")),
                _joined(numbers, variable, ("hl_ratio", "hl_lower", "hl_upper"), "{0} ({1}; {2})"),
                _joined(numbers, variable, ("auroc", "lower", "upper"), "{0} ({1}; {2})"),
                *(_number(numbers, variable, stat) for stat in ("slope", "firth_slope")),
            )
        )
        for variable in numbers.variables(stat="events")
    ]
    header = (
        "Exposure",
        "Outcome compared",
        "With / without, n",
        "Median with",
        "Median without",
        "Ratio of geometric means",
        "Hodges-Lehmann ratio (interval)",
        "Area under the ROC curve (interval)",
        "Slope per doubling",
        "Slope, Firth",
    )
    return plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, "exposure", len(header))],
        widths=(2.4, 2.0, 0.9, 1.0, 1.0, 1.0, 1.7, 1.7, 0.9, 0.9),
        align=("left", "left", *["right"] * 8),
        landscape=True,
    )


def _named(numbers: Numbers, variable: str, stat: str) -> tuple[Cell, Cell]:
    """Return the words of exposure and outcome, the second with the row that proves it."""
    exposure, _, outcome = variable.partition(" ~ ")
    assay, _, parameter = exposure.partition(" ")
    return Cell(f"{word('measures', assay)}: {word('measures', parameter)}"), Cell(
        _sentence(outcome), _number(numbers, variable, stat).keys
    )


def _sentence(text: str) -> str:
    text = word("measures", text)
    return text[:1].upper() + text[1:]


def _number(numbers: Numbers, variable: str, stat: str) -> Cell:
    return number_cell(numbers, TOTAL, variable=variable, level="", stat=stat)


def _joined(numbers: Numbers, variable: str, stats: Sequence[str], pattern: str) -> Cell:
    """Return several numbers in one cell; the status alone where the first does not exist."""
    cells = [_number(numbers, variable, stat) for stat in stats]
    row = numbers.row(stats[0], group=TOTAL, variable=variable)
    if row is None or row["status"] != "OK":
        return cells[0]
    return Cell(
        pattern.format(*(cell.text for cell in cells)), tuple(key for cell in cells for key in cell.keys)
    )


def _split(numbers: Numbers, variable: str) -> Cell:
    cells = [numbers.value(TOTAL, variable, stat, digits=0) for stat in ("events", "others")]
    return Cell(" / ".join(cell.text for cell in cells), tuple(key for cell in cells for key in cell.keys))


def _none(numbers: Numbers, variable: str, columns: int) -> Row:
    reason = numbers.absence(variable, stat="n") or "no participant with exposure and outcome"
    return Row((Cell(reason), *[Cell(DASH)] * (columns - 1)))


def table_exposure_correlation(result: Result, study: Study) -> Table:
    """Show the rank correlations of exposure with grade, change of the tumour and tumour burden.

    Parameters
    ----------
    result : Result
        ``exposure.response``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        One row per exposure and outcome.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = [
        Row(
            (
                *_named(numbers, variable, "spearman"),
                Cell(str(int(row["n"])), (str(row["result_id"]),)),
                _joined(numbers, variable, ("spearman", "lower", "upper"), "{0} ({1}; {2})"),
                _number(numbers, variable, "kendall"),
            )
        )
        for variable in numbers.variables(stat="spearman")
        for row in [numbers.row("spearman", group=TOTAL, variable=variable)]
        if row is not None
    ]
    header = ("Exposure", "Against", "n", "Spearman correlation (interval)", "Kendall tau")
    return plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, "exposure", len(header))],
        widths=(3.0, 2.6, 0.6, 2.2, 1.2),
        align=("left", "left", "right", "right", "right"),
    )


def table_counts(result: Result, study: Study) -> Table:
    """Show participants by level with their percentage of the column, or rates where the question gives them.

    Parameters
    ----------
    result : Result
        ``kinetic_sensitivity.evaluability`` or ``landmark.persistence_response``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One section per variable.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    return cohort_table(numbers, list(_count_lines(numbers)))


def _count_lines(numbers: Numbers) -> Iterator[Line]:
    for variable in numbers.variables():
        head, _, rest = variable.partition(" ")
        title = ", ".join(filter(None, (word("measures", head), _rest(rest))))
        absent = absent_line(numbers, title, variable)
        if absent:
            yield absent
            continue
        yield Line(title)
        for level in numbers.levels(variable):
            text = word("kinetic_codes", level)
            rate = numbers.row("rate", variable=variable, level=level) is not None
            cell = numbers.rate if rate else numbers.count
            yield Line(text, partial(cell, variable=variable, level=level), 1)
            if rate:
                limits = partial(numbers.interval, variable=variable, level=level)
                yield Line(f"{100 * numbers.study.stats.level:g}% {word('dlt', 'interval')}", limits, 2)


def _rest(text: str) -> str:
    name, _, more = text.partition(" ")
    return " ".join(filter(None, (word("measures", name) if name.isupper() else name, more)))


def table_sensitivity_panel(result: Result, study: Study) -> Table:
    """Show the parameters under every rule for samples below the limit and every area method.

    Parameters
    ----------
    result : Result
        ``kinetic_sensitivity.panel``.
    study : Study
        Rounding, ``kinetics``.

    Returns
    -------
    Table
        One section per assay and parameter; the analysis of the report is marked.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    table = study.kinetics
    own = {table.blq_rule, f"{table.blq_rule} / {table.auc_method}"}
    rows: list[Row] = []
    for variable in numbers.variables(stat="geo_mean"):
        assay, _, name = variable.partition(" ")
        text = f"{word('measures', assay)}: {word('measures', name)}{_unit(numbers, variable, 'geo_mean')}"
        rows.append(Row((Cell(text),), 0, "section"))
        for level in numbers.levels(variable, stat="geo_mean"):
            text = "; ".join(word("panel_rules", part) for part in level.split(" / "))
            text += "; analysis of the report" if level in own else ""
            cells = [
                number_cell(numbers, TOTAL, variable=variable, level=level, stat=stat)
                for stat in ("geo_mean", "geo_cv", "median", "largest")
            ]
            count = numbers.plain(TOTAL, variable, level=level)
            rows.append(Row((Cell(text), count, *cells), 1))
    header = (
        "Rule below the limit; area method",
        "n",
        "Geometric mean",
        "CV, %",
        "Median",
        "Largest change in one participant, %",
    )
    return plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, "panel", len(header))],
        widths=(3.6, 0.6, 1.2, 0.9, 1.2, 1.5),
        align=("left", *["right"] * 5),
    )


def _unit(numbers: Numbers, variable: str, stat: str) -> str:
    """Return the unit of the numbers of a variable in brackets, behind a blank."""
    frame = numbers.result.frame
    found = frame.loc[(frame["variable"] == variable) & (frame["stat"] == stat), "unit"].dropna()
    unit = next((str(unit) for unit in found if unit), "")
    return f" ({unit})" if unit else ""


def table_expansion_model(result: Result, study: Study) -> Table:
    """Show the fitted curve of each participant.

    Parameters
    ----------
    result : Result
        ``kinetic_sensitivity.model``.
    study : Study
        Participant labels, rounding.

    Returns
    -------
    Table
        One section per assay.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    for variable in numbers.variables(stat="samples"):
        text = f"{word('measures', variable)}{_unit(numbers, variable, 'cmax')}"
        rows.append(Row((Cell(text),), 0, "section"))
        for level in numbers.levels(variable, stat="samples"):
            cells = [
                number_cell(numbers, TOTAL, variable=variable, level=level, stat=stat)
                for stat in (
                    "doubling",
                    "tmax",
                    "cmax",
                    "half_fast",
                    "half_slow",
                    "slow_share",
                    "sigma",
                )
            ]
            count = numbers.value(TOTAL, variable, "samples", level=level, digits=0)
            row = numbers.row("tmax", group=TOTAL, variable=variable, level=level)
            why = str(row["reason"]) if row is not None and row["reason"] else ""
            key = (str(row["result_id"]),) if row is not None else ()
            rows.append(
                Row(
                    (
                        Cell(participant_label(level, study)),
                        count,
                        *cells,
                        Cell(word("kinetic_codes", why) or DASH, key),
                    ),
                    1,
                )
            )
    header = (
        "Participant",
        "Quantified samples",
        "Doubling time, d",
        "Maximum, day",
        "Maximum",
        "Fast half-life, d",
        "Slow half-life, d",
        "Slow part, %",
        "Error of ln",
        "Why not",
    )
    return plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, "model", len(header))],
        widths=(1.6, 0.9, 0.9, 0.9, 1.0, 0.9, 0.9, 0.8, 0.8, 2.0),
        align=("left", *["right"] * 8, "left"),
    )
