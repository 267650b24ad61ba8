"""Tumour markers: whether all markers that a study names are normal, date by date."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from interim.adam.source import date_columns, number_column, text_column


def marker_dates(
    lb: pd.DataFrame, markers: Sequence[str]
) -> dict[str, tuple[tuple[pd.Timestamp, bool], ...]]:
    """Return the dates on which it became known whether all markers are normal.

    Parameters
    ----------
    lb : pandas.DataFrame
        Domain LB: LBTESTCD, LBSTRESN, LBSTNRHI, LBDTC.
    markers : sequence of str
        LBTESTCD that must all be at or below their upper limit of normal.

    Returns
    -------
    dict of str to tuple of (pandas.Timestamp, bool)
        USUBJID -> date, whether the latest value of every marker is known and normal; in the order of time.

    Raises
    ------
    None
    """
    wanted = tuple(name.upper() for name in markers)
    part = lb[text_column(lb, "LBTESTCD").isin(wanted)]
    rows = pd.DataFrame(
        {
            "USUBJID": part["USUBJID"],
            "TEST": text_column(part, "LBTESTCD"),
            "DATE": date_columns(part, "LBDTC")["DT"],
            "NORMAL": number_column(part, "LBSTRESN") <= number_column(part, "LBSTNRHI"),
        }
    ).dropna(subset=["DATE"])
    answer: dict[str, tuple[tuple[pd.Timestamp, bool], ...]] = {}
    for subject, group in rows.groupby("USUBJID", sort=True):
        latest: dict[str, bool] = {}
        known = []
        for day, by_day in group.groupby("DATE", sort=True):
            latest |= {str(t): bool(v) for t, v in by_day.groupby("TEST")["NORMAL"].all().items()}
            known.append((pd.Timestamp(str(day)), all(latest.get(name, False) for name in wanted)))
        answer[str(subject)] = tuple(known)
    return answer
