"""Phase IB figures: activity against toxicity by dose, and the curves of the designs."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Rectangle

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, word
from interim.display.numbers import Numbers
from interim.display.rounding import decimal_text
from interim.display.style import GREY, LIGHT, PALETTE, PORTRAIT_MM
from interim.result import TOTAL, Result
from interim.study import Study

_SIZE = (PORTRAIT_MM, 96.0)
_SHIFT = 0.012  # keeps the crosses of doses with equal counts apart
_DASHES = ("-", "--", "-.", ":")
_MARKS = ("o", "s", "^", "D", "v", "P")


def figure_benefit_risk(result: Result, study: Study) -> Figure:
    """Draw activity against toxicity by dose with posterior regions.

    Parameters
    ----------
    result : Result
        ``benefit_risk.by_dose``.
    study : Study
        Limits, labels.

    Returns
    -------
    Figure
        A cross of 90 % and 50 % limits per dose and the quadrant that is sought; doses with few participants are hollow.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    doses = [
        group
        for group in numbers.groups
        if group != TOTAL and numbers.row("tox_mean", group=group, variable="posterior")
    ]
    title = "Activity versus toxicity by dose"
    if not doses:
        return not_drawn(numbers, title=title, reason="no dose level with a posterior")
    svg, png = drawn(lambda sheet: _paint_doses(sheet, numbers, doses), size_mm=_SIZE, study=study)
    told = "; ".join(
        f"{column_label(dose, study).splitlines()[0]} toxicity {_percent(numbers, dose, 'tox_mean')}, activity "
        f"{_percent(numbers, dose, 'act_mean')}"
        for dose in doses
    )
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Scatter plot of posterior means by dose, x axis toxicity, y axis activity, 0 to 100%. {told}.",
        width_mm=_SIZE[0],
        keys=tuple(result.frame.loc[result.frame["variable"].isin(["posterior", "region"]), "result_id"]),
        footnotes=(
            "Thick lines 50%, thin lines 90% of the posterior of each rate; shaded: tolerable and active. Hollow: few "
            "participants, never called best. Crosses are shifted a little so that equal doses do not hide each other.",
            *result.footnotes,
        ),
    )


def _percent(numbers: Numbers, group: str, stat: str) -> str:
    return f"{numbers.value(group, 'posterior', stat, digits=0, factor=100).text}%"


def _paint_doses(sheet: Sheet, numbers: Numbers, doses: list[str]) -> None:
    study = numbers.study
    axes = axes_mm(sheet, left=22, bottom=14, width=100, height=74)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="DLT rate", ylabel="Response rate")
    limit, active = study.dose.limit, study.benefit_risk.p_act
    axes.add_patch(Rectangle((0, active), limit, 1 - active, facecolor=LIGHT, zorder=0))
    for place, dose in enumerate(doses):
        colour = PALETTE[place % len(PALETTE)]
        shift = _SHIFT * (place - (len(doses) - 1) / 2)
        middle = [
            min(max(float(numbers.need(stat, group=dose, variable="posterior")["value"]) + shift, 0.0), 1.0)
            for stat in ("tox_mean", "act_mean")
        ]
        row = numbers.need("tox_mean", group=dose, variable="posterior")
        for level, width in (("90", 0.8), ("50", 2.4)):
            region = _region(numbers, dose, level)
            axes.plot(
                [region["tox_lower"], region["tox_upper"]], [middle[1]] * 2, color=colour, linewidth=width
            )
            axes.plot(
                [middle[0]] * 2, [region["act_lower"], region["act_upper"]], color=colour, linewidth=width
            )
        axes.scatter(
            [middle[0]],
            [middle[1]],
            s=36,
            marker=_MARKS[place % len(_MARKS)],
            facecolors="white" if row["status"] == "FLAG" else colour,
            edgecolors=colour,
            label=f"{column_label(dose, study).splitlines()[0]}, n={int(row['n'])}",
            zorder=3,
        )
    axes.legend(loc="upper left", bbox_to_anchor=(1.03, 1.0), fontsize=7, frameon=False)


def _region(numbers: Numbers, dose: str, level: str) -> Mapping[str, float]:
    names = ("tox_lower", "tox_upper", "act_lower", "act_upper")
    return {
        name: float(numbers.need(name, group=dose, variable="region", level=level)["value"]) for name in names
    }


def figure_designs(result: Result, study: Study) -> Figure:
    """Draw probability of a go and expected size of every design by true rate.

    Parameters
    ----------
    result : Result
        ``expansion_designs.designs``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        Two panels with one line per design.

    Raises
    ------
    None
    """
    frame = result.frame[
        (result.frame["variable"] == "rate") & result.frame["stat"].isin(["p_go", "expected_n"])
    ]
    curves = {str(name): part for name, part in frame.groupby("group", sort=False)}
    title = "Operating-characteristic curves"
    if not curves:
        return not_drawn(Numbers(result, study), title=title, reason="no design with characteristics")

    def paint(sheet: Sheet) -> None:
        for left, stat, label in ((18, "p_go", "P(go)"), (96, "expected_n", "Expected participants")):
            axes = axes_mm(sheet, left=left, bottom=34, width=58, height=56)
            for place, (name, part) in enumerate(curves.items()):
                _curve(axes, part[part["stat"] == stat], name, place)
            axes.set(xlabel="True response rate", ylabel=label, ylim=(0, None))
            if stat == "p_go":
                axes.axhline(study.expansion.alpha_max, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)))
                axes.legend(loc="upper left", bbox_to_anchor=(0, -0.24), ncols=3, fontsize=7, frameon=False)

    svg, png = drawn(paint, size_mm=_SIZE, study=study)
    told = "; ".join(f"{word('expansion', name)} P(go) {_ends(part, study)}" for name, part in curves.items())
    return Figure(
        title=title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Line charts of {len(curves)} designs by true response rate: probability of a go and expected size. {told}.",
        width_mm=_SIZE[0],
        keys=tuple(frame["result_id"]),
        footnotes=(
            f"Dashed: largest permitted false go {100 * study.expansion.alpha_max:g}%. Exact, no simulation.",
            *result.footnotes,
        ),
    )


def _curve(axes: Axes, part: object, name: str, place: int) -> None:
    rates = [float(level) for level in part["level"]]  # type: ignore[index]
    axes.plot(
        rates,
        list(part["value"]),  # type: ignore[index]
        color=PALETTE[place % len(PALETTE)],
        linestyle=_DASHES[place % len(_DASHES)],
        marker=_MARKS[place % len(_MARKS)],
        markersize=3,
        linewidth=1.2,
        label=word("expansion", name),
    )


def _ends(part: object, study: Study) -> str:
    go = part[part["stat"] == "p_go"]  # type: ignore[index]
    first, last = go.iloc[0], go.iloc[-1]
    rule = study.rounding
    return ", ".join(
        f"{decimal_text(end['value'], digits=3, mode=rule.mode, guard_digits=rule.guard_digits)} at "
        f"{100 * float(end['level']):g}%"
        for end in (first, last)
    )
