"""Laboratory: results, units, ranges, limits of quantification, baseline, repeats, blood counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, Records, hits, hits_per
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_TEST = ("LBTESTCD",)
_LB = ("LBTESTCD", "LBORRES")
_VALUES = ("T 14.3.4.1", "T 14.3.4.2")


def _result(lb: Records) -> pd.Series:
    """Tell the records with a result."""
    return lb.code("LBORRES").notna() & (lb.code("LBSTAT") != "NOT DONE")


def _signed(lb: Records) -> pd.Series:
    return lb.matching("LBORRES", r"[<>≤≥]")


def _unit(lb: Records) -> pd.Series:
    return lb.code("LBSTRESU").fillna(lb.code("LBORRESU"))


@rule("LB-STRES", severity="warn", needs={"LB": (*_LB, "LBSTRESN")}, effect=_VALUES)
def _standard_value(context: Context) -> Iterator[Hit]:
    """A result has no numeric standard value."""
    lb = context.records("LB")
    words_ = words("laboratory")["blq_words"]
    absent = _result(lb) & lb.number("LBSTRESN").isna() & ~_signed(lb) & ~lb.code("LBORRES").isin(words_)
    message = "result without numeric standard value: not analysed as a number"
    yield from hits_per(lb, absent, by=_TEST, variable="LBORRES", message=message)


@rule("LB-UNIT", severity="warn", needs={"LB": (*_LB, "LBORRESU")}, effect=_VALUES)
def _unit_given(context: Context) -> Iterator[Hit]:
    """A numeric result of a test that has a unit carries none."""
    lb = context.records("LB")
    bare = lb.code("LBTESTCD").isin(words("laboratory")["no_unit"])
    absent = _result(lb) & lb.number("LBORRES").notna() & lb.code("LBORRESU").isna() & ~bare
    yield from hits_per(
        lb, absent, by=_TEST, variable="LBORRESU", message="unit missing: not graded; complete it"
    )


@rule("LB-SIGN", severity="warn", needs={"LB": _LB}, effect=_VALUES)
def _sign_declared(context: Context) -> Iterator[Hit]:
    """A result carries < or > and the test has no rule for it."""
    lb = context.records("LB")
    declared = lb.code("LBTESTCD").isin(words("laboratory")["declared"])
    message = "result with < or > of a test without a rule for it: graded only if every value gives one grade"
    yield from hits(lb, _result(lb) & _signed(lb) & ~declared, variable="LBORRES", message=message)


@rule("LB-RANGE", severity="warn", needs={"LB": ("LBTESTCD", "LBSTNRLO", "LBSTNRHI")}, effect=_VALUES)
def _range_order(context: Context) -> Iterator[Hit]:
    """The lower limit of normal is not below the upper one, or the upper one is not positive."""
    lb = context.records("LB")
    low, high = lb.number("LBSTNRLO"), lb.number("LBSTNRHI")
    message = "lower limit not below the upper limit of normal: not graded; correct the range"
    yield from hits_per(lb, (low >= high) | (high <= 0), by=_TEST, variable="LBSTNRHI", message=message)


@rule("LB-REF", severity="warn", needs={"LB": (*_LB, "LBSTNRHI")}, effect=("T 14.3.4.2", "T 14.3.1.12"))
def _range_given(context: Context) -> Iterator[Hit]:
    """A limit of normal is missing."""
    lb = context.records("LB")
    test, free = lb.code("LBTESTCD"), lb.code("LBTESTCD").isin(words("laboratory")["no_range"])
    low, high = lb.number("LBSTNRLO"), lb.number("LBSTNRHI")
    no_high = _result(lb) & high.isna() & (~free | test.isin(test[high.notna()].unique()))
    no_low = _result(lb) & low.isna() & high.notna() & test.isin(test[low.notna()].unique())
    message = "limit of normal missing: no multiple of ULN, no grade; ask the laboratory"
    yield from hits_per(lb, no_high, by=_TEST, variable="LBSTNRHI", message=message)
    yield from hits_per(lb, no_low, by=_TEST, variable="LBSTNRLO", message=message)


@rule(
    "LB-UNIT-DIST",
    severity="stop",
    needs={"LB": ("LBTESTCD", "LBSTRESN", "LBSTRESU")},
    effect=("T 14.3.1.12", "F 14.3.4.1"),
)
def _unit_mixed_up(context: Context) -> Iterator[Hit]:
    """A value is impossible in its unit but possible in another usual one."""
    lb = context.records("LB")
    test, unit, value = lb.code("LBTESTCD"), lb.code("LBSTRESU"), lb.number("LBSTRESN")
    for row in words("laboratory")["mix"]:
        low, high, factor = row["low"], row["high"], row["factor"]
        here = (test == row["test"]) & (unit == row["unit"])
        below = (value > 0) & (value < low) & (value * factor).between(low, high)
        above = (value > high) & (value / factor).between(low, high)
        message = f"impossible in this unit, possible after a factor of {factor:g}: value and unit mixed up?"
        expected = f"{low:g} to {high:g} {row['unit'].lower()}"
        yield from hits(lb, here & (below | above), variable="LBSTRESN", expected=expected, message=message)


@rule("LB-BLQ", severity="warn", needs={"LB": _LB}, effect=("T 14.4.2.1",))
def _one_blq_form(context: Context) -> Iterator[Hit]:
    """Results below the limit of quantification of one test are written in several ways."""
    lb = context.records("LB")
    texts = lb.code("LBORRES")
    form = pd.Series(None, index=texts.index, dtype=object)
    form = form.mask(lb.matching("LBORRES", r"<\s*[\d.]"), "sign")
    form = form.mask(texts.isin(words("laboratory")["blq_words"]), "word")
    form = form.mask(
        (lb.number("LBORRES") == 0) & lb.code("LBTESTCD").isin(words("laboratory")["declared"]), "zero"
    )
    kinds = pd.DataFrame({"TEST": lb.code("LBTESTCD"), "FORM": form})
    many = kinds.groupby("TEST")["FORM"].transform("nunique") > 1
    message = (
        "below the limit of quantification, written otherwise than in other records; write < and the limit"
    )
    yield from hits(
        lb,
        many & form.isin(["word", "zero"]),
        variable="LBORRES",
        expected="< and the limit",
        message=message,
    )


@rule("LB-ULOQ", severity="info", needs={"LB": _LB}, effect=("T 14.4.3.2",))
def _upper_limit(context: Context) -> Iterator[Hit]:
    """A value equals the upper limit of quantification without its sign."""
    lb = context.records("LB")
    test, texts = lb.code("LBTESTCD"), lb.code("LBORRES").fillna("")
    above = lb.matching("LBORRES", r">\s*[\d.]")
    limits = pd.to_numeric(texts.where(above).str.lstrip("> "), errors="coerce")
    seen = (
        limits.groupby(test).transform("max").fillna(test.map(words("laboratory")["uloq"]).astype("float64"))
    )
    limit = lb.number("LBULOQ").fillna(seen)
    lost = ~above & (lb.number("LBORRES") == limit)
    message = (
        "equals the upper limit of quantification: was a > lost? no change from baseline is computed from it"
    )
    yield from hits(lb, lost & _result(lb), variable="LBORRES", expected="> and the limit", message=message)


@rule(
    "LB-BASE",
    severity="warn",
    needs={"LB": ("LBTESTCD", "LBDTC"), "EX": ("EXTRT", "EXSTDTC")},
    effect=("T 14.3.4.1",),
)
def _baseline_before_dose(context: Context) -> Iterator[Hit]:
    """A sample labelled baseline or pre-dose was drawn after the infusion, or on its day at an unknown time."""
    lb = context.records("LB")
    drawn, first = lb.dates("LBDTC"), beside(lb, context.first_dose())
    labelled = lb.code("LBBLFL") == "Y"
    late = labelled & (drawn["DTM"].fillna(drawn["FIRST"]) > first)
    predose = lb.matching("LBTPT", ".*PRE-?DOSE")
    unsure = (
        labelled
        & drawn["DTM"].isna()
        & (drawn["DT"] == first.dt.normalize())
        & (first > first.dt.normalize())
    )
    unsure &= ~predose
    day_dose = _dose_of_day(context, lb)
    after = predose & (drawn["DTM"] > day_dose)
    message = "labelled as before the dose but not surely drawn before it; the earlier value is used"
    yield from hits(
        lb, late | unsure | after, variable="LBDTC", expected="before the infusion", message=message
    )


def _dose_of_day(context: Context, lb: Records) -> pd.Series:
    """Return the first infusion on the day of each sample."""
    doses = context.infusions.dropna(subset=["DTM"])
    table = doses.assign(DAY=doses["DT"]).groupby(["USUBJID", "DAY"])["DTM"].min()
    keys = pd.MultiIndex.from_arrays([lb.subjects().fillna(""), lb.dates("LBDTC")["DT"]])
    return pd.Series(table.reindex(keys).to_numpy(), index=lb.frame.index, dtype="datetime64[ns]")


@rule("LB-MULTI", severity="info", needs={"LB": (*_LB, "LBDTC")}, effect=("T 14.3.4.1",))
def _repeated_sample(context: Context) -> Iterator[Hit]:
    """One test has several results at one visit and day."""
    lb = context.records("LB")
    names = ("LBTESTCD", "LBCAT", "LBSPEC", "LBMETHOD", "VISITNUM", "LBTPT", "LBFAST")
    table = pd.DataFrame({name: lb.code(name) for name in names})
    table = table.assign(WHO=lb.subjects(), DAY=lb.dates("LBDTC")["DT"])
    valid = _result(lb) & table["DAY"].notna() & table["WHO"].notna()
    again = table[valid].duplicated().reindex(table.index, fill_value=False)
    message = "second result of the test at this visit: the last valid one is used"
    yield from hits(lb, again, variable="LBORRES", message=message)


@rule("LB-NLR-RANGE", severity="warn", needs={"LB": ("LBTESTCD", "LBSTRESN")}, effect=("T 14.2.4.7",))
def _counts_in_range(context: Context) -> Iterator[Hit]:
    """A neutrophil or lymphocyte count looks like a percentage."""
    lb, sets = context.records("LB"), words("laboratory")["blood_count"]
    test, value = lb.code("LBTESTCD"), lb.number("LBSTRESN")
    count = test.isin([sets["neutrophils"], sets["lymphocytes"]])
    total = beside_draw(lb, sets["total"])
    odd = (value > sets["highest"]) | (value > total * sets["tolerance"]) | _unit(lb).isin(["%"])
    message = "count above the total of leukocytes or in %: NLR and GLR are wrong; give 10^9/L"
    yield from hits(lb, count & odd, variable="LBSTRESN", expected="10^9/L", message=message)


@rule("LB-GLR", severity="info", needs={"LB": ("LBTESTCD", "LBSTRESN")}, effect=("T 14.2.4.7",))
def _granulocytes(context: Context) -> Iterator[Hit]:
    """Granulocytes seem to be recorded as neutrophils."""
    lb, sets = context.records("LB"), words("laboratory")["blood_count"]
    neutrophils = lb.code("LBTESTCD") == sets["neutrophils"]
    named = lb.text("LBTEST").fillna("").str.contains(sets["mislabel"], regex=True)
    parts = [beside_draw(lb, name) for name in sets["parts"]]
    others = sum(beside_draw(lb, name) for name in sets["granulocytes"])
    excess = sum(parts) - beside_draw(lb, sets["total"])
    low, high = sets["share"]
    twice = (others >= sets["least"]) & (excess >= low * others) & (excess <= high * others)
    message = "eosinophils and basophils seem to be counted in: granulocytes, not neutrophils? both ratios are shown"
    yield from hits(lb, neutrophils & (named | twice), variable="LBSTRESN", message=message)


def beside_draw(lb: Records, test: str) -> pd.Series:
    """Return the value of a test of the same participant and draw beside each record.

    Parameters
    ----------
    lb : Records
        LB.
    test : str
        LBTESTCD.

    Returns
    -------
    pandas.Series of float64
        NaN where the draw has no such test.

    Raises
    ------
    None
    """
    draws = lb.pairs("USUBJID", "LBDTC")
    mine = np.flatnonzero((lb.code("LBTESTCD") == test).to_numpy())[::-1]
    found = np.full(draws.max(initial=-1) + 1, np.nan)
    found[draws[mine]] = lb.number("LBSTRESN").to_numpy()[mine]
    return pd.Series(found[draws], index=lb.frame.index, dtype="float64")
