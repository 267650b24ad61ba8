"""Laboratory values against adverse events: grades that contradict each other, grade 3 values without an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, each
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_SEVERE = 3
_LB = ("LBTESTCD", "LBSTRESN", "LBSTRESU", "LBSTNRHI", "LBDTC")
_AE = ("AEDECOD", "AETOXGR", "AESTDTC", "AEENDTC")


def graded_values(context: Context) -> pd.DataFrame:
    """Return the laboratory values since the first dose that can be graded.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    pandas.DataFrame
        PLACE in LB, USUBJID, TEST, DAY, GRADE (0 to 4).

    Raises
    ------
    None
    """
    return context.shared(_graded_values)


def _graded_values(context: Context) -> pd.DataFrame:
    lb = context.records("LB")
    tests = {row["test"] for row in words("laboratory")["grade"]}
    graded = lb.equal("LBTESTCD", *tests) & lb.number("LBSTRESN").notna()
    dates = lb.dates("LBDTC")[graded]
    table = pd.DataFrame(
        {
            "PLACE": np.flatnonzero(graded.to_numpy()),
            "USUBJID": lb.subjects()[graded],
            "TEST": lb.code("LBTESTCD")[graded],
            "UNIT": lb.code("LBSTRESU")[graded],
            "VALUE": lb.number("LBSTRESN")[graded],
            "ULN": lb.number("LBSTNRHI")[graded],
            "DAY": dates["DT"],
            "AT": dates["DTM"].fillna(dates["DT"]),
            "DOSE": beside(lb, context.first_dose())[graded],
        }
    )
    by_test = dict(list(table.groupby("TEST")))
    parts = [_graded(by_test.get(row["test"], table.iloc[:0]), row) for row in words("laboratory")["grade"]]
    return pd.concat(parts, ignore_index=True).sort_values("PLACE", kind="stable", ignore_index=True)


def _graded(table: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    """Grade one test; the first limit that a value passes last gives the grade."""
    known = table[table["UNIT"].isin(row["units"])]
    after = known[known["AT"] > known["DOSE"]].dropna(subset=["USUBJID", "DAY"])
    value = after["VALUE"]
    if "absolute" in row:
        passed = [value < limit for limit in row["absolute"]]
    else:
        base = _abnormal_baseline(known[known["AT"] <= known["DOSE"]])
        mine = pd.Series(base.reindex(after["USUBJID"]).to_numpy(), index=after.index)
        factors = zip(row["uln"], row["baseline"], strict=True)
        passed = [(value > mine * b).where(mine.notna(), value > after["ULN"] * u) for u, b in factors]
    count = sum(part.astype(int) for part in passed)
    grade = (count + row.get("first", 1) - 1).where(count > 0, 0)
    return after[["PLACE", "USUBJID", "DAY", "TEST"]].assign(GRADE=grade)


def _abnormal_baseline(before: pd.DataFrame) -> pd.Series:
    """Return the last value before the first dose by USUBJID, where it is above its own ULN."""
    last = before.sort_values(["USUBJID", "AT", "VALUE"], kind="stable").drop_duplicates(
        "USUBJID", keep="last"
    )
    return last[last["VALUE"] > last["ULN"]].set_index("USUBJID")["VALUE"]


def _events(context: Context, link_days: int) -> pd.DataFrame:
    """Return one row per adverse event and test that its term belongs to."""
    ae = context.records("AE")
    table = pd.DataFrame(
        {
            "AE": np.arange(len(ae)),
            "USUBJID": ae.subjects(),
            "TERM": ae.code("AEDECOD"),
            "AEGRADE": ae.number("AETOXGR"),
            "FROM": ae.dates("AESTDTC")["FIRST"],
            "TO": ae.dates("AEENDTC")["LAST"].fillna(pd.Timestamp(2199, 12, 31)),
        }
    ).dropna(subset=["USUBJID", "TERM", "FROM"])
    slack = pd.Timedelta(link_days, unit="D")
    table = table.assign(FROM=table["FROM"] - slack, TO=table["TO"] + slack)
    terms = [(term, row["test"]) for row in words("laboratory")["grade"] for term in row["terms"]]
    return table.merge(pd.DataFrame(terms, columns=["TERM", "TEST"]), on="TERM", validate="m:m")


def _linked(context: Context, link_days: int, *, lowest: float) -> pd.DataFrame:
    """Return the pairs of laboratory value, from a grade on, and adverse event that belong together."""
    values = graded_values(context)
    values = values[values["GRADE"] >= lowest]
    pairs = values.merge(_events(context, link_days), on=["USUBJID", "TEST"], validate="m:m")
    return pairs[(pairs["FROM"] <= pairs["DAY"]) & (pairs["DAY"] <= pairs["TO"])]


@rule("AE-LB-GRADE", severity="warn", needs={"AE": _AE, "LB": _LB}, effect=("T 14.2.1.1", "T 14.3.4.3"))
def _grade_by_value(context: Context) -> Iterator[Hit]:
    """A laboratory value during an event has a higher grade than the event."""
    pairs = _linked(context, 0, lowest=context.records("AE").number("AETOXGR").min())
    own = _is_own_term(pairs)
    higher = pairs[own & (pairs["GRADE"] > pairs["AEGRADE"])]
    worst = higher.sort_values(
        ["AE", "GRADE", "PLACE"], ascending=[True, False, True], kind="stable"
    ).drop_duplicates("AE")
    for row in each(worst):
        message = f"{row.TEST} during the event has grade {row.GRADE:g}, the event grade {row.AEGRADE:g}; check the grade"
        yield Hit("AE", row.AE, message, "AETOXGR", f"{row.GRADE:g}")


def _is_own_term(pairs: pd.DataFrame) -> pd.Series:
    """Tell the pairs whose term names the test itself: the first terms of the table, not those that only explain a value."""
    first = {(row["terms"][0], row["test"]) for row in words("laboratory")["grade"]}
    own = [key in first for key in zip(pairs["TERM"], pairs["TEST"], strict=True)]
    return pd.Series(own, index=pairs.index, dtype=bool)


@rule("LB-NOAE", severity="info", needs={"AE": _AE, "LB": _LB}, effect=("L 14.3.4.4",))
def _value_without_event(context: Context) -> Iterator[Hit]:
    """A laboratory value of grade 3 or higher has no adverse event."""
    days = context.study.checks.lb_noae_days
    explained = set(_linked(context, days, lowest=_SEVERE)["PLACE"])
    values = graded_values(context)
    for row in each(values[(values["GRADE"] >= _SEVERE) & ~values["PLACE"].isin(explained)]):
        message = (
            f"{row.TEST} of grade {row.GRADE:g} without an adverse event within {days} d; add one or explain"
        )
        yield Hit("LB", row.PLACE, message, "LBSTRESN")
