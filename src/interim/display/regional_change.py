"""Figure: best change of the liver lesions against that of the lesions elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.lines import Line2D

from interim.display.absent import not_drawn
from interim.display.apart import Label, label_points
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, participant_label, word
from interim.display.numbers import Numbers
from interim.display.style import GREY, LIGHT, PORTRAIT_MM, TOTAL_COLOUR, cohort_colours
from interim.result import Result
from interim.study import Study

_SIZE = (PORTRAIT_MM, 112.0)
_REGIONS = ("liver", "extrahepatic")
_PANEL_MM = 88.0
_MARGIN = 8.0


@dataclass(frozen=True)
class _Dot:
    subject: str
    group: str
    liver: float
    elsewhere: float


def figure_regional_change(result: Result, study: Study) -> Figure:
    """Draw a point per participant: best change of the liver lesions, and of the lesions elsewhere.

    Parameters
    ----------
    result : Result
        ``regional_change.best_changes``.
    study : Study
        Labels, thresholds of response and progression.

    Returns
    -------
    Figure
        Participants without one of the two values are listed below with the reason.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    dots, without = _dots(result, study)
    if not dots:
        reason = numbers.absence("summary", stat="n") or "no participant with target lesions in both regions"
        return not_drawn(numbers, title=result.title, reason=reason)
    svg, png = drawn(lambda sheet: _paint(sheet, dots, study), size_mm=_SIZE, study=study)
    frame = result.frame[result.frame["variable"].isin(["change", "summary"])]
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=_alt(dots),
        width_mm=_SIZE[0],
        keys=tuple(frame["result_id"]),
        footnotes=(
            "Post-hoc sums by region, not RECIST. Complete sub-sums only, up to the first progression and before a new anticancer "
            f"therapy. Without a value in both regions: {'; '.join(without) or 'none'}.",
            *result.footnotes,
        ),
    )


def _dots(result: Result, study: Study) -> tuple[list[_Dot], list[str]]:
    frame = result.frame[result.frame["variable"] == "change"]
    dots, without = [], []
    for (subject, group), part in frame.groupby(["level", "group"], sort=True):
        rows = {str(row["stat"]): row for row in part.to_dict("records")}
        gaps = [name for name in _REGIONS if rows[name]["status"] != "OK"]
        if gaps:
            why = ", ".join(
                f"{word('regions', name).lower()}: {word('change_reason', str(rows[name]['reason']))}"
                for name in gaps
            )
            without.append(f"{participant_label(str(subject), study)} ({why})")
        else:
            liver, elsewhere = (float(rows[name]["value"]) for name in _REGIONS)
            dots.append(_Dot(str(subject), str(group), liver, elsewhere))
    return dots, without


def _paint(sheet: Sheet, dots: list[_Dot], study: Study) -> None:
    axes = axes_mm(sheet, left=26, bottom=14, width=_PANEL_MM, height=_PANEL_MM)
    values = [value for dot in dots for value in (dot.liver, dot.elsewhere)]
    low, high = min(-60.0, *values) - _MARGIN, max(40.0, *values) + _MARGIN
    axes.set(xlim=(low, high), ylim=(low, high))
    axes.plot([low, high], [low, high], color=LIGHT, linewidth=0.8, zorder=0)
    for limit in (-study.response.pr_pct, study.response.pd_pct):
        axes.axhline(limit, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        axes.axvline(limit, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
    axes.axhline(0, color=TOTAL_COLOUR, linewidth=0.6, zorder=0)
    axes.axvline(0, color=TOTAL_COLOUR, linewidth=0.6, zorder=0)
    axes.set_xlabel("Best change of the liver lesions, %")
    axes.set_ylabel("Best change of the lesions\noutside the liver, %")
    order = [*study.cohorts(), *sorted({dot.group for dot in dots} - set(study.cohorts()))]
    drawn_groups = {dot.group for dot in dots}
    colours = cohort_colours(study, tuple(group for group in order if group in drawn_groups))
    for dot in dots:
        axes.plot([dot.liver], [dot.elsewhere], "o", color=colours[dot.group], markersize=5)
    names = [
        Label(participant_label(dot.subject, study), dot.liver, dot.elsewhere, TOTAL_COLOUR) for dot in dots
    ]
    label_points(axes, names, size=6, right=_PANEL_MM)
    _legend(axes, dots, colours, study)


def _legend(axes: Axes, dots: list[_Dot], colours: dict[str, str], study: Study) -> None:
    handles = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="none",
            color=colour,
            label=f"{column_label(group, study)} (n={sum(dot.group == group for dot in dots)})",
        )
        for group, colour in colours.items()
    ]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.06, 1.0), frameon=False, borderaxespad=0)


def _alt(dots: list[_Dot]) -> str:
    down = sum(dot.liver < 0 and dot.elsewhere < 0 for dot in dots)
    apart = sum((dot.liver < 0) != (dot.elsewhere < 0) for dot in dots)
    return (
        f"One point per participant with target lesions in both regions (n={len(dots)}): best percentage change of the liver "
        f"lesions on the x axis, of the lesions outside the liver on the y axis. Both smaller: {down}; one smaller and the "
        f"other not: {apart}."
    )
