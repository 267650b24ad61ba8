"""Subgroup tables: one per dimension, limits, shrinkage, tumour type by dose, stability, credibility."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from interim.display.labels import word
from interim.display.layout import Line, cohort_table, plain_table
from interim.display.measures import number_cell
from interim.display.numbers import DASH, Numbers
from interim.display.rounding import decimal_text
from interim.display.subgroups import entries_of, peak_notes
from interim.display.subgroups_rules import check_rows
from interim.display.subgroups_sentence import limits_sentence
from interim.display.subgroups_words import contrast_word, flag_notes, level_word, marked
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_BINARY = {"orr": "ORR", "dcr": "DCR"}
_SAFETY = {"g3rel": "Related grade ≥ 3", "crs2": "CRS grade ≥ 2", "dlt": "DLT"}
_LEAST_P = 0.0001
_NUMBERS = {"depth": "Best change, %", "cmax": "CAR-T peak"}


def table_subgroup(result: Result, study: Study, *, dimension: str) -> Table:
    """Show the endpoints within each level of the entries of a dimension.

    Parameters
    ----------
    result : Result
        ``subgroups.levels``.
    study : Study
        Rounding, entries.
    dimension : str
        One of the seven, or dose.

    Returns
    -------
    Table
        A section per entry: one row per level, missing last, then the differences; the first row holds all participants.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    frame = result.frame[result.frame["group_var"] == dimension]
    entries = tuple(e for e in entries_of(numbers, "entry") if e in set(frame["group"]))
    rows = [_level_row(numbers, TOTAL, "", "All participants", 0)]
    for entry in entries:
        rows.append(Row((Cell(marked(numbers, entry)),), kind="section"))
        rows += [
            _level_row(numbers, entry, level, level_word(entry, level, study), 1)
            for level in numbers.levels("size", group=entry)
        ]
        rows += _difference_rows(numbers, entry, study)
    months = f"{study.subgroup.pfs_landmark_months:g}"
    heads = (
        "Factor and level",
        "N",
        *_BINARY.values(),
        _NUMBERS["depth"],
        f"PFS at {months} months [at risk]",
    )
    return plain_table(
        numbers,
        header=(*heads, *_SAFETY.values(), _NUMBERS["cmax"]),
        rows=rows,
        widths=(3.0, 0.6, 2.0, 2.0, 1.9, 2.0, 1.9, 1.9, 1.6, 1.4),
        align=("left", *["right"] * 9),
        landscape=True,
    ).with_id(
        "",
        footnotes=(
            *_missing_notes(numbers, entries, study),
            *flag_notes(numbers, entries),
            "Rates: x/n (%) with exact interval in per cent, none below "
            f"{study.subgroup.min_ci_n} participants; differences in percentage points, only from "
            f"{study.subgroup.min_contrast_n} participants in both levels. Best change and peak: median (range).",
            *peak_notes(numbers),
        ),
    )


def _level_row(numbers: Numbers, entry: str, level: str, text: str, indent: int) -> Row:
    size = numbers.row("n", group=entry, variable="size", level=level)
    first = (
        Cell(f"{int(size['n'])}", (size["result_id"],))
        if size is not None and size["status"] != "NA"
        else numbers.plain(TOTAL, "population", stat="N")
        if entry == TOTAL
        else Cell("NA")
    )
    cells = [
        Cell(text),
        first,
        *(_rate_cell(numbers, entry, name, level) for name in _BINARY),
        _range_cell(numbers, entry, "depth", level),
        _landmark_cell(numbers, entry, level),
        *(_rate_cell(numbers, entry, name, level) for name in _SAFETY),
        _range_cell(numbers, entry, "cmax", level),
    ]
    return Row(tuple(cells), indent)


def _rate_cell(numbers: Numbers, entry: str, endpoint: str, level: str) -> Cell:
    rate = numbers.rate(entry, endpoint, level=level)
    limits = numbers.interval(entry, endpoint, level=level)
    if not rate.keys:
        return _absent(numbers, endpoint, "rate")
    if limits.text in (DASH, "NE", "NA"):
        return Cell(rate.text, (*rate.keys, *limits.keys))
    return Cell(f"{rate.text} {limits.text}", (*rate.keys, *limits.keys))


def _absent(numbers: Numbers, endpoint: str, stat: str) -> Cell:
    row = numbers.row(stat, variable=endpoint)
    return Cell("NA", (row["result_id"],)) if row is not None and row["status"] == "NA" else Cell(DASH)


def _range_cell(numbers: Numbers, entry: str, endpoint: str, level: str) -> Cell:
    read = partial(number_cell, numbers, entry, variable=endpoint, level=level)
    if endpoint != "cmax":
        read = partial(numbers.value, entry, endpoint, level=level)
    cells = [read(stat=stat) for stat in ("median", "min", "max")]
    if not cells[0].keys:
        return _absent(numbers, endpoint, "median")
    keys = tuple(key for cell in cells for key in cell.keys)
    if not cells[0].text[-1:].isdigit():
        return Cell(cells[0].text, keys)
    return Cell(f"{cells[0].text} ({cells[1].text}, {cells[2].text})", keys)


def _landmark_cell(numbers: Numbers, entry: str, level: str) -> Cell:
    share = numbers.value(entry, "pfs", "landmark", level=level, factor=100.0)
    if not share.keys:
        return _absent(numbers, "pfs", "landmark")
    limits = numbers.interval(entry, "pfs", level=level)
    at_risk = numbers.value(entry, "pfs", "n_risk", level=level, digits=0)
    keys = (*share.keys, *limits.keys, *at_risk.keys)
    if not share.text[:1].isdigit():
        return Cell(f"{share.text} [{at_risk.text}]", keys)
    return Cell(f"{share.text}% {limits.text} [{at_risk.text}]", keys)


def _difference_rows(numbers: Numbers, entry: str, study: Study) -> list[Row]:
    contrasts = dict.fromkeys(
        level for name in _BINARY for level in numbers.levels(f"{name} difference", group=entry)
    )
    rows = []
    for contrast in contrasts:
        cells = [_difference_cell(numbers, entry, name, contrast) for name in _BINARY]
        text = contrast_word(entry, contrast, study)
        rows.append(Row((Cell(text), Cell(DASH), *cells, *[Cell(DASH)] * 6), 2))
    return rows


def _difference_cell(numbers: Numbers, entry: str, endpoint: str, contrast: str) -> Cell:
    variable = f"{endpoint} difference"
    cells = [
        numbers.value(entry, variable, stat, level=contrast, factor=100.0)
        for stat in ("diff", "diff_lower", "diff_upper")
    ]
    keys = tuple(key for cell in cells for key in cell.keys)
    if not cells[0].text[-1:].isdigit():
        return Cell(cells[0].text, keys)
    return Cell(f"{cells[0].text} ({cells[1].text}, {cells[2].text})", keys)


def _missing_notes(numbers: Numbers, entries: tuple[str, ...], study: Study) -> tuple[str, ...]:
    notes = []
    for entry in entries:
        limits = [numbers.row(stat, group=entry, variable="orr gap") for stat in ("gap_lower", "gap_upper")]
        found = [row for row in limits if row is not None and row["status"] == "OK"]
        if len(found) == len(limits):
            guard = study.rounding.guard_digits
            low, high = (
                decimal_text(100 * float(row["value"]), digits=1, mode=numbers.mode, guard_digits=guard)
                for row in found
            )
            label = numbers.words(entry, "entry", "label").text
            notes.append(
                f"{label}: depending on the levels of the missing, the gap in ORR lies between {low} and {high} points."
            )
    return tuple(notes)


def table_subgroup_limits(result: Result, study: Study) -> Table:
    """Show what each dimension could show at best, and what chance alone shows.

    Parameters
    ----------
    result : Result
        ``subgroups.limits``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A row per primary factor; the last row: at least one factor. Its note is the sentence under every forest.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    available = bool((result.frame["variable"] == "limits").any())
    rows = [_limit_row(numbers, entry, study) for entry in entries_of(numbers, "entry") if available]
    chance = numbers.value(TOTAL, "orr", "chance_gap", digits=3)
    rows.append(Row((Cell("At least one factor"), *[Cell(DASH)] * 4, chance)))
    return plain_table(
        numbers,
        header=(
            "Factor",
            "Smallest level",
            "Smallest attainable two-sided p",
            "Half-width of the interval, points",
            "Goes most with (Cramer V or Spearman)",
            f"Chance of a gap of {study.subgroup.gap_pp:g} points or more",
        ),
        rows=rows,
        widths=(3.2, 1.1, 1.5, 1.5, 2.6, 1.5),
        align=("left", "right", "right", "right", "left", "right"),
        landscape=True,
    ).with_id("", footnotes=(limits_sentence(numbers), *_strong(rows)) if available else ())


def _strong(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return what the star of an association means, if one has it."""
    starred = any(cell.text.endswith("*") for row in rows for cell in row.cells)
    return ("*: association of 0.5 or stronger.",) if starred else ()


def _limit_row(numbers: Numbers, entry: str, study: Study) -> Row:
    return Row(
        (
            numbers.words(entry, "entry", "label"),
            numbers.value(entry, "orr", "smallest_n", digits=0),
            _least_p(numbers, entry),
            numbers.value(entry, "orr", "half_width", factor=100.0),
            _companion(numbers, entry, study),
            numbers.value(entry, "orr", "chance_gap", digits=3),
        )
    )


def _least_p(numbers: Numbers, entry: str) -> Cell:
    row = numbers.row("p_min", group=entry, variable="orr")
    cell = numbers.value(entry, "orr", "p_min", digits=4)
    tiny = row is not None and row["status"] in ("OK", "FLAG") and 0 < float(row["value"]) < _LEAST_P
    return Cell(f"< {_LEAST_P}", cell.keys) if tiny else cell


def _companion(numbers: Numbers, entry: str, study: Study) -> Cell:
    frame = numbers.result.frame
    here = frame[(frame["group"] == entry) & frame["stat"].isin(["cramer_v", "spearman"])]
    for row in here.to_dict("records"):
        if row["status"] not in ("OK", "FLAG"):
            return Cell(word("status", str(row["status"])), (str(row["result_id"]),))
        other = str(row["level"])
        label = next((item.label for item in study.subgroups if item.id == other), "Assigned dose level")
        text = numbers.number_text({str(k): v for k, v in row.items()}, digits=2)
        return Cell(f"{label}: {text}{' *' if row['status'] == 'FLAG' else ''}", (str(row["result_id"]),))
    return Cell(DASH)


def table_shrinkage(result: Result, study: Study) -> Table:
    """Show raw rates beside shrunken ones.

    Parameters
    ----------
    result : Result
        ``subgroups.shrinkage``.
    study : Study
        Prior, rounding.

    Returns
    -------
    Table
        A section per primary factor; raw rate, then mean, interval and weight for each prior scale.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    taus = [f"orr tau {tau:g}" for tau in study.subgroup.shrink_tau]
    rows: list[Row] = [_shrunk_row(numbers, TOTAL, "", "All participants", taus)]
    for entry in entries_of(numbers, "entry"):
        rows.append(Row((numbers.words(entry, "entry", "label"),), kind="section"))
        rows += [
            _shrunk_row(numbers, entry, level, level_word(entry, level, study), taus)
            for level in numbers.levels("orr", group=entry, stat="rate")
        ]
    heads = [
        f"{text} (tau {tau:g})" for tau in study.subgroup.shrink_tau for text in ("Shrunken, %", "Weight")
    ]
    prior = ", ".join(
        f"{100 * value:g}% ({name.upper()})" for name, value in study.subgroup.shrink_mu0.items()
    )
    note = (
        f"Prior: mean {prior}; standard deviation of the common mean {study.subgroup.shrink_mu_sd:g} on the logit scale; "
        "half-normal spread between levels with scale tau; the first tau is primary. Weight: share of the level's own data. "
        "By quadrature, no seed. Shrunken values do not replace the raw ones."
    )
    return plain_table(
        numbers,
        header=("Factor and level", "Raw rate, x/n (%) and interval, %", *heads),
        rows=rows,
        widths=(3.0, 2.6, *[w for _ in taus for w in (2.0, 0.9)]),
        align=("left", *["right"] * (1 + 2 * len(taus))),
        landscape=True,
    ).with_id("", footnotes=(note,))


def _shrunk_row(numbers: Numbers, entry: str, level: str, text: str, taus: Sequence[str]) -> Row:
    cells = [Cell(text), _rate_cell(numbers, entry, "orr", level)]
    for variable in taus:
        found = [
            numbers.value(entry, variable, stat, level=level, factor=100.0)
            for stat in ("shrunk", "shrunk_lower", "shrunk_upper")
        ]
        keys = tuple(key for cell in found for key in cell.keys)
        shown = found[0].text[-1:].isdigit()
        whole = f"{found[0].text} ({found[1].text}, {found[2].text})" if shown else found[0].text
        cells += [Cell(whole, keys), numbers.value(entry, variable, "weight", level=level, digits=2)]
    return Row(tuple(cells), 0 if entry == TOTAL else 1)


def table_type_by_dose(result: Result, study: Study) -> Table:
    """Cross tumour type with dose level.

    Parameters
    ----------
    result : Result
        ``subgroups.type_by_dose``.
    study : Study
        Columns.

    Returns
    -------
    Table
        A section per tumour type: treated, DLT-evaluable, responders, disease control by assigned dose.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    kind = next((e for e in study.subgroups if e.dimension == "histology" and e.primary), None)
    lines: list[Line] = []
    levels = tuple(level for level in numbers.levels("treated", stat="n") if level)
    if not levels:
        reason = numbers.absence("treated", stat="n") or "no tumour type"
        lines.append(Line(f"Not available: {reason.removeprefix('not available: ')}", None))
    for level in levels:
        lines.append(Line(level_word(kind.id if kind else "", level, study), None))
        lines += [
            Line(word("subgroup_type", variable), _type_cell(numbers, variable, level), 1)
            for variable in ("treated", "evaluable", "responders", "control")
            if numbers.levels(variable, stat="n")
        ]
    return cohort_table(
        numbers,
        lines,
        stub="Tumour type",
        footnotes=("x/n: of the participants of that type and dose. Type and dose are confounded.",),
    )


def _type_cell(numbers: Numbers, variable: str, level: str) -> Callable[[str], Cell]:
    def cell(group: str) -> Cell:
        row = numbers.row("n", group=group, variable=variable, level=level)
        if row is None or row["status"] not in ("OK", "FLAG"):
            return Cell("NA" if row is not None else DASH, (row["result_id"],) if row is not None else ())
        text = f"{int(row['n'])}" if variable == "treated" else f"{int(row['n'])}/{int(row['N'])}"
        return Cell(text, (row["result_id"],))

    return cell


def table_credibility(result: Result, study: Study) -> Table:
    """Show the credibility checklist, one column per dimension.

    Parameters
    ----------
    result : Result
        ``subgroups.credibility``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        Twelve rows of yes, no or given, and the grade.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    entries = entries_of(numbers, "item")
    items = numbers.levels("item", stat="holds")
    rows = [
        Row(
            (
                Cell(word("subgroup_item", item)),
                *(numbers.words(entry, "item", "holds", level=item) for entry in entries),
            )
        )
        for item in items
    ]
    rows.append(Row((Cell("Grade"), *(numbers.words(entry, "grade", "grade") for entry in entries))))
    heads = [word("dimensions", _dimension(numbers, entry)) for entry in entries]
    return plain_table(
        numbers,
        header=("Item", *heads),
        rows=rows,
        widths=(3.4, *[1.2] * len(entries)),
        align=("left", *["left"] * len(entries)),
        landscape=True,
    ).with_id(
        "", footnotes=("Within one single-arm study no subgroup difference can be more than suggestive.",)
    )


def _dimension(numbers: Numbers, entry: str) -> str:
    frame = numbers.result.frame
    return str(frame.loc[frame["group"] == entry, "group_var"].iloc[0])
