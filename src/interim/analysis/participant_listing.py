"""Listings of the participants at baseline: demography and disease, biomarkers."""

from __future__ import annotations

import pandas as pd

from interim.adam.levels import cut_level
from interim.adam.model import Adam
from interim.analysis.baseline_measures import baseline_records
from interim.analysis.listing import built, column, listing
from interim.analysis.records import participant_rows
from interim.result import Result
from interim.study import Study

_SITES = {"LUNGFL": "lung", "PERITFL": "peritoneum", "NODEFL": "node", "BONEFL": "bone", "OTHORGFL": "other"}
_LIGANDS = ("LIGMICAB", "LIGULBP1", "LIGULBP2", "LIGULBP3")


def demography(adam: Adam, study: Study) -> Result:
    """List demography and disease at baseline.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``participant_listing.demography``; a record per participant: age (band), sex, tumour, histology, ecog, lines, site, elsewhere.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("participant_listing.demography", "Listing: Demography and baseline disease")
    who, rows, _ = listing(adam, study, names, code="NK-SAF")
    adsl = adam["ADSL"]
    frame = pd.DataFrame({"USUBJID": adsl["USUBJID"]}).assign(
        age=age_bands(adsl),
        sex=column(adsl, "SEX"),
        tumour=column(adsl, "TUMTYPE"),
        histology=column(adsl, "HISTCLAS"),
        ecog=_number(adsl, "ECOGBL"),
        lines=_number(adsl, "PRLINES"),
        site=column(adsl, "METSITE"),
        elsewhere=_elsewhere(adsl),
    )
    return built(rows, frame, who=who, order=[])


def age_bands(adsl: pd.DataFrame) -> pd.Series:
    """Return the band of years of each age; the exact age stands in no listing and in no narrative.

    Parameters
    ----------
    adsl : pandas.DataFrame
        AGE, in years.

    Returns
    -------
    pandas.Series
        As ADSL: the text of the band (`cut_level`), None without an age.

    Raises
    ------
    None
    """
    cuts = participant_rows()["listing"]["age_cuts"]
    ages = _number(adsl, "AGE")
    texts = [None if pd.isna(age) else cut_level(float(age), cuts) for age in ages]
    return pd.Series(texts, index=adsl.index, dtype=object)


def _number(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a number of each participant; missing where ADSL does not have it."""
    values = frame[name] if name in frame else pd.Series(float("nan"), index=frame.index)
    return pd.to_numeric(values).astype("float64")


def _elsewhere(adsl: pd.DataFrame) -> pd.Series:
    flags = {name: column(adsl, name) == "Y" for name in _SITES}
    texts = [", ".join(text for name, text in _SITES.items() if flags[name].loc[row]) for row in adsl.index]
    return pd.Series(texts, index=adsl.index, dtype=object)


def biomarkers(adam: Adam, study: Study) -> Result:
    """List ligand expression, tumour markers and ratios at baseline.

    Parameters
    ----------
    adam : Adam
        ADSL, ADLB.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``participant_listing.biomarkers``; a record per participant: H-scores micab, ulbp1, ulbp2, ulbp3; cea, ca199 (as
        ADLB gives them, with the sign of a value beyond a limit), nlr, glr.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("participant_listing.biomarkers", "Listing: Baseline biomarkers")
    who, rows, _ = listing(adam, study, names, code="NK-SAF")
    adsl = adam["ADSL"]
    frame = pd.DataFrame({"USUBJID": adsl["USUBJID"]})
    for stat, name in zip(("micab", "ulbp1", "ulbp2", "ulbp3"), _LIGANDS, strict=True):
        frame[stat] = _number(adsl, name)
    for stat, code in (("cea", "CEA"), ("ca199", "CA199")):
        frame[stat] = frame["USUBJID"].map(_results(adam, study, code)).astype(object)
    frame["nlr"], frame["glr"] = _number(adsl, "NLRBL"), _number(adsl, "GLRBL")
    return built(rows, frame, who=who, order=[])


def _results(adam: Adam, study: Study, code: str) -> dict[str, str]:
    """Return the baseline result of a parameter as the data give it, with its unit."""
    records = baseline_records(adam, study, dataset="ADLB", codes=(code,))
    if records.empty:
        return {}
    texts = (
        records["AVALC"].astype(object).where(records["AVALC"].notna(), "")
        + " "
        + records["AVALU"].fillna("")
    )
    return dict(zip(records["USUBJID"], texts.str.strip(), strict=True))
