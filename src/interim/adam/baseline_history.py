"""Baseline variables from prior therapy, and the early fall of a marker."""

from __future__ import annotations

import pandas as pd

from interim.adam.baseline_laboratory import baseline_rows
from interim.adam.baseline_source import Column, Recipe, Sources, no_values
from interim.adam.source import text_column


def prior_therapy(recipe: Recipe, sources: Sources) -> Column:
    """Return whether a participant had a prior therapy of a kind.

    Parameters
    ----------
    recipe : mapping
        category; classes (words within CMCLAS) or subcategories (CMSCAT, PRSCAT).
    sources : Sources
        CM, PR.

    Returns
    -------
    Column
        Y, or N for a participant with a record of the category but none of the kind; without any such record missing.

    Raises
    ------
    None
    """
    parts = []
    for domain in ("CM", "PR"):
        source = sources.sdtm.domain(domain)
        hit = text_column(source, f"{domain}SCAT").isin(list(recipe.get("subcategories", ())))
        names = text_column(source, f"{domain}CLAS").fillna("")
        for word in recipe.get("classes", ()):
            hit |= names.str.contains(word, regex=False)
        prior = text_column(source, f"{domain}CAT") == recipe["category"]
        parts.append(pd.DataFrame({"USUBJID": source["USUBJID"], "HIT": hit})[prior])
    rows = pd.concat(parts, ignore_index=True)
    if rows.empty:
        return no_values()
    found = rows.groupby("USUBJID")["HIT"].any().map({True: "Y", False: "N"})
    return Column(found.astype(object), pd.Series(dtype=object))


def early_fall(recipe: Recipe, sources: Sources) -> Column:
    """Return whether a marker fell early by a share of its baseline.

    Parameters
    ----------
    recipe : mapping
        parameter, percent.
    sources : Sources
        ADLB; ``kinetics.landmark_day``.

    Returns
    -------
    Column
        Y or N among participants with a baseline and a value from the first infusion to the landmark day.

    Raises
    ------
    None
    """
    adlb = sources.adlb
    if adlb is None or not (adlb["PARAMCD"] == recipe["parameter"]).any():
        return no_values()
    base = baseline_rows(sources, recipe["parameter"])[["AVAL", "BASETYPE"]]
    after = adlb[(adlb["PARAMCD"] == recipe["parameter"]) & adlb["PCHG"].notna()]
    after = after[after["BASETYPE"].isin(base["BASETYPE"].unique()) & after["USUBJID"].isin(base.index)]
    start = after["USUBJID"].map(sources.adsl.set_index("USUBJID")["TRTSDT"])
    day = (after["ADT"] - start).dt.days
    early = after[(day > 0) & (day <= sources.study.kinetics.landmark_day)]
    lowest = early.groupby("USUBJID")["PCHG"].min()
    fell = (lowest <= -recipe["percent"]).map({True: "Y", False: "N"}).astype(object)
    return Column(fell, pd.Series(dtype=object))
