"""The mutation score: each defect alone, and pairs of defects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interim.errors import Finding, StudyError
from interim.example.defects import Defective, defects, inject
from interim.example.mutation.examine import Examiner

_DRAWS = 20


@dataclass(frozen=True)
class Single:
    """One defect alone in one study.

    Attributes
    ----------
    defect : str
        Its id.
    seed : int
        Seed of study and draw.
    found : bool
        Its rule, with its severity, names a participant of the records that were touched.
    """

    defect: str
    seed: int
    found: bool


@dataclass(frozen=True)
class Pair:
    """Two defects in one study, in records of their own.

    Attributes
    ----------
    defects : tuple of str
        Their ids.
    seed : int
        Seed of the draw.
    found : tuple of bool
        Whether each was found.
    """

    defects: tuple[str, str]
    seed: int
    found: tuple[bool, bool]


def score_singles(
    examiner: Examiner, frames: Mapping[str, pd.DataFrame], *, seed: int, ids: Sequence[str] = ()
) -> list[Single]:
    """Plant each defect alone and look whether it is found.

    Parameters
    ----------
    examiner : Examiner
        Checks the variants.
    frames : mapping of str to pandas.DataFrame
        The clean study of the examiner.
    seed : int
        Seed of the draws.
    ids : sequence of str
        Defects; none means all.

    Returns
    -------
    list of Single
        One per defect.

    Raises
    ------
    StudyError
        If the study has no record that suits a defect.
    """
    scored = []
    for id in ids or defects():
        made = inject(frames, [id], seed=seed)
        findings = examiner.findings(made.frames, only={defects()[id].rule})
        scored.append(Single(id, seed, found_in(made, findings)[id]))
    return scored


def score_pairs(
    examiner: Examiner, frames: Mapping[str, pd.DataFrame], *, seed: int, number: int
) -> list[Pair]:
    """Plant pairs of defects, drawn at random, and look whether both are found.

    Parameters
    ----------
    examiner : Examiner
        Checks the variants.
    frames : mapping of str to pandas.DataFrame
        The clean study of the examiner.
    seed : int
        Seed of the pairs and of their records.
    number : int
        Number of pairs.

    Returns
    -------
    list of Pair
        The pairs touch disjoint records; a pair for which the study has none is replaced by the next draw.

    Raises
    ------
    None
    """
    rng = np.random.default_rng(seed)
    ids = list(defects())
    pairs: list[Pair] = []
    while len(pairs) < number:
        first, second = (ids[place] for place in rng.choice(len(ids), size=2, replace=False))
        made, draw = disjoint(frames, (first, second), seed=int(rng.integers(2**31)))
        if made is not None:
            rules = {defects()[id].rule for id in (first, second)}
            found = found_in(made, examiner.findings(made.frames, only=rules))
            pairs.append(Pair((first, second), draw, (found[first], found[second])))
    return pairs


def disjoint(
    frames: Mapping[str, pd.DataFrame], ids: tuple[str, str], *, seed: int
) -> tuple[Defective | None, int]:
    """Plant two defects in records of their own.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        A clean study.
    ids : tuple of str
        The two defects.
    seed : int
        First seed that is tried.

    Returns
    -------
    tuple of (Defective or None, int)
        The study and the seed of its draw; None if 20 draws found no disjoint records.

    Raises
    ------
    None
    """
    for draw in range(seed, seed + _DRAWS):
        try:
            made = inject(frames, ids, seed=draw)
        except StudyError:
            continue
        records = [{line.record for line in made.ledger if line.defect == id} for id in ids]
        if not records[0] & records[1]:
            return made, draw
    return None, seed


def found_in(made: Defective, findings: Sequence[Finding]) -> dict[str, bool]:
    """Tell which planted defects are found.

    Parameters
    ----------
    made : Defective
        A study with defects.
    findings : sequence of Finding
        What the checks say about it.

    Returns
    -------
    dict of str to bool
        By defect: a finding of its rule and severity names a participant whose records it touched. Defects of one rule need as
        many findings as they are.

    Raises
    ------
    None
    """
    subjects: dict[str, set[str]] = {}
    for line in made.ledger:
        subjects.setdefault(line.defect, set()).add(line.subject)
    planted = Counter(defects()[id].rule for id in subjects)
    found = {}
    for id, who in subjects.items():
        rule, severity = defects()[id].rule, defects()[id].severity
        hits = [f for f in findings if (f.rule, f.severity) == (rule, severity)]
        records = {(f.domain, f.subject, f.key, f.variable) for f in hits}
        found[id] = any(f.subject in who for f in hits) and len(records) >= planted[rule]
    return found
