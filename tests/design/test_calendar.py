"""Trials in calendar time: the same rule, replayed; slow accrual gives the exact numbers; any executor the same bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from interim.design import Boin, Cap, History, TitratedThreePlusThree, Titration, compile_design
from interim.design.calendar import Calendar, Person, run_course, simulate_calendar
from interim.design.characteristics import scenario
from interim.design.replay import replay
from interim.design.simulate import World
from interim.errors import DesignError
from interim.parallel import stream

LEVELS = (1.5e7, 3e7, 5e7, 7e7)
P, Q = (0.05, 0.10, 0.20, 0.35), (0.05, 0.10, 0.15, 0.20)
RULE = TitratedThreePlusThree(LEVELS, titration=Titration(4))
UNCAPPED = TitratedThreePlusThree(LEVELS, cap=Cap(None))
FAST = Calendar(6, 15, late=0.7, p_lost=0.1)


def recorded(people):
    """Write a simulated course as the frame that real data give."""
    day = pd.Timestamp("2025-01-06")
    rows = [
        {
            "participant": f"S{order:02d}",
            "order": order,
            "level": person.level,
            "assigned": day + pd.Timedelta(days=person.assigned),
            "window_start": day + pd.Timedelta(days=person.assigned),
            "window_end": day + pd.Timedelta(days=person.end),
            "status": "not_evaluable" if person.lost else "evaluable",
            "dlt": person.dlt,
            "trigger": person.onset > 0,
            "dlt_known": day + pd.Timedelta(days=person.onset) if person.dlt else None,
            "trigger_known": day + pd.Timedelta(days=person.onset) if person.onset else None,
        }
        for order, person in enumerate(people, 1)
    ]
    return History.from_frame(pd.DataFrame(rows), levels=4)


@pytest.mark.rule("DOSE-31", source="invariant: a simulated run replayed is fully concordant")
@pytest.mark.parametrize("place", range(12))
def test_a_simulated_course_replayed_is_concordant(place):
    world = World(scenario(P, Q, levels=4), FAST.p_lost)
    course = run_course(RULE, world, calendar=FAST, rng=stream(3, place))
    found = replay(RULE, recorded(course.people))
    assert {row.kind for row in found.rows} == {"same"} and len(found.rows) == len(course.people)
    assert course.verdict.action == "STOP" and course.days >= course.people[-1].assigned


@pytest.mark.rule("DOSE-31", source="exact characteristics: with slow accrual every outcome is known")
@pytest.mark.parametrize("design", [UNCAPPED, Boin(LEVELS, 0.25, n_max=12)], ids=["rule", "boin"])
def test_slow_accrual_gives_the_exact_choice(design):
    """The dose is that of the exact enumeration; a second DLT closes a level at once, so that the rule treats no more than it."""
    found = simulate_calendar(design, P, Q, calendar=Calendar(4000, 15), n=400, seed=5)
    exact = compile_design(design).evaluate(P, Q)
    error = np.maximum(found.characteristics.mcse["sel"], 2e-3)
    assert np.all(np.abs(np.array(found.characteristics.sel) - exact.sel) < 4.5 * error)
    assert found.turned_away < 0.2 and found.days > 4000
    assert found.characteristics.total_n < exact.total_n + 4.5 * found.characteristics.mcse["n"][0]
    assert min(found.days_mcse, *found.characteristics.mcse["n"]) > 0


@pytest.mark.rule("DOSE-31")
def test_faster_accrual_is_sooner_and_turns_more_away():
    slow, fast = (
        simulate_calendar(RULE, P, Q, calendar=Calendar(days, 15), n=60, seed=5) for days in (40, 5)
    )
    assert fast.days < slow.days and fast.turned_away > slow.turned_away
    late = simulate_calendar(RULE, P, Q, calendar=Calendar(5, 60), n=60, seed=5)
    assert late.days > fast.days


@pytest.mark.rule("DOSE-31")
def test_losses_are_replaced_and_counted():
    found = simulate_calendar(
        RULE, P, Q, calendar=Calendar(30, 15, p_lost=0.3), n=200, seed=2
    ).characteristics
    assert sum(found.EN_treated) > 1.2 * found.total_n


@pytest.mark.rule("DOSE-16")
def test_any_executor_gives_the_same_answer():
    one = simulate_calendar(RULE, P, Q, calendar=FAST, n=60, seed=9)
    with ThreadPoolExecutor(2) as pool:
        assert simulate_calendar(RULE, P, Q, calendar=FAST, n=60, seed=9, executor=pool) == one
    assert simulate_calendar(RULE, P, Q, calendar=FAST, n=60, seed=10) != one


@pytest.mark.rule("DOSE-31", source="by hand: window of 15 days from day 10, DLT on day 20")
@pytest.mark.parametrize(
    ("person", "day", "letter"),
    [
        (Person(2, 10, 20, 25, dlt=True, lost=False), 20, "P"),
        (Person(2, 10, 20, 25, dlt=True, lost=False), 21, "T"),
        (Person(2, 10, 0, 25, dlt=False, lost=False), 25, "P"),
        (Person(2, 10, 0, 25, dlt=False, lost=False), 26, "N"),
        (Person(2, 10, 12, 25, dlt=False, lost=False), 26, "G"),
        (Person(2, 10, 0, 25, dlt=False, lost=True), 26, "X"),
    ],
)
def test_what_is_known_strictly_before_a_day(person, day, letter):
    assert person.known(1, day).outcome == letter


@pytest.mark.rule("DOSE-31")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Calendar(0, 15), "accrual_days must be > 0"),
        (lambda: Calendar(10, 0), "window_days >= 1"),
        (lambda: Calendar(10, 15, late=1.5), "late must lie"),
        (lambda: Calendar(10, 15, p_lost=1.0), "p_lost"),
        (lambda: simulate_calendar(RULE, P, calendar=FAST, n=10, seed=None), "needs a seed"),
        (lambda: simulate_calendar(RULE, P, calendar=FAST, n=1, seed=1), "two trials"),
        (lambda: simulate_calendar(RULE, (0.1, 2, 0.1, 0.1), calendar=FAST, n=10, seed=1), "levels"),
    ],
)
def test_refused(make, words):
    with pytest.raises(DesignError, match=words):
        make()
