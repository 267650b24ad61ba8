"""The register of the seeded defects: a defect is one function that plants it in a draft."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from interim.errors import StudyError
from interim.example.defects.draft import Draft, Touched
from interim.example.settings import csv_file

Plant = Callable[[Draft], None]
_PLANTS: dict[str, Plant] = {}


@dataclass(frozen=True)
class Defect:
    """One seeded defect.

    Attributes
    ----------
    id : str
        D01 to D60.
    domain : str
        Domain concerned.
    text : str
        What is wrong.
    rule, severity : str
        The check that must find it.
    """

    id: str
    domain: str
    text: str
    rule: str
    severity: str


@dataclass(frozen=True)
class Defective:
    """A study with defects.

    Attributes
    ----------
    frames : mapping of str to pandas.DataFrame
        Its domains; those without a defect are the same objects as in the clean study.
    ledger : tuple of Touched
        Every change.
    """

    frames: Mapping[str, pd.DataFrame]
    ledger: tuple[Touched, ...]

    @property
    def changed(self) -> frozenset[str]:
        """The domains in which a record was changed, added or removed."""
        return frozenset(line.domain for line in self.ledger)


def plants(id: str) -> Callable[[Plant], Plant]:
    """Register a function as the one that plants a defect.

    Parameters
    ----------
    id : str
        Id of the defect.

    Returns
    -------
    callable
        A decorator that returns the function unchanged.

    Raises
    ------
    ValueError
        If the id is used twice.
    """

    def register(plant: Plant) -> Plant:
        if id in _PLANTS:
            raise ValueError(f"defect {id} is planted by two functions")
        _PLANTS[id] = plant
        return plant

    return register


@cache
def defects() -> Mapping[str, Defect]:
    """Return all seeded defects.

    Returns
    -------
    mapping of str to Defect
        By id, in the order of the ids.

    Raises
    ------
    None
    """
    rows = csv_file("defects/defects.csv")
    return {
        row["id"]: Defect(row["id"], row["domain"], row["defect"], row["rule"], row["severity"])
        for row in rows
    }


def inject(frames: Mapping[str, pd.DataFrame], ids: Iterable[str], *, seed: int) -> Defective:
    """Plant defects in a study, each in records that no other of them touches.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Domains of a clean study; not changed.
    ids : iterable of str
        Defects, planted in this order.
    seed : int
        Seed; the draw of a defect depends on it, on the defect and on the records that are still free.

    Returns
    -------
    Defective
        The study with its ledger.

    Raises
    ------
    StudyError
        If a defect is unknown or named twice, or the study has no record that suits.
    """
    chosen = list(ids)
    unknown = sorted(set(chosen) - set(defects()))
    if unknown or len(set(chosen)) < len(chosen):
        known = f"{min(defects())} to {max(defects())}"
        raise StudyError(f"defects must be different ids from {known}; found {', '.join(chosen)}")
    draft = Draft(frames)
    for id in chosen:
        draft.defect = id
        draft.rng = np.random.default_rng([seed, zlib.crc32(id.encode())])
        _PLANTS[id](draft)
    return Defective(draft.frames, tuple(draft.ledger))
