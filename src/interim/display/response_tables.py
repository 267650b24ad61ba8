"""Response beyond the primary definition: iRECIST, depth, regions, concordance of evaluators and routes."""

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

_SPREAD = (("median", "Median"), ("min", "Lowest"), ("max", "Highest"))
_DEPTH = ("time_to_response", "depth", "time_to_nadir")
_REGIONS = ("liver", "extrahepatic")
_RESPONSES = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")


def table_irecist(result: Result, study: Study) -> Table:
    """Show unconfirmed best response and best response by iRECIST, with the shift between RECIST 1.1 and iRECIST.

    Parameters
    ----------
    result : Result
        ``response_criteria.irecist``.
    study : Study
        Column labels, rounding, level.

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
    absent = absent_line(numbers, word("rates", "orr"), "orr_unconfirmed", stat="rate")
    lines = [absent] if absent else list(_irecist_lines(numbers, study))
    kind = "confirmed" if study.response.confirmation_required else "unconfirmed"
    return cohort_table(
        numbers, lines, footnotes=(f"iRECIST and the shift by the {kind} best response; exploratory.",)
    )


def _irecist_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    yield from _best_lines(
        numbers, "bor_unconfirmed", "Best overall response, RECIST 1.1, unconfirmed", "bor"
    )
    yield from _rate(numbers, study, "orr_unconfirmed", "Objective response rate, unconfirmed")
    yield from _shift_lines(numbers, "confirmation", "Shift from unconfirmed to confirmed", "bor_short")
    absent = absent_line(numbers, "iRECIST", "orr_irecist", stat="rate")
    if absent:
        yield absent
        return
    yield from _best_lines(numbers, "ibor", "Best overall response, iRECIST", "ibor")
    yield from _rate(numbers, study, "orr_irecist", "Objective response rate, iRECIST")
    yield Line("Progression by iRECIST")
    for level, text in (
        ("confirmed", "Confirmed (iCPD)"),
        ("open", "Unconfirmed at the last assessment (iUPD)"),
    ):
        yield Line(text, partial(numbers.count, variable="irecist_pd", level=level), 1)
    yield from _shift_lines(numbers, "shift", "Shift from RECIST 1.1 to iRECIST", "ibor_short")


def _shift_lines(numbers: Numbers, variable: str, text: str, codelist: str) -> Iterator[Line]:
    levels = numbers.levels(variable)
    if levels:
        yield Line(text)
    for level in levels:
        one, two = level.split(" > ")
        stub = f"{word('bor_short', one)} to {word(codelist, two)}"
        yield Line(stub, partial(numbers.count, variable=variable, level=level), 1)


def _best_lines(numbers: Numbers, variable: str, text: str, codelist: str) -> Iterator[Line]:
    yield Line(text)
    for level in numbers.levels(variable):
        yield Line(word(codelist, level), partial(numbers.count, variable=variable, level=level), 1)


def _rate(
    numbers: Numbers, study: Study, variable: str, text: str, *, level: str = "", indent: int = 0
) -> Iterator[Line]:
    yield Line(text, partial(numbers.rate, variable=variable, level=level), indent)
    percent = f"{100 * study.stats.level:g}% CI, %"
    yield Line(percent, partial(numbers.interval, variable=variable, level=level), indent + 1)


def table_depth(result: Result, study: Study) -> Table:
    """Show time to response, depth of response, time to the nadir and the fall of tumour markers.

    Parameters
    ----------
    result : Result
        ``depth.summary``.
    study : Study
        Column labels, rounding, level.

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
    note = "Markers: participants whose last value before the first infusion lies above the upper limit of normal."
    return cohort_table(numbers, _depth_lines(numbers, study), footnotes=(note,))


def _depth_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    for variable in _DEPTH:
        text = word("depth", variable)
        absent = absent_line(numbers, text, variable, stat="median")
        if absent:
            yield absent
            continue
        yield Line(text)
        yield Line("Participants", partial(numbers.count, variable=variable), 1)
        for stat, name in _SPREAD:
            yield Line(name, partial(numbers.value, variable=variable, stat=stat), 1)
    for level in numbers.levels("marker"):
        limit = numbers.row("limit", variable="fall", level=level)
        least = f"at least {float(limit['value']):g} %" if limit is not None else "the limit"
        text = f"Fall of {word('markers', level)} by {least}"
        absent = absent_line(numbers, text, "marker", stat="rate")
        yield from [absent] if absent else _rate(numbers, study, "marker", text, level=level)


def table_regional(result: Result, study: Study) -> Table:
    """Show the response of the liver lesions and of those elsewhere.

    Parameters
    ----------
    result : Result
        ``regional.responses``.
    study : Study
        Column labels, rounding, level.

    Returns
    -------
    Table
        One column per assigned cohort; a footnote says that it is not RECIST.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    note = (
        "Post-hoc definition, not RECIST: target lesions of the region only, no non-target and no new lesion."
    )
    return cohort_table(numbers, _regional_lines(numbers, study), footnotes=(note,))


def _regional_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    for region in _REGIONS:
        text = word("regions", region)
        absent = absent_line(numbers, text, f"{region}_orr", stat="rate")
        if absent:
            yield absent
            continue
        yield Line(text)
        yield Line(
            "With a target lesion", partial(numbers.plain, variable=f"population_{region}", stat="N"), 1
        )
        for name in ("orr", "dcr"):
            yield from _rate(numbers, study, f"{region}_{name}", word("rates", name), indent=1)
    if numbers.row("n", variable="both") is not None:
        yield Line("With target lesions in both regions", partial(numbers.count, variable="both"))
        yield Line("Response in one region only", partial(numbers.count, variable="discordant_response"), 1)
        yield Line(
            "Progression in one, control in the other",
            partial(numbers.count, variable="discordant_progression"),
            1,
        )


def table_evaluators(result: Result, study: Study) -> Table:
    """Show the agreement of the evaluators and every discordant pair.

    Parameters
    ----------
    result : Result
        ``concordance.evaluators``.
    study : Study
        Rounding, level, primary evaluator.

    Returns
    -------
    Table
        A section per other evaluator.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    for other in numbers.levels("bor", stat="lower"):
        rows.append(
            Row((Cell(f"{study.response.evaluator.capitalize()} and {other.lower()}"),), kind="section")
        )
        for variable, text in (("bor", "Best overall response"), ("pd", "Progression, yes or no")):
            rows.append(_agreement_row(numbers, variable, text, level=other))
        for name in ("earlier", "same", "later"):
            cell = numbers.count(TOTAL, "pd_date", level=f"{other} {name}")
            text = {"same": "Progression on the same day"}.get(name, f"Progression {name} by {other.lower()}")
            rows.append(Row((Cell(text), cell, Cell(DASH), Cell(DASH)), 1))
        rows += _pair_rows(numbers, other, study)
    if not rows:
        rows = [_nothing(numbers, "bor", 4)]
    return plain_table(
        numbers,
        header=("Comparison", "Agreement", f"{100 * study.stats.level:g}% CI, %", "Kappa"),
        rows=rows,
        widths=(4.0, 2.0, 2.0, 1.2),
        align=("left", "right", "right", "right"),
    )


def _nothing(numbers: Numbers, variable: str, columns: int) -> Row:
    row = numbers.need("rate", variable=variable)
    text = str(row["reason"])
    return Row(
        (Cell(text[:1].upper() + text[1:]), Cell("NA", (row["result_id"],)), *[Cell(DASH)] * (columns - 2))
    )


def _agreement_row(numbers: Numbers, variable: str, text: str, *, level: str) -> Row:
    cells = (
        numbers.rate(TOTAL, variable, level=level),
        numbers.interval(TOTAL, variable, level=level),
        numbers.value(TOTAL, variable, "kappa", level=level, digits=2),
    )
    return Row((Cell(text), *cells), 1)


def _pair_rows(numbers: Numbers, other: str, study: Study) -> Iterator[Row]:
    for level in numbers.levels("pair", stat="participant"):
        subject = numbers.words(TOTAL, "pair", "participant", level=level)
        if level != f"{other} {subject.text}":
            continue
        values = [numbers.words(TOTAL, "pair", stat, level=level) for stat in ("primary", "other")]
        short = " and ".join(word("bor_short", value.text) for value in values)
        keys = tuple(key for value in values for key in value.keys)
        stub = f"Discordant: {participant_label(subject.text, study)}"
        yield Row((Cell(stub), Cell(short, keys), Cell(DASH), Cell(DASH)), 2)


def _place(response: str) -> int:
    """Return the place of a response in printed order."""
    return _RESPONSES.index(response) if response in _RESPONSES else len(_RESPONSES)


def table_routes(result: Result, study: Study) -> Table:
    """Show responses derived from lesions against reported ones: counts of time points and agreement.

    Parameters
    ----------
    result : Result
        ``concordance.routes``.
    study : Study
        Rounding, level.

    Returns
    -------
    Table
        Rows derived, columns reported.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    levels = [tuple(level.split(" > ")) for level in numbers.levels("matrix")]
    reported = sorted({two for _, two in levels}, key=_place)
    heads = [f"Reported {word('bor_short', two)}" for two in reported] or [" ", " "]
    columns = len(heads)
    rows = [
        Row(
            (
                Cell(f"Derived {word('bor_short', one)}"),
                *(numbers.plain(TOTAL, "matrix", level=f"{one} > {two}") for two in reported),
            )
        )
        for one in sorted({one for one, _ in levels}, key=_place)
    ]
    blank = [Cell(DASH)] * (columns - 1)
    if rows:
        interval = f"{100 * study.stats.level:g}% CI, %"
        rows.append(Row((Cell("Agreement of all time points"), numbers.rate(TOTAL, "agreement"), *blank)))
        rows.append(Row((Cell(interval), numbers.interval(TOTAL, "agreement"), *blank), 1))
        rows.append(Row((Cell("Kappa"), numbers.value(TOTAL, "agreement", "kappa", digits=2), *blank)))
    else:
        rows = [_nothing(numbers, "agreement", columns + 1)]
    route = numbers.row("name", variable="route")
    table = plain_table(
        numbers,
        header=("Time points", *heads),
        rows=rows,
        widths=(2.2, *[1.4] * columns),
        align=("left", *["right"] * columns),
    )
    if route is None:
        return table
    source = "the lesions" if route["text"] == "lesions" else "the reported responses"
    return replace(table, footnotes=(f"The endpoints of this report rest on {source}.", *table.footnotes))


def table_contradictions(result: Result, study: Study) -> Table:
    """List every reported response that contradicts the lesions.

    Parameters
    ----------
    result : Result
        ``concordance.contradictions``.
    study : Study
        Participant labels.

    Returns
    -------
    Table
        A row per contradiction.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = []
    for level in numbers.levels("finding", stat="participant"):
        subject, rule, evaluator, reported, derived, reason = (
            numbers.words(TOTAL, "finding", stat, level=level)
            for stat in ("participant", "rule", "evaluator", "reported", "derived", "reason")
        )
        rows.append(
            Row(
                (
                    Cell(participant_label(subject.text, study), subject.keys),
                    numbers.value(TOTAL, "finding", "day", level=level, digits=0),
                    evaluator,
                    rule,
                    reported,
                    derived,
                    reason,
                )
            )
        )
    if not rows:
        cell = numbers.plain(TOTAL, "contradictions")
        row = numbers.row("n", variable="contradictions")
        text = "No contradiction" if row is None or not row["reason"] else str(row["reason"])
        rows = [Row((Cell(text[:1].upper() + text[1:]), cell, *[Cell(DASH)] * 5))]
    return plain_table(
        numbers,
        header=("Participant", "Day", "Evaluator", "Rule", "Reported", "Derived", "Reason"),
        rows=rows,
        widths=(1.4, 0.7, 1.5, 1.2, 1.3, 1.3, 4.2),
        align=("left", "right", "left", "left", "left", "left", "left"),
        landscape=True,
    )
