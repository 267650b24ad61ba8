"""The titrated 3+3 rule as an ordered table of small rules.

A walk starts in the phase ``start``. In every phase the rules are asked in order; the first that applies names its id and
either sends the walk on (another phase, another level) or ends it in an action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from interim.design.decision import MtdStatus, Verdict
from interim.design.facts import Counts, Facts
from interim.design.options import RuleOptions

COHORT, EXPANDED = 3, 6


class Step(NamedTuple):
    """What a rule answers.

    Attributes
    ----------
    ids : tuple of str
        Rule ids that enter the trace.
    then : str
        Next phase, or the action that ends the walk: fill, wait, none, stop.
    level : int
        Level that the walk looks at from now on.
    fill_to : int
        Number of evaluable participants wanted at that level.
    """

    ids: tuple[str, ...]
    then: str
    level: int
    fill_to: int = 0


@dataclass
class View:
    """A state as the rules see it.

    Attributes
    ----------
    rule : RuleOptions
        The options.
    facts : Facts
        The counts.
    """

    rule: RuleOptions
    facts: Facts

    @cached_property
    def n(self) -> Counts:
        """Evaluable participants that count in the 3+3 rules."""
        facts = self.facts
        if self.rule.titration.count_participant:
            return facts.n
        rows = zip(facts.n, facts.quiet, facts.triggered, strict=True)
        return tuple(n - quiet - triggered for n, quiet, triggered in rows)

    @cached_property
    def top(self) -> int:
        """Highest level."""
        return len(self.facts.n)

    @cached_property
    def excluded_from(self) -> int:
        """Lowest excluded level, one above the top if none is."""
        found = next((j for j in range(1, self.top + 1) if self.excluded(j)), self.top + 1)
        return min(found, self.facts.excluded_from or found)

    @cached_property
    def titrating(self) -> bool:
        """True while one participant per level is treated."""
        facts, titration = self.facts, self.rule.titration
        if facts.left or max(facts.highest, self.rule.start_level) > titration.last_level:
            return False
        return not any(facts.y) and facts.triggers < titration.n_events

    @cached_property
    def untested(self) -> int:
        """Lowest titration level without an evaluable participant, 0 if there is none."""
        last = self.rule.titration.last_level
        return next((j for j in range(self.rule.start_level, last + 1) if not self.facts.n[j - 1]), 0)

    def excluded(self, level: int) -> bool:
        """Tell whether a level is excluded.

        Parameters
        ----------
        level : int
            Dose level.

        Returns
        -------
        bool
            Two DLT in up to six, beyond that a rate above the limit.

        Raises
        ------
        None
        """
        n, y = self.n[level - 1], self.facts.y[level - 1]
        if n <= EXPANDED:
            return y > 1
        limit = self.rule.conduct.overrun_max_rate
        return y * limit.denominator > n * limit.numerator

    def cleared(self, level: int) -> bool:
        """Tell whether a level is cleared.

        Parameters
        ----------
        level : int
            Dose level.

        Returns
        -------
        bool
            None of three with a DLT, or six or more and not excluded.

        Raises
        ------
        None
        """
        n, y = self.n[level - 1], self.facts.y[level - 1]
        return (n == COHORT and y == 0) or (n >= EXPANDED and not self.excluded(level))

    def awaited(self, level: int) -> bool:
        """Tell whether an outcome is open at a level or below.

        Parameters
        ----------
        level : int
            Dose level.

        Returns
        -------
        bool
            True if somebody is pending there.

        Raises
        ------
        None
        """
        return any(self.facts.pending[:level])

    def id_of(self, level: int, ids: tuple[str, str, str]) -> str:
        """Return the rule id that fits the number of participants at a level.

        Parameters
        ----------
        level : int
            Dose level.
        ids : tuple of str
            For up to 3, up to 6 and more participants.

        Returns
        -------
        str
            One of them.

        Raises
        ------
        None
        """
        n = self.n[level - 1]
        return ids[0] if n <= COHORT else ids[1] if n <= EXPANDED else ids[2]


Rule = Callable[[View, int], Step | None]


def _recorded_stop(view: View, level: int) -> Step | None:
    """X1: a stop was recorded."""
    return Step(("X1",), "halt", level) if view.facts.stopped else None


def _titrate(view: View, level: int) -> Step | None:
    """T0, T1: a titration level has no evaluable participant yet."""
    if not view.titrating or not view.untested:
        return None
    wanted = view.untested
    if any(view.facts.pending):
        return Step(("T0",), "wait", wanted)
    first = wanted <= view.facts.current or not view.facts.current
    return Step(("T0" if first else "T1",), "fill", wanted, 1)


def _titration_done(view: View, level: int) -> Step | None:
    """T2, T3: every titration level has its participant without a trigger."""
    if not view.titrating:
        return None
    last = view.rule.titration.last_level
    return Step(("T2",), "late", last + 1) if last < view.top else Step(("T3",), "late", view.top)


def _go_on(view: View, level: int) -> Step | None:
    """Look at the level of the last assignment."""
    return Step((), "late", level)


def _late_dlt(view: View, level: int) -> Step | None:
    """L1: a DLT at a lower level that is not cleared."""
    below = range(1, min(level, view.excluded_from))
    found = next((j for j in below if view.facts.y[j - 1] and not view.cleared(j)), 0)
    if found and view.rule.conduct.late_dlt == "return":
        return Step(("L1",), "level", found)
    return Step((), "level", level)


def _go_down(view: View, level: int) -> Step | None:
    """C2c, C4b, C5: the level is excluded, or lies above an excluded one."""
    lowest = view.excluded_from
    if level < lowest:
        return None
    return Step((view.id_of(lowest, ("C2c", "C4b", "C5")),), "down", lowest - 1)


def _first_three(view: View, level: int) -> Step | None:
    """C1: fewer than three evaluable participants."""
    if view.n[level - 1] >= COHORT:
        return None
    down = level == view.excluded_from - 1 < view.top
    direct = down and view.rule.mtd.down_fill == "direct_six"
    return Step(("C1",), "fill", level, EXPANDED if direct else COHORT)


def _one_in_three(view: View, level: int) -> Step | None:
    """C2b: one DLT in three."""
    hit = view.n[level - 1] == COHORT and view.facts.y[level - 1] == 1
    return Step(("C2b",), "fill", level, EXPANDED) if hit else None


def _between(view: View, level: int) -> Step | None:
    """C3: four or five evaluable participants."""
    if not COHORT < view.n[level - 1] < EXPANDED:
        return None
    lenient = view.rule.conduct.between_3_and_6 == "escalate_if_zero" and not view.facts.y[level - 1]
    if lenient and level + 1 < view.excluded_from and level < view.top:
        return _up(view, level, "C3")
    return Step(("C3",), "fill", level, EXPANDED)


def _go_up(view: View, level: int) -> Step | None:
    """C2a, C4a, C5: the level is cleared and the next one is open."""
    if level + 1 >= view.excluded_from or level >= view.top:
        return None
    return _up(view, level, view.id_of(level, ("C2a", "C4a", "C5")))


def _settle(view: View, level: int) -> Step | None:
    """U2, U3: the level is cleared and nothing higher is open."""
    mtd = view.rule.mtd
    need = mtd.min_n if mtd.expand_top or view.excluded_from <= view.top else COHORT
    enough = view.n[level - 1] >= need
    rule = "U3" if enough else "U2"
    if view.awaited(level):
        return Step((rule, "H1"), "wait", level, 0 if enough else need)
    return Step((rule,), "stop", level) if enough else Step((rule,), "fill", level, need)


def _below_lowest(view: View, level: int) -> Step | None:
    """D1: nothing is left below."""
    return Step(("D1",), "none", 0) if level == 0 else None


def _accept(view: View, level: int) -> Step | None:
    """D2, D3: the lower level is cleared and holds enough participants."""
    mtd = view.rule.mtd
    enough = not mtd.deescalate or view.n[level - 1] >= mtd.min_n
    if not view.cleared(level) or not enough:
        return None
    rule = "D3" if mtd.deescalate else "D2"
    return Step((rule, "H1"), "wait", level) if view.awaited(level) else Step((rule,), "stop", level)


def _refill(view: View, level: int) -> Step | None:
    """D4, D5: the lower level needs more participants."""
    if view.n[level - 1] >= COHORT:
        return Step(("D5",), "fill", level, EXPANDED)
    direct = view.rule.mtd.down_fill == "direct_six"
    return Step(("D4",), "fill", level, EXPANDED if direct else COHORT)


def _up(view: View, level: int, rule: str) -> Step:
    return Step((rule, "H1"), "wait", level) if view.awaited(level) else Step((rule,), "climb", level + 1)


ORDER: Mapping[str, tuple[Rule, ...]] = {
    "start": (_recorded_stop, _titrate, _titration_done, _go_on),
    "late": (_late_dlt,),
    "level": (_go_down, _first_three, _one_in_three, _between, _go_up, _settle),
    "climb": (_first_three, _one_in_three, _between, _go_up, _settle),
    "down": (_below_lowest, _accept, _refill),
}
"""The rules of every phase, in the order in which they are asked; the last of each phase always applies."""


def walk(view: View) -> Verdict:
    """Walk the rules from the start to an action.

    Parameters
    ----------
    view : View
        The state.

    Returns
    -------
    Verdict
        Exactly one action.

    Raises
    ------
    None
    """
    phase, level = "start", view.facts.current or view.rule.start_level
    trace: tuple[str, ...] = ()
    while phase in ORDER:
        step = next(found for rule in ORDER[phase] if (found := rule(view, level)) is not None)
        phase, level, trace = step.then, step.level, trace + step.ids
    return _ENDS[phase](view, step, trace)


def _fill(view: View, step: Step, trace: tuple[str, ...]) -> Verdict:
    facts, place = view.facts, step.level - 1
    alone = step.fill_to == 1
    here = facts.n[place] if alone else view.n[place]
    k = step.fill_to - here - facts.pending[place] - facts.lost[place]
    if k <= 0:
        short = not facts.pending[place]
        return Verdict("WAIT", step.level, 0, (*trace, "H1"), step.fill_to, step.level, short=short)
    room = _room(view)
    if k > room:
        if not (view.rule.cap.partial and room > 0):
            return _capped(view, step, (*trace, "K1"))
        k = room
    return Verdict("ENROL", step.level, k, trace, step.fill_to, step.level, titration=alone)


def _room(view: View) -> int:
    """Return how many participants the cap still allows."""
    facts, cap = view.facts, view.rule.cap
    if cap.n_max is None:
        return EXPANDED
    extra = facts.unevaluable if cap.counts == "treated" else 0
    return cap.n_max - sum(facts.n) - sum(facts.pending) - extra


def _capped(view: View, step: Step, trace: tuple[str, ...]) -> Verdict:
    if any(view.facts.pending):
        return Verdict("WAIT", step.level, 0, trace, step.fill_to, step.level)
    enough = view.rule.mtd.min_n
    open_levels = range(view.excluded_from - 1, 0, -1)
    mtd = next((j for j in open_levels if view.cleared(j) and view.n[j - 1] >= enough), None)
    if mtd is None or view.rule.cap.mtd_rule == "none":
        return Verdict("STOP", None, 0, trace, step.fill_to, step.level, None, "not_established_cap")
    return Verdict("STOP", mtd, 0, trace, step.fill_to, step.level, mtd, "at_cap")


def _wait(view: View, step: Step, trace: tuple[str, ...]) -> Verdict:
    return Verdict("WAIT", step.level, 0, trace, step.fill_to, step.level)


def _none(view: View, step: Step, trace: tuple[str, ...]) -> Verdict:
    return Verdict("STOP", None, 0, trace, status="below_lowest")


def _stop(view: View, step: Step, trace: tuple[str, ...]) -> Verdict:
    level = step.level
    bounded = level < view.top or view.excluded_from <= view.top
    status: MtdStatus = "established" if bounded else "not_reached"
    return Verdict("STOP", level, 0, trace, step.fill_to, level, level, status)


def _halt(view: View, step: Step, trace: tuple[str, ...]) -> Verdict:
    return Verdict("STOP", None, 0, trace, status="not_established_stop")


_ENDS: Mapping[str, Callable[[View, Step, tuple[str, ...]], Verdict]] = {
    "fill": _fill,
    "wait": _wait,
    "none": _none,
    "stop": _stop,
    "halt": _halt,
}
