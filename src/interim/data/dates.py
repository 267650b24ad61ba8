"""Dates: ISO 8601 text with the precision that was collected, its possible range, imputation, study day, durations."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

Highest = Literal["none", "D", "M", "Y"]
Bound = date | None

DAYS_PER_MONTH = 30.4375
DAYS_PER_YEAR = 365.25
_YEARS = range(1900, 2200)
_LEVEL = {"none": 0, "D": 1, "M": 2, "Y": 3}
_LEAP_YEAR = 2000
_MID_DAY, _MID_MONTH, _MID_MONTH_DAY = 15, 6, 30
_NO_TIME = np.datetime64("NaT", "ns")
_NO_DATE: tuple[Any, ...] = (*[_NO_TIME] * 5, None, True)

_ISO = re.compile(
    r"(?P<year>\d{4}|-)(?:-(?P<month>\d{2}|-)(?:-(?P<day>\d{2}|-))?)?"
    r"(?:T(?P<hour>\d{2}|-)(?::(?P<minute>\d{2}|-)(?::(?P<second>\d{2}(?:\.\d+)?))?)?(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?)?"
)

Days = TypeVar("Days", float, "pd.Series[float]")


@dataclass(frozen=True)
class IsoDate:
    """An ISO 8601 date or date-time as it was collected; unknown components are None.

    Attributes
    ----------
    year, month, day : int or None
        Components; a day without a month is kept.
    clock : datetime.timedelta or None
        Time of day (local, the offset is not applied), None if no hour is known.
    """

    year: int | None
    month: int | None
    day: int | None
    clock: timedelta | None = None

    @property
    def precision(self) -> str | None:
        """T (with time), D, M or Y: the finest component known without a gap; None if the year is unknown."""
        if self.year is None:
            return None
        if self.month is None:
            return "Y"
        if self.day is None:
            return "M"
        return "D" if self.clock is None else "T"

    @property
    def first(self) -> date | None:
        """Earliest possible day; None if the year is unknown."""
        if self.year is None:
            return None
        if self.month is None:
            return date(self.year, 1, 1)
        return date(self.year, self.month, self.day or 1)

    @property
    def last(self) -> date | None:
        """Latest possible day; None if the year is unknown. With the month unknown the day is disregarded."""
        if self.year is None:
            return None
        if self.month is None:
            return date(self.year, 12, 31)
        return date(self.year, self.month, self.day or calendar.monthrange(self.year, self.month)[1])


@lru_cache(maxsize=65536)
def read_iso(text: str) -> IsoDate | None:
    """Read one ISO 8601 date or date-time.

    Parameters
    ----------
    text : str
        For example ``2026-03-04T10:15+08:00``, ``2026-03``, ``2026---04`` (month unknown), ``--03-04`` (year unknown).

    Returns
    -------
    IsoDate or None
        None if the text is no ISO 8601 date or names a day that does not exist; nothing is rolled over.

    Raises
    ------
    None

    Examples
    --------
    >>> read_iso("2026-03").last
    datetime.date(2026, 3, 31)
    >>> read_iso("2019-02-30") is None
    True
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day = (_number(match[name]) for name in ("year", "month", "day"))
    clock = _clock(match["hour"], match["minute"], match["second"])
    if clock is False or not _exists(year, month, day) or (match["hour"] and day is None):
        return None
    return IsoDate(year, month, day, clock)


def _number(text: str | None) -> int | None:
    return None if text in (None, "-") else int(str(text))


def _exists(year: int | None, month: int | None, day: int | None) -> bool:
    if year is None and month is None and day is None:
        return False
    if (year is not None and year not in _YEARS) or (month is not None and not 1 <= month <= 12):
        return False
    longest = 31 if month is None else calendar.monthrange(year or _LEAP_YEAR, month)[1]
    return day is None or 1 <= day <= longest


def _clock(hour: str | None, minute: str | None, second: str | None) -> timedelta | Literal[False] | None:
    """Return the earliest time of day, None if the hour is unknown, False if there is no such time."""
    h, m, s = _number(hour), _number(minute), float(second) if second else 0.0
    if (h or 0) > 23 or (m or 0) > 59 or s >= 60:
        return False
    return None if h is None else timedelta(hours=h, minutes=m or 0, seconds=s)


def date_range(dtc: str | None) -> tuple[date | None, date | None]:
    """Return the earliest and the latest day that a date can mean.

    Parameters
    ----------
    dtc : str or None
        ISO 8601 text.

    Returns
    -------
    tuple of (datetime.date or None, datetime.date or None)
        Both None if the text is missing, invalid, or its year is unknown.

    Raises
    ------
    None

    Examples
    --------
    >>> date_range("2020-02")
    (datetime.date(2020, 2, 1), datetime.date(2020, 2, 29))
    """
    parsed = read_iso(dtc) if isinstance(dtc, str) else None
    return (None, None) if parsed is None else (parsed.first, parsed.last)


def parse_dates(series: pd.Series) -> pd.DataFrame:
    """Read a column of ISO 8601 dates.

    Parameters
    ----------
    series : pandas.Series of object
        ISO 8601 text, None for missing.

    Returns
    -------
    pandas.DataFrame
        Same index. FIRST, LAST: earliest and latest possible day; START: earliest possible instant; DT: the day if it is
        complete; DTM: the date-time if an hour was collected (all datetime64[ns], local time); PRECISION: T, D, M, Y or
        None; VALID: False where a text is no ISO 8601 date (missing is valid).

    Raises
    ------
    None
    """
    codes, texts = pd.factorize(series, use_na_sentinel=True)
    return date_table([str(text) for text in texts], np.asarray(codes), index=series.index)


def date_table(texts: Sequence[str] | np.ndarray, places: np.ndarray, *, index: pd.Index) -> pd.DataFrame:
    """Read distinct ISO 8601 dates once and set them beside their records.

    Parameters
    ----------
    texts : sequence of str
        Distinct dates.
    places : numpy.ndarray of int
        Place among the texts of each record, -1 for missing.
    index : pandas.Index
        Of the records.

    Returns
    -------
    pandas.DataFrame
        As `parse_dates`.

    Raises
    ------
    None
    """
    rows = [*map(_date_row, texts), _NO_DATE]
    columns: dict[str, Any] = {}
    for number, name in enumerate(("FIRST", "LAST", "START", "DT", "DTM")):
        pool = np.array([row[number] for row in rows], dtype="datetime64[ns]")
        columns[name] = pool[places]
    precision = np.empty(len(rows), dtype=object)
    precision[:] = [row[5] for row in rows]
    columns["PRECISION"] = precision[places]
    columns["VALID"] = np.array([row[6] for row in rows], dtype=bool)[places]
    return pd.DataFrame(columns, index=index, copy=False)


def date_starts(series: pd.Series) -> pd.Series:
    """Return the earliest possible instant of each date.

    Parameters
    ----------
    series : pandas.Series of object
        ISO 8601 text, None for missing.

    Returns
    -------
    pandas.Series of datetime64
        START of `parse_dates`; NaT where there is no date or it has no year.

    Raises
    ------
    None
    """
    codes, texts = pd.factorize(series, use_na_sentinel=True)
    pool = np.array([*(_date_row(str(text))[2] for text in texts), _NO_TIME], dtype="datetime64[ns]")
    return pd.Series(pool[codes], index=series.index)


@lru_cache(maxsize=65536)
def _date_row(text: str) -> tuple[Any, ...]:
    parsed = read_iso(text)
    if parsed is None:
        return (*_NO_DATE[:-1], False)
    first, last = _stamp(parsed.first), _stamp(parsed.last)
    precision = parsed.precision
    moment = first + _span(parsed.clock) if precision == "T" and parsed.clock is not None else _NO_TIME
    day = first if precision in ("D", "T") else _NO_TIME
    return (first, last, first if np.isnat(moment) else moment, day, moment, precision, True)


def _span(clock: timedelta) -> np.timedelta64:
    return pd.Timedelta(clock).to_timedelta64()


def _stamp(day: date | None) -> np.datetime64:
    return _NO_TIME if day is None else np.datetime64(day, "ns")


def impute_date(
    dtc: str | None,
    *,
    highest: Highest = "none",
    rule: Literal["first", "last", "mid"] = "first",
    not_before: Sequence[Bound] = (),
    not_after: Sequence[Bound] = (),
) -> tuple[date | None, str | None]:
    """Complete a partial date.

    Parameters
    ----------
    dtc : str or None
        ISO 8601 text.
    highest : {"none", "D", "M", "Y"}
        Highest component that may be filled in.
    rule : {"first", "last", "mid"}
        Which day of the possible range is taken.
    not_before, not_after : sequence of datetime.date or None
        Bounds; one outside the possible range of the date is ignored. not_before is applied first.

    Returns
    -------
    tuple of (datetime.date or None, str or None)
        The date, and the imputation flag: D, M or Y = highest component filled in, None if nothing was.

    Raises
    ------
    None

    Notes
    -----
    With the month unknown the day is disregarded. A date without a year counts as wholly missing: it is imputed only with
    ``highest="Y"`` and only to a given bound (first: the latest not_before; last: the earliest not_after).

    Examples
    --------
    >>> impute_date("2020-02", highest="D", rule="last")
    (datetime.date(2020, 2, 29), 'D')
    >>> impute_date("2026-03", highest="M", not_before=[date(2026, 3, 9)])
    (datetime.date(2026, 3, 9), 'D')
    """
    parsed = read_iso(dtc) if isinstance(dtc, str) else None
    lows = [bound for bound in map(_day, not_before) if bound is not None]
    highs = [bound for bound in map(_day, not_after) if bound is not None]
    missing = {"T": "none", "D": "none", "M": "D", "Y": "M", None: "Y"}[parsed.precision if parsed else None]
    if _LEVEL[missing] > _LEVEL[highest]:
        return None, None
    if parsed is None or parsed.first is None or parsed.last is None:
        start = (max(lows, default=None) if rule == "first" else None) or (
            min(highs, default=None) if rule == "last" else None
        )
        return (None, None) if start is None else (_bounded(start, lows, highs), "Y")
    if missing == "none":
        return parsed.first, None
    inside_low = [d for d in lows if parsed.first <= d <= parsed.last]
    inside_high = [d for d in highs if parsed.first <= d <= parsed.last]
    start = {"first": parsed.first, "last": parsed.last, "mid": _middle(parsed)}[rule]
    return _bounded(start, inside_low, inside_high), missing


def _bounded(start: date, lows: list[date], highs: list[date]) -> date:
    return min([max([start, *lows]), *highs])


def _middle(parsed: IsoDate) -> date:
    year = parsed.year or _LEAP_YEAR
    return (
        date(year, _MID_MONTH, _MID_MONTH_DAY) if parsed.month is None else date(year, parsed.month, _MID_DAY)
    )


def _day(value: object) -> date | None:
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else pd.Timestamp(str(value)).date()


def impute_dates(
    series: pd.Series,
    *,
    highest: Highest = "none",
    rule: Literal["first", "last", "mid"] = "first",
    not_before: Sequence[pd.Series] = (),
    not_after: Sequence[pd.Series] = (),
) -> pd.DataFrame:
    """Complete a column of partial dates; row by row the rule of `impute_date`.

    Parameters
    ----------
    series : pandas.Series of object
        ISO 8601 text, None for missing.
    highest, rule : str
        As in `impute_date`.
    not_before, not_after : sequence of pandas.Series of datetime64
        Bounds on the same index; NaT is no bound.

    Returns
    -------
    pandas.DataFrame
        Same index; DT (datetime64[ns]) and DTF (D, M, Y or None).

    Raises
    ------
    None
    """
    lows = [bound.reindex(series.index) for bound in not_before]
    highs = [bound.reindex(series.index) for bound in not_after]
    days, flags = [], []
    for place, text in enumerate(series):
        day, flag = impute_date(
            text,
            highest=highest,
            rule=rule,
            not_before=[bound.iloc[place] for bound in lows],
            not_after=[bound.iloc[place] for bound in highs],
        )
        days.append(day)
        flags.append(flag)
    frame = pd.DataFrame({"DT": pd.to_datetime(pd.Series(days, dtype=object)).astype("datetime64[ns]")})
    frame["DTF"] = pd.Series(flags, dtype=object)
    return frame.set_index(series.index)


def study_day(dates: pd.Series, reference: pd.Series | pd.Timestamp) -> pd.Series:
    """Return the study day; there is no day 0.

    Parameters
    ----------
    dates : pandas.Series of datetime64
        Dates or date-times; the time of day is ignored.
    reference : pandas.Series of datetime64, or pandas.Timestamp
        Reference date (day 1).

    Returns
    -------
    pandas.Series of float64
        date - reference + 1 from the reference on, date - reference before it; NaN if one is missing.

    Raises
    ------
    None

    Examples
    --------
    >>> study_day(pd.Series(pd.to_datetime(["2026-03-03", "2026-03-04"])), pd.Timestamp("2026-03-04")).tolist()
    [-1.0, 1.0]
    """
    return duration_days(_like(reference, dates), dates)


def duration_days(start: pd.Series, end: pd.Series) -> pd.Series:
    """Return the number of days from start to end, both included.

    Parameters
    ----------
    start, end : pandas.Series of datetime64
        Dates or date-times; the time of day is ignored.

    Returns
    -------
    pandas.Series of float64
        end - start + 1 if end >= start, else end - start (negative); NaN if one is missing.

    Raises
    ------
    None
    """
    days: pd.Series[float] = (end.dt.normalize() - start.dt.normalize()).dt.days.astype("float64")
    return days.where(~(days >= 0), days + 1)


def duration_clock(start: pd.Series, end: pd.Series, unit: Literal["hours", "minutes"]) -> pd.Series:
    """Return the time from start to end in hours or minutes; both ends are truncated to the unit first.

    Parameters
    ----------
    start, end : pandas.Series of datetime64
        Date-times.
    unit : {"hours", "minutes"}
        Unit of the result.

    Returns
    -------
    pandas.Series of float64
        end - start in whole units, nothing added; NaN if one is missing.

    Raises
    ------
    None
    """
    step = {"hours": "1h", "minutes": "1min"}[unit]
    length: pd.Series[float] = (end.dt.floor(step) - start.dt.floor(step)) / pd.Timedelta(step)
    return length


def weeks(days: Days) -> Days:
    """Return days in weeks.

    Parameters
    ----------
    days : float or pandas.Series
        Days.

    Returns
    -------
    float or pandas.Series
        days / 7.

    Raises
    ------
    None
    """
    return days / 7


def months(days: Days) -> Days:
    """Return days in months of 30.4375 days.

    Parameters
    ----------
    days : float or pandas.Series
        Days.

    Returns
    -------
    float or pandas.Series
        days / 30.4375.

    Raises
    ------
    None
    """
    return days / DAYS_PER_MONTH


def years(days: Days) -> Days:
    """Return days in years of 365.25 days.

    Parameters
    ----------
    days : float or pandas.Series
        Days.

    Returns
    -------
    float or pandas.Series
        days / 365.25.

    Raises
    ------
    None
    """
    return days / DAYS_PER_YEAR


def _like(value: pd.Series | pd.Timestamp, series: pd.Series) -> pd.Series:
    return (
        value
        if isinstance(value, pd.Series)
        else pd.Series(value, index=series.index, dtype="datetime64[ns]")
    )
