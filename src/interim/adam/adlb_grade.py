"""Grades of laboratory results: the unit in which a value may be graded, both branches, worst grade on treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.adam.ctcae import CriteriaBook, Direction, criteria_book, grade_values
from interim.adam.source import by_distinct, date_columns, shipped_data, text_column
from interim.data.model import Sdtm
from interim.study import Study

GRADE_COLUMNS = [
    "ATOXDSCL",
    "ATOXDSCH",
    "ATOXGRL",
    "ATOXGRH",
    "ATOXGR",
    "ATOXGRHU",
    "ATOXRUL",
    "ATOXRUH",
    "ATOXRSL",
    "ATOXRSH",
    "ATOXASFL",
    "BTOXGRL",
    "BTOXGRH",
    "BTOXGR",
    "WORSTLFL",
    "WORSTHFL",
    "WORSTLPF",
    "WORSTHPF",
    "WORSTUFL",
]
_KEYS = ["USUBJID", "PARAMCD", "BASETYPE"]
_LETTERS: dict[str, Direction] = {"L": "low", "H": "high"}
_BEYOND = 1e-12
_LARGEST = 1e300
RANGE, SIGN, BASELINE = "LB-RANGE", "LB-SIGN", "BASELINE_NOT_GRADED"


def grade_results(frame: pd.DataFrame, sdtm: Sdtm, *, study: Study) -> pd.DataFrame:
    """Grade laboratory results by CTCAE.

    Parameters
    ----------
    frame : pandas.DataFrame
        Results with base types: AVAL, range, BASE, BNRIND, PCHG, ONTRTFL, collected and standard form.
    sdtm : Sdtm
        CM for anticoagulation.
    study : Study
        ``[labs]``.

    Returns
    -------
    pandas.DataFrame
        Same index: ATOXDSCL, ATOXDSCH (terms), ATOXGRL, ATOXGRH (0 to 4, NaN not gradable), ATOXGR (the higher of the two,
        negative for low), ATOXGRHU (high, always against the upper limit), ATOXRUL, ATOXRUH (number of the rule), ATOXRSL,
        ATOXRSH (why there is no grade), ATOXASFL (Y: the clinical half of the criterion is assumed), BTOXGRL, BTOXGRH,
        BTOXGR (of the baseline record).

    Raises
    ------
    None

    Notes
    -----
    Up to and including the baseline, results are graded against the upper limit (``labs.baseline_grade``); later ones by the
    baseline branch where the baseline was above the limit of its own range. A term with thresholds in fixed units takes the
    collected value if a table has its unit, else the standard one, else the canonical one where it is the same unit under
    another name: nothing is converted between SI and US units for a grade.
    """
    book = criteria_book(study)
    rows = _inputs(frame, book).assign(ANTICOAG=on_anticoagulation(frame, sdtm))
    names = _high(study)
    high = by_distinct(frame["BNRIND"], lambda text: text.upper() in names)
    later = frame["ONTRTFL"].notna() | _after_baseline(frame)
    rows["HIGH"] = (high == True) & later  # noqa: E712 - a missing indicator is not high
    answer = pd.DataFrame(index=frame.index)
    assumed = pd.Series(False, index=frame.index)
    for letter, direction in _LETTERS.items():
        graded = _graded(rows, frame, direction, book)
        answer[f"ATOXDSC{letter}"] = graded["TERM"]
        answer[f"ATOXGR{letter}"] = graded["GRADE"]
        answer[f"ATOXRU{letter}"] = graded["RULE"].where(graded["RULE"] > 0)
        answer[f"ATOXRS{letter}"] = graded["REASON"]
        assumed |= graded["ASSUMED"]
    answer["ATOXGRHU"] = _against_limit(rows, frame, answer["ATOXGRH"], book)
    answer["ATOXASFL"] = pd.Series("Y", index=frame.index, dtype=object).where(assumed, None)
    if study.labs.baseline_grade == "none":
        answer = _without_baseline(answer, later)
    answer["ATOXGR"] = _signed(answer, "ATOX")
    answer = answer.join(_of_baseline(frame, answer))
    if not study.labs.show_both_branches:
        answer["ATOXGRHU"] = np.nan
    return answer


def _against_limit(rows: pd.DataFrame, frame: pd.DataFrame, high: pd.Series, book: CriteriaBook) -> pd.Series:
    """Return the grade against the upper limit: another one than the grade only where the baseline was above the limit."""
    other = rows["HIGH"]
    answer = high.copy()
    answer[other] = _graded(rows[other].assign(HIGH=False), frame[other], "high", book)["GRADE"]
    return answer


def _high(study: Study) -> frozenset[str]:
    return frozenset(text.upper() for text in study.labs.high_indicators)


def _after_baseline(frame: pd.DataFrame) -> pd.Series:
    """Tell the results after the baseline record of their base type."""
    at = frame["ADTM"].fillna(frame["ADT"])
    base = at.where(frame["ABLFL"] == "Y").groupby([frame[key] for key in _KEYS]).transform("max")
    return at > base


def _inputs(frame: pd.DataFrame, book: CriteriaBook) -> pd.DataFrame:
    """Return value, limit, unit and range in the unit in which each result is graded."""
    fixed = book.units()
    analytes = {code for code, _ in fixed}
    needs = frame["PARAMCD"].isin(analytes)
    rows = pd.DataFrame(
        {
            "VALUE": frame["AVAL"],
            "LIMIT": frame["ALIMIT"],
            "UNIT": frame["AVALU"].astype(object),
            "LLN": frame["ANRLO"],
            "ULN": frame["ANRHI"],
        }
    )
    rows.loc[needs & (frame["UFACTOR"] != 1.0), "UNIT"] = None
    for prefix in ("LBST", "LBOR"):
        unit = by_distinct(frame[f"{prefix}RESU"], str.upper)
        taken = needs & pd.MultiIndex.from_arrays([frame["PARAMCD"], unit]).isin(list(fixed))
        taken &= frame[[f"{prefix}RESN", f"{prefix}LIM"]].notna().any(axis=1)
        for name, column in (("VALUE", "RESN"), ("LIMIT", "LIM"), ("LLN", "NRLO"), ("ULN", "NRHI")):
            rows[name] = frame[f"{prefix}{column}"].where(taken, rows[name])
        rows["UNIT"] = frame[f"{prefix}RESU"].where(taken, rows["UNIT"])
    return rows.assign(BASE=frame["BASE"], PCHG=frame["PCHG"])


def _graded(
    rows: pd.DataFrame, frame: pd.DataFrame, direction: Direction, book: CriteriaBook
) -> pd.DataFrame:
    """Grade in one direction; values beyond the assay's range only if every completion has the same grade."""
    terms = frame["PARAMCD"].map(book.terms(direction)).astype(object)
    terms = terms.where(terms.notna(), None)
    named = rows.assign(TERM=terms)
    signed = rows["LIMIT"].notna() & frame["ASIGN"].notna()
    answer = grade_values(named, direction, book=book)
    if signed.any():
        answer.loc[signed] = _of_signed(named[signed], frame[signed], direction, book)
    wrong = (rows["ULN"] <= 0) | (rows["LLN"] >= rows["ULN"])
    answer.loc[wrong & terms.notna(), "GRADE"] = np.nan
    answer.loc[wrong & terms.notna(), "REASON"] = RANGE
    answer.loc[wrong, ["RULE", "ASSUMED"]] = [0.0, False]
    return answer.assign(TERM=terms)


def _of_signed(
    rows: pd.DataFrame, frame: pd.DataFrame, direction: Direction, book: CriteriaBook
) -> pd.DataFrame:
    below = frame["ASIGN"] == "<"
    ends = (
        rows["LIMIT"] * np.where(below, 1 - _BEYOND, 1 + _BEYOND),
        pd.Series(np.where(below, 0.0, _LARGEST), index=rows.index),
    )
    share = frame["ALIMIT"] / rows["LIMIT"]
    low, high = (
        grade_values(
            rows.assign(VALUE=end, PCHG=100 * (end * share - rows["BASE"]) / rows["BASE"]),
            direction,
            book=book,
        )
        for end in ends
    )
    same = low["GRADE"] == high["GRADE"]
    clash = low["GRADE"].notna() & high["GRADE"].notna() & ~same
    low.loc[~same, ["GRADE", "RULE", "ASSUMED"]] = [np.nan, 0.0, False]
    low.loc[clash, "REASON"] = SIGN
    low.loc[high["GRADE"].isna(), "REASON"] = high["REASON"]
    return low


def _without_baseline(answer: pd.DataFrame, later: pd.Series) -> pd.DataFrame:
    kept = answer.copy()
    grades = ["ATOXGRL", "ATOXGRH", "ATOXGRHU", "ATOXRUL", "ATOXRUH"]
    kept[grades] = kept[grades].where(later, np.nan)
    for letter in _LETTERS:
        named = ~later & kept[f"ATOXDSC{letter}"].notna()
        kept.loc[named, f"ATOXRS{letter}"] = BASELINE
    return kept


def _signed(answer: pd.DataFrame, prefix: str) -> pd.Series:
    """Return the higher grade, negative for low; 0 only if every direction that has a term is gradable."""
    low, high = answer[f"{prefix}GRL"], answer[f"{prefix}GRH"]
    worse = (-low).where(low.fillna(0) > high.fillna(0), high)
    known = worse.where(worse.fillna(0) != 0)
    open_low = answer["ATOXDSCL"].notna() & low.isna()
    open_high = answer["ATOXDSCH"].notna() & high.isna()
    any_term = answer[["ATOXDSCL", "ATOXDSCH"]].notna().any(axis=1)
    return known.where(known.notna() | open_low | open_high | ~any_term, 0.0)


def _of_baseline(frame: pd.DataFrame, answer: pd.DataFrame) -> pd.DataFrame:
    """Return the grades of the baseline record beside every record of its base type."""
    base = frame["ABLFL"] == "Y"
    table = pd.concat([frame.loc[base, _KEYS], answer.loc[base, ["ATOXGRL", "ATOXGRH", "ATOXGR"]]], axis=1)
    table = table.rename(columns=lambda name: name.replace("ATOX", "BTOX"))
    joined = frame[_KEYS].merge(table, on=_KEYS, how="left", validate="m:1")
    return joined[["BTOXGRL", "BTOXGRH", "BTOXGR"]].set_axis(frame.index)


def on_anticoagulation(frame: pd.DataFrame, sdtm: Sdtm) -> pd.Series:
    """Tell which results were obtained during anticoagulation.

    Parameters
    ----------
    frame : pandas.DataFrame
        USUBJID, ADT.
    sdtm : Sdtm
        CM.

    Returns
    -------
    pandas.Series of bool
        Same index; an open or missing end lasts, a missing start counts as before.

    Raises
    ------
    None
    """
    words = shipped_data("laboratory")["anticoagulation"]
    answer = pd.Series(False, index=frame.index)
    if not sdtm.has("CM"):
        return answer
    source = sdtm.domain("CM")
    given = text_column(source, "CMCLAS").isin(list(words["classes"]))
    given |= text_column(source, "CMDECOD").isin(list(words["names"]))
    dates = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "FROM": date_columns(source, "CMSTDTC")["FIRST"],
            "TO": date_columns(source, "CMENDTC")["LAST"],
        }
    )[given.to_numpy(dtype=bool)]
    rows = frame[["USUBJID", "ADT"]].rename_axis("ROW").reset_index()
    pairs = rows.merge(dates, on="USUBJID", how="inner", validate="m:m")
    during = ~(pairs["FROM"] > pairs["ADT"]) & ~(pairs["TO"] < pairs["ADT"])
    answer.loc[pairs.loc[during & pairs["ADT"].notna(), "ROW"].unique()] = True
    return answer


_WORST: tuple[tuple[str, str, list[str]], ...] = (
    ("WORSTLFL", "ATOXGRL", []),
    ("WORSTHFL", "ATOXGRH", []),
    ("WORSTUFL", "ATOXGRHU", []),
    ("WORSTLPF", "ATOXGRL", ["APHASE"]),
    ("WORSTHPF", "ATOXGRH", ["APHASE"]),
)


def flag_worst(frame: pd.DataFrame) -> pd.DataFrame:
    """Flag the record of the worst grade on treatment.

    Parameters
    ----------
    frame : pandas.DataFrame
        ADLB in the order of its dates, with APHASE.

    Returns
    -------
    pandas.DataFrame
        Same index: WORSTLFL, WORSTHFL (worst low, worst high), WORSTUFL (worst high against the upper limit), and WORSTLPF,
        WORSTHPF (worst low, worst high of each phase); Y or None.

    Raises
    ------
    None

    Notes
    -----
    All records count, scheduled or not; of equal grades the first. A participant without a gradable record has no flag.
    """
    answer = pd.DataFrame(index=frame.index)
    for name, grade, within in _WORST:
        known = frame[grade].notna() & frame[within].notna().all(axis=1)
        usable = frame[(frame["ONTRTFL"] == "Y") & known]
        worst = usable.sort_values(grade, ascending=False, kind="stable").drop_duplicates([*_KEYS, *within])
        flag = pd.Series(None, index=frame.index, dtype=object)
        flag[worst.index] = "Y"
        answer[name] = flag
    return answer
