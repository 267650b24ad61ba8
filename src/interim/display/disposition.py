"""Disposition and baseline: participant flow, analysis sets, demography, disease."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from interim.display.labels import settings, word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import Numbers, decimals
from interim.display.table import Cell, Table
from interim.result import Result
from interim.study import Study


def table_participant_flow(result: Result, study: Study) -> Table:
    """Show what happened to the participants.

    Parameters
    ----------
    result : Result
        ``disposition.participant_flow``.
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
    return cohort_table(numbers, _flow_lines(numbers))


def _flow_lines(numbers: Numbers) -> Iterator[Line]:
    for variable in ("screening", "screen_failure", "enrolled"):
        yield Line(word("flow", variable), _plain(numbers, variable))
        if variable == "screen_failure":
            for level in filter(None, numbers.levels(variable)):
                yield Line(word("reasons", level), _plain(numbers, variable, level), 1)
    for variable, codelist in (
        ("manufacture", "manufacture"),
        ("infusion", "infusion"),
        ("treatment", "reasons"),
        ("status", "EOSSTT"),
        ("discontinuation", "reasons"),
    ):
        yield from _level_lines(numbers, variable, codelist)
    for variable in ("new_therapy", "death"):
        yield Line(word("flow", variable), _count(numbers, variable))


def _level_lines(numbers: Numbers, variable: str, codelist: str) -> Iterator[Line]:
    absent = absent_line(numbers, word("flow", variable), variable)
    if absent:
        yield absent
        return
    levels = numbers.levels(variable)
    if levels:
        yield Line(word("flow", variable))
    for level in levels:
        yield Line(_level_text(codelist, level), _count(numbers, variable, level), 1)


def _level_text(codelist: str, level: str) -> str:
    name, _, number = level.rpartition(" ")
    if codelist == "infusion" and number.isdigit():
        return f"{word(codelist, name)} {number}"
    return word(codelist, level)


def _plain(numbers: Numbers, variable: str, level: str = "") -> Callable[[str], Cell]:
    return partial(numbers.plain, variable=variable, level=level)


def _count(numbers: Numbers, variable: str, level: str = "") -> Callable[[str], Cell]:
    return partial(numbers.count, variable=variable, level=level)


def table_analysis_sets(result: Result, study: Study) -> Table:
    """Show the analysis sets and the reasons for exclusion.

    Parameters
    ----------
    result : Result
        ``disposition.analysis_sets``.
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
    lines = []
    for code in numbers.variables():
        if code.endswith(" excluded"):
            lines += [
                Line(f"Excluded: {word('reasons', level)}", _count(numbers, code, level), 1)
                for level in numbers.levels(code)
            ]
            continue
        text = word("sets", code)
        if code == "NK-SAF" and not study.with_role("nk"):
            text = word("sets", "SAF")
        lines.append(absent_line(numbers, text, code) or Line(text, _count(numbers, code)))
    return cohort_table(numbers, lines)


def table_demography(result: Result, study: Study) -> Table:
    """Show demography.

    Parameters
    ----------
    result : Result
        ``baseline.demography``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per cohort.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    return _baseline(result, study)


def table_disease(result: Result, study: Study) -> Table:
    """Show baseline disease characteristics.

    Parameters
    ----------
    result : Result
        ``baseline.disease``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per cohort.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    return _baseline(result, study)


def _baseline(result: Result, study: Study) -> Table:
    numbers = Numbers(result, study)
    return cohort_table(
        numbers,
        [line for variable in numbers.variables() for line in _variable_lines(numbers, variable)],
        footnotes=("SD: standard deviation; Q1, Q3: quartiles.",),
    )


def _variable_lines(numbers: Numbers, variable: str) -> Iterator[Line]:
    text = word("baseline", variable)
    stats = {stat for stat in ("n", "median") if numbers.absence(variable, stat=stat)}
    if stats:
        absent = absent_line(numbers, text, variable, stat=stats.pop())
        if absent:
            yield absent
        return
    yield Line(_with_unit(numbers, variable, text))
    if numbers.row("median", variable=variable) is not None:
        yield from _summary_lines(numbers, variable)
    for level in filter(None, numbers.levels(variable)):
        yield Line(word(variable, level), _count(numbers, variable, level), 1)


def _with_unit(numbers: Numbers, variable: str, text: str) -> str:
    """Return the label of a variable, with the unit of the data behind it where the label names none."""
    row = numbers.row("median", variable=variable)
    unit = "" if row is None else str(row["unit"] or "")
    return f"{text}, {unit}" if unit and variable in settings("units_of_data") else text


def _summary_lines(numbers: Numbers, variable: str) -> Iterator[Line]:
    raw = decimals(variable)

    def pair(group: str, stats: tuple[str, str], digits: tuple[int, int], pattern: str) -> Cell:
        parts = [
            numbers.value(group, variable, stat, digits=size)
            for stat, size in zip(stats, digits, strict=True)
        ]
        keys = tuple(key for part in parts for key in part.keys)
        if not any(character.isdigit() for part in parts for character in part.text):
            return Cell(parts[0].text, keys)
        return Cell(pattern.format(*(part.text for part in parts)), keys)

    yield Line("n", lambda group: numbers.plain(group, variable), 1)
    if numbers.row("n_blq", variable=variable) is not None:
        yield Line(
            "Below the limit of quantification, n",
            lambda group: numbers.plain(group, variable, stat="n_blq"),
            1,
        )
    yield Line("Mean (SD)", lambda group: pair(group, ("mean", "sd"), (raw + 1, raw + 2), "{} ({})"), 1)
    yield Line("Median", lambda group: numbers.value(group, variable, "median", digits=raw + 1), 1)
    yield Line("Q1, Q3", lambda group: pair(group, ("q1", "q3"), (raw + 1, raw + 1), "{}, {}"), 1)
    yield Line("Minimum, maximum", lambda group: pair(group, ("min", "max"), (raw, raw), "{}, {}"), 1)
