"""Dose finding: estimates of the DLT rate and characteristics of the rule, as tables and figures."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.lines import Line2D

from interim.display.escalation_listing import layouts
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, word
from interim.display.layout import Line, cohort_table, plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.style import GREY, LIGHT, PALETTE, PORTRAIT_MM
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_CURVE_MM = (PORTRAIT_MM, 80.0)
_MARKS = {
    "none": ("o", False, 34),
    "trigger": ("o", True, 34),
    "dlt": ("X", True, 70),
    "pending": ("s", False, 34),
    "not_evaluable": ("x", True, 34),
}
"""Outcome -> shape, whether it is filled, and size in square points; the colour is that of the tumour type."""


def table_dlt_curve(result: Result, study: Study) -> Table:
    """Show the DLT rate of every level under several models.

    Parameters
    ----------
    result : Result
        ``escalation_model.dlt_curve``.
    study : Study
        Labels, rounding, ``dose.tox_band``.

    Returns
    -------
    Table
        One column per level.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    if not numbers.groups:
        return _unavailable(numbers, "dlt")
    low, high = study.dose.tox_band
    note = (
        f"Proposal: target interval {low:g} to {high:g}; logistic model with reference dose 5e7 cells per kg, log-normal slope, quadrature without simulation. "
        "The tables of mTPI-2 and BOIN are context; the rule of the study decides. Open: too few evaluable participants to clear or to exclude the level. "
        "Isotonic fit: observed rates, weighted by the evaluable participants."
    )
    return cohort_table(numbers, list(_curve_lines(numbers, study)), footnotes=(note,))


def _unavailable(numbers: Numbers, variable: str) -> Table:
    row = numbers.need("n", variable=variable)
    return plain_table(
        numbers,
        header=("Estimate", "Value"),
        rows=[Row((Cell(f"Not available: {row['reason']}"), Cell(DASH)))],
        widths=(3.0, 1.0),
        align=("left", "left"),
    )


def _curve_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    words = layouts()["curve"]
    percent = f"{100 * study.stats.level:g}"
    yield Line(words["rate"], partial(numbers.rate, variable="dlt"))
    yield Line(words["rule"], lambda group: numbers.words(group, "rule", "decision"))
    yield Line(words["beta"], partial(numbers.value, variable="beta", stat="mean", digits=2))
    yield Line(
        f"{percent}% {words['beta_interval']}",
        partial(numbers.interval, variable="beta", digits=2, factor=1.0),
        1,
    )
    yield Line(words["isotonic"], partial(numbers.value, variable="isotonic", stat="mean", digits=2))
    for design in ("mtpi2", "boin"):
        yield Line(words[design], partial(_letter, numbers, design))
    yield Line(words["blrm"], partial(numbers.value, variable="blrm", stat="mean", digits=2))
    yield Line(f"{percent}% {words['blrm_interval']}", partial(_pair, numbers), 1)
    for stat in ("under", "target", "over"):
        yield Line(words[stat], partial(numbers.value, variable="blrm", stat=stat, digits=2), 1)
    yield Line(words["ewoc"], lambda group: numbers.words(group, "blrm", "ewoc"), 1)


def _letter(numbers: Numbers, design: str, group: str) -> Cell:
    cell = numbers.words(group, design, "decision")
    return Cell(layouts()["letters"].get(cell.text, cell.text), cell.keys)


def _pair(numbers: Numbers, group: str) -> Cell:
    low, high = (numbers.value(group, "blrm", stat, digits=2) for stat in ("lower95", "upper95"))
    return Cell(f"({low.text}, {high.text})", (*low.keys, *high.keys))


def table_characteristics(result: Result, study: Study) -> Table:
    """Show what the rule does on average, by scenario and reading.

    Parameters
    ----------
    result : Result
        ``escalation_design.characteristics``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        One row per number, one column per reading of AMB-1 and one for the present state.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    if numbers.row("n", variable="scenario") is not None:
        return _unavailable(numbers, "scenario")
    variables = numbers.variables()
    scenarios = tuple(dict.fromkeys(result.frame["group"]))
    words, names = layouts()["characteristics"], layouts()["words"]
    rows: list[Row] = []
    for scenario in scenarios:
        rows.append(Row((Cell(words.get(scenario, scenario)),), kind="section"))
        stats = dict.fromkeys(result.frame.loc[result.frame["group"] == scenario, "stat"])
        for stat in stats:
            digits = 2 if stat in ("n", "dlt") else 3
            cells = [numbers.value(scenario, variable, stat, digits=digits) for variable in variables]
            text = words.get(stat, f"MTD DL{stat.removeprefix('mtd')}")
            rows.append(Row((Cell(text), *cells), indent=1))
    heads = [f"AMB-1 {name}" if len(name) == 1 else names.get(name, name) for name in variables]
    return plain_table(
        numbers,
        header=("Scenario", *heads),
        rows=rows,
        widths=(2.6, *(1.2 for _ in variables)),
        align=("left", *("right" for _ in variables)),
    )


def figure_escalation_course(result: Result, study: Study) -> Figure:
    """Draw the escalation participant by participant.

    Parameters
    ----------
    result : Result
        ``escalation_events.course``.
    study : Study
        Dose levels.

    Returns
    -------
    Figure
        A mark per participant at the level, the shape by outcome; a step line joins the levels.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    absent = numbers.row("n", variable="participant")
    title = result.title
    if absent is not None:
        return _not_drawn(result, study, title=title, reason=str(absent["reason"]))
    places = numbers.levels("participant")
    levels = [int(numbers.need("level", variable="participant", level=place)["value"]) for place in places]
    outcomes = [numbers.words(TOTAL, "participant", "outcome", level=place).text for place in places]
    tumours = [numbers.words(TOTAL, "participant", "tumour", level=place).text for place in places]
    svg, png = drawn(
        lambda sheet: _paint_course(sheet, levels, outcomes, tumours, study), size_mm=_CURVE_MM, study=study
    )
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=_course_alt(levels, outcomes),
        width_mm=_CURVE_MM[0],
        keys=tuple(result.frame["result_id"]),
        footnotes=(
            "Shape of a mark: outcome. Colour, and letters under the mark: tumour type.",
            *result.footnotes,
        ),
    )


def _not_drawn(result: Result, study: Study, *, title: str, reason: str) -> Figure:
    sentence = f"Nothing to draw: {reason}."

    def paint(sheet: Sheet) -> None:
        sheet.text(0.5, 0.5, sentence, ha="center", va="center", color=GREY, fontsize=9)

    svg, png = drawn(
        paint,
        size_mm=(PORTRAIT_MM, 24.0),
        study=study,
    )
    alt = f"No figure for {title.lower()}. {sentence}"
    return Figure(title, result.population, svg, png, alt, PORTRAIT_MM, tuple(result.frame["result_id"]))


def _paint_course(
    sheet: Sheet, levels: list[int], outcomes: list[str], tumours: list[str], study: Study
) -> None:
    axes = axes_mm(sheet, left=24, bottom=26, width=140, height=48)
    order = list(range(1, len(levels) + 1))
    axes.step(order, levels, where="mid", color=LIGHT, linewidth=1.2, zorder=1)
    colours = {kind: PALETTE[place % len(PALETTE)] for place, kind in enumerate(sorted(set(tumours)))}
    for outcome in dict.fromkeys(outcomes):
        marker, filled, size = _MARKS[outcome]
        here = [place for place, name in zip(order, outcomes, strict=True) if name == outcome]
        inks = [colours[tumours[place - 1]] for place in here]
        heights = [levels[place - 1] for place in here]
        edges: dict[str, Any] = {"edgecolors": inks} if marker != "x" else {}
        axes.scatter(
            here, heights, marker=marker, facecolors=inks if filled else "white", s=size, zorder=2, **edges
        )
    for place, tumour in zip(order, tumours, strict=True):
        axes.annotate(tumour[:3], (place, levels[place - 1]), textcoords="offset points", xytext=(0, -10), ha="center", fontsize=5.5, color=GREY)  # fmt: skip
    count = len(study.dose.levels)
    axes.set(
        xlim=(0.4, len(levels) + 0.6), ylim=(0.5, count + 0.5), xlabel="Participant in order of assignment"
    )
    axes.set_yticks(range(1, count + 1), [column_label(f"DL{level}", study) for level in range(1, count + 1)])
    axes.set_xticks(order)
    _legends(axes, outcomes, colours)


def _legends(axes: Axes, outcomes: list[str], colours: dict[str, str]) -> None:
    """Say below the axes what the shapes are, and under that the colours."""
    shapes = [
        Line2D([], [], linestyle="none", marker=marker, color=GREY, markerfacecolor=GREY if filled else "white", markersize=size**0.5,
               label=layouts()["outcomes"][outcome])
        for outcome, (marker, filled, size) in ((name, _MARKS[name]) for name in dict.fromkeys(outcomes))
    ]  # fmt: skip
    kinds = [
        Line2D(
            [], [], linestyle="none", marker="o", color=colour, markersize=5.5, label=word("TUMTYPE", kind)
        )
        for kind, colour in colours.items()
    ]
    first = axes.legend(
        handles=shapes, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=5, frameon=False
    )
    axes.add_artist(first)
    axes.legend(handles=kinds, loc="upper center", bbox_to_anchor=(0.5, -0.35), ncols=4, frameon=False)


def _course_alt(levels: list[int], outcomes: list[str]) -> str:
    words = layouts()["outcomes"]
    parts = []
    for level in sorted(set(levels)):
        here = [name for place, name in zip(levels, outcomes, strict=True) if place == level]
        counts = ", ".join(f"{here.count(name)} {words[name]}" for name in dict.fromkeys(here))
        parts.append(f"DL{level} n={len(here)} ({counts})")
    return f"Step plot of the dose level, y axis, by participant in order of assignment, x axis, n={len(levels)}: {'; '.join(parts)}."


def figure_dlt_curve(result: Result, study: Study) -> Figure:
    """Draw the posterior DLT probability of every level under the logistic model.

    Parameters
    ----------
    result : Result
        ``escalation_model.dlt_curve``.
    study : Study
        Doses, ``dose.tox_band``.

    Returns
    -------
    Figure
        Mean with 50 and 95% intervals over the dose on a log scale; the target band shaded.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    title = "Posterior DLT probability by dose"
    if not numbers.groups:
        reason = str(numbers.need("n", variable="dlt")["reason"])
        return _not_drawn(result, study, title=title, reason=reason)
    stats = ("mean", "lower50", "upper50", "lower95", "upper95")
    points = [
        tuple(float(numbers.need(stat, group=group, variable="blrm")["value"]) for stat in stats)
        for group in numbers.groups
    ]
    svg, png = drawn(lambda sheet: _paint_curve(sheet, points, study), size_mm=_CURVE_MM, study=study)
    texts = [
        f"{group} {numbers.value(group, 'blrm', 'mean', digits=2).text} {_pair(numbers, group).text}"
        for group in numbers.groups
    ]
    low, high = study.dose.tox_band
    rows = result.frame[result.frame["variable"] == "blrm"]
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Points with intervals: posterior DLT probability, y axis, over the dose on a log scale, x axis; target band {low:g} to {high:g}. Mean (95% interval): {'; '.join(texts)}.",
        width_mm=_CURVE_MM[0],
        keys=tuple(rows["result_id"]),
        footnotes=("Thick line: 50% interval, thin line: 95% interval. Band: target.", *result.footnotes),
    )


def _paint_curve(sheet: Sheet, points: list[tuple[float, ...]], study: Study) -> None:
    axes = axes_mm(sheet, left=18, bottom=16, width=140, height=58)
    doses = study.dose.levels
    axes.axhspan(*study.dose.tox_band, color=LIGHT, zorder=0, linewidth=0)
    axes.set_xscale("log")
    for dose, (mean, low50, high50, low95, high95) in zip(doses, points, strict=True):
        axes.plot([dose, dose], [low95, high95], color=PALETTE[0], linewidth=1.0)
        axes.plot([dose, dose], [low50, high50], color=PALETTE[0], linewidth=3.2)
        axes.scatter([dose], [mean], color="white", edgecolors=PALETTE[0], s=30, zorder=3)
    axes.plot(doses, [point[0] for point in points], color=PALETTE[0], linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set(
        ylim=(0, 1),
        xlim=(doses[0] / 1.3, doses[-1] * 1.3),
        ylabel="DLT probability",
        xlabel="Dose, CAR+ cells per kg (log scale)",
    )
    axes.set_xticks(doses, [column_label(f"DL{level}", study) for level in range(1, len(doses) + 1)])
    axes.minorticks_off()
