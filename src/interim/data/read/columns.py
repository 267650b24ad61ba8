"""Columns that grow chunk by chunk: equal texts are one object, and no column is held twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

# Distinct texts that one column shares; beyond, sharing costs more memory than it saves.
LARGEST_POOL = 200_000
_GROWTH = 1.125


class Pool:
    """The texts of one column, each once.

    Parameters
    ----------
    missing : iterable
        Values that stand for a missing cell.
    """

    def __init__(self, missing: Iterable[Hashable] = ("", None)) -> None:
        self._first = dict.fromkeys(missing, None)
        self._texts: dict[Any, Any] = dict(self._first)

    def shared(self, values: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Return values as an array in which equal texts are one object.

        Parameters
        ----------
        values : sequence
            Texts or missing values.

        Returns
        -------
        numpy.ndarray of object
            None for a missing cell.

        Raises
        ------
        None
        """
        if len(self._texts) > LARGEST_POOL:
            self._texts = dict(self._first)
        array = np.empty(len(values), dtype=object)
        array[:] = [self._texts.setdefault(value, value) for value in values]
        return array


class Growing:
    """One column to whose end chunks are added: it grows in place, so that it is never held twice.

    Parameters
    ----------
    dtype : numpy dtype
        Type of its values.
    """

    def __init__(self, dtype: Any = object) -> None:
        self._values = np.empty(0, dtype=dtype)
        self._count = 0

    def add(self, part: np.ndarray) -> None:
        """Add a chunk.

        Parameters
        ----------
        part : numpy.ndarray
            Its values.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        end = self._count + len(part)
        if end > len(self._values):
            self._values.resize(max(end, int(len(self._values) * _GROWTH)), refcheck=False)
        self._values[self._count : end] = part
        self._count = end

    def whole(self) -> np.ndarray:
        """Return the column.

        Returns
        -------
        numpy.ndarray
            All values that were added.

        Raises
        ------
        None
        """
        self._values.resize(self._count, refcheck=False)
        return self._values


def framed(columns: Mapping[str, np.ndarray], rows: int) -> pd.DataFrame:
    """Return columns as a frame without copying them.

    Parameters
    ----------
    columns : mapping of str to numpy.ndarray
        Equally long.
    rows : int
        Their length.

    Returns
    -------
    pandas.DataFrame
        RangeIndex.

    Raises
    ------
    None
    """
    return pd.DataFrame(dict(columns), index=pd.RangeIndex(rows), copy=False)
