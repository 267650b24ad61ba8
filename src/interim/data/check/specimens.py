"""Specimens and queries: ligand scores in their range, age of the tissue, open queries on primary data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words
from interim.data.dates import DAYS_PER_YEAR

_LIGAND = ("T 14.2.4.3",)


@rule("MI-RANGE", severity="stop", needs={"MI": ("MITESTCD", "MISTRESN")}, effect=_LIGAND)
def _score_range(context: Context) -> Iterator[Hit]:
    """An H-score or a percentage is outside its range."""
    mi = context.records("MI")
    for code, (low, high) in words("terms")["ligand"]["limits"].items():
        value = mi.number("MISTRESN")
        outside = (mi.code("MITESTCD") == code) & ((value < low) | (value > high))
        yield from hits(
            mi,
            outside,
            variable="MISTRESN",
            expected=f"{low} to {high}",
            message="outside the range of the score; correct it",
        )


@rule("MI-AGE", severity="info", needs={"MI": ("MITESTCD", "MIDTC"), "DM": ("RFICDTC",)}, effect=_LIGAND)
def _tissue_age(context: Context) -> Iterator[Hit]:
    """A tissue sample was taken long before the study."""
    mi, limit = context.records("MI"), context.study.checks.mi_age_years
    dm = context.records("DM")
    days = pd.Series(dm.dates("RFICDTC")["FIRST"].to_numpy(), index=pd.Index(dm.subjects(), dtype=object))
    consent = beside(mi, days[days.index.notna() & ~days.index.duplicated()])
    years = (consent - mi.dates("MIDTC")["LAST"]).dt.days / DAYS_PER_YEAR
    message = years.map(
        lambda age: f"tissue {age:.1f} years older than the consent: expression may have changed"
    )
    yield from hits(mi, years > limit, variable="MIDTC", expected=f"at most {limit:g} years", message=message)


@rule("Q-OPEN", severity="warn", any_of=("QUERY",), effect=("T 14.6.3",))
def _open_query(context: Context) -> Iterator[Hit]:
    """A query on primary data is open."""
    query, sets = context.records("QUERY"), words("terms")["query"]
    status = next((name for name in sets["status"] if query.has(name)), "")
    domain, field = query.code("QDOMAIN"), query.code("QFIELD")
    primary = pd.Series(
        [name in sets["primary"].get(of or "", []) for of, name in zip(domain, field, strict=True)],
        index=domain.index,
        dtype=bool,
    )
    still = ~query.code(status).isin(sets["closed"])
    for place in np.flatnonzero((primary & still).to_numpy()).tolist():
        message = f"open query on {query.cell(place, 'QDOMAIN')}.{query.cell(place, 'QFIELD')}: its answer may change a primary table"
        tables = tuple(sets["tables"].get(query.cell(place, "QDOMAIN") or "", ()))
        yield Hit("QUERY", place, message, "QFIELD", effect=tables)
