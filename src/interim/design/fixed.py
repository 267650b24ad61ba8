"""Designs with cohorts of a fixed size: what they share, from one batch of states to the decision on one history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interim.design.decision import Decision, MtdStatus, Selection, Verdict
from interim.design.elimination import Integers
from interim.design.facts import Facts, facts_of
from interim.design.history import History
from interim.design.options import Titration
from interim.design.possible import refuse_impossible
from interim.design.wording import passed, reason, warning
from interim.errors import DesignError

STOP_NONE, ENOUGH = 0, -1
_FINAL: tuple[MtdStatus, MtdStatus] = ("below_lowest", "established")


def final_statuses(mtd: Integers) -> tuple[MtdStatus, ...]:
    """Return the status of every final state of a design with fixed cohorts.

    Parameters
    ----------
    mtd : ndarray of int, shape (states,)
        Selected level, 0 for no dose.

    Returns
    -------
    tuple of str
        below_lowest or established.

    Raises
    ------
    None

    Examples
    --------
    >>> final_statuses(np.array([0, 2]))
    ('below_lowest', 'established')
    """
    return tuple(map(_FINAL.__getitem__, (mtd > 0).tolist()))


class Batch(NamedTuple):
    """Many states after a complete cohort; row s of every array is one state.

    Attributes
    ----------
    n, y : ndarray of int, shape (states, levels)
        Participants and DLT.
    current : ndarray of int, shape (states,)
        Level of the last cohort, 1-based.
    hot : ndarray of bool, shape (states,)
        True where the rate of the last cohort reached the target.
    """

    n: Integers
    y: Integers
    current: Integers
    hot: NDArray[np.bool_]

    def take(self, rows: NDArray[Any]) -> Batch:
        """Return some of the states.

        Parameters
        ----------
        rows : ndarray of bool or int
            Which ones.

        Returns
        -------
        Batch
            Those states.

        Raises
        ------
        None
        """
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        n, y = self.n.take(places, axis=0), self.y.take(places, axis=0)
        return Batch(n, y, self.current[places], self.hot[places])


@dataclass(frozen=True)
class FixedCohorts(ABC):
    """A design that treats cohorts of one size up to a fixed number of participants.

    Attributes
    ----------
    cohort_size : int
        Participants per cohort.
    n_max : int
        Participants in all.
    start_level : int
        First level.
    stop_at : int or None
        Participants at a level after which the design stops instead of staying there; None for no early stop.
    """

    _: KW_ONLY
    cohort_size: int = 3
    n_max: int = 30
    start_level: int = 1
    stop_at: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        top = len(self.ladder())
        if not 1 <= self.start_level <= top:
            raise DesignError(f"start_level must be 1..{top}, found {self.start_level}")
        if not 1 <= self.cohort_size <= self.n_max:
            raise DesignError(f"cohort_size must be 1..n_max ({self.n_max}), found {self.cohort_size}")

    @abstractmethod
    def ladder(self) -> tuple[float, ...]:
        """Return the planned doses.

        Returns
        -------
        tuple of float
            Increasing.

        Raises
        ------
        DesignError
            If they do not increase.
        """

    @abstractmethod
    def propose(self, batch: Batch) -> Integers:
        """Return the next level of every state.

        Parameters
        ----------
        batch : Batch
            States after a complete cohort.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level, 0 where no level is acceptable.

        Raises
        ------
        None
        """

    @abstractmethod
    def choose(self, n: Integers, y: Integers) -> Integers:
        """Return the selected level of every state.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level, 0 for no dose.

        Raises
        ------
        None
        """

    @abstractmethod
    def estimates(self, n: Integers, y: Integers) -> NDArray[np.float64]:
        """Return the estimated DLT rates of every state.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of float, shape (states, levels)
            NaN where there is no estimate.

        Raises
        ------
        None
        """

    @abstractmethod
    def excluded(self, n: Integers, y: Integers) -> Integers:
        """Return the lowest level that must not be used.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based; above the highest level where there is none.

        Raises
        ------
        None
        """

    def is_hot(self, cohort: int, events: int) -> bool:
        """Tell whether the rate of a cohort reached the target.

        Parameters
        ----------
        cohort, events : int
            Participants and DLT.

        Returns
        -------
        bool
            False for designs that do not look at the last cohort.

        Raises
        ------
        None
        """
        return False

    def step(self, batch: Batch) -> Integers:
        """Return the next level of every state, with the reasons to stop.

        Parameters
        ----------
        batch : Batch
            States after a complete cohort.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level; 0 stops without a dose, -1 stops with the selected dose.

        Raises
        ------
        None
        """
        level = self.propose(batch)
        full = sum(batch.n.T) + self.cohort_size > self.n_max
        if self.stop_at is not None:
            here = np.take_along_axis(batch.n, batch.current[:, None] - 1, axis=1)[:, 0]
            full = full | ((level == batch.current) & (here >= self.stop_at))
        return np.where(full & (level != STOP_NONE), ENOUGH, level)

    def facts(self, history: History) -> Facts:
        """Count a history.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Facts
            Counts without titration.

        Raises
        ------
        DesignError
            If the history has another number of levels.
        """
        if history.levels != len(self.ladder()):
            raise DesignError(f"the design has {len(self.ladder())} levels, the history {history.levels}")
        may_skip = not getattr(self, "no_skipping", True)
        refuse_impossible(history, start_level=self.start_level, may_skip=may_skip)
        return facts_of(history, titration=Titration(0))

    def verdict(self, facts: Facts, *, hot: bool = False) -> Verdict:
        """Decide on counts.

        Parameters
        ----------
        facts : Facts
            The state.
        hot : bool
            True if the rate of the last cohort reached the target.

        Returns
        -------
        Verdict
            Exactly one action.

        Raises
        ------
        None
        """
        if facts.stopped:
            return Verdict("STOP", None, 0, ("X1",), status="not_established_stop")
        if not facts.current:
            return Verdict("ENROL", self.start_level, self.cohort_size, ("S",), 0, self.start_level)
        batch = self._batch(facts, hot)
        lowest = int(self.excluded(batch.n, batch.y)[0])
        open_slots = -(facts.n[facts.current - 1] + facts.pending[facts.current - 1]) % self.cohort_size
        if open_slots and facts.current < lowest:
            return Verdict("ENROL", facts.current, open_slots, ("F",), 0, facts.current)
        level = int(self.step(batch)[0])
        if any(facts.pending) and level != STOP_NONE:
            return Verdict("WAIT", facts.current, 0, ("P",), 0, facts.current)
        if level > 0:
            return Verdict("ENROL", level, self.cohort_size, (self.letter(facts, level, lowest),), 0, level)
        return self._stopped(batch, facts, level)

    def letter(self, facts: Facts, level: int, lowest: int) -> str:
        """Return the rule id of a move.

        Parameters
        ----------
        facts : Facts
            The state.
        level, lowest : int
            Next level, lowest eliminated level.

        Returns
        -------
        str
            E, S, D or DU.

        Raises
        ------
        None
        """
        if level < facts.current:
            return "DU" if facts.current >= lowest else "D"
        return "E" if level > facts.current else "S"

    def _batch(self, facts: Facts, hot: bool) -> Batch:
        n, y = np.array([facts.n], dtype=np.int64), np.array([facts.y], dtype=np.int64)
        return Batch(n, y, np.array([facts.current]), np.array([hot]))

    def _stopped(self, batch: Batch, facts: Facts, level: int) -> Verdict:
        if level == STOP_NONE:
            return Verdict("STOP", None, 0, ("Z",), status="below_lowest")
        mtd = int(self.choose(batch.n, batch.y)[0]) or None
        planned = sum(facts.n) + self.cohort_size > self.n_max
        status: MtdStatus = "established" if mtd else "below_lowest"
        return Verdict("STOP", mtd, 0, ("N" if planned else "R",), 0, mtd, mtd, status)

    def decide(self, history: History) -> Decision:
        """Return the next step.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Decision
            Exactly one recommendation, with its reason.

        Raises
        ------
        DesignError
            If the history has another number of levels.
        """
        facts = self.facts(history)
        verdict = self.verdict(facts, hot=self.is_hot(*self.last_cohort(history)))
        batch = self._batch(facts, False)
        top = len(self.ladder())
        lowest = int(self.excluded(batch.n, batch.y)[0])
        waiting = tuple(subject.id for subject in history.subjects if subject.status == "pending")
        followed = verdict.action == "ENROL" and bool(waiting)
        said = passed(verdict, levels=self.ladder(), facts=facts, excluded_from=lowest)
        return Decision(
            action=verdict.action,
            level=verdict.level,
            n_to_enrol=verdict.k,
            fill_to=verdict.fill_to,
            target_level=verdict.target,
            rule_id=">".join(verdict.trace),
            reason=reason(verdict, said, levels=self.ladder(), facts=facts, excluded_from=lowest),
            passed=said,
            admissible=tuple(range(1, min(lowest - 1, max(facts.highest + 1, self.start_level)) + 1)),
            excluded_from=lowest if lowest <= top else None,
            pending=waiting,
            mtd=verdict.mtd,
            mtd_status=verdict.status,
            warnings=(warning("FOLLOWED", who=", ".join(waiting)),) if followed else (),
        )

    def last_cohort(self, history: History) -> tuple[int, int]:
        """Count the last cohort: the latest participants at the current level, as many as a cohort holds.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        tuple of int
            Evaluable participants, and those with a DLT.

        Raises
        ------
        None
        """
        if not history.subjects:
            return 0, 0
        level = history.subjects[-1].level
        here = [s.outcome for s in history.subjects if s.level == level and s.outcome != "X"]
        size = len(here) % self.cohort_size or self.cohort_size
        last = here[-size:]
        return len(last) - last.count("P"), last.count("T")

    def select(self, history: History) -> Selection:
        """Return the dose that the design selects on the data so far.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Selection
            Level and estimated rates.

        Raises
        ------
        DesignError
            If the history has another number of levels.
        """
        batch = self._batch(self.facts(history), False)
        mtd = int(self.choose(batch.n, batch.y)[0]) or None
        rates = self.estimates(batch.n, batch.y)[0]
        return Selection(mtd, tuple(float(r) for r in rates), "ongoing" if mtd else "below_lowest")
