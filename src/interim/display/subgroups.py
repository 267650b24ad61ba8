"""Subgroups: table of the registry and forest figure."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import reason_text, word
from interim.display.layout import plain_table
from interim.display.numbers import Numbers
from interim.display.style import GREY, LIGHT, PALETTE, PORTRAIT_MM, TOTAL_COLOUR
from interim.display.subgroups_rules import check_rows
from interim.display.subgroups_sentence import limits_sentence
from interim.display.subgroups_words import level_word
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

_PITCH_MM = 4.6
_MOST_LETTERS = 44
_TIMES = ("pfs", "os")


def peak_notes(numbers: Numbers) -> tuple[str, ...]:
    """Return the note with the cycle and the unit of the peak of the T cells.

    Parameters
    ----------
    numbers : Numbers
        A result with the endpoint ``cmax``.

    Returns
    -------
    tuple of str
        Empty where no peak is shown, or without a unit.

    Raises
    ------
    None
    """
    frame = numbers.result.frame
    shown = frame[
        (frame["variable"] == "cmax") & frame["status"].isin(["OK", "FLAG"]) & (frame["unit"] != "")
    ]
    return (f"CAR-T peak: first cycle, in {shown['unit'].iloc[0]}.",) if len(shown) else ()


def table_subgroup_registry(result: Result, study: Study) -> Table:
    """Show the subgroup factors: definition, cut-point, origin, participants per level.

    Parameters
    ----------
    result : Result
        ``subgroups.registry``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A section per dimension, a row per factor and one per level.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    rows: list[Row] = []
    dimension = ""
    for entry in entries_of(numbers, "definition"):
        own = numbers.words(entry, "definition", "dimension").text
        if own != dimension:
            dimension = own
            rows.append(Row((Cell(word("dimensions", dimension)),), kind="section"))
        rows.append(_entry_row(numbers, entry))
        rows += [
            Row(
                (
                    Cell(level_word(entry, level, study)),
                    numbers.count(entry, "level", level=level),
                    *[Cell("–")] * 4,
                ),
                1,
            )
            for level in numbers.levels("level", group=entry)
        ]
    if not rows:
        rows = [Row((Cell("No subgroup factor is defined"), *[Cell("–")] * 5))]
    return plain_table(
        numbers,
        header=("Factor and level", "Participants", "Cut-point", "Origin", "Primary", "Expected direction"),
        rows=rows,
        widths=(3.6, 1.3, 1.3, 1.1, 0.9, 1.6),
        align=("left", "right", "left", "left", "left", "left"),
    )


def _entry_row(numbers: Numbers, entry: str) -> Row:
    texts = {
        stat: numbers.words(entry, "definition", stat)
        for stat in ("label", "cut", "origin", "primary", "direction")
    }
    return Row(
        (
            texts["label"],
            Cell("–"),
            Cell("none" if texts["cut"].text == "none" else texts["cut"].text, texts["cut"].keys),
            Cell(word("origin", texts["origin"].text), texts["origin"].keys),
            Cell("Yes" if texts["primary"].text == "Y" else "No", texts["primary"].keys),
            Cell(word("direction", texts["direction"].text), texts["direction"].keys),
        )
    )


def entries_of(numbers: Numbers, variable: str) -> tuple[str, ...]:
    """Return the entry ids of a Result in their order.

    Parameters
    ----------
    numbers : Numbers
        The Result.
    variable : str
        Only entries with rows of this variable.

    Returns
    -------
    tuple of str
        Without the total.

    Raises
    ------
    None
    """
    frame = numbers.result.frame
    groups = frame.loc[frame["variable"] == variable, "group"]
    return tuple(group for group in dict.fromkeys(groups) if group != TOTAL)


@dataclass(frozen=True)
class _Point:
    text: str
    heading: bool = False
    n: int = 0
    rate: float | None = None
    lower: float | None = None
    upper: float | None = None
    fraction: str = ""
    interval: str = ""


def figure_forest(
    result: Result, study: Study, *, endpoint: str = "orr", primary_only: bool = False
) -> Figure:
    """Draw the rate of an endpoint within each level of each subgroup factor.

    Parameters
    ----------
    result : Result
        ``subgroups.levels``.
    study : Study
        Labels, rounding, smallest level with an interval.
    endpoint : {"orr", "dcr", "pfs", "os"}
        Which; for a time its rate at the landmark.
    primary_only : bool
        Only the primary entry of each dimension.

    Returns
    -------
    Figure
        Squares with exact intervals, their area proportional to the number of participants; small levels hollow and without
        interval; a dashed line at the overall rate; no summary diamond, no p-value.

    Raises
    ------
    ReportError
        If a row must not be shown, or the limits of interpretation are absent.
    """
    numbers = Numbers(result, study)
    overall = numbers.row(_stat(endpoint), variable=endpoint)
    if overall is None or overall["status"] != "OK":
        reason = str(overall["reason"]) if overall is not None else "no such rows"
        return not_drawn(numbers, title=f"{word('rates', endpoint)} by subgroup", reason=reason_text(reason))
    if not (result.frame["variable"] == "limits").any():
        reason = "no primary factor is defined, or no response is available"
        return not_drawn(numbers, title=f"{word('rates', endpoint)} by subgroup", reason=reason)
    check_rows(result, forest=True)
    points = _points(numbers, study, endpoint, primary_only=primary_only)
    size = (PORTRAIT_MM, 26.0 + _PITCH_MM * len(points))
    head = "Rate [at risk]" if endpoint in _TIMES else "x/n (%)"
    svg, png = drawn(
        lambda sheet: _paint_forest(
            sheet, points, size=size, study=study, overall=(float(overall["value"]), head)
        ),
        size_mm=size,
        study=study,
    )
    frame = result.frame[result.frame["variable"].isin([endpoint, "limits"])]
    return Figure(
        title=f"{word('rates', endpoint)} by subgroup",
        population=result.population,
        svg=svg,
        png=png,
        alt=_forest_alt(numbers, points, endpoint),
        width_mm=PORTRAIT_MM,
        keys=tuple(frame["result_id"]),
        footnotes=(
            "Area of a square: number of participants. Dashed line: all participants. Hollow: fewer than "
            f"{study.subgroup.min_ci_n} participants, no interval.",
            *_ratio_note(result, endpoint),
            limits_sentence(numbers),
            *result.footnotes,
        ),
    )


def _stat(endpoint: str) -> str:
    return "landmark" if endpoint in _TIMES else "rate"


def _ratio_note(result: Result, endpoint: str) -> tuple[str, ...]:
    if endpoint not in _TIMES:
        return ()
    return (
        "Rates at the landmark; those with fewer than three participants at risk are withheld. No hazard ratio.",
    )


def _points(numbers: Numbers, study: Study, endpoint: str, *, primary_only: bool) -> list[_Point]:
    points = [_point(numbers, TOTAL, endpoint, "", "All participants")]
    for entry in study.subgroups:
        levels = numbers.levels(endpoint, group=entry.id, stat=_stat(endpoint))
        if not levels or (primary_only and not entry.primary):
            continue
        points.append(_Point(entry.label, heading=True))
        points += [
            _point(numbers, entry.id, endpoint, level, f"   {level_word(entry.id, level, study)}")
            for level in levels
        ]
    return points


def _point(numbers: Numbers, group: str, endpoint: str, level: str, text: str) -> _Point:
    rate = numbers.need(_stat(endpoint), group=group, variable=endpoint, level=level)
    limits = [numbers.need(stat, group=group, variable=endpoint, level=level) for stat in ("lower", "upper")]
    found = [float(limit["value"]) if limit["status"] == "OK" else None for limit in limits]
    return _Point(
        text,
        n=int(rate["N"]),
        rate=float(rate["value"]) if rate["status"] == "OK" else None,
        lower=found[0],
        upper=found[1],
        fraction=_fraction(numbers, group, endpoint, level),
        interval=numbers.interval(group, endpoint, level=level).text,
    )


def _fraction(numbers: Numbers, group: str, endpoint: str, level: str) -> str:
    if endpoint not in _TIMES:
        return numbers.rate(group, endpoint, level=level).text
    share = numbers.value(group, endpoint, "landmark", level=level, factor=100.0).text
    at_risk = numbers.value(group, endpoint, "n_risk", level=level, digits=0).text
    return f"{share}{'%' if share[:1].isdigit() else ''} [{at_risk}]"


def _paint_forest(
    sheet: Sheet, points: list[_Point], *, size: tuple[float, float], study: Study, overall: tuple[float, str]
) -> None:
    value, head = overall
    axes = axes_mm(sheet, left=82, bottom=12, width=62, height=size[1] - 22)
    axes.set(
        xlim=(0, 1), ylim=(len(points) - 0.4, -0.6), xlabel=f"Rate with {study.stats.level:.0%} interval"
    )
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(value, color=GREY, linestyle=(0, (4, 3)), linewidth=0.9, zorder=1)
    most = max(point.n for point in points)
    width_mm = 62.0
    for place, point in enumerate(points):
        weight = "bold" if point.heading or place == 0 else "normal"
        _beside(axes, place, -80 / width_mm, point.text, weight=weight)
        if point.heading:
            axes.axhline(place - 0.5, color=LIGHT, linewidth=0.5, zorder=0)
            continue
        _beside(axes, place, -21 / width_mm, point.fraction)
        _beside(axes, place, 1 + 3 / width_mm, point.interval)
        if point.rate is None:
            continue
        colour = TOTAL_COLOUR if place == 0 else PALETTE[0]
        hollow = point.n < study.subgroup.min_ci_n
        if point.lower is not None and point.upper is not None:
            axes.plot([point.lower, point.upper], [place, place], color=colour, linewidth=1.0, zorder=2)
        axes.scatter(
            [point.rate],
            [place],
            s=42 * point.n / most,
            marker="s",
            facecolors="white" if hollow else colour,
            edgecolors=GREY if hollow else colour,
            linewidths=0.9,
            zorder=3,
            clip_on=False,
        )
    for x, text in ((-21 / width_mm, head), (1 + 3 / width_mm, f"{100 * study.stats.level:g}% CI, %")):
        _beside(axes, -1.25, x, text, weight="bold")


def _beside(axes: Axes, place: float, x: float, text: str, *, weight: str = "normal") -> None:
    axes.text(
        x,
        place,
        text,
        transform=axes.get_yaxis_transform(),
        ha="left",
        va="center",
        fontsize=7 * min(1.0, _MOST_LETTERS / max(len(text), 1)),
        fontweight=weight,
        clip_on=False,
    )


def _forest_alt(numbers: Numbers, points: list[_Point], endpoint: str) -> str:
    levels = [point for point in points[1:] if not point.heading]
    factors = sum(point.heading for point in points)
    bare = sum(point.lower is None for point in levels)
    kind = "interval" if endpoint in _TIMES else "exact interval"
    overall = _fraction(numbers, TOTAL, endpoint, "")
    return (
        f"Forest plot of the {word('rates_short', endpoint)} within {len(levels)} levels of {factors} subgroup factors, x "
        f"axis rate from 0 to 100%, n={points[0].n}. Overall {overall}, {kind} in per cent {numbers.interval(TOTAL, endpoint).text}. "
        f"Levels without an interval: {bare}."
    )
