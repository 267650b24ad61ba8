"""The list of participants who have withdrawn their data from use: a text file beside the study file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from interim.errors import DataError, Finding
from interim.study.model import Study

FOLDER = "withdrawn"
UNKNOWN = "WD-UNKNOWN"
_COMMENT = "#"


def withdrawal_file(study: Study) -> Path:
    """Return where the ids of participants stand who have withdrawn their data.

    Parameters
    ----------
    study : Study
        Parameters; the file lies in the folder ``withdrawn`` beside the study file and is named after ``study.id``.

    Returns
    -------
    Path
        The place; the file need not exist.

    Raises
    ------
    None
    """
    return study.file.parent / FOLDER / f"{study.study.id}.txt"


@dataclass(frozen=True)
class Withdrawals:
    """The list of a study.

    Attributes
    ----------
    ids : tuple of str
        USUBJIDs as the site writes them, each once, in the order of the file.
    twice : tuple of (int, int)
        Line that repeats an id, and the line that it repeats.
    file : str
        Name of the file.
    """

    ids: tuple[str, ...] = ()
    twice: tuple[tuple[int, int], ...] = ()
    file: str = ""


def read_withdrawals(study: Study) -> Withdrawals:
    """Read the ids of participants who have withdrawn their data.

    Parameters
    ----------
    study : Study
        Parameters.

    Returns
    -------
    Withdrawals
        Empty without a file. One id in a line; what follows a ``#`` is a remark.

    Raises
    ------
    DataError
        If the file cannot be read: going on would use data that must not be used.
    """
    file = withdrawal_file(study)
    if not file.exists():
        return Withdrawals()
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        text = f"the list of withdrawn participants cannot be read ({type(error).__name__}); write it as UTF-8 text"
        raise DataError((Finding(UNKNOWN, "stop", "DM", text, file=file.name),)) from error
    first: dict[str, int] = {}
    twice = []
    for number, line in enumerate(lines, 1):
        usubjid = line.partition(_COMMENT)[0].strip()
        if usubjid in first:
            twice.append((number, first[usubjid]))
        elif usubjid:
            first[usubjid] = number
    return Withdrawals(tuple(first), tuple(twice), file.name)
