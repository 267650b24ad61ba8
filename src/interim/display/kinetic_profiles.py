"""Profiles of cells in blood: one line per participant, and the means by dose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.labels import column_label, word
from interim.display.numbers import Numbers
from interim.display.style import GREY, PALETTE, PORTRAIT_MM, cohort_colours, ink
from interim.result import Result
from interim.study import Study

_PANEL_MM = 62.0
_WIDE_MM = 104.0
_FOOT = 0.05
_MARKS = {"CMAX_AFTER_TOCI": "v", "CMAX_AFTER_STEROID": "s"}
_NOTES = {
    "infusions": "ticks at the foot: infusions",
    "CMAX_AFTER_TOCI": "triangles: interleukin-6 blocker",
    "CMAX_AFTER_STEROID": "squares: corticosteroid",
}


@dataclass(frozen=True)
class _Profile:
    """One drawn profile."""

    subject: str
    group: str
    time: np.ndarray
    conc: np.ndarray
    below: np.ndarray


def figure_kinetic_profiles(result: Result, study: Study) -> Figure:
    """Draw the individual profiles, one panel per assay.

    Parameters
    ----------
    result : Result
        ``kinetics.profiles`` or ``kinetics.nk_profiles``.
    study : Study
        Labels and colours.

    Returns
    -------
    Figure
        Logarithmic axis; samples below the limit are open symbols on the limit; infusions and medicines are marked.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    frame = result.frame[(result.frame["stat"] == "conc") & result.frame["value"].notna()]
    if frame.empty:
        reason = numbers.absence("conc", stat="n") or "no sample"
        return not_drawn(numbers, title=result.title, reason=reason)
    panels = _panels(frame)
    events = result.frame[result.frame["stat"].isin(["infusion", "start"])]
    svg, png = drawn(
        lambda sheet: _each_panel(
            sheet, list(panels), study, lambda axes, assay: _paint(axes, panels[assay], events, study)
        ),
        size_mm=(PORTRAIT_MM, _PANEL_MM * len(panels) + 6),
        study=study,
    )
    subjects = {profile.subject for panel in panels.values() for profile in panel}
    below = int(frame["status"].eq("FLAG").sum())
    alt = (
        f"Line charts of individual concentrations, {len(panels)} assays, x axis days from the first infusion, y axis "
        f"logarithmic; {len(subjects)} participants, {len(frame)} samples, {below} of them below the limit of quantification."
    )
    shown = [text for kind, text in _NOTES.items() if (events["variable"] == kind).any()]
    lost = int(((result.frame["stat"] == "conc") & result.frame["value"].isna()).sum())
    shown += [f"not drawn: {lost} samples below a limit that is not known"] if lost else []
    note = "; ".join(["Open symbols: below the limit of quantification, drawn on the limit (dashed)", *shown])
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=alt,
        width_mm=PORTRAIT_MM,
        keys=(*frame["result_id"], *events["result_id"]),
        footnotes=(f"{note}.", *result.footnotes),
    )


def _panels(frame: pd.DataFrame) -> dict[str, list[_Profile]]:
    panels: dict[str, list[_Profile]] = {}
    for variable, part in frame.groupby("variable", sort=True):
        assay, _, subject = str(variable).partition("|")
        time = part["level"].str.partition("#")[0].astype(float).to_numpy()
        order = np.argsort(time, kind="stable")
        profile = _Profile(
            subject,
            str(part["group"].iloc[0]),
            time[order],
            part["value"].to_numpy(dtype=float)[order],
            part["status"].eq("FLAG").to_numpy()[order],
        )
        panels.setdefault(assay, []).append(profile)
    return panels


def _each_panel(
    sheet: Sheet, assays: Sequence[str], study: Study, paint: Callable[[Axes, str], Sequence[str]]
) -> None:
    """Draw one panel per assay, with the names of the groups beside it."""
    for place, assay in enumerate(reversed(assays)):
        axes = axes_mm(sheet, left=22, bottom=14 + place * _PANEL_MM, width=_WIDE_MM, height=_PANEL_MM - 18)
        groups = tuple(paint(axes, assay))
        axes.set(yscale="log", xlabel="Days from the first infusion", ylabel=_assay_name(assay))
        colours = _colours(study, groups)
        for row, group in enumerate(groups):
            axes.text(
                1.03,
                0.95 - 0.14 * row,
                column_label(group, study),
                transform=axes.transAxes,
                fontsize=7,
                va="top",
                color=ink(colours[group]),
            )


def _colours(study: Study, groups: tuple[str, ...]) -> dict[str, str]:
    """Return the colours of the columns; groups that the study does not know are told apart by their order."""
    known = cohort_colours(study, groups)
    if len(groups) > 1 and set(known.values()) == {GREY}:
        return {group: PALETTE[place % len(PALETTE)] for place, group in enumerate(groups)}
    return known


def _assay_name(assay: str) -> str:
    code, space, unit = assay.partition(" (")
    return f"{word('measures', code)}\n({unit}" if space else word("measures", assay)


def _paint(axes: Axes, profiles: list[_Profile], events: pd.DataFrame, study: Study) -> Sequence[str]:
    groups = tuple(dict.fromkeys(sorted(profile.group for profile in profiles)))
    colours = _colours(study, groups)
    for profile in profiles:
        colour = colours[profile.group]
        axes.plot(profile.time, profile.conc, color=colour, linewidth=0.8, alpha=0.85)
        seen, below = ~profile.below, profile.below
        axes.plot(profile.time[seen], profile.conc[seen], "o", color=colour, markersize=2.4)
        axes.plot(profile.time[below], profile.conc[below], "o", mfc="white", mec=colour, markersize=3)
    for limit in sorted({float(value) for profile in profiles for value in profile.conc[profile.below]}):
        axes.axhline(limit, color=GREY, linewidth=0.6, linestyle="--")
    end = max(float(profile.time.max()) for profile in profiles)
    here = events[events["group"].isin(list(groups)) & (events["value"] <= end)]
    across = axes.get_xaxis_transform()
    for day, kind, group in zip(here["value"], here["variable"], here["group"], strict=True):
        if kind == "infusions":
            axes.plot([day, day], [0, _FOOT], color=colours[group], linewidth=0.8, transform=across)
        else:
            axes.plot(day, 1 - _FOOT, _MARKS[kind], color=colours[group], markersize=4, transform=across)
    return groups


def figure_mean_profiles(result: Result, study: Study) -> Figure:
    """Draw the mean profile of each dose with one standard error, one panel per assay.

    Parameters
    ----------
    result : Result
        ``kinetics.mean_profiles``.
    study : Study
        Labels and colours.

    Returns
    -------
    Figure
        Logarithmic axis; a mean that is withheld leaves a gap.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    frame = result.frame[result.frame["stat"].isin(["geo_mean", "geo_low", "geo_high"])]
    if frame["value"].notna().sum() == 0:
        reason = numbers.absence("conc", stat="n") or "no dose with three values at one time"
        return not_drawn(numbers, title=result.title, reason=reason)
    assays = sorted(frame.loc[frame["value"].notna(), "variable"].unique())
    limits = result.frame[result.frame["stat"] == "lloq"].set_index("variable")["value"].to_dict()
    svg, png = drawn(
        lambda sheet: _each_panel(
            sheet,
            assays,
            study,
            lambda axes, assay: _paint_means(
                axes, frame[frame["variable"] == assay], study, limits.get(assay)
            ),
        ),
        size_mm=(PORTRAIT_MM, _PANEL_MM * len(assays) + 6),
        study=study,
    )
    drawn_means = frame[(frame["stat"] == "geo_mean") & frame["value"].notna()]
    withheld = int(((frame["stat"] == "geo_mean") & frame["value"].isna()).sum())
    alt = (
        f"Line charts of geometric mean concentrations by dose, {len(assays)} assays, x axis nominal days from the first infusion, "
        f"y axis logarithmic; {len(drawn_means)} means, {withheld} withheld."
    )
    share = f"{100 * study.kinetics.blq_mean_max:g}"
    note = (
        "Geometric mean and one standard error of the logarithm, half the limit below it; withheld with fewer than three values or "
        f"more than {share}% below the limit (dashed: limit of quantification). Samples of the second cycle's own schedule are left out."
    )
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=alt,
        width_mm=PORTRAIT_MM,
        keys=tuple(frame["result_id"]),
        footnotes=(note, *result.footnotes),
    )


def _paint_means(axes: Axes, frame: pd.DataFrame, study: Study, limit: float | None) -> Sequence[str]:
    groups = tuple(dict.fromkeys(sorted(frame.loc[frame["value"].notna(), "group"])))
    colours = _colours(study, groups)
    for group in groups:
        wide = frame[frame["group"] == group].pivot(index="level", columns="stat", values="value")
        wide.index = wide.index.astype(float)
        wide = wide.sort_index()
        mean = wide["geo_mean"].to_numpy()
        spread = np.abs(wide[["geo_low", "geo_high"]].to_numpy().T - mean)
        axes.errorbar(
            wide.index.to_numpy(),
            mean,
            yerr=spread,
            color=colours[group],
            fmt="-o",
            markersize=3,
            capsize=2,
            linewidth=1,
        )
    if limit:
        axes.axhline(limit, color=GREY, linewidth=0.6, linestyle="--")
    return groups
