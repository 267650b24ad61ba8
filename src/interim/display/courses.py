"""Figures of safety: related terms, cytokine release over time, results over time with grade bands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.lines import Line2D

from interim.display.absent import not_drawn
from interim.display.apart import Label, label_points
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, participant_label, word
from interim.display.numbers import Numbers
from interim.display.patient import grade_colour
from interim.display.style import GREY, LIGHT, PORTRAIT_MM, TOTAL_COLOUR, cohort_colours
from interim.result import TOTAL, Result
from interim.study import Study

_FOOT = 0.03  # of the height of a panel: where the days of infusion are marked
_RISK_AT = -0.27  # of the height of the panel: where the numbers at risk stand


def wide_rows(result: Result, variable: str) -> pd.DataFrame:
    """Return one row per group and level of a variable, one column per stat; texts under ``name``.

    Parameters
    ----------
    result : Result
        Any Result.
    variable : str
        Variable of its rows.

    Returns
    -------
    pandas.DataFrame
        Columns group, level, the stats, name; in the order of the rows.

    Raises
    ------
    None
    """
    frame = result.frame[(result.frame["variable"] == variable) & (result.frame["status"] != "NA")]
    keys = ["group", "level"]
    values = frame.drop_duplicates([*keys, "stat"]).pivot(index=keys, columns="stat", values="value")
    texts = frame[frame["text"].notna()].drop_duplicates(keys).set_index(keys)["text"]
    order = frame.drop_duplicates(keys).set_index(keys).index
    return values.assign(name=texts).reindex(order).reset_index()


def shown_figure(
    result: Result,
    study: Study,
    paint: Callable[[Sheet], None],
    *,
    size: tuple[float, float],
    alt: str,
    notes: tuple[str, ...],
) -> Figure:
    """Return a figure that shows all rows of a Result.

    Parameters
    ----------
    result : Result
        What is shown.
    study : Study
        Resolution.
    paint : callable
        Draws on an empty sheet.
    size : tuple of float
        Millimetres.
    alt : str
        Text alternative.
    notes : tuple of str
        Footnotes before those of the Result.

    Returns
    -------
    Figure
        With title and population of the Result.

    Raises
    ------
    ReportError
        If the text alternative is too short.
    """
    svg, png = drawn(paint, size_mm=size, study=study)
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=alt,
        width_mm=size[0],
        keys=tuple(result.frame["result_id"]),
        footnotes=(*notes, *result.footnotes),
    )


def absent_figure(result: Result, study: Study, reason: str) -> Figure:
    """Return the figure that says why there is nothing to draw.

    Parameters
    ----------
    result : Result
        Whose absent rows carry the reason.
    study : Study
        Labels.
    reason : str
        Used where no row is absent.

    Returns
    -------
    Figure
        One sentence in a frame.

    Raises
    ------
    None
    """
    told = result.frame.loc[result.frame["status"] == "NA", "reason"]
    return not_drawn(
        Numbers(result, study), title=result.title, reason=str(told.iloc[0]) if len(told) else reason
    )


def figure_related_terms(result: Result, study: Study) -> Figure:
    """Draw the share of participants with a related event by term and dose, any grade and grade 3 or higher.

    Parameters
    ----------
    result : Result
        ``courses.related_terms``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        A row per term, a dot per dose; x/n of the total at the right.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    terms = numbers.levels("term", stat="grade3")
    if not terms:
        return absent_figure(result, study, "no related term in two or more participants")
    groups = tuple(group for group in numbers.groups if group != TOTAL)
    size = (PORTRAIT_MM, 30.0 + 6.0 * len(terms))
    colours = cohort_colours(study, groups)

    def row(term: str, group: str, stat: str) -> tuple[int, int]:
        found = numbers.need(stat, group=group, variable="term", level=term)
        return int(found["n"]), int(found["N"])

    def panel(sheet: Sheet, stat: str, left: float, title: str) -> Axes:
        axes = axes_mm(sheet, left=left, bottom=11, width=36, height=size[1] - 24)
        for place, term in enumerate(terms):
            axes.axhline(place, color=LIGHT, linewidth=0.5, zorder=0)
            for shift, group in enumerate(groups):
                x, n = row(term, group, stat)
                if n:
                    axes.plot(100 * x / n, place + 0.12 * (shift - (len(groups) - 1) / 2), marker="o", markersize=3.5,
                              color=colours[group])  # fmt: skip
            x, n = row(term, TOTAL, stat)
            axes.text(108, place, f"{x}/{n}", va="center", fontsize=6.5)
        axes.set(xlim=(-4, 104), ylim=(len(terms) - 0.4, -0.6), xlabel="% of the column")
        axes.set_title(title, fontsize=8)
        return axes

    def paint(sheet: Sheet) -> None:
        first = panel(sheet, "n", 46, "Any grade")
        first.set_yticks(range(len(terms)), [word("terms", term) for term in terms], fontsize=7)
        second = panel(sheet, "grade3", 95, "Grade 3 or higher")
        second.set_yticks([])
        handles = [
            Line2D(
                [],
                [],
                marker="o",
                linestyle="",
                color=colours[g],
                markersize=3.5,
                label=column_label(g, study),
            )
            for g in groups
        ]
        second.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(1.25, 1.0), frameon=False, fontsize=6.5
        )

    worst = max(terms, key=lambda term: row(term, TOTAL, "n")[0])
    x, n = row(worst, TOTAL, "n")
    alt = (
        f"Dot plot of {len(terms)} related terms by dose, any grade at the left and grade 3 or higher at the right; most frequent: "
        f"{word('terms', worst)} in {x} of {n} participants."
    )
    notes = (
        "Terms related to a cell product in at least two participants; at the right x/n of all participants.",
    )
    return shown_figure(result, study, paint, size=size, alt=alt, notes=notes)


_DRUG_MARKS = {"tocilizumab": "P", "steroid": "D", "vasopressor": "*"}


def figure_release_timeline(result: Result, study: Study) -> Figure:
    """Draw the episodes of cytokine release and neurotoxicity with infusions, treatment and IL-6.

    Parameters
    ----------
    result : Result
        ``courses.release_timeline``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        A row per participant by dose; bars coloured by grade, IL-6 as a thin line in the row.

    Raises
    ------
    None
    """
    people = wide_rows(result, "participant")
    if people.empty:
        return absent_figure(result, study, "no participant with CAR-T cells")
    order = {code: place for place, code in enumerate(study.cohorts())}
    people = people.assign(rank=people["group"].map(order).fillna(99)).sort_values(
        ["rank", "level"], kind="stable"
    )
    places = {str(subject): place for place, subject in enumerate(people["level"])}
    size = (PORTRAIT_MM, 30.0 + 7.0 * len(places))
    parts = {name: wide_rows(result, name) for name in ("episode", "infusion", "drug", "il6")}
    parts = {
        name: part.assign(place=part["level"].str.rpartition(" ")[0].map(places))
        for name, part in parts.items()
        if len(part)
    }

    def paint(sheet: Sheet) -> None:
        axes = axes_mm(sheet, left=34, bottom=12, width=PORTRAIT_MM - 78, height=size[1] - 16)
        _paint_rows(axes, parts)
        labels = [
            f"{participant_label(str(s), study)}  {g}"
            for s, g in zip(people["level"], people["group"], strict=True)
        ]
        axes.set_yticks(range(len(places)), labels, fontsize=6.5)
        axes.set(
            ylim=(len(places) - 0.3, -0.8),
            xlim=(-1, _last_day(parts)),
            xlabel="Days from the first CAR-T infusion",
        )
        marks = [("infusion", "|"), *_DRUG_MARKS.items()]
        handles = [
            Line2D([], [], marker=m, linestyle="", color=TOTAL_COLOUR, markersize=5, label=t)
            for t, m in marks
        ]
        handles += [
            Line2D([], [], linewidth=4, color=grade_colour(g), label=f"grade {g}") for g in (1, 2, 3, 4, 5)
        ]
        handles.append(Line2D([], [], linewidth=0.8, color=GREY, label="IL-6, log, own scale"))
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)

    episodes = parts.get("episode", pd.DataFrame(columns=["grade"]))
    least = study.titration_trigger.crs_min_grade
    alt = (
        f"Timeline of {len(places)} participants from the first CAR-T infusion: {len(episodes)} episodes of cytokine release or "
        f"neurotoxicity, {int((episodes['grade'] >= least).sum())} of grade {least} or higher, with infusions, treatment and IL-6."
    )
    notes = (
        "Bars: episodes, coloured by the higher of the CTCAE and the ASTCT grade; hatched: neurotoxicity.",
    )
    return shown_figure(result, study, paint, size=size, alt=alt, notes=notes)


def _last_day(parts: dict[str, pd.DataFrame]) -> float:
    ends = [
        part[name].max()
        for key, part in parts.items()
        if key != "il6"
        for name in ("day", "end")
        if name in part
    ]
    return float(np.nanmax([*ends, 28.0])) + 3


def _paint_rows(axes: Axes, parts: dict[str, pd.DataFrame]) -> None:
    for row in parts.get("episode", pd.DataFrame()).to_dict("records"):
        length = row["end"] - row["day"] + 1 if row["end"] == row["end"] else 1.0
        hatch = "////" if row["name"] == "ICANS" else None
        axes.barh(
            row["place"],
            length,
            left=row["day"],
            height=0.55,
            color=grade_colour(row["grade"]),
            hatch=hatch,
            alpha=0.85,
        )
    for row in parts.get("infusion", pd.DataFrame()).to_dict("records"):
        axes.plot(row["day"], row["place"], marker="|", markersize=9, color=TOTAL_COLOUR)
    for row in parts.get("drug", pd.DataFrame()).to_dict("records"):
        axes.plot(
            row["day"],
            row["place"] - 0.38,
            marker=_DRUG_MARKS.get(row["name"], "o"),
            markersize=4,
            color=TOTAL_COLOUR,
        )
    for _, part in parts["il6"].groupby("place") if "il6" in parts else ():
        values = np.log10(part["value"].clip(lower=0.1))
        spread = max(float(values.max() - values.min()), 1e-9)
        axes.plot(
            part["day"],
            float(part["place"].iloc[0]) + 0.4 - 0.8 * (values - values.min()) / spread,
            color=GREY,
            linewidth=0.8,
        )


def figure_first_release(result: Result, study: Study) -> Figure:
    """Draw the cumulative incidence of the first cytokine release of the trigger grade or higher.

    Parameters
    ----------
    result : Result
        ``courses.first_release``.
    study : Study
        Level; ``titration_trigger.crs_min_grade``.

    Returns
    -------
    Figure
        A step curve with its limits; death and a second cycle that is not given compete.

    Raises
    ------
    None
    """
    curve = wide_rows(result, "curve")
    if curve.empty:
        return absent_figure(result, study, "no participant with CAR-T cells")
    numbers = Numbers(result, study)
    size = (PORTRAIT_MM, 86.0)
    curve = curve.reindex(columns=["day", "incidence", "lower", "upper", "at_risk"])
    last = float(curve.loc[curve["incidence"].diff().fillna(curve["incidence"]) > 0, "day"].max())
    limit = max(last, 28.0) * 1.4 if last == last else 28.0
    start = pd.DataFrame([{"day": 0.0, "incidence": 0.0, "lower": 0.0, "upper": 0.0}])
    steps = pd.concat([start, curve.drop(columns="at_risk").fillna(0.0)], ignore_index=True)

    def paint(sheet: Sheet) -> None:
        axes = axes_mm(sheet, left=20, bottom=20, width=PORTRAIT_MM - 40, height=60)
        shown = steps[steps["day"] <= limit]
        shown = pd.concat([shown, shown.tail(1).assign(day=limit)], ignore_index=True)
        axes.step(shown["day"], 100 * shown["incidence"], where="post", color=TOTAL_COLOUR)
        axes.fill_between(
            shown["day"], 100 * shown["lower"], 100 * shown["upper"], step="post", color=LIGHT, alpha=0.6
        )
        axes.set(
            xlim=(0, limit),
            ylim=(0, 100),
            xlabel="Days from the first CAR-T infusion",
            ylabel="Cumulative incidence, %",
        )
        _risk_strip(axes, curve, limit)

    levels = ("crs", "death", "no_cycle2", "censored", "crs_later")
    count = {level: int(numbers.need("n", variable="event", level=level)["n"]) for level in levels}
    final = float(curve["incidence"].max()) if curve["incidence"].notna().any() else 0.0
    alt = (
        f"Step curve of the cumulative incidence of the first cytokine release of grade {study.titration_trigger.crs_min_grade} or "
        f"higher: {count['crs']} events, {count['death']} deaths and {count['no_cycle2']} without a second cycle before it, "
        f"{count['censored']} without any of them; {100 * final:.0f} per cent at the end."
    )
    notes = (
        f"Aalen-Johansen; {100 * study.stats.level:g} % limits. Death and a second cycle that is not given compete: the latter "
        "from the end of the longest wait after the last infusion, or from leaving the study.",
        f"First events: {count['crs']} releases, {count['death']} deaths, {count['no_cycle2']} without a second cycle, "
        f"{count['censored']} censored. Releases after a competing event, not in the curve: {count['crs_later']}.",
    )
    return shown_figure(result, study, paint, size=size, alt=alt, notes=notes)


def _risk_strip(axes: Axes, curve: pd.DataFrame, limit: float) -> None:
    """Write below each day of the axis how many have had none of the events until then."""
    place = axes.get_xaxis_transform()
    days = [float(day) for day in axes.get_xticks() if 0 <= day <= limit]
    axes.text(-0.02 * limit, _RISK_AT, "At risk", transform=place, ha="right", va="center", fontsize=7)
    for day in days:
        left = curve.loc[curve["day"] >= day, "at_risk"]
        number = int(left.iloc[0]) if len(left) else 0
        axes.text(day, _RISK_AT, str(number), transform=place, ha="center", va="center", fontsize=7)


def figure_trajectories(result: Result, study: Study) -> Figure:
    """Draw the results of each parameter over time with the bands of the CTCAE grades.

    Parameters
    ----------
    result : Result
        ``courses.trajectories``.
    study : Study
        Labels.

    Returns
    -------
    Figure
        A panel per parameter, a line per participant coloured by dose; dashed lines are the limits of the grades.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    codes = [name for name in numbers.variables(stat="day") if name != "infusion"]
    if not codes:
        return absent_figure(result, study, "no laboratory results")
    groups = tuple(group for group in numbers.groups if group != TOTAL)
    colours = cohort_colours(study, groups)
    height = 46.0
    size = (PORTRAIT_MM, 14.0 + height * ((len(codes) + 1) // 2))

    def paint(sheet: Sheet) -> None:
        for place, code in enumerate(codes):
            left, top = 16 + 78 * (place % 2), size[1] - 6 - height * (place // 2)
            axes = axes_mm(sheet, left=left, bottom=top - 34, width=60, height=30)
            multiples = word("trajectories", code).endswith("ULN")
            bands = wide_rows(result, f"band {code}")
            _paint_course(axes, wide_rows(result, code), bands, colours=colours, log=multiples)
            _mark_infusions(axes, wide_rows(result, "infusion"), colours)
            axes.set_title(word("trajectories", code), fontsize=8, loc="left")
        axes.set_xlabel("Days from the first infusion")
        handles = [Line2D([], [], color=colours[g], label=column_label(g, study)) for g in groups]
        sheet.legend(handles=handles, loc="lower center", ncols=len(groups), frameon=False)

    alt = (
        f"{len(codes)} panels of laboratory results over days from the first infusion, a line per participant coloured by dose, dashed "
        f"lines at the limits of the CTCAE grades, marks on the days of infusion: {', '.join(codes)}."
    )
    notes = (
        "Dashed: a value beyond the line has that CTCAE grade (without the branch for a high baseline). Marks at the foot: infusions.",
    )
    return shown_figure(result, study, paint, size=size, alt=alt, notes=notes)


def _mark_infusions(axes: Axes, infusions: pd.DataFrame, colours: dict[str, str]) -> None:
    for group, part in infusions.groupby("group", sort=True) if len(infusions) else ():
        axes.plot(
            part["day"],
            [_FOOT] * len(part),
            marker="|",
            linestyle="",
            markersize=4,
            color=colours.get(str(group), GREY),
            transform=axes.get_xaxis_transform(),
        )


def _paint_course(
    axes: Axes, points: pd.DataFrame, bands: pd.DataFrame, *, colours: dict[str, str], log: bool
) -> None:
    subjects = points["level"].str.rpartition(" ")[0]
    for _, part in points.groupby(subjects, sort=True):
        ordered = part.sort_values("day")
        axes.plot(
            ordered["day"],
            ordered["value"].clip(lower=0.01),
            linewidth=0.7,
            color=colours.get(str(part["group"].iloc[0]), GREY),
        )
    for row in bands.to_dict("records"):
        axes.axhline(row["value"], color=GREY, linewidth=0.6, linestyle="--")
    if log:
        axes.set_yscale("log")
        axes.minorticks_off()
    axes.set_xlim(right=max(60.0, float(points["day"].quantile(0.95))))
    end = axes.get_xlim()[1]
    grades = [Label(f"G{row['level']}", end, row["value"], GREY) for row in bands.to_dict("records")]
    axes.set_ylim(axes.get_ylim())
    label_points(axes, grades, size=6)
