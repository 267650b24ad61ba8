"""Values and change from baseline by visit, for results of any kind."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from interim.result import Rows


def add_by_visit(rows: Rows, frame: pd.DataFrame, codes: Iterable[str]) -> None:
    """Add the moments of values and changes of each parameter and scheduled visit; the last result of a visit counts.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    frame : pandas.DataFrame
        Results of one base type in order of time: USUBJID, PARAMCD, ADT, ADTM, VISITNUM, VISIT, AVAL, AVALU, ABLFL, CHG.
    codes : iterable of str
        Parameters in printed order.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    A change exists after the baseline record only. A standard deviation needs two values.
    """
    dated = _after_baseline(frame)
    planned = dated[dated["VISITNUM"].notna() & (dated["VISITNUM"] % 1 == 0) & dated["AVAL"].notna()]
    last = planned.drop_duplicates(["USUBJID", "PARAMCD", "VISITNUM"], keep="last")
    for code in codes:
        mine = last[last["PARAMCD"] == code].sort_values("VISITNUM", kind="stable")
        for number, part in mine.groupby("VISITNUM", sort=True):
            level = f"{number:g} {part['VISIT'].iloc[0]}"
            _add_moments(rows, part["AVAL"], "", (code, level), part)
            change = part.loc[part["AFTER"], "CHG"].dropna()
            if len(change):
                _add_moments(rows, change, "chg_", (code, level), part)


def _after_baseline(frame: pd.DataFrame) -> pd.DataFrame:
    """Add AFTER: whether a result is later than the baseline record of its parameter."""
    at = frame["ADTM"].fillna(frame["ADT"])
    base = at.where(frame["ABLFL"] == "Y").groupby([frame["USUBJID"], frame["PARAMCD"]]).transform("max")
    return frame.assign(AFTER=(at > base).astype(bool))


def _add_moments(
    rows: Rows, values: pd.Series, prefix: str, place: tuple[str, str], part: pd.DataFrame
) -> None:
    where = {"variable": place[0], "level": place[1]}
    unit = str(part["AVALU"].iloc[0])
    subjects = sorted(set(part.loc[values.index, "USUBJID"]))
    rows.add(f"{prefix}n", len(values), unit="participants", n=len(values), subjects=subjects, **where)
    for stat, number in (
        ("mean", values.mean()),
        ("sd", values.std()),
        ("median", values.median()),
        ("min", values.min()),
        ("max", values.max()),
    ):
        if number == number:
            rows.add(f"{prefix}{stat}", float(number), unit=unit, n=len(values), **where)
        else:
            rows.add(f"{prefix}{stat}", None, status="NE", reason="NO_DATA", **where)
