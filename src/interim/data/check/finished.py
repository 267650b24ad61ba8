"""Finished analysis datasets: participants, times, deaths, responses and columns of the tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.records import Hit, Records, hits
from interim.data.check.registry import rule
from interim.data.spec import domain, domain_names

_ALL = ("T 14.1.1.2", "T 14.2.2.1", "T 14.2.3.1", "T 14.2.3.2")
_TIMES = ("T 14.2.3.1", "T 14.2.3.2")
_RESPONSE = ("T 14.2.2.1",)
_WITHIN = (
    ("SAFNKFL", "ENRLFL"),
    ("SAFFL", "ENRLFL"),
    ("SAFCTFL", "ENRLFL"),
    ("FASFL", "ENRLFL"),
    ("RESFL", "FASFL"),
)
_IN_COLUMNS = ("SAFFL", "SAFNKFL", "SAFCTFL", "FASFL", "RESFL")
_RESPONDED = ("CR", "PR")
_TOLERANCE_DAYS = 0.51
_ROUNDED = 0.51


def finished(context: Context) -> tuple[Records, ...]:
    """Return the finished analysis datasets that were delivered.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    tuple of Records
        In the order of the specification.

    Raises
    ------
    None
    """
    return context.delivered(*domain_names("adam"))


@rule("ADAM-SUBJECT", severity="stop", needs={"ADSL": ("USUBJID",)}, effect=_ALL)
def _known_subject(context: Context) -> Iterator[Hit]:
    """A record of an analysis dataset belongs to a participant who is not in ADSL."""
    known = set(context.records("ADSL").subjects().dropna())
    for records in finished(context):
        who = records.subjects()
        message = "no such participant in ADSL; correct the identifier or deliver the participant"
        yield from hits(
            records,
            who.notna() & ~who.isin(known),
            variable="USUBJID",
            expected="a USUBJID of ADSL",
            message=message,
        )


@rule("ADAM-SETS", severity="stop", needs={"ADSL": ("USUBJID",)}, effect=_ALL)
def _nested_sets(context: Context) -> Iterator[Hit]:
    """A participant is in an analysis set but not in the set that must hold it."""
    adsl = context.records("ADSL")
    for inner, outer in _WITHIN:
        if adsl.has(inner, outer):
            wrong = (adsl.code(inner) == "Y") & (adsl.code(outer) != "Y")
            message = f"{inner} is Y but {outer} is not; every member of the one belongs to the other"
            yield from hits(adsl, wrong, variable=inner, expected=f"{outer} = Y", message=message)


@rule("ADAM-COHORT", severity="stop", needs={"ADSL": ("USUBJID",)}, effect=_ALL)
def _cohort(context: Context) -> Iterator[Hit]:
    """ADSL lacks the column behind the columns of the tables, or a member of an analysis set has no value in it."""
    adsl = context.records("ADSL")
    name = context.study.cohort.variable or "COHORT"
    if not adsl.has(name):
        message = f"ADSL has no {name}; deliver it, or name another column as cohort.variable"
        yield Hit("ADSL", None, message, name, "a column of ADSL")
        return
    member = adsl.none()
    for flag in _IN_COLUMNS:
        member |= adsl.equal(flag, "Y")
    blank = ~adsl.given(name) & adsl.equal("ENRLFL", "Y") & member
    message = f"in an analysis set, but without {name}; complete it at the source"
    yield from hits(adsl, blank, variable=name, message=message)


@rule("ADAM-DATE", severity="stop", needs={"ADSL": ("USUBJID",)}, effect=_ALL)
def _whole_date(context: Context) -> Iterator[Hit]:
    """A date of an analysis dataset is partial."""
    for records in finished(context):
        known = domain(records.name)
        for name in [] if known is None else [v.name for v in known.variables.values() if v.kind == "dtc"]:
            if records.has(name):
                dates = records.dates(name)
                partial = dates["VALID"] & dates["DT"].isna() & records.code(name).notna()
                message = "an analysis date must be complete; impute it at the source by the rule of the analysis plan"
                yield from hits(records, partial, variable=name, expected="YYYY-MM-DD", message=message)


@rule("ADAM-CNSR", severity="stop", needs={"ADTTE": ("PARAMCD", "AVAL", "CNSR")}, effect=_TIMES)
def _censoring(context: Context) -> Iterator[Hit]:
    """A time is missing or negative, or CNSR is no whole number from 0."""
    adtte = context.records("ADTTE")
    time, censored = adtte.number("AVAL"), adtte.number("CNSR")
    wrong = censored.notna() & ((censored < 0) | (censored % 1 != 0))
    yield from hits(
        adtte,
        wrong,
        variable="CNSR",
        expected="0 for an event, 1, 2 ... for a censoring",
        message="no code of censoring",
    )
    yield from hits(
        adtte, time < 0, variable="AVAL", expected="0 or more", message="a time cannot be negative"
    )


@rule("ADAM-UNIT", severity="stop", needs={"ADTTE": ("AVALU",)}, effect=_TIMES)
def _unit_of_time(context: Context) -> Iterator[Hit]:
    """A time is in none of the units that can be converted into days."""
    adtte = context.records("ADTTE")
    unit = adtte.code("AVALU")
    message = "the unit of a time must be known; state it in AVALU"
    yield from hits(
        adtte,
        unit.notna() & (unit != "DAYS"),
        variable="AVALU",
        expected="DAYS, WEEKS, MONTHS or YEARS",
        message=message,
    )


@rule("ADAM-TIME", severity="stop", needs={"ADTTE": ("STARTDT", "ADT", "AVAL", "AVALU")}, effect=_TIMES)
def _time_and_dates(context: Context) -> Iterator[Hit]:
    """A time differs from its two dates (end - start + 1 days)."""
    adtte = context.records("ADTTE")
    days = (adtte.dates("ADT")["DT"] - adtte.dates("STARTDT")["DT"]).dt.days + 1
    known = (adtte.code("AVALU") == "DAYS") & days.notna()
    wrong = known & ((adtte.number("AVAL") - days).abs() > _TOLERANCE_DAYS)
    expected = days.map(lambda d: "" if d != d else f"{d:.0f} days")
    message = "AVAL is not ADT - STARTDT + 1; correct the time or the dates"
    yield from hits(adtte, wrong, variable="AVAL", expected=expected, message=message)


@rule("ADAM-DEATH", severity="stop", needs={"ADSL": ("DTHFL",), "ADTTE": ("PARAMCD", "CNSR")}, effect=_TIMES)
def _death(context: Context) -> Iterator[Hit]:
    """Overall survival and the death flag of ADSL disagree."""
    adsl, adtte = context.records("ADSL"), context.records("ADTTE")
    table = pd.DataFrame({"USUBJID": adsl.subjects(), "FLAG": adsl.code("DTHFL")}).dropna(subset=["USUBJID"])
    flag = beside(adtte, table.drop_duplicates("USUBJID").set_index("USUBJID")["FLAG"])
    event, censored = adtte.number("CNSR") == 0, adtte.number("CNSR") > 0
    wrong = (adtte.code("PARAMCD") == "OS") & ((event & (flag != "Y")) | (censored & (flag == "Y")))
    message = "ADSL.DTHFL and the censoring of overall survival disagree; correct one of them"
    yield from hits(adtte, wrong, variable="CNSR", message=message)


@rule("ADAM-ORDER", severity="stop", needs={"ADTTE": ("PARAMCD", "AVAL")}, effect=_TIMES)
def _progression_before_death(context: Context) -> Iterator[Hit]:
    """Progression-free survival ends after overall survival."""
    adtte = context.records("ADTTE")
    table = pd.DataFrame({"USUBJID": adtte.subjects(), "AVAL": adtte.number("AVAL")})[
        adtte.code("PARAMCD") == "OS"
    ]
    survival = beside(adtte, table.dropna().drop_duplicates("USUBJID").set_index("USUBJID")["AVAL"])
    late = (adtte.code("PARAMCD") == "PFS") & (adtte.number("AVAL") > survival + _TOLERANCE_DAYS)
    yield from hits(adtte, late, variable="AVAL", message="PFS is longer than OS; correct one of the times")


@rule("ADAM-RESP", severity="stop", needs={"ADRS": ("PARAMCD", "AVALC", "PARCAT2")}, effect=_RESPONSE)
def _response(context: Context) -> Iterator[Hit]:
    """The response that the study reports is not in ADRS, or a response flag and the best response disagree."""
    adrs = context.records("ADRS")
    chosen = adrs.code("PARCAT2") == context.study.response.evaluator
    prefix = "C" if context.study.response.confirmation_required else ""
    if not (chosen & adrs.code("PARAMCD").isin([f"{prefix}RSP", f"{prefix}BOR"])).any():
        message = (
            f"ADRS has neither {prefix}BOR nor {prefix}RSP by {context.study.response.evaluator}; deliver one of them, or set "
            "response.confirmation_required and response.evaluator to what was assessed"
        )
        yield Hit("ADRS", None, message, "PARAMCD", f"{prefix}BOR or {prefix}RSP")
    for best, flag in (("BOR", "RSP"), ("CBOR", "CRSP")):
        yield from _disagree(adrs, chosen, best, flag)


@rule("ADAM-CHANGE", severity="stop", needs={"ADTR": ("AVAL", "BASE")}, effect=("F 14.2.2.1", "T 14.2.2.4"))
def _change(context: Context) -> Iterator[Hit]:
    """A change from baseline differs from its value and its baseline."""
    adtr = context.records("ADTR")
    value, base = adtr.number("AVAL"), adtr.number("BASE")
    change = value - base
    for name, right in (("CHG", change), ("PCHG", (change / base * 100).where(base > 0))):
        stated = adtr.number(name)
        wrong = stated.notna() & right.notna() & ((stated - right).abs() > _ROUNDED)
        expected = right.map(lambda x: "" if x != x else f"{x:.2f}")
        message = f"{name} does not follow from AVAL and BASE; correct one of them"
        yield from hits(adtr, wrong, variable=name, expected=expected, message=message)


@rule(
    "ADAM-EVENT",
    severity="stop",
    needs={"ADAE": ("ASTDT",), "ADSL": ("TRTSDT",)},
    effect=("T 14.3.1.1", "T 14.3.1.2"),
)
def _event(context: Context) -> Iterator[Hit]:
    """An event ends before it starts, or is treatment-emergent although it starts before the treatment."""
    adae, adsl = context.records("ADAE"), context.records("ADSL")
    start, end = adae.dates("ASTDT")["DT"], adae.dates("AENDT")["DT"]
    yield from hits(adae, end < start, variable="AENDT", message="end before start; correct one of the two")
    table = pd.DataFrame({"USUBJID": adsl.subjects(), "DAY": adsl.dates("TRTSDT")["DT"]}).dropna()
    first = beside(adae, table.drop_duplicates("USUBJID").set_index("USUBJID")["DAY"])
    early = (adae.code("TRTEMFL") == "Y") & (start < first)
    message = "treatment-emergent, but it starts before the first treatment; correct flag or date"
    yield from hits(adae, early, variable="TRTEMFL", message=message)


def _disagree(adrs: Records, chosen: pd.Series, best: str, flag: str) -> Iterator[Hit]:
    table = pd.DataFrame({"USUBJID": adrs.subjects(), "AVALC": adrs.code("AVALC")})
    rows = table[chosen & (adrs.code("PARAMCD") == best)].dropna().drop_duplicates("USUBJID")
    value = beside(adrs, rows.set_index("USUBJID")["AVALC"])
    mine = chosen & (adrs.code("PARAMCD") == flag) & value.notna()
    wrong = mine & ((adrs.code("AVALC") == "Y") != value.isin(_RESPONDED))
    yield from hits(adrs, wrong, variable="AVALC", message=f"{flag} and {best} disagree; correct one of them")
