"""Icon arrays: one small figure for each person, filled for those with the event; told apart by form, not by colour alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Circle, FancyBboxPatch

from interim.display.figure import Figure, axes_mm, drawn
from interim.display.style import PORTRAIT_MM, TOTAL_COLOUR
from interim.errors import ReportError
from interim.study import Study

_ROW, _WIDE_ROW, _FEW = 20, 40, 60
_HEIGHT_MM, _LOW_MM = 8.0, 5.5
_HEAD, _NECK, _STEP = 0.16, 0.62, 1.6


def icon_array(row: Mapping[str, Any], study: Study, *, title: str, alt: str) -> Figure:
    """Draw one icon for each participant of a denominator; the first x of them are filled.

    Parameters
    ----------
    row : mapping
        Row of a result: ``n`` of ``N`` participants.
    study : Study
        Settings of figures.
    title, alt : str
        Caption and text alternative.

    Returns
    -------
    Figure
        As wide as an upright page; the number of icons is N.

    Raises
    ------
    ReportError
        If the row has no counts, or n is not between 0 and N.
    """
    filled, total = _counts(row)
    per_row = _ROW if total <= _FEW else _WIDE_ROW
    lines = math.ceil(total / per_row)
    height = lines * (_HEIGHT_MM if total <= _FEW else _LOW_MM)

    def paint(sheet: Sheet) -> None:
        ax = axes_mm(sheet, left=0, bottom=0, width=PORTRAIT_MM, height=height)
        ax.set_xlim(0, PORTRAIT_MM / height * lines * _STEP)
        ax.set_ylim(0, lines * _STEP)
        ax.set_axis_off()
        for place in range(total):
            line, column = divmod(place, per_row)
            _person(ax, column + 0.5, (lines - 1 - line) * _STEP + 0.1, filled=place < filled)

    svg, png = drawn(paint, size_mm=(PORTRAIT_MM, height), study=study, threads=False)
    return Figure(
        title=title,
        population="",
        svg=svg,
        png=png,
        alt=alt,
        width_mm=PORTRAIT_MM,
        keys=(str(row["result_id"]),),
    )


def _counts(row: Mapping[str, Any]) -> tuple[int, int]:
    try:
        filled, total = int(row["n"]), int(row["N"])
    except (TypeError, ValueError) as error:
        raise ReportError(
            f"{row['result_id']}: an icon array needs counts, found {row['n']} of {row['N']}"
        ) from error
    if not 0 <= filled <= total or total == 0:
        raise ReportError(f"{row['result_id']}: no icon array can show {filled} of {total}")
    return filled, total


def _person(ax: Axes, x: float, y: float, *, filled: bool) -> None:
    """Draw a head and a body, solid or in outline."""
    body = FancyBboxPatch((x - 0.2, y + 0.1), 0.4, _NECK, boxstyle="round,pad=0.05")
    head = Circle((x, y + _NECK + 0.1 + 0.1 + _HEAD), _HEAD)
    for part in (body, head):
        part.set(facecolor=TOTAL_COLOUR if filled else "white", edgecolor=TOTAL_COLOUR, linewidth=0.9)
        ax.add_patch(part)
