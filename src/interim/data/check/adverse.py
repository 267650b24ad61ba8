"""Adverse events: grade, outcome, dates, causality, coding, duplicates, cytokine release syndrome."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.dates import surely_before
from interim.data.check.keys import content
from interim.data.check.records import Hit, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_AE = ("T 14.3.1.1", "T 14.3.1.2")
_FATAL_GRADE = 5
_FAR = pd.Timestamp("2199-12-31")
_PRESSOR_GRADE = 3


@rule("AE-DUP", severity="warn", needs={"AE": ("AETERM",)}, effect=_AE)
def _duplicate_event(context: Context) -> Iterator[Hit]:
    """An adverse event is recorded twice."""
    ae = context.records("AE")
    message = "exact duplicate of an earlier record; one is kept, remove the other at the source"
    yield from hits(ae, content(ae).duplicated(), variable="AETERM", message=message)


@rule("AE-GRADE", severity="warn", needs={"AE": ("AETOXGR",)}, effect=("T 14.3.1.1", "T 14.3.1.3"))
def _graded(context: Context) -> Iterator[Hit]:
    """An adverse event has no grade."""
    ae = context.records("AE")
    message = "grade missing: the event counts in any grade, never in grade >= 3; complete it"
    yield from hits(ae, ae.code("AETOXGR").isna(), variable="AETOXGR", expected="1 to 5", message=message)


@rule("AE-ORDER", severity="stop", needs={"AE": ("AESTDTC", "AEENDTC")}, effect=_AE)
def _event_order(context: Context) -> Iterator[Hit]:
    """An adverse event ends before it starts."""
    ae = context.records("AE")
    wrong = surely_before(ae.dates("AEENDTC"), ae.dates("AESTDTC"))
    yield from hits(ae, wrong, variable="AEENDTC", message="end before start; correct one of the two dates")


@rule("AE-OUTEND", severity="warn", needs={"AE": ("AEOUT", "AEENDTC")}, effect=("L 16.2.7.1",))
def _outcome_and_end(context: Context) -> Iterator[Hit]:
    """An event is resolved without end date, or has an end date although it is not resolved."""
    ae, sets = context.records("AE"), words("terms")["outcome"]
    out, ended = ae.code("AEOUT"), ae.code("AEENDTC").notna()
    message = "resolved without end date; complete the date or correct the outcome"
    yield from hits(ae, out.isin(sets["resolved"]) & ~ended, variable="AEENDTC", message=message)
    message = "end date although the event is not resolved; correct one of the two"
    yield from hits(ae, out.isin(sets["unresolved"]) & ended, variable="AEOUT", message=message)


@rule("AE-G5", severity="stop", needs={"AE": ("AETOXGR", "AEOUT")}, effect=("T 14.3.2.1", *_AE))
def _fatal_grade(context: Context) -> Iterator[Hit]:
    """An event of grade 5 has an outcome other than FATAL."""
    ae = context.records("AE")
    wrong = (ae.number("AETOXGR") == _FATAL_GRADE) & ~ae.code("AEOUT").isin(words("terms")["death"]["fatal"])
    yield from hits(
        ae, wrong, variable="AEOUT", expected="FATAL", message="grade 5 with another outcome; correct one"
    )


@rule("AE-FATAL", severity="stop", needs={"AE": ("AEOUT",)}, effect=("T 14.3.2.1", "T 14.2.3.2"))
def _fatal_event(context: Context) -> Iterator[Hit]:
    """Outcome FATAL, AESDTH, AEDTHDTC and grade 5 of one event disagree."""
    ae = context.records("AE")
    fatal = ae.code("AEOUT").isin(words("terms")["death"]["fatal"])
    grade = ae.number("AETOXGR")
    pairs = (
        ("AETOXGR", "5", fatal & grade.notna() & (grade != _FATAL_GRADE)),
        ("AESDTH", "Y", fatal & ae.has("AESDTH") & (ae.code("AESDTH") != "Y")),
        ("AEOUT", "FATAL", ~fatal & (ae.code("AESDTH") == "Y")),
        ("AEOUT", "FATAL", ~fatal & (ae.code("AESDTH") != "Y") & ae.code("AEDTHDTC").notna()),
    )
    for variable, expected, where in pairs:
        message = f"the facts about a fatal event disagree: expected {variable} {expected}; correct them"
        yield from hits(ae, where, variable=variable, expected=expected, message=message)


@rule("AE-POSTDTH", severity="stop", needs={"AE": ("AESTDTC",), "DM": ("DTHDTC",)}, effect=_AE)
def _event_after_death(context: Context) -> Iterator[Hit]:
    """An adverse event starts after the death."""
    ae = context.records("AE")
    late = ae.dates("AESTDTC")["FIRST"] > beside(ae, context.death_day)
    yield from hits(
        ae, late, variable="AESTDTC", message="start after the date of death; correct one of the two"
    )


@rule("AE-RELMISS", severity="warn", needs={"AE": ("AEREL",)}, effect=("T 14.3.1.4", "T 14.2.1.1"))
def _causality(context: Context) -> Iterator[Hit]:
    """An adverse event has no causality."""
    ae = context.records("AE")
    serious = ae.code("AESER") == "Y"
    message = pd.Series("causality missing; complete it", index=serious.index, dtype=object)
    message = message.where(
        ~serious, "causality of a serious event missing: it counts as related; complete it"
    )
    yield from hits(ae, ae.code("AEREL").isna(), variable="AEREL", message=message)


@rule("AE-CODE", severity="warn", needs={"AE": ("AEDECOD",)}, effect=("T 14.3.1.2",))
def _coded(context: Context) -> Iterator[Hit]:
    """An adverse event is not coded."""
    ae = context.records("AE")
    message = "term not coded: shown as not coded; code it"
    yield from hits(ae, ae.code("AEDECOD").isna(), variable="AEDECOD", message=message)


@rule(
    "AE-PARTIAL",
    severity="warn",
    needs={"AE": ("AESTDTC",), "EX": ("EXTRT", "EXSTDTC")},
    effect=("T 14.2.1.1", "T 14.3.1.1"),
)
def _partial_onset(context: Context) -> Iterator[Hit]:
    """The possible days of a partial onset lie on both sides of a dose or of the end of the DLT window."""
    ae = context.records("AE")
    dates = ae.dates("AESTDTC")
    last = dates["LAST"].where(~(ae.dates("AEENDTC")["LAST"] < dates["LAST"]), ae.dates("AEENDTC")["LAST"])
    partial = dates["PRECISION"].isin(["Y", "M"])
    unsure = ae.none()
    for border in _borders(context):
        day = beside(ae, border)
        unsure |= (dates["FIRST"] < day) & (day <= last)
    message = "partial onset: emergence, phase or DLT window are undecided and the worst case is used; complete the date"
    yield from hits(ae, partial & unsure, variable="AESTDTC", message=message)


def _borders(context: Context) -> list[pd.Series]:
    """Return the first days of each phase and the first day after the DLT window, by USUBJID."""
    table, dose = context.infusions, context.study.dose
    days = table.assign(DAY=table["START"].dt.normalize(), CYCLE=table["CYCLE"].fillna(1))
    by = {key: rows.groupby("USUBJID")["DAY"] for key, rows in days.groupby(["ROLE", "CYCLE"])}
    borders = [days.groupby("USUBJID")["DAY"].min()]
    borders += [by[key].min() for key in (("t", 1), ("t", 2)) if key in by]
    anchor = ("t", 2) if dose.window_anchor == "c2_last_infusion" else ("t", 1)
    if anchor in by:
        start = by[anchor].min() if dose.window_anchor == "c1_first_infusion" else by[anchor].max()
        borders.append(start + pd.Timedelta(dose.window_days + 1, unit="D"))
    return borders


@rule("AE-OVERLAP", severity="info", needs={"AE": ("AETERM", "AETOXGR", "AESTDTC")}, effect=("T 14.3.1.2",))
def _overlapping(context: Context) -> Iterator[Hit]:
    """Two records of one term overlap and the grade rises: perhaps one episode."""
    table = _episodes(context)
    pairs = table.merge(table, on=["USUBJID", "TERM"], suffixes=("", "_B"), validate="m:m")
    pairs = pairs[pairs["PLACE"] != pairs["PLACE_B"]]
    linked = pairs["GROUP"].notna() & (pairs["GROUP"] == pairs["GROUP_B"])
    overlap = (pairs["START_B"] <= pairs["START"]) & (
        (pairs["START"] < pairs["END_B"]) | (pairs["START"] == pairs["START_B"])
    )
    for place in sorted(set(pairs["PLACE"][overlap & ~linked & (pairs["GRADE"] > pairs["GRADE_B"])])):
        message = "overlaps a record of the same term with a lower grade; join them or give both one AEGRPID"
        yield Hit("AE", int(place), message, "AETOXGR")


def _episodes(context: Context) -> pd.DataFrame:
    ae = context.records("AE")
    start, end = ae.dates("AESTDTC"), ae.dates("AEENDTC")
    table = pd.DataFrame(
        {
            "PLACE": np.arange(len(ae)),
            "USUBJID": ae.subjects(),
            "TERM": ae.code("AEDECOD").fillna(ae.code("AETERM")),
            "GRADE": ae.number("AETOXGR"),
            "GROUP": ae.code("AEGRPID"),
            "START": start["DT"],
            "END": end["LAST"].fillna(_FAR),
        }
    )
    return table.dropna(subset=["USUBJID", "TERM", "GRADE", "START"])


@rule(
    "AE-CRS-CONSIST",
    severity="warn",
    needs={"AE": ("AEDECOD", "AETOXGR", "AESTDTC"), "CM": ("CMTRT", "CMSTDTC")},
    effect=("T 14.3.1.10", "T 14.2.1.1"),
)
def _crs_grade(context: Context) -> Iterator[Hit]:
    """Cytokine release syndrome is graded below 3 although a vasopressor was given."""
    events = _spans(context, _mild_crs(context))
    pairs = events.merge(_given(context, "vasopressor"), on="USUBJID", validate="m:m")
    during = (pairs["FROM"] <= pairs["DAY"]) & (pairs["DAY"] <= pairs["TO"])
    for place in sorted(set(pairs["PLACE"][during])):
        message = (
            "grade below 3 although a vasopressor was given during the event; check the grade on both scales"
        )
        yield Hit("AE", int(place), message, "AETOXGR", "3 or higher with a vasopressor")


def _mild_crs(context: Context) -> pd.Series:
    """Tell the cytokine release syndromes that are below grade 3 on one of the two scales."""
    ae = context.records("AE")
    crs = ae.code("AEDECOD").isin(words("terms")["event"]["crs"])
    scale = pd.to_numeric(context.supp("AE", "ASTCTGR"), errors="coerce")
    lowest = pd.concat([ae.number("AETOXGR"), scale], axis=1).min(axis=1)
    return crs & (lowest < _PRESSOR_GRADE)


@rule(
    "AE-CRS-OXYGEN",
    severity="warn",
    needs={"AE": ("AEDECOD", "AETOXGR", "AESTDTC"), "CE": ("CETESTCD", "CESTRESC", "CEDTC")},
    effect=("T 14.3.1.10", "T 14.2.1.1"),
)
def _crs_oxygen(context: Context) -> Iterator[Hit]:
    """Cytokine release syndrome is graded below 3 although oxygen was given by more than a low flow."""
    ce, sets = context.records("CE"), words("terms")["event"]
    device = (ce.code("CETESTCD") == "O2DEV") & ce.code("CESTRESC").isin(sets["high_oxygen"])
    given = pd.DataFrame({"USUBJID": ce.subjects(), "DAY": ce.dates("CEDTC")["FIRST"]})[device].dropna()
    pairs = _spans(context, _mild_crs(context)).merge(given, on="USUBJID", validate="m:m")
    during = (pairs["FROM"] <= pairs["DAY"]) & (pairs["DAY"] <= pairs["TO"])
    for place in sorted(set(pairs["PLACE"][during])):
        message = "grade below 3 although oxygen was given by mask, high flow or pressure; check the grade on both scales"
        yield Hit("AE", int(place), message, "AETOXGR", "3 or higher with such oxygen")


@rule(
    "AE-CRS-FEVER",
    severity="warn",
    needs={"AE": ("AEDECOD", "AESTDTC"), "VS": ("VSTESTCD", "VSSTRESN", "VSSTRESU", "VSDTC")},
    effect=("T 14.3.1.10",),
)
def _crs_without_fever(context: Context) -> Iterator[Hit]:
    """Cytokine release syndrome is recorded although every temperature taken during it is below a fever."""
    ae, vs, sets = context.records("AE"), context.records("VS"), words("terms")["event"]
    taken = (vs.code("VSTESTCD") == "TEMP") & (vs.code("VSSTRESU") == "C")
    table = pd.DataFrame(
        {"USUBJID": vs.subjects(), "DAY": vs.dates("VSDTC")["DT"], "TEMP": vs.number("VSSTRESN")}
    )[taken].dropna()
    pairs = _spans(context, ae.code("AEDECOD").isin(sets["crs"])).merge(table, on="USUBJID", validate="m:m")
    slack = pd.Timedelta(1, unit="D")
    during = pairs[(pairs["FROM"] - slack <= pairs["DAY"]) & (pairs["DAY"] <= pairs["TO"])]
    highest = during.groupby("PLACE")["TEMP"].max()
    for place, value in highest[highest < sets["fever_c"]].items():
        message = (
            f"highest temperature during the event {value:g} C: no fever; check term, dates or temperatures"
        )
        yield Hit("AE", int(str(place)), message, "AETERM", f"{sets['fever_c']:g} C or more")


def _spans(context: Context, where: pd.Series) -> pd.DataFrame:
    """Return PLACE, USUBJID, FROM and TO (possible days) of the adverse events that meet a condition."""
    ae = context.records("AE")
    table = pd.DataFrame({"PLACE": np.arange(len(ae)), "USUBJID": ae.subjects()})
    table = table.assign(FROM=ae.dates("AESTDTC")["FIRST"], TO=ae.dates("AEENDTC")["LAST"].fillna(_FAR))
    return table[where].dropna()


def _given(context: Context, kind: str) -> pd.DataFrame:
    """Return GIVEN (place in CM), USUBJID and DAY of the medications of a kind."""
    cm, pattern = context.records("CM"), words("terms")["therapy"][kind]
    named = cm.none()
    for name in ("CMTRT", "CMDECOD", "CMCLAS"):
        named |= cm.text(name).fillna("").str.contains(pattern, regex=True)
    named &= cm.code("CMOCCUR") != "N"
    table = pd.DataFrame(
        {"GIVEN": np.arange(len(cm)), "USUBJID": cm.subjects(), "DAY": cm.dates("CMSTDTC")["FIRST"]}
    )
    return table[named].dropna()


@rule(
    "CM-TOCI",
    severity="warn",
    needs={"CM": ("CMTRT", "CMSTDTC"), "AE": ("AEDECOD", "AESTDTC")},
    effect=("T 14.3.1.9",),
)
def _tocilizumab(context: Context) -> Iterator[Hit]:
    """Tocilizumab was given without a cytokine release syndrome at that time."""
    given, ae = _given(context, "tocilizumab"), context.records("AE")
    slack = pd.Timedelta(context.study.checks.cm_toci_days, unit="D")
    events = _spans(context, ae.code("AEDECOD").isin(words("terms")["event"]["crs"]))
    pairs = given.merge(events, on="USUBJID", validate="m:m")
    during = (pairs["FROM"] - slack <= pairs["DAY"]) & (pairs["DAY"] <= pairs["TO"] + slack)
    for place in sorted(set(given["GIVEN"]) - set(pairs["GIVEN"][during])):
        message = "given without cytokine release syndrome in AE; add the event or the reason"
        yield Hit("CM", int(place), message, "CMTRT")
