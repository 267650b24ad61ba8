"""Phase IB figures by tumour type: own and shrunken rates, and the decision grid."""

from __future__ import annotations

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Rectangle

from interim.display.absent import not_drawn
from interim.display.expansion import MODELS
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import word
from interim.display.numbers import Numbers
from interim.display.style import GREY, LIGHT, PALETTE, PORTRAIT_MM
from interim.result import Result
from interim.study import Study
from interim.study.expansion import TumourType

_ROW_MM, _HEAD_MM = 24.0, 34.0
_LABEL = 17  # characters of a line of a label
_GRID_SIZE = (PORTRAIT_MM, 104.0)
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def figure_shrinkage_of_types(result: Result, study: Study) -> Figure:
    """Draw the observed rate of every tumour type and what each model makes of it.

    Parameters
    ----------
    result : Result
        ``expansion.candidates``.
    study : Study
        Types, labels.

    Returns
    -------
    Figure
        A band per type: observed rate with its exact interval, then the mean and interval of every model; p0 dashed, p1 dotted.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    title = "Tumour types: observed and shrunken response rates"
    absent = numbers.row("n", variable="candidates")
    if absent is not None:
        return not_drawn(numbers, title=title, reason=str(absent["reason"]))
    types = study.expansion.type
    models = _models(numbers, types)
    size = (PORTRAIT_MM, _HEAD_MM + _ROW_MM * len(types))
    svg, png = drawn(lambda sheet: _paint_rates(sheet, numbers, types, models), size_mm=size, study=study)
    told = "; ".join(f"{entry.label} {_told(numbers, entry, models)}" for entry in types)
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Interval plot of response rates by tumour type, x axis rate 0 to 100%. {told}.",
        width_mm=PORTRAIT_MM,
        keys=tuple(result.frame.loc[result.frame["variable"].isin(["orr", *models]), "result_id"]),
        footnotes=(
            "Own data: observed rate with its exact interval. Models: posterior mean with credible interval. Dashed: null rate; "
            "dotted: target rate.",
            *result.footnotes,
        ),
    )


def _models(numbers: Numbers, types: tuple[TumourType, ...]) -> tuple[str, ...]:
    return tuple(m for m in MODELS if numbers.row("mean", group=types[0].id, variable=m) is not None)


def _told(numbers: Numbers, entry: TumourType, models: tuple[str, ...]) -> str:
    means = (f"{word('expansion', m)} {numbers.value(entry.id, m, 'mean', factor=100).text}%" for m in models)
    return f"observed {numbers.rate(entry.id, 'orr').text}, {', '.join(means)}"


def _paint_rates(
    sheet: Sheet, numbers: Numbers, types: tuple[TumourType, ...], models: tuple[str, ...]
) -> None:
    axes = axes_mm(sheet, left=34, bottom=26, width=PORTRAIT_MM - 40, height=_ROW_MM * len(types))
    lines = ("orr", *models)
    step = 1.0 / (len(lines) + 1)
    for place, entry in enumerate(types):
        top = len(types) - place
        axes.plot([entry.p0] * 2, [top - 1, top], color=GREY, linestyle=(0, (4, 3)), linewidth=0.8)
        axes.plot([entry.p1] * 2, [top - 1, top], color=GREY, linestyle=(0, (1, 2)), linewidth=0.8)
        for line, variable in enumerate(lines):
            _interval(axes, numbers, (entry.id, variable), top - step * (line + 1), first=not place)
        axes.axhline(top - 1, color=LIGHT, linewidth=0.6)
    axes.set(xlim=(0, 1), ylim=(0, len(types)), xlabel="Response rate")
    names = [
        f"{fill(e.label, _LABEL, break_long_words=False)}\n{numbers.rate(e.id, 'orr').text}"
        for e in reversed(types)
    ]
    axes.set_yticks([k + 0.5 for k in range(len(types))], names)
    axes.tick_params(axis="y", length=0)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.45, -16.0 / (_ROW_MM * len(types))),
        ncols=3,
        fontsize=7,
        frameon=False,
    )


def _interval(axes: Axes, numbers: Numbers, where: tuple[str, str], y: float, *, first: bool) -> None:
    group, variable = where
    stat = "rate" if variable == "orr" else "mean"
    place = 0 if variable == "orr" else 1 + MODELS.index(variable)
    colour = "#222222" if variable == "orr" else PALETTE[place - 1]
    label = word("expansion", "observed" if variable == "orr" else variable)
    row = numbers.need(stat, group=group, variable=variable)
    shown = row["status"] in ("OK", "FLAG")
    if shown:
        ends = [
            float(numbers.need(end, group=group, variable=variable)["value"]) for end in ("lower", "upper")
        ]
        axes.plot(ends, [y, y], color=colour, linewidth=1.4)
    axes.plot(
        [float(row["value"])] if shown else [],
        [y] if shown else [],
        color=colour,
        marker=_MARKS[place],
        markersize=4,
        linestyle="none",
        clip_on=False,
        label=label if first else None,
    )


def figure_decision_grid(result: Result, study: Study) -> Figure:
    """Draw every tumour type on the decision grid: P(p > p0) against the predictive probability of success.

    Parameters
    ----------
    result : Result
        ``expansion.candidates``.
    study : Study
        Thresholds, labels.

    Returns
    -------
    Figure
        Filled: the deciding model; hollow: the others. The shaded corner holds what reaches both GO thresholds; own data can still
        withhold a GO.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    title = "Decision grid of the tumour types"
    absent = numbers.row("n", variable="candidates")
    if absent is not None:
        return not_drawn(numbers, title=title, reason=str(absent["reason"]))
    types = study.expansion.type
    models = _models(numbers, types)
    svg, png = drawn(
        lambda sheet: _paint_grid(sheet, numbers, types, models), size_mm=_GRID_SIZE, study=study
    )
    decides = study.expansion.decision_model
    told = "; ".join(
        f"{entry.label} P {numbers.value(entry.id, decides, 'prob_above', digits=2).text}, PPoS "
        f"{numbers.value(entry.id, decides, 'ppos', digits=2).text}, {numbers.words(entry.id, 'decision', 'class').text}"
        for entry in types
    )
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Scatter plot of tumour types, x axis P(p > p0), y axis predictive probability of success. {told}.",
        width_mm=_GRID_SIZE[0],
        keys=tuple(result.frame.loc[result.frame["stat"].isin(["prob_above", "ppos"]), "result_id"]),
        footnotes=(
            f"Filled: {word('expansion', decides)}, which decides; hollow: the other models. Shaded: both GO thresholds; dashed: "
            "NO-GO thresholds. The guard by own data, and toxicity, are not in the picture.",
            *result.footnotes,
        ),
    )


def _paint_grid(
    sheet: Sheet, numbers: Numbers, types: tuple[TumourType, ...], models: tuple[str, ...]
) -> None:
    table = numbers.study.expansion
    axes = axes_mm(sheet, left=20, bottom=16, width=92, height=80)
    axes.add_patch(
        Rectangle(
            (table.go_prob, table.go_ppos), 1 - table.go_prob, 1 - table.go_ppos, facecolor=LIGHT, zorder=0
        )
    )
    axes.axvline(table.nogo_prob, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.axhline(table.nogo_ppos, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    for place, entry in enumerate(types):
        colour = PALETTE[place % len(PALETTE)]
        for model in models:
            x, y = (
                float(numbers.need(stat, group=entry.id, variable=model)["value"])
                for stat in ("prob_above", "ppos")
            )
            decides = model == table.decision_model
            label = f"{entry.label}: {numbers.words(entry.id, 'decision', 'class').text}"
            axes.plot(
                [x],
                [y],
                marker=_MARKS[place % len(_MARKS)],
                markersize=8 if decides else 5,
                markerfacecolor=colour if decides else "none",
                markeredgecolor=colour,
                linestyle="none",
                clip_on=False,
                label=label if decides else None,
                zorder=3 if decides else 2,
            )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="P(p > p0)", ylabel="PPoS")
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), fontsize=7, frameon=False)
