"""Baseline facts about the participant and the tumour: characteristics, time since an event of the history, body mass index."""

from __future__ import annotations

import pandas as pd

from interim.adam.baseline_record import last_values
from interim.adam.baseline_source import Column, Recipe, Sources, no_values
from interim.adam.source import by_subject, text_column
from interim.data.dates import DAYS_PER_MONTH, impute_dates
from interim.errors import Finding


def characteristic(recipe: Recipe, sources: Sources) -> Column:
    """Return a characteristic of the participant or the tumour that does not change.

    Parameters
    ----------
    recipe : mapping
        domain, test (column of the tests), tests, value (column of the texts).
    sources : Sources
        The domain.

    Returns
    -------
    Column
        Text in capitals; two different texts of a participant are a finding SUB-BASE and neither is used.

    Raises
    ------
    None
    """
    source = sources.sdtm.domain(recipe["domain"])
    text = text_column(source, recipe["value"])
    hit = text_column(source, recipe["test"]).isin(list(recipe["tests"])) & text.notna()
    rows = pd.DataFrame({"USUBJID": source["USUBJID"], "TEXT": text})[hit]
    if rows.empty:
        return no_values()
    kinds = rows.groupby("USUBJID", sort=True)["TEXT"].nunique()
    several = sorted(kinds.index[kinds > 1])
    values = rows.drop_duplicates("USUBJID").set_index("USUBJID")["TEXT"]
    findings = tuple(_two_texts(str(subject), rows, recipe) for subject in several)
    return Column(values[~values.index.isin(several)].astype(object), pd.Series(dtype=object), findings)


def _two_texts(subject: str, rows: pd.DataFrame, recipe: Recipe) -> Finding:
    texts = " and ".join(sorted(set(rows.loc[rows["USUBJID"] == subject, "TEXT"])))
    return Finding(
        "SUB-BASE",
        "warn",
        recipe["domain"],
        f"{recipe['name']}: {texts} are recorded; neither is used, correct the records",
        subject=subject,
        variable=recipe["value"],
        value=texts,
        effect=("T 14.1.3.2",),
    )


def months_since(recipe: Recipe, sources: Sources) -> Column:
    """Return the months from the first record of a kind to the first infusion.

    Parameters
    ----------
    recipe : mapping
        domain, category (column), categories, date (column).
    sources : Sources
        The domain; ADSL: TRTSDT.

    Returns
    -------
    Column
        Months of 30.4375 days; a partial date counts as the middle of its month or year. Participants who were not treated
        have none.

    Raises
    ------
    None
    """
    source = sources.sdtm.domain(recipe["domain"])
    source = source[text_column(source, recipe["category"]).isin(list(recipe["categories"]))]
    if source.empty or recipe["date"] not in source:
        return no_values()
    texts = pd.Series(source[recipe["date"]].to_numpy(), index=source.index, dtype=object)
    dates = impute_dates(texts, highest="M", rule="mid")["DT"]
    first = dates.groupby(source["USUBJID"]).min().rename("DT").dropna().reset_index()
    until = by_subject(first, sources.adsl, "TRTSDT") if len(first) else pd.Series(dtype="datetime64[ns]")
    months = (until - first["DT"]).dt.days / DAYS_PER_MONTH
    return Column(pd.Series(months.to_numpy(), index=first["USUBJID"]).dropna(), pd.Series(dtype=object))


def body_mass_index(recipe: Recipe, sources: Sources) -> Column:
    """Return the body mass index of the last height and weight before the first infusion.

    Parameters
    ----------
    recipe : mapping
        As for a last value; weight, height: tests; the height in cm, the weight in kg.
    sources : Sources
        VS.

    Returns
    -------
    Column
        kg per square metre; the records of both are looked at by their own variables.

    Raises
    ------
    None
    """
    if not sources.sdtm.has(recipe["domain"]):
        return no_values()
    weight, height = (
        last_values(sources.sdtm, sources.adsl, {**recipe, "tests": recipe[test]})[0].set_index("USUBJID")[
            "VALUE"
        ]
        for test in ("weight", "height")
    )
    index = weight / (height.where(height > 0) / 100) ** 2
    return Column(index.dropna(), pd.Series(dtype=object), collected=bool(len(height)))
