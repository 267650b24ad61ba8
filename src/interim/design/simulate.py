"""Simulated trials, where exactness is impossible: participants who are replaced, and a check of the exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interim.design.characteristics import Characteristics, Outcomes, Scenario, scenario
from interim.design.decision import Verdict
from interim.design.exact import RuleBased
from interim.design.facts import Counts, Facts
from interim.design.fixed import STOP_NONE, Batch, FixedCohorts, final_statuses
from interim.errors import DesignError
from interim.parallel import Where, map_seeded, stream

BLOCK, GROUP = 1024, 16
Blocks = list[tuple[np.random.Generator, int]]
Trial = tuple[Facts, Verdict, tuple[int, ...]]
Memory = dict[Facts, Verdict]


class World(NamedTuple):
    """What happens to participants, whatever the design does.

    Attributes
    ----------
    truth : Scenario
        True rates.
    p_lost : float
        Probability that a participant without DLT is not evaluable and replaced.
    lost_triggers : bool
        True if the trigger of such a participant ends titration.
    """

    truth: Scenario
    p_lost: float
    lost_triggers: bool = False

    def event(self, place: int, draw: float) -> tuple[bool, bool]:
        """Return whether a draw is a DLT, and whether it is a trigger that is no DLT.

        Parameters
        ----------
        place : int
            Place of the level, from 0.
        draw : float
            Uniform on 0 to 1.

        Returns
        -------
        tuple of bool
            DLT, trigger.

        Raises
        ------
        None
        """
        p, q = float(self.truth.p_dlt[place]), float(self.truth.p_trigger_only[place])
        return bool(draw < p), bool(p <= draw < p + q)


class Group(NamedTuple):
    """Blocks of trials that run together.

    Attributes
    ----------
    seed : int
        Seed of all streams.
    first : int
        Place of the first block.
    trials : int
        Trials in all; every block but the last has 1024.
    """

    seed: int
    first: int
    trials: int

    def blocks(self, truth: Scenario) -> Blocks:
        """Return the stream and the number of trials of every block.

        Parameters
        ----------
        truth : Scenario
            True rates; part of the key of a stream.

        Returns
        -------
        list of (numpy.random.Generator, int)
            In order of the blocks.

        Raises
        ------
        None
        """
        rates = np.concatenate([truth.p_dlt, truth.p_trigger_only]).astype("<f8").tobytes()
        key = int.from_bytes(sha256(rates).digest()[:8], "big")
        starts = range(0, self.trials, BLOCK)
        return [
            (stream(self.seed, key, self.first + place), min(BLOCK, self.trials - start))
            for place, start in enumerate(starts)
        ]


def groups_of(n: int, *, seed: int, blocks: int = 1) -> list[Group]:
    """Return the trials in groups of blocks.

    Parameters
    ----------
    n : int
        Trials in all.
    seed : int
        Seed of all streams.
    blocks : int
        Blocks of 1024 trials that run together.

    Returns
    -------
    list of Group
        In order; how many blocks run together changes no number.

    Raises
    ------
    None
    """
    places = range(0, -(-n // BLOCK), blocks)
    return [Group(seed, first, min(blocks * BLOCK, n - first * BLOCK)) for first in places]


Runner = Callable[[Any, World, Blocks], Outcomes]


def simulate(
    design: RuleBased | FixedCohorts,
    p_dlt: ArrayLike,
    p_trigger_only: ArrayLike | None = None,
    *,
    n: int,
    seed: int | None,
    p_lost: float = 0.0,
    executor: Where = "serial",
) -> Characteristics:
    """Simulate trials in blocks, each with a random stream of its own.

    Parameters
    ----------
    design : RuleBased or FixedCohorts
        The design.
    p_dlt : array_like of float, shape (levels,)
        Probability of a DLT per level.
    p_trigger_only : array_like of float, shape (levels,), optional
        Probability of a trigger that is no DLT.
    n : int
        Number of trials, >= 2.
    seed : int
        Seed of all streams; the stream of a block depends on the seed, the rates of the scenario and the place of the block only, so that
        any number of workers and any subset of scenarios gives the same numbers.
    p_lost : float
        Probability that a participant without DLT is not evaluable and replaced, 0 to below 1.
    executor : {"serial", "processes"} or concurrent.futures.Executor
        Where the blocks run; a Dask cluster by ``Client(...).get_executor()``.

    Returns
    -------
    Characteristics
        With Monte Carlo standard errors.

    Raises
    ------
    DesignError
        If the seed is missing, a number is out of range or the scenario cannot be used.
    """
    if seed is None:
        raise DesignError("a simulation needs a seed, so that it can be repeated")
    if n < 2 or not 0 <= p_lost < 1:
        raise DesignError(f"n must be >= 2 and p_lost in 0..1 (below 1), found {n} and {p_lost}")
    truth = scenario(p_dlt, p_trigger_only, levels=_size(design))
    titration = getattr(design, "titration", None)
    world = World(truth, p_lost, bool(getattr(titration, "from_not_evaluable", False)))
    groups = groups_of(n, seed=seed, blocks=GROUP if isinstance(design, FixedCohorts) else 1)
    run = _cohort_trials if isinstance(design, FixedCohorts) else _rule_trials
    parts = map_seeded(partial(_task, run, design, world), groups, seed=seed, executor=executor)
    return joined(parts).summarise(np.full(n, 1 / n), truth, trials=n)


def _size(design: RuleBased | FixedCohorts) -> int:
    return len(design.ladder() if isinstance(design, FixedCohorts) else design.levels)


def joined(blocks: list[Outcomes]) -> Outcomes:
    """Return the outcomes of several blocks as one.

    Parameters
    ----------
    blocks : list of Outcomes
        In order.

    Returns
    -------
    Outcomes
        All rows.

    Raises
    ------
    None
    """
    first = blocks[0]
    rows = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in ("n", "y", "mtd", "capped", "left", "lost")
    }
    return replace(first, status=tuple(name for block in blocks for name in block.status), **rows)


def _task(run: Runner, design: Any, world: World, group: Group, rng: np.random.Generator) -> Outcomes:
    """Run a group of blocks; their streams depend on seed, scenario and block, not on the group."""
    return run(design, world, group.blocks(world.truth))


def _rule_trials(design: RuleBased, world: World, blocks: Blocks) -> Outcomes:
    memory: Memory = {}
    trials = [_trial(design, world, memory, rng) for rng, size in blocks for _ in range(size)]
    return Outcomes(
        n=np.array([facts.n for facts, _, _ in trials]),
        y=np.array([facts.y for facts, _, _ in trials]),
        mtd=np.array([verdict.mtd or 0 for _, verdict, _ in trials]),
        status=tuple(verdict.status for _, verdict, _ in trials),
        capped=np.array([verdict.trace[-1] == "K1" for _, verdict, _ in trials]),
        left=np.array([design.left_titration(facts) for facts, _, _ in trials]),
        lost=np.array([lost for _, _, lost in trials]),
    )


def _trial(design: RuleBased, world: World, memory: Memory, rng: np.random.Generator) -> Trial:
    """Run one trial, one participant after another; the same decisions are remembered."""
    facts = design.initial()
    lost = [0] * len(facts.n)
    while True:
        verdict = memory.get(facts)
        if verdict is None:
            verdict = memory.setdefault(facts, design.verdict(facts))
        if verdict.action != "ENROL" or verdict.level is None:
            return facts, verdict, tuple(lost)
        facts = facts._replace(current=verdict.level, highest=max(facts.highest, verdict.level))
        for draw, stay in rng.random((verdict.k, 2)):
            dlt, trigger = world.event(verdict.level - 1, draw)
            if not dlt and stay < world.p_lost:
                lost[verdict.level - 1] += 1
                ends = trigger and verdict.titration and world.lost_triggers
                facts = facts._replace(unevaluable=facts.unevaluable + 1, triggers=facts.triggers + ends)
            else:
                facts = _observed(facts, verdict, dlt=dlt, trigger=trigger)


def _observed(facts: Facts, verdict: Verdict, *, dlt: bool, trigger: bool) -> Facts:
    """Add an evaluable participant."""
    place = (verdict.level or 1) - 1
    facts = facts._replace(n=_one_more(facts.n, place), y=_one_more(facts.y, place, dlt))
    if dlt or not verdict.titration:
        return facts
    return facts._replace(
        quiet=_one_more(facts.quiet, place, not trigger),
        triggered=_one_more(facts.triggered, place, trigger),
        triggers=facts.triggers + trigger,
    )


def _one_more(counts: Counts, place: int, really: bool = True) -> Counts:
    return (*counts[:place], counts[place] + 1, *counts[place + 1 :]) if really else counts


def _cohort_trials(design: FixedCohorts, world: World, blocks: Blocks) -> Outcomes:
    cohorts, size, top = design.n_max // design.cohort_size, design.cohort_size, len(design.ladder())
    draws = [rng.random((1 + (world.p_lost > 0), cohorts, size, trials)) for rng, trials in blocks]
    events_of = np.concatenate([part[0] for part in draws], axis=-1)
    stays_of = np.concatenate([part[-1] for part in draws], axis=-1) if world.p_lost else events_of
    trials = events_of.shape[-1]
    n, y, lost, mtd = (np.zeros((trials, width), dtype=np.int64) for width in (top, top, top, 1))
    hits = np.array([design.is_hot(size, q) for q in range(size + 1)])
    running, level = np.arange(trials), np.full(trials, design.start_level)
    for cohort in range(cohorts):
        p, place = world.truth.p_dlt[level - 1], (running, level - 1)
        events = _below(events_of[cohort], running, p / (1 - world.p_lost * (1 - p)))
        n[place] += size
        y[place] += events
        if world.p_lost:
            lost[place] += _replaced(stays_of[cohort][:, running], world.p_lost * (1 - p))
        batch = Batch(n.take(running, axis=0), y.take(running, axis=0), level, hits[events])
        level = design.step(batch)
        ended = np.flatnonzero(level <= 0)
        if ended.size:
            chosen = design.choose(batch.n[ended], batch.y[ended])
            mtd[running[ended], 0] = np.where(level[ended] == STOP_NONE, 0, chosen)
            running, level = running[level > 0], level[level > 0]
    flags = np.zeros(trials, dtype=bool)
    return Outcomes(n, y, mtd[:, 0], final_statuses(mtd[:, 0]), flags, flags, lost)


def _below(
    draws: NDArray[np.float64], trials: NDArray[np.int64], p: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count the draws of every running trial that lie below its rate; shape (participants, trials)."""
    found = np.zeros(p.size, dtype=np.int64)
    for row in draws:
        found += row[trials] < p
    return found


def _replaced(draws: NDArray[np.float64], p_lost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many participants are lost and replaced before a cohort is full."""
    with np.errstate(divide="ignore"):
        lost = np.floor(np.log1p(-draws) / np.log(p_lost))
    found: NDArray[np.int64] = lost.sum(axis=0).astype(np.int64)
    return found
