"""Reported responses: known values, one per visit, a possible sequence, lesions behind them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context
from interim.data.check.lesions import LESION, lesions, measured
from interim.data.check.records import Hit, each, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_RS = ("RSTESTCD", "RSSTRESC", "RSDTC")
_ORR = ("T 14.2.2.1", "T 14.2.3.1")
_CHAIN = ["USUBJID", "EVAL", "CRITERIA"]
_RESPONDED = ("CR", "PR")


def responses(context: Context, test: str) -> pd.DataFrame:
    """Return the reported responses of one test in the order of their dates.

    Parameters
    ----------
    context : Context
        The delivered domains.
    test : str
        RSTESTCD.

    Returns
    -------
    pandas.DataFrame
        PLACE, USUBJID, EVAL, CRITERIA (RSCAT), VALUE, DAY, VISITNUM; done assessments only.

    Raises
    ------
    None
    """
    rs = context.records("RS")
    table = pd.DataFrame(
        {
            "PLACE": np.arange(len(rs)),
            "USUBJID": rs.subjects(),
            "EVAL": rs.code("RSEVAL").fillna("") + "|" + rs.code("RSEVALID").fillna(""),
            "CRITERIA": rs.code("RSCAT").fillna(""),
            "VALUE": rs.code("RSSTRESC"),
            "DAY": rs.dates("RSDTC")["FIRST"],
            "VISITNUM": rs.number("VISITNUM"),
        }
    )
    chosen = (rs.code("RSTESTCD") == test) & table["VALUE"].notna() & table["USUBJID"].notna()
    return table[chosen].sort_values([*_CHAIN, "DAY", "PLACE"], kind="stable", ignore_index=True)


@rule("RS-VALUE", severity="warn", needs={"RS": _RS}, effect=_ORR)
def _known_value(context: Context) -> Iterator[Hit]:
    """A reported response is none of the values of the criteria."""
    rs, sets = context.records("RS"), words("terms")["response"]
    test, value, category = rs.code("RSTESTCD"), rs.code("RSSTRESC"), rs.code("RSCAT").fillna("")
    for code, name in (
        ("OVRLRESP", "overall"),
        ("TRGRESP", "target"),
        ("NTRGRESP", "nontarget"),
        ("NEWLPROG", "new_lesion"),
    ):
        permitted = pd.Series(value.isin(sets[name]))
        permitted |= (category == "IRECIST") & value.isin(sets["irecist"])
        bad = (test == code) & value.notna() & ~permitted & (rs.code("RSSTAT") != "NOT DONE")
        message = "unknown response: it counts as NE; correct it at the source"
        yield from hits(rs, bad, variable="RSSTRESC", expected=", ".join(sets[name]), message=message)


@rule("RS-DUP", severity="warn", needs={"RS": _RS}, effect=_ORR)
def _one_response(context: Context) -> Iterator[Hit]:
    """One evaluator gave two responses of one test at one visit."""
    rs = context.records("RS")
    names = ("RSCAT", "RSTESTCD", "RSEVAL", "RSEVALID")
    table = pd.DataFrame({name: rs.code(name) for name in names}).assign(WHO=rs.subjects())
    visit = rs.number("VISITNUM")
    table = table.assign(VISIT=visit.astype("str").where(visit.notna(), rs.code("RSDTC")))
    yield from hits(
        rs,
        table.duplicated(),
        variable="RSSTRESC",
        message="second response at this visit: the first is used",
    )
    accepted = rs.code("RSACPTFL") == "Y"
    keys = table.drop(columns=["RSEVAL", "RSEVALID"])
    twice = accepted & keys[accepted].duplicated().reindex(keys.index, fill_value=False) & ~table.duplicated()
    yield from hits(rs, twice, variable="RSACPTFL", message="two accepted responses at one visit; accept one")


@rule("RS-CRPR", severity="warn", needs={"RS": _RS}, effect=_ORR)
def _after_complete_response(context: Context) -> Iterator[Hit]:
    """A partial response is reported after a complete response."""
    table = responses(context, "OVRLRESP")
    seen = (table["VALUE"] == "CR").groupby([table[name] for name in _CHAIN]).cummax()
    for row in each(table[seen & (table["VALUE"] == "PR")]):
        yield Hit(
            "RS",
            row.PLACE,
            "PR after CR: a lesion that comes back is progression; check the lesions",
            "RSSTRESC",
        )


@rule("RS-ICPD", severity="warn", needs={"RS": (*_RS, "RSCAT")}, effect=("T 14.2.2.5",))
def _confirmed_progression(context: Context) -> Iterator[Hit]:
    """Confirmed progression (iCPD) is reported without an earlier iUPD."""
    table = responses(context, "OVRLRESP")
    seen = (table["VALUE"] == "IUPD").groupby([table[name] for name in _CHAIN]).cummax()
    for row in each(table[~seen & (table["VALUE"] == "ICPD")]):
        yield Hit("RS", row.PLACE, "iCPD without an earlier iUPD: not a confirmed progression", "RSSTRESC")


@rule("RS-NOTR", severity="warn", needs={"RS": _RS, "TR": ("TRLNKID", "TRDTC")}, effect=_ORR)
def _response_without_lesions(context: Context) -> Iterator[Hit]:
    """An overall response has no lesion record at its visit."""
    table = responses(context, "OVRLRESP")
    table = table[~table["VALUE"].isin(["NE", "INE"])]
    visits, days = _assessed(context)
    at_visit = pd.Series(
        list(zip(table["USUBJID"], table["VISITNUM"], strict=True)), index=table.index, dtype=object
    )
    at_day = pd.Series(
        list(zip(table["USUBJID"], table["DAY"], strict=True)), index=table.index, dtype=object
    )
    bare = table[~at_visit.isin(visits) & ~at_day.isin(days)]
    for row in each(bare):
        yield Hit(
            "RS", row.PLACE, "response without any lesion record at this visit; add the lesions", "RSSTRESC"
        )


def _assessed(context: Context) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    """Return the visits and the days at which a participant has lesion records."""
    visits: set[tuple[object, ...]] = set()
    days: set[tuple[object, ...]] = set()
    for records in context.delivered("TR", "TU"):
        who = records.subjects()
        visits |= set(zip(who, records.number("VISITNUM"), strict=True))
        days |= set(zip(who, records.dates(f"{records.name}DTC")["FIRST"], strict=True))
    return visits, days


@rule("RS-CONFIRM", severity="warn", needs={"RS": _RS}, effect=("T 14.2.2.1",))
def _confirmed_too_early(context: Context) -> Iterator[Hit]:
    """The scan after a first response repeats it too early to confirm it."""
    table, least = responses(context, "OVRLRESP"), context.study.response.confirm_min_days
    groups = table.groupby(_CHAIN)
    before, gap = groups["VALUE"].shift(), (table["DAY"] - groups["DAY"].shift()).dt.days
    new = ~groups["VALUE"].shift(2).isin(_RESPONDED)
    early = table["VALUE"].isin(_RESPONDED) & before.isin(_RESPONDED) & new & (gap > 0) & (gap < least)
    for row in each(table.assign(GAP=gap)[early]):
        message = (
            f"{row.VALUE} repeated after {row.GAP:g} d, at least {least} d are needed: not a confirmation"
        )
        yield Hit("RS", row.PLACE, message, "RSDTC", f">= {least} d")


@rule("RS-GAP", severity="info", needs={"RS": _RS}, effect=("T 14.2.3.6",))
def _gap_before_progression(context: Context) -> Iterator[Hit]:
    """Progression follows a long time without any assessment."""
    table, limit = responses(context, "OVRLRESP"), context.study.tte.gap_days
    first = table[table["VALUE"] == "PD"].drop_duplicates(_CHAIN)
    seen = _assessment_days(context)
    for row in each(first.dropna(subset=["DAY"])):
        before = [day for day in seen.get(row.USUBJID, []) if day < row.DAY]
        gap = (row.DAY - max(before)).days if before else 0
        if gap > limit:
            message = f"progression {gap} d after the assessment before it: missed scans move its date"
            yield Hit("RS", row.PLACE, message, "RSDTC", f"<= {limit} d")


def _assessment_days(context: Context) -> dict[str, list[pd.Timestamp]]:
    """Return the days of tumour records by USUBJID; a scan that is recorded as not done counts, it is accounted for."""
    parts = [
        pd.DataFrame({"WHO": r.subjects(), "DAY": r.dates(f"{r.name}DTC")["FIRST"]})
        for r in context.delivered("TR", "TU", "RS")
    ]
    table = pd.concat(parts, ignore_index=True).dropna().drop_duplicates()
    return {str(who): list(rows["DAY"]) for who, rows in table.groupby("WHO")}


@rule(
    "RS-NODE",
    severity="warn",
    needs={"RS": _RS, "TU": ("TULNKID", "TULOC"), "TR": ("TRLNKID", "TRSTRESN")},
    effect=_ORR,
)
def _node_in_complete_response(context: Context) -> Iterator[Hit]:
    """A complete target response is reported although a node is not normal."""
    limit, table = context.study.response.nodal_cr_mm, lesions(context)
    nodes = table[table["NODE"] & (table["ROLE"] == "TARGET")][LESION]
    rows = measured(context).merge(nodes, on=LESION, validate="m:1")
    short = rows[rows["TEST"] == "LPERP"]
    others = rows[(rows["TEST"] == "DIAMETER") & ~rows["LESION"].isin(set(short["LESION"]))]
    axis = pd.concat([short, others]).groupby(["USUBJID", "EVAL", "VISITNUM"], as_index=False)["VALUE"].max()
    complete = responses(context, "TRGRESP")
    complete = complete[complete["VALUE"] == "CR"].rename(columns={"VALUE": "RESPONSE"})
    joined = complete.merge(axis, on=["USUBJID", "EVAL", "VISITNUM"], validate="m:1")
    for row in each(joined[joined["VALUE"] >= limit]):
        message = f"complete target response with a node of {row.VALUE:g} mm short axis; below {limit:g} mm is normal"
        yield Hit("RS", row.PLACE, message, "RSSTRESC", f"all nodes below {limit:g} mm")
