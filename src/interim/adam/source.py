"""Columns of source frames that may be absent, and the name of the record behind a derived row."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from interim.data.dates import parse_dates
from interim.study.tables import freeze

SOURCE = ("SRCDOM", "SRCSEQ")


@cache
def shipped_data(name: str) -> dict[str, Any]:
    """Return a data file that ships beside the modules of this room.

    Parameters
    ----------
    name : str
        File name without ``.toml``.

    Returns
    -------
    dict
        Its tables; lists are tuples.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    text = files("interim.adam").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    tables: dict[str, Any] = freeze(tomllib.loads(text))
    return tables


def text_column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column, upper case and stripped; all missing if it is absent.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame.
    name : str
        Column.

    Returns
    -------
    pandas.Series of object
        Same index; None for missing or blank.

    Raises
    ------
    None
    """
    if name not in frame:
        return pd.Series([None] * len(frame), index=frame.index, dtype=object)
    return by_distinct(frame[name], _upper)


def _upper(text: str) -> str | None:
    return text.strip().upper() or None


def by_distinct(values: pd.Series, function: Callable[[str], Any]) -> pd.Series:
    """Apply a function to each distinct text once: long columns hold few of them.

    Parameters
    ----------
    values : pandas.Series of object
        Texts; missing ones stay missing.
    function : callable
        Text -> answer.

    Returns
    -------
    pandas.Series of object
        Same index; None for missing.

    Raises
    ------
    None

    Examples
    --------
    >>> by_distinct(pd.Series(["g/l", None, "g/l"]), str.upper).tolist()
    ['G/L', None, 'G/L']
    """
    codes, names = pd.factorize(values)
    answers = np.array([*(function(str(name)) for name in names), None], dtype=object)
    return pd.Series(answers[codes], index=values.index, dtype=object)


def number_column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a numeric column; NaN where it is absent, missing or no number.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame.
    name : str
        Column.

    Returns
    -------
    pandas.Series of float64
        Same index.

    Raises
    ------
    None
    """
    if name not in frame:
        return pd.Series(float("nan"), index=frame.index, dtype="float64")
    return pd.to_numeric(frame[name], errors="coerce").astype("float64")


def date_columns(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a --DTC column read as dates; all missing if it is absent.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame.
    name : str
        Column of ISO 8601 text.

    Returns
    -------
    pandas.DataFrame
        Same index; the columns of `interim.data.dates.parse_dates`.

    Raises
    ------
    None
    """
    if name not in frame:
        return parse_dates(pd.Series(None, index=frame.index, dtype=object))
    return parse_dates(frame[name])


def source_of(frame: pd.DataFrame, domain: str) -> pd.DataFrame:
    """Return the name of the source record of each row.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of a domain.
    domain : str
        Its name; the sequence number is ``<domain>SEQ``.

    Returns
    -------
    pandas.DataFrame
        Same index; SRCDOM, SRCSEQ (text, None if the domain has no sequence number).

    Raises
    ------
    None
    """
    name = f"{domain}SEQ"
    numbers = frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)
    answer = pd.DataFrame({"SRCDOM": domain, "SRCSEQ": numbers.map(sequence_text)}, index=frame.index)
    return answer.astype(object).where(answer.notna(), None)


def sequence_text(value: object) -> str | None:
    """Return a sequence number as text, whatever type the file gave it.

    Parameters
    ----------
    value : object
        3, 3.0 or "3".

    Returns
    -------
    str or None
        None for missing.

    Raises
    ------
    None

    Examples
    --------
    >>> sequence_text(3.0), sequence_text("12"), sequence_text(None)
    ('3', '12', None)
    """
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def by_subject(frame: pd.DataFrame, values: pd.DataFrame, column: str) -> pd.Series:
    """Return a value of each row's participant.

    Parameters
    ----------
    frame : pandas.DataFrame
        Has USUBJID.
    values : pandas.DataFrame
        One row per USUBJID.
    column : str
        Column of ``values``.

    Returns
    -------
    pandas.Series
        On the index of ``frame``, with the type of the column.

    Raises
    ------
    None
    """
    places = pd.Index(values["USUBJID"]).get_indexer(frame["USUBJID"])
    found = pd.api.extensions.take(values[column].to_numpy(), places, allow_fill=True)
    return pd.Series(found, index=frame.index, name=column, dtype=values[column].dtype)


def complete_sums(values: pd.Series, by: pd.Series) -> pd.Series:
    """Return the sum of each group, missing where one of its values is.

    Parameters
    ----------
    values : pandas.Series of float64
        Numbers.
    by : pandas.Series
        Group of each, same index.

    Returns
    -------
    pandas.Series of float64
        Index: groups, sorted.

    Raises
    ------
    None

    Examples
    --------
    >>> complete_sums(pd.Series([1.0, 2.0, None]), pd.Series(["a", "a", "b"])).tolist()
    [3.0, nan]
    """
    sums = values.astype("float64").groupby(by).sum()
    return sums.where(values.notna().groupby(by).all())


def ordered(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows in the order of their keys, whatever order they came in, with a new index.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame.
    keys : list of str
        Columns; texts of digits only sort as numbers when all of the column's values are.

    Returns
    -------
    pandas.DataFrame
        Sorted copy, missing last.

    Raises
    ------
    None
    """

    def as_number(column: pd.Series) -> pd.Series:
        if column.dtype != object:
            return column
        numbers = pd.to_numeric(column, errors="coerce")
        return numbers if column.name == "SRCSEQ" and numbers.notna().eq(column.notna()).all() else column

    named = frame[keys].reset_index(drop=True)
    places = named.sort_values(keys, kind="stable", key=as_number, na_position="last").index.to_numpy()
    return frame.take(places).reset_index(drop=True)


def text_missing(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with None, and nothing else, for missing text.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame.

    Returns
    -------
    pandas.DataFrame
        Text columns are of type object.

    Raises
    ------
    None
    """
    answer = frame.copy()
    for name, kind in frame.dtypes.items():
        plain = pd.api.types.is_object_dtype(kind)
        if plain or isinstance(kind, pd.StringDtype):
            cells = frame[name].to_numpy(dtype=object, copy=True)
            absent = pd.isna(cells)
            if not plain or any(cell is not None for cell in cells[absent]):
                cells[absent] = None
                answer[name] = pd.Series(cells, index=frame.index, dtype=object)
    return answer
