"""Participants one by one: the one-page profile, and narratives whose facts are bound to rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Patch

from interim.display.absent import not_drawn
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.gallery import Gallery
from interim.display.labels import column_label, participant_label, settings, word
from interim.display.numbers import Numbers
from interim.display.rounding import decimal_text
from interim.display.style import GREY, LIGHT, PALETTE, PORTRAIT_MM, TOTAL_COLOUR
from interim.display.text import Paragraph, Span
from interim.result import Result
from interim.study import Study

_HEIGHT_MM = 210.0
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 42.0, 30.0, 8.0, 14.0, 6.5
_MOST_EVENTS = 22
_LONGEST_NAME = 36
_KEY: dict[str, Any] = {
    "loc": "upper left",
    "bbox_to_anchor": (1.0, 1.0),
    "frameon": False,
    "fontsize": 5.3,
    "handlelength": 1.0,
}


@dataclass(frozen=True)
class _Person:
    """Rows of one participant, wide: one row per point with columns variable, day, end, value, unit, grade, name."""

    subject: str
    group: str
    points: pd.DataFrame

    def of(self, variable: str) -> pd.DataFrame:
        return self.points[self.points["variable"] == variable]

    def series(self, prefix: str) -> list[tuple[str, pd.DataFrame]]:
        names = [v for v in dict.fromkeys(self.points["variable"]) if v.startswith(f"{prefix} ")]
        return [(name.removeprefix(f"{prefix} "), self.of(name)) for name in names]


def figures_profile(result: Result, study: Study) -> Gallery:
    """Draw one page per participant: infusions, events, results, cells and lesions on one time axis.

    Parameters
    ----------
    result : Result
        ``patient.profile``.
    study : Study
        Labels.

    Returns
    -------
    Gallery
        A figure per participant.

    Raises
    ------
    None
    """
    people = list(_people(result))
    if not people:
        numbers = Numbers(result, study)
        return Gallery((not_drawn(numbers, title=result.title, reason="no participant with an infusion"),))
    return Gallery(tuple(_figure(person, result, study) for person in people))


def by_participant(result: Result) -> tuple[Result, ...]:
    """Return the rows of each participant as a result of their own, so that each page rests on nothing but its participant.

    Parameters
    ----------
    result : Result
        ``patient.profile``.

    Returns
    -------
    tuple of Result
        In the order of the pages, each also with the rows that belong to nobody; the result itself if nobody has a row.

    Raises
    ------
    None
    """
    frame = result.frame
    shared = frame["variable"].str.startswith("population")
    subjects = frame["level"].str.rpartition(" ")[0].mask(shared)
    parts = []
    for subject in sorted(subjects.dropna().unique()):
        rows = frame[shared | (subjects == subject)].reset_index(drop=True)
        links = result.links[result.links["result_id"].isin(rows["result_id"])].reset_index(drop=True)
        parts.append(replace(result, frame=rows, links=links))
    return tuple(parts) or (result,)


def _people(result: Result) -> Iterator[_Person]:
    frame = result.frame[~result.frame["variable"].str.startswith("population")]
    if frame.empty:
        return
    frame = frame.assign(subject=frame["level"].str.rpartition(" ")[0])
    for (subject, group), part in frame.groupby(["subject", "group"], sort=True):
        keys = ["variable", "level"]
        wide = part.pivot(index=keys, columns="stat", values="value")
        names = part[part["stat"] == "name"].set_index(keys)["text"]
        units = part[part["stat"] == "value"].set_index(keys)["unit"]
        points = wide.drop(columns=["name"], errors="ignore").assign(name=names, unit=units)
        points = points.reindex(columns=["day", "end", "value", "unit", "grade", "name"]).reset_index()
        yield _Person(str(subject), str(group), points.sort_values(["variable", "day"], kind="stable"))


def _figure(person: _Person, result: Result, study: Study) -> Figure:
    size = (PORTRAIT_MM, _HEIGHT_MM)
    svg, png = drawn(lambda sheet: _paint(sheet, person), size_mm=size, study=study)
    mine = result.frame["level"].str.startswith(f"{person.subject} ")
    label = participant_label(person.subject, study)
    return Figure(
        title=f"{label}, {column_label(person.group, study)}",
        population=result.population,
        svg=svg,
        png=png,
        alt=_alt(person, label),
        width_mm=size[0],
        keys=tuple(result.frame.loc[mine, "result_id"]),
        footnotes=(
            "Days from the first infusion. Vertical lines: infusions. Events: emergent, coloured by grade. Sums of target diameters: "
            "complete ones only.",
        ),
    )


def _alt(person: _Person, label: str) -> str:
    events = person.of("event")
    end = person.of("end")
    last = f"{end['name'].iloc[0]} on day {end['day'].iloc[0]:.0f}" if len(end) else "end not known"
    severe = int((events["grade"] >= 3).sum()) if len(events) else 0
    return (
        f"Course of participant {label} on one time axis: {len(person.of('infusion'))} infusions, {len(events)} emergent events "
        f"of which {severe} of grade 3 or higher, laboratory results, cells in blood and change of the target lesions; {last}."
    )


def _paint(sheet: Sheet, person: _Person) -> None:
    """Draw the panels from top to bottom; a panel without data says so."""
    heights = {"events": 74.0, "labs": 38.0, "cells": 32.0, "lesions": 26.0}
    first = min(-7.0, float(person.points["day"].min()))
    last = max(float(person.points[["day", "end"]].max().max()), 14.0)
    top = _HEIGHT_MM - _TOP
    for name, height in heights.items():
        top -= height
        axes = axes_mm(sheet, left=_LEFT, bottom=top, width=PORTRAIT_MM - _LEFT - _RIGHT, height=height)
        top -= _GAP
        for day in person.of("infusion")["day"]:
            axes.axvline(day, color=LIGHT, linewidth=1.0, zorder=0)
        _PANELS[name](axes, person)
        axes.set_xlim(first, last * 1.03)
        if name != "lesions":
            axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.set_xlabel("Days from the first infusion")


def _events(axes: Axes, person: _Person) -> None:
    events = person.of("event").sort_values(
        ["grade", "day"], ascending=[False, True], kind="stable", na_position="last"
    )
    shown = events.head(_MOST_EVENTS).sort_values("day", kind="stable")
    left = len(events) - len(shown)
    for place, row in enumerate(shown.to_dict("records")):
        colour = grade_colour(row["grade"])
        axes.barh(place, max(row["end"] - row["day"], 0.6), left=row["day"], height=0.7, color=colour)
    axes.set_yticks(range(len(shown)), [_short(str(name)) for name in shown["name"]], fontsize=6)
    axes.set_ylim(max(len(shown), 6) - 0.4, -1.6)
    for day, name in person.of("infusion")[["day", "name"]].itertuples(index=False):
        axes.plot(
            [day],
            [-1.1],
            marker="v",
            markersize=5,
            color=TOTAL_COLOUR if str(name).startswith("CART") else PALETTE[0],
        )
    _grades(axes, events["grade"])
    title = "Infusions (blue: NK, black: CAR-T) and events"
    _head(axes, title if left <= 0 else f"{title}; {left} of lower grade left out")
    if shown.empty:
        _say(axes, "no emergent event")


def _grades(axes: Axes, grades: pd.Series) -> None:
    """Say beside the panel which colour is which of the grades in it."""
    known = sorted(grades.dropna().unique())
    marks = [Patch(color=grade_colour(grade), label=f"Grade {grade:.0f}") for grade in known]
    if grades.isna().any():
        marks.append(Patch(color=GREY, label="Grade missing"))
    if marks:
        axes.legend(handles=marks, **_KEY)


def _head(axes: Axes, text: str) -> None:
    """Write the head of a panel as plain text: placing a title measures every label again."""
    axes.text(0.0, 1.02, text, transform=axes.transAxes, fontsize=7.5, va="bottom")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def grade_colour(grade: float) -> str:
    """Return the colour of a grade.

    Parameters
    ----------
    grade : float
        1 to 5; NaN for a missing one.

    Returns
    -------
    str
        ``#RRGGBB``.

    Raises
    ------
    None
    """
    colours = ("#56B4E9", "#0072B2", "#E69F00", "#D55E00", "#222222")
    return GREY if grade != grade else colours[int(grade) - 1]


def _labs(axes: Axes, person: _Person) -> None:
    _head(axes, "Laboratory results (platelets: hundredth part)")
    series = person.series("lab")
    if not series:
        _say(axes, "no laboratory results")
        return
    for place, (code, points) in enumerate(series):
        values = points["value"] / (100.0 if code == "PLAT" else 1.0)
        axes.plot(points["day"], values.clip(lower=0.01), marker=".", markersize=3, linewidth=0.9,
                  color=PALETTE[place % len(PALETTE)], label=word("trajectories", code))  # fmt: skip
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.axhline(1, color=GREY, linewidth=0.5, linestyle="--")
    axes.legend(**_KEY)


def _cells(axes: Axes, person: _Person) -> None:
    _head(axes, "Cells in blood, quantifiable")
    series = [(name, points) for name, points in person.series("cells") if len(points)]
    if not series:
        _say(axes, "no quantifiable sample")
        return
    for place, (name, points) in enumerate(series):
        units = " or ".join(sorted({str(unit) for unit in points["unit"] if unit}))
        label = f"{word('measures', name)}\n({units or 'unit not recorded'})"
        axes.plot(points["day"], points["value"], marker="o", markersize=2.5, linewidth=0.9,
                  color=PALETTE[place % len(PALETTE)], label=label)  # fmt: skip
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.legend(**_KEY)


def _lesions(axes: Axes, person: _Person) -> None:
    _head(axes, "Sum of target diameters, % change")
    points = person.of("lesion")
    if points.empty:
        _say(axes, "no complete sum")
        return
    axes.plot(
        [0.0, *points["day"]],
        [0.0, *points["value"]],
        marker="s",
        markersize=3,
        color=TOTAL_COLOUR,
        linewidth=0.9,
    )
    axes.axhline(0, color=GREY, linewidth=0.5)


_PANELS = {"events": _events, "labs": _labs, "cells": _cells, "lesions": _lesions}


def _say(axes: Axes, text: str) -> None:
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=8)


def story_narratives(result: Result, study: Study) -> Gallery:
    """Tell the course of each participant with a death, a serious or another significant event.

    Parameters
    ----------
    result : Result
        ``patient.narratives``.
    study : Study
        Labels, rounding.

    Returns
    -------
    Gallery
        A paragraph per participant, each under a heading with the name of the participant; every fact carries the id of its row. One paragraph with the reason if there is none.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    frame = result.frame
    facts = frame[frame["variable"] == "facts"].drop_duplicates(["group", "level"])
    paragraphs = [_narrative(numbers, str(row.group), str(row.level)) for row in facts.itertuples()]
    if not paragraphs:
        count = numbers.row("n", variable="participants")
        reason = str(count["reason"]) if count is not None and count["reason"] else "no participant needs one"
        key = None if count is None else str(count["result_id"])
        paragraphs = [Paragraph((Span("No narrative: "), Span(reason, key), Span(".")))]
    return Gallery(tuple(paragraphs))


def _narrative(numbers: Numbers, group: str, subject: str) -> Paragraph:
    fact = _Fact(numbers, group, "facts", subject)
    label = participant_label(subject, numbers.study)
    spans = [
        Span(f"Participant {label}", fact.key("participant"), emphasis=True),
        Span(f", {column_label(group, numbers.study)}"),
    ]
    treated = (fact.row("n_cart")["value"] or 0) > 0
    spans += fact.tell(settings("narrative")["opening" if treated else "opening_without"])
    spans += fact.tell(settings("narrative")["history"])
    spans += _given(numbers, group, subject)
    level = f"{subject} "
    found = [name for name in numbers.levels("event", stat="term", group=group) if name.startswith(level)]
    for event in found:
        told = _Fact(numbers, group, "event", event)
        graded = told.row("astct")["reason"] != "NOT_APPLICABLE"
        spans += told.tell(settings("narrative")["event" if graded else "event_without_astct"])
        spans += _course(numbers, group, event) + _drugs(numbers, group, event)
    spans += fact.extremes()
    spans += fact.tell(settings("narrative")["judged" if fact.row("decided") else "judged_last"])
    spans += fact.tell(settings("narrative")["died" if fact.row("status")["text"] == "died" else "alive"])
    return Paragraph(tuple(spans), heading=f"Participant {label}")


def _given(numbers: Numbers, group: str, subject: str) -> list[Span]:
    """Return the infusions in their order, each with its day and cells."""
    spans: list[Span] = []
    for place in numbers.levels("infusion", stat="product", group=group):
        if place.startswith(f"{subject} "):
            spans.append(Span("; " if spans else " Cells given: "))
            spans += _Fact(numbers, group, "infusion", place).tell(settings("narrative")["infusion"])
    return [*spans, Span(".")] if spans else []


def _course(numbers: Numbers, group: str, event: str) -> list[Span]:
    """Return the grade of an event by day, where results or signs give it."""
    facts = _parts_of(numbers, group, "grade", event)
    if not facts:
        return []
    spans = [Span(settings("narrative")[f"course_{facts[0].row('basis')['text']}"])]
    return [*spans, *_listed(facts, lambda _: "grade_by_day")]


def _drugs(numbers: Numbers, group: str, event: str) -> list[Span]:
    """Return the medication that was begun while an event lasted."""
    spans = [Span(settings("narrative")["drugs"])]
    facts = _parts_of(numbers, group, "drug", event)
    if not facts:
        return [*spans, _Fact(numbers, group, "event", event).span("drugs"), Span(".")]
    return [*spans, *_listed(facts, lambda fact: "drug" if fact.row("indication") else "drug_alone")]


def _parts_of(numbers: Numbers, group: str, variable: str, event: str) -> list[_Fact]:
    places = numbers.levels(variable, stat="day", group=group)
    return [_Fact(numbers, group, variable, place) for place in places if place.startswith(f"{event}.")]


def _listed(facts: list[_Fact], template: Callable[[_Fact], str]) -> list[Span]:
    """Return facts in their order, each told by its template."""
    spans: list[Span] = []
    for fact in facts:
        spans += [Span("; ")] if spans else []
        spans += fact.tell(settings("narrative")[template(fact)])
    return [*spans, Span(".")]


@dataclass(frozen=True)
class _Fact:
    """Rows of one place, told in words."""

    numbers: Numbers
    group: str
    variable: str
    level: str

    def row(self, stat: str) -> Any:
        return self.numbers.row(stat, group=self.group, variable=self.variable, level=self.level)

    def key(self, stat: str) -> str:
        return str(self.row(stat)["result_id"])

    def tell(self, template: str) -> list[Span]:
        """Return the template with each ``{stat}`` replaced by the row's text or number."""
        spans = []
        for literal, stat in _parts(template):
            if literal:
                spans.append(Span(literal))
            if stat:
                spans.append(self.span(stat))
        return spans

    def span(self, stat: str, digits: int = 0) -> Span:
        row = self.row(stat)
        if row is None:
            return Span("not recorded")
        key = str(row["result_id"])
        if row["status"] == "NA":
            return Span("not recorded", key)
        if row["text"] is not None:
            return Span(self.word(stat, str(row["text"])), key)
        rounding = self.numbers.study.rounding
        text = decimal_text(
            float(row["value"]), digits=digits, mode=rounding.mode, guard_digits=rounding.guard_digits
        )
        return Span(text, key)

    def word(self, stat: str, text: str) -> str:
        if stat in ("related", "why", "decision", "history", "indication"):
            return text
        lists = {
            "sex": "SEX",
            "tumour": "TUMTYPE",
            "age": "age_band",
            "product": "groups",
            "effect": "narrative_effect",
        }
        shown = word(lists.get(stat, "terms"), text)
        return (
            shown if stat in ("term", "name") or not shown[1:2].islower() else shown[:1].lower() + shown[1:]
        )

    def extremes(self) -> list[Span]:
        """Return the laboratory strip: the highest multiples of the limit and the lowest counts."""
        spans: list[Span] = []
        for stat in self.numbers.result.frame.loc[
            (self.numbers.result.frame["variable"] == self.variable)
            & (self.numbers.result.frame["level"] == self.level), "stat"
        ]:  # fmt: skip
            kind, _, code = str(stat).partition(" ")
            if kind in ("peak", "low") and code:
                opening = " Laboratory after the first infusion: " if not spans else "; "
                name = _parameter(code)
                lead = f"highest {name} " if kind == "peak" else f"lowest {name} "
                unit = " x ULN" if kind == "peak" else " x 10^9/L"
                spans += [Span(opening + lead), self.span(str(stat), digits=1), Span(unit)]
        return [*spans, Span(".")] if spans else []


def _parameter(code: str) -> str:
    """Return the name of a laboratory parameter as it stands within a sentence: an abbreviation as it is."""
    name = word("parameters", code)
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _parts(template: str) -> Iterator[tuple[str, str]]:
    """Yield each literal with the name of the fact that follows it."""
    rest = template
    while rest:
        literal, _, tail = rest.partition("{")
        name, _, rest = tail.partition("}")
        yield literal, name
