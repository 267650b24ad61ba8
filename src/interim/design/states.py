"""Equal rows of integer tables, found fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
_LIMIT = 2**62


def distinct_rows(table: Integers) -> tuple[Integers, Integers]:
    """Return which rows of a table are distinct.

    Parameters
    ----------
    table : ndarray of int, shape (rows, columns)
        Numbers >= 0.

    Returns
    -------
    first : ndarray of int
        One row number per distinct row.
    where : ndarray of int, shape (rows,)
        Place in ``first`` of every row.

    Raises
    ------
    None

    Examples
    --------
    >>> first, where = distinct_rows(np.array([[1, 0], [0, 2], [1, 0]]))
    >>> first.tolist(), where.tolist()
    ([1, 0], [1, 0, 1])
    """
    _, first, where = np.unique(row_keys(table), return_index=True, return_inverse=True)
    return first, where.ravel()


def row_keys(table: Integers) -> NDArray[np.generic]:
    """Return one sortable key per row: a mixed-radix number where it fits, else the bytes of the row.

    Parameters
    ----------
    table : ndarray of int, shape (rows, columns)
        Numbers >= 0.

    Returns
    -------
    ndarray, shape (rows,)
        Equal for equal rows only.

    Raises
    ------
    None
    """
    if not table.size:
        return np.zeros(0, dtype=np.int64)
    radix = [int(top) + 1 for top in table.max(axis=0)]
    size = 1
    for base in radix:
        size *= base
    if size >= _LIMIT:
        rows = np.ascontiguousarray(table)
        return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    key = np.zeros(table.shape[0], dtype=np.int64)
    for column, base in zip(table.T, radix, strict=True):
        key = key * base + column
    return key
