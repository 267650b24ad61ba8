"""Two kinds of columns that the kinetic datasets share: codes and days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def code_column(codes: Any, index: pd.Index) -> pd.Series:
    """Return codes as a text column.

    Parameters
    ----------
    codes : array_like of str
        Codes; the empty text stands for none.
    index : pandas.Index
        Index of the column.

    Returns
    -------
    pandas.Series of object
        None for the empty text.

    Raises
    ------
    None
    """
    texts = pd.Series(np.asarray(codes, dtype=object), index=index)
    return texts.where(texts.map(bool).astype(bool), None)


def flag_column(condition: Any, index: pd.Index, *, no: str = "") -> pd.Series:
    """Return Y where a condition holds.

    Parameters
    ----------
    condition : array_like of bool
        Condition.
    index : pandas.Index
        Index of the column.
    no : str
        Code where it does not hold; empty for none.

    Returns
    -------
    pandas.Series of object
        Y, or the other code, or None.

    Raises
    ------
    None
    """
    return code_column(np.where(np.asarray(condition, dtype=bool), "Y", no), index)


def days_from(moment: pd.Series, origin: pd.Series) -> pd.Series:
    """Return the time from an origin in days.

    Parameters
    ----------
    moment, origin : pandas.Series of datetime64
        On the same index.

    Returns
    -------
    pandas.Series of float64
        NaN where either is missing.

    Raises
    ------
    None
    """
    return ((moment - origin).dt.total_seconds() / 86400.0).astype("float64")
