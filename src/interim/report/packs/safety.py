"""Reference packs of the safety rules: treatment emergence of adverse events, laboratory grades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from interim.adam.adae_emergence import EmergenceRule, emergence
from interim.adam.ctcae import CriteriaBook, Direction, LabValue, criteria_book_of, grade_one
from interim.report.packs.base import Case, Given, Pack
from interim.study.toxicity import LabsTable

_RULES = {
    f"teae_{window}{worsening}": EmergenceRule(days, False, False, bool(worsening))
    for window, days in (("no_window", None), ("window28", 28))
    for worsening in ("", "_worsening")
}
_DATES = {"START": "ae_start", "END": "ae_end", "T0": "trt_start", "T1": "trt_end"}
_UNKNOWN = ("STARTM", "ENDM", "T0M", "NACT")
_GRADES = {"GRADE": "grade", "GRADE0": "grade_at_treatment_start"}


def _split(rows: Any) -> Iterator[Case]:
    """Return all events as one case: they are decided together, as the events of a study are."""
    given = {row["id"]: {name: value for name, value in row.items() if name not in _RULES} for row in rows}
    expected = {row["id"]: {name: row[name] for name in _RULES} for row in rows}
    yield Case("events", given, expected)


def _compute(given: Given) -> Mapping[str, Any]:
    rows = pd.DataFrame(list(given.values()), index=pd.Index(list(given), name="id"))
    events = pd.DataFrame({"SUBJECT": rows.index, "RELATED": "N", "EVENT": None}, index=rows.index)
    for name, key in _DATES.items():
        events[name] = pd.to_datetime(rows[key].replace("", None)).astype("datetime64[ns]")
    for name, key in _GRADES.items():
        events[name] = pd.to_numeric(rows[key].replace("", None)).astype("float64")
    for name in _UNKNOWN:
        events[name] = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
    flags = pd.DataFrame({name: emergence(events, rule)["FLAG"] for name, rule in _RULES.items()})
    return {
        str(key): {str(name): flag for name, flag in row.items()}
        for key, row in flags.to_dict("index").items()
    }


def _book() -> CriteriaBook:
    return criteria_book_of(LabsTable())


def _number(value: Any) -> float:
    return float("nan") if value in (None, "") else float(value)


def _split_graded(rows: Any) -> Iterator[Case]:
    for row in rows:
        given = {name: value for name, value in row.items() if name != "expected_grade"}
        grade = row["expected_grade"]
        yield Case(f"row {row['id']}", given, {"grade": int(grade) if grade else None})


def _graded(given: Given) -> Mapping[str, Any]:
    value = LabValue(
        given["term"],
        VALUE=_number(given["value"]),
        UNIT=given["unit"],
        LLN=_number(given["lln"]),
        ULN=_number(given["uln"]),
        BASE=_number(given["baseline"]),
        PCHG=_number(given["pct_change"]),
        HIGH=given["baseline_ind"] in LabsTable().high_indicators,
    )
    direction: Direction = "low" if given["direction"] == "low" else "high"
    return {"grade": grade_one(value, direction, book=_book())[0]}


_DIRECTIONS: dict[str, Direction] = {"L": "low", "H": "high"}


def _split_tests(document: Any) -> Iterator[Case]:
    for number, case in enumerate(document["cases"], 1):
        wanted = [
            f"ATOXGR{d}"
            for d in _DIRECTIONS
            if f"ATOXGR{d}" in case or f"ATOXGR{d}" in case["expected_missing"]
        ]
        given = {name: value for name, value in case.items() if name not in (*wanted, "expected_missing")}
        expected = {name: int(case[name]) if name in case else None for name in wanted}
        yield Case(f"{number}: {case['test']}", given, expected)


def _test(given: Given) -> Mapping[str, Any]:
    """Grade in both directions; a direction without a term has no grade."""
    answer: dict[str, Any] = {}
    for letter, direction in _DIRECTIONS.items():
        value = LabValue(
            given.get(f"ATOXDSC{letter}"),
            VALUE=_number(given.get("AVAL")),
            UNIT=given.get("AVALU"),
            LLN=_number(given.get("ANRLO")),
            ULN=_number(given.get("ANRHI")),
            BASE=_number(given.get("BASE")),
            PCHG=_number(given.get("PCHG")),
            HIGH=given.get("BNRIND") in LabsTable().high_indicators,
        )
        answer[f"ATOXGR{letter}"] = grade_one(value, direction, book=_book())[0]
    return answer


SAFETY = (
    Pack("recist", "teae_random_admiral.csv", 0.0, _split, _compute),
    Pack("recist", "ctcae5_graded_labs.csv", 0.0, _split_graded, _graded),
    Pack("recist", "ctcae5_lab_admiral_tests.json", 0.0, _split_tests, _test),
)
