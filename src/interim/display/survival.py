"""Time to event: summary tables and Kaplan-Meier figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn, without_overlap
from interim.display.labels import column_label, participant_label, word
from interim.display.layout import Line, absent_line, cohort_table
from interim.display.numbers import Numbers
from interim.display.style import GREY, PORTRAIT_MM, TOTAL_COLOUR, cohort_colours, ink
from interim.display.table import Cell, Table
from interim.result import TOTAL, Result
from interim.study import Study

_RISK_ROW_MM = 4.2
_END_LETTERS = 22


def table_time_to_event(result: Result, study: Study, *, endpoint: str) -> Table:
    """Show one time-to-event endpoint.

    Parameters
    ----------
    result : Result
        ``survival.time_to_event``.
    study : Study
        Column labels, rounding, level.
    endpoint : {"PFS", "OS"}
        Which.

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
    absent = absent_line(numbers, word("tte", endpoint), endpoint, stat="median")
    return cohort_table(
        numbers,
        [absent]
        if absent
        else [*_status_lines(numbers, endpoint), *_estimate_lines(numbers, study, endpoint)],
        footnotes=("NR: not reached; NE: not estimable.",),
    )


def _status_lines(numbers: Numbers, endpoint: str) -> Iterator[Line]:
    yield Line("Participants", partial(numbers.plain, variable=endpoint))
    for stat, text in (("events", "With event"), ("censored", "Censored")):
        yield Line(text, partial(numbers.count, variable=endpoint, stat=stat))
        variable = f"{endpoint} {'event' if stat == 'events' else 'censored'}"
        for kind in numbers.levels(variable):
            yield Line(word("tte", kind), partial(numbers.count, variable=variable, level=kind), 1)
    if numbers.row("no_time", variable=endpoint) is not None:
        yield Line("Without start date", partial(numbers.count, variable=endpoint, stat="no_time"))


def _estimate_lines(numbers: Numbers, study: Study, endpoint: str) -> Iterator[Line]:
    percent = f"{100 * study.stats.level:g}"
    yield Line("Median, months", partial(numbers.value, variable=endpoint, stat="median"))
    yield Line(f"{percent}% CI", partial(numbers.interval, variable=endpoint, factor=1.0), 1)
    yield from _landmark_lines(numbers, study, endpoint)


def _landmark_lines(numbers: Numbers, study: Study, endpoint: str) -> Iterator[Line]:
    percent = f"{100 * study.stats.level:g}"
    variable = f"{endpoint} landmark"
    for month in numbers.levels(variable):
        yield Line(
            f"Rate at {month} months, %",
            partial(numbers.value, variable=variable, stat="rate", level=month, factor=100.0),
        )
        yield Line(f"{percent}% CI", partial(numbers.interval, variable=variable, level=month), 1)
        yield Line("At risk", partial(numbers.plain, variable=variable, level=month, stat="n_risk"), 1)


def table_duration_of_response(result: Result, study: Study) -> Table:
    """Show the duration of response and of disease control: range, median with enough events, else every single value.

    Parameters
    ----------
    result : Result
        ``duration.of_response``.
    study : Study
        Column labels, rounding, level.

    Returns
    -------
    Table
        One column per assigned cohort; a plus sign marks a time that is still running.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    absent = absent_line(numbers, word("tte", "DOR"), "DOR", stat="median")
    lines = [absent] if absent else list(_duration_lines(numbers, study))
    return cohort_table(
        numbers,
        lines,
        footnotes=(
            "+: ongoing at the last adequate assessment. NE: not estimable, too few events. Disease control and stable disease: "
            "from the first infusion, participants of the efficacy set with that best response.",
        ),
    )


def _duration_lines(numbers: Numbers, study: Study) -> Iterator[Line]:
    for endpoint in ("DOR", "DDC", "DSD"):
        text = word("tte", endpoint)
        absent = absent_line(numbers, text, endpoint, stat="median")
        if absent:
            yield absent
            continue
        values = "value" if endpoint == "DOR" else f"{endpoint} value"
        if numbers.row("median", variable=endpoint) is None and not numbers.levels(values):
            continue
        yield Line(text)
        yield from _status_lines(numbers, endpoint)
        yield Line("Range, months", partial(_span, numbers, endpoint))
        yield Line("Median, months", partial(numbers.value, variable=endpoint, stat="median"))
        percent = f"{100 * study.stats.level:g}% CI"
        yield Line(percent, partial(numbers.interval, variable=endpoint, factor=1.0), 1)
        yield from _landmark_lines(numbers, study, endpoint)
        yield from _value_lines(numbers, study, values)


def _value_lines(numbers: Numbers, study: Study, variable: str) -> Iterator[Line]:
    if numbers.levels(variable):
        yield Line("Values, months")
    for subject in numbers.levels(variable):
        yield Line(participant_label(subject, study), partial(_duration, numbers, variable, subject), 1)


def _duration(numbers: Numbers, variable: str, subject: str, group: str) -> Cell:
    months = numbers.value(group, variable, "months", level=subject)
    ongoing = numbers.words(group, variable, "ongoing", level=subject)
    return Cell(months.text + ("+" if ongoing.text == "yes" else ""), (*months.keys, *ongoing.keys))


def _span(numbers: Numbers, endpoint: str, group: str) -> Cell:
    """Return the shortest and the longest time; a plus sign marks one that is still running."""
    low, high = (numbers.value(group, endpoint, stat) for stat in ("min", "max"))
    if low.text == high.text and numbers.row("min_ongoing", group=group, variable=endpoint) is None:
        return Cell(low.text, (*low.keys, *high.keys))
    marks = [numbers.words(group, endpoint, f"{stat}_ongoing") for stat in ("min", "max")]
    one, two = ("+" if mark.text == "yes" else "" for mark in marks)
    keys = tuple(key for cell in (low, high, *marks) for key in cell.keys)
    return Cell(f"{low.text}{one} to {high.text}{two}", keys)


@dataclass(frozen=True)
class _Curve:
    group: str
    label: str
    n: int
    time: np.ndarray
    surv: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n_censor: np.ndarray
    risk: tuple[tuple[int, str], ...]
    landmarks: tuple[tuple[float, float], ...]


def figure_kaplan_meier(result: Result, study: Study, *, endpoint: str) -> Figure:
    """Draw the Kaplan-Meier curve of all participants with its band, and those of cohorts that are large enough.

    Parameters
    ----------
    result : Result
        ``survival.time_to_event``, or ``duration.of_response`` for DOR.
    study : Study
        Labels, rounding, level.
    endpoint : {"PFS", "OS", "DOR"}
        Which.

    Returns
    -------
    Figure
        With censoring marks and, below, the numbers at risk and censored.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    frame = result.frame[result.frame["variable"].isin([f"{endpoint} curve", f"{endpoint} risk"])]
    groups = [group for group in numbers.groups if group in set(frame["group"])]
    if TOTAL not in groups:
        return not_drawn(numbers, title=word("tte", endpoint), reason=_no_curve(numbers, endpoint))
    curves = [
        _curve(numbers, result, endpoint, group) for group in [TOTAL, *(g for g in groups if g != TOTAL)]
    ]
    high = 78.0 + _RISK_ROW_MM * (len(curves) + 1)
    svg, png = drawn(
        lambda sheet: _paint_curves(sheet, curves, study=study, endpoint=endpoint),
        size_mm=(PORTRAIT_MM, high),
        study=study,
    )
    percent = f"{100 * study.stats.level:g}"
    return Figure(
        title=word("tte", endpoint),
        population=result.population,
        svg=svg,
        png=png,
        alt=_curve_alt(numbers, curves, endpoint),
        width_mm=PORTRAIT_MM,
        keys=tuple(frame["result_id"]),
        footnotes=(
            f"Kaplan-Meier estimate; band: {percent}% confidence interval of all participants; vertical marks: censored; "
            "broken lines: rates at the landmarks. Below: participants at risk and, in parentheses, censored so far. Small cohorts have no curve of their own.",
            *result.footnotes,
        ),
    )


def _no_curve(numbers: Numbers, endpoint: str) -> str:
    median = numbers.row("median", variable=endpoint)
    if median is not None and median["reason"] == "EVENTS_LT_5":
        return "too few events for a curve; the table lists every value"
    return numbers.absence(endpoint, stat="median") or "no participant with a time"


def _curve(numbers: Numbers, result: Result, endpoint: str, group: str) -> _Curve:
    frame = result.frame[(result.frame["variable"] == f"{endpoint} curve") & (result.frame["group"] == group)]
    wide = frame.pivot(index="level", columns="stat", values="value").loc[list(dict.fromkeys(frame["level"]))]
    risk = []
    for month in numbers.levels(f"{endpoint} risk", group=group):
        at_risk = numbers.plain(group, f"{endpoint} risk", level=month, stat="n_risk").text
        censored = numbers.plain(group, f"{endpoint} risk", level=month, stat="n_censored").text
        risk.append((int(month), f"{at_risk} ({censored})"))
    label = "All" if group == TOTAL else column_label(group, numbers.study)
    size = int(numbers.need("median", group=group, variable=endpoint)["n"])
    values = {
        name: wide[name].to_numpy(dtype=float) for name in ("time", "surv", "lower", "upper", "n_censor")
    }
    return _Curve(group, label, size, risk=tuple(risk), landmarks=_landmarks(numbers, endpoint), **values)


def _landmarks(numbers: Numbers, endpoint: str) -> tuple[tuple[float, float], ...]:
    """Return month and rate of every landmark that is not withheld."""
    variable = f"{endpoint} landmark"
    rows = {month: numbers.row("rate", variable=variable, level=month) for month in numbers.levels(variable)}
    return tuple(
        (float(month), float(row["value"])) for month, row in rows.items() if row and row["status"] == "OK"
    )


def _paint_curves(sheet: Sheet, curves: list[_Curve], *, study: Study, endpoint: str) -> None:
    strip = _RISK_ROW_MM * (len(curves) + 1)
    colours = cohort_colours(study, tuple(curve.group for curve in curves))
    axes = axes_mm(sheet, left=36, bottom=14 + strip, width=98, height=58)
    last = curves[0].risk[-1][0]
    for curve in curves:
        axes.step(
            np.r_[0, curve.time],
            np.r_[1, curve.surv],
            where="post",
            color=colours[curve.group],
            linewidth=1.8 if curve.group == TOTAL else 1.1,
            zorder=3,
        )
        marks = curve.n_censor > 0
        axes.plot(
            curve.time[marks], curve.surv[marks], "|", color=colours[curve.group], markersize=5, zorder=4
        )
    total = curves[0]
    lower, upper = (
        np.r_[1.0, np.where(np.isnan(limit), total.surv, limit)] for limit in (total.lower, total.upper)
    )
    axes.fill_between(
        np.r_[0, total.time], lower, upper, step="post", color=TOTAL_COLOUR, alpha=0.12, linewidth=0
    )
    axes.set(
        xlim=(0, last),
        ylim=(0, 1.02),
        xlabel=f"Months from the first {'response' if endpoint == 'DOR' else 'infusion'}",
        ylabel=word("tte_share", endpoint),
    )
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xticks([month for month, _ in total.risk])
    for month, rate in curves[0].landmarks:
        axes.plot([month, month], [0, rate], color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
        axes.plot([0, month], [rate, rate], color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    _label_ends(axes, curves, colours)
    _risk_strip(sheet, curves, colours, height=strip, last=last)


def _label_ends(axes: Axes, curves: list[_Curve], colours: dict[str, str]) -> None:
    ends = [float(curve.surv[-1]) for curve in curves]
    longest = max(len(curve.label) for curve in curves)
    places = without_overlap(ends, gap=0.062 if longest < _END_LETTERS - 6 else 0.115, low=0.0, high=1.0)
    edge = axes.get_xlim()[1]
    for curve, end, place in zip(curves, ends, places, strict=True):
        axes.annotate(
            "\n".join(textwrap.wrap(f"{curve.label}, n={curve.n}", _END_LETTERS)),
            xy=(min(float(curve.time[-1]), edge), end),
            xytext=(edge * 1.03, place),
            va="center",
            fontsize=7.5,
            color=ink(colours[curve.group]),
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colours[curve.group],
                "linewidth": 0.4,
                "shrinkA": 1,
                "shrinkB": 1,
            },
        )


def _risk_strip(
    sheet: Sheet, curves: list[_Curve], colours: dict[str, str], *, height: float, last: int
) -> None:
    strip = axes_mm(sheet, left=36, bottom=2, width=98, height=height)
    strip.set(xlim=(0, last), ylim=(len(curves) + 0.5, -0.5))
    strip.axis("off")
    strip.text(-last * 0.075, 0, "At risk (censored)", ha="right", va="center", fontsize=7)
    for place, curve in enumerate(curves, 1):
        strip.text(
            -last * 0.075,
            place,
            curve.label,
            ha="right",
            va="center",
            fontsize=7,
            color=ink(colours[curve.group]),
        )
        for month, text in curve.risk:
            strip.text(month, place, text, ha="center", va="center", fontsize=7)


def _curve_alt(numbers: Numbers, curves: list[_Curve], endpoint: str) -> str:
    median = numbers.need("median", variable=endpoint)
    events = numbers.need("events", variable=endpoint)
    if median["status"] in ("OK", "FLAG"):
        limits = numbers.interval(TOTAL, endpoint, factor=1.0).text
        reading = f"The median is {numbers.number_text(median, digits=1)} months, interval {limits}."
    else:
        reading = f"The median is {word('status_prose', str(median['status']))}."
    cohorts = [f"{curve.label} (n={curve.n})" for curve in curves[1:]]
    drawn_too = (
        f" Curves by cohort: {', '.join(cohorts)}."
        if cohorts
        else " No cohort is large enough for its own curve."
    )
    return (
        f"Kaplan-Meier curve of {word('tte', endpoint).lower()}, x axis months from the first {'response' if endpoint == 'DOR' else 'infusion'}, y axis share "
        f"without event, n={curves[0].n}, {int(events['n'])} events. {reading}{drawn_too}"
    )
