"""Reported responses: RS read into time points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from interim.adam.response.assessments import BEST_FIRST, ND
from interim.adam.response.irecist_best import I_VALUES
from interim.adam.response.records import ScanDates, bounded, evaluator
from interim.adam.source import date_columns, number_column, sequence_text, text_column

RECIST, IRECIST = "RECIST 1.1", "iRECIST"
TESTS = ("TRGRESP", "NTRGRESP", "NEWLPROG", "OVRLRESP")
_CANONICAL = {value.upper(): value for value in (*BEST_FIRST, *I_VALUES)}
Key = tuple[str, str]


@dataclass(frozen=True)
class Reported:
    """The responses that one evaluator reported for one time point.

    Attributes
    ----------
    date : pandas.Timestamp
        Date; a day that is missing is the last of its month, or at the other end the first that it can mean.
    visitnum : float or None
        Visit.
    visit : str or None
        Its name, for display only.
    values : mapping of str to str
        RSTESTCD -> value.
    sequences : mapping of str to str
        RSTESTCD -> sequence number.
    accepted : bool
        Whether the adjudication took this reader.
    reader : str
        Evaluator.
    """

    date: pd.Timestamp
    visitnum: float | None
    visit: str | None
    values: Mapping[str, str]
    sequences: Mapping[str, str | None]
    accepted: bool
    reader: str


def read_responses(
    rs: pd.DataFrame, *, criteria: str, dates: ScanDates | None = None
) -> dict[Key, tuple[Reported, ...]]:
    """Read RS.

    Parameters
    ----------
    rs : pandas.DataFrame
        Domain RS.
    criteria : {"RECIST 1.1", "iRECIST"}
        Which responses; a missing RSCAT is RECIST 1.1.
    dates : ScanDates, optional
        Which day a date without a day stands for.

    Returns
    -------
    dict of (str, str) to tuple of Reported
        (USUBJID, evaluator) -> time points in the order of time; records of one visit with two dates are two time points;
        records without a date are left out.

    Raises
    ------
    None
    """
    rows = _rows(rs, criteria)
    if dates is not None and dates.day == "first":
        rows = _in_time(bounded(rows, dates))
    points: dict[tuple[Any, ...], _Collected] = {}
    for row in zip(*(rows[name] for name in _COLUMNS), strict=True):
        item = dict(zip(_COLUMNS, row, strict=True))
        number = None if pd.isna(item["VISITNUM"]) else float(item["VISITNUM"])
        key = (item["USUBJID"], item["EVAL"], item["DATE"], number)
        points.setdefault(key, _Collected()).add(item)
    answer: dict[Key, list[Reported]] = {}
    for (subject, reader, day, visit), found in points.items():
        point = Reported(
            pd.Timestamp(day),
            visit,
            found.visit,
            found.values,
            found.sequences,
            found.accepted,
            str(reader),
        )
        answer.setdefault((str(subject), str(reader)), []).append(point)
    return {key: tuple(found) for key, found in sorted(answer.items())}


_COLUMNS = ["USUBJID", "EVAL", "DATE", "VISITNUM", "VISIT", "TEST", "VALUE", "SEQ", "ACCEPTED"]


@dataclass
class _Collected:
    """The records of one time point, collected row by row; of two values of a test the first counts."""

    visit: str | None = None
    accepted: bool = False
    values: dict[str, str] = field(default_factory=dict)
    sequences: dict[str, str | None] = field(default_factory=dict)

    def add(self, item: Mapping[str, Any]) -> None:
        if self.visit is None and isinstance(item["VISIT"], str):
            self.visit = item["VISIT"]
        self.accepted = self.accepted or bool(item["ACCEPTED"])
        self.values.setdefault(item["TEST"], item["VALUE"])
        self.sequences.setdefault(item["TEST"], item["SEQ"])


def _rows(rs: pd.DataFrame, criteria: str) -> pd.DataFrame:
    category = text_column(rs, "RSCAT").fillna(RECIST.upper())
    test = text_column(rs, "RSTESTCD")
    immune = category.str.startswith(IRECIST.upper())
    keep = test.isin(TESTS) & (immune if criteria == IRECIST else ~immune)
    part = rs[keep]
    dates = date_columns(part, "RSDTC")
    rows = pd.DataFrame(
        {
            "USUBJID": part["USUBJID"].astype(object),
            "EVAL": evaluator(part, "RS"),
            "VISITNUM": number_column(part, "VISITNUM"),
            "VISIT": part["VISIT"].astype(object) if "VISIT" in part else None,
            "FIRST": dates["FIRST"],
            "DATE": dates["LAST"].where(dates["PRECISION"].isin(["T", "D", "M"])),
            "TEST": test[keep],
            "VALUE": _values(part),
            "SEQ": part["RSSEQ"].map(sequence_text) if "RSSEQ" in part else None,
            "ACCEPTED": text_column(part, "RSACPTFL") == "Y",
        },
        index=part.index,
    )
    rows["ORDER"] = pd.to_numeric(rows["SEQ"], errors="coerce")
    return _in_time(rows.dropna(subset=["DATE", "VALUE"]))


def _in_time(rows: pd.DataFrame) -> pd.DataFrame:
    order = ["USUBJID", "EVAL", "DATE", "VISITNUM", "TEST", "ORDER", "VALUE"]
    return rows.sort_values(order, kind="stable")


def _values(part: pd.DataFrame) -> pd.Series:
    text = text_column(part, "RSSTRESC")
    text = text.where(text.notna(), text_column(part, "RSORRES"))
    value = text.map(lambda t: _CANONICAL.get(t, t) if isinstance(t, str) else None).astype(object)
    not_done = text_column(part, "RSSTAT") == "NOT DONE"
    return value.where(value.notna() | ~not_done, ND)


def accepted(points: Mapping[Key, tuple[Reported, ...]], name: str) -> dict[Key, tuple[Reported, ...]]:
    """Return the reported time points that the adjudication took.

    Parameters
    ----------
    points : mapping of (str, str) to tuple of Reported
        Of all readers.
    name : str
        Evaluator of the answer.

    Returns
    -------
    dict of (str, str) to tuple of Reported
        One reader per participant, visit and date.

    Raises
    ------
    None
    """
    taken: dict[str, dict[tuple[pd.Timestamp, float | None], Reported]] = {}
    for (subject, _), found in sorted(points.items(), reverse=True):
        for point in found:
            if point.accepted:
                taken.setdefault(subject, {})[(point.date, point.visitnum)] = point
    return {
        (subject, name): tuple(sorted(by_date.values(), key=lambda point: (point.date, point.reader)))
        for subject, by_date in sorted(taken.items())
    }
