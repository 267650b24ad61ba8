"""Records: one domain as the checks read it, whatever types its columns have; Hit: one thing that a check saw."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interim.data.dates import parse_dates

_EXACT = 2**53


@dataclass(frozen=True)
class Hit:
    """One thing that a check saw; the runner makes a `Finding` of it.

    Attributes
    ----------
    domain : str
        SDTM domain.
    place : int or None
        Position of the record in the domain, None if the hit belongs to no record.
    message : str
        What is wrong and what to do.
    variable, expected : str or None
        Variable, and value expected.
    value : str or None
        Value to print; None: the record's own.
    key : tuple of str or None
        Key to print; None: the record's natural key.
    subject : str or None
        USUBJID; None: the record's own.
    effect : tuple of str
        Further tables and figures that this hit can move, beside those of its rule.
    """

    domain: str
    place: int | None
    message: str
    variable: str | None = None
    expected: str | None = None
    value: str | None = None
    key: tuple[str, ...] | None = None
    subject: str | None = None
    effect: tuple[str, ...] = ()


def plain(value: object) -> str | None:
    """Return a cell as text.

    Parameters
    ----------
    value : object
        Text, number or missing.

    Returns
    -------
    str or None
        None for a missing cell or empty text; a whole number without decimals.

    Raises
    ------
    None

    Examples
    --------
    >>> plain(3.0), plain("x "), plain(float("nan"))
    ('3', 'x ', None)
    """
    if value is None or value is pd.NaT or value is pd.NA or value == "" or value != value:
        return None
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def normal(text: str) -> str:
    """Return a text in the form in which codes are compared.

    Parameters
    ----------
    text : str
        As collected.

    Returns
    -------
    str
        Unicode NFKC without outer blanks.

    Raises
    ------
    None

    Examples
    --------
    >>> normal("ＰＲ ")
    'PR'
    """
    return unicodedata.normalize("NFKC", text).strip()


class Records:
    """One domain as the checks read it.

    Parameters
    ----------
    name : str
        Domain name.
    frame : pandas.DataFrame
        Its records; never changed.
    """

    def __init__(self, name: str, frame: pd.DataFrame) -> None:
        self.name = name
        self.source = frame
        self.frame = frame.reset_index(drop=True)
        self._made: dict[tuple[str, str], Any] = {}
        self._factors: dict[str, tuple[np.ndarray, Any]] = {}
        self._cells: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, *columns: str) -> bool:
        """Tell whether all these columns were delivered.

        Parameters
        ----------
        *columns : str
            Variable names.

        Returns
        -------
        bool
            True if each is a column.

        Raises
        ------
        None
        """
        return all(column in self.frame for column in columns)

    def none(self) -> pd.Series:
        """Return a column of False.

        Returns
        -------
        pandas.Series of bool
            One per record.

        Raises
        ------
        None
        """
        return pd.Series(False, index=self.frame.index)

    def text(self, column: str) -> pd.Series:
        """Return a column as text.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.

        Returns
        -------
        pandas.Series of object
            Text as collected, None for missing.

        Raises
        ------
        None
        """
        return self._column("text", column, plain)

    def code(self, column: str) -> pd.Series:
        """Return a column as codes: capitals, NFKC, without outer blanks.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.

        Returns
        -------
        pandas.Series of object
            None for missing.

        Raises
        ------
        None
        """
        return self._column("code", column, _code)

    def number(self, column: str) -> pd.Series:
        """Return a column as numbers.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.

        Returns
        -------
        pandas.Series of float64
            NaN where the cell is missing or no number.

        Raises
        ------
        None
        """
        key = ("number", column)
        if key not in self._made:
            values = pd.to_numeric(self.code(column), errors="coerce").astype("float64")
            self._made[key] = values.where(np.isfinite(values))
        made: pd.Series = self._made[key]
        return made

    def dates(self, column: str) -> pd.DataFrame:
        """Return a column of ISO 8601 dates as read by `interim.data.dates.parse_dates`.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.

        Returns
        -------
        pandas.DataFrame
            FIRST, LAST, START, DT, DTM, PRECISION, VALID.

        Raises
        ------
        None
        """
        key = ("dates", column)
        if key not in self._made:
            self._made[key] = parse_dates(self.code(column))
        made: pd.DataFrame = self._made[key]
        return made

    def subjects(self) -> pd.Series:
        """Return USUBJID of each record.

        Returns
        -------
        pandas.Series of object
            Text, None for missing.

        Raises
        ------
        None
        """
        return self._column("normal", "USUBJID", _normal)

    def cell(self, place: int, column: str) -> str | None:
        """Return one cell as text.

        Parameters
        ----------
        place : int
            Position of the record.
        column : str
            Variable name.

        Returns
        -------
        str or None
            None if missing or absent.

        Raises
        ------
        None
        """
        if column not in self._cells:
            self._cells[column] = self.text(column).to_numpy()
        value: str | None = self._cells[column][place]
        return value

    def distinct(self, column: str) -> list[str]:
        """Return the distinct texts of a column, as collected.

        Parameters
        ----------
        column : str
            Variable name; an absent one has none.

        Returns
        -------
        list of str
            In the order of their first record; no missing cell.

        Raises
        ------
        None
        """
        if column not in self.frame:
            return []
        return [text for value in self._factor(column)[1] if (text := plain(value)) is not None]

    def pairs(self, *columns: str) -> np.ndarray:
        """Return a number for each record that is the same where participant and codes of some columns are.

        Parameters
        ----------
        *columns : str
            Variable names; missing cells are equal.

        Returns
        -------
        numpy.ndarray of int64
            From 0; made once.

        Raises
        ------
        None
        """
        key = ("pairs", "\t".join(columns))
        if key not in self._made:
            place = np.zeros(len(self), dtype=np.int64)
            for column in columns:
                texts = self.subjects() if column == "USUBJID" else self.code(column)
                codes, distinct = pd.factorize(texts)
                place = place * (len(distinct) + 1) + codes + 1
            self._made[key] = pd.factorize(place)[0]
        made: np.ndarray = self._made[key]
        return made

    def matching(self, column: str, pattern: str) -> pd.Series:
        """Tell the codes of a column that begin with a pattern; each distinct one is looked at once.

        Parameters
        ----------
        column : str
            Variable name; an absent one matches nowhere.
        pattern : str
            Regular expression.

        Returns
        -------
        pandas.Series of bool
            One per record, False for a missing cell.

        Raises
        ------
        None
        """
        if column not in self.frame:
            return self.none()
        codes, distinct = self._factor(column)
        begins = re.compile(pattern).match
        texts = (_code(value) for value in distinct)
        found = np.array(
            [*(text is not None and begins(text) is not None for text in texts), False], dtype=bool
        )
        return pd.Series(found[codes], index=self.frame.index)

    def _factor(self, column: str) -> tuple[np.ndarray, Any]:
        """Return the place of each cell among the distinct values of a column (-1 for a missing cell), and those."""
        if column not in self._factors:
            self._factors[column] = pd.factorize(self.frame[column], use_na_sentinel=True)
        return self._factors[column]

    def _column(self, kind: str, column: str, convert: Callable[[object], str | None]) -> pd.Series:
        key = (kind, column)
        if key not in self._made:
            self._made[key] = self._converted(column, convert)
        made: pd.Series = self._made[key]
        return made

    def _converted(self, column: str, convert: Callable[[object], str | None]) -> pd.Series:
        """Convert each distinct value once; whole numbers are converted together."""
        if column not in self.frame:
            return pd.Series([None] * len(self.frame), index=self.frame.index, dtype=object)
        codes, distinct = self._factor(column)
        values = np.empty(len(distinct) + 1, dtype=object)
        if _whole(distinct):
            values[:-1] = np.asarray(distinct).astype(np.int64).astype(str)
        else:
            values[:-1] = [convert(value) for value in distinct]
        return pd.Series(values[codes], index=self.frame.index, dtype=object)


def _whole(values: Any) -> bool:
    """Tell whether all values are whole numbers that are written without an exponent."""
    kind = getattr(values, "dtype", None)
    if kind is None or kind.kind not in "if" or not len(values):
        return False
    numbers = np.asarray(values, dtype=float)
    return bool((np.isfinite(numbers) & (np.abs(numbers) < _EXACT) & (numbers % 1 == 0)).all())


def _normal(value: object) -> str | None:
    text = plain(value)
    return None if text is None else (normal(text) or None)


def _code(value: object) -> str | None:
    text = _normal(value)
    return None if text is None else text.upper()


def each(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a table as named tuples.

    Parameters
    ----------
    table : pandas.DataFrame
        Column names are Python identifiers.

    Yields
    ------
    namedtuple
        One per row, without the index.

    Raises
    ------
    None
    """
    yield from table.itertuples(index=False)


def hits(
    records: Records,
    where: pd.Series,
    *,
    message: str | pd.Series,
    variable: str | None = None,
    expected: str | pd.Series | None = None,
) -> Iterator[Hit]:
    """Yield one hit for each record that meets a condition.

    Parameters
    ----------
    records : Records
        The domain.
    where : pandas.Series of bool
        One per record, missing is False.
    message : str or pandas.Series of str
        What is wrong and what to do; one for all, or one per record.
    variable : str, optional
        Variable concerned.
    expected : str or pandas.Series of str, optional
        Value expected.

    Yields
    ------
    Hit
        In the order of the records.

    Raises
    ------
    None
    """
    for place in np.flatnonzero(where.fillna(False).to_numpy(dtype=bool)).tolist():
        yield Hit(records.name, place, str(_at(message, place)), variable, _at(expected, place))


def hits_per(
    records: Records,
    where: pd.Series,
    *,
    by: Sequence[str],
    message: str,
    variable: str | None = None,
    expected: str | None = None,
) -> Iterator[Hit]:
    """Yield one hit for each participant and group of identical records that meet a condition.

    Parameters
    ----------
    records : Records
        The domain.
    where : pandas.Series of bool
        One per record, missing is False.
    by : sequence of str
        Variables that make a group within a participant, for example the test; they are the key of the hit.
    message : str
        What is wrong and what to do; the number of records is added.
    variable, expected : str, optional
        As in `hits`.

    Yields
    ------
    Hit
        One per participant and group, at the first record by --SEQ.

    Raises
    ------
    None
    """
    chosen = where.fillna(False).to_numpy(dtype=bool)
    if not chosen.any():
        return
    table = pd.DataFrame({"SUBJECT": records.subjects(), "SEQ": records.number(f"{records.name}SEQ")})
    for name in by:
        table[name] = records.text(name)
    for key, rows in table[chosen].groupby(["SUBJECT", *by], sort=True, dropna=False):
        first = int(rows.sort_values("SEQ", kind="stable").index[0])
        text = f"{message} ({len(rows)} record{'s' if len(rows) > 1 else ''})"
        labels = tuple(plain(part) or "" for part in key[1:])
        yield Hit(records.name, first, text, variable, expected, key=labels)


def _at(value: str | pd.Series | None, place: int) -> str | None:
    return plain(value.to_numpy()[place]) if isinstance(value, pd.Series) else value
