"""Dose paths: the tree of what can follow, with decisions, rules and probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from interim.design.characteristics import Scenario
from interim.design.decision import Decision, Design
from interim.design.history import History, Record, Subject
from interim.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from interim.design.escalation import TitratedThreePlusThree

_LETTERS = {"N": (False, False), "G": (False, True), "T": (True, True)}


@dataclass(frozen=True)
class DosePath:
    """One node of the tree.

    Attributes
    ----------
    depth : int
        Cohorts after the start.
    outcomes : str
        What happened since the start, in short notation.
    decision : Decision
        What the design says then.
    probability : float
        Probability of the path; NaN without a scenario.
    """

    depth: int
    outcomes: str
    decision: Decision
    probability: float


def dose_paths(
    design: Design, depth: int, *, start: History | None = None, truth: Scenario | None = None
) -> tuple[DosePath, ...]:
    """Return the tree of the next cohorts.

    Parameters
    ----------
    design : Design
        The design.
    depth : int
        Cohorts to look ahead, >= 0.
    start : History, optional
        Present state; the first participant if absent.
    truth : Scenario, optional
        True rates, for the probabilities.

    Returns
    -------
    tuple of DosePath
        From the start, depth first, in order of outcomes.

    Raises
    ------
    DesignError
        If an outcome of the start is open.
    """
    history = start or History(len(design.levels))
    if any(subject.status == "pending" for subject in history.subjects):
        raise DesignError(
            "dose paths start from a history without open outcomes; see the table of open facts"
        )
    return tuple(_grow(design, history, 0, depth, "", 1.0 if truth else np.nan, truth))


def _grow(
    design: Design,
    history: History,
    at: int,
    depth: int,
    outcomes: str,
    chance: float,
    truth: Scenario | None,
) -> Iterator[DosePath]:
    decision = design.decide(history)
    yield DosePath(at, outcomes, decision, chance)
    if at == depth or decision.action != "ENROL" or decision.level is None:
        return
    for letters, ways in _cohort_outcomes(decision):
        word = f"{decision.level}{letters}"
        share = np.nan if truth is None else ways * _chance(decision, letters, truth)
        following = extend(history, level=decision.level, letters=letters)
        text = f"{outcomes} {word}".strip()
        yield from _grow(design, following, at + 1, depth, text, chance * share, truth)


def extend(history: History, *, level: int, letters: str) -> History:
    """Return a history with further participants.

    Parameters
    ----------
    history : History
        What is known.
    level : int
        Their level.
    letters : str
        Their outcomes: N, G, T.

    Returns
    -------
    History
        With the participants at its end.

    Raises
    ------
    None
    """
    last = max((subject.order for subject in history.subjects), default=0)
    more = tuple(
        Subject(f"next-{last + place}", last + place, level, "evaluable", *_LETTERS[letter])
        for place, letter in enumerate(letters, 1)
    )
    return replace(history, subjects=(*history.subjects, *more), findings=())


def _cohort_outcomes(decision: Decision) -> list[tuple[str, int]]:
    k = decision.n_to_enrol
    if decision.fill_to == 1:
        return [("N", 1), ("G", 1), ("T", 1)]
    return [("N" * (k - q) + "T" * q, comb(k, q)) for q in range(k + 1)]


def _chance(decision: Decision, letters: str, truth: Scenario) -> float:
    place = (decision.level or 1) - 1
    p, q = truth.p_dlt[place], truth.p_trigger_only[place]
    alone = decision.fill_to == 1
    each = {"T": p, "G": q, "N": 1 - p - q if alone else 1 - p}
    return float(np.prod([each[letter] for letter in letters]))


def path_frame(paths: tuple[DosePath, ...]) -> pd.DataFrame:
    """Return dose paths as rows.

    Parameters
    ----------
    paths : tuple of DosePath
        The tree.

    Returns
    -------
    pandas.DataFrame
        Columns depth, outcomes, action, level, n, rule, mtd, mtd_status, probability.

    Raises
    ------
    None
    """
    import pandas as pd

    rows = [
        (
            path.depth,
            path.outcomes,
            path.decision.action,
            path.decision.level,
            path.decision.n_to_enrol,
            path.decision.rule_id,
            path.decision.mtd,
            path.decision.mtd_status,
            path.probability,
        )
        for path in paths
    ]
    names = ["depth", "outcomes", "action", "level", "n", "rule", "mtd", "mtd_status", "probability"]
    return pd.DataFrame(rows, columns=names)


def rule_table(design: TitratedThreePlusThree, *, level: int, n_max: int = 6) -> pd.DataFrame:
    """Return the decision table of a 3+3 rule at one level, the levels below cleared, nothing above tried.

    Parameters
    ----------
    design : TitratedThreePlusThree
        The rule.
    level : int
        Level of the table.
    n_max : int
        Largest number of participants at the level.

    Returns
    -------
    pandas.DataFrame
        Columns n, y, decision, rule.

    Raises
    ------
    DesignError
        If there is no such level, or it lies below the start.
    """
    import pandas as pd

    top = len(design.levels)
    if not design.start_level <= level <= top:
        raise DesignError(f"level must be {design.start_level}..{top}, found {level}")
    below = [(place, "NNN") for place in range(design.start_level, level)]
    rows = []
    for n in range(1, n_max + 1):
        for y in range(n + 1):
            history = History(top, (), Record(titration_left=True), recorded=True)
            for place, letters in (*below, (level, "N" * (n - y) + "T" * y)):
                history = extend(history, level=place, letters=letters)
            decision = design.decide(history)
            rows.append((n, y, decision.brief, decision.rule_id))
    return pd.DataFrame(rows, columns=["n", "y", "decision", "rule"])
