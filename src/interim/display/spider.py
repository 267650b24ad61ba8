"""Spider figure: the percentage change of every complete sum of each participant over time."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.lines import Line2D

from interim.display.absent import not_drawn
from interim.display.apart import Label, label_points
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, participant_label
from interim.display.numbers import Numbers
from interim.display.rounding import decimal_text
from interim.display.style import GREY, PORTRAIT_MM, TOTAL_COLOUR, cohort_colours, ink
from interim.result import Result
from interim.study import Study

_HEIGHT_MM = 105.0


@dataclass(frozen=True)
class _Leg:
    """The course of one participant."""

    subject: str
    group: str
    weeks: tuple[float, ...]
    changes: tuple[float, ...]
    new_lesions: tuple[float, ...]
    t_cell: float | None


def figure_spider(result: Result, study: Study) -> Figure:
    """Draw the percentage change of the sum of target diameters of each participant over time.

    Parameters
    ----------
    result : Result
        ``depth.spider``.
    study : Study
        Labels, thresholds of response and progression.

    Returns
    -------
    Figure
        A line per participant from the baseline, coloured by cohort; crosses mark new lesions, short strokes on the axis the
        first T-cell infusion.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    legs = _legs(result)
    if not legs:
        row = numbers.row("n", variable="summary")
        reason = str(row["reason"]) if row is not None and row["reason"] else "no complete sum after baseline"
        return not_drawn(numbers, title=result.title, reason=reason)
    size = (PORTRAIT_MM, _HEIGHT_MM)
    svg, png = drawn(lambda sheet: _paint(sheet, legs, study), size_mm=size, study=study)
    drawn_rows = result.frame[~result.frame["variable"].str.startswith("population")]
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=_alt(legs, study),
        width_mm=size[0],
        keys=tuple(drawn_rows["result_id"]),
        footnotes=(
            "Weeks from the first infusion; baseline is drawn at week 0. Complete sums before a new anticancer therapy. "
            "Cross: new lesion. Stroke below the lines: first T-cell infusion.",
            *result.footnotes,
        ),
    )


def _legs(result: Result) -> list[_Leg]:
    frame = result.frame
    answer = []
    for (group, subject), part in frame[frame["variable"] == "sum"].groupby(["group", "level"], sort=True):
        mine = frame[frame["level"] == subject]
        cart = mine.loc[mine["variable"] == "t_cell", "value"]
        answer.append(
            _Leg(
                str(subject),
                str(group),
                (0.0, *_series(part, "week")),
                (0.0, *_series(part, "pchg")),
                _series(mine[mine["variable"] == "new_lesion"], "week"),
                float(cart.iloc[0]) if len(cart) else None,
            )
        )
    return answer


def _series(part: pd.DataFrame, stem: str) -> tuple[float, ...]:
    return tuple(part.loc[part["stat"].str.startswith(stem), "value"])


def _paint(sheet: Sheet, legs: list[_Leg], study: Study) -> None:
    axes = axes_mm(sheet, left=20, bottom=12, width=PORTRAIT_MM - 44, height=_HEIGHT_MM - 26)
    groups = tuple(dict.fromkeys(leg.group for leg in legs))
    ordered = tuple(g for g in (*study.cohorts(), *groups) if g in groups)
    colours = cohort_colours(study, tuple(dict.fromkeys(ordered)))
    low = min(min(leg.changes) for leg in legs)
    floor = min(-100.0, low) - 8
    for leg in legs:
        _paint_leg(axes, leg, colours[leg.group], floor)
    last = max(max(*leg.weeks, *leg.new_lesions, leg.t_cell or 0.0) for leg in legs)
    high = max(max(leg.changes) for leg in legs)
    limits = (floor - 4, max(40.0, high + 8))
    axes.set(xlim=(-0.5, last * 1.02 + 0.5), ylim=limits)
    _name_legs(axes, legs, colours, study)
    axes.axhline(0, color=TOTAL_COLOUR, linewidth=0.6)
    for value in (-study.response.pr_pct, study.response.pd_pct):
        axes.axhline(value, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
    axes.set_xlabel("Weeks from the first infusion")
    axes.set_ylabel("Change of the sum\nof target diameters, %")
    handles = [
        Line2D(
            [], [], color=colour, label=f"{column_label(g, study)} (n={sum(leg.group == g for leg in legs)})"
        )
        for g, colour in colours.items()
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.01),
        ncols=min(len(handles), 5),
        frameon=False,
        handlelength=1.2,
        columnspacing=1.2,
        borderaxespad=0,
    )


def _paint_leg(axes: Axes, leg: _Leg, colour: str, floor: float) -> None:
    axes.plot(leg.weeks, leg.changes, color=colour, linewidth=1.1, marker="o", markersize=2.6)
    for week in leg.new_lesions:
        near = [change for w, change in zip(leg.weeks, leg.changes, strict=True) if abs(w - week) < 1e-9]
        height = near[0] if near else leg.changes[-1]
        axes.plot([week], [height], marker="x", color=TOTAL_COLOUR, markersize=5, linestyle="none", zorder=4)
    if leg.t_cell is not None:
        axes.plot([leg.t_cell], [floor], marker="|", color=colour, markersize=6, linestyle="none")


def _name_legs(axes: Axes, legs: list[_Leg], colours: dict[str, str], study: Study) -> None:
    """Write the participant at the end of each line."""
    labels = [
        Label(participant_label(leg.subject, study), leg.weeks[-1], leg.changes[-1], ink(colours[leg.group]))
        for leg in legs
    ]
    around = [point for leg in legs for point in zip(leg.weeks, leg.changes, strict=True)]
    label_points(axes, labels, size=5.5, around=around)


def _alt(legs: list[_Leg], study: Study) -> str:
    new = sum(bool(leg.new_lesions) for leg in legs)
    rule = study.rounding
    low = min(min(leg.changes) for leg in legs)
    lowest = decimal_text(low, digits=1, mode=rule.mode, guard_digits=rule.guard_digits)
    return (
        f"Spider figure, one line per participant (n={len(legs)}): percentage change of the sum of target diameters over weeks "
        f"from the first infusion; the lowest value is {lowest}%. Participants with a new lesion: {new}."
    )
