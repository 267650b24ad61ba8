"""Benefit and risk by dose: components, utility, and the rationale of the recommended dose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from interim.display.labels import column_label, settings, word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_RATES = ("dlt", "related_g3", "crs_g2", "monitored", "hepatic", "completed", "orr", "dcr", "marker_fall")


def table_benefit_risk(result: Result, study: Study) -> Table:
    """Show benefit and risk by dose, the joint desirability last.

    Parameters
    ----------
    result : Result
        ``benefit_risk.by_dose``.
    study : Study
        Columns, rounding, limits.

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
    return cohort_table(numbers, list(_benefit_lines(numbers, study)))


def _benefit_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    percent = f"{100 * study.stats.level:g}% {word('dlt', 'interval')}"
    for variable in _RATES:
        absent = absent_line(numbers, word("benefit_risk", variable), variable, stat="rate")
        if absent is not None:
            yield absent
        elif variable in numbers.variables(stat="rate"):
            yield Line(word("benefit_risk", variable), partial(numbers.rate, variable=variable))
            yield Line(percent, partial(numbers.interval, variable=variable), 1)
    yield from _spread_lines(numbers)
    if "posterior" not in numbers.variables():
        return
    limits = {
        "p_tox_ok": f"P(DLT rate <= {study.dose.tox_limit})",
        "p_active": f"P(response rate >= {100 * study.benefit_risk.p_act:g}%)",
        "joint": word("benefit_risk", "joint"),
    }
    for stat in ("mean", "sd"):
        text = word("benefit_risk", f"utility_{stat}")
        yield Line(text, partial(numbers.value, variable="utility", stat=stat))
    for stat, text in limits.items():
        yield Line(text, partial(numbers.value, variable="posterior", stat=stat, digits=2))
    if "index" in numbers.variables():
        yield Line(word("benefit_risk", "index"), partial(numbers.words, variable="index", stat="text"))


def _spread_lines(numbers: Numbers) -> Iterator[Line]:
    """Median, range and number of kinetic values per assay."""
    for variable in ("exposure", "persistence"):
        absent = absent_line(numbers, word("benefit_risk", variable), variable, stat="median")
        if absent is not None:
            yield absent
        for level in filter(None, numbers.levels(variable)):
            unit = numbers.need("median", variable=variable, level=level)["unit"]
            text = f"{word('benefit_risk', variable)}, {word('measures', level)} ({unit}): median [range], n"
            yield Line(text, partial(_spread, numbers, variable=variable, level=level))


def _spread(numbers: Numbers, group: str, *, variable: str, level: str) -> Cell:
    cells = [numbers.value(group, variable, stat, level=level) for stat in ("median", "min", "max")]
    n = numbers.plain(group, variable, level=level)
    keys = tuple(key for cell in (*cells, n) for key in cell.keys)
    if n.text in ("0", DASH):
        return Cell(cells[0].text, keys)
    return Cell(f"{cells[0].text} [{cells[1].text}, {cells[2].text}], {n.text}", keys)


def table_utility(result: Result, study: Study) -> Table:
    """Show the utility of the doses, the chance that each is best, and the best dose under other scores.

    Parameters
    ----------
    result : Result
        ``benefit_risk_utility.ranking``.
    study : Study
        Columns, rounding.

    Returns
    -------
    Table
        One column per dose level; then a line per score of the second cell.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    absent = numbers.row("mean", variable="utility")
    if absent is not None:
        reason = f"{word('benefit_risk', 'utility_mean')} {DASH} {absent['reason']}"
        return cohort_table(numbers, [Line(reason, lambda group: Cell(DASH))])
    doses = tuple(group for group in numbers.groups if group != TOTAL)
    table = cohort_table(numbers, list(_utility_lines(numbers)), groups=doses)
    conclusion = numbers.words(TOTAL, "conclusion", "text")
    rows = [*table.rows, *_score_rows(numbers, len(doses))]
    if conclusion.keys:
        rows.append(
            Row(
                (Cell(f"{word('benefit_risk', 'conclusion')}: {conclusion.text}", conclusion.keys),),
                kind="section",
            )
        )
    return replace(table, rows=tuple(rows))


def _utility_lines(numbers: Numbers) -> Iterator[Line]:
    for stat in ("mean", "sd"):
        yield Line(
            word("benefit_risk", f"utility_{stat}"), partial(numbers.value, variable="utility", stat=stat)
        )
    refused = numbers.row("value", variable="p_best")
    for variable in ("joint", "p_best"):
        reason = f" {DASH} {refused['reason']}" if refused is not None and variable == "p_best" else ""
        text = word("benefit_risk", "joint_drawn" if variable == "joint" else variable)
        yield Line(f"{text}{reason}", partial(_drawn, numbers, variable=variable))
    yield Line(word("benefit_risk", "times_best"), partial(numbers.count, variable="times_best"))


def _drawn(numbers: Numbers, group: str, *, variable: str) -> Cell:
    """A share of random draws with its standard error."""
    cells = [numbers.value(group, variable, stat, digits=3) for stat in ("value", "mcse")]
    if not cells[0].keys:
        return Cell(DASH)
    return Cell(f"{cells[0].text} ({cells[1].text})", (*cells[0].keys, *cells[1].keys))


def _score_rows(numbers: Numbers, columns: int) -> Iterator[Row]:
    """Best dose by score: one row per score of the cell with response and event, the other scores in it."""
    found: dict[str, list[tuple[str, Cell]]] = {}
    for level in numbers.levels("ranking"):
        first, second = level.split(", ")
        found.setdefault(first, []).append((second, numbers.words(TOTAL, "ranking", "best", level=level)))
    for first, cells in found.items():
        text = "; ".join(f"{name} {cell.text}" for name, cell in cells)
        keys = tuple(key for _, cell in cells for key in cell.keys)
        yield Row(
            (Cell(f"{word('benefit_risk', 'ranking')} {first}: {text}", keys), *[Cell(DASH)] * columns), 1
        )


def table_rationale(result: Result, study: Study) -> Table:
    """Show the evidence for the dose by criterion, and the comparison with every lower dose.

    Parameters
    ----------
    result : Result
        ``benefit_risk_rationale.rationale``.
    study : Study
        Columns, rounding.

    Returns
    -------
    Table
        A row per criterion, then why not a lower dose.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    doses = [group for group in numbers.groups if group != TOTAL]
    labels = [column_label(dose, study).splitlines()[0] for dose in doses]
    header = ("Criterion", "Evidence", *labels, "Supports, neutral, against", "Uncertainty")
    absent = numbers.row("n", variable="criterion")
    if absent is not None:
        rows = [Row((Cell(str(absent["reason"]), (absent["result_id"],)), *[Cell(DASH)] * (len(header) - 1)))]
    else:
        rows = list(_rationale_rows(numbers, doses))
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(1.1, 1.1, *(1.3 for _ in doses), 2.5, 1.1),
        align=("left",) * len(header),
        landscape=True,
    )


def _rationale_rows(numbers: Numbers, doses: list[str]) -> Iterator[Row]:
    dose = numbers.words(TOTAL, "dose", "text")
    yield Row((Cell(f"{word('benefit_risk', 'candidate')}: {dose.text}", dose.keys),), kind="section")
    for name in numbers.levels("criterion"):
        label, evidence, spread = (
            numbers.words(TOTAL, "criterion", stat, level=name)
            for stat in ("label", "evidence", "uncertainty")
        )
        row = numbers.need("reading", variable="criterion", level=name)
        reading = Cell(str(row["text"] if row["status"] == "OK" else row["reason"]), (row["result_id"],))
        quotes = (_quoted(numbers, name, group) for group in doses)
        yield Row((label, _with_total(numbers, name, evidence), *quotes, reading, spread))
    yield Row((Cell(word("benefit_risk", "lower")),), kind="section")
    for level in numbers.levels("lower"):
        yield _lower_row(numbers, level, len(doses))


def _with_total(numbers: Numbers, criterion: str, evidence: Cell) -> Cell:
    """The table with the evidence, and the number over all doses that a criterion quotes."""
    name = settings("benefit_risk_total").get(criterion)
    if name is None or numbers.row("rate", variable=name) is None:
        return evidence
    cell, limits = numbers.rate(TOTAL, name), numbers.interval(TOTAL, name)
    text = f"{evidence.text}; {word('benefit_risk', name)}: {cell.text} {limits.text}"
    return Cell(text, (*evidence.keys, *cell.keys, *limits.keys))


def _quoted(numbers: Numbers, criterion: str, group: str) -> Cell:
    """The components that a criterion quotes, for one dose."""
    named = settings("benefit_risk_quote").get(criterion, {})
    cells = [
        (text, numbers.rate(group, name))
        for name, text in named.items()
        if numbers.row("rate", group=group, variable=name)
    ]
    cells += [
        (
            f"{word('benefit_risk', name)}, {word('measures', level)}:",
            numbers.value(group, name, "median", level=level),
        )
        for name in settings("benefit_risk_spread").get(criterion, ())
        for level in filter(None, numbers.levels(name))
    ]
    text = "; ".join(f"{name} {cell.text}" for name, cell in cells)
    return Cell(text or DASH, tuple(key for _, cell in cells for key in cell.keys))


def _lower_row(numbers: Numbers, level: str, columns: int) -> Row:
    row = numbers.need("reading", variable="lower", level=level)
    reading = Cell(str(row["text"] if row["status"] == "OK" else row["reason"]), (row["result_id"],))
    cells = [
        numbers.value(TOTAL, "lower", stat, level=level, digits=2)
        for stat in ("p_more_active", "p_more_toxic")
    ]
    size = "" if row["n"] is None or not level else f" (n={int(row['n'])})"
    told = [
        Cell(f"{word('benefit_risk', stat)} {cell.text}", cell.keys)
        for stat, cell in zip(("p_more_active", "p_more_toxic"), cells, strict=True)
    ]
    both = Cell(f"{told[1].text}; {told[0].text}", (*told[1].keys, *told[0].keys)) if level else Cell(DASH)
    label = f"{column_label(level, numbers.study).splitlines()[0]}{size}" if level else DASH
    return Row((Cell(label), both, *[Cell(DASH)] * columns, reading, Cell(DASH)), 1)
