"""Limitations of the data that follow from the data themselves: each with its rule, whether it holds, and its counts."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import Population, population
from interim.result import TOTAL, Result, Rows
from interim.study import NK_ONLY, Study


def found(adam: Adam, study: Study) -> Result:
    """Say which of the usual limitations of an early trial hold in these data.

    Parameters
    ----------
    adam : Adam
        ADSL; ADTTE for the length of follow-up.
    study : Study
        Columns, evaluator of the response, readings.

    Returns
    -------
    Result
        ``limitations.found``; variable = limitation, stat ``holds``: 1 or 0, with the counts behind it as n of N; a
        limitation that cannot be judged has status NA and the reason.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    rows = Rows("limitations.found", "Limitations", population="Full analysis set", group_var="")
    who = population(adam, study, "FAS")
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(who.everyone)].set_index("USUBJID")
    columns = [group for group in who.groups if group not in (TOTAL, NK_ONLY) and who.n(group)]
    _few(rows, who, columns)
    _one_site(rows, adsl)
    _one_arm(rows, study)
    _dose_and_time(rows, who, columns, adsl)
    _dose_and_type(rows, who, columns, adsl)
    _immature(rows, adsl, who)
    _judged(rows, "verification", True)
    _judged(rows, "investigator", study.response.evaluator == "INVESTIGATOR")
    open_readings = sum(not reading.confirmed for reading in study.readings)
    _judged(rows, "readings", open_readings > 0, n=open_readings, total=len(study.readings))
    return rows.build()


def _judged(rows: Rows, name: str, holds: bool, *, n: int | None = None, total: int | None = None) -> None:
    rows.add("holds", int(holds), variable=name, n=n, N=total)


def _unknown(rows: Rows, name: str, reason: str) -> None:
    rows.add("holds", None, variable=name, status="NA", reason=f"not available: {reason}")


def _few(rows: Rows, who: Population, columns: list[str]) -> None:
    """Few participants: columns with participants, but fewer than the limit of the layout."""
    limit = printed_rows()["limitations"]["small_column"]
    small = sum(who.n(group) < limit for group in columns)
    _judged(rows, "small", small > 0, n=small, total=len(columns))


def _one_site(rows: Rows, adsl: pd.DataFrame) -> None:
    sites = adsl["SITEID"].nunique() if "SITEID" in adsl else 0
    if sites:
        _judged(rows, "single_centre", sites == 1, n=sites)
    else:
        _unknown(rows, "single_centre", "no site in the data")


def _one_arm(rows: Rows, study: Study) -> None:
    """A dose ladder has no control; arms as columns are a comparison."""
    _judged(rows, "one_arm", study.cohort.variable is None or len(study.cohorts()) == 1)


def _dose_and_time(rows: Rows, who: Population, columns: list[str], adsl: pd.DataFrame) -> None:
    """Pairs of columns whose first infusions do not overlap in calendar time."""
    spans = [
        (days.min(), days.max()) for days in (adsl.loc[sorted(who.members[c]), "TRTSDT"] for c in columns)
    ]
    pairs = list(combinations(spans, 2))
    apart = sum(a[1] < b[0] or b[1] < a[0] for a, b in pairs)
    if pairs:
        _judged(rows, "dose_time", apart > 0, n=apart, total=len(pairs))
    else:
        _unknown(rows, "dose_time", "fewer than two columns with participants")


def _dose_and_type(rows: Rows, who: Population, columns: list[str], adsl: pd.DataFrame) -> None:
    """Combinations of column and tumour type without any participant."""
    types = sorted(adsl["TUMTYPE"].dropna().unique()) if "TUMTYPE" in adsl else []
    if len(types) < 2 or len(columns) < 2:
        _unknown(rows, "dose_type", "fewer than two tumour types or columns")
        return
    seen = {(c, t) for c in columns for t in adsl.loc[sorted(who.members[c]), "TUMTYPE"].dropna()}
    total = len(types) * len(columns)
    _judged(rows, "dose_type", len(seen) < total, n=total - len(seen), total=total)


def _immature(rows: Rows, adsl: pd.DataFrame, who: Population) -> None:
    """Follow-up is immature while fewer than half of the participants have died."""
    deaths = int((adsl["DTHFL"] == "Y").sum()) if "DTHFL" in adsl else None
    if deaths is None or not who.n():
        _unknown(rows, "immature", "no deaths in the data")
    else:
        _judged(rows, "immature", 2 * deaths < who.n(), n=deaths, total=who.n())
