"""Listings of kinetic samples, tissue and cytokines."""

from __future__ import annotations

from dataclasses import replace

from interim.display.labels import participant_label, word
from interim.display.layout import plain_table
from interim.display.measures import number_cell
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_SAMPLES = (
    "Day: from the first infusion of the product in the cycle. Carried: no sample was taken then; the last result before the next "
    "cycle stands at the end of one cycle and at the start of the next. <: below that limit of quantification.",
)
_CYTOKINES = ("Day: from the first CAR-NK infusion. <: below that limit of quantification.",)
_ABOVE = {"AFTER_": "after ", "ABOVE_ULOQ": "above the upper limit"}


def _worded(numbers: Numbers, level: str, stat: str, codelist: str | None) -> Cell:
    """Return a text in words of its codelist, or as it is without one."""
    cell = numbers.words(TOTAL, "sample", stat, level=level)
    if cell.text in ("-", "", "None"):
        return Cell(DASH, cell.keys)
    return cell if codelist is None else Cell(word(codelist, cell.text), cell.keys)


def _participant(numbers: Numbers, level: str, study: Study) -> Cell:
    cell = numbers.words(TOTAL, "sample", "participant", level=level)
    return Cell(participant_label(cell.text, study), cell.keys)


def _none(numbers: Numbers, columns: int) -> Row:
    row = numbers.row("n", variable="rows")
    reason = str(row["reason"]) if row is not None and row["reason"] else "no record"
    return Row((Cell(reason), *[Cell(DASH)] * (columns - 1)))


def table_kinetic_samples(result: Result, study: Study) -> Table:
    """List every kinetic sample with its state and its use.

    Parameters
    ----------
    result : Result
        ``kinetic_listing.samples``.
    study : Study
        Participant labels.

    Returns
    -------
    Table
        Days from the first infusion of the cycle.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    lists = {
        "assay": "measures",
        "specimen": "terms",
        "cycle": "",
        "nominal": "terms",
        "result": "",
        "unit": None,
        "state": "kinetic_codes",
        "used": "",
    }
    rows = [
        Row(
            (
                _participant(numbers, level, study),
                *(_worded(numbers, level, stat, name) for stat, name in list(lists.items())[:4]),
                numbers.value(TOTAL, "sample", "day", level=level, digits=2),
                *(_worded(numbers, level, stat, name) for stat, name in list(lists.items())[4:]),
                _worded(numbers, level, "why", "kinetic_codes"),
            )
        )
        for level in numbers.levels("sample", stat="participant")
    ]
    header = (
        "Participant",
        "Assay",
        "Specimen",
        "Cycle",
        "Nominal time",
        "Day",
        "Result",
        "Unit",
        "State",
        "Used for",
        "Why not",
    )
    table = plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, len(header))],
        widths=(1.3, 2.0, 1.1, 0.7, 1.0, 0.8, 1.0, 1.1, 1.3, 1.5, 2.0),
        align=("left", "left", "left", "right", "left", "right", "right", "left", "left", "left", "left"),
        landscape=True,
    )
    return replace(table, footnotes=(*_SAMPLES, *table.footnotes))


def table_tissue(result: Result, study: Study) -> Table:
    """List every tissue sample with its blood sample and the ratio, or its bound.

    Parameters
    ----------
    result : Result
        ``kinetic_listing.tissue``.
    study : Study
        Participant labels, rounding.

    Returns
    -------
    Table
        One row per tissue sample.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = []
    for level in numbers.levels("sample", stat="participant"):
        day, tissue, blood, ratio = (
            number_cell(numbers, TOTAL, variable="sample", level=level, stat=stat)
            for stat in ("day", "tissue", "blood", "ratio")
        )
        bound = numbers.words(TOTAL, "sample", "bound", level=level)
        shown = ratio if bound.text == "-" else bound
        names = (_worded(numbers, level, "assay", "measures"), _worded(numbers, level, "specimen", "terms"))
        why = _worded(numbers, level, "why", "kinetic_codes")
        rows.append(Row((_participant(numbers, level, study), *names, day, tissue, blood, shown, why)))
    header = ("Participant", "Assay", "Tissue", "Day", "Level", "Level in blood", "Ratio", "Why no ratio")
    return plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, len(header))],
        widths=(1.3, 2.0, 1.3, 0.8, 1.0, 1.2, 0.9, 2.2),
        align=("left", "left", "left", "right", "right", "right", "right", "left"),
    )


def table_cytokine_listing(result: Result, study: Study) -> Table:
    """List every cytokine result, one line per participant and time, one column per analyte.

    Parameters
    ----------
    result : Result
        ``kinetic_listing.cytokines``.
    study : Study
        Participant labels.

    Returns
    -------
    Table
        Days from the first CAR-NK infusion.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    frame = result.frame[result.frame["variable"] == "sample"]
    analytes = sorted(set(frame["stat"]) - {"day", "participant"})
    units = {analyte: sorted(set(frame.loc[frame["stat"] == analyte, "unit"])) for analyte in analytes}
    rows = [
        Row(
            (
                _participant(numbers, level, study),
                numbers.value(TOTAL, "sample", "day", level=level, digits=2),
                *(_result(numbers, level, analyte, mixed=len(units[analyte]) > 1) for analyte in analytes),
            )
        )
        for level in numbers.levels("sample", stat="participant")
    ]
    header = ("Participant", "Day", *(_analyte(analyte, units[analyte]) for analyte in analytes))
    table = plain_table(
        numbers,
        header=header,
        rows=rows or [_none(numbers, len(header))],
        widths=(1.2, 0.7, *[1.2] * len(analytes)),
        align=("left", *["right"] * (len(header) - 1)),
        landscape=True,
    )
    return replace(table, footnotes=(*_CYTOKINES, *table.footnotes))


def _analyte(analyte: str, units: list[str]) -> str:
    """Return the head of the column of an analyte, with the unit if all its results have the same."""
    name = word("measures", analyte)
    return f"{name}, {units[0]}" if len(units) == 1 and units[0] else name


def _result(numbers: Numbers, level: str, analyte: str, *, mixed: bool) -> Cell:
    row = numbers.row(analyte, group=TOTAL, variable="sample", level=level)
    if row is None:
        return Cell(DASH)
    text = str(row["text"])
    for code, said in _ABOVE.items():
        text = text.replace(code, said)
    text = text.lower() if "(" in text else text
    return Cell(f"{text} {row['unit']}".strip() if mixed else text, (str(row["result_id"]),))
