"""Declarative conditions on the columns of an analysis dataset: of analysis sets, of DLT-defining events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from interim.errors import Problem, StudyError
from interim.study import Condition

Value = Any

_COMPARE: Mapping[str, Callable[[pd.Series, Value], pd.Series]] = {
    "==": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    ">=": lambda column, value: column >= value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    "<": lambda column, value: column < value,
    "in": lambda column, value: column.isin(value),
    "not_in": lambda column, value: ~column.isin(value),
}


def holds(frame: pd.DataFrame, condition: Condition, *, path: str) -> pd.Series:
    """Tell for which rows a condition holds.

    Parameters
    ----------
    frame : pandas.DataFrame
        Analysis dataset.
    condition : Condition
        Variable, operator, value.
    path : str
        Where the condition stands in the study file; named in the error.

    Returns
    -------
    pandas.Series of bool
        Same index. A missing value fulfils nothing but ``missing``.

    Raises
    ------
    StudyError
        If the dataset has no such column.

    Examples
    --------
    >>> frame = pd.DataFrame({"AETOXGRN": [2.0, 3.0, None]})
    >>> holds(frame, Condition(var="AETOXGRN", op=">=", value=3.0), path="x").tolist()
    [False, True, False]
    """
    if condition.var not in frame:
        known = ", ".join(sorted(map(str, frame.columns)))
        raise StudyError([Problem(path, f"there is no variable {condition.var!r}; variables are {known}")])
    column = frame[condition.var]
    present = column.notna()
    if condition.op in ("missing", "present"):
        return present if condition.op == "present" else ~present
    answer = np.zeros(len(frame), dtype=bool)
    answer[present] = _COMPARE[condition.op](column[present], condition.value).to_numpy(dtype=bool)
    return pd.Series(answer, index=frame.index)


def all_hold(frame: pd.DataFrame, conditions: Iterable[Condition], *, path: str) -> pd.Series:
    """Tell for which rows all conditions hold.

    Parameters
    ----------
    frame : pandas.DataFrame
        Analysis dataset.
    conditions : iterable of Condition
        The conditions.
    path : str
        As in `holds`.

    Returns
    -------
    pandas.Series of bool
        Same index.

    Raises
    ------
    StudyError
        As in `holds`.
    """
    answer = pd.Series(True, index=frame.index)
    for condition in conditions:
        answer &= holds(frame, condition, path=path)
    return answer
