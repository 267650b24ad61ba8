"""Defects of adverse events and of the therapies that belong to them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from interim.example.defects.draft import Draft, moved, numeric
from interim.example.defects.registry import plants
from interim.example.settings import numbers

_CRS = "Cytokine release syndrome"
_LIVER = ("Alanine aminotransferase increased", "Transaminases increased", "Hepatic enzyme increased")


def _closed(draft: Draft) -> pd.Series:
    """Tell the events with an end after their start."""
    ae = draft.frames["AE"]
    return ae["AEENDTC"].notna() & (ae["AEENDTC"].str[:10] > ae["AESTDTC"].str[:10])


def _treated(draft: Draft) -> pd.Series:
    """Return the first day of CAR-T by USUBJID."""
    ex = draft.frames["EX"]
    return ex[ex["EXTRT"] == "CAR-T"].groupby("USUBJID")["EXSTDTC"].min().str[:10]


@plants("D09")
def _exact_duplicate(draft: Draft) -> None:
    """The same record twice."""
    place = draft.pick("AE", draft.frames["AE"]["AETERM"].notna())
    draft.copy("AE", place, AESEQ=draft.row("AE", place)["AESEQ"])


@plants("D10")
def _near_duplicate(draft: Draft) -> None:
    """The same term a day later with a higher grade, while the first goes on."""
    ae = draft.frames["AE"]
    low = numeric(ae["AETOXGR"]) <= 2
    start, end = (pd.to_datetime(ae[name].str[:10], errors="coerce") for name in ("AESTDTC", "AEENDTC"))
    place = draft.pick("AE", ((end - start).dt.days >= 2) & low & (ae["AEDECOD"] != _CRS))
    row = draft.row("AE", place)
    draft.copy("AE", place, AETOXGR=str(int(row["AETOXGR"]) + 1), AESTDTC=moved(row["AESTDTC"], 1))


@plants("D11")
def _partial_onset(draft: Draft) -> None:
    """Only the month of onset is known, and CAR-T began within it."""
    ae, begin = draft.frames["AE"], _treated(draft)
    start = ae["USUBJID"].map(begin)
    after = ae["AEENDTC"].isna() | (ae["AEENDTC"].str[:10] >= start)
    place = draft.pick("AE", start.notna() & after & (start.str[8:10] != "01") & (ae["AEDECOD"] != _CRS))
    draft.set("AE", place, AESTDTC=str(start.iloc[place])[:7])


@plants("D12")
def _dates_swapped(draft: Draft) -> None:
    """End and start are swapped."""
    place = draft.pick("AE", _closed(draft))
    row = draft.row("AE", place)
    draft.set("AE", place, AESTDTC=row["AEENDTC"], AEENDTC=row["AESTDTC"])


@plants("D13")
def _fatal_grade(draft: Draft) -> None:
    """Grade 5 in a participant who recovered."""
    draft.set("AE", draft.pick("AE", draft.frames["AE"]["AEOUT"] == "RECOVERED/RESOLVED"), AETOXGR="5")


@plants("D14")
def _crs_with_pressor(draft: Draft) -> None:
    """Cytokine release syndrome of grade 1 although a vasopressor was given."""
    ae = draft.frames["AE"]
    place = draft.pick("AE", ae["AEDECOD"] == _CRS)
    row = draft.row("AE", place)
    draft.set("AE", place, AETOXGR="1")
    key = {"USUBJID": row["USUBJID"], "IDVARVAL": str(row["AESEQ"]), "QNAM": "ASTCTGR"}
    draft.set("SUPPAE", draft.place("SUPPAE", **key), QVAL="1")
    draft.add("CM", _medication(row["USUBJID"], "Norepinephrine", row["AESTDTC"], "hypotension"))


def _medication(who: str, name: str, start: str, reason: str) -> dict[str, Any]:
    return {
        "STUDYID": numbers("study.id"),
        "DOMAIN": "CM",
        "USUBJID": who,
        "CMTRT": name,
        "CMDECOD": name.upper(),
        "CMCAT": "CONCOMITANT MEDICATION",
        "CMINDC": reason,
        "CMSTDTC": start,
        "CMENDTC": start,
    }


@plants("D15")
def _grade_below_the_value(draft: Draft) -> None:
    """ALT of 612 U/L during an event of grade 2."""
    place = _liver_value(draft)
    row = draft.row("LB", place)
    draft.set("LB", place, LBORRES="612", LBSTRESC="612", LBSTRESN=612.0, LBNRIND="HIGH")
    day = str(row["LBDTC"])[:10]
    draft.add(
        "AE",
        {
            "STUDYID": numbers("study.id"),
            "DOMAIN": "AE",
            "USUBJID": row["USUBJID"],
            "AETERM": "ALT increased",
            "AEDECOD": _LIVER[0],
            "AEBODSYS": "Investigations",
            "AETOXGR": "2",
            "AESER": "N",
            "AEREL": "CART",
            "AEACN": "DOSE NOT CHANGED",
            "AEOUT": "NOT RECOVERED/NOT RESOLVED",
            "AESTDTC": day,
        },
    )


@plants("D16")
def _value_without_event(draft: Draft) -> None:
    """ALT of grade 3 that no event explains."""
    draft.set("LB", _liver_value(draft), LBORRES="540", LBSTRESC="540", LBSTRESN=540.0, LBNRIND="HIGH")


def _liver_value(draft: Draft) -> int:
    """Draw a normal ALT after CAR-T of a participant without a liver event and with normal values before."""
    lb, ae = draft.frames["LB"], draft.frames["AE"]
    start = lb["USUBJID"].map(_treated(draft))
    with_event = set(ae.loc[ae["AEDECOD"].isin(_LIVER), "USUBJID"])
    alt = (lb["LBTESTCD"] == "ALT") & lb["LBSTRESN"].notna()
    high = set(lb.loc[alt & (lb["LBSTRESN"] > lb["LBSTNRHI"]), "USUBJID"])
    mine = alt & (lb["LBDTC"].str[:10] > start) & ~lb["USUBJID"].isin(with_event)
    calm = mine & ~lb["USUBJID"].isin(high)
    return draft.pick("LB", calm if calm.any() else mine)


@plants("D17")
def _after_death(draft: Draft) -> None:
    """An event that starts five days after the death."""
    ae, dm = draft.frames["AE"], draft.frames["DM"]
    died = ae["USUBJID"].map(dm.drop_duplicates("USUBJID").set_index("USUBJID")["DTHDTC"])
    place = draft.pick("AE", died.notna())
    start = moved(str(died.iloc[place])[:10], 5)
    draft.set("AE", place, AESTDTC=start, AEENDTC=None, AEOUT="NOT RECOVERED/NOT RESOLVED")


@plants("D18")
def _no_causality(draft: Draft) -> None:
    """A serious event without causality."""
    ae = draft.frames["AE"]
    serious = ae["AESER"] == "Y"
    place = draft.pick("AE", serious if serious.any() else numeric(ae["AETOXGR"]) >= 2)
    draft.set("AE", place, AESER="Y", AEREL=None)


@plants("D19")
def _not_coded(draft: Draft) -> None:
    """An event without preferred term."""
    ae = draft.frames["AE"]
    draft.set("AE", draft.pick("AE", ae["AEDECOD"].notna() & (ae["AEDECOD"] != _CRS)), AEDECOD=None)


@plants("D42")
def _therapy_before_progression(draft: Draft) -> None:
    """A new anticancer therapy on day 60, before any progression."""
    rs, dm = draft.frames["RS"], draft.frames["DM"]
    progressed = rs[rs["RSSTRESC"].isin(["PD", "iUPD"])].groupby("USUBJID")["RSDTC"].min()
    start = dm["RFXSTDTC"].where(dm["RFXSTDTC"].notna(), None)
    day = start.map(lambda text: None if text is None else moved(str(text)[:10], 60))
    first, died = dm["USUBJID"].map(progressed).fillna("9999"), dm["DTHDTC"].fillna("9999")
    place = draft.pick("DM", day.notna() & (day < first) & (day < died))
    draft.note("DM", place, "treated")
    row = _medication(draft.row("DM", place)["USUBJID"], "FOLFIRI", str(day.iloc[place]), "progression")
    draft.add("CM", {**row, "CMCAT": "NEW ANTICANCER THERAPY", "CMSCAT": "SYSTEMIC", "CMENDTC": None})


@plants("D43")
def _tocilizumab(draft: Draft) -> None:
    """Tocilizumab in a participant without cytokine release syndrome."""
    ae, dm = draft.frames["AE"], draft.frames["DM"]
    with_crs = set(ae.loc[ae["AEDECOD"] == _CRS, "USUBJID"])
    place = draft.pick("DM", dm["RFXSTDTC"].notna() & ~dm["USUBJID"].isin(with_crs))
    draft.note("DM", place, "treated")
    row = draft.row("DM", place)
    draft.add("CM", _medication(row["USUBJID"], "Tocilizumab", str(row["RFXSTDTC"]), "fever"))
