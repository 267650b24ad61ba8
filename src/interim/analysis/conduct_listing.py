"""Listings of the conduct: disposition, manufacturing, exclusions from the sets, infusions, laboratory data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.model import Adam
from interim.adam.source import date_columns, sequence_text, shipped_data, text_column
from interim.analysis.conduct import plain
from interim.analysis.listing import built, column, listing, study_days
from interim.analysis.population import FURTHER_SETS, SETS
from interim.data.model import Sdtm
from interim.result import Result
from interim.study import Study

_MILLION = 1e6


def disposition(adam: Adam, study: Study) -> Result:
    """List first and last infusions and how each participant left.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``conduct_listing.disposition``; a record per enrolled participant: first_nk, first_cart, last, end (days from the
        first infusion), no_cart (why there was none), status, reason.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who, rows, _ = listing(adam, study, ("conduct_listing.disposition", "Listing: Disposition"), code="ENR")
    adsl = adam["ADSL"]
    frame = pd.DataFrame({"USUBJID": adsl["USUBJID"]})
    for name, date in (
        ("first_nk", "TRTSNK"),
        ("first_cart", "TRTSCT"),
        ("last", "TRTEDT"),
        ("end", "EOSDT"),
    ):
        frame[name] = study_days(adsl, date, adsl=adsl)
    return built(
        rows,
        frame.assign(
            no_cart=column(adsl, "NOCTRS"), status=column(adsl, "EOSSTT"), reason=column(adsl, "DCSREAS")
        ),
        who=who,
        order=[],
    )


def manufacturing(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the failures and repeated runs of manufacturing, and releases of a product that was not given.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX.
    study : Study
        Columns.
    sdtm : Sdtm
        BE.

    Returns
    -------
    Result
        ``conduct_listing.manufacturing``; a record per event: product, lot, event, day (from the first infusion), given.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("conduct_listing.manufacturing", "Listing: Manufacturing failures and delays")
    who, rows, _ = listing(adam, study, names, code="ENR")
    source = sdtm.domain("BE")
    events = shipped_data("exposure")["manufacturing"]
    kind = text_column(source, "BEDECOD").fillna(text_column(source, "BETERM"))
    category = text_column(source, "BECAT").fillna("")
    given = adam["ADEX"] if adam.has("ADEX") else pd.DataFrame(columns=["USUBJID", "PRODUCT"])
    pairs = {(str(s), plain(str(p))) for s, p in zip(given["USUBJID"], given["PRODUCT"], strict=True)}
    got = (
        [(str(s), plain(c)) in pairs for s, c in zip(source["USUBJID"], category, strict=True)]
        if len(source)
        else []
    )
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"] if "USUBJID" in source else pd.Series(dtype=object),
            "SRCDOM": "BE",
            "SRCSEQ": [sequence_text(value) for value in column(source, "BESEQ")],
            "product": category,
            "lot": column(source, "BEREFID"),
            "event": kind,
            "day": _days(source, adam),
            "given": pd.Series(got, index=source.index, dtype=object).map({True: "yes", False: "no"}),
        }
    )
    failed = kind.isin(list(events["failed"]))
    idle = kind.isin(list(events["released"])) & (frame["given"] == "no")
    return built(rows, frame[failed | idle], who=who, order=["day"])


def _days(source: pd.DataFrame, adam: Adam) -> pd.Series:
    if source.empty:
        return pd.Series(dtype="float64")
    dated = source.assign(AT=date_columns(source, "BESTDTC")["DT"])
    return study_days(dated, "AT", adsl=adam["ADSL"])


def excluded(adam: Adam, study: Study) -> Result:
    """List the participants that are not in an analysis set, with the reason.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Products.

    Returns
    -------
    Result
        ``conduct_listing.excluded``; a record per participant and set: set, reason.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("conduct_listing.excluded", "Listing: Participants excluded from each analysis set")
    who, rows, _ = listing(adam, study, names, code="ENR")
    adsl = adam["ADSL"]
    roles = {product.role for product in study.products}
    flags = {
        code: (s.flag, s.reason)
        for code, s in SETS.items()
        if code != "ENR" and (not s.role or s.role in roles)
    }
    flags |= FURTHER_SETS
    parts = [
        pd.DataFrame(
            {"USUBJID": adsl["USUBJID"], "place": place, "set": code, "reason": column(adsl, reason)}
        )[adsl[flag] != "Y"]
        for place, (code, (flag, reason)) in enumerate(flags.items())
        if flag in adsl
    ]
    frame = pd.concat(parts, ignore_index=True).astype({"place": "float64"})
    return built(rows, frame, who=who, order=["place"])


def infusions(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the infusions.

    Parameters
    ----------
    adam : Adam
        ADSL and ADEX.
    study : Study
        Columns.
    sdtm : Sdtm
        EX: lots.

    Returns
    -------
    Result
        ``conduct_listing.infusions``; a record per infusion: product, lot, phase, day, planned and actual (million cells),
        ratio, per_kg (million), route, minutes.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who, rows, there = listing(
        adam, study, ("conduct_listing.infusions", "Listing: Infusions"), code="NK-SAF", needs=("ADEX",)
    )
    if not there:
        return rows.build()
    adex = adam["ADEX"]
    lots = _lots(sdtm)
    amount, plan = (
        adex[name].astype("float64") if name in adex else np.nan for name in ("ADOSE", "PLANDOSE")
    )
    per_kg = adex.get("DOSEKG", np.nan)
    keys = zip(adex["USUBJID"], adex["SRCSEQ"], strict=True)
    frame = pd.DataFrame(
        {
            "USUBJID": adex["USUBJID"],
            "SRCDOM": adex["SRCDOM"],
            "SRCSEQ": adex["SRCSEQ"],
            "product": adex["PRODUCT"].astype(object),
            "lot": pd.Series([lots.get((str(s), str(k))) for s, k in keys], index=adex.index, dtype=object),
            "phase": column(adex, "APHASE"),
            "day": study_days(adex, "ASTDT", adsl=adam["ADSL"]),
            "planned": plan / _MILLION,
            "actual": amount / _MILLION,
            "ratio": amount / plan,
            "per_kg": per_kg / _MILLION,
            "route": column(adex, "ROUTE"),
            "minutes": (adex["AENDTM"] - adex["ASTDTM"]).dt.total_seconds() / 60
            if "AENDTM" in adex
            else np.nan,
        }
    )
    numbers = ["planned", "actual", "ratio", "per_kg", "minutes"]
    return built(rows, frame.astype(dict.fromkeys(numbers, "float64")), who=who, order=["day"])


def _lots(sdtm: Sdtm) -> dict[tuple[str, str], str]:
    source = sdtm.domain("EX")
    if "EXLOT" not in source or "EXSEQ" not in source:
        return {}
    keys = ((str(s), str(sequence_text(k))) for s, k in zip(source["USUBJID"], source["EXSEQ"], strict=True))
    return {key: str(lot) for key, lot in zip(keys, source["EXLOT"], strict=True) if isinstance(lot, str)}


def _collected(adlb: pd.DataFrame) -> pd.Series:
    """Tell the rows that were collected: from LB, or delivered in ADLB without a source and not derived."""
    derived = adlb["PARAMTYP"] == "DERIVED" if "PARAMTYP" in adlb else False
    return adlb["SRCDOM"].isin(["LB", "ADLB"]) & ~pd.Series(derived, index=adlb.index)


def laboratory(adam: Adam, study: Study) -> Result:
    """Say how many laboratory results of each participant the electronic dataset holds.

    Parameters
    ----------
    adam : Adam
        ADSL and ADLB.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``conduct_listing.laboratory``; a record per participant: results, parameters, ungraded (results of a parameter with
        a CTCAE term and without a grade), first and last day.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("conduct_listing.laboratory", "Listing: All laboratory data (electronic)")
    who, rows, there = listing(adam, study, names, code="NK-SAF", needs=("ADLB", "ADLB.BASETYPE"))
    if not there:
        return rows.build()
    rows.footnotes = (*rows.footnotes, "The results themselves are dataset ADLB of the package.")
    adlb = adam["ADLB"].loc[lambda f: (f["BASETYPE"] == first_base_type(study)) & _collected(f)]
    has_term = adlb[["ATOXDSCL", "ATOXDSCH"]].notna().any(axis=1)
    ungraded = has_term & adlb[["ATOXGRL", "ATOXGRH"]].isna().all(axis=1)
    days = study_days(adlb, "ADT", adsl=adam["ADSL"])
    group = adlb.assign(U=ungraded.astype("float64"), D=days).groupby("USUBJID", sort=True)
    frame = pd.DataFrame(
        {
            "results": group.size().astype("float64"),
            "parameters": group["PARAMCD"].nunique().astype("float64"),
            "ungraded": group["U"].sum(),
            "first": group["D"].min(),
            "last": group["D"].max(),
        }
    ).reset_index()
    return built(rows, frame, who=who, order=[])
