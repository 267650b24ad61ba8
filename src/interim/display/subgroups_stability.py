"""Tables of stability, and of time to event by factors that are known after baseline only."""

from __future__ import annotations

from interim.display.labels import word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.subgroups import entries_of
from interim.display.subgroups_rules import check_rows
from interim.display.subgroups_words import level_word
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study


def table_stability(result: Result, study: Study) -> Table:
    """Show the gap between levels when one participant is left out, and the cells that other definitions change.

    Parameters
    ----------
    result : Result
        ``subgroups.leave_one_out``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A row per factor, then a row per other definition.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    rows = []
    for entry in entries_of(numbers, "entry"):
        gap = numbers.value(entry, "orr", "gap", factor=100.0)
        row = numbers.row("gap", group=entry, variable="orr")
        fragile = row is not None and row["status"] == "FLAG"
        label = numbers.words(entry, "entry", "label").text
        rows.append(
            Row(
                (
                    Cell(f"{label} ‡" if fragile else label),
                    gap,
                    _span(numbers, entry, ("gap_lower", "gap_upper")),
                    numbers.value(entry, "orr", "diff", factor=100.0),
                    _span(numbers, entry, ("diff_lower", "diff_upper")),
                )
            )
        )
    rows.append(Row((Cell("Level cells that another definition changes"),), kind="section"))
    for level in numbers.levels("definition", stat="n"):
        changed = numbers.row("n", variable="definition", level=level)
        known = changed is not None and changed["status"] == "OK"
        text = f"{int(changed['n'])} of {int(changed['N'])}" if known and changed is not None else "NA"
        keys = (str(changed["result_id"]),) if changed is not None else ()
        rows.append(Row((Cell(word("subgroup_definition", level)), Cell(text, keys), *[Cell(DASH)] * 3), 1))
    if len(rows) == 1:
        rows.append(Row((Cell("Not available"), *[Cell(DASH)] * 4), 1))
    return plain_table(
        numbers,
        header=(
            "Factor",
            "Gap, points",
            "One left out: from, to",
            "Second minus first level",
            "One left out: from, to",
        ),
        rows=rows,
        widths=(3.4, 1.2, 1.6, 1.4, 1.6),
        align=("left", *["right"] * 4),
    ).with_id("", footnotes=("‡ One participant decides which level is highest, or much of the gap.",))


def _span(numbers: Numbers, entry: str, stats: tuple[str, str]) -> Cell:
    cells = [numbers.value(entry, "orr", stat, factor=100.0) for stat in stats]
    keys = tuple(key for cell in cells for key in cell.keys)
    return Cell(
        ", ".join(cell.text for cell in cells) if keys and cells[0].text[-1].isdigit() else cells[0].text,
        keys,
    )


def table_post_baseline(result: Result, study: Study) -> Table:
    """Show time to event from the landmark day within levels that are known after baseline only.

    Parameters
    ----------
    result : Result
        ``subgroups.post_baseline``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A section per factor and endpoint, a row per level, and the number of participants left out.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    rows: list[Row] = []
    for entry in entries_of(numbers, "entry"):
        for endpoint in ("pfs", "os"):
            levels = numbers.levels(endpoint, group=entry, stat="landmark")
            if not levels:
                continue
            label = numbers.words(entry, "entry", "label").text
            rows.append(Row((Cell(f"{label}: {word('rates_short', endpoint)}"),), kind="section"))
            rows += [
                Row((Cell(level_word(entry, level, study)), *_time_cells(numbers, entry, endpoint, level)), 1)
                for level in levels
            ]
            gone = numbers.count(entry, f"{endpoint} left_out")
            rows.append(
                Row((Cell("Left out: event, censored or not observed by then"), gone, *[Cell(DASH)] * 3), 1)
            )
    if not rows:
        rows = [Row((Cell("No factor is known after baseline only"), *[Cell(DASH)] * 4))]
    months = f"{study.subgroup.pfs_landmark_months:g}"
    return plain_table(
        numbers,
        header=("Factor and level", "N", f"Rate {months} months later, %", "At risk then", "Median, months"),
        rows=rows,
        widths=(3.4, 1.2, 1.9, 1.0, 1.9),
        align=("left", *["right"] * 4),
    )


def _time_cells(numbers: Numbers, entry: str, endpoint: str, level: str) -> tuple[Cell, ...]:
    share = numbers.value(entry, endpoint, "landmark", level=level, factor=100.0)
    row = numbers.need("landmark", group=entry, variable=endpoint, level=level)
    size = Cell(f"{int(row['N'])}" if row["status"] != "NA" else "NA", (str(row["result_id"]),))
    limits = numbers.interval(entry, endpoint, level=level)
    median = numbers.value(entry, f"{endpoint} median", "median", level=level)
    span = numbers.interval(entry, f"{endpoint} median", level=level, factor=1.0)
    whole = Cell(
        f"{share.text} {limits.text}" if share.text[:1].isdigit() else share.text, (*share.keys, *limits.keys)
    )
    late = Cell(
        f"{median.text} {span.text}" if median.text != span.text else median.text, (*median.keys, *span.keys)
    )
    return size, whole, numbers.value(entry, endpoint, "n_risk", level=level, digits=0), late


def table_sensitivity_model(result: Result, study: Study) -> Table:
    """Show how well all factors together predict response in participants that were left out, beside the share alone.

    Parameters
    ----------
    result : Result
        ``subgroups.sensitivity_model``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        Two scores of the model and of the share of the fold, the optimism, and the range of each coefficient over the folds.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    complete = numbers.row("n", variable="complete")
    known = complete is not None and complete["status"] == "OK"
    text = f"{int(complete['n'])} of {int(complete['N'])}" if known and complete is not None else "NA"
    keys = () if complete is None else (str(complete["result_id"]),)
    rows = [Row((Cell("Participants with every factor and a response"), Cell(text, keys), *[Cell(DASH)] * 2))]
    for stat, label in (("brier", "Brier score"), ("log_loss", "Log loss")):
        cells = [numbers.value(TOTAL, variable, stat, digits=3) for variable in ("model", "null", "optimism")]
        rows.append(Row((Cell(f"{label}, left out"), *cells)))
    entries = entries_of(numbers, "coefficient")
    if entries:
        rows.append(
            Row(
                (Cell("Coefficient per standard deviation, smallest and largest over the folds"),),
                kind="section",
            )
        )
    for entry in entries:
        cells = [numbers.value(entry, "coefficient", stat, digits=2) for stat in ("min", "max")]
        label = next((e.label for e in study.subgroups if e.id == entry), entry)
        rows.append(Row((Cell(label), *cells, Cell(DASH)), 1))
    why = numbers.row("brier", variable="model")
    readings = [numbers.words(TOTAL, "reading", "text", level=x).text for x in numbers.levels("reading")]
    reason = str(why["reason"]) if why is not None and why["status"] not in ("OK", "FLAG") else ""
    return plain_table(
        numbers,
        header=("", "Model", "Share of the fold", "Optimism"),
        rows=rows,
        widths=(4.2, 1.4, 1.4, 1.4),
        align=("left", *["right"] * 3),
    ).with_id(
        "",
        footnotes=(
            *((f"{word('model_reason', reason)}.",) if reason else ()),
            *readings,
            "Lower scores are better. Optimism: score on the participants that made the model, minus the score on those left out. "
            "Columns are standardised within each fold.",
        ),
    )
