"""Phase IB: tumour types, tipping, designs, boundaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from interim.display.labels import word
from interim.display.layout import plain_table
from interim.display.numbers import Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_DASH = "–"
MODELS = ("independent", "exnex", "partition", "hierarchical")


def not_run_table(numbers: Numbers, variable: str, header: tuple[str, ...]) -> Table | None:
    """Return the table of one row that says why there is nothing to show.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    variable : str
        Variable of the row with the reason.
    header : tuple of str
        Column heads.

    Returns
    -------
    Table or None
        None if there is something to show.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
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
    absent = not_run_table(numbers, "candidates", header)
    if absent is not None:
        return replace(absent, rows=(*absent.rows, *_observed_rows(numbers)))
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


def _observed_rows(numbers: Numbers) -> Iterator[Row]:
    """Yield what was observed in every registered type, where no null rate is given."""
    frame = numbers.result.frame
    for group in dict.fromkeys(frame.loc[frame["stat"] == "label", "group"]):
        label, grade = (numbers.words(group, "type", stat) for stat in ("label", "grade"))
        text = f"{word('TUMTYPE', label.text)}; evidence {grade.text}"
        yield Row((Cell(text, (*label.keys, *grade.keys)),), kind="section")
        yield from _rate_rows(numbers, group)
        yield from _fact_rows(numbers, group)


def _rate_rows(numbers: Numbers, group: str) -> Iterator[Row]:
    for variable in ("orr", "dcr"):
        cells = (numbers.rate(group, variable), numbers.interval(group, variable))
        yield Row((Cell(word("expansion", variable)), *cells, *[Cell(_DASH)] * 5), 1)


def _type_rows(numbers: Numbers, group: str) -> Iterator[Row]:
    label = numbers.words(group, "type", "label")
    rates = [numbers.value(group, "type", stat, digits=0, factor=100).text for stat in ("p0", "p1")]
    grade = numbers.words(group, "type", "grade")
    text = f"{label.text}: p0 {rates[0]}%, p1 {rates[1]}%; evidence {grade.text}"
    yield Row((Cell(text, (*label.keys, *grade.keys)),), kind="section")
    yield from _rate_rows(numbers, group)
    for model in (name for name in MODELS if numbers.row("class", group=group, variable=name)):
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
    yield from _fact_rows(numbers, group)
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


def _fact_rows(numbers: Numbers, group: str) -> Iterator[Row]:
    """Scopes, exchangeability, kinetics, ligand, sources: each where the Result has it."""
    parts = {
        "scope": [
            (word("expansion", f"scope_{level}"), _with_limits(numbers, group, "scope", level))
            for level in numbers.levels("scope", group=group)
        ],
        "p_exchangeable": [("", numbers.value(group, "exnex", "p_exchangeable", digits=2))]
        if numbers.row("p_exchangeable", group=group, variable="exnex")
        else [],
        "share": [
            (_label(numbers, level), numbers.value(group, "share", "share", level=level, digits=2))
            for level in numbers.levels("share", group=group)
        ],
        "kinetics": [_kinetics(numbers, group, level) for level in numbers.levels("kinetics", group=group)],
        "ligand": [
            (level, _with_limits(numbers, group, "ligand", level))
            for level in numbers.levels("ligand", group=group)
        ],
        "sources": [("", numbers.words(group, "type", "sources"))]
        if numbers.row("sources", group=group, variable="type")
        else [],
        "unmet_need": [("", _reason(numbers, group, "unmet_need"))]
        if numbers.row("text", group=group, variable="unmet_need")
        else [],
    }
    for name, cells in parts.items():
        if cells:
            yield said(word("expansion", name), cells, columns=7)


def _with_limits(numbers: Numbers, group: str, variable: str, level: str) -> Cell:
    """Return a rate with its exact interval behind it."""
    rate = numbers.rate(group, variable, level=level)
    if numbers.row("lower", group=group, variable=variable, level=level) is None:
        return rate
    limits = numbers.interval(group, variable, level=level)
    return Cell(f"{rate.text} {limits.text}", (*rate.keys, *limits.keys))


def _label(numbers: Numbers, group: str) -> str:
    return next((entry.label for entry in numbers.study.expansion.type if entry.id == group), group)


def _kinetics(numbers: Numbers, group: str, level: str) -> tuple[str, Cell]:
    row = numbers.need("median", group=group, variable="kinetics", level=level)
    cell = numbers.value(group, "kinetics", "median", level=level)
    n = "" if row["status"] != "OK" else f" {row['unit']} (n={int(row['n'])})"
    return word("measures", level), Cell(f"{cell.text}{n}", cell.keys)


def _reason(numbers: Numbers, group: str, variable: str) -> Cell:
    row = numbers.need("text", group=group, variable=variable)
    return Cell(str(row["reason"]), (row["result_id"],))


def said(label: str, parts: Sequence[tuple[str, Cell]], *, columns: int) -> Row:
    """Return a row that tells named numbers in its stub.

    Parameters
    ----------
    label : str
        What is told.
    parts : sequence of tuple
        Name, may be empty, and cell.
    columns : int
        Columns beside the stub.

    Returns
    -------
    Row
        The other cells hold a dash.

    Raises
    ------
    None
    """
    text = "; ".join(f"{name} {cell.text}".strip() for name, cell in parts)
    keys = tuple(key for _, cell in parts for key in cell.keys)
    return Row((Cell(f"{label}: {text}", keys), *[Cell(_DASH)] * columns), 1)


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
    header = ("Change", "P(p > p0)", "PPoS", "Class", "Other types: P(p > p0), PPoS, class")
    absent = not_run_table(numbers, "tipping", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for entry in study.expansion.type:
        rows.append(Row((Cell(entry.label),), kind="section"))
        rows.extend(
            _change_row(numbers, entry.id, change, study)
            for change in numbers.levels("change", group=entry.id)
        )
        smallest = numbers.row("n", group=entry.id, variable="smallest")
        shown = "none" if smallest is None or smallest["status"] != "OK" else f"{smallest['value']:.0f}"
        keys = () if smallest is None else (smallest["result_id"],)
        text = word("expansion", "smallest")
        rows.append(Row((Cell(text), Cell(_DASH), Cell(_DASH), Cell(shown, keys), Cell(_DASH)), 1))
    return plain_table(
        numbers,
        header=header,
        rows=rows,
        widths=(2.6, 0.7, 0.5, 1.1, 5.1),
        align=("left", "right", "right", "left", "left"),
        landscape=True,
    )


def _change_row(numbers: Numbers, group: str, change: str, study: Study) -> Row:
    row = numbers.need("class", group=group, variable="change", level=change)
    text = row["reason"] if row["status"] == "NE" else row["text"]
    return Row(
        (
            Cell(word("expansion", change)),
            numbers.value(group, "change", "prob_above", level=change, digits=3),
            numbers.value(group, "change", "ppos", level=change, digits=3),
            Cell(str(text), (row["result_id"],)),
            _others(numbers, group, change, study),
        ),
        1,
    )


def _others(numbers: Numbers, group: str, change: str, study: Study) -> Cell:
    parts: list[str] = []
    keys: list[str] = []
    for entry in study.expansion.type:
        name = f"other {entry.id}"
        if numbers.row("class", group=group, variable=name, level=change) is None:
            continue
        cells = [numbers.value(group, name, stat, level=change, digits=2) for stat in ("prob_above", "ppos")]
        cells.append(numbers.words(group, name, "class", level=change))
        parts.append(f"{entry.label} {', '.join(cell.text for cell in cells)}")
        keys += [key for cell in cells for key in cell.keys]
    return Cell("; ".join(parts) or _DASH, tuple(keys))


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
        if numbers.row("first_zero", group=name, variable="design"):
            first = numbers.words(name, "design", "first_zero")
            rows.append(said(word("expansion", "first_zero"), [("", first)], columns=4))
        rows.extend(_monitored_rows(numbers, name))
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


def _monitored_rows(numbers: Numbers, name: str) -> Iterator[Row]:
    """The design together with the toxicity monitor: at each true event rate P(go), P(cross), E[N]."""
    for variable in (v for v in numbers.variables(stat="p_cross") if numbers.levels(v, group=name)):
        event = float(variable.removeprefix("with monitor"))
        text = f"{word('expansion', 'with_monitor')} {100 * event:.0f}%"
        yield Row((Cell(text), *[Cell(_DASH)] * 4), 1)
        for rate in numbers.levels(variable, group=name):
            yield Row(
                (
                    Cell(f"{100 * float(rate):g}%"),
                    numbers.value(name, variable, "p_go", level=rate, digits=3),
                    numbers.value(name, variable, "p_cross", level=rate, digits=3),
                    numbers.value(name, variable, "expected_n", level=rate),
                    Cell(_DASH),
                ),
                2,
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
    absent = not_run_table(numbers, "rule", header)
    if absent is not None:
        return absent
    rows: list[Row] = []
    for model in numbers.variables(stat="any_false"):
        why = numbers.row("any_false", variable=model)
        label = word("expansion", model)
        head = Cell(label) if why is None else Cell(f"{label}: {why['reason']}", (why["result_id"],))
        rows.append(Row((head,), kind="section"))
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
    if "phase_ia" in numbers.variables():
        added = numbers.words(TOTAL, "phase_ia", "events")
        rows.append(Row((Cell(word("expansion", "phase_ia")), added, Cell(_DASH))))
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
