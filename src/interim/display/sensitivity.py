"""Sensitivity of progression-free survival, censoring reasons, estimands and published context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from interim.display.labels import participant_label, word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_INTERVALS = "S8"
_BESIDE_RATES = 7
_KINDS = ("early", "administrative", "other")
_NUMBERS = ("n", "orr", "pfs", "os")


def table_pfs_sensitivity(result: Result, study: Study) -> Table:
    """Show progression-free survival under every alternative rule.

    Parameters
    ----------
    result : Result
        ``sensitivity.pfs``.
    study : Study
        Rounding, level.

    Returns
    -------
    Table
        A row per rule; a rule that was not run says why, one that changes nobody says so.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = [_sensitivity_row(numbers, row) for row in numbers.variables(stat="label")]
    months = numbers.levels("S0 landmark", stat="rate")
    heads = [f"Rate at {month} months, %" for month in months] or ["Rate, %"]
    if not rows:
        dashes = [Cell(DASH)] * (_BESIDE_RATES - 1 + len(heads))
        rows = [Row((Cell(str(numbers.need("n", variable="S0")["reason"])), *dashes))]
    table = plain_table(
        numbers,
        header=(
            "Row",
            "What changes",
            "Participants",
            "Events",
            "Censored",
            "Median, months",
            *heads,
            "Changed",
        ),
        rows=rows,
        widths=(0.8, 3.2, 1.0, 2.0, 2.0, 1.7, *[1.6] * len(heads), 1.3),
        align=("left", "left", "right", "left", "left", "right", *["right"] * len(heads), "right"),
        landscape=True,
    )
    return replace(table, footnotes=(*_NOTES, *table.footnotes))


_NOTES = (
    "Limits in parentheses. Changed: participants whose time or reason differs from the primary analysis.",
    "Time from the first T-cell infusion: only those who lived and stayed until then can be counted (immortal time).",
    "Interval censoring: the event lies after the previous adequate assessment; median and rates are known as ranges.",
)


def _sensitivity_row(numbers: Numbers, row: str) -> Row:
    label = numbers.words(TOTAL, row, "label")
    why = numbers.words(TOTAL, row, "why")
    what = Cell(f"{label.text} ({why.text[:1].lower()}{why.text[1:]})", (*label.keys, *why.keys))
    state = numbers.words(TOTAL, row, "state")
    months = numbers.levels("S0 landmark", stat="rate")
    rates = [_landmark(numbers, row, month) for month in months] or [Cell(DASH)]
    if state.text != "run":
        text = state.text[:1].upper() + state.text[1:]
        dashes = [Cell(DASH)] * (_BESIDE_RATES - 3 + len(rates))
        return Row((Cell(row), what, Cell(text, state.keys), *dashes))
    return Row(
        (
            Cell(row),
            what,
            numbers.plain(TOTAL, row),
            _kinds(numbers, row, "events", "event"),
            _kinds(numbers, row, "censored", "censoring"),
            _median(numbers, row),
            *rates,
            _changed(numbers, row),
        )
    )


def _kinds(numbers: Numbers, row: str, total: str, stat: str) -> Cell:
    cell = numbers.plain(TOTAL, row, stat=total)
    parts = [
        (word("tte", level), numbers.plain(TOTAL, row, level=level, stat=stat))
        for level in numbers.levels(row, stat=stat)
    ]
    text = "; ".join(f"{part.text} {name[:1].lower()}{name[1:]}" for name, part in parts)
    keys = tuple(key for _, part in parts for key in part.keys)
    return Cell(f"{cell.text}: {text}" if text else cell.text, (*cell.keys, *keys))


def _median(numbers: Numbers, row: str) -> Cell:
    if row == _INTERVALS:
        return _range(numbers, row, ("median_from", "median_to"), level="", factor=1.0)
    value = numbers.value(TOTAL, row, "median")
    limits = numbers.interval(TOTAL, row, factor=1.0)
    return _with_limits(value, limits)


def _with_limits(value: Cell, limits: Cell) -> Cell:
    """Return a number and its limits; once what both say where neither is a number."""
    text = value.text if value.text == limits.text else f"{value.text} {limits.text}"
    return Cell(text, (*value.keys, *limits.keys))


def _landmark(numbers: Numbers, row: str, month: str) -> Cell:
    variable = f"{row} landmark"
    if row == _INTERVALS:
        return _range(numbers, variable, ("rate_from", "rate_to"), level=month, factor=100.0)
    value = numbers.value(TOTAL, variable, "rate", level=month, factor=100.0)
    limits = numbers.interval(TOTAL, variable, level=month)
    return _with_limits(value, limits)


def _range(numbers: Numbers, variable: str, stats: tuple[str, str], *, level: str, factor: float) -> Cell:
    low, high = (numbers.value(TOTAL, variable, stat, level=level, factor=factor) for stat in stats)
    text = low.text if low.text == high.text else f"{low.text} to {high.text}"
    return Cell(text, (*low.keys, *high.keys))


def _changed(numbers: Numbers, row: str) -> Cell:
    cell = numbers.count(TOTAL, row, stat="changed")
    if row == "S0":
        return Cell(DASH, cell.keys)
    plain = numbers.plain(TOTAL, row, stat="changed")
    return Cell("no participant affected", cell.keys) if plain.text == "0" else cell


def table_sensitivity_changes(result: Result, study: Study) -> Table:
    """List whose progression-free survival a rule changes, before and after.

    Parameters
    ----------
    result : Result
        ``sensitivity.pfs``.
    study : Study
        Participant labels.

    Returns
    -------
    Table
        A section per rule that changes somebody.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    for row in numbers.variables(stat="label"):
        subjects = numbers.levels(f"{row} change", stat="day_before")
        if subjects:
            label, why = (numbers.words(TOTAL, row, stat) for stat in ("label", "why"))
            text = f"{row}: {label.text}"
            if why.text != DASH:
                text += f" ({why.text[:1].lower()}{why.text[1:]})"
            rows.append(Row((Cell(text),), kind="section"))
        rows += [_change_row(numbers, row, subject, study) for subject in subjects]
    if not rows:
        rows = [Row((Cell("No participant affected"), *[Cell(DASH)] * 4))]
    return plain_table(
        numbers,
        header=(
            "Participant",
            "Primary: day",
            "Primary: reason",
            "Under the rule: day",
            "Under the rule: reason",
        ),
        rows=rows,
        widths=(1.6, 1.1, 3.0, 1.4, 3.0),
        align=("left", "right", "left", "right", "left"),
    )


def _change_row(numbers: Numbers, row: str, subject: str, study: Study) -> Row:
    cells = []
    for when in ("before", "after"):
        day = numbers.value(TOTAL, f"{row} change", f"day_{when}", level=subject, digits=0)
        if when == "after" and numbers.row("day_from", variable=f"{row} change", level=subject) is not None:
            first = numbers.value(TOTAL, f"{row} change", "day_from", level=subject, digits=0)
            day = Cell(f"{first.text} to {day.text}", (*first.keys, *day.keys))
        cells.append(day)
        reason = numbers.words(TOTAL, f"{row} change", f"reason_{when}", level=subject)
        cells.append(Cell(word("tte", reason.text), reason.keys))
    return Row((Cell(participant_label(subject, study)), *cells), 1)


def table_censoring_reasons(result: Result, study: Study) -> Table:
    """Show why participants are censored, early and administrative censoring apart.

    Parameters
    ----------
    result : Result
        ``censoring.reasons``.
    study : Study
        Column labels, rounding.

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
    note = (
        "Early: left the study, new anticancer therapy, missed assessments, no adequate assessment. "
        "Administrative: follow-up running at the cut-off. "
        f"Gap: more than {study.tte.gap_days} days between the last adequate assessment and the event."
    )
    return cohort_table(numbers, _censoring_lines(numbers), footnotes=(note,))


def _censoring_lines(numbers: Numbers) -> Iterator[Line]:
    for endpoint in ("PFS", "OS"):
        absent = absent_line(numbers, word("tte", endpoint), endpoint, stat="censored")
        if absent:
            yield absent
            continue
        yield Line(word("tte", endpoint))
        yield Line("Censored", partial(numbers.count, variable=endpoint, stat="censored"), 1)
        for kind in _KINDS:
            variable = f"{endpoint} {kind}"
            yield Line(word("censoring", kind), partial(numbers.count, variable=variable), 1)
            for level in numbers.levels(variable):
                if level:
                    yield Line(word("tte", level), partial(numbers.count, variable=variable, level=level), 2)
    if numbers.row("n", variable="new_therapy") is not None:
        yield Line(
            "New anticancer therapy before progression", partial(numbers.count, variable="new_therapy")
        )
        gap = "Progression or death after a gap"
        absent = absent_line(numbers, gap, "gap")
        yield absent or Line(gap, partial(numbers.count, variable="gap"))


def table_estimands(result: Result, study: Study) -> Table:
    """Show the attributes of each estimand and the strategy for each intercurrent event.

    Parameters
    ----------
    result : Result
        ``estimands.attributes``.
    study : Study
        Not read.

    Returns
    -------
    Table
        A row per estimand or intercurrent event.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    stats = ("objective", "population", "treatment", "endpoint", "events", "strategy", "summary")
    rows = [
        Row((Cell(name), *(numbers.words(TOTAL, name, stat) for stat in stats)))
        for name in numbers.variables(stat="objective")
    ]
    header = (
        "Estimand",
        "Objective",
        "Population",
        "Treatment condition",
        "Endpoint",
        "Intercurrent events",
        "Strategy",
        "Summary",
    )
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(1.3, 1.6, 1.3, 1.8, 1.8, 2.0, 2.4, 1.8),
        align=["left"] * len(header),
        landscape=True,
    )


def table_benchmarks(result: Result, study: Study) -> Table:
    """Name published studies for context; a number that is not verified is not printed.

    Parameters
    ----------
    result : Result
        ``context.benchmarks``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A row per published study.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    names = numbers.variables(stat="pfs")
    rows = [
        Row(
            (
                Cell(name),
                numbers.words(TOTAL, name, "population"),
                *(numbers.value(TOTAL, name, stat) for stat in _NUMBERS),
            )
        )
        for name in names
    ]
    reasons = sorted({str(numbers.need("n", variable=name)["reason"]) for name in names})
    note = "No comparison with this study: selection, line of therapy and assessment differ."
    table = plain_table(
        numbers,
        header=("Source", "Population", "Participants", "Response rate", "Median PFS", "Median OS"),
        rows=rows,
        widths=(2.2, 3.2, 1.2, 1.2, 1.2, 1.2),
        align=("left", "left", "right", "right", "right", "right"),
    )
    why = tuple(f"NA: {reason}." for reason in reasons if reason)
    return replace(table, footnotes=(note, *why, *table.footnotes))
