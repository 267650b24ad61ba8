"""Exact operating characteristics: merged states, compiled once, one product per scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interim.design.characteristics import Characteristics, Floats, Outcomes, Scenario, scenario
from interim.design.decision import Verdict
from interim.design.facts import Counts, Facts
from interim.design.history import History
from interim.design.states import distinct_rows
from interim.errors import DesignError

MAX_STATES = 2_000_000
Paths = tuple[int, int]
Key = TypeVar("Key")


@runtime_checkable
class RuleBased(Protocol):
    """A design whose next action depends on the counts alone."""

    @property
    def levels(self) -> tuple[float, ...]:
        """Planned doses."""
        ...

    def initial(self) -> Facts:
        """Return the state before the first participant.

        Returns
        -------
        Facts
            All counts zero.

        Raises
        ------
        None
        """
        ...

    def __hash__(self) -> int: ...

    def facts(self, history: History) -> Facts:
        """Count a history as the design sees it.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Facts
            The state.

        Raises
        ------
        DesignError
            If the history does not belong to the design.
        """
        ...

    def left_titration(self, facts: Facts) -> bool:
        """Tell whether a trigger ended titration in a final state.

        Parameters
        ----------
        facts : Facts
            The state.

        Returns
        -------
        bool
            True if a titration participant had a DLT or the last trigger needed.

        Raises
        ------
        None
        """
        ...

    def verdict(self, facts: Facts) -> Verdict:
        """Decide on counts.

        Parameters
        ----------
        facts : Facts
            The state.

        Returns
        -------
        Verdict
            Exactly one action.

        Raises
        ------
        None
        """
        ...


@dataclass(frozen=True, eq=False)
class CompiledDesign:
    """All final states of a design with the number of paths that lead to each.

    Attributes
    ----------
    outcomes : Outcomes
        The final states.
    paths : ndarray of float, shape (states,)
        Number of orders of outcomes that lead to the state.
    quiet, triggered : ndarray of int, shape (states, levels)
        Titration participants without DLT: without any event, with a trigger.
    start : Facts or None
        State from which the paths were followed; None for the first participant.
    n_states, n_terminal_paths : int
        Merged states visited, and paths of the unmerged tree.
    """

    outcomes: Outcomes
    paths: Floats
    quiet: NDArray[np.int64]
    triggered: NDArray[np.int64]
    start: Facts | None = None
    n_states: int = 0
    n_terminal_paths: int = 0

    @cached_property
    def _cells(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Distinct (n, y, quiet, triggered) per level since the start, and the cell of every state."""
        cells = []
        for place in range(self.outcomes.n.shape[1]):
            parts = (self.outcomes.n, self.outcomes.y, self.quiet, self.triggered)
            rows = np.stack([part[:, place] for part in parts], axis=1)
            if self.start is not None:
                rows = rows - _origin(self.start, place)
            first, where = distinct_rows(rows)
            cells.append((rows[first], where))
        return cells

    def weights(self, truth: Scenario) -> Floats:
        """Return the probability of every final state.

        Parameters
        ----------
        truth : Scenario
            True rates.

        Returns
        -------
        ndarray of float, shape (states,)
            They sum to 1.

        Raises
        ------
        None
        """
        weights = self.paths.copy()
        for (distinct, where), p, q in zip(self._cells, truth.p_dlt, truth.p_trigger_only, strict=True):
            n, y, quiet, triggered = distinct.T
            rest = n - y - quiet - triggered
            chance = p**y * (1 - p) ** rest * q**triggered * max(1 - p - q, 0.0) ** quiet
            weights *= chance[where]
        return weights

    def evaluate(
        self, p_dlt: ArrayLike, p_trigger_only: ArrayLike | None = None, *, tox_limit: float = 1 / 3
    ) -> Characteristics:
        """Return the characteristics under one scenario.

        Parameters
        ----------
        p_dlt : array_like of float, shape (levels,)
            Probability of a DLT per level.
        p_trigger_only : array_like of float, shape (levels,), optional
            Probability of a trigger that is no DLT.
        tox_limit : float
            DLT rate above which a level is too toxic.

        Returns
        -------
        Characteristics
            Exact, without Monte Carlo error.

        Raises
        ------
        DesignError
            If the scenario cannot be used.
        """
        truth = scenario(p_dlt, p_trigger_only, levels=self.outcomes.n.shape[1])
        return self.outcomes.summarise(self.weights(truth), truth, tox_limit=tox_limit)


def compile_rule(
    design: RuleBased, *, start: Facts | None = None, max_states: int = MAX_STATES
) -> CompiledDesign:
    """Follow every path of a rule-based design, merging equal states.

    Parameters
    ----------
    design : RuleBased
        The design.
    start : Facts, optional
        Present state; open outcomes are completed first. The first participant if absent.
    max_states : int
        Largest number of merged states.

    Returns
    -------
    CompiledDesign
        The final states.

    Raises
    ------
    DesignError
        If there are more states than permitted, or the design waits although nobody is pending.
    """
    layer = _opened(design, start if start is not None else design.initial())
    ended: dict[tuple[Facts, Verdict], Paths] = {}
    visited = 0
    while layer:
        following: dict[Facts, Paths] = {}
        visited += len(layer)
        if visited > max_states:
            raise DesignError(f"more than {max_states} states; simulate instead, or lower the cap")
        for facts, (coefficient, count) in layer.items():
            verdict = design.verdict(facts)
            if verdict.action == "STOP":
                _add(
                    ended,
                    (facts, verdict._replace(trace=verdict.trace[-1:], target=None)),
                    coefficient,
                    count,
                )
                continue
            for child, ways, _ in children(facts, verdict):
                _add(following, child, coefficient * ways, count)
        layer = following
    return _compiled(design, ended, start, visited)


def children(facts: Facts, verdict: Verdict) -> Iterator[tuple[Facts, int, str]]:
    """Yield the states that can follow an enrolment.

    Parameters
    ----------
    facts : Facts
        Present state.
    verdict : Verdict
        The enrolment.

    Yields
    ------
    tuple of (Facts, int, str)
        Next state, number of orders of outcomes that lead to it, and the outcomes in short notation.

    Raises
    ------
    DesignError
        If the verdict is to wait.
    """
    if verdict.action != "ENROL" or verdict.level is None:
        raise DesignError(f"the design waits although nobody is pending (rules {'>'.join(verdict.trace)})")
    level, k = verdict.level, verdict.k
    n = _plus(facts.n, level, k)
    base = facts._replace(n=n, current=level, highest=max(facts.highest, level))
    if verdict.titration:
        yield base._replace(quiet=_plus(facts.quiet, level, 1)), 1, "N"
        more = _plus(facts.triggered, level, 1)
        yield base._replace(triggered=more, triggers=facts.triggers + 1), 1, "G"
        yield base._replace(y=_plus(facts.y, level, 1)), 1, "T"
        return
    for q in range(k + 1):
        yield base._replace(y=_plus(facts.y, level, q)), comb(k, q), "N" * (k - q) + "T" * q


def _plus(counts: Counts, level: int, more: int) -> Counts:
    return (*counts[: level - 1], counts[level - 1] + more, *counts[level:]) if more else counts


def _add(table: dict[Key, Paths], key: Key, ways: int, count: int) -> None:
    """Add paths that lead to a state: the number of orders of outcomes, and of paths of the unmerged tree."""
    known = table.get(key, (0, 0))
    table[key] = (known[0] + ways, known[1] + count)


def _opened(design: RuleBased, facts: Facts) -> dict[Facts, Paths]:
    """Complete the open outcomes of a state; a participant of titration can end in a trigger."""
    cleared = facts._replace(pending=(0,) * len(facts.pending))
    if not any(facts.pending):
        return {cleared: (1, 1)}
    verdict = design.verdict(cleared)
    place = (verdict.level or 1) - 1
    if verdict.titration and facts.pending[place]:
        waiting = (*facts.pending[:place], facts.pending[place] - 1, *facts.pending[place + 1 :])
        found: dict[Facts, Paths] = {}
        for child, _, _ in children(cleared, verdict):
            kept = child._replace(pending=waiting, current=facts.current)
            for state, (ways, count) in _opened(design, kept).items():
                _add(found, state, ways, count)
        return found
    layer: dict[Facts, Paths] = {}
    ranges = [range(k + 1) for k in facts.pending]
    for dlts in product(*ranges):
        n = tuple(a + b for a, b in zip(facts.n, facts.pending, strict=True))
        y = tuple(a + b for a, b in zip(facts.y, dlts, strict=True))
        ways = 1
        for k, q in zip(facts.pending, dlts, strict=True):
            ways *= comb(k, q)
        _add(layer, cleared._replace(n=n, y=y), ways, 1)
    return layer


def _origin(start: Facts, place: int) -> NDArray[np.int64]:
    parts = (start.n, start.y, start.quiet, start.triggered)
    return np.array([part[place] for part in parts], dtype=np.int64)


def _compiled(
    design: RuleBased, ended: dict[tuple[Facts, Verdict], Paths], start: Facts | None, visited: int
) -> CompiledDesign:
    facts = [key[0] for key in ended]
    verdicts = [key[1] for key in ended]
    triggered = np.array([item.triggered for item in facts], dtype=np.int64)
    outcomes = Outcomes(
        n=np.array([item.n for item in facts], dtype=np.int64),
        y=np.array([item.y for item in facts], dtype=np.int64),
        mtd=np.array([verdict.mtd or 0 for verdict in verdicts], dtype=np.int64),
        status=tuple(verdict.status for verdict in verdicts),
        capped=np.array([verdict.trace[-1] == "K1" for verdict in verdicts]),
        left=np.array([design.left_titration(item) for item in facts]),
    )
    return CompiledDesign(
        outcomes=outcomes,
        paths=np.array([cell[0] for cell in ended.values()], dtype=float),
        quiet=np.array([item.quiet for item in facts], dtype=np.int64),
        triggered=triggered,
        start=start,
        n_states=visited,
        n_terminal_paths=sum(cell[1] for cell in ended.values()),
    )
