"""Exposure: dose, unit, level, order, interval and completeness of the infusions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.dates import surely_before
from interim.data.check.keys import content
from interim.data.check.records import Hit, each, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_DOSE = ("T 14.1.1.3", "T 14.2.1.1", "T 14.3.1.1")
_PER_KG, _MILLIONS, _CELLS = "CELLS/KG", "10^6 CELLS", "CELLS"
_EX = ("EXTRT", "EXDOSE", "EXDOSU", "EXSTDTC")
_HALF, _HALF_TOLERANCE = 0.5, 0.1


@rule("EX-DUP", severity="warn", needs={"EX": ("EXTRT", "EXSTDTC")}, effect=_DOSE)
def _duplicate_infusion(context: Context) -> Iterator[Hit]:
    """An infusion is recorded twice."""
    ex = context.records("EX")
    table = content(ex)
    again = table.duplicated()
    timed = ex.dates("EXSTDTC")["PRECISION"] == "T"
    same = pd.DataFrame({"A": ex.subjects(), "B": ex.code("EXTRT"), "C": ex.code("EXSTDTC")}).duplicated()
    message = "infusion recorded twice (same product and start); remove one at the source"
    yield from hits(ex, again | (same & timed), variable="EXSTDTC", message=message)


@rule("EX-NODOSE", severity="stop", needs={"EX": ("EXDOSE",)}, effect=_DOSE)
def _dose_and_occurrence(context: Context) -> Iterator[Hit]:
    """An infusion that was given has no dose, or one that was not given has a dose."""
    ex = context.records("EX")
    dose, given = ex.number("EXDOSE"), ex.code("EXOCCUR") != "N"
    yield from hits(
        ex, given & dose.isna(), variable="EXDOSE", message="infusion given without dose; complete it"
    )
    message = "EXOCCUR is N, but a dose is given; correct one of the two"
    yield from hits(ex, ~given & (dose > 0), variable="EXDOSE", message=message)


@rule("EX-END", severity="stop", needs={"EX": ("EXSTDTC", "EXENDTC")}, effect=_DOSE)
def _infusion_end(context: Context) -> Iterator[Hit]:
    """An infusion ends before it starts."""
    ex = context.records("EX")
    wrong = surely_before(ex.dates("EXENDTC"), ex.dates("EXSTDTC"))
    yield from hits(
        ex, wrong, variable="EXENDTC", message="infusion ends before it starts; correct one of the two"
    )


@rule("EX-UNIT", severity="stop", needs={"EX": ("EXDOSE", "EXDOSU")}, effect=_DOSE)
def _dose_unit(context: Context) -> Iterator[Hit]:
    """A dose has no unit."""
    ex = context.records("EX")
    absent = ex.number("EXDOSE").notna() & ex.code("EXDOSU").isna()
    yield from hits(
        ex, absent, variable="EXDOSU", expected="cells, 10^6 cells or cells/kg", message="dose without unit"
    )


def _with_levels(context: Context) -> pd.DataFrame:
    """Return the T infusions of a study with a dose ladder: those of `Context.infusions` with LEVEL and PERKG."""
    table = context.infusions
    ladder = {f"DL{i}": dose for i, dose in enumerate(context.study.dose.levels, 1)}
    if context.study.cohort.variable is not None:
        return table.iloc[:0].assign(LEVEL=np.nan, PERKG=np.nan)
    table = table[table["ROLE"] == "t"]
    arms = context.participants["ARM"].map(ladder).astype("float64")
    level = arms.reindex(pd.Index(table["USUBJID"], dtype=object)).to_numpy()
    cells = table["DOSE"].where(table["UNIT"] != _MILLIONS, table["DOSE"] * 1e6)
    weight = table["WEIGHT"].fillna(_measured_weight(context, table))
    return table.assign(LEVEL=level, PERKG=cells.where(table["UNIT"] == _PER_KG, cells / weight))


def _measured_weight(context: Context, table: pd.DataFrame) -> pd.Series:
    """Return the last weight of VS on or before the day of each infusion."""
    vs = context.records("VS")
    weights = pd.DataFrame(
        {"USUBJID": vs.subjects(), "DAY": vs.dates("VSDTC")["FIRST"], "KG": _kilograms(context)}
    )[vs.code("VSTESTCD") == "WEIGHT"].dropna()
    wanted = table[["USUBJID"]].assign(DAY=table["LAST"], ROW=table.index).dropna()
    if weights.empty or wanted.empty:
        return pd.Series(np.nan, index=table.index)
    joined = pd.merge_asof(
        wanted.sort_values("DAY"), weights.sort_values(["DAY", "KG"]), on="DAY", by="USUBJID"
    )
    return joined.set_index("ROW")["KG"].reindex(table.index)


def _kilograms(context: Context) -> pd.Series:
    vs = context.records("VS")
    value, unit = (
        vs.number("VSSTRESN").fillna(vs.number("VSORRES")),
        vs.code("VSSTRESU").fillna(vs.code("VSORRESU")),
    )
    return value.where(unit.fillna("KG") == "KG")


@rule("EX-ACTLVL", severity="warn", needs={"DM": ("ARMCD",), "EX": _EX}, effect=_DOSE)
def _actual_level(context: Context) -> Iterator[Hit]:
    """The dose given belongs to another dose level than the one assigned."""
    table, study = _with_levels(context), context.study
    if study.dose.dose_unit_basis == "per_cycle":
        keys = [table["USUBJID"], table["CYCLE"].fillna(0)]
        table = table.assign(PERKG=table.groupby(keys)["PERKG"].transform("sum"))
    table = table[table["LEVEL"].notna() & (table["PERKG"] > 0) & _plausible(context, table)]
    distance = np.abs(np.log(np.divide.outer(table["PERKG"].to_numpy(), np.array(study.dose.levels))))
    nearest = np.array(study.dose.levels)[distance.argmin(axis=1)] if len(table) else np.array([])
    far = (table["PERKG"] / table["LEVEL"] - 1).abs() > study.dose.dose_deviation_flag
    for row in each(table[far & (nearest != table["LEVEL"])]):
        message = f"{row.PERKG:.3g} cells/kg given, another level than the assigned {row.LEVEL:.3g}; safety goes by the actual dose"
        yield Hit("EX", row.PLACE, message, "EXDOSE", f"about {row.LEVEL:.3g} cells/kg")


def _plausible(context: Context, table: pd.DataFrame) -> pd.Series:
    """Tell the doses that lie within a factor of the ladder (the others are EX-RANGE-UNIT)."""
    factor, levels = context.study.checks.ex_range_factor, context.study.dose.levels
    return table["PERKG"].between(levels[0] / factor, levels[-1] * factor)


@rule("EX-RANGE-UNIT", severity="stop", needs={"DM": ("ARMCD",), "EX": _EX}, effect=_DOSE)
def _dose_range(context: Context) -> Iterator[Hit]:
    """A dose is too far from the planned ones for its unit: total cells and cells per kg mixed up."""
    table, factor = _with_levels(context), context.study.checks.ex_range_factor
    odd = table[table["PERKG"].notna() & (table["PERKG"] > 0) & ~_plausible(context, table)]
    for row in each(odd):
        message = f"{row.PERKG:.3g} cells/kg is more than {factor:g} times outside the dose levels; check value and unit"
        yield Hit("EX", row.PLACE, message, "EXDOSE")
    other = context.infusions[context.infusions["ROLE"].isin(["nk"]) & (context.infusions["PLAN"] > 0)]
    cells = other["DOSE"].where(other["UNIT"] != _MILLIONS, other["DOSE"] * 1e6)
    ratio = cells.where(other["UNIT"] != _PER_KG, cells * other["WEIGHT"]) / other["PLAN"]
    for row in each(other[(ratio > 0) & ~ratio.between(1 / factor, factor)]):
        message = f"dose is more than {factor:g} times away from the {row.PLAN:.3g} planned cells; check value and unit"
        yield Hit("EX", row.PLACE, message, "EXDOSE")


@rule("EX-SPLIT", severity="warn", needs={"DM": ("ARMCD",), "EX": (*_EX, "EXCYCLE")}, effect=("T 14.1.1.3",))
def _split_dose(context: Context) -> Iterator[Hit]:
    """Each infusion of a cycle is half of the level although a level is a dose per infusion."""
    if context.study.dose.dose_unit_basis != "per_infusion":
        return
    table = _with_levels(context)
    half = (table["PERKG"] / table["LEVEL"] - _HALF).abs().le(_HALF_TOLERANCE)
    cycles = table.assign(HALF=half).groupby(["USUBJID", "CYCLE"], sort=True)
    found = cycles.agg(N=("HALF", "size"), HALF=("HALF", "all"), PLACE=("PLACE", "first"))
    for place in found["PLACE"][(found["N"] > 1) & found["HALF"]]:
        message = "each infusion of the cycle is half of the level: dose per infusion or per cycle (AMB-4)?"
        yield Hit("EX", int(place), message, "EXDOSE")


@rule("EX-ORDER", severity="stop", needs={"EX": (*_EX, "EXCYCLE")}, effect=_DOSE)
def _infusion_order(context: Context) -> Iterator[Hit]:
    """A later cycle starts before an earlier one, or the T cells before the NK cells."""
    table = context.infusions.dropna(subset=["ROLE"])
    cycles = (
        table.dropna(subset=["CYCLE"]).groupby(["USUBJID", "ROLE", "CYCLE"], as_index=False)["LAST"].max()
    )
    later = table.merge(cycles, on=["USUBJID", "ROLE"], how="inner", suffixes=("", "_PRIOR"), validate="m:m")
    wrong = later[(later["CYCLE_PRIOR"] < later["CYCLE"]) & (later["DT"] < later["LAST_PRIOR"])]
    places = set(wrong["PLACE"])
    first_nk = context.first_dose("nk").reindex(pd.Index(table["USUBJID"], dtype=object)).to_numpy()
    places |= set(table["PLACE"][(table["ROLE"] == "t") & (table["LAST"] < first_nk)])
    for place in sorted(places):
        yield Hit(
            "EX", int(place), "infusion before one that must precede it; correct date or cycle", "EXSTDTC"
        )


@rule("EX-WINDOW", severity="info", needs={"EX": _EX}, effect=("T 14.1.2.1", "T 14.1.1.3"))
def _infusion_interval(context: Context) -> Iterator[Hit]:
    """Two infusions of one cycle are not as many days apart as planned."""
    planned = context.study.checks.ex_window_days
    table = context.infusions[context.infusions["ROLE"].isin(["nk", "t"])].dropna(subset=["DT"])
    table = table.assign(CYCLE=table["CYCLE"].fillna(1))
    gap = table["DT"] - table.groupby(["USUBJID", "ROLE", "CYCLE"])["DT"].shift()
    for row in each(table.assign(GAP=gap.dt.days)[(gap.dt.days != planned) & gap.notna()]):
        message = f"{row.GAP:g} d after the infusion before it, planned {planned} d; record a deviation"
        yield Hit("EX", row.PLACE, message, "EXSTDTC", f"{planned} d")


@rule("EX-EXPECT", severity="warn", needs={"PR": ("PRTRT",), "EX": _EX}, effect=("T 14.1.1.3",))
def _expected_infusions(context: Context) -> Iterator[Hit]:
    """A participant with a hepatic artery catheter has fewer NK infusion records than planned."""
    pr, ex, planned = context.records("PR"), context.records("EX"), context.study.checks.ex_expect_nk
    names = {text.upper() for p in context.study.with_role("nk") for text in p.extrt}
    recorded = ex.subjects()[ex.code("EXTRT").isin(names)].value_counts()
    catheter = pr.code("PRTRT").fillna("").str.contains(words("terms")["therapy"]["catheter"], regex=True)
    catheter &= (pr.code("PROCCUR") != "N") & pr.subjects().isin(recorded.index)
    first = catheter & ~pr.subjects().where(catheter).duplicated()
    count = beside(pr, recorded.astype("float64"))
    message = f"catheter placed, but fewer than {planned} NK infusion records; add the missing one or one with EXOCCUR N"
    yield from hits(pr, first & (count < planned), variable="PRTRT", message=message)


@rule(
    "EX-WT",
    severity="warn",
    needs={"EX": _EX, "SUPPEX": ("QNAM", "QVAL"), "VS": ("VSTESTCD", "VSDTC")},
    effect=_DOSE,
)
def _dosing_weight(context: Context) -> Iterator[Hit]:
    """The weight used for dosing differs from the measured one."""
    table, limit = context.infusions.dropna(subset=["WEIGHT"]), context.study.checks.ex_wt_pct
    table = table.assign(KG=_measured_weight(context, table))
    off = (table["WEIGHT"] / table["KG"] - 1).abs() * 100 > limit
    for row in each(table[off]):
        message = (
            f"weight used {row.WEIGHT:g} kg, measured {row.KG:g} kg: more than {limit:g} % apart; check both"
        )
        yield Hit("EX", row.PLACE, message, "EXDOSE", f"weight within {limit:g} % of VS")


@rule("VS-WT", severity="warn", needs={"EX": _EX, "VS": ("VSTESTCD", "VSDTC")}, effect=_DOSE)
def _weight_before_dose(context: Context) -> Iterator[Hit]:
    """No weight is recorded before a dose per kg."""
    table = context.infusions
    per_kg = (table["UNIT"] == _PER_KG) | ((table["ROLE"] == "t") & (context.study.cohort.variable is None))
    table = table[per_kg & table["WEIGHT"].isna()]
    table = table[_measured_weight(context, table).isna()].drop_duplicates("USUBJID")
    for row in each(table):
        yield Hit("EX", row.PLACE, "no weight before this dose per kg; add it to VS or SUPPEX", "EXDOSE")


@rule("VS-BP", severity="warn", needs={"VS": ("VSTESTCD", "VSDTC", "VSSTRESN")}, effect=("T 14.3.5.1",))
def _blood_pressure(context: Context) -> Iterator[Hit]:
    """Diastolic blood pressure is above systolic."""
    vs = context.records("VS")
    names = ("VSDTC", "VISITNUM", "VSTPT", "VSPOS")
    table = pd.DataFrame({"USUBJID": vs.subjects(), **{name: vs.code(name) for name in names}}).fillna("")
    table = table.assign(VALUE=vs.number("VSSTRESN"), TEST=vs.code("VSTESTCD"), PLACE=np.arange(len(vs)))
    keys = ["USUBJID", *names]
    systolic = table[table["TEST"] == "SYSBP"].groupby(keys, as_index=False)["VALUE"].max()
    both = table[table["TEST"] == "DIABP"].merge(systolic, on=keys, suffixes=("", "_SYS"), validate="m:1")
    for row in each(both[both["VALUE"] > both["VALUE_SYS"]]):
        message = f"diastolic {row.VALUE:g} above systolic {row.VALUE_SYS:g}; correct one of the two"
        yield Hit("VS", row.PLACE, message, "VSSTRESN")
