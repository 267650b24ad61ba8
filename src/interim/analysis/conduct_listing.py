"""Listings of the conduct: disposition, manufacturing, exclusions from the sets, infusions, laboratory data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.model import Adam
from interim.adam.source import date_columns, sequence_text, shipped_data, text_column
from interim.analysis.conduct import plain, treatment_ends
from interim.analysis.listing import built, column, listing, study_days
from interim.analysis.population import FURTHER_SETS, SETS
from interim.analysis.records import records_of
from interim.data.model import Sdtm
from interim.result import Result
from interim.study import Study

_MILLION = 1e6


def disposition(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """List first and last infusions, how the treatment ended and how each participant left.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm, optional
        DS: end of treatment.

    Returns
    -------
    Result
        ``conduct_listing.disposition``; a record per enrolled participant: first_nk, first_cart, last, treated, end (days from the
        first infusion), no_cart (why there was none), how (how the treatment ended), status, reason. The data contract has no
        variable for the version of the consent.

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
    frame = frame.assign(**_treatment(frame["USUBJID"], adsl, sdtm))
    return built(
        rows,
        frame.assign(
            no_cart=column(adsl, "NOCTRS"), status=column(adsl, "EOSSTT"), reason=column(adsl, "DCSREAS")
        ),
        who=who,
        order=[],
    )


def _treatment(subjects: pd.Series, adsl: pd.DataFrame, sdtm: Sdtm | None) -> dict[str, pd.Series]:
    """Return the day on which the treatment of each participant ended, and how."""
    if sdtm is None or not sdtm.has("DS"):
        return {
            "treated": pd.Series(np.nan, index=subjects.index),
            "how": pd.Series("", index=subjects.index),
        }
    ends = treatment_ends(sdtm)
    days = study_days(ends, "DATE", adsl=adsl)
    return {
        "treated": subjects.map(days.set_axis(ends["USUBJID"])).astype("float64"),
        "how": subjects.map(ends.set_index("USUBJID")["HOW"]).astype(object),
    }


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
        EX, SUPPEX: lots, interruptions (INTERRUP), changes (EXADJ).

    Returns
    -------
    Result
        ``conduct_listing.infusions``; a record per infusion: product, lot, phase, day, planned and actual (million cells),
        ratio, per_kg (million), route, minutes, interrupted (Y or N), change (its reason).

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
    source = records_of(sdtm, "EX") if sdtm.has("EX") else sdtm.domain("EX")
    amount, plan = (
        adex[name].astype("float64") if name in adex else np.nan for name in ("ADOSE", "PLANDOSE")
    )
    per_kg = adex.get("DOSEKG", np.nan)
    own = {name: _of_infusions(adex, source, name) for name in ("EXLOT", "INTERRUP", "EXADJ")}
    frame = pd.DataFrame(
        {
            "USUBJID": adex["USUBJID"],
            "SRCDOM": adex["SRCDOM"],
            "SRCSEQ": adex["SRCSEQ"],
            "product": adex["PRODUCT"].astype(object),
            "lot": own["EXLOT"],
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
            "interrupted": own["INTERRUP"],
            "change": own["EXADJ"],
        }
    )
    numbers = ["planned", "actual", "ratio", "per_kg", "minutes"]
    return built(rows, frame.astype(dict.fromkeys(numbers, "float64")), who=who, order=["day"])


def _of_infusions(adex: pd.DataFrame, source: pd.DataFrame, name: str) -> pd.Series:
    """Return a text of EX for each infusion; missing where the record or the variable is."""
    if name not in source:
        return pd.Series(None, index=adex.index, dtype=object)
    keys = zip(source["USUBJID"], source["SRCSEQ"], strict=True)
    texts = dict(zip(keys, source[name], strict=True))
    pairs = zip(adex["USUBJID"], adex["SRCSEQ"], strict=True)
    found = [texts.get((str(subject), str(key))) for subject, key in pairs]
    return pd.Series(
        [text if isinstance(text, str) else None for text in found], index=adex.index, dtype=object
    )


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
