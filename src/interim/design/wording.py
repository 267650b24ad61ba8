"""Decisions in words: one sentence with level, counts, rule and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from interim.design.decision import Decision, Verdict
from interim.design.facts import Facts
from interim.study import dose_text

_UP, _STAYS = ("C2a", "C3", "C4a", "C5"), ("", "H1", "K1")
"""Rules that may send the walk one level up, and what follows them when they do not."""


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Return the shipped sentences.

    Returns
    -------
    mapping
        Tables rules, counts, changes, actions, brief, mtd_status and warnings.

    Raises
    ------
    None
    """
    read: Mapping[str, Mapping[str, str]] = tomllib.loads(
        (files("interim.design") / "reasons.toml").read_text(encoding="utf-8")
    )
    return read


def reason(
    verdict: Verdict, said: Sequence[str], *, levels: Sequence[float], facts: Facts, excluded_from: int
) -> str:
    """Say a verdict in one sentence.

    Parameters
    ----------
    verdict : Verdict
        What was decided.
    said : sequence of str
        The rules passed, as `passed` says them.
    levels : sequence of float
        Planned doses.
    facts : Facts
        The counts.
    excluded_from : int
        Lowest excluded level, above the highest level if there is none.

    Returns
    -------
    str
        Level, counts, rule ids with their meaning, and the action.

    Raises
    ------
    None
    """
    level = _level(verdict, facts)
    rules = "; ".join(f"{rule} {words}" for rule, words in zip(_trace(verdict, facts), said, strict=True))
    key: str = (
        verdict.action if verdict.action != "STOP" else "STOP_none" if verdict.mtd is None else "STOP_mtd"
    )
    key = "WAIT_short" if _short(verdict, facts) else key
    action = texts()["actions"][key].format(**_fields(verdict, levels, facts, excluded_from))
    y, n = facts.y[level - 1], facts.n[level - 1]
    counts = texts()["counts"]["some" if n else "nobody"].format(y=y, n=n)
    return f"Level {level}: {counts}; {rules}: {action}"


def passed(verdict: Verdict, *, levels: Sequence[float], facts: Facts, excluded_from: int) -> tuple[str, ...]:
    """Say in words which rules a verdict passed.

    Parameters
    ----------
    verdict : Verdict
        What was decided.
    levels : sequence of float
        Planned doses.
    facts : Facts
        The counts.
    excluded_from : int
        Lowest excluded level, above the highest level if there is none.

    Returns
    -------
    tuple of str
        One text per rule of the trace, in its order, without the ids.

    Raises
    ------
    None
    """
    fields = _fields(verdict, levels, facts, excluded_from)
    places = _places(verdict.trace, _level(verdict, facts))
    return tuple(
        texts()["rules"][rule].format(here=here, **fields)
        for rule, here in zip(_trace(verdict, facts), places, strict=True)
    )


def in_words(decision: Decision) -> str:
    """Say what a decision does, in a few words.

    Parameters
    ----------
    decision : Decision
        What the design says.

    Returns
    -------
    str
        Such as ``enrol 3 at level 2``.

    Raises
    ------
    None
    """
    stops = "STOP_none" if decision.mtd is None else "STOP_mtd"
    key = stops if decision.action == "STOP" else decision.action
    status = texts()["mtd_status"].get(decision.mtd_status, "")
    numbers = {"k": decision.n_to_enrol, "level": decision.level, "mtd": decision.mtd}
    return texts()["brief"][key].format(status=status, **numbers)


def _level(verdict: Verdict, facts: Facts) -> int:
    return verdict.target or verdict.level or max(facts.current, 1)


def _short(verdict: Verdict, facts: Facts) -> bool:
    """Tell whether a cohort stays short without anybody in follow-up: it waits for a decision, not for outcomes."""
    return verdict.action == "WAIT" and not sum(facts.pending)


def _trace(verdict: Verdict, facts: Facts) -> tuple[str, ...]:
    short = _short(verdict, facts)
    return tuple("R1" if short and rule == "H1" else rule for rule in verdict.trace)


def _fields(verdict: Verdict, levels: Sequence[float], facts: Facts, excluded_from: int) -> dict[str, Any]:
    dose = verdict.mtd or verdict.level or _level(verdict, facts)
    lowest = min(excluded_from, len(levels))
    return {
        "dose": f"{dose_text(levels[dose - 1])} cells/kg",
        "k": verdict.k,
        "pending": sum(facts.pending),
        "fill_to": verdict.fill_to,
        "mtd": verdict.mtd,
        "below": f"level {lowest} with {facts.y[lowest - 1]} DLT in {facts.n[lowest - 1]}",
    }


def _places(trace: Sequence[str], level: int) -> list[int]:
    """Return the level that each rule looked at: one lower before each step up on the way to the last level."""
    follows = (*trace[1:], "")
    climbs = [rule in _UP and after not in _STAYS for rule, after in zip(trace, follows, strict=True)]
    return [level - sum(climbs[place:]) for place in range(len(trace))]


def warning(name: str, **fields: Any) -> str:
    """Return a shipped warning.

    Parameters
    ----------
    name : str
        Key of the table of warnings.
    **fields : object
        What the text names.

    Returns
    -------
    str
        The sentence.

    Raises
    ------
    None
    """
    return texts()["warnings"][name].format(**fields)
