"""Baseline values of laboratory parameters: as they are, as multiples of the upper limit, as ratios of one draw."""

from __future__ import annotations

import pandas as pd

from interim.adam.baseline_source import Column, Recipe, Sources, no_values
from interim.adam.source import shipped_data


def baseline_value(recipe: Recipe, sources: Sources) -> Column:
    """Return the baseline of a parameter.

    Parameters
    ----------
    recipe : mapping
        parameter; per_uln: as a multiple of the upper limit of normal.
    sources : Sources
        ADLB.

    Returns
    -------
    Column
        Half of the limit below it (LLOQ), the limit above it (ULOQ).

    Raises
    ------
    None
    """
    if sources.adlb is None:
        return no_values()
    rows = baseline_rows(sources, recipe["parameter"])
    signed = rows["ASIGN"].notna()
    half = rows["ALIMIT"].where(rows["ASIGN"] == ">", rows["ALIMIT"] / 2)
    values = rows["AVAL"].where(~signed, half)
    flags = rows["ASIGN"].map({"<": "LLOQ", ">": "ULOQ"}).dropna().astype(object)
    if recipe.get("per_uln"):
        values = values / rows["ANRHI"].where(rows["ANRHI"] > 0)
    return Column(values, flags, collected=bool((sources.adlb["PARAMCD"] == recipe["parameter"]).any()))


def same_draw_ratio(recipe: Recipe, sources: Sources) -> Column:
    """Return the ratio of two parameters of one draw.

    Parameters
    ----------
    recipe : mapping
        parameter (above), over (below).
    sources : Sources
        ADLB.

    Returns
    -------
    Column
        Only where both baselines are of the same day and time and the lower one is above 0.

    Raises
    ------
    None
    """
    if sources.adlb is None:
        return no_values()
    above, below = (baseline_rows(sources, recipe[key]) for key in ("parameter", "over"))
    joined = above[["AVAL", "ADT", "ADTM"]].join(
        below[["AVAL", "ADT", "ADTM"]], rsuffix="_BELOW", how="inner", validate="1:1"
    )
    same = (joined["ADT"] == joined["ADT_BELOW"]) & (
        joined["ADTM"].isna() | joined["ADTM_BELOW"].isna() | (joined["ADTM"] == joined["ADTM_BELOW"])
    )
    values = joined["AVAL"] / joined["AVAL_BELOW"].where(joined["AVAL_BELOW"] > 0)
    known = {recipe["parameter"], recipe["over"]} <= set(sources.adlb["PARAMCD"])
    return Column(values[same], pd.Series(dtype=object), collected=known)


def baseline_rows(sources: Sources, parameter: str) -> pd.DataFrame:
    """Return the baseline records of a parameter, one per participant.

    Parameters
    ----------
    sources : Sources
        ADLB is there.
    parameter : str
        PARAMCD.

    Returns
    -------
    pandas.DataFrame
        Index USUBJID; the baseline before the first NK infusion where the study has such a product.

    Raises
    ------
    None
    """
    adlb = sources.adlb
    assert adlb is not None
    first = next(iter(adlb["BASETYPE"].drop_duplicates()), None) if len(adlb) else None
    names = shipped_data("laboratory")["base_types"]
    wanted = names["nk"] if sources.study.with_role("nk") else first
    rows = adlb[(adlb["PARAMCD"] == parameter) & (adlb["ABLFL"] == "Y") & (adlb["BASETYPE"] == wanted)]
    return rows.set_index("USUBJID")
