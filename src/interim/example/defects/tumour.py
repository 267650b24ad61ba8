"""Defects of lesions and of the responses reported from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from interim.example.defects.draft import Draft, days_between, moved
from interim.example.defects.registry import plants

_MOST_TARGETS = 5
_EARLY = 17
_LONG_GAP = 100


def _first_dose(draft: Draft, domain: str) -> pd.Series:
    dm = draft.frames["DM"].drop_duplicates("USUBJID").set_index("USUBJID")
    return draft.frames[domain]["USUBJID"].map(dm["RFXSTDTC"].str[:10])


def _sizes(draft: Draft) -> pd.DataFrame:
    """Return TR with AFTER (after the first dose) and SIZE (a measured target)."""
    tr = draft.frames["TR"]
    size = (tr["TRGRPID"] == "TARGET") & tr["TRSTRESN"].notna()
    return tr.assign(AFTER=(tr["TRDTC"] > _first_dose(draft, "TR")).to_numpy(), SIZE=size)


def _others(draft: Draft, table: pd.DataFrame) -> pd.Series:
    """Return the number of measured targets of the same participant and visit."""
    return table["SIZE"].groupby([table["USUBJID"], table["VISITNUM"]]).transform("sum")


def _overall(draft: Draft) -> pd.DataFrame:
    """Return RS with the place of every overall response by RECIST 1.1, by participant and date."""
    rs = draft.frames["RS"].assign(PLACE=np.arange(len(draft.frames["RS"])))
    chosen = rs[(rs["RSTESTCD"] == "OVRLRESP") & (rs["RSCAT"] == "RECIST 1.1")]
    return chosen.sort_values(["USUBJID", "RSDTC", "PLACE"], kind="stable")


def _at(table: pd.DataFrame, length: int) -> np.ndarray:
    where = np.zeros(length, dtype=bool)
    where[table["PLACE"].to_numpy(dtype=int)] = True
    return where


def _reported(draft: Draft, overall: int, **values: Any) -> None:
    """Set the overall and the target response of the visit of an overall response."""
    row = draft.row("RS", overall)
    target = draft.place(
        "RS", USUBJID=row["USUBJID"], VISITNUM=row["VISITNUM"], RSTESTCD="TRGRESP", RSCAT="RECIST 1.1"
    )
    for place in (overall, target):
        draft.set("RS", place, **values)


@plants("D29")
def _centimetres(draft: Draft) -> None:
    """A diameter in cm in a field of mm."""
    table = _sizes(draft)
    records = table["SIZE"].groupby([table["USUBJID"], table["TRLNKID"]]).transform("sum")
    large = table["SIZE"] & (table["TRSTRESN"] >= 15) & (table["TRSTRESN"] % 10 != 0)
    place = draft.pick("TR", large & (records >= 2))
    value = round(float(table["TRSTRESN"].iloc[place]) / 10, 1)
    draft.set("TR", place, TRORRES=f"{value:g}", TRSTRESC=f"{value:g}", TRSTRESN=value)


@plants("D30")
def _target_missing(draft: Draft) -> None:
    """A target has no record at one scan."""
    table = _sizes(draft)
    place = draft.pick("TR", table["SIZE"] & table["AFTER"] & (_others(draft, table) >= 2))
    draft.remove("TR", np.arange(len(table)) == place)


@plants("D31")
def _split_without_link(draft: Draft) -> None:
    """A size under a new lesion id that nothing links."""
    table = _sizes(draft)
    place = draft.pick("TR", table["SIZE"] & table["AFTER"])
    draft.set("TR", place, TRLNKID=f"{table['TRLNKID'].iloc[place]}A")


@plants("D32")
def _too_many_targets(draft: Draft) -> None:
    """Six targets."""
    tu = draft.frames["TU"]
    place = draft.pick("TU", tu["TUSTRESC"] == "TARGET")
    row = draft.row("TU", place)
    have = int(((tu["USUBJID"] == row["USUBJID"]) & (tu["TUSTRESC"] == "TARGET")).sum())
    tr = draft.frames["TR"]
    mine = np.flatnonzero((tr["USUBJID"] == row["USUBJID"]) & (tr["TRLNKID"] == row["TULNKID"]))
    for number in range(have + 1, _MOST_TARGETS + 2):
        draft.copy("TU", place, TULNKID=f"T{number + 10}")
        for record in mine.tolist():
            draft.copy("TR", record, TRLNKID=f"T{number + 10}")


@plants("D33")
def _no_baseline(draft: Draft) -> None:
    """A target that was not measured before the first dose."""
    table = _sizes(draft)
    later = table["AFTER"].groupby([table["USUBJID"], table["TRLNKID"]]).transform("any")
    place = draft.pick("TR", table["SIZE"] & ~table["AFTER"] & later)
    draft.remove("TR", np.arange(len(table)) == place)


@plants("D34")
def _contradicted(draft: Draft) -> None:
    """A partial response reported where the sum of diameters shows none."""
    table = _overall(draft)
    overall = draft.pick("RS", _at(table[table["RSSTRESC"] == "SD"], len(draft.frames["RS"])))
    _reported(draft, overall, RSORRES="PR", RSSTRESC="PR")


@plants("D35")
def _new_lesion(draft: Draft) -> None:
    """A new lesion at a scan that is reported as stable."""
    table, tr = _overall(draft), draft.frames["TR"]
    overall = draft.pick("RS", _at(table[table["RSSTRESC"] == "SD"], len(draft.frames["RS"])))
    row = draft.row("RS", overall)
    draft.note("RS", overall, "contradicted")
    tu = draft.place("TU", USUBJID=row["USUBJID"], TUSTRESC="TARGET")
    scan = tr[(tr["USUBJID"] == row["USUBJID"]) & (tr["VISITNUM"] == row["VISITNUM"])].iloc[0]
    visit = {"VISITNUM": row["VISITNUM"], "VISIT": row["VISIT"], "TUDTC": scan["TRDTC"]}
    draft.copy("TU", tu, TULNKID="NEW09", TUORRES="NEW", TUSTRESC="NEW", **visit)


@plants("D36")
def _confirmed_too_early(draft: Draft) -> None:
    """A response confirmed 17 days after it was seen."""
    table = _overall(draft)
    groups = table.groupby("USUBJID")["RSSTRESC"]
    for value in ("PR", "SD"):
        before, earlier = groups.shift(), groups.shift(2)
        pairs = table[(table["RSSTRESC"] == value) & (before == value) & (earlier != "PR")]
        if len(pairs):
            break
    second = draft.pick("RS", _at(pairs, len(draft.frames["RS"])))
    place = table["PLACE"].tolist().index(second)
    first = int(table["PLACE"].iloc[place - 1])
    if value == "SD":
        _reported(draft, first, RSORRES="PR", RSSTRESC="PR")
        _reported(draft, second, RSORRES="PR", RSSTRESC="PR")
    row, day = draft.row("RS", second), moved(draft.row("RS", first)["RSDTC"], _EARLY)
    for domain in ("RS", "TR"):
        frame = draft.frames[domain]
        same = (frame["USUBJID"] == row["USUBJID"]) & (frame["VISITNUM"] == row["VISITNUM"])
        for record in np.flatnonzero(same).tolist():
            draft.set(domain, record, **{f"{domain}DTC": day})


@plants("D37")
def _scans_missed(draft: Draft) -> None:
    """Two or more scans without any record before a progression."""
    table = _overall(draft)
    start = table["USUBJID"].map(
        draft.frames["DM"].drop_duplicates("USUBJID").set_index("USUBJID")["RFXSTDTC"]
    )
    late = [days_between(str(a), str(b)) > _LONG_GAP for a, b in zip(start, table["RSDTC"], strict=True)]
    chosen = table[np.array(late, dtype=bool)]
    progressed = chosen[chosen["RSSTRESC"] == "PD"]
    overall = draft.pick("RS", _at(progressed if len(progressed) else chosen, len(draft.frames["RS"])))
    row = draft.row("RS", overall)
    _reported(draft, overall, RSORRES="PD", RSSTRESC="PD")
    dose = str(draft.person(row["USUBJID"])["RFXSTDTC"])[:10]
    for domain in ("RS", "TR", "TU"):
        frame = draft.frames[domain]
        day = frame[f"{domain}DTC"]
        draft.remove(domain, (frame["USUBJID"] == row["USUBJID"]) & (day > dose) & (day < row["RSDTC"]))


@plants("D38")
def _node_not_normal(draft: Draft) -> None:
    """A complete target response with a node of 12 mm."""
    table = _sizes(draft)
    size = table["SIZE"] & table["AFTER"]
    node = size & (table["TRTESTCD"] == "LPERP")
    place = draft.pick("TR", node if node.any() else size)
    row = draft.row("TR", place)
    draft.set("TR", place, TRTESTCD="LPERP", TRORRES="12", TRSTRESC="12", TRSTRESN=12.0)
    lesion = draft.place("TU", USUBJID=row["USUBJID"], TULNKID=row["TRLNKID"])
    draft.set("TU", lesion, TULOC="LYMPH NODE ABDOMINAL")
    overall = draft.place(
        "RS", USUBJID=row["USUBJID"], VISITNUM=row["VISITNUM"], RSTESTCD="OVRLRESP", RSCAT="RECIST 1.1"
    )
    _reported(draft, overall, RSORRES="CR", RSSTRESC="CR")
