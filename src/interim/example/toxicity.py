"""Adverse events of a participant: cytokine release, dose-limiting toxicity, laboratory events, all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from interim.example.course import Course
from interim.example.plan import Person
from interim.example.settings import csv_file, numbers
from interim.example.stream import choose, lognormal
from interim.example.traits import Traits
from interim.example.visits import Visit

CELLS = {"CARNK", "CART"}
LAST_CRS_DAY = 7
SHORT_DAYS = 2


@dataclass(frozen=True)
class Event:
    """One adverse event; days from the first NK infusion.

    Attributes
    ----------
    term, soc, group : str
        Term, system organ class, group in ae_terms.csv (``lab`` for laboratory events).
    grade : int
        CTCAE grade.
    start : int
        Day of onset.
    end : int or None
        Last day; None if ongoing.
    related : str
        AEREL.
    clock : str or None
        Time of onset and end, where it was recorded.
    serious, dlt : bool
        Flags.
    lab : tuple of (str, float, float) or None
        Analyte, lowest and highest value during the event.
    """

    term: str
    soc: str
    group: str
    grade: int
    start: int
    end: int | None
    related: str
    clock: str | None = None
    serious: bool = False
    dlt: bool = False
    lab: tuple[str, float, float] | None = None


def draw_events(
    person: Person, *, traits: Traits, course: Course, visits: Sequence[Visit]
) -> tuple[Event, ...]:
    """Draw the adverse events of one participant.

    Parameters
    ----------
    person : Person
        Arm, and what the preset fixes.
    traits : Traits
        Baseline laboratory values.
    course : Course
        End of observation.
    visits : sequence of Visit
        Planned visits; laboratory events begin at one of them.

    Returns
    -------
    tuple of Event
        By day of onset; each term once; none begins after the end of observation.

    Raises
    ------
    None
    """
    if not person.treated:
        return ()
    events = [*_crs(person), *_dlt(person), *_lab_events(person, traits, visits)]
    wanted = int(person.rng("AE").negative_binomial(numbers("ae.n_AE_per_pt.k"), _success()))
    events += _frequent(person, events)
    events += _general(person, course, wanted - len(events), {event.term for event in events})
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event.term, event)
    kept = (_closed(event, course) for event in first.values() if event.start <= course.active_end)
    return tuple(sorted(kept, key=lambda event: (event.start, event.term)))


def _success() -> float:
    table = numbers("ae.n_AE_per_pt")
    return float(table["k"] / (table["k"] + table["mean"]))


def _closed(event: Event, course: Course) -> Event:
    """Leave an event open that does not end before the end of observation."""
    return event if event.end is None or event.end < course.end else replace(event, end=None)


def _term(group: str) -> Mapping[str, str]:
    return next(row for row in csv_file("ae_terms.csv") if row["group"] == group)


def _event(row: Mapping[str, str], grade: int, start: int, **more: object) -> Event:
    fields: dict[str, object] = {"end": start + int(row["days"]) - 1, "related": row["related"]} | more
    return Event(row["term"], row["soc"], row.get("group", "lab"), grade, start, **fields)  # type: ignore[arg-type]


def _crs(person: Person) -> Iterator[Event]:
    """Yield at most one episode: after CAR-T, else after CAR-NK."""
    rng, row = person.rng("CRS"), _term("crs")
    after_nk = rng.random() < numbers("ae.CRS_after_NK_any")
    day, lasts = _onset_and_length(rng)
    later = person.cycle2 is not None and rng.random() < 0.2 and person.slot.crs is None
    grade = _crs_grade(rng, person)
    hour = f"{int(rng.integers(14, 20)):02d}:30"
    if grade:
        start = (person.cycle2 if later and person.cycle2 is not None else person.cart) + day
        yield _event(row, grade, start, end=start + lasts, clock=hour, serious=grade >= 2, dlt=grade >= 3)
    elif after_nk:
        start = 1 + min(day, 3)
        yield _event(row, 1, start, end=start + min(lasts, 2), clock=hour, related="CARNK")


def _onset_and_length(rng: np.random.Generator) -> tuple[int, int]:
    onset, length = numbers("ae.onset_day_CART"), numbers("ae.duration_d")
    day = int(min(lognormal(rng, onset["median"], onset["gsd"]), 9))
    return day, int(min(max(lognormal(rng, length["median"], length["gsd"]), 1), LAST_CRS_DAY))


def _crs_grade(rng: np.random.Generator, person: Person) -> int:
    any_event, drawn = rng.random(), int(choose(rng, numbers("ae.CRS_grade_given_any")))
    slot = person.slot
    if person.level is None:
        return 0
    if slot.dlt == "CRS_G3plus":
        return 3
    if slot.crs is not None:
        return slot.crs
    if any_event >= numbers("ae.CRS_any_by_dose")[person.level - 1]:
        return 0
    return min(drawn, 1 if slot.calm else 2)


def _dlt(person: Person) -> Iterator[Event]:
    """Yield the dose-limiting toxicity of the preset, unless it is a cytokine release syndrome."""
    rng = person.rng("DLT")
    start, lasts = person.cart + int(rng.integers(4, 7)), int(rng.integers(9, 13))
    if person.slot.dlt == "hepatic_G3_gt7d":
        row = next(r for r in csv_file("lab_events.csv") if r["analyte"] == "ALT" and r["grade"] == "3")
        more = {"end": start + lasts, "related": "CART", "serious": True, "dlt": True}
        yield _event(row, 3, start, lab=_limits(row), **more)
    if person.slot.dlt == "other":
        yield _event(_term("dlt_other"), 3, start, serious=True, dlt=True)


def _limits(row: Mapping[str, str]) -> tuple[str, float, float]:
    return row["analyte"], float(row["low"]), float(row["high"])


def _lab_events(person: Person, traits: Traits, visits: Sequence[Visit]) -> list[Event]:
    """Return laboratory events, one per analyte, each beginning at a visit with a draw."""
    rng = person.rng("labevents")
    chance = {
        ("LYM", "3"): numbers("ae.lymphopenia_G3"),
        ("NEUT", "3"): numbers("ae.neutropenia_G3_noLD"),
        ("ALT", "3"): numbers("ae.hepatic_ALT_G3")[(person.level or 1) - 1],
    }
    upper = {row["code"]: float(row["hi"]) for row in csv_file("analytes.csv")}
    found: dict[str, Event] = {}
    for row in csv_file("lab_events.csv"):
        drawn = rng.random() < chance.get((row["analyte"], row["grade"]), 0.12)
        place = rng.random()
        possible = _visits_for(person, row["related"], visits)
        blocked = row["normal_baseline"] == "1" and traits.labs[row["analyte"]] > upper[row["analyte"]]
        quiet = person.slot.calm and row["related"] == "CART"
        taken = row["analyte"] in found or (row["analyte"] == "ALT" and person.slot.dlt == "hepatic_G3_gt7d")
        if drawn and possible and not (blocked or quiet or taken):
            start = possible[int(place * len(possible))].day
            found[row["analyte"]] = _event(row, int(row["grade"]), start, lab=_limits(row))
    return list(found.values())


def _visits_for(person: Person, related: str, visits: Sequence[Visit]) -> list[Visit]:
    """Return the visits at which an event of this cause can be found."""
    last = {"HAI_PROCEDURE": 4, "CART": person.cart + 11}.get(related, person.cart + 20)
    first = person.cart + 2 if related == "CART" else 1
    if related == "CART" and person.level is None:
        return []
    return [visit for visit in visits if first <= visit.day <= last]


def _frequent(person: Person, events: Iterable[Event]) -> list[Event]:
    """Return the events that have a frequency of their own."""
    rng = person.rng("frequent")
    crs = any(event.group == "crs" for event in events)
    chance = {
        "fever": 0.0 if crs else 0.4,
        "nausea": numbers("ae.nausea"),
        "infection": numbers("ae.infection_G3"),
        "serious_hai": numbers("ae.HAI_complication_serious"),
    }
    out = []
    for group, p in chance.items():
        row, drawn, day = _term(group), rng.random() < p, int(rng.integers(0, 3))
        if drawn and group == "fever":
            out.append(_event(row, 1, 1, end=2 + day, clock="16:30"))
        elif drawn:
            start = {"serious_hai": 1, "infection": person.cart + 18 + day}.get(group, 2 + day)
            grade = 3 if row["grade3"] == "1" else 1
            related = "CARNK" if group == "nausea" else row["related"]
            out.append(_event(row, grade, start, related=related, serious=grade >= 3))
    if rng.random() < numbers("ae.HAI_pain"):
        row = next(r for r in csv_file("ae_terms.csv") if r["group"] == "hai" and float(r["grade2"]) > 0.3)
        out.append(_event(row, 1 + int(rng.random() < float(row["grade2"])), 1))
    return out


def _general(person: Person, course: Course, count: int, taken: set[str]) -> list[Event]:
    rng = person.rng("general")
    rows = [r for r in csv_file("ae_terms.csv") if float(r["weight"]) > 0 and r["term"] not in taken]
    weights = np.array([float(row["weight"]) for row in rows])
    keys = rng.exponential(size=len(rows)) / weights
    chosen = np.argsort(keys, kind="stable")[: max(count, 2)]
    return [_one(rng, person, course, rows[int(i)]) for i in chosen]


def _one(rng: np.random.Generator, person: Person, course: Course, row: Mapping[str, str]) -> Event:
    related = row["related"]
    if person.level is None and related != "HAI_PROCEDURE":
        related = related.replace("CARNK;CART", "CARNK").replace("CART", "CARNK")
    start = _start(rng, person, course, related)
    draw, length = rng.random(), lognormal(rng, float(row["days"]), 1.5)
    grade = (
        3 if draw < float(row["grade3"]) else 2 if draw < float(row["grade3"]) + float(row["grade2"]) else 1
    )
    cells = bool(CELLS & set(related.split(";")))
    if cells and (person.slot.calm or grade == 3):
        grade = 1 if person.slot.calm else 2
    days = max(1, round(length))
    return _event(row, grade, start, end=start + days - 1, related=related)


def _start(rng: np.random.Generator, person: Person, course: Course, related: str) -> int:
    u, before = rng.random(), rng.random()
    if related == "HAI_PROCEDURE":
        return int(1 + 2 * u)
    if related == "CARNK":
        return int(2 + u * max(1, person.cart - 3))
    if "CART" in related:
        return person.cart + 2 + int(u * 22)
    if before < 0.06:
        return person.consent + 1 + int(u * (-person.consent - 2))
    return int(2 + u * max(1, min(course.active_end, person.cart + 70) - 3))
