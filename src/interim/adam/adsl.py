"""ADSL: one row per participant, with dates, dose columns, analysis sets and baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from interim.adam.adex import actual_cohort
from interim.adam.adsl_disposition import derive_disposition
from interim.adam.source import number_column, shipped_data, text_column, text_missing
from interim.data.model import Sdtm
from interim.errors import DerivationError, Finding
from interim.study import NK_ONLY, Study

_TEXTS = (
    "STUDYID",
    "SUBJID",
    "SITEID",
    "SEX",
    "RACE",
    "ETHNIC",
    "COUNTRY",
    "ARMCD",
    "ARM",
    "ACTARMCD",
    "ACTARM",
)
_FIRST = (
    "STUDYID",
    "USUBJID",
    "SUBJID",
    "SITEID",
    "AGE",
    "SEX",
    "RACE",
    "COHORT",
    "COHORTA",
    "ENRLFL",
    "ENRLRS",
    "SAFNKFL",
    "SAFNKRS",
    "SAFCTFL",
    "SAFCTRS",
    "DLTEVFL",
    "DLTEVRS",
    "FASFL",
    "FASRS",
    "RESFL",
    "RESRS",
    "RESPFL",
    "RESPRS",
    "PPROTFL",
    "PPROTRS",
    "BXFL",
    "BXRS",
    "BXPRFL",
    "BXPRRS",
    "RFICDT",
    "TRTSDT",
    "TRTEDT",
    "TRTSNK",
    "TRTENK",
    "TRTSCT",
    "TRTECT",
    "DLTFL",
    "DLTWSDT",
    "DLTWEDT",
    "NACTDT",
    "NKSRC",
    "NKSWDT",
    "CATHN",
    "CATHHRS",
    "DTHDT",
    "DTHFL",
    "LSTALVDT",
    "EOSDT",
    "EOSSTT",
    "DCSREAS",
    "DCUTDT",
)
_ACTUAL = {"ARMCD": "ACTARMCD", "ARM": "ACTARM"}


@dataclass(frozen=True)
class Dated:
    """Dates per participant that are derived elsewhere in this room.

    Attributes
    ----------
    death : pandas.DataFrame
        USUBJID, DTHDT, DTHFL.
    new_therapy : pandas.DataFrame
        USUBJID, NACTDT.
    last_alive : pandas.DataFrame
        USUBJID, LSTALVDT.
    """

    death: pd.DataFrame
    new_therapy: pd.DataFrame
    last_alive: pd.DataFrame


def derive_core(
    sdtm: Sdtm, adex: pd.DataFrame, dated: Dated, *, study: Study
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Derive the part of ADSL that the other datasets need.

    Parameters
    ----------
    sdtm : Sdtm
        DM with SUPPDM, DS.
    adex : pandas.DataFrame
        ADEX.
    dated : Dated
        Death, new therapy, last date known alive.
    study : Study
        Products, dose levels, cohort variable, cut-off.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        One row per DM participant, sorted by USUBJID: identity, disposition facts, first and last infusion (TRTSDT, TRTEDT
        of all treated products; TRTSNK, TRTENK, TRTSCT, TRTECT; TRTSDTM and so on), numbers of infusions, death, new
        therapy, last date alive, DCUTDT, COHORT, COHORTA; findings EX-ACTLVL.

    Raises
    ------
    DerivationError
        If DM is absent or holds a participant twice.
    """
    dm = _participants(sdtm)
    frame = pd.DataFrame({"USUBJID": dm["USUBJID"], "AGE": number_column(dm, "AGE")})
    for name in _TEXTS:
        if name in dm:
            frame[name] = dm[name]
    parts = [derive_disposition(sdtm, study, death=dated.death), exposure_dates(adex, study)]
    parts += [dated.death, dated.new_therapy, dated.last_alive]
    for part in parts:
        frame = frame.merge(part, on="USUBJID", how="left", validate="1:1", suffixes=(None, "_"))
    for name in ("NINFREF", "NINFNK", "NINFCT"):
        frame[name] = frame[name].fillna(0.0)
    frame["DTHFL"] = frame["DTHFL"].where(frame["DTHFL"].notna(), "N")
    frame["DCUTDT"] = pd.Series(pd.Timestamp(sdtm.cut).normalize(), index=frame.index, dtype="datetime64[ns]")
    return _with_cohorts(text_missing(frame), dm, adex, study=study)


def _participants(sdtm: Sdtm) -> pd.DataFrame:
    if not sdtm.has("DM"):
        raise DerivationError("ADSL needs the domain DM; deliver it")
    dm = sdtm.with_supp("DM").sort_values("USUBJID", kind="stable").reset_index(drop=True)
    twice = dm.loc[dm["USUBJID"].duplicated(), "USUBJID"].tolist()
    if twice:
        raise DerivationError(f"DM must hold one row per participant; found twice: {', '.join(twice[:5])}")
    return dm


def exposure_dates(adex: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Derive first and last infusion per participant: of all treated products, of the NK product, of the T product.

    Parameters
    ----------
    adex : pandas.DataFrame
        ADEX.
    study : Study
        Products.

    Returns
    -------
    pandas.DataFrame
        One row per treated participant: USUBJID; TRTSDT, TRTEDT, TRTSDTM (all); TRTSNK, TRTENK, TRTSNKM; TRTSCT, TRTECT,
        TRTSCTM; NINFNK, NINFCT, NINFREF (infusions that make a participant a member of the safety set).

    Raises
    ------
    None

    Notes
    -----
    The date-time of a first infusion is missing if an infusion of that day has none. The last date is the last start, or
    the end of a longer exposure.
    """
    treated = {product.id for product in study.treated()}
    given = adex.assign(LASTDT=adex["AENDT"].fillna(adex["ASTDT"]))
    everyone = given[given["PRODUCT"].isin(treated)]
    nk, cart = given[given["ROLE"] == "nk"], given[given["ROLE"] == "t"]
    reference = nk[nk["PRODUCT"].isin(treated)] if study.with_role("nk") else everyone
    frame = pd.DataFrame({"USUBJID": sorted(set(given["USUBJID"]))}, dtype=object)
    for name, rows in (("DT", everyone), ("NK", nk), ("CT", cart)):
        frame = frame.merge(_span(rows, name), on="USUBJID", how="left", validate="1:1")
    for name, rows in (("NINFREF", reference), ("NINFNK", nk), ("NINFCT", cart)):
        frame[name] = frame["USUBJID"].map(rows.groupby("USUBJID").size()).fillna(0).astype("float64")
    return frame


def _span(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    first = rows.groupby("USUBJID")["ASTDT"].transform("min")
    of_first_day = rows[rows["ASTDT"] == first]
    group = rows.groupby("USUBJID", sort=True)
    times = of_first_day.groupby("USUBJID", sort=True)["ASTDTM"]
    return (
        pd.DataFrame(
            {
                f"TRTS{name}": group["ASTDT"].min(),
                f"TRTE{name}": group["LASTDT"].max(),
                f"TRTS{name}M": times.agg(lambda values: values.min(skipna=False)),
            }
        )
        .astype("datetime64[ns]")
        .reset_index()
    )


def _with_cohorts(
    frame: pd.DataFrame, dm: pd.DataFrame, adex: pd.DataFrame, *, study: Study
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    if study.cohort.variable is not None:
        return _by_variable(frame, dm, study.cohort.variable), ()
    levels = {f"DL{place}": f"DL{place}" for place in range(1, len(study.dose.levels) + 1)}
    levels |= dict.fromkeys(shipped_data("disposition")["nk_only_arms"], NK_ONLY)
    frame = frame.assign(COHORT=text_column(dm, "ARMCD").map(levels).astype(object))
    frame["COHORT"] = frame["COHORT"].where(frame["COHORT"].notna(), None)
    actual, findings = actual_cohort(frame, adex, study)
    return frame.assign(COHORTA=actual), findings


def _by_variable(frame: pd.DataFrame, dm: pd.DataFrame, variable: str) -> pd.DataFrame:
    """Return the cohorts of a study without a dose ladder: a DM or SUPPDM variable of the enrolled."""
    if variable not in dm:
        raise DerivationError(
            f"cohort.variable = {variable!r} is no variable of DM or SUPPDM: {', '.join(dm.columns)}"
        )
    enrolled = (frame["SCRNFFL"] == "N") & (frame["ENREVTFL"] == "Y")
    actual = dm[_ACTUAL.get(variable, variable)] if _ACTUAL.get(variable, variable) in dm else dm[variable]
    columns: Mapping[str, pd.Series] = {"COHORT": dm[variable], "COHORTA": actual}
    treated = frame["NINFREF"] > 0
    return frame.assign(
        COHORT=columns["COHORT"].where(enrolled, None),
        COHORTA=columns["COHORTA"].where(enrolled & treated, None),
    )


def arranged(adsl: pd.DataFrame) -> pd.DataFrame:
    """Return ADSL sorted by participant, identity, sets and dates first.

    Parameters
    ----------
    adsl : pandas.DataFrame
        ADSL.

    Returns
    -------
    pandas.DataFrame
        The same columns and rows in the order of the dataset.

    Raises
    ------
    None
    """
    first = [name for name in _FIRST if name in adsl]
    rest = [name for name in adsl.columns if name not in first]
    return adsl[[*first, *rest]].sort_values("USUBJID", kind="stable").reset_index(drop=True)
