"""What would change the decision: open facts of participants, and options of the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, TypeAlias

from interim.design.decision import Decision, Design
from interim.design.history import History, Subject
from interim.design.options import CapRule, Counts, DownFill, Late, MtdRule
from interim.design.wording import in_words, texts
from interim.study.dosing import MTD_RULES

if TYPE_CHECKING:
    import pandas as pd

    from interim.design.escalation import TitratedThreePlusThree

_NONE, _TRIGGER, _DLT = (False, False), (False, True), (True, True)
_OUTCOMES = (_NONE, _TRIGGER, _DLT)
_BEST, _WORST = 0, -1

Step: TypeAlias = Callable[[History], Decision]


@dataclass(frozen=True)
class OpenFacts:
    """How open outcomes could change the decision.

    Attributes
    ----------
    participants : tuple of str
        Pending, not evaluable, or with an open query.
    present, best, worst : Decision
        As known; every open outcome none; every one a DLT (an open query: a trigger).
    smallest : int or None
        Smallest number of participants whose outcome would change the MTD or the level; None if more than were tried.
    example : str
        One such change.
    """

    participants: tuple[str, ...]
    present: Decision
    best: Decision
    worst: Decision
    smallest: int | None
    example: str


def open_facts(design: Design, history: History, *, max_changes: int = 3) -> OpenFacts:
    """Try every outcome of the participants whose facts are open.

    Parameters
    ----------
    design : Design
        The rule.
    history : History
        What is known.
    max_changes : int
        Largest number of participants changed together.

    Returns
    -------
    OpenFacts
        Best case, worst case, smallest change.

    Raises
    ------
    DesignError
        If the history does not belong to the design.
    """
    choices = {subject.id: _choices(subject) for subject in history.subjects}
    choices = {name: options for name, options in choices.items() if options}
    step = _step(design)
    present = step(history)
    smallest, example = None, ""
    for size in range(1, max_changes + 1):
        found = next(_tips(step, history, present, choices, size), None)
        if found is not None:
            smallest, example = size, found
            break
    return OpenFacts(
        participants=tuple(choices),
        present=present,
        best=step(_with(history, {name: options[_BEST] for name, options in choices.items()})),
        worst=step(_with(history, {name: options[_WORST] for name, options in choices.items()})),
        smallest=smallest,
        example=example,
    )


def _step(design: Design) -> Step:
    """Return the plain next step of a design: what would change it is not asked of every outcome that is tried."""
    plain: Step = getattr(design, "recommend", design.decide)
    return plain


def what_would_change(step: Step, history: History, *, present: Decision) -> tuple[str, ...]:
    """Say what the outcomes that are still open would make of a decision.

    Parameters
    ----------
    step : callable
        Next step of the design for a history.
    history : History
        What is known.
    present : Decision
        The decision on it.

    Returns
    -------
    tuple of str
        One sentence per level and outcome of a pending participant or open query that leads to another conclusion alone; then the best and the worst
        of all of them together, if there are several.

    Raises
    ------
    None
    """
    awaited = [s for s in history.subjects if s.status == "pending" or (s.trigger_open and _choices(s))]
    alike: dict[tuple[object, ...], list[Subject]] = {}
    for (
        subject
    ) in awaited:  # the order within a level changes nothing, so that one stands for all that are alike
        key = subject.level, subject.status, subject.trigger, subject.trigger_open
        alike.setdefault(key, []).append(subject)
    found = []
    for subjects in alike.values():
        who = [subject.id for subject in subjects]
        for brief, letters in _alone(step, history, present, subjects[0]).items():
            found.append(_change(who, subjects[0].level, letters, brief))
    if len(awaited) > 1:
        found += _together(step, history, present, awaited)
    return tuple(found)


def _change(who: Sequence[str], level: int, letters: Sequence[str], brief: str) -> str:
    """Say what an outcome of one of these participants leads to."""
    said = texts()["changes"]
    outcome = said["any"] if len(letters) == len(_OUTCOMES) else " or ".join(said[item] for item in letters)
    sentence = said["one" if len(who) == 1 else "any_of"]
    return sentence.format(who=", ".join(who), level=level, outcome=outcome, then=brief)


def _alone(step: Step, history: History, present: Decision, subject: Subject) -> dict[str, list[str]]:
    """Return the other conclusions that one participant can lead to, with the letters of the outcomes."""
    found: dict[str, list[str]] = {}
    for outcome in _choices(subject):
        other = _with(history, {subject.id: outcome})
        decision = step(other)
        if decision.essence != present.essence:
            letter = next(item.outcome for item in other.subjects if item.id == subject.id)
            found.setdefault(in_words(decision), []).append(letter)
    return found


def _together(step: Step, history: History, present: Decision, awaited: Sequence[Subject]) -> Iterator[str]:
    for name, place in (("best", _BEST), ("worst", _WORST)):
        decision = step(_with(history, {subject.id: _choices(subject)[place] for subject in awaited}))
        if decision.essence != present.essence:
            yield texts()["changes"][name].format(then=in_words(decision))


def _choices(subject: Subject) -> tuple[tuple[bool, bool], ...]:
    if subject.status != "evaluable":
        return _OUTCOMES
    return (_NONE, _TRIGGER) if subject.trigger_open else ()


def _with(history: History, outcomes: Mapping[str, tuple[bool, bool]]) -> History:
    subjects = []
    for subject in history.subjects:
        if subject.id in outcomes:
            dlt, trigger = outcomes[subject.id]
            infusions = subject.infusions if subject.treated or not dlt else None  # a DLT needs a treatment
            subject = replace(
                subject, status="evaluable", dlt=dlt, trigger=trigger, trigger_open=False, infusions=infusions
            )
        subjects.append(subject)
    return replace(history, subjects=tuple(subjects))


def _tips(
    step: Step,
    history: History,
    present: Decision,
    choices: Mapping[str, Sequence[tuple[bool, bool]]],
    size: int,
) -> Iterator[str]:
    """Yield the changes of so many participants that lead to another MTD or level."""
    for names in combinations(choices, size):
        for outcomes in product(*(choices[name] for name in names)):
            other = _with(history, dict(zip(names, outcomes, strict=True)))
            decision = step(other)
            if (decision.mtd, decision.target_level) != (present.mtd, present.target_level):
                said = texts()["changes"]
                letters = {
                    subject.id: said[subject.outcome] for subject in other.subjects if subject.id in names
                }
                who = ", ".join(said["alone"].format(who=name, outcome=letters[name]) for name in names)
                yield f"{who}: {in_words(decision)}"


def rule_options(rule: TitratedThreePlusThree) -> dict[str, TitratedThreePlusThree]:
    """Return the rule with every option changed alone.

    Parameters
    ----------
    rule : TitratedThreePlusThree
        The base.

    Returns
    -------
    dict of str to TitratedThreePlusThree
        ``parameter = value`` -> rule; options that cannot be combined with the base are left out.

    Raises
    ------
    None
    """
    options = (*_titration_options(rule), *_mtd_options(rule), *_cap_options(rule))
    return {f"{name} = {value}": replace(rule, **parts) for name, value, parts in options}


Option = tuple[str, object, dict[str, Any]]


def _titration_options(rule: TitratedThreePlusThree) -> Iterator[Option]:
    part = rule.titration
    for last in dict.fromkeys((0, 1, len(rule.levels))):
        if last != part.last_level and (rule.mtd.deescalate or not last):
            yield "last_titration_level", last, {"titration": replace(part, last_level=last)}
    flag = not part.count_participant
    yield "count_titration_participant", flag, {"titration": replace(part, count_participant=flag)}
    late: Late = "flag" if rule.conduct.late_dlt == "return" else "return"
    yield "late_dlt_policy", late, {"conduct": replace(rule.conduct, late_dlt=late)}


def _mtd_options(rule: TitratedThreePlusThree) -> Iterator[Option]:
    part = rule.mtd
    for name, (deescalate, _, _) in MTD_RULES.items():
        if name != part.name and (deescalate or not rule.titration.last_level):
            yield "mtd_rule", name, {"mtd": MtdRule(name, down_fill=part.down_fill)}
    fill: DownFill = "direct_six" if part.down_fill == "three_then_six" else "three_then_six"
    yield "down_fill", fill, {"mtd": replace(part, down_fill=fill)}


def _cap_options(rule: TitratedThreePlusThree) -> Iterator[Option]:
    part = rule.cap
    if part.n_max is not None:
        yield "n_max", "none", {"cap": replace(part, n_max=None)}
    counts: Counts = "treated" if part.counts == "evaluable" else "evaluable"
    yield "n_max_counts", counts, {"cap": replace(part, counts=counts)}
    choice: CapRule = "none" if part.mtd_rule == "evidence" else "evidence"
    yield "cap_mtd_rule", choice, {"cap": replace(part, mtd_rule=choice)}


def option_decisions(
    rule: TitratedThreePlusThree, history: History, *, others: Mapping[str, History] | None = None
) -> dict[str, tuple[TitratedThreePlusThree, Decision]]:
    """Return the rule and its decision under every option, changed alone.

    Parameters
    ----------
    rule : TitratedThreePlusThree
        The base.
    history : History
        What is known.
    others : mapping of str to History, optional
        Options that leave the rule and move the facts: ``parameter = value`` -> history under it.

    Returns
    -------
    dict of str to tuple
        Option -> rule and decision; ``base`` first.

    Raises
    ------
    DesignError
        If a history has another number of levels.
    """
    found = {"base": (rule, rule.recommend(history))}
    found |= {name: (other, other.recommend(history)) for name, other in rule_options(rule).items()}
    found |= {name: (rule, rule.recommend(other)) for name, other in (others or {}).items()}
    return found


def tipping_options(rule: TitratedThreePlusThree, history: History) -> pd.DataFrame:
    """Return the decision under every option of the rule, changed alone.

    Parameters
    ----------
    rule : TitratedThreePlusThree
        The base.
    history : History
        What is known.

    Returns
    -------
    pandas.DataFrame
        Columns option, decision, rule, target_level, mtd, mtd_status, flips; the base first.

    Raises
    ------
    DesignError
        If the history has another number of levels.
    """
    import pandas as pd

    found = {name: decision for name, (_, decision) in option_decisions(rule, history).items()}
    essence = found["base"].essence
    return pd.DataFrame(
        [
            (name, it.brief, it.rule_id, it.target_level, it.mtd, it.mtd_status, it.essence != essence)
            for name, it in found.items()
        ],
        columns=["option", "decision", "rule", "target_level", "mtd", "mtd_status", "flips"],
    )
