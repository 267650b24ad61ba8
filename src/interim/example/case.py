"""One participant with everything that was drawn: what the domains are written from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interim.example.course import Course, draw_course
from interim.example.lesions import Imaging, draw_imaging
from interim.example.plan import Person
from interim.example.settings import numbers
from interim.example.toxicity import Event, draw_events
from interim.example.traits import Traits, draw_traits
from interim.example.visits import Visit, planned_visits, with_unscheduled

Row = dict[str, Any]
BIOPSY_DAY = 30


@dataclass(frozen=True)
class Case:
    """One participant.

    Attributes
    ----------
    person : Person
        Arm and calendar.
    traits : Traits
        Baseline.
    course : Course
        Course of the disease.
    events : tuple of Event
        Adverse events.
    imaging : Imaging
        Lesions and scans.
    visits : tuple of Visit
        Visits made, ascending.
    """

    person: Person
    traits: Traits
    course: Course
    events: tuple[Event, ...]
    imaging: Imaging
    visits: tuple[Visit, ...]

    @property
    def cycle2(self) -> int | None:
        """Day of the second CAR-T cycle, None if it was not given."""
        second = self.person.cycle2
        early = self.course.pd is not None and second is not None and self.course.pd <= second
        return None if early else second

    @property
    def crs(self) -> Event | None:
        """The episode of cytokine release syndrome, None if there was none."""
        return next((event for event in self.events if event.group == "crs"), None)

    @property
    def second_biopsy(self) -> int | None:
        """Day of the biopsy after CAR-T, None if there was none."""
        day = self.person.cart + BIOPSY_DAY
        taken = self.person.rng("biopsy").random() > numbers("missing.tissue_post")
        possible = self.person.level is not None and self.traits.ligands and day < self.course.active_end
        return day if taken and possible else None

    @property
    def infusions(self) -> tuple[tuple[str, int, int], ...]:
        """Product, cycle and day of every infusion, ascending."""
        person = self.person
        if not person.treated:
            return ()
        out = [("CAR-NK", 1, 0), ("CAR-NK", 1, 1)]
        if person.level is not None:
            out += [("CAR-T", 1, person.cart), ("CAR-T", 1, person.cart + 1)]
            if self.cycle2 is not None:
                out += [("CAR-T", 2, self.cycle2), ("CAR-T", 2, self.cycle2 + 1)]
        return tuple(out)


DomainWriter = Callable[[Case], list[Row]]


def draw_case(person: Person) -> Case:
    """Draw everything about one participant.

    Parameters
    ----------
    person : Person
        Arm and calendar.

    Returns
    -------
    Case
        The participant.

    Raises
    ------
    None
    """
    traits = draw_traits(person)
    planned = planned_visits(person)
    course = draw_course(person, traits, planned)
    events = draw_events(person, traits=traits, course=course, visits=planned)
    case = Case(person, traits, course, events, draw_imaging(person, traits, course), ())
    return Case(person, traits, course, events, case.imaging, _visits(case, planned))


def _visits(case: Case, planned: tuple[Visit, ...]) -> tuple[Visit, ...]:
    """Return the visits made: none after the active end, no second cycle that was not given, no scan after the last one."""
    scans = {scan.visit.day for scan in case.course.scans}
    second = case.person.cycle2 if case.cycle2 is None else None
    kept = [
        visit
        for visit in planned
        if visit.day <= case.course.active_end
        and not (second is not None and visit.name.startswith("CART C2"))
        and not (visit.kind == "scan" and visit.day not in scans)
    ]
    days = [day for event in case.events for day in _needed(event, case) if day <= case.course.active_end]
    return with_unscheduled(kept, days) if case.person.treated else tuple(kept)


def _needed(event: Event, case: Case) -> list[int]:
    """Return the days on which an event was looked at."""
    last = case.course.end if event.end is None else event.end
    if event.group in ("crs", "fever"):
        return list(range(event.start, last + 1))
    if event.dlt:
        return [*range(event.start, last + 1, 3), last + 2]
    return [event.start] if event.lab else []


def level_cells(level: int) -> float:
    """Return the planned CAR-T cells per kg of a dose level.

    Parameters
    ----------
    level : int
        1 first.

    Returns
    -------
    float
        Cells per kg.

    Raises
    ------
    IndexError
        If there is no such level.
    """
    return float(numbers("cart.doses_per_kg")[level - 1])
