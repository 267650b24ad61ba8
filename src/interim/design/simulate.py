"""Simulated trials, where exactness is impossible: participants who are replaced, and a check of the exact numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interim.design.characteristics import Characteristics, Outcomes, Scenario, scenario
from interim.design.decision import Verdict
from interim.design.exact import RuleBased
from interim.design.facts import Counts, Facts
from interim.design.fixed import STOP_NONE, Batch, FixedCohorts
from interim.errors import DesignError
from interim.parallel import Name, map_seeded

BLOCK = 1024
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


def simulate(
    design: RuleBased | FixedCohorts,
    p_dlt: ArrayLike,
    p_trigger_only: ArrayLike | None = None,
    *,
    n: int,
    seed: int | None,
    p_lost: float = 0.0,
    executor: Name = "serial",
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
        Seed of all streams; the stream of a block depends on the seed and its place only, so that scenarios share streams
        and any number of workers gives the same numbers.
    p_lost : float
        Probability that a participant without DLT is not evaluable and replaced, 0 to below 1.
    executor : {"serial", "processes"}
        Where the blocks run.

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
    sizes = [min(BLOCK, n - start) for start in range(0, n, BLOCK)]
    if isinstance(design, FixedCohorts):
        task = partial(_cohort_block, design, World(truth, p_lost))
    else:
        titration = getattr(design, "titration", None)
        counted = bool(getattr(titration, "from_not_evaluable", False))
        task = partial(_rule_block, design, World(truth, p_lost, counted))
    blocks = map_seeded(task, sizes, seed=seed, executor=executor)
    outcomes = _joined(blocks)
    return outcomes.summarise(np.full(n, 1 / n), truth, trials=n)


def _size(design: RuleBased | FixedCohorts) -> int:
    return len(design.ladder() if isinstance(design, FixedCohorts) else design.levels)


def _joined(blocks: list[Outcomes]) -> Outcomes:
    first = blocks[0]
    rows = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in ("n", "y", "mtd", "capped", "left", "lost")
    }
    return replace(first, status=tuple(name for block in blocks for name in block.status), **rows)


def _rule_block(design: RuleBased, world: World, size: int, rng: np.random.Generator) -> Outcomes:
    memory: Memory = {}
    trials = [_trial(design, world, memory, rng) for _ in range(size)]
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


def _cohort_block(design: FixedCohorts, world: World, size: int, rng: np.random.Generator) -> Outcomes:
    top = len(design.ladder())
    n, y, lost = (np.zeros((size, top), dtype=np.int64) for _ in range(3))
    level = np.full(size, design.start_level)
    hot = np.zeros(size, dtype=bool)
    mtd, running = np.zeros(size, dtype=np.int64), np.arange(size)
    hits = np.array([design.is_hot(design.cohort_size, q) for q in range(design.cohort_size + 1)])
    while running.size:
        place = level[running] - 1
        events, gone = _cohort(world.truth.p_dlt[place], design.cohort_size, world.p_lost, rng)
        n[running, place] += design.cohort_size
        y[running, place] += events
        lost[running, place] += gone
        hot[running] = hits[events]
        batch = Batch(n[running], y[running], level[running], hot[running])
        following = design.step(batch)
        ended = following <= 0
        chosen = design.choose(batch.n[ended], batch.y[ended]) if ended.any() else mtd[:0]
        mtd[running[ended]] = np.where(following[ended] == STOP_NONE, 0, chosen)
        level[running] = following
        running = running[~ended]
    flags = np.zeros(size, dtype=bool)
    status = tuple(np.where(mtd > 0, "established", "below_lowest").tolist())
    return Outcomes(n, y, mtd, status, flags, flags, lost)


def _cohort(
    p: NDArray[np.float64], size: int, p_lost: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return DLT and replaced participants of one cohort per trial."""
    if not p_lost:
        return rng.binomial(size, p), np.zeros(p.size, dtype=np.int64)
    stays = 1 - p_lost * (1 - p)
    return rng.binomial(size, p / stays), rng.negative_binomial(size, stays)
