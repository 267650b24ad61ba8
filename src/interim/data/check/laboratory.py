"""Laboratory: results, units, ranges, limits of quantification, baseline, repeats, blood counts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, Records, grouped, hits, hits_per
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_TEST = ("LBTESTCD",)
_LB = ("LBTESTCD", "LBORRES")
_VALUES = ("T 14.3.4.1", "T 14.3.4.2")


def _result(lb: Records) -> pd.Series:
    """Tell the records with a result."""
    return lb.given("LBORRES") & ~lb.equal("LBSTAT", "NOT DONE")


def _signed(lb: Records) -> pd.Series:
    return lb.matching("LBORRES", r"[<>≤≥]")


@rule("LB-STRES", severity="warn", needs={"LB": (*_LB, "LBSTRESN")}, effect=_VALUES)
def _standard_value(context: Context) -> Iterator[Hit]:
    """A result has no numeric standard value."""
    lb = context.records("LB")
    words_ = words("laboratory")["blq_words"]
    absent = _result(lb) & lb.number("LBSTRESN").isna() & ~_signed(lb) & ~lb.equal("LBORRES", *words_)
    message = "result without numeric standard value: not analysed as a number"
    yield from hits_per(lb, absent, by=_TEST, variable="LBORRES", message=message)


@rule("LB-UNIT", severity="warn", needs={"LB": (*_LB, "LBORRESU")}, effect=_VALUES)
def _unit_given(context: Context) -> Iterator[Hit]:
    """A numeric result of a test that has a unit carries none."""
    lb = context.records("LB")
    bare = lb.equal("LBTESTCD", *words("laboratory")["no_unit"])
    absent = _result(lb) & lb.number("LBORRES").notna() & ~lb.given("LBORRESU") & ~bare
    if absent.sum() > 1 and not lb.given("LBORRESU").any():
        message = f"no result carries a unit: not graded; deliver the units ({absent.sum()} records)"
        yield Hit("LB", None, message, "LBORRESU", key=())
        return
    yield from hits_per(
        lb, absent, by=_TEST, variable="LBORRESU", message="unit missing: not graded; complete it"
    )


@rule("LB-SIGN", severity="warn", needs={"LB": _LB}, effect=_VALUES)
def _sign_declared(context: Context) -> Iterator[Hit]:
    """A result carries < or > and the test has no rule for it."""
    lb = context.records("LB")
    declared = lb.equal("LBTESTCD", *words("laboratory")["declared"])
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
    free = lb.equal("LBTESTCD", *words("laboratory")["no_range"])
    low, high = lb.number("LBSTNRLO"), lb.number("LBSTNRHI")
    no_high = _result(lb) & high.isna() & (~free | _of_tests_with(lb, high))
    no_low = _result(lb) & low.isna() & high.notna() & _of_tests_with(lb, low)
    message = "limit of normal missing: no multiple of ULN, no grade; ask the laboratory"
    yield from hits_per(lb, no_high, by=_TEST, variable="LBSTNRHI", message=message)
    yield from hits_per(lb, no_low, by=_TEST, variable="LBSTNRLO", message=message)


def _of_tests_with(lb: Records, limit: pd.Series) -> pd.Series:
    """Tell the records of the tests of which some record has a limit."""
    places, tests = lb.coded("LBTESTCD")
    found = np.zeros(len(tests) + 1, dtype=bool)
    found[places[limit.notna().to_numpy()]] = True
    return pd.Series(found[places], index=limit.index)


@rule(
    "LB-UNIT-DIST",
    severity="stop",
    needs={"LB": ("LBTESTCD", "LBSTRESN", "LBSTRESU")},
    effect=("T 14.3.1.12", "F 14.3.4.1"),
)
def _unit_mixed_up(context: Context) -> Iterator[Hit]:
    """A value is impossible in its unit but possible in another usual one."""
    lb = context.records("LB")
    value = lb.number("LBSTRESN")
    for row in words("laboratory")["mix"]:
        low, high, factor = row["low"], row["high"], row["factor"]
        here = lb.equal("LBTESTCD", row["test"]) & lb.equal("LBSTRESU", row["unit"])
        mine = value[here]
        below = (mine > 0) & (mine < low) & (mine * factor).between(low, high)
        above = (mine > high) & (mine / factor).between(low, high)
        here[here] = (below | above).to_numpy()
        message = f"impossible in this unit, possible after a factor of {factor:g}: value and unit mixed up?"
        expected = f"{low:g} to {high:g} {row['unit'].lower()}"
        yield from hits(lb, here, variable="LBSTRESN", expected=expected, message=message)


@rule("LB-BLQ", severity="warn", needs={"LB": _LB}, effect=("T 14.4.2.1",))
def _one_blq_form(context: Context) -> Iterator[Hit]:
    """Results below the limit of quantification of one test are written in several ways."""
    lb = context.records("LB")
    declared = lb.equal("LBTESTCD", *words("laboratory")["declared"])
    zero = (lb.number("LBORRES") == 0) & declared
    word = lb.equal("LBORRES", *words("laboratory")["blq_words"]) & ~zero
    sign = lb.matching("LBORRES", r"<\s*[\d.]") & ~word & ~zero
    places, tests = lb.coded("LBTESTCD")
    forms = np.zeros(len(tests) + 1, dtype=int)
    for form in (zero, word, sign):
        forms += np.isin(np.arange(len(tests) + 1), np.unique(places[form.to_numpy()]))
    forms[-1] = 0
    many = pd.Series(forms[places] > 1, index=lb.frame.index)
    message = (
        "below the limit of quantification, written otherwise than in other records; write < and the limit"
    )
    yield from hits(
        lb,
        many & (word | zero),
        variable="LBORRES",
        expected="< and the limit",
        message=message,
    )


@rule("LB-ULOQ", severity="info", needs={"LB": _LB}, effect=("T 14.4.3.2",))
def _upper_limit(context: Context) -> Iterator[Hit]:
    """A value equals the upper limit of quantification without its sign."""
    lb = context.records("LB")
    above = lb.matching("LBORRES", r">\s*[\d.]")
    limit = lb.number("LBULOQ").fillna(_highest_limit(lb, above))
    lost = ~above & (lb.number("LBORRES") == limit)
    message = (
        "equals the upper limit of quantification: was a > lost? no change from baseline is computed from it"
    )
    yield from hits(lb, lost & _result(lb), variable="LBORRES", expected="> and the limit", message=message)


def _highest_limit(lb: Records, above: pd.Series) -> pd.Series:
    """Return the highest upper limit of quantification of the test that a record with > shows, else the declared one."""
    places, tests = lb.coded("LBTESTCD")
    limits = pd.to_numeric(lb.code("LBORRES")[above].str.lstrip("> "), errors="coerce")
    shown = limits.groupby(places[above.to_numpy()]).max()
    declared = words("laboratory")["uloq"]
    stated = pd.Series([*(declared.get(test) for test in tests), None], dtype="float64")
    known = shown[shown.index >= 0].reindex(stated.index).fillna(stated)
    return pd.Series(known.to_numpy()[places], index=lb.frame.index)


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
    labelled = lb.equal("LBBLFL", "Y")
    late = labelled & (drawn["DTM"].fillna(drawn["FIRST"]) > first)
    predose = lb.matching("LBTPT", ".*PRE-?DOSE")
    unsure = (
        labelled
        & drawn["DTM"].isna()
        & (drawn["DT"] == first.dt.normalize())
        & (first > first.dt.normalize())
    )
    unsure &= ~predose
    day_dose = _dose_of_day(context, lb, predose)
    after = predose & (drawn["DTM"] > day_dose)
    message = "labelled as before the dose but not surely drawn before it; the earlier value is used"
    yield from hits(
        lb, late | unsure | after, variable="LBDTC", expected="before the infusion", message=message
    )


def _dose_of_day(context: Context, lb: Records, where: pd.Series) -> pd.Series:
    """Return the first infusion on the day of each sample that meets a condition."""
    doses = context.infusions.dropna(subset=["DTM"])
    table = doses.assign(DAY=doses["DT"]).groupby(["USUBJID", "DAY"])["DTM"].min()
    found = np.full(len(lb), np.datetime64("NaT", "ns"))
    keys = pd.MultiIndex.from_arrays([lb.subjects()[where].fillna(""), lb.dates("LBDTC")["DT"][where]])
    found[where.to_numpy(dtype=bool)] = table.reindex(keys).to_numpy()
    return pd.Series(found, index=lb.frame.index)


@rule("LB-MULTI", severity="info", needs={"LB": (*_LB, "LBDTC")}, effect=("T 14.3.4.1",))
def _repeated_sample(context: Context) -> Iterator[Hit]:
    """One test has several results at one visit and day."""
    lb = context.records("LB")
    names = ("LBTESTCD", "LBCAT", "LBSPEC", "LBMETHOD", "VISITNUM", "LBTPT", "LBFAST")
    who, day = lb.coded("USUBJID", kind="normal")[0], lb.dates("LBDTC")["DT"]
    again = _result(lb) & day.notna() & (who >= 0)
    days = day[again].to_numpy().astype("datetime64[D]").astype(np.int64)
    days -= days.min(initial=0)
    parts = [lb.identity(name)[again.to_numpy()] for name in names]
    again[again] = pd.Series(grouped(who[again.to_numpy()], days, *parts)).duplicated().to_numpy()
    message = "second result of the test at this visit: the last valid one is used"
    yield from hits(lb, again, variable="LBORRES", message=message)


@rule("LB-NLR-RANGE", severity="warn", needs={"LB": ("LBTESTCD", "LBSTRESN")}, effect=("T 14.2.4.7",))
def _counts_in_range(context: Context) -> Iterator[Hit]:
    """A neutrophil or lymphocyte count looks like a percentage."""
    lb, sets = context.records("LB"), words("laboratory")["blood_count"]
    value = lb.number("LBSTRESN")
    count = lb.equal("LBTESTCD", sets["neutrophils"], sets["lymphocytes"])
    total = beside_draw(lb, sets["total"])
    percent = lb.equal("LBSTRESU", "%") | (~lb.given("LBSTRESU") & lb.equal("LBORRESU", "%"))
    odd = (value > sets["highest"]) | (value > total * sets["tolerance"]) | percent
    message = "count above the total of leukocytes or in %: NLR and GLR are wrong; give 10^9/L"
    yield from hits(lb, count & odd, variable="LBSTRESN", expected="10^9/L", message=message)


@rule("LB-GLR", severity="info", needs={"LB": ("LBTESTCD", "LBSTRESN")}, effect=("T 14.2.4.7",))
def _granulocytes(context: Context) -> Iterator[Hit]:
    """Granulocytes seem to be recorded as neutrophils."""
    lb, sets = context.records("LB"), words("laboratory")["blood_count"]
    neutrophils = lb.equal("LBTESTCD", sets["neutrophils"])
    mislabel = re.compile(sets["mislabel"])
    named = lb.text("LBTEST").isin([text for text in lb.distinct("LBTEST") if mislabel.search(text)])
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
    mine = np.flatnonzero(lb.equal("LBTESTCD", test).to_numpy())[::-1]
    found = np.full(draws.max(initial=-1) + 1, np.nan)
    found[draws[mine]] = lb.number("LBSTRESN").to_numpy()[mine]
    return pd.Series(found[draws], index=lb.frame.index, dtype="float64")
