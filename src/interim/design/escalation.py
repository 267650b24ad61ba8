"""Accelerated titration followed by 3+3, and plain 3+3: the rule as data, its decision and its choice of dose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from fractions import Fraction

import pandas as pd

from interim.design.decision import Decision, Selection, Verdict
from interim.design.facts import Facts, facts_of, no_facts
from interim.design.history import History
from interim.design.options import Cap, Conduct, MtdRule, Titration, checked_levels
from interim.design.possible import refuse_impossible
from interim.design.steps import EXPANDED, View, walk
from interim.design.tipping import what_would_change
from interim.design.wording import passed, reason, warning
from interim.errors import DesignError
from interim.study import Study
from interim.study.dosing import MTD_RULES


@dataclass(frozen=True)
class TitratedThreePlusThree:
    """Titration with one participant per level, then 3+3 from the level of the first trigger.

    Attributes
    ----------
    levels : tuple of float
        Planned doses, increasing.
    titration : Titration
        How long one participant per level is treated.
    mtd : MtdRule
        What the maximum tolerated dose needs.
    cap : Cap
        Largest number of participants.
    conduct : Conduct
        Late events, overruns, replacement.
    start_level : int
        First level.
    """

    levels: tuple[float, ...]
    _: KW_ONLY
    titration: Titration = field(default_factory=Titration)
    mtd: MtdRule = field(default_factory=MtdRule)
    cap: Cap = field(default_factory=Cap)
    conduct: Conduct = field(default_factory=Conduct)
    start_level: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        object.__setattr__(self, "levels", checked_levels(self.levels))
        top = len(self.levels)
        if not 1 <= self.start_level <= top or not 0 <= self.titration.last_level <= top:
            raise DesignError(
                f"start_level must be 1..{top} and last_level 0..{top}, found {self.start_level} and {self.titration.last_level}"
            )
        if not self.mtd.deescalate and self.titration.last_level:
            raise DesignError(
                f"mtd rule {self.mtd.name!r} without de-escalation needs last_level 0: an MTD could rest on one participant"
            )

    @classmethod
    def from_study(cls, study: Study) -> TitratedThreePlusThree:
        """Build the rule of a study.

        Parameters
        ----------
        study : Study
            Table ``dose``.

        Returns
        -------
        TitratedThreePlusThree
            With every option of the study.

        Raises
        ------
        DesignError
            If the options contradict each other.
        """
        dose = study.dose
        last = len(dose.levels) if dose.last_titration_level == "all" else dose.last_titration_level
        replacements = None if dose.max_replacements == "none" else dose.max_replacements
        return cls(
            dose.levels,
            titration=Titration(
                last,
                n_events=dose.trigger_n_events,
                count_participant=dose.count_titration_participant,
                from_not_evaluable=dose.trigger_from_not_evaluable,
            ),
            mtd=MtdRule(
                dose.mtd_rule,
                down_fill=dose.down_fill,
                parts=(dose.deescalate, dose.mtd_min_n, dose.expand_top),
            ),
            cap=Cap(
                None if dose.n_max == "none" else dose.n_max,
                counts=dose.n_max_counts,
                partial=dose.partial_cohort_at_cap,
                mtd_rule=dose.cap_mtd_rule,
            ),
            conduct=Conduct(
                late_dlt=dose.late_dlt_policy,
                overrun_max_rate=Fraction(dose.overrun_max_rate),
                between_3_and_6=dose.between_3_and_6,
                exclusion_lift=dose.exclusion_lift,
                max_replacements=replacements if dose.replace_not_evaluable else 0,
                stagger_days=dose.stagger_days,
            ),
            start_level=dose.start_level,
        )

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
        return no_facts(len(self.levels))

    def facts(self, history: History) -> Facts:
        """Count a history as this rule sees it.

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
            If the history has another number of levels, or is impossible.
        """
        if history.levels != len(self.levels):
            raise DesignError(f"the design has {len(self.levels)} levels, the history {history.levels}")
        most = EXPANDED + (not self.titration.count_participant)
        refuse_impossible(history, start_level=self.start_level, most=most)
        return facts_of(history, titration=self.titration, conduct=self.conduct, start_level=self.start_level)

    def verdict(self, facts: Facts) -> Verdict:
        """Decide on counts; deciding, enumerating and simulating use this one function.

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
        return walk(View(self, facts))

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
        levels = max(self.titration.last_level - self.start_level + 1, 0)
        passed = sum(facts.quiet) + sum(facts.triggered)
        return (passed < levels and any(facts.y)) or (
            levels > 0 and facts.triggers >= self.titration.n_events
        )

    def decide(self, history: History) -> Decision:
        """Return the next step.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Decision
            Exactly one recommendation, with its reason and with what would change it.

        Raises
        ------
        DesignError
            If the history has another number of levels, or is impossible.

        Examples
        --------
        >>> rule = TitratedThreePlusThree((1.5e7, 3e7, 5e7, 7e7))
        >>> rule.decide(History.parse("1N 2NNT", levels=4)).brief
        'ENROL 3 at 2'
        """
        present = self.recommend(history)
        return replace(present, would_change=what_would_change(self.recommend, history, present=present))

    def recommend(self, history: History) -> Decision:
        """Return the next step without asking what would change it: for those who ask for many histories.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Decision
            As `decide` gives it, with an empty ``would_change``.

        Raises
        ------
        DesignError
            If the history has another number of levels, or is impossible.
        """
        facts = self.facts(history)
        view = View(self, facts)
        verdict = walk(view)
        lowest = view.excluded_from
        said = passed(verdict, levels=self.levels, facts=facts, excluded_from=lowest)
        return Decision(
            action=verdict.action,
            level=verdict.level,
            n_to_enrol=verdict.k,
            fill_to=verdict.fill_to,
            target_level=verdict.target,
            rule_id=">".join(verdict.trace),
            reason=reason(verdict, said, levels=self.levels, facts=facts, excluded_from=lowest),
            passed=said,
            admissible=tuple(range(1, min(lowest - 1, max(facts.highest + 1, self.start_level)) + 1)),
            excluded_from=lowest if lowest <= view.top else None,
            pending=tuple(subject.id for subject in history.subjects if subject.status == "pending"),
            mtd=verdict.mtd,
            mtd_status=verdict.status,
            earliest=_earliest(history, self.conduct.stagger_days),
            warnings=tuple(_warnings(view, verdict, history)),
        )

    def standing(self, history: History) -> tuple[str, ...]:
        """Return what the rule makes of every level.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        tuple of str
            Per level: MTD, excluded, not treated, cleared, or open if its outcomes do not decide yet.

        Raises
        ------
        DesignError
            If the history has another number of levels, or is impossible.
        """
        view = View(self, self.facts(history))
        mtd = walk(view).mtd
        return tuple(_standing(view, level, mtd=mtd) for level in range(1, view.top + 1))

    def select(self, history: History) -> Selection:
        """Return the dose that the rule selects on the data so far.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        Selection
            The MTD if the rule has one; estimates are the observed rates.

        Raises
        ------
        DesignError
            If the history has another number of levels, or is impossible.
        """
        facts = self.facts(history)
        verdict = self.verdict(facts)
        rates = tuple(y / n if n else math.nan for n, y in zip(facts.n, facts.y, strict=True))
        return Selection(verdict.mtd, rates, verdict.status)


EscalationRule = TitratedThreePlusThree
"""The rule that a study file describes: ``EscalationRule.from_study(study)``."""


@dataclass(frozen=True)
class ThreePlusThree(TitratedThreePlusThree):
    """Plain 3+3 without titration; the name of its MTD rule is printed wherever it is used."""

    titration: Titration = field(default_factory=lambda: Titration(0), init=False)


def _standing(view: View, level: int, *, mtd: int | None) -> str:
    if level == mtd:
        return "MTD"
    if level >= view.excluded_from:
        return "excluded"
    if not view.facts.n[level - 1] + view.facts.pending[level - 1]:
        return "not treated"
    return "cleared" if view.cleared(level) else "open"


def _earliest(history: History, stagger: int) -> pd.Timestamp | None:
    days = [subject.assigned for subject in history.subjects if subject.assigned is not None]
    if not stagger or not days:
        return None
    return max(days) + pd.Timedelta(days=stagger)


def _warnings(view: View, verdict: Verdict, history: History) -> list[str]:
    found = []
    if verdict.short:
        found.append(warning("R1"))
    found += _flagged(view)
    if verdict.action == "ENROL" and any(view.facts.pending):
        found.append(warning("FOLLOWED", who=_names(history, "pending")))
    asked = [subject.id for subject in history.subjects if subject.trigger_open]
    if asked:
        found.append(warning("OPEN", who=", ".join(asked)))
    return found + _recorded(view, history)


def _flagged(view: View) -> list[str]:
    if view.rule.conduct.late_dlt != "flag":
        return []
    below = range(1, min(view.facts.current, view.excluded_from))
    return [
        warning("L1", level=level) for level in below if view.facts.y[level - 1] and not view.cleared(level)
    ]


def _recorded(view: View, history: History) -> list[str]:
    """Return what contradicts a recorded decision."""
    found = []
    facts = view.facts._replace(excluded_from=0, left=False)
    plain = View(view.rule, facts)
    if plain.excluded_from > view.excluded_from or plain.titrating != view.titrating:
        found.append(warning("LIFT"))
    stop = history.record.stop
    if stop is not None and stop.level is not None and not _permitted(view, stop.level):
        found.append(warning("X1", level=stop.level))
    return found


def _permitted(view: View, level: int) -> bool:
    """Tell whether a recorded stop may name a level: cleared, or in titration without DLT, and not excluded."""
    if not 1 <= level < view.excluded_from:
        return False
    return view.cleared(level) or (view.titrating and view.facts.n[level - 1] > 0)


def _names(history: History, status: str) -> str:
    return ", ".join(subject.id for subject in history.subjects if subject.status == status)


def rule_variants(levels: Sequence[float], *, cap: Cap | None = None) -> dict[str, ThreePlusThree]:
    """Return the plain 3+3 variants that go by one name elsewhere.

    Parameters
    ----------
    levels : sequence of float
        Planned doses.
    cap : Cap, optional
        Largest number of participants, none if absent.

    Returns
    -------
    dict of str to ThreePlusThree
        By name of the MTD rule.

    Raises
    ------
    DesignError
        If the levels cannot be used.
    """
    return {
        name: ThreePlusThree(tuple(levels), mtd=MtdRule(name), cap=cap or Cap(None)) for name in MTD_RULES
    }
