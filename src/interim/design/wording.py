"""Decisions in words: one sentence with level, counts, rule and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from interim.design.decision import Verdict
from interim.design.facts import Facts
from interim.study import dose_text


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Return the shipped sentences.

    Returns
    -------
    mapping
        Tables rules, actions and warnings.

    Raises
    ------
    None
    """
    read: Mapping[str, Mapping[str, str]] = tomllib.loads(
        (files("interim.design") / "reasons.toml").read_text(encoding="utf-8")
    )
    return read


def reason(verdict: Verdict, *, levels: Sequence[float], facts: Facts, excluded_from: int) -> str:
    """Say a verdict in one sentence.

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
    str
        Level, counts, rule ids with their meaning, and the action.

    Raises
    ------
    None
    """
    level = verdict.target or verdict.level or max(facts.current, 1)
    dose = verdict.mtd or verdict.level or level
    lowest = min(excluded_from, len(levels))
    fields: dict[str, Any] = {
        "dose": f"{dose_text(levels[dose - 1])} cells/kg",
        "k": verdict.k,
        "pending": sum(facts.pending),
        "fill_to": verdict.fill_to,
        "mtd": verdict.mtd,
        "below": f"level {lowest} with {facts.y[lowest - 1]} DLT in {facts.n[lowest - 1]}",
    }
    # A cohort that stays short without anybody in follow-up waits for a decision, not for outcomes.
    short = verdict.action == "WAIT" and not fields["pending"]
    trace = tuple("R1" if short and rule == "H1" else rule for rule in verdict.trace)
    said = "; ".join(f"{rule} {texts()['rules'][rule]}" for rule in trace).format(**fields)
    key: str = (
        verdict.action if verdict.action != "STOP" else "STOP_none" if verdict.mtd is None else "STOP_mtd"
    )
    key = "WAIT_short" if short else key
    action = texts()["actions"][key].format(**fields)
    return f"Level {level}: {facts.y[level - 1]} DLT in {facts.n[level - 1]} evaluable; {said}: {action}"


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
