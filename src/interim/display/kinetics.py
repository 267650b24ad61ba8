"""Cellular kinetics: tables of levels, parameters and exposure, individual profiles, exposure-response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.ticker import NullFormatter

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.measures import measure_lines, measure_table, number_cell
from interim.display.numbers import Numbers
from interim.display.style import GREY, PORTRAIT_MM, TOTAL_COLOUR
from interim.display.table import Cell, Table
from interim.result import TOTAL, Result
from interim.study import Study

_PANEL_MM = 62.0
_WIDE_MM = 104.0
_EXPOSURE_MM = 51.0  # four rows, the heading and the notes share a page
_TIMES = "Times from the actual start of the first infusion of the cycle (all cycles: of the product); areas over several cycles are the sum of the areas of their windows."
_TARGET = "Whether an assay separates NK cells from T cells: as its target in the data says; without one it counts as shared (OP-7)."
_DRAWN_GRADES = 5


def table_kinetic_levels(result: Result, study: Study) -> Table:
    """Show the CAR-T level by nominal time.

    Parameters
    ----------
    result : Result
        ``kinetics.levels_by_time``.
    study : Study
        Column labels, rounding, ``kinetics``.

    Returns
    -------
    Table
        One block per assay and time.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    share = f"{100 * study.kinetics.blq_mean_max:g}"
    note = f"BLQ: below the limit of quantification; such values count as half of it in means and in a median between two values; means are withheld where more than {share}% are below it. Assays are never pooled."
    return measure_table(result, study, footnotes=(note,))


def table_kinetic_parameters(result: Result, study: Study) -> Table:
    """Show the parameters of CAR-T or CAR-NK kinetics.

    Parameters
    ----------
    result : Result
        ``kinetics.cart_parameters`` or ``kinetics.nk_parameters``.
    study : Study
        Column labels, rounding, ``kinetics``.

    Returns
    -------
    Table
        One section per assay and cycle.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    rule = f"Areas: {study.kinetics.auc_method}; samples below the limit of quantification: rule {study.kinetics.blq_rule}."
    level = f"{100 * study.stats.level:g}"
    means = f"Geometric means and CV are of values above 0; their {level}% interval, for the paired ratios of cycles, uses Student's t on the logarithms."
    return measure_table(result, study, footnotes=(rule, means, _TIMES, _TARGET))


def table_biodistribution(result: Result, study: Study) -> Table:
    """Show tissue and fluid samples beside the nearest blood sample.

    Parameters
    ----------
    result : Result
        ``kinetics.biodistribution``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One section per assay and tissue.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    note = f"Ratio: tissue over the nearest blood sample within {study.kinetics.tissue_match_h:g} hours, same assay and unit; values below a limit give no ratio."
    return measure_table(result, study, footnotes=(note,))


def table_exposure_by_dose(result: Result, study: Study) -> Table:
    """Show exposure by dose with the power model.

    Parameters
    ----------
    result : Result
        ``exposure.by_dose``.
    study : Study
        Column labels, rounding, ``kinetics``.

    Returns
    -------
    Table
        One section per exposure; the model stands in the column of all participants.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    limits = study.kinetics.smith_limits
    note = (
        f"Power model ln(exposure) = a + b ln(dose), dose basis {study.kinetics.dose_basis.replace('_', ' ')}; proportional if the "
        f"interval of b lies inside the critical range that keeps the ratio of dose-normalised means within {limits[0]:g} to {limits[1]:g}."
    )
    return cohort_table(numbers, list(_exposure_lines(numbers, study)), footnotes=(note,))


def _exposure_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    percent = f"{100 * study.kinetics.power_ci:g}"
    for variable in numbers.variables():
        absent = absent_line(numbers, word("measures", variable), variable)
        if absent:
            yield absent
            continue
        assay, _, name = variable.partition(" ")
        yield Line(f"{word('measures', assay)}: {word('measures', name)}")
        yield from measure_lines(numbers, variable, "", text="Participants")
        for stat, text in (
            ("slope", "Slope of the power model"),
            ("lower", f"{percent}% interval, lower limit"),
            ("upper", f"{percent}% interval, upper limit"),
            ("critical_low", "Critical range, lower limit"),
            ("critical_high", "Critical range, upper limit"),
            ("ratio", "Ratio of dose-normalised means, highest to lowest dose"),
        ):
            yield Line(text, partial(number_cell, numbers, variable=variable, level="", stat=stat), 1)
        yield Line("Exposures of 0, not in the model, n", partial(_zero, numbers, variable=variable), 1)
        yield Line("Dose proportionality", partial(_verdict, numbers, variable=variable), 1)


def _zero(numbers: Numbers, group: str, *, variable: str) -> Cell:
    return numbers.value(group, variable, "zero", digits=0)


def _verdict(numbers: Numbers, group: str, *, variable: str) -> Cell:
    cell = numbers.words(group, variable, "verdict")
    return Cell(word("proportionality", cell.text), cell.keys)


def figure_exposure_response(result: Result, study: Study) -> Figure:
    """Draw exposure against the grade of cytokine release syndrome, one panel per exposure.

    Parameters
    ----------
    result : Result
        ``exposure.response``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        One mark per participant; no threshold.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    frame = result.frame[result.frame["variable"].str.startswith("points ")]
    if frame.empty:
        reason = numbers.absence("exposure", stat="n") or "no participant with exposure and grade"
        return not_drawn(numbers, title=result.title, reason=reason)
    panels = {
        str(variable): part.pivot(index="level", columns="stat", values="value")
        for variable, part in frame.groupby("variable", sort=True)
    }
    rows = -(-len(panels) // 2)
    svg, png = drawn(
        lambda sheet: _paint_exposures(sheet, panels, numbers),
        size_mm=(PORTRAIT_MM, rows * _EXPOSURE_MM + 8),
        study=study,
    )
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=_exposure_alt(panels, numbers),
        width_mm=PORTRAIT_MM,
        keys=(*frame["result_id"], *_rho_keys(numbers, panels)),
        footnotes=(
            f"One mark per participant{_not_shown(panels)}; open: maximum after an interleukin-6 blocker or a corticosteroid; "
            "crossed: dose-limiting toxicity. Descriptive; no threshold is claimed.",
            *result.footnotes,
        ),
    )


def _rho_keys(numbers: Numbers, panels: Iterable[str]) -> list[str]:
    """Return the ids of the correlations and their limits."""
    rows = (
        numbers.row(stat, group=TOTAL, variable=name.removeprefix("points "))
        for name in panels
        for stat in ("spearman", "lower", "upper")
    )
    return [str(row["result_id"]) for row in rows if row is not None]


def _rho(numbers: Numbers, variable: str) -> str:
    row = numbers.row("spearman", group=TOTAL, variable=variable.removeprefix("points "))
    if row is None or row["status"] != "OK":
        return "Spearman correlation not estimable"
    name = variable.removeprefix("points ")
    limits = [numbers.row(stat, group=TOTAL, variable=name) for stat in ("lower", "upper")]
    known = [
        numbers.number_text(limit, digits=2)
        for limit in limits
        if limit is not None and limit["status"] == "OK"
    ]
    between = f" ({'; '.join(known)})" if len(known) == 2 else ""
    return f"Spearman correlation {numbers.number_text(row, digits=2)}{between}, n={int(row['n'])}"


def _exposure_name(variable: str) -> str:
    assay, _, parameter = variable.removeprefix("points ").partition(" ~ ")[0].partition(" ")
    return f"{word('measures', assay)}: {word('measures', parameter)}"


def _exposure_axis(numbers: Numbers, variable: str) -> str:
    """Return the label of the axis of an exposure, with the unit where it is known."""
    frame = numbers.result.frame
    units = frame.loc[(frame["variable"] == variable) & (frame["stat"] == "exposure"), "unit"].dropna()
    unit = next((str(text) for text in units if text), "")
    return f"{_exposure_name(variable)}\n({unit})" if unit else _exposure_name(variable)


def _not_shown(panels: dict[str, pd.DataFrame]) -> str:
    """Say whose exposure has no place on a logarithmic axis."""
    gone = {str(level) for points in panels.values() for level in points.index[points["exposure"] <= 0]}
    plural = "s" if len(gone) > 1 else ""
    return f"; not drawn: {len(gone)} participant{plural} with an exposure of 0" if gone else ""


def _exposure_alt(panels: dict[str, pd.DataFrame], numbers: Numbers) -> str:
    parts = [f"{_exposure_name(name)}: {_rho(numbers, name)}" for name in panels]
    return f"Scatter charts of exposure, logarithmic x axis, against the highest grade of cytokine release syndrome and the best change of the target lesions. {'; '.join(parts)}."


def _paint_exposures(sheet: Sheet, panels: dict[str, pd.DataFrame], numbers: Numbers) -> None:
    rows = -(-len(panels) // 2)
    for place, (name, points) in enumerate(panels.items()):
        row, column = divmod(place, 2)
        bottom = 14 + (rows - 1 - row) * _EXPOSURE_MM
        axes: Axes = axes_mm(sheet, left=16 + column * 78.0, bottom=bottom, width=58, height=31)
        _paint_points(axes, points[points["exposure"] > 0])
        axes.set(xscale="log", xlabel=_exposure_axis(numbers, name))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_title(_rho(numbers, name), fontsize=7)


def _paint_points(axes: Axes, points: pd.DataFrame) -> None:
    """Draw one mark per participant: open after a medicine that lowers the maximum, crossed with a dose-limiting toxicity."""
    stat = "grade" if "grade" in points else "change"
    marks = {name: points.get(name, pd.Series(0.0, index=points.index)) > 0 for name in ("after", "dlt")}
    for hollow in (False, True):
        part = points[marks["after"] == hollow]
        if part.empty:
            continue
        face = "none" if hollow else TOTAL_COLOUR
        axes.plot(part["exposure"], part[stat], "o", mfc=face, mec=TOTAL_COLOUR, markersize=4, alpha=0.7)
    toxic = points[marks["dlt"]]
    if len(toxic):
        axes.plot(toxic["exposure"], toxic[stat], "x", color="#D55E00", markersize=7)
    if stat == "grade":
        axes.set(ylabel="CRS grade", ylim=(-0.4, _DRAWN_GRADES + 0.4))
        axes.set_yticks(range(_DRAWN_GRADES + 1))
    else:
        axes.set(ylabel="Best change, %")
        axes.axhline(0, color=GREY, linewidth=0.5)
