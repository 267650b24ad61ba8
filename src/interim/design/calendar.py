"""Trials in calendar time: candidates arrive, windows stay open, events come late, participants are lost; simulated, since no merged state holds the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from interim.design.characteristics import Characteristics, Outcomes, scenario
from interim.design.decision import Verdict
from interim.design.exact import RuleBased
from interim.design.facts import Facts
from interim.design.fixed import FixedCohorts
from interim.design.history import History, Status, Subject
from interim.design.simulate import Group, World, groups_of, joined
from interim.errors import DesignError
from interim.parallel import Where, map_seeded

Memory = dict[tuple[Facts, bool], Verdict]


@dataclass(frozen=True)
class Calendar:
    """How a trial runs in time.

    Attributes
    ----------
    accrual_days : float
        Mean days between candidates (exponential), > 0.
    window_days : int
        Days from the assignment to the end of the DLT window, >= 1.
    late : float
        Share of the events whose onset lies in the second half of the window, 0 to 1; within a half the onset is uniform.
    p_lost : float
        Probability that a participant without DLT is not evaluable and replaced; known when the window has ended.
    """

    accrual_days: float
    window_days: int
    late: float = 0.5
    p_lost: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no calendar."""
        if not self.accrual_days > 0 or self.window_days < 1:
            found = f"{self.accrual_days:g} and {self.window_days}"
            raise DesignError(f"accrual_days must be > 0 and window_days >= 1, found {found}")
        if not (0 <= self.late <= 1 and 0 <= self.p_lost < 1):
            raise DesignError(
                f"late must lie in 0..1 and p_lost in 0..1 (below 1), found {self.late:g}, {self.p_lost:g}"
            )


@dataclass(frozen=True)
class Timed:
    """Characteristics of a design in calendar time.

    Attributes
    ----------
    characteristics : Characteristics
        Simulated, with Monte Carlo standard errors.
    days, turned_away : float
        Mean days until the rule stops, and mean candidates who came while the rule waited.
    days_mcse, turned_away_mcse : float
        Their Monte Carlo standard errors.
    """

    characteristics: Characteristics
    days: float
    days_mcse: float
    turned_away: float
    turned_away_mcse: float


class Person(NamedTuple):
    """What will become of one participant.

    Attributes
    ----------
    level, assigned, onset, end : int
        Dose level, day of the assignment, day of the event (0: none), last day of the window.
    dlt, lost : bool
        The event is a DLT; the participant is not evaluable.
    """

    level: int
    assigned: int
    onset: int
    end: int
    dlt: bool
    lost: bool

    def known(self, order: int, day: int) -> Subject:
        """Return what is known strictly before a day.

        Parameters
        ----------
        order : int
            Place in the order of assignment.
        day : int
            The day.

        Returns
        -------
        Subject
            Pending while the window is open and no DLT is known.

        Raises
        ------
        None
        """
        happened = 0 < self.onset < day
        dlt = happened and self.dlt
        closed: Status = "not_evaluable" if self.lost else "evaluable"
        status: Status = "evaluable" if dlt else closed if self.end < day else "pending"
        return Subject(f"S{order:02d}", order, self.level, status, dlt, happened)


class Course(NamedTuple):
    """One simulated trial.

    Attributes
    ----------
    people : tuple of Person
        In order of assignment.
    verdict : Verdict
        The stop.
    facts : Facts
        What was known then.
    days, turned_away : int
        Day of the stop, and candidates who came while the rule waited.
    """

    people: tuple[Person, ...]
    verdict: Verdict
    facts: Facts
    days: int
    turned_away: int


def simulate_calendar(
    design: RuleBased | FixedCohorts,
    p_dlt: ArrayLike,
    p_trigger_only: ArrayLike | None = None,
    *,
    calendar: Calendar,
    n: int,
    seed: int | None,
    executor: Where = "serial",
) -> Timed:
    """Simulate trials in calendar time.

    Parameters
    ----------
    design : RuleBased or FixedCohorts
        The design; each candidate is assigned by what is known strictly before the day, or turned away if the design waits.
    p_dlt : array_like of float, shape (levels,)
        Probability of a DLT per level.
    p_trigger_only : array_like of float, shape (levels,), optional
        Probability of a trigger that is no DLT.
    calendar : Calendar
        Accrual, window, onset, losses.
    n : int
        Number of trials, >= 2.
    seed : int
        Seed of all streams; they belong to seed, scenario and block of 1024 trials.
    executor : {"serial", "processes"} or concurrent.futures.Executor
        Where the blocks run; the answer is the same to the bit.

    Returns
    -------
    Timed
        Characteristics, duration, candidates turned away.

    Raises
    ------
    DesignError
        If the seed is missing or the scenario cannot be used.
    """
    if seed is None or n < 2:
        raise DesignError(f"a simulation needs a seed and at least two trials, found seed {seed}, n {n}")
    levels = len(design.ladder() if isinstance(design, FixedCohorts) else design.levels)
    world = World(scenario(p_dlt, p_trigger_only, levels=levels), calendar.p_lost)
    groups = groups_of(n, seed=seed)
    parts = map_seeded(partial(_task, design, world, calendar), groups, seed=seed, executor=executor)
    outcomes = joined([part[0] for part in parts])
    days, away = (np.concatenate([part[place] for part in parts]).astype(float) for place in (1, 2))
    found = outcomes.summarise(np.full(n, 1 / n), world.truth, trials=n)
    errors = [float(values.std(ddof=1) / np.sqrt(n)) for values in (days, away)]
    return Timed(found, float(days.mean()), errors[0], float(away.mean()), errors[1])


Part = tuple[Outcomes, np.ndarray, np.ndarray]


def _task(design: Any, world: World, calendar: Calendar, group: Group, rng: np.random.Generator) -> Part:
    memory: Memory = {}
    courses = [
        run_course(design, world, calendar=calendar, rng=stream, memory=memory)
        for stream, trials in group.blocks(world.truth)
        for _ in range(trials)
    ]
    days, away = ([getattr(course, name) for course in courses] for name in ("days", "turned_away"))
    return _outcomes(design, courses, len(world.truth.p_dlt)), np.array(days), np.array(away)


def run_course(
    design: RuleBased | FixedCohorts,
    world: World,
    *,
    calendar: Calendar,
    rng: np.random.Generator,
    memory: Memory | None = None,
) -> Course:
    """Run one trial, candidate after candidate.

    Parameters
    ----------
    design : RuleBased or FixedCohorts
        The design.
    world : World
        True rates.
    calendar : Calendar
        Accrual, window, onset, losses.
    rng : numpy.random.Generator
        Stream of the trial.
    memory : dict, optional
        Verdicts known already.

    Returns
    -------
    Course
        Until the design stops.

    Raises
    ------
    None
    """
    memory = {} if memory is None else memory
    people: list[Person] = []
    day, clock, away, seen = 0, 0.0, 0, 0
    while True:
        clock += rng.exponential(calendar.accrual_days)
        day = int(np.ceil(clock))
        for moment in (*_news(people, seen, day), day):
            facts, verdict = _verdict(design, people, moment, len(world.truth.p_dlt), memory)
            if verdict.action == "STOP":
                return Course(tuple(people), verdict, facts, moment, away)
        seen = day
        if verdict.action == "ENROL" and verdict.level is not None:
            people.append(_person(world, calendar, verdict.level, day, rng))
        else:
            away += 1


def _news(people: list[Person], after: int, before: int) -> list[int]:
    """Return the days between two candidates on which something new is known: the day after an event or the end of a window."""
    days = {moment + 1 for person in people for moment in (person.onset, person.end) if moment}
    return sorted(day for day in days if after < day < before)


def _verdict(
    design: RuleBased | FixedCohorts, people: list[Person], day: int, levels: int, memory: Memory
) -> tuple[Facts, Verdict]:
    subjects = tuple(person.known(order, day) for order, person in enumerate(people, 1))
    history = History(levels, subjects, recorded=True)
    facts = design.facts(history)
    if isinstance(design, FixedCohorts):
        hot = design.is_hot(*design.last_cohort(history))
        if (facts, hot) not in memory:
            memory[facts, hot] = design.verdict(facts, hot=hot)
        return facts, memory[facts, hot]
    if (facts, False) not in memory:
        memory[facts, False] = design.verdict(facts)
    return facts, memory[facts, False]


def _person(world: World, calendar: Calendar, level: int, day: int, rng: np.random.Generator) -> Person:
    draw, half, place, stay = rng.random(4)
    dlt, trigger = world.event(level - 1, draw)
    share = (place + (half < calendar.late)) / 2
    onset = day + int(share * calendar.window_days) if dlt or trigger else 0
    return Person(level, day, onset, day + calendar.window_days, dlt, not dlt and stay < calendar.p_lost)


def _outcomes(design: Any, courses: list[Course], levels: int) -> Outcomes:
    """Count every participant with complete follow-up; the dose is that of the day of the stop."""
    n, y, lost = (np.zeros((len(courses), levels), dtype=np.int64) for _ in range(3))
    for row, place, person in _rows(courses):
        n[row, place] += not person.lost
        y[row, place] += person.dlt
        lost[row, place] += person.lost
    left = getattr(design, "left_titration", lambda facts: False)
    return Outcomes(
        n=n,
        y=y,
        mtd=np.array([course.verdict.mtd or 0 for course in courses]),
        status=tuple(course.verdict.status for course in courses),
        capped=np.array([course.verdict.trace[-1] == "K1" for course in courses]),
        left=np.array([left(course.facts) for course in courses]),
        lost=lost,
    )


def _rows(courses: list[Course]) -> Iterator[tuple[int, int, Person]]:
    for row, course in enumerate(courses):
        for person in course.people:
            yield row, person.level - 1, person
