"""Baseline variables from the lesions identified before treatment: site, organs, number and share of liver lesions."""

from __future__ import annotations

import pandas as pd

from interim.adam.baseline_source import Column, Recipe, Sources, no_values
from interim.adam.source import text_column

_ROLES = ("TARGET", "NON-TARGET")


def tumour_site(recipe: Recipe, sources: Sources) -> Column:
    """Return whether the tumours are in one organ, in it and elsewhere, or elsewhere only.

    Parameters
    ----------
    recipe : mapping
        organ; texts only, more, none.
    sources : Sources
        TU.

    Returns
    -------
    Column
        Text.

    Raises
    ------
    None
    """
    rows = _lesions(sources)
    if rows.empty:
        return no_values()
    group = rows["ORGAN"].eq(recipe["organ"]).groupby(rows["USUBJID"], sort=True)
    everywhere, somewhere = group.all(), group.any()
    site = somewhere.map({True: recipe["more"], False: recipe["none"]}).astype(object)
    return Column(site.where(~everywhere, recipe["only"]), pd.Series(dtype=object))


def organ_flag(recipe: Recipe, sources: Sources) -> Column:
    """Return whether an organ holds a lesion.

    Parameters
    ----------
    recipe : mapping
        organ.
    sources : Sources
        TU.

    Returns
    -------
    Column
        Y or N.

    Raises
    ------
    None
    """
    rows = _lesions(sources)
    if rows.empty:
        return no_values()
    return _any_of(rows, rows["ORGAN"].eq(recipe["organ"]))


def organ_number(recipe: Recipe, sources: Sources) -> Column:
    """Return the number of different organs with a lesion; all lymph nodes are one organ.

    Parameters
    ----------
    recipe : mapping
        Not read.
    sources : Sources
        TU.

    Returns
    -------
    Column
        Number.

    Raises
    ------
    None
    """
    rows = _lesions(sources)
    if rows.empty:
        return no_values()
    return Column(rows.groupby("USUBJID")["ORGAN"].nunique().astype("float64"), pd.Series(dtype=object))


def lesion_number(recipe: Recipe, sources: Sources) -> Column:
    """Return the number of lesion records in an organ.

    Parameters
    ----------
    recipe : mapping
        organ.
    sources : Sources
        TU.

    Returns
    -------
    Column
        Number; one record that stands for several lesions counts once.

    Raises
    ------
    None
    """
    rows = _lesions(sources)
    if rows.empty:
        return no_values()
    number = rows["ORGAN"].eq(recipe["organ"]).groupby(rows["USUBJID"], sort=True).sum()
    return Column(number.astype("float64"), pd.Series(dtype=object))


def lesion_share(recipe: Recipe, sources: Sources) -> Column:
    """Return the share of an organ in the baseline sum of target diameters.

    Parameters
    ----------
    recipe : mapping
        organ, parameter of one lesion.
    sources : Sources
        TU, ADTR.

    Returns
    -------
    Column
        0 to 1.

    Raises
    ------
    None
    """
    joined = _target_sizes(recipe, sources)
    if joined is None:
        return no_values()
    inside = joined["AVAL"].where(joined["ORGAN"] == recipe["organ"], 0.0)
    total = joined.groupby("USUBJID")["AVAL"].sum()
    share = inside.groupby(joined["USUBJID"]).sum() / total.where(total > 0)
    return Column(share.where(_placed(joined)), pd.Series(dtype=object))


def organ_size(recipe: Recipe, sources: Sources) -> Column:
    """Return the sum or the largest of the baseline diameters of the target lesions of an organ.

    Parameters
    ----------
    recipe : mapping
        organ, parameter of one lesion; of: sum or max.
    sources : Sources
        TU, ADTR.

    Returns
    -------
    Column
        mm; missing if a target lesion has no location. Without a target lesion in the organ the sum is 0 and the largest
        missing.

    Raises
    ------
    None
    """
    joined = _target_sizes(recipe, sources)
    if joined is None:
        return no_values()
    inside = joined["AVAL"].where(joined["ORGAN"] == recipe["organ"])
    group = inside.groupby(joined["USUBJID"])
    size = group.max() if recipe["of"] == "max" else group.sum()
    return Column(size.where(_placed(joined)).astype("float64"), pd.Series(dtype=object))


def other_organ_flag(recipe: Recipe, sources: Sources) -> Column:
    """Return whether an organ other than the named ones holds a lesion.

    Parameters
    ----------
    recipe : mapping
        organs.
    sources : Sources
        TU.

    Returns
    -------
    Column
        Y or N.

    Raises
    ------
    None
    """
    rows = _lesions(sources)
    if rows.empty:
        return no_values()
    return _any_of(rows, ~rows["ORGAN"].isin(list(recipe["organs"])))


def both_sides(recipe: Recipe, sources: Sources) -> Column:
    """Return whether an organ holds lesions on both of its sides.

    Parameters
    ----------
    recipe : mapping
        organ, both: text of a lesion that lies on both sides.
    sources : Sources
        TU: TULAT.

    Returns
    -------
    Column
        Y: two sides, or one lesion on both; N: one side; missing where a lesion of the organ has no side and no two sides
        are known.

    Raises
    ------
    None
    """
    rows = _lesions(sources)
    rows = rows[rows["ORGAN"] == recipe["organ"]]
    if rows.empty or rows["SIDE"].isna().all():
        return no_values()
    group = rows.groupby("USUBJID", sort=True)["SIDE"]
    both = (group.nunique() > 1) | rows["SIDE"].eq(recipe["both"]).groupby(rows["USUBJID"]).any()
    known = rows["SIDE"].notna().groupby(rows["USUBJID"]).all()
    answer = both.map({True: "Y", False: "N"}).astype(object)
    return Column(answer.where(both | known, None), pd.Series(dtype=object))


def _any_of(rows: pd.DataFrame, holds: pd.Series) -> Column:
    """Return Y for the participants of whom a lesion has a property, N for the others with lesions."""
    found = holds.groupby(rows["USUBJID"], sort=True).any()
    return Column(found.map({True: "Y", False: "N"}).astype(object), pd.Series(dtype=object))


def _target_sizes(recipe: Recipe, sources: Sources) -> pd.DataFrame | None:
    """Return the baseline diameters of the target lesions of the primary evaluator with their organ."""
    places, adtr = _lesions(sources), sources.adtr
    if places.empty or adtr is None or "TRLNKID" not in adtr:
        return None
    keep = (adtr["PARAMCD"] == recipe["parameter"]) & (adtr["ABLFL"] == "Y")
    keep &= adtr["PARCAT2"] == sources.study.response.evaluator
    sizes = adtr.loc[keep, ["USUBJID", "TRLNKID", "AVAL"]]
    known = places[["USUBJID", "TRLNKID", "ORGAN"]].drop_duplicates(["USUBJID", "TRLNKID"])
    joined: pd.DataFrame = sizes.merge(known, on=["USUBJID", "TRLNKID"], how="left", validate="m:1")
    return joined


def _placed(joined: pd.DataFrame) -> pd.Series:
    """Tell of each participant whether every target lesion has a location."""
    return joined["ORGAN"].notna().groupby(joined["USUBJID"]).all()


def _lesions(sources: Sources) -> pd.DataFrame:
    """Return USUBJID, TRLNKID, organ and side of every target and non-target lesion with a location, one row per lesion."""
    source = sources.sdtm.domain("TU")
    role = text_column(source, "TUSTRESC").fillna(text_column(source, "TUORRES"))
    location = text_column(source, "TULOC")
    kept = role.isin(list(_ROLES)) & location.notna()
    node = location.fillna("").str.startswith("LYMPH NODE")
    liver = location.fillna("").str.startswith("LIVER")
    organ = location.where(~node, "LYMPH NODE").where(~liver, "LIVER")
    rows = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "TRLNKID": text_column(source, "TULNKID"),
            "ORGAN": organ,
            "SIDE": text_column(source, "TULAT"),
        }
    )
    rows = rows[kept].sort_values("SIDE", kind="stable", na_position="last")
    return rows.drop_duplicates(["USUBJID", "TRLNKID", "ORGAN"]).sort_index().reset_index(drop=True)
