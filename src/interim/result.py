"""Results: one tidy row per number, each with an id, a status and the records it came from."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Status = Literal["OK", "FLAG", "NE", "NR", "INF", "NA"]
STATUSES: tuple[Status, ...] = ("OK", "FLAG", "NE", "NR", "INF", "NA")
TOTAL = "Total"
_NO_SLUG = re.compile(r"[^\w.+<>=]+")

COLUMNS = (
    "analysis_id",
    "result_id",
    "scope",
    "group_var",
    "group",
    "variable",
    "level",
    "stat",
    "value",
    "text",
    "unit",
    "n",
    "N",
    "method",
    "status",
    "reason",
)
LINK_COLUMNS = ("result_id", "USUBJID", "SRCDOM", "SRCSEQ")
Link = tuple[str, str, str | None, str | None]


def slug(text: object) -> str:
    """Return a text as one path part of a result id.

    Parameters
    ----------
    text : object
        Anything printable.

    Returns
    -------
    str
        Lower case; every run of other characters than letters, digits, ``.``, ``+``, ``<``, ``>``, ``=`` becomes ``-``.

    Raises
    ------
    None

    Examples
    --------
    >>> slug("DL1 1.5e7"), slug("Non-target > 3")
    ('dl1-1.5e7', 'non-target->-3')
    """
    return _slug(str(text))


@lru_cache(maxsize=65536)
def _slug(text: str) -> str:
    return _NO_SLUG.sub("-", text.strip().lower()).strip("-")


@dataclass(frozen=True)
class Result:
    """The answer to one question, as tidy rows.

    Attributes
    ----------
    analysis_id : str
        Name of the question, for example ``response.bor``.
    frame : pandas.DataFrame
        One row per number; columns ``interim.result.COLUMNS``; key ``result_id``.
    links : pandas.DataFrame
        Columns result_id, USUBJID, SRCDOM, SRCSEQ: the records behind each number.
    title, population, method : str
        What is printed above a table or figure made from it.
    footnotes : tuple of str
        Notes that belong to the numbers.
    """

    analysis_id: str
    frame: pd.DataFrame
    links: pd.DataFrame
    title: str
    population: str = ""
    method: str = ""
    footnotes: tuple[str, ...] = ()

    def get(self, result_id: str) -> Mapping[str, Any]:
        """Return one row.

        Parameters
        ----------
        result_id : str
            Full id, with or without the leading analysis id.

        Returns
        -------
        mapping
            The row, by column name.

        Raises
        ------
        KeyError
            If there is no such row; the message lists near ids.
        """
        full = (
            result_id
            if result_id.startswith(slug(self.analysis_id) + "/")
            else f"{slug(self.analysis_id)}/{result_id}"
        )
        if full not in self._given:
            place = self._places.get(full)
            if place is None:
                raise KeyError(
                    f"no result {full!r} in {self.analysis_id}; {_nearest(full, self.frame['result_id'])}"
                )
            self._given[full] = {str(k): v for k, v in self.frame.iloc[place].items()}
        return dict(self._given[full])

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: which rows were asked for is no part of the answer, nor of its hash."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def _given(self) -> dict[str, dict[str, Any]]:
        """The rows that were asked for: sentences of all documents and languages ask for the same ones."""
        return {}

    @cached_property
    def behind(self) -> Mapping[str, tuple[tuple[str, str | None, str | None], ...]]:
        """Result id -> participant, domain and sequence number of each record behind it."""
        found: dict[str, list[tuple[str, str | None, str | None]]] = {}
        columns = [self.links[name].tolist() for name in LINK_COLUMNS]
        for key, *link in zip(*columns, strict=True):
            found.setdefault(key, []).append((link[0], link[1], link[2]))
        return {key: tuple(links) for key, links in found.items()}

    @cached_property
    def _places(self) -> Mapping[str, int]:
        """Result id -> number of its row; of two rows with one id the first counts."""
        ids = self.frame["result_id"].tolist()
        return dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True))

    def where(self, **columns: object) -> pd.DataFrame:
        """Return the rows whose columns have the given values, in their order.

        Parameters
        ----------
        **columns : object
            Column name = value.

        Returns
        -------
        pandas.DataFrame
            The matching rows.

        Raises
        ------
        KeyError
            If a column does not exist.
        """
        frame = self.frame
        for name, value in columns.items():
            frame = frame[frame[name] == value]
        return frame

    def _repr_html_(self) -> str:
        return f"<p>{self.title} ({self.population})</p>{self.frame.to_html(index=False)}"


def _nearest(text: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(text, list(known), n=3)
    return "nearest: " + ", ".join(near) if near else "none is near"


@dataclass
class Rows:
    """Collects the rows of one Result.

    Attributes
    ----------
    analysis_id, title, population, method : str
        As in `Result`.
    footnotes : tuple of str
        As in `Result`.
    scope : str
        ``package`` (printed) or ``internal``.
    group_var : str
        Variable behind the columns of the table.
    """

    analysis_id: str
    title: str
    population: str = ""
    method: str = ""
    footnotes: tuple[str, ...] = ()
    scope: str = "package"
    group_var: str = "COHORT"
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _links: list[Link] = field(default_factory=list)

    def add(
        self,
        stat: str,
        value: float | int | None,
        *,
        group: str = TOTAL,
        variable: str = "",
        level: str = "",
        **more: Any,
    ) -> str:
        """Add one number.

        Parameters
        ----------
        stat : str
            Name of the statistic: n, x, rate, lower, upper, median, ...
        value : float, int or None
            The unrounded number; None needs a status other than OK, or a text.
        group, variable, level : str
            Column of the table, what is summarised, which level of it.
        **more : object
            text, unit, n, N, method, status, reason, scope; ``subjects`` (USUBJIDs behind the number) and ``sources``
            (tuples USUBJID, SRCDOM, SRCSEQ).

        Returns
        -------
        str
            The result id.

        Raises
        ------
        ValueError
            If a value is missing without a status, a status is unknown, or NaN is given as OK.
        TypeError
            If a keyword is unknown.
        """
        sources = more.pop("sources", ())
        subjects = more.pop("subjects", ())
        parts = (self.analysis_id, group, variable, level, stat)
        result_id = "/".join(slug(part) or "-" for part in parts)
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        unknown = set(more) - {"text", "unit", "n", "N", "method", "status", "reason", "scope"}
        if unknown:
            raise TypeError(f"{result_id}: unknown keyword {sorted(unknown)}")
        row.update(
            analysis_id=self.analysis_id,
            result_id=result_id,
            scope=self.scope,
            group_var=self.group_var,
            group=group,
            variable=variable,
            level=level,
            stat=stat,
            value=math.nan if value is None else float(value),
            status="OK",
            method=self.method,
            reason="",
            unit="",
        )
        row.update(more)
        _check(row)
        self._rows.append(row)
        self._links.extend((result_id, subject, None, None) for subject in subjects)
        self._links.extend((result_id, *source) for source in sources)
        return result_id

    def build(self) -> Result:
        """Return the frozen Result.

        Returns
        -------
        Result
            With the rows in the order in which they were added.

        Raises
        ------
        ValueError
            If two rows have the same id.
        """
        import numpy as np
        import pandas as pd

        ids = Counter(row["result_id"] for row in self._rows)
        twice = [result_id for result_id, times in ids.items() if times > 1]
        if twice:
            raise ValueError(f"{self.analysis_id}: result id used twice: {twice[:5]}")
        kinds = dict.fromkeys(COLUMNS) | {"value": "float64", "n": "Int64", "N": "Int64"}
        frame = pd.DataFrame(
            {
                name: np.array(column, dtype=object) if kind is None else pd.array(column, dtype=kind)
                for name, kind in kinds.items()
                for column in ([row[name] for row in self._rows],)
            }
        )
        links = pd.DataFrame(list(_distinct(self._links)), columns=list(LINK_COLUMNS), dtype=object)
        return Result(
            self.analysis_id, frame, links, self.title, self.population, self.method, self.footnotes
        )


def _distinct(links: Iterable[Link]) -> Iterable[Link]:
    """Return each link once, in the order of the first; a missing part equals a missing part."""
    found: dict[Link, Link] = {}
    for link in links:
        found.setdefault((link[0], link[1], link[2], None if link[3] != link[3] else link[3]), link)
    return found.values()


def _check(row: Mapping[str, Any]) -> None:
    where = row["result_id"]
    if row["status"] not in STATUSES:
        raise ValueError(f"{where}: status {row['status']!r} is not one of {STATUSES}")
    empty = math.isnan(row["value"]) and row["text"] is None
    if row["status"] in ("OK", "FLAG") and empty:
        raise ValueError(f"{where}: status {row['status']} needs a value or a text")
    if row["status"] != "OK" and not row["reason"]:
        raise ValueError(f"{where}: status {row['status']} needs a reason")


@dataclass(frozen=True)
class ResultStore(Mapping[str, Result]):
    """All results of a run, by analysis id; finds any number by its result id.

    Attributes
    ----------
    results : mapping of str to Result
        By analysis id.
    """

    results: Mapping[str, Result]

    def __getitem__(self, analysis_id: str) -> Result:
        """Return the result of one question."""
        if analysis_id not in self.results:
            raise KeyError(f"no analysis {analysis_id!r}; {_nearest(analysis_id, self.results)}")
        return self.results[analysis_id]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the analysis ids."""
        return iter(self.results)

    def __len__(self) -> int:
        """Return the number of analyses."""
        return len(self.results)

    def find(self, result_id: str) -> Mapping[str, Any]:
        """Return the row of a result id.

        Parameters
        ----------
        result_id : str
            Full id; its first part is the analysis id.

        Returns
        -------
        mapping
            The row, by column name.

        Raises
        ------
        KeyError
            If the analysis or the row does not exist.
        """
        head = result_id.split("/", 1)[0]
        if head in self._heads:
            return self.results[self._heads[head]].get(result_id)
        raise KeyError(f"no analysis {head!r} for {result_id!r}; {_nearest(head, self.results)}")

    @cached_property
    def _heads(self) -> Mapping[str, str]:
        """First part of the result ids of an analysis -> its id."""
        return {slug(analysis_id): analysis_id for analysis_id in self.results}

    def frame(self) -> pd.DataFrame:
        """Return all rows, sorted by analysis id, in the order of each analysis.

        Returns
        -------
        pandas.DataFrame
            Columns ``interim.result.COLUMNS``.

        Raises
        ------
        None
        """
        import pandas as pd

        parts = [self.results[key].frame for key in sorted(self.results)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))

    def links(self) -> pd.DataFrame:
        """Return the records behind all numbers.

        Returns
        -------
        pandas.DataFrame
            Columns result_id, USUBJID, SRCDOM, SRCSEQ.

        Raises
        ------
        None
        """
        import pandas as pd

        parts = [self.results[key].links for key in sorted(self.results)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(LINK_COLUMNS))
