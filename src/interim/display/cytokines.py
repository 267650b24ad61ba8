"""Cytokines: summary table and heat map."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Sheet

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import participant_label, word
from interim.display.measures import ABOVE_ZERO, measure_table
from interim.display.numbers import Numbers
from interim.display.style import PORTRAIT_MM
from interim.display.table import Table
from interim.result import Result
from interim.study import Study

_COLUMNS = 2
_ROW_MM = 3.4
_LIMIT = 6.0


def table_cytokines(result: Result, study: Study) -> Table:
    """Show baseline, peak, fold change and time to peak of the cytokines.

    Parameters
    ----------
    result : Result
        ``cytokines.summary``.
    study : Study
        Column labels, rounding.

    Returns
    -------
    Table
        One section per analyte and baseline.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    note = (
        "Two baselines: the last value at or before the first CAR-NK infusion, and at or before the first CAR-T infusion. Below the limit of "
        "quantification: half of it; above the upper limit: that limit. Values after tocilizumab or a corticosteroid are counted as flags."
    )
    return measure_table(result, study, footnotes=(note, ABOVE_ZERO))


def figure_cytokine_heat_map(result: Result, study: Study) -> Figure:
    """Draw the fold change from baseline by participant and day, one panel per analyte.

    Parameters
    ----------
    result : Result
        ``cytokines.course``.
    study : Study
        Participant labels.

    Returns
    -------
    Figure
        Colour: log2 fold change, the same scale in every panel.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    frame = result.frame[(result.frame["stat"] == "log2_fold") & result.frame["value"].notna()]
    if frame.empty:
        reason = numbers.absence("cytokines", stat="n") or "no fold change"
        return not_drawn(numbers, title=result.title, reason=reason)
    parts = frame["variable"].str.split("|", n=1, expand=True)
    points = frame.assign(
        ANALYTE=parts[0], SUBJECT=parts[1], DAY=frame["level"].str.removeprefix("D").astype(float)
    )
    subjects = tuple(sorted(points["SUBJECT"].unique()))
    analytes = tuple(sorted(points["ANALYTE"].unique()))
    rows = -(-len(analytes) // _COLUMNS)
    panel = _ROW_MM * len(subjects) + 20
    svg, png = drawn(
        lambda sheet: _paint(sheet, points, analytes=analytes, subjects=subjects, study=study),
        size_mm=(PORTRAIT_MM, rows * panel + 18),
        study=study,
    )
    largest = {str(name): cell for name, cell in points.sort_values("value", kind="stable").iloc[-1].items()}
    alt = (
        f"Heat map of log2 fold change from the value before CAR-T cells, rows participants, columns days, {len(analytes)} analytes, "
        f"{len(subjects)} participants; the largest rise is {numbers.number_text(largest, digits=1)} ({largest['ANALYTE']}, day {largest['DAY']:.0f})."
    )
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=alt,
        width_mm=PORTRAIT_MM,
        keys=tuple(frame["result_id"]),
        footnotes=(f"Colour scale cut at {-_LIMIT:g} and {_LIMIT:g}.", *result.footnotes),
    )


def _paint(
    sheet: Sheet, points: pd.DataFrame, *, analytes: tuple[str, ...], subjects: tuple[str, ...], study: Study
) -> None:
    norm, colours = Normalize(-_LIMIT, _LIMIT), colormaps["RdBu_r"]
    panel = _ROW_MM * len(subjects) + 20
    rows = -(-len(analytes) // _COLUMNS)
    place_of = {subject: place for place, subject in enumerate(subjects)}
    last = float(points["DAY"].max())
    for place, analyte in enumerate(analytes):
        row, column = divmod(place, _COLUMNS)
        axes = axes_mm(
            sheet,
            left=24 + column * 72.0,
            bottom=26 + (rows - 1 - row) * panel,
            width=54,
            height=_ROW_MM * len(subjects),
        )
        part = points[points["ANALYTE"] == analyte]
        rows_of = part["SUBJECT"].map(place_of).to_numpy(dtype=float)
        axes.scatter(
            part["DAY"], rows_of, c=colours(norm(part["value"].to_numpy())), marker="s", s=11, linewidths=0
        )
        axes.axvline(0, color="#6E6E6E", linewidth=0.5)
        axes.set(ylim=(len(subjects) - 0.5, -0.5), xlim=(float(points["DAY"].min()) - 2, last + 2))
        names = [participant_label(s, study) for s in subjects] if column == 0 else [""] * len(subjects)
        axes.set_yticks(np.arange(len(subjects)), names, fontsize=5.5)
        axes.set_title(word("measures", analyte), fontsize=7.5)
    bar = axes_mm(sheet, left=40, bottom=11, width=70, height=2.5)
    bar.imshow(
        np.linspace(-_LIMIT, _LIMIT, 101)[None, :],
        cmap=colours,
        aspect="auto",
        extent=(-_LIMIT, _LIMIT, 0, 1),
    )
    bar.set_yticks([])
    bar.set_xlabel("log2 fold change; x axis of panels: days from the first CAR-T infusion", fontsize=7)
