"""Waterfall: best change of the target lesions, one bar per participant, with what is known about each below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Patch

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, participant_label, word
from interim.display.numbers import Numbers
from interim.display.style import GREY, LANDSCAPE_MM, PALETTE, PORTRAIT_MM, TOTAL_COLOUR, cohort_colours
from interim.result import TOTAL, Result
from interim.study import Study

MOST_NAMED_BARS = 45
_LEFT_MM, _STRIP_MM = 26.0, 4.0
_LEGEND_LETTERS = 84


@dataclass(frozen=True)
class _Bar:
    subject: str
    label: str
    group: str
    value: float
    text: str
    tumour: str = ""
    new_lesion: bool = False
    ligand: str = ""


def figure_waterfall(result: Result, study: Study) -> Figure:
    """Draw each participant's best percentage change of the sum of target diameters.

    Parameters
    ----------
    result : Result
        ``response.best_change``.
    study : Study
        Labels, rounding, thresholds of response and progression.

    Returns
    -------
    Figure
        Bars in descending order, coloured by tumour type (by cohort where it is not collected), labelled with the best
        response; below them dose level, new lesion and ligand expression; participants without a value are listed with the
        reason.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    bars, without = _bars(numbers, result)
    if not bars and not without:
        reason = numbers.absence("summary", stat="median") or "no participant with target lesions"
        return not_drawn(numbers, title=result.title, reason=reason)
    size = (PORTRAIT_MM if len(bars) <= MOST_NAMED_BARS // 2 else LANDSCAPE_MM, 95.0)
    svg, png = drawn(
        lambda sheet: _paint_waterfall(sheet, bars, study=study, size=size), size_mm=size, study=study
    )
    listed = "; ".join(f"{participant_label(subject, study)} ({reason})" for subject, reason in without)
    frame = result.frame[result.frame["variable"].isin(["best_change", "summary"])]
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=_waterfall_alt(numbers, bars, without, study),
        width_mm=size[0],
        keys=tuple(frame["result_id"]),
        footnotes=(
            "Complete sums only, up to the first progression and before a new anticancer therapy. "
            f"Without a value: {listed or 'none'}.",
            *result.footnotes,
        ),
        orientation="portrait" if size[0] == PORTRAIT_MM else "landscape",
    )


def _bars(numbers: Numbers, result: Result) -> tuple[list[_Bar], list[tuple[str, str]]]:
    study = numbers.study
    bars, without = [], []
    frame = result.frame[(result.frame["variable"] == "best_change") & (result.frame["stat"] == "pchg")]
    for row in frame.to_dict("records"):
        subject, group = str(row["level"]), str(row["group"])
        if row["status"] != "OK":
            without.append((subject, word("change_reason", str(row["reason"]))))
            continue
        bor = numbers.words(group, "best_change", "bor", level=subject).text
        label = participant_label(subject, study)
        bars.append(
            _Bar(
                subject,
                label,
                group,
                float(row["value"]),
                word("bor_short", bor),
                tumour=_mark(numbers, group, "tumour", subject),
                new_lesion=_mark(numbers, group, "new_lesion", subject) == "yes",
                ligand=_mark(numbers, group, "ligand", subject),
            )
        )
    return sorted(bars, key=lambda bar: (-bar.value, bar.subject)), sorted(without)


def _mark(numbers: Numbers, group: str, stat: str, subject: str) -> str:
    """Return a text of a participant; empty where it is not collected."""
    row = numbers.row(stat, group=group, variable="best_change", level=subject)
    return "" if row is None or row["text"] in (None, "-") else str(row["text"])


def _fills(bars: list[_Bar], study: Study) -> tuple[list[str], dict[str, str]]:
    """Return the colour of each bar, and label -> colour: by tumour type where it is collected, else by cohort."""
    if any(bar.tumour for bar in bars):
        kinds = sorted({bar.tumour for bar in bars} - {""})
        colours = {kind: PALETTE[place % len(PALETTE)] for place, kind in enumerate(kinds)} | {"": GREY}
        counted = {kind: sum(bar.tumour == kind for bar in bars) for kind in (*kinds, "")}
        labels = {
            f"{word('TUMTYPE', kind) if kind else 'Not known'} (n={number})": colours[kind]
            for kind, number in counted.items()
            if number
        }
        return [colours[bar.tumour] for bar in bars], labels
    groups = dict.fromkeys(
        g for g in (*study.cohorts(), *(bar.group for bar in bars)) if any(bar.group == g for bar in bars)
    )
    colours = cohort_colours(study, tuple(groups))
    labels = {
        f"{column_label(g, study)} (n={sum(bar.group == g for bar in bars)})": colours[g] for g in groups
    }
    return [colours[bar.group] for bar in bars], labels


def _strip_rows(bars: list[_Bar]) -> dict[str, list[str]]:
    """Return what stands below the bars, row by row: dose level, new lesion, ligand expression."""
    rows = {
        "Dose level": [bar.group if bar.tumour else "" for bar in bars],
        "New lesion": ["new" if bar.new_lesion else "" for bar in bars],
        "NKG2D ligand": [bar.ligand for bar in bars],
    }
    return {name: texts for name, texts in rows.items() if any(texts)}


def _paint_strip(sheet: Sheet, axes: Axes, rows: dict[str, list[str]], width: float) -> None:
    strip = axes_mm(sheet, left=_LEFT_MM, bottom=1.5, width=width, height=_STRIP_MM * len(rows))
    strip.set(xlim=axes.get_xlim(), ylim=(len(rows) - 0.5, -0.5))
    strip.axis("off")
    for place, (name, texts) in enumerate(rows.items()):
        strip.text(-0.75, place, name, ha="right", va="center", fontsize=6.5)
        for column, text in enumerate(texts):
            strip.text(column, place, text, ha="center", va="center", fontsize=6)


def _paint_waterfall(sheet: Sheet, bars: list[_Bar], *, study: Study, size: tuple[float, float]) -> None:
    named = len(bars) <= MOST_NAMED_BARS
    rows = _strip_rows(bars) if named else {}
    foot = 5 + 1.35 * max((len(bar.label) for bar in bars), default=0) if named else 10
    foot += _STRIP_MM * len(rows)
    colours, labels = _fills(bars, study)
    columns = 5 if sum(map(len, labels)) <= _LEGEND_LETTERS else 2
    head = 9 + _STRIP_MM * ((len(labels) - 1) // columns)
    width = size[0] - _LEFT_MM - 3
    axes = axes_mm(sheet, left=_LEFT_MM, bottom=foot, width=width, height=size[1] - foot - head)
    axes.bar(range(len(bars)), [bar.value for bar in bars], color=colours, width=0.8, linewidth=0)
    low = min([-100.0, *(bar.value - 12 for bar in bars)])
    high = max([40.0, *(bar.value + 14 for bar in bars)])
    axes.set(xlim=(-0.6, max(len(bars), 1) - 0.4), ylim=(max(low, -112.0), high))
    axes.set_ylabel("Best change of the sum\nof target diameters, %")
    axes.axhline(0, color=TOTAL_COLOUR, linewidth=0.6)
    _threshold(axes, -study.response.pr_pct)
    _threshold(axes, study.response.pd_pct)
    if named:
        axes.set_xticks(range(len(bars)), [bar.label for bar in bars], rotation=90, fontsize=6.5)
        for place, bar in enumerate(bars):
            up = bar.value >= 0
            axes.text(
                place,
                bar.value + (1.5 if up else -1.5),
                bar.text,
                ha="center",
                va="bottom" if up else "top",
                fontsize=6.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            )
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"Participants (n={len(bars)}), ordered by change")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    legend_above(
        axes, [Patch(color=colour, label=label) for label, colour in labels.items()], columns=columns
    )
    if rows:
        _paint_strip(sheet, axes, rows, width)


def _threshold(axes: Axes, value: float) -> None:
    axes.axhline(value, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)


def legend_above(axes: Axes, handles: Sequence[Artist], *, columns: int = 5) -> None:
    """Draw a legend above the axes, if there is anything to explain.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    handles : sequence of matplotlib.artist.Artist
        Labelled artists.
    columns : int
        At most so many beside each other.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    if handles:
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1.005),
            ncols=min(len(handles), columns),
            frameon=False,
            handlelength=1.2,
            columnspacing=1.2,
            borderaxespad=0,
        )


def _waterfall_alt(numbers: Numbers, bars: list[_Bar], without: list[tuple[str, str]], study: Study) -> str:
    limit = -study.response.pr_pct
    below = sum(bar.value <= limit for bar in bars)
    reading = ""
    if bars:
        median = numbers.value(TOTAL, "summary", "median", digits=1).text
        low, high = (numbers.value(TOTAL, "summary", stat, digits=1).text for stat in ("min", "max"))
        reading = f" Median {median}%, from {low}% to {high}%; {below} of {len(bars)} at or below {limit:g}%."
    kind = "tumour type" if any(bar.tumour for bar in bars) else "cohort"
    new = sum(bar.new_lesion for bar in bars)
    return (
        f"Waterfall of bars, one per participant (n={len(bars)}), ordered by best percentage change of the sum of target "
        f"diameters, coloured by {kind} and labelled with the best response.{reading} New lesion: {new}. "
        f"Participants without a value: {len(without)}."
    )
