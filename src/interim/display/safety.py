"""Safety: tables of treatment-emergent adverse events."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interim.display.labels import column_label, word
from interim.display.layout import STUB_WIDTH, Line, absent_line, cohort_table, made, notes, orientation
from interim.display.numbers import Numbers
from interim.display.table import Cell, Head, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_WORST = "† worst case: a serious event without a relation counts as related, a start known in part as emergent if it can be."
_EVENTS = "Participants with an event: number and percentage of the column [number of events]."


def table_teae_summary(result: Result, study: Study) -> Table:
    """Show the overall summary of adverse events.

    Parameters
    ----------
    result : Result
        ``safety.teae_summary``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per actual dose.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    lines = []
    for variable in numbers.variables():
        text = word("teae", variable)
        absent = absent_line(numbers, text, variable)
        assumed = numbers.row("n_best", variable=variable) is not None
        lines.append(
            absent or Line(f"{text} †" if assumed else text, partial(numbers.counted, variable=variable))
        )
        if assumed:
            best = partial(numbers.counted, variable=variable, stats=("n_best", "events_best"))
            lines.append(Line("without what is assumed", best, 1))
    marked = any(line.text.endswith("†") for line in lines)
    return cohort_table(numbers, lines, footnotes=(_EVENTS, _WORST) if marked else (_EVENTS,))


def table_teae_by_soc_pt(result: Result, study: Study) -> Table:
    """Show adverse events by class and term: any grade, and grade 3 or higher.

    Parameters
    ----------
    result : Result
        ``safety.teae_by_soc_pt``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        Two columns per actual dose where grades were collected, else one.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    graded = not numbers.absence("teae", stat="n_grade3")
    if not graded or not numbers.variables(stat="n_grade3"):
        reason = numbers.absence("teae", stat="n_grade3")
        notes = (_EVENTS, f"Grade 3 or higher: {reason}.") if reason else (_EVENTS,)
        return cohort_table(numbers, list(_term_lines(numbers)), footnotes=notes)
    pairs = (("n", "events"), ("n_grade3", "events_grade3"))
    rows = [
        Row(
            (
                Cell(text),
                *(numbers.counted(g, soc, level=pt, stats=s) for g in numbers.groups for s in pairs),
            ),
            depth,
        )
        for soc, pt, text, depth in _terms(numbers, "n")
    ]
    heads = ("Any grade", "Grade >= 3")
    return _banded(numbers, rows, heads=heads, footnotes=(_EVENTS,))


def _term_lines(numbers: Numbers) -> Iterator[Line]:
    absent = absent_line(numbers, word("teae", "teae"), "teae")
    if absent:
        yield absent
        return
    for soc, pt, text, depth in _terms(numbers, "n"):
        yield Line(text, partial(numbers.counted, variable=soc, level=pt), depth)


def _terms(numbers: Numbers, stat: str) -> Iterator[tuple[str, str, str, int]]:
    """Yield class, term, printed text and depth, in the order of the Result."""
    for soc in numbers.variables(stat=stat):
        for pt in numbers.levels(soc, stat=stat):
            if soc in _FURTHER:
                yield soc, pt, _further(numbers, soc, pt), 0
            else:
                text = word("teae", soc) if soc == "teae" else word("terms", pt or soc)
                yield soc, pt, text, 1 if pt else 0


_FURTHER = ("related", "related_best", "outcome")


def _further(numbers: Numbers, variable: str, level: str) -> str:
    """Return the stub of a row below the terms; a dagger where a relation is assumed."""
    text = word("serious", variable)
    if absent := absent_line(numbers, text, variable):
        return absent.text
    assumed = variable == "related" and numbers.levels("related_best", stat="n")
    return f"{text}{word('terms', level)}" if level else f"{text} †" if assumed else text


def _banded(
    numbers: Numbers, rows: list[Row], *, heads: tuple[str, ...], footnotes: tuple[str, ...]
) -> Table:
    """Return a table in which each cohort has several columns."""
    study = numbers.study
    upper = [Head(" ")]
    for group in numbers.groups:
        size = numbers.size(group)
        upper.append(Head(f"{column_label(group, study)}\n{size.text}", len(heads), size.keys))
    lower = [Head(" "), *(Head(text) for _ in numbers.groups for text in heads)]
    width = len(heads) * len(numbers.groups)
    return Table(
        title=numbers.result.title,
        population=numbers.result.population,
        header=(tuple(upper), tuple(lower)),
        rows=tuple(rows),
        widths=(STUB_WIDTH, *(1.0 for _ in range(width))),
        align=("left", *("right" for _ in range(width))),
        footnotes=notes(numbers, *footnotes),
        orientation=orientation(width),
    )


def table_teae_by_max_grade(result: Result, study: Study, *, by_cohort: bool = False) -> Table:
    """Show adverse events by term and the participant's highest grade, or severity where there are no grades.

    Parameters
    ----------
    result : Result
        ``safety.teae_by_max_grade``.
    study : Study
        Column labels, rounding.
    by_cohort : bool
        One block of rows per cohort before the total; else the total only.

    Returns
    -------
    Table
        One column per grade; each block of rows is one dose column of the study.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    if not numbers.variables(stat="any") or numbers.absence("teae", stat="any"):
        line = absent_line(numbers, word("teae", "teae"), "teae", stat="any")
        return cohort_table(numbers, [line] if line else [])
    stats = _grade_stats(numbers)
    groups = numbers.groups if by_cohort else (TOTAL,)
    rows: list[Row] = []
    for group in groups:
        size = numbers.size(group)
        rows.append(Row((Cell(f"{column_label(group, study)}, {size.text}", size.keys),), kind="section"))
        rows += [made(line, stats) for line in _grade_lines(numbers, group)]
    absent = numbers.absence("teae", stat="grade1")
    return Table(
        title=result.title,
        population=result.population,
        header=((Head(" "), *(Head(word("max_grade", stat)) for stat in stats)),),
        rows=tuple(rows),
        widths=(STUB_WIDTH, *(1.0 for _ in stats)),
        align=("left", *("right" for _ in stats)),
        footnotes=notes(
            numbers, *((f"Toxicity grades: {absent}; severity is shown instead.",) if absent else ())
        ),
        orientation=orientation(len(stats) + 1),
    )


def _grade_stats(numbers: Numbers) -> tuple[str, ...]:
    frame = numbers.result.frame
    here = frame[
        (frame["variable"] == "teae") & (frame["group"] == TOTAL) & frame["status"].isin(["OK", "FLAG"])
    ]
    return tuple(here["stat"])


def _grade_lines(numbers: Numbers, group: str) -> Iterator[Line]:
    for soc, pt, text, depth in _terms(numbers, "any"):
        row = numbers.row("any", group=group, variable=soc, level=pt)
        if row is None or (soc != "teae" and row["n"] == 0):
            continue
        yield Line(text, partial(_grade_cell, numbers, group, soc, pt), depth)


def _grade_cell(numbers: Numbers, group: str, soc: str, pt: str, stat: str) -> Cell:
    return numbers.count(group, soc, level=pt, stat=stat)


def table_related_teae(result: Result, study: Study) -> Table:
    """Show related adverse events by cause and term.

    Parameters
    ----------
    result : Result
        ``safety_period.related_teae``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per actual dose; of each cause any grade, and grade 3 or higher where there is such an event.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    lines: list[Line] = []
    for cause in numbers.variables(stat="n"):
        text = word("cause", cause)
        absent = absent_line(numbers, text, cause)
        if absent:
            lines.append(absent)
            continue
        for term in numbers.levels(cause, stat="n"):
            name = word("terms", term) if term else text
            lines.append(Line(name, partial(numbers.counted, variable=cause, level=term), 1 if term else 0))
            severe = numbers.row("n_grade3", variable=cause, level=term)
            if severe is not None and severe["n"]:
                stats = ("n_grade3", "events_grade3")
                cell = partial(numbers.counted, variable=cause, level=term, stats=stats)
                lines.append(Line("grade 3 or higher", cell, 2 if term else 1))
    return cohort_table(numbers, lines, footnotes=(_EVENTS,))


def table_teae_by_period(result: Result, study: Study) -> Table:
    """Show adverse events by treatment period with rates per person-time.

    Parameters
    ----------
    result : Result
        ``safety_period.teae_by_period``.
    study : Study
        Column labels, rounding, level.

    Returns
    -------
    Table
        One block of rows per period, one column per actual dose.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    percent = f"{100 * study.stats.level:g}"
    lines: list[Line] = []
    for phase in numbers.variables():
        row = numbers.row("n", variable=phase, level="any")
        if row is not None and row["status"] == "NA":
            lines.append(Line(f"{word('period', phase)} – {row['reason']}"))
            continue
        lines.append(Line(word("period", phase)))
        lines.append(Line("Participants", partial(numbers.plain, variable=phase, level="reached"), 1))
        days = partial(numbers.value, variable=phase, stat="days", level="any", digits=0)
        lines.append(Line("Person-days", days, 1))
        for level in ("any", "grade3", "aesi"):
            if level in numbers.levels(phase):
                lines += _rated(numbers, phase, level, percent)
    return cohort_table(numbers, lines, footnotes=(_EVENTS, "Rates with exact Poisson limits."))


def _rated(numbers: Numbers, phase: str, level: str, percent: str) -> Iterator[Line]:
    """Yield participants with an event, the rate of events, and its limits."""
    yield Line(word("period_row", level), partial(numbers.counted, variable=phase, level=level), 1)
    if level in numbers.levels(phase, stat="rate"):
        rate = partial(numbers.value, variable=phase, stat="rate", level=level, digits=2)
        limits = partial(numbers.interval, variable=phase, level=level, digits=2, factor=1.0)
        yield Line(word("period_row", "rate"), rate, 2)
        yield Line(f"{percent}% CI", limits, 2)


def table_deaths(result: Result, study: Study) -> Table:
    """Show deaths by time from the last infusion and cause.

    Parameters
    ----------
    result : Result
        ``safety_period.deaths``.
    study : Study
        Column labels, rounding, window.

    Returns
    -------
    Table
        One column per actual dose.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    days = study.safety.death_window_days
    lines: list[Line] = []
    for variable in numbers.variables():
        levels = [level for level in numbers.levels(variable) if level]
        if not levels:
            text = word("deaths", variable).format(days=days)
            if absent := absent_line(numbers, text, variable, indent=1):
                lines.append(absent)
                continue
            lines.append(Line(text, partial(numbers.count, variable=variable), 0 if variable == "all" else 1))
            continue
        lines.append(Line(word("deaths", variable)))
        lines += [
            Line(word("terms", level), partial(numbers.count, variable=variable, level=level), 1)
            for level in levels
        ]
    return cohort_table(numbers, lines)
