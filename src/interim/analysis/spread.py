"""Median and range of a number per participant, by column of a table."""

from __future__ import annotations

import pandas as pd

from interim.analysis.population import Population
from interim.result import Rows


def add_spread(
    rows: Rows, who: Population, values: pd.Series, *, variable: str, level: str = "", unit: str = ""
) -> None:
    """Add number, median, lowest and highest value of each column.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    who : Population
        The columns.
    values : pandas.Series of float64
        Index USUBJID, one value per participant or event; missing values are left out.
    variable, level, unit : str
        As in `interim.result.Rows.add`.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    known = values.dropna().astype("float64")
    for group, ids in who.members.items():
        mine = known[known.index.isin(ids)]
        subjects = sorted(set(mine.index))
        place = {"group": group, "variable": variable, "level": level}
        rows.add("n", len(mine), unit="values", n=len(mine), subjects=subjects, **place)
        for stat, number in (("median", mine.median()), ("min", mine.min()), ("max", mine.max())):
            if len(mine):
                rows.add(stat, float(number), unit=unit, n=len(mine), **place)
            else:
                rows.add(stat, None, status="NE", reason="NO_DATA", **place)
