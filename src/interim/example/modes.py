"""Modes of the example: one study, the study at successive cuts, or many studies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from interim.errors import StudyError
from interim.example.asof import as_of
from interim.example.build import make_study, many_studies
from interim.example.late import LATE_DAYS, late_data
from interim.example.settings import numbers
from interim.example.write import true_values, write_frames, write_study

ALL_CUTS = "all"


@dataclass(frozen=True)
class Made:
    """Which synthetic data are made.

    Attributes
    ----------
    preset : str
        ``main13``, ``tiny10``, ``full18`` or ``free``.
    seed : int or None
        Seed; None: the generator's own.
    defects : sequence of str
        Ids of seeded defects.
    null : bool
        No subgroup has an effect.
    as_of : str or None
        ISO date: the study as it stood on that day; "all": at every dose decision, the cut-off and 30 days later.
    many : int or None
        Number of studies.
    """

    preset: str = "main13"
    seed: int | None = None
    defects: Sequence[str] = ()
    null: bool = False
    as_of: str | None = None
    many: int | None = None


def write_modes(folder: str | Path, made: Made) -> Iterator[tuple[Path, int]]:
    """Write the raw data of synthetic studies.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder of the data; of several cuts or studies it holds a folder each, named by the day or the number.
    made : Made
        What is made.

    Yields
    ------
    tuple of (pathlib.Path, int)
        Each folder with its number of files.

    Raises
    ------
    StudyError
        If there is no such preset or defect, the day is none, or defects are asked for in a mode that has none.
    """
    home = Path(folder)
    if made.defects and (made.as_of is not None or made.many is not None):
        raise StudyError("defects are planted in one study at its cut-off; leave out --as-of and --many")
    chosen = numbers("study.seed") if made.seed is None else made.seed
    if made.many is not None:
        for place, (seed, frames) in enumerate(
            many_studies(made.many, made.preset, chosen, null=made.null), 1
        ):
            target = home / f"{place:03d}"
            yield target, len(write_frames(target, frames, true_values(made.preset, seed, null=made.null)))
    elif made.as_of is None:
        files = write_study(home, preset=made.preset, seed=chosen, defects=made.defects, null=made.null)
        yield home, len(files)
    else:
        truth = true_values(made.preset, chosen, null=made.null)
        frames = make_study(made.preset, chosen, null=made.null)
        for day, target in _days(home, frames, made.as_of):
            cut_frames, changes = at_cut(frames, day)
            yield target, len(write_frames(target, cut_frames, truth | {"late": changes}))


def _days(home: Path, frames: Mapping[str, pd.DataFrame], text: str) -> list[tuple[date, Path]]:
    if text == ALL_CUTS:
        return [(day, home / day.isoformat()) for day in cuts(frames)]
    try:
        return [(date.fromisoformat(text), home)]
    except ValueError as error:
        raise StudyError(f"expected an ISO date such as 2026-03-04, or all, found {text!r}") from error


def cuts(frames: Mapping[str, pd.DataFrame]) -> list[date]:
    """Return the successive cuts of a study.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Domains at the cut-off.

    Returns
    -------
    list of datetime.date
        The days of the decisions on dose after the first, the cut-off, and 30 days later.

    Raises
    ------
    None
    """
    cut = _cut(frames)
    days = {date.fromisoformat(text) for text in frames["DECISIONS"]["date"].iloc[1:]}
    return [*sorted(day for day in days if day < cut), cut, cut + timedelta(days=LATE_DAYS)]


def _cut(frames: Mapping[str, pd.DataFrame]) -> date:
    summary = frames["TS"].set_index("TSPARMCD")["TSVAL"]
    return date.fromisoformat(str(summary["DCUTDTC"])[:10])


def at_cut(
    frames: Mapping[str, pd.DataFrame], day: date
) -> tuple[dict[str, pd.DataFrame], list[dict[str, str]]]:
    """Return a study at a cut.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Domains at the cut-off.
    day : datetime.date
        The cut: earlier than the cut-off, the cut-off, or later.

    Returns
    -------
    tuple of (dict of str to pandas.DataFrame, list of dict)
        The domains, and what a later cut adds or corrects (see `interim.example.late`).

    Raises
    ------
    None
    """
    cut = _cut(frames)
    if day < cut:
        return as_of(frames, day), []
    if day == cut:
        return dict(frames), []
    late, ledger = late_data(frames, cut)
    whole = day >= cut + timedelta(days=LATE_DAYS)
    return (late if whole else as_of(late, day)), [asdict(line) for line in ledger]
