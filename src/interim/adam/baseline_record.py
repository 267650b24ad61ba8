"""The last record of a test before the first infusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.adlb import before_first_dose
from interim.adam.source import (
    by_subject,
    date_columns,
    number_column,
    sequence_text,
    shipped_data,
    text_column,
)
from interim.data.model import Sdtm
from interim.errors import Finding

Recipe = Mapping[str, Any]


def last_values(sdtm: Sdtm, adsl: pd.DataFrame, recipe: Recipe) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Return the last value of a test before the first infusion, by participant and group.

    Parameters
    ----------
    sdtm : Sdtm
        The domain of the recipe.
    adsl : pandas.DataFrame
        Core of ADSL: TRTSDT, TRTSDTM.
    recipe : mapping
        Keys domain, test, tests, value, date, sequence; optional group, unit, time_point.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        USUBJID, GROUP, VALUE, one row per participant and group; findings SUB-BASE (two different values at the last
        instant: none is used) and SUB-UNIT (no unit: not used). Participants who were not treated keep their last value.

    Raises
    ------
    None
    """
    rows = _records(sdtm, recipe)
    rows = rows[rows["USUBJID"].isin(adsl["USUBJID"])].reset_index(drop=True)
    day, moment = by_subject(rows, adsl, "TRTSDT"), by_subject(rows, adsl, "TRTSDTM")
    rows = rows[before_first_dose(rows, day, moment) | day.isna()]
    without_unit = rows["UNIT"].isna() if "unit" in recipe else pd.Series(False, index=rows.index)
    findings = [_finding("SUB-UNIT", row, recipe) for _, row in rows[without_unit].iterrows()]
    rows = rows[~without_unit].sort_values(["USUBJID", "GROUP", "ADT", "INSTANT", "SEQ"], kind="stable")
    keys = ["USUBJID", "GROUP"]
    latest = rows.groupby(keys, dropna=False)["INSTANT"].transform("max")
    last = rows[rows["INSTANT"] == latest]
    values = last.groupby(keys, dropna=False)["VALUE"].transform("nunique")
    double = last[values > 1].drop_duplicates(keys)
    findings += [_finding("SUB-BASE", row, recipe) for _, row in double.iterrows()]
    kept = last[values <= 1].drop_duplicates(keys, keep="last")
    return kept[["USUBJID", "GROUP", "VALUE"]].reset_index(drop=True), tuple(findings)


def _records(sdtm: Sdtm, recipe: Recipe) -> pd.DataFrame:
    source = sdtm.domain(recipe["domain"])
    source = source[text_column(source, recipe["test"]).isin(list(recipe["tests"]))]
    dates = date_columns(source, recipe["date"])
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "GROUP": text_column(source, recipe.get("group", "")).fillna(""),
            "VALUE": number_column(source, recipe["value"]),
            "UNIT": text_column(source, recipe.get("unit", "")),
            "ADT": dates["DT"],
            "ADTM": dates["DTM"],
            "INSTANT": dates["START"],
            "PREDOSE": text_column(source, recipe.get("time_point", "")).isin(
                list(shipped_data("laboratory")["pre_dose"])
            ),
            "SEQ": source[recipe["sequence"]].map(sequence_text) if recipe["sequence"] in source else None,
        }
    )
    return frame[frame["VALUE"].notna() & frame["ADT"].notna()]


def _finding(rule: str, row: pd.Series, recipe: Recipe) -> Finding:
    text = {
        "SUB-BASE": "two different last values before the first infusion; none is used, correct the records",
        "SUB-UNIT": "value without a unit; it is not used, complete the record",
    }[rule]
    group = f" ({row['GROUP']})" if row["GROUP"] else ""
    return Finding(
        rule,
        "warn",
        recipe["domain"],
        f"{recipe['name']}{group}: {text}",
        subject=str(row["USUBJID"]),
        key=(str(row["SEQ"] or ""),),
        variable=recipe["value"],
        value=f"{row['VALUE']:g}",
        effect=("T 14.2.4.1",),
    )
