"""Figures of the conduct: calendar of the study, planned and actual doses."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure as Sheet
from matplotlib.lines import Line2D

from interim.display.courses import absent_figure, shown_figure, wide_rows
from interim.display.figure import Figure, axes_mm
from interim.display.labels import column_label, participant_label
from interim.display.style import GREY, LIGHT, PORTRAIT_MM, TOTAL_COLOUR, cohort_colours
from interim.result import Result
from interim.study import Study

_PER_ROW_MM = 5.0


def figure_calendar(result: Result, study: Study) -> Figure:
    """Draw screening, treatment and follow-up of each participant on the calendar of the study.

    Parameters
    ----------
    result : Result
        ``courses.calendar``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        A bar per participant in the order of enrolment.

    Raises
    ------
    None
    """
    people = wide_rows(result, "participant")
    if people.empty:
        return absent_figure(result, study, "no enrolled participant")
    people = people.reindex(
        columns=[*people.columns, *({"nk", "cart_c1", "cart_c2", "window_end", "start", "end"} - set(people))]
    )
    size = (PORTRAIT_MM, 26.0 + _PER_ROW_MM * len(people))
    codes = tuple(code for code in (*study.cohorts(), *people["group"]) if code in set(people["group"]))
    colours = cohort_colours(study, tuple(dict.fromkeys(codes)))
    told = result.where(variable="decision", stat="month")
    decisions = list(zip(told["value"].astype(float), told["text"].astype(str), strict=True))

    def paint(sheet: Sheet) -> None:
        axes = axes_mm(sheet, left=20, bottom=12, width=PORTRAIT_MM - 56, height=size[1] - 18)
        for place, row in enumerate(people.to_dict("records")):
            colour = colours[row["group"]]
            axes.barh(place, row["end"] - row["start"], left=row["start"], height=0.35, color=LIGHT)
            if row["cart_c1"] == row["cart_c1"] and row["window_end"] == row["window_end"]:
                axes.barh(
                    place,
                    row["window_end"] - row["cart_c1"],
                    left=row["cart_c1"],
                    height=0.7,
                    color=colour,
                    alpha=0.35,
                )
            for name, marker in (("nk", "o"), ("cart_c1", "^"), ("cart_c2", "s")):
                axes.plot(row[name], place, marker=marker, color=colour, markersize=4)
            if row["died"]:
                axes.plot(row["end"], place, marker="x", color=TOTAL_COLOUR, markersize=5)
        axes.set_yticks(
            range(len(people)), [participant_label(str(name), study) for name in people["name"]], fontsize=6.5
        )
        axes.set_ylim(len(people) - 0.3, -0.7)
        for month, level in decisions:
            axes.axvline(month, color=GREY, linewidth=0.6, linestyle="--", zorder=0)
            axes.text(month, -0.8, level, ha="center", va="bottom", fontsize=6, color=GREY)
        axes.set_xlabel("Months from the first consent")
        marks = {"CAR-NK": "o", "CAR-T cycle 1": "^", "CAR-T cycle 2": "s", "death": "x"}
        handles = [
            Line2D([], [], marker=m, linestyle="", color=TOTAL_COLOUR, markersize=4, label=t)
            for t, m in marks.items()
        ]
        handles += [
            Line2D([], [], linewidth=4, color=c, label=column_label(g, study)) for g, c in colours.items()
        ]
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)

    alt = (
        f"Timeline of {len(people)} enrolled participants in the order of enrolment over {people['end'].max():.0f} months: "
        f"follow-up as a bar, marks at the infusions, the window for dose-limiting toxicity shaded; {int(people['died'].sum())} deaths."
        + (f" Broken lines: {len(decisions)} recorded decisions." if decisions else "")
    )
    notes = (
        "Relative months only. Wide bar: from the first CAR-T infusion to the end of the DLT window.",
        *(("Broken lines: recorded decisions, with the dose level that they name.",) if decisions else ()),
    )
    return shown_figure(result, study, paint, size=size, alt=alt, notes=notes)


def figure_doses(result: Result, study: Study) -> Figure:
    """Draw the actual cells per kg of every CAR-T infusion beside the planned ones.

    Parameters
    ----------
    result : Result
        ``courses.doses``.
    study : Study
        Levels; ``dose.dose_deviation_bands``.

    Returns
    -------
    Figure
        Points joined per participant; the bands of the widest permitted deviation around each planned level.

    Raises
    ------
    None
    """
    frame = wide_rows(result, "infusion")
    if frame.empty or "actual" not in frame:
        return absent_figure(result, study, "no CAR-T infusion with a dose per kg")
    parts = frame["level"].str.rpartition(" ")
    frame = frame.assign(subject=parts[0], number=pd.to_numeric(parts[2]))
    present = dict.fromkeys(frame["group"])
    codes = [code for code in study.cohorts() if code in present]
    colours = cohort_colours(study, (*codes, *(code for code in present if code not in codes)))
    size = (PORTRAIT_MM, 95.0)
    widest = max(study.dose.dose_deviation_bands, default=0.0)

    def paint(sheet: Sheet) -> None:
        axes = axes_mm(sheet, left=22, bottom=12, width=PORTRAIT_MM - 60, height=78)
        for level in study.dose.levels:
            axes.axhspan(level * (1 - widest), level * (1 + widest), color=LIGHT, alpha=0.6, linewidth=0)
            axes.axhline(level, color=GREY, linewidth=0.5, linestyle="--")
        for place, (_, part) in enumerate(frame.groupby("subject", sort=True)):
            ordered = part.sort_values("number")
            shift = 0.02 * (place % 7 - 3)
            axes.plot(ordered["number"] + shift, ordered["actual"], marker="o", markersize=3, linewidth=0.8,
                      color=colours[str(ordered["group"].iloc[0])])  # fmt: skip
        axes.set_yscale("log")
        axes.set_xticks(sorted(set(frame["number"])))
        axes.set_xlabel("CAR-T infusion, number")
        axes.set_ylabel("Cells per kg")
        handles = [
            Line2D([], [], marker="o", color=c, markersize=3, label=column_label(g, study))
            for g, c in colours.items()
        ]
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)

    far = (
        int(((frame["actual"] / frame["planned"] - 1).abs().round(12) > widest).sum())
        if "planned" in frame
        else 0
    )
    alt = (
        f"Line plot on a logarithmic axis: actual cells per kg of {len(frame)} CAR-T infusions of {frame['subject'].nunique()} "
        f"participants beside the planned levels; {far} infusions lie outside {100 * widest:g} per cent of their plan."
    )
    notes = (f"Shaded: {100 * widest:g} % around each planned level.",)
    return shown_figure(result, study, paint, size=size, alt=alt, notes=notes)
