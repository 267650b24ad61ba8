"""Kinetics: sampling times against the infusion, pre-dose values, limits of quantification, units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd

from interim.data.check.context import Context
from interim.data.check.records import Hit, Records, hits, hits_per
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_PC = ("PCTESTCD", "PCDTC")
_EFFECT = ("T 14.4.1.1", "T 14.4.1.2")
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<w>[\d.]+)W)?(?:(?P<d>[\d.]+)D)?(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?)?"
)
_HOURS = {"w": 168.0, "d": 24.0, "h": 1.0, "m": 1 / 60, "s": 1 / 3600}


@cache
def duration_hours(text: str) -> float | None:
    """Return an ISO 8601 duration in hours.

    Parameters
    ----------
    text : str
        For example ``P7D``, ``-PT30M``.

    Returns
    -------
    float or None
        None if the text is no such duration.

    Raises
    ------
    None

    Examples
    --------
    >>> duration_hours("P7D"), duration_hours("-PT30M"), duration_hours("7 d")
    (168.0, -0.5, None)
    """
    match = _DURATION.fullmatch(text)
    parts = {name: match[name] for name in _HOURS if match[name]} if match else {}
    try:
        total = sum(float(value) * _HOURS[name] for name, value in parts.items())
    except ValueError:
        return None
    return (-total if match and match["sign"] == "-" else total) if parts else None


def samples(context: Context) -> pd.DataFrame:
    """Return nominal and actual time after the reference infusion of each sample.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    pandas.DataFrame
        On the records of PC: NOMINAL and ACTUAL (hours), PREDOSE, FIRST (the reference is the product's first infusion), TIMED (both
        sides have a time of day).

    Raises
    ------
    None
    """
    pc = context.records("PC")
    nominal = pc.code("PCELTM").map(_hours).astype("float64")
    label = pc.code("PCTPT").fillna("")
    predose = label.str.contains("PRE-?DOSE", regex=True) | (nominal <= 0)
    reference = _reference(context, pc)
    drawn = pc.dates("PCDTC")
    timed = drawn["DTM"].notna() & reference["DTM"].notna()
    hours = (drawn["DTM"] - reference["DTM"]).dt.total_seconds() / 3600
    days = (drawn["DT"] - reference["DT"]).dt.days * _HOURS["d"]
    done = pc.code("PCSTAT") != "NOT DONE"
    return pd.DataFrame(
        {
            "NOMINAL": nominal,
            "ACTUAL": hours.where(timed, days).where(done),
            "PREDOSE": predose,
            "POSTDOSE": ~predose & ((nominal > 0) | label.str.contains("POST-?DOSE|DAY|HOUR", regex=True)),
            "FIRST": reference["FIRST"],
            "TIMED": timed,
        }
    )


def _hours(text: object) -> float | None:
    return duration_hours(text) if isinstance(text, str) else None


def _reference(context: Context, pc: Records) -> pd.DataFrame:
    """Return the first infusion of product and cycle that each sample refers to: DTM, DT, FIRST."""
    table = context.infusions.assign(CYCLE=context.infusions["CYCLE"].fillna(1))
    table = table.drop_duplicates(["USUBJID", "ROLE", "CYCLE"])
    role, cycle = _referred(context, pc)
    keys = pd.DataFrame({"USUBJID": pc.subjects(), "ROLE": role, "CYCLE": cycle})
    joined = keys.merge(
        table[["USUBJID", "ROLE", "CYCLE", "DTM", "DT"]],
        on=["USUBJID", "ROLE", "CYCLE"],
        how="left",
        validate="m:1",
    )
    stated = pc.dates("PCRFTDTC")
    result = joined.set_index(pc.frame.index)[["DTM", "DT"]]
    result = result.assign(DTM=stated["DTM"].fillna(result["DTM"]), DT=stated["DT"].fillna(result["DT"]))
    return result.assign(FIRST=cycle == 1)


def _referred(context: Context, pc: Records) -> tuple[pd.Series, pd.Series]:
    """Return product role and cycle by the text of PCTPTREF, else by the analyte."""
    text, sets = pc.code("PCTPTREF").fillna(""), words("terms")["kinetics"]
    roles = [product.role for product in context.study.products]
    role = pd.Series(roles[0] if len(set(roles)) == 1 else None, index=text.index, dtype=object)
    for name, codes in sets["analyte"].items():
        role = role.mask(pc.code("PCTESTCD").isin(codes), name)
    for name, pattern in sets["reference"].items():
        role = role.mask(text.str.contains(pattern, regex=True), name)
    cycle = pd.to_numeric(text.str.extract(sets["cycle"], expand=False), errors="coerce").fillna(1.0)
    return role, cycle


@rule("PC-TAD", severity="stop", needs={"PC": _PC, "EX": ("EXTRT", "EXSTDTC")}, effect=_EFFECT)
def _time_after_dose(context: Context) -> Iterator[Hit]:
    """A sample labelled as after the dose was drawn before it."""
    pc, table = context.records("PC"), samples(context)
    early = table["POSTDOSE"] & (table["ACTUAL"] < 0)
    yield from hits(
        pc,
        early,
        variable="PCDTC",
        expected="after the infusion",
        message="post-dose sample before its infusion; correct the time",
    )


@rule(
    "PC-PREDOSE",
    severity="warn",
    needs={"PC": (*_PC, "PCSTRESN"), "EX": ("EXTRT", "EXSTDTC")},
    effect=_EFFECT,
)
def _predose_positive(context: Context) -> Iterator[Hit]:
    """A sample before the first dose of the product is positive."""
    pc, table = context.records("PC"), samples(context)
    positive = pc.number("PCSTRESN") > pc.number("PCLLOQ").fillna(0)
    where = table["PREDOSE"] & table["FIRST"] & positive
    message = "quantified before the first dose: swapped sample, or signal of the other product?"
    yield from hits(pc, where, variable="PCSTRESN", expected="below LLOQ", message=message)


@rule("PC-WIN", severity="info", needs={"PC": (*_PC, "PCELTM"), "EX": ("EXTRT", "EXSTDTC")}, effect=_EFFECT)
def _sampling_window(context: Context) -> Iterator[Hit]:
    """Actual and nominal sampling time differ too much."""
    pc, table, limit = context.records("PC"), samples(context), context.study.checks.pc_win_pct
    off = (table["ACTUAL"] / table["NOMINAL"] - 1).abs() * 100
    far = table["POSTDOSE"] & (table["NOMINAL"] > 0) & (table["ACTUAL"] >= 0) & (off > limit)
    far &= table["TIMED"] | ((table["ACTUAL"] - table["NOMINAL"]).abs() > _HOURS["d"])
    message = (table["ACTUAL"] / _HOURS["d"]).map(
        lambda d: f"drawn {d:.3g} d after the infusion: the actual time is used"
    )
    expected = (table["NOMINAL"] / _HOURS["d"]).map(lambda d: f"{d:.3g} d +- {limit:g} %")
    yield from hits(pc, far, variable="PCDTC", expected=expected, message=message)


@rule("PC-LLOQ", severity="info", needs={"PC": ("PCTESTCD", "PCLLOQ")}, effect=_EFFECT)
def _one_limit(context: Context) -> Iterator[Hit]:
    """The lower limit of quantification of an assay changed."""
    pc = context.records("PC")
    other = _unusual(pc, pc.code("PCLLOQ"), ("PCTESTCD", "PCSPEC", "PCMETHOD", "PCSTRESU"))
    message = "another limit of quantification than in most samples of the assay: each sample keeps its own"
    yield from hits_per(pc, other, by=("PCTESTCD", "PCSPEC"), variable="PCLLOQ", message=message)


@rule("PC-UNIT", severity="stop", needs={"PC": ("PCTESTCD", "PCORRESU")}, effect=_EFFECT)
def _one_unit(context: Context) -> Iterator[Hit]:
    """An analyte and specimen has several units."""
    pc = context.records("PC")
    for name in ("PCORRESU", "PCSTRESU"):
        other = _unusual(pc, pc.code(name), ("PCTESTCD", "PCSPEC", "PCMETHOD"))
        message = "another unit than in the other samples of this analyte and specimen; convert at the source"
        yield from hits(pc, other, variable=name, message=message)


def _unusual(records: Records, values: pd.Series, names: tuple[str, ...]) -> pd.Series:
    """Tell the values that differ from the most frequent one of their group (the smaller text of two equally frequent ones)."""
    table = pd.DataFrame({name: records.code(name).fillna("") for name in names}).assign(VALUE=values)
    counts = table.groupby([*names, "VALUE"]).size().rename("N").reset_index()
    usual = counts.sort_values([*names, "N", "VALUE"], ascending=[*[True] * len(names), False, True])
    usual = usual.drop_duplicates(list(names)).rename(columns={"VALUE": "USUAL"})
    joined = table.merge(usual[[*names, "USUAL"]], on=list(names), how="left", validate="m:1")
    return pd.Series(
        np.asarray(values.notna() & (values.to_numpy() != joined["USUAL"].to_numpy())), index=values.index
    )


@rule("PC-PRODUCT", severity="warn", needs={"PC": ("PCTESTCD", "PCTPTREF")}, effect=_EFFECT)
def _product_of_sample(context: Context) -> Iterator[Hit]:
    """A sample refers to the infusion of another product than nearly all samples of its analyte."""
    pc, sets = context.records("PC"), words("terms")["kinetics"]
    reference, product = pc.code("PCTPTREF").fillna(""), pd.Series(None, index=pc.frame.index, dtype=object)
    for role, pattern in sets["reference"].items():
        product = product.mask(product.isna() & reference.str.contains(pattern, regex=True), role)
    other = _unusual(pc, product, ("PCTESTCD",))
    share = other.groupby(pc.code("PCTESTCD").fillna("")).transform("mean")
    message = "other samples of this analyte refer to the other product: analyte or reference mixed up?"
    yield from hits(pc, other & (share <= sets["mixed_up"]), variable="PCTESTCD", message=message)
