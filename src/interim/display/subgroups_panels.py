"""Subgroup figures by participant and by endpoint: values of continuous factors by best response, and levels by endpoint."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter, ScalarFormatter

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import word
from interim.display.measures import digits_of
from interim.display.numbers import DASH, Numbers
from interim.display.style import GREY, LIGHT, PORTRAIT_MM, RESPONSE_COLOURS, TOTAL_COLOUR
from interim.display.subgroups import entries_of, peak_notes
from interim.display.subgroups_rules import check_rows
from interim.display.subgroups_words import level_word
from interim.result import TOTAL, Result
from interim.study import Study, SubgroupEntry

_RESPONSES, _RESPONDED = ("NE", "PD", "SD", "PR", "CR"), ("N", "Y")
_WORDS = {"N": "No", "Y": "Yes"}
_COLOURS = {**RESPONSE_COLOURS, "N": RESPONSE_COLOURS["PD"], "Y": RESPONSE_COLOURS["PR"]}
_RATES = {"orr": "ORR", "dcr": "DCR", "g3rel": "Related\ngrade ≥ 3", "crs2": "CRS\ngrade ≥ 2", "dlt": "DLT"}
_TIMES = {"pfs": "PFS", "os": "OS"}
_VALUES = {"depth": "Best\nchange, %", "cmax": "CAR-T\npeak"}
_ORDER = ("orr", "dcr", "pfs", "os", "depth", "g3rel", "crs2", "dlt", "cmax")
_ROW_MM, _LABEL_MM, _MOST_LETTERS = 5.4, 58.0, 42
_LIGHT_BLUE, _DARK_BLUE = (0.94, 0.97, 1.0), (0.03, 0.27, 0.53)


def figure_marker_response(result: Result, study: Study) -> Figure:
    """Draw the values of every continuous factor by best response, one dot per participant.

    Parameters
    ----------
    result : Result
        ``subgroups.participant_map``.
    study : Study
        Entries with their scale and cuts.

    Returns
    -------
    Figure
        One panel per continuous primary factor, a logarithmic axis where the factor is read in doublings, a dashed line at a
        prespecified cut; no curve, no test.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    title = "Continuous factors by best response"
    by = next(
        (v for v in ("bor", "orr") if not result.where(variable=v, stat="value", status="OK").empty), ""
    )
    continuous = [entry for entry in study.subgroups if entry.primary and entry.kind == "continuous"]
    entries = [entry for entry in continuous if by and _dots(numbers, entry, by)]
    if not entries:
        return not_drawn(numbers, title=title, reason="no value of a continuous factor, or withheld")
    subjects = numbers.levels(by, stat="value")
    size = (PORTRAIT_MM, 8.0 + 42.0 * math.ceil(len(entries) / 2))
    svg, png = drawn(
        lambda sheet: _paint_markers(sheet, numbers, entries, by, height=size[1]),
        size_mm=size,
        study=study,
    )
    shown = result.frame[result.frame["variable"].isin([by, *(e.id for e in entries)])]
    counts = ", ".join(
        f"{e.label} ({len(_dots(numbers, e, by))} of {len(subjects)} participants)" for e in entries
    )
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"One panel per continuous factor: {counts}; x axis the value, y axis the best response (or whether there was one), one dot per participant.",
        width_mm=PORTRAIT_MM,
        keys=tuple(shown["result_id"]),
        footnotes=(
            "Every participant with a value. Dashed line: prespecified cut. No line is fitted and nothing is tested.",
            *result.footnotes,
        ),
    )


def _dots(numbers: Numbers, entry: SubgroupEntry, by: str) -> list[tuple[float, str]]:
    """Value and best response (or whether there was one) of every participant whose value can be drawn."""
    found = []
    for subject in numbers.levels(by, stat="value"):
        row = numbers.row("level", variable=entry.id, level=subject)
        value = math.nan if row is None else float(row["value"])
        if not math.isnan(value) and not (_is_log(entry) and value <= 0):
            outcome = numbers.need("value", variable=by, level=subject)
            if outcome["status"] in ("OK", "FLAG"):
                found.append((value, str(outcome["text"] or _RESPONDED[int(outcome["value"])])))
    return found


def _is_log(entry: SubgroupEntry) -> bool:
    return entry.scale == "log2"


def _paint_markers(
    sheet: Sheet, numbers: Numbers, entries: list[SubgroupEntry], by: str, *, height: float
) -> None:
    for place, entry in enumerate(entries):
        axes = axes_mm(
            sheet, left=14 + 84 * (place % 2), bottom=height - 38 - 42 * (place // 2), width=66, height=27
        )
        dots = _dots(numbers, entry, by)
        seen: dict[tuple[float, str], int] = {}
        for value, response in dots:
            again = seen.setdefault((value, response), 0)
            seen[value, response] += 1
            step = min(0.16, 0.8 / dots.count((value, response)))
            y = _places(by).index(response) + step * ((again + 1) // 2) * (-1) ** again
            axes.plot(value, y, "o", color=_COLOURS[response], markersize=4, alpha=0.85, clip_on=False)
        _marker_axes(axes, entry, _places(by))


def _places(by: str) -> tuple[str, ...]:
    return _RESPONDED if by == "orr" else _RESPONSES


def _marker_axes(axes: Axes, entry: SubgroupEntry, places: tuple[str, ...]) -> None:
    if _is_log(entry):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    for cut in entry.cuts if isinstance(entry.cuts, tuple) else ():
        axes.axvline(cut, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)
    axes.set(ylim=(-0.5, len(places) - 0.5))
    axes.set_yticks(range(len(places)), [_WORDS.get(name) or word("bor_short", name) for name in places])
    axes.set_title(entry.label, loc="left", fontsize=7)
    axes.grid(axis="y", color=LIGHT, linewidth=0.4)
    axes.tick_params(labelsize=6.5)


def figure_subgroup_endpoints(result: Result, study: Study) -> Figure:
    """Draw every endpoint within every level of the primary factors, with its number of participants.

    Parameters
    ----------
    result : Result
        ``subgroups.levels``.
    study : Study
        Labels, rounding, smallest level that is coloured.

    Returns
    -------
    Figure
        Cells coloured by their rate from 0 to 100%; levels below ``subgroup.min_ci_n`` uncoloured; medians without colour.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    primary = {entry.id for entry in study.subgroups if entry.primary}
    lines = [(TOTAL, "", "All participants")]
    for entry in (e for e in entries_of(numbers, "size") if e in primary):
        lines.append((entry, "", numbers.words(entry, "entry", "label").text))
        lines += [
            (entry, level, level_word(entry, level, study)) for level in numbers.levels("size", group=entry)
        ]
    columns = tuple(name for name in _ORDER if _drawn(numbers, name))
    title = "Endpoints by subgroup"
    if len(lines) == 1 or not columns:
        return not_drawn(numbers, title=title, reason="no factor, or no endpoint, is available")
    size = (PORTRAIT_MM, 16.0 + _ROW_MM * len(lines))
    svg, png = drawn(
        lambda sheet: _paint_endpoints(sheet, numbers, lines, columns, size=size), size_mm=size, study=study
    )
    levels = sum(bool(level) for _, level, _ in lines)
    heads = ", ".join(_head(name, study).replace("\n", " ") for name in columns)
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Map of {levels} levels of {len(lines) - levels - 1} factors (rows) by {heads} (columns). Each cell gives x/n or a "
        "median with its number of participants; darker cells are higher rates.",
        width_mm=PORTRAIT_MM,
        keys=tuple(result.frame.loc[result.frame["variable"].isin(columns), "result_id"]),
        footnotes=(
            "Rates: x/n, at the landmark rate [at risk]; best change and peak: median [n]. Colour: rate from 0 (light) to 100% "
            f"(dark), none below {study.subgroup.min_ci_n} participants. No cell is compared with another.",
            *peak_notes(numbers),
            *result.footnotes,
        ),
    )


def _drawn(numbers: Numbers, name: str) -> bool:
    row = numbers.row(_stat(name), variable=name)
    return row is not None and row["status"] in ("OK", "FLAG")


def _stat(name: str) -> str:
    return "landmark" if name in _TIMES else "median" if name in _VALUES else "rate"


def _head(name: str, study: Study) -> str:
    if name in _TIMES:
        return f"{_TIMES[name]} at\n{study.subgroup.pfs_landmark_months:g} months"
    return _RATES.get(name) or _VALUES[name]


def _paint_endpoints(
    sheet: Sheet,
    numbers: Numbers,
    lines: list[tuple[str, str, str]],
    columns: tuple[str, ...],
    *,
    size: tuple[float, float],
) -> None:
    width = size[0] - _LABEL_MM - 3
    axes = axes_mm(sheet, left=_LABEL_MM, bottom=2, width=width, height=size[1] - 14)
    axes.set(xlim=(0, len(columns)), ylim=(len(lines), 0))
    axes.set_axis_off()
    for column, name in enumerate(columns):
        axes.text(
            column + 0.5,
            -0.2,
            _head(name, numbers.study),
            fontsize=6.3,
            ha="center",
            va="bottom",
            clip_on=False,
        )
    for place, (group, level, text) in enumerate(lines):
        heading = group != TOTAL and not level
        axes.text(
            -_LABEL_MM * len(columns) / width + 0.05,
            place + 0.5,
            text if not level else f"   {text}",
            fontsize=6.5 * min(1.0, _MOST_LETTERS / max(len(text), 1)),
            fontweight="bold" if not level else "normal",
            va="center",
            clip_on=False,
        )
        if not heading:
            for column, name in enumerate(columns):
                _paint_endpoint(axes, numbers, (column, place), (group, level, name))


def _paint_endpoint(axes: Axes, numbers: Numbers, where: tuple[int, int], what: tuple[str, str, str]) -> None:
    group, level, name = what
    text, rate, n = _endpoint_text(numbers, group, level, name)
    coloured = rate is not None and (n >= numbers.study.subgroup.min_ci_n or group == TOTAL)
    share = rate if coloured and rate is not None else 0.0
    face = tuple(a + (b - a) * share for a, b in zip(_LIGHT_BLUE, _DARK_BLUE, strict=True))
    axes.add_patch(
        Rectangle(
            (where[0] + 0.03, where[1] + 0.06),
            0.94,
            0.88,
            facecolor=face if coloured else "white",
            edgecolor="none" if coloured else LIGHT,
            linewidth=0.5,
        )
    )
    colour = "white" if coloured and share > 0.55 else TOTAL_COLOUR
    axes.text(where[0] + 0.5, where[1] + 0.5, text, fontsize=5.6, ha="center", va="center", color=colour)


def _endpoint_text(numbers: Numbers, group: str, level: str, name: str) -> tuple[str, float | None, int]:
    """Text of a cell, its rate if it has one, and its number of participants."""
    row = numbers.row(_stat(name), group=group, variable=name, level=level)
    if row is None:
        return DASH, None, 0
    n = int(row["N"]) if name not in _VALUES else int(row["n"])
    if row["status"] not in ("OK", "FLAG"):
        return word("status", str(row["status"])), None, n
    if name in _VALUES:
        digits = digits_of(float(row["value"])) if name == "cmax" else 1
        return f"{numbers.number_text(row, digits=digits)} [{n}]", None, n
    rate = float(row["value"])
    if name in _TIMES:
        at_risk = numbers.value(group, name, "n_risk", level=level, digits=0).text
        return (
            f"{numbers.value(group, name, 'landmark', level=level, factor=100.0).text}% [{at_risk}]",
            rate,
            n,
        )
    return f"{int(row['n'])}/{n}", rate, n
