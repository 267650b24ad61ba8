"""Listings: responses time point by time point, and how every time to event was derived."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import open_rows, population
from interim.result import Result, Rows
from interim.study import Study

_PARTS = {
    "target": "TRGRESP",
    "nontarget": "NTRGRESP",
    "new": "NEWLPROG",
    "overall": "OVR",
    "irecist": "IOVR",
}
_OTHER = ("ROVR", "LOVR")
_DOUBTFUL = ("[W-EQ]", "[W-BACK]")
_ENDPOINTS = ("PFS", "OS", "DOR")
_KEYS = ["USUBJID", "PARCAT2", "AVISITN", "ADT"]


def time_points(adam: Adam, study: Study) -> Result:
    """List the response of every time point with its reasons, by every evaluator.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Whether confirmation is required.

    Returns
    -------
    Result
        ``response_listing.time_points``; ``point`` with level = participant and number: day (from the first infusion), and as
        texts participant, evaluator, target, nontarget, new, overall, other (other route), irecist, best (best overall
        response of the evaluator), used (yes or no), reason.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("response_listing.time_points", "Listing: Response by time point", who)
    if not adam.has("ADRS"):
        reason = f"not available: {adam.missing.get('ADRS', 'no response dataset')}"
        rows.add("n", None, variable="points", status="NA", reason=reason)
        return rows.build()
    if reason := adam.lacks("ADRS.OVR"):
        rows.add("n", None, variable="points", status="NA", reason=f"not available: {reason}")
        return rows.build()
    adrs = adam["ADRS"]
    adrs = adrs[adrs["USUBJID"].isin(who.everyone)]
    wide = _points(adrs, study)
    start = adam["ADSL"].set_index("USUBJID")["TRTSDT"]
    number = len(wide)
    rows.add("n", number, variable="points", n=number, subjects=sorted(set(wide["USUBJID"])))
    for count, item in enumerate(wide.to_dict("records"), 1):
        _add_point(rows, item, count, first=start[item["USUBJID"]])
    return rows.build()


def _points(adrs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return one row per time point with a column per part."""
    overall = adrs[adrs["PARAMCD"] == "OVR"]
    wide = overall.assign(why=_reasoned(overall)).rename(columns={"AVALC": "overall"})
    wide = wide[[*_KEYS, "overall", "ANL01FL", "why", "SRCDOM", "SRCSEQ"]]
    for name, parameter in _PARTS.items():
        if parameter != "OVR":
            part = adrs[adrs["PARAMCD"] == parameter].drop_duplicates(_KEYS)
            part = part.assign(**{f"why_{name}": _reasoned(part)}).rename(columns={"AVALC": name})
            part = part[[*_KEYS, name, f"why_{name}"]]
            wide = wide.merge(part, on=_KEYS, how="left", validate="m:1")
    other = adrs[adrs["PARAMCD"].isin(_OTHER)].sort_values("ADT", kind="stable")
    other = other.drop_duplicates(["USUBJID", "PARCAT2", "AVISITN"])
    other = other[["USUBJID", "PARCAT2", "AVISITN", "AVALC"]].rename(columns={"AVALC": "other"})
    wide = wide.merge(other, on=["USUBJID", "PARCAT2", "AVISITN"], how="left", validate="m:1")
    best = adrs[adrs["PARAMCD"] == ("CBOR" if study.response.confirmation_required else "BOR")]
    best = best[["USUBJID", "PARCAT2", "AVALC"]].rename(columns={"AVALC": "best"})
    wide = wide.merge(best, on=["USUBJID", "PARCAT2"], how="left", validate="m:1")
    return wide.sort_values(["USUBJID", "PARCAT2", "ADT", "AVISITN"], kind="stable")


def _reasoned(part: pd.DataFrame) -> pd.Series:
    """Return the sentence of each row with its code: the rule that decided."""
    both = part["RSNTXT"].astype(object) + " [" + part["RSNCD"].astype(object) + "]"
    return both.where(part["RSNTXT"].notna() & part["RSNCD"].notna(), part["RSNTXT"])


def _add_point(rows: Rows, item: dict[Any, Any], number: int, *, first: pd.Timestamp) -> None:
    subject = str(item["USUBJID"])
    place: dict[str, Any] = {"variable": "point", "level": f"{subject} {number}"}
    source = (subject, str(item["SRCDOM"]), str(item["SRCSEQ"]))
    if pd.isna(first) or pd.isna(item["ADT"]):
        rows.add("day", None, status="NE", reason="NO_DATE", sources=[source], **place)
    else:
        rows.add("day", (item["ADT"] - first).days, unit="days", sources=[source], **place)
    texts = {"participant": subject, "evaluator": str(item["PARCAT2"])}
    texts |= {name: _text(item[name]) for name in (*_PARTS, "other", "best")}
    texts["used"] = "yes" if item["ANL01FL"] == "Y" else "no"
    doubtful = item["why_new"] if str(item["why_new"]).endswith(_DOUBTFUL) else None
    texts["reason"] = _reason([item["why"], item["why_target"], item["why_nontarget"], doubtful])
    for stat, text in texts.items():
        rows.add(stat, None, text=text, **place)


def _text(value: object) -> str:
    return value if isinstance(value, str) and value else "-"


def _reason(parts: Iterable[object]) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part)) or "-"


def derivations(adam: Adam, study: Study) -> Result:
    """List start, end, reason and rule of every progression-free and overall survival and duration of response.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTTE.
    study : Study
        Study whose data they are.

    Returns
    -------
    Result
        ``response_listing.derivations``; ``row`` with level = participant and endpoint: start, end (days from the first
        infusion), days (time), free (day of the result without any rule but the cut-off), and as texts participant,
        endpoint, reason (code), rule, source.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("response_listing.derivations", "Listing: PFS, OS, DOR derivation", who)
    if not adam.has("ADTTE"):
        reason = f"not available: {adam.missing.get('ADTTE', 'no time-to-event dataset')}"
        rows.add("n", None, variable="rows", status="NA", reason=reason)
        return rows.build()
    adtte = adam["ADTTE"]
    here = adtte[adtte["PARAMCD"].isin(_ENDPOINTS) & adtte["USUBJID"].isin(who.everyone)]
    here = here.assign(ORDER=here["PARAMCD"].map(_ENDPOINTS.index))
    here = here.sort_values(["USUBJID", "ORDER"], kind="stable")
    rows.add("n", len(here), variable="rows", n=len(here), subjects=sorted(set(here["USUBJID"])))
    start = adam["ADSL"].set_index("USUBJID")["TRTSDT"]
    for item in here.to_dict("records"):
        _add_derivation(rows, item, first=start[item["USUBJID"]])
    return rows.build()


def _add_derivation(rows: Rows, item: dict[Any, Any], *, first: pd.Timestamp) -> None:
    subject, endpoint = str(item["USUBJID"]), str(item["PARAMCD"])
    place: dict[str, Any] = {"variable": "row", "level": f"{subject} {endpoint}"}
    source = (subject, str(item["SRCDOM"]), _text(item["SRCSEQ"]))
    for stat, column in (("start", "STARTDT"), ("end", "ADT"), ("free", "UADT")):
        sources = [source] if stat == "end" else []
        if pd.isna(item[column]) or pd.isna(first):
            rows.add(stat, None, status="NE", reason="NO_DATE", sources=sources, **place)
        else:
            rows.add(stat, (item[column] - first).days, unit="days", sources=sources, **place)
    rows.add("days", float(item["AVAL"]), unit="days", **place)
    texts = {
        "participant": subject,
        "endpoint": endpoint,
        "reason": _text(item["RSNCD"]),
        "rule": _text(item["RULEID"]),
        "source": ".".join(str(item[name]) for name in ("SRCDOM", "SRCVAR") if item[name]) or "-",
    }
    for stat, text in texts.items():
        rows.add(stat, None, text=text, **place)
