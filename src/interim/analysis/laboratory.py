"""Laboratory: values by visit, shift to the worst grade, significant deviations, liver injury."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.adtox_liver import AMINOTRANSFERASES, liver_panel, liver_summary
from interim.adam.ctcae import criteria_book
from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.adam.toxicity.liver import pattern
from interim.analysis.by_visit import add_by_visit
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    open_rows,
    population,
)
from interim.analysis.safety import emergent
from interim.analysis.special_interest import add_kinds
from interim.result import TOTAL, Result, Rows
from interim.study import Study

NO_LB = "not available: no LB"
MISSING, UNGRADED = "missing", "not_graded"
WORST = ("0", "1", "2", "3", "4", UNGRADED)
_DIRECTIONS = {
    "low": ("ATOXGRL", "BTOXGRL", "WORSTLFL", "ATOXDSCL"),
    "high": ("ATOXGRH", "BTOXGRH", "WORSTHFL", "ATOXDSCH"),
}


def _absent(adam: Adam, *names: str) -> str:
    """Return why the laboratory results, or variables of them, are not available; empty if they are."""
    if not adam.has("ADLB"):
        return NO_LB
    gone = adam.lacks("ADLB.BASETYPE", *(f"ADLB.{name}" for name in names))
    return f"not available: {gone}" if gone else ""


def _results(adam: Adam, who: Population, study: Study) -> pd.DataFrame:
    """Return the results of the members under the first base type."""
    adlb = adam["ADLB"]
    keep = (adlb["BASETYPE"] == first_base_type(study)) & adlb["USUBJID"].isin(who.everyone)
    return ordered(adlb[keep], ["USUBJID", "PARAMCD", "ADT", "ADTM", "SRCSEQ"])


def values_by_visit(adam: Adam, study: Study) -> Result:
    """Summarise laboratory values and their change from baseline by visit.

    Parameters
    ----------
    adam : Adam
        ADSL and ADLB.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``laboratory.values_by_visit``; the total only; variable = parameter, level = visit; stats n, mean, sd, median, min,
        max of the value, and the same with prefix ``chg_`` of the change. SD needs two values.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    The last result of a visit counts; unscheduled results are in the shift tables only.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("laboratory.values_by_visit", "Laboratory values and change from baseline by visit", who)
    if gone := _absent(adam, "AVISIT"):
        add_not_available(rows, [TOTAL], variable="NEUT", reason=gone)
        return rows.build()
    add_by_visit(rows, _results(adam, who, study), printed_rows()["laboratory"]["by_visit"])
    return rows.build()


def _graded(frame: pd.DataFrame) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Yield parameter, direction, term and the rows of each parameter that has a term."""
    for direction, (_, _, _, term) in _DIRECTIONS.items():
        for code, part in frame[frame[term].notna()].groupby("PARAMCD", sort=True):
            yield str(code), direction, str(part[term].iloc[0]), part


def worst_grades(part: pd.DataFrame, direction: str) -> pd.DataFrame:
    """Return baseline grade and worst grade on treatment of each participant.

    Parameters
    ----------
    part : pandas.DataFrame
        Rows of ADLB of one parameter and base type.
    direction : {"low", "high"}
        Direction.

    Returns
    -------
    pandas.DataFrame
        Index USUBJID of those with a result on treatment; BASE and WORST as text: 0 to 4, ``not_graded``, and for BASE
        ``missing`` without a baseline record; ASSUMED (bool): the worst grade rests on the assumed clinical half.

    Raises
    ------
    None
    """
    grade, base, _, _ = _DIRECTIONS[direction]
    treated = part[(part["ONTRTFL"] == "Y") & (part["AVAL"].notna() | part["ALIMIT"].notna())]
    worst = treated.groupby("USUBJID")[grade].max()
    has_base = part.loc[part["ABLFL"] == "Y"].set_index("USUBJID")[base]
    known = has_base.reindex(worst.index)
    text = known.map(lambda value: f"{value:g}", na_action="ignore").astype(object)
    text = text.where(known.notna(), UNGRADED).where(worst.index.isin(has_base.index), MISSING)
    worst_text = worst.map(lambda value: f"{value:g}", na_action="ignore").astype(object)
    table = pd.DataFrame({"BASE": text, "WORST": worst_text.where(worst.notna(), UNGRADED)})
    return table.assign(ASSUMED=_rests_on_assumption(treated, worst, grade))


def _rests_on_assumption(treated: pd.DataFrame, worst: pd.Series, grade: str) -> pd.Series:
    """Tell whose worst grade rests on the assumed clinical half: every record of that grade is marked so."""
    if "ATOXASFL" not in treated:
        return pd.Series(False, index=worst.index)
    deciding = treated[(treated[grade] > 0) & (treated[grade] == treated["USUBJID"].map(worst))]
    assumed = (deciding["ATOXASFL"] == "Y").groupby(deciding["USUBJID"]).all()
    return assumed.reindex(worst.index, fill_value=False)


def grade_shift(adam: Adam, study: Study) -> Result:
    """Cross baseline grade with worst grade on treatment, low and high apart.

    Parameters
    ----------
    adam : Adam
        ADSL and ADLB.
    study : Study
        Columns; ``labs.clinical_component``.

    Returns
    -------
    Result
        ``laboratory.grade_shift``; by dose; variable = ``<parameter> <direction>``, level = baseline grade (0 to 4,
        not_graded, missing), stat = ``worst <grade>``; level any with stats n (with a result on treatment), without, rise
        (worst above baseline), to_grade3, and assumed (worst grade by the assumed clinical half) where there is one.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("laboratory.grade_shift", "Shift from baseline to worst CTCAE grade", who)
    if gone := _absent(adam, "ATOXGR", "ONTRTFL"):
        add_not_available(rows, [TOTAL], variable="NEUT low", level="any", reason=gone)
        return rows.build()
    rows.footnotes = (*rows.footnotes, _assumption(study))
    for code, direction, term, part in _graded(_results(adam, who, study)):
        worst = worst_grades(part, direction)
        starts = sorted(set(worst["BASE"]))
        for group, ids in who.members.items():
            mine = worst[worst.index.isin(ids)]
            place = {"group": group, "variable": f"{code} {direction}"}
            _add_shift(rows, ids, mine, starts=starts, place=place, term=term)
    return rows.build()


def _assumption(study: Study) -> str:
    """Return the note on the clinical half of the criteria."""
    book = criteria_book(study)
    terms = ", ".join(book.assumed_terms()) or "none"
    unverified = "" if book.verified else " CTCAE v6 grades have no independent reference."
    return (
        f"Grades by CTCAE v{book.version}.0 from value, range and baseline; the clinical half of the criterion is assumed "
        f"present for: {terms}.{unverified}"
    )


def _add_shift(
    rows: Rows,
    members: frozenset[str],
    table: pd.DataFrame,
    *,
    starts: Sequence[str],
    place: dict[str, Any],
    term: str,
) -> None:
    """Add the shift of one parameter and direction in one column, for the baseline grades that anybody has."""
    size, everyone = len(table), len(members)
    without = members - set(table.index)
    worst, base = (pd.to_numeric(table[name], errors="coerce") for name in ("WORST", "BASE"))
    rows.add("n", size, text=term, level="any", n=size, N=everyone, subjects=sorted(table.index), **place)
    _add_of(rows, "without", without, everyone, level="any", **place)
    _add_of(rows, "rise", table.index[worst > base], size, level="any", **place)
    _add_of(rows, "to_grade3", table.index[(worst >= 3) & ~(base >= 3)], size, level="any", **place)
    if table["ASSUMED"].any():
        _add_of(rows, "assumed", table.index[table["ASSUMED"]], size, level="any", **place)
    for start, end in ((b, w) for b in starts for w in WORST):
        hit = table.index[(table["BASE"] == start) & (table["WORST"] == end)]
        _add_of(rows, f"worst {end}", hit, size, level=str(start), **place)


def _add_of(rows: Rows, stat: str, subjects: Iterable[str], size: int, **place: Any) -> None:
    found = sorted(subjects)
    rows.add(stat, len(found), n=len(found), N=size, subjects=found, **place)


def significant_deviations(adam: Adam, study: Study) -> Result:
    """Count participants with a significant laboratory deviation, and those in whom it did not resolve.

    Parameters
    ----------
    adam : Adam
        ADSL and ADLB.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``laboratory.significant_deviations``; variable = ``<parameter> <direction>``; stats n (worst grade on treatment 3 or
        higher) and unresolved (the last graded result still is). The investigator's own flag is NA if it was not collected.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("laboratory.significant_deviations", "Clinically significant laboratory deviations", who)
    if gone := _absent(adam, "ATOXGR", "ONTRTFL"):
        add_not_available(rows, who.groups, variable="any", reason=gone)
        return rows.build()
    rows.footnotes = (*rows.footnotes, _assumption(study))
    limit = printed_rows()["laboratory"]["clinically_significant"]
    found: set[str] = set()
    for code, direction, term, part in _graded(_results(adam, who, study)):
        grade = _DIRECTIONS[direction][0]
        treated = part[(part["ONTRTFL"] == "Y") & part[grade].notna()]
        severe = set(treated.loc[treated[grade] >= limit, "USUBJID"])
        last = part[part[grade].notna()].drop_duplicates("USUBJID", keep="last")
        open_still = severe & set(last.loc[last[grade] >= limit, "USUBJID"])
        variable = f"{code} {direction}"
        add_counts(rows, who, variable=variable, level=term, subjects=severe)
        add_counts(rows, who, variable=variable, level=term, subjects=open_still, stat="unresolved")
        found |= severe
    add_counts(rows, who, variable="any", subjects=found)
    reason = "not collected: the investigator's assessment of clinical significance"
    add_not_available(rows, who.groups, variable="investigator", reason=reason)
    return rows.build()


def hepatotoxicity(adam: Adam, study: Study) -> Result:
    """Count participants by peak of liver values and Hy's law candidates.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE, ADEX and ADLB.
    study : Study
        ``[toxicity]``.

    Returns
    -------
    Result
        ``laboratory.hepatotoxicity``; variable at (level: multiple of ULN), at_base (multiple of baseline), bilirubin,
        bilirubin_base, hys, hys_base, each with ``<variable>_open`` (a missing value, limit or baseline hides it: only where
        it does for somebody), pattern (level: of injury at the first high aminotransferase), window (level), evaluable; hepatic_event with level biloma, cholangitis, infection: events as in
        `interim.analysis.special_interest.procedure`.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("laboratory.hepatotoxicity", "Hepatotoxicity", who)
    if gone := _absent(adam, "ANRHI"):
        add_not_available(rows, who.groups, variable="evaluable", reason=gone)
        return rows.build()
    panel = _panel(adam, who, study)
    table = liver_summary(panel, study)
    add_counts(rows, who, variable="evaluable", subjects=table.loc[table["QUADRANT"].notna(), "USUBJID"])
    _add_multiples(rows, who, panel, study)
    rules = study.toxicity
    for variable, flag in (("hys", "HYSFL"), ("hys_base", "MHYSFL")):
        add_counts(rows, who, variable=variable, subjects=table.loc[table[flag] == "Y", "USUBJID"])
    for variable, flag in (("hys_open", "HYSFL"), ("hys_base_open", "MHYSFL")):
        if (unknown := table[flag].isna()).any():
            add_counts(rows, who, variable=variable, subjects=table.loc[unknown, "USUBJID"])
    ratios = table.set_index("USUBJID")["RRATIO"].dropna()
    for kind in ("HEPATOCELLULAR", "MIXED", "CHOLESTATIC"):
        subjects = ratios.index[ratios.map(pattern) == kind]
        add_counts(rows, who, variable="pattern", level=kind, subjects=subjects)
    high = panel[panel["PARAMCD"].isin(AMINOTRANSFERASES) & (panel["XULN"] > rules.hys_at)]
    for window in sorted(set(panel["WINDOW"].dropna()), key=lambda text: int(text.rstrip("+").split("-")[0])):
        subjects = high.loc[high["WINDOW"] == window, "USUBJID"]
        add_counts(rows, who, variable="window", level=str(window), subjects=subjects)
    add_kinds(rows, who, emergent(adam, who), kinds="hepatic_event")
    return rows.build()


def _add_multiples(rows: Rows, who: Population, panel: pd.DataFrame, study: Study) -> None:
    """Count by peak, and who is undecided: below the highest limit with a value of unknown multiple, or without a value."""
    steps = [float(multiple) for multiple in printed_rows()["laboratory"]["liver_multiples"]]
    rules = study.toxicity
    for variable, tests, column, limits in (
        ("at", AMINOTRANSFERASES, "XULN", steps),
        ("at_base", AMINOTRANSFERASES, "XBASE", steps),
        ("bilirubin", ("BILI",), "XULN", [rules.hys_bili]),
        ("bilirubin_base", ("BILI",), "XBASE", [rules.mhy_bili_x_bl]),
    ):
        part = panel[panel["PARAMCD"].isin(tests)]
        peak = part.groupby("USUBJID")[column].max()
        for limit in limits:
            level = f"{limit:g}" if len(tests) > 1 else ""
            add_counts(rows, who, variable=variable, level=level, subjects=peak.index[peak > limit])
        known = set(part["USUBJID"]) - set(part.loc[part[column].isna(), "USUBJID"])
        unknown = who.everyone - known - set(peak.index[peak > max(limits)])
        if unknown:
            add_counts(rows, who, variable=f"{variable}_open", subjects=unknown)


def _panel(adam: Adam, who: Population, study: Study) -> pd.DataFrame:
    adex = adam["ADEX"] if adam.has("ADEX") else None
    panel = liver_panel(adam["ADLB"], adam["ADSL"], study=study, adex=adex)
    return panel[panel["USUBJID"].isin(who.everyone)]


def _at_baseline(results: pd.DataFrame) -> pd.DataFrame:
    """Return the baseline of aminotransferase (the higher of the two) and bilirubin as multiples of their upper limits."""
    base = results[results["ABLFL"] == "Y"]
    multiple = base["AVAL"] / base["ANRHI"].where(base["ANRHI"] > 0)
    tests = {"ATSTART": AMINOTRANSFERASES, "BILISTART": ("BILI",)}
    found = {
        name: multiple[base["PARAMCD"].isin(codes)].groupby(base["USUBJID"]).max()
        for name, codes in tests.items()
    }
    return pd.DataFrame(found, dtype="float64")


def liver_peaks(adam: Adam, study: Study) -> Result:
    """Return the peaks of aminotransferase and bilirubin of each participant.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX and ADLB.
    study : Study
        ``[toxicity]``.

    Returns
    -------
    Result
        ``laboratory.liver_peaks``; group = cohort, variable peak, level = USUBJID; stats at, bilirubin (x ULN), at_base,
        bilirubin_base (x baseline), at_start, bilirubin_start (baseline, x ULN), gap (days between the peaks), quadrant (text); variable quadrant with counts per
        quadrant in the total.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("laboratory.liver_peaks", "Peak bilirubin against peak aminotransferase", who)
    if gone := _absent(adam, "ANRHI"):
        add_not_available(rows, [TOTAL], variable="quadrant", level="NORMAL", reason=gone)
        return rows.build()
    table = liver_summary(_panel(adam, who, study), study)
    known = table[table["QUADRANT"].notna()].join(_at_baseline(_results(adam, who, study)), on="USUBJID")
    group_of = {subject: group for group, ids in who.members.items() if group != TOTAL for subject in ids}
    for record in known.to_dict("records"):
        subject = str(record["USUBJID"])
        place: dict[str, Any] = {"group": group_of[subject], "variable": "peak", "level": subject}
        for stat, column, unit in (
            ("at", "ATPEAK", "x ULN"),
            ("bilirubin", "BILIPEAK", "x ULN"),
            ("at_base", "ATPEAKB", "x baseline"),
            ("bilirubin_base", "BILIPEAKB", "x baseline"),
            ("at_start", "ATSTART", "x ULN"),
            ("bilirubin_start", "BILISTART", "x ULN"),
            ("gap", "GAPDAYS", "days"),
        ):
            number = float(record[column])
            if number == number:
                rows.add(stat, number, unit=unit, subjects=[subject], **place)
            else:
                rows.add(stat, None, status="NE", reason="BASELINE_MISSING", **place)
        rows.add("quadrant", None, text=str(record["QUADRANT"]), subjects=[subject], **place)
    for name in ("NORMAL", "TEMPLES_COROLLARY", "HYPERBILIRUBINAEMIA", "HYS_LAW_RANGE"):
        subjects = sorted(known.loc[known["QUADRANT"] == name, "USUBJID"])
        rows.add(
            "n",
            len(subjects),
            variable="quadrant",
            level=name,
            n=len(subjects),
            N=len(known),
            subjects=subjects,
        )
    return rows.build()
