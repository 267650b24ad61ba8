"""Biopsies of each participant: whether tissue was taken and could be evaluated, at all, before and after the first infusion."""

from __future__ import annotations

import pandas as pd

from interim.adam.source import by_subject, date_columns, shipped_data, text_column
from interim.data.model import Sdtm

COLUMNS = ("BIOPST", "BIOPPRE", "BIOPPOST")


def derive_biopsies(sdtm: Sdtm, adsl: pd.DataFrame) -> pd.DataFrame:
    """Derive the state of the biopsies of each participant.

    Parameters
    ----------
    sdtm : Sdtm
        MI and PC: specimens of tissue with their results; PR: procedures that take tissue.
    adsl : pandas.DataFrame
        USUBJID, TRTSDT.

    Returns
    -------
    pandas.DataFrame
        One row per participant: USUBJID; BIOPST (any biopsy), BIOPPRE (up to the day of the first infusion, or never treated),
        BIOPPOST (later): NO-BIOPSY, NOT-EVALUABLE or EVALUABLE. Only USUBJID if the data hold no biopsy at all.

    Raises
    ------
    None

    Notes
    -----
    A specimen is evaluable if a result of it was recorded and not marked as not done. A biopsy without a date counts for
    BIOPST only.
    """
    taken = pd.concat([_procedures(sdtm), *_specimens(sdtm)], ignore_index=True)
    taken = taken[taken["USUBJID"].isin(adsl["USUBJID"])]
    frame = pd.DataFrame({"USUBJID": adsl["USUBJID"]})
    if taken.empty:
        return frame
    start = by_subject(taken, adsl, "TRTSDT")
    before = taken["ADT"].notna() & ~(taken["ADT"] > start)
    parts = (taken, taken[before], taken[taken["ADT"] > start])
    for name, part in zip(COLUMNS, parts, strict=True):
        frame[name] = _state(part, frame["USUBJID"])
    return frame


def _procedures(sdtm: Sdtm) -> pd.DataFrame:
    source = sdtm.domain("PR")
    name = text_column(source, "PRDECOD").fillna(text_column(source, "PRTRT")).fillna("")
    hit = pd.Series(False, index=source.index)
    for part in shipped_data("biopsies")["procedure"]["words"]:
        hit |= name.str.contains(part, regex=False).astype(bool)
    rows = {"USUBJID": source["USUBJID"], "ADT": date_columns(source, "PRSTDTC")["DT"], "EVALUABLE": False}
    return pd.DataFrame(rows, index=source.index)[hit & (text_column(source, "PROCCUR") != "N")]


def _specimens(sdtm: Sdtm) -> list[pd.DataFrame]:
    parts = []
    for row in shipped_data("biopsies")["specimens"]:
        domain = row["domain"]
        source = sdtm.domain(domain)
        result = text_column(source, f"{domain}STRESC").fillna(text_column(source, f"{domain}ORRES"))
        done = result.notna() & (text_column(source, f"{domain}STAT") != "NOT DONE")
        dates = date_columns(source, f"{domain}DTC")["DT"]
        rows = {"USUBJID": source["USUBJID"], "ADT": dates, "EVALUABLE": done}
        tissue = text_column(source, f"{domain}SPEC").isin(list(row["texts"])) | (not row["texts"])
        parts.append(pd.DataFrame(rows, index=source.index)[tissue])
    return parts


def _state(part: pd.DataFrame, subjects: pd.Series) -> pd.Series:
    states = shipped_data("biopsies")["states"]
    good = part.loc[part["EVALUABLE"].astype(bool), "USUBJID"]
    answer = pd.Series(states["none"], index=subjects.index, dtype=object)
    answer = answer.where(~subjects.isin(part["USUBJID"]), states["taken"])
    return answer.where(~subjects.isin(good), states["evaluable"])
