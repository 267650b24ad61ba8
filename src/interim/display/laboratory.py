"""Laboratory: tables of values, shifts, deviations and liver injury, and the eDISH figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import isnan, nan

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from interim.display.absent import not_drawn
from interim.display.apart import Label, label_points
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, participant_label, sentence_case, settings, word
from interim.display.layout import Line, absent_line, cohort_table, plain_table
from interim.display.numbers import Numbers
from interim.display.style import GREY, PORTRAIT_MM, TOTAL_COLOUR, cohort_colours
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_GRADES = ("0", "1", "2", "3", "4", "not_graded")
_BASES = (*_GRADES, "missing")
_HEIGHT_MM = 100.0
_FLOOR = 0.1
_MOST_DECIMALS = 3
_GAP_MM = 26.0  # between the panels
_PANEL_MM = (PORTRAIT_MM - 50 - _GAP_MM) / 2


def table_values_by_visit(result: Result, study: Study) -> Table:
    """Show laboratory values and change from baseline by visit.

    Parameters
    ----------
    result : Result
        ``laboratory.values_by_visit``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        One block per parameter, one row per visit.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    for code in numbers.variables():
        reason = _absence(numbers, code)
        rows.append(
            Row((Cell(f"{word('parameters', code)}{reason or _unit(numbers, code)}"),), kind="section")
        )
        if not reason:
            raw = _raw_decimals(numbers, code)
            rows += [_visit(numbers, code, level, raw=raw) for level in numbers.levels(code)]
    heads = ("n", "Mean (SD)", "Median (range)")
    return plain_table(
        numbers,
        header=("Visit", *heads, *(f"Change: {head}" for head in heads)),
        rows=rows,
        widths=(2.2, 0.5, 1.3, 1.9, 0.6, 1.3, 1.9),
        align=("left", *["right"] * 6),
        landscape=True,
    )


def _absence(numbers: Numbers, code: str, level: str = "") -> str:
    row = numbers.row("n", variable=code, level=level)
    return f" – {row['reason']}" if row is not None and row["status"] == "NA" else ""


def _unit(numbers: Numbers, code: str) -> str:
    level = next(iter(numbers.levels(code)))
    row = numbers.row("median", variable=code, level=level)
    return f", {row['unit']}" if row is not None and row["unit"] else ""


def _raw_decimals(numbers: Numbers, code: str) -> int:
    """Return the decimals of the results of a parameter: its lowest and highest ones are results as they were reported."""
    frame = numbers.result.frame
    ends = frame[
        (frame["variable"] == code)
        & frame["stat"].isin(["min", "max"])
        & frame["status"].isin(["OK", "FLAG"])
    ]
    texts = (f"{value:.{_MOST_DECIMALS}f}".rstrip("0") for value in ends["value"].astype(float))
    return max((len(text.partition(".")[2]) for text in texts), default=0)


def _visit(numbers: Numbers, code: str, level: str, *, raw: int) -> Row:
    label = level.split(" ", 1)[1] if " " in level else level
    cells = [Cell(sentence_case(label))]
    for prefix in ("", "chg_"):
        get = partial(numbers.value, TOTAL, code, level=level)
        cells.append(numbers.plain(TOTAL, code, level=level, stat=f"{prefix}n"))
        mean, sd = get(stat=f"{prefix}mean", digits=raw + 1), get(stat=f"{prefix}sd", digits=raw + 2)
        cells.append(_joined((mean, sd), "{} ({})"))
        places = {"median": raw + 1, "min": raw, "max": raw}
        three = [get(stat=f"{prefix}{stat}", digits=digits) for stat, digits in places.items()]
        cells.append(_joined(three, "{} ({}, {})"))
    return Row(tuple(cells), 1)


def _joined(cells: list[Cell] | tuple[Cell, ...], pattern: str) -> Cell:
    if not any(cell.keys for cell in cells):
        return Cell("–")
    return Cell(
        pattern.format(*(cell.text for cell in cells)), tuple(key for cell in cells for key in cell.keys)
    )


def table_grade_shift(result: Result, study: Study) -> Table:
    """Show the shift from baseline to worst grade, low and high apart.

    Parameters
    ----------
    result : Result
        ``laboratory.grade_shift``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        One block per parameter and direction, rows by baseline grade and below it by dose, columns by worst grade: participants
        with percentage of those of the dose with a result on treatment. Every dose stands under each baseline grade that anybody
        has.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows: list[Row] = []
    for variable in numbers.variables():
        reason = _absence(numbers, variable, "any")
        rows.append(_shift_head(numbers, variable, reason))
        if not reason:
            rows += list(_shift_rows(numbers, variable))
    return plain_table(
        numbers,
        header=("Baseline grade", *(word("lab_grade", grade) for grade in _GRADES)),
        rows=rows,
        widths=(3.0, *[1.0] * len(_GRADES)),
        align=("left", *["right"] * len(_GRADES)),
    )


def _shift_head(numbers: Numbers, variable: str, reason: str) -> Row:
    code, _, direction = variable.partition(" ")
    if reason:
        return Row((Cell(f"{word('parameters', code)}{reason}"),), kind="section")
    term = numbers.words(TOTAL, variable, "n", level="any")
    counts = [
        numbers.plain(TOTAL, variable, level="any", stat=stat)
        for stat in ("n", "without", "rise", "to_grade3", "assumed")
    ]
    assumed = "; worst grade by the assumed clinical half only {}" if counts[-1].keys else ""
    counts = counts if assumed else counts[:-1]
    text = (
        f"{word('parameters', code)}, {direction} ({term.text}): {{}} with a result on treatment, {{}} without; worse than "
        f"at baseline {{}}, to grade 3 or higher {{}}{assumed}"
    )
    return Row((_joined(counts, text),), kind="section")


def _shift_rows(numbers: Numbers, variable: str) -> Iterator[Row]:
    doses = [group for group in numbers.groups if group != TOTAL]
    for base in _BASES:
        for group in (TOTAL, *doses):
            cells = [numbers.count(group, variable, level=base, stat=f"worst {grade}") for grade in _GRADES]
            if any(cell.keys for cell in cells):
                text = column_label(group, numbers.study) if group != TOTAL else word("lab_grade", base)
                yield Row((Cell(text), *cells), 1 if group == TOTAL else 2)


def table_significant_deviations(result: Result, study: Study) -> Table:
    """Show significant laboratory deviations by dose.

    Parameters
    ----------
    result : Result
        ``laboratory.significant_deviations``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One column per actual dose; parameters without a deviation are left out.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    lines = []
    for variable in numbers.variables():
        if variable in ("any", "investigator"):
            text = word("deviation", variable)
            lines.append(
                absent_line(numbers, text, variable) or Line(text, partial(numbers.count, variable=variable))
            )
            continue
        for level in numbers.levels(variable):
            row = numbers.need("n", variable=variable, level=level)
            if row["n"]:
                lines.append(Line(level, partial(numbers.count, variable=variable, level=level)))
                later = partial(numbers.count, variable=variable, level=level, stat="unresolved")
                lines.append(Line("not resolved at the last result", later, 1))
    return cohort_table(numbers, lines, footnotes=("Worst grade on treatment 3 or higher.",))


def table_hepatotoxicity(result: Result, study: Study) -> Table:
    """Show liver injury by dose.

    Parameters
    ----------
    result : Result
        ``laboratory.hepatotoxicity``.
    study : Study
        Column labels, rounding, limits.

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
    lines: list[Line] = []
    for variable in numbers.variables():
        text = word("liver", variable).format(rules=study.toxicity)
        absent = absent_line(numbers, text, variable)
        levels = [level for level in numbers.levels(variable) if level]
        if absent or not levels:
            lines.append(absent or Line(text, partial(numbers.count, variable=variable)))
            continue
        lines.append(Line(text))
        sign = "> " if variable.startswith("at") else ""
        unit = settings("liver_unit").get(variable, "")
        lines += [
            Line(
                f"{sign}{word('hepatic_event', level)}{unit}",
                partial(numbers.count, variable=variable, level=level),
                1,
            )
            for level in levels
        ]
    note = "A candidate is no case: adjudication by the investigator. Multiples of baseline stand beside those of the upper limit."
    return cohort_table(numbers, lines, footnotes=(note,))


@dataclass(frozen=True)
class _Peak:
    subject: str
    group: str
    at: float
    bilirubin: float
    at_base: float
    bilirubin_base: float
    at_start: float
    bilirubin_start: float
    gap: float


def figure_edish(result: Result, study: Study) -> Figure:
    """Draw peak bilirubin against peak aminotransferase, as multiples of the upper limit and of the baseline.

    Parameters
    ----------
    result : Result
        ``laboratory.liver_peaks``.
    study : Study
        Labels, limits of the quadrants.

    Returns
    -------
    Figure
        One point per participant, logarithmic axes, quadrants by Hy's law limits.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    peaks = _peaks(numbers, result)
    if not peaks:
        row = numbers.row("n", variable="quadrant", level="NORMAL")
        reason = (
            str(row["reason"]) if row is not None and row["reason"] else "no participant with both values"
        )
        return not_drawn(numbers, title=result.title, reason=reason)
    size = (PORTRAIT_MM, _HEIGHT_MM)
    svg, png = drawn(lambda sheet: _paint(sheet, peaks, study), size_mm=size, study=study)
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=_alt(numbers, peaks, study),
        width_mm=PORTRAIT_MM,
        keys=tuple(result.frame["result_id"]),
        footnotes=(
            "Peaks of one participant need not fall on one day: the days between them stand behind the name. Arrows begin at the values at baseline.",
            *result.footnotes,
        ),
    )


def _peaks(numbers: Numbers, result: Result) -> list[_Peak]:
    frame = result.frame[(result.frame["variable"] == "peak") & (result.frame["stat"] == "at")]
    peaks = []
    for row in frame.to_dict("records"):
        group, subject = str(row["group"]), str(row["level"])
        others = [
            float(numbers.need(stat, group=group, variable="peak", level=subject)["value"])
            for stat in ("bilirubin", "at_base", "bilirubin_base")
        ]
        others += [_start(numbers, stat, group, subject) for stat in ("at_start", "bilirubin_start", "gap")]
        peaks.append(_Peak(subject, group, float(row["value"]), *others))
    return sorted(peaks, key=lambda peak: peak.subject)


def _start(numbers: Numbers, stat: str, group: str, subject: str) -> float:
    """Return a value that may be missing, NaN where it is: at baseline, days between the peaks."""
    row = numbers.row(stat, group=group, variable="peak", level=subject)
    return nan if row is None or row["status"] != "OK" else float(row["value"])


def _paint(sheet: Sheet, peaks: list[_Peak], study: Study) -> None:
    """Draw two panels: multiples of the upper limit, multiples of the baseline."""
    width = _PANEL_MM
    codes = [*study.cohorts(), *sorted({peak.group for peak in peaks} - set(study.cohorts()))]
    groups = tuple(code for code in codes if any(peak.group == code for peak in peaks))
    for place, (x, y, unit) in enumerate(
        (("at", "bilirubin", "x ULN"), ("at_base", "bilirubin_base", "x baseline"))
    ):
        axes = axes_mm(
            sheet, left=16 + place * (width + _GAP_MM), bottom=14, width=width, height=_HEIGHT_MM - 20
        )
        _scatter(axes, peaks, groups, (x, y), study)
        axes.set_xlabel(f"Peak ALT or AST, {unit}")
        axes.set_ylabel(f"Peak bilirubin, {unit}")
        if place == 0:
            _arrows(axes, peaks, cohort_colours(study, groups))
            _quadrants(axes, peaks, study)
        else:
            axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False)


def _scatter(
    axes: Axes, peaks: list[_Peak], groups: tuple[str, ...], names: tuple[str, str], study: Study
) -> None:
    colours = cohort_colours(study, groups)
    for group in groups:
        mine = [peak for peak in peaks if peak.group == group]
        x, y = ([max(getattr(peak, name), _FLOOR) for peak in mine] for name in names)
        axes.scatter(x, y, s=18, color=colours[group], label=column_label(group, study), zorder=3)
    highest = [
        max([value for peak in peaks if (value := getattr(peak, name)) > 0], default=1.0) for name in names
    ]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_FLOOR, max(30.0, 1.5 * highest[0]))
    axes.set_ylim(_FLOOR, max(10.0, 1.5 * highest[1]))


def _arrows(axes: Axes, peaks: list[_Peak], colours: Mapping[str, str]) -> None:
    """Draw an arrow from the values at baseline to the peaks, where both were measured."""
    for peak in peaks:
        if isnan(peak.at_start) or isnan(peak.bilirubin_start):
            continue
        start = (max(peak.at_start, _FLOOR), max(peak.bilirubin_start, _FLOOR))
        arrow = {
            "arrowstyle": "-|>",
            "color": colours[peak.group],
            "linewidth": 0.6,
            "alpha": 0.6,
            "mutation_scale": 6,
        }
        axes.annotate("", (max(peak.at, _FLOOR), max(peak.bilirubin, _FLOOR)), xytext=start, arrowprops=arrow)


def _quadrants(axes: Axes, peaks: list[_Peak], study: Study) -> None:
    """Draw the limits, and name the participants beyond one of them."""
    rules = study.toxicity
    axes.axvline(rules.hys_at, color=GREY, linewidth=0.8, linestyle="--")
    axes.axhline(rules.hys_bili, color=GREY, linewidth=0.8, linestyle="--")
    beyond = [peak for peak in peaks if peak.at >= rules.hys_at or peak.bilirubin >= rules.hys_bili]
    names = {
        peak.subject: participant_label(peak.subject, study)
        + ("" if isnan(peak.gap) else f", {peak.gap:.0f} d")
        for peak in beyond
    }
    labels = [
        Label(names[peak.subject], max(peak.at, _FLOOR), max(peak.bilirubin, _FLOOR), TOTAL_COLOUR)
        for peak in beyond
    ]
    around = [(max(peak.at, _FLOOR), max(peak.bilirubin, _FLOOR)) for peak in peaks]
    label_points(axes, labels, size=6.5, right=_PANEL_MM + _GAP_MM / 3, around=around)


def _alt(numbers: Numbers, peaks: list[_Peak], study: Study) -> str:
    counts = [
        f"{word('quadrant', name)} {int(numbers.need('n', variable='quadrant', level=name)['n'])}"
        for name in numbers.levels("quadrant")
    ]
    return (
        f"Scatter plot on logarithmic axes: peak ALT or AST against peak bilirubin, as multiples of the upper limit (left) and "
        f"of the baseline (right), of {len(peaks)} participants; limits at {study.toxicity.hys_at:g} and {study.toxicity.hys_bili:g}. "
        f"Participants per quadrant: {'; '.join(counts)}."
    )
