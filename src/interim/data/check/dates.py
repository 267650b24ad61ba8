"""Dates: valid, complete enough, not after the extract, the cut-off or the death, at the local time of the site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, Records, hits
from interim.data.check.registry import rule
from interim.data.check.values import shown
from interim.data.check.vocabulary import words
from interim.data.dates import read_iso
from interim.data.notation import looks_iso, notations
from interim.data.spec import domain

_ALL = ("T 14.2.3.1", "T 14.2.3.2", "T 14.3.1.1")
_MONTH_DOMAINS = ("DM", "AE", "CM", "PR", "MH", "LB")
_SCANS = ("TU", "TR", "RS")
_ISO_DATE = "ISO 8601, for example 2026-03-04T10:15"
_NOT_CUT = {
    "sdtm": "date after the cut-off in data that claim to be cut; deliver again or set data.source_is_cut = false",
    "adam": "date after the cut-off in finished analysis datasets; they must be made at data.cut_date",
}


def date_columns(records: Records) -> list[str]:
    """Return the date variables of a domain.

    Parameters
    ----------
    records : Records
        The domain.

    Returns
    -------
    list of str
        Columns whose name ends in DTC; in a finished analysis dataset those that the specification calls dates, but
        planned ones.

    Raises
    ------
    None
    """
    known = domain(records.name)
    if known is not None and known.stage == "adam":
        dates = {v.name for v in known.variables.values() if v.kind == "dtc"} - set(words("terms")["planned"])
        return [name for name in records.frame.columns if name in dates]
    return [name for name in records.frame.columns if str(name).endswith("DTC")]


def surely_before(first: pd.DataFrame, second: pd.DataFrame) -> pd.Series:
    """Tell whether a date lies before another whatever their missing parts are.

    Parameters
    ----------
    first, second : pandas.DataFrame
        Dates as read by `Records.dates`, on one index.

    Returns
    -------
    pandas.Series of bool
        With times on both sides date-times are compared, else days; False if one is missing.

    Raises
    ------
    None
    """
    timed = first["DTM"].notna() & second["DTM"].notna()
    return (first["DTM"] < second["DTM"]).where(timed, first["LAST"] < second["FIRST"])


@rule("XD-ISO", severity="stop", effect=_ALL)
def _iso_date(context: Context) -> Iterator[Hit]:
    """A date is no ISO 8601 date or names a day that does not exist."""
    for records in context.delivered():
        for name in date_columns(records):
            wrong = ~records.dates(name)["VALID"]
            other = records.text(name)[wrong].map(looks_iso).eq(False)
            if other.sum() > 1:
                yield _written_otherwise(records, name, other.index[other])
                wrong = wrong.mask(wrong.index.isin(other.index[other]), False)
            message = "no valid ISO 8601 date; correct it at the source or declare its format in the mapping"
            yield from hits(records, wrong, variable=name, expected=_ISO_DATE, message=message)


def _written_otherwise(records: Records, name: str, where: pd.Index) -> Hit:
    """Return one hit for the dates of a column that are not written as ISO 8601."""
    texts = records.text(name)[where].tolist()
    rows = records.text("SRCROW")[where].fillna("").tolist()
    told = notations(texts, rows, records.subjects()[where].fillna("").tolist())
    message = f"{told}; declare their formats in a mapping or correct them at the source"
    return Hit(records.name, None, message, name, _ISO_DATE, shown(name, min(texts)), key=())


@rule("XD-FUTURE", severity="stop", effect=_ALL)
def _after_extract(context: Context) -> Iterator[Hit]:
    """A date lies after the extract was made."""
    limit = pd.Timestamp(context.study.extract_limit)
    for records in context.delivered():
        for name in date_columns(records):
            late = records.dates(name)["START"] > limit
            yield from hits(
                records,
                late,
                variable=name,
                expected=f"not after {limit:%Y-%m-%d}",
                message="date after the data extract; correct it at the source or state data.extract_time",
            )


@rule("DCUT", severity="stop", effect=_ALL)
def _after_cut(context: Context) -> Iterator[Hit]:
    """The delivery claims to be cut, but a date lies after the cut-off."""
    if not (context.study.data.source_is_cut or context.study.data.stage == "adam"):
        return
    cut = pd.Timestamp(context.study.cut)
    for records in context.delivered():
        for name in date_columns(records):
            yield from hits(
                records,
                records.dates(name)["START"] > cut,
                variable=name,
                expected=f"not after {cut:%Y-%m-%dT%H:%M}",
                message=_NOT_CUT[context.study.data.stage],
            )


@rule("XD-MONTH", severity="warn", any_of=_MONTH_DOMAINS, effect=("T 14.6.5",))
def _month_unknown(context: Context) -> Iterator[Hit]:
    """Year and day of a date are known, the month is not."""
    for records in context.delivered(*_MONTH_DOMAINS):
        for name in date_columns(records):
            odd = [text for text in records.coded(name)[1] if _lacks_month(text)]
            message = "month unknown although the day is known: the day is disregarded; complete the month"
            yield from hits(records, records.equal(name, *odd), variable=name, message=message)


def _lacks_month(text: str) -> bool:
    parsed = read_iso(text)
    return parsed is not None and None not in (parsed.year, parsed.day) and parsed.month is None


@rule("XD-PARTDTH", severity="warn", effect=("T 14.2.3.2", "T 14.6.5"))
def _partial_death(context: Context) -> Iterator[Hit]:
    """A date of death is partial."""
    for source, name in (("DM", "DTHDTC"), ("AE", "AEDTHDTC")):
        records = context.records(source)
        dates = records.dates(name)
        partial = dates["VALID"] & dates["DT"].isna() & records.given(name)
        message = "partial date of death: overall survival uses an imputed day; ask for the day"
        yield from hits(records, partial, variable=name, message=message)


@rule("XD-PARTSCAN", severity="warn", any_of=_SCANS, effect=("T 14.2.3.1", "T 14.6.5"))
def _partial_scan(context: Context) -> Iterator[Hit]:
    """The date of a tumour assessment is partial."""
    for records in context.delivered(*_SCANS):
        name = f"{records.name}DTC"
        dates = records.dates(name)
        partial = dates["VALID"] & dates["DT"].isna() & records.given(name)
        message = (
            "partial date of a tumour assessment: progression and response use an imputed day; ask for it"
        )
        yield from hits(records, partial, variable=name, message=message)


@rule("XD-POSTDTH", severity="stop", needs={"DM": ("DTHDTC",)}, stages=("extract", "cut"), effect=_ALL)
def _after_death(context: Context) -> Iterator[Hit]:
    """A sample, measurement, response or infusion is dated after the death."""
    for records in context.delivered(*words("terms")["after_death"]["domains"]):
        name = f"{records.name}STDTC" if records.name == "EX" else f"{records.name}DTC"
        done = ~records.equal(f"{records.name}STAT", "NOT DONE")
        late = done & (records.dates(name)["FIRST"] > beside(records, context.death_day))
        message = "record after the date of death; correct one of the two dates"
        yield from hits(records, late, variable=name, message=message)


@rule("XD-TZ", severity="warn", effect=("T 14.3.1.1", "T 14.2.1.1"))
def _time_zone(context: Context) -> Iterator[Hit]:
    """A date-time carries another offset than the others, or date and date-time of the first dose disagree."""
    usual = _usual_offset(context)
    for records in context.delivered():
        for name in date_columns(records):
            odd = [text for text in records.coded(name)[1] if _offset(text) not in (None, usual)]
            other = records.equal(name, *odd)
            message = "another offset than the other date-times: the day at the site may differ; check the time zone"
            yield from hits(records, other, variable=name, expected=f"offset {usual}", message=message)
    yield from _first_dose_day(context)


@lru_cache(maxsize=65536)
def _offset(text: str) -> str | None:
    clock = text.partition("T")[2]
    if not clock or read_iso(text) is None:
        return None
    if clock.endswith("Z"):
        return "+00:00"
    place = max(clock.rfind("+"), clock.rfind("-"))
    digits = clock[place + 1 :].replace(":", "") if place > 0 else ""
    return f"{clock[place]}{digits[:2]}:{digits[2:] or '00'}" if digits.isdigit() else None


def _usual_offset(context: Context) -> str | None:
    """Return the most frequent offset, the smaller text of two equally frequent ones."""
    counts: Counter[str] = Counter()
    for records in context.delivered():
        for name in date_columns(records):
            places, texts = records.coded(name)
            number = np.bincount(places[places >= 0], minlength=len(texts))
            for text, times in zip(texts, number.tolist(), strict=True):
                counts[_offset(text) or ""] += times
    del counts[""]
    return min((offset for offset, times in counts.items() if times == max(counts.values())), default=None)


def _first_dose_day(context: Context) -> Iterator[Hit]:
    dm = context.records("DM")
    if not dm.has("RFXSTDTC") or context.infusions.empty:
        return
    given = beside(dm, context.first_dose()).dt.normalize()
    recorded = dm.dates("RFXSTDTC")["DT"]
    message = "day of first treatment differs from the first infusion in EX; check time zone and midnight"
    expected = given.dt.strftime("%Y-%m-%d")
    where = given.notna() & recorded.notna() & (given != recorded)
    yield from hits(dm, where, variable="RFXSTDTC", expected=expected, message=message)
