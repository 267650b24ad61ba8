"""Records: one domain as the checks read it, whatever types its columns have; Hit: one thing that a check saw."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from interim.data.dates import date_table

_EXACT = 2**53
_WIDEST = 2**62


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
        self.frame = _numbered(frame)
        self._made: dict[tuple[str, str], Any] = {}
        self._factors: dict[str, tuple[np.ndarray, Any]] = {}

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
            self._made[key] = pd.Series(self._numbers(column), index=self.frame.index)
        made: pd.Series = self._made[key]
        return made

    def _numbers(self, column: str) -> np.ndarray:
        """Return the numbers of a column; each distinct text is read once."""
        if column in self.frame and self.frame[column].dtype == np.float64:
            values = self.frame[column].to_numpy()
        else:
            places, codes = self.coded(column)
            read = pd.to_numeric(pd.Series([*codes, None], dtype=object), errors="coerce")
            values = read.to_numpy(dtype="float64")[places]
        finite = np.isfinite(values)
        return values if finite.all() else np.where(finite, values, np.nan)

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
            places, codes = self.coded(column)
            self._made[key] = date_table(codes, places, index=self.frame.index)
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
        return plain(self.frame[column].iloc[place]) if column in self.frame else None

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

    def coded(
        self, column: str, *, kind: Literal["code", "normal"] = "code"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the place of each cell among the distinct codes of a column, and these.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.
        kind : {"code", "normal"}
            As `code`, or as `subjects` (capitals are kept).

        Returns
        -------
        tuple of (numpy.ndarray of int64, numpy.ndarray of object)
            Places, -1 for a missing cell; codes in the order of their first record. Made once.

        Raises
        ------
        None
        """
        key = (f"coded {kind}", column)
        if key not in self._made:
            self._made[key] = self._coded(column, _code if kind == "code" else _normal)
        made: tuple[np.ndarray, np.ndarray] = self._made[key]
        return made

    def _coded(self, column: str, convert: Callable[[object], str | None]) -> tuple[np.ndarray, np.ndarray]:
        if column not in self.frame:
            return np.full(len(self.frame), -1), np.empty(0, dtype=object)
        raw, distinct = self._factor(column)
        if _whole(distinct):
            return raw, np.asarray(distinct).astype(np.int64).astype(str).astype(object)
        texts = np.empty(len(distinct) + 1, dtype=object)
        texts[:-1] = [convert(value) for value in distinct]
        places, codes = pd.factorize(texts, use_na_sentinel=True)
        return places[raw], codes

    def identity(self, column: str) -> np.ndarray:
        """Return a number for each cell of a column that is the same where the codes are.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.

        Returns
        -------
        numpy.ndarray of int64
            -1 for a missing cell; whole numbers are not written out as text for it.

        Raises
        ------
        None
        """
        if column in self.frame:
            raw, distinct = self._factor(column)
            if _whole(distinct):
                return raw
        return self.coded(column)[0]

    def equal(self, column: str, *codes: str) -> pd.Series:
        """Tell the records whose code is one of some codes.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.
        *codes : str
            In capitals.

        Returns
        -------
        pandas.Series of bool
            One per record, False for a missing cell.

        Raises
        ------
        None
        """
        places, known = self.coded(column)
        found = np.array([*(code in codes for code in known), False], dtype=bool)
        return pd.Series(found[places], index=self.frame.index)

    def given(self, column: str) -> pd.Series:
        """Tell the records in which a cell is filled.

        Parameters
        ----------
        column : str
            Variable name; an absent one is all missing.

        Returns
        -------
        pandas.Series of bool
            One per record.

        Raises
        ------
        None
        """
        return pd.Series(self.identity(column) >= 0, index=self.frame.index)

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
            parts = [self.coded(c, kind="normal")[0] if c == "USUBJID" else self.identity(c) for c in columns]
            self._made[key] = grouped(*parts)
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
        places, codes = self.coded(column)
        begins = re.compile(pattern).match
        found = np.array([*(begins(text) is not None for text in codes), False], dtype=bool)
        return pd.Series(found[places], index=self.frame.index)

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


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose rows are numbered from 0: the frame itself if they are."""
    index = frame.index
    plain_range = isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)
    return frame if plain_range else frame.reset_index(drop=True)


def grouped(*places: np.ndarray) -> np.ndarray:
    """Return a number for each record that is the same where all of some numbers are.

    Parameters
    ----------
    *places : numpy.ndarray of int64
        One number per record in each, -1 or more, of at least one.

    Returns
    -------
    numpy.ndarray of int64
        From 0, in the order of the first records.

    Raises
    ------
    None

    Examples
    --------
    >>> grouped(np.array([5, 5, -1, 5]), np.array([0, 1, 0, 0])).tolist()
    [0, 1, 2, 0]
    """
    group, size = np.zeros(len(places[0]), dtype=np.int64), 1
    for part in places:
        width = int(part.max(initial=-1)) + 2
        if size > _WIDEST // width:
            group = np.asarray(pd.factorize(group)[0], dtype=np.int64)
            size = int(group.max(initial=0)) + 1
        group, size = group * width + part + 1, size * width
    return np.asarray(pd.factorize(group)[0], dtype=np.int64)


def _whole(values: Any) -> bool:
    """Tell whether all values are whole numbers that are written without an exponent."""
    kind = getattr(values, "dtype", None)
    if kind is None or kind.kind not in "if" or not len(values):
        return False
    numbers = np.asarray(values, dtype=float)
    small = np.abs(numbers) < _EXACT
    return bool(small.all() and (numbers % 1 == 0).all())


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
    chosen = where if where.dtype == bool else where.fillna(False)
    for place in np.flatnonzero(chosen.to_numpy(dtype=bool)).tolist():
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
    chosen = (where if where.dtype == bool else where.fillna(False)).to_numpy(dtype=bool)
    if not chosen.any():
        return
    table = pd.DataFrame({"SUBJECT": records.subjects(), "SEQ": records.number(f"{records.name}SEQ")})[chosen]
    for name in by:
        table[name] = records.text(name)[chosen]
    for key, rows in table.groupby(["SUBJECT", *by], sort=True, dropna=False):
        first = int(rows.sort_values("SEQ", kind="stable").index[0])
        text = f"{message} ({len(rows)} record{'s' if len(rows) > 1 else ''})"
        labels = tuple(plain(part) or "" for part in key[1:])
        yield Hit(records.name, first, text, variable, expected, key=labels)


def _at(value: str | pd.Series | None, place: int) -> str | None:
    return plain(value.to_numpy()[place]) if isinstance(value, pd.Series) else value
