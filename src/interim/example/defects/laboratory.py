"""Defects of laboratory values: unit, range, limits of quantification, baseline, blood counts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from interim.example.defects.draft import Draft, moved
from interim.example.defects.registry import plants

_RANGED = ("ALT", "AST", "BILI", "CREAT")


def _done(draft: Draft, *tests: str) -> pd.Series:
    lb = draft.frames["LB"]
    return lb["LBTESTCD"].isin(tests) & lb["LBSTRESN"].notna()


def _result(draft: Draft, place: int, text: str, value: Any) -> None:
    draft.set("LB", place, LBORRES=text, LBSTRESC=text, LBSTRESN=value)


@plants("D20")
def _bilirubin(draft: Draft) -> None:
    """A value in mg/dL under the unit umol/L."""
    _result(draft, draft.pick("LB", _done(draft, "BILI")), "1.1", 1.1)


@plants("D21")
def _haemoglobin(draft: Draft) -> None:
    """A value in g/dL under the unit g/L."""
    _result(draft, draft.pick("LB", _done(draft, "HGB")), "11.4", 11.4)


@plants("D22")
def _no_limit(draft: Draft) -> None:
    """The upper limit of normal is missing."""
    lb = draft.frames["LB"]
    place = draft.pick("LB", _done(draft, *_RANGED) & lb["LBSTNRHI"].notna())
    draft.set("LB", place, LBSTNRHI=None, LBORNRHI=None)


@plants("D23")
def _below_the_limit(draft: Draft) -> None:
    """Results below the limit of quantification as text, as zero and with a sign."""
    lb = draft.frames["LB"]
    signed = lb["LBORRES"].astype("str").str.startswith("<")
    test = lb.loc[signed, "LBTESTCD"].value_counts().index[0]
    mine = signed & (lb["LBTESTCD"] == test)
    _result(draft, draft.pick("LB", mine), "BLQ", None)
    _result(draft, draft.pick("LB", mine), "0", 0.0)


@plants("D24")
def _sign_stripped(draft: Draft) -> None:
    """A value above the upper limit of quantification lost its sign."""
    _result(draft, draft.pick("LB", _done(draft, "CA199")), "12000", 12000.0)


@plants("D25")
def _percentage(draft: Draft) -> None:
    """Neutrophils in percent under a unit of counts."""
    _result(draft, draft.pick("LB", _done(draft, "NEUT")), "71", 71.0)


@plants("D26")
def _granulocytes(draft: Draft) -> None:
    """Granulocytes recorded as neutrophils."""
    lb = draft.frames["LB"]
    draws = lb[_done(draft, "EOS", "BASO")].groupby(["USUBJID", "LBDTC"])["LBSTRESN"].sum()
    keys = pd.MultiIndex.from_frame(lb[["USUBJID", "LBDTC"]])
    others = pd.Series(draws.reindex(keys).to_numpy(), index=lb.index)
    place = draft.pick("LB", _done(draft, "NEUT") & (others >= 0.1))
    value = round(float(lb["LBSTRESN"].iloc[place] + others.iloc[place]), 2)
    _result(draft, place, f"{value:g}", value)


@plants("D27")
def _after_the_infusion(draft: Draft) -> None:
    """A sample labelled pre-dose that was drawn after the infusion of its day."""
    lb, ex = draft.frames["LB"], draft.frames["EX"]
    doses = {
        (who, str(start)[:10]): str(start) for who, start in zip(ex["USUBJID"], ex["EXSTDTC"], strict=True)
    }
    keys = list(zip(lb["USUBJID"], lb["LBDTC"].str[:10], strict=True))
    dosed = pd.Series([key in doses for key in keys], index=lb.index)
    place = draft.pick("LB", dosed & (lb["LBTPT"] == "PRE-DOSE"))
    given = doses[keys[place]]
    draft.set("LB", place, LBDTC=f"{given[:11]}13:30{given[16:]}")


@plants("D28")
def _repeat(draft: Draft) -> None:
    """A second sample of a test at the same visit."""
    place = draft.pick("LB", _done(draft, "K", "ALT", "HGB"))
    row = draft.row("LB", place)
    value = round(float(row["LBSTRESN"]) * 1.02, 2)
    text = f"{value:g}"
    clock = f"{row['LBDTC'][:11]}07:40{row['LBDTC'][16:]}"
    draft.copy("LB", place, LBORRES=text, LBSTRESC=text, LBSTRESN=value, LBDTC=moved(clock, 0))
