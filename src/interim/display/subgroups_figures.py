"""Subgroup figures: participants by factor, association of the factors, every cut-point."""

from __future__ import annotations

import math
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import participant_label, word
from interim.display.measures import digits_of
from interim.display.numbers import Numbers
from interim.display.style import GREY, LIGHT, PALETTE, PORTRAIT_MM, RESPONSE_COLOURS, TOTAL_COLOUR
from interim.display.subgroups import entries_of, peak_notes
from interim.display.subgroups_rules import check_rows
from interim.display.subgroups_words import level_word
from interim.result import Result
from interim.study import Study

_ROW_MM, _MOST_MM, _MOST_LETTERS, _MOST_HEAD = 5.2, 200.0, 12, 26
_SHADES = ("#DCE9F5", "#A9CCE8", "#6FA8D6", "#3E86C0", "#1F5F96", "#0B3C66", "#8C6D00", "#5D3A9B")
_OUTCOMES = {"depth": "Best change, %", "bor": "Best response", "crs2": "CRS grade ≥ 2", "cmax": "CAR-T peak"}


def figure_map(result: Result, study: Study) -> Figure:
    """Draw one row per participant with every primary factor and outcome.

    Parameters
    ----------
    result : Result
        ``subgroups.participant_map``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        Cells coloured by level; order by best change, no groups, no test.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    entries = entries_of(numbers, "entry")
    subjects = numbers.levels(entries[0], stat="level") if entries else ()
    title = "Participant-level covariate map"
    if not subjects or result.where(stat="level", status="OK").empty:
        return not_drawn(numbers, title=title, reason="no participant in the set, or withheld")
    size = (PORTRAIT_MM, 40.0 + min(_ROW_MM * len(subjects), _MOST_MM))
    svg, png = drawn(
        lambda sheet: _paint_map(sheet, numbers, entries, subjects, size=size), size_mm=size, study=study
    )
    frame = result.frame[~result.frame["variable"].isin(["population", "entry"])]
    labels = ", ".join(numbers.words(entry, "entry", "label").text for entry in entries)
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Map of {len(subjects)} participants (rows, ordered by best change of the target lesions) by {labels} and "
        f"{', '.join(_OUTCOMES.values())} (columns); darker cells are later levels, blank cells are missing.",
        width_mm=PORTRAIT_MM,
        keys=tuple(frame["result_id"]),
        footnotes=(
            "An order only: no groups are formed and nothing is tested. Dash: missing; NE: not evaluable; NA: not available in the data, or not applicable.",
            *peak_notes(numbers),
            *result.footnotes,
        ),
    )


def _paint_map(
    sheet: Sheet,
    numbers: Numbers,
    entries: tuple[str, ...],
    subjects: tuple[str, ...],
    *,
    size: tuple[float, float],
) -> None:
    columns = (*entries, *_OUTCOMES)
    axes = axes_mm(sheet, left=26, bottom=3, width=size[0] - 44, height=size[1] - 37)
    axes.set(xlim=(0, len(columns)), ylim=(len(subjects), 0))
    axes.set_yticks([k + 0.5 for k in range(len(subjects))])
    small = min(1.0, (size[1] - 40.0) / (_ROW_MM * len(subjects)))
    axes.set_yticklabels([participant_label(s, numbers.study) for s in subjects], fontsize=6.5 * small)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for column, name in enumerate(columns):
        head = _OUTCOMES.get(name) or numbers.words(name, "entry", "label").text
        axes.text(column + 0.45, -0.2, head, rotation=35, fontsize=6.5, ha="left", va="bottom", clip_on=False)
        for place, subject in enumerate(subjects):
            _paint_cell(axes, numbers, name, (column, place, subject), small=small)


def _paint_cell(
    axes: Axes, numbers: Numbers, name: str, where: tuple[int, int, str], *, small: float
) -> None:
    column, place, subject = where
    text, colour = (
        _outcome_cell(numbers, name, subject) if name in _OUTCOMES else _factor_cell(numbers, name, subject)
    )
    axes.add_patch(_tile(column, place, colour))
    dark = colour in _SHADES[3:] or colour in RESPONSE_COLOURS.values()
    lines = wrap(text, _MOST_LETTERS, max_lines=2, placeholder="…")
    axes.text(
        column + 0.5,
        place + 0.5,
        "\n".join(lines),
        fontsize=(5.6 if len(text) < _MOST_LETTERS - 2 else 4.4) * small,
        linespacing=0.9,
        ha="center",
        va="center",
        color="white" if dark else TOTAL_COLOUR,
    )


def _tile(column: int, place: int, colour: str) -> Rectangle:
    return Rectangle((column + 0.03, place + 0.06), 0.94, 0.88, facecolor=colour, edgecolor="none")


def _factor_cell(numbers: Numbers, entry: str, subject: str) -> tuple[str, str]:
    row = numbers.need("level", variable=entry, level=subject)
    level = str(row["text"])
    if level == "Missing":
        return "–", "#FFFFFF"
    shown = numbers.result.frame
    order = list(
        dict.fromkeys(sorted(shown.loc[(shown["variable"] == entry) & (shown["stat"] == "level"), "text"]))
    )
    value = float(row["value"])
    text = (
        level_word(entry, level, numbers.study) if math.isnan(value) else numbers.number_text(row, digits=1)
    )
    return text, _SHADES[order.index(level) % len(_SHADES)]


def _outcome_cell(numbers: Numbers, name: str, subject: str) -> tuple[str, str]:
    row = numbers.need("value", variable=name, level=subject)
    if row["status"] not in ("OK", "FLAG"):
        return word("status", str(row["status"])), "#FFFFFF"
    if name == "bor":
        return word("bor_short", str(row["text"])), RESPONSE_COLOURS.get(str(row["text"]), GREY)
    if name == "crs2":
        yes = float(row["value"]) == 1
        return ("Yes", _SHADES[2]) if yes else ("No", _SHADES[0])
    digits = digits_of(float(row["value"])) if name == "cmax" else 1
    return numbers.number_text(row, digits=digits), "#F4F4F4"


def figure_overlap(result: Result, study: Study) -> Figure:
    """Draw how the primary factors go together, and which combinations occur.

    Parameters
    ----------
    result : Result
        ``subgroups.association``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        A triangle of Cramer's V or Spearman's rho, and a bar per combination of levels other than the first.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    entries = entries_of(numbers, "association")
    title = "Overlap and association among subgroup variables"
    if not entries:
        return not_drawn(numbers, title=title, reason="fewer than two factors")
    names = (*entries, *(n for n in numbers.levels("association") if n not in entries))
    combos = numbers.levels("overlap", stat="n", group="Total")
    size = (PORTRAIT_MM, 34.0 + 9.0 * len(names) + 22.0 + 4.6 * len(combos))
    svg, png = drawn(
        lambda sheet: _paint_overlap(sheet, numbers, names, combos, size=size), size_mm=size, study=study
    )
    frame = result.frame[result.frame["variable"].isin(["association", "overlap"])]
    strong = int((frame["reason"] == "CONFOUNDED").sum())
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Triangle of associations among {len(names)} subgroup variables, {strong} of them 0.5 or stronger; below, bars of "
        f"the {len(combos)} combinations of factors whose first level a participant is not in.",
        width_mm=PORTRAIT_MM,
        keys=tuple(frame["result_id"]),
        footnotes=(
            "Cramer's V; Spearman's rho (r) where both are numbers. Framed: 0.5 or stronger. Effect size only, no test. "
            "Combinations: factors whose first level a participant is not in.",
            *result.footnotes,
        ),
    )


def _paint_overlap(
    sheet: Sheet,
    numbers: Numbers,
    names: tuple[str, ...],
    combos: tuple[str, ...],
    *,
    size: tuple[float, float],
) -> None:
    n, foot = len(names), 12.0 + 4.6 * len(combos)
    axes = axes_mm(sheet, left=58, bottom=foot + 14, width=size[0] - 80, height=9.0 * n)
    axes.set(xlim=(0, n), ylim=(n, 0))
    labels = [numbers.words(name, "entry", "label").text for name in names]
    axes.set_yticks([k + 0.5 for k in range(n)], labels, fontsize=6.5)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for k in range(1, n):
        axes.text(
            k + 0.5,
            -0.15,
            "\n".join(wrap(labels[k], _MOST_HEAD, max_lines=2, placeholder="…")),
            rotation=30,
            fontsize=6,
            ha="left",
            va="bottom",
            clip_on=False,
        )
    for i, first in enumerate(names):
        for j in range(i + 1, n):
            _paint_pair(axes, numbers, (first, names[j]), (i, j))
    bars = axes_mm(sheet, left=92, bottom=10, width=size[0] - 100, height=4.6 * len(combos))
    counts = [float(numbers.need("n", variable="overlap", level=c)["value"]) for c in combos]
    bars.barh(range(len(combos)), counts, color=PALETTE[0], height=0.6)
    bars.set_yticks(range(len(combos)), [_combination(numbers, c) for c in combos], fontsize=5.6)
    bars.set(ylim=(len(combos) - 0.4, -0.6), xlabel="Participants")
    bars.xaxis.set_major_locator(MaxNLocator(integer=True))


def _combination(numbers: Numbers, text: str) -> str:
    if text == "none":
        return "none"
    labels = [numbers.words(entry, "entry", "label").text.split(" (")[0] for entry in text.split("; ")]
    short = [label if len(label) <= 16 else label[:15] + "…" for label in labels]
    return ", ".join(short) if len(short) <= 4 else f"{', '.join(short[:3])} + {len(short) - 3} more"


def _paint_pair(axes: Axes, numbers: Numbers, pair: tuple[str, str], where: tuple[int, int]) -> None:
    row = next(
        (
            r
            for s in ("cramer_v", "spearman")
            if (r := numbers.row(s, group=pair[0], variable="association", level=pair[1]))
        ),
        None,
    )
    i, j = where
    if row is None:
        return
    known = row["status"] in ("OK", "FLAG")
    value = abs(float(row["value"])) if known else 0.0
    tile = _tile(j, i, _SHADES[min(int(value * 5), 4)] if known else "#FFFFFF")
    axes.add_patch(tile)
    if row["status"] == "FLAG":
        axes.plot([j, j + 1, j + 1, j, j], [i, i, i + 1, i + 1, i], color=PALETTE[5], linewidth=1.1)
    text = numbers.number_text(row, digits=2) + (" r" if row["stat"] == "spearman" and known else "")
    axes.text(
        j + 0.5,
        i + 0.5,
        text,
        fontsize=6,
        ha="center",
        va="center",
        color="white" if value >= 0.6 else TOTAL_COLOUR,
    )


def figure_cut_path(result: Result, study: Study, *, primary_only: bool = True) -> Figure:
    """Draw the rates below and above every cut-point of the continuous factors.

    Parameters
    ----------
    result : Result
        ``subgroups.cut_path``.
    study : Study
        Labels.
    primary_only : bool
        Only primary entries.

    Returns
    -------
    Figure
        One panel per factor; a dashed line at the prespecified cut; no cut is highlighted for its difference.

    Raises
    ------
    ReportError
        If a row must not be shown.
    """
    check_rows(result)
    numbers = Numbers(result, study)
    primary = {entry.id for entry in study.subgroups if entry.primary or not primary_only}
    entries = tuple(
        e for e in entries_of(numbers, "below") if e in primary and numbers.levels("below", group=e)
    )
    title = "Every cut-point of the continuous factors"
    shown = result.where(variable="below", status="OK")
    if not entries or shown.empty:
        return not_drawn(
            numbers, title=title, reason="no continuous factor with enough participants on both sides"
        )
    size = (PORTRAIT_MM, 12.0 + 44.0 * math.ceil(len(entries) / 2))
    svg, png = drawn(
        lambda sheet: _paint_paths(sheet, numbers, entries, size=size), size_mm=size, study=study
    )
    frame = result.frame[(result.frame["scope"] == "package") & result.frame["group"].isin(entries)]
    number = sum(len(numbers.levels("below", group=e)) for e in entries)
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Rates of participants below and above each of {number} cut-points, one panel for each of {len(entries)} "
        "continuous factors; dashed line at the prespecified cut.",
        width_mm=PORTRAIT_MM,
        keys=tuple(frame["result_id"]),
        footnotes=(
            f"Every cut with at least {study.subgroup.min_ci_n} participants on both sides. The cut with the largest "
            "difference is not marked: its estimate would be biased. Dashed line: the prespecified cut, drawn at the value of a "
            "participant that parts them in the same way.",
            *result.footnotes,
        ),
    )


def _paint_paths(
    sheet: Sheet, numbers: Numbers, entries: tuple[str, ...], *, size: tuple[float, float]
) -> None:
    for place, entry in enumerate(entries):
        left, bottom = 14 + 84 * (place % 2), size[1] - 40 - 44 * (place // 2)
        axes = axes_mm(sheet, left=left, bottom=bottom, width=66, height=28)
        levels = numbers.levels("below", group=entry, stat="rate")
        cuts = [float(level) for level in levels]
        for variable, colour, marker in (("below", PALETTE[0], "o"), ("above", PALETTE[5], "^")):
            rates = [
                float(numbers.need("rate", group=entry, variable=variable, level=v)["value"]) for v in levels
            ]
            axes.plot(cuts, rates, color=colour, marker=marker, markersize=3, linewidth=0.8, label=variable)
        for level in numbers.levels("cut", group=entry, stat="prespecified"):
            axes.axvline(float(level), color=GREY, linestyle=(0, (4, 3)), linewidth=0.8)
        axes.set(ylim=(-0.05, 1.05), ylabel="Rate")
        axes.set_title(numbers.words(entry, "entry", "label").text, loc="left", fontsize=7)
        axes.grid(axis="y", color=LIGHT, linewidth=0.4)
        if place == 0:
            axes.legend(frameon=False, fontsize=6, loc="upper right")
