"""Finished analysis datasets, value by value: dates after death, grades, flags, laboratory ranges, responses, and what derives otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside, per_subject
from interim.data.check.finished import finished
from interim.data.check.records import Hit, Records, each, grouped, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words
from interim.data.spec import domain

_AE = ("T 14.3.1.1", "T 14.3.1.3")
_LB = ("T 14.3.4.1", "T 14.3.4.2")
_OS = ("T 14.2.3.2", "T 14.3.2.1")
_RS = ("T 14.2.2.1", "F 14.2.2.1")
_FATAL = 5
_OWN = frozenset({"STUDYID", "USUBJID", "DOMAIN", "SRCFILE", "SRCROW", "SRCDOM", "SRCSEQ", "SRCVAR"})
_ROUNDED = 0.51
_CLOSE = 1e-6


def of_participant(context: Context, records: Records, name: str) -> pd.Series:
    """Return a date of ADSL beside each record.

    Parameters
    ----------
    context : Context
        The delivered datasets.
    records : Records
        Any of them.
    name : str
        Date variable of ADSL.

    Returns
    -------
    pandas.Series of datetime64
        One per record; missing where ADSL has none.

    Raises
    ------
    None
    """
    adsl = context.records("ADSL")
    table = pd.DataFrame({"USUBJID": adsl.subjects(), "DAY": adsl.dates(name)["DT"]}).dropna()
    return beside(records, table.drop_duplicates("USUBJID").set_index("USUBJID")["DAY"])


@rule(
    "ADAM-PARAM",
    severity="info",
    needs={"ADSL": ("USUBJID",)},
    any_of=("ADRS", "ADTTE"),
    effect=("T 14.6.2",),
)
def _known_parameter(context: Context) -> Iterator[Hit]:
    """A parameter of ADRS or ADTTE is none that a table reads."""
    for name, known in words("terms")["finished"]["parameters"].items():
        records = context.records(name)
        for code in records.coded("PARAMCD")[1]:
            if code not in known:
                message = f"{code} is no parameter that a table reads; map it to one of them or leave it"
                yield Hit(name, None, message, "PARAMCD", ", ".join(known), value=code, key=(code,))


@rule("ADAM-POSTDTH", severity="stop", needs={"ADSL": ("DTHDT",)}, effect=_OS)
def _after_death(context: Context) -> Iterator[Hit]:
    """A value, measurement, response or event is dated after the death."""
    for name, dated in words("terms")["finished"]["dated"].items():
        records = context.records(name)
        late = records.dates(dated)["DT"] > of_participant(context, records, "DTHDT")
        message = "dated after ADSL.DTHDT; correct one of the two dates"
        yield from hits(records, late, variable=dated, message=message)


@rule("ADAM-DATES", severity="stop", needs={"ADSL": ("USUBJID",)}, effect=_OS)
def _order_of_dates(context: Context) -> Iterator[Hit]:
    """Two dates of a participant stand in the wrong order, or death is dated without its flag."""
    adsl = context.records("ADSL")
    for first, second in words("terms")["finished"]["order"]:
        wrong = adsl.dates(first)["DT"] > adsl.dates(second)["DT"]
        message = f"{second} lies before {first}; correct one of them"
        yield from hits(adsl, wrong, variable=second, expected=f"not before {first}", message=message)
    unflagged = adsl.given("DTHDT") & ~adsl.equal("DTHFL", "Y")
    message = "DTHDT is given but DTHFL is not Y; correct one of them"
    yield from hits(adsl, unflagged, variable="DTHFL", expected="Y", message=message)


@rule(
    "ADAM-GRADE", severity="stop", needs={"ADSL": ("USUBJID",)}, any_of=("ADAE", "ADLB"), effect=(*_AE, *_LB)
)
def _grade_range(context: Context) -> Iterator[Hit]:
    """A grade is outside its scale."""
    for name, scales in words("terms")["finished"]["grades"].items():
        records = context.records(name)
        for variable, (low, high) in scales.items():
            grade = records.number(variable)
            message = f"{variable} is outside its scale; correct it at the source"
            outside = (grade < low) | (grade > high)
            yield from hits(records, outside, variable=variable, expected=f"{low} to {high}", message=message)


@rule("ADAM-FATAL", severity="stop", needs={"ADAE": ("USUBJID",), "ADSL": ("DTHFL",)}, effect=(*_AE, *_OS))
def _fatal_event(context: Context) -> Iterator[Hit]:
    """Grade 5, outcome FATAL, AESDTH and the death flag of ADSL disagree."""
    adae, adsl = context.records("ADAE"), context.records("ADSL")
    said = [
        (variable, adae.equal(variable, value))
        for variable, value in (("AEOUT", "FATAL"), ("AESDTH", "Y"))
        if adae.has(variable)
    ]
    grade = adae.number("AETOXGRN")
    if adae.given("AETOXGRN").any():
        said.append(("AETOXGRN", grade == _FATAL))
    fatal = adae.none()
    for _, states in said:
        fatal |= states
    for variable, states in said:
        message = f"{variable} does not say that the event was fatal, another variable does; correct one"
        yield from hits(adae, fatal & ~states, variable=variable, message=message)
    dead = set(adsl.subjects()[adsl.equal("DTHFL", "Y")])
    message = "fatal event of a participant whose ADSL.DTHFL is not Y; correct one of them"
    yield from hits(adae, fatal & ~adae.subjects().isin(dead), variable="USUBJID", message=message)


@rule(
    "ADAM-TEAE",
    severity="warn",
    needs={"ADAE": ("ASTDT", "TRTEMFL"), "ADSL": ("TRTSDT", "TRTEDT")},
    effect=_AE,
)
def _emergence(context: Context) -> Iterator[Hit]:
    """An event starts in the time of the treatment but is not flagged, or is flagged after its end, as the study defines it."""
    adae, days = context.records("ADAE"), context.study.safety.teae_end_days
    start = adae.dates("ASTDT")["DT"]
    first, last = (of_participant(context, adae, name) for name in ("TRTSDT", "TRTEDT"))
    end = last + pd.Timedelta(days=0 if days == "none" else days)
    late = adae.none() if days == "none" else start > end
    within = (start > first) & ~late & last.notna()
    flagged = adae.equal("TRTEMFL", "Y")
    message = "derived otherwise: starts after the first treatment and in its window, but TRTEMFL is not Y"
    yield from hits(adae, within & ~flagged, variable="TRTEMFL", expected="Y", message=message)
    message = "derived otherwise: starts after the end of the window of the treatment, but TRTEMFL is Y"
    yield from hits(adae, late & flagged, variable="TRTEMFL", expected="not Y", message=message)


@rule("ADAM-DURATION", severity="warn", needs={"ADAE": ("ASTDT", "AENDT", "ADURN")}, effect=("L 16.2.7.1",))
def _duration(context: Context) -> Iterator[Hit]:
    """The duration of an event differs from its dates (end - start + 1 days)."""
    adae = context.records("ADAE")
    days = (adae.dates("AENDT")["DT"] - adae.dates("ASTDT")["DT"]).dt.days + 1
    in_days = adae.equal("ADURU", "DAYS", "DAY") if adae.has("ADURU") else ~adae.none()
    wrong = in_days & ((adae.number("ADURN") - days).abs() > _ROUNDED)
    expected = days.map(lambda d: "" if d != d else f"{d:.0f} days")
    message = "derived otherwise: ADURN is not AENDT - ASTDT + 1"
    yield from hits(adae, wrong, variable="ADURN", expected=expected, message=message)


@rule(
    "ADAM-AVALC",
    severity="stop",
    needs={"ADSL": ("USUBJID",)},
    any_of=("ADRS", "ADLB", "ADTR"),
    effect=(*_RS, *_LB),
)
def _text_and_number(context: Context) -> Iterator[Hit]:
    """AVAL and AVALC of one record are two different numbers, or a flag and its number disagree."""
    for records in finished(context):
        if not records.has("AVAL", "AVALC"):
            continue
        value, text = records.number("AVAL"), records.number("AVALC")
        differ = value.notna() & text.notna() & ((value - text).abs() > _CLOSE * text.abs().clip(lower=1.0))
        flag = records.equal("AVALC", "Y", "N") & value.isin([0.0, 1.0])
        differ |= flag & (records.equal("AVALC", "Y") != (value == 1))
        message = "AVAL and AVALC disagree; correct one of them"
        yield from hits(records, differ, variable="AVALC", message=message)


@rule("ADAM-BASE", severity="stop", needs={"ADLB": ("AVAL", "ABLFL"), "ADSL": ("USUBJID",)}, effect=_LB)
def _baseline(context: Context) -> Iterator[Hit]:
    """A laboratory parameter has two baselines, one that BASE does not repeat, or one drawn after the first treatment."""
    adlb = context.records("ADLB")
    flagged = adlb.equal("ABLFL", "Y")
    group = pd.Series(adlb.pairs("USUBJID", "PARAMCD", "BASETYPE"), index=adlb.frame.index)
    again = group.where(flagged).duplicated() & flagged
    message = "second baseline record of the parameter; keep one ABLFL"
    yield from hits(adlb, again, variable="ABLFL", message=message)
    if adlb.has("BASE"):
        off = flagged & ((adlb.number("AVAL") - adlb.number("BASE")).abs() > _CLOSE)
        yield from hits(adlb, off, variable="BASE", message="BASE is not the value of the baseline record")
    if context.records("ADSL").has("TRTSDT") and _one_base_type(adlb):
        late = flagged & (adlb.dates("ADT")["DT"] > of_participant(context, adlb, "TRTSDT"))
        message = "baseline drawn after the day of the first treatment; correct ABLFL or the date"
        yield from hits(adlb, late, variable="ABLFL", message=message)


def _one_base_type(adlb: Records) -> bool:
    """Tell whether the baseline is that of the first treatment; with several base types each has its own."""
    return len(adlb.coded("BASETYPE")[1]) <= 1


@rule("ADAM-LBRANGE", severity="warn", needs={"ADLB": ("AVAL", "ANRLO", "ANRHI")}, effect=_LB)
def _range(context: Context) -> Iterator[Hit]:
    """A range of normal is reversed, or ANRIND is not what value and range say."""
    adlb = context.records("ADLB")
    value, low, high = (adlb.number(name) for name in ("AVAL", "ANRLO", "ANRHI"))
    reversed_ = low >= high
    message = "ANRLO is not below ANRHI; correct the range"
    yield from hits(adlb, reversed_, variable="ANRHI", message=message)
    sets, place = words("terms")["finished"]["indicator"], np.full(len(adlb), "", dtype=object)
    known = value.notna() & low.notna() & high.notna() & ~reversed_ & adlb.given("ANRIND")
    for name, hit in (("normal", ~reversed_), ("low", value < low), ("high", value > high)):
        place[hit.to_numpy(dtype=bool)] = name
    said = pd.Series(place, index=value.index)
    wrong = adlb.none()
    for name, codes in sets.items():
        wrong |= (said == name) & ~adlb.equal("ANRIND", *codes)
    message = "derived otherwise: ANRIND is not what AVAL, ANRLO and ANRHI say"
    yield from hits(adlb, wrong & known, variable="ANRIND", expected=said, message=message)


@rule("ADAM-ONTRT", severity="stop", needs={"ADLB": ("ADT", "ONTRTFL"), "ADSL": ("TRTSDT",)}, effect=_LB)
def _on_treatment(context: Context) -> Iterator[Hit]:
    """A laboratory value is flagged as on treatment although it was drawn before the first treatment."""
    adlb = context.records("ADLB")
    early = adlb.equal("ONTRTFL", "Y") & (adlb.dates("ADT")["DT"] < of_participant(context, adlb, "TRTSDT"))
    message = "on treatment, but drawn before the first treatment; correct flag or date"
    yield from hits(adlb, early, variable="ONTRTFL", message=message)


@rule("ADAM-LBCHG", severity="stop", needs={"ADLB": ("AVAL", "BASE")}, effect=_LB)
def _laboratory_change(context: Context) -> Iterator[Hit]:
    """A change of a laboratory value differs from its value and its baseline."""
    adlb = context.records("ADLB")
    value, base = adlb.number("AVAL"), adlb.number("BASE")
    for name, right in (("CHG", value - base), ("PCHG", ((value - base) / base * 100).where(base != 0))):
        stated = adlb.number(name)
        wrong = (stated - right).abs() > _CLOSE * right.abs().clip(lower=1.0)
        expected = right.map(lambda x: "" if x != x else f"{x:.6g}")
        message = f"{name} does not follow from AVAL and BASE; correct one of them"
        yield from hits(adlb, wrong, variable=name, expected=expected, message=message)


@rule(
    "ADAM-OSDATE",
    severity="warn",
    needs={"ADTTE": ("PARAMCD", "ADT", "CNSR"), "ADSL": ("DTHDT",)},
    effect=_OS,
)
def _date_of_survival(context: Context) -> Iterator[Hit]:
    """The event of overall survival has another date than the death in ADSL."""
    adtte = context.records("ADTTE")
    died = adtte.equal("PARAMCD", "OS") & (adtte.number("CNSR") == 0)
    day, death = adtte.dates("ADT")["DT"], of_participant(context, adtte, "DTHDT")
    wrong = died & day.notna() & death.notna() & (day != death)
    message = "derived otherwise: the event of OS is not dated as ADSL.DTHDT"
    yield from hits(adtte, wrong, variable="ADT", expected=death.dt.strftime("%Y-%m-%d"), message=message)


@rule("ADAM-BEST", severity="warn", needs={"ADRS": ("PARAMCD", "AVALC", "PARCAT2")}, effect=_RS)
def _best_of_time_points(context: Context) -> Iterator[Hit]:
    """The best response is better than every response at a time point by the same evaluator."""
    adrs, ranks = context.records("ADRS"), words("terms")["finished"]["best"]
    value = adrs.code("AVALC").map(ranks).astype("float64")
    who = pd.Series(adrs.pairs("USUBJID", "PARCAT2"), index=value.index)
    points = adrs.equal("PARAMCD", "OVR")
    table = pd.DataFrame({"USUBJID": who, "RANK": value})[points].dropna()
    best = who.map(per_subject(table, "RANK", "max"))
    wrong = adrs.equal("PARAMCD", "BOR", "CBOR") & (value > best)
    message = (
        "derived otherwise: better than every overall response (OVR) of the participant by this evaluator"
    )
    yield from hits(adrs, wrong, variable="AVALC", message=message)


@rule("ADAM-NADIR", severity="warn", needs={"ADTR": ("PARAMCD", "ADT", "AVAL", "NADIR")}, effect=_RS)
def _smallest_sum(context: Context) -> Iterator[Hit]:
    """NADIR of a sum is not the smallest earlier sum of the same participant and evaluator, baseline included."""
    adtr = context.records("ADTR")
    sums = adtr.equal("PARAMCD", "SDIAM") & adtr.given("ADT")
    table = pd.DataFrame(
        {
            "PLACE": np.arange(len(adtr)),
            "GROUP": grouped(adtr.pairs("USUBJID", "PARCAT2")),
            "DAY": adtr.dates("ADT")["DT"],
            "AVAL": adtr.number("AVAL"),
            "NADIR": adtr.number("NADIR"),
        }
    )[sums].dropna(subset=["DAY"])
    table = table.sort_values(["GROUP", "DAY", "PLACE"], kind="stable")
    before = table.groupby("GROUP")["AVAL"].transform(lambda sums: sums.shift().cummin().ffill())
    wrong = table.assign(RIGHT=before)[(table["NADIR"] - before).abs() > _CLOSE]
    for row in each(wrong):
        message = "derived otherwise: NADIR is not the smallest sum before this assessment"
        yield Hit("ADTR", int(row.PLACE), message, "NADIR", f"{row.RIGHT:g}")


@rule("ADAM-REPEAT", severity="warn", needs={"ADSL": ("USUBJID",)}, effect=("T 14.1.1.2",))
def _repeated_variable(context: Context) -> Iterator[Hit]:
    """A variable of ADSL that another dataset repeats has another value there; that of ADSL is used."""
    adsl = context.records("ADSL")
    for records in finished(context):
        if records.name == "ADSL":
            continue
        known = domain(records.name)
        own = _OWN if known is None else _OWN | set(known.variables)
        for name in sorted(set(adsl.frame.columns) & set(records.frame.columns) - own):
            table = pd.DataFrame({"USUBJID": adsl.subjects(), "CODE": adsl.code(name)})
            table = table.dropna(subset=["USUBJID"]).drop_duplicates("USUBJID").set_index("USUBJID")
            right, mine = beside(records, table["CODE"]), records.code(name)
            differ = mine.notna() & (mine != right.fillna("")) & records.subjects().isin(set(table.index))
            again = (
                differ & ~pd.Series(records.pairs("USUBJID"), index=differ.index).where(differ).duplicated()
            )
            message = f"{name} is not that of ADSL, which is used; correct one of them"
            yield from hits(records, again, variable=name, expected=right, message=message)
