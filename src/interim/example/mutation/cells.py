"""The silent-corruption rate: one damaged cell at random, and the primary tables with and without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from interim.adam import build_adam
from interim.analysis import disposition, escalation, response, safety
from interim.data.cut import cut_sdtm
from interim.data.model import Sdtm
from interim.errors import InterimError
from interim.example.defects.draft import Draft, cell_text, moved, record_of
from interim.example.mutation.examine import Examiner
from interim.study import Study

# Tables whose numbers a damaged cell may move, and the domains that their derivation reads; laboratory values are not among them.
PRIMARY = {
    "T 14.1.1.2": disposition.analysis_sets,
    "T 14.2.1.2": escalation.dlt_by_dose,
    "T 14.2.2.1": response.best_response,
    "T 14.3.1.1": safety.teae_summary,
}
READ = ("DM", "SUPPDM", "DS", "EX", "SUPPEX", "AE", "SUPPAE", "TU", "TR", "RS", "CM", "SUPPCM", "PR", "CE", "VS", "QS", "SS", "PC", "MI")  # fmt: skip
_KEPT = ("STUDYID", "DOMAIN", "RDOMAIN")
Outcome = Literal["found", "silent", "without effect"]


@dataclass(frozen=True)
class CellReport:
    """One damaged cell.

    Attributes
    ----------
    domain, subject, key, variable : str
        The cell.
    kind : str
        What was done: exchanged, blanked, moved (a date), tenfold (a number).
    before, after : str
        Values.
    outcome : {"found", "silent", "without effect"}
        A finding names it or follows from it; a primary table moves without any finding; neither.
    moved : tuple of str
        Primary tables that a silent change moves.
    """

    domain: str
    subject: str
    key: str
    variable: str
    kind: str
    before: str
    after: str
    outcome: Outcome
    moved: tuple[str, ...] = ()


def damage_cells(
    examiner: Examiner, frames: Mapping[str, pd.DataFrame], *, seed: int, number: int
) -> list[CellReport]:
    """Damage one cell at a time and look whether a check or a primary table notices.

    Parameters
    ----------
    examiner : Examiner
        Checks the variants.
    frames : mapping of str to pandas.DataFrame
        The clean study of the examiner.
    seed : int
        Seed of the cells and of what is done to them.
    number : int
        Number of cells, one per variant.

    Returns
    -------
    list of CellReport
        One per cell; columns are drawn uniformly, then a record with a value.

    Raises
    ------
    None
    """
    rng = np.random.default_rng(seed)
    columns = [
        (name, str(column))
        for name, frame in sorted(frames.items())
        for column in frame.columns
        if column not in _KEPT and frame[column].notna().any()
    ]
    base = primary(examiner.sdtm(frames), examiner.study)
    reports: list[CellReport] = []
    while len(reports) < number:
        name, column = columns[int(rng.integers(len(columns)))]
        draft = Draft(frames)
        place = int(rng.choice(np.flatnonzero(frames[name][column].notna().to_numpy())))
        kind, value = damage(rng, frames[name][column], place)
        before = cell_text(frames[name][column].to_numpy()[place])
        if cell_text(value) == before:
            continue
        draft.set(name, place, **{column: value})
        outcome, seen = _outcome(examiner, draft, name, base)
        _, subject, key = record_of(name, frames[name], place)
        after = cell_text(value)
        reports.append(CellReport(name, subject, key, column, kind, before, after, outcome, seen))
    return reports


def damage(rng: np.random.Generator, column: pd.Series, place: int) -> tuple[str, Any]:
    """Return another value for a cell.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.
    column : pandas.Series
        The column.
    place : int
        Position of the cell, which holds a value.

    Returns
    -------
    tuple of (str, object)
        Kind of the damage and value: that of another record, none, for a date another day within a month, for a number ten
        times as much.

    Raises
    ------
    None
    """
    value = column.to_numpy()[place]
    draw = rng.random()
    if draw < 0.25:
        return "blanked", None
    if draw < 0.5 and isinstance(value, str) and _is_date(value):
        return "moved", moved(value, int(rng.choice([-1, 1])) * int(rng.integers(1, 31)))
    if draw < 0.5 and not isinstance(value, str):
        return "tenfold", value * 10
    others = column[column.notna() & (column != value)]
    if others.empty:
        return "blanked", None
    return "exchanged", others.iloc[int(rng.integers(len(others)))]


def _is_date(text: str) -> bool:
    try:
        moved(text, 0)
    except ValueError:
        return False
    return True


def _outcome(
    examiner: Examiner, draft: Draft, name: str, base: Mapping[str, str]
) -> tuple[Outcome, tuple[str, ...]]:
    if examiner.findings(draft.frames):
        return "found", ()
    if name not in READ:
        return "without effect", ()
    try:
        other = primary(examiner.sdtm(draft.frames), examiner.study)
    except InterimError:
        return "found", ()
    seen = tuple(table for table, numbers in base.items() if other[table] != numbers)
    return ("silent" if seen else "without effect"), seen


def primary(sdtm: Sdtm, study: Study, *, domains: tuple[str, ...] = READ) -> dict[str, str]:
    """Return the numbers of the primary tables.

    Parameters
    ----------
    sdtm : Sdtm
        Typed source data before the cut-off.
    study : Study
        Parameters.
    domains : tuple of str
        Domains that are handed to the derivation.

    Returns
    -------
    dict of str to str
        Table -> its rows as text; equal texts are equal tables.

    Raises
    ------
    DataError, DerivationError
        If the data cannot be analysed.
    """
    kept = {name: sdtm.domains[name] for name in domains if name in sdtm.domains}
    cut = cut_sdtm(Sdtm(kept, sdtm.cut), study)
    adam = build_adam(cut, study)
    return {table: ask(adam, study).frame.to_csv(index=False) for table, ask in PRIMARY.items()}
