"""Uploaded decision tables as a design."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interim.design.interval import LETTERS, IntervalDesign
from interim.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

Cells = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class TableDesign(IntervalDesign):
    """A design whose moves stand in a table.

    Attributes
    ----------
    cells : tuple of tuple of str
        Row n - 1 holds the decisions for y = 0..n: E, S, D, DU.
    """

    _: KW_ONLY
    cells: Cells = ()

    def __post_init__(self) -> None:
        """Refuse a table that is too short for the design."""
        super().__post_init__()
        if len(self.cells) < self.n_max:
            raise DesignError(
                f"the table ends at n = {len(self.cells)}, the design treats up to {self.n_max} participants"
            )

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, levels: tuple[float, ...], target: float, **more: Any
    ) -> TableDesign:
        """Read a decision table.

        Parameters
        ----------
        frame : pandas.DataFrame
            Columns n, y, decision (E, S, D, DU), one row per cell.
        levels : tuple of float
            Planned doses.
        target : float
            Target DLT rate, for elimination and the selected dose.
        **more : object
            Other options of the design; ``n_max`` is the largest n of the table if absent.

        Returns
        -------
        TableDesign
            The design.

        Raises
        ------
        DesignError
            If a cell is missing, given twice, has an unknown decision, or escalates above a cell that does not; every cell is
            listed.
        """
        known, problems = _read(frame)
        top = max((n for n, _ in known), default=0)
        problems += _holes(known, top)
        problems += _reversals(known, top)
        if problems or not top:
            raise DesignError("the decision table cannot be used: " + "; ".join(problems or ["no rows"]))
        cells = tuple(tuple(known[n, y] for y in range(n + 1)) for n in range(1, top + 1))
        return cls(levels, target, cells=cells, **{"n_max": top, **more})

    def move(self, n: int, y: int) -> str:
        """Return the decision of a cell.

        Parameters
        ----------
        n, y : int
            Participants and DLT at the current level.

        Returns
        -------
        str
            E, S, D or DU.

        Raises
        ------
        None
        """
        return self.cells[n - 1][y]

    def table(self, n_max: int) -> Cells:
        """Return the decision table as it was given.

        Parameters
        ----------
        n_max : int
            Largest number of participants.

        Returns
        -------
        tuple of tuple of str
            Row n - 1 holds the decisions for y = 0..n.

        Raises
        ------
        DesignError
            If the table is shorter.
        """
        if n_max > len(self.cells):
            raise DesignError(f"the table ends at n = {len(self.cells)}, asked for n = {n_max}")
        return self.cells[:n_max]


def _read(frame: pd.DataFrame) -> tuple[dict[tuple[int, int], str], list[str]]:
    """Return the cells that can be read, and what is wrong with the others."""
    absent = [name for name in ("n", "y", "decision") if name not in frame.columns]
    if absent:
        raise DesignError(f"the decision table needs the columns n, y, decision; {', '.join(absent)} missing")
    known: dict[tuple[int, int], str] = {}
    problems: list[str] = []
    for n, y, letter in zip(frame["n"], frame["y"], frame["decision"], strict=True):
        if not (_whole(n) and _whole(y)):
            problems.append(f"n {n!r}, y {y!r}: whole numbers expected")
            continue
        place = (int(n), int(y))
        if place in known or str(letter) not in LETTERS or n < 1 or not 0 <= y <= n:
            problems.append(f"n {n}, y {y}: {letter!r} is unknown, given twice or impossible")
        known[place] = str(letter)
    return known, problems


def _whole(value: object) -> bool:
    return isinstance(value, int | float | np.number) and float(value).is_integer()


def _holes(known: dict[tuple[int, int], str], top: int) -> Iterator[str]:
    for n in range(1, top + 1):
        missing = [y for y in range(n + 1) if (n, y) not in known]
        if missing:
            yield f"n {n}: no decision for y {missing}"


def _reversals(known: dict[tuple[int, int], str], top: int) -> Iterator[str]:
    """Yield the cells in which more DLT lead to a bolder move."""
    for n in range(1, top + 1):
        for y in range(n):
            low, high = known.get((n, y)), known.get((n, y + 1))
            if low in LETTERS and high in LETTERS and LETTERS[str(high)] > LETTERS[str(low)]:
                yield f"n {n}: {high} at y {y + 1} above {low} at y {y}"
