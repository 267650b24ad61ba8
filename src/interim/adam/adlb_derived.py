"""Laboratory parameters derived within one draw: ratios, ALBI score, corrected calcium, filtration rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.source import by_subject, number_column, ordered, shipped_data, text_column
from interim.errors import Finding

_KEYS = ["USUBJID", "DRAW"]


def derived_parameters(values: pd.DataFrame, adsl: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Derive the parameters that combine results of one draw.

    Parameters
    ----------
    values : pandas.DataFrame
        As `interim.adam.adlb_value.laboratory_values` gives them.
    adsl : pandas.DataFrame
        AGE and SEX, where they were collected.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        Rows in the shape of ``values`` with PARAMTYP DERIVED: NLR, GLR, ALBI, CACR, EGFR; findings SUB-RATIO for draws whose
        lymphocytes are zero.

    Raises
    ------
    None

    Notes
    -----
    A parameter exists for a draw in which all its analytes were measured. Its record is that of the analyte named first.
    """
    ratios, zero = _ratios(values)
    parts = [*ratios, _albi(values), _corrected_calcium(values), _filtration(values, adsl)]
    return pd.concat(parts, ignore_index=True)[values.columns], zero


def _ratios(values: pd.DataFrame) -> tuple[list[pd.DataFrame], tuple[Finding, ...]]:
    """Return the ratios of each draw, and the draws whose lymphocytes are zero."""
    data = shipped_data("laboratory")
    draws = _draws(values, [data["denominator"], *sorted(set(data["granulocytes"]) | {data["numerator"]})])
    below = draws[data["denominator"]]
    above = {
        "NLR": draws[data["numerator"]],
        "GLR": draws[list(data["granulocytes"])].sum(axis=1, min_count=len(data["granulocytes"])),
    }
    parts = [
        _rows(draws, code, (numerator / below).where(below > 0), label=(data["ratios"][code], "ratio"))
        for code, numerator in above.items()
    ]
    zero = draws[(below == 0) & above["NLR"].notna()]
    return parts, tuple(_zero(row) for _, row in zero.iterrows())


def _draws(values: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """Return one row per participant and draw with one column per analyte; of several results the last.

    The other columns are those of the record of the first analyte.
    """
    rows = values[values["PARAMCD"].isin(codes) & values["AVAL"].notna() & values["DRAW"].notna()]
    last = ordered(rows, [*_KEYS, "PARAMCD", "SRCSEQ"]).drop_duplicates([*_KEYS, "PARAMCD"], keep="last")
    wide = last.pivot(index=_KEYS, columns="PARAMCD", values="AVAL").reindex(columns=list(codes))
    about = last[last["PARAMCD"] == codes[0]].drop(columns=["PARAMCD", "PARAM", "AVAL"])
    wide.columns.name = None
    return about.merge(wide.reset_index(), on=_KEYS, how="left", validate="1:1")


def _rows(draws: pd.DataFrame, code: str, value: pd.Series, *, label: tuple[str, str]) -> pd.DataFrame:
    """Return the draws that have a value as rows of a derived parameter without range and collected form."""
    name, unit = label
    numbers = ["ANRLO", "ANRHI", "ALIMIT", "UFACTOR"]
    numbers += [
        column
        for column in map(str, draws.columns)
        if column.startswith(("LBOR", "LBST")) and column[-4:] != "RESU"
    ]
    empty: dict[str, Any] = dict.fromkeys(numbers, np.nan)
    texts = dict.fromkeys(("AVALC", "ANRIND", "ASIGN", "LBORRESU", "LBSTRESU"))
    own: dict[str, Any] = {
        "PARAMCD": code,
        "PARAM": name,
        "AVAL": value,
        "AVALU": unit,
        "PARAMTYP": "DERIVED",
    }
    frame = draws.assign(**empty, **own)
    for column in texts:
        frame[column] = pd.Series(None, index=frame.index, dtype=object)
    return frame[value.notna()]


def _zero(row: pd.Series) -> Finding:
    return Finding(
        "SUB-RATIO",
        "warn",
        "LB",
        "lymphocytes are 0, a ratio over them does not exist; check the count",
        subject=str(row["USUBJID"]),
        key=(row["SRCSEQ"] or "",),
        variable="LBSTRESN",
        value="0",
        expected="> 0",
        effect=("T 14.2.4.7",),
    )


def _albi(values: pd.DataFrame) -> pd.DataFrame:
    recipe = shipped_data("laboratory")["albi"]
    bilirubin, albumin = recipe["analytes"]
    draws = _draws(values, recipe["analytes"])
    above = draws[bilirubin].where(draws[bilirubin] > 0)
    score = recipe["log_bilirubin"] * np.log10(above) + recipe["albumin"] * draws[albumin]
    return _rows(draws, "ALBI", score, label=(recipe["label"], recipe["unit"]))


def _corrected_calcium(values: pd.DataFrame) -> pd.DataFrame:
    """Return calcium corrected for albumin; its unit is kept for grading where calcium was reported in it."""
    recipe = shipped_data("laboratory")["corrected_calcium"]
    calcium, albumin = recipe["analytes"]
    draws = _draws(values, recipe["analytes"])
    value = draws[calcium] + recipe["per_gram"] * (recipe["albumin"] - draws[albumin])
    frame = _rows(draws, "CACR", value, label=(recipe["label"], recipe["unit"]))
    limits = draws.loc[frame.index, ["ANRLO", "ANRHI"]]
    return frame.assign(
        ANRLO=limits["ANRLO"], ANRHI=limits["ANRHI"], UFACTOR=draws.loc[frame.index, "UFACTOR"]
    )


def _filtration(values: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    recipe = shipped_data("laboratory")["ckd_epi_2021"]
    draws = _draws(values, recipe["analytes"])
    who = adsl[["USUBJID"]].assign(AGE=number_column(adsl, "AGE"), SEX=text_column(adsl, "SEX"))
    value = filtration_rate(
        draws[recipe["analytes"][0]] / recipe["umol_per_mg"],
        by_subject(draws, who, "AGE"),
        sex=by_subject(draws, who, "SEX"),
    )
    return _rows(draws, "EGFR", value, label=(recipe["label"], recipe["unit"]))


def filtration_rate(creatinine: pd.Series, age: pd.Series, *, sex: pd.Series) -> pd.Series:
    """Estimate the glomerular filtration rate by the CKD-EPI equation of 2021.

    Parameters
    ----------
    creatinine : pandas.Series of float64
        Serum creatinine, mg/dL.
    age : pandas.Series of float64
        Years.
    sex : pandas.Series of object
        F or M.

    Returns
    -------
    pandas.Series of float64
        mL/min/1.73 m2; NaN if sex, age or creatinine is missing, or creatinine is not above 0.

    Raises
    ------
    None

    Examples
    --------
    >>> one = pd.Series([1.0])
    >>> float(filtration_rate(one, pd.Series([50.0]), sex=pd.Series(["M"])).round(1)[0])
    91.7
    """
    recipe = shipped_data("laboratory")["ckd_epi_2021"]
    table = {name: recipe["sexes"][name] for name in recipe["sexes"]}
    kappa, alpha, factor = (
        sex.map({name: row[key] for name, row in table.items()}).astype("float64")
        for key in ("kappa", "alpha", "factor")
    )
    ratio = creatinine.where(creatinine > 0) / kappa
    low, high = ratio.clip(upper=1.0) ** alpha, ratio.clip(lower=1.0) ** recipe["above"]
    rate: pd.Series = recipe["constant"] * low * high * recipe["per_year"] ** age * factor
    return rate
