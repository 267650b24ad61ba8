"""Baseline variables of ADSL: each has a recipe that ships as data; the last value before the first infusion counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from interim.adam.baseline_facts import body_mass_index, characteristic, months_since
from interim.adam.baseline_history import early_fall, prior_therapy
from interim.adam.baseline_laboratory import baseline_value, same_draw_ratio
from interim.adam.baseline_lesions import (
    both_sides,
    lesion_number,
    lesion_share,
    organ_flag,
    organ_number,
    organ_size,
    other_organ_flag,
    tumour_site,
)
from interim.adam.baseline_record import last_values
from interim.adam.baseline_source import Column, Recipe, Sources, no_values
from interim.adam.derived import Derived
from interim.adam.source import number_column, shipped_data, text_column
from interim.errors import Finding
from interim.study.tables import shipped

__all__ = ["Column", "Sources", "derive_baseline", "known_variables"]

_TEXTS = ("subject", "fact", "site", "organ", "others", "sides", "therapy", "fall")
_RULES = ("SUB-BASE", "SUB-LEVEL", "SUB-RANGE", "SUB-UNIT")


def derive_baseline(sources: Sources) -> Derived:
    """Derive the baseline variables.

    Parameters
    ----------
    sources : Sources
        Domains and datasets.

    Returns
    -------
    Derived
        One row per ADSL participant: USUBJID, every variable whose source exists, and ``<variable>F`` with its flags where
        there are any; findings SUB-BASE (two different last values), SUB-LEVEL (unknown text), SUB-RANGE (outside the
        possible range), SUB-UNIT (unit missing). What is found wrong is missing, and stays missing.

    Raises
    ------
    None
    """
    frame = pd.DataFrame({"USUBJID": sources.adsl["USUBJID"]}).reset_index(drop=True)
    findings: list[Finding] = []
    direct = sources.sdtm.with_supp("DM")
    for recipe in shipped_data("baseline")["variables"]:
        name = recipe["name"]
        column = _KINDS[recipe["kind"]](recipe, sources)
        if not column.collected and name not in direct:
            continue
        values = frame["USUBJID"].map(column.values)
        refused = {finding.subject for finding in column.findings}
        values = _with_direct(values, direct, frame["USUBJID"], recipe, refused)
        values, wrong = _permitted(values, frame["USUBJID"], recipe)
        frame[name] = values
        flags = frame["USUBJID"].map(column.flags)
        if flags.notna().any():
            frame[f"{name}F"] = flags.astype(object).where(flags.notna(), None)
        findings += [] if recipe.get("reported") else [*column.findings, *wrong]
    rules = tuple((rule, "warn", "run") for rule in _RULES)
    return Derived(frame, tuple(sorted(findings, key=lambda finding: finding.order)), rules)


def _is_text(recipe: Recipe) -> bool:
    return recipe["kind"] in _TEXTS


def _with_direct(
    values: pd.Series, direct: pd.DataFrame, subjects: pd.Series, recipe: Recipe, refused: set[str | None]
) -> pd.Series:
    """Fill a value of SUPPDM in where there are no records, never where a record was refused."""
    read = text_column if _is_text(recipe) else number_column
    given = pd.Series(read(direct, recipe["name"]).to_numpy(), index=direct["USUBJID"].to_numpy())
    stand_in = subjects.map(given).where(~subjects.isin(refused))
    if _is_text(recipe):
        filled = values.astype(object).where(values.notna(), stand_in)
        return filled.astype(object).where(filled.notna(), None)
    return pd.to_numeric(values).astype("float64").fillna(stand_in.astype("float64"))


def _permitted(values: pd.Series, subjects: pd.Series, recipe: Recipe) -> tuple[pd.Series, list[Finding]]:
    """Make values missing that the variable cannot have, with a finding for each."""
    row = {item["name"]: item for item in shipped("baseline_variables")}.get(recipe["name"], {})
    if "levels" in recipe:
        rule, wanted = "SUB-LEVEL", ", ".join(recipe["levels"])
        wrong = values.notna() & ~values.isin(list(recipe["levels"]))
    elif "min" in row:
        rule, wanted = "SUB-RANGE", f"{row['min']:g} to {row['max']:g}"
        wrong = (values < row["min"]) | (values > row["max"])
    else:
        return values, []
    findings = [
        Finding(
            rule,
            "warn",
            "ADSL",
            f"{recipe['name']} = {value!r} must be {wanted}; it is treated as missing, correct it",
            subject=subject,
            variable=recipe["name"],
            value=str(value),
            expected=wanted,
            effect=("T 14.2.4.1",),
        )
        for subject, value in zip(subjects[wrong], values[wrong], strict=True)
    ]
    return (values.where(~wrong, None) if values.dtype == object else values.where(~wrong)), findings


def _subject(recipe: Recipe, sources: Sources) -> Column:
    """Nothing: DM and SUPPDM are the direct values."""
    return no_values()


def _last(recipe: Recipe, sources: Sources) -> Column:
    if not sources.sdtm.has(recipe["domain"]):
        return no_values()
    rows, findings = last_values(sources.sdtm, sources.adsl, recipe)
    collected = bool(len(rows) or findings)
    return Column(rows.set_index("USUBJID")["VALUE"], pd.Series(dtype=object), findings, collected)


def _highest(recipe: Recipe, sources: Sources) -> Column:
    if not sources.sdtm.has(recipe["domain"]):
        return no_values()
    rows, findings = last_values(sources.sdtm, sources.adsl, recipe)
    if recipe.get("only"):
        rows = rows[rows["GROUP"].isin([text.upper() for text in recipe["groups"]])]
    limits = {item["name"]: item for item in shipped("baseline_variables")}[recipe["name"]]
    group = rows.groupby("USUBJID", sort=True)
    assessed = rows[rows["GROUP"].isin([text.upper() for text in recipe["groups"]])]
    number = assessed.groupby("USUBJID")["GROUP"].nunique()
    partial = number[number < len(recipe["groups"])]
    outside = rows[(rows["VALUE"] < limits["min"]) | (rows["VALUE"] > limits["max"])]
    highest = group["VALUE"].max()
    highest[highest.index.isin(outside["USUBJID"])] = outside.groupby("USUBJID")["VALUE"].max()
    flags = partial.map(lambda n: f"LIGAND_PARTIAL ({int(n)} of {len(recipe['groups'])})").astype(object)
    return Column(highest, flags, findings)


def _lines(recipe: Recipe, sources: Sources) -> Column:
    parts = []
    for domain in ("CM", "PR"):
        source = sources.sdtm.with_supp(domain)
        prior = text_column(source, f"{domain}CAT") == recipe["category"]
        systemic = text_column(source, f"{domain}SCAT") == recipe["subcategory"]
        rows = source[prior & systemic]
        parts.append(pd.DataFrame({"USUBJID": rows["USUBJID"], "LINE": number_column(rows, recipe["line"])}))
    lines = pd.concat(parts, ignore_index=True).dropna()
    counted = lines.groupby("USUBJID", sort=True)["LINE"].nunique().astype("float64")
    return Column(counted, pd.Series(dtype=object), collected=bool(len(counted)))


def _sum(recipe: Recipe, sources: Sources) -> Column:
    if sources.adtr is None:
        return no_values()
    adtr, evaluator = sources.adtr, sources.study.response.evaluator
    rows = adtr[
        (adtr["PARAMCD"] == recipe["parameter"]) & (adtr["ABLFL"] == "Y") & (adtr["PARCAT2"] == evaluator)
    ]
    return Column(rows.set_index("USUBJID")["AVAL"], pd.Series(dtype=object))


_KINDS: Mapping[str, Callable[[Recipe, Sources], Column]] = {
    "subject": _subject,
    "last": _last,
    "highest": _highest,
    "lines": _lines,
    "lab": baseline_value,
    "ratio": same_draw_ratio,
    "sum": _sum,
    "site": tumour_site,
    "organ": organ_flag,
    "organs": organ_number,
    "lesions": lesion_number,
    "share": lesion_share,
    "size": organ_size,
    "others": other_organ_flag,
    "sides": both_sides,
    "fact": characteristic,
    "since": months_since,
    "bmi": body_mass_index,
    "therapy": prior_therapy,
    "fall": early_fall,
}


def known_variables() -> frozenset[str]:
    """Return the names of the variables that a subgroup entry may use though the data have no source for them.

    Returns
    -------
    frozenset of str
        Variables with a recipe.

    Raises
    ------
    None
    """
    return frozenset(recipe["name"] for recipe in shipped_data("baseline")["variables"])
