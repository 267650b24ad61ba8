"""Phase IB: tumour types, tipping, designs, boundaries, benefit and risk by dose."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.numbers import Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_DASH = "–"
_MODELS = ("independent", "exnex", "partition", "hierarchical")


def _not_run(numbers: Numbers, variable: str, header: tuple[str, ...]) -> Table | None:
    """Table of one row that says why there is nothing to show; None if there is something."""
    row = numbers.row("n", variable=variable)
    if row is None:
        return None
    text = Cell(str(row["reason"]), (row["result_id"],))
    return plain_table(
        numbers,
        header=header,
        rows=[Row((text, *[Cell(_DASH)] * (len(header) - 1)))],
        widths=(3.0, *(1.0 for _ in header[1:])),
        align=("left", *("right" for _ in header[1:])),
        landscape=True,
    )


def table_candidates(result: Result, study: Study) -> Table:
    """Show every tumour type: own data, each model, class, margins.

    Parameters
    ----------
    result : Result
        ``expansion.candidates``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        A section per type.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    header = (
        "Tumour type and model",
        "x/n (%), mean",
        "Interval",
        "P(p > p0)",
        "PPoS",
        "ESS",
        "Borrowed",
        "Class",
    )
    absent = _not_run(numbers, "candidates", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for entry in study.expansion.type:
        rows += _type_rows(numbers, entry.id)
    unknown = numbers.plain(TOTAL, "unknown")
    safety = numbers.words(TOTAL, "safety", "n")
    rows.append(Row((Cell(word("expansion", "unknown")), unknown, *[Cell(_DASH)] * 6)))
    rows.append(Row((Cell(word("expansion", "safety")), safety, *[Cell(_DASH)] * 6)))
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(2.6, 1.4, 1.3, 0.9, 0.8, 0.8, 0.9, 1.4),
        align=("left", *["right"] * 6, "left"),
        landscape=True,
    )


def _type_rows(numbers: Numbers, group: str) -> Iterator[Row]:
    label = numbers.words(group, "type", "label")
    rates = [numbers.value(group, "type", stat, digits=0, factor=100).text for stat in ("p0", "p1")]
    grade = numbers.words(group, "type", "grade")
    text = f"{label.text}: p0 {rates[0]}%, p1 {rates[1]}%; evidence {grade.text}"
    yield Row((Cell(text, (*label.keys, *grade.keys)),), kind="section")
    dashes = [Cell(_DASH)] * 5
    for variable in ("orr", "dcr"):
        yield Row(
            (
                Cell(word("expansion", variable)),
                numbers.rate(group, variable),
                numbers.interval(group, variable),
                *dashes,
            ),
            1,
        )
    for model in (name for name in _MODELS if numbers.row("class", group=group, variable=name)):
        yield _model_row(numbers, group, model)
    differs = numbers.words(group, "decision", "differs")
    record = numbers.words(group, "decision", "record")
    named = ", ".join(word("expansion", name) for name in differs.text.split(", "))
    yield Row(
        (
            Cell(f"{word('expansion', 'differs')}: {named}; {record.text}", (*differs.keys, *record.keys)),
            *[Cell(_DASH)] * 6,
            numbers.words(group, "decision", "class"),
        ),
        1,
    )
    yield _size_row(numbers, group)
    margins = [
        numbers.value(group, "margin", "margin", level=name, digits=2) for name in numbers.levels("margin")
    ]
    named = "; ".join(
        f"{word('expansion', name)} {cell.text}"
        for name, cell in zip(numbers.levels("margin"), margins, strict=True)
    )
    keys = tuple(key for cell in margins for key in cell.keys)
    yield Row((Cell(f"Margins: {named}", keys), *[Cell(_DASH)] * 7), 1)


def _size_row(numbers: Numbers, group: str) -> Row:
    parts: list[str] = []
    keys: list[str] = []
    for m in numbers.levels("size", group=group):
        cells = [
            numbers.value(group, "size", stat, level=m, digits=2) for stat in ("ppos_new", "ppos_pooled")
        ]
        parts.append(f"{m}: {cells[0].text} ({cells[1].text})")
        keys += [key for cell in cells for key in cell.keys]
    text = f"{word('expansion', 'size')}: {'; '.join(parts)}"
    return Row((Cell(text, tuple(keys)), *[Cell(_DASH)] * 7), 1)


def _model_row(numbers: Numbers, group: str, model: str) -> Row:
    return Row(
        (
            Cell(word("expansion", model)),
            numbers.value(group, model, "mean", factor=100),
            numbers.interval(group, model),
            numbers.value(group, model, "prob_above", digits=3),
            numbers.value(group, model, "ppos", digits=3),
            numbers.value(group, model, "ess"),
            numbers.value(group, model, "borrowed"),
            numbers.words(group, model, "class"),
        ),
        1,
    )


def table_tipping(result: Result, study: Study) -> Table:
    """Show what one response more or less would change.

    Parameters
    ----------
    result : Result
        ``expansion.tipping``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        A section per type.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    header = ("Change", "P(p > p0)", "PPoS", "Class")
    absent = _not_run(numbers, "tipping", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for entry in study.expansion.type:
        rows.append(Row((Cell(entry.label),), kind="section"))
        rows.extend(
            _change_row(numbers, entry.id, change) for change in numbers.levels("change", group=entry.id)
        )
        smallest = numbers.row("n", group=entry.id, variable="smallest")
        shown = "none" if smallest is None or smallest["status"] != "OK" else f"{smallest['value']:.0f}"
        keys = () if smallest is None else (smallest["result_id"],)
        text = word("expansion", "smallest")
        rows.append(Row((Cell(text), Cell(_DASH), Cell(_DASH), Cell(shown, keys)), 1))
        for level in ("confirmed", "any"):
            cell = numbers.words(entry.id, "bounds", "class", level=level)
            rows.append(Row((Cell(word("expansion", level)), Cell(_DASH), Cell(_DASH), cell), 1))
        robust = numbers.words(entry.id, "bounds", "robust")
        rows.append(Row((Cell(word("expansion", "robust")), Cell(_DASH), Cell(_DASH), robust), 1))
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(2.6, 1.0, 1.0, 3.0),
        align=("left", "right", "right", "left"),
    )


def _change_row(numbers: Numbers, group: str, change: str) -> Row:
    row = numbers.need("class", group=group, variable="change", level=change)
    text = row["reason"] if row["status"] == "NE" else row["text"]
    return Row(
        (
            Cell(word("expansion", change)),
            numbers.value(group, "change", "prob_above", level=change, digits=3),
            numbers.value(group, "change", "ppos", level=change, digits=3),
            Cell(str(text), (row["result_id"],)),
        ),
        1,
    )


def table_designs(result: Result, study: Study) -> Table:
    """Show the designs and their exact characteristics by true rate.

    Parameters
    ----------
    result : Result
        ``expansion_designs.designs``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        A section per design with its rule; then false go and power of the study's design per type.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    names = dict.fromkeys(result.frame.loc[result.frame["variable"] == "design", "group"])
    for name in names:
        rule = numbers.need("rule", group=name, variable="design")
        text = rule["text"] if rule["status"] == "OK" else rule["reason"]
        rows.append(Row((Cell(f"{word('expansion', name)}: {text}", (rule["result_id"],)),), kind="section"))
        rows.extend(_rate_row(numbers, name, rate) for rate in numbers.levels("rate", group=name))
    rows += list(_limit_rows(numbers, study))
    return plain_table(
        numbers,
        header=("Design and true rate", "P(go)", "P(early stop)", "E[N]", "P(any go, all cohorts)"),
        rows=rows,
        widths=(3.0, 1.0, 1.2, 1.0, 1.6),
        align=("left", *["right"] * 4),
    )


def _rate_row(numbers: Numbers, name: str, rate: str) -> Row:
    return Row(
        (
            Cell(f"{100 * float(rate):g}%"),
            numbers.value(name, "rate", "p_go", level=rate, digits=3),
            numbers.value(name, "rate", "p_stop", level=rate, digits=3),
            numbers.value(name, "rate", "expected_n", level=rate),
            numbers.value(name, "rate", "any_go", level=rate, digits=3),
        ),
        1,
    )


def _limit_rows(numbers: Numbers, study: Study) -> Iterator[Row]:
    if not study.expansion.type:
        return
    yield Row((Cell(word("expansion", "limits")),), kind="section")
    for entry in study.expansion.type:
        name = entry.design or study.expansion.design
        yield Row(
            (
                Cell(f"{entry.label}, {word('expansion', name)}"),
                numbers.value(name, "type", "alpha", level=entry.id, digits=3),
                Cell(_DASH),
                numbers.words(name, "type", "limits", level=entry.id),
                numbers.value(name, "type", "power", level=entry.id, digits=3),
            ),
            1,
        )


def table_rule_of_choice(result: Result, study: Study) -> Table:
    """Show the characteristics of the rule that chooses tumour types.

    Parameters
    ----------
    result : Result
        ``expansion_designs.rule_of_choice``.
    study : Study
        Types, rounding.

    Returns
    -------
    Table
        A section per model, a row per scenario.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    types = study.expansion.type
    header = ("Scenario", *(f"P(GO) {entry.label}" for entry in types), "P(any false GO)")
    absent = _not_run(numbers, "rule", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for model in numbers.variables(stat="any_false"):
        rows.append(Row((Cell(word("expansion", model)),), kind="section"))
        known = (result.frame["variable"] == model) & (result.frame["status"] == "OK")
        scenarios = dict.fromkeys(result.frame.loc[known, "group"])
        rows += [
            Row(
                (
                    Cell(name),
                    *(numbers.value(name, model, "p_go", level=entry.id, digits=3) for entry in types),
                    numbers.value(name, model, "any_false", digits=3),
                ),
                1,
            )
            for name in scenarios
        ]
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(2.6, *(1.2 for _ in types), 1.3),
        align=("left", *("right" for _ in header[1:])),
        landscape=True,
    )


def table_boundaries(result: Result, study: Study) -> Table:
    """Show the boundaries of toxicity and futility by number of participants, and the chance to cross.

    Parameters
    ----------
    result : Result
        ``expansion_designs.boundaries``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A row per number of participants, then a row per true event rate.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = [
        Row((Cell(n), _limit(numbers, "tox", n, ">="), _limit(numbers, "futility", n, "<=")))
        for n in numbers.levels("boundary")
    ]
    rows.append(Row((Cell(word("expansion", "crossing")),), kind="section"))
    rows += [
        Row(
            (
                Cell(f"{100 * float(rate):g}%"),
                numbers.value(TOTAL, "crossing", "p_cross", level=rate, digits=3),
                numbers.value(TOTAL, "crossing", "expected_n", level=rate),
            ),
            1,
        )
        for rate in numbers.levels("crossing")
    ]
    return plain_table(
        numbers,
        header=("Participants treated", "Pause for toxicity / P(cross)", "Stop for futility / E[N]"),
        rows=rows,
        widths=(1.6, 1.6, 1.6),
        align=("left", "right", "right"),
    )


def _limit(numbers: Numbers, stat: str, n: str, sign: str) -> Cell:
    row = numbers.need(stat, variable="boundary", level=n)
    text = f"{sign} {row['value']:.0f}" if row["status"] == "OK" else _DASH
    return Cell(text, (row["result_id"],))


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
    for variable in ("dlt", "related_g3", "crs_g2", "monitored", "orr", "dcr"):
        absent = absent_line(numbers, word("benefit_risk", variable), variable, stat="rate")
        if absent is not None:
            yield absent
        elif variable in numbers.variables(stat="rate"):
            yield Line(word("benefit_risk", variable), partial(numbers.rate, variable=variable))
            yield Line(percent, partial(numbers.interval, variable=variable), 1)
    if "posterior" not in numbers.variables():
        return
    limits = {
        "p_tox_ok": f"P(DLT rate <= {study.dose.tox_limit})",
        "p_active": f"P(response rate >= {100 * study.benefit_risk.p_act:g}%)",
        "joint": word("benefit_risk", "joint"),
    }
    for stat, text in limits.items():
        yield Line(text, partial(numbers.value, variable="posterior", stat=stat, digits=2))
    for stat in ("mean", "sd"):
        text = word("benefit_risk", f"utility_{stat}")
        yield Line(text, partial(numbers.value, variable="utility", stat=stat))
