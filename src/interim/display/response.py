"""Response: table of best response, and the swimmer figure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, participant_label, word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import Numbers
from interim.display.style import (
    GREY,
    LIGHT,
    PALETTE,
    PORTRAIT_MM,
    RESPONSE_COLOURS,
    TOTAL_COLOUR,
    cohort_colours,
    ink,
)
from interim.display.table import Table
from interim.display.waterfall import MOST_NAMED_BARS, legend_above
from interim.result import Result
from interim.study import Study

DAYS_PER_MONTH = 30.4375
_COHORT_LETTERS = 16
_LANE_LEFT = 46.0
POINT_MM = 25.4 / 72
_ONGOING, _DEATH = "ONGOING", "DEATH"
_REASONS = {"NE": "ne_reason", "MISSING": "missing_reason"}
_RESPONSE_MARKERS = {"CR": "*", "PR": "^", "SD": "s", "NON-CR/NON-PD": "D", "PD": "v", "NE": "o"}


def table_best_response(result: Result, study: Study) -> Table:
    """Show best overall response, confirmed and unconfirmed, and the response rates.

    Parameters
    ----------
    result : Result
        ``response.best_response``.
    study : Study
        Column labels, rounding, level, whether confirmation is required.

    Returns
    -------
    Table
        One column per assigned cohort.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    absent = absent_line(numbers, word("rates", "orr"), "orr", stat="rate")
    return cohort_table(numbers, [absent] if absent else list(_response_lines(numbers, study)))


def _response_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    confirmed = study.response.confirmation_required
    kinds = ("confirmed", "unconfirmed") if confirmed else ("unconfirmed", "confirmed")
    weeks = f"{study.response.sd_min_weeks:g}"
    yield from _category_lines(numbers, kinds[0], weeks, primary=True)
    for variable in ("orr", "dcr", "cbr"):
        yield from _rate_lines(numbers, study, variable, f"{word('rates', variable)}, {kinds[0]}")
    yield Line("Confirmation still possible", partial(numbers.plain, variable="pending"))
    yield from _category_lines(numbers, kinds[1], weeks, primary=False)
    for variable in ("orr", "dcr"):
        yield from _rate_lines(
            numbers, study, f"{variable}_{kinds[1]}", f"{word('rates', variable)}, {kinds[1]}"
        )
    yield Line("Sensitivity: response-evaluable set")
    yield Line("Participants", partial(numbers.plain, variable="population_re", stat="N"), 1)
    for variable in ("orr", "dcr"):
        text = f"{word('rates', variable)}, {kinds[0]}"
        yield from _rate_lines(numbers, study, f"{variable}_re", text, indent=1)


def _category_lines(numbers: Numbers, kind: str, weeks: str, *, primary: bool) -> Iterator[Line]:
    yield Line(f"Best overall response, {kind}" + (" (primary)" if primary else ""))
    variable = f"bor_{kind}"
    for level in numbers.levels(variable):
        text = word("bor", level)
        text = f"{text}, from {weeks} weeks" if level in ("SD", "NON-CR/NON-PD") else text
        yield Line(text, partial(numbers.count, variable=variable, level=level), 1)
        why = _REASONS.get(level, "") if primary else ""
        for reason in numbers.levels(why) if why else ():
            yield Line(word("ne_reason", reason), partial(numbers.plain, variable=why, level=reason), 2)


def _rate_lines(
    numbers: Numbers, study: Study, variable: str, text: str, *, indent: int = 0
) -> Iterator[Line]:
    yield Line(text, partial(numbers.rate, variable=variable), indent)
    percent = f"{100 * study.stats.level:g}"
    yield Line(f"{percent}% CI, %", partial(numbers.interval, variable=variable), indent + 1)


@dataclass(frozen=True)
class _Lane:
    subject: str
    label: str
    group: str
    end: float
    status: str
    marks: tuple[tuple[str, float], ...]


def figure_swimmer(result: Result, study: Study) -> Figure:
    """Draw treatment, responses and status of each participant over time.

    Parameters
    ----------
    result : Result
        ``response.swimmer``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        One bar per participant, by cohort, the longest first.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    lanes = _lanes(numbers, result)
    if not lanes:
        row = numbers.row("n", variable="course")
        reason = "no treated participant" if row is None else str(row["reason"])
        return not_drawn(numbers, title=result.title, reason=reason)
    pitch = 4.2 if len(lanes) <= MOST_NAMED_BARS else max(0.8, 190.0 / len(lanes))
    size = (PORTRAIT_MM, 26.0 + pitch * len(lanes))
    svg, png = drawn(
        lambda sheet: _paint_swimmer(sheet, lanes, study=study, size=size), size_mm=size, study=study
    )
    frame = result.frame[result.frame["variable"] != "population"]
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=_swimmer_alt(lanes, study),
        width_mm=size[0],
        keys=tuple(frame["result_id"]),
        footnotes=(
            "Months from the first infusion; by assigned cohort, the longest follow-up first.",
            *result.footnotes,
        ),
    )


def _lanes(numbers: Numbers, result: Result) -> list[_Lane]:
    study = numbers.study
    order = {group: place for place, group in enumerate(numbers.groups)}
    ends = result.frame[(result.frame["variable"] == "course") & (result.frame["stat"] == "end")]
    drawn_rows = result.frame[result.frame["stat"].str.fullmatch(r"day\d+")]
    marks = {
        str(subject): tuple(zip(part["variable"], part["value"] / DAYS_PER_MONTH, strict=True))
        for subject, part in drawn_rows.groupby("level", sort=False)
    }
    lanes = []
    for row in ends.to_dict("records"):
        subject, group = str(row["level"]), str(row["group"])
        status = numbers.words(group, "course", "status", level=subject).text
        label = participant_label(subject, study)
        months = float(row["value"]) / DAYS_PER_MONTH
        lanes.append(_Lane(subject, label, group, months, status, marks.get(subject, ())))
    return sorted(lanes, key=lambda lane: (order[lane.group], -lane.end, lane.subject))


def _paint_swimmer(sheet: Sheet, lanes: list[_Lane], *, study: Study, size: tuple[float, float]) -> None:
    axes = axes_mm(sheet, left=_LANE_LEFT, bottom=10, width=size[0] - _LANE_LEFT - 6, height=size[1] - 24)
    groups = tuple(dict.fromkeys(lane.group for lane in lanes))
    colours = cohort_colours(study, groups)
    named = len(lanes) <= MOST_NAMED_BARS
    scale = 1.0 if named else 0.45
    axes.barh(
        range(len(lanes)),
        [lane.end for lane in lanes],
        color=[colours[lane.group] for lane in lanes],
        alpha=0.35,
        height=0.62,
        linewidth=0,
    )
    last = max(max([lane.end, *(month for _, month in lane.marks)]) for lane in lanes)
    axes.set(xlim=(-0.02 * last - 0.05, last * 1.06 + 0.1), ylim=(len(lanes) - 0.4, -0.6))
    axes.set_xlabel("Months from the first infusion")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    styles = _styles(study)
    used = set()
    for place, lane in enumerate(lanes):
        for name, month in (*lane.marks, (lane.status, lane.end)):
            if name in styles:
                used.add(name)
                axes.plot([month], [place], markersize=4.5 * scale, clip_on=False, zorder=4, **styles[name])
    axes.set_yticks(
        range(len(lanes)) if named else [], [lane.label for lane in lanes] if named else [], fontsize=6.5
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _cohort_names(axes, lanes, colours, study)
    handles = [
        Line2D([], [], markersize=4.5, label=_mark_word(name, study), **style)
        for name, style in styles.items()
        if name in used
    ]
    legend_above(axes, handles, columns=4)


def _styles(study: Study) -> dict[str, dict[str, Any]]:
    """Return the marker of everything that can stand on a bar, in the order of the legend."""
    bare = {"linestyle": "none", "markeredgewidth": 0.7}
    styles: dict[str, dict[str, Any]] = {}
    for place, product in enumerate(study.products):
        colour = TOTAL_COLOUR if place == 0 else PALETTE[0]
        marker = "|" if place == 0 else "2"
        styles[f"dose {product.id}"] = {**bare, "marker": marker, "color": colour, "markeredgewidth": 1.0}
    for category, sign in _RESPONSE_MARKERS.items():
        fill = RESPONSE_COLOURS[category]
        styles[f"response {category}"] = {**bare, "marker": sign, "color": fill, "markeredgecolor": "white"}
    styles["new_therapy"] = {**bare, "marker": "P", "color": PALETTE[7]}
    styles[_DEATH] = {**bare, "marker": "X", "color": TOTAL_COLOUR, "markeredgecolor": "white"}
    styles[_ONGOING] = {**bare, "marker": ">", "color": GREY}
    return styles


def _mark_word(name: str, study: Study) -> str:
    kind, _, code = name.partition(" ")
    if kind == "response":
        return word("bor_short", code)
    return word("course", name)


def _cohort_names(axes: Axes, lanes: list[_Lane], colours: dict[str, str], study: Study) -> None:
    start = 0
    for group in colours:
        size = sum(lane.group == group for lane in lanes)
        lines = textwrap.wrap(
            f"{column_label(group, study)} (n={size})", 1000 if size < len(lanes) / 8 else _COHORT_LETTERS
        )
        axes.annotate(
            "\n".join(lines),
            xy=(0, start + (size - 1) / 2),
            xytext=((2.0 - _LANE_LEFT) / POINT_MM, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=7,
            color=ink(colours[group]),
            annotation_clip=False,
        )
        if start:
            axes.axhline(start - 0.5, color=LIGHT, linewidth=0.6, zorder=0)
        start += size


def _swimmer_alt(lanes: list[_Lane], study: Study) -> str:
    died = sum(lane.status == _DEATH for lane in lanes)
    ongoing = sum(lane.status == _ONGOING for lane in lanes)
    groups = dict.fromkeys(lane.group for lane in lanes)
    parts = [f"{column_label(g, study)} (n={sum(lane.group == g for lane in lanes)})" for g in groups]
    return (
        f"Swimmer plot, one bar per participant (n={len(lanes)}) over months from the first infusion, by cohort: "
        f"{', '.join(parts)}. Marks show infusions, responses, new therapy and death. Ongoing: {ongoing}; "
        f"died: {died}."
    )
