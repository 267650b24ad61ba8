"""Therapies: new anticancer therapy before progression, therapies without a category."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, Records, hits
from interim.data.check.registry import rule
from interim.data.check.response import responses
from interim.data.check.vocabulary import words
from interim.data.spec import codelists

_PFS = ("T 14.2.3.1", "T 14.2.3.6")


def _after_dose(context: Context, records: Records) -> pd.Series:
    first = beside(records, context.first_dose()).dt.normalize()
    given = records.code(f"{records.name}OCCUR") != "N"
    later: pd.Series = records.dates(f"{records.name}STDTC")["FIRST"] > first
    return given & later


@rule(
    "CM-CLASS",
    severity="warn",
    needs={"CM": ("CMTRT", "CMCAT", "CMSTDTC"), "EX": ("EXTRT", "EXSTDTC")},
    effect=_PFS,
)
def _classified(context: Context) -> Iterator[Hit]:
    """A therapy after the first dose is not classified as anticancer therapy or not."""
    known = [name.upper() for name in codelists()["THERAPY"].values]
    for records in context.delivered("CM", "PR"):
        category = records.code(f"{records.name}CAT")
        unknown = ~category.isin(known) if records.name == "CM" else category.isna()
        message = "therapy after the first dose without category: anticancer or not? both readings are shown"
        where = unknown & _after_dose(context, records)
        yield from hits(
            records, where, variable=f"{records.name}CAT", expected=", ".join(known), message=message
        )


@rule(
    "CM-NEWTX",
    severity="info",
    any_of=("CM", "PR"),
    needs={"EX": ("EXTRT", "EXSTDTC"), "RS": ("RSTESTCD", "RSSTRESC", "RSDTC")},
    effect=_PFS,
)
def _therapy_before_progression(context: Context) -> Iterator[Hit]:
    """A new anticancer therapy starts before progression."""
    table = responses(context, "OVRLRESP")
    progressed = table[table["VALUE"].isin(["PD", "ICPD", "IUPD"])].groupby("USUBJID")["DAY"].min()
    planned = {name.upper() for name in context.study.study.planned_therapies}
    for records in context.delivered("CM", "PR"):
        name = records.name
        new = records.code(f"{name}CAT").isin(words("terms")["therapy"]["new"]) & _after_dose(
            context, records
        )
        new &= ~records.code(f"{name}TRT").isin(planned) & ~records.code(f"{name}DECOD").isin(planned)
        start, day = records.dates(f"{name}STDTC")["LAST"], beside(records, progressed)
        early = new & (day.isna() | (start < day))
        message = "new anticancer therapy before progression: progression-free survival is censored there"
        yield from hits(records, early, variable=f"{name}STDTC", message=message)
