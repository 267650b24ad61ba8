"""Numbers of a Result as printed cells: looked up by place, rounded once, with their result ids."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from interim.display.labels import settings, word
from interim.display.rounding import Mode, count_text, decimal_text, rate_text
from interim.display.table import Cell
from interim.result import TOTAL, Result
from interim.study import Study

Place = tuple[str, str, str, str]
DASH = "–"
NO_VALUE = "n=0"


class Numbers:
    """Looks up the rows of one Result and prints them.

    Parameters
    ----------
    result : Result
        Rows to print.
    study : Study
        Rounding mode and guard digits.
    """

    def __init__(self, result: Result, study: Study) -> None:
        self.result = result
        self.study = study
        self.mode: Mode = study.rounding.mode
        records: list[dict[str, Any]] = result.frame.to_dict("records")  # type: ignore[assignment]
        self._rows: dict[Place, dict[str, Any]] = {
            (str(r["group"]), str(r["variable"]), str(r["level"]), str(r["stat"])): r for r in records
        }

    def row(
        self, stat: str, *, group: str = TOTAL, variable: str = "", level: str = ""
    ) -> Mapping[str, Any] | None:
        """Return a row, or None if the Result has none there.

        Parameters
        ----------
        stat, group, variable, level : str
            Place of the row.

        Returns
        -------
        mapping or None
            The row, by column name.

        Raises
        ------
        None
        """
        return self._rows.get((group, variable, level, stat))

    def need(
        self, stat: str, *, group: str = TOTAL, variable: str = "", level: str = ""
    ) -> Mapping[str, Any]:
        """Return a row that must exist.

        Parameters
        ----------
        stat, group, variable, level : str
            Place of the row.

        Returns
        -------
        mapping
            The row, by column name.

        Raises
        ------
        KeyError
            If there is no such row.
        """
        row = self.row(stat, group=group, variable=variable, level=level)
        if row is None:
            where = "/".join((group, variable, level, stat))
            raise KeyError(f"{self.result.analysis_id} has no row {where}")
        return row

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns of the table, in order: the groups for which a size is given."""
        return tuple(g for g, variable, _, stat in self._rows if variable == "population" and stat == "N")

    def levels(self, variable: str, *, stat: str = "", group: str = "") -> tuple[str, ...]:
        """Return the levels of a variable in the order of the rows.

        Parameters
        ----------
        variable : str
            Variable of the rows.
        stat, group : str
            Only rows with this stat or group; empty: all.

        Returns
        -------
        tuple of str
            Each level once.

        Raises
        ------
        None
        """
        found = [
            level
            for g, v, level, s in self._rows
            if v == variable and (not stat or s == stat) and (not group or g == group)
        ]
        return tuple(dict.fromkeys(found))

    def variables(self, *, stat: str = "") -> tuple[str, ...]:
        """Return the variables in the order of the rows.

        Parameters
        ----------
        stat : str
            Only rows with this stat; empty: all.

        Returns
        -------
        tuple of str
            Each variable once, without the sizes of the columns.

        Raises
        ------
        None
        """
        found = [v for _, v, _, s in self._rows if (not stat or s == stat) and not v.startswith("population")]
        return tuple(dict.fromkeys(found))

    def absence(self, variable: str, *, stat: str, level: str = "") -> str:
        """Return why a number is not available in any column; empty if it is in one.

        Parameters
        ----------
        variable, stat, level : str
            Place of the rows.

        Returns
        -------
        str
            The common reason.

        Raises
        ------
        None
        """
        rows = [self.row(stat, group=g, variable=variable, level=level) for g in self.groups]
        reasons = {str(row["reason"]) for row in rows if row is not None and row["status"] == "NA"}
        return (
            reasons.pop() if len(reasons) == 1 and all(r is None or r["status"] == "NA" for r in rows) else ""
        )

    def size(self, group: str, *, variable: str = "population") -> Cell:
        """Return the size of a column as ``N=x``.

        Parameters
        ----------
        group, variable : str
            Place of the row.

        Returns
        -------
        Cell
            With the id of the row.

        Raises
        ------
        KeyError
            If the Result does not state the size.
        """
        row = self.need("N", group=group, variable=variable)
        return Cell(f"N={int(row['n'])}", (row["result_id"],))

    def count(self, group: str, variable: str, *, level: str = "", stat: str = "n") -> Cell:
        """Return a count with its percentage of the column.

        Parameters
        ----------
        group, variable, level, stat : str
            Place of the row.

        Returns
        -------
        Cell
            A dash if there is no row.

        Raises
        ------
        None
        """
        row = self.row(stat, group=group, variable=variable, level=level)
        if row is None or row["status"] not in ("OK", "FLAG"):
            return _without(row)
        x = int(row["n"])
        has_base = row["N"] is not None and not _missing(row["N"])
        return Cell(count_text(x, int(row["N"]), mode=self.mode) if has_base else f"{x}", (row["result_id"],))

    def plain(self, group: str, variable: str, *, level: str = "", stat: str = "n") -> Cell:
        """Return a count without percentage.

        Parameters
        ----------
        group, variable, level, stat : str
            Place of the row.

        Returns
        -------
        Cell
            A dash if there is no row.

        Raises
        ------
        None
        """
        row = self.row(stat, group=group, variable=variable, level=level)
        if row is None or row["status"] not in ("OK", "FLAG"):
            return _without(row)
        return Cell(f"{int(row['value'])}", (row["result_id"],))

    def counted(
        self, group: str, variable: str, *, level: str = "", stats: tuple[str, str] = ("n", "events")
    ) -> Cell:
        """Return participants with their percentage and, in brackets, events.

        Parameters
        ----------
        group, variable, level : str
            Place of the rows.
        stats : tuple of str
            Stats of participants and events.

        Returns
        -------
        Cell
            With the ids of both.

        Raises
        ------
        None
        """
        people = self.count(group, variable, level=level, stat=stats[0])
        events = self.plain(group, variable, level=level, stat=stats[1])
        if not events.keys or events.text == "0":
            return Cell(people.text, (*people.keys, *events.keys))
        return Cell(f"{people.text} [{events.text}]", (*people.keys, *events.keys))

    def rate(self, group: str, variable: str, *, level: str = "") -> Cell:
        """Return x/n with its percentage.

        Parameters
        ----------
        group, variable, level : str
            Place of the rows (stat rate).

        Returns
        -------
        Cell
            ``0/0`` for an empty column.

        Raises
        ------
        None
        """
        row = self.row("rate", group=group, variable=variable, level=level)
        if row is None or row["status"] == "NA" or _missing(row["n"]) or _missing(row["N"]):
            return _without(row)
        base = self.row("N", group=group, variable=variable, level=level)
        keys = (row["result_id"],) if base is None else (row["result_id"], base["result_id"])
        return Cell(rate_text(int(row["n"]), int(row["N"]), mode=self.mode), keys)

    def interval(
        self, group: str, variable: str, *, level: str = "", digits: int = 1, factor: float = 100.0
    ) -> Cell:
        """Return both limits in parentheses.

        Parameters
        ----------
        group, variable, level : str
            Place of the rows (stats lower, upper).
        digits : int
            Decimals.
        factor : float
            100 for proportions, 1 for other values.

        Returns
        -------
        Cell
            ``NE`` if neither limit exists.

        Raises
        ------
        None
        """
        rows = [self.row(stat, group=group, variable=variable, level=level) for stat in ("lower", "upper")]
        if any(row is None for row in rows):
            return Cell(DASH)
        texts = [self.number_text(row, digits=digits, factor=factor) for row in rows if row is not None]
        keys = tuple(row["result_id"] for row in rows if row is not None)
        if texts[0] == texts[1] and not any(map(str.isdigit, texts[0])):
            return Cell(texts[0], keys)
        return Cell(f"({texts[0]}, {texts[1]})", keys)

    def value(
        self, group: str, variable: str, stat: str, *, level: str = "", digits: int = 1, factor: float = 1.0
    ) -> Cell:
        """Return one number.

        Parameters
        ----------
        group, variable, stat, level : str
            Place of the row.
        digits : int
            Decimals.
        factor : float
            Multiplied with the value before rounding.

        Returns
        -------
        Cell
            A dash if there is no row, else the status if there is no number.

        Raises
        ------
        None
        """
        row = self.row(stat, group=group, variable=variable, level=level)
        if row is None:
            return Cell(DASH)
        return Cell(self.number_text(row, digits=digits, factor=factor), (row["result_id"],))

    def words(self, group: str, variable: str, stat: str, *, level: str = "") -> Cell:
        """Return the text of a row.

        Parameters
        ----------
        group, variable, stat, level : str
            Place of the row.

        Returns
        -------
        Cell
            A dash if there is no row.

        Raises
        ------
        None
        """
        row = self.row(stat, group=group, variable=variable, level=level)
        if row is None:
            return Cell(DASH)
        return Cell(str(row["text"] or DASH), (row["result_id"],))

    def number_text(self, row: Mapping[str, Any], *, digits: int, factor: float = 1.0) -> str:
        """Return the number of a row as text, or its status.

        Parameters
        ----------
        row : mapping
            A row of the Result.
        digits : int
            Decimals.
        factor : float
            Multiplied with the value before rounding.

        Returns
        -------
        str
            For example ``12.5`` or ``NR``.

        Raises
        ------
        None
        """
        if row["status"] not in ("OK", "FLAG"):
            return word("status", str(row["status"]))
        guard = self.study.rounding.guard_digits
        return decimal_text(float(row["value"]) * factor, digits=digits, mode=self.mode, guard_digits=guard)


def decimals(variable: str) -> int:
    """Return the decimals of the raw values of a variable.

    Parameters
    ----------
    variable : str
        ADSL variable.

    Returns
    -------
    int
        One if the label table states none.

    Raises
    ------
    None
    """
    return int(settings("decimals").get(variable, 1))


def _without(row: Mapping[str, Any] | None) -> Cell:
    if row is None:
        return Cell(DASH)
    return Cell(word("status", str(row["status"])), (row["result_id"],))


def _missing(value: Any) -> bool:
    try:
        return math.isnan(float(value))
    except TypeError:
        return True
