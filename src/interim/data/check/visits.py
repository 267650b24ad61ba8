"""Visits: dates in the order of the visits, one date per visit, one visit per date, inside the window."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, Records, each, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words
from interim.data.dates import study_day

_DOMAINS = ("LB", "VS", "QS", "TU", "TR", "RS")
_EFFECT = ("T 14.3.4.1", "T 14.1.2.2")


def _visits(context: Context) -> Iterator[tuple[Records, pd.DataFrame]]:
    """Yield the domains of visits, each with its records that have a complete date and a visit number."""
    for records in context.delivered(*words("terms")["visits"]["domains"]):
        yield records, context.shared(_OF[records.name])


def _dated(name: str, context: Context) -> pd.DataFrame:
    records = context.records(name)
    who, subjects = records.coded("USUBJID", kind="normal")
    rank = np.argsort(np.argsort(subjects, kind="stable"), kind="stable")
    table = pd.DataFrame(
        {
            "PLACE": np.arange(len(records)),
            "USUBJID": np.append(rank, -1)[who],
            "TEST": records.coded(f"{records.name}TESTCD")[0],
            "EVAL": records.pairs(f"{records.name}EVAL", f"{records.name}EVALID"),
            "VISITNUM": records.number("VISITNUM"),
            "DAY": records.dates(f"{records.name}DTC")["DT"],
            "SEQ": records.number(f"{records.name}SEQ"),
        }
    )
    kept = (who >= 0) & table["VISITNUM"].notna() & table["DAY"].notna()
    table = table[kept & ~records.equal(f"{records.name}STAT", "NOT DONE")]
    order = np.lexsort([table[name].to_numpy() for name in ("PLACE", "SEQ", "DAY", "VISITNUM", "USUBJID")])
    return table.take(order)


def _evaluator(records: Records, place: int) -> str:
    names = (f"{records.name}EVAL", f"{records.name}EVALID")
    return "".join(str(records.code(name).iloc[place] or "") for name in names)


_OF = {name: partial(_dated, name) for name in words("terms")["visits"]["domains"]}


@rule("XD-VISORD", severity="warn", any_of=_DOMAINS, effect=_EFFECT)
def _visit_order(context: Context) -> Iterator[Hit]:
    """The first date of a visit lies before that of an earlier visit."""
    for records, dated in _visits(context):
        table = dated.drop_duplicates(["USUBJID", "VISITNUM"])
        latest = table.groupby("USUBJID")["DAY"].cummax()
        for row in each(table[table["DAY"] < latest]):
            message = (
                f"visit {row.VISITNUM:g} is dated before an earlier visit; correct the date or the visit"
            )
            yield Hit(
                records.name, row.PLACE, message, f"{records.name}DTC", key=("VISITNUM", f"{row.VISITNUM:g}")
            )


@rule("XD-VISDATE", severity="warn", any_of=_DOMAINS, effect=_EFFECT)
def _visit_dates(context: Context) -> Iterator[Hit]:
    """One visit has several dates further apart than permitted."""
    tumour, study = words("terms")["visits"]["tumour"], context.study
    for records, table in _visits(context):
        limit = study.response.visit_window_days if records.name in tumour else study.checks.xd_visdate_days
        keys = ["USUBJID", "EVAL", "VISITNUM"]
        days = (table["DAY"] - table.groupby(keys)["DAY"].transform("min")).dt.days
        late = table[days > limit].drop_duplicates(["USUBJID", "EVAL", "VISITNUM", "DAY"])
        for row in each(late):
            message = (
                f"visit {row.VISITNUM:g} has dates more than {limit} d apart; correct the date or the visit"
            )
            key = (_evaluator(records, row.PLACE), f"{row.VISITNUM:g}", f"{row.DAY:%Y-%m-%d}")
            yield Hit(records.name, row.PLACE, message, f"{records.name}DTC", key=key)


@rule("XD-VISSAME", severity="warn", any_of=_DOMAINS, effect=_EFFECT)
def _visit_same(context: Context) -> Iterator[Hit]:
    """One test has the same date under two visits."""
    for records, table in _visits(context):
        keys = ["USUBJID", "TEST", "EVAL", "DAY"]
        first = table.groupby(keys)["VISITNUM"].transform("min")
        other = table[table["VISITNUM"] > first].drop_duplicates(["USUBJID", "DAY", "VISITNUM"])
        for row in each(other):
            message = (
                f"the same date stands under an earlier visit and visit {row.VISITNUM:g}; correct one of them"
            )
            key = (f"{row.VISITNUM:g}", f"{row.DAY:%Y-%m-%d}")
            yield Hit(records.name, row.PLACE, message, f"{records.name}DTC", key=key)


@rule(
    "SV-WIN",
    severity="info",
    needs={"SV": ("SVSTDTC", "VISITDY"), "DM": ("RFSTDTC",)},
    effect=("T 14.1.2.2",),
)
def _visit_window(context: Context) -> Iterator[Hit]:
    """A visit took place outside its window."""
    sv, limit = context.records("SV"), context.study.checks.sv_win_days
    start = beside(sv, context.participants["RFSTDT"])
    planned, actual = sv.number("VISITDY"), study_day(sv.dates("SVSTDTC")["DT"], start)
    outside = (actual - planned).abs() > limit
    expected = planned.map(lambda day: f"day {day:g} +- {limit}")
    message = actual.map(lambda day: f"visit on day {day:g}, outside its window; record a deviation")
    yield from hits(sv, outside, variable="SVSTDTC", expected=expected, message=message)
